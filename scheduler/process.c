#include "scheduler/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ENVIRONMENT_MAX = 8 << 20 };

/* Reads up to `size` bytes of a file in /proc/PID; -1 if it cannot be read. */
static ssize_t read_proc(int64_t pid, const char *name, char *ret, size_t size)
{
	char path[64];
	size_t length = 0;
	ssize_t got = 0;
	snprintf(path, sizeof(path), "/proc/%lld/%s", (long long)pid, name);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (length < size && (got = read(fd, ret + length, size - length)) > 0)
		length += (size_t)got;
	close(fd);
	return got < 0 ? -1 : (ssize_t)length;
}

bool process_look(int64_t pid, struct process *ret)
{
	char line[1024];
	long long group, start;
	const ssize_t n = read_proc(pid, "stat", line, sizeof(line) - 1);
	if (n <= 0)
		return false;
	line[n] = '\0';
	/* The name may hold anything, parentheses too. Fields 3, 5 and 22 follow it. */
	const char *end = strrchr(line, ')');
	if (end == NULL ||
		sscanf(end + 1,
			" %c %*d %lld %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
			"%*d %lld",
			&ret->state, &group, &start) != 3)
		return false;
	ret->group = group;
	ret->start = start;
	return true;
}

static bool holds(const char *bytes, size_t size, const char *name, const char *value)
{
	const size_t name_length = strlen(name), length = name_length + 1 + strlen(value);
	for (size_t at = 0; at < size; at += strnlen(bytes + at, size - at) + 1)
		if (strnlen(bytes + at, size - at) == length &&
			memcmp(bytes + at, name, name_length) == 0 &&
			bytes[at + name_length] == '=' &&
			memcmp(bytes + at + name_length + 1, value, strlen(value)) == 0)
			return true;
	return false;
}

bool process_has_variable(int64_t pid, const char *name, const char *value)
{
	/* Most environments fit into this; the others are read again. */
	char first[16384];
	ssize_t n = read_proc(pid, "environ", first, sizeof(first));
	if (n < (ssize_t)sizeof(first))
		return n > 0 && holds(first, (size_t)n, name, value);
	char *all = malloc(ENVIRONMENT_MAX);
	if (all == NULL)
		return holds(first, sizeof(first), name, value);
	n = read_proc(pid, "environ", all, ENVIRONMENT_MAX);
	const bool found = n > 0 && holds(all, (size_t)n, name, value);
	free(all);
	return found;
}

int process_open(int64_t pid, int64_t start)
{
	struct process process;
	const int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0u);
	if (fd < 0)
		return -1;
	/* Looked at after it was opened: if it is the one now, it was the one then. */
	if (start != 0 && (!process_look(pid, &process) || process.start != start)) {
		close(fd);
		return -1;
	}
	return fd;
}

bool process_signal(int pidfd, int signal)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0u) == 0;
}

void process_kill(int64_t pid, const struct process *process)
{
	const int fd = process_open(pid, process->start);
	if (fd < 0)
		return;
	process_signal(fd, SIGKILL);
	close(fd);
}
