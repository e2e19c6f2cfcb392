#include "tests/fixture_job.h"
#include "tuner/ask_tell_line.h"
#include "tuner/job_open.h"
#include "tuner/store_wait.h"

#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <unistd.h>

#define TWO_KINDS "\"parameters\": {\"kind\": {\"type\": \"categorical\", \"values\": [1, 2]}}, "
#define RANDOM    "\"name\": \"job\", \"strategy\": \"random\", \"budget\": {\"trials\": 3}"

/* In memory, or with a database of its own. */
struct asker {
	struct fixture fixture;
	struct job_file *file;
	struct ask_tell_settings settings;
	struct ask_tell *ask_tell;
	struct tuner_error err;
};

static void asker_open(struct asker *asker, const char *keys, int64_t lease_us)
{
	*asker = (struct asker){ .file = fixture_file(keys) };
	asker->settings = (struct ask_tell_settings){
		.file = asker->file, .host = "test", .lease_us = lease_us
	};
	ASSERT_OK(asker, ask_tell_open(&asker->settings, &asker->ask_tell, &asker->err));
}

static void asker_open_stored(struct asker *asker, const char *keys)
{
	struct job_opening opening;
	*asker = (struct asker){ .file = fixture_file(keys) };
	fixture_open(&asker->fixture);
	ASSERT_OK(asker,
		job_open(asker->fixture.store, asker->file, false, NULL, &opening, &asker->err));
	text_finish(&opening.changes);
	asker->settings = (struct ask_tell_settings){ .file = asker->file,
		.store = asker->fixture.store,
		.job_id = opening.job_id,
		.host = "test" };
	ASSERT_OK(asker, ask_tell_open(&asker->settings, &asker->ask_tell, &asker->err));
}

static void asker_close(struct asker *asker)
{
	ask_tell_close(asker->ask_tell);
	job_file_destroy(asker->file);
	if (asker->settings.store != NULL)
		fixture_close(&asker->fixture);
}

/* The number of the trial asked for; 0: exhausted. */
static int64_t ask(struct asker *asker)
{
	struct asked asked = { 0 };
	bool exhausted;
	ASSERT_OK(asker, ask_tell_ask(asker->ask_tell, &asked, &exhausted, &asker->err));
	return exhausted ? 0 : asked.number;
}

static struct told_answer tell(struct asker *asker, int64_t number, struct told told)
{
	struct told_answer answer;
	ASSERT_OK(asker, ask_tell_tell(asker->ask_tell, number, &told, &answer, &asker->err));
	return answer;
}

static void refuse(struct asker *asker, int64_t number, const char *why)
{
	const struct told told = { .kind = TOLD_VALUE, .value = 1 };
	struct told_answer answer;
	assert_false(ask_tell_tell(asker->ask_tell, number, &told, &answer, &asker->err));
	assert_int_equal(asker->err.code, TUNER_USAGE);
	if (strstr(asker->err.message, why) == NULL)
		fail_msg("\"%s\" is not in: %s", why, asker->err.message);
}

/* ---- pending trials ---- */

static void what_is_pending_is_not_proposed_again(void **state)
{
	struct asker asker;
	asker_open(&asker, FIXTURE_OBJECTIVE TWO_KINDS RANDOM, 0);
	assert_int_equal(ask(&asker), 1);
	assert_int_equal(ask(&asker), 2);
	assert_int_equal(ask(&asker), 0);
	tell(&asker, 2, (struct told){ .kind = TOLD_VALUE, .value = 1 });
	assert_int_equal(ask(&asker), 0);
	asker_close(&asker);
}

static void after_its_lease_it_may_be_and_a_late_tell_is_taken(void **state)
{
	struct asker asker;
	asker_open(&asker, FIXTURE_OBJECTIVE TWO_KINDS RANDOM, 1);
	for (int64_t n = 1; n <= 4; n++) {
		assert_int_equal(ask(&asker), n);
		usleep(1000);
	}
	const struct told_answer answer =
		tell(&asker, 1, (struct told){ .kind = TOLD_VALUE, .value = 1 });
	assert_int_equal(answer.state, TRIAL_DONE);
	assert_true(answer.best);
	tell(&asker, 4, (struct told){ .kind = TOLD_VALUE, .value = 2 });
	asker_close(&asker);
}

/* ---- fates ---- */

static void a_trial_ends_once(void **state)
{
	struct asker asker;
	asker_open(&asker, FIXTURE_OBJECTIVE FIXTURE_X RANDOM, 0);
	refuse(&asker, 1, "never asked for");
	ask(&asker);
	ask(&asker);
	tell(&asker, 1, (struct told){ .kind = TOLD_VALUE, .value = 0.25 });
	refuse(&asker, 1, "already has its value: 0.25");
	tell(&asker, 2, (struct told){ .kind = TOLD_FAILED, .outcome = OUTCOME_CRASHED });
	refuse(&asker, 2, "already ended: crashed");
	asker_close(&asker);
}

static void outcomes_become_states_as_in_run(void **state)
{
	static const struct {
		enum outcome outcome;
		enum trial_state without, with; /* a curve */
	} rows[] = {
		{ OUTCOME_NAN, TRIAL_FAILED, TRIAL_FAILED },
		{ OUTCOME_DIVERGED, TRIAL_FAILED, TRIAL_FAILED },
		{ OUTCOME_CRASHED, TRIAL_FAILED, TRIAL_FAILED },
		{ OUTCOME_OOM_GPU, TRIAL_FAILED, TRIAL_FAILED },
		{ OUTCOME_NO_METRIC, TRIAL_FAILED, TRIAL_FAILED },
		{ OUTCOME_TIMEOUT, TRIAL_FAILED, TRIAL_STOPPED },
		{ OUTCOME_EARLY_STOPPED, TRIAL_STOPPED, TRIAL_STOPPED },
		{ OUTCOME_USER_STOPPED, TRIAL_STOPPED, TRIAL_STOPPED },
	};
	struct asker asker;
	asker_open(&asker, FIXTURE_OBJECTIVE FIXTURE_X RANDOM, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct told failed = { .kind = TOLD_FAILED, .outcome = rows[i].outcome };
		struct told_answer answer = tell(&asker, ask(&asker), failed);
		assert_int_equal(answer.state, rows[i].without);
		assert_true(isnan(answer.objective));
		const int64_t number = ask(&asker);
		answer = tell(
			&asker, number, (struct told){ .kind = TOLD_STEP, .step = 1, .value = 7 });
		assert_int_equal(answer.outcome, OUTCOME_NONE);
		answer = tell(&asker, number, failed);
		assert_int_equal(answer.state, rows[i].with);
		assert_true(rows[i].with == TRIAL_STOPPED ? answer.objective == 7
							  : isnan(answer.objective));
	}
	asker_close(&asker);
}

static void nan_is_a_failure_and_infinity_a_value(void **state)
{
	struct asker asker;
	asker_open(&asker, FIXTURE_OBJECTIVE FIXTURE_X RANDOM, 0);
	struct told_answer answer =
		tell(&asker, ask(&asker), (struct told){ .kind = TOLD_VALUE, .value = NAN });
	assert_int_equal(answer.state, TRIAL_FAILED);
	assert_int_equal(answer.outcome, OUTCOME_NAN);
	answer = tell(&asker, ask(&asker), (struct told){ .kind = TOLD_VALUE, .value = INFINITY });
	assert_int_equal(answer.state, TRIAL_DONE);
	asker_close(&asker);
}

static void reasons_are_what_a_configuration_can_cause(void **state)
{
	struct tuner_error err;
	enum outcome outcome;
	size_t taken = 0;
	for (enum outcome o = OUTCOME_OK; o < OUTCOMES; o++) {
		if (told_outcome(outcome_name(o), &outcome, &err)) {
			assert_int_equal(outcome, o);
			taken++;
		} else {
			assert_int_equal(err.code, TUNER_USAGE);
		}
	}
	assert_int_equal(taken, 8);
	assert_false(told_outcome("lost", &outcome, &err));
	assert_non_null(strstr(err.message, "not the configuration's fault"));
	assert_false(told_outcome("oom", &outcome, &err));
	assert_false(told_outcome("", &outcome, &err));
}

static void a_stopping_rule_is_asked_at_each_step(void **state)
{
	struct asker asker;
	asker_open(&asker,
		FIXTURE_OBJECTIVE FIXTURE_X "\"early_stopping\": {\"rule\": \"threshold\", "
					    "\"bound\": 10, \"patience\": 1}, " RANDOM,
		0);
	const int64_t number = ask(&asker);
	bool stop = false;
	for (int64_t step = 1; step <= 20; step++) {
		const struct told_answer answer = tell(&asker, number,
			(struct told){
				.kind = TOLD_STEP, .step = step, .value = step <= 10 ? 5 : 50 });
		if (step <= 10)
			assert_false(answer.stop);
		stop = stop || answer.stop;
	}
	assert_true(stop);
	asker_close(&asker);
}

static void told_steps_of_a_formula_are_its_values_and_not_one_metrics(void **state)
{
	struct asker asker;
	asker_open(&asker,
		"\"objective\": {\"expression\": \"acc - lag\", \"goal\": \"minimize\", "
		"\"reduce\": {\"acc\": \"max\"}}, " FIXTURE_X RANDOM,
		0);
	const int64_t number = ask(&asker);
	for (int64_t step = 1; step <= 3; step++)
		(void)tell(&asker, number,
			(struct told){
				.kind = TOLD_STEP, .step = step, .value = 10 - (double)step });
	const struct told_answer answer = tell(&asker, number,
		(struct told){ .kind = TOLD_FAILED, .outcome = OUTCOME_EARLY_STOPPED });
	assert_true(answer.objective == 7);
	asker_close(&asker);
}

/* ---- with a database ---- */

static void a_stored_history_is_that_in_memory(void **state)
{
	static const char keys[] =
		FIXTURE_OBJECTIVE FIXTURE_X "\"name\": \"job\", \"budget\": {\"trials\": 12}";
	struct asker memory, stored;
	asker_open(&memory, keys, 0);
	asker_open_stored(&stored, keys);
	for (int64_t n = 1; n <= 12; n++) {
		struct asked asked = { 0 }, same = { 0 };
		bool exhausted;
		ASSERT_OK(&memory, ask_tell_ask(memory.ask_tell, &asked, &exhausted, &memory.err));
		ASSERT_OK(&stored, ask_tell_ask(stored.ask_tell, &same, &exhausted, &stored.err));
		assert_true(asked.values[0] == same.values[0]);
		const struct told told = { .kind = n % 5 == 0 ? TOLD_FAILED : TOLD_VALUE,
			.outcome = OUTCOME_DIVERGED,
			.value = sin(9 * asked.values[0]) };
		tell(&memory, n, told);
		tell(&stored, n, told);
		/* And what is read anew is what was kept. */
		ask_tell_close(stored.ask_tell);
		ASSERT_OK(&stored, ask_tell_open(&stored.settings, &stored.ask_tell, &stored.err));
	}
	asker_close(&memory);
	asker_close(&stored);
}

/* Another asker with a copy of the database. */
static void asker_open_copy(struct asker *asker, const struct asker *of)
{
	char command[160];
	sqlite3 *db = NULL;
	*asker = (struct asker){ .file = of->file, .settings = of->settings };
	strcpy(asker->fixture.directory, "/tmp/tuner-test-XXXXXX");
	assert_non_null(mkdtemp(asker->fixture.directory));
	snprintf(asker->fixture.path, sizeof(asker->fixture.path), "%s/tuner.db",
		asker->fixture.directory);
	snprintf(command, sizeof(command), "VACUUM INTO '%s'", asker->fixture.path);
	assert_int_equal(sqlite3_open(of->fixture.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, command, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	ASSERT_OK(asker,
		store_open(asker->fixture.path, STORE_WRITE, &asker->settings.store, &asker->err));
	asker->fixture.store = asker->settings.store;
	ASSERT_OK(asker, ask_tell_open(&asker->settings, &asker->ask_tell, &asker->err));
}

/* Of the time from question to answer the database has what the model goes by, so that a decision can be
 * computed from it again. */
static void durations_are_those_of_the_database(void **state)
{
	struct asker asker, copy;
	asker_open_stored(&asker,
		FIXTURE_OBJECTIVE FIXTURE_X "\"name\": \"job\", \"budget\": {\"trials\": 40}, "
					    "\"strategy\": {\"initial\": 6, \"cost_aware\": true}");
	for (int64_t n = 1; n <= 12; n++) {
		struct asked asked = { 0 }, again = { 0 };
		bool exhausted;
		asker_open_copy(&copy, &asker);
		ASSERT_OK(&asker, ask_tell_ask(asker.ask_tell, &asked, &exhausted, &asker.err));
		ASSERT_OK(&copy, ask_tell_ask(copy.ask_tell, &again, &exhausted, &copy.err));
		assert_true(asked.values[0] == again.values[0]);
		ask_tell_close(copy.ask_tell);
		fixture_close(&copy.fixture);
		usleep(asked.values[0] < 0.5 ? 1000 : 10000);
		tell(&asker, n,
			(struct told){ .kind = TOLD_VALUE, .value = sin(9 * asked.values[0]) });
	}
	asker_close(&asker);
}

static void a_job_that_has_ended_goes_on_when_it_is_asked(void **state)
{
	struct asker asker;
	struct job job = { 0 };
	asker_open_stored(&asker, FIXTURE_OBJECTIVE FIXTURE_X RANDOM);
	ask_tell_close(asker.ask_tell);
	ASSERT_OK(&asker, store_begin(asker.settings.store, STORE_DURABLE, &asker.err));
	ASSERT_OK(&asker, job_set_state(asker.settings.store, asker.settings.job_id, JOB_DONE,
				  "enough", 1, &asker.err));
	ASSERT_OK(&asker, store_commit(asker.settings.store, &asker.err));
	ASSERT_OK(&asker, ask_tell_open(&asker.settings, &asker.ask_tell, &asker.err));
	assert_int_equal(ask(&asker), 1);
	ASSERT_OK(&asker, job_load(asker.settings.store, asker.settings.job_id, &job, &asker.err));
	assert_int_equal(job.state, JOB_OPEN);
	job_finish(&job);
	asker_close(&asker);
}

/* ---- lines ---- */

static void answer_has(struct asker *asker, const char *line, const char *part)
{
	struct text answer = TEXT_EMPTY;
	ASSERT_OK(
		asker, ask_tell_answer(asker->ask_tell, line, strlen(line), &answer, &asker->err));
	if (strstr(answer.bytes, part) == NULL)
		fail_msg("\"%s\" is not in the answer to %s: %s", part, line, answer.bytes);
	text_finish(&answer);
}

static void each_line_has_its_answer(void **state)
{
	static const struct {
		const char *line, *part;
	} lines[] = {
		{ "{\"ask\": 3}", "\"trial\": 3" },
		{ " { \"ask\" : 1 } ", "{\"trials\": [{\"trial\": 4, \"parameters\": {\"x\": " },
		{ "{\"tell\": 1, \"value\": NaN}", "{\"ok\": true}" },
		{ "{\"tell\": 1, \"value\": 1}", "already ended: nan" },
		{ "{\"tell\": 2, \"value\": -Infinity}", "{\"ok\": true}" },
		{ "{\"tell\": 3, \"value\": null}", "{\"ok\": true}" },
		{ "{\"tell\": 4, \"value\": \"1e400\"}", "a number below 1.8e308 in size" },
		{ "{\"tell\": 4, \"value\": -1e400}", "a number below 1.8e308 in size" },
		{ "{\"tell\": 4, \"value\": \"inf\"}", "{\"ok\": true}" },
		{ "{\"tell\": 4, \"value\": 9007199254740993}", "write it as a string" },
		{ "{\"add\": {\"x\": 0.5}, \"value\": \"9007199254740993\"}",
			"{\"ok\": true, \"trial\": 5}" },
		{ "{\"tell\": 4, \"value\": \"much\"}", "is a number, not a string" },
		{ "{\"tell\": 4, \"value\": \"0.7\"}", "is a number, not a string" },
		{ "{\"add\": {\"x\": 0.5}, \"failed\": \"nan\"}", "{\"ok\": true, \"trial\": 6}" },
		{ "{\"add\": {\"x\": \"NaN\"}, \"value\": 1}", "expected a number from 0 to 1" },
		{ "{\"add\": {\"x\": NaN}, \"value\": 1}", "expected a number from 0 to 1" },
		{ "{\"add\": {\"y\": 0.5}, \"value\": 1}", "no such parameter" },
		{ "{\"add\": {}, \"value\": 1}", "x is missing" },
		{ "{\"add\": 1, \"value\": 1}", "expected an object of values" },
		{ "{\"add\": {\"x\": 0.5}, \"step\": 1, \"value\": 1}", "not known beside" },
		{ "{\"ask\": 1, \"tell\": 1}", "not known beside" },
		{ "{\"ask\": \"one\"}", "whole number" },
		{ "{\"ask\": 1001}", "whole number" },
		{ "{\"ask\": 1e300}", "whole number" },
		{ "{\"tell\": 0, \"value\": 1}", "whole number" },
		{ "{\"tell\": 7}", "expected either" },
		{ "{\"tell\": 7, \"failed\": 1}", "is a reason" },
		{ "{\"tell\": 7, \"failed\": \"nan\", \"step\": 1}", "no \\\"step\\\"" },
		{ "{\"tell\": 7, \"value\": [1]}", "is a number" },
		{ "{\"tell\": 7, \"value\": 1, \"step\": 0.5}", "whole number" },
		{ "{\"tell\": 7, \"value\": \"NaN", "{\"error\": " },
		{ "{\"tell\": 7, \"value\": NaN NaN}", "{\"error\": " },
		{ "\\\"NaN", "{\"error\": " },
		{ "{}", "a line is one of" },
		{ "{\"ask\": 1}", "\"trial\": 7" },
	};
	struct asker asker;
	asker_open(&asker, FIXTURE_OBJECTIVE FIXTURE_X RANDOM, 0);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		answer_has(&asker, lines[i].line, lines[i].part);
	asker_close(&asker);
}

static void what_the_job_file_wants_first_comes_first(void **state)
{
	struct asker asker;
	asker_open(&asker,
		FIXTURE_OBJECTIVE FIXTURE_X "\"first\": [{\"x\": 0.75}, {\"x\": 0.125}], " RANDOM,
		0);
	answer_has(&asker, "{\"ask\": 2}",
		"[{\"trial\": 1, \"parameters\": {\"x\": 0.75}}, {\"trial\": 2, \"parameters\": "
		"{\"x\": 0.125}}]");
	asker_close(&asker);
}

/* ---- taking turns ---- */

static void who_holds_the_database_is_named(void **state)
{
	struct fixture fixture;
	struct store *second = NULL;
	char pid[32];
	fixture_open(&fixture);
	assert_false(store_open_waiting(fixture.path, 30, &second, &fixture.err));
	assert_int_equal(fixture.err.code, TUNER_RETRY);
	snprintf(pid, sizeof(pid), "process %d (test_ask_tell", (int)getpid());
	if (strstr(fixture.err.message, pid) == NULL)
		fail_msg("\"%s\" is not in: %s", pid, fixture.err.message);
	store_close(fixture.store);
	ASSERT_OK(&fixture, store_open_waiting(fixture.path, 30, &fixture.store, &fixture.err));
	fixture_close(&fixture);
}

static void what_waiting_does_not_cure_is_told_at_once(void **state)
{
	struct store *store = NULL;
	struct tuner_error err;
	assert_false(store_open_waiting("/nowhere/at/all.db", STORE_WAIT_MS, &store, &err));
	assert_int_equal(err.code, TUNER_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_pending_is_not_proposed_again),
		cmocka_unit_test(after_its_lease_it_may_be_and_a_late_tell_is_taken),
		cmocka_unit_test(a_trial_ends_once),
		cmocka_unit_test(outcomes_become_states_as_in_run),
		cmocka_unit_test(nan_is_a_failure_and_infinity_a_value),
		cmocka_unit_test(reasons_are_what_a_configuration_can_cause),
		cmocka_unit_test(a_stopping_rule_is_asked_at_each_step),
		cmocka_unit_test(told_steps_of_a_formula_are_its_values_and_not_one_metrics),
		cmocka_unit_test(a_stored_history_is_that_in_memory),
		cmocka_unit_test(durations_are_those_of_the_database),
		cmocka_unit_test(a_job_that_has_ended_goes_on_when_it_is_asked),
		cmocka_unit_test(each_line_has_its_answer),
		cmocka_unit_test(what_the_job_file_wants_first_comes_first),
		cmocka_unit_test(who_holds_the_database_is_named),
		cmocka_unit_test(what_waiting_does_not_cure_is_told_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
