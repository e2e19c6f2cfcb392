#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Length of text[0..length) without a last UTF-8 character that is incomplete. */
static size_t whole_characters(const char *text, size_t length)
{
	size_t lead = length;
	size_t wanted = 1;

	while (lead > 0 && length - lead < 3 && ((unsigned char)text[lead - 1] & 0xC0) == 0x80)
		lead--;
	if (lead == 0)
		return length;
	lead--;

	const unsigned char first = (unsigned char)text[lead];
	if (first >= 0xF0)
		wanted = 4;
	else if (first >= 0xE0)
		wanted = 3;
	else if (first >= 0xC0)
		wanted = 2;
	return length - lead < wanted ? lead : length;
}

/* Prints into buffer[0..size), cut at a whole character, and returns the length. */
static size_t print_cut(char *buffer, size_t size, const char *format, va_list args)
	TUNER_PRINTF(3, 0);
static size_t print_cut(char *buffer, size_t size, const char *format, va_list args)
{
	const int wanted = vsnprintf(buffer, size, format, args);

	if (wanted < 0) { /* an unprintable wide character, or beyond INT_MAX */
		buffer[0] = '\0';
		return 0;
	}
	if ((size_t)wanted < size)
		return (size_t)wanted;

	const size_t length = whole_characters(buffer, size - 1);
	buffer[length] = '\0';
	return length;
}

/* Sets the message to head followed by tail, cutting the tail. Both may lie in the old message. */
static void set_message(struct tuner_error *err, const char *head, const char *tail)
{
	char joined[sizeof(err->message)];
	const size_t head_length = strnlen(head, sizeof(joined) - 1);
	const size_t room = sizeof(joined) - 1 - head_length;
	size_t tail_length = strlen(tail);

	if (tail_length > room)
		tail_length = whole_characters(tail, room);
	memcpy(joined, head, head_length);
	memcpy(joined + head_length, tail, tail_length);
	joined[head_length + tail_length] = '\0';
	memcpy(err->message, joined, head_length + tail_length + 1);
}

bool tuner_fail_v(struct tuner_error *err, enum tuner_code code, const char *format, va_list args)
{
	char text[sizeof(err->message)]; /* separate, since an argument may be the old message */

	print_cut(text, sizeof(text), format, args);
	err->code = code;
	set_message(err, "", text);
	return false;
}

bool tuner_fail(struct tuner_error *err, enum tuner_code code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tuner_fail_v(err, code, format, args);
	va_end(args);
	return false;
}

bool tuner_fail_in(struct tuner_error *err, const char *format, ...)
{
	char head[sizeof(err->message)];
	va_list args;

	va_start(args, format);
	print_cut(head, sizeof(head), format, args);
	va_end(args);
	set_message(err, head, err->message);
	return false;
}

bool tuner_fail_errno(struct tuner_error *err, int error_number, const char *format, ...)
{
	char head[sizeof(err->message)], reason[130];
	va_list args;

	/* strerror is thread-safe in glibc since 2.32 and in musl; strerror_r differs between the
	 * two. */
	snprintf(reason, sizeof(reason), ": %s", strerror(error_number));

	/* The reason matters more than the end of a long path. */
	va_start(args, format);
	print_cut(head, sizeof(head) - strlen(reason), format, args);
	va_end(args);

	err->code = TUNER_FATAL;
	set_message(err, head, reason);
	return false;
}

bool tuner_fail_memory(struct tuner_error *err)
{
	return tuner_fail(err, TUNER_FATAL, "out of memory");
}

void tuner_assert_failed(const char *property, const char *file, int line)
{
	fprintf(stderr, "%s:%d: this should hold, and does not: %s\n", file, line, property);
	abort();
}
