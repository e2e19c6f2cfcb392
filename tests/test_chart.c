/* tuner/chart.h: what is drawn, where, and that it is well-formed. */
#include "tuner/chart.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void ticks_are_round(void **state)
{
	double ticks[CHART_TICKS_MAX];
	assert_int_equal(chart_ticks(0, 10, ticks), 6);
	assert_true(ticks[1] == 2 && ticks[5] == 10);
	assert_int_equal(chart_ticks(-0.31, 0.29, ticks), 6);
	assert_true(fabs(ticks[0] + 0.3) < 1e-12 && fabs(ticks[5] - 0.2) < 1e-12);
	assert_int_equal(chart_ticks(1, 1, ticks), 0);
	assert_int_equal(chart_ticks(0, INFINITY, ticks), 0);
	for (double width = 1e-9; width < 1e12; width *= 1.7) {
		const size_t n = chart_ticks(3 * width, 4 * width, ticks);
		assert_in_range(n, 3, CHART_TICKS_MAX - 1);
		for (size_t i = 0; i < n; i++)
			assert_true(ticks[i] >= 3 * width * (1 - 1e-9) &&
				    ticks[i] <= 4 * width * (1 + 1e-9));
	}
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;
	for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
		n++;
	return n;
}

static void lines_bands_and_points_are_drawn(void **state)
{
	static const double x[] = { 1, 2, 3 }, y[] = { 3, 2, 1 }, low[] = { 2, 1, -INFINITY },
			    high[] = { 4, 3, INFINITY };
	const struct chart_series series[] = {
		{ .name = "a & b", .n = 3, .x = x, .y = y, .low = low, .high = high },
		{ .n = 3, .x = x, .y = y, .points = true },
	};
	const struct chart chart = {
		.title = "<t>", .x_label = "x", .y_label = "y", .series = series, .n_series = 2
	};
	struct text svg = TEXT_EMPTY;
	chart_svg(&chart, &svg);
	assert_int_equal(count(svg.bytes, "<circle"), 3);
	assert_int_equal(count(svg.bytes, "fill-opacity=\"0.18\""), 1);
	assert_non_null(strstr(svg.bytes, "a &amp; b"));
	assert_non_null(strstr(svg.bytes, "&lt;t&gt;"));
	assert_null(strstr(svg.bytes, "nan"));
	assert_null(strstr(svg.bytes, "inf"));
	assert_int_equal(count(svg.bytes, "<g"), count(svg.bytes, "</g>"));
	text_finish(&svg);
}

/* Greater is higher up, further is more to the right. */
static void points_lie_where_they_belong(void **state)
{
	static const double x[] = { 0, 1 }, y[] = { 0, 1 };
	const struct chart_series series = { .n = 2, .x = x, .y = y, .points = true };
	const struct chart chart = {
		.title = "", .x_label = "", .y_label = "", .series = &series, .n_series = 1
	};
	struct text svg = TEXT_EMPTY;
	double at[4];
	chart_svg(&chart, &svg);
	const char *first = strstr(svg.bytes, "<circle");
	assert_int_equal(sscanf(first, "<circle cx=\"%lf\" cy=\"%lf\"", &at[0], &at[1]), 2);
	assert_int_equal(sscanf(strstr(first + 1, "<circle"), "<circle cx=\"%lf\" cy=\"%lf\"",
				 &at[2], &at[3]),
		2);
	assert_true(at[2] > at[0] + 400 && at[3] < at[1] - 200);
	text_finish(&svg);
}

static void what_is_not_there_is_not_drawn(void **state)
{
	static const double x[] = { 1, 2, 3, 4 }, y[] = { 1, NAN, 3, 4 };
	const struct chart_series gap = { .n = 4, .x = x, .y = y };
	struct chart chart = {
		.title = "", .x_label = "", .y_label = "", .series = &gap, .n_series = 1
	};
	struct text svg = TEXT_EMPTY;
	chart_svg(&chart, &svg);
	const char *path = strstr(svg.bytes, "stroke-width=\"2\" d=\"");
	assert_non_null(path);
	assert_int_equal(count(path, "M"), 2); /* the line begins anew behind the gap */
	text_clear(&svg);
	chart.n_series = 0;
	chart_svg(&chart, &svg);
	assert_non_null(strstr(svg.bytes, "nothing to show yet"));
	text_finish(&svg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_are_round),
		cmocka_unit_test(lines_bands_and_points_are_drawn),
		cmocka_unit_test(points_lie_where_they_belong),
		cmocka_unit_test(what_is_not_there_is_not_drawn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
