#include "tuner/command.h"

#include "base/number.h"
#include "tuner/table.h"
#include "tuner/trial_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT_MAX = 1000000000 };

static bool read_order(const char *text, enum trial_order *ret, struct tuner_error *err)
{
	static const char *const names[] = { "number", "objective", "end" };
	static const enum trial_order orders[] = { TRIAL_BY_NUMBER, TRIAL_BY_OBJECTIVE,
		TRIAL_BY_END };
	*ret = TRIAL_BY_NUMBER;
	for (size_t i = 0; text != NULL && i < 3; i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = orders[i];
			return true;
		}
	return text == NULL || tuner_fail(err, TUNER_USAGE,
				       "--sort takes number, objective or end, not \"%s\"", text);
}

static bool read_state(const char *text, unsigned *ret, struct tuner_error *err)
{
	struct text names = TEXT_EMPTY;
	*ret = 0;
	if (text == NULL)
		return true;
	for (enum trial_state state = 0; state < TRIAL_STATES; state++) {
		if (strcmp(text, trial_state_name(state)) == 0)
			*ret = 1u << state;
		text_print(&names, "%s%s", state ? ", " : "", trial_state_name(state));
	}
	if (*ret == 0)
		tuner_fail(
			err, TUNER_USAGE, "--state takes one of %s, not \"%s\"", names.bytes, text);
	text_finish(&names);
	return *ret != 0;
}

static bool read_filter(
	const struct invocation *call, struct trial_filter *ret, struct tuner_error *err)
{
	*ret = (struct trial_filter){ .repeat = -1 };
	if (!read_order(invocation_option(call, "sort"), &ret->order, err) ||
		!read_state(invocation_option(call, "state"), &ret->states, err) ||
		!invocation_integer(call, "limit", 1, LIMIT_MAX, 0, &ret->limit, err))
		return false;
	ret->newest = ret->order != TRIAL_BY_OBJECTIVE;
	return true;
}

static void add_value(struct table *table, const struct trial *trial)
{
	char text[NUMBER_TEXT];
	if (trial->state == TRIAL_DONE || !isnan(trial->objective))
		table_add(table, "%.6g", trial->objective);
	else if (trial->metric_count > 0)
		table_add(table, "(%.6g)", trial->last_value);
	else
		table_add(table, "-");
	if (trial_took_us(trial) > 0)
		table_add(table, "%s", number_from_duration_us(trial_took_us(trial), text));
	else
		table_add(table, "-");
}

static void add_row(
	struct table *table, const struct report *report, const struct trial *trial, int64_t best)
{
	cJSON *parameters = cJSON_Parse(trial->parameters);
	struct text value = TEXT_EMPTY;
	table_add(table, "%lld", (long long)trial->number);
	table_add(table, "%s", trial_state_name(trial->state));
	table_add(table, "%s", trial->branch);
	for (size_t i = 0; i < report->parameters.n; i++) {
		text_clear(&value);
		trial_value_text(parameters, report->parameters.items[i].name, &value);
		table_add(table, "%s", value.bytes);
	}
	add_value(table, trial);
	table_add(table, "%lld", (long long)trial->attempts);
	if (trial->number == best)
		table_add(table, "best");
	else if (trial->state == TRIAL_DONE)
		table_add(table, "%s", "");
	else
		table_add(table, "%s%s%s", outcome_name(trial->outcome),
			trial->message[0] ? ": " : "", trial->message);
	text_finish(&value);
	cJSON_Delete(parameters);
}

static struct table *make_table(const struct report *report)
{
	const size_t n = report->parameters.n, all = n + 7;
	char **names = calloc(all + 1, sizeof(*names));
	struct table *table = NULL;
	bool ok = names != NULL;
	static const char *const before[] = { "-trial", "state", "proposed by" };
	static const char *const behind[] = { "-time", "-tries", "" };
	for (size_t i = 0; ok && i < all; i++) {
		struct text name = TEXT_EMPTY;
		if (i < 3)
			text_add(&name, before[i]);
		else if (i < 3 + n)
			text_print(&name, "-%s", report->parameters.items[i - 3].name);
		else if (i == 3 + n)
			text_print(&name, "-%s", report->metric);
		else
			text_add(&name, behind[i - 4 - n]);
		ok = (names[i] = text_take(&name)) != NULL;
	}
	if (ok)
		table = table_create((const char *const *)names, all);
	for (size_t i = 0; names != NULL && i < all; i++)
		free(names[i]);
	free(names);
	return table;
}

static bool print_table(const struct report *report, const struct trial_list *list, int64_t best,
	struct tuner_error *err)
{
	struct table *table = make_table(report);
	for (size_t i = 0; i < list->n; i++)
		add_row(table, report, &list->items[i], best);
	const bool ok = table_print(table, table_width(), false, stdout, err);
	table_destroy(table);
	return ok;
}

static bool print_json(const struct report *report, const struct trial_list *list, int64_t best,
	struct tuner_error *err)
{
	cJSON *array = cJSON_CreateArray();
	bool ok = array != NULL;
	for (size_t i = 0; ok && i < list->n; i++) {
		cJSON *object = trial_json(report, &list->items[i]);
		ok = object != NULL && cJSON_AddItemToArray(array, object) &&
		     cJSON_AddBoolToObject(object, "best", list->items[i].number == best);
	}
	if (!ok) {
		cJSON_Delete(array);
		array = NULL;
	}
	return json_out(array, err);
}

int cmd_trials(const struct invocation *call, struct tuner_error *err)
{
	struct report report = { 0 };
	struct trial_filter filter;
	struct trial_list list = { 0 };
	struct trial best = { 0 };
	bool found = false;
	bool ok =
		read_filter(call, &filter, err) &&
		report_open(call, call->n_arguments > 0 ? call->arguments[0] : NULL, &report, err);
	filter.job_id = report.job.id;
	ok = ok && report_best(&report, &best, &found, err) &&
	     trial_select(report.store, &filter, &list, err);
	if (ok && call->json)
		ok = print_json(&report, &list, found ? best.number : 0, err);
	else if (ok && list.n == 0)
		printf("job %s has no such trial.\n", report.job.name);
	else if (ok)
		ok = print_table(&report, &list, found ? best.number : 0, err);
	if (found)
		trial_finish(&best);
	trial_list_finish(&list);
	report_close(&report);
	return ok ? EXIT_DONE : -1;
}
