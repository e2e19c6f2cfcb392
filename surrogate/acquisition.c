#include "surrogate/acquisition.h"

#include "surrogate/factor.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_erf.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LOG_SQRT_2_PI = 0.91893853320467274178;

/* From here on the asymptotic series serves. */
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

/* h = phi (1 - a R(a)) with a = -z where the plain sum cancels. There the bracket is about 1/a^2:
 * it loses a^2 of the rounding errors of R (7e-14 in GSL), hence FAR. */
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

/* Points are evaluated in blocks, so that memory stays bounded. */
enum { BLOCK = 64 };

struct acquisition {
	const struct gp *gp;
	size_t n, n_outcomes, stride; /* the model's */
	size_t n_fantasies;
	double *draws; /* n_fantasies x (n - n_outcomes): standard normal, b of the pending rows */
	double *alphas; /* n_fantasies x stride: K^-1 (y - c 1) of each fantasy */
	double *incumbents; /* n_fantasies */
	double *values; /* n_fantasies each: of one point */
	double *by_mean, *by_sd;
	size_t rows; /* of the matrices below, which grow to BLOCK at most */
	double *K, *G, *T;
	struct acquisition *joined[ACQUISITION_MODELS_MAX - 1]; /* owned */
	size_t n_joined;
	double *joined_gradients; /* BLOCK x d */
};

/* One stratum of the normal distribution per fantasy, shuffled for each pending row: a Latin
 * hypercube (McKay, Beckman, Conover, Technometrics 21, 1979) has no limit on the dimension. */
static bool draw_fantasies(struct acquisition *a, size_t pending, struct random *random)
{
	const size_t S = a->n_fantasies;
	size_t *strata = calloc(S, sizeof(*strata));

	if (!strata)
		return false;
	for (size_t j = 0; j < pending; j++) {
		for (size_t s = 0; s < S; s++)
			strata[s] = s;
		random_shuffle(random, strata, S);
		for (size_t s = 0; s < S; s++) {
			/* Inside the open interval: u = 0 would be minus infinity. */
			const double u = fmax(random_uniform(random), 0x1p-53);

			a->draws[s * pending + j] =
				gsl_cdf_ugaussian_Pinv(((double)strata[s] + u) / (double)S);
		}
	}
	free(strata);
	return true;
}

/* The least posterior mean of a fantasy at its own rows, y_i - noise_i alpha_i; b: its whitened
 * outcomes. */
static double find_incumbent(
	const struct acquisition *a, const double *b, const double *alpha, const bool *eligible)
{
	const double *y = gp_outcomes(a->gp);
	double least = INFINITY;

	for (size_t i = 0; i < a->n_outcomes; i++)
		if (!eligible || eligible[i])
			least = fmin(least, y[i] - gp_noise(a->gp, i) * alpha[i]);
	for (size_t i = a->n_outcomes; i < a->n; i++)
		least = fmin(least, gp_outcome(a->gp, b, i) - gp_noise(a->gp, i) * alpha[i]);
	return least;
}

static bool any(const bool *flags, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (flags[i])
			return true;
	return false;
}

static bool prepare_fantasies(struct acquisition *a, const bool *eligible)
{
	const size_t known = a->n_outcomes, pending = a->n - known;
	double *b = factor_allocate(1, a->stride);

	if (!b)
		return false;
	memcpy(b, gp_whitened_outcomes(a->gp), known * sizeof(*b));
	for (size_t s = 0; s < a->n_fantasies; s++) {
		memcpy(b + known, a->draws + s * pending, pending * sizeof(*b));
		memcpy(a->alphas + s * a->stride, b, a->n * sizeof(*b));
	}
	gp_unwhiten(a->gp, a->alphas, a->n_fantasies);
	for (size_t s = 0; s < a->n_fantasies; s++) {
		memcpy(b + known, a->draws + s * pending, pending * sizeof(*b));
		a->incumbents[s] = find_incumbent(a, b, a->alphas + s * a->stride, eligible);
	}
	free(b);
	return true;
}

bool acquisition_create(const struct gp *gp, const bool *eligible, size_t n_fantasies,
	struct random *random, struct acquisition **ret, struct tuner_error *err)
{
	const size_t n = gp_n(gp), pending = n - gp_n_outcomes(gp);
	const bool drawn = pending > 0 && pending <= ACQUISITION_PENDING_MAX && n_fantasies > 1;
	struct acquisition *a = calloc(1, sizeof(*a));

	tuner_assert(n > 0 && n_fantasies >= 1);
	if (!a)
		return tuner_fail_memory(err);
	a->gp = gp;
	a->n = n;
	a->n_outcomes = gp_n_outcomes(gp);
	a->stride = gp_stride(gp);
	/* A single fantasy keeps the draws at 0, so that the outcomes are the predicted means. */
	a->n_fantasies = drawn ? n_fantasies : 1;
	a->draws = factor_allocate(a->n_fantasies, pending);
	a->alphas = factor_allocate(a->n_fantasies, a->stride);
	a->incumbents = factor_allocate(1, a->n_fantasies);
	a->values = factor_allocate(1, a->n_fantasies);
	a->by_mean = factor_allocate(1, a->n_fantasies);
	a->by_sd = factor_allocate(1, a->n_fantasies);
	if (eligible && !any(eligible, a->n_outcomes))
		eligible = NULL;
	if (!a->draws || !a->alphas || !a->incumbents || !a->values || !a->by_mean || !a->by_sd ||
		(drawn && !draw_fantasies(a, pending, random)) || !prepare_fantasies(a, eligible)) {
		acquisition_destroy(a);
		return tuner_fail_memory(err);
	}
	*ret = a;
	return true;
}

void acquisition_destroy(struct acquisition *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->n_joined; i++)
		acquisition_destroy(a->joined[i]);
	free(a->joined_gradients);
	free(a->draws);
	free(a->alphas);
	free(a->incumbents);
	free(a->values);
	free(a->by_mean);
	free(a->by_sd);
	free(a->K);
	free(a->G);
	free(a->T);
	free(a);
}

static double own_incumbent(const struct acquisition *a)
{
	double sum = 0;

	for (size_t s = 0; s < a->n_fantasies; s++)
		sum += a->incumbents[s];
	return sum / (double)a->n_fantasies;
}

static bool reserve(struct acquisition *a, size_t m, struct tuner_error *err)
{
	const size_t rows = m < BLOCK ? m : BLOCK;
	struct acquisition next = *a;

	if (rows <= a->rows)
		return true;
	next.rows = rows;
	next.K = factor_allocate(rows, a->stride);
	next.G = factor_allocate(rows, a->stride);
	next.T = factor_allocate(rows, a->stride);
	if (!next.K || !next.G || !next.T) {
		free(next.K);
		free(next.G);
		free(next.T);
		return tuner_fail_memory(err);
	}
	free(a->K);
	free(a->G);
	free(a->T);
	*a = next;
	return true;
}

/* Log EI of the point with v = L^-1 k(x) under the first S fantasies, into a->values, with the
 * derivatives; returns the logarithm of their mean EI. */
static double value_of(struct acquisition *a, const double *v, double sd, size_t S)
{
	const size_t known = a->n_outcomes, pending = a->n - known;
	const double mean = gp_constant(a->gp) + kernel_dot(v, gp_whitened_outcomes(a->gp), known);
	double most = -INFINITY, sum = 0;

	for (size_t s = 0; s < S; s++) {
		const double shift = kernel_dot(v + known, a->draws + s * pending, pending);

		a->values[s] = log_expected_improvement(
			mean + shift, sd, a->incumbents[s], a->by_mean + s, a->by_sd + s);
		most = fmax(most, a->values[s]);
	}
	if (S == 1 || !isfinite(most))
		return most;
	for (size_t s = 0; s < S; s++)
		sum += exp(a->values[s] - most);
	return most + log(sum / (double)S);
}

static bool own_values(struct acquisition *a, const double *X, size_t m, size_t fantasies,
	double *ret_values, struct tuner_error *err)
{
	const size_t d = gp_d(a->gp);
	const size_t S = fantasies && fantasies < a->n_fantasies ? fantasies : a->n_fantasies;

	if (!reserve(a, m, err))
		return false;
	for (size_t i = 0; i < m; i += BLOCK) {
		const size_t rows = m - i < BLOCK ? m - i : BLOCK;

		gp_cross(a->gp, X + i * d, rows, a->K, NULL);
		gp_whiten(a->gp, a->K, rows);
		for (size_t r = 0; r < rows; r++) {
			const double *v = a->K + r * a->stride;

			ret_values[i + r] = value_of(a, v, sqrt(gp_variance(a->gp, v)), S);
		}
	}
	return true;
}

/* `fantasies`: of no use; as own_values. */
static bool own_glance(struct acquisition *a, const double *X, size_t m, size_t fantasies,
	double *ret_values, struct tuner_error *err)
{
	const size_t d = gp_d(a->gp);
	const double incumbent = own_incumbent(a);
	double *weights, by_mean, by_sd;

	(void)fantasies;

	if (!reserve(a, m, err))
		return false;
	weights = factor_allocate(1, a->stride);
	if (!weights)
		return tuner_fail_memory(err);
	gp_weights(a->gp, weights);
	for (size_t i = 0; i < m; i += BLOCK) {
		const size_t rows = m - i < BLOCK ? m - i : BLOCK;

		gp_cross(a->gp, X + i * d, rows, a->K, NULL);
		for (size_t r = 0; r < rows; r++) {
			double mean, sd;

			gp_glance(a->gp, a->K + r * a->stride, weights, &mean, &sd);
			ret_values[i + r] =
				log_expected_improvement(mean, sd, incumbent, &by_mean, &by_sd);
		}
	}
	free(weights);
	return true;
}

/* With softmax weights w_s of the fantasies, the gradient is
 *     sum_s w_s (by_mean_s dmean_s + by_sd_s dsd),  dmean_s = sum_i alpha_si dk_i,
 *     dsd = -sum_i u_i dk_i / sd:
 * one weight per row of the model, t_i = sum_s w_s by_mean_s alpha_si - (sum_s w_s by_sd_s) u_i /
 * sd. This is the first sum, and returns the second. */
static double mean_weights(const struct acquisition *a, double value, double *ret_t)
{
	double by_sd = 0;

	memset(ret_t, 0, a->n * sizeof(*ret_t));
	for (size_t s = 0; s < a->n_fantasies; s++) {
		const double w = exp(a->values[s] - value) / (double)a->n_fantasies;
		const double by_mean = w * a->by_mean[s], *alpha = a->alphas + s * a->stride;

		by_sd += w * a->by_sd[s];
		for (size_t i = 0; i < a->n; i++)
			ret_t[i] += by_mean * alpha[i];
	}
	return by_sd;
}

static void gradients_block(
	struct acquisition *a, const double *X, size_t m, double *ret_values, double *ret_gradients)
{
	const size_t d = gp_d(a->gp);
	double by_variance[BLOCK]; /* -(sum_s w_s by_sd_s) / sd */

	gp_cross(a->gp, X, m, a->K, a->G);
	gp_whiten(a->gp, a->K, m);
	for (size_t r = 0; r < m; r++) {
		const double *v = a->K + r * a->stride, sd = sqrt(gp_variance(a->gp, v));

		ret_values[r] = value_of(a, v, sd, a->n_fantasies);
		by_variance[r] = -mean_weights(a, ret_values[r], a->T + r * a->stride) / sd;
	}
	gp_unwhiten(a->gp, a->K, m);
	for (size_t r = 0; r < m; r++) {
		const double *u = a->K + r * a->stride, *g = a->G + r * a->stride;
		double *t = a->T + r * a->stride;

		for (size_t i = 0; i < a->n; i++)
			t[i] = (t[i] + by_variance[r] * u[i]) * g[i];
		gp_pull(a->gp, X + r * d, t, ret_gradients + r * d);
	}
}

static bool own_gradients(struct acquisition *a, const double *X, size_t m, double *ret_values,
	double *ret_gradients, struct tuner_error *err)
{
	const size_t d = gp_d(a->gp);

	if (!reserve(a, m, err))
		return false;
	for (size_t i = 0; i < m; i += BLOCK)
		gradients_block(a, X + i * d, m - i < BLOCK ? m - i : BLOCK, ret_values + i,
			ret_gradients + i * d);
	return true;
}

/* ---- the mean over several models ---- */

bool acquisition_join(struct acquisition *a, struct acquisition *other, struct tuner_error *err)
{
	tuner_assert(a->n_joined < ACQUISITION_MODELS_MAX - 1 && other->n_joined == 0 &&
		     gp_d(a->gp) == gp_d(other->gp));
	a->joined[a->n_joined++] = other;
	if (!a->joined_gradients)
		a->joined_gradients = factor_allocate(BLOCK, gp_d(a->gp));
	return a->joined_gradients || tuner_fail_memory(err);
}

double acquisition_incumbent(const struct acquisition *a)
{
	double sum = own_incumbent(a);

	for (size_t i = 0; i < a->n_joined; i++)
		sum += own_incumbent(a->joined[i]);
	return sum / (double)(a->n_joined + 1);
}

/* ln(e^a + e^b) */
static double log_sum(double a, double b)
{
	const double most = fmax(a, b);

	return isfinite(most) ? most + log(exp(a - most) + exp(b - most)) : most;
}

typedef bool values_function(struct acquisition *a, const double *X, size_t m, size_t fantasies,
	double *ret_values, struct tuner_error *err);

/* Adds the first n joined models to own values. */
static bool join_values(struct acquisition *a, size_t n, values_function *values, const double *X,
	size_t m, size_t fantasies, double *ret_values, struct tuner_error *err)
{
	double more[BLOCK];

	for (size_t i = 0; i < n; i++)
		for (size_t at = 0; at < m; at += BLOCK) {
			const size_t rows = m - at < BLOCK ? m - at : BLOCK;

			if (!values(a->joined[i], X + at * gp_d(a->gp), rows, fantasies, more, err))
				return false;
			for (size_t r = 0; r < rows; r++)
				ret_values[at + r] = log_sum(ret_values[at + r], more[r]);
		}
	for (size_t r = 0; n > 0 && r < m; r++)
		ret_values[r] -= log((double)(n + 1));
	return true;
}

static size_t joined_at_first(const struct acquisition *a)
{
	return a->n_joined < ACQUISITION_MODELS_FIRST ? a->n_joined : ACQUISITION_MODELS_FIRST - 1;
}

bool acquisition_values(struct acquisition *a, const double *X, size_t m, size_t fantasies,
	double *ret_values, struct tuner_error *err)
{
	const size_t n = fantasies ? joined_at_first(a) : a->n_joined;

	return own_values(a, X, m, fantasies, ret_values, err) &&
	       join_values(a, n, own_values, X, m, fantasies, ret_values, err);
}

bool acquisition_glance(struct acquisition *a, const double *X, size_t m, double *ret_values,
	struct tuner_error *err)
{
	return own_glance(a, X, m, 0, ret_values, err) &&
	       join_values(a, joined_at_first(a), own_glance, X, m, 0, ret_values, err);
}

/* The gradient of a logarithm of a sum: each term's, by its part of the sum. */
static void join_gradient(
	double *value, double *gradient, double more, const double *more_gradient, size_t d)
{
	const double sum = log_sum(*value, more);

	for (size_t k = 0; isfinite(sum) && k < d; k++)
		gradient[k] = exp(*value - sum) * gradient[k] + exp(more - sum) * more_gradient[k];
	*value = sum;
}

static bool join_gradients(struct acquisition *a, size_t n, const double *X, size_t m,
	double *ret_values, double *ret_gradients, struct tuner_error *err)
{
	const size_t d = gp_d(a->gp);
	double more[BLOCK];

	for (size_t i = 0; i < n; i++) {
		if (!own_gradients(a->joined[i], X, m, more, a->joined_gradients, err))
			return false;
		for (size_t r = 0; r < m; r++)
			join_gradient(&ret_values[r], &ret_gradients[r * d], more[r],
				&a->joined_gradients[r * d], d);
	}
	for (size_t r = 0; n > 0 && r < m; r++)
		ret_values[r] -= log((double)(n + 1));
	return true;
}

static bool gradients_with(struct acquisition *a, size_t n, const double *X, size_t m,
	double *ret_values, double *ret_gradients, struct tuner_error *err)
{
	const size_t d = gp_d(a->gp);

	if (!own_gradients(a, X, m, ret_values, ret_gradients, err))
		return false;
	for (size_t i = 0; i < m; i += BLOCK)
		if (!join_gradients(a, n, X + i * d, m - i < BLOCK ? m - i : BLOCK, ret_values + i,
			    ret_gradients + i * d, err))
			return false;
	return true;
}

bool acquisition_gradients(struct acquisition *a, const double *X, size_t m, double *ret_values,
	double *ret_gradients, struct tuner_error *err)
{
	return gradients_with(a, a->n_joined, X, m, ret_values, ret_gradients, err);
}

bool acquisition_rough_gradients(struct acquisition *a, const double *X, size_t m,
	double *ret_values, double *ret_gradients, struct tuner_error *err)
{
	return gradients_with(a, joined_at_first(a), X, m, ret_values, ret_gradients, err);
}
