/* The covariance matrix of n points and its Cholesky factor; inside surrogate/, for gp.c and
 * likelihood.c.
 *
 * All in a written order, one product after the other: the same bits on every machine and at every optimisation level. At the sizes
 * of a model that is no slower than a BLAS, whose kernels round otherwise on each kind of CPU.
 *
 * Matrices are row-major with `stride` doubles a row, a multiple of KERNEL_LANES; of symmetric and
 * triangular ones the lower half counts, the rest is scratch. */
#ifndef SURROGATE_FACTOR_H
#define SURROGATE_FACTOR_H

#include "surrogate/kernel.h"

#include <stdbool.h>
#include <stddef.h>

/* rows x columns zeros, aligned to a vector; NULL without memory or if that many cannot be.
 * free(). */
double *factor_allocate(size_t rows, size_t columns);

/* Fills K with the covariances of the points of Z (kernel.h) plus noise[i] on the diagonal, G
 * (NULL: not wanted) with the kernel's slopes, and factors K = L L' in place.
 * If that fails it is done again with a jitter on the diagonal, 1e-10 times ten up to 1e-6 of the
 * signal variance: beyond that the model would silently be another one. False: not even so. z:
 * scratch, d doubles. */
bool factor_covariance(const struct kernel *kernel, const double *Z, size_t stride, size_t n,
	const double *noise, double *z, double *K, double *G, double *ret_jitter);

/* Row n of the factor, given rows 0..n-1 and, in `row`, the covariances of the new point with the
 * n points before it; diagonal: its variance with noise; noise: the part of it that no knowledge
 * removes, which the pivot's square is never below (without rounding it would not be anyway).
 * False if something is not finite. */
bool factor_extend(
	const double *L, size_t stride, size_t n, double *row, double diagonal, double noise);

/* L^-1; its upper half is zeros if it was before. */
void factor_invert_triangle(
	const double *L, size_t stride, size_t n, double *ret_inverse, size_t inverse_stride);

/* K^-1; its upper half is scratch. scratch: n rows of `stride`. */
void factor_invert(const double *L, size_t stride, size_t n, double *ret_inverse, double *scratch);

/* B = B T' (transposed) or B T for m rows of n numbers and room for whole vectors (kernel_stride), `row` doubles from one to the
 * next; T lower triangular, with zeros above its diagonal. */
void factor_multiply_rows(
	const double *T, size_t stride, size_t n, bool transposed, double *B, size_t row, size_t m);

/* ret = B S for m rows of n numbers and room for whole vectors, `row` doubles from one to the next; S symmetric. */
void factor_multiply_symmetric(const double *S, size_t stride, size_t n, const double *B,
	size_t row, size_t m, double *ret);

/* C += A B' for m rows of A and n of B, of k numbers each; each matrix with so many doubles from one row to the next. */
void factor_add_product(const double *A, size_t a_row, size_t m, const double *B, size_t b_row,
	size_t n, size_t k, double *C, size_t c_row);

/* b = L^-1 b and b = L^-T b. */
void factor_forward(const double *L, size_t stride, size_t n, double *b);
void factor_backward(const double *L, size_t stride, size_t n, double *b);

/* The same for m rows of n numbers, `row` doubles from one to the next. */
void factor_forward_rows(const double *L, size_t stride, size_t n, double *B, size_t row, size_t m);
void factor_backward_rows(
	const double *L, size_t stride, size_t n, double *B, size_t row, size_t m);

/* The most likely constant mean c of outcomes y, and ret_b = L^-1 (y - c 1). scratch: n. */
double factor_constant(
	const double *L, size_t stride, size_t n, const double *y, double *ret_b, double *scratch);

#endif
