/* tuner/history.h: how long a trial took is what the database says, also before it says so. */
#include "fixture_trials.h"

#include "base/random.h"
#include "tuner/proposal.h"

/* Microseconds after some time of the fixture; 0: not known. */
struct attempt_times {
	int64_t seen, started, ended; /* when it was seen to run; by its supervisor */
};

static int64_t at(int64_t base, int64_t offset)
{
	return offset > 0 ? base + offset : 0;
}

/* As the loop does it: the first start that is known is kept from attempt to attempt. */
static int64_t in_memory(const struct attempt_times *times, size_t n, int64_t base)
{
	int64_t started = 0;

	for (size_t i = 0; i < n; i++) {
		const int64_t last =
			at(base, times[i].started > 0 ? times[i].started : times[i].seen);
		const int64_t ended = at(base, times[i].ended);

		if (started == 0)
			started = at(base, times[i].seen > 0 ? times[i].seen : times[i].started);
		if (i + 1 == n)
			return trial_duration_us(started, last, ended);
		started = trial_start_us(started, last, ended);
	}
	return 0;
}

static int64_t in_the_database(
	struct fixture *f, const struct attempt_times *times, size_t n, int64_t base)
{
	const int64_t id = fixture_add_trial(f);

	for (size_t i = 0; i < n; i++) {
		const bool last = i + 1 == n;
		const int64_t attempt = fixture_add_attempt(f, id);
		struct attempt_end end = fixture_end_of(last ? OUTCOME_OK : OUTCOME_PREEMPTED,
			last ? TRIAL_DONE : TRIAL_PROPOSED, last ? 1 : NAN);
		int64_t event;

		fixture_move(f, attempt, ATTEMPT_STARTING);
		if (times[i].seen > 0)
			CHANGE(f, attempt_move(f->store, attempt, ATTEMPT_RUNNING,
					  at(base, times[i].seen), &f->err));
		end.started_us = at(base, times[i].started);
		end.ended_us = at(base, times[i].ended);
		CHANGE(f, attempt_end(f->store, attempt, &end, fixture_now(f), &event, &f->err));
	}
	struct trial trial = fixture_trial(f, id);
	const int64_t took_us = trial_duration_us(trial.started_us, 0, trial.ended_us);

	trial_finish(&trial);
	return took_us;
}

static void a_trial_took_what_the_database_will_say(void **state)
{
	static const struct {
		struct attempt_times attempts[2];
		size_t n;
		int64_t took;
	} cases[] = {
		{ { { 10, 10, 250 } }, 1, 240 },
		{ { { 0, 20, 250 } }, 1, 230 }, /* never seen to run */
		{ { { 30, 20, 250 } }, 1, 230 }, /* seen late */
		{ { { 20, 30, 250 } }, 1, 230 },
		{ { { 0, 300, 250 } }, 1, 0 }, /* two clocks */
		{ { { 10, 300, 250 } }, 1, 240 },
		{ { { 10, 10, 50 }, { 400, 400, 650 } }, 2, 640 }, /* pauses included */
		{ { { 10, 10, 50 }, { 0, 400, 650 } }, 2, 640 },
		{ { { 0, 0, 50 }, { 400, 400, 650 } }, 2, 250 }, /* never ran */
		{ { { 0, 0, 50 }, { 0, 400, 650 } }, 2, 250 },
		{ { { 300, 0, 250 }, { 400, 400, 650 } }, 2,
			400 }, /* lost, by a clock that was set back */
		{ { { 30, 20, 50 }, { 400, 400, 650 } }, 2, 630 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const int64_t base = fixture_now(f);

		assert_int_equal(
			in_the_database(f, cases[i].attempts, cases[i].n, base), cases[i].took);
		assert_int_equal(in_memory(cases[i].attempts, cases[i].n, base), cases[i].took);
	}
}

static void without_a_start_nothing_is_known(void **state)
{
	assert_int_equal(trial_duration_us(0, 0, 5000), 0);
	assert_int_equal(trial_duration_us(5000, 0, 5000), 0);
	assert_int_equal(trial_duration_us(6000, 0, 5000), 0);
	assert_int_equal(trial_duration_us(0, 2000, 5000), 3000);
}

/* What a strategy sees is seconds, of a trial that is done. */
static void observations_have_durations(void **state)
{
	static const struct job_file file = { .maximize = true };
	struct history history = { .file = &file };
	const double value = 3;
	const struct finished_trial trials[] = {
		{ .number = 1,
			.values = calloc(1, sizeof(double)),
			.objective = value,
			.state = TRIAL_DONE,
			.took_us = 2500000 },
		{ .number = 2,
			.values = calloc(1, sizeof(double)),
			.objective = value,
			.state = TRIAL_DONE },
	};
	struct observation *observations = NULL;
	struct tuner_error err;
	size_t n;

	for (size_t i = 0; i < 2; i++)
		assert_true(history_add(&history, &trials[i], &err));
	assert_true(history_observations(&history, &observations, &n, &err));
	assert_int_equal(n, 2);
	assert_true(observations[0].duration == 2.5 && observations[0].objective == -3);
	assert_true(observations[1].duration == 0);
	free(observations);
	history_finish(&history);
}

/* All objectives are minimised; those of a trial that was judged by others are not known. */
static void observations_have_further_objectives(void **state)
{
	static const struct job_file file = { .maximize = true,
		.objective = {
			.n_also = 2, .also = { { .maximize = false }, { .maximize = true } } } };
	struct history history = { .file = &file };
	const struct judgement judgements[] = { { .n_also = 2, .also = { 7, 8 } },
		{ .n_also = 1, .also = { 7 } }, { .n_also = 0 } };
	struct observation *observations = NULL;
	struct tuner_error err;
	size_t n;

	for (size_t i = 0; i < 3; i++) {
		const struct finished_trial trial = { .number = (int64_t)i + 1,
			.values = calloc(1, sizeof(double)),
			.objective = 3,
			.state = TRIAL_DONE,
			.judgement = judgements[i] };

		assert_true(history_add(&history, &trial, &err));
	}
	assert_true(history_observations(&history, &observations, &n, &err));
	assert_int_equal(n, 3);
	assert_true(observations[0].others[0] == 7 && observations[0].others[1] == -8);
	for (size_t i = 1; i < 3; i++)
		assert_true(isnan(observations[i].others[0]) && isnan(observations[i].others[1]));
	free(observations);
	history_finish(&history);
}

static int by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Of n done trials with these times, as sorting them would find it. */
static void assert_median(const int64_t *times, size_t n)
{
	static const struct job_file file = { .maximize = false };
	struct history history = { .file = &file };
	int64_t sorted[64];
	struct tuner_error err;

	for (size_t i = 0; i < n; i++) {
		const struct finished_trial done = {
			.state = TRIAL_DONE, .objective = 1, .took_us = times[i]
		};
		const struct finished_trial failed = { .state = TRIAL_FAILED, .took_us = -1 };

		assert_true(history_add(&history, &done, &err));
		assert_true(history_add(&history, &failed, &err));
	}
	memcpy(sorted, times, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_value);
	assert_int_equal(history_median_us(&history), n > 0 ? sorted[n / 2] : 0);
	history_finish(&history);
}

static void the_median_time_is_that_of_the_done_trials(void **state)
{
	int64_t times[64];
	struct random random;

	random_init(&random, (struct random_key){ .seed = 5, .purpose = RANDOM_TEST });
	for (size_t n = 0; n <= 64; n++)
		for (unsigned kind = 0; kind < 4; kind++) {
			for (size_t i = 0; i < n; i++)
				times[i] = kind == 0   ? (int64_t)i
					   : kind == 1 ? (int64_t)(n - i)
					   : kind == 2 ? (int64_t)random_below(&random, 4)
						       : (int64_t)random_below(&random, 1000000);
			assert_median(times, n);
		}
}

/* The last ones; twice as many as a rule wants to compare with, if that is more. */
static void assert_curves_kept(size_t min_trials, size_t n, size_t dropped)
{
	const struct job_file file = { .stopping = { .rule = STOPPING_MEDIAN,
					       .min_curves = min_trials } };
	struct history history = { .file = &file };
	struct tuner_error err;

	for (size_t i = 0; i < n; i++) {
		struct finished_trial done = {
			.number = (int64_t)i + 1, .state = TRIAL_DONE, .objective = 1
		};

		assert_true(series_put(&done.series, 1, 0.5));
		assert_true(history_add(&history, &done, &err));
	}
	assert_int_equal(history.n, n);
	assert_int_equal(history.first_curve, dropped);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(history.items[i].series.n, i >= dropped);
	history_finish(&history);
}

static void of_very_many_trials_the_last_curves_are_kept(void **state)
{
	assert_curves_kept(5, HISTORY_CURVES, 0);
	assert_curves_kept(5, HISTORY_CURVES + 7, 7);
	assert_curves_kept(HISTORY_CURVES, HISTORY_CURVES + 7, 0);
}

/* Nobody would ever look at them, and they may be very long. */
static void without_a_rule_no_curve_is_kept(void **state)
{
	static const struct job_file file = { .stopping = { .rule = STOPPING_NONE } };
	struct finished_trial done = { .number = 1, .state = TRIAL_DONE, .objective = 1 };
	struct history history = { .file = &file };
	struct tuner_error err;

	assert_true(series_put(&done.series, 7, 0.5));
	assert_true(history_add(&history, &done, &err));
	assert_int_equal(history.first_curve, 1);
	assert_null(history.items[0].series.values);
	assert_true(history.items[0].last_step == 7);
	history_finish(&history);
}

/* So many values are never touched: only their sums take memory. */
static struct finished_trial long_trial(size_t n)
{
	return (struct finished_trial){ .number = 1,
		.state = TRIAL_DONE,
		.objective = 1,
		.series = { .steps = calloc(n, sizeof(double)),
			.values = calloc(n, sizeof(double)),
			.n = n,
			.capacity = n } };
}

static void of_very_long_curves_fewer_are_kept(void **state)
{
	static const struct job_file file = { .stopping = { .rule = STOPPING_MEDIAN } };
	struct history history = { .file = &file };
	struct tuner_error err;

	for (size_t i = 0; i < 14; i++) {
		const struct finished_trial done = long_trial(HISTORY_VALUES / 12);

		assert_true(history_add(&history, &done, &err));
	}
	assert_int_equal(history.first_curve, 2);
	assert_int_equal(history.curve_values, 12 * (HISTORY_VALUES / 12));
	history_finish(&history);
}

/* The median of less than ten would say little. */
static void of_curves_however_long_ten_are_kept(void **state)
{
	static const struct job_file file = { .stopping = { .rule = STOPPING_MEDIAN } };
	struct history history = { .file = &file };
	struct tuner_error err;

	for (size_t i = 0; i < 12; i++) {
		const struct finished_trial done = long_trial(HISTORY_VALUES / 8);

		assert_true(history_add(&history, &done, &err));
	}
	assert_int_equal(history.first_curve, 2);
	history_finish(&history);
}

/* Reading very many trials takes longer than a suggestion should: its model looks at something all the same. */
static void however_long_the_last_suggestion_took_the_next_may_do_something(void **state)
{
	static const char text[] = "{\"strategy\": \"random\", \"budget\": {\"trials\": 9}, "
				   "\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"}, "
				   "\"parameters\": {\"x\": {\"type\": \"float\", \"min\": 0, "
				   "\"max\": 1}}}";
	struct diagnostics list = { .n = 0 };
	struct job_file *file = NULL;
	struct proposer proposer;
	struct proposal proposal;
	struct tuner_error err;

	assert_true(job_file_parse(
		"job", "/", text, sizeof text - 1, NULL, COMMAND_IGNORED, &file, &list, &err));
	const struct history history = { .file = file };

	assert_true(proposer_create(&proposer, file, &err));
	proposer.last_cpu_us = 10000000;
	proposer.last_work = 2;
	assert_true(proposal_make(&proposer, &history, NULL, 0, NULL, 1, &proposal, &err));
	assert_int_equal(proposal.decision.work_limit, 100);
	proposal_finish(&proposal);
	proposer.last_work = 1000000;
	assert_true(proposal_make(&proposer, &history, NULL, 0, NULL, 1, &proposal, &err));
	assert_int_equal(proposal.decision.work_limit, 5000); /* 50 ms of 10 s */
	proposal_finish(&proposal);
	proposer_finish(&proposer);
	job_file_destroy(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_trial_took_what_the_database_will_say,
			fixture_set_up_minimizing, fixture_tear_down),
		cmocka_unit_test(without_a_start_nothing_is_known),
		cmocka_unit_test(observations_have_durations),
		cmocka_unit_test(observations_have_further_objectives),
		cmocka_unit_test(the_median_time_is_that_of_the_done_trials),
		cmocka_unit_test(of_very_many_trials_the_last_curves_are_kept),
		cmocka_unit_test(without_a_rule_no_curve_is_kept),
		cmocka_unit_test(of_very_long_curves_fewer_are_kept),
		cmocka_unit_test(of_curves_however_long_ten_are_kept),
		cmocka_unit_test(however_long_the_last_suggestion_took_the_next_may_do_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
