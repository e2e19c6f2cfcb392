#include "surrogate/factor.h"

#include "surrogate/factor_loops.h"
#include "surrogate/small_factor.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Rows and columns per block: of inverses, and of factors. */
enum { BLOCK = SMALL_FACTOR_MAX, FACTOR_BLOCK = 32 };

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

/* ---- products in a fixed order ---- */

/* A strip of this many rows stays in a core's first-level cache, in the order in which the loops
 * read it. */
enum { STRIP_ROWS = 128 };

/* KERNEL_LANES columns, of at most STRIP_ROWS rows. */
struct strip {
	double numbers[STRIP_ROWS * KERNEL_LANES];
};

static void copy_columns(
	const double *from, size_t from_row, size_t columns, size_t rows, double *to, size_t to_row)
{
	for (size_t i = 0; i < rows; i++)
		memcpy(to + i * to_row, from + i * from_row, columns * sizeof(*to));
}

static void pack(const double *from, size_t stride, size_t rows, struct strip *ret)
{
	copy_columns(from, stride, KERNEL_LANES, rows, ret->numbers, KERNEL_LANES);
}

/* A strip of the transposed matrix: its columns are `columns` rows of A, then zeros. (A loop over
 * all eight has a constant length, which is faster.) */
static void pack_transposed(
	const double *A, size_t stride, size_t columns, size_t rows, struct strip *ret)
{
	double *to = ret->numbers;

	for (size_t i = 0; i < rows && columns == KERNEL_LANES; i++)
		for (size_t c = 0; c < KERNEL_LANES; c++)
			to[i * KERNEL_LANES + c] = A[c * stride + i];
	for (size_t i = 0; i < rows && columns < KERNEL_LANES; i++)
		for (size_t c = 0; c < KERNEL_LANES; c++)
			to[i * KERNEL_LANES + c] = c < columns ? A[c * stride + i] : 0;
}

static size_t at_most(size_t n, size_t most)
{
	return n < most ? n : most;
}

/* Subtracts, in the columns of block j and the rows from it on, the contribution of `terms`
 * finished columns from k on. It works on a part of the rows at a time, which stays in the
 * second-level cache for all strips. */
static void take_off(double *A, size_t stride, size_t n, size_t j, size_t k, size_t terms)
{
	const size_t width = at_most(n - j, FACTOR_BLOCK);
	struct strip strips[FACTOR_BLOCK / KERNEL_LANES];

	for (size_t c = 0; c < width; c += KERNEL_LANES)
		pack_transposed(A + (j + c) * stride + k, stride, at_most(width - c, KERNEL_LANES),
			terms, &strips[c / KERNEL_LANES]);
	for (size_t i = j; i < n; i += BLOCK)
		for (size_t c = 0; c < width; c += KERNEL_LANES)
			LOOPS_OF_CPU(factor_loops)
				->subtract_product(&(struct product){ A + i * stride + k, stride,
					strips[c / KERNEL_LANES].numbers, A + i * stride + j + c,
					stride, at_most(n - i, BLOCK), terms });
}

/* B = B T' for many rows; T a lower triangle of n <= STRIP_ROWS rows. From right to left: numbers
 * of a row that are needed later are left of those written. */
static void multiply_by_transposed(
	const double *T, size_t t_stride, size_t n, double *B, size_t stride, size_t rows)
{
	struct strip strip;

	for (size_t c = kernel_stride(n); c > 0; c -= KERNEL_LANES) {
		const size_t first = c - KERNEL_LANES, terms = at_most(c, n);

		pack_transposed(T + first * t_stride, t_stride, at_most(n - first, KERNEL_LANES),
			terms, &strip);
		LOOPS_OF_CPU(factor_loops)
			->set_product(&(struct product){
				B, stride, strip.numbers, B + first, stride, rows, terms });
	}
}

/* Block columns from left to right: subtracts the contribution of earlier columns, factors the
 * block on the diagonal, and computes the rows below it by a product with the inverse of that
 * block. */
static bool cholesky(double *A, size_t stride, size_t n)
{
	double inverse[FACTOR_BLOCK * FACTOR_BLOCK];

	for (size_t j = 0; j < n; j += FACTOR_BLOCK) {
		const size_t rows = n - j, width = at_most(rows, FACTOR_BLOCK);
		double *block = A + j * stride + j;

		for (size_t k = 0; k < j; k += STRIP_ROWS)
			take_off(A, stride, n, j, k, at_most(j - k, STRIP_ROWS));
		if (!small_cholesky(block, stride, width))
			return false;
		if (rows > width) {
			small_inverse(block, stride, width, inverse, FACTOR_BLOCK);
			multiply_by_transposed(inverse, FACTOR_BLOCK, width, block + width * stride,
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

/* A strip of columns from c on in block row i, of `rows` rows: X_i = -L_ii^-1 sum_k L_ik X_k over
 * the block rows k above. L_ii^-1 is already in X. */
static void invert_strip(
	const double *L, size_t stride, size_t i, size_t rows, size_t c, double *X, size_t x_stride)
{
	const struct factor_loops *loops = LOOPS_OF_CPU(factor_loops);
	const double *own = X + i * x_stride + i;
	double sums[BLOCK * KERNEL_LANES] = { 0 };
	struct strip strip;

	for (size_t k = c; k < i; k += STRIP_ROWS) {
		const size_t terms = at_most(i - k, STRIP_ROWS);

		pack(X + k * x_stride + c, x_stride, terms, &strip);
		loops->subtract_product(&(struct product){ L + i * stride + k, stride,
			strip.numbers, sums, KERNEL_LANES, rows, terms });
	}
	for (size_t r = 0; r < rows; r += KERNEL_LANES)
		loops->set_product(&(struct product){ own + r * x_stride, x_stride, sums,
			X + (i + r) * x_stride + c, x_stride, at_most(rows - r, KERNEL_LANES),
			at_most(r + KERNEL_LANES, rows) });
}

void factor_invert_triangle(
	const double *L, size_t stride, size_t n, double *ret_inverse, size_t inverse_stride)
{
	for (size_t i = 0; i < n; i += BLOCK) {
		const size_t rows = at_most(n - i, BLOCK);

		small_inverse(L + i * stride + i, stride, rows,
			ret_inverse + i * inverse_stride + i, inverse_stride);
		for (size_t c = 0; c < i; c += KERNEL_LANES)
			invert_strip(L, stride, i, rows, c, ret_inverse, inverse_stride);
	}
}

/* A strip of X' X, columns from c on and rows from c on: the sums of row i are over the rows of X
 * from i's block on. */
static void square_strip(const double *X, size_t stride, size_t n, size_t c, double *ret)
{
	struct strip strip;

	for (size_t i = c; i < n; i++)
		memset(ret + i * stride + c, 0, KERNEL_LANES * sizeof(*ret));
	for (size_t k = c; k < n; k += STRIP_ROWS) {
		const size_t next = at_most(k + STRIP_ROWS, n);

		pack(X + k * stride + c, stride, next - k, &strip);
		for (size_t i = c; i < next; i += KERNEL_LANES) {
			const size_t from = i < k ? k : i;

			LOOPS_OF_CPU(factor_loops)
				->add_product_transposed(&(struct product){ X + from * stride + i,
					stride, strip.numbers + (from - k) * KERNEL_LANES,
					ret + i * stride + c, stride, at_most(n - i, KERNEL_LANES),
					next - from });
		}
	}
}

void factor_invert(const double *L, size_t stride, size_t n, double *ret_inverse, double *scratch)
{
	factor_invert_triangle(L, stride, n, scratch, stride);
	for (size_t c = 0; c < n; c += KERNEL_LANES)
		square_strip(scratch, stride, n, c, ret_inverse);
}

/* A strip of the whole matrix: columns from c on, `rows` rows from `first` on. */
static void pack_symmetric(const double *S, size_t stride, size_t n, size_t c, size_t first,
	size_t rows, struct strip *ret)
{
	for (size_t r = 0; r < rows; r++) {
		const size_t i = first + r, lower = i < c ? 0 : at_most(i + 1 - c, KERNEL_LANES);
		double *row = ret->numbers + r * KERNEL_LANES;

		if (lower == KERNEL_LANES) {
			memcpy(row, S + i * stride + c, KERNEL_LANES * sizeof(double));
			continue;
		}
		for (size_t l = 0; l < KERNEL_LANES; l++)
			row[l] = l < lower   ? S[i * stride + c + l]
				 : c + l < n ? S[(c + l) * stride + i]
					     : 0;
	}
}

void factor_multiply_symmetric(const double *S, size_t stride, size_t n, const double *B,
	size_t row, size_t m, double *ret)
{
	struct strip strip;

	for (size_t r = 0; r < m; r++)
		memset(ret + r * row, 0, kernel_stride(n) * sizeof(*ret));
	for (size_t k = 0; k < n; k += STRIP_ROWS)
		for (size_t c = 0; c < n; c += KERNEL_LANES) {
			const size_t terms = at_most(n - k, STRIP_ROWS);

			pack_symmetric(S, stride, n, c, k, terms, &strip);
			LOOPS_OF_CPU(factor_loops)
				->add_product(&(struct product){
					B + k, row, strip.numbers, ret + c, row, m, terms });
		}
}

/* Adds a product to the `columns` columns of C; C has no room behind its last one. */
static void add_strip(const double *A, size_t a_row, size_t m, const struct strip *strip,
	size_t terms, size_t columns, double *C, size_t c_row)
{
	double sums[BLOCK * KERNEL_LANES] = { 0 };

	for (size_t i = 0; i < m; i += BLOCK) {
		const size_t rows = at_most(m - i, BLOCK);

		copy_columns(C + i * c_row, c_row, columns, rows, sums, KERNEL_LANES);
		LOOPS_OF_CPU(factor_loops)
			->add_product(&(struct product){ A + i * a_row, a_row, strip->numbers, sums,
				KERNEL_LANES, rows, terms });
		copy_columns(sums, KERNEL_LANES, columns, rows, C + i * c_row, c_row);
	}
}

void factor_add_product(const double *A, size_t a_row, size_t m, const double *B, size_t b_row,
	size_t n, size_t k, double *C, size_t c_row)
{
	struct strip strip;

	for (size_t c = 0; c < n; c += KERNEL_LANES)
		for (size_t from = 0; from < k; from += STRIP_ROWS) {
			const size_t columns = at_most(n - c, KERNEL_LANES);
			const size_t terms = at_most(k - from, STRIP_ROWS);

			pack_transposed(B + c * b_row + from, b_row, columns, terms, &strip);
			add_strip(A + from, a_row, m, &strip, terms, columns, C + c, c_row);
		}
}

void factor_multiply_rows(
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
	LOOPS_OF_CPU(factor_loops)->solve_transposed(L, stride, n, B, row, m);
}

void factor_backward_rows(const double *L, size_t stride, size_t n, double *B, size_t row, size_t m)
{
	LOOPS_OF_CPU(factor_loops)->solve(L, stride, n, B, row, m);
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
