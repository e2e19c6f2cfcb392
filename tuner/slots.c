#include "tuner/slots.h"

#include <stdio.h>
#include <string.h>

static const struct gpu *find_gpu(const struct gpu *gpus, size_t n, int index)
{
	for (size_t i = 0; i < n; i++)
		if (gpus[i].index == index)
			return &gpus[i];
	return NULL;
}

/* Keeps the GPUs that the file lists, in its order. */
static bool choose_gpus(
	const struct job_host *host, struct gpu *gpus, size_t *n, struct tuner_error *err)
{
	struct gpu chosen[GPUS_MAX];
	for (size_t i = 0; i < host->n_gpus; i++) {
		const struct gpu *gpu = find_gpu(gpus, *n, host->gpus[i]);
		if (gpu == NULL)
			return tuner_fail(err, TUNER_USAGE,
				"hosts: GPU %d is not among the %zu that this machine shows",
				host->gpus[i], *n);
		chosen[i] = *gpu;
	}
	memcpy(gpus, chosen, host->n_gpus * sizeof(*gpus));
	*n = host->n_gpus;
	return true;
}

static bool find_gpus(const struct job_host *host, struct gpu gpus[GPUS_MAX], size_t *ret_n,
	char note[300], struct tuner_error *err)
{
	const char *reason = NULL;
	*ret_n = 0;
	if (!host->gpus_auto && host->n_gpus == 0)
		return true;
	if (!machine_gpus(gpus, ret_n, &reason, err))
		return false;
	if (host->n_gpus > 0)
		return choose_gpus(host, gpus, ret_n, err);
	/* A machine without NVIDIA's driver has none to miss; one whose GPUs cannot be used has. */
	if (*ret_n == 0 && reason != NULL && strstr(reason, "no nvidia-smi") == NULL)
		snprintf(note, 300, "no GPU can be used (%s): trials run on the CPU", reason);
	return true;
}

bool slots_find(const struct job_file *file, struct slot_list *ret, struct tuner_error *err)
{
	static const struct job_host anywhere = { .backend = "local", .gpus_auto = true };
	const struct job_host *host = file->n_hosts > 0 ? &file->hosts[0] : &anywhere;
	struct gpu gpus[GPUS_MAX];
	ret->n = 0;
	ret->note[0] = '\0';
	ret->cores = machine_cores();
	if (!find_gpus(host, gpus, &ret->n_gpus, ret->note, err))
		return false;
	const unsigned asked = host->gpus_per_trial > 0 ? host->gpus_per_trial : 1;
	const unsigned per_trial = ret->n_gpus > 0 ? asked : 0;
	const unsigned parallel = (unsigned)file->budget.parallel;
	if (!machine_slots(
		    ret->cores, gpus, ret->n_gpus, per_trial, parallel, ret->items, &ret->n, err))
		return false;
	if (parallel > ret->n)
		snprintf(ret->note, sizeof(ret->note),
			"budget.parallel is %u, but the GPUs give %zu slots: %zu trials run at a "
			"time",
			parallel, ret->n, ret->n);
	return true;
}

void slots_text(const struct slot_list *list, struct text *ret)
{
	const struct slot *slot = &list->items[0];
	text_print(ret, "%zu slot%s: ", list->n, list->n == 1 ? "" : "s");
	if (slot->n_gpus > 0)
		text_print(ret, "%zu GPU%s (%s) and ", slot->n_gpus, slot->n_gpus == 1 ? "" : "s",
			slot->gpus[0].name);
	text_print(ret, "%u core%s%s", slot->cores, slot->cores == 1 ? "" : "s",
		list->n == 1 ? "" : " each");
}
