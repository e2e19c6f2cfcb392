/* Curves and bars in one line of text. */
#ifndef TUNER_SPARKLINE_H
#define TUNER_SPARKLINE_H

#include "base/text.h"

#include <stddef.h>

/* Appends n values as bars of eight heights, from the lowest to the highest of those that are finite. More
 * values than `places` share them: each shows the last of its share that is finite. A place without
 * a finite value is a blank; equal values are bars of one height. */
void text_add_sparkline(struct text *text, const double *values, size_t n, size_t places);

/* Appends a bar of this part, 0 to 1, of `places`, to an eighth of one: nothing below the first. NaN is 0. */
void text_add_bar(struct text *text, double part, size_t places);

#endif
