/* Arrays that grow, item by item.
 *
 *     if (!array_reserve(&list->items, list->n, &list->capacity, sizeof(*list->items)))
 *             return tuner_fail_memory(err);
 *     list->items[list->n++] = item; */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Makes room for one more item behind n items of `size` bytes each. `array` is the address of the
 * pointer to the first item; the pointer may be NULL while *capacity is 0, and free() releases it.
 * False without memory: nothing has changed. */
TUNER_MUST_CHECK
bool array_reserve(void *array, size_t n, size_t *capacity, size_t size);

#endif
