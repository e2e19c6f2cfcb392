/* surrogate/scalarisation.h: several objectives as one. */
#include "surrogate/scalarisation.h"

#include "fixture_suggest.h"

enum { M_MAX = PARETO_OBJECTIVES_MAX, N = 5 };

static const bool ALL[] = { true, true, true, true, true };

static void norm(const double *outcomes, const bool *kept, size_t n, size_t m,
	const double *weights, double *ret)
{
	struct tuner_error err;

	if (!scalarise(outcomes, kept, n, m, weights, ret, &err))
		fail_msg("%s", err.message);
}

static void weights_of(struct suggest_request *request, uint32_t number, double *ret)
{
	struct tuner_error err;

	request->number = number;
	if (!scalarisation_weights(request, ret, &err))
		fail_msg("%s", err.message);
}

/* ---- weights ---- */

static void weights_are_on_the_simplex(void **state)
{
	struct suggest_request request = { .seed = 7 };
	double weights[M_MAX];

	for (request.n_others = 0; request.n_others <= SUGGEST_OTHERS_MAX; request.n_others++)
		for (uint32_t number = 1; number < 200; number++) {
			double sum = 0;

			weights_of(&request, number, weights);
			for (size_t k = 0; k <= request.n_others; k++) {
				assert_true(weights[k] >= 0 && weights[k] <= 1);
				sum += weights[k];
			}
			assert_near(sum, 1, 1e-15);
		}
}

/* Uniform: each of m weights has the mean 1/m and the variance (m - 1) / m^2 / (m + 1). */
static void weights_are_uniform(void **state)
{
	enum { MANY = 4096 };
	struct suggest_request request = { .seed = 3 };
	double weights[M_MAX];

	for (request.n_others = 1; request.n_others <= SUGGEST_OTHERS_MAX; request.n_others++) {
		const double m = (double)request.n_others + 1;
		double sums[M_MAX] = { 0 }, squares[M_MAX] = { 0 };

		for (uint32_t number = 1; number <= MANY; number++) {
			weights_of(&request, number, weights);
			for (size_t k = 0; k <= request.n_others; k++) {
				sums[k] += weights[k];
				squares[k] += pow(weights[k] - 1 / m, 2);
			}
		}
		for (size_t k = 0; k <= request.n_others; k++) {
			assert_near(sums[k] / MANY, 1 / m, 1e-3);
			assert_near(squares[k] / MANY, (m - 1) / m / m / (m + 1), 1e-3);
		}
	}
}

/* Any 8 in an aligned block fall into 8 different eighths. */
static void few_suggestions_in_a_row_cover_all_weights(void **state)
{
	struct suggest_request request = { .n_others = 1 };
	double weights[2];

	for (request.seed = 1; request.seed < 20; request.seed++)
		for (uint32_t first = 8; first < 80; first += 8) {
			unsigned seen = 0;

			for (uint32_t i = 0; i < 8; i++) {
				weights_of(&request, first + i, weights);
				seen |= 1u << (unsigned)(8 * weights[0]);
			}
			assert_int_equal(seen, 255);
		}
}

static void seed_repeat_and_number_determine_the_weights(void **state)
{
	struct suggest_request request = { .seed = 5, .repeat = 2, .n_others = 2 };
	double first[3], other[3];

	weights_of(&request, 9, first);
	weights_of(&request, 9, other);
	assert_memory_equal(first, other, sizeof first);
	weights_of(&request, 10, other);
	assert_memory_not_equal(first, other, sizeof first);
	request.repeat = 3;
	weights_of(&request, 9, other);
	assert_memory_not_equal(first, other, sizeof first);
	request.repeat = 2;
	request.seed = 6;
	weights_of(&request, 9, other);
	assert_memory_not_equal(first, other, sizeof first);
}

/* ---- the norm ---- */

/* The front is that of the first three: 10 to 30 and 1 to 5. */
static void the_norm_by_hand(void **state)
{
	const double outcomes[] = { 10, 5, /**/ 20, 2, /**/ 30, 1, /**/ 30, 5, /**/ 110, 9 };
	const double weights[] = { 0.25, 0.75 };
	double scalars[N];

	norm(outcomes, ALL, N, 2, weights, scalars);
	assert_near(scalars[0], 0.75 * 1.1 + 0.05 * (0.25 * 0.1 + 0.75 * 1.1), 1e-15);
	assert_near(scalars[1], 0.75 * 0.35 + 0.05 * (0.25 * 0.6 + 0.75 * 0.35), 1e-15);
	assert_near(scalars[2], 0.25 * 1.1 + 0.05 * (0.25 * 1.1 + 0.75 * 0.1), 1e-15);
	assert_near(scalars[3], 0.75 * 1.1 + 0.05 * 1.1, 1e-15);
	assert_near(scalars[4], 0.75 * 2.1 + 0.05 * (0.25 * 5.1 + 0.75 * 2.1), 1e-15);
}

/* Beyond the end, too, where the other objective is as good. */
static void what_is_better_than_all_has_a_lower_norm(void **state)
{
	const double outcomes[] = { 0, 1, /**/ 1, 0, /**/ -0.05, 1, /**/ 0.2, 0.7, /**/ 1, 1 };
	const bool kept[] = { true, true, false, true, true };
	const double weights[] = { 0.99, 0.01 };
	double scalars[N];

	norm(outcomes, kept, N, 2, weights, scalars);
	assert_true(scalars[2] < 0.6 * scalars[0]);
}

static void of_two_trials_the_one_that_surpasses_is_better(void **state)
{
	const double outcomes[] = { 0, 1, 1, /**/ 1, 0, 0.5, /**/ 0.5, 0.5, 0, /**/ 0.5, 0.5, 0.5,
		/**/ 0.5, 0.6, 0.5 };
	const double corners[][3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 }, { 0.2, 0.3, 0.5 } };
	double scalars[N];

	for (size_t i = 0; i < 4; i++) {
		norm(outcomes, ALL, N, 3, corners[i], scalars);
		assert_true(scalars[2] <= scalars[3] && scalars[3] <= scalars[4]);
	}
	assert_true(scalars[2] < scalars[3] && scalars[3] < scalars[4]);
}

/* What is far behind the front does not set the scale. */
static void a_trial_that_diverged_does_not_flatten_the_others(void **state)
{
	double outcomes[] = { 0, 1, /**/ 0.5, 0.4, /**/ 1, 0, /**/ 2, 2, /**/ 1e9, 3 };
	const double weights[] = { 0.5, 0.5 };
	double scalars[N], others[N];

	norm(outcomes, ALL, N, 2, weights, scalars);
	outcomes[8] = 3;
	norm(outcomes, ALL, N, 2, weights, others);
	assert_memory_equal(scalars, others, 4 * sizeof *scalars);
	assert_true(scalars[4] > 1e8);
}

/* Nor does what is over a limit, however good. */
static void only_trials_within_the_limits_set_the_scale(void **state)
{
	const bool kept[] = { false, true, true, true, false };
	const double outcomes[] = { -100, -100, /**/ 0, 4, /**/ 2, 0, /**/ 2, 4, /**/ 1, 2 };
	const double weights[] = { 0.5, 0.5 };
	double scalars[N];

	norm(outcomes, kept, N, 2, weights, scalars);
	assert_near(scalars[1], 0.55 + 0.05 * 0.6, 1e-15);
	assert_near(scalars[4], 0.3 + 0.05 * 0.6, 1e-15);
	assert_near(scalars[0], -12.45 - 0.05 * 37.4, 1e-12);
	/* While none is within, all do. */
	norm(outcomes, (bool[N]){ false }, N, 2, weights, scalars);
	assert_near(scalars[0], 0.05 * 1.1, 1e-12);
}

/* With one trial on the front its distance to the median of all is the unit. */
static void a_front_of_one_trial_has_a_scale(void **state)
{
	double outcomes[] = { 0, 0, /**/ 1, 20, /**/ 2, 10, /**/ 1000, 30, /**/ 3, 40 };
	const double first[] = { 1, 0 }, second[] = { 0, 1 };
	double scalars[N];

	norm(outcomes, ALL, N, 2, first, scalars);
	assert_near(scalars[1], 0.6 * 1.05, 1e-15);
	norm(outcomes, ALL, N, 2, second, scalars);
	assert_near(scalars[1], 1.1 * 1.05, 1e-15);
	/* The worst, if the median is the best, too. */
	outcomes[2] = outcomes[4] = outcomes[6] = 0;
	norm(outcomes, ALL, N, 2, first, scalars);
	assert_near(scalars[4], 1.1 * 1.05, 1e-15);
}

static void an_objective_that_never_changes_counts_for_nothing(void **state)
{
	const double outcomes[] = { 7, 1, /**/ 7, 2, /**/ 7, 3, /**/ 7, 4, /**/ 7, 5 };
	const double weights[] = { 0.9, 0.1 }, constant[] = { 1, 2, 1, 2, 1, 2, 1, 2, 1, 2 };
	double scalars[N];

	norm(outcomes, ALL, N, 2, weights, scalars);
	for (size_t i = 0; i < N; i++)
		assert_near(scalars[i], 0.1 * 1.05 * (0.1 + (double)i / 2), 1e-15);
	norm(constant, ALL, N, 2, weights, scalars);
	for (size_t i = 0; i < N; i++)
		assert_true(scalars[i] == 0);
}

static void infinite_values_are_bounded(void **state)
{
	const double outcomes[] = { 0, 1, /**/ 1, 0, /**/ INFINITY, 0.5, /**/ -INFINITY, 0.5,
		/**/ INFINITY, -INFINITY };
	const double weights[] = { 0, 1 }, both[] = { 0.5, 0.5 };
	double scalars[N];

	norm(outcomes, ALL, N, 2, weights, scalars);
	for (size_t i = 0; i < N; i++)
		assert_true(isfinite(scalars[i]));
	norm(outcomes, ALL, N, 2, both, scalars);
	assert_near(scalars[0], 0.55 + 0.05 * 0.6, 1e-15);
	assert_near(scalars[3], 0.3 + 0.05 * 0.35, 1e-15);
	assert_true(scalars[2] > 1e99 && scalars[4] > 1e99);
	assert_true(isfinite(scalars[2]) && isfinite(scalars[4]));
	/* Without a finite trial. */
	norm(&outcomes[4], ALL, 3, 2, both, scalars);
	for (size_t i = 0; i < 3; i++)
		assert_true(isfinite(scalars[i]));
}

static void the_largest_numbers_do_not_overflow(void **state)
{
	const double outcomes[] = { -1.7e308, 5e-324, /**/ 1.7e308, 0, /**/ 0, 1e-320, /**/ 1e300,
		1e308, /**/ 1, 1 };
	const double weights[] = { 0.5, 0.5 };
	double scalars[N];

	norm(outcomes, ALL, N, 2, weights, scalars);
	for (size_t i = 0; i < N; i++)
		assert_true(isfinite(scalars[i]));
	assert_near(scalars[1], 0.55 + 0.05 * 0.6, 1e-15);
}

static void what_is_not_known_has_no_norm(void **state)
{
	const double outcomes[] = { 0, NAN, /**/ NAN, 0, /**/ 1, 1, /**/ 2, 0, /**/ 0, 2 };
	const double weights[] = { 0.5, 0.5 };
	double scalars[N];

	norm(outcomes, ALL, N, 2, weights, scalars);
	assert_true(isnan(scalars[0]) && isnan(scalars[1]));
	for (size_t i = 2; i < N; i++)
		assert_true(isfinite(scalars[i]));
	norm(outcomes, ALL, 0, 2, weights, scalars);
}

static void draw(struct random *random, size_t n, double *ret)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = random_normal(random);
}

static void a_unit_of_a_power_of_two_changes_no_bit(void **state)
{
	static const double units[] = { 0x1p-40, 8, 0x1p90, 0.5 };
	const double weights[] = { 0.1, 0.4, 0.2, 0.3 };
	double outcomes[N * M_MAX], scalars[N], others[N];
	struct random random;

	random_init(&random, (struct random_key){ .purpose = RANDOM_TEST });
	draw(&random, N * M_MAX, outcomes);
	norm(outcomes, ALL, N, M_MAX, weights, scalars);
	for (size_t i = 0; i < N * M_MAX; i++)
		outcomes[i] *= units[i % M_MAX];
	norm(outcomes, ALL, N, M_MAX, weights, others);
	assert_memory_equal(scalars, others, sizeof scalars);
	for (size_t i = 0; i < N; i++)
		outcomes[i * M_MAX + 1] = 3 * outcomes[i * M_MAX + 1] + 100;
	norm(outcomes, ALL, N, M_MAX, weights, others);
	for (size_t i = 0; i < N; i++)
		assert_near(others[i], scalars[i], 1e-12);
}

static void the_order_of_objectives_changes_no_bit(void **state)
{
	static const size_t orders[][M_MAX] = { { 3, 2, 1, 0 }, { 1, 3, 0, 2 }, { 0, 2, 3, 1 } };
	const double weights[] = { 0.1, 0.4, 0.2, 0.3 };
	double outcomes[N * M_MAX], scalars[N];
	struct random random;

	random_init(&random, (struct random_key){ .purpose = RANDOM_TEST });
	draw(&random, N * M_MAX, outcomes);
	norm(outcomes, ALL, N, M_MAX, weights, scalars);
	for (size_t r = 0; r < 3; r++) {
		double moved[N * M_MAX], moved_weights[M_MAX], others[N];

		for (size_t k = 0; k < M_MAX; k++) {
			moved_weights[k] = weights[orders[r][k]];
			for (size_t i = 0; i < N; i++)
				moved[i * M_MAX + k] = outcomes[i * M_MAX + orders[r][k]];
		}
		norm(moved, ALL, N, M_MAX, moved_weights, others);
		assert_memory_equal(scalars, others, sizeof scalars);
	}
}

/* ---- observations ---- */

static void what_is_not_known_teaches_nothing(void **state)
{
	const double known[] = { 1 }, better[] = { 0 }, unknown[] = { NAN };
	const struct observation observations[] = {
		{ .objective = 0, .others = known },
		{ .objective = 1, .others = better },
		{ .objective = 1, .others = unknown },
		{ .objective = 1 },
		{ .objective = NAN, .others = known },
		{ .objective = 1, .others = known, .kind = OBSERVATION_STOPPED },
		{ .objective = 1, .others = known, .kind = OBSERVATION_FAILED },
		{ .objective = -5, .others = known, .kind = OBSERVATION_OVER_LIMIT, .duration = 3 },
		{ .objective = -5, .others = unknown, .kind = OBSERVATION_OVER_LIMIT },
	};
	enum { COUNT = sizeof observations / sizeof *observations };
	const struct suggest_request request = {
		.observations = observations, .n_observations = COUNT, .n_others = 1
	};
	static const enum observation_kind wanted[COUNT] = { OBSERVATION_DONE, OBSERVATION_DONE,
		OBSERVATION_STOPPED, OBSERVATION_STOPPED, OBSERVATION_DONE, OBSERVATION_STOPPED,
		OBSERVATION_FAILED, OBSERVATION_OVER_LIMIT, OBSERVATION_STOPPED };
	const double weights[] = { 0.5, 0.5 };
	struct observation ret[COUNT];
	struct tuner_error err;

	if (!scalarisation_observations(&request, weights, ret, &err))
		fail_msg("%s", err.message);
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(ret[i].kind, wanted[i]);
		assert_int_equal(isnan(ret[i].objective), i > 1 && i != 7);
	}
	assert_near(ret[0].objective, 0.55 + 0.05 * 0.6, 1e-15);
	assert_near(ret[7].objective, 0.55 - 0.05 * (2.45 - 0.55), 1e-15);
	assert_true(ret[7].duration == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights_are_on_the_simplex),
		cmocka_unit_test(weights_are_uniform),
		cmocka_unit_test(few_suggestions_in_a_row_cover_all_weights),
		cmocka_unit_test(seed_repeat_and_number_determine_the_weights),
		cmocka_unit_test(the_norm_by_hand),
		cmocka_unit_test(what_is_better_than_all_has_a_lower_norm),
		cmocka_unit_test(of_two_trials_the_one_that_surpasses_is_better),
		cmocka_unit_test(a_trial_that_diverged_does_not_flatten_the_others),
		cmocka_unit_test(only_trials_within_the_limits_set_the_scale),
		cmocka_unit_test(a_front_of_one_trial_has_a_scale),
		cmocka_unit_test(an_objective_that_never_changes_counts_for_nothing),
		cmocka_unit_test(infinite_values_are_bounded),
		cmocka_unit_test(the_largest_numbers_do_not_overflow),
		cmocka_unit_test(what_is_not_known_has_no_norm),
		cmocka_unit_test(a_unit_of_a_power_of_two_changes_no_bit),
		cmocka_unit_test(the_order_of_objectives_changes_no_bit),
		cmocka_unit_test(what_is_not_known_teaches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
