/* Single values of a configuration; whole ones are in jobfile.h. */
#ifndef TUNER_CONFIGURATION_H
#define TUNER_CONFIGURATION_H

#include "tuner/jobfile.h"

/* Reads a value of parameter i, a category by its text. `lenient` lets numbers lie outside the space.
 * False if the value is none of the parameter's: ret_problem then gets what was expected and found
 * ("expected a number from 0.001 to 0.5, found 0.6"). */
TUNER_MUST_CHECK
bool configuration_value(const struct job_file *file, size_t i, const cJSON *node, bool lenient,
	double *ret_value, struct text *ret_problem);

/* What to say of a name that is no parameter: a fixed one, or the nearest. Appended. */
void configuration_unknown(const struct job_file *file, const char *name, struct text *ret_problem);

/* Checks the values that are given (NaN: not) by the space's conditions and constraints, and settles the
 * configuration (space.h). False if a parameter is given that is not active, or without all that it
 * depends on: its index is *ret_i; or if a constraint is broken, or must be by all that could complete it:
 * *ret_i is d. ret_problem gets what is wrong ("breaks the constraint ..."). */
TUNER_MUST_CHECK
bool configuration_settle(
	const struct job_file *file, double *values, size_t *ret_i, struct text *ret_problem);

/* What the conditions of parameter i ask for: "optimizer is \"sgd\" or \"adam\", and layers is 2".
 * Appended. */
void configuration_conditions(const struct job_file *file, size_t i, struct text *ret);

/* The first of a trial's stored parameters (JSON) that a command of this file is not passed as the trial had it: it was
 * edited out of the space, depends on others now, or is fixed at another value. `values`: what is left of them
 * (configuration_parse). *ret_name NULL: none. The caller frees. */
TUNER_MUST_CHECK
bool configuration_left_out(const struct job_file *file, const char *json, const double *values,
	char **ret_name, struct tuner_error *err);

/* A value as JSON, and as the command sees it. Appended. */
void configuration_value_json(
	const struct job_file *file, size_t i, double value, struct text *ret);
void configuration_value_text(
	const struct job_file *file, size_t i, double value, struct text *ret);

#endif
