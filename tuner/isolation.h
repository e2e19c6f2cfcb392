/* Whether this machine can keep from a command what the job file keeps from it. */
#ifndef TUNER_ISOLATION_H
#define TUNER_ISOLATION_H

#include "base/text.h"
#include "tuner/jobfile.h"

/* Tries what a supervisor does for "network": "none". TUNER_USAGE, and what can be done, where the kernel refuses
 * it. */
TUNER_MUST_CHECK
bool isolation_is_possible(const char *supervisor, struct tuner_error *err);

/* The same for a job file that asks for it, with the supervisor of this program. */
TUNER_MUST_CHECK
bool isolation_here(const struct job_file *file, struct tuner_error *err);

/* By what a memory limit is kept here, for people: "by a cgroup", or by looking, and why. */
TUNER_MUST_CHECK
bool isolation_memory(struct text *ret, struct tuner_error *err);

#endif
