/* Inspecting and signalling processes (see also base/process.h). */
#ifndef SCHEDULER_PROCESS_H
#define SCHEDULER_PROCESS_H

#include "base/process.h"

#include <stddef.h>

/* True if the process's environment holds NAME=VALUE; if not, *ret_other: whether NAME has another
 * value. False also where we may not read it. */
bool process_has_variable(int64_t pid, const char *name, const char *value, bool *ret_other);

/* NAME's value in the environment with which the process started (its first 16 KiB); "" if it has
 * none, if the value does not fit into `size`, or where we may not read it. */
void process_variable(int64_t pid, const char *name, char *ret, size_t size);

/* A descriptor that becomes readable when the process ends; -1 if it is gone, if `start` (0:
 * unknown) shows that the pid has been reused, or if no descriptor can be had: before Linux 5.3, in
 * a container that forbids it, with too many open files. The caller then has to poll. */
int process_open(int64_t pid, int64_t start);

/* Signals the process with this pid and start time: through such a descriptor, or by pid where
 * there is none (-1) or a container forbids it. By pid, the pid may in theory be reused between the
 * check of its start time and the signal. False with errno; ESRCH: it has ended. */
bool process_signal(int pidfd, int64_t pid, int64_t start, int signal);

#endif
