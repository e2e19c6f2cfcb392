#include "surrogate/scramble.h"

#include "surrogate/scramble_loops.h"

static const struct scramble_loops *loops(void)
{
	return LOOPS_OF_CPU(scramble_loops);
}

uint32_t scramble_count(uint32_t index, uint32_t seed)
{
	return loops()->count(index, seed);
}

void scramble_point(const uint32_t *words, uint32_t index, const uint32_t *bits,
	const uint32_t *below, size_t n, double *ret_u)
{
	loops()->point(words, index, bits, below, n, ret_u);
}
