/* A job's objectives as reports name them: the first, and those beside it ("objective.also"). */
#ifndef TUNER_GOALS_H
#define TUNER_GOALS_H

#include "base/text.h"
#include "trials/trial.h"

enum { GOALS_MAX = TRIAL_ALSO_MAX + 1 };

struct goal {
	char *name; /* of the first as it is stored; a further metric without backquotes, or a
		       formula */
	bool maximize;
};

struct goals {
	size_t n; /* 1 or more, after goals_read */
	struct goal items[GOALS_MAX];
};

/* From an objective's name, its goal and its stored definition (job_file_objective). TUNER_FATAL
 * without memory: then there is nothing to finish. */
TUNER_MUST_CHECK
bool goals_read(const char *metric, bool maximize, const char *definition, struct goals *ret,
	struct tuner_error *err);
void goals_finish(struct goals *goals); /* zeroed: does nothing */

/* A trial's i-th objective, in the user's sign; NaN if it is not known. */
double goals_value(const struct trial *trial, size_t i);

/* All objectives of a trial (goals->n), to be minimised; NaN where one is not known. */
void goals_outcome(const struct goals *goals, const struct trial *trial, double *ret);

/* Appends "maximize accuracy, minimize latency_ms"; one of them. */
void goals_text(const struct goals *goals, struct text *ret);
void goals_add(bool maximize, const char *name, struct text *ret);

/* Appends a formula as a name for people: a metric alone without its backquotes. */
void goals_add_name(const char *formula, struct text *ret);
bool goals_is_name(const char *formula, const char *name); /* whether that is its name */

#endif
