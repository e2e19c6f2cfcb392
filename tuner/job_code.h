/* The code that a job's trials run: where it is, frozen if "source" says so.
 *
 * Frozen code is DATABASE.d/JOB/source/NAME, named after its content, so that an older copy stays
 * for as long as trials that began with it run. It is made under another name and renamed, so an
 * existing copy is complete. */
#ifndef TUNER_JOB_CODE_H
#define TUNER_JOB_CODE_H

#include "trials/store.h"
#include "tuner/jobfile.h"

struct job_code_place {
	char *directory; /* where commands run, absolute; owned */
	int64_t state; /* fingerprint row of the frozen code; 0: live */
	struct text said; /* lines to show the user, each with its newline; some "warning: ..." */
};

/* Finds the job's code, or freezes it: once per job, and again with `accept_change` if it has
 * changed. No transaction may be open. TUNER_USAGE, with advice: it is too large, the repository or
 * commit does not exist, the copy is gone, or the command is not in it. The caller finishes ret,
 * also after a failure. */
TUNER_MUST_CHECK
bool job_code_prepare(struct store *store, int64_t job_id, const struct job_file *file,
	bool accept_change, struct job_code_place *ret, struct tuner_error *err);
void job_code_finish(struct job_code_place *place);

/* Where a job's code is, and which files there are not part of it. */
struct code_place job_code_where(const struct store *store, const struct job_file *file);

enum { PATCH_BYTES_MAX = 1 << 20 }; /* of a patch stored in the database */

#endif
