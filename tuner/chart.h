/* Charts as SVG: lines with bands, and points, between two axes. Self-contained; text is in the
 * reader's own font and colour. */
#ifndef TUNER_CHART_H
#define TUNER_CHART_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum { CHART_TICKS_MAX = 12, CHART_SERIES_MAX = 40, CHART_LABEL = 128 };

struct chart_series {
	const char *name; /* in the legend; NULL: not listed */
	size_t n;
	const double *x, *y; /* a NaN interrupts the line */
	const double *low,
		*high; /* a band around the line; NULL: none. Infinite ends are cut at the axes */
	bool points; /* dots instead of a line */
	size_t color; /* k: that of the k-th series, from 1; 0: its own */
};

struct chart {
	const char *title, *x_label, *y_label; /* "" for none */
	const struct chart_series *series;
	size_t n_series; /* at most CHART_SERIES_MAX */
	bool log_x, log_y; /* only values > 0 are drawn */
	const char *const *x_names; /* categories: x is an index into them; NULL: numbers */
	const char *const *y_names;
	size_t n_x_names, n_y_names;
	unsigned width, height; /* pixels; 0: 640 by 400 */
	bool small; /* one of many: narrow margins, a smaller font, fewer ticks */
};

/* Appends the chart. A chart without a finite point says so. */
void chart_svg(const struct chart *chart, struct text *ret);

/* Round values (1, 2 or 5 times a power of ten apart) from the first at or above `low` to `high`;
 * at most CHART_TICKS_MAX. Returns their number. */
size_t chart_ticks(double low, double high, double ret[CHART_TICKS_MAX]);

/* The same for a log axis from `low` to `high`, both > 0: powers of ten; over less than two decades
 * also twice and five times those; over less than half a decade as chart_ticks. */
size_t chart_log_ticks(double low, double high, double ret[CHART_TICKS_MAX]);

/* The beginning of a name that takes at most `columns` columns, in whole characters. */
void chart_label(const char *name, size_t columns, char *ret, size_t size);

/* Appends a document of several charts, `columns` of them in a row, each of its own size. A chart
 * without a title (NULL) leaves its place empty. */
void chart_panels_svg(
	const struct chart *charts, size_t n, size_t columns, const char *title, struct text *ret);

#endif
