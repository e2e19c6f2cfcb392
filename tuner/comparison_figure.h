/* The figure of a comparison: mean best so far over trials, time or money, with 95 % bands. */
#ifndef TUNER_COMPARISON_FIGURE_H
#define TUNER_COMPARISON_FIGURE_H

#include "tuner/comparison.h"

/* The most points of all arms together over trials; over time and money as many as comparison_curve
 * gives. */
enum { COMPARISON_POINTS_MAX = 2000 };

/* Whether the curves have a point at t + 1 trials: in long comparisons only every k-th and both
 * ends do. */
bool comparison_figure_has(const struct comparison *comparison, size_t t);

/* Appends a self-contained SVG document. The axis must have passed comparison_check_axis. */
TUNER_MUST_CHECK
bool comparison_figure(const struct comparison *comparison, enum axis axis, struct text *ret,
	struct tuner_error *err);

#endif
