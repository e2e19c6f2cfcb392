/* Trials of the same configuration, as one row of the model.
 *
 * m outcomes y_j at one point, each with noise variance t^2 = noise_scale sigma^2, tell of the latent function f there
 * what their mean y tells with noise variance t^2 / m, since sum_j (y_j - f)^2 = SS + m (y - f)^2. The rest
 * of their likelihood does not depend on f:
 *
 *     log p(all y_j) = log p(the means) - sum over rows ((m - 1) ln(2 pi t^2) + ln m + SS / t^2) / 2,
 *
 * exactly. So n stays small, and no two rows of the covariance matrix are equal but for their noise. */
#ifndef SURROGATE_REPLICATES_H
#define SURROGATE_REPLICATES_H

#include "surrogate/gp.h"

/* Rows of trials, the caller's arrays. */
struct replicates_rows {
	size_t n, d;
	double *X; /* n x d */
	double *y, *noise_scales; /* n */
	bool *valued; /* n: rows that differ in it stay apart */
	double *counts, *scatters; /* n, written only: as in struct gp_data */
};

/* Merges rows of equal coordinates, noise scale and valuedness in place, and lowers n. A merged row takes the
 * place of its last: the rows stay in commit order of the newest that they hold. Rows without their
 * like keep their bits. O(n d log n). Errors: TUNER_FATAL without memory; then nothing has
 * changed. */
TUNER_MUST_CHECK
bool replicates_merge(struct replicates_rows *rows, struct tuner_error *err);

/* What the likelihood needs to know of all rows' scatter. */
struct replicates {
	double n; /* sum of m - 1 */
	double logs; /* sum of (m - 1) ln noise_scale + ln m */
	double squares; /* sum of SS / noise_scale */
};

struct replicates replicates_count(const struct gp_data *data);

/* The sum above, with its sign, and its derivative by ln sigma^2. Without replicates both are 0. */
double replicates_log_likelihood(
	const struct replicates *replicates, double log_noise, double *ret_slope);

/* Of the mean that row i holds: noise_scale / m. */
double replicates_noise_scale(const struct gp_data *data, size_t i);

#endif
