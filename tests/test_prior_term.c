/* surrogate/prior_term.h: what the user expects as a part of what is maximised, and the search that it leads. */
#include "surrogate/prior_term.h"

#include "fixture_rules.h"
#include "surrogate/prior.h"

enum { D = 3 };

static double weights[] = { 1, 4 };
static struct prior priors[D] = { { .1, .3 }, { 0 }, { .weights = weights } };

/* x is there only with c = 1; y has no prior. */
static void init_rules(struct rules *rules)
{
	const struct parameter parameters[] = { a_float("x", 0, 1), a_float("y", 0, 1),
		a_category("c", 2) };

	rules_init(rules, parameters, D);
	rules_depend(rules, 0, 2, (double[]){ 1 }, 1);
	rules->space.priors = priors;
}

static void finish_rules(struct rules *rules)
{
	rules->space.priors = NULL; /* not allocated */
	rules_finish(rules);
}

static struct prior_term *create(
	const struct columns *columns, size_t n_observations, size_t budget)
{
	const struct suggest_request request = {
		.space = columns->space, .n_observations = n_observations, .budget_trials = budget
	};
	struct prior_term *term = NULL;
	struct tuner_error err;

	if (!prior_term_create(columns, &request, &term, &err))
		fail_msg("%s", err.message);
	return term;
}

static void results_overrule_the_user(void **state)
{
	struct suggest_request request = { .budget_trials = 60, .n_observations = 12 };

	assert_near(prior_term_weight(&request), 0.25, 1e-15);
	request.n_observations = 60;
	assert_near(prior_term_weight(&request), 0.01, 1e-15);
	request.n_observations = 0; /* all are running */
	assert_near(prior_term_weight(&request), 36, 1e-15);
}

/* By a category that is 3.3 times as dense as the other. */
static void priors_lead_while_they_may_halve_what_is_expected(void **state)
{
	const struct parameter parameters[] = { a_category("c", 2) };
	struct prior one[] = { { .weights = weights } };
	struct space space = { 1, (struct parameter *)parameters, .priors = one };
	struct suggest_request request = { .space = &space, .budget_trials = 60 };
	const double range = log((.1 + .9 * 8 / 5) / (.1 + .9 * 2 / 5));

	for (request.n_observations = 1; request.n_observations < 40; request.n_observations++)
		assert_int_equal(
			prior_term_leads(&request), exp(prior_term_weight(&request) * range) > 2);
	request.n_observations = 1;
	space.priors = NULL;
	assert_false(prior_term_leads(&request));
}

static void the_term_is_the_weighted_logarithm_with_its_slopes(void **state)
{
	static const double h = 1e-6, given[D] = { NAN, NAN, NAN };
	struct columns columns;
	struct rules rules;
	struct tuner_error err;

	init_rules(&rules);
	columns_init(&columns, &rules.space, given);
	struct prior_term *prior = create(&columns, 15, 60);
	const struct acquisition_term term = prior_acquisition_term(prior);

	for (size_t i = 0; i < 40; i++) {
		double values[D] = { (double)i / 40, .7, (double)(i % 2) }, x[2 * COLUMNS_MAX],
		       sums[2] = { 5, 5 }, glances[2] = { 5, 5 }, plain[2] = { 5, 5 },
		       gradients[2 * COLUMNS_MAX], end[D];

		space_settle(&rules.space, values);
		assert_true(columns_encode(&columns, values, x));
		memcpy(x + columns.d, x, columns.d * sizeof *x);
		x[columns.d] += h; /* column 0 is x */
		for (size_t k = 0; k < 2 * columns.d; k++)
			gradients[k] = 2;
		assert_true(term.add(term.context, x, 2, sums, gradients, &err));
		assert_true(term.add_glance(term.context, x, 2, glances, &err));
		prior_term_add(prior, x, 2, plain);
		assert_memory_equal(sums, glances, sizeof sums);
		assert_memory_equal(sums, plain, sizeof sums);
		columns_decode(&columns, x, end);
		assert_near(sums[0], 5 + .16 * log(space_prior_density(&rules.space, end)), 1e-12);
		assert_near(gradients[0] - 2, (sums[1] - sums[0]) / h, 1e-4);
		for (size_t k = 1; k < columns.d; k++)
			assert_true(gradients[k] == 2);
	}
	prior_term_destroy(prior);
	finish_rules(&rules);
}

static void without_priors_there_is_no_term(void **state)
{
	static const double given[D] = { NAN, NAN, NAN };
	struct columns columns;
	struct rules rules;

	init_rules(&rules);
	columns_init(&columns, &rules.space, given);
	rules.space.priors = NULL;
	assert_null(create(&columns, 15, 60));
	rules.space.priors = (struct prior[D]){ 0 };
	assert_null(create(&columns, 15, 60));
	finish_rules(&rules);
}

/* ---- the search ---- */

static struct prior both[2];

static void init_bowl(struct job *job, double middle)
{
	const struct parameter parameters[] = { a_float("x", 0, 1), a_float("y", 0, 1) };

	job_init(job, STRATEGY_BAYESIAN, parameters, 2);
	for (size_t i = 0; i < 2; i++)
		both[i] = (struct prior){ middle - .05, middle + .05 };
	job->space.priors = both;
}

static double bowl(const double *x)
{
	return pow(x[0] - .3, 2) + pow(x[1] - .3, 2);
}

static double flat(const double *x)
{
	return sin(3e5 * x[0] + 5e5 * x[1]);
}

/* Of results that say nothing, whatever is maximised. */
static void the_model_goes_where_the_user_points(void **state)
{
	static const enum strategy_acquisition acquisitions[] = { STRATEGY_EI, STRATEGY_UCB,
		STRATEGY_THOMPSON };

	for (size_t a = 0; a < 3; a++) {
		double distances[2] = { 0, 0 };

		for (size_t with = 0; with < 2; with++)
			for (uint64_t seed = 1; seed <= 20; seed++) {
				struct job job;

				init_bowl(&job, .7);
				job.strategy.acquisition = acquisitions[a];
				job.request.seed = seed;
				job_run(&job, flat, 6);
				if (!with)
					job.space.priors = NULL;
				const struct suggestion next = job_ask(&job);

				assert_int_equal(next.branch, BRANCH_MODEL);
				distances[with] +=
					hypot(next.values[0] - .7, next.values[1] - .7) / 20;
			}
		if (!(distances[1] < .75 * distances[0]))
			fail_msg("%s: %g with it, %g without",
				strategy_acquisition_name(acquisitions[a]), distances[1],
				distances[0]);
	}
}

/* The hope that is reported is the results' alone, and comparable from job to job. */
static void what_is_hoped_for_is_without_it(void **state)
{
	struct job job;

	init_bowl(&job, .7);
	job_run(&job, bowl, 12);
	const struct suggestion next = job_ask(&job);

	job.space.priors = NULL;
	job.request.judged = next.values;
	const struct suggestion judged = job_ask(&job);

	assert_int_equal(next.branch, BRANCH_MODEL);
	assert_near(next.acquisition, judged.acquisition, 1e-9);
	assert_true(fabs(next.maximised - judged.maximised) > 1e-3);
}

static void a_right_user_saves_trials_and_a_wrong_one_does_not_win(void **state)
{
	double after_10[3] = { 0 }, after_40[3] = { 0 };
	static const double middles[] = { NAN, .3, .85 };

	for (size_t m = 0; m < 3; m++)
		for (uint64_t seed = 1; seed <= 10; seed++) {
			struct job job;

			init_bowl(&job, middles[m]);
			if (isnan(middles[m]))
				job.space.priors = NULL;
			job.request.seed = seed;
			job_run(&job, bowl, 7);
			after_10[m] += sqrt(job_best(&job)) / 10;
			job_run(&job, bowl, 33);
			after_40[m] += sqrt(job_best(&job)) / 10;
		}
	assert_true(after_10[1] < .5 * after_10[0]);
	for (size_t m = 0; m < 3; m++)
		assert_true(after_40[m] < .02);
}

/* A space that is walked over whole begins where the user says, and ends. */
static void of_a_small_space_the_likely_ones_come_first(void **state)
{
	const struct parameter parameters[] = { an_int("n", 1, 30), a_category("c", 2) };
	static struct prior small[] = { { 20, 23 }, { .weights = weights } };
	struct job job;
	double early = 0, late = 0;

	job_init(&job, STRATEGY_BAYESIAN, parameters, 2);
	job.space.priors = small;
	job.request.budget_trials = 60;
	job_run(&job, flat, 60);
	assert_true(job_ask(&job).exhausted);
	for (size_t i = 0; i < 60; i++)
		*(i < 20 ? &early : &late) += fabs(job.values[i][0] - 21.5) / (i < 20 ? 20 : 40);
	assert_true(early < .7 * late);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_overrule_the_user),
		cmocka_unit_test(priors_lead_while_they_may_halve_what_is_expected),
		cmocka_unit_test(the_term_is_the_weighted_logarithm_with_its_slopes),
		cmocka_unit_test(without_priors_there_is_no_term),
		cmocka_unit_test(the_model_goes_where_the_user_points),
		cmocka_unit_test(what_is_hoped_for_is_without_it),
		cmocka_unit_test(a_right_user_saves_trials_and_a_wrong_one_does_not_win),
		cmocka_unit_test(of_a_small_space_the_likely_ones_come_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
