#include "scheduler/mirror.h"

#include "base/file.h"
#include "base/io.h"
#include "scheduler/attempt.h"
#include "scheduler/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As attempt.c bounds byte counts: an agent's numbers go into sums and names. */
static const int64_t OFFSET_MAX = INT64_C(1) << 53;

/* Removes segments that end before `offset`; the newest of them is kept. */
static void drop_older(int directory, int64_t offset)
{
	const int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = again >= 0 ? fdopendir(again) : NULL;
	const struct dirent *entry;
	int64_t start;

	while (stream != NULL && (entry = readdir(stream)) != NULL)
		if (segment_start(entry->d_name, &start) && start < offset)
			unlinkat(directory, entry->d_name, 0);
	if (stream != NULL)
		closedir(stream);
}

static int open_newest(int directory)
{
	return openat(directory, ATTEMPT_OUTPUT, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* Makes output.log, which begins at `start`, the older segment, and removes the previous one. */
static bool rotate(int directory, int64_t start)
{
	char name[SEGMENT_NAME_MAX];

	segment_name(start, name);
	if (renameat(directory, ATTEMPT_OUTPUT, directory, name) != 0 && errno != ENOENT)
		return false;
	drop_older(directory, start);
	return true;
}

/* Makes output.log begin at `offset`, after a gap. */
static bool leave_hole(int directory, int64_t start, int64_t offset)
{
	char name[SEGMENT_NAME_MAX];

	if (!rotate(directory, start))
		return false;
	segment_name(offset, name);
	const int fd = openat(directory, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static bool append(int directory, const char *bytes, size_t n)
{
	const int fd = open_newest(directory);
	const bool ok = fd >= 0 && io_write(fd, bytes, n);
	const int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return ok;
}

/* Adds bytes from `end` on, before which everything is stored. */
static bool add(int directory, int64_t end, int64_t offset, const char *bytes, size_t n,
	int64_t log_max_bytes)
{
	const int64_t full = segment_max(log_max_bytes);
	int64_t size;

	if (!segment_newest_size(directory, &size))
		return false;
	if (offset > end) {
		if (!leave_hole(directory, end - size, offset))
			return false;
		end = offset;
		size = 0;
	}
	while (n > 0) {
		if (size >= full) {
			if (!rotate(directory, end - size))
				return false;
			size = 0;
		}
		const int64_t room = full - size;
		const size_t piece = (int64_t)n < room ? n : (size_t)room;
		if (!append(directory, bytes, piece))
			return false;
		bytes += piece;
		n -= piece;
		size += (int64_t)piece;
		end += (int64_t)piece;
	}
	return true;
}

bool mirror_output(const char *directory, int64_t offset, const char *bytes, size_t n,
	int64_t log_max_bytes, struct tuner_error *err)
{
	if (offset < 0 || offset > OFFSET_MAX)
		return tuner_fail(err, TUNER_FATAL,
			"the host sends output of %s at %lld, where none can be", directory,
			(long long)offset);
	int64_t end;
	if (!output_end(directory, &end, err))
		return false;
	if (offset < end) {
		const int64_t known = end - offset;
		if (known >= (int64_t)n)
			return true;
		bytes += known;
		n -= (size_t)known;
		offset = end;
	}
	const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const bool ok = fd >= 0 && add(fd, end, offset, bytes, n, log_max_bytes);
	const int error = errno;
	if (fd >= 0)
		close(fd);
	return ok || tuner_fail_errno(err, error, "cannot write the output to %s", directory);
}

bool mirror_record(const char *directory, const char *name, const char *bytes, size_t n,
	struct tuner_error *err)
{
	if (n > RECORD_BYTES_MAX)
		return tuner_fail(err, TUNER_FATAL,
			"the host sends %zu bytes for %s of %s, and at most %d are accepted", n,
			name, directory, (int)RECORD_BYTES_MAX);
	char *path = path_join(directory, name);
	const bool ok = path != NULL ? file_write_atomic(path, bytes, n, 0600, false, err)
				     : tuner_fail_memory(err);
	free(path);
	return ok;
}
