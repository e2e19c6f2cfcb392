/* Backends: ways to reach hosts. A struct of functions each; `null` is scripted, for tests.
 *
 *     open -> [start | adopt] -> next... -> ENDED | LOST -> forget -> close
 *
 * No call blocks longer than a file operation: the loop waits on the descriptors and calls next()
 * until it has nothing more. A backend never decides a trial's fate; it reports what became of
 * processes. Attempts are named by the caller's id. Not thread-safe. */
#ifndef SCHEDULER_BACKEND_H
#define SCHEDULER_BACKEND_H

#include "scheduler/attempt.h"
#include "scheduler/machine.h"

#include <poll.h>

struct backend;

enum backend_event_kind {
	BACKEND_STARTED, /* the command runs (its `started` file is there) */
	BACKEND_ENDED, /* exit: how. All its output can be read */
	BACKEND_LOST, /* gone without an exit record; provably nothing of it is left */
	BACKEND_FAILED, /* nothing was started, and why: message */
	BACKEND_LATE, /* one that was LOST has turned up, and nothing of it lives. exit: how it went;
			 message: that it left no record. Only kept: its place may be taken */
	BACKEND_HOST_UP, /* the host answers (again); machine() tells what it has. attempt is 0 */
	BACKEND_HOST_DOWN, /* it does not, and why: message. What runs there is not lost thereby */
	BACKEND_WARNING, /* something for people, about the host: message. attempt is 0 */
};

struct backend_event {
	enum backend_event_kind kind;
	int64_t attempt;
	int64_t started_us; /* STARTED: wall clock */
	struct exit_record exit;
	char message[256];
};

/* Where attempts run that do not run on this machine. What it points to is the backend's, and stays. */
struct backend_site {
	const char *directory; /* absolute: the job's, which holds 0007/1 */
	const char *code; /* what the working directory is there; NULL: the same as here */
	char *const *environment; /* what a command inherits there: NAME=VALUE; NULL-terminated */
};

/* What a host still has of a job. */
struct backend_left {
	size_t results, lost;
};

struct backend_ops {
	const char *name;

	/* Attempts run elsewhere, and their directories here only mirror what is known of them: that
	 * nothing has run cannot be read from them. */
	bool remote;

	/* Starts the attempt whose directory holds `launch` already (launch_write). Idempotent by
	 * the directory's own fence: if something has run there already it is adopted instead. An
	 * error means that nothing was started. */
	bool (*start)(struct backend *backend, int64_t attempt, const char *directory,
		const char *key, struct tuner_error *err);

	/* Takes over an attempt that an earlier process started: events will tell what became of
	 * it. An attempt that never ran is started, but for one without `launch` (it was never
	 * written, or all of the directory was removed): that is LOST. */
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

	/* Descriptors to wait for (at most `size`), and the longest wait: -1 for none. */
	size_t (*descriptors)(struct backend *backend, struct pollfd *ret_fds, size_t size);
	int (*wait_ms)(struct backend *backend);

	/* What the host has, once it is up. NULL in a backend whose caller knows that. */
	bool (*machine)(struct backend *backend, struct machine *ret, struct tuner_error *err);

	/* Of a remote one, for what is launched there. False: not known before it was up. NULL: here. */
	bool (*site)(struct backend *backend, struct backend_site *ret);

	/* Whether results of ended attempts are still being fetched or lost ones ended, and the host answers, or did a moment ago, or has not been asked. Those that
	 * did not come several times are tried again, but not waited for. NULL: never. */
	bool (*is_busy)(struct backend *backend);

	/* Whether those of this one are still to come, as far as this process is concerned. NULL: never. */
	bool (*is_fetching)(struct backend *backend, int64_t attempt);

	/* The number of ended attempts, also of earlier processes, whose results have not all come, and of lost ones that may
	 * still run and are ended when the host answers. NULL: none. */
	struct backend_left (*left)(struct backend *backend);

	/* The next event, if there is one. */
	bool (*next)(struct backend *backend, struct backend_event *ret, bool *ret_got,
		struct tuner_error *err);

	/* After ENDED, LOST or FAILED has been committed: drops what is held for the attempt. */
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

/* Of a local backend: commands that it starts from now on are ended, as by SIGTERM, when the thread that starts
 * them dies, however that comes about. */
void backend_local_bind(struct backend *backend);

/* One scripted attempt of the null backend: what happens, in virtual milliseconds from its start. */
struct null_step {
	int64_t at_ms;
	enum { NULL_START, NULL_OUTPUT, NULL_EXIT, NULL_LOSE, NULL_FAIL } what;
	const char *output; /* NULL_OUTPUT */
	int code; /* NULL_EXIT */
};

/* A backend without processes: `script` gives the steps of a start (their number, at most `size`, in
 * the order of their times), and time, which begins at 0, is what backend_null_advance says. Wall
 * clocks read it in microseconds, plus 1. A signal that ends a program ends the attempt with the next
 * look, as stopped; adopting one that is known tells its events once more. */
TUNER_MUST_CHECK
bool backend_null_open(size_t (*script)(void *context, int64_t attempt, const char *directory,
			       struct null_step *ret_steps, size_t size),
	void *context, struct backend **ret, struct tuner_error *err);
void backend_null_advance(struct backend *backend, int64_t ms);

#endif
