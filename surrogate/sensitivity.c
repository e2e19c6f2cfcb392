#include "surrogate/sensitivity.h"

#include "surrogate/design.h"
#include "surrogate/draws.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	DRAWS = 128,
	FUNCTIONS = DRAWS + 1, /* the posterior mean first */
	POINTS_MAX = 1 << 16, /* total evaluations, to bound memory and time */
	ROWS_MAX = 1 << 11, /* rows of A; more are not worth the time */
	BLOCK_POINTS = 256, /* evaluated at once */
};

/* In the model's unit, in which outcomes have variance 1: a variance below this counts as
 * rounding. */
static const double FLAT = 1e-12;

/* Sums over the rows, for each function. */
struct sums {
	size_t d, n_rows; /* rows counted so far */
	double origin[FUNCTIONS]; /* f at the first row of A; sums are of distances from it */
	double f[FUNCTIONS], square[FUNCTIONS]; /* over A and B */
	double apart[FUNCTIONS]; /* sums of squared differences between A and B */
	double *from_a, *from_b; /* d x FUNCTIONS: the same between A_i and A or B */
};

/* Rows of the design that are processed together. */
struct block {
	size_t rows;
	double *u; /* 2d: a row of A, then of B */
	double *x; /* (2 + d) points per row: A's, B's, A_i's */
	double *values; /* (2 + d) x FUNCTIONS per row */
};

/* ---- points ---- */

static size_t n_rows(size_t d)
{
	size_t n = ROWS_MAX;

	while (n * (d + 2) > POINTS_MAX)
		n /= 2;
	return n;
}

static void set_points(const struct columns *columns, const double *u, double *x)
{
	const size_t d = columns->d;
	const double *a = u, *b = u + d;

	memcpy(x, u, 2 * d * sizeof *x);
	for (size_t i = 0; i < d; i++) {
		double *a_i = x + (2 + i) * d;

		memcpy(a_i, a, d * sizeof *a);
		a_i[i] = b[i];
	}
	/* Snaps last: a coordinate that is inactive in A may be active in A_i. */
	for (size_t i = 0; i < d + 2; i++)
		columns_snap(columns, x + i * d);
}

/* ---- sums ---- */

static double squared(double x)
{
	return x * x;
}

static void add_row(struct sums *sums, const double *values)
{
	const double *a = values, *b = values + FUNCTIONS;

	if (sums->n_rows++ == 0)
		memcpy(sums->origin, a, sizeof sums->origin);
	for (size_t s = 0; s < FUNCTIONS; s++) {
		const double from_a = a[s] - sums->origin[s], from_b = b[s] - sums->origin[s];

		sums->f[s] += from_a + from_b;
		sums->square[s] += squared(from_a) + squared(from_b);
		sums->apart[s] += squared(a[s] - b[s]);
	}
	for (size_t i = 0; i < sums->d; i++) {
		const double *a_i = values + (2 + i) * FUNCTIONS;

		for (size_t s = 0; s < FUNCTIONS; s++) {
			sums->from_a[i * FUNCTIONS + s] += squared(a[s] - a_i[s]);
			sums->from_b[i * FUNCTIONS + s] += squared(b[s] - a_i[s]);
		}
	}
}

static void sum_up(const struct columns *columns, struct draws *draws, struct design *design,
	struct block *block, struct sums *sums)
{
	const size_t d = columns->d, points = d + 2, n = n_rows(d);

	while (sums->n_rows < n) {
		const size_t left = n - sums->n_rows;
		const size_t rows = left < block->rows ? left : block->rows;

		for (size_t r = 0; r < rows; r++) {
			design_next(design, block->u);
			set_points(columns, block->u, block->x + r * points * d);
		}
		draws_values(draws, block->x, rows * points, block->values);
		for (size_t r = 0; r < rows; r++)
			add_row(sums, block->values + r * points * FUNCTIONS);
	}
}

/* ---- indices ---- */

static double variance_of(const struct sums *sums, size_t function)
{
	const double n = 2 * (double)sums->n_rows, mean = sums->f[function] / n;

	return fmax(sums->square[function] / n - mean * mean, 0);
}

static double clipped(double share)
{
	return fmin(fmax(share, 0), 1);
}

/* The part of its variance that a function keeps from one set of points to another. */
static double kept(double squares, const struct sums *sums, double variance)
{
	return 1 - squares / (2 * (double)sums->n_rows * variance);
}

/* Jansen's estimate, corrected: what f(A) and f(B) seem to have in common by chance, f(B) and
 * f(A_i) also seem to have in common through the coordinates that they do not share. */
static double first_of(const struct sums *sums, size_t i, size_t function, double variance)
{
	const double seeming = kept(sums->apart[function], sums, variance);
	const double share = kept(sums->from_b[i * FUNCTIONS + function], sums, variance);

	return clipped(share - (1 - share) * seeming);
}

static double total_of(const struct sums *sums, size_t i, size_t function, double variance)
{
	return clipped(1 - kept(sums->from_a[i * FUNCTIONS + function], sums, variance));
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t n, double part)
{
	const double at = part * (double)(n - 1);
	const size_t below = (size_t)at;

	return below + 1 < n
		       ? sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below])
		       : sorted[n - 1];
}

/* The summary of the indices of all functions; sorts those behind the first. */
static struct share summary(double *shares)
{
	struct share ret = { .value = shares[0] };

	qsort(shares + 1, DRAWS, sizeof *shares, by_value);
	ret.low = fmin(ret.value, quantile(shares + 1, DRAWS, .05));
	ret.high = fmax(ret.value, quantile(shares + 1, DRAWS, .95));
	return ret;
}

static void divide(const struct sums *sums, struct sensitivity *ret)
{
	ret->variance = variance_of(sums, 0);
	for (size_t i = 0; i < sums->d; i++) {
		double first[FUNCTIONS] = { 0 }, total[FUNCTIONS] = { 0 };

		for (size_t s = 0; s < FUNCTIONS; s++) {
			const double variance = variance_of(sums, s);

			if (variance <= FLAT)
				continue;
			total[s] = total_of(sums, i, s, variance);
			first[s] = fmin(first_of(sums, i, s, variance), total[s]);
		}
		ret->first[i] = summary(first);
		ret->total[i] = summary(total);
	}
}

/* ---- all together ---- */

static bool make_room(size_t d, struct block *block, struct sums *sums, struct tuner_error *err)
{
	const size_t points = d + 2;

	block->rows = 1 + BLOCK_POINTS / points;
	block->u = calloc(2 * d, sizeof *block->u);
	block->x = calloc(block->rows * points * d, sizeof *block->x);
	block->values = calloc(block->rows * points * FUNCTIONS, sizeof *block->values);
	sums->d = d;
	sums->from_a = calloc(d * FUNCTIONS, sizeof *sums->from_a);
	sums->from_b = calloc(d * FUNCTIONS, sizeof *sums->from_b);
	return (block->u && block->x && block->values && sums->from_a && sums->from_b) ||
	       tuner_fail_memory(err);
}

bool sensitivity_of(const struct gp *gp, const struct columns *columns, struct random_key key,
	struct sensitivity *ret, struct tuner_error *err)
{
	struct block block = { 0 };
	struct sums sums = { 0 };
	struct design *design = NULL;
	struct draws *draws = NULL;
	/* A stream other than the one that scrambles the points. */
	struct random_key other = key;
	struct random random;
	bool ok = false;

	other.seed = ~key.seed;
	random_init(&random, other);
	if (!make_room(columns->d, &block, &sums, err) ||
		!design_create(2 * columns->d, key, 0, &design, err) ||
		!draws_create(gp, columns, DRAWS, &random, &draws, err))
		goto out;
	sum_up(columns, draws, design, &block, &sums);
	divide(&sums, ret);
	ok = true;
out:
	draws_destroy(draws);
	design_destroy(design);
	free(block.u);
	free(block.x);
	free(block.values);
	free(sums.from_a);
	free(sums.from_b);
	return ok;
}
