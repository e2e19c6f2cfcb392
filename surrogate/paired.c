#include "surrogate/paired.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* Results were rounded before they were subtracted: .84 - .80 is not .82 - .78, and such
 * differences seldom add up to 0. A sum below this part of the sum of their sizes counts as
 * rounding; for percentages with two decimals one may be off by 1.4e-12 of itself. */
#define ROUNDING 1e-11

/* A deviation of a resample, or distance from the mean, below this part of the sample's standard
 * error counts as rounding: the resample holds one value again and again. */
#define RESAMPLE_ROUNDING 1e-8

/* ---- sums ---- */

static double largest(const double *x, size_t n)
{
	double ret = 0;

	for (size_t i = 0; i < n; i++)
		ret = fmax(ret, fabs(x[i]));
	return ret;
}

/* A power of two that scales the largest number to near 1, so that neither sums nor squares of
 * 1e300 or 1e-300 overflow or underflow. The scaling keeps the bits of all others. */
static double unit_of(const double *x, size_t n)
{
	const double most = largest(x, n);

	return most > 0 && isfinite(most) ? ldexp(1, -(int)fmax(-1000, fmin(1000, ilogb(most))))
					  : 1;
}

/* The rounding error of a sum of these, with any signs. */
static double rounding_of(const double *x, size_t n, double unit)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += ROUNDING * fabs(unit * x[i]);
	return sum;
}

static double sum_of(const double *x, size_t n, double unit)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += unit * x[i];
	return sum;
}

static bool are_alike(const double *x, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (x[i] != x[0])
			return false;
	return n > 0;
}

static double mean_of(const double *x, size_t n, double unit)
{
	const double sum = sum_of(x, n, unit);

	if (isfinite(sum) && fabs(sum) <= rounding_of(x, n, unit))
		return n > 0 ? 0 : NAN;
	if (are_alike(x, n))
		/* 0.1 summed three times and divided by three is another number; and -0.0 + 0.0 is
		 * 0.0. */
		return x[0] + 0.0;
	return n > 0 ? sum / (double)n / unit : NAN;
}

double paired_mean(const double *differences, size_t n)
{
	return mean_of(differences, n, unit_of(differences, n));
}

/* In scaled units, since the squares may otherwise overflow. */
static double squares_about(const double *x, size_t n, double mean, double unit)
{
	double squares = 0;

	for (size_t i = 0; i < n; i++)
		squares += (unit * x[i] - unit * mean) * (unit * x[i] - unit * mean);
	return squares;
}

static bool is_spread_rounding(const double *x, size_t n, double mean)
{
	const double bound = ROUNDING * largest(x, n);

	for (size_t i = 0; i < n; i++)
		if (!(fabs(x[i] - mean) <= bound))
			return false;
	return true;
}

double paired_deviation(const double *x, size_t n)
{
	const double mean = paired_mean(x, n), unit = unit_of(x, n);

	if (n < 2)
		return NAN;
	if (is_spread_rounding(x, n, mean))
		return 0;
	return sqrt(squares_about(x, n, mean, unit) / (double)(n - 1)) / unit;
}

/* ---- the interval ---- */

/* The sample that is resampled. */
struct sample {
	const double *x;
	size_t n;
	double mean, error; /* standard error of the mean; user's unit */
	double unit;
};

/* |t| of one resample about the sample's mean. A resample that is all one value has no deviation:
 * its |t| is infinite or 0. */
static double resampled_t(const struct sample *sample, struct random *random, double *resample)
{
	const size_t n = sample->n;
	const double unit = sample->unit, least = RESAMPLE_ROUNDING * unit * sample->error;

	for (size_t i = 0; i < n; i++)
		resample[i] = sample->x[random_below(random, n)];
	const double mean = mean_of(resample, n, unit);
	const double distance = fabs(unit * mean - unit * sample->mean);
	const double error =
		sqrt(squares_about(resample, n, mean, unit) / ((double)n * (double)(n - 1)));
	return error > least ? distance / error : distance > least ? INFINITY : 0;
}

/* How many standard errors the interval reaches to each side. */
static bool bootstrap_t(const struct sample *sample, double level, struct random_key key,
	double *ret, struct tuner_error *err)
{
	double *ts = malloc((PAIRED_DRAWS + sample->n) * sizeof(*ts));
	struct random random;

	if (ts == NULL)
		return tuner_fail_memory(err);
	key.purpose = RANDOM_BOOTSTRAP;
	random_init(&random, key);
	for (size_t b = 0; b < PAIRED_DRAWS; b++)
		ts[b] = resampled_t(sample, &random, ts + PAIRED_DRAWS);
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
	const struct sample sample = { differences, n, paired_mean(differences, n),
		paired_deviation(differences, n) / sqrt((double)n), unit_of(differences, n) };
	if (isinf(sample.error)) /* overflowed */
		return true;
	if (n >= PAIRED_BOOTSTRAP_MIN && sample.error > 0 &&
		!bootstrap_t(&sample, level, key, &reach, err))
		return false;
	if (isinf(reach)) /* few repeats, or few distinct ones */
		reach = gsl_cdf_tdist_Pinv(0.5 + level / 2, (double)(n - 1));
	*ret = (struct interval){ sample.mean - reach * sample.error,
		sample.mean + reach * sample.error };
	return true;
}

/* ---- the test ---- */

/* Rounding must not make the observed pattern, or an equally large one, smaller than the observed
 * sum. */
static bool is_as_extreme(double sum, double observed, double rounding)
{
	return fabs(sum) >= fabs(observed) - rounding;
}

static double exact_p_value(const double *x, size_t n)
{
	const uint64_t patterns = (uint64_t)1 << n;
	const double unit = unit_of(x, n);
	const double observed = sum_of(x, n, unit), rounding = rounding_of(x, n, unit);
	uint64_t extreme = 0;

	for (uint64_t pattern = 0; pattern < patterns; pattern++) {
		double sum = 0;
		for (size_t i = 0; i < n; i++)
			sum += pattern >> i & 1 ? unit * x[i] : -unit * x[i];
		extreme += is_as_extreme(sum, observed, rounding);
	}
	return (double)extreme / (double)patterns;
}

static double random_p_value(const double *x, size_t n, struct random_key key)
{
	const double unit = unit_of(x, n);
	const double observed = sum_of(x, n, unit), rounding = rounding_of(x, n, unit);
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
			sum += signs & 1 ? unit * x[i] : -unit * x[i];
		}
		extreme += is_as_extreme(sum, observed, rounding);
	}
	return (double)extreme / (PAIRED_DRAWS + 1.0);
}

double paired_p_value(const double *differences, size_t n, struct random_key key)
{
	if (n == 0)
		return 1;
	return n <= PAIRED_EXACT_MAX ? exact_p_value(differences, n)
				     : random_p_value(differences, n, key);
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

	/* The squared deviation follows chi^2: equal parts of its probability, each represented by
	 * its middle. */
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

/* By bisection, since power grows with n: each evaluation takes milliseconds, and thousands of them
 * would be felt. */
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
