/* The loop's standard output, written without waiting for its reader: a pager that shows an earlier
 * page, a terminal stopped by Ctrl-S or a connection that hangs must delay neither trials nor the
 * response to a signal. Text that the reader does not accept yet is kept in order. */
#ifndef TUNER_OUTLET_H
#define TUNER_OUTLET_H

#include "base/text.h"

struct outlet {
	struct text text; /* append here; if that fails, only this output is lost */
	size_t given; /* bytes of text written so far */
};

#define OUTLET_EMPTY ((struct outlet){ .text = TEXT_EMPTY })

/* Writes as much as is accepted at once. False: some is left. What cannot be written at all goes to
 * stdout, whose error is reported at the program's end. */
bool outlet_give(struct outlet *outlet);

/* Writes the rest, waiting for the reader for at most wait_ms (-1: no limit); frees. False: some
 * output is lost. */
bool outlet_finish(struct outlet *outlet, int wait_ms);

#endif
