/* A small program asked for its output: git, nvidia-smi, a Python interpreter.
 *
 * By argument vector, with standard input empty and standard error kept apart. Time and bytes are bounded:
 * what does not answer, or says too much, is killed. Callable from any thread. */
#ifndef SCHEDULER_TOOL_H
#define SCHEDULER_TOOL_H

#include "base/text.h"

#include <spawn.h>
#include <stdint.h>

struct tool {
	const char *const
		*arguments; /* NULL-terminated; [0] is looked up in PATH if it has no slash */
	const char *const *environment; /* NAME=VALUE, NULL-terminated; NULL: ours */
	const char *directory; /* where it runs; NULL: where we are */
	int64_t timeout_us;
	size_t bytes_max; /* of its output; more is cut off, and it is killed */
};

enum tool_end {
	TOOL_DONE, /* it has exited by itself */
	TOOL_MISSING, /* it could not be started: not there, or not executable */
	TOOL_LATE, /* killed at its timeout */
	TOOL_CUT, /* killed because it said more than bytes_max, of which `output` has the first */
};

struct tool_result {
	enum tool_end end;
	int status; /* of TOOL_DONE: exit status, 128 + signal if it was killed */
	char complaint[256]; /* the first line of its standard error; "" if there is none */
};

/* Runs it and appends its output to *output. False only without memory or descriptors. */
TUNER_MUST_CHECK
bool tool_run(const struct tool *tool, struct text *output, struct tool_result *ret,
	struct tuner_error *err);

/* Only starts it, in a process group of its own, so that what it starts is ended with it and no signal of a terminal
 * ends it, and with no signal blocked or ignored. Arguments and environment as above. Returns 0, or the error's number. */
int tool_spawn(const char *const *arguments, const char *const *environment,
	const posix_spawn_file_actions_t *actions, pid_t *ret_pid);

/* "exit status 128: fatal: not a git repository", for messages. Into ret. */
const char *tool_result_text(const struct tool_result *result, char ret[320]);

#endif
