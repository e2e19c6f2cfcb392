#include "surrogate/importance.h"

#include "surrogate/factor.h"
#include "surrogate/trial_model.h"

#include <gsl/gsl_pow_int.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the model's accuracy ---- */

enum { LEFT_OUT = 64 }; /* rows at once */

/* The mean is y_i - (K^-1 (y - c))_i / (K^-1)_ii. With b = L^-1 (y - c) and the row v = L^-1 e_i,
 * numerator and denominator are v'b and v'v. */
bool leave_one_out(const struct gp *gp, double *ret_means, struct tuner_error *err)
{
	const size_t n = gp_n(gp), stride = gp_stride(gp);
	double *V = factor_allocate(LEFT_OUT, stride);

	tuner_assert(gp_n_outcomes(gp) == n);
	if (V == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i += LEFT_OUT) {
		const size_t rows = n - i < LEFT_OUT ? n - i : LEFT_OUT;

		memset(V, 0, rows * stride * sizeof *V);
		for (size_t r = 0; r < rows; r++)
			V[r * stride + i + r] = 1;
		gp_whiten(gp, V, rows);
		for (size_t r = 0; r < rows; r++) {
			const double *v = V + r * stride;

			ret_means[i + r] =
				gp_outcomes(gp)[i + r] -
				kernel_dot(v, gp_whitened_outcomes(gp), n) / kernel_dot(v, v, n);
		}
	}
	free(V);
	return true;
}

static double mean_of_valued(const struct model_data *data)
{
	double sum = 0, n = 0;

	for (size_t i = 0; i < data->n; i++)
		if (data->valued[i]) {
			sum += data->y[i];
			n++;
		}
	return sum / n;
}

static bool explain(const struct trial_model *model, double *ret_explained, struct tuner_error *err)
{
	const struct model_data *data = &model->data;
	const double mean = mean_of_valued(data);
	double *foretold = calloc(data->n, sizeof *foretold), errors = 0, squares = 0;

	if (foretold == NULL)
		return tuner_fail_memory(err);
	const bool ok = leave_one_out(model->gp, foretold, err);

	for (size_t i = 0; ok && i < data->n; i++)
		if (data->valued[i]) {
			errors += gsl_pow_2(data->y[i] - foretold[i]);
			squares += gsl_pow_2(data->y[i] - mean);
		}
	free(foretold);
	*ret_explained = 1 - errors / squares;
	return ok;
}

/* ---- the model ---- */

static bool check(const struct trial_model *model, struct tuner_error *err)
{
	const struct model_data *data = &model->data;
	const size_t n = transform_n_finite(data->transform);
	double low = INFINITY, high = -INFINITY;
	size_t rows = 0; /* repeats of one configuration are one row */

	if (n < IMPORTANCE_TRIALS_MIN)
		return tuner_fail(err, TUNER_USAGE,
			"%zu trial%s an objective and all parameters, too few to tell what "
			"matters: at "
			"least %d are needed, and 5 for each parameter advised",
			n, n == 1 ? " has" : "s have", IMPORTANCE_TRIALS_MIN);
	for (size_t i = 0; i < data->n; i++)
		if (data->valued[i]) {
			low = fmin(low, data->y[i]);
			high = fmax(high, data->y[i]);
			rows++;
		}
	if (rows == 1)
		return tuner_fail(err, TUNER_USAGE,
			"all %zu trials have one configuration: nothing tells what their objective "
			"depends on",
			n);
	return low < high || tuner_fail(err, TUNER_USAGE,
				     "all %zu trials have the same objective: nothing tells what "
				     "it depends on",
				     n);
}

/* ---- the answer ---- */

static void by_parameter(const struct trial_model *model, const struct sensitivity *sensitivity,
	struct importance *ret)
{
	const double noise = gp_noise_variance(model->gp);

	for (size_t k = 0; k < model->columns.d; k++) {
		const size_t i = model->columns.parameter[k];

		if (model->columns.kinds[k] == DIMENSION_COMPANION)
			continue;
		ret->n_varied++;
		ret->first[i] = sensitivity->first[k];
		ret->total[i] = sensitivity->total[k];
		ret->alone += sensitivity->first[k].value;
	}
	for (size_t i = 0; i < model->data.n; i++)
		ret->n += (size_t)model->data.counts[i];
	ret->noise = noise / (noise + sensitivity->variance);
}

bool importance_of(
	const struct suggest_request *request, struct importance *ret, struct tuner_error *err)
{
	const struct random_key key = { .seed = request->seed,
		.repeat = request->repeat,
		.number = request->number,
		.purpose = RANDOM_IMPORTANCE };
	struct trial_model model;
	struct sensitivity sensitivity;
	bool ok = trial_model_init(&model, request, false, err);

	*ret = (struct importance){ 0 };
	if (ok && model.columns.d == 0)
		ok = tuner_fail(err, TUNER_USAGE,
			"the space has one configuration: there is nothing to vary");
	ok = ok && check(&model, err) && trial_model_fit(&model, request, err) &&
	     explain(&model, &ret->explained, err) &&
	     sensitivity_of(model.gp, &model.columns, key, &sensitivity, err);
	if (ok)
		by_parameter(&model, &sensitivity, ret);
	trial_model_finish(&model);
	return ok;
}
