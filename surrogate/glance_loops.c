#include "surrogate/glance_loops.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* As in lanes.h, with numbers half as wide and twice as many lanes. */
enum { LANES = LOOPS_BYTES / sizeof(float) };

typedef float lanes __attribute__((vector_size(LOOPS_BYTES)));
typedef int32_t lane_bits __attribute__((vector_size(LOOPS_BYTES)));
typedef uint32_t lane_words __attribute__((vector_size(LOOPS_BYTES)));

#define INLINE static inline __attribute__((always_inline))

INLINE lanes load(const float *from)
{
	lanes v;

	memcpy(&v, from, sizeof(v));
	return v;
}

INLINE void store(float *to, lanes v)
{
	memcpy(to, &v, sizeof(v));
}

INLINE lanes all(float value)
{
	return (lanes){ 0 } + value;
}

INLINE lanes where(lane_bits mask, lanes v)
{
	return (lanes)(mask & (lane_bits)v);
}

INLINE lanes choose(lane_bits mask, lanes yes, lanes no)
{
	return where(mask, yes) + where(~mask, no);
}

INLINE lanes square_root(lanes v)
{
	float each[LANES];

	store(each, v);
	for (size_t l = 0; l < LANES; l++)
		each[l] = sqrtf(each[l]);
	return load(each);
}

/* a b + c, rounded once: the same bits whether the CPU has an instruction for it or not. */
INLINE lanes fused(lanes a, lanes b, lanes c)
{
	float x[LANES], y[LANES], z[LANES];

	store(x, a);
	store(y, b);
	store(z, c);
	for (size_t l = 0; l < LANES; l++)
		z[l] = __builtin_fmaf(x[l], y[l], z[l]);
	return load(z);
}

/* exp(x), x <= 0: as exp_lanes in kernel_loops.c, with Taylor's polynomial of degree 6; to 3e-7. */
INLINE lanes exp_lanes(lanes x)
{
	static const float SHIFT = 0x1.8p23f, LOG2_E = 0x1.715476p0f;
	static const float LN2_HIGH = 0x1.62e4p-1f, LN2_LOW = 0x1.7f7d1cp-20f;
	const lanes shifted = x * LOG2_E + SHIFT, m = shifted - SHIFT;
	const lanes f = (x - m * LN2_HIGH) - m * LN2_LOW;
	lanes q = all(1.0f / 720);

	q = fused(q, f, all(1.0f / 120));
	q = fused(q, f, all(1.0f / 24));
	q = fused(q, f, all(1.0f / 6));
	q = fused(q, f, all(0.5f));

	const lanes mantissa = fused(f * f, q, f) + 1.0f;
	/* Integer words may overflow: far below -87 they do, and the result is not used. */
	const lanes power = (lanes)(((lane_words)shifted << 23) + (lane_words)all(1));

	return where(x >= -87.0f, mantissa * power);
}

/* ln(x), x > 0 and normal: x = 2^m y, ln y = 2 artanh((y - 1) / (y + 1)), 1/sqrt 2 <= y < sqrt 2; to 2e-7. */
INLINE lanes log_lanes(lanes x)
{
	static const float LN2 = 0x1.62e43p-1f;
	static const int32_t ROOT_HALF = 0x3f3504f3; /* the bits of sqrt(1/2) */
	const lane_bits bits = (lane_bits)x, m = (bits - ROOT_HALF) >> 23;
	const lanes y = (lanes)(bits - (m << 23));
	const lanes s = (y - 1.0f) / (y + 1.0f), s2 = s * s;
	lanes q = all(2.0f / 7);

	q = q * s2 + 2.0f / 5;
	q = q * s2 + 2.0f / 3;
	q = q * s2 + 2.0f;
	return s * q + __builtin_convertvector(m, lanes) * LN2;
}

enum { VECTORS = GLANCE_LANES / LANES, CHUNK = 32 };

/* For row i: the root of 5 r^2, at most 100, where the kernel is 0 in single precision, so that no
 * polynomial overflows. */
INLINE void distances(
	const struct glance_rows *rows, size_t i, const float *points, lanes ret_rho[VECTORS])
{
	const float *z = rows->Z + i * rows->d;
	lanes r2[VECTORS] = { 0 };

	for (size_t k = 0; k < rows->d; k++) {
		const float *there = points + k * GLANCE_LANES;

		if (rows->kinds[k] == DIMENSION_CATEGORY) {
			for (size_t v = 0; v < VECTORS; v++)
				r2[v] += where(load(there + v * LANES) != z[k],
					all(rows->inverse_squares[k]));
			continue;
		}
		for (size_t v = 0; v < VECTORS; v++) {
			const lanes difference = load(there + v * LANES) - z[k];

			r2[v] = fused(difference, difference, r2[v]);
		}
	}
	for (size_t v = 0; v < VECTORS; v++)
		ret_rho[v] = square_root(choose(r2[v] < 2000.0f, r2[v], all(2000.0f)) * 5.0f);
}

/* The distances of several rows are computed first: a row's distance and exponential are a
 * dependency chain too long for a CPU to look past. */
static void moments(
	const struct glance_rows *rows, const float *points, float *ret_mean, float *ret_most)
{
	lanes mean[VECTORS] = { 0 }, most[VECTORS] = { 0 }, rhos[CHUNK][VECTORS];

	for (size_t from = 0; from < rows->n; from += CHUNK) {
		const size_t left = rows->n - from, n = left < CHUNK ? left : CHUNK;

		for (size_t i = 0; i < n; i++)
			distances(rows, from + i, points, rhos[i]);
		for (size_t i = 0; i < n; i++)
			for (size_t v = 0; v < VECTORS; v++) {
				const lanes rho = rhos[i][v];
				const lanes k =
					exp_lanes(-rho) *
					fused(fused(rho, all(1.0f / 3), all(1)), rho, all(1));
				const lanes square = k * k * rows->weights[from + i];

				mean[v] = fused(k, all(rows->alpha[from + i]), mean[v]);
				most[v] = choose(square > most[v], square, most[v]);
			}
	}
	for (size_t v = 0; v < VECTORS; v++) {
		store(ret_mean + v * LANES, mean[v]);
		store(ret_most + v * LANES, most[v]);
	}
}

static void log_expected_improvement(
	const float *mean, const float *sd, float incumbent, size_t n, float *ret)
{
	static const float LOG_SQRT_2_PI = 0.91893853f, ONE_BY_SQRT_2_PI = 0.39894228f;

	for (size_t i = 0; i < n; i += LANES) {
		const lanes s = load(sd + i), z = (incumbent - load(mean + i)) / s;
		const lane_bits better = z > 0;
		const lanes a = choose(better, z, -z), log_density = -0.5f * z * z;
		const lanes bracket = 1.0f / (a * a + 1.0f + 2.0f * a / (a + 1.3f));
		const lanes above = a + ONE_BY_SQRT_2_PI * exp_lanes(log_density) * bracket;

		store(ret + i, log_lanes(s * choose(better, above, bracket)) +
				       where(~better, log_density - LOG_SQRT_2_PI));
	}
}

static void add_log_augmentation(const float *sd, float noise_sd, size_t n, float *values)
{
	for (size_t i = 0; i < n; i += LANES) {
		const lanes s = load(sd + i), r = square_root(s * s + noise_sd * noise_sd);

		store(values + i, load(values + i) + log_lanes(s * s / (r * (r + noise_sd))));
	}
}

static void narrow(float *sd, size_t n, float intercept, float slope)
{
	for (size_t i = 0; i < n; i += LANES) {
		const lanes log_sd = log_lanes(load(sd + i)), other = intercept + slope * log_sd;

		store(sd + i, choose(other < log_sd, exp_lanes(other), load(sd + i)));
	}
}

const struct glance_loops LOOPS(glance_loops) = {
	.moments = moments,
	.log_expected_improvement = log_expected_improvement,
	.add_log_augmentation = add_log_augmentation,
	.narrow = narrow,
};
