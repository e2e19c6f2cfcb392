/* surrogate/gp.h: fitting, conditioning, appending, predicting. Linked with --wrap=calloc and
 * --wrap=aligned_alloc, the only allocators of the modules under test. */
#include "surrogate/gp_fit.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_statistics_double.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "reference_gp.h"

enum { N_MAX = 200, D_MAX = 6 };

/* ---- fixtures */

struct data {
	size_t n, d;
	enum dimension_kind kinds[D_MAX];
	double X[N_MAX * D_MAX], y[N_MAX], noise_scales[N_MAX];
};

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

static double smooth(size_t d, const double *x)
{
	double f = 0;

	for (size_t k = 0; k < d; k++)
		f += sin(4 * x[k] + (double)k) / (double)(k + 1);
	return f;
}

/* n random points of d dimensions, the last `categories` of which are categories of three; a smooth
 * function with a little noise. */
static struct data draw(size_t n, size_t d, size_t categories, uint64_t seed)
{
	struct data data = { .n = n, .d = d };
	struct random random = stream(seed);

	for (size_t k = 0; k < d; k++)
		data.kinds[k] = k + categories >= d ? DIMENSION_CATEGORY : DIMENSION_NUMERIC;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < d; k++)
			data.X[i * d + k] = data.kinds[k] == DIMENSION_CATEGORY
						    ? (double)random_below(&random, 3)
						    : random_uniform(&random);
		data.y[i] = smooth(d, data.X + i * d) + 0.05 * random_normal(&random);
		data.noise_scales[i] = 1;
	}
	return data;
}

static struct gp_data view(const struct data *data)
{
	return (struct gp_data){ data->n, data->X, data->y, data->noise_scales };
}

static struct gp *create(size_t d, const enum dimension_kind *kinds)
{
	struct tuner_error err;
	struct gp *gp = NULL;

	assert_ok(gp_create(d, kinds, false, &gp, &err), &err);
	return gp;
}

static void condition(struct gp *gp, const struct data *data, const double *theta)
{
	const struct gp_data all = view(data);
	struct tuner_error err;

	assert_ok(gp_condition(gp, &all, theta, &err), &err);
}

static void append(struct gp *gp, const double *X, size_t m)
{
	struct tuner_error err;

	assert_ok(gp_append(gp, X, NULL, m, &err), &err);
}

static void predict(const struct gp *gp, const double *X, size_t m, double *mean, double *sd)
{
	struct tuner_error err;

	assert_ok(gp_predict(gp, X, m, mean, sd, &err), &err);
}

static double likelihood(const struct gp *gp, const struct data *data, const double *theta,
	bool posterior, double *gradient)
{
	const struct gp_data all = view(data);
	struct tuner_error err;
	double value;

	assert_ok(gp_likelihood(gp, &all, theta, posterior, &value, gradient, &err), &err);
	return value;
}

static struct gp_fit_report fit(
	struct gp *gp, const struct data *data, struct gp_fit_options options)
{
	const struct gp_data all = view(data);
	struct gp_fit_report report;
	struct tuner_error err;

	assert_ok(gp_fit(gp, &all, &options, &report, &err), &err);
	return report;
}

/* A theta of some lengthscales and a noise. */
static const double *theta_of(size_t d, double length, double noise)
{
	static double theta[D_MAX + 1];

	for (size_t k = 0; k < d; k++)
		theta[k] = log(length * (1 + 0.3 * (double)k));
	theta[d] = log(noise);
	return theta;
}

static void assert_near(double actual, double expected, double tolerance)
{
	if (!(fabs(actual - expected) <= tolerance * fmax(1, fabs(expected))))
		fail_msg("%.17g is not %.17g", actual, expected);
}

static double matern(double r)
{
	const double rho = sqrt(5) * fabs(r);

	return (1 + rho + rho * rho / 3) * exp(-rho);
}

/* ---- against scikit-learn */

enum { REFERENCES = sizeof(reference_gp) / sizeof(*reference_gp) };

static struct gp_data reference(size_t i)
{
	return (struct gp_data){ reference_gp[i].n, reference_gp[i].X, reference_gp[i].y,
		reference_gp[i].scales };
}

static void likelihoods_agree_with_scikit_learn(void **state)
{
	struct tuner_error err;
	double value, gradient[D_MAX + 1];

	for (size_t i = 0; i < REFERENCES; i++) {
		const size_t d = reference_gp[i].d;
		struct gp *gp = create(d, reference_gp[i].kinds);
		const struct gp_data data = reference(i);

		assert_ok(gp_likelihood(
				  gp, &data, reference_gp[i].theta, false, &value, gradient, &err),
			&err);
		assert_near(value, reference_gp[i].value, 1e-10);
		for (size_t k = 0; k <= d; k++)
			if (!isnan(reference_gp[i].gradient[k]))
				assert_near(gradient[k], reference_gp[i].gradient[k], 1e-8);
		gp_destroy(gp);
	}
}

static void predictions_agree_with_scikit_learn(void **state)
{
	struct tuner_error err;
	double mean[8], sd[8];

	for (size_t i = 0; i < REFERENCES; i++) {
		struct gp *gp = create(reference_gp[i].d, reference_gp[i].kinds);
		const struct gp_data data = reference(i);

		assert_ok(gp_condition(gp, &data, reference_gp[i].theta, &err), &err);
		assert_near(gp_constant(gp), reference_gp[i].c, 1e-9);
		predict(gp, reference_gp[i].Xs, reference_gp[i].stars, mean, sd);
		for (size_t j = 0; j < reference_gp[i].stars; j++) {
			assert_near(mean[j], reference_gp[i].mean[j], 1e-9);
			assert_near(sd[j], reference_gp[i].sd[j], 1e-9);
		}
		gp_destroy(gp);
	}
}

/* ---- by hand */

static void one_trial_by_hand(void **state)
{
	const struct data data = {
		.n = 1, .d = 1, .X = { 0.3 }, .y = { 1.7 }, .noise_scales = { 1 }
	};
	static const double x[] = { 0.5 };
	const double noise = 0.01, k = matern(0.2 / 0.4), *theta = theta_of(1, 0.4, noise);
	struct gp *gp = create(1, NULL);
	double mean, sd;

	condition(gp, &data, theta);
	predict(gp, x, 1, &mean, &sd);
	assert_near(gp_constant(gp), 1.7, 1e-15);
	assert_near(mean, 1.7, 1e-15);
	assert_near(sd, sqrt(1 - k * k / (1 + noise)), 1e-14);
	assert_near(likelihood(gp, &data, theta, false, NULL),
		-0.5 * log(1 + noise) - 0.5 * log(2 * M_PI), 1e-14);
	gp_destroy(gp);
}

/* Two trials: c is their mean by symmetry; K^-1 of [[a, k], [k, a]] is known. */
static void two_trials_by_hand(void **state)
{
	const struct data data = {
		.n = 2, .d = 1, .X = { 0.2, 0.7 }, .y = { -1, 3 }, .noise_scales = { 1, 1 }
	};
	static const double x[] = { 0.4 };
	const double noise = 0.01, a = 1 + noise, k = matern(0.5 / 0.4);
	const double k1 = matern(0.2 / 0.4), k2 = matern(0.3 / 0.4),
		     *theta = theta_of(1, 0.4, noise);
	struct gp *gp = create(1, NULL);
	double mean, sd;

	condition(gp, &data, theta);
	predict(gp, x, 1, &mean, &sd);
	assert_near(gp_constant(gp), 1, 1e-14);
	assert_near(mean, 1 + 2 * (k2 - k1) / (a - k), 1e-14);
	assert_near(
		sd * sd, 1 - (a * (k1 * k1 + k2 * k2) - 2 * k * k1 * k2) / (a * a - k * k), 1e-13);
	assert_near(likelihood(gp, &data, theta, false, NULL),
		-4 / (a - k) - 0.5 * log(a * a - k * k) - log(2 * M_PI), 1e-13);
	gp_destroy(gp);
}

/* ---- likelihood and prior */

static void gradients_agree_with_central_differences(void **state)
{
	static const double h = 1e-4;

	for (size_t seed = 0; seed < 12; seed++) {
		const size_t d = 1 + seed % D_MAX, n = 3 + 9 * seed;
		struct data data = draw(n, d, seed % 3 < d ? seed % 3 : 0, seed);
		struct gp *gp = create(d, data.kinds);
		struct random random = stream(seed);
		double theta[D_MAX + 1], gradient[D_MAX + 1];

		for (size_t i = 0; i < n; i += 4)
			data.noise_scales[i] = 10;
		for (size_t k = 0; k <= d; k++)
			theta[k] = random_uniform(&random) * 2 - (k == d ? 7 : 1.5);
		likelihood(gp, &data, theta, seed % 2, gradient);
		for (size_t k = 0; k <= d; k++) {
			double f[4], at = theta[k];

			for (int i = 0; i < 4; i++) {
				theta[k] = at + h * (i < 2 ? i - 2 : i - 1);
				f[i] = likelihood(gp, &data, theta, seed % 2, NULL);
			}
			theta[k] = at;
			assert_near(
				gradient[k], (8 * (f[2] - f[1]) - (f[3] - f[0])) / (12 * h), 1e-6);
		}
		gp_destroy(gp);
	}
}

static const enum dimension_kind TWO_NUMBERS_AND_A_CATEGORY[] = { DIMENSION_NUMERIC,
	DIMENSION_CATEGORY, DIMENSION_NUMERIC };

/* Densities in ln l and ln sigma^2: GSL's. */
static void the_prior_is_the_documented_density(void **state)
{
	const struct data data = draw(4, 3, 0, 1);
	struct gp *gp = create(3, TWO_NUMBERS_AND_A_CATEGORY);
	struct random random = stream(2);
	double theta[4];

	for (int draws = 0; draws < 50; draws++) {
		double expected = 0;

		gp_prior_draw(gp, &random, theta);
		for (size_t k = 0; k < 3; k++)
			expected += log(gsl_ran_gaussian_pdf(
				theta[k] - (M_SQRT2 + 0.5 * log(3) - 3), k == 1 ? sqrt(3) : 1));
		expected += log(gsl_ran_gaussian_pdf(theta[3] + 8, 2));
		assert_near(likelihood(gp, &data, theta, true, NULL) -
				    likelihood(gp, &data, theta, false, NULL),
			expected, 1e-10);
	}
	gp_destroy(gp);
}

/* The middle is the mode of the log-normal(sqrt 2 + ln(d)/2, sqrt 3), as a density in l. */
static void the_middle_of_lengthscales_is_the_mode_of_the_density_in_l(void **state)
{
	const double h = 1e-3;

	for (size_t d = 1; d <= D_MAX; d++) {
		struct gp *gp = create(d, NULL);
		const double mu = M_SQRT2 + 0.5 * log((double)d);
		double theta[D_MAX + 1];

		gp_prior_mode(gp, theta);
		const double l = exp(theta[0]), at = gsl_ran_lognormal_pdf(l, mu, sqrt(3));

		assert_true(gsl_ran_lognormal_pdf(l * (1 + h), mu, sqrt(3)) < at);
		assert_true(gsl_ran_lognormal_pdf(l * (1 - h), mu, sqrt(3)) < at);
		gp_destroy(gp);
	}
}

static void the_prior_mode_is_stationary(void **state)
{
	for (size_t d = 1; d <= D_MAX; d++) {
		const struct data data = draw(5, d, 0, d);
		struct gp *gp = create(d, NULL);
		double theta[D_MAX + 1], with[D_MAX + 1], without[D_MAX + 1];

		gp_prior_mode(gp, theta);
		assert_near(exp(theta[0]), 0.2048 * sqrt((double)d), 1e-3);
		assert_near(theta[d], -8, 0);
		likelihood(gp, &data, theta, true, with);
		likelihood(gp, &data, theta, false, without);
		for (size_t k = 0; k <= d; k++)
			assert_near(with[k], without[k], 1e-12);
		gp_destroy(gp);
	}
}

static void bounds_are_the_documented_ones(void **state)
{
	struct gp *gp = create(2, NULL);
	double lower[3], upper[3];

	for (int deterministic = 0; deterministic < 2; deterministic++) {
		gp_bounds(gp, deterministic, lower, upper);
		for (size_t k = 0; k < 2; k++) {
			assert_near(exp(lower[k]), 0.025, 1e-15);
			assert_near(exp(upper[k]), 1000, 1e-12);
		}
		assert_near(exp(lower[2]), 1e-6, 1e-20);
		assert_near(exp(upper[2]), deterministic ? 1e-6 : 10, 1e-13);
	}
	assert_int_equal(gp_n_hyperparameters(gp), 3);
	gp_destroy(gp);
}

static void prior_draws_follow_the_prior(void **state)
{
	enum { DRAWS = 4000 };
	struct gp *gp = create(3, TWO_NUMBERS_AND_A_CATEGORY);
	struct random random = stream(3);
	double lower[4], upper[4], theta[4], drawn[3][DRAWS];

	gp_bounds(gp, false, lower, upper);
	for (int i = 0; i < DRAWS; i++) {
		gp_prior_draw(gp, &random, theta);
		for (size_t k = 0; k < 4; k++)
			assert_true(theta[k] >= lower[k] && theta[k] <= upper[k]);
		for (size_t k = 0; k < 3; k++)
			drawn[k][i] = theta[k];
	}
	for (size_t k = 0; k < 3; k++) {
		assert_near(gsl_stats_mean(drawn[k], 1, DRAWS), M_SQRT2 + 0.5 * log(3) - 3, 0.1);
		assert_near(gsl_stats_sd(drawn[k], 1, DRAWS), k == 1 ? sqrt(3) : 1, 0.1);
	}
	gp_destroy(gp);
}

/* ---- fitting */

/* A maximum: the projected gradient is small, and no random theta is better. */
static void a_fit_is_a_maximum(void **state)
{
	for (size_t seed = 0; seed < 6; seed++) {
		const size_t d = 1 + seed;
		/* 5d trials, or one less: the number from which prior draws are not tried. */
		const struct data data = draw(5 * d - seed % 2, d, seed % 2, seed);
		struct gp *gp = create(d, data.kinds);
		struct random random = stream(seed), draws = stream(seed + 100);
		const struct gp_fit_report report =
			fit(gp, &data, (struct gp_fit_options){ .random = &random });
		double lower[D_MAX + 1], upper[D_MAX + 1], gradient[D_MAX + 1], theta[D_MAX + 1];
		const double *best = gp_hyperparameters(gp);

		assert_true(report.converged);
		assert_int_equal(report.starts, data.n < 5 * d ? 4 : 2);
		assert_near(
			report.log_posterior, likelihood(gp, &data, best, true, gradient), 1e-10);
		gp_bounds(gp, false, lower, upper);
		for (size_t k = 0; k <= d; k++) {
			const double to = fmin(fmax(best[k] + gradient[k], lower[k]), upper[k]);

			assert_true(fabs(to - best[k]) < 1.1e-3);
		}
		for (int i = 0; i < 200; i++) {
			gp_prior_draw(gp, &draws, theta);
			assert_true(
				likelihood(gp, &data, theta, true, NULL) <= report.log_posterior);
		}
		gp_destroy(gp);
	}
}

/* y = one draw of a Gaussian process at theta, of `noise` outcomes. */
static void sample_outcomes(struct data *data, const double *theta, struct random *random)
{
	struct gp *gp = create(data->d, data->kinds);
	double b[N_MAX];

	memset(data->y, 0, sizeof(data->y));
	condition(gp, data, theta);
	for (size_t i = 0; i < data->n; i++)
		b[i] = random_normal(random);
	for (size_t i = 0; i < data->n; i++)
		data->y[i] = gp_outcome(gp, b, i);
	gp_destroy(gp);
}

static void a_fit_recovers_what_made_the_data(void **state)
{
	const double truth[] = { log(0.3), log(1.2), log(0.01) };
	struct data data = draw(N_MAX, 2, 0, 11);
	struct random random = stream(12);
	struct gp *gp = create(2, NULL);

	sample_outcomes(&data, truth, &random);
	fit(gp, &data, (struct gp_fit_options){ 0 });
	for (size_t k = 0; k < 3; k++)
		assert_true(fabs(gp_hyperparameters(gp)[k] - truth[k]) < 0.5);
	gp_destroy(gp);
}

/* A slope under as much noise has two modes: this one, and short lengthscales with hardly any noise, which is
 * where a search from the prior's mode ends. */
static void much_noise_is_seen_as_noise(void **state)
{
	for (uint64_t seed = 1; seed < 7; seed++) {
		struct data data = draw(120, 3, 0, seed);
		struct random random = stream(100 + seed);
		struct gp *gp = create(3, NULL);

		for (size_t i = 0; i < data.n; i++)
			data.y[i] = 2.4 * (data.X[i * 3] - 0.5) + 0.7 * random_normal(&random);
		fit(gp, &data, (struct gp_fit_options){ 0 });
		assert_true(exp(gp_hyperparameters(gp)[3]) > 0.1);
		gp_destroy(gp);
	}
}

static void a_fit_has_the_same_bits_again(void **state)
{
	const struct data data = draw(14, 3, 1, 4);
	struct gp *gp = create(3, data.kinds), *again = create(3, data.kinds);
	struct random random = stream(1), same = stream(1);
	const struct gp_fit_report report =
		fit(gp, &data, (struct gp_fit_options){ .random = &random });

	/* What a model was before does not matter. */
	condition(again, &data, theta_of(3, 0.1, 0.5));
	assert_int_equal(
		fit(again, &data, (struct gp_fit_options){ .random = &same }).work, report.work);
	assert_memory_equal(gp_hyperparameters(gp), gp_hyperparameters(again), 4 * sizeof(double));
	gp_destroy(gp);
	gp_destroy(again);
}

static void a_fit_from_its_own_result_costs_little(void **state)
{
	const struct data data = draw(40, 3, 0, 4);
	struct gp *gp = create(3, NULL);
	struct gp_fit_report first = fit(gp, &data, (struct gp_fit_options){ 0 }), second;
	double start[4];

	memcpy(start, gp_hyperparameters(gp), sizeof(start));
	second = fit(gp, &data, (struct gp_fit_options){ .start = start });
	assert_int_equal(second.work, first.work + 1);
	assert_int_equal(second.starts, 3);
	assert_true(second.log_posterior >= first.log_posterior);
	gp_destroy(gp);
}

static void the_work_limit_holds(void **state)
{
	const struct data data = draw(12, 4, 0, 4);
	struct gp *gp = create(4, NULL);
	double before = -INFINITY;

	for (uint64_t limit = 1; limit <= 12; limit++) {
		struct random random = stream(1);
		const struct gp_fit_report report = fit(gp, &data,
			(struct gp_fit_options){ .random = &random, .work_limit = limit });

		assert_int_equal(report.work, limit);
		assert_true(report.log_posterior >= before);
		before = report.log_posterior;
	}
	gp_destroy(gp);
}

static void a_start_that_is_no_number_is_ignored(void **state)
{
	static const double start[] = { 0, NAN, 0 };
	const struct data data = draw(9, 2, 0, 4);
	struct gp *gp = create(2, NULL), *plain = create(2, NULL);

	fit(gp, &data, (struct gp_fit_options){ .start = start });
	fit(plain, &data, (struct gp_fit_options){ 0 });
	assert_memory_equal(gp_hyperparameters(gp), gp_hyperparameters(plain), 3 * sizeof(double));
	gp_destroy(gp);
	gp_destroy(plain);
}

static void without_noise_the_model_interpolates(void **state)
{
	const struct data data = draw(15, 2, 0, 4);
	struct gp *gp = create(2, NULL);
	double mean[15], sd[15];

	fit(gp, &data, (struct gp_fit_options){ .deterministic = true });
	assert_near(exp(gp_hyperparameters(gp)[2]), 1e-6, 1e-15);
	predict(gp, data.X, 15, mean, sd);
	for (size_t i = 0; i < 15; i++) {
		assert_true(fabs(mean[i] - data.y[i]) < 1e-2);
		assert_true(sd[i] < 2e-3);
	}
	gp_destroy(gp);
}

/* ---- histories at the edge */

static void check_history(struct data *data)
{
	struct gp *gp = create(data->d, data->kinds);
	struct random random = stream(1);
	const struct gp_fit_report report =
		fit(gp, data, (struct gp_fit_options){ .random = &random });
	static const double corners[] = { 0, 1, 0.5 };
	double x[D_MAX], mean, sd;

	assert_true(isfinite(report.log_posterior));
	for (size_t corner = 0; corner < 3; corner++) {
		for (size_t k = 0; k < data->d; k++)
			x[k] = corners[corner];
		predict(gp, x, 1, &mean, &sd);
		assert_true(isfinite(mean) && sd > 0 && sd <= 1);
	}
	gp_destroy(gp);
}

static void odd_histories_can_be_fitted(void **state)
{
	struct data data = draw(1, 1, 0, 1);

	check_history(&data); /* one trial, one dimension */
	data = draw(1, 3, 3, 1);
	check_history(&data); /* nothing but categories */
	data = draw(30, 3, 0, 1);
	memset(data.y, 0, sizeof(data.y));
	check_history(&data); /* equal outcomes */
	data = draw(30, 3, 0, 1);
	for (size_t i = 1; i < 30; i++)
		memcpy(data.X + 3 * i, data.X, 3 * sizeof(double));
	check_history(&data); /* one point, contradictory outcomes */
	memset(data.y, 0, sizeof(data.y));
	check_history(&data); /* one point, equal outcomes */
	data = draw(100, 1, 0, 1);
	for (size_t i = 0; i < 100; i++) {
		data.X[i] = 0.5 + 1e-9 * (double)i;
		data.y[i] = i % 2 ? 1 : -1;
	}
	check_history(&data); /* crowded */
	data = draw(20, 2, 0, 1);
	data.y[7] = 1e6;
	check_history(&data); /* not standardised at all */
	data = draw(8, 2, 0, 1);
	for (size_t i = 0; i < 8; i++)
		data.noise_scales[i] = 10;
	check_history(&data); /* all failed */
}

/* Without noise equal rows make the matrix singular: the jitter is for that. */
static void a_singular_matrix_gets_a_jitter(void **state)
{
	struct data data = draw(12, 2, 0, 1);
	struct gp *gp = create(2, NULL);

	memcpy(data.X + 2, data.X, 2 * sizeof(double));
	data.y[1] = data.y[0];
	condition(gp, &data, theta_of(2, 50, 1e-40));
	const double jitter = gp_jitter(gp);

	assert_true(jitter > 0 && jitter <= 1e-6);
	append(gp, draw(N_MAX, 2, 0, 2).X, N_MAX); /* far beyond the room there was */
	assert_true(gp_jitter(gp) == jitter && gp_noise(gp, N_MAX) >= jitter);
	condition(gp, &data, theta_of(2, 1, 1e-3));
	assert_true(gp_jitter(gp) == 0);
	gp_destroy(gp);
}

static void a_failed_fit_keeps_the_old_model(void **state)
{
	const struct data good = draw(9, 2, 0, 1);
	struct data bad = good;
	const struct gp_data all = view(&bad);
	const struct gp_fit_options options = { 0 };
	static const double x[] = { 0.3, 0.4 }, second_nowhere[] = { 0.1, 0.2, NAN, 0.5 };
	struct gp *gp = create(2, NULL);
	struct gp_fit_report report;
	struct tuner_error err;
	double mean, sd, mean_before, sd_before;

	fit(gp, &good, options);
	predict(gp, x, 1, &mean_before, &sd_before);
	bad.X[3] = NAN;
	assert_false(gp_fit(gp, &all, &options, &report, &err));
	assert_int_equal(err.code, TUNER_NUMERIC);
	assert_false(gp_condition(gp, &all, gp_hyperparameters(gp), &err));
	assert_int_equal(err.code, TUNER_NUMERIC);
	assert_false(gp_append(gp, second_nowhere, NULL, 2, &err));
	assert_int_equal(err.code, TUNER_NUMERIC);
	assert_int_equal(gp_n(gp), 9);
	predict(gp, x, 1, &mean, &sd);
	assert_true(mean == mean_before && sd == sd_before);
	gp_destroy(gp);
}

/* Whichever allocation fails, the old model must still answer: fail the first, then the second,
 * and so on until the call gets through. */
static void failing_allocations_keep_the_old_model(void **state)
{
	const struct data old = draw(9, 2, 0, 1), new = draw(30, 2, 0, 2);
	const struct gp_data all = view(&new);
	static const double x[] = { 0.3, 0.4 };
	const double *theta = theta_of(2, 0.7, 0.01);
	struct gp *gp = create(2, NULL);
	struct tuner_error err;
	double before, mean, sd;

	for (int call = 0; call < 4; call++) {
		condition(gp, &old, theta_of(2, 0.5, 0.01));
		predict(gp, x, 1, &before, &sd);
		for (unsigned n = 1;; n++) {
			struct gp_fit_report report;
			bool ok;

			allocate_fail = n;
			ok = call == 0   ? gp_fit(gp, &all, &(struct gp_fit_options){ 0 }, &report,
						   &err)
			     : call == 1 ? gp_condition(gp, &all, theta, &err)
			     : call == 2 ? gp_append(gp, new.X, NULL, 30, &err)
					 : gp_predict(gp, x, 1, &mean, &sd, &err);
			allocate_fail = 0;
			if (ok) {
				assert_true(n > 1);
				break;
			}
			assert_int_equal(err.code, TUNER_FATAL);
			assert_int_equal(gp_n(gp), 9);
			predict(gp, x, 1, &mean, &sd);
			assert_true(mean == before);
		}
	}
	gp_destroy(gp);

	for (unsigned n = 1;; n++) {
		allocate_fail = n;
		const bool ok = gp_create(2, NULL, false, &gp, &err);

		allocate_fail = 0;
		if (ok)
			break;
		assert_int_equal(err.code, TUNER_FATAL);
	}
	gp_destroy(gp);
}

/* ---- appended rows */

enum { A = 20, B = 60, STARS = 70 };

static void assert_same_predictions(const struct gp *a, const struct gp *b, const double *X)
{
	double mean[STARS], sd[STARS], other_mean[STARS], other_sd[STARS];

	predict(a, X, STARS, mean, sd);
	predict(b, X, STARS, other_mean, other_sd);
	assert_memory_equal(mean, other_mean, sizeof(mean));
	assert_memory_equal(sd, other_sd, sizeof(sd));
}

/* 20 rows factored, 40 appended: at once; one by one; with others appended and forgotten in
 * between; in a model that has grown far beyond; their predictions have the same bits. */
static void appending_gives_the_same_bits_however_it_is_done(void **state)
{
	struct data first = draw(B, 3, 1, 8), others = draw(N_MAX, 3, 1, 9);
	const double *later = first.X + A * 3, *theta = theta_of(3, 0.4, 1e-4);
	struct gp *at_once = create(3, first.kinds), *one_by_one = create(3, first.kinds),
		  *with_detours = create(3, first.kinds);

	first.n = A;
	condition(at_once, &first, theta);
	append(at_once, later, B - A);

	condition(one_by_one, &first, theta);
	for (size_t i = A; i < B; i++)
		append(one_by_one, first.X + i * 3, 1);
	assert_same_predictions(at_once, one_by_one, others.X);

	condition(with_detours, &first, theta);
	append(with_detours, others.X, N_MAX - A);
	gp_forget(with_detours, N_MAX - A);
	append(with_detours, later, 7);
	append(with_detours, others.X, 5);
	gp_forget(with_detours, 5);
	append(with_detours, later + 7 * 3, B - A - 7);
	assert_int_equal(gp_n(with_detours), B);
	assert_int_equal(gp_n_factored(with_detours), A);
	assert_same_predictions(at_once, with_detours, others.X);

	/* The same after the outcomes of the appended rows have come in. */
	gp_set_outcomes(at_once, first.y, B);
	gp_set_outcomes(with_detours, first.y, A + 3);
	gp_set_outcomes(with_detours, first.y, B);
	assert_same_predictions(at_once, with_detours, others.X);

	gp_destroy(at_once);
	gp_destroy(one_by_one);
	gp_destroy(with_detours);
}

static void appending_equals_conditioning_on_all(void **state)
{
	struct data data = draw(B, 3, 1, 8);
	const struct data stars = draw(STARS, 3, 1, 9);
	const double *theta = theta_of(3, 0.4, 1e-4);
	struct gp *whole = create(3, data.kinds), *grown = create(3, data.kinds);
	double mean[STARS], sd[STARS], other_mean[STARS], other_sd[STARS];

	for (size_t i = 0; i < B; i += 3)
		data.noise_scales[i] = 10;
	condition(whole, &data, theta);
	data.n = 1;
	condition(grown, &data, theta);
	struct tuner_error err;

	assert_ok(gp_append(grown, data.X + 3, data.noise_scales + 1, B - 1, &err), &err);
	gp_set_outcomes(grown, data.y, B);
	predict(whole, stars.X, STARS, mean, sd);
	predict(grown, stars.X, STARS, other_mean, other_sd);
	assert_near(gp_constant(grown), gp_constant(whole), 1e-10);
	for (size_t i = 0; i < STARS; i++) {
		assert_near(other_mean[i], mean[i], 1e-10);
		assert_near(other_sd[i], sd[i], 1e-10);
	}
	gp_destroy(whole);
	gp_destroy(grown);
}

static void pending_rows_leave_the_mean_and_take_the_variance(void **state)
{
	const struct data data = draw(15, 2, 0, 8);
	static const double x[] = { 0.9, 0.95, 0.1, 0.2 };
	struct gp *gp = create(2, NULL);
	double mean[2], sd[2], after_mean[2], after_sd[2];

	condition(gp, &data, theta_of(2, 0.3, 1e-4));
	predict(gp, x, 2, mean, sd);
	append(gp, x, 1);
	assert_int_equal(gp_n(gp), 16);
	assert_int_equal(gp_n_outcomes(gp), 15);
	predict(gp, x, 2, after_mean, after_sd);
	assert_memory_equal(mean, after_mean, sizeof(mean));
	assert_true(after_sd[0] < 0.011 && sd[0] > 0.1 && after_sd[1] <= sd[1]);
	gp_forget(gp, 1);
	predict(gp, x, 2, after_mean, after_sd);
	assert_memory_equal(sd, after_sd, sizeof(sd));
	gp_destroy(gp);
}

/* Appending what is there already, ever more often, with hardly any noise. */
static void repeated_rows_can_be_appended(void **state)
{
	const struct data data = draw(10, 2, 0, 8);
	struct gp *gp = create(2, NULL);
	double mean, sd;

	condition(gp, &data, theta_of(2, 100, 1e-6));
	for (int i = 0; i < 50; i++)
		append(gp, data.X, 1);
	predict(gp, data.X, 1, &mean, &sd);
	assert_true(isfinite(mean) && sd > 0 && sd < 1e-3);
	gp_destroy(gp);
}

/* Draws of pending outcomes, c + L b, have the predicted mean, variance and covariance: L is read
 * off by unit vectors. */
static void pending_outcomes_have_the_predicted_covariance(void **state)
{
	const struct data data = draw(12, 2, 0, 8);
	static const double x[] = { 0.5, 0.6, 0.55, 0.4 };
	const double noise = 1e-2;
	struct gp *gp = create(2, NULL);
	double mean[2], sd[2], reduced[2], b[14] = { 0 }, L[2][2];

	condition(gp, &data, theta_of(2, 0.5, noise));
	predict(gp, x, 2, mean, sd);
	append(gp, x, 1);
	predict(gp, x, 2, b, reduced);
	append(gp, x + 2, 1);

	memset(b, 0, sizeof(b));
	memcpy(b, gp_whitened_outcomes(gp), 12 * sizeof(*b));
	for (size_t i = 0; i < 2; i++)
		assert_near(gp_outcome(gp, b, 12 + i), mean[i], 1e-12);
	for (size_t j = 0; j < 2; j++) {
		b[12 + j] = 1;
		for (size_t i = 0; i < 2; i++)
			L[i][j] = gp_outcome(gp, b, 12 + i) - mean[i];
		b[12 + j] = 0;
	}
	assert_near(L[0][0] * L[0][0], sd[0] * sd[0] + noise, 1e-12);
	assert_near(L[1][0] * L[1][0] + L[1][1] * L[1][1], sd[1] * sd[1] + noise, 1e-12);
	assert_near(L[1][1] * L[1][1], reduced[1] * reduced[1] + noise, 1e-12);
	gp_destroy(gp);
}

static void own_means_are_predictions_at_the_rows(void **state)
{
	struct data data = draw(25, 3, 1, 8);
	struct gp *gp = create(3, data.kinds);
	double own[25], mean[25], sd[25];

	data.noise_scales[4] = 10;
	condition(gp, &data, theta_of(3, 0.5, 1e-2));
	append(gp, data.X, 2);
	gp_own_means(gp, own);
	predict(gp, data.X, 25, mean, sd);
	for (size_t i = 0; i < 25; i++)
		assert_near(own[i], mean[i], 1e-11);
	gp_destroy(gp);
}

/* ---- predictions */

static void prediction_gradients_agree_with_differences(void **state)
{
	enum { M = 100 };
	static const double h = 1e-5;
	const struct data data = draw(30, 4, 1, 8), stars = draw(M, 4, 1, 9);
	struct gp *gp = create(4, data.kinds);
	struct tuner_error err;
	double mean[M], sd[M], dmean[M * 4], dsd[M * 4], same_mean[M], same_sd[M];

	condition(gp, &data, theta_of(4, 0.4, 1e-3));
	append(gp, stars.X, 3);
	assert_ok(gp_predict_gradient(gp, stars.X, M, mean, sd, dmean, dsd, &err), &err);
	predict(gp, stars.X, M, same_mean, same_sd);
	assert_memory_equal(mean, same_mean, sizeof(mean));
	assert_memory_equal(sd, same_sd, sizeof(sd));
	for (size_t i = 5; i < M; i++)
		for (size_t k = 0; k < 4; k++) {
			double x[8], m[2], s[2];

			memcpy(x, stars.X + 4 * i, 4 * sizeof(double));
			memcpy(x + 4, x, 4 * sizeof(double));
			if (data.kinds[k] == DIMENSION_CATEGORY) {
				assert_true(dmean[4 * i + k] == 0 && dsd[4 * i + k] == 0);
				continue;
			}
			x[k] += h;
			x[4 + k] -= h;
			predict(gp, x, 2, m, s);
			assert_near(dmean[4 * i + k], (m[0] - m[1]) / (2 * h), 1e-6);
			assert_near(dsd[4 * i + k], (s[0] - s[1]) / (2 * h), 1e-6);
		}
	gp_destroy(gp);
}

/* ---- a trend */

enum { TREND_D = 3, TREND_N = 25, TREND_M = 12 };

/* Slopes, of which that of the last dimension, a category, is none. */
static bool rise(const void *context, const double *X, size_t m, double *ret_values,
	double *ret_gradients, struct tuner_error *err)
{
	const double *by = context;

	for (size_t i = 0; i < m; i++) {
		const double *x = X + i * TREND_D;

		ret_values[i] = by[0] * x[0] * x[0] - by[1] * x[1] + by[2] * x[2];
		if (ret_gradients == NULL)
			continue;
		ret_gradients[i * TREND_D] = 2 * by[0] * x[0];
		ret_gradients[i * TREND_D + 1] = -by[1];
		ret_gradients[i * TREND_D + 2] = 0;
	}
	return true;
}

static const double rises[TREND_D] = { 3, 2, 0.5 };
static const struct gp_trend trend = { rises, rise };

/* Predicting it, adding to it, the likelihood: all as of a model of what the trend leaves. */
static void a_trend_is_added_to_a_model_of_what_it_leaves(void **state)
{
	const struct data data = draw(TREND_N, TREND_D, 1, 8);
	const struct data stars = draw(TREND_M, TREND_D, 1, 9);
	const double *theta = theta_of(TREND_D, 0.4, 1e-3);
	struct gp *with = create(TREND_D, data.kinds), *without = create(TREND_D, data.kinds);
	struct data left = data;
	double t[TREND_N], values[TREND_M], slopes[TREND_M * TREND_D];
	double mean[TREND_M], sd[TREND_M], dmean[TREND_M * TREND_D], dsd[TREND_M * TREND_D];
	double mean_left[TREND_M], sd_left[TREND_M], dmean_left[TREND_M * TREND_D],
		dsd_left[TREND_M * TREND_D];
	double alone[TREND_M], dalone[TREND_M * TREND_D];
	struct tuner_error err;

	assert_true(rise(rises, data.X, TREND_N, t, NULL, &err));
	assert_true(rise(rises, stars.X, TREND_M, values, slopes, &err));
	for (size_t i = 0; i < TREND_N; i++)
		left.y[i] -= t[i];
	gp_set_trend(with, &trend);
	condition(with, &data, theta);
	condition(without, &left, theta);
	append(with, stars.X, 4);
	append(without, stars.X, 4);
	assert_ok(gp_predict_gradient(with, stars.X, TREND_M, mean, sd, dmean, dsd, &err), &err);
	assert_ok(gp_predict_gradient(without, stars.X, TREND_M, mean_left, sd_left, dmean_left,
			  dsd_left, &err),
		&err);
	assert_ok(gp_predict_mean(with, stars.X, TREND_M, alone, dalone, &err), &err);
	assert_memory_equal(sd, sd_left, sizeof sd);
	assert_memory_equal(dsd, dsd_left, sizeof dsd);
	for (size_t i = 0; i < TREND_M; i++) {
		assert_near(mean[i], mean_left[i] + values[i], 1e-12);
		assert_near(alone[i], mean[i], 1e-12);
		for (size_t k = 0; k < TREND_D; k++) {
			const size_t at = i * TREND_D + k;

			assert_near(dmean[at], dmean_left[at] + slopes[at], 1e-12);
			assert_near(dalone[at], dmean[at], 1e-12);
		}
	}
	for (size_t i = 0; i < 4; i++) {
		assert_near(gp_row_trend(with, TREND_N + i), values[i], 1e-12);
		assert_near(gp_outcome(with, gp_whitened_outcomes(with), i),
			gp_outcome(without, gp_whitened_outcomes(without), i) + t[i], 1e-12);
	}
	assert_near(likelihood(with, &data, theta, true, dmean),
		likelihood(without, &left, theta, true, dmean_left), 1e-12);
	for (size_t k = 0; k <= TREND_D; k++)
		assert_near(dmean[k], dmean_left[k], 1e-12);
	gp_destroy(with);
	gp_destroy(without);
}

/* More rows than there was room for. */
static void a_grown_model_keeps_its_trend(void **state)
{
	const struct data data = draw(10, TREND_D, 1, 8), more = draw(100, TREND_D, 1, 9);
	const double *theta = theta_of(TREND_D, 0.4, 1e-3);
	struct gp *gp = create(TREND_D, data.kinds);
	double t[10], y[10];
	struct tuner_error err;

	assert_true(rise(rises, data.X, 10, t, NULL, &err));
	gp_set_trend(gp, &trend);
	condition(gp, &data, theta);
	append(gp, more.X, 100);
	for (size_t i = 0; i < 10; i++)
		assert_true(gp_row_trend(gp, i) == t[i]);
	for (size_t i = 0; i < 10; i++)
		y[i] = 2 * data.y[i];
	gp_set_outcomes(gp, y, 10);
	for (size_t i = 0; i < 10; i++)
		assert_near(gp_outcome(gp, gp_whitened_outcomes(gp), i), y[i], 1e-9);
	gp_destroy(gp);
}

static void a_fit_is_to_what_the_trend_leaves(void **state)
{
	const struct data data = draw(TREND_N, TREND_D, 1, 8);
	struct gp *with = create(TREND_D, data.kinds), *without = create(TREND_D, data.kinds);
	const struct gp_fit_options options = { .neighbours = 0 };
	struct data left = data;
	double t[TREND_N];
	struct tuner_error err;

	assert_true(rise(rises, data.X, TREND_N, t, NULL, &err));
	for (size_t i = 0; i < TREND_N; i++)
		left.y[i] -= t[i];
	gp_set_trend(with, &trend);
	fit(with, &data, options);
	fit(without, &left, options);
	for (size_t k = 0; k <= TREND_D; k++)
		assert_near(gp_hyperparameters(with)[k], gp_hyperparameters(without)[k], 1e-6);
	gp_set_trend(with, NULL);
	assert_null(gp_trend_of(with));
	condition(with, &data, theta_of(TREND_D, 0.4, 1e-3));
	assert_true(gp_row_trend(with, 0) == 0);
	gp_destroy(with);
	gp_destroy(without);
}

/* Rows, columns, the categories' names, and the zero of the outcomes are conventions. */
static void conventions_do_not_matter(void **state)
{
	enum { N = 30, M = 10 };
	const struct data data = draw(N, 3, 1, 8), stars = draw(M, 3, 1, 9);
	const double theta[] = { log(0.3), log(0.9), log(0.6), log(1e-3) };
	static const size_t column[] = { 2, 0, 1 };
	struct data other = data, others = stars;
	double other_theta[4], mean[M], sd[M], other_mean[M], other_sd[M];
	struct gp *gp = create(3, data.kinds), *changed;

	for (size_t k = 0; k < 3; k++) {
		other.kinds[k] = data.kinds[column[k]];
		other_theta[k] = theta[column[k]];
		for (size_t i = 0; i < N; i++) {
			const double x = data.X[(N - 1 - i) * 3 + column[k]];

			other.X[i * 3 + k] = column[k] == 2 ? 7 - 2 * x : x;
		}
		for (size_t i = 0; i < M; i++) {
			const double x = stars.X[i * 3 + column[k]];

			others.X[i * 3 + k] = column[k] == 2 ? 7 - 2 * x : x;
		}
	}
	other_theta[3] = theta[3];
	for (size_t i = 0; i < N; i++)
		other.y[i] = data.y[N - 1 - i] + 5;
	changed = create(3, other.kinds);

	assert_near(likelihood(changed, &other, other_theta, true, NULL),
		likelihood(gp, &data, theta, true, NULL), 1e-10);
	condition(gp, &data, theta);
	condition(changed, &other, other_theta);
	predict(gp, stars.X, M, mean, sd);
	predict(changed, others.X, M, other_mean, other_sd);
	for (size_t i = 0; i < M; i++) {
		assert_near(other_mean[i], mean[i] + 5, 1e-9);
		assert_near(other_sd[i], sd[i], 1e-9);
	}
	gp_destroy(gp);
	gp_destroy(changed);
}

/* 150 draws of a Gaussian process, 40 points known and 20 asked for: the 95 % intervals cover 95
 * %. */
static void intervals_cover_what_they_say(void **state)
{
	enum { DRAWS = 150, N = 40, M = 20 };
	const double *theta = theta_of(2, 0.3, 1e-2);
	struct random random = stream(21);
	struct gp *gp = create(2, NULL);
	size_t inside = 0;

	for (uint64_t i = 0; i < DRAWS; i++) {
		struct data data = draw(N + M, 2, 0, 1000 + i);
		double mean[M], sd[M];

		sample_outcomes(&data, theta, &random);
		data.n = N;
		condition(gp, &data, theta);
		predict(gp, data.X + N * 2, M, mean, sd);
		for (size_t j = 0; j < M; j++)
			inside += fabs(data.y[N + j] - mean[j]) <=
				  1.9599639845400545 * sqrt(sd[j] * sd[j] + 1e-2);
	}
	assert_in_range(inside, 0.93 * DRAWS * M, 0.97 * DRAWS * M);
	gp_destroy(gp);
}

/* What leaving one out says of each outcome: with alpha = K^-1 (y - c 1) and P = K^-1 - K^-1 11' K^-1 / 1'K^-1 1,
 * which is K^-1 with c integrated over, the others' mean is y_i - alpha_i / P_ii, and their variance, noise
 * included, 1 / (K^-1)_ii (Rasmussen and Williams, section 5.4.2). */
struct left_out {
	double mean[N_MAX], variance[N_MAX], z[N_MAX];
};

static struct left_out leave_each_out(const struct gp *gp)
{
	const size_t n = gp_n(gp), stride = gp_stride(gp);
	double *V = calloc(n * stride, sizeof *V), *ones = calloc(stride, sizeof *ones);
	double own[N_MAX], of_all = 0;
	struct left_out left = { { 0 } };

	assert_true(V && ones);
	for (size_t i = 0; i < n; i++)
		V[i * stride + i] = ones[i] = 1;
	gp_whiten(gp, V, n); /* rows L^-1 e_i */
	gp_whiten(gp, ones, 1);
	for (size_t i = 0; i < n; i++)
		of_all += ones[i] * ones[i];
	gp_own_means(gp, own);
	for (size_t i = 0; i < n; i++) {
		const double *v = V + i * stride;
		const double alpha = (gp_outcomes(gp)[i] - own[i]) / gp_noise(gp, i);
		double square = 0, sum = 0;

		for (size_t j = 0; j < n; j++) {
			square += v[j] * v[j];
			sum += v[j] * ones[j];
		}
		left.mean[i] = gp_outcomes(gp)[i] - alpha / (square - sum * sum / of_all);
		left.variance[i] = 1 / square;
		left.z[i] = alpha / sqrt(square - sum * sum / of_all);
	}
	free(V);
	free(ones);
	return left;
}

static void leaving_one_out_equals_a_model_without_it(void **state)
{
	struct data data = draw(30, 3, 1, 41);
	const double *theta = theta_of(3, 0.4, 0.02);
	struct gp *gp = create(3, data.kinds), *others = create(3, data.kinds);

	data.noise_scales[4] = 10;
	condition(gp, &data, theta);
	const struct left_out left = leave_each_out(gp);

	for (size_t i = 0; i < data.n; i++) {
		struct data rest = data;
		double mean, sd;

		/* The last row takes the place of row i. */
		rest.n = data.n - 1;
		memcpy(rest.X + i * 3, data.X + rest.n * 3, 3 * sizeof(double));
		rest.y[i] = data.y[rest.n];
		rest.noise_scales[i] = data.noise_scales[rest.n];
		condition(others, &rest, theta);
		predict(others, data.X + i * 3, 1, &mean, &sd);
		assert_near(left.mean[i], mean, 1e-9);
		assert_near(left.variance[i], sd * sd + gp_noise(gp, i), 1e-9);
	}
	gp_destroy(gp);
	gp_destroy(others);
}

/* Of 150 draws of the Gaussian process itself: each z is standard normal, though not independent of the others. */
static void z_scores_of_leaving_one_out_are_standard(void **state)
{
	enum { DRAWS = 150, N = 40 };
	const double *theta = theta_of(2, 0.3, 1e-2);
	struct random random = stream(42);
	struct gp *gp = create(2, NULL);
	double sum = 0, squares = 0;

	for (uint64_t i = 0; i < DRAWS; i++) {
		struct data data = draw(N, 2, 0, 2000 + i);

		sample_outcomes(&data, theta, &random);
		condition(gp, &data, theta);
		const struct left_out left = leave_each_out(gp);

		for (size_t j = 0; j < N; j++) {
			sum += left.z[j];
			squares += left.z[j] * left.z[j];
		}
	}
	assert_near(sum / (DRAWS * N), 0, 0.03);
	assert_near(sqrt(squares / (DRAWS * N)), 1, 0.03);
	gp_destroy(gp);
}

static int setup(void **state)
{
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(likelihoods_agree_with_scikit_learn),
		cmocka_unit_test(predictions_agree_with_scikit_learn),
		cmocka_unit_test(one_trial_by_hand),
		cmocka_unit_test(two_trials_by_hand),
		cmocka_unit_test(gradients_agree_with_central_differences),
		cmocka_unit_test(the_prior_is_the_documented_density),
		cmocka_unit_test(the_middle_of_lengthscales_is_the_mode_of_the_density_in_l),
		cmocka_unit_test(the_prior_mode_is_stationary),
		cmocka_unit_test(bounds_are_the_documented_ones),
		cmocka_unit_test(prior_draws_follow_the_prior),
		cmocka_unit_test(a_fit_is_a_maximum),
		cmocka_unit_test(a_fit_recovers_what_made_the_data),
		cmocka_unit_test(much_noise_is_seen_as_noise),
		cmocka_unit_test(a_fit_has_the_same_bits_again),
		cmocka_unit_test(a_fit_from_its_own_result_costs_little),
		cmocka_unit_test(the_work_limit_holds),
		cmocka_unit_test(a_start_that_is_no_number_is_ignored),
		cmocka_unit_test(without_noise_the_model_interpolates),
		cmocka_unit_test(odd_histories_can_be_fitted),
		cmocka_unit_test(a_singular_matrix_gets_a_jitter),
		cmocka_unit_test(a_failed_fit_keeps_the_old_model),
		cmocka_unit_test(failing_allocations_keep_the_old_model),
		cmocka_unit_test(appending_gives_the_same_bits_however_it_is_done),
		cmocka_unit_test(appending_equals_conditioning_on_all),
		cmocka_unit_test(pending_rows_leave_the_mean_and_take_the_variance),
		cmocka_unit_test(repeated_rows_can_be_appended),
		cmocka_unit_test(pending_outcomes_have_the_predicted_covariance),
		cmocka_unit_test(own_means_are_predictions_at_the_rows),
		cmocka_unit_test(prediction_gradients_agree_with_differences),
		cmocka_unit_test(a_trend_is_added_to_a_model_of_what_it_leaves),
		cmocka_unit_test(a_grown_model_keeps_its_trend),
		cmocka_unit_test(a_fit_is_to_what_the_trend_leaves),
		cmocka_unit_test(conventions_do_not_matter),
		cmocka_unit_test(intervals_cover_what_they_say),
		cmocka_unit_test(leaving_one_out_equals_a_model_without_it),
		cmocka_unit_test(z_scores_of_leaving_one_out_are_standard),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
