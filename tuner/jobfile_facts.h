/* A job file's meaning as a list of keys and values, with defaults filled in: `tuner check` prints
 * it, and edited files are compared by it. */
#ifndef TUNER_JOBFILE_FACTS_H
#define TUNER_JOBFILE_FACTS_H

#include "tuner/jobfile.h"

struct fact {
	char *path; /* "budget.trials", "parameters.lr", "first.0" */
	char *value; /* JSON; "null" for none, or if the default is derived from other values */
	const char *derived; /* what null stands for, in words; NULL: nothing to say */
	bool given; /* by the file or the command line; else it is the default */
	unsigned kind; /* enum job_change_kind of a change to it */
};

struct facts {
	struct fact *items;
	size_t n, capacity;
	bool failed; /* memory ran out: the list is incomplete */
};

/* False without memory; call facts_finish in both cases. */
TUNER_MUST_CHECK
bool facts_create(const struct job_file *file, struct facts *ret);
void facts_finish(struct facts *facts);

/* Appends a parameter's definition as one line of JSON, with its scale resolved. */
void parameter_definition(const struct job_file *file, size_t i, struct text *ret);

/* Whether good values of parameter i are expected somewhere, and the file's "prior" as JSON. */
bool has_prior(const struct job_file *file, size_t i);
void prior_json(const struct job_file *file, size_t i, struct text *ret);

/* Appends the constraints as one line of JSON. */
void constraints_json(const struct job_file *file, struct text *ret);

/* Appends an array of strings as JSON; NULL gives []. */
void strings_json(char *const *strings, struct text *ret);

#endif
