/* From a job file to the job in the database: created, resumed, or refused. */
#ifndef TUNER_JOB_OPEN_H
#define TUNER_JOB_OPEN_H

#include "tuner/jobfile.h"

struct job_opening {
	int64_t job_id;
	bool created;
	struct text changes; /* what an edited file changed, one line each; "" if nothing */
	bool mended; /* what the job runs was edited, and all its trials have failed so far */
	struct text warm_start; /* what earlier jobs have given to it just now, one line each
				   (warm_start.h) */
};

/* Stores the job of this file, or finds the job with its name and applies the differences
 * (architecture, section 8): changes to budget, hosts, retries and stopping are accepted with an
 * event; parameters make a new space version; command, fixed values and data need accept_change,
 * unless all trials have failed. Another objective is accepted, and the trials are scored by it, only
 * while there is no result. Changes to seed and the warm start that it began with are refused
 * (TUNER_USAGE, saying what to do). All in one transaction, including what earlier jobs give to a new
 * one. The caller calls job_opening_finish. `db` is the option --db, for messages that say what to
 * type; NULL: it was not given. */
TUNER_MUST_CHECK
bool job_open(struct store *store, const struct job_file *file, bool accept_change, const char *db,
	struct job_opening *ret, struct tuner_error *err);

void job_opening_finish(struct job_opening *opening);

/* The job file of a stored job, parsed again. */
TUNER_MUST_CHECK
bool job_stored_file(const struct job *job, struct job_file **ret, struct tuner_error *err);

/* The same with one more KEY=VALUE, as for --set. TUNER_USAGE if that makes the file invalid. */
TUNER_MUST_CHECK
bool job_stored_file_with(
	const struct job *job, const char *set, struct job_file **ret, struct tuner_error *err);

/* Replaces the stored file (`old`) by `file`, a changed version of it, with an event that says what
 * changed; in an open transaction. */
TUNER_MUST_CHECK
bool job_store_edited(struct store *store, const struct job *job, const struct job_file *old,
	const struct job_file *file, struct tuner_error *err);

/* Parts of the reasons for which a search ends by a bound of its budget other than trials (loop_budget.c). */
#define BOUND_TARGET      "the target "
#define BOUND_BUDGET      "the budget's "
#define BOUND_IMPROVEMENT " brought no improvement"
#define BOUND_CONVERGED   "the search has converged"

/* Whether a reason is one of these: the next run ends by it again, whatever was queued meanwhile, unless the job file was
 * edited. */
bool job_reason_is_bound(const char *reason);

#endif
