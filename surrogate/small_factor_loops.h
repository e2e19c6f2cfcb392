/* small_factor.h's loops. Inside small_factor.c. */
#ifndef SURROGATE_SMALL_FACTOR_LOOPS_H
#define SURROGATE_SMALL_FACTOR_LOOPS_H

#include "surrogate/kernel.h"
#include "surrogate/loops.h"

#include <stdbool.h>
#include <stddef.h>

/* The first column of the block that holds column i. */
static inline size_t small_factor_block_of(size_t i)
{
	return i / KERNEL_LANES * KERNEL_LANES;
}

struct small_factor_loops {
	/* U = L' of n rows of `width` numbers, whole blocks each; the numbers before the block with
	 * the diagonal are not touched. */
	bool (*cholesky)(double *U, size_t n, size_t width);
	void (*inverse)(const double *L, size_t stride, size_t n, double *ret_inverse,
		size_t inverse_stride);
};

LOOPS_DECLARE(small_factor_loops);

#endif
