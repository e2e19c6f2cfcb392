#include "tuner/sparkline.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define SPARKLINE(expected, places, ...)                                                           \
	do {                                                                                       \
		const double values[] = { __VA_ARGS__ };                                           \
		struct text text = TEXT_EMPTY;                                                     \
		text_add_sparkline(&text, values, sizeof(values) / sizeof(*values), places);       \
		assert_string_equal(text.bytes, expected);                                         \
		text_finish(&text);                                                                \
	} while (0)

static void the_lowest_is_a_line_and_the_highest_a_block(void **state)
{
	SPARKLINE("▁▂▃▄▅▆▇█", 8, 0, 1, 2, 3, 4, 5, 6, 7);
	SPARKLINE("█▁", 8, 3, -3);
	SPARKLINE("▁▄█", 8, 0, 0.49, 1);
}

static void equal_values_are_flat(void **state)
{
	SPARKLINE("▁▁▁", 8, 2, 2, 2);
	SPARKLINE("▁", 8, 2);
}

static void what_is_not_finite_leaves_a_gap_and_sets_no_scale(void **state)
{
	SPARKLINE("▁ █ ", 8, 0, NAN, 1, INFINITY);
	SPARKLINE("  ", 8, NAN, -INFINITY);
}

static void many_values_share_places_and_each_shows_its_last(void **state)
{
	SPARKLINE("▁█", 2, 5, 0, 5, 10);
	SPARKLINE("▁█", 2, 0, NAN, 10, NAN); /* the last that is finite */
}

static void the_widest_range_of_doubles_is_no_overflow(void **state)
{
	SPARKLINE("▁▅█", 8, -DBL_MAX, 0, DBL_MAX);
}

static void nothing_gives_nothing(void **state)
{
	struct text text = TEXT_EMPTY;
	text_add_sparkline(&text, NULL, 0, 8);
	assert_string_equal(text.bytes, "");
}

static void bar_is(double part, size_t places, const char *wanted)
{
	struct text text = TEXT_EMPTY;
	text_add_bar(&text, part, places);
	assert_string_equal(text.bytes, wanted);
	text_finish(&text);
}

static void a_bar_is_as_long_as_its_part_to_an_eighth(void **state)
{
	bar_is(0, 4, "");
	bar_is(1, 4, "████");
	bar_is(.5, 3, "█▌");
	bar_is(1. / 32, 4, "▏");
	bar_is(1. / 65, 4, ""); /* less than half an eighth */
	bar_is(31. / 32, 4, "███▉");
}

static void a_bar_stays_in_its_places(void **state)
{
	bar_is(7, 2, "██");
	bar_is(-1, 2, "");
	bar_is(NAN, 2, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_is_a_line_and_the_highest_a_block),
		cmocka_unit_test(equal_values_are_flat),
		cmocka_unit_test(what_is_not_finite_leaves_a_gap_and_sets_no_scale),
		cmocka_unit_test(many_values_share_places_and_each_shows_its_last),
		cmocka_unit_test(the_widest_range_of_doubles_is_no_overflow),
		cmocka_unit_test(nothing_gives_nothing),
		cmocka_unit_test(a_bar_is_as_long_as_its_part_to_an_eighth),
		cmocka_unit_test(a_bar_stays_in_its_places),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
