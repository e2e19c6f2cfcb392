/* The parameters of a list of trials, as columns: those of the present space, then those that only
 * older trials have, from before an edit. */
#ifndef TUNER_PARAMETER_NAMES_H
#define TUNER_PARAMETER_NAMES_H

#include "tuner/trial_report.h"

#include <cjson/cJSON.h>

/* Names are borrowed from the report and from the trials' parameters. */
struct parameter_names {
	const char **items;
	size_t n, capacity;
	cJSON **parameters; /* by trial of the list: an object of values by name */
	size_t n_trials;
};

/* Errors: TUNER_FATAL without memory; nothing is left to finish. */
TUNER_MUST_CHECK
bool parameter_names_collect(const struct report *report, const struct trial_list *list,
	struct parameter_names *ret, struct tuner_error *err);
void parameter_names_finish(struct parameter_names *names); /* zeroed: does nothing */

#endif
