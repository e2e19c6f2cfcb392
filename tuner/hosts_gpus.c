#include "tuner/hosts_gpus.h"

#include "tuner/report_json.h"
#include "tuner/table.h"

#include <math.h>
#include <string.h>

enum { UUID_SHOWN = 12 };

static void add_state(struct table *table, const struct gpu_known *gpu)
{
	const char *state = gpu->state;

	if (strcmp(state, "busy") == 0)
		table_add(table, "left alone: %s", gpu->message);
	else if (strcmp(state, "taken") == 0)
		table_add(table, "taken %s", gpu->message);
	else if (strcmp(state, "gone") == 0)
		table_add(table, "gone: the driver does not list it");
	else if (strlen(gpu->trials) > 2)
		table_add(table, "in use");
	else
		table_add(table, "%s", state[0] == '\0' ? "-" : state);
}

static void add_row(struct table *table, const struct gpu_known *gpu)
{
	const size_t length = strlen(gpu->trials);

	table_add(table, "%s", gpu->host);
	if (gpu->index >= 0)
		table_add(table, "%lld", (long long)gpu->index);
	else
		table_add(table, "-");
	table_add(table, "%.*s", UUID_SHOWN, gpu->uuid);
	table_add(table, "%s", gpu->name[0] != '\0' ? gpu->name : "-");
	table_add(table, "%.*s", length > 2 ? (int)length - 2 : 1,
		length > 2 ? gpu->trials + 1 : "-");
	table_add(table, "%lld", (long long)gpu->attempts);
	if (isnan(gpu->utilisation_mean))
		table_add(table, "-");
	else
		table_add(table, "%.0f %%", gpu->utilisation_mean);
	if (gpu->memory_peak_bytes > 0)
		table_add(table, "%.0f MiB", (double)gpu->memory_peak_bytes / 1048576);
	else
		table_add(table, "-");
	if (gpu->measured_trial > 0)
		table_add(table, "%lld", (long long)gpu->measured_trial);
	else
		table_add(table, "-");
	add_state(table, gpu);
	if (strcmp(gpu->state, "gone") == 0)
		table_style(table, TABLE_RED);
}

bool hosts_gpus_print(const struct invocation *call, const struct gpu_known_list *gpus,
	bool watched, struct tuner_error *err)
{
	const char *columns[] = { "host", "-GPU", "UUID", "name", "trials on it", "-attempts",
		"-mean busy", "-peak memory", "-of trial",
		watched ? "state" : "state in the last run" };

	if (gpus->n == 0)
		return true;

	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));

	for (size_t i = 0; i < gpus->n; i++)
		add_row(table, &gpus->items[i]);
	putchar('\n');
	const bool ok = table_print(table, table_width(), call->color, stdout, err);
	table_destroy(table);
	return ok;
}

static cJSON *measured_json(const struct gpu_known *gpu)
{
	cJSON *object = cJSON_CreateObject();

	if (gpu->measured_trial == 0) {
		cJSON_Delete(object);
		return cJSON_CreateNull();
	}
	if (json_add_integer(object, "trial", gpu->measured_trial) &&
		json_add_integer(object, "gpus", gpu->measured_gpus) &&
		json_add_optional(object, "utilisation_mean", gpu->utilisation_mean) &&
		json_add_integer(object, "memory_peak_bytes", gpu->memory_peak_bytes))
		return object;
	cJSON_Delete(object);
	return NULL;
}

static cJSON *gpu_json(const struct gpu_known *gpu, bool watched)
{
	cJSON *object = cJSON_CreateObject();

	if (json_add_string(object, "gpu", gpu->uuid) &&
		json_add_code(object, "index", gpu->index) &&
		json_add_string(object, "name", gpu->name) &&
		json_add_string(object, "state", gpu->state) &&
		json_add_string(object, "message", gpu->message) &&
		json_add_time(object, "since", gpu->since_us) &&
		json_add_item(object, "watched", cJSON_CreateBool(watched)) &&
		json_add_parsed(object, "trials", gpu->trials) &&
		json_add_integer(object, "attempts", gpu->attempts) &&
		json_add_item(object, "measured", measured_json(gpu)))
		return object;
	cJSON_Delete(object);
	return NULL;
}

cJSON *hosts_gpus_json(const struct gpu_known_list *gpus, const char *host, bool watched)
{
	cJSON *array = cJSON_CreateArray();
	bool ok = array != NULL;

	for (size_t i = 0; ok && i < gpus->n; i++)
		if (strcmp(gpus->items[i].host, host) == 0)
			ok = json_append(array, gpu_json(&gpus->items[i], watched));
	if (ok)
		return array;
	cJSON_Delete(array);
	return NULL;
}
