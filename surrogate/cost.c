#include "surrogate/cost.h"

#include "surrogate/factor.h"
#include "surrogate/gp_fit.h"

#include <gsl/gsl_pow_int.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Logarithms of durations that differ by less count as equal: a millionth of the time. */
static const double SAME = 1e-6;

struct cost {
	struct gp *gp; /* of ln(duration), standardised */
	double mean, sd; /* ln(duration) = mean + sd outcome */
	double weight;
	uint64_t work;
	double *alpha; /* gp_stride: K^-1 (y - c 1) */
	double *k, *g; /* scratch: gp_stride each */
};

/* ---- the durations ---- */

struct durations {
	size_t n;
	double *X, *logs;
};

static bool has_duration(const struct observation *observation)
{
	const bool is_complete = observation->kind == OBSERVATION_DONE ||
				 observation->kind == OBSERVATION_OVER_LIMIT;

	return is_complete && isfinite(observation->duration) && observation->duration > 0;
}

static bool collect(const struct columns *columns, const struct suggest_request *request,
	struct durations *ret, struct tuner_error *err)
{
	const size_t n = request->n_observations, d = columns->d;

	ret->X = calloc(n * d + 1, sizeof *ret->X);
	ret->logs = calloc(n + 1, sizeof *ret->logs);
	if (ret->X == NULL || ret->logs == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		const struct observation *observation = &request->observations[i];

		if (has_duration(observation) &&
			columns_encode(columns, observation->values, &ret->X[ret->n * d]))
			ret->logs[ret->n++] = log(observation->duration);
	}
	return true;
}

static void thin_out(struct durations *durations, size_t d)
{
	const size_t n = durations->n;

	if (n <= COST_TRIALS_MAX)
		return;
	durations->n = COST_TRIALS_MAX;
	for (size_t i = 0; i < COST_TRIALS_MAX; i++) {
		const size_t row = i * n / COST_TRIALS_MAX;

		memmove(&durations->X[i * d], &durations->X[row * d], d * sizeof *durations->X);
		durations->logs[i] = durations->logs[row];
	}
}

/* False if all are the same. */
static bool standardise(struct cost *cost, struct durations *durations)
{
	const double n = (double)durations->n;
	double sum = 0, squares = 0;

	for (size_t i = 0; i < durations->n; i++)
		sum += durations->logs[i];
	cost->mean = sum / n;
	for (size_t i = 0; i < durations->n; i++)
		squares += gsl_pow_2(durations->logs[i] - cost->mean);
	cost->sd = sqrt(squares / n);
	if (!(cost->sd > SAME))
		return false;
	for (size_t i = 0; i < durations->n; i++)
		durations->logs[i] = (durations->logs[i] - cost->mean) / cost->sd;
	return true;
}

/* ---- the model ---- */

static bool prepare_means(struct cost *cost, struct tuner_error *err)
{
	const size_t stride = gp_stride(cost->gp);

	cost->alpha = factor_allocate(1, stride);
	cost->k = factor_allocate(1, stride);
	cost->g = factor_allocate(1, stride);
	if (cost->alpha == NULL || cost->k == NULL || cost->g == NULL)
		return tuner_fail_memory(err);
	memcpy(cost->alpha, gp_whitened_outcomes(cost->gp), gp_n(cost->gp) * sizeof *cost->alpha);
	gp_unwhiten(cost->gp, cost->alpha, 1);
	return true;
}

static bool fit(struct cost *cost, const struct columns *columns, const struct durations *durations,
	uint64_t work_limit, struct tuner_error *err)
{
	const struct gp_data data = { durations->n, durations->X, durations->logs, NULL };
	const struct gp_fit_options options = { .work_limit = work_limit };
	struct gp_fit_report report;

	if (!gp_create(columns->d, columns->kinds, false, &cost->gp, err) ||
		!gp_fit(cost->gp, &data, &options, &report, err))
		return false;
	cost->work = report.work;
	return prepare_means(cost, err);
}

bool cost_create(const struct columns *columns, const struct suggest_request *request,
	uint64_t work_limit, struct cost **ret, struct tuner_error *err)
{
	struct cost *cost = calloc(1, sizeof *cost);
	struct durations durations = { 0 };
	bool ok =
		cost != NULL ? collect(columns, request, &durations, err) : tuner_fail_memory(err);
	bool telling = false;

	if (ok) {
		cost->weight = cost_weight(request);
		thin_out(&durations, columns->d);
		telling = durations.n >= COST_TRIALS_MIN && standardise(cost, &durations);
		ok = !telling || fit(cost, columns, &durations, work_limit, err);
	}
	free(durations.X);
	free(durations.logs);
	if (ok && telling) {
		*ret = cost;
		return true;
	}
	cost_destroy(cost);
	*ret = NULL;
	return ok;
}

void cost_destroy(struct cost *cost)
{
	if (cost == NULL)
		return;
	gp_destroy(cost->gp);
	free(cost->alpha);
	free(cost->k);
	free(cost->g);
	free(cost);
}

double cost_weight(const struct suggest_request *request)
{
	const double used = request->number > 0 ? request->number - 1 : 0;

	return request->budget_trials > 0 ? fmax(0, 1 - used / (double)request->budget_trials) : 0;
}

uint64_t cost_work(const struct cost *cost)
{
	return cost->work;
}

/* Leaves the kernel's slopes at the point in ret_g. */
static double log_duration(struct cost *cost, const double *x, double *ret_g)
{
	gp_cross(cost->gp, x, 1, cost->k, ret_g);
	return cost->mean + cost->sd * (gp_constant(cost->gp) +
					       kernel_dot(cost->k, cost->alpha, gp_n(cost->gp)));
}

double cost_log_duration(struct cost *cost, const double *x)
{
	return log_duration(cost, x, NULL);
}

/* ---- the term ---- */

/* d mean = sum_i alpha_i dk_i. */
static void add_gradient(struct cost *cost, const double *x, double *gradient)
{
	const size_t d = gp_d(cost->gp);
	double slopes[COLUMNS_MAX];

	for (size_t i = 0; i < gp_n(cost->gp); i++)
		cost->g[i] *= cost->alpha[i];
	gp_pull(cost->gp, x, cost->g, slopes);
	for (size_t k = 0; k < d; k++)
		gradient[k] -= cost->weight * cost->sd * slopes[k];
}

static bool add(void *context, const double *X, size_t m, double *values, double *gradients,
	struct tuner_error *err)
{
	struct cost *cost = context;
	const size_t d = gp_d(cost->gp);

	(void)err;
	for (size_t i = 0; i < m; i++) {
		values[i] -= cost->weight *
			     log_duration(cost, &X[i * d], gradients != NULL ? cost->g : NULL);
		if (gradients != NULL)
			add_gradient(cost, &X[i * d], &gradients[i * d]);
	}
	return true;
}

/* The mean takes O(n) anyway, so the estimate is exact. */
static bool add_glance(
	void *context, const double *X, size_t m, double *values, struct tuner_error *err)
{
	return add(context, X, m, values, NULL, err);
}

struct acquisition_term cost_term(struct cost *cost)
{
	return (struct acquisition_term){ cost, add, add_glance };
}
