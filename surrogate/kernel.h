/* The covariance function, as loops over rows of points.
 *
 *     r^2 = sum_k D_k / l_k^2,  rho = sqrt(5 r^2),  k(r) = exp(-rho) (1 + rho + rho^2 / 3)
 *
 * is Matern's with smoothness 5/2, one lengthscale per dimension and signal variance 1 (Rasmussen
 * and Williams, "Gaussian Processes for Machine Learning", 2006, eq. 4.17). D_k is the squared
 * difference of a numeric coordinate and 1[x != x'] of a category: the squared distance of one-hot
 * codes divided by sqrt(2), so the sum stays a squared Euclidean distance and the kernel positive
 * semi-definite.
 *
 * Everything here gives the same bits on every machine and at every optimisation level: IEEE
 * operations in a fixed order (lanes are summed in the order that kernel_dot states), no
 * contraction to fused multiply-add, and our own exponential. */
#ifndef SURROGATE_KERNEL_H
#define SURROGATE_KERNEL_H

#include <stddef.h>

enum dimension_kind {
	DIMENSION_NUMERIC,
	DIMENSION_CATEGORY, /* compared for equality only */
	DIMENSION_COMPANION, /* numeric, with the lengthscale of the numeric dimension right before
				it: the two are one parameter, embedded in the plane */
};

/* The dimension whose lengthscale dimension k uses. */
static inline size_t kernel_length_of(const enum dimension_kind *kinds, size_t k)
{
	return kinds[k] == DIMENSION_COMPANION ? k - 1 : k;
}

/* Points are stored by coordinate: coordinate k of point j is Z[k * stride + j]. The stride is a
 * multiple of KERNEL_LANES, and the places behind the last point hold finite numbers (results for
 * them are computed and ignored). */
enum { KERNEL_LANES = 8 };

/* n rounded up to whole vectors. */
size_t kernel_stride(size_t n);

/* Kinds and lengthscales in the form that the loops need. A numeric coordinate of Z is x / l; a
 * category stays as it is and is weighted by 1 / l^2. Borrowed arrays of d entries. */
struct kernel {
	size_t d;
	const enum dimension_kind *kinds;
	const double *inverse_lengths; /* 1 / l_k */
};

/* Z = scaled X (n x d, row-major), stored by coordinate; places from n to stride are zeroed. */
void kernel_scale(
	const struct kernel *kernel, const double *X, size_t n, double *ret_Z, size_t stride);

/* ret_k[j] = k(z, z_j) for j < n, where z holds d coordinates scaled as in Z; all places up to
 * kernel_stride(n) are written. If ret_g is not NULL it receives G_j = (5/3) exp(-rho) (1 + rho),
 * with which
 *     dk/dln l_k = G D_k / l_k^2,  dk/dx_k = -G (x_k - x_jk) / l_k^2.
 * An entry depends on z and z_j alone, not on j or n: a matrix filled row by row, or extended by a
 * row later, has the same bits. Symmetric in its two points, exactly 1 where they are equal.
 * Relative error below 1e-13 for rho < 700; further away k is below 1e-298, and 0 from 708 on. A
 * coordinate that is NaN gives NaN. */
void kernel_row(const struct kernel *kernel, const double *Z, size_t stride, size_t n,
	const double *z, double *ret_k, double *ret_g);

/* ret[i] = exp(x[i]) for x <= 0; relative error below 1.6e-16 down to -708, and 0 below that. Any
 * n; may be in place. */
void kernel_exp(const double *x, size_t n, double *ret);

/* Inner product in a fixed order: lane l sums the products of the places l, l + 8, l + 16 ...; then
 * ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7)); then the rest (n mod 8) from left to right. */
double kernel_dot(const double *a, const double *b, size_t n);

/* y_i -= a x_i. */
void kernel_subtract(double *y, double a, const double *x, size_t n);

/* row_i = (a alpha_i - row_i) slopes_i: turns a row of K^-1 into one of (alpha alpha' - K^-1) o
 * G. */
void kernel_weigh(double *row, double a, const double *alpha, const double *slopes, size_t n);

/* sum_i weights_i (z - Zk_i), and the sum of the weights where Zk_i is not z; summed in the order
 * of kernel_dot. */
double kernel_pull(const double *weights, const double *Zk, double z, size_t n);
double kernel_sum_where_different(const double *weights, const double *Zk, double z, size_t n);

#endif
