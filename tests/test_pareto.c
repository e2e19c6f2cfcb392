/* surrogate/pareto.h: fronts and hypervolumes of several objectives. */
#include "surrogate/pareto.h"

#include "base/random.h"
#include "fixture_suggest.h"

enum { M_MAX = PARETO_OBJECTIVES_MAX, N = 60 };

static double volume(const double *outcomes, size_t n, size_t m, const double *reference)
{
	struct tuner_error err;
	double ret;

	if (!pareto_hypervolume(outcomes, n, m, reference, &ret, &err))
		fail_msg("%s", err.message);
	return ret;
}

static struct random stream(uint64_t seed)
{
	struct random random;

	random_init(&random, (struct random_key){ .seed = seed, .purpose = RANDOM_TEST });
	return random;
}

/* On a lattice of `steps`, so that many are equal in an objective, and some in all. */
static void draw(struct random *random, size_t steps, size_t n, double *ret)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = (double)random_below(random, steps);
}

/* ---- the front ---- */

static void of_two_objectives_the_front_is_what_none_surpasses(void **state)
{
	const double outcomes[] = { 1, 4, /**/ 2, 2, /**/ 4, 1, /**/ 3, 3, /**/ 1, 5, /**/ 4, 4 };
	const bool wanted[] = { true, true, true, false, false, false };
	bool on[6];

	pareto_front(outcomes, 6, 2, on);
	assert_memory_equal(on, wanted, sizeof on);
}

static void equal_trials_are_on_the_front_together(void **state)
{
	const double outcomes[] = { 1, 2, /**/ 1, 2, /**/ 2, 2, /**/ 2, 1 };
	const bool wanted[] = { true, true, false, true };
	bool on[4];

	pareto_front(outcomes, 4, 2, on);
	assert_memory_equal(on, wanted, sizeof on);
}

static void what_is_not_known_is_never_on_the_front_and_surpasses_none(void **state)
{
	const double outcomes[] = { -9, NAN, /**/ NAN, -9, /**/ NAN, NAN, /**/ 5, 5, /**/ 6, 6 };
	const bool wanted[] = { false, false, false, true, false };
	bool on[5];

	pareto_front(outcomes, 5, 2, on);
	assert_memory_equal(on, wanted, sizeof on);
	assert_false(pareto_is_known(&outcomes[0], 2));
	assert_true(pareto_is_known(&outcomes[6], 2));
}

static void infinite_values_are_compared_like_others(void **state)
{
	const double outcomes[] = { 1, INFINITY, /**/ 2, INFINITY, /**/ 3, 0, /**/ 9, -INFINITY };
	const bool wanted[] = { true, false, true, true };
	bool on[4];

	pareto_front(outcomes, 4, 2, on);
	assert_memory_equal(on, wanted, sizeof on);
}

static void with_one_objective_the_front_is_the_best(void **state)
{
	const double outcomes[] = { 3, 1, 2, 1 };
	const bool wanted[] = { false, true, false, true };
	bool on[4];

	pareto_front(outcomes, 4, 1, on);
	assert_memory_equal(on, wanted, sizeof on);
	pareto_front(outcomes, 0, 1, on);
}

static bool is_surpassed(const double *outcomes, size_t n, size_t m, size_t i)
{
	for (size_t j = 0; j < n; j++) {
		size_t no_worse = 0, better = 0;

		for (size_t k = 0; k < m; k++) {
			no_worse += outcomes[j * m + k] <= outcomes[i * m + k];
			better += outcomes[j * m + k] < outcomes[i * m + k];
		}
		if (no_worse == m && better > 0)
			return true;
	}
	return false;
}

static void the_front_is_that_of_its_definition(void **state)
{
	struct random random = stream(1);
	double outcomes[N * M_MAX];
	bool on[N];

	for (size_t round = 0; round < 200; round++) {
		const size_t m = 1 + round % M_MAX;

		draw(&random, 3 + round % 9, N * m, outcomes);
		pareto_front(outcomes, N, m, on);
		for (size_t i = 0; i < N; i++)
			assert_int_equal(on[i], !is_surpassed(outcomes, N, m, i));
	}
}

static bool has_row(const double *rows, size_t n, size_t m, const double *row)
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(&rows[i * m], row, m * sizeof *row) == 0)
			return true;
	return false;
}

/* Some rows with a NaN, some infinite. */
static void what_is_kept_in_place_is_the_front_without_doubles(void **state)
{
	struct random random = stream(2);
	double outcomes[N * M_MAX], kept[N * M_MAX];
	bool on[N];

	for (size_t round = 0; round < 200; round++) {
		const size_t m = 1 + round % M_MAX;
		size_t different = 0;

		draw(&random, 3 + round % 9, N * m, outcomes);
		outcomes[random_below(&random, N * m)] = NAN;
		outcomes[random_below(&random, N * m)] = INFINITY;
		outcomes[random_below(&random, N * m)] = -INFINITY;
		memcpy(kept, outcomes, N * m * sizeof *kept);
		pareto_front(outcomes, N, m, on);
		const size_t n = pareto_keep_front(kept, N, m);
		for (size_t i = 0; i < N; i++) {
			if (!on[i])
				continue;
			assert_true(has_row(kept, n, m, &outcomes[i * m]));
			different += !has_row(outcomes, i, m, &outcomes[i * m]);
		}
		assert_int_equal(n, different);
	}
	assert_int_equal(pareto_keep_front(kept, 0, 2), 0);
}

/* ---- the hypervolume ---- */

static void hypervolumes_by_hand(void **state)
{
	const double line[] = { 3, 1, 2 }, ten[] = { 10, 10, 10, 10 };
	const double plane[] = { 1, 4, /**/ 2, 2, /**/ 4, 1 };
	const double corner[] = { 1, 2, 3, 4 }, two[] = { 0, 9, 9, 9, /**/ 9, 0, 9, 9 };

	assert_true(volume(line, 3, 1, ten) == 9);
	/* 6 beside the first, 8 over the second beyond it, 1 over the third. */
	assert_true(volume(plane, 3, 2, ten) == 9 * 6 + 8 * 2 + 6 * 1);
	assert_true(volume(plane, 3, 2, (double[]){ 3, 3 }) == 1);
	assert_true(volume(corner, 1, 3, ten) == 9 * 8 * 7);
	assert_true(volume(corner, 1, 4, ten) == 9 * 8 * 7 * 6);
	assert_true(volume(two, 2, 4, ten) == 10 + 10 - 1);
	assert_true(volume(two, 0, 2, ten) == 0);
}

static void what_is_not_better_than_the_reference_adds_nothing(void **state)
{
	const double outcomes[] = { 1, 2, /**/ 2, 0, /**/ 0, 3, /**/ NAN, 0, /**/ 0, INFINITY };
	const double reference[] = { 2, 3 };

	assert_true(volume(outcomes, 5, 2, reference) == 1);
	assert_true(volume(&outcomes[2], 4, 2, reference) == 0);
}

static void an_infinitely_good_value_makes_it_infinite(void **state)
{
	const double outcomes[] = { 1, -INFINITY, 1, 1, /**/ 0, 0, 0, 0 };
	const double reference[] = { 2, 2, 2, 2 }, flat[] = { 1, 2 };

	for (size_t m = 2; m <= 4; m++)
		assert_true(volume(outcomes, 1, m, reference) == INFINITY);
	assert_true(volume(outcomes, 1, 2, flat) == 0);
	const double both[] = { -INFINITY, 1, 0, 0, /**/ -INFINITY, 0, 1, 1 };

	for (size_t m = 2; m <= 4; m++)
		assert_true(volume(both, 8 / m, m, reference) == INFINITY);
}

static void volumes_too_large_for_a_number_are_infinite(void **state)
{
	const double outcomes[] = { -1e308, 0, 0, 0, /**/ 0, -1e308, 0, 0 };
	const double reference[] = { 1e308, 1e308, 1e308, 1e308 };

	for (size_t m = 2; m <= 4; m++)
		assert_true(volume(outcomes, 8 / m, m, reference) == INFINITY);
}

static void a_reference_that_is_not_finite_is_an_error(void **state)
{
	const double outcomes[] = { 1, 1, 1, 1, 1 }, bad[][2] = { { 2, NAN }, { INFINITY, 2 } };
	struct tuner_error err;
	double ret;

	for (size_t i = 0; i < 2; i++) {
		assert_false(pareto_hypervolume(outcomes, 1, 2, bad[i], &ret, &err));
		assert_int_equal(err.code, TUNER_USAGE);
	}
	assert_false(pareto_hypervolume(outcomes, 1, 5, outcomes, &ret, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	assert_false(pareto_hypervolume(outcomes, 1, 0, outcomes, &ret, &err));
	assert_int_equal(err.code, TUNER_USAGE);
}

/* The cells of a lattice that one of the outcomes equals or surpasses, below (steps, steps, ...). */
static double count_cells(const double *outcomes, size_t n, size_t m, size_t steps)
{
	size_t cells = 1, count = 0;

	for (size_t k = 0; k < m; k++)
		cells *= steps;
	for (size_t cell = 0; cell < cells; cell++) {
		bool covered = false;

		for (size_t i = 0; i < n && !covered; i++) {
			size_t rest = cell, no_worse = 0;

			for (size_t k = 0; k < m; k++, rest /= steps)
				no_worse += outcomes[i * m + k] <= (double)(rest % steps);
			covered = no_worse == m;
		}
		count += covered;
	}
	return (double)count;
}

static void the_hypervolume_is_the_number_of_cells(void **state)
{
	struct random random = stream(2);
	double outcomes[N * M_MAX];

	for (size_t round = 0; round < 400; round++) {
		const size_t m = 1 + round % M_MAX, steps = 2 + round % 6, n = round % 25;
		double reference[M_MAX];

		for (size_t k = 0; k < m; k++)
			reference[k] = (double)steps;
		draw(&random, steps + 2, n * m, outcomes);
		assert_true(
			volume(outcomes, n, m, reference) == count_cells(outcomes, n, m, steps));
	}
}

/* The volume of a union of boxes by inclusion and exclusion over all subsets. */
static double include_and_exclude(
	const double *outcomes, size_t n, size_t m, const double *reference)
{
	double sum = 0;

	for (size_t subset = 1; subset < (size_t)1 << n; subset++) {
		double size = -1;

		for (size_t i = 0; i < n; i++)
			size = subset >> i & 1 ? -size : size;
		for (size_t k = 0; k < m; k++) {
			double most = -INFINITY;

			for (size_t i = 0; i < n; i++)
				if (subset >> i & 1)
					most = fmax(most, outcomes[i * m + k]);
			size *= fmax(0, reference[k] - most);
		}
		sum += size;
	}
	return sum;
}

static void the_hypervolume_is_that_of_a_union_of_boxes(void **state)
{
	const double reference[] = { 0.9, 1.1, 0.7, 1 };
	struct random random = stream(3);
	double outcomes[10 * M_MAX];

	for (size_t round = 0; round < 200; round++) {
		const size_t m = 1 + round % M_MAX, n = round % 10;

		for (size_t i = 0; i < n * m; i++)
			outcomes[i] = random_uniform(&random);
		assert_near(volume(outcomes, n, m, reference),
			include_and_exclude(outcomes, n, m, reference), 1e-12);
	}
}

/* Neither the order of trials, nor of objectives, nor what is surpassed. */
static void the_hypervolume_is_that_of_the_front_alone(void **state)
{
	const double reference[] = { 1, 1, 1, 1 };
	double outcomes[N * M_MAX], other[N * M_MAX];
	struct random random = stream(4);
	bool on[N];

	for (size_t m = 1; m <= M_MAX; m++) {
		size_t n = 0;

		for (size_t i = 0; i < N * m; i++)
			outcomes[i] = random_uniform(&random);
		pareto_front(outcomes, N, m, on);
		for (size_t i = N; i-- > 0;)
			if (on[i]) {
				for (size_t k = 0; k < m; k++)
					other[n * m + k] = outcomes[i * m + m - 1 - k];
				n++;
			}
		assert_near(
			volume(outcomes, N, m, reference), volume(other, n, m, reference), 1e-13);
	}
}

/* On the plane where the four sum to 2, above which lies half of the cube. */
static void a_front_of_many_is_measured(void **state)
{
	enum { MANY = 600 };
	const double reference[] = { 1, 1, 1, 1 };
	struct random random = stream(5);
	double *outcomes = calloc(MANY * M_MAX, sizeof *outcomes), last = 0;
	bool *on = calloc(MANY, sizeof *on);

	for (size_t i = 0; i < MANY * M_MAX; i += M_MAX) {
		double sum = 0;

		for (size_t k = 0; k < M_MAX; k++)
			sum += outcomes[i + k] = random_uniform(&random);
		for (size_t k = 0; k < M_MAX; k++)
			outcomes[i + k] *= 2 / sum;
	}
	pareto_front(outcomes, MANY, M_MAX, on);
	for (size_t n = 1; n <= MANY; n += 1 + n / 2) {
		const double all = volume(outcomes, n, M_MAX, reference);

		assert_true(on[n - 1]);
		assert_true(all >= last && all < 0.5);
		last = all;
	}
	assert_true(last > 0.3);
	free(outcomes);
	free(on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_two_objectives_the_front_is_what_none_surpasses),
		cmocka_unit_test(equal_trials_are_on_the_front_together),
		cmocka_unit_test(what_is_not_known_is_never_on_the_front_and_surpasses_none),
		cmocka_unit_test(infinite_values_are_compared_like_others),
		cmocka_unit_test(with_one_objective_the_front_is_the_best),
		cmocka_unit_test(the_front_is_that_of_its_definition),
		cmocka_unit_test(what_is_kept_in_place_is_the_front_without_doubles),
		cmocka_unit_test(hypervolumes_by_hand),
		cmocka_unit_test(what_is_not_better_than_the_reference_adds_nothing),
		cmocka_unit_test(an_infinitely_good_value_makes_it_infinite),
		cmocka_unit_test(volumes_too_large_for_a_number_are_infinite),
		cmocka_unit_test(a_reference_that_is_not_finite_is_an_error),
		cmocka_unit_test(the_hypervolume_is_the_number_of_cells),
		cmocka_unit_test(the_hypervolume_is_that_of_a_union_of_boxes),
		cmocka_unit_test(the_hypervolume_is_that_of_the_front_alone),
		cmocka_unit_test(a_front_of_many_is_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
