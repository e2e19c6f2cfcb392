/* Puts ended trials back to be run again with the same parameters and seed: `tuner retry`. */
#ifndef TUNER_REOPEN_H
#define TUNER_REOPEN_H

#include "tuner/jobfile.h"

#include <cjson/cJSON.h>

enum { REOPEN_NUMBERS_MAX = 100 };

/* Which trials: those of these classes, those with these numbers, or, with both, those with these
 * numbers and classes. */
struct reopen_wish {
	unsigned classes; /* bits 1u << outcome; 0: all */
	int64_t numbers[REOPEN_NUMBERS_MAX];
	size_t n; /* 0: all */
};

/* Adds the classes that --class names: "lost,oom-gpu". TUNER_USAGE names the nearest class, or says
 * why a class cannot be retried. */
TUNER_MUST_CHECK
bool reopen_add_classes(struct reopen_wish *wish, const char *list, struct tuner_error *err);

/* Writes and reads a wish as the argument of a request. */
void reopen_wish_write(const struct reopen_wish *wish, struct text *ret);
TUNER_MUST_CHECK
bool reopen_wish_read(const cJSON *argument, struct reopen_wish *ret, struct tuner_error *err);

/* Puts the trials back, in the open transaction; *ret_numbers (the caller frees) are their numbers.
 * TUNER_USAGE, with nothing changed: none matches, or a named one has not failed or stopped, was
 * evaluated by a caller that asked for it, or does not fit the present space. */
TUNER_MUST_CHECK
bool reopen_trials(struct store *store, int64_t job_id, const struct job_file *file,
	const struct reopen_wish *wish, int64_t now_us, int64_t **ret_numbers, size_t *ret_n,
	struct tuner_error *err);

/* Appends "trial 3" or "trials 3, 7 and 12", naming at most ten. */
void reopen_numbers_text(const int64_t *numbers, size_t n, struct text *ret);

#endif
