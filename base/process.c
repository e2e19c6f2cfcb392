#include "base/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool process_look(int64_t pid, struct process *ret)
{
	char path[64], line[1024];
	long long group, session, start;

	snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	const ssize_t n = read(fd, line, sizeof(line) - 1); /* the kernel gives all of it at once */
	close(fd);
	if (n <= 0)
		return false;
	line[n] = '\0';
	/* The name may hold anything, parentheses too. Fields 3, 5, 6 and 22 follow it. */
	const char *end = strrchr(line, ')');
	if (end == NULL ||
		sscanf(end + 1,
			" %c %*d %lld %lld %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
			"%*d %lld",
			&ret->state, &group, &session, &start) != 4)
		return false;
	ret->group = group;
	ret->session = session;
	ret->start = start;
	return true;
}
