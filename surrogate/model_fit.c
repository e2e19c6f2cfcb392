#include "surrogate/model_fit.h"

#include "surrogate/marginal.h"
#include "surrogate/vecchia.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A different number of hyperparameters belongs to other dimensions. */
const double *model_fit_start(const struct gp *gp, const struct suggest_request *request)
{
	size_t i = 0;

	while (i < request->n_start && isfinite(request->start[i]))
		i++;
	return i == request->n_start && i == gp_n_hyperparameters(gp) ? request->start : NULL;
}

void model_fit_lengthscales(
	const struct columns *columns, const double *theta, double *ret_lengthscales)
{
	for (size_t k = 0; k < columns->d; k++)
		ret_lengthscales[k] =
			theta != NULL ? exp(theta[kernel_length_of(columns->kinds, k)]) : 1;
}

uint64_t model_fit_limit(const struct suggest_request *request)
{
	if (request->work_limit == 0)
		return 0;
	return request->work_limit >= 10 ? request->work_limit / 10 : 1;
}

/* Copies of evenly spaced rows. */
struct thinned {
	double *X, *y, *scales, *counts, *scatters;
	struct gp_data data;
};

static void thinned_finish(struct thinned *thinned)
{
	free(thinned->X);
	free(thinned->y);
	free(thinned->scales);
	free(thinned->counts);
	free(thinned->scatters);
}

static bool thinned_create(struct thinned *thinned, size_t n, size_t d, struct tuner_error *err)
{
	*thinned = (struct thinned){ .X = calloc(n * d, sizeof *thinned->X),
		.y = calloc(n, sizeof *thinned->y),
		.scales = calloc(n, sizeof *thinned->scales),
		.counts = calloc(n, sizeof *thinned->counts),
		.scatters = calloc(n, sizeof *thinned->scatters) };
	thinned->data = (struct gp_data){ n, thinned->X, thinned->y, thinned->scales,
		thinned->counts, thinned->scatters };
	return (thinned->X && thinned->y && thinned->scales && thinned->counts &&
		       thinned->scatters) ||
	       tuner_fail_memory(err);
}

/* Takes n rows, one from each of n equal parts: the first there or, with `random`, any. (Otherwise
 * results that come in turns, as from two workers, could be mistaken for the whole.) On failure
 * thinned_finish must still be called. */
static bool thin_out(const struct gp_data *all, size_t d, size_t n, struct random *random,
	struct thinned *ret, struct tuner_error *err)
{
	if (!thinned_create(ret, n, d, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		const size_t first = i * all->n / n, next = (i + 1) * all->n / n;
		const size_t row = first + (random ? random_below(random, next - first) : 0);

		memcpy(&ret->X[i * d], &all->X[row * d], d * sizeof *ret->X);
		ret->y[i] = all->y[row];
		ret->scales[i] = all->noise_scales ? all->noise_scales[row] : 1;
		ret->counts[i] = all->counts ? all->counts[row] : 1;
		ret->scatters[i] = all->scatters ? all->scatters[row] : 0;
	}
	return true;
}

static bool fit_thinned(struct gp *gp, const struct gp_data *all, size_t most,
	const struct gp_fit_options *options, struct gp_fit_report *ret, struct tuner_error *err)
{
	double theta[SUGGEST_HYPERPARAMETERS_MAX];
	struct thinned some;
	bool ok = thin_out(all, gp_d(gp), most, NULL, &some, err) &&
		  gp_fit(gp, &some.data, options, ret, err);

	if (ok) {
		memcpy(theta, gp_hyperparameters(gp), gp_n_hyperparameters(gp) * sizeof *theta);
		ok = gp_condition(gp, all, theta, err);
	}
	thinned_finish(&some);
	return ok;
}

bool model_fit_rows(struct gp *gp, const struct gp_data *rows, size_t most,
	const struct gp_fit_options *options, struct gp_fit_report *ret, struct tuner_error *err)
{
	return rows->n > most ? fit_thinned(gp, rows, most, options, ret, err)
			      : gp_fit(gp, rows, options, ret, err);
}

/* Evaluations of a search, limited if a later search will continue from its end: the optimum moves
 * little from trial to trial. */
static size_t evaluations(bool quick, bool goes_on, size_t n)
{
	enum { QUICK = 8, WIDE = 15, THOROUGH_ROWS = 30 };

	if (!goes_on || n <= THOROUGH_ROWS)
		return 0;
	return quick ? QUICK : WIDE;
}

/* ---- more trials than the model can hold ---- */

enum { APPROXIMATE_EVALUATIONS = 15 };

/* All rows, or MODEL_APPROXIMATE_ROWS of them, evenly spaced. */
static bool view_all(const struct model_data *data, size_t d, struct random *random,
	struct thinned *ret, struct tuner_error *err)
{
	const struct gp_data all = model_data_view_all(data);

	*ret = (struct thinned){ .data = all };
	return all.n <= MODEL_APPROXIMATE_ROWS ||
	       thin_out(&all, d, MODEL_APPROXIMATE_ROWS, random, ret, err);
}

/* Searches from options->start only. */
static bool fit_all(struct gp *gp, const struct model_data *data, const struct gp_data *rows,
	const struct gp_fit_options *options, struct gp_fit_report *ret, struct tuner_error *err)
{
	struct gp_fit_options approximate = *options;
	struct thinned all = { 0 };
	bool ok = view_all(data, gp_d(gp), options->random, &all, err);
	const size_t unit = all.data.n / MODEL_ROWS_A_UNIT;
	const uint64_t allowed = options->work_limit / unit;

	approximate.work_limit = APPROXIMATE_EVALUATIONS;
	if (options->work_limit > 0 && allowed < APPROXIMATE_EVALUATIONS)
		approximate.work_limit = allowed;
	approximate.quick = true;
	approximate.evaluations = 0;
	approximate.neighbours = VECCHIA_NEIGHBOURS;
	approximate.model = rows;
	ok = ok && gp_fit(gp, &all.data, &approximate, ret, err);
	if (ok)
		ret->work = ret->approximations * unit;
	thinned_finish(&all);
	return ok;
}

static bool allows_approximation(const struct model_data *data, uint64_t work_limit)
{
	return work_limit == 0 || work_limit >= 2 * (data->all.n / MODEL_ROWS_A_UNIT);
}

/* The thinned rows find the region, all rows the values. */
static bool fit_large(struct gp *gp, const struct model_data *data, const struct gp_data *rows,
	const struct gp_fit_options *options, struct gp_fit_report *ret, struct tuner_error *err)
{
	struct gp_fit_options from = *options;
	double theta[SUGGEST_HYPERPARAMETERS_MAX];
	uint64_t work = 0;

	if (!options->quick || options->start == NULL) {
		if (!model_fit_rows(gp, rows, MODEL_FIT_ROWS, options, ret, err))
			return false;
		memcpy(theta, gp_hyperparameters(gp), gp_n_hyperparameters(gp) * sizeof *theta);
		from.start = theta;
		work = ret->work;
	}
	if (!fit_all(gp, data, rows, &from, ret, err))
		return false;
	ret->work += work;
	return true;
}

bool model_fit(struct gp *gp, const struct model_data *data, const struct suggest_request *request,
	const double *start, bool quick, uint64_t work_limit, struct gp_fit_report *ret,
	struct tuner_error *err)
{
	const struct random_key key = { .seed = request->seed,
		.repeat = request->repeat,
		.number = request->number,
		.purpose = RANDOM_HYPERPARAMETERS };
	const struct gp_data rows = model_data_view(data);
	struct random random;

	random_init(&random, key);

	const struct gp_fit_options options = { .start = start,
		.random = &random,
		.work_limit = work_limit,
		.quick = quick,
		.evaluations = evaluations(quick, start != NULL, rows.n),
		.deterministic = request->strategy->deterministic,
		.warp = request->strategy->warp == STRATEGY_WARP_AXES ? GP_WARP_AXES
								      : GP_WARP_FREE };

	if (data->all.n > MODEL_ROWS_MAX && allows_approximation(data, work_limit))
		return fit_large(gp, data, &rows, &options, ret, err);
	return model_fit_rows(gp, &rows, MODEL_FIT_ROWS, &options, ret, err);
}

enum {
	BURN_IN = 30, /* the most likely hyperparameters are a good start */
	THINNING = 3, /* with less, states are so similar that suggestions are worse */
	/* With more rows than this, states are similar and cost most: there are half as many, one
	 * step apart. */
	ROWS_FEW = 100,
};

bool model_fit_sample(const struct gp *gp, const struct model_data *data,
	const struct suggest_request *request, const double *start, bool is_new,
	uint64_t work_limit, double *ret_thetas, size_t *ret_n, uint64_t *ret_work,
	struct tuner_error *err)
{
	const struct gp_data rows = model_data_view(data);
	/* A stream other than that of the fit's starts. */
	const struct random_key key = { .seed = ~request->seed,
		.repeat = request->repeat,
		.number = request->number,
		.purpose = RANDOM_HYPERPARAMETERS };
	const bool is_few = rows.n <= ROWS_FEW;
	const struct marginal_options options = { .start = start,
		.burn_in = is_new ? BURN_IN : 0,
		.states = is_few ? ENSEMBLE_MAX : ENSEMBLE_MAX / 2,
		.thinning = is_few ? THINNING : 1,
		.work_limit = work_limit,
		.deterministic = request->strategy->deterministic,
		.holds_warps = request->strategy->warp == STRATEGY_WARP_AXES };
	struct thinned some = { .data = rows };
	struct random random;

	random_init(&random, key);

	const bool ok = (rows.n <= MODEL_FIT_ROWS ||
				thin_out(&rows, gp_d(gp), MODEL_FIT_ROWS, NULL, &some, err)) &&
			marginal_sample(gp, &some.data, &options, &random, ret_thetas, ret_n,
				ret_work, err);

	thinned_finish(&some);
	return ok;
}
