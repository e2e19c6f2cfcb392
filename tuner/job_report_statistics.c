/* What commands compute: comparison, confirmation, importance. The numbers are taken out of the very documents that
 * the commands print with --json. */
#include "tuner/job_report_inside.h"

#include "tuner/comparison_figure.h"
#include "tuner/comparison_json.h"
#include "tuner/confirmation.h"
#include "tuner/jobfile_facts.h"
#include "tuner/shell_words.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 120 };

/* ---- documents ---- */

/* "arms.0.curve.3.mean_best"; NULL: there is no such thing. */
static const cJSON *find(const cJSON *root, const char *path)
{
	char part[PATH_BYTES];
	const cJSON *node = root;

	while (node != NULL && *path != '\0') {
		const size_t length = strcspn(path, ".");
		snprintf(part, sizeof(part), "%.*s", (int)length, path);
		node = cJSON_IsArray(node) ? cJSON_GetArrayItem(node, atoi(part))
					   : cJSON_GetObjectItemCaseSensitive(node, part);
		path += length + (path[length] == '.');
	}
	return node;
}

static double number(const cJSON *root, const char *path)
{
	const cJSON *node = find(root, path);

	return cJSON_IsNumber(node) ? node->valuedouble : NAN;
}

static const char *words(const cJSON *root, const char *path)
{
	const cJSON *node = find(root, path);

	return cJSON_IsString(node) ? node->valuestring : "";
}

static void cell(struct page *page, const cJSON *root, const char *format, ...) TUNER_PRINTF(3, 4);

static void cell(struct page *page, const cJSON *root, const char *format, ...)
{
	char path[PATH_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	page_cell_number(page, number(root, path), path);
}

static void add_row_of(const cJSON *root, struct text *ret, const char *format, ...)
	TUNER_PRINTF(3, 4);

/* "path value", for a figure's numbers. */
static void add_row_of(const cJSON *root, struct text *ret, const char *format, ...)
{
	char path[PATH_BYTES], value[NUMBER_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	const double v = number(root, path);
	text_print(ret, "%s\t%s\n", path, isnan(v) ? "" : number_from_double(v, value));
}

/* "tuner compare JOB --json" */
static void command_text(
	const struct job_report *report, const char *before, const char *after, struct text *ret)
{
	text_print(ret, "tuner %s %s%s", before, report->reference, after);
}

/* ---- the comparison ---- */

static const char *draw_words(const struct job_file *file, size_t i)
{
	const struct parameter *parameter = &file->space.parameters[i];
	const bool is_number =
		parameter->type == PARAMETER_FLOAT || parameter->type == PARAMETER_INT;

	return has_prior(file, i)                      ? "by its prior"
	       : !is_number                            ? "each value alike"
	       : parameter->scale == SCALE_LOG         ? "uniformly in its logarithm"
	       : parameter->scale == SCALE_REVERSE_LOG ? "uniformly in the logarithm of its "
							 "distance to 1"
						       : "uniformly";
}

/* How random search draws: on the parameter's own scale, which is a rival worth naming. */
static void say_random(const struct job_report *report)
{
	const struct job_file *file = report->file;
	struct text text = TEXT_EMPTY;

	for (size_t i = 0; i < file->space.d; i++)
		text_print(&text, "%s%s %s", i > 0 ? ", " : "", file->space.parameters[i].name,
			draw_words(file, i));
	page_say(report->page,
		"Random search draws every parameter anew and independently, on the parameter's "
		"own "
		"scale: %s.",
		text.bytes);
	report->page->out->failed = report->page->out->failed || text_failed(&text);
	text_finish(&text);
}

static bool has_random(const struct job_file *file)
{
	bool random = file->n_arms == 0 && file->strategy.name == STRATEGY_RANDOM;

	for (size_t a = 0; a < file->n_arms; a++)
		random = random || file->arms[a].strategy.name == STRATEGY_RANDOM;
	return random;
}

static void arms_table(struct job_report *report, const cJSON *root, const char *command)
{
	static const char *const columns[] = { "arm", "strategy", "-mean best", "-95 % from", "-to",
		"-slot-seconds a search", "-money a search" };
	struct page *page = report->page;
	const cJSON *arms = find(root, "arms");
	const int last = (int)number(root, "trials") - 1;
	const bool timed = find(root, "arms.0.over_time") != NULL;
	const bool priced = find(root, "arms.0.over_money") != NULL;

	page_table_open(page, "arms", columns, (size_t)(5 + timed + (timed && priced)));
	for (int a = 0; a < cJSON_GetArraySize(arms); a++) {
		const cJSON *arm = cJSON_GetArrayItem(arms, a);
		page_row_open(page);
		page_cell_text(page, words(arm, "arm"));
		page_cell_text(page, words(arm, "strategy"));
		cell(page, root, "arms.%d.curve.%d.mean_best", a, last);
		cell(page, root, "arms.%d.curve.%d.interval.0", a, last);
		cell(page, root, "arms.%d.curve.%d.interval.1", a, last);
		if (timed)
			cell(page, root, "arms.%d.over_time.total", a);
		if (timed && priced)
			cell(page, root, "arms.%d.over_money.total", a);
		page_row_close(page);
	}
	page_table_close(page, (struct page_source){ .command = command });
}

static void contrast_row(
	struct job_report *report, const cJSON *root, int c, const char *what, const char *key)
{
	struct page *page = report->page;

	page_row_open(page);
	page_cell_text(page, what);
	cell(page, root, "contrasts.%d.%s.difference", c, key);
	cell(page, root, "contrasts.%d.%s.interval.0", c, key);
	cell(page, root, "contrasts.%d.%s.interval.1", c, key);
	cell(page, root, "contrasts.%d.%s.p_value", c, key);
	page_row_close(page);
}

static void speed_row(
	struct job_report *report, const cJSON *root, int c, const char *what, const char *key)
{
	struct page *page = report->page;
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "contrasts.%d.%s", c, key);
	if (find(root, path) == NULL)
		return;
	page_row_open(page);
	page_cell_text(page, what);
	cell(page, root, "contrasts.%d.%s", c, key);
	cell(page, root, "contrasts.%d.%s_interval.0", c, key);
	cell(page, root, "contrasts.%d.%s_interval.1", c, key);
	page_cell_text(page, "");
	page_row_close(page);
}

/* Where every search has spent the same: "over_time", "over_money". */
static void spending(
	struct job_report *report, const cJSON *root, int c, const char *key, const char *command)
{
	static const char *const columns[] = { "positive: the first is better", "-value",
		"-95 % from", "-to", "-p" };
	struct page *page = report->page;
	const bool money = strcmp(key, "over_money") == 0;
	const cJSON *object = cJSON_GetArrayItem(find(root, "contrasts"), c);
	char id[60], path[PATH_BYTES];

	object = find(object, key);
	if (object == NULL)
		return;
	page_say(page, "%s", words(object, "words"));
	if (money && cJSON_IsTrue(find(root, "one_price")))
		return;
	snprintf(id, sizeof(id), "contrast-%d-%s", c, money ? "money" : "time");
	page_table_open(page, id, columns, sizeof(columns) / sizeof(*columns));
	page_row_open(page);
	page_cell_text(page, money ? "money that each search has spent"
				   : "slot-seconds that each search has spent");
	cell(page, root, "contrasts.%d.%s.spent", c, key);
	for (int blank = 0; blank < 3; blank++)
		page_cell_text(page, "");
	page_row_close(page);
	snprintf(path, sizeof(path), "%s.final", key);
	contrast_row(report, root, c, "difference of the best by then", path);
	snprintf(path, sizeof(path), "%s.area", key);
	contrast_row(report, root, c, "of the mean best up to then", path);
	snprintf(path, sizeof(path), "%s.speed_up", key);
	speed_row(report, root, c,
		money ? "times as much money that the slower one needs"
		      : "times as much time that the slower one needs",
		path);
	page_table_close(page, (struct page_source){ .command = command });
}

static void contrast(struct job_report *report, const cJSON *root, int c, const char *command)
{
	static const char *const columns[] = { "positive: the first is better", "-value",
		"-95 % from", "-to", "-p" };
	struct page *page = report->page;
	const cJSON *object = cJSON_GetArrayItem(find(root, "contrasts"), c);
	char id[40], heading[200];

	snprintf(heading, sizeof(heading), "%.80s against %.80s", words(object, "arm"),
		words(object, "against"));
	snprintf(id, sizeof(id), "contrast-%d", c);
	page_subsection(page, heading);
	page_say(page, "%s", words(object, "words"));
	page_table_open(page, id, columns, sizeof(columns) / sizeof(*columns));
	contrast_row(report, root, c, "difference of the best at the end", "final");
	contrast_row(report, root, c, "of the mean best over the trials", "area");
	speed_row(report, root, c, "times as many trials that the slower one needs", "speed_up");
	speed_row(report, root, c, "the same by the expected best of all its random trials",
		"speed_up_expected");
	page_table_close(page, (struct page_source){ .command = command });
	spending(report, root, c, "over_time", command);
	spending(report, root, c, "over_money", command);
}

/* Paths of all that a figure shows. */
static void trials_rows(const struct comparison *comparison, const cJSON *root, struct text *ret)
{
	for (size_t a = 0; a < comparison->n_arms; a++)
		for (size_t t = 0; t < comparison->length; t++) {
			if (!comparison_figure_has(comparison, t))
				continue;
			add_row_of(root, ret, "arms.%zu.curve.%zu.mean_best", a, t);
			add_row_of(root, ret, "arms.%zu.curve.%zu.interval.0", a, t);
			add_row_of(root, ret, "arms.%zu.curve.%zu.interval.1", a, t);
		}
}

static void spending_rows(const cJSON *root, const char *key, struct text *ret)
{
	const int n_arms = cJSON_GetArraySize(find(root, "arms"));

	for (int a = 0; a < n_arms; a++) {
		char path[PATH_BYTES];
		snprintf(path, sizeof(path), "arms.%d.%s.curve", a, key);
		const int n = cJSON_GetArraySize(find(root, path));
		for (int k = 0; k < n; k++) {
			add_row_of(root, ret, "%s.%d.spent", path, k);
			add_row_of(root, ret, "%s.%d.mean_best", path, k);
			add_row_of(root, ret, "%s.%d.interval.0", path, k);
			add_row_of(root, ret, "%s.%d.interval.1", path, k);
		}
	}
}

static bool comparison_chart(struct job_report *report, const struct comparison *comparison,
	enum axis axis, const cJSON *root, const char *command, struct tuner_error *err)
{
	static const char *const ids[AXES] = { "comparison-curves", "comparison-time",
		"comparison-money" };
	static const char *const captions[AXES] = {
		"The best so far over the trials, as a mean of the repeats",
		("The same over the slot-seconds that each search has spent, failed attempts "
		 "included"),
		"The same over the money that each search has spent",
	};
	struct text svg = TEXT_EMPTY, rows = TEXT_EMPTY;
	bool ok = comparison_figure(comparison, axis, &svg, err);

	if (axis == OVER_TRIALS && !comparison_figure_has(comparison, 1) && comparison->length > 2)
		page_say(report->page, "Of the curves %d points are drawn.",
			(int)COMPARISON_POINTS_MAX);
	if (axis == OVER_TRIALS)
		trials_rows(comparison, root, &rows);
	else
		spending_rows(root, axis == OVER_TIME ? "over_time" : "over_money", &rows);
	ok = ok && (!text_failed(&rows) || tuner_fail_memory(err)) &&
	     page_figure(report->page, ids[axis], captions[axis], svg.bytes, rows.bytes, NULL,
		     (struct page_source){ .command = command }, err);
	text_finish(&svg);
	text_finish(&rows);
	return ok;
}

/* Over trials; over time and, unless that is the same by one price, money. */
static bool comparison_charts(struct job_report *report, const struct comparison *comparison,
	const cJSON *root, const char *command, struct tuner_error *err)
{
	for (enum axis axis = OVER_TRIALS; axis < AXES; axis++) {
		struct tuner_error why;
		if (!comparison_check_axis(comparison, axis, &why) ||
			(axis == OVER_MONEY && comparison->one_price))
			continue;
		if (!comparison_chart(report, comparison, axis, root, command, err))
			return false;
	}
	return true;
}

static bool show_comparison(
	struct job_report *report, const struct comparison *comparison, struct tuner_error *err)
{
	struct text command = TEXT_EMPTY;
	cJSON *root = comparison_json(comparison, err);
	bool ok = root != NULL;

	command_text(report, "compare", " --json", &command);
	if (ok && comparison->by_volume)
		page_say(report->page,
			"The searches are compared by the hypervolume that the results of each "
			"cover so far, as a part of the box between one reference point and the "
			"best of each objective. That is meant where it says best.");
	if (ok) {
		arms_table(report, root, command.bytes);
		ok = comparison_charts(report, comparison, root, command.bytes, err);
	}
	for (int c = 0; ok && c < cJSON_GetArraySize(find(root, "contrasts")); c++)
		contrast(report, root, c, command.bytes);
	cJSON_Delete(root);
	text_finish(&command);
	return ok;
}

bool report_comparison(struct job_report *report, struct tuner_error *err)
{
	struct tuner_error why = { TUNER_OK, "" };
	struct comparison comparison = { 0 };
	bool ok = true;

	page_section(report->page, "comparison", "Comparison");
	if (!report->report->has_arms) {
		page_say(report->page, "The job has no \"arms\": nothing was compared.");
	} else if (comparison_of_job(report->report, 0, &comparison, &why)) {
		ok = show_comparison(report, &comparison, err);
		comparison_finish(&comparison);
	} else if (why.code == TUNER_USAGE) {
		page_say(report->page, "There is no comparison: %s.", why.message);
	} else {
		*err = why;
		ok = false;
	}
	if (ok && report->file != NULL && has_random(report->file))
		say_random(report);
	return ok;
}

/* ---- the confirmation ---- */

static void confirmation_table(struct job_report *report, const cJSON *root, const char *command)
{
	static const char *const columns[] = { "-trial", "which", "-seen", "-repeats", "-mean",
		"-95 % from", "-to", "-optimism", "-95 % from", "-to" };
	struct page *page = report->page;
	const cJSON *items = find(root, "configurations");

	page_table_open(page, "confirmed", columns, sizeof(columns) / sizeof(*columns));
	for (int i = 0; i < cJSON_GetArraySize(items); i++) {
		page_row_open(page);
		cell(page, root, "configurations.%d.trial", i);
		page_cell_text(page, cJSON_IsTrue(find(cJSON_GetArrayItem(items, i), "default"))
					     ? "the default"
					     : "");
		cell(page, root, "configurations.%d.seen", i);
		cell(page, root, "configurations.%d.repeats", i);
		cell(page, root, "configurations.%d.mean", i);
		cell(page, root, "configurations.%d.interval.0", i);
		cell(page, root, "configurations.%d.interval.1", i);
		cell(page, root, "configurations.%d.optimism", i);
		cell(page, root, "configurations.%d.optimism_interval.0", i);
		cell(page, root, "configurations.%d.optimism_interval.1", i);
		page_row_close(page);
	}
	page_table_close(page, (struct page_source){ .command = command });
}

static void differences_table(struct job_report *report, const cJSON *root, const char *command)
{
	static const struct {
		const char *key, *what;
	} rows[] = { { "second", "the second" }, { "default", "the default" } };
	static const char *const columns[] = { "the best against", "-is better by", "-95 % from",
		"-to", "-p" };
	struct page *page = report->page;

	page_table_open(page, "confirmed-differences", columns, sizeof(columns) / sizeof(*columns));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!cJSON_IsObject(find(root, rows[i].key)))
			continue;
		page_row_open(page);
		page_cell_text(page, rows[i].what);
		cell(page, root, "%s.difference", rows[i].key);
		cell(page, root, "%s.interval.0", rows[i].key);
		cell(page, root, "%s.interval.1", rows[i].key);
		cell(page, root, "%s.p_value", rows[i].key);
		page_row_close(page);
	}
	page_table_close(page, (struct page_source){ .command = command });
}

static bool show_confirmation(
	struct job_report *report, const struct confirmation *confirmation, struct tuner_error *err)
{
	struct text command = TEXT_EMPTY;
	cJSON *root = confirmation_json(report->report, confirmation);

	if (root == NULL)
		return tuner_fail_memory(err);
	command_text(report, "confirm", " --show --json", &command);
	page_say(report->page, "%s", words(root, "words"));
	confirmation_table(report, root, command.bytes);
	differences_table(report, root, command.bytes);
	cJSON_Delete(root);
	text_finish(&command);
	return true;
}

bool report_confirmation(struct job_report *report, struct tuner_error *err)
{
	struct confirmation confirmation = { 0 };
	bool found = false;

	if (!confirmation_read(report->report, &confirmation, &found, err))
		return false;
	page_section(report->page, "confirmation", "Confirmation");
	if (!found && report->several)
		page_say(report->page,
			"Nothing was trained again with other seeds: results on the Pareto front "
			"may be partly luck.");
	else if (!found)
		page_say(report->page,
			"Nothing was trained again with other seeds: the best result may be partly "
			"luck (tuner confirm %s).",
			report->reference);
	const bool ok = !found || show_confirmation(report, &confirmation, err);
	confirmation_finish(&confirmation);
	return ok;
}

/* ---- importance ---- */

static void importance_table(
	struct job_report *report, const cJSON *root, const char *id, const char *command)
{
	static const char *const columns[] = { "parameter", "-total", "-5 %", "-95 %", "-alone",
		"-5 %", "-95 %" };
	static const char *const keys[] = { "total", "total_low", "total_high", "alone",
		"alone_low", "alone_high" };
	struct page *page = report->page;
	const cJSON *parameters = find(root, "parameters");

	page_table_open(page, id, columns, sizeof(columns) / sizeof(*columns));
	for (int i = 0; i < cJSON_GetArraySize(parameters); i++) {
		page_row_open(page);
		page_cell_text(page, words(cJSON_GetArrayItem(parameters, i), "parameter"));
		for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++)
			cell(page, root, "parameters.%d.%s", i, keys[k]);
		page_row_close(page);
	}
	page_table_close(page, (struct page_source){ .command = command });
}

/* "tuner importance JOB --objective NAME --json" */
static void importance_command(const struct job_report *report, size_t goal, struct text *ret)
{
	struct text after = TEXT_EMPTY;

	if (report->several) {
		text_add(&after, " --objective ");
		text_add_shell_word(&after, report->report->goals.items[goal].name);
	}
	text_add(&after, " --json");
	command_text(report, "importance", after.bytes, ret);
	text_finish(&after);
}

static bool show_importance(struct job_report *report, const struct importance_report *importance,
	struct tuner_error *err)
{
	const size_t goal = importance->goal;
	struct text command = TEXT_EMPTY;
	cJSON *root = importance_json(report->report, importance);
	char id[40];

	if (root == NULL)
		return tuner_fail_memory(err);
	page_say(report->page,
		"Total: the part of %s's variance over the search space in which a parameter has a "
		"hand; alone: what it does whatever the others are. By a Gaussian process of the "
		"finished trials, which predicts each from the others with R2 = %.2f.",
		report->several ? report->report->goals.items[goal].name : report->report->metric,
		importance->importance.explained);
	for (size_t i = 0; i < importance->n_warnings; i++)
		page_say(report->page, "Warning: %s.", importance->warnings[i]);
	importance_command(report, goal, &command);
	if (goal == 0)
		snprintf(id, sizeof(id), "importance-table");
	else
		snprintf(id, sizeof(id), "importance-table-%zu", goal + 1);
	importance_table(report, root, id, command.bytes);
	cJSON_Delete(root);
	text_finish(&command);
	return true;
}

static void say_no_importance(struct job_report *report, const struct tuner_error *why)
{
	page_say(report->page, "Nothing can be said about it: %s.", why->message);
}

/* The models of the others; that of the first objective is there. */
static bool other_importances(struct job_report *report, struct tuner_error *err)
{
	bool ok = true;

	for (size_t i = 1; ok && i < report->report->goals.n; i++) {
		struct importance_report other = { .file = NULL };
		struct tuner_error why = { TUNER_OK, "" };
		page_subsection(report->page, report->report->goals.items[i].name);
		if (importance_read(report->report, i, &other, &why)) {
			ok = show_importance(report, &other, err);
			importance_report_finish(&other);
		} else {
			say_no_importance(report, &why);
		}
	}
	return ok;
}

bool report_importance(struct job_report *report, struct tuner_error *err)
{
	page_section(report->page, "importance", "Which parameters matter");
	if (!report->has_importance) {
		say_no_importance(report, &report->no_importance);
		return true;
	}
	if (report->several)
		page_subsection(report->page, report->report->goals.items[0].name);
	return show_importance(report, &report->importance, err) &&
	       (!report->several || other_importances(report, err));
}
