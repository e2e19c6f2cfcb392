#include "tuner/best_command.h"

#include "base/file.h"
#include "trials/provenance.h"
#include "tuner/configuration.h"
#include "tuner/edits.h"
#include "tuner/job_open.h"
#include "tuner/launch.h"
#include "tuner/launched.h"
#include "tuner/shell_words.h"
#include "tuner/slots.h"

#include <stdlib.h>
#include <string.h>

/* What is needed to launch a trial's configuration again. */
struct again {
	struct job_file *file;
	double values[SPACE_PARAMETERS_MAX];
	struct argument *arguments;
	char *directory; /* for what the command leaves behind: not the trial's own */
	char *working_directory; /* where it ran: frozen code is elsewhere than the job file */
	char *parameters; /* TUNER_PARAMS: the file that the trial itself was given; NULL: none */
	bool by_variables; /* its arguments do not give all parameters, or it also reads
			      variables */
	struct command command;
};

static void again_finish(struct again *again)
{
	command_finish(&again->command);
	free(again->directory);
	free(again->parameters);
	free(again->working_directory);
	if (again->file != NULL)
		arguments_free(again->arguments, again->file->space.d + again->file->n_fixed);
	job_file_destroy(again->file);
}

/* A command without one of its parameters, or with another value of it, repeats another configuration. */
static bool check_passed(const struct report *report, const struct trial *trial,
	const struct again *again, struct tuner_error *err)
{
	char *left_out = NULL;
	const bool ok = configuration_left_out(
		again->file, trial->parameters, again->values, &left_out, err);
	if (left_out != NULL)
		tuner_fail(err, TUNER_USAGE,
			"trial %lld had its own \"%.100s\", which the job file, edited since, no "
			"longer passes; \"tuner show %s %lld\" shows its command line",
			(long long)trial->number, left_out, report->reference,
			(long long)trial->number);
	const bool passed = left_out == NULL;
	free(left_out);
	return ok && passed;
}

static bool read_configuration(const struct report *report, const struct trial *trial,
	struct again *again, struct tuner_error *err)
{
	struct tuner_error misfit = { TUNER_OK, "" };
	struct text name = TEXT_EMPTY;
	if (!job_stored_file(&report->job, &again->file, err))
		return false;
	if (again->file->command == NULL)
		return tuner_fail(err, TUNER_USAGE,
			"job %s has no command: callers ask for its trials and tell the results. "
			"--params prints the parameters to repeat",
			report->job.name);
	if (!configuration_parse(again->file, trial->parameters, true, again->values, &misfit)) {
		if (misfit.code != TUNER_OK)
			*err = misfit;
		return misfit.code != TUNER_OK
			       ? false
			       : tuner_fail(err, TUNER_USAGE,
					 "trial %lld does not fit the job's present parameters; "
					 "\"tuner show %s %lld\" shows its command line",
					 (long long)trial->number, report->reference,
					 (long long)trial->number);
	}
	if (!check_passed(report, trial, again, err))
		return false;
	again->arguments = configuration_arguments(again->file, again->values);
	text_print(&name, "repeat-%s-%lld", report->job.name, (long long)trial->number);
	again->directory = path_join(again->file->directory, name.bytes);
	const bool ok = again->arguments != NULL && again->directory != NULL && !text_failed(&name);
	text_finish(&name);
	return ok || tuner_fail_memory(err);
}

/* A word such as `train --lr $TUNER_PARAM_LR`, which a shell is to read. */
static bool names_variables(char *const *command)
{
	for (; *command != NULL; command++)
		if (strstr(*command, "TUNER_PARAM") != NULL || strstr(*command, "SM_HP") != NULL)
			return true;
	return false;
}

/* With placeholders nothing is appended, so a parameter without a placeholder is in no argument. */
static bool lacks_placeholder(char *const *command, const struct argument *arguments, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!command_places(command, arguments[i].name))
			return true;
	return false;
}

static bool find_by_variables(struct again *again, struct tuner_error *err)
{
	const struct job_file *file = again->file;
	const size_t n = file->space.d + file->n_fixed;
	const char **names = calloc(n + 1, sizeof(*names));
	bool used = false;
	if (names == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++)
		names[i] = again->arguments[i].name;
	const bool ok = command_check(file->command, names, n, &used, err);
	again->by_variables = file->style == ARGUMENTS_NONE || names_variables(file->command) ||
			      (used && lacks_placeholder(file->command, again->arguments, n));
	free(names);
	return ok;
}

static bool build_command(const struct trial *trial, struct again *again, struct tuner_error *err)
{
	static const struct slot slot = { .cores = 1 };
	const struct job_file *file = again->file;
	const struct job_host *here = slots_local_host(file);
	const struct command_request request = { .command = file->command,
		.prefix = here != NULL ? here->prefix : NULL,
		.style = file->style,
		.arguments = again->arguments,
		.n_arguments = file->space.d + file->n_fixed,
		.channels = file->channels,
		.n_channels = file->n_channels,
		.variables = file->environment,
		.directory = again->directory,
		.working_directory =
			again->working_directory ? again->working_directory : file->directory,
		.key = "",
		.job = file->name,
		.host = "localhost",
		.trial = trial->number,
		.attempt = 1,
		.training_seed = training_seed(file->seed, trial->repeat, trial->arm_number),
		.slot = &slot };
	return command_build(&request, &again->command, err);
}

/* The parameter file, and frozen code, stay where the trial had them. */
static bool find_parameters(const struct report *report, const struct trial *trial,
	struct again *again, struct tuner_error *err)
{
	struct attempt_list attempts;
	if (!attempt_select(report->store, report->job.id, trial->id, &attempts, err))
		return false;
	char *directory =
		attempts.n > 0 ? attempt_path_of(report, &attempts.items[attempts.n - 1]) : NULL;
	char *path = directory ? path_join(directory, "parameters.json") : NULL;
	again->parameters = path ? realpath(path, NULL) : NULL;
	free(path);
	free(directory);
	struct provenance made_of = { 0 };
	const bool ok =
		attempts.n == 0 ||
		provenance_load(report->store, attempts.items[attempts.n - 1].id, &made_of, err);
	if (ok && again->file->code.from != CODE_LIVE) {
		again->working_directory = made_of.directory;
		made_of.directory = NULL;
	}
	provenance_finish(&made_of);
	attempt_list_finish(&attempts);
	return ok;
}

/* Variables that a command line typed by hand needs: the job's own, the seed, the parameters if the
 * arguments do not have them, and, for a script that reads channels as SageMaker's do, what such a
 * script reads from os.environ without a default. */
static bool is_needed(const struct again *again, const char *variable)
{
	const struct job_file *file = again->file;
	static const char *const sagemaker[] = { "SM_MODEL_DIR=", "SM_OUTPUT_DATA_DIR=",
		"SM_CHECKPOINT_DIR=", "SM_HOSTS=", "SM_CURRENT_HOST=", "SM_NUM_GPUS=" };
	if (variable_same_name(variable, "TUNER_SEED="))
		return true;
	for (size_t i = 0; file->environment != NULL && file->environment[i] != NULL; i++)
		if (variable_same_name(variable, file->environment[i]))
			return true;
	if (again->by_variables &&
		(strncmp(variable, "SM_HP_", 6) == 0 || variable_same_name(variable, "SM_HPS=") ||
			strncmp(variable, "TUNER_PARAM_", 12) == 0))
		return true;
	if (file->n_channels == 0)
		return false;
	for (size_t i = 0; i < sizeof(sagemaker) / sizeof(*sagemaker); i++)
		if (variable_same_name(variable, sagemaker[i]))
			return true;
	return strncmp(variable, "SM_CHANNEL_", 11) == 0;
}

/* Makes the directories under again->directory, if anything in `line` names them. */
static void add_directories(const struct again *again, const char *line, struct text *ret)
{
	static const char *const inside[] = { "/model", "/output/data", "/checkpoint" };
	if (strstr(line, again->directory) == NULL)
		return;
	text_add(ret, "mkdir -p");
	for (size_t i = 0; i < sizeof(inside) / sizeof(*inside); i++) {
		struct text path = TEXT_EMPTY;
		text_print(&path, "%s%s", again->directory, inside[i]);
		text_add_char(ret, ' ');
		text_add_shell_word(ret, path.bytes);
		text_finish(&path);
	}
	text_add(ret, " && ");
}

static void add_launch(const struct again *again, struct text *ret)
{
	text_add(ret, "env ");
	for (char *const *v = again->command.launch.environment; *v != NULL; v++)
		if (is_needed(again, *v)) {
			text_add_shell_assignment(ret, *v);
			text_add_char(ret, ' ');
		}
	if (again->by_variables && again->parameters != NULL) {
		text_add(ret, "TUNER_PARAMS=");
		text_add_shell_word(ret, again->parameters);
		text_add_char(ret, ' ');
	}
	text_add_shell_words(ret, again->command.launch.arguments);
}

bool best_command(const struct report *report, const struct trial *trial, struct text *ret,
	struct tuner_error *err)
{
	struct again again = { 0 };
	struct text launch = TEXT_EMPTY;
	bool ok = read_configuration(report, trial, &again, err) &&
		  find_parameters(report, trial, &again, err) && find_by_variables(&again, err) &&
		  build_command(trial, &again, err);
	if (ok) {
		add_launch(&again, &launch);
		text_add(ret, "cd ");
		text_add_shell_word(ret,
			again.working_directory ? again.working_directory : again.file->directory);
		text_add(ret, " && ");
		add_directories(&again, launch.bytes, ret);
		text_add(ret, launch.bytes);
		ok = (!text_failed(&launch) && !text_failed(ret)) || tuner_fail_memory(err);
	}
	text_finish(&launch);
	again_finish(&again);
	return ok;
}

/* A trial that was put back may have been launched since. */
static bool was_launched_before(const struct report *report, const struct trial *trial,
	int64_t time_us, bool *ret, struct tuner_error *err)
{
	struct attempt_list attempts;

	if (!attempt_select(report->store, report->job.id, trial->id, &attempts, err))
		return false;
	*ret = attempts.n > 0 && attempts.items[attempts.n - 1].intended_us < time_us;
	attempt_list_finish(&attempts);
	return true;
}

bool best_command_doubt(const struct report *report, const struct trial *trial, struct text *ret,
	struct tuner_error *err)
{
	struct edits edits;
	bool before = false;

	if (!edits_read(report->store, report->job.id, EDITS_OF_COMMAND, &edits, err) ||
		!was_launched_before(report, trial, edits.time_us, &before, err))
		return false;
	if (before)
		text_print(ret,
			"trial %lld was launched before \"%s\" was edited: \"tuner show %s %lld\" "
			"shows the command line it was launched with",
			(long long)trial->number, edits.key, report->reference,
			(long long)trial->number);
	return !text_failed(ret) || tuner_fail_memory(err);
}
