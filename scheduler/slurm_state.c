#include "scheduler/slurm_transport.h"

#include <stdlib.h>
#include <string.h>

extern char **environ;

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

static bool is_passed(const char *variable, bool engine)
{
	static const char *const always[] = {
		"PATH=", "HOME=", "LD_LIBRARY_PATH=", "USER=", "LOGNAME=", "SHELL=", "LANG="
	};
	/* Not everything that begins with SLURM_: inside a job that would include the job's own
	 * limits. */
	static const char *const engines[] = { "SLURM_CONF=", "SBATCH_",
		"SLURM_CLUSTERS=", "KRB5CCNAME=", "LC_ALL=" };

	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		if (strncmp(variable, always[i], strlen(always[i])) == 0)
			return true;
	for (size_t i = 0; engine && i < sizeof(engines) / sizeof(*engines); i++)
		if (strncmp(variable, engines[i], strlen(engines[i])) == 0)
			return true;
	return false;
}

char **slurm_environment(bool engine)
{
	size_t n = 0;

	while (environ[n] != NULL)
		n++;
	char **passed = calloc(n + 1, sizeof(*passed));
	if (passed == NULL)
		return NULL;
	n = 0;
	for (char **variable = environ; *variable != NULL; variable++)
		if (is_passed(*variable, engine))
			passed[n++] = *variable;
	return passed;
}

bool slurm_state_is_final(enum slurm_state state)
{
	return state >= SLURM_COMPLETED;
}
