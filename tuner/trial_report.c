#include "tuner/trial_report.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/number.h"
#include "tuner/job_open.h"
#include "tuner/keep.h"
#include "tuner/report_json.h"
#include "tuner/shell_words.h"
#include "tuner/text_width.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the job ---- */

/* A stored file that this version cannot read is no reason to show nothing of the job. */
static void count_searches(struct report *report)
{
	struct tuner_error ignored;
	struct job_file *file = NULL;

	report->has_arms = false;
	report->budget = report->job.trial_cap;
	if (!job_stored_file(&report->job, &file, &ignored))
		return;
	report->has_arms = file->n_arms > 0;
	report->budget *= job_file_searches(file);
	job_file_destroy(file);
}

/* Loads the rest for the job already loaded. */
static bool load_rest(struct report *report, struct tuner_error *err)
{
	char *objective = NULL, *space = NULL;
	const bool ok =
		job_objective(report->store, report->job.objective_version, &report->metric,
			&report->maximize, &objective, err) &&
		goals_read(report->metric, report->maximize, objective, &report->goals, err) &&
		job_space_version(
			report->store, report->job.space_version, &space, &report->parameters, err);
	free(objective);
	free(space);
	if (ok)
		count_searches(report);
	else
		report_close(report);
	return ok;
}

static bool set_reference(
	const struct invocation *call, struct report *report, struct tuner_error *err)
{
	struct text reference = TEXT_EMPTY;
	if (call != NULL)
		job_reference(call, report->job.name, &reference);
	else
		text_add_shell_word(&reference, report->job.name);
	report->reference = text_take(&reference);
	return report->reference != NULL || tuner_fail_memory(err);
}

bool report_open(const struct invocation *call, const char *argument, struct report *ret,
	struct tuner_error *err)
{
	*ret = (struct report){ .owns_store = true };
	if (command_open(call, STORE_READ, &ret->store, err) &&
		command_job(ret->store, argument, &ret->job, err) &&
		set_reference(call, ret, err)) {
		command_say_age(call, ret->store);
		return load_rest(ret, err);
	}
	report_close(ret);
	return false;
}

bool report_load(struct store *store, int64_t job_id, struct report *ret, struct tuner_error *err)
{
	*ret = (struct report){ .store = store };
	if (job_load(store, job_id, &ret->job, err) && set_reference(NULL, ret, err))
		return load_rest(ret, err);
	report_close(ret);
	return false;
}

bool report_refresh(struct report *report, struct tuner_error *err)
{
	struct job job = { 0 };
	if (!store_follow(report->store, err) ||
		!job_load(report->store, report->job.id, &job, err))
		return false;
	job_finish(&report->job);
	report->job = job;
	count_searches(report);
	return true;
}

void report_close(struct report *report)
{
	parameter_list_finish(&report->parameters);
	goals_finish(&report->goals);
	free(report->metric);
	free(report->reference);
	job_finish(&report->job);
	if (report->owns_store)
		store_close(report->store);
	*report = (struct report){ 0 };
}

/* ---- its trials ---- */

/* The first trial that the filter finds. */
static bool first_trial(const struct report *report, const struct trial_filter *filter,
	struct trial *ret, bool *ret_found, struct tuner_error *err)
{
	struct trial_list list;
	if (!trial_select(report->store, filter, &list, err))
		return false;
	*ret_found = list.n > 0;
	if (*ret_found) {
		*ret = list.items[0];
		list.items[0] = (struct trial){ 0 };
	}
	trial_list_finish(&list);
	return true;
}

bool report_best(
	const struct report *report, struct trial *ret, bool *ret_found, struct tuner_error *err)
{
	const struct trial_filter filter = { .job_id = report->job.id,
		.repeat = -1,
		.states = 1u << TRIAL_DONE,
		.order = TRIAL_BY_OBJECTIVE,
		.limit = 1 };
	return first_trial(report, &filter, ret, ret_found, err);
}

bool report_number(const struct report *report, int64_t number, struct trial *ret, bool *ret_found,
	struct tuner_error *err)
{
	const struct trial_filter filter = {
		.job_id = report->job.id, .repeat = -1, .number = number, .limit = 1
	};
	return first_trial(report, &filter, ret, ret_found, err);
}

static bool report_last(
	const struct report *report, struct trial *ret, bool *ret_found, struct tuner_error *err)
{
	const struct trial_filter filter = {
		.job_id = report->job.id, .repeat = -1, .newest = true, .limit = 1
	};
	return first_trial(report, &filter, ret, ret_found, err);
}

bool report_trial(const struct report *report, const char *argument, struct trial *ret,
	struct tuner_error *err)
{
	int64_t number = 0;
	bool found = false;
	if (strcmp(argument, "best") == 0) {
		if (!report_best(report, ret, &found, err))
			return false;
		return found || tuner_fail(err, TUNER_USAGE, "no trial of job %s has a result yet",
					report->job.name);
	}
	if (strcmp(argument, "last") == 0) {
		if (!report_last(report, ret, &found, err))
			return false;
		return found ||
		       tuner_fail(err, TUNER_USAGE, "job %s has no trial yet", report->job.name);
	}
	if (!number_to_int64(argument, &number) || number < 1)
		return tuner_fail(err, TUNER_USAGE,
			"a trial is named by its number, 1 for the first, or \"best\" or \"last\", "
			"not by \"%s\"",
			argument);
	if (!report_number(report, number, ret, &found, err))
		return false;
	return found || tuner_fail(err, TUNER_USAGE,
				"job %s has no trial %lld: \"tuner trials %s\" lists them",
				report->job.name, (long long)number, report->reference);
}

void report_arguments(const struct invocation *call, const char **ret_job, const char **ret_trial)
{
	*ret_job = call->n_arguments > 1 ? call->arguments[0] : NULL;
	*ret_trial = call->arguments[call->n_arguments - 1];
}

void job_reference(const struct invocation *call, const char *name, struct text *ret)
{
	text_add_job_words(ret, name, invocation_option(call, "db"));
}

char *attempt_path_of(const struct report *report, const struct attempt *attempt)
{
	return path_join(store_directory(report->store), attempt->directory);
}

void trial_add_search(const struct report *report, const struct trial *trial, struct text *text)
{
	if (report->has_arms)
		text_print(text, "%s/%lld ", trial->arm, (long long)trial->repeat + 1);
}

/* ---- JSON ---- */

/* NaN where nothing was reported at all, as opposed to a reported NaN. */
static bool add_reported(cJSON *object, const char *name, double value, bool reported)
{
	return reported ? json_add_number(object, name, value)
			: json_add_optional(object, name, NAN);
}

/* null without limits. */
static bool add_limits(cJSON *object, const struct judgement *check)
{
	if (check->n_limits == 0)
		return cJSON_AddNullToObject(object, "limits") != NULL;

	cJSON *limits = cJSON_AddObjectToObject(object, "limits");
	cJSON *excess = NULL;
	bool ok = limits != NULL && json_add_number(limits, "objective", check->objective) &&
		  (excess = cJSON_AddArrayToObject(limits, "excess")) != NULL;

	for (size_t i = 0; ok && i < check->n_limits; i++)
		ok = json_append_number(excess, check->excess[i]);
	return ok;
}

/* null without further objectives. */
static bool add_also(cJSON *object, const struct judgement *judgement)
{
	if (judgement->n_also == 0)
		return cJSON_AddNullToObject(object, "also") != NULL;

	cJSON *also = cJSON_AddArrayToObject(object, "also");
	bool ok = also != NULL;

	for (size_t i = 0; ok && i < judgement->n_also; i++)
		ok = json_append_number(also, judgement->also[i]);
	return ok;
}

static bool fill_trial(cJSON *object, const struct report *report, const struct trial *trial)
{
	const bool reported = trial->metric_count > 0;
	return json_add_integer(object, "trial", trial->number) &&
	       json_add_string(object, "job", report->job.name) &&
	       (report->has_arms ? json_add_string(object, "arm", trial->arm)
				 : cJSON_AddNullToObject(object, "arm") != NULL) &&
	       json_add_optional(
		       object, "repeat", report->has_arms ? (double)trial->repeat + 1 : NAN) &&
	       json_add_string(object, "state", trial_state_name(trial->state)) &&
	       json_add_string(object, "outcome", outcome_name(trial->outcome)) &&
	       json_add_string(object, "message", trial->message) &&
	       json_add_as_stored(object, "parameters", trial->parameters) &&
	       json_add_string(object, "metric", report->metric) &&
	       json_add_optional(object, "objective", trial->objective) &&
	       add_also(object, &trial->judgement) && add_limits(object, &trial->judgement) &&
	       json_add_integer(object, "reports", trial->metric_count) &&
	       json_add_optional(object, "last_step", reported ? (double)trial->last_step : NAN) &&
	       add_reported(object, "last_value", trial->last_value, reported) &&
	       json_add_optional(object, "best_value", trial->best_value) &&
	       json_add_string(object, "source", trial->source) &&
	       json_add_string(object, "proposed_by", trial->branch) &&
	       json_add_integer(object, "attempts", trial->attempts) &&
	       json_add_time(object, "created", trial->created_us) &&
	       json_add_time(object, "started", trial->started_us) &&
	       json_add_time(object, "ended", trial->ended_us) &&
	       json_add_duration(
		       object, "duration_s", trial->started_us ? trial_took_us(trial) : -1);
}

/* The object if it is filled; else deletes it. */
static cJSON *filled(cJSON *object, bool ok)
{
	if (ok)
		return object;
	cJSON_Delete(object);
	return NULL;
}

cJSON *trial_json(const struct report *report, const struct trial *trial)
{
	cJSON *object = cJSON_CreateObject();
	return filled(object, fill_trial(object, report, trial));
}

static bool fill_attempt(cJSON *object, const struct attempt *attempt)
{
	return json_add_integer(object, "attempt", attempt->number) &&
	       json_add_string(object, "state", attempt_state_name(attempt->state)) &&
	       json_add_string(object, "outcome", outcome_name(attempt->outcome)) &&
	       json_add_string(object, "message", attempt->message) &&
	       json_add_code(object, "exit_code", attempt->exit_code) &&
	       json_add_code(object, "signal", attempt->signal) &&
	       json_add_string(object, "backend", attempt->backend) &&
	       json_add_string(object, "host", attempt->host) &&
	       json_add_integer(object, "slot", attempt->slot) &&
	       json_add_parsed(object, "gpus", attempt->gpus) &&
	       json_add_string(object, "directory", attempt->directory) &&
	       json_add_string(object, "key", attempt->key) &&
	       json_add_time(object, "intended", attempt->intended_us) &&
	       json_add_time(object, "started", attempt->started_us) &&
	       json_add_time(object, "ended", attempt->ended_us) &&
	       json_add_duration(object, "user_s", attempt->user_us) &&
	       json_add_duration(object, "system_s", attempt->system_us) &&
	       json_add_integer(object, "max_rss_bytes", attempt->max_rss_bytes) &&
	       json_add_integer(object, "gpu_memory_peak_bytes", attempt->gpu_memory_peak_bytes) &&
	       json_add_optional(object, "cost", attempt->cost) &&
	       json_add_integer(object, "output_bytes", attempt->log_offset);
}

cJSON *attempt_json(const struct attempt *attempt)
{
	cJSON *object = cJSON_CreateObject();
	return filled(object, fill_attempt(object, attempt));
}

cJSON *event_json(const struct event *event)
{
	cJSON *object = cJSON_CreateObject();
	const int64_t trial = event->trial_number;
	return filled(object,
		json_add_integer(object, "event", event->id) &&
			json_add_time(object, "time", event->time_us) &&
			json_add_string(object, "kind", event->kind) &&
			json_add_optional(object, "trial", trial > 0 ? (double)trial : NAN) &&
			json_add_parsed(object, "data", event->data));
}

/* ---- text ---- */

static const double WHOLE_MAX = 1e15; /* beyond, not every digit is significant */

/* Whole numbers are, or may be, an int's, of which every digit counts. */
static void number_text(double value, struct text *ret)
{
	text_print(ret, value == trunc(value) && fabs(value) < WHOLE_MAX ? "%.0f" : "%.4g", value);
}

void category_text(const char *category, struct text *ret)
{
	text_add_visible(ret, *category != '\0' ? category : "\"\"");
}

static void value_text(const cJSON *value, struct text *ret)
{
	if (cJSON_IsNumber(value))
		number_text(value->valuedouble, ret);
	else if (cJSON_IsString(value))
		category_text(value->valuestring, ret);
	else if (cJSON_IsBool(value))
		text_add(ret, cJSON_IsTrue(value) ? "true" : "false");
}

void trial_value_text(const cJSON *parameters, const char *name, struct text *ret)
{
	value_text(cJSON_GetObjectItemCaseSensitive(parameters, name), ret);
}

void trial_text(const struct trial *trial, struct text *ret)
{
	cJSON *parameters = cJSON_Parse(trial->parameters);
	const cJSON *value;
	cJSON_ArrayForEach(value, parameters)
	{
		text_print(ret, "%s%s=", value == parameters->child ? "" : " ", value->string);
		value_text(value, ret);
	}
	cJSON_Delete(parameters);
}

static const char *string_of(const cJSON *data, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(data, name);
	return cJSON_IsString(item) ? item->valuestring : "";
}

/* The lines of an edited file's changes, one after the other. */
static void add_changes(const char *lines, struct text *ret)
{
	const char *separator = ": ";
	for (;;) {
		lines += strspn(lines, " \n");
		const size_t length = strcspn(lines, "\n");
		if (length == 0)
			return;
		char line[300];
		snprintf(line, sizeof(line), "%.*s", (int)length, lines);
		text_add(ret, separator);
		text_add_visible(ret, line);
		separator = "; ";
		lines += length;
	}
}

static void add_removed(const cJSON *data, const char *name, const char *what, struct text *ret)
{
	const cJSON *node = cJSON_GetObjectItemCaseSensitive(data, name);
	int64_t bytes;
	char size[BYTES_TEXT];

	if (json_whole(node, 1, JSON_WHOLE_MAX, &bytes))
		text_print(ret, "%s removed, %s; ", what, bytes_text(bytes, size));
}

static void add_removal(const cJSON *data, struct text *ret)
{
	add_removed(data, "artifact_bytes", "artefacts", ret);
	add_removed(data, "checkpoint_bytes", "checkpoints", ret);
	text_print(ret, "by %s", string_of(data, "why"));
}

static void add_host(const cJSON *data, struct text *ret)
{
	const char *message = string_of(data, "message"), *state = string_of(data, "state");

	text_add(ret, "host ");
	text_add_visible(ret, string_of(data, "host"));
	text_print(ret, " is %s%s", strcmp(state, "resumed") == 0 ? "in use again" : state,
		message[0] != '\0' ? ": " : "");
	text_add_visible(ret, message);
}

static void add_gpu(const cJSON *data, struct text *ret)
{
	const cJSON *index = cJSON_GetObjectItemCaseSensitive(data, "index");
	const char *message = string_of(data, "message"), *state = string_of(data, "state");

	text_print(ret, "GPU %d of ", cJSON_IsNumber(index) ? index->valueint : -1);
	text_add_visible(ret, string_of(data, "host"));
	text_print(ret, " is %s%s", strcmp(state, "busy") == 0 ? "left alone" : state,
		message[0] == '\0'            ? ""
		: strcmp(state, "taken") == 0 ? " "
					      : ": ");
	text_add_visible(ret, message);
}

void event_text(const struct event *event, struct text *ret)
{
	cJSON *data = cJSON_Parse(event->data);
	const cJSON *objective = cJSON_GetObjectItemCaseSensitive(data, "objective");
	const char *outcome = string_of(data, "outcome"), *state = string_of(data, "state");
	if (event->trial_number > 0)
		text_print(ret, "trial %lld ", (long long)event->trial_number);
	if (strcmp(event->kind, "ended") == 0 && state[0] != '\0') {
		if (strcmp(outcome, "ok") == 0) /* the attempt; its trial may be over a limit */
			outcome = string_of(data, "counts_as");
		text_print(ret, "%s%s%s", state, outcome[0] != '\0' ? ": " : "", outcome);
		if (cJSON_IsNumber(objective))
			text_print(ret, ", %.6g", objective->valuedouble);
	} else if (strcmp(event->kind, "retry") == 0) {
		text_print(ret, "to be launched again: %s%s", outcome, string_of(data, "reason"));
	} else if (strcmp(event->kind, "stop") == 0) {
		text_print(ret, "is being stopped: %s, ", outcome);
		text_add_visible(ret, string_of(data, "reason"));
	} else if (strcmp(event->kind, "reopened") == 0) {
		text_print(ret, "put back to be run again: it was %s", state);
		if (outcome[0] != '\0')
			text_print(ret, ", %s", outcome);
	} else if (strcmp(event->kind, "late") == 0) {
		text_print(ret, "had a late result of a lost attempt: %s", outcome);
	} else if (strcmp(event->kind, "rescored") == 0 && event->trial_number > 0) {
		text_print(ret, "is %s by another objective", state);
		if (strcmp(outcome, "ok") != 0)
			text_print(ret, ": %s", outcome);
		if (cJSON_IsNumber(objective))
			text_print(ret, ", %.6g", objective->valuedouble);
	} else if (strcmp(event->kind, "rescored") == 0) {
		text_add(ret, "every trial was rescored by another objective");
	} else if (strcmp(event->kind, "removed") == 0) {
		add_removal(data, ret);
	} else if (strcmp(event->kind, "edited") == 0) {
		text_add(ret, "job file edited");
		add_changes(string_of(data, "changes"), ret);
	} else if (strcmp(event->kind, "code") == 0 || strcmp(event->kind, "data") == 0) {
		text_print(ret, "%s different %s from the launch before it",
			event->kind[0] == 'c' ? "runs" : "finds", event->kind);
	} else if (strcmp(event->kind, "warm-start") == 0 && event->trial_number == 0) {
		const cJSON *parents = cJSON_GetObjectItemCaseSensitive(data, "parents");
		text_print(ret, "warm start with %d earlier job%s", cJSON_GetArraySize(parents),
			cJSON_GetArraySize(parents) == 1 ? "" : "s");
	} else if (strcmp(event->kind, "reused") == 0 || strcmp(event->kind, "warm-start") == 0) {
		const cJSON *trial = cJSON_GetObjectItemCaseSensitive(data, "trial");
		text_print(ret, "taken over from trial %d of job ",
			cJSON_IsNumber(trial) ? trial->valueint : 0);
		text_add_visible(ret, string_of(data, "job"));
		text_add(ret, " in ");
		text_add_visible(ret, string_of(data, "database"));
	} else if (strcmp(event->kind, "host") == 0) {
		add_host(data, ret);
	} else if (strcmp(event->kind, "gpu") == 0) {
		add_gpu(data, ret);
	} else if (strcmp(event->kind, "source") == 0) {
		text_print(ret, "the code was %s: ",
			cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(data, "before"))
				? "frozen"
				: "frozen anew");
		text_add_visible(ret, string_of(data, "directory"));
	} else {
		text_add_visible(ret, event->kind);
	}
	cJSON_Delete(data);
}

int64_t trial_took_us(const struct trial *trial)
{
	if (trial->started_us == 0)
		return 0;
	const int64_t took_us =
		(trial->ended_us ? trial->ended_us : clock_wall_us()) - trial->started_us;
	return took_us > 0 ? took_us : 0; /* by another machine's clock, or one that was set back */
}

void time_text(int64_t us, char ret[32])
{
	const time_t seconds = (time_t)(us / 1000000);
	struct tm parts;
	if (us == 0 || localtime_r(&seconds, &parts) == NULL)
		snprintf(ret, 32, "-");
	else
		strftime(ret, 32, "%Y-%m-%d %H:%M:%S", &parts);
}
