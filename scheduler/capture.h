/* A short-lived program whose output is wanted, without waiting for it.
 *
 *     capture_start -> [poll for its descriptors] -> capture_next until it is over -> capture_finish
 *
 * Its standard input is empty; it is killed when its time is over. One that is still running when it is
 * finished is left alone if that was asked for, and killed otherwise. */
#ifndef SCHEDULER_CAPTURE_H
#define SCHEDULER_CAPTURE_H

#include "base/text.h"

#include <poll.h>
#include <stdint.h>
#include <sys/types.h>

enum { CAPTURE_BYTES_MAX = 64 << 20, CAPTURE_ERRORS_MAX = 64 << 10, CAPTURE_DESCRIPTORS = 3 };

struct capture {
	pid_t pid; /* 0: none runs */
	int pidfd, output, errors; /* -1: closed */
	int64_t until_us; /* monotonic */
	bool timed_out, overflowed; /* why it was killed */
	int status; /* as waitpid gives it */
	struct text out, err; /* what it printed, in bounds: of its complaints the last */
};

/* [0] is looked up in PATH; environment NULL: ours. TUNER_USAGE if it cannot be run. */
TUNER_MUST_CHECK
bool capture_start(struct capture *capture, char *const *arguments, char *const *environment,
	int64_t limit_us, struct tuner_error *err);

size_t capture_descriptors(
	const struct capture *capture, struct pollfd ret_fds[CAPTURE_DESCRIPTORS]);
int capture_wait_ms(const struct capture *capture);

/* True once it has ended and all that it printed is here. */
bool capture_next(struct capture *capture);

/* It exited with status 0, in time and in bounds. */
bool capture_succeeded(const struct capture *capture);

/* The last line of what it printed to its standard error that is not empty, or how it ended. */
void capture_complaint(const struct capture *capture, char ret_line[200]);

void capture_finish(struct capture *capture, bool leave_running);

#endif
