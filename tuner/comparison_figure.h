/* The figure of a comparison: mean best so far over trials, time or money, with 95 % bands. */
#ifndef TUNER_COMPARISON_FIGURE_H
#define TUNER_COMPARISON_FIGURE_H

#include "tuner/comparison.h"

/* All arms together have so many points at most over trials; over time and money as comparison_curve. */
enum { COMPARISON_POINTS_MAX = 2000 };

/* Whether the curves are drawn at t + 1 trials: in long comparisons every k-th, and both ends. */
bool comparison_figure_has(const struct comparison *comparison, size_t t);

/* An SVG document, self-contained. Appended. An axis that comparison_check_axis is content with. */
TUNER_MUST_CHECK
bool comparison_figure(const struct comparison *comparison, enum axis axis, struct text *ret,
	struct tuner_error *err);

#endif
