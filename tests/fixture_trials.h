/* For tests of trials/: a database in a directory of its own, with a job in it if wanted.
 *
 * The job "job" has the parameters "x" (float in [0, 1]) and "optimizer" (categorical: "sgd", "adam") and
 * minimizes "loss", or maximizes "accuracy". Time is a counter of seconds: no test reads a clock. */
#ifndef TESTS_FIXTURE_TRIALS_H
#define TESTS_FIXTURE_TRIALS_H

#include "base/file.h"
#include "trials/event.h"
#include "trials/sql.h"
#include "trials/trial.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* SQL by which a file of the present version becomes one of an earlier one. Any view will do: of another text. */
#define WITHOUT_STEP_10 "DROP TABLE related_trial; "
#define WITHOUT_STEP_9                                                                             \
	WITHOUT_STEP_10                                                                            \
	"DROP VIEW v_front; DROP VIEW v_trial; DROP VIEW trial_values; "                           \
	"DROP VIEW study_directions; DROP VIEW study_system_attributes; "                          \
	"ALTER TABLE trial DROP COLUMN also; "                                                     \
	"CREATE VIEW v_trial AS SELECT 1 AS job; "                                                 \
	"CREATE VIEW trial_values AS SELECT 1 AS trial_id; "                                       \
	"CREATE VIEW study_directions AS SELECT 1 AS study_id; "                                   \
	"CREATE VIEW study_system_attributes AS SELECT 1 AS study_id; "
#define WITHOUT_STEP_8                                                                             \
	WITHOUT_STEP_9 "DROP VIEW v_trial; DROP VIEW trials; DROP VIEW trial_values; "             \
		       "DROP VIEW trial_system_attributes; ALTER TABLE trial DROP COLUMN limits; " \
		       "CREATE VIEW v_trial AS SELECT 1 AS job; CREATE VIEW trials AS SELECT 1 "   \
		       "AS trial_id; "                                                             \
		       "CREATE VIEW trial_values AS SELECT 1 AS trial_id; "                        \
		       "CREATE VIEW trial_system_attributes AS SELECT 1 AS trial_id; "

struct fixture {
	char directory[64];
	char path[96];
	struct store *store;
	int64_t job, space, objective; /* ids */
	const char *metric;
	int64_t now_us;
	unsigned keys; /* attempts made */
	struct tuner_error err;
};

#define ASSERT_OK(f, call)                                                                         \
	do {                                                                                       \
		if (!(call))                                                                       \
			fail_msg("%s", (f)->err.message);                                          \
	} while (0)

/* A change in a transaction of its own. */
#define CHANGE(f, call)                                                                            \
	do {                                                                                       \
		ASSERT_OK(f, store_begin((f)->store, STORE_LAZY, &(f)->err));                      \
		ASSERT_OK(f, call);                                                                \
		ASSERT_OK(f, store_commit((f)->store, &(f)->err));                                 \
	} while (0)

#define ASSERT_SAYS(f, wanted, part)                                                               \
	do {                                                                                       \
		assert_int_equal((f)->err.code, wanted);                                           \
		if (!strstr((f)->err.message, part))                                               \
			fail_msg("\"%s\" is not in: %s", part, (f)->err.message);                  \
	} while (0)

/* A call that must fail with this code and this part of a message, and is rolled back. */
#define REFUSED(f, wanted, part, call)                                                             \
	do {                                                                                       \
		ASSERT_OK(f, store_begin((f)->store, STORE_LAZY, &(f)->err));                      \
		assert_false(call);                                                                \
		ASSERT_SAYS(f, wanted, part);                                                      \
		store_rollback((f)->store);                                                        \
	} while (0)

static inline int64_t fixture_now(struct fixture *f)
{
	return f->now_us += 1000000;
}

static inline int fixture_set_up_directory(void **state)
{
	struct fixture *const f = calloc(1, sizeof *f);

	strcpy(f->directory, "/tmp/tuner-test-XXXXXX");
	if (!mkdtemp(f->directory))
		return -1;
	snprintf(f->path, sizeof f->path, "%s/tuner.db", f->directory);
	f->now_us = 1700000000 * INT64_C(1000000);
	*state = f;
	return 0;
}

static inline int fixture_set_up(void **state)
{
	struct fixture *f;

	if (fixture_set_up_directory(state) != 0)
		return -1;
	f = *state;
	if (store_open(f->path, STORE_WRITE, &f->store, &f->err))
		return 0;
	print_error("%s\n", f->err.message);
	return -1;
}

static inline int fixture_tear_down(void **state)
{
	struct fixture *const f = *state;
	struct tuner_error err;

	store_close(f->store);
	const bool removed = directory_remove(f->directory, &err);

	free(f);
	return removed ? 0 : -1;
}

/* ---- the job ---- */

static const struct parameter_row fixture_parameters[] = {
	{ "x", "float",
		"{\"name\": \"FloatDistribution\", \"attributes\": {\"step\": null, \"low\": 0, "
		"\"high\": 1, \"log\": false}}",
		NULL },
	{ "optimizer", "categorical",
		"{\"name\": \"CategoricalDistribution\", \"attributes\": {\"choices\": [\"sgd\", "
		"\"adam\"]}}",
		"[\"sgd\", \"adam\"]" },
};

static inline int64_t fixture_add_job(struct fixture *f, const char *name, int64_t trial_cap,
	const char *metric, const char *goal)
{
	const struct job job = {
		.name = (char *)name,
		.file = (char *)"{}",
		.path = (char *)"/home/user/job.jsonc",
		.directory = (char *)"/home/user",
		.seed = 7,
		.trial_cap = trial_cap,
	};
	int64_t id = 0;

	CHANGE(f, job_create(f->store, &job, "{\"x\": [0, 1]}", fixture_parameters, 2, metric, goal,
			  "{\"reduce\": \"last\"}", fixture_now(f), &id, &f->err));
	return id;
}

static inline void fixture_use_job(struct fixture *f, int64_t id)
{
	struct job job;
	bool maximize;
	char *metric = NULL, *definition = NULL;

	ASSERT_OK(f, job_load(f->store, id, &job, &f->err));
	f->job = id;
	f->space = job.space_version;
	f->objective = job.objective_version;
	ASSERT_OK(
		f, job_objective(f->store, f->objective, &metric, &maximize, &definition, &f->err));
	f->metric = maximize ? "accuracy" : "loss";
	assert_string_equal(metric, f->metric);
	free(metric);
	free(definition);
	job_finish(&job);
}

static inline int fixture_set_up_minimizing(void **state)
{
	if (fixture_set_up(state) != 0)
		return -1;
	fixture_use_job(*state, fixture_add_job(*state, "job", 100, "loss", "minimize"));
	return 0;
}

static inline int fixture_set_up_maximizing(void **state)
{
	if (fixture_set_up(state) != 0)
		return -1;
	fixture_use_job(*state, fixture_add_job(*state, "job", 100, "accuracy", "maximize"));
	return 0;
}

/* ---- trials ---- */

static inline struct decision fixture_decision(void)
{
	return (struct decision){
		.strategy = "random",
		.branch = "random",
		.reason = "",
		.settings = "{}",
		.budget_trials = 100,
		.parallel = 2,
		.mean = NAN,
		.sd = NAN,
		.incumbent = NAN,
		.acquisition = NAN,
		.libraries = "GSL",
		.cpu = "x86-64",
		.program = "0.1.0",
	};
}

static const double fixture_values[] = { 0.25, 1 };

static inline struct trial_new fixture_new(const struct fixture *f)
{
	return (struct trial_new){
		.job_id = f->job,
		.arm = "",
		.space_version = f->space,
		.objective_version = f->objective,
		.values = fixture_values,
		.d = 2,
		.parameters = "{\"x\": 0.25, \"optimizer\": \"adam\"}",
	};
}

/* In the transaction that is open. */
static inline bool fixture_create(struct fixture *f, const struct trial_new *trial,
	const struct decision *decision, int64_t *ret_id, bool *ret_capped)
{
	int64_t number, arm_number;

	return trial_create(f->store, trial, decision, fixture_now(f), ret_id, &number, &arm_number,
		ret_capped, &f->err);
}

static inline int64_t fixture_propose(
	struct fixture *f, const struct trial_new *trial, const struct decision *decision)
{
	int64_t id = 0;
	bool capped = true;

	CHANGE(f, fixture_create(f, trial, decision, &id, &capped));
	assert_false(capped);
	return id;
}

static inline int64_t fixture_add_trial(struct fixture *f)
{
	const struct trial_new trial = fixture_new(f);
	const struct decision decision = fixture_decision();

	return fixture_propose(f, &trial, &decision);
}

/* In the transaction that is open. */
static inline bool fixture_create_attempt(struct fixture *f, int64_t trial, int64_t *ret_id)
{
	char key[40];

	snprintf(key, sizeof key, "key-%u", ++f->keys);
	const struct attempt_new attempt = {
		.trial_id = trial,
		.key = key,
		.backend = "null",
		.host = "here",
		.gpus = "[]",
		.directory = "job/0001/1",
		.slot = 1,
	};
	return attempt_create(f->store, &attempt, fixture_now(f), ret_id, &f->err);
}

static inline int64_t fixture_add_attempt(struct fixture *f, int64_t trial)
{
	int64_t id = 0;

	CHANGE(f, fixture_create_attempt(f, trial, &id));
	return id;
}

static inline void fixture_move(struct fixture *f, int64_t attempt, enum attempt_state state)
{
	CHANGE(f, attempt_move(f->store, attempt, state, fixture_now(f), &f->err));
}

/* An attempt that runs, as its trial does. */
static inline int64_t fixture_run_attempt(struct fixture *f, int64_t trial)
{
	const int64_t attempt = fixture_add_attempt(f, trial);

	fixture_move(f, attempt, ATTEMPT_STARTING);
	fixture_move(f, attempt, ATTEMPT_RUNNING);
	return attempt;
}

static inline struct attempt_end fixture_end_of(
	enum outcome outcome, enum trial_state trial, double objective)
{
	return (struct attempt_end){
		.outcome = outcome,
		.message = "",
		.exit_code = outcome == OUTCOME_OK ? 0 : -1,
		.signal = -1,
		.trial = trial,
		.objective = objective,
	};
}

/* Returns the event's id. */
static inline int64_t fixture_end(struct fixture *f, int64_t attempt, enum outcome outcome,
	enum trial_state trial, double objective)
{
	const struct attempt_end end = fixture_end_of(outcome, trial, objective);
	int64_t event = 0;

	CHANGE(f, attempt_end(f->store, attempt, &end, fixture_now(f), &event, &f->err));
	return event;
}

/* A trial from proposal to this objective. */
static inline int64_t fixture_add_done(struct fixture *f, double objective)
{
	const int64_t trial = fixture_add_trial(f);

	fixture_end(f, fixture_run_attempt(f, trial), OUTCOME_OK, TRIAL_DONE, objective);
	return trial;
}

/* One row of the objective's metric. */
static inline void fixture_add_metric(
	struct fixture *f, int64_t attempt, int64_t step, double value)
{
	const struct metric_row row = { f->metric, step, value, fixture_now(f) };

	CHANGE(f, metric_add(f->store, attempt, &row, 1, f->metric,
			  strcmp(f->metric, "accuracy") == 0, 0, "{}", &f->err));
}

/* ---- looking ---- */

/* The trial with this id; the caller finishes it. */
static inline struct trial fixture_trial(struct fixture *f, int64_t id)
{
	const struct trial_filter filter = { .job_id = f->job, .repeat = -1 };
	struct trial_list list;
	struct trial trial = { 0 };

	ASSERT_OK(f, trial_select(f->store, &filter, &list, &f->err));
	for (size_t i = 0; i < list.n; i++)
		if (list.items[i].id == id) {
			trial = list.items[i];
			list.items[i] = (struct trial){ 0 };
		}
	trial_list_finish(&list);
	assert_int_equal(trial.id, id);
	return trial;
}

/* The first column of the first row as a double; NaN for NULL or no row. */
static inline double fixture_number(struct fixture *f, const char *sql)
{
	struct query query;
	bool found = false;

	query_open(&query, f->store, sql);
	ASSERT_OK(f, query_row(&query, &found, &f->err));
	const double value = found ? query_double(&query) : NAN;

	query_close(&query);
	return value;
}

/* All rows as text: columns separated by '|', rows by '\n' (none behind the last), NULL as nothing. */
static inline void fixture_rows(struct fixture *f, const char *sql, char ret[2048])
{
	struct query query;
	bool found = false;
	size_t used = 0;

	ret[0] = '\0';
	query_open(&query, f->store, sql);
	for (;;) {
		ASSERT_OK(f, query_row(&query, &found, &f->err));
		if (!found)
			break;
		for (int i = 0; i < sqlite3_column_count(query.handle); i++)
			used += (size_t)snprintf(ret + used, 2048 - used, "%s%s",
				i > 0      ? "|"
				: used > 0 ? "\n"
					   : "",
				query_text(&query));
		assert_true(used < 2048);
	}
	query_close(&query);
}

#define ASSERT_ROWS(f, sql, wanted)                                                                \
	do {                                                                                       \
		char rows_[2048];                                                                  \
		fixture_rows(f, sql, rows_);                                                       \
		assert_string_equal(rows_, wanted);                                                \
	} while (0)

#endif
