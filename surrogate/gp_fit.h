/* The search for a model's hyperparameters. */
#ifndef SURROGATE_GP_FIT_H
#define SURROGATE_GP_FIT_H

#include "base/random.h"
#include "surrogate/gp.h"

/* The bounds of all fits: l in [0.025, 1000], sigma^2 in [1e-6, 10], or sigma^2 = 1e-6 exactly for
 * an objective without noise. */
void gp_bounds(const struct gp *gp, bool deterministic, double *ret_lower, double *ret_upper);

/* The prior's mode, clipped to the bounds. */
void gp_prior_mode(const struct gp *gp, double *ret_theta);

/* A draw from the prior, clipped to the bounds. */
void gp_prior_draw(const struct gp *gp, struct random *random, double *ret_theta);

/* How the warps of a warped model are found. */
enum gp_warp {
	GP_WARP_FREE, /* a and b are fitted with the other hyperparameters */
	GP_WARP_AXES, /* each axis has one of three shapes; each fit tries other shapes on two axes
			 drawn from `random`, and keeps one that raises the posterior enough */
};

struct gp_fit_options {
	const double *start; /* theta of the last fit, clipped to the bounds; NULL or not finite:
				none */
	struct random *random; /* for two draws from the prior as further starts while n < 5d;
				  NULL: none */
	uint64_t work_limit; /* likelihood evaluations in all starts together; 0: no limit */
	bool deterministic; /* sigma^2 stays at 1e-6 */
	bool quick; /* search from `start` only, if there is one */
	size_t evaluations; /* limit of one search; 0: only its own bounds */
	enum gp_warp warp; /* for a warped model */
	size_t neighbours; /* > 0: the likelihood is Vecchia's approximation with this many
			      neighbours, in an order drawn from `random` (vecchia.h) */
	const struct gp_data *model; /* what the model ends conditioned on; NULL: the data */
};

struct gp_fit_report {
	uint64_t work; /* likelihood evaluations done */
	uint64_t approximations; /* those of them by Vecchia's approximation */
	double log_posterior; /* log likelihood + log prior at the result, constants included */
	size_t starts; /* searches begun */
	bool converged; /* the best search ended with a small projected gradient */
};

/* Maximises likelihood times prior: bounded L-BFGS from `start`, from the prior's mode, from the
 * mode with much noise, and from two prior draws. Keeps the best result, and leaves the model
 * conditioned on the data there. When the work limit is reached, the best so far is the result (the
 * first evaluation is always done).
 *
 * Errors: TUNER_FATAL without memory, TUNER_NUMERIC if the kernel matrix could not be factored at
 * any start. On failure the model is as it was before. */
TUNER_MUST_CHECK
bool gp_fit(struct gp *gp, const struct gp_data *data, const struct gp_fit_options *options,
	struct gp_fit_report *ret, struct tuner_error *err);

#endif
