/* Strategy bayesian: a space-filling design, then what a Gaussian process hopes most of.
 *
 *     design, until enough trials are there
 *     encode -> transform -> choose -> fit or sample -> append what is pending -> log EI -> maximise -> an untried point
 *
 * Every step is a function of the request alone. */
#include "surrogate/ensemble.h"
#include "surrogate/maximise.h"
#include "surrogate/model_fit.h"
#include "surrogate/strategy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FANTASIES_FIRST_LOOK = 8,
	FINITE_MIN = 3, /* objectives below which a model knows next to nothing */
	SEARCH_WIDELY = 30, /* trials up to which every fit has all its starts */
	SEARCH_WIDELY_EVERY = 8, /* beyond: every so manyth */
	REFIT_ALWAYS = 100, /* trials up to which every suggestion fits anew */
	REFIT_GROWTH = 50, /* beyond: every (n / REFIT_GROWTH)-th suggestion does */
	SCORED_AT_ONCE = 64,
	SCORED_MAX = 384,
	GLANCES_AS_ONE = 16, /* so many cost what one value does, or less */
	ANCHORS = 5,
	NEAR_PART = 20, /* points are drawn around the best n / NEAR_PART trials */
};

/* Candidates are scored whose promise is at most so much below the best score, in nats. */
static const double PROMISING = 4;

/* Beyond REFIT_ALWAYS, an outcome so many sd from its prediction asks for a fit as well. */
static const double SURPRISE = 3;

/* What the model is made of. */
struct model {
	const struct ask *ask;
	struct columns columns;
	struct model_data data;
	struct gp *gp;
	struct ensemble
		ensemble; /* marginal: the models that stand in for the gp; none otherwise */
	struct acquisition *acquisition;
	struct candidates candidates;
	bool listed; /* the candidates are all that are left: nothing to search between them */
	struct maxima maxima;
	double *anchors;
	const double *start; /* the request's, if they belong to these columns; or NULL */
	double lengthscales[COLUMNS_MAX]; /* the start's, or 1; then the fit's */
	uint64_t work;
};

static void model_finish(struct model *model)
{
	maxima_finish(&model->maxima);
	candidates_finish(&model->candidates);
	acquisition_destroy(model->acquisition);
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
	return n <= REFIT_ALWAYS ? 1 : n / REFIT_GROWTH;
}

/* Numbers count up one by one, where several results may have come in since the last suggestion:
 * counting trials could miss the turn for ever. */
static bool is_due(const struct suggest_request *request, size_t n)
{
	return request->number % refit_period(n) == 0;
}

/* The last optimum is mostly near the next; every so often the search begins elsewhere, too. */
static bool is_quick(const struct suggest_request *request, size_t n)
{
	return n > SEARCH_WIDELY && request->number % (SEARCH_WIDELY_EVERY * refit_period(n)) != 0;
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

/* At the start's hyperparameters if they will still do, else at new ones. */
static bool fit_outcomes(struct model *model, struct tuner_error *err)
{
	const struct suggest_request *request = model->ask->request;
	const struct gp_data data = model_data_view(&model->data);
	struct gp_fit_report report;

	if (model->start != NULL && !is_due(request, data.n)) {
		model->work++;
		if (!gp_condition(model->gp, &data, model->start, err))
			return false;
		if (!is_surprised(model->gp))
			return true;
	}
	if (!model_fit(model->gp, &model->data, request, model->start, is_quick(request, data.n),
		    fit_limit(request), &report, err))
		return false;
	model->work += report.work;
	return true;
}

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
	if (!ok)
		return false;
	model->work += n;
	ensemble_lengthscales(&model->ensemble, model->lengthscales);
	return ensemble_append(&model->ensemble, model->data.X_pending, model->data.n_pending, err);
}

/* The gp; of several the last, from which a chain goes on. */
static const struct gp *latest(const struct model *model)
{
	return model->ensemble.n > 0 ? model->ensemble.gps[model->ensemble.n - 1] : model->gp;
}

static bool fit(struct model *model, struct tuner_error *err)
{
	if (model->ask->request->strategy->hyperparameters == STRATEGY_MARGINAL)
		return fit_ensemble(model, err);
	if (!fit_outcomes(model, err))
		return false;
	model_fit_lengthscales(&model->columns, gp_hyperparameters(model->gp), model->lengthscales);
	return gp_append(model->gp, model->data.X_pending, NULL, model->data.n_pending, err);
}

/* ---- maximise ---- */

struct rank {
	double mean;
	size_t row;
};

static int by_mean(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	return x->mean != y->mean ? (x->mean > y->mean) - (x->mean < y->mean)
				  : (x->row > y->row) - (x->row < y->row);
}

/* The trials of least posterior mean, failed ones left out, as anchors. */
static bool choose_anchors(struct model *model, struct anchors *ret, struct tuner_error *err)
{
	const size_t d = model->columns.d, n = model->data.n;
	struct rank *ranks = calloc(n + 1, sizeof *ranks);
	double *means = calloc(n + 1, sizeof *means);
	size_t n_ranks = 0;

	model->anchors = calloc(n * d + 1, sizeof *model->anchors);
	if (ranks == NULL || means == NULL || model->anchors == NULL) {
		free(ranks);
		free(means);
		return tuner_fail_memory(err);
	}
	gp_own_means(latest(model), means);
	for (size_t i = 0; i < n; i++)
		if (model->data.valued[i])
			ranks[n_ranks++] = (struct rank){ means[i], i };
	qsort(ranks, n_ranks, sizeof *ranks, by_mean);
	ret->n_near = least(n_ranks, most(1, n_ranks / NEAR_PART));
	ret->n = least(n_ranks, most(ANCHORS, ret->n_near));
	ret->x = model->anchors;
	for (size_t i = 0; i < ret->n; i++) {
		memcpy(&model->anchors[i * d], &model->data.X[ranks[i].row * d], d * sizeof *means);
		columns_snap(&model->columns, &model->anchors[i * d]);
	}
	free(ranks);
	free(means);
	return true;
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
	return choose_anchors(model, &anchors, err) &&
	       candidates_draw(&model->columns, &anchors, key, enough, &model->candidates, err);
}

/* Scores n more of the candidates in their order. rows: scratch, n x d. */
static bool score_next(struct model *model, size_t first, size_t n, double *rows, double *best,
	struct tuner_error *err)
{
	struct candidates *candidates = &model->candidates;
	const size_t d = model->columns.d;
	double values[SCORED_AT_ONCE];

	for (size_t i = 0; i < n; i++)
		memcpy(&rows[i * d], candidates_row(candidates, candidates->order[first + i]),
			d * sizeof *rows);
	if (!acquisition_values(model->acquisition, rows, n, FANTASIES_FIRST_LOOK, values, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		candidates->values[candidates->order[first + i]] = values[i];
		*best = fmax(*best, values[i]);
	}
	model->work += n;
	return true;
}

/* A glance at all of them, then the values of those that may be near the best. The others get minus infinity:
 * they are neither started from nor chosen, as long as there is anything else. */
static bool score_promising(struct model *model, struct tuner_error *err)
{
	struct candidates *candidates = &model->candidates;
	double *glances = calloc(candidates->n, sizeof *glances), best = -INFINITY;
	double *rows = calloc(SCORED_AT_ONCE * model->columns.d, sizeof *rows);
	size_t scored = 0;
	bool ok = (glances != NULL && rows != NULL) || tuner_fail_memory(err);

	ok = ok && acquisition_glance(model->acquisition, candidates->x, candidates->n,
			   candidates->values, err);
	if (ok) {
		/* The first row is a start of the search, whatever it promises. */
		candidates->values[0] = INFINITY;
		ok = candidates_sort(candidates, err);
		memcpy(glances, candidates->values, candidates->n * sizeof *glances);
		for (size_t i = 0; i < candidates->n; i++)
			candidates->values[i] = -INFINITY;
		model->work += candidates->n / GLANCES_AS_ONE;
	}
	while (ok && scored < least(candidates->n, SCORED_MAX) &&
		glances[candidates->order[scored]] >= best - PROMISING) {
		const size_t n = least(SCORED_AT_ONCE, candidates->n - scored);

		ok = score_next(model, scored, n, rows, &best, err);
		scored += n;
	}
	free(glances);
	free(rows);
	return ok;
}

static bool create_acquisition(struct model *model, struct tuner_error *err)
{
	struct random random = ask_random(model->ask, RANDOM_FANTASY);
	const bool *eligible = model->data.valued;

	return model->ensemble.n > 0
		       ? ensemble_acquisition(&model->ensemble, eligible, ACQUISITION_FANTASIES,
				 &random, &model->acquisition, err)
		       : acquisition_create(model->gp, eligible, ACQUISITION_FANTASIES, &random,
				 &model->acquisition, err);
}

static bool score_candidates(struct model *model, struct tuner_error *err)
{
	struct candidates *candidates = &model->candidates;

	if (!create_acquisition(model, err) || !draw_candidates(model, err))
		return false;
	if (candidates->n == 0)
		return true;
	/* What is not polished afterwards is scored in full at once. */
	if (model->listed) {
		model->work += candidates->n;
		if (!acquisition_values(model->acquisition, candidates->x, candidates->n, 0,
			    candidates->values, err))
			return false;
	} else if (!score_promising(model, err)) {
		return false;
	}
	return candidates_sort(candidates, err);
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

	if (model->listed || (limit > 0 && model->work >= limit))
		return true;
	random_init(&random, key);
	if (!maximise(&model->columns, model->acquisition, model->lengthscales, &model->candidates,
		    &random, limit > 0 ? limit - model->work : 0, &model->maxima, err))
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

static bool predict(const struct model *model, const double *x, double *ret_mean, double *ret_sd,
	struct tuner_error *err)
{
	return model->ensemble.n > 0 ? ensemble_predict(&model->ensemble, x, ret_mean, ret_sd, err)
				     : gp_predict(model->gp, x, 1, ret_mean, ret_sd, err);
}

/* What the model thinks of its choice, in the user's unit. */
static bool explain(
	struct model *model, const double *x, struct suggestion *ret, struct tuner_error *err)
{
	double mean, sd, value;

	if (!predict(model, x, &mean, &sd, err) ||
		!acquisition_values(model->acquisition, x, 1, 0, &value, err))
		return false;
	transform_prediction(model->data.transform, mean, sd, &ret->mean, &ret->sd);
	ret->acquisition = value + log(transform_slope(model->data.transform, mean, sd));
	ret->incumbent =
		transform_to_user(model->data.transform, acquisition_incumbent(model->acquisition));
	ret->n_hyperparameters = gp_n_hyperparameters(model->gp);
	memcpy(ret->hyperparameters, gp_hyperparameters(latest(model)),
		ret->n_hyperparameters * sizeof *ret->hyperparameters);
	return true;
}

static bool use_model(
	struct model *model, struct suggestion *ret, bool *ret_found, struct tuner_error *err)
{
	const double *x = NULL;

	if (!fit(model, err) || !score_candidates(model, err) || !polish(model, err))
		return false;
	*ret_found = choose(model, ret->values, &x);
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
	return model_data_init(&model->data, &model->columns, request, model->lengthscales, err);
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

	struct model model = { .ask = ask };

	columns_init(&model.columns, ask->space, ask->given);
	if (model.columns.d == 0)
		return fall_back(ask, "the space has one configuration", ret, err);

	const bool ok = prepare(&model, err) && propose(&model, ret, err);

	model_finish(&model);
	return ok;
}
