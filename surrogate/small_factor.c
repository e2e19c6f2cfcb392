#include "surrogate/small_factor.h"

#include "surrogate/small_factor_loops.h"

static const struct small_factor_loops *loops(void)
{
	return LOOPS_OF_CPU(small_factor_loops);
}

/* U = L', so that the loops run along rows. Row j begins with the vector that holds the diagonal;
 * its entries before the diagonal, and behind column n, are 0. */
static void transpose_in(const double *A, size_t stride, size_t n, size_t width, double *U)
{
	for (size_t j = 0; j < n; j++) {
		double *row = U + j * width;

		for (size_t i = small_factor_block_of(j); i < j; i++)
			row[i] = 0;
		for (size_t i = j; i < n; i++)
			row[i] = A[i * stride + j];
		for (size_t i = n; i < width; i++)
			row[i] = 0;
	}
}

static void transpose_out(const double *U, size_t n, size_t width, double *A, size_t stride)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j <= i; j++)
			A[i * stride + j] = U[j * width + i];
}

bool small_cholesky(double *A, size_t stride, size_t n)
{
	double U[SMALL_FACTOR_MAX * SMALL_FACTOR_MAX];
	const size_t width = kernel_stride(n);

	transpose_in(A, stride, n, width, U);
	if (!loops()->cholesky(U, n, width))
		return false;
	transpose_out(U, n, width, A, stride);
	return true;
}

void small_inverse(
	const double *L, size_t stride, size_t n, double *ret_inverse, size_t inverse_stride)
{
	loops()->inverse(L, stride, n, ret_inverse, inverse_stride);
}
