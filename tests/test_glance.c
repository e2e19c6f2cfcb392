/* surrogate/glance.h: what many points promise. Built several times, as test_kernel.c is: the checksum is one
 * constant for all of them. */
#include "surrogate/glance.h"

#include "base/random.h"
#include "surrogate/acquisition.h"
#include "surrogate/expected_improvement.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { D = 3, N = 29, STRIDE = 32 };

/* A model's rows and GLANCE_LANES points, as doubles and as floats; the last coordinate is a category. */
struct fixture {
	double inverse_lengths[D], Z[D * STRIDE], z[GLANCE_LANES][D], alpha[N], weights[N];
	float inverse_squares[D], rows[N * D], points[D * GLANCE_LANES], alphas[N], takes[N];
};

static const enum dimension_kind kinds[D] = { DIMENSION_NUMERIC, DIMENSION_NUMERIC,
	DIMENSION_CATEGORY };

/* Multiples of 2^-10, which are floats, too. */
static double coordinate(struct random *random, size_t k)
{
	return k == D - 1 ? (double)random_below(random, 3)
			  : (double)random_below(random, 4096) * 0x1p-10;
}

static struct fixture setup(void)
{
	struct fixture f = { .inverse_lengths = { 1, 1, 1.5 } };
	struct random random;

	random_init(&random, (struct random_key){ .seed = 7, .purpose = RANDOM_TEST });
	for (size_t k = 0; k < D; k++)
		f.inverse_squares[k] = (float)(f.inverse_lengths[k] * f.inverse_lengths[k]);
	for (size_t i = 0; i < N; i++) {
		for (size_t k = 0; k < D; k++)
			f.Z[k * STRIDE + i] = f.rows[i * D + k] = (float)coordinate(&random, k);
		f.alpha[i] = f.alphas[i] = (float)random_normal(&random);
		f.weights[i] = f.takes[i] = (float)random_uniform(&random);
	}
	for (size_t l = 0; l < GLANCE_LANES; l++)
		for (size_t k = 0; k < D; k++)
			f.z[l][k] = f.points[k * GLANCE_LANES + l] = (float)coordinate(&random, k);
	return f;
}

static struct glance_rows rows_of(const struct fixture *f)
{
	return (struct glance_rows){ N, D, kinds, f->inverse_squares, f->rows, f->alphas,
		f->takes };
}

static void moments_are_those_of_the_kernel(void **state)
{
	const struct fixture f = setup();
	const struct kernel kernel = { D, kinds, f.inverse_lengths };
	const struct glance_rows rows = rows_of(&f);
	float mean[GLANCE_LANES], most[GLANCE_LANES];

	glance_moments(&rows, f.points, mean, most);
	for (size_t l = 0; l < GLANCE_LANES; l++) {
		double k[STRIDE], sum = 0, largest = 0;

		kernel_row(&kernel, f.Z, STRIDE, N, f.z[l], k, NULL);
		for (size_t i = 0; i < N; i++) {
			sum += k[i] * f.alpha[i];
			largest = fmax(largest, k[i] * k[i] * f.weights[i]);
		}
		assert_true(fabs(mean[l] - sum) < 1e-5);
		assert_true(fabs(most[l] - largest) < 1e-5);
	}
}

static void far_points_and_points_without_a_number_take_nothing(void **state)
{
	struct fixture f = setup();
	const struct glance_rows rows = rows_of(&f);
	float mean[GLANCE_LANES], most[GLANCE_LANES];

	f.points[0] = 1e30F;
	f.points[1] = NAN;
	f.points[2] = INFINITY;
	glance_moments(&rows, f.points, mean, most);
	for (size_t l = 0; l < 3; l++) {
		assert_true(fabsf(mean[l]) < 1e-30F);
		assert_true(most[l] == 0);
	}
}

static void log_expected_improvement_is_near_the_exact_one(void **state)
{
	enum { POINTS = 4000 };
	static float mean[POINTS], sd[POINTS], values[POINTS];

	for (int i = 0; i < POINTS; i++) {
		sd[i] = expf(-(float)(i % 9));
		mean[i] = -sd[i] * (float)(i - 3000) * 0.01F;
	}
	glance_log_expected_improvement(mean, sd, 0, POINTS, values);
	for (int i = 0; i < POINTS; i++) {
		const double exact = log_expected_improvement(mean[i], sd[i], 0, NULL, NULL);

		assert_true(fabs(values[i] - exact) < 0.03 + 1e-6 * fabs(exact));
	}
}

static void log_augmentation_is_near_the_exact_one(void **state)
{
	enum { POINTS = 320 };
	float sd[POINTS], values[POINTS];

	for (int noise = -7; noise <= 1; noise++) {
		for (int i = 0; i < POINTS; i++) {
			sd[i] = expf(-0.04F * (float)i);
			values[i] = (float)i;
		}
		glance_add_log_augmentation(sd, expf((float)noise), POINTS, values);
		for (int i = 0; i < POINTS; i++)
			assert_true(
				fabs(values[i] - i -
					log_augmentation(sd[i], expf((float)noise), NULL)) < 1e-3);
	}
}

static void sds_are_narrowed_and_never_widened(void **state)
{
	float sd[GLANCE_LANES], narrow[GLANCE_LANES];

	for (size_t l = 0; l < GLANCE_LANES; l++)
		sd[l] = narrow[l] = expf(-0.5F * (float)l);
	glance_narrow(narrow, GLANCE_LANES, 1, 2);
	for (size_t l = 0; l < GLANCE_LANES; l++) {
		const double line = exp(1 + 2 * log(sd[l]));

		assert_true(fabs(narrow[l] - fmin(line, sd[l])) < 1e-5 * sd[l]);
	}
}

/* FNV-1a. */
static uint64_t checksum(uint64_t hash, const float *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t bits;

		memcpy(&bits, &values[i], sizeof(bits));
		hash = (hash ^ bits) * 0x100000001b3u;
	}
	return hash;
}

static void bits_are_those_of_every_build(void **state)
{
	const struct fixture f = setup();
	const struct glance_rows rows = rows_of(&f);
	float mean[GLANCE_LANES], most[GLANCE_LANES], values[GLANCE_LANES];
	uint64_t hash = 0xcbf29ce484222325u;

	glance_moments(&rows, f.points, mean, most);
	hash = checksum(checksum(hash, mean, GLANCE_LANES), most, GLANCE_LANES);
	for (size_t l = 0; l < GLANCE_LANES; l++)
		most[l] = 0.5F + 0.1F * (float)l;
	glance_narrow(most, GLANCE_LANES, -0.5F, 1.5F);
	hash = checksum(hash, most, GLANCE_LANES);
	for (int incumbent = -9; incumbent <= 9; incumbent += 3) {
		glance_log_expected_improvement(mean, most, (float)incumbent, GLANCE_LANES, values);
		hash = checksum(hash, values, GLANCE_LANES);
	}
	glance_add_log_augmentation(most, 0.3F, GLANCE_LANES, values);
	hash = checksum(hash, values, GLANCE_LANES);
	assert_int_equal(hash, 0x3c66a7b0e9788c04);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moments_are_those_of_the_kernel),
		cmocka_unit_test(far_points_and_points_without_a_number_take_nothing),
		cmocka_unit_test(log_expected_improvement_is_near_the_exact_one),
		cmocka_unit_test(log_augmentation_is_near_the_exact_one),
		cmocka_unit_test(sds_are_narrowed_and_never_widened),
		cmocka_unit_test(bits_are_those_of_every_build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
