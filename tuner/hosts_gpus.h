/* The GPUs of a job's hosts, as the database has them: `tuner hosts`. */
#ifndef TUNER_HOSTS_GPUS_H
#define TUNER_HOSTS_GPUS_H

#include "trials/gpu_use.h"
#include "tuner/command.h"

#include <cjson/cJSON.h>

/* A table of all; nothing if there are none. `watched`: a process has the database open for writing, so
 * that what others do there is known as it is now. */
TUNER_MUST_CHECK
bool hosts_gpus_print(const struct invocation *call, const struct gpu_known_list *gpus,
	bool watched, struct tuner_error *err);

/* Those of a host as an array, which may be empty. NULL without memory. */
cJSON *hosts_gpus_json(const struct gpu_known_list *gpus, const char *host, bool watched);

#endif
