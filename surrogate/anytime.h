/* Best-so-far of a search over what it has spent, in slot-seconds or in money: its anytime curve.
 *
 * A step function. A trial counts from where it has ended, with all that its attempts took; before the first result
 * the curve has `worst`. Nothing is known of it beyond the total. User's unit and sign. */
#ifndef SURROGATE_ANYTIME_H
#define SURROGATE_ANYTIME_H

#include "surrogate/paired.h"

struct anytime {
	size_t n; /* trials, in the order of their ends */
	const double *spent; /* in all, up to each one's end: >= 0, does not fall */
	const double *best; /* so far; NaN before the first result */
	double worst; /* stands for NaN */
};

double anytime_total(const struct anytime *curve); /* spent in all */
bool anytime_has_result(const struct anytime *curve, double spent); /* by then */
double anytime_best(const struct anytime *curve, double spent); /* by then */

/* Mean of the best so far while 0 to `spent` were spent. */
double anytime_mean(const struct anytime *curve, double spent);

/* The least total of so many searches: as far as their mean curve goes. INFINITY without any. */
double anytime_end(const struct anytime *curves, size_t n);

/* How many times as much as `spent` (> 0, which all have spent) the slower arm must spend until its mean best is what
 * the faster one's is by then; INFINITY: more than anytime_end of it. Both have `repeats` searches, paired.
 *
 * The interval is of those multiples c at which the paired interval (paired_interval, `level`) of
 * "the faster one at `spent` less the slower one at c times that" holds zero: with probability `level` it holds
 * the true multiple, if the paired interval holds the true difference so often. An end that
 * is INFINITY: the slower one was not followed to where it would be clearly better. One repeat: [0, INFINITY].
 * Where it begins and ends is found by halving, as if what is clearly worse or better stayed so on the way.
 *
 * Not resampled ratios (best_of.h): those need the slower curve to get there in each resample. */
TUNER_MUST_CHECK
bool anytime_speed_up(const struct anytime *fast, const struct anytime *slow, size_t repeats,
	double spent, bool maximize, double level, struct random_key key, double *ret,
	struct interval *ret_interval, struct tuner_error *err);

#endif
