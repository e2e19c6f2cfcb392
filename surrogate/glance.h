/* What many points promise, at a glance: means, upper bounds of variances and log expected improvements in
 * single precision. They tell which points are worth an exact look, and are used for nothing else.
 *
 * As in kernel.h, the same bits on every machine and at every optimisation level: IEEE operations in a
 * written order, sixteen points side by side. */
#ifndef SURROGATE_GLANCE_H
#define SURROGATE_GLANCE_H

#include "surrogate/kernel.h"

enum { GLANCE_LANES = 16 };

/* The rows of a model. Borrowed arrays: points row after row, with coordinates scaled as kernel.h's Z. */
struct glance_rows {
	size_t n, d;
	const enum dimension_kind *kinds;
	const float *inverse_squares; /* d: 1 / l^2, looked at for categories */
	const float *Z; /* n x d */
	const float *alpha; /* n: the mean is sum_i alpha_i k_i */
	const float *weights; /* n: 1 / (1 + noise_i) */
};

/* Of GLANCE_LANES points, coordinate k of point l at points[k * GLANCE_LANES + l]: sum_i alpha_i k_i, and
 * max_i weights_i k_i^2, which is what the most telling row alone takes off the variance 1: all rows
 * together take no less. */
void glance_moments(
	const struct glance_rows *rows, const float *points, float *ret_mean, float *ret_most);

/* Each of n sds, n a multiple of GLANCE_LANES, in (0, 1], becomes exp(intercept + slope ln sd) where that is less. */
void glance_narrow(float *sd, size_t n, float intercept, float slope);

/* ln EI (acquisition.h) of n points, n a multiple of GLANCE_LANES, to 0.03: with a = |z|, h(-a) = phi(a) / D(a),
 * D(a) ~ a^2 + 1 + 2a / (a + 1.3), which is 1 at a = 0 and a^2 + 3 far away, as it must be; and h(a) = a + h(-a). */
void glance_log_expected_improvement(
	const float *mean, const float *sd, float incumbent, size_t n, float *ret);

/* Adds log_augmentation (expected_improvement.h) to n values, n a multiple of GLANCE_LANES, to 0.001. */
void glance_add_log_augmentation(const float *sd, float noise_sd, size_t n, float *values);

#endif
