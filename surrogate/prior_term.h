/* What the user expects, as a term of the acquisition: the search maximises
 *
 *     ln EI(x) + w sum_i ln p_i(x_i),  w = 0.6 trials of the budget / n^2
 *
 * over n ended trials and the active parameters that have a prior (prior.h): "pi-BO" (Hvarfner,
 * Stoll, Souza, Lindauer, Hutter, Nardi, "pi-BO: Augmenting Acquisition Functions with User Beliefs
 * for Bayesian Optimization", ICLR 2022, equation 6), whose w falls as 1/n only. The square loses
 * little where the user is right, and where they are wrong a third less (docs/surrogate.md, "What
 * the user expects"). To a confidence bound or a drawn function the same is added in the model's
 * unit, as margin.h does.
 *
 *     prior_term_create -> prior_term, into an acquisition -> prior_term_destroy, after its end */
#ifndef SURROGATE_PRIOR_TERM_H
#define SURROGATE_PRIOR_TERM_H

#include "surrogate/acquisition.h"
#include "surrogate/columns.h"
#include "surrogate/suggest.h"

struct prior_term;

/* *ret is NULL if no parameter that varies has a prior. Borrows the columns and their space.
 * Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool prior_term_create(const struct columns *columns, const struct suggest_request *request,
	struct prior_term **ret, struct tuner_error *err);
void prior_term_destroy(struct prior_term *term);

/* w for a request. */
double prior_term_weight(const struct suggest_request *request);

/* True if what is chosen may have less than half of the greatest EI for the priors' sake: that little
 * is expected of it then says nothing of the rest of the space. */
bool prior_term_leads(const struct suggest_request *request);

/* Adds w sum ln p at m points (m x d) to values. */
void prior_term_add(const struct prior_term *term, const double *X, size_t m, double *values);

struct acquisition_term prior_acquisition_term(struct prior_term *term);

#endif
