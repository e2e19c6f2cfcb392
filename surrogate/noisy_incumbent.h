/* The value to improve on where outcomes are noisy: not one number, but one in each function that the model
 * holds possible (Letham, Karrer, Ottoni, Bakshy, "Constrained Bayesian Optimization with Noisy
 * Experiments", Bayesian Analysis 14, 2019).
 *
 * Expected improvement is then an average over joint draws of the function at the best trials: in each of
 * them these values are known, the least is f*, and nothing more is to be gained at the trials
 * themselves. That is what acquisition.h does with pending rows, so the trials become such rows: a second
 * time in the model, without noise and, as yet, without outcome. */
#ifndef SURROGATE_NOISY_INCUMBENT_H
#define SURROGATE_NOISY_INCUMBENT_H

#include "base/error.h"
#include "surrogate/gp.h"

/* Others than so many of the best are hardly ever the best of a draw. */
enum { NOISY_INCUMBENT_MAX = 20 };

/* Appends the trials of least posterior mean among those marked in `eligible` (gp_n_outcomes; none marked: no
 * trial), NOISY_INCUMBENT_MAX of them or as many as make `rows_max` pending rows in all. *ret_n: how many;
 * gp_forget drops them. Errors as gp_append. */
TUNER_MUST_CHECK
bool noisy_incumbent_append(struct gp *gp, const bool *eligible, size_t rows_max, size_t *ret_n,
	struct tuner_error *err);

#endif
