/* tuner confirm: retrains the best trials of a search with other seeds. */
#include "tuner/command.h"

#include "tuner/confirmation.h"
#include "tuner/job_argument.h"
#include "tuner/job_open.h"
#include "tuner/report_json.h"
#include "tuner/store_wait.h"
#include "tuner/table.h"
#include "tuner/trial_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- running the repeats ---- */

static const struct subcommand *find_run(void)
{
	const struct subcommand *command = commands;

	while (command->run != cmd_run)
		command++;
	return command;
}

static void pass_option(const struct invocation *call, const char *name, struct invocation *ret)
{
	for (size_t i = 0; i < call->n_options; i++)
		if (strcmp(call->options[i].row->name, name) == 0)
			ret->options[ret->n_options++] = call->options[i];
}

/* As `tuner run NAME` does it. With --json its lines go to standard error. */
static int run_repeats(const struct invocation *call, const char *name, struct tuner_error *err)
{
	const char *arguments[1] = { name };
	struct invocation run = { .command = find_run(),
		.program = call->program,
		.db = call->db,
		.color = call->color && !call->json,
		.arguments = arguments,
		.n_arguments = 1 };
	int kept = -1;

	pass_option(call, "quiet", &run);
	pass_option(call, "accept-change", &run);
	fflush(stdout);
	if (call->json && (kept = dup(STDOUT_FILENO)) >= 0)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	const int status = cmd_run(&run, err);
	fflush(stdout);
	if (kept >= 0) {
		dup2(kept, STDOUT_FILENO);
		close(kept);
	}
	return status;
}

static bool store_job(
	const struct invocation *call, const struct job_file *file, struct tuner_error *err)
{
	struct store *store = NULL;
	struct job_opening opening = { .changes = TEXT_EMPTY };
	const bool ok = store_open_soon(call->db, STORE_INSTANT_MS, &store, err) &&
			job_open(store, file, invocation_option(call, "accept-change") != NULL,
				invocation_option(call, "db"), &opening, err);

	text_finish(&opening.changes);
	store_close(store);
	return ok;
}

static bool check_objectives(const struct report *report, struct tuner_error *err)
{
	return report->goals.n == 1 || tuner_fail(err, TUNER_USAGE,
					       "job %s has several objectives, and so no best "
					       "trial to confirm: \"tuner best "
					       "%s\" shows the Pareto front",
					       report->job.name, report->reference);
}

/* Also EXIT_DONE if nothing was left to run. */
static int train(
	const struct invocation *call, const struct report *report, struct tuner_error *err)
{
	struct job_file *file = NULL;
	int64_t top, repeats;
	bool left = false;
	int status = -1;

	if (!check_objectives(report, err) ||
		!invocation_integer(call, "top", 1, CONFIRM_TOP_MAX, 3, &top, err) ||
		!invocation_integer(call, "repeats", 1, CONFIRM_REPEATS_MAX, 5, &repeats, err) ||
		!confirmation_plan(report, top, repeats, &file, &left, err))
		return -1;
	if (!left)
		status = EXIT_DONE;
	else if (job_argument_is_file(file->name))
		tuner_fail(err, TUNER_USAGE,
			"a file here is called \"%s\", like the job of the repeats: use another "
			"directory, or rename it",
			file->name);
	else if (store_job(call, file, err))
		status = run_repeats(call, file->name, err);
	job_file_destroy(file);
	return status;
}

/* ---- what came of it ---- */

static void add_interval(struct table *table, struct interval interval)
{
	if (isfinite(interval.low) && isfinite(interval.high))
		table_add(table, "%.5g to %.5g", interval.low, interval.high);
	else
		table_add(table, "-");
}

static void add_number(struct table *table, const char *format, double value)
{
	char cell[40];

	if (strcmp(format, "%+.3g") == 0)
		snprintf(cell, sizeof(cell), "%+.3g", value);
	else
		snprintf(cell, sizeof(cell), "%.5g", value);
	table_add(table, "%s", isnan(value) ? "-" : cell);
}

static bool print_table(const struct invocation *call, const struct confirmation *confirmation,
	struct tuner_error *err)
{
	static const char *const columns[] = { "-trial", "-seen", "-repeats", "-mean",
		"95 % interval", "-optimism", "95 % interval", "" };
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));

	for (size_t i = 0; i < confirmation->n; i++) {
		const struct confirmed *item = &confirmation->items[i];
		table_add(table, "%lld", (long long)item->trial);
		add_number(table, "", item->seen);
		if (item->n == item->ended)
			table_add(table, "%zu", item->n);
		else
			table_add(table, "%zu of %zu", item->n, item->ended);
		add_number(table, "", item->mean);
		add_interval(table, item->interval);
		add_number(table, "%+.3g", item->optimism);
		add_interval(table, item->optimism_interval);
		table_add(table, "%s", item->is_default ? "the default" : "");
	}
	const bool ok = table_print(table, table_width(), call->color, stdout, err);
	table_destroy(table);
	return ok;
}

static bool print_words(const struct invocation *call, const struct confirmation *confirmation,
	struct tuner_error *err)
{
	struct text words = TEXT_EMPTY;

	confirmation_words(confirmation, &words);
	const bool ok =
		print_table(call, confirmation, err) && paragraph_print(&words, stdout, err);
	text_finish(&words);
	return ok;
}

static bool show(
	const struct invocation *call, const struct report *report, struct tuner_error *err)
{
	struct confirmation confirmation = { 0 };
	bool found = false;

	if (!confirmation_read(report, &confirmation, &found, err))
		return false;
	bool ok =
		found ||
		tuner_fail(err, TUNER_USAGE,
			"nothing of job %s has been confirmed yet: \"tuner confirm %s\" does that",
			report->job.name, report->reference);
	ok = ok && (call->json ? json_out(confirmation_json(report, &confirmation), err)
			       : print_words(call, &confirmation, err));
	confirmation_finish(&confirmation);
	return ok;
}

/* The database is closed for reading while it is written. */
static int train_and_reopen(
	const struct invocation *call, struct report *report, struct tuner_error *err)
{
	char *name = strdup(report->job.name);
	if (name == NULL) {
		(void)tuner_fail_memory(err);
		return -1;
	}
	const int status = train(call, report, err);

	report_close(report);
	const bool ok = status >= 0 && report_open(call, name, report, err);
	free(name);
	return ok ? status : -1;
}

int cmd_confirm(const struct invocation *call, struct tuner_error *err)
{
	struct report report = { 0 };
	int status = -1;

	if (confirmation_open_search(
		    call, call->n_arguments > 0 ? call->arguments[0] : NULL, &report, err)) {
		status = invocation_option(call, "show") != NULL
				 ? EXIT_DONE
				 : train_and_reopen(call, &report, err);
		if (status >= 0 && !show(call, &report, err))
			status = -1;
	}
	report_close(&report);
	return status;
}
