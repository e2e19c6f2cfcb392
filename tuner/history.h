/* What a strategy may know: the finished trials of one arm in commit order, and those under way.
 *
 * Kept in memory beside the database and rebuilt from it at every start; the two must agree, since
 * a decision is recomputed from the database alone. */
#ifndef TUNER_HISTORY_H
#define TUNER_HISTORY_H

#include "trials/trial.h"
#include "tuner/jobfile.h"
#include "tuner/series.h"

struct finished_trial {
	int64_t number;
	double *values; /* d, by the present space; NULL: it does not fit into it any more */
	double objective; /* user's unit and sign; NaN: none */
	enum trial_state state;
	enum outcome outcome;
	bool added; /* observed elsewhere: data, but not one of the job's own */
	int64_t took_us; /* from its first start to its end, by the times that the database has; of one
			    that was asked for, from the question to the answer; 0: not known */
	double last_step; /* of its curve; 0: it has none */
	struct series
		series; /* minimised once it is the history's; empty before history.first_curve */
	double *sums; /* of the series (surrogate/stopping.h); NULL without one */
	double least; /* of its values */
};

/* A stopping rule compares with the curves of so many trials, the last that ended, or with twice as many as its
 * min_trials asks for: those of 100,000 would take seconds to read and hundreds of megabytes to keep, and tell no more.
 * Of curves that are very long fewer are kept, with so many values together; twice min_trials of them in any case. */
enum { HISTORY_CURVES = 10000, HISTORY_VALUES = 10000000 };

struct history {
	const struct job_file *file;
	struct finished_trial *items;
	size_t n, capacity;
	int64_t last_event; /* the last that changed it: an end, a trial that was put back, or another objective */
	int64_t created; /* trials of the arm ever created */
	int64_t added; /* of them observed elsewhere, which no budget counts */
	size_t done; /* of the others, those with an objective */
	const struct finished_trial *best; /* points into items; NULL: none is done */
	const struct finished_trial *best_own; /* the best that was not observed elsewhere */
	size_t first_curve; /* items before have no curve any more; n without a stopping rule */
	size_t curve_values; /* of all curves that are kept */
};

/* Reads the trials of an arm's repeat from the database (arm NULL and repeat -1: of all); curves only if the stopping
 * rule needs them. */
TUNER_MUST_CHECK
bool history_load(struct history *history, const struct job_file *file, struct store *store,
	int64_t job_id, const char *arm, int64_t repeat, struct tuner_error *err);
void history_finish(struct history *history);

/* One more of them, a finished one: in the order of their ends. */
TUNER_MUST_CHECK
bool history_add_stored(struct history *history, struct store *store, const struct trial *trial,
	struct tuner_error *err);

/* A trial ended; takes over values (malloc'ed) and the series, which is gone then unless a rule may need it. */
TUNER_MUST_CHECK
bool history_add(
	struct history *history, const struct finished_trial *trial, struct tuner_error *err);

/* Trials of the arm that its budget counts. */
int64_t history_counted(const struct history *history);

/* True if a is better than b by the job's goal; NaN is worse than any number. */
bool objective_better(const struct job_file *file, double a, double b);

/* The observations for a strategy, minimised. The caller frees; the values stay the history's. */
TUNER_MUST_CHECK
bool history_observations(const struct history *history, struct observation **ret, size_t *ret_n,
	struct tuner_error *err);

/* A trial's values by the present space; *ret (the caller frees) NULL when it does not fit into it. */
TUNER_MUST_CHECK
bool trial_present_values(const struct job_file *file, const struct trial *trial, double **ret,
	struct tuner_error *err);

/* A trial's first start when an attempt of it has ended, as attempt_end records it: started_us is the trial's so
 * far (0: not yet), last_us that attempt's start (0: never); a start behind the end counts as the end. 0 without a
 * start. */
int64_t trial_start_us(int64_t started_us, int64_t last_us, int64_t ended_us);

/* From there to the end; 0 without a start. */
int64_t trial_duration_us(int64_t started_us, int64_t last_us, int64_t ended_us);

/* Median time of the job's own done trials in microseconds; 0 if there is none. */
int64_t history_median_us(const struct history *history);

#endif
