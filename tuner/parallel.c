#include "tuner/parallel.h"

#include "tuner/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 720, PER_AXIS = 96, HEIGHT = 360, LEFT = 60, RIGHT = 60, TOP = 56, BOTTOM = 34 };

struct range {
	double low, high; /* as drawn: logarithms on a log axis */
};

static double on_axis(const struct parallel_axis *axis, double value)
{
	return !axis->log ? value : value > 0 ? log10(value) : NAN;
}

static struct range find_range(const struct parallel *parallel, size_t a)
{
	const struct parallel_axis *axis = &parallel->axes[a];
	struct range range = { INFINITY, -INFINITY };

	if (axis->n_names > 0)
		return (struct range){ -0.5, (double)axis->n_names - 0.5 };
	for (size_t i = 0; i < parallel->n; i++) {
		const double v = on_axis(axis, parallel->values[i * parallel->n_axes + a]);
		if (!isfinite(v))
			continue;
		range.low = fmin(range.low, v);
		range.high = fmax(range.high, v);
	}
	if (!(range.low <= range.high))
		return (struct range){ 0, 1 };
	if (range.low == range.high)
		return (struct range){ range.low - fmax(1, 0.1 * fabs(range.low)),
			range.high + fmax(1, 0.1 * fabs(range.high)) };
	return range;
}

static double place_y(struct range range, double v)
{
	return HEIGHT - BOTTOM -
	       (v / 2 - range.low / 2) / (range.high / 2 - range.low / 2) * (HEIGHT - BOTTOM - TOP);
}

static double place_x(const struct parallel *parallel, unsigned width, size_t a)
{
	if (parallel->n_axes < 2)
		return width / 2.0;
	return LEFT + (double)a / (double)(parallel->n_axes - 1) * (width - LEFT - RIGHT);
}

static void draw_label(struct text *ret, double x, double y, const char *anchor, const char *label)
{
	text_print(ret, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
	text_add_markup(ret, label);
	text_add(ret, "</text>\n");
}

static void draw_names(
	const struct parallel_axis *axis, struct range range, double x, struct text *ret)
{
	enum { NAMES_SHOWN = 12, LETTERS = 14 };
	const size_t every = (axis->n_names + NAMES_SHOWN - 1) / NAMES_SHOWN;

	for (size_t k = 0; k < axis->n_names; k += every) {
		char label[CHART_LABEL];
		chart_label(axis->names[k], LETTERS, label, sizeof(label));
		draw_label(ret, x + 5, place_y(range, (double)k) + 4, "start", label);
	}
}

static void draw_axis(
	const struct parallel *parallel, size_t a, struct range range, double x, struct text *ret)
{
	enum { LETTERS = 16 };
	const struct parallel_axis *axis = &parallel->axes[a];
	char label[CHART_LABEL + 8];

	text_print(ret, "<path d=\"M%.1f %dV%d\" stroke=\"currentColor\"/>\n", x, TOP,
		HEIGHT - BOTTOM);
	chart_label(axis->name, LETTERS, label, CHART_LABEL);
	strcat(label, axis->log ? " (log)" : "");
	draw_label(ret, x, TOP - 8, "middle", label);
	if (axis->n_names > 0) {
		draw_names(axis, range, x, ret);
		return;
	}
	snprintf(label, sizeof(label), "%.4g", axis->log ? pow(10, range.high) : range.high);
	draw_label(ret, x + 5, TOP + 10, "start", label);
	snprintf(label, sizeof(label), "%.4g", axis->log ? pow(10, range.low) : range.low);
	draw_label(ret, x + 5, HEIGHT - BOTTOM - 2, "start", label);
}

static void draw_line(const struct parallel *parallel, size_t i, const struct range *ranges,
	unsigned width, struct text *ret)
{
	bool pen = false;

	text_add(ret, "<path d=\"");
	for (size_t a = 0; a < parallel->n_axes; a++) {
		const double v =
			on_axis(&parallel->axes[a], parallel->values[i * parallel->n_axes + a]);
		if (isfinite(v))
			text_print(ret, "%s%.0f %.1f", pen ? "L" : "M", place_x(parallel, width, a),
				place_y(ranges[a], v));
		pen = isfinite(v);
	}
	text_add(ret, "\"/>\n");
}

static void draw_lines(const struct parallel *parallel, bool marked, const struct range *ranges,
	unsigned width, struct text *ret)
{
	text_print(ret,
		"<g fill=\"none\" stroke=\"%s\" stroke-opacity=\"%s\" stroke-width=\"%s\">\n",
		marked ? "#D55E00" : "#0072B2", marked ? "0.9" : "0.25", marked ? "1.6" : "1");
	for (size_t i = 0; i < parallel->n; i++)
		if (parallel->marked[i] == marked)
			draw_line(parallel, i, ranges, width, ret);
	text_add(ret, "</g>\n");
}

void parallel_svg(const struct parallel *parallel, struct text *ret)
{
	const unsigned asked = (unsigned)parallel->n_axes * PER_AXIS;
	const unsigned width = asked > WIDTH ? asked : WIDTH;
	struct range ranges[PARALLEL_AXES_MAX];

	tuner_assert(parallel->n_axes <= PARALLEL_AXES_MAX);
	text_print(ret,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %d\" width=\"%u\" "
		"height=\"%d\" role=\"img\" font-family=\"system-ui, sans-serif\" "
		"font-size=\"11\" fill=\"currentColor\">\n<title>",
		width, HEIGHT, width, HEIGHT);
	text_add_markup(ret, parallel->title);
	text_add(ret, "</title>\n<g font-size=\"14\" font-weight=\"600\">");
	draw_label(ret, LEFT, 20, "start", parallel->title);
	text_add(ret, "</g>\n");
	for (size_t a = 0; a < parallel->n_axes; a++)
		ranges[a] = find_range(parallel, a);
	draw_lines(parallel, false, ranges, width, ret);
	draw_lines(parallel, true, ranges, width, ret);
	for (size_t a = 0; a < parallel->n_axes; a++)
		draw_axis(parallel, a, ranges[a], place_x(parallel, width, a), ret);
	if (parallel->mark != NULL) {
		text_print(ret,
			"<rect x=\"%u\" y=\"12\" width=\"14\" height=\"4\" fill=\"#D55E00\"/>\n",
			width - RIGHT - 14);
		draw_label(ret, width - RIGHT - 20, 18, "end", parallel->mark);
	}
	text_add(ret, "</svg>\n");
}
