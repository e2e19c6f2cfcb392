#include "surrogate/prior.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>

enum { STEPS_MAX = 100 }; /* ten are usual */

static const double NEAR_ENOUGH = 1e-15; /* of a coordinate in [0, 1] */

bool prior_is_given(const struct prior *prior)
{
	return prior->weights != NULL || prior->low < prior->high;
}

bool space_has_priors(const struct space *space)
{
	for (size_t i = 0; space->priors != NULL && i < space->d; i++)
		if (prior_is_given(&space->priors[i]))
			return true;
	return false;
}

void prior_density_init(
	const struct parameter *parameter, const struct prior *prior, struct prior_density *ret)
{
	*ret = (struct prior_density){ 0 };
	if (prior->weights != NULL) {
		ret->n = parameter->n_values;
		ret->weights = prior->weights;
		for (size_t k = 0; k < ret->n; k++)
			ret->weights_sum += prior->weights[k];
		return;
	}
	const double low = parameter_encode(parameter, prior->low);
	const double high = parameter_encode(parameter, prior->high);

	ret->mean = (low + high) / 2;
	/* Neighbouring doubles may have one coordinate. */
	ret->sd = fmax((high - low) / 2, SPACE_SAME_TOLERANCE);
	ret->below = gsl_cdf_ugaussian_P(-ret->mean / ret->sd);
	ret->scale = 1 / (ret->sd * (gsl_cdf_ugaussian_P((1 - ret->mean) / ret->sd) - ret->below));
}

static size_t category_of(const struct prior_density *density, double u)
{
	const double k = floor(u * (double)density->n);

	return k <= 0 ? 0 : k >= (double)density->n ? density->n - 1 : (size_t)k;
}

static double category_density(const struct prior_density *density, size_t k)
{
	return PRIOR_EVEN +
	       (1 - PRIOR_EVEN) * (double)density->n * density->weights[k] / density->weights_sum;
}

static double normal_part(const struct prior_density *density, double u)
{
	return (1 - PRIOR_EVEN) * density->scale *
	       gsl_ran_ugaussian_pdf((u - density->mean) / density->sd);
}

static double number_density(const struct prior_density *density, double u)
{
	return PRIOR_EVEN + normal_part(density, u);
}

double prior_log_density(const struct prior_density *density, double u, double *ret_slope)
{
	if (density->n > 0) {
		if (ret_slope != NULL)
			*ret_slope = 0;
		return log(category_density(density, category_of(density, u)));
	}
	const double normal = normal_part(density, u), p = PRIOR_EVEN + normal;

	if (ret_slope != NULL)
		*ret_slope = -(u - density->mean) / (density->sd * density->sd) * normal / p;
	return log(p);
}

double space_prior_density(const struct space *space, const double *values)
{
	bool active[SPACE_PARAMETERS_MAX];
	double sum = 0;

	space_activity(space, values, active);
	for (size_t i = 0; space->priors != NULL && i < space->d; i++) {
		const struct parameter *parameter = &space->parameters[i];
		struct prior_density density;

		if (!active[i] || !prior_is_given(&space->priors[i]))
			continue;
		prior_density_init(parameter, &space->priors[i], &density);
		sum += prior_log_density(&density, parameter_encode(parameter, values[i]), NULL);
	}
	return exp(sum);
}

/* A normal density is largest at its mean, and least at one of the ends. */
static double number_range(const struct prior_density *density)
{
	return prior_log_density(density, density->mean, NULL) -
	       fmin(prior_log_density(density, 0, NULL), prior_log_density(density, 1, NULL));
}

static double category_range(const struct prior_density *density)
{
	double most = category_density(density, 0), least = most;

	for (size_t k = 1; k < density->n; k++) {
		most = fmax(most, category_density(density, k));
		least = fmin(least, category_density(density, k));
	}
	return log(most / least);
}

double space_prior_range(const struct space *space)
{
	double sum = 0;

	for (size_t i = 0; space->priors != NULL && i < space->d; i++) {
		struct prior_density density;

		if (!prior_is_given(&space->priors[i]))
			continue;
		prior_density_init(&space->parameters[i], &space->priors[i], &density);
		sum += density.n > 0 ? category_range(&density) : number_range(&density);
	}
	return sum;
}

/* ---- its quantiles ---- */

static double spread_category(const struct prior_density *density, double u)
{
	const double n = (double)density->n;
	double left = u * n;
	size_t k = 0;

	while (k + 1 < density->n && left >= category_density(density, k))
		left -= category_density(density, k++);
	return fmin((k + fmin(left / category_density(density, k), 1 - 0x1p-20)) / n, 1);
}

/* The integral of p from 0 to u. */
static double distribution(const struct prior_density *density, double u)
{
	const double part = gsl_cdf_ugaussian_P((u - density->mean) / density->sd) - density->below;

	return PRIOR_EVEN * u + (1 - PRIOR_EVEN) * density->scale * density->sd * part;
}

/* By Newton's steps, or halving where one would leave the bracket, which a narrow density makes it do. */
static double spread_number(const struct prior_density *density, double u)
{
	double low = 0, high = 1, x = u;

	for (size_t i = 0; i < STEPS_MAX; i++) {
		const double off = distribution(density, x) - u, last = x;

		if (off <= 0)
			low = x;
		else
			high = x;
		x -= off / number_density(density, x);
		if (!(x > low && x < high))
			x = (low + high) / 2;
		if (fabs(x - last) < NEAR_ENOUGH)
			break;
	}
	return x;
}

double prior_spread(const struct parameter *parameter, const struct prior *prior, double u)
{
	struct prior_density density;

	if (!prior_is_given(prior))
		return u;
	prior_density_init(parameter, prior, &density);
	return density.n > 0 ? spread_category(&density, u) : spread_number(&density, u);
}
