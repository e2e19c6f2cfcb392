#include "scheduler/segment.h"
#include "scheduler/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int open_newest(int directory)
{
	return openat(directory, ATTEMPT_OUTPUT, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

void log_init(struct log *log, int directory, int64_t max_bytes)
{
	*log = (struct log){ .directory = directory,
		.fd = open_newest(directory),
		.previous = -1,
		.segment_max = segment_max(max_bytes) };
}

/* Somebody has removed the newest segment. An empty segment in its place tells readers where the
 * next begins. */
static bool mark_removed(struct log *log)
{
	char name[SEGMENT_NAME_MAX];

	segment_name(log->start + log->size, name);
	const int fd = openat(log->directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	close(fd);
	log->start += log->size;
	log->size = 0;
	return true;
}

/* The order matters to readers: at every moment the bytes from the older segment's first to the
 * newest one's last can be found, each once. */
static bool rotate(struct log *log)
{
	char name[SEGMENT_NAME_MAX];

	segment_name(log->start, name);
	if (renameat(log->directory, ATTEMPT_OUTPUT, log->directory, name) != 0 &&
		(errno != ENOENT || !mark_removed(log)))
		return false;
	const int64_t older = log->previous;
	log->previous = log->start;
	log->start += log->size;
	log->size = 0;
	close(log->fd);
	log->fd = open_newest(log->directory);
	if (older >= 0 &&
		older != log->previous) { /* a mark was replaced by the segment after it */
		segment_name(older, name);
		unlinkat(log->directory, name, 0);
	}
	return true;
}

/* Makes room for the next byte in the newest segment. */
static bool make_room(struct log *log)
{
	if (log->fd < 0)
		log->fd = open_newest(log->directory);
	if (log->fd >= 0 && log->size >= log->segment_max)
		return rotate(log) && log->fd >= 0;
	return log->fd >= 0;
}

/* Stores as much as possible; the rest failed with errno. */
static size_t store(struct log *log, const char *bytes, size_t n)
{
	size_t stored = 0;

	while (stored < n) {
		if (!make_room(log))
			break;
		const int64_t room = log->segment_max - log->size;
		const size_t piece = n - stored < (uint64_t)room ? n - stored : (size_t)room;
		const ssize_t got = write(log->fd, bytes + stored, piece);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		log->size += got;
		stored += (size_t)got;
	}
	return stored;
}

/* False if there is still no room for it. */
static bool tell_of_gap(struct log *log)
{
	char line[160];
	const int n =
		snprintf(line, sizeof(line), "\n[tuner-supervise: %lld bytes lost here: %s]\n",
			(long long)log->gap, strerror(log->error));
	const size_t stored = store(log, line, (size_t)n);

	if (stored > 0)
		log->gap = 0; /* a cut line says enough */
	return stored == (size_t)n;
}

void log_add(struct log *log, const char *bytes, size_t n)
{
	size_t stored = 0;

	log->written += (int64_t)n;
	if (log->gap == 0 || tell_of_gap(log))
		stored = store(log, bytes, n);
	if (stored == n)
		return;
	log->error = errno;
	log->gap += (int64_t)(n - stored);
	log->lost += (int64_t)(n - stored);
}
