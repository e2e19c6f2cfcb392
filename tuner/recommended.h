/* The trial that the job's model considers the best (surrogate/recommendation.h), in the user's
 * unit and sign. */
#ifndef TUNER_RECOMMENDED_H
#define TUNER_RECOMMENDED_H

#include "tuner/trial_report.h"

struct recommended {
	int64_t number; /* the trial's */
	double mean, sd; /* the model's prediction for it, without noise */
	double noise_sd; /* of a single result there */
};

/* TUNER_USAGE if no model can be fitted: too few results, or a single configuration. */
TUNER_MUST_CHECK
bool recommended_read(
	const struct report *report, struct recommended *ret, struct tuner_error *err);

/* Whether the newest model of the job's search estimated noise, so that the best result need not be
 * of the best trial. Reads the database only, and is fast. *ret is false without a model. */
TUNER_MUST_CHECK
bool recommended_matters(const struct report *report, bool *ret, struct tuner_error *err);

#endif
