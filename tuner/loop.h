/* The loop that joins strategy, database and processes; the only place that waits.
 *
 * One event at a time (output, exit, lost attempt, timer, signal, request) becomes: a change of
 * state, one SQLite transaction, then actions. An outcome and the next intent share a commit.
 * Starting is recovering: attempts left by an earlier run are adopted, collected or launched
 * again. */
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

/* The reason that a trial or job is given. */
#define STOPPED_BY_USER "stopped by \"tuner stop\""

struct loop_settings {
	const struct job_file *file;
	struct job_budget *budget; /* of `file`: an edit under way changes it. NULL: none is
				      accepted */
	struct store *store; /* STORE_WRITE, no transaction open */
	int64_t job_id;
	struct pool *pool;
	struct progress *progress;
	const char *working_directory; /* where commands run; NULL: the job file's */
	int64_t code; /* state of frozen code (trials/provenance.h); 0: live code */
	struct witness *witness; /* NULL: code, data and versions are not inspected */
	struct reuse *reuse; /* NULL: no results are reused */
	const struct gate *gates; /* by which the run will be judged */
	size_t n_gates;
	bool stop_at_once; /* the first SIGINT already ends running trials: its sender waits only
			      seconds */
	bool stop_only; /* `tuner stop` without a living run: end what survived, propose nothing */
};

struct loop_result {
	enum exit_status status;
	enum job_state state; /* as committed */
	char reason[512]; /* why the job ended, for people */
	int64_t reused; /* trials whose result was reused */
	struct text log_tail; /* EXIT_BROKEN_COMMAND: the last lines of the last failure */
};

/* Runs the job until its budget is spent or a signal or request ends it. Handles SIGINT, SIGTERM
 * and SIGHUP meanwhile. Commits the job's end. The caller finishes ret->log_tail. */
TUNER_MUST_CHECK
bool loop_run(
	const struct loop_settings *settings, struct loop_result *ret, struct tuner_error *err);

#endif
