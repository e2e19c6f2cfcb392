/* Which parameters the objective depends on, as far as the trials tell.
 *
 * A Gaussian process is fitted to the finished trials as strategy bayesian does it (model_fit.h), and
 * from one start more, since a report may take its time; the variance of its posterior over the search
 * space is then split among the parameters (sensitivity.h, with the sources). It is a statement
 * about the objective as the model is given it (transform.h): values worse than the median count by
 * their rank only, so that a few very bad trials do not decide, and failed trials count as bad ones. */
#ifndef SURROGATE_IMPORTANCE_H
#define SURROGATE_IMPORTANCE_H

#include "surrogate/sensitivity.h"
#include "surrogate/suggest.h"

/* Objectives below which nothing is said at all. */
enum { IMPORTANCE_TRIALS_MIN = 5 };

struct importance {
	size_t n; /* trials that the model was fitted to */
	size_t n_varied; /* parameters with more than one value */
	struct share first[SPACE_PARAMETERS_MAX],
		total[SPACE_PARAMETERS_MAX]; /* by parameter; 0 for
										  one of a single value */
	double alone; /* sum of the first orders: what is left of 1 is due to parameters together */
	/* 1 - sum of squared leave-one-out errors / sum of squares around the mean, over the trials that
	 * have an objective: 1 if each is foretold by the others, 0 or less if none is. */
	double explained;
	double noise; /* part of noise in noise + variance of the mean over the space: 0 to 1 */
};

/* Uses of the request: space, strategy (deterministic), seed, repeat, number, observations, start.
 * The same request gives the same bits. Errors: TUNER_USAGE with fewer than IMPORTANCE_TRIALS_MIN
 * objectives, where all are equal, or where no parameter can vary; TUNER_NUMERIC if no model could
 * be fitted; TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool importance_of(
	const struct suggest_request *request, struct importance *ret, struct tuner_error *err);

/* Leave-one-out predictions of the fitted gp's outcomes at its hyperparameters and constant, gp_n of
 * them: the mean at row i given all others (Rasmussen and Williams, "Gaussian Processes for Machine
 * Learning", 2006, eq. 5.12). O(n^3). All rows must have outcomes. TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool leave_one_out(const struct gp *gp, double *ret_means, struct tuner_error *err);

#endif
