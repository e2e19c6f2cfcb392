/* A job file's meaning as a list of keys and values, defaults filled in: what `tuner check` prints
 * and what an edited file is compared by. */
#ifndef TUNER_JOBFILE_FACTS_H
#define TUNER_JOBFILE_FACTS_H

#include "tuner/jobfile.h"

struct fact {
	char *path; /* "budget.trials", "parameters.lr", "first.0" */
	char *value; /* JSON; "null" for none or where the default follows from other things */
	const char *derived; /* in words, what null stands for; NULL: nothing to say */
	bool given; /* the file or the command line says so; else it is the default */
	unsigned kind; /* enum job_change_kind of a difference */
};

struct facts {
	struct fact *items;
	size_t n, capacity;
	bool failed; /* without memory: the list is incomplete */
};

/* False without memory; finish in both cases. */
TUNER_MUST_CHECK
bool facts_create(const struct job_file *file, struct facts *ret);
void facts_finish(struct facts *facts);

/* A parameter's definition as one line of JSON with its scale resolved. Appended. */
void parameter_definition(const struct job_file *file, size_t i, struct text *ret);

/* The constraints as one line of JSON. Appended. */
void constraints_json(const struct job_file *file, struct text *ret);

/* An array of strings as JSON; NULL is []. Appended. */
void strings_json(char *const *strings, struct text *ret);

#endif
