/* surrogate/factor.h: Cholesky factors of covariance matrices. Built several times, as test_kernel.c is. */
#include "surrogate/factor.h"

#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* On both sides of the blocks and strips that large ones are put together from, and of whole vectors. */
static const size_t SIZES[] = { 1, 2, 7, 8, 9, 31, 33, 63, 64, 65, 128, 150, 293 };
enum { N_SIZES = sizeof(SIZES) / sizeof(*SIZES), D = 2 };

/* K and its factor for n random points. */
struct fixture {
	size_t n, stride;
	double *K, *L, *G, *noise;
};

static double *allocate(size_t rows, size_t columns)
{
	double *numbers = factor_allocate(rows, columns);

	assert_non_null(numbers);
	return numbers;
}

static struct fixture setup(size_t n)
{
	static const enum dimension_kind kinds[] = { DIMENSION_NUMERIC, DIMENSION_NUMERIC };
	static const double inverse_lengths[] = { 2, 3 };
	const struct kernel kernel = { D, kinds, inverse_lengths };
	const size_t stride = kernel_stride(n);
	struct fixture f = { n, stride, allocate(n, stride), allocate(n, stride),
		allocate(n, stride), allocate(1, n) };
	double *X = allocate(n, D), *Z = allocate(D, stride), z[D], jitter = -1;
	struct random random;

	random_init(&random, (struct random_key){ .seed = n, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < n * D; i++)
		X[i] = random_uniform(&random);
	for (size_t i = 0; i < n; i++)
		f.noise[i] = 0.01 * (1 + random_uniform(&random));
	kernel_scale(&kernel, X, n, Z, stride);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < D; k++)
			z[k] = Z[k * stride + i];
		kernel_row(&kernel, Z, stride, n, z, f.K + i * stride, NULL);
		f.K[i * stride + i] += f.noise[i];
	}
	assert_true(factor_covariance(&kernel, Z, stride, n, f.noise, z, f.L, f.G, &jitter));
	assert_true(jitter == 0);
	free(X);
	free(Z);
	return f;
}

static void finish(struct fixture *f)
{
	free(f->K);
	free(f->L);
	free(f->G);
	free(f->noise);
}

static double at(const struct fixture *f, const double *A, size_t i, size_t j)
{
	return A[i * f->stride + j];
}

static void the_factor_multiplies_to_the_matrix(void **state)
{
	for (size_t s = 0; s < N_SIZES; s++) {
		struct fixture f = setup(SIZES[s]);

		for (size_t i = 0; i < f.n; i++)
			for (size_t j = 0; j <= i; j++) {
				double sum = 0;

				for (size_t k = 0; k <= j; k++)
					sum += at(&f, f.L, i, k) * at(&f, f.L, j, k);
				assert_true(fabs(sum - at(&f, f.K, i, j)) < 1e-13);
			}
		finish(&f);
	}
}

static void the_inverse_multiplies_to_one(void **state)
{
	for (size_t s = 0; s < N_SIZES; s++) {
		struct fixture f = setup(SIZES[s]);

		double *inverse = allocate(f.n, f.stride), *scratch = allocate(f.n, f.stride);

		/* (What is there does not matter.) */
		for (size_t i = 0; i < f.n * f.stride; i++)
			inverse[i] = scratch[i] = NAN;
		factor_invert(f.L, f.stride, f.n, inverse, scratch);
		for (size_t i = 0; i < f.n; i++)
			for (size_t j = 0; j < f.n; j++) {
				double sum = 0;

				for (size_t k = 0; k < f.n; k++)
					sum += at(&f, f.K, i, k) * (k < j ? at(&f, inverse, j, k)
									  : at(&f, inverse, k, j));
				assert_true(fabs(sum - (i == j)) < 1e-10);
			}
		free(inverse);
		free(scratch);
		finish(&f);
	}
}

/* Forward and backward give K^-1 b, one vector or many rows. */
static void solving_undoes_multiplying(void **state)
{
	enum { ROWS = 3 };

	for (size_t s = 0; s < N_SIZES; s++) {
		struct fixture f = setup(SIZES[s]);
		double *b = allocate(1, f.n), *rows = allocate(ROWS, f.stride);

		for (size_t i = 0; i < f.n; i++)
			for (size_t k = 0; k < f.n; k++)
				b[i] += at(&f, f.K, i, k) * sin((double)k);
		for (size_t r = 0; r < ROWS; r++)
			for (size_t i = 0; i < f.n; i++)
				rows[r * f.stride + i] = (double)(r + 1) * b[i];
		factor_forward(f.L, f.stride, f.n, b);
		factor_forward_rows(f.L, f.stride, f.n, rows, f.stride, ROWS);
		for (size_t i = 0; i < ROWS * f.n; i++)
			assert_true(fabs(rows[i / f.n * f.stride + i % f.n] -
					    (double)(i / f.n + 1) * b[i % f.n]) < 1e-11);
		factor_backward(f.L, f.stride, f.n, b);
		factor_backward_rows(f.L, f.stride, f.n, rows, f.stride, ROWS);
		for (size_t i = 0; i < f.n; i++) {
			assert_true(fabs(b[i] - sin((double)i)) < 1e-10);
			assert_true(fabs(rows[f.stride + i] - 2 * b[i]) < 1e-10);
		}
		free(b);
		free(rows);
		finish(&f);
	}
}

/* Products with the inverse are what substitutions give; and what becomes of a row depends on no other. */
static void the_inverse_triangle_solves_as_substitution_does(void **state)
{
	enum { ROWS = 11 };

	for (size_t s = 0; s < N_SIZES; s++) {
		struct fixture f = setup(SIZES[s]);
		double *inverse = allocate(f.n, f.stride), *a = allocate(ROWS, f.stride),
		       *b = allocate(ROWS, f.stride), *c = allocate(ROWS, f.stride),
		       *d = allocate(ROWS, f.stride);

		factor_invert_triangle(f.L, f.stride, f.n, inverse, f.stride);
		for (int transposed = 0; transposed < 2; transposed++) {
			for (size_t i = 0; i < ROWS * f.stride; i++)
				a[i] = b[i] = c[i] = d[i] = i % f.stride < f.n ? cos((double)i) : 0;
			factor_multiply_rows(inverse, f.stride, f.n, transposed, a, f.stride, ROWS);
			(transposed ? factor_forward_rows : factor_backward_rows)(
				f.L, f.stride, f.n, b, f.stride, ROWS);
			/* One, two, three and five at once. */
			for (size_t from = 0, rows = 1; from < ROWS;
				from += rows, rows += rows < 3 ? 1 : 2) {
				factor_multiply_rows(inverse, f.stride, f.n, transposed,
					c + from * f.stride, f.stride, rows);
				(transposed ? factor_forward_rows : factor_backward_rows)(
					f.L, f.stride, f.n, d + from * f.stride, f.stride, rows);
			}
			for (size_t i = 0; i < ROWS * f.stride; i++)
				assert_true(fabs(a[i] - b[i]) < 1e-10);
			assert_memory_equal(a, c, ROWS * f.stride * sizeof(double));
			assert_memory_equal(b, d, ROWS * f.stride * sizeof(double));
		}
		free(inverse);
		free(d);
		free(c);
		free(a);
		free(b);
		finish(&f);
	}
}

static void products_with_a_symmetric_matrix_read_its_lower_half(void **state)
{
	enum { ROWS = 7 };

	for (size_t s = 0; s < N_SIZES; s++) {
		struct fixture f = setup(SIZES[s]);
		double *B = allocate(ROWS, f.stride), *product = allocate(ROWS, f.stride);

		for (size_t i = 0; i < ROWS * f.stride; i++)
			B[i] = cos((double)i);
		for (size_t i = 0; i < f.n; i++)
			for (size_t j = i + 1; j < f.stride; j++)
				f.G[i * f.stride + j] = NAN;
		factor_multiply_symmetric(f.G, f.stride, f.n, B, f.stride, ROWS, product);
		for (size_t r = 0; r < ROWS; r++)
			for (size_t j = 0; j < f.n; j++) {
				double sum = 0;

				for (size_t i = 0; i < f.n; i++)
					sum += B[r * f.stride + i] *
					       (i < j ? at(&f, f.G, j, i) : at(&f, f.G, i, j));
				assert_true(fabs(product[r * f.stride + j] - sum) < 1e-11);
			}
		free(B);
		free(product);
		finish(&f);
	}
}

static void products_with_rows_of_another_matrix_are_added(void **state)
{
	enum { M = 67, N = 13, K = 131, ROW = 140 };
	double *A = allocate(M, ROW), *B = allocate(N, ROW), *C = allocate(M, N);

	for (size_t i = 0; i < M * ROW; i++)
		A[i] = i % ROW < K ? cos((double)i) : NAN;
	for (size_t i = 0; i < N * ROW; i++)
		B[i] = i % ROW < K ? sin((double)i) : NAN;
	for (size_t i = 0; i < M * N; i++)
		C[i] = (double)i;
	factor_add_product(A, ROW, M, B, ROW, N, K, C, N);
	for (size_t i = 0; i < M; i++)
		for (size_t j = 0; j < N; j++) {
			double sum = (double)(i * N + j);

			for (size_t k = 0; k < K; k++)
				sum += A[i * ROW + k] * B[j * ROW + k];
			assert_true(C[i * N + j] == sum);
		}
	free(A);
	free(B);
	free(C);
}

/* FNV-1a. */
static uint64_t checksum(uint64_t hash, const double *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t bits;

		memcpy(&bits, &numbers[i], sizeof(bits));
		hash = (hash ^ bits) * 0x100000001b3u;
	}
	return hash;
}

static void products_and_solutions_have_the_bits_of_every_build(void **state)
{
	enum { ROWS = 11 };
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t s = 0; s < N_SIZES; s++) {
		const size_t n = SIZES[s], stride = kernel_stride(n);
		double *T = allocate(n, stride), *B = allocate(ROWS, stride);
		struct random random;

		random_init(&random, (struct random_key){ .seed = n, .purpose = RANDOM_TEST });
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j <= i; j++)
				T[i * stride + j] = random_uniform(&random) - 0.5 + 2 * (i == j);
		for (size_t i = 0; i < ROWS; i++)
			for (size_t j = 0; j < n; j++)
				B[i * stride + j] = random_uniform(&random);
		factor_multiply_rows(T, stride, n, true, B, stride, ROWS);
		hash = checksum(hash, B, ROWS * stride);
		factor_multiply_rows(T, stride, n, false, B, stride, ROWS);
		hash = checksum(hash, B, ROWS * stride);
		/* (What lies above the diagonal does not matter.) */
		for (size_t i = 0; i < n; i++)
			for (size_t j = i + 1; j < stride; j++)
				T[i * stride + j] = NAN;
		factor_forward_rows(T, stride, n, B, stride, ROWS);
		hash = checksum(hash, B, ROWS * stride);
		factor_backward_rows(T, stride, n, B, stride, ROWS);
		hash = checksum(hash, B, ROWS * stride);
		free(T);
		free(B);
	}
	assert_int_equal(hash, 0x69cde1f354367892);
}

static void factors_and_inverses_have_the_bits_of_every_build(void **state)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t s = 0; s < N_SIZES; s++) {
		struct fixture f = setup(SIZES[s]);
		double *inverse = allocate(f.n, f.stride), *scratch = allocate(f.n, f.stride),
		       *product = allocate(1, f.stride);

		factor_invert(f.L, f.stride, f.n, inverse, scratch);
		for (size_t i = 0; i < f.n; i++) {
			hash = checksum(hash, f.L + i * f.stride, i + 1);
			hash = checksum(hash, inverse + i * f.stride, i + 1);
		}
		factor_multiply_symmetric(inverse, f.stride, f.n, f.noise, f.stride, 1, product);
		hash = checksum(hash, product, f.n);
		free(inverse);
		free(scratch);
		free(product);
		finish(&f);
	}
	assert_int_equal(hash, 0x990d8d2c64803326);
}

static void the_constant_is_the_most_likely_one(void **state)
{
	for (size_t s = 0; s < N_SIZES; s++) {
		struct fixture f = setup(SIZES[s]);
		double *y = allocate(1, f.n), *b = allocate(1, f.n), *scratch = allocate(1, f.n);
		double sum = 0, c;

		for (size_t i = 0; i < f.n; i++)
			y[i] = 3 + cos((double)i);
		c = factor_constant(f.L, f.stride, f.n, y, b, scratch);

		/* Where b'b is least 1'K^-1 (y - c 1) vanishes; the whitened residual is b. */
		for (size_t i = 0; i < f.n; i++)
			y[i] -= c;
		factor_forward(f.L, f.stride, f.n, y);
		for (size_t i = 0; i < f.n; i++)
			assert_true(fabs(y[i] - b[i]) < 1e-10);
		factor_backward(f.L, f.stride, f.n, b);
		for (size_t i = 0; i < f.n; i++)
			sum += b[i];
		assert_true(fabs(sum) < 1e-9);
		free(y);
		free(b);
		free(scratch);
		finish(&f);
	}
}

static void extending_gives_the_next_row(void **state)
{
	for (size_t s = 1; s < N_SIZES; s++) {
		struct fixture f = setup(SIZES[s]);
		const size_t last = f.n - 1;
		double *row = allocate(1, f.stride);

		memcpy(row, f.K + last * f.stride, last * sizeof(double));
		assert_true(factor_extend(
			f.L, f.stride, last, row, at(&f, f.K, last, last), f.noise[last]));
		for (size_t j = 0; j <= last; j++)
			assert_true(fabs(row[j] - at(&f, f.L, last, j)) < 1e-12);
		free(row);
		finish(&f);
	}
}

/* Rounding may take the rest of a known point's variance below its noise, or below zero. */
static void extending_never_goes_below_the_noise(void **state)
{
	static const double L[] = { 1, 0, 0, 0, 0, 0, 0, 0 };
	double known[8] = { 1 }, rounded[8] = { 1 + 1e-9 }, not_a_number[8] = { NAN };

	assert_true(factor_extend(L, 8, 1, known, 1, 1e-6));
	assert_true(known[1] == sqrt(1e-6));
	assert_true(factor_extend(L, 8, 1, rounded, 1 + 1e-9, 1e-6));
	assert_true(rounded[1] == sqrt(1e-6));
	assert_false(factor_extend(L, 8, 1, not_a_number, 1, 1e-6));
}

static void impossible_sizes_are_refused(void **state)
{
	assert_null(factor_allocate(SIZE_MAX / 4, 100));
	assert_null(factor_allocate(SIZE_MAX, SIZE_MAX));
	free(allocate(0, 5));
	free(allocate(5, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_factor_multiplies_to_the_matrix),
		cmocka_unit_test(the_inverse_multiplies_to_one),
		cmocka_unit_test(solving_undoes_multiplying),
		cmocka_unit_test(the_inverse_triangle_solves_as_substitution_does),
		cmocka_unit_test(products_with_a_symmetric_matrix_read_its_lower_half),
		cmocka_unit_test(products_with_rows_of_another_matrix_are_added),
		cmocka_unit_test(products_and_solutions_have_the_bits_of_every_build),
		cmocka_unit_test(factors_and_inverses_have_the_bits_of_every_build),
		cmocka_unit_test(the_constant_is_the_most_likely_one),
		cmocka_unit_test(extending_gives_the_next_row),
		cmocka_unit_test(extending_never_goes_below_the_noise),
		cmocka_unit_test(impossible_sizes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
