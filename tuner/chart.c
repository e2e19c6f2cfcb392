#include "tuner/chart.h"

#include "tuner/text_width.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 640, HEIGHT = 400, LEGEND = 18, LEGEND_LETTERS = 24, NAME_LETTERS = 12 };

/* Room around the axes. */
struct margins {
	double left, right, top, bottom, x_label, y_label, tick;
};

static const struct margins wide = { 72, 16, 34, 48, 36, 14, 17 };
static const struct margins narrow = { 54, 8, 24, 34, 28, 10, 13 };

/* Okabe and Ito's eight, which colour-blind readers can distinguish; black comes last. Lines beyond
 * eight are dashed. */
static const char *const colors[] = { "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00",
	"#56B4E9", "#8A7F00", "#444444" };

struct axis {
	double low, high; /* of the data, widened */
	double from, to; /* pixels */
	bool log;
	bool few; /* ticks */
	const char *const *names;
	size_t n_names;
};

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

	/* For denormal numbers the part may round to 0. */
	*low -= fmax(more, DBL_MIN);
	*high += fmax(more, DBL_MIN);
}

/* The value's position on its axis; not finite if it cannot be drawn. An axis from -1e308 to 1e308
 * would be wider than any double. */
static double on_axis(const struct axis *axis, double value)
{
	static const double largest = 1e307;

	if (!axis->log)
		return fabs(value) > largest ? copysign(INFINITY, value) : value;
	return value > 0 ? log10(value) : NAN;
}

static bool has_point(
	const struct chart_series *series, size_t i, const struct axis *x, const struct axis *y)
{
	return isfinite(on_axis(x, series->x[i])) && isfinite(on_axis(y, series->y[i]));
}

static void include_series(const struct chart_series *series, struct axis *x, struct axis *y)
{
	for (size_t i = 0; i < series->n; i++) {
		if (!has_point(series, i, x, y))
			continue;
		include(&x->low, &x->high, on_axis(x, series->x[i]));
		include(&y->low, &y->high, on_axis(y, series->y[i]));
		if (series->low != NULL) {
			include(&y->low, &y->high, on_axis(y, series->low[i]));
			include(&y->low, &y->high, on_axis(y, series->high[i]));
		}
	}
}

/* All categories have a place, also those that were never tried. */
static void finish_range(struct axis *axis, double part)
{
	if (axis->n_names > 0) {
		axis->low = -0.5;
		axis->high = (double)axis->n_names - 0.5;
	} else {
		widen(&axis->low, &axis->high, part);
	}
}

static bool find_ranges(const struct chart *chart, struct axis *x, struct axis *y)
{
	x->low = y->low = INFINITY;
	x->high = y->high = -INFINITY;
	for (size_t s = 0; s < chart->n_series; s++)
		include_series(&chart->series[s], x, y);
	if (!(x->low <= x->high))
		return false;
	finish_range(x, 0.02);
	finish_range(y, 0.06);
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

	/* If a step is below the values' precision, a single tick must do. */
	for (double k = ceil(low / step); k * step <= high && n < CHART_TICKS_MAX; k++) {
		ret[n++] = k * step;
		if (k + 1 == k)
			break;
	}
	return n;
}

size_t chart_log_ticks(double low, double high, double ret[CHART_TICKS_MAX])
{
	static const double factors[] = { 1, 2, 5 };
	size_t n = 0;

	if (!(low > 0) || !(high > low) || !isfinite(high))
		return 0;
	const double decades = log10(high / low);
	if (decades < 0.5)
		return chart_ticks(low, high, ret);
	const int every = (int)ceil(decades / (CHART_TICKS_MAX - 1));
	for (int k = (int)floor(log10(low)); k <= (int)ceil(log10(high)); k++)
		for (size_t f = 0; f < (decades < 2 ? 3 : 1); f++) {
			const double tick = factors[f] * pow(10, k);
			if (tick >= low * (1 - 1e-12) && tick <= high * (1 + 1e-12) &&
				k % every == 0 && n < CHART_TICKS_MAX)
				ret[n++] = tick;
		}
	return n;
}

/* Keeps only every second or third of many ticks, if there is little room. */
static size_t thin(double ticks[CHART_TICKS_MAX], size_t n, size_t most)
{
	const size_t every = (n + most - 1) / most;
	size_t kept = 0;

	for (size_t i = 0; n > most && i < n; i += every)
		ticks[kept++] = ticks[i];
	return n > most ? kept : n;
}

static size_t axis_ticks(const struct axis *axis, double ret[CHART_TICKS_MAX])
{
	size_t n = 0;

	if (axis->n_names > 0) {
		/* Of many, every second or third, since otherwise the last ones would get none. */
		const size_t every = (axis->n_names + CHART_TICKS_MAX - 1) / CHART_TICKS_MAX;
		for (size_t i = 0; i < axis->n_names; i += every)
			ret[n++] = (double)i;
		return n;
	}
	n = axis->log ? chart_log_ticks(pow(10, axis->low), pow(10, axis->high), ret)
		      : chart_ticks(axis->low, axis->high, ret);
	return axis->few ? thin(ret, n, 4) : n;
}

/* Digits that distinguish neighbouring ticks: for 1234567 and 1234568 six do not. */
static int tick_digits(const double *ticks, size_t n)
{
	enum { USUAL = 6, MOST = 10 };
	const double step = n > 1 ? fabs(ticks[1] - ticks[0]) : 0;
	const double largest = n > 0 ? fmax(fabs(ticks[0]), fabs(ticks[n - 1])) : 0;
	const double digits = step > 0 && largest > 0 ? ceil(log10(largest / step)) + 1 : USUAL;

	return (int)fmin(fmax(digits, USUAL), MOST);
}

void chart_label(const char *name, size_t columns, char *ret, size_t size)
{
	size_t length = text_fit(name, columns);

	if (length >= size) /* accents on accents take no column */
		for (length = size - 1; length > 0 && (name[length] & 0xC0) == 0x80;)
			length--;
	snprintf(ret, size, "%.*s", (int)length, name);
}

/* The i-th of the axis's ticks. */
static void tick_label(
	const struct axis *axis, const double *ticks, size_t n, size_t i, char *ret, size_t size)
{
	/* Compared with its neighbours it is 0 except for rounding. */
	const double rounding = n > 1 && !axis->log ? 1e-6 * fabs(ticks[1] - ticks[0]) : 0;

	if (axis->n_names > 0)
		chart_label(axis->names[(size_t)ticks[i]], NAME_LETTERS, ret, size);
	else
		snprintf(ret, size, "%.*g", tick_digits(ticks, n),
			fabs(ticks[i]) < rounding ? 0 : ticks[i]);
}

/* ---- drawing ---- */

static double place(const struct axis *axis, double value)
{
	const double part = (on_axis(axis, value) - axis->low) / (axis->high - axis->low);
	const double kept = part < 0 ? 0 : part > 1 ? 1 : part;

	return axis->from + kept * (axis->to - axis->from);
}

static void draw_text(struct text *ret, double x, double y, const char *anchor, const char *text)
{
	text_print(ret, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
	text_add_markup(ret, text);
	text_add(ret, "</text>\n");
}

static void draw_axes(const struct chart *chart, const struct axis *x, const struct axis *y,
	const struct margins *margins, struct text *ret)
{
	double ticks[CHART_TICKS_MAX];
	char label[CHART_LABEL];

	text_add(ret, "<g stroke=\"currentColor\" stroke-opacity=\"0.15\">\n");
	const size_t n_y = axis_ticks(y, ticks);
	for (size_t i = 0; i < n_y; i++)
		text_print(ret, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
			x->from, place(y, ticks[i]), x->to, place(y, ticks[i]));
	text_print(ret,
		"</g>\n<path d=\"M%.1f %.1fV%.1fH%.1f\" fill=\"none\" stroke=\"currentColor\"/>\n",
		x->from, y->to, y->from, x->to);
	for (size_t i = 0; i < n_y; i++) {
		tick_label(y, ticks, n_y, i, label, sizeof(label));
		draw_text(ret, x->from - 6, place(y, ticks[i]) + 4, "end", label);
	}
	const size_t n_x = axis_ticks(x, ticks);
	for (size_t i = 0; i < n_x; i++) {
		tick_label(x, ticks, n_x, i, label, sizeof(label));
		draw_text(ret, place(x, ticks[i]), y->from + margins->tick, "middle", label);
	}
	draw_text(ret, (x->from + x->to) / 2, y->from + margins->x_label, "middle", chart->x_label);
	text_print(ret, "<g transform=\"translate(%g %.1f) rotate(-90)\">", margins->y_label,
		(y->from + y->to) / 2);
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

static void draw_line(const struct chart_series *series, const struct axis *x, const struct axis *y,
	const char *color, bool dashed, struct text *ret)
{
	bool pen = false;

	text_print(ret, "<path fill=\"none\" stroke=\"%s\"%s stroke-width=\"2\" d=\"", color,
		dashed ? " stroke-dasharray=\"6 3\"" : "");
	for (size_t i = 0; i < series->n; i++) {
		if (has_point(series, i, x, y))
			text_print(ret, "%s%.1f %.1f", pen ? "L" : "M", place(x, series->x[i]),
				place(y, series->y[i]));
		pen = has_point(series, i, x, y);
	}
	text_add(ret, "\"/>\n");
}

static void draw_points(const struct chart_series *series, const struct axis *x,
	const struct axis *y, const char *color, struct text *ret)
{
	const char *radius = x->few ? "2" : "3";
	text_print(ret, "<g fill=\"%s\" fill-opacity=\"0.7\">\n", color);
	for (size_t i = 0; i < series->n; i++)
		if (has_point(series, i, x, y))
			text_print(ret, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%s\"/>\n",
				place(x, series->x[i]), place(y, series->y[i]), radius);
	text_add(ret, "</g>\n");
}

static void draw_series(
	const struct chart *chart, const struct axis *x, const struct axis *y, struct text *ret)
{
	const size_t n_colors = sizeof(colors) / sizeof(*colors);
	double legend = y->to + 4;
	char label[CHART_LABEL];

	for (size_t s = 0; s < chart->n_series; s++)
		if (chart->series[s].low != NULL && chart->series[s].n > 0)
			draw_band(&chart->series[s], x, y, colors[s % n_colors], ret);
	for (size_t s = 0; s < chart->n_series; s++) {
		const struct chart_series *series = &chart->series[s];
		const char *color = colors[(series->color > 0 ? series->color - 1 : s) % n_colors];
		if (series->points)
			draw_points(series, x, y, color, ret);
		else
			draw_line(series, x, y, color, s >= n_colors, ret);
		if (series->name == NULL)
			continue;
		text_print(ret,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"14\" height=\"4\" fill=\"%s\"/>\n",
			x->to + 10, legend + 2, color);
		chart_label(series->name, LEGEND_LETTERS, label, sizeof(label));
		draw_text(ret, x->to + 29, legend + 8, "start", label);
		legend += LEGEND;
	}
}

/* Width of the series' names to the right of the axes. */
static double legend_width(const struct chart *chart)
{
	size_t longest = 0;

	for (size_t s = 0; s < chart->n_series; s++) {
		const char *name = chart->series[s].name;
		const size_t length = name != NULL ? text_columns(name) : 0;
		longest = length > longest ? length : longest;
	}
	if (longest > LEGEND_LETTERS)
		longest = LEGEND_LETTERS;
	return longest > 0 ? 30 + 6.5 * (double)longest : 0;
}

static void find_size(const struct chart *chart, unsigned *ret_width, unsigned *ret_height)
{
	*ret_width = chart->width > 0 ? chart->width : WIDTH;
	*ret_height = chart->height > 0 ? chart->height : HEIGHT;
}

static void open_svg(unsigned width, unsigned height, const char *title, struct text *ret)
{
	text_print(ret,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %u\" width=\"%u\" "
		"height=\"%u\" role=\"img\" font-family=\"system-ui, sans-serif\" "
		"font-size=\"12\" fill=\"currentColor\">\n<title>",
		width, height, width, height);
	text_add_markup(ret, title);
	text_add(ret, "</title>\n");
}

static void draw_chart(const struct chart *chart, struct text *ret)
{
	const struct margins *margins = chart->small ? &narrow : &wide;
	unsigned width, height;
	find_size(chart, &width, &height);
	struct axis x = { .from = margins->left,
		.to = (double)width - margins->right - legend_width(chart),
		.log = chart->log_x,
		.few = chart->small,
		.names = chart->x_names,
		.n_names = chart->n_x_names };
	struct axis y = { .from = (double)height - margins->bottom,
		.to = margins->top,
		.log = chart->log_y,
		.few = chart->small,
		.names = chart->y_names,
		.n_names = chart->n_y_names };

	text_print(ret, "<g font-size=\"%d\" font-weight=\"600\">", chart->small ? 11 : 14);
	draw_text(ret, margins->left, chart->small ? 14 : 20, "start", chart->title);
	text_print(ret, "</g>\n<g font-size=\"%d\">\n", chart->small ? 10 : 12);
	if (find_ranges(chart, &x, &y)) {
		draw_axes(chart, &x, &y, margins, ret);
		draw_series(chart, &x, &y, ret);
	} else {
		draw_text(ret, width / 2.0, height / 2.0, "middle", "nothing to show yet");
	}
	text_add(ret, "</g>\n");
}

void chart_svg(const struct chart *chart, struct text *ret)
{
	unsigned width, height;

	find_size(chart, &width, &height);
	open_svg(width, height, chart->title, ret);
	draw_chart(chart, ret);
	text_add(ret, "</svg>\n");
}

void chart_panels_svg(
	const struct chart *charts, size_t n, size_t columns, const char *title, struct text *ret)
{
	unsigned width = 0, height = 0, panel_width, panel_height;

	for (size_t i = 0; i < n; i++) {
		if (charts[i].title == NULL)
			continue;
		find_size(&charts[i], &panel_width, &panel_height);
		width = panel_width > width ? panel_width : width;
		height = panel_height > height ? panel_height : height;
	}
	if (columns > n)
		columns = n > 0 ? n : 1;
	const size_t rows = (n + columns - 1) / columns;
	open_svg(width * (unsigned)columns, height * (unsigned)rows, title, ret);
	for (size_t i = 0; i < n; i++) {
		if (charts[i].title == NULL)
			continue;
		text_print(ret, "<g transform=\"translate(%zu %zu)\">\n", i % columns * width,
			i / columns * height);
		draw_chart(&charts[i], ret);
		text_add(ret, "</g>\n");
	}
	text_add(ret, "</svg>\n");
}
