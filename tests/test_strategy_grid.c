/* surrogate/suggest.h, strategy grid: every combination once. */
#include "fixture_suggest.h"

static double zero(const double *values)
{
	return 0;
}

static void every_combination_comes_once_in_the_order_of_ranks(void **state)
{
	const struct parameter parameters[] = { an_int("n", 1, 3), a_category("c", 2),
		a_float("x", 0, 1) };
	struct job job;

	job_init(&job, STRATEGY_GRID, parameters, 3);
	job.strategy.grid_points = 4;
	assert_int_equal(strategy_grid_size(&job.strategy, &job.space), 24);
	assert_int_equal(job_run(&job, zero, 100), 24);
	for (size_t i = 0; i < 24; i++) {
		assert_true(job.values[i][0] == 1 + (double)(i / 8));
		assert_true(job.values[i][1] == (double)(i / 4 % 2));
		assert_near(job.values[i][2], (double)(i % 4) / 3, 1e-15);
	}
	assert_int_equal(job_ask(&job).branch, BRANCH_GRID);
}

static void a_float_without_step_has_five_points_by_default(void **state)
{
	const struct parameter parameters[] = { a_log_float("x", 1e-4, 1),
		a_stepped_float("y", 0, 1, 0.5) };
	struct job job;

	job_init(&job, STRATEGY_GRID, parameters, 2);
	assert_int_equal(strategy_grid_size(&job.strategy, &job.space), 15);
	job_run(&job, zero, 15);
	for (size_t i = 0; i < 5; i++)
		assert_near(log10(job.values[3 * i][0]), (double)i - 4, 1e-12);
}

static void a_grid_too_large_to_count_says_so_and_still_proposes(void **state)
{
	const struct parameter parameters[] = { an_int("a", 0, 0x1p50), an_int("b", 0, 0x1p50) };
	struct job job;

	job_init(&job, STRATEGY_GRID, parameters, 2);
	assert_true(strategy_grid_size(&job.strategy, &job.space) == UINT64_MAX);
	assert_int_equal(job_run(&job, zero, 20), 20);
	for (size_t i = 0; i < 20; i++)
		assert_true(job.values[i][0] == 0 && job.values[i][1] == (double)i);
}

/* Pending ones, the user's own, and those of an earlier space. */
static void what_was_tried_is_passed_over(void **state)
{
	const struct parameter parameters[] = { an_int("n", 1, 6) };
	const double pending = 2;
	struct job job;

	job_init(&job, STRATEGY_GRID, parameters, 1);
	job.pending[job.request.n_pending++] = &pending;
	job_tell(&job, (double[]){ 1 }, 0, OBSERVATION_FAILED);
	job_tell(&job, (double[]){ 4 }, 0, OBSERVATION_DONE);
	job_tell(&job, (double[]){ 7 }, 0, OBSERVATION_DONE);
	assert_int_equal(job_run(&job, zero, 10), 3);
	assert_true(job.values[3][0] == 3 && job.values[4][0] == 5 && job.values[5][0] == 6);
}

/* The sequence stands at the end, but a wider space has new points before it. */
static void after_the_end_the_gaps_are_filled(void **state)
{
	const struct parameter parameters[] = { an_int("n", 1, 6) };
	struct job job;

	job_init(&job, STRATEGY_GRID, parameters, 1);
	job_tell(&job, (double[]){ 5 }, 0, OBSERVATION_DONE);
	job.request.sequence = 4;
	assert_int_equal(job_run(&job, zero, 10), 5);
	assert_true(job.values[1][0] == 6 && job.values[2][0] == 1);
	assert_no_duplicates(&job);
}

/* A grid with given values is another grid: the job's own goes on where it was. */
static void given_values_leave_the_sequence_alone(void **state)
{
	const struct parameter parameters[] = { an_int("n", 1, 3), a_float("x", 0, 1) };
	const double partial[] = { NAN, 0.3 };
	struct job job;

	job_init(&job, STRATEGY_GRID, parameters, 2);
	job_run(&job, zero, 2);
	job.request.partial = partial;
	for (double n = 1; n <= 3; n++) {
		const struct suggestion suggestion = job_ask(&job);

		assert_true(suggestion.values[0] == n && suggestion.values[1] == 0.3);
		assert_int_equal(suggestion.sequence, job.request.sequence);
		job_tell(&job, suggestion.values, 0, OBSERVATION_DONE);
	}
	const struct suggestion again = job_ask(&job); /* all were tried */
	assert_false(again.exhausted);
	assert_true(again.values[1] == 0.3);
	assert_int_equal(again.sequence, job.request.sequence);
	job.request.partial = NULL;
	assert_near(job_ask(&job).values[1], 0.5, 1e-15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination_comes_once_in_the_order_of_ranks),
		cmocka_unit_test(a_float_without_step_has_five_points_by_default),
		cmocka_unit_test(a_grid_too_large_to_count_says_so_and_still_proposes),
		cmocka_unit_test(what_was_tried_is_passed_over),
		cmocka_unit_test(after_the_end_the_gaps_are_filled),
		cmocka_unit_test(given_values_leave_the_sequence_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
