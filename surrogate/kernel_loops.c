#include "surrogate/kernel_loops.h"

#include "surrogate/lanes.h"

/* The only reductions are those by sum_of, whose order is explicit. */

/* exp(x) = 2^m exp(f), m = round(x / ln 2), |f| <= ln(2)/2, exp(f) = 1 + f + f^2 q(f).
 *
 * q has degree 9 and the least largest relative error in exp (3.6e-18; 1.1e-17 with the
 * coefficients rounded), found by Remez' exchange at 60 digits. ln 2 is split so that m times its
 * upper part is exact (33 bits, |m| < 2^11), and the sum f + f^2 q is formed before the 1 is added,
 * so the error is the rounding of that last sum and a little more.
 *
 * Adding SHIFT = 1.5 2^52 rounds to an integer and leaves it in the low bits; shifted left by 52
 * (the bits of SHIFT itself fall out), they are added to the exponent of 1. */
INLINE lanes exp_lanes(lanes x)
{
	static const double SHIFT = 0x1.8p52, LOG2_E = 0x1.71547652b82fep0;
	static const double LN2_HIGH = 0x1.62e42feep-1, LN2_LOW = 0x1.a39ef35793c76p-33;
	const lanes shifted = x * LOG2_E + SHIFT, m = shifted - SHIFT;
	const lanes f = (x - m * LN2_HIGH) - m * LN2_LOW;
	lanes q = all(0x1.ad7f6f0799ee2p-26);

	q = q * f + 0x1.28ad72cc30daap-22;
	q = q * f + 0x1.71df2552390c2p-19;
	q = q * f + 0x1.a0199a0c677acp-16;
	q = q * f + 0x1.a01a012a57b51p-13;
	q = q * f + 0x1.6c16c1842a11dp-10;
	q = q * f + 0x1.1111111127be5p-7;
	q = q * f + 0x1.555555555087cp-5;
	q = q * f + 0x1.55555555554fap-3;
	q = q * f + 0x1.000000000000ap-1;

	const lanes mantissa = (f * f * q + f) + 1.0;
	const lanes power = (lanes)(((lane_bits)shifted << 52) + (lane_bits)all(1.0));

	/* Below -708 the exponent would leave the normal range: m is meaningless there, and the
	 * mask hides it. */
	return where(x >= -708.0, mantissa * power);
}

/* For the block of points from j on. */
INLINE void squared_distances(const struct kernel *kernel, const double *Z, size_t stride, size_t j,
	const double *z, lanes ret_r2[VECTORS])
{
	for (size_t v = 0; v < VECTORS; v++)
		ret_r2[v] = all(0);
	for (size_t k = 0; k < kernel->d; k++) {
		const double *there = Z + k * stride + j, w = kernel->inverse_lengths[k];

		if (kernel->kinds[k] == DIMENSION_CATEGORY) {
			for (size_t v = 0; v < VECTORS; v++)
				ret_r2[v] += where(load(there + v * LANES) != z[k], all(w * w));
			continue;
		}
		for (size_t v = 0; v < VECTORS; v++) {
			const lanes difference = load(there + v * LANES) - z[k];

			ret_r2[v] += difference * difference;
		}
	}
}

/* rho, limited to a value where the exponential is 0 anyway: 0 times an infinite polynomial would
 * be NaN. */
INLINE lanes bounded_distance(lanes r2)
{
	static const double FAR = 1000;
	const lanes rho = square_root(r2 * 5.0);
	const lane_bits far = rho > FAR; /* false for NaN, which stays */

	return where(~far, rho) + where(far, all(FAR));
}

/* A separate loop: in a single one, a vector's distance and exponential would be a dependency chain
 * too long for a CPU to look past. */
static void distances(const struct kernel *kernel, const double *Z, size_t stride, size_t n,
	const double *z, double *ret_rho)
{
	for (size_t j = 0; j < n; j += KERNEL_LANES) {
		lanes r2[VECTORS];

		squared_distances(kernel, Z, stride, j, z, r2);
		for (size_t v = 0; v < VECTORS; v++)
			store(ret_rho + j + v * LANES, bounded_distance(r2[v]));
	}
}

static void values(const struct kernel *kernel, const double *Z, size_t stride, size_t n,
	const double *z, double *ret_k)
{
	distances(kernel, Z, stride, n, z, ret_k);
	for (size_t j = 0; j < n; j += LANES) {
		const lanes rho = load(ret_k + j);

		store(ret_k + j, exp_lanes(-rho) * (1.0 + rho + rho * rho * (1.0 / 3)));
	}
}

static void values_and_slopes(const struct kernel *kernel, const double *Z, size_t stride, size_t n,
	const double *z, double *ret_k, double *ret_g)
{
	distances(kernel, Z, stride, n, z, ret_k);
	for (size_t j = 0; j < n; j += LANES) {
		const lanes rho = load(ret_k + j), e = exp_lanes(-rho);

		store(ret_k + j, e * (1.0 + rho + rho * rho * (1.0 / 3)));
		store(ret_g + j, e * (1.0 + rho) * (5.0 / 3));
	}
}

static void exp_blocks(const double *x, size_t n, double *ret)
{
	for (size_t i = 0; i < n; i += LANES)
		store(ret + i, exp_lanes(load(x + i)));
}

static double dot(const double *a, const double *b, size_t n)
{
	lanes s[VECTORS] = { 0 };

	for (size_t i = 0; i < n; i += KERNEL_LANES)
		for (size_t v = 0; v < VECTORS; v++) {
			const size_t at = i + v * LANES;

			s[v] += load(a + at) * load(b + at);
		}
	return sum_of(s);
}

static double pull(const double *weights, const double *Zk, double z, size_t n)
{
	lanes s[VECTORS] = { 0 };

	for (size_t i = 0; i < n; i += KERNEL_LANES)
		for (size_t v = 0; v < VECTORS; v++) {
			const size_t at = i + v * LANES;

			s[v] += load(weights + at) * (z - load(Zk + at));
		}
	return sum_of(s);
}

static double sum_where_different(const double *weights, const double *Zk, double z, size_t n)
{
	lanes s[VECTORS] = { 0 };

	for (size_t i = 0; i < n; i += KERNEL_LANES)
		for (size_t v = 0; v < VECTORS; v++) {
			const size_t at = i + v * LANES;

			s[v] += where(load(Zk + at) != z, load(weights + at));
		}
	return sum_of(s);
}

static void subtract(double *y, double a, const double *x, size_t n)
{
	for (size_t i = 0; i < n; i += LANES)
		store(y + i, load(y + i) - a * load(x + i));
}

static void weigh(double *row, double a, const double *alpha, const double *slopes, size_t n)
{
	for (size_t i = 0; i < n; i += LANES)
		store(row + i, (a * load(alpha + i) - load(row + i)) * load(slopes + i));
}

const struct kernel_loops LOOPS(kernel_loops) = {
	.values = values,
	.values_and_slopes = values_and_slopes,
	.exp = exp_blocks,
	.dot = dot,
	.pull = pull,
	.sum_where_different = sum_where_different,
	.subtract = subtract,
	.weigh = weigh,
};
