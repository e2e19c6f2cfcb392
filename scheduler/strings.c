#include "scheduler/strings.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

static bool reserve(struct strings *strings)
{
	return array_reserve(
		&strings->items, strings->n, &strings->capacity, sizeof(*strings->items));
}

/* The item with this name; n if there is none. */
static size_t find(const struct strings *strings, const char *name, size_t length)
{
	size_t i = 0;

	while (i < strings->n && (strings->items[i].name_length != length ||
					 memcmp(strings_item(strings, i), name, length) != 0))
		i++;
	return i;
}

/* Makes an item of what has been appended to bytes since `at`. */
static void close_item(struct strings *strings, size_t at, bool replace)
{
	const size_t length = strings->bytes.length - at;

	text_add_char(&strings->bytes, '\0');
	if (text_failed(&strings->bytes) || !reserve(strings)) {
		strings->failed = true;
		return;
	}
	const char *string = strings->bytes.bytes + at;
	const char *equals = memchr(string, '=', length);
	const size_t name_length = equals != NULL ? (size_t)(equals - string) : length;
	const size_t i = replace ? find(strings, string, name_length) : strings->n;
	strings->items[i] = (struct string_place){ at, length, name_length };
	strings->n += i == strings->n;
}

void strings_add(struct strings *strings, const char *string)
{
	const size_t at = strings->bytes.length;

	text_add(&strings->bytes, string);
	close_item(strings, at, false);
}

void strings_put(struct strings *strings, const char *name, const char *format, ...)
{
	const size_t at = strings->bytes.length;
	va_list args;

	text_add(&strings->bytes, name);
	text_add_char(&strings->bytes, '=');
	va_start(args, format);
	text_print_v(&strings->bytes, format, args);
	va_end(args);
	close_item(strings, at, true);
}

void strings_put_text(struct strings *strings, const char *name, const char *value)
{
	strings_put(strings, name, "%s", value);
}

void strings_put_pair(struct strings *strings, const char *pair)
{
	const size_t at = strings->bytes.length;

	text_add(&strings->bytes, pair);
	close_item(strings, at, true);
}

const char *strings_get(const struct strings *strings, const char *name)
{
	const size_t length = strlen(name), i = find(strings, name, length);

	if (i == strings->n || strings->items[i].length == length)
		return NULL;
	return strings_item(strings, i) + length + 1;
}

const char *strings_item(const struct strings *strings, size_t i)
{
	return strings->bytes.bytes + strings->items[i].at;
}

char **strings_vector(const struct strings *strings)
{
	char **vector = strings_failed(strings) ? NULL : calloc(strings->n + 1, sizeof(*vector));
	for (size_t i = 0; vector != NULL && i < strings->n; i++)
		vector[i] = (char *)strings_item(strings, i);
	return vector;
}

bool strings_failed(const struct strings *strings)
{
	return strings->failed;
}

void strings_finish(struct strings *strings)
{
	text_finish(&strings->bytes);
	free(strings->items);
	*strings = (struct strings){ 0 };
}
