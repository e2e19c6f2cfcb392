#include "tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SYSCALL_STOP = SIGTRAP | 0x80 };

_Noreturn void tracer_give_up(int status, const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(status);
}

bool tracer_peek(pid_t pid, uint64_t address, uint64_t *ret)
{
	errno = 0;
	*ret = (uint64_t)ptrace(PTRACE_PEEKDATA, pid, (void *)address, NULL);
	return errno == 0;
}

/* ---- the calls ---- */

#define READS(call)                                                                                \
	{                                                                                          \
		SYS_##call, #call, false                                                           \
	}
#define CHANGES(call)                                                                              \
	{                                                                                          \
		SYS_##call, #call, true                                                            \
	}

static const struct known_call known_calls[] = {
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
	CHANGES(pwritev),
	CHANGES(renameat2),
	CHANGES(setpgid),
	CHANGES(setsid),
	CHANGES(symlinkat),
	CHANGES(tgkill),
	CHANGES(unlinkat),
	CHANGES(write),
	CHANGES(writev),

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
	READS(fstatfs),
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
	READS(openat),
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

	READS(access),
	READS(arch_prctl),
	READS(dup2),
	READS(epoll_wait),
	READS(getpgrp),
	READS(lstat),
	READS(open),
	READS(pipe),
	READS(poll),
	READS(readlink),
	READS(stat),
	READS(time),
#endif
};

const struct known_call *known_call_numbered(uint64_t number)
{
	for (size_t i = 0; i < sizeof(known_calls) / sizeof(*known_calls); i++)
		if (known_calls[i].number == (long)number)
			return &known_calls[i];
	return NULL;
}

const struct known_call *known_call_named(const char *name)
{
	for (size_t i = 0; i < sizeof(known_calls) / sizeof(*known_calls); i++)
		if (strcmp(known_calls[i].name, name) == 0)
			return &known_calls[i];
	return NULL;
}

bool call_may_create(const struct __ptrace_syscall_info *info)
{
	const uint64_t making = O_CREAT | O_TRUNC;

#ifdef SYS_open
	if (info->entry.nr == SYS_open)
		return info->entry.args[1] & making;
#endif
	return info->entry.nr == SYS_openat && (info->entry.args[2] & making);
}

/* ---- following ---- */

static void take_syscall(struct tracer *tracer, size_t who)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, tracer->pids[who], sizeof(info), &info) < 0) {
		if (errno == ESRCH) /* somebody else has killed it */
			return;
		tracer_give_up(STATUS_FORBIDDEN, "PTRACE_GET_SYSCALL_INFO");
	}
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		tracer->enters(tracer, who, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT && tracer->leaves != NULL)
		tracer->leaves(tracer, who);
}

static size_t find(struct tracer *tracer, pid_t pid)
{
	for (size_t i = 0; i < tracer->n; i++)
		if (tracer->pids[i] == pid)
			return i;
	if (tracer->n == TRACEES_MAX) {
		errno = E2BIG;
		tracer_give_up(STATUS_FAILED, "it starts too many processes");
	}
	tracer->pids[tracer->n] = pid;
	return tracer->n++;
}

static bool is_stop_signal(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

static void go_on(const struct tracer *tracer, size_t who, int stop, int event)
{
	const bool stays = event == PTRACE_EVENT_STOP && is_stop_signal(stop);
	const int signal = event == 0 && stop != SYSCALL_STOP ? stop : 0;

	ptrace(stays                         ? PTRACE_LISTEN
		: tracer->wants(tracer, who) ? PTRACE_SYSCALL
					     : PTRACE_CONT,
		tracer->pids[who], NULL, (void *)(intptr_t)signal);
}

void tracer_follow(struct tracer *tracer)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		const size_t who = find(tracer, pid);

		if (!WIFSTOPPED(status)) {
			tracer->pids[who] = 0;
			if (who == 0)
				tracer->status =
					WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
			continue;
		}
		if (WSTOPSIG(status) == SYSCALL_STOP)
			take_syscall(tracer, who);
		go_on(tracer, who, WSTOPSIG(status), status >> 16);
	}
}

/* The program waits until it is traced. */
void tracer_start(struct tracer *tracer, char **arguments)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC |
			     (tracer->supervisors ? PTRACE_O_TRACEVFORK : 0);
	int ready[2];
	char byte;

	if (pipe2(ready, O_CLOEXEC) != 0)
		tracer_give_up(STATUS_FAILED, "pipe");
	const pid_t pid = fork();

	if (pid < 0)
		tracer_give_up(STATUS_FAILED, "fork");
	if (pid == 0) {
		close(ready[1]);
		if (read(ready[0], &byte, 1) != 1)
			_exit(STATUS_FAILED);
		execvp(arguments[0], arguments);
		tracer_give_up(STATUS_FAILED, arguments[0]);
	}
	close(ready[0]);
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)options) != 0 ||
		ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) != 0)
		tracer_give_up(STATUS_FORBIDDEN, "ptrace");
	if (write(ready[1], "", 1) != 1)
		tracer_give_up(STATUS_FAILED, "write");
	close(ready[1]);
	tracer->pids[tracer->n++] = pid;
}
