#include "surrogate/model_fit.h"

#include "surrogate/vecchia.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Hyperparameters of another number belong to other dimensions. */
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

/* Rows of their own, evenly spaced among others. */
struct thinned {
	double *X, *y, *scales;
	struct gp_data data;
};

static void thinned_finish(struct thinned *thinned)
{
	free(thinned->X);
	free(thinned->y);
	free(thinned->scales);
}

/* n of them, each from its own part of them all: the first there or, from `random`, any. (What comes in turns, as from
 * two workers, is not to be taken for the whole.) On failure what there is waits for thinned_finish. */
static bool thin_out(const struct gp_data *all, size_t d, size_t n, struct random *random,
	struct thinned *ret, struct tuner_error *err)
{
	*ret = (struct thinned){ .X = calloc(n * d, sizeof *ret->X),
		.y = calloc(n, sizeof *ret->y),
		.scales = calloc(n, sizeof *ret->scales) };
	if (ret->X == NULL || ret->y == NULL || ret->scales == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		const size_t first = i * all->n / n, next = (i + 1) * all->n / n;
		const size_t row = first + (random ? random_below(random, next - first) : 0);

		memcpy(&ret->X[i * d], &all->X[row * d], d * sizeof *ret->X);
		ret->y[i] = all->y[row];
		ret->scales[i] = all->noise_scales[row];
	}
	ret->data = (struct gp_data){ n, ret->X, ret->y, ret->scales };
	return true;
}

static bool fit_thinned(struct gp *gp, const struct gp_data *all,
	const struct gp_fit_options *options, struct gp_fit_report *ret, struct tuner_error *err)
{
	double theta[SUGGEST_HYPERPARAMETERS_MAX];
	struct thinned some;
	bool ok = thin_out(all, gp_d(gp), MODEL_FIT_ROWS, NULL, &some, err) &&
		  gp_fit(gp, &some.data, options, ret, err);

	if (ok) {
		memcpy(theta, gp_hyperparameters(gp), gp_n_hyperparameters(gp) * sizeof *theta);
		ok = gp_condition(gp, all, theta, err);
	}
	thinned_finish(&some);
	return ok;
}

/* ---- more trials than the model can hold ---- */

enum { APPROXIMATE_EVALUATIONS = 15 };

/* All that there are, or as many as are looked at, evenly spaced. */
static bool view_all(const struct model_data *data, size_t d, struct random *random,
	struct thinned *ret, struct tuner_error *err)
{
	const struct gp_data all = { data->n_all, data->X_all, transform_outcomes(data->transform),
		transform_noise_scales(data->transform) };

	*ret = (struct thinned){ .data = all };
	return all.n <= MODEL_APPROXIMATE_ROWS ||
	       thin_out(&all, d, MODEL_APPROXIMATE_ROWS, random, ret, err);
}

/* From options->start alone. */
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
	approximate.neighbours = VECCHIA_NEIGHBOURS;
	approximate.model = rows;
	ok = ok && gp_fit(gp, &all.data, &approximate, ret, err);
	ret->work *= unit;
	thinned_finish(&all);
	return ok;
}

static bool allows_approximation(const struct model_data *data, uint64_t work_limit)
{
	return work_limit == 0 || work_limit >= 2 * (data->n_all / MODEL_ROWS_A_UNIT);
}

/* The thinned rows find the place, all of them the values. */
static bool fit_large(struct gp *gp, const struct model_data *data, const struct gp_data *rows,
	const struct gp_fit_options *options, struct gp_fit_report *ret, struct tuner_error *err)
{
	struct gp_fit_options from = *options;
	double theta[SUGGEST_HYPERPARAMETERS_MAX];
	uint64_t work = 0;

	if (!options->quick || options->start == NULL) {
		if (!fit_thinned(gp, rows, options, ret, err))
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
		.deterministic = request->strategy->deterministic,
		.warp = request->strategy->warp == STRATEGY_WARP_AXES ? GP_WARP_AXES
								      : GP_WARP_FREE };

	if (data->n_all > MODEL_ROWS_MAX && allows_approximation(data, work_limit))
		return fit_large(gp, data, &rows, &options, ret, err);
	return rows.n > MODEL_FIT_ROWS ? fit_thinned(gp, &rows, &options, ret, err)
				       : gp_fit(gp, &rows, &options, ret, err);
}
