#include "base/array.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 16 };

bool array_reserve(void *array, size_t n, size_t *capacity, size_t size)
{
	void *items;

	if (n < *capacity)
		return true;
	const size_t larger = *capacity > 0 ? 2 * *capacity : FIRST_CAPACITY;

	memcpy(&items, array, sizeof(items)); /* a pointer of any type */
	items = reallocarray(items, larger, size);
	if (items == NULL)
		return false;
	memcpy(array, &items, sizeof(items));
	*capacity = larger;
	return true;
}
