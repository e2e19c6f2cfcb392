/* The search for a model's hyperparameters. */
#ifndef SURROGATE_GP_FIT_H
#define SURROGATE_GP_FIT_H

#include "base/random.h"
#include "surrogate/gp.h"

/* The bounds that fits keep to: l in [0.025, 1000], sigma^2 in [1e-6, 10], or sigma^2 = 1e-6 alone
 * for an objective without noise. */
void gp_bounds(const struct gp *gp, bool deterministic, double *ret_lower, double *ret_upper);

/* The prior's mode, inside the bounds. */
void gp_prior_mode(const struct gp *gp, double *ret_theta);

/* A draw from the prior, moved into the bounds. */
void gp_prior_draw(const struct gp *gp, struct random *random, double *ret_theta);

/* How the axes of a warped model find their form. */
enum gp_warp {
	GP_WARP_FREE, /* a and b are fitted with the other hyperparameters */
	GP_WARP_AXES, /* each axis has one of three shapes; each fit tries others on two axes drawn from
			 `random`, and takes what raises the posterior */
};

struct gp_fit_options {
	const double *start; /* theta of the last fit, moved into the bounds; NULL or not
				  finite: none */
	struct random *random; /* for two draws from the prior as further starts while n < 5d;
				  NULL: none */
	uint64_t work_limit; /* likelihood evaluations in all starts together; 0: no limit */
	bool deterministic; /* sigma^2 stays at 1e-6 */
	bool quick; /* from `start` alone, if there is one */
	size_t evaluations; /* of one search; 0: its own bounds only */
	enum gp_warp warp; /* of a warped model */
	size_t neighbours; /* > 0: Vecchia's approximation with so many stands for the likelihood, over
			      an order drawn from `random` (vecchia.h) */
	const struct gp_data *model; /* what the model is left conditioned on; NULL: the data */
};

struct gp_fit_report {
	uint64_t work; /* likelihood evaluations done */
	uint64_t approximations; /* of them, those of Vecchia's approximation */
	double log_posterior; /* log likelihood + log prior at the result, constants included */
	size_t starts; /* searches begun */
	bool converged; /* the best search ended at a small projected gradient */
};

/* Maximises likelihood times prior: bounded L-BFGS from `start`, from the prior's mode, from there with
 * much noise, and from two prior draws; keeps the best, and leaves the model conditioned on the data at it. The work
 * limit ends it early with the best so far (the first evaluation is always done).
 *
 * Errors: TUNER_FATAL without memory, TUNER_NUMERIC if the kernel matrix could not be factored at
 * any start. On failure the model is as it was before. */
TUNER_MUST_CHECK
bool gp_fit(struct gp *gp, const struct gp_data *data, const struct gp_fit_options *options,
	struct gp_fit_report *ret, struct tuner_error *err);

#endif
