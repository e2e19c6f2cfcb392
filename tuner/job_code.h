/* The code that a job's trials run: where it lies, and frozen if "source" says so.
 *
 * A frozen one is DATABASE.d/JOB/source/NAME, named by what it holds, so that an older one stays as long as what
 * began in it runs. It is made under another name and renamed, so one that is there is whole. */
#ifndef TUNER_JOB_CODE_H
#define TUNER_JOB_CODE_H

#include "trials/store.h"
#include "tuner/jobfile.h"

struct job_code_place {
	char *directory; /* where commands run, absolute; owned */
	int64_t state; /* fingerprint row of frozen code; 0: live */
	struct text
		said; /* what to tell the user, lines with their ends; "warning: ..." among them */
};

/* Finds the job's code, or makes it: once a job, and again with `accept_change` if it is no longer the same. No
 * transaction is open. TUNER_USAGE: it is too large, the repository or commit is not there, the copy is gone,
 * or the command is not in it; what to do is said. The caller finishes ret, after a failure, too. */
TUNER_MUST_CHECK
bool job_code_prepare(struct store *store, int64_t job_id, const struct job_file *file,
	bool accept_change, struct job_code_place *ret, struct tuner_error *err);
void job_code_finish(struct job_code_place *place);

/* What of a job's files is not its code. */
struct code_place job_code_where(const struct store *store, const struct job_file *file);

enum { PATCH_BYTES_MAX = 1 << 20 }; /* of what differs from a commit, in the database */

#endif
