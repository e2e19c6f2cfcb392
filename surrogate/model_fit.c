#include "surrogate/model_fit.h"

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

/* `most` of the n entries, evenly spaced; where there is no array, `otherwise`. */
static double *thin_out(const double *all, size_t n, size_t most, double otherwise)
{
	double *some = calloc(most, sizeof *some);

	for (size_t i = 0; some != NULL && i < most; i++)
		some[i] = all != NULL ? all[i * n / most] : otherwise;
	return some;
}

static double *thin_out_points(const double *all, size_t n, size_t most, size_t d)
{
	double *some = calloc(most * d, sizeof *some);

	for (size_t i = 0; some != NULL && i < most; i++)
		memcpy(&some[i * d], &all[i * n / most * d], d * sizeof *some);
	return some;
}

static bool fit_thinned(struct gp *gp, const struct gp_data *all, size_t most,
	const struct gp_fit_options *options, struct gp_fit_report *ret, struct tuner_error *err)
{
	double *X = thin_out_points(all->X, all->n, most, gp_d(gp));
	double *y = thin_out(all->y, all->n, most, 0);
	double *scales = thin_out(all->noise_scales, all->n, most, 1);
	double *counts = thin_out(all->counts, all->n, most, 1);
	double *scatters = thin_out(all->scatters, all->n, most, 0);
	const struct gp_data some = { most, X, y, scales, counts, scatters };
	double theta[SUGGEST_HYPERPARAMETERS_MAX];
	bool ok = (X && y && scales && counts && scatters) || tuner_fail_memory(err);

	ok = ok && gp_fit(gp, &some, options, ret, err);
	if (ok) {
		memcpy(theta, gp_hyperparameters(gp), gp_n_hyperparameters(gp) * sizeof *theta);
		ok = gp_condition(gp, all, theta, err);
	}
	free(X);
	free(y);
	free(scales);
	free(counts);
	free(scatters);
	return ok;
}

bool model_fit_rows(struct gp *gp, const struct gp_data *rows, size_t most,
	const struct gp_fit_options *options, struct gp_fit_report *ret, struct tuner_error *err)
{
	return rows->n > most ? fit_thinned(gp, rows, most, options, ret, err)
			      : gp_fit(gp, rows, options, ret, err);
}

/* A search goes only so far when another will go on from where it ended: the optimum moves little from trial to
 * trial. */
static size_t evaluations(bool quick, bool goes_on, size_t n)
{
	enum { QUICK = 8, WIDE = 15, THOROUGH_ROWS = 30 };

	if (!goes_on || n <= THOROUGH_ROWS)
		return 0;
	return quick ? QUICK : WIDE;
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

	return model_fit_rows(gp, &rows, MODEL_FIT_ROWS, &options, ret, err);
}
