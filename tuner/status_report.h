/* How a job stands, as status and watch show it. */
#ifndef TUNER_STATUS_REPORT_H
#define TUNER_STATUS_REPORT_H

#include "tuner/trial_report.h"

struct standing {
	int64_t runner; /* pid of the `tuner run` that holds the database; 0: none */
	int64_t counts[TRIAL_STATES], created;
	struct trial best;
	bool has_best;
	struct trial_list running;
	int64_t outcomes[OUTCOMES]; /* of the trials that failed or were stopped */
	int64_t median_us; /* of the done trials; 0: none */
};

TUNER_MUST_CHECK
bool standing_read(const struct invocation *call, const struct report *report, struct standing *ret,
	struct tuner_error *err);
void standing_finish(struct standing *standing); /* of a zeroed one nothing */

/* Several lines: state, counts, the best, one a running trial, failures. */
void standing_text(const struct report *report, const struct standing *standing, struct text *ret);

cJSON *standing_json(const struct report *report, const struct standing *standing);

#endif
