/* surrogate/feasibility.h: the probability that a trial gives a value. */
#include "surrogate/feasibility.h"

#include "base/random.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { D = 3, N = 60, M = 40 };

struct fixture {
	double X[N * D], stars[M * D];
	bool valued[N];
	struct feasibility *feasibility;
	uint64_t work;
};

static const enum dimension_kind kinds[] = { DIMENSION_NUMERIC, DIMENSION_NUMERIC,
	DIMENSION_CATEGORY };

static void assert_ok(bool ok, const struct tuner_error *err)
{
	if (!ok)
		fail_msg("%s", err->message);
}

static void assert_near(double value, double wanted, double tolerance)
{
	if (!(fabs(value - wanted) <= tolerance))
		fail_msg("%.17g is not %.17g to %g", value, wanted, tolerance);
}

static struct random stream(uint64_t seed)
{
	struct random random;

	random_init(&random, (struct random_key){ .seed = seed, .purpose = RANDOM_TEST });
	return random;
}

static void draw_points(struct random *random, size_t n, double *ret_X)
{
	for (size_t i = 0; i < n * D; i++)
		ret_X[i] = i % D == 2 ? (double)random_below(random, 3) : random_uniform(random);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct random random = stream(3);

	draw_points(&random, N, f->X);
	draw_points(&random, M, f->stars);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	feasibility_destroy(f->feasibility);
	free(f);
	return 0;
}

/* Where it fails: the distance to the edge, positive inside. */
static double room(const double *x)
{
	return 1.2 - x[0] - x[1] + (x[2] == 1 ? 0.3 : 0);
}

static void make(struct fixture *f, const double *counts)
{
	const struct feasibility_data data = { N, D, kinds, f->X, f->valued, counts };
	struct tuner_error err;

	assert_ok(feasibility_create(&data, 0, &f->feasibility, &f->work, &err), &err);
}

static void make_corner(struct fixture *f)
{
	for (size_t i = 0; i < N; i++)
		f->valued[i] = room(&f->X[i * D]) > 0;
	make(f, NULL);
}

static void make_chance(struct fixture *f)
{
	struct random random = stream(6);

	for (size_t i = 0; i < N; i++)
		f->valued[i] = random_uniform(&random) > 0.25;
	make(f, NULL);
}

static void log_probabilities(struct fixture *f, const double *X, size_t m, double *ret)
{
	struct tuner_error err;

	memset(ret, 0, m * sizeof *ret);
	assert_ok(feasibility_add(f->feasibility, X, m, ret, &err), &err);
}

/* From 80 digits. */
static void the_log_of_the_normal_distribution_is_exact(void **state)
{
	static const struct {
		double z, value, slope;
	} wanted[] = {
		{ 8.0, -6.2209605742717860585e-16, 5.0522710835368954309e-15 },
		{ 3.0, -0.0013508099647481937988, 0.0044378390421256637933 },
		{ 0.5, -0.36894641528865639307, 0.50916043383703348583 },
		{ 0.0, -0.69314718055994530942, 0.79788456080286535588 },
		{ -0.5, -1.1759117615936186089, 1.1410777703680644809 },
		{ -5.0, -15.064998393988725736, 5.1865039671258421156 },
		{ -20.0, -203.91715537109726394, 20.049753068527850542 },
		{ -25.0, -316.63940800802025894, 25.039873012057562583 },
		{ -26.0, -342.17850892992783169, 26.03834857949547079 },
		{ -100.0, -5005.5242086942050886, 100.00999800099926071 },
		{ -1000.0, -500007.82669481218431, 1000.00099999800001 },
	};
	double slope;

	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		const double value = log_normal_cdf(wanted[i].z, &slope);

		assert_near(value, wanted[i].value, 1e-12 * fabs(wanted[i].value));
		assert_near(slope, wanted[i].slope, 1e-9 * wanted[i].slope);
	}
	assert_true(log_normal_cdf(50, &slope) == 0 && slope == 0);
	assert_true(isfinite(log_normal_cdf(-1e8, &slope)) && isfinite(slope));
}

static void three_failures_and_a_tenth_of_the_trials_call_for_it(void **state)
{
	assert_false(feasibility_is_due(0, 0));
	assert_false(feasibility_is_due(2, 2));
	assert_true(feasibility_is_due(3, 3));
	assert_true(feasibility_is_due(3, 30));
	assert_false(feasibility_is_due(3, 31));
	assert_true(feasibility_is_due(100, 1000));
}

static void the_edge_is_learnt(void **state)
{
	struct fixture *f = *state;
	double log_p[M];

	make_corner(f);
	assert_true(f->work > 0);
	log_probabilities(f, f->stars, M, log_p);
	for (size_t i = 0; i < M; i++) {
		const double inside = room(&f->stars[i * D]);

		assert_true(log_p[i] <= 0);
		if (inside > 0.25 || inside < -0.25)
			assert_true((exp(log_p[i]) > 0.5) == (inside > 0));
	}
}

/* The probability is everywhere near the share of those that do not. */
static void what_fails_by_chance_fails_everywhere_alike(void **state)
{
	struct fixture *f = *state;
	double log_p[M], sum = 0;

	make_chance(f);
	log_probabilities(f, f->stars, M, log_p);
	for (size_t i = 0; i < M; i++)
		sum += exp(log_p[i]) / M;
	assert_near(sum, 0.75, 0.1);
}

static size_t count_foretold(struct fixture *f, size_t *ret_failed)
{
	bool foretold[N];
	size_t n = 0;
	struct tuner_error err;

	*ret_failed = 0;
	assert_ok(feasibility_foretold(f->feasibility, foretold, &err), &err);
	for (size_t i = 0; i < N; i++) {
		assert_false(foretold[i] && f->valued[i]);
		*ret_failed += !f->valued[i];
		n += foretold[i];
	}
	return n;
}

static void failures_are_foretold_by_the_others_or_not(void **state)
{
	struct fixture *f = *state;
	size_t failed;

	make_corner(f);
	assert_true(4 * count_foretold(f, &failed) >= 3 * failed);
	feasibility_destroy(f->feasibility);
	make_chance(f);
	assert_true(4 * count_foretold(f, &failed) <= failed);
}

static void gradients_agree_with_differences(void **state)
{
	static const double h = 1e-6;
	struct fixture *f = *state;
	double value[M] = { 0 }, gradient[M * D], same[M];
	struct tuner_error err;

	for (size_t i = 0; i < M * D; i++)
		gradient[i] = 1; /* they are added to */
	make_corner(f);
	assert_ok(feasibility_add_gradients(f->feasibility, f->stars, M, value, gradient, &err),
		&err);
	log_probabilities(f, f->stars, M, same);
	for (size_t i = 0; i < M; i++) {
		assert_near(value[i], same[i], 1e-12);
		assert_true(gradient[i * D + 2] == 1);
		for (size_t k = 0; k < 2; k++) {
			double x[2 * D], v[2];

			memcpy(x, &f->stars[i * D], D * sizeof *x);
			memcpy(x + D, x, D * sizeof *x);
			x[k] += h;
			x[D + k] -= h;
			log_probabilities(f, x, 2, v);
			assert_near(gradient[i * D + k], 1 + (v[0] - v[1]) / (2 * h), 1e-5);
		}
	}
}

/* For more points than have their sd computed; the correlation of what is seen at a glance and what is. */
static void a_glance_orders_points_as_the_probabilities_do(void **state)
{
	enum { POINTS = 200 };
	struct fixture *f = *state;
	double x[POINTS * D], log_p[POINTS], glances[POINTS] = { 0 };
	struct random random;
	struct tuner_error err;

	make_corner(f);
	random_init(&random, (struct random_key){ .seed = 9, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < POINTS; i++)
		for (size_t k = 0; k < D; k++)
			x[i * D + k] = k == D - 1 ? f->stars[k] : random_uniform(&random);
	log_probabilities(f, x, POINTS, log_p);
	assert_true(feasibility_add_glance(f->feasibility, x, POINTS, glances, &err));
	assert_true(gsl_stats_correlation(log_p, 1, glances, 1, POINTS) > 0.9);
}

/* A row that holds two trials says what two rows do. */
static void counted_rows_are_repeats(void **state)
{
	struct fixture *f = *state;
	double counts[N], counted[M], repeated[M];

	for (size_t i = 0; i < N; i++) {
		f->valued[i] = room(&f->X[i * D]) > 0;
		counts[i] = i < N / 2 ? 2 : 1;
	}

	const struct feasibility_data half = { N / 2, D, kinds, f->X, f->valued, counts };
	struct tuner_error err;

	assert_ok(feasibility_create(&half, 0, &f->feasibility, &f->work, &err), &err);
	log_probabilities(f, f->stars, M, counted);
	feasibility_destroy(f->feasibility);
	memcpy(&f->X[N / 2 * D], f->X, N / 2 * D * sizeof *f->X);
	memcpy(&f->valued[N / 2], f->valued, N / 2 * sizeof *f->valued);
	make(f, NULL);
	log_probabilities(f, f->stars, M, repeated);
	for (size_t i = 0; i < M; i++)
		assert_near(exp(counted[i]), exp(repeated[i]), 1e-3);
}

#define WITH_POINTS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_log_of_the_normal_distribution_is_exact),
		cmocka_unit_test(three_failures_and_a_tenth_of_the_trials_call_for_it),
		WITH_POINTS(the_edge_is_learnt),
		WITH_POINTS(what_fails_by_chance_fails_everywhere_alike),
		WITH_POINTS(failures_are_foretold_by_the_others_or_not),
		WITH_POINTS(gradients_agree_with_differences),
		WITH_POINTS(a_glance_orders_points_as_the_probabilities_do),
		WITH_POINTS(counted_rows_are_repeats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
