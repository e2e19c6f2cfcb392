#include "surrogate/scramble_loops.h"

static inline uint32_t reversed(uint32_t x)
{
	x = (x & 0x55555555u) << 1 | (x >> 1 & 0x55555555u);
	x = (x & 0x33333333u) << 2 | (x >> 2 & 0x33333333u);
	x = (x & 0x0f0f0f0fu) << 4 | (x >> 4 & 0x0f0f0f0fu);
	x = (x & 0x00ff00ffu) << 8 | (x >> 8 & 0x00ff00ffu);
	return x << 16 | x >> 16;
}

/* A permutation of 32-bit words in which each bit depends only on itself and the bits below it:
 * each multiplier is even. Constants: Burley 2020, listing 1. */
static inline uint32_t laine_karras(uint32_t x, uint32_t seed)
{
	x += seed;
	x ^= x * 0x6c50b47cu;
	x ^= x * 0xb82f1e52u;
	x ^= x * 0xc7afe638u;
	x ^= x * 0x8d22f6e6u;
	return x;
}

static inline uint32_t owen(uint32_t x, uint32_t seed)
{
	return reversed(laine_karras(reversed(x), seed));
}

/* A hash of the point's index (the finaliser of MurmurHash3): 32 bits without structure that could
 * show in the 21 used, which are 2^-33 and smaller in the coordinate. */
static inline uint32_t hash(uint32_t index, uint32_t seed)
{
	uint32_t x = index ^ seed;

	x = (x ^ x >> 16) * 0x85ebca6bu;
	x = (x ^ x >> 13) * 0xc2b2ae35u;
	return x ^ x >> 16;
}

/* The 32 bits of the word and 21 below them, as many as a double below 1 holds. */
static inline double coordinate(uint32_t word, uint32_t below)
{
	return ((double)word + (double)(below >> 11) * 0x1p-21) * 0x1p-32;
}

static uint32_t count(uint32_t index, uint32_t seed)
{
	return reversed(owen(index, seed));
}

static void point(const uint32_t *restrict words, uint32_t index, const uint32_t *restrict bits,
	const uint32_t *restrict below, size_t n, double *restrict ret_u)
{
	for (size_t k = 0; k < n; k++)
		ret_u[k] = coordinate(owen(words[k], bits[k]), hash(index, below[k]));
}

const struct scramble_loops LOOPS(scramble_loops) = {
	.count = count,
	.point = point,
};
