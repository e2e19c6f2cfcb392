/* An external program (ssh, rsync) that we start and watch: its standard streams, its complaints,
 * its end. It leads a session of its own, so that Ctrl-C at our terminal does not reach it and it
 * cannot ask there for a password. */
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
	char complaint[COMPLAINT_BYTES]; /* the last line of standard error that gives a reason */
	char line[COMPLAINT_BYTES]; /* the line so far */
	size_t n_line;
	int status; /* of waitpid, once pid is 0 */
};

/* Starts the program, looked up in PATH. With `streams` false, its input is empty and its output is
 * discarded. TUNER_USAGE if it does not exist. */
TUNER_MUST_CHECK
bool child_process_start(
	struct child_process *ret, char *const *arguments, bool streams, struct tuner_error *err);

/* Reads its standard error, and reaps it. True once it has ended; its streams may still hold
 * bytes. */
bool child_process_ended(struct child_process *child);

/* Sends SIGKILL to its process group if it is alive, and waits a moment at most. Closes all
 * descriptors. */
void child_process_end(struct child_process *child);

/* Its last complaint, or how it ended. */
void child_process_explain(
	const struct child_process *child, const char *name, char *ret, size_t size);

#endif
