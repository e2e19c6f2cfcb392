/* The loops over products that make up factors and inverses. Inside factor.c. */
#ifndef SURROGATE_FACTOR_LOOPS_H
#define SURROGATE_FACTOR_LOOPS_H

#include "surrogate/loops.h"

#include <stddef.h>

/* A product, KERNEL_LANES columns at a time. Each sum begins with the entry of C (or 0) and adds
 * one term after the other, so it is the same however the terms are divided among calls. */
struct product {
	const double *A; /* rows x terms, or transposed */
	size_t a_stride;
	const double *B; /* terms x KERNEL_LANES, rows contiguous */
	double *C; /* rows x KERNEL_LANES; may be columns of A itself, since each row is read
		      completely before it is written */
	size_t c_stride, rows, terms;
};

/* For m rows of n numbers, `row` doubles apart, and a lower triangle T. */
struct factor_loops {
	/* B = B T and B = B T', in whole blocks of KERNEL_LANES: T has zeros right of its diagonal,
	 * to the end of the block. */
	void (*multiply)(const double *T, size_t stride, size_t n, double *B, size_t row, size_t m);
	void (*multiply_transposed)(
		const double *T, size_t stride, size_t n, double *B, size_t row, size_t m);
	/* B = B T^-1 and B = B T'^-1. */
	void (*solve)(const double *T, size_t stride, size_t n, double *B, size_t row, size_t m);
	void (*solve_transposed)(
		const double *T, size_t stride, size_t n, double *B, size_t row, size_t m);
	void (*set_product)(const struct product *product); /* C = A B */
	void (*add_product)(const struct product *product); /* C += A B */
	void (*subtract_product)(const struct product *product); /* C -= A B */
	void (*add_product_transposed)(const struct product *product); /* C += A' B */
};

LOOPS_DECLARE(factor_loops);

#endif
