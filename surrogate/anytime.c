#include "surrogate/anytime.h"

#include <gsl/gsl_sort.h>

#include <math.h>
#include <stdlib.h>

/* ---- one curve ---- */

/* Number of trials that ended within `spent`. */
static size_t ended_by(const struct anytime *curve, double spent)
{
	size_t low = 0, high = curve->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (curve->spent[middle] <= spent)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static double best_after(const struct anytime *curve, size_t trials)
{
	return trials == 0 || isnan(curve->best[trials - 1]) ? curve->worst
							     : curve->best[trials - 1];
}

double anytime_total(const struct anytime *curve)
{
	return curve->n > 0 ? curve->spent[curve->n - 1] : 0;
}

bool anytime_has_result(const struct anytime *curve, double spent)
{
	const size_t trials = ended_by(curve, spent);

	return trials > 0 && !isnan(curve->best[trials - 1]);
}

double anytime_best(const struct anytime *curve, double spent)
{
	return best_after(curve, ended_by(curve, spent));
}

double anytime_mean(const struct anytime *curve, double spent)
{
	double at = 0, sum = 0;
	size_t t = 0;

	for (; t < curve->n && curve->spent[t] < spent; t++) {
		sum += best_after(curve, t) * ((curve->spent[t] - at) / spent);
		at = curve->spent[t];
	}
	return spent > 0 ? sum + best_after(curve, t) * ((spent - at) / spent)
			 : anytime_best(curve, 0);
}

double anytime_end(const struct anytime *curves, size_t n)
{
	double end = INFINITY;

	for (size_t r = 0; r < n; r++)
		end = fmin(end, anytime_total(&curves[r]));
	return end;
}

/* ---- speed-up ---- */

struct race {
	const struct anytime *fast, *slow;
	size_t repeats;
	double spent, level;
	double sign; /* 1: more is better */
	struct random_key key;
	double *steps; /* where the slower arm's mean curve may change, ascending; the first is 0 */
	size_t n_steps;
	double *differences;
};

/* By how much the faster arm at `spent` is better than the slower arm at x; repeat by repeat. */
static void differ(struct race *race, double x)
{
	for (size_t r = 0; r < race->repeats; r++)
		race->differences[r] = race->sign * (anytime_best(&race->fast[r], race->spent) -
							    anytime_best(&race->slow[r], x));
}

/* With x spent, the slower arm is as good on average; is not clearly worse; is clearly better. */
enum standing { AS_GOOD, NOT_WORSE, BETTER };

static bool stands(
	struct race *race, double x, enum standing standing, bool *ret, struct tuner_error *err)
{
	struct interval interval;

	differ(race, x);
	if (standing == AS_GOOD) {
		*ret = paired_mean(race->differences, race->repeats) <= 0;
		return true;
	}
	if (!paired_interval(
		    race->differences, race->repeats, race->level, race->key, &interval, err))
		return false;
	*ret = standing == NOT_WORSE ? interval.low <= 0 : interval.high < 0;
	return true;
}

/* The first step with this standing, by bisection; INFINITY: none. */
static bool first_step(
	struct race *race, enum standing standing, double *ret, struct tuner_error *err)
{
	size_t low = 0, high = race->n_steps;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		bool held;
		if (!stands(race, race->steps[middle], standing, &held, err))
			return false;
		if (held)
			high = middle;
		else
			low = middle + 1;
	}
	*ret = low < race->n_steps ? race->steps[low] : INFINITY;
	return true;
}

static bool find_steps(struct race *race, struct tuner_error *err)
{
	const double end = anytime_end(race->slow, race->repeats);
	size_t n = 1;

	for (size_t r = 0; r < race->repeats; r++)
		n += race->slow[r].n;
	race->steps = calloc(n, sizeof(*race->steps));
	race->differences = calloc(race->repeats + 1, sizeof(*race->differences));
	if (race->steps == NULL || race->differences == NULL)
		return tuner_fail_memory(err);
	race->n_steps = 1;
	for (size_t r = 0; r < race->repeats; r++)
		for (size_t t = 0; t < race->slow[r].n && race->slow[r].spent[t] <= end; t++)
			race->steps[race->n_steps++] = race->slow[r].spent[t];
	gsl_sort(race->steps, 1, race->n_steps);
	return true;
}

bool anytime_speed_up(const struct anytime *fast, const struct anytime *slow, size_t repeats,
	double spent, bool maximize, double level, struct random_key key, double *ret,
	struct interval *ret_interval, struct tuner_error *err)
{
	struct race race = { .fast = fast,
		.slow = slow,
		.repeats = repeats,
		.spent = spent,
		.level = level,
		.sign = maximize ? 1 : -1,
		.key = key };
	double there = INFINITY, low = 0, high = INFINITY;

	tuner_assert(spent > 0);
	bool ok = find_steps(&race, err) && first_step(&race, AS_GOOD, &there, err);
	if (ok && repeats > 1)
		ok = first_step(&race, NOT_WORSE, &low, err) &&
		     first_step(&race, BETTER, &high, err);
	if (isinf(low)) /* clearly worse with everything spent */
		low = anytime_end(slow, repeats);
	/* Bisection may miss a standing that holds only in places; the interval must contain the
	 * estimate all the same. */
	*ret = there / spent;
	*ret_interval = (struct interval){ fmin(low, there) / spent, fmax(high, there) / spent };
	free(race.steps);
	free(race.differences);
	return ok;
}
