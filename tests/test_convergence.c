/* surrogate/convergence.h: has the search come to its end? */
#include "surrogate/convergence.h"

#include <gsl/gsl_cdf.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

#define assert_trailing(wanted, ...)                                                               \
	assert_int_equal(                                                                          \
		not_improving((const double[]){ __VA_ARGS__ },                                     \
			LENGTH(((const double[]){ __VA_ARGS__ })), INFINITY, CONVERGENCE_GAIN),    \
		wanted)

static void assert_near(double value, double wanted)
{
	assert_true(fabs(value - wanted) < 1e-12);
}

/* ---- not improving ---- */

static void nothing_tried_is_nothing_in_vain(void **state)
{
	assert_int_equal(not_improving(NULL, 0, INFINITY, CONVERGENCE_GAIN), 0);
}

static void a_gain_of_one_percent_counts_and_less_does_not(void **state)
{
	assert_trailing(0, 100, 99);
	assert_trailing(1, 100, 99.01);
	assert_trailing(1, 100, 100);
	assert_trailing(3, 100, 98, 98.5, 120, 97.5);
	assert_trailing(0, 100, 98, 98.5, 120, 97);
}

/* One percent of 0.7 from 0.7 is 0.69299999999999995, by doubles. */
static void rounding_takes_no_gain_away(void **state)
{
	for (int i = 1; i < 1000; i++) {
		assert_trailing(0, i / 1000.0, i * 99 / 100000.0);
		assert_trailing(0, -i / 1000.0, -i * 101 / 100000.0);
		assert_trailing(1, i / 1000.0, i * 99 / 100000.0 + 1e-9);
	}
}

/* Of a maximised objective, whose sign is turned: 0.90 -> 0.909 is one percent. */
static void negative_objectives_gain_away_from_zero(void **state)
{
	assert_trailing(0, -0.90, -0.9091);
	assert_trailing(1, -0.90, -0.9089);
}

/* Small steps add up to more than one percent, but each was measured against the best so far. */
static void small_gains_move_the_goal(void **state)
{
	assert_trailing(4, 100, 99.5, 99.0 + 0.2, 98.8, 98.5);
}

static void around_zero_any_gain_counts(void **state)
{
	assert_trailing(0, 0, -1e-9);
	assert_trailing(1, 0, 0);
	assert_trailing(1, 0, 1e-9);
}

static void failures_are_in_vain_and_the_first_objective_is_not(void **state)
{
	assert_trailing(1, NAN);
	assert_trailing(3, NAN, INFINITY, NAN);
	assert_trailing(0, NAN, INFINITY, 7);
	assert_trailing(2, NAN, 7, NAN, INFINITY);
	/* A value of minus infinity is a bug of the script, not an optimum. */
	assert_trailing(1, 7, -INFINITY);
	assert_trailing(0, 7, -INFINITY, 6);
}

/* ---- converged ---- */

/* The goal is one percent below 10: 9.9. */
static void the_chance_of_a_gain_is_the_normal_tail(void **state)
{
	const struct forecast near = { 10, 0.1, 10 }, far = { 10.1, 0.1, 10 };

	assert_near(gain_probability(&near, 0.01), gsl_cdf_ugaussian_P(-1));
	assert_near(gain_probability(&far, 0.01), gsl_cdf_ugaussian_P(-2));
	assert_near(gain_probability(&near, 0), 0.5);
}

static void over_a_limit_nothing_is_gained(void **state)
{
	const struct forecast near = { 10, 0.1, 10, 0.75 }, sure = { 9.8, 0, 10, 0.75 };
	const struct forecast none = { NAN, NAN, NAN, 0.75 };

	assert_near(gain_probability(&near, 0.01), 0.25 * gsl_cdf_ugaussian_P(-1));
	assert_near(gain_probability(&sure, 0.01), 0.25);
	assert_near(gain_probability(&none, 0.01), 1);
}

static void a_certain_forecast_gains_or_does_not(void **state)
{
	const struct forecast above = { 9.95, 0, 10 }, below = { 9.8, 0, 10 };

	assert_true(gain_probability(&above, 0.01) == 0);
	assert_true(gain_probability(&below, 0.01) == 1);
}

static void of_a_negative_incumbent_the_goal_lies_below_it(void **state)
{
	const struct forecast forecast = { -10, 0.1, -10 };

	assert_near(gain_probability(&forecast, 0.01), gsl_cdf_ugaussian_P(-1));
}

static void without_a_forecast_nothing_speaks_for_an_end(void **state)
{
	const struct forecast none[] = { { NAN, NAN, 10 }, { 10, NAN, 10 }, { 10, 1, NAN },
		{ 10, 1, INFINITY }, { NAN, 1, 10 }, { 10, -1, 10 } };

	for (size_t i = 0; i < LENGTH(none); i++)
		assert_true(gain_probability(&none[i], 0.01) == 1);
}

#define HOPELESS                                                                                   \
	{                                                                                          \
		12, 0.1, 10                                                                        \
	}
#define HOPEFUL                                                                                    \
	{                                                                                          \
		10, 1, 10                                                                          \
	}
#define UNKNOWN                                                                                    \
	{                                                                                          \
		NAN, NAN, NAN                                                                      \
	}

static void it_has_converged_when_the_last_k_are_all_hopeless(void **state)
{
	const struct forecast history[] = { HOPEFUL, HOPELESS, HOPELESS, HOPELESS, HOPELESS,
		HOPELESS };

	assert_true(has_converged(history, 6, 5, 0.01, 0.05));
	assert_false(has_converged(history, 6, 6, 0.01, 0.05));
	assert_false(has_converged(history, 5, 5, 0.01, 0.05));
}

static void one_hopeful_or_unknown_forecast_keeps_it_going(void **state)
{
	const struct forecast hopeful[] = { HOPELESS, HOPELESS, HOPEFUL };
	const struct forecast unknown[] = { HOPELESS, UNKNOWN, HOPELESS };

	assert_false(has_converged(hopeful, 3, 3, 0.01, 0.05));
	assert_false(has_converged(unknown, 3, 3, 0.01, 0.05));
}

static void too_few_forecasts_do_not_end_it(void **state)
{
	const struct forecast history[] = { HOPELESS, HOPELESS };

	assert_false(has_converged(history, 2, 3, 0.01, 0.05));
	assert_false(has_converged(NULL, 0, 1, 0.01, 0.05));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_tried_is_nothing_in_vain),
		cmocka_unit_test(a_gain_of_one_percent_counts_and_less_does_not),
		cmocka_unit_test(rounding_takes_no_gain_away),
		cmocka_unit_test(negative_objectives_gain_away_from_zero),
		cmocka_unit_test(small_gains_move_the_goal),
		cmocka_unit_test(around_zero_any_gain_counts),
		cmocka_unit_test(failures_are_in_vain_and_the_first_objective_is_not),
		cmocka_unit_test(the_chance_of_a_gain_is_the_normal_tail),
		cmocka_unit_test(over_a_limit_nothing_is_gained),
		cmocka_unit_test(a_certain_forecast_gains_or_does_not),
		cmocka_unit_test(of_a_negative_incumbent_the_goal_lies_below_it),
		cmocka_unit_test(without_a_forecast_nothing_speaks_for_an_end),
		cmocka_unit_test(it_has_converged_when_the_last_k_are_all_hopeless),
		cmocka_unit_test(one_hopeful_or_unknown_forecast_keeps_it_going),
		cmocka_unit_test(too_few_forecasts_do_not_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
