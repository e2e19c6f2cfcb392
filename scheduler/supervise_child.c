#include "base/process.h"
#include "scheduler/supervise.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char SYNC = 's', GO = 'g';

static _Noreturn void fail(int pipe, int stage)
{
	const struct child_failure failure = { .stage = stage, .error = errno };

	if (write(pipe, &failure, sizeof(failure)) < 0)
		_exit(126);
	_exit(127);
}

/* Exits if the supervisor has died or abandoned the launch: nothing of the command has run. */
static void await(int pipe, char expected)
{
	char got = 0;
	ssize_t n;

	do
		n = read(pipe, &got, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1 || got != expected)
		_exit(0);
}

/* File systems without fsync for directories return EINVAL, and need none. */
static bool sync_directory(int directory)
{
	return fsync(directory) == 0 || errno == EINVAL || errno == EROFS;
}

static void reset_signals(void)
{
	sigset_t none;

	for (int i = 1; i <= 64; i++)
		signal(i, SIG_DFL); /* fails for SIGKILL, SIGSTOP and the C library's own */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static const char *variable(char *const *environment, const char *name)
{
	const size_t length = strlen(name);

	for (; *environment != NULL; environment++)
		if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
			return *environment + length + 1;
	return NULL;
}

/* As execvpe, but by the command's PATH instead of ours, and never through a shell. Returns with
 * errno; a file that exists but cannot be run takes precedence over one not found. */
static void exec_by_path(char *const *arguments, char *const *environment)
{
	const char *name = arguments[0], *path = variable(environment, "PATH");
	char file[PATH_MAX];
	int error = ENOENT;

	if (*name == '\0') {
		errno = ENOENT;
		return;
	}
	if (strchr(name, '/') != NULL) {
		execve(name, arguments, environment);
		return;
	}
	if (path == NULL)
		path = "/usr/local/bin:/usr/bin:/bin";
	for (;;) {
		const size_t n = strcspn(path, ":");
		const int length = snprintf(
			file, sizeof(file), "%.*s%s%s", (int)n, path, n > 0 ? "/" : "", name);

		if (length > 0 && (size_t)length < sizeof(file)) {
			execve(file, arguments, environment);
			if (errno != ENOENT && errno != ENOTDIR && error == ENOENT)
				error = errno;
		}
		if (path[n] == '\0')
			break;
		path += n + 1;
	}
	errno = error;
}

static _Noreturn void child_main(
	int directory, const struct order *order, int go, int output, int failure, pid_t supervisor)
{
	setpgid(0, 0);
	/* First: new credentials forget the parent's death signal. */
	if (order->no_network && !network_cut())
		fail(failure, CHILD_NETWORK);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		fail(failure, CHILD_SETUP);
	if (getppid() != supervisor) /* died before we asked to be told */
		_exit(0);

	await(go, SYNC);
	if (!sync_directory(directory))
		fail(failure, CHILD_SYNC);
	await(go, GO);

	const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0)
		fail(failure, CHILD_SETUP);
	if (chdir(order->directory) != 0)
		fail(failure, CHILD_DIRECTORY);
	reset_signals();
	exec_by_path(order->arguments, order->environment);
	fail(failure, CHILD_EXEC);
}

static void close_both(int pipe[2])
{
	for (int i = 0; i < 2; i++)
		if (pipe[i] >= 0)
			close(pipe[i]);
}

bool child_fork(
	int directory, const struct order *order, struct child *ret, char ret_message[MESSAGE_MAX])
{
	int go[2] = { -1, -1 }, output[2] = { -1, -1 }, failure[2] = { -1, -1 };
	const pid_t supervisor = getpid();
	pid_t pid = -1;

	if (pipe2(go, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0 &&
		pipe2(failure, O_CLOEXEC) == 0)
		pid = fork();
	if (pid < 0) {
		snprintf(ret_message, MESSAGE_MAX, "cannot start a process: %s", strerror(errno));
		close_both(go);
		close_both(output);
		close_both(failure);
		return false;
	}
	if (pid == 0) {
		close(go[1]); /* so that only the supervisor holds the other end */
		child_main(directory, order, go[0], output[1], failure[1], supervisor);
	}
	setpgid(pid, pid); /* parent and child both do it: whichever is first, the group exists from
			      now on */
	close(go[0]);
	close(output[1]);
	close(failure[1]);
	fcntl(output[0], F_SETFL, O_NONBLOCK);
	fcntl(failure[0], F_SETFL, O_NONBLOCK);
	*ret = (struct child){
		.pid = pid, .go = go[1], .output = output[0], .failure = failure[0]
	};
	return true;
}

/* A child that has died already reads nothing: SIGPIPE is blocked, and its end will be noticed. */
static void tell(int pipe, char word)
{
	while (write(pipe, &word, 1) < 0 && errno == EINTR)
		;
}

void child_sync(struct child *child)
{
	tell(child->go, SYNC);
}

void child_go(struct child *child)
{
	tell(child->go, GO);
	close(child->go);
	child->go = -1;
}

void child_abandon(struct child *child)
{
	if (child->go >= 0)
		close(child->go);
	close(child->output);
	close(child->failure);
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
}

void child_explain(const struct child_failure *failure, const struct order *order,
	char ret_message[MESSAGE_MAX])
{
	const char *why = strerror(failure->error), *command = order->arguments[0];

	switch (failure->stage) {
	case CHILD_NETWORK:
		snprintf(ret_message, MESSAGE_MAX,
			"\"network\": \"none\" is not possible here (%s): the kernel refuses user "
			"namespaces",
			why);
		break;
	case CHILD_SYNC:
		snprintf(ret_message, MESSAGE_MAX, "cannot make the start durable: %s", why);
		break;
	case CHILD_SETUP:
		snprintf(ret_message, MESSAGE_MAX, "cannot prepare the process: %s", why);
		break;
	case CHILD_DIRECTORY:
		snprintf(ret_message, MESSAGE_MAX, "cannot enter the directory %.180s: %s",
			order->directory, why);
		break;
	case CHILD_EXEC:
		if (failure->error == ENOENT && strchr(command, '/') == NULL)
			why = "not found in PATH";
		else if (failure->error == ENOENT)
			why = "no such file, or the interpreter in its first line is missing";
		else if (failure->error == ENOEXEC)
			why = "neither a program nor a script that begins with #!";
		else if (failure->error == E2BIG)
			why = "its arguments and environment are too long";
		snprintf(ret_message, MESSAGE_MAX, "cannot run %.160s: %s", command, why);
		break;
	}
}

void children_kill(void)
{
	const struct dirent *entry;
	struct process process;
	DIR *proc = opendir("/proc");

	if (proc == NULL)
		return;
	while ((entry = readdir(proc)) != NULL) {
		char *end = NULL;
		const long pid = strtol(entry->d_name, &end, 10);

		/* Only we reap our children, so the pid cannot be reused in between. */
		if (*end == '\0' && pid > 0 && process_look(pid, &process) &&
			process.parent == getpid())
			kill((pid_t)pid, SIGKILL);
	}
	closedir(proc);
}
