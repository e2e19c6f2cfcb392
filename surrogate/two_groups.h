/* The difference of the means of two separate groups of results, such as repeats of two
 * configurations with different seeds: the results are not paired, and one group may scatter more
 * than the other. */
#ifndef SURROGATE_TWO_GROUPS_H
#define SURROGATE_TWO_GROUPS_H

#include "surrogate/paired.h"

struct group_difference {
	double mean; /* mean of a less mean of b */
	struct interval interval;
	double p_value; /* two-sided, of "the means are equal" */
	double df; /* degrees of freedom; NaN with fewer than two results in a group or without any
		      spread */
	double deviation; /* within the groups, pooled */
};

/* Welch's t (Welch, "The generalization of 'Student's' problem when several different population
 * variances are involved", Biometrika 34, 1947), with Satterthwaite's degrees of freedom
 * (Biometrics Bulletin 2, 1946). It allows different spreads and assumes roughly normal results.
 * With fewer than two results in a group nothing is known about chance: the interval is (-inf,
 * +inf) and p is 1. Without any spread the difference is exact: p is 1 or 0. */
void two_groups_compare(const double *a, size_t n_a, const double *b, size_t n_b, double level,
	struct group_difference *ret);

/* Probability that the t-test at `alpha` detects a true difference of `effect` pooled deviations
 * with n >= 2 results in each group, for groups of equal spread. */
double two_groups_power(double effect, size_t n, double alpha);

/* The least effect, in pooled deviations, that n results in each group detect with probability
 * `power`; INFINITY for n < 2. */
double two_groups_detectable(size_t n, double alpha, double power);

/* The least number of results in each group, <= `most`, that detects the effect with probability
 * `power`; 0: more than `most`. */
size_t two_groups_needed(double effect, double alpha, double power, size_t most);

#endif
