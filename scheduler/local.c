/* The local backend: a tuner-supervise for each attempt, in a session of its own, so that it outlives
 * us and our terminal.
 *
 * A supervisor's end is heard through a descriptor of its process. When it is known that one lives
 * but not yet which (it holds the lock and has not written `started`), we look again soon. */
#include "scheduler/attempt_files.h"
#include "scheduler/backend.h"
#include "scheduler/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_AGAIN_MS = 20, FENCE_MS = 0 };

/* What tuner-supervise's own end says; see attempt_files.h. */
enum { STATUS_UNKNOWN = -1 };

struct local_attempt {
	int64_t id;
	char *directory, *key;
	pid_t child; /* the supervisor that we started ourselves; 0: none, or reaped */
	int pidfd; /* of the supervisor; -1: not known, or ended */
	int status; /* how our child ended: enum supervise_status */
	int signal; /* to be sent once the supervisor is known; 0: none */
	bool started; /* BACKEND_STARTED has been told */
	bool ended; /* its end has been told */
};

struct local {
	struct backend backend;
	char *supervisor;
	struct local_attempt **attempts;
	size_t n, capacity;
};

static struct local *local_of(struct backend *backend)
{
	return (struct local *)backend;
}

static struct local_attempt *find(const struct local *local, int64_t id)
{
	for (size_t i = 0; i < local->n; i++)
		if (local->attempts[i]->id == id)
			return local->attempts[i];
	return NULL;
}

static void attempt_destroy(struct local_attempt *attempt)
{
	if (attempt == NULL)
		return;
	if (attempt->pidfd >= 0)
		close(attempt->pidfd);
	free(attempt->directory);
	free(attempt->key);
	free(attempt);
}

/* A new entry, not yet among the others. */
static struct local_attempt *attempt_new(int64_t id, const char *directory, const char *key)
{
	struct local_attempt *attempt = calloc(1, sizeof(*attempt));
	if (attempt == NULL)
		return NULL;
	attempt->id = id;
	attempt->pidfd = -1;
	attempt->status = STATUS_UNKNOWN;
	attempt->directory = strdup(directory);
	attempt->key = strdup(key);
	if (attempt->directory != NULL && attempt->key != NULL)
		return attempt;
	attempt_destroy(attempt);
	return NULL;
}

static bool keep(struct local *local, struct local_attempt *attempt, struct tuner_error *err)
{
	if (local->n == local->capacity) {
		const size_t capacity = local->capacity > 0 ? 2 * local->capacity : 16;
		struct local_attempt **attempts =
			reallocarray(local->attempts, capacity, sizeof(*attempts));
		if (attempts == NULL)
			return tuner_fail_memory(err);
		local->attempts = attempts;
		local->capacity = capacity;
	}
	local->attempts[local->n++] = attempt;
	return true;
}

/* ---- a supervisor ---- */

/* Not one descriptor of ours but the null device, and no environment: the command's own is in the
 * launch file, and a supervisor must not carry the attempt's key. */
static int spawn_supervisor(const char *supervisor, const char *directory, pid_t *ret_pid)
{
	char *const arguments[] = { (char *)"tuner-supervise", (char *)directory, NULL };
	char *const environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;

	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&actions, 0, 1);
	posix_spawn_file_actions_adddup2(&actions, 0, 2);
	const int failed =
		posix_spawn(ret_pid, supervisor, &actions, &attributes, arguments, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return failed;
}

static bool supervise(struct local *local, struct local_attempt *attempt, struct tuner_error *err)
{
	const int failed = spawn_supervisor(local->supervisor, attempt->directory, &attempt->child);
	if (failed != 0) {
		attempt->child = 0;
		return tuner_fail_errno(err, failed, "cannot start %s", local->supervisor);
	}
	attempt->pidfd = process_open(attempt->child, 0);
	/* Without a descriptor (an old kernel, too many files) next() looks at it again and again. */
	return true;
}

static void deliver(struct local_attempt *attempt)
{
	if (attempt->signal == 0 || attempt->pidfd < 0)
		return;
	process_signal(attempt->pidfd, attempt->signal);
	attempt->signal = 0;
}

/* One that an earlier process started, or another process has started meanwhile. */
static void open_supervisor(struct local_attempt *attempt, const struct attempt_status *status)
{
	if (attempt->pidfd < 0 && status->supervisor_pid > 0)
		attempt->pidfd = process_open(status->supervisor_pid, status->supervisor_start);
	deliver(attempt);
}

/* ---- the operations ---- */

/* Starts it, or takes over what has run in its directory already. */
static bool local_adopt(struct backend *backend, int64_t id, const char *directory, const char *key,
	struct tuner_error *err)
{
	struct local *local = local_of(backend);
	struct attempt_status status;
	struct local_attempt *attempt = attempt_new(id, directory, key);

	if (attempt == NULL)
		return tuner_fail_memory(err);
	if (!attempt_look(directory, &status, err))
		goto fail;
	if (status.life == ATTEMPT_NEVER_RAN && !supervise(local, attempt, err))
		goto fail;
	if (status.life == ATTEMPT_LIVES)
		open_supervisor(attempt, &status);
	if (keep(local, attempt, err))
		return true;
	/* Started and not kept: its directory tells the next run. */
fail:
	attempt_destroy(attempt);
	return false;
}

static bool local_signal(struct backend *backend, int64_t id, int signal, struct tuner_error *err)
{
	struct local_attempt *attempt = find(local_of(backend), id);
	(void)err;
	if (attempt == NULL || attempt->ended)
		return true;
	if (signal == SIGKILL)
		signal = SUPERVISE_KILL;
	if (attempt->signal != SUPERVISE_KILL)
		attempt->signal = signal;
	deliver(attempt);
	return true;
}

static bool local_read_output(struct backend *backend, int64_t id, int64_t offset, char *ret_bytes,
	size_t size, int64_t *ret_offset, size_t *ret_size, struct tuner_error *err)
{
	const struct local_attempt *attempt = find(local_of(backend), id);
	if (attempt == NULL)
		return tuner_fail(err, TUNER_FATAL, "attempt %lld is not known", (long long)id);
	return output_read(attempt->directory, offset, ret_bytes, size, ret_offset, ret_size, err);
}

static size_t local_descriptors(struct backend *backend, struct pollfd *ret_fds, size_t size)
{
	const struct local *local = local_of(backend);
	size_t n = 0;
	for (size_t i = 0; i < local->n && n < size; i++)
		if (local->attempts[i]->pidfd >= 0)
			ret_fds[n++] = (struct pollfd){ .fd = local->attempts[i]->pidfd,
				.events = POLLIN };
	return n;
}

static int local_wait_ms(struct backend *backend)
{
	const struct local *local = local_of(backend);
	for (size_t i = 0; i < local->n; i++)
		if (!local->attempts[i]->ended && local->attempts[i]->pidfd < 0)
			return LOOK_AGAIN_MS;
	return -1;
}

/* ---- events ---- */

static bool has_ended(const struct local_attempt *attempt)
{
	struct pollfd fd = { .fd = attempt->pidfd, .events = POLLIN };
	return attempt->pidfd < 0 || poll(&fd, 1, 0) > 0;
}

/* Collects our own child, and lets go of its descriptor. */
static void collect(struct local_attempt *attempt)
{
	int status = 0;
	if (attempt->child > 0 && waitpid(attempt->child, &status, WNOHANG) == attempt->child) {
		attempt->status = WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_UNKNOWN;
		attempt->child = 0;
	}
	if (attempt->pidfd >= 0)
		close(attempt->pidfd);
	attempt->pidfd = -1;
}

static void fail_event(const struct local_attempt *attempt, struct backend_event *ret)
{
	const char *why = "it was ended before the command was started";
	if (attempt->status == SUPERVISE_NO_DIRECTORY)
		why = "its directory is gone or cannot be read";
	else if (attempt->status == SUPERVISE_NO_FILES)
		why = "it cannot write to the attempt's directory (is the disk full?)";
	ret->kind = BACKEND_FAILED;
	snprintf(ret->message, sizeof(ret->message), "tuner-supervise: %s", why);
}

static void started_event(struct local_attempt *attempt, const struct attempt_status *status,
	struct backend_event *ret)
{
	attempt->started = true;
	*ret = (struct backend_event){
		.kind = BACKEND_STARTED, .attempt = attempt->id, .started_us = status->started_us
	};
}

/* What became of an attempt without a living supervisor that we know of. *ret_got false: not clear
 * yet, look again. */
static bool end_event(struct local_attempt *attempt, const struct attempt_status *status,
	struct backend_event *ret, bool *ret_got, struct tuner_error *err)
{
	struct tuner_error left = { TUNER_OK, "" };

	*ret = (struct backend_event){ .attempt = attempt->id };
	*ret_got = true;
	switch (status->life) {
	case ATTEMPT_LIVES: /* another supervisor than the one that we started or opened */
		open_supervisor(attempt, status);
		*ret_got = false;
		return true;
	case ATTEMPT_FINISHED:
		ret->kind = BACKEND_ENDED;
		ret->exit = status->exit;
		break;
	case ATTEMPT_NEVER_RAN:
		fail_event(attempt, ret);
		break;
	case ATTEMPT_ORPHANED:
		if (!attempt_fence(attempt->directory, attempt->key, status, FENCE_MS, &left)) {
			*ret_got = false;
			if (left.code != TUNER_RETRY)
				*err = left;
			return left.code == TUNER_RETRY;
		}
		ret->kind = BACKEND_LOST;
		snprintf(ret->message, sizeof(ret->message),
			"its supervisor has ended without a trace; nothing of it is left");
		break;
	}
	attempt->ended = true;
	return true;
}

static bool look(struct local_attempt *attempt, struct backend_event *ret, bool *ret_got,
	struct tuner_error *err)
{
	struct attempt_status status;
	const bool ended = has_ended(attempt);

	*ret_got = false;
	if (!ended && attempt->started)
		return true;
	if (ended && (attempt->pidfd >= 0 || attempt->child > 0))
		collect(attempt);
	if (!attempt_look(attempt->directory, &status, err))
		return false;
	if (!attempt->started && status.started_us > 0) {
		started_event(attempt, &status, ret);
		*ret_got = true;
		return true;
	}
	if (!ended || attempt->child > 0)
		return true;
	return end_event(attempt, &status, ret, ret_got, err);
}

static bool local_next(
	struct backend *backend, struct backend_event *ret, bool *ret_got, struct tuner_error *err)
{
	struct local *local = local_of(backend);
	*ret_got = false;
	for (size_t i = 0; i < local->n && !*ret_got; i++)
		if (!local->attempts[i]->ended && !look(local->attempts[i], ret, ret_got, err))
			return false;
	return true;
}

static void local_forget(struct backend *backend, int64_t id)
{
	struct local *local = local_of(backend);
	for (size_t i = 0; i < local->n; i++) {
		if (local->attempts[i]->id != id)
			continue;
		attempt_destroy(local->attempts[i]);
		local->n--;
		memmove(local->attempts + i, local->attempts + i + 1,
			(local->n - i) * sizeof(*local->attempts));
		return;
	}
}

static void local_close(struct backend *backend)
{
	struct local *local = local_of(backend);
	for (size_t i = 0; i < local->n; i++)
		attempt_destroy(local->attempts[i]);
	free(local->attempts);
	free(local->supervisor);
	free(local);
}

static const struct backend_ops local_ops = {
	.name = "local",
	.start = local_adopt, /* a directory in which nothing has run is started, by both */
	.adopt = local_adopt,
	.signal = local_signal,
	.read_output = local_read_output,
	.descriptors = local_descriptors,
	.wait_ms = local_wait_ms,
	.next = local_next,
	.forget = local_forget,
	.close = local_close,
};

bool backend_local_open(const char *supervisor, struct backend **ret, struct tuner_error *err)
{
	if (access(supervisor, X_OK) != 0)
		return tuner_fail(
			err, TUNER_USAGE, "%s cannot be executed: %s", supervisor, strerror(errno));
	struct local *local = calloc(1, sizeof(*local));
	if (local == NULL || (local->supervisor = strdup(supervisor)) == NULL) {
		free(local);
		return tuner_fail_memory(err);
	}
	local->backend.ops = &local_ops;
	*ret = &local->backend;
	return true;
}
