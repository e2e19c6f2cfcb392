/* surrogate/ensemble.h: several models as one. Linked with --wrap=calloc and --wrap=aligned_alloc. */
#include "surrogate/ensemble.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"

enum { N = 25, D = 2, P = D + 1, M = 20, MODELS = 5 };

/* ---- fixture ---- */

static const enum dimension_kind kinds[D] = { DIMENSION_NUMERIC, DIMENSION_CATEGORY };

static const double thetas[MODELS][P] = { { -1, 0, -4 }, { -1.5, 0.5, -6 }, { 0, 0, -5 },
	{ -0.5, 1, -3 }, { -2, -0.5, -7 } };

struct fixture {
	struct gp *like;
	struct ensemble ensemble;
	double X[N * D], y[N], stars[M * D];
};

static void assert_ok(bool ok, const struct tuner_error *err)
{
	if (!ok)
		fail_msg("%s", err->message);
}

static void assert_near(double actual, double expected, double tolerance)
{
	if (!(fabs(actual - expected) <= tolerance * fmax(1, fabs(expected))))
		fail_msg("%.17g is not %.17g to %g", actual, expected, tolerance);
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
		ret_X[i] = i % D == 1 ? (double)random_below(random, 3) : random_uniform(random);
}

static int setup(void **state)
{
	static struct fixture f;
	struct random random = stream(1);
	struct tuner_error err;

	draw_points(&random, N, f.X);
	draw_points(&random, M, f.stars);
	for (size_t i = 0; i < N; i++)
		f.y[i] = sin(5 * f.X[i * D]) + 0.3 * f.X[i * D + 1] + 0.1 * random_normal(&random);
	assert_ok(gp_create(D, kinds, false, &f.like, &err), &err);
	assert_ok(ensemble_condition(&f.ensemble, f.like, &(struct gp_data){ N, f.X, f.y, NULL },
			  thetas[0], MODELS, &err),
		&err);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ensemble_finish(&f->ensemble);
	gp_destroy(f->like);
	return 0;
}

static struct acquisition *create(const struct fixture *f, size_t fantasies)
{
	const struct acquisition_options options = { .n_fantasies = fantasies };
	struct acquisition *acquisition = NULL;
	struct random random = stream(2);
	struct tuner_error err;

	assert_ok(ensemble_acquisition(&f->ensemble, &options, &random, &acquisition, &err), &err);
	return acquisition;
}

static struct acquisition *create_alone(const struct gp *gp)
{
	const struct acquisition_options options = { .n_fantasies = 1 };
	struct acquisition *acquisition = NULL;
	struct random random = stream(2);
	struct tuner_error err;

	assert_ok(acquisition_create(gp, &options, &random, &acquisition, &err), &err);
	return acquisition;
}

/* Log EI of one of the models alone. */
static void own_values(const struct gp *gp, const double *X, size_t m, double *ret)
{
	struct acquisition *acquisition = create_alone(gp);
	struct tuner_error err;

	assert_ok(acquisition_values(acquisition, X, m, 0, ret, &err), &err);
	acquisition_destroy(acquisition);
}

/* ---- predictions ---- */

static void own_glances(const struct gp *gp, const double *X, size_t m, double *ret)
{
	struct acquisition *acquisition = create_alone(gp);
	struct tuner_error err;

	assert_ok(acquisition_glance(acquisition, X, m, ret, &err), &err);
	acquisition_destroy(acquisition);
}

static void each_model_has_its_hyperparameters(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(f->ensemble.n, MODELS);
	for (size_t i = 0; i < MODELS; i++)
		assert_memory_equal(
			gp_hyperparameters(f->ensemble.gps[i]), thetas[i], sizeof thetas[i]);
}

static void the_prediction_is_that_of_the_mixture(void **state)
{
	const struct fixture *f = *state;
	struct tuner_error err;

	for (size_t i = 0; i < M; i++) {
		const double *x = &f->stars[i * D];
		double mean, sd, first = 0, second = 0;

		for (size_t j = 0; j < MODELS; j++) {
			assert_ok(gp_predict(f->ensemble.gps[j], x, 1, &mean, &sd, &err), &err);
			first += mean / MODELS;
			second += (mean * mean + sd * sd) / MODELS;
		}
		assert_ok(ensemble_predict(&f->ensemble, x, &mean, &sd, &err), &err);
		assert_near(mean, first, 1e-14);
		assert_near(sd, sqrt(second - first * first), 1e-12);
	}
}

static void lengthscales_are_geometric_means(void **state)
{
	const struct fixture *f = *state;
	double lengths[D];

	ensemble_lengthscales(&f->ensemble, lengths);
	assert_near(lengths[0], exp(-5.0 / MODELS), 1e-14);
	assert_near(lengths[1], exp(1.0 / MODELS), 1e-14);
}

/* ---- what a point is worth ---- */

static void the_value_is_the_mean_expected_improvement(void **state)
{
	const struct fixture *f = *state;
	struct acquisition *acquisition = create(f, 1);
	double value[M], own[M], sums[M] = { 0 };
	struct tuner_error err;

	assert_ok(acquisition_values(acquisition, f->stars, M, 0, value, &err), &err);
	for (size_t j = 0; j < MODELS; j++) {
		own_values(f->ensemble.gps[j], f->stars, M, own);
		for (size_t i = 0; i < M; i++)
			sums[i] += exp(own[i]) / MODELS;
	}
	for (size_t i = 0; i < M; i++)
		assert_near(value[i], log(sums[i]), 1e-11);
	acquisition_destroy(acquisition);
}

/* The first look, and the rough gradients, are the mean over the first models; a chain's first and third. */
static void a_first_look_is_at_the_first_models(void **state)
{
	const struct fixture *f = *state;
	struct acquisition *acquisition = create(f, 1);
	double first[M], rough[M], glance[M], gradients[M * D], own[2][M], glances[2][M];
	struct tuner_error err;

	assert_ok(acquisition_values(acquisition, f->stars, M, 8, first, &err), &err);
	assert_ok(acquisition_rough_gradients(acquisition, f->stars, M, rough, gradients, &err),
		&err);
	assert_ok(acquisition_glance(acquisition, f->stars, M, glance, &err), &err);
	own_values(f->ensemble.gps[0], f->stars, M, own[0]);
	own_values(f->ensemble.gps[2], f->stars, M, own[1]);
	own_glances(f->ensemble.gps[0], f->stars, M, glances[0]);
	own_glances(f->ensemble.gps[2], f->stars, M, glances[1]);
	assert_int_equal(ACQUISITION_MODELS_FIRST, 2);
	for (size_t i = 0; i < M; i++) {
		assert_near(first[i], log((exp(own[0][i]) + exp(own[1][i])) / 2), 1e-11);
		assert_near(rough[i], first[i], 1e-11);
		assert_near(glance[i], log((exp(glances[0][i]) + exp(glances[1][i])) / 2), 1e-11);
	}
	acquisition_destroy(acquisition);
}

static void check_gradients(const struct fixture *f, struct acquisition *acquisition)
{
	static const double h = 1e-5;
	double value[M], same[M], gradients[M * D], v[2];
	struct tuner_error err;

	assert_ok(acquisition_gradients(acquisition, f->stars, M, value, gradients, &err), &err);
	assert_ok(acquisition_values(acquisition, f->stars, M, 0, same, &err), &err);
	for (size_t i = 0; i < M; i++) {
		const double *x = &f->stars[i * D];
		const double around[2 * D] = { x[0] + h, x[1], x[0] - h, x[1] };

		assert_near(value[i], same[i], 1e-12);
		assert_ok(acquisition_values(acquisition, around, 2, 0, v, &err), &err);
		assert_near(gradients[i * D], (v[0] - v[1]) / (2 * h), 1e-5);
		assert_true(gradients[i * D + 1] == 0);
	}
}

static void gradients_agree_with_differences(void **state)
{
	struct fixture *f = *state;
	static const double pending[] = { 0.2, 1, 0.9, 2 };
	struct acquisition *acquisition = create(f, 1);
	struct tuner_error err;

	check_gradients(f, acquisition);
	acquisition_destroy(acquisition);

	assert_ok(ensemble_append(&f->ensemble, pending, 2, &err), &err);
	acquisition = create(f, 64);
	check_gradients(f, acquisition);
	acquisition_destroy(acquisition);
}

static void many_points_are_taken_in_blocks(void **state)
{
	enum { MANY = 150 };
	const struct fixture *f = *state;
	struct acquisition *acquisition = create(f, 1);
	struct random random = stream(3);
	double X[MANY * D], value[MANY], gradients[MANY * D], alone, gradient[D];
	struct tuner_error err;

	draw_points(&random, MANY, X);
	assert_ok(acquisition_gradients(acquisition, X, MANY, value, gradients, &err), &err);
	for (size_t i = 0; i < MANY; i += 7) {
		assert_ok(acquisition_gradients(acquisition, X + i * D, 1, &alone, gradient, &err),
			&err);
		assert_near(alone, value[i], 1e-11);
		assert_near(gradient[0], gradients[i * D], 1e-9);
		assert_ok(acquisition_values(acquisition, X + i * D, 1, 0, &alone, &err), &err);
		assert_near(alone, value[i], 1e-11);
	}
	acquisition_destroy(acquisition);
}

static void the_incumbent_is_the_mean_over_the_models(void **state)
{
	const struct fixture *f = *state;
	struct acquisition *all = create(f, 1);
	double sum = 0;

	for (size_t i = 0; i < MODELS; i++) {
		struct acquisition *one = create_alone(f->ensemble.gps[i]);

		sum += acquisition_incumbent(one) / MODELS;
		acquisition_destroy(one);
	}
	assert_near(acquisition_incumbent(all), sum, 1e-14);
	acquisition_destroy(all);
}

/* x of the point: what it adds does not depend on how many models there are. */
static bool add_first(void *context, const double *X, size_t m, double *term_values,
	double *gradients, struct tuner_error *err)
{
	(void)context;
	(void)err;
	for (size_t i = 0; i < m; i++) {
		term_values[i] += X[i * D];
		if (gradients != NULL)
			gradients[i * D] += 1;
	}
	return true;
}

static bool add_first_glance(
	void *context, const double *X, size_t m, double *term_values, struct tuner_error *err)
{
	return add_first(context, X, m, term_values, NULL, err);
}

static void terms_are_added_once(void **state)
{
	const struct fixture *f = *state;
	const struct acquisition_term term = { NULL, add_first, add_first_glance };
	struct acquisition *acquisition = create(f, 1);
	double plain[3][M], with[3][M], gradients[M * D], slopes[M * D];
	struct tuner_error err;

	for (int added = 0; added < 2; added++) {
		double(*values)[M] = added ? with : plain;

		if (added)
			acquisition_add_term(acquisition, &term);
		assert_ok(acquisition_values(acquisition, f->stars, M, 0, values[0], &err), &err);
		assert_ok(acquisition_glance(acquisition, f->stars, M, values[1], &err), &err);
		assert_ok(acquisition_gradients(acquisition, f->stars, M, values[2],
				  added ? slopes : gradients, &err),
			&err);
	}
	for (size_t i = 0; i < M; i++) {
		for (size_t j = 0; j < 3; j++)
			assert_near(with[j][i], plain[j][i] + f->stars[i * D], 1e-12);
		assert_near(slopes[i * D], gradients[i * D] + 1, 1e-12);
	}
	check_gradients(f, acquisition);
	acquisition_destroy(acquisition);
}

/* ---- failing allocations ---- */

static void without_memory_it_fails_whole(void **state)
{
	const struct fixture *f = *state;
	const struct gp_data data = { N, f->X, f->y, NULL };
	const struct acquisition_options options = { .n_fantasies = 64 };
	struct ensemble ensemble;
	struct acquisition *acquisition = NULL;
	struct random random = stream(4);
	struct tuner_error err;
	bool ok = false;
	unsigned n;

	for (n = 1; !ok; n++) {
		allocate_fail = n;
		ok = ensemble_condition(&ensemble, f->like, &data, thetas[0], MODELS, &err);
		allocate_fail = 0;
		assert_true(ok || (err.code == TUNER_FATAL && ensemble.n == 0));
	}
	assert_true(n > MODELS);
	ok = false;
	for (n = 1; !ok; n++) {
		allocate_fail = n;
		ok = ensemble_acquisition(&ensemble, &options, &random, &acquisition, &err);
		allocate_fail = 0;
		assert_true(ok || err.code == TUNER_FATAL);
	}
	assert_true(n > MODELS);
	acquisition_destroy(acquisition);
	ensemble_finish(&ensemble);
}

static bool rise(const void *context, const double *X, size_t m, double *ret_values,
	double *ret_gradients, struct tuner_error *err)
{
	for (size_t i = 0; i < m; i++)
		ret_values[i] = 4 * X[i * D] * X[i * D];
	return true;
}

/* What it has of the outcomes, and with them what is predicted. */
static void a_trend_is_that_of_all_models(void **state)
{
	struct fixture *f = *state;
	const struct gp_trend trend = { .evaluate = rise };
	struct ensemble with, without;
	double left[N], t[N], values[M];
	struct tuner_error err;

	assert_true(
		rise(NULL, f->X, N, t, NULL, &err) && rise(NULL, f->stars, M, values, NULL, &err));
	for (size_t i = 0; i < N; i++)
		left[i] = f->y[i] - t[i];
	assert_ok(ensemble_condition(&without, f->like, &(struct gp_data){ N, f->X, left, NULL },
			  thetas[0], MODELS, &err),
		&err);
	gp_set_trend(f->like, &trend);
	assert_ok(ensemble_condition(&with, f->like, &(struct gp_data){ N, f->X, f->y, NULL },
			  thetas[0], MODELS, &err),
		&err);
	for (size_t i = 0; i < M; i++) {
		double mean, sd, mean_left, sd_left;

		assert_ok(ensemble_predict(&with, f->stars + i * D, &mean, &sd, &err), &err);
		assert_ok(ensemble_predict(&without, f->stars + i * D, &mean_left, &sd_left, &err),
			&err);
		assert_near(mean, mean_left + values[i], 1e-10);
		assert_near(sd, sd_left, 1e-10);
	}
	ensemble_finish(&with);
	ensemble_finish(&without);
}

#define MODELS_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		MODELS_TEST(each_model_has_its_hyperparameters),
		MODELS_TEST(the_prediction_is_that_of_the_mixture),
		MODELS_TEST(lengthscales_are_geometric_means),
		MODELS_TEST(the_value_is_the_mean_expected_improvement),
		MODELS_TEST(a_first_look_is_at_the_first_models),
		MODELS_TEST(gradients_agree_with_differences),
		MODELS_TEST(many_points_are_taken_in_blocks),
		MODELS_TEST(the_incumbent_is_the_mean_over_the_models),
		MODELS_TEST(terms_are_added_once),
		MODELS_TEST(a_trend_is_that_of_all_models),
		MODELS_TEST(without_memory_it_fails_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
