#include "tuner/artifact_check.h"

#include "scheduler/artifacts.h"
#include "trials/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 500 };

struct check {
	struct store *store;
	const char *job;
	bool hashes;
	struct violation_list *list;
	size_t told; /* VIOLATIONS_MAX at most */
};

static bool add(struct check *check, const struct manifest *manifest,
	const struct manifest_file *file, const char *what, struct tuner_error *err)
{
	struct violation_list *list = check->list;
	struct violation *items;
	char *text = NULL;

	if (check->told == VIOLATIONS_MAX) {
		list->more = true;
		return true;
	}
	items = reallocarray(list->items, list->n + 1, sizeof(*items));
	if (items != NULL)
		list->items = items;
	if (items == NULL || asprintf(&text, "job %s, trial %lld, attempt %lld: %s %s", check->job,
				     (long long)manifest->trial_number,
				     (long long)manifest->attempt_number, file->path, what) < 0)
		return tuner_fail_memory(err);
	items[list->n++] = (struct violation){ .check = "files",
		.what = text,
		.remedy = "the result stands; restore the file from a copy, or launch its "
			  "configuration again" };
	check->told++;
	return true;
}

/* A running job may have removed it since. */
static bool is_still_kept(
	struct store *store, const struct manifest *manifest, bool *ret, struct tuner_error *err)
{
	struct manifest_list now;

	if (!manifest_select(store, manifest->trial, &now, err))
		return false;
	*ret = false;
	for (size_t i = 0; i < now.n; i++)
		if (now.items[i].attempt == manifest->attempt)
			*ret = now.items[i].removal == 0;
	manifest_list_finish(&now);
	return true;
}

/* Says in words what is wrong with it; "" if nothing. */
static bool look_at(const struct check *check, const struct manifest *manifest,
	const struct manifest_file *file, char ret_what[160], struct tuner_error *err)
{
	const char *root = store_directory(check->store);
	char sha256[SHA256_TEXT];
	struct tuner_error unreadable;
	int64_t bytes;

	ret_what[0] = '\0';
	if (!artifact_size(root, manifest->directory, file->path, &bytes, err))
		return false;
	if (bytes < 0)
		snprintf(ret_what, 160, "is missing");
	else if (bytes != file->bytes)
		snprintf(ret_what, 160, "has %lld bytes, and had %lld", (long long)bytes,
			(long long)file->bytes);
	else if (check->hashes && file->sha256[0] != '\0') {
		if (!artifact_hash(
			    root, manifest->directory, file->path, sha256, &bytes, &unreadable))
			snprintf(ret_what, 160, "cannot be read");
		else if (strcmp(sha256, file->sha256) != 0)
			snprintf(ret_what, 160, "has changed: the same size, but other bytes");
	}
	return true;
}

static bool check_manifest(
	struct check *check, const struct manifest *manifest, struct tuner_error *err)
{
	struct manifest_files files;
	bool kept = true;

	if (!manifest_files_select(check->store, manifest->attempt, &files, err))
		return false;
	bool ok = true;
	for (size_t i = 0; ok && kept && i < files.n; i++) {
		char what[160];
		ok = look_at(check, manifest, &files.items[i], what, err);
		if (ok && what[0] != '\0')
			ok = is_still_kept(check->store, manifest, &kept, err) &&
			     (!kept || add(check, manifest, &files.items[i], what, err));
	}
	manifest_files_finish(&files);
	return ok;
}

static bool check_job(struct check *check, int64_t job_id, struct tuner_error *err)
{
	int64_t after = 0;

	for (;;) {
		struct manifest_list list;
		if (!manifest_kept(check->store, job_id, after, AT_ONCE, &list, err))
			return false;
		bool ok = true;
		for (size_t i = 0; ok && i < list.n; i++)
			ok = check_manifest(check, &list.items[i], err);
		const bool last = list.n < AT_ONCE || check->list->more;
		if (list.n > 0)
			after = list.items[list.n - 1].attempt;
		manifest_list_finish(&list);
		if (last || !ok)
			return ok;
	}
}

bool artifacts_check(struct store *store, int64_t job_id, bool hashes, struct violation_list *list,
	struct tuner_error *err)
{
	struct check check = { .store = store, .hashes = hashes, .list = list };
	struct job_list jobs;

	if (!job_list(store, &jobs, err))
		return false;
	bool ok = true;
	list->checks += hashes ? 2 : 1;
	for (size_t i = 0; ok && i < jobs.n; i++) {
		check.job = jobs.items[i].name;
		if (job_id == 0 || jobs.items[i].id == job_id)
			ok = check_job(&check, jobs.items[i].id, err);
	}
	job_list_finish(&jobs);
	return ok;
}
