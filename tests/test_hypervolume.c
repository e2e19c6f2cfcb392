/* What the results of a job cover together, result by result. */
#include "tuner/hypervolume.h"

#include "base/random.h"
#include "surrogate/pareto.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

enum { RESULTS = 60 };

static const struct goals four = { .n = 4,
	.items = { { (char *)"a", true }, { (char *)"b", false }, { (char *)"c", true },
		{ (char *)"d", false } } };

struct told {
	struct trial trials[RESULTS];
	struct goals goals;
};

/* The first m goals. Trials are numbered from 101. */
static void begin(struct told *told, size_t m)
{
	*told = (struct told){ .goals = four };
	told->goals.n = m;
}

static void tell(struct told *told, size_t i, const double *values)
{
	struct trial *trial = &told->trials[i];

	*trial = (struct trial){ .number = 101 + (int64_t)i, .state = TRIAL_DONE };
	trial->objective = values[0];
	trial->judgement.n_also = told->goals.n - 1;
	memcpy(trial->judgement.also, values + 1, (told->goals.n - 1) * sizeof(*values));
}

static struct hypervolume measure(struct told *told, size_t n)
{
	const struct trial_list list = { .items = told->trials, .n = n };
	struct hypervolume volume;
	struct tuner_error err;

	if (!hypervolume_measure(&told->goals, &list, &volume, &err))
		fail_msg("%s", err.message);
	assert_int_equal(volume.results, n);
	return volume;
}

static void assert_step(
	const struct hypervolume *volume, size_t i, int64_t finished, int64_t trial, double size)
{
	assert_true(i < volume->n);
	assert_int_equal(volume->steps[i].finished, finished);
	assert_int_equal(volume->steps[i].trial, trial);
	assert_float_equal(volume->steps[i].volume, size, 1e-12);
}

static void it_rises_with_each_result_that_joins_the_front(void **state)
{
	static const double values[][2] = { { 1, 10 }, { 2, 30 }, { 1.5, 40 }, { 3, 50 },
		{ 2, 30 } };
	struct told told;

	begin(&told, 2);
	for (size_t i = 0; i < 5; i++)
		tell(&told, i, values[i]);
	struct hypervolume volume = measure(&told, 5);
	assert_float_equal(volume.reference[0], 0.8, 1e-12); /* the worst of 1 to 3 */
	assert_float_equal(volume.reference[1], 54, 1e-12); /* of 50 to 10 */
	assert_int_equal(volume.n, 3);
	assert_step(&volume, 0, 1, 101, 0.2 * 44);
	assert_step(&volume, 1, 2, 102, 0.2 * 44 + 1 * 24);
	assert_step(&volume, 2, 4, 104, 0.2 * 44 + 1 * 24 + 1 * 4);
	hypervolume_finish(&volume);
}

static void where_all_are_equal_the_reference_is_worse_by_one(void **state)
{
	static const double values[][2] = { { 5, 1 }, { 5, 2 } };
	struct told told;

	begin(&told, 2);
	tell(&told, 0, values[0]);
	tell(&told, 1, values[1]);
	struct hypervolume volume = measure(&told, 2);
	assert_float_equal(volume.reference[0], 4, 0);
	assert_float_equal(volume.reference[1], 2.1, 1e-12);
	assert_int_equal(volume.n, 1);
	assert_step(&volume, 0, 1, 101, 1.1);
	hypervolume_finish(&volume);
}

static void what_is_not_finite_is_left_out(void **state)
{
	static const double values[][2] = { { INFINITY, 1 }, { 1, 2 }, { 1, -INFINITY },
		{ 1e80, 1 } };
	struct told told;

	begin(&told, 2);
	for (size_t i = 0; i < 4; i++)
		tell(&told, i, values[i]);
	struct hypervolume volume = measure(&told, 4);
	assert_int_equal(volume.left_out, 3);
	assert_int_equal(volume.n, 1);
	assert_step(&volume, 0, 2, 102, 1);
	hypervolume_finish(&volume);
	volume = measure(&told, 1);
	assert_int_equal(volume.n, 0);
	hypervolume_finish(&volume);
}

/* Exact, of the results up to one; the goals are minimised as surrogate/ has it. */
static double exact(const struct told *told, size_t n, const double *reference)
{
	const size_t m = told->goals.n;
	double outcomes[RESULTS * GOALS_MAX], signed_reference[GOALS_MAX], size = 0;
	struct tuner_error err;

	for (size_t k = 0; k < m; k++) {
		const double sign = told->goals.items[k].maximize ? -1 : 1;
		signed_reference[k] = sign * reference[k];
		for (size_t i = 0; i < n; i++)
			outcomes[i * m + k] = sign * goals_value(&told->trials[i], k);
	}
	assert_true(pareto_hypervolume(outcomes, n, m, signed_reference, &size, &err));
	return size;
}

/* Coarse values, so that many are equal, and fine ones. */
static void each_volume_is_that_of_the_results_so_far(void **state)
{
	struct random random;

	random_init(&random, (struct random_key){ .seed = 7, .purpose = RANDOM_TEST });
	for (int round = 0; round < 12; round++) {
		const size_t m = 2 + (size_t)round % 3;
		struct told told;

		begin(&told, m);
		for (size_t i = 0; i < RESULTS; i++) {
			double values[GOALS_MAX];
			for (size_t k = 0; k < m; k++)
				values[k] = round < 6 ? (double)random_below(&random, 5)
						      : random_uniform(&random);
			tell(&told, i, values);
		}
		struct hypervolume volume = measure(&told, RESULTS);
		size_t step = 0;
		for (size_t n = 1; n <= RESULTS; n++) {
			const double wanted = exact(&told, n, volume.reference);
			step += step < volume.n && volume.steps[step].finished == (int64_t)n;
			assert_true(step > 0);
			assert_float_equal(volume.steps[step - 1].volume / wanted, 1, 1e-12);
		}
		assert_int_equal(step, volume.n);
		hypervolume_finish(&volume);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_rises_with_each_result_that_joins_the_front),
		cmocka_unit_test(where_all_are_equal_the_reference_is_worse_by_one),
		cmocka_unit_test(what_is_not_finite_is_left_out),
		cmocka_unit_test(each_volume_is_that_of_the_results_so_far),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
