/* Gaussian-process regression on the unit cube.
 *
 *     gp_create -> gp_fit (gp_fit.h) or gp_condition -> gp_append -> gp_predict, acquisition.h -> gp_destroy
 *
 * Matern-5/2 kernel with a lengthscale per dimension and Hamming distance for categories
 * (kernel.h), signal variance 1, noise variance noise_scale_i * sigma^2 on row i, a constant mean c
 * that is always the most likely one given the other parameters: c = 1'K^-1 y / 1'K^-1 1. Outcomes
 * should be standardised (transform.h). A known function may be added to the mean (gp_set_trend).
 *
 * Hyperparameters theta are d + 1 doubles: ln l_1 ... ln l_d, ln sigma^2; of a warped model also ln a_1,
 * ln b_1 ... ln b_d (warp.h), within ln 4 of 0. Their prior is that of hyperprior.h.
 *
 * A companion dimension (kernel.h) shares the lengthscale of the dimension before it. Its own entry
 * of theta is ignored; fits hold that entry at the prior's mode.
 *
 * Rows come in two kinds: the first gp_n_outcomes rows have an outcome; rows appended behind them
 * (trials still running) have none yet. They reduce the variance but leave the mean as it is, as
 * outcomes equal to the predicted mean would.
 *
 * Cost: fitting O(n^3) time per likelihood, 4 n^2 doubles; a prediction O(n^2). Not thread-safe:
 * one thread, one gp (predicting uses scratch memory inside it). Same input, same bits (factor.h; exp and log are the C
 * library's). */
#ifndef SURROGATE_GP_H
#define SURROGATE_GP_H

#include "base/error.h"
#include "surrogate/kernel.h"

#include <stddef.h>
#include <stdint.h>

struct gp;

/* An empty model of d >= 1 dimensions. kinds (d) is copied; NULL: all numeric. warped: numeric axes
 * are warped (warp.h), with parameters fitted like the others. Errors: TUNER_FATAL without
 * memory. */
TUNER_MUST_CHECK
bool gp_create(size_t d, const enum dimension_kind *kinds, bool warped, struct gp **ret,
	struct tuner_error *err);
void gp_destroy(struct gp *gp);

/* The length of theta: d + 1, warped 3 d + 1. */
size_t gp_n_hyperparameters(const struct gp *gp);

/* A known function t that is added to the mean: a priori it is c + t(x). Everything else is as if the model
 * were one of the outcomes minus t at their points. */
struct gp_trend {
	const void *context; /* borrowed */

	/* Values at m points (m x d) and, unless NULL, gradients (m x d), 0 for categories. Errors: TUNER_FATAL
	 * without memory. */
	bool (*evaluate)(const void *context, const double *X, size_t m, double *ret_values,
		double *ret_gradients, struct tuner_error *err);
};

/* For the next gp_condition or gp_fit and what follows it; NULL: none. */
void gp_set_trend(struct gp *gp, const struct gp_trend *trend);

const struct gp_trend *gp_trend_of(const struct gp *gp); /* NULL: none */

/* The trend (gp_trend) without the constant; zeros without one. */
TUNER_MUST_CHECK
bool gp_trend_values(const struct gp *gp, const double *X, size_t m, double *ret_values,
	double *ret_gradients, struct tuner_error *err);

/* What a model is fitted to. The calls below copy it. */
struct gp_data {
	size_t n; /* >= 1 */
	const double *X; /* n x d, row-major, one point per row; finite */
	const double *y; /* n; finite */
	const double *noise_scales; /* n, > 0; NULL: all 1 */

	/* A row may hold the mean of several outcomes of this noise scale each (replicates.h); the
	 * likelihood is that of all of them. */
	const double *counts; /* n, whole numbers >= 1; NULL: all 1 */
	const double *scatters; /* n: sums of their squared distances from y; NULL: all 0 */
};

/* Conditions the model on `data` at the given hyperparameters, without a search. Errors:
 * TUNER_FATAL without memory, TUNER_NUMERIC if the kernel matrix cannot be factored. On failure the
 * model is as it was before. */
TUNER_MUST_CHECK
bool gp_condition(
	struct gp *gp, const struct gp_data *data, const double *theta, struct tuner_error *err);

/* Appends m rows (m x d) without outcomes, O(n^2) each; noise_scales NULL: all 1. On failure
 * (TUNER_FATAL without memory; TUNER_NUMERIC if a row is not finite) the model is as it was before.
 *
 * Bit for bit: gp_condition (or gp_fit) on rows 1..a at theta, then rows a+1..b appended, gives the
 * same factor and the same predictions, however the appended rows were split into calls, whatever
 * was appended and forgotten in between, and in any process: a cached model equals one rebuilt from
 * (theta, a, rows). It equals gp_condition on all b rows to rounding only (a blocked factorisation
 * adds in another order): to reproduce the bits, keep a. */
TUNER_MUST_CHECK
bool gp_append(struct gp *gp, const double *X, const double *noise_scales, size_t m,
	struct tuner_error *err);

/* Drops the last m rows, which must be pending: appended and without outcome. */
void gp_forget(struct gp *gp, size_t m);

/* Replaces the outcomes of the first n rows (1 <= n <= gp_n); the other rows then have none.
 * Recomputes the mean constant. O(n^2). Never allocates, never fails. */
void gp_set_outcomes(struct gp *gp, const double *y, size_t n);

size_t gp_d(const struct gp *gp);
bool gp_is_warped(const struct gp *gp);
const enum dimension_kind *gp_kinds(const struct gp *gp); /* d */
size_t gp_n(const struct gp *gp); /* 0 before the first fit */
size_t gp_n_outcomes(const struct gp *gp);
size_t gp_n_factored(const struct gp *gp); /* "a" above: rows of the last gp_condition or gp_fit */
const double *gp_hyperparameters(const struct gp *gp);
double gp_noise_variance(const struct gp *gp); /* sigma^2 */
double gp_constant(const struct gp *gp); /* c */
double gp_jitter(const struct gp *gp); /* added to the diagonal to factor it; mostly 0 */
const double *gp_row(
	const struct gp *gp, size_t i); /* d coordinates; the next row lies behind them */
double gp_row_trend(const struct gp *gp, size_t i); /* the trend there */
const double *gp_outcomes(const struct gp *gp); /* gp_n_outcomes entries, as given */

/* The same data with outcomes minus the trend; *ret_memory holds these, to be freed. Errors as gp_trend's. */
TUNER_MUST_CHECK
bool gp_without_trend(const struct gp *gp, const struct gp_data *data, struct gp_data *ret,
	double **ret_memory, struct tuner_error *err);

/* Log marginal likelihood of `data` at theta, with its gradient (gp_n_hyperparameters) unless NULL;
 * with the log prior if `posterior`. Neither uses nor changes the fitted model. TUNER_NUMERIC if
 * the matrix cannot be factored. */
TUNER_MUST_CHECK
bool gp_likelihood(const struct gp *gp, const struct gp_data *data, const double *theta,
	bool posterior, double *ret_value, double *ret_gradient, struct tuner_error *err);

/* Mean and sd of the *latent* function (no noise) at m points (m x d). Needs a fitted model.
 * Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool gp_predict(const struct gp *gp, const double *X, size_t m, double *ret_mean, double *ret_sd,
	struct tuner_error *err);

/* The mean alone, in O(n) a point, and unless NULL its gradient (m x d). */
TUNER_MUST_CHECK
bool gp_predict_mean(const struct gp *gp, const double *X, size_t m, double *ret_mean,
	double *ret_gradient, struct tuner_error *err);

/* gp_predict with gradients (m x d each) with respect to the point; 0 for categories. */
TUNER_MUST_CHECK
bool gp_predict_gradient(const struct gp *gp, const double *X, size_t m, double *ret_mean,
	double *ret_sd, double *ret_mean_gradient, double *ret_sd_gradient,
	struct tuner_error *err);

/* The posterior means at the model's own rows with outcomes (gp_n_outcomes entries); O(n). */
void gp_own_means(const struct gp *gp, double *ret_means);

/* ---- The parts of a prediction, for acquisition.c. With n rows, K = L L' (noise included):
 *
 *     v = L^-1 k(x), u = L^-T v = K^-1 k(x);  variance 1 - v'v;
 *     mean c + v'b, b = L^-1 (y - c 1).
 *
 * A priori the entries of b that belong to pending rows are independent standard normal numbers, so
 * a joint draw of the pending outcomes is b with such numbers in these places.
 *
 * Matrices of m such rows have gp_stride doubles per row. */

/* n rounded up to whole vectors. */
size_t gp_stride(const struct gp *gp);

/* K and, unless NULL, G (kernel.h) of m points (m x d) with the rows of the model. */
void gp_cross(const struct gp *gp, const double *X, size_t m, double *ret_K, double *ret_G);

/* In place: gp_whiten turns rows k into v, gp_unwhiten rows v into u. */
void gp_whiten(const struct gp *gp, double *K, size_t m);
void gp_unwhiten(const struct gp *gp, double *V, size_t m);

/* L^-1, n rows of gp_stride, which must be zeros at the call; for callers that whiten many
 * points. */
void gp_invert(const struct gp *gp, double *ret_inverse);

/* 1 - v'v, at least 1e-12. */
double gp_variance(const struct gp *gp, const double *v);

/* Means and sds of m points in single precision, for a first choice among many points, in O(n) per
 * point instead of O(n^2). The sd is what the most informative row alone leaves (glance.h),
 * narrowed by a line fitted to the exact sds of 32 of the points. Both arrays need room for
 * gp_glance_stride(m). Errors: TUNER_FATAL without memory. */
size_t gp_glance_stride(size_t m);
TUNER_MUST_CHECK
bool gp_glance(const struct gp *gp, const double *X, size_t m, float *ret_mean, float *ret_sd,
	struct tuner_error *err);

/* The entries of b for the rows with outcomes. */
const double *gp_whitened_outcomes(const struct gp *gp);

/* c + (L b)_i, the outcome of row i (noise included) that corresponds to b (i + 1 entries at
 * least). */
double gp_outcome(const struct gp *gp, const double *b, size_t i);

/* Variance of the noise on row i, jitter included. The posterior mean at row i is y_i - noise_i
 * alpha_i, alpha = K^-1 (y - c 1). */
double gp_noise(const struct gp *gp, size_t i);

/* ret_gradient (d) = gradient of sum_i t_i k(x, x_i) by x, from the products t_i G_i, which stay as
 * they are. */
void gp_pull(const struct gp *gp, const double *x, const double *tG, double *ret_gradient);

#endif
