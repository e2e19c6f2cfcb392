/* The ssh backend: hosts that are reached by the user's own `ssh`, with its configuration, keys and jump
 * hosts. One connection a host; at its other end tuner-agent (agent.c), which is copied there once per
 * build, with tuner-supervise.
 *
 * A lost connection is not a lost attempt: supervisors go on, output is kept on the host, and the next
 * connection continues where this one stopped. Only a host that stays away beyond host_timeout_us loses
 * its attempts; when it comes back they are killed before anything else is started there, and
 * BACKEND_LATE tells what had become of them.
 *
 * What must survive us, beside the attempts' own directories: that results of an ended attempt are still to
 * be fetched, and that a lost one is still to be killed (ssh_pending.h). */
#ifndef SCHEDULER_SSH_H
#define SCHEDULER_SSH_H

#include "scheduler/backend.h"

struct ssh_settings {
	const char *name; /* the host's, in the pool: letters, digits, '.', '_', '-' and ':' */
	const char *address; /* as `ssh` takes it: a name of its configuration, or an address */
	const char *user; /* "": as the configuration says */
	unsigned port; /* 0: likewise */
	char *const *options; /* further words for ssh, NULL-terminated; NULL: none */
	const char *directory; /* on the host: absolute, or counted from the home directory */
	const char *supervisor; /* here; tuner-agent is beside it */
	const char *mirror; /* here: the job's directory, where attempts have theirs, as 0007/1 */
	const char
		*code; /* here: the working directory, to be sent; NULL: the host has it at the same
			     path */
	const char *database; /* what begins with this path is not sent */
	int64_t host_timeout_us; /* so long without an answer loses what runs there */
	int64_t lease_us; /* so long without us a supervisor ends its command; 0: never */
	int64_t log_max_bytes;
	bool starts; /* false: only to end what runs there */
};

/* Copies the settings. Does not connect yet. TUNER_USAGE: the programs are not there. */
TUNER_MUST_CHECK
bool backend_ssh_open(
	const struct ssh_settings *settings, struct backend **ret, struct tuner_error *err);

/* Frozen code in the place of the working directory, before anything is started: it is sent as it is, to a directory
 * of its own, so that what began in another goes on in that. */
TUNER_MUST_CHECK
bool backend_ssh_freeze(struct backend *backend, const char *code, struct tuner_error *err);

#endif
