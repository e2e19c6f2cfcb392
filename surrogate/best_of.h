/* A search's best-so-far, and the speed-up of one search over another. Everything is minimised. */
#ifndef SURROGATE_BEST_OF_H
#define SURROGATE_BEST_OF_H

#include "surrogate/paired.h"

/* The expected minimum of k of n values, drawn without replacement, 1 <= k <= n; `sorted` ascends.
 * It is the mean over all subsets, so unbiased for the best of k random trials (Dodge et al., "Show
 * your work", EMNLP 2019, section 3, draw with replacement, which is biased: Tang et al., "Showing
 * your work doesn't always work", ACL 2020). */
double expected_best(const double *sorted, size_t n, size_t k);

/* Curves of a comparison's repeats, row by row: entry [r * length + t] is the best-so-far of repeat
 * r after t + 1 trials. No NaN: before a repeat's first result its trials have the worst value of
 * all. */
struct curves {
	const double *values;
	size_t repeats, length;
};

/* How many times as many trials the slower search needs until its mean best-so-far equals the
 * faster one's at its end; interpolated between trials, INFINITY if it never does. */
double speed_up(const struct curves *fast, const struct curves *slow);

/* The interval of speed_up, as in anytime_speed_up (anytime.h) but over trials; both have the same
 * number of repeats, paired. An end of INFINITY: more than the data can tell. Percentiles of
 * resampled ratios are not used: at 95 % they contained the true multiple in 80 % of comparisons of
 * 5 repeats (docs/compare.md). */
TUNER_MUST_CHECK
bool speed_up_interval(const struct curves *fast, const struct curves *slow, double level,
	struct random_key key, struct interval *ret, struct tuner_error *err);

/* The speed-up over a search whose trials are independent, from the expected best of all its trials
 * pooled, so that the comparison reaches beyond one repeat's budget: trials[r * length + t] are its
 * objectives, NaN without a result. The interval consists of the multiples at which the difference
 * is neither clearly positive nor clearly negative, by the pseudo-values of its jackknife. */
TUNER_MUST_CHECK
bool expected_speed_up(const struct curves *fast, const double *trials, size_t repeats,
	size_t length, double level, struct random_key key, double *ret,
	struct interval *ret_interval, struct tuner_error *err);

#endif
