/* Which trials of a job were launched by another command than its file has now: "tuner run --accept-change" goes on after
 * such an edit, and keeps what was. */
#ifndef TUNER_EDITS_H
#define TUNER_EDITS_H

#include "trials/event.h"

enum edits_of {
	EDITS_OF_COMMAND, /* what it is launched with */
	EDITS_OF_RESULTS, /* and how its metrics are found */
};

struct edits {
	int64_t until; /* the last trial that had been proposed before the last such edit; 0: none had */
	int64_t time_us; /* of that edit */
	char key[80]; /* what was edited then: "fixed.epochs" */
};

TUNER_MUST_CHECK
bool edits_read(struct store *store, int64_t job_id, enum edits_of of, struct edits *ret,
	struct tuner_error *err);

/* Whether a fixed value of this name was edited after the trial had been proposed: it ran with another one, or without.
 * `edits`: the job's (event_edits). */
bool edits_touch_fixed(const struct event_list *edits, int64_t trial_number, const char *name);

#endif
