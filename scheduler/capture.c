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

enum { LOOK_AGAIN_MS = 20 };

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

/* Reads what is available. False: more than may be kept. */
static bool read_all(int *fd, struct text *text, size_t max)
{
	char bytes[16384];

	while (*fd >= 0) {
		const ssize_t n = read(*fd, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			close_fd(fd);
		else if (text->length + (size_t)n > max)
			return false;
		else
			text_add_bytes(text, bytes, (size_t)n);
	}
	return true;
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
	if (!read_all(&capture->output, &capture->out, CAPTURE_BYTES_MAX))
		capture->overflowed = true;
	/* Of standard error the end is kept; the rest is dropped, so that the program does not
	 * block. */
	while (!read_all(&capture->errors, &capture->err, CAPTURE_ERRORS_MAX))
		text_clear(&capture->err);
	const pid_t got = waitpid(capture->pid, &capture->status, WNOHANG);
	if (got == 0) {
		end_overdue(capture);
		return false;
	}
	/* A child of its own may hold the pipes open; what the program itself wrote is in them. */
	(void)read_all(&capture->output, &capture->out, CAPTURE_BYTES_MAX);
	(void)read_all(&capture->errors, &capture->err, CAPTURE_ERRORS_MAX);
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
