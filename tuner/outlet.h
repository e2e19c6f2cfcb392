/* What the loop says on standard output, without waiting for who reads it: a pager that shows an earlier page, a
 * terminal stopped by Ctrl-S or a connection that hangs must hold up no trial, and no signal to end. What
 * is not taken yet is kept, in its order. */
#ifndef TUNER_OUTLET_H
#define TUNER_OUTLET_H

#include "base/text.h"

struct outlet {
	struct text text; /* to be added to; a failure of it loses what was to be said, no more */
	size_t given; /* bytes of it */
};

#define OUTLET_EMPTY ((struct outlet){ .text = TEXT_EMPTY })

/* Writes what is taken at once. False: some is left. What cannot be written at all goes to stdout, whose error is told of at
 * the program's end. */
bool outlet_give(struct outlet *outlet);

/* Waits for the reader, wait_ms at most (-1: without a limit); frees. False: some of it is lost. */
bool outlet_finish(struct outlet *outlet, int wait_ms);

#endif
