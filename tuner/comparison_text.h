/* A comparison for people: tables, and sentences below them. */
#ifndef TUNER_COMPARISON_TEXT_H
#define TUNER_COMPARISON_TEXT_H

#include "tuner/comparison.h"

/* For a terminal, or as Markdown. `curve`: also show the mean best so far over this axis (AXES: do
 * not). */
struct comparison_style {
	bool markdown, color;
	enum axis curve;
};

/* Prints to standard output. */
TUNER_MUST_CHECK
bool comparison_print(const struct comparison *comparison, struct comparison_style style,
	struct tuner_error *err);

#endif
