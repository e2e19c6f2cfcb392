/* What may be wrong with the database, and what it says of how a job goes: for `tuner doctor`. */
#ifndef TRIALS_HEALTH_H
#define TRIALS_HEALTH_H

#include "trials/trial.h"

struct store_health {
	char journal_mode[16]; /* "wal" as it should be, unless it is shared */
	int64_t version; /* of the schema */
	int64_t wal_bytes;
	int64_t holder; /* pid of who holds PATH.lock; 0: nobody; -1: not known */
	int64_t writer; /* pid of who has SQLite's write lock at this moment; 0: nobody */
	int64_t last_event_us; /* 0: none */
	bool shared; /* on a network file system (store.h) */
};

TUNER_MUST_CHECK
bool store_health(struct store *store, struct store_health *ret, struct tuner_error *err);

/* Who has SQLite's write lock of this file (store_file) at this moment (pid), by the kernel's list of locks; 0: nobody, or
 * one that is not to be seen from here. A commit has it for milliseconds. */
int64_t store_writer(const char *file);

/* How many of a job's attempts ended in which way, all trials' and all attempts of them. `launched`: but for those that
 * callers evaluate. */
TUNER_MUST_CHECK
bool attempt_count_outcomes(struct store *store, int64_t job_id, bool launched,
	int64_t ret_counts[OUTCOMES], struct tuner_error *err);

/* Ended attempts that were launched since the job's last sitting came to an end of its own (all, if none has): what a
 * sitting that was killed had counted. By what the trial took their outcome for; those that callers evaluate are no
 * launches. ret_failed: the ones of them with which their trial failed. */
TUNER_MUST_CHECK
bool attempt_count_unconcluded(struct store *store, int64_t job_id, int64_t ret_ended[OUTCOMES],
	int64_t ret_failed[OUTCOMES], struct tuner_error *err);

/* Of these attempts the last that ended the job by a rule (attempt_end.ends_job): its trial's number, what became of it
 * and why. *ret_trial 0: there is none. `message` is cut to `size`. */
TUNER_MUST_CHECK
bool attempt_unconcluded_end(struct store *store, int64_t job_id, int64_t *ret_trial,
	enum outcome *ret_outcome, char *ret_message, size_t size, struct tuner_error *err);

/* True if some attempt of the job has reported this metric. */
TUNER_MUST_CHECK
bool metric_was_reported(
	struct store *store, int64_t job_id, const char *name, bool *ret, struct tuner_error *err);

/* The names of all metrics that attempts of the job have reported, in the order of their first report. */
struct metric_names {
	char **items;
	size_t n;
};

TUNER_MUST_CHECK
bool metric_names_select(
	struct store *store, int64_t job_id, struct metric_names *ret, struct tuner_error *err);
void metric_names_finish(struct metric_names *names);

/* A done trial that a model chose: what it predicted, and what came. User's unit and sign. */
struct prediction {
	double mean, sd, objective;
};

/* The last ones of a job, at most `size`; sd > 0. */
TUNER_MUST_CHECK
bool prediction_select(struct store *store, int64_t job_id, struct prediction *ret, size_t size,
	size_t *ret_n, struct tuner_error *err);

#endif
