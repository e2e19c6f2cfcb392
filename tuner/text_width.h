/* Text in the columns of a terminal. */
#ifndef TUNER_TEXT_WIDTH_H
#define TUNER_TEXT_WIDTH_H

#include "base/text.h"

/* Columns that UTF-8 text takes on a terminal: two for a wide character (CJK, emoji), none for a combining
 * mark, one for every other, and one for a byte that belongs to no character. Escape sequences are
 * not known here: see text_add_visible. */
size_t text_columns(const char *text);

/* Bytes of the longest beginning of `text` that takes at most `columns`; whole characters, with the marks
 * that combine with the last one. */
size_t text_fit(const char *text, size_t columns);

/* Appends a paragraph in lines of at most `columns`, broken at blanks and each ended by a newline; a word that is longer
 * has a line of its own. */
void text_add_wrapped(struct text *text, const char *paragraph, size_t columns);

/* Appends lines, of which those wider than `columns` are broken at blanks; what follows such a break stands two columns
 * further right than its line begins. Lines that fit stay as they are. */
void text_add_wrapped_lines(struct text *text, const char *lines, size_t columns);

/* Appends what may go to a terminal: control characters become '?', bytes that are no UTF-8 U+FFFD. So
 * a message out of a command's output cannot move the cursor. */
void text_add_visible(struct text *text, const char *string);

#endif
