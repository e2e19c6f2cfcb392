#include "tuner/comparison_figure.h"

#include "tuner/chart.h"

#include <stdlib.h>

bool comparison_figure_has(const struct comparison *comparison, size_t t)
{
	const size_t points = comparison->n_arms * comparison->length;
	const size_t every = (points + COMPARISON_POINTS_MAX - 1) / COMPARISON_POINTS_MAX;

	return t == 0 || (t + 1) % every == 0 || t + 1 == comparison->length;
}

/* An arm's line and band, as a chart takes them. */
struct line {
	double *x, *y, *low, *high;
	size_t n;
};

static void add_point(struct line *line, const struct curve_point *point)
{
	line->x[line->n] = point->at;
	line->y[line->n] = point->mean;
	line->low[line->n] = point->interval.low;
	line->high[line->n++] = point->interval.high;
}

static bool fill(
	const struct comparison *comparison, size_t arm, struct line *line, struct tuner_error *err)
{
	for (size_t t = 0; t < comparison->length; t++) {
		struct curve_point point;
		if (!comparison_figure_has(comparison, t))
			continue;
		if (!comparison_band(comparison, arm, t, &point, err))
			return false;
		add_point(line, &point);
	}
	return true;
}

static bool fill_spent(const struct comparison *comparison, size_t arm, enum axis axis,
	struct line *line, struct tuner_error *err)
{
	struct curve_point points[COMPARISON_HUNDREDTHS];
	size_t n;

	if (!comparison_curve(comparison, arm, axis, points, &n, err))
		return false;
	for (size_t k = 0; k < n; k++)
		add_point(line, &points[k]);
	return true;
}

static void draw(const struct comparison *comparison, enum axis axis,
	const struct chart_series *series, bool bands, struct text *ret)
{
	struct text title = TEXT_EMPTY, x_label = TEXT_EMPTY;

	text_print(&title, "Mean best of %zu repeat%s%s", comparison->n_repeats,
		comparison->n_repeats == 1 ? "" : "s", bands ? ", with 95 % intervals" : "");
	text_print(&x_label, "%s%s", axis_unit(axis), axis == OVER_TRIALS ? "" : " of each search");
	const struct chart chart = { .title = title.bytes,
		.x_label = x_label.bytes,
		.y_label = comparison->metric,
		.series = series,
		.n_series = comparison->n_arms };
	chart_svg(&chart, ret);
	ret->failed = ret->failed || text_failed(&title) || text_failed(&x_label);
	text_finish(&title);
	text_finish(&x_label);
}

bool comparison_figure(const struct comparison *comparison, enum axis axis, struct text *ret,
	struct tuner_error *err)
{
	const size_t n_arms = comparison->n_arms;
	const size_t points = axis == OVER_TRIALS ? comparison->length : COMPARISON_HUNDREDTHS;
	const bool bands = comparison->n_repeats > 1;
	struct chart_series *series = calloc(n_arms, sizeof(*series));
	double *values = calloc(4 * n_arms * points, sizeof(*values));
	bool ok = (series != NULL && values != NULL) || tuner_fail_memory(err);

	for (size_t a = 0; ok && a < n_arms; a++) {
		double *x = values + 4 * a * points;
		struct line line = { x, x + points, x + 2 * points, x + 3 * points, 0 };
		ok = axis == OVER_TRIALS ? fill(comparison, a, &line, err)
					 : fill_spent(comparison, a, axis, &line, err);
		series[a] = (struct chart_series){ .name = comparison->arms[a].name,
			.n = line.n,
			.x = line.x,
			.y = line.y,
			.low = bands ? line.low : NULL,
			.high = bands ? line.high : NULL };
	}
	if (ok) {
		draw(comparison, axis, series, bands, ret);
		ok = !text_failed(ret) || tuner_fail_memory(err);
	}
	free(series);
	free(values);
	return ok;
}
