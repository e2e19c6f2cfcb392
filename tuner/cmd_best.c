#include "tuner/command.h"

#include "base/file.h"
#include "tuner/job_open.h"
#include "tuner/trial_report.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* For a shell: plain words as they are, others in single quotes. */
static void add_quoted(struct text *line, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "@%+=:,./_-";
	if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
		text_add(line, word);
		return;
	}
	text_add_char(line, '\'');
	for (; *word != '\0'; word++)
		if (*word == '\'')
			text_add(line, "'\\''");
		else
			text_add_char(line, *word);
	text_add_char(line, '\'');
}

/* The command line that repeats a trial, with the directory that it is to run in. */
static bool print_command(
	const struct report *report, const struct trial *trial, struct tuner_error *err)
{
	static const struct slot slot = { .cores = 1 };
	struct job_file *file = NULL;
	struct argument *arguments = NULL;
	struct command command = { 0 };
	struct text line = TEXT_EMPTY;
	double values[SPACE_PARAMETERS_MAX];
	size_t n = 0;
	bool ok = false;

	if (!job_stored_file(&report->job, &file, err))
		goto out;
	if (!configuration_parse(file, trial->parameters, true, values, err)) {
		if (err->code == TUNER_OK)
			tuner_fail(err, TUNER_USAGE,
				"trial %lld does not fit into the job's present parameters",
				(long long)trial->number);
		goto out;
	}
	n = file->space.d + file->n_fixed;
	arguments = configuration_arguments(file, values);
	if (arguments == NULL) {
		tuner_fail_memory(err);
		goto out;
	}
	const struct command_request request = { .command = file->command,
		.style = file->style,
		.arguments = arguments,
		.n_arguments = n,
		.directory = ".",
		.working_directory = file->directory,
		.key = "",
		.job = file->name,
		.host = "localhost",
		.trial = trial->number,
		.attempt = 1,
		.slot = &slot };
	if (!command_build(&request, &command, err))
		goto out;
	text_add(&line, "cd ");
	add_quoted(&line, file->directory);
	text_add(&line, " &&");
	for (char *const *word = command.launch.arguments; *word != NULL; word++) {
		text_add_char(&line, ' ');
		add_quoted(&line, *word);
	}
	ok = !text_failed(&line) || tuner_fail_memory(err);
	if (ok)
		puts(line.bytes);
out:
	text_finish(&line);
	command_finish(&command);
	arguments_free(arguments, n);
	job_file_destroy(file);
	return ok;
}

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

/* Where its last attempt has saved a model (TUNER_MODEL_DIR). */
static bool print_model(
	const struct report *report, const struct trial *trial, struct tuner_error *err)
{
	struct attempt_list attempts;
	char *attempt = NULL, *model = NULL, *plain = NULL;
	if (!attempt_select(report->store, report->job.id, trial->id, &attempts, err))
		return false;
	if (attempts.n > 0)
		attempt = path_join(
			store_directory(report->store), attempts.items[attempts.n - 1].directory);
	model = attempt ? path_join(attempt, "model") : NULL;
	plain = model ? realpath(model, NULL) : NULL;
	bool ok = plain != NULL && !is_empty(plain);
	if (ok)
		puts(plain);
	else
		tuner_fail(err, TUNER_USAGE,
			"trial %lld has saved no model: a command puts it into the directory that "
			"TUNER_MODEL_DIR (or SM_MODEL_DIR) names",
			(long long)trial->number);
	free(plain);
	free(model);
	free(attempt);
	attempt_list_finish(&attempts);
	return ok;
}

/* The first trial, if it is done and another than the best: what was there before the search. */
static bool print_gain(
	const struct report *report, const struct trial *best, struct tuner_error *err)
{
	const struct trial_filter filter = {
		.job_id = report->job.id, .repeat = -1, .number = 1, .states = 1u << TRIAL_DONE
	};
	struct trial_list list;
	if (!trial_select(report->store, &filter, &list, err))
		return false;
	if (list.n > 0 && best->number != 1)
		printf("trial 1 had %.6g: %s by %.4g\n", list.items[0].objective,
			report->maximize ? "higher" : "lower",
			fabs(best->objective - list.items[0].objective));
	trial_list_finish(&list);
	return true;
}

static bool print_best(
	const struct report *report, const struct trial *best, struct tuner_error *err)
{
	struct text text = TEXT_EMPTY;
	trial_text(best, &text);
	printf("job %s: the best is trial %lld, %s = %.8g (proposed by %s)\n%s\n", report->job.name,
		(long long)best->number, report->metric, best->objective, best->branch, text.bytes);
	text_finish(&text);
	return print_gain(report, best, err);
}

static bool print(const struct invocation *call, const struct report *report,
	const struct trial *best, struct tuner_error *err)
{
	if (invocation_option(call, "command") != NULL)
		return print_command(report, best, err);
	if (invocation_option(call, "model") != NULL)
		return print_model(report, best, err);
	if (invocation_option(call, "params") != NULL) {
		puts(best->parameters);
		return true;
	}
	if (call->json)
		return json_out(trial_json(report, best), err);
	return print_best(report, best, err);
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
	if (!found) {
		fprintf(stderr, "tuner: no trial of job %s has a result yet\n", report.job.name);
		status = EXIT_NO_RESULT;
	} else if (print(call, &report, &best, err)) {
		status = EXIT_DONE;
	}
out:
	if (found)
		trial_finish(&best);
	report_close(&report);
	return status;
}
