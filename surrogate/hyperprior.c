#include "surrogate/hyperprior.h"

#include <math.h>

/* The sd of ln a and ln b: the root of 3/4. */
static const double LOG_WARP_SD = 0.8660254037844386;
static const double LOG_LENGTH_SD = 1, LOG_CATEGORY_LENGTH_SD = 1.7320508075688772 /* sqrt 3 */;
static const double LOG_2_PI = 1.8378770664093454836;

double hyperprior_log_length_mean(size_t d)
{
	return M_SQRT2 + 0.5 * log((double)d) - 3;
}

double hyperprior_log_length_sd(enum dimension_kind kind)
{
	return kind == DIMENSION_CATEGORY ? LOG_CATEGORY_LENGTH_SD : LOG_LENGTH_SD;
}

/* ln normal(x; mean, sd) without -ln(2 pi)/2. */
static double log_normal(double x, double mean, double sd, double *gradient)
{
	const double q = (x - mean) / sd;

	if (gradient)
		*gradient -= q / sd;
	return -0.5 * q * q - log(sd);
}

/* 0 at the identity. */
static double warp_log_density(const double *log_warps, size_t n, double *gradient)
{
	double value = 0;

	for (size_t i = 0; i < n; i++)
		value += log_normal(log_warps[i], 0, LOG_WARP_SD, gradient ? gradient + i : NULL) +
			 log(LOG_WARP_SD);
	return value;
}

double hyperprior_log_density(size_t d, const enum dimension_kind *kinds, bool warped,
	const double *theta, double *gradient)
{
	const double mean = hyperprior_log_length_mean(d);
	double value = log_normal(theta[d], HYPERPRIOR_LOG_NOISE_MEAN, HYPERPRIOR_LOG_NOISE_SD,
		gradient ? gradient + d : NULL);

	for (size_t k = 0; k < d; k++)
		value += log_normal(theta[k], mean, hyperprior_log_length_sd(kinds[k]),
			gradient ? gradient + k : NULL);
	value -= 0.5 * (double)(d + 1) * LOG_2_PI;
	if (warped)
		value += warp_log_density(theta + d + 1, 2 * d, gradient ? gradient + d + 1 : NULL);
	return value;
}
