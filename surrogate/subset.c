#include "surrogate/subset.h"

#include "surrogate/factor.h"

#include <gsl/gsl_heapsort.h>

#include <stdlib.h>

struct choice {
	const struct subset_data *data;
	size_t n; /* chosen so far */
	bool *chosen; /* by row */
	size_t *order; /* room for a sorted index */
	double *distances; /* by row: to the best, then to the nearest chosen; see measure */
	size_t stride;
	double *Z, *z, *inverse_lengths, *correlations; /* as kernel.h wants them */
};

/* Elements of one array: equal values go by their places in it. */
static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x != *y ? (*x > *y) - (*x < *y) : (x > y) - (x < y);
}

static void choose(struct choice *choice, size_t row)
{
	choice->chosen[row] = true;
	choice->n++;
}

/* Of those not chosen yet, up to `count` in all, the ones of least value. Returns the very least row
 * of all. */
static size_t choose_least(struct choice *choice, const double *values, size_t count)
{
	const size_t n = choice->data->n;

	gsl_heapsort_index(choice->order, values, n, sizeof *values, by_value);
	for (size_t i = 0; i < n && choice->n < count; i++)
		if (!choice->chosen[choice->order[i]])
			choose(choice, choice->order[i]);
	return choice->order[0];
}

/* Minus the correlation, which falls with the distance: the kernel's loops are the fast ones. */
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

bool subset_choose(const struct subset_data *data, size_t most, size_t *ret_rows, size_t *ret_n,
	struct tuner_error *err)
{
	const size_t n = data->n, count = n < most ? n : most;
	struct choice choice = { .data = data };
	const bool ok = prepare(&choice);

	if (!ok) {
		tuner_fail_memory(err);
	} else if (count == n) {
		for (size_t i = 0; i < n; i++)
			choose(&choice, i);
	} else {
		scale(&choice);
		measure_from(&choice, choose_least(&choice, data->outcomes, count / 4));
		choose_least(&choice, choice.distances, count / 4 + count / 2);
		choose_farthest(&choice, count);
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
