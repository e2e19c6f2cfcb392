#include "tuner/job_hosts.h"

#include "base/json.h"
#include "tuner/job_open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void name_machine(char ret_name[256])
{
	snprintf(ret_name, 256, "localhost");
	gethostname(ret_name, 255);
}

const char *job_host_label(const struct job_host *host, const char *machine)
{
	return host->name[0] != '\0' ? host->name : host->slurm != NULL ? "slurm" : machine;
}

void job_hosts_text(const struct job_file *file, size_t from, size_t end, struct text *ret)
{
	char machine[256];

	name_machine(machine);
	for (size_t i = from; i < end; i++)
		text_print(ret, "%s%s", i > from ? ", " : "",
			job_host_label(&file->hosts[i], machine));
}

void job_hosts_finish(struct job_hosts *hosts)
{
	job_file_destroy(hosts->old);
	job_file_destroy(hosts->all);
	job_file_destroy(hosts->named);
	*hosts = (struct job_hosts){ 0 };
}

/* ---- arrays ---- */

/* A copy of the text's "hosts"; of a text without, the one that it stands for. */
static cJSON *hosts_of(const char *text)
{
	struct json_document *document = NULL;
	struct tuner_error ignored;
	cJSON *array = NULL;

	if (!json_parse("", text, strlen(text), &document, &ignored))
		return NULL; /* it was parsed before, so only memory can be missing */
	const cJSON *given = cJSON_GetObjectItemCaseSensitive(json_root(document), "hosts");
	if (given != NULL)
		array = cJSON_Duplicate(given, true);
	else if ((array = cJSON_CreateArray()) != NULL &&
		 !cJSON_AddItemToArray(array, cJSON_CreateObject())) {
		cJSON_Delete(array);
		array = NULL;
	}
	json_destroy(document);
	return array;
}

char *job_hosts_json(const struct job_file *file)
{
	cJSON *array = hosts_of(file->text);
	char *json = array != NULL ? json_print(array, 0) : NULL;

	cJSON_Delete(array);
	return json;
}

/* The stored file with other hosts. */
static bool read_with(
	const struct job *job, const char *hosts, struct job_file **ret, struct tuner_error *err)
{
	struct text set = TEXT_EMPTY;

	text_print(&set, "hosts=%s", hosts);
	const bool ok = text_failed(&set) ? tuner_fail_memory(err)
					  : job_stored_file_with(job, set.bytes, ret, err);
	text_finish(&set);
	return ok;
}

static bool read_with_array(
	const struct job *job, const cJSON *hosts, struct job_file **ret, struct tuner_error *err)
{
	char *json = hosts != NULL ? json_print(hosts, 0) : NULL;
	const bool ok = json != NULL ? read_with(job, json, ret, err) : tuner_fail_memory(err);

	free(json);
	return ok;
}

/* ---- which is which ---- */

static bool is_same_host(const struct job_host *a, const struct job_host *b)
{
	return strcmp(a->backend, b->backend) == 0 &&
	       (strcmp(a->backend, "local") == 0 || strcmp(a->name, b->name) == 0);
}

/* n_hosts: not found. */
static size_t find(const struct job_file *file, const struct job_host *host)
{
	size_t i = 0;

	while (i < file->n_hosts && !is_same_host(&file->hosts[i], host))
		i++;
	return i;
}

/* Attempts, events and `tuner hosts` know hosts by their names. */
static bool check_names(const struct job_file *old, const struct job_file *edited, const char *job,
	struct tuner_error *err)
{
	char machine[256];

	name_machine(machine);
	for (size_t i = 0; i < edited->n_hosts; i++) {
		const struct job_host *new = &edited->hosts[i];
		const char *name = job_host_label(new, machine);
		for (size_t k = 0; k < i; k++)
			if (strcmp(job_host_label(&edited->hosts[k], machine), name) == 0)
				return tuner_fail(err, TUNER_USAGE,
					"two of the file's hosts are called \"%s\": give each a "
					"\"name\" of its own",
					name);
		for (size_t k = 0; k < old->n_hosts && find(old, new) == old->n_hosts; k++)
			if (strcmp(job_host_label(&old->hosts[k], machine), name) == 0)
				return tuner_fail(err, TUNER_USAGE,
					"job %s already has a host \"%s\" with the backend %s: the "
					"new one, with the backend %s, needs another \"name\"",
					job, name, old->hosts[k].backend, new->backend);
	}
	return true;
}

static size_t count_new(const struct job_file *old, const struct job_file *edited)
{
	size_t n = 0;

	for (size_t i = 0; i < edited->n_hosts; i++)
		n += find(old, &edited->hosts[i]) == old->n_hosts;
	return n;
}

static bool check_number(const struct job_file *old, const struct job_file *edited, const char *job,
	struct tuner_error *err)
{
	const size_t n = old->n_hosts + count_new(old, edited);

	return n <= HOSTS_MAX ||
	       tuner_fail(err, TUNER_USAGE,
		       "job %s would have %zu hosts, and may have %d: those the file no longer "
		       "names leave it only at the next \"tuner run\"",
		       job, n, HOSTS_MAX);
}

/* ---- together ---- */

static bool append(cJSON *array, const cJSON *from, size_t i)
{
	cJSON *copy = cJSON_Duplicate(cJSON_GetArrayItem(from, (int)i), true);

	if (copy != NULL && cJSON_AddItemToArray(array, copy))
		return true;
	cJSON_Delete(copy);
	return false;
}

/* *all: `old_hosts` and the new ones of `new_hosts`; *named: `new_hosts`, with known ones as in
 * `old_hosts`. */
static bool join(const struct job_file *old, const cJSON *old_hosts, const struct job_file *edited,
	const cJSON *new_hosts, cJSON *all, cJSON *named)
{
	bool ok = old_hosts != NULL && new_hosts != NULL && all != NULL && named != NULL;

	for (size_t i = 0; ok && i < old->n_hosts; i++)
		ok = append(all, old_hosts, i);
	for (size_t i = 0; ok && i < edited->n_hosts; i++) {
		const size_t k = find(old, &edited->hosts[i]);
		ok = k < old->n_hosts ? append(named, old_hosts, k)
				      : append(all, new_hosts, i) && append(named, new_hosts, i);
	}
	return ok;
}

static bool merge(const struct job *job, const struct job_file *edited, struct job_hosts *ret,
	struct tuner_error *err)
{
	cJSON *old_hosts = hosts_of(ret->old->text), *new_hosts = hosts_of(edited->text);
	cJSON *all = cJSON_CreateArray(), *named = cJSON_CreateArray();
	const bool ok = (join(ret->old, old_hosts, edited, new_hosts, all, named) ||
				tuner_fail_memory(err)) &&
			read_with_array(job, all, &ret->all, err) &&
			read_with_array(job, named, &ret->named, err);

	cJSON_Delete(old_hosts);
	cJSON_Delete(new_hosts);
	cJSON_Delete(all);
	cJSON_Delete(named);
	return ok;
}

bool job_hosts_merge(
	const struct job *job, const char *hosts, struct job_hosts *ret, struct tuner_error *err)
{
	struct job_file *edited = NULL;

	*ret = (struct job_hosts){ 0 };
	const bool ok =
		job_stored_file(job, &ret->old, err) && read_with(job, hosts, &edited, err) &&
		check_names(ret->old, edited, job->name, err) &&
		check_number(ret->old, edited, job->name, err) && merge(job, edited, ret, err);
	for (size_t k = 0; ok && k < ret->old->n_hosts; k++)
		ret->stays[k] = find(edited, &ret->old->hosts[k]) < edited->n_hosts;
	job_file_destroy(edited);
	return ok;
}
