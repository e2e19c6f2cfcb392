#include "surrogate/candidates.h"

#include "surrogate/design.h"
#include "surrogate/walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool candidates_create(size_t n, size_t d, struct candidates *ret, struct tuner_error *err)
{
	*ret = (struct candidates){ .d = d };
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
	size_t categories[COLUMNS_MAX], n = 0;

	for (size_t k = 0; k < columns->d; k++)
		if (columns->kinds[k] == DIMENSION_CATEGORY && !columns->is_held[k])
			categories[n++] = k;
	if (n == 0)
		return;

	const size_t column = categories[random_below(random, n)];

	x[column] = columns_coordinate(
		columns, column, random_below(random, columns->cardinality[column]));
}

/* A coordinate anywhere in the column's range, for a column that is inactive at the anchor. */
static double draw_anywhere(const struct columns *columns, size_t column, struct random *random)
{
	if (columns->kinds[column] == DIMENSION_CATEGORY)
		return columns_coordinate(
			columns, column, random_below(random, columns->cardinality[column]));
	return random_uniform(random);
}

/* A step of mean 0 and sd 1, nearly normal but never beyond 3.5: the sum of the four bytes of a
 * word. Takes a tenth of the time of Box and Muller's method. */
static double draw_step(struct random *random)
{
	static const double MEAN = 510;
	static const double SD = 147.80054127099805; /* the root of 4 (256^2 - 1) / 12 */
	const uint32_t word = random_u32(random);
	const uint32_t sum =
		(word & 0xff) + (word >> 8 & 0xff) + (word >> 16 & 0xff) + (word >> 24);

	return ((double)sum - MEAN) / SD;
}

static void draw_near(const struct columns *columns, const double *anchor, double sd,
	struct random *random, double *ret_x)
{
	bool active[COLUMNS_MAX];

	columns_activity(columns, anchor, active);
	for (size_t k = 0; k < columns->d; k++) {
		if (!active[k])
			ret_x[k] = draw_anywhere(columns, k, random);
		else if (columns->kinds[k] == DIMENSION_CATEGORY)
			ret_x[k] = anchor[k];
		else
			ret_x[k] = anchor[k] + sd * draw_step(random);
	}
	flip_category(columns, random, ret_x);
	columns_snap(columns, ret_x);
}

void candidates_take(const struct columns *columns, struct candidates *candidates)
{
	candidates->n += columns_allow(columns, row(candidates, candidates->n));
}

static void take_anchors(const struct columns *columns, const struct anchors *anchors, size_t n,
	struct candidates *ret)
{
	for (size_t i = 0; i < n; i++) {
		memcpy(row(ret, ret->n), &anchors->x[i * ret->d], ret->d * sizeof *ret->x);
		candidates_take(columns, ret);
	}
}

static bool draw_sobol(const struct columns *columns, struct random_key key, size_t n,
	struct candidates *candidates, struct tuner_error *err)
{
	const size_t wanted = candidates->n + n;
	struct design *design = NULL;

	if (!design_create(columns->d, key, 0, &design, err))
		return false;
	for (size_t draw = 0; draw < CANDIDATES_DRAWS * n && candidates->n < wanted; draw++) {
		double *x = row(candidates, candidates->n);

		design_next(design, x);
		columns_snap(columns, x);
		candidates_take(columns, candidates);
	}
	design_destroy(design);
	return true;
}

static void draw_local(const struct columns *columns, const struct anchors *anchors,
	struct random_key key, size_t n, struct candidates *candidates)
{
	struct random random;

	random_init(&random, key);
	for (size_t i = 0; i < n; i++) {
		const double *anchor = &anchors->x[i / 2 % anchors->n_near * columns->d];
		const size_t before = candidates->n;

		for (int draw = 0; draw < CANDIDATES_DRAWS && candidates->n == before; draw++) {
			draw_near(columns, anchor, i % 2 ? 0.01 : 0.1, &random,
				row(candidates, candidates->n));
			candidates_take(columns, candidates);
		}
	}
}

bool candidates_draw(const struct columns *columns, const struct anchors *anchors,
	struct random_key key, size_t most, struct candidates *ret, struct tuner_error *err)
{
	const size_t n_anchors = least(anchors->n, most / 2);
	const size_t n_local =
		anchors->n_near > 0 ? least(CANDIDATES_LOCAL, (most - n_anchors) / 3) : 0;
	const size_t n_sobol = least(CANDIDATES_SOBOL, most - n_anchors - n_local);

	/* One extra row, in which a point is drawn before it is taken. */
	if (!candidates_create(n_anchors + n_sobol + n_local + 1, columns->d, ret, err))
		return false;
	take_anchors(columns, anchors, n_anchors, ret);
	ret->n_anchors = ret->n;
	if (!draw_sobol(columns, key, n_sobol, ret, err)) {
		candidates_finish(ret);
		return false;
	}
	ret->n_sobol = ret->n - ret->n_anchors;
	draw_local(columns, anchors, key, n_local, ret);
	return true;
}

/* ---- All that are left ---- */

enum { LOOKS_MAX = 32 * CANDIDATES_EXHAUSTIVE };

bool candidates_can_list(const struct lattice *lattice, uint64_t most)
{
	const uint64_t enough = most < CANDIDATES_EXHAUSTIVE ? most : CANDIDATES_EXHAUSTIVE;
	bool whole;

	if (lattice->size == 0)
		return false;
	if (!space_has_rules(lattice->space))
		return lattice->size <= enough;
	return walk_count(lattice, LOOKS_MAX, enough + 1, &whole) <= enough && whole;
}

static void set_row(const struct columns *columns, const double *values,
	struct candidates *candidates, size_t i)
{
	/* Values of the space always encode; snapping gives the same bits as for other
	 * candidates. */
	tuner_assert(columns_encode(columns, values, row(candidates, i)));
	columns_snap(columns, row(candidates, i));
}

static bool list_by_rank(const struct columns *columns, const struct lattice *lattice,
	const struct tried *tried, size_t most, struct candidates *ret, struct tuner_error *err)
{
	double values[SPACE_PARAMETERS_MAX];
	uint64_t *ranks = NULL;
	size_t n_tried = 0;

	if (!lattice_tried(lattice, tried, &ranks, &n_tried, err))
		return false;

	const size_t n = least(lattice->size - n_tried, most);
	const bool ok = candidates_create(n, columns->d, ret, err);

	for (size_t i = 0; ok && i < n; i++) {
		lattice_configuration(lattice, untried_rank(ranks, n_tried, i), values);
		set_row(columns, values, ret, ret->n++);
	}
	free(ranks);
	return ok;
}

static bool list_by_walk(const struct columns *columns, const struct lattice *lattice,
	const struct tried *tried, size_t most, struct candidates *ret, struct tuner_error *err)
{
	const size_t room = least(CANDIDATES_EXHAUSTIVE, most);
	struct walk walk;

	if (!candidates_create(room, columns->d, ret, err))
		return false;
	walk_begin(&walk, lattice, LOOKS_MAX);
	for (; !walk.ended && ret->n < room; walk_next(&walk))
		if (walk_is_allowed(&walk) && !tried_contains(tried, walk.values))
			set_row(columns, walk.values, ret, ret->n++);
	return true;
}

bool candidates_list(const struct columns *columns, const struct lattice *lattice,
	const struct tried *tried, size_t most, struct candidates *ret, struct tuner_error *err)
{
	if (space_has_rules(lattice->space))
		return list_by_walk(columns, lattice, tried, most, ret, err);
	tuner_assert(lattice->size > 0 && lattice->size <= CANDIDATES_EXHAUSTIVE);
	return list_by_rank(columns, lattice, tried, most, ret, err);
}

/* ---- Their order ---- */

struct place {
	double value;
	size_t row;
};

static bool is_before(const struct place *a, const struct place *b)
{
	return a->value != b->value ? a->value > b->value : a->row < b->row;
}

/* Restores the heap (parents before their children) below place i. */
static void sift_down(struct place *heap, size_t n, size_t i)
{
	const struct place moved = heap[i];

	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && is_before(&heap[child + 1], &heap[child]))
			child++;
		if (!is_before(&heap[child], &moved))
			break;
		heap[i] = heap[child];
	}
	heap[i] = moved;
}

/* Puts the best `most` rows, in order, into ret_order; by a heap, because few of many are
 * wanted. */
static void take_best(struct place *heap, size_t n, size_t most, size_t *ret_order)
{
	for (size_t i = n / 2; i-- > 0;)
		sift_down(heap, n, i);
	for (size_t i = 0; i < most; i++) {
		ret_order[i] = heap[0].row;
		heap[0] = heap[--n];
		sift_down(heap, n, 0);
	}
}

static struct place place_of(const struct candidates *candidates, size_t row)
{
	const double value = candidates->values[row];

	return (struct place){ isnan(value) ? -INFINITY : value, row };
}

bool candidates_sort(struct candidates *candidates, size_t first, struct tuner_error *err)
{
	const size_t n = candidates->n, most = least(n, first);
	struct place *heap = calloc(n + 1, sizeof *heap);

	if (heap == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++)
		heap[i] = place_of(candidates, i);
	take_best(heap, n, most, candidates->order);
	for (size_t i = most; i < n; i++)
		candidates->order[i] = heap[i - most].row;
	free(heap);
	return true;
}

/* The best of the candidates from anywhere, or of the others, into ret_order. Returns their
 * number. */
static size_t choose_some(struct candidates *candidates, bool anywhere, size_t most,
	struct place *heap, size_t *ret_order)
{
	size_t n = 0;

	for (size_t i = 0; i < candidates->n; i++)
		if ((i >= candidates->n_anchors &&
			    i < candidates->n_anchors + candidates->n_sobol) == anywhere)
			heap[n++] = place_of(candidates, i);
	take_best(heap, n, least(n, most), ret_order);
	return least(n, most);
}

bool candidates_choose(struct candidates *candidates, size_t most_anywhere, size_t most_near,
	size_t *ret_n, struct tuner_error *err)
{
	struct place *heap = calloc(candidates->n + 1, sizeof *heap);
	size_t *order = candidates->order;

	if (heap == NULL)
		return tuner_fail_memory(err);
	*ret_n = choose_some(candidates, false, most_near, heap, order);
	*ret_n += choose_some(candidates, true, most_anywhere, heap, order + *ret_n);
	free(heap);
	return true;
}
