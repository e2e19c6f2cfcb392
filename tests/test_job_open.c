#include "tests/fixture_job.h"
#include "trials/event.h"
#include "trials/trial.h"
#include "tuner/job_open.h"

#include <math.h>

/* Entries of the configurations that the job file wants first, taken or not. */
static int64_t count_first(struct fixture *fixture, int64_t job_id)
{
	struct queue_list queue;
	int64_t n = 0;

	ASSERT_OK(fixture, queue_select(fixture->store, job_id, &queue, &fixture->err));
	for (size_t i = 0; i < queue.n; i++)
		n += strcmp(queue.items[i].queued.source, "first") == 0;
	queue_list_finish(&queue);
	return n;
}

static struct job load(struct fixture *fixture, int64_t job_id)
{
	struct job job;
	ASSERT_OK(fixture, job_load(fixture->store, job_id, &job, &fixture->err));
	return job;
}

/* Opens and returns the job's id. */
static int64_t open_job(struct fixture *fixture, const char *keys, bool accept, bool created)
{
	struct job_file *file = fixture_file(keys);
	struct job_opening opening = { .changes = TEXT_EMPTY };
	ASSERT_OK(fixture, job_open(fixture->store, file, accept, NULL, &opening, &fixture->err));
	assert_int_equal(opening.created, created);
	text_finish(&opening.changes);
	job_file_destroy(file);
	return opening.job_id;
}

/* The same, refused: what is said is in fixture->err. */
static void refuse_job(struct fixture *fixture, const char *keys, const char *told)
{
	struct job_file *file = fixture_file(keys);
	struct job_opening opening = { .changes = TEXT_EMPTY };
	assert_false(job_open(fixture->store, file, false, NULL, &opening, &fixture->err));
	assert_int_equal(fixture->err.code, TUNER_USAGE);
	if (strstr(fixture->err.message, told) == NULL)
		fail_msg("\"%s\" is not in: %s", told, fixture->err.message);
	text_finish(&opening.changes);
	job_file_destroy(file);
}

static void a_new_job_is_stored_whole(void **state)
{
	struct fixture fixture;
	fixture_open(&fixture);
	const int64_t id = open_job(&fixture,
		FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND
		"\"seed\": 9, \"first\": [{\"x\": 0.5}, {\"x\": 1}], \"budget\": {\"trials\": 7}",
		false, true);
	struct job job = load(&fixture, id);
	assert_string_equal(job.name, "job");
	assert_int_equal(job.seed, 9);
	assert_int_equal(job.trial_cap, 7);
	assert_int_equal(job.state, JOB_OPEN);
	assert_int_equal(count_first(&fixture, id), 2);

	struct job_file *file = NULL;
	ASSERT_OK(&fixture, job_stored_file(&job, &file, &fixture.err));
	assert_int_equal(file->budget.trials, 7);
	assert_true(file->first[0][0] == 0.5);
	job_file_destroy(file);
	job_finish(&job);
	fixture_close(&fixture);
}

static void the_same_file_again_changes_nothing(void **state)
{
	static const char keys[] = FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND "\"seed\": 1";
	struct fixture fixture;
	int64_t before, after;
	fixture_open(&fixture);
	const int64_t id = open_job(&fixture, keys, false, true);
	ASSERT_OK(&fixture, event_last(fixture.store, id, &before, &fixture.err));
	assert_int_equal(open_job(&fixture, keys, false, false), id);
	ASSERT_OK(&fixture, event_last(fixture.store, id, &after, &fixture.err));
	assert_int_equal(before, after);
	fixture_close(&fixture);
}

static void an_edited_budget_is_taken_with_an_event(void **state)
{
	struct fixture fixture;
	struct event_list events;
	bool edited = false;
	fixture_open(&fixture);
	const int64_t id = open_job(&fixture,
		FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND "\"budget\": {\"trials\": 3}", false,
		true);
	open_job(&fixture,
		FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND "\"budget\": {\"trials\": 5}", false,
		false);
	struct job job = load(&fixture, id);
	assert_int_equal(job.trial_cap, 5);
	ASSERT_OK(&fixture, event_select(fixture.store, id, 0, 0, &events, &fixture.err));
	for (size_t i = 0; i < events.n; i++)
		edited = edited || strstr(events.items[i].data, "budget.trials") != NULL;
	assert_true(edited);
	event_list_finish(&events);
	job_finish(&job);
	fixture_close(&fixture);
}

static void an_edited_space_is_a_new_version(void **state)
{
	struct fixture fixture;
	fixture_open(&fixture);
	const int64_t id = open_job(
		&fixture, FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND "\"seed\": 1", false, true);
	struct job before = load(&fixture, id);
	open_job(&fixture,
		FIXTURE_OBJECTIVE FIXTURE_COMMAND "\"seed\": 1, \"parameters\": {\"x\": {\"type\": "
						  "\"float\", \"min\": 0, \"max\": 2}}",
		false, false);
	struct job after = load(&fixture, id);
	assert_true(after.space_version != before.space_version);
	assert_int_equal(after.objective_version, before.objective_version);
	job_finish(&before);
	job_finish(&after);
	fixture_close(&fixture);
}

static void add_trial(struct fixture *fixture, int64_t job_id)
{
	static const double x = 0.5;
	static const struct decision decision = { .strategy = "random",
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
	struct job job = load(fixture, job_id);
	const struct trial_new trial = { .job_id = job_id,
		.arm = "",
		.space_version = job.space_version,
		.objective_version = job.objective_version,
		.values = &x,
		.d = 1,
		.parameters = "{\"x\": 0.5}" };
	int64_t id, number, arm_number;
	bool capped;
	ASSERT_OK(fixture, store_begin(fixture->store, STORE_LAZY, &fixture->err));
	ASSERT_OK(fixture, trial_create(fixture->store, &trial, &decision, 1, &id, &number,
				   &arm_number, &capped, &fixture->err));
	ASSERT_OK(fixture, store_commit(fixture->store, &fixture->err));
	job_finish(&job);
}

/* There is nothing yet that it could not be compared with. */
static void before_the_first_trial_a_changed_command_needs_no_consent(void **state)
{
	struct fixture fixture;
	fixture_open(&fixture);
	const int64_t id = open_job(&fixture,
		FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND "\"source\": \"live\"", false, true);
	assert_int_equal(
		open_job(&fixture,
			FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND "\"source\": \"snapshot\"",
			false, false),
		id);
	add_trial(&fixture, id);
	refuse_job(&fixture, FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND "\"source\": \"live\"",
		"--accept-change");
	fixture_close(&fixture);
}

static void a_changed_command_needs_consent_and_an_objective_gets_none(void **state)
{
	struct fixture fixture;
	static const char other[] = FIXTURE_OBJECTIVE FIXTURE_X
		"\"name\": \"job\", \"command\": [\"false\"], \"budget\": {\"trials\": 9}";
	fixture_open(&fixture);
	const int64_t id = open_job(&fixture,
		FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND "\"budget\": {\"trials\": 3}", false,
		true);
	add_trial(&fixture, id);
	refuse_job(&fixture, other, "--accept-change");
	/* Refused as a whole: the budget has not changed either. */
	struct job job = load(&fixture, id);
	assert_int_equal(job.trial_cap, 3);
	job_finish(&job);
	assert_int_equal(open_job(&fixture, other, true, false), id);
	refuse_job(&fixture,
		"\"objective\": {\"metric\": \"loss\", \"goal\": \"maximize\"}, " FIXTURE_X
		"\"name\": \"job\", \"command\": [\"false\"]",
		"objective");
	refuse_job(&fixture,
		FIXTURE_OBJECTIVE FIXTURE_X
		"\"name\": \"job\", \"command\": [\"false\"], \"seed\": 5",
		"seed");
	fixture_close(&fixture);
}

/* Until a trial has been scored by it. */
static void an_objective_is_corrected_while_there_is_no_result(void **state)
{
	struct fixture fixture;
	char *metric = NULL, *definition = NULL;
	bool maximize = false;
	static const char other[] =
		"\"objective\": {\"metric\": \"accuracy\", \"goal\": \"maximize\"}, " FIXTURE_X
			FIXTURE_COMMAND "\"budget\": {\"trials\": 3}";
	fixture_open(&fixture);
	const int64_t id = open_job(&fixture,
		FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND "\"budget\": {\"trials\": 3}", false,
		true);
	assert_int_equal(open_job(&fixture, other, false, false), id);
	struct job job = load(&fixture, id);
	ASSERT_OK(&fixture, job_objective(fixture.store, job.objective_version, &metric, &maximize,
				    &definition, &fixture.err));
	assert_string_equal(metric, "accuracy");
	assert_true(maximize);
	free(metric);
	free(definition);
	job_finish(&job);
	add_trial(&fixture, id);
	refuse_job(&fixture,
		FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND "\"budget\": {\"trials\": 3}",
		"tuner rescore");
	fixture_close(&fixture);
}

static void an_edited_first_adds_only_what_is_new(void **state)
{
	struct fixture fixture;
	fixture_open(&fixture);
	const int64_t id = open_job(&fixture,
		FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND "\"first\": [{\"x\": 0.5}]", false,
		true);
	open_job(&fixture,
		FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND
		"\"first\": [{\"x\": 0.5}, {\"x\": 0.25}]",
		false, false);
	assert_int_equal(count_first(&fixture, id), 2);
	fixture_close(&fixture);
}

static void an_edited_space_drops_from_the_queue_what_does_not_fit(void **state)
{
	struct fixture fixture;
	struct queue_list queue;
	int64_t entry;
	fixture_open(&fixture);
	const int64_t id = open_job(&fixture,
		FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND
		"\"first\": [{\"x\": 0.5}, {\"x\": 0.9}]",
		false, true);
	ASSERT_OK(&fixture, store_begin(fixture.store, STORE_DURABLE, &fixture.err));
	ASSERT_OK(&fixture, queue_add(fixture.store, id, "", 0, "enqueue", "{\"x\": 0.8}", 1,
				    &entry, &fixture.err));
	ASSERT_OK(&fixture, queue_add(fixture.store, id, "", 0, "enqueue", "{\"x\": 0.7}", 1,
				    &entry, &fixture.err));
	ASSERT_OK(&fixture, store_commit(fixture.store, &fixture.err));

	struct job_file *file = fixture_file(FIXTURE_OBJECTIVE FIXTURE_COMMAND
		"\"first\": [{\"x\": 0.5}], "
		"\"parameters\": {\"x\": {\"type\": \"float\", \"min\": 0, \"max\": 0.75}}");
	struct job_opening opening;
	ASSERT_OK(&fixture, job_open(fixture.store, file, false, NULL, &opening, &fixture.err));
	assert_non_null(strstr(opening.changes.bytes, "dropped from the queue: {\"x\": 0.8}"));
	ASSERT_OK(&fixture, queue_select(fixture.store, id, &queue, &fixture.err));
	assert_int_equal(queue.n, 2);
	assert_string_equal(queue.items[0].queued.parameters, "{\"x\": 0.5}");
	assert_string_equal(queue.items[1].queued.parameters, "{\"x\": 0.7}");
	queue_list_finish(&queue);
	text_finish(&opening.changes);
	job_file_destroy(file);
	fixture_close(&fixture);
}

/* What a confirmation is made of: the queue has each configuration as often as "first" has it. */
static void first_may_list_one_several_times(void **state)
{
	static const char before[] = FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND
		"\"first\": [{\"x\": 0.5}, {\"x\": 1}, {\"x\": 0.5}]";
	static const char more[] = FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND
		"\"first\": [{\"x\": 0.5}, {\"x\": 1}, {\"x\": 0.5}, {\"x\": 0.5}, {\"x\": 1}]";
	static const char fewer[] =
		FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND "\"first\": [{\"x\": 0.5}, {\"x\": 1}]";
	struct fixture fixture;
	fixture_open(&fixture);
	const int64_t id = open_job(&fixture, before, false, true);
	assert_int_equal(count_first(&fixture, id), 3);
	open_job(&fixture, before, false, false);
	assert_int_equal(count_first(&fixture, id), 3);
	open_job(&fixture, more, false, false);
	assert_int_equal(count_first(&fixture, id), 5);
	open_job(&fixture, fewer, false, false);
	assert_int_equal(count_first(&fixture, id), 2);
	fixture_close(&fixture);
}

/* An older program wrote 1 for 1.0. */
static void what_an_older_program_queued_is_known_again(void **state)
{
	struct queue_list queue;
	struct fixture fixture;
	int64_t entry;
	fixture_open(&fixture);
	const int64_t id = open_job(
		&fixture, FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND "\"seed\": 1", false, true);
	ASSERT_OK(&fixture, store_begin(fixture.store, STORE_DURABLE, &fixture.err));
	ASSERT_OK(&fixture,
		queue_add(fixture.store, id, "", 0, "first", "{\"x\":1}", 1, &entry, &fixture.err));
	ASSERT_OK(&fixture, store_commit(fixture.store, &fixture.err));
	open_job(&fixture,
		FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND
		"\"seed\": 1, \"first\": [{\"x\": 1}, {\"x\": 0.5}]",
		false, false);
	ASSERT_OK(&fixture, queue_select(fixture.store, id, &queue, &fixture.err));
	assert_int_equal(queue.n, 2);
	assert_string_equal(queue.items[0].queued.parameters, "{\"x\":1}");
	assert_string_equal(queue.items[1].queued.parameters, "{\"x\": 0.5}");
	queue_list_finish(&queue);
	fixture_close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_job_is_stored_whole),
		cmocka_unit_test(the_same_file_again_changes_nothing),
		cmocka_unit_test(an_edited_budget_is_taken_with_an_event),
		cmocka_unit_test(an_edited_space_is_a_new_version),
		cmocka_unit_test(before_the_first_trial_a_changed_command_needs_no_consent),
		cmocka_unit_test(a_changed_command_needs_consent_and_an_objective_gets_none),
		cmocka_unit_test(an_objective_is_corrected_while_there_is_no_result),
		cmocka_unit_test(an_edited_first_adds_only_what_is_new),
		cmocka_unit_test(an_edited_space_drops_from_the_queue_what_does_not_fit),
		cmocka_unit_test(first_may_list_one_several_times),
		cmocka_unit_test(what_an_older_program_queued_is_known_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
