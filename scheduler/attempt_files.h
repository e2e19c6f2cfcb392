/* Names and formats of the files in an attempt directory, shared by their two sides: the supervisor
 * (supervise*.c, libc only) and the readers (attempt.c, output.c). attempt.h says what they mean.
 *
 * `launch` is a sequence of records, each a tag byte, a value and a NUL. The first is LAUNCH_MAGIC
 * as a whole; then in any order exactly one k(ey), d(irectory), t(imeout), g(race) and l(og bytes);
 * at least one a(rgument); any number of e(nvironment entries) and up to LAUNCH_GPU_LOCKS_MAX locks
 * of GPUs (u); at most one (o)wner of these, lea(s)e, file of secrets (v), m(emory limit) and n(o
 * network, empty); and for a host whose engine starts the supervisor i(nherit) and h(eartbeat).
 * Arguments and entries keep their order; times are decimal microseconds. The last record is the
 * tag LAUNCH_END alone, and nothing follows it, so that a truncated file, or one that a power
 * failure left as zeros, is recognized.
 *
 * `started` and `exit.json` are JSON objects on one line. "cgroup" in `started` is the directory of
 * the group that enforces the command's memory limit, or "". A power failure may leave either name
 * without its content (see record_sync), so readers treat a file that does not parse as torn.
 *
 * `heartbeat` is empty: its modification time, by the file server's clock, shows that the
 * supervisor is alive where no lock can. `stop` holds the decimal number of a signal for a
 * supervisor that cannot be signalled, which looks for the file once a second. Both exist only if
 * the launch file asks for a heartbeat.
 *
 * Output is stored in segments that together hold consecutive bytes: output.log is the newest and
 * has no number; an older one is named after the offset of its first byte. Rotation renames
 * output.log, makes a new one, and then removes the older segment. */
#ifndef SCHEDULER_ATTEMPT_FILES_H
#define SCHEDULER_ATTEMPT_FILES_H

#define ATTEMPT_LAUNCH   "launch"
#define ATTEMPT_LOCK     "lock"
#define ATTEMPT_STARTED  "started"
#define ATTEMPT_EXIT     "exit.json"
#define ATTEMPT_EXIT_NEW ATTEMPT_EXIT ".new" /* until it is renamed */
#define ATTEMPT_OUTPUT   "output.log"
#define ATTEMPT_LEASE    "lease" /* modification time: when somebody last asked for the attempt */

#define ATTEMPT_HEARTBEAT "heartbeat"
#define ATTEMPT_STOP      "stop"
#define ATTEMPT_CLOCK     ".clock" /* touched by a reader, for the file server's time */
#define ATTEMPT_GPUS      "gpus.json" /* of an engine's job: what it did with its GPUs so far */

/* Of an engine's job: its script, and what the script prints before the command begins. */
#define ATTEMPT_JOB_SCRIPT "job.sh"
#define ATTEMPT_JOB_LOG    "slurm.log"

#define OUTPUT_SEGMENT_FORMAT "output.%020lld.log" /* offset of its first byte */
#define OUTPUT_SEGMENT_PREFIX "output."
#define OUTPUT_SEGMENT_SUFFIX ".log"

#define LAUNCH_MAGIC "tuner-launch 1"

enum {
	LAUNCH_KEY = 'k',
	LAUNCH_ARGUMENT = 'a',
	LAUNCH_ENVIRONMENT = 'e',
	LAUNCH_DIRECTORY = 'd',
	LAUNCH_TIMEOUT = 't',
	LAUNCH_GRACE = 'g',
	LAUNCH_LOG = 'l',
	LAUNCH_GPU_LOCK = 'u',
	LAUNCH_GPU_OWNER = 'o',
	LAUNCH_SECRETS = 'v',
	LAUNCH_MEMORY = 'm',
	LAUNCH_NO_NETWORK = 'n',
	LAUNCH_LEASE = 's',
	LAUNCH_INHERIT = 'i', /* "1": see struct launch */
	LAUNCH_HEARTBEAT = 'h',
	LAUNCH_END = '.',
	LAUNCH_GPU_LOCKS_MAX = 16,

	/* The kernel takes 2 MiB of arguments and environment with the usual 8 MiB stack, and at
	 * most 6 MiB with any. */
	LAUNCH_BYTES_MAX = 8 << 20,
	RECORD_BYTES_MAX = 8 << 10, /* of `started` and exit.json */

	SEGMENT_NAME_MAX = 64,
	SEGMENT_BYTES_MIN = 4096, /* a smaller half of log_max_bytes is raised to this */
};

/* exit.json's "kind", in the order of enum exit_kind. */
#define EXIT_KIND_NAMES                                                                            \
	{                                                                                          \
		"code", "signal", "timeout", "stopped", "no-start", "memory"                       \
	}

/* Exit statuses of tuner-supervise itself. Each but the first means that this process started no
 * command. */
enum supervise_status {
	SUPERVISE_DONE = 0, /* exit.json is there */
	SUPERVISE_USAGE = 64, /* not called with one directory */
	SUPERVISE_NO_DIRECTORY = 66, /* the directory cannot be opened, or was removed while the
					command ran */
	SUPERVISE_NO_FILES = 73, /* lock, started or exit.json cannot be written */
	SUPERVISE_BUSY = 75, /* another supervisor holds the lock */
	SUPERVISE_RAN = 76, /* an attempt has already run here */
};

/* Sent to the supervisor: send SIGKILL to the whole group at once, and record it as a stop. (The
 * number is the kernel's; real-time signals are counted differently by different C libraries.) */
#define SUPERVISE_KILL SIGPWR

#endif
