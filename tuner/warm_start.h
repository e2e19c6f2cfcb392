/* What earlier jobs give to a new one when it is made ("warm_start" of the job file).
 *
 *     warm_start_read -> warm_start_store, in the transaction that makes the job -> warm_start_finish
 *
 * As "trials" their ended trials become trials of source "added" of each search of the new job: data from the start, as
 * what a caller adds (ask_tell.h), that no budget counts. As "first" their best configurations stand in front of the
 * queue. Either way the event "warm-start" of the job says what was taken, and one of each trial where it is from. Earlier
 * jobs are only read, and only here: what becomes of them later changes nothing.
 *
 * A parent's trial is data if it is done, if its configuration made it fail, or if a rule or its time limit ended it and
 * its curve gave a value. It is taken if all of it fits the new job: values inside of the space, on its lattice, within
 * its constraints, and equal to what is fixed. What one trial was made of is taken once, though several parents have it. */
#ifndef TUNER_WARM_START_H
#define TUNER_WARM_START_H

#include "trials/trial.h"
#include "tuner/jobfile.h"

/* One that fits. */
struct warm_trial {
	double *values; /* d, settled; NaN, of first only: the strategy decides */
	enum trial_state state; /* DONE, FAILED or STOPPED */
	enum outcome outcome;
	double objective; /* user's unit and sign; NaN: none */
	size_t parent; /* index */
	int64_t number; /* in the parent */
	char key[40]; /* of the attempt that it was measured by first */
};

/* What a parent gives. */
struct warm_gift {
	char *database; /* absolute */
	const char *job; /* the job file's */
	int64_t trials; /* that are data */
	int64_t taken;
	int64_t misfits; /* outside of the space, or the like */
	int64_t doubled; /* another parent has given them already */
	char why[240]; /* the first misfit; "" without any */
};

struct warm_start {
	const struct job_file *file; /* must outlive it */
	struct warm_trial *
		trials; /* to be taken: parent by parent in the order of their ends; of first the best
				      first */
	size_t n, capacity;
	struct warm_gift *gifts; /* by parent */
};

/* Reads what the file's parents have. `own`: the job's own database, NULL where there is none. TUNER_USAGE, saying what
 * to write: a parent that is not there or cannot be read, that has another objective, or parameters which neither fit nor
 * are said to be missing or ignored. Nothing is left to finish then. */
TUNER_MUST_CHECK
bool warm_start_read(const struct job_file *file, struct store *own, struct warm_start *ret,
	struct tuner_error *err);
void warm_start_finish(struct warm_start *warm_start);

/* Rows and events, in the open transaction, before anything else of the job's is queued. The job is new: it has no trial. */
TUNER_MUST_CHECK
bool warm_start_store(const struct warm_start *warm_start, struct store *store, int64_t job_id,
	int64_t now_us, struct tuner_error *err);

/* The data of the event: {"as", "parents": [{"database", "job", "trials", "taken", "misfits", "doubled", "why"}],
 * "queued": [{"queue", "parent", "trial"}]}, the last of first only. Appended. */
void warm_start_json(const struct warm_start *warm_start, struct text *ret);

/* The same in words, a line for each parent. Appended. */
void warm_start_text(const char *json, struct text *ret);

/* The data of a job's event; *ret NULL if nothing was taken over into it. The caller frees. */
TUNER_MUST_CHECK
bool warm_start_load(struct store *store, int64_t job_id, char **ret, struct tuner_error *err);

/* Where the configuration of a trial that has taken a queue entry comes from: "trial 7 of job resnet in /a/old.db".
 * Appended; nothing if it is from nowhere. */
TUNER_MUST_CHECK
bool warm_start_origin(
	struct store *store, const struct trial *trial, struct text *ret, struct tuner_error *err);

#endif
