#include "scheduler/mirror.h"

#include "base/file.h"
#include "scheduler/attempt.h"
#include "scheduler/attempt_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As attempt.c bounds counts of bytes: what an agent says goes into sums and names. */
static const int64_t OFFSET_MAX = INT64_C(1) << 53;

static void segment_name(int64_t start, char ret[SEGMENT_NAME_MAX])
{
	snprintf(ret, SEGMENT_NAME_MAX, OUTPUT_SEGMENT_FORMAT, (long long)start);
}

/* Removes segments that end before `offset`; the newest of them is kept. */
static void drop_older(int directory, int64_t offset)
{
	const int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = again >= 0 ? fdopendir(again) : NULL;
	const struct dirent *entry;
	char name[SEGMENT_NAME_MAX];
	long long start;

	while (stream != NULL && (entry = readdir(stream)) != NULL) {
		if (sscanf(entry->d_name, OUTPUT_SEGMENT_PREFIX "%20lld" OUTPUT_SEGMENT_SUFFIX,
			    &start) != 1 ||
			start >= offset)
			continue;
		segment_name(start, name);
		if (strcmp(name, entry->d_name) == 0)
			unlinkat(directory, name, 0);
	}
	if (stream != NULL)
		closedir(stream);
}

static int open_newest(int directory)
{
	return openat(directory, ATTEMPT_OUTPUT, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* output.log, which begins at `start`, becomes the older segment, and the one before goes. */
static bool rotate(int directory, int64_t start)
{
	char name[SEGMENT_NAME_MAX];

	segment_name(start, name);
	if (renameat(directory, ATTEMPT_OUTPUT, directory, name) != 0 && errno != ENOENT)
		return false;
	drop_older(directory, start);
	return true;
}

/* output.log will begin at `offset`, behind a hole. */
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
	bool ok = fd >= 0;

	while (ok && n > 0) {
		const ssize_t got = write(fd, bytes, n);
		if (got < 0 && errno == EINTR)
			continue;
		ok = got > 0;
		if (ok) {
			bytes += got;
			n -= (size_t)got;
		}
	}
	const int error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	return ok;
}

static int64_t newest_size(int directory)
{
	struct stat info;

	return fstatat(directory, ATTEMPT_OUTPUT, &info, 0) == 0 ? info.st_size : 0;
}

/* From `end`, where it is all there, on. */
static bool add(int directory, int64_t end, int64_t offset, const char *bytes, size_t n,
	int64_t log_max_bytes)
{
	const int64_t half = log_max_bytes / 2;
	const int64_t segment_max = log_max_bytes <= 0         ? INT64_MAX
				    : half > SEGMENT_BYTES_MIN ? half
							       : SEGMENT_BYTES_MIN;
	int64_t size = newest_size(directory);

	if (offset > end) {
		if (!leave_hole(directory, end - size, offset))
			return false;
		end = offset;
		size = 0;
	}
	while (n > 0) {
		if (size >= segment_max) {
			if (!rotate(directory, end - size))
				return false;
			size = 0;
		}
		const int64_t room = segment_max - size;
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
	const int64_t end = output_end(directory);
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
