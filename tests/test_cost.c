/* surrogate/cost.h: what a trial takes, learnt from those that are done, and how much that counts. */
#include "surrogate/cost.h"

#include "fixture_suggest.h"

enum { D = 3, N = 24 };

static const double FREE[] = { NAN, NAN, NAN };

/* N trials in two numbers and a category that take exp(3 x + c) seconds. */
struct fixture {
	struct job job;
	struct columns columns;
};

static double log_duration_of(const double *values)
{
	return 3 * values[0] + values[2];
}

static void set_up(struct fixture *f)
{
	const struct parameter parameters[] = { a_float("x", 0, 1), a_float("y", 0, 1),
		a_category("c", 3) };
	struct random random;

	job_init(&f->job, STRATEGY_BAYESIAN, parameters, D);
	columns_init(&f->columns, &f->job.space, FREE);
	random_init(&random, (struct random_key){ .seed = 5, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < N; i++) {
		const double values[] = { random_uniform(&random), random_uniform(&random),
			(double)random_below(&random, 3) };

		job_tell(&f->job, values, random_normal(&random), OBSERVATION_DONE);
		f->job.observations[i].duration = exp(log_duration_of(values));
	}
}

static struct cost *create(const struct fixture *f)
{
	struct cost *cost = NULL;
	struct tuner_error err;

	if (!cost_create(&f->columns, &f->job.request, 0, &cost, &err))
		fail_msg("%s", err.message);
	return cost;
}

static void what_a_trial_takes_is_learnt(void **state)
{
	static const double trials[][D] = { { .5, .2, 0 }, { .1, .7, 2 }, { .9, .5, 1 },
		{ .3, .9, 1 } };
	struct fixture f;
	double x[D];

	set_up(&f);
	struct cost *cost = create(&f);

	assert_non_null(cost);
	assert_true(cost_work(cost) > 0);
	for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
		assert_true(columns_encode(&f.columns, trials[i], x));
		assert_near(cost_log_duration(cost, x), log_duration_of(trials[i]), 0.15);
	}
	cost_destroy(cost);
}

/* Another unit is another constant, which no choice depends on. */
static void the_unit_of_durations_does_not_matter(void **state)
{
	struct fixture f;
	double x[D] = { .2, .4, .5 };

	set_up(&f);
	struct cost *cost = create(&f);
	const double seconds = cost_log_duration(cost, x);

	cost_destroy(cost);
	for (size_t i = 0; i < N; i++)
		f.job.observations[i].duration *= 1e6;
	cost = create(&f);
	assert_near(cost_log_duration(cost, x), seconds + log(1e6), 1e-5);
	cost_destroy(cost);
}

static void the_term_is_minus_alpha_times_the_logarithm(void **state)
{
	static const double h = 1e-5;
	struct fixture f;
	double x[2 * D] = { .2, .4, .5, .8, .1, .25 }, values[2] = { 1, 2 }, gradients[2 * D];
	double glances[2] = { 1, 2 };
	struct tuner_error err;

	set_up(&f);
	f.job.request.number = 11;
	f.job.request.budget_trials = 40;
	struct cost *cost = create(&f);
	const struct acquisition_term term = cost_term(cost);

	for (size_t i = 0; i < 2 * D; i++)
		gradients[i] = 10;
	assert_true(term.add(term.context, x, 2, values, gradients, &err));
	assert_true(term.add_glance(term.context, x, 2, glances, &err));
	for (size_t i = 0; i < 2; i++) {
		assert_near(
			values[i], (double)i + 1 - .75 * cost_log_duration(cost, x + i * D), 1e-12);
		assert_true(glances[i] == values[i]);
		assert_true(gradients[i * D + 2] == 10);
		for (size_t k = 0; k < 2; k++) {
			double up[D], down[D];

			memcpy(up, x + i * D, sizeof up);
			memcpy(down, x + i * D, sizeof down);
			up[k] += h;
			down[k] -= h;
			assert_near(gradients[i * D + k],
				10 - .75 *
						(cost_log_duration(cost, up) -
							cost_log_duration(cost, down)) /
						(2 * h),
				1e-6);
		}
	}
	cost_destroy(cost);
}

static void a_trial_over_a_limit_took_its_time_all_the_same(void **state)
{
	struct fixture f;
	double x[D] = { .2, .4, .5 };

	set_up(&f);
	struct cost *cost = create(&f);
	const double all = cost_log_duration(cost, x);

	cost_destroy(cost);
	for (size_t i = 0; i < N; i += 2)
		f.job.observations[i].kind = OBSERVATION_OVER_LIMIT;
	cost = create(&f);
	assert_true(cost_log_duration(cost, x) == all);
	cost_destroy(cost);
}

static void it_counts_less_from_trial_to_trial(void **state)
{
	struct suggest_request request = { .number = 1, .budget_trials = 40 };

	assert_true(cost_weight(&request) == 1);
	request.number = 31;
	assert_true(cost_weight(&request) == .25);
	request.number = 41;
	assert_true(cost_weight(&request) == 0);
	request.number = 90; /* more may be asked for than the budget has */
	assert_true(cost_weight(&request) == 0);
	request.budget_trials = 0;
	assert_true(cost_weight(&request) == 0);
}

static void without_anything_to_go_by_there_is_no_cost(void **state)
{
	struct fixture f;

	set_up(&f);
	for (size_t i = 0; i < N; i++)
		f.job.observations[i].duration = 7;
	assert_null(create(&f)); /* all the same */
	for (size_t i = 0; i < N; i++)
		f.job.observations[i].duration = i < 2 ? (double)i + 1 : 0;
	assert_null(create(&f)); /* too few are known */
	f.job.observations[2].duration = NAN;
	f.job.observations[3].duration = INFINITY;
	f.job.observations[4].duration = -1;
	assert_null(create(&f));
	f.job.request.n_observations = 0;
	assert_null(create(&f));
}

static void only_trials_that_are_done_tell(void **state)
{
	struct fixture f;

	set_up(&f);
	for (size_t i = 0; i < N - 2; i++)
		f.job.observations[i].kind = i % 2 == 0 ? OBSERVATION_FAILED : OBSERVATION_STOPPED;
	assert_null(create(&f));
	f.job.observations[0].kind = OBSERVATION_DONE;
	struct cost *cost = create(&f);

	assert_non_null(cost);
	cost_destroy(cost);
}

/* Some of very many do, so that the time of a suggestion stays bounded. */
static void very_many_trials_are_thinned_out(void **state)
{
	struct fixture f;
	struct random random;
	double x[D] = { .5, .5, .5 };

	set_up(&f);
	random_init(&random, (struct random_key){ .seed = 6, .purpose = RANDOM_TEST });
	while (f.job.request.n_observations < 2 * COST_TRIALS_MAX - 9) {
		const double values[] = { random_uniform(&random), random_uniform(&random), 1 };

		job_tell(&f.job, values, 0, OBSERVATION_DONE);
		f.job.observations[f.job.request.n_observations - 1].duration =
			exp(log_duration_of(values));
	}
	struct cost *cost = create(&f);

	assert_near(cost_log_duration(cost, x), 2.5, 0.02);
	cost_destroy(cost);
}

/* ---- a search ---- */

/* Two minima of the same depth; the one on the right takes twelve times as long. */
static double twins(const double *x)
{
	return fmin(pow(x[0] - .2, 2), pow(x[0] - .8, 2)) + .3 * pow(x[1] - .6, 2);
}

static double seconds_of(const double *x)
{
	return exp(4 * x[0]);
}

/* Seconds until a trial comes within 1e-3 of the minima. */
static double search(uint64_t seed, bool cost_aware)
{
	const struct parameter parameters[] = { a_float("x", 0, 1), a_float("y", 0, 1) };
	struct job job;
	double seconds = 0;

	job_init(&job, STRATEGY_BAYESIAN, parameters, 2);
	job.request.seed = seed;
	job.request.budget_trials = 30;
	job.strategy.cost_aware = cost_aware;
	for (size_t i = 0; i < 30; i++) {
		const struct suggestion suggestion = job_ask(&job);

		job_commit(&job, &suggestion);
		job_tell(&job, suggestion.values, twins(suggestion.values), OBSERVATION_DONE);
		job.observations[i].duration = seconds_of(suggestion.values);
		seconds += seconds_of(suggestion.values);
		if (job_best(&job) < 1e-3)
			return seconds;
	}
	fail_msg("seed %d does not find it", (int)seed);
	return NAN;
}

static void as_good_a_value_is_found_in_less_time(void **state)
{
	double usual = 0, aware = 0;

	for (uint64_t seed = 1; seed <= 12; seed++) {
		usual += search(seed, false);
		aware += search(seed, true);
	}
	if (!(aware < .85 * usual))
		fail_msg("%g seconds are not much less than %g", aware, usual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_trial_takes_is_learnt),
		cmocka_unit_test(the_unit_of_durations_does_not_matter),
		cmocka_unit_test(the_term_is_minus_alpha_times_the_logarithm),
		cmocka_unit_test(it_counts_less_from_trial_to_trial),
		cmocka_unit_test(without_anything_to_go_by_there_is_no_cost),
		cmocka_unit_test(only_trials_that_are_done_tell),
		cmocka_unit_test(very_many_trials_are_thinned_out),
		cmocka_unit_test(as_good_a_value_is_found_in_less_time),
		cmocka_unit_test(a_trial_over_a_limit_took_its_time_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
