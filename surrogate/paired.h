/* Statistics of paired differences: one number per repeat of a comparison of two searches, which shared that
 * repeat's initial points and training seeds. */
#ifndef SURROGATE_PAIRED_H
#define SURROGATE_PAIRED_H

#include "base/error.h"
#include "base/random.h"

#include <stdbool.h>
#include <stddef.h>

/* Resamples of the bootstrap, and sign patterns of a permutation test that is not exact. */
enum { PAIRED_DRAWS = 10000, PAIRED_EXACT_MAX = 16, PAIRED_BOOTSTRAP_MIN = 10 };

struct interval {
	double low, high;
};

double paired_mean(const double *differences, size_t n); /* NaN without any */

/* Standard deviation of a sample; NaN below two. 0 where they differ by no more than rounding. */
double paired_deviation(const double *x, size_t n);

/* Confidence interval of the mean difference by the symmetric bootstrap-t: the distribution of |mean* - mean| /
 * (standard error*) over PAIRED_DRAWS resamples stands for Student's (Hall, "On symmetric bootstrap confidence
 * intervals", J. R. Statist. Soc. B 50, 1988, section 2). With fewer than PAIRED_BOOTSTRAP_MIN repeats, where
 * resamples are few and often all one value, it is Student's own. Not BCa (Efron 1987): that takes the spread of
 * a sample for that of what it comes from, and its 95 % held the mean in 81 to 92 % of samples of 5 to 10
 * (docs/compare.md). One repeat says nothing of the spread: (-inf, +inf). `level`: 0.95. */
TUNER_MUST_CHECK
bool paired_interval(const double *differences, size_t n, double level, struct random_key key,
	struct interval *ret, struct tuner_error *err);

/* Two-sided p-value of "neither is better": under it each difference could as well have the other sign, so
 * the absolute mean is compared with that of all 2^n sign patterns up to PAIRED_EXACT_MAX repeats, with
 * PAIRED_DRAWS random ones and the observed one beyond (Phipson, Smyth, "Permutation p-values should never be
 * zero", 2010). 1 without repeats. */
double paired_p_value(const double *differences, size_t n, struct random_key key);

/* The least p-value that all sign patterns of n repeats can give: 2 / 2^n, at most 1. (Random ones: 1 / (PAIRED_DRAWS + 1).) */
double paired_least_p_value(size_t n);

/* Chance that a two-sided t-test at `alpha` rejects: P(|T| > t) of the noncentral t-distribution with df degrees of
 * freedom about `shift` >= 0, integrated over the sample's deviation. */
double t_test_power(double shift, double df, double alpha);

/* Chance that a test at `alpha` finds a true effect in n >= 2 results (paired_power, two_groups_power): it grows with
 * both. */
typedef double power_function(double effect, size_t n, double alpha);

/* The least effect that n results find with chance `power`; INFINITY below two. */
double least_effect(power_function *power_of, size_t n, double alpha, double power);

/* The least n, of at most `most`, that finds the effect with chance `power`; 0: more. */
size_t least_size(power_function *power_of, double effect, double alpha, double power, size_t most);

/* Chance that the two-sided t-test at `alpha` finds a true mean difference of `effect` standard deviations in
 * n >= 2 repeats. */
double paired_power(double effect, size_t n, double alpha);

/* The effect, in standard deviations, that n repeats find with chance `power`; INFINITY below two. */
double paired_detectable(size_t n, double alpha, double power);

/* The least number of repeats of at most `most` that finds it with chance `power`; 0: more. */
size_t paired_repeats(double effect, double alpha, double power, size_t most);

#endif
