/* Statistics of paired differences: one number per repeat of a comparison of two searches, which shared that
 * repeat's initial points and training seeds. */
#ifndef SURROGATE_PAIRED_H
#define SURROGATE_PAIRED_H

#include "base/error.h"
#include "base/random.h"

#include <stdbool.h>
#include <stddef.h>

/* PAIRED_DRAWS: resamples of the bootstrap, and sign patterns of a permutation test that is not
 * exact. */
enum { PAIRED_DRAWS = 10000, PAIRED_EXACT_MAX = 16, PAIRED_BOOTSTRAP_MIN = 10 };

struct interval {
	double low, high;
};

double paired_mean(const double *differences, size_t n); /* NaN without any */

/* Standard deviation of a sample; NaN for n < 2. 0 where the values differ by rounding only. */
double paired_deviation(const double *x, size_t n);

/* Confidence interval of the mean difference by the symmetric bootstrap-t: the distribution of
 * |mean* - mean| / (standard error*) over PAIRED_DRAWS resamples replaces Student's t (Hall, "On
 * symmetric bootstrap confidence intervals", J. R. Statist. Soc. B 50, 1988, section 2). With fewer
 * than PAIRED_BOOTSTRAP_MIN repeats, where resamples are few and often all one value, Student's t
 * is used. BCa (Efron 1987) is not used: it takes a sample's spread for the population's, and its
 * 95 % interval contained the mean in 81 to 92 % of samples of 5 to 10 (docs/compare.md). One
 * repeat tells nothing about the spread: (-inf, +inf). `level`: for example 0.95. */
TUNER_MUST_CHECK
bool paired_interval(const double *differences, size_t n, double level, struct random_key key,
	struct interval *ret, struct tuner_error *err);

/* Two-sided p-value of "neither is better": under this hypothesis each difference could as well
 * have the other sign, so the absolute mean is compared with that of all 2^n sign patterns for up
 * to PAIRED_EXACT_MAX repeats; beyond, with PAIRED_DRAWS random patterns and the observed one
 * (Phipson, Smyth, "Permutation p-values should never be zero", 2010). 1 without repeats. */
double paired_p_value(const double *differences, size_t n, struct random_key key);

/* The least p-value that the exact test can give for n repeats: 2 / 2^n, at most 1. (With random
 * patterns: 1 / (PAIRED_DRAWS + 1).) */
double paired_least_p_value(size_t n);

/* Probability that a two-sided t-test at `alpha` rejects: P(|T| > t) for the noncentral
 * t-distribution with df degrees of freedom and noncentrality `shift` >= 0, integrated over the
 * sample's deviation. */
double t_test_power(double shift, double df, double alpha);

/* Probability that a test at `alpha` detects a true effect with n >= 2 results (paired_power,
 * two_groups_power). It grows with effect and n. */
typedef double power_function(double effect, size_t n, double alpha);

/* The least effect that n results detect with probability `power`; INFINITY for n < 2. */
double least_effect(power_function *power_of, size_t n, double alpha, double power);

/* The least n <= `most` that detects the effect with probability `power`; 0: more than `most`. */
size_t least_size(power_function *power_of, double effect, double alpha, double power, size_t most);

/* Probability that the two-sided t-test at `alpha` detects a true mean difference of `effect`
 * standard deviations with n >= 2 repeats. */
double paired_power(double effect, size_t n, double alpha);

/* The least effect, in standard deviations, that n repeats detect with probability `power`;
 * INFINITY for n < 2. */
double paired_detectable(size_t n, double alpha, double power);

/* The least number of repeats <= `most` that detects the effect with probability `power`; 0: more
 * than `most`. */
size_t paired_repeats(double effect, double alpha, double power, size_t most);

#endif
