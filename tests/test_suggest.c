/* surrogate/suggest.h: requests, names, and what holds for every strategy. Linked with --wrap=calloc
 * and --wrap=aligned_alloc, the only allocators of the room but for GSL's own. */
#include "surrogate/suggest.h"

#include "alloc_fail.h"
#include "fixture_suggest.h"

/* ---- fixtures ---- */

static const enum strategy_name ALL[] = { STRATEGY_RANDOM, STRATEGY_SOBOL, STRATEGY_GRID,
	STRATEGY_BAYESIAN };

enum { N_ALL = sizeof ALL / sizeof *ALL };

static double bowl(const double *values)
{
	return pow(log10(values[0]) + 2, 2) + pow(values[1] - 3, 2) / 9 + (values[2] != 1);
}

static void init_mixed(struct job *job, enum strategy_name name)
{
	const struct parameter parameters[] = { a_log_float("x", 1e-4, 1), an_int("n", 1, 12),
		a_category("c", 3), a_category("one", 1) };

	job_init(job, name, parameters, 4);
}

static void assert_refused(const struct job *job, const char *words)
{
	struct suggestion suggestion;
	struct tuner_error err = { 0 };

	assert_false(suggest(&job->request, &suggestion, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	if (strstr(err.message, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

/* ---- names and requests ---- */

/* Both are stored in databases. */
static void names_and_numbers_of_strategies_and_branches_are_kept(void **state)
{
	static const char *const strategies[] = { "random", "sobol", "grid", "bayesian" };
	static const char *const branches[] = { NULL, "user", "random", "sobol", "grid", "design",
		"model", "fallback" };

	for (size_t i = 0; i < N_ALL; i++)
		assert_string_equal(strategy_name(ALL[i]), strategies[i]);
	for (size_t i = 1; i <= 7; i++)
		assert_string_equal(branch_name((enum branch)i), branches[i]);
}

static void spaces_that_make_no_sense_are_refused(void **state)
{
	struct job job;

	init_mixed(&job, STRATEGY_RANDOM);
	job.space.d = 0;
	assert_refused(&job, "1 to 100 parameters");
	job.space.d = SPACE_PARAMETERS_MAX + 1;
	assert_refused(&job, "1 to 100 parameters");
	init_mixed(&job, STRATEGY_RANDOM);
	job.parameters[1].max = 0;
	assert_refused(&job, "\"n\"");
	init_mixed(&job, STRATEGY_RANDOM);
	job.parameters[0].scale = SCALE_AUTO;
	assert_refused(&job, "scale is not resolved");
}

static void partial_configurations_off_the_space_are_refused(void **state)
{
	static const double bad[][4] = { { 2, NAN, NAN, NAN }, { NAN, 2.5, NAN, NAN },
		{ NAN, NAN, 3, NAN }, { NAN, INFINITY, NAN, NAN } };
	const double complete[] = { 0.1, 1, 1, 0 };
	struct job job;

	for (size_t k = 0; k < N_ALL; k++) {
		init_mixed(&job, ALL[k]);
		for (size_t i = 0; i < 4; i++) {
			job.request.partial = bad[i];
			assert_refused(&job, "no value of the space");
		}
		job.request.partial = complete;
		assert_refused(&job, "nothing is left to decide");
	}
}

static void an_unknown_strategy_is_refused(void **state)
{
	struct job job;

	init_mixed(&job, (enum strategy_name)4);
	assert_refused(&job, "no strategy 4");
}

/* ---- every strategy ---- */

static void a_suggestion_is_a_function_of_its_request(void **state)
{
	struct job job;

	for (size_t k = 0; k < N_ALL; k++) {
		init_mixed(&job, ALL[k]);
		for (size_t i = 0; i < 12; i++) {
			struct suggestion a = job_ask(&job), b = job_ask(&job);

			assert_memory_equal(a.values, b.values, 4 * sizeof(double));
			assert_memory_equal(a.hyperparameters, b.hyperparameters,
				a.n_hyperparameters * sizeof(double));
			assert_memory_equal(&a.acquisition, &b.acquisition, sizeof(double));
			assert_int_equal(a.work, b.work);
			assert_int_equal(a.sequence, b.sequence);
			job_commit(&job, &a);
			job_tell(&job, a.values, bowl(a.values), OBSERVATION_DONE);
		}
	}
}

/* A file that is read again gives the same doubles at other addresses. */
static void a_whole_job_repeats_bit_for_bit(void **state)
{
	struct job first, second;

	for (size_t k = 0; k < N_ALL; k++) {
		init_mixed(&first, ALL[k]);
		init_mixed(&second, ALL[k]);
		assert_int_equal(job_run(&first, bowl, 20), job_run(&second, bowl, 20));
		assert_memory_equal(first.values, second.values, 20 * sizeof first.values[0]);
	}
}

static void nothing_is_proposed_twice(void **state)
{
	struct job job;

	for (size_t k = 0; k < N_ALL; k++) {
		init_mixed(&job, ALL[k]);
		job_run(&job, bowl, 60);
		assert_no_duplicates(&job);
	}
}

static void a_finite_space_is_proposed_whole_and_then_exhausted(void **state)
{
	const struct parameter parameters[] = { an_int("n", 1, 6), a_category("c", 3),
		an_ordinal("o", 2) };
	struct job job;

	for (size_t k = 0; k < N_ALL; k++) {
		job_init(&job, ALL[k], parameters, 3);
		assert_int_equal(job_run(&job, bowl, 50), 36);
		assert_no_duplicates(&job);
	}
}

static void a_space_of_one_configuration_is_tried_once(void **state)
{
	const struct parameter parameters[] = { a_category("c", 1), an_ordinal("o", 1) };
	struct job job;

	for (size_t k = 0; k < N_ALL; k++) {
		job_init(&job, ALL[k], parameters, 2);
		job.strategy.initial = 1;
		assert_int_equal(job_run(&job, bowl, 5), 1);
	}
}

/* With 40 workers, none of which has reported. */
static void pending_configurations_are_not_proposed_again(void **state)
{
	const struct parameter parameters[] = { an_int("n", 1, 8), a_category("c", 5) };
	struct job job;

	for (size_t k = 0; k < N_ALL; k++) {
		job_init(&job, ALL[k], parameters, 2);
		for (size_t i = 0; i < 40; i++) {
			const struct suggestion suggestion = job_ask(&job);

			assert_false(suggestion.exhausted);
			for (size_t j = 0; j < i; j++)
				assert_false(
					space_same(&job.space, suggestion.values, job.pending[j]));
			memcpy(job.values[i], suggestion.values, 2 * sizeof(double));
			job.pending[i] = job.values[i];
			job.request.n_pending++;
			job.request.number++;
			job.request.sequence = suggestion.sequence;
		}
		assert_true(job_ask(&job).exhausted);
	}
}

/* With and without a history, by the design and by the model. */
static void given_values_come_back_bit_for_bit(void **state)
{
	static const double partials[][4] = { { 0.0123456789, NAN, NAN, NAN }, { NAN, 7, NAN, NAN },
		{ NAN, NAN, 2, NAN }, { 0.3, NAN, 0, 0 }, { NAN, NAN, NAN, 0 } };
	struct job job;

	for (size_t k = 0; k < N_ALL; k++)
		for (size_t history = 0; history <= 15; history += 15)
			for (size_t i = 0; i < 5; i++) {
				init_mixed(&job, ALL[k]);
				job_run(&job, bowl, history);
				job.request.partial = partials[i];
				const struct suggestion suggestion = job_ask(&job);

				for (size_t j = 0; j < 4; j++)
					assert_true(isnan(partials[i][j]) ||
						    suggestion.values[j] == partials[i][j]);
			}
}

enum { NONE, SOME_WITHIN, NONE_WITHIN };

/* Two limits that every third trial keeps, or none does. */
static void limit(struct job *job, int limits)
{
	job->request.n_limits = 2;
	for (size_t i = 0; i < job->request.n_observations; i++) {
		const bool is_over = limits == NONE_WITHIN || i % 3 != 1;

		job->observations[i].kind = is_over ? OBSERVATION_OVER_LIMIT : OBSERVATION_DONE;
		job->excess[i][0] = is_over ? (double)i + 1 : -1;
		job->excess[i][1] = -1 - 0.1 * (double)i;
		job->observations[i].excess = job->excess[i];
	}
}

/* Returns how many allocations a suggestion makes; each is refused once. */
static unsigned refuse_each_allocation(const struct strategy *strategy, int limits)
{
	const double pending[] = { 0.5, 1, 0, 0 };
	struct suggestion suggestion;
	struct tuner_error err;
	struct job job;
	unsigned n = 0;

	init_mixed(&job, strategy->name);
	job.strategy = *strategy;
	job_run(&job, bowl, 14);
	for (size_t i = 0; i < 14; i++)
		job.observations[i].duration = 1 + (double)i;
	if (limits != NONE)
		limit(&job, limits);
	for (size_t i = 0; i < 3; i++) /* enough for a model of failures */
		job.observations[4 * i].kind = OBSERVATION_FAILED;
	job.pending[job.request.n_pending++] = pending;
	for (bool ok = false; !ok;) {
		err.code = TUNER_OK;
		allocate_fail = ++n;
		ok = suggest(&job.request, &suggestion, &err);
		allocate_fail = 0;
		if (!ok)
			assert_int_equal(err.code, TUNER_FATAL);
	}
	return n;
}

/* Whatever is missing, the caller learns it, and nothing leaks (the sanitizer's word). */
static void a_failed_allocation_is_fatal_and_says_so(void **state)
{
	static const struct strategy options[] = {
		{ STRATEGY_BAYESIAN, .acquisition = STRATEGY_UCB },
		{ STRATEGY_BAYESIAN, .acquisition = STRATEGY_THOMPSON },
		{ STRATEGY_BAYESIAN, .incumbent = STRATEGY_INCUMBENT_NOISY, .cost_aware = true },
		{ STRATEGY_BAYESIAN, .trust_region = STRATEGY_TRUST_REGION_ALWAYS },
		{ STRATEGY_BAYESIAN, .hyperparameters = STRATEGY_MARGINAL,
			.incumbent = STRATEGY_INCUMBENT_NOISY,
			.trust_region = STRATEGY_TRUST_REGION_ALWAYS },
	};

	/* At least one allocation was refused before it got through. */
	for (size_t k = 0; k < N_ALL; k++)
		assert_true(refuse_each_allocation(&(struct strategy){ ALL[k] }, NONE) >
			    (ALL[k] == STRATEGY_BAYESIAN ? 50 : 1));
	for (size_t k = 0; k < sizeof options / sizeof *options; k++)
		for (int limits = NONE; limits <= NONE_WITHIN; limits++)
			assert_true(refuse_each_allocation(&options[k], limits) > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_numbers_of_strategies_and_branches_are_kept),
		cmocka_unit_test(spaces_that_make_no_sense_are_refused),
		cmocka_unit_test(partial_configurations_off_the_space_are_refused),
		cmocka_unit_test(an_unknown_strategy_is_refused),
		cmocka_unit_test(a_suggestion_is_a_function_of_its_request),
		cmocka_unit_test(a_whole_job_repeats_bit_for_bit),
		cmocka_unit_test(nothing_is_proposed_twice),
		cmocka_unit_test(a_finite_space_is_proposed_whole_and_then_exhausted),
		cmocka_unit_test(a_space_of_one_configuration_is_tried_once),
		cmocka_unit_test(pending_configurations_are_not_proposed_again),
		cmocka_unit_test(given_values_come_back_bit_for_bit),
		cmocka_unit_test(a_failed_allocation_is_fatal_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
