/* What a point is worth: the logarithm of its expected improvement.
 *
 *     EI = E max(0, f* - f(x)) = sd h(z),  z = (f* - mean) / sd,  h(z) = phi(z) + z Phi(z)
 *
 * The logarithm, because EI and its slope underflow over most of the cube (Ament et al.,
 * "Unexpected Improvements to Expected Improvement for Bayesian Optimization", NeurIPS 2023). sd
 * is that of the latent function.
 *
 * The incumbent f* is the least posterior mean at the trials, not the least outcome, which with
 * noise is the luckiest one.
 *
 * Pending rows of the model (gp.h) are treated by fantasies: S joint draws of their outcomes; each
 * has its own f*, the pending rows included, and the value is the log of the mean EI over them
 * (Snoek, Larochelle, Adams, "Practical Bayesian Optimization of Machine Learning Algorithms",
 * NIPS 2012, section 3.2). The variance is the same for all draws. With more than
 * ACQUISITION_PENDING_MAX pending rows one fantasy, the predicted mean, stands for all.
 *
 *     acquisition_create -> acquisition_values, acquisition_gradients -> acquisition_destroy */
#ifndef SURROGATE_ACQUISITION_H
#define SURROGATE_ACQUISITION_H

#include "base/error.h"
#include "base/random.h"
#include "surrogate/gp.h"

#include <stddef.h>

enum {
	ACQUISITION_FANTASIES = 64,
	ACQUISITION_PENDING_MAX = 64,
	ACQUISITION_MODELS_MAX = 10, /* see acquisition_join */
	ACQUISITION_MODELS_FIRST = 2,
};

struct acquisition;

/* Borrows the fitted gp, which must not change while the acquisition lives. eligible
 * (gp_n_outcomes; NULL: all) marks the trials that may be the incumbent: not the failed ones,
 * whose outcome is made up; if none is marked, all are. n_fantasies (>= 1) draws from `random`
 * (purpose RANDOM_FANTASY), one Latin hypercube of n_fantasies strata per pending row; without
 * pending rows nothing is drawn. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool acquisition_create(const struct gp *gp, const bool *eligible, size_t n_fantasies,
	struct random *random, struct acquisition **ret, struct tuner_error *err);
void acquisition_destroy(struct acquisition *acquisition);

/* From now on a value is the log of the mean EI over the models of both, `other`'s being one (of the same
 * dimensions, as likely as the others; at most ACQUISITION_MODELS_MAX together). Takes over `other`, even if it fails
 * (TUNER_FATAL without memory). */
TUNER_MUST_CHECK
bool acquisition_join(
	struct acquisition *acquisition, struct acquisition *other, struct tuner_error *err);

/* f*, averaged over the fantasies and the models; model unit. */
double acquisition_incumbent(const struct acquisition *acquisition);

/* Log EI at m points (m x d, unit cube). fantasies: only the first so many are used, and only the
 * first ACQUISITION_MODELS_FIRST models, which is cheaper and good enough for a first look at many
 * points; 0: all. A value depends on its own point only, up to rounding (1e-12): BLAS may add in another order for another m. Errors:
 * TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool acquisition_values(struct acquisition *acquisition, const double *X, size_t m,
	size_t fantasies, double *ret_values, struct tuner_error *err);

/* What log EI can at most be at m points, in O(n) a point: from an sd that is too large (gp_glance), and with
 * pending rows, from the predicted means and the average incumbent instead of the fantasies', which is then
 * no bound but near one. Of several models, by the first ones, as above. For the choice of the points that are worth
 * acquisition_values. */
TUNER_MUST_CHECK
bool acquisition_glance(struct acquisition *acquisition, const double *X, size_t m,
	double *ret_values, struct tuner_error *err);

/* The same with gradients (m x d) with respect to the points, 0 for categories; all fantasies. One
 * call serves all starts of a lockstep search. */
TUNER_MUST_CHECK
bool acquisition_gradients(struct acquisition *acquisition, const double *X, size_t m,
	double *ret_values, double *ret_gradients, struct tuner_error *err);

/* The same by the first ACQUISITION_MODELS_FIRST models, which is the same where there is one: for climbs whose
 * end is looked at again. */
TUNER_MUST_CHECK
bool acquisition_rough_gradients(struct acquisition *acquisition, const double *X, size_t m,
	double *ret_values, double *ret_gradients, struct tuner_error *err);

/* ln h(z), for every z, infinite ones included. Absolute error (checked against 60 digits) below
 * 1e-15 max(1, |ln h|) for z >= -1, below 1e-11 down to -12, below 4e-16 |ln h| further out. */
double log_h(double z);

/* The same, with the derivative of ln h, Phi/h, and with phi/h = 1 - z Phi/h, free of
 * cancellation. */
double log_h_slopes(double z, double *ret_slope, double *ret_density);

/* Log EI of a prediction (sd > 0) and its derivatives by mean and sd; NULL: not wanted. */
double log_expected_improvement(
	double mean, double sd, double incumbent, double *ret_by_mean, double *ret_by_sd);

#endif
