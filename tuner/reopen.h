/* Trials that ended, put back to be run again with the same parameters and seed: `tuner retry`. */
#ifndef TUNER_REOPEN_H
#define TUNER_REOPEN_H

#include "tuner/jobfile.h"

#include <cjson/cJSON.h>

enum { REOPEN_NUMBERS_MAX = 100 };

/* Which: those of these classes, these numbers, or, with both, these numbers as far as they are of these
 * classes. */
struct reopen_wish {
	unsigned classes; /* bits 1u << outcome; 0: all */
	int64_t numbers[REOPEN_NUMBERS_MAX];
	size_t n; /* 0: all */
};

/* Adds what --class names: "lost,oom-gpu". TUNER_USAGE names the nearest class, or says why it can be
 * none. */
TUNER_MUST_CHECK
bool reopen_add_classes(struct reopen_wish *wish, const char *list, struct tuner_error *err);

/* As the argument of a request. */
void reopen_wish_write(const struct reopen_wish *wish, struct text *ret);
TUNER_MUST_CHECK
bool reopen_wish_read(const cJSON *argument, struct reopen_wish *ret, struct tuner_error *err);

/* Puts them back, in the open transaction; *ret_numbers (the caller frees) are the trials. TUNER_USAGE,
 * and nothing is changed: none matches, or one that was named has not failed or stopped, was evaluated by
 * who asked for it, or does not fit into the present space. */
TUNER_MUST_CHECK
bool reopen_trials(struct store *store, int64_t job_id, const struct job_file *file,
	const struct reopen_wish *wish, int64_t now_us, int64_t **ret_numbers, size_t *ret_n,
	struct tuner_error *err);

/* "trial 3", "trials 3, 7 and 12": at most ten are named. */
void reopen_numbers_text(const int64_t *numbers, size_t n, struct text *ret);

#endif
