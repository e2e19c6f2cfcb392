/* What is done with processes (base/process.h). */
#ifndef SCHEDULER_PROCESS_H
#define SCHEDULER_PROCESS_H

#include "base/process.h"

#include <stddef.h>

/* True if its environment holds NAME=VALUE; if not, *ret_other: NAME with another value. False also
 * where we may not look. */
bool process_has_variable(int64_t pid, const char *name, const char *value, bool *ret_other);

/* NAME's value in its environment as it was at its start (the first 16 KiB of it); "" if it has none, if it does
 * not fit into `size`, or where we may not look. */
void process_variable(int64_t pid, const char *name, char *ret, size_t size);

/* A descriptor that becomes readable when the process ends; -1 if it is gone, if `start` (0: not
 * known) shows that the pid is another's by now, or if none can be had: before Linux 5.3, in a container that forbids
 * it, with too many open files. Then who waits has to look again. */
int process_open(int64_t pid, int64_t start);

/* Signals the process that began then: through such a descriptor, or by its number where there is none (-1) or a container
 * forbids that. Then, in the instant between the look at its start and the signal, the number may, in theory, become
 * another's. False with errno; ESRCH: it has ended. */
bool process_signal(int pidfd, int64_t pid, int64_t start, int signal);

#endif
