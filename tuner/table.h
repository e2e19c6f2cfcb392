/* A table of text for people: columns as wide as they need be, numbers to the right. */
#ifndef TUNER_TABLE_H
#define TUNER_TABLE_H

#include "base/text.h"

#include <stdio.h>

struct table;

enum table_style {
	TABLE_PLAIN,
	TABLE_BOLD,
	TABLE_GREEN,
	TABLE_YELLOW,
	TABLE_RED,
	TABLE_FAINT,
};

/* `columns` names them; "-" in front of a name aligns it to the right (the "-" is not shown). NULL
 * without memory; every function accepts that, and table_print says so. */
struct table *table_create(const char *const *columns, size_t n);
void table_destroy(struct table *table);

/* The next cell, row by row. What must not go to a terminal is replaced (text_add_visible). */
void table_add(struct table *table, const char *format, ...) TUNER_PRINTF(2, 3);

/* How the row of the last added cell looks where colours are allowed. */
void table_style(struct table *table, enum table_style style);

/* Prints header and rows, without blanks at the end of a line. A line longer than `width` columns is
 * cut and ends with "…" (0: never cut). `color`: escape sequences may be used. */
TUNER_MUST_CHECK
bool table_print(
	const struct table *table, unsigned width, bool color, FILE *out, struct tuner_error *err);

/* The same as Markdown has tables. */
TUNER_MUST_CHECK
bool table_print_markdown(const struct table *table, FILE *out, struct tuner_error *err);

/* The terminal's width on standard output; 0 if it is none. */
unsigned table_width(void);

/* Prints lines and empties the text. Those wider than a terminal are broken (text_add_wrapped_lines); elsewhere each stays
 * one line, for programs. One that failed for want of memory is not printed. */
TUNER_MUST_CHECK
bool lines_out(struct text *lines, struct tuner_error *err);

/* Prints sentences in lines as wide as the terminal, or of 100 columns where there is none. */
TUNER_MUST_CHECK
bool paragraph_print(const struct text *sentences, FILE *out, struct tuner_error *err);

#endif
