/* The few loops that take most of the time, compiled once for each instruction set. Inside
 * surrogate/.
 *
 * A file *_loops.c is built several times (meson.build) with different LOOPS_CPU and LOOPS_BYTES,
 * the width of a vector; each build defines one table of functions, LOOPS(kernel_loops) and so on.
 * The tables differ in speed only: each operator of GCC's vector extension works lane by lane, in
 * IEEE arithmetic; the build forbids contraction (-ffp-contract=off), and every sum has an explicit
 * order.
 *
 * Neither target_clones nor one width for all CPUs would do: a vector wider than the CPU's is split
 * up through the stack, which is three times as slow, and clones for "arch=haswell" are used on
 * Intel's Haswell only. */
#ifndef SURROGATE_LOOPS_H
#define SURROGATE_LOOPS_H

#if __FLT_EVAL_METHOD__ == 2
#error "doubles are computed with more digits than they hold: build with -mfpmath=sse -msse2"
#endif

/* (Tests set it to 0 or 1, for the plain instructions or AVX2 at most.) */
#ifndef LOOPS_MOST
#if defined(__x86_64__)
#define LOOPS_MOST 2
#else
#define LOOPS_MOST 0
#endif
#endif

#define LOOPS_NAME_OF(table, cpu) table##_##cpu
#define LOOPS_NAME(table, cpu)    LOOPS_NAME_OF(table, cpu)
#define LOOPS(table)              LOOPS_NAME(table, LOOPS_CPU)

#define LOOPS_DECLARE(table)                                                                       \
	extern const struct table LOOPS_NAME(table, plain), LOOPS_NAME(table, avx2),               \
		LOOPS_NAME(table, avx512)

/* The fastest table whose instructions this CPU has. */
#if LOOPS_MOST == 2
#define LOOPS_OF_CPU(table)                                                                        \
	(__builtin_cpu_supports("avx512f") ? &LOOPS_NAME(table, avx512) : LOOPS_UP_TO_AVX2(table))
#elif LOOPS_MOST == 1
#define LOOPS_OF_CPU(table) LOOPS_UP_TO_AVX2(table)
#else
#define LOOPS_OF_CPU(table) (&LOOPS_NAME(table, plain))
#endif

#define LOOPS_UP_TO_AVX2(table)                                                                    \
	(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")                           \
			? &LOOPS_NAME(table, avx2)                                                 \
			: &LOOPS_NAME(table, plain))

#endif
