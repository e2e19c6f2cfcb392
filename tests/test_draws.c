/* surrogate/draws.h: random functions have the mean and the covariance of the model that they are from. */
#include "surrogate/draws.h"
#include "surrogate/warp.h"

#include "fixture_suggest.h"

enum { D = 3, N = 12, M = 6, DRAWS = 4000 };

static const double FREE[] = { NAN, NAN, NAN };

/* A model of N trials in two numbers and a category, and M points to ask about. */
struct fixture {
	struct job job;
	struct columns columns;
	struct gp *gp;
	double X[N * D], y[N], stars[M * D];
};

static void draw_points(
	const struct columns *columns, struct random *random, size_t n, double *ret_X)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < D; k++)
			ret_X[i * D + k] = random_uniform(random);
		columns_snap(columns, ret_X + i * D);
	}
}

/* noise: sigma^2. */
static void set_up(struct fixture *f, double noise)
{
	const struct parameter parameters[] = { a_float("x", 0, 1), a_float("y", 0, 1),
		a_category("c", 3) };
	const double theta[] = { log(.5), log(.8), log(1.2), log(noise) };
	const struct gp_data data = { N, f->X, f->y, NULL };
	struct random random;
	struct tuner_error err;

	job_init(&f->job, STRATEGY_BAYESIAN, parameters, D);
	columns_init(&f->columns, &f->job.space, FREE);
	random_init(&random, (struct random_key){ .seed = 5, .purpose = RANDOM_TEST });
	draw_points(&f->columns, &random, N, f->X);
	draw_points(&f->columns, &random, M, f->stars);
	for (size_t i = 0; i < N; i++)
		f->y[i] = sin(5 * f->X[i * D]) + f->X[i * D + 2] + .1 * random_normal(&random);
	if (!gp_create(D, f->columns.kinds, false, &f->gp, &err) ||
		!gp_condition(f->gp, &data, theta, &err))
		fail_msg("%s", err.message);
}

/* n functions at m points: m rows of 1 + n. The caller frees. */
static double *draw(const struct fixture *f, uint64_t seed, size_t n, const double *X, size_t m)
{
	double *values = calloc(m * (n + 1), sizeof *values);
	struct draws *draws = NULL;
	struct random random;
	struct tuner_error err;

	assert_non_null(values);
	random_init(&random, (struct random_key){ .seed = seed, .purpose = RANDOM_IMPORTANCE });
	if (!draws_create(f->gp, &f->columns, n, &random, &draws, &err))
		fail_msg("%s", err.message);
	draws_values(draws, X, m, values);
	draws_destroy(draws);
	return values;
}

static double mean_of(const double *row)
{
	double sum = 0;

	for (size_t s = 1; s <= DRAWS; s++)
		sum += row[s];
	return sum / DRAWS;
}

static double covariance_of(const double *a, const double *b)
{
	const double mean_a = mean_of(a), mean_b = mean_of(b);
	double sum = 0;

	for (size_t s = 1; s <= DRAWS; s++)
		sum += (a[s] - mean_a) * (b[s] - mean_b);
	return sum / DRAWS;
}

/* The model's own covariance of two of the points. */
static double posterior_covariance(const struct fixture *f, const double *a, const double *b)
{
	const size_t stride = gp_stride(f->gp);
	const double pair[2 * D] = { a[0], a[1], a[2], b[0], b[1], b[2] };
	const double lengths[] = { exp(gp_hyperparameters(f->gp)[0]),
		exp(gp_hyperparameters(f->gp)[1]), exp(gp_hyperparameters(f->gp)[2]) };
	double K[2 * 64], r2 = 0;

	assert_true(stride <= 64);
	gp_cross(f->gp, pair, 2, K, NULL);
	gp_whiten(f->gp, K, 2);
	for (size_t k = 0; k < 2; k++)
		r2 += pow((a[k] - b[k]) / lengths[k], 2);
	r2 += a[2] != b[2] ? pow(lengths[2], -2) : 0;

	const double rho = sqrt(5 * r2);

	return exp(-rho) * (1 + rho + rho * rho / 3) - kernel_dot(K, K + stride, gp_n(f->gp));
}

static void the_first_is_the_posterior_mean(void **state)
{
	struct fixture f;
	double mean[M], sd[M];
	struct tuner_error err;

	set_up(&f, .01);
	double *values = draw(&f, 1, 2, f.stars, M);

	assert_true(gp_predict(f.gp, f.stars, M, mean, sd, &err));
	for (size_t i = 0; i < M; i++)
		assert_near(values[3 * i], mean[i], 1e-11);
	free(values);
	gp_destroy(f.gp);
}

/* 4000 functions: standard errors are sd/63 of a mean, 2/63 of a variance; and 512 waves do not make a
 * kernel of it entirely. */
static void the_others_have_its_mean_and_covariance(void **state)
{
	struct fixture f;
	double mean[M], sd[M];
	struct tuner_error err;

	set_up(&f, .01);
	double *values = draw(&f, 2, DRAWS, f.stars, M);

	assert_true(gp_predict(f.gp, f.stars, M, mean, sd, &err));
	for (size_t i = 0; i < M; i++) {
		const double *row = values + i * (DRAWS + 1);

		assert_near(mean_of(row), mean[i], .08 * sd[i]);
		assert_near(covariance_of(row, row), sd[i] * sd[i], .12 * sd[i] * sd[i]);
		for (size_t j = 0; j < i; j++)
			assert_near(covariance_of(row, values + j * (DRAWS + 1)),
				posterior_covariance(&f, f.stars + i * D, f.stars + j * D),
				.12 * sd[i] * sd[j]);
	}
	free(values);
	gp_destroy(f.gp);
}

/* Under a noise that no outcome comes through, what is left is the prior: the kernel itself, categories
 * included. */
static void without_knowledge_they_are_the_priors(void **state)
{
	struct fixture f;

	set_up(&f, 1e6);
	double *values = draw(&f, 3, DRAWS, f.stars, M);

	for (size_t i = 0; i < M; i++)
		for (size_t j = 0; j <= i; j++)
			assert_near(
				covariance_of(values + i * (DRAWS + 1), values + j * (DRAWS + 1)),
				posterior_covariance(&f, f.stars + i * D, f.stars + j * D), .12);
	free(values);
	gp_destroy(f.gp);
}

/* Each function passes through outcomes without noise. */
static void they_agree_with_what_is_known(void **state)
{
	struct fixture f;

	set_up(&f, 1e-6);
	double *values = draw(&f, 4, 20, f.X, N);

	for (size_t i = 0; i < N; i++)
		for (size_t s = 0; s <= 20; s++)
			assert_near(values[i * 21 + s], f.y[i], 6e-3);
	free(values);
	gp_destroy(f.gp);
}

/* The same model with a first axis of another scale, its coordinates moved so that warping moves them back: the
 * same functions. */
static void warped_axes_are_bent_for_the_prior_too(void **state)
{
	struct fixture f;
	const struct warp warp = { .5, 2 };
	const double theta[] = { log(.5), log(.8), log(1.2), log(.01), log(warp.a), log(warp.b), 0,
		0, 0, 0 };
	struct gp *warped = NULL, *plain;
	double bent[N * D], stars[M * D];
	struct tuner_error err;

	set_up(&f, .01);
	double *wanted;

	memcpy(bent, f.X, sizeof bent);
	memcpy(stars, f.stars, sizeof stars);
	for (size_t i = 0; i < N; i++)
		bent[i * D] = warp_value(warp, f.X[i * D]);
	for (size_t i = 0; i < M; i++)
		stars[i * D] = warp_value(warp, f.stars[i * D]);

	const struct gp_data data = { N, bent, f.y, NULL }, own = { N, f.X, f.y, NULL };

	assert_true(gp_condition(f.gp, &data, theta, &err));
	wanted = draw(&f, 7, 5, stars, M);
	if (!gp_create(D, f.columns.kinds, true, &warped, &err) ||
		!gp_condition(warped, &own, theta, &err))
		fail_msg("%s", err.message);
	plain = f.gp;
	f.gp = warped;
	double *values = draw(&f, 7, 5, f.stars, M);

	for (size_t i = 0; i < M * 6; i++)
		assert_near(values[i], wanted[i], 1e-6);
	free(values);
	free(wanted);
	gp_destroy(plain);
	gp_destroy(warped);
}

static void the_same_key_gives_the_same_functions_in_any_blocks(void **state)
{
	struct fixture f;
	double X[150 * D];
	struct random random;

	set_up(&f, .01);
	random_init(&random, (struct random_key){ .seed = 6, .purpose = RANDOM_TEST });
	draw_points(&f.columns, &random, 150, X);
	double *values = draw(&f, 5, 7, X, 150), *again = draw(&f, 5, 7, X, 150);
	double *other = draw(&f, 6, 7, X, 150), *late = draw(&f, 5, 7, X + 140 * D, 10);

	assert_memory_equal(values, again, 150 * 8 * sizeof *values);
	assert_true(values[1] != other[1]);
	for (size_t i = 0; i < 10 * 8; i++)
		assert_near(late[i], values[140 * 8 + i], 1e-11);
	free(values);
	free(again);
	free(other);
	free(late);
	gp_destroy(f.gp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_is_the_posterior_mean),
		cmocka_unit_test(the_others_have_its_mean_and_covariance),
		cmocka_unit_test(without_knowledge_they_are_the_priors),
		cmocka_unit_test(they_agree_with_what_is_known),
		cmocka_unit_test(warped_axes_are_bent_for_the_prior_too),
		cmocka_unit_test(the_same_key_gives_the_same_functions_in_any_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
