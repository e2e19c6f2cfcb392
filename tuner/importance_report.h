/* Which parameters matter to a job, as `tuner importance` and reports show it. */
#ifndef TUNER_IMPORTANCE_REPORT_H
#define TUNER_IMPORTANCE_REPORT_H

#include "surrogate/importance.h"
#include "tuner/jobfile.h"
#include "tuner/trial_report.h"

enum { IMPORTANCE_WARNINGS_MAX = 2 };

struct importance_report {
	struct job_file *file;
	size_t goal; /* which of the report's objectives it is about */
	struct importance importance;
	size_t order[SPACE_PARAMETERS_MAX]; /* parameters, most important first */
	char warnings[IMPORTANCE_WARNINGS_MAX][200];
	size_t n_warnings;
};

/* Fits the model of the job's next suggestion, of this one of its objectives. TUNER_USAGE, and nothing to finish, with too few trials. */
TUNER_MUST_CHECK
bool importance_read(const struct report *report, size_t goal, struct importance_report *ret,
	struct tuner_error *err);
void importance_report_finish(struct importance_report *result);

/* The share that is due to interactions of parameters alone. */
double importance_together(const struct importance *importance);

/* The caller deletes; NULL without memory. */
cJSON *importance_json(const struct report *report, const struct importance_report *result);

#endif
