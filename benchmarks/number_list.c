#include "benchmarks/number_list.h"

#include <stdlib.h>

size_t number_list_read(const char *text, size_t ret[NUMBER_LIST_MAX])
{
	size_t n = 0;

	for (char *end; *text; text = *end == ',' ? end + 1 : end) {
		if (n == NUMBER_LIST_MAX)
			return 0;
		ret[n++] = strtoul(text, &end, 10);
		if (end == text || (*end && *end != ',') || ret[n - 1] == 0)
			return 0;
	}
	return n;
}
