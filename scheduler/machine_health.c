#include "scheduler/machine_health.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- disks ---- */

static void to_parent(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == NULL)
		strcpy(path, ".");
	else if (slash == path)
		path[1] = '\0';
	else
		*slash = '\0';
}

bool machine_disk(const char *path, struct disk_room *ret, struct tuner_error *err)
{
	char at[PATH_MAX];
	struct statvfs room;
	struct stat status;

	if (*path == '\0' || strlen(path) >= sizeof(at))
		return tuner_fail(err, TUNER_USAGE, "\"%.80s\" is no path", path);
	strcpy(at, path);
	while (stat(at, &status) != 0 && errno == ENOENT && strcmp(at, ".") != 0 &&
		strcmp(at, "/") != 0)
		to_parent(at);
	if (stat(at, &status) != 0 || statvfs(at, &room) != 0) {
		tuner_fail_errno(err, errno, "cannot look at the disk of %.150s", path);
		err->code = TUNER_USAGE;
		return false;
	}
	*ret = (struct disk_room){
		.device = status.st_dev,
		.free_bytes = (int64_t)room.f_bavail * (int64_t)room.f_frsize,
		.total_bytes = (int64_t)room.f_blocks * (int64_t)room.f_frsize,
		.free_inodes = room.f_files > 0 ? (int64_t)room.f_favail : -1,
		.read_only = (room.f_flag & ST_RDONLY) != 0,
	};
	return true;
}

/* ---- limits ---- */

static int64_t limit_value(rlim_t limit)
{
	return limit == RLIM_INFINITY || limit > INT64_MAX ? -1 : (int64_t)limit;
}

/* A number in a kernel file; -1 for "max", and if the file does not exist. */
static int64_t number_of(const char *path)
{
	long long number = -1;
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return -1;
	if (fscanf(file, "%lld", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

/* Our own cgroup, or, in a container, the root in its place. */
static int64_t cgroup_number(const char *name)
{
	char line[4096] = "", path[4300];
	FILE *file = fopen("/proc/self/cgroup", "re");

	while (file != NULL && fgets(line, sizeof(line), file) != NULL &&
		strncmp(line, "0::", 3) != 0)
		line[0] = '\0';
	if (file != NULL)
		fclose(file);
	line[strcspn(line, "\n")] = '\0';
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/%s", line[0] ? line + 3 : "", name);
	if (access(path, R_OK) != 0)
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", name);
	return number_of(path);
}

void machine_limits(struct process_limits *ret)
{
	struct rlimit files = { RLIM_INFINITY, RLIM_INFINITY },
		      processes = { RLIM_INFINITY, RLIM_INFINITY };

	getrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_NPROC, &processes);
	*ret = (struct process_limits){
		.open_files = limit_value(files.rlim_cur),
		.open_files_hard = limit_value(files.rlim_max),
		.processes = limit_value(processes.rlim_cur),
		.cgroup_processes = cgroup_number("pids.max"),
		.cgroup_processes_used = cgroup_number("pids.current"),
	};
}
