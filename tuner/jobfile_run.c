/* What runs and where: name, directory, command, channels, environment, failure rules, hosts. */
#include "tuner/jobfile_reader.h"

#include "base/file.h"
#include "scheduler/secrets.h"
#include "tuner/jobfile_value.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is needed for running is checked only if the job is to run. */
static bool looks_around(const struct reader *reader)
{
	return reader->need != COMMAND_IGNORED;
}

char **copy_strings(const cJSON *array)
{
	char **strings = calloc((size_t)cJSON_GetArraySize(array) + 1, sizeof(*strings));
	size_t n = 0;

	if (strings == NULL)
		return NULL;
	for (const cJSON *item = array->child; item; item = item->next)
		if (cJSON_IsString(item) && (strings[n++] = strdup(item->valuestring)) == NULL) {
			while (n-- > 0)
				free(strings[n]);
			free(strings);
			return NULL;
		}
	return strings;
}

/* ---- name and directory ---- */

bool is_name(const char *name)
{
	const size_t length = strlen(name);

	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)name[i]) && strchr("._-", name[i]) == NULL)
			return false;
	return length > 0 && length <= JOB_NAME_MAX_BYTES && name[0] != '.' && name[0] != '-';
}

static bool read_name(struct reader *reader, struct tuner_error *err)
{
	static const char rule[] =
		"letters, digits, '.', '_' and '-', at most 100, and neither '.' "
		"nor '-' in front";
	const cJSON *name = member(reader->root, SECTION_FILE, "name");
	struct job_file *file = reader->file;

	if (name != NULL) {
		free(file->name);
		file->name = strdup(name->valuestring);
		if (file->name == NULL)
			return tuner_fail_memory(err);
		if (!is_name(file->name))
			report_error(reader, name, AT_VALUE, "expected %s, found \"%.100s\"", rule,
				file->name);
	} else if (!has_member(reader->root, "name") && !is_name(file->name)) {
		report_missing(reader,
			"\"name\" is missing, and the file's own name cannot stand for it (%s)",
			rule);
	}
	return true;
}

static bool is_directory(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* A stored job's directory is known: its "directory", which led there, is not applied again, unless
 * the command line has just set it. */
static bool is_followed(const struct reader *reader, const cJSON *directory)
{
	const char *override = "";

	source_place(reader->source, directory, false, &override);
	return !reader->stored || *override != '\0';
}

static bool follow_directory(struct reader *reader, const cJSON *directory, struct tuner_error *err)
{
	struct job_file *file = reader->file;
	char *joined = path_join(file->directory, directory->valuestring);

	if (joined == NULL)
		return tuner_fail_memory(err);
	char *plain = realpath(joined, NULL); /* without "." and ".."; NULL if it does not exist */
	free(file->directory);
	file->directory = plain ? plain : joined;
	if (plain != NULL)
		free(joined);
	return true;
}

static bool read_directory(struct reader *reader, struct tuner_error *err)
{
	const cJSON *directory = member(reader->root, SECTION_FILE, "directory");
	struct job_file *file = reader->file;

	if (directory && is_followed(reader, directory) &&
		!follow_directory(reader, directory, err))
		return false;
	if (!looks_around(reader) || is_directory(file->directory))
		return true;
	if (directory != NULL)
		report_error(reader, directory, AT_VALUE, "there is no directory %.300s",
			file->directory);
	else
		report_missing(reader, "there is no directory %.300s", file->directory);
	return true;
}

/* ---- source ---- */

static bool is_hash(const char *text)
{
	const size_t length = strlen(text);

	return length >= 7 && length <= 64 && strspn(text, "0123456789abcdef") == length;
}

/* Whether the path is relative and does not leave the repository by "..". */
static bool stays_inside(const char *path)
{
	if (*path == '/')
		return false;
	for (const char *part = path; *part != '\0';) {
		const size_t length = strcspn(part, "/");
		if (length == 2 && strncmp(part, "..", 2) == 0)
			return false;
		part += length + (part[length] == '/');
	}
	return true;
}

/* A path is relative to the job file's directory; an address (https://..., host:path) is
 * unchanged. */
static char *repository_address(const struct job_file *file, const char *git)
{
	if (strchr(git, ':') != NULL)
		return strdup(git);
	char *path = path_join(file->directory, git);
	char *plain = path != NULL ? realpath(path, NULL) : NULL; /* without ".." */
	if (plain == NULL)
		return path;
	free(path);
	return plain;
}

static bool read_git(struct reader *reader, const cJSON *git, const cJSON *commit,
	const cJSON *path, struct tuner_error *err)
{
	struct job_code *code = &reader->file->code;

	if (git->valuestring[0] == '-')
		report_error(reader, git, AT_VALUE, "an address does not begin with \"-\"");
	if (!is_hash(commit->valuestring))
		report_error(reader, commit, AT_VALUE,
			"expected a commit's hash, 7 to 64 of 0-9 and a-f (\"git rev-parse %.60s\" "
			"gives that of a branch or tag), found \"%.60s\": a name may mean "
			"something else tomorrow",
			commit->valuestring, commit->valuestring);
	if (path != NULL && !stays_inside(path->valuestring))
		report_error(reader, path, AT_VALUE,
			"expected a directory inside the repository, found \"%.200s\"",
			path->valuestring);
	code->from = CODE_GIT;
	code->git = repository_address(reader->file, git->valuestring);
	code->commit = strdup(commit->valuestring);
	code->path = strdup(path != NULL ? path->valuestring : "");
	return (code->git && code->commit && code->path) || tuner_fail_memory(err);
}

/* Code and data are separate: data are located by channels and absolute paths. */
static bool read_code(struct reader *reader, struct tuner_error *err)
{
	static const enum code_from words[] = { CODE_LIVE, CODE_SNAPSHOT };
	const cJSON *source = member(reader->root, SECTION_FILE, "source");
	const cJSON *git = member(source, SECTION_CODE, "git");
	const cJSON *commit = member(source, SECTION_CODE, "commit");
	const cJSON *path = member(source, SECTION_CODE, "path");

	reader->file->code.from = words[member_word(source, SECTION_CODE, "code")];
	if (git != NULL && commit != NULL) {
		if (has_member(source, "code"))
			report_error(reader, member_raw(source, "code"), AT_KEY,
				"has no effect beside \"git\"");
		return read_git(reader, git, commit, path, err);
	}
	if (has_member(source, "git") && !has_member(source, "commit"))
		report_error(reader, source, AT_VALUE,
			"\"commit\" is missing: without it \"git\" names no code");
	else if (has_member(source, "commit") && !has_member(source, "git"))
		report_error(reader, source, AT_VALUE,
			"\"git\" is missing: the repository that has this commit");
	else if (path != NULL)
		report_error(reader, path, AT_KEY, "has no effect without \"git\"");
	return true;
}

/* ---- command ---- */

/* Checks the placeholders word by word, so that each fault has its place. */
static bool check_placeholders(
	struct reader *reader, const cJSON *command, bool *ret_used, struct tuner_error *err)
{
	const struct job_file *file = reader->file;
	const char *names[2 * SPACE_PARAMETERS_MAX + 1];
	const size_t d = file->space.d;

	for (size_t i = 0; i < d + file->n_fixed; i++)
		names[i] = i < d ? file->space.parameters[i].name : file->fixed[i - d].name;
	for (const cJSON *item = command->child; item; item = item->next) {
		char *word[] = { item->valuestring, NULL };
		struct tuner_error fault;
		bool used = false;
		if (!cJSON_IsString(item))
			continue;
		if (!command_check(word, names, d + file->n_fixed, &used, &fault)) {
			if (fault.code != TUNER_USAGE)
				return tuner_fail(err, fault.code, "%s", fault.message);
			report_error(reader, item, AT_VALUE, "%s", fault.message);
		}
		*ret_used |= used;
	}
	return true;
}

/* If the parameter is inactive its word is removed, but the option before it would stay. */
static void check_optional_words(struct reader *reader, const cJSON *command)
{
	const struct space *space = &reader->file->space;

	for (const cJSON *item = command->child; item && item->next; item = item->next)
		for (size_t c = 0; c < space->n_conditions; c++) {
			const char *name = space->parameters[space->conditions[c].parameter].name;
			char alone[PARAMETER_NAME_MAX + 3];
			snprintf(alone, sizeof(alone), "{%s}", name);
			if (!cJSON_IsString(item) || item->valuestring[0] != '-' ||
				!cJSON_IsString(item->next) ||
				strcmp(item->next->valuestring, alone) != 0)
				continue;
			report_warning(reader, item->next, AT_VALUE,
				"where %s is not active, this word is left out and \"%.60s\" stays "
				"alone; \"%.60s={%s}\" in one word would be left out as a whole",
				name, item->valuestring, item->valuestring, name);
			break;
		}
}

/* With placeholders nothing is appended: a parameter without one reaches the command only by
 * variables. */
static void check_use_of_parameters(struct reader *reader)
{
	static const char *const built_in[] = { "trial", "gpus", "attempt_dir", "checkpoint_dir",
		"model_dir" };
	const struct job_file *file = reader->file;
	const cJSON *map = member(reader->root, SECTION_FILE, "parameters");

	for (size_t i = 0; i < file->space.d; i++) {
		const char *name = file->space.parameters[i].name;
		const cJSON *node = member_raw(map, name);
		for (size_t k = 0; k < sizeof(built_in) / sizeof(*built_in); k++)
			if (strcmp(name, built_in[k]) == 0)
				report_error(reader, node, AT_KEY,
					"is the name of a placeholder of its own, which "
					"\"command\" "
					"uses; another name is needed");
		if (!command_places(file->command, name))
			report_warning(reader, node, AT_KEY,
				"\"command\" has placeholders, but not {%s}: it gets this one as a "
				"variable only",
				name);
	}
}

static bool check_executable(
	struct reader *reader, const cJSON *word, const char *argument, struct tuner_error *err)
{
	struct tuner_error fault;
	char *found = NULL;

	if (strchr(argument, '{') != NULL)
		return true;
	if (!command_exists(argument, reader->file->directory, getenv("PATH"), &found, &fault)) {
		if (fault.code != TUNER_USAGE)
			return tuner_fail(err, fault.code, "%s", fault.message);
		report_error(reader, word, AT_VALUE, "%s", fault.message);
	}
	free(found);
	return true;
}

static bool is_interpreter(const char *program)
{
	static const char *const names[] = { "python", "sh", "bash", "Rscript", "julia", "perl",
		"ruby", "node" };

	return path_is_program(program, names, sizeof(names) / sizeof(*names));
}

/* "python3 trian.py" starts, and fails in every trial. */
static bool check_script(struct reader *reader, const cJSON *command, struct tuner_error *err)
{
	const cJSON *program = command->child, *script = program->next;
	struct stat status;

	if (!cJSON_IsString(program) || !cJSON_IsString(script) ||
		!is_interpreter(program->valuestring) || script->valuestring[0] == '-' ||
		strchr(script->valuestring, '{') != NULL)
		return true;
	char *path = path_join(reader->file->directory, script->valuestring);
	if (path == NULL)
		return tuner_fail_memory(err);
	if (stat(path, &status) != 0)
		report_error(reader, script, AT_VALUE, "there is no file %.300s", path);
	free(path);
	return true;
}

static bool runs_here(const struct job_file *file)
{
	for (size_t i = 0; i < file->n_hosts; i++)
		if (strcmp(file->hosts[i].backend, "local") == 0)
			return true;
	return file->n_hosts == 0;
}

/* Nothing is known here about an ssh host; a cluster shares its directories. */
static bool has_data_here(const struct job_file *file)
{
	for (size_t i = 0; i < file->n_hosts; i++)
		if (file->hosts[i].ssh == NULL)
			return true;
	return file->n_hosts == 0;
}

/* The working directory of other hosts is sent from here, or shared. */
static bool sends_code(const struct job_file *file)
{
	for (size_t i = 0; i < file->n_hosts; i++)
		if (file->hosts[i].ssh == NULL || file->hosts[i].ssh->sync)
			return true;
	return false;
}

/* A program missing here may exist on other hosts; the script's directory is the same. */
static bool check_presence(struct reader *reader, const cJSON *command, struct tuner_error *err)
{
	const struct job_file *file = reader->file;

	if (!runs_here(file))
		return !sends_code(file) || check_script(reader, command, err);
	if (file->n_hosts > 0 && strcmp(file->hosts[0].backend, "local") == 0 &&
		file->hosts[0].prefix != NULL) {
		const cJSON *host = member(reader->root, SECTION_FILE, "hosts")->child;
		return file->hosts[0].prefix[0] == NULL ||
		       check_executable(reader, member_raw(host, "prefix")->child,
			       file->hosts[0].prefix[0], err);
	}
	/* What comes with a repository is checked once it has been fetched. */
	if (file->code.from == CODE_GIT)
		return !cJSON_IsString(command->child) ||
		       strchr(command->child->valuestring, '/') != NULL ||
		       check_executable(reader, command->child, command->child->valuestring, err);
	return !cJSON_IsString(command->child) ||
	       (check_executable(reader, command->child, command->child->valuestring, err) &&
		       check_script(reader, command, err));
}

static bool read_command(struct reader *reader, struct tuner_error *err)
{
	static const enum argument_style styles[] = { ARGUMENTS_SPACE, ARGUMENTS_EQUALS,
		ARGUMENTS_BARE, ARGUMENTS_NONE };
	struct job_file *file = reader->file;
	const cJSON *command = member(reader->root, SECTION_FILE, "command");
	const cJSON *arguments = member_raw(reader->root, "arguments");
	bool used = false;

	file->style = styles[member_word(reader->root, SECTION_FILE, "arguments")];
	if (command == NULL)
		return true;
	file->command = copy_strings(command);
	if (file->command == NULL)
		return tuner_fail_memory(err);
	if (!check_placeholders(reader, command, &used, err))
		return false;
	if (used && arguments != NULL && file->style != ARGUMENTS_NONE)
		report_error(reader, arguments, AT_KEY,
			"has no effect: \"command\" has placeholders, so nothing is appended");
	if (used)
		check_use_of_parameters(reader);
	check_optional_words(reader, command);
	return !looks_around(reader) || check_presence(reader, command, err);
}

/* ---- channels ---- */

static bool is_channel_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && strchr("._-", *c) == NULL)
			return false;
	return *name != '\0';
}

static void check_channel(struct reader *reader, const cJSON *node, const char *path)
{
	const struct job_file *file = reader->file;
	struct stat status;

	if (!is_channel_name(node->string))
		report_error(reader, node, AT_KEY,
			"expected a name of letters, digits, '.', '_' and '-': it becomes "
			"SM_CHANNEL_NAME");
	for (size_t i = 0; i < file->n_channels; i++)
		if (strcasecmp(file->channels[i].name, node->string) == 0)
			report_error(reader, node, AT_KEY, "has the same variable as \"%s\"",
				file->channels[i].name);
	if (looks_around(reader) && has_data_here(file) && stat(path, &status) != 0)
		report_error(reader, node, AT_VALUE, "there is nothing at %.300s", path);
}

static bool read_channels(struct reader *reader, struct tuner_error *err)
{
	struct job_file *file = reader->file;
	const cJSON *map = member(reader->root, SECTION_FILE, "channels");

	file->channels =
		calloc(map ? (size_t)cJSON_GetArraySize(map) + 1 : 1, sizeof(*file->channels));
	if (file->channels == NULL)
		return tuner_fail_memory(err);
	for (const cJSON *node = map ? map->child : NULL; node; node = node->next) {
		if (!cJSON_IsString(node))
			continue;
		struct channel *channel = &file->channels[file->n_channels];
		char *path = path_join(file->directory, node->valuestring);
		if (path == NULL)
			return tuner_fail_memory(err);
		check_channel(reader, node, path);
		file->n_channels++;
		channel->path = path;
		if ((channel->name = strdup(node->string)) == NULL)
			return tuner_fail_memory(err);
	}
	return true;
}

/* ---- environment ---- */

static bool is_variable(const char *name)
{
	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

static void check_variable(struct reader *reader, const cJSON *node, enum at at, const char *name)
{
	const struct job_file *file = reader->file;

	if (!is_variable(name))
		report_error(reader, node, at,
			"expected a variable's name (letters, digits and '_'), found \"%.100s\"",
			name);
	else if (strcmp(name, ATTEMPT_KEY_VARIABLE) == 0)
		report_error(reader, node, at,
			"%s identifies an attempt's processes: it cannot be set", name);
	else if (strcmp(name, "CUDA_VISIBLE_DEVICES") == 0 && file->n_hosts > 0 &&
		 (file->hosts[0].gpus_auto || file->hosts[0].n_gpus > 0))
		report_warning(reader, node, at,
			"takes the place of the GPUs that each trial is given; \"gpus\" of the "
			"host "
			"chooses among them");
}

/* Names to pass on: a local command inherits everything, so there is nothing to add. */
static void check_passed_on(struct reader *reader, const cJSON *array)
{
	for (const cJSON *item = array->child; item; item = item->next) {
		if (!cJSON_IsString(item))
			continue;
		check_variable(reader, item, AT_VALUE, item->valuestring);
		if (looks_around(reader) && getenv(item->valuestring) == NULL)
			report_warning(reader, item, AT_VALUE,
				"\"%.100s\" is not set: there is nothing to pass on",
				item->valuestring);
	}
}

static bool read_environment(struct reader *reader, struct tuner_error *err)
{
	struct job_file *file = reader->file;
	const cJSON *env = member(reader->root, SECTION_FILE, "env");
	const cJSON *map = cJSON_IsObject(env) ? env : NULL;
	size_t n = 0;

	file->environment =
		calloc(map ? (size_t)cJSON_GetArraySize(map) + 1 : 1, sizeof(*file->environment));
	if (file->environment == NULL)
		return tuner_fail_memory(err);
	if (cJSON_IsArray(env))
		check_passed_on(reader, env);
	for (const cJSON *node = map ? map->child : NULL; node; node = node->next) {
		struct text line = TEXT_EMPTY;
		if (!value_is_scalar(node))
			continue;
		check_variable(reader, node, AT_KEY, node->string);
		text_print(&line, "%s=", node->string);
		value_text(node, &line);
		if ((file->environment[n++] = text_take(&line)) == NULL)
			return tuner_fail_memory(err);
	}
	return true;
}

/* The supervisor reads it at each start; here we only check that it can be read. */
static void check_env_file(struct reader *reader, const cJSON *node)
{
	const char *path = reader->file->env_file;
	struct secrets secrets;
	char why[SECRETS_WHY_MAX];

	if (!looks_around(reader))
		return;
	if (secrets_read(path, &secrets, why))
		secrets_free(&secrets);
	else
		report_error(reader, node, AT_VALUE,
			"expected a file of lines NAME=VALUE that only you can read, but %.300s %s",
			path, why);
}

static bool read_isolation(struct reader *reader, struct tuner_error *err)
{
	struct job_file *file = reader->file;
	const cJSON *secrets = member(reader->root, SECTION_FILE, "env_file");

	if (member(reader->root, SECTION_FILE, "memory") != NULL)
		file->memory_bytes = member_size(reader->root, SECTION_FILE, "memory");
	file->no_network = member_word(reader->root, SECTION_FILE, "network") == 1;
	if (secrets == NULL)
		return true;
	char *joined = path_join(file->directory, secrets->valuestring);
	char *plain = joined != NULL ? realpath(joined, NULL) : NULL;
	file->env_file = plain != NULL ? plain : joined;
	if (plain != NULL)
		free(joined);
	if (file->env_file == NULL)
		return tuner_fail_memory(err);
	check_env_file(reader, secrets);
	return true;
}

/* ---- failures ---- */

static bool check_failure(struct reader *reader, const cJSON *node, const struct failure_rule *rule,
	struct tuner_error *err)
{
	struct failure_rules *compiled = NULL;
	struct tuner_error fault;
	size_t bad;

	if (!failure_rules_create(rule, 1, &compiled, &bad, &fault)) {
		if (fault.code != TUNER_USAGE)
			return tuner_fail(err, fault.code, "%s", fault.message);
		report_error(reader, member_raw(node, "pattern"), AT_VALUE, "%s", fault.message);
	}
	failure_rules_destroy(compiled);
	if (has_member(node, "retry") && strcmp(rule->outcome, "crashed") != 0)
		report_error(reader, member_raw(node, "retry"), AT_KEY,
			"has no effect on the class \"%s\": only \"crashed\" may be launched again",
			rule->outcome);
	return true;
}

static bool read_failures(struct reader *reader, struct tuner_error *err)
{
	struct job_file *file = reader->file;
	const cJSON *array = member(reader->root, SECTION_FILE, "failures");

	file->failures =
		calloc(array ? (size_t)cJSON_GetArraySize(array) + 1 : 1, sizeof(*file->failures));
	if (file->failures == NULL)
		return tuner_fail_memory(err);
	for (const cJSON *node = array ? array->child : NULL; node; node = node->next) {
		const cJSON *pattern = member(node, SECTION_FAILURE, "pattern");
		const cJSON *class = member(node, SECTION_FAILURE, "class");
		struct failure_rule *rule = &file->failures[file->n_failures];
		if (pattern == NULL || class == NULL)
			continue;
		file->n_failures++;
		rule->pattern = strdup(pattern->valuestring);
		rule->outcome = strdup(class->valuestring);
		rule->retry = member_boolean(node, SECTION_FAILURE, "retry") &&
			      strcmp(class->valuestring, "crashed") == 0;
		if (rule->pattern == NULL || rule->outcome == NULL)
			return tuner_fail_memory(err);
		if (!check_failure(reader, node, rule, err))
			return false;
	}
	return true;
}

/* ---- outcomes ---- */

static void read_outcome(struct reader *reader, const cJSON *outcomes, enum outcome outcome)
{
	static const enum outcome_action actions[] = { THEN_FAIL, THEN_RETRY, THEN_END };
	const cJSON *node = member(outcomes, SECTION_OUTCOMES, outcome_name(outcome));
	const cJSON *retries = member(node, SECTION_OUTCOME, "retries");
	struct outcome_rule *rule = &reader->file->outcomes[outcome];

	if (member(node, SECTION_OUTCOME, "then") == NULL)
		return;
	rule->given = true;
	rule->then = actions[member_word(node, SECTION_OUTCOME, "then")];
	if (retries == NULL)
		return;
	rule->own_retries = true;
	rule->retries = (int64_t)retries->valuedouble;
	if (rule->then != THEN_RETRY)
		report_error(reader, retries, AT_KEY, "has no effect without \"then\": \"retry\"");
}

static void read_outcomes(struct reader *reader)
{
	const cJSON *outcomes = member(reader->root, SECTION_FILE, "outcomes");

	for (enum outcome o = OUTCOME_OK; o < OUTCOMES; o++) {
		reader->file->outcomes[o] = outcome_default(o);
		if (key_find(SECTION_OUTCOMES, outcome_name(o)) != NULL)
			read_outcome(reader, outcomes, o);
	}
}

static void read_limits(struct reader *reader)
{
	const cJSON *root = reader->root;
	struct job_file *file = reader->file;

	file->retries = member_integer(root, SECTION_FILE, "retries");
	file->backoff_us = member_duration_us(root, SECTION_FILE, "backoff");
	if (member(root, SECTION_FILE, "timeout") != NULL)
		file->timeout_us = member_duration_us(root, SECTION_FILE, "timeout");
	file->grace_us = member_duration_us(root, SECTION_FILE, "grace");
	file->log_max_bytes = member_size(root, SECTION_FILE, "log_max");
}

/* ---- keep ---- */

static void read_keep(struct reader *reader)
{
	struct job_keep *keep = &reader->file->keep;
	const cJSON *node = member(reader->root, SECTION_FILE, "keep");
	const cJSON *best = member(node, SECTION_KEEP, "best");
	const cJSON *last = member(node, SECTION_KEEP, "last");

	if (best != NULL)
		keep->best = (int64_t)best->valuedouble;
	if (last != NULL)
		keep->last = (int64_t)last->valuedouble;
	if (member(node, SECTION_KEEP, "disk") != NULL)
		keep->disk_bytes = member_size(node, SECTION_KEEP, "disk");
	if (last != NULL && !has_member(node, "best"))
		report_error(reader, last, AT_KEY,
			"has no effect without \"best\": without it everything stays");
}

bool read_run(struct reader *reader, struct tuner_error *err)
{
	read_limits(reader);
	read_outcomes(reader);
	read_keep(reader);
	return read_name(reader, err) && read_directory(reader, err) &&
	       read_warm_start(reader, err) && read_code(reader, err) && read_hosts(reader, err) &&
	       read_command(reader, err) && read_channels(reader, err) &&
	       read_environment(reader, err) && read_isolation(reader, err) &&
	       read_failures(reader, err);
}
