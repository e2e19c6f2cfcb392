#include "scheduler/tool.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { WAIT_STEP_MS = 5, AFTER_KILL_STEPS = 400, COMPLAINT_BYTES = 256 };

/* One output stream of the tool. */
struct stream {
	int fd; /* -1: at its end */
	struct text *text;
	size_t left; /* bytes that it may still print */
	bool drop; /* the rest is read and dropped, so that it does not block */
};

struct running {
	pid_t pid;
	struct stream streams[2]; /* output, error */
};

static void close_streams(struct running *running)
{
	for (unsigned i = 0; i < 2; i++) {
		if (running->streams[i].fd >= 0)
			close(running->streams[i].fd);
		running->streams[i].fd = -1;
	}
}

int tool_spawn(const char *const *arguments, const char *const *environment,
	const posix_spawn_file_actions_t *actions, pid_t *ret_pid)
{
	posix_spawnattr_t attributes;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	/* posix_spawn does not modify its arguments. */
	const int failed =
		posix_spawnp(ret_pid, arguments[0], actions, &attributes, (char *const *)arguments,
			environment != NULL ? (char *const *)environment : environ);
	posix_spawnattr_destroy(&attributes);
	return failed;
}

static int spawn(const struct tool *tool, int output, int complaints, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, 1);
	posix_spawn_file_actions_adddup2(&actions, complaints, 2);
	if (tool->directory != NULL)
		posix_spawn_file_actions_addchdir_np(&actions, tool->directory);
	const int failed = tool_spawn(tool->arguments, tool->environment, &actions, ret_pid);
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

/* *ret_started false: it cannot be started. */
static bool start(
	const struct tool *tool, struct running *ret, bool *ret_started, struct tuner_error *err)
{
	int output[2], complaints[2];

	if (pipe2(output, O_CLOEXEC) != 0)
		return tuner_fail_errno(err, errno, "no pipe for %s", tool->arguments[0]);
	if (pipe2(complaints, O_CLOEXEC) != 0) {
		const int failed = errno;
		close(output[0]);
		close(output[1]);
		return tuner_fail_errno(err, failed, "no pipe for %s", tool->arguments[0]);
	}
	const int failed = spawn(tool, output[1], complaints[1], &ret->pid);
	close(output[1]);
	close(complaints[1]);
	ret->streams[0].fd = output[0];
	ret->streams[1].fd = complaints[0];
	*ret_started = failed == 0;
	if (failed != 0)
		close_streams(ret);
	return true;
}

/* False: it has printed more than allowed. */
static bool read_stream(struct stream *stream)
{
	char bytes[16384];
	const ssize_t n = read(stream->fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0) {
		close(stream->fd);
		stream->fd = -1;
		return true;
	}
	const size_t taken = (size_t)n < stream->left ? (size_t)n : stream->left;
	text_add_bytes(stream->text, bytes, taken);
	stream->left -= taken;
	return taken == (size_t)n || stream->drop;
}

/* Reads until both are at their end. */
static enum tool_end listen_to(struct running *running, int64_t until_us)
{
	struct stream *streams = running->streams;

	while (streams[0].fd >= 0 || streams[1].fd >= 0) {
		/* poll ignores a negative descriptor. */
		struct pollfd fds[2] = { { .fd = streams[0].fd, .events = POLLIN },
			{ .fd = streams[1].fd, .events = POLLIN } };
		const int64_t left_us = until_us - clock_monotonic_us();
		if (left_us <= 0)
			return TOOL_LATE;
		if (poll(fds, 2, (int)(left_us / 1000 + 1)) <= 0)
			continue;
		for (unsigned i = 0; i < 2; i++)
			if (fds[i].revents != 0 && !read_stream(&streams[i]))
				return TOOL_CUT;
	}
	return TOOL_DONE;
}

/* It has closed its output; it exits soon, or is killed. */
static void collect(pid_t pid, int64_t until_us, struct tool_result *ret)
{
	int status = 0;
	pid_t got = 0;

	while (ret->end == TOOL_DONE && (got = waitpid(pid, &status, WNOHANG)) == 0) {
		if (clock_monotonic_us() >= until_us)
			ret->end = TOOL_LATE;
		else
			poll(NULL, 0, WAIT_STEP_MS);
	}
	if (ret->end != TOOL_DONE) {
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		/* A process that hangs in the kernel (a dead file server) is left alone. */
		for (int i = 0; i < AFTER_KILL_STEPS && waitpid(pid, &status, WNOHANG) == 0; i++)
			poll(NULL, 0, WAIT_STEP_MS);
	} else if (got == pid) {
		ret->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
}

/* What a tool_running holds beside the number of a group. */
enum { NOTHING_RUNS = 0, CANCELLED = -1, STARTING = -2, STOPPED = -3 };

/* False: it was cancelled. */
static bool announce(struct tool_running *running)
{
	int none = NOTHING_RUNS;
	return running == NULL || atomic_compare_exchange_strong(&running->group, &none, STARTING);
}

/* The same; then what has just been started is killed. */
static bool publish(struct tool_running *running, bool started, pid_t pid)
{
	int starting = STARTING;
	if (running == NULL || atomic_compare_exchange_strong(&running->group, &starting,
				       started ? (int)pid : NOTHING_RUNS))
		return true;
	if (started)
		kill(-pid, SIGKILL);
	atomic_store(&running->group, STOPPED);
	return false;
}

/* Before it is reaped, after which its number may be another's. */
static void withdraw(struct tool_running *running, pid_t pid)
{
	int own = (int)pid;
	if (running != NULL)
		atomic_compare_exchange_strong(&running->group, &own, NOTHING_RUNS);
}

void tool_cancel(struct tool_running *running)
{
	const int was = atomic_exchange(&running->group, CANCELLED);
	if (was > 0)
		kill(-was, SIGKILL);
	for (int i = 0;
		was == STARTING && i < AFTER_KILL_STEPS && atomic_load(&running->group) != STOPPED;
		i++)
		poll(NULL, 0, WAIT_STEP_MS);
}

bool tool_run(const struct tool *tool, struct text *output, struct tool_result *ret,
	struct tuner_error *err)
{
	const int64_t until_us = clock_monotonic_us() + tool->timeout_us;
	struct text complaints = TEXT_EMPTY;
	struct running running = { .streams = { { -1, output, tool->bytes_max, false },
					   { -1, &complaints, COMPLAINT_BYTES, true } } };
	bool started = false;

	*ret = (struct tool_result){ .end = TOOL_LATE };
	if (!announce(tool->running))
		return true;
	ret->end = TOOL_MISSING;
	const bool tried = start(tool, &running, &started, err);
	const bool wanted = publish(tool->running, started, running.pid);
	if (!tried)
		return false;
	if (started) {
		ret->end = wanted ? listen_to(&running, until_us) : TOOL_LATE;
		close_streams(&running);
		withdraw(tool->running, running.pid);
		collect(running.pid, until_us, ret);
		snprintf(ret->complaint, sizeof(ret->complaint), "%.*s",
			(int)strcspn(complaints.bytes, "\n"), complaints.bytes);
	}
	text_finish(&complaints);
	return !text_failed(output) || tuner_fail_memory(err);
}

const char *tool_result_text(const struct tool_result *result, char ret[320])
{
	static const char *const words[] = { [TOOL_MISSING] = "it is not there",
		[TOOL_LATE] = "it does not answer in time",
		[TOOL_CUT] = "it says more than is read" };

	if (result->end != TOOL_DONE)
		snprintf(ret, 320, "%s", words[result->end]);
	else if (result->complaint[0] != '\0')
		snprintf(ret, 320, "%s", result->complaint);
	else
		snprintf(ret, 320, "exit status %d", result->status);
	return ret;
}
