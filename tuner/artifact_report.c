#include "tuner/artifact_report.h"

#include "base/file.h"
#include "tuner/keep.h"
#include "tuner/report_json.h"
#include "tuner/text_width.h"

#include <stdlib.h>
#include <string.h>

bool trial_artifacts_read(
	struct store *store, int64_t trial_id, struct trial_artifacts *ret, struct tuner_error *err)
{
	struct trial_artifacts read = { 0 };

	if (!manifest_select(store, trial_id, &read.manifests, err))
		return false;
	read.files = calloc(read.manifests.n + 1, sizeof(*read.files));
	bool ok = read.files != NULL || tuner_fail_memory(err);
	for (size_t i = 0; ok && i < read.manifests.n; i++)
		ok = manifest_files_select(
			store, read.manifests.items[i].attempt, &read.files[i], err);
	if (ok)
		*ret = read;
	else
		trial_artifacts_finish(&read);
	return ok;
}

void trial_artifacts_finish(struct trial_artifacts *artifacts)
{
	for (size_t i = 0; artifacts->files != NULL && i < artifacts->manifests.n; i++)
		manifest_files_finish(&artifacts->files[i]);
	free(artifacts->files);
	manifest_list_finish(&artifacts->manifests);
	*artifacts = (struct trial_artifacts){ 0 };
}

/* ---- text ---- */

static void add_file(
	const struct manifest *manifest, const struct manifest_file *file, struct text *ret)
{
	char size[BYTES_TEXT];

	text_print(ret, "  %-2lld %8s  %-12.12s  ", (long long)manifest->attempt_number,
		bytes_text(file->bytes, size), file->sha256);
	text_add_visible(ret, file->path);
	text_add(ret, manifest->removal != 0 ? "  (removed)\n" : "\n");
}

static void add_manifest(
	const struct manifest *manifest, const struct manifest_files *files, struct text *ret)
{
	enum { SHOWN = 20 };
	char size[BYTES_TEXT];

	for (size_t i = 0; i < files->n && i < SHOWN; i++)
		add_file(manifest, &files->items[i], ret);
	if (manifest->files > SHOWN)
		text_print(ret, "  %-2lld %lld files in all, %s\n",
			(long long)manifest->attempt_number, (long long)manifest->files,
			manifest->removal != 0 ? "removed" : bytes_text(manifest->bytes, size));
	if (manifest->message[0] != '\0') {
		text_print(ret, "  %-2lld ", (long long)manifest->attempt_number);
		text_add_visible(ret, manifest->message);
		text_add(ret, "\n");
	}
	if (manifest->state == MANIFEST_PENDING)
		text_print(ret, "  %-2lld not examined yet\n", (long long)manifest->attempt_number);
	if (manifest->checkpoint_bytes > 0)
		text_print(ret, "  %-2lld %8s  checkpoints of the trial\n",
			(long long)manifest->attempt_number,
			bytes_text(manifest->checkpoint_bytes, size));
}

void trial_artifacts_text(const struct trial_artifacts *artifacts, struct text *ret)
{
	struct text lines = TEXT_EMPTY;

	for (size_t i = 0; i < artifacts->manifests.n; i++)
		add_manifest(&artifacts->manifests.items[i], &artifacts->files[i], &lines);
	if (lines.length > 0)
		text_print(ret, "\nartefacts, by attempt\n%s", lines.bytes);
	text_finish(&lines);
}

/* ---- JSON ---- */

static cJSON *file_json(const struct manifest *manifest, const struct manifest_file *file)
{
	cJSON *object = cJSON_CreateObject();

	if (json_add_integer(object, "attempt", manifest->attempt_number) &&
		json_add_string(object, "path", file->path) &&
		json_add_integer(object, "bytes", file->bytes) &&
		json_add_item(object, "sha256",
			file->sha256[0] != '\0' ? cJSON_CreateString(file->sha256)
						: cJSON_CreateNull()) &&
		cJSON_AddBoolToObject(object, "removed", manifest->removal != 0) != NULL)
		return object;
	cJSON_Delete(object);
	return NULL;
}

cJSON *trial_artifacts_json(const struct trial_artifacts *artifacts)
{
	cJSON *array = cJSON_CreateArray();
	bool ok = array != NULL;

	for (size_t i = 0; ok && i < artifacts->manifests.n; i++)
		for (size_t k = 0; ok && k < artifacts->files[i].n; k++)
			ok = json_append(array, file_json(&artifacts->manifests.items[i],
							&artifacts->files[i].items[k]));
	if (ok)
		return array;
	cJSON_Delete(array);
	return NULL;
}

/* ---- paths ---- */

static bool print_paths(const struct report *report, const struct manifest *manifest,
	const struct manifest_files *files, struct tuner_error *err)
{
	char *joined = path_join(store_directory(report->store), manifest->directory);
	char *directory = joined != NULL ? realpath(joined, NULL) : NULL;
	const bool ok = directory != NULL || tuner_fail(err, TUNER_USAGE, "%.200s no longer exists",
						     joined != NULL ? joined : manifest->directory);

	for (size_t i = 0; ok && i < files->n; i++)
		printf("%s/%s\n", directory, files->items[i].path);
	free(directory);
	free(joined);
	return ok;
}

static bool fail_none(const struct report *report, const struct trial_artifacts *artifacts,
	const struct trial *trial, struct tuner_error *err)
{
	const long long number = trial->number;

	for (size_t i = 0; i < artifacts->manifests.n; i++) {
		if (artifacts->manifests.items[i].removal != 0)
			return tuner_fail(err, TUNER_USAGE,
				"the files of trial %lld were removed: \"tuner show %s %lld\" says "
				"when and why",
				number, report->reference, number);
		if (artifacts->manifests.items[i].state == MANIFEST_PENDING)
			return tuner_fail(err, TUNER_USAGE,
				"the files of trial %lld are not recorded yet: the next \"tuner "
				"run\" or \"tuner gc\" will do that",
				number);
	}
	return tuner_fail(err, TUNER_USAGE,
		"trial %lld has saved nothing: its command may save to TUNER_MODEL_DIR and "
		"TUNER_OUTPUT_DIR",
		number);
}

bool trial_artifacts_print_paths(
	const struct report *report, const struct trial *trial, struct tuner_error *err)
{
	struct trial_artifacts artifacts;
	bool ok = false, found = false;

	if (!trial_artifacts_read(report->store, trial->id, &artifacts, err))
		return false;
	for (size_t i = artifacts.manifests.n; i > 0 && !found; i--) {
		const struct manifest *manifest = &artifacts.manifests.items[i - 1];
		found = artifacts.files[i - 1].n > 0 && manifest->removal == 0;
		if (found)
			ok = print_paths(report, manifest, &artifacts.files[i - 1], err);
	}
	if (!found)
		fail_none(report, &artifacts, trial, err);
	trial_artifacts_finish(&artifacts);
	return ok;
}
