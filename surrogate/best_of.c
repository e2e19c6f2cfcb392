#include "surrogate/best_of.h"

#include "surrogate/anytime.h"

#include <gsl/gsl_sort.h>

#include <math.h>
#include <stdlib.h>
#include <stdint.h>

/* The part of a mean that may be rounding. */
#define ROUNDING 1e-12

/* - The i-th smallest (from 0) is the least of a subset if the k - 1 others are among the n - 1 - i
 *   larger ones, which holds for C(n - 1 - i, k - 1) of the C(n, k) subsets. This share begins with
 *   k / n; the next ones follow by ratios. */
double expected_best(const double *sorted, size_t n, size_t k)
{
	double weight = (double)k / (double)n, sum = 0;

	for (size_t i = 0; i + k <= n; i++) {
		sum += weight * sorted[i];
		const double larger = (double)(n - 1 - i);
		if (larger > 0)
			weight *= (larger - (double)(k - 1)) / larger;
	}
	return sum;
}

/* ---- speed-up between mean curves ---- */

static double mean_at(const struct curves *curves, size_t t)
{
	double sum = 0;

	for (size_t r = 0; r < curves->repeats; r++)
		sum += curves->values[r * curves->length + t] / (double)curves->repeats;
	return sum;
}

/* Where the faster search ends, with a tolerance for rounding: the mean of the same values in
 * another order may be a different number. */
static double target_of(const struct curves *fast)
{
	double size = 0;

	for (size_t r = 0; r < fast->repeats; r++)
		size += fabs(fast->values[(r + 1) * fast->length - 1]) / (double)fast->repeats;
	return mean_at(fast, fast->length - 1) + ROUNDING * size;
}

/* Trials until a falling curve reaches `target`, between its values `before` after t - 1 trials and
 * `here` after t. */
static double crossing(double before, double here, size_t t, double target)
{
	return before > here ? (double)t - (target - here) / (before - here) : (double)t;
}

double speed_up(const struct curves *fast, const struct curves *slow)
{
	const double target = target_of(fast);
	double before = INFINITY;

	for (size_t t = 0; t < slow->length; t++) {
		const double here = mean_at(slow, t);
		if (here <= target)
			return (t == 0 ? 1 : crossing(before, here, t + 1, target)) /
			       (double)fast->length;
		before = here;
	}
	return INFINITY;
}

/* The rows as curves over the number of trials. Before the first trial there is no result: both
 * curves then have the worse of their two first values. */
static void over_trials(const struct curves *curves, const struct curves *others,
	const double *spent, struct anytime *ret)
{
	for (size_t r = 0; r < curves->repeats; r++) {
		const double *best = curves->values + r * curves->length;
		ret[r] = (struct anytime){ .n = curves->length,
			.spent = spent,
			.best = best,
			.worst = fmax(best[0], others->values[r * others->length]) };
	}
}

bool speed_up_interval(const struct curves *fast, const struct curves *slow, double level,
	struct random_key key, struct interval *ret, struct tuner_error *err)
{
	const size_t n = fast->repeats;
	const size_t longest = fast->length > slow->length ? fast->length : slow->length;
	struct anytime *quick = calloc(n + 1, sizeof(*quick));
	struct anytime *late = calloc(n + 1, sizeof(*late));
	double *spent = calloc(longest + 1, sizeof(*spent)), times;
	bool ok = (quick != NULL && late != NULL && spent != NULL) || tuner_fail_memory(err);

	if (ok) {
		for (size_t t = 0; t < longest; t++)
			spent[t] = (double)t + 1;
		over_trials(fast, slow, spent, quick);
		over_trials(slow, fast, spent, late);
		ok = anytime_speed_up(
			quick, late, n, (double)fast->length, false, level, key, &times, ret, err);
		ret->low = fmin(ret->low, speed_up(fast, slow)); /* the latter interpolates between
								    two trials */
	}
	free(quick);
	free(late);
	free(spent);
	return ok;
}

/* ---- against the expected best of all trials ---- */

struct value {
	double objective;
	size_t repeat;
};

/* All results in ascending order; a trial without a result counts as the worst. `objectives` and
 * `order` are scratch. */
static void sort_values(const double *trials, size_t n, size_t length, double *objectives,
	size_t *order, struct value *ret_values)
{
	double worst = -INFINITY;

	for (size_t i = 0; i < n; i++)
		if (trials[i] > worst)
			worst = trials[i];
	for (size_t i = 0; i < n; i++)
		objectives[i] = isnan(trials[i]) ? worst : trials[i];
	gsl_sort_index(order, objectives, 1, n);
	for (size_t i = 0; i < n; i++)
		ret_values[i] = (struct value){ objectives[order[i]], order[i] / length };
}

/* Trials until the expected best reaches the target, by bisection, since it falls with k. */
static double trials_for(const double *sorted, size_t n, double target)
{
	size_t low = 1, high = n;

	if (expected_best(sorted, n, 1) <= target)
		return 1;
	if (expected_best(sorted, n, n) > target)
		return INFINITY;
	while (high - low > 1) {
		const size_t middle = low + (high - low) / 2;
		if (expected_best(sorted, n, middle) <= target)
			high = middle;
		else
			low = middle;
	}
	return crossing(
		expected_best(sorted, n, low), expected_best(sorted, n, high), high, target);
}

/* The two sides of the comparison: the faster arm's ends, and all trials of the slower arm in
 * order. */
struct pool {
	const struct curves *fast;
	const struct value *values;
	size_t n, length, repeats;
	double *objectives; /* scratch: of the trials used, in order */
	double *pseudo; /* scratch: one value per repeat */
};

/* The expected best of k trials, without those of the repeat `without` (SIZE_MAX: with all). */
static double expected_without(const struct pool *pool, size_t without, size_t k)
{
	size_t m = 0;

	for (size_t i = 0; i < pool->n; i++)
		if (pool->values[i].repeat != without)
			pool->objectives[m++] = pool->values[i].objective;
	return expected_best(pool->objectives, m, k);
}

/* Interval of the expected best of k trials less the mean end of the faster arm. The expected best
 * is not a mean of one number per repeat, so the pseudo-values of its jackknife are used as such
 * numbers (Tukey 1958; Miller, "The jackknife: a review", Biometrika 61, 1974). k is at most the
 * number of trials in all repeats but one. */
static bool expected_interval(const struct pool *pool, size_t k, double level,
	struct random_key key, struct interval *ret, struct tuner_error *err)
{
	const double n = (double)pool->repeats, all = expected_without(pool, SIZE_MAX, k);
	const size_t last = pool->fast->length - 1;

	for (size_t r = 0; r < pool->repeats; r++)
		pool->pseudo[r] = n * all - (n - 1) * expected_without(pool, r, k) -
				  pool->fast->values[r * pool->fast->length + last];
	return paired_interval(pool->pseudo, pool->repeats, level, key, ret, err);
}

/* The first k at which the expected best is not clearly worse or, with `better`, clearly better;
 * *ret_k is beyond the last if there is none. */
static bool first_k(const struct pool *pool, bool better, double level, struct random_key key,
	size_t *ret_k, struct tuner_error *err)
{
	size_t low = 1, high = (pool->repeats - 1) * pool->length + 1;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		struct interval interval;
		if (!expected_interval(pool, middle, level, key, &interval, err))
			return false;
		if (better ? interval.high < 0 : interval.low <= 0)
			high = middle;
		else
			low = middle + 1;
	}
	*ret_k = low;
	return true;
}

/* The interval, as in anytime_speed_up. */
static bool expected_speed_up_interval(const struct pool *pool, double times, double level,
	struct random_key key, struct interval *ret, struct tuner_error *err)
{
	const size_t last = (pool->repeats - 1) * pool->length;
	const double length = (double)pool->fast->length;
	size_t low, high;

	if (pool->repeats < 2)
		return true;
	if (!first_k(pool, false, level, key, &low, err) ||
		!first_k(pool, true, level, key, &high, err))
		return false;
	ret->low = fmin((double)(low <= last ? low : last) / length, times);
	ret->high = high <= last ? fmax((double)high / length, times) : INFINITY;
	return true;
}

bool expected_speed_up(const struct curves *fast, const double *trials, size_t repeats,
	size_t length, double level, struct random_key key, double *ret,
	struct interval *ret_interval, struct tuner_error *err)
{
	const size_t n = repeats * length;
	struct value *values = malloc((n + 1) * sizeof(*values));
	size_t *order = malloc((n + 1) * sizeof(*order));
	double *objectives = malloc((n + 1) * sizeof(*objectives));
	double *pseudo = malloc((repeats + 1) * sizeof(*pseudo));
	bool ok = (values && order && objectives && pseudo) || tuner_fail_memory(err);

	*ret = NAN;
	*ret_interval = (struct interval){ 0, INFINITY };
	if (ok) {
		const struct pool pool = { fast, values, n, length, repeats, objectives, pseudo };
		sort_values(trials, n, length, objectives, order, values);
		for (size_t i = 0; i < n; i++)
			objectives[i] = values[i].objective;
		*ret = trials_for(objectives, n, target_of(fast)) / (double)fast->length;
		ok = expected_speed_up_interval(&pool, *ret, level, key, ret_interval, err);
	}
	free(values);
	free(order);
	free(objectives);
	free(pseudo);
	return ok;
}
