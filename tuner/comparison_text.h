/* A comparison for people: tables, and sentences below them. */
#ifndef TUNER_COMPARISON_TEXT_H
#define TUNER_COMPARISON_TEXT_H

#include "tuner/comparison.h"

/* For a terminal, or as Markdown. With `curve` the mean best so far over that axis, too (AXES: without). */
struct comparison_style {
	bool markdown, color;
	enum axis curve;
};

/* To standard output. */
TUNER_MUST_CHECK
bool comparison_print(const struct comparison *comparison, struct comparison_style style,
	struct tuner_error *err);

#endif
