/* The value to improve on where outcomes are noisy: not one number, but one for each function drawn
 * from the posterior (Letham, Karrer, Ottoni, Bakshy, "Constrained Bayesian Optimization with Noisy
 * Experiments", Bayesian Analysis 14, 2019).
 *
 * Expected improvement is then an average over joint draws of the function at the best trials: in
 * each draw these values are known, the least is f*, and the trials themselves promise no further
 * gain. acquisition.h treats pending rows in the same way, so the trials are appended as such rows:
 * a second time in the model, without noise and without outcome. */
#ifndef SURROGATE_NOISY_INCUMBENT_H
#define SURROGATE_NOISY_INCUMBENT_H

#include "base/error.h"
#include "surrogate/gp.h"

/* Trials beyond this many of the best are hardly ever the best of a draw. */
enum { NOISY_INCUMBENT_MAX = 20 };

/* Appends the trials of least posterior mean among those marked in `eligible` (gp_n_outcomes; none
 * marked: none appended), at most NOISY_INCUMBENT_MAX and at most as many as make `rows_max`
 * pending rows in all. *ret_n: rows appended; gp_forget drops them. Errors as gp_append. */
TUNER_MUST_CHECK
bool noisy_incumbent_append(struct gp *gp, const bool *eligible, size_t rows_max, size_t *ret_n,
	struct tuner_error *err);

#endif
