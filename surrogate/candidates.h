/* Points to look at first when the acquisition is maximised: over the whole cube, around the best
 * trials, or, of a small finite space, all that are left. None breaks a constraint. */
#ifndef SURROGATE_CANDIDATES_H
#define SURROGATE_CANDIDATES_H

#include "base/random.h"
#include "surrogate/columns.h"
#include "surrogate/tried.h"

enum {
	CANDIDATES_SOBOL = 512,
	CANDIDATES_LOCAL = 256,
	/* Up to so many configurations are all looked at; about what the drawn ones cost. */
	CANDIDATES_EXHAUSTIVE = 2048,
	/* Draws for one point, where constraints are broken by the others. */
	CANDIDATES_DRAWS = 16,
};

/* Rows of d coordinates, all snapped. values and order are for who scores them. */
struct candidates {
	size_t n, d;
	size_t n_anchors, n_sobol; /* of the drawn ones: in this order, the rest near anchors */
	double *x; /* n x d */
	double *values; /* n */
	size_t *order; /* n: the best first, after candidates_sort */
};

/* Room for n rows, none taken yet. */
TUNER_MUST_CHECK
bool candidates_create(size_t n, size_t d, struct candidates *ret, struct tuner_error *err);

/* Takes the row behind the last one, if it breaks no constraint. */
void candidates_take(const struct columns *columns, struct candidates *candidates);

/* The best trials, best first: rows of d snapped coordinates. The first n_near are the ones that
 * points are drawn around. */
struct anchors {
	size_t n, n_near;
	const double *x;
};

/* At most `most` of: the anchors; CANDIDATES_SOBOL points of a scrambled Sobol sequence, scrambled by
 * `key`; CANDIDATES_LOCAL points around the near anchors, in equal shares: bell-shaped steps of sd 0.1
 * and, every second one, 0.01, in all columns (a category is drawn anew in one column, and a parameter
 * that was not active anywhere). Where constraints are broken more often than CANDIDATES_DRAWS allow,
 * there are fewer. */
TUNER_MUST_CHECK
bool candidates_draw(const struct columns *columns, const struct anchors *anchors,
	struct random_key key, size_t most, struct candidates *ret, struct tuner_error *err);

/* True if a lattice has at most `most` configurations, up to CANDIDATES_EXHAUSTIVE. In a space with
 * conditions or constraints those are counted that it allows; if that takes more than 32 looks for one,
 * there count as too many. */
bool candidates_can_list(const struct lattice *lattice, uint64_t most);

/* All untried configurations of such a lattice, or the first `most` of them. */
TUNER_MUST_CHECK
bool candidates_list(const struct columns *columns, const struct lattice *lattice,
	const struct tried *tried, size_t most, struct candidates *ret, struct tuner_error *err);

/* Fills order: the best `first` rows by descending values, NaN like minus infinity, equal ones by row; behind them
 * the others as they come. TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool candidates_sort(struct candidates *candidates, size_t first, struct tuner_error *err);

/* Fills the first *ret_n of order with the best rows of two kinds, by values: at most so many from anywhere (the Sobol points),
 * and so many of those near anchors, which else would push the others aside: theirs are all alike. TUNER_FATAL
 * without memory. */
TUNER_MUST_CHECK
bool candidates_choose(struct candidates *candidates, size_t most_anywhere, size_t most_near,
	size_t *ret_n, struct tuner_error *err);

const double *candidates_row(const struct candidates *candidates, size_t i);

/* Frees what create or list allocated; of a zeroed struct nothing. */
void candidates_finish(struct candidates *candidates);

#endif
