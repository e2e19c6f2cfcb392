/* The ssh backend: hosts that are reached by the user's own `ssh`, with its configuration, keys and
 * jump hosts. One connection per host; at its other end runs tuner-agent (agent.c), which is copied
 * there once per build, with tuner-supervise.
 *
 * A lost connection is not a lost attempt: supervisors continue, output is kept on the host, and
 * the next connection continues where this one stopped. Only a host that does not answer for
 * host_timeout_us loses its attempts; when it answers again they are killed before anything else is
 * started there, and BACKEND_LATE reports what had become of them.
 *
 * Besides the attempts' own directories, two facts must survive this process: that results of an
 * ended attempt are still to be fetched, and that a lost one is still to be killed
 * (ssh_pending.h). */
#ifndef SCHEDULER_SSH_H
#define SCHEDULER_SSH_H

#include "scheduler/backend.h"

struct ssh_settings {
	const char *name; /* the host's name in the pool: letters, digits, '.', '_', '-' and ':' */
	const char *address; /* as given to `ssh`: a name from its configuration, or an address */
	const char *user; /* "": as the configuration says */
	unsigned port; /* 0: likewise */
	char *const *options; /* further arguments of ssh, NULL-terminated; NULL: none */
	const char *directory; /* on the host: absolute, or relative to the home directory */
	const char *supervisor; /* here; tuner-agent is beside it */
	const char *mirror; /* here: the job's directory, which holds the attempts' (0007/1) */
	const char
		*code; /* here: the working directory, to be sent; NULL: the host has it at the same
			     path */
	const char *database; /* files whose path begins with this are not sent */
	const char *secrets; /* nor is this file, absolute and without links; NULL: none */
	int64_t host_timeout_us; /* after this long without an answer its attempts are lost */
	int64_t lease_us; /* after this long without contact a supervisor ends its command; 0:
			     never */
	int64_t log_max_bytes;
	int64_t gpu_look_us; /* time between two reports on the host's GPUs; 0: they are not used */
	bool starts; /* false: opened only to end what runs there */
};

/* Copies the settings. Does not connect yet. TUNER_USAGE: tuner-supervise or tuner-agent is
 * missing. */
TUNER_MUST_CHECK
bool backend_ssh_open(
	const struct ssh_settings *settings, struct backend **ret, struct tuner_error *err);

/* Uses frozen code instead of the working directory; call before anything is started. It is sent
 * unchanged to a directory of its own, so that attempts that began in another directory continue
 * there. */
TUNER_MUST_CHECK
bool backend_ssh_freeze(struct backend *backend, const char *code, struct tuner_error *err);

#endif
