/* surrogate/anytime.h: curves over what was spent, by hand. */
#include "surrogate/anytime.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static const struct random_key key = { .seed = 1, .number = 1 };

static void assert_near(double value, double wanted, double tolerance)
{
	if (!(fabs(value - wanted) <= tolerance))
		fail_msg("%.12g, wanted %.12g", value, wanted);
}

/* Minimised: a failure of 2 s, then 5 at 3 s, nothing better at 4 s, 1 at 10 s. */
static const double spent[] = { 2, 3, 4, 10 }, best[] = { NAN, 5, 5, 1 };
static const struct anytime curve = { 4, spent, best, 9 };

static void a_trial_counts_from_its_end_on(void **state)
{
	assert_near(anytime_total(&curve), 10, 0);
	assert_near(anytime_best(&curve, 0), 9, 0);
	assert_near(anytime_best(&curve, 2.5), 9, 0); /* a failure is no result */
	assert_near(anytime_best(&curve, 2.999), 9, 0);
	assert_near(anytime_best(&curve, 3), 5, 0);
	assert_near(anytime_best(&curve, 9.999), 5, 0);
	assert_near(anytime_best(&curve, 10), 1, 0);
	assert_false(anytime_has_result(&curve, 2.999));
	assert_true(anytime_has_result(&curve, 3));
}

static void the_mean_is_the_area_over_what_was_spent(void **state)
{
	assert_near(anytime_mean(&curve, 2), 9, 0);
	assert_near(anytime_mean(&curve, 6), (3 * 9 + 3 * 5) / 6.0, 1e-12);
	/* What ends at the very end has no time left in which to count. */
	assert_near(anytime_mean(&curve, 10), (3 * 9 + 7 * 5) / 10.0, 1e-12);
	assert_near(anytime_mean(&curve, 0), 9, 0);
}

static void a_penalty_of_the_largest_number_has_a_mean(void **state)
{
	static const double high[] = { 1.7e308, 1.7e308, 1.7e308, 1.7e308 };
	const struct anytime penalty = { 4, spent, high, 1.7e308 };

	assert_near(anytime_mean(&penalty, 10) / 1.7e308, 1, 1e-12);
}

static void trials_that_took_nothing_count_at_once(void **state)
{
	static const double at_once[] = { 0, 0, 1, 1 }, values[] = { 7, 6, 6, 2 };
	const struct anytime now = { 4, at_once, values, 9 };
	assert_near(anytime_best(&now, 0), 6, 0);
	assert_near(anytime_best(&now, 1), 2, 0);
	assert_near(anytime_mean(&now, 1), 6, 0);
	assert_near(anytime_mean(&now, 0), 6, 0);
}

static void a_search_without_trials_has_spent_nothing(void **state)
{
	const struct anytime none = { .worst = 9 }, both[] = { curve, none };
	assert_near(anytime_total(&none), 0, 0);
	assert_near(anytime_best(&none, 5), 9, 0);
	assert_near(anytime_mean(&none, 5), 9, 0);
	assert_near(anytime_end(both, 1), 10, 0);
	assert_near(anytime_end(both, 2), 0, 0);
}

static struct interval speed_up_of(const struct anytime *fast, const struct anytime *slow,
	size_t repeats, double at, bool maximize, double *ret)
{
	struct interval interval;
	struct tuner_error err;
	assert_true(anytime_speed_up(
		fast, slow, repeats, at, maximize, 0.95, key, ret, &interval, &err));
	return interval;
}

/* Two repeats. At 4 s the fast one's are 2 and 4, 3 on average. The slow one's mean is 8 from 3 s on, 5 from 6 s,
 * 4.5 from 8 s, and 2.5 from 10 s, 2.5 times as late; the second repeat ends at 12 s. */
static void speed_up_is_the_first_step_at_which_the_slow_mean_is_there(void **state)
{
	static const double fast_spent[] = { 1, 4 }, fast_1[] = { 6, 2 }, fast_2[] = { 4, 4 };
	static const double spent_1[] = { 3, 10, 20 }, slow_1[] = { 7, 3, 1 };
	static const double spent_2[] = { 3, 6, 8, 12 }, slow_2[] = { 9, 3, 2, 2 };
	const struct anytime fast[] = { { 2, fast_spent, fast_1, 9 },
		{ 2, fast_spent, fast_2, 9 } };
	const struct anytime slow[] = { { 3, spent_1, slow_1, 9 }, { 4, spent_2, slow_2, 9 } };
	double times;
	speed_up_of(fast, slow, 2, 4, false, &times);
	assert_near(times, 2.5, 1e-12);
	/* At 1 s the fast one's mean is 5: there by 6 s, exactly. */
	speed_up_of(fast, slow, 2, 1, false, &times);
	assert_near(times, 6, 1e-12);
	/* The same values, to be made great: the slow one is as great from the beginning on. */
	speed_up_of(fast, slow, 2, 4, true, &times);
	assert_near(times, 0, 0);
}

static void what_is_beyond_the_shortest_search_is_not_followed(void **state)
{
	static const double one_spent[] = { 1 }, one[] = { 1 };
	static const double spent_1[] = { 3, 20 }, slow_1[] = { 7, 0 };
	static const double spent_2[] = { 3, 12 }, slow_2[] = { 7, 5 };
	const struct anytime fast[] = { { 1, one_spent, one, 9 }, { 1, one_spent, one, 9 } };
	const struct anytime slow[] = { { 2, spent_1, slow_1, 9 }, { 2, spent_2, slow_2, 9 } };
	double times;
	const struct interval interval = speed_up_of(fast, slow, 2, 1, false, &times);
	assert_true(isinf(times) && isinf(interval.high));
}

/* Where repeats are alike there is no doubt: the interval begins where the slow one is no longer worse, and ends
 * where it is better. */
static void without_spread_the_interval_is_from_as_good_to_better(void **state)
{
	static const double fast_spent[] = { 2 }, fast_best[] = { 3 };
	static const double slow_spent[] = { 1, 5, 8 }, slow_best[] = { 4, 3, 2 };
	static const double late_spent[] = { 6 }, late_best[] = { 4 };
	struct anytime fast[4], slow[4];
	double times;
	for (size_t r = 0; r < 4; r++) {
		fast[r] = (struct anytime){ 1, fast_spent, fast_best, 9 };
		slow[r] = (struct anytime){ 3, slow_spent, slow_best, 9 };
	}
	struct interval interval = speed_up_of(fast, slow, 4, 2, false, &times);
	assert_near(times, 2.5, 1e-12);
	assert_near(interval.low, 2.5, 1e-12);
	assert_near(interval.high, 4, 1e-12);
	interval = speed_up_of(fast, slow, 4, 0.5, false, &times);
	assert_near(times, 0, 0); /* at 0.5 s neither has a result */
	/* Clearly worse with all that it had: at least so much more. */
	for (size_t r = 0; r < 4; r++)
		slow[r] = (struct anytime){ 1, late_spent, late_best, 9 };
	interval = speed_up_of(fast, slow, 4, 2, false, &times);
	assert_true(isinf(times) && isinf(interval.high));
	assert_near(interval.low, 3, 1e-12);
}

static void one_repeat_has_no_interval(void **state)
{
	static const double fast_spent[] = { 2 }, fast_best[] = { 3 };
	static const double slow_spent[] = { 1, 5 }, slow_best[] = { 4, 3 };
	const struct anytime fast = { 1, fast_spent, fast_best, 9 };
	const struct anytime slow = { 2, slow_spent, slow_best, 9 };
	double times;
	const struct interval interval = speed_up_of(&fast, &slow, 1, 2, false, &times);
	assert_near(times, 2.5, 1e-12);
	assert_true(interval.low == 0 && isinf(interval.high));
}

/* Random searches of which one takes twice as long a trial: the interval holds 2, and the estimate lies in it. Maximised
 * searches of the opposite values give the same. */
static void a_search_that_takes_twice_as_long_needs_twice_as_much(void **state)
{
	enum { R = 12, FAST = 20, SLOW = 60 };
	static double values[2][R][SLOW], opposite[2][R][SLOW], times[2][R][SLOW];
	struct anytime fast[R], slow[R], fast_turned[R], slow_turned[R];
	struct random random;
	double seen, turned;
	random_init(&random, (struct random_key){ .seed = 11, .purpose = RANDOM_TEST });
	for (size_t a = 0; a < 2; a++)
		for (size_t r = 0; r < R; r++)
			for (size_t t = 0; t < SLOW; t++) {
				const double x = random_uniform(&random);
				const double took = (a + 1.0) * (0.5 + random_uniform(&random));
				values[a][r][t] = t > 0 ? fmin(values[a][r][t - 1], x) : x;
				opposite[a][r][t] = -values[a][r][t];
				times[a][r][t] = took + (t > 0 ? times[a][r][t - 1] : 0);
			}
	for (size_t r = 0; r < R; r++) {
		fast[r] = (struct anytime){ FAST, times[0][r], values[0][r], 1 };
		slow[r] = (struct anytime){ SLOW, times[1][r], values[1][r], 1 };
		fast_turned[r] = (struct anytime){ FAST, times[0][r], opposite[0][r], -1 };
		slow_turned[r] = (struct anytime){ SLOW, times[1][r], opposite[1][r], -1 };
	}
	const double at = anytime_end(fast, R);
	const struct interval interval = speed_up_of(fast, slow, R, at, false, &seen);
	const struct interval other = speed_up_of(fast_turned, slow_turned, R, at, true, &turned);
	assert_true(interval.low <= seen && seen <= interval.high);
	assert_true(interval.low <= 2 && 2 <= interval.high);
	assert_true(interval.low > 0);
	assert_near(turned, seen, 0);
	assert_near(other.low, interval.low, 0);
	assert_true(other.high == interval.high);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trial_counts_from_its_end_on),
		cmocka_unit_test(the_mean_is_the_area_over_what_was_spent),
		cmocka_unit_test(a_penalty_of_the_largest_number_has_a_mean),
		cmocka_unit_test(trials_that_took_nothing_count_at_once),
		cmocka_unit_test(a_search_without_trials_has_spent_nothing),
		cmocka_unit_test(speed_up_is_the_first_step_at_which_the_slow_mean_is_there),
		cmocka_unit_test(what_is_beyond_the_shortest_search_is_not_followed),
		cmocka_unit_test(without_spread_the_interval_is_from_as_good_to_better),
		cmocka_unit_test(one_repeat_has_no_interval),
		cmocka_unit_test(a_search_that_takes_twice_as_long_needs_twice_as_much),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
