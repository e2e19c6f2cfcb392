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

/* Makes room for an item behind n others of `size` bytes each. `array` is the address of the pointer to the first, which may be
 * NULL as long as *capacity is 0; free() releases it. False without memory: all is as it was. */
TUNER_MUST_CHECK
bool array_reserve(void *array, size_t n, size_t *capacity, size_t size);

#endif
