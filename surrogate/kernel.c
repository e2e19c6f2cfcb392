#include "surrogate/kernel.h"

#include "surrogate/lanes.h"

#include <math.h>
#include <string.h>

/* No reductions (lanes.h) but kernel_dot, whose order is written out. */

INLINE lanes all(double value)
{
	return (lanes){ 0 } + value;
}

/* exp(x) = 2^m exp(f), m = round(x / ln 2), |f| <= ln(2)/2, exp(f) = 1 + f + f^2 q(f).
 *
 * q has degree 9 and the least largest relative error in exp (3.6e-18; 1.1e-17 with the
 * coefficients rounded), found by Remez' exchange at 60 digits. ln 2 is split so that m times its
 * upper part is exact (33 bits, |m| < 2^11), and the sum f + f^2 q is formed before the 1 is
 * added: what remains is the rounding of that last sum and a little more.
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

	/* Below -708 the exponent would leave the normal range: m is nonsense there, the mask
	 * hides it. */
	return where(x >= -708.0, mantissa * power);
}

INLINE lanes squared_distance(
	const struct kernel *kernel, const double *Z, size_t stride, size_t j, const double *z)
{
	lanes r2 = all(0);

	for (size_t k = 0; k < kernel->d; k++) {
		const lanes there = load(Z + k * stride + j);

		if (kernel->kinds[k] == DIMENSION_CATEGORY) {
			const double w = kernel->inverse_lengths[k];

			r2 += where(there != z[k], all(w * w));
		} else {
			const lanes difference = there - z[k];

			r2 += difference * difference;
		}
	}
	return r2;
}

/* rho, no larger than where the exponential is 0 anyway: 0 times an infinite polynomial is NaN. */
INLINE lanes bounded_distance(lanes r2)
{
	static const double FAR = 1000;
	const lanes rho = square_root(r2 * 5.0);
	const lane_bits far = rho > FAR; /* not so for NaN, which stays */

	return where(~far, rho) + where(far, all(FAR));
}

FOR_EACH_CPU
static void row_values(const struct kernel *kernel, const double *Z, size_t stride, size_t n,
	const double *z, double *ret_k)
{
	for (size_t j = 0; j < n; j += KERNEL_LANES) {
		const lanes rho = bounded_distance(squared_distance(kernel, Z, stride, j, z));

		store(ret_k + j, exp_lanes(-rho) * (1.0 + rho + rho * rho * (1.0 / 3)));
	}
}

FOR_EACH_CPU
static void row_values_and_slopes(const struct kernel *kernel, const double *Z, size_t stride,
	size_t n, const double *z, double *ret_k, double *ret_g)
{
	for (size_t j = 0; j < n; j += KERNEL_LANES) {
		const lanes rho = bounded_distance(squared_distance(kernel, Z, stride, j, z));
		const lanes e = exp_lanes(-rho);

		store(ret_k + j, e * (1.0 + rho + rho * rho * (1.0 / 3)));
		store(ret_g + j, e * (1.0 + rho) * (5.0 / 3));
	}
}

FOR_EACH_CPU
static void exp_blocks(const double *x, size_t n, double *ret)
{
	for (size_t i = 0; i < n; i += KERNEL_LANES)
		store(ret + i, exp_lanes(load(x + i)));
}

FOR_EACH_CPU
static double dot_blocks(const double *a, const double *b, size_t n)
{
	lanes s = all(0);

	for (size_t i = 0; i < n; i += KERNEL_LANES)
		s += load(a + i) * load(b + i);
	return sum_of(s);
}

FOR_EACH_CPU
static double pull_blocks(const double *weights, const double *Zk, double z, size_t n)
{
	lanes s = all(0);

	for (size_t i = 0; i < n; i += KERNEL_LANES)
		s += load(weights + i) * (z - load(Zk + i));
	return sum_of(s);
}

FOR_EACH_CPU
static double different_blocks(const double *weights, const double *Zk, double z, size_t n)
{
	lanes s = all(0);

	for (size_t i = 0; i < n; i += KERNEL_LANES)
		s += where(load(Zk + i) != z, load(weights + i));
	return sum_of(s);
}

FOR_EACH_CPU
static void subtract_blocks(double *y, double a, const double *x, size_t n)
{
	for (size_t i = 0; i < n; i += KERNEL_LANES)
		store(y + i, load(y + i) - a * load(x + i));
}

FOR_EACH_CPU
static void weigh_blocks(double *row, double a, const double *alpha, const double *slopes, size_t n)
{
	for (size_t i = 0; i < n; i += KERNEL_LANES)
		store(row + i, (a * load(alpha + i) - load(row + i)) * load(slopes + i));
}

size_t kernel_stride(size_t n)
{
	return (n + KERNEL_LANES - 1) / KERNEL_LANES * KERNEL_LANES;
}

void kernel_scale(
	const struct kernel *kernel, const double *X, size_t n, double *ret_Z, size_t stride)
{
	for (size_t k = 0; k < kernel->d; k++) {
		const double by =
			kernel->kinds[k] == DIMENSION_CATEGORY ? 1 : kernel->inverse_lengths[k];
		double *Z = ret_Z + k * stride;

		for (size_t j = 0; j < n; j++)
			Z[j] = X[j * kernel->d + k] * by;
		for (size_t j = n; j < stride; j++)
			Z[j] = 0;
	}
}

void kernel_row(const struct kernel *kernel, const double *Z, size_t stride, size_t n,
	const double *z, double *ret_k, double *ret_g)
{
	if (ret_g)
		row_values_and_slopes(kernel, Z, stride, n, z, ret_k, ret_g);
	else
		row_values(kernel, Z, stride, n, z, ret_k);
}

void kernel_exp(const double *x, size_t n, double *ret)
{
	const size_t whole = n / KERNEL_LANES * KERNEL_LANES, rest = n - whole;
	double last[KERNEL_LANES] = { 0 };

	exp_blocks(x, whole, ret);
	if (rest == 0)
		return;
	memcpy(last, x + whole, rest * sizeof(*x));
	exp_blocks(last, KERNEL_LANES, last);
	memcpy(ret + whole, last, rest * sizeof(*x));
}

double kernel_dot(const double *a, const double *b, size_t n)
{
	const size_t whole = n / KERNEL_LANES * KERNEL_LANES;
	double sum = dot_blocks(a, b, whole);

	for (size_t i = whole; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

void kernel_subtract(double *y, double a, const double *x, size_t n)
{
	const size_t whole = n / KERNEL_LANES * KERNEL_LANES;

	subtract_blocks(y, a, x, whole);
	for (size_t i = whole; i < n; i++)
		y[i] -= a * x[i];
}

void kernel_weigh(double *row, double a, const double *alpha, const double *slopes, size_t n)
{
	const size_t whole = n / KERNEL_LANES * KERNEL_LANES;

	weigh_blocks(row, a, alpha, slopes, whole);
	for (size_t i = whole; i < n; i++)
		row[i] = (a * alpha[i] - row[i]) * slopes[i];
}

double kernel_pull(const double *weights, const double *Zk, double z, size_t n)
{
	const size_t whole = n / KERNEL_LANES * KERNEL_LANES;
	double sum = pull_blocks(weights, Zk, z, whole);

	for (size_t i = whole; i < n; i++)
		sum += weights[i] * (z - Zk[i]);
	return sum;
}

double kernel_sum_where_different(const double *weights, const double *Zk, double z, size_t n)
{
	const size_t whole = n / KERNEL_LANES * KERNEL_LANES;
	double sum = different_blocks(weights, Zk, z, whole);

	for (size_t i = whole; i < n; i++)
		sum += Zk[i] != z ? weights[i] : 0;
	return sum;
}
