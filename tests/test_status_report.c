#include "tests/fixture_report.h"
#include "tuner/status_report.h"

enum { S = 1000000 };

/* ---- time left ---- */

static void trials_to_come_share_the_slots(void **state)
{
	assert_int_equal(time_left_us(10, NULL, 0, 6 * S, 2), 30 * S);
	assert_int_equal(time_left_us(10, NULL, 0, 6 * S, 1), 60 * S);
}

static void what_runs_has_its_rest_before_it(void **state)
{
	const int64_t took[] = { 2 * S, 4 * S };
	assert_int_equal(time_left_us(4, took, 2, 6 * S, 2), 15 * S);
	assert_int_equal(time_left_us(0, took, 2, 6 * S, 2), 4 * S); /* the longer of 4 and 2 s */
}

static void the_last_trial_is_not_shared(void **state)
{
	assert_int_equal(time_left_us(1, NULL, 0, 6 * S, 8), 6 * S);
}

static void what_is_overdue_and_what_was_capped_take_no_time(void **state)
{
	const int64_t took[] = { 60 * S };
	assert_int_equal(time_left_us(0, took, 1, 6 * S, 1), 0);
	assert_int_equal(time_left_us(-3, NULL, 0, 6 * S, 1), 0); /* the cap was lowered */
	assert_true(time_left_us(INT64_MAX, NULL, 0, INT64_MAX, 1) > 0);
}

/* ---- how a job stands ---- */

struct told {
	struct fixture fixture;
	struct invocation call;
	struct report report;
	struct standing standing;
};

static struct told *tell(int n_trials)
{
	struct told *told = calloc(1, sizeof(*told));
	fixture_open(&told->fixture);
	told->call = (struct invocation){ .db = told->fixture.path };
	fixture_tell(&told->fixture, FIXTURE_TOLD, n_trials, &told->report);
	ASSERT_OK(
		&told->fixture, standing_read(&told->report, &told->standing, &told->fixture.err));
	return told;
}

static void forget(struct told *told)
{
	standing_finish(&told->standing);
	report_close(&told->report);
	fixture_close(&told->fixture);
	free(told);
}

static void each_trial_is_counted_where_it_belongs(void **state)
{
	struct told *told = tell(FIXTURE_TRIALS);
	const struct standing *standing = &told->standing;
	assert_int_equal(standing->created, FIXTURE_TRIALS);
	assert_int_equal(standing->counts[TRIAL_DONE], 2);
	assert_int_equal(standing->counts[TRIAL_FAILED], 1);
	assert_int_equal(standing->counts[TRIAL_STOPPED], 1);
	assert_int_equal(standing->counts[TRIAL_RUNNING], 1);
	assert_int_equal(standing->counts[TRIAL_PROPOSED], 1);
	assert_int_equal(standing->outcomes[OUTCOME_NAN], 1);
	assert_int_equal(standing->outcomes[OUTCOME_EARLY_STOPPED], 1);
	assert_int_equal(standing->outcomes[OUTCOME_OK], 0);
	assert_int_equal(standing->running.n, 2);
	assert_true(standing->has_best);
	assert_int_equal(standing->best.number, 2);
	assert_true(standing->has_failed);
	assert_int_equal(standing->last_failed.number, 3);
	assert_int_equal(standing->median_us, 10 * S);
	assert_int_equal(standing->queued, 0);
	/* The fixture itself holds the database, as a run would. */
	assert_true(standing->runner != 0);
	assert_true(standing->left_us >= 0);
	assert_int_equal(standing->file->budget.runtime_us, (int64_t)3600 * S);
	forget(told);
}

static void an_empty_job_has_nothing_and_waits_for_its_first(void **state)
{
	struct told *told = tell(0);
	assert_int_equal(told->standing.created, 0);
	assert_false(told->standing.has_best);
	assert_false(told->standing.has_failed);
	assert_int_equal(told->standing.queued, 1);
	assert_int_equal(told->standing.left_us, -1);
	cJSON *object = standing_json(&told->report, &told->standing);
	assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(object, "best")));
	assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(object, "left_s")));
	assert_int_equal(
		cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(object, "running")), 0);
	cJSON_Delete(object);
	forget(told);
}

static int cause(const struct told *told, const char *name)
{
	cJSON *object = standing_json(&told->report, &told->standing);
	const cJSON *causes = cJSON_GetObjectItemCaseSensitive(object, "causes");
	const cJSON *count = cJSON_GetObjectItemCaseSensitive(causes, name);
	const int n = cJSON_IsNumber(count) ? count->valueint : 0;
	cJSON_Delete(object);
	return n;
}

static void causes_in_json_count_what_never_ran_too(void **state)
{
	struct told *told = tell(FIXTURE_TRIALS);
	assert_int_equal(cause(told, "nan"), 1);
	assert_int_equal(cause(told, "before-launch"), 0);
	told->standing.outcomes[OUTCOME_NONE] = 2;
	assert_int_equal(cause(told, "before-launch"), 2);
	forget(told);
}

static void an_ended_job_has_no_time_left(void **state)
{
	struct told *told = tell(2);
	standing_finish(&told->standing);
	FIXTURE_COMMIT(
		&told->fixture, job_set_state(told->fixture.store, told->report.job.id, JOB_DONE,
					"that is enough", FIXTURE_BEGIN, &told->fixture.err));
	ASSERT_OK(&told->fixture, report_refresh(&told->report, &told->fixture.err));
	ASSERT_OK(
		&told->fixture, standing_read(&told->report, &told->standing, &told->fixture.err));
	assert_int_equal(told->standing.left_us, -1);
	forget(told);
}

/* The runtime that is left bounds the estimate. */
static void no_more_time_is_left_than_the_budget_gives(void **state)
{
	struct told *told = tell(2);
	standing_finish(&told->standing);
	FIXTURE_COMMIT(&told->fixture, job_add_runtime(told->fixture.store, told->report.job.id,
					       (int64_t)3597 * S, &told->fixture.err));
	ASSERT_OK(&told->fixture, report_refresh(&told->report, &told->fixture.err));
	ASSERT_OK(
		&told->fixture, standing_read(&told->report, &told->standing, &told->fixture.err));
	assert_int_equal(told->standing.left_us, 3 * S);
	forget(told);
}

static void the_last_noteworthy_events_stay_the_others_go(void **state)
{
	struct told *told = tell(2);
	assert_int_equal(told->standing.recent.n, 0);
	standing_finish(&told->standing);
	for (int i = 1; i <= 7; i++) {
		char data[64];
		int64_t id;
		snprintf(data, sizeof(data), "{\"changes\": \"retries: %d\"}", i);
		FIXTURE_COMMIT(&told->fixture,
			event_add(told->fixture.store, told->report.job.id, 0, 0, "edited", data,
				FIXTURE_BEGIN, &id, &told->fixture.err));
	}
	ASSERT_OK(
		&told->fixture, standing_read(&told->report, &told->standing, &told->fixture.err));
	assert_int_equal(told->standing.recent.n, 5);
	assert_non_null(strstr(told->standing.recent.items[0].data, "retries: 3"));
	assert_non_null(strstr(told->standing.recent.items[4].data, "retries: 7"));
	forget(told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trials_to_come_share_the_slots),
		cmocka_unit_test(what_runs_has_its_rest_before_it),
		cmocka_unit_test(the_last_trial_is_not_shared),
		cmocka_unit_test(what_is_overdue_and_what_was_capped_take_no_time),
		cmocka_unit_test(each_trial_is_counted_where_it_belongs),
		cmocka_unit_test(an_empty_job_has_nothing_and_waits_for_its_first),
		cmocka_unit_test(causes_in_json_count_what_never_ran_too),
		cmocka_unit_test(an_ended_job_has_no_time_left),
		cmocka_unit_test(no_more_time_is_left_than_the_budget_gives),
		cmocka_unit_test(the_last_noteworthy_events_stay_the_others_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
