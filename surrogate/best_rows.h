/* The trials that the model holds for the best. */
#ifndef SURROGATE_BEST_ROWS_H
#define SURROGATE_BEST_ROWS_H

#include "base/error.h"
#include "surrogate/gp.h"

/* The rows with outcomes that are marked (gp_n_outcomes), by ascending posterior mean, equal ones by row.
 * ret_rows: room for gp_n_outcomes. TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool best_rows(const struct gp *gp, const bool *marked, size_t *ret_rows, size_t *ret_n,
	struct tuner_error *err);

#endif
