#include "base/file.h"

#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	DEPTH_MAX = 256, /* of a tree to remove: one open descriptor per level */
	LOCK_TRIES = 100, /* a lock file replaced this often is contended */
	NAME_TRIES = 16, /* if this many names exist, the 64 random bits are not random */
	READ_CHUNK = 16384,
};

/* TUNER_USAGE for a path that the user can correct, TUNER_FATAL for a full or broken disk. */
static enum tuner_code code_of(int error_number)
{
	switch (error_number) {
	case EACCES:
	case EINVAL:
	case EISDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case ENOENT:
	case ENOTDIR:
	case EPERM:
	case EROFS:
		return TUNER_USAGE;
	default:
		return TUNER_FATAL;
	}
}

static bool fail_path(struct tuner_error *err, int error_number, const char *what, const char *path)
{
	tuner_fail_errno(err, error_number, "%s %s", what, path);
	err->code = code_of(error_number);
	return false;
}

/* Closes and keeps errno, for clean-up after a failure. */
static void close_quietly(int fd)
{
	const int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

/* --- reading --- */

static bool fail_too_long(
	struct tuner_error *err, const char *path, size_t max_bytes, intmax_t size)
{
	if (size < 0)
		return tuner_fail(err, TUNER_USAGE,
			"%s has more than %zu bytes, and no more than that is accepted", path,
			max_bytes);
	return tuner_fail(err, TUNER_USAGE, "%s has %jd bytes, and at most %zu are accepted", path,
		size, max_bytes);
}

/* Opens for reading without waiting for the other end of a pipe; accepts only a regular file. */
static bool open_regular(const char *path, size_t max_bytes, int *ret_fd, struct tuner_error *err)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0) {
		tuner_fail_errno(err, errno, "cannot read %s", path);
		err->code = TUNER_USAGE;
		goto fail;
	}
	if (!S_ISREG(status.st_mode)) {
		tuner_fail(err, TUNER_USAGE, "cannot read %s: it is %s", path,
			S_ISDIR(status.st_mode) ? "a directory" : "not a regular file");
		goto fail;
	}
	if (status.st_size > 0 && (uintmax_t)status.st_size > max_bytes) {
		fail_too_long(err, path, max_bytes, status.st_size);
		goto fail;
	}
	*ret_fd = fd;
	return true;
fail:
	close_quietly(fd);
	return false;
}

/* Reads to the end, or one byte beyond max_bytes, which shows that there is too much: a file can
 * grow after its size was read, and a stream has no size. */
static bool read_all(
	int fd, const char *path, size_t max_bytes, struct text *ret, struct tuner_error *err)
{
	char chunk[READ_CHUNK];

	for (;;) {
		const size_t room = max_bytes - ret->length;
		const size_t wanted = room < sizeof(chunk) ? room + 1 : sizeof(chunk);
		const ssize_t got = read(fd, chunk, wanted);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			tuner_fail_errno(err, errno, "cannot read %s", path);
			err->code = TUNER_USAGE;
			return false;
		}
		if (got == 0)
			return true;
		if ((size_t)got > room)
			return fail_too_long(err, path, max_bytes, -1);
		text_add_bytes(ret, chunk, (size_t)got);
		if (text_failed(ret))
			return tuner_fail_memory(err);
	}
}

bool file_read(const char *path, size_t max_bytes, struct text *ret, struct tuner_error *err)
{
	const bool standard = strcmp(path, "-") == 0;
	int fd = STDIN_FILENO;

	text_clear(ret);
	if (!standard && !open_regular(path, max_bytes, &fd, err))
		return false;
	const bool ok = read_all(fd, standard ? "standard input" : path, max_bytes, ret, err);
	if (!standard)
		close(fd);
	if (!ok)
		text_clear(ret);
	return ok;
}

/* --- writing --- */

#define TEMPORARY_BEGIN ".tuner-"
#define TEMPORARY_END   ".tmp"

static bool is_temporary(const char *name)
{
	static const size_t begin = sizeof(TEMPORARY_BEGIN) - 1, end = sizeof(TEMPORARY_END) - 1;
	const size_t length = strlen(name);
	return length > begin + end && strncmp(name, TEMPORARY_BEGIN, begin) == 0 &&
	       strcmp(name + length - end, TEMPORARY_END) == 0 &&
	       strspn(name + begin, "0123456789abcdef") == length - begin - end;
}

void file_remove_temporaries(const char *directory)
{
	const struct dirent *entry;
	DIR *entries = opendir(directory);
	if (entries == NULL)
		return;
	while ((entry = readdir(entries)) != NULL)
		if (is_temporary(entry->d_name))
			unlinkat(dirfd(entries), entry->d_name, 0);
	closedir(entries);
}

/* Creates an empty file with a unique name in the directory. The mode passes through the umask,
 * which mkstemp would not do. *ret_path is to be freed in any case. */
static int open_temporary(const char *directory, mode_t mode, char **ret_path)
{
	*ret_path = NULL;
	for (int try = 0; try < NAME_TRIES; try++) {
		uint64_t number;
		free(*ret_path);
		*ret_path = NULL;
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return -1;
		if (asprintf(ret_path, "%s/" TEMPORARY_BEGIN "%016" PRIx64 TEMPORARY_END, directory,
			    number) < 0) {
			*ret_path = NULL;
			errno = ENOMEM;
			return -1;
		}
		const int fd = open(*ret_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

/* Makes a rename in the directory survive a power cut. Some file systems cannot sync one, and
 * return EINVAL. */
static bool sync_directory(const char *directory)
{
	const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0;

	if (ok && fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP)
		ok = false;
	close_quietly(fd);
	return ok;
}

/* True for links like /dev/stdout and /dev/fd. */
static bool leads_into_proc(const char *path)
{
	static const char proc[] = "/proc/";
	char target[sizeof(proc) - 1];

	return readlink(path, target, sizeof(target)) == (ssize_t)sizeof(target) &&
	       memcmp(target, proc, sizeof(target)) == 0;
}

static bool is_database(const char *path)
{
	static const char begin[] = "SQLite format 3"; /* and the zero */
	char bytes[sizeof(begin)];
	const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	const bool is = fd >= 0 && read(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes) &&
			memcmp(bytes, begin, sizeof(begin)) == 0;

	close_quietly(fd);
	return is;
}

/* Replacing /dev/null or a terminal by a file would be a surprise; replacing a database by a report
 * would lose a search. */
bool file_check_replaceable(const char *path, struct tuner_error *err)
{
	struct stat status;

	if (leads_into_proc(path))
		return tuner_fail(
			err, TUNER_USAGE, "cannot write %s: it is not a regular file", path);
	if (stat(path, &status) < 0)
		return true;
	if (S_ISREG(status.st_mode))
		return !is_database(path) ||
		       tuner_fail(err, TUNER_USAGE,
			       "cannot write %s: it is a database; remove it first, if it may go",
			       path);
	return tuner_fail(err, TUNER_USAGE, "cannot write %s: it is %s", path,
		S_ISDIR(status.st_mode) ? "a directory" : "not a regular file");
}

bool file_is_same(const char *path, const char *other)
{
	struct stat one, two;

	return stat(path, &one) == 0 && stat(other, &two) == 0 && one.st_dev == two.st_dev &&
	       one.st_ino == two.st_ino;
}

bool file_write_atomic(const char *path, const void *bytes, size_t length, mode_t mode,
	bool durable, struct tuner_error *err)
{
	char *directory = path_directory(path), *temporary = NULL;
	bool ok = false, made = false;
	int fd = -1;

	if (!directory) {
		tuner_fail_memory(err);
		goto out;
	}
	if (!file_check_replaceable(path, err))
		goto out;
	fd = open_temporary(directory, mode, &temporary);
	made = fd >= 0;
	if (!made || !io_write(fd, bytes, length) || (durable && fsync(fd) < 0)) {
		fail_path(err, errno, "cannot write", path);
		goto out;
	}
	const int closed = close(fd); /* network file systems report a full disk here */
	fd = -1;
	if (closed < 0 || rename(temporary, path) < 0) {
		fail_path(err, errno, "cannot write", path);
		goto out;
	}
	made = false;
	if (durable && !sync_directory(directory)) {
		fail_path(err, errno, "cannot sync the directory of", path);
		goto out;
	}
	ok = true;
out:
	if (fd >= 0)
		close(fd);
	if (made)
		unlink(temporary);
	free(temporary);
	free(directory);
	return ok;
}

/* --- directories --- */

/* Makes path[0..length), whose parent exists. */
static bool make_one(char *path, size_t length, mode_t mode)
{
	const char cut = path[length];
	struct stat status;

	path[length] = '\0';
	bool ok = mkdir(path, mode) == 0;
	if (!ok && errno == EEXIST) {
		ok = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
		if (!ok)
			errno = ENOTDIR;
	}
	path[length] = cut;
	return ok;
}

bool directory_make(const char *path, mode_t mode, struct tuner_error *err)
{
	char *copy = strdup(path);
	bool ok = false;

	if (!copy)
		return tuner_fail_memory(err);
	if (!*path) {
		fail_path(err, ENOENT, "cannot make the directory", "\"\"");
		goto out;
	}
	for (size_t i = 1;; i++) {
		const bool end = copy[i] == '\0';
		if ((end || copy[i] == '/') && copy[i - 1] != '/' && !make_one(copy, i, mode)) {
			fail_path(err, errno, "cannot make the directory", path);
			goto out;
		}
		if (end)
			break;
	}
	ok = true;
out:
	free(copy);
	return ok;
}

/* Removes what the open directory holds and closes it. False leaves errno. */
static bool empty_directory(int directory_fd, dev_t device, unsigned depth);

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Opens a directory that is to be removed: never through a link, never another file system. Its
 * permissions may exclude changes (a package cache, for example); if we own it, we add the
 * permission. */
static int open_doomed(int parent, const char *name, dev_t device)
{
	const int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) < 0)
		goto fail;
	if (status.st_dev == device) {
		if ((status.st_mode & 0700) != 0700)
			(void)!fchmod(fd, 0700);
		return fd;
	}
	errno = EXDEV;
fail:
	close_quietly(fd);
	return -1;
}

/* Removes one entry of any kind. An entry that is already gone is not an error. */
static bool remove_entry(int parent, const char *name, dev_t device, unsigned depth)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return true;
	if (errno != EISDIR) /* Linux's answer for a directory */
		return false;
	if (depth == DEPTH_MAX) {
		errno = ELOOP;
		return false;
	}

	const int fd = open_doomed(parent, name, device);
	if (fd < 0)
		return errno == ENOENT;
	if (!empty_directory(fd, device, depth + 1))
		return false;
	return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

static bool empty_directory(int directory_fd, dev_t device, unsigned depth)
{
	DIR *directory = fdopendir(directory_fd);
	int saved = 0;
	bool ok = true;

	if (!directory) {
		close_quietly(directory_fd);
		return false;
	}
	/* What cannot go keeps nothing else from going; the first reason stays. */
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(directory);
		const bool ended = entry == NULL;
		const bool fine =
			ended ? errno == 0
			      : is_dots(entry->d_name) || remove_entry(dirfd(directory),
								  entry->d_name, device, depth);
		if (!fine && ok)
			saved = errno;
		ok = ok && fine;
		if (ended)
			break;
	}
	closedir(directory);
	errno = saved;
	return ok;
}

/* Like directory_remove, with errno. The path must not end in a slash, which would follow a
 * link. */
static bool remove_tree(const char *path)
{
	struct stat status;

	if (lstat(path, &status) < 0)
		return errno == ENOENT;
	if (!S_ISDIR(status.st_mode) && !S_ISLNK(status.st_mode)) {
		errno = ENOTDIR;
		return false;
	}
	return remove_entry(AT_FDCWD, path, status.st_dev, 0);
}

static bool fail_remove(struct tuner_error *err, const char *path)
{
	if (errno == ELOOP)
		return tuner_fail(err, TUNER_USAGE,
			"cannot remove %s: directories lie more than %d levels deep in it", path,
			DEPTH_MAX);
	return fail_path(err, errno, "cannot remove", path);
}

bool directory_remove(const char *path, struct tuner_error *err)
{
	size_t length = strlen(path);

	while (length > 0 && path[length - 1] == '/')
		length--;
	char *copy = strndup(path, length);
	if (!copy)
		return tuner_fail_memory(err);

	bool ok;
	if (length == 0 || is_dots(path_name(copy))) /* "", "/", ".": surely a mistake */
		ok = fail_path(err, EINVAL, "cannot remove", path);
	else
		ok = remove_tree(copy) || fail_remove(err, path);
	free(copy);
	return ok;
}

bool directory_remove_at(int directory_fd, const char *name, struct tuner_error *err)
{
	struct stat status;

	if (!*name || is_dots(name) || strchr(name, '/') != NULL)
		return fail_path(err, EINVAL, "cannot remove", name);
	if (fstat(directory_fd, &status) < 0)
		return fail_path(err, errno, "cannot remove", name);
	return remove_entry(directory_fd, name, status.st_dev, 0) || fail_remove(err, name);
}

/* --- paths --- */

char *path_join(const char *base, const char *path)
{
	const char *home = strncmp(path, "~/", 2) == 0 ? getenv("HOME") : NULL;
	char *joined = NULL;

	if (home && *home) {
		base = home;
		path += 1 + strspn(path + 1, "/");
	}
	if (*path == '/' || !*base)
		return strdup(path);
	if (!*path)
		return strdup(base);

	const char *slash = base[strlen(base) - 1] == '/' ? "" : "/";
	return asprintf(&joined, "%s%s%s", base, slash, path) < 0 ? NULL : joined;
}

/* Offset of the last component; slashes at the end belong to it. */
static size_t name_offset(const char *path)
{
	size_t at = strlen(path);

	while (at > 0 && path[at - 1] == '/')
		at--;
	while (at > 0 && path[at - 1] != '/')
		at--;
	return at;
}

char *path_directory(const char *path)
{
	size_t length = name_offset(path);

	if (length == 0)
		return strdup(*path == '/' ? "/" : ".");
	while (length > 1 && path[length - 1] == '/')
		length--;
	return strndup(path, length);
}

/* Length of the common prefix of two absolute paths, in whole components. */
static size_t same_directories(const char *a, const char *b)
{
	size_t same = 0;

	for (size_t i = 0;; i++) {
		if ((a[i] == '/' || a[i] == '\0') && (b[i] == '/' || b[i] == '\0'))
			same = i;
		if (a[i] != b[i] || a[i] == '\0')
			return same;
	}
}

static char *relative_path(const char *from, const char *to)
{
	const size_t same = same_directories(from, to);
	const char *down = to + same + (to[same] == '/');
	char *ret = malloc(3 * strlen(from) + strlen(down) + 2), *end = ret;

	if (ret == NULL)
		return NULL;
	for (const char *at = from + same; *at != '\0'; at++)
		if (*at == '/' && at[1] != '\0')
			end = stpcpy(end, "../");
	end = stpcpy(end, down);
	if (end > ret && end[-1] == '/')
		end[-1] = '\0';
	if (end == ret)
		strcpy(ret, ".");
	return ret;
}

char *path_relative(const char *from, const char *to)
{
	char *const real_from = realpath(from, NULL), *const real_to = realpath(to, NULL);
	char *ret = real_from && real_to ? relative_path(real_from, real_to) : NULL;

	free(real_from);
	free(real_to);
	return ret;
}

const char *path_name(const char *path)
{
	return path + name_offset(path);
}

bool path_is_program(const char *path, const char *const *names, size_t n)
{
	const char *const name = path_name(path);

	for (size_t i = 0; i < n; i++) {
		const size_t length = strlen(names[i]);

		if (strncmp(name, names[i], length) == 0 &&
			strspn(name + length, "0123456789.") == strlen(name + length))
			return true;
	}
	return false;
}

/* --- locks --- */

bool file_has_name(int fd, const char *path)
{
	struct stat open_file, named_file;

	return fstat(fd, &open_file) == 0 && stat(path, &named_file) == 0 &&
	       open_file.st_dev == named_file.st_dev && open_file.st_ino == named_file.st_ino;
}

static int lock_without_waiting(int fd)
{
	int result;

	do
		result = flock(fd, LOCK_EX | LOCK_NB);
	while (result < 0 && errno == EINTR);
	return result;
}

bool file_lock(const char *path, int *ret_fd, struct tuner_error *err)
{
	for (int try = 0; try < LOCK_TRIES; try++) {
		const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return fail_path(err, errno, "cannot open the lock file", path);
		if (lock_without_waiting(fd) < 0) {
			const int reason = errno;
			close(fd);
			if (reason != EWOULDBLOCK)
				return fail_path(err, reason, "cannot lock", path);
			break;
		}
		if (file_has_name(fd, path)) { /* its last holder may have removed it in between */
			*ret_fd = fd;
			return true;
		}
		close(fd);
	}
	return tuner_fail(err, TUNER_RETRY, "%s is locked by another process", path);
}
