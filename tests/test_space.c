/* surrogate/space.h: the search space and its map to the unit cube. */
#include "surrogate/space.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct parameter RATE = {
	.name = "rate", .type = PARAMETER_FLOAT, .scale = SCALE_LOG, .min = 0.001, .max = 0.5
};
static const struct parameter MOMENTUM = {
	.name = "momentum", .type = PARAMETER_FLOAT, .scale = SCALE_REVERSE_LOG, .max = 0.99
};
static const struct parameter LAYERS = {
	.name = "layers", .type = PARAMETER_INT, .scale = SCALE_LINEAR, .min = 1, .max = 4
};
static const struct parameter MODEL = {
	.name = "model", .type = PARAMETER_CATEGORICAL, .scale = SCALE_LINEAR, .n_values = 3
};
static const struct parameter TENTHS = {
	.name = "tenths",
	.type = PARAMETER_FLOAT,
	.scale = SCALE_LINEAR,
	.min = 0,
	.max = 0.3,
	.step = 0.1,
};

static struct random stream(uint32_t number)
{
	struct random random;

	random_init(&random,
		(struct random_key){ .seed = 7, .number = number, .purpose = RANDOM_TEST });
	return random;
}

static double between(struct random *random, double low, double high)
{
	return low + random_uniform(random) * (high - low);
}

static bool checks(struct parameter *parameters, size_t d, struct tuner_error *err)
{
	const struct space space = { .d = d, .parameters = parameters };

	return space_check(&space, err);
}

/* A parameter of any kind that space_check accepts. */
static struct parameter random_parameter(struct random *random)
{
	struct parameter p = { .name = "p", .type = (enum parameter_type)random_below(random, 4) };

	if (p.type == PARAMETER_CATEGORICAL || p.type == PARAMETER_ORDINAL) {
		p.scale = SCALE_LINEAR;
		p.n_values = 1 + random_below(random, random_below(random, 2) ? 5 : 10000);
		return p;
	}

	p.scale = (enum parameter_scale)(
		SCALE_LINEAR + random_below(random, p.type == PARAMETER_FLOAT ? 3 : 2));
	if (p.scale == SCALE_REVERSE_LOG) {
		p.min = between(random, 0, 0.9);
		p.max = 1 - (1 - p.min) * pow(10, between(random, -6, -0.01));
	} else {
		p.min = p.scale == SCALE_LOG ? pow(10, between(random, -9, 6))
					     : between(random, -1e6, 1e6);
		p.max = p.min + pow(10, between(random, -3, 12)) * (1 + fabs(p.min));
	}
	if (p.type == PARAMETER_INT) {
		const double width = 1 + floor(p.max - p.min);

		p.min = floor(p.min) + (p.scale == SCALE_LOG);
		p.max = p.min + fmin(width, 0x1p39);
		p.step = (double)random_below(random, 1 + (uint64_t)fmin(p.max - p.min, 50));
	} else if (random_below(random, 2)) {
		p.step = (p.max - p.min) / between(random, 1, 1e6);
	}
	return p;
}

static const uint32_t CASES = 3000;

static void lattice_values_survive_the_cube_exactly(void **state)
{
	for (uint32_t i = 1; i <= CASES; i++) {
		struct random random = stream(i);
		struct parameter p = random_parameter(&random);
		const uint64_t n = parameter_cardinality(&p);
		struct tuner_error err;

		if (!checks(&p, 1, &err))
			fail_msg("case %u: %s", i, err.message);
		for (unsigned k = 0; n > 0 && k < 60; k++) {
			/* both ends, their neighbours, then anywhere */
			const uint64_t rank = k < 2   ? k % n
					      : k < 4 ? n - 1 - (k - 2) % n
						      : random_below(&random, n);
			const double value = parameter_value(&p, rank);
			const double u = parameter_encode(&p, value);
			uint64_t back;

			assert_true(u > 0 && u < 1);
			assert_true(parameter_decode(&p, u) == value);
			assert_true(parameter_contains(&p, value));
			assert_true(parameter_index(&p, value, &back) && back == rank);
		}
	}
}

static void floats_survive_the_cube_to_rounding(void **state)
{
	for (uint32_t i = 1; i <= CASES; i++) {
		struct random random = stream(i);
		struct parameter p = random_parameter(&random);

		if (parameter_cardinality(&p) > 0)
			continue;
		assert_true(parameter_decode(&p, 0) == p.min);
		assert_true(parameter_decode(&p, 1) == p.max);
		assert_true(parameter_encode(&p, p.min) == 0);
		assert_true(parameter_encode(&p, p.max) == 1);
		for (int k = 0; k < 20; k++) {
			const double u = random_uniform(&random), value = parameter_decode(&p, u);

			assert_true(value >= p.min && value <= p.max);
			assert_true(fabs(parameter_encode(&p, value) - u) < 1e-9);
		}
	}
}

/* Whatever the model asks for, infinities and NaN included. */
static void decoding_never_leaves_the_space(void **state)
{
	static const double wild[] = { -INFINITY, -1e300, -1, -1e-300, -0.0, 0, 1e-300, 0.5,
		1 - 0x1p-53, 1, 1 + 0x1p-52, 2, 1e300, INFINITY, NAN };

	for (uint32_t i = 1; i <= CASES; i++) {
		struct random random = stream(i);
		struct parameter p = random_parameter(&random);

		for (size_t k = 0; k < sizeof wild / sizeof wild[0]; k++)
			assert_true(parameter_contains(&p, parameter_decode(&p, wild[k])));
	}
}

static void encoding_is_increasing(void **state)
{
	for (uint32_t i = 1; i <= CASES; i++) {
		struct random random = stream(i);
		struct parameter p = random_parameter(&random);
		const double u = random_uniform(&random), v = random_uniform(&random);
		const double a = parameter_decode(&p, fmin(u, v));
		const double b = parameter_decode(&p, fmax(u, v));

		assert_true(a <= b);
		assert_true(a == b || parameter_encode(&p, a) < parameter_encode(&p, b));
	}
}

/* The reason for widening: with plain [min, max] the ends would get half a cell each. */
static void end_values_of_an_integer_own_whole_cells(void **state)
{
	unsigned count[5] = { 0 };

	for (int i = 0; i < 4000; i++)
		count[(int)parameter_decode(&LAYERS, (i + 0.5) / 4000)]++;
	for (int value = 1; value <= 4; value++)
		assert_int_equal(count[value], 1000);
	assert_true(parameter_encode(&LAYERS, 1) == 0.125);
	assert_true(parameter_encode(&LAYERS, 4) == 0.875);
}

static void a_log_integer_gives_each_value_its_share_of_the_logarithm(void **state)
{
	const struct parameter p = {
		.type = PARAMETER_INT, .scale = SCALE_LOG, .min = 1, .max = 128
	};
	const double whole = log(128.5 / 0.5);

	assert_true(parameter_decode(&p, 0.999 * log(1.5 / 0.5) / whole) == 1);
	assert_true(parameter_decode(&p, 1.001 * log(1.5 / 0.5) / whole) == 2);
	assert_true(fabs(parameter_encode(&p, 16) - log(16 / 0.5) / whole) < 1e-15);
}

/* Half a step below min would be the logarithm of a negative number. */
static void a_coarse_step_on_a_log_scale_still_has_a_first_cell(void **state)
{
	const struct parameter p = {
		.type = PARAMETER_INT, .scale = SCALE_LOG, .min = 1, .max = 31, .step = 10
	};

	assert_int_equal(parameter_cardinality(&p), 4);
	for (uint64_t k = 0; k < 4; k++) {
		const double u = parameter_encode(&p, parameter_value(&p, k));

		assert_true(u > 0 && u < 1);
		assert_true(parameter_decode(&p, u) == 1 + 10.0 * (double)k);
	}
}

/* Where half a step below min, or above max, is no double, or is one on which the scale is no number. */
static void a_lattice_at_the_ends_of_the_doubles_is_mapped(void **state)
{
	static const struct parameter odd[] = {
		{ .scale = SCALE_LOG, .min = 1e-300, .max = 9, .step = 1.5 },
		{ .scale = SCALE_LOG, .min = 1e160, .max = 1e247, .step = 1e246 },
		{ .scale = SCALE_LOG, .min = 1, .max = 1.7e308, .step = 1.7e307 },
		{ .scale = SCALE_LINEAR, .min = -8e307, .max = 8e307, .step = 4e307 },
		{ .scale = SCALE_LINEAR, .min = -1.7e308, .max = 0, .step = 1e307 },
		{ .scale = SCALE_REVERSE_LOG, .min = 0.099999999, .max = 0.999999999, .step = 0.1 },
		{ .scale = SCALE_REVERSE_LOG, .min = 0, .max = 1e-157, .step = 1e-158 },
	};

	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		struct parameter p = odd[i];
		snprintf(p.name, sizeof p.name, "x");
		const uint64_t n = parameter_cardinality(&p);
		struct tuner_error err;
		double before = -1;

		assert_true(checks(&p, 1, &err));
		for (uint64_t k = 0; k < n; k++) {
			const double value = parameter_value(&p, k);
			const double u = parameter_encode(&p, value);

			assert_true(u >= 0 && u <= 1 && u > before);
			assert_true(parameter_decode(&p, u) == value);
			before = u;
		}
	}
}

static void reverse_log_is_uniform_in_the_logarithm_of_the_distance_to_one(void **state)
{
	assert_true(fabs(parameter_encode(&MOMENTUM, 0.9) - 0.5) < 1e-15);
	assert_true(fabs(parameter_decode(&MOMENTUM, 0.5) - 0.9) < 1e-15);
	assert_true(parameter_decode(&MOMENTUM, 0) == 0);
	assert_true(parameter_decode(&MOMENTUM, 1) == 0.99);
}

/* 3 * 0.1 > 0.3 in binary: the last value is still there, and not above max. */
static void decimal_steps_reach_their_last_value_without_drift(void **state)
{
	uint64_t k;

	assert_int_equal(parameter_cardinality(&TENTHS), 4);
	assert_true(parameter_value(&TENTHS, 3) == 0.3);
	assert_true(parameter_value(&TENTHS, 1) == 0.1);
	assert_true(parameter_index(&TENTHS, 0.1 + 0.2, &k) && k == 3);
	assert_false(parameter_contains(&TENTHS, 0.15));
	assert_false(parameter_contains(&TENTHS, 0.1 + 1e-9));

	const struct parameter hundredths = {
		.type = PARAMETER_FLOAT, .scale = SCALE_LINEAR, .min = 0, .max = 10000, .step = 0.01
	};

	assert_int_equal(parameter_cardinality(&hundredths), 1000001);
	assert_true(parameter_value(&hundredths, 123456) == 1234.56);
}

/* In binary 0.3 - 0.2 is less than 0.1, and 10.1 - 10 is. */
static void a_step_as_wide_as_the_range_has_both_ends(void **state)
{
	const double ends[][2] = { { 0.2, 0.3 }, { 10, 10.1 }, { -0.3, -0.2 }, { 0, 0.1 } };

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		struct parameter p = { .name = "p",
			.type = PARAMETER_FLOAT,
			.scale = SCALE_LINEAR,
			.min = ends[i][0],
			.max = ends[i][1],
			.step = 0.1 };
		struct tuner_error err;

		assert_true(checks(&p, 1, &err));
		assert_int_equal(parameter_cardinality(&p), 2);
		assert_true(parameter_value(&p, 1) == p.max);
	}
}

/* As a user reads them: each is the double that its shortest decimal stands for. */
static void values_of_decimal_steps_are_the_decimals_that_a_user_would_write(void **state)
{
	const struct {
		double min, step;
		int places;
	} cases[] = { { 0, 0.1, 1 }, { -1.1, 0.1, 1 }, { 0.05, 0.05, 2 }, { 1e-5, 3e-5, 5 },
		{ 0.5, 0.001, 3 }, { -70, 0.7, 1 }, { 1e-12, 1e-12, 12 }, { 1e6, 0.01, 2 } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (uint64_t k = 0; k <= 1000; k++) {
			const struct parameter p = { .type = PARAMETER_FLOAT,
				.scale = SCALE_LINEAR,
				.min = cases[i].min,
				.max = cases[i].min + 1000.5 * cases[i].step,
				.step = cases[i].step };
			char text[64];

			snprintf(
				text, sizeof text, "%.*f", cases[i].places, parameter_value(&p, k));
			assert_true(strtod(text, NULL) == parameter_value(&p, k));
		}
}

/* A third of no power of ten. */
static void values_of_other_steps_are_min_plus_steps(void **state)
{
	const struct parameter thirds = {
		.type = PARAMETER_FLOAT, .scale = SCALE_LINEAR, .min = 0, .max = 1, .step = 1.0 / 3
	};
	const struct parameter far = { .type = PARAMETER_FLOAT,
		.scale = SCALE_LINEAR,
		.min = 1e15,
		.max = 1e15 + 100,
		.step = 0.5 };

	assert_true(parameter_value(&thirds, 2) == 2 * (1.0 / 3));
	assert_true(parameter_value(&far, 3) == 1e15 + 1.5);
}

static void a_step_that_does_not_divide_the_range_ends_below_max(void **state)
{
	const struct parameter p = {
		.type = PARAMETER_INT, .scale = SCALE_LINEAR, .min = 0, .max = 10, .step = 4
	};

	assert_int_equal(parameter_cardinality(&p), 3);
	assert_true(parameter_value(&p, 2) == 8);
	assert_false(parameter_contains(&p, 10));
	assert_true(parameter_decode(&p, 1) == 8);

	const struct parameter wide = { .type = PARAMETER_INT,
		.scale = SCALE_LINEAR,
		.min = 0,
		.max = 1e10 - 1,
		.step = 1e10 - 2 };

	assert_int_equal(parameter_cardinality(&wide), 2);
}

static void values_outside_encode_outside_or_not_at_all(void **state)
{
	assert_true(fabs(parameter_encode(&RATE, 250) - 2) < 1e-14);
	assert_true(parameter_encode(&RATE, 1e-6) < -1);
	assert_true(isnan(parameter_encode(&RATE, 0)));
	assert_true(isnan(parameter_encode(&RATE, NAN)));
	assert_true(isnan(parameter_encode(&MOMENTUM, 1)));
	assert_true(parameter_encode(&LAYERS, 5) == 1.125);
	assert_true(isnan(parameter_encode(&MODEL, 3)));
	assert_true(isnan(parameter_encode(&MODEL, 0.5)));
	assert_true(isnan(parameter_encode(&MODEL, -1)));
}

static void scales_are_chosen_by_the_documented_ratios(void **state)
{
	struct parameter p[] = {
		{ .type = PARAMETER_FLOAT, .min = 0.01, .max = 1 }, /* 100 */
		{ .type = PARAMETER_FLOAT, .min = 0.0101, .max = 1 },
		{ .type = PARAMETER_FLOAT, .min = 0, .max = 0.98 }, /* 50 */
		{ .type = PARAMETER_FLOAT, .min = 0, .max = 0.97 },
		{ .type = PARAMETER_FLOAT, .min = 0, .max = 1 },
		{ .type = PARAMETER_INT, .min = 1, .max = 100 },
		{ .type = PARAMETER_INT, .min = 0, .max = 1000 },
		{ .type = PARAMETER_CATEGORICAL, .n_values = 2 },
		{ .type = PARAMETER_FLOAT, .scale = SCALE_LINEAR, .min = 1, .max = 1000 },
	};
	static const enum parameter_scale expected[] = { SCALE_LOG, SCALE_LINEAR, SCALE_REVERSE_LOG,
		SCALE_LINEAR, SCALE_LINEAR, SCALE_LOG, SCALE_LINEAR, SCALE_LINEAR, SCALE_LINEAR };
	struct space space = { .d = sizeof p / sizeof p[0], .parameters = p };

	space_resolve_scales(&space);
	for (size_t i = 0; i < space.d; i++)
		assert_int_equal(p[i].scale, expected[i]);
}

static void cardinalities_multiply_and_saturate(void **state)
{
	struct parameter p[] = { LAYERS, MODEL, TENTHS, LAYERS };
	struct parameter huge[SPACE_PARAMETERS_MAX];
	struct space space = { .d = 3, .parameters = p };

	assert_int_equal(space_cardinality(&space), 4 * 3 * 4);
	p[3] = RATE;
	space.d = 4;
	assert_int_equal(space_cardinality(&space), 0);

	for (size_t i = 0; i < SPACE_PARAMETERS_MAX; i++)
		huge[i] = MODEL;
	space = (struct space){ .d = 40, .parameters = huge };
	assert_true(space_cardinality(&space) == 12157665459056928801u); /* 3^40 < 2^64 */
	space.d = 41;
	assert_true(space_cardinality(&space) == UINT64_MAX);
}

static void ranks_count_every_configuration_once(void **state)
{
	struct parameter p[] = { LAYERS, MODEL, TENTHS };
	const struct space space = { .d = 3, .parameters = p };
	const uint64_t n = space_cardinality(&space);
	double all[48][3];

	assert_int_equal(n, 48);
	for (uint64_t rank = 0; rank < n; rank++) {
		space_configuration(&space, rank, all[rank]);
		assert_true(space_contains(&space, all[rank]));
		for (uint64_t other = 0; other < rank; other++)
			assert_false(space_same(&space, all[rank], all[other]));
	}
	assert_true(all[0][2] == 0 && all[1][2] == 0.1 && all[4][1] == 1);
}

static void the_same_means_lattice_point_and_a_millionth_of_the_side(void **state)
{
	struct parameter p[] = { RATE, LAYERS, TENTHS };
	const struct space space = { .d = 3, .parameters = p };
	const double a[] = { parameter_decode(&RATE, 0.5), 2, 0.3 };
	double b[] = { parameter_decode(&RATE, 0.5 + 0.9e-6), 2, 0.1 + 0.2 };

	assert_true(space_same(&space, a, b));
	b[0] = parameter_decode(&RATE, 0.5 + 1.1e-6);
	assert_false(space_same(&space, a, b));
	b[0] = a[0];
	b[1] = 3;
	assert_false(space_same(&space, a, b));
	b[1] = NAN;
	assert_false(space_same(&space, b, b));
}

static void containing_means_inside_and_on_the_lattice(void **state)
{
	assert_true(parameter_contains(&RATE, 0.001) && parameter_contains(&RATE, 0.5));
	assert_false(parameter_contains(&RATE, 0.50001) || parameter_contains(&RATE, NAN));
	assert_true(parameter_contains(&LAYERS, 4));
	assert_false(parameter_contains(&LAYERS, 0) || parameter_contains(&LAYERS, 5));
	assert_false(parameter_contains(&LAYERS, 1.0000001));
	assert_true(parameter_contains(&MODEL, 2));
	assert_false(parameter_contains(&MODEL, 3) || parameter_contains(&MODEL, -1));
	assert_false(parameter_contains(&MODEL, INFINITY));
}

/* Neighbours in the upper half of the largest range: there a half no longer fits into a double. */
static void an_integer_is_on_the_lattice_however_far_from_the_minimum(void **state)
{
	const double largest = 9007199254740992; /* 2^53 */
	const struct parameter p = {
		.name = "p", .type = PARAMETER_INT, .scale = SCALE_LINEAR, .max = largest
	};
	uint64_t k;

	for (double back = 0; back < 9; back++) {
		assert_true(parameter_index(&p, largest - back, &k));
		assert_int_equal(k, (uint64_t)largest - (uint64_t)back);
	}
	assert_true(parameter_contains(&p, largest / 2 + 1));
}

static void senseless_parameters_are_named_and_refused(void **state)
{
	static const struct parameter bad[] = {
		{ .name = "", .type = PARAMETER_FLOAT, .scale = SCALE_LINEAR, .max = 1 },
		{ .name = "b", .type = PARAMETER_FLOAT, .scale = SCALE_LINEAR, .min = 1, .max = 1 },
		{ .name = "b",
			.type = PARAMETER_FLOAT,
			.scale = SCALE_LINEAR,
			.min = NAN,
			.max = 1 },
		{ .name = "b", .type = PARAMETER_FLOAT, .scale = SCALE_LINEAR, .max = INFINITY },
		{ .name = "b",
			.type = PARAMETER_FLOAT,
			.scale = SCALE_LINEAR,
			.min = -1.7e308,
			.max = 1.7e308 },
		{ .name = "b", .type = PARAMETER_FLOAT, .scale = SCALE_AUTO, .max = 1 },
		{ .name = "b", .type = PARAMETER_FLOAT, .scale = SCALE_LOG, .max = 1 },
		{ .name = "b",
			.type = PARAMETER_INT,
			.scale = SCALE_LOG,
			.min = 0x1p53 - 1,
			.max = 0x1p53 },
		{ .name = "b", .type = PARAMETER_FLOAT, .scale = SCALE_REVERSE_LOG, .max = 1 },
		{ .name = "b",
			.type = PARAMETER_FLOAT,
			.scale = SCALE_REVERSE_LOG,
			.min = -.1,
			.max = .9 },
		{ .name = "b",
			.type = PARAMETER_FLOAT,
			.scale = SCALE_LINEAR,
			.max = 1,
			.step = 2 },
		{ .name = "b",
			.type = PARAMETER_FLOAT,
			.scale = SCALE_LINEAR,
			.max = 1,
			.step = -1 },
		{ .name = "b",
			.type = PARAMETER_FLOAT,
			.scale = SCALE_LINEAR,
			.max = 1,
			.step = 1e-17 },
		{ .name = "b", .type = PARAMETER_INT, .scale = SCALE_LINEAR, .max = 1.5 },
		{ .name = "b",
			.type = PARAMETER_INT,
			.scale = SCALE_LINEAR,
			.max = 9,
			.step = 1.5 },
		{ .name = "b", .type = PARAMETER_INT, .scale = SCALE_REVERSE_LOG, .max = 1 },
		{ .name = "b", .type = PARAMETER_INT, .scale = SCALE_LINEAR, .max = 1e300 },
		{ .name = "b", .type = PARAMETER_CATEGORICAL, .scale = SCALE_LINEAR },
		{ .name = "b", .type = PARAMETER_ORDINAL, .n_values = PARAMETER_VALUES_MAX + 1 },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct parameter p[] = { RATE, bad[i] };
		struct tuner_error err = { 0 };

		assert_false(checks(p, 2, &err));
		assert_int_equal(err.code, TUNER_USAGE);
		assert_non_null(strstr(err.message, "parameter 2"));
	}
}

static void names_must_differ_and_some_must_be_there(void **state)
{
	struct parameter p[] = { RATE, MODEL, RATE };
	struct tuner_error err;

	assert_true(checks(p, 2, &err));
	assert_false(checks(p, 3, &err));
	assert_non_null(strstr(err.message, "twice"));
	assert_false(checks(p, 0, &err));
}

static void parameters_are_found_by_name(void **state)
{
	struct parameter p[] = { RATE, MODEL };
	const struct space space = { .d = 2, .parameters = p };

	assert_int_equal(space_find(&space, "model"), 1);
	assert_int_equal(space_find(&space, "mode"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lattice_values_survive_the_cube_exactly),
		cmocka_unit_test(floats_survive_the_cube_to_rounding),
		cmocka_unit_test(decoding_never_leaves_the_space),
		cmocka_unit_test(encoding_is_increasing),
		cmocka_unit_test(end_values_of_an_integer_own_whole_cells),
		cmocka_unit_test(a_log_integer_gives_each_value_its_share_of_the_logarithm),
		cmocka_unit_test(a_coarse_step_on_a_log_scale_still_has_a_first_cell),
		cmocka_unit_test(a_lattice_at_the_ends_of_the_doubles_is_mapped),
		cmocka_unit_test(reverse_log_is_uniform_in_the_logarithm_of_the_distance_to_one),
		cmocka_unit_test(decimal_steps_reach_their_last_value_without_drift),
		cmocka_unit_test(a_step_as_wide_as_the_range_has_both_ends),
		cmocka_unit_test(values_of_decimal_steps_are_the_decimals_that_a_user_would_write),
		cmocka_unit_test(values_of_other_steps_are_min_plus_steps),
		cmocka_unit_test(a_step_that_does_not_divide_the_range_ends_below_max),
		cmocka_unit_test(values_outside_encode_outside_or_not_at_all),
		cmocka_unit_test(scales_are_chosen_by_the_documented_ratios),
		cmocka_unit_test(cardinalities_multiply_and_saturate),
		cmocka_unit_test(ranks_count_every_configuration_once),
		cmocka_unit_test(the_same_means_lattice_point_and_a_millionth_of_the_side),
		cmocka_unit_test(containing_means_inside_and_on_the_lattice),
		cmocka_unit_test(an_integer_is_on_the_lattice_however_far_from_the_minimum),
		cmocka_unit_test(senseless_parameters_are_named_and_refused),
		cmocka_unit_test(names_must_differ_and_some_must_be_there),
		cmocka_unit_test(parameters_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
