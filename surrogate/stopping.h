/* Stopping rules: should a running trial be ended early? Pure functions over learning curves.
 *
 * Everything is minimised: the caller flips the sign of a metric that is to be maximised, and of
 * `bound` with it. A verdict depends on the curves alone, not on when or in what portions the
 * reports arrived, so it can be recomputed from the database.
 *
 *   median     the value is worse than the median of the earlier trials' running averages up to the
 *              same step (SageMaker Automatic Model Tuning's rule)
 *   asha       successive halving, stopping type: at each rung r_min eta^k a trial continues if it
 *              is among the best 1/eta or so of those that reached the rung (Li et al., "A System
 *              for Massively Parallel Hyperparameter Tuning", MLSys 2020)
 *   threshold  the value is worse than a bound
 *
 * NaN or +inf (a diverged loss) stops a trial at once under every rule; -inf, the best value that
 * there is, never does. Otherwise a good trial is expensive to lose and a bad one cheap to keep,
 * hence the guards in stopping_settings. */
#ifndef SURROGATE_STOPPING_H
#define SURROGATE_STOPPING_H

#include "base/error.h"

#include <stddef.h>

enum stopping_rule { STOPPING_NONE, STOPPING_MEDIAN, STOPPING_THRESHOLD, STOPPING_ASHA };

const char *stopping_rule_name(enum stopping_rule rule); /* "median" ... */

/* One trial's reports. Values may be non-finite: NaN and +inf count as worse than any number. */
struct learning_curve {
	const double *steps; /* strictly increasing; epochs or batches, as the script counts */
	const double *values;
	size_t n;
	bool finished; /* ran to its end: not running, not stopped, not failed */
	const double
		*sums; /* of a curve that no longer grows, by stopping_add_up; NULL: not computed */
	double best; /* the least value, if `sums` is set */
};

/* Fills ret_sums (n) with the cumulative sums of the values and returns the least value: with these
 * no verdict reads the whole curve. */
double stopping_add_up(const double *values, size_t n, double *ret_sums);

/* Zero means the default. */
struct stopping_settings {
	enum stopping_rule rule;

	/* The last step of a full curve; by default the largest of any finished curve. */
	double max_step;

	/* No stop up to and including this step; default max(1, max_step/10), and 1 while max_step
	 * is unknown. For asha it is only the default of min_step. */
	double grace;

	/* Least number of curves to compare with: median counts finished ones, asha those in the
	 * rung, this trial included. Default 5. */
	size_t min_curves;

	/* A trial whose value ranks among this many best at its step (asha: in its rung) continues;
	 * default 3. no_top: no such exception. */
	size_t top;
	bool no_top;

	/* The rule must hold at this many reports in a row; default 2. Not for asha, which judges
	 * one value per rung. */
	size_t patience;

	double margin; /* a value must be worse by more than this; in the metric's unit; default 0 */
	double bound; /* threshold rule */
	double min_step; /* asha: the first rung, at least 1 */
	double eta; /* asha: at least 2; default 3 */

	bool negated; /* the values are the user's times -1; reasons show the user's */
};

/* TUNER_USAGE for settings out of their ranges. */
TUNER_MUST_CHECK
bool stopping_check(const struct stopping_settings *settings, struct tuner_error *err);

struct stopping_verdict {
	bool stop;
	char reason[160]; /* one line, whether it stops or continues */
};

/* Judges `trial` by its last report, against the curves of the other trials, however they ended.
 * The trial that has the best value of all curves is never stopped by median or asha. Costs one
 * pass over the curves without sums. Errors: as stopping_check, TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool stopping_judge(const struct stopping_settings *settings, const struct learning_curve *trial,
	const struct learning_curve *others, size_t n_others, struct stopping_verdict *ret,
	struct tuner_error *err);

#endif
