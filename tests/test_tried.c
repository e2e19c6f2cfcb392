/* surrogate/tried.h: what was tried, and the numbering of what may be. */
#include "surrogate/tried.h"

#include "fixture_suggest.h"

static struct tried tried_by(const struct job *job)
{
	struct tried tried;
	struct tuner_error err;

	if (!tried_init(&tried, &job->request, &err))
		fail_msg("%s", err.message);
	return tried;
}

static bool is_tried(const struct job *job, const double *values)
{
	struct tried tried = tried_by(job);
	const bool found = tried_contains(&tried, values);

	tried_finish(&tried);
	return found;
}

/* ---- the set ---- */

static void a_float_is_tried_within_a_millionth_of_its_range(void **state)
{
	const struct parameter parameters[] = { a_float("x", 10, 20), an_int("n", 1, 3) };
	struct job job;

	job_init(&job, STRATEGY_RANDOM, parameters, 2);
	job_tell(&job, (double[]){ 15, 2 }, 0, OBSERVATION_DONE);
	assert_true(is_tried(&job, (double[]){ 15, 2 }));
	assert_true(is_tried(&job, (double[]){ 15 + 0.9e-5, 2 }));
	assert_true(is_tried(&job, (double[]){ 15 - 0.9e-5, 2 }));
	assert_false(is_tried(&job, (double[]){ 15 + 1.1e-5, 2 }));
	assert_false(is_tried(&job, (double[]){ 15 - 1.1e-5, 2 }));
	assert_false(is_tried(&job, (double[]){ 15, 3 }));
}

static void neighbours_on_a_fine_lattice_are_not_the_same(void **state)
{
	const struct parameter parameters[] = { an_int("n", 0, 1e9) };
	struct job job;

	job_init(&job, STRATEGY_RANDOM, parameters, 1);
	job_tell(&job, (double[]){ 500 }, 0, OBSERVATION_DONE);
	assert_true(is_tried(&job, (double[]){ 500 }));
	assert_false(is_tried(&job, (double[]){ 501 }));
	assert_false(is_tried(&job, (double[]){ 499 }));
}

/* 3 * 0.1 is not the double 0.3. */
static void two_spellings_of_a_lattice_value_are_one(void **state)
{
	const struct parameter parameters[] = { a_stepped_float("x", 0, 1, 0.1) };
	struct job job;
	const double product = 3 * 0.1, literal = 0.3;

	assert_true(product != literal);
	job_init(&job, STRATEGY_RANDOM, parameters, 1);
	job_tell(&job, &literal, 0, OBSERVATION_DONE);
	assert_true(is_tried(&job, &product));
	assert_true(is_tried(&job, &literal));
}

static void every_kind_of_end_and_pending_ones_count(void **state)
{
	const struct parameter parameters[] = { an_int("n", 1, 9) };
	const double pending = 5;
	struct job job;

	job_init(&job, STRATEGY_RANDOM, parameters, 1);
	job_tell(&job, (double[]){ 1 }, 0.5, OBSERVATION_DONE);
	job_tell(&job, (double[]){ 2 }, NAN, OBSERVATION_DONE);
	job_tell(&job, (double[]){ 3 }, NAN, OBSERVATION_STOPPED);
	job_tell(&job, (double[]){ 4 }, 0.5, OBSERVATION_FAILED);
	job.pending[job.request.n_pending++] = &pending;
	for (double n = 1; n <= 9; n++)
		assert_int_equal(is_tried(&job, &n), n <= 5);
}

/* After an edit of the space some trials lie outside: they can neither be repeated nor counted. */
static void trials_outside_the_space_are_no_members(void **state)
{
	const struct parameter parameters[] = { an_int("n", 1, 9), a_category("c", 2) };
	struct job job;

	job_init(&job, STRATEGY_RANDOM, parameters, 2);
	job_tell(&job, (double[]){ 10, 0 }, 0, OBSERVATION_DONE);
	job_tell(&job, (double[]){ 2.5, 0 }, 0, OBSERVATION_DONE);
	job_tell(&job, (double[]){ 3, 2 }, 0, OBSERVATION_DONE);
	job_tell(&job, (double[]){ NAN, 0 }, 0, OBSERVATION_DONE);

	struct tried tried = tried_by(&job);

	assert_int_equal(tried.n, 0);
	tried_finish(&tried);
}

/* ---- the numbering ---- */

static const double FREE[] = { NAN, NAN, NAN, NAN };

static uint64_t size_of(
	const struct parameter *parameters, size_t d, const double *given, size_t grid_points)
{
	struct parameter copy[JOB_D_MAX];
	const struct space space = { d, copy };
	struct lattice lattice;

	memcpy(copy, parameters, d * sizeof *copy);
	lattice_init(&lattice, &space, given, grid_points);
	return lattice.size;
}

static void the_size_is_the_product_of_the_choices(void **state)
{
	const struct parameter parameters[] = { an_int("n", 3, 6), a_category("c", 3),
		an_ordinal("o", 5), a_stepped_float("x", 0, 0.3, 0.1) };

	assert_int_equal(size_of(parameters, 4, FREE, 0), 4 * 3 * 5 * 4);
	assert_int_equal(size_of(parameters, 4, (double[]){ NAN, 1, NAN, NAN }, 0), 4 * 5 * 4);
	assert_int_equal(size_of(parameters, 4, (double[]){ 3, 1, 0, 0 }, 0), 1);
}

static void a_float_is_uncountable_without_grid_points_or_a_value(void **state)
{
	const struct parameter parameters[] = { an_int("n", 3, 6), a_float("x", 0, 1) };

	assert_int_equal(size_of(parameters, 2, FREE, 0), 0);
	assert_int_equal(size_of(parameters, 2, FREE, 7), 4 * 7);
	assert_int_equal(size_of(parameters, 2, (double[]){ NAN, 0.77 }, 0), 4);
}

/* 2^50 squared; but a float among them is still uncountable, whatever stands before it. */
static void a_size_that_does_not_fit_is_the_largest_number(void **state)
{
	const struct parameter parameters[] = { an_int("a", 0, 0x1p50), an_int("b", 0, 0x1p50),
		a_float("x", 0, 1) };

	assert_true(size_of(parameters, 2, FREE, 0) == UINT64_MAX);
	assert_true(size_of(parameters, 3, FREE, 0) == 0);
}

static void ranks_name_every_configuration_once_the_last_parameter_fastest(void **state)
{
	struct parameter parameters[] = { an_int("n", 3, 6), a_category("c", 3),
		a_stepped_float("x", 0, 0.3, 0.1) };
	const struct space space = { 3, parameters };
	struct lattice lattice;
	double values[3];

	lattice_init(&lattice, &space, FREE, 0);
	for (uint64_t rank = 0; rank < lattice.size; rank++) {
		lattice_configuration(&lattice, rank, values);
		assert_true(space_contains(&space, values));
		assert_true(values[0] == 3 + (double)(rank / 12));
		assert_true(values[1] == (double)(rank / 4 % 3));
		assert_true(values[2] == parameter_value(&parameters[2], rank % 4));
	}
}

static void given_values_stay_in_every_configuration(void **state)
{
	struct parameter parameters[] = { a_float("x", 0, 1), an_int("n", 1, 4) };
	const struct space space = { 2, parameters };
	struct lattice lattice;
	double values[2];

	lattice_init(&lattice, &space, (double[]){ 0.123, NAN }, 0);
	assert_int_equal(lattice.size, 4);
	for (uint64_t rank = 0; rank < 4; rank++) {
		lattice_configuration(&lattice, rank, values);
		assert_true(values[0] == 0.123 && values[1] == 1 + (double)rank);
	}
}

/* On the parameter's own scale; one point is the middle. */
static void grid_points_go_from_bound_to_bound(void **state)
{
	struct parameter parameters[] = { a_log_float("x", 0.01, 100) };
	const struct space space = { 1, parameters };
	struct lattice lattice;
	double value;

	lattice_init(&lattice, &space, FREE, 5);
	for (uint64_t rank = 0; rank < 5; rank++) {
		lattice_configuration(&lattice, rank, &value);
		assert_near(log10(value), (double)rank - 2, 1e-12);
	}
	lattice_configuration(&lattice, 0, &value);
	assert_true(value == 0.01);
	lattice_configuration(&lattice, 4, &value);
	assert_true(value == 100);
	lattice_init(&lattice, &space, FREE, 1);
	lattice_configuration(&lattice, 0, &value);
	assert_near(value, 1, 1e-12);
}

static void tried_ranks_come_ascending_each_once_and_only_from_the_lattice(void **state)
{
	const struct parameter parameters[] = { an_int("n", 0, 3), a_float("x", 0, 1) };
	const double given[] = { NAN, 0.5 };
	struct job job;
	struct lattice lattice;
	struct tuner_error err;
	uint64_t *ranks;
	size_t n;

	job_init(&job, STRATEGY_RANDOM, parameters, 2);
	job_tell(&job, (double[]){ 3, 0.5 }, 0, OBSERVATION_DONE);
	job_tell(&job, (double[]){ 1, 0.5 + 1e-8 }, 0, OBSERVATION_DONE);
	job_tell(&job, (double[]){ 2, 0.25 }, 0, OBSERVATION_DONE);
	job_tell(&job, (double[]){ 3, 0.5 }, 0, OBSERVATION_DONE);

	struct tried tried = tried_by(&job);

	lattice_init(&lattice, &job.space, given, 0);
	assert_true(lattice_tried(&lattice, &tried, &ranks, &n, &err));
	assert_int_equal(n, 2);
	assert_int_equal(ranks[0], 1);
	assert_int_equal(ranks[1], 3);
	free(ranks);
	tried_finish(&tried);
}

/* Every rank must be found again from its configuration, of every kind of parameter. */
static void a_configuration_is_found_at_its_rank(void **state)
{
	const struct parameter parameters[] = { an_int("n", -2, 1), a_category("c", 3),
		a_stepped_float("x", 0.1, 0.7, 0.1), a_log_float("y", 1e-5, 3) };
	struct lattice lattice;

	for (uint64_t rank = 0; rank < 4 * 3 * 7 * 6; rank++) {
		struct job job;
		struct tuner_error err;
		uint64_t *ranks;
		size_t n;
		double values[4];

		job_init(&job, STRATEGY_GRID, parameters, 4);
		lattice_init(&lattice, &job.space, FREE, 6);
		assert_int_equal(lattice.size, 4 * 3 * 7 * 6);
		lattice_configuration(&lattice, rank, values);
		job_tell(&job, values, 0, OBSERVATION_DONE);

		struct tried tried = tried_by(&job);

		assert_true(lattice_tried(&lattice, &tried, &ranks, &n, &err));
		assert_int_equal(n, 1);
		assert_int_equal(ranks[0], rank);
		free(ranks);
		tried_finish(&tried);
	}
}

/* Over every subset of eight ranks. */
static void the_kth_untried_rank_skips_the_tried_ones(void **state)
{
	for (unsigned subset = 0; subset < 256; subset++) {
		uint64_t ranks[8], k = 0;
		size_t n = 0;

		for (uint64_t rank = 0; rank < 8; rank++)
			if (subset >> rank & 1)
				ranks[n++] = rank;
		for (uint64_t rank = 0; rank < 8; rank++)
			if (!(subset >> rank & 1))
				assert_int_equal(untried_rank(ranks, n, k++), rank);
		assert_int_equal(untried_rank(ranks, n, k), 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_float_is_tried_within_a_millionth_of_its_range),
		cmocka_unit_test(neighbours_on_a_fine_lattice_are_not_the_same),
		cmocka_unit_test(two_spellings_of_a_lattice_value_are_one),
		cmocka_unit_test(every_kind_of_end_and_pending_ones_count),
		cmocka_unit_test(trials_outside_the_space_are_no_members),
		cmocka_unit_test(the_size_is_the_product_of_the_choices),
		cmocka_unit_test(a_float_is_uncountable_without_grid_points_or_a_value),
		cmocka_unit_test(a_size_that_does_not_fit_is_the_largest_number),
		cmocka_unit_test(ranks_name_every_configuration_once_the_last_parameter_fastest),
		cmocka_unit_test(given_values_stay_in_every_configuration),
		cmocka_unit_test(grid_points_go_from_bound_to_bound),
		cmocka_unit_test(tried_ranks_come_ascending_each_once_and_only_from_the_lattice),
		cmocka_unit_test(a_configuration_is_found_at_its_rank),
		cmocka_unit_test(the_kth_untried_rank_skips_the_tried_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
