/* surrogate/acquisition.h: log expected improvement, alone and over fantasies. Linked with
 * --wrap=calloc and --wrap=aligned_alloc, the only allocators of the module. */
#include "surrogate/acquisition.h"
#include "surrogate/expected_improvement.h"
#include "surrogate/feasibility.h"
#include "surrogate/glance.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_integration.h>
#include <gsl/gsl_randist.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "reference_log_h.h"

enum { D = 3, N = 14, M = 130 };

/* ---- fixtures */

static void assert_ok(bool ok, const struct tuner_error *err)
{
	if (!ok)
		fail_msg("%s", err->message);
}

static void assert_near(double actual, double expected, double tolerance)
{
	if (!(fabs(actual - expected) <= tolerance * fmax(1, fabs(expected))))
		fail_msg("%.17g is not %.17g", actual, expected);
}

/* A model of N trials in two numbers and a category, and M points to ask about. */
struct fixture {
	struct gp *gp;
	double X[N * D], y[N], stars[M * D];
};

static void draw_points(struct random *random, size_t n, double *ret_X)
{
	for (size_t i = 0; i < n * D; i++)
		ret_X[i] = i % D == 2 ? (double)random_below(random, 3) : random_uniform(random);
}

static int setup(void **state)
{
	static const enum dimension_kind kinds[] = { DIMENSION_NUMERIC, DIMENSION_NUMERIC,
		DIMENSION_CATEGORY };
	static const double theta[] = { -1.2, -0.7, -0.2, -6 };
	static struct fixture f;
	struct random random;
	struct tuner_error err;

	random_init(&random, (struct random_key){ .seed = 5, .purpose = RANDOM_TEST });
	draw_points(&random, N, f.X);
	draw_points(&random, M, f.stars);
	for (size_t i = 0; i < N; i++)
		f.y[i] = sin(5 * f.X[i * D]) + f.X[i * D + 1] * f.X[i * D + 2] - 1 +
			 0.1 * random_normal(&random);
	assert_ok(gp_create(D, kinds, false, &f.gp, &err), &err);
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

static void append(struct gp *gp, const double *X, size_t m)
{
	struct tuner_error err;

	assert_ok(gp_append(gp, X, NULL, m, &err), &err);
}

static struct acquisition *create(const struct gp *gp, const bool *eligible, size_t fantasies)
{
	const struct acquisition_options options = { .eligible = eligible,
		.n_fantasies = fantasies };
	struct acquisition *acquisition = NULL;
	struct random random;
	struct tuner_error err;

	random_init(&random, (struct random_key){ .seed = 9, .purpose = RANDOM_FANTASY });
	assert_ok(acquisition_create(gp, &options, &random, &acquisition, &err), &err);
	return acquisition;
}

static void values(
	struct acquisition *acquisition, const double *X, size_t m, size_t fantasies, double *ret)
{
	struct tuner_error err;

	assert_ok(acquisition_values(acquisition, X, m, fantasies, ret, &err), &err);
}

static void predict(const struct gp *gp, const double *X, size_t m, double *mean, double *sd)
{
	struct tuner_error err;

	assert_ok(gp_predict(gp, X, m, mean, sd, &err), &err);
}

/* ---- ln h */

enum { REFERENCES = sizeof(reference_log_h) / sizeof(*reference_log_h) };

/* The promise of the header. */
static double log_h_tolerance(double z, double value)
{
	if (z >= -1)
		return 1e-15 * fmax(1, fabs(value));
	return z >= -12 ? 1e-11 : 4e-16 * fabs(value);
}

static void log_h_agrees_with_sixty_digits(void **state)
{
	for (size_t i = 0; i < REFERENCES; i++) {
		const double z = reference_log_h[i].z, value = log_h(z);
		const double error = fabs(value - reference_log_h[i].value);

		if (!(error <= log_h_tolerance(z, value)))
			fail_msg("log_h(%.17g) is off by %g", z, error);
	}
}

/* h(z) = phi(z) times the integral of t exp(z t - t^2 / 2) over t > 0, where nothing underflows. */
static double tail(double t, void *z)
{
	return t * exp(*(double *)z * t - t * t / 2);
}

static void log_h_is_the_logarithm_of_the_integral(void **state)
{
	static const double points[] = { 3, 1, 0, -0.5, -1, -1.5, -3, -8, -12, -20, -38, -50, -100,
		-1000 };
	gsl_integration_workspace *workspace = gsl_integration_workspace_alloc(1000);

	for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
		double z = points[i], integral, error;
		gsl_function f = { tail, &z };
		const double value = log_h(z);

		assert_int_equal(
			gsl_integration_qagiu(&f, 0, 0, 1e-12, 1000, workspace, &integral, &error),
			0);
		assert_near(value, log(integral) - z * z / 2 - 0.5 * log(2 * M_PI),
			fmax(1e-11, log_h_tolerance(z, value)));
	}
	gsl_integration_workspace_free(workspace);
}

static void slopes_of_log_h_agree_with_sixty_digits(void **state)
{
	double slope, density;

	for (size_t i = 0; i < REFERENCES; i++) {
		log_h_slopes(reference_log_h[i].z, &slope, &density);
		const double off = fabs(slope / reference_log_h[i].slope - 1);
		const double density_off = reference_log_h[i].density == 0
						   ? density
						   : fabs(density / reference_log_h[i].density - 1);

		if (!(off <= 1e-11 && density_off <= 1e-11))
			fail_msg("slopes at %.17g are off by %g and %g", reference_log_h[i].z, off,
				density_off);
	}
}

static void log_h_never_decreases(void **state)
{
	double before = log_h(-60);

	for (double z = -60 + 1e-3; z < 10; z += 1e-3) {
		const double here = log_h(z);

		assert_true(here > before);
		before = here;
	}
}

static void log_h_of_infinite_arguments(void **state)
{
	assert_true(log_h(INFINITY) == INFINITY);
	assert_true(log_h(-INFINITY) == -INFINITY);
	assert_true(isnan(log_h(NAN)));
}

/* ---- EI of one prediction */

struct improvement {
	double mean, sd, incumbent;
};

static double improvement(double below, void *context)
{
	const struct improvement *c = context;

	return below * gsl_ran_gaussian_pdf(c->incumbent - below - c->mean, c->sd);
}

static void log_ei_is_the_logarithm_of_the_integral(void **state)
{
	static const struct improvement cases[] = { { 0, 1, 0 }, { 0, 1, -2 }, { 1, 0.5, 3 },
		{ -2, 3, -9 }, { 0.3, 0.01, 0.25 }, { 0, 1, -20 }, { 0, 1, -30 } };
	gsl_integration_workspace *workspace = gsl_integration_workspace_alloc(1000);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct improvement c = cases[i];
		gsl_function f = { improvement, &c };
		double integral, error;

		assert_int_equal(
			gsl_integration_qagiu(&f, 0, 0, 1e-11, 1000, workspace, &integral, &error),
			0);
		assert_near(log_expected_improvement(c.mean, c.sd, c.incumbent, NULL, NULL),
			log(integral), 1e-10);
	}
	gsl_integration_workspace_free(workspace);
}

static void derivatives_of_log_ei_agree_with_differences(void **state)
{
	static const double h = 1e-5;

	for (double z = -60; z < 8; z += 0.37) {
		const double sd = 0.7, f = 0.4, mean = f - z * sd;
		double by_mean, by_sd;

		log_expected_improvement(mean, sd, f, &by_mean, &by_sd);
		assert_near(by_mean,
			(log_expected_improvement(mean + h, sd, f, NULL, NULL) -
				log_expected_improvement(mean - h, sd, f, NULL, NULL)) /
				(2 * h),
			1e-6);
		assert_near(by_sd,
			(log_expected_improvement(mean, sd + h, f, NULL, NULL) -
				log_expected_improvement(mean, sd - h, f, NULL, NULL)) /
				(2 * h),
			1e-6);
	}
}

/* ---- without pending trials */

static void values_are_log_ei_of_the_prediction(void **state)
{
	const struct fixture *f = *state;
	struct acquisition *acquisition = create(f->gp, NULL, 64);
	double mean[M], sd[M], own[N], value[M], least = INFINITY;

	gp_own_means(f->gp, own);
	for (size_t i = 0; i < N; i++)
		least = fmin(least, own[i]);
	assert_true(acquisition_incumbent(acquisition) == least);
	predict(f->gp, f->stars, M, mean, sd);
	values(acquisition, f->stars, M, 0, value);
	for (size_t i = 0; i < M; i++)
		assert_near(value[i], log_expected_improvement(mean[i], sd[i], least, NULL, NULL),
			1e-9);
	acquisition_destroy(acquisition);
}

static void failed_trials_are_no_incumbent(void **state)
{
	const struct fixture *f = *state;
	bool eligible[N];
	double own[N], least = INFINITY;
	size_t best = 0;

	gp_own_means(f->gp, own);
	for (size_t i = 0; i < N; i++) {
		eligible[i] = true;
		if (own[i] < own[best])
			best = i;
	}
	eligible[best] = false;
	for (size_t i = 0; i < N; i++)
		if (i != best)
			least = fmin(least, own[i]);
	struct acquisition *acquisition = create(f->gp, eligible, 1);

	assert_true(acquisition_incumbent(acquisition) == least && least > own[best]);
	acquisition_destroy(acquisition);

	memset(eligible, 0, sizeof(eligible)); /* nothing but failures: any of them */
	acquisition = create(f->gp, eligible, 1);
	assert_true(acquisition_incumbent(acquisition) == own[best]);
	acquisition_destroy(acquisition);
}

static void check_gradients(const struct fixture *f, struct acquisition *acquisition)
{
	static const double h = 1e-5;
	struct tuner_error err;
	double value[M], gradient[M * D], same[M];

	assert_ok(acquisition_gradients(acquisition, f->stars, M, value, gradient, &err), &err);
	values(acquisition, f->stars, M, 0, same);
	for (size_t i = 0; i < M; i++) {
		double alone;

		values(acquisition, f->stars + i * D, 1, 0, &alone);
		assert_true(alone == same[i]);
		assert_near(value[i], same[i], 1e-12);
		assert_true(gradient[i * D + 2] == 0);
		for (size_t k = 0; k < 2; k++) {
			double x[2 * D], v[2];

			memcpy(x, f->stars + i * D, D * sizeof(double));
			memcpy(x + D, x, D * sizeof(double));
			x[k] += h;
			x[D + k] -= h;
			values(acquisition, x, 2, 0, v);
			assert_near(gradient[i * D + k], (v[0] - v[1]) / (2 * h), 1e-5);
		}
	}
}

static void gradients_agree_with_differences(void **state)
{
	const struct fixture *f = *state;
	struct acquisition *acquisition = create(f->gp, NULL, 1);

	check_gradients(f, acquisition);
	acquisition_destroy(acquisition);
}

/* Improvement far below the smallest double still has a value and a slope. */
static void hopeless_points_have_a_slope(void **state)
{
	static const double X[] = { 0.30, 0.34, 0.38, 0.7 }, y[] = { 0, 30, 60, 30 };
	static const double theta[] = { 0, -13 }, x[] = { 0.36 };
	struct gp *gp = NULL;
	struct tuner_error err;
	struct acquisition *acquisition;
	double value, gradient;

	assert_ok(gp_create(1, NULL, false, &gp, &err), &err);
	assert_ok(gp_condition(gp, &(struct gp_data){ 4, X, y, NULL }, theta, &err), &err);
	acquisition = create(gp, NULL, 1);
	assert_ok(acquisition_gradients(acquisition, x, 1, &value, &gradient, &err), &err);
	assert_true(isfinite(value) && value < -800 && gradient < 0);
	acquisition_destroy(acquisition);
	gp_destroy(gp);
}

/* ---- where trials fail */

/* Those with a large first coordinate do. */
static struct margin *learn_failures(const struct fixture *f)
{
	static const enum dimension_kind kinds[] = { DIMENSION_NUMERIC, DIMENSION_NUMERIC,
		DIMENSION_CATEGORY };
	struct margin *feasibility = NULL;
	bool valued[N];
	uint64_t work;
	struct tuner_error err;

	for (size_t i = 0; i < N; i++)
		valued[i] = f->X[i * D] < 0.6;

	const struct feasibility_data data = { N, D, kinds, f->X, valued, NULL };

	assert_ok(feasibility_create(&data, 0, &feasibility, &work, &err), &err);
	return feasibility;
}

static void failing_weighs_on_values_and_gradients(void **state)
{
	struct fixture *f = *state;
	static const double pending[] = { 0.2, 0.9, 1, 0.5, 0.5, 0 };
	struct margin *feasibility = learn_failures(f);
	const struct acquisition_term term = margin_term(feasibility);
	double plain[M], weighed[M], log_p[M] = { 0 };
	struct tuner_error err;

	append(f->gp, pending, 2);
	struct acquisition *acquisition = create(f->gp, NULL, ACQUISITION_FANTASIES);

	values(acquisition, f->stars, M, 0, plain);
	acquisition_add_term(acquisition, &term);
	values(acquisition, f->stars, M, 0, weighed);
	assert_ok(margin_add(feasibility, f->stars, M, log_p, &err), &err);
	for (size_t i = 0; i < M; i++)
		assert_near(weighed[i], plain[i] + log_p[i], 1e-12);
	check_gradients(f, acquisition);
	acquisition_destroy(acquisition);
	margin_destroy(feasibility);
}

static void a_glance_knows_of_failing(void **state)
{
	const struct fixture *f = *state;
	struct margin *feasibility = learn_failures(f);
	const struct acquisition_term term = margin_term(feasibility);
	struct acquisition *acquisition = create(f->gp, NULL, 1);
	double plain[M], glance[M], added[M] = { 0 };
	struct tuner_error err;

	assert_ok(acquisition_glance(acquisition, f->stars, M, plain, &err), &err);
	acquisition_add_term(acquisition, &term);
	assert_ok(acquisition_glance(acquisition, f->stars, M, glance, &err), &err);
	assert_ok(margin_add_glance(feasibility, f->stars, M, added, &err), &err);
	for (size_t i = 0; i < M; i++) {
		assert_near(glance[i], plain[i] + added[i], 1e-12);
		assert_true(added[i] <= 0);
	}
	acquisition_destroy(acquisition);
	margin_destroy(feasibility);
}

/* ---- with pending trials */

static void gradients_over_fantasies_agree_with_differences(void **state)
{
	struct fixture *f = *state;
	static const double pending[] = { 0.2, 0.9, 1, 0.5, 0.5, 0, 0.8, 0.1, 2 };

	append(f->gp, pending, 3);
	struct acquisition *acquisition = create(f->gp, NULL, ACQUISITION_FANTASIES);

	check_gradients(f, acquisition);
	acquisition_destroy(acquisition);
}

/* Of the first two dimensions; the third is a category. */
static bool rise(const void *context, const double *X, size_t m, double *ret_values,
	double *ret_gradients, struct tuner_error *err)
{
	for (size_t i = 0; i < m; i++) {
		ret_values[i] = 2 * X[i * D] - cos(4 * X[i * D + 1]) + X[i * D + 2];
		if (ret_gradients == NULL)
			continue;
		ret_gradients[i * D] = 2;
		ret_gradients[i * D + 1] = 4 * sin(4 * X[i * D + 1]);
		ret_gradients[i * D + 2] = 0;
	}
	return true;
}

/* Values are those of the predictions, a glance is near them, and slopes agree. */
static void a_trend_of_the_model_counts(void **state)
{
	struct fixture *f = *state;
	static const double pending[] = { 0.2, 0.9, 1, 0.5, 0.5, 0, 0.8, 0.1, 2 };
	const struct gp_trend trend = { .evaluate = rise };
	double mean[M], sd[M], value[M], glance[M];
	struct tuner_error err;

	gp_set_trend(f->gp, &trend);
	assert_ok(gp_condition(f->gp, &(struct gp_data){ N, f->X, f->y, NULL },
			  gp_hyperparameters(f->gp), &err),
		&err);
	struct acquisition *acquisition = create(f->gp, NULL, 1);

	predict(f->gp, f->stars, M, mean, sd);
	values(acquisition, f->stars, M, 0, value);
	assert_ok(acquisition_glance(acquisition, f->stars, M, glance, &err), &err);
	for (size_t i = 0; i < M; i++) {
		const double log_ei = log_expected_improvement(
			mean[i], sd[i], acquisition_incumbent(acquisition), NULL, NULL);

		assert_near(value[i], log_ei, 1e-9);
		if (log_ei > -5)
			assert_near(glance[i], log_ei, 1.5);
	}
	acquisition_destroy(acquisition);
	append(f->gp, pending, 3);
	acquisition = create(f->gp, NULL, ACQUISITION_FANTASIES);
	check_gradients(f, acquisition);
	acquisition_destroy(acquisition);
}

static struct acquisition *create_by_chance(
	const struct gp *gp, const double *chances, size_t n_chances, size_t fantasies)
{
	const struct acquisition_options options = {
		.n_fantasies = fantasies, .chances = chances, .n_chances = n_chances
	};
	struct acquisition *acquisition = NULL;
	struct random random;
	struct tuner_error err;

	random_init(&random, (struct random_key){ .seed = 9, .purpose = RANDOM_FANTASY });
	assert_ok(acquisition_create(gp, &options, &random, &acquisition, &err), &err);
	return acquisition;
}

static double incumbent_by_chance(const struct gp *gp, const double *chances, size_t fantasies)
{
	struct acquisition *acquisition = create_by_chance(gp, chances, 2, fantasies);
	const double incumbent = acquisition_incumbent(acquisition);

	acquisition_destroy(acquisition);
	return incumbent;
}

/* It is the incumbent in that part of the fantasies. Two far away, of which the one is very good. */
static void a_pending_row_is_the_incumbent_as_often_as_its_chance_says(void **state)
{
	struct fixture *f = *state;
	static const double pending[] = { 0.2, 0.9, 1, 0.9, 0.05, 0 };
	double means[N], least = INFINITY;

	gp_own_means(f->gp, means);
	for (size_t i = 0; i < N; i++)
		least = fmin(least, means[i]);
	append(f->gp, pending, 2);
	for (size_t fantasies = 1; fantasies <= 64; fantasies += 63) {
		struct acquisition *plain = create(f->gp, NULL, fantasies);
		const double always = acquisition_incumbent(plain);

		acquisition_destroy(plain);
		assert_near(incumbent_by_chance(f->gp, (double[]){ 1, 1 }, fantasies), always, 0);
		/* The trials' means shift with what a fantasy draws. */
		assert_near(incumbent_by_chance(f->gp, (double[]){ 0, 0 }, fantasies), least, 0.05);
	}
	const double never = incumbent_by_chance(f->gp, (double[]){ 0, 0 }, 2048),
		     always = incumbent_by_chance(f->gp, (double[]){ 1, 1 }, 2048),
		     mostly = incumbent_by_chance(f->gp, (double[]){ 0.75, 0.75 }, 2048);

	assert_true(always < mostly && mostly < never);
	assert_near(never - mostly, 0.75 * (never - always), 0.15 * (never - always));
}

static void gradients_by_chance_agree_with_differences(void **state)
{
	struct fixture *f = *state;
	static const double pending[] = { 0.2, 0.9, 1, 0.5, 0.5, 0, 0.8, 0.1, 2 };

	append(f->gp, pending, 3);
	struct acquisition *acquisition =
		create_by_chance(f->gp, (double[]){ 0.3, 0.6 }, 2, ACQUISITION_FANTASIES);

	check_gradients(f, acquisition);
	acquisition_destroy(acquisition);
}

/* Where nothing else counts. */
static void terms_alone_are_a_value(void **state)
{
	struct fixture *f = *state;
	struct margin *feasibility = learn_failures(f);
	const struct acquisition_term term = margin_term(feasibility);
	const struct acquisition_options options = { .kind = ACQUISITION_TERMS };
	struct acquisition *acquisition = NULL;
	double value[M], glance[M], log_p[M] = { 0 }, log_p_glance[M] = { 0 };
	struct random random;
	struct tuner_error err;

	random_init(&random, (struct random_key){ .seed = 9, .purpose = RANDOM_FANTASY });
	assert_ok(acquisition_create(f->gp, &options, &random, &acquisition, &err), &err);
	acquisition_add_term(acquisition, &term);
	values(acquisition, f->stars, M, 0, value);
	assert_ok(acquisition_glance(acquisition, f->stars, M, glance, &err), &err);
	assert_ok(margin_add(feasibility, f->stars, M, log_p, &err), &err);
	assert_ok(margin_add_glance(feasibility, f->stars, M, log_p_glance, &err), &err);
	assert_memory_equal(value, log_p, sizeof value);
	assert_memory_equal(glance, log_p_glance, sizeof glance);
	assert_true(isnan(acquisition_incumbent(acquisition)));
	check_gradients(f, acquisition);
	acquisition_destroy(acquisition);
	margin_destroy(feasibility);
}

/* The same with the rows' own kernel matrix, solved by elimination: an independent way to the mean
 * and the incumbent that a fantasy has. */

static void solve(size_t n, double K[N + 1][N + 1], double *b)
{
	for (size_t i = 0; i < n; i++)
		for (size_t r = i + 1; r < n; r++) {
			const double by = K[r][i] / K[i][i];

			for (size_t c = i; c < n; c++)
				K[r][c] -= by * K[i][c];
			b[r] -= by * b[i];
		}
	for (size_t i = n; i-- > 0;) {
		for (size_t c = i + 1; c < n; c++)
			b[i] -= K[i][c] * b[c];
		b[i] /= K[i][i];
	}
}

static double covariance(const double *theta, const double *a, const double *b)
{
	double r2 = 0;

	for (size_t k = 0; k < D; k++) {
		const double by = k == 2 ? a[k] != b[k] : a[k] - b[k];

		r2 += by * by * exp(-2 * theta[k]);
	}
	const double rho = sqrt(5 * r2);

	return (1 + rho + rho * rho / 3) * exp(-rho);
}

/* EI at x given that the pending trial's outcome is y[N]. */
static double ei_given(const struct fixture *f, const double *pending, const double *x,
	const double y[N + 1], double sd)
{
	const double *theta = gp_hyperparameters(f->gp), noise = exp(theta[D]);
	const double c = gp_constant(f->gp);
	double points[(N + 1) * D], K[N + 1][N + 1], alpha[N + 1], least = INFINITY, mean = c;

	memcpy(points, f->X, sizeof(f->X));
	memcpy(points + (size_t)N * D, pending, D * sizeof(double));
	for (size_t i = 0; i <= N; i++) {
		alpha[i] = y[i] - c;
		for (size_t j = 0; j <= N; j++)
			K[i][j] = covariance(theta, points + i * D, points + j * D) +
				  (i == j ? noise : 0);
	}
	solve(N + 1, K, alpha);
	for (size_t i = 0; i <= N; i++) {
		double at_row = c;

		for (size_t j = 0; j <= N; j++)
			at_row += alpha[j] * covariance(theta, points + i * D, points + j * D);
		least = fmin(least, at_row);
		mean += alpha[i] * covariance(theta, points + i * D, x);
	}
	return exp(log_expected_improvement(mean, sd, least, NULL, NULL));
}

/* One pending trial: the mean over fantasies is an integral over its outcome. */
static void fantasies_integrate_over_the_pending_outcome(void **state)
{
	enum { NODES = 2000 };
	struct fixture *f = *state;
	static const double pending[] = { 0.2, 0.9, 1 };
	double mean, sd, value[10], stars_mean[10], stars_sd[10], y[N + 1];

	predict(f->gp, pending, 1, &mean, &sd);
	append(f->gp, pending, 1);
	predict(f->gp, f->stars, 10, stars_mean, stars_sd);
	struct acquisition *acquisition = create(f->gp, NULL, 2048);

	values(acquisition, f->stars, 10, 0, value);
	memcpy(y, f->y, sizeof(f->y));
	for (size_t i = 0; i < 10; i++) {
		double integral = 0;

		for (int node = 0; node < NODES; node++) {
			const double z = -8 + 16 * (node + 0.5) / NODES;

			y[N] = mean + z * sqrt(sd * sd + exp(gp_hyperparameters(f->gp)[D]));
			integral += 16.0 / NODES * gsl_ran_ugaussian_pdf(z) *
				    ei_given(f, pending, f->stars + i * D, y, stars_sd[i]);
		}
		assert_near(value[i], log(integral), 3e-3);
	}
	acquisition_destroy(acquisition);
}

/* Three points without influence on each other, one known and two pending: the incumbent is the
 * least of 0 and two independent normal numbers, E max(0, Z1, Z2) = (1 + 1/sqrt 2) / sqrt(2 pi). Of
 * one and the same number it would be 1 / sqrt(2 pi). */
static void fantasies_of_different_rows_are_independent(void **state)
{
	static const double X[] = { 0 }, y[] = { 0 }, pending[] = { 0.5, 1 };
	static const double theta[] = { -3.6, -13 };
	struct gp *gp = NULL;
	struct tuner_error err;
	struct acquisition *acquisition;

	assert_ok(gp_create(1, NULL, false, &gp, &err), &err);
	assert_ok(gp_condition(gp, &(struct gp_data){ 1, X, y, NULL }, theta, &err), &err);
	append(gp, pending, 2);
	acquisition = create(gp, NULL, 4096);
	assert_near(acquisition_incumbent(acquisition), -(1 + M_SQRT1_2) / sqrt(2 * M_PI), 0.02);
	acquisition_destroy(acquisition);
	gp_destroy(gp);
}

static void a_pending_point_is_not_attractive(void **state)
{
	struct fixture *f = *state;
	struct acquisition *before = create(f->gp, NULL, 64), *after;
	double value[M], with_pending[M];
	size_t best = 0;

	values(before, f->stars, M, 0, value);
	for (size_t i = 0; i < M; i++)
		if (value[i] > value[best])
			best = i;
	acquisition_destroy(before);
	append(f->gp, f->stars + best * D, 1);
	after = create(f->gp, NULL, 64);
	values(after, f->stars, M, 0, with_pending);
	assert_true(with_pending[best] < value[best] - 1);
	acquisition_destroy(after);
}

/* Many pending trials are taken to give what is predicted; so does a single fantasy. */
static void too_many_pending_trials_are_believed(void **state)
{
	struct fixture *f = *state;
	double mean[M], sd[M], value[M];

	append(f->gp, f->stars, ACQUISITION_PENDING_MAX + 1);
	struct acquisition *acquisition = create(f->gp, NULL, 64);
	const double incumbent = acquisition_incumbent(acquisition);

	predict(f->gp, f->stars, M, mean, sd);
	values(acquisition, f->stars, M, 0, value);
	for (size_t i = 0; i < M; i++) {
		assert_near(value[i],
			log_expected_improvement(mean[i], sd[i], incumbent, NULL, NULL), 1e-8);
		assert_true(i > ACQUISITION_PENDING_MAX || incumbent <= mean[i] + 1e-9);
	}
	acquisition_destroy(acquisition);
}

/* Few fantasies are the first of all: with those two the mean is that of EI, not of its
 * logarithm. */
static void values_can_use_fewer_fantasies(void **state)
{
	struct fixture *f = *state;
	double one[M], two[M], many[M], all[M];

	append(f->gp, f->stars, 3);
	struct acquisition *acquisition = create(f->gp, NULL, 64);

	values(acquisition, f->stars, M, 1, one);
	values(acquisition, f->stars, M, 2, two);
	values(acquisition, f->stars, M, 1000, many);
	values(acquisition, f->stars, M, 0, all);
	assert_memory_equal(many, all, sizeof(all));
	for (size_t i = 0; i < M; i++) {
		assert_true(two[i] >= one[i] - log(2));
		assert_true(fabs(one[i] - all[i]) > 1e-12);
	}
	acquisition_destroy(acquisition);
}

/* ---- in all cases */

static void points_may_come_in_any_batch(void **state)
{
	struct fixture *f = *state;
	struct tuner_error err;
	double together[M], gradients[M * D], alone, gradient[D];

	append(f->gp, f->stars, 2);
	struct acquisition *acquisition = create(f->gp, NULL, 64);

	assert_ok(acquisition_gradients(acquisition, f->stars, M, together, gradients, &err), &err);
	for (size_t i = 0; i < M; i++) {
		assert_ok(acquisition_gradients(
				  acquisition, f->stars + i * D, 1, &alone, gradient, &err),
			&err);
		assert_near(alone, together[i], 1e-11);
		for (size_t k = 0; k < D; k++)
			assert_near(gradient[k], gradients[i * D + k], 1e-9);
		values(acquisition, f->stars + i * D, 1, 0, &alone);
		assert_near(alone, together[i], 1e-11);
	}
	acquisition_destroy(acquisition);
}

static void the_same_stream_gives_the_same_bits(void **state)
{
	struct fixture *f = *state;
	double value[M], again[M];
	struct acquisition *acquisition;

	append(f->gp, f->stars, 4);
	acquisition = create(f->gp, NULL, 64);
	values(acquisition, f->stars, M, 0, value);
	acquisition_destroy(acquisition);
	acquisition = create(f->gp, NULL, 64);
	values(acquisition, f->stars, M, 0, again);
	acquisition_destroy(acquisition);
	assert_memory_equal(value, again, sizeof(value));
}

/* ---- other values than log EI */

static struct acquisition *create_with(
	const struct gp *gp, const struct acquisition_options *options)
{
	struct acquisition *acquisition = NULL;
	struct random random;
	struct tuner_error err;

	random_init(&random, (struct random_key){ .seed = 9, .purpose = RANDOM_FANTASY });
	assert_ok(acquisition_create(gp, options, &random, &acquisition, &err), &err);
	return acquisition;
}

/* The mean is that of a model which knows nothing of pending trials, the sd of one which has them. */
static void a_confidence_bound_is_beta_sd_below_the_mean(void **state)
{
	struct fixture *f = *state;
	static const double pending[] = { 0.2, 0.9, 1, 0.5, 0.5, 0 };
	const struct acquisition_options options = { .kind = ACQUISITION_UCB, .beta = 1.8 };
	double mean[M], sd[M], wide[M], ignored[M], value[M], glance[M];
	float glanced_mean[M + GLANCE_LANES], glanced_sd[M + GLANCE_LANES];
	struct tuner_error err;

	predict(f->gp, f->stars, M, mean, wide);
	append(f->gp, pending, 2);
	predict(f->gp, f->stars, M, ignored, sd);

	struct acquisition *acquisition = create_with(f->gp, &options);
	double narrowed = 0;

	values(acquisition, f->stars, M, 0, value);
	assert_ok(acquisition_glance(acquisition, f->stars, M, glance, &err), &err);
	assert_ok(gp_glance(f->gp, f->stars, M, glanced_mean, glanced_sd, &err), &err);
	for (size_t i = 0; i < M; i++) {
		assert_near(value[i], 1.8 * sd[i] - mean[i], 1e-9);
		assert_near(glance[i], 1.8F * glanced_sd[i] - glanced_mean[i], 1e-6);
		narrowed = fmax(narrowed, wide[i] - sd[i]);
	}
	assert_true(narrowed > 0.05);
	check_gradients(f, acquisition);
	acquisition_destroy(acquisition);
}

static void the_best_outcome_may_be_the_incumbent(void **state)
{
	struct fixture *f = *state;
	static const double pending[] = { 0.2, 0.9, 1 };
	const struct acquisition_options options = { .n_fantasies = 64,
		.incumbent = ACQUISITION_INCUMBENT_BEST };
	struct acquisition *acquisition = create_with(f->gp, &options);
	double least = INFINITY;

	for (size_t i = 0; i < N; i++)
		least = fmin(least, f->y[i]);
	assert_true(acquisition_incumbent(acquisition) == least);
	acquisition_destroy(acquisition);

	/* A fantasy may be lower, none can be higher. */
	append(f->gp, pending, 1);
	acquisition = create_with(f->gp, &options);
	assert_true(acquisition_incumbent(acquisition) <= least + 1e-12);
	check_gradients(f, acquisition);
	acquisition_destroy(acquisition);
}

/* ---- augmented EI */

/* From 60 digits (mpmath). */
static void the_augmentation_agrees_with_sixty_digits(void **state)
{
	static const double cases[][3] = { { 1, 1, -1.227947177299515679941 },
		{ 1e-3, 1, -14.5086584885238756221106 },
		{ 2.5e-8, 0.125, -31.54304412135672435733842 },
		{ 1, 0x1p-10, -0.0009770391817104671048808652 },
		{ 0.3, 0.7, -2.515098223210203619664325 },
		{ 1e-150, 1, -691.468675078773650502224 } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const double sd = cases[i][0], noise = cases[i][1], h = 1e-6 * sd;
		double by_sd;
		const double value = log_augmentation(sd, noise, &by_sd);
		const double slope = (log_augmentation(sd + h, noise, NULL) -
					     log_augmentation(sd - h, noise, NULL)) /
				     (2 * h);

		assert_near(value, cases[i][2], 1e-15);
		assert_true(fabs(by_sd * sd - slope * sd) < 1e-6);
	}
	assert_true(log_augmentation(0.5, 0, NULL) == 0);
}

/* The same trials, with noise that hides much. */
static void condition_on_noise(const struct fixture *f)
{
	static const double theta[] = { -1.2, -0.7, -0.2, -1 };
	struct tuner_error err;

	assert_ok(gp_condition(f->gp, &(struct gp_data){ N, f->X, f->y, NULL }, theta, &err), &err);
}

static const struct acquisition_options augmented = { .n_fantasies = 64,
	.incumbent = ACQUISITION_INCUMBENT_AUGMENTED };

static void augmented_ei_is_ei_times_its_factor(void **state)
{
	struct fixture *f = *state;
	double own_mean[N], own_sd[N], mean[M], sd[M], value[M], glance[M], plain_glance[M];
	float glanced_mean[256], glanced_sd[256];
	size_t effective = 0;
	struct tuner_error err;

	condition_on_noise(f);
	predict(f->gp, f->X, N, own_mean, own_sd);
	for (size_t i = 0; i < N; i++)
		if (own_mean[i] + own_sd[i] < own_mean[effective] + own_sd[effective])
			effective = i;
	predict(f->gp, f->stars, M, mean, sd);

	struct acquisition *acquisition = create_with(f->gp, &augmented);
	const double incumbent = acquisition_incumbent(acquisition), noise = exp(-0.5);

	assert_near(incumbent, own_mean[effective], 1e-9);
	values(acquisition, f->stars, M, 0, value);
	assert_ok(acquisition_glance(acquisition, f->stars, M, glance, &err), &err);
	assert_true(gp_glance_stride(M) <= 256);
	assert_ok(gp_glance(f->gp, f->stars, M, glanced_mean, glanced_sd, &err), &err);
	glance_log_expected_improvement(
		glanced_mean, glanced_sd, (float)incumbent, gp_glance_stride(M), glanced_mean);
	for (size_t i = 0; i < M; i++) {
		plain_glance[i] = glanced_mean[i];
		assert_near(value[i],
			log_expected_improvement(mean[i], sd[i], incumbent, NULL, NULL) +
				log(1 - noise / hypot(sd[i], noise)),
			1e-9);
		assert_near(glance[i],
			plain_glance[i] + log_augmentation(glanced_sd[i], noise, NULL), 1e-3);
	}
	check_gradients(f, acquisition);
	acquisition_destroy(acquisition);

	append(f->gp, f->stars, 2);
	acquisition = create_with(f->gp, &augmented);
	check_gradients(f, acquisition);
	acquisition_destroy(acquisition);
}

/* One very good result far from all others has the least mean; what the others agree on is more certain. */
static void a_lonely_lucky_trial_is_not_the_effective_incumbent(void **state)
{
	enum { CLUSTER = 10, BAD = 4, ROWS = CLUSTER + BAD + 1 };
	static const double theta[] = { -2, 0 }; /* noise as large as the function */
	double X[ROWS], y[ROWS], mean[ROWS], sd[ROWS];
	struct gp *gp = NULL;
	struct tuner_error err;

	for (size_t i = 0; i < ROWS; i++) {
		X[i] = i < CLUSTER ? 0.2 + 0.001 * (double)i : 0.55 + 0.01 * (double)i;
		y[i] = i < CLUSTER ? -1 : 2;
	}
	X[ROWS - 1] = 1;
	y[ROWS - 1] = -2.2;
	assert_ok(gp_create(1, NULL, false, &gp, &err), &err);
	assert_ok(gp_condition(gp, &(struct gp_data){ ROWS, X, y, NULL }, theta, &err), &err);
	predict(gp, X, ROWS, mean, sd);

	struct acquisition *acquisition = create_with(gp, &augmented);
	double best_of_cluster = INFINITY;

	for (size_t i = 0; i < CLUSTER; i++)
		best_of_cluster = fmin(best_of_cluster, mean[i]);
	assert_true(mean[ROWS - 1] < best_of_cluster - 0.05);
	assert_near(acquisition_incumbent(acquisition), best_of_cluster, 0.01);
	acquisition_destroy(acquisition);
	gp_destroy(gp);
}

/* ---- terms */

/* -|x - x0|^2 weighted: at most 0. */
static bool add_parabola(void *context, const double *X, size_t m, double *term_values,
	double *gradients, struct tuner_error *err)
{
	const double *weight = context;

	(void)err;
	for (size_t i = 0; i < m; i++)
		for (size_t k = 0; k < 2; k++) {
			const double by = X[i * D + k] - 0.3;

			term_values[i] -= *weight * by * by;
			if (gradients != NULL)
				gradients[i * D + k] -= 2 * *weight * by;
		}
	return true;
}

static bool add_exactly(
	void *context, const double *X, size_t m, double *term_values, struct tuner_error *err)
{
	return add_parabola(context, X, m, term_values, NULL, err);
}

static void terms_are_added_with_their_gradients(void **state)
{
	struct fixture *f = *state;
	double weights[] = { 2, 5 }, plain[M], value[M], before[M], glance[M];
	const struct acquisition_term bounded = { &weights[0], add_parabola, NULL };
	const struct acquisition_term exact = { &weights[1], add_parabola, add_exactly };
	struct acquisition *acquisition = create(f->gp, NULL, 1);
	struct tuner_error err;

	values(acquisition, f->stars, M, 0, plain);
	assert_ok(acquisition_glance(acquisition, f->stars, M, before, &err), &err);
	acquisition_add_term(acquisition, &bounded);
	acquisition_add_term(acquisition, &exact);
	values(acquisition, f->stars, M, 0, value);
	assert_ok(acquisition_glance(acquisition, f->stars, M, glance, &err), &err);
	for (size_t i = 0; i < M; i++) {
		const double r2 = pow(f->stars[i * D] - 0.3, 2) + pow(f->stars[i * D + 1] - 0.3, 2);

		assert_near(value[i], plain[i] - 7 * r2, 1e-12);
		assert_near(glance[i], before[i] - 5 * r2, 1e-12);
	}
	check_gradients(f, acquisition);
	acquisition_destroy(acquisition);
}

/* ---- without memory */

static void failing_allocations_are_reported(void **state)
{
	struct fixture *f = *state;
	struct acquisition *acquisition = NULL;
	struct random random;
	struct tuner_error err;
	double value[M], gradients[M * D], before;
	bool ok = false;

	append(f->gp, f->stars, 2);
	for (unsigned n = 1; !ok; n++) {
		random_init(&random, (struct random_key){ .seed = 9, .purpose = RANDOM_FANTASY });
		allocate_fail = n;
		ok = acquisition_create(f->gp, &augmented, &random, &acquisition, &err);
		allocate_fail = 0;
		assert_true(ok || err.code == TUNER_FATAL);
		assert_true(!ok || n > 5);
	}
	values(acquisition, f->stars, 1, 0, &before);
	ok = false;
	for (unsigned n = 1; !ok; n++) {
		allocate_fail = n;
		ok = acquisition_gradients(acquisition, f->stars, M, value, gradients, &err);
		allocate_fail = 0;
		assert_true(ok || err.code == TUNER_FATAL);
		values(acquisition, f->stars, 1, 0, value);
		assert_true(value[0] == before);
	}
	acquisition_destroy(acquisition);
}

#define MODEL_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_h_agrees_with_sixty_digits),
		cmocka_unit_test(log_h_is_the_logarithm_of_the_integral),
		cmocka_unit_test(slopes_of_log_h_agree_with_sixty_digits),
		cmocka_unit_test(log_h_never_decreases),
		cmocka_unit_test(log_h_of_infinite_arguments),
		cmocka_unit_test(log_ei_is_the_logarithm_of_the_integral),
		cmocka_unit_test(derivatives_of_log_ei_agree_with_differences),
		MODEL_TEST(values_are_log_ei_of_the_prediction),
		MODEL_TEST(failing_weighs_on_values_and_gradients),
		MODEL_TEST(a_glance_knows_of_failing),
		MODEL_TEST(terms_alone_are_a_value),
		MODEL_TEST(a_pending_row_is_the_incumbent_as_often_as_its_chance_says),
		MODEL_TEST(gradients_by_chance_agree_with_differences),
		MODEL_TEST(failed_trials_are_no_incumbent),
		MODEL_TEST(gradients_agree_with_differences),
		cmocka_unit_test(hopeless_points_have_a_slope),
		MODEL_TEST(a_trend_of_the_model_counts),
		MODEL_TEST(gradients_over_fantasies_agree_with_differences),
		MODEL_TEST(fantasies_integrate_over_the_pending_outcome),
		cmocka_unit_test(fantasies_of_different_rows_are_independent),
		MODEL_TEST(a_pending_point_is_not_attractive),
		MODEL_TEST(too_many_pending_trials_are_believed),
		MODEL_TEST(values_can_use_fewer_fantasies),
		MODEL_TEST(points_may_come_in_any_batch),
		MODEL_TEST(the_same_stream_gives_the_same_bits),
		MODEL_TEST(a_confidence_bound_is_beta_sd_below_the_mean),
		MODEL_TEST(the_best_outcome_may_be_the_incumbent),
		cmocka_unit_test(the_augmentation_agrees_with_sixty_digits),
		MODEL_TEST(augmented_ei_is_ei_times_its_factor),
		cmocka_unit_test(a_lonely_lucky_trial_is_not_the_effective_incumbent),
		MODEL_TEST(terms_are_added_with_their_gradients),
		MODEL_TEST(failing_allocations_are_reported),
	};

	gsl_set_error_handler_off();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
