#include "tuner/gc.h"

#include "base/clock.h"
#include "base/file.h"
#include "scheduler/artifacts.h"
#include "scheduler/attempt_files.h"
#include "tuner/launch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { AT_ONCE = 100, DECIDED_MAX = 100000, NAMED_MAX = 20 };

const char *gc_class_name(enum gc_class class)
{
	static const char *const names[GC_CLASSES] = { "checkpoints", "artifacts", "leftovers",
		"logs", "unknown" };

	return names[class];
}

void gc_report_finish(struct gc_report *report)
{
	text_finish(&report->names);
	text_finish(&report->failures);
}

static void count(struct gc_report *report, enum gc_class class, int64_t bytes)
{
	report->of[class].n++;
	report->of[class].bytes += bytes;
}

static void add_failure(struct gc_report *report, const struct tuner_error *why)
{
	if (report->failed++ < NAMED_MAX)
		text_print(&report->failures, "%s\n", why->message);
}

/* ---- what trials have saved ---- */

static void count_manifests(const struct manifest_list *list, struct gc_report *report)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i].checkpoint_bytes > 0)
			count(report, GC_CHECKPOINTS, list->items[i].checkpoint_bytes);
		if (list->items[i].bytes > 0)
			count(report, GC_ARTIFACTS, list->items[i].bytes);
	}
}

static bool select_unkept(struct store *store, int64_t job_id, const struct job_keep *keep,
	int64_t limit, struct manifest_list *ret, struct tuner_error *err)
{
	struct keep_rule rule;

	*ret = (struct manifest_list){ 0 };
	if (keep->best == 0)
		return true;
	const bool ok = keep_rule_read(store, job_id, keep, 0, &rule, err) &&
			removal_select(store, job_id, REMOVAL_UNKEPT, &rule, limit, ret, err);
	keep_rule_finish(&rule);
	return ok;
}

bool gc_decide(struct store *store, int64_t job_id, const struct job_keep *keep, int64_t *ret_n,
	int64_t *ret_bytes, struct tuner_error *err)
{
	struct manifest_list list;
	bool ok = true;

	*ret_n = *ret_bytes = 0;
	if (!select_unkept(store, job_id, keep, DECIDED_MAX, &list, err))
		return false;
	for (size_t i = 0; ok && i < list.n; i++) {
		ok = manifest_remove(
			store, job_id, &list.items[i], "tuner gc", clock_wall_us(), err);
		*ret_bytes += list.items[i].bytes + list.items[i].checkpoint_bytes;
		(*ret_n)++;
	}
	manifest_list_finish(&list);
	return ok;
}

/* ---- the job's directory ---- */

struct search {
	int root;
	const struct attempt_places *places;
	const struct gc_wish *wish;
	struct gc_report *report;
	bool remove;
};

static int compare_place(const void *a, const void *b)
{
	return strcmp(((const struct attempt_place *)a)->directory,
		((const struct attempt_place *)b)->directory);
}

static const struct attempt_place *find_place(const struct search *search, const char *directory)
{
	const struct attempt_place key = { .directory = (char *)directory };

	return search->places->n == 0 ? NULL
				      : bsearch(&key, search->places->items, search->places->n,
						sizeof(key), compare_place);
}

/* Whether some attempt is below this directory: if so, the first that does not sort before it. */
static bool has_places_below(const struct search *search, const char *directory)
{
	const size_t length = strlen(directory);
	size_t low = 0, high = search->places->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (strcmp(search->places->items[middle].directory, directory) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < search->places->n; low++) {
		const char *place = search->places->items[low].directory;
		if (strncmp(place, directory, length) != 0)
			break;
		if (place[length] == '/')
			return true;
	}
	return false;
}

static void take(struct search *search, enum gc_class class, int directory, const char *name,
	const char *path)
{
	const bool wished = (class != GC_LOGS || search->wish->logs) &&
			    (class != GC_UNKNOWN || search->wish->unknown);
	const int64_t bytes = artifacts_bytes_at(directory, name);
	struct tuner_error err;

	if (search->remove && wished && !directory_remove_at(directory, name, &err)) {
		tuner_fail_in(&err, "%.150s: ", path);
		add_failure(search->report, &err);
	} else {
		count(search->report, class, bytes);
	}
}

static void take_unknown(struct search *search, int directory, const char *name, const char *path)
{
	if (search->report->of[GC_UNKNOWN].n < NAMED_MAX)
		text_print(&search->report->names, "%s\n", path);
	take(search, GC_UNKNOWN, directory, name, path);
}

typedef void visit_function(
	struct search *search, int directory, const char *name, const char *path);

/* Visits each entry of the directory `path` below the root. What cannot be opened, such as a link,
 * is skipped. */
static void visit(struct search *search, int parent, const char *name, const char *path,
	visit_function *function)
{
	const int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (stream == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(stream)) != NULL) {
		struct text below = TEXT_EMPTY;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		text_print(&below, "%s%s%s", path, *path != '\0' ? "/" : "", entry->d_name);
		if (!text_failed(&below))
			function(search, dirfd(stream), entry->d_name, below.bytes);
		text_finish(&below);
	}
	closedir(stream);
}

static bool is_directory(int parent, const char *name)
{
	struct stat status;

	return fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

static bool is_log(const char *name)
{
	const size_t length = strlen(name), end = strlen(OUTPUT_SEGMENT_SUFFIX);

	return strncmp(name, OUTPUT_SEGMENT_PREFIX, strlen(OUTPUT_SEGMENT_PREFIX)) == 0 &&
	       length > end && strcmp(name + length - end, OUTPUT_SEGMENT_SUFFIX) == 0;
}

static bool has_failed(const struct attempt_place *place)
{
	return place->trial_ended && place->outcome != OUTCOME_OK &&
	       place->outcome != OUTCOME_EARLY_STOPPED && place->outcome != OUTCOME_USER_STOPPED;
}

/* "JOB/0007/1/exit.json.new" */
static void visit_file(struct search *search, int directory, const char *name, const char *path)
{
	if (artifacts_name_is_leftover(name)) {
		take(search, GC_LEFTOVERS, directory, name, path);
		return;
	}
	char *attempt = path_directory(path);
	const struct attempt_place *place = attempt != NULL ? find_place(search, attempt) : NULL;
	if (place != NULL && has_failed(place) && is_log(name))
		take(search, GC_LOGS, directory, name, path);
	free(attempt);
}

/* "JOB/0007/1", and whatever else is there. */
static void visit_attempt(struct search *search, int directory, const char *name, const char *path)
{
	const struct attempt_place *place = find_place(search, path);

	if (strncmp(name, ARTIFACTS_SET_ASIDE, strlen(ARTIFACTS_SET_ASIDE)) == 0)
		take(search, GC_LEFTOVERS, directory, name, path);
	else if (place != NULL && place->ended)
		visit(search, directory, name, path, visit_file);
	else if (place == NULL && strcmp(name, "checkpoint") != 0 && is_directory(directory, name))
		take_unknown(search, directory, name, path);
}

/* "JOB/0007" */
static void visit_trial(struct search *search, int directory, const char *name, const char *path)
{
	/* Not trials: the job's code, if it was copied, and the job's name on hosts (".hosts"),
	 * without which what runs there would not be found again. */
	if (!is_directory(directory, name) || strcmp(name, "source") == 0 || name[0] == '.')
		return;
	if (has_places_below(search, path))
		visit(search, directory, name, path, visit_attempt);
	else
		take_unknown(search, directory, name, path);
}

/* ---- directories of jobs that the database does not have ---- */

/* The directory of a job below DATABASE.d. NULL without memory. */
static char *job_directory(const char *job)
{
	char *attempt = attempt_relative_directory(job, 1, 1);
	char *slash = attempt != NULL ? strchr(attempt, '/') : NULL;

	if (slash != NULL)
		*slash = '\0';
	return attempt;
}

static bool is_of_a_job(const struct job_list *jobs, const char *name)
{
	bool found = false;

	for (size_t i = 0; i < jobs->n && !found; i++) {
		char *directory = job_directory(jobs->items[i].name);
		found = directory == NULL || strcmp(directory, name) == 0;
		free(directory);
	}
	return found;
}

static void search_other_jobs(struct search *search, const struct job_list *jobs)
{
	const int fd = openat(search->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (stream == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(stream)) != NULL)
		if (entry->d_name[0] != '.' && is_directory(search->root, entry->d_name) &&
			!is_of_a_job(jobs, entry->d_name))
			take_unknown(search, search->root, entry->d_name, entry->d_name);
	closedir(stream);
}

static bool search_disk(struct store *store, const struct job *job, const struct gc_wish *wish,
	bool remove, struct gc_report *report, struct tuner_error *err)
{
	struct attempt_places places = { 0 };
	struct job_list jobs = { 0 };
	struct search search = {
		.places = &places, .wish = wish, .report = report, .remove = remove
	};
	char *directory = job_directory(job->name);
	bool ok = directory != NULL || tuner_fail_memory(err);

	search.root = open(store_directory(store), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ok && search.root < 0)
		ok = errno == ENOENT || tuner_fail_errno(err, errno, "%s", store_directory(store));
	else if (ok && (ok = attempt_places_select(store, job->id, &places, err) &&
			       job_list(store, &jobs, err))) {
		visit(&search, search.root, directory, directory, visit_trial);
		search_other_jobs(&search, &jobs);
	}
	if (search.root >= 0)
		close(search.root);
	attempt_places_finish(&places);
	job_list_finish(&jobs);
	free(directory);
	return ok;
}

/* ---- all of it ---- */

bool gc_look(struct store *store, const struct job *job, const struct gc_wish *wish,
	struct gc_report *ret, struct tuner_error *err)
{
	struct manifest_list list;

	*ret = (struct gc_report){ .names = TEXT_EMPTY, .failures = TEXT_EMPTY };
	if (!manifest_count_pending(store, job->id, &ret->pending, err) ||
		!select_unkept(store, job->id, &wish->keep, DECIDED_MAX, &list, err))
		return false;
	count_manifests(&list, ret);
	manifest_list_finish(&list);
	return search_disk(store, job, wish, false, ret, err);
}

static bool record(struct store *store, const struct manifest *manifest, struct tuner_error *err)
{
	struct artifacts found;

	if (!artifacts_scan(store_directory(store), manifest->directory, true, NULL, &found, err))
		return false;
	bool ok = store_begin(store, STORE_LAZY, err);
	if (ok && !keep_record(store, manifest->attempt, &found, clock_wall_us(), err)) {
		store_rollback(store);
		ok = false;
	}
	artifacts_finish(&found);
	return ok && store_commit(store, err);
}

static void discount(struct gc_report *report, enum gc_class class, int64_t left)
{
	report->of[class].bytes -= left < report->of[class].bytes ? left : report->of[class].bytes;
}

/* What could not be removed is not freed, though it was counted when its removal was decided. What
 * may not even be read cannot be told apart. */
static void discount_left(
	struct store *store, const struct manifest *manifest, struct gc_report *report)
{
	const char *root = store_directory(store);
	int64_t bytes, checkpoint_bytes, there, checkpoint_there;
	struct tuner_error ignored;

	artifacts_count_set_aside(root, manifest->directory, &bytes, &checkpoint_bytes);
	if (artifacts_measure(root, manifest->directory, &there, &checkpoint_there, &ignored)) {
		if (manifest->removal != 0)
			bytes += there;
		if (manifest->checkpoint_removal != 0 && manifest->checkpoint_free)
			checkpoint_bytes += checkpoint_there;
	}
	discount(report, GC_ARTIFACTS, bytes);
	discount(report, GC_CHECKPOINTS, checkpoint_bytes);
}

static bool finish_removal(struct store *store, const struct manifest *manifest, bool counted,
	struct gc_report *report, struct tuner_error *err)
{
	struct tuner_error failed = { TUNER_OK, "" }, kept = { TUNER_OK, "" };

	/* What could be set aside goes, whatever else could not. */
	if (!keep_set_aside(store, manifest, &failed))
		add_failure(report, &failed);
	if (!artifacts_delete_set_aside(store_directory(store), manifest->directory, &kept)) {
		add_failure(report, &kept);
		failed = failed.code == TUNER_OK ? kept : failed;
	}
	if (failed.code != TUNER_OK && counted)
		discount_left(store, manifest, report);
	if (!store_begin(store, STORE_LAZY, err))
		return false;
	if (manifest_removed(store, manifest->attempt, failed.message, err))
		return store_commit(store, err);
	store_rollback(store);
	return false;
}

/* Handles everything in this state, which thereby leaves the state. `counted`: the report counts its
 * removal. */
static bool work_off(struct store *store, int64_t job_id, enum manifest_state state, bool counted,
	struct gc_report *report, struct tuner_error *err)
{
	for (;;) {
		struct manifest_list list;
		if (!manifest_due(store, job_id, state, AT_ONCE, &list, err))
			return false;
		const bool done = list.n == 0;
		bool ok = true;
		for (size_t i = 0; ok && i < list.n; i++)
			ok = state == MANIFEST_PENDING
				     ? record(store, &list.items[i], err)
				     : finish_removal(store, &list.items[i], counted, report, err);
		manifest_list_finish(&list);
		if (done || !ok)
			return ok;
	}
}

static bool decide(struct store *store, const struct job *job, const struct gc_wish *wish,
	struct gc_report *report, struct tuner_error *err)
{
	struct manifest_list list;
	int64_t n, bytes;

	if (!select_unkept(store, job->id, &wish->keep, DECIDED_MAX, &list, err))
		return false;
	count_manifests(&list, report);
	manifest_list_finish(&list);
	if (!store_begin(store, STORE_DURABLE, err))
		return false;
	if (gc_decide(store, job->id, &wish->keep, &n, &bytes, err))
		return store_commit(store, err);
	store_rollback(store);
	return false;
}

bool gc_remove(struct store *store, const struct job *job, const struct gc_wish *wish,
	struct gc_report *ret, struct tuner_error *err)
{
	*ret = (struct gc_report){ .names = TEXT_EMPTY, .failures = TEXT_EMPTY };
	/* The disk first, so that what cannot be removed later is reported once. */
	return search_disk(store, job, wish, true, ret, err) &&
	       work_off(store, job->id, MANIFEST_REMOVING, false, ret, err) &&
	       work_off(store, job->id, MANIFEST_PENDING, false, ret, err) &&
	       decide(store, job, wish, ret, err) &&
	       work_off(store, job->id, MANIFEST_REMOVING, true, ret, err);
}
