/* For tests of the reading commands: a job with one trial of each kind, told by hand.
 *
 *     1  done      loss 4, given by "first"
 *     2  done      loss 2 after 3, NaN, 2: the best
 *     3  failed    nan
 *     4  stopped   early, loss 3.5 up to there
 *     5  running   loss 3 at step 7
 *     6  proposed
 *
 * Times are microseconds of a clock that begins at FIXTURE_BEGIN; trial n is created n s later and, if
 * it has ended, took 10 s. */
#ifndef TESTS_FIXTURE_REPORT_H
#define TESTS_FIXTURE_REPORT_H

#include "tests/fixture_job.h"
#include "tuner/job_open.h"
#include "tuner/trial_report.h"

#include <math.h>

#define FIXTURE_SECOND ((int64_t)1000000)
#define FIXTURE_BEGIN  (1700000000 * FIXTURE_SECOND)

struct story {
	double x;
	const char *source; /* "first" or "" */
	double values[4];
	int64_t n_values, first_step;
	bool launched, ended;
	enum outcome outcome;
	enum trial_state state;
	double objective;
	const char *message;
};

static const struct story FIXTURE_STORIES[] = {
	{ .x = 0.25,
		.source = "first",
		.values = { 4 },
		.n_values = 1,
		.first_step = 1,
		.launched = true,
		.ended = true,
		.outcome = OUTCOME_OK,
		.state = TRIAL_DONE,
		.objective = 4 },
	{ .x = 0.1,
		.values = { 3, NAN, 2 },
		.n_values = 3,
		.first_step = 1,
		.launched = true,
		.ended = true,
		.outcome = OUTCOME_OK,
		.state = TRIAL_DONE,
		.objective = 2 },
	{ .x = 1,
		.values = { NAN },
		.n_values = 1,
		.first_step = 1,
		.launched = true,
		.ended = true,
		.outcome = OUTCOME_NAN,
		.state = TRIAL_FAILED,
		.objective = NAN,
		.message = "loss is \033[31mNaN" },
	{ .x = 0.75,
		.values = { 3.5 },
		.n_values = 1,
		.first_step = 1,
		.launched = true,
		.ended = true,
		.outcome = OUTCOME_EARLY_STOPPED,
		.state = TRIAL_STOPPED,
		.objective = 3.5,
		.message = "worse than the median" },
	{ .x = 0.5, .values = { 3 }, .n_values = 1, .first_step = 7, .launched = true },
	{ .x = 0.625 },
};

enum { FIXTURE_TRIALS = sizeof(FIXTURE_STORIES) / sizeof(*FIXTURE_STORIES) };

/* A changing call between begin and commit. */
#define FIXTURE_COMMIT(fixture, call)                                                              \
	do {                                                                                       \
		ASSERT_OK(fixture, store_begin((fixture)->store, STORE_LAZY, &(fixture)->err));    \
		ASSERT_OK(fixture, call);                                                          \
		ASSERT_OK(fixture, store_commit((fixture)->store, &(fixture)->err));               \
	} while (0)

static inline int64_t fixture_propose(struct fixture *fixture, const struct job *job, int number)
{
	const struct story *story = &FIXTURE_STORIES[number - 1];
	const struct decision decision = { .strategy = "bayesian",
		.branch = story->source != NULL ? "user"
			  : number == 2         ? "model"
						: "design",
		.reason = "",
		.settings = "{}",
		.budget_trials = 10,
		.parallel = 2,
		.mean = number == 2 ? 2.5 : NAN,
		.sd = number == 2 ? 0.5 : NAN,
		.incumbent = number == 2 ? 4 : NAN,
		.acquisition = number == 2 ? log(1.5) : NAN,
		.took_us = 5000,
		.libraries = "libraries",
		.cpu = "cpu",
		.program = "0" };
	char parameters[64];
	int64_t id, count, arm_number, queued_id = 0;
	bool capped, found = false;
	struct queued queued = { 0 };
	if (story->source != NULL) {
		ASSERT_OK(fixture,
			queue_next(fixture->store, job->id, "", 0, &queued, &found, &fixture->err));
		assert_true(found);
		queued_id = queued.id;
	}
	snprintf(parameters, sizeof(parameters), "{\"x\": %.17g}", story->x);
	const struct trial_new trial = { .job_id = job->id,
		.arm = "",
		.space_version = job->space_version,
		.objective_version = job->objective_version,
		.values = &story->x,
		.d = 1,
		.parameters = parameters,
		.queued = queued_id };
	FIXTURE_COMMIT(fixture, trial_create(fixture->store, &trial, &decision,
					FIXTURE_BEGIN + number * FIXTURE_SECOND, &id, &count,
					&arm_number, &capped, &fixture->err));
	assert_int_equal(count, number);
	queued_finish(&queued);
	return id;
}

static inline void fixture_report_metrics(
	struct fixture *fixture, int64_t attempt, const struct story *story)
{
	struct metric_row rows[4];
	for (int64_t i = 0; i < story->n_values; i++)
		rows[i] = (struct metric_row){ .name = "loss",
			.step = story->first_step + i,
			.value = story->values[i],
			.time_us = FIXTURE_BEGIN };
	FIXTURE_COMMIT(fixture, metric_add(fixture->store, attempt, rows, (size_t)story->n_values,
					"loss", false, 100, "{}", &fixture->err));
}

static inline void fixture_live(struct fixture *fixture, int64_t trial_id, int number)
{
	const struct story *story = &FIXTURE_STORIES[number - 1];
	const int64_t began = FIXTURE_BEGIN + number * FIXTURE_SECOND;
	int64_t attempt, event;
	char key[32], directory[32];
	snprintf(key, sizeof(key), "key%d", number);
	snprintf(directory, sizeof(directory), "job/%04d/1", number);
	const struct attempt_new new = { .trial_id = trial_id,
		.key = key,
		.backend = "local",
		.host = "here",
		.gpus = "[]",
		.directory = directory };
	FIXTURE_COMMIT(
		fixture, attempt_create(fixture->store, &new, began, &attempt, &fixture->err));
	FIXTURE_COMMIT(fixture,
		attempt_move(fixture->store, attempt, ATTEMPT_RUNNING, began, &fixture->err));
	fixture_report_metrics(fixture, attempt, story);
	if (!story->ended)
		return;
	const struct attempt_end end = { .outcome = story->outcome,
		.message = story->message ? story->message : "",
		.exit_code = 0,
		.signal = -1,
		.started_us = began,
		.ended_us = began + 10 * FIXTURE_SECOND,
		.user_us = 1500000,
		.trial = story->state,
		.objective = story->objective };
	FIXTURE_COMMIT(fixture, attempt_end(fixture->store, attempt, &end,
					began + 10 * FIXTURE_SECOND, &event, &fixture->err));
}

/* The job, its first `n` trials, and what reads them. The job file is {keys}. */
static inline void fixture_tell(
	struct fixture *fixture, const char *keys, int n, struct report *ret_report)
{
	struct job_file *file = fixture_file(keys);
	struct job_opening opening = { .changes = TEXT_EMPTY };
	struct job job;
	ASSERT_OK(fixture, job_open(fixture->store, file, false, NULL, &opening, &fixture->err));
	ASSERT_OK(fixture, job_load(fixture->store, opening.job_id, &job, &fixture->err));
	for (int number = 1; number <= n; number++) {
		const int64_t id = fixture_propose(fixture, &job, number);
		if (FIXTURE_STORIES[number - 1].launched)
			fixture_live(fixture, id, number);
	}
	ASSERT_OK(fixture, report_load(fixture->store, job.id, ret_report, &fixture->err));
	job_finish(&job);
	text_finish(&opening.changes);
	job_file_destroy(file);
}

#define FIXTURE_TOLD                                                                               \
	FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND                                                \
		"\"seed\": 1, \"first\": [{\"x\": 0.25}], "                                        \
		"\"budget\": {\"trials\": 10, \"parallel\": 2, \"runtime\": \"1h\"}"

#endif
