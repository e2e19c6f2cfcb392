/* Chooses the trials for the model when there are more than it can hold: an exact Gaussian process
 * costs n^3 time and n^2 memory.
 *
 * A quarter are the trials with the best outcomes, half are nearest to the very best, and the rest
 * cover the space, each the farthest from all chosen before it (Gonzalez, "Clustering to minimize
 * the maximum intercluster distance", Theoretical Computer Science 38, 1985). Of more than
 * SUBSET_COVERED trials the latter are chosen among SUBSET_COVERED evenly spaced ones: beyond that
 * number the choice costs one look at each trial and no more. */
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
	const double *lengthscales; /* d: the unit of distances; different categories are one unit
				       apart */
	const double *outcomes; /* n, finite */
};

/* Chooses `most` rows, or all n if there are no more, in ascending order into ret_rows (room for
 * `most`). Returns their number in *ret_n. Ties go to the earlier row. O(n d + n log most + most^2
 * d), and O(most d) for each row of SUBSET_COVERED. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool subset_choose(const struct subset_data *data, size_t most, size_t *ret_rows, size_t *ret_n,
	struct tuner_error *err);

#endif
