/* surrogate/two_groups.h: the difference of two means. Reference values are SciPy's (ttest_ind, nct). */
#include "surrogate/two_groups.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_near(double value, double wanted, double tolerance)
{
	if (!(fabs(value - wanted) <= tolerance))
		fail_msg("%.12g, wanted %.12g", value, wanted);
}

static const double wide[] = { 1.1, 2.3, 2.9, 4.2, 5.0 }, narrow[] = { .2, .4, .1 };

static void welchs_t_is_scipys(void **state)
{
	struct group_difference difference;
	two_groups_compare(wide, 5, narrow, 3, 0.95, &difference);
	assert_near(difference.mean, 2.866666666667, 1e-11);
	assert_near(difference.df, 4.129852054300, 1e-9);
	assert_near(difference.interval.low, 0.961219040049, 1e-9);
	assert_near(difference.interval.high, 4.772114293285, 1e-9);
	assert_near(difference.p_value, 0.013617723103, 1e-11);
	assert_near(difference.deviation, sqrt(1.591111111111), 1e-11);
}

static void it_turns_with_the_order(void **state)
{
	struct group_difference one, other;
	two_groups_compare(wide, 5, narrow, 3, 0.95, &one);
	two_groups_compare(narrow, 3, wide, 5, 0.95, &other);
	assert_near(other.mean, -one.mean, 1e-12);
	assert_near(other.interval.low, -one.interval.high, 1e-12);
	assert_near(other.p_value, one.p_value, 1e-12);
}

static void a_change_of_unit_changes_no_p_value(void **state)
{
	double a[5], b[3];
	struct group_difference one, tiny;
	for (int i = 0; i < 5; i++)
		a[i] = 1e-200 * wide[i];
	for (int i = 0; i < 3; i++)
		b[i] = 1e-200 * narrow[i];
	two_groups_compare(wide, 5, narrow, 3, 0.95, &one);
	two_groups_compare(a, 5, b, 3, 0.95, &tiny);
	assert_near(tiny.p_value, one.p_value, 1e-9);
	assert_near(tiny.df, one.df, 1e-9);
	for (int i = 0; i < 5; i++)
		a[i] = 1e300 * wide[i];
	for (int i = 0; i < 3; i++)
		b[i] = 1e300 * narrow[i];
	two_groups_compare(a, 5, b, 3, 0.95, &tiny);
	assert_near(tiny.p_value, one.p_value, 1e-9);
	assert_near(tiny.deviation / 1e300, one.deviation, 1e-9);
}

static void equal_means_of_other_values_are_no_difference(void **state)
{
	static const double a[] = { .1, .2, .3 }, b[] = { .3, .2, .1 };
	struct group_difference difference;
	two_groups_compare(a, 3, b, 3, 0.95, &difference);
	assert_true(paired_mean(a, 3) != paired_mean(b, 3));
	assert_true(difference.mean == 0 && difference.p_value == 1);
}

static void one_result_says_nothing_of_chance(void **state)
{
	struct group_difference difference;
	two_groups_compare(wide, 1, narrow, 3, 0.95, &difference);
	assert_true(isinf(difference.interval.low) && isinf(difference.interval.high));
	assert_true(difference.p_value == 1 && isnan(difference.df));
	assert_near(difference.mean, 1.1 - 0.7 / 3, 1e-12);
}

static void without_spread_a_difference_is_certain(void **state)
{
	static const double ones[] = { 1, 1, 1 }, twos[] = { 2, 2 };
	struct group_difference difference;
	two_groups_compare(ones, 3, twos, 2, 0.95, &difference);
	assert_true(difference.mean == -1 && difference.p_value == 0);
	assert_true(difference.interval.low == -1 && difference.interval.high == -1);
	two_groups_compare(ones, 3, ones, 2, 0.95, &difference);
	assert_true(difference.mean == 0 && difference.p_value == 1);
}

static void power_is_that_of_the_noncentral_t(void **state)
{
	assert_near(two_groups_power(1, 5, 0.05), 0.286295493426, 1e-3);
	assert_near(two_groups_power(2, 5, 0.05), 0.790542378018, 1e-3);
	assert_near(two_groups_power(0, 5, 0.05), 0.05, 1e-3);
	assert_near(two_groups_detectable(5, 0.05, 0.8), 2.024439339269, 2e-3);
	assert_near(two_groups_detectable(20, 0.05, 0.8), 0.909129032895, 2e-3);
	assert_true(isinf(two_groups_detectable(1, 0.05, 0.8)));
	/* The textbook's: half a deviation takes 64 in each group. */
	assert_int_equal(two_groups_needed(0.5, 0.05, 0.8, 10000), 64);
	assert_int_equal(two_groups_needed(0.5, 0.05, 0.8, 63), 0);
	assert_int_equal(two_groups_needed(100, 0.05, 0.8, 10000), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(welchs_t_is_scipys),
		cmocka_unit_test(it_turns_with_the_order),
		cmocka_unit_test(a_change_of_unit_changes_no_p_value),
		cmocka_unit_test(equal_means_of_other_values_are_no_difference),
		cmocka_unit_test(one_result_says_nothing_of_chance),
		cmocka_unit_test(without_spread_a_difference_is_certain),
		cmocka_unit_test(power_is_that_of_the_noncentral_t),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
