#include "tuner/command.h"

#include "base/file.h"
#include "tuner/artifact_report.h"
#include "tuner/best_command.h"
#include "tuner/front_report.h"
#include "tuner/job_open.h"
#include "tuner/provenance_report.h"
#include "tuner/recommended.h"
#include "tuner/report_json.h"
#include "tuner/table.h"
#include "tuner/text_width.h"
#include "tuner/trial_report.h"
#include "tuner/warm_start.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- --command ---- */

static bool print_command(
	const struct report *report, const struct trial *trial, struct tuner_error *err)
{
	struct text line = TEXT_EMPTY, doubt = TEXT_EMPTY;
	const bool ok = best_command(report, trial, &line, err) &&
			best_command_doubt(report, trial, &doubt, err);
	if (ok && doubt.length > 0)
		fprintf(stderr, "tuner: warning: %s\n", doubt.bytes);
	if (ok)
		puts(line.bytes);
	text_finish(&doubt);
	text_finish(&line);
	return ok;
}

/* ---- --model ---- */

static bool is_empty(const char *directory)
{
	DIR *stream = opendir(directory);
	const struct dirent *entry;
	bool empty = true;
	while (stream != NULL && empty && (entry = readdir(stream)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	if (stream != NULL)
		closedir(stream);
	return empty;
}

/* Prints where the trial's last attempt has saved a model (TUNER_MODEL_DIR). */
static bool print_model(
	const struct report *report, const struct trial *trial, struct tuner_error *err)
{
	struct attempt_list attempts;
	char *attempt = NULL, *model = NULL, *real = NULL;
	if (!attempt_select(report->store, report->job.id, trial->id, &attempts, err))
		return false;
	if (attempts.n > 0 && attempts.items[attempts.n - 1].directory[0] == '\0') {
		tuner_fail(err, TUNER_USAGE,
			"trial %lld was not launched here, so there is no model: %.180s",
			(long long)trial->number,
			trial->message[0] ? trial->message
					  : "a caller asked for it and told its result");
		attempt_list_finish(&attempts);
		return false;
	}
	if (attempts.n > 0)
		attempt = attempt_path_of(report, &attempts.items[attempts.n - 1]);
	model = attempt ? path_join(attempt, "model") : NULL;
	real = model ? realpath(model, NULL) : NULL;
	const bool ok = real != NULL && !is_empty(real);
	if (ok)
		puts(real);
	else
		tuner_fail(err, TUNER_USAGE,
			"trial %lld has saved no model: its command must put it into the directory "
			"named by TUNER_MODEL_DIR (or SM_MODEL_DIR), which was %s",
			(long long)trial->number, model != NULL ? model : "never created");
	free(real);
	free(model);
	free(attempt);
	attempt_list_finish(&attempts);
	return ok;
}

/* ---- in words ---- */

/* How many other trials have the very same objective. Reads the best trials, and more of them as
 * long as all are equal. */
static bool count_ties(
	const struct report *report, const struct trial *best, size_t *ret, struct tuner_error *err)
{
	enum { LOOKED_AT = 100 };
	struct trial_filter filter = { .job_id = report->job.id,
		.repeat = -1,
		.states = 1u << TRIAL_DONE,
		.order = TRIAL_BY_OBJECTIVE,
		.limit = LOOKED_AT,
		.without_values = true };
	for (bool more = true; more; filter.limit *= 10) {
		struct trial_list list;
		size_t alike = 0, others = 0;
		if (!trial_select(report->store, &filter, &list, err))
			return false;
		for (size_t i = 0; i < list.n; i++) {
			const bool is_alike = list.items[i].objective == best->objective;
			alike += is_alike;
			others += is_alike && list.items[i].number != best->number;
		}
		*ret = others;
		more = alike == (size_t)filter.limit;
		trial_list_finish(&list);
	}
	return true;
}

/* The gain over the first trial: the defaults, if the job file lists them as "first". */
static void add_gain(const struct report *report, const struct trial *best,
	const struct trial *first, struct text *out)
{
	text_print(out, "trial 1 (%s) ",
		strcmp(first->source, "first") == 0 ? "given by the job file" : first->branch);
	if (first->state != TRIAL_DONE) {
		text_print(out, "has no result to compare with: it is %s\n",
			trial_state_name(first->state));
		return;
	}
	const double gain = fabs(best->objective - first->objective);
	text_print(out, "had %.6g: the best is %s by %.4g", first->objective,
		report->maximize ? "higher" : "lower", gain);
	if (first->objective != 0 && isfinite(gain / first->objective))
		text_print(out, " (%.3g %%)", 100 * gain / fabs(first->objective));
	text_add(out, "\n");
}

/* A file that this version cannot read may have one. */
static bool has_command(const struct report *report)
{
	struct tuner_error ignored;
	struct job_file *file = NULL;
	const bool has = !job_stored_file(&report->job, &file, &ignored) || file->command != NULL;
	job_file_destroy(file);
	return has;
}

static void add_next(
	const struct report *report, const struct trial *best, bool by_model, struct text *out)
{
	text_add(out, "next: tuner best ");
	if (report->goals.n > 1)
		text_print(out, "--trial %lld ", (long long)best->number);
	text_print(out, "%s--%s ", by_model ? "--by-model " : "",
		has_command(report) ? "command" : "params");
	text_add(out, report->reference);
	text_add(out, " prints how to repeat it\n");
}

/* If the job's trials did not all run the same code, which code the best one ran. */
static bool add_code(const struct report *report, const struct trial *best, struct text *out,
	struct tuner_error *err)
{
	struct states states;
	struct ran ran = { .n = 0 };
	if (!states_read(report, &states, err))
		return false;
	const size_t n = states.code.n;
	const bool ok = n < 2 || ran_read(report, &states, best->id, &ran, err);
	if (ok && ran.n > 0) {
		text_print(out, "it ran state %lld of %zu of the code: \"tuner show ",
			(long long)ran.numbers[ran.n - 1], n);
		text_add(out, report->reference);
		text_print(out, " %lld\" shows it\n", (long long)best->number);
	}
	states_finish(&states);
	return ok;
}

/* The trial's origin, if it is from another job. */
static bool add_origin(const struct report *report, const struct trial *best, struct text *out,
	struct tuner_error *err)
{
	struct text origin = TEXT_EMPTY;
	const bool ok = warm_start_origin(report->store, best, &origin, err);
	if (strcmp(best->source, "added") == 0 && best->message[0] != '\0') {
		text_add(out, "it was ");
		text_add_visible(out, best->message);
		text_add(out, "\n");
	} else if (origin.length > 0) {
		text_print(out, "it tried the configuration of %s\n", origin.bytes);
	}
	text_finish(&origin);
	return ok;
}

/* Which trial is the best, and by which criterion; `by` is NULL for the best result. */
static void add_best(const struct report *report, const struct trial *best,
	const struct recommended *by, struct text *out)
{
	text_print(out, "job %s: %s%s%lld, ", report->job.name, by != NULL ? "by the model " : "",
		report->goals.n > 1 ? "on the Pareto front is trial " : "the best is trial ",
		(long long)best->number);
	for (size_t i = 0; i < report->goals.n; i++)
		text_print(out, "%s%s = %.8g", i > 0 ? ", " : "", report->goals.items[i].name,
			goals_value(best, i));
	text_add(out, " (proposed by ");
	trial_add_search(report, best, out);
	text_print(out, "%s)\n", best->branch);
	if (by != NULL)
		text_print(out,
			"it expects %.6g there without noise, give or take %.2g; one result has "
			"noise of %.2g\n",
			by->mean, by->sd, by->noise_sd);
	trial_text(best, out);
	text_add(out, "\n");
}

/* The best of many noisy results is so partly by luck. */
static bool add_doubt(const struct report *report, struct text *out, struct tuner_error *err)
{
	bool is_noisy = false;
	if (!recommended_matters(report, &is_noisy, err))
		return false;
	if (!is_noisy)
		return true;
	text_add(out, "results are noisy: tuner best --by-model ");
	text_add(out, report->reference);
	text_add(out, " names the trial the model thinks best\n");
	return true;
}

/* What the best result is worth; there is none of several objectives. */
static bool add_worth(const struct report *report, const struct trial *best,
	const struct trial *first, struct text *out, struct tuner_error *err)
{
	size_t ties = 0;
	if (!count_ties(report, best, &ties, err))
		return false;
	if (ties > 0)
		text_print(out, "%zu other trial%s reached the same value; this was the first\n",
			ties, ties == 1 ? "" : "s");
	if (best->number != 1 && strcmp(first->source, "added") != 0)
		add_gain(report, best, first, out);
	return true;
}

static bool print_words(const struct report *report, const struct trial *best,
	const struct trial *first, const struct recommended *by, struct tuner_error *err)
{
	const bool is_the_best = by == NULL && report->goals.n == 1;
	struct text out = TEXT_EMPTY;
	add_best(report, best, by, &out);
	bool ok = (!is_the_best || add_worth(report, best, first, &out, err)) &&
		  add_origin(report, best, &out, err) && add_code(report, best, &out, err) &&
		  (!is_the_best || add_doubt(report, &out, err));
	add_next(report, best, by != NULL, &out);
	ok = ok && lines_out(&out, err);
	text_finish(&out);
	return ok;
}

static bool add_recommended(cJSON *object, const struct recommended *by)
{
	return by == NULL || (json_add_number(object, "expected", by->mean) &&
				     json_add_number(object, "expected_sd", by->sd) &&
				     json_add_number(object, "noise_sd", by->noise_sd));
}

static cJSON *best_json(const struct report *report, const struct trial *best,
	const struct trial *first, const struct recommended *by)
{
	cJSON *object = trial_json(report, best);
	const double first_value = first->state == TRIAL_DONE ? first->objective : NAN;
	if (object != NULL &&
		json_add_string(object, "goal", report->maximize ? "maximize" : "minimize") &&
		json_add_optional(object, "first_objective", first_value) &&
		json_add_optional(object, "gain",
			report->maximize ? best->objective - first_value
					 : first_value - best->objective) &&
		add_recommended(object, by))
		return object;
	cJSON_Delete(object);
	return NULL;
}

static bool print_compared(const struct invocation *call, const struct report *report,
	const struct trial *best, const struct recommended *by, struct tuner_error *err)
{
	struct trial first;
	bool found = false;
	if (!report_number(report, 1, &first, &found, err))
		return false;
	tuner_assert(found); /* trials are numbered from 1, without gaps */
	const bool ok = call->json ? json_out(best_json(report, best, &first, by), err)
				   : print_words(report, best, &first, by, err);
	trial_finish(&first);
	return ok;
}

static bool print(const struct invocation *call, const struct report *report,
	const struct trial *best, const struct recommended *by, struct tuner_error *err)
{
	const bool command = invocation_option(call, "command") != NULL;
	const bool model = invocation_option(call, "model") != NULL;
	const bool params = invocation_option(call, "params") != NULL;
	const bool artifacts = invocation_option(call, "artifacts") != NULL;
	if (command + model + params + artifacts + call->json > 1)
		return tuner_fail(err, TUNER_USAGE,
			"--command, --params, --model, --artifacts and --json exclude each other");
	if (artifacts)
		return trial_artifacts_print_paths(report, best, err);
	if (command)
		return print_command(report, best, err);
	if (model)
		return print_model(report, best, err);
	if (params) {
		puts(best->parameters);
		return true;
	}
	return print_compared(call, report, best, by, err);
}

/* No trial is done: why, and what to do. */
static bool say_none(const struct report *report, struct tuner_error *err)
{
	int64_t counts[TRIAL_STATES];
	if (!trial_count(report->store, report->job.id, counts, err))
		return false;
	if (counts[TRIAL_RUNNING] + counts[TRIAL_PROPOSED] > 0)
		fprintf(stderr,
			"tuner: no trial of job %s has a result yet; \"tuner status %s\" shows its "
			"progress\n",
			report->job.name, report->reference);
	else if (counts[TRIAL_FAILED] + counts[TRIAL_STOPPED] > 0)
		fprintf(stderr,
			"tuner: no trial of job %s has a result: %lld failed, %lld stopped; "
			"\"tuner trials %s\" says why\n",
			report->job.name, (long long)counts[TRIAL_FAILED],
			(long long)counts[TRIAL_STOPPED], report->reference);
	else
		fprintf(stderr, "tuner: job %s has no trial yet; \"tuner %s %s\" starts one\n",
			report->job.name, has_command(report) ? "run" : "ask", report->reference);
	return true;
}

static bool print_recommended(
	const struct invocation *call, const struct report *report, struct tuner_error *err)
{
	struct recommended by;
	struct trial trial;
	bool found = false;
	if (!recommended_read(report, &by, err) ||
		!report_number(report, by.number, &trial, &found, err))
		return false;
	tuner_assert(found);
	const bool ok = print(call, report, &trial, &by, err);
	trial_finish(&trial);
	return ok;
}

/* ---- several objectives ---- */

static bool wants_one(const struct invocation *call)
{
	return invocation_option(call, "command") != NULL ||
	       invocation_option(call, "model") != NULL ||
	       invocation_option(call, "params") != NULL ||
	       invocation_option(call, "artifacts") != NULL;
}

/* What needs one trial needs it named, unless there is but one. */
static bool print_front(const struct invocation *call, const struct report *report,
	const struct front *front, struct tuner_error *err)
{
	struct text numbers = TEXT_EMPTY;
	if (!wants_one(call))
		return front_print(call, report, front, has_command(report), err);
	if (front->trials.n == 1)
		return print(call, report, &front->trials.items[0], NULL, err);
	front_numbers(front, &numbers);
	tuner_fail(err, TUNER_USAGE,
		"%zu trials are on the Pareto front (%.100s): say which one by --trial N",
		front->trials.n, numbers.bytes);
	text_finish(&numbers);
	return false;
}

static bool print_named(const struct invocation *call, const struct report *report,
	const struct front *front, int64_t number, struct tuner_error *err)
{
	const struct trial *trial = front_trial(front, number);
	struct text numbers = TEXT_EMPTY;
	if (trial != NULL)
		return print(call, report, trial, NULL, err);
	front_numbers(front, &numbers);
	tuner_fail(err, TUNER_USAGE, "trial %lld is not %s (%.100s)", (long long)number,
		report->goals.n > 1 ? "on the Pareto front" : "the best", numbers.bytes);
	text_finish(&numbers);
	return false;
}

static bool print_of_front(
	const struct invocation *call, const struct report *report, struct tuner_error *err)
{
	struct front front;
	int64_t number = 0;
	if (!invocation_integer(call, "trial", 1, INT64_MAX, 0, &number, err))
		return false;
	if (invocation_option(call, "by-model") != NULL)
		return tuner_fail(err, TUNER_USAGE,
			number > 0
				? "--trial and --by-model exclude each other"
				: "--by-model: with several objectives there is no best trial for "
				  "the model to name");
	if (!front_read(report, &front, err))
		return false;
	const bool ok = number > 0 ? print_named(call, report, &front, number, err)
				   : print_front(call, report, &front, err);
	front_finish(&front);
	return ok;
}

int cmd_best(const struct invocation *call, struct tuner_error *err)
{
	struct report report = { 0 };
	struct trial best = { 0 };
	bool found = false;
	int status = -1;
	if (!report_open(call, call->n_arguments > 0 ? call->arguments[0] : NULL, &report, err) ||
		!report_best(&report, &best, &found, err))
		goto out;
	if (found && (report.goals.n > 1 || invocation_option(call, "trial") != NULL))
		status = print_of_front(call, &report, err) ? EXIT_DONE : -1;
	else if (found && invocation_option(call, "by-model") != NULL)
		status = print_recommended(call, &report, err) ? EXIT_DONE : -1;
	else if (found)
		status = print(call, &report, &best, NULL, err) ? EXIT_DONE : -1;
	else if (say_none(&report, err))
		status = EXIT_NO_RESULT;
out:
	if (found)
		trial_finish(&best);
	report_close(&report);
	return status;
}
