/* Stopping rules: shall a running trial be ended early? Pure functions over learning curves.
 *
 * Everything is minimised: the caller flips the sign of a metric that is to be maximised, and of
 * `bound` with it. A verdict depends on the curves alone, not on when or in what portions the
 * reports arrived; so it can be recomputed from the database.
 *
 *   median     the value is worse than the median of the earlier trials' running averages up to the
 *              same step (SageMaker Automatic Model Tuning's rule)
 *   asha       successive halving, stopping type: at each rung r_min eta^k a trial goes on if it is
 *              among the best 1/eta or so of those that reached the rung (Li et al., "A System for
 *              Massively Parallel Hyperparameter Tuning", MLSys 2020)
 *   threshold  the value is worse than a bound
 *
 * A value that is not finite (a diverged loss) stops a trial at once under every rule. Other than
 * that a good trial is expensive to lose and a bad one cheap to keep, hence the guards in
 * stopping_settings. */
#ifndef SURROGATE_STOPPING_H
#define SURROGATE_STOPPING_H

#include "base/error.h"

#include <stddef.h>

enum stopping_rule { STOPPING_NONE, STOPPING_MEDIAN, STOPPING_THRESHOLD, STOPPING_ASHA };

const char *stopping_rule_name(enum stopping_rule rule); /* "median" ... */

/* One trial's reports. Not finite values may be among them: NaN and +inf count as worse than any
 * number. */
struct learning_curve {
	const double *steps; /* strictly increasing; epochs or batches, as the script counts */
	const double *values;
	size_t n;
	bool finished; /* ran to its end: not running, not stopped, not failed */
	const double
		*sums; /* of a curve that grows no more, by stopping_add_up; NULL: not added up */
	double best; /* the least value, if there are sums */
};

/* Sums of the values up to each, and the least of them: with these no verdict goes through the whole curve. */
double stopping_add_up(const double *values, size_t n, double *ret_sums);

/* Zero means the default. */
struct stopping_settings {
	enum stopping_rule rule;

	/* The last step of a full curve; by default the largest that a finished curve has. */
	double max_step;

	/* No stop up to and including this step; default max(1, max_step/10), and 1 while max_step
	 * is unknown. Of asha it is the default of min_step, and not looked at otherwise. */
	double grace;

	/* Curves to compare with: median counts finished ones, asha those in the rung, this trial
	 * among them. Default 5. */
	size_t min_curves;

	/* A trial whose value ranks among this many best at its step (of asha: in its rung) goes on;
	 * default 3. To rank among none, give a number with no_top. */
	size_t top;
	bool no_top;

	/* The rule must hold at so many reports in a row; default 2. Not for asha, which judges one
	 * value a rung. */
	size_t patience;

	double margin; /* a value must be worse by more than this; in the metric's unit; default 0 */
	double bound; /* threshold */
	double min_step; /* asha: the first rung, at least 1 */
	double eta; /* asha: at least 2; default 3 */

	bool negated; /* the values are the user's times -1: reasons turn them back */
};

/* TUNER_USAGE for settings out of their ranges. */
TUNER_MUST_CHECK
bool stopping_check(const struct stopping_settings *settings, struct tuner_error *err);

struct stopping_verdict {
	bool stop;
	char reason[160]; /* one line, of a stop and of going on */
};

/* Judges `trial` by its last report, against the curves of the other trials, whatever became of
 * them. The trial that holds the best value of all curves is never stopped by median or asha.
 * Costs one pass over the curves that are not added up. Errors: as stopping_check, TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool stopping_judge(const struct stopping_settings *settings, const struct learning_curve *trial,
	const struct learning_curve *others, size_t n_others, struct stopping_verdict *ret,
	struct tuner_error *err);

#endif
