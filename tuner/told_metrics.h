/* The metrics that a caller tells beside a trial's value, for the job's limits and further objectives. */
#ifndef TUNER_TOLD_METRICS_H
#define TUNER_TOLD_METRICS_H

#include "tuner/jobfile.h"

struct told_metric {
	const char *name;
	double value;
};

struct told_metrics {
	struct told_metric items[OBJECTIVE_METRICS_MAX];
	size_t n;
};

/* Adds one; the name is borrowed. TUNER_USAGE for a name that was told already, or too many. */
TUNER_MUST_CHECK
bool told_metrics_add(
	struct told_metrics *metrics, const char *name, double value, struct tuner_error *err);

/* How a trial with this value keeps the job's limits, and its further objectives. TUNER_USAGE names
 * what they need and was not told, and what was told and is not needed. */
TUNER_MUST_CHECK
bool told_metrics_judge(const struct told_metrics *metrics, const struct job_file *file,
	double value, struct judgement *ret, struct tuner_error *err);

/* The rows for the database, at one step. `ret` has room for OBJECTIVE_METRICS_MAX; names are
 * borrowed. Returns their number. */
size_t told_metrics_rows(
	const struct told_metrics *metrics, int64_t step, int64_t now_us, struct metric_row *ret);

#endif
