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
#include "tracer.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	STACK_WORDS = 2048, /* looked through for callers */
	CALLERS_MAX = 5,
};

enum victim { NOBODY, PROGRAM, SUPERVISOR, BOTH };

struct killer {
	FILE *report;
	bool changes; /* only calls that change anything are counted */
	enum victim victim;
	size_t target; /* tracee whose calls are counted down */
	long at;
	bool killed;
	long calls[TRACEES_MAX];
};

/* ---- where it was killed ---- */

/* One that changes nothing that outlives the caller leaves the same state behind as the call before. An unknown
 * one may. */
static bool changes_anything(const struct __ptrace_syscall_info *info)
{
	const struct known_call *const call = known_call_numbered(info->entry.nr);

	return call == NULL || call->changes || call_may_create(info);
}

static void report_name(FILE *report, uint64_t number)
{
	const struct known_call *const call = known_call_numbered(number);

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

/* An address behind a call instruction: direct, through a register, or through memory. */
static bool is_return_address(pid_t pid, const struct image *image, uint64_t address)
{
	uint64_t word;
	unsigned char before[sizeof(word)];

	if (address < image->text + sizeof(word) || address >= image->text_end ||
		!tracer_peek(pid, address - sizeof(word), &word))
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

		if (!tracer_peek(pid, stack + 8 * i, &word))
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

static void kill_victims(struct killer *killer, const struct tracer *tracer,
	const struct __ptrace_syscall_info *info)
{
	const pid_t victim = tracer->pids[killer->target];

	killer->killed = true;
	fprintf(killer->report, ", \"killed\": true");
	report_name(killer->report, info->entry.nr);
	report_callers(killer->report, victim, info->stack_pointer);
	kill(victim, SIGKILL);
	for (size_t i = 1; i < tracer->n && killer->victim == BOTH; i++)
		if (tracer->pids[i] > 0)
			kill(tracer->pids[i], SIGKILL);
}

static bool wants(const struct tracer *tracer, size_t who)
{
	const struct killer *const killer = tracer->context;

	return killer->victim == NOBODY || (!killer->killed && who == killer->target);
}

static void enters(struct tracer *tracer, size_t who, const struct __ptrace_syscall_info *info)
{
	struct killer *const killer = tracer->context;

	if (killer->changes && !changes_anything(info))
		return;
	killer->calls[who]++;
	if (killer->victim != NOBODY && !killer->killed && who == killer->target &&
		killer->calls[who] == killer->at)
		kill_victims(killer, tracer, info);
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
	static struct killer killer;
	static struct tracer tracer = { .wants = wants, .enters = enters, .context = &killer };
	int next = 4;

	if (argc < 5 || !read_victim(argv[3], &killer.victim))
		return usage();
	killer.changes = strcmp(argv[2], "changes") == 0;
	if (killer.victim == SUPERVISOR && next < argc)
		killer.target = strtoul(argv[next++], NULL, 10);
	if (killer.victim != NOBODY && next < argc)
		killer.at = strtol(argv[next++], NULL, 10);
	if (next >= argc)
		return usage();
	killer.report = fopen(argv[1], "we");
	if (killer.report == NULL)
		tracer_give_up(STATUS_FAILED, argv[1]);
	/* Only who looks for its supervisors has them followed. */
	tracer.supervisors = killer.victim != PROGRAM;
	tracer_start(&tracer, argv + next);
	fputs("{\"version\": 1", killer.report);
	tracer_follow(&tracer);
	fprintf(killer.report, ", \"status\": %d, \"calls\": [", tracer.status);
	for (size_t i = 0; i < tracer.n; i++)
		fprintf(killer.report, "%s%ld", i > 0 ? ", " : "", killer.calls[i]);
	fputs("]}\n", killer.report);
	return fclose(killer.report) == 0 ? 0 : STATUS_FAILED;
}
