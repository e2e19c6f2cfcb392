/* Writing the decision of a trial. Internal; reading is in trial.h. */
#ifndef TRIALS_DECISION_H
#define TRIALS_DECISION_H

#include "trials/trial.h"

/* Inserts the decision row of a trial just created. */
TUNER_MUST_CHECK
bool decision_insert(struct store *store, int64_t trial_id, const struct trial_new *trial,
	const struct decision *decision, struct tuner_error *err);

#endif
