/* With several objectives: which results of earlier jobs are the best (warm_start.h, "first"). */
#ifndef TUNER_WARM_START_FRONT_H
#define TUNER_WARM_START_FRONT_H

#include "tuner/warm_start.h"

/* Whether the job file asks for the same further objectives as an earlier job had, in this order:
 * only then its values can be compared. */
bool warm_start_same_objectives(const struct job_file *ours, const struct job_file *theirs);

/* Moves the best `wanted` of n trials to the front, or fewer if there are not so many different
 * configurations, and returns their number. They are those of the Pareto front, then those of the
 * front of what is left, and so on. Of each front come the best by the first objective, then always
 * the one that is farthest, by the front's range of each objective, from the nearest that was chosen
 * before: a few of many are spread over it. Of equal ones that comes which was before. TUNER_FATAL
 * without memory. */
TUNER_MUST_CHECK
bool warm_start_spread(const struct job_file *file, struct warm_trial *trials, size_t n,
	size_t wanted, size_t *ret_chosen, struct tuner_error *err);

#endif
