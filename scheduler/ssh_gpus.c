/* The host's GPUs: reports on them, and their locks, which the agent holds for us. */
#include "scheduler/ssh_inside.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between two claims of a GPU that another tuner has, or that was released unused. */
static const int64_t CLAIM_AGAIN_US = 1000000;

/* ---- reports ---- */

void ssh_gpus_greeted(struct ssh *ssh)
{
	ssh->n_gpus = 0;
	if (ssh->gpu_look_us > 0 && ssh->machine.n_gpus > 0)
		ssh_send_number(ssh, MESSAGE_WATCH, 0, ssh->gpu_look_us);
}

/* Its clock is not ours. If it was asked after the last end had been sent, all ends known to us by
 * now came before it; otherwise it says nothing about GPUs that trials have left. */
bool ssh_gpus_take_report(struct ssh *ssh, const struct message *message, struct tuner_error *err)
{
	char *text = strndup(message->n > 0 ? message->bytes : "", message->n);

	if (ssh->gpu_report == NULL)
		ssh->gpu_report = malloc(sizeof(*ssh->gpu_report));
	if (text == NULL || ssh->gpu_report == NULL) {
		free(text);
		return tuner_fail_memory(err);
	}
	gpu_report_parse(text, ssh->gpu_report);
	ssh->gpu_report->asked_us = message->number != 0 ? clock_monotonic_us() : INT64_MIN;
	ssh->gpu_report_fresh = true;
	free(text);
	return true;
}

bool ssh_gpus(struct backend *backend, struct gpu_report *ret)
{
	struct ssh *ssh = (struct ssh *)backend;
	const bool fresh = ssh->gpu_report_fresh;

	if (fresh)
		*ret = *ssh->gpu_report;
	ssh->gpu_report_fresh = false;
	return fresh;
}

/* ---- locks ---- */

static struct ssh_gpu *find(struct ssh *ssh, const char *uuid)
{
	for (size_t i = 0; i < ssh->n_gpus; i++)
		if (strcmp(ssh->gpus[i].uuid, uuid) == 0)
			return &ssh->gpus[i];
	return NULL;
}

static struct ssh_gpu *find_or_add(struct ssh *ssh, const char *uuid)
{
	struct ssh_gpu *gpu = find(ssh, uuid);

	if (gpu != NULL || ssh->n_gpus == GPUS_MAX)
		return gpu;
	gpu = &ssh->gpus[ssh->n_gpus++];
	*gpu = (struct ssh_gpu){ .state = GPU_TAKEN };
	snprintf(gpu->uuid, sizeof(gpu->uuid), "%s", uuid);
	return gpu;
}

/* False without memory: nothing was sent. */
static bool send_of_gpu(
	struct ssh *ssh, enum message_kind kind, const struct ssh_gpu *gpu, const char *owner)
{
	struct message *message = calloc(1, sizeof(*message));

	if (message == NULL)
		return false;
	message->kind = kind;
	snprintf(message->key, sizeof(message->key), "%s", gpu->uuid);
	message->bytes = owner;
	message->n = strlen(owner);
	link_send(&ssh->link, message);
	free(message);
	return true;
}

/* NAME@ID: the job's name on the host, which no other job has; a dash stands before the ID. */
void ssh_gpus_name_owner(struct ssh *ssh)
{
	const char *dash = strrchr(ssh->job, '-');
	const size_t n = dash != NULL ? (size_t)(dash - ssh->job) : strlen(ssh->job);

	snprintf(ssh->gpu_owner, sizeof(ssh->gpu_owner), "%.*s@%.32s", (int)(n < 60 ? n : 60),
		ssh->job, dash != NULL ? dash + 1 : "");
}

enum gpu_claim ssh_claim_gpu(
	struct backend *backend, const char *uuid, char ret_owner[GPU_OWNER_MAX])
{
	struct ssh *ssh = (struct ssh *)backend;
	struct ssh_gpu *gpu = ssh->greeted ? find_or_add(ssh, uuid) : NULL;
	const int64_t now_us = clock_monotonic_us();

	ret_owner[0] = '\0';
	if (gpu == NULL)
		return GPU_CLAIM_ASKED;
	if (gpu->state == GPU_TAKEN && !gpu->asked && now_us >= gpu->again_us)
		gpu->asked = send_of_gpu(ssh, MESSAGE_CLAIM, gpu, ssh->gpu_owner);
	snprintf(ret_owner, GPU_OWNER_MAX, "%s", gpu->who);
	return gpu->answered ? gpu->state : GPU_CLAIM_ASKED;
}

void ssh_release_gpu(struct backend *backend, const char *uuid)
{
	struct ssh *ssh = (struct ssh *)backend;
	struct ssh_gpu *gpu = find(ssh, uuid);

	if (gpu == NULL || gpu->state != GPU_CLAIMED || !send_of_gpu(ssh, MESSAGE_RELEASE, gpu, ""))
		return;
	gpu->state = GPU_TAKEN;
	gpu->answered = false;
	gpu->again_us = clock_monotonic_us() + CLAIM_AGAIN_US;
}

void ssh_gpus_take_claim(struct ssh *ssh, const struct message *message)
{
	struct ssh_gpu *gpu = find(ssh, message->key);

	if (gpu == NULL || !gpu->asked)
		return;
	gpu->asked = false;
	gpu->answered = true;
	gpu->state = message->number == GPU_CLAIMED      ? GPU_CLAIMED
		     : message->number == GPU_UNLOCKABLE ? GPU_UNLOCKABLE
							 : GPU_TAKEN;
	gpu->again_us = clock_monotonic_us() + CLAIM_AGAIN_US;
	snprintf(gpu->who, sizeof(gpu->who), "%.*s",
		(int)(message->n < sizeof(gpu->who) ? message->n : sizeof(gpu->who) - 1),
		message->n > 0 ? message->bytes : "");
}
