/* Which trials the model is made of when there are more than it can hold: an exact Gaussian process
 * costs n^3 time and n^2 memory.
 *
 * A quarter are the trials of the best outcomes, half the nearest to the best of all, and the rest
 * those that cover the space, each the farthest from all that were chosen before it (Gonzalez,
 * "Clustering to minimize the maximum intercluster distance", Theoretical Computer Science 38, 1985).
 * Of more than SUBSET_COVERED trials these are looked for among as many, evenly spaced: from there on the choice
 * costs a look at each trial, and no more. */
#ifndef SURROGATE_SUBSET_H
#define SURROGATE_SUBSET_H

#include "base/error.h"
#include "surrogate/kernel.h"

#include <stddef.h>

enum { SUBSET_COVERED = 4096 };

/* Trials among n, as rows of d coordinates with one outcome each (less is better). */
struct subset_data {
	size_t n, d;
	const double *X; /* n x d */
	const enum dimension_kind *kinds; /* d */
	const double *lengthscales; /* d: the unit of distances; categories differ by one of it */
	const double *outcomes; /* n, finite */
};

/* Chooses `most` rows, or all n if there are no more, in ascending order into ret_rows (room for
 * `most`). Returns their number in *ret_n. Equal claims go to the earlier row. O(n d + n log most + most^2 d), and
 * O(most d) for each row of SUBSET_COVERED. Errors:
 * TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool subset_choose(const struct subset_data *data, size_t most, size_t *ret_rows, size_t *ret_n,
	struct tuner_error *err);

#endif
