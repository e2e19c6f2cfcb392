/* tuner-supervise DIRECTORY: runs one training command to its end and records how it ended.
 * scheduler/attempt.h is the contract. This program is small and needs nothing but libc, because a
 * copy of it runs beside every training command, on any host, and outlives the program that started
 * it. It never waits without a bound: for the command it waits within the time limit, if there is
 * one, and after a SIGKILL at most GIVE_UP_US.
 *
 *     main: lock, step back?, order -> fork -> started -> go -> watch -> exit.json -> sync
 *
 * Several may be started for one attempt, by a tuner that was killed and by the next. The lock
 * admits one of them; on a file system without locks, the one that creates `started` runs, and the
 * others leave no trace.
 *
 * All signals are blocked from the first line to the last and arrive through a descriptor. */
#include "scheduler/supervise.h"
#include "scheduler/gpu_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	OUTPUT_PIECE = 64 * 1024, /* a pipe's capacity */
	OUTPUT_PIECES = 16, /* at most this many before signals and time are checked again */
	OUTPUT_REST = 64, /* after the end: more than any pipe holds */
};

/* What the command's descendants may still print once it has ended. */
static const int64_t LINGER_US = 500000;
/* How often we check that the attempt directory still exists. */
static const int64_t LOOK_US = 1000000;
/* How often its memory is measured, if it has a limit. */
static const int64_t WEIGH_US = 200000;
/* Measuring takes at most this fraction (one in WEIGH_SHARE) of our time, on a machine with many
 * processes. */
static const int64_t WEIGH_SHARE = 50;
/* SIGKILL takes effect when the process leaves the kernel: on a dead file system or a hung GPU that
 * may be never. */
static const int64_t GIVE_UP_US = 60000000;
/* How long orphans of the command may take to die. */
static const int64_t REAP_US = 5000000;
/* A reader that tests the lock holds it for microseconds; a supervisor for as long as it lives. */
static const int LOCK_TRIES = 100;
static const int64_t LOCK_PAUSE_US = 2000;

static const int64_t NEVER = INT64_MAX;

struct watch {
	int directory, signals, exit_json;
	struct order order;
	struct child child;
	struct log log;
	struct outcome outcome;
	char cgroup[CGROUP_PATH_MAX]; /* the command's, which has its memory limit; "": none */
	bool locked; /* false: the file system has no locks */
	bool claimed; /* `started` is ours */
	bool output_open, failure_open;
	bool ended; /* the command is a zombie, so its group's number cannot be reused */
	bool timed_out; /* we ended it, for its time limit */
	int64_t too_much; /* bytes it used when we ended it for its memory */
	bool abandoned; /* it did not die of SIGKILL */
	bool removed; /* the attempt directory is gone */
	int stop_signal, last_forwarded;
	int64_t began_us; /* as passed_us tells */
	int64_t lease_until; /* as passed_us tells */
	struct timespec
		leased; /* when the lease was last renewed, by whatever clock the file has */
	int64_t limit_at, kill_at, linger_until, give_up_at, look_at, beat_at, weigh_at;
	int asked; /* the last signal asked for by the file `stop` */
};

/* The time limit counts time that the command could use: not while the machine is suspended. */
static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Time since boot, including sleep, and never set: differences are real time. The lease uses it,
 * too: the process that watches over the attempt elsewhere has not slept meanwhile, and may have
 * given the trial to another host. */
static int64_t passed_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t later(int64_t from, int64_t us)
{
	return us < NEVER - from ? from + us : NEVER;
}

static void pause_us(int64_t us)
{
	const struct timespec pause = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	nanosleep(&pause, NULL);
}

/* ---- ending the command ---- */

static void kill_group(struct watch *w, int signal)
{
	if (w->child.pid > 0)
		kill(-w->child.pid, signal);
	if (signal == SIGKILL && w->cgroup[0] != '\0')
		cgroup_kill(w->cgroup);
}

static void kill_hard(struct watch *w)
{
	w->kill_at = NEVER;
	kill_group(w, SIGKILL);
	if (w->give_up_at == NEVER)
		w->give_up_at = later(now_us(), GIVE_UP_US);
}

/* A stopped process acts on SIGTERM only once it continues. */
static void end_gently(struct watch *w, int signal)
{
	kill_group(w, signal);
	kill_group(w, SIGCONT);
	if (w->kill_at == NEVER && w->give_up_at == NEVER)
		w->kill_at = later(now_us(), w->order.grace_us);
	w->limit_at = NEVER;
}

/* If the command has already ended by itself, a later signal has not stopped it. */
static void stop(struct watch *w, int signal)
{
	if (w->ended)
		return;
	if (!w->timed_out && w->stop_signal == 0)
		w->stop_signal = signal;
	if (signal == SIGKILL)
		kill_hard(w);
	else
		end_gently(w, signal);
}

static void take_signal(struct watch *w, int signal)
{
	switch (signal) {
	case SIGCHLD:
		break; /* it has woken us; notice_ends handles it */
	case SUPERVISE_KILL:
		stop(w, SIGKILL);
		break;
	case SIGTERM:
	case SIGINT:
	case SIGQUIT:
		stop(w, signal);
		break;
	default:
		if (w->ended)
			return;
		w->last_forwarded = signal;
		kill_group(w, signal);
	}
}

/* ---- one turn of the loop ---- */

static void take_signals(struct watch *w)
{
	struct signalfd_siginfo info;

	while (read(w->signals, &info, sizeof(info)) == sizeof(info))
		take_signal(w, (int)info.ssi_signo);
}

/* Reads at most `pieces` times, so that a command that prints without end cannot keep us from the
 * clock. */
static void drain(struct watch *w, int pieces)
{
	static char bytes[OUTPUT_PIECE];

	while (w->output_open && pieces-- > 0) {
		const ssize_t n = read(w->child.output, bytes, sizeof(bytes));

		if (n > 0) {
			log_add(&w->log, bytes, (size_t)n);
		} else if (n < 0 && errno == EINTR) {
			continue;
		} else if (n < 0 && errno == EAGAIN) {
			return;
		} else {
			close(w->child.output);
			w->output_open = false;
		}
	}
}

/* Either the exec has closed the pipe, or the child says why the exec failed. */
static void take_failure(struct watch *w)
{
	struct child_failure failure;
	const ssize_t n = w->failure_open ? read(w->child.failure, &failure, sizeof(failure)) : -1;

	if (n < 0)
		return;
	if (n == sizeof(failure)) {
		child_explain(&failure, &w->order, w->outcome.message);
		w->outcome.kind = KIND_NO_START;
	}
	close(w->child.failure);
	w->failure_open = false;
}

/* Even if the wall clock was set meanwhile, the duration is the real one. */
static void note_end(struct watch *w)
{
	w->outcome.ended_us = w->outcome.started_us + passed_us() - w->began_us;
}

static void notice_end(struct watch *w)
{
	w->ended = true;
	note_end(w);
	w->linger_until = later(now_us(), LINGER_US);
}

/* The command stays a zombie until the end. Orphans that have become our children are reaped, lest
 * a command that makes many of them fill the process table. */
static void notice_ends(struct watch *w)
{
	while (!w->ended) {
		siginfo_t info = { .si_pid = 0 };

		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
			return;
		if (info.si_pid == w->child.pid)
			notice_end(w);
		else
			waitpid(info.si_pid, NULL, 0);
	}
}

/* Ends the command if the directory was removed: nobody can read the result any more, or wants
 * it. */
static void look_for_directory(struct watch *w)
{
	struct stat info;

	w->look_at = later(now_us(), LOOK_US);
	if (w->removed || fstat(w->directory, &info) != 0 || info.st_nlink > 0)
		return;
	w->removed = true;
	stop(w, SIGTERM);
}

/* SIGKILL: a process that asks for memory faster than it acts on a signal takes the machine with it. */
static void weigh(struct watch *w)
{
	const int64_t began = now_us();
	const int64_t bytes = memory_of_descendants(w->order.memory_bytes);
	const int64_t now = now_us(), share = WEIGH_SHARE * (now - began);

	w->weigh_at = later(now, share > WEIGH_US ? share : WEIGH_US);
	if (bytes <= w->order.memory_bytes)
		return;
	if (w->stop_signal == 0 && !w->timed_out) /* else it is already being ended for another
						     reason */
		w->too_much = bytes;
	w->weigh_at = NEVER;
	kill_hard(w);
}

/* The process that watches over the attempt touches a file. Only that the file's time has changed
 * counts: how long ago is measured by our own clock. */
static void look_for_lease(struct watch *w)
{
	struct stat info;

	if (w->order.lease_us == 0)
		return;
	if (fstatat(w->directory, ATTEMPT_LEASE, &info, 0) == 0 &&
		(info.st_mtim.tv_sec != w->leased.tv_sec ||
			info.st_mtim.tv_nsec != w->leased.tv_nsec)) {
		w->leased = info.st_mtim;
		w->lease_until = later(passed_us(), w->order.lease_us);
	}
	if (passed_us() < w->lease_until || w->stop_signal != 0 || w->timed_out)
		return;
	snprintf(w->outcome.message, sizeof(w->outcome.message),
		"no tuner has reached it for %lld s (\"lease\")",
		(long long)(w->order.lease_us / 1000000));
	stop(w, SIGTERM);
}

/* Where no signal reaches us, a file asks instead, and may later ask for a stronger signal. */
static void look_for_stop(struct watch *w)
{
	const int signal = record_stop(w->directory);

	if (signal <= 0 || signal == w->asked)
		return;
	w->asked = signal;
	take_signal(w, signal);
}

static void keep_deadlines(struct watch *w)
{
	const int64_t now = now_us();

	if (w->order.heartbeat_us > 0 && now >= w->beat_at) {
		record_heartbeat(w->directory);
		w->beat_at = later(now, w->order.heartbeat_us);
	}
	if (w->ended)
		return;
	if (now >= w->look_at) {
		look_for_directory(w);
		look_for_lease(w);
		if (w->order.heartbeat_us > 0)
			look_for_stop(w);
	}
	if (now >= w->weigh_at)
		weigh(w);
	if (now >= w->limit_at) {
		w->timed_out = true;
		end_gently(w, SIGTERM);
	}
	if (now >= w->kill_at)
		kill_hard(w);
	if (now >= w->give_up_at)
		w->abandoned = true;
}

static int64_t next_deadline(const struct watch *w)
{
	const int64_t all[] = { w->limit_at, w->kill_at, w->give_up_at, w->look_at, w->beat_at,
		w->weigh_at };
	int64_t next = w->linger_until;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all) && !w->ended; i++)
		if (all[i] < next)
			next = all[i];
	return next;
}

static void wait_for_something(const struct watch *w)
{
	struct pollfd fds[] = {
		{ .fd = w->signals, .events = POLLIN },
		{ .fd = w->output_open ? w->child.output : -1, .events = POLLIN },
		{ .fd = w->failure_open ? w->child.failure : -1, .events = POLLIN },
	};
	const int64_t left_us = next_deadline(w) - now_us();

	poll(fds, 3, left_us <= 0 ? 0 : left_us > 60000000 ? 60000 : (int)(left_us / 1000 + 1));
}

static bool is_over(const struct watch *w)
{
	return w->abandoned || (w->ended && (!w->output_open || now_us() >= w->linger_until));
}

static void watch_command(struct watch *w)
{
	while (!is_over(w)) {
		wait_for_something(w);
		notice_ends(w); /* first: a command that has already ended is not stopped by a
				   signal */
		take_signals(w);
		notice_ends(w); /* again: a forwarded signal's end may have come in the same read */
		take_failure(w);
		drain(w, OUTPUT_PIECES);
		keep_deadlines(w);
	}
}

/* ---- the end ---- */

static void keep_status(struct watch *w, int status)
{
	w->outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	w->outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

/* Waits for every process that the command has left, in its group or not: orphans come to us. The status comes before
 * the time: we may have been held up ourselves (stopped, swapped out) since the command ended. */
static void reap_all(struct watch *w)
{
	const int64_t until = later(now_us(), REAP_US);
	int status = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) >= 0 || errno == EINTR) {
		if (pid == w->child.pid)
			keep_status(w, status);
		if (now_us() >= until)
			return;
		if (pid == 0) {
			struct pollfd woken = { .fd = w->signals, .events = POLLIN };

			children_kill();
			poll(&woken, 1, 20);
			take_signals(w);
		}
	}
}

/* Clears away what is left: between the first and the last line of this function the command's
 * group loses all its processes. */
static void clear_away(struct watch *w)
{
	take_failure(w);
	kill_group(w, SIGKILL);
	if (w->ended)
		reap_all(w);
	drain(w, OUTPUT_REST);
}

static int64_t time_us(struct timeval time)
{
	return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

static void keep_usage(struct outcome *outcome)
{
	struct rusage usage;

	if (getrusage(RUSAGE_CHILDREN, &usage) != 0)
		return;
	outcome->user_us = time_us(usage.ru_utime);
	outcome->system_us = time_us(usage.ru_stime);
	outcome->max_rss_bytes = (int64_t)usage.ru_maxrss * 1024;
}

static void judge(struct watch *w, int64_t oom_kills_before)
{
	struct outcome *outcome = &w->outcome;

	keep_usage(outcome);
	if (outcome->kind == KIND_NO_START) {
		outcome->code = outcome->signal = -1;
		return;
	}
	if (w->abandoned) {
		outcome->signal = SIGKILL;
		note_end(w);
		snprintf(outcome->message, sizeof(outcome->message),
			"process %d is still not gone 60 s after SIGKILL: it hangs in the kernel",
			(int)w->child.pid);
	}
	if (w->cgroup[0] != '\0' && cgroup_limit_hit(w->cgroup) && outcome->code != 0 &&
		!w->timed_out && w->stop_signal == 0) {
		outcome->kind = KIND_MEMORY;
		snprintf(outcome->message, sizeof(outcome->message),
			"it came to the limit of its cgroup, and \"memory\" allows %lld MiB",
			(long long)(w->order.memory_bytes >> 20));
	} else if (w->too_much > 0) {
		outcome->kind = KIND_MEMORY;
		snprintf(outcome->message, sizeof(outcome->message),
			"it had %lld MiB of memory, and \"memory\" allows %lld MiB",
			(long long)(w->too_much >> 20), (long long)(w->order.memory_bytes >> 20));
	} else if (w->timed_out)
		outcome->kind = KIND_TIMEOUT;
	else if (w->stop_signal != 0)
		outcome->kind = KIND_STOPPED;
	else if (outcome->signal > 0 && outcome->signal == w->last_forwarded)
		outcome->kind = KIND_STOPPED;
	else
		outcome->kind = outcome->signal > 0 ? KIND_SIGNAL : KIND_CODE;
	if (outcome->kind == KIND_STOPPED)
		outcome->stop_signal = w->stop_signal != 0 ? w->stop_signal : w->last_forwarded;

	/* A worker process may have been the victim, and the command failed because of it; if the
	 * command itself succeeded, the victim was a neighbour in our cgroup. */
	outcome->out_of_memory = outcome->code != 0 &&
				 ((oom_kills_before >= 0 && oom_kills() > oom_kills_before) ||
					 (w->cgroup[0] != '\0' && cgroup_oom_kills(w->cgroup) > 0));
}

/* ---- the beginning ---- */

/* Nothing may leak into the command, and descriptors 0 to 2 must be taken. */
static void tidy_descriptors(void)
{
	if (syscall(SYS_close_range, 3u, ~0u, 0u) != 0)
		for (int fd = 3; fd < 4096; fd++)
			close(fd);
	for (int fd = open("/dev/null", O_RDWR); fd >= 0; fd = open("/dev/null", O_RDWR))
		if (fd > 2) {
			close(fd);
			break;
		}
}

/* Also signals that would kill us and have nothing to do with the command (SIGPIPE, SIGXFSZ for a
 * full log): blocked, they are only an errno. */
static int receive_signals(void)
{
	static const int heard[] = { SIGCHLD, SUPERVISE_KILL, SIGTERM, SIGINT, SIGQUIT, SIGHUP,
		SIGUSR1, SIGUSR2, SIGCONT, SIGTSTP, SIGALRM, SIGWINCH };
	sigset_t set;

	signal(SIGCHLD, SIG_DFL); /* if ignored, children would vanish unseen */
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(heard) / sizeof(*heard); i++)
		sigaddset(&set, heard[i]);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Held until this process ends. *ret_locked: false if the file system has no locks; then `started` alone fences. */
static enum supervise_status take_lock(int directory, bool *ret_locked)
{
	const int fd = openat(directory, ATTEMPT_LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return SUPERVISE_NO_FILES;
	*ret_locked = true;
	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
		if (errno == ENOLCK || errno == EOPNOTSUPP || errno == ENOSYS) {
			*ret_locked = false;
			break;
		}
		if (errno != EWOULDBLOCK)
			return SUPERVISE_NO_FILES;
		if (i == LOCK_TRIES)
			return SUPERVISE_BUSY;
		pause_us(LOCK_PAUSE_US);
	}
	if (faccessat(directory, ATTEMPT_STARTED, F_OK, 0) == 0 ||
		faccessat(directory, ATTEMPT_EXIT, F_OK, 0) == 0)
		return SUPERVISE_RAN;
	return SUPERVISE_DONE;
}

static void watch_init(struct watch *w, int directory, int exit_json)
{
	*w = (struct watch){ .directory = directory,
		.exit_json = exit_json,
		.output_open = true,
		.failure_open = true,
		.outcome = { .code = -1, .signal = -1 },
		.limit_at = NEVER,
		.kill_at = NEVER,
		.linger_until = NEVER,
		.give_up_at = NEVER,
		.look_at = later(now_us(), LOOK_US),
		.beat_at = NEVER,
		.weigh_at = NEVER };
}

/* A tuner of before does not say who it is: we share the lock, whoever has it. */
static void share_gpu(const char *path)
{
	const int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	for (int t = 0; fd >= 0 && t < LOCK_TRIES && flock(fd, LOCK_SH | LOCK_NB) != 0; t++)
		pause_us(LOCK_PAUSE_US);
}

/* False: somebody else has it. A lock of ours may look like that for an instant, while somebody
 * tries for it. */
static bool claim_gpu(const char *path, const char *owner, char ret_who[GPU_OWNER_MAX])
{
	int fd;

	for (int t = 0; gpu_lock_claim(path, owner, &fd, ret_who) == GPU_TAKEN; t++) {
		if (t == LOCK_TRIES)
			return false;
		pause_us(LOCK_PAUSE_US);
	}
	return true;
}

/* The process that launched us holds the locks too, but may be killed; then we hold them until this
 * process ends. If it was killed before we began, or its connection was cut, somebody else may have
 * a GPU by now, and the command does not run. Where there can be no locks it does. */
static bool hold_gpus(const struct order *order, struct outcome *outcome)
{
	char who[GPU_OWNER_MAX];

	for (int i = 0; i < order->n_gpu_locks; i++) {
		if (order->gpu_owner == NULL) {
			share_gpu(order->gpu_locks[i]);
		} else if (!claim_gpu(order->gpu_locks[i], order->gpu_owner, who)) {
			outcome->kind = KIND_STOPPED;
			snprintf(outcome->message, sizeof(outcome->message),
				"another tuner (job %.*s) had taken its GPU before it began",
				(int)strcspn(who, "@"), who);
			return false;
		}
	}
	return true;
}

/* Chooses the command's group, if it has a limit and we may make a group. */
static void choose_cgroup(struct watch *w)
{
	char group[CGROUP_PATH_MAX], why[CGROUP_WHY_MAX];

	if (w->order.memory_bytes == 0 || !cgroup_find_ours(group, why) || !cgroup_prepare(group) ||
		!cgroup_name(group, w->order.key, w->cgroup))
		w->cgroup[0] = '\0';
}

/* If no group can be made we measure the memory ourselves. */
static void limit_memory(struct watch *w)
{
	if (w->cgroup[0] != '\0' && (!cgroup_make(w->cgroup, w->order.memory_bytes) ||
					    !cgroup_add(w->cgroup, w->child.pid))) {
		cgroup_remove(w->cgroup);
		w->cgroup[0] = '\0';
	}
	if (w->order.memory_bytes > 0 && w->cgroup[0] == '\0')
		w->weigh_at = later(now_us(), WEIGH_US);
}

/* Killed processes leave the group a moment later. A group that stays is removed by whoever fences
 * the attempt, or by systemd with the delegated group. */
static void remove_cgroup(const struct watch *w)
{
	for (int i = 0; w->cgroup[0] != '\0' && !cgroup_remove(w->cgroup) && i < LOCK_TRIES; i++)
		pause_us(LOCK_PAUSE_US);
}

/* Up to the moment at which the command may run. False: it never will, and the outcome says why, or
 * *ret_status if another supervisor was first. */
static bool begin(struct watch *w, enum supervise_status *ret_status)
{
	struct outcome *outcome = &w->outcome;

	outcome->kind = KIND_NO_START;
	outcome->started_us = outcome->ended_us = wall_us();
	w->began_us = passed_us();
	if (!order_read(w->directory, &w->order, outcome->message) ||
		!secrets_add(&w->order, outcome->message))
		return false;
	if (w->order.heartbeat_us > 0 && (w->asked = record_stop(w->directory)) > 0) {
		outcome->kind =
			KIND_STOPPED; /* it was waiting in a queue and is no longer wanted */
		outcome->stop_signal = w->asked;
		return false;
	}
	if (!hold_gpus(&w->order, outcome))
		return false;
	choose_cgroup(w);
	if (!child_fork(w->directory, &w->order, &w->child, outcome->message))
		return false;
	if (!record_started(w->directory, &w->child, outcome->started_us, w->cgroup, w->locked,
		    &w->claimed)) {
		if (errno == EEXIST && !w->claimed)
			*ret_status = SUPERVISE_RAN;
		snprintf(outcome->message, sizeof(outcome->message), "cannot write `started`: %s",
			strerror(errno));
		child_abandon(&w->child);
		return false;
	}
	outcome->kind = KIND_CODE;
	if (w->order.heartbeat_us > 0)
		w->beat_at = 0;
	log_init(&w->log, w->directory, w->order.log_max_bytes);
	w->lease_until = later(passed_us(), w->order.lease_us);
	if (w->order.timeout_us > 0)
		w->limit_at = later(now_us(), w->order.timeout_us);
	limit_memory(w);
	child_go(&w->child);
	return true;
}

/* The attempt has ended before it began. Without locks another supervisor may run the command
 * nevertheless; the outcome is then that supervisor's to record. */
static enum supervise_status claim_end(struct watch *w)
{
	if (w->claimed || record_started(w->directory, NULL, 0, "", w->locked, &w->claimed) ||
		w->claimed)
		return SUPERVISE_DONE;
	return errno == EEXIST ? SUPERVISE_RAN : SUPERVISE_NO_FILES;
}

static enum supervise_status supervise(struct watch *w)
{
	enum supervise_status status = SUPERVISE_DONE;
	const int64_t oom_kills_before = oom_kills();

	if (begin(w, &status)) {
		watch_command(w);
		clear_away(w);
		judge(w, oom_kills_before);
		remove_cgroup(w);
	} else if (status == SUPERVISE_DONE) {
		status = claim_end(w);
	}
	if (status != SUPERVISE_DONE)
		return status;
	if (!record_exit(w->directory, w->exit_json, &w->outcome, &w->log))
		return w->removed ? SUPERVISE_NO_DIRECTORY : SUPERVISE_NO_FILES;
	record_sync(w->directory, w->exit_json, &w->log);
	return SUPERVISE_DONE;
}

/* Requests SIGTERM for when our parent, which has started us, dies, or if it just did. Blocked, the
 * signal waits until we listen. */
static void follow(const char *parent)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != atoi(parent))
		kill(getpid(), SIGTERM);
}

/* Tells how a memory limit would be enforced, for callers that ask in advance. */
static enum supervise_status tell_memory(void)
{
	char group[CGROUP_PATH_MAX], why[CGROUP_WHY_MAX];

	if (cgroup_find_ours(group, why))
		return SUPERVISE_DONE;
	dprintf(2, "%s\n", why);
	return SUPERVISE_NO_FILES;
}

int main(int argc, char **argv)
{
	static struct watch watch;

	/* Tells whether the kernel allows it, for callers that ask in advance. */
	if (argc == 2 && strcmp(argv[1], "--try-no-network") == 0) {
		const bool cut = network_cut();
		if (!cut)
			dprintf(2, "%s\n", strerror(errno));
		return cut ? SUPERVISE_DONE : SUPERVISE_NO_FILES;
	}
	if (argc == 2 && strcmp(argv[1], "--try-memory") == 0)
		return tell_memory();
	if (argc != 2 && argc != 3) {
		dprintf(2, "usage: tuner-supervise ATTEMPT-DIRECTORY [PARENT]\n"
			   "Runs the command of an attempt; `tuner run` starts it.\n"
			   "With PARENT, our parent's pid, the command ends when that dies.\n");
		return SUPERVISE_USAGE;
	}
	tidy_descriptors();
	const int signals = receive_signals();
	if (argc == 3)
		follow(argv[2]);
	const int directory = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0 || signals < 0)
		return SUPERVISE_NO_DIRECTORY;

	bool locked = false;
	const enum supervise_status status = take_lock(directory, &locked);
	if (status != SUPERVISE_DONE)
		return status;
	const int exit_json = record_reserve(directory);
	if (exit_json < 0)
		return SUPERVISE_NO_FILES;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	watch_init(&watch, directory, exit_json);
	watch.signals = signals;
	watch.locked = locked;
	return supervise(&watch);
}
