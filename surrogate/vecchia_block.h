/* Many small covariance matrices at once, one in each lane of a vector; inside vecchia.c.
 *
 * A block is KERNEL_LANES points, each with the points that it is conditioned on: `points` places,
 * the last of which is the point itself. Its arrays have KERNEL_LANES doubles per place (or pair of
 * places); a lane whose place is empty holds 0. Pair i > j is at index i (i - 1) / 2 + j.
 *
 * The same bits on every machine and at every optimisation level, as in kernel.h. */
#ifndef SURROGATE_VECCHIA_BLOCK_H
#define SURROGATE_VECCHIA_BLOCK_H

#include "surrogate/kernel.h"

#include <stdbool.h>

struct vecchia_block {
	size_t points;
	double *Z; /* points x d: scaled as in kernel.h */
	double *present; /* points: 1 where a place is used */
	double *noise; /* points: variances */
	double *K; /* pairs: covariances, then the factor's entries */
	double *diagonal; /* points: inverses of the factor's diagonal */
	double *G; /* pairs: slopes (kernel.h) */
};

/* Fills G and the covariances, and factors. False if a pivot is not positive. scratch: pairs. */
bool vecchia_block_factor(
	const struct kernel *kernel, const struct vecchia_block *block, double *scratch);

/* b = L^-1 b, b = L^-T b, for the first n places of b and of the block. */
void vecchia_block_forward(const struct vecchia_block *block, size_t n, double *b);
void vecchia_block_backward(const struct vecchia_block *block, size_t n, double *b);

/* H_ij = (x_i u_j + x_j u_i) G_ij for all pairs. */
void vecchia_block_weigh(
	const struct vecchia_block *block, const double *x, const double *u, double *ret_H);

/* sum_i>j H_ij D_ij for dimension k (D of scaled coordinates), over all lanes. */
double vecchia_block_length(
	const struct kernel *kernel, const struct vecchia_block *block, const double *H, size_t k);

/* sum_i x_i u_i noise_i, over all lanes. */
double vecchia_block_noise(const struct vecchia_block *block, const double *x, const double *u);

/* ret (points): -sum_j H_ij (z_i - z_j) for dimension k: the derivative by scaled coordinate i. */
void vecchia_block_pull(const struct kernel *kernel, const struct vecchia_block *block,
	const double *H, size_t k, double *ret);

#endif
