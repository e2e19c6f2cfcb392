/* surrogate/small_factor.h: factors and inverses of small matrices. Built several times, as test_kernel.c is: the
 * checksum is one constant for all of them. */
#include "surrogate/small_factor.h"

#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { N = SMALL_FACTOR_MAX, STRIDE = N + KERNEL_LANES };

/* A positive definite matrix of n rows, B B' / n + 1/10, B random; NAN above the diagonal. */
static void make(size_t n, double A[N * STRIDE])
{
	double B[N][N];
	struct random random;

	random_init(&random, (struct random_key){ .seed = n, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			B[i][j] = random_uniform(&random) - 0.5;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < STRIDE; j++) {
			double sum = i == j ? 0.1 : 0;

			for (size_t k = 0; j <= i && k < n; k++)
				sum += B[i][k] * B[j][k] / (double)n;
			A[i * STRIDE + j] = j <= i ? sum : NAN;
		}
}

static void the_factor_multiplies_to_the_matrix(void **state)
{
	static double A[N * STRIDE], L[N * STRIDE];

	for (size_t n = 1; n <= N; n++) {
		make(n, A);
		memcpy(L, A, sizeof(A));
		assert_true(small_cholesky(L, STRIDE, n));
		for (size_t i = 0; i < n; i++) {
			for (size_t j = 0; j <= i; j++) {
				double sum = 0;

				for (size_t k = 0; k <= j; k++)
					sum += L[i * STRIDE + k] * L[j * STRIDE + k];
				assert_true(fabs(sum - A[i * STRIDE + j]) < 1e-14);
			}
			/* What is above the diagonal is left alone. */
			assert_true(isnan(L[i * STRIDE + i + 1]));
		}
	}
}

static void the_inverse_multiplies_to_one(void **state)
{
	static double L[N * STRIDE], X[N * STRIDE];

	for (size_t n = 1; n <= N; n++) {
		make(n, L);
		memset(X, 0, sizeof(X));
		assert_true(small_cholesky(L, STRIDE, n));
		small_inverse(L, STRIDE, n, X, STRIDE);
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n; j++) {
				double sum = 0;

				for (size_t k = j; k <= i; k++)
					sum += L[i * STRIDE + k] * X[k * STRIDE + j];
				assert_true(fabs(sum - (i == j)) < 1e-12);
				assert_true(j <= i || X[i * STRIDE + j] == 0);
			}
	}
}

static void what_is_not_positive_definite_is_refused(void **state)
{
	static const double bad[] = { 0, -1, NAN, INFINITY, -INFINITY };
	static double A[N * STRIDE];

	for (size_t b = 0; b < sizeof(bad) / sizeof(*bad); b++)
		for (size_t at = 0; at < N; at += 9) {
			make(N, A);
			A[at * STRIDE + at] = bad[b];
			assert_false(small_cholesky(A, STRIDE, N));
		}
	/* A number that is not one, anywhere below the diagonal. */
	make(N, A);
	A[40 * STRIDE + 3] = NAN;
	assert_false(small_cholesky(A, STRIDE, N));
}

/* FNV-1a, over the lower half. */
static uint64_t checksum(uint64_t hash, const double *A, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j <= i; j++) {
			uint64_t bits;

			memcpy(&bits, &A[i * STRIDE + j], sizeof(bits));
			hash = (hash ^ bits) * 0x100000001b3u;
		}
	return hash;
}

static void bits_are_those_of_every_build(void **state)
{
	static double L[N * STRIDE], X[N * STRIDE];
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t n = 1; n <= N; n += 7) {
		make(n, L);
		assert_true(small_cholesky(L, STRIDE, n));
		small_inverse(L, STRIDE, n, X, STRIDE);
		hash = checksum(checksum(hash, L, n), X, n);
	}
	assert_int_equal(hash, 0xbd527c7037edc102);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_factor_multiplies_to_the_matrix),
		cmocka_unit_test(the_inverse_multiplies_to_one),
		cmocka_unit_test(what_is_not_positive_definite_is_refused),
		cmocka_unit_test(bits_are_those_of_every_build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
