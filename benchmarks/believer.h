/* A user who expects good values somewhere: priors for a problem's parameters. */
#ifndef BENCHMARKS_BELIEVER_H
#define BENCHMARKS_BELIEVER_H

#include "benchmarks/problems.h"

enum belief {
	BELIEF_NONE,
	BELIEF_NEAR, /* centred BELIEVER_SD (normal) off the optimum: the user is as unsure as they say */
	BELIEF_WRONG, /* centred half a range away, and as sure */
};

#define BELIEVER_SD                                                                                \
	0.15 /* of a parameter's coordinate; of categories one is three times as likely as another */

bool belief_find(const char *name, enum belief *ret);

/* Priors for the d parameters (to be freed, weights first), from the best configuration that a long search finds; the seed draws where they are. NULL without memory. */
struct prior *believer_priors(const struct problem *problem, enum belief belief, uint64_t seed);

#endif
