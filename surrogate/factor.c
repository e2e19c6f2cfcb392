#include "surrogate/factor.h"

#include <gsl/gsl_cblas.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_matrix.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* LAPACK inside OpenBLAS; Debian builds it without the C interface. Fortran is column-major: our
 * lower triangle is its upper one. */
void dpotrf_(const char *uplo, const int *n, double *A, const int *lda, int *info);
void dtrtri_(
	const char *uplo, const char *diagonal, const int *n, double *A, const int *lda, int *info);
void dpotri_(const char *uplo, const int *n, double *A, const int *lda, int *info);

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

/* LAPACK refuses a pivot <= 0; NaN is neither, but one anywhere reaches the last pivot. */
static bool cholesky(double *A, size_t stride, size_t n)
{
	const int order = (int)n, lda = (int)stride;
	int info = 0;

	dpotrf_("U", &order, A, &lda, &info);
	return info == 0 && isfinite(A[(n - 1) * stride + n - 1]);
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

void factor_invert(double *L, size_t stride, size_t n)
{
	/* Measured with OpenBLAS 0.3.21 (Haswell kernels): LAPACK's is faster for small matrices,
	 * GSL's recursive one, which calls BLAS, for larger ones: 0.24 against 0.16 ms at n =
	 * 200. */
	enum { SMALL = 80 };

	if (n < SMALL) {
		const int order = (int)n, lda = (int)stride;
		int info = 0;

		dpotri_("U", &order, L, &lda, &info);
	} else {
		gsl_matrix_view A = gsl_matrix_view_array_with_tda(L, n, n, stride);

		gsl_linalg_tri_invert(CblasLower, CblasNonUnit, &A.matrix);
		gsl_linalg_tri_LTL(&A.matrix);
	}
}

void factor_invert_triangle(
	const double *L, size_t stride, size_t n, double *ret_inverse, size_t inverse_stride)
{
	const int order = (int)n, lda = (int)inverse_stride;
	int info = 0;

	for (size_t i = 0; i < n; i++)
		memcpy(ret_inverse + i * inverse_stride, L + i * stride, (i + 1) * sizeof(*L));
	dtrtri_("U", "N", &order, ret_inverse, &lda, &info);
}

void factor_multiply_rows(
	const double *T, size_t stride, size_t n, bool transposed, double *B, size_t row, size_t m)
{
	cblas_dtrmm(CblasRowMajor, CblasRight, CblasLower, transposed ? CblasTrans : CblasNoTrans,
		CblasNonUnit, (int)m, (int)n, 1, T, (int)stride, B, (int)row);
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
		for (size_t j = 0; j < i; j++)
			b[j] -= b[i] * row[j];
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
