#include "surrogate/stagnation.h"

#include "fixture_suggest.h"

enum { INITIAL = 5 };

static const struct parameter X[] = { { .name = "x", .type = PARAMETER_FLOAT, .max = 1 } };

/* The first five say what there is to gain: from 5, their median with what follows, to 1. */
static void begin(struct job *job)
{
	job_init(job, STRATEGY_BAYESIAN, X, 1);
	for (size_t i = 0; i < INITIAL; i++)
		job_tell(job, (double[]){ 0.5 }, (double[]){ 9, 5, 7, 1, 8 }[i], OBSERVATION_DONE);
}

static void tell(struct job *job, double objective, size_t n)
{
	for (size_t i = 0; i < n; i++)
		job_tell(job, (double[]){ 0.5 }, objective, OBSERVATION_DONE);
}

static bool stagnates(const struct job *job)
{
	return search_stagnates(&job->request, INITIAL);
}

static void a_search_that_gains_nothing_stagnates_from_six_trials_on(void **state)
{
	struct job job;

	begin(&job);
	tell(&job, 5, STAGNATION_TRIALS - 1);
	assert_false(stagnates(&job));
	tell(&job, 5, 1);
	assert_true(stagnates(&job));
}

/* A hundredth of the way from 5 to the best is .04. */
static void a_gain_of_a_hundredth_is_one(void **state)
{
	struct job job;

	begin(&job);
	tell(&job, 5, STAGNATION_TRIALS);
	tell(&job, 1 - 0.039, 1);
	assert_true(stagnates(&job));
	tell(&job, 1 - 0.05, 1);
	assert_false(stagnates(&job));
}

static void a_gain_is_forgotten_after_six_trials(void **state)
{
	struct job job;

	begin(&job);
	tell(&job, 0, 1);
	tell(&job, 5, STAGNATION_TRIALS - 1);
	assert_false(stagnates(&job));
	tell(&job, 5, 1);
	assert_true(stagnates(&job));
}

/* Nor do they count as trials that gained nothing. */
static void what_has_no_finite_objective_is_left_out(void **state)
{
	struct job job;

	begin(&job);
	for (size_t i = 0; i < STAGNATION_TRIALS; i++)
		job_tell(&job, (double[]){ 0.5 }, 5, OBSERVATION_FAILED);
	tell(&job, -INFINITY, STAGNATION_TRIALS);
	tell(&job, INFINITY, STAGNATION_TRIALS);
	for (size_t i = 0; i < STAGNATION_TRIALS; i++)
		job_tell(&job, (double[]){ 0.5 }, NAN, OBSERVATION_STOPPED);
	assert_false(stagnates(&job));
	tell(&job, 5, STAGNATION_TRIALS);
	assert_true(stagnates(&job));
}

/* However good it is, and though it is no result, others may still gain. */
static void a_trial_over_a_limit_is_left_out(void **state)
{
	struct job job;

	begin(&job);
	for (size_t i = 0; i < STAGNATION_TRIALS; i++)
		job_tell(&job, (double[]){ 0.5 }, 5, OBSERVATION_OVER_LIMIT);
	assert_false(stagnates(&job));
	tell(&job, 5, STAGNATION_TRIALS - 1);
	job_tell(&job, (double[]){ 0.5 }, -7, OBSERVATION_OVER_LIMIT);
	assert_false(stagnates(&job));
	tell(&job, 5, 1);
	assert_true(stagnates(&job));
}

static void the_unit_and_the_zero_are_the_users(void **state)
{
	struct job job;

	begin(&job);
	tell(&job, 5, STAGNATION_TRIALS);
	tell(&job, 1 - 0.039, 1);
	for (size_t i = 0; i < job.request.n_observations; i++)
		job.observations[i].objective = 1e6 * job.observations[i].objective - 7e7;
	assert_true(stagnates(&job));
	tell(&job, 1e6 * (1 - 0.05) - 7e7, 1);
	assert_false(stagnates(&job));
}

/* There is nothing to leave it for. */
static void where_all_results_are_equal_nothing_stagnates(void **state)
{
	struct job job;

	job_init(&job, STRATEGY_BAYESIAN, X, 1);
	assert_false(stagnates(&job));
	tell(&job, 3, 40);
	assert_false(stagnates(&job));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_search_that_gains_nothing_stagnates_from_six_trials_on),
		cmocka_unit_test(a_gain_of_a_hundredth_is_one),
		cmocka_unit_test(a_gain_is_forgotten_after_six_trials),
		cmocka_unit_test(what_has_no_finite_objective_is_left_out),
		cmocka_unit_test(the_unit_and_the_zero_are_the_users),
		cmocka_unit_test(where_all_results_are_equal_nothing_stagnates),
		cmocka_unit_test(a_trial_over_a_limit_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
