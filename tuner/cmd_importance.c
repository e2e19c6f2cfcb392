#include "tuner/command.h"

#include "tuner/importance_report.h"
#include "tuner/report_json.h"
#include "tuner/sparkline.h"
#include "tuner/table.h"

#include <string.h>

enum { BAR_PLACES = 20 };

/* ---- text ---- */

static void add_share(struct table *table, const struct share *share)
{
	table_add(table, "%.2f", share->value);
	table_add(table, "%.2f - %.2f", share->low, share->high);
}

static void add_row(struct table *table, const struct importance_report *result, size_t i)
{
	const struct importance *importance = &result->importance;
	struct text bar = TEXT_EMPTY;
	text_add_bar(&bar, importance->total[i].value, BAR_PLACES);
	table_add(table, "%s", result->file->space.parameters[i].name);
	table_add(table, "%s", bar.bytes);
	add_share(table, &importance->total[i]);
	add_share(table, &importance->first[i]);
	text_finish(&bar);
}

static bool print_table(const struct invocation *call, const struct importance_report *result,
	struct tuner_error *err)
{
	static const char *const columns[] = { "parameter", "importance", "-total", "5 % - 95 %",
		"-alone", "5 % - 95 %" };
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));
	for (size_t i = 0; i < result->file->space.d; i++)
		add_row(table, result, result->order[i]);
	const bool ok = table_print(table, table_width(), call->color, stdout, err);
	table_destroy(table);
	return ok;
}

static bool print_notes(const struct report *report, const struct importance_report *result,
	struct tuner_error *err)
{
	const struct importance *importance = &result->importance;
	struct text out = TEXT_EMPTY;

	text_print(&out,
		"\ntotal: the part of %s's variance over the search space that goes with a "
		"parameter;\nalone: what it does whatever the others are; parameters together do "
		"%.2f.\n",
		report->goals.items[result->goal].name, importance_together(importance));
	text_print(&out,
		"From %zu trials, each predicted from the others with R2 = %.2f; noise is %.2f of "
		"the variance.\n",
		importance->n, importance->explained, importance->noise);
	for (size_t i = 0; i < result->n_warnings; i++)
		text_print(&out, "warning: %s\n", result->warnings[i]);
	return lines_out(&out, err);
}

static bool print_json(const struct report *report, const struct importance_report *result,
	struct tuner_error *err)
{
	return json_out(importance_json(report, result), err);
}

/* The objective that --objective names; the first without it. */
static bool choose_goal(const struct invocation *call, const struct report *report, size_t *ret,
	struct tuner_error *err)
{
	const char *name = invocation_option(call, "objective");
	struct text names = TEXT_EMPTY;
	*ret = 0;
	while (name != NULL && *ret < report->goals.n &&
		strcmp(report->goals.items[*ret].name, name) != 0)
		++*ret;
	if (*ret < report->goals.n)
		return true;
	goals_text(&report->goals, &names);
	tuner_fail(err, TUNER_USAGE, "job %s has no objective \"%.100s\": it is to %.200s",
		report->job.name, name, names.bytes);
	text_finish(&names);
	return false;
}

int cmd_importance(const struct invocation *call, struct tuner_error *err)
{
	struct report report = { 0 };
	struct importance_report result = { .file = NULL };
	const char *job = call->n_arguments > 0 ? call->arguments[0] : NULL;
	size_t goal;
	bool ok =
		report_open(call, job, &report, err) && choose_goal(call, &report, &goal, err) &&
		importance_read(&report, goal, &result, err) &&
		(call->json ? print_json(&report, &result, err) : print_table(call, &result, err));

	if (ok && !call->json)
		ok = print_notes(&report, &result, err);
	importance_report_finish(&result);
	report_close(&report);
	return ok ? EXIT_DONE : -1;
}
