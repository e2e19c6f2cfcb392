#include "surrogate/small_factor.h"

#include "surrogate/lanes.h"

#include <math.h>

/* Whole vectors from the one that holds column i on. */
INLINE size_t vector_of(size_t i)
{
	return i / KERNEL_LANES * KERNEL_LANES;
}

/* U = L', so that rows are what the loops run along. Row j begins with the vector that holds the diagonal; what it
 * holds before it, and behind column n, is 0. */
INLINE void transpose_in(const double *A, size_t stride, size_t n, size_t width, double *U)
{
	for (size_t j = 0; j < n; j++) {
		double *row = U + j * width;

		for (size_t i = vector_of(j); i < j; i++)
			row[i] = 0;
		for (size_t i = j; i < n; i++)
			row[i] = A[i * stride + j];
		for (size_t i = n; i < width; i++)
			row[i] = 0;
	}
}

INLINE void transpose_out(const double *U, size_t n, size_t width, double *A, size_t stride)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j <= i; j++)
			A[i * stride + j] = U[j * width + i];
}

/* Row j is taken off the rows below it as soon as it is known. */
FOR_EACH_CPU
static bool factor_upper(double *U, size_t n, size_t width)
{
	for (size_t j = 0; j < n; j++) {
		double *row = U + j * width;

		if (!(row[j] > 0) || row[j] == INFINITY)
			return false;
		row[j] = sqrt(row[j]);
		for (size_t i = j + 1; i < n; i++)
			row[i] /= row[j];
		for (size_t i = j + 1; i < n; i++) {
			double *below = U + i * width;
			const double by = row[i];

			for (size_t c = vector_of(i); c < width; c += KERNEL_LANES)
				store(below + c, load(below + c) - by * load(row + c));
		}
	}
	return true;
}

bool small_cholesky(double *A, size_t stride, size_t n)
{
	double U[SMALL_FACTOR_MAX * SMALL_FACTOR_MAX];
	const size_t width = kernel_stride(n);

	transpose_in(A, stride, n, width, U);
	if (!factor_upper(U, n, width))
		return false;
	transpose_out(U, n, width, A, stride);
	return true;
}

/* Columns of the inverse are done so many at a time, their part of a row in registers. */
enum { VECTORS = 4, COLUMNS = VECTORS * KERNEL_LANES };

/* Row i of the columns from c on: x_i = (e_i - sum_j l_ij x_j) / l_ii over the rows j above. */
INLINE void inverse_row(const double *L, size_t stride, size_t c, size_t vectors, size_t i,
	double *X, size_t inverse_stride)
{
	lanes sums[VECTORS] = { { 0 } };
	const double diagonal = L[i * stride + i];
	double *row = X + i * inverse_stride + c;

	for (size_t j = c; j < i; j++) {
		const double by = L[i * stride + j], *above = X + j * inverse_stride + c;

		for (size_t v = 0; v < vectors; v++)
			sums[v] -= by * load(above + v * KERNEL_LANES);
	}
	for (size_t v = 0; v < vectors; v++)
		store(row + v * KERNEL_LANES, sums[v] / diagonal);
	if (i < c + vectors * KERNEL_LANES)
		row[i - c] = 1 / diagonal;
}

FOR_EACH_CPU
static void inverse_columns(
	const double *L, size_t stride, size_t n, double *X, size_t inverse_stride)
{
	const size_t width = kernel_stride(n);

	for (size_t c = 0; c < width; c += COLUMNS)
		for (size_t i = c; i < n; i++)
			if (width - c >= COLUMNS)
				inverse_row(L, stride, c, VECTORS, i, X, inverse_stride);
			else
				inverse_row(L, stride, c, (width - c) / KERNEL_LANES, i, X,
					inverse_stride);
}

void small_inverse(
	const double *L, size_t stride, size_t n, double *ret_inverse, size_t inverse_stride)
{
	inverse_columns(L, stride, n, ret_inverse, inverse_stride);
}
