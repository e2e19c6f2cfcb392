/* surrogate/recommendation.h: which trial is taken in the end. */
#include "surrogate/recommendation.h"

#include "base/random.h"
#include "fixture_suggest.h"

static void init(struct job *job)
{
	const struct parameter parameters[] = { a_float("x", 0, 1), a_float("y", 0, 1) };

	job_init(job, STRATEGY_SOBOL, parameters, 2);
}

static double bowl(const double *values)
{
	return pow(values[0] - 0.3, 2) + pow(values[1] - 0.6, 2);
}

static struct recommendation recommended(const struct job *job)
{
	struct recommendation ret;
	struct tuner_error err;

	if (!recommend(&job->request, &ret, &err))
		fail_msg("%s", err.message);
	return ret;
}

static void assert_refused(const struct job *job, const char *words)
{
	struct recommendation ret;
	struct tuner_error err;

	assert_false(recommend(&job->request, &ret, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	assert_non_null(strstr(err.message, words));
}

static const double NOISE_SD = 0.05;

/* The noise follows from the configuration: a search that is run again sees the same. */
static double noisy_bowl(const double *values)
{
	uint64_t bits[2];
	struct random random;

	memcpy(bits, values, sizeof bits);
	random_init(&random,
		(struct random_key){ .seed = bits[0] * 3 + bits[1], .purpose = RANDOM_TEST });
	return bowl(values) + NOISE_SD * random_normal(&random);
}

static size_t looks_best(const struct job *job)
{
	size_t best = 0;

	for (size_t i = 1; i < job->request.n_observations; i++)
		if (job->observations[i].objective < job->observations[best].objective)
			best = i;
	return best;
}

static void without_noise_it_is_the_best_result(void **state)
{
	struct job job;

	init(&job);
	job.strategy.deterministic = true;
	job_run(&job, bowl, 40);
	const struct recommendation r = recommended(&job);

	assert_int_equal(r.observation, looks_best(&job));
	assert_true(r.objective == job.observations[r.observation].objective);
	assert_near(r.mean, r.objective, 1e-3);
	assert_true(r.sd >= 0 && r.sd < 1e-2 && r.noise_sd < 1e-2);
}

/* Over many searches it is nearer to the truth than what looks best, and knows what to expect. */
static void with_noise_it_is_better_than_what_looks_best(void **state)
{
	enum { SEARCHES = 24 };
	double looked = 0, taken = 0, hoped = 0, expected = 0, noise = 0;
	struct job job;

	for (uint32_t seed = 1; seed <= SEARCHES; seed++) {
		init(&job);
		job.strategy.name = STRATEGY_BAYESIAN;
		job.request.seed = seed;
		job_run(&job, noisy_bowl, 40);
		const struct recommendation r = recommended(&job);
		const size_t best = looks_best(&job);

		looked += bowl(job.values[best]) / SEARCHES;
		hoped += job.observations[best].objective / SEARCHES;
		taken += bowl(job.values[r.observation]) / SEARCHES;
		expected += r.mean / SEARCHES;
		noise += r.noise_sd / SEARCHES;
	}
	assert_true(taken < looked);
	assert_true(fabs(expected - taken) < 0.2 * fabs(hoped - looked));
	assert_near(noise, NOISE_SD, 0.3 * NOISE_SD);
}

/* The transform goes by the noise that the last fit saw: where there was none, a first one sees it. */
static void without_a_start_a_first_fit_tells_the_noise(void **state)
{
	struct job job;

	init(&job);
	job_run(&job, noisy_bowl, 60);
	const struct recommendation automatic = recommended(&job);

	job.strategy.transform = TRANSFORM_HALF_RANK;
	const struct recommendation by_rank = recommended(&job);

	job.strategy.transform = TRANSFORM_WINSOR;
	const struct recommendation plain = recommended(&job);

	assert_near(automatic.noise_sd, plain.noise_sd, 1e-3 * NOISE_SD);
	assert_true(fabs(by_rank.noise_sd - plain.noise_sd) > 1e-2 * NOISE_SD);
}

static void what_was_not_done_is_not_taken(void **state)
{
	struct job job;

	init(&job);
	job_run(&job, bowl, 20);
	const size_t best = recommended(&job).observation;

	job.observations[best].kind = OBSERVATION_FAILED;
	const size_t second = recommended(&job).observation;

	assert_true(second != best);
	job.observations[second].kind = OBSERVATION_STOPPED;
	assert_true(recommended(&job).observation != second);
	job.values[recommended(&job).observation][0] = 1.5; /* outside, after an edit */
	assert_true(job.values[recommended(&job).observation][0] <= 1);
}

/* But the model learns from it, and it makes up the number. */
static void what_is_over_a_limit_is_not_taken(void **state)
{
	struct job job;

	init(&job);
	job_run(&job, bowl, 20);
	const struct recommendation best = recommended(&job);

	for (size_t i = 0; i < 20; i++)
		if (i != 4)
			job.observations[i].kind = OBSERVATION_OVER_LIMIT;
	const struct recommendation only = recommended(&job);

	assert_int_equal(only.observation, 4);
	assert_true(only.observation != best.observation && only.sd < 0.1);
	job.observations[4].kind = OBSERVATION_OVER_LIMIT;
	assert_refused(&job, "no trial has kept the limits");
	job.request.n_observations = 2;
	assert_refused(&job, "2 trials are done");
}

static void of_equal_ones_it_is_the_first(void **state)
{
	struct job job;

	init(&job);
	job_run(&job, bowl, 12);
	for (size_t i = 0; i < 12; i++)
		job.observations[i].objective = 3;
	assert_int_equal(recommended(&job).observation, 0);
}

static void the_same_request_gives_the_same_bits(void **state)
{
	struct job job;

	init(&job);
	job.strategy.deterministic = true;
	job_run(&job, bowl, 60);
	const struct recommendation once = recommended(&job), again = recommended(&job);

	assert_int_equal(once.observation, again.observation);
	assert_true(once.mean == again.mean && once.sd == again.sd);
}

static void what_it_cannot_say(void **state)
{
	const struct parameter one[] = { a_category("one", 1) };
	struct job job;

	init(&job);
	assert_refused(&job, "0 trials are done");
	job_run(&job, bowl, 1);
	assert_refused(&job, "1 trial is done");
	job_run(&job, bowl, 1);
	assert_refused(&job, "at least 3 are needed");
	job_run(&job, bowl, 1);
	(void)recommended(&job);
	job.observations[1].objective = INFINITY;
	assert_refused(&job, "2 trials are done");
	job_init(&job, STRATEGY_SOBOL, one, 1);
	assert_refused(&job, "one configuration");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_noise_it_is_the_best_result),
		cmocka_unit_test(with_noise_it_is_better_than_what_looks_best),
		cmocka_unit_test(without_a_start_a_first_fit_tells_the_noise),
		cmocka_unit_test(what_was_not_done_is_not_taken),
		cmocka_unit_test(of_equal_ones_it_is_the_first),
		cmocka_unit_test(the_same_request_gives_the_same_bits),
		cmocka_unit_test(what_it_cannot_say),
		cmocka_unit_test(what_is_over_a_limit_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
