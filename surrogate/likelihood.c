#include "surrogate/likelihood.h"

#include "surrogate/factor.h"
#include "surrogate/replicates.h"
#include "surrogate/warp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LOG_2_PI = 1.8378770664093454836;

struct likelihood {
	size_t d, n, stride;
	const enum dimension_kind *kinds;
	bool warped;
	double *X, *y, *noise_scales; /* the data */
	struct replicates replicates;
	double *inverse_lengths, *z; /* d */
	double *W; /* n x d: X warped, if it may be */
	double *Z; /* d + 1 rows of `stride`: scaled coordinates; ones */
	double *P; /* as Z: Z times M */
	double *noise, *b, *alpha; /* n */
	double *K, *G; /* n x n: the covariances, then their factor; slopes */
	double *inverse, *scratch; /* n x n: inverse of K, and scratch for it */
};

bool likelihood_create(size_t d, const enum dimension_kind *kinds, bool warped,
	const struct gp_data *data, struct likelihood **ret, struct tuner_error *err)
{
	/* An odd number of vectors: otherwise the rows of 256 trials would fall on the same few
	 * cache sets. */
	const size_t n = data->n, stride = kernel_stride(n) | KERNEL_LANES;
	struct likelihood *l = calloc(1, sizeof(*l));

	if (!l)
		return tuner_fail_memory(err);
	*l = (struct likelihood){
		.d = d,
		.n = n,
		.stride = stride,
		.kinds = kinds,
		.warped = warped,
		.X = factor_allocate(n, d),
		.y = factor_allocate(1, n),
		.noise_scales = factor_allocate(1, n),
		.inverse_lengths = factor_allocate(1, d),
		.z = factor_allocate(1, d),
		.W = warped ? factor_allocate(n, d) : NULL,
		.Z = factor_allocate(d + 1, stride),
		.P = factor_allocate(d + 1, stride),
		.noise = factor_allocate(1, n),
		.b = factor_allocate(1, n),
		.alpha = factor_allocate(1, n),
		.K = factor_allocate(n, stride),
		.G = factor_allocate(n, stride),
		.inverse = factor_allocate(n, stride),
		.scratch = factor_allocate(n, stride),
	};
	if ((warped && !l->W) || !l->X || !l->y || !l->noise_scales || !l->inverse_lengths ||
		!l->z || !l->Z || !l->P || !l->noise || !l->b || !l->alpha || !l->K || !l->G ||
		!l->inverse || !l->scratch) {
		likelihood_destroy(l);
		return tuner_fail_memory(err);
	}
	memcpy(l->X, data->X, n * d * sizeof(double));
	memcpy(l->y, data->y, n * sizeof(double));
	for (size_t i = 0; i < n; i++)
		l->noise_scales[i] = replicates_noise_scale(data, i);
	l->replicates = replicates_count(data);
	*ret = l;
	return true;
}

void likelihood_destroy(struct likelihood *l)
{
	if (!l)
		return;
	free(l->X);
	free(l->y);
	free(l->noise_scales);
	free(l->inverse_lengths);
	free(l->z);
	free(l->W);
	free(l->Z);
	free(l->P);
	free(l->noise);
	free(l->b);
	free(l->alpha);
	free(l->K);
	free(l->G);
	free(l->inverse);
	free(l->scratch);
	free(l);
}

/* M = W o G, W = alpha alpha' - K^-1, in place of the inverse in l->inverse. Returns 1/2 sum_i W_ii
 * noise_i, the derivative by ln sigma^2. */
static double weigh(struct likelihood *l)
{
	double by_noise = 0;

	for (size_t i = 0; i < l->n; i++) {
		double *row = l->inverse + i * l->stride;
		const double *slopes = l->G + i * l->stride, a = l->alpha[i];

		by_noise += (a * a - row[i]) * l->noise[i];
		kernel_weigh(row, a, l->alpha, slopes, i + 1);
	}
	return by_noise / 2;
}

/* Moving the origin of Z changes no distance, but the products below cancel less. */
static void centre(double *row, size_t n)
{
	double mean = 0;

	for (size_t i = 0; i < n; i++)
		mean += row[i];
	mean /= (double)n;
	for (size_t i = 0; i < n; i++)
		row[i] -= mean;
}

/* d log p / d w_i = -(z_i (M 1)_i - (M z)_i) / l, propagated to the warp's parameters. Call it
 * after lengths_gradient, which computes these products. */
static void warps_gradient(struct likelihood *l, const double *theta, double *ret_gradient)
{
	const double *M1 = l->P + l->d * l->stride;

	for (size_t k = 0; k < l->d; k++) {
		const struct warp warp = warp_of(theta, l->d, k);
		const double *z = l->Z + k * l->stride, *Mz = l->P + k * l->stride;
		double *by = &ret_gradient[l->d + 1 + 2 * k], by_log_a, by_log_b;

		by[0] = by[1] = 0;
		for (size_t i = 0; l->kinds[k] == DIMENSION_NUMERIC && i < l->n; i++) {
			const double by_w = (Mz[i] - z[i] * M1[i]) * l->inverse_lengths[k];

			warp_gradient(warp, l->X[i * l->d + k], &by_log_a, &by_log_b);
			by[0] += by_w * by_log_a;
			by[1] += by_w * by_log_b;
		}
	}
}

/* d log p / d ln l_k = 1/2 sum_ij M_ij D_ij / l_k^2. For numeric coordinates that is
 * sum_i z_i^2 (M 1)_i - sum_i z_i (M z)_i: one product of M with all of Z and a row of ones serves
 * every dimension. For a category, the sum of M where two rows differ. A companion's part belongs to
 * the lengthscale that it shares. */
static void lengths_gradient(struct likelihood *l, double *ret_gradient)
{
	const double *M1 = l->P + l->d * l->stride;

	for (size_t k = 0; k < l->d; k++)
		if (l->kinds[k] != DIMENSION_CATEGORY)
			centre(l->Z + k * l->stride, l->n);
	factor_multiply_symmetric(l->inverse, l->stride, l->n, l->Z, l->stride, l->d + 1, l->P);
	for (size_t k = 0; k < l->d; k++) {
		const double *z = l->Z + k * l->stride, *Mz = l->P + k * l->stride;
		double sum = 0;

		if (l->kinds[k] == DIMENSION_CATEGORY) {
			const double w = l->inverse_lengths[k];

			for (size_t i = 0; i < l->n; i++)
				sum += kernel_sum_where_different(
					l->inverse + i * l->stride, z, z[i], i);
			sum *= w * w;
		} else {
			for (size_t i = 0; i < l->n; i++)
				sum += z[i] * (z[i] * M1[i] - Mz[i]);
		}
		ret_gradient[k] = sum;
		if (l->kinds[k] == DIMENSION_COMPANION) {
			ret_gradient[k - 1] += sum;
			ret_gradient[k] = 0;
		}
	}
}

bool likelihood_evaluate(
	struct likelihood *l, const double *theta, double *ret_value, double *ret_gradient)
{
	const struct kernel kernel = { l->d, l->kinds, l->inverse_lengths };
	const size_t n = l->n, stride = l->stride;
	const double noise = exp(theta[l->d]);
	double value = -0.5 * (double)n * LOG_2_PI, jitter, by_scatter;

	for (size_t k = 0; k < l->d; k++)
		l->inverse_lengths[k] = exp(-theta[kernel_length_of(l->kinds, k)]);
	for (size_t i = 0; i < n; i++) {
		l->noise[i] = noise * l->noise_scales[i];
		l->Z[l->d * stride + i] = 1;
	}
	if (l->warped)
		warp_rows(theta, l->d, l->kinds, l->X, n, l->W);
	kernel_scale(&kernel, l->warped ? l->W : l->X, n, l->Z, stride);
	if (!factor_covariance(&kernel, l->Z, stride, n, l->noise, l->z, l->K,
		    ret_gradient ? l->G : NULL, &jitter))
		return false;
	factor_constant(l->K, stride, n, l->y, l->b, l->alpha);
	for (size_t i = 0; i < n; i++)
		value -= 0.5 * l->b[i] * l->b[i] + log(l->K[i * stride + i]);
	*ret_value = value + replicates_log_likelihood(&l->replicates, theta[l->d], &by_scatter);
	if (ret_gradient) {
		memcpy(l->alpha, l->b, n * sizeof(double));
		factor_backward(l->K, stride, n, l->alpha);
		factor_invert(l->K, stride, n, l->inverse, l->scratch);
		ret_gradient[l->d] = weigh(l) + by_scatter;
		lengths_gradient(l, ret_gradient);
		if (l->warped)
			warps_gradient(l, theta, ret_gradient);
	}
	return true;
}

/* factor_constant has left L^-1 1 in its scratch. */
double likelihood_constant_precision(const struct likelihood *l)
{
	return kernel_dot(l->alpha, l->alpha, l->n);
}
