#include "tuner/command.h"

#include "surrogate/importance.h"
#include "tuner/history.h"
#include "tuner/job_open.h"
#include "tuner/report_json.h"
#include "tuner/sparkline.h"
#include "tuner/table.h"
#include "tuner/trial_report.h"

#include <math.h>
#include <stdlib.h>

enum { BAR_PLACES = 20, WARNINGS_MAX = 2 };

/* A parameter gets so many trials before its interval is trusted. */
enum { TRIALS_PER_PARAMETER = 5 };

/* Below this the model foretells too little for its indices to mean much. */
static const double EXPLAINED_MIN = .3;

struct result {
	struct report report;
	struct job_file *file;
	struct importance importance;
	size_t order[SPACE_PARAMETERS_MAX]; /* of the parameters: the most important first */
	char warnings[WARNINGS_MAX][200];
	size_t n_warnings;
};

static void result_finish(struct result *result)
{
	job_file_destroy(result->file);
	report_close(&result->report);
}

/* ---- what is asked ---- */

/* The request is the one of the job's next suggestion, whose model this is about. */
static bool ask(struct result *result, const struct history *history, const struct decision *latest,
	struct tuner_error *err)
{
	struct observation *observations = NULL;
	struct suggest_request request = { .space = &result->file->space,
		.strategy = &result->file->strategy,
		.seed = result->file->seed,
		.number = (uint32_t)(history->created + 1),
		.start = latest->hyperparameters,
		.n_start = latest->n_hyperparameters };
	bool ok = history_observations(history, &observations, &request.n_observations, err);
	request.observations = observations;
	ok = ok && (importance_of(&request, &result->importance, err) ||
			   tuner_fail_in(err, "job %s: ", result->report.job.name));
	free(observations);
	return ok;
}

static bool compute(struct result *result, struct tuner_error *err)
{
	const struct report *report = &result->report;
	struct history history = { 0 };
	struct decision latest = { 0 };
	char *memory = NULL;
	bool found;
	if (!job_stored_file(&report->job, &result->file, err))
		return false;
	result->file->stopping.rule = STOPPING_NONE; /* so that no curves are read */
	if (!history_load(&history, result->file, report->store, report->job.id, NULL, -1, err))
		return false;
	const bool ok = decision_latest(report->store, report->job.id, "", 0, &latest, &memory,
				&found, err) &&
			ask(result, &history, &latest, err);
	free(memory);
	history_finish(&history);
	return ok;
}

/* ---- what is said of it ---- */

/* By what they do in all; of equal ones the first of the job file stays the first. */
static void sort(struct result *result)
{
	const struct share *total = result->importance.total;
	for (size_t i = 0; i < result->file->space.d; i++) {
		size_t place = i;
		while (place > 0 && total[result->order[place - 1]].value < total[i].value) {
			result->order[place] = result->order[place - 1];
			place--;
		}
		result->order[place] = i;
	}
}

static void warn(struct result *result)
{
	const struct importance *importance = &result->importance;
	if (importance->n < TRIALS_PER_PARAMETER * importance->n_varied)
		snprintf(result->warnings[result->n_warnings++], sizeof(*result->warnings),
			"%zu trials are few for %zu parameters: with %zu this would be more "
			"certain",
			importance->n, importance->n_varied,
			TRIALS_PER_PARAMETER * importance->n_varied);
	if (!(importance->explained >= EXPLAINED_MIN))
		snprintf(result->warnings[result->n_warnings++], sizeof(*result->warnings),
			"the model foretells next to nothing of a trial that it has not seen (R2 "
			"= %.2f): do not rely on this",
			importance->explained);
}

/* What no parameter does without the others. */
static double together(const struct importance *importance)
{
	return fmax(0, 1 - importance->alone);
}

/* ---- JSON ---- */

static bool fill_parameter(cJSON *object, const struct result *result, size_t i)
{
	const struct share *total = &result->importance.total[i];
	const struct share *first = &result->importance.first[i];
	return json_add_string(object, "parameter", result->file->space.parameters[i].name) &&
	       json_add_number(object, "total", total->value) &&
	       json_add_number(object, "total_low", total->low) &&
	       json_add_number(object, "total_high", total->high) &&
	       json_add_number(object, "alone", first->value) &&
	       json_add_number(object, "alone_low", first->low) &&
	       json_add_number(object, "alone_high", first->high);
}

static bool fill_result(cJSON *object, const struct result *result)
{
	const struct importance *importance = &result->importance;
	cJSON *parameters = cJSON_AddArrayToObject(object, "parameters");
	cJSON *warnings = cJSON_AddArrayToObject(object, "warnings");
	bool ok = parameters != NULL && warnings != NULL &&
		  json_add_string(object, "job", result->report.job.name) &&
		  json_add_string(object, "metric", result->report.metric) &&
		  json_add_integer(object, "trials", (int64_t)importance->n) &&
		  json_add_number(object, "explained", importance->explained) &&
		  json_add_number(object, "noise", importance->noise) &&
		  json_add_number(object, "together", together(importance));
	for (size_t i = 0; ok && i < result->file->space.d; i++) {
		cJSON *parameter = cJSON_CreateObject();
		ok = json_append(parameters, parameter) &&
		     fill_parameter(parameter, result, result->order[i]);
	}
	for (size_t i = 0; ok && i < result->n_warnings; i++)
		ok = json_append(warnings, cJSON_CreateString(result->warnings[i]));
	return ok;
}

static bool print_json(const struct result *result, struct tuner_error *err)
{
	cJSON *object = cJSON_CreateObject();
	if (fill_result(object, result))
		return json_out(object, err);
	cJSON_Delete(object);
	return tuner_fail_memory(err);
}

/* ---- text ---- */

static void add_share(struct table *table, const struct share *share)
{
	table_add(table, "%.2f", share->value);
	table_add(table, "%.2f - %.2f", share->low, share->high);
}

static void add_row(struct table *table, const struct result *result, size_t i)
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

static bool print_table(
	const struct invocation *call, const struct result *result, struct tuner_error *err)
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

static void print_notes(const struct result *result)
{
	const struct importance *importance = &result->importance;
	printf("\ntotal: the part of %s's variance over the search space that goes with a "
	       "parameter;\nalone: what it does whatever the others are; parameters together do "
	       "%.2f.\n",
		result->report.metric, together(importance));
	printf("From %zu trials, each foretold by the others with R2 = %.2f; noise is %.2f of the "
	       "variance.\n",
		importance->n, importance->explained, importance->noise);
	for (size_t i = 0; i < result->n_warnings; i++)
		printf("warning: %s\n", result->warnings[i]);
}

int cmd_importance(const struct invocation *call, struct tuner_error *err)
{
	struct result result = { .file = NULL };
	const char *job = call->n_arguments > 0 ? call->arguments[0] : NULL;
	bool ok = report_open(call, job, &result.report, err) && compute(&result, err);
	if (ok) {
		sort(&result);
		warn(&result);
		ok = call->json ? print_json(&result, err) : print_table(call, &result, err);
	}
	if (ok && !call->json)
		print_notes(&result);
	result_finish(&result);
	return ok ? EXIT_DONE : -1;
}
