/* Vectors of doubles, as wide as the CPU's (loops.h). Only *_loops.c include it.
 *
 * Storage and the order of sums are by blocks of KERNEL_LANES numbers, whatever the width: a block
 * is VECTORS vectors. */
#ifndef SURROGATE_LANES_H
#define SURROGATE_LANES_H

#include "surrogate/kernel.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { LANES = LOOPS_BYTES / sizeof(double), VECTORS = KERNEL_LANES / LANES };

typedef double lanes __attribute__((vector_size(LOOPS_BYTES)));
typedef int64_t lane_bits __attribute__((vector_size(LOOPS_BYTES)));

/* Vectors are passed between inlined functions only, so no call depends on how a CPU passes them
 * (meson.build turns GCC's note about that off). */
#define INLINE static inline __attribute__((always_inline))

INLINE lanes load(const double *from)
{
	lanes v;

	memcpy(&v, from, sizeof(v));
	return v;
}

INLINE void store(double *to, lanes v)
{
	memcpy(to, &v, sizeof(v));
}

INLINE lanes all(double value)
{
	return (lanes){ 0 } + value;
}

INLINE lanes where(lane_bits mask, lanes v)
{
	return (lanes)(mask & (lane_bits)v);
}

/* Square roots are correctly rounded in IEEE arithmetic, lane by lane or not. */
INLINE lanes square_root(lanes v)
{
	double each[LANES];

	store(each, v);
	for (size_t l = 0; l < LANES; l++)
		each[l] = sqrt(each[l]);
	return load(each);
}

/* The sum of a block, in this order on every CPU. */
INLINE double sum_of(const lanes *block)
{
	double s[KERNEL_LANES];

	memcpy(s, block, sizeof(s));
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

#endif
