/* trials/verify.h: a sound database has no violation, and each check finds what it is for. */
#include "tests/fixture_trials.h"

#include "trials/rescore.h"
#include "trials/verify.h"

/* ---- a database with one of everything ----
 *
 *     job     1  done     enqueued; attempt 1 was lost, attempt 2 gave the result
 *             2  failed
 *             3  done     by a model
 *             4  running
 *             5  proposed by a model that began where 3 ended, with 4 pending
 *             6  running  asked for, with a lease
 *     other   1  done
 *             2  failed   where a rule makes the configuration answer for the machine's
 *             3  done     it had failed, and was put back
 *             4  stopped  as was meant; decided while 3 had failed
 *             5  proposed while 3 was to be run again */

static const double HYPERPARAMETERS[] = { 0.5, -1 };

static int64_t add_attempt(struct fixture *f, int64_t trial, const char *backend, int64_t lease_us)
{
	char key[40], directory[40];
	int64_t id = 0;

	snprintf(key, sizeof key, "key-%u", ++f->keys);
	snprintf(directory, sizeof directory, "job/%u", f->keys);
	const struct attempt_new attempt = { .trial_id = trial,
		.key = key,
		.backend = backend,
		.host = "here",
		.directory = strcmp(backend, ATTEMPT_CALLER) == 0 ? "" : directory,
		.lease_us = lease_us };

	CHANGE(f, attempt_create(f->store, &attempt, fixture_now(f), &id, &f->err));
	return id;
}

static int64_t run(struct fixture *f, int64_t trial)
{
	const int64_t attempt = add_attempt(f, trial, "null", 0);

	fixture_move(f, attempt, ATTEMPT_STARTING);
	fixture_move(f, attempt, ATTEMPT_RUNNING);
	return attempt;
}

static void add_curve(struct fixture *f, int64_t attempt, int64_t n)
{
	for (int64_t step = 1; step <= n; step++)
		fixture_add_metric(f, attempt, step, 1.0 / (double)step);
}

static int64_t add_queued(struct fixture *f)
{
	const struct decision decision = fixture_decision();
	struct trial_new trial = fixture_new(f);

	CHANGE(f, queue_add(f->store, f->job, "", 0, "enqueue", "{\"x\": 0.25}", fixture_now(f),
			  &trial.queued, &f->err));
	return fixture_propose(f, &trial, &decision);
}

static int64_t add_modelled(
	struct fixture *f, int64_t start, int64_t seen, const int64_t *pending, size_t n_pending)
{
	struct decision decision = fixture_decision();
	const struct trial_new trial = fixture_new(f);

	decision.strategy = "bayesian";
	decision.branch = "model";
	decision.hyperparameters = HYPERPARAMETERS;
	decision.n_hyperparameters = 2;
	decision.mean = 1;
	decision.sd = 0.5;
	decision.start = start;
	decision.seen = seen;
	decision.pending = pending;
	decision.n_pending = n_pending;
	return fixture_propose(f, &trial, &decision);
}

static void end_first(struct fixture *f, int64_t *ret_event)
{
	const int64_t trial = add_queued(f), lost = run(f, trial);

	add_curve(f, lost, 2);
	fixture_move(f, lost, ATTEMPT_LOST);
	fixture_end(f, lost, OUTCOME_LOST, TRIAL_PROPOSED, NAN);

	const int64_t attempt = run(f, trial);

	add_curve(f, attempt, 3);
	*ret_event = fixture_end(f, attempt, OUTCOME_OK, TRIAL_DONE, 1.0 / 3);
}

static void fail_as_the_configuration(struct fixture *f)
{
	const int64_t attempt = run(f, fixture_add_trial(f));
	struct attempt_end end = fixture_end_of(OUTCOME_OOM_HOST, TRIAL_FAILED, NAN);
	int64_t event = 0;

	end.counts_as = OUTCOME_CRASHED;
	CHANGE(f, attempt_end(f->store, attempt, &end, fixture_now(f), &event, &f->err));
}

/* Trials 3 to 5 of the other job; 3 has id 9. */
static void put_back(struct fixture *f)
{
	static const int64_t third[] = { 3 };
	const int64_t id = fixture_add_trial(f);
	int64_t seen = fixture_end(f, run(f, id), OUTCOME_OOM_GPU, TRIAL_FAILED, NAN);
	const int64_t attempt = run(f, add_modelled(f, 0, seen, NULL, 0));

	CHANGE(f, trial_reopen(f->store, id, fixture_now(f), &f->err));
	ASSERT_OK(f, event_last(f->store, f->job, &seen, &f->err));
	add_modelled(f, 0, seen, third, 1);
	CHANGE(f, attempt_stop(f->store, attempt, OUTCOME_EARLY_STOPPED, "no better",
			  fixture_now(f), &f->err));
	fixture_end(f, attempt, OUTCOME_EARLY_STOPPED, TRIAL_STOPPED, 3);
	fixture_end(f, run(f, id), OUTCOME_OK, TRIAL_DONE, 1);
}

/* By one more version of the objective. */
static void rescore_first(struct fixture *f, const struct trial_list *list,
	const struct score *score, const char *metric, const char *goal, const char *definition)
{
	int64_t version = 0;

	ASSERT_OK(f, store_begin(f->store, STORE_LAZY, &f->err));
	ASSERT_OK(f, job_add_objective_version(f->store, f->job, metric, goal, definition,
			     fixture_now(f), &version, &f->err));
	ASSERT_OK(f, trial_rescore(f->store, &list->items[0], version, score, NULL, fixture_now(f),
			     &f->err));
	ASSERT_OK(f, job_rescored(f->store, f->job, version, fixture_now(f), &f->err));
	ASSERT_OK(f, store_commit(f->store, &f->err));
}

/* A job whose trial 1 has no objective by the second version, and again one by the third. */
static void change_objective(struct fixture *f)
{
	const int64_t id = fixture_add_trial(f);

	fixture_end(f, run(f, id), OUTCOME_OK, TRIAL_DONE, 1);
	for (int i = 0; i < 2; i++) {
		const struct trial_filter filter = { .job_id = f->job, .repeat = -1 };
		const struct score scores[] = { { TRIAL_STOPPED, OUTCOME_NO_METRIC, NAN },
			{ TRIAL_DONE, OUTCOME_OK, 1.0 / 3 } };
		struct trial_list list;

		ASSERT_OK(f, trial_select(f->store, &filter, &list, &f->err));
		rescore_first(f, &list, &scores[i], i ? "a + b" : "c", "maximize", "{}");
		trial_list_finish(&list);
	}
}

/* A job with a limit and two objectives, whose trial 1 kept the limit, 2 did not, and 3 was over it at
 * first. */
static void add_limited(struct fixture *f)
{
	const double excess[] = { -0.25, 0.1, 3 };
	struct trial_list list;
	int64_t event = 0;

	for (int i = 0; i < 3; i++) {
		const int64_t attempt = run(f, fixture_add_trial(f));
		struct attempt_end end = fixture_end_of(
			OUTCOME_OK, i == 0 ? TRIAL_DONE : TRIAL_FAILED, i == 0 ? 1.0 / 3 : NAN);

		end.counts_as = i == 0 ? OUTCOME_NONE : OUTCOME_OVER_LIMIT;
		end.judgement = (struct judgement){ 1, 1.0 / 3, { excess[i] }, 1, { 7 } };
		CHANGE(f, attempt_end(f->store, attempt, &end, fixture_now(f), &event, &f->err));
	}
	const struct trial_filter filter = { .job_id = f->job, .repeat = -1, .number = 3 };
	const struct score score = { TRIAL_DONE, OUTCOME_OK, 1.0 / 3,
		{ 1, 1.0 / 3, { -1 }, 1, { 7 } } };

	ASSERT_OK(f, trial_select(f->store, &filter, &list, &f->err));
	rescore_first(
		f, &list, &score, "loss", "minimize", "{\"also\": [{\"minimize\": \"lag\"}]}");
	trial_list_finish(&list);
}

static int tell(void **state)
{
	static const int64_t pending[] = { 4 };
	struct fixture *f;
	int64_t seen;

	if (fixture_set_up_minimizing(state) != 0)
		return -1;
	f = *state;
	end_first(f, &seen);
	fixture_end(f, run(f, fixture_add_trial(f)), OUTCOME_NAN, TRIAL_FAILED, NAN);

	const int64_t third = add_modelled(f, 0, seen, NULL, 0);

	seen = fixture_end(f, run(f, third), OUTCOME_OK, TRIAL_DONE, 2);
	add_curve(f, run(f, fixture_add_trial(f)), 1);
	add_modelled(f, third, seen, pending, 1);
	fixture_move(
		f, add_attempt(f, fixture_add_trial(f), ATTEMPT_CALLER, 1000000), ATTEMPT_RUNNING);

	const int64_t first_job = f->job;

	fixture_use_job(f, fixture_add_job(f, "other", 100, "loss", "minimize"));
	fixture_end(f, run(f, fixture_add_trial(f)), OUTCOME_OK, TRIAL_DONE, 1);
	fail_as_the_configuration(f);
	put_back(f);
	fixture_use_job(f, fixture_add_job(f, "rescored", 100, "loss", "minimize"));
	change_objective(f);
	fixture_use_job(f, fixture_add_job(f, "limited", 100, "loss", "minimize"));
	add_limited(f);
	fixture_use_job(f, first_job);
	return 0;
}

/* ---- looking ---- */

static bool has(const struct violation_list *list, const char *check, const char *part)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i].check, check) == 0 && strstr(list->items[i].what, part))
			return true;
	return false;
}

static void print_all(const struct violation_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		print_error("%s: %s\n", list->items[i].check, list->items[i].what);
}

/* The caller finishes it. */
static struct violation_list verify(struct fixture *f, int64_t job)
{
	struct violation_list list;

	ASSERT_OK(f, store_verify(f->store, job, &list, &f->err));
	return list;
}

static void a_sound_database_has_no_violation(void **state)
{
	struct fixture *const f = *state;
	struct violation_list list = verify(f, 0);

	print_all(&list);
	assert_int_equal(list.n, 0);
	assert_false(list.more);
	assert_true(list.checks > 30);
	violation_list_finish(&list);
}

/* ---- breaking ---- */

/* Around every constraint and trigger, as an editor with too much zeal would. */
static void tamper(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	char *message = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	if (sqlite3_exec(db,
		    "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; "
		    "PRAGMA writable_schema = ON",
		    NULL, NULL, &message) != SQLITE_OK ||
		sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	sqlite3_close(db);
}

static const struct {
	const char *check, *sql, *says;
} BREAKS[] = {
	{ "schema", "DROP TRIGGER event_update", "the trigger event_update is missing" },
	{ "schema", "DROP INDEX attempt_key", "the index attempt_key is missing" },
	{ "schema", "DROP VIEW trial_heartbeats", "the view trial_heartbeats is missing" },
	{ "views", "DROP VIEW v_host_use; CREATE VIEW v_host_use AS SELECT nought FROM trial",
		"the view v_host_use cannot be read: " },
	{ "integrity", "UPDATE trial SET state = 'dreaming' WHERE id = 2",
		"CHECK constraint failed in trial" },
	{ "references", "DELETE FROM metric_name",
		"table metric, row 1: refers to a row of metric_name" },
	{ "studies", "DELETE FROM studies WHERE study_id = 1",
		"job job: is not in the table studies" },
	{ "studies", "INSERT INTO studies VALUES (9, 'ghost')",
		"study ghost: there is no such job" },
	{ "job-end", "UPDATE job SET state = 'done' WHERE id = 1",
		"job job: is done, but its end is missing" },
	{ "versions", "UPDATE job SET space_version = 2 WHERE id = 1", "job job: its space" },
	{ "queue", "UPDATE queue SET trial = 2",
		"job job, trial 1: is from enqueue, but 0 entries" },
	{ "trial-numbers", "UPDATE trial SET number = 9 WHERE id = 6",
		"job job: has 6 trials, numbered from 1 to 9" },
	{ "arm-numbers", "UPDATE trial SET arm_number = 9 WHERE id = 6",
		"job job: an arm has 6 trials, numbered in it from 1 to 9" },
	{ "trial-versions", "UPDATE trial SET space_version = 2 WHERE id = 1",
		"job job, trial 1: its space" },
	{ "parameters",
		"UPDATE trial SET parameters = '{\"x\": 0.5, \"optimizer\": \"adam\"}' WHERE id = "
		"2",
		"but in trial_param x=0.25 optimizer=1.0" },
	{ "parameters",
		"UPDATE trial SET parameters = '{\"x\": 0.25, \"optimizer\": \"sgd\"}' WHERE id = "
		"2",
		"job job, trial 2: its parameters are" },
	{ "parameters", "DELETE FROM trial_param WHERE trial = 2", "there are none" },
	{ "trial-end", "UPDATE trial SET ended_event = 1 WHERE id = 2", "event 1 is not its end" },
	{ "trial-end", "UPDATE trial SET ended_us = NULL WHERE id = 2", "has no time of its end" },
	{ "ended-as", "UPDATE trial SET objective = objective + 1e-9 WHERE id = 3",
		"job job, trial 3: is done, " },
	{ "ended-as", "UPDATE trial SET objective = 9e999 WHERE id = 3",
		"job job, trial 3: is done, Inf, but event " },
	{ "ended-as",
		"UPDATE trial SET state = 'failed', objective = NULL, outcome = 'nan' WHERE id = 3",
		"job job, trial 3: is failed, without an objective, but event " },
	{ "trial-open",
		"UPDATE trial SET state = 'proposed', objective = NULL, ended_event = NULL, "
		"ended_us = NULL WHERE id = 3",
		"job job, trial 3: is proposed, but event" },
	{ "trial-open", "DELETE FROM event WHERE kind = 'reopened'",
		"job other, trial 3: is done, but event" },
	{ "reopened",
		"UPDATE event SET data = json_set(data, '$.ended_event', 1) WHERE kind = "
		"'reopened'",
		"takes back its end in event 1, which is no end of it before that" },
	{ "reopened",
		"UPDATE event SET data = json_set(data, '$.ended_event', (SELECT ended_event FROM "
		"trial WHERE id = 9)) WHERE kind = 'reopened'",
		"which is no end of it before that" },
	{ "reopened",
		"UPDATE trial SET ended_event = (SELECT json_extract(data, '$.ended_event') FROM "
		"event WHERE kind = 'reopened') WHERE id = 9",
		"which still stands" },
	{ "reopened",
		"UPDATE event SET data = json_set(data, '$.outcome', 'nan') WHERE kind = "
		"'reopened'",
		"which said otherwise" },
	{ "reopened",
		"UPDATE event SET data = json_set(data, '$.state', 'stopped') WHERE kind = "
		"'reopened'",
		"which said otherwise" },
	{ "reopened",
		"UPDATE event SET data = json_set(data, '$.objective', 2) WHERE kind = 'reopened'",
		"which said otherwise" },
	{ "reopened",
		"INSERT INTO event (job, trial, attempt, kind, data, time_us) SELECT job, trial, "
		"attempt, kind, data, time_us FROM event WHERE kind = 'reopened'",
		"job other, trial 3: its end in event" },
	{ "rescored",
		"UPDATE trial SET objective = 0.3 WHERE job = (SELECT id FROM job WHERE name = "
		"'rescored')",
		"job rescored, trial 1: is done, 0.3, but event" },
	{ "rescored",
		"UPDATE trial SET objective_version = (SELECT min(id) FROM objective_version WHERE "
		"job "
		"= trial.job) WHERE job = (SELECT id FROM job WHERE name = 'rescored')",
		"its objective is not the job's newest" },
	{ "rescored",
		"INSERT INTO event (job, kind, data, time_us) SELECT id, 'rescored', '{}', 1 FROM "
		"job "
		"WHERE name = 'rescored'",
		"has 3 versions of its objective, and 3 events that made a new one" },
	{ "outcome", "UPDATE trial SET outcome = 'nan' WHERE id = 3", "is done with outcome nan" },
	{ "limits",
		"UPDATE trial SET limits = replace(limits, '-0.25', '-0.5') WHERE limits LIKE "
		"'%-0.25%'",
		"job limited, trial 1: how it kept the limits is "
		"{\"objective\":0.3333333333333333,\"excess\":[-0.5]}, but event " },
	{ "limits",
		"UPDATE trial SET limits = NULL WHERE job = (SELECT id FROM job WHERE name = "
		"'limited') AND number = 3",
		"job limited, trial 3: how it kept the limits is not there, but event " },
	{ "limits",
		"UPDATE trial SET outcome = 'nan' WHERE job = (SELECT id FROM job WHERE name = "
		"'limited') AND number = 2",
		"job limited, trial 2: its outcome is nan, but how it kept the limits is " },
	{ "limits",
		"UPDATE trial SET limits = json_set(limits, '$.excess[0]', 1) WHERE job = (SELECT "
		"id FROM job WHERE name = 'limited') AND number = 1",
		"job limited, trial 1: its outcome is ok, but how it kept the limits is " },
	{ "also",
		"UPDATE trial SET also = '[8]' WHERE job = (SELECT id FROM job WHERE name = "
		"'limited') AND number = 1",
		"job limited, trial 1: its further objectives are [8], but event " },
	{ "also",
		"UPDATE trial SET also = NULL WHERE job = (SELECT id FROM job WHERE name = "
		"'limited') AND number = 2",
		"job limited, trial 2: its further objectives are not there, but event " },
	{ "also",
		"UPDATE objective_version SET definition = '{}' WHERE id = (SELECT "
		"objective_version FROM job WHERE name = 'limited')",
		"job limited, trial 1: is done with 1 further objectives of 0" },
	{ "times", "UPDATE trial SET ended_us = started_us - 1 WHERE id = 3",
		"job job, trial 3: ended before it started" },
	{ "times", "UPDATE attempt SET ended_us = started_us - 1 WHERE id = 2",
		"job job, trial 1, attempt 2: ended before it started" },
	{ "attempts", "UPDATE trial SET attempts = 3 WHERE id = 1",
		"counts 3 attempts, has 2, numbered from 1 to 2" },
	{ "attempts", "DELETE FROM attempt WHERE trial = 1 AND number = 1",
		"counts 2 attempts, has 1, numbered from 2 to 2" },
	{ "attempt-keys", "DROP INDEX attempt_key; UPDATE attempt SET key = 'key-1' WHERE id < 3",
		"2 attempts have the key key-1" },
	{ "attempt-directories", "UPDATE attempt SET directory = 'job/1' WHERE id = 2",
		"2 attempts have the directory job/1" },
	{ "attempt-directories", "UPDATE attempt SET directory = '' WHERE id = 2",
		"trial 1, attempt 2: has no directory" },
	{ "attempt-state",
		"UPDATE attempt SET state = 'running', outcome = NULL, ended_us = NULL WHERE id = "
		"1",
		"attempt 1: is running, but attempt 2 has taken its place" },
	{ "attempt-state",
		"UPDATE attempt SET state = 'starting', outcome = NULL, ended_us = NULL WHERE id = "
		"2",
		"attempt 2: is starting, but its trial is done" },
	{ "trial-state", "UPDATE trial SET state = 'running' WHERE id = 5",
		"trial 5: is running without an attempt" },
	{ "attempt-end", "UPDATE attempt SET ended_us = NULL WHERE id = 2",
		"is ended, but its end is missing" },
	{ "attempt-end", "UPDATE attempt SET started_us = NULL WHERE state = 'running'",
		"runs, but has no start" },
	{ "last-outcome", "UPDATE trial SET outcome = 'crashed' WHERE id = 2",
		"its outcome is crashed, that of its last attempt nan" },
	{ "last-outcome", "UPDATE trial SET outcome = 'oom-host' WHERE outcome = 'crashed'",
		"its outcome is oom-host, that of its last attempt crashed" },
	{ "last-outcome",
		"UPDATE event SET data = json_remove(data, '$.counts_as') WHERE kind = 'ended'",
		"its outcome is crashed, that of its last attempt oom-host" },
	{ "leases", "UPDATE attempt SET lease_us = 5, heard_us = 5 WHERE id = 1", "backend null" },
	{ "leases", "UPDATE attempt SET lease_us = 0 WHERE lease_us > 0",
		"trial 6, attempt 1: has a lease of 0.0 s" },
	{ "metric-rows",
		"DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_metric_1'; "
		"UPDATE sqlite_schema SET sql = replace(sql, 'UNIQUE (attempt, name, step)', "
		"'CHECK (1)') WHERE name = 'metric'",
		NULL }, /* the rest in another connection, which reads the schema anew */
	{ "metric-rows",
		"INSERT INTO metric SELECT 99, attempt, name, step, value, time_us FROM metric "
		"WHERE id = 1",
		"trial 1, attempt 1: has 2 rows of loss at step 1" },
	{ "metric-attempts", "UPDATE attempt SET state = 'intended' WHERE trial = 4",
		"never ran, but has metrics" },
	{ "metric-count", "UPDATE trial SET metric_count = 4 WHERE id = 1",
		"counts 4 values of its objective, has 5" },
	{ "metric-count", "DELETE FROM metric WHERE id = 4",
		"counts 5 values of its objective, has 4" },
	{ "metric-last", "UPDATE trial SET last_step = 2 WHERE id = 1",
		"at step 2, not that of its curve" },
	{ "metric-best", "UPDATE trial SET best_value = 0 WHERE id = 1", "its best value is 0.0" },
	{ "metric-offset", "UPDATE attempt SET log_offset = -1 WHERE id = 1", "has read -1 bytes" },
	{ "decisions", "DELETE FROM decision WHERE id = 6", "job job, trial 6: has no decision" },
	{ "decision-versions", "UPDATE decision SET space_version = 2 WHERE id = 1",
		"another space" },
	{ "decision-names", "UPDATE decision SET branch = 'oracle' WHERE id = 1",
		"by random, oracle" },
	{ "decision-seen", "UPDATE decision SET seen = (SELECT max(id) FROM event) WHERE id = 5",
		"job job, trial 5: has seen event" },
	{ "decision-seen", "UPDATE decision SET seen = 1 WHERE id = 5",
		"job job, trial 5: has seen event 1, which is no end" },
	{ "decision-start", "UPDATE decision SET start = 2 WHERE id = 5",
		"hyperparameters of decision 2" },
	{ "decision-pending", "UPDATE decision SET pending = '[3]' WHERE id = 5",
		"trial 3 as pending, which had ended" },
	{ "decision-pending", "UPDATE decision SET pending = '[6]' WHERE id = 5",
		"which is not before it" },
	{ "decision-pending", "UPDATE decision SET pending = '[77]' WHERE id = 5",
		"which is not there" },
	{ "decision-pending", "UPDATE decision SET pending = '[3]' WHERE id = 10",
		"job other, trial 4: took trial 3 as pending, which had ended" },
	{ "decision-model", "UPDATE decision SET hyperparameters = NULL WHERE id = 5",
		"model, without hyperparameters" },
	{ "decision-model", "UPDATE decision SET sd = -1 WHERE id = 5",
		"standard deviation of -1.0" },
	{ "sequence", "UPDATE decision SET next_sequence = 8 WHERE id = 3",
		"job job, trial 4: begins at point 0" },
	{ "event-ids", "DELETE FROM event WHERE id = 2", "but the last one is number" },
	{ "event-subjects", "UPDATE event SET job = 2 WHERE id = 1",
		"event 1 of job other is about" },
	{ "event-proposed", "UPDATE event SET kind = 'noted' WHERE id = 1",
		"trial 1: was proposed in 0 events" },
	{ "event-stops", "UPDATE event SET attempt = NULL WHERE kind = 'stop'",
		"is to stop no attempt" },
	{ "event-stops",
		"INSERT INTO event (job, trial, attempt, kind, data, time_us) SELECT job, trial, "
		"attempt, kind, data, time_us FROM event WHERE kind = 'stop'",
		"is to stop an attempt that had ended" },
	{ "event-ends", "UPDATE event SET data = '{}' WHERE kind = 'retry'",
		"is ended, but ended in 0 events" },
	{ "manifests", "DELETE FROM manifest WHERE attempt = 2",
		"job job, trial 1, attempt 2: is ended, and has no manifest" },
	{ "manifests", "UPDATE manifest SET job = 2 WHERE attempt = 2", "is another job's" },
	{ "manifest-removal",
		"UPDATE manifest SET state = 'recorded', recorded_us = 1, removal = 1 WHERE "
		"attempt = 2",
		"trial 1, attempt 2: event 1 is no removal" },
	{ "artifacts", "INSERT INTO artifact VALUES (1, 2, 'model/weights', 5, NULL)",
		"lists 1 files of 5 bytes, and counts 0 of 0" },
};

enum { N_BREAKS = sizeof BREAKS / sizeof *BREAKS };

static void write_back(const struct fixture *f, const struct text *content)
{
	FILE *file = fopen(f->path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(content->bytes, 1, content->length, file), content->length);
	assert_int_equal(fclose(file), 0);
}

/* Of a file of which `sound` is the content. */
static void assert_found(struct fixture *f, size_t i)
{
	ASSERT_OK(f, store_open(f->path, STORE_READ, &f->store, &f->err));
	struct violation_list list = verify(f, 0);

	if (!has(&list, BREAKS[i].check, BREAKS[i].says)) {
		print_all(&list);
		fail_msg("%s: not found after %s", BREAKS[i].check, BREAKS[i].sql);
	}
	for (size_t k = 0; k < list.n; k++)
		assert_true(strlen(list.items[k].remedy) > 0);
	violation_list_finish(&list);
	store_close(f->store);
	f->store = NULL;
}

static void each_check_finds_what_it_is_for(void **state)
{
	struct fixture *const f = *state;
	struct text sound = TEXT_EMPTY;

	store_close(f->store);
	f->store = NULL;
	ASSERT_OK(f, file_read(f->path, 1 << 24, &sound, &f->err));
	for (size_t i = 0; i < N_BREAKS; i++) {
		if (i == 0 || BREAKS[i - 1].says != NULL)
			write_back(f, &sound);
		tamper(f->path, BREAKS[i].sql);
		if (BREAKS[i].says != NULL)
			assert_found(f, i);
	}
	text_finish(&sound);
}

/* As many names as there are checks. */
static void every_check_is_among_the_breaks(void **state)
{
	struct fixture *const f = *state;
	struct violation_list list = verify(f, 0);
	size_t names = 0;

	for (size_t i = 0; i < N_BREAKS; i++)
		names += i == 0 || strcmp(BREAKS[i - 1].check, BREAKS[i].check) != 0;
	assert_int_equal(names, list.checks);
	violation_list_finish(&list);
}

static void a_job_is_checked_without_the_others(void **state)
{
	struct fixture *const f = *state;

	tamper(f->path, "UPDATE trial SET attempts = 7 WHERE job = 2");
	for (int64_t job = 0; job <= 2; job++) {
		struct violation_list list = verify(f, job);

		assert_int_equal(has(&list, "attempts", "job other, trial 1: counts 7"), job != 1);
		violation_list_finish(&list);
	}
}

static void of_many_the_first_are_told_of(void **state)
{
	struct fixture *const f = *state;

	for (int i = 0; i < VIOLATIONS_MAX; i++)
		fixture_add_trial(f);
	tamper(f->path, "UPDATE trial SET metric_count = 7");
	struct violation_list list = verify(f, 0);

	assert_int_equal(list.n, VIOLATIONS_MAX);
	assert_true(list.more);
	violation_list_finish(&list);
}

/* A page in the middle is noise: the checks that meet it say so, the others go on. */
static void damage_is_a_violation(void **state)
{
	struct fixture *const f = *state;
	struct text bytes = TEXT_EMPTY;
	struct violation_list list;

	const int64_t page = (int64_t)fixture_number(
		f, "SELECT rootpage FROM sqlite_schema WHERE name = 'attempt'");

	store_close(f->store);
	f->store = NULL;
	ASSERT_OK(f, file_read(f->path, 1 << 24, &bytes, &f->err));
	memset((char *)bytes.bytes + (page - 1) * 4096, 0x5a, 4096);
	write_back(f, &bytes);
	text_finish(&bytes);
	ASSERT_OK(f, store_open(f->path, STORE_READ, &f->store, &f->err));
	list = verify(f, 0);
	if (!has(&list, "times", "the database is damaged"))
		print_all(&list);
	assert_true(has(&list, "times", "the database is damaged"));
	assert_true(has(&list, "integrity", "the file: "));
	assert_false(has(&list, "decision-names", ""));
	violation_list_finish(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_sound_database_has_no_violation, tell, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			each_check_finds_what_it_is_for, tell, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			every_check_is_among_the_breaks, tell, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			a_job_is_checked_without_the_others, tell, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			of_many_the_first_are_told_of, tell, fixture_tear_down),
		cmocka_unit_test_setup_teardown(damage_is_a_violation, tell, fixture_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
