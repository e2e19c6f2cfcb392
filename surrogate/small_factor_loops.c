#include "surrogate/small_factor_loops.h"

#include "surrogate/lanes.h"

#include <math.h>

/* Row j is subtracted from the rows below as soon as it is known. */
static bool cholesky(double *U, size_t n, size_t width)
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

			for (size_t c = small_factor_block_of(i); c < width; c += LANES)
				store(below + c, load(below + c) - by * load(row + c));
		}
	}
	return true;
}

enum { MOST_BLOCKS = 4 };

/* Row i of `blocks` blocks of columns from c on: x_i = (e_i - sum_j l_ij x_j) / l_ii over the rows
 * j above. */
INLINE void inverse_row(const double *L, size_t stride, size_t c, size_t blocks, size_t i,
	double *X, size_t inverse_stride)
{
	lanes sums[MOST_BLOCKS * VECTORS] = { 0 };
	const size_t vectors = blocks * VECTORS;
	const double diagonal = L[i * stride + i];
	double *row = X + i * inverse_stride + c;

	for (size_t j = c; j < i; j++) {
		const double by = L[i * stride + j], *above = X + j * inverse_stride + c;

		for (size_t v = 0; v < vectors; v++)
			sums[v] -= by * load(above + v * LANES);
	}
	for (size_t v = 0; v < vectors; v++)
		store(row + v * LANES, sums[v] / diagonal);
	if (i < c + blocks * KERNEL_LANES)
		row[i - c] = 1 / diagonal;
}

INLINE void inverse_columns(const double *L, size_t stride, size_t n, size_t c, size_t blocks,
	double *X, size_t inverse_stride)
{
	for (size_t i = c; i < n; i++)
		inverse_row(L, stride, c, blocks, i, X, inverse_stride);
}

/* A constant number of columns at a time, so that their part of a row stays in registers. */
static void inverse(const double *L, size_t stride, size_t n, double *X, size_t inverse_stride)
{
	const size_t width = kernel_stride(n);
	size_t c = 0;

	for (; width - c >= MOST_BLOCKS * KERNEL_LANES; c += MOST_BLOCKS * KERNEL_LANES)
		inverse_columns(L, stride, n, c, MOST_BLOCKS, X, inverse_stride);
	switch ((width - c) / KERNEL_LANES) {
	case 3:
		inverse_columns(L, stride, n, c, 3, X, inverse_stride);
		break;
	case 2:
		inverse_columns(L, stride, n, c, 2, X, inverse_stride);
		break;
	case 1:
		inverse_columns(L, stride, n, c, 1, X, inverse_stride);
		break;
	}
}

const struct small_factor_loops LOOPS(small_factor_loops) = {
	.cholesky = cholesky,
	.inverse = inverse,
};
