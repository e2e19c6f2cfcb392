/* The Slurm backend: each attempt is a batch job that runs tuner-supervise in the attempt's directory, on
 * a file system that the nodes share with us.
 *
 *     LOOK_UP --> TO_SUBMIT --> SUBMITTING --> KNOWN --> end known --> exit.json, or patience --> told
 *        ^  '------------------------------------^
 *        '-- reply lost --------------'
 *
 * An attempt is known by its files, which are the same as anywhere, and by Slurm's list of jobs,
 * one request for all jobs. The files decide what became of the command; Slurm decides why
 * something outside ended it, and that nothing more will come. A job carries the attempt's key in
 * its name, so a job whose number we never learnt is found before anything is submitted again.
 *
 * That a command runs only once does not depend on Slurm: the supervisor starts nothing in a
 * directory that has `started`, and a job that Slurm would run again is cancelled. No lock is
 * trusted. */
#ifndef SCHEDULER_SLURM_H
#define SCHEDULER_SLURM_H

#include "scheduler/backend.h"
#include "scheduler/slurm_transport.h"

struct slurm_host {
	struct slurm_transport *transport; /* taken over, also after a failure */
	const struct slurm_settings *settings; /* must outlive the backend */
	const char *supervisor; /* path here, with tuner-agent beside it; both are copied to the
				   attempts' file system, once per build */
	int64_t gpu_look_us; /* time between two samples of an attempt's GPUs */
	bool starts; /* false: opened only to end what runs; then only necessary requests are
			made */
	int64_t (*now_us)(void *context); /* monotonic; NULL: the clock */
	void *context;
};

/* The heartbeat interval that a launch asks of its supervisor there. */
enum { SLURM_HEARTBEAT_S = 5 };

TUNER_MUST_CHECK
bool backend_slurm_open(
	const struct slurm_host *host, struct backend **ret, struct tuner_error *err);

/* ---- slurm_script.c ---- */

/* What a job runs: paths as the nodes see them. */
struct slurm_programs {
	char *supervisor, *agent;
};

/* The batch script: the user's lines; if the job has GPUs, the agent beside all (agent_sample.h);
 * and the supervisor. NULL without memory; caller frees. */
char *slurm_script(const struct slurm_settings *settings, const struct slurm_programs *programs,
	const char *directory, const char *key, int64_t gpu_look_us);

/* The script's exit status if Slurm runs it again. */
enum { SLURM_SCRIPT_FENCED = 99 };

/* Makes the copies that the nodes run, in `directory`, named after their content. The caller calls
 * slurm_programs_finish. */
TUNER_MUST_CHECK
bool slurm_programs_copy(const char *supervisor, const char *directory, struct slurm_programs *ret,
	struct tuner_error *err);
void slurm_programs_finish(struct slurm_programs *programs);

#endif
