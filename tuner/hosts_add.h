/* tuner hosts add FILE [JOB]: more hosts for a job that runs. */
#ifndef TUNER_HOSTS_ADD_H
#define TUNER_HOSTS_ADD_H

#include "tuner/command.h"

/* Asks the run of the job for the hosts of the edited FILE (the second argument) that it has not, and prints what
 * came of it, with what else is different in FILE. The job is that of FILE's name, or the third argument's. */
TUNER_MUST_CHECK
bool hosts_add(const struct invocation *call, struct tuner_error *err);

#endif
