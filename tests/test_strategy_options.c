/* surrogate/suggest.h, strategy bayesian: what may be maximised instead of log EI, and what it is an improvement
 * on, wherever the strategy is used. */
#include "fixture_rules.h"
#include "sanitized.h"

#include "surrogate/gp.h"

struct option {
	const char *name;
	struct strategy strategy;
};

static const struct option options[] = {
	{ "ei", { .acquisition = STRATEGY_EI } },
	{ "ucb", { .acquisition = STRATEGY_UCB } },
	{ "ucb, 6", { .acquisition = STRATEGY_UCB, .ucb_beta = 6 } },
	{ "thompson", { .acquisition = STRATEGY_THOMPSON } },
	{ "best", { .incumbent = STRATEGY_INCUMBENT_BEST } },
	{ "noisy", { .incumbent = STRATEGY_INCUMBENT_NOISY } },
	{ "augmented", { .incumbent = STRATEGY_INCUMBENT_AUGMENTED } },
	{ "cost", { .cost_aware = true } },
	{ "cost, noisy", { .cost_aware = true, .incumbent = STRATEGY_INCUMBENT_NOISY } },
	{ "marginal", { .hyperparameters = STRATEGY_MARGINAL } },
	{ "marginal, cost, noisy", { .hyperparameters = STRATEGY_MARGINAL,
					   .cost_aware = true,
					   .incumbent = STRATEGY_INCUMBENT_NOISY } },
	{ "marginal, cost, augmented", { .hyperparameters = STRATEGY_MARGINAL,
					       .cost_aware = true,
					       .incumbent = STRATEGY_INCUMBENT_AUGMENTED } },
};

enum { OPTIONS = sizeof options / sizeof *options };

static void choose_option(struct job *job, size_t i)
{
	job->strategy = options[i].strategy;
	job->strategy.name = STRATEGY_BAYESIAN;
	job->strategy.initial = 6;
}

/* ---- a noisy bowl, of trials that take long on the right ---- */

static double bowl(const double *x)
{
	/* Noise that is a function of the point: runs can be compared. */
	return pow(x[0] - .7, 2) + pow(x[1] - .4, 2) + .05 * sin(3000 * x[0] + 5000 * x[1]);
}

static void init_bowl(struct job *job)
{
	const struct parameter parameters[] = { a_float("x", 0, 1), a_float("y", 0, 1) };

	job_init(job, STRATEGY_BAYESIAN, parameters, 2);
}

static void tell_bowl(struct job *job, const double *values)
{
	job_tell(job, values, bowl(values), OBSERVATION_DONE);
	job->observations[job->request.n_observations - 1].duration = exp(3 * values[0]);
}

static void fill_bowl(struct job *job, size_t n)
{
	struct random random;

	init_bowl(job);
	random_init(&random, (struct random_key){ .seed = 8, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < n; i++) {
		const double values[] = { random_uniform(&random), random_uniform(&random) };

		tell_bowl(job, values);
	}
}

static void suggestions_differ_by_option(void **state)
{
	struct job job;
	struct suggestion suggestions[OPTIONS];

	fill_bowl(&job, 12);
	for (size_t i = 0; i < OPTIONS; i++) {
		choose_option(&job, i);
		suggestions[i] = job_ask(&job);
		assert_int_equal(suggestions[i].branch, BRANCH_MODEL);
		for (size_t j = 0; j < i; j++)
			if (memcmp(suggestions[i].values, suggestions[j].values,
				    2 * sizeof(double)) == 0)
				fail_msg("%s suggests what %s does", options[i].name,
					options[j].name);
	}
}

/* What it hoped to gain is log EI whatever chose, so of the same model none hopes for more than who maximised that. */
static void hopes_are_those_of_expected_improvement(void **state)
{
	struct job job;
	double most = NAN;

	fill_bowl(&job, 12);
	for (size_t i = 0; i < OPTIONS; i++) {
		choose_option(&job, i);

		const struct suggestion suggestion = job_ask(&job);

		assert_true(isfinite(suggestion.mean) && suggestion.sd > 0);
		assert_true(isfinite(suggestion.acquisition) && isfinite(suggestion.incumbent));
		if (i == 0)
			most = suggestion.acquisition;
		if (options[i].strategy.incumbent != STRATEGY_INCUMBENT_BEST &&
			options[i].strategy.incumbent != STRATEGY_INCUMBENT_NOISY &&
			options[i].strategy.hyperparameters == STRATEGY_MAP)
			assert_true(suggestion.acquisition <= most + 1e-6);
		if (options[i].strategy.incumbent == STRATEGY_INCUMBENT_BEST)
			assert_near(suggestion.incumbent, job_best(&job), 1e-9);
	}
}

/* 30 trials of a bowl, and what an incumbent makes of them. */
static struct suggestion ask_about(double noise, enum strategy_incumbent incumbent)
{
	struct job job;
	struct random random;

	init_bowl(&job);
	random_init(&random, (struct random_key){ .seed = 8, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < 30; i++) {
		const double values[] = { random_uniform(&random), random_uniform(&random) };
		const double value = pow(values[0] - .7, 2) + pow(values[1] - .4, 2);

		job_tell(&job, values, value + noise * random_normal(&random), OBSERVATION_DONE);
	}
	job.strategy.initial = 6;
	job.strategy.incumbent = incumbent;
	return job_ask(&job);
}

static bool is_alike(double noise, enum strategy_incumbent a, enum strategy_incumbent b)
{
	const struct suggestion one = ask_about(noise, a), other = ask_about(noise, b);

	return memcmp(one.values, other.values, 2 * sizeof(double)) == 0;
}

static void noise_augments(void **state)
{
	const enum strategy_incumbent automatic = STRATEGY_INCUMBENT_AUTO;

	assert_true(is_alike(.1, automatic, STRATEGY_INCUMBENT_AUGMENTED));
	assert_false(is_alike(.1, automatic, STRATEGY_INCUMBENT_MEAN));
	assert_true(is_alike(0, automatic, STRATEGY_INCUMBENT_MEAN));
	assert_false(is_alike(0, automatic, STRATEGY_INCUMBENT_AUGMENTED));

	/* What is told is EI itself, of the least mean. */
	const struct suggestion noisy = ask_about(.1, automatic),
				mean = ask_about(.1, STRATEGY_INCUMBENT_MEAN);

	assert_true(noisy.incumbent == mean.incumbent);
	assert_true(noisy.acquisition < mean.acquisition);
	assert_true(noisy.acquisition - noisy.maximised > mean.acquisition - mean.maximised + 0.3);
}

static void the_same_request_gives_the_same_bits(void **state)
{
	struct job job;

	fill_bowl(&job, 12);
	for (size_t i = 0; i < OPTIONS; i++) {
		choose_option(&job, i);

		const struct suggestion a = job_ask(&job), b = job_ask(&job);

		assert_memory_equal(a.values, b.values, 2 * sizeof(double));
		assert_true(a.acquisition == b.acquisition && a.mean == b.mean && a.sd == b.sd);
	}
}

static void durations_matter_to_nothing_else(void **state)
{
	struct job job;

	fill_bowl(&job, 12);
	for (size_t i = 0; i < OPTIONS; i++) {
		struct job other = job;

		if (options[i].strategy.cost_aware)
			continue;
		for (size_t k = 0; k < 12; k++)
			other.observations[k].duration = 0;
		choose_option(&job, i);
		choose_option(&other, i);
		other.request.strategy = &other.strategy;
		other.request.observations = other.observations;

		const struct suggestion a = job_ask(&job), b = job_ask(&other);

		assert_memory_equal(a.values, b.values, 2 * sizeof(double));
	}
}

/* Where no duration is known, being aware of costs changes nothing. */
static void without_durations_costs_do_not_count(void **state)
{
	struct job job;

	fill_bowl(&job, 12);
	for (size_t k = 0; k < 12; k++)
		job.observations[k].duration = 0;
	choose_option(&job, 0);

	const struct suggestion usual = job_ask(&job);

	job.strategy.cost_aware = true;

	const struct suggestion aware = job_ask(&job);

	assert_memory_equal(usual.values, aware.values, 2 * sizeof(double));
	assert_true(usual.acquisition == aware.acquisition);
}

static void the_best_region_is_found(void **state)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		struct job job;
		double nearest = INFINITY;

		init_bowl(&job);
		choose_option(&job, i);
		for (size_t n = 0; n < 30; n++) {
			const struct suggestion suggestion = job_ask(&job);

			job_commit(&job, &suggestion);
			tell_bowl(&job, suggestion.values);
			nearest = fmin(nearest,
				hypot(suggestion.values[0] - .7, suggestion.values[1] - .4));
		}
		assert_no_duplicates(&job);
		if (!(nearest < .1))
			fail_msg("%s comes no nearer than %g", options[i].name, nearest);
	}
}

/* ---- several at once ---- */

static void a_batch_has_different_points(void **state)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		struct job job;
		double batch[4][JOB_D_MAX];

		fill_bowl(&job, 12);
		choose_option(&job, i);
		for (size_t k = 0; k < 4; k++) {
			const struct suggestion suggestion = job_ask(&job);

			memcpy(batch[k], suggestion.values, 2 * sizeof(double));
			for (size_t j = 0; j < k; j++)
				assert_true(hypot(batch[k][0] - batch[j][0],
						    batch[k][1] - batch[j][1]) > 1e-4);
			job.pending[job.request.n_pending++] = batch[k];
			job.request.number++;
		}
	}
}

static void a_hundred_running_trials_are_no_problem(void **state)
{
	static double running[100][JOB_D_MAX];

	for (size_t i = 0; i < OPTIONS; i++) {
		struct job job;

		fill_bowl(&job, 20);
		choose_option(&job, i);
		for (size_t k = 0; k < 100; k++) {
			running[k][0] = (double)k / 100;
			running[k][1] = fmod((double)k * 0.37, 1);
			job.pending[job.request.n_pending++] = running[k];
		}
		assert_int_equal(job_ask(&job).branch, BRANCH_MODEL);
	}
}

/* ---- spaces of other kinds ---- */

static double lattice_objective(const double *x)
{
	return fabs(x[0] - 5) + (x[1] == 2 ? 0 : 1);
}

static void a_small_space_is_walked_over_to_its_end(void **state)
{
	const struct parameter parameters[] = { an_int("n", 0, 7), a_category("c", 3) };

	for (size_t i = 0; i < OPTIONS; i++) {
		struct job job;
		size_t n = 0;

		job_init(&job, STRATEGY_BAYESIAN, parameters, 2);
		choose_option(&job, i);
		for (;; n++) {
			const struct suggestion suggestion = job_ask(&job);

			if (suggestion.exhausted)
				break;
			job_commit(&job, &suggestion);
			job_tell(&job, suggestion.values, lattice_objective(suggestion.values),
				OBSERVATION_DONE);
			job.observations[n].duration = 1 + suggestion.values[0];
		}
		assert_int_equal(n, 24);
		assert_no_duplicates(&job);
	}
}

/* In the tree of fixture_rules.h, half of which fails. */
static void conditions_constraints_and_failures_are_put_up_with(void **state)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		struct job job;
		struct rules rules;
		size_t by_model = 0;

		rules_tree(&rules);
		rules_constrain_tree(&rules);
		job_init_rules(&job, STRATEGY_BAYESIAN, &rules);
		choose_option(&job, i);
		for (size_t n = 0; n < 20; n++) {
			const struct suggestion suggestion = job_ask(&job);
			const double *v = suggestion.values;

			assert_settled(&rules.space, v);
			by_model += suggestion.branch == BRANCH_MODEL;
			job_commit(&job, &suggestion);
			job_tell(&job, v, pow(log(v[LR]), 2) + .1 * v[BATCH],
				v[LAYERS] > 2 ? OBSERVATION_FAILED : OBSERVATION_DONE);
			job.observations[n].duration = 1 + v[BATCH];
		}
		assert_true(by_model >= 10);
		assert_no_duplicates(&job);
		rules_finish(&rules);
	}
}

/* A bowl whose left side fails, right beside its bottom. At random 144 of these 240 fail. */
static size_t failures_at_a_cliff(
	enum strategy_acquisition acquisition, enum strategy_incumbent incumbent)
{
	const size_t seeds = all_or(12, 3);
	size_t failed = 0, known = 0;

	for (uint64_t seed = 1; seed <= seeds; seed++) {
		struct job job;

		init_bowl(&job);
		job.request.seed = seed;
		job.strategy.acquisition = acquisition;
		job.strategy.incumbent = incumbent;
		for (size_t n = 0; n < 40; n++) {
			const struct suggestion suggestion = job_ask(&job);
			const bool fails = suggestion.values[0] < .65;

			job_commit(&job, &suggestion);
			job_tell(&job, suggestion.values, bowl(suggestion.values),
				fails ? OBSERVATION_FAILED : OBSERVATION_DONE);
			failed += fails && n >= 20;
		}
		known += isfinite(job_ask(&job).value_probability);
	}
	/* Now and then too few fail for a model of failures: 10.8 of 12 have one, sd 1. */
	assert_in_range(known, seeds * 7 / 12, seeds);
	return failed;
}

static void whatever_is_maximised_failures_count(void **state)
{
	/* On which side of the cliff a search falls is decided by roundings, hence by the CPU: the limits are four sd above the mean
	 * of twenty such sets of seeds, 5.5 +- 3.4 for EI, 14 +- 6, 15 +- 6 and, since it would rather not repeat what it knows, 30 +- 8
	 * for augmented EI. If it did not matter how likely a failure is, 42 by drawn functions; by the others as many as now,
	 * since the failures' outcomes keep them away already. */
	assert_in_range(failures_at_a_cliff(STRATEGY_EI, STRATEGY_INCUMBENT_MEAN), 0, 20);
	assert_in_range(failures_at_a_cliff(STRATEGY_UCB, STRATEGY_INCUMBENT_AUTO), 0, 38);
	assert_in_range(failures_at_a_cliff(STRATEGY_THOMPSON, STRATEGY_INCUMBENT_AUTO), 0, 38);
	assert_in_range(failures_at_a_cliff(STRATEGY_EI, STRATEGY_INCUMBENT_AUGMENTED), 0, 62);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suggestions_differ_by_option),
		cmocka_unit_test(hopes_are_those_of_expected_improvement),
		cmocka_unit_test(noise_augments),
		cmocka_unit_test(the_same_request_gives_the_same_bits),
		cmocka_unit_test(durations_matter_to_nothing_else),
		cmocka_unit_test(without_durations_costs_do_not_count),
		cmocka_unit_test(the_best_region_is_found),
		cmocka_unit_test(a_batch_has_different_points),
		cmocka_unit_test(a_hundred_running_trials_are_no_problem),
		cmocka_unit_test(a_small_space_is_walked_over_to_its_end),
		cmocka_unit_test(conditions_constraints_and_failures_are_put_up_with),
		cmocka_unit_test(whatever_is_maximised_failures_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
