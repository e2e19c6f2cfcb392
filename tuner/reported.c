#include "tuner/reported.h"

#include "base/number.h"
#include "tuner/text_width.h"

#include <stdlib.h>
#include <string.h>

enum { NAMED_MAX = 10 };

bool reported_has(const struct metric_names *names, const char *metric)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(metric, names->items[i]) == 0)
			return true;
	return false;
}

bool reported_add(struct metric_names *names, const char *metric)
{
	if (reported_has(names, metric))
		return true;
	char *copy = strdup(metric);
	char **items = realloc(names->items, (names->n + 1) * sizeof(*items));
	if (items != NULL)
		names->items = items;
	if (copy == NULL || items == NULL) {
		free(copy);
		return false;
	}
	items[names->n++] = copy;
	return true;
}

void reported_guess(const struct metric_names *names, const char *metric, struct text *ret)
{
	const char *nearest = nearest_word(metric, (const char *const *)names->items, names->n);

	if (nearest != NULL) {
		text_add(ret, "did you mean \"");
		text_add_visible(ret, nearest);
		text_add(ret, "\"?");
		return;
	}
	for (size_t i = 0; i < names->n && i < NAMED_MAX; i++) {
		text_add(ret, i == 0 ? "there are " : ", ");
		text_add_visible(ret, names->items[i]);
	}
	if (names->n > NAMED_MAX)
		text_print(ret, " and %zu more", names->n - NAMED_MAX);
}
