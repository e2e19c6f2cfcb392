/* Which coordinates a Gaussian process depends on: Sobol's indices of its posterior.
 *
 * With the coordinates uniform and independent, the variance V of a function splits into parts:
 *
 *     first order  S_i = Var(E(f | x_i)) / V           of x_i alone
 *     total        T_i = E(Var(f | all but x_i)) / V   of x_i alone and with others
 *
 * Estimated by pick-freeze (Saltelli et al., "Variance based sensitivity analysis of model output",
 * Computer Physics Communications 181, 2010): scrambled Sobol points in 2d dimensions are the rows
 * of two matrices A and B; A_i is A with column i from B; and, after Jansen ("Analysis of variance
 * designs for model output", Computer Physics Communications 117, 1999),
 *
 *     S_i = 1 - E (f(B) - f(A_i))^2 / 2V,   T_i = E (f(A) - f(A_i))^2 / 2V,
 *
 * where S_i is corrected by what the same formula gives for f(B) and f(A), which is 0 but for the
 * points' error: an irrelevant coordinate has S_i = 0 exactly. A coordinate's first order is part
 * of its total, whose error is the smaller one where the coordinate matters little, so S_i is
 * limited to T_i.
 *
 * Uniform means on the unit cube, in each parameter's own scale; coordinates with a lattice take
 * its values, each in proportion to the length of its cell. The estimate is that of the posterior
 * mean. Random functions from the posterior (draws.h) are evaluated at the same points; the
 * interval goes from the 5 % to the 95 % quantile of their indices, widened to include the
 * estimate: the mean is smoother than the functions it averages, so with few trials it tends to
 * have less interaction. Not included are the uncertainty of the hyperparameters, and the error of
 * the points, whose standard deviation is about .005 for 3 columns, .01 for 10 and up to .04 for
 * 100 (Ishigami's function, measured). */
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

/* The indices of the fitted gp. Its dimensions are `columns`, none of them held, and all its rows
 * must have outcomes. The result depends on gp and key alone. A function without variance has
 * indices 0. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool sensitivity_of(const struct gp *gp, const struct columns *columns, struct random_key key,
	struct sensitivity *ret, struct tuner_error *err);

#endif
