#include "surrogate/feasibility.h"

#include "surrogate/factor.h"
#include "surrogate/importance.h"
#include "surrogate/model_fit.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_erf.h>

#include <math.h>
#include <stdlib.h>

static const double LOG_SQRT_2_PI = 0.91893853320467274178;

enum {
	FAILURES_MIN = 3,
	FAILURES_PART = 10, /* one of this many trials must have failed */
	FIT_ROWS = 128, /* rows for the hyperparameters: nothing is kept from the last fit, so a fit
			must be cheap */
	BLOCK = 64, /* points at a time, so that memory stays bounded */
};

struct feasibility {
	struct gp *gp;
	double noise;
	double *K; /* BLOCK x gp_stride */
	double *mean_gradients, *sd_gradients; /* BLOCK x d */
};

bool feasibility_is_due(size_t n_failed, size_t n)
{
	return n_failed >= FAILURES_MIN && n_failed >= (n + FAILURES_PART - 1) / FAILURES_PART;
}

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

static bool fit(struct feasibility *f, const struct feasibility_data *data, uint64_t work_limit,
	uint64_t *ret_work, struct tuner_error *err)
{
	double *outcomes = factor_allocate(1, data->n), *mode = factor_allocate(1, data->d + 1);
	const struct gp_data rows = {
		.n = data->n, .X = data->X, .y = outcomes, .counts = data->counts
	};
	const struct gp_fit_options options = {
		.start = mode, .quick = true, .work_limit = work_limit
	};
	struct gp_fit_report report = { .work = 0 };
	bool ok = (outcomes != NULL && mode != NULL) || tuner_fail_memory(err);

	if (ok) {
		for (size_t i = 0; i < data->n; i++)
			outcomes[i] = data->valued[i] ? 1 : -1;
		gp_prior_mode(f->gp, mode);
		ok = model_fit_rows(f->gp, &rows, FIT_ROWS, &options, &report, err);
	}
	*ret_work = report.work;
	free(outcomes);
	free(mode);
	return ok;
}

static bool allocate(struct feasibility *f, size_t d, struct tuner_error *err)
{
	f->K = factor_allocate(BLOCK, gp_stride(f->gp));
	f->mean_gradients = factor_allocate(BLOCK, d);
	f->sd_gradients = factor_allocate(BLOCK, d);
	return (f->K && f->mean_gradients && f->sd_gradients) || tuner_fail_memory(err);
}

bool feasibility_create(const struct feasibility_data *data, uint64_t work_limit,
	struct feasibility **ret, uint64_t *ret_work, struct tuner_error *err)
{
	struct feasibility *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return tuner_fail_memory(err);
	if (!gp_create(data->d, data->kinds, false, &f->gp, err) ||
		!fit(f, data, work_limit, ret_work, err) || !allocate(f, data->d, err)) {
		feasibility_destroy(f);
		return false;
	}
	f->noise = gp_noise_variance(f->gp);
	*ret = f;
	return true;
}

void feasibility_destroy(struct feasibility *f)
{
	if (f == NULL)
		return;
	gp_destroy(f->gp);
	free(f->K);
	free(f->mean_gradients);
	free(f->sd_gradients);
	free(f);
}

/* ---- predictions ---- */

bool feasibility_foretold(const struct feasibility *f, bool *ret_foretold, struct tuner_error *err)
{
	const size_t n = gp_n(f->gp);
	double *means = factor_allocate(1, n);

	if (means == NULL)
		return tuner_fail_memory(err);

	const bool ok = leave_one_out(f->gp, means, err);

	for (size_t i = 0; ok && i < n; i++)
		ret_foretold[i] = gp_outcomes(f->gp)[i] < 0 && means[i] < 0;
	free(means);
	return ok;
}

static double trial_sd(const struct feasibility *f, double sd)
{
	return sqrt(sd * sd + f->noise);
}

bool feasibility_add(
	struct feasibility *f, const double *X, size_t m, double *values, struct tuner_error *err)
{
	const size_t d = gp_d(f->gp);
	double mean[BLOCK], sd[BLOCK], slope;

	for (size_t i = 0; i < m; i += BLOCK) {
		const size_t rows = m - i < BLOCK ? m - i : BLOCK;

		if (!gp_predict(f->gp, X + i * d, rows, mean, sd, err))
			return false;
		for (size_t r = 0; r < rows; r++)
			values[i + r] += log_normal_cdf(mean[r] / trial_sd(f, sd[r]), &slope);
	}
	return true;
}

/* With t the trial's sd, t dt = sd dsd: dz = dmean / t - mean sd dsd / t^3. */
static void add_gradient(const struct feasibility *f, size_t row, double mean, double sd,
	double *value, double *gradient)
{
	const size_t d = gp_d(f->gp);
	const double t = trial_sd(f, sd);
	double slope;

	*value += log_normal_cdf(mean / t, &slope);
	for (size_t k = 0; k < d; k++)
		gradient[k] += slope / t *
			       (f->mean_gradients[row * d + k] -
				       mean * sd / (t * t) * f->sd_gradients[row * d + k]);
}

bool feasibility_add_gradients(struct feasibility *f, const double *X, size_t m, double *values,
	double *gradients, struct tuner_error *err)
{
	const size_t d = gp_d(f->gp);
	double mean[BLOCK], sd[BLOCK];

	for (size_t i = 0; i < m; i += BLOCK) {
		const size_t rows = m - i < BLOCK ? m - i : BLOCK;

		if (!gp_predict_gradient(f->gp, X + i * d, rows, mean, sd, f->mean_gradients,
			    f->sd_gradients, err))
			return false;
		for (size_t r = 0; r < rows; r++)
			add_gradient(f, r, mean[r], sd[r], &values[i + r], &gradients[(i + r) * d]);
	}
	return true;
}

bool feasibility_add_glance(
	struct feasibility *f, const double *X, size_t m, double *values, struct tuner_error *err)
{
	const size_t stride = gp_glance_stride(m);
	float *mean = calloc(2 * stride + 1, sizeof *mean), *sd = mean + stride;
	double slope;

	if (!mean || !gp_glance(f->gp, X, m, mean, sd, err)) {
		free(mean);
		return tuner_fail_memory(err);
	}
	for (size_t i = 0; i < m; i++)
		values[i] += log_normal_cdf(mean[i] / trial_sd(f, sd[i]), &slope);
	free(mean);
	return true;
}

/* ---- the term ---- */

static bool add(void *context, const double *X, size_t m, double *values, double *gradients,
	struct tuner_error *err)
{
	return gradients == NULL ? feasibility_add(context, X, m, values, err)
				 : feasibility_add_gradients(context, X, m, values, gradients, err);
}

static bool add_glance(
	void *context, const double *X, size_t m, double *values, struct tuner_error *err)
{
	return feasibility_add_glance(context, X, m, values, err);
}

struct acquisition_term feasibility_term(struct feasibility *feasibility)
{
	return (struct acquisition_term){ feasibility, add, add_glance };
}
