#include "surrogate/subset.h"

#include <gsl/gsl_heapsort.h>

#include <math.h>
#include <stdlib.h>

struct choice {
	const struct subset_data *data;
	size_t n; /* chosen so far */
	bool *chosen; /* by row */
	size_t *order; /* room for a sorted index */
	double *distances; /* by row: to the best, then to the nearest chosen */
};

static double squared_distance(const struct subset_data *data, size_t i, size_t j)
{
	const double *a = &data->X[i * data->d], *b = &data->X[j * data->d];
	double sum = 0;

	for (size_t k = 0; k < data->d; k++) {
		const double step =
			data->kinds[k] == DIMENSION_CATEGORY ? (a[k] != b[k]) : a[k] - b[k];

		sum += step * step / (data->lengthscales[k] * data->lengthscales[k]);
	}
	return sum;
}

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

static void measure_from(struct choice *choice, size_t row)
{
	for (size_t i = 0; i < choice->data->n; i++)
		choice->distances[i] = squared_distance(choice->data, i, row);
}

static void come_nearer(struct choice *choice, size_t row)
{
	for (size_t i = 0; i < choice->data->n; i++)
		choice->distances[i] =
			fmin(choice->distances[i], squared_distance(choice->data, i, row));
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

bool subset_choose(const struct subset_data *data, size_t most, size_t *ret_rows, size_t *ret_n,
	struct tuner_error *err)
{
	const size_t n = data->n, count = n < most ? n : most;
	struct choice choice = { .data = data,
		.chosen = calloc(n + 1, sizeof *choice.chosen),
		.order = calloc(n + 1, sizeof *choice.order),
		.distances = calloc(n + 1, sizeof *choice.distances) };
	const bool ok = choice.chosen != NULL && choice.order != NULL && choice.distances != NULL;

	if (!ok) {
		tuner_fail_memory(err);
	} else if (count == n) {
		for (size_t i = 0; i < n; i++)
			choose(&choice, i);
	} else {
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
	free(choice.chosen);
	free(choice.order);
	free(choice.distances);
	return ok;
}
