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

/* A value as JSON, and as the command sees it. Appended. */
void configuration_value_json(
	const struct job_file *file, size_t i, double value, struct text *ret);
void configuration_value_text(
	const struct job_file *file, size_t i, double value, struct text *ret);

#endif
