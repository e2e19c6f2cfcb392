#include "tuner/job_open.h"

#include "base/clock.h"
#include "base/file.h"
#include "trials/event.h"
#include "tuner/rescore.h"
#include "tuner/shell_words.h"
#include "tuner/warm_start.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REFUSED_BYTES = 600 }; /* leaves room for the message's own sentences */

static bool parse_stored(const struct job *job, const struct job_overrides *overrides, bool changed,
	struct job_file **ret, struct tuner_error *err)
{
	struct diagnostics *list = calloc(1, sizeof(*list));
	struct job_file *file = NULL;
	struct text lines = TEXT_EMPTY;
	bool ok = false;

	if (list == NULL)
		return tuner_fail_memory(err);
	if (!job_file_parse(job->name, job->directory, job->file, strlen(job->file), overrides,
		    COMMAND_IGNORED, &file, list, err))
		goto out;
	if (list->errors > 0) {
		diagnostics_print(list, job->name, &lines);
		tuner_fail(err, TUNER_USAGE, "%s job \"%s\" is not accepted%s:\n%.700s",
			changed ? "what is to be changed of" : "the stored file of", job->name,
			changed ? "" : " by this version", lines.bytes);
		goto out;
	}
	*ret = file;
	ok = true;
out:
	text_finish(&lines);
	free(list);
	return ok;
}

bool job_stored_file(const struct job *job, struct job_file **ret, struct tuner_error *err)
{
	static const struct job_overrides none = { 0 };
	return parse_stored(job, &none, false, ret, err);
}

bool job_stored_file_with(
	const struct job *job, const char *set, struct job_file **ret, struct tuner_error *err)
{
	const struct job_overrides one = { .set = &set, .n_set = 1 };
	return parse_stored(job, &one, true, ret, err);
}

/* The queue as this program would write it, so that "first" is compared with what the job file
 * lists: an older program may have written it differently. What does not fit the space stays as it
 * is. */
static bool rewrite_queue(
	const struct job_file *file, struct queue_list *queue, struct tuner_error *err)
{
	for (size_t i = 0; i < queue->n; i++) {
		char **parameters = &queue->items[i].queued.parameters, *again = NULL;

		if (!configuration_rewrite(file, *parameters, false, &again, err))
			return false;
		if (again == NULL)
			continue;
		free(*parameters);
		*parameters = again;
	}
	return true;
}

/* How often this configuration is among the first n entries of the queue, taken or not. */
static size_t times_queued(const struct queue_list *queue, size_t n, const char *arm,
	int64_t repeat, const char *parameters)
{
	size_t times = 0;
	for (size_t i = 0; i < n; i++)
		times += strcmp(queue->items[i].arm, arm) == 0 &&
			 queue->items[i].repeat == repeat &&
			 strcmp(queue->items[i].queued.source, "first") == 0 &&
			 strcmp(queue->items[i].queued.parameters, parameters) == 0;
	return times;
}

/* How often "first" lists it among its first n. */
static bool times_listed(const struct job_file *file, size_t n, const char *parameters,
	size_t *ret_times, struct tuner_error *err)
{
	struct text entry = TEXT_EMPTY;
	bool failed = false;
	*ret_times = 0;
	for (size_t i = 0; i < n && !failed; i++) {
		text_clear(&entry);
		configuration_json(file, file->first[i], &entry);
		failed = text_failed(&entry);
		*ret_times += !failed && strcmp(entry.bytes, parameters) == 0;
	}
	text_finish(&entry);
	return !failed || tuner_fail_memory(err);
}

/* A configuration listed several times is tried that often. */
static bool queue_first_of(struct store *store, int64_t job_id, const struct job_file *file,
	const char *arm, int64_t repeat, const struct queue_list *queue, int64_t now_us,
	struct tuner_error *err)
{
	struct text entry = TEXT_EMPTY;
	bool ok = true;
	size_t times;
	int64_t id;
	for (size_t i = 0; ok && i < file->n_first; i++) {
		text_clear(&entry);
		configuration_json(file, file->first[i], &entry);
		ok = (!text_failed(&entry) || tuner_fail_memory(err)) &&
		     times_listed(file, i + 1, entry.bytes, &times, err);
		if (ok && times_queued(queue, queue->n, arm, repeat, entry.bytes) < times)
			ok = queue_add(
				store, job_id, arm, repeat, "first", entry.bytes, now_us, &id, err);
	}
	text_finish(&entry);
	return ok;
}

/* Queues for each search what "first" lists and the queue never had. */
static bool queue_first(struct store *store, int64_t job_id, const struct job_file *file,
	const struct queue_list *queue, int64_t now_us, struct tuner_error *err)
{
	const size_t n_arms = file->n_arms > 0 ? file->n_arms : 1;
	for (int64_t repeat = 0; repeat < file->repeats; repeat++)
		for (size_t a = 0; a < n_arms; a++)
			if (!queue_first_of(store, job_id, file,
				    file->n_arms > 0 ? file->arms[a].name : "", repeat, queue,
				    now_us, err))
				return false;
	return true;
}

/* Removes waiting entries that are no longer wanted: those of "first" that the file no longer
 * lists, and any that does not fit the edited space. The latter are reported. */
static bool prune_queue(struct store *store, const struct job_file *file,
	const struct queue_list *queue, struct text *ret_changes, struct tuner_error *err)
{
	for (size_t i = 0; i < queue->n; i++) {
		const struct queue_entry *entry = &queue->items[i];
		const struct queued *queued = &entry->queued;
		double values[SPACE_PARAMETERS_MAX];
		struct tuner_error misfit = { TUNER_OK, "" };
		size_t times = SIZE_MAX;
		if (entry->taken)
			continue;
		if (strcmp(queued->source, "first") == 0 &&
			!times_listed(file, file->n_first, queued->parameters, &times, err))
			return false;
		const bool listed = times_queued(queue, i, entry->arm, entry->repeat,
					    queued->parameters) < times;
		const bool fits =
			configuration_parse(file, queued->parameters, false, values, &misfit);
		if (!fits)
			text_print(ret_changes, "dropped from the queue: %s: %s\n",
				queued->parameters, misfit.message);
		if ((!listed || !fits) && !queue_remove(store, queued->id, err))
			return false;
	}
	return true;
}

/* Stores the rows of the warm start, and prepares its report. */
static bool begin_warm(struct store *store, int64_t job_id, const struct warm_start *warm_start,
	struct job_opening *ret, int64_t now_us, struct tuner_error *err)
{
	struct text json = TEXT_EMPTY;
	if (warm_start->file->warm_start.n == 0)
		return true;
	warm_start_json(warm_start, &json);
	warm_start_text(json.bytes, &ret->warm_start);
	const bool ok =
		(!text_failed(&json) && !text_failed(&ret->warm_start)) || tuner_fail_memory(err);
	text_finish(&json);
	return ok && warm_start_store(warm_start, store, job_id, now_us, err);
}

static bool create(struct store *store, const struct job_file *file,
	const struct warm_start *warm_start, struct job_opening *ret, int64_t now_us,
	struct tuner_error *err)
{
	static const struct queue_list empty = { 0 };
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
		     file->maximize ? "maximize" : "minimize", objective, now_us, &ret->job_id,
		     err) &&
	     begin_warm(store, ret->job_id, warm_start, ret, now_us, err) &&
	     queue_first(store, ret->job_id, file, &empty, now_us, err);
out:
	parameter_list_finish(&parameters);
	free(definition);
	free(objective);
	return ok;
}

/* The refused lines of an edit, as many whole lines as a message holds. */
static void refused_lines(const struct job_file *old, const struct job_file *file, unsigned kinds,
	char ret[REFUSED_BYTES])
{
	struct text lines = TEXT_EMPTY;
	size_t length = 0, left = 0;

	job_file_compare_only(old, file, kinds, &lines);
	for (const char *line = lines.bytes, *end; (end = strchr(line, '\n')) != NULL;
		line = end + 1) {
		const size_t size = (size_t)(end + 1 - line);
		if (left > 0 || length + size > REFUSED_BYTES - sizeof("and 1000 more\n")) {
			left++;
			continue;
		}
		memcpy(ret + length, line, size);
		length += size;
	}
	ret[length] = '\0';
	if (left > 0)
		snprintf(ret + length, REFUSED_BYTES - length, "and %zu more\n", left);
	text_finish(&lines);
}

/* A job that has begun with a warm start, or without one, cannot begin again. Removing "warm_start"
 * from the file is allowed: the earlier jobs may be gone. */
static bool refuse_warm_start(const struct job_file *old, const struct job_file *file,
	const char *name, struct tuner_error *err)
{
	char lines[REFUSED_BYTES];

	if (file->warm_start.n == 0)
		return true;
	refused_lines(old, file, CHANGE_WARM_START, lines);
	return tuner_fail(err, TUNER_USAGE,
		"the warm start of job \"%s\" was edited:\n"
		"%sIt only acts on a new job, and this one has begun. Give the job another name "
		"(--name) to begin with it, put \"warm_start\" back, or take it out.",
		name, lines);
}

/* "rescore" reads the edited file. Without a file, the change has to be given with --set. */
static bool refuse_objective(const struct job_file *old, const struct job_file *file,
	const char *name, const char *db, struct tuner_error *err)
{
	char lines[REFUSED_BYTES];
	struct text rescore = TEXT_EMPTY, setting = TEXT_EMPTY;
	char *definition = file->path[0] == '\0' ? job_file_objective(file) : NULL;

	refused_lines(old, file, CHANGE_OBJECTIVE, lines);
	text_add(&rescore, "tuner rescore ");
	text_add_job_words(&rescore, name, db);
	if (definition != NULL) {
		text_print(&setting, "objective=%s", definition);
		text_add(&rescore, " --set ");
		text_add_shell_word(&rescore, setting.bytes);
	}
	tuner_fail(err, TUNER_USAGE,
		"the objective of job \"%s\" was edited:\n%sFinished trials were scored by the old "
		"one. "
		"Give the job another name (--name) for a new start, put the old objective back, "
		"or score "
		"them by the new one: %s",
		name, lines, rescore.bytes);
	free(definition);
	text_finish(&setting);
	text_finish(&rescore);
	return false;
}

static bool refuse(const struct job_file *old, const struct job_file *file, unsigned kinds,
	bool accept_change, const char *name, const char *db, struct tuner_error *err)
{
	char lines[REFUSED_BYTES];

	if (kinds & CHANGE_OBJECTIVE)
		return refuse_objective(old, file, name, db, err);
	if (kinds & CHANGE_SEED) {
		refused_lines(old, file, CHANGE_SEED, lines);
		return tuner_fail(err, TUNER_USAGE,
			"the seed of job \"%s\" was edited:\n%sIts trials came from the old one. "
			"Give the job another name (--name) to run it with another seed.",
			name, lines);
	}
	if ((kinds & CHANGE_COMMAND) && !accept_change) {
		refused_lines(old, file, CHANGE_COMMAND, lines);
		return tuner_fail(err, TUNER_USAGE,
			"what job \"%s\" runs was edited:\n"
			"%sOld and new trials may not be comparable. --accept-change continues all "
			"the same; another name (--name) starts afresh.",
			name, lines);
	}
	return true;
}

/* Whether the path is beside the database, as in a project that was copied with it. */
static bool is_beside(const struct store *store, const char *path)
{
	const char *slash = strrchr(path, '/');
	const size_t length = slash != NULL ? (size_t)(slash + 1 - path) : 0;

	return length > 0 && strncmp(store_file(store), path, length) == 0;
}

/* job.json beside job.jsonc. */
static bool differ_by_ending(const char *a, const char *b)
{
	const size_t length = job_stem_length(a);

	return job_stem_length(b) == length && strncmp(a, b, length) == 0;
}

/* A moved job file no longer exists at its old path. If a file still exists there and this one runs
 * its commands elsewhere, this one probably belongs to another project with the same name: two
 * directories that share a TUNER_DB each have a job.jsonc. The same holds for a file beside it that
 * differs only in its ending. */
static bool refuse_namesake(struct store *store, const struct job *job, const struct job_file *file,
	bool accept_change, struct tuner_error *err)
{
	const bool here = strcmp(job->directory, file->directory) == 0;

	return accept_change || file->path[0] == '\0' || job->path[0] == '\0' ||
	       access(job->path, F_OK) != 0 || file_is_same(job->path, file->path) ||
	       (here ? !differ_by_ending(job->path, file->path) : is_beside(store, file->path)) ||
	       tuner_fail(err, TUNER_USAGE,
		       "job \"%s\" of this database belongs to %.300s, which still exists, and has "
		       "run in %.200s. Another job needs another name (--name) or database (--db); "
		       "--accept-change continues it here.",
		       job->name, job->path, job->directory);
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

/* The path may be new even if the meaning is the same. */
static bool take(struct store *store, const struct job *job, const struct job_file *file,
	unsigned kinds, struct text *changes, int64_t now_us, struct tuner_error *err)
{
	struct queue_list queue = { 0 };
	const bool ok =
		queue_select(store, job->id, &queue, err) && rewrite_queue(file, &queue, err) &&
		prune_queue(store, file, &queue, changes, err) &&
		(kinds == CHANGE_NONE ||
			add_edit_event(store, job->id, changes->bytes, now_us, err)) &&
		(!(kinds & CHANGE_SPACE) || add_space_version(store, job->id, file, now_us, err)) &&
		queue_first(store, job->id, file, &queue, now_us, err) &&
		job_set_file(store, job->id, file->text, file->path, file->directory,
			file->budget.trials, err);
	queue_list_finish(&queue);
	return ok;
}

bool job_store_edited(struct store *store, const struct job *job, const struct job_file *old,
	const struct job_file *file, struct tuner_error *err)
{
	const int64_t now_us = clock_wall_us();
	struct text changes = TEXT_EMPTY;
	unsigned kinds;
	job_file_compare(old, file, &kinds, &changes);
	const bool ok = (!text_failed(&changes) || tuner_fail_memory(err)) &&
			add_edit_event(store, job->id, changes.bytes, now_us, err) &&
			job_set_file(store, job->id, file->text, job->path, job->directory,
				job->trial_cap, err);
	text_finish(&changes);
	return ok;
}

/* The file is identical to the stored one: nothing to apply or write. */
static bool is_same(const struct job *job, const struct job_file *file)
{
	return strcmp(job->file, file->text) == 0 && strcmp(job->path, file->path) == 0 &&
	       strcmp(job->directory, file->directory) == 0 &&
	       job->trial_cap == file->budget.trials;
}

/* A job without trials, or with only failed ones, may be corrected without --accept-change: there
 * are no results with which new trials must be comparable. */
static bool count_trials(struct store *store, int64_t job_id, bool *ret_none, bool *ret_all_failed,
	struct tuner_error *err)
{
	int64_t counts[TRIAL_STATES], n = 0;
	if (!trial_count(store, job_id, counts, err))
		return false;
	for (int i = 0; i < TRIAL_STATES; i++)
		n += counts[i];
	*ret_none = n == 0;
	*ret_all_failed = n > 0 && counts[TRIAL_FAILED] == n;
	return true;
}

/* Whether it is too late for a warm start: something was tried or taken over. */
static bool has_begun(
	struct store *store, int64_t job_id, bool none, bool *ret, struct tuner_error *err)
{
	char *before = NULL;
	if (!warm_start_load(store, job_id, &before, err))
		return false;
	*ret = !none || before != NULL;
	free(before);
	return true;
}

/* Adds the warm start to a job that was made without it and has not begun. */
static bool begin_warm_late(struct store *store, const struct job *job, const struct job_file *file,
	struct job_opening *ret, int64_t now_us, struct tuner_error *err)
{
	struct warm_start warm_start;
	if (!warm_start_read(file, store, &warm_start, err))
		return false;
	const bool ok = begin_warm(store, job->id, &warm_start, ret, now_us, err);
	warm_start_finish(&warm_start);
	return ok;
}

/* Trials that failed for want of the old objective may have reported the new one. */
static bool score_anew(struct store *store, const struct job *job, const struct job_file *file,
	int64_t now_us, struct tuner_error *err)
{
	struct rescored_list list = { 0 };
	const bool ok = rescore_trials(store, job, file, &list, err) &&
			rescore_store(store, job, file, &list, now_us, err);
	rescored_list_finish(&list);
	return ok;
}

/* In the open transaction. */
static bool update(struct store *store, const struct job *job, const struct job_file *file,
	bool accept_change, const char *db, struct job_opening *ret, int64_t now_us,
	struct tuner_error *err)
{
	struct job_file *old = NULL;
	unsigned kinds = CHANGE_NONE;
	if (is_same(job, file))
		return true;
	if (!job_stored_file(job, &old, err))
		return false;
	job_file_compare(old, file, &kinds, &ret->changes);
	bool none = false, all_failed = false, begun = true;
	const bool warm = (kinds & CHANGE_WARM_START) != 0;
	if (!count_trials(store, job->id, &none, &all_failed, err)) {
		job_file_destroy(old);
		return false;
	}
	const bool no_result = none || all_failed;
	/* No result depends on the old objective: it was a mistake, and is corrected. */
	const bool mends = no_result && (kinds & CHANGE_OBJECTIVE) != 0;
	const bool ok = refuse(old, file, mends ? kinds & ~(unsigned)CHANGE_OBJECTIVE : kinds,
				accept_change || no_result, job->name, db, err) &&
			refuse_namesake(store, job, file, accept_change || no_result, err) &&
			(!warm || has_begun(store, job->id, none, &begun, err)) &&
			(!warm || !begun || refuse_warm_start(old, file, job->name, err)) &&
			(!mends || score_anew(store, job, file, now_us, err)) &&
			take(store, job, file, kinds, &ret->changes, now_us, err) &&
			(begun || begin_warm_late(store, job, file, ret, now_us, err));
	ret->mended = all_failed && (kinds & CHANGE_COMMAND) != 0;
	job_file_destroy(old);
	return ok;
}

void job_opening_finish(struct job_opening *opening)
{
	text_finish(&opening->changes);
	text_finish(&opening->warm_start);
}

bool job_open(struct store *store, const struct job_file *file, bool accept_change, const char *db,
	struct job_opening *ret, struct tuner_error *err)
{
	struct job job = { 0 };
	struct warm_start warm_start = { 0 };
	bool found = false;
	const int64_t now_us = clock_wall_us();
	*ret = (struct job_opening){ .changes = TEXT_EMPTY, .warm_start = TEXT_EMPTY };
	if (!job_find(store, file->name, &job, &found, err) ||
		(!found && !warm_start_read(file, store, &warm_start, err)) ||
		!store_begin(store, STORE_DURABLE, err))
		goto fail;
	ret->created = !found;
	ret->job_id = job.id;
	if (!(found ? update(store, &job, file, accept_change, db, ret, now_us, err)
		    : create(store, file, &warm_start, ret, now_us, err)) ||
		!store_commit(store, err)) {
		store_rollback(store);
		goto fail;
	}
	warm_start_finish(&warm_start);
	job_finish(&job);
	return true;
fail:
	warm_start_finish(&warm_start);
	job_finish(&job);
	job_opening_finish(ret);
	return false;
}

/* One may stand behind another text: that no trial has a result. */
bool job_reason_is_bound(const char *reason)
{
	static const char *const bounds[] = { BOUND_TARGET, BOUND_BUDGET, BOUND_IMPROVEMENT,
		BOUND_CONVERGED };

	for (size_t i = 0; i < sizeof(bounds) / sizeof(*bounds); i++)
		if (strstr(reason, bounds[i]) != NULL)
			return true;
	return false;
}
