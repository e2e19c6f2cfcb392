/* Minimisation inside a box by projected L-BFGS, with reverse communication.
 *
 *     lbfgs_create(...);
 *     while (lbfgs_state(o) == LBFGS_EVALUATE) {
 *             f = objective(lbfgs_point(o), gradient);
 *             lbfgs_tell(o, f, gradient);
 *     }
 *     use lbfgs_best(o), then lbfgs_destroy(o)
 *
 * The caller evaluates, so that many minimisers can run in lockstep and share one batched
 * evaluation. Each has its own memory of curvature (a single minimiser of the objectives' sum would
 * mix the curvatures).
 *
 * Two-loop recursion (Nocedal and Wright, "Numerical Optimization", 2nd ed. 2006, algorithm 7.4)
 * on the coordinates that are free, as in Bertsekas, "Projected Newton methods for optimization
 * problems with simple constraints", SIAM J. Control Optim. 20 (1982); weak Wolfe conditions (N&W
 * section 3.1) along the projected path by bracketing and cubic interpolation (N&W section 3.5). */
#ifndef SURROGATE_LBFGS_H
#define SURROGATE_LBFGS_H

#include "base/error.h"

#include <stddef.h>

struct lbfgs;

enum lbfgs_state {
	LBFGS_EVALUATE, /* wants value and gradient at lbfgs_point */
	LBFGS_CONVERGED, /* the projected gradient is small enough */
	LBFGS_STALLED, /* no step improves any more: rounding, a kink, or a wrong gradient */
	LBFGS_LIMIT, /* the iterations or evaluations are spent */
};

struct lbfgs_options {
	size_t iterations; /* 0: 200 */
	size_t evaluations; /* 0: bounded by the iterations only (at most 20 each) */
	size_t memory; /* curvature pairs kept; 0: 10 */
	double gradient; /* converged when max_k |P(x - g) - x|_k, the projected gradient, is at
			       most this; 0: 1e-5 */
	double first_step; /* largest move of a coordinate in the first trial step; 0: 1 */
};

/* Starts at x (n coordinates, moved into the box if outside). The bounds may be infinite and may be
 * equal, which fixes a coordinate. The caller ensures lower <= upper and a finite x. Everything is
 * copied. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool lbfgs_create(size_t n, const double *x, const double *lower, const double *upper,
	const struct lbfgs_options *options, struct lbfgs **ret, struct tuner_error *err);
void lbfgs_destroy(struct lbfgs *lbfgs);

enum lbfgs_state lbfgs_state(const struct lbfgs *lbfgs);

/* The n coordinates to evaluate next; always inside the box. Valid until the next lbfgs_tell. */
const double *lbfgs_point(const struct lbfgs *lbfgs);

/* Value and gradient (n) at lbfgs_point. A value or gradient that is not finite means "not here":
 * the step is shortened (at the first point it ends the search: LBFGS_STALLED). Returns the new
 * state. Only in state LBFGS_EVALUATE. Never allocates, never fails. */
enum lbfgs_state lbfgs_tell(struct lbfgs *lbfgs, double value, const double *gradient);

/* The best point told so far, and its value (infinite if no value was finite: then it is the
 * start). */
const double *lbfgs_best(const struct lbfgs *lbfgs, double *ret_value);

size_t lbfgs_iterations(const struct lbfgs *lbfgs);
size_t lbfgs_evaluations(const struct lbfgs *lbfgs);

#endif
