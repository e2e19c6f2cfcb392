#include "surrogate/model_data.h"
#include "surrogate/strategy.h"

#include <math.h>
#include <string.h>

static const struct {
	const char *name;
	strategy_function *propose;
} strategies[] = {
	[STRATEGY_RANDOM] = { "random", strategy_random },
	[STRATEGY_SOBOL] = { "sobol", strategy_sobol },
	[STRATEGY_GRID] = { "grid", strategy_grid },
	[STRATEGY_BAYESIAN] = { "bayesian", strategy_bayesian },
};

static const char *const branches[] = {
	[BRANCH_USER] = "user",
	[BRANCH_RANDOM] = "random",
	[BRANCH_SOBOL] = "sobol",
	[BRANCH_GRID] = "grid",
	[BRANCH_DESIGN] = "design",
	[BRANCH_MODEL] = "model",
	[BRANCH_FALLBACK] = "fallback",
};

const char *strategy_name(enum strategy_name name)
{
	return strategies[name].name;
}

const char *strategy_warp_name(enum strategy_warp warp)
{
	static const char *const names[] = { "none", "free", "axes" };

	return names[warp];
}

const char *strategy_acquisition_name(enum strategy_acquisition acquisition)
{
	static const char *const names[] = { "ei", "ucb", "thompson" };

	return names[acquisition];
}

const char *strategy_incumbent_name(enum strategy_incumbent incumbent)
{
	static const char *const names[] = { "auto", "mean", "best", "noisy", "augmented" };

	return names[incumbent];
}

bool strategy_incumbent_is_augmented(enum strategy_incumbent incumbent, double noise_variance)
{
	return incumbent == STRATEGY_INCUMBENT_AUGMENTED ||
	       (incumbent == STRATEGY_INCUMBENT_AUTO && noise_variance > MODEL_DATA_NOISY);
}

const char *strategy_trust_region_name(enum strategy_trust_region trust_region)
{
	static const char *const names[] = { "auto", "never", "always" };

	return names[trust_region];
}

const char *strategy_hyperparameters_name(enum strategy_hyperparameters hyperparameters)
{
	static const char *const names[] = { "map", "marginal" };

	return names[hyperparameters];
}

size_t suggest_design_size(size_t d, size_t budget_trials)
{
	enum { LEAST = 5 };
	const size_t by_size = 2 * d + 2, by_budget = budget_trials / 5;
	const size_t size = by_size < by_budget ? by_size : by_budget;

	return size > LEAST ? size : LEAST;
}

const char *branch_name(enum branch branch)
{
	return branches[branch];
}

/* A given value makes no sense for a parameter that may turn out inactive. */
static bool check_parents(const struct space *space, const double *given, struct tuner_error *err)
{
	bool active[SPACE_PARAMETERS_MAX];

	space_activity(space, given, active);
	for (size_t c = 0; c < space->n_conditions; c++) {
		const struct condition *condition = &space->conditions[c];

		if (active[condition->parameter] && !isnan(given[condition->parameter]) &&
			isnan(given[condition->parent]))
			return tuner_fail(err, TUNER_USAGE,
				"%s is given, but not %s, on which it depends",
				space->parameters[condition->parameter].name,
				space->parameters[condition->parent].name);
	}
	return true;
}

/* Given values must be the space's own, and leave something to decide. */
static bool check_given(const struct space *space, const double *given, struct tuner_error *err)
{
	const struct expression *broken = space_broken_constraint(space, given);
	size_t n_free = 0;

	if (broken != NULL)
		return tuner_fail(err, TUNER_USAGE, "the given values break the constraint %.500s",
			expression_text(broken));

	for (size_t i = 0; i < space->d; i++) {
		if (isnan(given[i]))
			n_free++;
		else if (!parameter_contains(&space->parameters[i], given[i]))
			return tuner_fail(err, TUNER_USAGE,
				"%s = %.17g is given, which is no value of the space",
				space->parameters[i].name, given[i]);
	}
	return n_free > 0 ||
	       tuner_fail(err, TUNER_USAGE, "every parameter is given: nothing is left to decide");
}

/* Sets `given` to the request's partial configuration, settled. */
static bool check(const struct suggest_request *request, double *given, struct tuner_error *err)
{
	const struct space *space = request->space;

	if ((size_t)request->strategy->name >= sizeof strategies / sizeof *strategies)
		return tuner_fail(
			err, TUNER_USAGE, "there is no strategy %d", (int)request->strategy->name);
	if (request->n_others > SUGGEST_OTHERS_MAX)
		return tuner_fail(err, TUNER_USAGE, "%zu further objectives are more than %d",
			request->n_others, SUGGEST_OTHERS_MAX);
	if (!space_check(space, err))
		return false;
	for (size_t i = 0; i < space->d; i++)
		given[i] = request->partial != NULL ? request->partial[i] : NAN;
	if (request->partial == NULL)
		return true;
	if (!check_parents(space, given, err))
		return false;
	space_settle(space, given);
	return check_given(space, given, err);
}

/* A person who gives values wants a trial with them. If all their completions were tried, one is
 * repeated, as a complete configuration would be: the rest of the space may still be open, and
 * other entries may wait in the queue. */
static bool repeat_given(struct ask *ask, struct suggestion *ret, struct tuner_error *err)
{
	ask->tried.n = 0;
	ret->exhausted = false;
	return strategies[ask->request->strategy->name].propose(ask, ret, err);
}

bool suggest(const struct suggest_request *request, struct suggestion *ret, struct tuner_error *err)
{
	double given[SPACE_PARAMETERS_MAX];

	if (!check(request, given, err))
		return false;

	struct ask ask = { .request = request, .space = request->space, .given = given };

	lattice_init(&ask.lattice, ask.space, given, 0);
	if (!tried_init(&ask.tried, request, err))
		return false;
	*ret = (struct suggestion){ .mean = NAN,
		.sd = NAN,
		.acquisition = NAN,
		.maximised = NAN,
		.gain_mean = NAN,
		.gain_sd = NAN,
		.value_probability = NAN,
		.limits_probability = NAN,
		.incumbent = NAN,
		.log_posterior = NAN,
		.sequence = request->sequence };
	for (size_t k = 0; k < SUGGEST_OTHERS_MAX; k++)
		ret->other_means[k] = ret->other_sds[k] = NAN;

	bool ok = strategies[request->strategy->name].propose(&ask, ret, err);

	if (ok && ret->exhausted && request->partial != NULL)
		ok = repeat_given(&ask, ret, err);
	tried_finish(&ask.tried);
	return ok;
}
