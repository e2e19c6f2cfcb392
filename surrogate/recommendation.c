#include "surrogate/recommendation.h"

#include "surrogate/trial_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A trial that may be recommended. */
struct eligible {
	size_t observation;
	double objective;
};

static int by_objective(const void *a, const void *b)
{
	const struct eligible *x = a, *y = b;

	return x->objective != y->objective
		       ? (x->objective > y->objective) - (x->objective < y->objective)
		       : (x->observation > y->observation) - (x->observation < y->observation);
}

static bool is_measured(const struct suggest_request *request, const struct observation *o)
{
	return isfinite(o->objective) && space_contains(request->space, o->values);
}

/* Trials over a limit, which teach the model all the same. */
static size_t count_over(const struct suggest_request *request)
{
	size_t n = 0;

	for (size_t i = 0; i < request->n_observations; i++)
		n += request->observations[i].kind == OBSERVATION_OVER_LIMIT &&
		     is_measured(request, &request->observations[i]);
	return n;
}

/* The trials that are done with a number, keep the limits and have coordinates in the model, best
 * first; writes d coordinates each to ret_x. */
static size_t choose(const struct trial_model *model, const struct suggest_request *request,
	struct eligible *eligible, double *ret_x)
{
	const size_t d = model->columns.d;
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < request->n_observations; i++) {
		const struct observation *o = &request->observations[i];

		if (o->kind == OBSERVATION_DONE && is_measured(request, o))
			eligible[n++] = (struct eligible){ i, o->objective };
	}
	qsort(eligible, n, sizeof *eligible, by_objective);
	for (size_t i = 0; i < n && kept < RECOMMENDATION_LOOKED_AT; i++) {
		const size_t observation = eligible[i].observation;

		eligible[kept] = eligible[i];
		kept += columns_encode(&model->columns, request->observations[observation].values,
			&ret_x[kept * d]);
	}
	return kept;
}

/* The trial of least mean, the first of equal ones in the order of trials. */
static size_t least_mean(const struct eligible *eligible, const double *mean, size_t n)
{
	size_t best = 0;

	for (size_t i = 1; i < n; i++)
		if (mean[i] < mean[best] ||
			(mean[i] == mean[best] &&
				eligible[i].observation < eligible[best].observation))
			best = i;
	return best;
}

/* In the user's unit: the model's, scaled by the transform's slope at the prediction. */
static double noise_sd(const struct trial_model *model, double mean, double sd)
{
	const double noise = sqrt(gp_noise_variance(model->gp));

	return noise * transform_slope(model->data.transform, mean, sd);
}

static bool predict(struct trial_model *model, const struct suggest_request *request,
	const struct eligible *eligible, const double *x, size_t n, struct recommendation *ret,
	struct tuner_error *err)
{
	double *mean = calloc(n + 1, sizeof *mean), *sd = calloc(n + 1, sizeof *sd);
	const bool ok = ((mean != NULL && sd != NULL) || tuner_fail_memory(err)) &&
			trial_model_fit(model, request, err) &&
			gp_predict(model->gp, x, n, mean, sd, err);

	if (ok) {
		const size_t best = least_mean(eligible, mean, n);

		ret->observation = eligible[best].observation;
		ret->objective = eligible[best].objective;
		ret->noise_sd = noise_sd(model, mean[best], sd[best]);
		transform_prediction(
			model->data.transform, mean[best], sd[best], &ret->mean, &ret->sd);
	}
	free(mean);
	free(sd);
	return ok;
}

/* n trials may be recommended. */
static bool check_number(const struct suggest_request *request, size_t n, struct tuner_error *err)
{
	const size_t known = n + count_over(request);

	if (known < RECOMMENDATION_TRIALS_MIN)
		return tuner_fail(err, TUNER_USAGE,
			"%zu trial%s done with a result and all parameters, too few for a model: "
			"at "
			"least %d are needed",
			known, known == 1 ? " is" : "s are", RECOMMENDATION_TRIALS_MIN);
	return n > 0 || tuner_fail(err, TUNER_USAGE, "no trial has kept the limits");
}

static bool look(struct trial_model *model, const struct suggest_request *request,
	struct recommendation *ret, struct tuner_error *err)
{
	struct eligible *eligible = calloc(request->n_observations + 1, sizeof *eligible);
	double *x =
		calloc(RECOMMENDATION_LOOKED_AT * model->columns.d + model->columns.d, sizeof *x);
	bool ok = (eligible != NULL && x != NULL) || tuner_fail_memory(err);
	const size_t n = ok ? choose(model, request, eligible, x) : 0;

	ok = ok && check_number(request, n, err) &&
	     predict(model, request, eligible, x, n, ret, err);
	free(eligible);
	free(x);
	return ok;
}

static bool fit_and_look(const struct suggest_request *request, struct recommendation *ret,
	double *ret_theta, size_t *ret_n, struct tuner_error *err)
{
	struct trial_model model;
	bool ok = trial_model_init(
		&model, request, request->strategy->warp != STRATEGY_WARP_NONE, err);

	if (ok && model.columns.d == 0)
		ok = tuner_fail(err, TUNER_USAGE,
			"the space has one configuration: there is nothing to choose");
	ok = ok && look(&model, request, ret, err);
	if (ok) {
		*ret_n = gp_n_hyperparameters(model.gp);
		memcpy(ret_theta, gp_hyperparameters(model.gp), *ret_n * sizeof *ret_theta);
	}
	trial_model_finish(&model);
	return ok;
}

/* The transform depends on the noise found by the last fit (model_data.h); without one, a first fit
 * finds it. */
bool recommend(
	const struct suggest_request *request, struct recommendation *ret, struct tuner_error *err)
{
	struct suggest_request again = *request;
	double theta[SUGGEST_HYPERPARAMETERS_MAX];
	size_t n = 0;

	*ret = (struct recommendation){ 0 };
	if (!fit_and_look(request, ret, theta, &n, err))
		return false;
	if (request->start != NULL)
		return true;
	again.start = theta;
	again.n_start = n;
	return fit_and_look(&again, ret, theta, &n, err);
}
