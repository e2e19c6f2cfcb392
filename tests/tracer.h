/* Follows a program, and if wanted the supervisors that it starts, by ptrace, from system call to system call
 * (kill_at.c, fail_at.c). ptrace needs no privilege, but some machines forbid it.
 *
 *     struct tracer tracer = { what is wanted };
 *     tracer_start(&tracer, arguments);
 *     tracer_follow(&tracer); until all have ended
 *
 * A supervisor is what was started with posix_spawn, thus by a vfork: the fork of the command is not followed.
 * Where anything fails the process ends with a message, and with STATUS_FORBIDDEN where ptrace is forbidden. */
#ifndef TESTS_TRACER_H
#define TESTS_TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/types.h>

enum {
	STATUS_FAILED = 1,
	STATUS_FORBIDDEN = 77,
	TRACEES_MAX = 256,
};

/* `who` is a tracee's number: 0 is the program, the others are its supervisors in the order of their start. */
struct tracer {
	bool supervisors; /* are followed; else they outlive us */
	/* Whether the tracee is to be stopped at its next call; asked whenever it goes on. */
	bool (*wants)(const struct tracer *tracer, size_t who);
	void (*enters)(struct tracer *tracer, size_t who, const struct __ptrace_syscall_info *info);
	void (*leaves)(struct tracer *tracer, size_t who); /* NULL: nobody cares */
	void *context; /* theirs */

	size_t n;
	pid_t pids[TRACEES_MAX]; /* 0: it has ended */
	int status; /* the program's exit status, or minus the signal that ended it */
};

void tracer_start(struct tracer *tracer, char **arguments);
void tracer_follow(struct tracer *tracer);

/* Ends the process: `what` failed, as errno says. */
_Noreturn void tracer_give_up(int status, const char *what);

/* A word of the tracee's memory; false if there is none. */
bool tracer_peek(pid_t pid, uint64_t address, uint64_t *ret);

/* What tuner and its supervisor call. */
struct known_call {
	long number;
	const char *name;
	bool changes; /* what outlives the caller: files, locks, processes. An open: see call_may_create */
};

/* NULL: it is not known, or this machine does not have it. */
const struct known_call *known_call_numbered(uint64_t number);
const struct known_call *known_call_named(const char *name);

/* Whether it is an open that may make or empty a file. */
bool call_may_create(const struct __ptrace_syscall_info *info);

#endif
