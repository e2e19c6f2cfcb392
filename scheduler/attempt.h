/* The attempt directory: the contract between the supervisor and those who inspect an attempt.
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
 * exit.json present: ended, and how. Else lock held: alive. Else no `started`: never ran. Else
 * (`started`, no exit.json, lock free) the supervisor died; the command may be alive for a moment
 * (it gets SIGKILL by PR_SET_PDEATHSIG, its children do not): attempt_fence kills what is left. The
 * same holds for an exit.json torn by a power failure. Where the file system has no locks, the
 * process that `started` names stands in for the lock. */
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
	"TUNER_ATTEMPT_KEY" /* in the command's environment: the attempt it belongs to */

/* What the supervisor is asked to do. All strings; vectors end with NULL. */
struct launch {
	const char *key;
	char *const *arguments; /* argument vector; [0] is looked up in the PATH of `environment` */
	char *const *environment; /* complete, unless `inherits` */
	const char *working_directory;
	char *const *gpu_locks; /* files that the supervisor claims (gpu_lock.h); NULL: none */
	const char *gpu_owner; /* as whom; NULL: they are only shared, whoever has them */
	int64_t timeout_us; /* 0: none. At the limit: SIGTERM to the group, and SIGKILL after
			       grace_us */
	int64_t grace_us;
	const char *
		secrets; /* file of NAME=VALUE lines that the supervisor reads at the start and adds
			    to the environment, so that their values are in no file of ours; NULL:
			    none */
	int64_t memory_bytes; /* resident, of all processes together; 0: no limit */
	bool no_network; /* nothing but loopback */
	int64_t log_max_bytes; /* of output kept, in two halves; at least the newest half
				  survives */
	int64_t lease_us; /* when the file `lease` has not changed for this long, the command is
			     ended as by SIGTERM; 0: never */
	bool inherits; /* variables of the supervisor's own environment that are missing here are
			  added: under an engine, what the engine and its user have set up */
	int64_t heartbeat_us; /* interval at which it shows that it is alive, and heeds `stop`; 0:
				 neither */
};

/* Writes DIRECTORY/launch (mode 0600, atomically). */
TUNER_MUST_CHECK
bool launch_write(const char *directory, const struct launch *launch, struct tuner_error *err);

enum launch_owner {
	LAUNCH_NOBODYS, /* no launch file, or one torn by a power failure */
	LAUNCH_OWN, /* the launch has this key */
	LAUNCH_ANOTHERS, /* another key: the directory now belongs to another database */
};

/* Finds out whose launch the directory holds. */
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
	int64_t output_lost; /* of these, never stored because the disk was full */
	bool out_of_memory; /* the kernel's OOM killer was seen to hit the group */
};

struct attempt_status {
	enum attempt_life life;
	int64_t supervisor_pid, supervisor_start; /* start: field 22 of /proc/PID/stat; 0 unknown */
	int64_t command_pid, command_start; /* the process group is command_pid */
	int64_t session;
	int64_t started_us;
	char host[HOST_NAME_MAX + 1], boot_id[BOOT_ID_MAX];
	char cgroup[CGROUP_PATH_MAX]; /* the group that enforces its memory limit; "": none */
	struct exit_record exit; /* if FINISHED */
};

/* Makes sure that nothing starts the attempt from now on, not even a supervisor or an order already
 * on its way: it would find `started`, which is made here, empty. *ret_begun: the attempt had
 * already begun. A missing directory is fine and is not made: nothing starts in it. */
TUNER_MUST_CHECK
bool attempt_forbid(const char *directory, bool *ret_begun, struct tuner_error *err);

/* Reads the attempt's status from its directory. A missing directory is NEVER_RAN. */
TUNER_MUST_CHECK
bool attempt_look(const char *directory, struct attempt_status *ret, struct tuner_error *err);

/* The same where locks say nothing, because the directory is on a network file system and the
 * supervisor on another machine: whatever has started and has no exit.json is LIVES. */
TUNER_MUST_CHECK
bool attempt_look_afar(const char *directory, struct attempt_status *ret, struct tuner_error *err);

/* How long ago the attempt last showed that it is alive, by the file server's clock, which is read
 * by touching a file in `directory`. *ret_us -1: it never did. False: this cannot be determined (a
 * full disk, a server that does not answer), and the attempt may be alive. */
TUNER_MUST_CHECK
bool attempt_silence(const char *directory, int64_t *ret_us);

/* Writes `stop`, which asks a supervisor that polls for it to end its command by this signal
 * (SIGTERM, SUPERVISE_KILL). */
TUNER_MUST_CHECK
bool attempt_ask_to_stop(const char *directory, int signal, struct tuner_error *err);

/* False if the machine has been rebooted since the attempt started. */
bool attempt_is_of_this_boot(const struct attempt_status *status);

/* For an ORPHANED attempt: kills what is left of the command: the process itself (by pid with start
 * time), its process group, its session, its cgroup, which is removed, and every process whose
 * environment holds the key. It does not wait for their end. True when nothing was left (another boot
 * id: at once). TUNER_RETRY: something was, to be looked for again a moment later (SIGKILL does not
 * end a process while it hangs in the kernel), or a supervisor is alive there after all.
 *
 * Not found are a process that left group and session and dropped its environment, and processes of
 * other users or in other pid namespaces. */
TUNER_MUST_CHECK
bool attempt_fence(const char *directory, const char *key, const struct attempt_status *status,
	struct tuner_error *err);

/* Removes files that were being written when the attempt, or the process preparing it, was killed.
 * Nothing may be alive there any more. What cannot be removed stays. */
void attempt_tidy(const char *directory);

/* ---- output ---- */

/* Reads the output from an offset that counts all bytes ever stored. At most `size` bytes go to
 * ret_bytes; *ret_offset is where they begin: later than `offset` if rotation has dropped the bytes
 * in between. *ret_size 0: nothing new yet. */
TUNER_MUST_CHECK
bool output_read(const char *directory, int64_t offset, char *ret_bytes, size_t size,
	int64_t *ret_offset, size_t *ret_size, struct tuner_error *err);

/* The offset at which the output ends now, counted likewise; 0 if there is none. Never too small,
 * or a caller that continues writing from there would store bytes twice. */
TUNER_MUST_CHECK
bool output_end(const char *directory, int64_t *ret, struct tuner_error *err);

/* The last lines of the output (within its last 64 KiB, whole lines only), as a terminal would show
 * them: without control sequences, and without what a carriage return has overwritten. `ret` is
 * emptied first. */
TUNER_MUST_CHECK
bool output_tail(const char *directory, unsigned lines, struct text *ret, struct tuner_error *err);

#endif
