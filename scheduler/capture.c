#include "scheduler/capture.h"

#include "base/clock.h"
#include "scheduler/process.h"
#include "scheduler/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_AGAIN_MS = 20, CHUNK = 16384, LINE_BYTES = 1024 };

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int spawn(
	char *const *arguments, char *const *environment, int output, int errors, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, 1);
	posix_spawn_file_actions_adddup2(&actions, errors, 2);
	const int failed = tool_spawn((const char *const *)arguments,
		(const char *const *)environment, &actions, ret_pid);
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

bool capture_start(struct capture *capture, char *const *arguments, char *const *environment,
	int64_t limit_us, struct tuner_error *err)
{
	int output[2] = { -1, -1 }, errors[2] = { -1, -1 };
	int failed = 0;

	*capture = (struct capture){ .pidfd = -1,
		.output = -1,
		.errors = -1,
		.until_us = clock_monotonic_us() + limit_us,
		.out = TEXT_EMPTY,
		.err = TEXT_EMPTY };
	if (pipe2(output, O_CLOEXEC | O_NONBLOCK) != 0 ||
		pipe2(errors, O_CLOEXEC | O_NONBLOCK) != 0)
		failed = errno;
	/* The program's ends must be blocking, as it expects. */
	if (failed == 0 && (fcntl(output[1], F_SETFL, 0) != 0 || fcntl(errors[1], F_SETFL, 0) != 0))
		failed = errno;
	if (failed == 0)
		failed = spawn(arguments, environment, output[1], errors[1], &capture->pid);
	close_fd(&output[1]);
	close_fd(&errors[1]);
	capture->output = output[0];
	capture->errors = errors[0];
	if (failed == 0) {
		capture->pidfd = process_open(capture->pid, 0);
		return true;
	}
	capture->pid = 0;
	close_fd(&capture->output);
	close_fd(&capture->errors);
	return tuner_fail(err, TUNER_USAGE, "cannot run %s: %s", arguments[0], strerror(failed));
}

size_t capture_descriptors(
	const struct capture *capture, struct pollfd ret_fds[CAPTURE_DESCRIPTORS])
{
	const int all[] = { capture->output, capture->errors, capture->pidfd };
	size_t n = 0;

	for (size_t i = 0; i < CAPTURE_DESCRIPTORS; i++)
		if (all[i] >= 0)
			ret_fds[n++] = (struct pollfd){ .fd = all[i], .events = POLLIN };
	return n;
}

int capture_wait_ms(const struct capture *capture)
{
	const int64_t left_us = capture->until_us - clock_monotonic_us();

	if (capture->pid == 0)
		return 0;
	if (capture->pidfd < 0)
		return LOOK_AGAIN_MS;
	return left_us <= 0         ? LOOK_AGAIN_MS
	       : left_us > 60000000 ? 60000
				    : (int)(left_us / 1000 + 1);
}

/* Up to CHUNK bytes; 0: there are none now, or none any more. */
static size_t read_some(int *fd, char *bytes)
{
	ssize_t n = -1;

	do {
		n = *fd >= 0 ? read(*fd, bytes, CHUNK) : 0;
	} while (n < 0 && errno == EINTR);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		close_fd(fd);
	return n > 0 ? (size_t)n : 0;
}

/* A part of a list would be taken for the whole. */
static void read_output(struct capture *capture)
{
	char bytes[CHUNK];
	size_t n;

	while (!capture->overflowed && (n = read_some(&capture->output, bytes)) > 0) {
		capture->overflowed = capture->out.length + n > CAPTURE_BYTES_MAX;
		if (!capture->overflowed)
			text_add_bytes(&capture->out, bytes, n);
	}
}

static void keep_end(struct text *text)
{
	char end[LINE_BYTES];
	const size_t n = text->length < sizeof(end) ? text->length : sizeof(end);

	memcpy(end, text->bytes + text->length - n, n);
	text_clear(text);
	text_add_bytes(text, end, n);
}

/* The end is kept; the rest is dropped, so that the program does not block. */
static void read_errors(struct capture *capture)
{
	char bytes[CHUNK];
	size_t n;

	while ((n = read_some(&capture->errors, bytes)) > 0) {
		if (capture->err.length + n > CAPTURE_ERRORS_MAX)
			keep_end(&capture->err);
		text_add_bytes(&capture->err, bytes, n);
	}
}

/* A program that has ended is not late, however late we look. */
static void end_overdue(struct capture *capture)
{
	if (!capture->overflowed && clock_monotonic_us() < capture->until_us)
		return;
	capture->timed_out = !capture->overflowed;
	kill(-capture->pid, SIGKILL);
}

bool capture_next(struct capture *capture)
{
	if (capture->pid == 0)
		return true;
	read_output(capture);
	read_errors(capture);
	const pid_t got = waitpid(capture->pid, &capture->status, WNOHANG);
	if (got == 0) {
		end_overdue(capture);
		return false;
	}
	/* A child of its own may hold the pipes open; what the program itself wrote is in them. */
	read_output(capture);
	read_errors(capture);
	capture->pid = 0;
	close_fd(&capture->pidfd);
	close_fd(&capture->output);
	close_fd(&capture->errors);
	return true;
}

bool capture_succeeded(const struct capture *capture)
{
	return !capture->timed_out && !capture->overflowed && WIFEXITED(capture->status) &&
	       WEXITSTATUS(capture->status) == 0 && !text_failed(&capture->out);
}

void capture_complaint(const struct capture *capture, char ret_line[200])
{
	const char *bytes = capture->err.bytes;
	size_t end = capture->err.length;

	while (end > 0 && strchr(" \t\r\n", bytes[end - 1]) != NULL)
		end--;
	size_t start = end;
	while (start > 0 && bytes[start - 1] != '\n')
		start--;
	if (capture->timed_out)
		snprintf(ret_line, 200, "it did not answer in time");
	else if (capture->overflowed)
		snprintf(ret_line, 200, "it printed more than %d MiB", CAPTURE_BYTES_MAX >> 20);
	else if (end > start)
		snprintf(ret_line, 200, "%.*s", (int)(end - start < 199 ? end - start : 199),
			bytes + start);
	else if (WIFEXITED(capture->status))
		snprintf(ret_line, 200, "exit status %d", WEXITSTATUS(capture->status));
	else
		snprintf(ret_line, 200, "ended by signal %d", WTERMSIG(capture->status));
}

void capture_finish(struct capture *capture, bool leave_running)
{
	if (capture->pid > 0 && !leave_running) {
		kill(-capture->pid, SIGKILL);
		waitpid(capture->pid, NULL, 0);
	}
	capture->pid = 0;
	close_fd(&capture->pidfd);
	close_fd(&capture->output);
	close_fd(&capture->errors);
	text_finish(&capture->out);
	text_finish(&capture->err);
}
