/* surrogate/subset.h: which trials the model is made of when there are too many. */
#include "surrogate/subset.h"

#include "base/random.h"
#include "fixture_suggest.h"

enum { N_MAX = 400, D = 2 };

static const enum dimension_kind NUMERIC[] = { DIMENSION_NUMERIC, DIMENSION_NUMERIC };
static const enum dimension_kind MIXED[] = { DIMENSION_NUMERIC, DIMENSION_CATEGORY };
static const double UNIT[] = { 1, 1 };

struct fixture {
	double X[N_MAX * D], outcomes[N_MAX];
	struct subset_data data;
	bool chosen[N_MAX];
	size_t rows[N_MAX], n;
};

static void set_up(struct fixture *f, size_t n)
{
	struct random random;

	memset(f, 0, sizeof *f);
	random_init(&random, (struct random_key){ .seed = 3, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < n * D; i++)
		f->X[i] = random_uniform(&random);
	for (size_t i = 0; i < n; i++)
		f->outcomes[i] = random_uniform(&random);
	f->data = (struct subset_data){ n, D, f->X, NUMERIC, UNIT, f->outcomes };
}

static void choose(struct fixture *f, size_t most)
{
	struct tuner_error err;

	if (!subset_choose(&f->data, most, f->rows, &f->n, &err))
		fail_msg("%s", err.message);
	assert_int_equal(f->n, most < f->data.n ? most : f->data.n);
	memset(f->chosen, 0, sizeof f->chosen);
	for (size_t i = 0; i < f->n; i++) {
		assert_true(f->rows[i] < f->data.n);
		assert_true(i == 0 || f->rows[i] > f->rows[i - 1]);
		f->chosen[f->rows[i]] = true;
	}
}

static double distance(const struct fixture *f, size_t i, size_t j)
{
	return hypot((f->X[i * D] - f->X[j * D]) / f->data.lengthscales[0],
		(f->X[i * D + 1] - f->X[j * D + 1]) / f->data.lengthscales[1]);
}

static size_t best_row(const struct fixture *f)
{
	size_t best = 0;

	for (size_t i = 1; i < f->data.n; i++)
		if (f->outcomes[i] < f->outcomes[best])
			best = i;
	return best;
}

/* Rows with a smaller outcome. */
static size_t rank_by_outcome(const struct fixture *f, size_t row)
{
	size_t rank = 0;

	for (size_t i = 0; i < f->data.n; i++)
		rank += f->outcomes[i] < f->outcomes[row];
	return rank;
}

static void if_there_are_no_more_all_are_chosen(void **state)
{
	struct fixture f;

	set_up(&f, 100);
	choose(&f, 100);
	choose(&f, 300);
	set_up(&f, 0);
	choose(&f, 10);
	set_up(&f, 1);
	choose(&f, 1);
}

static void the_best_quarter_is_among_them(void **state)
{
	struct fixture f;

	set_up(&f, N_MAX);
	choose(&f, 100);
	for (size_t i = 0; i < N_MAX; i++)
		assert_true(f.chosen[i] || rank_by_outcome(&f, i) >= 25);
}

/* The half that lies around the best: beyond its radius a row is chosen by outcome or to cover. */
static void the_neighbours_of_the_best_are_among_them(void **state)
{
	struct fixture f;

	set_up(&f, N_MAX);
	f.data.lengthscales = (const double[]){ 0.2, 3 };
	choose(&f, 100);

	const size_t best = best_row(&f);
	size_t nearer = 0;

	/* The first one left out, going outwards, is the 51st or later. */
	double radius = INFINITY;

	for (size_t i = 0; i < N_MAX; i++)
		if (!f.chosen[i])
			radius = fmin(radius, distance(&f, i, best));
	for (size_t i = 0; i < N_MAX; i++)
		nearer += distance(&f, i, best) < radius;
	assert_true(nearer >= 50);
}

/* A corner far from everything has no good outcome and no near neighbour; it is there to be covered. */
static void the_rest_covers_the_space(void **state)
{
	struct fixture f;
	double covered = 0;

	set_up(&f, N_MAX);
	choose(&f, 100);
	for (size_t i = 0; i < N_MAX; i++) {
		double nearest = INFINITY;

		for (size_t j = 0; j < f.n; j++)
			nearest = fmin(nearest, distance(&f, i, f.rows[j]));
		covered = fmax(covered, nearest);
	}
	/* 25 points in the best of all places would leave 0.14; greedy choice is within twice. */
	assert_true(covered < 0.2);
}

/* Of so many not each is looked at, but the space is covered, and what is best is not missed. */
static void so_it_does_where_not_every_row_is_looked_at(void **state)
{
	enum { N = SUBSET_COVERED + 1000 };
	static double X[N * D], outcomes[N];
	static size_t rows[200];
	const struct subset_data data = { N, D, X, NUMERIC, UNIT, outcomes };
	struct random random;
	struct tuner_error err;
	size_t n = 0, best = 0, good = 0;
	double covered = 0;

	random_init(&random, (struct random_key){ .seed = 4, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < N; i++) {
		X[i * D] = random_uniform(&random);
		X[i * D + 1] = random_uniform(&random);
		outcomes[i] = (double)((i * 7919) % N); /* each once */
	}
	assert_true(subset_choose(&data, 200, rows, &n, &err));
	assert_int_equal(n, 200);
	for (size_t i = 0; i < N; i++) {
		double nearest = INFINITY;

		for (size_t j = 0; j < n; j++)
			nearest = fmin(nearest, hypot(X[i * D] - X[rows[j] * D],
							X[i * D + 1] - X[rows[j] * D + 1]));
		covered = fmax(covered, nearest);
	}
	for (size_t j = 0; j < n; j++) {
		assert_true(j == 0 || rows[j] > rows[j - 1]);
		good += outcomes[rows[j]] < 50;
		best += outcomes[rows[j]] == 0;
	}
	assert_int_equal(best, 1);
	assert_int_equal(good, 50);
	/* 50 points in the best of all places would leave 0.1. */
	assert_true(covered < 0.2);
}

static void categories_differ_by_one_lengthscale_whatever_their_codes(void **state)
{
	struct fixture f, g;

	set_up(&f, N_MAX);
	f.data.kinds = MIXED;
	for (size_t i = 0; i < N_MAX; i++)
		f.X[i * D + 1] = floor(4 * f.X[i * D + 1]);
	g = f;
	g.data.X = g.X;
	g.data.outcomes = g.outcomes;
	for (size_t i = 0; i < N_MAX; i++)
		g.X[i * D + 1] = 100 - 7 * g.X[i * D + 1];
	choose(&f, 60);
	choose(&g, 60);
	assert_memory_equal(f.rows, g.rows, f.n * sizeof *f.rows);
}

static void equal_claims_go_to_the_earlier_row(void **state)
{
	struct fixture f;

	set_up(&f, 100);
	memset(f.X, 0, sizeof f.X);
	memset(f.outcomes, 0, sizeof f.outcomes);
	choose(&f, 40);
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(f.rows[i], i);
}

static void any_number_can_be_chosen(void **state)
{
	struct fixture f;

	set_up(&f, 50);
	for (size_t most = 1; most <= 50; most++)
		choose(&f, most);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(if_there_are_no_more_all_are_chosen),
		cmocka_unit_test(the_best_quarter_is_among_them),
		cmocka_unit_test(the_neighbours_of_the_best_are_among_them),
		cmocka_unit_test(the_rest_covers_the_space),
		cmocka_unit_test(so_it_does_where_not_every_row_is_looked_at),
		cmocka_unit_test(categories_differ_by_one_lengthscale_whatever_their_codes),
		cmocka_unit_test(equal_claims_go_to_the_earlier_row),
		cmocka_unit_test(any_number_can_be_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
