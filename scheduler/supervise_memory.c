/* The resident memory of the command and all its descendants. The plain sum counts shared memory
 * once for each process: a data loader's workers, forked from a process of 3 GB, would seem to have
 * 3 GB each. So if the sum exceeds the limit, the kernel's proportional count decides, which takes
 * longer. */
#include "base/io.h"
#include "base/process.h"
#include "scheduler/supervise.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROCESSES_MAX = 16384, DEPTH_MAX = 256 };

struct relative {
	pid_t pid, parent;
	int64_t resident_bytes;
	bool ours;
};

static bool look(long pid, struct relative *ret)
{
	struct process process;

	if (!process_look(pid, &process))
		return false;
	*ret = (struct relative){ .pid = (pid_t)pid,
		.parent = (pid_t)process.parent,
		.resident_bytes = process.resident_pages * sysconf(_SC_PAGESIZE) };
	return true;
}

static size_t look_at_all(struct relative *ret)
{
	const struct dirent *entry;
	DIR *proc = opendir("/proc");
	size_t n = 0;

	while (proc != NULL && n < PROCESSES_MAX && (entry = readdir(proc)) != NULL) {
		char *end = NULL;
		const long pid = strtol(entry->d_name, &end, 10);

		if (*end == '\0' && pid > 0)
			n += look(pid, &ret[n]);
	}
	if (proc != NULL)
		closedir(proc);
	return n;
}

static int by_pid(const void *a, const void *b)
{
	const struct relative *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Whether it descends from this process: orphans of the command are our children. */
static bool is_ours(const struct relative *all, size_t n, const struct relative *process)
{
	const pid_t self = getpid();

	for (int depth = 0; process != NULL && depth < DEPTH_MAX; depth++) {
		if (process->parent == self)
			return true;
		const struct relative parent = { .pid = process->parent };
		process = bsearch(&parent, all, n, sizeof(*all), by_pid);
	}
	return false;
}

/* If the kernel does not give the proportional count, the plain one of this moment: of a process that
 * has ended since we looked at it, nothing. */
static int64_t proportional(const struct relative *process)
{
	struct relative now;
	char path[64], text[4096];
	long long kibibytes;
	const char *line;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)process->pid);
	if (!io_read_small(path, text, sizeof(text)) || (line = strstr(text, "\nPss:")) == NULL ||
		sscanf(line, " Pss: %lld", &kibibytes) != 1)
		return look(process->pid, &now) ? now.resident_bytes : 0;
	return kibibytes * 1024;
}

static int64_t measure(int64_t limit)
{
	static struct relative all[PROCESSES_MAX];
	const size_t n = look_at_all(all);
	int64_t plain = 0, shared = 0;

	qsort(all, n, sizeof(*all), by_pid);
	for (size_t i = 0; i < n; i++) {
		all[i].ours = is_ours(all, n, &all[i]);
		plain += all[i].ours ? all[i].resident_bytes : 0;
	}
	if (plain <= limit)
		return plain;
	for (size_t i = 0; i < n; i++)
		shared += all[i].ours ? proportional(&all[i]) : 0;
	return shared;
}

/* The processes are read one after the other: pages whose sharers end meanwhile are counted more than
 * once in all. So what seems too much is measured again. */
int64_t memory_of_descendants(int64_t limit)
{
	const int64_t bytes = measure(limit);

	return bytes <= limit ? bytes : measure(limit);
}
