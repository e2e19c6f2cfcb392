/* Strategy bayesian: a space-filling design, then what a Gaussian process hopes most of.
 *
 *     design, until enough trials are there
 *     trust region, with many dimensions
 *     encode -> transform -> choose -> judge failures -> fit or sample -> append what is pending -> log EI
 *     -> maximise -> an untried point
 *
 * Instead of log EI it may be a confidence bound, or a random function, which is not maximised further than
 * over the candidates.
 *
 * Every step is a function of the request alone. */
#include "surrogate/best_rows.h"
#include "surrogate/confidence_bound.h"
#include "surrogate/cost.h"
#include "surrogate/ensemble.h"
#include "surrogate/feasibility.h"
#include "surrogate/maximise.h"
#include "surrogate/model_fit.h"
#include "surrogate/noisy_incumbent.h"
#include "surrogate/strategy.h"
#include "surrogate/thompson.h"
#include "surrogate/trust_region.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FANTASIES_FIRST_LOOK = 8,
	FINITE_MIN = 3, /* objectives below which a model knows next to nothing */
	SEARCH_WIDELY = 30, /* trials up to which every fit has all its starts */
	SEARCH_WIDELY_EVERY = 8, /* beyond: every so manyth */
	SEARCH_SELDOM = 100,
	SEARCH_SELDOM_EVERY = 24, /* and beyond that */
	REFIT_ALWAYS = 30, /* trials up to which every suggestion fits anew */
	REFIT_SELDOM = 45,
	REFIT_GROWTH = 50, /* beyond: every (n / REFIT_GROWTH)-th suggestion does */
	SCORED = 64, /* of the candidates, after a glance */
	SCORED_ANYWHERE = 20, /* of them */
	GLANCES_AS_ONE = 16, /* so many cost what one value does, or less */
	ANCHORS = 5,
	NEAR_PART = 20, /* points are drawn around the best n / NEAR_PART trials */
};

/* Beyond REFIT_ALWAYS, an outcome so many sd from its prediction asks for a fit as well. */
static const double SURPRISE = 3;

/* What the model is made of. */
struct model {
	const struct ask *ask;
	struct suggest_request
		lessons; /* the ask's request, with the trials that the model is of */
	struct columns columns;
	bool in_region; /* proposes in a trust region: the next three are set */
	struct trust_region region;
	struct box box; /* after the fit, as is its centre */
	double centre[COLUMNS_MAX];
	struct model_data data;
	struct gp *gp;
	struct ensemble ensemble; /* marginal: they stand in for the gp; none otherwise */
	size_t n_repeated; /* rows behind the pending ones, of noisy_incumbent.h */
	struct feasibility *feasibility; /* NULL: few trials have failed */
	struct cost *cost; /* NULL: does not count */
	struct acquisition *acquisition; /* NULL: a random function stands for it */
	struct candidates candidates;
	bool listed; /* the candidates are all that are left: nothing to search between them */
	struct maxima maxima;
	double *anchors;
	const double *start; /* the request's, if they belong to these columns; or NULL */
	double lengthscales[COLUMNS_MAX]; /* the start's, or 1; then the fit's */
	uint64_t work, work_fit, work_scores, approximations, glances;
};

static void model_finish(struct model *model)
{
	maxima_finish(&model->maxima);
	candidates_finish(&model->candidates);
	acquisition_destroy(model->acquisition);
	feasibility_destroy(model->feasibility);
	cost_destroy(model->cost);
	ensemble_finish(&model->ensemble);
	gp_destroy(model->gp);
	model_data_finish(&model->data);
	free(model->anchors);
}

/* ---- how many trials come before the model ---- */

static size_t most(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t n_initial(const struct suggest_request *request)
{
	const size_t by_size = 2 * request->space->d + 2, by_budget = request->budget_trials / 5;

	if (request->strategy->initial > 0)
		return request->strategy->initial;
	return most(most(5, least(by_size, by_budget)), 2 * request->parallel);
}

/* ---- fit ---- */

/* A fit every so many suggestions. */
static size_t refit_period(size_t n)
{
	return n <= REFIT_ALWAYS      ? 1
	       : n < REFIT_SELDOM     ? 2
	       : n < 4 * REFIT_GROWTH ? 3
				      : n / REFIT_GROWTH;
}

/* Numbers count up one by one, where several results may have come in since the last suggestion:
 * counting trials could miss the turn for ever. */
static bool is_due(const struct suggest_request *request, size_t n)
{
	if (request->refit != SUGGEST_REFIT_DUE)
		return request->refit == SUGGEST_REFIT_ALWAYS;
	return request->number % refit_period(n) == 0;
}

/* The last optimum is mostly near the next; every so often the search begins elsewhere, too. */
static bool is_quick(const struct suggest_request *request, size_t n)
{
	const size_t every = n <= SEARCH_SELDOM ? SEARCH_WIDELY_EVERY : SEARCH_SELDOM_EVERY;

	return n > SEARCH_WIDELY && request->number % (every * refit_period(n)) != 0;
}

/* The last entry of b = L^-1 (y - c) is the newest outcome's distance from what the others predict
 * there, in sd. */
static bool is_surprised(const struct gp *gp)
{
	return fabs(gp_whitened_outcomes(gp)[gp_n_outcomes(gp) - 1]) > SURPRISE;
}

/* Part of the work: a likelihood costs a few times what a point of the acquisition does. */
static uint64_t fit_limit(const struct suggest_request *request)
{
	if (request->work_limit == 0)
		return 0;
	return request->work_limit >= 10 ? request->work_limit / 10 : 1;
}

static bool judges_at_given(const struct model *model)
{
	const struct suggest_request *request = model->ask->request;

	return request->judged != NULL && request->judged_at != NULL &&
	       request->n_judged_at == gp_n_hyperparameters(model->gp);
}

/* At the start's hyperparameters if they will still do, else at new ones. */
static bool fit_outcomes(struct model *model, struct tuner_error *err)
{
	const struct suggest_request *request = model->ask->request;
	const struct gp_data data = model_data_view(&model->data);
	struct gp_fit_report report;

	if (judges_at_given(model)) {
		model->work++;
		return gp_condition(model->gp, &data, request->judged_at, err);
	}
	if (model->start != NULL && !is_due(request, data.n)) {
		model->work++;
		if (!gp_condition(model->gp, &data, model->start, err))
			return false;
		if (!is_surprised(model->gp) || request->refit == SUGGEST_REFIT_NEVER)
			return true;
	}
	if (!model_fit(model->gp, &model->data, request, model->start, is_quick(request, data.n),
		    fit_limit(request), &report, err))
		return false;
	model->work += report.work;
	model->approximations = report.approximations;
	return true;
}

/* ---- failures ---- */

static bool fit_feasibility(struct model *model, struct tuner_error *err)
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
		    &ended, fit_limit(model->ask->request), &model->feasibility, &work, err))
		return false;
	model->work += work;
	return true;
}

/* Few failures are bad trials. Of many there is a model of their own. */
static bool judge_failures(struct model *model, struct tuner_error *err)
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

/* ---- hyperparameters as draws ---- */

/* States of a chain that goes on from where the last suggestion left it; a new one starts from the most likely
 * hyperparameters. */
static bool sample(struct model *model, double *thetas, size_t *ret_n, struct tuner_error *err)
{
	const struct suggest_request *request = model->ask->request;
	const uint64_t limit = fit_limit(request);
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

static bool fit_ensemble(struct model *model, struct tuner_error *err)
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

static size_t n_models(const struct model *model)
{
	return most(model->ensemble.n, 1);
}

static struct gp *nth_model(const struct model *model, size_t i)
{
	return model->ensemble.n > 0 ? model->ensemble.gps[i] : model->gp;
}

/* Of several the one from which a chain goes on. */
static const struct gp *latest(const struct model *model)
{
	return nth_model(model, n_models(model) - 1);
}

/* ---- the fit ---- */

static bool fit(struct model *model, struct tuner_error *err)
{
	const struct strategy *strategy = model->ask->request->strategy;
	const bool is_marginal = strategy->hyperparameters == STRATEGY_MARGINAL &&
				 strategy->acquisition == STRATEGY_EI;

	if (!(is_marginal ? fit_ensemble : fit_outcomes)(model, err))
		return false;
	model->work_fit = model->work;
	if (is_marginal)
		ensemble_lengthscales(&model->ensemble, model->lengthscales);
	else
		model_fit_lengthscales(
			&model->columns, gp_hyperparameters(model->gp), model->lengthscales);
	if (model->in_region)
		trust_region_box(&model->region, model->ask->request, &model->columns,
			model->lengthscales, &model->box, model->centre);
	return true;
}

static bool append_pending(struct model *model, struct tuner_error *err)
{
	const struct model_data *data = &model->data;

	return model->ensemble.n > 0
		       ? ensemble_append(&model->ensemble, data->X_pending, data->n_pending, err)
		       : gp_append(model->gp, data->X_pending, NULL, data->n_pending, err);
}

/* ---- maximise ---- */

/* The trials of least posterior mean, failed ones left out, as anchors. */
static bool choose_anchors(struct model *model, struct anchors *ret, struct tuner_error *err)
{
	const size_t d = model->columns.d, n = model->data.n;
	size_t *rows = calloc(n + 1, sizeof *rows), n_rows = 0;
	bool ok;

	model->anchors = calloc(n * d + 1, sizeof *model->anchors);
	ok = (rows != NULL && model->anchors != NULL) || tuner_fail_memory(err);
	ok = ok && best_rows(latest(model), model->data.valued, rows, &n_rows, err);
	ret->n_near = least(n_rows, most(1, n_rows / NEAR_PART));
	ret->n = least(n_rows, most(ANCHORS, ret->n_near));
	ret->x = model->anchors;
	for (size_t i = 0; ok && i < ret->n; i++) {
		memcpy(&model->anchors[i * d], &model->data.X[rows[i] * d], d * sizeof(double));
		columns_snap(&model->columns, &model->anchors[i * d]);
	}
	free(rows);
	return ok;
}

static uint64_t work_left(const struct model *model)
{
	const uint64_t limit = model->ask->request->work_limit;

	if (limit == 0)
		return UINT64_MAX;
	return limit > model->work ? limit - model->work : 1;
}

static bool is_listed(const struct model *model)
{
	return candidates_can_list(&model->ask->lattice, work_left(model));
}

static bool draw_candidates(struct model *model, struct tuner_error *err)
{
	const struct suggest_request *request = model->ask->request;
	const struct random_key key = { .seed = request->seed,
		.repeat = request->repeat,
		.number = request->number,
		.purpose = RANDOM_CANDIDATES };
	const size_t enough = (size_t)least(work_left(model), SIZE_MAX / 2);
	struct anchors anchors = { 0 };

	model->listed = is_listed(model);
	if (model->listed)
		return candidates_list(&model->columns, &model->ask->lattice, &model->ask->tried,
			enough, &model->candidates, err);
	if (model->in_region)
		return trust_region_candidates(&model->columns, &model->box, model->centre, key,
			enough, &model->candidates, err);
	return choose_anchors(model, &anchors, err) &&
	       candidates_draw(&model->columns, &anchors, key, enough, &model->candidates, err);
}

/* A glance at all of them, then the values of the most promising. The others get minus infinity: they are neither
 * started from nor chosen, as long as there is anything else. */
static bool score_promising(struct model *model, struct tuner_error *err)
{
	struct candidates *candidates = &model->candidates;
	double *values = calloc(SCORED, sizeof *values);
	double *rows = calloc(SCORED * model->columns.d, sizeof *rows);
	/* In a region, all are near but for the centre itself. */
	const size_t anywhere = model->in_region ? SCORED - 1 : SCORED_ANYWHERE;
	size_t n = 0;
	bool ok = (values != NULL && rows != NULL) || tuner_fail_memory(err);

	ok = ok && acquisition_glance(model->acquisition, candidates->x, candidates->n,
			   candidates->values, err);
	if (ok) {
		/* The first row is a start of the search, whatever it promises. */
		candidates->values[0] = INFINITY;
		ok = candidates_choose(candidates, anywhere, SCORED - anywhere, &n, err);
	}
	for (size_t i = 0; ok && i < n; i++)
		memcpy(&rows[i * model->columns.d],
			candidates_row(candidates, candidates->order[i]),
			model->columns.d * sizeof *rows);
	ok = ok &&
	     acquisition_values(model->acquisition, rows, n, FANTASIES_FIRST_LOOK, values, err);
	for (size_t i = 0; ok && i < candidates->n; i++)
		candidates->values[i] = -INFINITY;
	for (size_t i = 0; ok && i < n; i++)
		candidates->values[candidates->order[i]] = values[i];
	model->work += candidates->n / GLANCES_AS_ONE + n;
	model->glances += candidates->n;
	model->work_scores += n;
	free(values);
	free(rows);
	return ok;
}

static bool is_augmented(const struct model *model)
{
	const struct strategy *strategy = model->ask->request->strategy;

	return strategy->acquisition == STRATEGY_EI &&
	       strategy_incumbent_is_augmented(
		       strategy->incumbent, gp_noise_variance(latest(model)));
}

/* Of EI as it is told. */
static enum acquisition_incumbent plain_incumbent(const struct strategy *strategy)
{
	return strategy->incumbent == STRATEGY_INCUMBENT_BEST ? ACQUISITION_INCUMBENT_BEST
							      : ACQUISITION_INCUMBENT_MEAN;
}

/* Over the rows that the model has now; how likely a trial is not to fail counts, what it costs does not yet. */
static bool create_acquisition(struct model *model, enum acquisition_kind kind,
	enum acquisition_incumbent incumbent, struct acquisition **ret, struct tuner_error *err)
{
	const struct strategy *strategy = model->ask->request->strategy;
	const struct acquisition_options options = { .kind = kind,
		.eligible = model->data.valued,
		.n_fantasies = ACQUISITION_FANTASIES,
		.incumbent = incumbent,
		.beta = strategy->ucb_beta > 0 ? strategy->ucb_beta : CONFIDENCE_BOUND_BETA };
	struct random random = ask_random(model->ask, RANDOM_FANTASY);

	if (!(model->ensemble.n > 0
			    ? ensemble_acquisition(&model->ensemble, &options, &random, ret, err)
			    : acquisition_create(model->gp, &options, &random, ret, err)))
		return false;
	if (model->feasibility != NULL) {
		const struct acquisition_term term = feasibility_term(model->feasibility);

		acquisition_add_term(*ret, &term);
	}
	return true;
}

static bool learn_cost(struct model *model, struct tuner_error *err)
{
	const struct suggest_request *request = model->ask->request;

	if (!cost_create(&model->columns, request, fit_limit(request), &model->cost, err))
		return false;
	if (model->cost == NULL)
		return true;

	const struct acquisition_term term = cost_term(model->cost);

	acquisition_add_term(model->acquisition, &term);
	model->work += cost_work(model->cost);
	return true;
}

/* The trials that may be the best of a draw; as many of each model. */
static bool append_repeated(struct model *model, struct tuner_error *err)
{
	for (size_t i = 0; i < n_models(model); i++)
		if (!noisy_incumbent_append(nth_model(model, i), model->data.valued,
			    ACQUISITION_PENDING_MAX, &model->n_repeated, err))
			return false;
	return true;
}

static void forget_repeated(struct model *model)
{
	for (size_t i = 0; i < n_models(model); i++)
		gp_forget(nth_model(model, i), model->n_repeated);
}

/* Appends what is pending, and, where they count, the best trials once more. */
static bool append_rows(struct model *model, struct tuner_error *err)
{
	const struct strategy *strategy = model->ask->request->strategy;

	if (!append_pending(model, err))
		return false;
	return strategy->acquisition != STRATEGY_EI ||
	       strategy->incumbent != STRATEGY_INCUMBENT_NOISY || append_repeated(model, err);
}

static bool prepare_acquisition(struct model *model, struct tuner_error *err)
{
	const struct strategy *strategy = model->ask->request->strategy;
	const bool is_ucb = strategy->acquisition == STRATEGY_UCB;

	return append_rows(model, err) &&
	       create_acquisition(model, is_ucb ? ACQUISITION_UCB : ACQUISITION_EI,
		       is_augmented(model) ? ACQUISITION_INCUMBENT_AUGMENTED
					   : plain_incumbent(strategy),
		       &model->acquisition, err) &&
	       (is_ucb || !strategy->cost_aware || learn_cost(model, err));
}

/* What is not polished afterwards is scored in full at once. */
static bool score_all(struct model *model, struct tuner_error *err)
{
	struct candidates *candidates = &model->candidates;

	model->work += candidates->n;
	model->work_scores += candidates->n;
	return acquisition_values(
		model->acquisition, candidates->x, candidates->n, 0, candidates->values, err);
}

/* By a function of the model without pending trials: these differ by their own functions. */
static bool score_by_function(struct model *model, struct tuner_error *err)
{
	/* Another stream than the one that fantasies come from. */
	struct random_key key = { .seed = ~model->ask->request->seed,
		.repeat = model->ask->request->repeat,
		.number = model->ask->request->number,
		.purpose = RANDOM_FANTASY };
	struct candidates *candidates = &model->candidates;
	struct random random;

	random_init(&random, key);
	model->work += candidates->n;
	return thompson_values(model->gp, &model->columns, candidates->x, candidates->n, &random,
		       candidates->values, err) &&
	       (model->feasibility == NULL || feasibility_add(model->feasibility, candidates->x,
						      candidates->n, candidates->values, err)) &&
	       append_pending(model, err);
}

static bool score(struct model *model, struct tuner_error *err)
{
	if (model->acquisition == NULL)
		return score_by_function(model, err);
	return model->listed ? score_all(model, err) : score_promising(model, err);
}

static bool score_candidates(struct model *model, struct tuner_error *err)
{
	const bool by_function = model->ask->request->strategy->acquisition == STRATEGY_THOMPSON;

	if ((!by_function && !prepare_acquisition(model, err)) || !draw_candidates(model, err))
		return false;
	if (model->candidates.n == 0)
		return true;
	/* Of scored ones that are not polished, any may be the choice. */
	const size_t first = model->listed || by_function ? model->candidates.n : SCORED;

	return score(model, err) && candidates_sort(&model->candidates, first, err);
}

static bool polish(struct model *model, struct tuner_error *err)
{
	const uint64_t limit = model->ask->request->work_limit;
	/* Another stream than the one that the candidates come from. */
	struct random_key key = { .seed = ~model->ask->request->seed,
		.repeat = model->ask->request->repeat,
		.number = model->ask->request->number,
		.purpose = RANDOM_CANDIDATES };
	struct random random;

	if (model->listed || model->acquisition == NULL || (limit > 0 && model->work >= limit))
		return true;
	random_init(&random, key);
	if (!maximise(&model->columns, model->acquisition, model->lengthscales,
		    model->in_region ? &model->box : NULL, &model->candidates, &random,
		    limit > 0 ? limit - model->work : 0, &model->maxima, err))
		return false;
	model->work += model->maxima.work;
	return true;
}

/* ---- the choice ---- */

/* Nothing that was looked at breaks a constraint. */
static bool is_untried(const struct model *model, const double *x, double *ret_values)
{
	columns_decode(&model->columns, x, ret_values);
	return !tried_contains(&model->ask->tried, ret_values);
}

/* The best untried point; false if all that were looked at have been tried. */
static bool choose(const struct model *model, double *ret_values, const double **ret_x)
{
	const struct candidates *candidates = &model->candidates;

	for (size_t i = 0; i < model->maxima.n; i++) {
		*ret_x = &model->maxima.x[i * model->columns.d];
		if (!isnan(model->maxima.values[i]) && is_untried(model, *ret_x, ret_values))
			return true;
	}
	for (size_t i = 0; i < candidates->n; i++) {
		const size_t best = candidates->order[i];

		*ret_x = candidates_row(candidates, best);
		if (!isnan(candidates->values[best]) && is_untried(model, *ret_x, ret_values))
			return true;
	}
	return false;
}

/* Unless failures are too few for a model of them. */
static bool foretell_failure(
	struct model *model, const double *x, double *ret_probability, struct tuner_error *err)
{
	double log_probability = 0;

	if (model->feasibility == NULL)
		return true;
	if (!feasibility_add(model->feasibility, x, 1, &log_probability, err))
		return false;
	*ret_probability = exp(log_probability);
	return true;
}

/* Log EI, not augmented, whatever chose the point, a failure counted as no gain: what it hoped to gain means one
 * thing. Beside it
 * what was maximised, which a drawn function has at the candidates only. */
static bool hope(struct model *model, const double *x, double *ret_value, double *ret_maximised,
	double *ret_incumbent, struct tuner_error *err)
{
	const struct strategy *strategy = model->ask->request->strategy;
	const bool is_plain =
		strategy->acquisition == STRATEGY_EI && model->cost == NULL && !is_augmented(model);
	struct acquisition *own = NULL;
	bool ok = is_plain ||
		  create_acquisition(model, ACQUISITION_EI, plain_incumbent(strategy), &own, err);

	if (ok) {
		struct acquisition *acquisition = is_plain ? model->acquisition : own;

		*ret_incumbent = acquisition_incumbent(acquisition);
		ok = acquisition_values(acquisition, x, 1, 0, ret_value, err);
	}
	acquisition_destroy(own);
	if (is_plain)
		*ret_maximised = *ret_value;
	else if (ok && model->acquisition != NULL)
		ok = acquisition_values(model->acquisition, x, 1, 0, ret_maximised, err);
	return ok;
}

static bool predict(const struct model *model, const double *x, double *ret_mean, double *ret_sd,
	struct tuner_error *err)
{
	return model->ensemble.n > 0 ? ensemble_predict(&model->ensemble, x, ret_mean, ret_sd, err)
				     : gp_predict(model->gp, x, 1, ret_mean, ret_sd, err);
}

/* Of its rows' likelihood, exact however they were fitted. */
static bool weigh_hyperparameters(const struct model *model, double *ret, struct tuner_error *err)
{
	const struct gp_data data = model_data_view(&model->data);

	return gp_likelihood(
		model->gp, &data, gp_hyperparameters(latest(model)), true, ret, NULL, err);
}

/* What the model thinks of its choice, in the user's unit. The acquisition is not asked again. */
static bool explain(
	struct model *model, const double *x, struct suggestion *ret, struct tuner_error *err)
{
	double mean, sd, value, incumbent;

	if (!hope(model, x, &value, &ret->maximised, &incumbent, err))
		return false;
	forget_repeated(model);
	if (!predict(model, x, &mean, &sd, err) ||
		!foretell_failure(model, x, &ret->value_probability, err))
		return false;
	if (model->ask->request->judged != NULL &&
		!weigh_hyperparameters(model, &ret->log_posterior, err))
		return false;
	transform_prediction(model->data.transform, mean, sd, &ret->mean, &ret->sd);
	ret->acquisition = value + log(transform_slope(model->data.transform, mean, sd));
	ret->incumbent = transform_to_user(model->data.transform, incumbent);
	ret->n_hyperparameters = gp_n_hyperparameters(model->gp);
	memcpy(ret->hyperparameters, gp_hyperparameters(latest(model)),
		ret->n_hyperparameters * sizeof *ret->hyperparameters);
	return true;
}

/* The search's best untried point; *ret_x is NULL if it has none. */
static bool search(
	struct model *model, double *ret_values, const double **ret_x, struct tuner_error *err)
{
	if (!score_candidates(model, err) || !polish(model, err))
		return false;
	if (!choose(model, ret_values, ret_x))
		*ret_x = NULL;
	return true;
}

/* The request's point in the place of a search. */
static bool take_judged(
	struct model *model, double *ret_values, double *ret_x, struct tuner_error *err)
{
	const struct suggest_request *request = model->ask->request;

	memcpy(ret_values, request->judged, request->space->d * sizeof *ret_values);
	if (!columns_encode(&model->columns, ret_values, ret_x))
		return tuner_fail(err, TUNER_USAGE, "what is to be judged is not in the space");
	return request->strategy->acquisition == STRATEGY_THOMPSON
		       ? append_pending(model, err)
		       : prepare_acquisition(model, err);
}

static bool use_model(
	struct model *model, struct suggestion *ret, bool *ret_found, struct tuner_error *err)
{
	double judged[COLUMNS_MAX];
	const double *x = judged;

	if (!judge_failures(model, err) || !fit(model, err))
		return false;
	if (!(model->ask->request->judged != NULL ? take_judged(model, ret->values, judged, err)
						  : search(model, ret->values, &x, err)))
		return false;
	*ret_found = x != NULL;
	return !*ret_found || explain(model, x, ret, err);
}

static bool fall_back(
	const struct ask *ask, const char *reason, struct suggestion *ret, struct tuner_error *err)
{
	ret->branch = BRANCH_FALLBACK;
	snprintf(ret->reason, sizeof ret->reason, "%.110s", reason);
	return ask_quasi_random(ask, ret, err);
}

/* By the model, or by what stands in for it. */
static bool propose(struct model *model, struct suggestion *ret, struct tuner_error *err)
{
	const struct ask *ask = model->ask;
	struct tuner_error failed = { TUNER_OK, "" };
	bool found = false;

	if (transform_n_finite(model->data.transform) < FINITE_MIN)
		return fall_back(ask, "fewer than three trials have an objective", ret, err);
	if (!use_model(model, ret, &found, &failed)) {
		if (failed.code != TUNER_NUMERIC) {
			*err = failed;
			return false;
		}
		ret->work = model->work;
		return fall_back(ask, failed.message, ret, err);
	}
	ret->work = model->work;
	ret->work_fit = model->work_fit;
	ret->work_scores = model->work_scores;
	ret->work_climbs = model->maxima.work;
	ret->approximations = model->approximations;
	ret->glances = model->glances;
	if (!found)
		return fall_back(ask, "every point that was looked at has been tried", ret, err);
	ret->branch = BRANCH_MODEL;
	return true;
}

static bool prepare(struct model *model, struct tuner_error *err)
{
	const struct suggest_request *request = model->ask->request;

	if (!gp_create(model->columns.d, model->columns.kinds,
		    request->strategy->warp != STRATEGY_WARP_NONE, &model->gp, err))
		return false;
	model->start = model_fit_start(model->gp, request);
	model_fit_lengthscales(&model->columns, model->start, model->lengthscales);
	return model_data_init(
		&model->data, &model->columns, &model->lessons, model->lengthscales, err);
}

/* Whether there is one, and where it is. Its model is of its own trials. */
static bool find_region(struct model *model, struct tuner_error *err)
{
	const struct suggest_request *request = model->ask->request;

	model->in_region = trust_region_applies(request, &model->columns);
	if (!model->in_region)
		return true;
	if (!trust_region_follow(request, &model->columns, n_initial(request), &model->region, err))
		return false;

	const size_t earlier = least(model->region.first, request->n_observations);

	model->lessons.observations += earlier;
	model->lessons.n_observations -= earlier;
	return true;
}

bool strategy_bayesian(const struct ask *ask, struct suggestion *ret, struct tuner_error *err)
{
	const struct suggest_request *request = ask->request;

	if (request->n_observations + request->n_pending < n_initial(request)) {
		ret->branch = BRANCH_DESIGN;
		return ask_quasi_random(ask, ret, err);
	}
	if (request->without_model)
		return fall_back(ask, "the model was not asked: no time", ret, err);

	struct model model = { .ask = ask, .lessons = *request };

	columns_init(&model.columns, ask->space, ask->given);
	if (model.columns.d == 0)
		return fall_back(ask, "the space has one configuration", ret, err);

	if (!find_region(&model, err))
		return false;
	if (model.in_region && trust_region_begins(&model.region, request)) {
		ret->branch = BRANCH_DESIGN;
		return ask_quasi_random(ask, ret, err);
	}

	const bool ok = prepare(&model, err) && propose(&model, ret, err);

	model_finish(&model);
	return ok;
}
