/* Parallel coordinates as SVG: one vertical axis per parameter, the objective last, and one line
 * per trial. */
#ifndef TUNER_PARALLEL_H
#define TUNER_PARALLEL_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum { PARALLEL_AXES_MAX = 128 };

struct parallel_axis {
	const char *name;
	bool log; /* only values > 0 are drawn */
	const char *const *names; /* categories: values are indices into them; NULL: numbers */
	size_t n_names;
};

struct parallel {
	const char *title;
	const struct parallel_axis *axes;
	size_t n_axes; /* at most PARALLEL_AXES_MAX */
	const double *values; /* n rows of n_axes; NaN: its line has a gap there */
	const bool *marked; /* n: drawn on top, in a colour of their own */
	size_t n;
	const char *mark; /* the legend: what the marked ones are */
};

/* Appends the figure. */
void parallel_svg(const struct parallel *parallel, struct text *ret);

#endif
