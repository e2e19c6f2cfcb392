/* How many trials may share a GPU, by what earlier ones needed and took. */
#include "tuner/packing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define GIB (INT64_C(1) << 30)

static void add(
	struct packing *packing, unsigned n, int64_t together, int64_t peak_bytes, int64_t took_us)
{
	for (unsigned i = 0; i < n; i++) {
		const struct gpu_ended ended = { .outcome = OUTCOME_OK,
			.together = together,
			.memory_peak_bytes = peak_bytes,
			.took_us = took_us };
		packing_add(packing, &ended);
	}
}

static void nothing_is_packed_before_three_are_measured(void **state)
{
	struct packing packing = { 0 };
	assert_int_equal(packing_limit(&packing, 80 * GIB), 1);
	add(&packing, 2, 1, GIB, 1000);
	add(&packing, 5, 1, 0, 1000); /* too short to be sampled */
	assert_int_equal(packing_limit(&packing, 80 * GIB), 1);
	add(&packing, 1, 1, GIB, 1000);
	assert_int_equal(packing_limit(&packing, 80 * GIB), 2);
	assert_int_equal(packing_limit(&packing, 0), 1);
}

static void each_further_three_allow_one_more_up_to_the_bound(void **state)
{
	struct packing packing = { 0 };
	add(&packing, 6, 1, GIB, 1000);
	assert_int_equal(packing_limit(&packing, 80 * GIB), 3);
	add(&packing, 100, 1, GIB, 1000);
	assert_int_equal(packing_limit(&packing, 80 * GIB), PACKING_MOST);
}

static void the_largest_peak_and_a_tenth_must_fit_as_often(void **state)
{
	struct packing packing = { 0 };
	add(&packing, 30, 1, GIB, 1000);
	assert_int_equal(packing_limit(&packing, 8 * GIB), 6); /* 0.95 * 8 / 1.1 = 6.9 */
	add(&packing, 1, 2, 3 * GIB, 1000);
	assert_int_equal(packing_limit(&packing, 8 * GIB), 2);
	add(&packing, 1, 1, 4 * GIB, 1000);
	assert_int_equal(packing_limit(&packing, 8 * GIB), 1);
	assert_int_equal(packing_limit(&packing, 80 * GIB), PACKING_MOST);
}

static void what_is_slower_together_than_in_turn_is_unpacked(void **state)
{
	struct packing packing = { 0 };
	add(&packing, 12, 1, GIB, 1000);
	add(&packing, 2, 2, GIB, 2500); /* too few to tell */
	assert_true(packing_limit(&packing, 80 * GIB) > 2);
	add(&packing, 1, 2, GIB, 2500);
	assert_int_equal(packing_limit(&packing, 80 * GIB), 1);
	add(&packing, 10, 2, GIB, 1900); /* the median, not the first ones */
	assert_true(packing_limit(&packing, 80 * GIB) > 2);
	add(&packing, 3, 3, GIB, 3100);
	assert_int_equal(packing_limit(&packing, 80 * GIB), 2);
}

static void only_the_newest_times_are_kept(void **state)
{
	struct packing packing = { 0 };
	add(&packing, 5, 1, GIB, 1000);
	add(&packing, PACKING_KEPT, 2, GIB, 2500);
	assert_int_equal(packing_limit(&packing, 80 * GIB), 1);
	add(&packing, PACKING_KEPT, 2, GIB, 1500);
	assert_true(packing_limit(&packing, 80 * GIB) > 1);
}

static void three_out_of_memory_at_a_number_are_enough(void **state)
{
	const struct gpu_ended oom = {
		.outcome = OUTCOME_OOM_GPU, .together = 3, .memory_peak_bytes = 70 * GIB
	};
	struct packing packing = { 0 };
	add(&packing, 30, 1, GIB, 1000);
	packing_add(&packing, &oom);
	packing_add(&packing, &oom);
	assert_int_equal(packing_limit(&packing, 80 * GIB), PACKING_MOST); /* its peak is no need */
	packing_add(&packing, &oom);
	assert_int_equal(packing_limit(&packing, 80 * GIB), 2);
}

static void more_than_the_bound_together_are_counted_there(void **state)
{
	struct packing packing = { 0 };
	add(&packing, 3, 60, GIB, 1000);
	add(&packing, 3, 0, GIB, 1000);
	assert_int_equal(packing.n_took[PACKING_MOST], 3);
	assert_int_equal(packing.n_took[1], 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_packed_before_three_are_measured),
		cmocka_unit_test(each_further_three_allow_one_more_up_to_the_bound),
		cmocka_unit_test(the_largest_peak_and_a_tenth_must_fit_as_often),
		cmocka_unit_test(what_is_slower_together_than_in_turn_is_unpacked),
		cmocka_unit_test(only_the_newest_times_are_kept),
		cmocka_unit_test(three_out_of_memory_at_a_number_are_enough),
		cmocka_unit_test(more_than_the_bound_together_are_counted_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
