/* The trial of a job that its model thinks the best (surrogate/recommendation.h), in the user's unit and sign. */
#ifndef TUNER_RECOMMENDED_H
#define TUNER_RECOMMENDED_H

#include "tuner/trial_report.h"

struct recommended {
	int64_t number; /* of the trial */
	double mean, sd; /* what the model expects of it, without noise */
	double noise_sd; /* of one result there */
};

/* TUNER_USAGE where there is nothing to fit a model to: too few results, or one configuration. */
TUNER_MUST_CHECK
bool recommended_read(
	const struct report *report, struct recommended *ret, struct tuner_error *err);

/* Whether the newest model of the job's search saw noise, so that what looks best need not be: from the database alone, in no
 * time. False without a model. */
TUNER_MUST_CHECK
bool recommended_matters(const struct report *report, bool *ret, struct tuner_error *err);

#endif
