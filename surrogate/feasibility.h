/* The probability that a configuration gives a value at all, learnt from the ended trials.
 *
 * A second Gaussian process (gp.h) over the same columns, of outcomes +1 (the trial gave a value)
 * and -1 (its configuration made it fail), with its own hyperparameters. With mean mu, latent sd s
 * and noise variance t^2 at a point, a trial there is taken to give a value with probability
 *
 *     Phi(z),  z = mu / sqrt(s^2 + t^2).
 *
 * The noise is included because the question is about a trial, not the latent function. Where
 * trials fail by chance, the noise is large and the probability stays near the share of trials that
 * do not fail; where failure depends on the configuration alone, there is next to no noise.
 *
 * log Phi(z) is added to log EI (acquisition.h), which gives the expected gain of a trial if one
 * that fails gains nothing. It is also added to a confidence bound or a drawn function, in the
 * model's unit, where it is only a penalty: a probability of 1/2 costs 0.7 sd of the outcomes,
 * 1/100 costs 4.6 sd, and 1 costs nothing.
 *
 *     feasibility_is_due -> feasibility_create -> feasibility_foretold, the others -> feasibility_destroy */
#ifndef SURROGATE_FEASIBILITY_H
#define SURROGATE_FEASIBILITY_H

#include "surrogate/acquisition.h"
#include "surrogate/gp.h"

struct feasibility;

/* True if there are enough failures to learn from, and for the model to pay: at least three, and a
 * tenth of the n trials. */
bool feasibility_is_due(size_t n_failed, size_t n);

/* Rows of columns, as in the model of the objective. */
struct feasibility_data {
	size_t n, d; /* >= 1 */
	const enum dimension_kind *kinds; /* d */
	const double *X; /* n x d */
	const bool *valued; /* n: gave a value */
	const double *counts; /* n: trials that the row holds (replicates.h); NULL: 1 each */
};

/* Fits the second model by one search of at most work_limit likelihoods (0: no limit) from the
 * prior's mode, so that nothing has to be remembered from one suggestion to the next. *ret_work:
 * likelihoods done. Errors: TUNER_FATAL without memory, TUNER_NUMERIC as gp_fit. */
TUNER_MUST_CHECK
bool feasibility_create(const struct feasibility_data *data, uint64_t work_limit,
	struct feasibility **ret, uint64_t *ret_work, struct tuner_error *err);
void feasibility_destroy(struct feasibility *feasibility);

/* Marks (n, as in the data) the failed rows that the other trials' outcomes predict: mean < 0
 * without the row itself. Other failures may be due to chance, or the first of their kind. */
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

/* Adds an estimate of log Phi(z), in O(n) per point (gp_glance). Errors: TUNER_FATAL without
 * memory. */
TUNER_MUST_CHECK
bool feasibility_add_glance(struct feasibility *feasibility, const double *X, size_t m,
	double *values, struct tuner_error *err);

/* The term log Phi(z), for an acquisition over the same columns. `feasibility` is borrowed. */
struct acquisition_term feasibility_term(struct feasibility *feasibility);

/* log Phi(z) and its derivative phi/Phi, for every z. Relative error below 1e-9, and below 1e-13
 * for |z| < 20. */
double log_normal_cdf(double z, double *ret_slope);

#endif
