/* Which trial to take in the end.
 *
 * Of many noisy results the best is so by luck, too: what looks best is mostly not what is. The model knows the noise, and what
 * the others say of the place. So the trial is taken that has the best posterior mean, as is the incumbent of strategy bayesian
 * (what a risk-neutral choice is: Frazier, "A tutorial on Bayesian optimization", 2018, arXiv:1807.02811, section 4.2). Without
 * noise it is the best result. docs/surrogate.md has what that gains. */
#ifndef SURROGATE_RECOMMENDATION_H
#define SURROGATE_RECOMMENDATION_H

#include "surrogate/suggest.h"

/* Of very many trials so many results are asked about, the best. Objectives below which there is no model. */
enum { RECOMMENDATION_LOOKED_AT = 1024, RECOMMENDATION_TRIALS_MIN = 3 };

struct recommendation {
	size_t observation; /* index into the request's; of equal ones the first */
	double mean, sd; /* the objective there without noise, as predicted (minimised unit) */
	double noise_sd; /* of one result there */
	double objective; /* what was observed there */
};

/* Uses of the request: space, strategy (deterministic, transform, warp), observations, start. The same request gives the same
 * bits. Errors: TUNER_USAGE with too few objectives of trials that are done and lie in the space, or where no parameter can
 * vary; TUNER_NUMERIC if no model could be fitted; TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool recommend(
	const struct suggest_request *request, struct recommendation *ret, struct tuner_error *err);

#endif
