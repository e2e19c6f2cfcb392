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
#include "tracer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <unistd.h>

enum {
	CALLS_MAX = 32,
	PATH_BYTES = 256, /* of a path that is compared */
	CREATE = -2, /* no system call, but a way to open */
};

struct failer {
	long calls[CALLS_MAX];
	size_t n_calls;
	int error;
	long at;
	bool for_ever; /* from `at` on */
	size_t target; /* tracee whose calls are counted */
	const char *begin; /* end of a path; NULL: it has begun */
	long counted, failed;
	long first; /* number of the call that failed first */

	bool fails; /* the call that the target is in */
	long nr; /* of that, with its first argument */
	uint64_t argument;
};

/* ---- which calls ---- */

/* What this machine does not have is no call of this machine's. */
static void read_calls(struct failer *failer, char *list)
{
	for (char *word = strtok(list, ","); word != NULL; word = strtok(NULL, ",")) {
		const struct known_call *const call = known_call_named(word);
		const bool create = strcmp(word, "create") == 0;

		if ((create || call != NULL) && failer->n_calls < CALLS_MAX)
			failer->calls[failer->n_calls++] = create ? CREATE : call->number;
	}
}

/* The terminal is on no disk. */
static bool speaks(const struct __ptrace_syscall_info *info)
{
	return (info->entry.nr == SYS_write || info->entry.nr == SYS_writev) &&
	       (info->entry.args[0] == STDOUT_FILENO || info->entry.args[0] == STDERR_FILENO);
}

static bool is_counted(const struct failer *failer, const struct __ptrace_syscall_info *info)
{
	if (speaks(info))
		return false;
	for (size_t i = 0; i < failer->n_calls; i++)
		if (failer->calls[i] == CREATE ? call_may_create(info)
					       : failer->calls[i] == (long)info->entry.nr)
			return true;
	return false;
}

/* Whether the call opens a file whose path ends so. */
static bool opens(pid_t pid, const struct __ptrace_syscall_info *info, const char *ending)
{
	char path[PATH_BYTES + sizeof(uint64_t)];
	size_t length = 0;

	if (info->entry.nr != SYS_openat)
		return false;
	for (; length < PATH_BYTES && memchr(path, '\0', length) == NULL;
		length += sizeof(uint64_t)) {
		uint64_t word;

		if (!tracer_peek(pid, info->entry.args[1] + length, &word))
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
static void avert(struct failer *failer, pid_t pid)
{
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &registers) != 0)
		return;
	failer->argument = registers.rdi;
	if (failer->nr == SYS_brk)
		registers.rdi = 0;
	else
		registers.orig_rax = (unsigned long long)-1;
	ptrace(PTRACE_SETREGS, pid, NULL, &registers);
}

static void answer(const struct failer *failer, pid_t pid)
{
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &registers) != 0)
		return;
	registers.rdi = failer->argument; /* the program may count on it */
	if (failer->nr != SYS_brk)
		registers.rax = (unsigned long long)-failer->error;
	ptrace(PTRACE_SETREGS, pid, NULL, &registers);
}
#else
static void avert(struct failer *failer, pid_t pid)
{
	errno = ENOSYS;
	tracer_give_up(STATUS_FORBIDDEN, "not on this kind of processor");
}

static void answer(const struct failer *failer, pid_t pid)
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

static bool wants(const struct tracer *tracer, size_t who)
{
	const struct failer *const failer = tracer->context;

	return who == failer->target;
}

static void enters(struct tracer *tracer, size_t who, const struct __ptrace_syscall_info *info)
{
	struct failer *const failer = tracer->context;
	const pid_t pid = tracer->pids[who];

	if (who != failer->target)
		return;
	if (failer->begin != NULL && opens(pid, info, failer->begin))
		failer->begin = NULL;
	if (failer->begin != NULL || !is_counted(failer, info) || uses_pipe(pid, info))
		return;
	failer->counted++;
	failer->fails =
		failer->at > 0 && (failer->counted == failer->at ||
					  (failer->for_ever && failer->counted > failer->at));
	if (!failer->fails)
		return;
	failer->nr = (long)info->entry.nr;
	if (failer->failed++ == 0)
		failer->first = failer->nr;
	avert(failer, pid);
}

static void leaves(struct tracer *tracer, size_t who)
{
	struct failer *const failer = tracer->context;

	if (who != failer->target || !failer->fails)
		return;
	answer(failer, tracer->pids[who]);
	failer->fails = false;
}

static void report(const struct failer *failer, int status, FILE *out)
{
	const struct known_call *const first =
		failer->failed > 0 ? known_call_numbered((uint64_t)failer->first) : NULL;

	fprintf(out,
		"{\"version\": 1, \"calls\": %ld, \"failed\": %ld, \"call\": \"%s\", \"status\": "
		"%d}\n",
		failer->counted, failer->failed, first != NULL ? first->name : "", status);
}

int main(int argc, char **argv)
{
	static struct failer failer;
	static struct tracer tracer = {
		.wants = wants, .enters = enters, .leaves = leaves, .context = &failer
	};
	const bool supervisor = argc > 5 && strcmp(argv[5], "supervisor") == 0;
	const int first = supervisor ? 7 : 6;

	if (argc <= first) {
		fprintf(stderr, "usage: fail_at REPORT CALLS ERRNO N[+] program|supervisor K "
				"PROGRAM ARGUMENT...\n");
		return STATUS_FAILED;
	}
	read_calls(&failer, argv[2]);
	failer.error = atoi(argv[3]);
	failer.at = atol(argv[4]);
	failer.for_ever = strchr(argv[4], '+') != NULL;
	failer.target = supervisor ? strtoul(argv[6], NULL, 10) : 0;
	failer.begin = supervisor ? NULL : argv[argc - 1];

	FILE *const out = fopen(argv[1], "we");
	if (out == NULL)
		tracer_give_up(STATUS_FAILED, argv[1]);
	/* Supervisors that nobody asks for are not followed. */
	tracer.supervisors = failer.target != 0;
	tracer_start(&tracer, argv + first);
	tracer_follow(&tracer);
	report(&failer, tracer.status, out);
	return fclose(out) == 0 ? 0 : STATUS_FAILED;
}
