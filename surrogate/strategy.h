/* Inside of suggest.h: the strategies and their input.
 *
 * To add one: a name in suggest.h, a function here in a file strategy_NAME.c, a row in suggest.c. */
#ifndef SURROGATE_STRATEGY_H
#define SURROGATE_STRATEGY_H

#include "surrogate/suggest.h"
#include "surrogate/tried.h"

/* A checked request, with what every strategy needs to know about it. */
struct ask {
	const struct suggest_request *request;
	const struct space *space;
	const double *given; /* d, NaN where the strategy decides; at least one is free; settled */
	struct tried tried;
	struct lattice
		lattice; /* over the free parameters; size 0 unless all of them are countable */
};

/* True if a configuration breaks no constraint and was not tried. */
bool ask_is_new(const struct ask *ask, const double *values);

/* Each sets ret->values and whatever else it knows, or ret->exhausted. At the call `ret` has the
 * request's sequence and no numbers of a model. */
typedef bool strategy_function(
	const struct ask *ask, struct suggestion *ret, struct tuner_error *err);

strategy_function strategy_random, strategy_sobol, strategy_grid, strategy_bayesian;

/* The random stream of this trial and purpose. */
struct random ask_random(const struct ask *ask, enum random_purpose purpose);

/* The next untried point of the job's scrambled Sobol sequence that breaks no constraint, one in
 * two by the priors, for the best may be where the user does not look (docs/surrogate.md, "What the
 * user expects"); once the
 * sequence gives nothing new, any untried point of a finite space. TUNER_USAGE if the constraints
 * leave nothing, or so little that nothing was found. */
TUNER_MUST_CHECK
bool ask_quasi_random(const struct ask *ask, struct suggestion *ret, struct tuner_error *err);

/* Decodes the free parameters from u, a point of the cube, and takes the given values elsewhere;
 * settled. by_prior: where u is evenly spread, the values follow the parameters' priors. */
void ask_decode(const struct ask *ask, const double *u, bool by_prior, double *ret_values);

#endif
