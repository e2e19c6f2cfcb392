/* Which parameters the objective depends on, estimated from the trials.
 *
 * A Gaussian process is fitted to the finished trials as in strategy bayesian (model_fit.h), with
 * one more start, since a report may take longer. The variance of its posterior over the search
 * space is then split among the parameters (sensitivity.h, with the sources). The result describes
 * the objective as the model sees it (transform.h): values worse than the median count by their
 * rank only, so that a few very bad trials do not decide, and failed trials count as bad ones. */
#ifndef SURROGATE_IMPORTANCE_H
#define SURROGATE_IMPORTANCE_H

#include "surrogate/sensitivity.h"
#include "surrogate/suggest.h"

/* With fewer objectives there is no report. */
enum { IMPORTANCE_TRIALS_MIN = 5 };

struct importance {
	size_t n; /* number of trials the model was fitted to */
	size_t n_varied; /* parameters with more than one value */
	struct share first[SPACE_PARAMETERS_MAX],
		total[SPACE_PARAMETERS_MAX]; /* by parameter; 0 for
										  one of a single value */
	double alone; /* sum of the first orders; the rest up to 1 is due to interactions */
	/* 1 - sum of squared leave-one-out errors / sum of squares around the mean, over the trials
	 * that have an objective: 1 if each is predicted exactly by the others, 0 or less if none
	 * is. */
	double explained;
	double noise; /* noise / (noise + variance of the mean over the space), 0 to 1 */
};

/* Uses of the request: space, strategy (deterministic), seed, repeat, number, observations, start.
 * The same request gives the same bits. Errors: TUNER_USAGE if there are fewer than
 * IMPORTANCE_TRIALS_MIN objectives, if all are equal, or if no parameter can vary; TUNER_NUMERIC if
 * no model could be fitted; TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool importance_of(
	const struct suggest_request *request, struct importance *ret, struct tuner_error *err);

/* Leave-one-out predictions of the fitted gp's outcomes at its hyperparameters and constant, gp_n
 * entries: the mean at row i given all other rows (Rasmussen and Williams, "Gaussian Processes for
 * Machine Learning", 2006, eq. 5.12). O(n^3). All rows must have outcomes. TUNER_FATAL without
 * memory. */
TUNER_MUST_CHECK
bool leave_one_out(const struct gp *gp, double *ret_means, struct tuner_error *err);

#endif
