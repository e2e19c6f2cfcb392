/* What is believed of a model's hyperparameters (gp.h) before there is data; inside surrogate/. Densities in theta itself.
 *
 * - ln l of a numeric dimension: normal(sqrt 2 + ln(d)/2 - 3, 1). The middle, l = 0.205 sqrt(d), is the mode of the density *in l* that
 *   Hvarfner, Hellsten and Nardi recommend ("Vanilla Bayesian Optimization Performs Great in High Dimensions", ICML 2024:
 *   log-normal(sqrt 2 + ln(d)/2, sqrt 3)), where an optimiser ends that adds no Jacobian. Their width, sqrt 3, lets a dozen trials
 *   take a parameter for one that does not matter (docs/surrogate.md, "The lengthscales' prior").
 * - ln l of a category: likewise, with their width. Trials are the same there or not, so little is known of it for long.
 * - ln sigma^2: normal(-8, 2).
 * - ln a and ln b of a warp (warp.h): normal(0, sqrt(3/4)). */
#ifndef SURROGATE_HYPERPRIOR_H
#define SURROGATE_HYPERPRIOR_H

#include "surrogate/kernel.h"

#include <stdbool.h>

#define HYPERPRIOR_LOG_NOISE_MEAN (-8.0)
#define HYPERPRIOR_LOG_NOISE_SD   2.0

/* Of ln l in d dimensions. */
double hyperprior_log_length_mean(size_t d);
double hyperprior_log_length_sd(enum dimension_kind kind);

/* Log density of theta (d + 1, or 3 d + 1 if warped), to whose gradient `gradient` (NULL: not wanted) is added. Of a warp: up to a
 * constant, so that the identity has 0. */
double hyperprior_log_density(size_t d, const enum dimension_kind *kinds, bool warped,
	const double *theta, double *gradient);

#endif
