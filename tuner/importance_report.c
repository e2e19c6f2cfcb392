#include "tuner/importance_report.h"

#include "tuner/job_open.h"
#include "tuner/model_question.h"
#include "tuner/report_json.h"

#include <math.h>
#include <stdlib.h>

/* Trials needed per parameter before intervals are trusted. */
enum { TRIALS_PER_PARAMETER = 5 };

/* Below this the model predicts too little for its indices to mean much. */
static const double EXPLAINED_MIN = .3;

/* ---- what is asked ---- */

static bool compute(
	const struct report *report, struct importance_report *result, struct tuner_error *err)
{
	struct model_question question;
	if (!job_stored_file(&report->job, &result->file, err) ||
		!model_question_open(report, result->file, &question, err))
		return false;
	model_question_turn_to(&question, result->goal);
	const bool ok = importance_of(&question.request, &result->importance, err) ||
			tuner_fail_in(err, "job %s: ", report->job.name);
	model_question_close(&question);
	return ok;
}

/* ---- what is said of it ---- */

/* Sorts by total effect; equal ones stay in the job file's order. */
static void sort(struct importance_report *result)
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

static void warn(struct importance_report *result)
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
			"the model predicts hardly anything of a trial it has not seen (R2 = "
			"%.2f): do not rely on this",
			importance->explained);
}

double importance_together(const struct importance *importance)
{
	return fmax(0, 1 - importance->alone);
}

/* ---- JSON ---- */

static bool fill_parameter(cJSON *object, const struct importance_report *result, size_t i)
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

static bool fill_result(
	cJSON *object, const struct report *report, const struct importance_report *result)
{
	const struct importance *importance = &result->importance;
	cJSON *parameters = cJSON_AddArrayToObject(object, "parameters");
	cJSON *warnings = cJSON_AddArrayToObject(object, "warnings");
	bool ok = parameters != NULL && warnings != NULL &&
		  json_add_string(object, "job", report->job.name) &&
		  json_add_string(object, "metric", report->goals.items[result->goal].name) &&
		  json_add_integer(object, "trials", (int64_t)importance->n) &&
		  json_add_number(object, "explained", importance->explained) &&
		  json_add_number(object, "noise", importance->noise) &&
		  json_add_number(object, "together", importance_together(importance));
	for (size_t i = 0; ok && i < result->file->space.d; i++) {
		cJSON *parameter = cJSON_CreateObject();
		ok = json_append(parameters, parameter) &&
		     fill_parameter(parameter, result, result->order[i]);
	}
	for (size_t i = 0; ok && i < result->n_warnings; i++)
		ok = json_append(warnings, cJSON_CreateString(result->warnings[i]));
	return ok;
}

cJSON *importance_json(const struct report *report, const struct importance_report *result)
{
	cJSON *object = cJSON_CreateObject();

	if (fill_result(object, report, result))
		return object;
	cJSON_Delete(object);
	return NULL;
}

bool importance_read(const struct report *report, size_t goal, struct importance_report *ret,
	struct tuner_error *err)
{
	*ret = (struct importance_report){ .goal = goal };
	if (compute(report, ret, err)) {
		sort(ret);
		warn(ret);
		return true;
	}
	importance_report_finish(ret);
	return false;
}

void importance_report_finish(struct importance_report *result)
{
	job_file_destroy(result->file);
	*result = (struct importance_report){ 0 };
}
