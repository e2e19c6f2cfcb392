/* Which trials of a job were launched by another command than its file has now: "tuner run --accept-change" goes on after
 * such an edit, and keeps what was. */
#ifndef TUNER_EDITS_H
#define TUNER_EDITS_H

#include "trials/store.h"

struct edits {
	int64_t until; /* the last trial that had been proposed before the last such edit; 0: none had */
	char key[80]; /* what was edited then: "fixed.epochs" */
};

TUNER_MUST_CHECK
bool edits_read(struct store *store, int64_t job_id, struct edits *ret, struct tuner_error *err);

#endif
