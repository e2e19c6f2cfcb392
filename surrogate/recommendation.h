/* Which trial to use at the end of a search.
 *
 * The best of many noisy results is partly luck: the trial that looks best is mostly not the best.
 * The model knows the noise, and what the other trials tell about the place. So the trial with the
 * best posterior mean is recommended, as for the incumbent of strategy bayesian (the risk-neutral
 * choice: Frazier, "A tutorial on Bayesian optimization", 2018, arXiv:1807.02811, section 4.2).
 * Without noise it is the best result. docs/surrogate.md says what this gains. */
#ifndef SURROGATE_RECOMMENDATION_H
#define SURROGATE_RECOMMENDATION_H

#include "surrogate/suggest.h"

/* LOOKED_AT: of very many trials only this many, those with the best results, are considered.
 * TRIALS_MIN: with fewer objectives there is no model. */
enum { RECOMMENDATION_LOOKED_AT = 1024, RECOMMENDATION_TRIALS_MIN = 3 };

struct recommendation {
	size_t observation; /* index into the request's; the first of equal ones */
	double mean, sd; /* the objective there without noise, as predicted (minimised unit) */
	double noise_sd; /* noise of one result there */
	double objective; /* the observed result */
};

/* Only trials that are done and over no limit are recommended; the model learns from those over one,
 * too. Uses of the request: space, strategy (deterministic, transform, warp), observations, start.
 * The same request gives the same bits. Errors: TUNER_USAGE if too few trials in the space are done
 * with an objective, if all of them are over a limit, or if no parameter can vary; TUNER_NUMERIC if no model could be fitted;
 * TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool recommend(
	const struct suggest_request *request, struct recommendation *ret, struct tuner_error *err);

#endif
