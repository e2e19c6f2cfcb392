/* Runs `tuner run`, or any program that starts supervisors the way it does, and has a system call fail that would have
 * worked: a full disk, one that is broken or read-only, no memory, no descriptor, no process left.
 *
 *     fail_at REPORT CALLS ERRNO N[+] program PROGRAM ARGUMENT...       the N-th of these calls; with + also all later ones
 *     fail_at REPORT CALLS ERRNO N[+] supervisor K PROGRAM ARGUMENT...  those of the K-th supervisor
 *
 * CALLS is a list such as write,pwrite64,fsync; `create` is an open that may make or empty a file, and what goes to the terminal or through a pipe is not counted. ERRNO is a number. N 0 only
 * counts. The program's calls count from when it opens a file of the name of its last argument: before that it is the loader's. REPORT
 * becomes a JSON object: how many calls there were, how many failed, and which failed first. Ends when
 * PROGRAM has, with status 0; 77: this machine forbids ptrace, or is of a kind that this does not know. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	STATUS_FAILED = 1,
	STATUS_FORBIDDEN = 77,
	TRACEES_MAX = 256,
	CALLS_MAX = 32,
	PATH_BYTES = 256, /* of a path that is compared */
	SYSCALL_STOP = SIGTRAP | 0x80,
	CREATE = -2, /* no system call, but a way to open */
};

/* Number 0 is the program, the others are its supervisors in the order of their start. */
struct tracee {
	pid_t pid; /* 0: it has ended */
	bool fails; /* the call that it is in */
	long nr; /* of that, with its first argument */
	uint64_t argument;
};

struct tracer {
	long calls[CALLS_MAX];
	size_t n_calls;
	int error;
	long at;
	bool for_ever; /* from `at` on */
	size_t target; /* tracee whose calls are counted */
	const char *begin; /* end of a path; NULL: it has begun */
	long counted, failed;
	long first; /* number of the call that failed first */
	size_t n;
	struct tracee tracees[TRACEES_MAX];
	int status; /* of the program */
};

static _Noreturn void give_up(int status, const char *what)
{
	fprintf(stderr, "fail_at: %s: %s\n", what, strerror(errno));
	exit(status);
}

/* ---- which calls ---- */

#define CALL(call)                                                                                 \
	{                                                                                          \
#call, SYS_##call                                                                  \
	}

static const struct known_call {
	const char *name;
	long number;
} known_calls[] = {
	{ "create", CREATE },
	CALL(brk),
	CALL(clone),
	CALL(clone3),
	CALL(dup),
	CALL(dup3),
	CALL(epoll_create1),
	CALL(epoll_ctl),
	CALL(epoll_pwait),
	CALL(execve),
	CALL(faccessat),
	CALL(faccessat2),
	CALL(fallocate),
	CALL(fchmod),
	CALL(fcntl),
	CALL(fdatasync),
	CALL(flock),
	CALL(fstat),
	CALL(fstatfs),
	CALL(fsync),
	CALL(ftruncate),
	CALL(getcwd),
	CALL(getdents64),
	CALL(getrandom),
	CALL(inotify_add_watch),
	CALL(inotify_init1),
	CALL(kill),
	CALL(lseek),
	CALL(mkdirat),
	CALL(mmap),
	CALL(mremap),
	CALL(newfstatat),
	CALL(openat),
	CALL(pidfd_open),
	CALL(pidfd_send_signal),
	CALL(pipe2),
	CALL(ppoll),
	CALL(prctl),
	CALL(pread64),
	CALL(pwrite64),
	CALL(pwritev),
	CALL(read),
	CALL(readlinkat),
	CALL(renameat),
	CALL(renameat2),
	CALL(signalfd4),
	CALL(statfs),
	CALL(symlinkat),
	CALL(sync_file_range),
	CALL(unlinkat),
	CALL(wait4),
	CALL(waitid),
	CALL(write),
	CALL(writev),
#ifdef SYS_open /* the older calls, which newer machines do without */
	CALL(access),
	CALL(dup2),
	CALL(epoll_wait),
	CALL(fork),
	CALL(lstat),
	CALL(mkdir),
	CALL(open),
	CALL(poll),
	CALL(readlink),
	CALL(rename),
	CALL(rmdir),
	CALL(stat),
	CALL(symlink),
	CALL(unlink),
	CALL(vfork),
#endif
};

/* What this machine does not have is no call of this machine's. */
static void read_calls(struct tracer *tracer, char *list)
{
	for (char *word = strtok(list, ","); word != NULL; word = strtok(NULL, ","))
		for (size_t i = 0; i < sizeof(known_calls) / sizeof(*known_calls); i++)
			if (strcmp(known_calls[i].name, word) == 0 && tracer->n_calls < CALLS_MAX)
				tracer->calls[tracer->n_calls++] = known_calls[i].number;
}

static const char *call_name(long number)
{
	for (size_t i = 0; i < sizeof(known_calls) / sizeof(*known_calls); i++)
		if (known_calls[i].number == number)
			return known_calls[i].name;
	return "";
}

static bool may_create(const struct __ptrace_syscall_info *info)
{
	const uint64_t making = O_CREAT | O_TRUNC;

#ifdef SYS_open
	if (info->entry.nr == SYS_open)
		return info->entry.args[1] & making;
#endif
	return info->entry.nr == SYS_openat && (info->entry.args[2] & making);
}

/* The terminal is on no disk. */
static bool speaks(const struct __ptrace_syscall_info *info)
{
	return (info->entry.nr == SYS_write || info->entry.nr == SYS_writev) &&
	       (info->entry.args[0] == STDOUT_FILENO || info->entry.args[0] == STDERR_FILENO);
}

static bool is_counted(const struct tracer *tracer, const struct __ptrace_syscall_info *info)
{
	if (speaks(info))
		return false;
	for (size_t i = 0; i < tracer->n_calls; i++)
		if (tracer->calls[i] == CREATE ? may_create(info)
					       : tracer->calls[i] == (long)info->entry.nr)
			return true;
	return false;
}

/* Whether the call opens a file whose path ends so. */
static bool opens(pid_t pid, const struct __ptrace_syscall_info *info, const char *ending)
{
	char path[PATH_BYTES + sizeof(long)];
	size_t length = 0;

	if (info->entry.nr != SYS_openat)
		return false;
	for (; length < PATH_BYTES && memchr(path, '\0', length) == NULL; length += sizeof(long)) {
		errno = 0;
		const long word =
			ptrace(PTRACE_PEEKDATA, pid, (void *)(info->entry.args[1] + length), NULL);
		if (errno != 0)
			return false;
		memcpy(path + length, &word, sizeof(word));
	}
	path[length] = '\0';
	length = strlen(path);
	return length >= strlen(ending) && strcmp(path + length - strlen(ending), ending) == 0;
}

/* ---- failing ---- */

#ifdef __x86_64__
/* The kernel finds no such call, does nothing, and its answer is replaced when it comes. brk fails by answering
 * with the end as it is, and so it does for 0. */
static void avert(struct tracee *tracee)
{
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, tracee->pid, NULL, &registers) != 0)
		return;
	tracee->argument = registers.rdi;
	if (tracee->nr == SYS_brk)
		registers.rdi = 0;
	else
		registers.orig_rax = (unsigned long long)-1;
	ptrace(PTRACE_SETREGS, tracee->pid, NULL, &registers);
}

static void answer(const struct tracee *tracee, int error)
{
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, tracee->pid, NULL, &registers) != 0)
		return;
	registers.rdi = tracee->argument; /* the program may count on it */
	if (tracee->nr != SYS_brk)
		registers.rax = (unsigned long long)-error;
	ptrace(PTRACE_SETREGS, tracee->pid, NULL, &registers);
}
#else
static void avert(struct tracee *tracee)
{
	errno = ENOSYS;
	give_up(STATUS_FORBIDDEN, "not on this kind of processor");
}

static void answer(const struct tracee *tracee, int error)
{
}
#endif

/* Whether the call's first argument is a pipe: one of these may be full or closed, but knows none of these
 * errors. */
static bool uses_pipe(pid_t pid, const struct __ptrace_syscall_info *info)
{
	char name[64], target[16];

	if (info->entry.nr != SYS_read && info->entry.nr != SYS_write)
		return false;
	snprintf(name, sizeof(name), "/proc/%d/fd/%d", (int)pid, (int)info->entry.args[0]);
	return readlink(name, target, sizeof(target)) >= 5 && memcmp(target, "pipe:", 5) == 0;
}

static void enter(
	struct tracer *tracer, struct tracee *tracee, const struct __ptrace_syscall_info *info)
{
	if (tracee != &tracer->tracees[tracer->target])
		return;
	if (tracer->begin != NULL && opens(tracee->pid, info, tracer->begin))
		tracer->begin = NULL;
	if (tracer->begin != NULL || !is_counted(tracer, info) || uses_pipe(tracee->pid, info))
		return;
	tracer->counted++;
	tracee->fails =
		tracer->at > 0 && (tracer->counted == tracer->at ||
					  (tracer->for_ever && tracer->counted > tracer->at));
	if (!tracee->fails)
		return;
	tracee->nr = (long)info->entry.nr;
	if (tracer->failed++ == 0)
		tracer->first = tracee->nr;
	avert(tracee);
}

static void take_syscall(struct tracer *tracer, struct tracee *tracee)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, tracee->pid, sizeof(info), &info) < 0) {
		if (errno == ESRCH) /* somebody else has killed it */
			return;
		give_up(STATUS_FORBIDDEN, "PTRACE_GET_SYSCALL_INFO");
	}
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		enter(tracer, tracee, &info);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && tracee->fails) {
		answer(tracee, tracer->error);
		tracee->fails = false;
	}
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
	const bool counted = tracee == &tracer->tracees[tracer->target];
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

/* The program waits until it is traced. Supervisors that nobody asks for are not followed, and outlive us. */
static void start(struct tracer *tracer, char **arguments)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC |
			     (tracer->target == 0 ? 0 : PTRACE_O_TRACEVFORK);
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

int main(int argc, char **argv)
{
	static struct tracer tracer;
	const bool supervisor = argc > 5 && strcmp(argv[5], "supervisor") == 0;
	const int first = supervisor ? 7 : 6;

	if (argc <= first) {
		fprintf(stderr, "usage: fail_at REPORT CALLS ERRNO N[+] program|supervisor K "
				"PROGRAM ARGUMENT...\n");
		return STATUS_FAILED;
	}
	read_calls(&tracer, argv[2]);
	tracer.error = atoi(argv[3]);
	tracer.at = atol(argv[4]);
	tracer.for_ever = strchr(argv[4], '+') != NULL;
	tracer.target = supervisor ? strtoul(argv[6], NULL, 10) : 0;
	tracer.begin = supervisor ? NULL : argv[argc - 1];

	FILE *const report = fopen(argv[1], "we");
	if (report == NULL)
		give_up(STATUS_FAILED, argv[1]);
	start(&tracer, argv + first);
	follow(&tracer);
	fprintf(report,
		"{\"version\": 1, \"calls\": %ld, \"failed\": %ld, \"call\": \"%s\", \"status\": "
		"%d}\n",
		tracer.counted, tracer.failed, tracer.failed > 0 ? call_name(tracer.first) : "",
		WIFEXITED(tracer.status) ? WEXITSTATUS(tracer.status) : -WTERMSIG(tracer.status));
	return fclose(report) == 0 ? 0 : STATUS_FAILED;
}
