/* surrogate/model_data.h: what the model is fitted to. */
#include "surrogate/model_data.h"

#include "base/random.h"
#include "fixture_suggest.h"

static const double FREE[] = { NAN, NAN };
static const double UNIT[] = { 1, 1 };

struct fixture {
	struct job job;
	struct columns columns;
	struct model_data data;
};

static void set_up(struct fixture *f)
{
	const struct parameter parameters[] = { a_log_float("x", 0.01, 1), a_category("c", 3) };

	memset(f, 0, sizeof *f);
	job_init(&f->job, STRATEGY_BAYESIAN, parameters, 2);
}

static void make(struct fixture *f)
{
	struct tuner_error err;

	columns_init(&f->columns, &f->job.space, FREE);
	if (!model_data_init(&f->data, &f->columns, &f->job.request, UNIT, &err))
		fail_msg("%s", err.message);
}

static void rows_are_the_trials_encoded_in_commit_order(void **state)
{
	struct fixture f;

	set_up(&f);
	job_tell(&f.job, (double[]){ 0.1, 2 }, 5, OBSERVATION_DONE);
	job_tell(&f.job, (double[]){ 1, 0 }, 3, OBSERVATION_STOPPED);
	make(&f);
	assert_int_equal(f.data.n, 2);
	assert_near(f.data.X[0], 0.5, 1e-15);
	assert_near(f.data.X[1], 2.5 / 3, 1e-15);
	assert_near(f.data.X[2], 1, 1e-15);
	assert_near(f.data.X[3], 0.5 / 3, 1e-15);
	assert_true(f.data.y[0] > f.data.y[1]);
	model_data_finish(&f.data);
}

/* With one terrible trial, ranks and the fence differ. */
static void the_transform_follows_the_noise_of_the_last_fit(void **state)
{
	static const double quiet[] = { 0, 0, -8 }, noisy[] = { 0, 0, -2 };
	static const struct {
		enum transform_kind kind, as;
		const double *start;
	} cases[] = { { TRANSFORM_AUTO, TRANSFORM_HALF_RANK, NULL },
		{ TRANSFORM_AUTO, TRANSFORM_HALF_RANK, quiet },
		{ TRANSFORM_AUTO, TRANSFORM_WINSOR, noisy },
		{ TRANSFORM_HALF_RANK, TRANSFORM_HALF_RANK, noisy },
		{ TRANSFORM_NONE, TRANSFORM_NONE, noisy } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		double objectives[9];
		struct transform *as = NULL;
		struct tuner_error err;
		struct fixture f;

		set_up(&f);
		for (size_t t = 0; t < 9; t++) {
			objectives[t] = t == 4 ? 1e6 : (double)t;
			job_tell(&f.job, (double[]){ 0.1 * (double)(t + 1), 1 }, objectives[t],
				OBSERVATION_DONE);
		}
		f.job.strategy.transform = cases[i].kind;
		f.job.request.start = cases[i].start;
		f.job.request.n_start = cases[i].start != NULL ? 3 : 0;
		make(&f);
		assert_true(transform_create(cases[i].as, objectives, NULL, 9, &as, &err));
		assert_memory_equal(f.data.y, transform_outcomes(as), 9 * sizeof(double));
		transform_destroy(as);
		model_data_finish(&f.data);
	}
}

static void what_teaches_nothing_is_left_out(void **state)
{
	struct fixture f;

	set_up(&f);
	job_tell(&f.job, (double[]){ 0.1, 2 }, NAN, OBSERVATION_STOPPED);
	job_tell(&f.job, (double[]){ 0.1, 3 }, 1, OBSERVATION_DONE);
	job_tell(&f.job, (double[]){ -0.1, 1 }, 1, OBSERVATION_DONE);
	job_tell(&f.job, (double[]){ 0.5, 1 }, 1, OBSERVATION_DONE);
	make(&f);
	assert_int_equal(f.data.n, 1);
	assert_near(f.data.X[1], 0.5, 1e-15);
	model_data_finish(&f.data);
}

/* Failed ones are worse than the worst, noisier, and no incumbents; their objective is not read. */
static void failed_trials_are_bad_and_uncertain(void **state)
{
	struct fixture f;

	set_up(&f);
	job_tell(&f.job, (double[]){ 0.1, 0 }, 1, OBSERVATION_DONE);
	job_tell(&f.job, (double[]){ 0.2, 0 }, 2, OBSERVATION_DONE);
	job_tell(&f.job, (double[]){ 0.3, 0 }, -100, OBSERVATION_FAILED);
	job_tell(&f.job, (double[]){ 0.4, 0 }, NAN, OBSERVATION_DONE);
	make(&f);
	assert_int_equal(f.data.n, 4);
	for (size_t i = 2; i < 4; i++) {
		assert_true(f.data.y[i] > f.data.y[1]);
		assert_true(f.data.noise_scales[i] == TRANSFORM_FAILURE_NOISE);
		assert_false(f.data.valued[i]);
		assert_true(f.data.valued[i - 2] && f.data.noise_scales[i - 2] == 1);
	}
	model_data_finish(&f.data);
}

static void pending_trials_have_rows_and_no_outcomes(void **state)
{
	const double pending[2][2] = { { 0.1, 1 }, { 0.1, 7 } };
	struct fixture f;

	set_up(&f);
	f.job.pending[0] = pending[1];
	f.job.pending[1] = pending[0];
	f.job.request.n_pending = 2;
	make(&f);
	assert_int_equal(f.data.n, 0);
	assert_int_equal(f.data.n_pending, 1); /* category 7 has no coordinate */
	assert_near(f.data.X_pending[0], 0.5, 1e-15);
	assert_near(f.data.X_pending[1], 0.5, 1e-15);
	model_data_finish(&f.data);
}

/* The others leave no trace. */
static void only_foretold_failures_are_kept(void **state)
{
	const bool foretold[] = { false, true, false, false };
	struct fixture f;

	set_up(&f);
	job_tell(&f.job, (double[]){ 0.1, 0 }, NAN, OBSERVATION_FAILED);
	job_tell(&f.job, (double[]){ 0.2, 0 }, NAN, OBSERVATION_FAILED);
	job_tell(&f.job, (double[]){ 0.3, 1 }, 1, OBSERVATION_DONE);
	job_tell(&f.job, (double[]){ 0.4, 2 }, 2, OBSERVATION_DONE);
	make(&f);

	const double x = f.data.X[2], worst = f.data.y[3];

	assert_int_equal(model_data_view_all(&f.data).n, 4);
	model_data_keep_failures(&f.data, foretold);
	assert_int_equal(model_data_view_all(&f.data).n, 2);
	assert_near(model_data_view_all(&f.data).X[1], 0.5, 1e-15);
	assert_true(model_data_view_all(&f.data).y[1] == worst);
	assert_int_equal(f.data.n, 3);
	assert_true(f.data.X[0] == x && f.data.y[0] == worst && !f.data.valued[0]);
	assert_true(f.data.noise_scales[0] == TRANSFORM_FAILURE_NOISE && f.data.counts[0] == 1);
	assert_near(f.data.X[3], 0.5, 1e-15);
	assert_true(f.data.valued[1] && f.data.valued[2] && f.data.y[2] == worst);
	model_data_finish(&f.data);
}

/* The newest of a row's trials says where it stands. A failure is no repeat of a value. */
static void repeats_are_one_row(void **state)
{
	struct fixture f;

	set_up(&f);
	job_tell(&f.job, (double[]){ 0.1, 2 }, 4, OBSERVATION_DONE);
	job_tell(&f.job, (double[]){ 1, 0 }, 9, OBSERVATION_DONE);
	job_tell(&f.job, (double[]){ 0.1, 2 }, 6, OBSERVATION_STOPPED);
	job_tell(&f.job, (double[]){ 0.1, 1 }, 7, OBSERVATION_DONE);
	job_tell(&f.job, (double[]){ 0.1, 2 }, NAN, OBSERVATION_FAILED);
	job_tell(&f.job, (double[]){ 0.1, 2 }, NAN, OBSERVATION_FAILED);
	make(&f);
	assert_int_equal(f.data.n, 4);
	assert_int_equal(f.data.n_trials, 6);
	assert_int_equal(f.data.n_failed, 2);
	assert_memory_equal(f.data.counts, ((double[]){ 1, 2, 1, 2 }), 4 * sizeof *f.data.counts);
	assert_near(f.data.X[2], 0.5, 1e-15);
	assert_true(f.data.y[1] < f.data.y[2] && f.data.scatters[1] > 0);
	assert_true(f.data.valued[1] && !f.data.valued[3] && f.data.scatters[3] == 0);
	model_data_finish(&f.data);
}

/* 3000 trials: the model gets 1024, the best of them included, in commit order. */
static void a_long_history_is_bounded(void **state)
{
	enum { N = 3000 };
	struct observation *observations = calloc(N, sizeof *observations);
	double *values = calloc(2 * N, sizeof *values);
	struct random random;
	struct fixture f;

	assert_true(observations != NULL && values != NULL);
	random_init(&random, (struct random_key){ .seed = 1, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < N; i++) {
		values[2 * i] = 0.01 + 0.99 * (double)i / N;
		values[2 * i + 1] = (double)random_below(&random, 3);
		observations[i] = (struct observation){ &values[2 * i],
			i == 777 ? -1 : random_uniform(&random), OBSERVATION_DONE };
	}
	set_up(&f);
	f.job.request.observations = observations;
	f.job.request.n_observations = N;
	make(&f);
	assert_int_equal(f.data.n, MODEL_ROWS_MAX);
	assert_int_equal(model_data_view(&f.data).n, MODEL_ROWS_MAX);
	assert_int_equal(model_data_view_all(&f.data).n, N);

	size_t best = 0;

	for (size_t i = 1; i < f.data.n; i++) {
		assert_true(f.data.X[2 * i] > f.data.X[2 * (i - 1)]);
		best = f.data.y[i] < f.data.y[best] ? i : best;
	}
	assert_true(f.data.X[2 * best] == parameter_encode(&f.job.parameters[0], values[2 * 777]));
	/* The transform saw all: its best outcome is that of the best trial. */
	assert_near(transform_to_user(f.data.transform, f.data.y[best]), -1, 1e-12);
	model_data_finish(&f.data);
	free(observations);
	free(values);
}

/* The model learns from all of them alike; a failure is not within. */
static void trials_over_a_limit_count_but_are_not_within(void **state)
{
	static const struct {
		double y, excess;
		enum observation_kind kind;
		bool within;
	} trials[] = { { 4, -1, OBSERVATION_DONE, true }, { 1, 2, OBSERVATION_OVER_LIMIT, false },
		{ 2, NAN, OBSERVATION_STOPPED, false }, { 3, NAN, OBSERVATION_DONE, true },
		{ 0, NAN, OBSERVATION_FAILED, false } };
	struct fixture f;

	set_up(&f);
	f.job.request.n_limits = 1;
	for (size_t i = 0; i < 5; i++) {
		job_tell_limited(&f.job, (double[]){ 0.1 * (double)(i + 1), 0 }, trials[i].y,
			&trials[i].excess);
		f.job.observations[i].kind = trials[i].kind;
	}
	make(&f);
	assert_int_equal(f.data.n, 5);
	assert_true(f.data.y[1] < f.data.y[2] && f.data.y[2] < f.data.y[3] &&
		    f.data.y[3] < f.data.y[0]);
	for (size_t i = 0; i < 5; i++) {
		assert_true(f.data.within[i] == trials[i].within);
		assert_true(f.data.valued[i] == (i < 4));
	}
	model_data_finish(&f.data);
	f.job.request.n_limits = 0; /* without them a stopped trial is one as before */
	make(&f);
	assert_true(f.data.within[2] && !f.data.within[1]);
	model_data_finish(&f.data);
}

/* Two of three are over a limit, and better; still the best 200 within are among those chosen. */
static void of_very_many_trials_those_within_come_first(void **state)
{
	static const double excess = 1;
	static struct fixture f;
	size_t best = 0;

	set_up(&f);
	f.job.request.n_limits = 1;
	while (f.job.request.n_observations < JOB_TRIALS_MAX) {
		const size_t i = f.job.request.n_observations;
		const double values[] = { 0.01 + 0.99 * (double)(i * 7 % JOB_TRIALS_MAX) /
							  JOB_TRIALS_MAX,
			(double)(i % 3) };

		job_tell_limited(&f.job, values, i % 3 == 0 ? 1 + (double)i : 0,
			i % 3 == 0 ? (double[]){ -1 } : &excess);
	}
	make(&f);
	assert_int_equal(f.data.n, MODEL_ROWS_MAX);
	for (size_t i = 0; i < f.data.n; i++) {
		best += f.data.within[i] &&
			transform_to_user(f.data.transform, f.data.y[i]) < 1 + 3 * 200;
	}
	assert_int_equal(best, 200);
	model_data_finish(&f.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_the_trials_encoded_in_commit_order),
		cmocka_unit_test(the_transform_follows_the_noise_of_the_last_fit),
		cmocka_unit_test(what_teaches_nothing_is_left_out),
		cmocka_unit_test(failed_trials_are_bad_and_uncertain),
		cmocka_unit_test(pending_trials_have_rows_and_no_outcomes),
		cmocka_unit_test(only_foretold_failures_are_kept),
		cmocka_unit_test(repeats_are_one_row),
		cmocka_unit_test(a_long_history_is_bounded),
		cmocka_unit_test(trials_over_a_limit_count_but_are_not_within),
		cmocka_unit_test(of_very_many_trials_those_within_come_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
