/* surrogate/lbfgs.h: minimisation inside a box. Every start on every function. */
#include "surrogate/lbfgs.h"

#include "base/random.h"
#include "surrogate/gp_fit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reference_minima.h"

enum { N_MAX = 10 };

typedef double function(size_t n, const double *x, double *ret_gradient);

/* Rosenbrock's valley, least 0 at (1, ..., 1). */
static double rosenbrock(size_t n, const double *x, double *g)
{
	double f = 0;

	memset(g, 0, n * sizeof(*g));
	for (size_t k = 0; k + 1 < n; k++) {
		const double bend = x[k + 1] - x[k] * x[k];

		f += 100 * bend * bend + (1 - x[k]) * (1 - x[k]);
		g[k] += -400 * bend * x[k] - 2 * (1 - x[k]);
		g[k + 1] += 200 * bend;
	}
	return f;
}

/* An ellipsoid of condition 1e6 about (0.5, ..., 0.5). */
static double ellipsoid(size_t n, const double *x, double *g)
{
	double f = 0;

	for (size_t k = 0; k < n; k++) {
		const double w = pow(1e6, (double)k / (double)(n - 1)), by = x[k] - 0.5;

		f += w * by * by;
		g[k] = 2 * w * by;
	}
	return f;
}

/* A quadratic whose coordinates pull on each other, so that bounds become active and free again. */
static double coupled(size_t n, const double *x, double *g)
{
	double sum = 0, f = 0;

	for (size_t k = 0; k < n; k++)
		sum += (k % 2 ? -1 : 1) * x[k];
	for (size_t k = 0; k < n; k++) {
		const double by = x[k] - 0.3 * (double)k;

		f += by * by;
		g[k] = 2 * by + (k % 2 ? -4 : 4) * (sum - 1);
	}
	return f + 2 * (sum - 1) * (sum - 1);
}

/* Infinite for x_0 <= 0, like a likelihood beyond which matrices are singular. */
static double barrier(size_t n, const double *x, double *g)
{
	if (x[0] <= 0)
		return INFINITY;
	double f = x[0] - 0.01 * log(x[0]);

	g[0] = 1 - 0.01 / x[0];
	for (size_t k = 1; k < n; k++) {
		f += x[k] * x[k];
		g[k] = 2 * x[k];
	}
	return f;
}

/* Flat but for a far valley, with a curvature that changes sign. */
static double gaussian_well(size_t n, const double *x, double *g)
{
	double r2 = 0;

	for (size_t k = 0; k < n; k++)
		r2 += (x[k] - 0.2) * (x[k] - 0.2);
	const double f = -exp(-r2);

	for (size_t k = 0; k < n; k++)
		g[k] = -2 * (x[k] - 0.2) * f;
	return f;
}

static struct lbfgs *create(size_t n, const double *x, const double *lower, const double *upper,
	const struct lbfgs_options *options)
{
	struct lbfgs *lbfgs = NULL;
	struct tuner_error err;

	if (!lbfgs_create(n, x, lower, upper, options, &lbfgs, &err))
		fail_msg("%s", err.message);
	return lbfgs;
}

static void step(struct lbfgs *lbfgs, function *f, size_t n)
{
	double gradient[N_MAX] = { 0 };
	const double value = f(n, lbfgs_point(lbfgs), gradient);

	lbfgs_tell(lbfgs, value, gradient);
}

static enum lbfgs_state run(struct lbfgs *lbfgs, function *f, size_t n)
{
	while (lbfgs_state(lbfgs) == LBFGS_EVALUATE)
		step(lbfgs, f, n);
	return lbfgs_state(lbfgs);
}

static void fill(double *x, double value)
{
	for (size_t k = 0; k < N_MAX; k++)
		x[k] = value;
}

/* Largest coordinate of P(x - g) - x: 0 exactly at a point that satisfies the first-order
 * conditions. */
static double optimality(
	size_t n, const double *x, const double *g, const double *lower, const double *upper)
{
	double most = 0;

	for (size_t k = 0; k < n; k++)
		most = fmax(most, fabs(fmin(fmax(x[k] - g[k], lower[k]), upper[k]) - x[k]));
	return most;
}

/* From 20 random points of the box: the state says converged, the best is inside and optimal. */
static void converges(function *f, size_t n, const double *lower, const double *upper, double from,
	double to, size_t evaluations)
{
	const struct lbfgs_options options = { .iterations = 2000, .gradient = 1e-6 };
	struct random random;
	double x[N_MAX], g[N_MAX] = { 0 };

	random_init(&random, (struct random_key){ .seed = 7, .purpose = RANDOM_TEST });
	for (int start = 0; start < 20; start++) {
		for (size_t k = 0; k < n; k++)
			x[k] = from + (to - from) * random_uniform(&random);
		struct lbfgs *lbfgs = create(n, x, lower, upper, &options);

		assert_int_equal(run(lbfgs, f, n), LBFGS_CONVERGED);
		const double *best = lbfgs_best(lbfgs, NULL);

		for (size_t k = 0; k < n; k++)
			assert_true(best[k] >= lower[k] && best[k] <= upper[k]);
		f(n, best, g);
		assert_true(optimality(n, best, g, lower, upper) <= 1e-5);
		assert_in_range(lbfgs_evaluations(lbfgs), 1, evaluations);
		lbfgs_destroy(lbfgs);
	}
}

static void converges_without_bounds(void **state)
{
	double lower[N_MAX], upper[N_MAX];

	fill(lower, -INFINITY);
	fill(upper, INFINITY);
	converges(rosenbrock, 2, lower, upper, -2, 2, 120);
	converges(rosenbrock, 10, lower, upper, -2, 2, 300);
	converges(ellipsoid, 10, lower, upper, -2, 2, 900);
	converges(coupled, 10, lower, upper, -2, 2, 60);
	converges(gaussian_well, 5, lower, upper, -0.5, 1, 60);
}

static void converges_inside_a_box(void **state)
{
	double lower[N_MAX], upper[N_MAX];

	fill(lower, -0.7);
	fill(upper, 0.6);
	converges(rosenbrock, 2, lower, upper, -2, 2, 120);
	converges(rosenbrock, 10, lower, upper, -2, 2, 300);
	converges(ellipsoid, 10, lower, upper, -2, 2, 900);
	converges(coupled, 10, lower, upper, -2, 2, 60);
	converges(gaussian_well, 5, lower, upper, -2, 2, 60);
}

static void converges_next_to_where_the_objective_is_infinite(void **state)
{
	double lower[N_MAX], upper[N_MAX];

	fill(lower, -10);
	fill(upper, 10);
	converges(barrier, 3, lower, upper, 0.5, 3, 60);
}

/* The bound x_0 <= 0.5 is active at the constrained minimum (0.5, 0.25), f = 1/4. */
static void finds_the_constrained_minimum(void **state)
{
	static const double lower[] = { -2, -2 }, upper[] = { 0.5, 2 }, x[] = { -1.2, 1 };
	const struct lbfgs_options options = { .gradient = 1e-8 };
	struct lbfgs *lbfgs = create(2, x, lower, upper, &options);
	double value;

	assert_int_equal(run(lbfgs, rosenbrock, 2), LBFGS_CONVERGED);
	const double *best = lbfgs_best(lbfgs, &value);

	assert_true(best[0] == 0.5);
	assert_true(fabs(best[1] - 0.25) < 1e-8 && fabs(value - 0.25) < 1e-12);
	lbfgs_destroy(lbfgs);
}

static void equal_bounds_fix_a_coordinate(void **state)
{
	static const double lower[] = { -2, 0.3, -2 }, upper[] = { 2, 0.3, 2 }, x[] = { 1, 1, 1 };
	const struct lbfgs_options options = { .gradient = 1e-8 };
	struct lbfgs *lbfgs = create(3, x, lower, upper, &options);
	double g[3] = { 0 };

	while (lbfgs_state(lbfgs) == LBFGS_EVALUATE) {
		assert_true(lbfgs_point(lbfgs)[1] == 0.3);
		step(lbfgs, rosenbrock, 3);
	}
	assert_int_equal(lbfgs_state(lbfgs), LBFGS_CONVERGED);
	rosenbrock(3, lbfgs_best(lbfgs, NULL), g);
	assert_true(optimality(3, lbfgs_best(lbfgs, NULL), g, lower, upper) < 1e-7);
	lbfgs_destroy(lbfgs);
}

static void a_start_outside_is_moved_inside(void **state)
{
	static const double lower[] = { 0, 0 }, upper[] = { 1, 1 }, x[] = { -5, 7 };
	struct lbfgs *lbfgs = create(2, x, lower, upper, &(struct lbfgs_options){ 0 });

	assert_true(lbfgs_point(lbfgs)[0] == 0 && lbfgs_point(lbfgs)[1] == 1);
	lbfgs_destroy(lbfgs);
}

static void a_minimum_at_the_start_takes_one_evaluation(void **state)
{
	static const double lower[] = { -2, -2 }, upper[] = { 2, 2 }, x[] = { 1, 1 };
	struct lbfgs *lbfgs = create(2, x, lower, upper, &(struct lbfgs_options){ 0 });

	assert_int_equal(run(lbfgs, rosenbrock, 2), LBFGS_CONVERGED);
	assert_int_equal(lbfgs_evaluations(lbfgs), 1);
	assert_int_equal(lbfgs_iterations(lbfgs), 0);
	lbfgs_destroy(lbfgs);
}

static void limits_end_the_search_with_the_best_point(void **state)
{
	static const double lower[] = { -2, -2 }, upper[] = { 2, 2 }, x[] = { -1.2, 1 };
	double g[2], value, least = INFINITY;

	for (size_t limit = 1; limit < 12; limit++) {
		struct lbfgs *lbfgs =
			create(2, x, lower, upper, &(struct lbfgs_options){ .evaluations = limit });

		least = INFINITY;
		while (lbfgs_state(lbfgs) == LBFGS_EVALUATE) {
			least = fmin(least, rosenbrock(2, lbfgs_point(lbfgs), g));
			step(lbfgs, rosenbrock, 2);
		}
		assert_int_equal(lbfgs_state(lbfgs), LBFGS_LIMIT);
		assert_int_equal(lbfgs_evaluations(lbfgs), limit);
		assert_true(rosenbrock(2, lbfgs_best(lbfgs, &value), g) == least && value == least);
		lbfgs_destroy(lbfgs);
	}
	struct lbfgs *lbfgs =
		create(2, x, lower, upper, &(struct lbfgs_options){ .iterations = 5 });

	assert_int_equal(run(lbfgs, rosenbrock, 2), LBFGS_LIMIT);
	assert_int_equal(lbfgs_iterations(lbfgs), 5);
	lbfgs_destroy(lbfgs);
}

static double nowhere(size_t n, const double *x, double *g)
{
	return NAN;
}

/* A gradient of the wrong sign: no step can succeed. */
static double deceiving(size_t n, const double *x, double *g)
{
	const double f = ellipsoid(n, x, g);

	for (size_t k = 0; k < n; k++)
		g[k] = -g[k];
	return f;
}

/* A crease where no step meets Wolfe's conditions. */
static double crease(size_t n, const double *x, double *g)
{
	double f = 0;

	for (size_t k = 0; k < n; k++) {
		f += (double)(1 + k) * fabs(x[k]);
		g[k] = (double)(1 + k) * (x[k] < 0 ? -1 : 1);
	}
	return f;
}

static void a_crease_ends_the_search_near_it(void **state)
{
	static const double lower[] = { -2, -2, -2 }, upper[] = { 2, 2, 2 };
	static const double x[] = { -1.2, 1, 0.3 };
	struct lbfgs *lbfgs = create(3, x, lower, upper, &(struct lbfgs_options){ 0 });
	double value;

	assert_int_not_equal(run(lbfgs, crease, 3), LBFGS_CONVERGED);
	lbfgs_best(lbfgs, &value);
	assert_true(value < 1e-3);
	assert_in_range(lbfgs_evaluations(lbfgs), 10, 2000);
	lbfgs_destroy(lbfgs);
}

/* The truth until the valley bends, then the opposite: curvature already stored misleads. */
static double turncoat(size_t n, const double *x, double *g)
{
	const double f = rosenbrock(n, x, g);

	for (size_t k = 0; x[0] > 0 && k < n; k++)
		g[k] = -g[k];
	return f;
}

static void hopeless_objectives_end_the_search(void **state)
{
	static const double lower[] = { -2, -2 }, upper[] = { 2, 2 }, x[] = { -1.2, 1 };
	struct lbfgs *lbfgs = create(2, x, lower, upper, &(struct lbfgs_options){ 0 });
	double value;

	assert_int_equal(run(lbfgs, nowhere, 2), LBFGS_STALLED);
	assert_true(lbfgs_best(lbfgs, &value)[0] == -1.2 && value == INFINITY);
	lbfgs_destroy(lbfgs);

	lbfgs = create(2, x, lower, upper, &(struct lbfgs_options){ 0 });
	assert_int_equal(run(lbfgs, deceiving, 2), LBFGS_STALLED);
	assert_in_range(lbfgs_evaluations(lbfgs), 2, 40);
	lbfgs_destroy(lbfgs);

	lbfgs = create(2, x, lower, upper, &(struct lbfgs_options){ 0 });
	assert_int_equal(run(lbfgs, turncoat, 2), LBFGS_STALLED);
	assert_in_range(lbfgs_evaluations(lbfgs), 10, 200);
	lbfgs_destroy(lbfgs);
}

/* Interleaved searches visit the points that they visit alone. */
static void searches_in_lockstep_do_not_mix(void **state)
{
	enum { STARTS = 4 };
	static const double lower[] = { -2, -2 }, upper[] = { 2, 2 };
	struct lbfgs *together[STARTS], *alone;
	double x[2];
	size_t running = STARTS;

	for (size_t s = 0; s < STARTS; s++) {
		x[0] = -2 + (double)s;
		x[1] = 2 - (double)s / 3;
		together[s] = create(2, x, lower, upper, &(struct lbfgs_options){ 0 });
	}
	while (running > 0) {
		running = 0;
		for (size_t s = 0; s < STARTS; s++)
			if (lbfgs_state(together[s]) == LBFGS_EVALUATE) {
				step(together[s], rosenbrock, 2);
				running++;
			}
	}
	for (size_t s = 0; s < STARTS; s++) {
		x[0] = -2 + (double)s;
		x[1] = 2 - (double)s / 3;
		alone = create(2, x, lower, upper, &(struct lbfgs_options){ 0 });
		run(alone, rosenbrock, 2);
		assert_memory_equal(
			lbfgs_best(alone, NULL), lbfgs_best(together[s], NULL), 2 * sizeof(double));
		lbfgs_destroy(alone);
		lbfgs_destroy(together[s]);
	}
}

/* ---- against NLopt's LD_LBFGS, from the same starts */

static double least_found(
	function *f, size_t n, const double *start, const double *lower, const double *upper)
{
	const struct lbfgs_options options = { .iterations = 2000, .gradient = 1e-7 };
	struct lbfgs *lbfgs = create(n, start, lower, upper, &options);
	double least;

	run(lbfgs, f, n);
	lbfgs_best(lbfgs, &least);
	lbfgs_destroy(lbfgs);
	return least;
}

static void assert_not_worse(double least, double reference, size_t i)
{
	if (!(least <= reference + 1e-6))
		fail_msg("case %zu: %.17g is worse than %.17g", i, least, reference);
}

static void bounded_valleys_are_descended_as_far_as_by_nlopt(void **state)
{
	double lower[N_MAX], upper[N_MAX];

	for (size_t i = 0; i < sizeof reference_valleys / sizeof *reference_valleys; i++) {
		fill(lower, reference_valleys[i].low);
		fill(upper, reference_valleys[i].high);
		assert_not_worse(least_found(rosenbrock, reference_valleys[i].n,
					 reference_valleys[i].start, lower, upper),
			reference_valleys[i].least, i);
	}
}

/* What the likelihood is of: a function has no context. */
static const struct gp *model;
static struct gp_data model_data;

static double minus_log_posterior(size_t n, const double *theta, double *g)
{
	struct tuner_error err;
	double value;

	if (!gp_likelihood(model, &model_data, theta, true, &value, g, &err))
		return INFINITY;
	for (size_t k = 0; k < n; k++)
		g[k] = -g[k];
	return -value;
}

static void posteriors_are_climbed_as_far_as_by_nlopt(void **state)
{
	double lower[N_MAX], upper[N_MAX];

	for (size_t i = 0; i < sizeof reference_posteriors / sizeof *reference_posteriors; i++) {
		const size_t d = reference_posteriors[i].d;
		struct gp *gp = NULL;
		struct tuner_error err;

		if (!gp_create(d, NULL, false, &gp, &err))
			fail_msg("%s", err.message);
		gp_bounds(gp, false, lower, upper);
		model = gp;
		model_data = (struct gp_data){ .n = reference_posteriors[i].n,
			.X = reference_posteriors[i].X,
			.y = reference_posteriors[i].y };
		assert_not_worse(least_found(minus_log_posterior, d + 1,
					 reference_posteriors[i].start, lower, upper),
			reference_posteriors[i].least, i);
		gp_destroy(gp);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(converges_without_bounds),
		cmocka_unit_test(converges_inside_a_box),
		cmocka_unit_test(converges_next_to_where_the_objective_is_infinite),
		cmocka_unit_test(finds_the_constrained_minimum),
		cmocka_unit_test(equal_bounds_fix_a_coordinate),
		cmocka_unit_test(a_start_outside_is_moved_inside),
		cmocka_unit_test(a_minimum_at_the_start_takes_one_evaluation),
		cmocka_unit_test(limits_end_the_search_with_the_best_point),
		cmocka_unit_test(a_crease_ends_the_search_near_it),
		cmocka_unit_test(hopeless_objectives_end_the_search),
		cmocka_unit_test(searches_in_lockstep_do_not_mix),
		cmocka_unit_test(bounded_valleys_are_descended_as_far_as_by_nlopt),
		cmocka_unit_test(posteriors_are_climbed_as_far_as_by_nlopt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
