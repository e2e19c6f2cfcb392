/* The ways to talk to Slurm: slurmrestd (slurm_rest.c), or the user's own sbatch, squeue and scancel
 * (slurm_cli.c); tests script a third.
 *
 *     send -> [poll for its descriptors] -> receive until there is a reply -> send ...
 *
 * One request at a time. No call blocks; a request that takes too long ends as UNCLEAR. A request
 * must stay valid until its reply. Nothing here knows what an attempt is. */
#ifndef SCHEDULER_SLURM_TRANSPORT_H
#define SCHEDULER_SLURM_TRANSPORT_H

#include "base/error.h"

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

/* The job file's settings for a cluster. A string that is NULL was not given. All must outlive the
 * transport. */
struct slurm_settings {
	const char *url; /* http://..., https://... or unix:/path; NULL: the user's own programs */
	const char *user; /* NULL: ours */
	const char *token_file;
	char *const *token_command;
	const char *partition, *gres, *account, *qos, *constraint;
	int64_t time_limit_us; /* 0: the partition's */
	int64_t memory_bytes; /* per node; 0: the partition's */
	unsigned cores; /* per job */
	char *const *script_lines; /* at the top of the script; NULL: none */
};

enum slurm_request_kind { SLURM_SUBMIT, SLURM_LIST, SLURM_CANCEL };

struct slurm_request {
	enum slurm_request_kind kind;
	/* SUBMIT */
	const char *name, *script, *script_path, *directory, *log;
	/* LIST: wall-clock time here; if nothing has changed since then, the reply may say so. 0:
	 * list all */
	int64_t since_us;
	/* CANCEL: kill ends it at once, without SIGTERM */
	int64_t job;
	bool kill;
};

/* RUNNING: it holds resources, and its processes may be alive. COMPLETING: ended, but neither its
 * outcome nor the end of its processes is certain yet. COMPLETED and later: over. */
enum slurm_state {
	SLURM_UNKNOWN,
	SLURM_PENDING,
	SLURM_REQUEUED, /* is being, or would be, run again */
	SLURM_RUNNING,
	SLURM_SUSPENDED,
	SLURM_COMPLETING,
	SLURM_COMPLETED,
	SLURM_FAILED,
	SLURM_CANCELLED,
	SLURM_TIMEOUT,
	SLURM_OUT_OF_MEMORY,
	SLURM_PREEMPTED,
	SLURM_NODE_FAIL,
	SLURM_STATES
};

struct slurm_job {
	int64_t id;
	enum slurm_state state;
	int64_t restarts;
	int64_t submitted_s; /* by the controller's clock; 0: not given */
	char name[256], reason[64], nodes[64];
};

enum slurm_result {
	SLURM_OK,
	SLURM_REFUSED, /* Slurm refused and said why. A job may be queued all the same: its number
			  is in job */
	SLURM_UNREACHABLE, /* nothing has happened: Slurm cannot be reached, or rejects our
			      credentials */
	SLURM_UNCLEAR, /* the request may or may not have taken effect */
};

struct slurm_reply {
	enum slurm_request_kind kind;
	enum slurm_result result;
	int64_t job; /* SUBMIT */
	bool unchanged; /* LIST: no jobs are given, because nothing has changed */
	struct slurm_job *jobs; /* LIST: owned by the transport until the next send */
	size_t n_jobs;
	char message[256];
};

struct slurm_transport;

struct slurm_transport_ops {
	/* Fails only for reasons on our own machine (no memory, no such program). */
	bool (*send)(struct slurm_transport *transport, const struct slurm_request *request,
		struct tuner_error *err);
	size_t (*descriptors)(
		struct slurm_transport *transport, struct pollfd *ret_fds, size_t size);
	int (*wait_ms)(struct slurm_transport *transport); /* -1: for the descriptors alone */
	bool (*receive)(struct slurm_transport *transport, struct slurm_reply *ret, bool *ret_got,
		struct tuner_error *err);
	/* A request that has been sent may still take effect. */
	void (*close)(struct slurm_transport *transport);
};

struct slurm_transport {
	const struct slurm_transport_ops *ops;
	int64_t poll_us; /* between two lists: the load that we put on the server */
};

TUNER_MUST_CHECK
bool slurm_cli_open(const struct slurm_settings *settings, struct slurm_transport **ret,
	struct tuner_error *err);
TUNER_MUST_CHECK
bool slurm_rest_open(const struct slurm_settings *settings, struct slurm_transport **ret,
	struct tuner_error *err);

/* The part of our environment that a job gets, as NAME=VALUE: what any remote command gets and,
 * with `engine`, the variables that sbatch itself reads. NULL-terminated, pointing into environ;
 * the caller frees the array. NULL without memory. */
char **slurm_environment(bool engine);

/* The state of Slurm's name ("RUNNING"); names that mean the same to us share one. */
enum slurm_state slurm_state_named(const char *name);

/* Whether a job in this state has ended for good. */
bool slurm_state_is_final(enum slurm_state state);

#endif
