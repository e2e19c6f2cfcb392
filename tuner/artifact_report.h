/* The files that a trial has saved, as the reading commands show them. */
#ifndef TUNER_ARTIFACT_REPORT_H
#define TUNER_ARTIFACT_REPORT_H

#include "trials/manifest.h"
#include "tuner/trial_report.h"

struct trial_artifacts {
	struct manifest_list manifests; /* by attempt */
	struct manifest_files *files; /* per manifest */
};

TUNER_MUST_CHECK
bool trial_artifacts_read(struct store *store, int64_t trial_id, struct trial_artifacts *ret,
	struct tuner_error *err);
void trial_artifacts_finish(struct trial_artifacts *artifacts); /* zeroed: does nothing */

/* Appends a paragraph with a heading, or nothing if there are no files. */
void trial_artifacts_text(const struct trial_artifacts *artifacts, struct text *ret);

/* An array with an object per file; NULL without memory. */
cJSON *trial_artifacts_json(const struct trial_artifacts *artifacts);

/* Prints the absolute paths, one per line, of the files that the trial's newest attempt with files
 * has saved and that still exist. TUNER_USAGE says why there are none. */
TUNER_MUST_CHECK
bool trial_artifacts_print_paths(
	const struct report *report, const struct trial *trial, struct tuner_error *err);

#endif
