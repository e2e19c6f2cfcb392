/* What a point is worth with several objectives: the logarithm of the hypervolume (pareto.h) that a
 * trial there is expected to add to that of the front (Emmerich, Giannakoglou, Naujoks, "Single- and
 * Multiobjective Evolutionary Optimization Assisted by Gaussian Random Field Metamodels", IEEE
 * Transactions on Evolutionary Computation 10(4), 2006).
 *
 * Each objective has a model of its own, and they are taken to be independent. What lies below the
 * reference and no trial of the front equals or surpasses is cut into boxes [a, b); with
 * Psi_k(t) = E max(0, t - f_k), the expected improvement on t,
 *
 *     EHVI = sum over boxes of prod_k (Psi_k(b_k) - Psi_k(a_k)),
 *
 * exactly (Daulton, Balandat, Bakshy, "Differentiable Expected Hypervolume Improvement for Parallel
 * Multi-Objective Bayesian Optimization", NeurIPS 2020). The logarithm for the reason that acquisition.h
 * has.
 *
 * The front is that of the posterior means at the trials that may be on it, and of the predicted means
 * of the pending rows. The reference is beyond the worst of these trials in each objective by
 * FRONT_GAIN_MARGIN of the range: in the models' unit, where values that are far off are bounded
 * (transform.h). Of the front alone it would not do: while that is short, nothing beyond its ends would
 * be looked for (docs/surrogate.md, "Several objectives").
 *
 * With noise, EHVI is multiplied by the geometric mean over the objectives of augmented EI's factor
 * (expected_improvement.h): how much one more trial would tell.
 *
 *     front_gain_create -> front_gain_term -> front_gain_destroy */
#ifndef SURROGATE_FRONT_GAIN_H
#define SURROGATE_FRONT_GAIN_H

#include "surrogate/acquisition.h"
#include "surrogate/pareto.h"

#define FRONT_GAIN_MARGIN 0.1

/* Boxes at most: of a front that needs more, values are rounded, towards better ones, to fewer steps
 * until they suffice. So a gain of less than a step may be overlooked. */
enum { FRONT_GAIN_BOXES_MAX = 512 };

struct front_gain;

/* Borrows the m fitted models (1 to PARETO_OBJECTIVES_MAX) of the same rows, which must not change
 * while it lives. eligible (gp_n_outcomes): marks the trials that may be on the front, at least one;
 * chances (pending rows; NULL: all certain): a pending row is on it if its chance to be a result is 1/2
 * or more. noise_sds (m; NULL: none): noise of the objectives in the factor. Errors: TUNER_FATAL without
 * memory. */
TUNER_MUST_CHECK
bool front_gain_create(struct gp *const *gps, size_t m, const bool *eligible, const double *chances,
	const double *noise_sds, struct front_gain **ret, struct tuner_error *err);
void front_gain_destroy(struct front_gain *gain);

/* Rows (ret_rows: gp_n_outcomes) that are on the front of the eligible, in commit order. */
void front_gain_rows(const struct front_gain *gain, size_t *ret_rows, size_t *ret_n);

/* ln EHVI, with the factor, and its derivatives (NULL: not wanted) for a prediction of all m objectives
 * (sd > 0). */
double front_gain_value(const struct front_gain *gain, const double *mean, const double *sd,
	double *ret_by_mean, double *ret_by_sd);

/* The term of an acquisition over the same columns. `gain` is borrowed. */
struct acquisition_term front_gain_term(struct front_gain *gain);

#endif
