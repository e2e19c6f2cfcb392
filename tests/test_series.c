#include "tuner/series.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void fill(struct series *series, const double *steps, const double *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_true(series_put(series, steps[i], values[i]));
}

static void steps_are_kept_rising_whatever_order_they_come_in(void **state)
{
	const double steps[] = { 3, 1, 2, 40, 0 }, values[] = { 30, 10, 20, 400, 5 };
	const double rising[] = { 0, 1, 2, 3, 40 }, beside[] = { 5, 10, 20, 30, 400 };
	struct series series = { 0 };
	fill(&series, steps, values, 5);
	assert_int_equal(series.n, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_true(series.steps[i] == rising[i]);
		assert_true(series.values[i] == beside[i]);
	}
	series_finish(&series);
	assert_int_equal(series.n, 0);
}

static void the_same_step_again_replaces_its_value(void **state)
{
	struct series series = { 0 };
	for (int i = 0; i < 100; i++)
		assert_true(series_put(&series, i % 7, i));
	assert_int_equal(series.n, 7);
	assert_true(series.values[0] == 98);
	assert_true(series.values[6] == 97);
	series_finish(&series);
}

/* Whether a launch goes on from a checkpoint or begins anew: beyond what it has come to there is nothing. */
static void what_a_later_launch_has_not_come_to_is_gone(void **state)
{
	static const double steps[] = { 1, 2, 3, 4, 5 }, values[] = { 10, 20, 30, 40, 50 };
	struct series series = { 0 };
	fill(&series, steps, values, 5);
	series_renew(&series, 2);
	assert_int_equal(series.n, 5); /* nothing of it has come */
	assert_true(series_put(&series, 3, 31));
	assert_int_equal(series.n, 3);
	assert_true(series_put(&series, 2, 21)); /* late, of the same launch */
	assert_int_equal(series.n, 3);
	assert_true(series_reduce(&series, REDUCE_LAST, 1, false) == 31);
	series.loaded = 2;
	series_renew(&series, 2); /* taken over, it goes on */
	assert_true(series_put(&series, 2, 22));
	assert_int_equal(series.n, 3);
	series_finish(&series);
}

static void reduce_takes_the_last_the_best_or_a_mean(void **state)
{
	const double steps[] = { 1, 2, 3, 4 }, values[] = { 0.9, 0.2, 0.4, 0.6 };
	struct series series = { 0 };
	fill(&series, steps, values, 4);
	assert_true(series_reduce(&series, REDUCE_LAST, 0, true) == 0.6);
	assert_true(series_reduce(&series, REDUCE_BEST, 0, true) == 0.9);
	assert_true(series_reduce(&series, REDUCE_BEST, 0, false) == 0.2);
	assert_true(fabs(series_reduce(&series, REDUCE_MEAN_OF_LAST, 3, true) - 0.4) < 1e-15);
	assert_true(fabs(series_reduce(&series, REDUCE_MEAN_OF_LAST, 99, true) - 0.525) < 1e-15);
	series_finish(&series);
}

static void best_and_mean_pass_over_nan_and_the_last_does_not(void **state)
{
	const double steps[] = { 1, 2, 3 }, values[] = { 0.5, 0.7, NAN };
	struct series series = { 0 };
	fill(&series, steps, values, 3);
	assert_true(isnan(series_reduce(&series, REDUCE_LAST, 0, true)));
	assert_true(series_reduce(&series, REDUCE_BEST, 0, true) == 0.7);
	assert_true(series_reduce(&series, REDUCE_MEAN_OF_LAST, 2, true) == 0.7);
	assert_true(isnan(series_reduce(&series, REDUCE_MEAN_OF_LAST, 1, true)));
	series_finish(&series);
}

static void a_mean_of_huge_values_is_one_of_them(void **state)
{
	const double steps[] = { 1, 2, 3, 4 }, values[] = { 1.5e308, NAN, 1.5e308, 1.5e308 };
	struct series series = { 0 };
	fill(&series, steps, values, 4);
	assert_true(
		fabs(series_reduce(&series, REDUCE_MEAN_OF_LAST, 4, true) / 1.5e308 - 1) < 1e-15);
	assert_true(series_put(&series, 5, -INFINITY));
	assert_true(series_reduce(&series, REDUCE_MEAN_OF_LAST, 4, true) == -INFINITY);
	series_finish(&series);
}

static void an_empty_curve_has_no_number(void **state)
{
	const struct series series = { 0 };
	assert_true(isnan(series_reduce(&series, REDUCE_LAST, 0, true)));
	assert_true(isnan(series_reduce(&series, REDUCE_BEST, 0, true)));
	assert_true(isnan(series_reduce(&series, REDUCE_MEAN_OF_LAST, 3, true)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_kept_rising_whatever_order_they_come_in),
		cmocka_unit_test(the_same_step_again_replaces_its_value),
		cmocka_unit_test(what_a_later_launch_has_not_come_to_is_gone),
		cmocka_unit_test(reduce_takes_the_last_the_best_or_a_mean),
		cmocka_unit_test(a_mean_of_huge_values_is_one_of_them),
		cmocka_unit_test(best_and_mean_pass_over_nan_and_the_last_does_not),
		cmocka_unit_test(an_empty_curve_has_no_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
