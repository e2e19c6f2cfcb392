/* Maximises the acquisition: gradient steps from many starts, in lockstep, and moves along the
 * lattices of the parameters that have one. */
#ifndef SURROGATE_MAXIMISE_H
#define SURROGATE_MAXIMISE_H

#include "surrogate/acquisition.h"
#include "surrogate/candidates.h"

/* Moves along a lattice have more local maxima than gradient steps, so they need more starts. */
enum { MAXIMISE_STARTS = 5, MAXIMISE_STARTS_LATTICE = 10 };

/* The maxima found, the best first: rows of columns->d snapped coordinates. */
struct maxima {
	size_t n;
	double *x; /* n x d */
	double *values;
	uint64_t work; /* evaluations of one point each */
};

/* Chooses up to MAXIMISE_STARTS (with a lattice, MAXIMISE_STARTS_LATTICE) of the scored and sorted
 * candidates: the best, the first row (an anchor: the incumbent), and others drawn in proportion to
 * their expected improvement, no two nearer than 0.05 lengthscales. Then alternates between bounded
 * L-BFGS over the columns without a lattice (at first also over numeric ones with a fine lattice)
 * and moves of one column along its lattice, until nothing improves. Neither ever breaks a
 * constraint, moves an inactive column, or leaves the box (NULL: the whole cube). work_limit:
 * evaluations; 0: the search's own bounds only. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool maximise(const struct columns *columns, struct acquisition *acquisition,
	const double *lengthscales, const struct box *box, const struct candidates *candidates,
	struct random *random, uint64_t work_limit, struct maxima *ret, struct tuner_error *err);
void maxima_finish(struct maxima *maxima);

#endif
