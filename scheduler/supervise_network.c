#include "scheduler/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool write_proc(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	const size_t length = strlen(text);
	const bool ok = fd >= 0 && write(fd, text, length) == (ssize_t)length;
	const int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return ok;
}

/* Inside the namespace the user keeps the same id, and files keep their owners. */
static bool map_ids(uid_t user, gid_t group)
{
	char users[64], groups[64];

	snprintf(users, sizeof(users), "%u %u 1", (unsigned)user, (unsigned)user);
	snprintf(groups, sizeof(groups), "%u %u 1", (unsigned)group, (unsigned)group);
	return write_proc("/proc/self/setgroups", "deny") &&
	       write_proc("/proc/self/uid_map", users) && write_proc("/proc/self/gid_map", groups);
}

static bool raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;

	if (ok) {
		request.ifr_flags |= IFF_UP | IFF_RUNNING;
		ok = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
	}
	const int error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	return ok;
}

bool network_cut(void)
{
	const uid_t user = geteuid();
	const gid_t group = getegid();

	return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && map_ids(user, group) &&
	       raise_loopback();
}
