#include "tuner/loop.h"

#include "base/clock.h"
#include "base/file.h"
#include "surrogate/convergence.h"
#include "trials/event.h"
#include "tuner/early_stopping.h"
#include "tuner/launch.h"
#include "tuner/live.h"
#include "tuner/proposal.h"
#include "tuner/version.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
	TICK_US = 200000, /* metrics, requests, the display */
	STOP_GRACE_US = 5000000, /* a stopped trial's, before SIGKILL */
	KILL_SLACK_US = 5000000, /* beyond the supervisor's own grace: it may be stuck */
	PROBE_LIVES_US = 60000000, /* a command that lives so long is taken to work */
	PROBE_LOG_LINES = 20,
	DESCRIPTORS_MAX = SLOTS_MAX + 16,
	RUNTIME_COMMIT_US = 5000000,
};

/*   SEARCHING ---> DRAINING ---> STOPPING
 *        '---------------------------^
 *
 * SEARCHING proposes; DRAINING proposes nothing more and waits for what runs; STOPPING has told what
 * runs to end. The loop ends when nothing runs and nothing is to be launched. */
enum phase { SEARCHING, DRAINING, STOPPING };

/* A trial that waits for its next attempt. */
struct retry {
	int64_t trial, number, attempts, trial_started_us;
	unsigned infrastructure_failures;
	char branch[16];
	double *values; /* owned */
};

struct loop {
	const struct loop_settings *settings;
	const struct job_file *file;
	struct store *store;
	struct backend *backend;
	struct history history;
	struct proposer proposer;
	struct metric_patterns *patterns;
	struct failure_rules *rules;
	struct live **lives; /* rising trial numbers */
	size_t n_lives, lives_capacity;
	struct retry *retries;
	size_t n_retries, retries_capacity;

	enum phase phase;
	enum exit_status status;
	enum job_state end_state;
	char reason[512]; /* why the phase is no longer SEARCHING */
	bool exhausted;
	size_t interrupts;

	int64_t infrastructure_failures; /* in this run */
	int64_t failed_in_a_row; /* configurations, in this run, while there is no objective */
	bool probe_passed;
	struct text log_tail;

	int signals;
	sigset_t old_mask;
	int64_t run_id;
	int64_t began_us, accounted_us, earlier_runtime_us; /* monotonic; runtime of earlier runs */
	int64_t next_tick_us;
};

/* ---- phases ---- */

/* Proposes nothing more. The first reason stays. */
static void drain(struct loop *loop, enum exit_status status, enum job_state state,
	const char *format, ...) TUNER_PRINTF(4, 5);
static void drain(
	struct loop *loop, enum exit_status status, enum job_state state, const char *format, ...)
{
	if (loop->phase != SEARCHING)
		return;
	va_list args;
	va_start(args, format);
	vsnprintf(loop->reason, sizeof(loop->reason), format, args);
	va_end(args);
	loop->phase = DRAINING;
	loop->status = status;
	loop->end_state = state;
}

/* Tells one trial to end; SIGKILL follows after grace_us. */
static bool stop_live(struct loop *loop, struct live *live, enum outcome why, const char *reason,
	int64_t grace_us, struct tuner_error *err)
{
	if (live->ended)
		return true;
	const int64_t kill_at_us = clock_monotonic_us() + grace_us;
	if (live->stopping != NULL && live->kill_at_us <= kill_at_us)
		return true;
	if (live->stopping == NULL) {
		live->stopping = outcome_name(why);
		snprintf(live->stop_reason, sizeof(live->stop_reason), "%s", reason);
	}
	live->kill_at_us = kill_at_us;
	return loop->backend->ops->signal(loop->backend, live->attempt, SIGTERM, err);
}

static bool stop_lives(struct loop *loop, enum outcome why, const char *reason, int64_t grace_us,
	struct tuner_error *err)
{
	loop->phase = STOPPING;
	for (size_t i = 0; i < loop->n_lives; i++)
		if (!stop_live(loop, loop->lives[i], why, reason, grace_us, err))
			return false;
	return true;
}

/* ---- what runs ---- */

static bool add_live(struct loop *loop, struct live *live, struct tuner_error *err)
{
	if (loop->n_lives == loop->lives_capacity) {
		const size_t capacity = loop->lives_capacity ? 2 * loop->lives_capacity : 16;
		struct live **lives = realloc(loop->lives, capacity * sizeof(*lives));
		if (lives == NULL)
			return tuner_fail_memory(err);
		loop->lives = lives;
		loop->lives_capacity = capacity;
	}
	size_t i = loop->n_lives++;
	for (; i > 0 && loop->lives[i - 1]->number > live->number; i--)
		loop->lives[i] = loop->lives[i - 1];
	loop->lives[i] = live;
	return true;
}

static void remove_live(struct loop *loop, const struct live *live)
{
	size_t i = 0;
	while (i < loop->n_lives && loop->lives[i] != live)
		i++;
	tuner_assert(i < loop->n_lives);
	loop->n_lives--;
	memmove(loop->lives + i, loop->lives + i + 1, (loop->n_lives - i) * sizeof(*loop->lives));
}

static struct live *find_live(struct loop *loop, int64_t attempt)
{
	for (size_t i = 0; i < loop->n_lives; i++)
		if (loop->lives[i]->attempt == attempt)
			return loop->lives[i];
	return NULL;
}

static bool add_retry(struct loop *loop, const struct retry *retry, struct tuner_error *err)
{
	if (loop->n_retries == loop->retries_capacity) {
		const size_t capacity = loop->retries_capacity ? 2 * loop->retries_capacity : 16;
		struct retry *retries = realloc(loop->retries, capacity * sizeof(*retries));
		if (retries == NULL)
			return tuner_fail_memory(err);
		loop->retries = retries;
		loop->retries_capacity = capacity;
	}
	loop->retries[loop->n_retries++] = *retry;
	return true;
}

static struct retry take_retry(struct loop *loop)
{
	tuner_assert(loop->n_retries > 0);
	const struct retry first = loop->retries[0];
	loop->n_retries--;
	memmove(loop->retries, loop->retries + 1, loop->n_retries * sizeof(*loop->retries));
	return first;
}

/* The lowest slot that nobody uses; n_slots if there is none. */
static size_t free_slot(const struct loop *loop)
{
	const size_t n = loop->settings->n_slots;
	bool busy[SLOTS_MAX] = { false };
	for (size_t i = 0; i < loop->n_lives; i++)
		if (loop->lives[i]->slot < n)
			busy[loop->lives[i]->slot] = true;
	for (size_t s = 0; s < n; s++)
		if (!busy[s])
			return s;
	return n;
}

/* ---- the budget ---- */

static int64_t runtime_us(const struct loop *loop)
{
	return loop->earlier_runtime_us + clock_monotonic_us() - loop->began_us;
}

static bool target_reached(const struct loop *loop)
{
	const struct job_budget *budget = &loop->file->budget;
	const struct finished_trial *best = loop->history.best;
	return budget->has_target && best != NULL &&
	       !objective_better(loop->file, budget->target, best->objective);
}

static size_t without_improvement(const struct history *history)
{
	double *objectives = calloc(history->n + 1, sizeof(*objectives));
	size_t n = 0;
	if (objectives == NULL)
		return 0;
	for (size_t i = 0; i < history->n; i++)
		if (history->items[i].state == TRIAL_DONE)
			objectives[n++] =
				(history->file->maximize ? -1 : 1) * history->items[i].objective;
	const size_t trials = not_improving(objectives, n, CONVERGENCE_GAIN);
	free(objectives);
	return trials;
}

/* The ends of a search other than its number of trials. */
static bool check_budget(struct loop *loop, struct tuner_error *err)
{
	const struct job_budget *budget = &loop->file->budget;
	if (loop->phase != SEARCHING)
		return true;
	if (target_reached(loop)) {
		drain(loop, EXIT_DONE, JOB_DONE, "the target %g is reached", budget->target);
		return stop_lives(loop, OUTCOME_EARLY_STOPPED, loop->reason, STOP_GRACE_US, err);
	}
	if (budget->runtime_us > 0 && runtime_us(loop) >= budget->runtime_us) {
		drain(loop, EXIT_DONE, JOB_DONE, "the budget's runtime is spent");
		return stop_lives(loop, OUTCOME_TIMEOUT, loop->reason, STOP_GRACE_US, err);
	}
	if (budget->deadline_us > 0 && clock_wall_us() >= budget->deadline_us) {
		drain(loop, EXIT_DONE, JOB_DONE, "the budget's deadline has come");
		return stop_lives(loop, OUTCOME_TIMEOUT, loop->reason, STOP_GRACE_US, err);
	}
	if (budget->failures > 0 && loop->infrastructure_failures >= budget->failures)
		drain(loop, EXIT_INFRASTRUCTURE, JOB_FAILED,
			"%lld attempts failed by infrastructure (budget.failures)",
			(long long)loop->infrastructure_failures);
	else if (budget->not_improving > 0 &&
		 without_improvement(&loop->history) >= (uint64_t)budget->not_improving)
		drain(loop, EXIT_DONE, JOB_DONE, "%lld trials in a row brought no improvement",
			(long long)budget->not_improving);
	return true;
}

static bool may_propose(const struct loop *loop)
{
	return !loop->exhausted && loop->history.created < loop->file->budget.trials;
}

/* The probe: until some trial has given an objective, one launch at a time, unless what runs has
 * reported a metric or has lived a while (architecture, rule 5). */
static bool probe_allows(const struct loop *loop)
{
	const int64_t now_us = clock_monotonic_us();
	if (loop->probe_passed || loop->n_lives == 0)
		return true;
	for (size_t i = 0; i < loop->n_lives; i++)
		if (loop->lives[i]->series.n > 0 ||
			now_us - loop->lives[i]->launched_us >= PROBE_LIVES_US)
			return true;
	return false;
}

static bool may_launch(const struct loop *loop)
{
	return loop->phase == SEARCHING && !loop->settings->stop_only &&
	       loop->n_lives < loop->settings->n_slots &&
	       (loop->n_retries > 0 || may_propose(loop)) && probe_allows(loop);
}

/* ---- a launch: planned, committed, done ---- */

struct plan {
	bool planned, retried;
	struct retry retry;
	struct proposal proposal;
	struct live *live;
	char *relative; /* attempt directory */
};

static void plan_finish(struct plan *plan)
{
	if (plan->retried)
		free(plan->retry.values);
	else if (plan->planned)
		proposal_finish(&plan->proposal);
	live_destroy(plan->live);
	free(plan->relative);
	*plan = (struct plan){ 0 };
}

static bool propose(struct loop *loop, struct plan *plan, struct tuner_error *err)
{
	const size_t n_pending = loop->n_lives + loop->n_retries;
	struct pending *pending = calloc(n_pending + 1, sizeof(*pending));
	struct queued queued = { 0 };
	bool found = false, ok = false;
	size_t n = 0;

	if (pending == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < loop->n_lives; i++)
		pending[n++] = (struct pending){ loop->lives[i]->number, loop->lives[i]->values };
	for (size_t i = 0; i < loop->n_retries; i++)
		pending[n++] = (struct pending){ loop->retries[i].number, loop->retries[i].values };
	if (!queue_next(loop->store, loop->settings->job_id, "", 0, &queued, &found, err))
		goto out;
	ok = proposal_make(&loop->proposer, &loop->history, pending, n, found ? &queued : NULL,
		loop->settings->n_slots, &plan->proposal, err);
out:
	if (found)
		queued_finish(&queued);
	free(pending);
	return ok;
}

/* Chooses what to launch next: a waiting retry first, then the queue, then the strategy. */
static bool plan_launch(struct loop *loop, struct plan *plan, struct tuner_error *err)
{
	struct live *live = calloc(1, sizeof(*live));
	if (live == NULL)
		return tuner_fail_memory(err);
	plan->live = live;
	live->slot = free_slot(loop);
	live->values = calloc(loop->file->space.d + 1, sizeof(*live->values));
	if (live->values == NULL)
		return tuner_fail_memory(err);
	const double *values;
	if (loop->n_retries > 0) {
		plan->retried = true;
		plan->retry = take_retry(loop);
		live->trial = plan->retry.trial;
		live->number = plan->retry.number;
		live->attempt_number = plan->retry.attempts + 1;
		live->infrastructure_failures = plan->retry.infrastructure_failures;
		live->trial_started_us = plan->retry.trial_started_us;
		memcpy(live->branch, plan->retry.branch, sizeof(live->branch));
		values = plan->retry.values;
	} else {
		if (!propose(loop, plan, err))
			return false;
		if (plan->proposal.exhausted) {
			loop->exhausted = true;
			plan_finish(plan);
			return true;
		}
		live->attempt_number = 1;
		snprintf(live->branch, sizeof(live->branch), "%s", plan->proposal.decision.branch);
		values = plan->proposal.values;
	}
	plan->planned = true;
	memcpy(live->values, values, loop->file->space.d * sizeof(*values));
	return attempt_new_key(live->key, err);
}

static bool gpus_json(const struct slot *slot, struct text *ret)
{
	text_add_char(ret, '[');
	for (size_t i = 0; i < slot->n_gpus; i++) {
		if (i > 0)
			text_add_char(ret, ',');
		text_add_json_string(ret, slot->gpus[i].uuid);
	}
	text_add_char(ret, ']');
	return !text_failed(ret);
}

/* The intent: trial, decision and attempt rows, within the open transaction. */
static bool store_plan(struct loop *loop, struct plan *plan, int64_t now_us, struct job *job,
	struct tuner_error *err)
{
	struct live *live = plan->live;
	struct text gpus = TEXT_EMPTY;
	bool ok = false, capped = false;

	if (!plan->retried) {
		int64_t arm_number;
		const struct trial_new trial = {
			.job_id = loop->settings->job_id,
			.arm = "",
			.space_version = job->space_version,
			.objective_version = job->objective_version,
			.values = live->values,
			.d = loop->file->space.d,
			.parameters = plan->proposal.parameters.bytes,
			.queued = plan->proposal.queued,
		};
		if (!trial_create(loop->store, &trial, &plan->proposal.decision, now_us,
			    &live->trial, &live->number, &arm_number, &capped, err))
			goto out;
		tuner_assert(!capped && arm_number == loop->history.created + 1);
	}
	plan->relative =
		attempt_relative_directory(loop->file->name, live->number, live->attempt_number);
	live->directory =
		plan->relative ? path_join(store_directory(loop->store), plan->relative) : NULL;
	if (live->directory == NULL || !gpus_json(&loop->settings->slots[live->slot], &gpus)) {
		tuner_fail_memory(err);
		goto out;
	}
	const struct attempt_new attempt = {
		.trial_id = live->trial,
		.key = live->key,
		.backend = loop->backend->ops->name,
		.host = loop->settings->host,
		.gpus = gpus.bytes,
		.directory = plan->relative,
		.slot = (int64_t)live->slot,
	};
	ok = attempt_create(loop->store, &attempt, now_us, &live->attempt, err);
out:
	text_finish(&gpus);
	return ok;
}

static struct launch_site site_of(const struct loop *loop, const struct live *live)
{
	const size_t slot = live->slot < loop->settings->n_slots ? live->slot : 0;
	return (struct launch_site){ loop->file, loop->settings->host,
		&loop->settings->slots[slot] };
}

/* A launch that failed before anything ran: its turn comes like that of any other end. */
static void end_unlaunched(struct live *live, const struct tuner_error *why)
{
	live->ended = true;
	live->end = (struct backend_event){ .kind = BACKEND_FAILED, .attempt = live->attempt };
	snprintf(live->end.message, sizeof(live->end.message), "%.250s", why->message);
}

static bool load_earlier_series(struct loop *loop, struct live *live, struct tuner_error *err)
{
	struct curve_list curves;
	if (live->attempt_number == 1 && live->stored_offset == 0)
		return true;
	if (!curve_select(loop->store, live->trial, loop->file->metric, &curves, err))
		return false;
	bool ok = true;
	for (size_t i = 0; ok && i < curves.n; i++)
		for (size_t k = 0; ok && k < curves.items[i].n; k++)
			ok = series_put(&live->series, (double)curves.items[i].steps[k],
				curves.items[i].values[k]);
	curve_list_finish(&curves);
	return ok || tuner_fail_memory(err);
}

/* After the commit: starts what was planned. A launch that fails is an end, not an error. */
static bool launch(struct loop *loop, struct live *live, struct tuner_error *err)
{
	struct tuner_error failed = { TUNER_OK, "" };
	const struct launch_site site = site_of(loop, live);
	live->launched_us = clock_monotonic_us();
	if (!load_earlier_series(loop, live, err) ||
		!scraper_create(loop->patterns, 0, NULL, &live->scraper, err))
		return false;
	if (!launch_prepare(&site, live, &failed) ||
		!loop->backend->ops->start(
			loop->backend, live->attempt, live->directory, live->key, &failed))
		end_unlaunched(live, &failed);
	return true;
}

/* ---- an end ---- */

static bool to_history(
	struct loop *loop, struct live *live, const struct fate *fate, struct tuner_error *err)
{
	const int64_t ended_us =
		live->end.exit.ended_us ? live->end.exit.ended_us : clock_wall_us();
	struct finished_trial trial = {
		.number = live->number,
		.values = live->values,
		.objective = fate->objective,
		.state = fate->trial,
		.outcome = fate->outcome,
		.took_us = live->trial_started_us ? ended_us - live->trial_started_us : 0,
		.series = live->series,
	};
	if (!history_add(&loop->history, &trial, err))
		return false;
	live->values = NULL; /* the history's now */
	live->series = (struct series){ 0 };
	return true;
}

static bool to_retry(struct loop *loop, struct live *live, struct tuner_error *err)
{
	struct retry retry = {
		.trial = live->trial,
		.number = live->number,
		.attempts = live->attempt_number,
		.trial_started_us = live->trial_started_us,
		.infrastructure_failures = live->infrastructure_failures,
		.values = live->values,
	};
	memcpy(retry.branch, live->branch, sizeof(retry.branch));
	if (!add_retry(loop, &retry, err))
		return false;
	live->values = NULL;
	return true;
}

static bool counts_as_failed_start(const struct fate *fate)
{
	return fate->outcome == OUTCOME_LAUNCH_FAILED ||
	       (fate->trial == TRIAL_FAILED && !outcome_is_infrastructure(fate->outcome));
}

/* The probe's count: failures in a row before any objective end the job. */
static void probe(struct loop *loop, const struct live *live, const struct fate *fate)
{
	struct tuner_error ignored;
	if (fate->trial == TRIAL_DONE || (fate->trial == TRIAL_STOPPED && !isnan(fate->objective)))
		loop->probe_passed = true;
	if (loop->probe_passed || !counts_as_failed_start(fate))
		return;
	loop->failed_in_a_row++;
	if (loop->failed_in_a_row < loop->file->budget.start_failures || loop->phase != SEARCHING)
		return;
	drain(loop, EXIT_BROKEN_COMMAND, JOB_FAILED,
		"the command looks broken: %lld launches failed in a row and none gave an "
		"objective",
		(long long)loop->failed_in_a_row);
	text_clear(&loop->log_tail);
	(void)!output_tail(live->directory, PROBE_LOG_LINES, &loop->log_tail, &ignored);
}

static void count_end(struct loop *loop, struct live *live, const struct fate *fate)
{
	if (outcome_is_infrastructure(fate->outcome) && fate->outcome != OUTCOME_PREEMPTED &&
		fate->outcome != OUTCOME_INTERRUPTED) {
		live->infrastructure_failures++;
		loop->infrastructure_failures++;
	} else if (fate->outcome == OUTCOME_CRASHED && fate->trial == TRIAL_PROPOSED) {
		live->infrastructure_failures++;
	}
}

static bool store_end(struct loop *loop, struct live *live, const struct fate *fate, int64_t now_us,
	int64_t *ret_event, struct tuner_error *err)
{
	const struct exit_record *exit = &live->end.exit;
	const bool exited = live->end.kind == BACKEND_ENDED;
	const struct attempt_end end = {
		.outcome = fate->outcome,
		.message = fate->message,
		.exit_code = exited ? exit->code : -1,
		.signal = exited ? exit->signal : -1,
		.started_us = exited ? exit->started_us : live->started_us,
		.ended_us = exited ? exit->ended_us : now_us,
		.user_us = exit->user_us,
		.system_us = exit->system_us,
		.max_rss_bytes = exit->max_rss_bytes,
		.trial = fate->trial,
		.objective = fate->objective,
	};
	return live_store(live, loop->store, loop->file, err) &&
	       attempt_end(loop->store, live->attempt, &end, now_us, ret_event, err);
}

static bool account_runtime(struct loop *loop, struct tuner_error *err)
{
	const int64_t now_us = clock_monotonic_us();
	if (!job_add_runtime(loop->store, loop->settings->job_id, now_us - loop->accounted_us, err))
		return false;
	loop->accounted_us = now_us;
	return true;
}

/* What the end of an attempt changes in memory, before the next proposal is made. */
static bool take_end(struct loop *loop, struct live *live, struct fate *fate,
	struct finished_trial *ret_shown, struct tuner_error *err)
{
	if (live->scraper != NULL && live->end.kind != BACKEND_FAILED &&
		!live_collect(live, loop->backend, loop->file->metric, true, err))
		return false;
	if (live->trial_started_us == 0)
		live->trial_started_us = live->end.exit.started_us;
	live_fate(live, loop->file, loop->rules, fate);
	remove_live(loop, live);
	count_end(loop, live, fate);
	probe(loop, live, fate);
	if (loop->phase == STOPPING && fate->trial == TRIAL_PROPOSED)
		snprintf(fate->message, sizeof(fate->message), "stopped; the next run goes on");
	if (fate->trial == TRIAL_PROPOSED) {
		if (!to_retry(loop, live, err))
			return false;
		*ret_shown = (struct finished_trial){ .number = live->number,
			.values = loop->retries[loop->n_retries - 1].values,
			.objective = NAN,
			.state = TRIAL_PROPOSED,
			.outcome = fate->outcome };
		return true;
	}
	if (!to_history(loop, live, fate, err))
		return false;
	*ret_shown = loop->history.items[loop->history.n - 1];
	return true;
}

/* One turn: the end of an attempt (NULL: none) and at most one launch, in one transaction, then
 * what follows from them outside. `ended` is destroyed. */
static bool turn(struct loop *loop, struct live *ended, struct tuner_error *err)
{
	struct plan plan = { 0 };
	struct fate fate;
	struct finished_trial shown;
	struct job job = { 0 };
	int64_t event = 0;
	bool ok = false, open = false;
	const int64_t now_us = clock_wall_us();

	if (ended != NULL && !take_end(loop, ended, &fate, &shown, err))
		goto out;
	if (!check_budget(loop, err) || (may_launch(loop) && !plan_launch(loop, &plan, err)))
		goto out;
	if (!plan.planned && ended == NULL) {
		ok = true;
		goto out;
	}
	if (!job_load(loop->store, loop->settings->job_id, &job, err) ||
		!store_begin(loop->store, STORE_DURABLE, err))
		goto out;
	open = true;
	if (ended != NULL && !store_end(loop, ended, &fate, now_us, &event, err))
		goto out;
	if (ended != NULL && fate.trial != TRIAL_PROPOSED) {
		loop->history.last_event = event;
		if (plan.planned && !plan.retried)
			plan.proposal.decision.seen = event;
	}
	if (plan.planned && !store_plan(loop, &plan, now_us, &job, err))
		goto out;
	if (!account_runtime(loop, err) || !store_commit(loop->store, err))
		goto out;
	open = false;

	if (plan.planned) {
		struct live *live = plan.live;
		if (!plan.retried) {
			loop->history.created++;
			proposal_committed(&loop->proposer, &plan.proposal, live->trial);
		}
		if (!add_live(loop, live, err))
			goto out;
		plan.live = NULL;
		if (!launch(loop, live, err))
			goto out;
	}
	if (ended != NULL) {
		loop->backend->ops->forget(loop->backend, ended->attempt);
		progress_finished(loop->settings->progress, &shown, ended->branch, fate.message,
			fate.trial == TRIAL_PROPOSED, &loop->history);
	}
	ok = true;
out:
	if (open)
		store_rollback(loop->store);
	job_finish(&job);
	plan_finish(&plan);
	live_destroy(ended);
	return ok;
}

/* ---- recovery ---- */

static unsigned count_infrastructure(const struct attempt_list *attempts)
{
	unsigned n = 0;
	for (size_t i = 0; i < attempts->n; i++) {
		const enum outcome o = attempts->items[i].outcome;
		n += outcome_is_infrastructure(o) && o != OUTCOME_PREEMPTED &&
		     o != OUTCOME_INTERRUPTED;
	}
	return n;
}

static bool recover_values(
	const struct loop *loop, const struct trial *trial, double **ret, struct tuner_error *err)
{
	double *values = calloc(loop->file->space.d + 1, sizeof(*values));
	if (values == NULL)
		return tuner_fail_memory(err);
	struct tuner_error misfit = { TUNER_OK, "" };
	if (!configuration_parse(loop->file, trial->parameters, true, values, &misfit))
		/* The space was edited under it: it runs on, and counts as not given. */
		for (size_t i = 0; i < loop->file->space.d; i++)
			values[i] = NAN;
	*ret = values;
	return true;
}

/* An attempt that the database holds as not ended becomes a live one again. */
static bool adopt(struct loop *loop, const struct trial *trial, const struct attempt *attempt,
	unsigned infrastructure_failures, struct tuner_error *err)
{
	struct tuner_error failed = { TUNER_OK, "" };
	struct live *live = calloc(1, sizeof(*live));
	char *launch_file = NULL;
	bool ok = false;

	if (live == NULL)
		return tuner_fail_memory(err);
	live->attempt = attempt->id;
	live->trial = trial->id;
	live->number = trial->number;
	live->attempt_number = attempt->number;
	live->slot = (size_t)attempt->slot;
	live->infrastructure_failures = infrastructure_failures;
	live->trial_started_us = trial->started_us;
	live->started_us = attempt->started_us;
	live->started = live->started_committed = attempt->state == ATTEMPT_RUNNING;
	live->launched_us = clock_monotonic_us();
	live->read_offset = live->stored_offset = attempt->log_offset;
	memcpy(live->key, attempt->key, sizeof(live->key));
	memcpy(live->branch, trial->branch, sizeof(live->branch));
	live->directory = path_join(store_directory(loop->store), attempt->directory);
	launch_file = live->directory ? path_join(live->directory, "launch") : NULL;
	if (launch_file == NULL) {
		tuner_fail_memory(err);
		goto out;
	}
	if (!recover_values(loop, trial, &live->values, err) ||
		!load_earlier_series(loop, live, err) ||
		!scraper_create(loop->patterns, attempt->log_offset, attempt->scrape,
			&live->scraper, err) ||
		!add_live(loop, live, err))
		goto out;
	struct live *adopted = live;
	live = NULL; /* the loop's */
	const struct launch_site site = site_of(loop, adopted);
	/* Killed between the intent's commit and its directory: nothing can have run. */
	const bool prepared = access(launch_file, F_OK) == 0 ||
			      attempt->state != ATTEMPT_INTENDED ||
			      launch_prepare(&site, adopted, &failed);
	if (!prepared || !loop->backend->ops->adopt(loop->backend, adopted->attempt,
				 adopted->directory, adopted->key, &failed))
		end_unlaunched(adopted, &failed);
	ok = true;
out:
	free(launch_file);
	live_destroy(live);
	return ok;
}

static bool recover_trial(struct loop *loop, const struct trial *trial, struct tuner_error *err)
{
	struct attempt_list attempts;
	if (!attempt_select(loop->store, loop->settings->job_id, trial->id, &attempts, err))
		return false;
	const struct attempt *last = attempts.n > 0 ? &attempts.items[attempts.n - 1] : NULL;
	const unsigned failures = count_infrastructure(&attempts);
	bool ok;
	if (last != NULL && last->state != ATTEMPT_ENDED) {
		ok = adopt(loop, trial, last, failures, err);
	} else {
		struct retry retry = {
			.trial = trial->id,
			.number = trial->number,
			.attempts = (int64_t)attempts.n,
			.trial_started_us = trial->started_us,
			.infrastructure_failures = failures,
		};
		memcpy(retry.branch, trial->branch, sizeof(retry.branch));
		ok = recover_values(loop, trial, &retry.values, err) &&
		     add_retry(loop, &retry, err);
		if (!ok)
			free(retry.values);
	}
	attempt_list_finish(&attempts);
	return ok;
}

/* Matches what the database holds as open with what lives. */
static bool recover(struct loop *loop, struct tuner_error *err)
{
	const struct trial_filter open_trials = {
		.job_id = loop->settings->job_id,
		.repeat = -1,
		.states = 1u << TRIAL_PROPOSED | 1u << TRIAL_RUNNING | 1u << TRIAL_PAUSED,
	};
	struct trial_list list;
	if (!trial_select(loop->store, &open_trials, &list, err))
		return false;
	bool ok = true;
	for (size_t i = 0; ok && i < list.n; i++)
		ok = recover_trial(loop, &list.items[i], err);
	if (ok && loop->n_lives + loop->n_retries > 0)
		progress_say(loop->settings->progress,
			"goes on: %zu trials were under way, %zu are to be launched again",
			loop->n_lives, loop->n_retries);
	trial_list_finish(&list);
	return ok;
}

/* ---- requests from other processes ---- */

static bool request_stop(
	struct loop *loop, const cJSON *argument, struct text *answer, struct tuner_error *err)
{
	const cJSON *trial = cJSON_GetObjectItemCaseSensitive(argument, "trial");
	if (cJSON_IsNumber(trial)) {
		for (size_t i = 0; i < loop->n_lives; i++) {
			if (loop->lives[i]->number != (int64_t)trial->valuedouble)
				continue;
			text_print(answer, "trial %lld is being stopped",
				(long long)loop->lives[i]->number);
			return stop_live(loop, loop->lives[i], OUTCOME_USER_STOPPED,
				"stopped by \"tuner stop\"", loop->file->grace_us + KILL_SLACK_US,
				err);
		}
		return tuner_fail(err, TUNER_USAGE, "trial %.0f does not run", trial->valuedouble);
	}
	drain(loop, EXIT_DONE, JOB_STOPPED, "stopped by \"tuner stop\"");
	loop->end_state = JOB_STOPPED;
	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(argument, "wait"))) {
		text_print(answer, "nothing more is proposed; %zu trials run to their end",
			loop->n_lives);
		return true;
	}
	text_print(answer, "%zu running trials are being stopped", loop->n_lives);
	return stop_lives(loop, OUTCOME_INTERRUPTED, loop->reason, STOP_GRACE_US, err);
}

static bool request_enqueue(
	struct loop *loop, const cJSON *argument, struct text *answer, struct tuner_error *err)
{
	double values[SPACE_PARAMETERS_MAX];
	int64_t id;
	char *parameters = json_print(cJSON_GetObjectItemCaseSensitive(argument, "parameters"), 0);
	if (parameters == NULL)
		return tuner_fail_memory(err);
	const bool ok = configuration_parse(loop->file, parameters, false, values, err) &&
			queue_add(loop->store, loop->settings->job_id, "", 0, "enqueue", parameters,
				clock_wall_us(), &id, err);
	free(parameters);
	if (ok && may_propose(loop))
		text_add(answer, "it is next in line");
	else if (ok)
		text_add(answer, "it is in line, but the budget is spent: raise budget.trials");
	return ok;
}

/* Executes one request; a refusal is an answer too. Runs within an open transaction. */
static bool serve_request(struct loop *loop, const struct request *request, struct tuner_error *err)
{
	struct tuner_error refused = { TUNER_OK, "" };
	struct text answer = TEXT_EMPTY;
	cJSON *argument = cJSON_Parse(request->argument);
	bool done;

	if (strcmp(request->verb, "stop") == 0)
		done = request_stop(loop, argument, &answer, &refused);
	else if (strcmp(request->verb, "enqueue") == 0)
		done = request_enqueue(loop, argument, &answer, &refused);
	else
		done = tuner_fail(&refused, TUNER_USAGE, "this tuner (%s) does not know \"%s\"",
			TUNER_VERSION, request->verb);
	if (!done && refused.code == TUNER_USAGE)
		text_add(&answer, refused.message);
	cJSON_Delete(argument);
	bool ok = done || refused.code == TUNER_USAGE;
	if (!ok)
		*err = refused;
	ok = ok &&
	     request_answer(loop->store, request->id, !done, answer.bytes, clock_wall_us(), err);
	text_finish(&answer);
	return ok;
}

static bool serve_requests(struct loop *loop, struct tuner_error *err)
{
	for (;;) {
		struct request request;
		bool found;
		if (!request_next(loop->store, loop->settings->job_id, &request, &found, err))
			return false;
		if (!found)
			return true;
		bool ok = store_begin(loop->store, STORE_DURABLE, err);
		if (ok && !serve_request(loop, &request, err)) {
			store_rollback(loop->store);
			ok = false;
		}
		ok = ok && store_commit(loop->store, err);
		request_finish(&request);
		if (!ok)
			return false;
	}
}

/* ---- the tick ---- */

static bool judge_lives(struct loop *loop, struct tuner_error *err)
{
	if (loop->file->stopping.rule == STOPPING_NONE || loop->phase == STOPPING)
		return true;
	for (size_t i = 0; i < loop->n_lives; i++) {
		struct live *live = loop->lives[i];
		struct stopping_verdict verdict;
		if (live->n_rows == 0 || live->stopping != NULL || live->ended)
			continue;
		if (!early_stopping_judge(
			    &loop->history, loop->lives, loop->n_lives, i, &verdict, err))
			return false;
		if (verdict.stop && !stop_live(loop, live, OUTCOME_EARLY_STOPPED, verdict.reason,
					    loop->file->grace_us + KILL_SLACK_US, err))
			return false;
	}
	return true;
}

/* Commits what the running trials have said, in one lazy transaction. */
static bool store_progress(struct loop *loop, struct tuner_error *err)
{
	bool any = clock_monotonic_us() - loop->accounted_us >= RUNTIME_COMMIT_US;
	for (size_t i = 0; i < loop->n_lives && !any; i++) {
		const struct live *live = loop->lives[i];
		any = live->n_rows > 0 || (live->started && !live->started_committed) ||
		      scraper_offset(live->scraper) != live->stored_offset;
	}
	if (!any)
		return true;
	if (!store_begin(loop->store, STORE_LAZY, err))
		return false;
	bool ok = account_runtime(loop, err);
	for (size_t i = 0; ok && i < loop->n_lives; i++)
		ok = live_store(loop->lives[i], loop->store, loop->file, err);
	if (!ok) {
		store_rollback(loop->store);
		return false;
	}
	if (!store_commit(loop->store, err))
		return false;
	for (size_t i = 0; i < loop->n_lives; i++)
		live_committed(loop->lives[i]);
	return true;
}

static bool kill_overdue(struct loop *loop, struct tuner_error *err)
{
	const int64_t now_us = clock_monotonic_us();
	for (size_t i = 0; i < loop->n_lives; i++) {
		struct live *live = loop->lives[i];
		if (live->kill_at_us == 0 || live->ended || now_us < live->kill_at_us)
			continue;
		live->kill_at_us = now_us + KILL_SLACK_US;
		if (!loop->backend->ops->signal(loop->backend, live->attempt, SIGKILL, err))
			return false;
	}
	return true;
}

static void draw(struct loop *loop)
{
	struct progress_slot slots[SLOTS_MAX];
	char doing[160] = "";
	const size_t n = loop->n_lives < SLOTS_MAX ? loop->n_lives : SLOTS_MAX;
	for (size_t i = 0; i < n; i++) {
		const struct live *live = loop->lives[i];
		slots[i] = (struct progress_slot){ live->number, live->attempt_number, live->values,
			live->branch, live->launched_us, &live->series };
	}
	if (loop->phase == DRAINING && loop->n_lives > 0)
		snprintf(doing, sizeof(doing), "waits for %zu running trials%s", loop->n_lives,
			loop->interrupts > 0 ? "; Ctrl-C again stops them" : "");
	else if (loop->phase == STOPPING)
		snprintf(doing, sizeof(doing), "stops %zu running trials", loop->n_lives);
	const struct progress_state state = { slots, n, &loop->history, loop->file->budget.trials,
		doing };
	progress_draw(loop->settings->progress, &state);
}

static bool tick(struct loop *loop, struct tuner_error *err)
{
	for (size_t i = 0; i < loop->n_lives; i++)
		if (!loop->lives[i]->ended && !live_collect(loop->lives[i], loop->backend,
						      loop->file->metric, false, err))
			return false;
	if (!judge_lives(loop, err) || !store_progress(loop, err) || !serve_requests(loop, err) ||
		!kill_overdue(loop, err) || !check_budget(loop, err) ||
		!store_checkpoint(loop->store, err))
		return false;
	draw(loop);
	loop->next_tick_us = clock_monotonic_us() + TICK_US;
	return true;
}

/* ---- waiting ---- */

static bool on_interrupt(struct loop *loop, struct tuner_error *err)
{
	loop->interrupts++;
	if (loop->interrupts == 1 && loop->phase == SEARCHING && loop->n_lives > 0) {
		drain(loop, EXIT_INTERRUPTED, JOB_STOPPED, "interrupted");
		progress_say(loop->settings->progress,
			"Proposes nothing more and waits for %zu running trials; Ctrl-C again "
			"stops "
			"them. \"tuner run\" goes on later.",
			loop->n_lives);
		return true;
	}
	drain(loop, EXIT_INTERRUPTED, JOB_STOPPED, "interrupted");
	if (loop->phase == DRAINING && loop->end_state != JOB_FAILED) {
		loop->status = EXIT_INTERRUPTED;
		loop->end_state = JOB_STOPPED;
	}
	return stop_lives(loop, OUTCOME_INTERRUPTED, "interrupted", STOP_GRACE_US, err);
}

static bool on_terminate(struct loop *loop, struct tuner_error *err)
{
	drain(loop, EXIT_TERMINATED, JOB_STOPPED, "terminated");
	return stop_lives(loop, OUTCOME_INTERRUPTED, "terminated", STOP_GRACE_US, err);
}

static bool read_signals(struct loop *loop, struct tuner_error *err)
{
	struct signalfd_siginfo info;
	while (read(loop->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			progress_mute(loop->settings->progress);
		else if (info.ssi_signo == SIGINT && !on_interrupt(loop, err))
			return false;
		else if (info.ssi_signo == SIGTERM && !on_terminate(loop, err))
			return false;
	}
	return true;
}

static bool read_events(struct loop *loop, struct tuner_error *err)
{
	for (;;) {
		struct backend_event event;
		bool got;
		if (!loop->backend->ops->next(loop->backend, &event, &got, err))
			return false;
		if (!got)
			return true;
		struct live *live = find_live(loop, event.attempt);
		if (live == NULL)
			continue;
		if (event.kind == BACKEND_STARTED) {
			live->started = true;
			live->started_us = event.started_us;
			if (live->trial_started_us == 0)
				live->trial_started_us = event.started_us;
		} else {
			live->ended = true;
			live->end = event;
		}
	}
}

static bool end_turns(struct loop *loop, struct tuner_error *err)
{
	for (size_t i = 0; i < loop->n_lives;) {
		if (!loop->lives[i]->ended) {
			i++;
			continue;
		}
		if (!turn(loop, loop->lives[i], err))
			return false;
		i = 0;
	}
	return true;
}

static bool any_ended(const struct loop *loop)
{
	for (size_t i = 0; i < loop->n_lives; i++)
		if (loop->lives[i]->ended)
			return true;
	return false;
}

/* Waits for whatever comes first. */
static bool wait_for_events(struct loop *loop, struct tuner_error *err)
{
	struct pollfd fds[DESCRIPTORS_MAX];
	if (any_ended(loop))
		return true;
	fds[0] = (struct pollfd){ .fd = loop->signals, .events = POLLIN };
	const size_t n =
		1 + loop->backend->ops->descriptors(loop->backend, fds + 1, DESCRIPTORS_MAX - 1);
	const int64_t until_us = loop->next_tick_us - clock_monotonic_us();
	int timeout_ms = until_us > 0 ? (int)((until_us + 999) / 1000) : 0;
	const int backend_ms = loop->backend->ops->wait_ms(loop->backend);
	if (backend_ms >= 0 && backend_ms < timeout_ms)
		timeout_ms = backend_ms;
	if (poll(fds, n, timeout_ms) < 0 && errno != EINTR)
		return tuner_fail_errno(err, errno, "cannot wait for events");
	return true;
}

static bool fill_slots(struct loop *loop, struct tuner_error *err)
{
	while (may_launch(loop)) {
		const size_t before = loop->n_lives;
		if (!turn(loop, NULL, err))
			return false;
		if (loop->n_lives == before)
			break;
	}
	return true;
}

static bool is_over(const struct loop *loop)
{
	return loop->n_lives == 0 && !may_launch(loop);
}

static bool work(struct loop *loop, struct tuner_error *err)
{
	if (!recover(loop, err) || !serve_requests(loop, err))
		return false;
	if (loop->settings->stop_only) {
		drain(loop, EXIT_DONE, JOB_STOPPED, "stopped by \"tuner stop\"");
		if (!stop_lives(loop, OUTCOME_INTERRUPTED, loop->reason, STOP_GRACE_US, err))
			return false;
	}
	for (;;) {
		if (!end_turns(loop, err) || !fill_slots(loop, err))
			return false;
		if (is_over(loop) && !any_ended(loop))
			return true;
		if (!wait_for_events(loop, err) || !read_signals(loop, err) ||
			!read_events(loop, err))
			return false;
		if (clock_monotonic_us() >= loop->next_tick_us && !tick(loop, err))
			return false;
	}
}

/* ---- beginning and end ---- */

/* Names the end when the budget's trials, or the space, came to it. */
static void conclude(struct loop *loop)
{
	if (loop->phase == SEARCHING && loop->exhausted)
		drain(loop, EXIT_DONE, JOB_DONE, "every configuration of the space has been tried");
	drain(loop, EXIT_DONE, JOB_DONE, "all %lld trials of the budget have ended",
		(long long)loop->file->budget.trials);
	if (loop->end_state == JOB_DONE && loop->history.done == 0) {
		loop->status = EXIT_NO_RESULT;
		loop->end_state = JOB_FAILED;
		const size_t length = strlen(loop->reason);
		snprintf(loop->reason + length, sizeof(loop->reason) - length,
			", and none gave an objective");
	}
}

static bool store_conclusion(struct loop *loop, struct tuner_error *err)
{
	const int64_t now_us = clock_wall_us();
	if (!store_begin(loop->store, STORE_DURABLE, err))
		return false;
	if (account_runtime(loop, err) &&
		job_set_state(loop->store, loop->settings->job_id, loop->end_state, loop->reason,
			now_us, err) &&
		run_end(loop->store, loop->run_id, loop->reason, (int)loop->status, now_us, err))
		return store_commit(loop->store, err);
	store_rollback(loop->store);
	return false;
}

static bool catch_signals(struct loop *loop, struct tuner_error *err)
{
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	sigprocmask(SIG_BLOCK, &mask, &loop->old_mask);
	loop->signals = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
	return loop->signals >= 0 || tuner_fail_errno(err, errno, "cannot receive signals");
}

static bool begin(struct loop *loop, struct tuner_error *err)
{
	const struct loop_settings *settings = loop->settings;
	struct job job = { 0 };
	size_t bad;
	bool ok = false;

	if (!job_load(loop->store, settings->job_id, &job, err))
		return false;
	loop->began_us = loop->accounted_us = clock_monotonic_us();
	loop->earlier_runtime_us = job.runtime_us;
	if (!directory_prepare(store_directory(loop->store), err) ||
		!metric_patterns_create(
			loop->file->metrics, loop->file->n_metrics, &loop->patterns, &bad, err) ||
		!failure_rules_create(
			loop->file->failures, loop->file->n_failures, &loop->rules, &bad, err) ||
		!history_load(&loop->history, loop->file, loop->store, settings->job_id, err) ||
		!proposer_load(&loop->proposer, loop->file, loop->store, settings->job_id, err))
		goto out;
	loop->probe_passed = loop->history.done > 0;
	if (!store_begin(loop->store, STORE_DURABLE, err))
		goto out;
	ok = (job.state == JOB_OPEN || job_set_state(loop->store, settings->job_id, JOB_OPEN, "",
					       clock_wall_us(), err)) &&
	     run_begin(loop->store, settings->job_id, getpid(), settings->host, TUNER_VERSION,
		     clock_wall_us(), &loop->run_id, err);
	if (!ok)
		store_rollback(loop->store);
	ok = ok && store_commit(loop->store, err);
out:
	job_finish(&job);
	return ok;
}

static void end(struct loop *loop)
{
	for (size_t i = 0; i < loop->n_lives; i++)
		live_destroy(loop->lives[i]);
	for (size_t i = 0; i < loop->n_retries; i++)
		free(loop->retries[i].values);
	free(loop->lives);
	free(loop->retries);
	proposer_finish(&loop->proposer);
	history_finish(&loop->history);
	metric_patterns_destroy(loop->patterns);
	failure_rules_destroy(loop->rules);
	text_finish(&loop->log_tail);
	if (loop->signals >= 0)
		close(loop->signals);
	sigprocmask(SIG_SETMASK, &loop->old_mask, NULL);
}

bool loop_run(
	const struct loop_settings *settings, struct loop_result *ret, struct tuner_error *err)
{
	struct loop loop = {
		.settings = settings,
		.file = settings->file,
		.store = settings->store,
		.backend = settings->backend,
		.log_tail = TEXT_EMPTY,
		.signals = -1,
	};
	*ret = (struct loop_result){ .log_tail = TEXT_EMPTY };
	bool ok = catch_signals(&loop, err) && begin(&loop, err) && work(&loop, err);
	if (ok) {
		conclude(&loop);
		ok = store_conclusion(&loop, err);
	}
	if (ok) {
		ret->status = loop.status;
		ret->state = loop.end_state;
		memcpy(ret->reason, loop.reason, sizeof(ret->reason));
		ret->log_tail = loop.log_tail;
		loop.log_tail = TEXT_EMPTY;
	}
	end(&loop);
	return ok;
}
