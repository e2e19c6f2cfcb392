/* surrogate/noisy_incumbent.h: the best trials, repeated without noise, make expected improvement an average over
 * the functions that the model holds possible. */
#include "surrogate/noisy_incumbent.h"

#include "surrogate/acquisition.h"
#include "surrogate/expected_improvement.h"

#include <gsl/gsl_cdf.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 30 };

/* N trials on a line, under a noise of sd 0.3. */
struct fixture {
	struct gp *gp;
	double X[N], y[N];
	bool eligible[N];
};

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

static int setup(void **state)
{
	static const double theta[] = { -1.5, -2.4 };
	static struct fixture f;
	struct random random;
	struct tuner_error err;

	random_init(&random, (struct random_key){ .seed = 3, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < N; i++) {
		f.X[i] = random_uniform(&random);
		f.y[i] = sin(6 * f.X[i]) + 0.3 * random_normal(&random);
		f.eligible[i] = true;
	}
	assert_ok(gp_create(1, NULL, false, &f.gp, &err), &err);
	assert_ok(gp_condition(f.gp, &(struct gp_data){ N, f.X, f.y, NULL }, theta, &err), &err);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	const struct fixture *f = *state;

	gp_destroy(f->gp);
	return 0;
}

static size_t append(struct fixture *f, size_t rows_max)
{
	struct tuner_error err;
	size_t n = 0;

	assert_ok(noisy_incumbent_append(f->gp, f->eligible, rows_max, &n, &err), &err);
	assert_int_equal(gp_n_outcomes(f->gp), N);
	return n;
}

static void the_trials_of_least_mean_are_repeated(void **state)
{
	struct fixture *f = *state;
	double means[N];
	size_t best = 0;

	gp_own_means(f->gp, means);
	for (size_t i = 0; i < N; i++)
		if (means[i] < means[best])
			best = i;
	assert_int_equal(append(f, 64), NOISY_INCUMBENT_MAX);
	assert_int_equal(gp_n(f->gp), N + NOISY_INCUMBENT_MAX);
	assert_true(gp_row(f->gp, N)[0] == f->X[best]);
	for (size_t i = 0; i < N; i++) {
		size_t better = 0, found = 0;

		for (size_t j = 0; j < N; j++)
			better += means[j] < means[i];
		for (size_t j = N; j < gp_n(f->gp); j++)
			found += gp_row(f->gp, j)[0] == f->X[i];
		assert_int_equal(found, better < NOISY_INCUMBENT_MAX);
	}
}

static void failed_trials_are_not(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < N; i++)
		f->eligible[i] = i == 4 || i == 9;
	assert_int_equal(append(f, 64), 2);
	for (size_t j = N; j < N + 2; j++)
		assert_true(gp_row(f->gp, j)[0] == f->X[4] || gp_row(f->gp, j)[0] == f->X[9]);
	gp_forget(f->gp, 2);
	for (size_t i = 0; i < N; i++)
		f->eligible[i] = false;
	assert_int_equal(append(f, 64), 0);
	assert_int_equal(gp_n(f->gp), N);
}

static void running_trials_leave_less_room(void **state)
{
	static const double pending[] = { 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7 };
	struct fixture *f = *state;
	struct tuner_error err;

	assert_ok(gp_append(f->gp, pending, NULL, 7, &err), &err);
	assert_int_equal(append(f, 10), 3);
	gp_forget(f->gp, 3);
	assert_int_equal(append(f, 7), 0);
	assert_int_equal(append(f, 0), 0);
	assert_int_equal(gp_n(f->gp), N + 7);
}

static double log_ei(struct fixture *f, double x, size_t n_fantasies)
{
	const struct acquisition_options options = { .eligible = f->eligible,
		.n_fantasies = n_fantasies };
	struct acquisition *acquisition = NULL;
	struct random random;
	struct tuner_error err;
	double value;

	random_init(&random, (struct random_key){ .seed = 9, .purpose = RANDOM_FANTASY });
	assert_ok(acquisition_create(f->gp, &options, &random, &acquisition, &err), &err);
	assert_ok(acquisition_values(acquisition, &x, 1, 0, &value, &err), &err);
	acquisition_destroy(acquisition);
	return value;
}

/* The correlation of the function at two points, given the trials, by way of the sd of a third model that knows
 * the function at one of them. */
static double conditioned_sd(struct fixture *f, double at, double x)
{
	const double scale = 1e-9;
	struct tuner_error err;
	double mean, sd;

	assert_ok(gp_append(f->gp, &at, &scale, 1, &err), &err);
	assert_ok(gp_predict(f->gp, &x, 1, &mean, &sd, &err), &err);
	gp_forget(f->gp, 1);
	return sd;
}

/* With a single trial that may be the best, EI is an integral over the function's value f there:
 *     int EI(x | f) p(f) df,  f* = f,  mean(x | f) = mean(x) + slope (f - mean(x_1)).
 * The other trials' means are far above it. */
static void the_value_is_an_average_over_functions(void **state)
{
	static const double X[] = { 0.3, 0.9 }, y[] = { -1, 6 }, theta[] = { -1, -1.5 };
	struct fixture f = { .eligible = { true, false } };
	struct tuner_error err;
	double mean, sd, at_best, sd_best, sum = 0, x = 0.45;
	size_t n = 0;

	assert_ok(gp_create(1, NULL, false, &f.gp, &err), &err);
	assert_ok(gp_condition(f.gp, &(struct gp_data){ 2, X, y, NULL }, theta, &err), &err);
	assert_ok(gp_predict(f.gp, &x, 1, &mean, &sd, &err), &err);
	assert_ok(gp_predict(f.gp, X, 1, &at_best, &sd_best, &err), &err);

	const double left = conditioned_sd(&f, X[0], x);
	const double slope = sqrt(sd * sd - left * left) / sd_best;

	for (int i = 0; i < 2000; i++) {
		const double z = gsl_cdf_ugaussian_Pinv((i + 0.5) / 2000);

		sum += exp(log_expected_improvement(mean + slope * sd_best * z, left,
			       at_best + sd_best * z, NULL, NULL)) /
		       2000;
	}
	assert_ok(noisy_incumbent_append(f.gp, f.eligible, 64, &n, &err), &err);
	assert_int_equal(n, 1);
	assert_near(log_ei(&f, x, 4000), log(sum), 2e-3);
	gp_destroy(f.gp);
}

/* In every function its values are known, so there is nothing more to be had, unlike with one f* for all. */
static void nothing_is_to_be_gained_at_the_trials(void **state)
{
	struct fixture *f = *state;
	double means[N], usual[N];

	gp_own_means(f->gp, means);
	for (size_t i = 0; i < N; i++)
		usual[i] = log_ei(f, f->X[i], 64);

	const size_t n = append(f, 64);

	for (size_t j = N; j < N + n; j++)
		for (size_t i = 0; i < N; i++)
			if (f->X[i] == gp_row(f->gp, j)[0])
				assert_true(log_ei(f, f->X[i], 64) < fmin(usual[i], -5));
}

int main(void)
{
#define WITH_MODEL(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_MODEL(the_trials_of_least_mean_are_repeated),
		WITH_MODEL(failed_trials_are_not),
		WITH_MODEL(running_trials_leave_less_room),
		cmocka_unit_test(the_value_is_an_average_over_functions),
		WITH_MODEL(nothing_is_to_be_gained_at_the_trials),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
