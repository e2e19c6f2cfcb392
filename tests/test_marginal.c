/* surrogate/marginal.h: chains have the posterior of the hyperparameters. */
#include "surrogate/marginal.h"
#include "surrogate/gp_fit.h"
#include "sanitized.h"

#include <gsl/gsl_cdf.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 7, D = 2, P = D + 1 };

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

/* A number and a category. */
static struct gp *create(bool warped)
{
	static const enum dimension_kind kinds[] = { DIMENSION_NUMERIC, DIMENSION_CATEGORY };
	struct tuner_error err;
	struct gp *gp = NULL;

	assert_ok(gp_create(D, kinds, warped, &gp, &err), &err);
	return gp;
}

struct rows {
	double X[N * D], y[N];
};

static struct gp_data view(const struct rows *rows)
{
	return (struct gp_data){ N, rows->X, rows->y, NULL };
}

static struct rows draw_rows(struct random *random)
{
	struct rows rows;

	for (size_t i = 0; i < N; i++) {
		rows.X[i * D] = random_uniform(random);
		rows.X[i * D + 1] = (double)random_below(random, 2);
		rows.y[i] = random_normal(random);
	}
	return rows;
}

static size_t sample(const struct gp *gp, const struct rows *rows, struct marginal_options options,
	struct random *random, double *ret_thetas, uint64_t *ret_work)
{
	const struct gp_data data = view(rows);
	struct tuner_error err;
	uint64_t work;
	size_t n;

	assert_ok(marginal_sample(gp, &data, &options, random, ret_thetas, &n,
			  ret_work ? ret_work : &work, &err),
		&err);
	return n;
}

/* ---- simulation-based calibration ---- */

/* Hyperparameters from the prior inside the bounds, lengthscales e^`shift` times as long. */
static void draw_theta(const struct gp *gp, double shift, struct random *random, double *ret_theta)
{
	double lower[P], upper[P];

	gp_bounds(gp, false, lower, upper);
	for (size_t i = 0; i < P; i++) {
		const double mean = i < D ? M_SQRT2 + log(D) / 2 - 3 + shift : -8;
		const double sd[P] = { 1, sqrt(3), 2 };

		do
			ret_theta[i] = mean + sd[i] * random_normal(random);
		while (ret_theta[i] < lower[i] || ret_theta[i] > upper[i]);
	}
}

/* Outcomes that the model at theta expects, around 5. */
static void draw_outcomes(
	struct gp *gp, const double *theta, struct rows *rows, struct random *random)
{
	double b[N], zeros[N] = { 0 };
	const struct gp_data data = { N, rows->X, zeros, NULL };
	struct tuner_error err;

	assert_ok(gp_condition(gp, &data, theta, &err), &err);
	for (size_t i = 0; i < N; i++)
		b[i] = random_normal(random);
	for (size_t i = 0; i < N; i++)
		rows->y[i] = 5 + gp_outcome(gp, b, i);
}

enum { STATES = 8, SIMULATIONS = 4000 };

/* Of a chain at its stationary distribution, of which the truth is a draw, the truth may be any state: so
 * the chain is continued from it in both directions, by a number of states drawn, and its rank among all is
 * uniform, however few steps lie between them (Gandy and Scott, "Unit testing for MCMC and other Monte Carlo
 * methods", 2020). A reversible chain's past is another future. */
static void count_ranks(const struct gp *gp, const struct rows *rows, const double *truth,
	struct random *random, size_t counts[P][STATES])
{
	const size_t before = (size_t)random_below(random, STATES);
	const struct marginal_options options = { .start = truth, .thinning = 5 };
	double thetas[STATES * P];
	size_t n = 0;

	for (int direction = 0; direction < 2; direction++) {
		struct marginal_options part = options;

		part.states = direction == 0 ? before : STATES - 1 - before;
		if (part.states > 0)
			n += sample(gp, rows, part, random, thetas + n * P, NULL);
	}
	assert_int_equal(n, STATES - 1);
	for (size_t i = 0; i < P; i++) {
		size_t rank = 0;

		for (size_t s = 0; s < n; s++)
			rank += thetas[s * P + i] < truth[i];
		counts[i][rank]++;
	}
}

/* The least P of the hyperparameters' chi-square. */
static double calibrate(double shift, size_t simulations)
{
	size_t counts[P][STATES] = { { 0 } };
	struct random random = stream(1);
	struct gp *gp = create(false);
	double least = 1;

	for (size_t i = 0; i < simulations; i++) {
		struct rows rows = draw_rows(&random);
		double truth[P];

		draw_theta(gp, shift, &random, truth);
		draw_outcomes(gp, truth, &rows, &random);
		count_ranks(gp, &rows, truth, &random, counts);
	}
	for (size_t i = 0; i < P; i++) {
		const double expected = (double)simulations / STATES;
		double sum = 0;

		for (size_t r = 0; r < STATES; r++)
			sum += pow((double)counts[i][r] - expected, 2) / expected;
		least = fmin(least, gsl_cdf_chisq_Q(sum, STATES - 1));
	}
	gp_destroy(gp);
	return least;
}

static void the_truth_has_any_rank_among_the_states(void **state)
{
	const double least = calibrate(0, all_or(SIMULATIONS, SIMULATIONS / 4));

	if (!(least > 1e-3))
		fail_msg("P = %g", least);
}

/* The test above would see lengthscales that are half as long again as the prior says. */
static void another_prior_would_be_seen(void **state)
{
	assert_true(calibrate(0.4, SIMULATIONS) < 1e-3);
}

/* ---- options ---- */

static void what_is_held_stays(void **state)
{
	struct random random = stream(2);
	const struct rows rows = draw_rows(&random);
	struct gp *gp = create(true);
	const double start[] = { 0, 0, -3, 0.5, -0.5, 0, 0 };
	double thetas[5 * 7];
	struct marginal_options options = { .start = start,
		.states = 5,
		.thinning = 1,
		.deterministic = true,
		.holds_warps = true };

	assert_int_equal(gp_n_hyperparameters(gp), 7);
	assert_int_equal(sample(gp, &rows, options, &random, thetas, NULL), 5);
	for (size_t s = 0; s < 5; s++) {
		const double *theta = thetas + s * 7;

		assert_true(theta[D] == log(1e-6));
		assert_memory_equal(theta + P, start + P, 4 * sizeof *theta);
		assert_true(theta[0] != 0 || theta[1] != 0);
	}

	options.holds_warps = false;
	sample(gp, &rows, options, &random, thetas, NULL);
	assert_true(thetas[4 * 7 + P] != start[P] && thetas[4 * 7 + P + 1] != start[P + 1]);
	/* A category has no axis to bend. */
	assert_true(thetas[4 * 7 + P + 2] == 0 && thetas[4 * 7 + P + 3] == 0);
	gp_destroy(gp);
}

static void states_keep_to_the_bounds(void **state)
{
	struct random random = stream(3);
	const struct rows rows = draw_rows(&random);
	struct gp *gp = create(false);
	const double outside[] = { 99, -99, 99 };
	const struct marginal_options options = { .start = outside, .states = 200, .thinning = 1 };
	double thetas[200 * P], lower[P], upper[P];

	gp_bounds(gp, false, lower, upper);
	assert_int_equal(sample(gp, &rows, options, &random, thetas, NULL), 200);
	for (size_t i = 0; i < (size_t)200 * P; i++)
		assert_true(thetas[i] >= lower[i % P] && thetas[i] <= upper[i % P]);
	gp_destroy(gp);
}

/* Ten states are the second to the eleventh of eleven, and the last is where the next chain goes on. */
static void burn_in_and_thinning_leave_states_out(void **state)
{
	struct random random = stream(4);
	struct gp *gp = create(false);
	const struct rows rows = draw_rows(&random);
	struct random same = random, again = random;
	const double start[P] = { 0, 0, -4 };
	double all[11 * P], late[10 * P], rare[5 * P];

	sample(gp, &rows, (struct marginal_options){ .start = start, .states = 11, .thinning = 1 },
		&random, all, NULL);
	sample(gp, &rows,
		(struct marginal_options){
			.start = start, .burn_in = 1, .states = 10, .thinning = 1 },
		&same, late, NULL);
	assert_memory_equal(late, all + P, sizeof late);
	sample(gp, &rows, (struct marginal_options){ .start = start, .states = 5, .thinning = 2 },
		&again, rare, NULL);
	for (size_t s = 0; s < 5; s++)
		assert_memory_equal(rare + s * P, all + (2 * s + 1) * P, P * sizeof *all);
	gp_destroy(gp);
}

static void the_work_limit_leaves_one_state(void **state)
{
	struct random random = stream(5);
	const struct rows rows = draw_rows(&random);
	struct gp *gp = create(false);
	const double start[P] = { 0, 0, -4 };
	struct marginal_options options = {
		.start = start, .burn_in = 5, .states = 20, .thinning = 1
	};
	double thetas[20 * P];
	uint64_t work, least = UINT64_MAX;

	for (options.work_limit = 1; options.work_limit < 400; options.work_limit *= 2) {
		const size_t n = sample(gp, &rows, options, &random, thetas, &work);

		assert_in_range(n, 1, 20);
		/* A step that was begun is finished. */
		assert_in_range(work, 1, options.work_limit + 60);
		if (options.work_limit == 1)
			assert_memory_equal(thetas, start, sizeof start);
		least = work < least ? work : least;
	}
	assert_int_equal(least, 1);
	gp_destroy(gp);
}

static void rows_that_are_no_numbers_are_refused(void **state)
{
	struct random random = stream(6);
	struct rows rows = draw_rows(&random);
	const struct gp_data data = view(&rows);
	const double start[P] = { 0, 0, -4 };
	const struct marginal_options options = { .start = start, .states = 1, .thinning = 1 };
	struct gp *gp = create(false);
	double theta[P];
	struct tuner_error err;
	uint64_t work;
	size_t n;

	rows.X[2] = NAN;
	assert_false(marginal_sample(gp, &data, &options, &random, theta, &n, &work, &err));
	assert_int_equal(err.code, TUNER_NUMERIC);
	gp_destroy(gp);
}

static int setup(void **state)
{
	return 0;
}

static bool rise(const void *context, const double *X, size_t m, double *ret_values,
	double *ret_gradients, struct tuner_error *err)
{
	for (size_t i = 0; i < m; i++)
		ret_values[i] = 30 * X[i * D];
	return true;
}

/* The chain is that of what a trend leaves. */
static void a_trend_is_no_matter_of_the_hyperparameters(void **state)
{
	const struct gp_trend trend = { .evaluate = rise };
	struct random random = stream(3), same = stream(4), again = stream(4);
	struct rows rows = draw_rows(&random), left = rows;
	struct gp *gp = create(false);
	double start[P], with[10 * P], without[10 * P];

	gp_prior_mode(gp, start);
	const struct marginal_options options = { .start = start, .states = 10, .thinning = 5 };

	for (size_t i = 0; i < N; i++)
		left.y[i] -= 30 * left.X[i * D];
	assert_int_equal(sample(gp, &left, options, &same, without, NULL), 10);
	gp_set_trend(gp, &trend);
	assert_int_equal(sample(gp, &rows, options, &again, with, NULL), 10);
	assert_memory_equal(with, without, sizeof with);
	gp_destroy(gp);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_truth_has_any_rank_among_the_states),
		cmocka_unit_test(another_prior_would_be_seen),
		cmocka_unit_test(what_is_held_stays),
		cmocka_unit_test(states_keep_to_the_bounds),
		cmocka_unit_test(burn_in_and_thinning_leave_states_out),
		cmocka_unit_test(the_work_limit_leaves_one_state),
		cmocka_unit_test(rows_that_are_no_numbers_are_refused),
		cmocka_unit_test(a_trend_is_no_matter_of_the_hyperparameters),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
