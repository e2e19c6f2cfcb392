/* Whether this build watches addresses. It takes three to eight times as long, and its numbers are those of the plain build
 * to the bit (test_kernel.c): where a test looks at many of a kind, this build looks at some. SANITIZED_ALL=1 in the
 * environment has it look at all. */
#ifndef TESTS_SANITIZED_H
#define TESTS_SANITIZED_H

#include <stddef.h>
#include <stdlib.h>

static inline size_t all_or(size_t all, size_t some)
{
#ifdef __SANITIZE_ADDRESS__
	return getenv("SANITIZED_ALL") == NULL ? some : all;
#else
	(void)some;
	return all;
#endif
}

#endif
