#include "surrogate/model_fit.h"

#include <math.h>

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

bool model_fit(struct gp *gp, const struct model_data *data, const struct suggest_request *request,
	const double *start, uint64_t work_limit, struct gp_fit_report *ret,
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
		.deterministic = request->strategy->deterministic,
		.warp = request->strategy->warp == STRATEGY_WARP_AXES ? GP_WARP_AXES
								      : GP_WARP_FREE };

	return gp_fit(gp, &rows, &options, ret, err);
}
