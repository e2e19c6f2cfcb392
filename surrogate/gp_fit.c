#include "surrogate/gp_fit.h"

#include "surrogate/factor.h"
#include "surrogate/hyperprior.h"
#include "surrogate/lbfgs.h"
#include "surrogate/likelihood.h"
#include "surrogate/vecchia.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LENGTH_MIN = 0.025, LENGTH_MAX = 1000;
static const double NOISE_MIN = 1e-6, NOISE_MAX = 10;
static const double LOG_WARP_MAX = 1.3862943611198906; /* a and b in [1/4, 4] */

/* Shapes of an axis, ln a and ln b: the identity, spread out near 0 (as by a logarithm), spread out
 * near 1. */
static const double axis_shapes[][2] = { { 0, 0 }, { -1.2, 0 }, { 0, -1.2 } };
static const double AXIS_GAIN = 1; /* gain of the log posterior, in nats, for which another shape is
				      taken */
enum { AXES_TRIED = 2 };

/* With noisy outcomes the posterior has two modes, and a search from the prior's mode, where there
 * is hardly any noise, ends in the mode where lengthscales are short and noise is taken for the
 * function. */
static const double NOISY_START = 0.05;

/* Gradient tolerance, in nats per unit of ln theta: with the thousands of rows of an approximate
 * likelihood it is too small to matter. */
static const double ROUGHLY = 0.1;

/* First step of its search, which begins near an optimum. */
static const double NEAR = 0.2;

/* ---- the prior, inside the bounds ---- */

static double bounded(double logarithm, double least, double most)
{
	return fmin(fmax(logarithm, log(least)), log(most));
}

static void no_warp(const struct gp *gp, double *ret_theta)
{
	for (size_t i = gp_d(gp) + 1; i < gp_n_hyperparameters(gp); i++)
		ret_theta[i] = 0;
}

/* The prior's mode of ln l. */
static double length_mode(const struct gp *gp)
{
	return bounded(hyperprior_log_length_mean(gp_d(gp)), LENGTH_MIN, LENGTH_MAX);
}

void gp_bounds(const struct gp *gp, bool deterministic, double *ret_lower, double *ret_upper)
{
	for (size_t k = 0; k < gp_d(gp); k++) {
		ret_lower[k] = log(LENGTH_MIN);
		ret_upper[k] = log(LENGTH_MAX);
		if (gp_kinds(gp)[k] == DIMENSION_COMPANION)
			ret_lower[k] = ret_upper[k] = length_mode(gp);
	}
	ret_lower[gp_d(gp)] = log(NOISE_MIN);
	ret_upper[gp_d(gp)] = deterministic ? log(NOISE_MIN) : log(NOISE_MAX);
	for (size_t i = gp_d(gp) + 1; i < gp_n_hyperparameters(gp); i++) {
		const bool bends = gp_kinds(gp)[(i - gp_d(gp) - 1) / 2] == DIMENSION_NUMERIC;

		ret_lower[i] = bends ? -LOG_WARP_MAX : 0;
		ret_upper[i] = bends ? LOG_WARP_MAX : 0;
	}
}

void gp_prior_mode(const struct gp *gp, double *ret_theta)
{
	for (size_t k = 0; k < gp_d(gp); k++)
		ret_theta[k] = length_mode(gp);
	ret_theta[gp_d(gp)] = HYPERPRIOR_LOG_NOISE_MEAN;
	no_warp(gp, ret_theta);
}

void gp_prior_draw(const struct gp *gp, struct random *random, double *ret_theta)
{
	const double mean = hyperprior_log_length_mean(gp_d(gp));

	for (size_t k = 0; k < gp_d(gp); k++)
		ret_theta[k] = bounded(
			mean + hyperprior_log_length_sd(gp_kinds(gp)[k]) * random_normal(random),
			LENGTH_MIN, LENGTH_MAX);
	ret_theta[gp_d(gp)] =
		bounded(HYPERPRIOR_LOG_NOISE_MEAN + HYPERPRIOR_LOG_NOISE_SD * random_normal(random),
			NOISE_MIN, NOISE_MAX);
	no_warp(gp, ret_theta);
}

/* ---- the fit ---- */

/* A fit in progress: the searches from all starts share the work limit and the best result. */
struct fit {
	const struct gp *gp;
	struct likelihood *likelihood;
	struct vecchia *vecchia; /* either this or likelihood; the other is NULL */
	uint64_t work_limit; /* 0: none */
	size_t evaluations; /* of one search; 0: no limit */
	double *lower, *upper; /* gp_n_hyperparameters; the next three likewise */
	double *start, *best;
	double *gradient;
	double best_value; /* minus the log posterior */
	struct gp_fit_report report;
};

/* Minus the log posterior; infinite where the matrix cannot be factored. */
static double fit_objective(struct fit *fit, const double *theta)
{
	const size_t n = gp_n_hyperparameters(fit->gp);
	double value;

	fit->report.work++;
	if (fit->vecchia ? !vecchia_evaluate(fit->vecchia, theta, &value, fit->gradient)
			 : !likelihood_evaluate(fit->likelihood, theta, &value, fit->gradient))
		return INFINITY;
	value += hyperprior_log_density(
		gp_d(fit->gp), gp_kinds(fit->gp), gp_is_warped(fit->gp), theta, fit->gradient);
	for (size_t k = 0; k < n; k++)
		fit->gradient[k] = -fit->gradient[k];
	return -value;
}

static bool out_of_work(const struct fit *fit)
{
	return fit->work_limit && fit->report.work >= fit->work_limit;
}

/* One search from fit->start. No search begins when the work limit is reached. */
static bool search(struct fit *fit, struct tuner_error *err)
{
	const size_t n = gp_n_hyperparameters(fit->gp);
	const struct lbfgs_options options = { .iterations = 50,
		.evaluations = fit->evaluations,
		.gradient = fit->vecchia ? ROUGHLY : 1e-3,
		.first_step = fit->vecchia ? NEAR : 1 };
	struct lbfgs *lbfgs = NULL;
	double value;

	if (out_of_work(fit))
		return true;
	if (!lbfgs_create(n, fit->start, fit->lower, fit->upper, &options, &lbfgs, err))
		return false;
	fit->report.starts++;
	while (lbfgs_state(lbfgs) == LBFGS_EVALUATE && !out_of_work(fit)) {
		const double f = fit_objective(fit, lbfgs_point(lbfgs));

		lbfgs_tell(lbfgs, f, fit->gradient);
	}
	const double *theta = lbfgs_best(lbfgs, &value);

	if (value < fit->best_value) {
		fit->best_value = value;
		memcpy(fit->best, theta, n * sizeof(*theta));
		fit->report.converged = lbfgs_state(lbfgs) == LBFGS_CONVERGED;
	}
	lbfgs_destroy(lbfgs);
	return true;
}

static bool all_finite(const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(x[i]))
			return false;
	return true;
}

/* Fixes the warps of all further searches at those in theta. */
static void fix_warps(struct fit *fit, const double *theta)
{
	for (size_t i = gp_d(fit->gp) + 1; i < gp_n_hyperparameters(fit->gp); i++)
		fit->lower[i] = fit->upper[i] = fit->start[i] = theta[i];
}

/* Another search, with axis k in this shape; its result counts if it gains AXIS_GAIN. */
static bool try_shape(struct fit *fit, size_t k, const double *shape, struct tuner_error *err)
{
	const double before = fit->best_value;
	const size_t at = gp_d(fit->gp) + 1 + 2 * k;

	memcpy(fit->start, fit->best, gp_n_hyperparameters(fit->gp) * sizeof(*fit->start));
	if (fit->start[at] == shape[0] && fit->start[at + 1] == shape[1])
		return true;
	fit->start[at] = shape[0];
	fit->start[at + 1] = shape[1];
	fix_warps(fit, fit->start);
	fit->best_value = before - AXIS_GAIN;
	if (!search(fit, err))
		return false;
	if (fit->best_value == before - AXIS_GAIN)
		fit->best_value = before;
	return true;
}

/* Every fit tries a few axes, and the next fit starts from its result: during a job all axes have
 * their turn, at a bounded cost per fit. */
static bool try_axes(struct fit *fit, struct random *random, struct tuner_error *err)
{
	for (size_t i = 0; i < AXES_TRIED; i++) {
		const size_t k = random_below(random, gp_d(fit->gp));

		if (gp_kinds(fit->gp)[k] != DIMENSION_NUMERIC)
			continue;
		for (size_t j = 0; j < sizeof(axis_shapes) / sizeof(*axis_shapes); j++)
			if (!try_shape(fit, k, axis_shapes[j], err))
				return false;
	}
	return true;
}

static bool has_start(const struct fit *fit, const struct gp_fit_options *options)
{
	return options->start && all_finite(options->start, gp_n_hyperparameters(fit->gp));
}

/* Keeps the shapes of the axes from the last fit, if any. */
static void keep_warps(struct fit *fit, const struct gp_fit_options *options)
{
	const size_t from = gp_d(fit->gp) + 1, n = gp_n_hyperparameters(fit->gp) - from;

	if (options->warp == GP_WARP_AXES && has_start(fit, options))
		memcpy(fit->start + from, options->start + from, n * sizeof(*fit->start));
}

/* The prior's mode. */
static void set_start(struct fit *fit, const struct gp_fit_options *options)
{
	gp_prior_mode(fit->gp, fit->start);
	keep_warps(fit, options);
}

static bool search_all(
	struct fit *fit, size_t n, const struct gp_fit_options *options, struct tuner_error *err)
{
	const size_t d = gp_d(fit->gp);

	if (has_start(fit, options)) {
		memcpy(fit->start, options->start,
			gp_n_hyperparameters(fit->gp) * sizeof(*fit->start));
		if (options->warp == GP_WARP_AXES)
			fix_warps(fit, options->start);
		if (!search(fit, err))
			return false;
		if (options->quick)
			return options->warp != GP_WARP_AXES || !options->random ||
			       try_axes(fit, options->random, err);
	}
	set_start(fit, options);
	if (options->warp == GP_WARP_AXES)
		fix_warps(fit, fit->start);
	if (!search(fit, err))
		return false;
	set_start(fit, options);
	fit->start[d] = log(NOISY_START);
	if (!search(fit, err))
		return false;
	for (int draw = 0; draw < 2 && options->random && n < 5 * d; draw++) {
		gp_prior_draw(fit->gp, options->random, fit->start);
		keep_warps(fit, options);
		if (!search(fit, err))
			return false;
	}
	return options->warp != GP_WARP_AXES || !options->random ||
	       try_axes(fit, options->random, err);
}

/* Creates the likelihood to be maximised. Vecchia's neighbours are those at the start. */
static bool create_likelihood(struct fit *fit, const struct gp_data *data,
	const struct gp_fit_options *options, struct tuner_error *err)
{
	const struct gp *gp = fit->gp;

	if (options->neighbours == 0)
		return likelihood_create(
			gp_d(gp), gp_kinds(gp), gp_is_warped(gp), data, &fit->likelihood, err);
	if (!has_start(fit, options))
		set_start(fit, options);
	return vecchia_create(gp_d(gp), gp_kinds(gp), gp_is_warped(gp), data, options->neighbours,
		has_start(fit, options) ? options->start : fit->start, options->random,
		&fit->vecchia, err);
}

bool gp_fit(struct gp *gp, const struct gp_data *data, const struct gp_fit_options *options,
	struct gp_fit_report *ret, struct tuner_error *err)
{
	const size_t p = gp_n_hyperparameters(gp);
	double *memory = factor_allocate(5, p), *left_memory = NULL;
	struct gp_data left;
	struct fit fit = { .gp = gp,
		.work_limit = options->work_limit,
		.evaluations = options->evaluations,
		.best_value = INFINITY };
	bool ok = false;

	tuner_assert(data->n >= 1);
	if (!memory) {
		tuner_fail_memory(err);
		goto out;
	}
	fit.lower = memory;
	fit.upper = memory + p;
	fit.start = memory + 2 * p;
	fit.best = memory + 3 * p;
	fit.gradient = memory + 4 * p;
	gp_bounds(gp, options->deterministic, fit.lower, fit.upper);
	if (!gp_without_trend(gp, data, &left, &left_memory, err) ||
		!create_likelihood(&fit, &left, options, err) ||
		!search_all(&fit, data->n, options, err))
		goto out;
	if (fit.best_value == INFINITY) {
		tuner_fail(err, TUNER_NUMERIC,
			"the kernel matrix of %zu trials is singular at every start", data->n);
		goto out;
	}
	if (!gp_condition(gp, options->model ? options->model : data, fit.best, err))
		goto out;
	fit.report.log_posterior = -fit.best_value;
	fit.report.approximations = fit.vecchia ? fit.report.work : 0;
	*ret = fit.report;
	ok = true;
out:
	likelihood_destroy(fit.likelihood);
	vecchia_destroy(fit.vecchia);
	free(left_memory);
	free(memory);
	return ok;
}
