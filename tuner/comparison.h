/* A comparison of searches: the curves of each arm's repeats, and their differences: over trials,
 * over the time that slots worked, over money. surrogate/paired.h, best_of.h and anytime.h have the
 * statistics and their sources.
 *
 *     comparison_of_job | comparison_of_jobs -> comparison_contrast... -> comparison_finish
 *
 * Only ended trials count, in the order of their ends. All repeats are compared over the same
 * number of trials; a repeat in which an arm has fewer is left out until it has them. Over time and
 * money all trials of those repeats count, each from its end on, with the time or money of all its
 * attempts; arms are compared at equal spending of every search.
 *
 * Searches with several objectives are compared by their hypervolumes below one reference point. */
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
	double *objectives; /* NaN: the trial gave none, or an infinite one */
	double *best; /* so far; NaN before the first objective */
	double *spent_s; /* slot-seconds so far, of all attempts */
	double *spent_money; /* so far; attempts without a price count as free */
	int64_t *attempts; /* so far, of nonzero duration */
	int64_t *unpriced; /* of them */
	struct trial_list results; /* with several objectives, while it is read */
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
	bool by_volume; /* with several objectives the metric is the hypervolume that a search's
			   results cover so far (hypervolume.h), as a part of its box */
	struct compared_arm *arms;
	size_t n_arms;
	size_t length; /* trials of each search compared now */
	size_t budget; /* trials of each search to be compared in the end; more than length while
			  the job runs */
	bool ended; /* the job has ended: a target, a runtime limit or the like may have ended it
		       before its last trial */
	size_t limit; /* trials of a search beyond this many are ignored over time and money, too;
			 0: none are */
	size_t *repeats; /* the repeats that every arm has to that length: indices into runs */
	double *worst; /* worst objective of each of those repeats: stands for "none yet" */
	size_t n_repeats;
	size_t left_out; /* repeats that are incomplete, or have nothing to compare */
	size_t empty; /* of these, complete ones none of whose searches has a result */
	bool paired; /* the arms of a repeat share initial points and training seeds */
	char *differs; /* of two jobs: settings, by their paths, in which searches and trials differ
			  beside strategy and seed; NULL: in none */
	int64_t attempts,
		unpriced; /* of the compared trials; and of these, those without a price */
	bool priced; /* some attempt has a price */
	bool one_price; /* every slot-second cost the same */
};

/* Compares the arms of one job after `trials` of each search (0: the whole budget). TUNER_USAGE if
 * it has no arms, or nothing to compare yet. */
TUNER_MUST_CHECK
bool comparison_of_job(const struct report *report, size_t trials, struct comparison *ret,
	struct tuner_error *err);

/* Compares two jobs of one search each, with the same objective and parameters. */
TUNER_MUST_CHECK
bool comparison_of_jobs(const struct report *a, const struct report *b, size_t trials,
	struct comparison *ret, struct tuner_error *err);
void comparison_finish(struct comparison *comparison);

/* A mean difference over the repeats, positive if the first arm is better, in the metric's unit. */
struct estimate {
	double mean;
	struct interval interval; /* 95 % */
	double p_value;
	double deviation; /* of the repeats' differences; NaN below two repeats */
	double detectable; /* the difference that this many repeats with this spread would detect in
			      4 of 5 cases; NaN below two repeats */
};

/* Two arms at the point where all their searches have spent the same. */
struct equal_spending {
	bool is_possible; /* false: some search has spent nothing, and the rest is not set */
	double spent; /* by each search: the smallest total of any of them */
	double total_a, total_b; /* a search's total spending, on average */
	double best_a, best_b; /* mean best at that point */
	size_t none_a, none_b; /* repeats that had no result by then */
	struct estimate final; /* of the best at that point */
	struct estimate area; /* of the mean best-so-far up to that point */
	bool a_faster; /* which one the other is measured by */
	double speed_up; /* how many times as much the slower arm must spend; INFINITY: more than it
			    did; NaN: the two are equal */
	struct interval speed_up_interval;
};

struct contrast {
	const struct compared_arm *a, *b;
	double final_a, final_b; /* mean best at the end */
	size_t none_a, none_b; /* repeats that had no result by then */
	struct estimate final; /* of the best at the end */
	struct estimate area; /* of the mean best-so-far over all trials */
	bool a_faster; /* which one the other is measured by */
	double speed_up; /* how many times as many trials the slower arm needs; INFINITY: more than
			    it had; NaN: the two end at the same value */
	struct interval speed_up_interval;
	bool has_expected; /* the slower arm is random search: speed-up also by its expected best */
	double expected; /* as speed_up */
	struct interval expected_interval;
	struct equal_spending over[AXES]; /* OVER_TIME and OVER_MONEY; OVER_TRIALS is above */
};

/* Compares arm `a` with arm `b` (indices). */
TUNER_MUST_CHECK
bool comparison_contrast(const struct comparison *comparison, size_t a, size_t b,
	struct contrast *ret, struct tuner_error *err);

/* ---- curves ---- */

/* Mean best so far of an arm's searches, with a 95 % interval over the repeats, point by point. */
struct curve_point {
	double at; /* trials, slot-seconds or money of each search */
	double mean;
	struct interval interval;
};

/* After t + 1 trials. */
TUNER_MUST_CHECK
bool comparison_band(const struct comparison *comparison, size_t arm, size_t t,
	struct curve_point *ret, struct tuner_error *err);

/* The total spending of the arm's searches: their mean; and their minimum, where the mean curve
 * ends. */
double comparison_total(const struct comparison *comparison, size_t arm, enum axis axis);
double comparison_end(const struct comparison *comparison, size_t arm, enum axis axis);

/* The point at which each search has spent `spent`; *ret_known false, and *ret not set, if any has
 * no result by then. */
TUNER_MUST_CHECK
bool comparison_at(const struct comparison *comparison, size_t arm, enum axis axis, double spent,
	struct curve_point *ret, bool *ret_known, struct tuner_error *err);

/* The curve at hundredths of comparison_end, from the point where every search has a result: over
 * time or money. */
enum { COMPARISON_HUNDREDTHS = 100 };
TUNER_MUST_CHECK
bool comparison_curve(const struct comparison *comparison, size_t arm, enum axis axis,
	struct curve_point ret[COMPARISON_HUNDREDTHS], size_t *ret_n, struct tuner_error *err);

/* TUNER_USAGE, whose message says what to do, if there is nothing to show over that axis. */
TUNER_MUST_CHECK
bool comparison_check_axis(
	const struct comparison *comparison, enum axis axis, struct tuner_error *err);

/* ---- in words ---- */

/* "trials", "slot-seconds", "money": the axis's unit. */
const char *axis_unit(enum axis axis);

/* Appends sentences on what the numbers over trials do and do not show. */
void contrast_words(
	const struct comparison *comparison, const struct contrast *contrast, struct text *ret);

/* The same for equal spending; if that is not possible, at most the reason. */
void spending_words(const struct comparison *comparison, const struct contrast *contrast,
	enum axis axis, struct text *ret);

#endif
