/* tuner hosts add FILE [JOB]: adds hosts to a running job. */
#ifndef TUNER_HOSTS_ADD_H
#define TUNER_HOSTS_ADD_H

#include "tuner/command.h"

/* Asks the job's run to add those hosts of the edited FILE (the second argument) that it lacks, and
 * prints the answer and what else differs in FILE. The job is named by FILE, or by the third
 * argument. */
TUNER_MUST_CHECK
bool hosts_add(const struct invocation *call, struct tuner_error *err);

#endif
