/* Which coordinates a Gaussian process depends on: Sobol's indices of its posterior.
 *
 * With the coordinates uniform and independent, the variance V of a function splits into parts:
 *
 *     first order  S_i = Var(E(f | x_i)) / V      what x_i does alone
 *     total        T_i = E(Var(f | all but x_i)) / V   what it does alone and with others
 *
 * Estimated by pick-freeze (Saltelli et al., "Variance based sensitivity analysis of model output",
 * Computer Physics Communications 181, 2010): scrambled Sobol points in 2d dimensions are the rows
 * of two matrices A and B; A_i is A with column i from B; and, after Jansen ("Analysis of variance
 * designs for model output", Computer Physics Communications 117, 1999),
 *
 *     S_i = 1 - E (f(B) - f(A_i))^2 / 2V,   T_i = E (f(A) - f(A_i))^2 / 2V,
 *
 * where S_i is corrected by what the same formula gives for f(B) and f(A), which is 0 but for the
 * points' error: an irrelevant coordinate has S_i = 0 exactly. What it does alone is part of its total, whose
 * error is the smaller one where it does little: S_i is T_i at most.
 *
 * Uniform means on the unit cube, in each parameter's own scale; coordinates with a lattice take its
 * values, each as often as its cell is long. The estimate is that of the posterior mean. The same points
 * serve random functions from the posterior (draws.h), and the indices of those, from their 5 % to their
 * 95 % quantile, are the interval, widened to the estimate where that lies outside: the mean is
 * smoother than what it is the mean of, so with few trials it tends to have less interaction. Left
 * out are the uncertainty of the hyperparameters, and the error of the points, whose standard deviation
 * is about .005 for 3 columns, .01 for 10 and up to .04 for 100 (Ishigami's function, measured). */
#ifndef SURROGATE_SENSITIVITY_H
#define SURROGATE_SENSITIVITY_H

#include "surrogate/columns.h"
#include "surrogate/gp.h"

struct share {
	double value, low, high; /* of the variance: 0 to 1 */
};

struct sensitivity {
	double variance; /* V of the posterior mean, model unit */
	struct share first[COLUMNS_MAX], total[COLUMNS_MAX]; /* by column */
};

/* Of the fitted gp, whose dimensions are `columns`, none of them held, and whose rows all have outcomes.
 * A function of gp and key alone. A function without variance has indices 0. Errors: TUNER_FATAL
 * without memory. */
TUNER_MUST_CHECK
bool sensitivity_of(const struct gp *gp, const struct columns *columns, struct random_key key,
	struct sensitivity *ret, struct tuner_error *err);

#endif
