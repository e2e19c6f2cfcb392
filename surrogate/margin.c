#include "surrogate/margin.h"

#include "surrogate/factor.h"
#include "surrogate/model_fit.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_erf.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LOG_SQRT_2_PI = 0.91893853320467274178;

enum {
	FIT_ROWS = 128, /* rows for the hyperparameters: nothing is kept from the last fit, so a fit
			must be cheap */
	BLOCK = 64, /* points at a time, so that memory stays bounded */
};

struct margin {
	struct gp *gp;
	double noise;
	double *outcomes; /* of the ended trials, and of those that are supposed */
	size_t n; /* ended trials */
	double *mean_gradients, *sd_gradients; /* BLOCK x d */
};

/* Below 0 by the hazard rate H(a) = phi(a) / Q(a) at a = -z, which neither underflows nor cancels. */
double log_normal_cdf(double z, double *ret_slope)
{
	const double log_phi = -0.5 * z * z - LOG_SQRT_2_PI;
	gsl_sf_result hazard;

	if (z >= 0) {
		const double Q = gsl_cdf_ugaussian_Q(z);

		*ret_slope = exp(log_phi) / (1 - Q);
		return log1p(-Q);
	}
	gsl_sf_hazard_e(-z, &hazard);
	*ret_slope = hazard.val;
	return log_phi - log(hazard.val);
}

/* ---- the model ---- */

static bool fit(struct margin *margin, const struct gp_data *data, uint64_t work_limit,
	uint64_t *ret_work, struct tuner_error *err)
{
	double *mode = factor_allocate(1, gp_n_hyperparameters(margin->gp));
	const struct gp_fit_options options = {
		.start = mode, .quick = true, .work_limit = work_limit
	};
	struct gp_fit_report report = { .work = 0 };
	bool ok = mode != NULL || tuner_fail_memory(err);

	if (ok) {
		gp_prior_mode(margin->gp, mode);
		ok = model_fit_rows(margin->gp, data, FIT_ROWS, &options, &report, err);
	}
	*ret_work = report.work;
	free(mode);
	return ok;
}

static bool allocate(struct margin *margin, size_t d, struct tuner_error *err)
{
	margin->mean_gradients = factor_allocate(BLOCK, d);
	margin->sd_gradients = factor_allocate(BLOCK, d);
	return (margin->mean_gradients && margin->sd_gradients) || tuner_fail_memory(err);
}

bool margin_create(size_t d, const enum dimension_kind *kinds, const struct gp_data *data,
	uint64_t work_limit, struct margin **ret, uint64_t *ret_work, struct tuner_error *err)
{
	struct margin *margin = calloc(1, sizeof(*margin));

	if (margin == NULL)
		return tuner_fail_memory(err);
	if (!gp_create(d, kinds, false, &margin->gp, err) ||
		!fit(margin, data, work_limit, ret_work, err) || !allocate(margin, d, err)) {
		margin_destroy(margin);
		return false;
	}
	margin->noise = gp_noise_variance(margin->gp);
	margin->n = gp_n(margin->gp);
	*ret = margin;
	return true;
}

void margin_destroy(struct margin *margin)
{
	if (margin == NULL)
		return;
	gp_destroy(margin->gp);
	free(margin->outcomes);
	free(margin->mean_gradients);
	free(margin->sd_gradients);
	free(margin);
}

const struct gp *margin_gp(const struct margin *margin)
{
	return margin->gp;
}

/* ---- predictions ---- */

static double trial_sd(const struct margin *margin, double sd)
{
	return sqrt(sd * sd + margin->noise);
}

bool margin_add(
	struct margin *margin, const double *X, size_t m, double *values, struct tuner_error *err)
{
	const size_t d = gp_d(margin->gp);
	double mean[BLOCK], sd[BLOCK], slope;

	for (size_t i = 0; i < m; i += BLOCK) {
		const size_t rows = m - i < BLOCK ? m - i : BLOCK;

		if (!gp_predict(margin->gp, X + i * d, rows, mean, sd, err))
			return false;
		for (size_t r = 0; r < rows; r++)
			values[i + r] += log_normal_cdf(mean[r] / trial_sd(margin, sd[r]), &slope);
	}
	return true;
}

/* With t the trial's sd, t dt = sd dsd: dz = dmean / t - mean sd dsd / t^3. */
static void add_gradient(const struct margin *margin, size_t row, double mean, double sd,
	double *value, double *gradient)
{
	const size_t d = gp_d(margin->gp);
	const double t = trial_sd(margin, sd);
	double slope;

	*value += log_normal_cdf(mean / t, &slope);
	for (size_t k = 0; k < d; k++)
		gradient[k] += slope / t *
			       (margin->mean_gradients[row * d + k] -
				       mean * sd / (t * t) * margin->sd_gradients[row * d + k]);
}

bool margin_add_gradients(struct margin *margin, const double *X, size_t m, double *values,
	double *gradients, struct tuner_error *err)
{
	const size_t d = gp_d(margin->gp);
	double mean[BLOCK], sd[BLOCK];

	for (size_t i = 0; i < m; i += BLOCK) {
		const size_t rows = m - i < BLOCK ? m - i : BLOCK;

		if (!gp_predict_gradient(margin->gp, X + i * d, rows, mean, sd,
			    margin->mean_gradients, margin->sd_gradients, err))
			return false;
		for (size_t r = 0; r < rows; r++)
			add_gradient(
				margin, r, mean[r], sd[r], &values[i + r], &gradients[(i + r) * d]);
	}
	return true;
}

bool margin_add_glance(
	struct margin *margin, const double *X, size_t m, double *values, struct tuner_error *err)
{
	const size_t stride = gp_glance_stride(m);
	float *mean = calloc(2 * stride + 1, sizeof *mean), *sd = mean + stride;
	double slope;

	if (!mean || !gp_glance(margin->gp, X, m, mean, sd, err)) {
		free(mean);
		return tuner_fail_memory(err);
	}
	for (size_t i = 0; i < m; i++)
		values[i] += log_normal_cdf(mean[i] / trial_sd(margin, sd[i]), &slope);
	free(mean);
	return true;
}

/* ---- trials that run ---- */

/* With trial sd t, E(margin | margin < 0) = mean - t phi(z) / Phi(z), z = -mean / t. */
static bool mean_below(
	const struct margin *margin, const double *x, double *ret, struct tuner_error *err)
{
	double mean, sd, slope;

	if (!gp_predict(margin->gp, x, 1, &mean, &sd, err))
		return false;
	const double t = trial_sd(margin, sd);

	log_normal_cdf(-mean / t, &slope);
	*ret = mean - t * slope;
	return true;
}

bool margin_suppose_below(struct margin *margin, const double *x, struct tuner_error *err)
{
	const size_t n = gp_n(margin->gp);
	double *outcomes = calloc(n + 1, sizeof *outcomes);

	if (outcomes == NULL)
		return tuner_fail_memory(err);
	memcpy(outcomes, gp_outcomes(margin->gp), n * sizeof *outcomes);
	free(margin->outcomes);
	margin->outcomes = outcomes;
	if (!mean_below(margin, x, &outcomes[n], err) || !gp_append(margin->gp, x, NULL, 1, err))
		return false;
	gp_set_outcomes(margin->gp, outcomes, n + 1);
	return true;
}

void margin_forget(struct margin *margin)
{
	if (gp_n(margin->gp) == margin->n)
		return;
	gp_set_outcomes(margin->gp, margin->outcomes, margin->n);
	gp_forget(margin->gp, gp_n(margin->gp) - margin->n);
}

/* ---- the term ---- */

static bool add(void *context, const double *X, size_t m, double *values, double *gradients,
	struct tuner_error *err)
{
	return gradients == NULL ? margin_add(context, X, m, values, err)
				 : margin_add_gradients(context, X, m, values, gradients, err);
}

static bool add_glance(
	void *context, const double *X, size_t m, double *values, struct tuner_error *err)
{
	return margin_add_glance(context, X, m, values, err);
}

struct acquisition_term margin_term(struct margin *margin)
{
	return (struct acquisition_term){ margin, add, add_glance };
}
