/* The Pareto front of a job, as `tuner best` prints it. */
#ifndef TUNER_FRONT_REPORT_H
#define TUNER_FRONT_REPORT_H

#include "tuner/front.h"

/* Prints the front to standard output, in words or (with --json) as an object. has_command: the
 * job's trials are launched, so that a command line repeats one. */
TUNER_MUST_CHECK
bool front_print(const struct invocation *call, const struct report *report,
	const struct front *front, bool has_command, struct tuner_error *err);

#endif
