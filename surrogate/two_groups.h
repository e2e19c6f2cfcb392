/* The difference of two means that come from separate groups of results, such as the repeats of two configurations
 * with seeds of their own: nothing pairs them, and one may scatter more than the other. */
#ifndef SURROGATE_TWO_GROUPS_H
#define SURROGATE_TWO_GROUPS_H

#include "surrogate/paired.h"

struct group_difference {
	double mean; /* of a less that of b */
	struct interval interval;
	double p_value; /* two-sided, of "the means are equal" */
	double df; /* degrees of freedom; NaN below two results on either side or without any spread */
	double deviation; /* within the groups, pooled */
};

/* Welch's t (Welch, "The generalization of 'Student's' problem when several different population variances are
 * involved", Biometrika 34, 1947), with Satterthwaite's degrees of freedom (Biometrics Bulletin 2, 1946). It takes
 * the spreads for different and the results for roughly normal. With fewer than two results on either side nothing
 * is known of chance: (-inf, +inf) and 1. Without any spread the difference is what it is: p is 1 or 0. */
void two_groups_compare(const double *a, size_t n_a, const double *b, size_t n_b, double level,
	struct group_difference *ret);

/* Chance that the t-test at `alpha` finds a true difference of `effect` pooled deviations with n results in each
 * group, both of one spread. n >= 2. */
double two_groups_power(double effect, size_t n, double alpha);

/* The effect, in pooled deviations, that n results in each group find with chance `power`; INFINITY below two. */
double two_groups_detectable(size_t n, double alpha, double power);

/* The least number of results in each group, of at most `most`, that finds it with chance `power`; 0: more. */
size_t two_groups_needed(double effect, double alpha, double power, size_t most);

#endif
