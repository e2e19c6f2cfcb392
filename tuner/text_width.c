#include "tuner/text_width.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct range {
	uint32_t first, last;
};

/* Unicode's East_Asian_Width W and F, in blocks: unassigned characters inside a block count as
 * wide. */
static const struct range wide[] = {
	{ 0x1100, 0x115f },
	{ 0x231a, 0x231b },
	{ 0x2329, 0x232a },
	{ 0x23e9, 0x23ec },
	{ 0x2e80, 0x303e },
	{ 0x3041, 0x33ff },
	{ 0x3400, 0x4dbf },
	{ 0x4e00, 0xa4cf },
	{ 0xa960, 0xa97c },
	{ 0xac00, 0xd7a3 },
	{ 0xf900, 0xfaff },
	{ 0xfe30, 0xfe6f },
	{ 0xff01, 0xff60 },
	{ 0xffe0, 0xffe6 },
	{ 0x1f300, 0x1f64f },
	{ 0x1f680, 0x1f6ff },
	{ 0x1f900, 0x1f9ff },
	{ 0x20000, 0x3fffd },
};

/* Combining marks and invisible characters, in the blocks of scripts that parameter names are
 * likely to use, not all of Unicode's. */
static const struct range combining[] = {
	{ 0x0300, 0x036f },
	{ 0x0483, 0x0489 },
	{ 0x0591, 0x05bd },
	{ 0x0610, 0x061a },
	{ 0x064b, 0x065f },
	{ 0x0e34, 0x0e3a },
	{ 0x0e47, 0x0e4e },
	{ 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff },
	{ 0x200b, 0x200f },
	{ 0x2060, 0x2064 },
	{ 0x20d0, 0x20ff },
	{ 0x3099, 0x309a },
	{ 0xfe00, 0xfe0f },
	{ 0xfe20, 0xfe2f },
	{ 0xfeff, 0xfeff },
	{ 0xe0100, 0xe01ef },
};

static bool is_in(const struct range *ranges, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n && ranges[i].first <= c; i++)
		if (c <= ranges[i].last)
			return true;
	return false;
}

/* The character that a well-formed sequence of `length` bytes encodes. */
static uint32_t decode(const char *bytes, size_t length)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = (unsigned char)bytes[0] & masks[length];
	for (size_t i = 1; i < length; i++)
		c = c << 6 | ((unsigned char)bytes[i] & 0x3f);
	return c;
}

/* The next character: its bytes (1 for an invalid byte) and its columns. */
static size_t next(const char *at, size_t left, size_t *ret_columns)
{
	const size_t length = text_utf8_character(at, left);
	*ret_columns = 1;
	if (length == 0)
		return 1;
	const uint32_t c = decode(at, length);
	if (is_in(combining, sizeof(combining) / sizeof(*combining), c))
		*ret_columns = 0;
	else if (is_in(wide, sizeof(wide) / sizeof(*wide), c))
		*ret_columns = 2;
	return length;
}

size_t text_columns(const char *text)
{
	const size_t length = strlen(text);
	size_t sum = 0, columns;
	for (size_t at = 0; at < length;) {
		at += next(text + at, length - at, &columns);
		sum += columns;
	}
	return sum;
}

size_t text_fit(const char *text, size_t columns)
{
	const size_t length = strlen(text);
	size_t at = 0, sum = 0;
	while (at < length) {
		size_t of_this;
		const size_t bytes = next(text + at, length - at, &of_this);
		if (sum + of_this > columns)
			break;
		sum += of_this;
		at += bytes;
	}
	return at;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

void text_add_visible(struct text *text, const char *string)
{
	const size_t length = strlen(string);
	for (size_t at = 0; at < length;) {
		const size_t bytes = text_utf8_character(string + at, length - at);
		if (bytes == 0)
			text_add(text, "\xef\xbf\xbd");
		else if (is_control(decode(string + at, bytes)))
			text_add_char(text, '?');
		else
			text_add_bytes(text, string + at, bytes);
		at += bytes > 0 ? bytes : 1;
	}
}

/* Bytes of the next line: up to the last blank that fits, else the whole first word. */
static size_t line_of(const char *text, size_t columns)
{
	const size_t fit = text_fit(text, columns);
	size_t end = fit;
	if (text[fit] == '\0')
		return fit;
	while (end > 0 && text[end] != ' ')
		end--;
	return end > 0 ? end : strcspn(text, " ");
}

void text_add_wrapped(struct text *text, const char *paragraph, size_t columns)
{
	for (const char *at = paragraph + strspn(paragraph, " "); *at != '\0';
		at += strspn(at, " ")) {
		size_t length = line_of(at, columns);
		const char *next = at + length;
		while (length > 0 && at[length - 1] == ' ')
			length--;
		text_add_bytes(text, at, length);
		text_add_char(text, '\n');
		at = next;
	}
}

/* One line without its end, that is too wide. */
static void add_broken(struct text *text, const char *line, size_t columns)
{
	enum { DEEPER = 2, ROOM = 20 };
	const size_t indent = strspn(line, " ");
	const size_t hang = indent + DEEPER + ROOM <= columns ? indent + DEEPER : 0;
	const char *at = line + indent;

	for (size_t left = indent < columns ? indent : 0; *at != '\0'; left = hang) {
		const size_t length = line_of(at, columns - left);
		size_t shown = length;
		while (shown > 0 && at[shown - 1] == ' ')
			shown--;
		text_print(text, "%*s%.*s\n", (int)left, "", (int)shown, at);
		at += length;
		at += strspn(at, " ");
	}
}

void text_add_wrapped_lines(struct text *text, const char *lines, size_t columns)
{
	while (*lines != '\0') {
		const size_t length = strcspn(lines, "\n");
		char *line = strndup(lines, length);
		if (line != NULL && text_columns(line) > columns)
			add_broken(text, line, columns);
		else
			text_add_bytes(text, lines, length + (lines[length] == '\n'));
		free(line);
		lines += length + (lines[length] == '\n');
	}
}
