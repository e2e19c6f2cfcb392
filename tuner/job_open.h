/* From a job file to the job in the database: made new, gone on with, or refused. */
#ifndef TUNER_JOB_OPEN_H
#define TUNER_JOB_OPEN_H

#include "tuner/jobfile.h"

struct job_opening {
	int64_t job_id;
	bool created;
	struct text changes; /* what an edited file changed, a line each; "" if nothing */
	bool mended; /* what the job runs was edited, and all of its trials have failed until now */
	struct text warm_start; /* what earlier jobs gave to it now, a line each (warm_start.h) */
};

/* Stores the job of this file, or finds the one of its name and takes the differences (architecture,
 * section 8): budget, hosts, retries and stopping are taken with an event; parameters make a new
 * space version; command, fixed values and data need accept_change, unless all trials have failed; objective and seed are
 * refused (TUNER_USAGE, saying what to do), as is another warm start than that which it began with. In one transaction,
 * which has what earlier jobs give to a new one, too. The caller finishes it with job_opening_finish. */
TUNER_MUST_CHECK
bool job_open(struct store *store, const struct job_file *file, bool accept_change,
	struct job_opening *ret, struct tuner_error *err);

void job_opening_finish(struct job_opening *opening);

/* The job file of a stored job, parsed again. */
TUNER_MUST_CHECK
bool job_stored_file(const struct job *job, struct job_file **ret, struct tuner_error *err);

/* The same with one KEY=VALUE more, as --set takes it. TUNER_USAGE if the file would not be valid so. */
TUNER_MUST_CHECK
bool job_stored_file_with(
	const struct job *job, const char *set, struct job_file **ret, struct tuner_error *err);

/* `file`, which is the stored one (`old`) with something changed, is stored in its place, with an event that says what; in an
 * open transaction. */
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
