/* The strategies that draw without a model: random and sobol. */
#include "surrogate/strategy.h"

#include "surrogate/design.h"
#include "surrogate/prior.h"
#include "surrogate/walk.h"

#include <math.h>
#include <stdlib.h>

enum {
	/* Draws already tried, after which the untried points of a finite space are enumerated. So
	 * many mean that most of the space is tried. */
	DRAWS = 64,
	/* The same of an infinite space, which cannot be enumerated: most draws may be of a part that
	 * is finite, such as nineteen optimizers of twenty without a parameter of their own. Not
	 * where values are given, for then a trial is repeated in any case (suggest.c). */
	DRAWS_OF_INFINITE = 4096,
	/* Draws that break a constraint: about 50 ms. */
	FORBIDDEN_MAX = 1 << 16,
};

struct random ask_random(const struct ask *ask, enum random_purpose purpose)
{
	const struct suggest_request *request = ask->request;
	struct random random;

	random_init(&random, (struct random_key){ .seed = request->seed,
				     .repeat = request->repeat,
				     .number = request->number,
				     .purpose = purpose });
	return random;
}

static double decode(const struct space *space, size_t i, double u)
{
	return parameter_decode(&space->parameters[i], u);
}

static double decode_by_prior(const struct space *space, size_t i, double u)
{
	return space->priors != NULL
		       ? decode(space, i, prior_spread(&space->parameters[i], &space->priors[i], u))
		       : decode(space, i, u);
}

void ask_decode(const struct ask *ask, const double *u, bool by_prior, double *ret_values)
{
	for (size_t i = 0; i < ask->space->d; i++)
		ret_values[i] = !isnan(ask->given[i]) ? ask->given[i]
				: by_prior            ? decode_by_prior(ask->space, i, u[i])
						      : decode(ask->space, i, u[i]);
	space_settle(ask->space, ret_values);
}

bool ask_is_new(const struct ask *ask, const double *values)
{
	return space_broken_constraint(ask->space, values) == NULL &&
	       !tried_contains(&ask->tried, values);
}

/* ---- draws, and what to do when they are in vain ---- */

struct vain {
	size_t tried, forbidden;
};

static bool may_draw(const struct ask *ask, const struct vain *vain)
{
	const bool endless = ask->lattice.size == 0 && ask->request->partial == NULL;

	return vain->tried < (endless ? DRAWS_OF_INFINITE : DRAWS) &&
	       vain->forbidden < FORBIDDEN_MAX;
}

/* True if a drawn configuration is acceptable; otherwise counts it. */
static bool will_do(const struct ask *ask, const double *values, struct vain *vain)
{
	if (space_broken_constraint(ask->space, values) != NULL)
		vain->forbidden++;
	else if (tried_contains(&ask->tried, values))
		vain->tried++;
	else
		return true;
	return false;
}

static bool fail_forbidden(const struct ask *ask, bool whole, struct tuner_error *err)
{
	size_t n_given = 0;

	for (size_t i = 0; i < ask->space->d; i++)
		n_given += !isnan(ask->given[i]);
	return tuner_fail(err, TUNER_USAGE, "%s satisfies the constraints%s",
		whole ? "no configuration" : "no configuration that was looked at",
		n_given > 0 ? " together with the values that are given"
		: whole     ? ""
			    : ": loosen them, or write what they say as other bounds");
}

static bool any_untried_rank(const struct ask *ask, struct random *random, struct suggestion *ret,
	struct tuner_error *err)
{
	const uint64_t size = ask->lattice.size;
	uint64_t *ranks = NULL;
	size_t n = 0;

	if (size > 0 && size < UINT64_MAX &&
		!lattice_tried(&ask->lattice, &ask->tried, &ranks, &n, err))
		return false;
	if (n < size && size < UINT64_MAX) {
		const uint64_t k = random_below(random, size - n);

		lattice_configuration(&ask->lattice, untried_rank(ranks, n, k), ret->values);
	} else {
		ret->exhausted = true;
	}
	free(ranks);
	return true;
}

/* The k-th new configuration of a walk, if there is one; *ret_n: their number up to there. */
static bool find_new(const struct ask *ask, uint64_t k, struct walk *walk, uint64_t *ret_n)
{
	*ret_n = 0;
	for (walk_begin(walk, &ask->lattice, WALK_MAX); !walk->ended; walk_next(walk))
		if (ask_is_new(ask, walk->values) && (*ret_n)++ == k)
			return true;
	return false;
}

static bool any_untried_of_walk(const struct ask *ask, struct random *random, bool any_allowed,
	struct suggestion *ret, struct tuner_error *err)
{
	struct walk walk;
	uint64_t n;

	find_new(ask, UINT64_MAX, &walk, &n);
	if (n == 0) {
		bool whole;

		if (!any_allowed && walk_count(&ask->lattice, WALK_MAX, 1, &whole) == 0)
			return fail_forbidden(ask, whole, err);
		ret->exhausted = true;
		return true;
	}
	tuner_assert(find_new(ask, random_below(random, n), &walk, &n));
	for (size_t i = 0; i < ask->space->d; i++)
		ret->values[i] = walk.values[i];
	return true;
}

/* After many vain draws: uniform among the untried points of a finite space (of the first WALK_MAX,
 * if there are conditions or constraints); exhausted if there are none. An infinite space then has
 * no room left at SPACE_SAME_TOLERANCE, or its constraints leave none. */
static bool any_untried(const struct ask *ask, const struct vain *vain, struct random *random,
	struct suggestion *ret, struct tuner_error *err)
{
	if (!space_has_rules(ask->space))
		return any_untried_rank(ask, random, ret, err);
	if (ask->lattice.size > 0)
		return any_untried_of_walk(ask, random, vain->tried > 0, ret, err);
	if (vain->tried == 0)
		return fail_forbidden(ask, false, err);
	ret->exhausted = true;
	return true;
}

/* ---- the strategies ---- */

static bool draw(const struct ask *ask, bool by_prior, struct random *random, struct vain *vain,
	struct suggestion *ret)
{
	double u[SPACE_PARAMETERS_MAX];

	while (may_draw(ask, vain)) {
		for (size_t i = 0; i < ask->space->d; i++)
			u[i] = random_uniform(random);
		ask_decode(ask, u, by_prior, ret->values);
		if (will_do(ask, ret->values, vain))
			return true;
	}
	return false;
}

/* After draws by the priors that were all in vain: what a user expects may be forbidden by
 * constraints, or be the one configuration of a condition's side that has been tried, while there is
 * room elsewhere. */
static bool draw_evenly(const struct ask *ask, struct random *random, struct suggestion *ret)
{
	struct vain vain = { 0 };

	return space_has_priors(ask->space) && draw(ask, false, random, &vain, ret);
}

bool strategy_random(const struct ask *ask, struct suggestion *ret, struct tuner_error *err)
{
	struct random random = ask_random(ask, RANDOM_SPACE);
	struct tuner_error failed = { TUNER_OK, "" };
	struct vain vain = { 0 };

	if (ask->request->number <= ask->request->strategy->initial) {
		ret->branch = BRANCH_DESIGN;
		return ask_quasi_random(ask, ret, err);
	}
	ret->branch = BRANCH_RANDOM;
	if (draw(ask, true, &random, &vain, ret))
		return true;
	const bool ok = any_untried(ask, &vain, &random, ret, &failed);

	if ((failed.code == TUNER_USAGE || (ret->exhausted && ask->request->partial == NULL)) &&
		draw_evenly(ask, &random, ret)) {
		ret->exhausted = false;
		return true;
	}
	if (!ok)
		*err = failed;
	return ok;
}

bool ask_quasi_random(const struct ask *ask, struct suggestion *ret, struct tuner_error *err)
{
	const struct random_key key = { .seed = ask->request->seed,
		.repeat = ask->request->repeat,
		.purpose = RANDOM_SCRAMBLE };
	const size_t d = ask->space->d;
	/* A coordinate more says which half of the points follows the priors: so each half is as
	 * evenly spread as all, which every second point of the sequence is not. */
	const bool has_priors = space_has_priors(ask->space);
	struct design *design = NULL;
	double u[SPACE_PARAMETERS_MAX + 1];
	struct vain vain = { 0 };
	bool found = false;

	if (!design_create(d + has_priors, key, ret->sequence, &design, err))
		return false;
	while (!found && may_draw(ask, &vain)) {
		design_next(design, u);
		ask_decode(ask, u, has_priors && u[d] < 0.5, ret->values);
		found = will_do(ask, ret->values, &vain);
	}
	ret->sequence = design_index(design);
	design_destroy(design);
	if (found)
		return true;

	struct random random = ask_random(ask, RANDOM_SPACE);

	return any_untried(ask, &vain, &random, ret, err);
}

bool strategy_sobol(const struct ask *ask, struct suggestion *ret, struct tuner_error *err)
{
	ret->branch = BRANCH_SOBOL;
	return ask_quasi_random(ask, ret, err);
}
