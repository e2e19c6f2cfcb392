/* surrogate/thompson.h: one random function of the model, more being better. */
#include "surrogate/thompson.h"

#include "fixture_suggest.h"

enum { N = 8, M = 70 };

static const double FREE[] = { NAN };

/* N trials on a line without noise, and M points. */
struct fixture {
	struct job job;
	struct columns columns;
	struct gp *gp;
	double X[N], y[N], stars[M];
};

static void set_up(struct fixture *f)
{
	const struct parameter parameters[] = { a_float("x", 0, 1) };
	const double theta[] = { -1.5, log(1e-6) };
	struct tuner_error err;

	job_init(&f->job, STRATEGY_BAYESIAN, parameters, 1);
	columns_init(&f->columns, &f->job.space, FREE);
	for (size_t i = 0; i < N; i++) {
		f->X[i] = (double)i / N;
		f->y[i] = cos(7 * f->X[i]);
	}
	for (size_t i = 0; i < M; i++)
		f->stars[i] = (double)i / M;
	if (!gp_create(1, f->columns.kinds, false, &f->gp, &err) ||
		!gp_condition(f->gp, &(struct gp_data){ N, f->X, f->y, NULL }, theta, &err))
		fail_msg("%s", err.message);
}

static void look(
	const struct fixture *f, uint32_t number, const double *X, size_t m, double *ret_values)
{
	const struct random_key key = { .seed = 5, .number = number, .purpose = RANDOM_FANTASY };
	struct random random;
	struct tuner_error err;

	random_init(&random, key);
	if (!thompson_values(f->gp, &f->columns, X, m, &random, ret_values, &err))
		fail_msg("%s", err.message);
}

static void a_function_passes_through_what_is_known(void **state)
{
	struct fixture f;
	double values[N];

	set_up(&f);
	look(&f, 1, f.X, N, values);
	for (size_t i = 0; i < N; i++)
		assert_near(values[i], -f.y[i], 6e-3);
	gp_destroy(f.gp);
}

static bool rise(const void *context, const double *X, size_t m, double *ret_values,
	double *ret_gradients, struct tuner_error *err)
{
	for (size_t i = 0; i < m; i++)
		ret_values[i] = 3 - 20 * X[i];
	return true;
}

/* Also of a model with a trend, which alone is far from them; and between them. */
static void with_a_trend_it_still_does(void **state)
{
	const struct gp_trend trend = { .evaluate = rise };
	const double theta[] = { -1.5, log(1e-6) };
	struct fixture f;
	double values[N], mean[M], sd[M], stars[M];
	struct tuner_error err;

	set_up(&f);
	gp_set_trend(f.gp, &trend);
	if (!gp_condition(f.gp, &(struct gp_data){ N, f.X, f.y, NULL }, theta, &err) ||
		!gp_predict(f.gp, f.stars, M, mean, sd, &err))
		fail_msg("%s", err.message);
	look(&f, 1, f.X, N, values);
	for (size_t i = 0; i < N; i++)
		assert_near(values[i], -f.y[i], 6e-3);
	look(&f, 1, f.stars, M, stars);
	for (size_t i = 0; i < M; i++)
		assert_near(stars[i], -mean[i], 5 * sd[i] + 0.01);
	gp_destroy(f.gp);
}

static void it_is_one_function_a_trial(void **state)
{
	struct fixture f;
	double values[M], again[M], others[M];
	double apart = 0;

	set_up(&f);
	look(&f, 1, f.stars, M, values);
	look(&f, 1, f.stars, M, again);
	look(&f, 2, f.stars, M, others);
	assert_memory_equal(values, again, sizeof values);
	for (size_t i = 0; i < M; i++)
		apart = fmax(apart, fabs(values[i] - others[i]));
	assert_true(apart > 1e-3);
	gp_destroy(f.gp);
}

/* Mean and sd of many trials' functions are the model's. */
static void it_is_from_the_posterior(void **state)
{
	enum { TRIALS = 400 };
	static double values[TRIALS];
	struct fixture f;
	struct tuner_error err;
	const double x = 1;
	double mean, sd, sum = 0, squares = 0;

	set_up(&f);
	assert_true(gp_predict(f.gp, &x, 1, &mean, &sd, &err));
	for (uint32_t i = 0; i < TRIALS; i++) {
		look(&f, i + 1, &x, 1, &values[i]);
		sum -= values[i];
	}
	for (size_t i = 0; i < TRIALS; i++)
		squares += pow(values[i] + sum / TRIALS, 2);
	assert_true(sd > 0.05);
	assert_near(sum / TRIALS, mean, 4 * sd / sqrt(TRIALS));
	assert_near(sqrt(squares / TRIALS), sd, 0.15 * sd);
	gp_destroy(f.gp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_function_passes_through_what_is_known),
		cmocka_unit_test(with_a_trend_it_still_does),
		cmocka_unit_test(it_is_one_function_a_trial),
		cmocka_unit_test(it_is_from_the_posterior),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
