/* Whether the files that the database lists still exist unchanged: part of `tuner verify`. */
#ifndef TUNER_ARTIFACT_CHECK_H
#define TUNER_ARTIFACT_CHECK_H

#include "trials/store.h"
#include "trials/verify.h"

/* Adds to `list` the files of one job, or of all (job_id 0), that are missing, have another size
 * or, with `hashes`, other content. With `hashes` every listed file is read. */
TUNER_MUST_CHECK
bool artifacts_check(struct store *store, int64_t job_id, bool hashes, struct violation_list *list,
	struct tuner_error *err);

#endif
