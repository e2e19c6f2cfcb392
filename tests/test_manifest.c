/* What attempts have left, as the database knows it: recorded, given up, and what may be given up next. */
#include "tests/fixture_trials.h"
#include "trials/manifest.h"

#define ALL_SPARED (1u << OUTCOME_LOST | 1u << OUTCOME_OOM_HOST)

static const char sha256[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void record(struct fixture *f, int64_t attempt, int64_t bytes, int64_t checkpoint_bytes)
{
	struct manifest_file file = { .path = (char *)"model/weights", .bytes = bytes };

	memcpy(file.sha256, sha256, sizeof(file.sha256));
	CHANGE(f, manifest_record(f->store, attempt, &file, bytes > 0, bytes > 0, bytes,
			  checkpoint_bytes, "", fixture_now(f), &f->err));
}

/* A trial with one recorded attempt. */
static int64_t add_ended(struct fixture *f, enum outcome outcome, enum trial_state state,
	double objective, int64_t bytes, int64_t checkpoint_bytes)
{
	const int64_t trial = fixture_add_trial(f), attempt = fixture_run_attempt(f, trial);

	fixture_end(f, attempt, outcome, state, objective);
	record(f, attempt, bytes, checkpoint_bytes);
	return trial;
}

static int64_t add_done(struct fixture *f, double objective)
{
	return add_ended(f, OUTCOME_OK, TRIAL_DONE, objective, 100, 10);
}

/* The trials' numbers that a class gives, with what is to go: "3:100+10 4:100+0". */
static void select_beside_is(struct fixture *f, enum removal_class class, int64_t best,
	int64_t last, const char *front, const char *wanted)
{
	const struct keep_rule rule = {
		.best = best, .last = last, .front = front, .spared = ALL_SPARED
	};
	struct manifest_list list;
	struct text got = TEXT_EMPTY;

	ASSERT_OK(f, removal_select(f->store, f->job, class, &rule, 1000, &list, &f->err));
	for (size_t i = 0; i < list.n; i++)
		text_print(&got, "%s%lld:%lld+%lld", i > 0 ? " " : "",
			(long long)list.items[i].trial_number, (long long)list.items[i].bytes,
			(long long)list.items[i].checkpoint_bytes);
	assert_string_equal(got.bytes, wanted);
	text_finish(&got);
	manifest_list_finish(&list);
}

static void select_is(
	struct fixture *f, enum removal_class class, int64_t best, int64_t last, const char *wanted)
{
	select_beside_is(f, class, best, last, NULL, wanted);
}

static struct manifest only(struct fixture *f, int64_t trial)
{
	struct manifest_list list;

	ASSERT_OK(f, manifest_select(f->store, trial, &list, &f->err));
	assert_int_equal(list.n, 1);
	const struct manifest manifest = list.items[0];
	free(list.items[0].directory);
	free(list.items[0].message);
	free(list.items);
	return manifest;
}

static size_t count_due(struct fixture *f, enum manifest_state state)
{
	struct manifest_list list;

	ASSERT_OK(f, manifest_due(f->store, f->job, state, 100, &list, &f->err));
	const size_t n = list.n;
	manifest_list_finish(&list);
	return n;
}

/* ---- recording ---- */

static void an_end_opens_a_manifest_that_is_pending(void **state)
{
	struct fixture *f = *state;
	const int64_t trial = fixture_add_trial(f), attempt = fixture_run_attempt(f, trial);

	assert_int_equal(count_due(f, MANIFEST_PENDING), 0);
	fixture_end(f, attempt, OUTCOME_OK, TRIAL_DONE, 1);
	assert_int_equal(count_due(f, MANIFEST_PENDING), 1);
	record(f, attempt, 100, 10);
	assert_int_equal(count_due(f, MANIFEST_PENDING), 0);

	const struct manifest manifest = only(f, trial);
	assert_int_equal(manifest.state, MANIFEST_RECORDED);
	assert_int_equal(manifest.bytes, 100);
	assert_int_equal(manifest.checkpoint_bytes, 10);
	assert_true(manifest.checkpoint_free);
	struct manifest_files files;
	ASSERT_OK(f, manifest_files_select(f->store, attempt, &files, &f->err));
	assert_int_equal(files.n, 1);
	assert_string_equal(files.items[0].path, "model/weights");
	assert_string_equal(files.items[0].sha256, sha256);
	manifest_files_finish(&files);
}

static void the_outcome_and_the_manifest_are_one_commit(void **state)
{
	struct fixture *f = *state;
	const int64_t attempt = fixture_run_attempt(f, fixture_add_trial(f));
	const struct attempt_end end = fixture_end_of(OUTCOME_OK, TRIAL_DONE, 1);
	int64_t event;

	ASSERT_OK(f, store_begin(f->store, STORE_LAZY, &f->err));
	ASSERT_OK(f, attempt_end(f->store, attempt, &end, fixture_now(f), &event, &f->err));
	store_rollback(f->store);
	assert_int_equal(count_due(f, MANIFEST_PENDING), 0);
}

/* The checkpoints are the trial's: they count once, with its newest attempt. */
static void the_next_attempt_takes_the_checkpoints_over(void **state)
{
	struct fixture *f = *state;
	const int64_t trial = fixture_add_trial(f), first = fixture_run_attempt(f, trial);
	int64_t bytes, checkpoint_bytes;

	fixture_end(f, first, OUTCOME_LOST, TRIAL_PROPOSED, NAN);
	record(f, first, 100, 10);
	ASSERT_OK(f, manifest_total(f->store, f->job, &bytes, &checkpoint_bytes, &f->err));
	assert_int_equal(checkpoint_bytes, 10);
	const int64_t second = fixture_run_attempt(f, trial);
	ASSERT_OK(f, manifest_total(f->store, f->job, &bytes, &checkpoint_bytes, &f->err));
	assert_int_equal(bytes, 100);
	assert_int_equal(checkpoint_bytes, 0);
	fixture_end(f, second, OUTCOME_OK, TRIAL_DONE, 1);
	record(f, second, 50, 12);
	ASSERT_OK(f, manifest_total(f->store, f->job, &bytes, &checkpoint_bytes, &f->err));
	assert_int_equal(bytes, 150);
	assert_int_equal(checkpoint_bytes, 12);
}

/* Killed after the end, looked through only when the next attempt runs already. */
static void a_late_look_does_not_count_checkpoints_of_the_next_attempt(void **state)
{
	struct fixture *f = *state;
	const int64_t trial = fixture_add_trial(f), first = fixture_run_attempt(f, trial);
	int64_t bytes, checkpoint_bytes;

	fixture_end(f, first, OUTCOME_LOST, TRIAL_PROPOSED, NAN);
	fixture_run_attempt(f, trial);
	record(f, first, 100, 10);
	ASSERT_OK(f, manifest_total(f->store, f->job, &bytes, &checkpoint_bytes, &f->err));
	assert_int_equal(checkpoint_bytes, 0);
}

/* ---- what may go ---- */

static void beyond_the_best_everything_may_go_oldest_first(void **state)
{
	struct fixture *f = *state;

	add_done(f, 5);
	add_done(f, 1);
	add_done(f, 3);
	add_done(f, 2);
	select_is(f, REMOVAL_UNKEPT, 2, 0, "1:100+10 3:100+10");
	select_is(f, REMOVAL_UNKEPT, 1, 1, "1:100+10 3:100+10");
	select_is(f, REMOVAL_UNKEPT, 9, 0, "");
}

static void the_best_of_a_maximization_are_the_greatest(void **state)
{
	struct fixture *f = *state;

	add_done(f, 5);
	add_done(f, 1);
	add_done(f, 3);
	select_is(f, REMOVAL_UNKEPT, 2, 0, "2:100+10");
}

static void the_front_is_protected_as_the_best_are(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 4; i++)
		add_done(f, i);
	select_beside_is(f, REMOVAL_UNKEPT, 1, 0, "[3,4]", "2:100+10");
	select_beside_is(f, REMOVAL_CHECKPOINTS, 1, 0, "[3,4]", "2:0+10");
	select_beside_is(f, REMOVAL_ARTIFACTS, 1, 0, "[3,4]", "2:100+0");
	select_beside_is(f, REMOVAL_BEST_CHECKPOINTS, 1, 0, "[3,4]", "1:0+10 3:0+10 4:0+10");
	select_beside_is(f, REMOVAL_UNKEPT, 0, 0, "[]", "1:100+10 2:100+10 3:100+10 4:100+10");
}

static void of_equal_ones_the_first_are_the_best(void **state)
{
	struct fixture *f = *state;

	add_done(f, 1);
	add_done(f, 1);
	select_is(f, REMOVAL_UNKEPT, 1, 0, "2:100+10");
}

static void as_long_as_nothing_is_done_nothing_goes(void **state)
{
	struct fixture *f = *state;

	add_ended(f, OUTCOME_TIMEOUT, TRIAL_STOPPED, 7, 100, 10);
	select_is(f, REMOVAL_UNKEPT, 1, 0, "");
	add_done(f, 9);
	select_is(f, REMOVAL_UNKEPT, 1, 0, "1:100+10");
}

static void running_and_retried_trials_are_not_touched(void **state)
{
	struct fixture *f = *state;
	const int64_t retried = fixture_add_trial(f);

	add_done(f, 1);
	const int64_t first = fixture_run_attempt(f, retried);
	fixture_end(f, first, OUTCOME_PREEMPTED, TRIAL_PROPOSED, NAN);
	record(f, first, 100, 10);
	select_is(f, REMOVAL_UNKEPT, 1, 0, "");
	const int64_t second = fixture_run_attempt(f, retried);
	for (int class = 0; class < REMOVAL_BEST_CHECKPOINTS; class ++)
		select_is(f, (enum removal_class) class, 1, 0, "");
	fixture_end(f, second, OUTCOME_CRASHED, TRIAL_FAILED, NAN);
	select_is(f, REMOVAL_UNKEPT, 1, 0, "1:100+0"); /* not what is pending yet */
	record(f, second, 0, 10);
	select_is(f, REMOVAL_UNKEPT, 1, 0, "1:100+0 1:0+10");
}

static void what_the_machine_made_fail_goes_only_for_room(void **state)
{
	struct fixture *f = *state;

	add_done(f, 1);
	add_ended(f, OUTCOME_LOST, TRIAL_FAILED, NAN, 0, 10);
	add_ended(f, OUTCOME_CRASHED, TRIAL_FAILED, NAN, 0, 10);
	select_is(f, REMOVAL_UNKEPT, 1, 0, "3:0+10");
	select_is(f, REMOVAL_CHECKPOINTS, 1, 0, "3:0+10");
	select_is(f, REMOVAL_SPARED, 1, 0, "2:0+10");
}

static void for_room_checkpoints_go_before_models_and_the_best_model_never(void **state)
{
	struct fixture *f = *state;
	const int64_t best = fixture_add_trial(f);

	const int64_t first = fixture_run_attempt(f, best);
	fixture_end(f, first, OUTCOME_LOST, TRIAL_PROPOSED, NAN);
	record(f, first, 70, 5);
	const int64_t second = fixture_run_attempt(f, best);
	fixture_end(f, second, OUTCOME_OK, TRIAL_DONE, 0);
	record(f, second, 100, 10);
	add_done(f, 5);
	add_done(f, 4);
	select_is(f, REMOVAL_CHECKPOINTS, 1, 9, "2:0+10 3:0+10");
	select_is(f, REMOVAL_ARTIFACTS, 1, 9, "2:100+0 3:100+0");
	select_is(f, REMOVAL_EARLIER, 1, 9, "1:70+0");
	select_is(f, REMOVAL_BEST_CHECKPOINTS, 1, 9, "1:0+10");
}

/* ---- giving up ---- */

static void a_removal_is_an_event_and_stays_due_until_it_is_complete(void **state)
{
	struct fixture *f = *state;
	const int64_t trial = add_done(f, 5);

	const struct manifest manifest = only(f, trial);
	CHANGE(f,
		manifest_remove(f->store, f->job, &manifest, "keep.best", fixture_now(f), &f->err));
	assert_int_equal(count_due(f, MANIFEST_REMOVING), 1);
	assert_int_equal(
		fixture_number(f, "SELECT count(*) FROM event WHERE kind = 'removed' AND "
				  "data ->> 'artifact_bytes' = 100 AND data ->> "
				  "'checkpoint_bytes' = 10 AND data ->> 'why' = 'keep.best'"),
		1);
	const struct manifest removing = only(f, trial);
	assert_int_equal(removing.bytes + removing.checkpoint_bytes, 0);
	assert_true(removing.removal > 0);
	assert_int_equal(removing.removal, removing.checkpoint_removal);
	select_is(f, REMOVAL_UNKEPT, 1, 0, "");
	CHANGE(f, manifest_removed(f->store, manifest.attempt, "", &f->err));
	assert_int_equal(count_due(f, MANIFEST_REMOVING), 0);
}

static void the_part_that_is_not_given_up_stays(void **state)
{
	struct fixture *f = *state;
	const int64_t trial = add_done(f, 5);
	struct manifest manifest = only(f, trial);

	manifest.bytes = 0;
	CHANGE(f,
		manifest_remove(f->store, f->job, &manifest, "keep.disk", fixture_now(f), &f->err));
	const struct manifest removing = only(f, trial);
	assert_int_equal(removing.bytes, 100);
	assert_int_equal(removing.removal, 0);
	assert_int_equal(removing.checkpoint_bytes, 0);
	assert_true(removing.checkpoint_removal > 0);
}

/* Decided, and then the trial is put back: nobody may take its checkpoints any more. */
static void a_reopened_trial_does_not_lose_its_checkpoints(void **state)
{
	struct fixture *f = *state;
	const int64_t trial = add_ended(f, OUTCOME_CRASHED, TRIAL_FAILED, NAN, 100, 10);
	const struct manifest manifest = only(f, trial);

	CHANGE(f,
		manifest_remove(f->store, f->job, &manifest, "keep.best", fixture_now(f), &f->err));
	assert_true(only(f, trial).checkpoint_free);
	CHANGE(f, trial_reopen(f->store, trial, fixture_now(f), &f->err));
	assert_false(only(f, trial).checkpoint_free);
}

/* ---- migration ---- */

/* A table's columns and indexes, however its text is set. */
#define SHAPE                                                                                      \
	"SELECT m.name || '.' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' || "       \
	"coalesce(c.dflt_value, '-') || ' ' || c.pk FROM sqlite_schema m, "                        \
	"pragma_table_info(m.name) c WHERE m.name IN ('manifest', 'artifact') UNION ALL "          \
	"SELECT name || ' ' || coalesce(sql, '-') FROM sqlite_schema WHERE type = 'index' AND "    \
	"tbl_name IN ('manifest', 'artifact') ORDER BY 1"

static void a_file_without_manifests_gets_them(void **state)
{
	struct fixture *f = *state;
	char fresh[2048], migrated[2048];
	sqlite3 *db;

	fixture_rows(f, SHAPE, fresh);
	add_done(f, 1);
	fixture_run_attempt(f, fixture_add_trial(f));
	store_close(f->store);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db,
			WITHOUT_STEP_8
			"DROP VIEW v_host_use; CREATE VIEW v_host_use AS SELECT 1; DROP "
			"TABLE gpu_use; DROP TABLE artifact; DROP TABLE manifest; DROP INDEX "
			"trial_outcome; DROP INDEX event_trial; ALTER TABLE machine RENAME "
			"COLUMN libraries TO blas; PRAGMA "
			"user_version = 2",
			NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	ASSERT_OK(f, store_open(f->path, STORE_WRITE, &f->store, &f->err));
	fixture_rows(f, SHAPE, migrated);
	assert_string_equal(migrated, fresh);
	assert_int_equal(count_due(f, MANIFEST_PENDING), 1); /* the one that has ended */
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM manifest"), 1);
}

#define TEST(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, fixture_set_up_minimizing, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_end_opens_a_manifest_that_is_pending),
		TEST(the_outcome_and_the_manifest_are_one_commit),
		TEST(the_next_attempt_takes_the_checkpoints_over),
		TEST(a_late_look_does_not_count_checkpoints_of_the_next_attempt),
		TEST(beyond_the_best_everything_may_go_oldest_first),
		cmocka_unit_test_setup_teardown(the_best_of_a_maximization_are_the_greatest,
			fixture_set_up_maximizing, fixture_tear_down),
		TEST(the_front_is_protected_as_the_best_are),
		TEST(of_equal_ones_the_first_are_the_best),
		TEST(as_long_as_nothing_is_done_nothing_goes),
		TEST(running_and_retried_trials_are_not_touched),
		TEST(what_the_machine_made_fail_goes_only_for_room),
		TEST(for_room_checkpoints_go_before_models_and_the_best_model_never),
		TEST(a_removal_is_an_event_and_stays_due_until_it_is_complete),
		TEST(the_part_that_is_not_given_up_stays),
		TEST(a_reopened_trial_does_not_lose_its_checkpoints),
		TEST(a_file_without_manifests_gets_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
