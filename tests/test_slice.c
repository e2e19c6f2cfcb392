/* surrogate/slice.h: chains have the density that they are given. */
#include "surrogate/slice.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_ok(bool ok, const struct tuner_error *err)
{
	if (!ok)
		fail_msg("%s", err->message);
}

static struct random stream(uint64_t seed)
{
	struct random random;

	random_init(&random, (struct random_key){ .seed = seed, .purpose = RANDOM_TEST });
	return random;
}

static struct slice begin(
	size_t d, const double *x, const bool *held, slice_density *density, void *context)
{
	struct slice slice;
	struct tuner_error err;

	assert_ok(slice_init(&slice, d, x, held, density, context, &err), &err);
	return slice;
}

/* ---- known distributions, by the test of Kolmogorov and Smirnov ---- */

typedef double distribution_function(double x);

/* P of a larger distance, of n independent draws (Stephens' form of the limit). */
static double tail(double distance, size_t n)
{
	const double root = sqrt((double)n), x = (root + 0.12 + 0.11 / root) * distance;
	double sum = 0;

	for (int k = 1; k <= 100; k++)
		sum += (k % 2 ? 2 : -2) * exp(-2 * k * k * x * x);
	return sum;
}

static double distance(double *draws, size_t n, distribution_function *P)
{
	double most = 0;

	gsl_sort(draws, 1, n);
	for (size_t i = 0; i < n; i++)
		most = fmax(most, fmax(P(draws[i]) - (double)i / (double)n,
					  (double)(i + 1) / (double)n - P(draws[i])));
	return most;
}

/* So many steps apart, draws are as good as independent. */
enum { DRAWS = 20000, APART = 5 };

static void assert_draws_from(slice_density *density, double x, distribution_function *P)
{
	struct slice slice = begin(1, &x, NULL, density, NULL);
	struct random random = stream(1);
	double draws[DRAWS];

	for (size_t i = 0; i < DRAWS; i++) {
		for (size_t j = 0; j < APART; j++)
			slice_step(&slice, &random);
		draws[i] = slice.x[0];
	}
	assert_true(tail(distance(draws, DRAWS, P), DRAWS) > 1e-3);
	slice_finish(&slice);
}

static double normal(void *context, const double *x)
{
	(void)context;
	return -0.5 * (x[0] - 3) * (x[0] - 3) / 25;
}

static double normal_P(double x)
{
	return gsl_cdf_gaussian_P(x - 3, 5);
}

static double gamma_density(void *context, const double *x)
{
	(void)context;
	return x[0] > 0 ? 1.5 * log(x[0]) - x[0] / 0.2 : -INFINITY;
}

static double gamma_P(double x)
{
	return gsl_cdf_gamma_P(x, 2.5, 0.2);
}

/* Wider than the first interval, which is stepped out, and narrower, to which it shrinks. */
static void draws_are_normal(void **state)
{
	assert_draws_from(normal, 3, normal_P);
}

static void draws_have_a_gamma_distribution(void **state)
{
	assert_draws_from(gamma_density, 0.4, gamma_P);
}

/* The test above would see this: a standard deviation that is wrong by 8 %. */
static double wrong_P(double x)
{
	return gsl_cdf_gaussian_P(x - 3, 5 * 1.08);
}

static void a_wrong_distribution_would_be_seen(void **state)
{
	struct random random = stream(2);
	double draws[DRAWS];

	for (size_t i = 0; i < DRAWS; i++)
		draws[i] = 3 + 5 * random_normal(&random);
	assert_true(tail(distance(draws, DRAWS, normal_P), DRAWS) > 1e-3);
	assert_true(tail(distance(draws, DRAWS, wrong_P), DRAWS) < 1e-3);
}

/* ---- several coordinates ---- */

/* A walk of three normal steps: the covariance of its places, and the inverse. */
static const double S[3][3] = { { 1, 1, 1 }, { 1, 2, 2 }, { 1, 2, 3 } };
static const double S_INVERSE[3][3] = { { 2, -1, 0 }, { -1, 2, -1 }, { 0, -1, 1 } };

static double correlated(void *context, const double *x)
{
	double sum = 0;

	(void)context;
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < 3; j++)
			sum += x[i] * S_INVERSE[i][j] * x[j];
	return -sum / 2;
}

static void correlations_are_met(void **state)
{
	enum { STEPS = 200000 };
	struct slice slice = begin(3, (double[3]){ 0 }, NULL, correlated, NULL);
	struct random random = stream(3);
	double sums[3] = { 0 }, products[3][3] = { { 0 } };

	for (size_t n = 0; n < STEPS; n++) {
		slice_step(&slice, &random);
		for (size_t i = 0; i < 3; i++) {
			sums[i] += slice.x[i] / STEPS;
			for (size_t j = 0; j < 3; j++)
				products[i][j] += slice.x[i] * slice.x[j] / STEPS;
		}
	}
	for (size_t i = 0; i < 3; i++) {
		assert_true(fabs(sums[i]) < 0.06);
		for (size_t j = 0; j < 3; j++)
			assert_true(fabs(products[i][j] - S[i][j]) < 0.1);
	}
	slice_finish(&slice);
}

static void held_coordinates_stay(void **state)
{
	static const bool held[] = { false, true, false }, all[] = { true, true, true };
	const double x[] = { 0.1, 0.2, -0.1 };
	struct slice slice = begin(3, x, held, correlated, NULL);
	struct random random = stream(4);

	for (size_t n = 0; n < 100; n++) {
		slice_step(&slice, &random);
		assert_true(slice.x[0] != x[0] && slice.x[1] == x[1] && slice.x[2] != x[2]);
	}
	slice_finish(&slice);

	slice = begin(3, x, all, correlated, NULL);
	slice_step(&slice, &random);
	assert_memory_equal(slice.x, x, sizeof x);
	assert_int_equal(slice.evaluations, 1);
	slice_finish(&slice);
}

static void the_value_is_that_of_the_point(void **state)
{
	struct slice slice = begin(3, (double[3]){ 0 }, NULL, correlated, NULL);
	struct random random = stream(5);

	for (size_t n = 0; n < 100; n++) {
		slice_step(&slice, &random);
		assert_true(slice.value == correlated(NULL, slice.x));
	}
	slice_finish(&slice);
}

static void the_same_stream_gives_the_same_bits(void **state)
{
	struct random one = stream(6), other = stream(6);
	struct slice a = begin(3, (double[3]){ 0 }, NULL, correlated, NULL);
	struct slice b = begin(3, (double[3]){ 0 }, NULL, correlated, NULL);

	for (size_t n = 0; n < 100; n++) {
		slice_step(&a, &one);
		slice_step(&b, &other);
	}
	assert_memory_equal(a.x, b.x, 3 * sizeof *a.x);
	assert_int_equal(a.evaluations, b.evaluations);
	slice_finish(&a);
	slice_finish(&b);
}

/* ---- densities with ends, without, and without a beginning ---- */

static double uniform(void *context, const double *x)
{
	const bool *gives_nan = context;
	const bool inside = x[0] >= 0 && x[0] <= 0.3;

	return inside ? 0 : gives_nan != NULL && *gives_nan ? NAN : -INFINITY;
}

static double uniform_P(double x)
{
	return x / 0.3;
}

static void bounds_are_kept(void **state)
{
	assert_draws_from(uniform, 0.2, uniform_P);
}

static void no_number_is_no_density(void **state)
{
	bool gives_nan = true;
	struct slice slice = begin(1, (double[]){ 0.2 }, NULL, uniform, &gives_nan);
	struct random random = stream(7);

	for (size_t n = 0; n < 1000; n++) {
		slice_step(&slice, &random);
		assert_true(slice.x[0] >= 0 && slice.x[0] <= 0.3);
	}
	slice_finish(&slice);
}

static double flat(void *context, const double *x)
{
	(void)context;
	(void)x;
	return 7;
}

static void a_flat_density_ends_in_time(void **state)
{
	struct slice slice = begin(1, (double[]){ 0 }, NULL, flat, NULL);
	struct random random = stream(8);

	for (size_t n = 1; n <= 50; n++) {
		slice_step(&slice, &random);
		/* The first, and a step's: out to 200 widths, and one draw. */
		assert_in_range(slice.evaluations, n * 2, 1 + n * SLICE_STEPS);
		assert_true(fabs(slice.x[0]) <= (double)n * SLICE_STEPS);
	}
	slice_finish(&slice);
}

/* It has a value where the chain begins, and never again. */
static double spent(void *context, const double *x)
{
	int *left = context;

	(void)x;
	return (*left)-- > 0 ? 0 : -INFINITY;
}

static void a_density_that_is_lost_leaves_the_chain_where_it_is(void **state)
{
	int left = 1;
	struct slice slice = begin(1, (double[]){ 0.5 }, NULL, spent, &left);
	struct random random = stream(9);

	slice_step(&slice, &random);
	assert_true(slice.x[0] == 0.5 && slice.value == 0);
	assert_in_range(slice.evaluations, SLICE_STEPS, SLICE_STEPS + 3);
	slice_finish(&slice);
}

static void a_beginning_without_density_is_refused(void **state)
{
	struct slice slice = { 0 };
	struct tuner_error err;
	bool gives_nan = true;

	assert_false(slice_init(&slice, 1, (double[]){ 0.4 }, NULL, uniform, NULL, &err));
	assert_int_equal(err.code, TUNER_NUMERIC);
	assert_string_equal(err.message,
		"the log density is -inf where the chain begins: begin where it is finite");
	assert_false(slice_init(&slice, 1, (double[]){ 0.4 }, NULL, uniform, &gives_nan, &err));
	assert_int_equal(err.code, TUNER_NUMERIC);
	slice_finish(&slice);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(draws_are_normal),
		cmocka_unit_test(draws_have_a_gamma_distribution),
		cmocka_unit_test(a_wrong_distribution_would_be_seen),
		cmocka_unit_test(correlations_are_met),
		cmocka_unit_test(held_coordinates_stay),
		cmocka_unit_test(the_value_is_that_of_the_point),
		cmocka_unit_test(the_same_stream_gives_the_same_bits),
		cmocka_unit_test(bounds_are_kept),
		cmocka_unit_test(no_number_is_no_density),
		cmocka_unit_test(a_flat_density_ends_in_time),
		cmocka_unit_test(a_density_that_is_lost_leaves_the_chain_where_it_is),
		cmocka_unit_test(a_beginning_without_density_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
