/* A comparison of searches: the curves of each arm's repeats, and what they differ by: over trials, over the time
 * that slots worked, over money. surrogate/paired.h, best_of.h and anytime.h have the statistics and their sources.
 *
 *     comparison_of_job | comparison_of_jobs -> comparison_contrast... -> comparison_finish
 *
 * Only what ended counts, in the order of the ends. All repeats are compared over the same number of trials; one of
 * which an arm has fewer is left out until it has them. Over time and money all trials of those repeats count, each from
 * its end on, with what all its attempts took; arms are compared where every search has spent as much. */
#ifndef TUNER_COMPARISON_H
#define TUNER_COMPARISON_H

#include "surrogate/anytime.h"
#include "surrogate/best_of.h"
#include "tuner/trial_report.h"

enum axis { OVER_TRIALS, OVER_TIME, OVER_MONEY, AXES };

/* One search: an arm's repeat. Arrays of n trials; user's unit and sign. */
struct run_curve {
	int64_t repeat;
	size_t n;
	int64_t *numbers; /* of the trials */
	double *objectives; /* NaN: it gave none, or an infinite one */
	double *best; /* so far; NaN before the first objective */
	double *spent_s; /* slot-seconds so far, of all attempts */
	double *spent_money; /* so far; attempts without a price cost nothing */
	int64_t *attempts; /* so far, that took time */
	int64_t *unpriced; /* of them */
};

struct compared_arm {
	char name[128];
	char strategy[32];
	struct run_curve *runs; /* by repeat */
	size_t n_runs;
};

struct comparison {
	char *metric;
	bool maximize;
	struct compared_arm *arms;
	size_t n_arms;
	size_t length; /* trials of each search that are compared */
	size_t budget; /* trials that are to be compared; more than length while the job goes on */
	bool ended; /* nothing goes on: a target, a runtime or the like may have come before the last trial */
	size_t limit; /* no trial beyond so many of a search is looked at over time and money either; 0: all */
	size_t *repeats; /* those that every arm has to that length: indices into runs */
	double *worst; /* objective of each of those repeats: stands for "none yet" */
	size_t n_repeats;
	size_t left_out; /* repeats that are not there yet, or have nothing to compare */
	size_t empty; /* of them those that are there, but none of whose searches has a result */
	bool paired; /* the arms of a repeat share initial points and training seeds */
	int64_t attempts,
		unpriced; /* of the trials that are compared; and of them those without a price */
	bool priced; /* some attempt has a price */
	bool one_price; /* every slot-second cost the same */
};

/* The arms of one job, after `trials` of each search (0: all of the budget). TUNER_USAGE if it has no arms, or
 * nothing to compare yet. */
TUNER_MUST_CHECK
bool comparison_of_job(const struct report *report, size_t trials, struct comparison *ret,
	struct tuner_error *err);

/* Two jobs of one search each, of the same objective and parameters. */
TUNER_MUST_CHECK
bool comparison_of_jobs(const struct report *a, const struct report *b, size_t trials,
	struct comparison *ret, struct tuner_error *err);
void comparison_finish(struct comparison *comparison);

/* A mean difference over the repeats, positive where the first arm is better, in the metric's unit. */
struct estimate {
	double mean;
	struct interval interval; /* 95 % */
	double p_value;
	double deviation; /* of the repeats' differences; NaN below two repeats */
	double detectable; /* what so many repeats would find in 4 of 5 cases, with the spread they have;
			      NaN below two repeats */
};

/* Two arms when each of their searches has spent the same. */
struct equal_spending {
	bool is_possible; /* each has spent something: else nothing is known */
	double spent; /* of each search: the least that one of them spent in all */
	double total_a, total_b; /* what a search spent in all, on average */
	double best_a, best_b; /* mean best by then */
	size_t none_a, none_b; /* repeats that had no result by then */
	struct estimate final; /* of the best by then */
	struct estimate area; /* of the mean best-so-far up to then */
	bool a_faster; /* which one the other is measured by */
	double speed_up; /* how many times as much the slower one must spend; INFINITY: more than it had; NaN: the
			    two are equal */
	struct interval speed_up_interval;
};

struct contrast {
	const struct compared_arm *a, *b;
	double final_a, final_b; /* mean best at the end */
	size_t none_a, none_b; /* repeats that had no result by then */
	struct estimate final; /* of the best at the end */
	struct estimate area; /* of the mean best-so-far over all trials */
	bool a_faster; /* which one the other is measured by */
	double speed_up; /* trials that the slower one needs as many times; INFINITY: more than it had; NaN: the two end
			    at the same */
	struct interval speed_up_interval;
	bool has_expected; /* the slower one is random search: also by its expected best */
	double expected; /* as speed_up */
	struct interval expected_interval;
	struct equal_spending over[AXES]; /* OVER_TIME and OVER_MONEY; that of trials is above */
};

/* `a` against `b`: indices of arms. */
TUNER_MUST_CHECK
bool comparison_contrast(const struct comparison *comparison, size_t a, size_t b,
	struct contrast *ret, struct tuner_error *err);

/* ---- curves ---- */

/* Mean best so far of an arm's searches, with a 95 % interval over the repeats, point by point. */
struct curve_point {
	double at; /* trials, slot-seconds or money, of each search */
	double mean;
	struct interval interval;
};

/* After t + 1 trials. */
TUNER_MUST_CHECK
bool comparison_band(const struct comparison *comparison, size_t arm, size_t t,
	struct curve_point *ret, struct tuner_error *err);

/* What a search of the arm spent in all, on average; and as far as its mean curve goes: the least of them. */
double comparison_total(const struct comparison *comparison, size_t arm, enum axis axis);
double comparison_end(const struct comparison *comparison, size_t arm, enum axis axis);

/* When each search has spent so much; *ret_known false, and no more, if one has no result by then. */
TUNER_MUST_CHECK
bool comparison_at(const struct comparison *comparison, size_t arm, enum axis axis, double spent,
	struct curve_point *ret, bool *ret_known, struct tuner_error *err);

/* At hundredths of comparison_end, from where every search has a result: over time or money. */
enum { COMPARISON_HUNDREDTHS = 100 };
TUNER_MUST_CHECK
bool comparison_curve(const struct comparison *comparison, size_t arm, enum axis axis,
	struct curve_point ret[COMPARISON_HUNDREDTHS], size_t *ret_n, struct tuner_error *err);

/* TUNER_USAGE, and how to get there, if there is nothing to see over that axis. */
TUNER_MUST_CHECK
bool comparison_check_axis(
	const struct comparison *comparison, enum axis axis, struct tuner_error *err);

/* ---- in words ---- */

/* "trials", "slot-seconds", "money": what the axis is measured in. */
const char *axis_unit(enum axis axis);

/* What the numbers do and do not say, in sentences: those over trials. */
void contrast_words(
	const struct comparison *comparison, const struct contrast *contrast, struct text *ret);

/* The same of equal spending; at most why not, where that is not possible. */
void spending_words(const struct comparison *comparison, const struct contrast *contrast,
	enum axis axis, struct text *ret);

#endif
