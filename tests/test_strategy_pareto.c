/* surrogate/suggest.h: strategy bayesian with several objectives. */
#include "surrogate/pareto.h"

#include "base/random.h"
#include "fixture_suggest.h"

enum { TRIALS = 40 };

typedef void objectives_function(const double *values, double *ret);

/* Distances from two corners: the front is the line between them. */
static void corners(const double *values, double *ret)
{
	ret[0] = pow(values[0] - 0.1, 2) + pow(values[1] - 0.2, 2);
	ret[1] = pow(values[0] - 0.9, 2) + pow(values[1] - 0.7, 2);
}

/* Concave (Fonseca and Fleming, 1998), and steep at both ends. */
static void hills(const double *values, double *ret)
{
	double a = 0, b = 0;

	for (size_t k = 0; k < 2; k++) {
		a += pow(4 * values[k] - 2 - M_SQRT1_2, 2);
		b += pow(4 * values[k] - 2 + M_SQRT1_2, 2);
	}
	ret[0] = 1 - exp(-a);
	ret[1] = 1 - exp(-b);
}

/* Three: the front is the triangle between three points. */
static void triangle(const double *values, double *ret)
{
	ret[0] = pow(values[0] - 0.1, 2) + pow(values[1] - 0.2, 2);
	ret[1] = pow(values[0] - 0.9, 2) + pow(values[1] - 0.3, 2);
	ret[2] = pow(values[0] - 0.5, 2) + pow(values[1] - 0.9, 2);
}

static void init(struct job *job, enum strategy_name name, size_t n_others)
{
	const struct parameter parameters[] = { a_float("x", 0, 1), a_float("y", 0, 1) };

	job_init(job, name, parameters, 2);
	job->request.n_others = n_others;
}

static void tell(struct job *job, const double *values, const double *outcome)
{
	job_tell(job, values, outcome[0], OBSERVATION_DONE);
	job_tell_others(job, &outcome[1]);
}

static void run(struct job *job, objectives_function *objectives, size_t n)
{
	double outcome[SUGGEST_OTHERS_MAX + 1];

	for (size_t i = 0; i < n; i++) {
		const struct suggestion suggestion = job_ask(job);

		job_commit(job, &suggestion);
		objectives(suggestion.values, outcome);
		tell(job, suggestion.values, outcome);
	}
}

static void outcomes_of(const struct job *job, double *ret)
{
	const size_t m = job->request.n_others + 1;

	for (size_t i = 0; i < job->request.n_observations; i++) {
		ret[i * m] = job->observations[i].objective;
		memcpy(&ret[i * m + 1], job->others[i], (m - 1) * sizeof *ret);
	}
}

static double hypervolume(const struct job *job, double reference)
{
	const size_t n = job->request.n_observations, m = job->request.n_others + 1;
	const double corner[] = { reference, reference, reference, reference };
	double outcomes[JOB_TRIALS_MAX * (SUGGEST_OTHERS_MAX + 1)], ret;
	struct tuner_error err;

	outcomes_of(job, outcomes);
	if (!pareto_hypervolume(outcomes, n, m, corner, &ret, &err))
		fail_msg("%s", err.message);
	return ret;
}

static void assert_same(const struct suggestion *a, const struct suggestion *b)
{
	assert_memory_equal(a->values, b->values, 2 * sizeof(double));
	assert_memory_equal(&a->maximised, &b->maximised, sizeof(double));
	assert_memory_equal(a->weights, b->weights, sizeof a->weights);
	assert_int_equal(a->work, b->work);
}

/* Every way to choose. */
static const struct strategy ways[] = {
	{ STRATEGY_BAYESIAN },
	{ STRATEGY_BAYESIAN, .incumbent = STRATEGY_INCUMBENT_BEST },
	{ STRATEGY_BAYESIAN, .incumbent = STRATEGY_INCUMBENT_NOISY },
	{ STRATEGY_BAYESIAN, .incumbent = STRATEGY_INCUMBENT_AUGMENTED },
	{ STRATEGY_BAYESIAN, .hyperparameters = STRATEGY_MARGINAL },
	{ STRATEGY_BAYESIAN, .acquisition = STRATEGY_UCB },
	{ STRATEGY_BAYESIAN, .acquisition = STRATEGY_THOMPSON },
	{ STRATEGY_BAYESIAN, .trust_region = STRATEGY_TRUST_REGION_ALWAYS },
};

enum { WAYS = sizeof ways / sizeof *ways };

/* ---- what is found ---- */

struct problem {
	objectives_function *objectives;
	size_t n_others;
	double reference;
	double best; /* hypervolume: of many points of the front */
	double part; /* of what random search leaves of it */
};

static const struct problem problems[] = {
	{ corners, 1, 1, 0.868, 0.35 },
	{ hills, 1, 1.1, 0.5521, 0.35 },
	{ triangle, 2, 0.8, 0.397, 0.55 },
};

static double left(const struct problem *problem, enum strategy_name name, uint64_t seed)
{
	struct job job;

	init(&job, name, problem->n_others);
	job.request.seed = seed;
	run(&job, problem->objectives, TRIALS);
	return problem->best - hypervolume(&job, problem->reference);
}

/* What is left of the best hypervolume, against random search. */
static void the_front_is_found_in_few_trials(void **state)
{
	for (size_t p = 0; p < 3; p++) {
		double ours = 0, random = 0;

		for (uint64_t seed = 1; seed <= 4; seed++) {
			ours += left(&problems[p], STRATEGY_BAYESIAN, seed);
			random += left(&problems[p], STRATEGY_RANDOM, seed);
		}
		if (!(ours > 0 && ours < problems[p].part * random))
			fail_msg("problem %zu: %g, random %g", p, ours / 4, random / 4);
	}
}

/* Each fifth of the line between the corners has a trial that is nearly on it. */
static void all_of_the_front_is_covered(void **state)
{
	struct job job;

	for (uint64_t seed = 1; seed <= 4; seed++) {
		unsigned seen = 0;

		init(&job, STRATEGY_BAYESIAN, 1);
		job.request.seed = seed;
		run(&job, corners, TRIALS);
		for (size_t i = 0; i < TRIALS; i++) {
			const double x = job.values[i][0], y = job.values[i][1];

			if (fabs(y - 0.2 - (x - 0.1) * 0.5 / 0.8) < 0.05 && x > 0.1 && x < 0.9)
				seen |= 1u << (unsigned)((x - 0.1) / 0.16);
		}
		assert_int_equal(seen, 31);
	}
}

/* Random search leaves some .08 of it. */
static void every_way_of_choosing_finds_it(void **state)
{
	struct job job;

	for (size_t way = 0; way < WAYS; way++) {
		double left_over = 0;

		for (uint64_t seed = 1; seed <= 4; seed++) {
			init(&job, STRATEGY_BAYESIAN, 1);
			job.strategy = ways[way];
			job.request.seed = seed;
			run(&job, corners, 25);
			left_over += (problems[0].best - hypervolume(&job, 1)) / 4;
		}
		if (!(left_over < (ways[way].acquisition == STRATEGY_THOMPSON ? 0.065 : 0.04)))
			fail_msg("way %zu: %g", way, left_over);
	}
}

/* The main objective's best and the other's, nearly: neither of which a spread-out design has. */
static void the_ends_of_the_front_are_reached(void **state)
{
	struct job job;

	for (size_t way = 0; way < WAYS; way++) {
		double least = INFINITY, least_other = INFINITY;

		if (ways[way].acquisition == STRATEGY_THOMPSON)
			continue;
		init(&job, STRATEGY_BAYESIAN, 1);
		job.strategy = ways[way];
		run(&job, corners, TRIALS);
		for (size_t i = 0; i < TRIALS; i++) {
			least = fmin(least, job.observations[i].objective);
			least_other = fmin(least_other, job.others[i][0]);
		}
		if (!(least < 0.01 && least_other < 0.01))
			fail_msg("way %zu: %g %g", way, least, least_other);
	}
}

/* Beyond 30 numbers in a box around the best by the present weights, on each side of the front. */
static void many_numbers_are_moved_near_the_front(void **state)
{
	enum { D = 34 };
	struct parameter parameters[D];
	double first = INFINITY, last = -INFINITY;
	struct job job;

	for (size_t k = 0; k < D; k++) {
		parameters[k] = a_float("x", 0, 1);
		snprintf(parameters[k].name, sizeof parameters[k].name, "x%zu", k);
	}
	job_init(&job, STRATEGY_BAYESIAN, parameters, D);
	job.request.n_others = 1;
	run(&job, corners, TRIALS);
	for (size_t i = 20; i < TRIALS; i++) {
		first = fmin(first, job.values[i][0]);
		last = fmax(last, job.values[i][0]);
	}
	assert_true(first < 0.4 && last > 0.6);
}

/* Nothing succeeds one objective's best, so no region ends. */
static void a_trust_region_never_begins_anew(void **state)
{
	struct job job;

	init(&job, STRATEGY_BAYESIAN, 1);
	job.strategy.trust_region = STRATEGY_TRUST_REGION_ALWAYS;
	for (size_t i = 0; i < 60; i++) {
		const struct suggestion s = job_ask(&job);

		assert_true(i < 6 || s.branch == BRANCH_MODEL);
		job_commit(&job, &s);
		tell(&job, s.values, (double[]){ i < 6 ? s.values[0] : 1, 1 });
	}
}

/* ---- what is said ---- */

/* Where all objectives are one to the model. */
static void every_suggestion_has_weights_of_its_own(void **state)
{
	double before[SUGGEST_OTHERS_MAX + 1] = { 0 };
	struct job job;

	init(&job, STRATEGY_BAYESIAN, 2);
	job.strategy.acquisition = STRATEGY_UCB;
	run(&job, triangle, 8);
	for (size_t i = 0; i < 8; i++) {
		const struct suggestion s = job_ask(&job);

		assert_int_equal(s.branch, BRANCH_MODEL);
		assert_near(s.weights[0] + s.weights[1] + s.weights[2], 1, 1e-15);
		assert_true(s.weights[3] == 0);
		assert_memory_not_equal(s.weights, before, sizeof before);
		memcpy(before, s.weights, sizeof before);
		run(&job, triangle, 1);
	}
}

/* As if there were noise: what is nearby has no part in it. */
static void noisy_corners(const double *values, double *ret)
{
	corners(values, ret);
	ret[0] += 0.2 * sin(1e6 * values[0]);
	ret[1] += 0.2 * sin(1e6 * values[1]);
}

static double maximised_for(struct job *job, enum strategy_incumbent incumbent)
{
	job->strategy.incumbent = incumbent;
	return job_ask(job).maximised;
}

/* As with one objective (strategy_incumbent_is_augmented): a gain counts for less where one more
 * trial would tell little. */
static void noise_takes_from_the_gain(void **state)
{
	struct job job;

	init(&job, STRATEGY_BAYESIAN, 1);
	run(&job, noisy_corners, 30);
	const double augmented = maximised_for(&job, STRATEGY_INCUMBENT_AUGMENTED);

	assert_true(augmented < maximised_for(&job, STRATEGY_INCUMBENT_MEAN));
	assert_true(augmented == maximised_for(&job, STRATEGY_INCUMBENT_AUTO));

	init(&job, STRATEGY_BAYESIAN, 1);
	run(&job, corners, 30);
	assert_true(maximised_for(&job, STRATEGY_INCUMBENT_AUTO) ==
		    maximised_for(&job, STRATEGY_INCUMBENT_MEAN));
}

/* Each objective's own model predicts it; one of all does not. */
static void each_objective_is_predicted_by_its_model(void **state)
{
	struct job job;
	double outcome[2];

	for (size_t way = 0; way < WAYS; way++) {
		init(&job, STRATEGY_BAYESIAN, 1);
		run(&job, corners, 30);
		job.strategy = ways[way];
		const struct suggestion s = job_ask(&job);
		const bool by_front = s.weights[0] == 0;

		assert_int_equal(s.branch, BRANCH_MODEL);
		corners(s.values, outcome);
		assert_true(by_front ? fabs(s.mean - outcome[0]) < 4 * s.sd + 1e-3 : isnan(s.mean));
		assert_true(
			by_front ? fabs(s.other_means[0] - outcome[1]) < 4 * s.other_sds[0] + 1e-3
				 : isnan(s.other_means[0]) && isnan(s.other_sds[0]));
		assert_true(!by_front || (s.sd < 0.1 && s.other_sds[0] < 0.1));
		assert_true(isnan(s.other_means[1]) && isnan(s.other_sds[2]));
	}
}

static void of_gains_nothing_is_said(void **state)
{
	struct job job;

	for (size_t way = 0; way < WAYS; way++) {
		init(&job, STRATEGY_BAYESIAN, 1);
		run(&job, corners, 12);
		job.strategy = ways[way];
		const struct suggestion s = job_ask(&job);

		assert_int_equal(s.branch, BRANCH_MODEL);
		assert_true(isnan(s.incumbent));
		assert_true(isnan(s.gain_mean) && isnan(s.gain_sd) && isnan(s.acquisition));
		assert_true(isfinite(s.maximised) || ways[way].acquisition == STRATEGY_THOMPSON);
		assert_true(s.n_hyperparameters > 0);
	}
}

static void without_one_model_of_all_there_are_no_weights(void **state)
{
	static const double none[SUGGEST_OTHERS_MAX + 1];
	struct job job;

	init(&job, STRATEGY_BAYESIAN, 1);
	struct suggestion s = job_ask(&job);

	assert_int_equal(s.branch, BRANCH_DESIGN);
	assert_memory_equal(s.weights, none, sizeof none);
	run(&job, corners, 12);
	s = job_ask(&job);
	assert_int_equal(s.branch, BRANCH_MODEL);
	assert_memory_equal(s.weights, none, sizeof none);
	job.strategy.acquisition = STRATEGY_UCB;
	job.request.without_model = true;
	s = job_ask(&job);
	assert_int_equal(s.branch, BRANCH_FALLBACK);
	assert_memory_equal(s.weights, none, sizeof none);
	job.request.without_model = false;
	job.request.n_others = 0;
	s = job_ask(&job);
	assert_int_equal(s.branch, BRANCH_MODEL);
	assert_memory_equal(s.weights, none, sizeof none);
}

/* To continue from: those of each objective's model. */
static void hyperparameters_are_those_of_all_models(void **state)
{
	struct suggestion s, alone;
	struct job job;

	init(&job, STRATEGY_BAYESIAN, 2);
	job.strategy.transform = TRANSFORM_WINSOR;
	run(&job, triangle, 12);
	job.request.start = NULL;
	job.request.n_start = 0;
	s = job_ask(&job);
	assert_int_equal(s.n_hyperparameters, 3 * 3);
	job.request.n_others = 0;
	alone = job_ask(&job);
	assert_int_equal(alone.n_hyperparameters, 3);
	assert_memory_equal(s.hyperparameters, alone.hyperparameters, 3 * sizeof(double));
	for (size_t i = 0; i < job.request.n_observations; i++)
		job.observations[i].objective = job.others[i][1];
	alone = job_ask(&job);
	assert_memory_equal(&s.hyperparameters[6], alone.hyperparameters, 3 * sizeof(double));
	/* The next fit of each begins there. */
	job.request.start = alone.hyperparameters;
	job.request.n_start = 3;
	const struct suggestion next = job_ask(&job);

	for (size_t i = 0; i < job.request.n_observations; i++) {
		double outcome[3];
		triangle(job.values[i], outcome);
		job.observations[i].objective = outcome[0];
	}
	job.request.n_others = 2;
	job.request.start = s.hyperparameters;
	job.request.n_start = 9;
	s = job_ask(&job);
	assert_memory_equal(&s.hyperparameters[6], next.hyperparameters, 3 * sizeof(double));
}

/* As when a decision is recomputed. */
static void what_was_chosen_is_judged_by_the_same_models(void **state)
{
	struct job job;

	init(&job, STRATEGY_BAYESIAN, 2);
	run(&job, triangle, 12);
	const struct suggestion s = job_ask(&job);

	job.request.judged = s.values;
	const struct suggestion fitted = job_ask(&job);

	job.request.judged_at = s.hyperparameters;
	job.request.n_judged_at = s.n_hyperparameters;
	const struct suggestion again = job_ask(&job);

	assert_int_equal(again.work_fit, 3);
	assert_memory_equal(again.hyperparameters, s.hyperparameters, 9 * sizeof(double));
	assert_true(again.maximised == s.maximised);
	assert_true(isnan(s.log_posterior));
	assert_near(again.log_posterior, fitted.log_posterior, 1e-9);
	/* By each alone. */
	double sum = 0;

	job.request.n_others = 0;
	job.request.n_judged_at = 3;
	job.strategy.transform = TRANSFORM_WINSOR;
	for (size_t k = 0; k < 3; k++) {
		for (size_t i = 0; k > 0 && i < job.request.n_observations; i++)
			job.observations[i].objective = job.others[i][k - 1];
		job.request.judged_at = &s.hyperparameters[3 * k];
		sum += job_ask(&job).log_posterior;
	}
	assert_near(sum, again.log_posterior, 1e-9);
}

static void beyond_a_models_rows_the_objectives_are_one(void **state)
{
	static struct job job;
	struct random random;

	random_init(&random, (struct random_key){ .purpose = RANDOM_TEST });
	for (size_t n = 1024; n <= 1025; n++) {
		init(&job, STRATEGY_BAYESIAN, 1);
		for (size_t i = 0; i < n; i++) {
			const double values[] = { random_uniform(&random),
				random_uniform(&random) };
			double outcome[2];

			corners(values, outcome);
			tell(&job, values, outcome);
		}
		const struct suggestion s = job_ask(&job);

		assert_int_equal(s.branch, BRANCH_MODEL);
		assert_near(s.weights[0] + s.weights[1], n > 1024, 1e-15);
	}
}

/* Its hyperparameters belong to a scalar that was another each time. */
static void one_model_of_all_is_fitted_each_time(void **state)
{
	struct job job;

	init(&job, STRATEGY_BAYESIAN, 1);
	job.strategy.acquisition = STRATEGY_UCB;
	run(&job, corners, 40);
	for (size_t i = 0; i < 6; i++) {
		assert_true(job_ask(&job).work_fit > 1);
		job.request.number++;
	}
}

/* ---- the request ---- */

static void the_same_request_has_the_same_answer(void **state)
{
	static const double pending[] = { 0.35, 0.2 };
	struct job job, copy;

	for (size_t way = 0; way < WAYS; way++) {
		init(&job, STRATEGY_BAYESIAN, 2);
		run(&job, triangle, 15);
		job.strategy = ways[way];
		job.pending[job.request.n_pending++] = pending;
		init(&copy, STRATEGY_BAYESIAN, 2);
		run(&copy, triangle, 15);
		copy.strategy = ways[way];
		copy.pending[copy.request.n_pending++] = pending;
		const struct suggestion a = job_ask(&job), b = job_ask(&copy);

		assert_same(&a, &b);
	}
}

static void a_unit_of_a_power_of_two_changes_no_bit(void **state)
{
	struct job job;

	init(&job, STRATEGY_BAYESIAN, 1);
	run(&job, hills, 15);
	const struct suggestion before = job_ask(&job);

	for (size_t i = 0; i < job.request.n_observations; i++) {
		job.observations[i].objective *= 0x1p-30;
		job.others[i][0] *= 1024;
	}
	const struct suggestion after = job_ask(&job);

	assert_same(&before, &after);
}

static void one_objective_is_judged_alone_where_others_are_not_asked_for(void **state)
{
	static const double judged[] = { 0.35, 0.2 };
	struct job job, alone;

	init(&job, STRATEGY_BAYESIAN, 1);
	run(&job, corners, 15);
	job.request.n_others = 0;
	job.request.start = NULL;
	job.request.n_start = 0;
	job.request.judged = judged;
	alone = job;
	alone.request.observations = alone.observations;
	alone.request.space = &alone.space;
	alone.request.strategy = &alone.strategy;
	alone.space.parameters = alone.parameters;
	for (size_t i = 0; i < alone.request.n_observations; i++)
		alone.observations[i].others = NULL;
	const struct suggestion a = job_ask(&job), b = job_ask(&alone);

	assert_same(&a, &b);
	assert_memory_equal(&a.mean, &b.mean, sizeof a.mean);
	assert_near(a.mean, pow(0.25, 2), 0.02);
}

/* But it is not tried again. */
static void what_is_not_known_of_all_objectives_teaches_nothing(void **state)
{
	static const double unknown[] = { NAN }, some[] = { 0.2 };
	struct job job;

	for (int kind = 0; kind < 3; kind++) {
		init(&job, STRATEGY_BAYESIAN, 1);
		run(&job, corners, 15);
		const struct suggestion before = job_ask(&job);

		job_tell(&job, (double[]){ 0.02, 0.98 }, -3,
			kind == 2 ? OBSERVATION_STOPPED : OBSERVATION_DONE);
		if (kind > 0)
			job_tell_others(&job, kind == 1 ? unknown : some);
		job.request.number--;
		const struct suggestion after = job_ask(&job);

		assert_same(&before, &after);
		job_tell(&job, before.values, -3,
			kind == 2 ? OBSERVATION_STOPPED : OBSERVATION_DONE);
		job.request.number--;
		const struct suggestion other = job_ask(&job);

		assert_memory_not_equal(other.values, before.values, 2 * sizeof(double));
	}
}

static void the_work_limit_is_kept(void **state)
{
	struct job job;

	for (uint64_t limit = 50; limit <= 800; limit *= 4) {
		init(&job, STRATEGY_BAYESIAN, 2);
		run(&job, triangle, 20);
		job.request.work_limit = limit;
		const struct suggestion s = job_ask(&job);

		assert_int_equal(s.branch, BRANCH_MODEL);
		assert_true(s.work <= limit + 64);
	}
}

static void too_many_objectives_are_an_error(void **state)
{
	struct suggestion suggestion;
	struct tuner_error err;
	struct job job;

	init(&job, STRATEGY_RANDOM, SUGGEST_OTHERS_MAX + 1);
	assert_false(suggest(&job.request, &suggestion, &err));
	assert_int_equal(err.code, TUNER_USAGE);
}

static void other_strategies_ask_for_no_objective(void **state)
{
	static const enum strategy_name names[] = { STRATEGY_RANDOM, STRATEGY_SOBOL,
		STRATEGY_GRID };
	struct job job;

	for (size_t i = 0; i < 3; i++) {
		init(&job, names[i], 1);
		run(&job, corners, 10);
		const struct suggestion with = job_ask(&job);

		job.request.n_others = 0;
		const struct suggestion without = job_ask(&job);

		assert_same(&with, &without);
	}
}

/* ---- with all the rest ---- */

static void workers_do_not_all_try_the_same(void **state)
{
	double distance = INFINITY;
	struct job job;

	init(&job, STRATEGY_BAYESIAN, 1);
	run(&job, corners, 20);
	job.request.parallel = 4;
	for (size_t i = 0; i < 4; i++) {
		const struct suggestion s = job_ask(&job);
		double *values = job.values[100 + i];

		memcpy(values, s.values, 2 * sizeof *values);
		for (size_t j = 0; j < i; j++)
			distance = fmin(distance, hypot(values[0] - job.values[100 + j][0],
							  values[1] - job.values[100 + j][1]));
		job.pending[job.request.n_pending++] = values;
		job.request.number++;
	}
	assert_true(distance > 1e-3);
}

/* Only the front's left part is allowed: there alone it is looked for, after a trial within. */
static void limits_are_kept(void **state)
{
	double outcome[2];
	size_t within = 0;
	struct job job;

	for (int all_over = 0; all_over <= 1; all_over++) {
		init(&job, STRATEGY_BAYESIAN, 1);
		job.request.n_limits = 1;
		for (size_t i = 0; i < 30; i++) {
			struct suggestion s = job_ask(&job);

			if (s.branch == BRANCH_DESIGN && all_over)
				s.values[0] = 0.5 + 0.5 * s.values[0];
			const double excess = s.values[0] - 0.45;

			job_commit(&job, &s);
			corners(s.values, outcome);
			job_tell_limited(&job, s.values, outcome[0], &excess);
			job_tell_others(&job, &outcome[1]);
			if (s.branch == BRANCH_MODEL) {
				assert_true(s.limits_probability >= 0);
				assert_true(isnan(s.gain_mean));
				within += excess <= 0;
			}
		}
	}
	assert_true(within > 30);
}

static void a_finite_space_is_exhausted(void **state)
{
	const struct parameter parameter = an_int("n", 1, 9);
	bool seen[10] = { false };
	struct job job;

	job_init(&job, STRATEGY_BAYESIAN, &parameter, 1);
	job.request.n_others = 1;
	for (size_t i = 0; i < 9; i++) {
		const struct suggestion s = job_ask(&job);

		assert_false(s.exhausted);
		assert_false(seen[(size_t)s.values[0]]);
		seen[(size_t)s.values[0]] = true;
		tell(&job, s.values, (double[]){ s.values[0], pow(s.values[0] - 5, 2) });
	}
	assert_true(job_ask(&job).exhausted);
}

static struct suggestion ask_after(double objective, double other, enum observation_kind kind)
{
	struct job job;

	init(&job, STRATEGY_BAYESIAN, 1);
	for (size_t i = 0; i < 8; i++) {
		const double u = (double)i / 8;

		job_tell(&job, (double[]){ u, 1 - u * u }, objective, kind);
		job_tell_others(&job, &other);
	}
	return job_ask(&job);
}

static void histories_without_a_front_are_survived(void **state)
{
	assert_int_equal(ask_after(1, 2, OBSERVATION_DONE).branch, BRANCH_MODEL);
	assert_int_equal(ask_after(1, 2, OBSERVATION_FAILED).branch, BRANCH_FALLBACK);
	assert_int_equal(ask_after(1, 2, OBSERVATION_STOPPED).branch, BRANCH_FALLBACK);
	assert_int_equal(ask_after(1, NAN, OBSERVATION_DONE).branch, BRANCH_FALLBACK);
	assert_int_equal(ask_after(NAN, 1, OBSERVATION_DONE).branch, BRANCH_FALLBACK);
	assert_int_equal(ask_after(1, INFINITY, OBSERVATION_DONE).branch, BRANCH_MODEL);
	assert_int_equal(ask_after(-INFINITY, 1, OBSERVATION_DONE).branch, BRANCH_FALLBACK);
	assert_int_equal(ask_after(1, -INFINITY, OBSERVATION_DONE).branch, BRANCH_MODEL);
	assert_int_equal(ask_after(1, 2, OBSERVATION_OVER_LIMIT).branch, BRANCH_FALLBACK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_front_is_found_in_few_trials),
		cmocka_unit_test(all_of_the_front_is_covered),
		cmocka_unit_test(every_way_of_choosing_finds_it),
		cmocka_unit_test(the_ends_of_the_front_are_reached),
		cmocka_unit_test(many_numbers_are_moved_near_the_front),
		cmocka_unit_test(a_trust_region_never_begins_anew),
		cmocka_unit_test(every_suggestion_has_weights_of_its_own),
		cmocka_unit_test(noise_takes_from_the_gain),
		cmocka_unit_test(each_objective_is_predicted_by_its_model),
		cmocka_unit_test(of_gains_nothing_is_said),
		cmocka_unit_test(without_one_model_of_all_there_are_no_weights),
		cmocka_unit_test(hyperparameters_are_those_of_all_models),
		cmocka_unit_test(what_was_chosen_is_judged_by_the_same_models),
		cmocka_unit_test(beyond_a_models_rows_the_objectives_are_one),
		cmocka_unit_test(one_model_of_all_is_fitted_each_time),
		cmocka_unit_test(the_same_request_has_the_same_answer),
		cmocka_unit_test(a_unit_of_a_power_of_two_changes_no_bit),
		cmocka_unit_test(one_objective_is_judged_alone_where_others_are_not_asked_for),
		cmocka_unit_test(what_is_not_known_of_all_objectives_teaches_nothing),
		cmocka_unit_test(the_work_limit_is_kept),
		cmocka_unit_test(too_many_objectives_are_an_error),
		cmocka_unit_test(other_strategies_ask_for_no_objective),
		cmocka_unit_test(workers_do_not_all_try_the_same),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(a_finite_space_is_exhausted),
		cmocka_unit_test(histories_without_a_front_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
