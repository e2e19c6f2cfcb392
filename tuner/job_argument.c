#include "tuner/job_argument.h"

#include "tuner/store_wait.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SETS_MAX = OPTIONS_MAX + 8 };

/* The command line's changes, and the memory behind them. */
struct changes {
	const char *sets[SETS_MAX], *options[SETS_MAX];
	size_t n;
	struct text memory;
};

static const struct shorthand {
	const char *option, *key;
	bool is_text; /* "5" is a name, too */
} shorthands[] = { { "trials", "budget.trials", false }, { "parallel", "budget.parallel", false },
	{ "seed", "seed", false }, { "name", "name", true } };

enum { SHORTHANDS = sizeof(shorthands) / sizeof(*shorthands) };

/* "budget.trials=5", followed by "--trials 5". */
static void add_shorthand(const struct shorthand *shorthand, const char *value, struct text *memory)
{
	text_print(memory, "%s=", shorthand->key);
	if (shorthand->is_text)
		text_add_json_string(memory, value);
	else
		text_add(memory, value);
	text_add_bytes(memory, "", 1);
	text_print(memory, "--%s %s", shorthand->option, value);
	text_add_bytes(memory, "", 1);
}

/* --trials 5 is --set budget.trials=5, and so on. */
static bool collect_changes(
	const struct invocation *call, struct changes *ret, struct tuner_error *err)
{
	size_t offsets[SHORTHANDS], n = 0;

	ret->n = invocation_options(call, "set", ret->sets, OPTIONS_MAX);
	for (size_t i = 0; i < SHORTHANDS; i++) {
		const char *value = invocation_option(call, shorthands[i].option);
		if (value == NULL)
			continue;
		offsets[n++] = ret->memory.length;
		add_shorthand(&shorthands[i], value, &ret->memory);
	}
	if (text_failed(&ret->memory))
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		const char *set = ret->memory.bytes + offsets[i];
		ret->sets[ret->n] = set;
		ret->options[ret->n++] = set + strlen(set) + 1;
	}
	return true;
}

/* The file at the stored job's path, under the job's own name (it may have been given by --name);
 * the stored text if the file no longer exists. */
static bool reread(const struct job *job, const struct job_overrides *overrides,
	struct diagnostics *list, struct job_file **ret, struct tuner_error *err)
{
	const char *sets[SETS_MAX + 1], *options[SETS_MAX + 1] = { NULL };
	struct text name = TEXT_EMPTY;
	struct job_overrides with_name = *overrides;

	text_add(&name, "name=");
	text_add_json_string(&name, job->name);
	sets[0] = name.bytes;
	memcpy(sets + 1, overrides->set, overrides->n_set * sizeof(*sets));
	memcpy(options + 1, overrides->options, overrides->n_set * sizeof(*options));
	with_name.set = sets;
	with_name.options = options;
	with_name.n_set = overrides->n_set + 1;
	bool ok;
	if (text_failed(&name))
		ok = tuner_fail_memory(err);
	else if (job->path[0] != '\0' && access(job->path, R_OK) == 0)
		ok = job_file_read(job->path, &with_name, COMMAND_NEEDED, ret, list, err);
	else
		ok = job_file_parse(job->name, job->directory, job->file, strlen(job->file),
			&with_name, COMMAND_NEEDED, ret, list, err);
	text_finish(&name);
	return ok;
}

/* `tuner run JOB` may migrate an older database. */
static bool open_store(const struct invocation *call, struct store **ret, struct tuner_error *err)
{
	struct tuner_error ignored;

	return store_open(call->db, STORE_READ, ret, err) ||
	       (call->command->run == cmd_run && err->code == TUNER_USAGE &&
		       store_open_soon(call->db, STORE_INSTANT_MS, ret, &ignored));
}

static bool read_stored(const struct invocation *call, const struct job_overrides *overrides,
	const char *name, struct diagnostics *list, struct job_file **ret, struct tuner_error *err)
{
	struct store *store = NULL;
	struct job job = { 0 };

	if (access(call->db, F_OK) != 0)
		return tuner_fail(err, TUNER_USAGE,
			"there is no file \"%s\", and no database \"%s\" with a job of that name",
			name, call->db);
	const bool ok = open_store(call, &store, err) &&
			command_job_or_file(store, name, &job, err) &&
			reread(&job, overrides, list, ret, err);
	job_finish(&job);
	store_close(store);
	return ok;
}

bool job_argument_is_file(const char *path)
{
	struct stat status;
	return strcmp(path, "-") == 0 || (stat(path, &status) == 0 && !S_ISDIR(status.st_mode));
}

bool job_argument_read(const struct invocation *call, enum command_need need, struct job_file **ret,
	struct tuner_error *err)
{
	const char *name = call->arguments[0];
	struct changes changes = { .memory = TEXT_EMPTY };
	struct text lines = TEXT_EMPTY;
	struct diagnostics *list = calloc(1, sizeof(*list));
	struct job_overrides overrides = {
		.set = changes.sets, .options = changes.options, .command = call->rest
	};
	bool ok = false;

	if (list == NULL)
		return tuner_fail_memory(err);
	if (!collect_changes(call, &changes, err))
		goto out;
	overrides.n_set = changes.n;
	if (job_argument_is_file(name))
		ok = job_file_read(name, &overrides, need, ret, list, err);
	else
		ok = read_stored(call, &overrides, name, list, ret, err);
	if (ok && list->errors == 1 && list->n == 1) {
		diagnostics_print(list, name, &lines);
		ok = tuner_fail(err, TUNER_USAGE, "%.*s", (int)lines.length - 1, lines.bytes);
	} else if (ok) {
		diagnostics_print(list, name, &lines);
		fputs(lines.bytes, stderr);
		if (list->errors > 0)
			ok = tuner_fail(err, TUNER_USAGE, "%s has %zu error%s", name, list->errors,
				list->errors == 1 ? "" : "s");
	}
out:
	text_finish(&lines);
	text_finish(&changes.memory);
	free(list);
	return ok;
}
