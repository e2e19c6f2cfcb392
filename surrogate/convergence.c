#include "surrogate/convergence.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_math.h>

/* In floating point 0.7 less 1 % is slightly less than 0.693, which is 1 % better: this part of a
 * gain counts as rounding. */
static const double ROUNDING = 1e-10;

size_t not_improving(const double *objectives, size_t n, double known, double gain)
{
	double best = known;
	size_t trailing = 0;

	for (size_t i = 0; i < n; i++) {
		const double y = objectives[i];
		/* Any finite value improves on an infinite best, for which inf - inf would be
		 * NaN. */
		const double needed =
			isfinite(best) ? best - (1 - ROUNDING) * gain * fabs(best) : best;

		if (isfinite(y) && y < best && y <= needed)
			trailing = 0;
		else
			trailing++;
		if (isfinite(y))
			best = fmin(best, y);
	}
	return trailing;
}

double gain_probability(const struct forecast *forecast, double gain)
{
	const double goal = forecast->incumbent - gain * fabs(forecast->incumbent);

	if (!isfinite(goal) || !isfinite(forecast->mean) || !(forecast->sd >= 0))
		return 1;
	const double within = 1 - forecast->over;

	if (forecast->sd == 0)
		return forecast->mean < goal ? within : 0;
	return within * gsl_cdf_ugaussian_P((goal - forecast->mean) / forecast->sd);
}

bool has_converged(
	const struct forecast *forecasts, size_t n, size_t k, double gain, double probability)
{
	if (n < k)
		return false;
	for (size_t i = n - k; i < n; i++)
		if (!(gain_probability(&forecasts[i], gain) < probability))
			return false;
	return true;
}
