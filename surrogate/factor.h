/* The covariance matrix of n points and its Cholesky factor; inside surrogate/, for gp.c and
 * likelihood.c.
 *
 * Sums are formed in a fixed order, one product after the other, so results have the same bits on
 * every machine and at every optimisation level. At the sizes of a model this is no slower than a
 * BLAS, whose kernels round differently on each kind of CPU.
 *
 * Matrices are row-major with `stride` doubles a row, a multiple of KERNEL_LANES; of symmetric and
 * triangular ones only the lower half counts; the rest is scratch. */
#ifndef SURROGATE_FACTOR_H
#define SURROGATE_FACTOR_H

#include "surrogate/kernel.h"

#include <stdbool.h>
#include <stddef.h>

/* Allocates rows x columns zeros, aligned to a vector; NULL without memory or if the size
 * overflows. Release with free(). */
double *factor_allocate(size_t rows, size_t columns);

/* Fills K with the covariances of the points of Z (kernel.h) plus noise[i] on the diagonal, G
 * (NULL: not wanted) with the kernel's slopes, and factors K = L L' in place. If that fails, a
 * jitter is added to the diagonal: 1e-10 of the signal variance, then ten times as much at each
 * try, up to 1e-6, beyond which the model would silently be another one. False if that fails too.
 * z: scratch, d doubles. */
bool factor_covariance(const struct kernel *kernel, const double *Z, size_t stride, size_t n,
	const double *noise, double *z, double *K, double *G, double *ret_jitter);

/* Computes row n of the factor, given rows 0..n-1 and, in `row`, the covariances of the new point
 * with the n points before it. diagonal: the point's variance with noise. noise: the part of that
 * variance that no data remove; the pivot's square is kept at least that large (only rounding could
 * make it less). False if a result is not finite. */
bool factor_extend(
	const double *L, size_t stride, size_t n, double *row, double diagonal, double noise);

/* ret_inverse = L^-1; its upper half stays zero if it was zero before. */
void factor_invert_triangle(
	const double *L, size_t stride, size_t n, double *ret_inverse, size_t inverse_stride);

/* ret_inverse = K^-1; its upper half is scratch. scratch: n rows of `stride`. */
void factor_invert(const double *L, size_t stride, size_t n, double *ret_inverse, double *scratch);

/* B = B T' (transposed) or B T for m rows of n numbers padded to whole vectors (kernel_stride),
 * `row` doubles apart; T is lower triangular with zeros above its diagonal. */
void factor_multiply_rows(
	const double *T, size_t stride, size_t n, bool transposed, double *B, size_t row, size_t m);

/* ret = B S for m rows of n numbers padded to whole vectors, `row` doubles apart; S is
 * symmetric. */
void factor_multiply_symmetric(const double *S, size_t stride, size_t n, const double *B,
	size_t row, size_t m, double *ret);

/* C += A B' for m rows of A and n of B, of k numbers each; rows are a_row, b_row and c_row doubles
 * apart. */
void factor_add_product(const double *A, size_t a_row, size_t m, const double *B, size_t b_row,
	size_t n, size_t k, double *C, size_t c_row);

/* b = L^-1 b and b = L^-T b. */
void factor_forward(const double *L, size_t stride, size_t n, double *b);
void factor_backward(const double *L, size_t stride, size_t n, double *b);

/* The same for m rows of n numbers, `row` doubles apart. */
void factor_forward_rows(const double *L, size_t stride, size_t n, double *B, size_t row, size_t m);
void factor_backward_rows(
	const double *L, size_t stride, size_t n, double *B, size_t row, size_t m);

/* The most likely constant mean c of outcomes y, and ret_b = L^-1 (y - c 1). scratch: n. */
double factor_constant(
	const double *L, size_t stride, size_t n, const double *y, double *ret_b, double *scratch);

#endif
