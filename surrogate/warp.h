/* Input warping by the distribution function of Kumaraswamy,
 *
 *     w(x) = 1 - (1 - x^a)^b,  0 <= x <= 1,
 *
 * which bends an axis of the cube so that a stationary kernel fits (Snoek, Swersky, Zemel, Adams, "Input
 * Warping for Bayesian Optimization of Non-Stationary Functions", ICML 2014, who use the beta distribution;
 * Kumaraswamy's has a closed form). a = b = 1 is the identity, exactly. */
#ifndef SURROGATE_WARP_H
#define SURROGATE_WARP_H

#include "surrogate/kernel.h"

#include <stdbool.h>

/* The warp of one coordinate. */
struct warp {
	double a, b; /* > 0 */
};

/* The warp of coordinate k in a warped model's hyperparameters (gp.h): ln a and ln b are in pairs
 * behind the d lengthscales and the noise. */
struct warp warp_of(const double *theta, size_t d, size_t k);

/* Warps n rows of d coordinates; only numeric ones change. */
void warp_rows(const double *theta, size_t d, const enum dimension_kind *kinds, const double *X,
	size_t n, double *ret_W);

bool warp_is_identity(struct warp warp);

/* w(x). Coordinates are kept WARP_MARGIN away from the ends, where slopes are infinite; beyond the
 * cube, where trials of an edited space may lie, it continues with slope 1. */
#define WARP_MARGIN 1e-7
double warp_value(struct warp warp, double x);

/* dw/dx. */
double warp_slope(struct warp warp, double x);

/* dw/dln a and dw/dln b. */
void warp_gradient(struct warp warp, double x, double *ret_by_log_a, double *ret_by_log_b);

#endif
