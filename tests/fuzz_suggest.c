/* Suggestions from arbitrary histories: no crash, no hang, a configuration of the space, and none that was tried
 * while an untried one exists.
 *
 *     fuzz_suggest [HISTORIES [FIRST-SEED]]        150 (with sanitizers 50) and 1
 *
 * Each seed makes a space (up to eight parameters, now and then forty, of any type, scale and step, mostly small ones, half of them with priors), up to eight limits and up to three further objectives (half of them each), a strategy with
 * settings, and a history: good, constant, huge, tiny, infinite and missing objectives, failures, repetitions, configurations
 * from outside the space, pending trials, hyperparameters from nowhere, a bound on the work. Then it asks a few times. */
#include "sanitized.h"
#include "surrogate/gp.h"
#include "surrogate/suggest.h"

#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { D_MAX = 40, D_FEW = 8, TRIALS_MAX = 160, PENDING_MAX = 12, ASKS = 3 };

struct world {
	struct random random;
	uint64_t seed;
	struct space space;
	struct parameter parameters[D_MAX];
	struct prior priors[D_MAX];
	double weights[D_MAX][D_FEW];
	struct strategy strategy;
	struct observation observations[TRIALS_MAX + ASKS];
	double values[TRIALS_MAX + ASKS][D_MAX], pending[PENDING_MAX][D_MAX],
		start[SUGGEST_HYPERPARAMETERS_MAX];
	const double *pending_rows[PENDING_MAX];
	double excess[TRIALS_MAX + ASKS][SUGGEST_LIMITS_MAX];
	size_t n_limits;
	double others[TRIALS_MAX + ASKS][SUGGEST_OTHERS_MAX];
	size_t n_others;
	size_t n, n_pending;
};

#define CHECK(world, property)                                                                     \
	((property) ? (void)0                                                                      \
		    : (fprintf(stderr, "%s:%d: seed %llu: %s\n", __FILE__, __LINE__,               \
			       (unsigned long long)(world)->seed, #property),                      \
			      abort()))

static size_t choose(struct world *w, size_t n)
{
	return (size_t)random_below(&w->random, n);
}

static bool with_chance(struct world *w, double chance)
{
	return random_uniform(&w->random) < chance;
}

/* ---- the space ---- */

static void make_number(struct world *w, struct parameter *p)
{
	static const double mins[] = { -1e6, -3, 0, 1e-8, 1, 16, 1e5 };
	static const double spans[] = { 1e-3, 1, 3, 7, 100, 1e6 };

	p->min = mins[choose(w, 7)];
	p->max = p->min + spans[choose(w, 6)];
	p->scale = SCALE_AUTO;
	if (p->type == PARAMETER_INT) {
		p->min = floor(p->min);
		p->max = p->min + 1 + (double)choose(w, with_chance(w, 0.8) ? 6 : 100000);
		p->step = with_chance(w, 0.2) && p->max - p->min >= 2 ? 2 : 0;
	} else if (with_chance(w, 0.3)) {
		p->step = (p->max - p->min) / (double)(2 + choose(w, 5));
	} else if (with_chance(w, 0.2)) {
		p->min = 0;
		p->max = 0.99;
	}
}

static void make_space(struct world *w)
{
	const size_t d = with_chance(w, 0.06) ? D_FEW + choose(w, D_MAX - D_FEW) : choose(w, D_FEW);

	w->space = (struct space){ .d = 1 + d, .parameters = w->parameters };
	for (size_t i = 0; i < w->space.d; i++) {
		struct parameter *p = &w->parameters[i];

		*p = (struct parameter){ .type = (enum parameter_type)choose(w, 4) };
		snprintf(p->name, sizeof p->name, "p%zu", i);
		if (p->type == PARAMETER_FLOAT || p->type == PARAMETER_INT)
			make_number(w, p);
		else
			p->n_values = 1 + choose(w, 5);
	}
	space_resolve_scales(&w->space);
}

static void draw_configuration(struct world *w, double *ret)
{
	for (size_t i = 0; i < w->space.d; i++)
		ret[i] = parameter_decode(&w->parameters[i], random_uniform(&w->random));
}

/* Wide, narrow and infinitely narrow ones, of some of the parameters; from a stream of their own. */
static void make_priors(struct world *w)
{
	static const double widths[] = { 1, 0.1, 1e-3, 1e-9, 1e-16 };
	struct random random;

	random_init(&random,
		(struct random_key){ .seed = w->seed, .number = 1, .purpose = RANDOM_TEST });
	memset(w->priors, 0, sizeof w->priors);
	if (random_uniform(&random) < 0.5)
		return;
	w->space.priors = w->priors;
	for (size_t i = 0; i < w->space.d; i++) {
		const struct parameter *p = &w->parameters[i];
		const double u = random_uniform(&random), width = widths[random_below(&random, 5)];

		for (size_t k = 0; k < D_FEW; k++)
			w->weights[i][k] = exp(4 * random_normal(&random));
		if (random_uniform(&random) < 0.3)
			continue;
		if (p->type == PARAMETER_CATEGORICAL)
			w->priors[i].weights = w->weights[i];
		else
			w->priors[i] = (struct prior){ .low = parameter_decode(p, u * (1 - width)),
				.high = parameter_decode(p, u * (1 - width) + width) };
	}
}

/* ---- the history ---- */

static double draw_objective(struct world *w, const double *values, size_t kind)
{
	const double u = parameter_encode(&w->parameters[0], values[0]);

	switch (kind) {
	case 0:
		return 7;
	case 1:
		return 1e300 * (u - 0.5);
	case 2:
		return 1e-300 * u;
	case 3:
		return with_chance(w, 0.2) ? INFINITY : with_chance(w, 0.1) ? -INFINITY : u;
	case 4:
		return random_normal(&w->random);
	default:
		return (u - 0.3) * (u - 0.3) + 0.01 * random_normal(&w->random);
	}
}

static void add_trial(struct world *w, size_t kind, double failing)
{
	double *values = w->values[w->n];
	struct observation *o = &w->observations[w->n];

	if (w->n > 0 && with_chance(w, 0.1))
		memcpy(values, w->values[choose(w, w->n)], sizeof w->values[0]);
	else
		draw_configuration(w, values);
	if (with_chance(w, 0.02)) /* from before an edit of the space */
		values[choose(w, w->space.d)] = with_chance(w, 0.5) ? 1e9 : -4;
	*o = (struct observation){ .values = values, .objective = draw_objective(w, values, kind) };
	o->kind = with_chance(w, failing) ? OBSERVATION_FAILED
		  : with_chance(w, 0.1)   ? OBSERVATION_STOPPED
					  : OBSERVATION_DONE;
	if (with_chance(w, 0.05))
		o->objective = NAN;
	if (with_chance(w, 0.8))
		o->duration = with_chance(w, 0.9) ? exp(3 * random_normal(&w->random)) : INFINITY;
	w->n++;
}

/* Of any unit, mostly known, kept mostly or hardly ever; from a stream of their own. */
static void make_limits(struct world *w)
{
	static const double units[] = { 1, 1e-300, 1e300, 0, INFINITY };
	struct random random;

	random_init(&random,
		(struct random_key){ .seed = w->seed, .number = 2, .purpose = RANDOM_TEST });
	w->n_limits =
		random_uniform(&random) < 0.5 ? 0 : 1 + random_below(&random, SUGGEST_LIMITS_MAX);
	const double threshold = random_uniform(&random), known = random_uniform(&random);

	for (size_t i = 0; i < TRIALS_MAX + ASKS; i++)
		for (size_t j = 0; j < w->n_limits; j++)
			w->excess[i][j] = units[random_below(&random, 5)] *
					  (random_uniform(&random) - threshold);
	for (size_t i = 0; i < TRIALS_MAX + ASKS; i++)
		for (size_t j = 0; j < w->n_limits; j++)
			if (random_uniform(&random) > known)
				w->excess[i][j] = NAN;
}

/* Constant, opposed to a parameter, noise, of any size, infinite, mostly known; from a stream of their own. */
static double draw_other(struct random *random, size_t kind)
{
	static const double sizes[] = { 1, 1e-300, 1e300, 1.7e308, INFINITY };

	return kind == 0   ? 3
	       : kind == 1 ? sizes[random_below(random, 5)] * (random_uniform(random) - 0.5)
			   : exp(3 * random_normal(random));
}

static void make_others(struct world *w)
{
	struct random random;

	random_init(&random,
		(struct random_key){ .seed = w->seed, .number = 3, .purpose = RANDOM_TEST });
	w->n_others =
		random_uniform(&random) < 0.5 ? 0 : 1 + random_below(&random, SUGGEST_OTHERS_MAX);
	const double known = random_uniform(&random) < 0.2 ? random_uniform(&random) : 0.98;

	for (size_t j = 0; j < w->n_others; j++) {
		const size_t kind = random_below(&random, 5);

		for (size_t i = 0; i < TRIALS_MAX + ASKS; i++)
			w->others[i][j] =
				random_uniform(&random) > known ? NAN : draw_other(&random, kind);
	}
}

/* Further objectives of a trial, of which the odd ones rise with a parameter. */
static void add_others(struct world *w, size_t trial)
{
	if (w->n_others == 0)
		return;
	w->observations[trial].others = trial % 9 == 8 ? NULL : w->others[trial];
	for (size_t j = 1; j < w->n_others; j += 2)
		w->others[trial][j] *= 1 - parameter_encode(&w->parameters[0], w->values[trial][0]);
}

/* A trial that is done with what is known of its limits. */
static void limit(struct world *w, size_t trial)
{
	struct observation *o = &w->observations[trial];

	if (w->n_limits == 0)
		return;
	o->excess = trial % 7 == 6 ? NULL : w->excess[trial];
	for (size_t j = 0; j < w->n_limits; j++)
		if (o->kind == OBSERVATION_DONE && w->excess[trial][j] > 0)
			o->kind = OBSERVATION_OVER_LIMIT;
}

static void make_history(struct world *w)
{
	static const double failing[] = { 0, 0, 0.1, 0.5, 1 };
	const size_t kind = choose(w, 8), n = choose(w, with_chance(w, 0.7) ? 30 : TRIALS_MAX);
	const double part = failing[choose(w, 5)];

	w->n = 0;
	make_limits(w);
	make_others(w);
	while (w->n < n) {
		add_trial(w, kind, part);
		limit(w, w->n - 1);
		add_others(w, w->n - 1);
	}
	w->n_pending = choose(w, with_chance(w, 0.8) ? 3 : PENDING_MAX);
	for (size_t i = 0; i < w->n_pending; i++) {
		draw_configuration(w, w->pending[i]);
		w->pending_rows[i] = w->pending[i];
	}
}

static struct suggest_request make_request(struct world *w)
{
	struct suggest_request request = { .space = &w->space,
		.strategy = &w->strategy,
		.seed = w->seed,
		.number = 1 + (uint32_t)choose(w, 300),
		.budget_trials = 1 + choose(w, 200),
		.parallel = 1 + choose(w, 4),
		.observations = w->observations,
		.n_limits = w->n_limits,
		.n_others = w->n_others,
		.pending = w->pending_rows,
		.n_pending = w->n_pending };

	w->strategy =
		(struct strategy){ .name = with_chance(w, 0.8) ? STRATEGY_BAYESIAN
							       : (enum strategy_name)choose(w, 4),
			.initial = choose(w, 3),
			.grid_points = choose(w, 4) + 1,
			.deterministic = with_chance(w, 0.2),
			.warp = (enum strategy_warp)choose(w, 3),
			.hyperparameters = (enum strategy_hyperparameters)with_chance(w, 0.3),
			.transform = (enum transform_kind)choose(w, 4),
			.acquisition = (enum strategy_acquisition)choose(w, 3),
			.ucb_beta = choose(w, 3),
			.incumbent = (enum strategy_incumbent)choose(w, 5),
			.cost_aware = with_chance(w, 0.3),
			.trust_region = (enum strategy_trust_region)choose(w, 3) };
	if (with_chance(w, 0.3)) {
		request.start = w->start;
		request.n_start = choose(w, with_chance(w, 0.9) ? 30 : 60);
		for (size_t i = 0; i < request.n_start; i++)
			w->start[i] = 20 * random_normal(&w->random);
	}
	if (with_chance(w, 0.3))
		request.work_limit = 1 + choose(w, 3000);
	return request;
}

/* ---- what is asked ---- */

static bool was_tried(const struct world *w, const double *values)
{
	for (size_t i = 0; i < w->n; i++)
		if (space_contains(&w->space, w->values[i]) &&
			space_same(&w->space, w->values[i], values))
			return true;
	for (size_t i = 0; i < w->n_pending; i++)
		if (space_same(&w->space, w->pending[i], values))
			return true;
	return false;
}

/* A space is exhausted if each of its configurations, or of the grid's, was tried. */
static bool is_exhausted(const struct world *w)
{
	const uint64_t size = space_cardinality(&w->space);
	double values[D_MAX];

	for (uint64_t rank = 0; rank < size; rank++) {
		space_configuration(&w->space, rank, values);
		if (!was_tried(w, values))
			return false;
	}
	return size > 0;
}

static void check_weights(struct world *w, const struct suggestion *suggestion)
{
	double sum = 0;

	for (size_t k = 0; k <= SUGGEST_OTHERS_MAX; k++) {
		CHECK(w, suggestion->weights[k] >= 0);
		CHECK(w, k <= w->n_others || suggestion->weights[k] == 0);
		sum += suggestion->weights[k];
	}
	CHECK(w, sum == 0 || (fabs(sum - 1) < 1e-12 && w->n_others > 0 &&
				     suggestion->branch == BRANCH_MODEL));
	CHECK(w,
		w->n_others == 0 || (isnan(suggestion->gain_mean) && isnan(suggestion->incumbent)));
	for (size_t k = 0; k < SUGGEST_OTHERS_MAX; k++)
		CHECK(w,
			(isnan(suggestion->other_means[k]) && isnan(suggestion->other_sds[k])) ||
				(k < w->n_others && !isnan(suggestion->other_means[k]) &&
					suggestion->other_sds[k] >= 0 && !isnan(suggestion->mean)));
}

static void ask(struct world *w, struct suggest_request *request)
{
	struct suggestion first, again;
	struct tuner_error err;

	request->n_observations = w->n;
	if (!suggest(request, &first, &err)) {
		fprintf(stderr, "seed %llu: %s\n", (unsigned long long)w->seed, err.message);
		abort();
	}
	if (first.exhausted) {
		CHECK(w, w->strategy.name == STRATEGY_GRID || is_exhausted(w));
		return;
	}
	CHECK(w, space_contains(&w->space, first.values));
	CHECK(w, !was_tried(w, first.values));
	CHECK(w, first.branch != BRANCH_MODEL || w->n_others > 0 ||
			 (isfinite(first.mean) && first.sd >= 0));
	check_weights(w, &first);
	CHECK(w, isnan(first.limits_probability) ||
			 (first.limits_probability >= 0 && first.limits_probability <= 1));
	CHECK(w, w->n_limits > 0 || isnan(first.limits_probability));
	CHECK(w, suggest(request, &again, &err));
	CHECK(w, memcmp(first.values, again.values, w->space.d * sizeof(double)) == 0);
	request->sequence = first.sequence;
	request->number++;
	memcpy(w->values[w->n], first.values, w->space.d * sizeof(double));
	w->observations[w->n] = (struct observation){ .values = w->values[w->n],
		.objective = draw_objective(w, first.values, 9) };
	limit(w, w->n);
	add_others(w, w->n);
	w->n++;
}

int main(int argc, char **argv)
{
	static struct world world;
	const unsigned long histories = argc > 1 ? strtoul(argv[1], NULL, 10) : all_or(150, 50);
	const unsigned long first = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;

	gsl_set_error_handler_off();
	for (unsigned long seed = first; seed < first + histories; seed++) {
		world.seed = seed;
		random_init(
			&world.random, (struct random_key){ .seed = seed, .purpose = RANDOM_TEST });
		make_space(&world);
		make_priors(&world);
		make_history(&world);
		struct suggest_request request = make_request(&world);

		for (int i = 0; i < ASKS; i++)
			ask(&world, &request);
	}
	printf("%lu histories from seed %lu\n", histories, first);
	return 0;
}
