/* From a trial's curves to its objective: each metric's curve is reduced to one number, and a
 * formula, if there is one, combines them. Limits and further objectives come from the same numbers.
 *
 * The objective's own curve (`whole`), which early stopping and progress use, is the single
 * metric's; with a formula it has a value at every step at which all its metrics have one. */
#ifndef TUNER_OBJECTIVE_H
#define TUNER_OBJECTIVE_H

#include "tuner/series.h"

struct objective_curves {
	struct series whole;
	struct series *parts; /* by metric; NULL: a single metric alone, or no value yet */
	size_t n;
};

void objective_curves_finish(struct objective_curves *curves);

/* Puts a value of any metric; metrics not in the objective are ignored. False without memory. */
TUNER_MUST_CHECK
bool objective_curves_put(struct objective_curves *curves, const struct job_objective *objective,
	const char *metric, double step, double value);

/* Values put from now on are of this attempt (series.h). */
void objective_curves_renew(struct objective_curves *curves, int64_t attempt);

/* Puts a trial's values from the database. Values told by a caller step by step are stored under
 * the objective's name, `name`, and go to `whole`. */
TUNER_MUST_CHECK
bool objective_curves_load(struct objective_curves *curves, const struct job_objective *objective,
	const char *name, struct store *store, int64_t trial_id, struct tuner_error *err);

/* Whether any metric has a value; whether all have. */
bool objective_begun(const struct objective_curves *curves);
bool objective_complete(
	const struct objective_curves *curves, const struct job_objective *objective);

/* The objective; NaN while a metric is missing, or if the formula, a curve or a further objective
 * gives NaN. */
double objective_value(const struct objective_curves *curves, const struct job_objective *objective,
	bool maximize);

/* How these values keep the job's limits, if the objective is `value`, and the further objectives.
 * Empty without either, if a metric that one of them names has no value, and if `value` is NaN. */
struct judgement objective_judge(const struct objective_curves *curves,
	const struct job_objective *objective, double value, bool maximize);

/* The same of one number for each metric; NaN: it cannot be computed. */
struct judgement objective_judgement_of(
	const struct job_objective *objective, const double *numbers, double value);

/* Whether a limit names the objective's i-th metric; whether a further objective does. */
bool objective_limits_name(const struct job_objective *objective, size_t i);
bool objective_also_names(const struct job_objective *objective, size_t i);

enum { LIMITS_MESSAGE_BYTES = 300 };

/* Which limits are broken, how far, and what the objective (named `metric`) would be: "latency_ms <=
 * 20 is broken by 11.2 (accuracy 0.93)"; cut if too long. "" if none is. */
void objective_limits_message(const struct job_objective *objective, const char *metric,
	const struct judgement *check, char ret[LIMITS_MESSAGE_BYTES]);

/* Appends the metrics without a value: "a, b". */
void objective_missing(const struct objective_curves *curves, const struct job_objective *objective,
	struct text *ret);

/* Appends those of a job file's several objectives that are NaN: "latency_ms, log2(size)"; nothing while
 * a metric has no value. */
void objective_undefined(
	const struct objective_curves *curves, const struct job_file *file, struct text *ret);

/* The objective's label in column headings and in lines per trial: its metric, or "objective" for a
 * long formula. */
const char *objective_label(const char *metric);

/* The same of the i-th of several objectives, of which no two have one label. */
const char *objective_label_of(size_t i, const char *name);

/* Who needs the objective's i-th metric: "objective's", "limits'", "further objectives'". */
const char *objective_whose(const struct job_objective *objective, size_t i);

/* Index of the metric with this name; n if there is none. */
size_t objective_find(const struct job_objective *objective, const char *metric);

/* Appends "limits" as JSON: an array. */
void objective_limits_json(const struct job_objective *objective, struct text *ret);

/* Appends all objectives of a job file: "maximize accuracy, minimize latency_ms". */
void objective_text(const struct job_file *file, struct text *ret);

/* Appends "also" as JSON: an array; and one of its items. */
void objective_also_json(const struct job_objective *objective, struct text *ret);
void objective_also_item_json(const struct job_also *also, struct text *ret);

/* Appends "reduce" as JSON: a word, or an object if the metrics differ. */
void objective_reduce_json(const struct job_objective *objective, struct text *ret);

#endif
