#include "surrogate/vecchia_block.h"

#include "surrogate/lanes.h"

#include <math.h>
#include <string.h>

static const double FAR = 1000; /* kernel.c: there the kernel is 0 */

INLINE lanes load_at(const double *from, size_t place)
{
	return load(from + place * KERNEL_LANES);
}

INLINE void store_at(double *to, size_t place, lanes v)
{
	store(to + place * KERNEL_LANES, v);
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
		const lanes a = load_at(Z, i * d + k), b = load_at(Z, j * d + k);

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

			store_at(ret, row_of(i) + j,
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
			const lanes rho = -load_at(distance, pair);
			const lanes e = load_at(block->K, pair) *
					(load_at(block->present, i) * load_at(block->present, j));

			store_at(block->K, pair, e * (1.0 + rho + rho * rho * (1.0 / 3)));
			store_at(block->G, pair, e * (1.0 + rho) * (5.0 / 3));
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
		lanes pivot = 1.0 + load_at(block->noise, i);

		for (size_t k = 0; k < i; k++) {
			const lanes l = load_at(row, k) * load_at(block->diagonal, k);

			store_at(row, k, l);
			for (size_t j = k + 1; j < i; j++)
				store_at(row, j,
					load_at(row, j) - l * load_at(block->K, row_of(j) + k));
			pivot -= l * l;
		}
		good &= pivot > 0;
		store_at(block->diagonal, i, 1.0 / square_root(pivot));
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
		lanes sum = load_at(b, i);

		for (size_t j = 0; j < i; j++)
			sum -= load_at(block->K, row_of(i) + j) * load_at(b, j);
		store_at(b, i, sum * load_at(block->diagonal, i));
	}
}

FOR_EACH_CPU
void vecchia_block_backward(const struct vecchia_block *block, size_t n, double *b)
{
	for (size_t i = n; i-- > 0;) {
		const lanes v = load_at(b, i) * load_at(block->diagonal, i);

		store_at(b, i, v);
		for (size_t j = 0; j < i; j++)
			store_at(b, j, load_at(b, j) - v * load_at(block->K, row_of(i) + j));
	}
}

FOR_EACH_CPU
void vecchia_block_weigh(
	const struct vecchia_block *block, const double *x, const double *u, double *ret_H)
{
	for (size_t i = 1; i < block->points; i++)
		for (size_t j = 0; j < i; j++) {
			const size_t pair = row_of(i) + j;

			store_at(ret_H, pair,
				(load_at(x, i) * load_at(u, j) + load_at(x, j) * load_at(u, i)) *
					load_at(block->G, pair));
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
		const lanes z = load_at(block->Z, i * d + k);
		lanes row = { 0 };

		for (size_t j = 0; j < i; j++) {
			const lanes h = load_at(H, row_of(i) + j),
				    there = load_at(block->Z, j * d + k);

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
		sum += load_at(x, i) * load_at(u, i) * load_at(block->noise, i);
	return sum_of(sum);
}

FOR_EACH_CPU
void vecchia_block_pull(const struct kernel *kernel, const struct vecchia_block *block,
	const double *H, size_t k, double *ret)
{
	memset(ret, 0, block->points * KERNEL_LANES * sizeof *ret);
	for (size_t i = 1; i < block->points; i++)
		for (size_t j = 0; j < i; j++) {
			const lanes by = load_at(H, row_of(i) + j) *
					 (load_at(block->Z, i * kernel->d + k) -
						 load_at(block->Z, j * kernel->d + k));

			store_at(ret, i, load_at(ret, i) - by);
			store_at(ret, j, load_at(ret, j) + by);
		}
}
