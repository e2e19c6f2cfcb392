#include "scheduler/process.h"

#include "base/io.h"

#include <errno.h>
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
	snprintf(path, sizeof(path), "/proc/%lld/%s", (long long)pid, name);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	const ssize_t n = io_read(fd, ret, size);
	close(fd);
	return n;
}

/* *ret_other: NAME has another value. */
static bool holds(
	const char *bytes, size_t size, const char *name, const char *value, bool *ret_other)
{
	const size_t name_length = strlen(name), value_length = strlen(value);
	*ret_other = false;
	for (size_t at = 0, length; at < size; at += length + 1) {
		length = strnlen(bytes + at, size - at);
		if (length <= name_length || memcmp(bytes + at, name, name_length) != 0 ||
			bytes[at + name_length] != '=')
			continue;
		if (length == name_length + 1 + value_length &&
			memcmp(bytes + at + name_length + 1, value, value_length) == 0)
			return true;
		*ret_other = true;
	}
	return false;
}

bool process_has_variable(int64_t pid, const char *name, const char *value, bool *ret_other)
{
	/* Most environments fit into this; the others are read again. */
	char first[16384];
	ssize_t n = read_proc(pid, "environ", first, sizeof(first));
	*ret_other = false;
	if (n < (ssize_t)sizeof(first))
		return n > 0 && holds(first, (size_t)n, name, value, ret_other);
	char *all = malloc(ENVIRONMENT_MAX);
	if (all == NULL)
		return holds(first, sizeof(first), name, value, ret_other);
	n = read_proc(pid, "environ", all, ENVIRONMENT_MAX);
	const bool found = n > 0 && holds(all, (size_t)n, name, value, ret_other);
	free(all);
	return found;
}

void process_variable(int64_t pid, const char *name, char *ret, size_t size)
{
	char bytes[16384];
	const size_t name_length = strlen(name);
	const ssize_t n = read_proc(pid, "environ", bytes, sizeof(bytes) - 1);

	ret[0] = '\0';
	bytes[n > 0 ? n : 0] = '\0';
	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(bytes + at) + 1) {
		const char *entry = bytes + at, *value = entry + name_length + 1;
		if (strncmp(entry, name, name_length) != 0 || entry[name_length] != '=')
			continue;
		if (strlen(value) < size)
			memcpy(ret, value, strlen(value) + 1);
		return;
	}
}

int process_open(int64_t pid, int64_t start)
{
	struct process process;
	const int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0u);
	if (fd < 0)
		return -1;
	/* Checked after opening: if the pid is this process's now, it was when we opened it. */
	if (start != 0 && (!process_look(pid, &process) || process.start != start)) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool signal_by_number(int64_t pid, int64_t start, int signal)
{
	if (pid > 1 && process_lives(pid, start))
		return kill((pid_t)pid, signal) == 0;
	errno = ESRCH;
	return false;
}

bool process_signal(int pidfd, int64_t pid, int64_t start, int signal)
{
	if (pidfd >= 0 && syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0u) == 0)
		return true;
	return (pidfd < 0 || errno != ESRCH) && signal_by_number(pid, start, signal);
}
