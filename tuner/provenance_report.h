/* The provenance of trials, as the reading commands show it. */
#ifndef TUNER_PROVENANCE_REPORT_H
#define TUNER_PROVENANCE_REPORT_H

#include "trials/provenance.h"
#include "tuner/trial_report.h"

/* The states of code and data that a job's attempts found. */
struct states {
	struct state_list code, data;
};

TUNER_MUST_CHECK
bool states_read(const struct report *report, struct states *ret, struct tuner_error *err);
void states_finish(struct states *states); /* zeroed: does nothing */

/* Appends warnings, a line each, if trials of one job ran different code or found different
 * data. */
TUNER_MUST_CHECK
bool states_warn(const struct report *report, const struct states *states, struct text *ret,
	struct tuner_error *err);

/* {"code": [...], "data": [...]}: each with what is known about it and the first trial that found
 * it; NULL without memory, or after an error in *err. */
cJSON *states_json(
	const struct report *report, const struct states *states, struct tuner_error *err);

/* The numbers of the code states that a trial's attempts ran, in their order. */
struct ran {
	int64_t numbers[STATES_OF_TRIAL_MAX];
	size_t n;
};

TUNER_MUST_CHECK
bool ran_read(const struct report *report, const struct states *states, int64_t trial_id,
	struct ran *ret, struct tuner_error *err);

/* Appends an attempt's provenance for people: a few lines. */
void provenance_text(
	const struct provenance *provenance, const struct states *states, struct text *ret);

/* The whole provenance, `null` where unknown; NULL without memory. */
cJSON *provenance_json(const struct provenance *provenance, const struct states *states);

#endif
