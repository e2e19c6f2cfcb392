/* Hyperparameters drawn from their posterior, where gp_fit finds the single most likely ones: a chain of
 * slice samples (slice.h) in theta (gp.h). Its log density is
 *
 *     ln p(y | theta) + ln p(theta) - ln(1'K^-1 1) / 2,
 *
 * where the last term integrates over the constant c with a flat prior instead of using the most
 * likely c (Rasmussen and Williams, "Gaussian Processes for Machine Learning", section 2.7). The
 * density is zero outside gp_bounds.
 *
 * The prior is that of hyperprior.h, a density in theta, as in gp_fit. With the log-normal density
 * in l that its mean comes from, the chain's lengthscales would be 20 times as long, and
 * suggestions worse (docs/surrogate.md). */
#ifndef SURROGATE_MARGINAL_H
#define SURROGATE_MARGINAL_H

#include "surrogate/gp_fit.h"

struct marginal_options {
	const double *start; /* theta where the chain begins, clipped to the bounds */
	size_t burn_in; /* steps before the first state */
	size_t states; /* >= 1 */
	size_t thinning; /* steps from one state to the next, >= 1 */
	uint64_t work_limit; /* likelihood evaluations; 0: no limit. One state is always returned */
	bool deterministic; /* sigma^2 stays at 1e-6 */
	bool holds_warps; /* the warps stay as in `start` */
};

/* Fills ret_thetas (states x gp_n_hyperparameters) with *ret_n successive states, as many as the
 * limit allows; the chain may be continued from the last one. *ret_work: evaluations done. Of the
 * gp only dimensions and warping are used; it is not changed. Errors: TUNER_FATAL without memory,
 * TUNER_NUMERIC if the kernel matrix cannot be factored at the start. */
TUNER_MUST_CHECK
bool marginal_sample(const struct gp *gp, const struct gp_data *data,
	const struct marginal_options *options, struct random *random, double *ret_thetas,
	size_t *ret_n, uint64_t *ret_work, struct tuner_error *err);

#endif
