/* Single values of a configuration; whole configurations are in jobfile.h. */
#ifndef TUNER_CONFIGURATION_H
#define TUNER_CONFIGURATION_H

#include "tuner/jobfile.h"

/* Reads a value of parameter i; a category is given by its text. With `lenient`, numbers may lie
 * outside the space. False if the parameter cannot have this value: ret_problem then gets what was
 * expected and found ("expected a number from 0.001 to 0.5, found 0.6"). */
TUNER_MUST_CHECK
bool configuration_value(const struct job_file *file, size_t i, const cJSON *node, bool lenient,
	double *ret_value, struct text *ret_problem);

/* Appends what to say of a name that is not a parameter: that it is a fixed value, or the nearest
 * name. */
void configuration_unknown(const struct job_file *file, const char *name, struct text *ret_problem);

/* Checks the given values (NaN: not given) against the space's conditions and constraints, and
 * settles the configuration (space.h). False, with the parameter's index in *ret_i, if an inactive
 * parameter is given, or one without all that it depends on; false, with d in *ret_i, if a
 * constraint is broken or every completion would break it. ret_problem gets what is wrong ("breaks
 * the constraint ..."). */
TUNER_MUST_CHECK
bool configuration_settle(
	const struct job_file *file, double *values, size_t *ret_i, struct text *ret_problem);

/* Appends the conditions of parameter i: "optimizer is \"sgd\" or \"adam\", and layers is 2". */
void configuration_conditions(const struct job_file *file, size_t i, struct text *ret);

/* The first of a trial's stored parameters (JSON) that this file's command would not be passed with
 * the trial's value, because it was edited out of the space, now depends on others, or is fixed at
 * another value. `values`: the trial's values in this space (configuration_parse). *ret_name NULL:
 * none. The caller frees. */
TUNER_MUST_CHECK
bool configuration_left_out(const struct job_file *file, const char *json, const double *values,
	char **ret_name, struct tuner_error *err);

/* Appends a value as JSON, or as the command sees it. */
void configuration_value_json(
	const struct job_file *file, size_t i, double value, struct text *ret);
void configuration_value_text(
	const struct job_file *file, size_t i, double value, struct text *ret);

#endif
