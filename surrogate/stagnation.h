/* Detects that a search has stopped gaining.
 *
 * Half-ranked outcomes (transform.h) have the spread of the good half as their unit. It becomes
 * small where most trials lie close together around a good one. The model then does not believe
 * that another category can be many units better, though that category was never tried near its own
 * best numbers: the search stays where it is. With outcomes in the unit of all trials the model
 * tries such a category. So a stagnating search uses those outcomes now and then
 * (strategy_bayesian.c; docs/surrogate.md, "Categories"). */
#ifndef SURROGATE_STAGNATION_H
#define SURROGATE_STAGNATION_H

#include "surrogate/suggest.h"

enum {
	STAGNATION_TRIALS = 6, /* the newest trials, which must have gained nothing */
	STAGNATION_FIRST = 12, /* the first trials, whose median says what there was to gain */
};

/* A gain below this part of the way from the first trials' median to the best counts as none. */
#define STAGNATION_GAIN 0.01

/* Trials without a finite objective, and those over a limit, are left out. False while fewer than STAGNATION_TRIALS have
 * followed the first `n_initial`, or if the median of the first trials is already the best. */
bool search_stagnates(const struct suggest_request *request, size_t n_initial);

#endif
