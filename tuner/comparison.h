/* A comparison of searches: the curves of each arm's repeats, and what they differ by. surrogate/paired.h and
 * best_of.h have the statistics and their sources.
 *
 *     comparison_of_job | comparison_of_jobs -> comparison_contrast... -> comparison_finish
 *
 * Only what ended counts, in the order of the ends. All repeats are compared over the same number of trials; one of
 * which an arm has fewer is left out until it has them. */
#ifndef TUNER_COMPARISON_H
#define TUNER_COMPARISON_H

#include "surrogate/best_of.h"
#include "tuner/trial_report.h"

/* One search: an arm's repeat. Arrays of n trials; user's unit and sign. */
struct run_curve {
	int64_t repeat;
	size_t n;
	int64_t *numbers; /* of the trials */
	double *objectives; /* NaN: it gave none */
	double *best; /* so far; NaN before the first objective */
	double *spent_s; /* slot-seconds so far */
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
	size_t reach; /* trials that all of them have: as far as the slower one may be followed */
	size_t budget; /* trials that are to be compared; more than length while the job goes on */
	size_t *repeats; /* those that every arm has to that length: indices into runs */
	size_t n_repeats;
	size_t left_out; /* repeats that are not there yet */
	bool paired; /* the arms of a repeat share initial points and training seeds */
};

/* The arms of one job, after `trials` of each search (0: all of the budget). TUNER_USAGE if it has no arms, or
 * nothing to compare yet. */
TUNER_MUST_CHECK
bool comparison_of_job(const struct report *report, size_t trials, struct comparison *ret,
	struct tuner_error *err);

/* Two jobs of one search each, of the same metric, goal and parameters. */
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

struct contrast {
	const struct compared_arm *a, *b;
	double final_a, final_b; /* mean best at the end */
	struct estimate final; /* of the best at the end */
	struct estimate area; /* of the mean best-so-far over all trials */
	struct estimate time; /* of the mean best-so-far over the slot-seconds that both spent */
	double seconds; /* so many */
	bool a_faster; /* which one the other is measured by */
	double speed_up; /* trials that the slower one needs as many times; INFINITY: more than it had */
	struct interval speed_up_interval;
	bool has_expected; /* the slower one is random search: also by its expected best */
	double expected; /* as speed_up */
	struct interval expected_interval;
};

/* `a` against `b`: indices of arms. */
TUNER_MUST_CHECK
bool comparison_contrast(const struct comparison *comparison, size_t a, size_t b,
	struct contrast *ret, struct tuner_error *err);

/* Mean best-so-far of an arm after t + 1 trials, and a 95 % interval of it over the repeats. */
TUNER_MUST_CHECK
bool comparison_band(const struct comparison *comparison, size_t arm, size_t t, double *ret_mean,
	struct interval *ret, struct tuner_error *err);

/* What the numbers do and do not say, in sentences. */
void contrast_words(
	const struct comparison *comparison, const struct contrast *contrast, struct text *ret);

#endif
