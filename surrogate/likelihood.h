/* What gp_fit maximises: the log marginal likelihood of a Gaussian process, its prior, and the
 * gradient of both; inside surrogate/. Model and hyperparameters are those of gp.h.
 *
 *     K = [k_ij] + diag(noise_i sigma^2), K = L L', alpha = K^-1 (y - c 1), c = 1'K^-1 y / 1'K^-1 1
 *     log p(y) = -(y - c)'alpha / 2 - sum_i ln L_ii - n ln(2 pi) / 2
 *
 * and, where rows hold several outcomes, the contribution of their scatter (replicates.h).
 *
 * c maximises this for the given hyperparameters, so its change drops out of the gradient. */
#ifndef SURROGATE_LIKELIHOOD_H
#define SURROGATE_LIKELIHOOD_H

#include "surrogate/gp.h"

struct likelihood;

/* Copies the data, and allocates all that evaluations need (2 n^2 doubles), so they never run out
 * of memory. kinds is borrowed. TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool likelihood_create(size_t d, const enum dimension_kind *kinds, bool warped,
	const struct gp_data *data, struct likelihood **ret, struct tuner_error *err);
void likelihood_destroy(struct likelihood *likelihood);

/* The value at theta (gp_n_hyperparameters) and, unless NULL, its gradient. False if the matrix cannot be
 * factored. */
bool likelihood_evaluate(struct likelihood *likelihood, const double *theta, double *ret_value,
	double *ret_gradient);

/* 1'K^-1 1 at the last theta, which must have been evaluated without a gradient: the precision, one
 * over the variance, with which the outcomes determine c. */
double likelihood_constant_precision(const struct likelihood *likelihood);

#endif
