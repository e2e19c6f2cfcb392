/* What earlier jobs give to a new one when it is made ("warm_start" of the job file).
 *
 *     warm_start_read -> warm_start_store, in the transaction that makes the job -> warm_start_finish
 *
 * As "trials", their ended trials become trials of source "added" in each search of the new job:
 * data from the start, like a caller's additions (ask_tell.h), that no budget counts. As "first",
 * their best configurations go to the front of the queue. As "related", they become rows of their own
 * (trials/related_trial.h), which only the model sees (related_jobs.h). In any case the job's event
 * "warm-start" says what was taken, and with "trials" an event of each trial says where it is from.
 * Earlier jobs are only read, and only here: later changes to them have no effect.
 *
 * A parent's trial is data if it is done, if its configuration made it fail, or if a rule or its
 * time limit ended it and its curve gave a value. It is taken if it fits the new job completely:
 * values inside the space, on its lattice, within its constraints, and equal to fixed values. The
 * same measurement is taken once, even if several parents have it. Of a related job's trials at most
 * WARM_RELATED_MAX are taken: half of them its best, the others evenly from the rest. */
#ifndef TUNER_WARM_START_H
#define TUNER_WARM_START_H

#include "trials/trial.h"
#include "tuner/jobfile.h"

enum { WARM_RELATED_MAX = 500 };

/* A trial that fits. */
struct warm_trial {
	double *values; /* d, settled; NaN, with "first" only: the strategy decides */
	enum trial_state state; /* DONE, FAILED or STOPPED */
	enum outcome outcome;
	double objective; /* user's unit and sign; NaN: none */
	struct judgement judgement; /* by the same limits as ours; n 0: none */
	double loss; /* "related": what it gave, turned so that less is better; NaN: it failed */
	size_t parent; /* index */
	int64_t number; /* in the parent */
	char key[40]; /* of the attempt that measured it first */
};

/* What a parent contributes. */
struct warm_gift {
	char *database; /* absolute */
	const char *job; /* the job file's */
	int64_t trials; /* trials that are data */
	int64_t taken;
	int64_t misfits; /* outside the space, or the like */
	int64_t doubled; /* already contributed by another parent */
	int64_t spared; /* "related": they would have been too many */
	char why[240]; /* the first misfit's reason; "" if none */
};

struct warm_start {
	const struct job_file *file; /* must outlive it */
	struct warm_trial
		*trials; /* to be taken: parent by parent, in the order of their ends; with "first",
			   best first */
	size_t n, capacity;
	struct warm_gift *gifts; /* by parent */
	bool by_first; /* of several objectives a parent has others than the first: then that
			  one's best are the best, else the front's */
};

/* Reads the trials of the file's parents. `own`: the job's own database, NULL if there is none.
 * TUNER_USAGE, saying what to write: a parent does not exist or cannot be read, has another
 * objective, or has parameters that neither fit nor are declared missing or ignored. A failure
 * leaves nothing to finish. */
TUNER_MUST_CHECK
bool warm_start_read(const struct job_file *file, struct store *own, struct warm_start *ret,
	struct tuner_error *err);
void warm_start_finish(struct warm_start *warm_start);

/* Stores rows and events, in the open transaction, before anything else of the job is queued. The
 * job must be new, without trials. */
TUNER_MUST_CHECK
bool warm_start_store(const struct warm_start *warm_start, struct store *store, int64_t job_id,
	int64_t now_us, struct tuner_error *err);

/* Appends the event's data: {"as", "parents": [{"database", "job", "trials", "taken", "misfits",
 * "doubled", "spared", "why"}], "queued": [{"queue", "parent", "trial"}]}, the last with "first" only. */
void warm_start_json(const struct warm_start *warm_start, struct text *ret);

/* Appends the same in words, a line for each parent. */
void warm_start_text(const char *json, struct text *ret);

/* The data of a job's "warm-start" event; *ret is NULL if it has none. The caller frees. */
TUNER_MUST_CHECK
bool warm_start_load(struct store *store, int64_t job_id, char **ret, struct tuner_error *err);

/* The related jobs of a job, in their order, each as "job resnet in /a/old.db", which the caller frees;
 * at most n, the others NULL. */
TUNER_MUST_CHECK
bool warm_start_related(
	struct store *store, int64_t job_id, char **ret, size_t n, struct tuner_error *err);

/* Appends the origin of a queued trial's configuration: "trial 7 of job resnet in /a/old.db";
 * nothing if it has none. */
TUNER_MUST_CHECK
bool warm_start_origin(
	struct store *store, const struct trial *trial, struct text *ret, struct tuner_error *err);

#endif
