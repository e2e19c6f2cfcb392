/* surrogate/feasibility.h: the probability that a trial gives a value. */
#include "surrogate/feasibility.h"

#include "tests/fixture_margin.h"

struct fixture {
	double X[N * D], stars[M * D];
	bool valued[N];
	struct margin *feasibility;
	uint64_t work;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct random random = stream(3);

	draw_points(&random, N, f->X);
	draw_points(&random, M, f->stars);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	margin_destroy(f->feasibility);
	free(f);
	return 0;
}

/* Where it fails: the distance to the edge, positive inside. */
static double room(const double *x)
{
	return 1.2 - x[0] - x[1] + (x[2] == 1 ? 0.3 : 0);
}

static void make(struct fixture *f, const double *counts)
{
	const struct feasibility_data data = { N, D, kinds, f->X, f->valued, counts };
	struct tuner_error err;

	assert_ok(feasibility_create(&data, 0, &f->feasibility, &f->work, &err), &err);
}

static void make_corner(struct fixture *f)
{
	for (size_t i = 0; i < N; i++)
		f->valued[i] = room(&f->X[i * D]) > 0;
	make(f, NULL);
}

static void make_chance(struct fixture *f)
{
	struct random random = stream(6);

	for (size_t i = 0; i < N; i++)
		f->valued[i] = random_uniform(&random) > 0.25;
	make(f, NULL);
}

static void log_probabilities(struct fixture *f, const double *X, size_t m, double *ret)
{
	struct tuner_error err;

	memset(ret, 0, m * sizeof *ret);
	assert_ok(margin_add(f->feasibility, X, m, ret, &err), &err);
}

static void three_failures_and_a_tenth_of_the_trials_call_for_it(void **state)
{
	assert_false(feasibility_is_due(0, 0));
	assert_false(feasibility_is_due(2, 2));
	assert_true(feasibility_is_due(3, 3));
	assert_true(feasibility_is_due(3, 30));
	assert_false(feasibility_is_due(3, 31));
	assert_true(feasibility_is_due(100, 1000));
}

static void the_edge_is_learnt(void **state)
{
	struct fixture *f = *state;
	double log_p[M];

	make_corner(f);
	assert_true(f->work > 0);
	log_probabilities(f, f->stars, M, log_p);
	for (size_t i = 0; i < M; i++) {
		const double inside = room(&f->stars[i * D]);

		assert_true(log_p[i] <= 0);
		if (inside > 0.25 || inside < -0.25)
			assert_true((exp(log_p[i]) > 0.5) == (inside > 0));
	}
}

/* The probability is everywhere near the share of those that do not. */
static void what_fails_by_chance_fails_everywhere_alike(void **state)
{
	struct fixture *f = *state;
	double log_p[M], sum = 0;

	make_chance(f);
	log_probabilities(f, f->stars, M, log_p);
	for (size_t i = 0; i < M; i++)
		sum += exp(log_p[i]) / M;
	assert_near(sum, 0.75, 0.1);
}

static size_t count_foretold(struct fixture *f, size_t *ret_failed)
{
	bool foretold[N];
	size_t n = 0;
	struct tuner_error err;

	*ret_failed = 0;
	assert_ok(feasibility_foretold(f->feasibility, foretold, &err), &err);
	for (size_t i = 0; i < N; i++) {
		assert_false(foretold[i] && f->valued[i]);
		*ret_failed += !f->valued[i];
		n += foretold[i];
	}
	return n;
}

static void failures_are_foretold_by_the_others_or_not(void **state)
{
	struct fixture *f = *state;
	size_t failed;

	make_corner(f);
	assert_true(4 * count_foretold(f, &failed) >= 3 * failed);
	margin_destroy(f->feasibility);
	make_chance(f);
	assert_true(4 * count_foretold(f, &failed) <= failed);
}

/* A row that holds two trials says what two rows do. */
static void counted_rows_are_repeats(void **state)
{
	struct fixture *f = *state;
	double counts[N], counted[M], repeated[M];

	for (size_t i = 0; i < N; i++) {
		f->valued[i] = room(&f->X[i * D]) > 0;
		counts[i] = i < N / 2 ? 2 : 1;
	}

	const struct feasibility_data half = { N / 2, D, kinds, f->X, f->valued, counts };
	struct tuner_error err;

	assert_ok(feasibility_create(&half, 0, &f->feasibility, &f->work, &err), &err);
	log_probabilities(f, f->stars, M, counted);
	margin_destroy(f->feasibility);
	memcpy(&f->X[N / 2 * D], f->X, N / 2 * D * sizeof *f->X);
	memcpy(&f->valued[N / 2], f->valued, N / 2 * sizeof *f->valued);
	make(f, NULL);
	log_probabilities(f, f->stars, M, repeated);
	for (size_t i = 0; i < M; i++)
		assert_near(exp(counted[i]), exp(repeated[i]), 1e-3);
}

#define WITH_POINTS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_failures_and_a_tenth_of_the_trials_call_for_it),
		WITH_POINTS(the_edge_is_learnt),
		WITH_POINTS(what_fails_by_chance_fails_everywhere_alike),
		WITH_POINTS(failures_are_foretold_by_the_others_or_not),
		WITH_POINTS(counted_rows_are_repeats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
