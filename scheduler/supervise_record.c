#include "base/io.h"
#include "base/process.h"
#include "scheduler/segment.h"
#include "scheduler/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *const kinds[] = EXIT_KIND_NAMES;

int64_t wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* 0: unknown. */
static long long start_of(pid_t pid)
{
	struct process process;

	return process_look(pid, &process) ? (long long)process.start : 0;
}

/* The contents of a JSON string. A character is never cut. */
static void escape(const char *text, char *ret, size_t size)
{
	size_t n = 0;

	for (; *text != '\0' && n + 7 < size; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f)
			n += (size_t)snprintf(ret + n, size - n, "\\u%04x", c);
		else
			ret[n++] = (char)c;
	}
	ret[n] = '\0';
}

static int print_started(char ret[RECORD_BYTES_MAX], const struct child *child, int64_t started_us,
	const char *cgroup)
{
	char boot[BOOT_ID_MAX], host[HOST_NAME_MAX + 1] = "", name[6 * HOST_NAME_MAX + 8],
						     group[6 * CGROUP_PATH_MAX + 8];
	const pid_t pid = child != NULL ? child->pid : 0;

	process_boot_id(boot);
	(void)gethostname(host, sizeof(host) - 1);
	escape(host, name, sizeof(name));
	escape(cgroup, group, sizeof(group));
	return snprintf(ret, RECORD_BYTES_MAX,
		"{\"version\":1,\"host\":\"%s\",\"boot_id\":\"%s\",\"supervisor_pid\":%d,"
		"\"supervisor_start\":%lld,\"session\":%d,\"command_pid\":%d,\"command_start\":%"
		"lld,"
		"\"group\":%d,\"started_us\":%lld,\"cgroup\":\"%s\"}\n",
		name, boot, (int)getpid(), start_of(getpid()), (int)getsid(0), (int)pid,
		pid > 0 ? start_of(pid) : 0, (int)pid, (long long)started_us, group);
}

/* The name appears together with the content, by link(2), which fails like O_EXCL if the name
 * exists. If a server's answer was lost, the second try finds what the first has made: the file
 * then has two names. */
static int link_started(int directory, const char *line, size_t n)
{
	char name[48];
	uint64_t number;
	struct stat info;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -1;
	snprintf(name, sizeof(name), ".tuner-%016llx.tmp", (unsigned long long)number); /* file.h */
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	const bool ok = io_write(fd, line, n) &&
			(linkat(directory, name, directory, ATTEMPT_STARTED, 0) == 0 ||
				(errno == EEXIST && fstat(fd, &info) == 0 && info.st_nlink > 1));
	const int error = ok ? 0 : errno;
	unlinkat(directory, name, 0);
	if (!ok) {
		close(fd);
		fd = -1;
	}
	errno = error;
	return fd;
}

/* -1 with errno; *ret_claimed then says whether the name is ours nevertheless. */
static int make_started(int directory, const char *line, size_t n, bool locked, bool *ret_claimed)
{
	int fd = locked ? -1 : link_started(directory, line, n);

	*ret_claimed = fd >= 0;
	if (fd >= 0 || (!locked && errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS))
		return fd;
	fd = openat(directory, ATTEMPT_STARTED, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	*ret_claimed = fd >= 0;
	if (fd >= 0 && !io_write(fd, line, n)) {
		const int error = errno;
		close(fd);
		errno = error;
		fd = -1;
	}
	return fd;
}

bool record_started(int directory, struct child *child, int64_t started_us, const char *cgroup,
	bool locked, bool *ret_claimed)
{
	char line[RECORD_BYTES_MAX];
	const int n = print_started(line, child, started_us, cgroup);
	const int fd = make_started(directory, line, (size_t)n, locked, ret_claimed);

	if (fd < 0)
		return false;
	if (child != NULL)
		child_sync(child);
	const bool ok = child == NULL || fsync(fd) == 0;
	const int error = errno;
	close(fd);
	errno = error;
	return ok;
}

int record_reserve(int directory)
{
	/* Without O_TRUNC: on a file system without locks another supervisor may have written its
	 * end there. */
	const int fd = openat(directory, ATTEMPT_EXIT_NEW, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	/* If the file system cannot reserve space, exit.json may fail to be written. */
	if (fd >= 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, RECORD_BYTES_MAX) != 0 &&
		errno == ENOSPC) {
		close(fd);
		errno = ENOSPC;
		return -1;
	}
	return fd;
}

/* Cuts off what a killed supervisor had written there. (Not if there is nothing: that would release
 * the reserved space.) */
static bool cut_at(int fd, off_t size)
{
	struct stat info;

	return fstat(fd, &info) == 0 && (info.st_size <= size || ftruncate(fd, size) == 0);
}

bool record_exit(int directory, int reserved, const struct outcome *outcome, const struct log *log)
{
	char message[6 * MESSAGE_MAX + 8], line[RECORD_BYTES_MAX];

	escape(outcome->message, message, sizeof(message));
	const int n = snprintf(line, sizeof(line),
		"{\"version\":1,\"kind\":\"%s\",\"code\":%d,\"signal\":%d,\"stop_signal\":%d,"
		"\"message\":\"%s\",\"started_us\":%lld,\"ended_us\":%lld,\"user_us\":%lld,"
		"\"system_us\":%lld,\"max_rss_bytes\":%lld,\"output_bytes\":%lld,"
		"\"output_lost\":%lld,\"out_of_memory\":%s}\n",
		kinds[outcome->kind], outcome->code, outcome->signal, outcome->stop_signal, message,
		(long long)outcome->started_us, (long long)outcome->ended_us,
		(long long)outcome->user_us, (long long)outcome->system_us,
		(long long)outcome->max_rss_bytes, (long long)log->written, (long long)log->lost,
		outcome->out_of_memory ? "true" : "false");

	return io_write(reserved, line, (size_t)n) && cut_at(reserved, n) &&
	       renameat(directory, ATTEMPT_EXIT_NEW, directory, ATTEMPT_EXIT) == 0;
}

void record_heartbeat(int directory)
{
	const int fd = openat(directory, ATTEMPT_HEARTBEAT, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	futimens(fd, NULL);
	close(fd);
}

/* Opens the directory anew: a client of a network file system would otherwise believe for a while
 * that the name does not exist. */
int record_stop(int directory)
{
	char text[16];
	const int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int fd = again >= 0 ? openat(again, ATTEMPT_STOP, O_RDONLY | O_CLOEXEC) : -1;
	const ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;

	if (fd >= 0)
		close(fd);
	if (again >= 0)
		close(again);
	text[n > 0 ? n : 0] = '\0';
	return atoi(text);
}

static int open_previous(const struct log *log)
{
	char name[SEGMENT_NAME_MAX];

	if (log->previous < 0)
		return -1;
	segment_name(log->previous, name);
	return openat(log->directory, name, O_RDONLY | O_CLOEXEC);
}

void record_sync(int directory, int exit_json, const struct log *log)
{
	const int files[] = { exit_json, log->size > 0 ? log->fd : -1, open_previous(log) };
	const size_t n = sizeof(files) / sizeof(*files);

	for (size_t i = 0; i < n; i++)
		if (files[i] >= 0)
			sync_file_range(files[i], 0, 0, SYNC_FILE_RANGE_WRITE);
	for (size_t i = 0; i < n; i++)
		if (files[i] >= 0)
			fsync(files[i]);
	fsync(directory);
}

static int64_t number_after(const char *text, const char *word)
{
	const size_t length = strlen(word);

	for (; text != NULL; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, word, length) == 0)
			return strtoll(text + length, NULL, 10);
	}
	return -1;
}

/* The count in one of our cgroup's files. `line`: its line in /proc/self/cgroup, from the path on. */
static int64_t kills_in_cgroup(const char *root, const char *line, const char *file)
{
	char path[4096 + 64], text[2048];
	const int n = (int)strcspn(line, "\n");

	/* The kernel's own root cgroup has no such file; a container's has. */
	snprintf(path, sizeof(path), "%s%.*s/%s", root, n > 1 && n < 4000 ? n : 0, line, file);
	return io_read_small(path, text, sizeof(text)) ? number_after(text, "oom_kill ") : -1;
}

int64_t oom_kills(void)
{
	char groups[8192], text[16384];
	const char *line = groups;
	int64_t kills = -1;

	(void)io_read_small("/proc/self/cgroup", groups, sizeof(groups));
	for (; line != NULL && *line != '\0' && kills < 0; line = strchr(line, '\n')) {
		line += *line == '\n';
		const char *memory = strstr(line, ":memory:");

		if (strncmp(line, "0::", 3) == 0)
			kills = kills_in_cgroup("/sys/fs/cgroup", line + 3, "memory.events");
		else if (memory != NULL && memory < line + strcspn(line, "\n"))
			kills = kills_in_cgroup("/sys/fs/cgroup/memory",
				memory + strlen(":memory:"), "memory.oom_control");
	}
	if (kills < 0 && io_read_small("/proc/vmstat", text, sizeof(text)))
		kills = number_after(text, "oom_kill ");
	return kills;
}
