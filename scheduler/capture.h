/* A short-lived program whose output is wanted, without waiting for it.
 *
 *     capture_start -> [poll for its descriptors] -> capture_next until it is over -> capture_finish
 *
 * The program's standard input is empty, and it is killed at its time limit. If it still runs at
 * capture_finish, it is left alone if that was asked for, and killed otherwise. */
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
	struct text out, err; /* stdout and stderr, bounded; of stderr, the end */
};

/* Starts the program: arguments[0] is looked up in PATH; environment NULL: ours. TUNER_USAGE if it
 * cannot be run. */
TUNER_MUST_CHECK
bool capture_start(struct capture *capture, char *const *arguments, char *const *environment,
	int64_t limit_us, struct tuner_error *err);

size_t capture_descriptors(
	const struct capture *capture, struct pollfd ret_fds[CAPTURE_DESCRIPTORS]);
int capture_wait_ms(const struct capture *capture);

/* Reads what there is. True once the program has ended and all its output has been read. */
bool capture_next(struct capture *capture);

/* Whether it exited with status 0, within its limits of time and bytes. */
bool capture_succeeded(const struct capture *capture);

/* The last line of its standard error that is not empty, or how it ended. */
void capture_complaint(const struct capture *capture, char ret_line[200]);

void capture_finish(struct capture *capture, bool leave_running);

#endif
