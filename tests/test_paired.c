/* surrogate/paired.h and best_of.h: the statistics of a comparison. */
#include "surrogate/best_of.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static const struct random_key key = { .seed = 1, .number = 1 };

static void assert_near(double value, double wanted, double tolerance)
{
	if (!(fabs(value - wanted) <= tolerance))
		fail_msg("%.12g, wanted %.12g", value, wanted);
}

static struct interval interval_of(const double *x, size_t n)
{
	struct interval interval;
	struct tuner_error err;
	assert_true(paired_interval(x, n, 0.95, key, &interval, &err));
	return interval;
}

/* By hand with numpy: 400,000 resamples, the 0.95 quantile of |t*| is 2.665 (Student's: 2.201). */
static void the_interval_is_the_symmetric_bootstrap_t(void **state)
{
	static const double x[] = { .3, -.1, .5, .7, .2, .1, .9, -.3, .4, .35, 1.8, .05 };
	const struct interval interval = interval_of(x, LENGTH(x));
	assert_near((interval.low + interval.high) / 2, 0.408333333333, 1e-9);
	assert_near((interval.high - interval.low) / 2, 0.4223, 0.01);
}

static void few_repeats_have_students_interval(void **state)
{
	static const double x[] = { 1, 1.5, 2 }, same[] = { 2, 2, 2, 2 };
	assert_true(isinf(interval_of(x, 1).low) && isinf(interval_of(x, 1).high));
	/* t of 2 degrees of freedom 4.3027, standard error 0.5 / sqrt(3) */
	assert_near(interval_of(x, 3).low, 1.5 - 4.30265 * 0.288675, 1e-4);
	assert_near(interval_of(x, 3).high, 1.5 + 4.30265 * 0.288675, 1e-4);
	assert_near(interval_of(same, 4).low, 2, 1e-12);
	assert_near(interval_of(same, 4).high, 2, 1e-12);
}

/* All but one of twelve are zero: a third of the resamples have no deviation. */
static void many_ties_have_students_interval_too(void **state)
{
	static const double x[12] = { 1 };
	const struct interval interval = interval_of(x, 12);
	assert_near(interval.high - interval.low, 2 * 2.200985 / 12, 1e-5);
}

/* 4 - 4 - 7 + 2 + 5 hundredths: as doubles they add up to -2.2e-16, and some patterns to less. */
static void rounding_is_no_difference(void **state)
{
	static const double x[] = { .84 - .80, .82 - .86, .82 - .89, .82 - .80, .88 - .83 };
	double sum = 0;

	for (size_t i = 0; i < LENGTH(x); i++)
		sum += x[i];
	assert_true(sum != 0);
	assert_true(paired_mean(x, LENGTH(x)) == 0);
	assert_true(paired_p_value(x, LENGTH(x), key) == 1);
}

/* Eight times 4 hundredths and twice 6, as accuracies of two decimals give them: a resample of the eight alone, one of nine,
 * has a deviation of 1e-17 and says nothing of the spread. */
static void resamples_of_one_value_but_for_rounding_have_no_deviation(void **state)
{
	static const double x[] = { .84 - .80, .82 - .78, .74 - .70, .66 - .60, .54 - .50,
		.44 - .40, .34 - .30, .26 - .20, .14 - .10, .19 - .15 };
	static const double plain[] = { .04, .04, .04, .06, .04, .04, .04, .06, .04, .04 };
	const struct interval wanted = interval_of(plain, LENGTH(plain));

	assert_near(interval_of(x, LENGTH(x)).low, wanted.low, 1e-9);
	assert_near(interval_of(x, LENGTH(x)).high, wanted.high, 1e-9);
	assert_near(wanted.high - wanted.low, 2 * 2.262157 * 0.008432740 / sqrt(10), 1e-7);
}

static void what_differs_by_rounding_has_no_spread(void **state)
{
	static const double x[] = { .84 - .80, .82 - .78, .54 - .50 };
	static const double percents[] = { 93.45 - 93.44, 91.12 - 91.11, 70.05 - 70.04 };

	assert_true(x[0] != x[2] && percents[0] != percents[2]);
	assert_true(paired_deviation(x, LENGTH(x)) == 0);
	assert_true(paired_deviation(percents, LENGTH(percents)) == 0);
	assert_near(interval_of(x, LENGTH(x)).high - interval_of(x, LENGTH(x)).low, 0, 0);
}

/* Squares of 1e200 are infinite, those of 1e-200 zero, and twice 1.7e308 is no number. */
static void the_unit_makes_no_difference(void **state)
{
	static const double x[12] = { .3, -.1, .5, .7, .2, .1, .9, -.3, .4, .35, 1.8, .05 };
	static const double units[] = { 0x1p-1000, 0x1p-660, 0x1p660, 0x1p1023 };
	const struct interval plain = interval_of(x, 12);

	for (size_t u = 0; u < LENGTH(units); u++)
		for (size_t n = 2; n <= 12; n += 10) {
			double scaled[12];
			for (size_t i = 0; i < n; i++)
				scaled[i] = units[u] * x[i];
			assert_near(paired_mean(scaled, n) / units[u], paired_mean(x, n), 1e-12);
			assert_near(paired_deviation(scaled, n) / units[u], paired_deviation(x, n),
				1e-12);
			assert_near(paired_p_value(scaled, n, key), paired_p_value(x, n, key), 0);
			if (n == 12)
				assert_near(interval_of(scaled, n).low / units[u], plain.low, 1e-9);
		}
}

/* A spread that no number holds: nothing is known, in numbers. */
static void at_the_end_of_the_range_everything_is_a_number_or_infinite(void **state)
{
	enum { N = 12 };
	double x[N];
	struct interval interval;
	struct tuner_error err;

	for (size_t i = 0; i < N; i++)
		x[i] = i % 2 == 0 ? DBL_MAX : -DBL_MAX;
	for (size_t n = 1; n <= N; n++) {
		assert_true(paired_interval(
			x, n, 0.95, (struct random_key){ .seed = n }, &interval, &err));
		assert_false(isnan(interval.low) || isnan(interval.high));
		assert_true(isfinite(paired_mean(x, n)));
		assert_true(paired_p_value(x, n, (struct random_key){ .seed = n }) > 0);
	}
	assert_true(isinf(interval.low) && isinf(interval.high));
}

static void an_interval_turns_with_the_sign(void **state)
{
	static const double x[] = { 5, 1, 2, 3, 9, 2, 4, 1 };
	double turned[LENGTH(x)];
	for (size_t i = 0; i < LENGTH(x); i++)
		turned[i] = -x[i];
	assert_near(interval_of(turned, LENGTH(x)).low, -interval_of(x, LENGTH(x)).high, 1e-9);
	assert_near(interval_of(turned, LENGTH(x)).high, -interval_of(x, LENGTH(x)).low, 1e-9);
}

static void p_values_of_few_repeats_are_exact(void **state)
{
	static const double x[] = { 1, 2, 3 }, mixed[] = { 1, -2, 3 };
	assert_near(paired_p_value(x, 3, key), 2.0 / 8, 0);
	/* |sum| >= 2: all but the two patterns of sum 0. */
	assert_near(paired_p_value(mixed, 3, key), 6.0 / 8, 0);
	assert_near(paired_p_value(x, 1, key), 1, 0);
	assert_near(paired_p_value(x, 0, key), 1, 0);
	assert_near(paired_least_p_value(3), 0.25, 0);
	assert_near(paired_least_p_value(6), 0.03125, 0);
}

static void p_values_of_many_repeats_come_near(void **state)
{
	double x[40];
	for (size_t i = 0; i < LENGTH(x); i++)
		x[i] = i % 3 == 0 ? -1 : 1;
	/* 26 of 40 positive: the binomial's two tails, P(B <= 14) + P(B >= 26). */
	assert_near(paired_p_value(x, LENGTH(x), key), 0.0807, 0.01);
	for (size_t i = 0; i < LENGTH(x); i++)
		x[i] = 1 + (double)i;
	assert_near(paired_p_value(x, LENGTH(x), key), 1 / 10001.0, 1e-12);
}

/* scipy 1.10, stats.nct. */
static void power_is_that_of_the_noncentral_t(void **state)
{
	assert_near(paired_power(.5, 10, .05), 0.29318, 2e-4);
	assert_near(paired_power(-1, 5, .05), 0.40139, 5e-4);
	assert_near(paired_power(.3, 50, .01), 0.29947, 2e-4);
	assert_near(paired_power(0, 7, .05), 0.05, 5e-4);
	const size_t n = paired_repeats(1, .05, .8, 1000);
	assert_true(paired_power(1, n, .05) >= .8 && paired_power(1, n - 1, .05) < .8);
	assert_int_equal(n, 10);
	assert_int_equal(paired_repeats(.01, .05, .8, 100), 0);
	assert_near(paired_power(paired_detectable(7, .05, .8), 7, .05), .8, 1e-6);
	assert_true(isinf(paired_detectable(1, .05, .8)));
}

/* By the normal distribution, which thousands of repeats come near: (z_.975 + z_.8)^2 / effect^2. Of arms that are nearly
 * alike it is asked after each comparison: processor time, which no other process takes from it. */
static void many_repeats_are_foretold_at_once(void **state)
{
	const clock_t begin = clock();

	assert_near((double)paired_repeats(.03, .05, .8, 10000), 8721, 5);
	assert_int_equal(paired_repeats(.02, .05, .8, 10000), 0);
	assert_true(clock() - begin < 2 * CLOCKS_PER_SEC);
}

static void the_mean_of_equal_values_is_their_value(void **state)
{
	const double thirds[] = { 0.1, 0.1, 0.1 }, others[] = { 0.1, 0.1, 0.2 };

	assert_true(paired_mean(thirds, 3) == 0.1);
	assert_near(paired_mean(others, 3), 0.4 / 3, 1e-15);
	assert_true(isnan(paired_mean(thirds, 0)));
}

/* The mean over all subsets, one by one. */
static double mean_least(const double *x, unsigned n, unsigned k)
{
	double sum = 0;
	unsigned count = 0;
	for (unsigned subset = 0; subset < 1u << n; subset++) {
		double least = INFINITY;
		if ((unsigned)__builtin_popcount(subset) != k)
			continue;
		for (unsigned i = 0; i < n; i++)
			if (subset >> i & 1)
				least = fmin(least, x[i]);
		sum += least;
		count++;
	}
	return sum / count;
}

static void the_expected_best_is_the_mean_over_all_subsets(void **state)
{
	static const double x[] = { 1, 1, 2.5, 4, 7, 11, 20 };
	for (unsigned k = 1; k <= LENGTH(x); k++)
		assert_near(expected_best(x, LENGTH(x), k), mean_least(x, LENGTH(x), k), 1e-12);
}

static void speed_up_is_where_the_slow_curve_comes_to_the_fast_ones_end(void **state)
{
	static const double fast[] = { 5, 3, 5, 1 }; /* two repeats of two trials; means 5, 2 */
	static const double slow[] = { 9, 6, 4, 1, 9, 6, 4, 1 }; /* means 9, 6, 4, 1 */
	const struct curves a = { fast, 2, 2 }, b = { slow, 2, 4 };
	/* 2 lies two thirds of the way from trial 3 (4) to trial 4 (1). */
	assert_near(speed_up(&a, &b), (3 + 2.0 / 3) / 2, 1e-12);
	assert_true(isinf(speed_up(&b, &(struct curves){ fast, 2, 2 })));
	assert_near(speed_up(&a, &a), 1, 1e-12);
}

/* .1 + .2 + .3 is more than .3 + .2 + .1, and ten times a tenth over ten less than a tenth. */
static void rounding_keeps_nobody_from_the_fast_ones_end(void **state)
{
	static const double fast[] = { .3, .2, .1 };
	static const double slow[] = { .9, .1, .9, .2, .9, .3 }; /* two trials each */
	static const double one[10] = { .1, .1, .1, .1, .1, .1, .1, .1, .1, .1 };
	const struct curves a = { fast, 3, 1 }, b = { slow, 3, 2 }, c = { one, 10, 1 };
	struct interval interval;
	struct tuner_error err;
	double times;

	assert_near(speed_up(&a, &b), 2, 1e-9);
	assert_true(expected_speed_up(&c, one, 10, 1, 0.95, key, &times, &interval, &err));
	assert_near(times, 1, 1e-9);
}

static void speed_up_has_an_interval_around_it(void **state)
{
	enum { R = 12, T = 10, S = 60 };
	static double fast[R * T], slow[R * S], trials[R * S];
	struct interval interval, expected;
	struct tuner_error err;
	struct random random;
	double times;
	random_init(&random, (struct random_key){ .seed = 7, .purpose = RANDOM_TEST });
	for (size_t r = 0; r < R; r++) {
		const double shift = 0.002 * random_uniform(&random);
		for (size_t t = 0; t < T; t++)
			fast[r * T + t] = 0.3 / (1 + (double)t) + shift;
		for (size_t t = 0; t < S; t++)
			trials[r * S + t] = random_uniform(&random);
		for (size_t t = 0; t < S; t++)
			slow[r * S + t] = t == 0 ? trials[r * S]
						 : fmin(slow[r * S + t - 1], trials[r * S + t]);
	}
	const struct curves a = { fast, R, T }, b = { slow, R, S };
	const double seen = speed_up(&a, &b);
	assert_true(speed_up_interval(&a, &b, 0.95, key, &interval, &err));
	assert_true(interval.low < seen && seen < interval.high);
	assert_true(expected_speed_up(&a, trials, R, S, 0.95, key, &times, &expected, &err));
	/* The least of k uniform numbers is 1 / (k + 1) on average: 0.031 needs about 31 trials. */
	assert_near(times, 3.1, 0.6);
	assert_true(expected.low < times && times < expected.high);
	assert_true(expected.low > 1.5 && expected.high < 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_interval_is_the_symmetric_bootstrap_t),
		cmocka_unit_test(few_repeats_have_students_interval),
		cmocka_unit_test(many_ties_have_students_interval_too),
		cmocka_unit_test(rounding_is_no_difference),
		cmocka_unit_test(resamples_of_one_value_but_for_rounding_have_no_deviation),
		cmocka_unit_test(what_differs_by_rounding_has_no_spread),
		cmocka_unit_test(the_unit_makes_no_difference),
		cmocka_unit_test(at_the_end_of_the_range_everything_is_a_number_or_infinite),
		cmocka_unit_test(an_interval_turns_with_the_sign),
		cmocka_unit_test(p_values_of_few_repeats_are_exact),
		cmocka_unit_test(p_values_of_many_repeats_come_near),
		cmocka_unit_test(power_is_that_of_the_noncentral_t),
		cmocka_unit_test(many_repeats_are_foretold_at_once),
		cmocka_unit_test(the_mean_of_equal_values_is_their_value),
		cmocka_unit_test(the_expected_best_is_the_mean_over_all_subsets),
		cmocka_unit_test(speed_up_is_where_the_slow_curve_comes_to_the_fast_ones_end),
		cmocka_unit_test(rounding_keeps_nobody_from_the_fast_ones_end),
		cmocka_unit_test(speed_up_has_an_interval_around_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
