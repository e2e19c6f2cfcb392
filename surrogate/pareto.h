/* Pareto fronts of trials with several objectives, all minimised.
 *
 * A trial is on the front if no other surpasses it: is at least as good in all objectives and better
 * in one. The hypervolume of a set is that of all outcomes that some trial of it equals or surpasses
 * and that are better than a reference point in every objective (Zitzler, Thiele, "Multiobjective
 * Optimization Using Evolutionary Algorithms - A Comparative Case Study", PPSN 1998). It rises with
 * each trial that joins the front, if the reference is worse than that in all objectives. */
#ifndef SURROGATE_PARETO_H
#define SURROGATE_PARETO_H

#include "base/error.h"

#include <stddef.h>

enum { PARETO_OBJECTIVES_MAX = 4 };

/* True if no objective of an outcome (m) is NaN. */
bool pareto_is_known(const double *outcome, size_t m);

/* True if outcome a surpasses b, m objectives each; false if one of them has a NaN. */
bool pareto_surpasses(const double *a, const double *b, size_t m);

/* Marks which of n outcomes (n x m, row by row; m >= 1) are on the front. Equal ones are so
 * together; one with a NaN never is, and surpasses none. Infinite values count as what they are.
 * O(n^2 m) at worst. */
void pareto_front(const double *outcomes, size_t n, size_t m, bool *ret_on);

/* Moves the outcomes that are on the front to the beginning of the n rows, in any order, and returns
 * their number; of equal ones one is kept, and the other rows are overwritten. O(n f m) for f on the
 * front: nearly linear where most are surpassed, of which pareto_front takes no advantage. */
size_t pareto_keep_front(double *outcomes, size_t n, size_t m);

/* The hypervolume of n outcomes (n x m), below the reference (m values, finite). Outcomes that are
 * not better than the reference in every objective add nothing, nor do those with a NaN; a value of
 * -INFINITY makes the volume infinite. The unit is the product of the objectives' units.
 *
 * Exact but for rounding, relative 1e-15 or so times n. O(n log n) for m = 2, O(n^2) for 3 and
 * O(n^3) for 4 objectives at worst, and in practice nearly a factor of n less: a thousand outcomes on
 * a front of four objectives take some 0.1 s.
 *
 * Errors: TUNER_USAGE if m is not 1 to PARETO_OBJECTIVES_MAX or the reference is not finite,
 * TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool pareto_hypervolume(const double *outcomes, size_t n, size_t m, const double *reference,
	double *ret, struct tuner_error *err);

#endif
