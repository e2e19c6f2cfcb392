/* surrogate/transform.h: objectives to outcomes, and back. */
#include "surrogate/transform.h"

#include "base/random.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const enum transform_kind KINDS[] = { TRANSFORM_HALF_RANK, TRANSFORM_NONE,
	TRANSFORM_WINSOR };
enum { N_KINDS = sizeof(KINDS) / sizeof(*KINDS), N_MAX = 64 };

static struct transform *create(
	enum transform_kind kind, const double *y, const bool *failed, size_t n)
{
	struct transform *transform = NULL;
	struct tuner_error err;

	if (!transform_create(kind, y, failed, n, &transform, &err))
		fail_msg("%s", err.message);
	return transform;
}

static void assert_near(double actual, double expected, double tolerance)
{
	if (!(fabs(actual - expected) <= tolerance))
		fail_msg("%.17g is not %.17g", actual, expected);
}

static void assert_outcomes(const struct transform *transform, const double *expected, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_near(transform_outcomes(transform)[i], expected[i], 1e-12);
}

/* To mean 0 and variance 1. */
static void standardise(double *y, size_t n)
{
	double mean = 0, variance = 0;

	for (size_t i = 0; i < n; i++)
		mean += y[i] / (double)n;
	for (size_t i = 0; i < n; i++)
		variance += (y[i] - mean) * (y[i] - mean) / (double)n;
	for (size_t i = 0; i < n; i++)
		y[i] = (y[i] - mean) / sqrt(variance);
}

static void draw(double *y, size_t n, uint64_t seed)
{
	struct random random;

	random_init(&random, (struct random_key){ .seed = seed, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < n; i++)
		y[i] = 3 + exp(random_normal(&random));
}

/* Median 3; good half 1, 2, 3 with s^2 = (4 + 1 + 0)/3; two worse values, whose ranks 2 and 1 of 2
 * give quantiles 3/8 and 1/8 (Phi^-1 from tables). */
static void half_rank_by_hand(void **state)
{
	static const double y[] = { 2, 1000, 1, 5, 3 };
	const double s = sqrt(5.0 / 3);
	double expected[] = { 2, 3 + s * 1.1503493803760079, 1, 3 + s * 0.31863936396437514, 3 };
	struct transform *transform = create(TRANSFORM_HALF_RANK, y, NULL, 5);

	standardise(expected, 5);
	assert_outcomes(transform, expected, 5);
	transform_destroy(transform);
}

/* Equal objectives share a rank, and ranks count distinct values only. */
static void half_rank_ties(void **state)
{
	static const double y[] = { 1, 2, 3, 7, 7, 7, 3 };
	const double s = sqrt((4.0 + 1) / 4); /* good half: 1, 2, 3, 3 */
	const double bad = 3 + s * 0.67448975019608171;
	double expected[] = { 1, 2, 3, bad, bad, bad, 3 };
	struct transform *transform = create(TRANSFORM_HALF_RANK, y, NULL, 7);

	standardise(expected, 7);
	assert_outcomes(transform, expected, 7);
	transform_destroy(transform);
}

static void half_rank_of_a_flat_good_half(void **state)
{
	static const double y[] = { 0, 0, 0, 0, 3, 4 };
	struct transform *transform = create(TRANSFORM_HALF_RANK, y, NULL, 6);
	const double *outcomes = transform_outcomes(transform);

	assert_true(outcomes[0] == outcomes[3] && outcomes[0] < outcomes[4]);
	assert_true(outcomes[4] < outcomes[5]);
	transform_destroy(transform);
}

static void winsor_by_hand(void **state)
{
	static const double y[] = { 0, 1, 2, 3, 1000 };
	double expected[] = { 0, 1, 2, 3, 3 + 1.5 * 2 }; /* quartiles 1 and 3 */
	struct transform *transform = create(TRANSFORM_WINSOR, y, NULL, 5);

	standardise(expected, 5);
	assert_outcomes(transform, expected, 5);
	transform_destroy(transform);
}

static void none_standardises(void **state)
{
	double y[20];
	struct transform *transform;

	draw(y, 20, 1);
	transform = create(TRANSFORM_NONE, y, NULL, 20);
	standardise(y, 20);
	assert_outcomes(transform, y, 20);
	transform_destroy(transform);
}

static void outcomes_are_standardised_and_keep_the_order(void **state)
{
	double y[N_MAX];

	for (size_t kind = 0; kind < N_KINDS; kind++)
		for (size_t n = 2; n <= N_MAX; n++) {
			double mean = 0, variance = 0;

			draw(y, n, n);
			struct transform *transform = create(KINDS[kind], y, NULL, n);
			const double *t = transform_outcomes(transform);

			for (size_t i = 0; i < n; i++) {
				mean += t[i] / (double)n;
				variance += t[i] * t[i] / (double)n;
				for (size_t j = 0; j < n; j++)
					assert_true(!(y[i] < y[j]) || t[i] <= t[j]);
			}
			assert_near(mean, 0, 1e-12);
			assert_near(variance, 1, 1e-12);
			transform_destroy(transform);
		}
}

/* The user's unit and zero do not matter, however large or small. */
static void outcomes_do_not_depend_on_the_unit(void **state)
{
	static const double units[] = { 3, 1e-9, 1e9, 0x1p-500, 0x1p+900 };
	double y[30], changed[30];

	draw(y, 30, 5);
	for (size_t kind = 0; kind < N_KINDS; kind++) {
		struct transform *plain = create(KINDS[kind], y, NULL, 30);

		for (size_t u = 0; u < sizeof(units) / sizeof(*units); u++) {
			for (size_t i = 0; i < 30; i++)
				changed[i] = units[u] * (y[i] - 17);
			struct transform *transform = create(KINDS[kind], changed, NULL, 30);

			assert_outcomes(transform, transform_outcomes(plain), 30);
			transform_destroy(transform);
		}
		transform_destroy(plain);
	}
}

static void maps_back_to_the_objectives(void **state)
{
	double y[N_MAX];

	for (size_t kind = 0; kind < 2; kind++) /* winsorised ones are lost */
		for (size_t n = 1; n <= N_MAX; n++) {
			draw(y, n, n);
			struct transform *transform = create(KINDS[kind], y, NULL, n);

			for (size_t i = 0; i < n; i++)
				assert_true(transform_to_user(transform,
						    transform_outcomes(transform)[i]) == y[i]);
			transform_destroy(transform);
		}
}

static void the_map_back_is_monotone(void **state)
{
	double y[21];

	draw(y, 21, 9);
	y[3] = INFINITY;
	y[4] = y[5];
	for (size_t kind = 0; kind < N_KINDS; kind++) {
		struct transform *transform = create(KINDS[kind], y, NULL, 21);

		for (double t = -6; t < 6; t += 0.01) {
			assert_true(transform_to_user(transform, t) <
				    transform_to_user(transform, t + 0.01));
			assert_true(transform_slope(transform, t, 0.5) > 0);
		}
		transform_destroy(transform);
	}
}

/* Better than all trials: there half-rank is the identity, so model and user differ by the
 * scale. */
static void predictions_of_good_values_keep_their_scale(void **state)
{
	static const double y[] = { 10, 12, 14, 16, 900 };
	struct transform *transform = create(TRANSFORM_HALF_RANK, y, NULL, 5);
	const double *t = transform_outcomes(transform);
	const double unit = (12.0 - 10.0) / (t[1] - t[0]);
	double mean, sd;

	transform_prediction(transform, t[0] - 1, 0.5, &mean, &sd);
	assert_near(mean, 10 - unit, 1e-12);
	assert_near(sd, 0.5 * unit, 1e-9);
	transform_destroy(transform);
}

/* A failure: worst + half the range, and ten times the noise; the others are as without it. */
/* A script that returns the largest number where it fails has said no more than one that returns a thousand. */
static void the_size_of_a_penalty_makes_no_difference(void **state)
{
	static const double penalties[] = { 1e12, 1e200, 1e300, DBL_MAX };
	static const enum transform_kind kinds[] = { TRANSFORM_HALF_RANK, TRANSFORM_WINSOR };
	double y[] = { .21, .5, .32, 0, .4, .29, .25, .38, .27, .23 };
	const size_t n = sizeof(y) / sizeof(*y);

	for (size_t k = 0; k < 2; k++) {
		y[3] = 1000;
		struct transform *usual = create(kinds[k], y, NULL, n);
		for (size_t p = 0; p < sizeof(penalties) / sizeof(*penalties); p++) {
			double mean, sd, usual_mean, usual_sd;
			y[3] = penalties[p];
			struct transform *large = create(kinds[k], y, NULL, n);
			for (size_t i = 0; i < n; i++)
				assert_near(transform_outcomes(large)[i],
					transform_outcomes(usual)[i], 1e-9);
			transform_prediction(large, -1.5, 0.1, &mean, &sd);
			transform_prediction(usual, -1.5, 0.1, &usual_mean, &usual_sd);
			assert_near(mean, usual_mean, 1e-9);
			assert_near(sd, usual_sd, 1e-9);
			transform_destroy(large);
		}
		transform_destroy(usual);
	}
}

static void failures_are_bad_and_uncertain(void **state)
{
	double y[12], without[10];
	bool failed[12] = { false };

	draw(without, 10, 3);
	memcpy(y, without, sizeof(without));
	memmove(y + 5, y + 4, 6 * sizeof(*y));
	y[4] = -1e9; /* ignored */
	failed[4] = true;
	y[11] = NAN; /* a failure by itself */
	for (size_t kind = 0; kind < N_KINDS; kind++) {
		struct transform *with = create(KINDS[kind], y, failed, 12),
				 *plain = create(KINDS[kind], without, NULL, 10);
		const double *t = transform_outcomes(with), *p = transform_outcomes(plain);
		double best = p[0], worst = p[0];

		for (size_t i = 0; i < 10; i++) {
			best = fmin(best, p[i]);
			worst = fmax(worst, p[i]);
			assert_true(t[i < 4 ? i : i + 1] == p[i]);
			assert_true(transform_noise_scales(with)[i < 4 ? i : i + 1] == 1);
			assert_true(transform_valued(with)[i < 4 ? i : i + 1]);
		}
		assert_near(t[4], worst + fmax(1, (worst - best) / 2), 1e-12);
		assert_true(t[11] == t[4]);
		assert_true(transform_noise_scales(with)[4] == TRANSFORM_FAILURE_NOISE);
		assert_true(!transform_valued(with)[4] && !transform_valued(with)[11]);
		assert_int_equal(transform_n_finite(with), 10);
		transform_destroy(with);
		transform_destroy(plain);
	}
}

static void infinite_objectives_are_bounded(void **state)
{
	static const double y[] = { 3, INFINITY, 1, 2, -INFINITY, INFINITY };

	for (size_t kind = 0; kind < N_KINDS; kind++) {
		struct transform *transform = create(KINDS[kind], y, NULL, 6);
		const double *t = transform_outcomes(transform);

		for (size_t i = 0; i < 6; i++)
			assert_true(fabs(t[i]) < 3);
		assert_true(t[4] == t[2] && t[1] == t[5] && t[1] >= t[0] && t[0] > t[3]);
		assert_true(KINDS[kind] != TRANSFORM_HALF_RANK || t[1] > t[0]);
		assert_int_equal(transform_n_finite(transform), 3);
		transform_destroy(transform);
	}
}

/* More than half infinite: the median is infinite too, and the finite ones are all good. */
static void mostly_infinite_objectives(void **state)
{
	static const double y[] = { INFINITY, 2, INFINITY, INFINITY, 1, INFINITY, INFINITY };
	struct transform *transform = create(TRANSFORM_HALF_RANK, y, NULL, 7);
	const double *t = transform_outcomes(transform);

	assert_true(t[4] < t[1] && t[1] < t[0] && t[0] == t[6] && t[0] < 3);
	assert_true(transform_to_user(transform, t[1]) == 2);
	transform_destroy(transform);
}

static void equal_objectives_give_zeros(void **state)
{
	double y[] = { 0.1, 0.1, 0.1, 0.1 };

	for (size_t kind = 0; kind < N_KINDS; kind++)
		for (size_t n = 1; n <= 4; n++) {
			y[1] = 0.1 +
			       (n == 3 ? DBL_EPSILON / 16 : 0); /* rounding is no difference */
			struct transform *transform = create(KINDS[kind], y, NULL, n);

			for (size_t i = 0; i < n; i++)
				assert_true(transform_outcomes(transform)[i] == 0);
			assert_near(transform_to_user(transform, 0), 0.1, 1e-15);
			assert_near(transform_slope(transform, 0, 1), 1, 1e-12);
			transform_destroy(transform);
		}
}

static void nothing_but_failures(void **state)
{
	static const bool failed[] = { true, true, true };
	static const double y[] = { 1, 2, NAN };

	for (size_t kind = 0; kind < N_KINDS; kind++) {
		struct transform *transform = create(KINDS[kind], y, failed, 3);

		for (size_t i = 0; i < 3; i++) {
			assert_true(transform_outcomes(transform)[i] == 0);
			assert_true(
				transform_noise_scales(transform)[i] == TRANSFORM_FAILURE_NOISE);
		}
		assert_int_equal(transform_n_finite(transform), 0);
		assert_true(isfinite(transform_to_user(transform, 1)));
		transform_destroy(transform);
	}
}

static void no_trials_at_all(void **state)
{
	struct transform *transform = create(TRANSFORM_HALF_RANK, NULL, NULL, 0);

	assert_int_equal(transform_n_finite(transform), 0);
	transform_destroy(transform);
}

static void one_value_and_one_failure(void **state)
{
	static const double y[] = { 5, NAN };
	struct transform *transform = create(TRANSFORM_HALF_RANK, y, NULL, 2);

	assert_true(transform_outcomes(transform)[0] == 0);
	assert_true(transform_outcomes(transform)[1] == 1);
	transform_destroy(transform);
}

/* Neither squares nor differences overflow. */
static void extreme_objectives(void **state)
{
	static const double y[] = { -DBL_MAX, DBL_MAX, 0, 1, DBL_MAX / 2 };

	for (size_t kind = 0; kind < N_KINDS; kind++) {
		struct transform *transform = create(KINDS[kind], y, NULL, 5);

		for (size_t i = 0; i < 5; i++)
			assert_true(fabs(transform_outcomes(transform)[i]) < 3);
		transform_destroy(transform);
	}
}

/* As if the unit of the outcomes were another one; objectives are what they were. */
static void scaled_outcomes_mean_the_same_objectives(void **state)
{
	static const double y[] = { 3, 1, 4, 1.5, 9, 2.6 };
	struct transform *plain = create(TRANSFORM_HALF_RANK, y, NULL, 6);
	struct transform *scaled = create(TRANSFORM_HALF_RANK, y, NULL, 6);

	transform_scale(scaled, 2.5);
	for (size_t i = 0; i < 6; i++)
		assert_true(transform_outcomes(scaled)[i] == 2.5 * transform_outcomes(plain)[i]);
	for (double outcome = -4; outcome < 4; outcome += 0.1) {
		assert_near(transform_to_user(scaled, 2.5 * outcome),
			transform_to_user(plain, outcome), 1e-12);
		assert_near(2.5 * transform_slope(scaled, 2.5 * outcome, 0.25),
			transform_slope(plain, outcome, 0.1), 1e-9);
	}
	transform_destroy(plain);
	transform_destroy(scaled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_rank_by_hand),
		cmocka_unit_test(half_rank_ties),
		cmocka_unit_test(half_rank_of_a_flat_good_half),
		cmocka_unit_test(winsor_by_hand),
		cmocka_unit_test(none_standardises),
		cmocka_unit_test(outcomes_are_standardised_and_keep_the_order),
		cmocka_unit_test(outcomes_do_not_depend_on_the_unit),
		cmocka_unit_test(maps_back_to_the_objectives),
		cmocka_unit_test(the_map_back_is_monotone),
		cmocka_unit_test(predictions_of_good_values_keep_their_scale),
		cmocka_unit_test(the_size_of_a_penalty_makes_no_difference),
		cmocka_unit_test(failures_are_bad_and_uncertain),
		cmocka_unit_test(infinite_objectives_are_bounded),
		cmocka_unit_test(mostly_infinite_objectives),
		cmocka_unit_test(equal_objectives_give_zeros),
		cmocka_unit_test(nothing_but_failures),
		cmocka_unit_test(no_trials_at_all),
		cmocka_unit_test(one_value_and_one_failure),
		cmocka_unit_test(extreme_objectives),
		cmocka_unit_test(scaled_outcomes_mean_the_same_objectives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
