#include "scheduler/snapshot.h"

#include "base/file.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

/* By the kernel if possible, which on some file systems shares the blocks without copying. */
static bool copy_bytes(int from, int to)
{
	char bytes[CHUNK];
	ssize_t n;

	while ((n = copy_file_range(from, NULL, to, NULL, SSIZE_MAX & ~(size_t)0xfffff, 0)) > 0)
		;
	if (n == 0)
		return true;
	while ((n = io_read(from, bytes, sizeof(bytes))) > 0)
		if (!io_write(to, bytes, (size_t)n))
			return false;
	return n == 0;
}

static bool copy_plain(int from_root, int to_root, const char *path, struct tuner_error *err)
{
	struct stat status;
	const int from = openat(from_root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	int to = -1;
	bool ok = from >= 0 && fstat(from, &status) == 0;

	if (ok) {
		to = openat(to_root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		const struct timespec times[2] = { status.st_atim, status.st_mtim };
		ok = to >= 0 && copy_bytes(from, to) && fchmod(to, status.st_mode & 0777) == 0 &&
		     futimens(to, times) == 0;
	}
	if (!ok) /* missing: deleted since it was listed */
		tuner_fail(err, errno == ENOENT || errno == ELOOP ? TUNER_RETRY : TUNER_FATAL,
			"cannot copy %.150s: %s", path, strerror(errno));
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return ok;
}

static bool copy_link(int from_root, int to_root, const char *path, struct tuner_error *err)
{
	char target[PATH_MAX];
	const ssize_t n = readlinkat(from_root, path, target, sizeof(target) - 1);

	if (n >= 0)
		target[n] = '\0';
	if (n < 0 || symlinkat(target, to_root, path) != 0)
		return tuner_fail(
			err, TUNER_RETRY, "cannot copy the link %.150s: %s", path, strerror(errno));
	return true;
}

static bool make_parents(int to_root, const char *path, struct tuner_error *err)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		char *parent = strndup(path, (size_t)(slash - path));
		if (parent == NULL)
			return tuner_fail_memory(err);
		const bool made = mkdirat(to_root, parent, 0700) == 0 || errno == EEXIST;
		free(parent);
		if (!made)
			return tuner_fail_errno(err, errno, "no directory for %.150s", path);
	}
	return true;
}

static bool copy_files(
	const struct file_list *files, int from_root, int to_root, struct tuner_error *err)
{
	for (size_t i = 0; i < files->n; i++) {
		const struct listed_file *file = &files->items[i];
		if (!make_parents(to_root, file->path, err))
			return false;
		if (!(file->kind == FILE_LINK ? copy_link : copy_plain)(
			    from_root, to_root, file->path, err))
			return false;
	}
	return true;
}

/* Compares the copy, file by file under the same names. */
static bool check_copy(const struct code *code, const char *directory, struct tuner_error *err)
{
	struct file_list copy = { 0 };
	bool ok = file_list_init(&copy, directory, &code_limits, err);

	for (size_t i = 0; ok && i < code->files.n; i++)
		ok = file_list_add(&copy, code->files.items[i].path,
			strlen(code->files.items[i].path), false, err);
	ok = ok && file_list_sum(&copy, NULL, &code_limits, err);
	if (ok && strcmp(copy.fingerprint, code->files.fingerprint) != 0)
		ok = tuner_fail(err, TUNER_RETRY,
			"the code in %.150s is being edited while it is copied", code->files.root);
	file_list_finish(&copy);
	return ok;
}

bool snapshot_copy(const struct code *code, const char *directory, struct tuner_error *err)
{
	char *working = path_join(directory, code->inside);
	int from = -1, to = -1;
	bool ok = false;

	if (working == NULL)
		return tuner_fail_memory(err);
	/* The working directory is made even if it holds no code. */
	if (!directory_make(working, 0700, err))
		goto out;
	from = open(code->files.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	to = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from < 0 || to < 0) {
		tuner_fail_errno(err, errno, "cannot copy %s", code->files.root);
		goto out;
	}
	ok = copy_files(&code->files, from, to, err) && check_copy(code, directory, err) &&
	     (syncfs(to) == 0 ||
		     tuner_fail_errno(err, errno, "%s cannot be written to the disk", directory));
out:
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	free(working);
	return ok;
}
