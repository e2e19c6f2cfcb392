/* The curve of one trial's objective metric while it grows: rising steps, one value each.
 *
 * A launch that resumes from a checkpoint replaces what earlier launches reported from there on;
 * one that starts over replaces everything, also steps that it does not reach. Both follow from one
 * rule: nothing of earlier launches lies beyond the last step of the newest launch that has
 * reported. */
#ifndef TUNER_SERIES_H
#define TUNER_SERIES_H

#include "trials/trial.h"
#include "tuner/jobfile.h"

struct series {
	double *steps, *values;
	size_t n, capacity;
	bool begun; /* the present launch has reported */
	double reach; /* up to this step */
	int64_t loaded; /* the last attempt that reported among the loaded values */
};

/* Puts a value, replacing that of the same step. False without memory, with nothing changed. */
TUNER_MUST_CHECK
bool series_put(struct series *series, double step, double value);
void series_renew(struct series *series, int64_t attempt); /* values put from now on are of this
							      attempt */
void series_trim(struct series *series); /* frees spare capacity, if it can */
void series_finish(struct series *series);

/* Puts what the database has of the trial's curve of this metric. */
TUNER_MUST_CHECK
bool series_load(struct series *series, struct store *store, int64_t trial_id, const char *metric,
	struct tuner_error *err);

/* The curve as one number, by the job file's "reduce". best, max, min and mean of last N ignore NaN
 * unless there is nothing else. NaN for an empty series. */
double series_reduce(const struct series *series, enum reduce reduce, int64_t last, bool maximize);

#endif
