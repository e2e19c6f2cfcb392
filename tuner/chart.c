#include "tuner/chart.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 640, HEIGHT = 400, LEFT = 72, RIGHT = 16, TOP = 34, BOTTOM = 48, LEGEND = 18 };

/* Okabe and Ito's eight, told apart by colour-blind readers; black comes last. */
static const char *const colors[] = { "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00",
	"#56B4E9", "#8A7F00", "#444444" };

struct axis {
	double low, high; /* of the data, widened */
	double from, to; /* pixels */
	bool log;
};

static double place(const struct axis *axis, double value)
{
	const double v = axis->log ? log10(value) : value;
	const double part = (v - axis->low) / (axis->high - axis->low);
	const double kept = part < 0 ? 0 : part > 1 ? 1 : part;

	return axis->from + kept * (axis->to - axis->from);
}

/* ---- ranges ---- */

static void include(double *low, double *high, double value)
{
	if (!isfinite(value))
		return;
	*low = value < *low ? value : *low;
	*high = value > *high ? value : *high;
}

static void widen(double *low, double *high, double part)
{
	const double width = *high - *low;
	const double more = width > 0 ? part * width : fabs(*high) > 0 ? 0.1 * fabs(*high) : 1;

	*low -= more;
	*high += more;
}

static bool find_ranges(const struct chart *chart, struct axis *x, struct axis *y)
{
	x->low = y->low = INFINITY;
	x->high = y->high = -INFINITY;
	for (size_t s = 0; s < chart->n_series; s++)
		for (size_t i = 0; i < chart->series[s].n; i++) {
			const struct chart_series *series = &chart->series[s];
			if (!isfinite(series->y[i]) || !isfinite(series->x[i]))
				continue;
			include(&x->low, &x->high, x->log ? log10(series->x[i]) : series->x[i]);
			include(&y->low, &y->high, series->y[i]);
			if (series->low != NULL) {
				include(&y->low, &y->high, series->low[i]);
				include(&y->low, &y->high, series->high[i]);
			}
		}
	if (!(x->low <= x->high))
		return false;
	widen(&x->low, &x->high, 0.02);
	widen(&y->low, &y->high, 0.06);
	return true;
}

static double step_of(double width)
{
	static const double round[] = { 1, 2, 5, 10 };
	const double rough = width / 8, unit = pow(10, floor(log10(rough)));

	for (size_t i = 0; i < sizeof(round) / sizeof(*round); i++)
		if (round[i] * unit >= rough)
			return round[i] * unit;
	return 10 * unit;
}

size_t chart_ticks(double low, double high, double ret[CHART_TICKS_MAX])
{
	if (!(high > low) || !isfinite(high - low))
		return 0;
	const double step = step_of(high - low);
	size_t n = 0;

	for (double k = ceil(low / step); k * step <= high && n < CHART_TICKS_MAX; k++)
		ret[n++] = k * step;
	return n;
}

/* ---- drawing ---- */

static void draw_text(struct text *ret, double x, double y, const char *anchor, const char *text)
{
	text_print(ret, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
	text_add_markup(ret, text);
	text_add(ret, "</text>\n");
}

static void draw_axes(
	const struct chart *chart, const struct axis *x, const struct axis *y, struct text *ret)
{
	double ticks[CHART_TICKS_MAX];
	char label[40];

	text_add(ret, "<g stroke=\"currentColor\" stroke-opacity=\"0.15\">\n");
	const size_t n_y = chart_ticks(y->low, y->high, ticks);
	for (size_t i = 0; i < n_y; i++)
		text_print(ret, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
			x->from, place(y, ticks[i]), x->to, place(y, ticks[i]));
	text_print(ret,
		"</g>\n<path d=\"M%.1f %.1fV%.1fH%.1f\" fill=\"none\" stroke=\"currentColor\"/>\n",
		x->from, y->to, y->from, x->to);
	for (size_t i = 0; i < n_y; i++) {
		snprintf(label, sizeof(label), "%.6g", fabs(ticks[i]) < 1e-12 ? 0 : ticks[i]);
		draw_text(ret, x->from - 6, place(y, ticks[i]) + 4, "end", label);
	}
	const size_t n_x = chart_ticks(x->low, x->high, ticks);
	for (size_t i = 0; i < n_x; i++) {
		const double value = x->log ? pow(10, ticks[i]) : ticks[i];
		snprintf(label, sizeof(label), x->log ? "%.2g" : "%.6g",
			fabs(value) < 1e-12 ? 0 : value);
		draw_text(ret, place(x, value), y->from + 17, "middle", label);
	}
	draw_text(ret, (x->from + x->to) / 2, y->from + 36, "middle", chart->x_label);
	text_print(ret, "<g transform=\"translate(14 %.1f) rotate(-90)\">", (y->from + y->to) / 2);
	draw_text(ret, 0, 0, "middle", chart->y_label);
	text_add(ret, "</g>\n");
}

static void draw_band(const struct chart_series *series, const struct axis *x, const struct axis *y,
	const char *color, struct text *ret)
{
	text_print(ret, "<path fill=\"%s\" fill-opacity=\"0.18\" d=\"", color);
	for (size_t i = 0; i < series->n; i++)
		text_print(ret, "%s%.1f %.1f", i > 0 ? "L" : "M", place(x, series->x[i]),
			place(y, series->high[i]));
	for (size_t i = series->n; i-- > 0;)
		text_print(ret, "L%.1f %.1f", place(x, series->x[i]), place(y, series->low[i]));
	text_add(ret, "Z\"/>\n");
}

static bool has_point(const struct chart_series *series, size_t i)
{
	return isfinite(series->x[i]) && isfinite(series->y[i]);
}

static void draw_line(const struct chart_series *series, const struct axis *x, const struct axis *y,
	const char *color, struct text *ret)
{
	bool pen = false;

	text_print(ret, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" d=\"", color);
	for (size_t i = 0; i < series->n; i++) {
		if (has_point(series, i))
			text_print(ret, "%s%.1f %.1f", pen ? "L" : "M", place(x, series->x[i]),
				place(y, series->y[i]));
		pen = has_point(series, i);
	}
	text_add(ret, "\"/>\n");
}

static void draw_points(const struct chart_series *series, const struct axis *x,
	const struct axis *y, const char *color, struct text *ret)
{
	text_print(ret, "<g fill=\"%s\" fill-opacity=\"0.7\">\n", color);
	for (size_t i = 0; i < series->n; i++)
		if (has_point(series, i))
			text_print(ret, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n",
				place(x, series->x[i]), place(y, series->y[i]));
	text_add(ret, "</g>\n");
}

static void draw_series(
	const struct chart *chart, const struct axis *x, const struct axis *y, struct text *ret)
{
	const size_t n_colors = sizeof(colors) / sizeof(*colors);
	double legend = y->to + 4;

	for (size_t s = 0; s < chart->n_series; s++)
		if (chart->series[s].low != NULL && chart->series[s].n > 0)
			draw_band(&chart->series[s], x, y, colors[s % n_colors], ret);
	for (size_t s = 0; s < chart->n_series; s++) {
		const struct chart_series *series = &chart->series[s];
		const char *color = colors[s % n_colors];
		if (series->points)
			draw_points(series, x, y, color, ret);
		else
			draw_line(series, x, y, color, ret);
		if (series->name == NULL)
			continue;
		text_print(ret,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"14\" height=\"4\" fill=\"%s\"/>\n",
			x->to - 14, legend + 2, color);
		draw_text(ret, x->to - 20, legend + 8, "end", series->name);
		legend += LEGEND;
	}
}

void chart_svg(const struct chart *chart, struct text *ret)
{
	const unsigned width = chart->width > 0 ? chart->width : WIDTH;
	const unsigned height = chart->height > 0 ? chart->height : HEIGHT;
	struct axis x = { .from = LEFT, .to = (double)width - RIGHT, .log = chart->log_x };
	struct axis y = { .from = (double)height - BOTTOM, .to = TOP };

	text_print(ret,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %u\" width=\"%u\" "
		"height=\"%u\" role=\"img\" font-family=\"system-ui, sans-serif\" "
		"font-size=\"12\" fill=\"currentColor\">\n<title>",
		width, height, width, height);
	text_add_markup(ret, chart->title);
	text_add(ret, "</title>\n<g font-size=\"14\" font-weight=\"600\">");
	draw_text(ret, LEFT, 20, "start", chart->title);
	text_add(ret, "</g>\n");
	if (find_ranges(chart, &x, &y)) {
		draw_axes(chart, &x, &y, ret);
		draw_series(chart, &x, &y, ret);
	} else {
		draw_text(ret, width / 2.0, height / 2.0, "middle", "nothing to show yet");
	}
	text_add(ret, "</svg>\n");
}
