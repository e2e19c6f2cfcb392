#include "tuner/slots.h"

#include "tuner/launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keeps the GPUs that the file lists, in its order, with all slices of divided ones. */
static bool choose_gpus(
	const struct job_host *host, struct gpu *gpus, size_t *n, struct tuner_error *err)
{
	struct gpu chosen[GPUS_MAX];
	size_t n_chosen = 0;
	for (size_t i = 0; i < host->n_gpus; i++) {
		const size_t before = n_chosen;
		for (size_t k = 0; k < *n && n_chosen < GPUS_MAX; k++)
			if (gpus[k].index == host->gpus[i])
				chosen[n_chosen++] = gpus[k];
		if (n_chosen == before)
			return tuner_fail(err, TUNER_USAGE,
				"hosts: GPU %d is not among the %zu that this machine shows",
				host->gpus[i], *n);
	}
	memcpy(gpus, chosen, n_chosen * sizeof(*gpus));
	*n = n_chosen;
	return true;
}

/* CUDA gives a process one slice, however many are visible. */
static bool check_slices(
	const struct gpu *gpus, size_t n, unsigned gpus_per_trial, struct tuner_error *err)
{
	for (size_t i = 0; i < n && gpus_per_trial > 1; i++)
		if (gpu_is_slice(&gpus[i]))
			return tuner_fail(err, TUNER_USAGE,
				"hosts: a trial can use one MIG slice, and \"gpus_per_trial\" is "
				"%u: "
				"make it 1, or list GPUs that are not divided (\"gpus\")",
				gpus_per_trial);
	return true;
}

/* Uses each GPU `share` times, in rounds over all of them, at most `most` slots in total (0: no
 * limit). Cores are divided among the slots; if measurements decide how many run, each gets what it
 * would have alone. */
static void share_gpus(struct slot_list *list, unsigned share, bool packs, unsigned most)
{
	const size_t gpus = list->n, fit = SLOTS_MAX - SLOTS_MAX % (gpus > 0 ? gpus : 1);
	size_t n = gpus * share < fit ? gpus * share : fit;

	if (most > 0 && most < n)
		n = most;
	for (size_t i = gpus; i < n; i++)
		list->items[i] = list->items[i % gpus];
	for (size_t i = 0; i < n && !packs && n > gpus; i++) {
		const unsigned cores = list->items[i].cores * (unsigned)gpus / (unsigned)n;
		list->items[i].cores = cores > 0 ? cores : 1;
	}
	list->n = n;
}

/* Queued jobs occupy a place, too. The cluster decides which GPUs they get. */
static bool slots_of_cluster(const struct job_host *host, const struct machine *machine,
	struct slot_list *ret, struct tuner_error *err)
{
	ret->n = host->slots + host->slurm->ahead;
	if (ret->n > SLOTS_MAX)
		return tuner_fail(err, TUNER_USAGE,
			"\"slots\" and \"ahead\" are %zu together; at most %d work", ret->n,
			SLOTS_MAX);
	for (size_t i = 0; i < ret->n; i++)
		ret->items[i] = (struct slot){ .cores = machine->cores };
	return true;
}

bool slots_of(const struct job_host *host, unsigned parallel, const struct machine *machine,
	struct slot_list *ret, struct tuner_error *err)
{
	struct gpu gpus[GPUS_MAX];
	const bool wants_gpus = host->gpus_auto || host->n_gpus > 0;
	const unsigned most = host->slots > 0 ? host->slots : parallel;
	const unsigned asked = host->gpus_per_trial > 0 ? host->gpus_per_trial : 1;
	size_t n_gpus = wants_gpus ? machine->n_gpus : 0;

	*ret = (struct slot_list){ .n = 0 };
	if (host->slurm != NULL)
		return slots_of_cluster(host, machine, ret, err);
	memcpy(gpus, machine->gpus, n_gpus * sizeof(*gpus));
	if ((host->n_gpus > 0 && !choose_gpus(host, gpus, &n_gpus, err)) ||
		!check_slices(gpus, n_gpus, asked, err))
		return false;
	const bool shares = n_gpus > 0 && host->trials_per_gpu > 1;
	if (!machine_slots(machine->cores, gpus, n_gpus, n_gpus > 0 ? asked : 0,
		    shares && most >= n_gpus ? 0 : most, ret->items, &ret->n, err))
		return false;
	if (shares)
		share_gpus(ret, host->trials_per_gpu, host->packs, most);
	if (wants_gpus && machine->no_gpus[0] != '\0')
		snprintf(ret->note, sizeof(ret->note),
			"no GPU can be used (%s): trials run on the CPU", machine->no_gpus);
	else if (wants_gpus && n_gpus == 0 && asked > 1)
		snprintf(ret->note, sizeof(ret->note),
			"\"gpus_per_trial\" is %u, and there is no GPU: trials run on the CPU",
			asked);
	if (most > ret->n)
		snprintf(ret->note, sizeof(ret->note),
			"%s is %u, but the GPUs give %zu slot%s: %zu trial%s at a time",
			host->slots > 0 ? "\"slots\"" : "budget.parallel", most, ret->n,
			ret->n == 1 ? "" : "s", ret->n, ret->n == 1 ? " runs" : "s run");
	return true;
}

const struct job_host *slots_local_host(const struct job_file *file)
{
	static const struct job_host anywhere = { .backend = "local", .gpus_auto = true };

	for (size_t i = 0; i < file->n_hosts; i++)
		if (strcmp(file->hosts[i].backend, "local") == 0)
			return &file->hosts[i];
	return file->n_hosts == 0 ? &anywhere : NULL;
}

bool slots_look(const struct job_host *host, struct machine *ret, struct tuner_error *err)
{
	char *nvml = NULL;
	const bool ok = find_nvml(&nvml, err) &&
			machine_look(host->gpus_auto || host->n_gpus > 0, nvml, ret, err);

	free(nvml);
	return ok;
}

bool slots_find(const struct job_file *file, struct slot_list *ret, struct tuner_error *err)
{
	const struct job_host *host = slots_local_host(file);
	struct machine *machine = malloc(sizeof(*machine));

	*ret = (struct slot_list){ .n = 0 };
	if (machine == NULL)
		return tuner_fail_memory(err);
	const bool ok = host == NULL ||
			(slots_look(host, machine, err) &&
				slots_of(host, (unsigned)file->budget.parallel, machine, ret, err));
	free(machine);
	return ok;
}

/* The number of slots that use the first one's GPU. */
static size_t sharers(const struct slot *slots, size_t n)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++)
		count += strcmp(slots[i].gpus[0].uuid, slots[0].gpus[0].uuid) == 0;
	return count;
}

void slots_text(const struct slot *slots, size_t n, bool packs, struct text *ret)
{
	text_print(ret, "%zu slot%s: ", n, n == 1 ? "" : "s");
	if (slots->n_gpus > 0) {
		const size_t shared = sharers(slots, n);
		text_print(ret, "%zu GPU%s (%s)", slots->n_gpus, slots->n_gpus == 1 ? "" : "s",
			slots->gpus[0].name);
		if (shared > 1)
			text_print(ret, ", shared by %s%zu,", packs ? "up to " : "", shared);
		text_add(ret, " and ");
	}
	text_print(ret, "%u core%s%s", slots->cores, slots->cores == 1 ? "" : "s",
		n == 1 ? "" : " each");
}
