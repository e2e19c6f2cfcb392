/* What to try next: a pure function of the request.
 *
 * Nothing here reads a clock, a file or a hidden state. The same request gives the same bits, so
 * every decision can be recomputed from the database. Everything is minimised: the caller flips the
 * sign of an objective that is to be maximised. */
#ifndef SURROGATE_SUGGEST_H
#define SURROGATE_SUGGEST_H

#include "surrogate/space.h"
#include "surrogate/transform.h"

enum strategy_name { STRATEGY_RANDOM, STRATEGY_SOBOL, STRATEGY_GRID, STRATEGY_BAYESIAN };

/* Whether the model bends the axes (warp.h): not, as the data ask, or each into one of three shapes where
 * that gains enough (gp.h). */
enum strategy_warp { STRATEGY_WARP_NONE, STRATEGY_WARP_FREE, STRATEGY_WARP_AXES };

/* What the model's choice maximises: log EI (acquisition.h), a confidence bound (confidence_bound.h), or a random
 * function (thompson.h). */
enum strategy_acquisition { STRATEGY_EI, STRATEGY_UCB, STRATEGY_THOMPSON };

/* What EI is an improvement on: the least posterior mean at the trials, the least objective, the least
 * value of a function that is drawn (noisy_incumbent.h), or augmented EI (acquisition.h); auto: augmented where the model
 * sees noise (MODEL_DATA_NOISY), else the mean. */
enum strategy_incumbent {
	STRATEGY_INCUMBENT_AUTO,
	STRATEGY_INCUMBENT_MEAN,
	STRATEGY_INCUMBENT_BEST,
	STRATEGY_INCUMBENT_NOISY,
	STRATEGY_INCUMBENT_AUGMENTED,
};

/* Whether the model proposes in a trust region (trust_region.h): with many dimensions, never, or from the design
 * on. */
enum strategy_trust_region {
	STRATEGY_TRUST_REGION_AUTO,
	STRATEGY_TRUST_REGION_NEVER,
	STRATEGY_TRUST_REGION_ALWAYS,
};

/* The model at its most likely hyperparameters, or the mean over draws from their posterior (marginal.h). */
enum strategy_hyperparameters { STRATEGY_MAP, STRATEGY_MARGINAL };

struct strategy {
	enum strategy_name name;
	size_t initial; /* bayesian: trials before the model proposes, the user's own and the
			       finished ones counted; 0: suggest_design_size, at least the
			       workers. random: trials from the same design before the random
			       ones, so that a comparison begins alike */
	size_t grid_points; /* grid: values along a float without step; 0: 5 */
	bool deterministic; /* bayesian: the objective has no noise */
	enum strategy_warp warp; /* bayesian */
	enum strategy_hyperparameters
		hyperparameters; /* EI; others know the most likely ones only */
	enum transform_kind transform; /* bayesian: of the objectives, before the model sees them */
	enum strategy_acquisition acquisition; /* bayesian */
	double ucb_beta; /* UCB: sd below the mean; 0: CONFIDENCE_BOUND_BETA */
	enum strategy_incumbent incumbent; /* EI */
	bool cost_aware; /* EI: trials that take long have to promise more (cost.h) */
	enum strategy_trust_region trust_region; /* bayesian */
};

const char *strategy_name(enum strategy_name name); /* "bayesian" ... */
const char *strategy_warp_name(enum strategy_warp warp); /* "none", "free", "axes" */
const char *strategy_acquisition_name(enum strategy_acquisition acquisition); /* "ei" ... */
const char *strategy_incumbent_name(enum strategy_incumbent incumbent); /* "mean" ... */

/* Whether EI on it is augmented by a model of that noise variance. */
bool strategy_incumbent_is_augmented(enum strategy_incumbent incumbent, double noise_variance);

/* How many spread out trials come before a model of d parameters, where nobody says: max(5, min(2 d + 2, budget_trials / 5)).
 * Docs: surrogate.md, "The design". */
size_t suggest_design_size(size_t d, size_t budget_trials);
const char *strategy_trust_region_name(
	enum strategy_trust_region trust_region); /* "auto", "never", "always" */
const char *strategy_hyperparameters_name(enum strategy_hyperparameters); /* "map", "marginal" */

/* Number of configurations of the grid strategy on this space (floats without step count
 * grid_points); UINT64_MAX if it does not fit. With conditions or constraints: of those that are allowed among the first
 * WALK_MAX, where such a grid ends (walk.h). */
uint64_t strategy_grid_size(const struct strategy *strategy, const struct space *space);

enum observation_kind {
	OBSERVATION_DONE, /* objective is its value, finite or infinite */
	OBSERVATION_STOPPED, /* objective is the last value of a partial curve; NaN: learn nothing
			        from it, but do not try it again */
	OBSERVATION_FAILED, /* the configuration made it fail; objective is ignored */
};

struct observation {
	const double *values; /* d doubles; may lie outside the space after an edit: then it still
				 informs the model if it can be encoded, and is never proposed */
	double objective;
	enum observation_kind kind;
	double duration; /* how long it took, in any unit that is everyone's; 0: not known */
};

/* How a configuration came about. The numbers are stored: never change one. */
enum branch {
	BRANCH_USER = 1, /* every parameter was given (first, enqueue) */
	BRANCH_RANDOM = 2, /* strategy random */
	BRANCH_SOBOL = 3, /* strategy sobol */
	BRANCH_GRID = 4, /* strategy grid */
	BRANCH_DESIGN = 5, /* bayesian: initial design */
	BRANCH_MODEL = 6, /* bayesian: the acquisition's maximum */
	BRANCH_FALLBACK = 7, /* bayesian: quasi-random, because the model failed, was too slow, or
				  had fewer than three objectives to learn from */
};

const char *branch_name(enum branch branch);

/* When the model's hyperparameters are fitted anew. Who measures asks for the other two. */
enum suggest_refit {
	SUGGEST_REFIT_DUE,
	SUGGEST_REFIT_ALWAYS,
	SUGGEST_REFIT_NEVER, /* but where there is no start to keep to */
};

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
	const double *const *pending; /* running or proposed configurations, d doubles each */
	size_t n_pending;

	uint64_t
		sequence; /* points of the quasi-random sequence (or grid) that this arm has used */
	const double *partial; /* d doubles, NaN where the strategy decides; NULL: decides all. With
				  a given parameter all are given that it depends on */

	/* Hyperparameters of the committed decision that the fit starts from; NULL for none. */
	const double *start;
	size_t n_start;

	/* Bound on the work, counted in log-likelihood and acquisition evaluations of one point each.
	 * It is looked at between batches, so passed by 64 evaluations at most. 0: the strategy's own
	 * bounds only. */
	uint64_t work_limit;

	/* A configuration of the space that the model is to judge instead of searching for one: it becomes the choice,
	 * with what the model thinks of it (d doubles). Strategy bayesian, where there is a model. NULL: it searches. */
	const double *judged;

	/* With `judged`: the model's hyperparameters, which are then not fitted (map; as many as the model has, else
	 * they are). NULL: they are fitted. */
	const double *judged_at;
	size_t n_judged_at;

	/* True: do not use the model for this one (the caller has no time for it): BRANCH_FALLBACK. */
	bool without_model;
	enum suggest_refit refit; /* SUGGEST_REFIT_DUE in every job */
};

/* Of a warped model in as many columns as there can be. */
enum { SUGGEST_HYPERPARAMETERS_MAX = 6 * SPACE_PARAMETERS_MAX + 8 };

struct suggestion {
	double values[SPACE_PARAMETERS_MAX]; /* the first d */
	bool exhausted; /* a finite space (or grid) has no untried point left: values are not set. Never
			   where the request is partial */
	enum branch branch;
	char reason[120]; /* why the fallback was taken; "" otherwise */
	double mean, sd; /* predicted objective (minimised unit), latent; NaN without a model */
	/* The same prediction as gains see it: in the user's unit as it is below the incumbent, where gains lie. Values
	 * worse than the median are bent (transform.h), and mean and sd there with them. NaN without a model. */
	double gain_mean, gain_sd;
	double acquisition; /* log expected improvement, whatever was maximised, in log of the
			       unit; NaN without a model */
	double maximised; /* what the choice is the maximum of, there: log EI in the model's unit with all that is
			     added to it, or a confidence bound; NaN without a model, and of a drawn function */
	double value_probability; /* that the trial does not fail, by which the expected improvement is
				     multiplied; NaN: too few have failed to tell, or no model */
	double incumbent; /* the value to improve on; NaN without a model */
	double log_posterior; /* of the hyperparameters, where the model judged (gp_likelihood); else NaN */
	uint64_t sequence; /* the request's, plus what was used */
	uint64_t work; /* evaluations done */
	uint64_t work_fit, work_scores, work_climbs; /* of it: likelihoods (1: the start's
			hyperparameters were kept), candidates in full, points on the way to maxima */
	uint64_t
		approximations; /* approximate likelihoods; each counts for more in work_fit (model_fit.h) */
	uint64_t glances; /* candidates at a glance, of which many count as one in work */
	size_t n_hyperparameters; /* 0 without a model */
	double hyperparameters[SUGGEST_HYPERPARAMETERS_MAX]; /* to start the next fit from */
};

/* Proposes a configuration: inside the space, on its lattice, settled, breaking no constraint, and none
 * that was observed or is pending while an untried one exists; of a partial request all of whose
 * completions were, one of them again. A failing model is not an error: it
 * takes BRANCH_FALLBACK. Errors: TUNER_FATAL without memory, TUNER_USAGE for a space or partial
 * configuration that makes no sense, and for constraints that leave nothing, or nothing that was found. */
TUNER_MUST_CHECK
bool suggest(
	const struct suggest_request *request, struct suggestion *ret, struct tuner_error *err);

#endif
