/* Trials as CSV (RFC 4180, but for lines that end in a line feed alone): for spreadsheets and data
 * frames.
 *
 * Columns are named as in JSON; each parameter has one, "parameters.NAME". What is not there is
 * empty; an empty string is "". Numbers have all their digits. */
#ifndef TUNER_TRIAL_CSV_H
#define TUNER_TRIAL_CSV_H

#include "tuner/front.h"
#include "tuner/parameter_names.h"

/* Prints a header and a line for each trial. `best`: those that are marked as the best. Errors: TUNER_FATAL
 * without memory. */
TUNER_MUST_CHECK
bool trials_csv(const struct report *report, const struct trial_list *list,
	const struct parameter_names *names, const struct front *best, struct tuner_error *err);

#endif
