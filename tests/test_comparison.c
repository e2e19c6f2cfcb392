/* tuner/comparison.h: curves over slot-seconds and money, from trials that are told by hand.
 *
 *     arm/repeat   time of each trial     spent       objectives    best
 *     a/1          10, 5 lost + 10, 10    10 25 35    5 3 failed    5 3 3
 *     a/2          20, 20, 20             20 40 60    6 4 2         6 4 2
 *     b/1          30, 30, 30             30 60 90    8 4 1         8 4 1
 *     b/2          20, 20, 60             20 40 100   failed 7 5    - 7 5
 */
#include "tests/fixture_job.h"
#include "tuner/comparison.h"
#include "tuner/comparison_figure.h"
#include "tuner/job_open.h"

#include <math.h>

#define SECOND ((int64_t)1000000)
#define BEGIN  (1700000000 * SECOND)

struct told {
	const char *arm;
	int64_t repeat, lost_s, took_s;
	double objective; /* NaN: failed */
};

static const struct told trials[] = {
	{ "a", 0, 0, 10, 5 },
	{ "b", 0, 0, 30, 8 },
	{ "b", 1, 0, 20, NAN },
	{ "a", 1, 0, 20, 6 },
	{ "a", 0, 5, 10, 3 },
	{ "b", 0, 0, 30, 4 },
	{ "b", 1, 0, 20, 7 },
	{ "a", 1, 0, 20, 4 },
	{ "a", 0, 0, 10, NAN },
	{ "b", 0, 0, 30, 1 },
	{ "b", 1, 0, 60, 5 },
	{ "a", 1, 0, 20, 2 },
};
enum { TRIALS = sizeof(trials) / sizeof(*trials) };

struct prices {
	double a, b, lost; /* of a second; 0: none */
};

struct told_job {
	struct fixture fixture;
	struct report report;
	struct comparison comparison;
};

#define COMMIT(fixture, call)                                                                      \
	do {                                                                                       \
		ASSERT_OK(fixture, store_begin((fixture)->store, STORE_LAZY, &(fixture)->err));    \
		ASSERT_OK(fixture, call);                                                          \
		ASSERT_OK(fixture, store_commit((fixture)->store, &(fixture)->err));               \
	} while (0)

static int64_t propose(struct fixture *fixture, const struct job *job, const struct told *told)
{
	static const double x = 0.5;
	const struct decision decision = { .strategy = "random",
		.branch = "random",
		.reason = "",
		.settings = "{}",
		.mean = NAN,
		.sd = NAN,
		.incumbent = NAN,
		.acquisition = NAN,
		.libraries = "libraries",
		.cpu = "cpu",
		.program = "0" };
	const struct trial_new trial = { .job_id = job->id,
		.arm = told->arm,
		.repeat = told->repeat,
		.space_version = job->space_version,
		.objective_version = job->objective_version,
		.values = &x,
		.d = 1,
		.parameters = "{\"x\": 0.5}" };
	int64_t id, number, arm_number;
	bool capped;
	COMMIT(fixture, trial_create(fixture->store, &trial, &decision, BEGIN, &id, &number,
				&arm_number, &capped, &fixture->err));
	assert_false(capped);
	return id;
}

static void attempt(struct fixture *fixture, int64_t trial_id, int number, int64_t took_s,
	enum outcome outcome, enum trial_state state, double objective, double price)
{
	char key[32];
	int64_t id, event;
	snprintf(key, sizeof(key), "key%lld-%d", (long long)trial_id, number);
	const struct attempt_new new = { .trial_id = trial_id,
		.key = key,
		.backend = "local",
		.host = "here",
		.gpus = "[]",
		.directory = key };
	const struct attempt_end end = { .outcome = outcome,
		.message = "",
		.exit_code = 0,
		.signal = -1,
		.started_us = BEGIN,
		.ended_us = BEGIN + took_s * SECOND,
		.trial = state,
		.objective = objective,
		.cost = price * (double)took_s };
	COMMIT(fixture, attempt_create(fixture->store, &new, BEGIN, &id, &fixture->err));
	COMMIT(fixture, attempt_move(fixture->store, id, ATTEMPT_RUNNING, BEGIN, &fixture->err));
	COMMIT(fixture, attempt_end(fixture->store, id, &end, end.ended_us, &event, &fixture->err));
}

static void tell(struct fixture *fixture, const struct job *job, const struct told *told,
	struct prices prices)
{
	const double price = told->arm[0] == 'a' ? prices.a : prices.b;
	const int64_t id = propose(fixture, job, told);
	if (told->lost_s > 0)
		attempt(fixture, id, 1, told->lost_s, OUTCOME_LOST, TRIAL_PROPOSED, NAN,
			prices.lost);
	if (isnan(told->objective))
		attempt(fixture, id, 2, told->took_s, OUTCOME_CRASHED, TRIAL_FAILED, NAN, price);
	else
		attempt(fixture, id, 2, told->took_s, OUTCOME_OK, TRIAL_DONE, told->objective,
			price);
}

/* `budget`: trials of each search, of which three are there. */
static void begin(struct told_job *told, int budget, struct prices prices)
{
	struct job_opening opening = { .changes = TEXT_EMPTY };
	struct fixture *fixture = &told->fixture;
	struct job job;
	char keys[600];
	*told = (struct told_job){ 0 };
	fixture_open(fixture);
	snprintf(keys, sizeof(keys),
		FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND
		"\"seed\": 1, \"arms\": {\"a\": \"sobol\", \"b\": \"random\"}, "
		"\"repeats\": 2, \"budget\": {\"trials\": %d, \"parallel\": 1}",
		budget);
	struct job_file *file = fixture_file(keys);
	ASSERT_OK(fixture, job_open(fixture->store, file, false, NULL, &opening, &fixture->err));
	ASSERT_OK(fixture, job_load(fixture->store, opening.job_id, &job, &fixture->err));
	for (size_t i = 0; i < TRIALS; i++)
		tell(fixture, &job, &trials[i], prices);
	ASSERT_OK(fixture, report_load(fixture->store, job.id, &told->report, &fixture->err));
	job_finish(&job);
	text_finish(&opening.changes);
	job_file_destroy(file);
}

static void compare(struct told_job *told, size_t after)
{
	comparison_finish(&told->comparison);
	ASSERT_OK(&told->fixture,
		comparison_of_job(&told->report, after, &told->comparison, &told->fixture.err));
}

static void finish(struct told_job *told)
{
	comparison_finish(&told->comparison);
	report_close(&told->report);
	fixture_close(&told->fixture);
}

static struct contrast contrast_of(struct told_job *told)
{
	struct contrast contrast;
	ASSERT_OK(&told->fixture,
		comparison_contrast(&told->comparison, 0, 1, &contrast, &told->fixture.err));
	return contrast;
}

static void assert_near(double value, double wanted)
{
	if (!(fabs(value - wanted) <= 1e-9))
		fail_msg("%.12g, wanted %.12g", value, wanted);
}

static void assert_array(const double *values, const double *wanted, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_near(values[i], wanted[i]);
}

static void all_attempts_of_a_trial_are_spent_when_it_ends(void **state)
{
	struct told_job told;
	begin(&told, 3, (struct prices){ 0, 0, 0 });
	compare(&told, 0);
	const struct compared_arm *arms = told.comparison.arms;
	assert_array(arms[0].runs[0].spent_s, (const double[]){ 10, 25, 35 }, 3);
	assert_array(arms[0].runs[1].spent_s, (const double[]){ 20, 40, 60 }, 3);
	assert_array(arms[1].runs[0].spent_s, (const double[]){ 30, 60, 90 }, 3);
	assert_array(arms[1].runs[1].spent_s, (const double[]){ 20, 40, 100 }, 3);
	assert_int_equal(told.comparison.attempts, 13);
	assert_int_equal(told.comparison.unpriced, 13);
	assert_false(told.comparison.priced);
	assert_near(comparison_total(&told.comparison, 0, OVER_TIME), 47.5);
	assert_near(comparison_end(&told.comparison, 0, OVER_TIME), 35);
	assert_near(comparison_total(&told.comparison, 1, OVER_TIME), 95);
	finish(&told);
}

/* All have spent 35 s. a has 3 and 6 by then, b 8 and nothing, for which 7 stands, the worst of its repeat. */
static void arms_are_compared_where_all_have_spent_as_much(void **state)
{
	struct told_job told;
	begin(&told, 3, (struct prices){ 0, 0, 0 });
	compare(&told, 0);
	const struct contrast contrast = contrast_of(&told);
	const struct equal_spending *equal = &contrast.over[OVER_TIME];
	assert_true(equal->is_possible);
	assert_near(equal->spent, 35);
	assert_near(equal->best_a, 4.5);
	assert_near(equal->best_b, 7.5);
	assert_int_equal(equal->none_a, 0);
	assert_int_equal(equal->none_b, 1);
	assert_near(equal->total_a, 47.5);
	assert_near(equal->total_b, 95);
	assert_near(equal->final.mean, 3);
	assert_near(equal->final.p_value, 0.5);
	/* a/1: 8 for 10 s, 5 for 15, 3 for 10; a/2: 7 for 20, 6 for 15; b: 8 and 7 throughout. */
	assert_near(equal->area.mean, ((280 - 185) + (245 - 230)) / 70.0);
	/* b's mean is 7.5, from 60 s on 5.5, from 90 s on 4. */
	assert_true(equal->a_faster);
	assert_near(equal->speed_up, 90 / 35.0);
	assert_false(contrast.over[OVER_MONEY].is_possible);
	finish(&told);
}

static void after_fewer_trials_the_slower_arm_is_still_followed(void **state)
{
	struct told_job told;
	begin(&told, 3, (struct prices){ 0, 0, 0 });
	compare(&told, 2);
	const struct contrast contrast = contrast_of(&told);
	const struct equal_spending *equal = &contrast.over[OVER_TIME];
	assert_near(equal->spent, 25);
	assert_near(equal->best_a, 4.5);
	assert_near(equal->best_b, 7.5);
	assert_near(equal->speed_up, 90 / 25.0);
	assert_near(equal->total_a, 32.5);
	finish(&told);
}

static void money_is_compared_where_it_was_paid(void **state)
{
	struct told_job told;
	struct text words = TEXT_EMPTY;
	begin(&told, 3, (struct prices){ 1, 2, 0 });
	compare(&told, 0);
	assert_true(told.comparison.priced);
	assert_false(told.comparison.one_price);
	assert_int_equal(told.comparison.unpriced, 1);
	assert_array(
		told.comparison.arms[0].runs[0].spent_money, (const double[]){ 10, 20, 30 }, 3);
	assert_array(
		told.comparison.arms[1].runs[1].spent_money, (const double[]){ 40, 80, 200 }, 3);
	const struct contrast contrast = contrast_of(&told);
	const struct equal_spending *equal = &contrast.over[OVER_MONEY];
	assert_near(equal->spent, 30);
	assert_near(equal->best_a, 4.5);
	assert_near(equal->best_b, 7.5);
	assert_int_equal(equal->none_b, 2);
	assert_near(equal->speed_up, 180 / 30.0);
	spending_words(&told.comparison, &contrast, OVER_MONEY, &words);
	assert_non_null(strstr(words.bytes, "1 of 13 attempts ran without a price"));
	assert_non_null(strstr(words.bytes, "2 of 2 searches of b had no result by then"));
	assert_non_null(strstr(words.bytes, "as much money"));
	text_finish(&words);
	finish(&told);
}

static void one_price_for_all_makes_money_time(void **state)
{
	struct told_job told;
	struct text words = TEXT_EMPTY;
	begin(&told, 3, (struct prices){ 0.25, 0.25, 0.25 });
	compare(&told, 0);
	assert_true(told.comparison.one_price);
	const struct contrast contrast = contrast_of(&told);
	const struct equal_spending *time = &contrast.over[OVER_TIME];
	const struct equal_spending *money = &contrast.over[OVER_MONEY];
	assert_near(money->spent, 0.25 * time->spent);
	assert_true(money->final.mean == time->final.mean);
	assert_true(money->final.interval.low == time->final.interval.low);
	assert_near(money->speed_up, time->speed_up);
	spending_words(&told.comparison, &contrast, OVER_MONEY, &words);
	assert_non_null(strstr(words.bytes, "Every slot-second had the same price"));
	text_finish(&words);
	finish(&told);
}

/* a's searches both have a result from 20 s on, b's from 40 s on; a's curve goes to 35 s, b's to 90. */
static void a_curve_goes_from_the_last_first_result_to_the_first_end(void **state)
{
	struct curve_point points[COMPARISON_HUNDREDTHS], point;
	struct told_job told;
	bool known;
	size_t n;
	begin(&told, 3, (struct prices){ 0, 0, 0 });
	compare(&told, 0);
	ASSERT_OK(&told.fixture,
		comparison_curve(&told.comparison, 0, OVER_TIME, points, &n, &told.fixture.err));
	assert_int_equal(n, 43); /* 20 / 0.35 = 57.1 */
	assert_near(points[0].at, 20.3);
	assert_near(points[0].mean, 5.5);
	assert_near(points[n - 1].at, 35);
	assert_near(points[n - 1].mean, 4.5);
	/* Student's t of one degree of freedom, 12.7062, times a standard error of 1.5 */
	assert_true(fabs(points[n - 1].interval.high - (4.5 + 12.7062 * 1.5)) < 1e-3);
	ASSERT_OK(&told.fixture,
		comparison_curve(&told.comparison, 1, OVER_TIME, points, &n, &told.fixture.err));
	assert_int_equal(n, 56); /* 40 / 0.9 = 44.4 */
	assert_near(points[n - 1].at, 90);
	assert_near(points[n - 1].mean, 4);
	ASSERT_OK(&told.fixture, comparison_at(&told.comparison, 1, OVER_TIME, 39.9, &point, &known,
					 &told.fixture.err));
	assert_false(known);
	ASSERT_OK(&told.fixture, comparison_at(&told.comparison, 1, OVER_TIME, 60, &point, &known,
					 &told.fixture.err));
	assert_true(known);
	assert_near(point.mean, 5.5);
	finish(&told);
}

static void without_a_price_there_is_no_curve_over_money(void **state)
{
	struct told_job told;
	begin(&told, 3, (struct prices){ 0, 0, 0 });
	compare(&told, 0);
	assert_true(comparison_check_axis(&told.comparison, OVER_TIME, &told.fixture.err));
	assert_false(comparison_check_axis(&told.comparison, OVER_MONEY, &told.fixture.err));
	assert_non_null(strstr(told.fixture.err.message, "\"price\""));
	finish(&told);
	/* b's trials ran where nothing is paid. */
	begin(&told, 3, (struct prices){ 1, 0, 1 });
	compare(&told, 0);
	assert_false(comparison_check_axis(&told.comparison, OVER_MONEY, &told.fixture.err));
	assert_non_null(strstr(told.fixture.err.message, "a search of b"));
	const struct contrast contrast = contrast_of(&told);
	assert_false(contrast.over[OVER_MONEY].is_possible);
	finish(&told);
}

static void an_unfinished_comparison_says_what_counts(void **state)
{
	struct told_job told;
	struct text words = TEXT_EMPTY;
	begin(&told, 4, (struct prices){ 0, 0, 0 });
	compare(&told, 0);
	const struct contrast contrast = contrast_of(&told);
	assert_near(contrast.over[OVER_TIME].final.mean, 3);
	spending_words(&told.comparison, &contrast, OVER_TIME, &words);
	assert_non_null(strstr(words.bytes, "When every search has spent 35 slot-seconds, a has"));
	assert_non_null(strstr(words.bytes, "What is still running counts once it has ended"));
	assert_non_null(strstr(words.bytes, "A search of b went on to 95 slot-seconds"));
	text_finish(&words);
	finish(&told);
}

static void a_figure_has_its_axis(void **state)
{
	static const char *const labels[AXES] = { ">trials<", ">slot-seconds of each search<",
		">money of each search<" };
	struct told_job told;
	begin(&told, 3, (struct prices){ 1, 2, 1 });
	compare(&told, 0);
	for (enum axis axis = OVER_TRIALS; axis < AXES; axis++) {
		struct text svg = TEXT_EMPTY;
		ASSERT_OK(&told.fixture,
			comparison_figure(&told.comparison, axis, &svg, &told.fixture.err));
		assert_non_null(strstr(svg.bytes, labels[axis]));
		text_finish(&svg);
	}
	finish(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_attempts_of_a_trial_are_spent_when_it_ends),
		cmocka_unit_test(arms_are_compared_where_all_have_spent_as_much),
		cmocka_unit_test(after_fewer_trials_the_slower_arm_is_still_followed),
		cmocka_unit_test(money_is_compared_where_it_was_paid),
		cmocka_unit_test(one_price_for_all_makes_money_time),
		cmocka_unit_test(a_curve_goes_from_the_last_first_result_to_the_first_end),
		cmocka_unit_test(without_a_price_there_is_no_curve_over_money),
		cmocka_unit_test(an_unfinished_comparison_says_what_counts),
		cmocka_unit_test(a_figure_has_its_axis),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
