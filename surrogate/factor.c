#include "surrogate/factor.h"

#include "surrogate/factor_loops.h"
#include "surrogate/small_factor.h"

#include <gsl/gsl_cblas.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* LAPACK inside OpenBLAS; Debian builds it without the C interface. Fortran is column-major: our
 * lower triangle is its upper one. */
void dlauum_(const char *uplo, const int *n, double *A, const int *lda, int *info);

enum { BLOCK = SMALL_FACTOR_MAX };

double *factor_allocate(size_t rows, size_t columns)
{
	const size_t alignment = KERNEL_LANES * sizeof(double);

	if (rows != 0 && columns > (SIZE_MAX / 2 / sizeof(double)) / rows)
		return NULL;
	const size_t bytes = (rows * columns * sizeof(double) / alignment + 1) * alignment;
	double *numbers = aligned_alloc(alignment, bytes);

	if (numbers)
		memset(numbers, 0, bytes);
	return numbers;
}

/* Block columns from left to right: what the columns before take off, in one product; the block on the diagonal; and
 * the rows below it, by a product with its inverse. Products are what BLAS does best: OpenBLAS's dpotrf, which solves
 * with the blocks instead, takes 1.3 to 1.4 times as long at 200 to 1,000 rows. */
static bool cholesky(double *A, size_t stride, size_t n)
{
	double inverse[BLOCK * BLOCK];

	for (size_t j = 0; j < n; j += BLOCK) {
		const size_t rows = n - j, width = rows < BLOCK ? rows : BLOCK;
		double *block = A + j * stride + j;

		if (j > 0)
			cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)width,
				(int)j, -1, A + j * stride, (int)stride, A + j * stride,
				(int)stride, 1, block, (int)stride);
		if (!small_cholesky(block, stride, width))
			return false;
		if (rows > width) {
			small_inverse(block, stride, width, inverse, BLOCK);
			factor_multiply_rows(inverse, BLOCK, width, true, block + width * stride,
				stride, rows - width);
		}
	}
	return true;
}

static void fill(const struct kernel *kernel, const double *Z, size_t stride, size_t n,
	const double *noise, double jitter, double *z, double *K, double *G)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < kernel->d; k++)
			z[k] = Z[k * stride + i];
		kernel_row(kernel, Z, stride, i + 1, z, K + i * stride, G ? G + i * stride : NULL);
		K[i * stride + i] += noise[i] + jitter;
	}
}

bool factor_covariance(const struct kernel *kernel, const double *Z, size_t stride, size_t n,
	const double *noise, double *z, double *K, double *G, double *ret_jitter)
{
	static const double jitters[] = { 0, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6 };

	for (size_t i = 0; i < sizeof(jitters) / sizeof(*jitters); i++) {
		fill(kernel, Z, stride, n, noise, jitters[i], z, K, G);
		if (cholesky(K, stride, n)) {
			*ret_jitter = jitters[i];
			return true;
		}
	}
	return false;
}

bool factor_extend(
	const double *L, size_t stride, size_t n, double *row, double diagonal, double noise)
{
	factor_forward(L, stride, n, row);

	const double square = diagonal - kernel_dot(row, row, n);

	row[n] = sqrt(square < noise ? noise : square);
	return isfinite(row[n]);
}

/* (A 0; B C)^-1 = (A^-1 0; -C^-1 B A^-1, C^-1). scratch: as large as ret_inverse. */
static void invert_triangle(const double *L, size_t stride, size_t n, double *ret_inverse,
	size_t inverse_stride, double *scratch)
{
	if (n <= BLOCK) {
		small_inverse(L, stride, n, ret_inverse, inverse_stride);
		return;
	}
	const size_t first = kernel_stride(n / 2), rest = n - first;
	const double *below = L + first * stride;
	double *ret_below = ret_inverse + first * inverse_stride;

	invert_triangle(L, stride, first, ret_inverse, inverse_stride, scratch);
	invert_triangle(below + first, stride, rest, ret_below + first, inverse_stride, scratch);
	cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rest, (int)first, (int)first, 1,
		below, (int)stride, ret_inverse, (int)inverse_stride, 0, scratch, (int)first);
	cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rest, (int)first, (int)rest, -1,
		ret_below + first, (int)inverse_stride, scratch, (int)first, 0, ret_below,
		(int)inverse_stride);
}

void factor_invert_triangle(const double *L, size_t stride, size_t n, double *ret_inverse,
	size_t inverse_stride, double *scratch)
{
	invert_triangle(L, stride, n, ret_inverse, inverse_stride, scratch);
}

void factor_invert(const double *L, size_t stride, size_t n, double *ret_inverse, double *scratch)
{
	const int order = (int)n, lda = (int)stride;
	int info = 0;

	invert_triangle(L, stride, n, ret_inverse, stride, scratch);
	dlauum_("U", &order, ret_inverse, &lda, &info);
}

void factor_multiply_rows(
	const double *T, size_t stride, size_t n, bool transposed, double *B, size_t row, size_t m)
{
	cblas_dtrmm(CblasRowMajor, CblasRight, CblasLower, transposed ? CblasTrans : CblasNoTrans,
		CblasNonUnit, (int)m, (int)n, 1, T, (int)stride, B, (int)row);
}

void factor_multiply_few_rows(
	const double *T, size_t stride, size_t n, bool transposed, double *B, size_t row, size_t m)
{
	const struct factor_loops *loops = LOOPS_OF_CPU(factor_loops);

	if (transposed)
		loops->multiply_transposed(T, stride, n, B, row, m);
	else
		loops->multiply(T, stride, n, B, row, m);
}

void factor_forward(const double *L, size_t stride, size_t n, double *b)
{
	for (size_t i = 0; i < n; i++)
		b[i] = (b[i] - kernel_dot(L + i * stride, b, i)) / L[i * stride + i];
}

void factor_backward(const double *L, size_t stride, size_t n, double *b)
{
	for (size_t i = n; i-- > 0;) {
		const double *row = L + i * stride;

		b[i] /= row[i];
		kernel_subtract(b, b[i], row, i);
	}
}

void factor_forward_rows(const double *L, size_t stride, size_t n, double *B, size_t row, size_t m)
{
	cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (int)m, (int)n,
		1, L, (int)stride, B, (int)row);
}

void factor_backward_rows(const double *L, size_t stride, size_t n, double *B, size_t row, size_t m)
{
	cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasNoTrans, CblasNonUnit, (int)m,
		(int)n, 1, L, (int)stride, B, (int)row);
}

double factor_constant(
	const double *L, size_t stride, size_t n, const double *y, double *ret_b, double *scratch)
{
	for (size_t i = 0; i < n; i++)
		scratch[i] = 1;
	memcpy(ret_b, y, n * sizeof(*y));
	factor_forward(L, stride, n, scratch);
	factor_forward(L, stride, n, ret_b);

	const double c = kernel_dot(scratch, ret_b, n) / kernel_dot(scratch, scratch, n);

	for (size_t i = 0; i < n; i++)
		ret_b[i] -= c * scratch[i];
	return c;
}
