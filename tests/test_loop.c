/* The loop with a backend without processes, in virtual time. What an attempt does is scripted by its
 * trial and attempt number. */
#include "base/clock.h"
#include "scheduler/backend.h"
#include "tests/fixture_job.h"
#include "trials/event.h"
#include "tuner/job_open.h"
#include "tuner/loop.h"
#include "tuner/reopen.h"

#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

/* One attempt's life, chosen by a script. */
struct act {
	int code;
	const char *output;
	enum { ACT_EXIT, ACT_LOSE, ACT_FAIL } end;
	int64_t ms, start_ms; /* of its end; of its command's start, if not stage.start_ms */
};

typedef struct act script_function(int trial, int attempt);

static struct {
	script_function *script;
	size_t starts;
	int interrupt_at; /* start at which this process signals itself; 0: never */
	int signal;
	int64_t start_ms; /* from an attempt's launch to its command's start; 0: 10 */
	int64_t hurry_us; /* by which a wait takes longer on the loop's clock */
	int64_t passed_us;
} stage;

int64_t __real_clock_monotonic_us(void);
int64_t __wrap_clock_monotonic_us(void);

int64_t __wrap_clock_monotonic_us(void)
{
	return __real_clock_monotonic_us() + stage.passed_us;
}

static size_t play(void *context, int64_t attempt, const char *directory,
	struct null_step *ret_steps, size_t size)
{
	int trial = 0, number = 0;
	const char *at = strstr(directory, "/job/");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "/job/%d/%d", &trial, &number), 2);
	const struct act act = stage.script(trial, number);
	size_t n = 0;
	stage.starts++;
	if (stage.interrupt_at == (int)stage.starts)
		kill(getpid(), stage.signal);
	ret_steps[n++] = (struct null_step){ .at_ms = act.start_ms > 0     ? act.start_ms
						      : stage.start_ms > 0 ? stage.start_ms
									   : 10,
		.what = NULL_START };
	if (act.output != NULL)
		ret_steps[n++] = (struct null_step){ .at_ms = act.ms < 200 ? act.ms / 2 : 100,
			.what = NULL_OUTPUT,
			.output = act.output };
	ret_steps[n++] = (struct null_step){ .at_ms = act.ms,
		.what = act.end == ACT_LOSE   ? NULL_LOSE
			: act.end == ACT_FAIL ? NULL_FAIL
					      : NULL_EXIT,
		.code = act.code };
	return n;
}

/* Virtual time goes on whenever the loop would wait. */
static int advance(struct backend *backend)
{
	backend_null_advance(backend, 10);
	stage.passed_us += stage.hurry_us;
	return 0;
}

static struct backend *open_null(struct backend_ops *ops)
{
	struct backend *backend = NULL;
	struct tuner_error err;
	assert_true(backend_null_open(play, NULL, &backend, &err));
	*ops = *backend->ops;
	ops->wait_ms = advance;
	backend->ops = ops;
	return backend;
}

static struct loop_result run(
	struct fixture *fixture, const char *keys, script_function *script, size_t n_slots)
{
	static const struct slot slots[4] = { { .cores = 1 }, { .cores = 1 }, { .cores = 1 },
		{ .cores = 1 } };
	static const struct job_host entry = { .backend = "null" };
	struct job_file *file = fixture_file(keys);
	struct job_opening opening = { .changes = TEXT_EMPTY };
	struct loop_result result;
	struct backend_ops ops;
	struct pool pool = { .n = 0 };

	ASSERT_OK(fixture, pool_add(&pool, &entry, "test", open_null(&ops), &fixture->err));
	ASSERT_OK(fixture, pool_set_slots(&pool, 0, slots, n_slots, &fixture->err));
	stage.script = script;
	stage.starts = 0;
	ASSERT_OK(fixture, job_open(fixture->store, file, false, NULL, &opening, &fixture->err));
	const struct loop_settings settings = {
		.file = file, .store = fixture->store, .job_id = opening.job_id, .pool = &pool
	};
	ASSERT_OK(fixture, loop_run(&settings, &result, &fixture->err));
	pool_finish(&pool);
	text_finish(&opening.changes);
	job_file_destroy(file);
	stage.interrupt_at = 0;
	return result;
}

static struct trial_list all_trials(struct fixture *fixture)
{
	const struct trial_filter filter = { .job_id = 1, .repeat = -1 };
	struct trial_list list;
	ASSERT_OK(fixture, trial_select(fixture->store, &filter, &list, &fixture->err));
	return list;
}

/* Outcomes of all attempts in order, as "lost ok". */
static void outcomes(struct fixture *fixture, int64_t trial, char ret[256])
{
	struct attempt_list list;
	ASSERT_OK(fixture, attempt_select(fixture->store, 1, trial, &list, &fixture->err));
	*ret = '\0';
	for (size_t i = 0; i < list.n; i++)
		snprintf(ret + strlen(ret), 256 - strlen(ret), "%s%s", i ? " " : "",
			outcome_name(list.items[i].outcome));
	attempt_list_finish(&list);
}

#define KEYS(trials, more)                                                                         \
	FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND                                                \
		"\"strategy\": \"random\", \"backoff\": 0, " more                                  \
		"\"budget\": {\"trials\": " trials "}"

static struct act all_well(int trial, int attempt)
{
	return (struct act){ .output = "@tuner {\"loss\": 0.5}\n", .ms = 100 };
}

static void a_job_runs_to_its_budget_with_all_slots(void **state)
{
	struct fixture fixture;
	fixture_open(&fixture);
	struct loop_result result = run(&fixture, KEYS("9", ""), all_well, 3);
	assert_int_equal(result.status, EXIT_DONE);
	assert_int_equal(result.state, JOB_DONE);
	assert_int_equal(stage.starts, 9);
	struct trial_list list = all_trials(&fixture);
	assert_int_equal(list.n, 9);
	for (size_t i = 0; i < list.n; i++) {
		assert_int_equal(list.items[i].state, TRIAL_DONE);
		assert_true(list.items[i].objective == 0.5);
		assert_int_equal(list.items[i].attempts, 1);
	}
	trial_list_finish(&list);
	fixture_close(&fixture);
}

static struct act loses_twice(int trial, int attempt)
{
	if (trial == 2 && attempt <= 2)
		return (struct act){ .end = ACT_LOSE, .ms = 100 };
	return all_well(trial, attempt);
}

static void a_lost_attempt_is_retried_and_the_trial_comes_through(void **state)
{
	struct fixture fixture;
	char seen[256];
	fixture_open(&fixture);
	struct loop_result result = run(&fixture, KEYS("3", ""), loses_twice, 1);
	assert_int_equal(result.status, EXIT_DONE);
	struct trial_list list = all_trials(&fixture);
	assert_int_equal(list.n, 3);
	assert_int_equal(list.items[1].state, TRIAL_DONE);
	outcomes(&fixture, list.items[1].id, seen);
	assert_string_equal(seen, "lost lost ok");
	trial_list_finish(&list);
	fixture_close(&fixture);
}

static struct act always_loses_two(int trial, int attempt)
{
	if (trial == 2)
		return (struct act){ .end = ACT_LOSE, .ms = 100 };
	return all_well(trial, attempt);
}

static void retries_have_an_end(void **state)
{
	struct fixture fixture;
	char seen[256];
	fixture_open(&fixture);
	struct loop_result result =
		run(&fixture, KEYS("4", "\"retries\": 1, "), always_loses_two, 2);
	assert_int_equal(result.status, EXIT_DONE);
	struct trial_list list = all_trials(&fixture);
	assert_int_equal(list.items[1].state, TRIAL_FAILED);
	assert_true(isnan(list.items[1].objective));
	outcomes(&fixture, list.items[1].id, seen);
	assert_string_equal(seen, "lost lost");
	assert_int_equal(list.items[3].state, TRIAL_DONE);
	trial_list_finish(&list);
	fixture_close(&fixture);
}

static struct act loses_all_but_one(int trial, int attempt)
{
	return trial == 1 ? all_well(trial, attempt) : (struct act){ .end = ACT_LOSE, .ms = 50 };
}

static void too_many_failures_of_the_infrastructure_end_the_job(void **state)
{
	struct fixture fixture;
	fixture_open(&fixture);
	struct loop_result result = run(&fixture,
		FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND "\"strategy\": \"random\", "
							    "\"backoff\": 0, "
							    "\"budget\": {\"trials\": 50, "
							    "\"failures\": 5}",
		loses_all_but_one, 1);
	assert_int_equal(result.status, EXIT_INFRASTRUCTURE);
	assert_int_equal(result.state, JOB_FAILED);
	assert_int_equal(stage.starts, 1 + 5);
	fixture_close(&fixture);
}

/* As if every earlier sitting had been killed. */
static void forget_conclusions(struct fixture *fixture)
{
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "UPDATE run SET ended_us = NULL, exit_status = NULL, reason = ''",
			NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
}

#define FAILURES(n)                                                                                \
	FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND                                                \
		"\"strategy\": \"random\", \"backoff\": 0, "                                       \
		"\"budget\": {\"trials\": 50, \"failures\": " n "}"

static void failures_are_counted_anew_unless_tuner_was_killed(void **state)
{
	struct fixture fixture;
	fixture_open(&fixture);
	assert_int_equal(
		run(&fixture, FAILURES("5"), loses_all_but_one, 1).status, EXIT_INFRASTRUCTURE);
	assert_int_equal(
		run(&fixture, FAILURES("5"), loses_all_but_one, 1).status, EXIT_INFRASTRUCTURE);
	assert_int_equal(stage.starts, 5);
	forget_conclusions(&fixture);
	assert_int_equal(
		run(&fixture, FAILURES("12"), loses_all_but_one, 1).status, EXIT_INFRASTRUCTURE);
	assert_int_equal(stage.starts, 2);
	fixture_close(&fixture);
}

static struct act never_works(int trial, int attempt)
{
	return (struct act){ .code = 1, .output = "no such module\n", .ms = 30 };
}

static void a_broken_command_costs_three_launches(void **state)
{
	struct fixture fixture;
	fixture_open(&fixture);
	struct loop_result result = run(&fixture, KEYS("50", ""), never_works, 4);
	assert_int_equal(result.status, EXIT_BROKEN_COMMAND);
	assert_int_equal(result.state, JOB_FAILED);
	assert_int_equal(stage.starts, 3);
	struct trial_list list = all_trials(&fixture);
	assert_int_equal(list.n, 3);
	trial_list_finish(&list);
	text_finish(&result.log_tail);
	result = run(&fixture, KEYS("50", ""), never_works, 4);
	assert_int_equal(stage.starts, 3);
	text_finish(&result.log_tail);
	forget_conclusions(&fixture);
	result = run(&fixture, KEYS("50", ""), never_works, 4);
	assert_int_equal(stage.starts, 1); /* more than enough */
	text_finish(&result.log_tail);

	/* It was mended: the job goes on to its budget. */
	result = run(&fixture, KEYS("9", ""), all_well, 4);
	assert_int_equal(result.status, EXIT_DONE);
	list = all_trials(&fixture);
	assert_int_equal(list.n, 9);
	trial_list_finish(&list);
	fixture_close(&fixture);
}

static struct act fails_after_100(int trial, int attempt)
{
	return (struct act){ .code = 1, .ms = 100 };
}

/* 10 ms of the backend take ten seconds. */
static size_t starts_of_a_broken_command(int64_t start_ms)
{
	struct fixture fixture;
	fixture_open(&fixture);
	stage.start_ms = start_ms;
	stage.hurry_us = 10000000;
	struct loop_result result = run(&fixture, KEYS("50", ""), fails_after_100, 4);
	stage.start_ms = stage.hurry_us = 0;
	assert_int_equal(result.status, EXIT_BROKEN_COMMAND);
	text_finish(&result.log_tail);
	fixture_close(&fixture);
	return stage.starts;
}

static void a_minute_in_a_queue_says_nothing_of_the_command(void **state)
{
	assert_int_equal(starts_of_a_broken_command(80), 3);
	assert_true(starts_of_a_broken_command(10) > 3); /* it has run for a minute */
}

static struct act fails_to_launch(int trial, int attempt)
{
	return (struct act){ .end = ACT_FAIL, .ms = 20 };
}

static void a_command_that_cannot_be_launched_ends_the_job_too(void **state)
{
	struct fixture fixture;
	fixture_open(&fixture);
	struct loop_result result = run(&fixture, KEYS("50", ""), fails_to_launch, 2);
	assert_int_equal(result.status, EXIT_BROKEN_COMMAND);
	assert_int_equal(stage.starts, 3);
	/* No output tells why. */
	assert_non_null(
		strstr(result.reason, "or its host looks broken: 3 launches failed in a row"));
	assert_non_null(strstr(result.reason, "could not be launched: failed by its script"));
	text_finish(&result.log_tail);
	fixture_close(&fixture);
}

static struct act only_the_first_works(int trial, int attempt)
{
	return trial == 1 ? all_well(trial, attempt) : never_works(trial, attempt);
}

static void failing_configurations_never_end_a_job_that_has_a_result(void **state)
{
	struct fixture fixture;
	fixture_open(&fixture);
	struct loop_result result = run(&fixture, KEYS("20", ""), only_the_first_works, 2);
	assert_int_equal(result.status, EXIT_DONE);
	assert_int_equal(stage.starts, 20);
	fixture_close(&fixture);
}

static struct act falls(int trial, int attempt)
{
	static char text[8][64];
	snprintf(text[trial % 8], sizeof(text[0]), "@tuner {\"loss\": %g}\n", 1.0 / trial);
	return (struct act){ .output = text[trial % 8], .ms = 100 };
}

static void the_target_ends_the_search(void **state)
{
	struct fixture fixture;
	fixture_open(&fixture);
	struct loop_result result = run(&fixture,
		FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND "\"strategy\": \"random\", "
							    "\"budget\": {\"trials\": 50, "
							    "\"target\": 0.25}",
		falls, 1);
	assert_int_equal(result.status, EXIT_DONE);
	assert_int_equal(stage.starts, 4);
	assert_non_null(strstr(result.reason, "target"));
	fixture_close(&fixture);
}

static struct act falls_once_begun(int trial, int attempt)
{
	struct act act = falls(trial, attempt);
	if (trial == 3 && attempt == 1)
		act.start_ms = act.ms = 100000;
	return act;
}

/* As one that waits in a cluster's queue. */
static void what_has_not_begun_when_the_search_ends_is_no_failure_and_begins_later(void **state)
{
	struct fixture fixture;
	char of_trial[256];
	fixture_open(&fixture);
	for (int target = 1; target >= 0; target--) {
		const char *keys = target ? FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND
					   "\"strategy\": \"random\", "
					   "\"budget\": {\"trials\": 5, "
					   "\"target\": 0.25}"
					  : KEYS("5", "");
		struct loop_result result = run(&fixture, keys, falls_once_begun, 2);
		assert_int_equal(result.status, EXIT_DONE);
		struct trial_list list = all_trials(&fixture);
		assert_int_equal(list.items[2].state, target ? TRIAL_PROPOSED : TRIAL_DONE);
		trial_list_finish(&list);
		outcomes(&fixture, 3, of_trial);
		assert_string_equal(of_trial, target ? "interrupted" : "interrupted ok");
	}
	fixture_close(&fixture);
}

static void a_search_that_does_not_improve_ends(void **state)
{
	struct fixture fixture;
	fixture_open(&fixture);
	struct loop_result result = run(&fixture,
		FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND "\"strategy\": \"random\", "
							    "\"budget\": {\"trials\": 50, "
							    "\"not_improving\": 4}",
		all_well, 1);
	assert_int_equal(result.status, EXIT_DONE);
	assert_int_equal(stage.starts, 5);
	fixture_close(&fixture);
}

static struct act long_one(int trial, int attempt)
{
	return (struct act){ .output = "@tuner {\"loss\": 0.5}\n", .ms = 1000000000 };
}

static void sigterm_stops_what_runs_and_the_next_run_goes_on(void **state)
{
	struct fixture fixture;
	char seen[256];
	fixture_open(&fixture);
	stage.interrupt_at = 1;
	stage.signal = SIGTERM;
	struct loop_result result = run(&fixture, KEYS("3", ""), long_one, 1);
	assert_int_equal(result.status, EXIT_TERMINATED);
	assert_int_equal(result.state, JOB_STOPPED);
	struct trial_list list = all_trials(&fixture);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.items[0].state, TRIAL_PROPOSED);
	trial_list_finish(&list);

	result = run(&fixture, KEYS("3", ""), all_well, 1);
	assert_int_equal(result.status, EXIT_DONE);
	list = all_trials(&fixture);
	assert_int_equal(list.n, 3);
	outcomes(&fixture, list.items[0].id, seen);
	assert_string_equal(seen, "interrupted ok");
	trial_list_finish(&list);
	fixture_close(&fixture);
}

static void sigint_lets_what_runs_finish(void **state)
{
	struct fixture fixture;
	fixture_open(&fixture);
	stage.interrupt_at = 3;
	stage.signal = SIGINT;
	struct loop_result result = run(&fixture, KEYS("9", ""), all_well, 2);
	assert_int_equal(result.status, EXIT_INTERRUPTED);
	struct trial_list list = all_trials(&fixture);
	assert_true(list.n >= 3 && list.n <= 4);
	for (size_t i = 0; i < list.n; i++)
		assert_int_equal(list.items[i].state, TRIAL_DONE);
	trial_list_finish(&list);
	fixture_close(&fixture);
}

/* Trial 6 is far worse at every step, and would go on for ever. */
static struct act one_is_hopeless(int trial, int attempt)
{
	static const char good[] = "@tuner {\"step\": 1, \"loss\": 0.1}\n"
				   "@tuner {\"step\": 2, \"loss\": 0.1}\n"
				   "@tuner {\"step\": 9, \"loss\": 0.1}\n";
	static const char hopeless[] = "@tuner {\"step\": 1, \"loss\": 9}\n"
				       "@tuner {\"step\": 2, \"loss\": 9}\n"
				       "@tuner {\"step\": 3, \"loss\": 9}\n";
	if (trial == 6)
		return (struct act){ .output = hopeless, .ms = INT64_C(1000000000000000) };
	return (struct act){ .output = good, .ms = 100 };
}

static void a_hopeless_trial_is_stopped_early_and_its_curve_counts(void **state)
{
	struct fixture fixture;
	fixture_open(&fixture);
	struct loop_result result =
		run(&fixture, KEYS("6", "\"early_stopping\": \"median\", "), one_is_hopeless, 1);
	assert_int_equal(result.status, EXIT_DONE);
	struct trial_list list = all_trials(&fixture);
	assert_int_equal(list.items[5].state, TRIAL_STOPPED);
	assert_int_equal(list.items[5].outcome, OUTCOME_EARLY_STOPPED);
	assert_true(list.items[5].objective == 9);
	trial_list_finish(&list);
	fixture_close(&fixture);
}

/* What the loop keeps in memory must be what the database says: proposals of a run with a restart in
 * the middle are those of one without. (Those of the model, too, unless it was so slow that its work
 * had to be limited, which depends on the machine's load.) */
static void decisions_do_not_depend_on_a_restart(void **state)
{
	static const char keys[] = FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND
		"\"strategy\": \"sobol\", \"budget\": {\"trials\": 8}";
	double x[2][8];
	for (int restarts = 0; restarts < 2; restarts++) {
		struct fixture fixture;
		fixture_open(&fixture);
		if (restarts) {
			stage.interrupt_at = 5;
			stage.signal = SIGINT;
			struct loop_result first = run(&fixture, keys, falls, 1);
			assert_int_equal(first.status, EXIT_INTERRUPTED);
		}
		run(&fixture, keys, falls, 1);
		struct trial_list list = all_trials(&fixture);
		assert_int_equal(list.n, 8);
		for (size_t i = 0; i < list.n; i++)
			x[restarts][i] = list.items[i].values[0];
		trial_list_finish(&list);
		fixture_close(&fixture);
	}
	assert_memory_equal(x[0], x[1], sizeof(x[0]));
}

static struct act the_second_loses_once(int trial, int attempt)
{
	return trial == 2 && attempt == 1 ? (struct act){ .end = ACT_LOSE, .ms = 50 }
					  : all_well(trial, attempt);
}

static void what_waits_for_its_retry_keeps_no_slot_from_others_and_goes_elsewhere(void **state)
{
	struct fixture fixture;
	struct attempt_list attempts;
	fixture_open(&fixture);
	struct loop_result result = run(&fixture,
		FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND
		"\"strategy\": \"random\", \"backoff\": \"200ms\", \"budget\": {\"trials\": 3}",
		the_second_loses_once, 2);
	assert_int_equal(result.status, EXIT_DONE);
	struct trial_list list = all_trials(&fixture);
	assert_int_equal(list.n, 3);
	assert_int_equal(list.items[1].state, TRIAL_DONE);
	ASSERT_OK(&fixture,
		attempt_select(fixture.store, 1, list.items[1].id, &attempts, &fixture.err));
	assert_int_equal(attempts.n, 2);
	assert_int_not_equal(attempts.items[0].slot, attempts.items[1].slot);
	/* At least three quarters of the wait lie between. */
	assert_true(attempts.items[1].intended_us - attempts.items[0].ended_us >= 150000);
	/* The third was launched meanwhile. */
	assert_true(list.items[2].created_us < attempts.items[1].intended_us);
	attempt_list_finish(&attempts);
	trial_list_finish(&list);
	fixture_close(&fixture);
}

static struct fixture *wisher; /* whose database gets the wish */

/* While the second waits, somebody gives it up. */
static struct act the_second_is_lost_and_given_up(int trial, int attempt)
{
	int64_t id;
	if (trial == 3)
		ASSERT_OK(wisher, request_add(wisher->store, 1, "stop", "{\"trial\": 2}",
					  clock_wall_us(), &id, &wisher->err));
	return the_second_loses_once(trial, attempt);
}

static void what_waits_for_its_retry_can_be_stopped(void **state)
{
	struct fixture fixture;
	char seen[256];
	fixture_open(&fixture);
	wisher = &fixture;
	stage.hurry_us = 10000000;
	struct loop_result result = run(&fixture,
		FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND
		"\"strategy\": \"random\", \"backoff\": \"1h\", \"budget\": {\"trials\": 4}",
		the_second_is_lost_and_given_up, 1);
	stage.hurry_us = 0;
	assert_int_equal(result.status, EXIT_DONE);
	struct trial_list list = all_trials(&fixture);
	assert_int_equal(list.n, 4);
	assert_int_equal(list.items[1].state, TRIAL_STOPPED);
	assert_string_equal(list.items[1].message, "stopped by \"tuner stop\"");
	assert_int_equal(list.items[3].state, TRIAL_DONE);
	outcomes(&fixture, list.items[1].id, seen);
	assert_string_equal(seen, "lost");
	trial_list_finish(&list);
	fixture_close(&fixture);
}

static struct act the_second_is_killed(int trial, int attempt)
{
	return trial == 2
		       ? (struct act){ .code = 137, .output = "@tuner {\"loss\": 9}\n", .ms = 50 }
		       : all_well(trial, attempt);
}

static void a_rule_may_blame_the_configuration(void **state)
{
	struct fixture fixture;
	char seen[256];
	fixture_open(&fixture);
	struct loop_result result = run(&fixture,
		KEYS("4", "\"outcomes\": {\"oom-host\": \"fail\"}, "), the_second_is_killed, 1);
	assert_int_equal(result.status, EXIT_DONE);
	assert_int_equal(stage.starts, 4);
	struct trial_list list = all_trials(&fixture);
	assert_int_equal(list.items[1].state, TRIAL_FAILED);
	assert_int_equal(list.items[1].outcome, OUTCOME_CRASHED);
	outcomes(&fixture, list.items[1].id, seen);
	assert_string_equal(seen, "oom-host");
	trial_list_finish(&list);
	fixture_close(&fixture);
}

static void a_rule_may_end_the_job_and_the_next_run_goes_on(void **state)
{
	struct fixture fixture;
	char seen[256];
	fixture_open(&fixture);
	struct loop_result result = run(&fixture,
		KEYS("4", "\"outcomes\": {\"oom-host\": \"end\"}, "), the_second_is_killed, 1);
	assert_int_equal(result.status, EXIT_BROKEN_COMMAND);
	assert_int_equal(result.state, JOB_FAILED);
	assert_non_null(strstr(result.reason, "trial 2 ended as oom-host"));
	assert_int_equal(stage.starts, 2);
	text_finish(&result.log_tail);
	/* Killed before it could say so: the next run does, and starts nothing. */
	forget_conclusions(&fixture);
	result = run(&fixture, KEYS("4", ""), all_well, 1);
	assert_int_equal(result.status, EXIT_BROKEN_COMMAND);
	assert_int_equal(result.state, JOB_FAILED);
	assert_non_null(strstr(result.reason, "trial 2 ended as oom-host"));
	assert_int_equal(stage.starts, 0);
	text_finish(&result.log_tail);
	result = run(&fixture, KEYS("4", ""), all_well, 1);
	assert_int_equal(result.status, EXIT_DONE);
	struct trial_list list = all_trials(&fixture);
	assert_int_equal(list.n, 4);
	assert_int_equal(list.items[1].state, TRIAL_DONE);
	outcomes(&fixture, list.items[1].id, seen);
	assert_string_equal(seen, "oom-host ok");
	trial_list_finish(&list);
	fixture_close(&fixture);
}

static void a_wish_to_retry_that_names_no_trials_number_is_refused(void **state)
{
	static const char *const wishes[] = { "{\"trials\": [1e300]}", "{\"trials\": [-1]}",
		"{\"trials\": [2.5]}", "{\"trials\": [1, \"2\"]}" };
	struct reopen_wish wish;
	struct tuner_error err = { TUNER_OK, "" };

	for (size_t i = 0; i < sizeof(wishes) / sizeof(*wishes); i++) {
		cJSON *argument = cJSON_Parse(wishes[i]);
		assert_non_null(argument);
		assert_false(reopen_wish_read(argument, &wish, &err));
		assert_int_equal(err.code, TUNER_USAGE);
		assert_string_equal(err.message, "a trial's number is a whole one from 1");
		cJSON_Delete(argument);
	}
	cJSON *argument = cJSON_Parse("{\"classes\": [\"lost\"], \"trials\": [1, 12]}");
	assert_true(reopen_wish_read(argument, &wish, &err));
	assert_int_equal(wish.n, 2);
	assert_int_equal(wish.numbers[1], 12);
	cJSON_Delete(argument);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_runs_to_its_budget_with_all_slots),
		cmocka_unit_test(a_lost_attempt_is_retried_and_the_trial_comes_through),
		cmocka_unit_test(retries_have_an_end),
		cmocka_unit_test(too_many_failures_of_the_infrastructure_end_the_job),
		cmocka_unit_test(failures_are_counted_anew_unless_tuner_was_killed),
		cmocka_unit_test(a_broken_command_costs_three_launches),
		cmocka_unit_test(a_minute_in_a_queue_says_nothing_of_the_command),
		cmocka_unit_test(a_command_that_cannot_be_launched_ends_the_job_too),
		cmocka_unit_test(failing_configurations_never_end_a_job_that_has_a_result),
		cmocka_unit_test(the_target_ends_the_search),
		cmocka_unit_test(
			what_has_not_begun_when_the_search_ends_is_no_failure_and_begins_later),
		cmocka_unit_test(a_search_that_does_not_improve_ends),
		cmocka_unit_test(sigterm_stops_what_runs_and_the_next_run_goes_on),
		cmocka_unit_test(sigint_lets_what_runs_finish),
		cmocka_unit_test(a_hopeless_trial_is_stopped_early_and_its_curve_counts),
		cmocka_unit_test(decisions_do_not_depend_on_a_restart),
		cmocka_unit_test(
			what_waits_for_its_retry_keeps_no_slot_from_others_and_goes_elsewhere),
		cmocka_unit_test(what_waits_for_its_retry_can_be_stopped),
		cmocka_unit_test(a_wish_to_retry_that_names_no_trials_number_is_refused),
		cmocka_unit_test(a_rule_may_blame_the_configuration),
		cmocka_unit_test(a_rule_may_end_the_job_and_the_next_run_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
