/* surrogate/design.h: scrambled Sobol points. */
#include "surrogate/design.h"

#include <gsl/gsl_qrng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct random_key KEY = { .seed = 42, .repeat = 3, .purpose = RANDOM_SCRAMBLE };

/* n points from `first` on, n x d; the caller frees. */
static double *points(size_t d, struct random_key key, uint64_t first, size_t n)
{
	double *u = calloc(n * d, sizeof *u);
	struct design *design = NULL;
	struct tuner_error err;

	assert_non_null(u);
	if (!design_create(d, key, first, &design, &err))
		fail_msg("%s", err.message);
	for (size_t i = 0; i < n; i++)
		design_next(design, &u[i * d]);
	assert_int_equal(design_index(design), first + n);
	design_destroy(design);
	return u;
}

/* True if each of the 2^(a+b) boxes 2^-a by 2^-b of coordinates i and j has one point of 2^(a+b). */
static bool is_stratified(const double *u, size_t d, size_t i, size_t j, unsigned a, unsigned b)
{
	const size_t n = (size_t)1 << (a + b);
	unsigned char seen[4096] = { 0 };

	for (size_t k = 0; k < n; k++) {
		const size_t row = (size_t)ldexp(u[k * d + i], (int)a);
		const size_t column = (size_t)ldexp(u[k * d + j], (int)b);

		seen[row << b | column]++;
	}
	return memchr(seen, 0, n) == NULL;
}

/* The first two coordinates of Sobol's sequence are a (0, 2)-sequence: *every* elementary interval
 * of area 2^-m has one of the first 2^m points, and of each aligned block after them. */
static void every_elementary_interval_of_two_dimensions_has_its_point(void **state)
{
	for (uint32_t seed = 0; seed < 20; seed++)
		for (unsigned m = 0; m <= 12; m++)
			for (uint64_t block = 0; block < 3; block++) {
				struct random_key key = KEY;
				const size_t n = (size_t)1 << m;

				key.seed = seed;
				double *u = points(2, key, block * n, n);

				for (unsigned a = 0; a <= m; a++)
					assert_true(is_stratified(u, 2, 0, 1, a, m - a));
				free(u);
			}
}

enum { NET = 8, NET_POINTS = 1 << NET, FORTY = 40 };

static int by_count(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* How many of the points lie in each box of 2^-a by 2^-b, in ascending order. */
static void count_boxes(
	const double *u, size_t i, size_t j, unsigned a, unsigned b, int ret[NET_POINTS])
{
	memset(ret, 0, NET_POINTS * sizeof *ret);
	for (size_t k = 0; k < NET_POINTS; k++)
		ret[(size_t)ldexp(u[k * FORTY + i], (int)a) << b |
			(size_t)ldexp(u[k * FORTY + j], (int)b)]++;
	qsort(ret, (size_t)1 << (a + b), sizeof *ret, by_count);
}

/* GSL leaves out the first point, 0. */
static void sobol_points(double ret[NET_POINTS * FORTY])
{
	gsl_qrng *sobol = gsl_qrng_alloc(gsl_qrng_sobol, FORTY);

	memset(ret, 0, FORTY * sizeof *ret);
	for (size_t k = 1; k < NET_POINTS; k++)
		gsl_qrng_get(sobol, &ret[k * FORTY]);
	gsl_qrng_free(sobol);
}

/* Owen's scrambling exchanges intervals of one size: whatever two coordinates share out among boxes, they
 * share out after it as well. */
static void boxes_of_two_of_forty_dimensions_hold_what_sobols_do(void **state)
{
	static double plain[NET_POINTS * FORTY];
	double *u = points(FORTY, KEY, 0, NET_POINTS);
	int wanted[NET_POINTS], found[NET_POINTS];

	sobol_points(plain);
	for (size_t i = 1; i < FORTY; i++)
		for (size_t j = 0; j < i; j++)
			for (unsigned a = 1; a < NET; a++) {
				count_boxes(plain, i, j, a, NET - a, wanted);
				count_boxes(u, i, j, a, NET - a, found);
				assert_memory_equal(found, wanted, sizeof found);
			}
	free(u);
}

/* In one dimension each of the intervals 2^-m has one point, up to the last table of GSL and, as a
 * Latin hypercube, beyond it. */
static void every_single_coordinate_is_stratified(void **state)
{
	static const size_t dimensions[] = { 1, 3, 20, 40, 41, 100 };

	for (size_t k = 0; k < 6; k++)
		for (unsigned m = 0; m <= 8; m++)
			for (uint64_t block = 0; block < 2; block++) {
				const size_t d = dimensions[k], n = (size_t)1 << m;
				double *u = points(d, KEY, block * n, n);

				for (size_t i = 0; i < d; i++)
					assert_true(is_stratified(u, d, i, i, m, 0));
				free(u);
			}
}

/* GSL gives zeros without an error from 41 dimensions on. */
static void forty_one_dimensions_are_filled_and_independent(void **state)
{
	enum { D = 44, N = 4096 };
	double *u = points(D, KEY, 0, N);

	for (size_t i = 38; i < D; i++)
		for (size_t j = 38; j < i; j++) {
			double product = 0;

			for (size_t k = 0; k < N; k++)
				product += (u[k * D + i] - 0.5) * (u[k * D + j] - 0.5);
			/* Of independent coordinates the correlation has sd 1/sqrt(N) = 0.016. */
			assert_true(fabs(12 * product / N) < 0.07);
		}
	free(u);
}

/* The coordinates below the 41st do not know how many follow: adding a parameter keeps them. */
static void the_first_forty_coordinates_do_not_depend_on_the_rest(void **state)
{
	double *a = points(40, KEY, 0, 64), *b = points(41, KEY, 0, 64);

	for (size_t k = 0; k < 64; k++)
		assert_memory_equal(&a[k * 40], &b[k * 41], 40 * sizeof *a);
	free(a);
	free(b);
}

static void a_point_is_a_function_of_key_and_index(void **state)
{
	static const size_t dimensions[] = { 1, 3, 40, 41 };

	for (size_t k = 0; k < 4; k++) {
		const size_t d = dimensions[k];
		double *all = points(d, KEY, 0, 200);

		for (uint64_t first = 0; first < 200; first += 1 + first / 3) {
			double *one = points(d, KEY, first, 1);

			assert_memory_equal(one, &all[first * d], d * sizeof *one);
			free(one);
		}
		free(all);
	}
}

static void seeds_and_repeats_scramble_differently(void **state)
{
	struct random_key keys[] = { KEY, KEY, KEY };

	keys[1].seed++;
	keys[2].repeat++;
	for (size_t a = 0; a < 3; a++)
		for (size_t b = 0; b < a; b++) {
			double *u = points(3, keys[a], 0, 16), *v = points(3, keys[b], 0, 16);

			for (size_t i = 0; i < 48; i++)
				assert_true(u[i] != v[i]);
			free(u);
			free(v);
		}
}

/* Over scramblings every point is uniform; Sobol's own first point would be 0 for all of them. */
static void a_point_is_uniform_over_the_seeds(void **state)
{
	enum { SEEDS = 4000 };
	unsigned count[16] = { 0 };

	for (uint32_t seed = 0; seed < SEEDS; seed++) {
		struct random_key key = KEY;

		key.seed = seed;
		double *u = points(2, key, 0, 1);

		assert_true(u[0] >= 0 && u[0] < 1 && u[1] >= 0 && u[1] < 1);
		count[(int)(u[0] * 4) * 4 + (int)(u[1] * 4)]++;
		free(u);
	}
	for (int i = 0; i < 16; i++) /* 250 expected, sd 15 */
		assert_in_range(count[i], 175, 325);
}

/* Doubles have 53 bits and the sequence 32: the rest is filled too. */
static void coordinates_have_bits_below_the_sequence(void **state)
{
	double *u = points(2, KEY, 0, 64);
	unsigned odd = 0;

	for (size_t i = 0; i < 128; i++)
		odd += (uint64_t)ldexp(u[i], 53) & 1;
	assert_in_range(odd, 35, 93);
	free(u);
}

/* What scrambled Sobol is for: the error of a mean falls nearly as 1/n, of random points as
 * 1/sqrt(n). */
static void means_of_smooth_functions_beat_random_points(void **state)
{
	enum { D = 5, N = 1024 };
	double *u = points(D, KEY, 0, N);
	double sum = 0;

	for (size_t k = 0; k < N; k++) {
		double product = 1;

		for (size_t i = 0; i < D; i++)
			product *= 1 + (u[k * D + i] - 0.5);
		sum += product;
	}
	/* Random points: sd 0.69/32 = 0.022. */
	assert_true(fabs(sum / N - 1) < 0.002);
	free(u);
}

static void a_used_up_sequence_is_an_error(void **state)
{
	struct design *design = NULL;
	struct tuner_error err;

	assert_false(design_create(2, KEY, DESIGN_POINTS_MAX, &design, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	assert_null(design);
	design_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_elementary_interval_of_two_dimensions_has_its_point),
		cmocka_unit_test(boxes_of_two_of_forty_dimensions_hold_what_sobols_do),
		cmocka_unit_test(every_single_coordinate_is_stratified),
		cmocka_unit_test(forty_one_dimensions_are_filled_and_independent),
		cmocka_unit_test(the_first_forty_coordinates_do_not_depend_on_the_rest),
		cmocka_unit_test(a_point_is_a_function_of_key_and_index),
		cmocka_unit_test(seeds_and_repeats_scramble_differently),
		cmocka_unit_test(a_point_is_uniform_over_the_seeds),
		cmocka_unit_test(coordinates_have_bits_below_the_sequence),
		cmocka_unit_test(means_of_smooth_functions_beat_random_points),
		cmocka_unit_test(a_used_up_sequence_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
