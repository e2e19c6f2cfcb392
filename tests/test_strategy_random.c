/* surrogate/suggest.h, strategies random and sobol. */
#include "fixture_suggest.h"

#include "surrogate/design.h"

static const enum strategy_name BOTH[] = { STRATEGY_RANDOM, STRATEGY_SOBOL };

static double zero(const double *values)
{
	return 0;
}

static void init_mixed(struct job *job, enum strategy_name name)
{
	const struct parameter parameters[] = { a_log_float("x", 1e-3, 1), an_int("n", 1, 4),
		a_category("c", 3) };

	job_init(job, name, parameters, 3);
}

static void the_branch_is_the_strategy_and_no_model_is_claimed(void **state)
{
	struct job job;

	for (size_t k = 0; k < 2; k++) {
		init_mixed(&job, BOTH[k]);
		const struct suggestion suggestion = job_ask(&job);

		assert_int_equal(suggestion.branch, k == 0 ? BRANCH_RANDOM : BRANCH_SOBOL);
		assert_string_equal(suggestion.reason, "");
		assert_true(isnan(suggestion.mean) && isnan(suggestion.sd) &&
			    isnan(suggestion.acquisition) && isnan(suggestion.incumbent));
		assert_int_equal(suggestion.n_hyperparameters, 0);
	}
}

static void random_is_uniform_on_the_scale_of_each_parameter(void **state)
{
	enum { N = 500 };
	struct job job;
	size_t low = 0, counts[4] = { 0 }, categories[3] = { 0 };

	init_mixed(&job, STRATEGY_RANDOM);
	assert_int_equal(job_run(&job, zero, N), N);
	for (size_t i = 0; i < N; i++) {
		low += job.values[i][0] < 0.0316; /* the middle of the logarithms */
		counts[(size_t)job.values[i][1] - 1]++;
		categories[(size_t)job.values[i][2]]++;
	}
	/* Within 4.5 sd of the binomial. */
	assert_in_range(low, 200, 300);
	for (size_t k = 0; k < 4; k++)
		assert_in_range(counts[k], 82, 168);
	for (size_t k = 0; k < 3; k++)
		assert_in_range(categories[k], 120, 214);
}

static void a_random_configuration_depends_on_seed_repeat_and_number_alone(void **state)
{
	struct job job, other;

	init_mixed(&job, STRATEGY_RANDOM);
	init_mixed(&other, STRATEGY_RANDOM);
	other.request.number = 5;
	job_run(&job, zero, 4);
	other.request.budget_trials = 7;
	other.request.parallel = 3;
	assert_memory_equal(job_ask(&job).values, job_ask(&other).values, 3 * sizeof(double));

	const double x = job_ask(&job).values[0];

	job.request.seed++;
	assert_true(job_ask(&job).values[0] != x);
	job.request.seed--;
	job.request.repeat++;
	assert_true(job_ask(&job).values[0] != x);
	job.request.repeat--;
	job.request.number++;
	assert_true(job_ask(&job).values[0] != x);
}

static void sobol_follows_the_jobs_one_design(void **state)
{
	const struct random_key key = { .seed = 1, .purpose = RANDOM_SCRAMBLE };
	struct job job;
	struct design *design;
	struct tuner_error err;

	init_mixed(&job, STRATEGY_SOBOL);
	assert_int_equal(job_run(&job, zero, 64), 64);
	assert_int_equal(job.request.sequence, 64);
	assert_true(design_create(3, key, 0, &design, &err));
	for (size_t i = 0; i < 64; i++) {
		double u[3], values[3];

		design_next(design, u);
		space_decode(&job.space, u, values);
		assert_memory_equal(values, job.values[i], sizeof values);
	}
	design_destroy(design);
}

/* Also around the user's own, which lie anywhere. */
static void a_finite_space_is_exhausted_exactly(void **state)
{
	const struct parameter parameters[] = { an_int("n", 1, 12), a_category("c", 7),
		an_ordinal("o", 3) };
	struct job job;

	for (size_t k = 0; k < 2; k++) {
		job_init(&job, BOTH[k], parameters, 3);
		job_tell(&job, (double[]){ 3, 3, 1 }, 0, OBSERVATION_DONE);
		job_tell(&job, (double[]){ 12, 6, 2 }, NAN, OBSERVATION_STOPPED);
		assert_int_equal(job_run(&job, zero, 500), 12 * 7 * 3 - 2);
		assert_no_duplicates(&job);
		assert_true(job_ask(&job).exhausted);
	}
}

static void pending_configurations_are_not_repeated(void **state)
{
	const struct parameter parameters[] = { an_int("n", 1, 3) };
	const double pending[] = { 1, 3 };
	struct job job;

	for (size_t k = 0; k < 2; k++) {
		job_init(&job, BOTH[k], parameters, 1);
		job.pending[0] = &pending[0];
		job.pending[1] = &pending[1];
		job.request.n_pending = 2;
		for (uint32_t number = 1; number < 20; number++) {
			job.request.number = number;
			assert_true(job_ask(&job).values[0] == 2);
		}
	}
}

/* The last untried point of 500: rejection alone would not find it. */
static void the_last_untried_point_is_found(void **state)
{
	const struct parameter parameters[] = { an_int("n", 1, 500) };
	struct job job;

	for (size_t k = 0; k < 2; k++) {
		job_init(&job, BOTH[k], parameters, 1);
		for (double n = 1; n <= 500; n++)
			if (n != 321)
				job_tell(&job, &n, 0, OBSERVATION_DONE);
		assert_true(job_ask(&job).values[0] == 321);
	}
}

/* Given a float, what is left is finite and can be exhausted. */
static void partial_configurations_are_completed_before_one_is_repeated(void **state)
{
	const double partial[] = { 0.0123, NAN, 2 };
	struct job job;

	for (size_t k = 0; k < 2; k++) {
		init_mixed(&job, BOTH[k]);
		job.request.partial = partial;
		assert_int_equal(job_run(&job, zero, 4), 4);
		assert_no_duplicates(&job);
		assert_int_equal(job_run(&job, zero, 6), 6);
		for (size_t i = 0; i < 10; i++)
			assert_true(job.values[i][0] == 0.0123 && job.values[i][2] == 2);
		job.request.partial = NULL;
		assert_false(job_ask(&job).exhausted);
	}
}

/* Three doubles lie in this range: no lattice, but no room either. */
static void a_range_of_a_few_doubles_ends_as_exhausted(void **state)
{
	const struct parameter parameters[] = { a_float("x", 1, 1 + 0x1p-51) };
	struct job job;

	for (size_t k = 0; k < 2; k++) {
		job_init(&job, BOTH[k], parameters, 1);
		assert_in_range(job_run(&job, zero, 100), 2, 3);
		assert_no_duplicates(&job);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_branch_is_the_strategy_and_no_model_is_claimed),
		cmocka_unit_test(random_is_uniform_on_the_scale_of_each_parameter),
		cmocka_unit_test(a_random_configuration_depends_on_seed_repeat_and_number_alone),
		cmocka_unit_test(sobol_follows_the_jobs_one_design),
		cmocka_unit_test(a_finite_space_is_exhausted_exactly),
		cmocka_unit_test(pending_configurations_are_not_repeated),
		cmocka_unit_test(the_last_untried_point_is_found),
		cmocka_unit_test(partial_configurations_are_completed_before_one_is_repeated),
		cmocka_unit_test(a_range_of_a_few_doubles_ends_as_exhausted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
