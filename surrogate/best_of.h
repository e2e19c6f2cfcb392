/* The best of a search as it goes on, and what of it another search would have needed. Everything is
 * minimised. */
#ifndef SURROGATE_BEST_OF_H
#define SURROGATE_BEST_OF_H

#include "surrogate/paired.h"

/* The expected least of k of these n values, drawn without replacement, 1 <= k <= n; `sorted` ascends. The mean
 * over all subsets, so it is unbiased for the best of k random trials (Dodge et al., "Show your work", EMNLP 2019,
 * section 3, has it with replacement, which is biased: Tang et al., "Showing your work doesn't always work", ACL
 * 2020). */
double expected_best(const double *sorted, size_t n, size_t k);

/* Curves of a comparison's repeats, row by row: best-so-far of repeat r after t + 1 trials at [r * length + t].
 * Without NaN: a repeat's trials before its first result have the worst value of all. */
struct curves {
	const double *values;
	size_t repeats, length;
};

/* How many times as many trials the slower search needs until its mean best-so-far is what the faster one's is
 * at its end: interpolated between trials; INFINITY if it never is. */
double speed_up(const struct curves *fast, const struct curves *slow);

/* Its interval as anytime_speed_up (anytime.h) has it, over trials; both have the same number of repeats, paired. An
 * end that is INFINITY: more than can be told. Not percentiles of resampled ratios: of those 95 % held the true multiple
 * in 80 % of comparisons of 5 repeats (docs/compare.md). */
TUNER_MUST_CHECK
bool speed_up_interval(const struct curves *fast, const struct curves *slow, double level,
	struct random_key key, struct interval *ret, struct tuner_error *err);

/* The same against the expected best of the slower search's trials, all of them taken together (a search whose
 * trials are independent): trials[r * length + t] are its objectives, NaN without a result. The
 * comparison can so see further than one repeat's budget. Its interval is that of the multiples at which the
 * difference is neither clearly positive nor negative, by its jackknife's pseudo-values. */
TUNER_MUST_CHECK
bool expected_speed_up(const struct curves *fast, const double *trials, size_t repeats,
	size_t length, double level, struct random_key key, double *ret,
	struct interval *ret_interval, struct tuner_error *err);

#endif
