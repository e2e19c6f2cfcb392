/* Where a job runs: "hosts". Read before the command, which a prefix of a host may start. */
#include "tuner/job_hosts.h"
#include "tuner/jobfile_reader.h"
#include "tuner/packing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void read_gpu_list(struct reader *reader, const cJSON *gpus, struct job_host *host)
{
	if (gpus->child == NULL)
		report_error(reader, gpus, AT_VALUE,
			"expected at least one index; \"none\" means without GPUs");
	for (const cJSON *item = gpus->child; item; item = item->next) {
		const int index = cJSON_IsNumber(item) ? (int)item->valuedouble : -1;
		for (size_t i = 0; i < host->n_gpus; i++)
			if (index >= 0 && host->gpus[i] == index)
				report_error(reader, item, AT_VALUE,
					"expected each GPU once, found %d again", index);
		host->gpus[host->n_gpus++] = index;
	}
}

static void check_gpus_per_trial(struct reader *reader, const cJSON *node, struct job_host *host)
{
	const cJSON *per_trial = member_raw(node, "gpus_per_trial");

	if (!host->gpus_auto && host->n_gpus == 0) {
		host->gpus_per_trial = 0;
		if (per_trial != NULL)
			report_error(reader, per_trial, AT_KEY, "has no effect without GPUs");
		return;
	}
	if (host->gpus_auto || per_trial == NULL)
		return;
	if (host->gpus_per_trial > host->n_gpus)
		report_error(reader, per_trial, AT_VALUE, "expected at most the %zu of \"gpus\"",
			host->n_gpus);
	else if (host->n_gpus % host->gpus_per_trial != 0)
		report_warning(reader, per_trial, AT_VALUE, "leaves %zu of %zu GPUs unused",
			host->n_gpus % host->gpus_per_trial, host->n_gpus);
}

/* A stored job is read as it was accepted. */
static void check_busy(struct reader *reader, const cJSON *node, const struct job_host *host)
{
	const cJSON *busy = member(node, SECTION_HOST, "busy_gpus");

	if (busy != NULL && !reader->stored && host->uses_busy_gpus && host->gpus_per_trial == 0)
		report_error(reader, busy, AT_KEY, "has no effect without GPUs");
}

static void read_sharing(struct reader *reader, const cJSON *node, struct job_host *host)
{
	const cJSON *sharing = member(node, SECTION_HOST, "trials_per_gpu");
	const cJSON *busy = member(node, SECTION_HOST, "busy_gpus");

	host->packs = cJSON_IsString(sharing);
	host->trials_per_gpu = host->packs       ? PACKING_MOST
			       : sharing != NULL ? (unsigned)sharing->valuedouble
						 : 1;
	host->uses_busy_gpus = busy != NULL && strcmp(busy->valuestring, "use") == 0;
	check_busy(reader, node, host);
	if (host->trials_per_gpu > 1 && host->gpus_per_trial == 0)
		report_error(reader, sharing, AT_KEY, "has no effect without GPUs");
	else if (host->trials_per_gpu > 1 && host->gpus_per_trial > 1)
		report_error(reader, sharing, AT_VALUE,
			"expected 1 where a trial has several GPUs (\"gpus_per_trial\" is %u): "
			"they "
			"are shared with no other",
			host->gpus_per_trial);
}

static void read_host_name(struct reader *reader, const cJSON *node, struct job_host *host)
{
	const cJSON *name = member(node, SECTION_HOST, "name");

	if (name == NULL)
		return;
	if (!is_name(name->valuestring))
		report_error(reader, name, AT_VALUE,
			"expected letters, digits, '.', '_' and '-', at most 100, and neither '.' "
			"nor '-' in front, found \"%.100s\"",
			name->valuestring);
	else
		snprintf(host->name, sizeof(host->name), "%s", name->valuestring);
}

/* By their labels, by which attempts are found again: a cluster without a name is called "slurm".
 * An entry with no name at all is this machine, or has already been refused. A stored job may be
 * older than the rule for names given by us: it is read, so that an edited file can continue it. */
static bool are_called_alike(
	const struct reader *reader, const struct job_host *one, const struct job_host *other)
{
	const int named = (one->name[0] != '\0') + (other->name[0] != '\0');

	return named > (reader->stored ? 1 : 0) &&
	       strcmp(job_host_label(one, ""), job_host_label(other, "")) == 0;
}

static void check_host_names(struct reader *reader, const cJSON *array)
{
	const struct job_file *file = reader->file;

	for (size_t i = 0; i < file->n_hosts; i++)
		for (size_t k = 0; k < i; k++) {
			const struct job_host *one = &file->hosts[k], *other = &file->hosts[i];
			if (are_called_alike(reader, one, other))
				report_error(reader, array, AT_VALUE,
					"expected another name for each host, found \"%s\" twice",
					job_host_label(other, ""));
		}
}

static bool is_slurm_node(const cJSON *node)
{
	const cJSON *backend = member(node, SECTION_HOST, "backend");

	return backend != NULL && strcmp(backend->valuestring, "slurm") == 0;
}

static bool is_local(const struct job_host *host)
{
	return strcmp(host->backend, "local") == 0;
}

static bool is_ssh_node(const cJSON *node)
{
	const cJSON *backend = member(node, SECTION_HOST, "backend");

	return backend != NULL && strcmp(backend->valuestring, "ssh") == 0;
}

static bool is_local_node(const cJSON *node)
{
	const cJSON *backend = member(node, SECTION_HOST, "backend");

	return backend == NULL || strcmp(backend->valuestring, "local") == 0;
}

static bool has_local(const struct job_file *file)
{
	for (size_t i = 0; i < file->n_hosts; i++)
		if (is_local(&file->hosts[i]))
			return true;
	return false;
}

static bool read_host(
	struct reader *reader, const cJSON *node, struct job_host *host, struct tuner_error *err)
{
	const cJSON *gpus = member(node, SECTION_HOST, "gpus");
	const cJSON *per_trial = member(node, SECTION_HOST, "gpus_per_trial");
	const cJSON *prefix = member(node, SECTION_HOST, "prefix");

	snprintf(host->backend, sizeof(host->backend), "%s",
		is_slurm_node(node) ? "slurm"
		: is_ssh_node(node) ? "ssh"
				    : "local");
	read_host_name(reader, node, host);
	host->slots = (unsigned)member_integer(node, SECTION_HOST, "slots");
	host->priority = member_integer(node, SECTION_HOST, "priority");
	host->price = member_number(node, SECTION_HOST, "price");
	if (prefix != NULL && (host->prefix = copy_strings(prefix)) == NULL)
		return tuner_fail_memory(err);
	if (!is_ssh_node(node))
		refuse_ssh_keys(reader, node, host->backend);
	if (is_slurm_node(node))
		return read_slurm(reader, node, host, err);
	refuse_slurm_keys(reader, node, host->backend);
	host->gpus_auto =
		gpus == NULL || (cJSON_IsString(gpus) && strcmp(gpus->valuestring, "auto") == 0);
	if (cJSON_IsArray(gpus))
		read_gpu_list(reader, gpus, host);
	host->gpus_per_trial = per_trial ? (unsigned)per_trial->valuedouble : 1;
	if (!cJSON_IsArray(gpus) || gpus->child != NULL)
		check_gpus_per_trial(reader, node, host);
	read_sharing(reader, node, host);
	if (is_ssh_node(node))
		return read_ssh(reader, node, host, err);
	return true;
}

/* A budget of money needs prices. */
static void check_prices(struct reader *reader)
{
	const cJSON *budget = member(reader->root, SECTION_FILE, "budget");

	for (size_t i = 0; i < reader->file->n_hosts; i++)
		if (reader->file->hosts[i].price > 0)
			return;
	if (reader->file->budget.cost > 0)
		report_error(reader, member_raw(budget, "cost"), AT_KEY,
			"needs the price of a host: \"hosts\": [{\"price\": 1.5}], for an hour of "
			"it");
}

bool read_hosts(struct reader *reader, struct tuner_error *err)
{
	struct job_file *file = reader->file;
	const cJSON *array = member(reader->root, SECTION_FILE, "hosts");
	const size_t n = array ? (size_t)cJSON_GetArraySize(array) : 1;

	file->hosts = calloc(n, sizeof(*file->hosts));
	if (file->hosts == NULL)
		return tuner_fail_memory(err);
	if (array == NULL) {
		check_prices(reader);
		return read_host(reader, NULL, &file->hosts[file->n_hosts++], err);
	}
	for (const cJSON *item = array->child; item; item = item->next) {
		if (!cJSON_IsObject(item) ||
			(has_member(item, "backend") && !member(item, SECTION_HOST, "backend")))
			continue;
		if (has_local(file) && is_local_node(item))
			report_error(reader, item, AT_VALUE,
				"expected one local host: this machine's GPUs would be given out "
				"twice");
		if (!read_host(reader, item, &file->hosts[file->n_hosts++], err))
			return false;
	}
	check_host_names(reader, array);
	check_prices(reader);
	return true;
}
