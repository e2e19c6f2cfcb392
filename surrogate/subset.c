#include "surrogate/subset.h"

#include "surrogate/factor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct choice {
	const struct subset_data *data;
	size_t n; /* chosen so far */
	bool *chosen; /* by row */
	size_t *order; /* scratch: row indices, the least values first */
	double *distances; /* by row: to the best, then to the nearest chosen; see measure */
	size_t stride;
	double *Z, *z, *inverse_lengths, *correlations; /* in the form of kernel.h */
};

static void choose(struct choice *choice, size_t row)
{
	choice->chosen[row] = true;
	choice->n++;
}

/* Equal values are ordered by their places. */
static bool is_less(const double *values, size_t a, size_t b)
{
	return values[a] != values[b] ? values[a] < values[b] : a < b;
}

/* Restores a heap (the greatest on top) whose root may be out of place. */
static void sift_down(size_t *heap, size_t n, const double *values)
{
	for (size_t i = 0, child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && is_less(values, heap[child], heap[child + 1]))
			child++;
		if (!is_less(values, heap[i], heap[child]))
			return;
		const size_t row = heap[i];

		heap[i] = heap[child];
		heap[child] = row;
	}
}

static void sift_up(size_t *heap, size_t i, const double *values)
{
	for (size_t parent; i > 0 && is_less(values, heap[parent = (i - 1) / 2], heap[i]);
		i = parent) {
		const size_t row = heap[i];

		heap[i] = heap[parent];
		heap[parent] = row;
	}
}

/* Puts the rows of the `count` least values among n, ascending, into `order`; of very many rows
 * most are examined only once. */
static void order_least(const double *values, size_t n, size_t count, size_t *order)
{
	for (size_t i = 0; i < count; i++) {
		order[i] = i;
		sift_up(order, i, values);
	}
	for (size_t i = count; i < n; i++)
		if (is_less(values, i, order[0])) {
			order[0] = i;
			sift_down(order, count, values);
		}
	for (size_t left = count; left-- > 1;) {
		const size_t greatest = order[0];

		order[0] = order[left];
		order[left] = greatest;
		sift_down(order, left, values);
	}
}

/* Chooses the unchosen rows of least value, up to `count` in total. Returns the row of the least
 * value of all. */
static size_t choose_least(struct choice *choice, const double *values, size_t count)
{
	/* All earlier chosen rows may be among the least. */
	const size_t least = count > 0 ? count : 1;

	order_least(values, choice->data->n, least, choice->order);
	for (size_t i = 0; i < least && choice->n < count; i++)
		if (!choice->chosen[choice->order[i]])
			choose(choice, choice->order[i]);
	return choice->order[0];
}

/* The distance is minus the correlation, which falls with distance, because the kernel's loops are
 * fast. */
static void measure(struct choice *choice, size_t row)
{
	const struct kernel kernel = { choice->data->d, choice->data->kinds,
		choice->inverse_lengths };

	for (size_t k = 0; k < kernel.d; k++)
		choice->z[k] = choice->Z[k * choice->stride + row];
	kernel_row(&kernel, choice->Z, choice->stride, choice->data->n, choice->z,
		choice->correlations, NULL);
}

static void measure_from(struct choice *choice, size_t row)
{
	measure(choice, row);
	for (size_t i = 0; i < choice->data->n; i++)
		choice->distances[i] = -choice->correlations[i];
}

static void come_nearer(struct choice *choice, size_t row)
{
	measure(choice, row);
	for (size_t i = 0; i < choice->data->n; i++)
		if (-choice->correlations[i] < choice->distances[i])
			choice->distances[i] = -choice->correlations[i];
}

static size_t farthest(const struct choice *choice)
{
	size_t row = choice->data->n;

	for (size_t i = 0; i < choice->data->n; i++)
		if (!choice->chosen[i] &&
			(row == choice->data->n || choice->distances[i] > choice->distances[row]))
			row = i;
	return row;
}

static void choose_farthest(struct choice *choice, size_t count)
{
	for (size_t i = 0; i < choice->data->n; i++)
		if (choice->chosen[i])
			come_nearer(choice, i);
	while (choice->n < count) {
		const size_t row = farthest(choice);

		choose(choice, row);
		come_nearer(choice, row);
	}
}

static bool prepare(struct choice *choice)
{
	const struct subset_data *data = choice->data;
	const size_t n = data->n;

	choice->stride = kernel_stride(n);
	choice->chosen = calloc(n + 1, sizeof *choice->chosen);
	choice->order = calloc(n + 1, sizeof *choice->order);
	choice->distances = calloc(n + 1, sizeof *choice->distances);
	choice->Z = factor_allocate(data->d, choice->stride);
	choice->z = factor_allocate(1, data->d);
	choice->inverse_lengths = factor_allocate(1, data->d);
	choice->correlations = factor_allocate(1, choice->stride);
	return choice->chosen && choice->order && choice->distances && choice->Z && choice->z &&
	       choice->inverse_lengths && choice->correlations;
}

static void finish(struct choice *choice)
{
	free(choice->chosen);
	free(choice->order);
	free(choice->distances);
	free(choice->Z);
	free(choice->z);
	free(choice->inverse_lengths);
	free(choice->correlations);
}

static void scale(struct choice *choice)
{
	const struct subset_data *data = choice->data;
	const struct kernel kernel = { data->d, data->kinds, choice->inverse_lengths };

	for (size_t k = 0; k < data->d; k++)
		choice->inverse_lengths[k] =
			1 / data->lengthscales[kernel_length_of(data->kinds, k)];
	kernel_scale(&kernel, data->X, data->n, choice->Z, choice->stride);
}

/* ---- covering the space ---- */

/* The rows among which the farthest are looked for: those chosen, and SUBSET_COVERED evenly spaced
 * ones. *ret_rows is to be freed. */
static bool list_covered(const struct choice *choice, size_t **ret_rows, size_t *ret_n)
{
	const size_t n = choice->data->n;
	size_t *rows = calloc(choice->n + SUBSET_COVERED, sizeof *rows);
	size_t next = 0; /* next of the evenly spaced ones */

	*ret_n = 0;
	for (size_t i = 0; rows != NULL && i < n; i++) {
		const bool is_due = next < SUBSET_COVERED && i == next * n / SUBSET_COVERED;

		next += is_due;
		if (is_due || choice->chosen[i])
			rows[(*ret_n)++] = i;
	}
	*ret_rows = rows;
	return rows != NULL;
}

static bool cover_some(
	struct choice *choice, size_t count, const size_t *rows, double *X, size_t n_rows)
{
	const size_t d = choice->data->d;
	struct subset_data some = *choice->data;
	struct choice inner = { .data = &some };

	some.n = n_rows;
	some.X = X;
	for (size_t i = 0; i < n_rows; i++)
		memcpy(&X[i * d], &choice->data->X[rows[i] * d], d * sizeof *X);

	const bool ok = prepare(&inner);

	if (ok) {
		scale(&inner);
		for (size_t i = 0; i < n_rows; i++)
			inner.distances[i] = INFINITY;
		for (size_t i = 0; i < n_rows; i++)
			if (choice->chosen[rows[i]])
				choose(&inner, i);
		choose_farthest(&inner, count);
		for (size_t i = 0; i < n_rows; i++)
			if (inner.chosen[i] && !choice->chosen[rows[i]])
				choose(choice, rows[i]);
	}
	finish(&inner);
	return ok;
}

/* Each chosen row is measured against the covered rows only, which are not all of very many. */
static bool cover(struct choice *choice, size_t count)
{
	size_t *rows = NULL, n_rows = 0;
	double *X = NULL;
	bool ok = true;

	if (choice->data->n <= SUBSET_COVERED) {
		choose_farthest(choice, count);
		return true;
	}
	ok = list_covered(choice, &rows, &n_rows);
	X = ok ? calloc(n_rows * choice->data->d, sizeof *X) : NULL;
	ok = X != NULL && cover_some(choice, count, rows, X, n_rows);
	free(X);
	free(rows);
	return ok;
}

bool subset_choose(const struct subset_data *data, size_t most, size_t *ret_rows, size_t *ret_n,
	struct tuner_error *err)
{
	const size_t n = data->n, count = n < most ? n : most;
	struct choice choice = { .data = data };
	bool ok = prepare(&choice);

	if (!ok) {
		tuner_fail_memory(err);
	} else if (count == n) {
		for (size_t i = 0; i < n; i++)
			choose(&choice, i);
	} else {
		scale(&choice);
		measure_from(&choice, choose_least(&choice, data->outcomes, count / 4));
		choose_least(&choice, choice.distances, count / 4 + count / 2);
		ok = cover(&choice, count) || tuner_fail_memory(err);
	}
	if (ok) {
		*ret_n = 0;
		for (size_t i = 0; i < n; i++)
			if (choice.chosen[i])
				ret_rows[(*ret_n)++] = i;
	}
	finish(&choice);
	return ok;
}
