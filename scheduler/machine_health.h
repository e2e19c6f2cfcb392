/* What may go wrong with this machine while jobs run: room on its disks, limits of its processes. */
#ifndef SCHEDULER_MACHINE_HEALTH_H
#define SCHEDULER_MACHINE_HEALTH_H

#include "base/error.h"

#include <stdint.h>

struct disk_room {
	uint64_t device; /* two directories with the same one share the room */
	int64_t free_bytes, total_bytes; /* for who is not root */
	int64_t free_inodes; /* -1: the file system does not count them */
	bool read_only;
};

/* Of the file system that holds `path`, or the nearest directory above it that is there. TUNER_USAGE if it
 * cannot be looked at. */
TUNER_MUST_CHECK
bool machine_disk(const char *path, struct disk_room *ret, struct tuner_error *err);

struct process_limits {
	int64_t open_files, open_files_hard; /* -1: none */
	int64_t processes; /* of this user, threads included; -1: none */
	int64_t cgroup_processes, cgroup_processes_used; /* -1: none */
};

void machine_limits(struct process_limits *ret);

#endif
