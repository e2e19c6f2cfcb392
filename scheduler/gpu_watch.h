/* Queries the GPUs of this machine every few seconds in a thread of its own, because an answer may
 * take long and the loop must not wait. */
#ifndef SCHEDULER_GPU_WATCH_H
#define SCHEDULER_GPU_WATCH_H

#include "scheduler/gpu_report.h"

enum { GPU_WATCH_DEFAULT_MS = 5000, GPU_WATCH_LEAST_MS = 50 };

struct gpu_watch;

/* Time between questions: TUNER_GPU_LOOK_MS, or the default. */
int64_t gpu_watch_period_us(void);

/* Starts at once. `nvml`: the helper's path as for gpu_source_create. TUNER_RETRY if no thread can
 * be created. */
TUNER_MUST_CHECK
bool gpu_watch_create(
	const char *nvml, int64_t period_us, struct gpu_watch **ret, struct tuner_error *err);

/* Takes the newest report, if it has not been taken yet. Does not wait. */
bool gpu_watch_take(struct gpu_watch *watch, struct gpu_report *ret);

/* Ends a question in progress, and does not wait for that: the thread ends by itself. NULL is
 * fine. */
void gpu_watch_destroy(struct gpu_watch *watch);

#endif
