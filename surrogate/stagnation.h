/* Whether a search gains no more.
 *
 * Half-ranked outcomes (transform.h) have the spread of the good half as their unit. It becomes small where most trials lie
 * close together around one that is good, and then no other category is believed to hold anything that is many units
 * better, though it was never seen near its own best numbers: the search stays where it is. To outcomes in the unit of all
 * trials such a category is worth one. So a search that stagnates is shown those now and then (strategy_bayesian.c;
 * docs/surrogate.md, "Categories"). */
#ifndef SURROGATE_STAGNATION_H
#define SURROGATE_STAGNATION_H

#include "surrogate/suggest.h"

enum {
	STAGNATION_TRIALS = 6, /* the newest ones, that have gained nothing */
	STAGNATION_FIRST = 12, /* those that tell what there is to gain */
};

/* What counts as nothing: this part of the way from the first trials' median to the best. */
#define STAGNATION_GAIN 0.01

/* Trials without a finite objective are left out. False while fewer than STAGNATION_TRIALS have come behind the first
 * `n_initial`, or where there was no way to go. */
bool search_stagnates(const struct suggest_request *request, size_t n_initial);

#endif
