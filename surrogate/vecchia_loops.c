#include "surrogate/vecchia_loops.h"

#include "surrogate/lanes.h"

#include <math.h>
#include <string.h>

static const double FAR = 1000; /* kernel_loops.c: there the kernel is 0 */

/* The vector of a place from `lane` on. */
INLINE lanes load_at(const double *from, size_t place, size_t lane)
{
	return load(from + place * KERNEL_LANES + lane);
}

INLINE void store_at(double *to, size_t place, size_t lane, lanes v)
{
	store(to + place * KERNEL_LANES + lane, v);
}

/* Index of the first pair of row i. */
INLINE size_t row_of(size_t i)
{
	return i * (i - 1) / 2;
}

INLINE lanes squared_distance(
	const struct kernel *kernel, const double *Z, size_t i, size_t j, size_t lane)
{
	const size_t d = kernel->d;
	lanes r2 = all(0);

	for (size_t k = 0; k < d; k++) {
		const lanes a = load_at(Z, i * d + k, lane), b = load_at(Z, j * d + k, lane);

		if (kernel->kinds[k] == DIMENSION_CATEGORY) {
			const double w = kernel->inverse_lengths[k];

			r2 += where(a != b, all(w * w));
		} else {
			r2 += (a - b) * (a - b);
		}
	}
	return r2;
}

static void distances(const struct kernel *kernel, const struct vecchia_block *block, double *ret)
{
	for (size_t i = 1; i < block->points; i++)
		for (size_t j = 0; j < i; j++)
			for (size_t l = 0; l < KERNEL_LANES; l += LANES) {
				const lanes r2 = squared_distance(kernel, block->Z, i, j, l);
				const lanes rho = square_root(r2 * 5.0);
				const lane_bits far = rho > FAR;

				store_at(ret, row_of(i) + j, l,
					-(where(~far, rho) + where(far, all(FAR))));
			}
}

static void covariances(const struct vecchia_block *block, const double *distance)
{
	for (size_t i = 1; i < block->points; i++)
		for (size_t j = 0; j < i; j++)
			for (size_t l = 0; l < KERNEL_LANES; l += LANES) {
				const size_t pair = row_of(i) + j;
				const lanes rho = -load_at(distance, pair, l);
				const lanes present = load_at(block->present, i, l) *
						      load_at(block->present, j, l);
				const lanes e = load_at(block->K, pair, l) * present;

				store_at(
					block->K, pair, l, e * (1.0 + rho + rho * rho * (1.0 / 3)));
				store_at(block->G, pair, l, e * (1.0 + rho) * (5.0 / 3));
			}
}

/* Row by row: entry k of row i is subtracted from the columns behind it. False if a pivot is not
 * positive. */
INLINE bool factor_lanes(const struct vecchia_block *block, size_t lane)
{
	lane_bits good = ~(lane_bits){ 0 };

	for (size_t i = 0; i < block->points; i++) {
		double *row = block->K + row_of(i) * KERNEL_LANES;
		lanes pivot = 1.0 + load_at(block->noise, i, lane);

		for (size_t k = 0; k < i; k++) {
			const lanes l = load_at(row, k, lane) * load_at(block->diagonal, k, lane);

			store_at(row, k, lane, l);
			for (size_t j = k + 1; j < i; j++)
				store_at(row, j, lane,
					load_at(row, j, lane) -
						l * load_at(block->K, row_of(j) + k, lane));
			pivot -= l * l;
		}
		good &= pivot > 0;
		store_at(block->diagonal, i, lane, 1.0 / square_root(pivot));
	}
	for (size_t l = 0; l < LANES; l++)
		if (!good[l])
			return false;
	return true;
}

static bool factor(const struct vecchia_block *block)
{
	bool good = true;

	for (size_t l = 0; l < KERNEL_LANES; l += LANES)
		good &= factor_lanes(block, l);
	return good;
}

static void forward(const struct vecchia_block *block, size_t n, double *b)
{
	for (size_t l = 0; l < KERNEL_LANES; l += LANES)
		for (size_t i = 0; i < n; i++) {
			lanes sum = load_at(b, i, l);

			for (size_t j = 0; j < i; j++)
				sum -= load_at(block->K, row_of(i) + j, l) * load_at(b, j, l);
			store_at(b, i, l, sum * load_at(block->diagonal, i, l));
		}
}

static void backward(const struct vecchia_block *block, size_t n, double *b)
{
	for (size_t l = 0; l < KERNEL_LANES; l += LANES)
		for (size_t i = n; i-- > 0;) {
			const lanes v = load_at(b, i, l) * load_at(block->diagonal, i, l);

			store_at(b, i, l, v);
			for (size_t j = 0; j < i; j++)
				store_at(b, j, l,
					load_at(b, j, l) - v * load_at(block->K, row_of(i) + j, l));
		}
}

static void weigh(
	const struct vecchia_block *block, const double *x, const double *u, double *ret_H)
{
	for (size_t i = 1; i < block->points; i++)
		for (size_t j = 0; j < i; j++)
			for (size_t l = 0; l < KERNEL_LANES; l += LANES) {
				const size_t pair = row_of(i) + j;

				store_at(ret_H, pair, l,
					(load_at(x, i, l) * load_at(u, j, l) +
						load_at(x, j, l) * load_at(u, i, l)) *
						load_at(block->G, pair, l));
			}
}

static double length(
	const struct kernel *kernel, const struct vecchia_block *block, const double *H, size_t k)
{
	const bool category = kernel->kinds[k] == DIMENSION_CATEGORY;
	const double w = kernel->inverse_lengths[k];
	const size_t d = kernel->d;
	lanes sum[VECTORS] = { 0 };

	for (size_t i = 1; i < block->points; i++)
		for (size_t v = 0; v < VECTORS; v++) {
			const lanes z = load_at(block->Z, i * d + k, v * LANES);
			lanes row = all(0);

			for (size_t j = 0; j < i; j++) {
				const lanes h = load_at(H, row_of(i) + j, v * LANES),
					    there = load_at(block->Z, j * d + k, v * LANES);

				row += category ? where(there != z, h)
						: h * ((z - there) * (z - there));
			}
			sum[v] += row;
		}
	return category ? sum_of(sum) * (w * w) : sum_of(sum);
}

static double noise(const struct vecchia_block *block, const double *x, const double *u)
{
	lanes sum[VECTORS] = { 0 };

	for (size_t i = 0; i < block->points; i++)
		for (size_t v = 0; v < VECTORS; v++)
			sum[v] += load_at(x, i, v * LANES) * load_at(u, i, v * LANES) *
				  load_at(block->noise, i, v * LANES);
	return sum_of(sum);
}

static void pull(const struct kernel *kernel, const struct vecchia_block *block, const double *H,
	size_t k, double *ret)
{
	memset(ret, 0, block->points * KERNEL_LANES * sizeof *ret);
	for (size_t i = 1; i < block->points; i++)
		for (size_t j = 0; j < i; j++)
			for (size_t l = 0; l < KERNEL_LANES; l += LANES) {
				const lanes by = load_at(H, row_of(i) + j, l) *
						 (load_at(block->Z, i * kernel->d + k, l) -
							 load_at(block->Z, j * kernel->d + k, l));

				store_at(ret, i, l, load_at(ret, i, l) - by);
				store_at(ret, j, l, load_at(ret, j, l) + by);
			}
}

const struct vecchia_loops LOOPS(vecchia_loops) = {
	.distances = distances,
	.covariances = covariances,
	.factor = factor,
	.forward = forward,
	.backward = backward,
	.weigh = weigh,
	.length = length,
	.noise = noise,
	.pull = pull,
};
