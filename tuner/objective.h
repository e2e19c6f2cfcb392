/* From a trial's curves to its objective: each metric's curve is reduced to one number, and a formula, if there is
 * one, makes one of them.
 *
 * The whole's curve, which early stopping and progress look at, is of one metric its own; of a formula it has a value at
 * every step for which all its metrics have one. */
#ifndef TUNER_OBJECTIVE_H
#define TUNER_OBJECTIVE_H

#include "tuner/series.h"

struct objective_curves {
	struct series whole;
	struct series *parts; /* by metric; NULL: there is no formula, or nothing has come */
	size_t n;
};

void objective_curves_finish(struct objective_curves *curves);

/* A value of any metric; one that the objective does not name is passed over. False without memory. */
TUNER_MUST_CHECK
bool objective_curves_put(struct objective_curves *curves, const struct job_objective *objective,
	const char *metric, double step, double value);

/* Whose is what is put from now on (series.h): a launch that reports for the first time, or goes on to. */
void objective_curves_renew(struct objective_curves *curves, int64_t attempt);

/* Puts what the database has of a trial. What a caller told of step by step stands under the objective's name,
 * `name`, and is the whole's. */
TUNER_MUST_CHECK
bool objective_curves_load(struct objective_curves *curves, const struct job_objective *objective,
	const char *name, struct store *store, int64_t trial_id, struct tuner_error *err);

/* Whether any metric has come; all of them have. */
bool objective_begun(const struct objective_curves *curves);
bool objective_complete(
	const struct objective_curves *curves, const struct job_objective *objective);

/* NaN while a metric is missing, and where the formula or a curve says so. */
double objective_value(const struct objective_curves *curves, const struct job_objective *objective,
	bool maximize);

/* "a, b": the metrics that have not come. */
void objective_missing(const struct objective_curves *curves, const struct job_objective *objective,
	struct text *ret);

/* What stands for the objective at the head of a column and in a line a trial: its metric, or "objective" where that
 * is a long formula. */
const char *objective_label(const char *metric);

/* Index of the metric of this name; n: there is none. */
size_t objective_find(const struct job_objective *objective, const char *metric);

/* "reduce" as JSON: a word, or an object where the metrics differ. Appended. */
void objective_reduce_json(const struct job_objective *objective, struct text *ret);

#endif
