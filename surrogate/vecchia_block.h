/* Many small covariance matrices at once, one in each lane of a vector; inside vecchia.c.
 *
 * A block is KERNEL_LANES points, each with the points that it is conditioned on: `points` places, of which
 * the point itself is the last. An array of it has KERNEL_LANES doubles a place (or pair of places), and a
 * lane whose place is empty holds 0 there. Pairs i > j stand at i (i - 1) / 2 + j.
 *
 * The same bits on every machine and at every optimisation level, as in kernel.h. */
#ifndef SURROGATE_VECCHIA_BLOCK_H
#define SURROGATE_VECCHIA_BLOCK_H

#include "surrogate/kernel.h"

#include <stdbool.h>

struct vecchia_block {
	size_t points;
	double *Z; /* points x d: scaled as in kernel.h */
	double *present; /* points: 1 where there is one */
	double *noise; /* points: variances */
	double *K; /* pairs: covariances, then what the factor has there */
	double *diagonal; /* points: of the factor, inverse */
	double *G; /* pairs: slopes (kernel.h) */
};

/* Fills G and the covariances, and factors. False if a pivot is not positive. scratch: pairs. */
bool vecchia_block_factor(
	const struct kernel *kernel, const struct vecchia_block *block, double *scratch);

/* b = L^-1 b, b = L^-T b, of the first `n` places and points of the block. */
void vecchia_block_forward(const struct vecchia_block *block, size_t n, double *b);
void vecchia_block_backward(const struct vecchia_block *block, size_t n, double *b);

/* H_ij = (x_i u_j + x_j u_i) G_ij of all pairs. */
void vecchia_block_weigh(
	const struct vecchia_block *block, const double *x, const double *u, double *ret_H);

/* sum_i>j H_ij D_ij of dimension k (D of scaled coordinates), all lanes together. */
double vecchia_block_length(
	const struct kernel *kernel, const struct vecchia_block *block, const double *H, size_t k);

/* sum_i x_i u_i noise_i, all lanes together. */
double vecchia_block_noise(const struct vecchia_block *block, const double *x, const double *u);

/* ret (points): -sum_j H_ij (z_i - z_j) of dimension k: what a step of scaled coordinate i gains. */
void vecchia_block_pull(const struct kernel *kernel, const struct vecchia_block *block,
	const double *H, size_t k, double *ret);

#endif
