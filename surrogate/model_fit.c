#include "surrogate/model_fit.h"

#include "surrogate/marginal.h"

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

/* Every so manyth row; the arrays are the caller's to free. */
static bool thin_out(const struct gp_data *all, size_t d, struct gp_data *ret,
	double *ret_memory[3], struct tuner_error *err)
{
	const size_t n = MODEL_FIT_ROWS;
	double *X = calloc(n * d, sizeof *X), *y = calloc(n, sizeof *y),
	       *scales = calloc(n, sizeof *scales);

	ret_memory[0] = X;
	ret_memory[1] = y;
	ret_memory[2] = scales;
	if (X == NULL || y == NULL || scales == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		const size_t row = i * all->n / n;

		memcpy(&X[i * d], &all->X[row * d], d * sizeof *X);
		y[i] = all->y[row];
		scales[i] = all->noise_scales[row];
	}
	*ret = (struct gp_data){ n, X, y, scales };
	return true;
}

static bool fit_thinned(struct gp *gp, const struct gp_data *all,
	const struct gp_fit_options *options, struct gp_fit_report *ret, struct tuner_error *err)
{
	double *memory[3] = { NULL }, theta[SUGGEST_HYPERPARAMETERS_MAX];
	struct gp_data some;
	bool ok =
		thin_out(all, gp_d(gp), &some, memory, err) && gp_fit(gp, &some, options, ret, err);

	if (ok) {
		memcpy(theta, gp_hyperparameters(gp), gp_n_hyperparameters(gp) * sizeof *theta);
		ok = gp_condition(gp, all, theta, err);
	}
	for (size_t i = 0; i < 3; i++)
		free(memory[i]);
	return ok;
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

	return rows.n > MODEL_FIT_ROWS ? fit_thinned(gp, &rows, &options, ret, err)
				       : gp_fit(gp, &rows, &options, ret, err);
}

enum {
	BURN_IN = 30, /* from the most likely hyperparameters it is not far */
	THINNING = 3, /* fewer, and the states are so alike that suggestions are worse */
	/* With more rows states are nearly alike, and cost most: there are half as many, each a step apart. */
	ROWS_FEW = 100,
};

bool model_fit_sample(const struct gp *gp, const struct model_data *data,
	const struct suggest_request *request, const double *start, bool is_new,
	uint64_t work_limit, double *ret_thetas, size_t *ret_n, uint64_t *ret_work,
	struct tuner_error *err)
{
	struct gp_data rows = model_data_view(data);
	/* Another stream than the one that the fit's starts come from. */
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
	double *memory[3] = { NULL };
	struct random random;

	random_init(&random, key);

	const bool ok =
		(rows.n <= MODEL_FIT_ROWS || thin_out(&rows, gp_d(gp), &rows, memory, err)) &&
		marginal_sample(gp, &rows, &options, &random, ret_thetas, ret_n, ret_work, err);

	for (size_t i = 0; i < 3; i++)
		free(memory[i]);
	return ok;
}
