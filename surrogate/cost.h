/* A trial's cost: its duration, learnt from the trials that are done, and the weight of that cost.
 *
 * A separate Gaussian process models ln(duration), because a trial's duration may depend on other
 * parameters than its objective does. The search then maximises
 *
 *     ln EI(x) - alpha ln c(x),  alpha = trials left / trials of the budget,
 *
 * "EI-cool" (Lee, Perrone, Archambeau, Seeger, "Cost-aware Bayesian Optimization", 2020):
 * improvement per second while much of the budget is left, improvement alone at the end, when the
 * best trials have to be found whatever they cost.
 *
 * Only trials that are done count, over a limit or not: those that failed or were stopped tell how soon they ended, not
 * how long their configuration takes.
 *
 *     cost_create -> cost_term, into an acquisition -> cost_destroy, after the acquisition's end */
#ifndef SURROGATE_COST_H
#define SURROGATE_COST_H

#include "surrogate/acquisition.h"
#include "surrogate/columns.h"
#include "surrogate/suggest.h"

enum {
	COST_TRIALS_MIN = 3, /* fewer durations teach nothing */
	COST_TRIALS_MAX = 128, /* of more, this many are used, evenly spaced in commit order */
};

struct cost;

/* *ret is NULL if the durations tell nothing: too few, or all the same. work_limit: likelihood
 * evaluations of the fit; 0: no limit. Errors: TUNER_FATAL without memory, TUNER_NUMERIC if the
 * durations' kernel matrix could not be factored. */
TUNER_MUST_CHECK
bool cost_create(const struct columns *columns, const struct suggest_request *request,
	uint64_t work_limit, struct cost **ret, struct tuner_error *err);
void cost_destroy(struct cost *cost);

/* The mean of ln(duration) at a point. */
double cost_log_duration(struct cost *cost, const double *x);

/* alpha: the share of the budget left when the request's trial is proposed, 0 to 1. */
double cost_weight(const struct suggest_request *request);

/* The term -alpha ln c. `cost` is borrowed. */
struct acquisition_term cost_term(struct cost *cost);

uint64_t cost_work(const struct cost *cost); /* likelihood evaluations done */

#endif
