#include "scheduler/gpu_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool gpu_lock_directory(char *ret, size_t size)
{
	const char *given = getenv("TUNER_GPU_LOCKS");
	struct stat status;
	const int n = snprintf(
		ret, size, "%s", given != NULL && given[0] == '/' ? given : "/tmp/tuner-gpus");
	if (n < 0 || (size_t)n >= size)
		return false;
	if (mkdir(ret, 01777) == 0)
		chmod(ret, 01777); /* whatever the umask says */
	return lstat(ret, &status) == 0 && S_ISDIR(status.st_mode) && access(ret, W_OK | X_OK) == 0;
}

bool gpu_lock_path(const char *directory, const char *uuid, char *ret, size_t size)
{
	if (uuid[0] == '\0' || uuid[0] == '.' || strchr(uuid, '/') != NULL)
		return false;
	const int n = snprintf(ret, size, "%s/%s", directory, uuid);
	return n > 0 && (size_t)n < size;
}

/* Without O_CREAT if the file exists: in a world-writable directory, the kernel refuses O_CREAT on
 * another user's file (fs.protected_regular). */
static int open_file(const char *path)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	struct stat status;
	int fd = open(path, flags);

	if (fd < 0 && errno == ENOENT) {
		fd = open(path, flags | O_CREAT | O_EXCL, 0666);
		if (fd >= 0)
			fchmod(fd, 0666);
		else if (errno == EEXIST)
			fd = open(path, flags);
	}
	if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

static void read_owner(int fd, char ret[GPU_OWNER_MAX])
{
	const ssize_t n = pread(fd, ret, GPU_OWNER_MAX - 1, 0);
	ret[n > 0 ? n : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}

static bool write_owner(int fd, const char *owner)
{
	char line[GPU_OWNER_MAX + 1];
	const int n = snprintf(line, sizeof(line), "%.*s\n", GPU_OWNER_MAX - 2, owner);
	return ftruncate(fd, 0) == 0 && pwrite(fd, line, (size_t)n, 0) == n;
}

enum gpu_claim gpu_lock_claim(
	const char *path, const char *owner, int *ret_fd, char ret_owner[GPU_OWNER_MAX])
{
	enum gpu_claim claim = GPU_TAKEN;
	const int fd = open_file(path);

	*ret_fd = -1;
	ret_owner[0] = '\0';
	if (fd < 0)
		return GPU_UNLOCKABLE;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		if (!write_owner(fd, owner)) {
			const int error = errno;
			close(fd);
			errno = error;
			return GPU_UNLOCKABLE;
		}
	} else if (errno != EWOULDBLOCK) {
		claim = GPU_UNLOCKABLE;
	}
	/* Between exclusive and shared the kernel releases the lock for an instant, in which
	 * another process may become the owner: so the name is read once the lock is held again. */
	if (claim != GPU_UNLOCKABLE && flock(fd, LOCK_SH | LOCK_NB) == 0) {
		read_owner(fd, ret_owner);
		if (strcmp(ret_owner, owner) == 0) {
			*ret_fd = fd;
			return GPU_CLAIMED;
		}
	}
	close(fd);
	return claim;
}

void gpu_lock_release(int fd)
{
	if (fd >= 0)
		close(fd);
}
