/* The agent's part in GPUs: it reports what those of its host are doing, and holds the locks
 * (gpu_lock.h) that tuner claims, for as long as the agent lives. */
#ifndef SCHEDULER_AGENT_GPUS_H
#define SCHEDULER_AGENT_GPUS_H

#include "scheduler/gpu_lock.h"
#include "scheduler/gpu_watch.h"

struct agent_gpus {
	char locks[256]; /* the host's directory of locks; "": there can be none */
	struct gpu_watch *watch; /* NULL: nobody has asked for reports */
	bool unwatchable; /* the watch could not be started */
	struct gpu_report report; /* the newest */
	struct {
		char uuid[64];
		int fd;
	} held[GPUS_MAX];
	size_t n_held;
};

void agent_gpus_begin(struct agent_gpus *gpus);

/* The locks go with the process. */
void agent_gpus_end(struct agent_gpus *gpus);

/* From now on there are reports, `period_us` apart. */
void agent_gpus_watch(struct agent_gpus *gpus, int64_t period_us);

/* Takes a report that has not been taken yet, as text (gpu_report_print; "": no answer). Does not
 * wait. */
bool agent_gpus_take(struct agent_gpus *gpus, int64_t *ret_asked_us, struct text *ret);

/* As gpu_lock_claim; a lock that is held already is claimed. ret_who: its owner if it is taken, or
 * why it cannot be locked. */
enum gpu_claim agent_gpus_claim(
	struct agent_gpus *gpus, const char *uuid, const char *owner, char ret_who[GPU_OWNER_MAX]);
void agent_gpus_release(struct agent_gpus *gpus, const char *uuid);

#endif
