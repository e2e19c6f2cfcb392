/* surrogate/margin.h: the probability that a margin is above 0. */
#include "tests/fixture_margin.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>

struct fixture {
	double X[N * D], stars[M * D], margins[N];
	struct margin *margin;
	uint64_t work;
};

/* The distance to an edge, positive inside. */
static double room(const double *x)
{
	return 1.2 - x[0] - x[1] + (x[2] == 1 ? 0.3 : 0);
}

static void make(struct fixture *f)
{
	const struct gp_data data = { .n = N, .X = f->X, .y = f->margins };
	struct tuner_error err;

	margin_destroy(f->margin);
	assert_ok(margin_create(D, kinds, &data, 0, &f->margin, &f->work, &err), &err);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct random random = stream(3);

	draw_points(&random, N, f->X);
	draw_points(&random, M, f->stars);
	for (size_t i = 0; i < N; i++)
		f->margins[i] = 2 * room(&f->X[i * D]) + 0.1 * random_normal(&random);
	make(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	margin_destroy(f->margin);
	free(f);
	return 0;
}

static void log_probabilities(struct fixture *f, const double *X, size_t m, double *ret)
{
	struct tuner_error err;

	memset(ret, 0, m * sizeof *ret);
	assert_ok(margin_add(f->margin, X, m, ret, &err), &err);
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

/* By the model's own prediction, noise included. */
static void a_probability_is_that_of_a_trial(void **state)
{
	struct fixture *f = *state;
	const struct gp *gp = margin_gp(f->margin);
	const double noise = gp_noise_variance(gp);
	double log_p[M], mean[M], sd[M];
	struct tuner_error err;

	assert_true(f->work > 0 && noise > 1e-4);
	log_probabilities(f, f->stars, M, log_p);
	assert_ok(gp_predict(gp, f->stars, M, mean, sd, &err), &err);
	for (size_t i = 0; i < M; i++)
		assert_near(exp(log_p[i]),
			gsl_cdf_ugaussian_P(mean[i] / sqrt(sd[i] * sd[i] + noise)), 1e-12);
}

static void how_large_margins_are_tells_where_the_edge_is(void **state)
{
	struct fixture *f = *state;
	double log_p[M];

	log_probabilities(f, f->stars, M, log_p);
	for (size_t i = 0; i < M; i++) {
		const double inside = room(&f->stars[i * D]);

		if (inside > 0.1 || inside < -0.1)
			assert_true((exp(log_p[i]) > 0.5) == (inside > 0));
	}
}

static void gradients_agree_with_differences(void **state)
{
	static const double h = 1e-6;
	struct fixture *f = *state;
	double value[M] = { 0 }, gradient[M * D], same[M];
	struct tuner_error err;

	for (size_t i = 0; i < M * D; i++)
		gradient[i] = 1; /* they are added to */
	assert_ok(margin_add_gradients(f->margin, f->stars, M, value, gradient, &err), &err);
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

	random_init(&random, (struct random_key){ .seed = 9, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < POINTS; i++)
		for (size_t k = 0; k < D; k++)
			x[i * D + k] = k == D - 1 ? f->stars[k] : random_uniform(&random);
	log_probabilities(f, x, POINTS, log_p);
	assert_true(margin_add_glance(f->margin, x, POINTS, glances, &err));
	assert_true(gsl_stats_correlation(log_p, 1, glances, 1, POINTS) > 0.9);
}

/* By quadrature, of the trial's own distribution at the point. */
static void a_trial_that_is_supposed_below_has_the_mean_that_it_then_has(void **state)
{
	enum { NODES = 20000 };
	struct fixture *f = *state;
	const struct gp *gp = margin_gp(f->margin);
	double before[M], after[M], mean, sd, sum = 0, mass = 0;
	struct tuner_error err;

	log_probabilities(f, f->stars, M, before);
	assert_ok(gp_predict(gp, f->stars, 1, &mean, &sd, &err), &err);
	const double t = sqrt(sd * sd + gp_noise_variance(gp));

	for (size_t i = 0; i < NODES; i++) {
		const double y = -10 * t * ((double)i + 0.5) / NODES;
		const double density = exp(-0.5 * (y - mean) * (y - mean) / (t * t));

		sum += y * density;
		mass += density;
	}
	assert_ok(margin_suppose_below(f->margin, f->stars, &err), &err);
	assert_int_equal(gp_n_outcomes(gp), N + 1);
	assert_near(gp_outcomes(gp)[N], sum / mass, 1e-4);
	assert_ok(margin_suppose_below(f->margin, &f->stars[D], &err), &err);
	log_probabilities(f, f->stars, M, after);
	assert_true(after[0] < before[0] && after[1] < before[1]);
	margin_forget(f->margin);
	margin_forget(f->margin);
	log_probabilities(f, f->stars, M, after);
	assert_memory_equal(after, before, sizeof after);
}

#define WITH_MODEL(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_log_of_the_normal_distribution_is_exact),
		WITH_MODEL(a_probability_is_that_of_a_trial),
		WITH_MODEL(how_large_margins_are_tells_where_the_edge_is),
		WITH_MODEL(gradients_agree_with_differences),
		WITH_MODEL(a_glance_orders_points_as_the_probabilities_do),
		WITH_MODEL(a_trial_that_is_supposed_below_has_the_mean_that_it_then_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
