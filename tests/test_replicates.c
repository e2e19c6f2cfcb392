/* surrogate/replicates.h: repeated trials as one row of the model. */
#include "surrogate/replicates.h"
#include "surrogate/gp_fit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

enum { D = 3, POINTS = 12, N_MAX = 60, M = 20 };

/* Rows as they are told, and the same rows merged. */
struct fixture {
	struct gp *gp;
	double X[N_MAX * D], y[N_MAX], scales[N_MAX], counts[N_MAX], scatters[N_MAX];
	bool valued[N_MAX];
	struct replicates_rows rows;
	double all_X[N_MAX * D], all_y[N_MAX], all_scales[N_MAX];
	struct gp_data all;
};

static const double theta[] = { -0.5, -0.9, -0.2, -3 };

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

static void merge(struct fixture *f)
{
	struct tuner_error err;

	assert_ok(replicates_merge(&f->rows, &err), &err);
}

static struct gp_data merged(const struct fixture *f)
{
	return (struct gp_data){ f->rows.n, f->X, f->y, f->scales, f->counts, f->scatters };
}

/* Some points of two numbers and a category, told between one and nine times in any order; every third is noisier
 * than the others, and one of them is told with both noises. */
static int set_up(void **state)
{
	static const enum dimension_kind kinds[] = { DIMENSION_NUMERIC, DIMENSION_NUMERIC,
		DIMENSION_CATEGORY };
	static struct fixture f;
	double points[POINTS * D];
	struct random random;
	struct tuner_error err;

	memset(&f, 0, sizeof f);
	random_init(&random, (struct random_key){ .seed = 4, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < POINTS * D; i++)
		points[i] = i % D == 2 ? (double)random_below(&random, 3) : random_uniform(&random);
	for (size_t i = 0; i < N_MAX; i++) {
		const size_t p = i < POINTS ? i : random_below(&random, POINTS - 2);

		memcpy(&f.X[i * D], &points[p * D], D * sizeof *points);
		f.y[i] = sin(4 * points[p * D]) + points[p * D + 1] + 0.2 * random_normal(&random);
		f.scales[i] = p % 3 == 2 || (p == 0 && i % 2 == 1) ? 10 : 1;
		f.valued[i] = f.scales[i] == 1;
	}
	memcpy(f.all_X, f.X, sizeof f.X);
	memcpy(f.all_y, f.y, sizeof f.y);
	memcpy(f.all_scales, f.scales, sizeof f.scales);
	f.all = (struct gp_data){ N_MAX, f.all_X, f.all_y, f.all_scales };
	f.rows = (struct replicates_rows){ N_MAX, D, f.X, f.y, f.scales, f.valued, f.counts,
		f.scatters };
	assert_ok(gp_create(D, kinds, false, &f.gp, &err), &err);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	const struct fixture *f = *state;

	gp_destroy(f->gp);
	return 0;
}

static double likelihood(
	const struct gp *gp, const struct gp_data *data, const double *at, double *ret_gradient)
{
	struct tuner_error err;
	double value;

	assert_ok(gp_likelihood(gp, data, at, false, &value, ret_gradient, &err), &err);
	return value;
}

/* ---- merging */

static void a_row_holds_mean_count_and_scatter(void **state)
{
	double X[] = { 0.5, 0.25, 0.5, 0.75, 0.5 }, y[] = { 1, 5, 2, 7, 6 };
	double scales[] = { 1, 1, 1, 1, 1 }, counts[5], scatters[5];
	bool valued[] = { true, true, true, true, true };
	struct replicates_rows rows = { 5, 1, X, y, scales, valued, counts, scatters };
	struct tuner_error err;

	assert_ok(replicates_merge(&rows, &err), &err);
	assert_int_equal(rows.n, 3);
	/* In the order of their newest. */
	assert_memory_equal(X, ((double[]){ 0.25, 0.75, 0.5 }), 3 * sizeof *X);
	assert_memory_equal(y, ((double[]){ 5, 7, 3 }), 3 * sizeof *y);
	assert_memory_equal(counts, ((double[]){ 1, 1, 3 }), 3 * sizeof *counts);
	assert_memory_equal(scatters, ((double[]){ 0, 0, 14 }), 3 * sizeof *scatters);
}

static void what_differs_stays_apart(void **state)
{
	double X[] = { 0.5, 1, 0.5, 1, 0.5, 1, 0.5, 0 }, y[] = { 1, 2, 3, 4 };
	double scales[] = { 1, 10, 1, 1 }, counts[4], scatters[4];
	bool valued[] = { true, true, false, true };
	struct replicates_rows rows = { 4, 2, X, y, scales, valued, counts, scatters };
	struct tuner_error err;

	assert_ok(replicates_merge(&rows, &err), &err);
	assert_int_equal(rows.n, 4);
	assert_memory_equal(y, ((double[]){ 1, 2, 3, 4 }), sizeof y);
}

static void one_trial_within_is_enough(void **state)
{
	double X[] = { 0.5, 0.25, 0.5, 0.75, 0.25 }, y[] = { 1, 5, 2, 7, 6 };
	double scales[] = { 1, 1, 1, 1, 1 }, counts[5], scatters[5];
	bool within[] = { true, false, false, true, false };
	struct replicates_rows rows = { 5, 1, X, y, scales, NULL, counts, scatters, within };
	struct tuner_error err;

	assert_ok(replicates_merge(&rows, &err), &err);
	assert_int_equal(rows.n, 3);
	assert_memory_equal(X, ((double[]){ 0.5, 0.75, 0.25 }), 3 * sizeof *X);
	assert_memory_equal(within, ((bool[]){ true, true, false }), 3 * sizeof *within);
}

static void without_repeats_every_bit_stays(void **state)
{
	struct fixture *f = *state;
	double value, same, gradient[D + 1], same_gradient[D + 1];

	f->rows.n = f->all.n = POINTS;
	merge(f);
	assert_int_equal(f->rows.n, POINTS);
	assert_memory_equal(f->X, f->all_X, POINTS * D * sizeof *f->X);
	assert_memory_equal(f->y, f->all_y, POINTS * sizeof *f->y);

	const struct gp_data data = merged(f);

	value = likelihood(f->gp, &data, theta, gradient);
	same = likelihood(f->gp, &f->all, theta, same_gradient);
	assert_true(value == same);
	assert_memory_equal(gradient, same_gradient, sizeof gradient);
}

/* ---- the model */

static void the_likelihood_is_that_of_all_outcomes(void **state)
{
	struct fixture *f = *state;
	double gradient[D + 1], wanted[D + 1];

	merge(f);
	assert_in_range(f->rows.n, POINTS, POINTS + 1);

	const struct gp_data data = merged(f);
	const double value = likelihood(f->gp, &data, theta, gradient);
	const double all = likelihood(f->gp, &f->all, theta, wanted);

	assert_near(value, all, 1e-10 * fabs(all));
	for (size_t k = 0; k <= D; k++)
		assert_near(gradient[k], wanted[k], 1e-9 * fmax(1, fabs(wanted[k])));
}

static void its_gradient_agrees_with_differences(void **state)
{
	static const double h = 1e-5;
	struct fixture *f = *state;
	double gradient[D + 1];

	merge(f);

	const struct gp_data data = merged(f);

	likelihood(f->gp, &data, theta, gradient);
	for (size_t k = 0; k <= D; k++) {
		double above[D + 1], below[D + 1];

		memcpy(above, theta, sizeof above);
		memcpy(below, theta, sizeof below);
		above[k] += h;
		below[k] -= h;

		const double rise = likelihood(f->gp, &data, above, NULL) -
				    likelihood(f->gp, &data, below, NULL);

		assert_near(gradient[k], rise / (2 * h), 1e-6 * fmax(1, fabs(gradient[k])));
	}
}

static void predictions_are_the_same(void **state)
{
	struct fixture *f = *state;
	double x[M * D], mean[M], sd[M], mean_of_all[M], sd_of_all[M];
	struct random random;
	struct tuner_error err;

	random_init(&random, (struct random_key){ .seed = 8, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < M * D; i++)
		x[i] = i % D == 2 ? (double)random_below(&random, 3) : random_uniform(&random);
	merge(f);

	const struct gp_data data = merged(f);

	assert_ok(gp_condition(f->gp, &data, theta, &err), &err);
	assert_ok(gp_predict(f->gp, x, M, mean, sd, &err), &err);
	assert_ok(gp_condition(f->gp, &f->all, theta, &err), &err);
	assert_ok(gp_predict(f->gp, x, M, mean_of_all, sd_of_all, &err), &err);
	for (size_t i = 0; i < M; i++) {
		assert_near(mean[i], mean_of_all[i], 1e-9);
		assert_near(sd[i], sd_of_all[i], 1e-9);
	}
}

/* The scatter at one point alone tells how much noise there is: 60 outcomes, of sd 0.3. */
static void repeats_of_one_point_tell_the_noise(void **state)
{
	struct fixture *f = *state;
	const struct gp_fit_options options = { .start = NULL };
	struct gp_fit_report report;
	struct random random;
	struct tuner_error err;

	random_init(&random, (struct random_key){ .seed = 2, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < N_MAX; i++) {
		memcpy(&f->X[i * D], f->all_X, D * sizeof *f->X);
		f->y[i] = 0.3 * random_normal(&random);
		f->scales[i] = 1;
		f->valued[i] = true;
	}
	merge(f);
	assert_int_equal(f->rows.n, 1);

	const struct gp_data data = merged(f);

	assert_ok(gp_fit(f->gp, &data, &options, &report, &err), &err);
	assert_near(exp(gp_hyperparameters(f->gp)[D] / 2), 0.3, 0.06);
}

#define WITH_MODEL(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_holds_mean_count_and_scatter),
		cmocka_unit_test(what_differs_stays_apart),
		WITH_MODEL(without_repeats_every_bit_stays),
		WITH_MODEL(the_likelihood_is_that_of_all_outcomes),
		WITH_MODEL(its_gradient_agrees_with_differences),
		WITH_MODEL(predictions_are_the_same),
		WITH_MODEL(repeats_of_one_point_tell_the_noise),
		cmocka_unit_test(one_trial_within_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
