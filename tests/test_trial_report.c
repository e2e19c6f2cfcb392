#include "tests/fixture_report.h"

struct told {
	struct fixture fixture;
	struct report report;
};

static int tell(void **state)
{
	struct told *told = calloc(1, sizeof(*told));
	*state = told;
	fixture_open(&told->fixture);
	fixture_tell(&told->fixture, FIXTURE_TOLD, FIXTURE_TRIALS, &told->report);
	return 0;
}

static int forget(void **state)
{
	struct told *told = *state;
	report_close(&told->report);
	fixture_close(&told->fixture);
	free(told);
	return 0;
}

static struct trial trial_of(struct told *told, const char *argument)
{
	struct trial trial;
	ASSERT_OK(
		&told->fixture, report_trial(&told->report, argument, &trial, &told->fixture.err));
	return trial;
}

static void a_trial_is_named_by_number_or_by_its_place(void **state)
{
	struct told *told = *state;
	static const struct {
		const char *argument;
		int64_t number;
	} cases[] = { { "1", 1 }, { "6", 6 }, { "best", 2 }, { "last", 6 } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct trial trial = trial_of(told, cases[i].argument);
		assert_int_equal(trial.number, cases[i].number);
		trial_finish(&trial);
	}
}

static void a_trial_that_is_not_there_is_an_error_that_says_what_to_do(void **state)
{
	struct told *told = *state;
	static const char *const arguments[] = { "7", "0", "-1", "1.5", "one", "" };
	for (size_t i = 0; i < sizeof(arguments) / sizeof(*arguments); i++) {
		struct trial trial;
		assert_false(report_trial(&told->report, arguments[i], &trial, &told->fixture.err));
		assert_int_equal(told->fixture.err.code, TUNER_USAGE);
	}
}

static void value_is(const cJSON *object, const char *name, double value)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	if (!cJSON_IsNumber(item) || item->valuedouble != value)
		fail_msg("%s is not %g", name, value);
}

static void string_is(const cJSON *object, const char *name, const char *value)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	if (!cJSON_IsString(item) || strcmp(item->valuestring, value) != 0)
		fail_msg("%s is not \"%s\"", name, value);
}

static void is_null(const cJSON *object, const char *name)
{
	if (!cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(object, name)))
		fail_msg("%s is not null", name);
}

static cJSON *json_of(struct told *told, const char *argument)
{
	struct trial trial = trial_of(told, argument);
	cJSON *object = trial_json(&told->report, &trial);
	assert_non_null(object);
	trial_finish(&trial);
	return object;
}

static void a_done_trial_has_its_value_and_its_curve_in_short(void **state)
{
	cJSON *object = json_of(*state, "2");
	value_is(object, "trial", 2);
	string_is(object, "state", "done");
	string_is(object, "outcome", "ok");
	string_is(object, "metric", "loss");
	string_is(object, "proposed_by", "model");
	string_is(object, "source", "strategy");
	value_is(object, "objective", 2);
	value_is(object, "last_step", 3);
	value_is(object, "last_value", 2);
	value_is(object, "best_value", 2);
	value_is(object, "reports", 3);
	value_is(object, "duration_s", 10);
	value_is(object, "started", (double)FIXTURE_BEGIN / 1e6 + 2);
	assert_string_equal(cJSON_GetObjectItemCaseSensitive(object, "parameters")->valuestring,
		"{\"x\": 0.10000000000000001}"); /* as stored */
	cJSON_Delete(object);
}

/* It ran and reported: NaN is a word. It has no objective: null. */
static void a_reported_nan_is_a_word_and_a_missing_value_null(void **state)
{
	cJSON *object = json_of(*state, "3");
	string_is(object, "last_value", "nan");
	is_null(object, "objective");
	is_null(object, "best_value");
	string_is(object, "outcome", "nan");
	string_is(object, "message", "loss is \033[31mNaN");
	cJSON_Delete(object);
	object = json_of(*state, "6");
	string_is(object, "outcome", "");
	is_null(object, "last_value");
	is_null(object, "last_step");
	is_null(object, "started");
	is_null(object, "ended");
	is_null(object, "duration_s");
	value_is(object, "reports", 0);
	cJSON_Delete(object);
}

/* Whoever reads it need not ask what is there. */
static void every_trial_has_the_same_keys(void **state)
{
	cJSON *first = json_of(*state, "1");
	for (int number = 2; number <= FIXTURE_TRIALS; number++) {
		char argument[16];
		snprintf(argument, sizeof(argument), "%d", number);
		cJSON *other = json_of(*state, argument);
		assert_int_equal(cJSON_GetArraySize(other), cJSON_GetArraySize(first));
		for (const cJSON *a = first->child, *b = other->child; a != NULL;
			a = a->next, b = b->next)
			assert_string_equal(a->string, b->string);
		cJSON_Delete(other);
	}
	cJSON_Delete(first);
}

static void an_attempt_tells_what_became_of_its_process(void **state)
{
	struct told *told = *state;
	struct trial trial = trial_of(told, "1");
	struct attempt_list list;
	ASSERT_OK(&told->fixture, attempt_select(told->report.store, told->report.job.id, trial.id,
					  &list, &told->fixture.err));
	assert_int_equal(list.n, 1);
	cJSON *object = attempt_json(&list.items[0]);
	value_is(object, "exit_code", 0);
	is_null(object, "signal");
	is_null(object, "cost");
	value_is(object, "user_s", 1.5);
	string_is(object, "directory", "job/0001/1");
	cJSON_Delete(object);
	attempt_list_finish(&list);
	trial_finish(&trial);
}

static void event_is(const char *kind, int64_t trial, const char *data, const char *expected)
{
	const struct event event = {
		.trial_number = trial, .kind = (char *)kind, .data = (char *)data, .time_us = 1
	};
	struct text text = TEXT_EMPTY;
	event_text(&event, &text);
	assert_string_equal(text.bytes, expected);
	text_finish(&text);
}

static void events_are_told_in_words(void **state)
{
	event_is("proposed", 3, "{}", "trial 3 proposed");
	event_is("ended", 3,
		"{\"attempt\": 1, \"outcome\": \"ok\", \"state\": \"done\", \"objective\": 0.5}",
		"trial 3 done, 0.5");
	event_is("ended", 3,
		"{\"outcome\": \"crashed\", \"state\": \"failed\", \"objective\": null}",
		"trial 3 failed: crashed");
	event_is("ended", 3, "{\"outcome\": \"\", \"state\": \"stopped\", \"objective\": null}",
		"trial 3 stopped");
	event_is("retry", 3, "{\"outcome\": \"lost\", \"state\": \"proposed\"}",
		"trial 3 to be launched again: lost");
	event_is("stop", 3, "{\"outcome\": \"early-stopped\", \"reason\": \"worse than 0.5\"}",
		"trial 3 is being stopped: early-stopped, worse than 0.5");
	event_is("edited", 0, "{\"changes\": \"  budget.trials: 4 -> 7\\nretries: 1 -> 2\\n\"}",
		"job file edited: budget.trials: 4 -> 7; retries: 1 -> 2");
	event_is("gpu", 0,
		"{\"host\": \"h\", \"gpu\": \"GPU-a\", \"index\": 1, \"name\": \"H0\", \"state\": "
		"\"busy\", "
		"\"message\": \"process 7 is computing on it\"}",
		"GPU 1 of h is left alone: process 7 is computing on it");
	event_is("gpu", 0,
		"{\"host\": \"h\", \"index\": 0, \"state\": \"taken\", \"message\": \"by job j of "
		"another "
		"tuner\"}",
		"GPU 0 of h is taken by job j of another tuner");
	event_is("gpu", 0,
		"{\"host\": \"h\", \"index\": 0, \"state\": \"free\", \"message\": \"\"}",
		"GPU 0 of h is free");
	event_is("something", 0, "{}", "something");
}

static void parameters_are_told_as_people_write_them(void **state)
{
	struct trial trial = {
		.parameters =
			(char *)"{\"lr\": 0.0368535096008037, \"opt\": \"ad\\u001bam\", "
				"\"n\": 64, \"rows\": 8052924, \"far\": -1e15, \"fast\": true, "
				"\"suffix\": \"\"}"
	};
	struct text text = TEXT_EMPTY;
	trial_text(&trial, &text);
	assert_string_equal(text.bytes,
		"lr=0.03685 opt=ad?am n=64 rows=8052924 far=-1e+15 fast=true suffix=\"\"");
	text_finish(&text);
}

static void a_refresh_sees_what_was_committed_since(void **state)
{
	struct told *told = *state;
	FIXTURE_COMMIT(
		&told->fixture, job_set_state(told->fixture.store, told->report.job.id, JOB_STOPPED,
					"by hand", FIXTURE_BEGIN, &told->fixture.err));
	assert_int_equal(told->report.job.state, JOB_OPEN);
	ASSERT_OK(&told->fixture, report_refresh(&told->report, &told->fixture.err));
	assert_int_equal(told->report.job.state, JOB_STOPPED);
	assert_string_equal(told->report.job.reason, "by hand");
}

int main(void)
{
#define TOLD(name) cmocka_unit_test_setup_teardown(name, tell, forget)
	const struct CMUnitTest tests[] = {
		TOLD(a_trial_is_named_by_number_or_by_its_place),
		TOLD(a_trial_that_is_not_there_is_an_error_that_says_what_to_do),
		TOLD(a_done_trial_has_its_value_and_its_curve_in_short),
		TOLD(a_reported_nan_is_a_word_and_a_missing_value_null),
		TOLD(every_trial_has_the_same_keys),
		TOLD(an_attempt_tells_what_became_of_its_process),
		cmocka_unit_test(events_are_told_in_words),
		cmocka_unit_test(parameters_are_told_as_people_write_them),
		TOLD(a_refresh_sees_what_was_committed_since),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
