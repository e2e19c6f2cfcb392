/* Charts as SVG: lines with bands, and points, between two axes. Self-contained; text in the reader's own font and
 * colour. */
#ifndef TUNER_CHART_H
#define TUNER_CHART_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum { CHART_TICKS_MAX = 12, CHART_SERIES_MAX = 40 };

struct chart_series {
	const char *name; /* in the legend; NULL: not there */
	size_t n;
	const double *x, *y; /* a NaN interrupts the line */
	const double *low,
		*high; /* a band around it; NULL: none. Ends that are not finite are cut at the axes */
	bool points; /* dots instead of a line */
};

struct chart {
	const char *title, *x_label, *y_label; /* "" for none */
	const struct chart_series *series;
	size_t n_series; /* at most CHART_SERIES_MAX */
	bool log_x; /* all x > 0 */
	unsigned width, height; /* pixels; 0: 640 by 400 */
};

/* Appended. A chart without a finite point says so. */
void chart_svg(const struct chart *chart, struct text *ret);

/* Round values (1, 2 or 5 times a power of ten apart) from the first at or above `low` to `high`; at most
 * CHART_TICKS_MAX. Returns how many. */
size_t chart_ticks(double low, double high, double ret[CHART_TICKS_MAX]);

#endif
