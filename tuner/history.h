/* What a strategy may know: the finished trials of one arm, in commit order.
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
	double *values; /* d, in the present space; NULL: the trial no longer fits it */
	double objective; /* user's unit and sign; NaN: none */
	enum trial_state state;
	enum outcome outcome;
	struct judgement judgement; /* as the trial's */
	double others[TRIAL_ALSO_MAX]; /* set by the history: further objectives, to be minimised;
					  NaN: not known */
	bool added; /* observed elsewhere: data, but not one of the job's own trials */
	int64_t took_us; /* from its first start to its end, by the database's times; for a trial
			    that was asked for, from ask to tell; 0: unknown */
	double last_step; /* of its curve; 0: no curve */
	struct series series; /* in the history: as values to be minimised; empty before
			   history.first_curve */
	double *sums; /* of the series (surrogate/stopping.h); NULL without a series */
	double least; /* of its values */
};

/* A stopping rule compares with the curves of the HISTORY_CURVES trials that ended last, or of
 * twice min_trials if that is more: those of 100,000 trials would take seconds to read and hundreds
 * of megabytes to keep, and add nothing. Fewer very long curves are kept, HISTORY_VALUES values in
 * total, but at least twice min_trials curves. */
enum { HISTORY_CURVES = 10000, HISTORY_VALUES = 10000000 };

struct history {
	const struct job_file *file;
	struct finished_trial *items;
	size_t n, capacity;
	int64_t last_event; /* the last event that changed it: an end, a trial put back, or another
			       objective */
	int64_t created; /* trials of the arm ever created */
	int64_t added; /* of these, observed elsewhere, which no budget counts */
	size_t done; /* of the others, with an objective */
	const struct finished_trial *best; /* points into items; NULL: none is done */
	const struct finished_trial *best_own; /* the best of the job's own trials */
	size_t first_curve; /* earlier items no longer have a curve; n without a stopping rule */
	size_t curve_values; /* of all curves that are kept */
};

/* Reads the trials of an arm's repeat from the database (arm NULL and repeat -1: of all searches);
 * curves only if the stopping rule needs them. */
TUNER_MUST_CHECK
bool history_load(struct history *history, const struct job_file *file, struct store *store,
	int64_t job_id, const char *arm, int64_t repeat, struct tuner_error *err);
void history_finish(struct history *history);

/* Adds one more finished trial from the database; call in the order of their ends. */
TUNER_MUST_CHECK
bool history_add_stored(struct history *history, struct store *store, const struct trial *trial,
	struct tuner_error *err);

/* Adds a trial that has ended; takes over values (malloc'ed) and the series, which is freed unless
 * a rule may need it. */
TUNER_MUST_CHECK
bool history_add(
	struct history *history, const struct finished_trial *trial, struct tuner_error *err);

/* The number of the arm's trials that its budget counts. */
int64_t history_counted(const struct history *history);

/* True if a is better than b by the job's goal; NaN is worse than any number. */
bool objective_better(const struct job_file *file, double a, double b);

/* The observations for a strategy, with objectives to be minimised. The caller frees the array; the
 * values remain the history's. */
TUNER_MUST_CHECK
bool history_observations(const struct history *history, struct observation **ret, size_t *ret_n,
	struct tuner_error *err);

/* The limits that the observations know of: the request's n_limits. */
size_t history_limits(const struct history *history);

/* A trial's values in the present space; *ret (the caller frees) is NULL if it does not fit. */
TUNER_MUST_CHECK
bool trial_present_values(const struct job_file *file, const struct trial *trial, double **ret,
	struct tuner_error *err);

/* A trial's first start once an attempt of it has ended, as attempt_end records it. started_us: the
 * trial's so far (0: none yet); last_us: that attempt's start (0: never). A start after the end
 * counts as the end. 0 without a start. */
int64_t trial_start_us(int64_t started_us, int64_t last_us, int64_t ended_us);

/* Time from that start to the end; 0 without a start. */
int64_t trial_duration_us(int64_t started_us, int64_t last_us, int64_t ended_us);

/* Median time of the job's own done trials in microseconds; 0 if there is none. */
int64_t history_median_us(const struct history *history);

#endif
