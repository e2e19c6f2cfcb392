/* scramble.h's functions. Inside scramble.c. */
#ifndef SURROGATE_SCRAMBLE_LOOPS_H
#define SURROGATE_SCRAMBLE_LOOPS_H

#include "surrogate/loops.h"
#include "surrogate/scramble.h"

struct scramble_loops {
	uint32_t (*count)(uint32_t index, uint32_t seed);
	void (*point)(const uint32_t *restrict words, uint32_t index, const uint32_t *restrict bits,
		const uint32_t *restrict below, size_t n, double *restrict ret_u);
};

LOOPS_DECLARE(scramble_loops);

#endif
