/* A search's anytime curve: its best-so-far as a function of what it has spent, in slot-seconds or
 * in money.
 *
 * A step function. A trial counts from its end on, with the cost of all its attempts; before the
 * first result the curve has the value `worst`. Beyond the total it is unknown. User's unit and
 * sign. */
#ifndef SURROGATE_ANYTIME_H
#define SURROGATE_ANYTIME_H

#include "surrogate/paired.h"

struct anytime {
	size_t n; /* trials, in the order of their ends */
	const double *spent; /* in total, up to each trial's end: >= 0, never falls */
	const double *best; /* best so far; NaN before the first result */
	double worst; /* used for NaN */
};

double anytime_total(const struct anytime *curve); /* total spent */
bool anytime_has_result(const struct anytime *curve, double spent); /* by then */
double anytime_best(const struct anytime *curve, double spent); /* by then */

/* Mean of the best-so-far over the spending from 0 to `spent`. */
double anytime_mean(const struct anytime *curve, double spent);

/* The least total of n searches, which is how far their mean curve goes; INFINITY for none. */
double anytime_end(const struct anytime *curves, size_t n);

/* The multiple of `spent` (> 0, and reached by all searches) that the slower arm must spend until
 * its mean best equals that of the faster arm at `spent`; INFINITY if that is beyond the slower
 * arm's anytime_end. Both have `repeats` searches, paired.
 *
 * The interval consists of the multiples c at which the paired interval (paired_interval, `level`)
 * of "the faster arm at `spent` less the slower arm at c `spent`" contains zero: it contains the
 * true multiple with probability `level`, if the paired interval contains the true difference as
 * often. An upper end of INFINITY means that the slower arm was not followed to where it would be
 * clearly better. One repeat: [0, INFINITY]. The ends are found by bisection, as if what is clearly
 * worse or better stayed so.
 *
 * Resampled ratios (best_of.h) are not used: they need the slower curve to get there in each
 * resample. */
TUNER_MUST_CHECK
bool anytime_speed_up(const struct anytime *fast, const struct anytime *slow, size_t repeats,
	double spent, bool maximize, double level, struct random_key key, double *ret,
	struct interval *ret_interval, struct tuner_error *err);

#endif
