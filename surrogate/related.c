#include "surrogate/related.h"

#include "surrogate/factor.h"
#include "surrogate/trial_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	RESULTS_MIN = 3, /* of a source, for a model */
	RHOS = 24, /* values of rho that are looked at */
};

/* What is believed before there are results; docs/surrogate.md says how it was chosen. */
static const double RELATED_BEFORE = 0.8; /* probability that any source is related */
static const double RHO_MIN = 0.05, RHO_MAX = 4; /* evenly spaced in ln rho */
static const double RHO_MODE = 2, RHO_SD = 0.8; /* normal in ln rho, cut at these ends */
static const double WEIGHT_MIN = 0.3; /* less probable relations are not used */

/* Of a first configuration: what being at a tried one costs, in standardised outcomes, and over which
 * distance that falls by 1/e, in sides of the cube times the square root of their number. */
static const double NEARNESS_COST = 2, NEARNESS = 0.2;

struct related {
	const struct related_source *sources;
	size_t n;
	bool tells[SUGGEST_RELATED_MAX]; /* has a model */
	struct trial_model models[SUGGEST_RELATED_MAX];
	size_t n_models;
	size_t d; /* columns */
};

/* ---- the sources' models ---- */

/* The transform depends on the noise that a fit finds (model_data.h), so there are two. */
static bool fit(struct trial_model *model, struct suggest_request *request, bool *ret_fitted,
	struct tuner_error *err)
{
	double theta[SUGGEST_HYPERPARAMETERS_MAX];
	const bool warped = request->strategy->warp != STRATEGY_WARP_NONE;

	*ret_fitted = false;
	for (int pass = 0; pass < 2; pass++) {
		trial_model_finish(model);
		if (!trial_model_init(model, request, warped, err))
			return false;
		if (model->gp == NULL || transform_n_finite(model->data.transform) < RESULTS_MIN)
			return true;
		if (!trial_model_fit(model, request, err))
			return false;
		request->n_start = gp_n_hyperparameters(model->gp);
		memcpy(theta, gp_hyperparameters(model->gp), request->n_start * sizeof *theta);
		request->start = theta;
	}
	*ret_fitted = true;
	return true;
}

static bool learn(struct related *related, size_t s, const struct space *space,
	const struct strategy *strategy, struct tuner_error *err)
{
	struct suggest_request request = { .space = space,
		.strategy = strategy,
		.number = (uint32_t)s + 1,
		.observations = related->sources[s].observations,
		.n_observations = related->sources[s].n };
	struct tuner_error failed = { TUNER_OK, "" };

	if (!fit(&related->models[s], &request, &related->tells[s], &failed) &&
		failed.code != TUNER_NUMERIC) {
		*err = failed;
		return false;
	}
	if (related->tells[s]) {
		related->n_models++;
		related->d = related->models[s].columns.d;
	}
	return true;
}

bool related_create(const struct space *space, const struct strategy *strategy,
	const struct related_source *sources, size_t n, struct related **ret,
	struct tuner_error *err)
{
	struct related *related = calloc(1, sizeof *related);

	tuner_assert(n <= SUGGEST_RELATED_MAX);
	if (related == NULL)
		return tuner_fail_memory(err);
	related->sources = sources;
	related->n = n;
	for (size_t s = 0; s < n; s++)
		if (!learn(related, s, space, strategy, err)) {
			related_destroy(related);
			return false;
		}
	*ret = related;
	return true;
}

void related_destroy(struct related *related)
{
	for (size_t s = 0; related != NULL && s < related->n; s++)
		trial_model_finish(&related->models[s]);
	free(related);
}

bool related_tells(const struct related *related)
{
	return related != NULL && related->n_models > 0;
}

size_t related_count(const struct related *related)
{
	return related != NULL ? related->n : 0;
}

static bool mean_of(const struct related *related, size_t s, const double *X, size_t m,
	double *ret_means, double *ret_gradients, struct tuner_error *err)
{
	return gp_predict_mean(related->models[s].gp, X, m, ret_means, ret_gradients, err);
}

/* ---- evidence ----
 *
 * With the covariance matrix K of g and noise, and with u = 1/a,
 *
 *     ln p(y | rho, u) = (n - 1) (ln u - ln rho) - (A u^2 - 2 B u + C) / (2 rho^2) + const,
 *     A = y'Py, B = y'Pm, C = m'Pm,  P = K^-1 - K^-1 1 1'K^-1 / 1'K^-1 1,
 *
 * where m is the blend at the rows, and c is gone with a prior of any value. It is greatest at the
 * positive u of A u^2 - B u = (n - 1) rho^2. The integral over ln u is that of a normal density there
 * (Laplace): the second derivative by ln u is -(n - 1 + A u^2 / rho^2). Where no source is related,
 * rho is infinite and u / rho is not: (u / rho)^2 = (n - 1) / A.
 *
 * Outcomes that are all equal tell nothing: A = 0. */

struct products {
	double n1; /* n - 1 */
	double A, B, C;
};

/* What the outcomes say of a blend. */
struct verdict {
	double log_evidence;
	double rho, u; /* the most probable */
};

/* The greater root, without cancellation where B < 0. */
static double best_u(const struct products *p, double rho)
{
	const double q = p->n1 * rho * rho, root = sqrt(p->B * p->B + 4 * p->A * q);

	return p->B > 0 ? (p->B + root) / (2 * p->A) : 2 * q / (root - p->B);
}

static double log_evidence(const struct products *p, double rho, double u)
{
	const double v = u / rho;

	return p->n1 * log(v) - (p->A * v * v - 2 * p->B * v / rho + p->C / (rho * rho)) / 2 -
	       log(p->n1 + p->A * v * v) / 2;
}

static double log_evidence_of_none(const struct products *p)
{
	return p->A > 0 ? p->n1 * log(p->n1 / p->A) / 2 - p->n1 / 2 - log(2 * p->n1) / 2 : 0;
}

/* The value, and its log probability but for a constant. */
static double rho_at(size_t i, double *ret_log_prior)
{
	const double least = log(RHO_MIN), most = log(RHO_MAX);
	const double at = least + (most - least) * (double)i / (RHOS - 1);
	const double z = (at - log(RHO_MODE)) / RHO_SD;

	*ret_log_prior = -z * z / 2;
	return exp(at);
}

static struct verdict judge(const struct products *p)
{
	struct verdict ret = { .u = 1 };
	double logs[RHOS], prior, priors = 0, most = -INFINITY, sum = 0;

	for (size_t i = 0; i < RHOS; i++) {
		const double rho = rho_at(i, &prior), u = p->A > 0 ? best_u(p, rho) : 1;

		priors += exp(prior);
		logs[i] = prior + (p->A > 0 ? log_evidence(p, rho, u) : 0);
		if (logs[i] > most) {
			most = logs[i];
			ret.rho = rho;
			ret.u = u;
		}
	}
	for (size_t i = 0; i < RHOS; i++)
		sum += exp(logs[i] - most);
	ret.log_evidence = most + log(sum) - log(priors);
	return ret;
}

/* ---- weights ---- */

/* Rows of L^-1 times something, without what a constant explains: products of two such are those by
 * P. */
struct whitened {
	size_t n, stride;
	double *rows; /* ones, y, the sources' means, the blend */
};

enum { ROW_ONES, ROW_Y, ROW_SOURCES };

static double *row_of(const struct whitened *w, size_t i)
{
	return w->rows + i * w->stride;
}

static double dot(const double *a, const double *b, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

static void remove_constant(const struct whitened *w, double *row)
{
	const double *ones = row_of(w, ROW_ONES);
	const double c = dot(ones, row, w->n) / dot(ones, ones, w->n);

	for (size_t i = 0; i < w->n; i++)
		row[i] -= c * ones[i];
}

/* On failure free(ret->rows) is still to be called. */
static bool whiten(const struct related *related, const struct gp *gp, struct whitened *ret,
	struct tuner_error *err)
{
	const size_t n = gp_n_outcomes(gp), rows = ROW_SOURCES + related->n;

	tuner_assert(n > 0 && n == gp_n(gp) && gp_d(gp) == related->d);
	*ret = (struct whitened){ n, gp_stride(gp), factor_allocate(rows + 1, gp_stride(gp)) };
	if (ret->rows == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		row_of(ret, ROW_ONES)[i] = 1;
		row_of(ret, ROW_Y)[i] = gp_outcomes(gp)[i];
	}
	for (size_t s = 0; s < related->n; s++)
		if (related->tells[s] && !mean_of(related, s, gp_row(gp, 0), n,
						 row_of(ret, ROW_SOURCES + s), NULL, err))
			return false;
	gp_whiten(gp, ret->rows, rows);
	for (size_t i = ROW_Y; i < rows; i++)
		remove_constant(ret, row_of(ret, i));
	return true;
}

static struct products products_of(const struct whitened *w, const double *blend)
{
	const double *y = row_of(w, ROW_Y);

	if (w->n == 1) /* nothing but rounding errors are left */
		return (struct products){ 0 };
	return (struct products){ (double)(w->n - 1), dot(y, y, w->n), dot(y, blend, w->n),
		dot(blend, blend, w->n) };
}

/* w_s: each source's share of the evidence of all. */
static void share_out(const struct related *related, const struct whitened *w, double *ret_shares)
{
	double logs[SUGGEST_RELATED_MAX], most = -INFINITY, sum = 0;

	for (size_t s = 0; s < related->n; s++) {
		const struct products p = products_of(w, row_of(w, ROW_SOURCES + s));

		logs[s] = related->tells[s] ? judge(&p).log_evidence : -INFINITY;
		most = fmax(most, logs[s]);
	}
	for (size_t s = 0; s < related->n; s++)
		sum += ret_shares[s] = exp(logs[s] - most);
	for (size_t s = 0; s < related->n; s++)
		ret_shares[s] /= sum;
}

static void weigh(
	const struct related *related, const struct whitened *w, struct related_blend *ret)
{
	double *blend = row_of(w, ROW_SOURCES + related->n), shares[SUGGEST_RELATED_MAX];

	share_out(related, w, shares);
	for (size_t s = 0; s < related->n; s++)
		for (size_t i = 0; i < w->n; i++)
			blend[i] += shares[s] * row_of(w, ROW_SOURCES + s)[i];

	const struct products p = products_of(w, blend);
	const struct verdict verdict = judge(&p);
	const double against = (1 - RELATED_BEFORE) / RELATED_BEFORE;
	const double related_at_all =
		1 / (1 + against * exp(log_evidence_of_none(&p) - verdict.log_evidence));
	const bool used = related_at_all > WEIGHT_MIN;

	ret->scale = used ? verdict.u / verdict.rho : 1;
	for (size_t s = 0; s < related->n; s++) {
		ret->weights[s] = related_at_all * shares[s];
		ret->coefficients[s] = used ? ret->weights[s] / verdict.rho : 0;
	}
}

bool related_weigh(const struct related *related, const struct gp *gp, struct related_blend *ret,
	struct tuner_error *err)
{
	struct whitened whitened = { 0 };
	const bool ok = whiten(related, gp, &whitened, err);

	*ret = (struct related_blend){ .related = related, .scale = 1 };
	if (ok)
		weigh(related, &whitened, ret);
	free(whitened.rows);
	return ok;
}

bool related_is_used(const struct related_blend *blend)
{
	for (size_t s = 0; s < related_count(blend->related); s++)
		if (blend->coefficients[s] > 0)
			return true;
	return false;
}

/* ---- the trend ---- */

static bool add_source(const struct related_blend *blend, size_t s, const double *X, size_t m,
	double *scratch, double *values, double *gradients, struct tuner_error *err)
{
	const size_t d = blend->related->d;
	double *more = scratch + m;

	if (!mean_of(blend->related, s, X, m, scratch, gradients != NULL ? more : NULL, err))
		return false;
	for (size_t i = 0; i < m; i++)
		values[i] += blend->coefficients[s] * scratch[i];
	for (size_t i = 0; gradients != NULL && i < m * d; i++)
		gradients[i] += blend->coefficients[s] * more[i];
	return true;
}

static bool evaluate(const void *context, const double *X, size_t m, double *ret_values,
	double *ret_gradients, struct tuner_error *err)
{
	const struct related_blend *blend = context;
	const size_t d = blend->related->d;
	double *scratch = calloc(m * (d + 1) + 1, sizeof *scratch);
	bool ok = scratch != NULL || tuner_fail_memory(err);

	memset(ret_values, 0, m * sizeof *ret_values);
	if (ret_gradients != NULL)
		memset(ret_gradients, 0, m * d * sizeof *ret_gradients);
	for (size_t s = 0; ok && s < blend->related->n; s++)
		if (blend->coefficients[s] > 0)
			ok = add_source(blend, s, X, m, scratch, ret_values, ret_gradients, err);
	free(scratch);
	return ok;
}

struct gp_trend related_trend(const struct related_blend *blend)
{
	return (struct gp_trend){ blend, evaluate };
}

/* ---- first configurations ---- */

static double distance(const struct columns *columns, const double *x, const double *y)
{
	double sum = 0;

	for (size_t k = 0; k < columns->d; k++)
		sum += columns->kinds[k] == DIMENSION_CATEGORY ? x[k] != y[k]
							       : (x[k] - y[k]) * (x[k] - y[k]);
	return sqrt(sum);
}

/* What has been tried so far. */
struct known {
	const struct columns *columns;
	size_t n;
	double *X;
};

static bool collect_known(const struct columns *columns, const struct suggest_request *request,
	struct known *ret, struct tuner_error *err)
{
	const size_t n = request->n_observations, all = n + request->n_pending;

	*ret = (struct known){ columns, 0, calloc(all * columns->d + 1, sizeof(double)) };
	if (ret->X == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < all; i++)
		ret->n += columns_encode(columns,
			i < n ? request->observations[i].values : request->pending[i - n],
			&ret->X[ret->n * columns->d]);
	return true;
}

/* Less is better. */
static bool judge_beginning(const struct related *related, const struct known *known,
	const double *x, double *ret, struct tuner_error *err)
{
	const double reach = NEARNESS * sqrt((double)known->columns->d);
	double sum = 0, mean, nearness = 0;

	for (size_t s = 0; s < related->n; s++) {
		if (!related->tells[s])
			continue;
		if (!mean_of(related, s, x, 1, &mean, NULL, err))
			return false;
		sum += mean;
	}
	for (size_t i = 0; i < known->n; i++)
		nearness = fmax(nearness,
			exp(-distance(known->columns, x, &known->X[i * known->columns->d]) /
				reach));
	*ret = sum / (double)related->n_models + NEARNESS_COST * nearness;
	return true;
}

/* The trial's configuration with the given values. */
static bool adapt(const struct ask *ask, const double *values, double *ret)
{
	memcpy(ret, values, ask->space->d * sizeof *ret);
	for (size_t i = 0; i < ask->space->d; i++)
		if (!isnan(ask->given[i]))
			ret[i] = ask->given[i];
	space_settle(ask->space, ret);
	return space_contains(ask->space, ret) && ask_is_new(ask, ret);
}

static bool look_at(const struct related *related, const struct related_source *source,
	const struct ask *ask, const struct known *known, double *best, double *ret_values,
	bool *ret_found, struct tuner_error *err)
{
	double values[SPACE_PARAMETERS_MAX], x[COLUMNS_MAX], judged;

	for (size_t i = 0; i < source->n; i++) {
		if (!adapt(ask, source->observations[i].values, values) ||
			!columns_encode(known->columns, values, x))
			continue;
		if (!judge_beginning(related, known, x, &judged, err))
			return false;
		if (*ret_found && judged >= *best)
			continue;
		*best = judged;
		*ret_found = true;
		memcpy(ret_values, values, ask->space->d * sizeof *values);
	}
	return true;
}

bool related_begin(const struct related *related, const struct ask *ask, double *ret_values,
	bool *ret_found, struct tuner_error *err)
{
	struct columns columns;
	struct known known = { 0 };
	double best = 0;

	*ret_found = false;
	columns_init(&columns, ask->space, ask->given);
	bool ok = collect_known(&columns, ask->request, &known, err);

	for (size_t s = 0; ok && s < related->n; s++)
		if (related->tells[s])
			ok = look_at(related, &related->sources[s], ask, &known, &best, ret_values,
				ret_found, err);
	free(known.X);
	return ok;
}
