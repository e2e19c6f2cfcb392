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

const char *branch_name(enum branch branch)
{
	return branches[branch];
}

/* Given values must be the space's own, and leave something to decide. */
static bool check_given(const struct space *space, const double *given, struct tuner_error *err)
{
	size_t n_free = 0;

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

static bool check(const struct suggest_request *request, struct tuner_error *err)
{
	const struct space *space = request->space;

	if (space->d < 1 || space->d > SPACE_PARAMETERS_MAX)
		return tuner_fail(err, TUNER_USAGE, "a space has 1 to %d parameters, not %zu",
			SPACE_PARAMETERS_MAX, space->d);
	if ((size_t)request->strategy->name >= sizeof strategies / sizeof *strategies)
		return tuner_fail(
			err, TUNER_USAGE, "there is no strategy %d", (int)request->strategy->name);
	return space_check(space, err) &&
	       (request->partial == NULL || check_given(space, request->partial, err));
}

bool suggest(const struct suggest_request *request, struct suggestion *ret, struct tuner_error *err)
{
	double given[SPACE_PARAMETERS_MAX];

	if (!check(request, err))
		return false;
	for (size_t i = 0; i < request->space->d; i++)
		given[i] = request->partial != NULL ? request->partial[i] : NAN;

	struct ask ask = { .request = request, .space = request->space, .given = given };

	lattice_init(&ask.lattice, ask.space, given, 0);
	if (!tried_init(&ask.tried, request, err))
		return false;
	*ret = (struct suggestion){ .mean = NAN,
		.sd = NAN,
		.acquisition = NAN,
		.incumbent = NAN,
		.sequence = request->sequence };

	const bool ok = strategies[request->strategy->name].propose(&ask, ret, err);

	tried_finish(&ask.tried);
	return ok;
}
