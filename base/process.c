#include "base/process.h"

#include "base/io.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool process_look(int64_t pid, struct process *ret)
{
	char path[64], line[1024];
	long long parent, group, session, start, pages;

	snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	const ssize_t n = read(fd, line, sizeof(line) - 1); /* the kernel gives all of it at once */
	close(fd);
	if (n <= 0)
		return false;
	line[n] = '\0';
	/* The name may contain anything, even parentheses. Fields 3 to 6, 22 and 24 follow it. */
	const char *end = strrchr(line, ')');
	if (end == NULL || sscanf(end + 1,
				   " %c %lld %lld %lld %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
				   "%*d %*d %*d "
				   "%*d %lld %*u %lld",
				   &ret->state, &parent, &group, &session, &start, &pages) != 6)
		return false;
	ret->parent = parent;
	ret->group = group;
	ret->session = session;
	ret->start = start;
	ret->resident_pages = pages;
	return true;
}

bool process_lives(int64_t pid, int64_t start)
{
	struct process process;

	return process_look(pid, &process) && process.start == start && process.state != 'Z' &&
	       process.state != 'X';
}

void process_boot_id(char ret[BOOT_ID_MAX])
{
	(void)io_read_small("/proc/sys/kernel/random/boot_id", ret, BOOT_ID_MAX);
	ret[strspn(ret, "0123456789abcdefABCDEF-")] = '\0';
}
