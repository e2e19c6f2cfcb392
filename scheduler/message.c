#include "scheduler/message.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD = 4, FIXED = 1 + 8 + 8, FIELDS = 3 };

/* ---- buffers ---- */

bool buffer_reserve(struct buffer *buffer, size_t n)
{
	if (buffer->from == buffer->to)
		buffer->from = buffer->to = 0;
	if (buffer->capacity - buffer->to >= n)
		return true;
	if (buffer->from > 0) {
		memmove(buffer->memory, buffer->memory + buffer->from, buffer_size(buffer));
		buffer->to -= buffer->from;
		buffer->from = 0;
	}
	if (buffer->capacity - buffer->to >= n)
		return true;
	size_t capacity = buffer->capacity > 0 ? 2 * buffer->capacity : 4096;
	if (capacity < buffer->to + n)
		capacity = buffer->to + n;
	char *memory = realloc(buffer->memory, capacity);
	if (memory == NULL)
		return false;
	buffer->memory = memory;
	buffer->capacity = capacity;
	return true;
}

bool buffer_add(struct buffer *buffer, const void *bytes, size_t n)
{
	if (!buffer_reserve(buffer, n))
		return false;
	if (n > 0)
		memcpy(buffer->memory + buffer->to, bytes, n);
	buffer->to += n;
	return true;
}

void buffer_take(struct buffer *buffer, size_t n)
{
	tuner_assert(n <= buffer_size(buffer));
	buffer->from += n;
}

size_t buffer_size(const struct buffer *buffer)
{
	return buffer->to - buffer->from;
}

void buffer_finish(struct buffer *buffer)
{
	free(buffer->memory);
	*buffer = (struct buffer){ 0 };
}

/* ---- numbers and fields ---- */

static void put_number(struct buffer *to, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		to->memory[to->to++] = (char)(value >> (8 * i) & 0xff);
}

static void put_field(struct buffer *to, const void *bytes, size_t n)
{
	put_number(to, n, 4);
	if (n > 0)
		memcpy(to->memory + to->to, bytes, n);
	to->to += n;
}

static uint64_t get_number(const char *bytes, size_t n)
{
	uint64_t value = 0;

	for (size_t i = n; i-- > 0;)
		value = value << 8 | (unsigned char)bytes[i];
	return value;
}

/* Moves *at past the field; false if the field is longer than the remaining bytes. */
static bool get_field(const char *bytes, size_t n, size_t *at, const char **ret, size_t *ret_n)
{
	if (n - *at < 4)
		return false;
	const size_t length = (size_t)get_number(bytes + *at, 4);
	if (n - *at - 4 < length)
		return false;
	*ret = bytes + *at + 4;
	*ret_n = length;
	*at += 4 + length;
	return true;
}

/* The same for a field that we use as a string. */
static bool get_string(const char *bytes, size_t n, size_t *at, char *ret, size_t size)
{
	const char *field;
	size_t length;

	if (!get_field(bytes, n, at, &field, &length) || length >= size ||
		memchr(field, '\0', length) != NULL)
		return false;
	memcpy(ret, field, length);
	ret[length] = '\0';
	return true;
}

/* ---- messages ---- */

static bool is_kind(unsigned kind)
{
	return (kind >= MESSAGE_START && kind <= MESSAGE_RELEASE) ||
	       (kind >= MESSAGE_HELLO && kind <= MESSAGE_CLAIMED);
}

bool message_write(struct buffer *to, const struct message *message)
{
	const size_t directory = strlen(message->directory), key = strlen(message->key);
	const size_t length = FIXED + FIELDS * 4 + directory + key + message->n;

	tuner_assert(is_kind((unsigned)message->kind));
	if (message->n > MESSAGE_BYTES_MAX || length > MESSAGE_BYTES_MAX ||
		!buffer_reserve(to, HEAD + length))
		return false;
	put_number(to, length, HEAD);
	put_number(to, (uint64_t)message->kind, 1);
	put_number(to, (uint64_t)message->attempt, 8);
	put_number(to, (uint64_t)message->number, 8);
	put_field(to, message->directory, directory);
	put_field(to, message->key, key);
	put_field(to, message->bytes, message->n);
	return true;
}

enum message_read message_read(const struct buffer *from, struct message *ret, size_t *ret_used)
{
	const size_t n = buffer_size(from);
	size_t at = FIXED;

	if (n < HEAD)
		return MESSAGE_PART;
	const char *bytes = from->memory + from->from;
	const size_t length = (size_t)get_number(bytes, HEAD);
	if (length < FIXED + FIELDS * 4 || length > MESSAGE_BYTES_MAX)
		return MESSAGE_BAD;
	if (n > HEAD && !is_kind((unsigned char)bytes[HEAD]))
		return MESSAGE_BAD;
	if (n - HEAD < length)
		return MESSAGE_PART;
	bytes += HEAD;
	ret->kind = (enum message_kind)(unsigned char)bytes[0];
	ret->attempt = (int64_t)get_number(bytes + 1, 8);
	ret->number = (int64_t)get_number(bytes + 9, 8);
	if (!get_string(bytes, length, &at, ret->directory, sizeof(ret->directory)) ||
		!get_string(bytes, length, &at, ret->key, sizeof(ret->key)) ||
		!get_field(bytes, length, &at, &ret->bytes, &ret->n) || at != length)
		return MESSAGE_BAD;
	*ret_used = HEAD + length;
	return MESSAGE_READ;
}

/* ---- entries ---- */

bool entry_write(
	struct buffer *to, enum entry_kind kind, const char *name, const void *bytes, size_t n)
{
	if (n > MESSAGE_BYTES_MAX || !buffer_reserve(to, 1 + 4 + strlen(name) + 4 + n))
		return false;
	put_number(to, (uint64_t)kind, 1);
	put_field(to, name, strlen(name));
	put_field(to, bytes, n);
	return true;
}

bool entry_read(const char *bytes, size_t n, size_t *at, struct entry *ret)
{
	size_t next = *at + 1;

	if (*at >= n)
		return false;
	switch (bytes[*at]) {
	case ENTRY_DIRECTORY:
	case ENTRY_FILE:
	case ENTRY_LINK:
	case ENTRY_FACT:
		ret->kind = (enum entry_kind)bytes[*at];
		break;
	default:
		return false;
	}
	if (!get_string(bytes, n, &next, ret->name, sizeof(ret->name)) ||
		!get_field(bytes, n, &next, &ret->bytes, &ret->n))
		return false;
	*at = next;
	return true;
}

bool path_is_below(const char *path)
{
	for (const char *part = path;; part++) {
		const size_t n = strcspn(part, "/");
		if (n == 0 || (n == 1 && part[0] == '.') ||
			(n == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		part += n;
		if (*part == '\0')
			return true;
	}
}
