/* Several objectives as one: of the front's trials each is the best for some weights, and every
 * suggestion looks for the best of weights of its own (ParEGO: Knowles, "ParEGO: A Hybrid Algorithm
 * With On-Line Landscape Approximation for Expensive Multiobjective Optimization Problems", IEEE
 * Transactions on Evolutionary Computation 10(1), 2006). All are minimised.
 *
 * With z_k an objective's value, scaled so that the front reaches from 0.1 to 1.1, and weights w_k >= 0
 * that sum to 1, the scalar is the augmented Chebyshev norm
 *
 *     max_k w_k z_k + rho sum_k w_k z_k,  rho = 0.05.
 *
 * Its maximum finds the front where that is not convex, too; its sum prefers, of two trials with the
 * same maximum, the one that surpasses the other. Not from 0: then nothing that is better in one
 * objective than all trials so far would have a lower norm, and the front's ends would stay where they are.
 *
 * The front is that of the trials so far that have kept the limits (limits.h; of all while none has):
 * trials that are far behind it, such as diverged ones, do not set the scale. */
#ifndef SURROGATE_SCALARISATION_H
#define SURROGATE_SCALARISATION_H

#include "surrogate/pareto.h"
#include "surrogate/suggest.h"

#define SCALARISATION_RHO   0.05
#define SCALARISATION_FIRST 0.1 /* z at the best value of the front */

/* The weights of the request's suggestion, n_others + 1, uniform on the simplex: point `number` of a
 * scrambled Sobol sequence (design.h) of its seed and repeat, so that few suggestions in a row cover
 * it, folded onto the simplex by sorting: the weights are the gaps. Errors as design_create. */
TUNER_MUST_CHECK
bool scalarisation_weights(
	const struct suggest_request *request, double *ret_weights, struct tuner_error *err);

/* The scalars of n outcomes (n x m, m at most PARETO_OBJECTIVES_MAX): NaN if one of its values is.
 * kept (n): those whose front sets the scale.
 *
 * - An objective whose values on the front are all equal is scaled by the distance from there to the
 *   median of the kept, or to the worst of them or of all; if all are equal it counts for nothing.
 * - Infinite values take no part in the scale: -INFINITY is as the best of the front, and INFINITY, as
 *   all that is scaled beyond 1e100, as 1e100.
 * - A scale of a power of two and the order of objectives (with their weights) change no bit.
 *
 * Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool scalarise(const double *outcomes, const bool *kept, size_t n, size_t m, const double *weights,
	double *ret, struct tuner_error *err);

/* The request's observations (ret: n_observations) with the scalar of these weights as their
 * objective. One that does not tell all objectives, and any stopped one, becomes a stopped one without
 * a value; failed ones stay. A trial without its first objective, which counts as a failed one
 * (suggest.h), does so, too. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool scalarisation_observations(const struct suggest_request *request, const double *weights,
	struct observation *ret, struct tuner_error *err);

#endif
