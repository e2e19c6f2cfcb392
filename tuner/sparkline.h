/* Curves and bars in one line of text. */
#ifndef TUNER_SPARKLINE_H
#define TUNER_SPARKLINE_H

#include "base/text.h"

#include <stddef.h>

/* Appends n values as bars of eight heights, scaled from the lowest to the highest finite value. If
 * there are more values than `places`, each place shows the last finite value of its share. A place
 * without a finite value is blank; equal values give bars of equal height. */
void text_add_sparkline(struct text *text, const double *values, size_t n, size_t places);

/* Appends a bar that fills `part`, 0 to 1, of `places`, to an eighth of a place; nothing below one
 * eighth. NaN counts as 0. */
void text_add_bar(struct text *text, double part, size_t places);

#endif
