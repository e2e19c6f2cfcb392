#include "tuner/loop_inside.h"

#include "base/clock.h"
#include "trials/health.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PROBE_LOG_LINES = 20 };

bool loop_fits(const struct loop *loop, const double *values)
{
	for (size_t i = 0; i < loop->file->space.d; i++)
		if (isnan(values[i]))
			return false;
	return true;
}

/* The space was edited meanwhile: the history gets the trial as history_load would read it, without
 * values. */
static void drop_misfit(const struct loop *loop, struct live *live)
{
	if (loop_fits(loop, live->values))
		return;
	free(live->values);
	live->values = NULL;
}

/* A trial that was edited out of the space is not launched again. */
static void forgo_misfit(const struct loop *loop, const struct live *live, struct fate *fate)
{
	const size_t length = strlen(fate->message);
	if (fate->trial != TRIAL_PROPOSED || (loop_fits(loop, live->values) && !live->is_cut))
		return;
	fate->trial = TRIAL_STOPPED;
	snprintf(fate->message + length, sizeof(fate->message) - length, "%s%s",
		length > 0 ? "; " : "", NOT_AGAIN);
}

/* By its supervisor's clock, or when we saw it; 0: it never ran. */
static int64_t last_start_us(const struct live *live)
{
	return live->end.exit.started_us ? live->end.exit.started_us : live->started_us;
}

static bool to_history(
	struct loop *loop, struct live *live, const struct fate *fate, struct tuner_error *err)
{
	drop_misfit(loop, live);
	struct finished_trial trial = {
		.number = live->number,
		.values = live->values,
		.objective = fate->objective,
		.state = fate->trial,
		.outcome = fate->counts_as,
		.judgement = fate->judgement,
		.took_us = trial_duration_us(
			live->trial_started_us, last_start_us(live), live->ended_us),
		.series = live->curves.whole,
	};
	if (live->search == NULL)
		return true;
	if (!history_add(&live->search->history, &trial, err))
		return false;
	live->values = NULL; /* now owned by the history */
	live->curves.whole = (struct series){ 0 };
	return true;
}

/* An attempt that we interrupted ourselves needs no backoff before the next run. */
static int64_t due_us(const struct loop *loop, const struct live *live, const struct fate *fate)
{
	const int64_t wait_us =
		fate->outcome == OUTCOME_INTERRUPTED
			? 0
			: outcome_backoff_us(loop->file->backoff_us, loop->file->seed, live->number,
				  live->attempt_number);
	return clock_monotonic_us() + wait_us;
}

static bool to_retry(
	struct loop *loop, struct live *live, const struct fate *fate, struct tuner_error *err)
{
	struct retry retry = {
		.search = live->search,
		.trial = live->trial,
		.number = live->number,
		.arm_number = live->arm_number,
		.attempts = live->attempt_number,
		.trial_started_us =
			trial_start_us(live->trial_started_us, last_start_us(live), live->ended_us),
		.due_us = due_us(loop, live, fate),
		.last = live->place,
		.before = live->before,
		.values = live->values,
	};
	retry.before.of[fate->outcome]++;
	memcpy(retry.branch, live->branch, sizeof(retry.branch));
	if (!loop_add_retry(loop, &retry, err))
		return false;
	live->values = NULL;
	return true;
}

static bool counts_as_failed_start(enum outcome outcome, bool trial_failed)
{
	return outcome == OUTCOME_LAUNCH_FAILED ||
	       (trial_failed && !outcome_is_infrastructure(outcome));
}

/* The command works, whether its result keeps the limits or not. */
static bool passes_probe(enum trial_state state, enum outcome outcome, double objective)
{
	return state == TRIAL_DONE || (state == TRIAL_STOPPED && !isnan(objective)) ||
	       (state == TRIAL_FAILED && outcome == OUTCOME_OVER_LIMIT);
}

/* An attempt that was never launched has no output to explain it: the host may be full or lack
 * something. */
static void end_as_broken(struct loop *loop, const struct live *live, const struct fate *fate)
{
	struct tuner_error ignored;
	const long long n = loop->failed_in_a_row;
	const char *how = n == 1 ? " failed" : "es failed in a row";
	if (fate->outcome == OUTCOME_LAUNCH_FAILED)
		loop_drain(loop, EXIT_BROKEN_COMMAND, JOB_FAILED,
			"the command or its host looks broken: %lld launch%s and none gave an "
			"objective; the last could not be launched: %s",
			n, how, fate->message);
	else
		loop_drain(loop, EXIT_BROKEN_COMMAND, JOB_FAILED,
			"the command looks broken: %lld launch%s and none gave an objective", n,
			how);
	text_clear(&loop->log_tail);
	(void)!output_tail(live->directory, PROBE_LOG_LINES, &loop->log_tail, &ignored);
}

/* The probe's count: failures in a row before any objective end the job. */
static void probe(struct loop *loop, const struct live *live, const struct fate *fate)
{
	if (passes_probe(fate->trial, fate->counts_as, fate->objective))
		loop->probe_passed = true;
	if (loop->probe_passed || fate->excused ||
		!counts_as_failed_start(fate->counts_as, fate->trial == TRIAL_FAILED))
		return;
	loop->failed_in_a_row++;
	if (loop->failed_in_a_row >= loop->file->budget.start_failures && loop->phase == SEARCHING)
		end_as_broken(loop, live, fate);
}

/* Failures that the job's rules attribute to the configuration are not the machine's. */
static bool counts_as_infrastructure(enum outcome outcome)
{
	return outcome_is_infrastructure(outcome) && outcome != OUTCOME_PREEMPTED &&
	       outcome != OUTCOME_INTERRUPTED;
}

static void count_end(struct loop *loop, const struct fate *fate)
{
	loop->infrastructure_failures +=
		!fate->excused && counts_as_infrastructure(fate->counts_as);
}

bool loop_load_counts(struct loop *loop, struct tuner_error *err)
{
	int64_t ended[OUTCOMES], failed[OUTCOMES];
	for (size_t s = 0; s < loop->searches.n; s++) {
		const struct history *history = &loop->searches.items[s].history;
		for (size_t i = 0; i < history->n && !loop->probe_passed; i++)
			loop->probe_passed =
				!history->items[i].added &&
				passes_probe(history->items[i].state, history->items[i].outcome,
					history->items[i].objective);
	}
	if (!attempt_cost(loop->store, loop->settings->job_id, &loop->cost, err))
		return false;
	if (!attempt_count_unconcluded(loop->store, loop->settings->job_id, ended, failed, err))
		return false;
	for (enum outcome o = OUTCOME_OK; o < OUTCOMES; o++) {
		if (counts_as_infrastructure(o))
			loop->infrastructure_failures += ended[o];
		if (counts_as_failed_start(o, false))
			loop->failed_in_a_row += ended[o];
		else if (counts_as_failed_start(o, true))
			loop->failed_in_a_row += failed[o];
	}
	return true;
}

/* The same words are used when this is said again after a kill. */
static void drain_by_rule(
	struct loop *loop, int64_t trial, enum outcome outcome, const char *message)
{
	loop_drain(loop, EXIT_BROKEN_COMMAND, JOB_FAILED,
		"trial %lld ended as %s, which ends the job by a rule of its file: %s",
		(long long)trial, outcome_name(outcome), message);
}

static void end_by_rule(struct loop *loop, const struct live *live, const struct fate *fate)
{
	struct tuner_error ignored;
	if (!fate->end_job || loop->phase != SEARCHING)
		return;
	drain_by_rule(loop, live->number, fate->outcome, fate->message);
	text_clear(&loop->log_tail);
	(void)!output_tail(live->directory, PROBE_LOG_LINES, &loop->log_tail, &ignored);
}

bool loop_recall_end(struct loop *loop, struct tuner_error *err)
{
	char message[sizeof(((struct fate *)NULL)->message)];
	enum outcome outcome;
	int64_t trial;
	if (!attempt_unconcluded_end(loop->store, loop->settings->job_id, &trial, &outcome, message,
		    sizeof(message), err))
		return false;
	if (trial != 0 && !loop->settings->stop_only)
		drain_by_rule(loop, trial, outcome, message);
	return true;
}

bool loop_store_end(struct loop *loop, struct live *live, const struct fate *fate, int64_t now_us,
	int64_t *ret_event, struct tuner_error *err)
{
	const struct exit_record *exit = &live->end.exit;
	const bool exited = live->end.kind == BACKEND_ENDED;
	const struct attempt_end end = {
		.outcome = fate->outcome,
		.counts_as = fate->counts_as,
		.message = fate->counts_as == OUTCOME_OVER_LIMIT ? "" : fate->message,
		.trial_message = fate->message,
		.exit_code = exited ? exit->code : -1,
		.signal = exited ? exit->signal : -1,
		.started_us = exited ? exit->started_us : live->started_us,
		.ended_us = live->ended_us,
		.user_us = exit->user_us,
		.system_us = exit->system_us,
		.max_rss_bytes = exit->max_rss_bytes,
		.gpu_memory_peak_bytes = live->gpus.memory_peak_bytes,
		.trial = fate->trial,
		.objective = fate->objective,
		.judgement = fate->judgement,
		.ends_job = fate->end_job,
		.excused = fate->excused,
		.cost = loop_attempt_cost(loop, live,
			exited                 ? exit->ended_us - exit->started_us
			: live->started_us > 0 ? live->ended_us - live->started_us
					       : 0),
	};
	loop->cost += end.cost;
	return live_store(live, loop->store, loop->file, err) && loop_store_gpus(loop, live, err) &&
	       attempt_end(loop->store, live->attempt, &end, now_us, ret_event, err);
}

/* Applies an attempt's end in memory, before the next proposal is made. */
bool loop_take_end(struct loop *loop, struct live *live, struct fate *fate,
	struct finished_trial *ret_shown, struct tuner_error *err)
{
	loop_remove_live(loop, live); /* now owned by the caller, also if this fails */
	if (live->scraper != NULL && live->end.kind != BACKEND_FAILED &&
		!live_collect(live, loop_backend(loop, live), &loop->file->objective, true, err))
		return false;
	if (live->trial_started_us == 0)
		live->trial_started_us = live->end.exit.started_us;
	live->ended_us = live->end.exit.ended_us ? live->end.exit.ended_us : clock_wall_us();
	live_fate(live, loop->file, loop->rules, fate);
	forgo_misfit(loop, live, fate);
	if (fate->trial == TRIAL_DONE)
		pool_timed(loop->pool, live->place.host,
			live->end.exit.ended_us - live->end.exit.started_us);
	loop_collect_gpus(live);
	loop_learn_gpus(loop, live, fate);
	if (!loop_judge_host(loop, live->place.host, fate, err))
		return false;
	count_end(loop, fate);
	end_by_rule(loop, live, fate);
	probe(loop, live, fate);
	if (loop->phase == STOPPING && fate->trial == TRIAL_PROPOSED)
		snprintf(fate->message, sizeof(fate->message), "stopped; the next run resumes it");
	if (fate->trial == TRIAL_PROPOSED) {
		if (!to_retry(loop, live, fate, err))
			return false;
		*ret_shown = (struct finished_trial){ .number = live->number,
			.values = loop->retries[loop->n_retries - 1].values,
			.objective = NAN,
			.state = TRIAL_PROPOSED,
			.outcome = fate->outcome };
		return true;
	}
	*ret_shown = (struct finished_trial){ .number = live->number,
		.objective = fate->objective,
		.state = fate->trial,
		.outcome = fate->counts_as,
		.judgement = fate->judgement };
	if (!to_history(loop, live, fate, err))
		return false;
	if (live->search != NULL)
		*ret_shown = live->search->history.items[live->search->history.n - 1];
	return true;
}
