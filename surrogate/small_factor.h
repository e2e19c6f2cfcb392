/* Cholesky factors and inverses of small matrices: the blocks from which factor.c builds larger
 * ones. Below 64 rows they take half the time of LAPACK's.
 *
 * As in kernel.h, the same bits on every machine and at every optimisation level. Row-major; only
 * the lower half of a matrix counts. */
#ifndef SURROGATE_SMALL_FACTOR_H
#define SURROGATE_SMALL_FACTOR_H

#include "surrogate/kernel.h"

#include <stdbool.h>

enum { SMALL_FACTOR_MAX = 64 };

/* Factors A = L L' of n <= SMALL_FACTOR_MAX rows in place. False if a pivot is not positive: A is
 * then partly overwritten. */
bool small_cholesky(double *A, size_t stride, size_t n);

/* ret = L^-1, with zeros above the diagonal to the end of the whole vector; inverse_stride is a
 * multiple of KERNEL_LANES. */
void small_inverse(
	const double *L, size_t stride, size_t n, double *ret_inverse, size_t inverse_stride);

#endif
