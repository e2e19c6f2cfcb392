#include "tuner/jobfile.h"

#include "base/file.h"
#include "tuner/jobfile_reader.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the end ---- */

static void strings_free(char **strings)
{
	for (char **string = strings; string && *string; string++)
		free(*string);
	free(strings);
}

static void free_space(struct job_file *file)
{
	for (size_t i = 0; file->values && i < file->space.d; i++) {
		for (size_t k = 0; k < file->values[i].n; k++) {
			free(file->values[i].text[k]);
			free(file->values[i].json[k]);
		}
		free(file->values[i].text);
		free(file->values[i].json);
	}
	for (size_t i = 0; i < file->n_first; i++)
		free(file->first[i]);
	free(file->first);
	free(file->values);
	free(file->order);
	arguments_free(file->fixed, file->n_fixed);
	space_finish(&file->space);
}

static void free_lists(struct job_file *file)
{
	for (size_t i = 0; i < file->n_metrics; i++) {
		free((char *)file->metrics[i].name);
		free((char *)file->metrics[i].regex);
	}
	for (size_t i = 0; i < file->n_channels; i++) {
		free((char *)file->channels[i].name);
		free((char *)file->channels[i].path);
	}
	for (size_t i = 0; i < file->n_failures; i++) {
		free((char *)file->failures[i].pattern);
		free((char *)file->failures[i].outcome);
	}
	for (size_t i = 0; i < file->n_hosts; i++) {
		strings_free(file->hosts[i].prefix);
		job_ssh_destroy(file->hosts[i].ssh);
		job_slurm_destroy(file->hosts[i].slurm);
	}
	for (size_t i = 0; i < file->objective.n; i++)
		free(file->objective.metrics[i].name);
	free(file->objective.metrics);
	free(file->objective.cost);
	expression_destroy(file->objective.formula);
	for (size_t i = 0; i < file->objective.n_limits; i++)
		expression_destroy(file->objective.limits[i]);
	for (size_t i = 0; i < TRIAL_ALSO_MAX; i++)
		expression_destroy(file->objective.also[i].formula);
	free(file->metrics);
	free(file->channels);
	free(file->failures);
	free(file->hosts);
}

int64_t job_file_searches(const struct job_file *file)
{
	return file->n_arms > 0 ? (int64_t)file->n_arms * file->repeats : 1;
}

bool job_file_lists_metric(const struct job_file *file, const char *name)
{
	size_t i = 0;

	while (i < file->n_metrics && strcmp(file->metrics[i].name, name) != 0)
		i++;
	return i < file->n_metrics;
}

void job_file_destroy(struct job_file *file)
{
	if (file == NULL)
		return;
	warm_parents_destroy(&file->warm_start); /* by the space */
	free_space(file);
	free_lists(file);
	strings_free(file->command);
	strings_free(file->environment);
	free(file->env_file);
	free(file->text);
	free(file->path);
	free(file->search_path);
	free(file->directory);
	free(file->name);
	free(file->metric);
	free(file->code.git);
	free(file->code.commit);
	free(file->code.path);
	free(file);
}

/* ---- the beginning ---- */

size_t job_stem_length(const char *path)
{
	static const char *const endings[] = { ".jsonc", ".json" };
	const size_t length = strlen(path), before = (size_t)(path_name(path) - path);

	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		const size_t ending = strlen(endings[i]);
		if (length > before + ending && strcmp(path + length - ending, endings[i]) == 0)
			return length - ending;
	}
	return length;
}

/* "quick" of "jobs/quick.jsonc". */
static char *stem(const char *path)
{
	const char *name = path_name(path);

	return strndup(name, job_stem_length(name));
}

static struct job_file *job_file_create(
	const char *name, const char *path, const char *directory, const char *text)
{
	struct job_file *file = calloc(1, sizeof(*file));

	if (file == NULL)
		return NULL;
	file->name = stem(name);
	file->path = strdup(path);
	file->directory = strdup(directory);
	file->text = strdup(text);
	if (file->name && file->path && file->directory && file->text)
		return file;
	job_file_destroy(file);
	return NULL;
}

/* `name` is for messages; the job's default name is its stem. */
static bool parse(const char *name, const char *path, const char *directory, const char *text,
	size_t length, const struct job_overrides *overrides, enum command_need need, bool stored,
	struct job_file **ret, struct diagnostics *list, struct tuner_error *err)
{
	struct job_source *source = NULL;
	struct job_file *file = NULL;
	bool ok = false;

	*ret = NULL;
	if (!source_create(name, text, length, overrides, &source, list, err))
		return false;
	if (source == NULL) /* the list says why */
		return true;
	file = job_file_create(name, path, directory, source_text(source));
	if (file == NULL) {
		tuner_fail_memory(err);
		goto out;
	}
	struct reader reader = { .source = source,
		.root = source_root(source),
		.list = list,
		.file = file,
		.need = need,
		.stored = stored };
	check_shape(&reader);
	ok = read_space(&reader, err) && read_search(&reader, err) && read_run(&reader, err);
	if (ok && list->errors == 0) {
		*ret = file;
		file = NULL;
	}
out:
	job_file_destroy(file);
	source_destroy(source);
	return ok;
}

bool job_file_patterns(
	const struct job_file *file, struct metric_patterns **ret, struct tuner_error *err)
{
	struct metric_pattern of_objective[OBJECTIVE_METRICS_MAX] = { { NULL, NULL } };
	size_t bad;

	if (file->n_metrics > 0)
		return metric_patterns_create(file->metrics, file->n_metrics, ret, &bad, err);
	for (size_t i = 0; i < file->objective.n; i++)
		of_objective[i].name = file->objective.metrics[i].name;
	return metric_patterns_create(of_objective, file->objective.n, ret, &bad, err);
}

bool job_file_parse(const char *name, const char *directory, const char *text, size_t length,
	const struct job_overrides *overrides, enum command_need need, struct job_file **ret,
	struct diagnostics *list, struct tuner_error *err)
{
	return parse(name, "", directory, text, length, overrides, need, true, ret, list, err);
}

/* Where the file is, absolute; for standard input "" and the working directory. */
static bool locate(const char *path, char **ret_path, char **ret_directory, struct tuner_error *err)
{
	const bool is_stream = strcmp(path, "-") == 0;
	char *whole = is_stream ? strdup("") : realpath(path, NULL);
	char *directory = is_stream ? getcwd(NULL, 0) : whole ? path_directory(whole) : NULL;

	if (whole == NULL || directory == NULL) {
		free(whole);
		free(directory);
		return tuner_fail(err, TUNER_USAGE, "cannot find the directory of %s", path);
	}
	*ret_path = whole;
	*ret_directory = directory;
	return true;
}

bool job_file_read(const char *path, const struct job_overrides *overrides, enum command_need need,
	struct job_file **ret, struct diagnostics *list, struct tuner_error *err)
{
	struct text text = TEXT_EMPTY;
	char *whole = NULL, *directory = NULL;
	bool ok = false;

	*ret = NULL;
	if (!file_read(path, JSON_BYTES_MAX, &text, err) || !locate(path, &whole, &directory, err))
		goto out;
	ok = parse(path, whole, directory, text.bytes, text.length, overrides, need, false, ret,
		list, err);
out:
	text_finish(&text);
	free(whole);
	free(directory);
	return ok;
}
