/* The points at which the maximisation of the acquisition begins: over the whole cube, around the
 * best trials, or all untried points of a small finite space. None breaks a constraint. */
#ifndef SURROGATE_CANDIDATES_H
#define SURROGATE_CANDIDATES_H

#include "base/random.h"
#include "surrogate/columns.h"
#include "surrogate/tried.h"

enum {
	CANDIDATES_SOBOL = 512,
	CANDIDATES_LOCAL = 256,
	/* Up to this many configurations are all evaluated; costs about as much as the drawn
	 * ones. */
	CANDIDATES_EXHAUSTIVE = 2048,
	/* Attempts to draw one point that breaks no constraint. */
	CANDIDATES_DRAWS = 16,
};

/* Rows of d coordinates, all snapped. The caller fills values; candidates_sort fills order. */
struct candidates {
	size_t n, d;
	size_t n_anchors, n_sobol; /* of drawn candidates: these come first, in this order, then
				      points near anchors */
	double *x; /* n x d */
	double *values; /* n */
	size_t *order; /* n: best first, after candidates_sort */
};

/* Allocates room for n rows; none is taken yet. */
TUNER_MUST_CHECK
bool candidates_create(size_t n, size_t d, struct candidates *ret, struct tuner_error *err);

/* Keeps the row behind the last one if it breaks no constraint: x[n] is written before the call. */
void candidates_take(const struct columns *columns, struct candidates *candidates);

/* The best trials, best first: rows of d snapped coordinates. Points are drawn around the first
 * n_near. */
struct anchors {
	size_t n, n_near;
	const double *x;
};

/* Draws at most `most` points: the anchors; CANDIDATES_SOBOL points of a scrambled Sobol sequence,
 * scrambled by `key`; CANDIDATES_LOCAL points around the near anchors, in equal shares: bell-shaped
 * steps of sd 0.1 and, every second one, 0.01, in all columns (but one category is drawn anew, the
 * others stay, and parameters that are inactive at the anchor are drawn from their whole range).
 * Where constraints are broken more often than CANDIDATES_DRAWS allow, there are fewer points. */
TUNER_MUST_CHECK
bool candidates_draw(const struct columns *columns, const struct anchors *anchors,
	struct random_key key, size_t most, struct candidates *ret, struct tuner_error *err);

/* True if a lattice has at most `most` configurations, up to CANDIDATES_EXHAUSTIVE. In a space with
 * conditions or constraints only the allowed ones count; if more than 32 must be examined for each
 * allowed one, the answer is false. */
bool candidates_can_list(const struct lattice *lattice, uint64_t most);

/* Lists all untried configurations of such a lattice, or the first `most` of them. */
TUNER_MUST_CHECK
bool candidates_list(const struct columns *columns, const struct lattice *lattice,
	const struct tried *tried, size_t most, struct candidates *ret, struct tuner_error *err);

/* Fills order: the best `first` rows by descending values, NaN as minus infinity, equal ones by row
 * index; the others follow in no particular order. TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool candidates_sort(struct candidates *candidates, size_t first, struct tuner_error *err);

/* Fills the first *ret_n of order with the best rows of two kinds, by values: at most most_anywhere
 * of the Sobol points and at most most_near of the points near anchors, which all have similar
 * values and would otherwise crowd out the Sobol points. TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool candidates_choose(struct candidates *candidates, size_t most_anywhere, size_t most_near,
	size_t *ret_n, struct tuner_error *err);

const double *candidates_row(const struct candidates *candidates, size_t i);

/* Frees what create, draw or list allocated. A zeroed struct is allowed. */
void candidates_finish(struct candidates *candidates);

#endif
