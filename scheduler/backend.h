/* Backends: ways to reach hosts. Each is a struct of functions; `null` is scripted, for tests.
 *
 *     open -> [start | adopt] -> next... -> ENDED | LOST -> forget -> close
 *
 * No call blocks longer than a file operation: the loop waits on the descriptors and calls next()
 * until there are no more events. A backend never decides a trial's fate; it reports what became of
 * processes. Attempts are named by the caller's id. Not thread-safe. */
#ifndef SCHEDULER_BACKEND_H
#define SCHEDULER_BACKEND_H

#include "scheduler/attempt.h"
#include "scheduler/gpu_lock.h"
#include "scheduler/gpu_report.h"
#include "scheduler/machine.h"

#include <poll.h>

struct backend;

enum backend_event_kind {
	BACKEND_STARTED, /* the command runs (its `started` file exists) */
	BACKEND_ENDED, /* `exit` says how. All its output can be read */
	BACKEND_LOST, /* gone without an exit record; provably nothing of it is left */
	BACKEND_FAILED, /* nothing was started; `message` says why */
	BACKEND_LATE, /* an attempt that was LOST has turned up, and nothing of it is alive. exit:
			 how it ended; or message: that it left no record. For the record only: a
			 newer attempt may have taken its place */
	BACKEND_HOST_UP, /* the host answers (again); machine() tells what it has. attempt is 0 */
	BACKEND_HOST_DOWN, /* it does not; `message` says why. Attempts that run there are not lost
			      by this */
	BACKEND_WARNING, /* `message` tells people something about the host. attempt is 0 */
};

struct backend_event {
	enum backend_event_kind kind;
	int64_t attempt;
	int64_t started_us; /* STARTED: wall clock */
	struct exit_record exit;
	char message[256];
};

/* Where attempts run that do not run on this machine. The backend owns what it points to and keeps
 * it valid. */
struct backend_site {
	const char *directory; /* absolute: the job's, which holds 0007/1 */
	const char *code; /* the working directory there; NULL: the same as here */
	char *const *environment; /* what a command inherits there: NAME=VALUE; NULL-terminated */
	const char *gpu_locks; /* directory of the locks of GPUs; NULL: they cannot be locked */
	const char *gpu_owner; /* as whom claim_gpu claims */
};

/* What a host still holds of a job: attempts with results to fetch, and lost ones to end. */
struct backend_left {
	size_t results, lost;
};

struct backend_ops {
	const char *name;

	/* Attempts run elsewhere, and their directories here only mirror what is known of them:
	 * they cannot prove that nothing has run. */
	bool remote;

	/* Starts the attempt whose directory holds `launch` already (launch_write). Idempotent
	 * because of `started`: an attempt that has already run there is adopted instead. An error
	 * means that nothing was started. */
	bool (*start)(struct backend *backend, int64_t attempt, const char *directory,
		const char *key, struct tuner_error *err);

	/* Takes over an attempt that an earlier process started: events will report what became of
	 * it. An attempt that never ran is started, except one without `launch` (never written, or
	 * the whole directory was removed), which is LOST. */
	bool (*adopt)(struct backend *backend, int64_t attempt, const char *directory,
		const char *key, struct tuner_error *err);

	/* Sends a signal to the attempt (through its supervisor). SIGKILL ends the whole group at
	 * once. Not an error if it has ended meanwhile. */
	bool (*signal)(
		struct backend *backend, int64_t attempt, int signal, struct tuner_error *err);

	/* As output_read. */
	bool (*read_output)(struct backend *backend, int64_t attempt, int64_t offset,
		char *ret_bytes, size_t size, int64_t *ret_offset, size_t *ret_size,
		struct tuner_error *err);

	/* Descriptors to wait for (at most `size`), and the longest wait; -1: no limit. */
	size_t (*descriptors)(struct backend *backend, struct pollfd *ret_fds, size_t size);
	int (*wait_ms)(struct backend *backend);

	/* The host's cores and GPUs, once it is up. NULL in a backend whose caller knows them. */
	bool (*machine)(struct backend *backend, struct machine *ret, struct tuner_error *err);

	/* Where a remote backend's attempts run. False: not known until the host has been up. NULL:
	 * on this machine. */
	bool (*site)(struct backend *backend, struct backend_site *ret);

	/* Takes the newest report on the host's GPUs, if it has not been taken yet; does not wait.
	 * Its asked_us is by our clock: INT64_MIN if an attempt may have left since. NULL in a
	 * backend that reports nothing, as the next two. */
	bool (*gpus)(struct backend *backend, struct gpu_report *ret);

	/* Claims a GPU of the host for the job (gpu_lock.h), or says that it is claimed; ASKED
	 * until the host has answered. A lock is lost with the connection: so call again before
	 * each use. ret_owner: who has it, or why it cannot be locked. */
	enum gpu_claim (*claim_gpu)(
		struct backend *backend, const char *uuid, char ret_owner[GPU_OWNER_MAX]);
	void (*release_gpu)(struct backend *backend, const char *uuid);

	/* Whether results of ended attempts are still being fetched, or lost attempts being ended,
	 * by a host that answers, did so a moment ago, or has not been asked. Results that have
	 * failed to arrive several times are tried again, but not waited for. NULL: never. */
	bool (*is_busy)(struct backend *backend);

	/* Whether this process is still to fetch this attempt's results. NULL: never. */
	bool (*is_fetching)(struct backend *backend, int64_t attempt);

	/* Counts ended attempts, also of earlier processes, whose results have not all been
	 * fetched, and lost ones that may still run and are to be ended when the host answers.
	 * NULL: none. */
	struct backend_left (*left)(struct backend *backend);

	/* The next event, if there is one. */
	bool (*next)(struct backend *backend, struct backend_event *ret, bool *ret_got,
		struct tuner_error *err);

	/* After ENDED, LOST or FAILED has been committed: frees what is held for the attempt. */
	void (*forget)(struct backend *backend, int64_t attempt);

	/* Leaves running attempts alive. */
	void (*close)(struct backend *backend);
};

struct backend {
	const struct backend_ops *ops;
};

/* `supervisor`: path of tuner-supervise. It must be executable: TUNER_USAGE otherwise. */
TUNER_MUST_CHECK
bool backend_local_open(const char *supervisor, struct backend **ret, struct tuner_error *err);

/* For a local backend: commands started from now on are ended, as by SIGTERM, when the thread that
 * starts them dies for any reason. */
void backend_local_bind(struct backend *backend);

/* One scripted attempt of the null backend: what happens, in virtual milliseconds from its start. */
struct null_step {
	int64_t at_ms;
	enum { NULL_START, NULL_OUTPUT, NULL_EXIT, NULL_LOSE, NULL_FAIL } what;
	const char *output; /* NULL_OUTPUT */
	int code; /* NULL_EXIT */
};

/* A backend without processes: `script` gives the steps of a started attempt in the order of their
 * times, and returns their number (at most `size`). Time begins at 0 and is moved by
 * backend_null_advance; wall-clock times are it in microseconds, plus 1. A signal that would end a
 * program ends the attempt, as stopped, at the next look; adopting a known attempt reports its
 * events once more. */
TUNER_MUST_CHECK
bool backend_null_open(size_t (*script)(void *context, int64_t attempt, const char *directory,
			       struct null_step *ret_steps, size_t size),
	void *context, struct backend **ret, struct tuner_error *err);
void backend_null_advance(struct backend *backend, int64_t ms);

#endif
