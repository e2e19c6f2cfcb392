#include "surrogate/acquisition.h"

#include "surrogate/best_rows.h"
#include "surrogate/confidence_bound.h"
#include "surrogate/expected_improvement.h"
#include "surrogate/factor.h"
#include "surrogate/glance.h"

#include <gsl/gsl_cdf.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Points are evaluated in blocks, so that memory stays bounded. */
enum { BLOCK = 64 };

/* The trial of least mean + sd is hardly ever further down in the order of means. */
enum { EFFECTIVE_MAX = 32 };

/* Up to this many rows, products with L^-1 are faster than substitutions with L, even with the
 * inversion included: two to five times at 50 rows, 1.8 times at 200, no faster at 1,000. */
enum { INVERTED_MAX = 256 };

struct acquisition {
	const struct gp *gp;
	struct acquisition_options options;
	struct acquisition_term terms[ACQUISITION_TERMS_MAX];
	size_t n_terms;
	size_t n, n_outcomes, stride; /* the model's */
	size_t n_fantasies;
	double noise_sd; /* of one trial, for augmented EI; otherwise 0 */
	bool *barred; /* n_fantasies x n_chances: not the incumbent in that fantasy; NULL: none is */
	double *draws; /* n_fantasies x (n - n_outcomes): standard normal, b of the pending rows */
	double *alphas; /* n_fantasies x stride: K^-1 (y - c 1) of each fantasy */
	double *incumbents; /* n_fantasies */
	double *values; /* n_fantasies each, for one point */
	double *by_mean, *by_sd;
	double *inverse; /* n x stride: L^-1, of a small model; or NULL */
	size_t rows; /* of the matrices below, which grow up to BLOCK */
	double *K, *G, *T;
	double *trend; /* BLOCK values, then BLOCK x d gradients; NULL: the model has none */
	struct acquisition *joined[ACQUISITION_MODELS_MAX - 1]; /* owned */
	size_t n_joined;
	double *joined_gradients; /* BLOCK x d */
};

/* Like gp_whiten and gp_unwhiten, by the inverse if there is one. */
static void whiten(const struct acquisition *a, double *K, size_t m)
{
	if (a->inverse)
		factor_multiply_rows(a->inverse, a->stride, a->n, true, K, a->stride, m);
	else
		gp_whiten(a->gp, K, m);
}

static void unwhiten(const struct acquisition *a, double *V, size_t m)
{
	if (a->inverse)
		factor_multiply_rows(a->inverse, a->stride, a->n, false, V, a->stride, m);
	else
		gp_unwhiten(a->gp, V, m);
}

static bool invert(struct acquisition *a)
{
	if (a->n > INVERTED_MAX)
		return true;
	a->inverse = factor_allocate(a->n, a->stride);
	if (a->inverse)
		gp_invert(a->gp, a->inverse);
	return a->inverse != NULL;
}

static bool reserve(struct acquisition *a, size_t m, struct tuner_error *err)
{
	const size_t rows = m < BLOCK ? m : BLOCK;
	struct acquisition next = *a;

	if (rows <= a->rows)
		return true;
	next.rows = rows;
	next.K = factor_allocate(rows, a->stride);
	next.G = factor_allocate(rows, a->stride);
	next.T = factor_allocate(rows, a->stride);
	if (!next.K || !next.G || !next.T) {
		free(next.K);
		free(next.G);
		free(next.T);
		return tuner_fail_memory(err);
	}
	free(a->K);
	free(a->G);
	free(a->T);
	*a = next;
	return true;
}

/* One stratum of the normal distribution per fantasy, shuffled for each pending row: a Latin
 * hypercube (McKay, Beckman, Conover, Technometrics 21, 1979) has no limit on the dimension. */
static bool draw_fantasies(struct acquisition *a, size_t pending, struct random *random)
{
	const size_t S = a->n_fantasies;
	size_t *strata = calloc(S, sizeof(*strata));

	if (!strata)
		return false;
	for (size_t j = 0; j < pending; j++) {
		for (size_t s = 0; s < S; s++)
			strata[s] = s;
		random_shuffle(random, strata, S);
		for (size_t s = 0; s < S; s++) {
			/* Inside the open interval: u = 0 would give minus infinity. */
			const double u = fmax(random_uniform(random), 0x1p-53);

			a->draws[s * pending + j] =
				gsl_cdf_ugaussian_Pinv(((double)strata[s] + u) / (double)S);
		}
	}
	free(strata);
	return true;
}

/* The fantasies in which a row may not be the incumbent are as many as its chance says, and any. */
static bool draw_barred(struct acquisition *a, struct random *random)
{
	const size_t S = a->n_fantasies, n = a->options.n_chances;
	size_t *order = calloc(S, sizeof *order);

	a->barred = calloc(S * n + 1, sizeof *a->barred);
	const bool ok = order && a->barred;

	for (size_t j = 0; ok && j < n; j++) {
		for (size_t s = 0; s < S; s++)
			order[s] = s;
		random_shuffle(random, order, S);
		for (size_t s = 0; s < S; s++)
			a->barred[s * n + j] =
				((double)order[s] + 0.5) / (double)S > a->options.chances[j];
	}
	free(order);
	return ok;
}

/* The part of an outcome's distance from the posterior mean, noise_i alpha_i, that does not
 * count. */
static double luck(const struct acquisition *a, const double *alpha, size_t i)
{
	return a->options.incumbent == ACQUISITION_INCUMBENT_BEST ? 0
								  : gp_noise(a->gp, i) * alpha[i];
}

/* The value of row i in the fantasy with whitened outcomes b: the posterior mean, y_i - noise_i
 * alpha_i, or y_i. */
static double own_value(const struct acquisition *a, const double *b, const double *alpha, size_t i)
{
	const double y = i < a->n_outcomes ? gp_outcomes(a->gp)[i] : gp_outcome(a->gp, b, i);

	return y - luck(a, alpha, i);
}

static bool is_barred(const struct acquisition *a, size_t fantasy, size_t i)
{
	const size_t j = i - a->n_outcomes;

	return a->barred != NULL && i >= a->n_outcomes && j < a->options.n_chances &&
	       a->barred[fantasy * a->options.n_chances + j];
}

/* The value at the row where value + margin is least; margins (n) are infinite at rows that may not be the
 * incumbent. */
static double find_incumbent(
	const struct acquisition *a, size_t fantasy, const double *b, const double *margins)
{
	const double *alpha = a->alphas + fantasy * a->stride;
	double least = INFINITY, incumbent = INFINITY;

	for (size_t i = 0; i < a->n; i++) {
		const bool eligible = isfinite(margins[i]) && !is_barred(a, fantasy, i);
		const double value = eligible ? own_value(a, b, alpha, i) : INFINITY;

		if (value + margins[i] < least) {
			least = value + margins[i];
			incumbent = value;
		}
	}
	return incumbent;
}

static bool any(const bool *flags, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (flags[i])
			return true;
	return false;
}

static bool prepare_fantasies(struct acquisition *a, const double *margins)
{
	const size_t known = a->n_outcomes, pending = a->n - known;
	double *b = factor_allocate(1, a->stride);

	if (!b)
		return false;
	memcpy(b, gp_whitened_outcomes(a->gp), known * sizeof(*b));
	for (size_t s = 0; s < a->n_fantasies; s++) {
		memcpy(b + known, a->draws + s * pending, pending * sizeof(*b));
		memcpy(a->alphas + s * a->stride, b, a->n * sizeof(*b));
	}
	unwhiten(a, a->alphas, a->n_fantasies);
	for (size_t s = 0; s < a->n_fantasies; s++) {
		memcpy(b + known, a->draws + s * pending, pending * sizeof(*b));
		a->incumbents[s] = find_incumbent(a, s, b, margins);
	}
	free(b);
	return true;
}

/* The sds at n of the model's own rows, with L^-1 if there is one (gp_predict has none). */
static bool own_sds(struct acquisition *a, const size_t *rows, size_t n, double *ret_sds,
	struct tuner_error *err)
{
	const size_t d = gp_d(a->gp);
	double *X = calloc(BLOCK * d, sizeof *X);

	if (!X || !reserve(a, n, err)) {
		free(X);
		return tuner_fail_memory(err);
	}
	for (size_t first = 0; first < n; first += BLOCK) {
		const size_t m = n - first < BLOCK ? n - first : BLOCK;

		for (size_t r = 0; r < m; r++)
			memcpy(&X[r * d], gp_row(a->gp, rows[first + r]), d * sizeof *X);
		gp_cross(a->gp, X, m, a->K, NULL);
		whiten(a, a->K, m);
		for (size_t r = 0; r < m; r++)
			ret_sds[rows[first + r]] = sqrt(gp_variance(a->gp, a->K + r * a->stride));
	}
	free(X);
	return true;
}

/* The margins of augmented EI: the sds at the pending rows and at the EFFECTIVE_MAX trials of least
 * posterior mean. */
static bool effective_margins(
	struct acquisition *a, const bool *marked, double *ret_margins, struct tuner_error *err)
{
	size_t *rows = calloc(a->n, sizeof *rows), n = 0;
	bool ok = rows || tuner_fail_memory(err);

	ok = ok && best_rows(a->gp, marked, rows, &n, err);
	if (ok) {
		n = n < EFFECTIVE_MAX ? n : EFFECTIVE_MAX;
		for (size_t i = 0; i < a->n_outcomes; i++)
			ret_margins[i] = INFINITY;
		for (size_t i = a->n_outcomes; i < a->n; i++)
			rows[n++] = i;
		ok = own_sds(a, rows, n, ret_margins, err);
	}
	free(rows);
	return ok;
}

/* The margins of find_incumbent. */
static bool prepare_margins(struct acquisition *a, double *ret_margins, struct tuner_error *err)
{
	const bool *eligible = a->options.eligible;
	bool *marked = calloc(a->n, sizeof *marked);
	bool ok = marked || tuner_fail_memory(err);

	if (eligible && !any(eligible, a->n_outcomes))
		eligible = NULL;
	for (size_t i = 0; ok && i < a->n; i++) {
		marked[i] = i >= a->n_outcomes || !eligible || eligible[i];
		ret_margins[i] = marked[i] ? 0 : INFINITY;
	}
	ok = ok && (a->noise_sd == 0 || effective_margins(a, marked, ret_margins, err));
	free(marked);
	return ok;
}

/* A confidence bound needs no draws: it uses the predicted means. */
static bool draws_fantasies(const struct acquisition_options *options, size_t pending)
{
	return options->kind == ACQUISITION_EI && options->n_fantasies > 1 && pending > 0 &&
	       pending <= ACQUISITION_PENDING_MAX;
}

static double noise_sd_of(const struct gp *gp, const struct acquisition_options *options)
{
	const bool augmented = options->kind == ACQUISITION_EI &&
			       options->incumbent == ACQUISITION_INCUMBENT_AUGMENTED;

	return augmented ? sqrt(gp_noise_variance(gp)) : 0;
}

static bool prepare_incumbents(struct acquisition *a, struct tuner_error *err)
{
	if (a->options.kind == ACQUISITION_TERMS) {
		a->incumbents[0] = NAN;
		return true;
	}
	double *margins = calloc(a->n, sizeof *margins);
	bool ok = margins || tuner_fail_memory(err);

	ok = ok && prepare_margins(a, margins, err);
	if (ok && !prepare_fantasies(a, margins))
		ok = tuner_fail_memory(err);
	free(margins);
	return ok;
}

bool acquisition_create(const struct gp *gp, const struct acquisition_options *options,
	struct random *random, struct acquisition **ret, struct tuner_error *err)
{
	const size_t n = gp_n(gp), pending = n - gp_n_outcomes(gp);
	const bool drawn = draws_fantasies(options, pending);
	struct acquisition *a = calloc(1, sizeof(*a));

	tuner_assert(n > 0 && (options->kind != ACQUISITION_EI || options->n_fantasies >= 1));
	if (!a)
		return tuner_fail_memory(err);
	a->gp = gp;
	a->options = *options;
	a->n = n;
	a->n_outcomes = gp_n_outcomes(gp);
	a->stride = gp_stride(gp);
	a->noise_sd = noise_sd_of(gp, options);
	/* A single fantasy keeps its draws at 0, so its outcomes are the predicted means. */
	a->n_fantasies = drawn ? options->n_fantasies : 1;
	a->draws = factor_allocate(a->n_fantasies, pending);
	a->alphas = factor_allocate(a->n_fantasies, a->stride);
	a->incumbents = factor_allocate(1, a->n_fantasies);
	a->values = factor_allocate(1, a->n_fantasies);
	a->by_mean = factor_allocate(1, a->n_fantasies);
	a->by_sd = factor_allocate(1, a->n_fantasies);
	if (gp_trend_of(gp) != NULL) {
		a->trend = factor_allocate(BLOCK, 1 + gp_d(gp));
		if (!a->trend) {
			acquisition_destroy(a);
			return tuner_fail_memory(err);
		}
	}
	if (!a->draws || !a->alphas || !a->incumbents || !a->values || !a->by_mean || !a->by_sd ||
		(drawn && !draw_fantasies(a, pending, random)) ||
		(options->n_chances > 0 && !draw_barred(a, random)) || !invert(a)) {
		acquisition_destroy(a);
		return tuner_fail_memory(err);
	}
	if (!prepare_incumbents(a, err)) {
		acquisition_destroy(a);
		return false;
	}
	*ret = a;
	return true;
}

void acquisition_destroy(struct acquisition *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->n_joined; i++)
		acquisition_destroy(a->joined[i]);
	free(a->joined_gradients);
	free(a->barred);
	free(a->draws);
	free(a->alphas);
	free(a->incumbents);
	free(a->values);
	free(a->by_mean);
	free(a->by_sd);
	free(a->inverse);
	free(a->K);
	free(a->G);
	free(a->T);
	free(a->trend);
	free(a);
}

static double own_incumbent(const struct acquisition *a)
{
	double sum = 0;

	for (size_t s = 0; s < a->n_fantasies; s++)
		sum += a->incumbents[s];
	return sum / (double)a->n_fantasies;
}

/* The value of a prediction, with its derivatives by mean and sd. */
static double value_at(const struct acquisition *a, double mean, double sd, double incumbent,
	double *ret_by_mean, double *ret_by_sd)
{
	if (a->options.kind == ACQUISITION_UCB)
		return negated_confidence_bound(mean, sd, a->options.beta, ret_by_mean, ret_by_sd);

	double by_augmentation = 0;
	const double augmentation =
		a->noise_sd > 0 ? log_augmentation(sd, a->noise_sd, &by_augmentation) : 0;
	const double value = log_expected_improvement(mean, sd, incumbent, ret_by_mean, ret_by_sd);

	if (ret_by_sd)
		*ret_by_sd += by_augmentation;
	return value + augmentation;
}

/* Value of the point with v = L^-1 k(x) and that trend under the first S fantasies, into a->values, with the
 * derivatives; returns the logarithm of their mean EI. */
static double value_of(struct acquisition *a, const double *v, double trend, double sd, size_t S)
{
	const size_t known = a->n_outcomes, pending = a->n - known;
	const double mean =
		gp_constant(a->gp) + kernel_dot(v, gp_whitened_outcomes(a->gp), known) + trend;
	double most = -INFINITY, sum = 0;

	for (size_t s = 0; s < S; s++) {
		const double shift = kernel_dot(v + known, a->draws + s * pending, pending);

		a->values[s] = value_at(
			a, mean + shift, sd, a->incumbents[s], a->by_mean + s, a->by_sd + s);
		most = fmax(most, a->values[s]);
	}
	if (S == 1 || !isfinite(most))
		return most;
	for (size_t s = 0; s < S; s++)
		sum += exp(a->values[s] - most);
	return most + log(sum / (double)S);
}

/* Where only the terms count. */
static bool no_values(size_t n, double *ret)
{
	memset(ret, 0, n * sizeof *ret);
	return true;
}

static bool own_values(struct acquisition *a, const double *X, size_t m, size_t fantasies,
	double *ret_values, struct tuner_error *err)
{
	const size_t d = gp_d(a->gp);
	const size_t S = fantasies && fantasies < a->n_fantasies ? fantasies : a->n_fantasies;

	if (a->options.kind == ACQUISITION_TERMS)
		return no_values(m, ret_values);
	if (!reserve(a, m, err))
		return false;
	for (size_t i = 0; i < m; i += BLOCK) {
		const size_t rows = m - i < BLOCK ? m - i : BLOCK;

		gp_cross(a->gp, X + i * d, rows, a->K, NULL);
		whiten(a, a->K, rows);
		if (a->trend && !gp_trend_values(a->gp, X + i * d, rows, a->trend, NULL, err))
			return false;
		for (size_t r = 0; r < rows; r++) {
			const double *v = a->K + r * a->stride;

			ret_values[i + r] = value_of(
				a, v, a->trend ? a->trend[r] : 0, sqrt(gp_variance(a->gp, v)), S);
		}
	}
	return true;
}

/* Like value_at, for n estimated predictions. */
static void glance_at(
	const struct acquisition *a, const float *mean, const float *sd, size_t n, float *ret)
{
	const float beta = (float)a->options.beta;

	if (a->options.kind == ACQUISITION_EI) {
		glance_log_expected_improvement(mean, sd, (float)own_incumbent(a), n, ret);
		if (a->noise_sd > 0)
			glance_add_log_augmentation(sd, (float)a->noise_sd, n, ret);
		return;
	}
	for (size_t i = 0; i < n; i++)
		ret[i] = beta * sd[i] - mean[i];
}

static bool own_glance(struct acquisition *a, const double *X, size_t m, double *ret_values,
	struct tuner_error *err)
{
	const size_t stride = gp_glance_stride(m);

	if (a->options.kind == ACQUISITION_TERMS)
		return no_values(m, ret_values);
	float *memory = calloc(3 * stride + 1, sizeof *memory);
	float *mean = memory, *sd = mean + stride, *values = sd + stride;

	if (!memory || !gp_glance(a->gp, X, m, mean, sd, err)) {
		free(memory);
		return tuner_fail_memory(err);
	}
	glance_at(a, mean, sd, stride, values);
	for (size_t i = 0; i < m; i++)
		ret_values[i] = values[i];
	free(memory);
	return true;
}

/* With softmax weights w_s of the fantasies, the gradient is
 *     sum_s w_s (by_mean_s dmean_s + by_sd_s dsd),  dmean_s = sum_i alpha_si dk_i,
 *     dsd = -sum_i u_i dk_i / sd:
 * that is one weight per row of the model, t_i = sum_s w_s by_mean_s alpha_si - (sum_s w_s by_sd_s)
 * u_i / sd. This function computes the first sum, and returns the second; *ret_by_mean is the sum of
 * w_s by_mean_s. */
static double mean_weights(
	const struct acquisition *a, double value, double *ret_t, double *ret_by_mean)
{
	double by_sd = 0;

	*ret_by_mean = 0;
	memset(ret_t, 0, a->n * sizeof(*ret_t));
	for (size_t s = 0; s < a->n_fantasies; s++) {
		const double w = exp(a->values[s] - value) / (double)a->n_fantasies;
		const double by_mean = w * a->by_mean[s], *alpha = a->alphas + s * a->stride;

		by_sd += w * a->by_sd[s];
		*ret_by_mean += by_mean;
		for (size_t i = 0; i < a->n; i++)
			ret_t[i] += by_mean * alpha[i];
	}
	return by_sd;
}

static bool gradients_block(struct acquisition *a, const double *X, size_t m, double *ret_values,
	double *ret_gradients, struct tuner_error *err)
{
	const size_t d = gp_d(a->gp);
	double *trends = a->trend ? a->trend + BLOCK : NULL;
	double by_variance[BLOCK]; /* -(sum_s w_s by_sd_s) / sd */
	double by_mean[BLOCK];

	if (a->trend && !gp_trend_values(a->gp, X, m, a->trend, trends, err))
		return false;

	gp_cross(a->gp, X, m, a->K, a->G);
	whiten(a, a->K, m);
	for (size_t r = 0; r < m; r++) {
		const double *v = a->K + r * a->stride, sd = sqrt(gp_variance(a->gp, v));

		ret_values[r] = value_of(a, v, a->trend ? a->trend[r] : 0, sd, a->n_fantasies);
		by_variance[r] =
			-mean_weights(a, ret_values[r], a->T + r * a->stride, &by_mean[r]) / sd;
	}
	unwhiten(a, a->K, m);
	for (size_t r = 0; r < m; r++) {
		const double *u = a->K + r * a->stride, *g = a->G + r * a->stride;
		double *t = a->T + r * a->stride;

		for (size_t i = 0; i < a->n; i++)
			t[i] = (t[i] + by_variance[r] * u[i]) * g[i];
		gp_pull(a->gp, X + r * d, t, ret_gradients + r * d);
		for (size_t k = 0; a->trend && k < d; k++)
			ret_gradients[r * d + k] += by_mean[r] * trends[r * d + k];
	}
	return true;
}

static bool own_gradients(struct acquisition *a, const double *X, size_t m, double *ret_values,
	double *ret_gradients, struct tuner_error *err)
{
	const size_t d = gp_d(a->gp);

	if (a->options.kind == ACQUISITION_TERMS)
		return no_values(m, ret_values) && no_values(m * d, ret_gradients);
	if (!reserve(a, m, err))
		return false;
	for (size_t i = 0; i < m; i += BLOCK)
		if (!gradients_block(a, X + i * d, m - i < BLOCK ? m - i : BLOCK, ret_values + i,
			    ret_gradients + i * d, err))
			return false;
	return true;
}

/* ---- the mean over several models ---- */

bool acquisition_join(struct acquisition *a, struct acquisition *other, struct tuner_error *err)
{
	tuner_assert(a->n_joined < ACQUISITION_MODELS_MAX - 1 && other->n_joined == 0 &&
		     other->n_terms == 0 && gp_d(a->gp) == gp_d(other->gp));
	tuner_assert(a->options.kind == ACQUISITION_EI && other->options.kind == ACQUISITION_EI);
	a->joined[a->n_joined++] = other;
	if (!a->joined_gradients)
		a->joined_gradients = factor_allocate(BLOCK, gp_d(a->gp));
	return a->joined_gradients || tuner_fail_memory(err);
}

size_t acquisition_rows(const struct acquisition *a)
{
	return a->n;
}

double acquisition_incumbent(const struct acquisition *a)
{
	double sum = own_incumbent(a);

	for (size_t i = 0; i < a->n_joined; i++)
		sum += own_incumbent(a->joined[i]);
	return sum / (double)(a->n_joined + 1);
}

/* ln(e^a + e^b) */
static double log_sum(double a, double b)
{
	const double most = fmax(a, b);

	return isfinite(most) ? most + log(exp(a - most) + exp(b - most)) : most;
}

/* Adds another model's values to the sum. */
static void join(size_t m, const double *more, double *values)
{
	for (size_t i = 0; i < m; i++)
		values[i] = log_sum(values[i], more[i]);
}

/* Turns the sum over the own and n joined models into the mean. */
static void divide(size_t n, size_t m, double *values)
{
	for (size_t i = 0; n > 0 && i < m; i++)
		values[i] -= log((double)(n + 1));
}

static size_t joined_at_first(const struct acquisition *a)
{
	return a->n_joined < ACQUISITION_MODELS_FIRST ? a->n_joined : ACQUISITION_MODELS_FIRST - 1;
}

static bool join_values(struct acquisition *a, size_t n, const double *X, size_t m,
	size_t fantasies, double *ret_values, struct tuner_error *err)
{
	double more[BLOCK];

	for (size_t i = 0; i < n; i++)
		for (size_t at = 0; at < m; at += BLOCK) {
			const size_t rows = m - at < BLOCK ? m - at : BLOCK;

			if (!own_values(
				    a->joined[i], X + at * gp_d(a->gp), rows, fantasies, more, err))
				return false;
			join(rows, more, ret_values + at);
		}
	divide(n, m, ret_values);
	return true;
}

/* All points at once, because gp_glance calibrates itself on a few of them. */
static bool join_glances(struct acquisition *a, size_t n, const double *X, size_t m,
	double *ret_values, struct tuner_error *err)
{
	double *more = calloc(m + 1, sizeof *more);
	bool ok = more || tuner_fail_memory(err);

	for (size_t i = 0; ok && i < n; i++) {
		ok = own_glance(a->joined[i], X, m, more, err);
		if (ok)
			join(m, more, ret_values);
	}
	divide(n, m, ret_values);
	free(more);
	return ok;
}

/* The gradient of the logarithm of a sum: the terms' gradients, weighted by their parts of the
 * sum. */
static void join_gradient(
	double *value, double *gradient, double more, const double *more_gradient, size_t d)
{
	const double sum = log_sum(*value, more);

	for (size_t k = 0; isfinite(sum) && k < d; k++)
		gradient[k] = exp(*value - sum) * gradient[k] + exp(more - sum) * more_gradient[k];
	*value = sum;
}

static bool join_gradients(struct acquisition *a, size_t n, const double *X, size_t m,
	double *ret_values, double *ret_gradients, struct tuner_error *err)
{
	const size_t d = gp_d(a->gp);
	double more[BLOCK];

	for (size_t i = 0; i < n; i++) {
		if (!own_gradients(a->joined[i], X, m, more, a->joined_gradients, err))
			return false;
		for (size_t r = 0; r < m; r++)
			join_gradient(&ret_values[r], &ret_gradients[r * d], more[r],
				&a->joined_gradients[r * d], d);
	}
	divide(n, m, ret_values);
	return true;
}

/* ---- the terms ---- */

void acquisition_add_term(struct acquisition *a, const struct acquisition_term *term)
{
	tuner_assert(a->n_terms < ACQUISITION_TERMS_MAX);
	a->terms[a->n_terms++] = *term;
}

static bool add_terms(struct acquisition *a, const double *X, size_t m, double *values,
	double *gradients, struct tuner_error *err)
{
	for (size_t i = 0; i < a->n_terms; i++)
		if (!a->terms[i].add(a->terms[i].context, X, m, values, gradients, err))
			return false;
	return true;
}

static bool add_term_glances(
	struct acquisition *a, const double *X, size_t m, double *values, struct tuner_error *err)
{
	for (size_t i = 0; i < a->n_terms; i++)
		if (a->terms[i].add_glance &&
			!a->terms[i].add_glance(a->terms[i].context, X, m, values, err))
			return false;
	return true;
}

/* ---- all together ---- */

bool acquisition_values(struct acquisition *a, const double *X, size_t m, size_t fantasies,
	double *ret_values, struct tuner_error *err)
{
	const size_t n = fantasies ? joined_at_first(a) : a->n_joined;

	return own_values(a, X, m, fantasies, ret_values, err) &&
	       join_values(a, n, X, m, fantasies, ret_values, err) &&
	       add_terms(a, X, m, ret_values, NULL, err);
}

bool acquisition_glance(struct acquisition *a, const double *X, size_t m, double *ret_values,
	struct tuner_error *err)
{
	return own_glance(a, X, m, ret_values, err) &&
	       join_glances(a, joined_at_first(a), X, m, ret_values, err) &&
	       add_term_glances(a, X, m, ret_values, err);
}

static bool gradients_with(struct acquisition *a, size_t n, const double *X, size_t m,
	double *ret_values, double *ret_gradients, struct tuner_error *err)
{
	const size_t d = gp_d(a->gp);

	if (!own_gradients(a, X, m, ret_values, ret_gradients, err))
		return false;
	for (size_t i = 0; i < m; i += BLOCK)
		if (!join_gradients(a, n, X + i * d, m - i < BLOCK ? m - i : BLOCK, ret_values + i,
			    ret_gradients + i * d, err))
			return false;
	return add_terms(a, X, m, ret_values, ret_gradients, err);
}

bool acquisition_gradients(struct acquisition *a, const double *X, size_t m, double *ret_values,
	double *ret_gradients, struct tuner_error *err)
{
	return gradients_with(a, a->n_joined, X, m, ret_values, ret_gradients, err);
}

bool acquisition_rough_gradients(struct acquisition *a, const double *X, size_t m,
	double *ret_values, double *ret_gradients, struct tuner_error *err)
{
	return gradients_with(a, joined_at_first(a), X, m, ret_values, ret_gradients, err);
}
