/* Gates: conditions that the best trial must meet for `tuner run` to end with status 0.
 *
 *     gate_parse | gate_of_baseline -> gate_judge, after the run -> gate_finish
 *
 * A gate on an objective, metric or formula, is judged by what it is of the best trial; a gate on
 * another metric, by the last value that the best trial reported. With several objectives one trial
 * of the Pareto front must meet all gates (ci.c). */
#ifndef TUNER_GATE_H
#define TUNER_GATE_H

#include "trials/trial.h"
#include "tuner/jobfile.h"

enum gate_relation {
	GATE_AT_LEAST,
	GATE_AT_MOST,
	GATE_ABOVE,
	GATE_BELOW,
	GATE_EQUAL,
};

enum { GATES_MAX = 32 };

struct gate {
	char *text; /* for people: "accuracy >= 0.7" */
	char *metric;
	enum gate_relation relation;
	double bound;
	double rounding; /* tolerance for the rounding of a computed bound */

	/* Set by gate_judge. */
	bool held;
	double value; /* NaN: there is none */
	struct text
		said; /* one sentence without its full stop: what was compared, and by how much it
			 differs */
};

/* Reads "METRIC RELATION NUMBER"; the last relation counts, so the metric's name may hold anything,
 * even a relation. One that ends like a relation stands in backquotes (one in it is doubled), and any may. TUNER_USAGE says what is wrong; for a metric unknown to the job file, also which
 * are known. */
TUNER_MUST_CHECK
bool gate_parse(
	const char *text, const struct job_file *file, struct gate *ret, struct tuner_error *err);

/* Makes the gate "the best objective is at most `tolerance` worse than `objective`". */
TUNER_MUST_CHECK
bool gate_of_baseline(double objective, double tolerance, const struct job_file *file,
	struct gate *ret, struct tuner_error *err);
void gate_finish(struct gate *gate); /* zeroed: does nothing */

/* `best` NULL: no trial is done, and no gate holds. */
TUNER_MUST_CHECK
bool gate_judge(struct gate *gate, struct store *store, const struct job_file *file,
	const struct trial *best, struct tuner_error *err);

/* Appends a warning for each gate on a metric that no trial of the job has reported although trials
 * have reported others: it is misspelt, or the script does not report it. A line each, the last
 * without a newline; nothing until a trial has reported. */
TUNER_MUST_CHECK
bool gates_warn(const struct gate *gates, size_t n, const struct job_file *file,
	struct store *store, int64_t job_id, struct text *ret, struct tuner_error *err);

/* A metric's value for a trial, as a gate uses it; NaN: none was reported. */
TUNER_MUST_CHECK
bool metric_at_trial(struct store *store, const struct job_file *file, const struct trial *trial,
	const char *metric, double *ret, struct tuner_error *err);

#endif
