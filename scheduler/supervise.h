/* Internals of tuner-supervise: the parts of the program. Libc only; except for cgroup.h, nothing
 * here is used elsewhere.
 *
 *     oom_kills -> order_read -> secrets_add -> child_fork -> record_started -> child_go
 *                -> log_add, signals, time limit ... -> record_exit -> record_sync
 *
 * Messages for people go to char[MESSAGE_MAX] and end up in exit.json. */
#ifndef SCHEDULER_SUPERVISE_H
#define SCHEDULER_SUPERVISE_H

#include "scheduler/attempt_files.h"
#include "scheduler/cgroup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { MESSAGE_MAX = 256 };

/* ---- what to run: supervise_order.c ---- */

/* The launch file. `bytes` holds all strings except the environment's entry for the attempt's key
 * and inherited entries. */
struct order {
	char *bytes, *key_entry;
	const char *key, *directory;
	char **arguments, **environment;
	const char *secrets; /* file; NULL: none */
	int64_t memory_bytes; /* 0: no limit */
	bool no_network;
	const char *gpu_locks[LAUNCH_GPU_LOCKS_MAX];
	int n_gpu_locks;
	const char *gpu_owner; /* NULL: none was named */
	int64_t timeout_us, grace_us, log_max_bytes;
	int64_t lease_us; /* 0: none */
	bool inherits;
	int64_t heartbeat_us; /* 0: none */
};

/* Reads DIRECTORY/launch. The environment gets the attempt's key, replacing any, and what it
 * inherits from ours. */
bool order_read(int directory, struct order *ret, char ret_message[MESSAGE_MAX]);

/* Call also after order_read has failed. The supervisor itself keeps its order to the end. */
void order_finish(struct order *order);

/* ---- the command's process: supervise_child.c ---- */

struct child {
	pid_t pid; /* leads the process group of the same number */
	int go; /* the child waits for a byte here; if this is closed, it exits */
	int output; /* its stdout and stderr, non-blocking */
	int failure; /* struct child_failure, or end of file once exec has succeeded */
};

/* Why the child did not get as far as the command. */
struct child_failure {
	enum { CHILD_NETWORK, CHILD_SYNC, CHILD_SETUP, CHILD_DIRECTORY, CHILD_EXEC } stage;
	int error;
};

/* Forks a child that waits for child_go. It is killed if this process dies. */
bool child_fork(
	int directory, const struct order *order, struct child *ret, char ret_message[MESSAGE_MAX]);

/* `started` has its name now: has the child sync the directory while we sync the file. */
void child_sync(struct child *child);

/* Lets the child exec: from here on the command may run. */
void child_go(struct child *child);

/* Makes the child exit without running anything, and waits for that. */
void child_abandon(struct child *child);

void child_explain(const struct child_failure *failure, const struct order *order,
	char ret_message[MESSAGE_MAX]);

/* SIGKILL to every child of this process; with PR_SET_CHILD_SUBREAPER these include orphans of the
 * command that left its process group. */
void children_kill(void);

/* ---- isolation: supervise_secrets.c, supervise_memory.c, supervise_network.c ---- */

/* Adds the entries of the order's secrets file, if it names one (secrets.h), to its environment,
 * replacing entries of the same name. */
bool secrets_add(struct order *order, char ret_message[MESSAGE_MAX]);

/* Resident bytes of all descendants of this process; if the plain sum is above `limit`, shared
 * pages are counted once (by the kernel's proportional count). */
int64_t memory_of_descendants(int64_t limit);

/* From now on this process and what it starts see only the loopback interface, by a user and a
 * network namespace of their own. False with errno if the kernel does not allow it. */
bool network_cut(void);

/* ---- output.log: supervise_log.c ---- */

struct log {
	int directory;
	int fd; /* -1: the newest segment has no file yet */
	int64_t segment_max;
	int64_t start, size; /* of the newest segment */
	int64_t previous; /* start of the older one; -1: there is none */
	int64_t written; /* by the command */
	int64_t lost; /* of these, not stored */
	int64_t gap; /* of these, since the last stored byte */
	int error; /* why */
};

void log_init(struct log *log, int directory, int64_t max_bytes);

/* Stores the command's bytes, or counts them as lost; never fails. The first bytes stored after a
 * loss are preceded by a line that reports it. */
void log_add(struct log *log, const char *bytes, size_t n);

/* ---- started, exit.json: supervise_record.c ---- */

/* As struct exit_record, with the kinds in the same order. */
struct outcome {
	enum {
		KIND_CODE,
		KIND_SIGNAL,
		KIND_TIMEOUT,
		KIND_STOPPED,
		KIND_NO_START,
		KIND_MEMORY
	} kind;
	int code, signal, stop_signal;
	char message[MESSAGE_MAX];
	int64_t started_us, ended_us, user_us, system_us, max_rss_bytes;
	bool out_of_memory;
};

/* Creates `started`; fails with errno EEXIST if it exists. Whoever creates it is the attempt's one
 * supervisor: only that process may let the command run and write exit.json. *ret_claimed: we
 * created it, even if a later step failed. Calls child_sync, and returns when the file is durable;
 * without a child (NULL) nothing will run, and only an end is recorded. `cgroup`: the group that
 * the command is about to join; "": none. `locked`: we hold the lock; if not, a reader of half a
 * record could not know that we are alive, so the file appears whole. */
bool record_started(int directory, struct child *child, int64_t started_us, const char *cgroup,
	bool locked, bool *ret_claimed);

/* Makes room for exit.json, so that a disk that fills up meanwhile cannot keep it from being
 * written. Returns its descriptor or -1. */
int record_reserve(int directory);

/* Makes exit.json appear, whole. Only for the process that has claimed the attempt: it would
 * replace another's. */
bool record_exit(int directory, int reserved, const struct outcome *outcome, const struct log *log);

/* Makes exit.json, its name and the output durable. All writes are started together, so that on a
 * file system with a journal the first fsync commits everything, and the others have little to wait
 * for. The order in which they reach the disk does not matter: readers recognize a torn
 * exit.json. */
void record_sync(int directory, int exit_json, const struct log *log);

/* Shows that we are alive: creates `heartbeat`, or updates its time by the file server's clock. */
void record_heartbeat(int directory);

/* The signal that `stop` asks for; 0 if there is none, or none newer than at the last call. */
int record_stop(int directory);

/* OOM kills in our cgroup (v2 memory.events, v1 memory.oom_control) or else on this machine; -1 if
 * the kernel does not report them. */
int64_t oom_kills(void);

int64_t wall_us(void);

#endif
