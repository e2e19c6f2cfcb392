/* A growing string, up to a bound.
 *
 *     struct text line = TEXT_EMPTY;
 *     text_add(&line, "trial ");
 *     text_print(&line, "%d", number);
 *     if (text_failed(&line)) ...
 *     text_finish(&line);
 *
 * Appending never fails at the call: the first failure (no memory, beyond TEXT_MAX bytes) is kept
 * and everything after it is ignored, so one check at the end is enough. bytes is always a
 * terminated string, even when empty or failed. Appended bytes must not be part of the text
 * itself. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/error.h"

#include <stddef.h>

#define TEXT_MAX ((size_t)1 << 30)

struct text {
	const char *bytes; /* terminated; owned by the text unless capacity is 0 */
	size_t length;
	size_t capacity; /* 0: nothing is allocated yet */
	bool failed;
};

#define TEXT_EMPTY ((struct text){ .bytes = "" })

void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const void *bytes, size_t length);
void text_add_char(struct text *text, char character);
void text_print(struct text *text, const char *format, ...) TUNER_PRINTF(2, 3);
void text_print_v(struct text *text, const char *format, va_list args) TUNER_PRINTF(2, 0);

/* Appends the shortest decimal that reads back to the same bits (number.h). */
void text_add_double(struct text *text, double value);

/* Appends a JSON string literal, quotes included: control characters and invalid UTF-8 are escaped
 * (invalid bytes as U+FFFD). */
void text_add_json_string(struct text *text, const char *string);
void text_add_json_bytes(struct text *text, const char *bytes, size_t length);

/* Appends text escaped for XML and HTML, attributes included: special characters as entities, and
 * characters that are not allowed there (control characters, invalid UTF-8, U+FFFE and U+FFFF) as
 * U+FFFD. */
void text_add_markup(struct text *text, const char *string);
void text_add_markup_bytes(struct text *text, const char *bytes, size_t length);

/* Appends text escaped for Markdown; in a table a bar would end the cell, a line break the row. */
void text_add_markdown(struct text *text, const char *string);

/* Appends 'one word' quoted so that every shell, csh and fish included, reads exactly that word
 * (except that a newline is an error in csh). */
void text_add_shell_quoted(struct text *text, const char *word);

/* Appends a JSON number, or null for NaN, or 1e999 / -1e999 for infinities (which read back as such
 * except in strict JSON readers, such as json.h). -0.0 is written as 0. */
void text_add_json_double(struct text *text, double value);

void text_trim_end(struct text *text); /* removes blanks at the end */
void text_clear(struct text *text); /* empty again, keeps the memory, forgets a failure */
void text_finish(struct text *text); /* frees; the text is TEXT_EMPTY afterwards */
bool text_failed(const struct text *text);

/* Bytes of the well-formed UTF-8 character that bytes[0..length) begins with: 1 to 4, or 0 if there
 * is none (nothing left, a stray or missing continuation byte, an overlong form, a surrogate). */
size_t text_utf8_character(const char *bytes, size_t length);

/* Hands the allocated string to the caller, who frees it; the text is empty afterwards. NULL if the
 * text failed. */
char *text_take(struct text *text);

#endif
