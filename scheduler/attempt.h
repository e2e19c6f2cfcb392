/* The attempt directory: the contract between the supervisor and whoever looks at an attempt.
 *
 *     launch        what to run: written by us before anything is started (struct launch)
 *     lock          held (flock) by the supervisor for as long as it lives
 *     started       made with O_EXCL and fsynced before the exec: from here on the command may run. Whoever made
 *                   it is the attempt's one supervisor, or has forbidden that there is any
 *     output.log    the command's stdout and stderr; capped and rotated (output_* below)
 *     exit.json     written atomically when the command, its group and its orphans have ended and all
 *                   output is stored, by the supervisor alone, which then makes it durable and leaves
 *     heartbeat, stop   only where the launch asks for a heartbeat: see attempt_files.h
 *     parameters.json, checkpoint/, model/, output/   the command's own
 *
 * exit.json: ended, and how.  Else lock held: lives.  Else no started: never ran.
 * Else (started, no exit.json, lock free) the supervisor died; the command may be alive for a moment
 * (it gets SIGKILL by PR_SET_PDEATHSIG, its children do not): attempt_fence kills what is left. The
 * same goes for an exit.json that a power failure has torn. Where the file system has no locks, the process that
 * `started` names stands for the lock. */
#ifndef SCHEDULER_ATTEMPT_H
#define SCHEDULER_ATTEMPT_H

#include "base/error.h"
#include "base/process.h"
#include "base/text.h"
#include "scheduler/cgroup.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#define ATTEMPT_KEY_VARIABLE                                                                       \
	"TUNER_ATTEMPT_KEY" /* in the command's environment: who it belongs to */

/* What the supervisor is asked to do. All strings; vectors end with NULL. */
struct launch {
	const char *key;
	char *const *arguments; /* argument vector; [0] is looked up in the PATH of `environment` */
	char *const *environment; /* complete, unless `inherits` */
	const char *working_directory;
	char *const *gpu_locks; /* files that the supervisor holds a shared lock of; NULL: none */
	int64_t timeout_us; /* 0: none. Then SIGTERM to the group, and SIGKILL after grace_us */
	int64_t grace_us;
	const char *
		secrets; /* file of NAME=VALUE lines that the supervisor reads at the start and adds to the
				environment: their values are in no file of ours; NULL: none */
	int64_t memory_bytes; /* resident, of all processes together; 0: no limit */
	bool no_network; /* nothing but loopback */
	int64_t log_max_bytes; /* kept of the output, in two halves: the newest half at least */
	int64_t lease_us; /* if the file `lease` has not changed for so long the command is ended, as
			     by SIGTERM; 0: never */
	bool inherits; /* what the supervisor's own environment has beyond this one is added: where an
			  engine starts it, that is what the engine and its user have set up */
	int64_t heartbeat_us; /* so often it shows that it lives, and it heeds `stop`; 0: neither */
};

/* Writes DIRECTORY/launch (mode 0600, atomically). */
TUNER_MUST_CHECK
bool launch_write(const char *directory, const struct launch *launch, struct tuner_error *err);

enum launch_owner {
	LAUNCH_NOBODYS, /* not there, or torn by a power failure */
	LAUNCH_OWN, /* it has this key */
	LAUNCH_ANOTHERS, /* another one: the directory is of a database that is not this one any more */
};

/* Whose launch it is that stands in the directory. */
TUNER_MUST_CHECK
bool launch_look(
	const char *directory, const char *key, enum launch_owner *ret, struct tuner_error *err);

enum attempt_life {
	ATTEMPT_NEVER_RAN, /* no started, lock free */
	ATTEMPT_LIVES, /* lock held, no exit.json yet */
	ATTEMPT_FINISHED, /* exit.json */
	ATTEMPT_ORPHANED, /* started, no exit.json, lock free */
};

enum exit_kind {
	EXIT_CODE, /* exited by itself: code */
	EXIT_SIGNAL, /* killed: signal */
	EXIT_TIMEOUT, /* we ended it at its time limit; code or signal says how it went */
	EXIT_STOPPED, /* we ended it because somebody signalled the supervisor */
	EXIT_NO_START, /* could not exec (missing command, directory ...): message */
	EXIT_MEMORY, /* we ended it at its memory limit: message says how much it had */
};

struct exit_record {
	enum exit_kind kind;
	int code, signal; /* -1: none */
	int stop_signal; /* EXIT_STOPPED: what the supervisor was sent; else 0 */
	char message[256];
	int64_t started_us, ended_us; /* wall clock */
	int64_t user_us, system_us, max_rss_bytes;
	int64_t output_bytes; /* ever written by the command */
	int64_t output_lost; /* of these never stored: the disk was full */
	bool out_of_memory; /* the kernel's OOM killer was seen to hit the group */
};

struct attempt_status {
	enum attempt_life life;
	int64_t supervisor_pid, supervisor_start; /* start: field 22 of /proc/PID/stat; 0 unknown */
	int64_t command_pid, command_start; /* the process group is command_pid */
	int64_t session;
	int64_t started_us;
	char host[HOST_NAME_MAX + 1], boot_id[BOOT_ID_MAX];
	char cgroup[CGROUP_PATH_MAX]; /* that it has got for its memory limit; "": none */
	struct exit_record exit; /* if FINISHED */
};

/* Nothing starts the attempt from now on, not even a supervisor or an order that is on its way: it finds `started`, which is
 * made here, empty. *ret_begun: somebody was faster. A missing directory is fine, and is not made: nothing starts in it. */
TUNER_MUST_CHECK
bool attempt_forbid(const char *directory, bool *ret_begun, struct tuner_error *err);

/* Looks at a directory. A missing one is NEVER_RAN. */
TUNER_MUST_CHECK
bool attempt_look(const char *directory, struct attempt_status *ret, struct tuner_error *err);

/* The same where no lock tells anything, because the directory is on a network file system and the
 * supervisor on another machine: without exit.json whatever has started is LIVES. */
TUNER_MUST_CHECK
bool attempt_look_afar(const char *directory, struct attempt_status *ret, struct tuner_error *err);

/* By the file server's clock, which it takes from a file that it touches in `directory`: how long ago the
 * attempt last showed that it lives; *ret_us -1: it never did. False: that cannot be found out (a full disk, a server that does
 * not answer), and it may live. */
TUNER_MUST_CHECK
bool attempt_silence(const char *directory, int64_t *ret_us);

/* Asks a supervisor that looks for it to end its command by this signal (SIGTERM, SUPERVISE_KILL). */
TUNER_MUST_CHECK
bool attempt_ask_to_stop(const char *directory, int signal, struct tuner_error *err);

/* False if the machine has been started again since. */
bool attempt_is_of_this_boot(const struct attempt_status *status);

/* For an ORPHANED attempt: kills what is left of the command: by pid with start time, its process
 * group, its session, its cgroup, which is removed, and every process whose environment holds the key; waits at most wait_ms for
 * them to be gone. True when nothing is left (another boot id: at once). TUNER_RETRY: something is
 * not gone yet (SIGKILL waits for a process that hangs in the kernel), or a supervisor lives there
 * after all.
 *
 * What cannot be found: a process that left group and session and dropped its environment, and
 * processes of other users or in other pid namespaces. */
TUNER_MUST_CHECK
bool attempt_fence(const char *directory, const char *key, const struct attempt_status *status,
	int wait_ms, struct tuner_error *err);

/* Removes what was being written when the attempt, or who prepared it, was killed. Nothing may live there any
 * more. What cannot be removed stays. */
void attempt_tidy(const char *directory);

/* ---- output ---- */

/* Reads the output from an offset that counts bytes ever stored. At most `size` bytes go to
 * ret_bytes; *ret_offset is where they begin: later than `offset` if rotation has dropped the
 * bytes between. *ret_size 0: nothing new yet. */
TUNER_MUST_CHECK
bool output_read(const char *directory, int64_t offset, char *ret_bytes, size_t size,
	int64_t *ret_offset, size_t *ret_size, struct tuner_error *err);

/* Where the output ends now, in the same count; 0 where there is none. Never too early a place: whoever writes on from
 * there would write what is there once more. */
TUNER_MUST_CHECK
bool output_end(const char *directory, int64_t *ret, struct tuner_error *err);

/* The last lines of what is there (of at most 64 KiB, and none that this cuts), as a terminal would
 * show them: without control sequences, and without what a carriage return has overwritten. `ret` is
 * emptied first. */
TUNER_MUST_CHECK
bool output_tail(const char *directory, unsigned lines, struct text *ret, struct tuner_error *err);

#endif
