/* Cheap estimates for many points: means, upper bounds of variances and log expected improvements
 * in single precision. They only select the points that are worth an exact evaluation.
 *
 * As in kernel.h, the same bits on every machine and at every optimisation level: IEEE operations
 * in a fixed order, sixteen points side by side. */
#ifndef SURROGATE_GLANCE_H
#define SURROGATE_GLANCE_H

#include "surrogate/kernel.h"

enum { GLANCE_LANES = 16 };

/* The rows of a model, in borrowed arrays: one point a row, with coordinates scaled as in
 * kernel.h's Z. */
struct glance_rows {
	size_t n, d;
	const enum dimension_kind *kinds;
	const float *inverse_squares; /* d: 1 / l^2, used for categories only */
	const float *Z; /* n x d */
	const float *alpha; /* n: the mean is sum_i alpha_i k_i */
	const float *weights; /* n: 1 / (1 + noise_i) */
};

/* For GLANCE_LANES points, coordinate k of point l at points[k * GLANCE_LANES + l]: ret_mean is
 * sum_i alpha_i k_i, and ret_most is max_i weights_i k_i^2, the reduction of the variance 1 by the
 * most informative row alone; all rows together reduce it no less. */
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
