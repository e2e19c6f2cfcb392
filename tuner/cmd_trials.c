#include "tuner/command.h"

#include "base/number.h"
#include "tuner/job_open.h"
#include "tuner/front.h"
#include "tuner/objective.h"
#include "tuner/parameter_names.h"
#include "tuner/provenance_report.h"
#include "tuner/report_json.h"
#include "tuner/table.h"
#include "tuner/trial_csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT_MAX = 1000000000 };

/* ---- what is asked for ---- */

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

static bool unknown_state(const char *word, size_t length, struct tuner_error *err)
{
	struct text names = TEXT_EMPTY;
	for (enum trial_state state = 0; state < TRIAL_STATES; state++)
		text_print(&names, "%s%s", state ? ", " : "", trial_state_name(state));
	tuner_fail(err, TUNER_USAGE, "--state takes some of %s, separated by commas, not \"%.*s\"",
		names.bytes, (int)(length < 100 ? length : 100), word);
	text_finish(&names);
	return false;
}

/* "done" or "failed,stopped". */
static bool read_states(const char *text, unsigned *ret, struct tuner_error *err)
{
	*ret = 0;
	while (text != NULL) {
		const size_t length = strcspn(text, ",");
		enum trial_state state = 0;
		while (state < TRIAL_STATES &&
			(strlen(trial_state_name(state)) != length ||
				strncmp(trial_state_name(state), text, length) != 0))
			state++;
		if (state == TRIAL_STATES)
			return unknown_state(text, length, err);
		*ret |= 1u << state;
		text = text[length] == ',' ? text + length + 1 : NULL;
	}
	return true;
}

static bool read_filter(
	const struct invocation *call, struct trial_filter *ret, struct tuner_error *err)
{
	int64_t repeat;
	*ret = (struct trial_filter){ .arm = invocation_option(call, "arm") };
	if (call->json && invocation_option(call, "csv") != NULL)
		return tuner_fail(err, TUNER_USAGE, "--csv and --json exclude each other");
	if (!invocation_integer(call, "repeat", 1, ARM_REPEATS_MAX, 0, &repeat, err) ||
		!read_order(invocation_option(call, "sort"), &ret->order, err) ||
		!read_states(invocation_option(call, "state"), &ret->states, err) ||
		!invocation_integer(call, "limit", 1, LIMIT_MAX, 0, &ret->limit, err))
		return false;
	ret->repeat = repeat - 1;
	ret->newest = ret->order != TRIAL_BY_OBJECTIVE;
	return true;
}

/* arm NULL, repeat -1: any. */
static bool has_trial(const struct report *report, const char *arm, int64_t repeat, bool *ret,
	struct tuner_error *err)
{
	const struct trial_filter filter = { .job_id = report->job.id,
		.arm = arm,
		.repeat = repeat,
		.limit = 1,
		.without_values = true };
	struct trial_list list;
	if (!trial_select(report->store, &filter, &list, err))
		return false;
	*ret = list.n > 0;
	trial_list_finish(&list);
	return true;
}

/* Also true for an arm that only trials from before an edit have. */
static bool has_arm(const struct report *report, const struct job_file *file, const char *arm,
	bool *ret, struct tuner_error *err)
{
	*ret = arm == NULL;
	for (size_t i = 0; i < file->n_arms; i++)
		*ret = *ret || strcmp(file->arms[i].name, arm) == 0;
	return *ret || has_trial(report, arm, -1, ret, err);
}

static bool has_repeat(const struct report *report, const struct job_file *file, int64_t repeat,
	bool *ret, struct tuner_error *err)
{
	*ret = repeat < file->repeats;
	return *ret || has_trial(report, NULL, repeat, ret, err);
}

static bool fail_arm(const struct job_file *file, const char *arm, struct tuner_error *err)
{
	struct text names = TEXT_EMPTY;
	for (size_t i = 0; i < file->n_arms; i++)
		text_print(&names, "%s%s", i > 0 ? ", " : "", file->arms[i].name);
	tuner_fail(err, TUNER_USAGE, "there is no arm \"%.64s\"; there are: %s", arm, names.bytes);
	text_finish(&names);
	return false;
}

/* What the job does not have would show nothing, as if it were an answer. */
static bool check_search(
	const struct report *report, const struct trial_filter *filter, struct tuner_error *err)
{
	struct job_file *file = NULL;
	bool arm = false, repeat = false;
	if (filter->arm == NULL && filter->repeat < 0)
		return true;
	if (!report->has_arms)
		return tuner_fail(err, TUNER_USAGE,
			"job %s has no \"arms\": --arm and --repeat have nothing to choose",
			report->job.name);
	const bool ok =
		job_stored_file(&report->job, &file, err) &&
		has_arm(report, file, filter->arm, &arm, err) &&
		(arm || fail_arm(file, filter->arm, err)) &&
		has_repeat(report, file, filter->repeat, &repeat, err) &&
		(repeat || tuner_fail(err, TUNER_USAGE,
				   "there is no repeat %lld; there are: 1 to %lld",
				   (long long)filter->repeat + 1, (long long)file->repeats));
	job_file_destroy(file);
	return ok;
}

/* ---- the table ---- */

/* Which code each trial ran; a column of the table if there are several states of the code. */
struct marks {
	struct ran *ran; /* by trial of the list */
	bool shown;
};

static bool marks_read(const struct report *report, const struct trial_list *list,
	struct marks *ret, struct tuner_error *err)
{
	struct states states;
	bool ok = states_read(report, &states, err);
	if (!ok)
		return false;
	ret->shown = states.code.n > 1;
	ret->ran = calloc(list->n + 1, sizeof(*ret->ran));
	ok = ret->ran != NULL || tuner_fail_memory(err);
	for (size_t i = 0; ok && i < list->n; i++)
		ok = ran_read(report, &states, list->items[i].id, &ret->ran[i], err);
	states_finish(&states);
	return ok;
}

static void add_mark(struct table *table, const struct ran *ran)
{
	struct text text = TEXT_EMPTY;
	for (size_t i = 0; i < ran->n; i++)
		text_print(&text, "%s%lld", i ? ", " : "", (long long)ran->numbers[i]);
	table_add(table, "%s", ran->n > 0 ? text.bytes : "-");
	text_finish(&text);
}

static cJSON *mark_json(const struct ran *ran)
{
	cJSON *array = cJSON_CreateArray();
	for (size_t i = 0; i < ran->n; i++)
		if (!json_append(array, cJSON_CreateNumber((double)ran->numbers[i]))) {
			cJSON_Delete(array);
			return NULL;
		}
	return array;
}

static struct table *make_table(
	const struct report *report, const struct parameter_names *names, const struct marks *marks)
{
	/* The columns of most interest come first, where a narrow terminal does not cut them
	 * off. */
	static const char *const before[] = { "-trial", "state", "proposed by" };
	static const char *const plain[] = { "-time", "-tries", "" };
	static const char *const marked[] = { "-time", "-tries", "-code", "" };
	enum { BEFORE = 3 };
	const size_t objectives = BEFORE + report->goals.n; /* behind them the column "best" */
	const char *const *behind = marks->shown ? marked : plain;
	const size_t all = objectives + 1 + names->n + (marks->shown ? 4 : 3);
	struct text *headers = calloc(all, sizeof(*headers));
	const char **columns = calloc(all, sizeof(*columns));
	struct table *table = NULL;
	bool ok = headers != NULL && columns != NULL;
	for (size_t i = 0; ok && i < all; i++) {
		headers[i] = TEXT_EMPTY;
		if (i < BEFORE)
			text_add(&headers[i], before[i]);
		else if (i < objectives)
			text_print(&headers[i], "-%s",
				objective_label_of(
					i - BEFORE, report->goals.items[i - BEFORE].name));
		else if (i > objectives && i <= objectives + names->n)
			text_print(&headers[i], "-%s", names->items[i - objectives - 1]);
		else if (i > objectives + names->n)
			text_add(&headers[i], behind[i - objectives - 1 - names->n]);
		columns[i] = headers[i].bytes;
	}
	if (ok)
		table = table_create(columns, all);
	for (size_t i = 0; headers != NULL && i < all; i++)
		text_finish(&headers[i]);
	free(headers);
	free(columns);
	return table;
}

/* The objective; in brackets what is known of it if the trial is not done: over a limit all. */
static void add_objective(struct table *table, const struct trial *trial)
{
	if (trial->state == TRIAL_DONE)
		table_add(table, "%.6g", trial->objective);
	else if (!isnan(trial->objective))
		table_add(table, "(%.6g)", trial->objective);
	else if (!isnan(goals_value(trial, 0)))
		table_add(table, "(%.6g)", goals_value(trial, 0));
	else if (trial->metric_count > 0)
		table_add(table, "(%.6g)", trial->last_value);
	else
		table_add(table, "-");
}

static void add_note(struct table *table, const struct report *report, const struct trial *trial)
{
	if (trial->state == TRIAL_RUNNING && trial->metric_count > 0)
		table_add(table, "at step %lld", (long long)trial->last_step);
	else if (trial->state == TRIAL_DONE && !isnan(trial->best_value) &&
		 (report->maximize ? trial->best_value > trial->objective
				   : trial->best_value < trial->objective))
		table_add(table, "%.6g on the way", trial->best_value);
	else if (trial->state == TRIAL_DONE || trial->outcome == OUTCOME_NONE)
		table_add(table, "%s", trial->state == TRIAL_DONE ? "" : trial->message);
	else
		table_add(table, "%s%s%s", outcome_name(trial->outcome),
			trial->message[0] ? ": " : "", trial->message);
}

static enum table_style style_of(const struct trial *trial, bool best)
{
	switch (trial->state) {
	case TRIAL_FAILED:
		return TABLE_RED;
	case TRIAL_STOPPED:
		return TABLE_YELLOW;
	case TRIAL_PROPOSED:
		return TABLE_FAINT;
	default:
		return best ? TABLE_GREEN : TABLE_PLAIN;
	}
}

static void add_row(struct table *table, const struct report *report,
	const struct parameter_names *names, const struct ran *ran, const struct trial *trial,
	const cJSON *parameters, bool best)
{
	struct text value = TEXT_EMPTY;
	char took[NUMBER_TEXT];
	table_add(table, "%lld", (long long)trial->number);
	table_add(table, "%s", trial_state_name(trial->state));
	trial_add_search(report, trial, &value);
	table_add(table, "%s%s", value.bytes, trial->branch);
	add_objective(table, trial);
	for (size_t i = 1; i < report->goals.n; i++)
		if (isnan(goals_value(trial, i)))
			table_add(table, "-");
		else
			table_add(table, "%.6g", goals_value(trial, i));
	table_add(table, "%s", !best ? "" : report->goals.n > 1 ? "front" : "best");
	for (size_t i = 0; i < names->n; i++) {
		text_clear(&value);
		trial_value_text(parameters, names->items[i], &value);
		table_add(table, "%s", value.length > 0 ? value.bytes : "-");
	}
	table_add(table, "%s",
		trial->started_us > 0 ? number_from_duration_us(trial_took_us(trial), took) : "-");
	table_add(table, "%lld", (long long)trial->attempts);
	if (ran != NULL)
		add_mark(table, ran);
	add_note(table, report, trial);
	table_style(table, style_of(trial, best));
	text_finish(&value);
}

static bool print_table(const struct invocation *call, const struct report *report,
	const struct marks *marks, const struct trial_list *list, const struct front *best,
	struct tuner_error *err)
{
	struct parameter_names names;
	if (!parameter_names_collect(report, list, &names, err))
		return false;
	struct table *table = make_table(report, &names, marks);
	for (size_t i = 0; i < list->n; i++)
		add_row(table, report, &names, marks->shown ? &marks->ran[i] : NULL,
			&list->items[i], names.parameters[i],
			front_trial(best, list->items[i].number) != NULL);
	const bool ok = table_print(table, table_width(), call->color, stdout, err);
	table_destroy(table);
	parameter_names_finish(&names);
	return ok;
}

static bool print_csv(const struct report *report, const struct trial_list *list,
	const struct front *best, struct tuner_error *err)
{
	struct parameter_names names;
	if (!parameter_names_collect(report, list, &names, err))
		return false;
	const bool ok = trials_csv(report, list, &names, best, err);
	parameter_names_finish(&names);
	return ok;
}

static bool print_json(const struct report *report, const struct marks *marks,
	const struct trial_list *list, const struct front *best, struct tuner_error *err)
{
	cJSON *array = cJSON_CreateArray();
	for (size_t i = 0; i < list->n; i++) {
		cJSON *trial = trial_json(report, &list->items[i]);
		if (!json_append(array, trial) ||
			!cJSON_AddBoolToObject(
				trial, "best", front_trial(best, list->items[i].number) != NULL) ||
			!json_add_item(trial, "code", mark_json(&marks->ran[i]))) {
			cJSON_Delete(array);
			return tuner_fail_memory(err);
		}
	}
	return json_out(array, err);
}

static void print_none(const struct report *report, const struct trial_filter *filter)
{
	if (filter->states == 0 && filter->arm == NULL && filter->repeat < 0)
		printf("job %s has no trial yet.\n", report->job.name);
	else
		printf("job %s has no such trial.\n", report->job.name);
}

int cmd_trials(const struct invocation *call, struct tuner_error *err)
{
	struct report report = { 0 };
	struct trial_filter filter;
	struct trial_list list = { 0 };
	struct marks marks = { 0 };
	struct front best = { 0 };
	bool ok =
		read_filter(call, &filter, err) &&
		report_open(call, call->n_arguments > 0 ? call->arguments[0] : NULL, &report, err);
	filter.job_id = report.job.id;
	ok = ok && check_search(&report, &filter, err) && front_read_best(&report, &best, err) &&
	     trial_select(report.store, &filter, &list, err) &&
	     marks_read(&report, &list, &marks, err);
	if (ok && call->json)
		ok = print_json(&report, &marks, &list, &best, err);
	else if (ok && invocation_option(call, "csv") != NULL)
		ok = print_csv(&report, &list, &best, err);
	else if (ok && list.n == 0)
		print_none(&report, &filter);
	else if (ok)
		ok = print_table(call, &report, &marks, &list, &best, err);
	front_finish(&best);
	free(marks.ran);
	trial_list_finish(&list);
	report_close(&report);
	return ok ? EXIT_DONE : -1;
}
