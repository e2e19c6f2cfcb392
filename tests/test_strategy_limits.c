/* surrogate/suggest.h: strategy bayesian where a result must keep limits. */
#include "surrogate/expected_improvement.h"

#include "fixture_suggest.h"

/* f falls towards x = 1 and is least at y = 0.5; at most x = 0.405 is allowed. */
static double objective(const double *values)
{
	return 2 - values[0] + pow(values[1] - 0.5, 2);
}

static double excess_of(const double *values)
{
	return 50 * (values[0] - 0.405);
}

static void tell(struct job *job, double x, double y)
{
	const double values[] = { x, y }, excess = excess_of(values);

	job_tell_limited(job, values, objective(values), &excess);
}

/* A grid of n x 3 trials from x = first on, to the right edge. */
static void init(struct job *job, double first, size_t n)
{
	const struct parameter parameters[] = { a_float("x", 0, 1), a_float("y", 0, 1) };

	job_init(job, STRATEGY_BAYESIAN, parameters, 2);
	job->strategy.initial = 3;
	job->request.n_limits = 1;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < 3; j++)
			tell(job, first + (1 - first) * (double)i / (double)(n - 1),
				0.15 + 0.3 * (double)j);
}

static double best_within(const struct job *job)
{
	double best = INFINITY;

	for (size_t i = 0; i < job->request.n_observations; i++)
		if (job->observations[i].kind == OBSERVATION_DONE)
			best = fmin(best, job->observations[i].objective);
	return best;
}

static void run(struct job *job, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct suggestion suggestion = job_ask(job);

		job_commit(job, &suggestion);
		tell(job, suggestion.values[0], suggestion.values[1]);
	}
}

/* Every way to choose; those that maximise log EI first. */
static const struct strategy ways[] = {
	{ STRATEGY_BAYESIAN },
	{ STRATEGY_BAYESIAN, .incumbent = STRATEGY_INCUMBENT_BEST },
	{ STRATEGY_BAYESIAN, .incumbent = STRATEGY_INCUMBENT_NOISY },
	{ STRATEGY_BAYESIAN, .incumbent = STRATEGY_INCUMBENT_AUGMENTED },
	{ STRATEGY_BAYESIAN, .hyperparameters = STRATEGY_MARGINAL },
	{ STRATEGY_BAYESIAN, .acquisition = STRATEGY_UCB },
	{ STRATEGY_BAYESIAN, .acquisition = STRATEGY_THOMPSON },
	{ STRATEGY_BAYESIAN, .trust_region = STRATEGY_TRUST_REGION_ALWAYS },
};

enum { WAYS = sizeof ways / sizeof *ways };

static void init_way(struct job *job, size_t way, double first, size_t n)
{
	init(job, first, n);
	job->strategy = ways[way];
	job->strategy.initial = 3;
}

/* ---- with trials within ---- */

/* The best of all is 1.01, of those within 1.6 or so. */
static void only_a_trial_within_is_improved_on(void **state)
{
	struct job job;

	for (size_t way = 0; way < WAYS; way++) {
		init_way(&job, way, 0, 6);
		const struct suggestion s = job_ask(&job);

		assert_int_equal(s.branch, BRANCH_MODEL);
		assert_near(s.incumbent, best_within(&job), 0.1);
		assert_true(s.incumbent > 1.4);
		assert_true(isfinite(s.acquisition) && isfinite(s.mean) && s.sd > 0);
	}
}

static void the_choice_keeps_the_limits_and_says_how_surely(void **state)
{
	struct job job;

	for (size_t way = 0; way < WAYS; way++) {
		init_way(&job, way, 0, 6);
		const struct suggestion s = job_ask(&job);

		assert_true(s.limits_probability > 0 && s.limits_probability <= 1);
		assert_true(s.values[0] < 0.5);
	}
	init(&job, 0, 6);
	assert_true(job_ask(&job).limits_probability > 0.3);
	job.request.n_limits = 0; /* as without: to the right edge, the best of all */
	const struct suggestion s = job_ask(&job);

	assert_true(isnan(s.limits_probability) && s.values[0] > 0.9);
}

/* log EI of the prediction, and the logarithm of the probability. */
static void the_acquisition_contains_the_probability(void **state)
{
	const double elsewhere[] = { 0.2, 0.9 }, beyond[] = { 0.42, 0.5 };
	struct suggestion within, over;
	struct job job;

	init(&job, 0, 6);
	job.request.judged = elsewhere;
	within = job_ask(&job);
	job.request.judged = beyond;
	over = job_ask(&job);
	assert_true(within.limits_probability > 0.9 && over.limits_probability < 0.5);
	assert_true(over.gain_mean < within.gain_mean);
	assert_near(over.acquisition,
		log_expected_improvement(over.gain_mean, over.gain_sd, over.incumbent, NULL, NULL) +
			log(over.limits_probability),
		1e-6);
}

/* Trials over the limit teach the objective: it falls to the right. */
static void what_is_over_a_limit_teaches_the_objective(void **state)
{
	const double beyond[] = { 0.93, 0.6 };
	struct job job;

	init(&job, 0, 6);
	job.request.judged = beyond;
	const struct suggestion s = job_ask(&job);

	assert_near(s.mean, objective(beyond), 0.02);
}

static void the_edge_is_reached(void **state)
{
	struct job job;

	for (size_t way = 0; way < WAYS; way++) {
		init_way(&job, way, 0, 3);
		run(&job, 20);
		if (!(best_within(&job) < 1.6 + 0.02))
			fail_msg("way %zu: %g", way, best_within(&job));
	}
}

static void workers_do_not_all_try_the_same(void **state)
{
	double distance = INFINITY;
	struct job job;

	init(&job, 0, 4);
	job.request.parallel = 4;
	for (size_t i = 0; i < 4; i++) {
		const struct suggestion s = job_ask(&job);
		double *values = job.values[100 + i];

		memcpy(values, s.values, 2 * sizeof *values);
		for (size_t j = 0; j < i; j++)
			distance = fmin(distance, hypot(values[0] - job.values[100 + j][0],
							  values[1] - job.values[100 + j][1]));
		job.pending[job.request.n_pending++] = values;
		job.request.number++;
	}
	assert_true(distance > 1e-3);
}

/* However good it may turn out to be. */
static void a_running_trial_that_will_be_over_is_not_improved_on(void **state)
{
	static const double beyond[] = { 0.95, 0.5 }, within[] = { 0.38, 0.5 };
	struct job job;

	for (size_t way = 0; way < WAYS; way++) {
		init_way(&job, way, 0, 4);
		const double before = job_ask(&job).incumbent;

		job.pending[0] = beyond;
		job.request.n_pending = 1;
		assert_near(job_ask(&job).incumbent, before, 0.01);
		job.pending[0] = within;
		if (ways[way].acquisition == STRATEGY_EI &&
			ways[way].incumbent != STRATEGY_INCUMBENT_NOISY)
			assert_true(job_ask(&job).incumbent < before - 0.01);
	}
}

/* ---- before there is one ---- */

static void while_none_is_within_the_least_excess_leads(void **state)
{
	struct job job;

	for (size_t way = 0; way < WAYS; way++) {
		init_way(&job, way, 0.6, 4);
		const struct suggestion s = job_ask(&job);

		assert_int_equal(s.branch, BRANCH_MODEL);
		assert_true(isnan(s.incumbent) && isnan(s.acquisition));
		assert_true(isnan(s.gain_mean) && isnan(s.gain_sd));
		assert_true(isfinite(s.mean) && s.sd > 0);
		assert_true(s.limits_probability >= 0 && s.limits_probability < 1);
		if (ways[way].trust_region != STRATEGY_TRUST_REGION_ALWAYS)
			assert_true(s.values[0] < 0.6);
		if (ways[way].acquisition != STRATEGY_THOMPSON && s.limits_probability > 0)
			assert_near(s.maximised, log(s.limits_probability), 1e-9);
		run(&job, 6);
		assert_true(isfinite(best_within(&job)));
	}
}

static void running_trials_are_taken_to_be_over(void **state)
{
	struct job job;

	init(&job, 0.6, 4);
	const struct suggestion first = job_ask(&job);

	memcpy(job.values[100], first.values, 2 * sizeof(double));
	job.pending[job.request.n_pending++] = job.values[100];
	job.request.number++;
	const struct suggestion second = job_ask(&job);

	assert_true(hypot(first.values[0] - second.values[0], first.values[1] - second.values[1]) >
		    0.05);
	/* What is told of the choice supposes nothing: the first is as likely as before. */
	job.request.judged = first.values;
	assert_near(job_ask(&job).limits_probability, first.limits_probability, 1e-9);
}

static void without_a_known_excess_it_falls_back_and_says_so(void **state)
{
	struct job job;

	init(&job, 0.6, 4);
	for (size_t i = 0; i < job.request.n_observations; i++)
		job.observations[i].excess = NULL;
	const struct suggestion s = job_ask(&job);

	assert_int_equal(s.branch, BRANCH_FALLBACK);
	assert_non_null(strstr(s.reason, "no trial has kept the limits"));
	assert_true(isnan(s.incumbent) && isnan(s.mean) && isnan(s.limits_probability));
}

static void a_stopped_trial_is_no_result_where_limits_are_known(void **state)
{
	struct job job;

	init(&job, 0.6, 4);
	job_tell(&job, (double[]){ 0.3, 0.5 }, 1.7, OBSERVATION_STOPPED);
	assert_true(isnan(job_ask(&job).incumbent));
	tell(&job, 0.2, 0.1);
	assert_near(job_ask(&job).incumbent, 1.96, 0.1);
}

/* Of two trials of one configuration one is enough. */
static void a_configuration_that_has_kept_the_limits_once_may_be_the_best(void **state)
{
	const double values[] = { 0.6, 0.45 }, excess = -0.1;
	struct job job;

	init(&job, 0.6, 4);
	assert_true(isnan(job_ask(&job).incumbent));
	job_tell_limited(&job, values, objective(values), &excess);
	tell(&job, values[0], values[1]);
	assert_near(job_ask(&job).incumbent, objective(values), 0.05);
}

/* ---- the request ---- */

/* All that a suggestion says. */
static void assert_same(const struct suggestion *a, const struct suggestion *b)
{
	assert_memory_equal(a->values, b->values, 2 * sizeof(double));
	assert_memory_equal(&a->mean, &b->mean, sizeof(double));
	assert_memory_equal(&a->acquisition, &b->acquisition, sizeof(double));
	assert_memory_equal(&a->maximised, &b->maximised, sizeof(double));
	assert_memory_equal(&a->incumbent, &b->incumbent, sizeof(double));
	assert_memory_equal(&a->limits_probability, &b->limits_probability, sizeof(double));
	assert_int_equal(a->work, b->work);
}

static void the_same_request_has_the_same_answer(void **state)
{
	static const double pending[] = { 0.35, 0.2 };
	struct job job, copy;

	for (size_t way = 0; way < WAYS; way++)
		for (int all_over = 0; all_over <= 1; all_over++) {
			init_way(&job, way, all_over ? 0.6 : 0, 4);
			init_way(&copy, way, all_over ? 0.6 : 0, 4);
			job.pending[job.request.n_pending++] = pending;
			copy.pending[copy.request.n_pending++] = pending;
			const struct suggestion a = job_ask(&job), b = job_ask(&copy);

			assert_same(&a, &b);
		}
}

/* Whether there are limits that nothing is known of, or none. */
static void an_unknown_excess_is_as_none(void **state)
{
	static const double pending[] = { 0.35, 0.2 };
	struct job with, without;

	for (size_t way = 0; way < WAYS; way++) {
		init_way(&with, way, 0, 4);
		job_tell(&with, (double[]){ 0.9, 0.5 }, 1.05, OBSERVATION_STOPPED);
		with.pending[with.request.n_pending++] = pending;
		for (size_t i = 0; i < with.request.n_observations; i++) {
			with.excess[i][0] = NAN;
			if (with.observations[i].kind == OBSERVATION_OVER_LIMIT)
				with.observations[i].kind = OBSERVATION_DONE;
		}
		init_way(&without, way, 0, 4);
		job_tell(&without, (double[]){ 0.9, 0.5 }, 1.05, OBSERVATION_STOPPED);
		without.pending[without.request.n_pending++] = pending;
		for (size_t i = 0; i < without.request.n_observations; i++)
			without.observations[i].kind = with.observations[i].kind;
		without.request.n_limits = 0;
		const struct suggestion a = job_ask(&with), b = job_ask(&without);

		assert_same(&a, &b);
	}
}

static void the_work_limit_is_kept(void **state)
{
	struct job job;

	for (uint64_t limit = 50; limit <= 800; limit *= 4) {
		init(&job, 0, 8);
		job.request.work_limit = limit;
		const struct suggestion s = job_ask(&job);

		assert_int_equal(s.branch, BRANCH_MODEL);
		assert_true(s.work <= limit + 64);
	}
}

/* With failures, costs and a prior at once: all terms there are. */
static void limits_go_with_everything_else(void **state)
{
	struct prior priors[] = { { .low = 0.5, .high = 0.9 }, { .low = 0.4, .high = 0.9 } };
	struct job job;

	for (int all_over = 0; all_over <= 1; all_over++) {
		init(&job, all_over ? 0.6 : 0, 6);
		job.strategy.cost_aware = true;
		job.space.priors = priors;
		for (size_t i = 0; i < job.request.n_observations; i++)
			job.observations[i].duration = 1 + (double)(i % 4);
		for (size_t i = 0; i < 4; i++)
			job_tell(
				&job, (double[]){ 0.2 * (double)i, 0.97 }, NAN, OBSERVATION_FAILED);
		const struct suggestion s = job_ask(&job);

		assert_int_equal(s.branch, BRANCH_MODEL);
		assert_true(s.value_probability > 0 && s.limits_probability > 0);
		assert_true(isnan(s.incumbent) == all_over);
		assert_true(isfinite(s.maximised));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_trial_within_is_improved_on),
		cmocka_unit_test(the_choice_keeps_the_limits_and_says_how_surely),
		cmocka_unit_test(the_acquisition_contains_the_probability),
		cmocka_unit_test(what_is_over_a_limit_teaches_the_objective),
		cmocka_unit_test(the_edge_is_reached),
		cmocka_unit_test(workers_do_not_all_try_the_same),
		cmocka_unit_test(a_running_trial_that_will_be_over_is_not_improved_on),
		cmocka_unit_test(while_none_is_within_the_least_excess_leads),
		cmocka_unit_test(running_trials_are_taken_to_be_over),
		cmocka_unit_test(without_a_known_excess_it_falls_back_and_says_so),
		cmocka_unit_test(a_stopped_trial_is_no_result_where_limits_are_known),
		cmocka_unit_test(a_configuration_that_has_kept_the_limits_once_may_be_the_best),
		cmocka_unit_test(the_same_request_has_the_same_answer),
		cmocka_unit_test(an_unknown_excess_is_as_none),
		cmocka_unit_test(the_work_limit_is_kept),
		cmocka_unit_test(limits_go_with_everything_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
