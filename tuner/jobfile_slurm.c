/* Hosts of the backend slurm. What only the cluster knows (partitions, limits) is not checked
 * here. */
#include "tuner/jobfile_reader.h"

#include "base/file.h"
#include "base/number.h"

#include <stdlib.h>
#include <string.h>

static const char *const slurm_keys[] = { "user", "directory", "url", "token_file", "token_command",
	"partition", "gres", "cores", "memory", "time_limit", "account", "qos", "constraint",
	"script_lines", "ahead" };

/* NULL if it is not given; *ok false without memory. */
static char *take_string(const cJSON *node, const char *name, bool *ok)
{
	const cJSON *item = member(node, SECTION_HOST, name);
	char *copy = item != NULL ? strdup(item->valuestring) : NULL;

	*ok = *ok && (item == NULL || copy != NULL);
	return copy;
}

static char *take_path(const struct reader *reader, const cJSON *node, const char *name, bool *ok)
{
	const cJSON *item = member(node, SECTION_HOST, name);
	char *path = item != NULL ? path_join(reader->file->directory, item->valuestring) : NULL;

	*ok = *ok && (item == NULL || path != NULL);
	return path;
}

static char **take_strings(const cJSON *node, const char *name, bool *ok)
{
	const cJSON *item = member(node, SECTION_HOST, name);
	char **strings = item != NULL ? copy_strings(item) : NULL;

	*ok = *ok && (item == NULL || strings != NULL);
	return strings;
}

static void check_slurm_url(struct reader *reader, const cJSON *node)
{
	static const char *const with[] = { "token_file", "token_command" };
	const cJSON *url = member(node, SECTION_HOST, "url");

	for (size_t i = 0; i < sizeof(with) / sizeof(*with) && url == NULL; i++)
		if (has_member(node, with[i]))
			report_error(reader, member_raw(node, with[i]), AT_KEY,
				"has no effect without \"url\": sbatch knows its user by itself");
	if (url == NULL)
		return;
	if (strncmp(url->valuestring, "http://", 7) != 0 &&
		strncmp(url->valuestring, "https://", 8) != 0 &&
		strncmp(url->valuestring, "unix:/", 6) != 0)
		report_error(reader, url, AT_VALUE,
			"expected http://HOST:PORT, https://HOST:PORT or unix:/PATH, found "
			"\"%.200s\"",
			url->valuestring);
	else if (strncmp(url->valuestring, "unix:", 5) != 0 && !has_member(node, with[0]) &&
		 !has_member(node, with[1]))
		report_warning(reader, url, AT_VALUE,
			"slurmrestd asks for a token: \"token_file\" or \"token_command\" gives "
			"it");
	if (has_member(node, with[0]) && has_member(node, with[1]))
		report_error(reader, member_raw(node, with[1]), AT_KEY,
			"has no effect beside \"token_file\"");
}

/* sbatch reads "#SBATCH" lines, slurmrestd does not, and no line may hold two. */
static void check_slurm_lines(struct reader *reader, const cJSON *node)
{
	const cJSON *lines = member(node, SECTION_HOST, "script_lines");

	for (const cJSON *line = lines ? lines->child : NULL; line != NULL; line = line->next) {
		if (!cJSON_IsString(line))
			continue;
		if (strchr(line->valuestring, '\n') != NULL)
			report_error(reader, line, AT_VALUE, "expected one line, found several");
		else if (has_member(node, "url") &&
			 strncmp(line->valuestring, "#SBATCH", strlen("#SBATCH")) == 0)
			report_error(reader, line, AT_VALUE,
				"slurmrestd does not read #SBATCH lines: the host's other keys say "
				"the same, or leave \"url\" out");
	}
}

/* A cluster's slots cannot be counted automatically. A stored job may lack them: it is read, so
 * that an edited file can continue it. */
static void check_slurm_slots(struct reader *reader, const cJSON *node)
{
	const cJSON *slots = member(node, SECTION_HOST, "slots");

	if (!has_member(node, "slots"))
		report_error(reader, member_raw(node, "backend"), AT_VALUE,
			"slurm expects \"slots\" beside it: how many jobs may run at a time");
	else if (slots != NULL && slots->valuedouble == 0 && !reader->stored)
		report_error(reader, slots, AT_VALUE,
			"expected how many jobs may run at a time, from 1 on: 0 launches none");
}

/* Slurm's limit begins with the job, ours with the command in it, a moment later. */
static void check_slurm_time(struct reader *reader, const cJSON *node)
{
	const cJSON *limit = member(node, SECTION_HOST, "time_limit");
	char text[NUMBER_TEXT];

	if (limit == NULL || member(reader->root, SECTION_FILE, "timeout") == NULL)
		return;
	const int64_t timeout_us = member_duration_us(reader->root, SECTION_FILE, "timeout");
	if (timeout_us < member_duration_us(node, SECTION_HOST, "time_limit"))
		return;
	report_warning(reader, limit, AT_VALUE,
		"\"timeout\", %s, has no effect here: Slurm ends a trial before that, and less "
		"gently",
		number_from_duration_us(timeout_us, text));
}

static void check_slurm(struct reader *reader, const cJSON *node)
{
	static const char *const local[] = { "gpus", "trials_per_gpu", "busy_gpus" };

	for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++)
		if (has_member(node, local[i]))
			report_error(reader, member_raw(node, local[i]), AT_KEY,
				"has no effect with the backend slurm%s",
				i == 0 ? ": \"gpus_per_trial\" or \"gres\" asks for GPUs" : "");
	check_slurm_slots(reader, node);
	check_slurm_url(reader, node);
	check_slurm_lines(reader, node);
	check_slurm_time(reader, node);
}

/* Attempts are found again by their host's name. */
static void check_slurm_name(struct reader *reader, const cJSON *node, const struct job_host *host)
{
	for (const struct job_host *other = reader->file->hosts; other < host; other++)
		if (other->slurm != NULL && other->name[0] == '\0' && host->name[0] == '\0')
			report_error(reader, member_raw(node, "backend"), AT_VALUE,
				"another host of slurm has no \"name\" either: expected one");
}

/* N of "gpu:N", "gpu:a100:N" or "gpu", anywhere among others. */
static unsigned gpus_of_gres(const char *gres)
{
	for (const char *item = gres; *item != '\0';
		item += strcspn(item, ","), item += *item == ',') {
		const size_t length = strcspn(item, ",");
		const char *colon = memrchr(item, ':', length);
		if (strncmp(item, "gpu", 3) != 0 ||
			(item[3] != ':' && item[3] != ',' && item[3] != '\0'))
			continue;
		const unsigned long n = colon != NULL ? strtoul(colon + 1, NULL, 10) : 0;
		return n > 0 && n <= SLOT_GPUS_MAX ? (unsigned)n : 1;
	}
	return 0;
}

static bool read_slurm_gpus(
	struct reader *reader, const cJSON *node, struct job_host *host, struct tuner_error *err)
{
	const cJSON *per_trial = member(node, SECTION_HOST, "gpus_per_trial");
	struct slurm_settings *settings = &host->slurm->settings;
	struct text gres = TEXT_EMPTY;

	host->gpus_auto = false;
	host->gpus_per_trial = 0;
	if (settings->gres != NULL) {
		if (per_trial != NULL)
			report_error(reader, per_trial, AT_KEY, "has no effect beside \"gres\"");
		host->gpus_per_trial = gpus_of_gres(settings->gres);
	} else if (per_trial != NULL) {
		host->gpus_per_trial = (unsigned)per_trial->valuedouble;
		text_print(&gres, "gpu:%u", host->gpus_per_trial);
		settings->gres = text_take(&gres);
		return settings->gres != NULL || tuner_fail_memory(err);
	}
	return true;
}

bool read_slurm(
	struct reader *reader, const cJSON *node, struct job_host *host, struct tuner_error *err)
{
	struct job_slurm *slurm = calloc(1, sizeof(*slurm));
	bool ok = slurm != NULL;

	if (!ok)
		return tuner_fail_memory(err);
	host->slurm = slurm;
	check_slurm(reader, node);
	check_slurm_name(reader, node, host);
	slurm->ahead = (unsigned)member_integer(node, SECTION_HOST, "ahead");
	slurm->directory = take_path(reader, node, "directory", &ok);
	slurm->settings = (struct slurm_settings){
		.url = take_string(node, "url", &ok),
		.user = take_string(node, "user", &ok),
		.token_file = take_path(reader, node, "token_file", &ok),
		.token_command = take_strings(node, "token_command", &ok),
		.partition = take_string(node, "partition", &ok),
		.gres = take_string(node, "gres", &ok),
		.account = take_string(node, "account", &ok),
		.qos = take_string(node, "qos", &ok),
		.constraint = take_string(node, "constraint", &ok),
		.script_lines = take_strings(node, "script_lines", &ok),
		.cores = (unsigned)member_integer(node, SECTION_HOST, "cores"),
		.time_limit_us = member(node, SECTION_HOST, "time_limit") != NULL
					 ? member_duration_us(node, SECTION_HOST, "time_limit")
					 : 0,
		.memory_bytes = member(node, SECTION_HOST, "memory") != NULL
					? member_size(node, SECTION_HOST, "memory")
					: 0,
	};
	return ok ? read_slurm_gpus(reader, node, host, err) : tuner_fail_memory(err);
}

static void free_strings(char *const *strings)
{
	for (char *const *string = strings; string != NULL && *string != NULL; string++)
		free(*string);
	free((void *)strings);
}

void job_slurm_destroy(struct job_slurm *slurm)
{
	if (slurm == NULL)
		return;
	const struct slurm_settings *settings = &slurm->settings;
	const char *const strings[] = { settings->url, settings->user, settings->token_file,
		settings->partition, settings->gres, settings->account, settings->qos,
		settings->constraint };
	for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++)
		free((char *)strings[i]);
	free_strings(settings->token_command);
	free_strings(settings->script_lines);
	free(slurm->directory);
	free(slurm);
}

/* Both have these two. */
static bool is_of_ssh(const char *name)
{
	return strcmp(name, "user") == 0 || strcmp(name, "directory") == 0;
}

void refuse_slurm_keys(struct reader *reader, const cJSON *node, const char *backend)
{
	for (size_t i = 0; i < sizeof(slurm_keys) / sizeof(*slurm_keys); i++)
		if (node != NULL && has_member(node, slurm_keys[i]) &&
			(strcmp(backend, "ssh") != 0 || !is_of_ssh(slurm_keys[i])))
			report_error(reader, member_raw(node, slurm_keys[i]), AT_KEY,
				"has no effect with the backend %s: it is of %sslurm", backend,
				is_of_ssh(slurm_keys[i]) ? "ssh and " : "");
}
