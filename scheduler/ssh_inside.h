/* Internals of ssh.h: the backend's state and its parts, in the files ssh*.c. Nothing else includes
 * this file. */
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
	bool starts; /* it may be started there if it has not run yet */
	bool sent; /* this connection's agent knows it */
	bool asked; /* this process has sent it before, or an earlier process may have */
	bool started, ended; /* told */
	bool fenced; /* lost: to be killed as soon as the host is back */
	bool quiet; /* fenced, and its end has been reported */
	bool waits; /* waits for its checkpoints to be sent */
	int signal; /* to be sent; 0: none */
	int sent_signal; /* sent, but no later ping has been answered; 0: none */
	int64_t signal_us; /* when it was sent; monotonic */
};

/* A GPU of the host, as far as its lock goes. */
struct ssh_gpu {
	char uuid[64];
	enum gpu_claim state; /* as last answered; TAKEN before, too */
	bool asked; /* a claim is under way */
	bool answered;
	int64_t again_us; /* TAKEN: it is not claimed again before */
	char who[GPU_OWNER_MAX]; /* has it, or why it cannot be locked */
};

enum copy_kind { COPY_CODE, COPY_CHECKPOINT, COPY_RESULTS };

/* One rsync, waiting or running. */
struct ssh_copy {
	enum copy_kind kind;
	struct pending of; /* the attempt; unused by COPY_CODE */
	int64_t due_us;
	int64_t until_us; /* when running: it is ended then */
	int64_t others_until_us; /* COPY_CHECKPOINT: until then other hosts' results are waited
				    for */
	int tries;
	bool runs;
	bool fails; /* results that failed to arrive TRIES_MAX times: nobody waits for them */
	struct child_process rsync;
};

struct ssh {
	struct backend backend;
	char *name, *address, *user, *directory, *mirror, *code, *database, *secrets, *pending,
		*job;
	unsigned port;
	char **options;
	int64_t host_timeout_us, lease_us, log_max_bytes;
	bool starts;
	char code_name
		[32]; /* name of the directory that the code is sent to: "code", another for frozen
			 code */
	bool frozen;
	struct image images[IMAGES];
	char control[108]; /* control socket, in a directory of its own; "": none */

	struct ssh_link link;
	bool greeted; /* this connection's agent has said HELLO */
	int64_t next_try_us, pause_us; /* monotonic */
	int64_t heard_us; /* when the host last answered, or since when we wait for it to */
	int64_t looked_us; /* when the last step ended, or the backend was opened */
	int64_t ping_us; /* next */
	enum { TOLD_NOTHING, TOLD_UP, TOLD_DOWN } told;
	char told_reason[256];
	int64_t told_us;

	int64_t clock_behind_us; /* how far its wall clock is behind ours; 0: negligibly */
	struct machine machine; /* as last reported */
	struct text root; /* the agent's directory, absolute; empty: not heard yet */
	struct text site_directory, site_code;
	struct strings environment;
	char **environment_vector;
	bool has_rsync;

	int64_t gpu_look_us; /* time between two reports on its GPUs; 0: there are none */
	struct gpu_report *gpu_report; /* the newest; NULL: none so far */
	bool gpu_report_fresh; /* not taken yet */
	struct text gpu_locks; /* directory there; empty: GPUs cannot be locked */
	char gpu_owner[GPU_OWNER_MAX]; /* we, in these locks */
	struct ssh_gpu gpus[GPUS_MAX]; /* those claimed over this connection */
	size_t n_gpus;

	struct ssh_attempt *attempts;
	size_t n, capacity;
	struct ssh_copy *copies;
	size_t n_copies, copies_capacity;
	bool code_sent;
	bool code_missing; /* the host had no code when it last answered, and has been sent none
			      since */
	char copy_fault
		[256]; /* why the code could not be sent; "": it was sent, or that has not been
			  tried */

	struct backend_event *events;
	size_t n_events, events_capacity, first_event;
};

/* ---- ssh.c: the operations ---- */

/* The first pause before another try; doubled with each try. */
#define PAUSE_FIRST_US INT64_C(500000)

struct ssh_attempt *ssh_find(const struct ssh *ssh, int64_t id);
struct ssh_attempt *ssh_keep(
	struct ssh *ssh, int64_t id, const char *directory); /* NULL without memory */
void ssh_drop(struct ssh *ssh, struct ssh_attempt *attempt);

/* Sets its names from its directory, MIRROR/0007/1. */
TUNER_MUST_CHECK
bool ssh_name_attempt(const struct ssh *ssh, struct ssh_attempt *attempt, const char *key,
	struct tuner_error *err);
struct pending ssh_pending_of(const struct ssh_attempt *attempt, enum pending_kind kind);

/* How the host is reached. */
struct ssh_target ssh_target_of(const struct ssh *ssh);

/* The wait for an attempt's checkpoints is over: it may be started, unless `fault` says why they
 * could not be sent. */
void ssh_checkpoint_sent(struct ssh *ssh, int64_t id, const char *fault);

/* ---- ssh_connection.c ---- */

/* Does what is due, without waiting. Events to report are then in ssh->events. */
TUNER_MUST_CHECK
bool ssh_step(struct ssh *ssh, struct tuner_error *err);

/* ---- ssh_talk.c: to the loop, to the agent, and from it ---- */

/* Appends an event; false without memory. */
bool ssh_tell(struct ssh *ssh, const struct backend_event *event);
TUNER_MUST_CHECK
bool ssh_tell_text(struct ssh *ssh, enum backend_event_kind kind, int64_t attempt,
	const char *message, struct tuner_error *err);

/* The host answers, or does not: reported when that has changed. */
TUNER_MUST_CHECK
bool ssh_tell_up(struct ssh *ssh, struct tuner_error *err);
TUNER_MUST_CHECK
bool ssh_tell_down(struct ssh *ssh, const char *reason, struct tuner_error *err);

/* Reports what the mirror shows; once each. */
TUNER_MUST_CHECK
bool ssh_tell_started(struct ssh *ssh, struct ssh_attempt *attempt,
	const struct attempt_status *status, struct tuner_error *err);
TUNER_MUST_CHECK
bool ssh_tell_ended(struct ssh *ssh, struct ssh_attempt *attempt,
	const struct attempt_status *status, struct tuner_error *err);

/* Whether it was prepared here, and so may have been started there. */
bool ssh_is_prepared(const struct ssh_attempt *attempt);

/* Sends all attempts that this connection's agent does not know yet. */
TUNER_MUST_CHECK
bool ssh_send_attempts(struct ssh *ssh, struct tuner_error *err);
void ssh_send_number(struct ssh *ssh, enum message_kind kind, int64_t attempt, int64_t number);
void ssh_send_signal(struct ssh *ssh, struct ssh_attempt *attempt);

/* The connection is gone: signals that it may have lost are to be sent over the next one. */
void ssh_recall_signals(struct ssh *ssh);

TUNER_MUST_CHECK
bool ssh_take_messages(struct ssh *ssh, struct tuner_error *err);

/* ---- ssh_gpus.c: reports on the host's GPUs, and their locks ---- */

/* Once the job's name there is known. */
void ssh_gpus_name_owner(struct ssh *ssh);

/* A connection begins: reports are asked for, and no lock is held. */
void ssh_gpus_greeted(struct ssh *ssh);
TUNER_MUST_CHECK
bool ssh_gpus_take_report(struct ssh *ssh, const struct message *message, struct tuner_error *err);
void ssh_gpus_take_claim(struct ssh *ssh, const struct message *message);

/* As backend_ops. */
bool ssh_gpus(struct backend *backend, struct gpu_report *ret);
enum gpu_claim ssh_claim_gpu(
	struct backend *backend, const char *uuid, char ret_owner[GPU_OWNER_MAX]);
void ssh_release_gpu(struct backend *backend, const char *uuid);

/* ---- ssh_copy.c: code and checkpoints there, results home ---- */

/* Call whenever something may have happened. Why the code cannot be sent goes to copy_fault. */
TUNER_MUST_CHECK
bool ssh_copies_step(struct ssh *ssh, struct tuner_error *err);
TUNER_MUST_CHECK
bool ssh_copy_add(
	struct ssh *ssh, enum copy_kind kind, const struct pending *of, struct tuner_error *err);

/* Whether an attempt's trial has checkpoints here that the host must have first. */
bool ssh_needs_checkpoint(const struct ssh *ssh, const struct ssh_attempt *attempt);
bool ssh_copies_results(const struct ssh *ssh, int64_t attempt);
bool ssh_awaits_results(const struct ssh *ssh); /* of any attempt, unless they have failed too
						   often */
size_t ssh_copies_descriptors(struct ssh *ssh, struct pollfd *ret_fds, size_t size);
int64_t ssh_copies_due_us(const struct ssh *ssh); /* monotonic; INT64_MAX: none */

/* The connection is gone, and the copies that used it: they are to be done again. */
void ssh_copies_interrupt(struct ssh *ssh);
void ssh_copies_finish(struct ssh *ssh);

#endif
