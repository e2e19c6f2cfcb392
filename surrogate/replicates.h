/* Trials of the same configuration, as one row of the model.
 *
 * m outcomes y_j at one point, each with noise variance t^2 = noise_scale sigma^2, tell the same
 * about the latent function f there as their mean y with noise variance t^2 / m, since sum_j (y_j -
 * f)^2 = SS + m (y - f)^2. The rest of their likelihood does not depend on f:
 *
 *     log p(all y_j) = log p(the means) - sum over rows ((m - 1) ln(2 pi t^2) + ln m + SS / t^2) / 2,
 *
 * exactly. So n stays small, and no two rows of the covariance matrix differ only in their
 * noise. */
#ifndef SURROGATE_REPLICATES_H
#define SURROGATE_REPLICATES_H

#include "surrogate/gp.h"

/* Rows of trials, in the caller's arrays. */
struct replicates_rows {
	size_t n, d;
	double *X; /* n x d */
	double *y, *noise_scales; /* n */
	bool *valued; /* n: rows that differ in it are not merged; NULL: all the same */
	double *counts, *scatters; /* n, output: as in struct gp_data */
	bool *within; /* n: a merged row has it if one of its trials has; NULL: nobody asks */
};

/* Merges rows of equal coordinates, noise scale and valuedness in place, and lowers n. A merged row
 * takes the place of its last trial: rows stay in commit order of their newest trials. Rows without
 * a replicate keep their bits. O(n d log n). Errors: TUNER_FATAL without memory; on failure nothing
 * has changed. */
TUNER_MUST_CHECK
bool replicates_merge(struct replicates_rows *rows, struct tuner_error *err);

/* Frees the arrays of rows that own them. */
void replicates_finish(struct replicates_rows *rows);

/* Copies a row over another; `to` <= `from`. */
void replicates_move(struct replicates_rows *rows, size_t from, size_t to);

/* What the likelihood needs to know about the scatter of all rows. */
struct replicates {
	double n; /* sum of m - 1 */
	double logs; /* sum of (m - 1) ln noise_scale + ln m */
	double squares; /* sum of SS / noise_scale */
};

struct replicates replicates_count(const struct gp_data *data);

/* The sum above, with its sign, and its derivative by ln sigma^2. Without replicates both are 0. */
double replicates_log_likelihood(
	const struct replicates *replicates, double log_noise, double *ret_slope);

/* The noise scale of the mean in row i: noise_scale / m. */
double replicates_noise_scale(const struct gp_data *data, size_t i);

#endif
