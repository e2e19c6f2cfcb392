#include "surrogate/candidates.h"

#include "surrogate/design.h"

#include <gsl/gsl_heapsort.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool allocate(size_t n, size_t d, struct candidates *ret, struct tuner_error *err)
{
	*ret = (struct candidates){ .n = n, .d = d };
	ret->x = calloc(n * d + 1, sizeof *ret->x);
	ret->values = calloc(n + 1, sizeof *ret->values);
	ret->order = calloc(n + 1, sizeof *ret->order);
	if (ret->x != NULL && ret->values != NULL && ret->order != NULL)
		return true;
	candidates_finish(ret);
	return tuner_fail_memory(err);
}

void candidates_finish(struct candidates *candidates)
{
	free(candidates->x);
	free(candidates->values);
	free(candidates->order);
	*candidates = (struct candidates){ 0 };
}

const double *candidates_row(const struct candidates *candidates, size_t i)
{
	return &candidates->x[i * candidates->d];
}

static double *row(struct candidates *candidates, size_t i)
{
	return &candidates->x[i * candidates->d];
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* ---- Drawn ones ---- */

static void flip_category(const struct columns *columns, struct random *random, double *x)
{
	size_t categories[SPACE_PARAMETERS_MAX], n = 0;

	for (size_t k = 0; k < columns->d; k++)
		if (columns->kinds[k] == DIMENSION_CATEGORY && !columns->is_held[k])
			categories[n++] = k;
	if (n == 0)
		return;

	const size_t column = categories[random_below(random, n)];

	x[column] = columns_coordinate(
		columns, column, random_below(random, columns->cardinality[column]));
}

static void draw_near(const struct columns *columns, const double *anchor, double sd,
	struct random *random, double *ret_x)
{
	for (size_t k = 0; k < columns->d; k++)
		ret_x[k] = columns->kinds[k] == DIMENSION_CATEGORY
				   ? anchor[k]
				   : anchor[k] + sd * random_normal(random);
	flip_category(columns, random, ret_x);
	columns_snap(columns, ret_x);
}

static bool draw_sobol(const struct columns *columns, struct random_key key,
	struct candidates *candidates, size_t first, size_t n, struct tuner_error *err)
{
	struct design *design = NULL;

	if (!design_create(columns->d, key, 0, &design, err))
		return false;
	for (size_t i = first; i < first + n; i++) {
		design_next(design, row(candidates, i));
		columns_snap(columns, row(candidates, i));
	}
	design_destroy(design);
	return true;
}

bool candidates_draw(const struct columns *columns, const struct anchors *anchors,
	struct random_key key, size_t most, struct candidates *ret, struct tuner_error *err)
{
	const size_t d = columns->d, n_anchors = least(anchors->n, most / 2);
	const size_t n_local =
		anchors->n_near > 0 ? least(CANDIDATES_LOCAL, (most - n_anchors) / 3) : 0;
	const size_t n_sobol = least(CANDIDATES_SOBOL, most - n_anchors - n_local);
	struct random random;

	if (!allocate(n_anchors + n_sobol + n_local, d, ret, err))
		return false;
	if (n_anchors > 0)
		memcpy(ret->x, anchors->x, n_anchors * d * sizeof *ret->x);
	if (!draw_sobol(columns, key, ret, n_anchors, n_sobol, err)) {
		candidates_finish(ret);
		return false;
	}
	random_init(&random, key);
	for (size_t i = 0; i < n_local; i++)
		draw_near(columns, &anchors->x[i / 2 % anchors->n_near * d], i % 2 ? 0.01 : 0.1,
			&random, row(ret, n_anchors + n_sobol + i));
	return true;
}

/* ---- All that are left ---- */

bool candidates_list(const struct columns *columns, const struct lattice *lattice,
	const struct tried *tried, size_t most, struct candidates *ret, struct tuner_error *err)
{
	double values[SPACE_PARAMETERS_MAX];
	uint64_t *ranks = NULL;
	size_t n_tried = 0;

	tuner_assert(lattice->size > 0 && lattice->size <= CANDIDATES_EXHAUSTIVE);
	if (!lattice_tried(lattice, tried, &ranks, &n_tried, err))
		return false;

	const bool ok = allocate(least(lattice->size - n_tried, most), columns->d, ret, err);

	for (size_t i = 0; ok && i < ret->n; i++) {
		lattice_configuration(lattice, untried_rank(ranks, n_tried, i), values);
		/* Values of the space encode; snapping gives the bits that all others have. */
		tuner_assert(columns_encode(columns, values, row(ret, i)));
		columns_snap(columns, row(ret, i));
	}
	free(ranks);
	return ok;
}

/* ---- Their order ---- */

/* Elements of one array: equal values go by their places in it. */
static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;
	const double u = isnan(*x) ? -INFINITY : *x, v = isnan(*y) ? -INFINITY : *y;

	if (u != v)
		return u < v ? 1 : -1;
	return (x > y) - (x < y);
}

void candidates_sort(struct candidates *candidates)
{
	gsl_heapsort_index(candidates->order, candidates->values, candidates->n,
		sizeof *candidates->values, by_value);
}
