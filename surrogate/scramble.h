/* Owen's nested uniform scrambling of a quasi-random point, after Burley, "Practical Hash-based
 * Owen Scrambling", Journal of Computer Graphics Techniques 9(4), 2020: all coordinates side by
 * side. Integer arithmetic throughout, so the same bits on every machine. */
#ifndef SURROGATE_SCRAMBLE_H
#define SURROGATE_SCRAMBLE_H

#include <stddef.h>
#include <stdint.h>

/* The reversed bits of the scrambled number `index`: a point of van der Corput's sequence, in a
 * random order. */
uint32_t scramble_count(uint32_t index, uint32_t seed);

/* Point `index` of a sequence, given as words whose first bits are those of its coordinates, mapped
 * to [0, 1): scrambled with the seeds `bits`, with 21 random bits below the word from the seeds
 * `below`. All arrays have n entries. */
void scramble_point(const uint32_t *words, uint32_t index, const uint32_t *bits,
	const uint32_t *below, size_t n, double *ret_u);

#endif
