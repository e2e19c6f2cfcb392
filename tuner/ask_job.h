/* The job that ask, tell and ask-tell are about: from the words of the command line to an ask_tell. */
#ifndef TUNER_ASK_JOB_H
#define TUNER_ASK_JOB_H

#include "tuner/ask_tell.h"
#include "tuner/command.h"

struct ask_job {
	struct store *store; /* NULL: nothing is written */
	struct job_file *file;
	struct ask_tell *ask_tell;
	struct ask_tell_settings settings; /* of ask_tell */
	char host[256];
};

/* The first argument is a job file, whose job is made, or gone on with as `run` would (an edit is told of
 * on standard error), or else a stored job. Waits for the database (store_wait.h). --lease, and with
 * a file --set and its kin, are applied. ask_job_close in any case. */
TUNER_MUST_CHECK
bool ask_job_open(const struct invocation *call, struct ask_job *ret, struct tuner_error *err);

/* The same for a job that must be there: its file is not read again. */
TUNER_MUST_CHECK
bool ask_job_open_stored(
	const struct invocation *call, struct ask_job *ret, struct tuner_error *err);

/* The same for a job file alone: in memory, without a database. */
TUNER_MUST_CHECK
bool ask_job_open_in_memory(
	const struct invocation *call, struct ask_job *ret, struct tuner_error *err);

void ask_job_close(struct ask_job *job);

#endif
