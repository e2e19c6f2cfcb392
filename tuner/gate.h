/* Gates: what the best trial must reach for `tuner run` to end with status 0.
 *
 *     gate_parse | gate_of_baseline -> gate_judge, after the run -> gate_finish
 *
 * Of the objective's metric it is the best trial's objective that counts; of another metric the last value
 * that the best trial reported. */
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
	double rounding; /* of a bound that was computed: so far beyond it is not beyond it */

	/* After gate_judge. */
	bool held;
	double value; /* NaN: there is none */
	struct text
		said; /* one sentence without an end: what it is held against, and by how much */
};

/* Reads "METRIC RELATION NUMBER"; the metric's name may hold anything but a relation, since the last one
 * counts. TUNER_USAGE says what is wrong, and of a metric that the job file does not know which are known. */
TUNER_MUST_CHECK
bool gate_parse(
	const char *text, const struct job_file *file, struct gate *ret, struct tuner_error *err);

/* The best objective may be worse than `objective`, by at most `tolerance`. */
TUNER_MUST_CHECK
bool gate_of_baseline(double objective, double tolerance, const struct job_file *file,
	struct gate *ret, struct tuner_error *err);
void gate_finish(struct gate *gate); /* of a zeroed one nothing */

/* `best` NULL: no trial is done, and no gate holds. */
TUNER_MUST_CHECK
bool gate_judge(struct gate *gate, struct store *store, const struct job_file *file,
	const struct trial *best, struct tuner_error *err);

/* Appends a warning for each gate on a metric that no trial of the job has reported so far though they have
 * reported others: it is misspelt, or the script does not report it. A line each, without an end; nothing before any trial has
 * reported. */
TUNER_MUST_CHECK
bool gates_warn(const struct gate *gates, size_t n, const struct job_file *file,
	struct store *store, int64_t job_id, struct text *ret, struct tuner_error *err);

/* A metric's value at a trial, as above; NaN: it reported none. */
TUNER_MUST_CHECK
bool metric_at_trial(struct store *store, const struct job_file *file, const struct trial *trial,
	const char *metric, double *ret, struct tuner_error *err);

#endif
