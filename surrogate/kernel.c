#include "surrogate/kernel.h"

#include "surrogate/kernel_loops.h"

#include <string.h>

static const struct kernel_loops *loops(void)
{
	return LOOPS_OF_CPU(kernel_loops);
}

size_t kernel_stride(size_t n)
{
	return (n + KERNEL_LANES - 1) / KERNEL_LANES * KERNEL_LANES;
}

void kernel_scale(
	const struct kernel *kernel, const double *X, size_t n, double *ret_Z, size_t stride)
{
	for (size_t k = 0; k < kernel->d; k++) {
		const double by =
			kernel->kinds[k] == DIMENSION_CATEGORY ? 1 : kernel->inverse_lengths[k];
		double *Z = ret_Z + k * stride;

		for (size_t j = 0; j < n; j++)
			Z[j] = X[j * kernel->d + k] * by;
		for (size_t j = n; j < stride; j++)
			Z[j] = 0;
	}
}

void kernel_row(const struct kernel *kernel, const double *Z, size_t stride, size_t n,
	const double *z, double *ret_k, double *ret_g)
{
	if (ret_g)
		loops()->values_and_slopes(kernel, Z, stride, kernel_stride(n), z, ret_k, ret_g);
	else
		loops()->values(kernel, Z, stride, kernel_stride(n), z, ret_k);
}

void kernel_exp(const double *x, size_t n, double *ret)
{
	const size_t whole = n / KERNEL_LANES * KERNEL_LANES, rest = n - whole;
	double last[KERNEL_LANES] = { 0 };

	loops()->exp(x, whole, ret);
	if (rest == 0)
		return;
	memcpy(last, x + whole, rest * sizeof(*x));
	loops()->exp(last, KERNEL_LANES, last);
	memcpy(ret + whole, last, rest * sizeof(*x));
}

double kernel_dot(const double *a, const double *b, size_t n)
{
	const size_t whole = n / KERNEL_LANES * KERNEL_LANES;
	double sum = loops()->dot(a, b, whole);

	for (size_t i = whole; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

void kernel_subtract(double *y, double a, const double *x, size_t n)
{
	const size_t whole = n / KERNEL_LANES * KERNEL_LANES;

	loops()->subtract(y, a, x, whole);
	for (size_t i = whole; i < n; i++)
		y[i] -= a * x[i];
}

void kernel_weigh(double *row, double a, const double *alpha, const double *slopes, size_t n)
{
	const size_t whole = n / KERNEL_LANES * KERNEL_LANES;

	loops()->weigh(row, a, alpha, slopes, whole);
	for (size_t i = whole; i < n; i++)
		row[i] = (a * alpha[i] - row[i]) * slopes[i];
}

double kernel_pull(const double *weights, const double *Zk, double z, size_t n)
{
	const size_t whole = n / KERNEL_LANES * KERNEL_LANES;
	double sum = loops()->pull(weights, Zk, z, whole);

	for (size_t i = whole; i < n; i++)
		sum += weights[i] * (z - Zk[i]);
	return sum;
}

double kernel_sum_where_different(const double *weights, const double *Zk, double z, size_t n)
{
	const size_t whole = n / KERNEL_LANES * KERNEL_LANES;
	double sum = loops()->sum_where_different(weights, Zk, z, whole);

	for (size_t i = whole; i < n; i++)
		sum += Zk[i] != z ? weights[i] : 0;
	return sum;
}
