/* The probability that a configuration gives a value at all, learnt from the ended trials: a model
 * of margins (margin.h), +1 for a trial that gave a value and -1 for one whose configuration made it
 * fail.
 *
 * Where trials fail by chance, that model's noise is large and the probability stays near the share
 * of trials that do not fail; where failure depends on the configuration alone, there is next to no
 * noise.
 *
 *     feasibility_is_due -> feasibility_create -> feasibility_foretold, margin.h -> margin_destroy */
#ifndef SURROGATE_FEASIBILITY_H
#define SURROGATE_FEASIBILITY_H

#include "surrogate/margin.h"

/* True if there are enough failures to learn from, and for the model to pay: at least three, and a
 * tenth of the n trials. */
bool feasibility_is_due(size_t n_failed, size_t n);

/* Rows of columns, as in the model of the objective. */
struct feasibility_data {
	size_t n, d; /* >= 1 */
	const enum dimension_kind *kinds; /* d */
	const double *X; /* n x d */
	const bool *valued; /* n: gave a value */
	const double *counts; /* n: trials that the row holds (replicates.h); NULL: 1 each */
};

/* Work and errors as margin_create. */
TUNER_MUST_CHECK
bool feasibility_create(const struct feasibility_data *data, uint64_t work_limit,
	struct margin **ret, uint64_t *ret_work, struct tuner_error *err);

/* Marks (n, as in the data) the failed rows that the other trials' outcomes predict: mean < 0
 * without the row itself. Other failures may be due to chance, or the first of their kind. */
TUNER_MUST_CHECK
bool feasibility_foretold(
	const struct margin *feasibility, bool *ret_foretold, struct tuner_error *err);

#endif
