/* The trials with the best posterior means. */
#ifndef SURROGATE_BEST_ROWS_H
#define SURROGATE_BEST_ROWS_H

#include "base/error.h"
#include "surrogate/gp.h"

/* The marked rows (marked: gp_n_outcomes entries), by ascending posterior mean, equal ones by row
 * index. ret_rows has room for gp_n_outcomes. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool best_rows(const struct gp *gp, const bool *marked, size_t *ret_rows, size_t *ret_n,
	struct tuner_error *err);

#endif
