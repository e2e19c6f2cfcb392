#include "tuner/diagnostics.h"

#include "tuner/text_width.h"

#include <stdio.h>
#include <string.h>

/* Where the next one goes: behind the others or, once the list is full, over the last warning if an
 * error comes. */
static struct diagnostic *room_for(struct diagnostics *list, bool warning)
{
	if (list->n < DIAGNOSTICS_MAX)
		return &list->items[list->n++];
	for (size_t i = list->n; !warning && i-- > 0;)
		if (list->items[i].warning)
			return &list->items[i];
	return NULL;
}

/* Cuts a message that vsnprintf has cut already at a whole character. */
static void trim(char *message, size_t size)
{
	size_t length = strlen(message), end = length;

	if (length + 1 < size)
		return;
	while (end > 0 && ((unsigned char)message[end - 1] & 0xC0) == 0x80)
		end--;
	if (end > 0 && !text_utf8_character(message + end - 1, length - (end - 1)))
		message[end - 1] = '\0';
}

TUNER_PRINTF(4, 0)
static void diagnose(struct diagnostics *list, bool warning, struct json_place place,
	const char *format, va_list args)
{
	struct diagnostic *item = room_for(list, warning);

	list->errors += !warning;
	if (item == NULL)
		return;
	*item = (struct diagnostic){ .warning = warning, .place = place };
	vsnprintf(item->message, sizeof(item->message), format, args);
	trim(item->message, sizeof(item->message));
}

void diagnose_error(struct diagnostics *list, struct json_place place, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	diagnose(list, false, place, format, args);
	va_end(args);
}

void diagnose_warning(struct diagnostics *list, struct json_place place, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	diagnose(list, true, place, format, args);
	va_end(args);
}

static bool comes_before(const struct diagnostic *a, const struct diagnostic *b)
{
	if (a->place.line != b->place.line)
		return a->place.line < b->place.line;
	return a->place.column < b->place.column;
}

/* Insertion: at most DIAGNOSTICS_MAX, nearly sorted, and equal places stay in their order. */
static size_t sort_by_place(const struct diagnostics *list, const struct diagnostic **ret)
{
	for (size_t i = 0; i < list->n; i++) {
		size_t at = i;
		for (; at > 0 && comes_before(&list->items[i], ret[at - 1]); at--)
			ret[at] = ret[at - 1];
		ret[at] = &list->items[i];
	}
	return list->n;
}

static void print_one(const struct diagnostic *item, const char *file, struct text *ret)
{
	text_add(ret, file);
	if (item->place.line > 0)
		text_print(ret, ":%u:%u", item->place.line, item->place.column);
	text_print(ret, ": %s: ", item->warning ? "warning" : "error");
	text_add_visible(ret, item->message); /* it quotes what the file has */
	text_add(ret, "\n");
}

void diagnostics_print(const struct diagnostics *list, const char *file, struct text *ret)
{
	const struct diagnostic *sorted[DIAGNOSTICS_MAX];
	const size_t n = sort_by_place(list, sorted);
	size_t printed = 0;

	for (size_t i = 0; i < n; i++) {
		print_one(sorted[i], file, ret);
		printed += !sorted[i]->warning;
	}
	if (list->errors > printed)
		text_print(ret, "%s: and %zu more errors\n", file, list->errors - printed);
}
