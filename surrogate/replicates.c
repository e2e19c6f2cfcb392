#include "surrogate/replicates.h"

#include <gsl/gsl_pow_int.h>
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

/* A hash table of groups of replicates: `places` holds the first row of each group (n: free),
 * `next` the following row of its group, in commit order, so that a sum over a group always has the
 * same bits. */
struct groups {
	const struct replicates_rows *rows;
	size_t n_places; /* a power of two, at least 2 n */
	size_t *places, *next, *last; /* last: last row of the group that begins at a row */
};

static bool groups_init(struct groups *groups, const struct replicates_rows *rows)
{
	*groups = (struct groups){ .rows = rows, .n_places = 2 };
	while (groups->n_places < 2 * rows->n)
		groups->n_places *= 2;
	groups->places = calloc(groups->n_places, sizeof *groups->places);
	groups->next = calloc(rows->n + 1, sizeof *groups->next);
	groups->last = calloc(rows->n + 1, sizeof *groups->last);
	for (size_t i = 0; groups->places != NULL && i < groups->n_places; i++)
		groups->places[i] = rows->n;
	return groups->places && groups->next && groups->last;
}

static void groups_finish(struct groups *groups)
{
	free(groups->places);
	free(groups->next);
	free(groups->last);
}

static uint64_t mix(uint64_t h, double value)
{
	const double plain = value + 0.0; /* -0.0 is 0.0 */
	uint64_t bits;

	memcpy(&bits, &plain, sizeof bits);
	h = (h ^ bits) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

void replicates_finish(struct replicates_rows *rows)
{
	free(rows->X);
	free(rows->y);
	free(rows->noise_scales);
	free(rows->counts);
	free(rows->scatters);
	free(rows->valued);
	free(rows->within);
}

static bool is_valued(const struct replicates_rows *rows, size_t i)
{
	return rows->valued == NULL || rows->valued[i];
}

static size_t hash_row(const struct replicates_rows *rows, size_t i)
{
	uint64_t h = mix(is_valued(rows, i), rows->noise_scales[i]);

	for (size_t k = 0; k < rows->d; k++)
		h = mix(h, rows->X[i * rows->d + k]);
	return (size_t)(h ^ h >> 32);
}

static bool are_replicates(const struct replicates_rows *rows, size_t a, size_t b)
{
	const double *x = &rows->X[a * rows->d], *y = &rows->X[b * rows->d];

	if (is_valued(rows, a) != is_valued(rows, b) ||
		rows->noise_scales[a] != rows->noise_scales[b])
		return false;
	for (size_t k = 0; k < rows->d; k++)
		if (x[k] != y[k])
			return false;
	return true;
}

static void groups_add(struct groups *groups, size_t row)
{
	const size_t n = groups->rows->n;
	size_t place = hash_row(groups->rows, row);

	while (groups->places[place &= groups->n_places - 1] != n &&
		!are_replicates(groups->rows, groups->places[place], row))
		place++;
	const size_t first = groups->places[place];

	groups->next[row] = n;
	if (first == n) {
		groups->places[place] = row;
		groups->last[row] = row;
	} else {
		groups->next[groups->last[first]] = row;
		groups->last[first] = row;
	}
}

/* Merges each group into its last row; the counts of the other rows become 0. */
static void merge(struct replicates_rows *rows, const struct groups *groups, size_t first)
{
	const size_t last = groups->last[first];
	double sum = rows->y[first], squares = 0, m = 1;
	bool within = false;

	for (size_t i = groups->next[first]; i != rows->n; i = groups->next[i]) {
		sum += rows->y[i];
		m++;
	}
	for (size_t i = first; i != rows->n; i = groups->next[i]) {
		squares += gsl_pow_2(rows->y[i] - sum / m);
		within = within || (rows->within != NULL && rows->within[i]);
		rows->counts[i] = 0;
	}
	rows->y[last] = sum / m;
	rows->counts[last] = m;
	rows->scatters[last] = squares;
	if (rows->within != NULL)
		rows->within[last] = within;
}

void replicates_move(struct replicates_rows *rows, size_t from, size_t to)
{
	const size_t d = rows->d;

	memmove(&rows->X[to * d], &rows->X[from * d], d * sizeof *rows->X);
	rows->y[to] = rows->y[from];
	rows->noise_scales[to] = rows->noise_scales[from];
	rows->counts[to] = rows->counts[from];
	rows->scatters[to] = rows->scatters[from];
	if (rows->valued != NULL)
		rows->valued[to] = rows->valued[from];
	if (rows->within != NULL)
		rows->within[to] = rows->within[from];
}

static void drop_merged(struct replicates_rows *rows)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->n; i++)
		if (rows->counts[i] > 0)
			replicates_move(rows, i, n++);
	rows->n = n;
}

bool replicates_merge(struct replicates_rows *rows, struct tuner_error *err)
{
	struct groups groups;
	const bool ok = groups_init(&groups, rows) || tuner_fail_memory(err);

	for (size_t i = 0; ok && i < rows->n; i++)
		groups_add(&groups, i);
	for (size_t place = 0; ok && place < groups.n_places; place++)
		if (groups.places[place] != rows->n)
			merge(rows, &groups, groups.places[place]);
	groups_finish(&groups);
	if (ok)
		drop_merged(rows);
	return ok;
}
