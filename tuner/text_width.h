/* Text in the columns of a terminal. */
#ifndef TUNER_TEXT_WIDTH_H
#define TUNER_TEXT_WIDTH_H

#include "base/text.h"

/* Columns that UTF-8 text takes on a terminal: two for a wide character (CJK, emoji), none for a
 * combining mark, one for every other, and one for an invalid byte. Escape sequences are not
 * recognized: see text_add_visible. */
size_t text_columns(const char *text);

/* Bytes of the longest prefix of `text` that takes at most `columns`: whole characters, with the
 * marks that combine with the last one. */
size_t text_fit(const char *text, size_t columns);

/* Appends a paragraph in lines of at most `columns`, broken at blanks and each ended by a newline;
 * a longer word gets a line of its own. */
void text_add_wrapped(struct text *text, const char *paragraph, size_t columns);

/* Appends lines, breaking those wider than `columns` at blanks; continuation lines are indented two
 * columns more than the line. Lines that fit stay unchanged. */
void text_add_wrapped_lines(struct text *text, const char *lines, size_t columns);

/* Appends text safe for a terminal: control characters become '?', bytes that are not UTF-8 U+FFFD,
 * so that a message from a command's output cannot move the cursor. */
void text_add_visible(struct text *text, const char *string);

#endif
