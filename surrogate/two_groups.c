#include "surrogate/two_groups.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_pow_int.h>

#include <math.h>

/* Equal means of different values may differ in their last digits. */
static double difference_of(double a, double b)
{
	return fabs(a - b) <= 1e-14 * (fabs(a) + fabs(b)) ? 0 : a - b;
}

void two_groups_compare(const double *a, size_t n_a, const double *b, size_t n_b, double level,
	struct group_difference *ret)
{
	*ret = (struct group_difference){ .mean = difference_of(
						  paired_mean(a, n_a), paired_mean(b, n_b)),
		.interval = { -INFINITY, INFINITY },
		.p_value = 1,
		.df = NAN,
		.deviation = NAN };
	if (n_a < 2 || n_b < 2)
		return;
	/* With deviations and ratios, since squares of tiny or huge numbers would underflow or
	 * overflow. */
	const double n = (double)n_a, m = (double)n_b;
	const double spread_a = paired_deviation(a, n_a), spread_b = paired_deviation(b, n_b);
	const double error_a = spread_a / sqrt(n), error_b = spread_b / sqrt(m);
	const double error = hypot(error_a, error_b);
	ret->deviation = hypot(
		spread_a * sqrt((n - 1) / (n + m - 2)), spread_b * sqrt((m - 1) / (n + m - 2)));
	if (!(error > 0)) {
		ret->interval = (struct interval){ ret->mean, ret->mean };
		ret->p_value = ret->mean == 0 ? 1 : 0;
		return;
	}
	const double part_a = gsl_pow_2(error_a / error), part_b = gsl_pow_2(error_b / error);
	ret->df = 1 / (part_a * part_a / (n - 1) + part_b * part_b / (m - 1));
	const double reach = gsl_cdf_tdist_Pinv(0.5 + level / 2, ret->df) * error;
	ret->interval = (struct interval){ ret->mean - reach, ret->mean + reach };
	ret->p_value = 2 * gsl_cdf_tdist_Q(fabs(ret->mean) / error, ret->df);
}

double two_groups_power(double effect, size_t n, double alpha)
{
	return t_test_power(fabs(effect) * sqrt((double)n / 2), 2 * (double)n - 2, alpha);
}

double two_groups_detectable(size_t n, double alpha, double power)
{
	return least_effect(two_groups_power, n, alpha, power);
}

size_t two_groups_needed(double effect, double alpha, double power, size_t most)
{
	return least_size(two_groups_power, effect, alpha, power, most);
}
