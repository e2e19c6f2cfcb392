#include "surrogate/paired.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* Results have been rounded before they were subtracted: .84 - .80 is not .82 - .78, and such differences seldom add
 * up to 0. What is less than this part of all of them together is rounding. */
#define ROUNDING 1e-12

/* What is rounding in a sum of these, under any signs. */
static double rounding_of(const double *x, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += ROUNDING * fabs(x[i]);
	return sum;
}

double paired_mean(const double *differences, size_t n)
{
	double sum = 0;
	bool alike = n > 0;

	for (size_t i = 0; i < n; i++) {
		sum += differences[i];
		alike = alike && differences[i] == differences[0];
	}
	if (isfinite(sum) && fabs(sum) <= rounding_of(differences, n))
		return n > 0 ? 0 : NAN;
	if (alike)
		/* Three times 0.1 over three is another number; and added to 0, -0 is 0. */
		return differences[0] + 0.0;
	return n > 0 ? sum / (double)n : NAN;
}

/* ---- the interval ---- */

/* Standard error of the mean. */
static double standard_error(const double *x, size_t n, double mean)
{
	double squares = 0;

	for (size_t i = 0; i < n; i++)
		squares += (x[i] - mean) * (x[i] - mean);
	return sqrt(squares / ((double)n * (double)(n - 1)));
}

/* |t| of one resample about the sample's mean. Resamples that are all one value have no deviation: infinitely
 * far, or not at all. */
static double resampled_t(
	const double *x, size_t n, double mean, struct random *random, double *resample)
{
	for (size_t i = 0; i < n; i++)
		resample[i] = x[random_below(random, n)];
	const double distance = fabs(paired_mean(resample, n) - mean);
	const double error = standard_error(resample, n, paired_mean(resample, n));
	return error > 0 ? distance / error : distance > 0 ? INFINITY : 0;
}

/* How many standard errors the interval reaches to each side. */
static bool bootstrap_t(const double *x, size_t n, double level, struct random_key key, double *ret,
	struct tuner_error *err)
{
	const double mean = paired_mean(x, n);
	double *ts = malloc((PAIRED_DRAWS + n) * sizeof(*ts));
	struct random random;

	if (ts == NULL)
		return tuner_fail_memory(err);
	key.purpose = RANDOM_BOOTSTRAP;
	random_init(&random, key);
	for (size_t b = 0; b < PAIRED_DRAWS; b++)
		ts[b] = resampled_t(x, n, mean, &random, ts + PAIRED_DRAWS);
	gsl_sort(ts, 1, PAIRED_DRAWS);
	*ret = ts[(size_t)(level * (PAIRED_DRAWS - 1))];
	free(ts);
	return true;
}

bool paired_interval(const double *differences, size_t n, double level, struct random_key key,
	struct interval *ret, struct tuner_error *err)
{
	double reach = INFINITY;

	*ret = (struct interval){ -INFINITY, INFINITY };
	if (n < 2)
		return true;
	const double mean = paired_mean(differences, n);
	const double error = standard_error(differences, n, mean);
	if (n >= PAIRED_BOOTSTRAP_MIN && !bootstrap_t(differences, n, level, key, &reach, err))
		return false;
	if (isinf(reach)) /* few repeats, or few of them that differ */
		reach = gsl_cdf_tdist_Pinv(0.5 + level / 2, (double)(n - 1));
	*ret = (struct interval){ mean - reach * error, mean + reach * error };
	return true;
}

/* ---- the test ---- */

/* Rounding must not make the observed pattern, or one that is as large, smaller than it. */
static bool is_as_extreme(double sum, double observed, double rounding)
{
	return fabs(sum) >= fabs(observed) - rounding;
}

static double exact_p_value(const double *x, size_t n, double observed)
{
	const uint64_t patterns = (uint64_t)1 << n;
	const double rounding = rounding_of(x, n);
	uint64_t extreme = 0;

	for (uint64_t pattern = 0; pattern < patterns; pattern++) {
		double sum = 0;
		for (size_t i = 0; i < n; i++)
			sum += pattern >> i & 1 ? x[i] : -x[i];
		extreme += is_as_extreme(sum, observed, rounding);
	}
	return (double)extreme / (double)patterns;
}

static double random_p_value(const double *x, size_t n, double observed, struct random_key key)
{
	const double rounding = rounding_of(x, n);
	struct random random;
	size_t extreme = 1;

	key.purpose = RANDOM_SIGN_FLIP;
	random_init(&random, key);
	for (size_t b = 0; b < PAIRED_DRAWS; b++) {
		double sum = 0;
		uint32_t signs = 0;
		for (size_t i = 0; i < n; i++, signs >>= 1) {
			if (i % 32 == 0)
				signs = random_u32(&random);
			sum += signs & 1 ? x[i] : -x[i];
		}
		extreme += is_as_extreme(sum, observed, rounding);
	}
	return (double)extreme / (PAIRED_DRAWS + 1.0);
}

double paired_p_value(const double *differences, size_t n, struct random_key key)
{
	double observed = 0;

	for (size_t i = 0; i < n; i++)
		observed += differences[i];
	if (n == 0)
		return 1;
	return n <= PAIRED_EXACT_MAX ? exact_p_value(differences, n, observed)
				     : random_p_value(differences, n, observed, key);
}

double paired_least_p_value(size_t n)
{
	return n == 0 ? 1 : ldexp(2, -(int)n);
}

/* ---- power ---- */

double t_test_power(double shift, double df, double alpha)
{
	enum { STEPS = 400 };
	const double critical = gsl_cdf_tdist_Pinv(1 - alpha / 2, df);
	double power = 0;

	/* The deviation's squares follow chi^2; equal parts of its probability, each by its middle. */
	for (int i = 0; i < STEPS; i++) {
		const double s = sqrt(gsl_cdf_chisq_Pinv((i + 0.5) / STEPS, df) / df);
		power += gsl_cdf_ugaussian_Q(critical * s - shift) +
			 gsl_cdf_ugaussian_P(-critical * s - shift);
	}
	return power / STEPS;
}

double least_effect(power_function *power_of, size_t n, double alpha, double power)
{
	double low = 0, high = 1;

	if (n < 2)
		return INFINITY;
	while (power_of(high, n, alpha) < power)
		high *= 2;
	for (int halving = 0; halving < 40; halving++) {
		const double middle = (low + high) / 2;
		if (power_of(middle, n, alpha) < power)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* By halves, since power grows with n: each look takes milliseconds, and thousands of them would be waited for. */
size_t least_size(power_function *power_of, double effect, double alpha, double power, size_t most)
{
	size_t low = 2, high = most;

	if (most < 2 || power_of(effect, most, alpha) < power)
		return 0;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (power_of(effect, middle, alpha) < power)
			low = middle + 1;
		else
			high = middle;
	}
	return high;
}

double paired_power(double effect, size_t n, double alpha)
{
	return t_test_power(fabs(effect) * sqrt((double)n), (double)(n - 1), alpha);
}

double paired_detectable(size_t n, double alpha, double power)
{
	return least_effect(paired_power, n, alpha, power);
}

size_t paired_repeats(double effect, double alpha, double power, size_t most)
{
	return least_size(paired_power, effect, alpha, power, most);
}
