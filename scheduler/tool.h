/* Runs a small program for its output: git, nvidia-smi, a Python interpreter.
 *
 * No shell; standard input is empty and standard error kept separate. Time and bytes are bounded: a
 * program that does not finish, or prints too much, is killed. Callable from any thread. */
#ifndef SCHEDULER_TOOL_H
#define SCHEDULER_TOOL_H

#include "base/text.h"

#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>

/* For another thread that may have to end a tool. All zero at first. */
struct tool_running {
	atomic_int group; /* of processes; 0: none runs; -1: cancelled */
};

struct tool {
	const char *const
		*arguments; /* NULL-terminated; [0] is looked up in PATH if it has no slash */
	const char *const *environment; /* NAME=VALUE, NULL-terminated; NULL: ours */
	const char *directory; /* where it runs; NULL: our working directory */
	struct tool_running *running; /* NULL: nobody can cancel it */
	int64_t timeout_us;
	size_t bytes_max; /* limit of its output; beyond it the rest is cut off and the program
			     killed */
};

enum tool_end {
	TOOL_DONE, /* it exited by itself */
	TOOL_MISSING, /* it could not be started: it does not exist or is not executable */
	TOOL_LATE, /* killed at its timeout, or cancelled */
	TOOL_CUT, /* killed because it printed more than bytes_max; `output` has the first part */
};

struct tool_result {
	enum tool_end end;
	int status; /* of TOOL_DONE: exit status, 128 + signal if it was killed */
	char complaint[256]; /* the first line of its standard error; "" if there is none */
};

/* Runs the program and appends its output to *output. False only if memory or descriptors run
 * out. */
TUNER_MUST_CHECK
bool tool_run(const struct tool *tool, struct text *output, struct tool_result *ret,
	struct tuner_error *err);

/* Kills what runs now, and has nothing started with the same `running` later. Waits for one that is
 * just being started, so that the caller may exit. From any thread. */
void tool_cancel(struct tool_running *running);

/* Only starts a program, with no signal blocked or ignored and in a process group of its own, so
 * that its children are ended with it and no terminal signal ends it. Arguments and environment as
 * above. Returns 0 or an errno. */
int tool_spawn(const char *const *arguments, const char *const *environment,
	const posix_spawn_file_actions_t *actions, pid_t *ret_pid);

/* "exit status 128: fatal: not a git repository", for messages. Into ret. */
const char *tool_result_text(const struct tool_result *result, char ret[320]);

#endif
