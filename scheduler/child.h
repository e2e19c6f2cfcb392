/* A program of others (ssh, rsync) that we start and watch: its standard streams, its complaints, its end.
 * It leads a session of its own, so that Ctrl-C at our terminal is not for it, and it cannot ask there for
 * a password. */
#ifndef SCHEDULER_CHILD_H
#define SCHEDULER_CHILD_H

#include "base/error.h"

#include <stddef.h>
#include <sys/types.h>

enum { COMPLAINT_BYTES = 512 };

struct child_process {
	pid_t pid; /* 0: none */
	int in, out; /* non-blocking ends of its standard input and output; -1: closed, or none wanted */
	int errors; /* of its standard error; -1: it is closed */
	char complaint[COMPLAINT_BYTES]; /* the last line there that has a reason */
	char line[COMPLAINT_BYTES]; /* the line so far */
	size_t n_line;
	int status; /* of waitpid, once pid is 0 */
};

/* Looked up in PATH. With `streams` false its input is empty and its output goes nowhere. TUNER_USAGE if it
 * is not there. */
TUNER_MUST_CHECK
bool child_process_start(
	struct child_process *ret, char *const *arguments, bool streams, struct tuner_error *err);

/* Reads its complaints, and reaps it. True once it has ended; its streams may still have something. */
bool child_process_ended(struct child_process *child);

/* SIGKILL to its session's group, if it lives, and waits for that: at most a moment. Closes all. */
void child_process_end(struct child_process *child);

/* Its last complaint, or how it ended. */
void child_process_explain(
	const struct child_process *child, const char *name, char *ret, size_t size);

#endif
