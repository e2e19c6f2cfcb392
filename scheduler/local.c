/* The local backend: a tuner-supervise for each attempt, in a session of its own, so that it outlives
 * us and our terminal.
 *
 * An attempt is watched by its directory (inotify), where `started` and exit.json appear, and by
 * its supervisor's process (a pidfd), whose end without an exit.json is a loss. All these
 * descriptors are behind a single epoll descriptor, for which the caller waits. exit.json counts as
 * soon as it exists: the supervisor then still waits for the disk, for which the slot need not
 * wait.
 *
 * Where neither helps (a supervisor holds the lock and has not yet recorded its pid, orphans are
 * being killed, the system has no inotify watch left) we look again soon. */
#include "base/array.h"
#include "base/file.h"
#include "scheduler/attempt_files.h"
#include "scheduler/backend.h"
#include "scheduler/elsewhere.h"
#include "scheduler/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_AGAIN_MS = 20, HEARD_MAX = 64, NOTICES_BYTES = 16 * 1024, STATUS_UNKNOWN = -1 };

/* What epoll reports besides attempts, whose numbers begin at 1. */
enum { OF_DIRECTORIES = 0 };

struct local_attempt {
	int64_t id;
	char *directory, *key;
	pid_t child; /* the supervisor that we started ourselves; 0: none, or reaped */
	int pidfd; /* of the supervisor; -1: unknown, gone, or none can be had */
	int64_t pid, start; /* of a supervisor on this machine that is not our child; 0: unknown */
	int watch; /* inotify's number for the directory; -1: none */
	int status; /* how our child ended: enum supervise_status */
	int signal; /* to be sent once the supervisor is known; 0: none */
	bool heard; /* something has happened: look */
	bool unlaunched; /* taken over, but its launch file is missing: it is not started */
	bool started; /* BACKEND_STARTED has been reported */
	bool ended; /* its end has been reported */
	bool forgotten; /* kept only until our child is reaped */
};

struct local {
	struct backend backend;
	char *supervisor;
	bool bound; /* attempts started from now on end with us */
	int epoll, inotify;
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
		if (local->attempts[i]->id == id && !local->attempts[i]->forgotten)
			return local->attempts[i];
	return NULL;
}

/* ---- an attempt's entry ---- */

static void attempt_destroy(struct local_attempt *attempt)
{
	if (attempt == NULL)
		return;
	free(attempt->directory);
	free(attempt->key);
	free(attempt);
}

static struct local_attempt *attempt_new(int64_t id, const char *directory, const char *key)
{
	struct local_attempt *attempt = calloc(1, sizeof(*attempt));
	if (attempt == NULL)
		return NULL;
	attempt->id = id;
	attempt->pidfd = attempt->watch = -1;
	attempt->status = STATUS_UNKNOWN;
	attempt->heard = true; /* for what existed before the watch */
	attempt->directory = strdup(directory);
	attempt->key = strdup(key);
	if (attempt->directory != NULL && attempt->key != NULL)
		return attempt;
	attempt_destroy(attempt);
	return NULL;
}

static bool keep(struct local *local, struct local_attempt *attempt)
{
	if (!array_reserve(&local->attempts, local->n, &local->capacity, sizeof(*local->attempts)))
		return false;
	local->attempts[local->n++] = attempt;
	return true;
}

static void unwatch_directory(struct local *local, struct local_attempt *attempt)
{
	if (attempt->watch >= 0)
		inotify_rm_watch(local->inotify, attempt->watch);
	attempt->watch = -1;
}

/* Closing is not enough: a process that is just being spawned has a copy of the descriptor until
 * its exec, and epoll reports the descriptor as long as a copy exists. */
static void unwatch_process(struct local *local, struct local_attempt *attempt)
{
	if (attempt->pidfd < 0)
		return;
	epoll_ctl(local->epoll, EPOLL_CTL_DEL, attempt->pidfd, NULL);
	close(attempt->pidfd);
	attempt->pidfd = -1;
}

static void drop(struct local *local, struct local_attempt *attempt)
{
	size_t i = 0;
	while (i < local->n && local->attempts[i] != attempt)
		i++;
	tuner_assert(i < local->n);
	local->n--;
	memmove(local->attempts + i, local->attempts + i + 1,
		(local->n - i) * sizeof(*local->attempts));
	unwatch_directory(local, attempt);
	unwatch_process(local, attempt);
	attempt_destroy(attempt);
}

/* ---- what tells of it ---- */

static void watch_directory(struct local *local, struct local_attempt *attempt)
{
	attempt->watch = inotify_add_watch(
		local->inotify, attempt->directory, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR);
}

static void watch_process(struct local *local, struct local_attempt *attempt, int pidfd)
{
	/* By number: what epoll still reports of a dropped attempt then matches none. */
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = (uint64_t)attempt->id };
	if (pidfd < 0)
		return;
	if (epoll_ctl(local->epoll, EPOLL_CTL_ADD, pidfd, &event) != 0) {
		close(pidfd);
		return;
	}
	attempt->pidfd = pidfd;
}

/* Nothing will wake us for this attempt. */
static bool is_silent(const struct local_attempt *attempt)
{
	if (attempt->forgotten || attempt->ended)
		return attempt->child > 0 && attempt->pidfd < 0;
	return attempt->pidfd < 0 || (attempt->watch < 0 && !attempt->started);
}

static void hear_directory(struct local *local, const struct inotify_event *notice)
{
	if (strcmp(notice->name, ATTEMPT_STARTED) != 0 && strcmp(notice->name, ATTEMPT_EXIT) != 0)
		return;
	for (size_t i = 0; i < local->n; i++)
		local->attempts[i]->heard |= local->attempts[i]->watch == notice->wd;
}

static void hear_directories(struct local *local)
{
	char bytes[NOTICES_BYTES] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;
	while ((n = read(local->inotify, bytes, sizeof(bytes))) > 0)
		for (const char *at = bytes; at < bytes + n;) {
			const struct inotify_event *notice = (const void *)at;
			if (notice->mask & IN_Q_OVERFLOW)
				for (size_t i = 0; i < local->n; i++)
					local->attempts[i]->heard = true;
			else if (notice->len > 0)
				hear_directory(local, notice);
			at += sizeof(*notice) + notice->len;
		}
}

static void hear_process(struct local *local, int64_t id)
{
	for (size_t i = 0; i < local->n; i++)
		local->attempts[i]->heard |= local->attempts[i]->id == id;
}

/* More than HEARD_MAX at once wait for the next call. */
static void hear(struct local *local)
{
	struct epoll_event events[HEARD_MAX];
	const int n = epoll_wait(local->epoll, events, HEARD_MAX, 0);
	for (int i = 0; i < n; i++) {
		if (events[i].data.u64 == OF_DIRECTORIES)
			hear_directories(local);
		else
			hear_process(local, (int64_t)events[i].data.u64);
	}
}

/* ---- its supervisor ---- */

/* No descriptor of ours but the null device, and no environment: the command's own is in the launch
 * file, and a supervisor that carried the key would be mistaken for a part of the command. All
 * signals are blocked, as the supervisor needs: an early one waits until it listens. */
static int spawn_supervisor(
	const char *supervisor, const char *directory, bool bound, pid_t *ret_pid)
{
	char parent[24];
	char *const arguments[] = { (char *)"tuner-supervise", (char *)directory,
		bound ? parent : NULL, NULL };
	snprintf(parent, sizeof(parent), "%d", (int)getpid());
	char *const environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all;

	sigfillset(&all);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, &all);
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
	const int failed = spawn_supervisor(
		local->supervisor, attempt->directory, local->bound, &attempt->child);
	if (failed != 0) {
		attempt->child = 0;
		return tuner_fail_errno(err, failed, "cannot start %s", local->supervisor);
	}
	watch_process(local, attempt, process_open(attempt->child, 0));
	return true;
}

/* Only we reap our child, so its pid cannot be reused. */
static void signal_supervisor(const struct local_attempt *attempt, int signal)
{
	if (attempt->child > 0)
		kill(attempt->child, signal);
	else
		process_signal(attempt->pidfd, attempt->pid, attempt->start, signal);
}

/* A supervisor that somebody has stopped (kill -STOP, a batch system) notices nothing until it
 * continues. */
static void deliver(struct local_attempt *attempt)
{
	if (attempt->signal == 0 || (attempt->child == 0 && attempt->pid == 0))
		return;
	signal_supervisor(attempt, attempt->signal);
	signal_supervisor(attempt, SIGCONT);
	attempt->signal = 0;
}

/* A supervisor started by an earlier process, or by another process meanwhile. If it is on another
 * machine that shares the file system, its pid means nothing here: we look for its end, and cannot
 * signal it. */
static void meet_supervisor(
	struct local *local, struct local_attempt *attempt, const struct attempt_status *status)
{
	if (attempt->pidfd < 0 && attempt->child == 0 && status->supervisor_pid > 0 &&
		attempt_is_of_this_boot(status)) {
		attempt->pid = status->supervisor_pid;
		attempt->start = status->supervisor_start;
		watch_process(local, attempt, process_open(attempt->pid, attempt->start));
	}
	deliver(attempt);
}

/* True when no supervisor is known to be alive. Reaps our own child. */
static bool supervisor_is_gone(struct local *local, struct local_attempt *attempt)
{
	struct pollfd fd = { .fd = attempt->pidfd, .events = POLLIN };
	int status = 0;

	if (attempt->pidfd >= 0 && poll(&fd, 1, 0) == 0)
		return false;
	if (attempt->child > 0) {
		const pid_t got = waitpid(attempt->child, &status, WNOHANG);
		if (got == 0)
			return false;
		attempt->status =
			got > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_UNKNOWN;
		attempt->child = 0;
	}
	unwatch_process(local, attempt);
	return attempt->pid == 0 || !process_lives(attempt->pid, attempt->start);
}

/* ---- the operations ---- */

static bool has_launch(const char *directory)
{
	struct tuner_error ignored;
	char *path = path_join(directory, ATTEMPT_LAUNCH);
	const bool has = path == NULL ? tuner_fail_memory(&ignored) : access(path, F_OK) == 0;
	free(path);
	return has;
}

/* Starts the attempt, or takes over one that has already run in its directory. */
static bool local_start(struct backend *backend, int64_t id, const char *directory, const char *key,
	struct tuner_error *err)
{
	struct local *local = local_of(backend);
	struct attempt_status status;
	struct local_attempt *attempt = attempt_new(id, directory, key);

	if (attempt == NULL || !keep(local, attempt)) {
		attempt_destroy(attempt);
		return tuner_fail_memory(err);
	}
	watch_directory(local, attempt); /* before looking, so that nothing is missed in between */
	if (!attempt_look(directory, &status, err) ||
		(status.life == ATTEMPT_NEVER_RAN && !supervise(local, attempt, err))) {
		drop(local, attempt);
		return false;
	}
	if (status.life == ATTEMPT_LIVES)
		meet_supervisor(local, attempt, &status);
	if (status.life == ATTEMPT_NEVER_RAN)
		attempt->heard = false; /* it cannot have anything to report yet */
	return true;
}

/* Without its launch file nobody can tell whether it ran: the directory may have been removed. What
 * is left of it is killed, and it is lost. */
static bool local_adopt(struct backend *backend, int64_t id, const char *directory, const char *key,
	struct tuner_error *err)
{
	struct local *local = local_of(backend);
	struct attempt_status status;
	if (!attempt_look(directory, &status, err))
		return false;
	if (status.life != ATTEMPT_NEVER_RAN || has_launch(directory))
		return local_start(backend, id, directory, key, err);
	struct local_attempt *attempt = attempt_new(id, directory, key);
	if (attempt == NULL || !keep(local, attempt)) {
		attempt_destroy(attempt);
		return tuner_fail_memory(err);
	}
	attempt->unlaunched = true;
	return true;
}

static bool local_signal(struct backend *backend, int64_t id, int signal, struct tuner_error *err)
{
	struct local_attempt *attempt = find(local_of(backend), id);
	(void)err;
	if (attempt == NULL || attempt->ended)
		return true;
	if (attempt->signal != SUPERVISE_KILL)
		attempt->signal = signal == SIGKILL ? SUPERVISE_KILL : signal;
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
	if (size == 0)
		return 0;
	ret_fds[0] = (struct pollfd){ .fd = local_of(backend)->epoll, .events = POLLIN };
	return 1;
}

static int local_wait_ms(struct backend *backend)
{
	const struct local *local = local_of(backend);
	for (size_t i = 0; i < local->n; i++) {
		/* Heard: next() stopped at an event before finishing with this attempt. */
		if (local->attempts[i]->heard && !local->attempts[i]->ended)
			return 0;
		if (is_silent(local->attempts[i]))
			return LOOK_AGAIN_MS;
	}
	return -1;
}

/* ---- events ---- */

static void started_event(struct local_attempt *attempt, const struct attempt_status *status,
	struct backend_event *ret)
{
	attempt->started = true;
	ret->kind = BACKEND_STARTED;
	ret->started_us = status->started_us;
}

static void ended_event(struct local_attempt *attempt, const struct attempt_status *status,
	struct backend_event *ret)
{
	attempt->ended = true;
	ret->kind = BACKEND_ENDED;
	ret->exit = status->exit;
}

/* The trial's next attempt may begin. Another supervisor of this attempt, started by an earlier
 * process and delayed, must not begin: *ret_got stays false if it has been faster. If that cannot
 * be written (a full disk), that supervisor cannot write either. */
static void failed_event(struct local_attempt *attempt, struct backend_event *ret, bool *ret_got)
{
	struct tuner_error ignored;
	bool begun = false;
	const char *why = "it was ended before it had started the command";
	if (attempt->status == SUPERVISE_NO_DIRECTORY)
		why = "its directory is gone or cannot be read";
	else if (attempt->status == SUPERVISE_NO_FILES)
		why = "it cannot write to the attempt's directory (is the disk full?)";
	if (!attempt_forbid(attempt->directory, &begun, &ignored))
		begun = false;
	attempt->heard = begun;
	*ret_got = !begun;
	if (begun)
		return;
	attempt_tidy(attempt->directory);
	attempt->ended = true;
	ret->kind = BACKEND_FAILED;
	snprintf(ret->message, sizeof(ret->message), "tuner-supervise: %s", why);
}

/* This directory, or the database that names it, is a copy of the one where the attempt lives.
 * *ret_got: it is. */
static void copied_event(struct local_attempt *attempt, struct backend_event *ret, bool *ret_got)
{
	char where[PATH_MAX];

	*ret_got = attempt_lives_elsewhere(attempt->directory, attempt->key, where, sizeof(where));
	if (!*ret_got)
		return;
	attempt->ended = true;
	ret->kind = BACKEND_LOST;
	snprintf(ret->message, sizeof(ret->message),
		"this is a copy of its database: it runs on there, in %.180s", where);
}

/* *ret_got stays false as long as something of it may be alive. */
static bool lost_event(struct local_attempt *attempt, const struct attempt_status *status,
	struct backend_event *ret, bool *ret_got, struct tuner_error *err)
{
	struct tuner_error left = { TUNER_OK, "" };

	copied_event(attempt, ret, ret_got);
	if (*ret_got)
		return true;
	*ret_got = attempt_fence(attempt->directory, attempt->key, status, &left);
	if (!*ret_got) {
		if (left.code != TUNER_RETRY)
			*err = left;
		return left.code == TUNER_RETRY;
	}
	attempt_tidy(attempt->directory);
	attempt->ended = true;
	ret->kind = BACKEND_LOST;
	snprintf(ret->message, sizeof(ret->message), "%s",
		status->life == ATTEMPT_NEVER_RAN ? "its directory is gone, and what became of it"
		: attempt_is_of_this_boot(status)
			? "it was killed together with its supervisor"
			: "the machine was restarted while it ran, or it ran on another one");
	return true;
}

/* It ran, or may have, and its directory no longer shows it. */
static bool is_removed(const struct local_attempt *attempt, bool gone)
{
	return attempt->unlaunched || (attempt->started && gone);
}

static bool look(struct local *local, struct local_attempt *attempt, struct backend_event *ret,
	bool *ret_got, struct tuner_error *err)
{
	struct attempt_status status;
	/* Before looking: once the supervisor is gone, all that it wrote is there. */
	const bool gone = supervisor_is_gone(local, attempt);

	attempt->heard = false;
	*ret = (struct backend_event){ .attempt = attempt->id };
	if (!attempt_look(attempt->directory, &status, err))
		return false;
	const bool unstarted = status.life == ATTEMPT_FINISHED && status.exit.kind == EXIT_NO_START;
	*ret_got = true;
	if (!attempt->started && status.started_us > 0 && !unstarted) {
		started_event(attempt, &status, ret);
		attempt->heard = true; /* there may be more events */
	} else if (status.life == ATTEMPT_FINISHED) {
		ended_event(attempt, &status, ret);
	} else if ((status.life == ATTEMPT_ORPHANED && gone) ||
		   (status.life == ATTEMPT_NEVER_RAN && is_removed(attempt, gone))) {
		return lost_event(attempt, &status, ret, ret_got, err);
	} else if (status.life == ATTEMPT_NEVER_RAN && gone) {
		failed_event(attempt, ret, ret_got);
	} else {
		*ret_got = false;
		if (status.life == ATTEMPT_LIVES)
			meet_supervisor(local, attempt, &status);
	}
	return true;
}

/* Attempts whose end was reported and that are forgotten wait here for their supervisor's end. */
static void reap(struct local *local)
{
	for (size_t i = local->n; i-- > 0;) {
		struct local_attempt *attempt = local->attempts[i];
		if (attempt->ended && supervisor_is_gone(local, attempt) && attempt->forgotten)
			drop(local, attempt);
	}
}

static bool local_next(
	struct backend *backend, struct backend_event *ret, bool *ret_got, struct tuner_error *err)
{
	struct local *local = local_of(backend);

	*ret_got = false;
	hear(local);
	for (size_t i = 0; i < local->n && !*ret_got; i++) {
		struct local_attempt *attempt = local->attempts[i];
		if (!attempt->ended && (attempt->heard || is_silent(attempt)) &&
			!look(local, attempt, ret, ret_got, err))
			return false;
		if (attempt->ended)
			unwatch_directory(local, attempt);
	}
	if (!*ret_got)
		reap(local);
	return true;
}

static void local_forget(struct backend *backend, int64_t id)
{
	struct local *local = local_of(backend);
	struct local_attempt *attempt = find(local, id);
	if (attempt == NULL)
		return;
	attempt->ended = attempt->forgotten = true;
	if (supervisor_is_gone(local, attempt) || attempt->child == 0)
		drop(local, attempt);
}

static void local_close(struct backend *backend)
{
	struct local *local = local_of(backend);
	while (local->n > 0) {
		/* A supervisor that still waits for the disk is left unreaped until we exit. */
		supervisor_is_gone(local, local->attempts[0]);
		drop(local, local->attempts[0]);
	}
	if (local->inotify >= 0)
		close(local->inotify);
	if (local->epoll >= 0)
		close(local->epoll);
	free(local->attempts);
	free(local->supervisor);
	free(local);
}

static const struct backend_ops local_ops = {
	.name = "local",
	.start = local_start,
	.adopt = local_adopt,
	.signal = local_signal,
	.read_output = local_read_output,
	.descriptors = local_descriptors,
	.wait_ms = local_wait_ms,
	.next = local_next,
	.forget = local_forget,
	.close = local_close,
};

/* Without inotify (its instances are limited per user) we poll. */
static bool open_descriptors(struct local *local, struct tuner_error *err)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = OF_DIRECTORIES };

	local->epoll = epoll_create1(EPOLL_CLOEXEC);
	local->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (local->epoll < 0 || (local->inotify >= 0 && epoll_ctl(local->epoll, EPOLL_CTL_ADD,
								local->inotify, &event) != 0))
		return tuner_fail_errno(err, errno, "cannot wait for attempts");
	return true;
}

bool backend_local_open(const char *supervisor, struct backend **ret, struct tuner_error *err)
{
	if (access(supervisor, X_OK) != 0)
		return tuner_fail(
			err, TUNER_USAGE, "%s cannot be executed: %s", supervisor, strerror(errno));
	struct local *local = calloc(1, sizeof(*local));
	if (local == NULL)
		return tuner_fail_memory(err);
	local->epoll = local->inotify = -1;
	local->backend.ops = &local_ops;
	local->supervisor = strdup(supervisor);
	if (local->supervisor == NULL ? !tuner_fail_memory(err) : !open_descriptors(local, err)) {
		local_close(&local->backend);
		return false;
	}
	*ret = &local->backend;
	return true;
}

void backend_local_bind(struct backend *backend)
{
	tuner_assert(backend->ops == &local_ops);
	local_of(backend)->bound = true;
}
