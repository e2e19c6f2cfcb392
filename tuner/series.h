/* The curve of one trial's objective metric while it grows: rising steps, one value each.
 *
 * A launch that goes on from a checkpoint replaces what an earlier one has reported from there on; one that begins anew
 * replaces all of it, also the steps that it does not come to. Both are: nothing of earlier launches lies beyond the
 * last step of the newest that has reported. */
#ifndef TUNER_SERIES_H
#define TUNER_SERIES_H

#include "trials/trial.h"
#include "tuner/jobfile.h"

struct series {
	double *steps, *values;
	size_t n, capacity;
	bool begun; /* the launch under way has reported */
	double reach; /* up to this step */
	int64_t loaded; /* attempt that reported last of what was loaded */
};

/* Puts a value; the same step again replaces it. False without memory: nothing has changed. */
TUNER_MUST_CHECK
bool series_put(struct series *series, double step, double value);
void series_renew(struct series *series, int64_t attempt); /* whose is what is put from now on */
void series_trim(struct series *series); /* gives back the room for more values, if it can */
void series_finish(struct series *series);

/* Puts what the database has of the trial's curve of this metric. */
TUNER_MUST_CHECK
bool series_load(struct series *series, struct store *store, int64_t trial_id, const char *metric,
	struct tuner_error *err);

/* The curve as one number, by the job file's "reduce". best, max, min and mean of last N pass over NaN unless
 * nothing else is there. NaN for an empty series. */
double series_reduce(const struct series *series, enum reduce reduce, int64_t last, bool maximize);

#endif
