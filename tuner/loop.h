/* The one loop: it joins strategy, database and processes, and is the only place that waits.
 *
 * One event at a time (output, exit, lost attempt, timer, signal, request) becomes: a change of
 * state, one SQLite transaction, then actions. An outcome and the next intent share a commit.
 * Starting is recovering: whatever an earlier run left is adopted, collected or launched again. */
#ifndef TUNER_LOOP_H
#define TUNER_LOOP_H

#include "scheduler/backend.h"
#include "tuner/command.h"
#include "tuner/gate.h"
#include "tuner/jobfile.h"
#include "tuner/pool.h"
#include "tuner/progress.h"
#include "tuner/reuse.h"
#include "tuner/witness.h"

struct loop_settings {
	const struct job_file *file;
	struct store *store; /* STORE_WRITE, no transaction open */
	int64_t job_id;
	struct pool *pool;
	struct progress *progress;
	const char *working_directory; /* where commands run; NULL: the job file's */
	int64_t code; /* state of frozen code (trials/provenance.h); 0: it is live */
	struct witness *witness; /* NULL: nobody looks at code, data and versions */
	struct reuse *reuse; /* NULL: nothing is taken over */
	const struct gate *gates; /* what the run will be judged by */
	size_t n_gates;
	bool stop_at_once; /* the first SIGINT already ends what runs: who sent it waits seconds */
	bool stop_only; /* `tuner stop` without a living run: end what survived, propose nothing */
};

struct loop_result {
	enum exit_status status;
	enum job_state state; /* as committed */
	char reason[512]; /* why it ended, for people */
	int64_t reused; /* trials whose result was taken over */
	struct text log_tail; /* EXIT_BROKEN_COMMAND: the last lines of the last failure */
};

/* Runs the job until its budget ends, or a signal, or a request. Handles SIGINT, SIGTERM and SIGHUP
 * while it runs. The job's end is committed. The caller finishes
 * ret->log_tail. */
TUNER_MUST_CHECK
bool loop_run(
	const struct loop_settings *settings, struct loop_result *ret, struct tuner_error *err);

#endif
