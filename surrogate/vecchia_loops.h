/* The loops of vecchia_block.h. Inside vecchia_block.c. */
#ifndef SURROGATE_VECCHIA_LOOPS_H
#define SURROGATE_VECCHIA_LOOPS_H

#include "surrogate/loops.h"
#include "surrogate/vecchia_block.h"

struct vecchia_loops {
	/* -rho for all pairs. */
	void (*distances)(
		const struct kernel *kernel, const struct vecchia_block *block, double *ret);
	/* Multiplies the exponentials in K by Matern's polynomials. */
	void (*covariances)(const struct vecchia_block *block, const double *distance);
	bool (*factor)(const struct vecchia_block *block);
	void (*forward)(const struct vecchia_block *block, size_t n, double *b);
	void (*backward)(const struct vecchia_block *block, size_t n, double *b);
	void (*weigh)(
		const struct vecchia_block *block, const double *x, const double *u, double *ret_H);
	double (*length)(const struct kernel *kernel, const struct vecchia_block *block,
		const double *H, size_t k);
	double (*noise)(const struct vecchia_block *block, const double *x, const double *u);
	void (*pull)(const struct kernel *kernel, const struct vecchia_block *block,
		const double *H, size_t k, double *ret);
};

LOOPS_DECLARE(vecchia_loops);

#endif
