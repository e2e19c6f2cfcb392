/* The probability that a trial's margin is above 0, learnt from the margins of ended trials: +1 or
 * -1 for one that gave a value or failed (feasibility.h), or how far it kept within a limit
 * (limits.h).
 *
 * A Gaussian process (gp.h) of the margins, with its own hyperparameters. With mean mu, latent sd s
 * and noise variance t^2 at a point, a trial there has a margin above 0 with probability
 *
 *     Phi(z),  z = mu / sqrt(s^2 + t^2).
 *
 * The noise is included because the question is about a trial, not the latent function.
 *
 * log Phi(z) is a term of the acquisition (acquisition.h): added to log EI, it gives the expected
 * gain of a trial if one with a margin below 0 gains nothing (Schonlau, Welch, Jones, "Global versus
 * local search in constrained optimization of computer models", 1998). To a confidence bound or a
 * drawn function it is added in the model's unit, where it is only a penalty: a probability of 1/2
 * costs 0.7 sd of the outcomes, 1/100 costs 4.6 sd, and 1 costs nothing.
 *
 *     margin_create -> margin_add and the others -> margin_destroy */
#ifndef SURROGATE_MARGIN_H
#define SURROGATE_MARGIN_H

#include "surrogate/acquisition.h"
#include "surrogate/gp.h"

struct margin;

/* Fits the model (gp_data: y are the margins, in a unit in which they vary by about 1) by one search
 * of at most work_limit likelihoods (0: no limit) from the prior's mode, so that nothing has to be
 * remembered from one suggestion to the next. d >= 1 dimensions, kinds as gp_create. *ret_work:
 * likelihoods done. Errors: TUNER_FATAL without memory, TUNER_NUMERIC as gp_fit. */
TUNER_MUST_CHECK
bool margin_create(size_t d, const enum dimension_kind *kinds, const struct gp_data *data,
	uint64_t work_limit, struct margin **ret, uint64_t *ret_work, struct tuner_error *err);
void margin_destroy(struct margin *margin);

const struct gp *margin_gp(const struct margin *margin);

/* Adds log Phi(z) at m points (m x d) to values. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool margin_add(
	struct margin *margin, const double *X, size_t m, double *values, struct tuner_error *err);

/* The same, and its gradients by the points (m x d; 0 for categories) to gradients. */
TUNER_MUST_CHECK
bool margin_add_gradients(struct margin *margin, const double *X, size_t m, double *values,
	double *gradients, struct tuner_error *err);

/* Adds an estimate of log Phi(z), in O(n) per point (gp_glance). Errors: TUNER_FATAL without
 * memory. */
TUNER_MUST_CHECK
bool margin_add_glance(
	struct margin *margin, const double *X, size_t m, double *values, struct tuner_error *err);

/* Appends a trial that still runs as one whose margin is below 0: with the mean that it then has.
 * Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool margin_suppose_below(struct margin *margin, const double *x, struct tuner_error *err);

/* Drops what was supposed. */
void margin_forget(struct margin *margin);

/* The term log Phi(z), for an acquisition over the same columns. `margin` is borrowed. */
struct acquisition_term margin_term(struct margin *margin);

/* log Phi(z) and its derivative phi/Phi, for every z. Relative error below 1e-9, and below 1e-13
 * for |z| < 20. */
double log_normal_cdf(double z, double *ret_slope);

#endif
