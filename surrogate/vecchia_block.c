#include "surrogate/vecchia_block.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* As in kernel.c: IEEE arithmetic lane by lane, in clones that differ in speed only. */
typedef double lanes __attribute__((vector_size(KERNEL_LANES * sizeof(double))));
typedef int64_t lane_bits __attribute__((vector_size(KERNEL_LANES * sizeof(int64_t))));

#define INLINE static inline __attribute__((always_inline))

/* (A test defines it empty, for the plain instructions alone.) */
#ifndef FOR_EACH_CPU
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__)
#define FOR_EACH_CPU __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_CPU
#endif
#endif

static const double FAR = 1000; /* kernel.c: there the kernel is 0 */

INLINE lanes load(const double *from, size_t place)
{
	lanes v;

	memcpy(&v, from + place * KERNEL_LANES, sizeof(v));
	return v;
}

INLINE void store(double *to, size_t place, lanes v)
{
	memcpy(to + place * KERNEL_LANES, &v, sizeof(v));
}

INLINE lanes where(lane_bits mask, lanes v)
{
	return (lanes)(mask & (lane_bits)v);
}

INLINE lanes square_root(lanes v)
{
	double each[KERNEL_LANES];

	store(each, 0, v);
	for (size_t l = 0; l < KERNEL_LANES; l++)
		each[l] = sqrt(each[l]);
	return load(each, 0);
}

INLINE double sum_of(lanes s)
{
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* Where row i of the pairs begins. */
INLINE size_t row_of(size_t i)
{
	return i * (i - 1) / 2;
}

INLINE lanes squared_distance(const struct kernel *kernel, const double *Z, size_t i, size_t j)
{
	const size_t d = kernel->d;
	lanes r2 = { 0 };

	for (size_t k = 0; k < d; k++) {
		const lanes a = load(Z, i * d + k), b = load(Z, j * d + k);

		if (kernel->kinds[k] == DIMENSION_CATEGORY) {
			const double w = kernel->inverse_lengths[k];

			r2 += where(a != b, (lanes){ 0 } + w * w);
		} else {
			r2 += (a - b) * (a - b);
		}
	}
	return r2;
}

/* -rho of all pairs. */
FOR_EACH_CPU
static void distances(const struct kernel *kernel, const struct vecchia_block *block, double *ret)
{
	for (size_t i = 1; i < block->points; i++)
		for (size_t j = 0; j < i; j++) {
			const lanes rho =
				square_root(squared_distance(kernel, block->Z, i, j) * 5.0);
			const lane_bits far = rho > FAR;

			store(ret, row_of(i) + j,
				-(where(~far, rho) + where(far, (lanes){ 0 } + FAR)));
		}
}

/* Matern's polynomials over the exponentials. */
FOR_EACH_CPU
static void covariances(const struct vecchia_block *block, const double *distance)
{
	for (size_t i = 1; i < block->points; i++)
		for (size_t j = 0; j < i; j++) {
			const size_t pair = row_of(i) + j;
			const lanes rho = -load(distance, pair);
			const lanes e = load(block->K, pair) *
					(load(block->present, i) * load(block->present, j));

			store(block->K, pair, e * (1.0 + rho + rho * rho * (1.0 / 3)));
			store(block->G, pair, e * (1.0 + rho) * (5.0 / 3));
		}
}

/* Row by row: what row i has in column k is taken from the columns behind it. */
FOR_EACH_CPU
static bool factor(const struct vecchia_block *block)
{
	lane_bits good = { 0 };

	good = ~good;
	for (size_t i = 0; i < block->points; i++) {
		double *row = block->K + row_of(i) * KERNEL_LANES;
		lanes pivot = 1.0 + load(block->noise, i);

		for (size_t k = 0; k < i; k++) {
			const lanes l = load(row, k) * load(block->diagonal, k);

			store(row, k, l);
			for (size_t j = k + 1; j < i; j++)
				store(row, j, load(row, j) - l * load(block->K, row_of(j) + k));
			pivot -= l * l;
		}
		good &= pivot > 0;
		store(block->diagonal, i, 1.0 / square_root(pivot));
	}
	for (size_t l = 0; l < KERNEL_LANES; l++)
		if (!good[l])
			return false;
	return true;
}

bool vecchia_block_factor(
	const struct kernel *kernel, const struct vecchia_block *block, double *scratch)
{
	distances(kernel, block, scratch);
	kernel_exp(scratch, row_of(block->points) * KERNEL_LANES, block->K);
	covariances(block, scratch);
	return factor(block);
}

FOR_EACH_CPU
void vecchia_block_forward(const struct vecchia_block *block, size_t n, double *b)
{
	for (size_t i = 0; i < n; i++) {
		lanes sum = load(b, i);

		for (size_t j = 0; j < i; j++)
			sum -= load(block->K, row_of(i) + j) * load(b, j);
		store(b, i, sum * load(block->diagonal, i));
	}
}

FOR_EACH_CPU
void vecchia_block_backward(const struct vecchia_block *block, size_t n, double *b)
{
	for (size_t i = n; i-- > 0;) {
		const lanes v = load(b, i) * load(block->diagonal, i);

		store(b, i, v);
		for (size_t j = 0; j < i; j++)
			store(b, j, load(b, j) - v * load(block->K, row_of(i) + j));
	}
}

FOR_EACH_CPU
void vecchia_block_weigh(
	const struct vecchia_block *block, const double *x, const double *u, double *ret_H)
{
	for (size_t i = 1; i < block->points; i++)
		for (size_t j = 0; j < i; j++) {
			const size_t pair = row_of(i) + j;

			store(ret_H, pair,
				(load(x, i) * load(u, j) + load(x, j) * load(u, i)) *
					load(block->G, pair));
		}
}

FOR_EACH_CPU
double vecchia_block_length(
	const struct kernel *kernel, const struct vecchia_block *block, const double *H, size_t k)
{
	const bool category = kernel->kinds[k] == DIMENSION_CATEGORY;
	const double w = kernel->inverse_lengths[k];
	const size_t d = kernel->d;
	lanes sum = { 0 };

	for (size_t i = 1; i < block->points; i++) {
		const lanes z = load(block->Z, i * d + k);
		lanes row = { 0 };

		for (size_t j = 0; j < i; j++) {
			const lanes h = load(H, row_of(i) + j), there = load(block->Z, j * d + k);

			row += category ? where(there != z, h) : h * ((z - there) * (z - there));
		}
		sum += row;
	}
	return category ? sum_of(sum) * (w * w) : sum_of(sum);
}

FOR_EACH_CPU
double vecchia_block_noise(const struct vecchia_block *block, const double *x, const double *u)
{
	lanes sum = { 0 };

	for (size_t i = 0; i < block->points; i++)
		sum += load(x, i) * load(u, i) * load(block->noise, i);
	return sum_of(sum);
}

FOR_EACH_CPU
void vecchia_block_pull(const struct kernel *kernel, const struct vecchia_block *block,
	const double *H, size_t k, double *ret)
{
	memset(ret, 0, block->points * KERNEL_LANES * sizeof *ret);
	for (size_t i = 1; i < block->points; i++)
		for (size_t j = 0; j < i; j++) {
			const lanes by =
				load(H, row_of(i) + j) * (load(block->Z, i * kernel->d + k) -
								 load(block->Z, j * kernel->d + k));

			store(ret, i, load(ret, i) - by);
			store(ret, j, load(ret, j) + by);
		}
}
