/* The tree of a job file after changes from the command line, each value with its origin: a place
 * in the file, or the --set that put it there. */
#ifndef TUNER_JOBFILE_SOURCE_H
#define TUNER_JOBFILE_SOURCE_H

#include "tuner/jobfile.h"

struct job_source;

/* Parses the text and applies the overrides. Faults of either go to `list`, and *ret then stays
 * NULL (true is returned). False without memory. */
TUNER_MUST_CHECK
bool source_create(const char *name, const char *text, size_t length,
	const struct job_overrides *overrides, struct job_source **ret, struct diagnostics *list,
	struct tuner_error *err);
void source_destroy(struct job_source *source);

const cJSON *source_root(const struct job_source *source);

/* The text of this tree: as given, or printed anew if there were overrides. */
const char *source_text(const struct job_source *source);

/* Where a value (or, with `key`, its key) comes from. For a value from an override: {0, 0}, and
 * *ret_override is the override's text for messages, "--set budget.trials=5"; otherwise "". */
struct json_place source_place(
	const struct job_source *source, const cJSON *node, bool key, const char **ret_override);

/* Appends the path of a node in --set's notation: "parameters.lr.min", "hosts.0"; "" for the
 * root. */
void source_path(const struct job_source *source, const cJSON *node, struct text *ret);

#endif
