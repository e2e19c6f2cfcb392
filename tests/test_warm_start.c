/* tuner/warm_start.h: what of an earlier job fits into a new one. How it looks from outside, warm_start.bats tells. */
#include "tests/fixture_report.h"
#include "trials/related_trial.h"
#include "tuner/warm_start.h"
#include "tuner/search.h"

#define BEGIN "\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"}, \"name\": \"new\", "
#define FROM  "\"warm_start\": {\"jobs\": [\"job\"]}, "

static struct fixture *begin(struct fixture *fixture)
{
	struct report report;

	fixture_open(fixture);
	fixture_tell(fixture, FIXTURE_TOLD, FIXTURE_TRIALS, &report);
	report_close(&report);
	return fixture;
}

static struct warm_start read_keys(
	struct fixture *fixture, const char *keys, struct job_file **ret_file)
{
	struct warm_start warm_start;

	*ret_file = fixture_file(keys);
	ASSERT_OK(fixture, warm_start_read(*ret_file, fixture->store, &warm_start, &fixture->err));
	return warm_start;
}

static void refused(struct fixture *fixture, const char *keys, const char *told)
{
	struct job_file *file = fixture_file(keys);
	struct warm_start warm_start;

	assert_false(warm_start_read(file, fixture->store, &warm_start, &fixture->err));
	assert_int_equal(fixture->err.code, TUNER_USAGE);
	if (strstr(fixture->err.message, told) == NULL)
		fail_msg("\"%s\" is not in: %s", told, fixture->err.message);
	job_file_destroy(file);
}

static void ended_trials_that_tell_something_are_read_in_the_order_of_their_ends(void **state)
{
	struct fixture fixture;
	struct job_file *file;
	struct warm_start warm =
		read_keys(begin(&fixture), BEGIN FIXTURE_X FROM "\"seed\": 1", &file);

	assert_int_equal(warm.n, 4);
	assert_int_equal(warm.gifts[0].trials, 4);
	assert_int_equal(warm.gifts[0].taken, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(warm.trials[i].number, (int64_t)i + 1);
		assert_true(warm.trials[i].values[0] == FIXTURE_STORIES[i].x);
		assert_int_equal(warm.trials[i].state, FIXTURE_STORIES[i].state);
		assert_int_equal(warm.trials[i].outcome, FIXTURE_STORIES[i].outcome);
	}
	assert_true(isnan(warm.trials[2].objective));
	assert_true(warm.trials[3].objective == 3.5);
	assert_string_equal(warm.trials[1].key, "key2");
	warm_start_finish(&warm);
	job_file_destroy(file);
	fixture_close(&fixture);
}

static void what_lies_outside_is_counted_with_a_reason(void **state)
{
	struct fixture fixture;
	struct job_file *file;
	struct warm_start warm = read_keys(begin(&fixture),
		BEGIN FROM "\"parameters\": {\"x\": {\"type\": \"float\", \"min\": 0.2, \"max\": "
			   "0.8, \"step\": 0.05}}",
		&file);

	assert_int_equal(warm.n, 2);
	assert_int_equal(warm.gifts[0].misfits, 2);
	assert_string_equal(
		warm.gifts[0].why, "trial 2: x: expected a number from 0.2 to 0.8, found 0.1");
	warm_start_finish(&warm);
	job_file_destroy(file);
	fixture_close(&fixture);
}

static void an_integer_takes_what_is_whole(void **state)
{
	struct fixture fixture;
	struct job_file *file;
	struct warm_start warm = read_keys(begin(&fixture),
		BEGIN FROM "\"parameters\": {\"x\": {\"type\": \"int\", \"min\": 0, \"max\": 8}}",
		&file);

	assert_int_equal(warm.n, 1);
	assert_true(warm.trials[0].values[0] == 1);
	warm_start_finish(&warm);
	job_file_destroy(file);
	fixture_close(&fixture);
}

static void the_best_are_the_best_by_the_goal(void **state)
{
	struct fixture fixture;
	struct job_file *file;
	struct warm_start warm = read_keys(begin(&fixture),
		BEGIN FIXTURE_X
		"\"warm_start\": {\"jobs\": [\"job\"], \"as\": \"first\", \"best\": 1}",
		&file);

	assert_int_equal(warm.n, 1);
	assert_int_equal(warm.trials[0].number, 2);
	assert_int_equal(warm.gifts[0].trials, 2);
	warm_start_finish(&warm);
	job_file_destroy(file);
	fixture_close(&fixture);
}

static void the_same_job_twice_gives_once(void **state)
{
	struct fixture fixture;
	struct job_file *file;
	struct warm_start warm = read_keys(begin(&fixture),
		BEGIN FIXTURE_X "\"warm_start\": {\"jobs\": [\"job\", {\"job\": \"job\"}]}", &file);

	assert_int_equal(warm.n, 4);
	assert_int_equal(warm.gifts[1].doubled, 4);
	assert_int_equal(warm.gifts[1].taken, 0);
	warm_start_finish(&warm);
	job_file_destroy(file);
	fixture_close(&fixture);
}

static void what_does_not_go_together_is_refused_with_what_to_write(void **state)
{
	struct fixture fixture;

	begin(&fixture);
	refused(&fixture, BEGIN FIXTURE_X "\"warm_start\": {\"jobs\": [\"jbo\"]}", "it has job");
	refused(&fixture,
		BEGIN FROM "\"parameters\": {\"y\": {\"type\": \"float\", \"min\": 0, \"max\": 1}}",
		"\"ignore\": [\"x\"]");
	refused(&fixture,
		BEGIN FROM "\"parameters\": {\"x\": {\"type\": \"float\", \"min\": 0, \"max\": 1}, "
			   "\"y\": {\"type\": \"float\", \"min\": 0, \"max\": 1}}",
		"\"missing\": {\"y\": ...}");
	refused(&fixture,
		"\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\", \"reduce\": "
		"\"best\"}, "
		"\"name\": \"new\", " FROM FIXTURE_X "\"seed\": 1",
		"tuner rescore");
	refused(&fixture,
		"\"objective\": {\"metric\": \"loss\", \"goal\": \"maximize\"}, \"name\": "
		"\"new\", " FROM FIXTURE_X "\"seed\": 1",
		"is to minimize loss");
	refused(&fixture,
		"\"objective\": {\"metric\": \"loss\", \"goal\": \"maximize\"}, \"name\": "
		"\"new\", " FROM FIXTURE_X "\"seed\": 1",
		"\"as\": \"related\"");
	fixture_close(&fixture);
}

/* The new job's trials are what a history knows, and no budget counts them. */
static void a_job_that_is_made_has_them_in_its_history(void **state)
{
	struct fixture fixture;
	struct job_opening opening;
	struct search_list searches;
	struct job_file *file = fixture_file(BEGIN FIXTURE_X FROM "\"budget\": {\"trials\": 2}");

	begin(&fixture);
	ASSERT_OK(&fixture, job_open(fixture.store, file, false, NULL, &opening, &fixture.err));
	assert_true(opening.created);
	assert_non_null(strstr(opening.warm_start.bytes, "4 of the 4 ended trials of job job"));
	ASSERT_OK(&fixture,
		search_list_load(&searches, file, fixture.store, opening.job_id, &fixture.err));
	const struct history *history = &searches.items[0].history;
	assert_int_equal(history->n, 4);
	assert_int_equal(history->created, 4);
	assert_int_equal(history->added, 4);
	assert_int_equal(history->done, 0);
	assert_int_equal(history_counted(history), 0);
	assert_int_equal(history_median_us(history), 0);
	assert_true(search_is_open(&searches.items[0]));
	assert_true(search_list_best(&searches)->objective == 2);
	assert_null(search_list_best_own(&searches));
	assert_int_equal(search_list_ended(&searches), 0);
	assert_int_equal(search_list_better(&searches, 100), 0);

	int64_t counts[TRIAL_STATES];
	ASSERT_OK(&fixture, trial_count_own(fixture.store, opening.job_id, counts, &fixture.err));
	assert_int_equal(counts[TRIAL_DONE], 0);
	search_list_finish(&searches);
	job_opening_finish(&opening);
	job_file_destroy(file);
	fixture_close(&fixture);
}

static void a_job_that_cannot_begin_so_is_not_made(void **state)
{
	struct fixture fixture;
	struct job_opening opening;
	struct job job = { 0 };
	bool found;
	struct job_file *file =
		fixture_file(BEGIN FIXTURE_X "\"warm_start\": {\"jobs\": [\"other\"]}");

	begin(&fixture);
	assert_false(job_open(fixture.store, file, false, NULL, &opening, &fixture.err));
	assert_int_equal(fixture.err.code, TUNER_USAGE);
	ASSERT_OK(&fixture, job_find(fixture.store, "new", &job, &found, &fixture.err));
	assert_false(found);
	job_file_destroy(file);
	fixture_close(&fixture);
}

static void what_has_not_begun_may_still_begin_so(void **state)
{
	struct fixture fixture;
	struct job_opening opening;
	struct job_file *cold = fixture_file(BEGIN FIXTURE_X "\"seed\": 1");
	struct job_file *warm = fixture_file(BEGIN FIXTURE_X FROM "\"seed\": 1");

	begin(&fixture);
	ASSERT_OK(&fixture, job_open(fixture.store, cold, false, NULL, &opening, &fixture.err));
	job_opening_finish(&opening);
	ASSERT_OK(&fixture, job_open(fixture.store, warm, false, NULL, &opening, &fixture.err));
	assert_non_null(strstr(opening.warm_start.bytes, "4 of the 4"));
	job_opening_finish(&opening);
	/* once */
	ASSERT_OK(&fixture, job_open(fixture.store, warm, false, NULL, &opening, &fixture.err));
	assert_int_equal(opening.warm_start.length, 0);
	job_opening_finish(&opening);
	ASSERT_OK(&fixture, job_open(fixture.store, cold, false, NULL, &opening, &fixture.err));
	job_opening_finish(&opening);
	assert_false(job_open(fixture.store, warm, false, NULL, &opening, &fixture.err));
	assert_non_null(strstr(fixture.err.message, "has begun"));
	job_file_destroy(cold);
	job_file_destroy(warm);
	fixture_close(&fixture);
}

#define RELATED "\"warm_start\": {\"jobs\": [\"job\"], \"as\": \"related\"}, "

/* Neither the metric nor the goal need be ours: what it gave is turned by its own goal. */
static void results_of_a_related_job_are_turned_so_that_less_is_better(void **state)
{
	static const char *const begins[] = { BEGIN,
		"\"objective\": {\"metric\": \"accuracy\", \"goal\": \"maximize\"}, \"name\": "
		"\"new\", " };
	struct fixture fixture;

	begin(&fixture);
	for (size_t i = 0; i < 2; i++) {
		char keys[400];
		struct job_file *file;

		snprintf(keys, sizeof keys, "%s" RELATED FIXTURE_X "\"seed\": 1", begins[i]);
		struct warm_start warm = read_keys(&fixture, keys, &file);

		assert_int_equal(warm.n, 4);
		assert_true(warm.trials[0].loss == 4 && warm.trials[1].loss == 2);
		assert_true(isnan(warm.trials[2].loss));
		assert_true(warm.trials[3].loss == 3.5);
		warm_start_finish(&warm);
		job_file_destroy(file);
	}
	fixture_close(&fixture);
}

/* No trial of the job, and nothing that any count sees. */
static void a_job_that_learns_from_a_related_one_has_its_results_beside_its_history(void **state)
{
	struct fixture fixture;
	struct job_opening opening;
	struct search_list searches;
	struct related_trial_list rows;
	struct job_file *file = fixture_file(BEGIN RELATED FIXTURE_X "\"budget\": {\"trials\": 2}");
	int64_t counts[TRIAL_STATES];

	begin(&fixture);
	ASSERT_OK(&fixture, job_open(fixture.store, file, false, NULL, &opening, &fixture.err));
	assert_non_null(strstr(opening.warm_start.bytes, "4 of the 4 ended trials of job job"));
	ASSERT_OK(&fixture,
		search_list_load(&searches, file, fixture.store, opening.job_id, &fixture.err));
	assert_int_equal(searches.items[0].history.n, 0);
	assert_int_equal(searches.items[0].history.created, 0);
	assert_null(search_list_best(&searches));
	assert_true(related_tells(related_jobs_models(searches.items[0].proposer.related)));
	ASSERT_OK(&fixture, trial_count(fixture.store, opening.job_id, counts, &fixture.err));
	for (int i = 0; i < TRIAL_STATES; i++)
		assert_int_equal(counts[i], 0);
	ASSERT_OK(
		&fixture, related_trial_select(fixture.store, opening.job_id, &rows, &fixture.err));
	assert_int_equal(rows.n, 4);
	assert_int_equal(rows.items[2].state, TRIAL_FAILED);
	assert_int_equal(rows.items[3].state, TRIAL_STOPPED);
	assert_string_equal(rows.items[0].parameters, "{\"x\": 0.25}");
	related_trial_list_finish(&rows);
	search_list_finish(&searches);
	job_opening_finish(&opening);
	job_file_destroy(file);
	fixture_close(&fixture);
}

/* Strategies without a model have no use for them, nor has a job without any. */
static void only_a_model_loads_related_jobs(void **state)
{
	struct fixture fixture;
	struct job_opening opening;
	struct related_jobs *jobs = NULL;
	struct job_file *file = fixture_file(BEGIN RELATED FIXTURE_X "\"seed\": 1");

	begin(&fixture);
	ASSERT_OK(&fixture, job_open(fixture.store, file, false, NULL, &opening, &fixture.err));
	ASSERT_OK(&fixture,
		related_jobs_load(file, fixture.store, opening.job_id, &jobs, &fixture.err));
	assert_int_equal(related_count(related_jobs_models(jobs)), 1);
	related_jobs_destroy(jobs);
	file->strategy.name = STRATEGY_RANDOM;
	ASSERT_OK(&fixture,
		related_jobs_load(file, fixture.store, opening.job_id, &jobs, &fixture.err));
	assert_null(jobs);
	file->strategy.name = STRATEGY_BAYESIAN;
	ASSERT_OK(&fixture,
		related_jobs_load(file, fixture.store, opening.job_id + 1, &jobs, &fixture.err));
	assert_null(jobs);
	assert_null(related_jobs_models(NULL));
	job_opening_finish(&opening);
	job_file_destroy(file);
	fixture_close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			ended_trials_that_tell_something_are_read_in_the_order_of_their_ends),
		cmocka_unit_test(what_lies_outside_is_counted_with_a_reason),
		cmocka_unit_test(an_integer_takes_what_is_whole),
		cmocka_unit_test(the_best_are_the_best_by_the_goal),
		cmocka_unit_test(the_same_job_twice_gives_once),
		cmocka_unit_test(what_does_not_go_together_is_refused_with_what_to_write),
		cmocka_unit_test(a_job_that_is_made_has_them_in_its_history),
		cmocka_unit_test(a_job_that_cannot_begin_so_is_not_made),
		cmocka_unit_test(what_has_not_begun_may_still_begin_so),
		cmocka_unit_test(results_of_a_related_job_are_turned_so_that_less_is_better),
		cmocka_unit_test(
			a_job_that_learns_from_a_related_one_has_its_results_beside_its_history),
		cmocka_unit_test(only_a_model_loads_related_jobs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
