/* scheduler/segment.h. */
#include "scheduler/segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_name_and_the_way_back(void **state)
{
	static const int64_t starts[] = { 0, 1, 4096, INT64_C(1) << 53 };
	char name[SEGMENT_NAME_MAX];

	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
		int64_t start = -1;
		segment_name(starts[i], name);
		assert_true(segment_start(name, &start));
		assert_int_equal(start, starts[i]);
	}
}

static void other_names_are_no_segments(void **state)
{
	static const char *const names[] = { "output.log", "output..log", "output.12.log",
		"output.0000000000000000001x.log", "output.00000000000000000012.log~",
		"output.-0000000000000000012.log", "xoutput.00000000000000000012.log", "" };
	int64_t start;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (segment_start(names[i], &start))
			fail_msg("%s", names[i]);
}

static void two_halves_and_never_too_small(void **state)
{
	assert_true(segment_max(0) == INT64_MAX);
	assert_int_equal(segment_max(1), SEGMENT_BYTES_MIN);
	assert_int_equal(segment_max(2 * SEGMENT_BYTES_MIN), SEGMENT_BYTES_MIN);
	assert_int_equal(segment_max(1 << 20), 1 << 19);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_and_the_way_back),
		cmocka_unit_test(other_names_are_no_segments),
		cmocka_unit_test(two_halves_and_never_too_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
