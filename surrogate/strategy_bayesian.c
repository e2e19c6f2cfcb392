/* Strategy bayesian: a space-filling design, then the points from which a Gaussian process expects
 * most.
 *
 *     design, until there are enough trials
 *     trust region, with many dimensions
 *     encode -> transform -> choose -> judge failures and limits -> fit or sample -> append pending
 *     trials -> log EI -> maximise -> an untried point
 *
 * Log EI may be replaced by a confidence bound, or by a random function, which is maximised over
 * the candidates only. While no trial has kept the limits, the probability that one does is maximised
 * instead of either.
 *
 * With several objectives each has a model of its own, and instead of log EI the expected gain in
 * hypervolume is maximised (front_gain.h); or, with other settings than the default's, they are one to
 * all of this, by weights that each suggestion has for itself (scalarisation.h).
 *
 * What related searches tell (related.h) takes the place of the design and is a trend of the model; while
 * no trial bears it out, the design is made up for.
 *
 * Every step is a function of the request alone. */
#include "surrogate/best_rows.h"
#include "surrogate/confidence_bound.h"
#include "surrogate/cost.h"
#include "surrogate/front_gain.h"
#include "surrogate/maximise.h"
#include "surrogate/noisy_incumbent.h"
#include "surrogate/prior_term.h"
#include "surrogate/scalarisation.h"
#include "surrogate/stagnation.h"
#include "surrogate/strategy.h"
#include "surrogate/surrogate_model.h"
#include "surrogate/thompson.h"
#include "surrogate/trust_region.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FANTASIES_FIRST_LOOK = 8,
	FINITE_MIN = 3, /* with fewer objectives a model knows next to nothing */
	SCORED = 64, /* candidates evaluated exactly, after a glance at all */
	SCORED_ANYWHERE = 20, /* of them */
	GLANCES_AS_ONE = 16, /* this many cost at most as much as one value */
	ANCHORS = 5,
	RELATED_SPREAD = 2, /* spread-out trials behind each one that related searches propose:
			       near the latter alone it does not show whether they are right */
	NEAR_PART = 20, /* points are drawn around the best n / NEAR_PART trials */
};

/* A suggestion in progress. */
struct search {
	const struct ask *ask;
	struct suggest_request lessons; /* the request with what the model learns from */
	struct observation *scalarised; /* the lessons' observations; NULL with one objective */
	double weights[SUGGEST_OTHERS_MAX + 1]; /* of several objectives */
	bool by_front; /* a model of each objective: the next six are set, and `model` is the
			  first's */
	struct strategy strategy; /* of these models */
	struct suggest_request requests[PARETO_OBJECTIVES_MAX]; /* for one objective each */
	struct observation *observations; /* of each request */
	struct surrogate_model others[SUGGEST_OTHERS_MAX];
	struct gp *gps[PARETO_OBJECTIVES_MAX];
	struct front_gain *gain; /* NULL while no trial has kept the limits */
	bool makes_up; /* for the design: no related search is borne out */
	bool in_region; /* proposes in a trust region: the next three are set */
	struct trust_region region;
	struct box box; /* set after the fit, like its centre */
	double centre[COLUMNS_MAX];
	struct surrogate_model model;
	size_t n_repeated; /* rows of noisy_incumbent.h, behind the pending ones */
	struct cost *cost; /* NULL: cost does not count */
	struct prior_term *prior; /* NULL: no parameter has a prior */
	struct acquisition *acquisition; /* NULL: a random function is used instead */
	struct candidates candidates;
	bool listed; /* the candidates are all untried configurations: no search between them */
	struct maxima maxima;
	double *anchors;
	uint64_t work; /* evaluations besides the models' */
	uint64_t work_scores, glances;
};

static void search_finish(struct search *search)
{
	maxima_finish(&search->maxima);
	candidates_finish(&search->candidates);
	acquisition_destroy(search->acquisition);
	cost_destroy(search->cost);
	prior_term_destroy(search->prior);
	front_gain_destroy(search->gain);
	surrogate_model_finish(&search->model);
	for (size_t k = 0; k < SUGGEST_OTHERS_MAX; k++)
		surrogate_model_finish(&search->others[k]);
	free(search->anchors);
	free(search->scalarised);
	free(search->observations);
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

/* One trial per worker starts before there is a result; more gain nothing (docs/surrogate.md,
 * "Trials that run"). */
static size_t n_initial(const struct suggest_request *request)
{
	if (request->strategy->initial > 0)
		return request->strategy->initial;
	return most(
		suggest_design_size(request->space->d, request->budget_trials), request->parallel);
}

static size_t n_known(const struct suggest_request *request)
{
	return request->n_observations + request->n_pending;
}

/* The same where related searches tell something: they know where to begin. */
static size_t n_beginning(const struct suggest_request *request)
{
	if (!related_tells(request->related) || request->strategy->initial > 0)
		return n_initial(request);
	return 1 + RELATED_SPREAD;
}

/* ---- maximise ---- */

/* The front in another order for each suggestion. */
static void shuffle_front(const struct search *search, size_t *ret_rows, size_t *ret_n)
{
	struct random random = ask_random(search->ask, RANDOM_WEIGHTS);

	front_gain_rows(search->gain, ret_rows, ret_n);
	random_shuffle(&random, ret_rows, *ret_n);
}

/* The rows that promise most, best first: those within the limits, by their posterior mean; while
 * there are none, those with a value, by the probability that one like it is. */
static bool best_trials(
	struct search *search, size_t *ret_rows, size_t *ret_n, struct tuner_error *err)
{
	const struct model_data *data = &search->model.data;

	if (search->model.seeks_first)
		return likely_rows(
			search->model.limits, data->X, data->valued, data->n, ret_rows, ret_n, err);
	if (search->gain != NULL) {
		shuffle_front(search, ret_rows, ret_n);
		return true;
	}
	return best_rows(
		surrogate_model_latest(&search->model), data->within, ret_rows, ret_n, err);
}

static bool choose_anchors(struct search *search, struct anchors *ret, struct tuner_error *err)
{
	const size_t d = search->model.columns.d, n = search->model.data.n;
	size_t *rows = calloc(n + 1, sizeof *rows), n_rows = 0;
	bool ok;

	search->anchors = calloc(n * d + 1, sizeof *search->anchors);
	ok = (rows != NULL && search->anchors != NULL) || tuner_fail_memory(err);
	ok = ok && best_trials(search, rows, &n_rows, err);
	ret->n_near = search->gain != NULL ? n_rows : least(n_rows, most(1, n_rows / NEAR_PART));
	ret->n = least(n_rows, most(ANCHORS, ret->n_near));
	ret->x = search->anchors;
	for (size_t i = 0; ok && i < ret->n; i++) {
		memcpy(&search->anchors[i * d], &search->model.data.X[rows[i] * d],
			d * sizeof(double));
		columns_snap(&search->model.columns, &search->anchors[i * d]);
	}
	free(rows);
	return ok;
}

static uint64_t work_of_fits(const struct search *search)
{
	uint64_t work = search->model.work;

	for (size_t k = 0; k < SUGGEST_OTHERS_MAX; k++)
		work += search->others[k].work;
	return work;
}

static uint64_t work_done(const struct search *search)
{
	return work_of_fits(search) + search->work;
}

static uint64_t work_left(const struct search *search)
{
	const uint64_t limit = search->ask->request->work_limit, done = work_done(search);

	if (limit == 0)
		return UINT64_MAX;
	return limit > done ? limit - done : 1;
}

static bool is_listed(const struct search *search)
{
	return candidates_can_list(&search->ask->lattice, work_left(search));
}

static bool draw_candidates(struct search *search, struct tuner_error *err)
{
	const struct suggest_request *request = search->ask->request;
	const struct random_key key = { .seed = request->seed,
		.repeat = request->repeat,
		.number = request->number,
		.purpose = RANDOM_CANDIDATES };
	const size_t enough = (size_t)least(work_left(search), SIZE_MAX / 2);
	struct anchors anchors = { 0 };

	search->listed = is_listed(search);
	if (search->listed)
		return candidates_list(&search->model.columns, &search->ask->lattice,
			&search->ask->tried, enough, &search->candidates, err);
	if (search->in_region)
		return trust_region_candidates(&search->model.columns, &search->box, search->centre,
			key, enough, &search->candidates, err);
	return choose_anchors(search, &anchors, err) &&
	       candidates_draw(
		       &search->model.columns, &anchors, key, enough, &search->candidates, err);
}

/* Estimates all candidates, then evaluates the most promising. The others get minus infinity: they
 * are neither starts nor chosen while there is any other. */
static bool score_promising(struct search *search, struct tuner_error *err)
{
	struct candidates *candidates = &search->candidates;
	double *values = calloc(SCORED, sizeof *values);
	double *rows = calloc(SCORED * search->model.columns.d, sizeof *rows);
	/* In a trust region all but the centre count as "anywhere". */
	const size_t anywhere = search->in_region ? SCORED - 1 : SCORED_ANYWHERE;
	size_t n = 0;
	bool ok = (values != NULL && rows != NULL) || tuner_fail_memory(err);

	ok = ok && acquisition_glance(search->acquisition, candidates->x, candidates->n,
			   candidates->values, err);
	if (ok) {
		/* The first row is always a start of the search. */
		candidates->values[0] = INFINITY;
		ok = candidates_choose(candidates, anywhere, SCORED - anywhere, &n, err);
	}
	for (size_t i = 0; ok && i < n; i++)
		memcpy(&rows[i * search->model.columns.d],
			candidates_row(candidates, candidates->order[i]),
			search->model.columns.d * sizeof *rows);
	ok = ok &&
	     acquisition_values(search->acquisition, rows, n, FANTASIES_FIRST_LOOK, values, err);
	for (size_t i = 0; ok && i < candidates->n; i++)
		candidates->values[i] = -INFINITY;
	for (size_t i = 0; ok && i < n; i++)
		candidates->values[candidates->order[i]] = values[i];
	search->work += candidates->n / GLANCES_AS_ONE + n;
	search->glances += candidates->n;
	search->work_scores += n;
	free(values);
	free(rows);
	return ok;
}

static bool is_augmented(const struct search *search)
{
	const struct strategy *strategy = search->ask->request->strategy;

	return strategy->acquisition == STRATEGY_EI &&
	       strategy_incumbent_is_augmented(
		       strategy->incumbent, surrogate_model_noise(&search->model));
}

/* The incumbent of EI as reported, never augmented. */
static enum acquisition_incumbent plain_incumbent(const struct strategy *strategy)
{
	return strategy->incumbent == STRATEGY_INCUMBENT_BEST ? ACQUISITION_INCUMBENT_BEST
							      : ACQUISITION_INCUMBENT_MEAN;
}

/* The acquisition without terms, over the present rows of the model. */
static bool create_plain(struct search *search, const struct acquisition_options *options,
	struct acquisition **ret, struct tuner_error *err)
{
	const struct surrogate_model *model = &search->model;
	struct random random = ask_random(search->ask, RANDOM_FANTASY);

	if (model->ensemble.n > 0 && options->kind == ACQUISITION_EI)
		return ensemble_acquisition(&model->ensemble, options, &random, ret, err);
	return acquisition_create(surrogate_model_latest(model), options, &random, ret, err);
}

/* Without an expected improvement on one incumbent. */
static bool is_of_terms(const struct search *search)
{
	return search->model.seeks_first || search->gain != NULL;
}

/* With the probabilities that a trial does not fail and that it keeps all limits, but without its cost
 * yet. */
static bool create_acquisition(struct search *search, enum acquisition_kind kind,
	enum acquisition_incumbent incumbent, struct acquisition **ret, struct tuner_error *err)
{
	const struct strategy *strategy = search->ask->request->strategy;
	const struct surrogate_model *model = &search->model;
	const struct acquisition_options options = { .kind = is_of_terms(search) ? ACQUISITION_TERMS
										 : kind,
		.eligible = model->data.within,
		.chances = model->chances,
		.n_chances = model->chances != NULL ? model->data.n_pending : 0,
		.n_fantasies = ACQUISITION_FANTASIES,
		.incumbent = incumbent,
		.beta = strategy->ucb_beta > 0 ? strategy->ucb_beta : CONFIDENCE_BOUND_BETA };

	if (!create_plain(search, &options, ret, err))
		return false;
	if (search->gain != NULL) {
		const struct acquisition_term term = front_gain_term(search->gain);

		acquisition_add_term(*ret, &term);
	}
	if (model->feasibility != NULL) {
		const struct acquisition_term term = margin_term(model->feasibility);

		acquisition_add_term(*ret, &term);
	}
	if (model->limits != NULL) {
		const struct acquisition_term term = limits_term(model->limits);

		acquisition_add_term(*ret, &term);
	}
	return true;
}

static bool learn_cost(struct search *search, struct tuner_error *err)
{
	const struct suggest_request *request = search->ask->request;

	if (!cost_create(
		    &search->model.columns, request, model_fit_limit(request), &search->cost, err))
		return false;
	if (search->cost == NULL)
		return true;

	const struct acquisition_term term = cost_term(search->cost);

	acquisition_add_term(search->acquisition, &term);
	search->work += cost_work(search->cost);
	return true;
}

/* A drawn function has no acquisition that the term could be added to (score_by_function). */
static bool add_prior(struct search *search, struct tuner_error *err)
{
	if (!prior_term_create(&search->model.columns, search->ask->request, &search->prior, err))
		return false;
	if (search->prior != NULL && search->acquisition != NULL) {
		const struct acquisition_term term = prior_acquisition_term(search->prior);

		acquisition_add_term(search->acquisition, &term);
	}
	return true;
}

/* Appends the trials that may be the best of a draw, as many to each model. */
static bool append_repeated(struct search *search, struct tuner_error *err)
{
	for (size_t i = 0; i < surrogate_model_count(&search->model); i++)
		if (!noisy_incumbent_append(surrogate_model_nth(&search->model, i),
			    search->model.data.within, ACQUISITION_PENDING_MAX, &search->n_repeated,
			    err))
			return false;
	return true;
}

static void forget_repeated(struct search *search)
{
	for (size_t i = 0; i < surrogate_model_count(&search->model); i++)
		gp_forget(surrogate_model_nth(&search->model, i), search->n_repeated);
}

/* Of the noise that the incumbent of one objective would be augmented for (suggest.h). */
static double augmenting_noise_sd(const struct search *search, const struct gp *gp)
{
	const double variance = gp_noise_variance(gp);

	return strategy_incumbent_is_augmented(search->strategy.incumbent, variance)
		       ? sqrt(variance)
		       : 0;
}

/* Measures what there is to gain by the models of all objectives. */
static bool prepare_gain(struct search *search, struct tuner_error *err)
{
	const struct surrogate_model *model = &search->model;
	const size_t m = search->ask->request->n_others + 1;
	double noise_sds[PARETO_OBJECTIVES_MAX];

	search->gps[0] = model->gp;
	for (size_t k = 1; k < m; k++) {
		if (!surrogate_model_append_pending(&search->others[k - 1], err))
			return false;
		search->gps[k] = search->others[k - 1].gp;
	}
	for (size_t k = 0; k < m; k++)
		noise_sds[k] = augmenting_noise_sd(search, search->gps[k]);
	return model->seeks_first || front_gain_create(search->gps, m, model->data.within,
					     model->chances, noise_sds, &search->gain, err);
}

/* Appends the pending trials and, for a noisy incumbent, the best trials once more. */
static bool append_rows(struct search *search, struct tuner_error *err)
{
	const struct strategy *strategy = search->ask->request->strategy;

	if (!surrogate_model_append_pending(&search->model, err))
		return false;
	if (search->by_front)
		return prepare_gain(search, err);
	return strategy->acquisition != STRATEGY_EI ||
	       strategy->incumbent != STRATEGY_INCUMBENT_NOISY || append_repeated(search, err);
}

static bool prepare_acquisition(struct search *search, struct tuner_error *err)
{
	const struct strategy *strategy = search->ask->request->strategy;
	const bool is_ucb = strategy->acquisition == STRATEGY_UCB;

	return append_rows(search, err) &&
	       create_acquisition(search, is_ucb ? ACQUISITION_UCB : ACQUISITION_EI,
		       is_augmented(search) ? ACQUISITION_INCUMBENT_AUGMENTED
					    : plain_incumbent(strategy),
		       &search->acquisition, err) &&
	       (is_ucb || !strategy->cost_aware || learn_cost(search, err)) &&
	       add_prior(search, err);
}

/* Evaluates all candidates exactly, when there is no polishing afterwards. */
static bool score_all(struct search *search, struct tuner_error *err)
{
	struct candidates *candidates = &search->candidates;

	search->work += candidates->n;
	search->work_scores += candidates->n;
	return acquisition_values(
		search->acquisition, candidates->x, candidates->n, 0, candidates->values, err);
}

/* Adds the log probabilities that a trial does not fail and that it keeps all limits. */
static bool add_probabilities(
	struct search *search, const double *X, size_t m, double *values, struct tuner_error *err)
{
	struct surrogate_model *model = &search->model;

	return (model->feasibility == NULL || margin_add(model->feasibility, X, m, values, err)) &&
	       (model->limits == NULL || limits_add(model->limits, X, m, values, NULL, err));
}

/* By a function of the model without pending trials, which were chosen by functions of their
 * own. */
static bool score_by_function(struct search *search, struct tuner_error *err)
{
	/* A stream other than that of the fantasies. */
	struct random_key key = { .seed = ~search->ask->request->seed,
		.repeat = search->ask->request->repeat,
		.number = search->ask->request->number,
		.purpose = RANDOM_FANTASY };
	struct candidates *candidates = &search->candidates;
	struct random random;

	random_init(&random, key);
	search->work += candidates->n;
	memset(candidates->values, 0, candidates->n * sizeof *candidates->values);
	if ((!search->model.seeks_first &&
		    !thompson_values(search->model.gp, &search->model.columns, candidates->x,
			    candidates->n, &random, candidates->values, err)) ||
		!add_prior(search, err))
		return false;
	if (search->prior != NULL)
		prior_term_add(search->prior, candidates->x, candidates->n, candidates->values);
	return add_probabilities(search, candidates->x, candidates->n, candidates->values, err) &&
	       surrogate_model_append_pending(&search->model, err);
}

static bool score(struct search *search, struct tuner_error *err)
{
	if (search->acquisition == NULL)
		return score_by_function(search, err);
	return search->listed ? score_all(search, err) : score_promising(search, err);
}

static bool score_candidates(struct search *search, struct tuner_error *err)
{
	const bool by_function = search->ask->request->strategy->acquisition == STRATEGY_THOMPSON;

	if ((!by_function && !prepare_acquisition(search, err)) || !draw_candidates(search, err))
		return false;
	if (search->candidates.n == 0)
		return true;
	/* Without polishing, any of the scored candidates may be the choice. */
	const size_t first = search->listed || by_function ? search->candidates.n : SCORED;

	return score(search, err) && candidates_sort(&search->candidates, first, err);
}

static bool polish(struct search *search, struct tuner_error *err)
{
	const uint64_t limit = search->ask->request->work_limit;
	/* A stream other than that of the candidates. */
	struct random_key key = { .seed = ~search->ask->request->seed,
		.repeat = search->ask->request->repeat,
		.number = search->ask->request->number,
		.purpose = RANDOM_CANDIDATES };
	struct random random;

	if (search->listed || search->acquisition == NULL ||
		(limit > 0 && work_done(search) >= limit))
		return true;
	random_init(&random, key);
	if (!maximise(&search->model.columns, search->acquisition, search->model.lengthscales,
		    search->in_region ? &search->box : NULL, &search->candidates, &random,
		    limit > 0 ? work_left(search) : 0, &search->maxima, err))
		return false;
	search->work += search->maxima.work;
	return true;
}

/* ---- the choice ---- */

/* Candidates and maxima break no constraint, so this is all to check. */
static bool is_untried(const struct search *search, const double *x, double *ret_values)
{
	columns_decode(&search->model.columns, x, ret_values);
	return !tried_contains(&search->ask->tried, ret_values);
}

/* The best untried point; false if all candidates and maxima have been tried. */
static bool choose(const struct search *search, double *ret_values, const double **ret_x)
{
	const struct candidates *candidates = &search->candidates;

	for (size_t i = 0; i < search->maxima.n; i++) {
		*ret_x = &search->maxima.x[i * search->model.columns.d];
		if (!isnan(search->maxima.values[i]) && is_untried(search, *ret_x, ret_values))
			return true;
	}
	for (size_t i = 0; i < candidates->n; i++) {
		const size_t best = candidates->order[i];

		*ret_x = candidates_row(candidates, best);
		if (!isnan(candidates->values[best]) && is_untried(search, *ret_x, ret_values))
			return true;
	}
	return false;
}

/* Leaves *ret_probability alone if failures are too few for a model. */
static bool foretell_failure(
	struct search *search, const double *x, double *ret_probability, struct tuner_error *err)
{
	double log_probability = 0;

	if (search->model.feasibility == NULL)
		return true;
	if (!margin_add(search->model.feasibility, x, 1, &log_probability, err))
		return false;
	*ret_probability = exp(log_probability);
	return true;
}

/* Leaves *ret_probability alone if nothing is known of limits. Forgets what was supposed of pending
 * trials. */
static bool foretell_limits(
	struct search *search, const double *x, double *ret_probability, struct tuner_error *err)
{
	struct limits *limits = search->model.limits;
	double log_probability = 0;

	if (limits == NULL)
		return true;
	limits_forget(limits);
	if (!limits_add(limits, x, 1, &log_probability, NULL, err))
		return false;
	*ret_probability = exp(log_probability);
	return true;
}

/* Log EI, not augmented, whatever chose the point, with a failure counting as no gain, so that the
 * reported value always means the same; NaN while there is nothing to improve on. Also the value of
 * what was maximised, which a drawn function has at the candidates only. */
static bool hope(struct search *search, const double *x, double *ret_value, double *ret_maximised,
	double *ret_incumbent, struct tuner_error *err)
{
	const struct strategy *strategy = search->ask->request->strategy;
	const bool is_plain = strategy->acquisition == STRATEGY_EI && search->cost == NULL &&
			      search->prior == NULL && !is_of_terms(search) &&
			      !is_augmented(search);
	struct acquisition *own = NULL;
	bool ok = is_plain || is_of_terms(search) ||
		  create_acquisition(search, ACQUISITION_EI, plain_incumbent(strategy), &own, err);

	*ret_value = *ret_incumbent = NAN;
	if (ok && !is_of_terms(search)) {
		struct acquisition *acquisition = is_plain ? search->acquisition : own;

		*ret_incumbent = acquisition_incumbent(acquisition);
		ok = acquisition_values(acquisition, x, 1, 0, ret_value, err);
	}
	acquisition_destroy(own);
	if (is_plain)
		*ret_maximised = *ret_value;
	else if (ok && search->acquisition != NULL)
		ok = acquisition_values(search->acquisition, x, 1, 0, ret_maximised, err);
	return ok;
}

static void add_hyperparameters(const struct surrogate_model *model, struct suggestion *ret)
{
	surrogate_model_hyperparameters(model, &ret->hyperparameters[ret->n_hyperparameters]);
	ret->n_hyperparameters += gp_n_hyperparameters(model->gp);
}

/* Of several models one after the other. */
static void keep_hyperparameters(const struct search *search, struct suggestion *ret)
{
	add_hyperparameters(&search->model, ret);
	for (size_t k = 0; search->by_front && k < search->ask->request->n_others; k++)
		add_hyperparameters(&search->others[k], ret);
}

static bool predict_others(const struct search *search, const double *x, struct suggestion *ret,
	struct tuner_error *err)
{
	for (size_t k = 0; search->by_front && k < search->ask->request->n_others; k++) {
		const struct surrogate_model *other = &search->others[k];
		double mean, sd;

		if (!surrogate_model_predict(other, x, &mean, &sd, err))
			return false;
		transform_prediction(
			other->data.transform, mean, sd, &ret->other_means[k], &ret->other_sds[k]);
	}
	return true;
}

/* Of several models the sum. */
static bool judge_posterior(
	const struct search *search, struct suggestion *ret, struct tuner_error *err)
{
	if (!surrogate_model_log_posterior(&search->model, &ret->log_posterior, err))
		return false;
	for (size_t k = 0; search->by_front && k < search->ask->request->n_others; k++) {
		double more;

		if (!surrogate_model_log_posterior(&search->others[k], &more, err))
			return false;
		ret->log_posterior += more;
	}
	return true;
}

/* The model's predictions for its choice, in the user's unit. Drops the repeated rows, so the
 * acquisition must not be used again. */
static bool explain(
	struct search *search, const double *x, struct suggestion *ret, struct tuner_error *err)
{
	const struct transform *transform = search->model.data.transform;
	double mean, sd, value, incumbent;

	if (!hope(search, x, &value, &ret->maximised, &incumbent, err))
		return false;
	forget_repeated(search);
	if (!surrogate_model_predict(&search->model, x, &mean, &sd, err) ||
		!predict_others(search, x, ret, err) ||
		!foretell_failure(search, x, &ret->value_probability, err) ||
		!foretell_limits(search, x, &ret->limits_probability, err))
		return false;
	if (search->ask->request->judged != NULL && !judge_posterior(search, ret, err))
		return false;
	transform_prediction(transform, mean, sd, &ret->mean, &ret->sd);
	if (!is_of_terms(search)) {
		const double slope = transform_gain_slope(transform, incumbent, sd);

		ret->acquisition = value + log(slope);
		ret->incumbent = transform_to_user(transform, incumbent);
		ret->gain_mean = ret->incumbent + (mean - incumbent) * slope;
		ret->gain_sd = sd * slope;
	}
	keep_hyperparameters(search, ret);
	return true;
}

/* The best untried point; *ret_x is NULL if none was found. */
static bool search_for_best(
	struct search *search, double *ret_values, const double **ret_x, struct tuner_error *err)
{
	if (!score_candidates(search, err) || !polish(search, err))
		return false;
	if (!choose(search, ret_values, ret_x))
		*ret_x = NULL;
	return true;
}

/* Uses the request's point instead of a search. */
static bool take_judged(
	struct search *search, double *ret_values, double *ret_x, struct tuner_error *err)
{
	const struct suggest_request *request = search->ask->request;

	memcpy(ret_values, request->judged, request->space->d * sizeof *ret_values);
	if (!columns_encode(&search->model.columns, ret_values, ret_x))
		return tuner_fail(err, TUNER_USAGE, "what is to be judged is not in the space");
	return request->strategy->acquisition == STRATEGY_THOMPSON
		       ? surrogate_model_append_pending(&search->model, err)
		       : prepare_acquisition(search, err);
}

/* Steps are as short as the most sensitive objective needs. */
static bool fit_others(struct search *search, struct tuner_error *err)
{
	for (size_t k = 0; search->by_front && k < search->ask->request->n_others; k++) {
		struct surrogate_model *other = &search->others[k];

		if (!surrogate_model_fit(other, err))
			return false;
		tuner_assert(other->data.n == search->model.data.n);
		for (size_t j = 0; j < search->model.columns.d; j++)
			search->model.lengthscales[j] =
				fmin(search->model.lengthscales[j], other->lengthscales[j]);
	}
	return true;
}

/* As many trials as a design has are then no loss; more are not spent on it. */
static bool is_to_make_up(const struct search *search)
{
	const struct suggest_request *request = search->ask->request;

	return related_tells(request->related) && !related_is_used(&search->model.blend) &&
	       !search->in_region && request->judged == NULL &&
	       n_known(request) <= n_initial(request);
}

static bool use_model(
	struct search *search, struct suggestion *ret, bool *ret_found, struct tuner_error *err)
{
	double judged[COLUMNS_MAX];
	const double *x = judged;

	if (!surrogate_model_fit(&search->model, err) || !fit_others(search, err))
		return false;
	memcpy(ret->related, search->model.blend.weights, sizeof ret->related);
	search->makes_up = is_to_make_up(search);
	if (search->makes_up)
		return true;
	if (search->model.seeks_first && search->model.limits == NULL)
		return tuner_fail(err, TUNER_NUMERIC,
			"no trial has kept the limits, and none tells by how much");
	if (search->in_region)
		trust_region_box(&search->region, search->ask->request, &search->model.columns,
			search->model.lengthscales, &search->box, search->centre);
	if (!(search->ask->request->judged != NULL ? take_judged(search, ret->values, judged, err)
						   : search_for_best(search, ret->values, &x, err)))
		return false;
	*ret_found = x != NULL;
	return !*ret_found || explain(search, x, ret, err);
}

static bool spread_out(const struct ask *ask, struct suggestion *ret, struct tuner_error *err)
{
	ret->branch = BRANCH_DESIGN;
	return ask_quasi_random(ask, ret, err);
}

static bool fall_back(
	const struct ask *ask, const char *reason, struct suggestion *ret, struct tuner_error *err)
{
	ret->branch = BRANCH_FALLBACK;
	snprintf(ret->reason, sizeof ret->reason, "%.110s", reason);
	return ask_quasi_random(ask, ret, err);
}

/* By the model, or by its fallback. */
static bool propose(struct search *search, struct suggestion *ret, struct tuner_error *err)
{
	const struct ask *ask = search->ask;
	struct tuner_error failed = { TUNER_OK, "" };
	bool found = false;

	const size_t enough = related_tells(ask->request->related) ? 1 : FINITE_MIN;

	if (transform_n_finite(search->model.data.transform) < enough)
		return fall_back(ask, "fewer than three trials have an objective", ret, err);
	if (!use_model(search, ret, &found, &failed)) {
		if (failed.code != TUNER_NUMERIC) {
			*err = failed;
			return false;
		}
		ret->work = work_done(search);
		return fall_back(ask, failed.message, ret, err);
	}
	ret->asked = true;
	ret->work = work_done(search);
	if (search->makes_up) {
		snprintf(ret->reason, sizeof ret->reason,
			"the results so far bear out no related job");
		return spread_out(ask, ret, err);
	}
	ret->work_fit = work_of_fits(search);
	ret->work_scores = search->work_scores;
	ret->work_climbs = search->maxima.work;
	ret->approximations = search->model.approximations;
	ret->glances = search->glances;
	if (!found)
		return fall_back(ask, "every point that was looked at has been tried", ret, err);
	ret->branch = BRANCH_MODEL;
	return true;
}

/* With other acquisitions, hyperparameters as draws, or more trials than a model has rows for, several
 * objectives are one. */
static bool measures_front(const struct suggest_request *request)
{
	return request->strategy->acquisition == STRATEGY_EI &&
	       request->strategy->hyperparameters == STRATEGY_MAP &&
	       request->n_observations <= MODEL_ROWS_MAX;
}

/* Several objectives become one. */
static bool collect_lessons(struct search *search, struct tuner_error *err)
{
	const struct suggest_request *request = search->ask->request;

	search->lessons = *request;
	if (request->n_others == 0)
		return true;
	search->by_front = measures_front(request);
	search->scalarised = calloc(request->n_observations + 1, sizeof *search->scalarised);
	search->lessons.observations = search->scalarised;
	return (search->scalarised != NULL || tuner_fail_memory(err)) &&
	       scalarisation_weights(request, search->weights, err) &&
	       scalarisation_observations(request, search->weights, search->scalarised, err);
}

/* Determines whether there is a trust region, and its state. With several objectives trials do not
 * succeed one another, so all are its beginning: a box of the first side around the best by the
 * present weights. */
static bool find_region(struct search *search, struct tuner_error *err)
{
	const struct suggest_request *request = search->ask->request;
	const size_t beginning =
		request->n_others > 0 ? request->n_observations : n_beginning(request);

	search->in_region = trust_region_applies(request, &search->model.columns);
	return !search->in_region || trust_region_follow(&search->lessons, &search->model.columns,
					     beginning, &search->region, err);
}

/* The front reaches to what is bad in each objective, so ranks would distort a part of it. */
static void choose_transform(struct search *search)
{
	search->strategy = *search->ask->request->strategy;
	if (search->strategy.transform == TRANSFORM_AUTO)
		search->strategy.transform = TRANSFORM_WINSOR;
}

/* What belongs to the k-th of m models; nothing, if there is not as much for each. */
static const double *part_of(const double *all, size_t n, size_t m, size_t k, size_t *ret_n)
{
	*ret_n = all != NULL && n % m == 0 ? n / m : 0;
	return *ret_n > 0 ? &all[k * *ret_n] : NULL;
}

/* The request with objective k alone, and the hyperparameters of its model. */
static void ask_for_one(struct search *search, size_t k)
{
	const struct suggest_request *request = search->ask->request;
	const size_t n = request->n_observations, m = request->n_others + 1;
	struct observation *observations = &search->observations[k * n];

	for (size_t i = 0; i < n; i++) {
		observations[i] = search->scalarised[i];
		if (k > 0 && !isnan(observations[i].objective))
			observations[i].objective = request->observations[i].others[k - 1];
		else if (!isnan(observations[i].objective))
			observations[i].objective = request->observations[i].objective;
	}
	search->requests[k] = *request;
	search->requests[k].strategy = &search->strategy;
	search->requests[k].observations = observations;
	search->requests[k].n_others = 0;
	if (k > 0)
		search->requests[k].n_limits = 0;
	search->requests[k].start =
		part_of(request->start, request->n_start, m, k, &search->requests[k].n_start);
	search->requests[k].judged_at = part_of(
		request->judged_at, request->n_judged_at, m, k, &search->requests[k].n_judged_at);
}

/* Each objective has a model of its own. */
static bool prepare_all(struct search *search, struct tuner_error *err)
{
	const struct suggest_request *request = search->ask->request;
	const size_t m = request->n_others + 1;

	search->observations =
		calloc(m * request->n_observations + 1, sizeof *search->observations);
	if (search->observations == NULL)
		return tuner_fail_memory(err);
	choose_transform(search);
	for (size_t k = 0; k < m; k++) {
		struct surrogate_model *model = k == 0 ? &search->model : &search->others[k - 1];

		ask_for_one(search, k);
		model->columns = search->model.columns;
		if (!surrogate_model_init(model, &search->requests[k], &search->requests[k], err))
			return false;
	}
	return true;
}

/* A trust region's model uses only its own trials. */
static bool prepare(struct search *search, struct tuner_error *err)
{
	const struct suggest_request *request = search->ask->request;
	const size_t earlier =
		search->in_region ? least(search->region.first, request->n_observations) : 0;

	if (search->by_front)
		return prepare_all(search, err);
	search->lessons.observations += earlier;
	search->lessons.n_observations -= earlier;
	/* Only where there are categories: elsewhere it gains nothing (docs/surrogate.md,
	 * "Categories"). Of several objectives another one is to gain each time. */
	search->model.stagnates = columns_have_category(&search->model.columns) &&
				  request->n_others == 0 &&
				  search_stagnates(request, n_beginning(request));
	return surrogate_model_init(&search->model, request, &search->lessons, err);
}

/* A scalar of several objectives has no meaning for a user, only its weights have. */
static void hide_scalar(const struct search *search, struct suggestion *ret)
{
	if (search->ask->request->n_others == 0 || ret->branch != BRANCH_MODEL)
		return;
	ret->gain_mean = ret->gain_sd = ret->acquisition = ret->incumbent = NAN;
	if (search->by_front)
		return;
	ret->mean = ret->sd = NAN;
	memcpy(ret->weights, search->weights, sizeof ret->weights);
}

static bool has_result(const struct suggest_request *request)
{
	for (size_t i = 0; i < request->n_observations; i++)
		if (request->observations[i].kind != OBSERVATION_FAILED &&
			isfinite(request->observations[i].objective))
			return true;
	return false;
}

/* Related searches are believed for one trial in 1 + RELATED_SPREAD while there is no result to weigh
 * them by, as with many workers. */
static bool believes_related(const struct suggest_request *request)
{
	return related_tells(request->related) && request->judged == NULL &&
	       n_known(request) % (1 + RELATED_SPREAD) == 0 && !has_result(request);
}

/* Trials before the model: a design, or with related searches what begins the search and, while there
 * is no result, goes on with it. */
static bool is_beginning(const struct suggest_request *request)
{
	return n_known(request) < n_beginning(request) ||
	       (related_tells(request->related) && !has_result(request));
}

/* *ret_made: there is such a trial. */
static bool begin(
	const struct ask *ask, struct suggestion *ret, bool *ret_made, struct tuner_error *err)
{
	const struct suggest_request *request = ask->request;

	ret->branch = BRANCH_DESIGN;
	*ret_made = false;
	if (believes_related(request) &&
		!related_begin(request->related, ask, ret->values, ret_made, err))
		return false;
	if (*ret_made || !is_beginning(request))
		return true;
	*ret_made = true;
	return ask_quasi_random(ask, ret, err);
}

bool strategy_bayesian(const struct ask *ask, struct suggestion *ret, struct tuner_error *err)
{
	const struct suggest_request *request = ask->request;
	bool made;

	if (!begin(ask, ret, &made, err))
		return false;
	if (made)
		return true;
	if (request->without_model)
		return fall_back(ask, "the model was not asked: no time", ret, err);

	struct search search = { .ask = ask };

	columns_init(&search.model.columns, ask->space, ask->given);
	if (search.model.columns.d == 0)
		return fall_back(ask, "the space has one configuration", ret, err);

	bool ok = collect_lessons(&search, err) && find_region(&search, err);

	if (ok && search.in_region && trust_region_begins(&search.region, request)) {
		ok = spread_out(ask, ret, err);
	} else {
		ok = ok && prepare(&search, err) && propose(&search, ret, err);
		hide_scalar(&search, ret);
	}
	search_finish(&search);
	return ok;
}
