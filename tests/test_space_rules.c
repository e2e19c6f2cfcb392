/* surrogate/space.h: conditions and constraints; surrogate/walk.h: one configuration after another. */
#include "surrogate/walk.h"

#include "fixture_rules.h"

/* ---- activity ---- */

static void assert_activity(
	const struct space *space, const double *values, const bool expected[TREE])
{
	bool active[SPACE_PARAMETERS_MAX];

	space_activity(space, values, active);
	for (size_t i = 0; i < space->d; i++)
		if (active[i] != expected[i])
			fail_msg("%s", space->parameters[i].name);
}

static void a_parameter_is_active_where_all_its_conditions_are_met(void **state)
{
	struct rules rules;
	const double all[TREE] = { 0.5, 0, 2, 1, 64, 3, 0.1, 4 };
	double other[TREE];

	rules_tree(&rules);
	assert_activity(&rules.space, all, (bool[]){ 1, 1, 1, 1, 1, 1, 1, 1 });
	memcpy(other, all, sizeof all);
	other[NESTEROV] = 0;
	assert_activity(&rules.space, other, (bool[]){ 1, 1, 0, 1, 1, 1, 1, 1 });
	other[LAYERS] = 1;
	assert_activity(&rules.space, other, (bool[]){ 1, 1, 0, 1, 0, 1, 1, 1 });
	rules_finish(&rules);
}

/* nesterov still says 1, but it is not there. */
static void a_chain_ends_with_its_first_link(void **state)
{
	struct rules rules;
	const double values[TREE] = { 0.5, 2, 2, 1, 64, 3, 0.1, 4 };

	rules_tree(&rules);
	assert_activity(&rules.space, values, (bool[]){ 0, 1, 0, 0, 1, 1, 1, 1 });
	rules_finish(&rules);
}

static void a_parent_that_is_not_given_decides_nothing(void **state)
{
	struct rules rules;
	const double values[TREE] = { NAN, NAN, NAN, NAN, NAN, 1, NAN, NAN };

	rules_tree(&rules);
	assert_activity(&rules.space, values, (bool[]){ 1, 1, 1, 1, 0, 1, 1, 1 });
	rules_finish(&rules);
}

static void settling_puts_the_middle_where_nothing_is(void **state)
{
	struct rules rules;
	double values[TREE] = { 0.1, 1, 0, 0, 8, 1, 0.1, 4 };

	rules_tree(&rules);
	space_settle(&rules.space, values);
	for (size_t i = 0; i < TREE; i++)
		if (i == MOMENTUM || i == DAMPING || i == NESTEROV || i == WIDTH)
			assert_true(values[i] == parameter_inactive_value(&rules.parameters[i]));
	assert_true(values[MOMENTUM] == 0.45 && values[DAMPING] == 2);
	assert_true(values[OPTIMIZER] == 1 && values[LAYERS] == 1 && values[LR] == 0.1);
	assert_settled(&rules.space, values);
	rules_finish(&rules);
}

static void what_is_not_active_makes_no_difference(void **state)
{
	struct rules rules;
	const double a[TREE] = { 0.1, 1, 0, 0, 8, 2, 0.1, 4 },
		     b[TREE] = { 0.8, 1, 3, 1, 8, 2, 0.1, 4 };
	const double c[TREE] = { 0.1, 1, 0, 0, 9, 2, 0.1, 4 },
		     e[TREE] = { 0.1, 0, 0, 0, 8, 2, 0.1, 4 };

	rules_tree(&rules);
	assert_true(space_same(&rules.space, a, b));
	assert_false(space_same(&rules.space, a, c));
	assert_false(space_same(&rules.space, a, e));
	rules_finish(&rules);
}

/* ---- constraints ---- */

static void a_constraint_binds_where_all_that_it_names_is_there(void **state)
{
	struct rules rules;
	double values[TREE] = { 0.5, 0, 2, 1, 64, 3, 0.1, 4 };

	rules_tree(&rules);
	rules_constrain_tree(&rules);
	assert_null(space_broken_constraint(&rules.space, values));
	values[LR] = 0.4;
	assert_string_equal(expression_text(space_broken_constraint(&rules.space, values)),
		"lr * (batch + 1) <= 1.5");
	assert_false(space_contains(&rules.space, values));
	values[BATCH] = 0;
	values[LR] = 0.6;
	assert_string_equal(expression_text(space_broken_constraint(&rules.space, values)),
		"momentum + lr <= 1");
	values[OPTIMIZER] = 2; /* no momentum */
	assert_null(space_broken_constraint(&rules.space, values));
	values[OPTIMIZER] = 0;
	values[MOMENTUM] = NAN; /* not given yet */
	assert_null(space_broken_constraint(&rules.space, values));
	rules_finish(&rules);
}

/* ---- order ---- */

static void parents_come_first_and_else_the_order_stays(void **state)
{
	static const size_t expected[] = { OPTIMIZER, LAYERS, LR, BATCH, MOMENTUM, NESTEROV, WIDTH,
		DAMPING };
	struct rules rules;
	size_t order[TREE];

	rules_tree(&rules);
	space_parents_first(&rules.space, order);
	assert_memory_equal(order, expected, sizeof order);
	rules_finish(&rules);
}

static void circles_are_found_with_one_that_is_on_them(void **state)
{
	const struct parameter parameters[] = { a_category("a", 2), a_category("b", 2),
		a_category("c", 2), a_category("behind", 2), a_category("before", 2) };
	/* before -> a -> b -> c -> a, and c -> behind, in each order */
	static const size_t edges[5][2] = { { 0, 4 }, { 1, 0 }, { 2, 1 }, { 0, 2 }, { 3, 2 } };

	for (size_t turn = 0; turn < 5; turn++) {
		struct rules rules;
		double one = 1;
		size_t circle = 99;

		rules_init(&rules, parameters, 5);
		for (size_t i = 0; i < 5; i++) {
			const size_t *edge = edges[(i + turn) % 5];

			rules.space.conditions[i] =
				(struct condition){ edge[0], edge[1], 1, calloc(1, sizeof one) };
			rules.space.conditions[i].values[0] = one;
		}
		rules.space.n_conditions = 5;
		assert_false(space_order_conditions(&rules.space, &circle));
		assert_in_range(circle, 0, 2);
		rules_finish(&rules);
	}
}

/* ---- checks and copies ---- */

static void assert_check(struct space *space, const char *message)
{
	struct tuner_error err;

	assert_false(space_check(space, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	assert_string_equal(err.message, message);
}

static void unsound_conditions_are_refused(void **state)
{
	struct rules rules;
	struct tuner_error err;

	rules_tree(&rules);
	assert_true(space_check(&rules.space, &err));
	struct condition *first = rules.space.conditions;

	const struct condition kept = first[0];

	first[0].parent = LR;
	assert_check(&rules.space, "condition 1: a float cannot be asked for a value");
	first[0] = kept;
	first[0].n = 0;
	assert_check(&rules.space, "condition 1: it asks for no value");
	first[0] = kept;
	first[0].values[0] = 3;
	assert_check(&rules.space, "condition 1: 3 is no value of its parent");
	first[0].values[0] = 0;
	first[0].parameter = TREE;
	assert_check(&rules.space, "condition 1: it names a parameter that there is not");
	first[0] = rules.space.conditions[3];
	rules.space.conditions[3] = kept;
	assert_check(&rules.space, "condition 1 comes before one of its parent's");
	rules_finish(&rules);
}

/* ---- walks ---- */

static void free_lattice(
	struct lattice *lattice, const struct space *space, double *given, size_t grid_points)
{
	for (size_t i = 0; i < space->d; i++)
		given[i] = NAN;
	lattice_init(lattice, space, given, grid_points);
}

static void a_walk_meets_each_distinct_configuration_once(void **state)
{
	static double all[FINITE_CONFIGURATIONS][5];
	struct rules rules;
	struct lattice lattice;
	struct walk walk;
	double given[5];
	size_t n = 0;

	rules_finite(&rules);
	free_lattice(&lattice, &rules.space, given, 0);
	for (walk_begin(&walk, &lattice, WALK_MAX); !walk.ended; walk_next(&walk)) {
		assert_true(n < FINITE_CONFIGURATIONS && walk.index == n);
		assert_settled(&rules.space, walk.values);
		for (size_t i = 0; i < n; i++)
			assert_false(space_same(&rules.space, all[i], walk.values));
		memcpy(all[n++], walk.values, sizeof all[0]);
	}
	assert_int_equal(n, FINITE_CONFIGURATIONS);
	assert_false(walk.cut);
	rules_finish(&rules);
}

static void without_rules_a_walk_goes_by_rank(void **state)
{
	const struct parameter parameters[] = { an_int("a", 1, 3), a_float("x", 0, 1),
		a_category("c", 4) };
	struct space space = { .d = 3, .parameters = (struct parameter *)parameters };
	double given[3], values[3];
	struct lattice lattice;
	struct walk walk;

	free_lattice(&lattice, &space, given, 5);
	for (walk_begin(&walk, &lattice, WALK_MAX); !walk.ended; walk_next(&walk)) {
		lattice_configuration(&lattice, walk.index, values);
		assert_memory_equal(values, walk.values, sizeof values);
	}
	assert_int_equal(walk.index, 60);
}

static void counting_knows_constraints_and_its_bounds(void **state)
{
	struct rules rules;
	struct lattice lattice;
	double given[5];
	bool whole;

	rules_finite(&rules);
	rules_constrain(&rules, "y > 0 and y < 4"); /* 3 of 5 */
	rules_constrain(&rules, "a <= 2"); /* of kind 0: 2 of 3 */
	free_lattice(&lattice, &rules.space, given, 0);
	assert_int_equal(walk_count(&lattice, WALK_MAX, UINT64_MAX, &whole), (2 * 2 + 4) * 3);
	assert_true(whole);
	assert_int_equal(walk_count(&lattice, WALK_MAX, 7, &whole), 7);
	assert_false(whole);
	/* y = 0 six times, then y = 1 with a and b. */
	assert_int_equal(walk_count(&lattice, 10, UINT64_MAX, &whole), 4);
	assert_false(whole);
	given[0] = 1;
	given[1] = parameter_inactive_value(&rules.parameters[1]);
	lattice_init(&lattice, &rules.space, given, 0);
	assert_int_equal(walk_count(&lattice, WALK_MAX, UINT64_MAX, &whole), 4 * 3);
	rules_finish(&rules);
}

/* Ten branches with 10^9 values each: their product fits nowhere, their sum is all there is. */
static void a_wide_tree_does_not_multiply(void **state)
{
	struct parameter parameters[11];
	struct rules rules;
	struct lattice lattice;
	double given[11];
	bool whole;

	parameters[0] = a_category("branch", 10);
	for (size_t i = 1; i <= 10; i++) {
		char name[24];

		snprintf(name, sizeof name, "n%zu", i);
		parameters[i] = an_int(name, 1, 1000);
	}
	rules_init(&rules, parameters, 11);
	for (size_t i = 1; i <= 10; i++)
		rules_depend(&rules, i, 0, (double[]){ (double)i - 1 }, 1);
	free_lattice(&lattice, &rules.space, given, 0);
	assert_true(lattice.size == UINT64_MAX);
	assert_int_equal(walk_count(&lattice, WALK_MAX, UINT64_MAX, &whole), 10000);
	assert_true(whole);
	rules_finish(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_parameter_is_active_where_all_its_conditions_are_met),
		cmocka_unit_test(a_chain_ends_with_its_first_link),
		cmocka_unit_test(a_parent_that_is_not_given_decides_nothing),
		cmocka_unit_test(settling_puts_the_middle_where_nothing_is),
		cmocka_unit_test(what_is_not_active_makes_no_difference),
		cmocka_unit_test(a_constraint_binds_where_all_that_it_names_is_there),
		cmocka_unit_test(parents_come_first_and_else_the_order_stays),
		cmocka_unit_test(circles_are_found_with_one_that_is_on_them),
		cmocka_unit_test(unsound_conditions_are_refused),
		cmocka_unit_test(a_walk_meets_each_distinct_configuration_once),
		cmocka_unit_test(without_rules_a_walk_goes_by_rank),
		cmocka_unit_test(counting_knows_constraints_and_its_bounds),
		cmocka_unit_test(a_wide_tree_does_not_multiply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
