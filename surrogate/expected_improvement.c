#include "surrogate/expected_improvement.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_erf.h>

#include <math.h>

static const double LOG_SQRT_2_PI = 0.91893853320467274178;

/* From here on the asymptotic series is used. */
static const double FAR = 12;

/* 1 - a R(a), R the Mills ratio Q/phi, for a >= FAR: with q = 1/a^2 the asymptotic series
 * (Abramowitz and Stegun 26.2.12)
 *     q (1 - 3q + 15q^2 - 105q^3 + ...) = q (1 - 3q (1 - 5q (1 - 7q (...)))).
 * The first term left out, 3 5 ... 35 q^17, is 5e-17 of the sum at FAR, and less beyond. */
static double bracket_series(double a)
{
	const double q = 1 / (a * a);
	double sum = 1;

	for (int k = 33; k >= 3; k -= 2)
		sum = 1 - k * q * sum;
	return q * sum;
}

/* Q(a)/phi(a), 1 <= a <= FAR. GSL has no erfcx; its hazard function is the same without the
 * scaling. */
static double mills_ratio(double a)
{
	gsl_sf_result hazard;

	gsl_sf_hazard_e(a, &hazard);
	return 1 / hazard.val;
}

/* h = phi (1 - a R(a)) with a = -z where the plain sum cancels. The bracket is then about 1/a^2, so
 * it magnifies the rounding errors of R (7e-14 in GSL) by a^2, hence FAR. */
double log_h_slopes(double z, double *ret_slope, double *ret_density)
{
	const double a = -z, log_phi = -0.5 * z * z - LOG_SQRT_2_PI;

	if (!(z < -1)) {
		const double phi = exp(log_phi), Phi = gsl_cdf_ugaussian_P(z);
		const double h = phi + z * Phi;

		*ret_slope = Phi / h;
		*ret_density = phi / h;
		return log(h);
	}
	if (a <= FAR) {
		const double ratio = mills_ratio(a), bracket = 1 - a * ratio;

		*ret_slope = ratio / bracket;
		*ret_density = 1 / bracket;
		return log_phi + log1p(-a * ratio);
	}

	const double bracket = bracket_series(a);

	*ret_slope = (1 - bracket) / (a * bracket);
	*ret_density = 1 / bracket;
	return log_phi + log(bracket);
}

double log_h(double z)
{
	double slope, density;

	return log_h_slopes(z, &slope, &density);
}

/* ln EI = ln sd + ln h(z), z = (f* - mean) / sd: by the mean -h'/h / sd; by the sd
 * 1/sd - z/sd h'/h = phi/h / sd. */
double log_expected_improvement(
	double mean, double sd, double incumbent, double *ret_by_mean, double *ret_by_sd)
{
	double slope, density;
	const double value = log(sd) + log_h_slopes((incumbent - mean) / sd, &slope, &density);

	if (ret_by_mean)
		*ret_by_mean = -slope / sd;
	if (ret_by_sd)
		*ret_by_sd = density / sd;
	return value;
}

/* 1 - noise / r = sd^2 / (r (r + noise)), r^2 = sd^2 + noise^2, which does not cancel. */
double log_augmentation(double sd, double noise_sd, double *ret_by_sd)
{
	const double r = sqrt(sd * sd + noise_sd * noise_sd);

	if (ret_by_sd)
		*ret_by_sd = 2 / sd - sd / (r * r) - sd / (r * (r + noise_sd));
	return 2 * log(sd) - log(r) - log(r + noise_sd);
}
