/* Whether a configuration gives a value at all, as far as the ended trials tell.
 *
 * A second Gaussian process (gp.h) over the same columns, of outcomes +1 (the trial gave a value) and -1 (its
 * configuration made it fail), with hyperparameters of its own. With mean mu, latent sd s and noise variance
 * t^2 at a point, a trial there is taken to give a value with probability
 *
 *     Phi(z),  z = mu / sqrt(s^2 + t^2).
 *
 * The noise belongs to it: a trial is asked for, not the latent function. Where trials fail by chance the noise is
 * large, and the probability stays near the share that does not; where failing is a matter of the
 * configuration alone, there is next to none.
 *
 * log Phi(z) is added to log EI (acquisition.h): what a trial is expected to gain, if one that fails
 * gains nothing. To a confidence bound or a drawn function it is added too, in the model's unit: there it is a
 * mere penalty. An even chance costs 0.7 sd of the outcomes, a hundredth 4.6, and what never fails costs nothing.
 *
 *     feasibility_is_due -> feasibility_create -> feasibility_foretold, the others -> feasibility_destroy */
#ifndef SURROGATE_FEASIBILITY_H
#define SURROGATE_FEASIBILITY_H

#include "surrogate/acquisition.h"
#include "surrogate/gp.h"

struct feasibility;

/* Enough failures to learn from, and so many that it pays: three, and every tenth of the n trials. */
bool feasibility_is_due(size_t n_failed, size_t n);

/* Rows of columns as the model has them. */
struct feasibility_data {
	size_t n, d; /* >= 1 */
	const enum dimension_kind *kinds; /* d */
	const double *X; /* n x d */
	const bool *valued; /* n: gave a value */
	const double *counts; /* n: trials that the row holds (replicates.h); NULL: 1 each */
};

/* Fits the second model: one search from the prior's mode, so that nothing needs to be remembered from one
 * suggestion to the next, of work_limit likelihoods (0: no limit). *ret_work: those done. Errors:
 * TUNER_FATAL without memory, TUNER_NUMERIC as gp_fit. */
TUNER_MUST_CHECK
bool feasibility_create(const struct feasibility_data *data, uint64_t work_limit,
	struct feasibility **ret, uint64_t *ret_work, struct tuner_error *err);
void feasibility_destroy(struct feasibility *feasibility);

/* Which failed rows (n of the data, the others are false) the other trials' outcomes foretell: mean < 0 without the
 * row itself. The rest may have failed by chance, or are the first of their kind. */
TUNER_MUST_CHECK
bool feasibility_foretold(
	const struct feasibility *feasibility, bool *ret_foretold, struct tuner_error *err);

/* Adds log Phi(z) at m points (m x d) to values. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool feasibility_add(struct feasibility *feasibility, const double *X, size_t m, double *values,
	struct tuner_error *err);

/* The same, and its gradients by the points (m x d; 0 for categories) to gradients. */
TUNER_MUST_CHECK
bool feasibility_add_gradients(struct feasibility *feasibility, const double *X, size_t m,
	double *values, double *gradients, struct tuner_error *err);

/* Adds what log Phi(z) may be, in O(n) a point (gp_glance). Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool feasibility_add_glance(struct feasibility *feasibility, const double *X, size_t m,
	double *values, struct tuner_error *err);

/* log Phi(z), for an acquisition over the same columns. The feasibility is borrowed. */
struct acquisition_term feasibility_term(struct feasibility *feasibility);

/* log Phi(z) and its derivative phi/Phi, for every z. Relative error below 1e-9, for |z| below 20
 * below 1e-13. */
double log_normal_cdf(double z, double *ret_slope);

#endif
