/* For the tests of surrogate/'s strategies: parameters, and jobs that remember what was tried.
 *
 *     struct job job; job_init(&job, STRATEGY_SOBOL, parameters, d)
 *     -> job_ask, job_tell, trial after trial, or job_run -> nothing to free */
#ifndef TESTS_FIXTURE_SUGGEST_H
#define TESTS_FIXTURE_SUGGEST_H

#include "surrogate/suggest.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { JOB_TRIALS_MAX = 1200, JOB_D_MAX = 40, JOB_LIMITS_MAX = 2 };

static inline void assert_near(double value, double wanted, double tolerance)
{
	if (!(fabs(value - wanted) <= tolerance))
		fail_msg("%.17g is not %.17g to %g", value, wanted, tolerance);
}

/* ---- parameters ---- */

static inline struct parameter a_parameter(const char *name, enum parameter_type type)
{
	struct parameter parameter = { .type = type, .scale = SCALE_LINEAR };

	snprintf(parameter.name, sizeof parameter.name, "%s", name);
	return parameter;
}

static inline struct parameter a_float(const char *name, double min, double max)
{
	struct parameter parameter = a_parameter(name, PARAMETER_FLOAT);

	parameter.min = min;
	parameter.max = max;
	return parameter;
}

static inline struct parameter a_stepped_float(
	const char *name, double min, double max, double step)
{
	struct parameter parameter = a_float(name, min, max);

	parameter.step = step;
	return parameter;
}

static inline struct parameter a_log_float(const char *name, double min, double max)
{
	struct parameter parameter = a_float(name, min, max);

	parameter.scale = SCALE_LOG;
	return parameter;
}

static inline struct parameter an_int(const char *name, double min, double max)
{
	struct parameter parameter = a_float(name, min, max);

	parameter.type = PARAMETER_INT;
	return parameter;
}

static inline struct parameter a_category(const char *name, size_t n_values)
{
	struct parameter parameter = a_parameter(name, PARAMETER_CATEGORICAL);

	parameter.n_values = n_values;
	return parameter;
}

static inline struct parameter an_ordinal(const char *name, size_t n_values)
{
	struct parameter parameter = a_parameter(name, PARAMETER_ORDINAL);

	parameter.n_values = n_values;
	return parameter;
}

/* ---- jobs ---- */

struct job {
	struct parameter parameters[JOB_D_MAX];
	struct space space;
	struct strategy strategy;
	struct suggest_request request;
	struct observation observations[JOB_TRIALS_MAX];
	double values[JOB_TRIALS_MAX][JOB_D_MAX]; /* of the observations */
	double excess[JOB_TRIALS_MAX][JOB_LIMITS_MAX];
	double others[JOB_TRIALS_MAX][SUGGEST_OTHERS_MAX];
	const double *pending[JOB_TRIALS_MAX];
	double start[SUGGEST_HYPERPARAMETERS_MAX];
};

static inline void job_init(
	struct job *job, enum strategy_name name, const struct parameter *parameters, size_t d)
{
	assert_in_range(d, 1, JOB_D_MAX);
	memset(job, 0, sizeof *job);
	memcpy(job->parameters, parameters, d * sizeof *parameters);
	job->space = (struct space){ d, job->parameters };
	job->strategy.name = name;
	job->request = (struct suggest_request){
		.space = &job->space,
		.strategy = &job->strategy,
		.seed = 1,
		.number = 1,
		.budget_trials = 40,
		.parallel = 1,
		.observations = job->observations,
		.pending = job->pending,
	};
}

/* Asks for the next configuration without changing the job. */
static inline struct suggestion job_ask(const struct job *job)
{
	struct suggestion suggestion;
	struct tuner_error err;

	if (!suggest(&job->request, &suggestion, &err))
		fail_msg("%s", err.message);
	if (!suggestion.exhausted)
		assert_true(space_contains(&job->space, suggestion.values));
	return suggestion;
}

/* A trial that ended. */
static inline void job_tell(
	struct job *job, const double *values, double objective, enum observation_kind kind)
{
	const size_t i = job->request.n_observations++;

	assert_true(i < JOB_TRIALS_MAX);
	memcpy(job->values[i], values, job->space.d * sizeof *values);
	job->observations[i] = (struct observation){ job->values[i], objective, kind };
	job->request.number++;
}

/* A trial that ended within the request's limits, or over one. NaN: it is not known by how much. */
static inline void job_tell_limited(
	struct job *job, const double *values, double objective, const double *excess)
{
	const size_t i = job->request.n_observations, n = job->request.n_limits;
	bool is_over = false;

	assert_in_range(n, 1, JOB_LIMITS_MAX);
	for (size_t j = 0; j < n; j++)
		is_over = is_over || excess[j] > 0;
	job_tell(job, values, objective, is_over ? OBSERVATION_OVER_LIMIT : OBSERVATION_DONE);
	memcpy(job->excess[i], excess, n * sizeof *excess);
	job->observations[i].excess = job->excess[i];
}

/* What the newest trial has in the request's further objectives. */
static inline void job_tell_others(struct job *job, const double *others)
{
	const size_t i = job->request.n_observations - 1;

	memcpy(job->others[i], others, job->request.n_others * sizeof *others);
	job->observations[i].others = job->others[i];
}

/* What the caller keeps from one suggestion for the next. */
static inline void job_commit(struct job *job, const struct suggestion *suggestion)
{
	job->request.sequence = suggestion->sequence;
	if (suggestion->n_hyperparameters == 0)
		return;
	memcpy(job->start, suggestion->hyperparameters,
		suggestion->n_hyperparameters * sizeof *job->start);
	job->request.start = job->start;
	job->request.n_start = suggestion->n_hyperparameters;
}

typedef double objective_function(const double *values);

/* Up to n trials, one after the other; a NaN objective is a failed one. Returns how many there were
 * before the space was exhausted. */
static inline size_t job_run(struct job *job, objective_function *objective, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct suggestion suggestion = job_ask(job);

		if (suggestion.exhausted)
			return i;
		const double y = objective(suggestion.values);

		job_commit(job, &suggestion);
		job_tell(job, suggestion.values, y,
			isnan(y) ? OBSERVATION_FAILED : OBSERVATION_DONE);
	}
	return n;
}

static inline double job_best(const struct job *job)
{
	double best = INFINITY;

	for (size_t i = 0; i < job->request.n_observations; i++)
		if (job->observations[i].kind == OBSERVATION_DONE)
			best = fmin(best, job->observations[i].objective);
	return best;
}

/* No two of the job's trials are one configuration. */
static inline void assert_no_duplicates(const struct job *job)
{
	for (size_t i = 0; i < job->request.n_observations; i++)
		for (size_t j = 0; j < i; j++)
			if (space_same(&job->space, job->values[i], job->values[j]))
				fail_msg("trial %zu repeats trial %zu", i + 1, j + 1);
}

#endif
