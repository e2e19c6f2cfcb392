/* Strategies without a model that draw: random and sobol. */
#include "surrogate/strategy.h"

#include "surrogate/design.h"

#include <math.h>
#include <stdlib.h>

/* Draws before the untried points of a finite space are counted out. So many in vain mean that most
 * of the space is tried. */
enum { DRAWS = 64 };

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

void ask_decode(const struct ask *ask, const double *u, double *ret_values)
{
	for (size_t i = 0; i < ask->space->d; i++)
		ret_values[i] = isnan(ask->given[i])
					? parameter_decode(&ask->space->parameters[i], u[i])
					: ask->given[i];
}

bool ask_any_untried(const struct ask *ask, struct random *random, struct suggestion *ret,
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

bool strategy_random(const struct ask *ask, struct suggestion *ret, struct tuner_error *err)
{
	struct random random = ask_random(ask, RANDOM_SPACE);
	double u[SPACE_PARAMETERS_MAX];

	ret->branch = BRANCH_RANDOM;
	for (int draw = 0; draw < DRAWS; draw++) {
		for (size_t i = 0; i < ask->space->d; i++)
			u[i] = random_uniform(&random);
		ask_decode(ask, u, ret->values);
		if (!tried_contains(&ask->tried, ret->values))
			return true;
	}
	return ask_any_untried(ask, &random, ret, err);
}

bool ask_quasi_random(const struct ask *ask, struct suggestion *ret, struct tuner_error *err)
{
	const struct random_key key = { .seed = ask->request->seed,
		.repeat = ask->request->repeat,
		.purpose = RANDOM_SCRAMBLE };
	struct design *design = NULL;
	double u[SPACE_PARAMETERS_MAX];
	bool found = false;

	if (!design_create(ask->space->d, key, ret->sequence, &design, err))
		return false;
	for (int draw = 0; draw < DRAWS && !found; draw++) {
		design_next(design, u);
		ask_decode(ask, u, ret->values);
		found = !tried_contains(&ask->tried, ret->values);
	}
	ret->sequence = design_index(design);
	design_destroy(design);
	if (found)
		return true;

	struct random random = ask_random(ask, RANDOM_SPACE);

	return ask_any_untried(ask, &random, ret, err);
}

bool strategy_sobol(const struct ask *ask, struct suggestion *ret, struct tuner_error *err)
{
	ret->branch = BRANCH_SOBOL;
	return ask_quasi_random(ask, ret, err);
}
