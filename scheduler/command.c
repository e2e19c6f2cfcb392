#include "scheduler/command.h"

#include "base/file.h"
#include "base/number.h"
#include "scheduler/environment.h"
#include "scheduler/gpu_lock.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- placeholders ---- */

/* A placeholder's name, and its replacement. */
struct word {
	const char *name, *text; /* text NULL: inactive in this trial */
};

enum builtin {
	BUILTIN_TRIAL,
	BUILTIN_GPUS,
	BUILTIN_ATTEMPT_DIR,
	BUILTIN_CHECKPOINT_DIR,
	BUILTIN_MODEL_DIR,
	BUILTINS
};

static const char *const builtin_names[BUILTINS] = {
	[BUILTIN_TRIAL] = "trial",
	[BUILTIN_GPUS] = "gpus",
	[BUILTIN_ATTEMPT_DIR] = "attempt_dir",
	[BUILTIN_CHECKPOINT_DIR] = "checkpoint_dir",
	[BUILTIN_MODEL_DIR] = "model_dir",
};

struct words {
	struct word *items; /* parameters first: they take precedence */
	size_t n;
};

static const struct word *find_word(const struct words *words, const char *name, size_t length)
{
	for (size_t i = 0; i < words->n; i++)
		if (strncmp(words->items[i].name, name, length) == 0 &&
			words->items[i].name[length] == '\0')
			return &words->items[i];
	return NULL;
}

/* Bytes up to the closing brace if what follows the opening one looks like a name, else 0. */
static size_t name_length(const char *text)
{
	size_t n = 0;

	if (!isalpha((unsigned char)*text) && *text != '_')
		return 0;
	while (isalnum((unsigned char)text[n]) || text[n] == '_' || text[n] == '-')
		n++;
	return text[n] == '}' ? n : 0;
}

static bool fail_unknown(
	const struct words *words, const char *name, size_t length, struct tuner_error *err)
{
	const char **names = calloc(words->n + 1, sizeof(*names));
	char *word = strndup(name, length);
	const char *near = NULL;

	if (names == NULL || word == NULL) {
		tuner_fail_memory(err);
		goto out;
	}
	for (size_t i = 0; i < words->n; i++)
		names[i] = words->items[i].name;
	near = nearest_word(word, names, words->n);
	tuner_fail(err, TUNER_USAGE,
		"{%.80s} in the command is neither a parameter nor trial, gpus, attempt_dir, "
		"checkpoint_dir or model_dir%s%.80s%s: for the braces themselves write {{%.80s}}",
		word, near != NULL ? " (did you mean {" : "", near != NULL ? near : "",
		near != NULL ? "}?)" : "", word);
out:
	free(word);
	free(names);
	return false;
}

/* Appends an argument with its placeholders replaced. *lacks is set if one of them is inactive in
 * the trial. */
static bool expand(const char *argument, const struct words *words, struct text *to, bool *used,
	bool *lacks, struct tuner_error *err)
{
	size_t open = 0; /* doubled braces not yet closed */

	for (const char *c = argument; *c != '\0';) {
		const char *close = *c == '{' ? strchr(c, '}') : NULL;
		const size_t length = close != NULL ? (size_t)(close - c - 1) : 0;
		const struct word *word = length > 0 ? find_word(words, c + 1, length) : NULL;

		if (c[0] == '{' && c[1] == '{') {
			text_add_char(to, '{');
			open++;
			c += 2;
		} else if (c[0] == '}' && c[1] == '}' && open > 0) {
			text_add_char(to, '}');
			open--;
			c += 2;
		} else if (word != NULL) {
			text_add(to, word->text != NULL ? word->text : "");
			*used = true;
			*lacks |= word->text == NULL;
			c = close + 1;
		} else if (*c == '{' && name_length(c + 1) > 0) {
			return fail_unknown(words, c + 1, name_length(c + 1), err);
		} else {
			text_add_char(to, *c++);
		}
	}
	return true;
}

/* Makes room for n parameters and the fixed words, whose texts are still empty. */
static bool words_init(struct words *words, size_t n, struct tuner_error *err)
{
	words->n = n + BUILTINS;
	words->items = calloc(words->n, sizeof(*words->items));
	if (words->items == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < words->n; i++)
		words->items[i] = (struct word){ i >= n ? builtin_names[i - n] : "", "" };
	return true;
}

bool command_check(char *const *command, const char *const *parameter_names, size_t n,
	bool *ret_used, struct tuner_error *err)
{
	struct words words = { 0 };
	struct text ignored = TEXT_EMPTY;
	bool used = false, lacks = false, ok = false;

	if (!words_init(&words, n, err))
		goto out;
	for (size_t i = 0; i < n; i++)
		words.items[i].name = parameter_names[i];
	for (; *command != NULL; command++)
		if (!expand(*command, &words, &ignored, &used, &lacks, err))
			goto out;
	*ret_used = used;
	ok = true;
out:
	text_finish(&ignored);
	free(words.items);
	return ok;
}

bool command_places(char *const *command, const char *name)
{
	const size_t length = strlen(name);

	for (; *command != NULL; command++)
		for (const char *brace = strchr(*command, '{'); brace;
			brace = strchr(brace + 1, '{'))
			if (strncmp(brace + 1, name, length) == 0 && brace[1 + length] == '}')
				return true;
	return false;
}

/* ---- the argument vector ---- */

static void append_argument(
	enum argument_style style, const struct argument *argument, struct strings *to)
{
	struct text text = TEXT_EMPTY;

	text_print(&text, "%s%s", style == ARGUMENTS_BARE ? "" : "--", argument->name);
	if (style != ARGUMENTS_SPACE)
		text_print(&text, "=%s", argument->text);
	strings_add(to, text.bytes);
	if (style == ARGUMENTS_SPACE)
		strings_add(to, argument->text);
	to->failed |= text_failed(&text);
	text_finish(&text);
}

static bool expand_command(const struct command_request *request, const struct words *words,
	struct strings *to, struct tuner_error *err)
{
	struct text text = TEXT_EMPTY;
	bool used = false, ok = false;

	for (char *const *c = request->command; *c != NULL; c++) {
		bool lacks = false;
		text_clear(&text);
		if (!expand(*c, words, &text, &used, &lacks, err))
			goto out;
		if (!lacks)
			strings_add(to, text.bytes);
		to->failed |= text_failed(&text);
	}
	for (size_t i = 0; i < request->n_arguments; i++)
		if (!used && request->style != ARGUMENTS_NONE && request->arguments[i].text != NULL)
			append_argument(request->style, &request->arguments[i], to);
	ok = true;
out:
	text_finish(&text);
	return ok;
}

static bool arguments_build(
	const struct command_request *request, struct strings *ret, struct tuner_error *err)
{
	const size_t n = request->n_arguments;
	struct words words = { 0 };
	struct text trial = TEXT_EMPTY, gpus = TEXT_EMPTY;
	char *checkpoint = attempt_checkpoint(request), *model = attempt_path(request, "model");
	bool ok = false;

	text_print(&trial, "%lld", (long long)request->trial);
	slot_gpus(request->slot, &gpus);
	if (checkpoint == NULL || model == NULL || text_failed(&trial) || text_failed(&gpus)) {
		tuner_fail_memory(err);
		goto out;
	}
	if (!words_init(&words, n, err))
		goto out;
	for (size_t i = 0; i < n; i++)
		words.items[i] =
			(struct word){ request->arguments[i].name, request->arguments[i].text };
	words.items[n + BUILTIN_TRIAL].text = trial.bytes;
	words.items[n + BUILTIN_GPUS].text = gpus.bytes;
	words.items[n + BUILTIN_ATTEMPT_DIR].text = request->directory;
	words.items[n + BUILTIN_CHECKPOINT_DIR].text = checkpoint;
	words.items[n + BUILTIN_MODEL_DIR].text = model;

	for (char *const *p = request->prefix; p != NULL && *p != NULL; p++)
		strings_add(ret, *p);
	ok = expand_command(request, &words, ret, err) &&
	     (!strings_failed(ret) || tuner_fail_memory(err));
out:
	free(words.items);
	free(checkpoint);
	free(model);
	text_finish(&trial);
	text_finish(&gpus);
	return ok;
}

/* ---- the launch ---- */

static bool check_channels(const struct command_request *request, struct tuner_error *err)
{
	for (size_t i = 0; i < request->n_channels; i++) {
		const char *name = request->channels[i].name;
		if (*name == '\0' || strchr(name, '/') != NULL || strcmp(name, ".") == 0 ||
			strcmp(name, "..") == 0)
			return tuner_fail(err, TUNER_USAGE,
				"\"%.80s\" cannot be a channel's name: it becomes a file's name",
				name);
	}
	return true;
}

static bool check_lengths(const struct strings *strings, struct tuner_error *err)
{
	for (size_t i = 0; i < strings->n; i++)
		if (strings->items[i].length >= COMMAND_STRING_MAX)
			return tuner_fail(err, TUNER_USAGE,
				"Linux passes no argument or variable of %d bytes or more to a "
				"program, and this one has %zu: %.60s...",
				COMMAND_STRING_MAX, strings->items[i].length,
				strings_item(strings, i));
	return true;
}

/* The terminated vector of strings[first .. first + n) at ret. */
static char **vector_of(
	const struct strings *strings, size_t first, size_t n, char *memory, char **ret)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = memory + strings->items[first + i].at;
	ret[n] = NULL;
	return ret;
}

/* The files whose locks the supervisor holds while it lives; returns their number. */
static size_t add_locks(const struct command_request *request, struct strings *strings)
{
	char path[512];
	size_t n = 0;
	for (size_t i = 0; request->gpu_locks != NULL && i < request->slot->n_gpus; i++)
		if (gpu_lock_path(
			    request->gpu_locks, request->slot->gpus[i].uuid, path, sizeof(path))) {
			strings_add(strings, path);
			n++;
		}
	return n;
}

/* Moves all strings into one block: arguments, environment, and then `others`, which are fields of
 * the launch. */
static bool assemble(const struct command_request *request, struct strings *arguments,
	const struct strings *environment, struct command *ret, struct tuner_error *err)
{
	const size_t n_arguments = arguments->n, n_environment = environment->n;

	for (size_t i = 0; i < n_environment; i++)
		strings_add(arguments, strings_item(environment, i));
	strings_add(arguments, request->key);
	strings_add(arguments, request->working_directory);
	const size_t n_locks = add_locks(request, arguments);
	if (request->secrets != NULL)
		strings_add(arguments, request->secrets);
	const bool owned = n_locks > 0 && request->gpu_owner != NULL;
	if (owned)
		strings_add(arguments, request->gpu_owner);

	char **vectors = calloc(n_arguments + n_environment + n_locks + 3, sizeof(*vectors));
	char *memory = strings_failed(arguments) ? NULL : text_take(&arguments->bytes);
	if (vectors == NULL || memory == NULL) {
		free(vectors);
		free(memory);
		return tuner_fail_memory(err);
	}
	const size_t others = n_arguments + n_environment;
	*ret = (struct command){
		.launch = {
			.key = memory + arguments->items[others].at,
			.arguments = vector_of(arguments, 0, n_arguments, memory, vectors),
			.environment = vector_of(arguments, n_arguments, n_environment, memory,
				vectors + n_arguments + 1),
			.working_directory = memory + arguments->items[others + 1].at,
			.gpu_locks = vector_of(arguments, others + 2, n_locks, memory,
				vectors + n_arguments + n_environment + 2),
			.secrets = request->secrets != NULL
					   ? memory + arguments->items[others + 2 + n_locks].at
					   : NULL,
			.gpu_owner = owned ? memory + arguments->items[arguments->n - 1].at : NULL,
			.memory_bytes = request->memory_bytes,
			.no_network = request->no_network,
			.timeout_us = request->timeout_us,
			.grace_us = request->grace_us,
			.log_max_bytes = request->log_max_bytes,
			.lease_us = request->lease_us,
			.inherits = request->engine_environment,
			.heartbeat_us = request->heartbeat_us,
		},
		.memory = memory,
		.vectors = vectors,
	};
	return true;
}

bool command_build(
	const struct command_request *request, struct command *ret, struct tuner_error *err)
{
	struct strings arguments = { 0 }, environment = { 0 };
	const bool ok = check_channels(request, err) && arguments_build(request, &arguments, err) &&
			environment_build(request, &environment, err) &&
			check_lengths(&arguments, err) && check_lengths(&environment, err) &&
			assemble(request, &arguments, &environment, ret, err);

	strings_finish(&arguments);
	strings_finish(&environment);
	return ok;
}

bool command_arguments(
	const struct command_request *request, struct text *ret, struct tuner_error *err)
{
	struct strings arguments = { 0 };
	const bool ok = arguments_build(request, &arguments, err);

	text_add(ret, "[");
	for (size_t i = 0; ok && i < arguments.n; i++) {
		text_add(ret, i > 0 ? "," : "");
		text_add_json_string(ret, strings_item(&arguments, i));
	}
	text_add(ret, "]");
	strings_finish(&arguments);
	return ok && (!text_failed(ret) || tuner_fail_memory(err));
}

void command_finish(struct command *command)
{
	free(command->memory);
	free(command->vectors);
	*command = (struct command){ 0 };
}

/* ---- the attempt's directory ---- */

/* The value of one of our variables in the launch. */
static const char *told(const struct command *command, const char *name)
{
	const size_t length = strlen(name);

	for (char *const *v = command->launch.environment; *v != NULL; v++)
		if (strncmp(*v, name, length) == 0 && (*v)[length] == '=')
			return *v + length + 1;
	return "";
}

/* Where it is now. */
static char *prepared_path(const struct command_request *request, const char *name)
{
	return path_join(request->prepared ? request->prepared : request->directory, name);
}

static bool make_directory(
	const struct command_request *request, const char *name, struct tuner_error *err)
{
	char *path = prepared_path(request, name);
	const bool ok = path != NULL ? directory_make(path, 0700, err) : tuner_fail_memory(err);

	free(path);
	return ok;
}

static bool write_file(const struct command_request *request, const char *name, const char *bytes,
	size_t length, struct tuner_error *err)
{
	char *path = prepared_path(request, name);
	const bool ok = path != NULL ? file_write_atomic(path, bytes, length, 0600, false, err)
				     : tuner_fail_memory(err);

	free(path);
	return ok;
}

static bool write_arguments(const struct command_request *request, const char *name,
	bool as_strings, struct tuner_error *err)
{
	struct text text = TEXT_EMPTY;

	arguments_json(request->arguments, request->n_arguments, as_strings, &text);
	text_add(&text, "\n");
	const bool ok = text_failed(&text)
				? tuner_fail_memory(err)
				: write_file(request, name, text.bytes, text.length, err);
	text_finish(&text);
	return ok;
}

static bool link_channel(const struct command_request *request, const struct channel *channel,
	struct tuner_error *err)
{
	char *data = prepared_path(request, "input/data");
	char *path = data != NULL ? path_join(data, channel->name) : NULL;
	bool ok = false;

	if (path == NULL) {
		tuner_fail_memory(err);
	} else {
		ok = symlink(channel->path, path) == 0 ||
		     (errno == EEXIST && unlink(path) == 0 && symlink(channel->path, path) == 0);
		if (!ok)
			tuner_fail_errno(err, errno, "cannot make the link %s", path);
	}
	free(path);
	free(data);
	return ok;
}

/* SM_INPUT_DIR as SageMaker fills it: data/CHANNEL and config/. */
static bool make_input(const struct command_request *request, const struct command *command,
	struct tuner_error *err)
{
	const char *data = told(command, "SM_INPUT_DATA_CONFIG");
	const char *resources = told(command, "SM_RESOURCE_CONFIG");

	if (request->n_channels == 0)
		return true;
	if (!make_directory(request, "input/data", err) ||
		!make_directory(request, "input/config", err))
		return false;
	for (size_t i = 0; i < request->n_channels; i++)
		if (!link_channel(request, &request->channels[i], err))
			return false;
	return write_arguments(request, "input/config/hyperparameters.json", true, err) &&
	       write_file(request, "input/config/inputdataconfig.json", data, strlen(data), err) &&
	       write_file(request, "input/config/resourceconfig.json", resources, strlen(resources),
		       err);
}

bool command_prepare(const struct command_request *request, const struct command *command,
	struct tuner_error *err)
{
	const char *prepared = request->prepared ? request->prepared : request->directory;
	char *checkpoint = attempt_checkpoint(request);
	const bool ok = (checkpoint != NULL || tuner_fail_memory(err)) &&
			directory_make(prepared, 0700, err) &&
			(request->prepared != NULL || directory_make(checkpoint, 0700, err)) &&
			make_directory(request, "model", err) &&
			make_directory(request, "output/data", err) &&
			make_input(request, command, err) &&
			write_arguments(request, "parameters.json", false, err) &&
			launch_write(prepared, &command->launch, err);

	free(checkpoint);
	return ok;
}

/* ---- does it exist ---- */

enum found { MISSING, NOT_EXECUTABLE, EXECUTABLE };

static enum found look_at(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return MISSING;
	return S_ISREG(status.st_mode) && access(path, X_OK) == 0 ? EXECUTABLE : NOT_EXECUTABLE;
}

/* base/name; only one of them if the other is empty, or only the name if it is absolute. Unlike in
 * path_join, "~" is an ordinary name. */
static bool place(const char *base, size_t base_length, const char *name, struct text *ret)
{
	text_clear(ret);
	if (*name != '/' && base_length > 0) {
		text_add_bytes(ret, base, base_length);
		text_add(ret, *name != '\0' ? "/" : "");
	}
	text_add(ret, name);
	return !text_failed(ret);
}

/* Looks in the directories of PATH, which may be relative as well. `ret` is the file found, or the
 * last that exists but is not executable. */
static enum found look_in_path(
	const char *name, const char *working_directory, const char *path, struct text *ret)
{
	struct text directory = TEXT_EMPTY, candidate = TEXT_EMPTY, there = TEXT_EMPTY;
	enum found best = MISSING;

	for (;; path++) {
		const size_t length = strcspn(path, ":");
		text_clear(&there);
		text_add_bytes(&there, path, length);
		if (!place(working_directory, strlen(working_directory), there.bytes, &directory) ||
			!place(directory.bytes, directory.length, name, &candidate))
			break;
		const enum found found = look_at(candidate.bytes);
		if (found > best) {
			best = found;
			text_clear(ret);
			text_add(ret, candidate.bytes);
		}
		path += length;
		if (found == EXECUTABLE || *path == '\0')
			break;
	}
	ret->failed |= text_failed(&there) || text_failed(&directory) || text_failed(&candidate);
	text_finish(&directory);
	text_finish(&candidate);
	text_finish(&there);
	return best;
}

bool command_exists(const char *argument, const char *working_directory, const char *path,
	char **ret_found, struct tuner_error *err)
{
	const bool by_path = strchr(argument, '/') == NULL;
	struct text place_found = TEXT_EMPTY;
	enum found found = MISSING;
	bool ok = false;

	if (path == NULL)
		path = "/usr/local/bin:/usr/bin:/bin"; /* the supervisor's own default */
	if (*argument != '\0' && by_path)
		found = look_in_path(argument, working_directory, path, &place_found);
	else if (*argument != '\0' &&
		 place(working_directory, strlen(working_directory), argument, &place_found))
		found = look_at(place_found.bytes);

	if (text_failed(&place_found))
		tuner_fail_memory(err);
	else if (found == MISSING && by_path)
		tuner_fail(err, TUNER_USAGE, "there is no program \"%.200s\" in PATH (%.400s)",
			argument, path);
	else if (found == MISSING)
		tuner_fail(err, TUNER_USAGE, "there is no program %.400s", place_found.bytes);
	else if (found == NOT_EXECUTABLE)
		tuner_fail(err, TUNER_USAGE,
			"%.400s is not an executable file (chmod +x, or put its "
			"interpreter first: \"python3\", ...)",
			place_found.bytes);
	else
		ok = (*ret_found = text_take(&place_found)) != NULL || tuner_fail_memory(err);
	text_finish(&place_found);
	return ok;
}
