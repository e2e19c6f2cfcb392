/* factor_multiply_few_rows' loops. Inside factor.c. */
#ifndef SURROGATE_FACTOR_LOOPS_H
#define SURROGATE_FACTOR_LOOPS_H

#include "surrogate/loops.h"

#include <stddef.h>

/* B = B T and B = B T' for m rows, in whole blocks of KERNEL_LANES: T has zeros behind its diagonal as far as the block goes. */
struct factor_loops {
	void (*multiply)(const double *T, size_t stride, size_t n, double *B, size_t row, size_t m);
	void (*multiply_transposed)(
		const double *T, size_t stride, size_t n, double *B, size_t row, size_t m);
};

LOOPS_DECLARE(factor_loops);

#endif
