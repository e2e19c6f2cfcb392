#include "surrogate/gp.h"

#include "surrogate/factor.h"
#include "surrogate/glance.h"
#include "surrogate/hyperprior.h"
#include "surrogate/likelihood.h"
#include "surrogate/replicates.h"
#include "surrogate/warp.h"

#include <gsl/gsl_fit.h>
#include <gsl/gsl_statistics_double.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Points of a glance whose exact sd is computed. */
enum { GLANCE_EXACT = 32 };

/* The model conditioned on rows. `capacity` rows fit; it is the stride of Z and L, so a multiple of
 * KERNEL_LANES. alpha = K^-1 (y - c 1) is over the rows with outcomes. */
struct posterior {
	size_t n, n_outcomes, n_factored, capacity;
	double *X; /* capacity x d */
	double *W; /* as X: warped */
	double *Z; /* d x capacity, scaled (kernel.h) */
	double *L; /* capacity x capacity */
	double *noise; /* capacity; variances, without jitter */
	double *trend; /* capacity; at the rows; zeros without a trend */
	double *y, *b, *alpha; /* capacity */
	double *scratch; /* capacity */
	double *theta; /* gp_n_hyperparameters; room for 3d + 1 */
	double *inverse_lengths, *z, *w; /* d; z and w are scratch */
	struct warp *warps; /* d; all identities unless the model is warped */
	double c, jitter;
};

struct gp {
	size_t d;
	bool warped;
	enum dimension_kind *kinds;
	struct gp_trend trend; /* evaluate NULL: none */
	struct posterior posterior;
};

bool gp_create(size_t d, const enum dimension_kind *kinds, bool warped, struct gp **ret,
	struct tuner_error *err)
{
	struct gp *gp = calloc(1, sizeof(*gp));

	tuner_assert(d >= 1);
	if (gp)
		gp->kinds = calloc(d, sizeof(*gp->kinds));
	if (!gp || !gp->kinds) {
		gp_destroy(gp);
		return tuner_fail_memory(err);
	}
	gp->d = d;
	gp->warped = warped;
	for (size_t k = 0; k < d; k++)
		gp->kinds[k] = kinds ? kinds[k] : DIMENSION_NUMERIC;
	*ret = gp;
	return true;
}

static void posterior_finish(struct posterior *p)
{
	free(p->X);
	free(p->W);
	free(p->Z);
	free(p->L);
	free(p->noise);
	free(p->trend);
	free(p->y);
	free(p->b);
	free(p->alpha);
	free(p->scratch);
	free(p->theta);
	free(p->inverse_lengths);
	free(p->z);
	free(p->w);
	free(p->warps);
}

void gp_destroy(struct gp *gp)
{
	if (!gp)
		return;
	posterior_finish(&gp->posterior);
	free(gp->kinds);
	free(gp);
}

/* Initialises an empty posterior with room for n rows and some pending ones. */
static bool posterior_init(struct posterior *p, size_t d, size_t n, struct tuner_error *err)
{
	const size_t capacity = kernel_stride(n + n / 8 + 16);

	*p = (struct posterior){
		.capacity = capacity,
		.X = factor_allocate(capacity, d),
		.W = factor_allocate(capacity, d),
		.Z = factor_allocate(d, capacity),
		.L = factor_allocate(capacity, capacity),
		.noise = factor_allocate(1, capacity),
		.trend = factor_allocate(1, capacity),
		.y = factor_allocate(1, capacity),
		.b = factor_allocate(1, capacity),
		.alpha = factor_allocate(1, capacity),
		.scratch = factor_allocate(1, capacity),
		.theta = factor_allocate(1, 3 * d + 1),
		.inverse_lengths = factor_allocate(1, d),
		.z = factor_allocate(1, d),
		.w = factor_allocate(1, d),
		.warps = calloc(d, sizeof *p->warps),
	};
	if (p->X && p->W && p->Z && p->L && p->noise && p->trend && p->y && p->b && p->alpha &&
		p->scratch && p->theta && p->inverse_lengths && p->z && p->w && p->warps)
		return true;
	posterior_finish(p);
	return tuner_fail_memory(err);
}

size_t gp_n_hyperparameters(const struct gp *gp)
{
	return gp->warped ? 3 * gp->d + 1 : gp->d + 1;
}

static struct kernel kernel_of(const struct gp *gp, const struct posterior *p)
{
	return (struct kernel){ gp->d, gp->kinds, p->inverse_lengths };
}

/* alpha is free until it is computed: here it holds what the trend leaves of the outcomes. */
static void set_outcomes(struct posterior *p, const double *y, size_t n)
{
	if (y != p->y)
		memcpy(p->y, y, n * sizeof(*y));
	p->n_outcomes = n;
	for (size_t i = 0; i < n; i++)
		p->alpha[i] = p->y[i] - p->trend[i];
	p->c = factor_constant(p->L, p->capacity, n, p->alpha, p->b, p->scratch);
	memcpy(p->alpha, p->b, n * sizeof(*p->b));
	factor_backward(p->L, p->capacity, n, p->alpha);
}

static void set_hyperparameters(const struct gp *gp, struct posterior *p, const double *theta)
{
	memcpy(p->theta, theta, gp_n_hyperparameters(gp) * sizeof(*theta));
	for (size_t k = 0; k < gp->d; k++) {
		p->inverse_lengths[k] = exp(-theta[kernel_length_of(gp->kinds, k)]);
		p->warps[k] = gp->warped ? warp_of(theta, gp->d, k) : (struct warp){ 1, 1 };
	}
}

/* One point into the coordinates of Z. */
static void scale_point(const struct gp *gp, const double *x, double *ret_z)
{
	const struct posterior *p = &gp->posterior;
	const struct kernel kernel = kernel_of(gp, p);

	for (size_t k = 0; k < gp->d; k++)
		p->w[k] = warp_value(p->warps[k], x[k]);
	kernel_scale(&kernel, p->w, 1, ret_z, 1);
}

static bool condition(const struct gp *gp, struct posterior *p, const struct gp_data *data,
	const double *theta, struct tuner_error *err)
{
	const struct kernel kernel = kernel_of(gp, p);

	set_hyperparameters(gp, p, theta);
	memcpy(p->X, data->X, data->n * gp->d * sizeof(double));
	for (size_t i = 0; i < data->n; i++)
		p->noise[i] = exp(theta[gp->d]) * replicates_noise_scale(data, i);
	if (gp->warped) {
		warp_rows(theta, gp->d, gp->kinds, p->X, data->n, p->W);
		kernel_scale(&kernel, p->W, data->n, p->Z, p->capacity);
	} else {
		kernel_scale(&kernel, p->X, data->n, p->Z, p->capacity);
	}
	if (!factor_covariance(
		    &kernel, p->Z, p->capacity, data->n, p->noise, p->z, p->L, NULL, &p->jitter))
		return tuner_fail(
			err, TUNER_NUMERIC, "the kernel matrix of %zu trials is singular", data->n);
	p->n = p->n_factored = data->n;
	set_outcomes(p, data->y, data->n);
	return true;
}

void gp_set_trend(struct gp *gp, const struct gp_trend *trend)
{
	gp->trend = trend ? *trend : (struct gp_trend){ 0 };
}

const struct gp_trend *gp_trend_of(const struct gp *gp)
{
	return gp->trend.evaluate != NULL ? &gp->trend : NULL;
}

double gp_row_trend(const struct gp *gp, size_t i)
{
	return gp->posterior.trend[i];
}

bool gp_trend_values(const struct gp *gp, const double *X, size_t m, double *ret_values,
	double *ret_gradients, struct tuner_error *err)
{
	if (gp_trend_of(gp) != NULL)
		return gp->trend.evaluate(gp->trend.context, X, m, ret_values, ret_gradients, err);
	memset(ret_values, 0, m * sizeof(*ret_values));
	if (ret_gradients)
		memset(ret_gradients, 0, m * gp->d * sizeof(*ret_gradients));
	return true;
}

/* Build aside, then swap: a failure leaves the old model. */
bool gp_condition(
	struct gp *gp, const struct gp_data *data, const double *theta, struct tuner_error *err)
{
	struct posterior next;
	bool ok;

	tuner_assert(data->n >= 1);
	if (!posterior_init(&next, gp->d, data->n, err))
		return false;
	ok = gp_trend_values(gp, data->X, data->n, next.trend, NULL, err) &&
	     condition(gp, &next, data, theta, err);
	if (ok) {
		const struct posterior old = gp->posterior;

		gp->posterior = next;
		next = old;
	}
	posterior_finish(&next);
	return ok;
}

bool gp_without_trend(const struct gp *gp, const struct gp_data *data, struct gp_data *ret,
	double **ret_memory, struct tuner_error *err)
{
	double *y;

	*ret = *data;
	*ret_memory = NULL;
	if (gp_trend_of(gp) == NULL)
		return true;
	y = calloc(data->n, sizeof *y);
	if (!y || !gp_trend_values(gp, data->X, data->n, y, NULL, err)) {
		free(y);
		return tuner_fail_memory(err);
	}
	for (size_t i = 0; i < data->n; i++)
		y[i] = data->y[i] - y[i];
	ret->y = *ret_memory = y;
	return true;
}

bool gp_likelihood(const struct gp *gp, const struct gp_data *data, const double *theta,
	bool posterior, double *ret_value, double *ret_gradient, struct tuner_error *err)
{
	struct likelihood *likelihood = NULL;
	struct gp_data left;
	double *memory = NULL;
	bool ok;

	if (!gp_without_trend(gp, data, &left, &memory, err))
		return false;
	ok = likelihood_create(gp->d, gp->kinds, gp->warped, &left, &likelihood, err);
	free(memory);
	if (!ok)
		return false;
	ok = likelihood_evaluate(likelihood, theta, ret_value, ret_gradient);
	if (!ok)
		tuner_fail(
			err, TUNER_NUMERIC, "the kernel matrix of %zu trials is singular", data->n);
	else if (posterior)
		*ret_value +=
			hyperprior_log_density(gp->d, gp->kinds, gp->warped, theta, ret_gradient);
	likelihood_destroy(likelihood);
	return ok;
}

/* Makes room for more rows. Numbers are copied, not recomputed, so their bits stay. */
static bool grow(struct gp *gp, size_t n, struct tuner_error *err)
{
	struct posterior next, old = gp->posterior;
	const size_t d = gp->d;

	if (!posterior_init(&next, d, n, err))
		return false;
	memcpy(next.X, old.X, old.n * d * sizeof(double));
	memcpy(next.noise, old.noise, old.n * sizeof(double));
	memcpy(next.trend, old.trend, old.n * sizeof(double));
	memcpy(next.y, old.y, old.n_outcomes * sizeof(double));
	memcpy(next.b, old.b, old.n_outcomes * sizeof(double));
	memcpy(next.alpha, old.alpha, old.n_outcomes * sizeof(double));
	for (size_t k = 0; k < d; k++)
		memcpy(next.Z + k * next.capacity, old.Z + k * old.capacity,
			old.n * sizeof(double));
	for (size_t i = 0; i < old.n; i++)
		memcpy(next.L + i * next.capacity, old.L + i * old.capacity,
			(i + 1) * sizeof(double));
	set_hyperparameters(gp, &next, old.theta);
	next.n = old.n;
	next.n_outcomes = old.n_outcomes;
	next.n_factored = old.n_factored;
	next.c = old.c;
	next.jitter = old.jitter;
	gp->posterior = next;
	posterior_finish(&old);
	return true;
}

static bool append_row(struct gp *gp, const double *x, double noise_scale)
{
	struct posterior *p = &gp->posterior;
	const struct kernel kernel = kernel_of(gp, p);
	double *row = p->L + p->n * p->capacity;

	scale_point(gp, x, p->z);
	memcpy(p->X + p->n * gp->d, x, gp->d * sizeof(*x));
	for (size_t k = 0; k < gp->d; k++)
		p->Z[k * p->capacity + p->n] = p->z[k];
	p->noise[p->n] = exp(p->theta[gp->d]) * noise_scale;
	kernel_row(&kernel, p->Z, p->capacity, p->n, p->z, row, NULL);
	if (!factor_extend(p->L, p->capacity, p->n, row, 1 + (p->noise[p->n] + p->jitter),
		    p->noise[p->n] + p->jitter))
		return false;
	p->n++;
	return true;
}

bool gp_append(struct gp *gp, const double *X, const double *noise_scales, size_t m,
	struct tuner_error *err)
{
	struct posterior *p = &gp->posterior;
	const size_t before = p->n;

	tuner_assert(before > 0);
	if (before + m > p->capacity && !grow(gp, before + m, err))
		return false;
	if (!gp_trend_values(gp, X, m, p->trend + before, NULL, err))
		return false;
	for (size_t i = 0; i < m; i++) {
		if (append_row(gp, X + i * gp->d, noise_scales ? noise_scales[i] : 1))
			continue;
		p->n = before;
		return tuner_fail(
			err, TUNER_NUMERIC, "pending trial %zu of %zu is not a point", i + 1, m);
	}
	return true;
}

void gp_forget(struct gp *gp, size_t m)
{
	struct posterior *p = &gp->posterior;

	tuner_assert(m <= p->n - p->n_outcomes && m <= p->n - p->n_factored);
	p->n -= m;
}

void gp_set_outcomes(struct gp *gp, const double *y, size_t n)
{
	tuner_assert(n >= 1 && n <= gp->posterior.n);
	set_outcomes(&gp->posterior, y, n);
}

bool gp_is_warped(const struct gp *gp)
{
	return gp->warped;
}

size_t gp_d(const struct gp *gp)
{
	return gp->d;
}

const enum dimension_kind *gp_kinds(const struct gp *gp)
{
	return gp->kinds;
}

size_t gp_n(const struct gp *gp)
{
	return gp->posterior.n;
}

size_t gp_n_outcomes(const struct gp *gp)
{
	return gp->posterior.n_outcomes;
}

size_t gp_n_factored(const struct gp *gp)
{
	return gp->posterior.n_factored;
}

const double *gp_hyperparameters(const struct gp *gp)
{
	return gp->posterior.theta;
}

double gp_noise_variance(const struct gp *gp)
{
	return exp(gp_hyperparameters(gp)[gp->d]);
}

double gp_constant(const struct gp *gp)
{
	return gp->posterior.c;
}

double gp_jitter(const struct gp *gp)
{
	return gp->posterior.jitter;
}

const double *gp_row(const struct gp *gp, size_t i)
{
	tuner_assert(i < gp->posterior.n);
	return gp->posterior.X + i * gp->d;
}

const double *gp_outcomes(const struct gp *gp)
{
	return gp->posterior.y;
}

double gp_noise(const struct gp *gp, size_t i)
{
	return gp->posterior.noise[i] + gp->posterior.jitter;
}

/* K0 alpha = (K - noise) alpha = (y - c) - noise alpha. */
void gp_own_means(const struct gp *gp, double *ret_means)
{
	const struct posterior *p = &gp->posterior;

	for (size_t i = 0; i < p->n_outcomes; i++)
		ret_means[i] = p->y[i] - gp_noise(gp, i) * p->alpha[i];
}

size_t gp_stride(const struct gp *gp)
{
	return kernel_stride(gp->posterior.n);
}

void gp_cross(const struct gp *gp, const double *X, size_t m, double *ret_K, double *ret_G)
{
	const struct posterior *p = &gp->posterior;
	const struct kernel kernel = kernel_of(gp, p);
	const size_t stride = gp_stride(gp);

	for (size_t i = 0; i < m; i++) {
		scale_point(gp, X + i * gp->d, p->z);
		kernel_row(&kernel, p->Z, p->capacity, p->n, p->z, ret_K + i * stride,
			ret_G ? ret_G + i * stride : NULL);
	}
}

void gp_whiten(const struct gp *gp, double *K, size_t m)
{
	const struct posterior *p = &gp->posterior;

	factor_forward_rows(p->L, p->capacity, p->n, K, gp_stride(gp), m);
}

void gp_unwhiten(const struct gp *gp, double *V, size_t m)
{
	const struct posterior *p = &gp->posterior;

	factor_backward_rows(p->L, p->capacity, p->n, V, gp_stride(gp), m);
}

void gp_invert(const struct gp *gp, double *ret_inverse)
{
	const struct posterior *p = &gp->posterior;

	factor_invert_triangle(p->L, p->capacity, p->n, ret_inverse, gp_stride(gp));
}

double gp_variance(const struct gp *gp, const double *v)
{
	return fmax(1 - kernel_dot(v, v, gp->posterior.n), 1e-12);
}

/* The rows in the form of glance.h, in one piece of memory. */
static bool glance_rows_init(
	const struct gp *gp, struct glance_rows *ret, float **ret_memory, struct tuner_error *err)
{
	const struct posterior *p = &gp->posterior;
	const size_t n = p->n, d = gp->d;
	float *memory = calloc(d + n * d + 2 * n, sizeof *memory);
	float *inverse_squares = memory, *Z = memory + d, *alpha = Z + n * d, *weights = alpha + n;

	if (!memory)
		return tuner_fail_memory(err);
	for (size_t k = 0; k < d; k++) {
		inverse_squares[k] = (float)(p->inverse_lengths[k] * p->inverse_lengths[k]);
		for (size_t i = 0; i < n; i++)
			Z[i * d + k] = (float)p->Z[k * p->capacity + i];
	}
	for (size_t i = 0; i < n; i++) {
		alpha[i] = i < p->n_outcomes ? (float)p->alpha[i] : 0;
		weights[i] = (float)(1 / (1 + gp_noise(gp, i)));
	}
	*ret = (struct glance_rows){ n, d, gp->kinds, inverse_squares, Z, alpha, weights };
	*ret_memory = memory;
	return true;
}

/* Among many rows the sd left by the single most informative row is a poor estimate: between two
 * rows much more is known. The difference is calibrated: a straight line through the logarithms of
 * exact and estimated sds of a few points. */
static bool narrow(
	const struct gp *gp, const double *X, size_t m, float *sd, struct tuner_error *err)
{
	static const double SLOPE_MIN = 0.3, SLOPE_MAX = 4;
	double mean[GLANCE_EXACT], exact[GLANCE_EXACT], logs[GLANCE_EXACT], c0, slope, unused;
	const size_t d = gp->d;
	double *points = factor_allocate(GLANCE_EXACT, d);

	if (!points)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < GLANCE_EXACT; i++) {
		const size_t row = (2 * i + 1) * m / (2 * GLANCE_EXACT);

		memcpy(points + i * d, X + row * d, d * sizeof(*X));
		logs[i] = log(sd[row]);
	}
	const bool ok = gp_predict(gp, points, GLANCE_EXACT, mean, exact, err);

	free(points);
	if (!ok)
		return false;
	for (size_t i = 0; i < GLANCE_EXACT; i++)
		exact[i] = log(exact[i]);
	gsl_fit_linear(
		logs, 1, exact, 1, GLANCE_EXACT, &c0, &slope, &unused, &unused, &unused, &unused);
	/* The sds are all equal, or there is no line. */
	if (!isfinite(slope))
		return true;
	slope = fmin(fmax(slope, SLOPE_MIN), SLOPE_MAX);
	c0 = gsl_stats_mean(exact, 1, GLANCE_EXACT) - slope * gsl_stats_mean(logs, 1, GLANCE_EXACT);
	glance_narrow(sd, gp_glance_stride(m), (float)c0, (float)slope);
	return true;
}

/* Scales one point into its lane for glance_moments. */
static void scale_for_glance(const struct gp *gp, const double *x, float *ret_points)
{
	const struct posterior *p = &gp->posterior;

	for (size_t k = 0; k < gp->d; k++) {
		const double w = gp->warped ? warp_value(p->warps[k], x[k]) : x[k];
		const double by = gp->kinds[k] == DIMENSION_CATEGORY ? 1 : p->inverse_lengths[k];

		ret_points[k * GLANCE_LANES] = (float)(w * by);
	}
}

size_t gp_glance_stride(size_t m)
{
	return (m + GLANCE_LANES - 1) / GLANCE_LANES * GLANCE_LANES;
}

static bool glance_trend(
	const struct gp *gp, const double *X, size_t m, float *mean, struct tuner_error *err)
{
	double *values = calloc(m + 1, sizeof *values);
	const bool ok =
		(values || tuner_fail_memory(err)) && gp_trend_values(gp, X, m, values, NULL, err);

	for (size_t i = 0; ok && i < m; i++)
		mean[i] += (float)values[i];
	free(values);
	return ok;
}

bool gp_glance(const struct gp *gp, const double *X, size_t m, float *ret_mean, float *ret_sd,
	struct tuner_error *err)
{
	const struct posterior *p = &gp->posterior;
	const size_t d = gp->d;
	struct glance_rows rows;
	float *memory = NULL, *points = calloc(d * GLANCE_LANES, sizeof *points),
	      most[GLANCE_LANES];

	if (!points || !glance_rows_init(gp, &rows, &memory, err)) {
		free(points);
		return tuner_fail_memory(err);
	}
	for (size_t i = 0; i < m; i += GLANCE_LANES) {
		for (size_t l = 0; l < GLANCE_LANES && i + l < m; l++)
			scale_for_glance(gp, X + (i + l) * d, points + l);
		glance_moments(&rows, points, ret_mean + i, most);
		for (size_t l = 0; l < GLANCE_LANES; l++) {
			ret_mean[i + l] += (float)p->c;
			ret_sd[i + l] = sqrtf(fmaxf(1 - most[l], 1e-6F));
		}
	}
	free(points);
	free(memory);
	if (gp_trend_of(gp) != NULL && !glance_trend(gp, X, m, ret_mean, err))
		return false;
	return m < GLANCE_EXACT || narrow(gp, X, m, ret_sd, err);
}

const double *gp_whitened_outcomes(const struct gp *gp)
{
	return gp->posterior.b;
}

double gp_outcome(const struct gp *gp, const double *b, size_t i)
{
	const struct posterior *p = &gp->posterior;

	return p->c + kernel_dot(p->L + i * p->capacity, b, i + 1) + p->trend[i];
}

void gp_pull(const struct gp *gp, const double *x, const double *tG, double *ret_gradient)
{
	const struct posterior *p = &gp->posterior;

	for (size_t k = 0; k < gp->d; k++) {
		const double w = p->inverse_lengths[k], z = warp_value(p->warps[k], x[k]) * w;

		ret_gradient[k] =
			gp->kinds[k] == DIMENSION_CATEGORY
				? 0
				: -w * warp_slope(p->warps[k], x[k]) *
					  kernel_pull(tG, p->Z + k * p->capacity, z, p->n);
	}
}

/* Predictions are made in blocks, so that memory stays bounded. */
enum { BLOCK = 64 };

struct block {
	double *K, *G, *weights;
};

static bool block_init(
	struct block *block, const struct gp *gp, size_t m, bool gradients, struct tuner_error *err)
{
	const size_t stride = gp_stride(gp), rows = m < BLOCK ? m : BLOCK;

	*block = (struct block){
		.K = factor_allocate(rows, stride),
		.G = gradients ? factor_allocate(rows, stride) : NULL,
		.weights = gradients ? factor_allocate(1, stride) : NULL,
	};
	return (block->K && (!gradients || (block->G && block->weights))) || tuner_fail_memory(err);
}

static void block_finish(struct block *block)
{
	free(block->K);
	free(block->G);
	free(block->weights);
}

static void predict_block(const struct gp *gp, struct block *block, const double *X, size_t m,
	double *ret_mean, double *ret_sd)
{
	const struct posterior *p = &gp->posterior;
	const size_t stride = gp_stride(gp);

	gp_cross(gp, X, m, block->K, block->G);
	for (size_t i = 0; i < m; i++)
		ret_mean[i] = p->c + kernel_dot(block->K + i * stride, p->alpha, p->n_outcomes);
	gp_whiten(gp, block->K, m);
	for (size_t i = 0; i < m; i++)
		ret_sd[i] = sqrt(gp_variance(gp, block->K + i * stride));
}

/* After predict_block: d mean = sum alpha_i dk_i, d sd = -sum u_i dk_i / sd. */
static void gradient_block(const struct gp *gp, struct block *block, const double *X, size_t m,
	const double *sd, double *ret_mean_gradient, double *ret_sd_gradient)
{
	const struct posterior *p = &gp->posterior;
	const size_t stride = gp_stride(gp), d = gp->d;

	gp_unwhiten(gp, block->K, m);
	for (size_t i = 0; i < m; i++) {
		const double *u = block->K + i * stride, *g = block->G + i * stride;

		for (size_t j = 0; j < p->n; j++)
			block->weights[j] = j < p->n_outcomes ? p->alpha[j] * g[j] : 0;
		gp_pull(gp, X + i * d, block->weights, ret_mean_gradient + i * d);
		for (size_t j = 0; j < p->n; j++)
			block->weights[j] = -u[j] * g[j] / sd[i];
		gp_pull(gp, X + i * d, block->weights, ret_sd_gradient + i * d);
	}
}

static bool add_trend(const struct gp *gp, const double *X, size_t m, double *mean,
	double *mean_gradient, struct tuner_error *err)
{
	double *values = calloc(m * (gp->d + 1) + 1, sizeof *values), *gradients = values + m;
	const bool ok = (values || tuner_fail_memory(err)) &&
			gp_trend_values(gp, X, m, values, mean_gradient ? gradients : NULL, err);

	for (size_t i = 0; ok && i < m; i++)
		mean[i] += values[i];
	for (size_t i = 0; ok && mean_gradient && i < m * gp->d; i++)
		mean_gradient[i] += gradients[i];
	free(values);
	return ok;
}

/* The mean without the variance: O(n) a point. */
bool gp_predict_mean(const struct gp *gp, const double *X, size_t m, double *ret_mean,
	double *ret_gradient, struct tuner_error *err)
{
	const struct posterior *p = &gp->posterior;
	const size_t d = gp->d, stride = gp_stride(gp);
	struct block block;
	bool ok = block_init(&block, gp, m, ret_gradient != NULL, err);

	for (size_t i = 0; ok && i < m; i += BLOCK) {
		const size_t rows = m - i < BLOCK ? m - i : BLOCK;

		gp_cross(gp, X + i * d, rows, block.K, block.G);
		for (size_t r = 0; r < rows; r++) {
			ret_mean[i + r] =
				p->c + kernel_dot(block.K + r * stride, p->alpha, p->n_outcomes);
			if (!ret_gradient)
				continue;
			for (size_t j = 0; j < p->n; j++)
				block.weights[j] = j < p->n_outcomes
							   ? p->alpha[j] * block.G[r * stride + j]
							   : 0;
			gp_pull(gp, X + (i + r) * d, block.weights, ret_gradient + (i + r) * d);
		}
	}
	block_finish(&block);
	return ok && (gp_trend_of(gp) == NULL || add_trend(gp, X, m, ret_mean, ret_gradient, err));
}

static bool predict(const struct gp *gp, const double *X, size_t m, double *ret_mean,
	double *ret_sd, double *ret_mean_gradient, double *ret_sd_gradient, struct tuner_error *err)
{
	const size_t d = gp->d;
	struct block block;
	bool ok = false;

	tuner_assert(gp->posterior.n > 0);
	if (!block_init(&block, gp, m, ret_mean_gradient != NULL, err))
		goto out;
	for (size_t i = 0; i < m; i += BLOCK) {
		const size_t rows = m - i < BLOCK ? m - i : BLOCK;

		predict_block(gp, &block, X + i * d, rows, ret_mean + i, ret_sd + i);
		if (ret_mean_gradient)
			gradient_block(gp, &block, X + i * d, rows, ret_sd + i,
				ret_mean_gradient + i * d, ret_sd_gradient + i * d);
	}
	ok = gp_trend_of(gp) == NULL || add_trend(gp, X, m, ret_mean, ret_mean_gradient, err);
out:
	block_finish(&block);
	return ok;
}

bool gp_predict(const struct gp *gp, const double *X, size_t m, double *ret_mean, double *ret_sd,
	struct tuner_error *err)
{
	return predict(gp, X, m, ret_mean, ret_sd, NULL, NULL, err);
}

bool gp_predict_gradient(const struct gp *gp, const double *X, size_t m, double *ret_mean,
	double *ret_sd, double *ret_mean_gradient, double *ret_sd_gradient, struct tuner_error *err)
{
	return predict(gp, X, m, ret_mean, ret_sd, ret_mean_gradient, ret_sd_gradient, err);
}
