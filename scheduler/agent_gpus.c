#include "scheduler/agent_gpus.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void agent_gpus_begin(struct agent_gpus *gpus)
{
	if (!gpu_lock_directory(gpus->locks, sizeof(gpus->locks)))
		gpus->locks[0] = '\0';
}

void agent_gpus_end(struct agent_gpus *gpus)
{
	gpu_watch_destroy(gpus->watch);
	gpus->watch = NULL;
}

/* ---- reports ---- */

void agent_gpus_watch(struct agent_gpus *gpus, int64_t period_us)
{
	struct tuner_error ignored;
	const int64_t least_us = GPU_WATCH_LEAST_MS * INT64_C(1000);

	if (gpus->watch == NULL)
		gpus->unwatchable = !gpu_watch_create(
			NULL, period_us < least_us ? least_us : period_us, &gpus->watch, &ignored);
}

bool agent_gpus_take(struct agent_gpus *gpus, int64_t *ret_asked_us, struct text *ret)
{
	text_clear(ret);
	*ret_asked_us = clock_monotonic_us();
	/* Said once: without an answer the GPUs would never be used. */
	if (gpus->unwatchable) {
		gpus->unwatchable = false;
		return true;
	}
	if (gpus->watch == NULL || !gpu_watch_take(gpus->watch, &gpus->report))
		return false;
	*ret_asked_us = gpus->report.asked_us;
	gpu_report_print(&gpus->report, ret);
	return true;
}

/* ---- locks ---- */

static size_t find(const struct agent_gpus *gpus, const char *uuid)
{
	size_t i = 0;
	while (i < gpus->n_held && strcmp(gpus->held[i].uuid, uuid) != 0)
		i++;
	return i;
}

enum gpu_claim agent_gpus_claim(
	struct agent_gpus *gpus, const char *uuid, const char *owner, char ret_who[GPU_OWNER_MAX])
{
	char path[512];
	int fd = -1;

	ret_who[0] = '\0';
	if (find(gpus, uuid) < gpus->n_held)
		return GPU_CLAIMED;
	errno = ENAMETOOLONG;
	const bool lockable = gpus->locks[0] != '\0' && gpus->n_held < GPUS_MAX &&
			      strlen(uuid) < sizeof(gpus->held[0].uuid) &&
			      gpu_lock_path(gpus->locks, uuid, path, sizeof(path));
	const enum gpu_claim got =
		lockable ? gpu_lock_claim(path, owner, &fd, ret_who) : GPU_UNLOCKABLE;
	if (got == GPU_UNLOCKABLE)
		snprintf(ret_who, GPU_OWNER_MAX, "%s",
			gpus->locks[0] != '\0' ? strerror(errno)
					       : "the directory cannot be made or written");
	if (got != GPU_CLAIMED)
		return got;
	snprintf(gpus->held[gpus->n_held].uuid, sizeof(gpus->held[0].uuid), "%s", uuid);
	gpus->held[gpus->n_held++].fd = fd;
	return got;
}

void agent_gpus_release(struct agent_gpus *gpus, const char *uuid)
{
	const size_t i = find(gpus, uuid);

	if (i == gpus->n_held)
		return;
	gpu_lock_release(gpus->held[i].fd);
	gpus->held[i] = gpus->held[--gpus->n_held];
}
