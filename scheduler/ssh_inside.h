/* Inside of ssh.h: the backend's state and its parts in the files ssh*.c. Nothing else includes it. */
#ifndef SCHEDULER_SSH_INSIDE_H
#define SCHEDULER_SSH_INSIDE_H

#include "scheduler/ssh.h"
#include "scheduler/ssh_link.h"
#include "scheduler/ssh_pending.h"

struct ssh_attempt {
	int64_t id;
	char *directory; /* the mirror's */
	char trial[32], number[32]; /* "0007", "1" */
	char key[64];
	bool starts; /* it may be started there if it has not run */
	bool sent; /* the agent of this connection knows it */
	bool started, ended; /* told */
	bool fenced; /* lost: to be killed as soon as the host is back */
	bool quiet; /* fenced, and its end has been told */
	bool waits; /* for its checkpoints to be sent */
	int signal; /* to be sent; 0: none */
};

enum copy_kind { COPY_CODE, COPY_CHECKPOINT, COPY_RESULTS };

/* One rsync, waiting or under way. */
struct ssh_copy {
	enum copy_kind kind;
	struct pending of; /* the attempt; of COPY_CODE nothing */
	int64_t due_us, until_us;
	int tries;
	bool runs;
	struct child_process rsync;
};

struct ssh {
	struct backend backend;
	char *name, *address, *user, *directory, *mirror, *code, *database, *pending, *job;
	unsigned port;
	char **options;
	int64_t host_timeout_us, lease_us, log_max_bytes;
	bool starts;
	struct image images[IMAGES];
	char control[108]; /* of a directory of its own; "": there is none */

	struct ssh_link link;
	bool greeted; /* this connection's agent has said what it is */
	int64_t next_try_us, pause_us; /* monotonic */
	int64_t heard_us; /* last, or since when we wait to be */
	int64_t ping_us; /* next */
	enum { TOLD_NOTHING, TOLD_UP, TOLD_DOWN } told;
	char told_reason[256];
	int64_t told_us;

	struct machine machine; /* as last told */
	struct text root; /* its directory, absolute; empty: never heard */
	struct text site_directory, site_code;
	struct strings environment;
	char **environment_vector;
	bool has_rsync;

	struct ssh_attempt *attempts;
	size_t n, capacity;
	struct ssh_copy *copies;
	size_t n_copies, copies_capacity;
	bool code_sent;
	char copy_fault
		[256]; /* why the code could not be sent; "": it could, or has not been tried */

	struct backend_event *events;
	size_t n_events, events_capacity, first_event;
};

struct ssh_attempt *ssh_find(const struct ssh *ssh, int64_t id);

/* Appends one; false without memory. */
bool ssh_tell(struct ssh *ssh, const struct backend_event *event);

/* ---- ssh_copy.c: code and checkpoints there, results home ---- */

/* As often as something may have happened. A fault in the code's way goes to copy_fault. */
TUNER_MUST_CHECK
bool ssh_copies_step(struct ssh *ssh, struct tuner_error *err);
TUNER_MUST_CHECK
bool ssh_copy_add(
	struct ssh *ssh, enum copy_kind kind, const struct pending *of, struct tuner_error *err);

/* Whether an attempt's trial has checkpoints here that the host must have first. */
bool ssh_needs_checkpoint(const struct ssh *ssh, const struct ssh_attempt *attempt);
bool ssh_copies_results(const struct ssh *ssh);
size_t ssh_copies_descriptors(struct ssh *ssh, struct pollfd *ret_fds, size_t size);
int64_t ssh_copies_due_us(const struct ssh *ssh); /* monotonic; INT64_MAX: none */

/* The connection is gone, and what used it with it: to be done again. */
void ssh_copies_interrupt(struct ssh *ssh);
void ssh_copies_finish(struct ssh *ssh);

/* The attempt may be started now. In ssh.c. */
void ssh_checkpoint_sent(struct ssh *ssh, int64_t id, const char *fault);

/* How the host is reached. In ssh.c. */
struct ssh_target ssh_target_of(const struct ssh *ssh);

#endif
