#include "trials/lock.h"

#include "base/file.h"
#include "base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
	/* A process that asks for the holder takes a shared lock for an instant, which may collide
	 * with an attempt to take the lock. The attempt is then repeated; this many collisions in a
	 * row cannot happen. */
	TRIES = 100,
};

static bool lock_path(const char *path, char **ret, struct tuner_error *err)
{
	return asprintf(ret, "%s.lock", path) >= 0 || tuner_fail_memory(err);
}

/* The pid in the file; -1 if there is none. */
static int64_t read_pid(int fd)
{
	char text[32];
	const ssize_t length = pread(fd, text, sizeof text - 1, 0);
	int64_t pid = -1;

	if (length <= 0)
		return -1;
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return number_to_int64(text, &pid) && pid > 0 ? pid : -1;
}

static bool write_pid(int fd, const char *lock, struct tuner_error *err)
{
	char text[32];
	const int length = snprintf(text, sizeof text, "%" PRId64 "\n", (int64_t)getpid());

	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)length, 0) != length)
		return tuner_fail_errno(err, errno, "%s: cannot be written", lock);
	return true;
}

/* "1: FLOCK ADVISORY WRITE 4242 08:01:131 0 EOF". A device with major number 0 may have a different
 * number in stat(2) if its file system has several (btrfs, overlays). */
static int64_t holder_of_line(const char *line, const struct stat *lock)
{
	unsigned major_number, minor_number;
	unsigned long inode;
	long long pid;

	if (sscanf(line, "%*d: FLOCK %*s WRITE %lld %x:%x:%lu", &pid, &major_number, &minor_number,
		    &inode) != 4 ||
		inode != lock->st_ino || pid <= 0)
		return 0;
	return makedev(major_number, minor_number) == lock->st_dev ||
			       (major_number == 0 && major(lock->st_dev) == 0)
		       ? pid
		       : 0;
}

/* The database may be readable for other users, while only the owner can open its lock: the kernel
 * tells them the holder. */
static int64_t holder_by_kernel(const char *lock)
{
	char line[256];
	struct stat status;
	int64_t holder = 0;
	FILE *locks = stat(lock, &status) == 0 ? fopen("/proc/locks", "re") : NULL;

	while (locks != NULL && holder == 0 && fgets(line, sizeof(line), locks) != NULL)
		holder = holder_of_line(line, &status);
	if (locks != NULL)
		fclose(locks);
	return holder;
}

bool lock_holder(const char *path, int64_t *ret_pid, struct tuner_error *err)
{
	char *lock = NULL;
	bool ok = false;
	int fd = -1;

	if (!lock_path(path, &lock, err))
		return false;
	fd = open(lock, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT && errno != EACCES) {
		tuner_fail(err, TUNER_USAGE, "%s: %s", lock, strerror(errno));
		goto out;
	}
	*ret_pid = fd < 0 && errno == EACCES ? holder_by_kernel(lock) : 0;
	if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK) {
			tuner_fail_errno(err, errno, "%s: flock", lock);
			goto out;
		}
		*ret_pid = read_pid(fd);
	}
	ok = true;
out:
	if (fd >= 0)
		close(fd);
	free(lock);
	return ok;
}

bool lock_take(const char *path, int *ret_fd, bool *ret_made, struct tuner_error *err)
{
	struct tuner_error taken;
	char *lock = NULL;
	int64_t pid = 0;
	bool ok = false;

	if (!lock_path(path, &lock, err))
		return false;
	*ret_made = access(lock, F_OK) != 0;
	for (unsigned i = 0; i < TRIES && pid == 0 && !ok; i++) {
		ok = file_lock(lock, ret_fd, &taken);
		if (!ok && taken.code != TUNER_RETRY) {
			*err = taken;
			goto out;
		}
		if (!ok && !lock_holder(path, &pid, err))
			goto out;
	}
	if (ok) {
		ok = write_pid(*ret_fd, lock, err);
		if (!ok)
			close(*ret_fd);
		goto out;
	}
	char who[48] = "another process";

	if (pid > 0)
		snprintf(who, sizeof who, "the process with pid %" PRId64, pid);
	tuner_fail(err, TUNER_RETRY,
		"%s is in use by %s, which runs a job in it: wait for it, end its job with `tuner "
		"stop`, or name another database with --db",
		path, who);
out:
	free(lock);
	return ok;
}

bool lock_keep(const char *path, int *fd, struct tuner_error *err)
{
	struct tuner_error why;
	char *lock = NULL;
	bool made;
	int again = -1;

	if (!lock_path(path, &lock, err))
		return false;
	const bool kept = file_has_name(*fd, lock);
	free(lock);
	if (kept)
		return true;
	if (!lock_take(path, &again, &made, &why))
		return why.code != TUNER_RETRY ||
		       tuner_fail(err, TUNER_FATAL,
			       "%s.lock was removed while it was locked, and another process "
			       "writes the database since: it has what runs. Leave that file, it "
			       "is no trace of a dead program",
			       path);
	close(*fd);
	*fd = again;
	return true;
}

void lock_release(int fd)
{
	if (fd < 0)
		return;
	if (ftruncate(fd, 0) != 0) {
		/* A pid stays in a file that is not locked, where nobody reads it. */
	}
	close(fd);
}

void lock_unlink(const char *path, int fd)
{
	struct tuner_error ignored;
	char *lock = NULL;

	if (fd < 0 || !lock_path(path, &lock, &ignored))
		return;
	if (file_has_name(fd, lock))
		unlink(lock);
	free(lock);
}
