/* tuner/chart.h: what is drawn, where, and that it is well-formed. */
#include "tuner/chart.h"

#include "tuner/parallel.h"

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

/* Their distance is infinite. */
static void values_at_the_ends_of_all_doubles_are_left_out(void **state)
{
	static const double x[] = { 1, 2, 3, 4 }, y[] = { 1.7e308, -1.7e308, 3, 4 };
	const struct chart_series wide = { .n = 4, .x = x, .y = y };
	const struct chart chart = {
		.title = "", .x_label = "", .y_label = "", .series = &wide, .n_series = 1
	};
	struct text svg = TEXT_EMPTY;
	chart_svg(&chart, &svg);
	assert_null(strstr(svg.bytes, "nan"));
	assert_null(strstr(svg.bytes, "inf"));
	text_finish(&svg);
}

static void draw_two(double a, double b, struct text *ret)
{
	const double x[] = { 1, 2 }, y[] = { a, b };
	const struct chart_series line = { .n = 2, .x = x, .y = y };
	const struct chart chart = {
		.title = "", .x_label = "", .y_label = "", .series = &line, .n_series = 1
	};
	text_clear(ret);
	chart_svg(&chart, ret);
	assert_null(strstr(ret->bytes, "nan"));
	assert_null(strstr(ret->bytes, "inf"));
}

static void neighbouring_ticks_have_other_labels(void **state)
{
	struct text svg = TEXT_EMPTY;

	draw_two(1234567, 1234575, &svg);
	assert_int_equal(count(svg.bytes, ">1234570<"), 1);
	assert_int_equal(count(svg.bytes, ">1234572<"), 1);
	draw_two(0, 6e-14, &svg);
	assert_int_equal(count(svg.bytes, ">0<"), 1);
	assert_int_equal(count(svg.bytes, ">2e-14<"), 1);
	draw_two(-0.3, 0.3, &svg); /* three times 0.1 less 0.3 is 5.6e-17 */
	assert_int_equal(count(svg.bytes, ">0<"), 1);
	draw_two(0, 5e-324, &svg);
	draw_two(5e-324, 5e-324, &svg);
	draw_two(1e9, 1e9 + 2e-7, &svg); /* a bit apart: no ten ticks of one label */
	assert_in_range(count(svg.bytes, ">1000000000<"), 0, 2);
	text_finish(&svg);
}

static void log_ticks_are_powers(void **state)
{
	double ticks[CHART_TICKS_MAX];
	assert_int_equal(chart_log_ticks(1e-5, 1e-1, ticks), 5);
	assert_true(fabs(ticks[0] / 1e-5 - 1) < 1e-12 && fabs(ticks[4] / 0.1 - 1) < 1e-12);
	assert_int_equal(chart_log_ticks(1, 20, ticks), 5); /* 1 2 5 10 20 */
	assert_true(ticks[2] == 5 && ticks[4] == 20);
	assert_int_equal(chart_log_ticks(10, 20, ticks), chart_ticks(10, 20, ticks));
	assert_int_equal(chart_log_ticks(0, 1, ticks), 0);
	assert_int_equal(chart_log_ticks(1, 1, ticks), 0);
	for (double top = 1.1; top < 1e300; top *= 3)
		assert_in_range(chart_log_ticks(1, top, ticks), 1, CHART_TICKS_MAX);
}

static void place_of(const char *svg, int which, double ret[2])
{
	const char *at = svg;
	for (int i = 0; i <= which; i++)
		at = strstr(at + 1, "<circle");
	assert_int_equal(sscanf(at, "<circle cx=\"%lf\" cy=\"%lf\"", &ret[0], &ret[1]), 2);
}

/* Equal factors are equal distances, and what has no logarithm is not drawn. */
static void log_axes_show_factors(void **state)
{
	static const double x[] = { 1, 10, 100, 0, -1 }, y[] = { 1e-3, 1e-2, 1e-1, 1, 1 };
	const struct chart_series series = { .n = 5, .x = x, .y = y, .points = true };
	const struct chart chart = { .title = "",
		.x_label = "",
		.y_label = "",
		.series = &series,
		.n_series = 1,
		.log_x = true,
		.log_y = true };
	struct text svg = TEXT_EMPTY;
	double at[3][2];
	chart_svg(&chart, &svg);
	assert_int_equal(count(svg.bytes, "<circle"), 3);
	for (int i = 0; i < 3; i++)
		place_of(svg.bytes, i, at[i]);
	for (int k = 0; k < 2; k++)
		assert_true(fabs(at[2][k] - 2 * at[1][k] + at[0][k]) < 0.3);
	assert_true(at[1][0] > at[0][0] && at[1][1] < at[0][1]);
	text_finish(&svg);
}

static void categories_have_names(void **state)
{
	static const char *const names[] = { "sgd", "a<b", "adam" };
	static const double x[] = { 0, 2 }, y[] = { 1, 2 };
	const struct chart_series series = { .n = 2, .x = x, .y = y, .points = true };
	const struct chart chart = { .title = "",
		.x_label = "",
		.y_label = "",
		.series = &series,
		.n_series = 1,
		.x_names = names,
		.n_x_names = 3 };
	struct text svg = TEXT_EMPTY;
	chart_svg(&chart, &svg);
	assert_non_null(strstr(svg.bytes, ">sgd<"));
	assert_non_null(strstr(svg.bytes, ">a&lt;b<"));
	assert_non_null(strstr(svg.bytes, ">adam<"));
	text_finish(&svg);
}

/* Bytes that are no character by themselves would show as one that nobody wrote. */
static void names_are_cut_at_whole_characters(void **state)
{
	static const char twenty[] = "\u5b66\u7fd2\u7387\u5b66\u7fd2\u7387\u5b66\u7fd2\u7387\u5b66"
				     "\u7fd2\u7387\u5b66\u7fd2\u7387\u5b66\u7fd2\u7387\u5b66\u7fd2";
	static const char *const names[] = { twenty, "a" };
	static const double x[] = { 0, 1 };
	const struct chart_series series = { .n = 2, .x = x, .y = x, .name = twenty };
	const struct chart chart = { .title = "",
		.x_label = "",
		.y_label = "",
		.series = &series,
		.n_series = 1,
		.x_names = names,
		.n_x_names = 2 };
	const struct parallel_axis axes[] = { { .name = twenty },
		{ .name = "c", .names = names, .n_names = 2 } };
	const struct parallel parallel = { .title = "",
		.axes = axes,
		.n_axes = 2,
		.values = x,
		.marked = (const bool[]){ false },
		.n = 1,
		.mark = "" };
	struct text svg = TEXT_EMPTY, accents = TEXT_EMPTY;
	char label[CHART_LABEL];
	text_add(&accents, "a");
	for (int i = 0; i < 100; i++)
		text_add(&accents, "\u0301\u0489");
	for (size_t size = 2; size <= sizeof(label); size++) {
		chart_label(accents.bytes, 4, label, size);
		assert_int_equal(strlen(label), (size - 2) / 2 * 2 + 1);
	}
	text_finish(&accents);
	chart_svg(&chart, &svg);
	parallel_svg(&parallel, &svg);
	assert_int_equal(count(svg.bytes, "\uFFFD"), 0);
	assert_int_equal(
		count(svg.bytes, ">\u5b66\u7fd2\u7387\u5b66\u7fd2\u7387<"), 1); /* 12 columns */
	assert_int_equal(
		count(svg.bytes, ">\u5b66\u7fd2\u7387\u5b66\u7fd2\u7387\u5b66\u7fd2<"), 1); /* 16 */
	text_finish(&svg);
}

static void of_many_names_the_last_are_labelled_too(void **state)
{
	enum { NAMES = 30 };
	static char texts[NAMES][16];
	const char *names[NAMES];
	static const double x[] = { 0, NAMES - 1 };
	const struct chart_series series = { .n = 2, .x = x, .y = x, .points = true };
	struct chart chart = {
		.title = "", .x_label = "", .y_label = "", .series = &series, .n_series = 1
	};
	struct text svg = TEXT_EMPTY;

	for (int i = 0; i < NAMES; i++) {
		snprintf(texts[i], sizeof(texts[i]), "name%d", i);
		names[i] = texts[i];
	}
	chart.x_names = names;
	chart.n_x_names = NAMES;
	chart_svg(&chart, &svg);
	assert_int_equal(count(svg.bytes, ">name0<"), 1);
	assert_int_equal(count(svg.bytes, ">name27<"), 1);
	assert_in_range(count(svg.bytes, ">name"), 8, CHART_TICKS_MAX);
	text_finish(&svg);
}

static void panels_stand_side_by_side(void **state)
{
	static const double x[] = { 1 };
	const struct chart_series series = { .n = 1, .x = x, .y = x, .points = true };
	struct chart charts[5];
	for (int i = 0; i < 5; i++)
		charts[i] = (struct chart){ .title = i == 1 ? NULL : "t",
			.x_label = "",
			.y_label = "",
			.series = &series,
			.n_series = 1,
			.small = true,
			.width = i == 1 ? 0 : 100, /* its size does not count */
			.height = 80 };
	struct text svg = TEXT_EMPTY;
	chart_panels_svg(charts, 5, 2, "all", &svg);
	assert_non_null(strstr(svg.bytes, "viewBox=\"0 0 200 240\""));
	assert_non_null(strstr(svg.bytes, "<title>all</title>"));
	assert_int_equal(count(svg.bytes, "<svg"), 1);
	assert_int_equal(count(svg.bytes, "<circle"), 4);
	assert_non_null(strstr(svg.bytes, "translate(100 80)"));
	assert_null(strstr(svg.bytes, "translate(100 0)"));
	assert_int_equal(count(svg.bytes, "<g"), count(svg.bytes, "</g>"));
	text_finish(&svg);
}

/* Four lines' worth of everything that may go wrong: a gap, a category, a log axis without a logarithm. */
static void parallel_coordinates_are_lines(void **state)
{
	static const char *const names[] = { "a", "b" };
	static const struct parallel_axis axes[] = { { .name = "lr", .log = true },
		{ .name = "c", .names = names, .n_names = 2 }, { .name = "loss" } };
	static const double values[] = { 0.1, 0, 3, 0.01, NAN, 2, 0.001, 1, 1, -1, 1, 1 };
	static const bool marked[] = { false, false, true, false };
	const struct parallel parallel = { .title = "p",
		.axes = axes,
		.n_axes = 3,
		.values = values,
		.marked = marked,
		.n = 4,
		.mark = "best" };
	struct text svg = TEXT_EMPTY;
	parallel_svg(&parallel, &svg);
	assert_int_equal(count(svg.bytes, "<path d=\"M"), 4 + 3); /* lines, axes */
	assert_null(strstr(svg.bytes, "nan"));
	assert_non_null(strstr(svg.bytes, "lr (log)"));
	/* The marked one comes last, from the bottom of its log axis to that of the objective. */
	const char *last = strstr(svg.bytes, "#D55E00");
	double at[6];
	assert_int_equal(sscanf(strstr(last, "<path"), "<path d=\"M%lf %lfL%lf %lfL%lf %lf", &at[0],
				 &at[1], &at[2], &at[3], &at[4], &at[5]),
		6);
	assert_true(at[1] == at[5] && at[3] < at[1] && at[0] < at[2] && at[2] < at[4]);
	text_finish(&svg);
}

static void parallel_coordinates_take_any_numbers(void **state)
{
	static const struct parallel_axis axes[] = { { .name = "a" }, { .name = "loss" } };
	static const double values[] = { -1.7e308, 1e20, 1.7e308, 1e20 };
	static const bool marked[] = { true, false };
	const struct parallel parallel = { .title = "p",
		.axes = axes,
		.n_axes = 2,
		.values = values,
		.marked = marked,
		.n = 2,
		.mark = "best" };
	struct text svg = TEXT_EMPTY;
	parallel_svg(&parallel, &svg);
	assert_null(strstr(svg.bytes, "nan"));
	assert_null(strstr(svg.bytes, "inf"));
	text_finish(&svg);
}

static void a_series_may_have_anothers_color(void **state)
{
	static const double x[] = { 1, 2 }, y[] = { 1, 2 };
	const struct chart_series series[] = { { .n = 2, .x = x, .y = y, .points = true },
		{ .n = 2, .x = x, .y = y, .points = true }, { .n = 2, .x = x, .y = y, .color = 2 },
		{ .n = 2, .x = x, .y = y } };
	const struct chart chart = {
		.title = "", .x_label = "", .y_label = "", .series = series, .n_series = 4
	};
	struct text svg = TEXT_EMPTY;
	chart_svg(&chart, &svg);
	assert_non_null(strstr(svg.bytes, "<g fill=\"#D55E00\""));
	assert_non_null(strstr(svg.bytes, "stroke=\"#D55E00\""));
	assert_non_null(strstr(svg.bytes, "stroke=\"#CC79A7\"")); /* the fourth */
	text_finish(&svg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_are_round),
		cmocka_unit_test(lines_bands_and_points_are_drawn),
		cmocka_unit_test(a_series_may_have_anothers_color),
		cmocka_unit_test(points_lie_where_they_belong),
		cmocka_unit_test(what_is_not_there_is_not_drawn),
		cmocka_unit_test(values_at_the_ends_of_all_doubles_are_left_out),
		cmocka_unit_test(neighbouring_ticks_have_other_labels),
		cmocka_unit_test(log_ticks_are_powers),
		cmocka_unit_test(log_axes_show_factors),
		cmocka_unit_test(categories_have_names),
		cmocka_unit_test(names_are_cut_at_whole_characters),
		cmocka_unit_test(of_many_names_the_last_are_labelled_too),
		cmocka_unit_test(panels_stand_side_by_side),
		cmocka_unit_test(parallel_coordinates_are_lines),
		cmocka_unit_test(parallel_coordinates_take_any_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
