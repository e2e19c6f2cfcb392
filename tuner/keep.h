/* Which artefacts and checkpoints of a job's trials are kept and which removed: `keep` of the job
 * file, and `tuner gc`. Decisions only: an event and a state in the database. The process that
 * holds the database then removes the files (scheduler/artifacts.h). */
#ifndef TUNER_KEEP_H
#define TUNER_KEEP_H

#include "scheduler/artifacts.h"
#include "trials/manifest.h"
#include "tuner/jobfile.h"

/* The rule of a job file, with `best` replacing the file's unless 0. With several objectives it
 * protects the Pareto front of the trials that are done by now. */
TUNER_MUST_CHECK
bool keep_rule_read(struct store *store, int64_t job_id, const struct job_keep *keep, int64_t best,
	struct keep_rule *ret, struct tuner_error *err);
void keep_rule_finish(struct keep_rule *rule); /* zeroed: does nothing */

/* Decides, in the open transaction, the removal of what `keep` does not keep, at most `limit`
 * items; *ret_n is their number. None if keep->best is 0. */
TUNER_MUST_CHECK
bool keep_remove_unkept(struct store *store, int64_t job_id, const struct job_keep *keep,
	const char *why, int64_t limit, size_t *ret_n, struct tuner_error *err);

/* Decides, in the open transaction, what to remove to free `excess` bytes, least wanted first, at
 * most `limit` items. *ret_freed is less if nothing more may be removed, or the limit was reached
 * (*ret_n). */
TUNER_MUST_CHECK
bool keep_make_room(struct store *store, int64_t job_id, const struct job_keep *keep,
	int64_t excess, int64_t limit, size_t *ret_n, int64_t *ret_freed, struct tuner_error *err);

/* The first step of a removal that was decided: renames; artifacts_delete_set_aside is to
 * follow. */
TUNER_MUST_CHECK
bool keep_set_aside(struct store *store, const struct manifest *manifest, struct tuner_error *err);

/* Records what was found for a PENDING manifest, in the open transaction. */
TUNER_MUST_CHECK
bool keep_record(struct store *store, int64_t attempt_id, const struct artifacts *found,
	int64_t now_us, struct tuner_error *err);

enum { BYTES_TEXT = 24 };

/* "812 B", "3.1 MB", "20 GB": powers of 1000, as disks are sold. Returns ret_text. */
char *bytes_text(int64_t bytes, char ret_text[BYTES_TEXT]);

#endif
