/* What earlier jobs have found, for a job that learns from them as related: trials of other data or
 * code. They are no trials of this job, and nothing but its model sees them. */
#ifndef TRIALS_RELATED_TRIAL_H
#define TRIALS_RELATED_TRIAL_H

#include "trials/trial.h"

struct related_trial {
	int64_t parent; /* place of the earlier job among those of the job file, from 0 */
	int64_t number; /* in that job */
	enum trial_state state; /* DONE, STOPPED or FAILED */
	double loss; /* its objective, turned so that less is better; NaN: none */
	char *parameters; /* JSON, in the space that this job had when it was made */
};

struct related_trial_list {
	struct related_trial *items;
	size_t n;
};

/* In the open transaction; `trial` is copied. */
TUNER_MUST_CHECK
bool related_trial_add(struct store *store, int64_t job_id, const struct related_trial *trial,
	struct tuner_error *err);

/* All of a job, by parent, in the order in which they were added. */
TUNER_MUST_CHECK
bool related_trial_select(struct store *store, int64_t job_id, struct related_trial_list *ret,
	struct tuner_error *err);
void related_trial_list_finish(struct related_trial_list *list);

#endif
