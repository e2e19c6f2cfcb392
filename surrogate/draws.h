/* Random functions from the posterior of a Gaussian process: each can be evaluated anywhere.
 *
 *     draws_create -> draws_values, any number of times -> draws_destroy
 *
 * By Matheron's rule (Wilson et al., "Efficiently sampling functions from Gaussian process
 * posteriors", ICML 2020): a function g drawn from the prior is corrected by what the model learns
 * from the difference between the outcomes and the values of g there,
 *
 *     f(x) = c + g(x) + k(x, X) K^-1 (y - c 1 - g(X) - e),  e_i normal(0, noise_i).
 *
 * The prior's functions are sums of DRAWS_FREQUENCIES random waves in cosine and sine (Rahimi and
 * Recht, "Random features for large-scale kernel machines", NIPS 2007): the spectral density of
 * Matern 5/2 is a multivariate t with 5 degrees of freedom, over the numeric coordinates and, for
 * each category, over the one-hot code whose squared distances are Hamming's (kernel.h); the axes
 * of a warped model are bent first. Far from all outcomes, mean and covariance are accurate to
 * DRAWS_FREQUENCIES^-1/2; near outcomes the rule corrects them.
 *
 * Of a model with a trend (gp.h) a function is without it.
 *
 * Hyperparameters and the constant c stay as fitted: their uncertainty is not included. */
#ifndef SURROGATE_DRAWS_H
#define SURROGATE_DRAWS_H

#include "surrogate/columns.h"
#include "surrogate/gp.h"

enum { DRAWS_FREQUENCIES = 512 };

struct draws;

/* Draws n functions of the fitted gp, whose dimensions are `columns`. Both are borrowed and must
 * not change. All rows must have outcomes. Takes 8 DRAWS_FREQUENCIES bytes per category value, and
 * as many per function. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool draws_create(const struct gp *gp, const struct columns *columns, size_t n,
	struct random *random, struct draws **ret, struct tuner_error *err);
void draws_destroy(struct draws *draws);

/* Evaluates at m points (m x d, categories at their coordinates): m rows of 1 + n values, the
 * posterior mean first. Never allocates, never fails. */
void draws_values(struct draws *draws, const double *X, size_t m, double *ret_values);

#endif
