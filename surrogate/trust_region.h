/* A trust region: with many dimensions the model proposes inside a box around the best trial, which grows
 * while that finds something better, shrinks while it does not, and begins anew elsewhere when nothing
 * is left of it (TuRBO-1: Eriksson, Pearce, Gardner, Turner, Poloczek, "Scalable
 * Global Optimization via Local Bayesian Optimization", NeurIPS 2019).
 *
 * All that it is follows from the finished trials in commit order, so that any suggestion can be computed again. */
#ifndef SURROGATE_TRUST_REGION_H
#define SURROGATE_TRUST_REGION_H

#include "surrogate/candidates.h"

enum {
	TRUST_REGION_DIMENSIONS = 30, /* numbers of a trial, beyond which it is the default */
	TRUST_REGION_CANDIDATES = 5000, /* at most; 100 a dimension */
};

struct trust_region {
	size_t first; /* observations before this one belong to earlier regions */
	size_t beginning; /* own observations that come before it is judged: its design */
	size_t n; /* own observations */
	size_t best; /* the observation of its best trial; n_observations if there is none */
	double side; /* of the box, in units of the cube's, before lengthscales stretch it */
	size_t successes, failures; /* batches in a row */
	size_t restarts;
};

/* Whether the request's trials are to be proposed in one: as the strategy says. By default where a trial so far had
 * more than TRUST_REGION_DIMENSIONS numbers at once: of a tree of many branches a region would see one alone, and
 * stay there, and among categories there is no box, but fewer candidates. */
bool trust_region_applies(const struct suggest_request *request, const struct columns *columns);

/* Follows the region through the request's finished trials.
 *
 * A region begins with n_initial trials that are spread out. From then on every request->parallel results, in
 * the order of their commits, are a batch. It is a success if its best is better than the best before by more
 * than 0.1 % of that best's magnitude or, if less, of the distance between median and best of the region's
 * beginning (so that neither a large constant in the objective nor a range of many decades hides what is
 * gained). The side is 0.8 at first, twice as long after 3 successes in a row, at most 1.6, half after
 * max(4, d) / parallel failures in a row (d: the parameters that a trial so far had at most), and below 2^-7 the
 * region ends: another begins with the results that come after those still running. A failed trial is no success.
 *
 * Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool trust_region_follow(const struct suggest_request *request, const struct columns *columns,
	size_t n_initial, struct trust_region *ret, struct tuner_error *err);

/* It wants spread-out trials still, those counted that are running. */
bool trust_region_begins(const struct trust_region *region, const struct suggest_request *request);

/* The box around the region's best trial, whose snapped coordinates go to ret_centre. Sides are proportional
 * to lengthscales (between 0.005 and 2, where the paper's are), with the region's side as geometric mean; a
 * lattice has its neighbouring values inside at least, a category all of its values, and what is not active
 * at the centre the whole of its range. The region must have a best. */
void trust_region_box(const struct trust_region *region, const struct suggest_request *request,
	const struct columns *columns, const double *lengthscales, struct box *ret,
	double *ret_centre);

/* At most `most` of: the centre (if there is room for another); min(TRUST_REGION_CANDIDATES, 100 d) points of a scrambled Sobol sequence in the
 * box, of which a coordinate is taken with probability min(1, 20/d), at least one, and else the centre's. What was
 * not active at the centre may be anywhere. Where constraints are broken more often than CANDIDATES_DRAWS
 * allow, there are fewer. */
TUNER_MUST_CHECK
bool trust_region_candidates(const struct columns *columns, const struct box *box,
	const double *centre, struct random_key key, size_t most, struct candidates *ret,
	struct tuner_error *err);

#endif
