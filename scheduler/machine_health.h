/* What may run out on this machine while jobs run: disk space and process limits. */
#ifndef SCHEDULER_MACHINE_HEALTH_H
#define SCHEDULER_MACHINE_HEALTH_H

#include "base/error.h"

#include <stdint.h>

struct disk_room {
	uint64_t device; /* directories with the same device share the space */
	int64_t free_bytes, total_bytes; /* as available to ordinary users */
	int64_t free_inodes; /* -1: the file system does not count them */
	bool read_only;
};

/* Space on the file system that holds `path`, or the nearest existing directory above it.
 * TUNER_USAGE if it cannot be inspected. */
TUNER_MUST_CHECK
bool machine_disk(const char *path, struct disk_room *ret, struct tuner_error *err);

struct process_limits {
	int64_t open_files, open_files_hard; /* -1: none */
	int64_t processes; /* of this user, threads included; -1: none */
	int64_t cgroup_processes, cgroup_processes_used; /* -1: none */
};

void machine_limits(struct process_limits *ret);

#endif
