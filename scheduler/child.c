#include "scheduler/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

struct pipes {
	int in[2], out[2], errors[2];
};

static bool open_pipes(struct pipes *pipes, bool streams)
{
	*pipes = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 } };
	return (!streams ||
		       (pipe2(pipes->in, O_CLOEXEC) == 0 && pipe2(pipes->out, O_CLOEXEC) == 0)) &&
	       pipe2(pipes->errors, O_CLOEXEC) == 0;
}

static void close_pipes(struct pipes *pipes)
{
	for (int i = 0; i < 2; i++) {
		close_end(&pipes->in[i]);
		close_end(&pipes->out[i]);
		close_end(&pipes->errors[i]);
	}
}

static void set_streams(
	posix_spawn_file_actions_t *actions, const struct pipes *pipes, bool streams)
{
	if (streams) {
		posix_spawn_file_actions_adddup2(actions, pipes->in[0], 0);
		posix_spawn_file_actions_adddup2(actions, pipes->out[1], 1);
	} else {
		posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
		posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
	}
	posix_spawn_file_actions_adddup2(actions, pipes->errors[1], 2);
}

static int spawn(pid_t *ret_pid, char *const *arguments, const struct pipes *pipes, bool streams)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, usual;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(
		&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &usual);
	posix_spawn_file_actions_init(&actions);
	set_streams(&actions, pipes, streams);
	const int failed =
		posix_spawnp(ret_pid, arguments[0], &actions, &attributes, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return failed;
}

bool child_process_start(
	struct child_process *ret, char *const *arguments, bool streams, struct tuner_error *err)
{
	struct pipes pipes;
	pid_t pid = 0;

	const int failed =
		open_pipes(&pipes, streams) ? spawn(&pid, arguments, &pipes, streams) : errno;
	if (failed != 0) {
		close_pipes(&pipes);
		tuner_fail_errno(err, failed, "cannot run %s", arguments[0]);
		if (failed == ENOENT)
			tuner_fail(err, TUNER_USAGE, "there is no %s on this machine: install it",
				arguments[0]);
		return false;
	}
	*ret = (struct child_process){
		.pid = pid, .in = pipes.in[1], .out = pipes.out[0], .errors = pipes.errors[0]
	};
	pipes.in[1] = pipes.out[0] = pipes.errors[0] = -1;
	close_pipes(&pipes);
	const int ours[] = { ret->in, ret->out, ret->errors };
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (ours[i] >= 0)
			fcntl(ours[i], F_SETFL, O_NONBLOCK);
	return true;
}

/* ---- its complaints ---- */

/* What rsync prints after the line that has the reason. */
static bool is_consequence(const char *line)
{
	static const char *const begins[] = { "rsync error: ", "rsync: [sender] write error: ",
		"rsync: connection unexpectedly closed", "(see the rsync " };

	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++)
		if (strncmp(line, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

static void keep_line(struct child_process *child)
{
	while (child->n_line > 0 && (unsigned char)child->line[child->n_line - 1] <= ' ')
		child->n_line--;
	child->line[child->n_line] = '\0';
	if (child->n_line > 0 && (child->complaint[0] == '\0' || !is_consequence(child->line)))
		memcpy(child->complaint, child->line, child->n_line + 1);
	child->n_line = 0;
}

static void listen(struct child_process *child)
{
	char bytes[4096];

	while (child->errors >= 0) {
		const ssize_t n = read(child->errors, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		for (ssize_t i = 0; i < n; i++) {
			if (bytes[i] == '\n')
				keep_line(child);
			else if (child->n_line + 1 < sizeof(child->line))
				child->line[child->n_line++] = bytes[i];
		}
		if (n <= 0) {
			keep_line(child);
			close_end(&child->errors);
		}
	}
}

bool child_process_ended(struct child_process *child)
{
	listen(child);
	if (child->pid > 0 && waitpid(child->pid, &child->status, WNOHANG) != 0) {
		child->pid = 0;
		listen(child);
	}
	return child->pid == 0;
}

void child_process_end(struct child_process *child)
{
	if (child->pid > 0) {
		kill(-child->pid, SIGKILL);
		kill(child->pid, SIGKILL);
		waitpid(child->pid, &child->status, 0);
		child->pid = 0;
	}
	close_end(&child->in);
	close_end(&child->out);
	close_end(&child->errors);
}

void child_process_explain(
	const struct child_process *child, const char *name, char *ret, size_t size)
{
	if (child->complaint[0] != '\0')
		snprintf(ret, size, "%s", child->complaint);
	else if (WIFEXITED(child->status))
		snprintf(ret, size, "%s ended with status %d", name, WEXITSTATUS(child->status));
	else
		snprintf(ret, size, "%s was killed by signal %d", name, WTERMSIG(child->status));
}
