/* What to try next: a pure function of the request.
 *
 * Nothing here reads a clock, a file or hidden state. The same request gives the same bits, so
 * every decision can be recomputed from the database. Everything is minimised: the caller flips the
 * sign of an objective that is to be maximised. */
#ifndef SURROGATE_SUGGEST_H
#define SURROGATE_SUGGEST_H

#include "surrogate/space.h"
#include "surrogate/transform.h"

enum strategy_name { STRATEGY_RANDOM, STRATEGY_SOBOL, STRATEGY_GRID, STRATEGY_BAYESIAN };

/* Whether the model warps the axes (warp.h): not at all, with fitted parameters, or each into one
 * of three shapes where that gains enough (gp_fit.h). */
enum strategy_warp { STRATEGY_WARP_NONE, STRATEGY_WARP_FREE, STRATEGY_WARP_AXES };

/* What the model maximises to choose a point: log EI (acquisition.h), a confidence bound
 * (confidence_bound.h), or a function drawn from the posterior (thompson.h). */
enum strategy_acquisition { STRATEGY_EI, STRATEGY_UCB, STRATEGY_THOMPSON };

/* The incumbent of EI: the least posterior mean at the trials, the least objective, the least value
 * of a drawn function (noisy_incumbent.h), or augmented EI (acquisition.h); auto: augmented where
 * the model sees noise (MODEL_DATA_NOISY), else the mean. */
enum strategy_incumbent {
	STRATEGY_INCUMBENT_AUTO,
	STRATEGY_INCUMBENT_MEAN,
	STRATEGY_INCUMBENT_BEST,
	STRATEGY_INCUMBENT_NOISY,
	STRATEGY_INCUMBENT_AUGMENTED,
};

/* When the model proposes in a trust region (trust_region.h): with many dimensions, never, or
 * always after the design. */
enum strategy_trust_region {
	STRATEGY_TRUST_REGION_AUTO,
	STRATEGY_TRUST_REGION_NEVER,
	STRATEGY_TRUST_REGION_ALWAYS,
};

/* The model at its most likely hyperparameters, or the mean over draws from their posterior (marginal.h). */
enum strategy_hyperparameters { STRATEGY_MAP, STRATEGY_MARGINAL };

struct strategy {
	enum strategy_name name;
	size_t initial; /* bayesian: trials before the model proposes, the user's own and finished
			   ones included; 0: suggest_design_size, but at least the number of
			   workers. random: trials from the same design before the random ones, so
			   that arms of a comparison begin alike */
	size_t grid_points; /* grid: number of values along a float without step; 0: 5 */
	bool deterministic; /* bayesian: the objective has no noise */
	enum strategy_warp warp; /* bayesian */
	enum strategy_hyperparameters
		hyperparameters; /* for EI; the other acquisitions use the most likely ones only */
	enum transform_kind transform; /* bayesian: of the objectives, before the model sees them */
	enum strategy_acquisition acquisition; /* bayesian */
	double ucb_beta; /* UCB: sd below the mean; 0: CONFIDENCE_BOUND_BETA */
	enum strategy_incumbent incumbent; /* EI */
	bool cost_aware; /* EI: long trials must promise more (cost.h) */
	enum strategy_trust_region trust_region; /* bayesian */
};

const char *strategy_name(enum strategy_name name); /* "bayesian" ... */
const char *strategy_warp_name(enum strategy_warp warp); /* "none", "free", "axes" */
const char *strategy_acquisition_name(enum strategy_acquisition acquisition); /* "ei" ... */
const char *strategy_incumbent_name(enum strategy_incumbent incumbent); /* "mean" ... */

/* True if EI with this incumbent is augmented under a model with that noise variance. */
bool strategy_incumbent_is_augmented(enum strategy_incumbent incumbent, double noise_variance);

/* The default number of design trials before a model of d parameters: max(5, min(2 d + 2,
 * budget_trials / 5)). Docs: surrogate.md, "The design". */
size_t suggest_design_size(size_t d, size_t budget_trials);
const char *strategy_trust_region_name(
	enum strategy_trust_region trust_region); /* "auto", "never", "always" */
const char *strategy_hyperparameters_name(enum strategy_hyperparameters); /* "map", "marginal" */

/* Number of configurations of the grid strategy on this space (floats without step count
 * grid_points); UINT64_MAX if it does not fit. With conditions or constraints it counts the allowed
 * ones among the first WALK_MAX, where such a grid ends (walk.h). */
uint64_t strategy_grid_size(const struct strategy *strategy, const struct space *space);

enum observation_kind {
	OBSERVATION_DONE, /* objective is its value, finite or infinite */
	OBSERVATION_STOPPED, /* objective is the last value of a partial curve; NaN: nothing is
				learnt from it, but it is not tried again */
	OBSERVATION_FAILED, /* the configuration made it fail; objective is ignored */
	OBSERVATION_OVER_LIMIT, /* objective is its value, but it is over one of the limits, and so
				   no result: it is not one to improve on */
};

/* Limits of other outcomes, such as latency, that a result must keep. */
enum { SUGGEST_LIMITS_MAX = 8 };

/* Objectives beside the first one. With any, the search is for the Pareto front: the trials that
 * none other equals in all objectives and surpasses in one. */
enum { SUGGEST_OTHERS_MAX = 3 };

struct observation {
	const double *values; /* d doubles; may lie outside the space after an edit: then they still
				 inform the model if they can be encoded, and are never proposed */
	double objective;
	enum observation_kind kind;
	double duration; /* in any unit common to all; 0: not known */
	const double *excess; /* the request's n_limits: how far each limited outcome is beyond its
				 limit, in a unit of its own; at most 0: within; NaN: not known.
				 NULL: none is known */
	const double *others; /* the request's n_others: the values of its further objectives,
				 minimised; NaN: not known. NULL: none is known */
};

/* How a configuration was chosen. The numbers are stored: never change one. */
enum branch {
	BRANCH_USER = 1, /* every parameter was given (first, enqueue) */
	BRANCH_RANDOM = 2, /* strategy random */
	BRANCH_SOBOL = 3, /* strategy sobol */
	BRANCH_GRID = 4, /* strategy grid */
	BRANCH_DESIGN = 5, /* bayesian: initial design; the best of related searches */
	BRANCH_MODEL = 6, /* bayesian: the acquisition's maximum */
	BRANCH_FALLBACK = 7, /* bayesian: quasi-random, because the model failed, was too slow, or
				  had fewer than three objectives to learn from */
};

const char *branch_name(enum branch branch);

/* When the model's hyperparameters are refitted. Only measurements use the last two. */
enum suggest_refit {
	SUGGEST_REFIT_DUE,
	SUGGEST_REFIT_ALWAYS,
	SUGGEST_REFIT_NEVER, /* except where there is no start to keep */
};

/* Earlier searches that this one may learn from. */
enum { SUGGEST_RELATED_MAX = 5 };
struct related;

struct suggest_request {
	const struct space *space; /* scales resolved */
	const struct strategy *strategy;
	uint64_t seed;
	uint32_t repeat;
	uint32_t number; /* the trial's number within its arm, from 1 */
	size_t budget_trials; /* of the arm */
	size_t parallel;

	const struct observation *observations; /* finished trials in commit order */
	size_t n_observations;
	size_t n_limits; /* at most SUGGEST_LIMITS_MAX */
	size_t n_others; /* further objectives, at most SUGGEST_OTHERS_MAX */
	const double *const *pending; /* running or proposed configurations, d doubles each */
	size_t n_pending;

	uint64_t sequence; /* number of points of the quasi-random sequence (or grid) that this arm
			     has used */
	const double *partial; /* d doubles, NaN where the strategy decides; NULL: it decides all.
				  If a parameter is given, so are all that it depends on */

	/* Hyperparameters of the committed decision that the fit starts from; NULL for none. */
	const double *start;
	size_t n_start;

	/* Bound on the work, counted in log-likelihood and acquisition evaluations of one point
	 * each. Checked between batches, so exceeded by 64 evaluations at most. 0: the strategy's
	 * own bounds only. */
	uint64_t work_limit;

	/* A configuration of the space (d doubles) for the model to judge instead of searching: it
	 * becomes the choice, with the model's prediction. Only strategy bayesian, where there is a
	 * model. NULL: search. */
	const double *judged;

	/* With `judged`: the model's hyperparameters, used without a fit (map only, and only if
	 * their number is the model's). NULL: they are fitted. */
	const double *judged_at;
	size_t n_judged_at;

	const struct related *related; /* what other searches tell (related.h), of this space and
					  strategy. Only strategy bayesian, with one objective;
					  NULL: nothing */

	/* True: do not use the model this time (the caller has no time for it): BRANCH_FALLBACK. */
	bool without_model;
	enum suggest_refit refit; /* SUGGEST_REFIT_DUE in every job */
};

/* Those of a warped model of each objective with the greatest number of columns. */
enum { SUGGEST_HYPERPARAMETERS_MAX = (SUGGEST_OTHERS_MAX + 1) * (6 * SPACE_PARAMETERS_MAX + 8) };

struct suggestion {
	double values[SPACE_PARAMETERS_MAX]; /* the first d */
	bool exhausted; /* a finite space (or grid) has no untried point left: values are not set.
			   Never true for a partial request */
	enum branch branch;
	char reason[120]; /* why the fallback was taken, or a point of the design although there is
			     a model; "" otherwise */
	double mean, sd; /* predicted objective (minimised unit), latent; NaN without a model */
	/* The same prediction for judging gains, scaled by the user's unit as it is below the
	 * incumbent, where gains lie: values worse than the median are transformed (transform.h),
	 * which distorts mean and sd there. NaN without a model, and while no trial has kept the
	 * limits. */
	double gain_mean, gain_sd;
	double acquisition; /* log expected improvement, whatever was maximised, in the log of the
			       user's unit; NaN without a model, and while no trial has kept the
			       limits */
	double maximised; /* the maximised function's value at the choice: log EI, or the log of the
			     expected gain in hypervolume, in the model's unit with all terms, or a confidence bound, or the terms alone while no
			     trial has kept the limits; NaN without a model, and for a drawn function */
	double value_probability; /* probability that the trial does not fail, by which the expected
				     improvement is multiplied; NaN: too few have failed to tell, or
				     no model */
	double limits_probability; /* probability that the trial keeps all limits, by which it is
				      multiplied, too; NaN: there are none, or no model */
	double incumbent; /* the value to improve on; NaN without a model, and while no trial has
			     kept the limits */
	double related[SUGGEST_RELATED_MAX]; /* of the request's related searches: the probability,
						by the results so far, that this is the one that is
						related. All 0 without a model */
	bool asked; /* the model's start was used, whatever the branch */
	double weights[SUGGEST_OTHERS_MAX + 1]; /* how much each objective, the first one's first,
						   counts in the scalar one that the model judged
						   (scalarisation.h); they sum to 1. All 0 without
						   further objectives, without a model, and by
						   default, where each objective has a model of its
						   own (front_gain.h) */
	/* With further objectives `gain_mean` to `acquisition` and `incumbent` are NaN, since what
	 * is judged has no meaning for a user. `mean`, `sd` and these are the predictions of each
	 * objective where it has a model of its own, else NaN. */
	double other_means[SUGGEST_OTHERS_MAX], other_sds[SUGGEST_OTHERS_MAX];
	double log_posterior; /* of the hyperparameters, where the model judged (gp_likelihood); else NaN */
	uint64_t sequence; /* the request's, plus what was used */
	uint64_t work; /* evaluations done */
	uint64_t work_fit, work_scores, work_climbs; /* its parts: likelihoods (1: the start was
							kept), exactly evaluated candidates, points
							of climbs */
	uint64_t
		approximations; /* approximate likelihoods; each counts for more in work_fit (model_fit.h) */
	uint64_t glances; /* candidates evaluated at a glance (acquisition_glance), of which many
			     count as one in work */
	size_t n_hyperparameters; /* 0 without a model */
	double hyperparameters[SUGGEST_HYPERPARAMETERS_MAX]; /* to start the next fit from */
};

/* Proposes a configuration: inside the space, on its lattice, settled, breaking no constraint, and
 * neither observed nor pending while an untried one exists. If all completions of a partial request
 * were tried, one of them is proposed again. A failing model is not an error: the result is
 * BRANCH_FALLBACK. Errors: TUNER_FATAL without memory, TUNER_USAGE for an invalid space or partial
 * configuration, and if the constraints leave nothing, or so little that nothing was found. */
TUNER_MUST_CHECK
bool suggest(
	const struct suggest_request *request, struct suggestion *ret, struct tuner_error *err);

#endif
