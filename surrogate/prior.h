/* Where the user expects good values of a parameter (the job file's "prior").
 *
 * The density p over the parameter's coordinate, relative to that of an even draw, is a mixture:
 *
 *     p(u) = PRIOR_EVEN + (1 - PRIOR_EVEN) q(u)
 *
 * For numbers and ordinals q is a normal density, cut at 0 and 1, whose mean and standard deviation
 * make `low` and `high` the ends of mean +- sd, which hold two thirds of it. It is on the
 * parameter's scale: a log-normal where that is logarithmic. For categories q is in proportion to
 * the weights. The even part leaves every value a chance, however wrong the user is. */
#ifndef SURROGATE_PRIOR_H
#define SURROGATE_PRIOR_H

#include "surrogate/space.h"

#define PRIOR_EVEN 0.1

bool prior_is_given(const struct prior *prior);

/* True if any parameter of the space has a prior. */
bool space_has_priors(const struct space *space);

/* The product of p over the active parameters of a settled configuration: how many times as likely
 * to be good as one drawn evenly the user expects it to be. 1 without priors. */
double space_prior_density(const struct space *space, const double *values);

/* ln of the largest p of the space over the least; 0 without priors. */
double space_prior_range(const struct space *space);

/* Turns an even draw u from [0, 1) into a draw from p, monotonously, so that evenly spread points
 * stay as evenly spread as p allows: the quantile function of p. Unchanged without a prior. */
double prior_spread(const struct parameter *parameter, const struct prior *prior, double u);

/* p made ready for many coordinates. */
struct prior_density {
	double mean, sd, scale; /* numbers: q = scale * phi((u - mean) / sd) */
	double below; /* Phi at the lower bound */
	size_t n; /* categories: their number; 0: a number */
	const double *weights; /* borrowed */
	double weights_sum;
};

void prior_density_init(
	const struct parameter *parameter, const struct prior *prior, struct prior_density *ret);

/* ln p at a coordinate; *ret_slope (may be NULL): its derivative, 0 for categories. */
double prior_log_density(const struct prior_density *density, double u, double *ret_slope);

#endif
