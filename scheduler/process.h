/* What is done with processes (base/process.h). */
#ifndef SCHEDULER_PROCESS_H
#define SCHEDULER_PROCESS_H

#include "base/process.h"

/* True if its environment holds NAME=VALUE; if not, *ret_other: NAME with another value. False also
 * where we may not look. */
bool process_has_variable(int64_t pid, const char *name, const char *value, bool *ret_other);

/* A descriptor that becomes readable when the process ends; -1 if it is gone, or if `start` (0: not
 * known) shows that the pid is another's by now. */
int process_open(int64_t pid, int64_t start);

/* Signals through such a descriptor. False with errno; ESRCH: it has ended. */
bool process_signal(int pidfd, int signal);

#endif
