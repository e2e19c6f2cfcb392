#include "surrogate/factor_loops.h"

#include "surrogate/lanes.h"

#include <stdbool.h>

/* Rows of B at a time, a constant: their sums stay in registers, and each load of T serves all of
 * them. */
enum { ROWS = 4 };

/* Block c of the rows: sum_j b_j T_jc, j from the block's first row on. Entries of b that are
 * needed later are behind the block. */
INLINE void multiply_block(
	const double *T, size_t stride, size_t n, size_t c, double *B, size_t row, size_t rows)
{
	lanes sums[ROWS][VECTORS] = { 0 };

	for (size_t j = c; j < n; j++) {
		const double *block = T + j * stride + c;

		for (size_t r = 0; r < rows; r++)
			for (size_t v = 0; v < VECTORS; v++)
				sums[r][v] += B[r * row + j] * load(block + v * LANES);
	}
	for (size_t r = 0; r < rows; r++)
		for (size_t v = 0; v < VECTORS; v++)
			store(B + r * row + c + v * LANES, sums[r][v]);
}

INLINE void multiply_rows(
	const double *T, size_t stride, size_t n, double *B, size_t row, size_t rows)
{
	for (size_t c = 0; c < n; c += KERNEL_LANES)
		multiply_block(T, stride, n, c, B, row, rows);
}

/* sum_k b_k t_k of each row over whole blocks. */
INLINE void row_sums(const double *t, size_t n, const double *B, size_t row, size_t rows,
	lanes ret_sums[ROWS][VECTORS])
{
	for (size_t k = 0; k < n; k += KERNEL_LANES)
		for (size_t v = 0; v < VECTORS; v++) {
			const size_t at = k + v * LANES;
			const lanes by = load(t + at);

			for (size_t r = 0; r < rows; r++)
				ret_sums[r][v] += by * load(B + r * row + at);
		}
}

/* Entry j of the rows: sum_k b_k T_jk, k up to j. Entries of b that are needed later are before
 * j. */
INLINE void multiply_rows_transposed(
	const double *T, size_t stride, size_t n, double *B, size_t row, size_t rows)
{
	for (size_t j = n; j-- > 0;) {
		lanes sums[ROWS][VECTORS] = { 0 };

		row_sums(T + j * stride, j + 1, B, row, rows, sums);
		for (size_t r = 0; r < rows; r++)
			B[r * row + j] = sum_of(sums[r]);
	}
}

static size_t block_of(size_t j)
{
	return j / KERNEL_LANES * KERNEL_LANES;
}

/* x_j = (b_j - sum_k x_k T_jk) / T_jj, k before j: within j's block one by one, since T need not
 * have zeros there. */
INLINE void solve_rows_transposed(
	const double *T, size_t stride, size_t n, double *B, size_t row, size_t rows)
{
	for (size_t j = 0; j < n; j++) {
		const double *t = T + j * stride;
		lanes sums[ROWS][VECTORS] = { 0 };

		row_sums(t, block_of(j), B, row, rows, sums);
		for (size_t r = 0; r < rows; r++) {
			double *b = B + r * row, left = b[j] - sum_of(sums[r]);

			for (size_t k = block_of(j); k < j; k++)
				left -= b[k] * t[k];
			b[j] = left / t[j];
		}
	}
}

/* Entries first to end of the rows, a block or its beginning, after all entries behind them have
 * been subtracted. */
INLINE void solve_block(const double *T, size_t stride, size_t first, size_t end, double *B,
	size_t row, size_t rows)
{
	for (size_t j = end; j-- > first;) {
		const double *t = T + j * stride;

		for (size_t r = 0; r < rows; r++) {
			double *b = B + r * row;

			b[j] /= t[j];
			for (size_t k = first; k < j; k++)
				b[k] -= b[j] * t[k];
		}
	}
}

/* x_j = (b_j - sum_k x_k T_kj) / T_jj, k behind j: each block, once known, is subtracted from those
 * before it. */
INLINE void solve_rows(const double *T, size_t stride, size_t n, double *B, size_t row, size_t rows)
{
	for (size_t first, end = n; end > 0; end = first) {
		first = block_of(end - 1);
		solve_block(T, stride, first, end, B, row, rows);
		for (size_t c = 0; c < first; c += KERNEL_LANES) {
			lanes sums[ROWS][VECTORS];

			for (size_t r = 0; r < rows; r++)
				for (size_t v = 0; v < VECTORS; v++)
					sums[r][v] = load(B + r * row + c + v * LANES);
			for (size_t j = end; j-- > first;)
				for (size_t r = 0; r < rows; r++)
					for (size_t v = 0; v < VECTORS; v++)
						sums[r][v] -= B[r * row + j] *
							      load(T + j * stride + c + v * LANES);
			for (size_t r = 0; r < rows; r++)
				for (size_t v = 0; v < VECTORS; v++)
					store(B + r * row + c + v * LANES, sums[r][v]);
		}
	}
}

enum operation { MULTIPLY, MULTIPLY_TRANSPOSED, SOLVE, SOLVE_TRANSPOSED };

INLINE void operate(const double *T, size_t stride, size_t n, enum operation operation, double *B,
	size_t row, size_t rows)
{
	switch (operation) {
	case MULTIPLY:
		multiply_rows(T, stride, n, B, row, rows);
		break;
	case MULTIPLY_TRANSPOSED:
		multiply_rows_transposed(T, stride, n, B, row, rows);
		break;
	case SOLVE:
		solve_rows(T, stride, n, B, row, rows);
		break;
	case SOLVE_TRANSPOSED:
		solve_rows_transposed(T, stride, n, B, row, rows);
		break;
	}
}

INLINE void operate_on_all(const double *T, size_t stride, size_t n, enum operation operation,
	double *B, size_t row, size_t m)
{
	for (; m >= ROWS; m -= ROWS, B += ROWS * row)
		operate(T, stride, n, operation, B, row, ROWS);
	switch (m) {
	case 3:
		operate(T, stride, n, operation, B, row, 3);
		break;
	case 2:
		operate(T, stride, n, operation, B, row, 2);
		break;
	case 1:
		operate(T, stride, n, operation, B, row, 1);
		break;
	}
}

static void multiply(const double *T, size_t stride, size_t n, double *B, size_t row, size_t m)
{
	operate_on_all(T, stride, n, MULTIPLY, B, row, m);
}

static void multiply_transposed(
	const double *T, size_t stride, size_t n, double *B, size_t row, size_t m)
{
	operate_on_all(T, stride, n, MULTIPLY_TRANSPOSED, B, row, m);
}

static void solve(const double *T, size_t stride, size_t n, double *B, size_t row, size_t m)
{
	operate_on_all(T, stride, n, SOLVE, B, row, m);
}

static void solve_transposed(
	const double *T, size_t stride, size_t n, double *B, size_t row, size_t m)
{
	operate_on_all(T, stride, n, SOLVE_TRANSPOSED, B, row, m);
}

/* With this many rows at a time only one row of B still fits into the registers. */
enum { TILE_ROWS = LANES };
enum kind { SET, ADD, SUBTRACT, ADD_TRANSPOSED };

INLINE void product_tile(const struct product *p, enum kind kind, size_t first, size_t rows)
{
	const double *A = p->A + (kind == ADD_TRANSPOSED ? first : first * p->a_stride);
	const size_t row = kind == ADD_TRANSPOSED ? 1 : p->a_stride;
	const size_t term = kind == ADD_TRANSPOSED ? p->a_stride : 1;
	double *C = p->C + first * p->c_stride;
	lanes sums[TILE_ROWS][VECTORS] = { 0 };

	for (size_t r = 0; kind != SET && r < rows; r++)
		for (size_t v = 0; v < VECTORS; v++)
			sums[r][v] = load(C + r * p->c_stride + v * LANES);
	for (size_t k = 0; k < p->terms; k++)
		for (size_t r = 0; r < rows; r++)
			for (size_t v = 0; v < VECTORS; v++) {
				const lanes by = A[r * row + k * term] *
						 load(p->B + k * KERNEL_LANES + v * LANES);

				sums[r][v] += kind == SUBTRACT ? -by : by;
			}
	for (size_t r = 0; r < rows; r++)
		for (size_t v = 0; v < VECTORS; v++)
			store(C + r * p->c_stride + v * LANES, sums[r][v]);
}

INLINE void product_of(const struct product *p, enum kind kind)
{
	size_t i = 0;

	for (; p->rows - i >= TILE_ROWS; i += TILE_ROWS)
		product_tile(p, kind, i, TILE_ROWS);
	if (TILE_ROWS > 4 && p->rows - i >= 4) {
		product_tile(p, kind, i, 4);
		i += 4;
	}
	if (TILE_ROWS > 2 && p->rows - i >= 2) {
		product_tile(p, kind, i, 2);
		i += 2;
	}
	if (p->rows > i)
		product_tile(p, kind, i, 1);
}

static void set_product(const struct product *product)
{
	product_of(product, SET);
}

static void add_product(const struct product *product)
{
	product_of(product, ADD);
}

static void subtract_product(const struct product *product)
{
	product_of(product, SUBTRACT);
}

static void add_product_transposed(const struct product *product)
{
	product_of(product, ADD_TRANSPOSED);
}

const struct factor_loops LOOPS(factor_loops) = {
	.multiply = multiply,
	.multiply_transposed = multiply_transposed,
	.solve = solve,
	.solve_transposed = solve_transposed,
	.set_product = set_product,
	.add_product = add_product,
	.subtract_product = subtract_product,
	.add_product_transposed = add_product_transposed,
};
