#include "tuner/budget_edit.h"
#include "tuner/job_open.h"
#include "tuner/loop_inside.h"

#include "base/clock.h"
#include "surrogate/convergence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROBE_RUNS_US = 60000000 }; /* a command that runs this long is assumed to work */

static int64_t runtime_us(const struct loop *loop)
{
	return loop->earlier_runtime_us + clock_monotonic_us() - loop->began_us;
}

static bool target_reached(const struct loop *loop)
{
	const struct job_budget *budget = &loop->file->budget;
	const struct finished_trial *best = search_list_best_own(&loop->searches);
	return budget->has_target && best != NULL &&
	       !objective_better(loop->file, budget->target, best->objective);
}

/* Trials observed elsewhere do not count as having failed to improve, but they may have raised the
 * best to be improved on. */
static size_t without_improvement(const struct history *history)
{
	const double sign = history->file->maximize ? -1 : 1;
	double *objectives = calloc(history->n + 1, sizeof(*objectives)), known = INFINITY;
	size_t n = 0;
	if (objectives == NULL)
		return 0;
	for (size_t i = 0; i < history->n; i++) {
		const struct finished_trial *trial = &history->items[i];
		if (trial->state != TRIAL_DONE)
			continue;
		if (!trial->added)
			objectives[n++] = sign * trial->objective;
		else if (isfinite(trial->objective))
			known = fmin(known, sign * trial->objective);
	}
	const size_t trials = not_improving(objectives, n, known, CONVERGENCE_GAIN);
	free(objectives);
	return trials;
}

double loop_attempt_cost(const struct loop *loop, const struct live *live, int64_t us)
{
	const struct host *host =
		live->place.host < loop->pool->n ? &loop->pool->hosts[live->place.host] : NULL;
	if (host == NULL || host->entry == NULL || host->n_slots == 0 || us <= 0)
		return 0;
	return host->entry->price * (double)us / 3600e6 / (double)host->n_slots;
}

/* How long the command has run, without waits for a cluster's queue or a connection, and not beyond
 * its end. Never more than its row will say, or a budget that was spent would have something left
 * for the next run. */
static int64_t ran_us(const struct live *live, int64_t now_us)
{
	if (live->ended)
		return live->end.exit.ended_us - live->end.exit.started_us;
	return live->running_us > 0 ? now_us - live->running_us : 0;
}

/* Includes running attempts, whose cost is in no row yet. */
static double cost_so_far(const struct loop *loop)
{
	const int64_t now_us = clock_monotonic_us();
	double cost = loop->cost;
	for (size_t i = 0; i < loop->n_lives; i++)
		cost += loop_attempt_cost(loop, loop->lives[i], ran_us(loop->lives[i], now_us));
	return cost;
}

/* The ends of a search other than its number of trials. */
void loop_check_budget(struct loop *loop)
{
	const struct job_budget *budget = &loop->file->budget;
	if (loop->phase != SEARCHING)
		return;
	if (target_reached(loop)) {
		loop_drain(loop, EXIT_DONE, JOB_DONE, BOUND_TARGET "%g is reached", budget->target);
		loop_stop_lives(loop, OUTCOME_EARLY_STOPPED, loop->reason, STOP_GRACE_US);
		return;
	}
	if (budget->runtime_us > 0 && runtime_us(loop) >= budget->runtime_us) {
		loop_drain(loop, EXIT_DONE, JOB_DONE, BOUND_BUDGET "runtime is spent");
		loop_stop_lives(loop, OUTCOME_TIMEOUT, loop->reason, STOP_GRACE_US);
		return;
	}
	if (budget->deadline_us > 0 && clock_wall_us() >= budget->deadline_us) {
		loop_drain(loop, EXIT_DONE, JOB_DONE, BOUND_BUDGET "deadline has passed");
		loop_stop_lives(loop, OUTCOME_TIMEOUT, loop->reason, STOP_GRACE_US);
		return;
	}
	if (budget->cost > 0 && cost_so_far(loop) >= budget->cost) {
		loop_drain(
			loop, EXIT_DONE, JOB_DONE, BOUND_BUDGET "cost, %g, is spent", budget->cost);
		loop_stop_lives(loop, OUTCOME_TIMEOUT, loop->reason, STOP_GRACE_US);
		return;
	}
	if (budget->failures > 0 && loop->infrastructure_failures >= budget->failures)
		loop_drain(loop, EXIT_INFRASTRUCTURE, JOB_FAILED,
			"%lld attempt%s failed because of the infrastructure (budget.failures)",
			(long long)loop->infrastructure_failures,
			loop->infrastructure_failures == 1 ? "" : "s");
	else if (budget->not_improving > 0 &&
		 without_improvement(&loop->searches.items[0].history) >=
			 (uint64_t)budget->not_improving)
		loop_drain(loop, EXIT_DONE, JOB_DONE, "%lld trial%s" BOUND_IMPROVEMENT,
			(long long)budget->not_improving,
			budget->not_improving == 1 ? "" : "s in a row");
	else if (budget->converged && proposer_has_converged(&loop->searches.items[0].proposer,
					      &loop->searches.items[0].history))
		loop_drain(loop, EXIT_DONE, JOB_DONE,
			BOUND_CONVERGED ": each of the last %d proposals had a chance "
					"below 5 %% "
					"of a gain of 1 %%",
			PROGNOSES_KEPT);
}

bool loop_may_propose(const struct loop *loop)
{
	return search_next(&loop->searches) != NULL;
}

/* The probe: until some trial has given an objective, one launch at a time, unless the running one
 * has reported a metric or has run for a while (architecture, rule 5). */
static bool probe_allows(const struct loop *loop)
{
	const int64_t now_us = clock_monotonic_us();
	if (loop->probe_passed || loop->n_lives == 0)
		return true;
	for (size_t i = 0; i < loop->n_lives; i++)
		if (objective_begun(&loop->lives[i]->curves) ||
			ran_us(loop->lives[i], now_us) >= PROBE_RUNS_US)
			return true;
	return false;
}

bool loop_has_room(const struct loop *loop)
{
	const int64_t parallel = loop->file->budget.parallel;
	return parallel == 0 || (int64_t)loop->n_lives < parallel;
}

/* A retry that waits for a GPU of its own blocks other launches only on the GPU reserved for it. */
static bool has_free_place(const struct loop *loop)
{
	struct place place;
	return loop_has_room(loop) &&
	       (loop_may_retry(loop) ||
		       (loop_may_propose(loop) && pool_choose(loop->pool, NO_PLACE, &place)));
}

bool loop_wants_launch(const struct loop *loop)
{
	return loop->phase == SEARCHING && !loop->settings->stop_only && !loop_keep_holds(loop) &&
	       (loop_has_due_retry(loop) || loop_may_propose(loop)) && probe_allows(loop);
}

bool loop_may_launch(const struct loop *loop)
{
	return loop_wants_launch(loop) && has_free_place(loop);
}

bool loop_account_runtime(struct loop *loop, struct tuner_error *err)
{
	const int64_t now_us = clock_monotonic_us();
	if (!job_add_runtime(loop->store, loop->settings->job_id, now_us - loop->accounted_us, err))
		return false;
	loop->accounted_us = now_us;
	return true;
}

/* ---- an edit under way ---- */

/* The running trials go on, whatever the number of slots is now. */
static bool adopt(struct loop *loop, const struct job_budget *budget, struct tuner_error *err)
{
	const bool resizes = budget->parallel != loop->file->budget.parallel;

	*loop->settings->budget = *budget;
	for (size_t i = 0; i < loop->searches.n; i++)
		loop->searches.items[i].file.budget = *budget;
	return !resizes || loop_resize_hosts(loop, err);
}

static void say_changes(const struct loop *loop, const char *lines)
{
	for (size_t length; (length = strcspn(lines, "\n")) > 0; lines += length + 1)
		progress_say(loop->settings->progress, "edited: %.*s", (int)length, lines);
}

bool loop_edit_budget(
	struct loop *loop, const char *budget, struct text *answer, struct tuner_error *err)
{
	struct job job = { 0 };
	struct job_file *old = NULL, *new = NULL;
	struct text changes = TEXT_EMPTY;

	if (loop->settings->budget == NULL || loop->phase != SEARCHING)
		return tuner_fail(err, TUNER_USAGE,
			"the run that is under way is about to end, and takes no other budget: the "
			"next \"tuner run\" does");
	bool ok = job_load(loop->store, loop->settings->job_id, &job, err) &&
		  budget_edit_read(&job, budget, &old, &new, &changes, err);
	if (ok) {
		job.trial_cap = new->budget.trials;
		ok = job_store_edited(loop->store, &job, old, new, err) &&
		     adopt(loop, &new->budget, err);
	}
	if (ok) {
		say_changes(loop, changes.bytes);
		const size_t slots = pool_slots(loop->pool);
		text_print(answer,
			"the run that is under way (process %d) has taken this; it has %zu slot%s",
			(int)getpid(), slots, slots == 1 ? "" : "s");
		if ((int64_t)slots < new->budget.parallel)
			text_add(answer, ", and more once it is stopped and begun again");
	}
	job_file_destroy(old);
	job_file_destroy(new);
	job_finish(&job);
	text_finish(&changes);
	return ok;
}
