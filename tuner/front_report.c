#include "tuner/front_report.h"

#include "tuner/hypervolume.h"
#include "tuner/objective.h"
#include "tuner/parameter_names.h"
#include "tuner/report_json.h"
#include "tuner/table.h"
#include "tuner/text_width.h"

#include <stdlib.h>

/* ---- text ---- */

static struct table *make_table(const struct report *report, const struct parameter_names *names)
{
	const size_t n = 1 + report->goals.n + names->n;
	struct text *headers = calloc(n, sizeof(*headers));
	const char **columns = calloc(n, sizeof(*columns));
	struct table *table = NULL;

	for (size_t i = 0; headers != NULL && i < n; i++) {
		headers[i] = TEXT_EMPTY;
		text_print(&headers[i], "-%s",
			i == 0 ? "trial"
			: i <= report->goals.n
				? objective_label_of(i - 1, report->goals.items[i - 1].name)
				: names->items[i - 1 - report->goals.n]);
		if (columns != NULL)
			columns[i] = headers[i].bytes;
	}
	if (columns != NULL)
		table = table_create(columns, n);
	for (size_t i = 0; headers != NULL && i < n; i++)
		text_finish(&headers[i]);
	free(headers);
	free(columns);
	return table;
}

static void add_row(struct table *table, const struct report *report,
	const struct parameter_names *names, const struct trial *trial, const cJSON *parameters)
{
	table_add(table, "%lld", (long long)trial->number);
	for (size_t i = 0; i < report->goals.n; i++)
		table_add(table, "%.6g", goals_value(trial, i));
	for (size_t i = 0; i < names->n; i++) {
		struct text value = TEXT_EMPTY;
		trial_value_text(parameters, names->items[i], &value);
		table_add(table, "%s", value.length > 0 ? value.bytes : "-");
		text_finish(&value);
	}
}

static bool print_table(const struct invocation *call, const struct report *report,
	const struct front *front, struct tuner_error *err)
{
	struct parameter_names names;
	if (!parameter_names_collect(report, &front->trials, &names, err))
		return false;
	struct table *table = make_table(report, &names);
	for (size_t i = 0; table != NULL && i < front->trials.n; i++)
		add_row(table, report, &names, &front->trials.items[i], names.parameters[i]);
	const bool ok = table != NULL ? table_print(table, table_width(), call->color, stdout, err)
				      : tuner_fail_memory(err);
	table_destroy(table);
	parameter_names_finish(&names);
	return ok;
}

static bool print_words(const struct invocation *call, const struct report *report,
	const struct front *front, bool has_command, struct tuner_error *err)
{
	struct text head = TEXT_EMPTY, next = TEXT_EMPTY;
	text_print(&head, "job %s: %zu of %zu results %s on the Pareto front (", report->job.name,
		front->trials.n, front->among, front->trials.n == 1 ? "is" : "are");
	goals_text(&report->goals, &head);
	text_add(&head, "): each other one is surpassed\n");
	text_print(&next, "next: tuner best --trial N --%s ", has_command ? "command" : "params");
	text_add(&next, report->reference);
	text_add(&next, " prints how to repeat trial N\n");
	const bool ok = lines_out(&head, err) && print_table(call, report, front, err) &&
			lines_out(&next, err);
	text_finish(&next);
	text_finish(&head);
	return ok;
}

/* ---- JSON ---- */

static cJSON *goals_json(const struct goals *goals)
{
	cJSON *array = cJSON_CreateArray();
	bool ok = array != NULL;
	for (size_t i = 0; ok && i < goals->n; i++) {
		cJSON *item = cJSON_CreateObject();
		ok = json_append(array, item) &&
		     json_add_string(item, "name", goals->items[i].name) &&
		     json_add_string(
			     item, "goal", goals->items[i].maximize ? "maximize" : "minimize");
	}
	if (ok)
		return array;
	cJSON_Delete(array);
	return NULL;
}

static bool print_json(
	const struct report *report, const struct front *front, struct tuner_error *err)
{
	struct hypervolume volume;
	if (!hypervolume_read(report, &volume, err))
		return false;
	cJSON *object = cJSON_CreateObject(), *trials = NULL;
	bool ok = object != NULL && json_add_string(object, "job", report->job.name) &&
		  json_add_item(object, "objectives", goals_json(&report->goals)) &&
		  json_add_integer(object, "results", (int64_t)front->among) &&
		  json_add_item(object, "hypervolume", hypervolume_json(report, &volume)) &&
		  (trials = cJSON_AddArrayToObject(object, "front")) != NULL;
	for (size_t i = 0; ok && i < front->trials.n; i++)
		ok = json_append(trials, trial_json(report, &front->trials.items[i]));
	hypervolume_finish(&volume);
	if (ok)
		return json_out(object, err);
	cJSON_Delete(object);
	return tuner_fail_memory(err);
}

bool front_print(const struct invocation *call, const struct report *report,
	const struct front *front, bool has_command, struct tuner_error *err)
{
	return call->json ? print_json(report, front, err)
			  : print_words(call, report, front, has_command, err);
}
