/* tuner/store_wait.h: how often somebody looks who waits. */
#include "tuner/store_wait.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* In a wait of as many microseconds, moments that are spread evenly. */
static int64_t looks_within(int64_t wait_us)
{
	int64_t looks = 0;

	for (int64_t us = 0; us < wait_us; looks++)
		us += store_wait_pause_us(us, 7919 * looks);
	return looks;
}

static void who_waits_for_one_other_looks_often(void **state)
{
	assert_in_range(looks_within(10000), 3, 20);
}

/* A look takes some 100 us of processor time: 64 that wait leave two cores to the one that works. */
static void who_waits_for_many_looks_seldom(void **state)
{
	assert_in_range(looks_within(1000000), 20, 60);
}

static void a_pause_is_never_long(void **state)
{
	for (int64_t now_us = 0; now_us < 200000; now_us += 17) {
		assert_in_range(store_wait_pause_us(0, now_us), 500, 5000);
		assert_in_range(store_wait_pause_us(10000000, now_us), 500, 60000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_waits_for_one_other_looks_often),
		cmocka_unit_test(who_waits_for_many_looks_seldom),
		cmocka_unit_test(a_pause_is_never_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
