/* kernel.h's functions over whole blocks: n is a multiple of KERNEL_LANES. Inside kernel.c. */
#ifndef SURROGATE_KERNEL_LOOPS_H
#define SURROGATE_KERNEL_LOOPS_H

#include "surrogate/kernel.h"
#include "surrogate/loops.h"

struct kernel_loops {
	void (*values)(const struct kernel *kernel, const double *Z, size_t stride, size_t n,
		const double *z, double *ret_k);
	void (*values_and_slopes)(const struct kernel *kernel, const double *Z, size_t stride,
		size_t n, const double *z, double *ret_k, double *ret_g);
	void (*exp)(const double *x, size_t n, double *ret);
	double (*dot)(const double *a, const double *b, size_t n);
	double (*pull)(const double *weights, const double *Zk, double z, size_t n);
	double (*sum_where_different)(const double *weights, const double *Zk, double z, size_t n);
	void (*subtract)(double *y, double a, const double *x, size_t n);
	void (*weigh)(double *row, double a, const double *alpha, const double *slopes, size_t n);
};

LOOPS_DECLARE(kernel_loops);

#endif
