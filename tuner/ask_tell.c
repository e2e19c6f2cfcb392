#include "tuner/ask_tell.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/number.h"
#include "tuner/launch.h"
#include "trials/event.h"
#include "tuner/early_stopping.h"
#include "tuner/enqueue.h"
#include "tuner/proposal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A trial that was asked for and not yet told, or one that a `tuner run` has left open. */
struct open_trial {
	int64_t number, id, attempt; /* database ids; attempt 0: not a caller's */
	bool added; /* observed elsewhere */
	int64_t asked_us, heard_us, lease_us; /* wall clock; lease_us 0: pending until told */
	double *values; /* NULL: does not fit into the present space */
	struct series series;
};

struct ask_tell {
	const struct ask_tell_settings *settings;
	const struct job_file *file;
	struct store *store; /* NULL: in memory only */
	struct job job; /* the store's */
	struct history history;
	struct proposer proposer;
	struct open_trial *open; /* by rising number */
	size_t n_open, open_capacity;
	size_t next_first; /* of the job file's "first", without a store */
};

/* ---- open trials ---- */

static void open_trial_finish(struct open_trial *open)
{
	free(open->values);
	series_finish(&open->series);
}

/* Appends a zeroed one. */
static struct open_trial *open_trial_add(struct ask_tell *ask_tell, struct tuner_error *err)
{
	if (!array_reserve(&ask_tell->open, ask_tell->n_open, &ask_tell->open_capacity,
		    sizeof(*ask_tell->open))) {
		tuner_fail_memory(err);
		return NULL;
	}
	struct open_trial *added = &ask_tell->open[ask_tell->n_open++];
	*added = (struct open_trial){ 0 };
	return added;
}

static struct open_trial *open_trial_find(const struct ask_tell *ask_tell, int64_t number)
{
	for (size_t i = 0; i < ask_tell->n_open; i++)
		if (ask_tell->open[i].number == number)
			return &ask_tell->open[i];
	return NULL;
}

/* Removes and finishes it. */
static void open_trial_remove(struct ask_tell *ask_tell, struct open_trial *open)
{
	const size_t i = (size_t)(open - ask_tell->open);
	open_trial_finish(open);
	ask_tell->n_open--;
	memmove(open, open + 1, (ask_tell->n_open - i) * sizeof(*open));
}

static bool is_pending(const struct open_trial *open, int64_t now_us)
{
	return open->values != NULL &&
	       (open->lease_us == 0 || now_us < open->heard_us + open->lease_us);
}

/* ---- reading what is there ---- */

static const struct attempt *attempt_of(const struct attempt_list *attempts, int64_t trial_id)
{
	for (size_t i = 0; i < attempts->n; i++)
		if (attempts->items[i].trial_id == trial_id)
			return &attempts->items[i];
	return NULL;
}

static bool read_open(struct ask_tell *ask_tell, const struct trial *trial,
	const struct attempt *attempt, struct tuner_error *err)
{
	struct open_trial *open = open_trial_add(ask_tell, err);
	if (open == NULL)
		return false;
	open->number = trial->number;
	open->id = trial->id;
	open->asked_us = trial->created_us;
	if (!trial_present_values(ask_tell->file, trial, &open->values, err))
		return false;
	if (attempt == NULL || strcmp(attempt->backend, ATTEMPT_CALLER) != 0)
		return true;
	open->attempt = attempt->id;
	open->lease_us = attempt->lease_us;
	open->heard_us = attempt->heard_us;
	return trial->metric_count == 0 ||
	       series_load(&open->series, ask_tell->store, trial->id, ask_tell->file->metric, err);
}

static bool read_all_open(struct ask_tell *ask_tell, struct tuner_error *err)
{
	const struct trial_filter filter = {
		.job_id = ask_tell->job.id,
		.repeat = -1,
		.states = 1u << TRIAL_PROPOSED | 1u << TRIAL_RUNNING | 1u << TRIAL_PAUSED,
	};
	struct attempt_list attempts;
	struct trial_list trials;
	if (!attempt_select(ask_tell->store, ask_tell->job.id, 0, &attempts, err))
		return false;
	if (!trial_select(ask_tell->store, &filter, &trials, err)) {
		attempt_list_finish(&attempts);
		return false;
	}
	bool ok = true;
	for (size_t i = 0; ok && i < trials.n; i++)
		ok = read_open(
			ask_tell, &trials.items[i], attempt_of(&attempts, trials.items[i].id), err);
	trial_list_finish(&trials);
	attempt_list_finish(&attempts);
	return ok;
}

static bool read_store(struct ask_tell *ask_tell, struct tuner_error *err)
{
	const int64_t job_id = ask_tell->settings->job_id;
	return job_load(ask_tell->store, job_id, &ask_tell->job, err) &&
	       history_load(
		       &ask_tell->history, ask_tell->file, ask_tell->store, job_id, "", 0, err) &&
	       proposer_load(
		       &ask_tell->proposer, ask_tell->file, ask_tell->store, job_id, "", 0, err) &&
	       read_all_open(ask_tell, err);
}

bool ask_tell_open(
	const struct ask_tell_settings *settings, struct ask_tell **ret, struct tuner_error *err)
{
	struct ask_tell *ask_tell = calloc(1, sizeof(*ask_tell));
	if (ask_tell == NULL)
		return tuner_fail_memory(err);
	ask_tell->settings = settings;
	ask_tell->file = settings->file;
	ask_tell->store = settings->store;
	ask_tell->history.file = settings->file;
	const bool ok = ask_tell->store != NULL
				? read_store(ask_tell, err)
				: proposer_create(&ask_tell->proposer, ask_tell->file, err);
	if (ok)
		*ret = ask_tell;
	else
		ask_tell_close(ask_tell);
	return ok;
}

void ask_tell_close(struct ask_tell *ask_tell)
{
	if (ask_tell == NULL)
		return;
	for (size_t i = 0; i < ask_tell->n_open; i++)
		open_trial_finish(&ask_tell->open[i]);
	free(ask_tell->open);
	proposer_finish(&ask_tell->proposer);
	history_finish(&ask_tell->history);
	job_finish(&ask_tell->job);
	free(ask_tell);
}

const struct job_file *ask_tell_file(const struct ask_tell *ask_tell)
{
	return ask_tell->file;
}

/* ---- writing: the rows of a new trial ---- */

/* An ended job is reopened when it is asked again. */
static bool reopen_job(struct ask_tell *ask_tell, int64_t now_us, struct tuner_error *err)
{
	return ask_tell->job.state == JOB_OPEN ||
	       job_set_state(ask_tell->store, ask_tell->job.id, JOB_OPEN, "", now_us, err);
}

static bool create_attempt(struct ask_tell *ask_tell, struct open_trial *open, int64_t lease_us,
	struct tuner_error *err)
{
	char key[40];
	if (!attempt_new_key(key, err))
		return false;
	const struct attempt_new attempt = {
		.trial_id = open->id,
		.key = key,
		.backend = ATTEMPT_CALLER,
		.host = ask_tell->settings->host,
		.directory = "",
		.lease_us = lease_us,
	};
	return attempt_create(ask_tell->store, &attempt, open->asked_us, &open->attempt, err);
}

/* Trial, decision and attempt, in the open transaction. */
static bool create_rows(struct ask_tell *ask_tell, const struct proposal *proposal, bool added,
	struct open_trial *open, struct tuner_error *err)
{
	double values[SPACE_PARAMETERS_MAX];
	int64_t arm_number;
	bool capped;
	configuration_stored_values(ask_tell->file, open->values, values);
	const struct trial_new trial = {
		.job_id = ask_tell->job.id,
		.arm = "",
		.space_version = ask_tell->job.space_version,
		.objective_version = ask_tell->job.objective_version,
		.values = values,
		.d = ask_tell->file->space.d,
		.parameters = proposal->parameters.bytes,
		.queued = proposal->queued,
		.added = added,
		.uncapped = true,
	};
	if (!reopen_job(ask_tell, open->asked_us, err) ||
		!trial_create(ask_tell->store, &trial, &proposal->decision, open->asked_us,
			&open->id, &open->number, &arm_number, &capped, err))
		return false;
	tuner_assert(arm_number == ask_tell->history.created + 1);
	return create_attempt(ask_tell, open, open->lease_us, err);
}

static bool store_asked(struct ask_tell *ask_tell, const struct proposal *proposal,
	struct open_trial *open, struct tuner_error *err)
{
	if (ask_tell->store == NULL)
		return true;
	if (!store_begin(ask_tell->store, STORE_DURABLE, err))
		return false;
	if (create_rows(ask_tell, proposal, false, open, err) &&
		attempt_move(
			ask_tell->store, open->attempt, ATTEMPT_RUNNING, open->asked_us, err) &&
		store_commit(ask_tell->store, err))
		return true;
	store_rollback(ask_tell->store);
	return false;
}

/* The trial is committed: updates the state in memory. */
static void created(
	struct ask_tell *ask_tell, const struct proposal *proposal, const struct open_trial *open)
{
	ask_tell->job.state = JOB_OPEN;
	ask_tell->history.created++;
	proposal_committed(&ask_tell->proposer, proposal, open->id);
}

/* ---- asking ---- */

/* The next configuration that people queued; *ret->parameters is owned. */
static bool next_queued(
	struct ask_tell *ask_tell, struct queued *ret, bool *ret_found, struct tuner_error *err)
{
	const struct job_file *file = ask_tell->file;
	struct text entry = TEXT_EMPTY;
	if (ask_tell->store != NULL)
		return queue_next(ask_tell->store, ask_tell->job.id, "", 0, ret, ret_found, err);
	*ret_found = ask_tell->next_first < file->n_first;
	if (!*ret_found)
		return true;
	configuration_json(file, file->first[ask_tell->next_first], &entry);
	ret->parameters = text_take(&entry);
	return ret->parameters != NULL || tuner_fail_memory(err);
}

/* How many trials the caller evaluates at a time, according to the job file. */
static size_t parallel(const struct job_file *file)
{
	return file->budget.parallel > 0 ? (size_t)file->budget.parallel : 1;
}

/* Without a time limit, unlike in `run`: asking again, also in another process, must give the same
 * answer. */
static bool propose(
	struct ask_tell *ask_tell, int64_t now_us, struct proposal *ret, struct tuner_error *err)
{
	const struct proposal_terms terms = { .parallel = parallel(ask_tell->file) };
	struct pending *pending = calloc(ask_tell->n_open + 1, sizeof(*pending));
	struct queued queued = { 0 };
	bool found = false, ok = false;
	size_t n = 0;

	if (pending == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < ask_tell->n_open; i++)
		if (is_pending(&ask_tell->open[i], now_us))
			pending[n++] = (struct pending){ ask_tell->open[i].number,
				ask_tell->open[i].values };
	if (next_queued(ask_tell, &queued, &found, err))
		ok = proposal_make_under(&ask_tell->proposer, &ask_tell->history, pending, n,
			found ? &queued : NULL, &terms, ret, err);
	if (ok && found && !ret->exhausted)
		ask_tell->next_first++;
	queued_finish(&queued);
	free(pending);
	return ok;
}

/* A new open trial with the proposal's values; it gets its numbers from the database, if there is one. */
static struct open_trial *open_proposed(struct ask_tell *ask_tell, const struct proposal *proposal,
	int64_t now_us, struct tuner_error *err)
{
	const size_t d = ask_tell->file->space.d;
	double *values = calloc(d + 1, sizeof(*values));
	if (values == NULL) {
		tuner_fail_memory(err);
		return NULL;
	}
	struct open_trial *open = open_trial_add(ask_tell, err);
	if (open == NULL) {
		free(values);
		return NULL;
	}
	memcpy(values, proposal->values, d * sizeof(*values));
	open->values = values;
	open->number = open->id = ask_tell->history.created + 1;
	open->asked_us = now_us;
	return open;
}

bool ask_tell_ask(
	struct ask_tell *ask_tell, struct asked *ret, bool *ret_exhausted, struct tuner_error *err)
{
	const int64_t now_us = clock_wall_us();
	struct proposal proposal;
	bool ok = false;

	if (!propose(ask_tell, now_us, &proposal, err))
		return false;
	*ret_exhausted = proposal.exhausted;
	struct open_trial *open = NULL;
	if (!proposal.exhausted) {
		open = open_proposed(ask_tell, &proposal, now_us, err);
		if (open == NULL)
			goto out;
		open->lease_us = ask_tell->settings->lease_us;
		open->heard_us = now_us;
		if (!store_asked(ask_tell, &proposal, open, err)) {
			open_trial_remove(ask_tell, open);
			goto out;
		}
		created(ask_tell, &proposal, open);
		*ret = (struct asked){ open->number, open->values };
	}
	ok = true;
out:
	proposal_finish(&proposal);
	return ok;
}

/* ---- telling ---- */

bool told_outcome(const char *reason, enum outcome *ret, struct tuner_error *err)
{
	static const enum outcome told[] = { OUTCOME_NAN, OUTCOME_DIVERGED, OUTCOME_CRASHED,
		OUTCOME_OOM_GPU, OUTCOME_NO_METRIC, OUTCOME_TIMEOUT, OUTCOME_EARLY_STOPPED,
		OUTCOME_USER_STOPPED };
	enum { N = sizeof(told) / sizeof(*told) };
	const char *names[N];

	for (size_t i = 0; i < N; i++) {
		names[i] = outcome_name(told[i]);
		if (strcmp(reason, names[i]) == 0) {
			*ret = told[i];
			return true;
		}
	}
	for (enum outcome o = OUTCOME_OK; o < OUTCOMES; o++)
		if (strcmp(reason, outcome_name(o)) == 0)
			return o == OUTCOME_OK
				       ? tuner_fail(err, TUNER_USAGE,
						 "\"ok\" is no failure: tell the value")
				       : tuner_fail(err, TUNER_USAGE,
						 "\"%s\" is not the configuration's fault, so "
						 "there is nothing to learn from it: evaluate the "
						 "trial again, or give it up with \"user-stopped\"",
						 reason);
	const char *nearest = nearest_word(reason, names, N);
	if (nearest != NULL)
		return tuner_fail(err, TUNER_USAGE,
			"there is no failure \"%.100s\"; did you mean \"%s\"?", reason, nearest);
	return tuner_fail(err, TUNER_USAGE,
		"there is no failure \"%.100s\": one of nan, diverged, crashed, oom-gpu, no-metric "
		"and timeout, or early-stopped or user-stopped for an end before its time",
		reason);
}

/* For a formula, values of the objective itself are told; "reduce" applies to its metrics. */
static double told_objective(const struct job_file *file, const struct series *series)
{
	const struct objective_metric *metric = &file->objective.metrics[0];

	return file->objective.formula != NULL
		       ? series_reduce(series, REDUCE_LAST, 1, file->maximize)
		       : series_reduce(series, metric->reduce, metric->last, file->maximize);
}

/* What becomes of a trial: the table of outcomes in architecture.md, section 5. */
static struct told_answer decide(const struct job_file *file, const struct told *told,
	const struct judgement *judgement, const struct series *series)
{
	struct told_answer answer = { .state = TRIAL_FAILED, .objective = NAN };
	if (told->kind == TOLD_VALUE &&
		(isnan(told->value) || judgement_lacks_objective(judgement))) {
		answer.outcome = OUTCOME_NAN;
		return answer;
	}
	if (told->kind == TOLD_VALUE && judgement_is_over(judgement)) {
		answer.outcome = OUTCOME_OVER_LIMIT;
		answer.judgement = *judgement;
		objective_limits_message(&file->objective, file->metric, judgement, answer.broken);
		return answer;
	}
	if (told->kind == TOLD_VALUE) {
		answer.outcome = OUTCOME_OK;
		answer.state = TRIAL_DONE;
		answer.objective = told->value;
		answer.judgement = *judgement;
		return answer;
	}
	answer.outcome = told->outcome;
	if (told->outcome == OUTCOME_EARLY_STOPPED || told->outcome == OUTCOME_USER_STOPPED ||
		(told->outcome == OUTCOME_TIMEOUT && series->n > 0)) {
		answer.state = TRIAL_STOPPED;
		answer.objective = told_objective(file, series);
	}
	return answer;
}

/* In the open transaction, as this function and the next. */
static bool store_metrics(struct ask_tell *ask_tell, const struct open_trial *open,
	const struct told *told, int64_t now_us, struct tuner_error *err)
{
	const struct job_file *file = ask_tell->file;
	const struct series *series = &open->series;
	const double last = series->n > 0 ? series->steps[series->n - 1] : 0;
	struct metric_row rows[OBJECTIVE_METRICS_MAX];
	const size_t n = told_metrics_rows(&told->metrics, (int64_t)last, now_us, rows);

	return n == 0 || metric_add(ask_tell->store, open->attempt, rows, n, file->metric,
				 file->maximize, 0, "{}", err);
}

static bool end_attempt(struct ask_tell *ask_tell, const struct open_trial *open,
	const struct told *told, const struct told_answer *answer, int64_t now_us,
	int64_t *ret_event, struct tuner_error *err)
{
	const bool is_over = answer->outcome == OUTCOME_OVER_LIMIT;
	const struct attempt_end end = {
		.outcome = is_over ? OUTCOME_OK : answer->outcome,
		.counts_as = answer->outcome,
		.message = "",
		.trial_message = answer->broken,
		.judgement = answer->judgement,
		.exit_code = -1,
		.signal = -1,
		.started_us = open->asked_us,
		.ended_us = now_us,
		.trial = answer->state,
		.objective = answer->objective,
	};
	return store_metrics(ask_tell, open, told, now_us, err) &&
	       attempt_end(ask_tell->store, open->attempt, &end, now_us, ret_event, err);
}

static bool store_end(struct ask_tell *ask_tell, const struct open_trial *open,
	const struct told *told, const struct told_answer *answer, int64_t now_us,
	int64_t *ret_event, struct tuner_error *err)
{
	if (ask_tell->store == NULL)
		return true;
	if (!store_begin(ask_tell->store, STORE_DURABLE, err))
		return false;
	if (end_attempt(ask_tell, open, told, answer, now_us, ret_event, err) &&
		store_commit(ask_tell->store, err))
		return true;
	store_rollback(ask_tell->store);
	return false;
}

/* Moves a trial from the open to the finished ones. */
static bool to_history(struct ask_tell *ask_tell, struct open_trial *open,
	struct told_answer *answer, int64_t now_us, int64_t event, struct tuner_error *err)
{
	const struct finished_trial trial = {
		.number = open->number,
		.values = open->values,
		.objective = answer->objective,
		.state = answer->state,
		.outcome = answer->outcome,
		.judgement = answer->judgement,
		.added = open->added,
		.took_us = trial_duration_us(open->asked_us, 0, now_us),
		.series = open->series,
	};
	if (!history_add(&ask_tell->history, &trial, err))
		return false;
	if (ask_tell->store != NULL)
		ask_tell->history.last_event = event;
	answer->best =
		ask_tell->history.best != NULL && ask_tell->history.best->number == open->number;
	open->values = NULL; /* now owned by the history */
	open->series = (struct series){ 0 };
	open_trial_remove(ask_tell, open);
	return true;
}

static bool judge_told(const struct job_file *file, const struct told *told, struct judgement *ret,
	struct tuner_error *err)
{
	*ret = (struct judgement){ 0 };
	return told->kind != TOLD_VALUE || isnan(told->value) ||
	       told_metrics_judge(&told->metrics, file, told->value, ret, err);
}

static bool tell_end(struct ask_tell *ask_tell, struct open_trial *open, const struct told *told,
	struct told_answer *ret, struct tuner_error *err)
{
	const int64_t now_us = clock_wall_us();
	struct judgement judgement;
	int64_t event = 0;
	if (!judge_told(ask_tell->file, told, &judgement, err))
		return false;
	*ret = decide(ask_tell->file, told, &judgement, &open->series);
	return store_end(ask_tell, open, told, ret, now_us, &event, err) &&
	       to_history(ask_tell, open, ret, now_us, event, err);
}

static bool store_step(struct ask_tell *ask_tell, const struct open_trial *open,
	const struct told *told, int64_t now_us, struct tuner_error *err)
{
	const struct job_file *file = ask_tell->file;
	const struct metric_row row = { file->metric, told->step, told->value, now_us };
	if (ask_tell->store == NULL)
		return true;
	if (!store_begin(ask_tell->store, STORE_LAZY, err))
		return false;
	if (metric_add(ask_tell->store, open->attempt, &row, 1, file->metric, file->maximize, 0,
		    "{}", err) &&
		attempt_hear(ask_tell->store, open->attempt, now_us, err) &&
		store_commit(ask_tell->store, err))
		return true;
	store_rollback(ask_tell->store);
	return false;
}

static bool judge(struct ask_tell *ask_tell, const struct open_trial *open, struct told_answer *ret,
	struct tuner_error *err)
{
	struct stopping_verdict verdict;
	const struct series **others;
	size_t n = 0;
	if (ask_tell->file->stopping.rule == STOPPING_NONE)
		return true;
	others = calloc(ask_tell->n_open, sizeof(*others));
	if (others == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < ask_tell->n_open; i++)
		if (&ask_tell->open[i] != open)
			others[n++] = &ask_tell->open[i].series;
	const bool ok =
		early_stopping_judge(&ask_tell->history, &open->series, others, n, &verdict, err);
	free(others);
	if (ok) {
		ret->stop = verdict.stop;
		memcpy(ret->reason, verdict.reason, sizeof(ret->reason));
	}
	return ok;
}

static bool tell_step(struct ask_tell *ask_tell, struct open_trial *open, const struct told *told,
	struct told_answer *ret, struct tuner_error *err)
{
	const int64_t now_us = clock_wall_us();
	*ret = (struct told_answer){ .state = TRIAL_RUNNING, .objective = NAN };
	if (!store_step(ask_tell, open, told, now_us, err))
		return false;
	if (!series_put(&open->series, (double)told->step, told->value))
		return tuner_fail_memory(err);
	open->heard_us = now_us;
	return judge(ask_tell, open, ret, err);
}

/* Of a trial that is not open. */
static bool refuse(const struct ask_tell *ask_tell, int64_t number, struct tuner_error *err)
{
	const struct history *history = &ask_tell->history;
	char value[NUMBER_TEXT];
	for (size_t i = 0; i < history->n; i++) {
		const struct finished_trial *trial = &history->items[i];
		if (trial->number != number)
			continue;
		if (trial->state == TRIAL_DONE)
			return tuner_fail(err, TUNER_USAGE, "trial %lld already has its value: %s",
				(long long)number, number_from_double(trial->objective, value));
		return tuner_fail(err, TUNER_USAGE, "trial %lld has already ended: %s",
			(long long)number, outcome_name(trial->outcome));
	}
	return tuner_fail(err, TUNER_USAGE, "trial %lld was never asked for", (long long)number);
}

bool ask_tell_tell(struct ask_tell *ask_tell, int64_t number, const struct told *told,
	struct told_answer *ret, struct tuner_error *err)
{
	struct open_trial *open = open_trial_find(ask_tell, number);
	if (open == NULL)
		return refuse(ask_tell, number, err);
	if (ask_tell->store != NULL && open->attempt == 0)
		return tuner_fail(err, TUNER_USAGE,
			"trial %lld was not asked for: \"tuner run\" launched it, and also "
			"collects its result",
			(long long)number);
	return told->kind == TOLD_STEP ? tell_step(ask_tell, open, told, ret, err)
				       : tell_end(ask_tell, open, told, ret, err);
}

/* ---- observations made elsewhere ---- */

static bool check_added(
	const struct job_file *file, const char *parameters, struct tuner_error *err)
{
	double values[SPACE_PARAMETERS_MAX];
	if (!configuration_parse(file, parameters, false, values, err))
		return false;
	for (size_t i = 0; i < file->space.d; i++)
		if (isnan(values[i]))
			return tuner_fail(err, TUNER_USAGE,
				"%.200s is missing: an observation must have all parameters",
				file->space.parameters[i].name);
	return true;
}

static bool store_added(struct ask_tell *ask_tell, const struct proposal *proposal,
	struct open_trial *open, const struct told *told, const struct told_answer *answer,
	int64_t *ret_event, struct tuner_error *err)
{
	if (ask_tell->store == NULL)
		return true;
	if (!store_begin(ask_tell->store, STORE_DURABLE, err))
		return false;
	if (create_rows(ask_tell, proposal, true, open, err) &&
		end_attempt(ask_tell, open, told, answer, open->asked_us, ret_event, err) &&
		store_commit(ask_tell->store, err))
		return true;
	store_rollback(ask_tell->store);
	return false;
}

bool ask_tell_add(struct ask_tell *ask_tell, const char *parameters, const struct told *told,
	int64_t *ret_number, struct told_answer *ret, struct tuner_error *err)
{
	const struct queued given = { .parameters = (char *)parameters };
	const int64_t now_us = clock_wall_us();
	struct judgement judgement;
	struct proposal proposal;
	int64_t event = 0;
	bool ok = false;

	tuner_assert(told->kind != TOLD_STEP);
	/* With all parameters given, it is the user's decision, like one from the queue. */
	if (!check_added(ask_tell->file, parameters, err) ||
		!judge_told(ask_tell->file, told, &judgement, err) ||
		!proposal_make(&ask_tell->proposer, &ask_tell->history, NULL, 0, &given,
			parallel(ask_tell->file), &proposal, err))
		return false;
	struct open_trial *open = open_proposed(ask_tell, &proposal, now_us, err);
	if (open == NULL)
		goto out;
	open->added = true;
	*ret = decide(ask_tell->file, told, &judgement, &open->series);
	if (!store_added(ask_tell, &proposal, open, told, ret, &event, err)) {
		open_trial_remove(ask_tell, open);
		goto out;
	}
	created(ask_tell, &proposal, open);
	*ret_number = open->number;
	ok = to_history(ask_tell, open, ret, now_us, event, err);
out:
	proposal_finish(&proposal);
	return ok;
}

/* ---- other processes ---- */

/* Executes one request, in the open transaction; a refusal is an answer too. */
static bool serve(struct ask_tell *ask_tell, const struct request *request, struct tuner_error *err)
{
	struct tuner_error refused = { TUNER_OK, "" };
	cJSON *argument = cJSON_Parse(request->argument);
	struct text turn = TEXT_EMPTY;
	bool done;
	if (strcmp(request->verb, "enqueue") == 0)
		done = enqueue_requested(ask_tell->store, ask_tell->job.id, ask_tell->file,
			       argument, &refused) &&
		       enqueue_turn(ask_tell->store, ask_tell->job.id, &turn, &refused);
	else
		done = tuner_fail(&refused, TUNER_USAGE,
			"no \"tuner run\" is running it: a program asks and tells (tuner "
			"ask-tell), and decides when it ends");
	cJSON_Delete(argument);
	bool ok = done || refused.code == TUNER_USAGE;
	if (!ok)
		*err = refused;
	ok = ok && request_answer(ask_tell->store, request->id, !done,
			   done ? turn.bytes : refused.message, clock_wall_us(), err);
	text_finish(&turn);
	return ok;
}

bool ask_tell_serve(struct ask_tell *ask_tell, struct tuner_error *err)
{
	while (ask_tell->store != NULL) {
		struct request request;
		bool found;
		if (!request_next(ask_tell->store, ask_tell->job.id, &request, &found, err))
			return false;
		if (!found)
			break;
		bool ok = store_begin(ask_tell->store, STORE_DURABLE, err);
		if (ok && !(serve(ask_tell, &request, err) && store_commit(ask_tell->store, err))) {
			store_rollback(ask_tell->store);
			ok = false;
		}
		request_finish(&request);
		if (!ok)
			return false;
	}
	return true;
}
