#include "surrogate/pareto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the front ---- */

bool pareto_surpasses(const double *a, const double *b, size_t m)
{
	bool is_better = false;

	for (size_t k = 0; k < m; k++) {
		if (!(a[k] <= b[k])) /* NaN is neither */
			return false;
		is_better = is_better || a[k] < b[k];
	}
	return is_better;
}

bool pareto_is_known(const double *outcome, size_t m)
{
	for (size_t k = 0; k < m; k++)
		if (isnan(outcome[k]))
			return false;
	return true;
}

void pareto_front(const double *outcomes, size_t n, size_t m, bool *ret_on)
{
	for (size_t i = 0; i < n; i++) {
		ret_on[i] = pareto_is_known(&outcomes[i * m], m);
		for (size_t j = 0; j < n && ret_on[i]; j++)
			ret_on[i] = !pareto_surpasses(&outcomes[j * m], &outcomes[i * m], m);
	}
}

/* Moves a row one place forward, so that what surpasses many is soon met. */
static void move_forward(double *rows, size_t i, size_t m)
{
	for (size_t k = 0; i > 0 && k < m; k++) {
		const double value = rows[i * m + k];

		rows[i * m + k] = rows[(i - 1) * m + k];
		rows[(i - 1) * m + k] = value;
	}
}

static bool is_as_good(const double *a, const double *b, size_t m)
{
	size_t k = 0;

	while (k < m && a[k] <= b[k])
		k++;
	return k == m;
}

/* Whether one of n rows is at least as good as the row in all objectives. */
static bool is_covered(double *rows, size_t n, size_t m, const double *row)
{
	for (size_t i = 0; i < n; i++)
		if (is_as_good(&rows[i * m], row, m)) {
			move_forward(rows, i, m);
			return true;
		}
	return false;
}

size_t pareto_keep_front(double *outcomes, size_t n, size_t m)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		const double *row = &outcomes[i * m];
		size_t left = 0;

		if (!pareto_is_known(row, m) || is_covered(outcomes, kept, m, row))
			continue;
		for (size_t j = 0; j < kept; j++)
			if (!is_as_good(row, &outcomes[j * m], m))
				memmove(&outcomes[left++ * m], &outcomes[j * m],
					m * sizeof *outcomes);
		memmove(&outcomes[left * m], row, m * sizeof *outcomes);
		kept = left + 1;
	}
	return kept;
}

/* ---- the hypervolume ----
 *
 * By slices: sorted by their last objective, the first i outcomes are what there is between the i-th
 * and the next; so the volume is a sum of volumes with one objective less, each times a thickness
 * (HSO: While, Hingston, Barone, Huband, "A Faster Algorithm for Calculating Hypervolume", IEEE
 * Transactions on Evolutionary Computation 10(1), 2006). The front of two objectives is kept from
 * one slice to the next, with its area (the sweep of Fonseca, Paquete, López-Ibáñez, "An Improved
 * Dimension-Sweep Algorithm for the Hypervolume Indicator", CEC 2006). */

/* An outcome in the order of objectives; those that there are not are 0. */
struct outcome {
	double at[PARETO_OBJECTIVES_MAX];
};

/* The front by the first two objectives: the first ascends, so the second descends. */
struct stairs {
	struct outcome *steps;
	size_t n;
	double area;
	const double *reference;
};

/* Adds a step, the area that it gains, and drops the steps that it surpasses. */
static void climb(struct stairs *stairs, const struct outcome *outcome)
{
	const double x = outcome->at[0], y = outcome->at[1];
	struct outcome *steps = stairs->steps;
	size_t low = 0, high = stairs->n;

	while (low < high) { /* the first step that is not left of x */
		const size_t middle = low + (high - low) / 2;

		if (steps[middle].at[0] < x)
			low = middle + 1;
		else
			high = middle;
	}
	double left = x, height = low > 0 ? steps[low - 1].at[1] : stairs->reference[1];

	if (height <= y)
		return;
	for (high = low; high < stairs->n && steps[high].at[1] >= y; high++) {
		stairs->area += (steps[high].at[0] - left) * (height - y);
		left = steps[high].at[0];
		height = steps[high].at[1];
	}
	const double right = high < stairs->n ? steps[high].at[0] : stairs->reference[0];

	stairs->area += (right - left) * (height - y);
	memmove(&steps[low + 1], &steps[high], (stairs->n - high) * sizeof *steps);
	steps[low] = *outcome;
	stairs->n = stairs->n - (high - low) + 1;
}

static double area(struct stairs *stairs, const struct outcome *outcomes, size_t n)
{
	stairs->n = 0;
	stairs->area = 0;
	for (size_t i = 0; i < n; i++)
		climb(stairs, &outcomes[i]);
	return stairs->area;
}

/* What lies between two slices; infinite times nothing is nothing. */
static double slab(double size, double thickness)
{
	return thickness > 0 ? size * thickness : 0;
}

/* Outcomes by ascending third objective. */
static double volume(struct stairs *stairs, const struct outcome *outcomes, size_t n)
{
	double sum = 0;

	stairs->n = 0;
	stairs->area = 0;
	for (size_t i = 0; i < n; i++) {
		const double next = i + 1 < n ? outcomes[i + 1].at[2] : stairs->reference[2];

		climb(stairs, &outcomes[i]);
		sum += slab(stairs->area, next - outcomes[i].at[2]);
	}
	return sum;
}

static void insert(struct outcome *sorted, size_t n, const struct outcome *outcome)
{
	for (; n > 0 && sorted[n - 1].at[2] > outcome->at[2]; n--)
		sorted[n] = sorted[n - 1];
	sorted[n] = *outcome;
}

/* Outcomes by ascending fourth objective; scratch: n. */
static double volume_of_four(
	struct stairs *stairs, const struct outcome *outcomes, size_t n, struct outcome *scratch)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		const double next = i + 1 < n ? outcomes[i + 1].at[3] : stairs->reference[3];

		insert(scratch, i, &outcomes[i]);
		if (next > outcomes[i].at[3])
			sum += slab(volume(stairs, scratch, i + 1), next - outcomes[i].at[3]);
	}
	return sum;
}

static double line(const struct outcome *outcomes, size_t n, double reference)
{
	double longest = 0;

	for (size_t i = 0; i < n; i++)
		longest = fmax(longest, reference - outcomes[i].at[0]);
	return longest;
}

static int by_last(const void *a, const void *b)
{
	const double *x = ((const struct outcome *)a)->at, *y = ((const struct outcome *)b)->at;

	for (size_t k = PARETO_OBJECTIVES_MAX; k-- > 0;)
		if (x[k] != y[k])
			return x[k] < y[k] ? -1 : 1;
	return 0;
}

/* Keeps the outcomes that are better than the reference; false if one of them is infinitely so. */
static bool gather(const double *outcomes, size_t n, size_t m, const double *reference,
	struct outcome *ret, size_t *ret_n)
{
	bool is_finite = true;

	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		const double *at = &outcomes[i * m];
		struct outcome outcome = { { 0 } };
		size_t better = 0, finite = 0;

		for (size_t k = 0; k < m; k++) {
			better += at[k] < reference[k];
			finite += isfinite(at[k]) != 0;
			outcome.at[k] = at[k];
		}
		if (better < m)
			continue;
		is_finite = is_finite && finite == m;
		ret[(*ret_n)++] = outcome;
	}
	return is_finite;
}

static bool check(size_t m, const double *reference, struct tuner_error *err)
{
	if (m < 1 || m > PARETO_OBJECTIVES_MAX)
		return tuner_fail(err, TUNER_USAGE, "a hypervolume has 1 to %d objectives, not %zu",
			PARETO_OBJECTIVES_MAX, m);
	for (size_t k = 0; k < m; k++)
		if (!isfinite(reference[k]))
			return tuner_fail(err, TUNER_USAGE,
				"the reference of a hypervolume must be finite, not %g",
				reference[k]);
	return true;
}

bool pareto_hypervolume(const double *outcomes, size_t n, size_t m, const double *reference,
	double *ret, struct tuner_error *err)
{
	if (!check(m, reference, err))
		return false;

	struct outcome *kept = calloc(3 * n + 1, sizeof *kept), *scratch = kept + n;
	struct stairs stairs = { .steps = scratch + n, .reference = reference };

	if (kept == NULL)
		return tuner_fail_memory(err);
	if (!gather(outcomes, n, m, reference, kept, &n)) {
		*ret = INFINITY;
	} else {
		qsort(kept, n, sizeof *kept, by_last);
		*ret = m == 1   ? line(kept, n, reference[0])
		       : m == 2 ? area(&stairs, kept, n)
		       : m == 3 ? volume(&stairs, kept, n)
				: volume_of_four(&stairs, kept, n, scratch);
	}
	free(kept);
	return true;
}
