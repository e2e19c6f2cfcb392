/* Whether the files that the database lists are there, as they were: part of `tuner verify`. */
#ifndef TUNER_ARTIFACT_CHECK_H
#define TUNER_ARTIFACT_CHECK_H

#include "trials/store.h"
#include "trials/verify.h"

/* Adds to `list` what is missing, or has another size, or, with `hashes`, other bytes: those of one job or of
 * all (job_id 0). With `hashes` every listed file is read. */
TUNER_MUST_CHECK
bool artifacts_check(struct store *store, int64_t job_id, bool hashes, struct violation_list *list,
	struct tuner_error *err);

#endif
