/* surrogate/kernel.h: the covariance function. Built several times: with the loops as in the program,
 * where the CPU chooses the instructions, with AVX2 at most, and with the plain ones at -O0 and -O3. The
 * checksum below is one constant for all of them, and for every machine. */
#include "surrogate/kernel.h"

#include "base/random.h"

#include <gsl/gsl_eigen.h>
#include <gsl/gsl_matrix.h>
#include <gsl/gsl_vector.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { D = 5, N = 37, STRIDE = 40 };

/* Three numbers, two categories; N random points of it. */
struct fixture {
	enum dimension_kind kinds[D];
	double inverse_lengths[D];
	double X[N * D], Z[D * STRIDE];
	struct kernel kernel;
};

static void *allocate(size_t bytes)
{
	void *memory = calloc(1, bytes);

	assert_non_null(memory);
	return memory;
}

static int setup(void **state)
{
	struct fixture *f = allocate(sizeof(*f));
	struct random random;

	random_init(&random, (struct random_key){ .seed = 1, .purpose = RANDOM_TEST });
	for (size_t k = 0; k < D; k++) {
		f->kinds[k] = k % 2 ? DIMENSION_CATEGORY : DIMENSION_NUMERIC;
		f->inverse_lengths[k] = 0.5 + (double)k;
	}
	for (size_t i = 0; i < (size_t)N * D; i++)
		f->X[i] = i % D % 2 ? (double)random_below(&random, 3) : random_uniform(&random);
	f->kernel = (struct kernel){ D, f->kinds, f->inverse_lengths };
	kernel_scale(&f->kernel, f->X, N, f->Z, STRIDE);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void point(const struct fixture *f, size_t i, double *ret_z)
{
	for (size_t k = 0; k < D; k++)
		ret_z[k] = f->Z[k * STRIDE + i];
}

static bool same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static long double distance(const struct fixture *f, size_t i, size_t j)
{
	long double r2 = 0;

	for (size_t k = 0; k < D; k++) {
		const long double a = f->X[i * D + k], b = f->X[j * D + k];
		const long double w = f->inverse_lengths[k];

		r2 += w * w * (f->kinds[k] == DIMENSION_CATEGORY ? a != b : (a - b) * (a - b));
	}
	return sqrtl(5 * r2);
}

static void rows_follow_the_formula(void **state)
{
	const struct fixture *f = *state;
	double z[D], k[STRIDE], g[STRIDE];

	for (size_t i = 0; i < N; i++) {
		point(f, i, z);
		kernel_row(&f->kernel, f->Z, STRIDE, N, z, k, g);
		for (size_t j = 0; j < N; j++) {
			const long double rho = distance(f, i, j), e = expl(-rho);
			const double value = (double)(e * (1 + rho + rho * rho / 3));
			const double slope = (double)(5 * e * (1 + rho) / 3);

			assert_true(fabs(k[j] - value) <= 1e-14 * value);
			assert_true(fabs(g[j] - slope) <= 1e-14 * slope);
		}
	}
}

static void equal_points_have_covariance_one(void **state)
{
	const struct fixture *f = *state;
	double z[D], k[STRIDE];

	for (size_t i = 0; i < N; i++) {
		point(f, i, z);
		kernel_row(&f->kernel, f->Z, STRIDE, N, z, k, NULL);
		assert_true(same_bits(k[i], 1));
	}
}

static void covariances_are_symmetric_to_the_bit(void **state)
{
	const struct fixture *f = *state;
	double z[D], K[N][STRIDE];

	for (size_t i = 0; i < N; i++) {
		point(f, i, z);
		kernel_row(&f->kernel, f->Z, STRIDE, N, z, K[i], NULL);
	}
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < i; j++)
			assert_true(same_bits(K[i][j], K[j][i]));
}

/* A matrix that grows by a row has the bits of one made at once; with slopes or without. */
static void an_entry_depends_on_its_two_points_only(void **state)
{
	const struct fixture *f = *state;
	double z[D], all[STRIDE], all_g[STRIDE], k[STRIDE], g[STRIDE], shifted[D * STRIDE];

	kernel_scale(&f->kernel, f->X + 3 * D, N - 3, shifted, STRIDE);
	point(f, 5, z);
	kernel_row(&f->kernel, f->Z, STRIDE, N, z, all, all_g);
	for (size_t n = 1; n <= N; n++) {
		kernel_row(&f->kernel, f->Z, STRIDE, n, z, k, g);
		for (size_t j = 0; j < n; j++)
			assert_true(same_bits(k[j], all[j]) && same_bits(g[j], all_g[j]));
	}
	kernel_row(&f->kernel, shifted, STRIDE, N - 3, z, k, NULL);
	for (size_t j = 3; j < N; j++)
		assert_true(same_bits(k[j - 3], all[j]));
}

static void far_points_have_no_covariance(void **state)
{
	const struct fixture *f = *state;
	static const double far[] = { 320, 1e3, 1e10, 1e160, 1e300 };
	double z[D], k[STRIDE], g[STRIDE];

	for (size_t i = 0; i < sizeof(far) / sizeof(*far); i++) {
		point(f, 0, z);
		z[0] = far[i];
		kernel_row(&f->kernel, f->Z, STRIDE, N, z, k, g);
		for (size_t j = 0; j < N; j++)
			assert_true(k[j] == 0 && g[j] == 0);
	}
}

static void what_is_no_number_shows(void **state)
{
	const struct fixture *f = *state;
	double z[D], k[STRIDE], g[STRIDE];

	point(f, 0, z);
	z[2] = NAN;
	kernel_row(&f->kernel, f->Z, STRIDE, N, z, k, g);
	for (size_t j = 0; j < N; j++)
		assert_true(isnan(k[j]) && isnan(g[j]));
}

/* dk/dln l = G D / l^2 and dk/dx = -G (x - x') / l^2, in one dimension. */
static void slopes_are_derivatives(void **state)
{
	static const enum dimension_kind numeric = DIMENSION_NUMERIC;
	static const double X[] = { 0.1, 0.35, 0.8, 0.99 };
	static const double h = 1e-5, l = 0.4, x = 0.42;
	double K[4][8], Z[8], g[8], values[8];

	for (int i = 0; i < 4; i++) {
		const double w = 1 / (l * exp(i == 0 ? h : i == 1 ? -h : 0));
		const double z = (x + (i == 2 ? h : i == 3 ? -h : 0)) * w;
		const struct kernel kernel = { 1, &numeric, &w };

		kernel_scale(&kernel, X, 4, Z, 8);
		kernel_row(&kernel, Z, 8, 4, &z, K[i], NULL);
	}
	const double w = 1 / l, z = x * w;
	const struct kernel kernel = { 1, &numeric, &w };

	kernel_scale(&kernel, X, 4, Z, 8);
	kernel_row(&kernel, Z, 8, 4, &z, values, g);
	for (int j = 0; j < 4; j++) {
		const double D_l2 = (x - X[j]) * (x - X[j]) / (l * l);

		assert_true(fabs((K[0][j] - K[1][j]) / (2 * h) - g[j] * D_l2) < 1e-8);
		assert_true(
			fabs((K[2][j] - K[3][j]) / (2 * h) + g[j] * (x - X[j]) / (l * l)) < 1e-8);
	}
}

static void hamming_distance_is_one_hot_over_sqrt_2(void **state)
{
	static const enum dimension_kind one[] = { DIMENSION_CATEGORY },
					 hot[] = { DIMENSION_NUMERIC, DIMENSION_NUMERIC,
						 DIMENSION_NUMERIC };
	static const double categories[] = { 0, 1, 2, 1 }, w[] = { 1.7, 1.7, 1.7 };
	const struct kernel as_category = { 1, one, w }, as_codes = { 3, hot, w };
	double codes[4 * 3] = { 0 }, Z[8], Zc[3 * 8], z, zc[3], k[8], kc[8];

	for (size_t i = 0; i < 4; i++)
		codes[i * 3 + (size_t)categories[i]] = M_SQRT1_2;
	kernel_scale(&as_category, categories, 4, Z, 8);
	kernel_scale(&as_codes, codes, 4, Zc, 8);
	for (size_t i = 0; i < 4; i++) {
		z = Z[i];
		for (size_t k_ = 0; k_ < 3; k_++)
			zc[k_] = Zc[k_ * 8 + i];
		kernel_row(&as_category, Z, 8, 4, &z, k, NULL);
		kernel_row(&as_codes, Zc, 8, 4, zc, kc, NULL);
		for (size_t j = 0; j < 4; j++)
			assert_true(fabs(k[j] - kc[j]) < 1e-14);
	}
}

static void mixed_matrices_are_positive_semidefinite(void **state)
{
	const struct fixture *f = *state;
	double inverse_lengths[D], Z[D * STRIDE], z[D], k[STRIDE];
	struct kernel kernel = { D, f->kinds, inverse_lengths };
	gsl_matrix *K = gsl_matrix_alloc(N, N);
	gsl_vector *values = gsl_vector_alloc(N);
	gsl_eigen_symm_workspace *workspace = gsl_eigen_symm_alloc(N);

	for (int power = -4; power <= 4; power++) {
		for (size_t i = 0; i < D; i++)
			inverse_lengths[i] = ldexp(f->inverse_lengths[i], power);
		kernel_scale(&kernel, f->X, N, Z, STRIDE);
		for (size_t i = 0; i < N; i++) {
			for (size_t c = 0; c < D; c++)
				z[c] = Z[c * STRIDE + i];
			kernel_row(&kernel, Z, STRIDE, N, z, k, NULL);
			for (size_t j = 0; j < N; j++)
				gsl_matrix_set(K, i, j, k[j]);
		}
		assert_int_equal(gsl_eigen_symm(K, values, workspace), 0);
		assert_true(gsl_vector_min(values) >= -1e-10);
	}
	gsl_eigen_symm_free(workspace);
	gsl_vector_free(values);
	gsl_matrix_free(K);
}

static void exponential_is_good_to_the_last_bit_but_one(void **state)
{
	double worst = 0, x[64], e[64];

	for (int block = 0; block < 20000; block++) {
		for (int i = 0; i < 64; i++)
			x[i] = -708.0 * (block * 64 + i) / (20000 * 64);
		kernel_exp(x, 64, e);
		for (int i = 0; i < 64; i++) {
			const long double exact = expl(x[i]);

			worst = fmax(worst, (double)fabsl((e[i] - exact) / exact));
		}
	}
	assert_true(worst < 1.6e-16);
}

static void exponential_has_exact_ends(void **state)
{
	double x[] = { 0, -0.0, -708.0001, -1000, -1e300 };

	kernel_exp(x, 5, x);
	assert_true(x[0] == 1 && x[1] == 1 && x[2] == 0 && x[3] == 0 && x[4] == 0);
}

/* Any number of elements, in place, and none beyond. */
static void exponential_touches_what_it_was_given(void **state)
{
	double x[20], e[20];

	for (size_t n = 0; n < 20; n++) {
		for (size_t i = 0; i < 20; i++)
			x[i] = e[i] = -(double)i / 7;
		kernel_exp(e, n, e);
		for (size_t i = 0; i < 20; i++)
			assert_true(i < n ? fabs(e[i] - exp(x[i])) < 1e-15 : e[i] == x[i]);
	}
}

static double in_stated_order(const double *products, size_t n)
{
	double s[KERNEL_LANES] = { 0 };
	const size_t whole = n / KERNEL_LANES * KERNEL_LANES;

	for (size_t i = 0; i < whole; i++)
		s[i % KERNEL_LANES] += products[i];

	double sum = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));

	for (size_t i = whole; i < n; i++)
		sum += products[i];
	return sum;
}

static void sums_keep_their_order(void **state)
{
	const struct fixture *f = *state;
	const double *a = f->X, *b = f->X + 61;
	double dot[N], pull[N], different[N];

	for (size_t i = 0; i < N; i++) {
		dot[i] = a[i] * b[i];
		pull[i] = a[i] * (0.3 - b[i]);
		different[i] = b[i] != 1 ? a[i] : 0;
	}
	for (size_t n = 0; n <= N; n++) {
		assert_true(same_bits(kernel_dot(a, b, n), in_stated_order(dot, n)));
		assert_true(same_bits(kernel_pull(a, b, 0.3, n), in_stated_order(pull, n)));
		assert_true(same_bits(
			kernel_sum_where_different(a, b, 1, n), in_stated_order(different, n)));
	}
}

static uint64_t fnv(uint64_t hash, const double *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t bits;

		memcpy(&bits, numbers + i, sizeof(bits));
		for (int byte = 0; byte < 8; byte++)
			hash = (hash ^ (bits >> 8 * byte & 255)) * 1099511628211U;
	}
	return hash;
}

/* If this fails although the tests above pass, somebody reordered or contracted operations: every
 * stored decision would be recomputed to other bits. */
/* Element by element, whatever the length. */
static void rows_are_worked_on_element_by_element(void **state)
{
	for (size_t n = 0; n <= N; n++) {
		double x[N], y[N], z[N], w[N];

		for (size_t i = 0; i < N; i++) {
			x[i] = sin((double)i);
			y[i] = w[i] = cos(3 * (double)i);
			z[i] = 1 / (1 + (double)i);
		}
		kernel_subtract(y, 0.7, x, n);
		kernel_weigh(w, 0.7, x, z, n);
		for (size_t i = 0; i < N; i++) {
			const double before = cos(3 * (double)i);

			assert_true(y[i] == (i < n ? before - 0.7 * x[i] : before));
			assert_true(w[i] == (i < n ? (0.7 * x[i] - before) * z[i] : before));
		}
	}
}

static void bits_are_those_of_every_build(void **state)
{
	const struct fixture *f = *state;
	uint64_t hash = 14695981039346656037U;
	double z[D], k[STRIDE], g[STRIDE], sum;

	for (size_t i = 0; i < N; i++) {
		point(f, i, z);
		kernel_row(&f->kernel, f->Z, STRIDE, N, z, k, g);
		hash = fnv(fnv(hash, k, N), g, N);
		sum = kernel_dot(k, g, N) + kernel_pull(k, g, 0.7, N);
		hash = fnv(hash, &sum, 1);
	}
	assert_int_equal(hash, 0xeb8e523afc427a55U);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_follow_the_formula),
		cmocka_unit_test(equal_points_have_covariance_one),
		cmocka_unit_test(covariances_are_symmetric_to_the_bit),
		cmocka_unit_test(an_entry_depends_on_its_two_points_only),
		cmocka_unit_test(far_points_have_no_covariance),
		cmocka_unit_test(what_is_no_number_shows),
		cmocka_unit_test(slopes_are_derivatives),
		cmocka_unit_test(hamming_distance_is_one_hot_over_sqrt_2),
		cmocka_unit_test(mixed_matrices_are_positive_semidefinite),
		cmocka_unit_test(exponential_is_good_to_the_last_bit_but_one),
		cmocka_unit_test(exponential_has_exact_ends),
		cmocka_unit_test(exponential_touches_what_it_was_given),
		cmocka_unit_test(sums_keep_their_order),
		cmocka_unit_test(rows_are_worked_on_element_by_element),
		cmocka_unit_test(bits_are_those_of_every_build),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
