/* surrogate/prior.h: where the user expects good values, as a density and as draws; and the strategies that draw by it. */
#include "surrogate/prior.h"

#include "fixture_rules.h"

#include <gsl/gsl_cdf.h>

enum { CASES = 7, STEPS = 200000 };

static double weights[] = { 1, 3, 1, 0.5 };

static const struct fixture_case {
	const char *name;
	struct parameter parameter;
	struct prior prior;
} cases[CASES] = {
	{ "a float", { .type = PARAMETER_FLOAT, .scale = SCALE_LINEAR, .min = -2, .max = 6 },
		{ 1, 2 } },
	{ "on a log scale", { .type = PARAMETER_FLOAT, .scale = SCALE_LOG, .min = 1e-5, .max = 1 },
		{ 1e-3, 1e-2 } },
	{ "at the edge", { .type = PARAMETER_FLOAT, .scale = SCALE_LINEAR, .max = 1 },
		{ 0, 0.02 } },
	{ "the whole range", { .type = PARAMETER_FLOAT, .scale = SCALE_LINEAR, .max = 1 },
		{ 0, 1 } },
	{ "an int", { .type = PARAMETER_INT, .scale = SCALE_LINEAR, .min = 1, .max = 9 },
		{ 3, 4 } },
	{ "an ordinal", { .type = PARAMETER_ORDINAL, .scale = SCALE_LINEAR, .n_values = 5 },
		{ 3, 4 } },
	{ "a category", { .type = PARAMETER_CATEGORICAL, .scale = SCALE_LINEAR, .n_values = 4 },
		{ .weights = weights } },
};

static struct prior_density density_of(const struct fixture_case *c)
{
	struct prior_density density;

	prior_density_init(&c->parameter, &c->prior, &density);
	return density;
}

/* The integral of p from a to b by midpoints; no step crosses a category's edge, where p jumps. */
static double integral(const struct prior_density *density, double a, double b)
{
	double sum = 0;

	for (size_t i = 0; i < STEPS; i++)
		sum += exp(
			prior_log_density(density, a + (b - a) * ((double)i + .5) / STEPS, NULL));
	return sum * (b - a) / STEPS;
}

static void the_density_integrates_to_one(void **state)
{
	for (size_t i = 0; i < CASES; i++) {
		const struct prior_density density = density_of(&cases[i]);

		if (fabs(integral(&density, 0, 1) - 1) > 1e-7)
			fail_msg("%s: %.9g", cases[i].name, integral(&density, 0, 1));
	}
}

/* Inside of its bounds a normal's sd to both sides holds .6827 of it. */
static void two_thirds_are_between_low_and_high(void **state)
{
	const struct prior_density density = density_of(&cases[1]);
	const double a = parameter_encode(&cases[1].parameter, 1e-3);
	const double b = parameter_encode(&cases[1].parameter, 1e-2);
	const double within = gsl_cdf_ugaussian_P(1) - gsl_cdf_ugaussian_P(-1);

	assert_near(a, 0.4, 1e-12);
	assert_near(b, 0.6, 1e-12);
	/* .5 of [0, 1] to both sides are five sd. */
	assert_near(integral(&density, a, b), .1 * .2 + .9 * within, 1e-6);
	assert_near(integral(&density, 0, .5), .5, 1e-6);
}

static void the_slope_is_the_densitys(void **state)
{
	static const double h = 1e-6;

	for (size_t i = 0; i < CASES - 1; i++) {
		const struct prior_density density = density_of(&cases[i]);

		for (double u = 0.005; u < 1; u += 0.01) {
			double slope;

			prior_log_density(&density, u, &slope);
			assert_near(slope,
				(prior_log_density(&density, u + h, NULL) -
					prior_log_density(&density, u - h, NULL)) /
					(2 * h),
				1e-5 * (1 + fabs(slope)));
		}
	}
}

/* Weights of 1, 3, 1 and .5, a tenth of all even. */
static void categories_weigh_what_the_user_says(void **state)
{
	const struct prior_density density = density_of(&cases[CASES - 1]);
	double slope = 7;

	for (size_t k = 0; k < 4; k++)
		assert_near(prior_log_density(&density, ((double)k + .5) / 4, &slope),
			log(.1 + .9 * 4 * weights[k] / 5.5), 1e-12);
	assert_true(slope == 0);
}

/* An even draw below u becomes one below the point up to which p has the integral u. */
static void spread_draws_have_the_density(void **state)
{
	for (size_t i = 0; i < CASES; i++) {
		const struct prior_density density = density_of(&cases[i]);
		double last = 0;

		for (double u = 0; u < 1; u += 1. / 64) {
			const double x = prior_spread(&cases[i].parameter, &cases[i].prior, u);

			if (!(x >= last && x >= 0 && x < 1))
				fail_msg("%s: %.17g of %.17g", cases[i].name, x, u);
			if (fabs(integral(&density, 0, x) - u) > 2e-5)
				fail_msg("%s: %g of %g has %g below it", cases[i].name, x, u,
					integral(&density, 0, x));
			last = x;
		}
		assert_true(prior_spread(&cases[i].parameter, &cases[i].prior, 1 - 0x1p-53) <= 1);
	}
}

/* By GSL's normal, for wide and narrow priors in the middle and at the ends. */
static void quantiles_are_exact(void **state)
{
	static const double widths[] = { 1, .3, .03, 1e-3, 1e-5 };
	const struct parameter parameter = a_float("x", 0, 1);
	struct random random;

	random_init(&random, (struct random_key){ .seed = 2, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < 20000; i++) {
		const double width = widths[i % 5], low = random_uniform(&random) * (1 - width);
		const struct prior prior = { .low = i % 7 == 0 ? 0 : low, .high = low + width };
		const double u = random_uniform(&random), x = prior_spread(&parameter, &prior, u);
		const double mean = (prior.low + prior.high) / 2, sd = (prior.high - prior.low) / 2;
		const double below = gsl_cdf_ugaussian_P(-mean / sd);
		const double part = (gsl_cdf_ugaussian_P((x - mean) / sd) - below) /
				    (gsl_cdf_ugaussian_P((1 - mean) / sd) - below);

		assert_true(x >= 0 && x < 1);
		assert_near(PRIOR_EVEN * x + (1 - PRIOR_EVEN) * part, u, 1e-10);
	}
}

static void values_that_can_hardly_be_told_apart_are_a_prior_too(void **state)
{
	const struct parameter parameter = a_float("x", -1e6, 1e6);
	const struct prior prior = { .low = 1e-12, .high = 2e-12 };
	struct prior_density density;
	double slope;

	prior_density_init(&parameter, &prior, &density);
	assert_true(prior_log_density(&density, .5, &slope) > 10 && isfinite(slope));
	assert_near(prior_log_density(&density, .25, &slope), log(PRIOR_EVEN), 1e-12);
	assert_true(slope == 0);
	assert_near(prior_spread(&parameter, &prior, .5), .5, 1e-5);
}

static void without_a_prior_nothing_moves(void **state)
{
	const struct prior none = { 0 };
	struct space space = { 1, (struct parameter *)&cases[0].parameter };
	const double value = 3;

	assert_false(prior_is_given(&none));
	assert_false(space_has_priors(&space));
	assert_true(prior_spread(&cases[0].parameter, &none, 0.3) == 0.3);
	assert_true(space_prior_density(&space, &value) == 1);
	space.priors = (struct prior *)&none;
	assert_false(space_has_priors(&space));
	assert_true(space_prior_density(&space, &value) == 1);
}

/* What is not active has no part in it. */
static void a_configurations_density_is_that_of_its_active_parameters(void **state)
{
	const struct parameter parameters[] = { a_float("x", 0, 1), a_category("c", 4) };
	struct prior priors[] = { { .1, .3 }, { .weights = weights } };
	struct prior_density density;
	struct rules rules;
	double x[2] = { .2, 1 };

	rules_init(&rules, parameters, 2);
	rules_depend(&rules, 0, 1, (double[]){ 1 }, 1);
	rules.space.priors = priors;
	prior_density_init(&parameters[0], &priors[0], &density);
	const double of_number = exp(prior_log_density(&density, .2, NULL));

	assert_true(of_number > 3);
	assert_near(space_prior_density(&rules.space, x), (.1 + .9 * 12 / 5.5) * of_number, 1e-12);
	x[1] = 3;
	space_settle(&rules.space, x);
	assert_near(space_prior_density(&rules.space, x), .1 + .9 * 2 / 5.5, 1e-12);
	rules.space.priors = NULL; /* not allocated */
	rules_finish(&rules);
}

/* Over the whole of each parameter, by looking. */
static void the_range_is_from_the_least_to_the_most_likely(void **state)
{
	struct parameter parameters[CASES];
	struct prior priors[CASES];
	struct space space = { CASES, parameters };
	double sum = 0;

	assert_true(space_prior_range(&space) == 0);
	for (size_t i = 0; i < CASES; i++) {
		const struct prior_density density = density_of(&cases[i]);
		double least = INFINITY, most = -INFINITY;

		for (size_t k = 0; k <= 4000; k++) {
			const double p = prior_log_density(&density, (double)k / 4000, NULL);
			least = fmin(least, p);
			most = fmax(most, p);
		}
		parameters[i] = cases[i].parameter;
		priors[i] = cases[i].prior;
		sum += most - least;
	}
	space.priors = priors;
	assert_near(space_prior_range(&space), sum, 1e-4);
}

/* ---- the strategies that draw ---- */

static void init_job(struct job *job, enum strategy_name name)
{
	const struct parameter parameters[] = { a_float("x", 0, 1), a_category("c", 4) };
	static struct prior priors[] = { { .1, .2 }, { .weights = weights } };

	job_init(job, name, parameters, 2);
	job->space.priors = priors;
}

/* The parts of the trials that are between .1 and .2, and that have category 1. */
static void parts(const struct job *job, double *ret_between, double *ret_category)
{
	const size_t n = job->request.n_observations;

	*ret_between = *ret_category = 0;
	for (size_t i = 0; i < n; i++) {
		*ret_between += (job->values[i][0] >= .1 && job->values[i][0] <= .2) / (double)n;
		*ret_category += (job->values[i][1] == 1) / (double)n;
	}
}

static double nothing(const double *values)
{
	return values[0];
}

static void random_search_draws_by_the_prior(void **state)
{
	struct job job;
	double between, category;

	init_job(&job, STRATEGY_RANDOM);
	job_run(&job, nothing, 1000);
	parts(&job, &between, &category);
	/* .15 from the lower bound: three sd. A sd of a thousand draws is .015. */
	assert_near(between, .1 * .1 + .9 * (.6827 / .9987), .06);
	assert_near(category, .1 / 4 + .9 * 3 / 5.5, .06);
}

/* A user may be wrong, so half of the points are even. */
static void one_in_two_of_a_sequence_follows_the_prior(void **state)
{
	const double by_prior = .1 * .1 + .9 * (.6827 / .9987);
	struct job job;
	double between, category;

	init_job(&job, STRATEGY_SOBOL);
	job_run(&job, nothing, 512);
	parts(&job, &between, &category);
	assert_near(between, (.1 + by_prior) / 2, .01);
	assert_near(category, (.25 + .1 / 4 + .9 * 3 / 5.5) / 2, .01);
}

/* In every pair one, whose coordinates are those of the sequence without priors but for their place. */
static void the_other_half_is_as_without_it(void **state)
{
	struct job with, without;
	size_t same = 0;

	init_job(&with, STRATEGY_SOBOL);
	init_job(&without, STRATEGY_SOBOL);
	without.space.priors = NULL;
	job_run(&with, nothing, 64);
	job_run(&without, nothing, 64);
	for (size_t i = 0; i < 64; i++)
		same += with.values[i][0] == without.values[i][0];
	assert_int_equal(same, 32);
}

/* A draw in 2,000 is allowed, and by the priors, which are all elsewhere, one in 2,000,000. */
static void a_prior_against_the_constraints_ends_no_random_search(void **state)
{
	const struct parameter parameters[] = { a_float("a", 0, 1), a_float("b", 0, 1),
		a_float("c", 0, 1) };
	struct prior priors[] = { { .1, .12 }, { .1, .12 }, { .1, .12 } };
	struct rules rules;
	struct job job;

	rules_init(&rules, parameters, 3);
	rules_constrain(&rules, "min(min(a, b), c) > .92");
	rules.space.priors = priors;
	job_init_rules(&job, STRATEGY_RANDOM, &rules);
	job_run(&job, nothing, 2);
	for (size_t i = 0; i < 2; i++)
		assert_true(space_broken_constraint(&job.space, job.values[i]) == NULL);
	rules.space.priors = NULL;
	rules_finish(&rules);
}

/* With category 0 there is one configuration; with 1, which few draws have, any number. */
static void a_prior_for_one_configuration_ends_no_random_search(void **state)
{
	const struct parameter parameters[] = { a_float("x", 0, 1), a_category("c", 2) };
	static double first[] = { 1000, 1 };
	struct prior priors[] = { { 0 }, { .weights = first } };
	struct rules rules;
	struct job job;

	rules_init(&rules, parameters, 2);
	rules_depend(&rules, 0, 1, (double[]){ 1 }, 1);
	rules.space.priors = priors;
	job_init_rules(&job, STRATEGY_RANDOM, &rules);
	job_run(&job, nothing, 200);
	for (job.request.number = 201; job.request.number < 400; job.request.number++)
		assert_false(job_ask(&job).exhausted);
	rules.space.priors = NULL;
	rules_finish(&rules);
}

static void a_finite_space_with_priors_is_exhausted(void **state)
{
	static double first[] = { 1000, 1 };
	struct prior priors[5] = { { .weights = first } };
	struct rules rules;
	struct job job;

	rules_finite(&rules);
	rules.space.priors = priors;
	job_init_rules(&job, STRATEGY_RANDOM, &rules);
	job_run(&job, nothing, FINITE_CONFIGURATIONS);
	assert_true(job_ask(&job).exhausted);
	rules.space.priors = NULL;
	rules_finish(&rules);
}

static void what_is_given_is_given(void **state)
{
	const double partial[] = { .9, NAN };
	struct job job;

	init_job(&job, STRATEGY_RANDOM);
	job.request.partial = partial;
	for (job.request.number = 1; job.request.number < 20; job.request.number++)
		assert_true(job_ask(&job).values[0] == .9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_density_integrates_to_one),
		cmocka_unit_test(two_thirds_are_between_low_and_high),
		cmocka_unit_test(the_slope_is_the_densitys),
		cmocka_unit_test(categories_weigh_what_the_user_says),
		cmocka_unit_test(spread_draws_have_the_density),
		cmocka_unit_test(quantiles_are_exact),
		cmocka_unit_test(values_that_can_hardly_be_told_apart_are_a_prior_too),
		cmocka_unit_test(without_a_prior_nothing_moves),
		cmocka_unit_test(a_configurations_density_is_that_of_its_active_parameters),
		cmocka_unit_test(the_range_is_from_the_least_to_the_most_likely),
		cmocka_unit_test(random_search_draws_by_the_prior),
		cmocka_unit_test(one_in_two_of_a_sequence_follows_the_prior),
		cmocka_unit_test(the_other_half_is_as_without_it),
		cmocka_unit_test(a_prior_against_the_constraints_ends_no_random_search),
		cmocka_unit_test(a_prior_for_one_configuration_ends_no_random_search),
		cmocka_unit_test(a_finite_space_with_priors_is_exhausted),
		cmocka_unit_test(what_is_given_is_given),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
