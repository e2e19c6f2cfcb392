/* The prior of a model's hyperparameters (gp.h); inside surrogate/. Densities are in theta itself.
 *
 * - ln l of a numeric dimension: normal(sqrt 2 + ln(d)/2 - 3, 1). The median, l = 0.205 sqrt(d), is
 *   the mode of the density *in l* that Hvarfner, Hellsten and Nardi recommend ("Vanilla Bayesian
 *   Optimization Performs Great in High Dimensions", ICML 2024: log-normal(sqrt 2 + ln(d)/2, sqrt
 *   3)), where an optimiser without a Jacobian ends. Their width, sqrt 3, lets a dozen trials make
 *   a parameter look irrelevant (docs/surrogate.md, "The lengthscales' prior").
 * - ln l of a category: the same mean, with their width. Two trials are either equal or different
 *   in it, so little is known of it for long.
 * - ln sigma^2: normal(-8, 2).
 * - ln a and ln b of a warp (warp.h): normal(0, sqrt(3/4)). */
#ifndef SURROGATE_HYPERPRIOR_H
#define SURROGATE_HYPERPRIOR_H

#include "surrogate/kernel.h"

#include <stdbool.h>

#define HYPERPRIOR_LOG_NOISE_MEAN (-8.0)
#define HYPERPRIOR_LOG_NOISE_SD   2.0

/* The normal prior of ln l in d dimensions: mean and sd. */
double hyperprior_log_length_mean(size_t d);
double hyperprior_log_length_sd(enum dimension_kind kind);

/* Log density of theta (d + 1, or 3 d + 1 if warped); its gradient is added to `gradient` (NULL:
 * not wanted). A warp's part is normalised to 0 at the identity. */
double hyperprior_log_density(size_t d, const enum dimension_kind *kinds, bool warped,
	const double *theta, double *gradient);

#endif
