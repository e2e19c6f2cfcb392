#include "base/text.h"

#include "base/number.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

static char *end_of(struct text *text)
{
	return (char *)text->bytes + text->length;
}

/* Makes room for `more` bytes and the terminator, or marks the text as failed. */
static bool reserve(struct text *text, size_t more)
{
	if (text->failed || more > TEXT_MAX - text->length) {
		text->failed = true;
		return false;
	}

	const size_t needed = text->length + more + 1;
	if (needed <= text->capacity)
		return true;

	size_t capacity = text->capacity ? 2 * text->capacity : FIRST_CAPACITY;
	if (capacity < needed)
		capacity = needed;
	char *bytes = realloc(text->capacity ? (char *)text->bytes : NULL, capacity);
	if (!bytes) {
		text->failed = true;
		return false;
	}
	bytes[text->length] = '\0';
	text->bytes = bytes;
	text->capacity = capacity;
	return true;
}

void text_add(struct text *text, const char *string)
{
	text_add_bytes(text, string, strlen(string));
}

void text_add_bytes(struct text *text, const void *bytes, size_t length)
{
	if (length == 0 || !reserve(text, length))
		return;
	memcpy(end_of(text), bytes, length);
	text->length += length;
	*end_of(text) = '\0';
}

void text_add_char(struct text *text, char character)
{
	text_add_bytes(text, &character, 1);
}

void text_print_v(struct text *text, const char *format, va_list args)
{
	va_list again;

	va_copy(again, args);
	const int length = vsnprintf(NULL, 0, format, args);
	if (length < 0) {
		text->failed = true;
	} else if (length > 0 && reserve(text, (size_t)length)) {
		vsnprintf(end_of(text), (size_t)length + 1, format, again);
		text->length += (size_t)length;
	}
	va_end(again);
}

void text_print(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_print_v(text, format, args);
	va_end(args);
}

void text_add_double(struct text *text, double value)
{
	char digits[NUMBER_TEXT];

	text_add(text, number_from_double(value, digits));
}

static bool is_continuation(unsigned char byte)
{
	return (byte & 0xC0) == 0x80;
}

size_t text_utf8_character(const char *bytes, size_t length)
{
	const unsigned char *u = (const unsigned char *)bytes;

	if (length == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	if (u[0] >= 0xC2 && u[0] <= 0xDF)
		return length >= 2 && is_continuation(u[1]) ? 2 : 0;
	if (u[0] >= 0xE0 && u[0] <= 0xEF) {
		if (length < 3 || !is_continuation(u[1]) || !is_continuation(u[2]))
			return 0;
		const bool overlong = u[0] == 0xE0 && u[1] < 0xA0;
		const bool surrogate = u[0] == 0xED && u[1] >= 0xA0;
		return overlong || surrogate ? 0 : 3;
	}
	if (u[0] >= 0xF0 && u[0] <= 0xF4) {
		if (length < 4 || !is_continuation(u[1]) || !is_continuation(u[2]) ||
			!is_continuation(u[3]))
			return 0;
		const bool overlong = u[0] == 0xF0 && u[1] < 0x90;
		const bool beyond = u[0] == 0xF4 && u[1] >= 0x90; /* above U+10FFFF */
		return overlong || beyond ? 0 : 4;
	}
	return 0;
}

/* Appends the escape of a character that must not be in a JSON string unescaped. */
static void add_json_escape(struct text *text, unsigned char character)
{
	static const char with_letter[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *at = memchr(with_letter, character, sizeof(with_letter) - 1);

	if (at)
		text_print(text, "\\%c", letters[at - with_letter]);
	else
		text_print(text, "\\u%04x", character);
}

static bool is_plain_in_json(unsigned char character)
{
	return character >= 0x20 && character != '"' && character != '\\';
}

void text_add_json_bytes(struct text *text, const char *bytes, size_t length)
{
	size_t written = 0; /* bytes[written..i) is still to be copied unchanged */

	text_add_char(text, '"');
	for (size_t i = 0; i < length;) {
		const size_t size = text_utf8_character(bytes + i, length - i);
		if (size > 1 || (size == 1 && is_plain_in_json((unsigned char)bytes[i]))) {
			i += size;
			continue;
		}
		text_add_bytes(text, bytes + written, i - written);
		if (size == 0)
			text_add(text, "\\ufffd");
		else
			add_json_escape(text, (unsigned char)bytes[i]);
		written = ++i;
	}
	text_add_bytes(text, bytes + written, length - written);
	text_add_char(text, '"');
}

void text_add_json_string(struct text *text, const char *string)
{
	text_add_json_bytes(text, string, strlen(string));
}

static const char *markup_entity(char character)
{
	switch (character) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* U+FFFE and U+FFFF, which XML must not contain. */
static bool is_no_character(const char *bytes, size_t length)
{
	return length == 3 && memcmp(bytes, "\xef\xbf", 2) == 0 && (unsigned char)bytes[2] >= 0xbe;
}

void text_add_markup_bytes(struct text *text, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length;) {
		const size_t n = text_utf8_character(bytes + i, length - i);
		const char *entity = markup_entity(bytes[i]);
		const bool control = (unsigned char)bytes[i] < 0x20 && bytes[i] != '\t' &&
				     bytes[i] != '\n' && bytes[i] != '\r';
		if (entity != NULL)
			text_add(text, entity);
		else if (n == 0 || control || is_no_character(bytes + i, n))
			text_add(text, "\xef\xbf\xbd");
		else
			text_add_bytes(text, bytes + i, n);
		i += n > 0 ? n : 1;
	}
}

void text_add_markup(struct text *text, const char *string)
{
	text_add_markup_bytes(text, string, strlen(string));
}

void text_add_markdown(struct text *text, const char *string)
{
	for (; *string != '\0'; string++) {
		if (strchr("\\`*_|<>#[]&~", *string) != NULL)
			text_add_char(text, '\\');
		text_add_char(text, *string == '\n' || *string == '\r' ? ' ' : *string);
	}
}

void text_add_json_double(struct text *text, double value)
{
	if (isnan(value))
		text_add(text, "null");
	else if (isinf(value))
		text_add(text, value > 0 ? "1e999" : "-1e999");
	else
		text_add_double(text, value);
}

void text_trim_end(struct text *text)
{
	while (text->length > 0 && text->bytes[text->length - 1] == ' ')
		text->length--;
	if (text->capacity)
		*end_of(text) = '\0';
}

/* Within single quotes csh expands '!', and fish takes a backslash before another backslash or a
 * quote for an escape. */
static bool ends_quotes(const char *c)
{
	return *c == '\'' || *c == '!' || (*c == '\\' && strchr("\\'", c[1]) != NULL);
}

void text_add_shell_quoted(struct text *text, const char *word)
{
	text_add_char(text, '\'');
	for (; *word != '\0'; word++)
		if (ends_quotes(word))
			text_print(text, "'\\%c'", *word);
		else
			text_add_char(text, *word);
	text_add_char(text, '\'');
}

void text_clear(struct text *text)
{
	text->length = 0;
	text->failed = false;
	if (text->capacity)
		*end_of(text) = '\0';
	else
		text->bytes = "";
}

void text_finish(struct text *text)
{
	if (text->capacity)
		free((char *)text->bytes);
	*text = TEXT_EMPTY;
}

bool text_failed(const struct text *text)
{
	return text->failed;
}

char *text_take(struct text *text)
{
	char *taken = NULL;

	if (reserve(text, 0)) { /* an empty text may have no memory yet */
		taken = (char *)text->bytes;
		*text = TEXT_EMPTY;
	}
	text_finish(text);
	return taken;
}
