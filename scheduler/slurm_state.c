#include "scheduler/slurm_transport.h"

#include <string.h>

static const struct {
	const char *name;
	enum slurm_state state;
} names[] = {
	{ "PENDING", SLURM_PENDING },
	{ "REQUEUE_FED", SLURM_PENDING },
	{ "REQUEUED", SLURM_REQUEUED },
	{ "REQUEUE_HOLD", SLURM_REQUEUED },
	{ "SPECIAL_EXIT", SLURM_REQUEUED },
	{ "CONFIGURING", SLURM_RUNNING },
	{ "RUNNING", SLURM_RUNNING },
	{ "RESIZING", SLURM_RUNNING },
	{ "SIGNALING", SLURM_RUNNING },
	{ "STAGE_OUT", SLURM_COMPLETING },
	{ "SUSPENDED", SLURM_SUSPENDED },
	{ "STOPPED", SLURM_SUSPENDED },
	{ "COMPLETING", SLURM_COMPLETING },
	{ "COMPLETED", SLURM_COMPLETED },
	{ "FAILED", SLURM_FAILED },
	{ "LAUNCH_FAILED", SLURM_FAILED },
	{ "RECONFIG_FAIL", SLURM_NODE_FAIL },
	{ "CANCELLED", SLURM_CANCELLED },
	{ "REVOKED", SLURM_CANCELLED },
	{ "TIMEOUT", SLURM_TIMEOUT },
	{ "DEADLINE", SLURM_TIMEOUT },
	{ "OUT_OF_MEMORY", SLURM_OUT_OF_MEMORY },
	{ "PREEMPTED", SLURM_PREEMPTED },
	{ "NODE_FAIL", SLURM_NODE_FAIL },
	{ "BOOT_FAIL", SLURM_NODE_FAIL },
};

enum slurm_state slurm_state_named(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].state;
	return SLURM_UNKNOWN;
}

bool slurm_state_is_final(enum slurm_state state)
{
	return state >= SLURM_COMPLETED;
}
