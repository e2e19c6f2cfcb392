/* Which trials of a job were launched with a command other than its file's present one: "tuner run
 * --accept-change" continues after such an edit, and keeps earlier results. */
#ifndef TUNER_EDITS_H
#define TUNER_EDITS_H

#include "trials/event.h"

enum edits_of {
	EDITS_OF_COMMAND, /* what trials are launched with */
	EDITS_OF_RESULTS, /* that, and how metrics are found */
};

struct edits {
	int64_t until; /* the last trial proposed before the last such edit; 0: none */
	int64_t time_us; /* of that edit */
	char key[80]; /* the key that was edited: "fixed.epochs" */
};

TUNER_MUST_CHECK
bool edits_read(struct store *store, int64_t job_id, enum edits_of of, struct edits *ret,
	struct tuner_error *err);

/* Whether the fixed value of this name was edited after the trial had been proposed, so that it ran
 * with another value or none. `edits`: the job's (event_edits). */
bool edits_touch_fixed(const struct event_list *edits, int64_t trial_number, const char *name);

#endif
