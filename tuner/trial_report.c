#include "tuner/trial_report.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool report_open(const struct invocation *call, const char *argument, struct report *ret,
	struct tuner_error *err)
{
	char *definition = NULL;
	*ret = (struct report){ 0 };
	if (!command_open(call, STORE_READ, &ret->store, err) ||
		!command_job(ret->store, argument, &ret->job, err) ||
		!job_objective(ret->store, ret->job.objective_version, &ret->metric, &ret->maximize,
			&definition, err) ||
		!job_space_version(ret->store, ret->job.space_version, &ret->space_definition,
			&ret->parameters, err)) {
		free(definition);
		report_close(ret);
		return false;
	}
	free(definition);
	return true;
}

void report_close(struct report *report)
{
	parameter_list_finish(&report->parameters);
	free(report->space_definition);
	free(report->metric);
	job_finish(&report->job);
	store_close(report->store);
	*report = (struct report){ 0 };
}

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

bool report_trial(const struct report *report, const char *argument, struct trial *ret,
	struct tuner_error *err)
{
	struct trial_filter filter = { .job_id = report->job.id, .repeat = -1 };
	bool found = false;
	if (!number_to_int64(argument, &filter.number) || filter.number < 1)
		return tuner_fail(err, TUNER_USAGE,
			"a trial is named by its number, 1 for the first, not by \"%s\"", argument);
	if (!first_trial(report, &filter, ret, &found, err))
		return false;
	return found || tuner_fail(err, TUNER_USAGE, "job %s has no trial %lld", report->job.name,
				(long long)filter.number);
}

void report_arguments(const struct invocation *call, const char **ret_job, const char **ret_trial)
{
	*ret_job = call->n_arguments > 1 ? call->arguments[0] : NULL;
	*ret_trial = call->arguments[call->n_arguments - 1];
}

/* ---- JSON ---- */

bool json_add_number(cJSON *object, const char *name, double value)
{
	char text[NUMBER_TEXT];
	if (isfinite(value))
		return cJSON_AddNumberToObject(object, name, value) != NULL;
	return cJSON_AddStringToObject(object, name, number_from_double(value, text)) != NULL;
}

bool json_add_time(cJSON *object, const char *name, int64_t us)
{
	if (us == 0)
		return cJSON_AddNullToObject(object, name) != NULL;
	return cJSON_AddNumberToObject(object, name, (double)us / 1e6) != NULL;
}

bool json_out(cJSON *node, struct tuner_error *err)
{
	char *text = node ? json_print(node, 2) : NULL;
	cJSON_Delete(node);
	if (text == NULL)
		return tuner_fail_memory(err);
	puts(text);
	free(text);
	return true;
}

/* NaN is "there is none": null. */
static bool add_optional(cJSON *object, const char *name, double value)
{
	return isnan(value) ? cJSON_AddNullToObject(object, name) != NULL
			    : json_add_number(object, name, value);
}

static bool fill_trial(cJSON *object, const struct report *report, const struct trial *trial)
{
	cJSON *parameters = cJSON_Parse(trial->parameters);
	if (parameters == NULL || !cJSON_AddItemToObject(object, "parameters", parameters))
		return false;
	return cJSON_AddNumberToObject(object, "trial", (double)trial->number) &&
	       cJSON_AddStringToObject(object, "job", report->job.name) &&
	       cJSON_AddStringToObject(object, "state", trial_state_name(trial->state)) &&
	       cJSON_AddStringToObject(object, "metric", report->metric) &&
	       add_optional(object, "objective", trial->objective) &&
	       cJSON_AddStringToObject(object, "outcome", outcome_name(trial->outcome)) &&
	       cJSON_AddStringToObject(object, "message", trial->message) &&
	       cJSON_AddStringToObject(object, "source", trial->source) &&
	       cJSON_AddStringToObject(object, "proposed_by", trial->branch) &&
	       cJSON_AddNumberToObject(object, "attempts", (double)trial->attempts) &&
	       cJSON_AddNumberToObject(object, "values", (double)trial->metric_count) &&
	       (trial->metric_count == 0 ||
		       (cJSON_AddNumberToObject(object, "last_step", (double)trial->last_step) &&
			       json_add_number(object, "last_value", trial->last_value) &&
			       add_optional(object, "best_value", trial->best_value))) &&
	       json_add_time(object, "created", trial->created_us) &&
	       json_add_time(object, "started", trial->started_us) &&
	       json_add_time(object, "ended", trial->ended_us);
}

cJSON *trial_json(const struct report *report, const struct trial *trial)
{
	cJSON *object = cJSON_CreateObject();
	if (object != NULL && fill_trial(object, report, trial))
		return object;
	cJSON_Delete(object);
	return NULL;
}

static bool fill_attempt(cJSON *object, const struct attempt *attempt)
{
	cJSON *gpus = cJSON_Parse(attempt->gpus);
	if (gpus == NULL || !cJSON_AddItemToObject(object, "gpus", gpus))
		return false;
	return cJSON_AddNumberToObject(object, "attempt", (double)attempt->number) &&
	       cJSON_AddStringToObject(object, "state", attempt_state_name(attempt->state)) &&
	       cJSON_AddStringToObject(object, "outcome", outcome_name(attempt->outcome)) &&
	       cJSON_AddStringToObject(object, "message", attempt->message) &&
	       add_optional(object, "exit_code",
		       attempt->exit_code < 0 ? NAN : (double)attempt->exit_code) &&
	       add_optional(
		       object, "signal", attempt->signal < 0 ? NAN : (double)attempt->signal) &&
	       cJSON_AddStringToObject(object, "backend", attempt->backend) &&
	       cJSON_AddStringToObject(object, "host", attempt->host) &&
	       cJSON_AddNumberToObject(object, "slot", (double)attempt->slot) &&
	       cJSON_AddStringToObject(object, "directory", attempt->directory) &&
	       cJSON_AddStringToObject(object, "key", attempt->key) &&
	       json_add_time(object, "intended", attempt->intended_us) &&
	       json_add_time(object, "started", attempt->started_us) &&
	       json_add_time(object, "ended", attempt->ended_us) &&
	       cJSON_AddNumberToObject(object, "user_s", (double)attempt->user_us / 1e6) &&
	       cJSON_AddNumberToObject(object, "system_s", (double)attempt->system_us / 1e6) &&
	       cJSON_AddNumberToObject(object, "max_rss_bytes", (double)attempt->max_rss_bytes);
}

cJSON *attempt_json(const struct attempt *attempt)
{
	cJSON *object = cJSON_CreateObject();
	if (object != NULL && fill_attempt(object, attempt))
		return object;
	cJSON_Delete(object);
	return NULL;
}

/* ---- text ---- */

static void value_text(const cJSON *value, struct text *ret)
{
	if (cJSON_IsNumber(value))
		text_print(ret, "%.4g", value->valuedouble);
	else if (cJSON_IsString(value))
		text_add(ret, value->valuestring);
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

int64_t trial_took_us(const struct trial *trial)
{
	if (trial->started_us == 0)
		return 0;
	return (trial->ended_us ? trial->ended_us : clock_wall_us()) - trial->started_us;
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
