/* Vectors of doubles, for the few loops that take most of the time. Only the room's own .c files include it.
 *
 * GCC's vector extension: each operator works lane by lane, in IEEE arithmetic whatever the instruction
 * set. So the clones that FOR_EACH_CPU makes of a function, wider where the CPU is, differ in speed only. That
 * holds because the build forbids contraction (-ffp-contract=off), and where a file has no reductions but
 * those whose order it writes out. */
#ifndef SURROGATE_LANES_H
#define SURROGATE_LANES_H

#include "surrogate/kernel.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

typedef double lanes __attribute__((vector_size(KERNEL_LANES * sizeof(double))));
typedef int64_t lane_bits __attribute__((vector_size(KERNEL_LANES * sizeof(int64_t))));

/* Vectors are passed between inlined functions only, so no call depends on how a CPU passes them
 * (meson.build turns GCC's note about that off). */
#define INLINE static inline __attribute__((always_inline))

/* (A test defines it empty, for the plain instructions alone.) */
#ifndef FOR_EACH_CPU
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__)
#define FOR_EACH_CPU __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_CPU
#endif
#endif

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

INLINE lanes where(lane_bits mask, lanes v)
{
	return (lanes)(mask & (lane_bits)v);
}

/* Square roots are correctly rounded in IEEE arithmetic, lane by lane or not. */
INLINE lanes square_root(lanes v)
{
	double each[KERNEL_LANES];

	store(each, v);
	for (size_t l = 0; l < KERNEL_LANES; l++)
		each[l] = sqrt(each[l]);
	return load(each);
}

/* In this order, whatever the CPU. */
INLINE double sum_of(lanes s)
{
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

#endif
