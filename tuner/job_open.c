#include "tuner/job_open.h"

#include "base/clock.h"
#include "trials/event.h"

#include <stdlib.h>
#include <string.h>

bool job_stored_file(const struct job *job, struct job_file **ret, struct tuner_error *err)
{
	static const struct job_overrides none = { 0 };
	struct diagnostics *list = calloc(1, sizeof(*list));
	struct job_file *file = NULL;
	struct text lines = TEXT_EMPTY;
	bool ok = false;

	if (list == NULL)
		return tuner_fail_memory(err);
	if (!job_file_parse(job->name, job->directory, job->file, strlen(job->file), &none, false,
		    &file, list, err))
		goto out;
	if (list->errors > 0) {
		diagnostics_print(list, job->name, &lines);
		tuner_fail(err, TUNER_USAGE,
			"the stored file of job \"%s\" is not accepted by this version:\n%.700s",
			job->name, lines.bytes);
		goto out;
	}
	*ret = file;
	ok = true;
out:
	text_finish(&lines);
	free(list);
	return ok;
}

/* Queues "first", leaving out what the older file had as well. */
static bool queue_first(struct store *store, int64_t job_id, const struct job_file *file,
	const struct job_file *old, int64_t now_us, struct tuner_error *err)
{
	struct text entry = TEXT_EMPTY, other = TEXT_EMPTY;
	bool ok = true;
	int64_t id;
	for (size_t i = 0; ok && i < file->n_first; i++) {
		bool known = false;
		text_clear(&entry);
		configuration_json(file, file->first[i], &entry);
		for (size_t k = 0; old != NULL && k < old->n_first && !known; k++) {
			text_clear(&other);
			configuration_json(old, old->first[k], &other);
			known = strcmp(entry.bytes, other.bytes) == 0;
		}
		if (text_failed(&entry) || text_failed(&other))
			ok = tuner_fail_memory(err);
		else if (!known)
			ok = queue_add(
				store, job_id, "", 0, "first", entry.bytes, now_us, &id, err);
	}
	text_finish(&entry);
	text_finish(&other);
	return ok;
}

static bool create(struct store *store, const struct job_file *file, int64_t now_us,
	int64_t *ret_id, struct tuner_error *err)
{
	char *definition = NULL, *objective = job_file_objective(file);
	struct parameter_list parameters = { 0 };
	bool ok = false;
	const struct job job = {
		.name = file->name,
		.file = file->text,
		.path = file->path,
		.directory = file->directory,
		.seed = (int64_t)file->seed,
		.trial_cap = file->budget.trials,
	};
	if (objective == NULL) {
		tuner_fail_memory(err);
		goto out;
	}
	ok = job_file_space(file, &definition, &parameters, err) &&
	     job_create(store, &job, definition, parameters.items, parameters.n, file->metric,
		     file->maximize ? "maximize" : "minimize", objective, now_us, ret_id, err) &&
	     queue_first(store, *ret_id, file, NULL, now_us, err);
out:
	parameter_list_finish(&parameters);
	free(definition);
	free(objective);
	return ok;
}

static bool refuse(unsigned kinds, bool accept_change, const char *name, const char *lines,
	struct tuner_error *err)
{
	if (kinds & CHANGE_OBJECTIVE)
		return tuner_fail(err, TUNER_USAGE,
			"the objective of job \"%s\" was edited:\n%.600sFinished trials were "
			"scored by "
			"the old one. Give the job another name (--name) for a new start, or put "
			"the "
			"old objective back; \"tuner rescore\" will score them anew once it is "
			"built.",
			name, lines);
	if (kinds & CHANGE_SEED)
		return tuner_fail(err, TUNER_USAGE,
			"the seed of job \"%s\" was edited:\n%.600sIts trials came from the old "
			"one. Give "
			"the job another name (--name) to run it with another seed.",
			name, lines);
	if ((kinds & CHANGE_COMMAND) && !accept_change)
		return tuner_fail(err, TUNER_USAGE,
			"what job \"%s\" runs was edited:\n%.600sOld and new trials may not "
			"compare. "
			"--accept-change goes on all the same; another name (--name) starts anew.",
			name, lines);
	return true;
}

static bool add_space_version(struct store *store, int64_t job_id, const struct job_file *file,
	int64_t now_us, struct tuner_error *err)
{
	char *definition = NULL;
	struct parameter_list parameters = { 0 };
	int64_t version;
	const bool ok = job_file_space(file, &definition, &parameters, err) &&
			job_add_space_version(store, job_id, definition, parameters.items,
				parameters.n, now_us, &version, err);
	parameter_list_finish(&parameters);
	free(definition);
	return ok;
}

static bool add_edit_event(struct store *store, int64_t job_id, const char *changes, int64_t now_us,
	struct tuner_error *err)
{
	struct text data = TEXT_EMPTY;
	int64_t id;
	text_add(&data, "{\"changes\":");
	text_add_json_string(&data, changes);
	text_add_char(&data, '}');
	const bool ok = text_failed(&data) ? tuner_fail_memory(err)
					   : event_add(store, job_id, 0, 0, "edited", data.bytes,
						     now_us, &id, err);
	text_finish(&data);
	return ok;
}

/* Whether the meaning is the same or not, the path may be new. */
static bool take(struct store *store, const struct job *job, const struct job_file *old,
	const struct job_file *file, unsigned kinds, const char *changes, int64_t now_us,
	struct tuner_error *err)
{
	if (kinds != CHANGE_NONE && !add_edit_event(store, job->id, changes, now_us, err))
		return false;
	if ((kinds & CHANGE_SPACE) && !add_space_version(store, job->id, file, now_us, err))
		return false;
	return queue_first(store, job->id, file, old, now_us, err) &&
	       job_set_file(store, job->id, file->text, file->path, file->directory,
		       file->budget.trials, err);
}

static bool update(struct store *store, const struct job *job, const struct job_file *file,
	bool accept_change, struct text *ret_changes, int64_t now_us, struct tuner_error *err)
{
	struct job_file *old = NULL;
	unsigned kinds = CHANGE_NONE;
	if (!job_stored_file(job, &old, err))
		return false;
	job_file_compare(old, file, &kinds, ret_changes);
	const bool ok = refuse(kinds, accept_change, job->name, ret_changes->bytes, err) &&
			take(store, job, old, file, kinds, ret_changes->bytes, now_us, err);
	job_file_destroy(old);
	return ok;
}

bool job_open(struct store *store, const struct job_file *file, bool accept_change,
	struct job_opening *ret, struct tuner_error *err)
{
	struct job job = { 0 };
	bool found = false;
	const int64_t now_us = clock_wall_us();
	*ret = (struct job_opening){ .changes = TEXT_EMPTY };
	if (!job_find(store, file->name, &job, &found, err) ||
		!store_begin(store, STORE_DURABLE, err))
		goto fail;
	ret->created = !found;
	ret->job_id = job.id;
	if (!(found ? update(store, &job, file, accept_change, &ret->changes, now_us, err)
		    : create(store, file, now_us, &ret->job_id, err)) ||
		!store_commit(store, err)) {
		store_rollback(store);
		goto fail;
	}
	job_finish(&job);
	return true;
fail:
	job_finish(&job);
	text_finish(&ret->changes);
	return false;
}
