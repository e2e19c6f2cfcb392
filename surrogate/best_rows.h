/* The trials with the best posterior means, or the greatest probabilities of keeping the limits. */
#ifndef SURROGATE_BEST_ROWS_H
#define SURROGATE_BEST_ROWS_H

#include "base/error.h"
#include "surrogate/gp.h"
#include "surrogate/limits.h"

/* The marked rows (marked: gp_n_outcomes entries), by ascending posterior mean, equal ones by row
 * index. ret_rows has room for gp_n_outcomes. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool best_rows(const struct gp *gp, const bool *marked, size_t *ret_rows, size_t *ret_n,
	struct tuner_error *err);

/* The marked rows among n of the limits' columns (X: n x d), by descending probability of keeping all
 * limits, at a glance (limits_add_glance); otherwise the same. */
TUNER_MUST_CHECK
bool likely_rows(struct limits *limits, const double *X, const bool *marked, size_t n,
	size_t *ret_rows, size_t *ret_n, struct tuner_error *err);

#endif
