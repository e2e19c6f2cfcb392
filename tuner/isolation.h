/* Whether this machine can enforce the job file's restrictions on commands. */
#ifndef TUNER_ISOLATION_H
#define TUNER_ISOLATION_H

#include "base/text.h"
#include "tuner/jobfile.h"

/* Tries what a supervisor does for "network": "none". TUNER_USAGE, whose message says what to do,
 * if the kernel refuses. */
TUNER_MUST_CHECK
bool isolation_is_possible(const char *supervisor, struct tuner_error *err);

/* The same for a job file that asks for it, with the supervisor of this program. */
TUNER_MUST_CHECK
bool isolation_here(const struct job_file *file, struct tuner_error *err);

/* Appends, for people, how a memory limit is enforced here: "by a cgroup", or by polling, and
 * why. */
TUNER_MUST_CHECK
bool isolation_memory(struct text *ret, struct tuner_error *err);

#endif
