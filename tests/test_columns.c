/* surrogate/columns.h: the coordinates that the model sees. */
#include "surrogate/columns.h"

#include "base/random.h"
#include "fixture_rules.h"

enum { D = 6 };

/* A float, a constant, a category, an int, an ordinal of one, a log float with a given value. */
struct fixture {
	struct parameter parameters[D];
	struct space space;
	double given[D];
	struct columns columns;
};

static void set_up(struct fixture *f)
{
	*f = (struct fixture){
		.parameters = { a_float("x", -1, 3), a_category("one", 1), a_category("c", 3),
			an_int("n", 1, 40), an_ordinal("o", 1), a_log_float("y", 0.01, 10) },
		.given = { NAN, NAN, NAN, NAN, NAN, 0.2 },
	};
	f->space = (struct space){ D, f->parameters };
	columns_init(&f->columns, &f->space, f->given);
}

static void parameters_with_one_value_leave_the_model(void **state)
{
	struct fixture f;

	set_up(&f);
	assert_int_equal(f.columns.d, 4);
	assert_int_equal(f.columns.parameter[0], 0);
	assert_int_equal(f.columns.parameter[1], 2);
	assert_int_equal(f.columns.parameter[2], 3);
	assert_int_equal(f.columns.parameter[3], 5);
}

/* Only a category is compared by equality; an ordinal has distances. */
static void kinds_and_cardinalities_are_the_parameters_own(void **state)
{
	struct fixture f;

	set_up(&f);
	for (size_t k = 0; k < f.columns.d; k++)
		assert_int_equal(
			f.columns.kinds[k], k == 1 ? DIMENSION_CATEGORY : DIMENSION_NUMERIC);
	assert_int_equal(f.columns.cardinality[0], 0);
	assert_int_equal(f.columns.cardinality[1], 3);
	assert_int_equal(f.columns.cardinality[2], 40);
	assert_false(f.columns.is_held[0]);
	assert_true(f.columns.is_held[3]);
}

static void a_configuration_survives_encoding_and_decoding(void **state)
{
	const double values[] = { 0.7, 0, 2, 17, 0, 0.2 };
	struct fixture f;
	double x[D], back[D];

	set_up(&f);
	assert_true(columns_encode(&f.columns, values, x));
	columns_decode(&f.columns, x, back);
	assert_near(back[0], 0.7, 1e-15);
	for (size_t i = 1; i < D; i++)
		assert_true(back[i] == values[i]);
}

/* Given values come back as the bits that were given, whatever the coordinates say. */
static void decoding_gives_a_configuration_of_the_space_with_the_given_values(void **state)
{
	struct fixture f;
	struct random random;
	double x[D], values[D];

	set_up(&f);
	random_init(&random, (struct random_key){ .seed = 1, .purpose = RANDOM_TEST });
	for (int i = 0; i < 1000; i++) {
		for (size_t k = 0; k < f.columns.d; k++)
			x[k] = 3 * random_uniform(&random) - 1;
		columns_decode(&f.columns, x, values);
		assert_true(space_contains(&f.space, values));
		assert_true(values[5] == 0.2);
	}
}

static void a_trial_outside_the_bounds_keeps_its_distance(void **state)
{
	struct fixture f;
	double x[D];

	set_up(&f);
	assert_true(columns_encode(&f.columns, (double[]){ 7, 0, 0, 81, 0, 0.01 }, x));
	assert_near(x[0], 2, 1e-15);
	assert_near(x[2], 80.5 / 40, 1e-15);
}

/* A float, a category and a log int that are there only with c = 1. */
static void what_is_not_active_has_a_coordinate_of_its_own(void **state)
{
	const struct parameter parameters[] = { a_float("x", -1, 3), a_category("k", 3),
		an_int("n", 1, 40), a_category("c", 2) };
	const double given[] = { NAN, NAN, NAN, NAN };
	struct columns columns;
	struct rules rules;
	double x[6], values[4];
	bool active[6];

	rules_init(&rules, parameters, 4);
	for (size_t i = 0; i < 3; i++)
		rules_depend(&rules, i, 3, (double[]){ 1 }, 1);
	columns_init(&columns, &rules.space, given);
	/* x and its companion, k, n and its companion, c */
	assert_int_equal(columns.d, 6);
	assert_true(columns.is_parent[5] && !columns.is_parent[0]);
	assert_true(columns_encode(&columns, (double[]){ NAN, 2, 100, 0 }, x));
	assert_true(x[0] == 0.5 && x[2] == 0 && x[3] == 0.5);
	assert_true(x[1] == sqrt(0.5) && x[4] == sqrt(0.5));
	columns_decode(&columns, x, values);
	assert_settled(&rules.space, values);
	columns_activity(&columns, x, active);
	assert_true(!active[0] && !active[2] && !active[3] && active[5]);

	x[5] = 0.75; /* c = 1: now they are there */
	columns_snap(&columns, x);
	columns_activity(&columns, x, active);
	assert_true(active[0] && active[2] && active[3]);
	assert_true(x[1] == 0 && x[4] == 0);
	assert_near(x[2], 0.5 / 3, 0);
	x[0] = 0.9;
	x[5] = 0.25;
	columns_snap(&columns, x);
	assert_true(x[0] == 0.5 && x[1] == sqrt(0.5) && x[2] == 0 && x[3] == 0.5);
	rules_finish(&rules);
}

static void points_are_allowed_by_what_they_decode_to(void **state)
{
	const struct parameter parameters[] = { an_int("n", 1, 10), a_float("x", 0, 1) };
	const double given[] = { NAN, NAN };
	struct columns columns;
	struct rules rules;

	rules_init(&rules, parameters, 2);
	columns_init(&columns, &rules.space, given);
	assert_true(columns_allow(&columns, (double[]){ 0.49, 0.8 }));
	rules_constrain(&rules, "n <= 5 or x < 0.5");
	assert_true(columns_allow(&columns, (double[]){ 0.49, 0.8 }));
	assert_false(columns_allow(&columns, (double[]){ 0.51, 0.8 })); /* n is 6 */
	assert_true(columns_allow(&columns, (double[]){ 0.51, 0.4 }));
	rules_finish(&rules);
}

static void what_has_no_coordinate_is_refused(void **state)
{
	struct fixture f;
	double x[D];

	set_up(&f);
	assert_false(columns_encode(&f.columns, (double[]){ 0, 0, 3, 1, 0, 1 }, x)); /* category */
	assert_false(columns_encode(&f.columns, (double[]){ 0, 0, 0, 1, 0, -1 }, x)); /* log */
	assert_false(columns_encode(&f.columns, (double[]){ NAN, 0, 0, 1, 0, 1 }, x));
	/* What is constant may have been anything before the edit. */
	assert_true(columns_encode(&f.columns, (double[]){ 0, 5, 0, 1, 7, 1 }, x));
}

static void coordinates_and_lattice_values_are_inverse(void **state)
{
	struct fixture f;

	set_up(&f);
	for (size_t column = 1; column <= 2; column++)
		for (uint64_t k = 0; k < f.columns.cardinality[column]; k++) {
			const double u = columns_coordinate(&f.columns, column, k);

			assert_int_equal(columns_index(&f.columns, column, u), k);
		}
	assert_int_equal(columns_index(&f.columns, 2, -5), 0);
	assert_int_equal(columns_index(&f.columns, 2, 5), 39);
}

/* Snapped points have the bits that observed ones have, or the Hamming distance would be wrong. */
static void a_snapped_point_has_the_bits_of_its_own_configuration(void **state)
{
	struct fixture f;
	struct random random;
	double x[D], again[D], values[D], encoded[D];

	set_up(&f);
	random_init(&random, (struct random_key){ .seed = 2, .purpose = RANDOM_TEST });
	for (int i = 0; i < 1000; i++) {
		for (size_t k = 0; k < f.columns.d; k++)
			x[k] = 3 * random_uniform(&random) - 1;
		columns_snap(&f.columns, x);
		memcpy(again, x, sizeof x);
		columns_snap(&f.columns, again);
		columns_decode(&f.columns, x, values);
		assert_true(columns_encode(&f.columns, values, encoded));
		for (size_t k = 0; k < f.columns.d; k++) {
			assert_true(x[k] >= 0 && x[k] <= 1 && x[k] == again[k]);
			if (k > 0)
				assert_true(x[k] == encoded[k]);
		}
		assert_true(x[3] == parameter_encode(&f.parameters[5], 0.2));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_with_one_value_leave_the_model),
		cmocka_unit_test(kinds_and_cardinalities_are_the_parameters_own),
		cmocka_unit_test(a_configuration_survives_encoding_and_decoding),
		cmocka_unit_test(decoding_gives_a_configuration_of_the_space_with_the_given_values),
		cmocka_unit_test(a_trial_outside_the_bounds_keeps_its_distance),
		cmocka_unit_test(what_is_not_active_has_a_coordinate_of_its_own),
		cmocka_unit_test(points_are_allowed_by_what_they_decode_to),
		cmocka_unit_test(what_has_no_coordinate_is_refused),
		cmocka_unit_test(coordinates_and_lattice_values_are_inverse),
		cmocka_unit_test(a_snapped_point_has_the_bits_of_its_own_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
