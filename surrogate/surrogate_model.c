#include "surrogate/surrogate_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	SEARCH_WIDELY = 30, /* trials up to which every fit has all its starts */
	SEARCH_WIDELY_EVERY = 8, /* beyond: one fit in this many */
	SEARCH_SELDOM = 100,
	SEARCH_SELDOM_EVERY = 24, /* the same beyond SEARCH_SELDOM trials */
	REFIT_ALWAYS = 30, /* trials up to which every suggestion refits */
	REFIT_SELDOM = 45,
	REFIT_SELDOM_FROM = 200,
	REFIT_GROWTH = 50, /* beyond REFIT_SELDOM_FROM: every (n / REFIT_GROWTH)-th */
	WIDE_EVERY = 3, /* one suggestion in this many of a stagnating search */
};

/* Beyond REFIT_ALWAYS, an outcome this many sd from its prediction also causes a refit. */
static const double SURPRISE = 3;

/* Suggestions since the last wide one; with very many trials wide ones are as rare as fits. */
static size_t since_wide(const struct suggest_request *request)
{
	const size_t n = request->n_observations;

	return request->number %
	       (n < REFIT_SELDOM_FROM ? WIDE_EVERY : WIDE_EVERY * n / REFIT_GROWTH);
}

static bool is_wide(const struct surrogate_model *model)
{
	return model->stagnates && since_wide(model->request) == 0 &&
	       model->request->strategy->transform == TRANSFORM_AUTO &&
	       model_data_transform(model->request, model->columns.d) == TRANSFORM_HALF_RANK;
}

static bool read_outcomes(struct surrogate_model *model, const struct suggest_request *lessons,
	struct tuner_error *err)
{
	struct suggest_request wide_lessons = *lessons;
	struct strategy wide = *lessons->strategy;

	wide.transform = TRANSFORM_NONE;
	wide_lessons.strategy = &wide;
	return model_data_init(&model->data, &model->columns,
		model->is_wide ? &wide_lessons : lessons, model->lengthscales, err);
}

bool surrogate_model_init(struct surrogate_model *model, const struct suggest_request *request,
	const struct suggest_request *lessons, struct tuner_error *err)
{
	model->request = request;
	model->lessons = *lessons;
	model->is_wide = is_wide(model);
	if (!gp_create(model->columns.d, model->columns.kinds,
		    request->strategy->warp != STRATEGY_WARP_NONE, &model->gp, err))
		return false;
	model->start = model_fit_start(model->gp, request);
	model_fit_lengthscales(&model->columns, model->start, model->lengthscales);
	return read_outcomes(model, lessons, err);
}

void surrogate_model_finish(struct surrogate_model *model)
{
	margin_destroy(model->feasibility);
	limits_destroy(model->limits);
	free(model->chances);
	ensemble_finish(&model->ensemble);
	gp_destroy(model->gp);
	model_data_finish(&model->data);
}

/* ---- what other searches tell ---- */

/* ln of the factor by which the blend has made variances larger. */
static double log_unit(const struct surrogate_model *model)
{
	return related_is_used(&model->blend) ? 2 * log(model->blend.scale) : 0;
}

/* Hyperparameters in the unit of standardised outcomes, in the present unit. */
static void scale_hyperparameters(
	const struct surrogate_model *model, const double *theta, double *ret)
{
	memcpy(ret, theta, gp_n_hyperparameters(model->gp) * sizeof *ret);
	ret[gp_d(model->gp)] += log_unit(model);
}

void surrogate_model_hyperparameters(const struct surrogate_model *model, double *ret)
{
	memcpy(ret, gp_hyperparameters(surrogate_model_latest(model)),
		gp_n_hyperparameters(model->gp) * sizeof *ret);
	ret[gp_d(model->gp)] -= log_unit(model);
}

double surrogate_model_noise(const struct surrogate_model *model)
{
	return gp_noise_variance(surrogate_model_latest(model)) / exp(log_unit(model));
}

static void follow(struct surrogate_model *model)
{
	const struct gp_trend trend = related_trend(&model->blend);

	model_data_scale(&model->data, model->blend.scale);
	gp_set_trend(model->gp, &trend);
	if (model->start == NULL)
		return;
	scale_hyperparameters(model, model->start, model->scaled_start);
	model->start = model->scaled_start;
}

/* Weighed at the last hyperparameters, or at the most probable ones a priori. */
static bool learn_from_related(struct surrogate_model *model, struct tuner_error *err)
{
	const struct related *related = model->request->related;
	const struct gp_data data = model_data_view(&model->data);
	double mode[SUGGEST_HYPERPARAMETERS_MAX];

	if (!related_tells(related) || data.n == 0)
		return true;
	gp_prior_mode(model->gp, mode);
	model->work++;
	if (!gp_condition(model->gp, &data, model->start != NULL ? model->start : mode, err) ||
		!related_weigh(related, model->gp, &model->blend, err))
		return false;
	if (related_is_used(&model->blend))
		follow(model);
	return true;
}

/* ---- fit ---- */

/* Suggestions from one fit to the next. */
static size_t refit_period(size_t n)
{
	return n <= REFIT_ALWAYS       ? 1
	       : n < REFIT_SELDOM      ? 2
	       : n < REFIT_SELDOM_FROM ? 3
				       : n / REFIT_GROWTH;
}

/* Uses the suggestion's number, which rises by one; several results may have arrived since the last
 * suggestion, so counting trials could miss the turn for ever. */
static bool is_due(const struct surrogate_model *model, size_t n)
{
	const struct suggest_request *request = model->request;

	if (request->refit != SUGGEST_REFIT_DUE)
		return request->refit == SUGGEST_REFIT_ALWAYS;
	/* The last hyperparameters belong to outcomes by other weights. */
	if (request->n_others > 0)
		return true;
	if (request->number % refit_period(n) == 0)
		return true;
	/* The last hyperparameters may belong to outcomes in another unit. */
	return model->stagnates && (n < REFIT_SELDOM_FROM || since_wide(request) <= 1);
}

/* The next optimum is mostly near the last; now and then the search also begins elsewhere. */
static bool is_quick(const struct suggest_request *request, size_t n)
{
	const size_t every = n <= SEARCH_SELDOM ? SEARCH_WIDELY_EVERY : SEARCH_SELDOM_EVERY;

	return n > SEARCH_WIDELY && request->number % (every * refit_period(n)) != 0;
}

/* The last entry of b = L^-1 (y - c) is the newest outcome's distance from the others' prediction
 * there, in sd. */
static bool is_surprised(const struct gp *gp)
{
	return fabs(gp_whitened_outcomes(gp)[gp_n_outcomes(gp) - 1]) > SURPRISE;
}

static bool judges_at_given(const struct surrogate_model *model)
{
	const struct suggest_request *request = model->request;

	return request->judged != NULL && request->judged_at != NULL &&
	       request->n_judged_at == gp_n_hyperparameters(model->gp);
}

/* Keeps the start's hyperparameters if they are still good, otherwise fits new ones. */
static bool fit_outcomes(struct surrogate_model *model, struct tuner_error *err)
{
	const struct suggest_request *request = model->request;
	const struct gp_data data = model_data_view(&model->data);
	struct gp_fit_report report;

	if (judges_at_given(model)) {
		double theta[SUGGEST_HYPERPARAMETERS_MAX];

		model->work++;
		scale_hyperparameters(model, request->judged_at, theta);
		return gp_condition(model->gp, &data, theta, err);
	}
	if (model->start != NULL && !is_due(model, data.n)) {
		model->work++;
		if (!gp_condition(model->gp, &data, model->start, err))
			return false;
		if (!is_surprised(model->gp) || request->refit == SUGGEST_REFIT_NEVER)
			return true;
	}
	if (!model_fit(model->gp, &model->data, request, model->start,
		    !model->is_wide && is_quick(request, data.n), model_fit_limit(request), &report,
		    err))
		return false;
	model->work += report.work;
	model->approximations = report.approximations;
	return true;
}

/* ---- failures ---- */

static bool fit_feasibility(struct surrogate_model *model, struct tuner_error *err)
{
	const struct model_data *data = &model->data;
	const struct feasibility_data ended = { .n = data->n,
		.d = data->d,
		.kinds = model->columns.kinds,
		.X = data->X,
		.valued = data->valued,
		.counts = data->counts };
	uint64_t work = 0;

	if (!feasibility_create(
		    &ended, model_fit_limit(model->request), &model->feasibility, &work, err))
		return false;
	model->work += work;
	return true;
}

/* Few failures count as bad trials. Many have a model of their own. */
static bool judge_failures(struct surrogate_model *model, struct tuner_error *err)
{
	struct model_data *data = &model->data;
	bool foretold[MODEL_ROWS_MAX];

	if (!feasibility_is_due(data->n_failed, data->n_trials))
		return true;
	if (!fit_feasibility(model, err) ||
		!feasibility_foretold(model->feasibility, foretold, err))
		return false;
	model_data_keep_failures(data, foretold);
	return true;
}

/* ---- limits ---- */

static bool any(const bool *flags, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (flags[i])
			return true;
	return false;
}

static bool judge_pending(struct surrogate_model *model, struct tuner_error *err)
{
	const struct model_data *data = &model->data;

	model->chances = calloc(data->n_pending + 1, sizeof *model->chances);
	if (model->chances == NULL)
		return tuner_fail_memory(err);
	if (!limits_add(model->limits, data->X_pending, data->n_pending, model->chances, NULL, err))
		return false;
	for (size_t i = 0; i < data->n_pending; i++)
		model->chances[i] = exp(model->chances[i]);
	return true;
}

static bool fit_limits(struct surrogate_model *model, struct tuner_error *err)
{
	const struct model_data *data = &model->data;
	uint64_t work = 0;

	model->seeks_first = !any(data->within, data->n);
	if (!limits_create(&model->columns, &model->lessons, model->lengthscales,
		    model_fit_limit(model->request), &model->limits, &work, err))
		return false;
	model->work += work;
	if (model->limits == NULL)
		return true;
	return judge_pending(model, err) &&
	       (!model->seeks_first ||
		       limits_suppose_over(model->limits, data->X_pending, data->n_pending, err));
}

/* ---- hyperparameters as draws ---- */

/* States of a chain that continues from the last suggestion's; a new chain starts from the most
 * likely hyperparameters. */
static bool sample(
	struct surrogate_model *model, double *thetas, size_t *ret_n, struct tuner_error *err)
{
	const struct suggest_request *request = model->request;
	const uint64_t limit = model_fit_limit(request);
	struct gp_fit_report report;
	struct tuner_error failed;
	uint64_t work;

	if (model->start != NULL) {
		if (model_fit_sample(model->gp, &model->data, request, model->start, false, limit,
			    thetas, ret_n, &work, &failed)) {
			model->work += work;
			return true;
		}
		if (failed.code != TUNER_NUMERIC) {
			*err = failed;
			return false;
		}
	}
	if (!model_fit(model->gp, &model->data, request, NULL, false, limit, &report, err) ||
		!model_fit_sample(model->gp, &model->data, request, gp_hyperparameters(model->gp),
			true, limit, thetas, ret_n, &work, err))
		return false;
	model->work += report.work + work;
	model->approximations = report.approximations;
	return true;
}

static bool fit_ensemble(struct surrogate_model *model, struct tuner_error *err)
{
	const struct gp_data data = model_data_view(&model->data);
	double *thetas = calloc(ENSEMBLE_MAX * gp_n_hyperparameters(model->gp), sizeof *thetas);
	size_t n;
	const bool ok = (thetas != NULL || tuner_fail_memory(err)) &&
			sample(model, thetas, &n, err) &&
			ensemble_condition(&model->ensemble, model->gp, &data, thetas, n, err);

	free(thetas);
	if (ok)
		model->work += n;
	return ok;
}

size_t surrogate_model_count(const struct surrogate_model *model)
{
	return model->ensemble.n > 0 ? model->ensemble.n : 1;
}

struct gp *surrogate_model_nth(const struct surrogate_model *model, size_t i)
{
	return model->ensemble.n > 0 ? model->ensemble.gps[i] : model->gp;
}

/* Of several the model from which a chain continues. */
const struct gp *surrogate_model_latest(const struct surrogate_model *model)
{
	return surrogate_model_nth(model, surrogate_model_count(model) - 1);
}

/* ---- the fit ---- */

bool surrogate_model_fit(struct surrogate_model *model, struct tuner_error *err)
{
	const struct strategy *strategy = model->request->strategy;
	const bool is_marginal = strategy->hyperparameters == STRATEGY_MARGINAL &&
				 strategy->acquisition == STRATEGY_EI;

	if (!judge_failures(model, err) || !fit_limits(model, err) ||
		!learn_from_related(model, err) ||
		!(is_marginal ? fit_ensemble : fit_outcomes)(model, err))
		return false;
	if (is_marginal)
		ensemble_lengthscales(&model->ensemble, model->lengthscales);
	else
		model_fit_lengthscales(
			&model->columns, gp_hyperparameters(model->gp), model->lengthscales);
	return true;
}

bool surrogate_model_append_pending(struct surrogate_model *model, struct tuner_error *err)
{
	const struct model_data *data = &model->data;

	return model->ensemble.n > 0
		       ? ensemble_append(&model->ensemble, data->X_pending, data->n_pending, err)
		       : gp_append(model->gp, data->X_pending, NULL, data->n_pending, err);
}

bool surrogate_model_predict(const struct surrogate_model *model, const double *x, double *ret_mean,
	double *ret_sd, struct tuner_error *err)
{
	return model->ensemble.n > 0 ? ensemble_predict(&model->ensemble, x, ret_mean, ret_sd, err)
				     : gp_predict(model->gp, x, 1, ret_mean, ret_sd, err);
}

bool surrogate_model_log_posterior(
	const struct surrogate_model *model, double *ret, struct tuner_error *err)
{
	const struct gp_data data = model_data_view(&model->data);

	return gp_likelihood(model->gp, &data, gp_hyperparameters(surrogate_model_latest(model)),
		true, ret, NULL, err);
}
