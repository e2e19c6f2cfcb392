#include "tuner/doctor.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MEBIBYTE INT64_C(1048576)
#define GIBIBYTE INT64_C(1073741824)

enum {
	FREE_INODES_MIN = 10000,
	FILES_OF_A_TRIAL = 4, /* descriptors: its supervisor's pidfd, output, and spares */
	FILES_OF_TUNER = 64,
	PROCESSES_OF_A_TRIAL = 64, /* threads of BLAS and data loaders count */
	CLOCK_SLACK_S = 60,
};

static const int64_t FREE_BYTES_MIN = GIBIBYTE, WAL_BYTES_MAX = 64 * MEBIBYTE;

void finding_add(struct findings *findings, const char *about, const char *code, const char *advice,
	const char *format, ...)
{
	va_list args;

	if (findings->n == FINDINGS_MAX)
		return;
	struct finding *finding = &findings->items[findings->n++];
	finding->about = about;
	finding->code = code;
	snprintf(finding->advice, sizeof(finding->advice), "%s", advice);
	va_start(args, format);
	vsnprintf(finding->text, sizeof(finding->text), format, args);
	va_end(args);
}

/* ---- the machine ---- */

void doctor_disk(
	struct findings *findings, const char *what, const char *path, const struct disk_room *room)
{
	static const char advice[] = "make room, or give --db a path on another disk";

	if (room->read_only)
		finding_add(findings, "machine", "disk-read-only",
			"mount it for writing, or give --db a path on another disk",
			"the disk of %s (%.150s) is read-only", what, path);
	if (room->free_bytes < FREE_BYTES_MIN)
		finding_add(findings, "machine", "disk-space", advice,
			"the disk of %s (%.150s) has %lld MiB left of %lld GiB", what, path,
			(long long)(room->free_bytes / MEBIBYTE),
			(long long)(room->total_bytes / GIBIBYTE));
	if (room->free_inodes >= 0 && room->free_inodes < FREE_INODES_MIN)
		finding_add(findings, "machine", "disk-inodes",
			"remove small files, or give --db a path on another disk",
			"the disk of %s (%.150s) has room for %lld more files", what, path,
			(long long)room->free_inodes);
}

void doctor_limits(struct findings *findings, const struct process_limits *limits, size_t slots)
{
	const int64_t files = FILES_OF_TUNER + FILES_OF_A_TRIAL * (int64_t)slots;
	const int64_t processes = PROCESSES_OF_A_TRIAL * (int64_t)(slots + 1);
	const int64_t left = limits->cgroup_processes - limits->cgroup_processes_used;
	char advice[120];

	snprintf(advice, sizeof(advice), "raise it: ulimit -n %lld", (long long)(4 * files));
	if (limits->open_files >= 0 && limits->open_files < files)
		finding_add(findings, "machine", "limit-files",
			limits->open_files_hard < 0 || limits->open_files_hard >= files
				? advice
				: "raise the hard limit (limits.conf, LimitNOFILE=), or lower "
				  "budget.parallel",
			"a process may open %lld files: %zu trials at a time need %lld",
			(long long)limits->open_files, slots, (long long)files);
	if (limits->processes >= 0 && limits->processes < processes)
		finding_add(findings, "machine", "limit-processes",
			"raise it (ulimit -u, limits.conf), or lower budget.parallel",
			"this user may have %lld processes and threads: %zu trials at a time may "
			"need %lld",
			(long long)limits->processes, slots, (long long)processes);
	if (limits->cgroup_processes >= 0 && left < processes)
		finding_add(findings, "machine", "limit-cgroup-processes",
			"raise pids.max of the container (--pids-limit) or unit (TasksMax=)",
			"this cgroup has %lld of %lld processes left: %zu trials at a time may "
			"need %lld",
			(long long)left, (long long)limits->cgroup_processes, slots,
			(long long)processes);
}

void doctor_clock(struct findings *findings, int64_t now_us, int64_t last_event_us)
{
	const int64_t behind_s = (last_event_us - now_us) / 1000000;

	if (behind_s > CLOCK_SLACK_S)
		finding_add(findings, "machine", "clock",
			"set it: deadlines and leases go by it, durations do not",
			"the clock is %lld s behind the last event of the database",
			(long long)behind_s);
}

/* ---- the database ---- */

void doctor_database(
	struct findings *findings, const struct store_health *health, int64_t writer_again)
{
	if (!health->shared && strcmp(health->journal_mode, "wal") != 0)
		finding_add(findings, "database", "journal-mode",
			"no process must have it open; then: sqlite3 FILE 'PRAGMA "
			"journal_mode=wal'",
			"its journal mode is \"%s\", not \"wal\": readers and the writer wait for "
			"each other",
			health->journal_mode);
	if (health->version > STORE_SCHEMA_VERSION)
		finding_add(findings, "database", "version", "use that tuner to write to it",
			"it was written by a newer tuner: version %lld, while this one knows %d",
			(long long)health->version, STORE_SCHEMA_VERSION);
	if (health->wal_bytes > WAL_BYTES_MAX)
		finding_add(findings, "database", "wal-size",
			"end the program that reads it: a transaction that never ends keeps the "
			"WAL growing",
			"its write-ahead log has %lld MiB",
			(long long)(health->wal_bytes / MEBIBYTE));
	if (health->writer > 0 && health->writer == writer_again &&
		health->writer != health->holder)
		finding_add(findings, "database", "write-lock",
			"let that process commit, or end it: nothing can be recorded meanwhile",
			"process %lld, which is no tuner run, holds its write lock",
			(long long)health->writer);
}
