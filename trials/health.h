/* The state of the database, and what it tells about a job, for `tuner doctor`. */
#ifndef TRIALS_HEALTH_H
#define TRIALS_HEALTH_H

#include "trials/trial.h"

struct store_health {
	char journal_mode[16]; /* "wal", unless the database is shared */
	int64_t version; /* of the schema */
	int64_t wal_bytes;
	int64_t holder; /* pid of the holder of PATH.lock; 0: nobody; -1: not known */
	int64_t writer; /* pid of the holder of SQLite's write lock at this moment; 0: nobody */
	int64_t last_event_us; /* 0: none */
	bool shared; /* on a network file system (store.h) */
};

TUNER_MUST_CHECK
bool store_health(struct store *store, struct store_health *ret, struct tuner_error *err);

/* The pid of the process that holds SQLite's write lock on this file (store_file) at this moment,
 * from the kernel's list of locks; 0: nobody, or a process not visible from here. A commit holds
 * the lock for milliseconds. */
int64_t store_writer(const char *file);

/* Counts a job's ended attempts by outcome, over all attempts of all trials. `launched`: without
 * those that callers evaluate. */
TUNER_MUST_CHECK
bool attempt_count_outcomes(struct store *store, int64_t job_id, bool launched,
	int64_t ret_counts[OUTCOMES], struct tuner_error *err);

/* Counts the ended attempts launched since the job's last orderly end of a run (all, if there was
 * none): what a killed run had counted. They are counted by the outcome that counts for the trial,
 * without excused ones and those that callers evaluate. ret_failed: those of them that made their
 * trial fail. */
TUNER_MUST_CHECK
bool attempt_count_unconcluded(struct store *store, int64_t job_id, int64_t ret_ended[OUTCOMES],
	int64_t ret_failed[OUTCOMES], struct tuner_error *err);

/* The last of these attempts that ended the job by a rule (attempt_end.ends_job): its trial's
 * number, outcome and message. *ret_trial 0: there is none. The message is cut to `size`. */
TUNER_MUST_CHECK
bool attempt_unconcluded_end(struct store *store, int64_t job_id, int64_t *ret_trial,
	enum outcome *ret_outcome, char *ret_message, size_t size, struct tuner_error *err);

/* Sets *ret to true if an attempt of the job has reported this metric. */
TUNER_MUST_CHECK
bool metric_was_reported(
	struct store *store, int64_t job_id, const char *name, bool *ret, struct tuner_error *err);

/* The names of all metrics that attempts of the job have reported, in the order in which the
 * database first saw them. */
struct metric_names {
	char **items;
	size_t n;
};

TUNER_MUST_CHECK
bool metric_names_select(
	struct store *store, int64_t job_id, struct metric_names *ret, struct tuner_error *err);
void metric_names_finish(struct metric_names *names);

/* A done trial chosen by a model: the prediction, and the result. User's unit and sign. */
struct prediction {
	double mean, sd, objective;
};

/* The last ones of a job, newest first, at most `size`; sd > 0. */
TUNER_MUST_CHECK
bool prediction_select(struct store *store, int64_t job_id, struct prediction *ret, size_t size,
	size_t *ret_n, struct tuner_error *err);

#endif
