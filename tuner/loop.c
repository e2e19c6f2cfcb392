#include "tuner/loop_inside.h"

#include "base/clock.h"
#include "tuner/early_stopping.h"
#include "tuner/version.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	TICK_US = 200000, /* metrics, requests, the display */
	DESCRIPTORS_MAX = SLOTS_MAX + 16,
	RUNTIME_COMMIT_US = 5000000,
};

/* One turn: the end of an attempt (NULL: none) and at most one launch. */
struct turn {
	struct live *ended;
	struct fate fate;
	struct finished_trial shown;
	struct plan plan;
};

/* Changes the database, within the open transaction. */
static bool store_turn(
	struct loop *loop, struct turn *turn, const struct job *job, struct tuner_error *err)
{
	const int64_t now_us = clock_wall_us();
	int64_t event;

	if (turn->ended != NULL) {
		if (!loop_store_end(loop, turn->ended, &turn->fate, now_us, &event, err))
			return false;
		if (turn->fate.trial != TRIAL_PROPOSED && turn->ended->search != NULL)
			turn->ended->search->history.last_event = event;
	}
	if (turn->plan.planned) {
		/* The proposal was made with this end in the history. */
		if (!turn->plan.retried)
			turn->plan.proposal.decision.seen = turn->plan.search->history.last_event;
		if (!(turn->plan.donor != NULL ? loop_store_reused : loop_store_plan)(
			    loop, &turn->plan, now_us, job, err))
			return false;
	}
	return loop_account_runtime(loop, err);
}

static bool commit_turn(struct loop *loop, struct turn *turn, struct tuner_error *err)
{
	struct job job = { 0 };
	bool ok = false;

	if (job_load(loop->store, loop->settings->job_id, &job, err) &&
		store_begin(loop->store, STORE_DURABLE, err)) {
		ok = store_turn(loop, turn, &job, err);
		if (!ok)
			store_rollback(loop->store);
		ok = ok && store_commit(loop->store, err);
	}
	job_finish(&job);
	return ok;
}

static void show_end(struct loop *loop, const struct turn *turn)
{
	const struct search *search = turn->ended->search;
	const struct finished_trial *best = search != NULL ? search->history.best : NULL;
	char name[ARM_NAME_BYTES + 8] = "", branch[sizeof(name) + 32];

	if (search != NULL)
		search_name(search, name);
	snprintf(branch, sizeof(branch), "%s%s%s", name, name[0] ? ", " : "", turn->ended->branch);
	progress_finished(loop->settings->progress, &turn->shown, branch, turn->fate.message,
		turn->fate.trial == TRIAL_PROPOSED,
		best != NULL && best->number == turn->shown.number);
}

/* The first result shows which metrics trials report: check gates then, not after the budget is
 * spent. */
static void look_at_gates(struct loop *loop)
{
	const struct loop_settings *settings = loop->settings;
	struct text warnings = TEXT_EMPTY;
	struct tuner_error ignored;

	if (loop->gates_looked_at)
		return;
	loop->gates_looked_at = true;
	if (gates_warn(settings->gates, settings->n_gates, loop->file, loop->store,
		    settings->job_id, &warnings, &ignored) &&
		warnings.length > 0)
		progress_say(settings->progress, "%s", warnings.bytes);
	text_finish(&warnings);
}

/* What follows from a committed turn. */
static bool act(struct loop *loop, struct turn *turn, struct tuner_error *err)
{
	if (turn->plan.planned) {
		struct live *live = turn->plan.live;
		if (!turn->plan.retried) {
			turn->plan.search->history.created++;
			proposal_committed(
				&turn->plan.search->proposer, &turn->plan.proposal, live->trial);
		}
		if (turn->plan.donor == NULL) {
			if (!loop_add_live(loop, live, err))
				return false;
			turn->plan.live = NULL;
			if (!loop_launch(loop, live, err))
				return false;
		}
	}
	if (turn->ended != NULL) {
		struct backend *backend = loop_backend(loop, turn->ended);
		loop_keep_notice(loop);
		backend->ops->forget(backend, turn->ended->attempt);
		show_end(loop, turn);
		if (turn->fate.trial == TRIAL_DONE)
			look_at_gates(loop);
	}
	/* A reused result comes last: nobody waits for it, and it is committed after the end. */
	return !turn->plan.planned || turn->plan.donor == NULL ||
	       loop_take_reused(loop, &turn->plan, err);
}

/* Checks the budget first, since an attempt's end may have decided it. */
static bool plan_next(struct loop *loop, struct plan *plan, struct tuner_error *err)
{
	loop_check_budget(loop);
	return !loop_may_launch(loop) || loop_plan(loop, plan, err);
}

/* An outcome and the next intent share one transaction. `ended` is destroyed. */
static bool take_turn(struct loop *loop, struct live *ended, struct tuner_error *err)
{
	struct turn turn = { .ended = ended };
	const bool ok =
		(ended == NULL || loop_take_end(loop, ended, &turn.fate, &turn.shown, err)) &&
		plan_next(loop, &turn.plan, err) &&
		((ended == NULL && !turn.plan.planned) ||
			(commit_turn(loop, &turn, err) && act(loop, &turn, err)));

	plan_finish(&turn.plan);
	live_destroy(ended);
	return ok;
}

/* ---- the tick ---- */

static bool judge_live(
	struct loop *loop, size_t i, struct stopping_verdict *ret, struct tuner_error *err)
{
	const struct series **others = calloc(loop->n_lives, sizeof(*others));
	size_t n = 0;
	if (others == NULL)
		return tuner_fail_memory(err);
	const struct search *search = loop->lives[i]->search;
	for (size_t k = 0; k < loop->n_lives; k++)
		if (k != i && loop->lives[k]->search == search)
			others[n++] = &loop->lives[k]->curves.whole;
	const bool ok = early_stopping_judge(
		&search->history, &loop->lives[i]->curves.whole, others, n, ret, err);
	free(others);
	return ok;
}

static bool judge_lives(struct loop *loop, struct tuner_error *err)
{
	if (loop->file->stopping.rule == STOPPING_NONE || loop->phase == STOPPING)
		return true;
	for (size_t i = 0; i < loop->n_lives; i++) {
		struct live *live = loop->lives[i];
		struct stopping_verdict verdict;
		if (live->n_rows == 0 || live->stopping != NULL || live->ended ||
			live->search == NULL)
			continue;
		if (!judge_live(loop, i, &verdict, err))
			return false;
		if (verdict.stop)
			loop_stop_live(live, OUTCOME_EARLY_STOPPED, verdict.reason,
				loop->file->grace_us + KILL_SLACK_US);
	}
	return true;
}

/* Commits what the running trials have reported, in one lazy transaction. */
static bool store_progress(struct loop *loop, struct tuner_error *err)
{
	bool any = clock_monotonic_us() - loop->accounted_us >= RUNTIME_COMMIT_US;
	for (size_t i = 0; i < loop->n_lives && !any; i++) {
		const struct live *live = loop->lives[i];
		any = live->n_rows > 0 || (live->started && !live->started_committed) ||
		      scraper_offset(live->scraper) != live->stored_offset || live->gpus_changed;
	}
	if (!any)
		return true;
	if (!store_begin(loop->store, STORE_LAZY, err))
		return false;
	bool ok = loop_account_runtime(loop, err);
	for (size_t i = 0; ok && i < loop->n_lives; i++)
		ok = live_store(loop->lives[i], loop->store, loop->file, err) &&
		     loop_store_gpus(loop, loop->lives[i], err);
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
		if (!loop_signal(loop, live, SIGKILL, err))
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
			live->branch, live->launched_us, &live->curves.whole };
	}
	if (loop->phase == DRAINING && loop->n_lives > 0)
		snprintf(doing, sizeof(doing), "waiting for %zu running trial%s%s", loop->n_lives,
			loop->n_lives == 1 ? "" : "s",
			loop->interrupts > 0 ? "; Ctrl-C again stops now" : "");
	else if (loop->n_lives == 0 && loop_wants_launch(loop) && pool_slots(loop->pool) == 0)
		snprintf(doing, sizeof(doing), "waiting for a %s",
			pool_waits_for_gpu(loop->pool) ? "GPU that nobody else is using"
			: pool_is_up(loop->pool)
				? "host: none is in use (\"tuner hosts resume HOST\")"
				: "host: none answers");
	else if (loop->n_lives == 0 && pool_is_busy(loop->pool))
		snprintf(doing, sizeof(doing), "fetching the files of ended trials");
	else if (loop->phase == STOPPING)
		snprintf(doing, sizeof(doing), "stopping %zu running trial%s", loop->n_lives,
			loop->n_lives == 1 ? "" : "s");
	const struct progress_state state = {
		.slots = slots,
		.n_slots = n,
		.ended = search_list_ended(&loop->searches),
		.trials = loop->file->budget.trials * (int64_t)loop->searches.n,
		.best = search_list_best(&loop->searches),
		.median_us = history_median_us(&loop->searches.items[0].history),
		.doing = doing,
	};
	progress_draw(loop->settings->progress, &state);
}

/* A reader that never ends its transaction costs disk space, not trials. */
static bool checkpoint(struct loop *loop, struct tuner_error *err)
{
	struct tuner_error warning = { TUNER_OK, "" };

	if (store_checkpoint(loop->store, &warning))
		return true;
	if (warning.code != TUNER_RETRY) {
		*err = warning;
		return false;
	}
	progress_say(loop->settings->progress, "warning: %s", warning.message);
	return true;
}

static bool tick(struct loop *loop, struct tuner_error *err)
{
	for (size_t i = 0; i < loop->n_lives; i++)
		if (!loop->lives[i]->ended &&
			!live_collect(loop->lives[i], loop_backend(loop, loop->lives[i]),
				&loop->file->objective, false, err))
			return false;
	loop_hear_gpus(loop);
	if (!loop_store_gpu_states(loop, err) || !judge_lives(loop, err) ||
		!store_progress(loop, err) || !store_check_place(loop->store, err) ||
		!loop_serve_requests(loop, err) || !kill_overdue(loop, err) ||
		!loop_hear_witness(loop, err) || !checkpoint(loop, err))
		return false;
	loop_keep_tick(loop);
	loop_check_budget(loop);
	draw(loop);
	loop->next_tick_us = clock_monotonic_us() + TICK_US;
	return true;
}

/* ---- waiting ---- */

/* Stops running trials and leaves them to the next run. So a search that was about to end and
 * waited for its last trials has not ended after all; one that has failed has. */
static void leave(struct loop *loop, enum exit_status status, const char *why)
{
	loop_drain(loop, status, JOB_STOPPED, "%s", why);
	if (loop->phase == DRAINING && loop->end_state != JOB_FAILED) {
		loop->status = status;
		loop->end_state = JOB_STOPPED;
	}
	loop_stop_lives(loop, OUTCOME_INTERRUPTED, why, STOP_GRACE_US);
}

static void on_interrupt(struct loop *loop)
{
	loop->interrupts++;
	if (loop->interrupts == 1 && !loop->settings->stop_at_once && loop->phase == SEARCHING &&
		loop->n_lives > 0) {
		loop_drain(loop, EXIT_INTERRUPTED, JOB_STOPPED, "interrupted");
		progress_say(loop->settings->progress,
			"No new trials; waiting for %zu running trial%s. Ctrl-C again stops %s; "
			"\"tuner run\" resumes the job later.",
			loop->n_lives, loop->n_lives == 1 ? "" : "s",
			loop->n_lives == 1 ? "it" : "them");
		return;
	}
	leave(loop, EXIT_INTERRUPTED, "interrupted");
}

static void read_signals(struct loop *loop)
{
	for (int signal; (signal = signals_next(&loop->signals)) != 0;) {
		loop->hurried |= signal != SIGHUP;
		if (signal == SIGHUP)
			progress_mute(loop->settings->progress);
		else if (signal == SIGINT)
			on_interrupt(loop);
		else if (signal == SIGTERM)
			leave(loop, EXIT_TERMINATED, "terminated");
	}
}

static bool read_events(struct loop *loop, struct tuner_error *err)
{
	for (;;) {
		struct backend_event event;
		size_t host;
		bool got;
		if (!pool_next(loop->pool, &event, &host, &got, err))
			return false;
		if (!got)
			return true;
		if (event.kind == BACKEND_HOST_UP || event.kind == BACKEND_HOST_DOWN) {
			if (!loop_host_changed(loop, host, &event, err))
				return false;
			continue;
		}
		if (event.kind == BACKEND_WARNING) {
			progress_say(loop->settings->progress, "warning: host %s: %s",
				loop->pool->hosts[host].name, event.message);
			continue;
		}
		if (event.kind == BACKEND_LATE) {
			if (!loop_late(loop, host, &event, err))
				return false;
			continue;
		}
		struct live *live = loop_find_live(loop, event.attempt);
		if (live == NULL)
			continue;
		if (event.kind == BACKEND_STARTED) {
			live->started = true;
			live->started_us = event.started_us;
			if (live->running_us == 0)
				live->running_us = clock_monotonic_us();
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
		if (!take_turn(loop, loop->lives[i], err))
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
	fds[0] = (struct pollfd){ .fd = loop->signals.fd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = keeper_descriptor(loop->keeping.keeper), .events = POLLIN };
	const size_t n = 2 + pool_descriptors(loop->pool, fds + 2, DESCRIPTORS_MAX - 2);
	const int64_t until_us = loop->next_tick_us - clock_monotonic_us();
	int timeout_ms = until_us > 0 ? (int)((until_us + 999) / 1000) : 0;
	const int backend_ms = pool_wait_ms(loop->pool);
	if (backend_ms >= 0 && backend_ms < timeout_ms)
		timeout_ms = backend_ms;
	if (poll(fds, n, timeout_ms) < 0 && errno != EINTR)
		return tuner_fail_errno(err, errno, "cannot wait for events");
	return true;
}

static bool fill_slots(struct loop *loop, struct tuner_error *err)
{
	loop_claim_gpus(loop);
	loop_make_room(loop);
	while (loop_may_launch(loop)) {
		const size_t before = loop->n_lives;
		const int64_t reused_before = loop->reused;
		if (!take_turn(loop, NULL, err))
			return false;
		/* A reused result leaves the place free. With many, return now and then to hear
		 * signals. */
		const bool reused =
			loop->reused > reused_before && clock_monotonic_us() < loop->next_tick_us;
		if (loop->n_lives == before && !reused)
			break;
		loop_make_room(loop);
	}
	loop_release_gpus(loop);
	return true;
}

static bool is_over(const struct loop *loop)
{
	const bool waits =
		loop->phase == SEARCHING && !loop->settings->stop_only &&
		(loop->n_retries > 0 || (loop_keep_holds(loop) && loop_may_propose(loop)));
	return loop->n_lives == 0 && !waits && !loop_wants_launch(loop);
}

static bool work(struct loop *loop, struct tuner_error *err)
{
	if (!loop_recover(loop, err) || !loop_serve_requests(loop, err))
		return false;
	if (loop->settings->stop_only) {
		loop_drain(loop, EXIT_DONE, JOB_STOPPED, "stopped by \"tuner stop\"");
		loop_stop_lives(loop, OUTCOME_INTERRUPTED, loop->reason, STOP_GRACE_US);
	}
	for (;;) {
		if (!end_turns(loop, err) || !loop_keep_step(loop, err) || !fill_slots(loop, err))
			return false;
		if (is_over(loop) && !any_ended(loop) &&
			(loop->phase == STOPPING || !pool_is_busy(loop->pool)))
			return true;
		if (!loop_send_stops(loop, err) || !wait_for_events(loop, err))
			return false;
		read_signals(loop);
		if (!read_events(loop, err))
			return false;
		if (clock_monotonic_us() >= loop->next_tick_us && !tick(loop, err))
			return false;
	}
}

/* ---- beginning and end ---- */

static bool any_exhausted(const struct loop *loop)
{
	for (size_t i = 0; i < loop->searches.n; i++)
		if (loop->searches.items[i].exhausted)
			return true;
	return false;
}

static bool any_over_limit(const struct loop *loop)
{
	for (size_t s = 0; s < loop->searches.n; s++) {
		const struct history *history = &loop->searches.items[s].history;

		for (size_t i = 0; i < history->n; i++)
			if (history->items[i].outcome == OUTCOME_OVER_LIMIT)
				return true;
	}
	return false;
}

/* Names the reason when the budget's trials or the space are exhausted. Callers may still tell what
 * they have asked for, so that the words must hold afterwards, too. */
static void conclude(struct loop *loop)
{
	if (loop->phase == SEARCHING && any_exhausted(loop))
		loop_drain(loop, EXIT_DONE, JOB_DONE,
			"every configuration of the space has been tried");
	const int64_t all = loop->file->budget.trials * job_file_searches(loop->file);
	if (loop->n_asked > 0)
		loop_drain(loop, EXIT_DONE, JOB_DONE,
			"all trials of the budget, %lld, have been proposed, and %zu asked for "
			"elsewhere %s still to be told",
			(long long)all, loop->n_asked, loop->n_asked == 1 ? "was" : "were");
	else if (all == 1)
		loop_drain(loop, EXIT_DONE, JOB_DONE, "the one trial of the budget has ended");
	else
		loop_drain(loop, EXIT_DONE, JOB_DONE, "all %lld trials of the budget have ended",
			(long long)all);
	if (loop->end_state == JOB_DONE && search_list_done(&loop->searches) == 0) {
		loop->status = EXIT_NO_RESULT;
		if (loop->n_asked > 0)
			return;
		loop->end_state = JOB_FAILED;
		const size_t length = strlen(loop->reason);
		snprintf(loop->reason + length, sizeof(loop->reason) - length, "%s",
			any_over_limit(loop) ? ", and none kept the limits"
			: all == 1           ? ", and gave no objective"
					     : ", and none gave an objective");
	}
}

static bool store_conclusion(struct loop *loop, struct tuner_error *err)
{
	const int64_t now_us = clock_wall_us();
	if (!store_begin(loop->store, STORE_DURABLE, err))
		return false;
	if (loop_account_runtime(loop, err) &&
		job_set_state(loop->store, loop->settings->job_id, loop->end_state, loop->reason,
			now_us, err) &&
		run_end(loop->store, loop->run_id, loop->reason, (int)loop->status, now_us, err))
		return store_commit(loop->store, err);
	store_rollback(loop->store);
	return false;
}

static bool begin(struct loop *loop, struct tuner_error *err)
{
	const struct loop_settings *settings = loop->settings;
	char machine[256] = "localhost";
	struct job job = { 0 };
	size_t bad;
	bool ok = false;

	gethostname(machine, sizeof(machine) - 1);
	if (!job_load(loop->store, settings->job_id, &job, err))
		return false;
	loop->began_wall_us = clock_wall_us();
	loop->began_us = loop->accounted_us = clock_monotonic_us();
	loop->earlier_runtime_us = job.runtime_us;
	if (!directory_prepare(store_directory(loop->store), err) ||
		!job_file_patterns(loop->file, &loop->patterns, err) ||
		!failure_rules_create(
			loop->file->failures, loop->file->n_failures, &loop->rules, &bad, err) ||
		!search_list_load(
			&loop->searches, loop->file, loop->store, settings->job_id, err) ||
		!loop_load_counts(loop, err) || !loop_recall_end(loop, err) ||
		!loop_load_hosts(loop, err) || !loop_trust_hosts(loop, err) ||
		!loop_keep_begin(loop, err) || !loop_begin_gpus(loop, err))
		goto out;
	if (!store_begin(loop->store, STORE_DURABLE, err))
		goto out;
	ok = (job.state == JOB_OPEN || job_set_state(loop->store, settings->job_id, JOB_OPEN, "",
					       clock_wall_us(), err)) &&
	     run_begin(loop->store, settings->job_id, getpid(), machine, TUNER_VERSION,
		     clock_wall_us(), &loop->run_id, err) &&
	     loop_begin_provenance(loop, err);
	if (!ok)
		store_rollback(loop->store);
	ok = ok && store_commit(loop->store, err);
	if (ok && !loop->settings->stop_only)
		loop_say_drained(loop);
	if (ok && loop->probe_passed)
		look_at_gates(loop);
out:
	job_finish(&job);
	return ok;
}

static void end(struct loop *loop)
{
	keeper_destroy(loop->keeping.keeper);
	for (size_t i = 0; i < loop->n_lives; i++)
		live_destroy(loop->lives[i]);
	for (size_t i = 0; i < loop->n_retries; i++)
		free(loop->retries[i].values);
	for (size_t i = 0; i < loop->n_asked; i++)
		free(loop->asked[i].values);
	free(loop->lives);
	free(loop->retries);
	free(loop->asked);
	search_list_finish(&loop->searches);
	loop_end_gpus(loop);
	free(loop->notes.unseen);
	metric_patterns_destroy(loop->patterns);
	failure_rules_destroy(loop->rules);
	text_finish(&loop->log_tail);
	signals_close(&loop->signals);
}

/* After a signal to end, do not wait for other processes as long as otherwise. */
static bool is_hurried(void *context)
{
	const struct loop *loop = context;

	return loop->hurried || signals_waiting(&loop->signals);
}

bool loop_run(
	const struct loop_settings *settings, struct loop_result *ret, struct tuner_error *err)
{
	struct loop loop = {
		.settings = settings,
		.file = settings->file,
		.store = settings->store,
		.pool = settings->pool,
		.log_tail = TEXT_EMPTY,
	};
	*ret = (struct loop_result){ .log_tail = TEXT_EMPTY };
	if (!signals_open(&loop.signals, err))
		return false;
	store_be_patient(loop.store, is_hurried, &loop);
	bool ok = begin(&loop, err) && work(&loop, err);
	if (ok) {
		conclude(&loop);
		ok = loop_end_provenance(&loop, err) && loop_keep_finish(&loop, err) &&
		     store_conclusion(&loop, err);
	}
	if (ok) {
		ret->status = loop.status;
		ret->state = loop.end_state;
		ret->reused = loop.reused;
		memcpy(ret->reason, loop.reason, sizeof(ret->reason));
		ret->log_tail = loop.log_tail;
		loop.log_tail = TEXT_EMPTY;
	}
	store_be_patient(loop.store, NULL, NULL);
	end(&loop);
	return ok;
}
