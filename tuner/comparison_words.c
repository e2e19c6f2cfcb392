/* What a contrast says and does not say, in sentences. */
#include "tuner/comparison_inside.h"

#include <math.h>

enum { REPEATS_THAT_ANYBODY_RUNS = 10000 };

/* Totals that differ by more are worth a sentence. */
#define UNLIKE 1.1

const char *axis_unit(enum axis axis)
{
	static const char *const units[AXES] = { "trials", "slot-seconds", "money" };

	return units[axis];
}

/* Whether chance alone would give it. */
static void say_chance(size_t repeats, const struct estimate *difference, struct text *ret)
{
	if (repeats < 2)
		text_add(ret,
			"One repeat says nothing about chance: another may come out the other "
			"way round. ");
	else if (difference->interval.low <= 0 && 0 <= difference->interval.high)
		text_print(ret,
			"That may be chance: the interval from %.4g to %.4g contains 0 (p = "
			"%.3g). ",
			difference->interval.low, difference->interval.high, difference->p_value);
	else if (difference->p_value > 1 - COMPARISON_LEVEL)
		text_print(ret,
			"The interval from %.4g to %.4g leaves 0 out, but a test by signs does not "
			"bear that out (p = %.3g). ",
			difference->interval.low, difference->interval.high, difference->p_value);
	else
		text_print(ret, "Chance alone would hardly give that (p = %.3g). ",
			difference->p_value);
}

static void say_difference(const struct comparison *comparison, const struct contrast *contrast,
	const struct estimate *difference, struct text *ret)
{
	const bool a_better = difference->mean >= 0;
	const char *better = a_better ? contrast->a->name : contrast->b->name;
	const char *worse = a_better ? contrast->b->name : contrast->a->name;

	if (difference->mean == 0 && difference->deviation == 0) {
		text_print(ret, "%s and %s have found the same in each repeat. ", better, worse);
		return;
	}
	if (difference->mean == 0)
		text_print(ret, "%s and %s have found the same%s. ", better, worse,
			comparison->n_repeats > 1 ? " on average" : "");
	else
		text_print(ret, "%s has found %.4g better %s than %s on average. ", better,
			fabs(difference->mean), comparison->metric, worse);
	say_chance(comparison->n_repeats, difference, ret);
}

static void say_power(
	const struct comparison *comparison, const struct contrast *contrast, struct text *ret)
{
	const size_t n = comparison->n_repeats;
	const struct estimate *final = &contrast->final;

	if (n < 2 || (final->mean == 0 && final->deviation == 0))
		return;
	if (paired_least_p_value(n) > 0.05)
		text_print(ret,
			"%zu repeats cannot give a p-value below %.3g, however large the "
			"difference: "
			"6 are the fewest that can be called significant at 5 %%. ",
			n, paired_least_p_value(n));
	if (final->deviation == 0)
		return; /* without a spread there is no saying what would be found */
	text_print(ret,
		"With the spread seen, %zu repeats find a difference of %.4g in 4 of 5 cases", n,
		final->detectable);
	const size_t needed =
		final->deviation > 0 && fabs(final->mean) < final->detectable
			? paired_repeats(fabs(final->mean) / final->deviation, 1 - COMPARISON_LEVEL,
				  COMPARISON_POWER, REPEATS_THAT_ANYBODY_RUNS)
			: 0;
	if (needed > n)
		text_print(ret, "; for one like this it would take %zu", needed);
	text_add(ret, ". ");
}

static void say_times(double times, struct interval interval, struct text *ret)
{
	if (isinf(times))
		text_add(ret, "more than it had");
	else if (isinf(interval.high))
		text_print(ret, "%.2g × [%.2g, more than can be told]", times, interval.low);
	else
		text_print(ret, "%.2g × [%.2g, %.2g]", times, interval.low, interval.high);
}

static void say_speed(const struct contrast *contrast, struct text *ret)
{
	const char *fast = contrast->a_faster ? contrast->a->name : contrast->b->name;
	const char *slow = contrast->a_faster ? contrast->b->name : contrast->a->name;

	if (contrast->final.mean == 0)
		return; /* both end at the same: neither is the faster one */
	text_print(ret, "To come to where %s ends, %s needs ", fast, slow);
	if (isinf(contrast->speed_up)) {
		text_add(ret, "more trials than it had");
	} else {
		say_times(contrast->speed_up, contrast->speed_up_interval, ret);
		text_add(ret, " as many trials");
	}
	if (contrast->has_expected) {
		text_add(ret, "; by the expected best of all its random trials taken together, ");
		say_times(contrast->expected, contrast->expected_interval, ret);
	}
	text_add(ret, ". ");
}

static void say_none(size_t none, size_t repeats, const char *arm, struct text *ret)
{
	if (none > 0)
		text_print(ret,
			"%zu of %zu searches of %s had no result by then: the worst value of the "
			"repeat stands for it. ",
			none, repeats, arm);
}

static void say_left_out(const struct comparison *comparison, struct text *ret)
{
	const size_t late = comparison->left_out - comparison->empty;

	if (late > 0)
		text_print(
			ret, "%zu repeat%s not that far yet. ", late, late == 1 ? " is" : "s are");
	if (comparison->empty > 0)
		text_print(ret, "%zu repeat%s left out, for no search of %s has a result. ",
			comparison->empty, comparison->empty == 1 ? " is" : "s are",
			comparison->empty == 1 ? "it" : "them");
}

void contrast_words(
	const struct comparison *comparison, const struct contrast *contrast, struct text *ret)
{
	text_print(
		ret, "After %zu trial%s ", comparison->length, comparison->length == 1 ? "" : "s");
	say_difference(comparison, contrast, &contrast->final, ret);
	say_none(contrast->none_a, comparison->n_repeats, contrast->a->name, ret);
	say_none(contrast->none_b, comparison->n_repeats, contrast->b->name, ret);
	say_power(comparison, contrast, ret);
	say_speed(contrast, ret);
	if (!comparison->paired)
		text_add(ret,
			"The two were separate jobs: initial points and machines may differ. ");
	if (comparison->differs != NULL)
		text_print(ret, "They do differ in %s, to which the difference may be due. ",
			comparison->differs);
	if (comparison->length < comparison->budget)
		text_print(ret, "The comparison %s: %zu of %zu trials are compared. ",
			comparison->ended ? "ended before its last trial" : "is not finished",
			comparison->length, comparison->budget);
	say_left_out(comparison, ret);
	text_trim_end(ret);
}

/* ---- at equal spending ---- */

static void say_spent(enum axis axis, double spent, struct text *ret)
{
	if (axis == OVER_MONEY)
		text_print(ret, "%.4g of money", spent);
	else
		text_print(ret, "%.4g %s", spent, axis_unit(axis));
}

static void say_spending_speed(
	const struct contrast *contrast, enum axis axis, size_t repeats, struct text *ret)
{
	const struct equal_spending *equal = &contrast->over[axis];
	const struct interval interval = equal->speed_up_interval;
	const char *fast = equal->a_faster ? contrast->a->name : contrast->b->name;
	const char *slow = equal->a_faster ? contrast->b->name : contrast->a->name;
	const char *what = axis == OVER_TIME ? "time" : "money";

	if (isnan(equal->speed_up))
		return;
	text_print(ret, "To come to where %s then is, %s needs ", fast, slow);
	if (isinf(equal->speed_up)) {
		text_print(ret, "more %s than it had", what);
		if (repeats > 1 && interval.low > 0)
			text_print(ret, " (at least %.2g × as much)", interval.low);
	} else if (repeats < 2) {
		text_print(ret, "%.2g × as much %s", equal->speed_up, what);
	} else {
		say_times(equal->speed_up, interval, ret);
		text_print(ret, " as much %s", what);
	}
	text_add(ret, ". ");
}

/* What one of them found with more than the other spent is not seen in a comparison at equal spending. */
static void say_totals(const struct contrast *contrast, enum axis axis, struct text *ret)
{
	const struct equal_spending *equal = &contrast->over[axis];
	const bool a_more = equal->total_a > equal->total_b;
	const double more = a_more ? equal->total_a : equal->total_b;
	const double less = a_more ? equal->total_b : equal->total_a;

	if (more <= UNLIKE * less)
		return;
	text_print(
		ret, "A search of %s went on to ", a_more ? contrast->a->name : contrast->b->name);
	say_spent(axis, more, ret);
	text_print(
		ret, " on average, one of %s to ", a_more ? contrast->b->name : contrast->a->name);
	say_spent(axis, less, ret);
	text_add(ret, ": what was found beyond the common part does not count here. ");
}

static void say_prices(const struct comparison *comparison, struct text *ret)
{
	if (comparison->unpriced > 0)
		text_print(ret, "%lld of %lld attempts ran without a price and count as free. ",
			(long long)comparison->unpriced, (long long)comparison->attempts);
}

void spending_words(const struct comparison *comparison, const struct contrast *contrast,
	enum axis axis, struct text *ret)
{
	const struct equal_spending *equal = &contrast->over[axis];

	if (!equal->is_possible && axis == OVER_MONEY && comparison->priced)
		text_add(ret, "Money is not compared: a search has cost nothing.");
	if (!equal->is_possible)
		return;
	if (axis == OVER_MONEY && comparison->one_price) {
		text_print(ret,
			"Every slot-second had the same price: over money the curves are those "
			"over time, and %.4g of money are %.4g slot-seconds.",
			equal->spent, contrast->over[OVER_TIME].spent);
		return;
	}
	text_add(ret, "When every search has spent ");
	say_spent(axis, equal->spent, ret);
	text_add(ret, ", ");
	say_difference(comparison, contrast, &equal->final, ret);
	say_none(equal->none_a, comparison->n_repeats, contrast->a->name, ret);
	say_none(equal->none_b, comparison->n_repeats, contrast->b->name, ret);
	say_spending_speed(contrast, axis, comparison->n_repeats, ret);
	say_totals(contrast, axis, ret);
	if (axis == OVER_MONEY)
		say_prices(comparison, ret);
	if (comparison->length < comparison->budget && !comparison->ended)
		text_add(ret, "What is still running counts once it has ended. ");
	text_trim_end(ret);
}
