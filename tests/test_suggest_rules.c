/* surrogate/suggest.h with conditions and constraints: what every strategy promises. */
#include "fixture_rules.h"
#include "sanitized.h"

#include "surrogate/columns.h"
#include "surrogate/gp.h"

static const enum strategy_name all_strategies[] = { STRATEGY_RANDOM, STRATEGY_SOBOL, STRATEGY_GRID,
	STRATEGY_BAYESIAN };

enum { STRATEGIES = sizeof all_strategies / sizeof *all_strategies };

/* A tree's objective: momentum and damping help, if they are there. It pulls against the constraints. */
static double loss(const double *v)
{
	const bool sgd = v[OPTIMIZER] == 0, wide = v[LAYERS] > 1;
	const double rate = log(v[LR]);

	return rate * rate / 10 + (sgd ? fabs(v[MOMENTUM] - 0.8) - 0.3 : 0) +
	       (sgd && v[NESTEROV] == 1 ? 0.1 * v[DAMPING] : 0.2) +
	       (wide ? 0.001 * fabs(v[WIDTH] - 400) : 0.5) - 0.1 * v[BATCH];
}

static double mean_of_kinds(const double *v)
{
	return v[0] == 0 ? fabs(v[1] - 2) + v[2] + 0.1 * v[4] : 0.5 * v[3] - 0.1 * v[4];
}

/* ---- what holds for each proposal ---- */

static void run_on_tree(enum strategy_name name, size_t n, bool constrained)
{
	static struct job job;
	struct rules rules;

	rules_tree(&rules);
	if (constrained)
		rules_constrain_tree(&rules);
	job_init_rules(&job, name, &rules);
	job.strategy.grid_points = 3;
	for (size_t i = 0; i < n; i++) {
		const struct suggestion suggestion = job_ask(&job);

		assert_false(suggestion.exhausted);
		assert_settled(&rules.space, suggestion.values);
		job_commit(&job, &suggestion);
		job_tell(&job, suggestion.values, loss(suggestion.values), OBSERVATION_DONE);
	}
	assert_no_duplicates(&job);
	rules_finish(&rules);
}

/* Least loss of 80 trials in a trust region. */
static double search_tree_in_trust_region(uint64_t seed)
{
	static struct job job;
	struct rules rules;
	size_t by_model = 0;

	rules_tree(&rules);
	rules_constrain_tree(&rules);
	job_init_rules(&job, STRATEGY_BAYESIAN, &rules);
	job.request.seed = seed;
	job.strategy.trust_region = STRATEGY_TRUST_REGION_ALWAYS;
	for (size_t i = 0; i < 80; i++) {
		const struct suggestion suggestion = job_ask(&job);

		assert_settled(&rules.space, suggestion.values);
		by_model += suggestion.branch == BRANCH_MODEL;
		job_commit(&job, &suggestion);
		job_tell(&job, suggestion.values, loss(suggestion.values), OBSERVATION_DONE);
	}
	assert_no_duplicates(&job);
	assert_true(by_model > 60);
	rules_finish(&rules);
	return job_best(&job);
}

static void a_trust_region_leaves_neither_tree_nor_constraints(void **state)
{
	const size_t seeds = all_or(6, 2);
	double mean = 0;

	for (uint64_t seed = 1; seed <= seeds; seed++)
		mean += search_tree_in_trust_region(seed) / (double)seeds;
	/* 80 random trials: +0.12 (12 seeds). */
	assert_true(mean < -0.1);
}

static void no_strategy_leaves_the_tree(void **state)
{
	for (size_t i = 0; i < STRATEGIES; i++)
		run_on_tree(all_strategies[i], 100, false);
}

static void no_strategy_breaks_a_constraint(void **state)
{
	for (size_t i = 0; i < STRATEGIES; i++)
		run_on_tree(all_strategies[i], 100, true);
}

/* The model is what proposes, also where it costs work, and with trials pending. */
static void the_model_proposes_within_the_rules(void **state)
{
	static struct job job;
	struct rules rules;
	double pending[3][TREE];
	size_t by_model = 0;

	rules_tree(&rules);
	rules_constrain_tree(&rules);
	job_init_rules(&job, STRATEGY_BAYESIAN, &rules);
	job_run(&job, loss, 15);
	for (size_t i = 0; i < 3; i++) {
		job.request.work_limit = i == 2 ? 500 : 0;
		const struct suggestion suggestion = job_ask(&job);

		assert_settled(&rules.space, suggestion.values);
		memcpy(pending[i], suggestion.values, sizeof pending[i]);
		job.pending[i] = pending[i];
		job.request.n_pending++;
		job.request.number++;
		by_model += suggestion.branch == BRANCH_MODEL;
	}
	assert_int_equal(by_model, 3);
	rules_finish(&rules);
}

/* Random search gets to -0.6 or so; the optimum lies on two of the constraints. */
static void the_model_finds_the_good_branch(void **state)
{
	static struct job random, bayesian;
	struct rules rules;

	rules_tree(&rules);
	rules_constrain_tree(&rules);
	job_init_rules(&random, STRATEGY_RANDOM, &rules);
	job_init_rules(&bayesian, STRATEGY_BAYESIAN, &rules);
	job_run(&random, loss, 80);
	job_run(&bayesian, loss, 80);
	if (!(job_best(&bayesian) < job_best(&random) - 0.02))
		fail_msg("%g is not better than %g", job_best(&bayesian), job_best(&random));
	rules_finish(&rules);
}

/* ---- finite spaces ---- */

static double first_value(const double *values)
{
	return isnan(values[0]) ? 0 : values[0];
}

static void exhaust(enum strategy_name name, bool constrained, size_t n)
{
	static struct job job;
	struct rules rules;

	rules_finite(&rules);
	if (constrained) {
		rules_constrain(&rules, "y > 0 and y < 4");
		rules_constrain(&rules, "a <= 2");
	}
	job_init_rules(&job, name, &rules);
	assert_int_equal(job_run(&job, mean_of_kinds, n + 1), n);
	assert_no_duplicates(&job);
	for (size_t i = 0; i < n; i++)
		assert_settled(&rules.space, job.values[i]);
	rules_finish(&rules);
}

static void each_distinct_configuration_is_tried_once_then_nothing(void **state)
{
	for (size_t i = 0; i < STRATEGIES; i++) {
		exhaust(all_strategies[i], false, FINITE_CONFIGURATIONS);
		exhaust(all_strategies[i], true, (2 * 2 + 4) * 3);
	}
}

/* One of twenty categories has a float; the others are tried soon, and then most draws are in vain. */
static void a_space_with_an_infinite_part_is_never_exhausted(void **state)
{
	const struct parameter parameters[] = { a_float("x", 0, 1), a_category("c", 20) };
	static struct job job;
	struct rules rules;

	rules_init(&rules, parameters, 2);
	rules_depend(&rules, 0, 1, (double[]){ 7 }, 1);
	for (size_t i = 0; i < 2; i++) {
		job_init_rules(&job, i == 0 ? STRATEGY_RANDOM : STRATEGY_SOBOL, &rules);
		assert_int_equal(job_run(&job, first_value, 400), 400);
		assert_no_duplicates(&job);
	}
	rules_finish(&rules);
}

/* Where values are given, a trial is repeated after as many draws as in any space, though one of 200
 * would have been of the infinite part. */
static void a_given_part_of_an_infinite_space_is_repeated(void **state)
{
	const struct parameter parameters[] = { a_float("x", 0, 1), a_category("b", 200),
		a_category("c", 2) };
	const double partial[] = { NAN, NAN, 1 };
	static struct job job;
	struct rules rules;

	rules_init(&rules, parameters, 3);
	rules_depend(&rules, 0, 1, (double[]){ 7 }, 1);
	job_init_rules(&job, STRATEGY_SOBOL, &rules);
	for (int b = 0; b < 200; b++) {
		double values[] = { .5, b, 1 };

		space_settle(&rules.space, values);
		job_tell(&job, values, 1, OBSERVATION_DONE);
	}
	job.request.partial = partial;
	const struct suggestion suggestion = job_ask(&job);

	assert_true(suggestion.values[2] == 1 && suggestion.values[1] != 7);
	assert_int_equal(suggestion.sequence, 64 + 1);
	rules_finish(&rules);
}

static void assert_given_is_proposed(struct job *job, double *partial)
{
	job->request.partial = partial;
	const struct suggestion suggestion = job_ask(job);

	job->request.partial = NULL;
	assert_false(suggestion.exhausted);
	assert_settled(&job->space, suggestion.values);
	assert_true(suggestion.values[0] == partial[0] && suggestion.values[1] == partial[1]);
}

/* First the rest of the space is open, then nothing of it is. */
static void given_values_whose_completions_were_tried_are_repeated(void **state)
{
	static struct job job;
	double partial[] = { 0, 2, NAN, NAN, 3 };
	struct rules rules;

	rules_finite(&rules);
	for (size_t i = 0; i < STRATEGIES; i++) {
		job_init_rules(&job, all_strategies[i], &rules);
		for (int b = 0; b < 2; b++)
			job_tell(&job, (double[]){ 0, 2, b, 0, 3 }, 0.1 * b, OBSERVATION_DONE);
		assert_given_is_proposed(&job, partial);
		assert_int_equal(job_run(&job, mean_of_kinds, FINITE_CONFIGURATIONS),
			FINITE_CONFIGURATIONS - 2);
		assert_given_is_proposed(&job, partial);
	}
	rules_finish(&rules);
}

static void a_grids_size_counts_what_is_allowed(void **state)
{
	const struct strategy grid = { .name = STRATEGY_GRID };
	struct rules rules;

	rules_finite(&rules);
	assert_int_equal(strategy_grid_size(&grid, &rules.space), FINITE_CONFIGURATIONS);
	rules_constrain(&rules, "y == 2");
	assert_int_equal(strategy_grid_size(&grid, &rules.space), FINITE_CONFIGURATIONS / 5);
	rules_finish(&rules);
}

/* One in 40,000 or so is allowed: too few to be drawn soon, but countable. */
static void the_last_of_many_is_found_by_walking(void **state)
{
	const struct parameter parameters[] = { an_int("a", 1, 200), an_int("b", 1, 200),
		an_int("c", 1, 20) };
	static struct job job;

	for (size_t i = 0; i < STRATEGIES; i += all_or(1, 2)) {
		struct rules rules;

		rules_init(&rules, parameters, 3);
		rules_constrain(&rules, "a == 77 and b == 3 * a - 100 and c > 17");
		job_init_rules(&job, all_strategies[i], &rules);
		assert_int_equal(job_run(&job, mean_of_kinds, 4), 3);
		rules_finish(&rules);
	}
}

/* ---- constraints that leave nothing ---- */

static void assert_fails(const struct job *job, const char *message)
{
	struct suggestion suggestion;
	struct tuner_error err;

	assert_false(suggest(&job->request, &suggestion, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	assert_string_equal(err.message, message);
}

static void constraints_that_leave_nothing_are_an_error(void **state)
{
	static struct job job;
	struct rules rules;

	rules_finite(&rules);
	rules_constrain(&rules, "y > 4");
	for (size_t i = 0; i < STRATEGIES; i++) {
		job_init_rules(&job, all_strategies[i], &rules);
		assert_fails(
			&job, all_strategies[i] == STRATEGY_GRID
				      ? "no configuration of the grid satisfies the constraints"
				      : "no configuration satisfies the constraints");
	}
	rules_finish(&rules);
	rules_tree(&rules);
	rules_constrain(&rules, "lr > 1");
	job_init_rules(&job, STRATEGY_BAYESIAN, &rules);
	assert_fails(&job, "no configuration that was looked at satisfies the constraints: loosen "
			   "them, or write what they say as other bounds");
	rules_finish(&rules);
}

/* ---- partial configurations ---- */

static void given_values_are_completed_within_the_rules(void **state)
{
	static struct job job;
	double partial[TREE] = { NAN, 0, NAN, 1, NAN, NAN, 0.9, NAN };
	struct rules rules;

	rules_tree(&rules);
	rules_constrain_tree(&rules);
	for (size_t i = 0; i < STRATEGIES; i++) {
		job_init_rules(&job, all_strategies[i], &rules);
		job_run(&job, loss, 12);
		job.request.partial = partial;
		const struct suggestion suggestion = job_ask(&job);

		assert_settled(&rules.space, suggestion.values);
		assert_true(suggestion.values[OPTIMIZER] == 0 && suggestion.values[LR] == 0.9);
		assert_true(suggestion.values[NESTEROV] == 1 && suggestion.values[BATCH] == 0);
		assert_true(suggestion.values[MOMENTUM] <= 0.1);
	}
	rules_finish(&rules);
}

static void what_depends_on_a_given_value_need_not_be_given(void **state)
{
	static struct job job;
	double partial[TREE] = { NAN, 2, NAN, NAN, NAN, 1, NAN, NAN };
	struct rules rules;

	rules_tree(&rules);
	job_init_rules(&job, STRATEGY_SOBOL, &rules);
	job.request.partial = partial;
	const struct suggestion suggestion = job_ask(&job);

	assert_settled(&rules.space, suggestion.values);
	assert_true(suggestion.values[OPTIMIZER] == 2 && suggestion.values[LAYERS] == 1);
	rules_finish(&rules);
}

/* The grid has lr at 0.001, 0.03 and 1. */
static void a_grid_completes_what_is_given_elsewhere_if_it_must(void **state)
{
	static struct job job;
	double partial[TREE] = { NAN, 1, NAN, NAN, NAN, 1, NAN, NAN };
	struct rules rules;

	rules_tree(&rules);
	rules_constrain(&rules, "optimizer != 1 or (lr > 0.1 and lr < 0.5)");
	job_init_rules(&job, STRATEGY_GRID, &rules);
	job.strategy.grid_points = 3;
	job.request.sequence = 7;
	job.request.partial = partial;
	const struct suggestion suggestion = job_ask(&job);

	assert_settled(&rules.space, suggestion.values);
	assert_true(suggestion.values[OPTIMIZER] == 1 && suggestion.values[LR] > 0.1);
	assert_int_equal(suggestion.branch, BRANCH_SOBOL);
	assert_int_equal(suggestion.sequence, 7);
	rules_finish(&rules);
}

static void given_values_against_the_rules_are_refused(void **state)
{
	static struct job job;
	struct rules rules;
	double without_parent[TREE] = { 0.5, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
	double forbidden[TREE] = { NAN, NAN, NAN, NAN, NAN, NAN, 0.9, 4 };
	double hopeless[TREE] = { 0.9, 0, NAN, NAN, NAN, NAN, NAN, NAN };

	rules_tree(&rules);
	rules_constrain_tree(&rules);
	rules_constrain(&rules, "momentum <= 0.5 or lr > 0.2");
	job_init_rules(&job, STRATEGY_SOBOL, &rules);
	job.request.partial = without_parent;
	assert_fails(&job, "momentum is given, but not optimizer, on which it depends");
	job.request.partial = forbidden;
	assert_fails(&job, "the given values break the constraint lr * (batch + 1) <= 1.5");
	job.request.partial = hopeless;
	assert_fails(&job, "no configuration that was looked at satisfies the constraints together "
			   "with the values that are given");
	rules_finish(&rules);
}

/* ---- trials from before the rules ---- */

/* They were tried without them: data for the model all the same. */
static void trials_that_break_a_rule_do_no_harm(void **state)
{
	static struct job job;
	struct rules rules;
	struct random random;

	rules_tree(&rules);
	rules_constrain_tree(&rules);
	job_init_rules(&job, STRATEGY_BAYESIAN, &rules);
	random_init(&random, (struct random_key){ .seed = 5, .purpose = RANDOM_SPACE });
	for (size_t i = 0; i < 20; i++) {
		double u[TREE], values[TREE];

		for (size_t k = 0; k < TREE; k++)
			u[k] = random_uniform(&random);
		space_decode(&rules.space, u, values);
		values[LR] = 0.5 + 0.5 * u[0]; /* often forbidden; nothing is settled */
		job_tell(&job, values, loss(values), OBSERVATION_DONE);
	}
	for (size_t i = 0; i < 20; i++) {
		const struct suggestion suggestion = job_ask(&job);

		assert_settled(&rules.space, suggestion.values);
		assert_int_equal(suggestion.branch, BRANCH_MODEL);
		job_commit(&job, &suggestion);
		job_tell(&job, suggestion.values, loss(suggestion.values), OBSERVATION_DONE);
	}
	rules_finish(&rules);
}

/* ---- random trees ---- */

static struct parameter random_parameter(struct random *random, size_t i)
{
	char name[24];

	snprintf(name, sizeof name, "p%zu", i);
	switch (random_below(random, 6)) {
	case 0:
		return a_float(name, -1, 2);
	case 1:
		return a_log_float(name, 0.01, 10);
	case 2:
		return an_int(name, 1, 1 + (double)(1 + random_below(random, 200)));
	case 3:
		return a_stepped_float(name, 0, 1, 0.25);
	case 4:
		return an_ordinal(name, 1 + random_below(random, 5));
	default:
		return a_category(name, 1 + random_below(random, 4));
	}
}

/* Up to two conditions a parameter, each on an earlier one of another kind than float, which is stored
 * behind it as often as not. */
static void random_rules(struct rules *rules, struct random *random)
{
	struct parameter parameters[8];
	const size_t d = 2 + random_below(random, 7);

	for (size_t i = 0; i < d; i++)
		parameters[i] = random_parameter(random, i);
	const bool backwards = random_below(random, 2);

	rules_init(rules, parameters, d);
	for (size_t i = 1; i < d; i++)
		for (uint64_t n = random_below(random, 3); n > 0; n--) {
			const size_t above = random_below(random, i);
			const size_t child = backwards ? d - 1 - i : i;
			const size_t parent = backwards ? d - 1 - above : above;
			const uint64_t size = parameter_cardinality(&parameters[parent]);
			const uint64_t k = size > 0 ? random_below(random, size) : 0;

			if (parameters[parent].type != PARAMETER_FLOAT)
				rules_depend(rules, child, parent,
					(double[]){ parameter_value(&parameters[parent], k) }, 1);
		}
	for (uint64_t n = random_below(random, 3); n > 0; n--) {
		char formula[80];

		snprintf(formula, sizeof formula, "p%d + p%d <= %g or p%d > p%d",
			(int)random_below(random, d), (int)random_below(random, d),
			4 * random_uniform(random), (int)random_below(random, d),
			(int)random_below(random, d));
		rules_constrain(rules, formula);
	}
}

static double any_objective(struct random *random, const double *values)
{
	const uint64_t kind = random_below(random, 20);

	return kind == 0 ? INFINITY : kind == 1 ? 0 : values[0] + random_normal(random);
}

/* Whatever the space: settled, allowed, nothing twice, and an end only where all has been tried. */
static void random_spaces_are_searched_within_their_rules(void **state)
{
	static struct job job;
	struct random random;
	const int rounds = (int)all_or(200, 70);
	size_t failures = 0, ends = 0;

	random_init(&random, (struct random_key){ .seed = 11, .purpose = RANDOM_TEST });
	for (int round = 0; round < rounds; round++) {
		struct rules rules;

		random_rules(&rules, &random);
		job_init_rules(&job, all_strategies[round % STRATEGIES], &rules);
		job.request.seed = (uint64_t)round;
		job.request.work_limit = random_below(&random, 2) ? 300 : 0;
		for (int i = 0; i < 25; i++) {
			struct suggestion suggestion;
			struct tuner_error err;

			if (!suggest(&job.request, &suggestion, &err)) {
				assert_int_equal(err.code, TUNER_USAGE);
				assert_non_null(strstr(err.message, "satisfies the constraints"));
				assert_int_equal(i, 0);
				failures++;
				break;
			}
			ends += suggestion.exhausted;
			if (suggestion.exhausted)
				break;
			assert_settled(&rules.space, suggestion.values);
			job_commit(&job, &suggestion);
			job_tell(&job, suggestion.values, any_objective(&random, suggestion.values),
				random_below(&random, 10) ? OBSERVATION_DONE : OBSERVATION_FAILED);
		}
		assert_no_duplicates(&job);
		rules_finish(&rules);
	}
	assert_true(failures < 20 && ends > 5 && ends < 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_strategy_leaves_the_tree),
		cmocka_unit_test(a_trust_region_leaves_neither_tree_nor_constraints),
		cmocka_unit_test(no_strategy_breaks_a_constraint),
		cmocka_unit_test(the_model_proposes_within_the_rules),
		cmocka_unit_test(the_model_finds_the_good_branch),
		cmocka_unit_test(each_distinct_configuration_is_tried_once_then_nothing),
		cmocka_unit_test(a_space_with_an_infinite_part_is_never_exhausted),
		cmocka_unit_test(a_given_part_of_an_infinite_space_is_repeated),
		cmocka_unit_test(given_values_whose_completions_were_tried_are_repeated),
		cmocka_unit_test(a_grids_size_counts_what_is_allowed),
		cmocka_unit_test(the_last_of_many_is_found_by_walking),
		cmocka_unit_test(constraints_that_leave_nothing_are_an_error),
		cmocka_unit_test(given_values_are_completed_within_the_rules),
		cmocka_unit_test(what_depends_on_a_given_value_need_not_be_given),
		cmocka_unit_test(a_grid_completes_what_is_given_elsewhere_if_it_must),
		cmocka_unit_test(given_values_against_the_rules_are_refused),
		cmocka_unit_test(trials_that_break_a_rule_do_no_harm),
		cmocka_unit_test(random_spaces_are_searched_within_their_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
