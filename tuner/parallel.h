/* Parallel coordinates as SVG: one upright axis a parameter, the objective last, one line a trial. */
#ifndef TUNER_PARALLEL_H
#define TUNER_PARALLEL_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum { PARALLEL_AXES_MAX = 128 };

struct parallel_axis {
	const char *name;
	bool log; /* only what is > 0 is drawn */
	const char *const *names; /* categories: values are indices into them; NULL: numbers */
	size_t n_names;
};

struct parallel {
	const char *title;
	const struct parallel_axis *axes;
	size_t n_axes; /* at most PARALLEL_AXES_MAX */
	const double *values; /* n rows of n_axes; NaN: its line has a gap there */
	const bool *marked; /* n: drawn over the others, in a colour of their own */
	size_t n;
	const char *mark; /* what the marked ones are: the legend */
};

/* Appended. */
void parallel_svg(const struct parallel *parallel, struct text *ret);

#endif
