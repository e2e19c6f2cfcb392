/* A table of text for people: columns as wide as they need be, numbers to the right. */
#ifndef TUNER_TABLE_H
#define TUNER_TABLE_H

#include "base/text.h"

#include <stdio.h>

struct table;

/* `columns` names them; "-" in front of a name aligns it to the right (the "-" is not shown). NULL
 * without memory; every function accepts that, and table_print says so. */
struct table *table_create(const char *const *columns, size_t n);
void table_destroy(struct table *table);

/* The next cell, row by row. Control characters are shown as '?'. */
void table_add(struct table *table, const char *format, ...) TUNER_PRINTF(2, 3);

/* Prints header and rows, cut to `width` characters a line (0: not cut). */
TUNER_MUST_CHECK
bool table_print(const struct table *table, unsigned width, FILE *out, struct tuner_error *err);

/* The terminal's width on standard output; 0 if it is none. */
unsigned table_width(void);

/* Code points of UTF-8 text: what a terminal shows in as many places, but for wide and combining
 * characters. */
size_t text_width(const char *text);

/* The first `width` code points of it, in bytes. */
size_t text_cut(const char *text, size_t width);

#endif
