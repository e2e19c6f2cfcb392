#include "surrogate/warp.h"

#include "surrogate/gp_fit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { D = 3, N = 40, THETA = 3 * D + 1 };

struct fixture {
	struct gp *gp;
	enum dimension_kind kinds[D];
	double X[N * D], y[N];
	struct gp_data data;
	struct random random;
	struct tuner_error err;
};

#define ASSERT_OK(f, call)                                                                         \
	do {                                                                                       \
		if (!(call))                                                                       \
			fail_msg("%s", (f)->err.message);                                          \
	} while (0)

/* Two numbers and a category; the outcome moves fast near 0 of the first number. */
static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->kinds[2] = DIMENSION_CATEGORY;
	random_init(&f->random, (struct random_key){ .seed = 3, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < N; i++) {
		double *x = &f->X[i * D];

		x[0] = random_uniform(&f->random);
		x[1] = random_uniform(&f->random);
		x[2] = (double)random_below(&f->random, 3);
		f->y[i] = sin(2.5 * log(0.01 + x[0])) + 0.3 * x[1] + 0.2 * (x[2] == 1);
	}
	f->data = (struct gp_data){ N, f->X, f->y, NULL };
	*state = f;
	return gp_create(D, f->kinds, true, &f->gp, &f->err) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	gp_destroy(f->gp);
	free(f);
	return 0;
}

static void draw_theta(struct fixture *f, double theta[THETA])
{
	for (size_t k = 0; k < D; k++)
		theta[k] = log(0.2 + random_uniform(&f->random));
	theta[D] = log(1e-3);
	for (size_t i = D + 1; i < THETA; i++)
		theta[i] = 0.6 * random_normal(&f->random);
	theta[THETA - 2] = theta[THETA - 1] = 0; /* the category */
}

static void a_warp_is_a_distribution_function(void **state)
{
	static const struct warp warps[] = { { 0.25, 4 }, { 4, 0.25 }, { 0.3, 1 }, { 1, 0.3 },
		{ 2, 3 } };

	for (size_t i = 0; i < sizeof warps / sizeof *warps; i++) {
		double before = 0;

		for (int step = 0; step <= 1000; step++) {
			const double x = step / 1000.0, w = warp_value(warps[i], x);

			assert_true(w >= before && w <= 1);
			before = w;
		}
		assert_true(before > 0.9);
		/* F(x) by its definition, where the margin does not count. */
		assert_true(fabs(warp_value(warps[i], 0.5) -
				    (1 - pow(1 - pow(0.5, warps[i].a), warps[i].b))) < 1e-6);
	}
}

static void no_warp_is_the_identity_to_the_bit(void **state)
{
	static const double xs[] = { -0.5, 0, 1e-9, 0.1, 1.0 / 3, 1, 1.25 };
	const struct warp none = { 1, 1 };

	assert_true(warp_is_identity(none));
	for (size_t i = 0; i < sizeof xs / sizeof *xs; i++) {
		assert_true(warp_value(none, xs[i]) == xs[i]);
		assert_true(warp_slope(none, xs[i]) == 1);
	}
}

static void beyond_the_cube_distances_stay(void **state)
{
	const struct warp warp = { 0.4, 2 };

	assert_true(fabs(warp_value(warp, 1.5) - warp_value(warp, 1) - 0.5) < 1e-12);
	assert_true(fabs(warp_value(warp, -0.25) - warp_value(warp, 0) + 0.25) < 1e-12);
}

static void slopes_agree_with_differences(void **state)
{
	static const struct warp warps[] = { { 0.5, 2 }, { 3, 0.7 }, { 0.3, 1 } };
	const double h = 1e-6;

	for (size_t i = 0; i < sizeof warps / sizeof *warps; i++)
		for (double x = 0.05; x < 1; x += 0.09) {
			const struct warp w = warps[i];
			double by_a, by_b;

			warp_gradient(w, x, &by_a, &by_b);
			assert_true(fabs(warp_slope(w, x) -
					    (warp_value(w, x + h) - warp_value(w, x - h)) /
						    (2 * h)) < 1e-7);
			assert_true(
				fabs(by_a - (warp_value((struct warp){ w.a * exp(h), w.b }, x) -
						    warp_value((struct warp){ w.a * exp(-h), w.b },
							    x)) /
						    (2 * h)) < 1e-7);
			assert_true(
				fabs(by_b - (warp_value((struct warp){ w.a, w.b * exp(h) }, x) -
						    warp_value((struct warp){ w.a, w.b * exp(-h) },
							    x)) /
						    (2 * h)) < 1e-7);
		}
}

static double value_at(struct fixture *f, const double *theta)
{
	double value;

	ASSERT_OK(f, gp_likelihood(f->gp, &f->data, theta, true, &value, NULL, &f->err));
	return value;
}

static void the_likelihood_has_the_right_gradient(void **state)
{
	struct fixture *f = *state;
	const double h = 1e-5;

	for (int repeat = 0; repeat < 5; repeat++) {
		double theta[THETA], gradient[THETA], value;

		draw_theta(f, theta);
		ASSERT_OK(
			f, gp_likelihood(f->gp, &f->data, theta, true, &value, gradient, &f->err));
		for (size_t k = 0; k < THETA - 2; k++) {
			const double at = theta[k];

			theta[k] = at + h;
			const double up = value_at(f, theta);

			theta[k] = at - h;
			const double down = value_at(f, theta);

			theta[k] = at;
			assert_true(fabs(gradient[k] - (up - down) / (2 * h)) <
				    1e-6 * fmax(1, fabs(gradient[k])));
		}
		assert_true(gradient[THETA - 1] == 0 && gradient[THETA - 2] == 0);
	}
}

static void predictions_have_the_right_gradient(void **state)
{
	struct fixture *f = *state;
	double theta[THETA], mean, sd, by_mean[D], by_sd[D], x[D] = { 0.3, 0.8, 1 };
	const double h = 1e-6;

	draw_theta(f, theta);
	ASSERT_OK(f, gp_condition(f->gp, &f->data, theta, &f->err));
	ASSERT_OK(f, gp_predict_gradient(f->gp, x, 1, &mean, &sd, by_mean, by_sd, &f->err));
	for (size_t k = 0; k < 2; k++) {
		double means[2], sds[2];

		for (int side = 0; side < 2; side++) {
			double there[D];

			memcpy(there, x, sizeof x);
			there[k] += side ? h : -h;
			ASSERT_OK(
				f, gp_predict(f->gp, there, 1, &means[side], &sds[side], &f->err));
		}
		assert_true(fabs(by_mean[k] - (means[1] - means[0]) / (2 * h)) < 1e-6);
		assert_true(fabs(by_sd[k] - (sds[1] - sds[0]) / (2 * h)) < 1e-5);
	}
	assert_true(by_mean[2] == 0 && by_sd[2] == 0);
}

static void an_unwarped_theta_is_the_plain_model(void **state)
{
	struct fixture *f = *state;
	double theta[THETA] = { log(0.3), log(0.5), log(0.9), log(1e-3) }, x[D] = { 0.2, 0.6, 2 };
	double mean, sd, plain_mean, plain_sd;
	struct gp *plain = NULL;

	ASSERT_OK(f, gp_create(D, f->kinds, false, &plain, &f->err));
	ASSERT_OK(f, gp_condition(f->gp, &f->data, theta, &f->err));
	ASSERT_OK(f, gp_condition(plain, &f->data, theta, &f->err));
	ASSERT_OK(f, gp_predict(f->gp, x, 1, &mean, &sd, &f->err));
	ASSERT_OK(f, gp_predict(plain, x, 1, &plain_mean, &plain_sd, &f->err));
	assert_true(mean == plain_mean && sd == plain_sd);
	gp_destroy(plain);
}

static double fit(struct fixture *f, struct gp *gp, enum gp_warp warp, int times)
{
	struct gp_fit_report report = { 0 };
	double start[THETA];

	for (int i = 0; i < times; i++) {
		struct gp_fit_options options = {
			.random = &f->random, .warp = warp, .start = i > 0 ? start : NULL
		};

		ASSERT_OK(f, gp_fit(gp, &f->data, &options, &report, &f->err));
		memcpy(start, gp_hyperparameters(gp), gp_n_hyperparameters(gp) * sizeof *start);
	}
	return report.log_posterior;
}

static void a_logarithmic_axis_is_found(void **state)
{
	struct fixture *f = *state;
	struct gp *plain = NULL;

	ASSERT_OK(f, gp_create(D, f->kinds, false, &plain, &f->err));
	const double without = fit(f, plain, GP_WARP_FREE, 1);

	assert_true(fit(f, f->gp, GP_WARP_FREE, 1) > without + 5);
	assert_true(gp_hyperparameters(f->gp)[D + 1] < -0.3);
	assert_true(fit(f, f->gp, GP_WARP_AXES, 12) > without + 5);
	assert_true(
		gp_hyperparameters(f->gp)[D + 1] == -1.2 && gp_hyperparameters(f->gp)[D + 2] == 0);
	assert_true(gp_hyperparameters(f->gp)[THETA - 1] == 0); /* a category has no shape */
	gp_destroy(plain);
}

static void appended_rows_have_the_same_bits(void **state)
{
	struct fixture *f = *state;
	const struct gp_data most = { N - 4, f->X, f->y, NULL };
	double theta[THETA], x[D] = { 0.4, 0.1, 0 }, mean[2], sd[2];

	draw_theta(f, theta);
	for (int i = 0; i < 2; i++) {
		ASSERT_OK(f, gp_condition(f->gp, &most, theta, &f->err));
		ASSERT_OK(f, gp_append(f->gp, &f->X[(N - 4) * D], NULL, i ? 4 : 1, &f->err));
		if (i == 0)
			ASSERT_OK(f, gp_append(f->gp, &f->X[(N - 3) * D], NULL, 3, &f->err));
		ASSERT_OK(f, gp_predict(f->gp, x, 1, &mean[i], &sd[i], &f->err));
	}
	assert_true(mean[0] == mean[1] && sd[0] == sd[1]);
}

#define WITH_MODEL(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_warp_is_a_distribution_function),
		cmocka_unit_test(no_warp_is_the_identity_to_the_bit),
		cmocka_unit_test(beyond_the_cube_distances_stay),
		cmocka_unit_test(slopes_agree_with_differences),
		WITH_MODEL(the_likelihood_has_the_right_gradient),
		WITH_MODEL(predictions_have_the_right_gradient),
		WITH_MODEL(an_unwarped_theta_is_the_plain_model),
		WITH_MODEL(a_logarithmic_axis_is_found),
		WITH_MODEL(appended_rows_have_the_same_bits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
