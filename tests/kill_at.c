/* Runs `tuner run`, or any program that starts supervisors the way it does, and kills it, or one of
 * its supervisors, or both, at the entry of a given system call: the state in which that leaves the
 * files is the one after the call before.
 *
 *     kill_at REPORT COUNTED none PROGRAM ARGUMENT...             counts
 *     kill_at REPORT COUNTED program N PROGRAM ARGUMENT...        kills PROGRAM at its N-th call
 *     kill_at REPORT COUNTED both N PROGRAM ARGUMENT...           and all supervisors with it
 *     kill_at REPORT COUNTED supervisor K N PROGRAM ARGUMENT...   the K-th supervisor at its N-th call
 *
 * COUNTED is `calls` for all of them, or `changes` for those that change anything that outlives the caller:
 * files, locks, processes. Killed at any other call it leaves what it leaves at the next of these.
 *
 * REPORT becomes one JSON object: what PROGRAM and each supervisor called, how often, and where it was
 * killed. Ends when PROGRAM has, with status 0; 77: this machine forbids ptrace. A supervisor is what
 * was started with posix_spawn, thus by a vfork: the fork of the command is not followed. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	STATUS_FAILED = 1,
	STATUS_FORBIDDEN = 77,
	TRACEES_MAX = 256,
	STACK_WORDS = 2048, /* looked through for callers */
	CALLERS_MAX = 5,
	SYSCALL_STOP = SIGTRAP | 0x80,
};

enum victim { NOBODY, PROGRAM, SUPERVISOR, BOTH };

/* Number 0 is the program, the others are its supervisors in the order of their start. */
struct tracee {
	pid_t pid; /* 0: it has ended */
	long calls;
};

struct tracer {
	FILE *report;
	bool changes; /* only calls that change anything are counted */
	enum victim victim;
	size_t target; /* tracee whose calls are counted down */
	long at;
	bool killed;
	size_t n;
	struct tracee tracees[TRACEES_MAX];
	int status; /* of the program */
};

static _Noreturn void give_up(int status, const char *what)
{
	fprintf(stderr, "kill_at: %s: %s\n", what, strerror(errno));
	exit(status);
}

/* ---- where it was killed ---- */

#define READS(call)                                                                                \
	{                                                                                          \
		SYS_##call, #call, false                                                           \
	}
#define CHANGES(call)                                                                              \
	{                                                                                          \
		SYS_##call, #call, true                                                            \
	}

/* What tuner and its supervisor call; another one is reported by its number. One that changes nothing that
 * outlives the caller leaves the same state behind as the call before. */
static const struct known_call {
	long number;
	const char *name;
	bool changes;
} known_calls[] = {
	CHANGES(clone),
	CHANGES(clone3),
	CHANGES(execve),
	CHANGES(fallocate),
	CHANGES(fchmod),
	CHANGES(fchown),
	CHANGES(flock),
	CHANGES(ftruncate),
	CHANGES(kill),
	CHANGES(mkdirat),
	CHANGES(pidfd_send_signal),
	CHANGES(prctl),
	CHANGES(pwrite64),
	CHANGES(renameat2),
	CHANGES(setpgid),
	CHANGES(setsid),
	CHANGES(symlinkat),
	CHANGES(tgkill),
	CHANGES(unlinkat),
	CHANGES(write),
	CHANGES(writev),
	CHANGES(openat), /* with O_CREAT or O_TRUNC */

	READS(brk),
	READS(bind),
	READS(chdir),
	READS(clock_nanosleep),
	READS(close),
	READS(close_range),
	READS(connect),
	READS(dup),
	READS(dup3),
	READS(epoll_create1),
	READS(epoll_ctl),
	READS(epoll_pwait),
	READS(exit_group),
	READS(faccessat),
	READS(faccessat2),
	READS(fcntl),
	READS(fdatasync),
	READS(fstat),
	READS(fsync),
	READS(futex),
	READS(getcwd),
	READS(getdents64),
	READS(getegid),
	READS(geteuid),
	READS(getgid),
	READS(getpid),
	READS(getppid),
	READS(getrandom),
	READS(getrusage),
	READS(getsid),
	READS(getsockname),
	READS(gettid),
	READS(getuid),
	READS(inotify_add_watch),
	READS(inotify_init1),
	READS(inotify_rm_watch),
	READS(ioctl),
	READS(lseek),
	READS(madvise),
	READS(mmap),
	READS(mprotect),
	READS(mremap),
	READS(munmap),
	READS(nanosleep),
	READS(newfstatat),
	READS(pidfd_open),
	READS(pipe2),
	READS(ppoll),
	READS(pread64),
	READS(prlimit64),
	READS(read),
	READS(readlinkat),
	READS(rseq),
	READS(rt_sigaction),
	READS(rt_sigprocmask),
	READS(sched_getaffinity),
	READS(set_robust_list),
	READS(set_tid_address),
	READS(socket),
	READS(setsockopt),
	READS(signalfd4),
	READS(sigaltstack),
	READS(statfs),
	READS(statx),
	READS(sync_file_range),
	READS(sysinfo),
	READS(uname),
	READS(wait4),
	READS(waitid),
#ifdef SYS_open /* the older calls, which newer machines do without */
	CHANGES(fork),
	CHANGES(mkdir),
	CHANGES(symlink),
	CHANGES(rename),
	CHANGES(rmdir),
	CHANGES(unlink),
	CHANGES(vfork),
	CHANGES(renameat),
	CHANGES(open),

	READS(access),
	READS(arch_prctl),
	READS(dup2),
	READS(epoll_wait),
	READS(getpgrp),
	READS(lstat),
	READS(pipe),
	READS(poll),
	READS(readlink),
	READS(stat),
	READS(time),
#endif
};

static const struct known_call *find_call(uint64_t number)
{
	for (size_t i = 0; i < sizeof(known_calls) / sizeof(*known_calls); i++)
		if (known_calls[i].number == (long)number)
			return &known_calls[i];
	return NULL;
}

/* An unknown one may. */
static bool changes_anything(const struct __ptrace_syscall_info *info)
{
	const struct known_call *const call = find_call(info->entry.nr);
	const uint64_t making = O_CREAT | O_TRUNC;

#ifdef SYS_open
	if (info->entry.nr == SYS_open)
		return info->entry.args[1] & making;
#endif
	if (info->entry.nr == SYS_openat)
		return info->entry.args[2] & making;
	return call == NULL || call->changes;
}

static void report_name(FILE *report, uint64_t number)
{
	const struct known_call *const call = find_call(number);

	if (call != NULL)
		fprintf(report, ", \"call\": \"%s\"", call->name);
	else
		fprintf(report, ", \"call\": \"%llu\"", (unsigned long long)number);
}

#ifdef __x86_64__
/* The program's own file in its address space. */
struct image {
	char path[PATH_MAX];
	uint64_t base, text, text_end;
};

static bool find_image(pid_t pid, struct image *ret)
{
	char name[64], line[PATH_MAX + 128];

	*ret = (struct image){ .base = UINT64_MAX };
	snprintf(name, sizeof(name), "/proc/%d/exe", (int)pid);
	if (readlink(name, ret->path, sizeof(ret->path) - 1) < 0)
		return false;
	snprintf(name, sizeof(name), "/proc/%d/maps", (int)pid);
	FILE *const maps = fopen(name, "re");

	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
		unsigned long long start, end;
		char mode[8], path[PATH_MAX] = "";

		if (sscanf(line, "%llx-%llx %7s %*s %*s %*s %4095[^\n]", &start, &end, mode,
			    path) != 4 ||
			strcmp(path, ret->path) != 0)
			continue;
		if (start < ret->base)
			ret->base = start;
		if (mode[2] == 'x') {
			ret->text = start;
			ret->text_end = end;
		}
	}
	if (maps != NULL)
		fclose(maps);
	return ret->text_end > 0;
}

static bool peek(pid_t pid, uint64_t address, uint64_t *ret)
{
	errno = 0;
	*ret = (uint64_t)ptrace(PTRACE_PEEKDATA, pid, (void *)address, NULL);
	return errno == 0;
}

/* An address behind a call instruction: direct, through a register, or through memory. */
static bool is_return_address(pid_t pid, const struct image *image, uint64_t address)
{
	uint64_t word;
	unsigned char before[sizeof(word)];

	if (address < image->text + sizeof(word) || address >= image->text_end ||
		!peek(pid, address - sizeof(word), &word))
		return false;
	memcpy(before, &word, sizeof(word));
	return before[3] == 0xe8 || (before[2] == 0xff && (before[3] & 0x38) == 0x10) ||
	       (before[5] == 0xff && (before[6] & 0x38) == 0x10) ||
	       (before[6] == 0xff && (before[7] & 0x38) == 0x10);
}

/* No unwinding: what looks like a return address into the program's own text is taken for a caller,
 * innermost first. For a report that is good enough, though an old one may lie between them. */
static void report_callers(FILE *report, pid_t pid, uint64_t stack)
{
	struct image image;
	size_t n = 0;

	if (!find_image(pid, &image))
		return;
	fprintf(report, ", \"image\": \"%s\", \"base\": %llu, \"callers\": [", image.path,
		(unsigned long long)image.base);
	for (size_t i = 0; i < STACK_WORDS && n < CALLERS_MAX; i++) {
		uint64_t word;

		if (!peek(pid, stack + 8 * i, &word))
			break;
		if (is_return_address(pid, &image, word))
			fprintf(report, "%s%llu", n++ > 0 ? ", " : "", (unsigned long long)word);
	}
	fputc(']', report);
}
#else
static void report_callers(FILE *report, pid_t pid, uint64_t stack)
{
}
#endif

/* ---- killing ---- */

static void kill_victims(struct tracer *tracer, const struct tracee *victim,
	const struct __ptrace_syscall_info *info)
{
	tracer->killed = true;
	fprintf(tracer->report, ", \"killed\": true");
	report_name(tracer->report, info->entry.nr);
	report_callers(tracer->report, victim->pid, info->stack_pointer);
	kill(victim->pid, SIGKILL);
	for (size_t i = 1; i < tracer->n && tracer->victim == BOTH; i++)
		if (tracer->tracees[i].pid > 0)
			kill(tracer->tracees[i].pid, SIGKILL);
}

static void take_syscall(struct tracer *tracer, struct tracee *tracee)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, tracee->pid, sizeof(info), &info) < 0) {
		if (errno == ESRCH) /* somebody else has killed it */
			return;
		give_up(STATUS_FORBIDDEN, "PTRACE_GET_SYSCALL_INFO");
	}
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY || (tracer->changes && !changes_anything(&info)))
		return;
	tracee->calls++;
	if (tracer->victim != NOBODY && !tracer->killed && tracee->calls == tracer->at &&
		tracee == &tracer->tracees[tracer->target])
		kill_victims(tracer, tracee, &info);
}

/* ---- following ---- */

static struct tracee *find(struct tracer *tracer, pid_t pid)
{
	for (size_t i = 0; i < tracer->n; i++)
		if (tracer->tracees[i].pid == pid)
			return &tracer->tracees[i];
	if (tracer->n == TRACEES_MAX) {
		errno = E2BIG;
		give_up(STATUS_FAILED, "it starts too many processes");
	}
	tracer->tracees[tracer->n].pid = pid;
	return &tracer->tracees[tracer->n++];
}

static bool is_stop_signal(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

static void go_on(const struct tracer *tracer, const struct tracee *tracee, int stop, int event)
{
	const bool counted = tracer->victim == NOBODY ||
			     (!tracer->killed && tracee == &tracer->tracees[tracer->target]);
	const bool stays = event == PTRACE_EVENT_STOP && is_stop_signal(stop);
	const int signal = event == 0 && stop != SYSCALL_STOP ? stop : 0;

	ptrace(stays      ? PTRACE_LISTEN
		: counted ? PTRACE_SYSCALL
			  : PTRACE_CONT,
		tracee->pid, NULL, (void *)(intptr_t)signal);
}

static void follow(struct tracer *tracer)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		struct tracee *const tracee = find(tracer, pid);

		if (!WIFSTOPPED(status)) {
			tracee->pid = 0;
			if (tracee == tracer->tracees)
				tracer->status = status;
			continue;
		}
		if (WSTOPSIG(status) == SYSCALL_STOP)
			take_syscall(tracer, tracee);
		go_on(tracer, tracee, WSTOPSIG(status), status >> 16);
	}
}

/* The program waits until it is traced. Only who looks for its supervisors has them followed: the others
 * must outlive us. */
static void start(struct tracer *tracer, char **arguments)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC |
			     (tracer->victim == PROGRAM ? 0 : PTRACE_O_TRACEVFORK);
	int ready[2];
	char byte;

	if (pipe2(ready, O_CLOEXEC) != 0)
		give_up(STATUS_FAILED, "pipe");
	const pid_t pid = fork();

	if (pid < 0)
		give_up(STATUS_FAILED, "fork");
	if (pid == 0) {
		close(ready[1]);
		if (read(ready[0], &byte, 1) != 1)
			_exit(STATUS_FAILED);
		execvp(arguments[0], arguments);
		give_up(STATUS_FAILED, arguments[0]);
	}
	close(ready[0]);
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)options) != 0 ||
		ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) != 0)
		give_up(STATUS_FORBIDDEN, "ptrace");
	if (write(ready[1], "", 1) != 1)
		give_up(STATUS_FAILED, "write");
	close(ready[1]);
	tracer->tracees[tracer->n++].pid = pid;
}

static int usage(void)
{
	fprintf(stderr, "usage: kill_at REPORT calls|changes "
			"none|program N|both N|supervisor K N PROGRAM ARGUMENT...\n");
	return STATUS_FAILED;
}

static bool read_victim(const char *word, enum victim *ret)
{
	static const char *const words[] = { "none", "program", "supervisor", "both" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(word, words[i]) == 0) {
			*ret = (enum victim)i;
			return true;
		}
	return false;
}

int main(int argc, char **argv)
{
	static struct tracer tracer;
	int next = 4;

	if (argc < 5 || !read_victim(argv[3], &tracer.victim))
		return usage();
	tracer.changes = strcmp(argv[2], "changes") == 0;
	if (tracer.victim == SUPERVISOR && next < argc)
		tracer.target = strtoul(argv[next++], NULL, 10);
	if (tracer.victim != NOBODY && next < argc)
		tracer.at = strtol(argv[next++], NULL, 10);
	if (next >= argc)
		return usage();
	tracer.report = fopen(argv[1], "we");
	if (tracer.report == NULL)
		give_up(STATUS_FAILED, argv[1]);
	start(&tracer, argv + next);
	fputs("{\"version\": 1", tracer.report);
	follow(&tracer);
	fprintf(tracer.report, ", \"status\": %d, \"calls\": [",
		WIFEXITED(tracer.status) ? WEXITSTATUS(tracer.status) : -WTERMSIG(tracer.status));
	for (size_t i = 0; i < tracer.n; i++)
		fprintf(tracer.report, "%s%ld", i > 0 ? ", " : "", tracer.tracees[i].calls);
	fputs("]}\n", tracer.report);
	return fclose(tracer.report) == 0 ? 0 : STATUS_FAILED;
}
