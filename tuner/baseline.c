#include "tuner/baseline.h"

#include "base/file.h"
#include "base/json.h"
#include "base/number.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { BASELINE_BYTES_MAX = 1 << 20 };

static const char *goal_name(const struct job_file *file)
{
	return file->maximize ? "maximize" : "minimize";
}

static bool check_member(const char *path, const cJSON *root, const char *name,
	const char *expected, struct tuner_error *err)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, name);
	if (!cJSON_IsString(item))
		return tuner_fail(err, TUNER_USAGE,
			"%.120s is no baseline: \"%s\" is missing; --write-baseline makes one",
			path, name);
	return strcmp(item->valuestring, expected) == 0 ||
	       tuner_fail(err, TUNER_USAGE,
		       "%.80s is a baseline of the %s \"%.40s\", but the job's is \"%.40s\"", path,
		       name, item->valuestring, expected);
}

static bool take(const char *path, const cJSON *root, const struct job_file *file,
	double *ret_objective, struct tuner_error *err)
{
	const cJSON *objective = cJSON_GetObjectItemCaseSensitive(root, "objective");
	if (!check_member(path, root, "metric", file->metric, err) ||
		!check_member(path, root, "goal", goal_name(file), err))
		return false;
	/* JSON has no infinite numbers: those are strings, as in --json. */
	if (cJSON_IsString(objective) && number_to_double(objective->valuestring, ret_objective) &&
		isinf(*ret_objective))
		return true;
	if (!cJSON_IsNumber(objective))
		return tuner_fail(err, TUNER_USAGE,
			"%.120s is no baseline: \"objective\" is no number; --write-baseline makes "
			"one",
			path);
	*ret_objective = objective->valuedouble;
	return true;
}

bool baseline_read(const char *path, const struct job_file *file, double *ret_objective,
	struct tuner_error *err)
{
	struct json_document *document = NULL;
	struct text bytes = TEXT_EMPTY;
	bool ok = false;

	if (access(path, F_OK) != 0)
		tuner_fail(err, TUNER_USAGE,
			"there is no baseline %.120s: a run with --write-baseline %.60s makes it",
			path, path);
	else if (file_read(path, BASELINE_BYTES_MAX, &bytes, err) &&
		 json_parse(path, bytes.bytes, bytes.length, &document, err))
		ok = take(path, json_root(document), file, ret_objective, err);
	json_destroy(document);
	text_finish(&bytes);
	return ok;
}

static void add_objective(struct text *text, double objective)
{
	char number[NUMBER_TEXT];

	if (isfinite(objective))
		text_add_json_double(text, objective);
	else
		text_print(text, "\"%s\"", number_from_double(objective, number));
}

bool baseline_write(const char *path, const struct job_file *file, const struct trial *best,
	struct tuner_error *err)
{
	struct text text = TEXT_EMPTY;

	text_add(&text, "{\"job\": ");
	text_add_json_string(&text, file->name);
	text_add(&text, ", \"metric\": ");
	text_add_json_string(&text, file->metric);
	text_print(&text, ", \"goal\": \"%s\", \"objective\": ", goal_name(file));
	add_objective(&text, best->objective);
	text_print(&text, ", \"trial\": %lld, \"parameters\": %s}\n", (long long)best->number,
		best->parameters);
	const bool ok = text_failed(&text) ? tuner_fail_memory(err)
					   : file_write_atomic(path, text.bytes, text.length, 0666,
						     false, err);
	text_finish(&text);
	return ok;
}
