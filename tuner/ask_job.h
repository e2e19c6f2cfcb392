/* Opens the job that ask, tell and ask-tell work on: from the command line to an ask_tell. */
#ifndef TUNER_ASK_JOB_H
#define TUNER_ASK_JOB_H

#include "tuner/ask_tell.h"
#include "tuner/command.h"

struct ask_job {
	struct store *store; /* NULL: nothing is written */
	struct job_file *file;
	struct ask_tell *ask_tell;
	struct ask_tell_settings settings; /* of ask_tell, which points to them */
	char host[256];
};

/* The first argument is a job file, whose job is created, or resumed as `run` would (an edit is
 * reported on standard error), or else the name of a stored job. Waits for the database
 * (store_wait.h). Applies --lease and, with a file, --set and related options. Call ask_job_close
 * in any case. */
TUNER_MUST_CHECK
bool ask_job_open(const struct invocation *call, struct ask_job *ret, struct tuner_error *err);

/* The same for a job that must exist: its file is not read again. */
TUNER_MUST_CHECK
bool ask_job_open_stored(
	const struct invocation *call, struct ask_job *ret, struct tuner_error *err);

/* The same for a job file alone: in memory, without a database. */
TUNER_MUST_CHECK
bool ask_job_open_in_memory(
	const struct invocation *call, struct ask_job *ret, struct tuner_error *err);

void ask_job_close(struct ask_job *job);

#endif
