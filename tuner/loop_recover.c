#include "tuner/loop_inside.h"

#include "base/clock.h"
#include "base/file.h"
#include "tuner/configuration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Which trials a person has put back, read once. */
struct reopenings {
	struct reopening *items;
	size_t n;
};

/* The number of attempts before the trial was last put back; 0 if it never was. */
static int64_t attempts_before(const struct reopenings *reopenings, int64_t trial)
{
	for (size_t i = reopenings->n; i-- > 0;)
		if (reopenings->items[i].trial_id == trial)
			return reopenings->items[i].attempts;
	return 0;
}

/* A trial that was put back gets all its retries again. */
static struct outcome_counts count_outcomes(const struct attempt_list *attempts, int64_t forgiven)
{
	struct outcome_counts counts = { 0 };
	for (size_t i = (size_t)forgiven; i < attempts->n; i++)
		counts.of[attempts->items[i].outcome]++;
	return counts;
}

static bool has_gpus(const struct slot *slot, const char *gpus)
{
	struct text json = TEXT_EMPTY;
	const bool same = slot_gpus_json(slot, &json) && strcmp(json.bytes, gpus) == 0;
	text_finish(&json);
	return same;
}

/* The slot with the attempt's GPUs: its own or, if the job file was edited, another free one.
 * SLOTS_MAX: none has them. */
static size_t slot_of(const struct host *host, const struct attempt *attempt)
{
	const size_t own = attempt->slot >= 0 ? (size_t)attempt->slot : SLOTS_MAX;
	size_t s = 0;
	if (own < host->n_slots && has_gpus(&host->slots[own], attempt->gpus))
		return own;
	while (s < host->n_slots && (host->busy[s] || !has_gpus(&host->slots[s], attempt->gpus)))
		s++;
	return s < host->n_slots ? s : SLOTS_MAX;
}

/* NO_PLACE if the pool has no such host. */
static struct place place_of(const struct loop *loop, const struct attempt *attempt)
{
	const size_t h = pool_find(loop->pool, attempt->backend, attempt->host);
	return h < loop->pool->n ? (struct place){ h, slot_of(&loop->pool->hosts[h], attempt) }
				 : NO_PLACE;
}

/* The slot in which it is, if that still has its GPUs; else the one that has them now. */
static bool find_place(struct loop *loop, struct live *live, struct tuner_error *err)
{
	const struct host *host = &loop->pool->hosts[live->place.host];
	const size_t slot = live->place.slot;
	struct attempt_list attempts;
	if (!attempt_select(loop->store, loop->settings->job_id, live->trial, &attempts, err))
		return false;
	for (size_t i = 0; i < attempts.n; i++)
		if (attempts.items[i].id == live->attempt &&
			(slot >= host->n_slots ||
				!has_gpus(&host->slots[slot], attempts.items[i].gpus)))
			live->place = place_of(loop, &attempts.items[i]);
	attempt_list_finish(&attempts);
	return true;
}

bool loop_take_places(struct loop *loop, size_t h, struct tuner_error *err)
{
	for (size_t i = 0; i < loop->n_lives; i++) {
		struct live *live = loop->lives[i];
		if (live->place.host != h)
			continue;
		if (!find_place(loop, live, err))
			return false;
		loop_take_place(loop, live);
	}
	return true;
}

/* When the rest of its wait is over; at once for an attempt that we interrupted, or a trial that a
 * person has put back. A clock that was set back does not prolong the wait. */
static int64_t due_us(const struct loop *loop, const struct trial *trial,
	const struct attempt *last, int64_t forgiven)
{
	const int64_t now_us = clock_monotonic_us();
	if (last == NULL || last->number <= forgiven || last->outcome == OUTCOME_INTERRUPTED)
		return now_us;
	const int64_t wait_us = outcome_backoff_us(
		loop->file->backoff_us, loop->file->seed, trial->number, last->number);
	const int64_t left_us = last->ended_us + wait_us - clock_wall_us();
	return now_us + (left_us < 0 ? 0 : left_us > wait_us ? wait_us : left_us);
}

static bool recover_values(
	const struct loop *loop, const struct trial *trial, double **ret, struct tuner_error *err)
{
	double *values = calloc(loop->file->space.d + 1, sizeof(*values));
	if (values == NULL)
		return tuner_fail_memory(err);
	struct tuner_error misfit = { TUNER_OK, "" };
	if (!configuration_parse(loop->file, trial->parameters, true, values, &misfit))
		/* The space was edited meanwhile: the trial continues, and its values count as not
		 * given. */
		for (size_t i = 0; i < loop->file->space.d; i++)
			values[i] = NAN;
	*ret = values;
	return true;
}

/* Whether a launch would leave out a parameter of the trial, and so run another configuration. */
static bool is_cut(const struct loop *loop, const struct trial *trial, const double *values,
	bool *ret, struct tuner_error *err)
{
	char *left_out = NULL;
	const bool ok =
		configuration_left_out(loop->file, trial->parameters, values, &left_out, err);
	*ret = left_out != NULL;
	free(left_out);
	return ok;
}

/* Whether the attempt's launch file is there. Moves away a directory that another database has left
 * in its place. */
static bool is_prepared(
	struct loop *loop, const struct live *live, bool *ret, struct tuner_error *err)
{
	enum launch_owner owner;
	if (!launch_look(live->directory, live->key, &owner, err))
		return false;
	*ret = owner == LAUNCH_OWN;
	return owner != LAUNCH_ANOTHERS || loop_make_way(loop, live, err);
}

/* We were killed between the intent's commit and the end of the preparation, or somebody has
 * removed the directory of an attempt that ran: the two cannot be distinguished, so the key is not
 * used again. This does not count as a retry. */
static void give_up_unprepared(struct live *live)
{
	if (live->stopping != NULL)
		return;
	live->stopping = outcome_name(OUTCOME_INTERRUPTED);
	snprintf(live->stop_reason, sizeof(live->stop_reason),
		"tuner ended before launching it, or its directory was removed");
}

/* `tuner stop` starts nothing: an attempt that never ran ends as stopped. An attempt that cannot be
 * inspected or taken over may be running, so this is an error of ours and not the attempt's end: it
 * might run on beside its trial's next attempt. */
static bool take_over(struct loop *loop, struct live *live, bool intended, struct tuner_error *err)
{
	struct backend *backend = loop_backend(loop, live);
	struct attempt_status status;
	bool prepared = false;

	const bool is_here = !backend->ops->remote;
	if (!is_prepared(loop, live, &prepared, err) ||
		!(is_here ? attempt_look : attempt_look_afar)(live->directory, &status, err))
		return false;
	const bool never_ran = status.life == ATTEMPT_NEVER_RAN;
	/* On a cluster a job may be queued that no file shows: the backend has to end it. */
	if (never_ran && prepared && loop->settings->stop_only && !backend->ops->remote) {
		struct tuner_error why = { TUNER_OK, "" };
		live->stopping = outcome_name(OUTCOME_INTERRUPTED);
		tuner_fail(&why, TUNER_RETRY, "stopped before it ran");
		live_end_unlaunched(live, &why);
		return true;
	}
	if (never_ran && !prepared && intended)
		give_up_unprepared(live);
	/* For an attempt that ran before, code and data can no longer be known. */
	return backend->ops->adopt(backend, live->attempt, live->directory, live->key, err) &&
	       (!intended || loop_ask_witness(loop, live, err));
}

/* An earlier run was about to end the attempt, and may not have signalled it. */
static bool recover_stop(struct loop *loop, struct live *live, struct tuner_error *err)
{
	char reason[sizeof(live->stop_reason)];
	enum outcome why;
	if (!attempt_stop_load(loop->store, live->attempt, &why, reason, sizeof(reason), err))
		return false;
	if (why != OUTCOME_NONE) {
		loop_stop_live(live, why, reason, loop->file->grace_us + KILL_SLACK_US);
		live->stop_stored = true;
	}
	return true;
}

/* How long it has run; only the wall clock continues from run to run. */
static int64_t age_us(const struct attempt *attempt)
{
	const int64_t us = attempt->started_us > 0 ? clock_wall_us() - attempt->started_us : 0;
	return us > 0 ? us : 0;
}

/* Turns an attempt that has not ended according to the database into a live one again. */
static bool adopt(struct loop *loop, const struct trial *trial, const struct attempt *attempt,
	struct outcome_counts before, struct tuner_error *err)
{
	struct live *live = calloc(1, sizeof(*live));
	bool ok = false;

	if (live == NULL)
		return tuner_fail_memory(err);
	live->place = place_of(loop, attempt);
	if (live->place.host == HOSTS_MAX) {
		live_destroy(live);
		return tuner_fail(err, TUNER_USAGE,
			"trial %lld may still be running on host \"%s\" (%s), which \"hosts\" no "
			"longer names: put it back, and drain it with \"tuner hosts drain %s\"",
			(long long)trial->number, attempt->host, attempt->backend, attempt->host);
	}
	live->attempt = attempt->id;
	live->trial = trial->id;
	live->number = trial->number;
	live->arm_number = trial->arm_number;
	live->repeat = trial->repeat;
	live->search = search_find(&loop->searches, trial->arm, trial->repeat);
	live->attempt_number = attempt->number;
	live->before = before;
	live->trial_started_us = trial->started_us;
	live->started_us = attempt->started_us;
	live->started = live->started_committed = attempt->state == ATTEMPT_RUNNING;
	live->launched_us = clock_monotonic_us() - age_us(attempt);
	live->running_us = live->started ? live->launched_us : 0;
	live->read_offset = live->stored_offset = attempt->log_offset;
	memcpy(live->key, attempt->key, sizeof(live->key));
	memcpy(live->branch, trial->branch, sizeof(live->branch));
	live->directory = path_join(store_directory(loop->store), attempt->directory);
	if (live->directory == NULL) {
		tuner_fail_memory(err);
		goto out;
	}
	live->wants_gpu_alone = before.of[OUTCOME_OOM_GPU] > 0;
	if (!recover_values(loop, trial, &live->values, err) ||
		!is_cut(loop, trial, live->values, &live->is_cut, err) ||
		!gpu_use_load(loop->store, attempt->id, &live->gpus, err) ||
		!loop_load_series(loop, live, err) || !recover_stop(loop, live, err) ||
		!scraper_create(loop->patterns, attempt->log_offset,
			attempt->log_offset > 0 ? attempt->scrape : NULL, &live->scraper, err) ||
		!loop_add_live(loop, live, err))
		goto out;
	struct live *adopted = live;
	live = NULL; /* now owned by the loop */
	ok = take_over(loop, adopted, attempt->state == ATTEMPT_INTENDED, err);
out:
	live_destroy(live);
	return ok;
}

/* A trial that a caller evaluates: it was not launched, and has no files here. */
static bool recover_asked(struct loop *loop, const struct trial *trial,
	const struct attempt *attempt, struct tuner_error *err)
{
	struct asked_trial asked = {
		.number = trial->number,
		.until_us = attempt->lease_us > 0 ? attempt->heard_us + attempt->lease_us : 0,
	};
	if (recover_values(loop, trial, &asked.values, err) && loop_add_asked(loop, &asked, err))
		return true;
	free(asked.values);
	return false;
}

static bool recover_retry(struct loop *loop, const struct trial *trial, const struct attempt *last,
	int64_t forgiven, struct outcome_counts before, struct tuner_error *err)
{
	struct retry retry = {
		.trial = trial->id,
		.search = search_find(&loop->searches, trial->arm, trial->repeat),
		.number = trial->number,
		.arm_number = trial->arm_number,
		.attempts = last ? last->number : 0,
		.trial_started_us = trial->started_us,
		.due_us = due_us(loop, trial, last, forgiven),
		.last = last ? place_of(loop, last) : NO_PLACE,
		.before = before,
	};
	memcpy(retry.branch, trial->branch, sizeof(retry.branch));
	if (recover_values(loop, trial, &retry.values, err) && loop_add_retry(loop, &retry, err))
		return true;
	free(retry.values);
	return false;
}

static bool recover_trial(struct loop *loop, const struct trial *trial,
	const struct reopenings *reopenings, struct tuner_error *err)
{
	struct attempt_list attempts;
	if (!attempt_select(loop->store, loop->settings->job_id, trial->id, &attempts, err))
		return false;
	const struct attempt *last = attempts.n > 0 ? &attempts.items[attempts.n - 1] : NULL;
	const int64_t forgiven = attempts_before(reopenings, trial->id);
	const struct outcome_counts before = count_outcomes(&attempts, forgiven);
	bool ok;
	if (last != NULL && strcmp(last->backend, ATTEMPT_CALLER) == 0) {
		ok = recover_asked(loop, trial, last, err);
	} else if (last != NULL && last->state != ATTEMPT_ENDED) {
		ok = adopt(loop, trial, last, before, err);
	} else {
		ok = recover_retry(loop, trial, last, forgiven, before, err);
	}
	attempt_list_finish(&attempts);
	return ok;
}

/* Recovers the job's trials in these states, or the one with this number. */
static bool recover_trials(
	struct loop *loop, const struct trial_filter *filter, struct tuner_error *err)
{
	struct reopenings reopenings = { 0 };
	struct trial_list list;
	if (!trial_reopenings(
		    loop->store, loop->settings->job_id, &reopenings.items, &reopenings.n, err))
		return false;
	bool ok = trial_select(loop->store, filter, &list, err);
	if (ok) {
		for (size_t i = 0; ok && i < list.n; i++)
			ok = recover_trial(loop, &list.items[i], &reopenings, err);
		trial_list_finish(&list);
	}
	free(reopenings.items);
	return ok;
}

/* Whether the trial waits to be launched again, but the space, edited since, does not accept it. */
static bool is_misfit(
	const struct loop *loop, const struct trial *trial, bool *ret, struct tuner_error *err)
{
	struct attempt_list attempts;
	double *values = NULL;
	bool cut = false;
	*ret = false;
	if (!recover_values(loop, trial, &values, err))
		return false;
	const bool ok = is_cut(loop, trial, values, &cut, err);
	const bool fits = loop_fits(loop, values) && !cut;
	free(values);
	if (!ok || fits)
		return ok;
	if (!attempt_select(loop->store, loop->settings->job_id, trial->id, &attempts, err))
		return false;
	const struct attempt *last = attempts.n > 0 ? &attempts.items[attempts.n - 1] : NULL;
	*ret = last == NULL || last->state == ATTEMPT_ENDED;
	attempt_list_finish(&attempts);
	return true;
}

/* In the open transaction. */
static bool stop_trials(struct loop *loop, const struct trial_list *trials, size_t *ret_stopped,
	struct tuner_error *err)
{
	*ret_stopped = 0;
	for (size_t i = 0; i < trials->n; i++) {
		const struct trial *trial = &trials->items[i];
		bool misfit = false;
		if (!is_misfit(loop, trial, &misfit, err) ||
			(misfit && !trial_stop(loop->store, trial->id, NOT_AGAIN, clock_wall_us(),
					   err)))
			return false;
		*ret_stopped += misfit;
		if (misfit)
			progress_say(loop->settings->progress, "trial %lld stopped: %s",
				(long long)trial->number, NOT_AGAIN);
	}
	return true;
}

static bool stop_misfits(struct loop *loop, struct tuner_error *err)
{
	const struct trial_filter waiting = {
		.job_id = loop->settings->job_id, .repeat = -1, .states = 1u << TRIAL_PROPOSED
	};
	struct trial_list list;
	size_t stopped = 0;
	if (loop->settings->stop_only)
		return true;
	if (!trial_select(loop->store, &waiting, &list, err))
		return false;
	bool ok = list.n == 0 || store_begin(loop->store, STORE_DURABLE, err);
	if (ok && list.n > 0) {
		ok = stop_trials(loop, &list, &stopped, err);
		if (!ok)
			store_rollback(loop->store);
		ok = ok && store_commit(loop->store, err);
	}
	trial_list_finish(&list);
	return ok && (stopped == 0 || search_list_reload(&loop->searches, loop->store,
					      loop->settings->job_id, err));
}

/* Reconciles the attempts that the database holds as open with what is still alive. */
bool loop_recover(struct loop *loop, struct tuner_error *err)
{
	const struct trial_filter open_trials = {
		.job_id = loop->settings->job_id,
		.repeat = -1,
		.states = 1u << TRIAL_PROPOSED | 1u << TRIAL_RUNNING | 1u << TRIAL_PAUSED,
	};
	if (!stop_misfits(loop, err) || !recover_trials(loop, &open_trials, err))
		return false;
	if (loop->n_lives + loop->n_retries > 0)
		progress_say(loop->settings->progress,
			"resuming: %zu trial%s under way, %zu to be launched again", loop->n_lives,
			loop->n_lives == 1 ? "" : "s", loop->n_retries);
	return true;
}

bool loop_take_back(struct loop *loop, const int64_t *numbers, size_t n, struct tuner_error *err)
{
	if (!search_list_reload(&loop->searches, loop->store, loop->settings->job_id, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct trial_filter one = {
			.job_id = loop->settings->job_id, .repeat = -1, .number = numbers[i]
		};
		if (!recover_trials(loop, &one, err))
			return false;
	}
	return true;
}
