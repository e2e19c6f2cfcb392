/* Reads output that the supervisor may be rotating at the same time (attempt_files.h). */
#include "scheduler/attempt.h"
#include "scheduler/segment.h"
#include "scheduler/terminal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SEGMENTS_MAX = 8, /* there are two, for a moment three */
	TRIES = 50, /* against rotation, which happens only once half a log is written */
	TAIL_BYTES = 64 * 1024,
};

/* The older segments, by rising offset. */
struct segments {
	int64_t starts[SEGMENTS_MAX], sizes[SEGMENTS_MAX];
	size_t n;
	int64_t newest; /* where output.log begins */
};

static void insert(struct segments *segments, int64_t start, int64_t size)
{
	size_t i = segments->n++;
	for (; i > 0 && segments->starts[i - 1] > start; i--) {
		segments->starts[i] = segments->starts[i - 1];
		segments->sizes[i] = segments->sizes[i - 1];
	}
	segments->starts[i] = start;
	segments->sizes[i] = size;
}

/* False with errno: the list would be incomplete. */
static bool list_segments(int directory, struct segments *ret)
{
	const struct dirent *entry;
	struct stat info;
	int64_t start;
	const int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = again >= 0 ? fdopendir(again) : NULL;

	*ret = (struct segments){ 0 };
	if (stream == NULL)
		return false;
	bool ok = true;
	errno = 0;
	while (ok && ret->n < SEGMENTS_MAX && (entry = readdir(stream)) != NULL) {
		if (!segment_start(entry->d_name, &start)) {
			errno = 0; /* a C library may set it for a name that is not ours */
			continue;
		}
		if (fstatat(directory, entry->d_name, &info, 0) == 0)
			insert(ret, start, info.st_size);
		else
			ok = errno == ENOENT; /* dropped meanwhile */
		errno = ok ? 0 : errno;
	}
	const int error = errno;
	closedir(stream);
	errno = error;
	if (error != 0)
		return false;
	if (ret->n > 0)
		ret->newest = ret->starts[ret->n - 1] + ret->sizes[ret->n - 1];
	return true;
}

/* Opens the segment that holds `offset`, or the first one after it. -1 with errno ENOENT: rotation
 * came in between, look again. */
static int open_segment(int directory, int64_t offset, int64_t *ret_start)
{
	struct segments now, then;
	char name[SEGMENT_NAME_MAX];

	if (!list_segments(directory, &then))
		return -1;
	for (size_t i = 0; i < then.n; i++) {
		/* An empty segment only marks where the next begins (mirror.h). */
		if (offset >= then.starts[i] + then.sizes[i] || then.sizes[i] == 0)
			continue;
		segment_name(then.starts[i], name);
		*ret_start = then.starts[i];
		return openat(directory, name, O_RDONLY | O_CLOEXEC);
	}
	const int fd = openat(directory, ATTEMPT_OUTPUT, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	/* If the older segments are still the same, the opened one begins after them. */
	const bool listed = list_segments(directory, &now);
	if (!listed || now.newest != then.newest) {
		const int error = listed ? ENOENT : errno;
		close(fd);
		errno = error;
		return -1;
	}
	*ret_start = then.newest;
	return fd;
}

static bool read_at(int directory, int64_t offset, char *ret_bytes, size_t size,
	int64_t *ret_offset, size_t *ret_size, struct tuner_error *err)
{
	int64_t start = 0;
	int fd = -1;

	for (int i = 0; i < TRIES && fd < 0; i++) {
		fd = open_segment(directory, offset, &start);
		if (fd < 0 && errno != ENOENT)
			return tuner_fail_errno(err, errno, "cannot open the output");
		if (fd < 0 && faccessat(directory, ATTEMPT_OUTPUT, F_OK, 0) != 0) {
			if (errno != ENOENT)
				return tuner_fail_errno(err, errno, "cannot find the output");
			break; /* nothing has been written, or it is being rotated: later */
		}
	}
	if (fd < 0)
		return true;
	*ret_offset = offset > start ? offset : start;
	const ssize_t n = pread(fd, ret_bytes, size, *ret_offset - start);
	close(fd);
	if (n < 0)
		return tuner_fail_errno(err, errno, "cannot read the output");
	*ret_size = (size_t)n;
	return true;
}

bool output_read(const char *directory, int64_t offset, char *ret_bytes, size_t size,
	int64_t *ret_offset, size_t *ret_size, struct tuner_error *err)
{
	*ret_offset = offset;
	*ret_size = 0;
	const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || tuner_fail_errno(err, errno, "cannot open %s", directory);
	const bool ok = read_at(fd, offset, ret_bytes, size, ret_offset, ret_size, err);
	close(fd);
	return ok || tuner_fail_in(err, "%s: ", directory);
}

bool output_end(const char *directory, int64_t *ret, struct tuner_error *err)
{
	struct segments segments;
	int64_t size = 0;
	const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*ret = 0;
	if (fd < 0)
		return errno == ENOENT || tuner_fail_errno(err, errno, "cannot open %s", directory);
	const bool ok = list_segments(fd, &segments) && segment_newest_size(fd, &size);
	if (ok)
		*ret = segments.newest + size;
	else
		tuner_fail_errno(err, errno, "cannot find the end of the output in %s", directory);
	close(fd);
	return ok;
}

/* Skips the line that the window cuts, if there is another. */
static size_t skip_cut_line(const char *bytes, size_t size)
{
	const char *end = memchr(bytes, '\n', size);
	return end != NULL && end + 1 < bytes + size ? (size_t)(end + 1 - bytes) : 0;
}

/* Keeps what a terminal would show of overwritten lines: what follows each line's last carriage
 * return, except one at its end. */
static size_t drop_overwritten(char *bytes, size_t size)
{
	size_t kept = 0;
	for (size_t at = 0; at < size;) {
		const char *newline = memchr(bytes + at, '\n', size - at);
		const size_t next = newline != NULL ? (size_t)(newline + 1 - bytes) : size;
		size_t end = newline != NULL ? next - 1 : size;
		while (end > at && bytes[end - 1] == '\r')
			end--;
		const char *over = memrchr(bytes + at, '\r', end - at);
		const size_t from = over != NULL ? (size_t)(over + 1 - bytes) : at;
		memmove(bytes + kept, bytes + from, end - from);
		kept += end - from;
		if (newline != NULL)
			bytes[kept++] = '\n';
		at = next;
	}
	return kept;
}

/* The last `lines` (at least 1) lines of the text. */
static const char *last_lines(const char *bytes, size_t size, unsigned lines)
{
	const char *at = bytes + size;
	if (at > bytes && at[-1] == '\n')
		at--;
	for (; at > bytes; at--)
		if (at[-1] == '\n' && --lines == 0)
			break;
	return at;
}

/* The last bytes of the output, at most TAIL_BYTES. */
static bool read_end(const char *directory, char *ret_bytes, size_t *ret_size, bool *ret_cut,
	struct tuner_error *err)
{
	int64_t end, first = -1;
	size_t got = 1;

	if (!output_end(directory, &end, err))
		return false;
	int64_t offset = end > TAIL_BYTES ? end - TAIL_BYTES : 0;
	for (*ret_size = 0; got > 0 && *ret_size < TAIL_BYTES; *ret_size += got) {
		if (!output_read(directory, offset, ret_bytes + *ret_size, TAIL_BYTES - *ret_size,
			    &offset, &got, err))
			return false;
		if (first < 0)
			first = offset;
		offset += (int64_t)got;
	}
	*ret_cut = first > 0;
	return true;
}

bool output_tail(const char *directory, unsigned lines, struct text *ret, struct tuner_error *err)
{
	char *bytes = malloc(TAIL_BYTES);
	size_t size = 0;
	bool cut = false, ok = false;

	text_clear(ret);
	if (bytes == NULL)
		return tuner_fail_memory(err);
	if (!read_end(directory, bytes, &size, &cut, err))
		goto out;
	if (lines > 0) {
		const size_t from = cut ? skip_cut_line(bytes, size) : 0;
		char *shown = bytes + from;
		size = terminal_strip(shown, size - from, shown);
		size = drop_overwritten(shown, size);
		const char *first = last_lines(shown, size, lines);
		text_add_bytes(ret, first, (size_t)(shown + size - first));
	}
	ok = !text_failed(ret) || tuner_fail_memory(err);
out:
	free(bytes);
	return ok;
}
