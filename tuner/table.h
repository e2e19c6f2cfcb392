/* A text table for people: columns as wide as needed, numbers right-aligned. */
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

/* Adds the next cell, row by row. Characters unsafe for a terminal are replaced
 * (text_add_visible). */
void table_add(struct table *table, const char *format, ...) TUNER_PRINTF(2, 3);

/* Sets how the row of the last added cell looks where colours are allowed. */
void table_style(struct table *table, enum table_style style);

/* Prints header and rows, without trailing blanks. A line longer than `width` columns is cut and
 * ends with "…" (0: never cut). `color`: escape sequences may be used. */
TUNER_MUST_CHECK
bool table_print(
	const struct table *table, unsigned width, bool color, FILE *out, struct tuner_error *err);

/* The same as a Markdown table. */
TUNER_MUST_CHECK
bool table_print_markdown(const struct table *table, FILE *out, struct tuner_error *err);

/* The terminal's width on standard output; 0 if that is not a terminal. */
unsigned table_width(void);

/* Prints lines and empties the text. On a terminal, lines wider than it are broken
 * (text_add_wrapped_lines); elsewhere each stays one line, for programs. A text that failed for
 * lack of memory is not printed. */
TUNER_MUST_CHECK
bool lines_out(struct text *lines, struct tuner_error *err);

/* Prints sentences in lines as wide as the terminal, or of 100 columns without one. */
TUNER_MUST_CHECK
bool paragraph_print(const struct text *sentences, FILE *out, struct tuner_error *err);

#endif
