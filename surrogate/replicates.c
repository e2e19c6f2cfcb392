#include "surrogate/replicates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LOG_2_PI = 1.8378770664093454836;

/* ---- in the likelihood ---- */

static double scale_of_one(const struct gp_data *data, size_t i)
{
	return data->noise_scales ? data->noise_scales[i] : 1;
}

double replicates_noise_scale(const struct gp_data *data, size_t i)
{
	return data->counts ? scale_of_one(data, i) / data->counts[i] : scale_of_one(data, i);
}

struct replicates replicates_count(const struct gp_data *data)
{
	struct replicates ret = { 0, 0, 0 };

	for (size_t i = 0; data->counts && i < data->n; i++) {
		const double m = data->counts[i], scale = scale_of_one(data, i);

		ret.n += m - 1;
		ret.logs += (m - 1) * log(scale) + log(m);
		ret.squares += data->scatters ? data->scatters[i] / scale : 0;
	}
	return ret;
}

double replicates_log_likelihood(
	const struct replicates *replicates, double log_noise, double *ret_slope)
{
	const double squares = replicates->squares * exp(-log_noise);

	*ret_slope = (squares - replicates->n) / 2;
	return -(replicates->n * (LOG_2_PI + log_noise) + replicates->logs + squares) / 2;
}

/* ---- merging ---- */

struct row {
	const struct replicates_rows *rows;
	size_t i;
};

static int compare_doubles(double a, double b)
{
	return (a > b) - (a < b);
}

/* 0 for replicates. */
static int compare_rows(const struct row *a, const struct row *b)
{
	const struct replicates_rows *rows = a->rows;
	const double *x = &rows->X[a->i * rows->d], *y = &rows->X[b->i * rows->d];
	int order = 0;

	for (size_t k = 0; k < rows->d && order == 0; k++)
		order = compare_doubles(x[k], y[k]);
	if (order == 0)
		order = compare_doubles(rows->noise_scales[a->i], rows->noise_scales[b->i]);
	return order != 0 ? order : rows->valued[a->i] - rows->valued[b->i];
}

/* Replicates in commit order, so that their sum has the same bits however qsort works. */
static int by_coordinates(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	const int order = compare_rows(x, y);

	return order != 0 ? order : (x->i > y->i) - (x->i < y->i);
}

/* m replicates into the last of them; the others count 0. */
static void merge(struct replicates_rows *rows, const struct row *group, size_t m)
{
	const size_t last = group[m - 1].i;
	double sum = rows->y[group[0].i], squares = 0;

	for (size_t j = 1; j < m; j++)
		sum += rows->y[group[j].i];
	for (size_t j = 0; j < m; j++) {
		squares += pow(rows->y[group[j].i] - sum / (double)m, 2);
		rows->counts[group[j].i] = 0;
	}
	rows->y[last] = sum / (double)m;
	rows->counts[last] = (double)m;
	rows->scatters[last] = squares;
}

static void drop_merged(struct replicates_rows *rows)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->n; i++) {
		if (rows->counts[i] == 0)
			continue;
		memmove(&rows->X[n * rows->d], &rows->X[i * rows->d], rows->d * sizeof *rows->X);
		rows->y[n] = rows->y[i];
		rows->noise_scales[n] = rows->noise_scales[i];
		rows->valued[n] = rows->valued[i];
		rows->counts[n] = rows->counts[i];
		rows->scatters[n++] = rows->scatters[i];
	}
	rows->n = n;
}

bool replicates_merge(struct replicates_rows *rows, struct tuner_error *err)
{
	struct row *order = calloc(rows->n + 1, sizeof *order);

	if (order == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < rows->n; i++)
		order[i] = (struct row){ rows, i };
	qsort(order, rows->n, sizeof *order, by_coordinates);
	for (size_t i = 0, m; i < rows->n; i += m) {
		for (m = 1; i + m < rows->n && compare_rows(&order[i], &order[i + m]) == 0;)
			m++;
		merge(rows, &order[i], m);
	}
	drop_merged(rows);
	free(order);
	return true;
}
