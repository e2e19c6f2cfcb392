#include "tuner/command.h"

#include "base/number.h"
#include "tuner/table.h"
#include "tuner/trial_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct shown {
	struct report report;
	struct trial trial;
	struct decision decision;
	char *decision_memory;
	struct attempt_list attempts;
	struct curve_list curves;
};

static void shown_finish(struct shown *shown)
{
	curve_list_finish(&shown->curves);
	attempt_list_finish(&shown->attempts);
	free(shown->decision_memory);
	trial_finish(&shown->trial);
	report_close(&shown->report);
}

static bool read_all(const struct invocation *call, struct shown *ret, struct tuner_error *err)
{
	const char *job, *trial;
	report_arguments(call, &job, &trial);
	return report_open(call, job, &ret->report, err) &&
	       report_trial(&ret->report, trial, &ret->trial, err) &&
	       decision_load(ret->report.store, ret->trial.id, &ret->decision,
		       &ret->decision_memory, err) &&
	       attempt_select(
		       ret->report.store, ret->report.job.id, ret->trial.id, &ret->attempts, err) &&
	       curve_select(ret->report.store, ret->trial.id, NULL, &ret->curves, err);
}

/* ---- JSON ---- */

static bool add_decision(cJSON *object, const struct decision *d)
{
	cJSON *decision = cJSON_AddObjectToObject(object, "decision");
	return decision != NULL &&
	       cJSON_AddStringToObject(decision, "strategy", d->strategy) != NULL &&
	       cJSON_AddStringToObject(decision, "branch", d->branch) != NULL &&
	       cJSON_AddStringToObject(decision, "reason", d->reason) != NULL &&
	       cJSON_AddNumberToObject(decision, "seen_event", (double)d->seen) != NULL &&
	       cJSON_AddNumberToObject(decision, "pending", (double)d->n_pending) != NULL &&
	       (isnan(d->mean) || (json_add_number(decision, "predicted_mean", d->mean) &&
					  json_add_number(decision, "predicted_sd", d->sd) &&
					  json_add_number(decision, "incumbent", d->incumbent) &&
					  json_add_number(decision, "log_expected_improvement",
						  d->acquisition))) &&
	       cJSON_AddNumberToObject(decision, "took_s", (double)d->took_us / 1e6) != NULL;
}

static bool add_curve(cJSON *curves, const struct curve *curve)
{
	cJSON *points = cJSON_AddArrayToObject(curves, curve->name);
	bool ok = points != NULL;
	for (size_t i = 0; ok && i < curve->n; i++) {
		cJSON *point = cJSON_CreateObject();
		ok = point != NULL && cJSON_AddItemToArray(points, point) &&
		     cJSON_AddNumberToObject(point, "step", (double)curve->steps[i]) &&
		     json_add_number(point, "value", curve->values[i]) &&
		     json_add_time(point, "time", curve->time_us[i]);
	}
	return ok;
}

static cJSON *shown_json(const struct shown *shown)
{
	cJSON *object = trial_json(&shown->report, &shown->trial);
	cJSON *attempts = object ? cJSON_AddArrayToObject(object, "launches") : NULL;
	cJSON *curves = object ? cJSON_AddObjectToObject(object, "metrics") : NULL;
	bool ok = attempts != NULL && curves != NULL && add_decision(object, &shown->decision);
	for (size_t i = 0; ok && i < shown->attempts.n; i++) {
		cJSON *attempt = attempt_json(&shown->attempts.items[i]);
		ok = attempt != NULL && cJSON_AddItemToArray(attempts, attempt);
	}
	for (size_t i = 0; ok && i < shown->curves.n; i++)
		ok = add_curve(curves, &shown->curves.items[i]);
	if (ok)
		return object;
	cJSON_Delete(object);
	return NULL;
}

/* ---- text ---- */

static void print_parameters(const struct trial *trial)
{
	cJSON *parameters = cJSON_Parse(trial->parameters);
	const cJSON *value;
	puts("parameters:");
	cJSON_ArrayForEach(value, parameters)
	{
		char number[NUMBER_TEXT];
		const char *text = cJSON_IsString(value) ? value->valuestring
				   : cJSON_IsNumber(value)
					   ? number_from_double(value->valuedouble, number)
				   : cJSON_IsTrue(value) ? "true"
							 : "false";
		printf("  %s = %s\n", value->string, text);
	}
	cJSON_Delete(parameters);
}

static void print_head(const struct report *report, const struct trial *trial)
{
	char took[NUMBER_TEXT], begun[32];
	time_text(trial->started_us, begun);
	printf("trial %lld of job %s: %s", (long long)trial->number, report->job.name,
		trial_state_name(trial->state));
	if (!isnan(trial->objective))
		printf(", %s = %.8g", report->metric, trial->objective);
	else if (trial->metric_count > 0)
		printf(", %s = %.8g at step %lld", report->metric, trial->last_value,
			(long long)trial->last_step);
	puts("");
	if (trial->message[0] != '\0')
		printf("%s: %s\n", outcome_name(trial->outcome), trial->message);
	if (trial->started_us > 0)
		printf("began %s, %s %s\n", begun, trial->ended_us ? "took" : "runs for",
			number_from_duration_us(trial_took_us(trial), took));
}

static void print_decision(const struct trial *trial, const struct decision *d)
{
	char took[NUMBER_TEXT];
	printf("proposed by %s (strategy %s, %s)", d->branch, d->strategy, trial->source);
	if (d->reason[0] != '\0')
		printf(": %s", d->reason);
	printf(", in %s", number_from_duration_us(d->took_us, took));
	if (d->n_pending > 0)
		printf(", with %zu trials under way", d->n_pending);
	puts("");
	if (!isnan(d->mean))
		printf("  it expected %.6g, give or take %.3g, and hoped to gain %.3g over %.6g\n",
			d->mean, d->sd, exp(d->acquisition), d->incumbent);
}

static void print_attempt(const struct attempt *attempt)
{
	char begun[32], took[NUMBER_TEXT];
	time_text(attempt->started_us, begun);
	printf("  %lld: %s", (long long)attempt->number,
		attempt->outcome != OUTCOME_NONE ? outcome_name(attempt->outcome)
						 : attempt_state_name(attempt->state));
	if (attempt->message[0] != '\0')
		printf(": %s", attempt->message);
	if (attempt->exit_code >= 0)
		printf(" [exit status %lld]", (long long)attempt->exit_code);
	if (attempt->signal >= 0)
		printf(" [signal %lld: %s]", (long long)attempt->signal,
			strsignal((int)attempt->signal));
	printf("\n     host %s (%s), slot %lld", attempt->host, attempt->backend,
		(long long)attempt->slot);
	if (strcmp(attempt->gpus, "[]") != 0)
		printf(", GPUs %s", attempt->gpus);
	if (attempt->started_us > 0)
		printf(", began %s", begun);
	if (attempt->ended_us > 0 && attempt->started_us > 0)
		printf(", took %s",
			number_from_duration_us(attempt->ended_us - attempt->started_us, took));
	if (attempt->user_us + attempt->system_us > 0)
		printf(", processor time %s",
			number_from_duration_us(attempt->user_us + attempt->system_us, took));
	if (attempt->max_rss_bytes > 0)
		printf(", memory %.1f MiB", (double)attempt->max_rss_bytes / 1048576);
	puts("");
}

/* Eight heights; a value that is no number leaves a gap. */
static void add_sparkline(const struct curve *curve, struct text *ret)
{
	static const char *const heights[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	enum { PLACES = 40 };
	double low = INFINITY, high = -INFINITY;
	const size_t first = curve->n > PLACES ? curve->n - PLACES : 0;
	for (size_t i = first; i < curve->n; i++) {
		if (!isfinite(curve->values[i]))
			continue;
		low = fmin(low, curve->values[i]);
		high = fmax(high, curve->values[i]);
	}
	for (size_t i = first; i < curve->n; i++) {
		const double part = high > low ? (curve->values[i] - low) / (high - low) : 0;
		text_add(ret, isfinite(curve->values[i]) ? heights[(int)(part * 7.999)] : " ");
	}
}

static bool print_metrics(const struct curve_list *curves, struct tuner_error *err)
{
	static const char *const columns[] = { "  metric", "-values", "-first", "-last", "at step",
		"" };
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));
	for (size_t i = 0; i < curves->n; i++) {
		const struct curve *curve = &curves->items[i];
		struct text line = TEXT_EMPTY;
		if (curve->n == 0)
			continue;
		add_sparkline(curve, &line);
		table_add(table, "  %s", curve->name);
		table_add(table, "%zu", curve->n);
		table_add(table, "%.6g", curve->values[0]);
		table_add(table, "%.6g", curve->values[curve->n - 1]);
		table_add(table, "%lld", (long long)curve->steps[curve->n - 1]);
		table_add(table, "%s", line.bytes);
		text_finish(&line);
	}
	const bool ok = table_print(table, 0, false, stdout, err);
	table_destroy(table);
	return ok;
}

static bool print_shown(const struct shown *shown, struct tuner_error *err)
{
	const struct attempt_list *attempts = &shown->attempts;
	print_head(&shown->report, &shown->trial);
	print_parameters(&shown->trial);
	print_decision(&shown->trial, &shown->decision);
	puts("launches:");
	for (size_t i = 0; i < attempts->n; i++)
		print_attempt(&attempts->items[i]);
	if (attempts->n > 0)
		printf("files in %s/%s\n", store_directory(shown->report.store),
			attempts->items[attempts->n - 1].directory);
	return shown->curves.n == 0 || print_metrics(&shown->curves, err);
}

int cmd_show(const struct invocation *call, struct tuner_error *err)
{
	struct shown shown = { 0 };
	bool ok = read_all(call, &shown, err);
	if (ok)
		ok = call->json ? json_out(shown_json(&shown), err) : print_shown(&shown, err);
	shown_finish(&shown);
	return ok ? EXIT_DONE : -1;
}
