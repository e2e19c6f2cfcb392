#include "surrogate/best_of.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void best_so_far(const double *objectives, size_t n, double *ret)
{
	double best = NAN;

	for (size_t t = 0; t < n; t++) {
		if (isnan(best) || objectives[t] < best)
			best = objectives[t];
		ret[t] = best;
	}
}

/* The i-th smallest (from 0) is the least of a subset if the k - 1 others are among the n - 1 - i larger
 * ones: C(n - 1 - i, k - 1) of C(n, k) subsets, which begins with k / n and goes on by ratios. */
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

/* Of the repeats that `picked` names. */
static double mean_at(const struct curves *curves, const size_t *picked, size_t t)
{
	double sum = 0;

	for (size_t r = 0; r < curves->repeats; r++)
		sum += curves->values[picked[r] * curves->length + t];
	return sum / (double)curves->repeats;
}

/* Trials until a falling curve is at `target`, given its values around: t trials gave `here`, t - 1
 * `before`. */
static double crossing(double before, double here, size_t t, double target)
{
	return before > here ? (double)t - (target - here) / (before - here) : (double)t;
}

static double ratio(const struct curves *fast, const struct curves *slow, const size_t *picked)
{
	const double target = mean_at(fast, picked, fast->length - 1);
	double before = INFINITY;

	for (size_t t = 0; t < slow->length; t++) {
		const double here = mean_at(slow, picked, t);
		if (here <= target)
			return (t == 0 ? 1 : crossing(before, here, t + 1, target)) /
			       (double)fast->length;
		before = here;
	}
	return INFINITY;
}

static void in_order(size_t *picked, size_t n)
{
	for (size_t r = 0; r < n; r++)
		picked[r] = r;
}

double speed_up(const struct curves *fast, const struct curves *slow)
{
	size_t *picked = malloc((fast->repeats + 1) * sizeof(*picked));

	if (picked == NULL)
		return NAN;
	in_order(picked, fast->repeats);
	const double times = ratio(fast, slow, picked);
	free(picked);
	return times;
}

static int compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Between order statistics that may be infinite. */
static struct interval percentiles(double *values, size_t n, double level)
{
	qsort(values, n, sizeof(*values), compare_doubles);
	const size_t cut = (size_t)((1 - level) / 2 * (double)n);
	return (struct interval){ values[cut], values[n - 1 - cut] };
}

static void pick(size_t *picked, size_t n, struct random *random)
{
	for (size_t r = 0; r < n; r++)
		picked[r] = (size_t)random_below(random, n);
}

bool speed_up_interval(const struct curves *fast, const struct curves *slow, double level,
	struct random_key key, struct interval *ret, struct tuner_error *err)
{
	size_t *picked = malloc((fast->repeats + 1) * sizeof(*picked));
	double *times = malloc(PAIRED_DRAWS * sizeof(*times));
	const bool ok = picked != NULL && times != NULL;
	struct random random;

	*ret = (struct interval){ 0, INFINITY };
	key.purpose = RANDOM_BOOTSTRAP;
	random_init(&random, key);
	for (size_t b = 0; ok && fast->repeats > 1 && b < PAIRED_DRAWS; b++) {
		pick(picked, fast->repeats, &random);
		times[b] = ratio(fast, slow, picked);
	}
	if (ok && fast->repeats > 1)
		*ret = percentiles(times, PAIRED_DRAWS, level);
	free(picked);
	free(times);
	return ok || tuner_fail_memory(err);
}

/* ---- against the expected best of all trials ---- */

struct value {
	double objective;
	size_t repeat;
};

static int compare_values(const void *a, const void *b)
{
	return compare_doubles(
		&((const struct value *)a)->objective, &((const struct value *)b)->objective);
}

/* All results in ascending order; a trial without one is as bad as the worst. */
static size_t sort_values(
	const double *trials, size_t repeats, size_t length, struct value *ret_values)
{
	double worst = -INFINITY;
	size_t n = repeats * length;

	for (size_t i = 0; i < n; i++)
		if (trials[i] > worst)
			worst = trials[i];
	for (size_t i = 0; i < n; i++)
		ret_values[i] = (struct value){ isnan(trials[i]) ? worst : trials[i], i / length };
	qsort(ret_values, n, sizeof(*ret_values), compare_values);
	return n;
}

/* Trials until the expected best is at the target: it falls with k, so it is searched for by halves. */
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

/* The values of the picked repeats, each as often as it was picked: still in order. */
static size_t spread(const struct value *values, size_t n, const size_t *picked, size_t repeats,
	size_t *counts, double *ret_sorted)
{
	size_t m = 0;

	memset(counts, 0, repeats * sizeof(*counts));
	for (size_t r = 0; r < repeats; r++)
		counts[picked[r]]++;
	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; c < counts[values[i].repeat]; c++)
			ret_sorted[m++] = values[i].objective;
	return m;
}

bool expected_speed_up(const struct curves *fast, const double *trials, size_t repeats,
	size_t length, double level, struct random_key key, double *ret,
	struct interval *ret_interval, struct tuner_error *err)
{
	const size_t n = repeats * length;
	struct value *values = malloc((n + 1) * sizeof(*values));
	size_t *picked = malloc((repeats + 1) * sizeof(*picked));
	size_t *counts = malloc((repeats + 1) * sizeof(*counts));
	double *sorted = malloc((n + 1) * sizeof(*sorted));
	double *times = malloc(PAIRED_DRAWS * sizeof(*times));
	const bool ok = values && picked && counts && sorted && times;
	struct random random;

	*ret = NAN;
	*ret_interval = (struct interval){ 0, INFINITY };
	key.purpose = RANDOM_BOOTSTRAP;
	random_init(&random, key);
	if (ok) {
		sort_values(trials, repeats, length, values);
		in_order(picked, repeats);
		spread(values, n, picked, repeats, counts, sorted);
		*ret = trials_for(sorted, n, mean_at(fast, picked, fast->length - 1)) /
		       (double)fast->length;
	}
	for (size_t b = 0; ok && repeats > 1 && b < PAIRED_DRAWS; b++) {
		pick(picked, repeats, &random);
		const size_t m = spread(values, n, picked, repeats, counts, sorted);
		times[b] = trials_for(sorted, m, mean_at(fast, picked, fast->length - 1)) /
			   (double)fast->length;
	}
	if (ok && repeats > 1)
		*ret_interval = percentiles(times, PAIRED_DRAWS, level);
	free(values);
	free(picked);
	free(counts);
	free(sorted);
	free(times);
	return ok || tuner_fail_memory(err);
}
