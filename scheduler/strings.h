/* Growing vectors of strings: arguments, and environments with each name once.
 *
 *     struct strings strings = { 0 };
 *     strings_put(&strings, "TUNER_TRIAL", "%lld", 7LL);
 *     if (strings_failed(&strings)) ...
 *     strings_finish(&strings);
 *
 * As in text.h, adding never reports failure at the call: check once at the end. */
#ifndef SCHEDULER_STRINGS_H
#define SCHEDULER_STRINGS_H

#include "base/text.h"

struct strings {
	struct text bytes; /* every string with its terminator, including replaced ones */
	struct string_place {
		size_t at, length;
		size_t name_length; /* bytes before '='; `length` without one */
	} * items;
	size_t n, capacity;
	bool failed;
};

/* Appends a string as it is. */
void strings_add(struct strings *strings, const char *string);

/* Appends NAME=VALUE, or replaces the string with that name in its place. */
void strings_put(struct strings *strings, const char *name, const char *format, ...)
	TUNER_PRINTF(3, 4);
void strings_put_text(struct strings *strings, const char *name, const char *value);

/* The same with a string that is NAME=VALUE already. */
void strings_put_pair(struct strings *strings, const char *pair);

/* The value of NAME, valid until the next call that adds; NULL if there is none. */
const char *strings_get(const struct strings *strings, const char *name);

const char *strings_item(const struct strings *strings, size_t i);
/* NULL-terminated, valid until the next call that adds; the caller frees it, not its strings. NULL without
 * memory. */
char **strings_vector(const struct strings *strings);
bool strings_failed(const struct strings *strings);
void strings_finish(struct strings *strings);

#endif
