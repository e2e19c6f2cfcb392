/* What a strategy may learn from related earlier jobs: the rows that the job was made with
 * (warm_start.h), in its present space, and the models of them (surrogate/related.h).
 *
 * Everything is read from the job's own database, so the same models come out in every process. */
#ifndef TUNER_RELATED_JOBS_H
#define TUNER_RELATED_JOBS_H

#include "surrogate/related.h"
#include "trials/store.h"
#include "tuner/jobfile.h"

struct related_jobs;

/* *ret is NULL if there are none, or if the file's strategy has no model to use them. Trials that do
 * not fit an edited space are left out. The file must outlive the result. */
TUNER_MUST_CHECK
bool related_jobs_load(const struct job_file *file, struct store *store, int64_t job_id,
	struct related_jobs **ret, struct tuner_error *err);
void related_jobs_destroy(struct related_jobs *jobs); /* NULL: does nothing */

/* For a request; NULL of NULL. */
const struct related *related_jobs_models(const struct related_jobs *jobs);

#endif
