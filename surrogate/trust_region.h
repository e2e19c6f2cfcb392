/* A trust region: with many dimensions the model proposes inside a box around the best trial. The
 * box grows while trials in it improve, shrinks while they do not, and begins anew elsewhere when
 * it has become too small (TuRBO-1: Eriksson, Pearce, Gardner, Turner, Poloczek, "Scalable Global
 * Optimization via Local Bayesian Optimization", NeurIPS 2019).
 *
 * Its state follows from the finished trials in commit order, so any suggestion can be
 * recomputed.
 *
 * With several objectives (scalarisation.h) a trial that gains in one need not succeed in another, so
 * nothing is counted: all trials are the region's beginning, and its box, of the side that regions begin
 * with, is around the best trial by the weights of the suggestion. It moves along the front. */
#ifndef SURROGATE_TRUST_REGION_H
#define SURROGATE_TRUST_REGION_H

#include "surrogate/candidates.h"

enum {
	TRUST_REGION_DIMENSIONS = 30, /* with more numbers in one trial a trust region is the
					 default */
	TRUST_REGION_CANDIDATES = 5000, /* at most; 100 per dimension */
};

struct trust_region {
	size_t first; /* observations before this one belong to earlier regions */
	size_t beginning; /* own observations before it is judged: its design */
	size_t n; /* own observations */
	size_t best; /* the observation of its best trial; n_observations if there is none */
	double side; /* of the box, in units of the cube's side, before scaling by lengthscales */
	size_t successes, failures; /* numbers of batches in a row */
	size_t restarts;
};

/* True if the request's trials are to be proposed in a trust region: as the strategy says; by
 * default where a trial so far had more than TRUST_REGION_DIMENSIONS active numbers. In a tree of
 * many branches a region would see only one branch and stay there; and categories have no box, only
 * fewer candidates. */
bool trust_region_applies(const struct suggest_request *request, const struct columns *columns);

/* Follows the region through the request's finished trials.
 *
 * A region begins with n_initial trials that are spread out. After them, every request->parallel
 * results, in commit order, form a batch. It is a success if its best is better than the best
 * before by more than 0.1 % of that best's magnitude or, if less, of the distance between median
 * and best of the region's beginning (so that neither a large constant in the objective nor a range
 * of many decades hides a gain). The side is 0.8 at first; it doubles after 3 successes in a row,
 * up to 1.6, and halves after max(4, d) / parallel failures in a row (d: the most active parameters
 * of any trial so far). While no trial of the region has kept the limits (limits.h), its best is the
 * one that is over them by least, and a success is 0.1 % less of that. Below 2^-7 the region ends, and
 * another begins with the results after those still running. A failed trial is not a success, nor is
 * one over a limit where others are within.
 *
 * Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool trust_region_follow(const struct suggest_request *request, const struct columns *columns,
	size_t n_initial, struct trust_region *ret, struct tuner_error *err);

/* True if the region still needs spread-out trials, running ones counted. */
bool trust_region_begins(const struct trust_region *region, const struct suggest_request *request);

/* The box around the region's best trial, whose snapped coordinates go to ret_centre. Sides are
 * proportional to the lengthscales (clipped to the paper's bounds, 0.005 and 2), with the region's
 * side as geometric mean. The box contains at least the neighbouring values of a lattice, all
 * values of a category, and the whole range of what is inactive at the centre. The region must have
 * a best trial. */
void trust_region_box(const struct trust_region *region, const struct suggest_request *request,
	const struct columns *columns, const double *lengthscales, struct box *ret,
	double *ret_centre);

/* Draws at most `most` points: the centre (if there is room for another);
 * min(TRUST_REGION_CANDIDATES, 100 d) points of a scrambled Sobol sequence in the box, where each
 * coordinate is kept with probability min(1, 20/d), at least one of them, and otherwise replaced by
 * the centre's. Parameters that are inactive at the centre may be anywhere. Where constraints are
 * broken more often than CANDIDATES_DRAWS allow, there are fewer points. */
TUNER_MUST_CHECK
bool trust_region_candidates(const struct columns *columns, const struct box *box,
	const double *centre, struct random_key key, size_t most, struct candidates *ret,
	struct tuner_error *err);

#endif
