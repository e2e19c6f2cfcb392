/* The curve of one trial's objective metric while it grows: rising steps, one value each. */
#ifndef TUNER_SERIES_H
#define TUNER_SERIES_H

#include "trials/trial.h"
#include "tuner/jobfile.h"

struct series {
	double *steps, *values;
	size_t n, capacity;
};

/* Puts a value; the same step again replaces it. False without memory: nothing has changed. */
TUNER_MUST_CHECK
bool series_put(struct series *series, double step, double value);
void series_finish(struct series *series);

/* Puts what the database has of the trial's curve of this metric. */
TUNER_MUST_CHECK
bool series_load(struct series *series, struct store *store, int64_t trial_id, const char *metric,
	struct tuner_error *err);

/* The curve as one number, by the job file's "reduce". best, max, min and mean of last N pass over NaN unless
 * nothing else is there. NaN for an empty series. */
double series_reduce(const struct series *series, enum reduce reduce, int64_t last, bool maximize);

#endif
