/* The figure of a comparison: mean best so far over the trials, with 95 % bands. */
#ifndef TUNER_COMPARISON_FIGURE_H
#define TUNER_COMPARISON_FIGURE_H

#include "tuner/comparison.h"

/* An SVG document, self-contained. Appended. */
TUNER_MUST_CHECK
bool comparison_figure(
	const struct comparison *comparison, struct text *ret, struct tuner_error *err);

#endif
