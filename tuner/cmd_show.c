#include "trials/gpu_use.h"
#include "tuner/command.h"

#include "base/number.h"
#include "tuner/artifact_report.h"
#include "tuner/front.h"
#include "tuner/job_open.h"
#include "tuner/launched.h"
#include "tuner/provenance_report.h"
#include "tuner/report_json.h"
#include "tuner/shell_words.h"
#include "tuner/sparkline.h"
#include "tuner/table.h"
#include "tuner/text_width.h"
#include "tuner/trial_report.h"
#include "tuner/warm_start.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SPARKLINE_PLACES = 40 };

struct shown {
	struct report report;
	struct trial trial;
	bool is_best;
	struct text origin; /* the earlier job's trial whose configuration it tries; "" for none */
	struct decision decision;
	char *decision_memory;
	struct attempt_list attempts;
	struct curve_list curves;
	struct event_list events; /* this trial's */
	struct trial_artifacts artifacts;
	char *directory; /* of the newest attempt; NULL: none yet */
	struct states states; /* of code and data, of the job */
	struct provenance *made_of; /* by attempt */
	struct gpu_use *gpu_uses; /* by attempt */
	struct launched launched; /* its command; zero if unknown (any more) */
	bool *additions; /* which of its variables were not just inherited */
};

static void shown_finish(struct shown *shown)
{
	free(shown->additions);
	for (size_t i = 0; shown->made_of && i < shown->attempts.n; i++)
		provenance_finish(&shown->made_of[i]);
	free(shown->made_of);
	free(shown->gpu_uses);
	states_finish(&shown->states);
	launched_finish(&shown->launched);
	free(shown->directory);
	trial_artifacts_finish(&shown->artifacts);
	event_list_finish(&shown->events);
	curve_list_finish(&shown->curves);
	attempt_list_finish(&shown->attempts);
	free(shown->decision_memory);
	text_finish(&shown->origin);
	trial_finish(&shown->trial);
	report_close(&shown->report);
}

/* ---- reading ---- */

/* Marks the variables of the contract and those of the job file's "environment". */
static bool find_additions(struct shown *shown, struct tuner_error *err)
{
	struct tuner_error ignored;
	struct job_file *file = NULL;
	char *const *variables = shown->launched.environment;
	size_t n = 0;
	while (variables[n] != NULL)
		n++;
	shown->additions = calloc(n + 1, sizeof(bool));
	if (shown->additions == NULL)
		return tuner_fail_memory(err);
	/* With a file that this version cannot read, only the variables that it had set are
	 * missing. */
	if (!job_stored_file(&shown->report.job, &file, &ignored))
		file = NULL;
	for (size_t i = 0; i < n; i++) {
		shown->additions[i] = variable_is_of_contract(variables[i]);
		for (size_t k = 0; file && file->environment && file->environment[k]; k++)
			shown->additions[i] |=
				variable_same_name(variables[i], file->environment[k]);
	}
	job_file_destroy(file);
	return true;
}

/* A caller's attempt was not launched, so there is no directory. */
static bool is_of_caller(const struct attempt *attempt)
{
	return strcmp(attempt->backend, ATTEMPT_CALLER) == 0 ||
	       strcmp(attempt->backend, ATTEMPT_REUSED) == 0;
}

static bool read_launch(struct shown *shown, struct tuner_error *err)
{
	bool found = false;
	if (shown->attempts.n == 0 || is_of_caller(&shown->attempts.items[shown->attempts.n - 1]))
		return true;
	shown->directory =
		attempt_path_of(&shown->report, &shown->attempts.items[shown->attempts.n - 1]);
	if (shown->directory == NULL)
		return tuner_fail_memory(err);
	if (!launched_read(shown->directory, &shown->launched, &found, err))
		return false;
	return !found || find_additions(shown, err);
}

static bool read_provenance(struct shown *shown, struct tuner_error *err)
{
	shown->made_of = calloc(shown->attempts.n + 1, sizeof(*shown->made_of));
	if (shown->made_of == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < shown->attempts.n; i++)
		if (!provenance_load(shown->report.store, shown->attempts.items[i].id,
			    &shown->made_of[i], err))
			return false;
	return states_read(&shown->report, &shown->states, err);
}

static bool read_gpu_uses(struct shown *shown, struct tuner_error *err)
{
	bool ok = true;
	shown->gpu_uses = calloc(shown->attempts.n + 1, sizeof(*shown->gpu_uses));
	if (shown->gpu_uses == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; ok && i < shown->attempts.n; i++)
		ok = gpu_use_load(
			shown->report.store, shown->attempts.items[i].id, &shown->gpu_uses[i], err);
	return ok;
}

static bool read_all(const struct invocation *call, struct shown *ret, struct tuner_error *err)
{
	const char *job, *trial;
	const struct report *report = &ret->report;
	report_arguments(call, &job, &trial);
	return report_open(call, job, &ret->report, err) &&
	       report_trial(report, trial, &ret->trial, err) &&
	       front_holds(report, ret->trial.number, &ret->is_best, err) &&
	       warm_start_origin(report->store, &ret->trial, &ret->origin, err) &&
	       decision_load(
		       report->store, ret->trial.id, &ret->decision, &ret->decision_memory, err) &&
	       attempt_select(report->store, report->job.id, ret->trial.id, &ret->attempts, err) &&
	       curve_select(report->store, ret->trial.id, NULL, &ret->curves, err) &&
	       trial_artifacts_read(report->store, ret->trial.id, &ret->artifacts, err) &&
	       event_select_trial(report->store, ret->trial.id, &ret->events, err) &&
	       read_launch(ret, err) && read_provenance(ret, err) && read_gpu_uses(ret, err);
}

/* ---- JSON ---- */

static cJSON *pending_json(const struct decision *d)
{
	cJSON *array = cJSON_CreateArray();
	for (size_t i = 0; i < d->n_pending; i++)
		if (!json_append(array, cJSON_CreateNumber((double)d->pending[i]))) {
			cJSON_Delete(array);
			return NULL;
		}
	return array;
}

static bool fill_decision(cJSON *decision, const struct decision *d)
{
	return json_add_string(decision, "strategy", d->strategy) &&
	       json_add_string(decision, "branch", d->branch) &&
	       json_add_string(decision, "reason", d->reason) &&
	       json_add_integer(decision, "seen_event", d->seen) &&
	       json_add_item(decision, "pending_trials", pending_json(d)) &&
	       json_add_optional(decision, "predicted_mean", d->mean) &&
	       json_add_optional(decision, "predicted_sd", d->sd) &&
	       json_add_optional(decision, "incumbent", d->incumbent) &&
	       json_add_optional(decision, "log_expected_improvement", d->acquisition) &&
	       json_add_optional(decision, "expected_improvement", exp(d->acquisition)) &&
	       json_add_item(decision, "hyperparameters",
		       cJSON_CreateDoubleArray(d->hyperparameters, (int)d->n_hyperparameters)) &&
	       json_add_integer(decision, "work", d->work) &&
	       json_add_duration(decision, "took_s", d->took_us) &&
	       json_add_string(decision, "cpu", d->cpu) &&
	       json_add_string(decision, "libraries", d->libraries) &&
	       json_add_string(decision, "program", d->program);
}

static cJSON *decision_json(const struct decision *d)
{
	cJSON *decision = cJSON_CreateObject();
	if (fill_decision(decision, d))
		return decision;
	cJSON_Delete(decision);
	return NULL;
}

static cJSON *curve_json(const struct curve *curve)
{
	cJSON *points = cJSON_CreateArray();
	bool ok = points != NULL;
	for (size_t i = 0; ok && i < curve->n; i++) {
		cJSON *point = cJSON_CreateObject();
		ok = json_append(points, point) &&
		     json_add_integer(point, "step", curve->steps[i]) &&
		     json_add_number(point, "value", curve->values[i]) &&
		     json_add_time(point, "time", curve->time_us[i]);
	}
	if (ok)
		return points;
	cJSON_Delete(points);
	return NULL;
}

static bool fill_command(cJSON *object, const struct shown *shown)
{
	cJSON *command = cJSON_AddArrayToObject(object, "command");
	cJSON *environment = cJSON_AddObjectToObject(object, "environment");
	bool ok = command != NULL && environment != NULL;
	for (char **word = shown->launched.arguments; ok && word && *word; word++)
		ok = json_append(command, cJSON_CreateString(*word));
	char *const *variables = shown->launched.environment;
	for (size_t i = 0; ok && variables && variables[i]; i++) {
		struct text name = TEXT_EMPTY;
		const size_t length = strcspn(variables[i], "=");
		text_add_bytes(&name, variables[i], length);
		ok = !shown->additions[i] ||
		     json_add_string(environment, name.bytes,
			     variables[i] + length + (variables[i][length] == '='));
		text_finish(&name);
	}
	return ok && (shown->launched.working_directory != NULL
				     ? json_add_string(object, "working_directory",
					       shown->launched.working_directory)
				     : cJSON_AddNullToObject(object, "working_directory") != NULL);
}

/* null for an attempt without a GPU. */
static cJSON *gpu_use_json(const struct gpu_use *use)
{
	cJSON *object = use->together > 0 ? cJSON_CreateObject() : cJSON_CreateNull();
	if (use->together == 0 ||
		(json_add_integer(object, "together", use->together) &&
			json_add_integer(object, "samples", use->samples) &&
			json_add_optional(object, "utilisation_mean", use->utilisation_mean) &&
			json_add_optional(object, "utilisation_max", use->utilisation_max) &&
			json_add_optional(object, "power_mean_w", use->power_mean_w) &&
			json_add_optional(object, "temperature_max_c", use->temperature_max_c)))
		return object;
	cJSON_Delete(object);
	return NULL;
}

static cJSON *launch_json(const struct shown *shown, size_t i)
{
	cJSON *launch = attempt_json(&shown->attempts.items[i]);
	if (json_add_item(launch, "gpu_use", gpu_use_json(&shown->gpu_uses[i])) &&
		json_add_item(
			launch, "provenance", provenance_json(&shown->made_of[i], &shown->states)))
		return launch;
	cJSON_Delete(launch);
	return NULL;
}

static bool fill_shown(cJSON *object, const struct shown *shown)
{
	cJSON *attempts = cJSON_AddArrayToObject(object, "launches");
	cJSON *curves = cJSON_AddObjectToObject(object, "metrics");
	cJSON *events = cJSON_AddArrayToObject(object, "events");
	bool ok = attempts != NULL && curves != NULL && events != NULL;
	for (size_t i = 0; ok && i < shown->attempts.n; i++)
		ok = json_append(attempts, launch_json(shown, i));
	for (size_t i = 0; ok && i < shown->curves.n; i++)
		ok = json_add_item(
			curves, shown->curves.items[i].name, curve_json(&shown->curves.items[i]));
	for (size_t i = 0; ok && i < shown->events.n; i++)
		ok = json_append(events, event_json(&shown->events.items[i]));
	return ok && cJSON_AddBoolToObject(object, "best", shown->is_best) != NULL &&
	       json_add_string(object, "origin", shown->origin.bytes) &&
	       json_add_item(object, "artifacts", trial_artifacts_json(&shown->artifacts)) &&
	       json_add_item(object, "decision", decision_json(&shown->decision)) &&
	       (shown->directory != NULL ? json_add_string(object, "directory", shown->directory)
					 : cJSON_AddNullToObject(object, "directory") != NULL) &&
	       fill_command(object, shown);
}

static cJSON *shown_json(const struct shown *shown)
{
	cJSON *object = trial_json(&shown->report, &shown->trial);
	if (object != NULL && fill_shown(object, shown))
		return object;
	cJSON_Delete(object);
	return NULL;
}

/* ---- text ---- */

static void add_objectives(const struct shown *shown, struct text *out)
{
	const struct goals *goals = &shown->report.goals;
	for (size_t i = 0; i < goals->n; i++)
		text_print(out, ", %s = %.8g", goals->items[i].name, goals_value(&shown->trial, i));
	text_add(out, !shown->is_best ? "" : goals->n > 1 ? ", on the Pareto front" : ", the best");
}

static void add_head(const struct shown *shown, struct text *out)
{
	const struct trial *trial = &shown->trial;
	const char *metric = shown->report.metric;
	char took[NUMBER_TEXT], begun[32];
	text_print(out, "trial %lld of job %s: %s", (long long)trial->number,
		shown->report.job.name, trial_state_name(trial->state));
	if (trial->state == TRIAL_DONE || trial->judgement.n_limits > 0)
		add_objectives(shown, out);
	else if (!isnan(trial->objective))
		text_print(out, ", %s = %.8g up to there", metric, trial->objective);
	else if (trial->metric_count > 0)
		text_print(out, ", %s = %.8g at step %lld", metric, trial->last_value,
			(long long)trial->last_step);
	text_add(out, "\n");
	if (trial->message[0] != '\0') {
		text_print(out, "%s%s", outcome_name(trial->outcome),
			trial->outcome != OUTCOME_NONE ? ": " : "");
		text_add_visible(out, trial->message);
		text_add(out, "\n");
	}
	time_text(trial->started_us, begun);
	if (trial->started_us > 0)
		text_print(out, "began %s, %s %s\n", begun, trial->ended_us ? "took" : "runs for",
			number_from_duration_us(trial_took_us(trial), took));
	else if (shown->attempts.n > 0) /* put back */
		text_add(out, trial->ended_us ? "it was not launched again\n"
					      : "it is to be launched again\n");
	else
		text_add(out, trial->ended_us ? "it was never launched\n"
					      : "it has not been launched yet\n");
}

static void add_parameters(const struct trial *trial, struct text *out)
{
	cJSON *parameters = cJSON_Parse(trial->parameters);
	const cJSON *value;
	size_t width = 0;
	cJSON_ArrayForEach(value, parameters)
	{
		if (text_columns(value->string) > width)
			width = text_columns(value->string);
	}
	text_add(out, "\nparameters\n");
	cJSON_ArrayForEach(value, parameters)
	{
		const int blanks = (int)(width - text_columns(value->string)) + 2;
		text_add(out, "  ");
		text_add_visible(out, value->string);
		text_print(out, "%*s", blanks, "");
		if (cJSON_IsNumber(value))
			text_add_double(out, value->valuedouble);
		else if (cJSON_IsString(value))
			category_text(value->valuestring, out);
		else
			text_add(out, cJSON_IsTrue(value) ? "true" : "false");
		text_add(out, "\n");
	}
	cJSON_Delete(parameters);
}

/* What chose it, and what the model predicted. */
static void add_decision(const struct shown *shown, struct text *out)
{
	const struct trial *trial = &shown->trial;
	const struct decision *d = &shown->decision;
	char took[NUMBER_TEXT];
	text_add(out, "\nproposed by ");
	trial_add_search(&shown->report, &shown->trial, out);
	text_print(out, "%s (strategy %s", d->branch, d->strategy);
	if (strcmp(trial->source, "added") == 0)
		text_add(out, ", observed elsewhere");
	else if (strcmp(trial->source, "strategy") != 0)
		text_print(out, ", asked for by \"%s\"", trial->source);
	text_print(out, ") in %s", number_from_duration_us(d->took_us, took));
	if (d->n_pending > 0)
		text_print(out, ", with %zu trial%s under way", d->n_pending,
			d->n_pending == 1 ? "" : "s");
	text_add(out, "\n");
	if (shown->origin.length > 0)
		text_print(out, "  the configuration of %s\n", shown->origin.bytes);
	if (d->reason[0] != '\0') {
		text_add(out, "  because ");
		text_add_visible(out, d->reason);
		text_add(out, "\n");
	}
	if (isnan(d->mean))
		return;
	text_print(out, "  predicted %.6g ± %.2g (one standard deviation)", d->mean, d->sd);
	if (trial->state == TRIAL_DONE && d->sd > 0)
		text_print(out, "; the result was %.6g, %+.1f of them away", trial->objective,
			(trial->objective - d->mean) / d->sd);
	text_add(out, "\n");
	if (!isnan(d->acquisition))
		text_print(out, "  expected to gain %.3g on %.6g, the best that the model saw\n",
			exp(d->acquisition), d->incumbent);
}

static void add_attempt_end(const struct attempt *attempt, struct text *out)
{
	char status[NUMBER_TEXT];

	text_print(out, "  %lld  %s", (long long)attempt->number,
		attempt->outcome != OUTCOME_NONE ? outcome_name(attempt->outcome)
						 : attempt_state_name(attempt->state));
	snprintf(status, sizeof(status), "exit status %lld", (long long)attempt->exit_code);
	/* The message may begin with it. */
	if (attempt->exit_code >= 0 && strncmp(attempt->message, status, strlen(status)) != 0)
		text_print(out, ", %s", status);
	if (attempt->signal > 0)
		text_print(out, ", signal %lld (%s)", (long long)attempt->signal,
			strsignal((int)attempt->signal));
	if (attempt->message[0] != '\0') {
		text_add(out, ": ");
		text_add_visible(out, attempt->message);
	}
	text_add(out, "\n");
}

static void add_attempt(const struct attempt *attempt, struct text *out)
{
	char begun[32], time[NUMBER_TEXT];
	const int64_t cpu_us = attempt->user_us + attempt->system_us;
	add_attempt_end(attempt, out);
	time_text(attempt->started_us ? attempt->started_us : attempt->intended_us, begun);
	text_print(out, "     %s %s on %s (%s)", attempt->started_us ? "began" : "asked for", begun,
		attempt->host, attempt->backend);
	if (!is_of_caller(attempt))
		text_print(out, ", slot %lld", (long long)attempt->slot);
	if (strcmp(attempt->gpus, "[]") != 0)
		text_print(out, ", GPUs %s", attempt->gpus);
	if (attempt->ended_us > 0 && attempt->started_us > 0)
		text_print(out, ", took %s",
			number_from_duration_us(attempt->ended_us - attempt->started_us, time));
	if (cpu_us > 0)
		text_print(out, ", %s of processor", number_from_duration_us(cpu_us, time));
	if (attempt->max_rss_bytes > 0)
		text_print(out, ", %.1f MiB of memory", (double)attempt->max_rss_bytes / 1048576);
	if (attempt->gpu_memory_peak_bytes > 0)
		text_print(out, ", %.1f MiB on the GPU",
			(double)attempt->gpu_memory_peak_bytes / 1048576);
	text_add(out, "\n");
}

/* The measured use of its GPUs. */
static void add_gpu_use(const struct gpu_use *use, struct text *out)
{
	if (use->samples == 0)
		return;
	text_add(out, "     the GPU:");
	if (!isnan(use->utilisation_mean))
		text_print(out, " %.0f %% busy (at most %.0f %%),", use->utilisation_mean,
			use->utilisation_max);
	if (!isnan(use->power_mean_w))
		text_print(out, " %.0f W,", use->power_mean_w);
	if (!isnan(use->temperature_max_c))
		text_print(out, " up to %.0f C,", use->temperature_max_c);
	text_print(out, " %lld sample%s", (long long)use->samples, use->samples == 1 ? "" : "s");
	if (use->together > 1)
		text_print(out, "; shared by up to %lld trials", (long long)use->together);
	text_add(out, "\n");
}

static void add_attempts(const struct shown *shown, struct text *out)
{
	if (shown->attempts.n > 0)
		text_add(out, "\nattempts\n");
	for (size_t i = 0; i < shown->attempts.n; i++) {
		add_attempt(&shown->attempts.items[i], out);
		add_gpu_use(&shown->gpu_uses[i], out);
	}
}

static bool print_metrics(const struct curve_list *curves, bool color, struct tuner_error *err)
{
	static const char *const columns[] = { "  metric", "-values", "-first", "-last", "-at step",
		"" };
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));
	for (size_t i = 0; i < curves->n; i++) {
		const struct curve *curve = &curves->items[i];
		struct text line = TEXT_EMPTY;
		if (curve->n == 0)
			continue;
		text_add_sparkline(&line, curve->values, curve->n, SPARKLINE_PLACES);
		table_add(table, "  %s", curve->name);
		table_add(table, "%zu", curve->n);
		table_add(table, "%.6g", curve->values[0]);
		table_add(table, "%.6g", curve->values[curve->n - 1]);
		table_add(table, "%lld", (long long)curve->steps[curve->n - 1]);
		table_add(table, "%s", line.bytes);
		text_finish(&line);
	}
	puts("");
	const bool ok = table_print(table, table_width(), color, stdout, err);
	table_destroy(table);
	return ok;
}

static void add_command(const struct invocation *call, const struct shown *shown, struct text *out)
{
	if (shown->launched.memory != NULL) {
		text_add(out, "\ncommand\n  cd ");
		text_add_shell_word(out, shown->launched.working_directory);
		text_add(out, " && ");
		text_add_shell_words(out, shown->launched.arguments);
		text_add(out, "\n  its variables: tuner show ");
		text_add(out, shown->report.reference);
		text_print(out, " %lld --env\n", (long long)shown->trial.number);
	}
	if (shown->directory != NULL) {
		text_add(out, "\nfiles\n  ");
		text_add_visible(out, shown->directory);
		text_add(out, "\n");
	}
}

static void add_events(const struct event_list *events, struct text *out)
{
	char time[32];
	text_add(out, "\nevents\n");
	for (size_t i = 0; i < events->n; i++) {
		time_text(events->items[i].time_us, time);
		text_print(out, "  %s  ", time);
		event_text(&events->items[i], out);
		text_add(out, "\n");
	}
}

static bool print_shown(const struct invocation *call, const struct shown *shown, bool color,
	struct tuner_error *err)
{
	struct text head = TEXT_EMPTY, end = TEXT_EMPTY;
	add_head(shown, &head);
	add_parameters(&shown->trial, &head);
	add_decision(shown, &head);
	add_attempts(shown, &head);
	if (shown->attempts.n > 0)
		provenance_text(&shown->made_of[shown->attempts.n - 1], &shown->states, &end);
	add_command(call, shown, &end);
	trial_artifacts_text(&shown->artifacts, &end);
	add_events(&shown->events, &end);
	const bool ok = text_out(&head, err) &&
			(shown->curves.n == 0 || print_metrics(&shown->curves, color, err));
	return text_out(&end, err) && ok;
}

/* The variables alone, a line each, so that a shell can read them back. */
static bool print_environment(const struct shown *shown, struct tuner_error *err)
{
	struct text out = TEXT_EMPTY;
	if (shown->launched.memory == NULL)
		return tuner_fail(err, TUNER_USAGE, "trial %lld %s", (long long)shown->trial.number,
			shown->attempts.n > 0 ? "no longer has what it was launched with: its "
						"attempt directory is gone"
					      : "has not been launched yet");
	for (size_t i = 0; shown->launched.environment[i] != NULL; i++) {
		if (!shown->additions[i])
			continue;
		text_add_shell_assignment(&out, shown->launched.environment[i]);
		text_add_char(&out, '\n');
	}
	return text_out(&out, err);
}

/* The newest attempt's differences from its commit, for "git apply". */
static bool print_patch(const struct shown *shown, struct tuner_error *err)
{
	const size_t n = shown->attempts.n;
	const struct found_state *state = NULL;
	char *patch = NULL;
	for (size_t i = 0; n > 0 && i < shown->states.code.n; i++)
		if (shown->states.code.items[i].id == shown->made_of[n - 1].code)
			state = &shown->states.code.items[i];
	if (state == NULL)
		return tuner_fail(err, TUNER_USAGE, "it is not known what code trial %lld ran",
			(long long)shown->trial.number);
	if (state->patch == 0) {
		fprintf(stderr,
			"there is no patch of trial %lld's code: \"tuner show %s %lld\" says what "
			"it "
			"was\n",
			(long long)shown->trial.number, shown->report.reference,
			(long long)shown->trial.number);
		return true;
	}
	if (!document_load(shown->report.store, state->patch, &patch, err))
		return false;
	fputs(patch, stdout);
	free(patch);
	return true;
}

static bool print(const struct invocation *call, const struct shown *shown, struct tuner_error *err)
{
	if (call->json)
		return json_out(shown_json(shown), err);
	if (invocation_option(call, "env") != NULL)
		return print_environment(shown, err);
	if (invocation_option(call, "patch") != NULL)
		return print_patch(shown, err);
	return print_shown(call, shown, call->color, err);
}

static bool check_one_way(const struct invocation *call, struct tuner_error *err)
{
	const int ways = call->json + (invocation_option(call, "env") != NULL) +
			 (invocation_option(call, "patch") != NULL);

	return ways <= 1 ||
	       tuner_fail(err, TUNER_USAGE, "--env, --patch and --json exclude each other");
}

int cmd_show(const struct invocation *call, struct tuner_error *err)
{
	struct shown shown = { .origin = TEXT_EMPTY };
	const bool ok =
		check_one_way(call, err) && read_all(call, &shown, err) && print(call, &shown, err);
	shown_finish(&shown);
	return ok ? EXIT_DONE : -1;
}
