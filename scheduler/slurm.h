/* The Slurm backend: each attempt is a batch job that runs tuner-supervise in the attempt's directory, on
 * a file system that the nodes share with us.
 *
 *     LOOK_UP --> TO_SUBMIT --> SUBMITTING --> KNOWN --> end known --> exit.json, or patience --> told
 *        ^  '------------------------------------^
 *        '-- reply lost --------------'
 *
 * Two things tell of an attempt: its files, which are the same as anywhere, and Slurm's list of jobs, one
 * request for all of them. The files decide what became of the command; Slurm decides why something
 * outside ended it, and that nothing more will come. A job bears the attempt's key in its name, so one whose
 * number we never learnt is found by it, before anything is submitted again.
 *
 * That a command runs once does not rest on Slurm: its supervisor steps back from a directory in which
 * `started` is, and a job that Slurm would run again is cancelled. No lock is trusted. */
#ifndef SCHEDULER_SLURM_H
#define SCHEDULER_SLURM_H

#include "scheduler/backend.h"
#include "scheduler/slurm_transport.h"

struct slurm_host {
	struct slurm_transport *transport; /* taken over, also after a failure */
	const struct slurm_settings *settings; /* must outlive the backend */
	const char *supervisor; /* ours; it is copied to where the attempts lie, once per build */
	bool starts; /* false: only to end what there is. Then nothing is asked that is not needed */
	int64_t (*now_us)(void *context); /* monotonic; NULL: the clock */
	void *context;
};

/* What the launch of an attempt there asks of its supervisor. */
enum { SLURM_HEARTBEAT_S = 5 };

TUNER_MUST_CHECK
bool backend_slurm_open(
	const struct slurm_host *host, struct backend **ret, struct tuner_error *err);

/* ---- slurm_script.c ---- */

/* What Slurm runs: the user's lines, and in the end the supervisor. NULL without memory; caller frees. */
char *slurm_script(
	const struct slurm_settings *settings, const char *supervisor, const char *directory);

/* What the script exits with if Slurm runs it again. */
enum { SLURM_SCRIPT_FENCED = 99 };

/* The copy of the supervisor that the nodes run: in `directory`, named by its content. Caller frees. */
TUNER_MUST_CHECK
bool slurm_supervisor(
	const char *supervisor, const char *directory, char **ret_path, struct tuner_error *err);

#endif
