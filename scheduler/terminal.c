#include "scheduler/terminal.h"

#include <stdbool.h>
#include <string.h>

enum { ESCAPE = 0x1b, BELL = 0x07 };

static bool within(char character, unsigned char first, unsigned char last)
{
	const unsigned char c = (unsigned char)character;

	return c >= first && c <= last;
}

/* The end of an `ESC [` sequence: parameters, intermediates, one final byte. */
static const char *skip_csi(const char *at, const char *end)
{
	while (at < end && within(*at, 0x30, 0x3f))
		at++;
	while (at < end && within(*at, 0x20, 0x2f))
		at++;
	return at < end && within(*at, 0x40, 0x7e) ? at + 1 : at;
}

/* The end of `ESC ]` and the like: after BEL or ESC \. The start itself if neither follows in this
 * line. */
static const char *skip_string(const char *start, const char *end)
{
	for (const char *at = start; at < end && *at != '\n' && *at != '\r'; at++) {
		if (*at == BELL)
			return at + 1;
		if (*at == ESCAPE)
			return at + 1 < end && at[1] == '\\' ? at + 2 : start;
	}
	return start;
}

/* The end of the sequence whose ESC is just before `at`. */
static const char *skip_sequence(const char *at, const char *end)
{
	if (at == end)
		return at;
	if (*at == '[')
		return skip_csi(at + 1, end);
	if (*at == ']' || *at == 'P' || *at == 'X' || *at == '^' || *at == '_')
		return skip_string(at + 1, end);
	while (at < end && within(*at, 0x20, 0x2f)) /* ESC ( B and the like */
		at++;
	return at < end && within(*at, 0x30, 0x7e) ? at + 1 : at;
}

size_t terminal_strip(const char *bytes, size_t size, char *ret_bytes)
{
	const char *at = bytes, *const end = bytes + size;
	char *to = ret_bytes;

	while (at < end) {
		const char *escape = memchr(at, ESCAPE, (size_t)(end - at));
		const size_t plain = (size_t)((escape != NULL ? escape : end) - at);
		memmove(to, at, plain);
		to += plain;
		if (escape == NULL)
			break;
		at = skip_sequence(escape + 1, end);
	}
	return (size_t)(to - ret_bytes);
}
