/* surrogate/maximise.h: where the acquisition is largest. */
#include "surrogate/maximise.h"

#include "fixture_suggest.h"

#include "surrogate/transform.h"

enum { D = 3, N = 14, NO_LIMIT = 0 };

/* A model of a smooth function over a space, and the candidates of one suggestion. */
struct fixture {
	struct parameter parameters[D];
	struct space space;
	double given[D];
	struct columns columns;
	double X[N * D];
	struct gp *gp;
	double lengthscales[D];
	struct acquisition *acquisition;
	struct candidates candidates;
	struct random random;
	struct maxima maxima;
};

static void assert_ok(bool ok, const struct tuner_error *err)
{
	if (!ok)
		fail_msg("%s", err->message);
}

static double smooth(const double *x)
{
	return sin(5 * x[0]) + cos(7 * x[1]) + 2 * fabs(x[2] - 0.4);
}

/* With random trials, conditioned at lengthscales that are no powers of two. */
static void fit(struct fixture *f, uint64_t seed)
{
	const double theta[] = { log(0.31), log(0.47), log(0.87), log(1e-4) };
	double y[N];
	struct tuner_error err;

	random_init(&f->random, (struct random_key){ .seed = seed, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < N; i++) {
		double *x = &f->X[i * f->columns.d];

		for (size_t k = 0; k < f->columns.d; k++)
			x[k] = random_uniform(&f->random);
		columns_snap(&f->columns, x);
		y[i] = smooth(x);
	}
	const struct gp_data data = { N, f->X, y, NULL };
	const struct acquisition_options options = { .n_fantasies = 1 };

	assert_ok(gp_create(f->columns.d, f->columns.kinds, false, &f->gp, &err), &err);
	assert_ok(gp_condition(f->gp, &data, theta, &err), &err);
	for (size_t k = 0; k < D; k++)
		f->lengthscales[k] = exp(theta[k]);
	assert_ok(acquisition_create(f->gp, &options, &f->random, &f->acquisition, &err), &err);
}

static void draw(struct fixture *f, uint64_t seed, size_t most)
{
	const struct random_key key = { .seed = seed, .number = 1, .purpose = RANDOM_CANDIDATES };
	const struct anchors anchors = { 1, 1, f->X };
	struct tuner_error err;

	assert_ok(candidates_draw(&f->columns, &anchors, key, most, &f->candidates, &err), &err);
	assert_ok(acquisition_values(f->acquisition, f->candidates.x, f->candidates.n, 0,
			  f->candidates.values, &err),
		&err);
	assert_true(candidates_sort(&f->candidates, f->candidates.n, &err));
}

static void climb(struct fixture *f, uint64_t work_limit)
{
	struct tuner_error err;

	assert_ok(maximise(&f->columns, f->acquisition, f->lengthscales, NULL, &f->candidates,
			  &f->random, work_limit, &f->maxima, &err),
		&err);
}

static void set_up(struct fixture *f, const struct parameter *parameters, const double *given,
	uint64_t seed, size_t most)
{
	memset(f, 0, sizeof *f);
	memcpy(f->parameters, parameters, sizeof f->parameters);
	f->space = (struct space){ D, f->parameters };
	for (size_t i = 0; i < D; i++)
		f->given[i] = given != NULL ? given[i] : NAN;
	columns_init(&f->columns, &f->space, f->given);
	assert_int_equal(f->columns.d, D);
	fit(f, seed);
	draw(f, seed, most);
}

static void tear_down(struct fixture *f)
{
	maxima_finish(&f->maxima);
	candidates_finish(&f->candidates);
	acquisition_destroy(f->acquisition);
	gp_destroy(f->gp);
}

static double value_at(const struct fixture *f, const double *x)
{
	double value;
	struct tuner_error err;

	assert_ok(acquisition_values(f->acquisition, x, 1, 0, &value, &err), &err);
	return value;
}

static void set_up_floats(struct fixture *f, uint64_t seed, size_t most)
{
	const struct parameter parameters[D] = { a_float("x", 0, 1), a_float("y", 0, 1),
		a_float("z", 0, 1) };

	set_up(f, parameters, NULL, seed, most);
}

/* ---- floats ---- */

static void values_are_the_acquisitions_own_best_first(void **state)
{
	struct fixture f;

	set_up_floats(&f, 1, 2000);
	climb(&f, NO_LIMIT);
	assert_int_equal(f.maxima.n, MAXIMISE_STARTS);
	for (size_t i = 0; i < f.maxima.n; i++) {
		assert_near(f.maxima.values[i], value_at(&f, &f.maxima.x[i * D]), 1e-10);
		assert_true(i == 0 || f.maxima.values[i] <= f.maxima.values[i - 1]);
	}
	assert_true(f.maxima.values[0] >= f.candidates.values[f.candidates.order[0]]);
	tear_down(&f);
}

/* No step of any coordinate, small or large, leads up from the best point, but for the tolerance of
 * the gradient: 1e-4 in lengthscales. */
static void the_best_point_is_a_local_maximum(void **state)
{
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct fixture f;

		set_up_floats(&f, seed, 2000);
		climb(&f, NO_LIMIT);
		for (size_t k = 0; k < D; k++)
			for (double step = 1e-6; step < 0.02; step *= -2) {
				double x[D];

				memcpy(x, f.maxima.x, sizeof x);
				x[k] = fmin(fmax(x[k] + step, 0), 1);
				assert_true(value_at(&f, x) <=
					    f.maxima.values[0] + 1e-3 * fabs(step) + 1e-9);
			}
		tear_down(&f);
	}
}

static void the_limit_on_work_ends_the_search_in_time(void **state)
{
	for (uint64_t limit = 1; limit < 500; limit += 1 + limit / 2) {
		struct fixture f;

		set_up_floats(&f, 3, 2000);
		climb(&f, limit);
		assert_in_range(f.maxima.work, 1, limit + 2 * MAXIMISE_STARTS);
		assert_true(f.maxima.n > 0);
		assert_true(
			f.maxima.values[0] >= f.candidates.values[f.candidates.order[0]] - 1e-10);
		tear_down(&f);
	}
}

static void the_same_search_gives_the_same_bits(void **state)
{
	struct fixture f, g;

	set_up_floats(&f, 4, 2000);
	set_up_floats(&g, 4, 2000);
	climb(&f, NO_LIMIT);
	climb(&g, NO_LIMIT);
	assert_int_equal(f.maxima.work, g.maxima.work);
	assert_memory_equal(f.maxima.x, g.maxima.x, f.maxima.n * D * sizeof(double));
	assert_memory_equal(f.maxima.values, g.maxima.values, f.maxima.n * sizeof(double));
	tear_down(&f);
	tear_down(&g);
}

static void starts_lie_apart(void **state)
{
	struct fixture f;

	set_up_floats(&f, 5, 2000);
	/* A search of no steps returns its starts. */
	climb(&f, 1);
	for (size_t i = 0; i < f.maxima.n; i++)
		for (size_t j = 0; j < i; j++) {
			double r2 = 0;

			for (size_t k = 0; k < D; k++)
				r2 += pow((f.maxima.x[i * D + k] - f.maxima.x[j * D + k]) /
						  f.lengthscales[k],
					2);
			assert_true(sqrt(r2) >= 0.05);
		}
	tear_down(&f);
}

static void without_candidates_there_are_no_maxima(void **state)
{
	struct fixture f;

	set_up_floats(&f, 1, 32);
	f.candidates.n = 0;
	climb(&f, NO_LIMIT);
	assert_int_equal(f.maxima.n, 0);
	tear_down(&f);
}

static void values_that_are_no_number_start_nothing(void **state)
{
	struct fixture f;

	set_up_floats(&f, 1, 32);
	for (size_t i = 0; i < f.candidates.n; i++)
		if (i != 7)
			f.candidates.values[i] = NAN;
	struct tuner_error err;

	assert_true(candidates_sort(&f.candidates, f.candidates.n, &err));
	climb(&f, NO_LIMIT);
	assert_int_equal(f.maxima.n, 1);
	tear_down(&f);
}

/* ---- against all points, and lattices ---- */

static void assert_snapped(const struct fixture *f)
{
	for (size_t i = 0; i < f->maxima.n; i++) {
		double x[D];

		memcpy(x, &f->maxima.x[i * D], sizeof x);
		columns_snap(&f->columns, x);
		assert_memory_equal(x, &f->maxima.x[i * D], sizeof x);
	}
}

/* The largest value over a grid: steps[k] coordinates of each column, every lattice value or, of a
 * float, as many from bound to bound. */
static double best_of(const struct fixture *f, const size_t steps[D])
{
	double best = -INFINITY, *x = calloc(steps[2] * D, sizeof *x);
	double *values = calloc(steps[2], sizeof *values);
	struct tuner_error err;

	assert_true(x != NULL && values != NULL);
	for (size_t i = 0; i < steps[0] * steps[1]; i++) {
		const size_t at[] = { i / steps[1], i % steps[1], 0 };

		for (size_t j = 0; j < steps[2]; j++)
			for (size_t k = 0; k < D; k++) {
				const size_t index = k == 2 ? j : at[k];

				x[j * D + k] = f->columns.cardinality[k] > 0
						       ? columns_coordinate(&f->columns, k, index)
						       : (double)index / (double)(steps[k] - 1);
			}
		assert_ok(acquisition_values(f->acquisition, x, steps[2], 0, values, &err), &err);
		for (size_t j = 0; j < steps[2]; j++)
			best = fmax(best, values[j]);
	}
	free(x);
	free(values);
	return best;
}

/* With only 32 candidates to start from, it still finds what 40^3 points on a grid have. */
static void few_starts_find_the_best_of_a_dense_grid(void **state)
{
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct fixture f;

		set_up_floats(&f, seed, 32);
		climb(&f, NO_LIMIT);
		assert_true(f.maxima.values[0] > best_of(&f, (size_t[]){ 40, 40, 40 }) - 1e-6);
		tear_down(&f);
	}
}

/* A category is compared by its bits, which must survive the way through the search's own units:
 * otherwise the climb follows the slope of a category without trials. */
static void beside_a_category_the_float_is_climbed_to_its_maximum(void **state)
{
	const struct parameter parameters[D] = { an_int("n", 1, 3), a_category("c", 7),
		a_float("x", 0, 1) };

	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct fixture f;

		set_up(&f, parameters, NULL, seed, 2000);
		climb(&f, NO_LIMIT);
		assert_snapped(&f);
		assert_true(f.maxima.values[0] > best_of(&f, (size_t[]){ 3, 7, 2001 }) - 1e-9);
		tear_down(&f);
	}
}

/* All 12,144 configurations, of columns just too long to be looked through, against what starts from
 * 16 of them. */
static void on_a_lattice_the_best_configuration_of_all_is_found(void **state)
{
	const struct parameter parameters[D] = { an_int("n", 1, 22), an_ordinal("o", 23),
		a_stepped_float("x", 0, 2.3, 0.1) };

	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct fixture f;

		set_up(&f, parameters, NULL, seed, 16);
		climb(&f, NO_LIMIT);
		assert_snapped(&f);
		assert_true(f.maxima.values[0] > best_of(&f, (size_t[]){ 22, 23, 24 }) - 1e-9);
		tear_down(&f);
	}
}

/* 2^40 values a side: the search's way over them is that over floats. */
static void a_huge_lattice_is_searched_like_a_float(void **state)
{
	const struct parameter integers[D] = { an_int("n", 0, 0x1p40), an_int("m", 0, 0x1p40),
		an_int("l", 0, 0x1p40) };

	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct fixture f, g;

		set_up(&f, integers, NULL, seed, 16);
		climb(&f, NO_LIMIT);
		assert_snapped(&f);
		set_up_floats(&g, seed, 16);
		climb(&g, NO_LIMIT);
		assert_true(f.maxima.values[0] > g.maxima.values[0] - 1e-6);
		tear_down(&f);
		tear_down(&g);
	}
}

static void given_values_are_held(void **state)
{
	const struct parameter parameters[D] = { a_float("x", 0, 1), a_category("c", 3),
		an_int("n", 1, 30) };
	static const double givens[][D] = { { 0.3, NAN, NAN }, { NAN, 1, NAN }, { NAN, NAN, 17 },
		{ 0.3, 1, NAN }, { NAN, 1, 17 } };

	for (size_t g = 0; g < 5; g++) {
		struct fixture f;

		set_up(&f, parameters, givens[g], 7, 2000);
		climb(&f, NO_LIMIT);
		assert_snapped(&f);
		assert_true(f.maxima.n > 0);
		for (size_t i = 0; i < f.maxima.n; i++)
			for (size_t k = 0; k < D; k++)
				assert_true(isnan(givens[g][k]) ||
					    f.maxima.x[i * D + k] == f.columns.held[k]);
		tear_down(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_the_acquisitions_own_best_first),
		cmocka_unit_test(the_best_point_is_a_local_maximum),
		cmocka_unit_test(few_starts_find_the_best_of_a_dense_grid),
		cmocka_unit_test(the_limit_on_work_ends_the_search_in_time),
		cmocka_unit_test(the_same_search_gives_the_same_bits),
		cmocka_unit_test(starts_lie_apart),
		cmocka_unit_test(without_candidates_there_are_no_maxima),
		cmocka_unit_test(values_that_are_no_number_start_nothing),
		cmocka_unit_test(beside_a_category_the_float_is_climbed_to_its_maximum),
		cmocka_unit_test(on_a_lattice_the_best_configuration_of_all_is_found),
		cmocka_unit_test(a_huge_lattice_is_searched_like_a_float),
		cmocka_unit_test(given_values_are_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
