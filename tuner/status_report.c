#include "tuner/status_report.h"

#include "base/number.h"

#include <math.h>
#include <stdlib.h>

static int compare_int64(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* Goes through the finished trials: outcomes of what failed, times of what is done. */
static bool read_finished(
	const struct report *report, struct standing *ret, struct tuner_error *err)
{
	const struct trial_filter filter = { .job_id = report->job.id,
		.repeat = -1,
		.states = 1u << TRIAL_DONE | 1u << TRIAL_FAILED | 1u << TRIAL_STOPPED };
	struct trial_list list;
	if (!trial_select(report->store, &filter, &list, err))
		return false;
	int64_t *times = calloc(list.n + 1, sizeof(*times));
	size_t n = 0;
	for (size_t i = 0; times != NULL && i < list.n; i++) {
		if (list.items[i].state == TRIAL_DONE)
			times[n++] = trial_took_us(&list.items[i]);
		else
			ret->outcomes[list.items[i].outcome]++;
	}
	if (n > 0) {
		qsort(times, n, sizeof(*times), compare_int64);
		ret->median_us = times[n / 2];
	}
	const bool ok = times != NULL || tuner_fail_memory(err);
	free(times);
	trial_list_finish(&list);
	return ok;
}

bool standing_read(const struct invocation *call, const struct report *report, struct standing *ret,
	struct tuner_error *err)
{
	const struct trial_filter running = { .job_id = report->job.id,
		.repeat = -1,
		.states = 1u << TRIAL_RUNNING | 1u << TRIAL_PROPOSED };
	*ret = (struct standing){ 0 };
	if (!store_holder(call->db, &ret->runner, err) ||
		!trial_count(report->store, report->job.id, ret->counts, err) ||
		!report_best(report, &ret->best, &ret->has_best, err) ||
		!trial_select(report->store, &running, &ret->running, err) ||
		!read_finished(report, ret, err))
		return false;
	for (int i = 0; i < TRIAL_STATES; i++)
		ret->created += ret->counts[i];
	return true;
}

void standing_finish(struct standing *standing)
{
	if (standing->has_best)
		trial_finish(&standing->best);
	trial_list_finish(&standing->running);
	*standing = (struct standing){ 0 };
}

static void add_head(const struct report *report, const struct standing *standing, struct text *ret)
{
	const struct job *job = &report->job;
	text_print(ret, "job %s: %s", job->name, job_state_name(job->state));
	if (job->reason[0] != '\0')
		text_print(ret, " (%s)", job->reason);
	if (job->state == JOB_OPEN && standing->runner > 0)
		text_print(ret, ", run by process %lld", (long long)standing->runner);
	else if (job->state == JOB_OPEN)
		text_print(ret, ", but no tuner runs it: \"tuner run %s\" goes on", job->name);
	text_print(ret, "\n%lld of %lld trials: %lld done, %lld failed, %lld stopped, %lld running",
		(long long)standing->created, (long long)job->trial_cap,
		(long long)standing->counts[TRIAL_DONE], (long long)standing->counts[TRIAL_FAILED],
		(long long)standing->counts[TRIAL_STOPPED],
		(long long)standing->counts[TRIAL_RUNNING]);
	if (standing->counts[TRIAL_PROPOSED] > 0)
		text_print(
			ret, ", %lld to be launched", (long long)standing->counts[TRIAL_PROPOSED]);
	text_add(ret, "\n");
}

static void add_best(const struct report *report, const struct standing *standing, struct text *ret)
{
	if (!standing->has_best)
		return;
	text_print(ret, "best: %s = %.6g, trial %lld: ", report->metric, standing->best.objective,
		(long long)standing->best.number);
	trial_text(&standing->best, ret);
	text_add(ret, "\n");
}

static void add_running(
	const struct report *report, const struct standing *standing, struct text *ret)
{
	char took[NUMBER_TEXT];
	for (size_t i = 0; i < standing->running.n; i++) {
		const struct trial *trial = &standing->running.items[i];
		text_print(ret, "  trial %lld: %s", (long long)trial->number,
			trial_state_name(trial->state));
		if (trial->started_us > 0)
			text_print(ret, " for %s",
				number_from_duration_us(trial_took_us(trial), took));
		if (trial->metric_count > 0)
			text_print(ret, ", %s = %.6g at step %lld", report->metric,
				trial->last_value, (long long)trial->last_step);
		text_add(ret, ", ");
		trial_text(trial, ret);
		text_add(ret, "\n");
	}
}

static void add_failures(const struct standing *standing, struct text *ret)
{
	bool any = false;
	for (int i = 0; i < OUTCOMES; i++) {
		if (standing->outcomes[i] == 0)
			continue;
		text_print(ret, "%s%s %lld",
			any ? ", " : "failed or stopped by cause: ", outcome_name((enum outcome)i),
			(long long)standing->outcomes[i]);
		any = true;
	}
	if (any)
		text_add(ret, "\n");
}

/* What is left, at the pace of the median trial and of what runs now. */
static void add_time_left(
	const struct report *report, const struct standing *standing, struct text *ret)
{
	char time[NUMBER_TEXT];
	const int64_t left = report->job.trial_cap - standing->created;
	const int64_t lanes = standing->counts[TRIAL_RUNNING];
	if (report->job.state != JOB_OPEN || standing->runner <= 0 || standing->median_us == 0 ||
		lanes == 0)
		return;
	text_print(ret, "about %s left\n",
		number_from_duration_us(
			standing->median_us * (left + lanes + lanes - 1) / lanes, time));
}

void standing_text(const struct report *report, const struct standing *standing, struct text *ret)
{
	add_head(report, standing, ret);
	add_best(report, standing, ret);
	add_running(report, standing, ret);
	add_failures(standing, ret);
	add_time_left(report, standing, ret);
}

static bool fill(cJSON *object, const struct report *report, const struct standing *standing)
{
	cJSON *trials, *failures, *running;
	const struct job *job = &report->job;
	if (!cJSON_AddStringToObject(object, "job", job->name) ||
		!cJSON_AddStringToObject(object, "state", job_state_name(job->state)) ||
		!cJSON_AddStringToObject(object, "reason", job->reason) ||
		!cJSON_AddNumberToObject(object, "runner", (double)standing->runner) ||
		!cJSON_AddStringToObject(object, "metric", report->metric) ||
		!cJSON_AddStringToObject(
			object, "goal", report->maximize ? "maximize" : "minimize") ||
		!cJSON_AddNumberToObject(object, "budget", (double)job->trial_cap) ||
		(trials = cJSON_AddObjectToObject(object, "trials")) == NULL ||
		(failures = cJSON_AddObjectToObject(object, "causes")) == NULL ||
		(running = cJSON_AddArrayToObject(object, "running")) == NULL)
		return false;
	for (int i = 0; i < TRIAL_STATES; i++)
		if (!cJSON_AddNumberToObject(trials, trial_state_name((enum trial_state)i),
			    (double)standing->counts[i]))
			return false;
	for (int i = 0; i < OUTCOMES; i++)
		if (standing->outcomes[i] > 0 &&
			!cJSON_AddNumberToObject(failures, outcome_name((enum outcome)i),
				(double)standing->outcomes[i]))
			return false;
	for (size_t i = 0; i < standing->running.n; i++) {
		cJSON *trial = trial_json(report, &standing->running.items[i]);
		if (trial == NULL || !cJSON_AddItemToArray(running, trial))
			return false;
	}
	cJSON *best = standing->has_best ? trial_json(report, &standing->best) : cJSON_CreateNull();
	return best != NULL && cJSON_AddItemToObject(object, "best", best);
}

cJSON *standing_json(const struct report *report, const struct standing *standing)
{
	cJSON *object = cJSON_CreateObject();
	if (object != NULL && fill(object, report, standing))
		return object;
	cJSON_Delete(object);
	return NULL;
}
