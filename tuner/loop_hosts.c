#include "tuner/loop_inside.h"

#include "base/clock.h"
#include "trials/host.h"
#include "tuner/job_hosts.h"
#include "tuner/job_open.h"
#include "tuner/slots.h"

#include <stdlib.h>
#include <string.h>

static bool load_drained(struct loop *loop, struct tuner_error *err)
{
	struct host_event_list list;
	if (!host_events_select(loop->store, loop->settings->job_id, true, &list, err))
		return false;
	for (size_t i = 0; i < list.n; i++) {
		const size_t h = pool_find_name(loop->pool, list.items[i].name);
		if (h < loop->pool->n)
			loop->pool->hosts[h].draining =
				strcmp(list.items[i].state, "draining") == 0;
	}
	host_event_list_finish(&list);
	return true;
}

/* With one host there is nothing to choose between. The times measured by this run are in the
 * database, too. */
static bool load_times(struct loop *loop, struct tuner_error *err)
{
	struct host_use_list list;
	if (loop->pool->n < 2)
		return true;
	for (size_t h = 0; h < loop->pool->n; h++)
		loop->pool->hosts[h].n_timed = loop->pool->hosts[h].timed_us = 0;
	if (!host_uses_select(loop->store, loop->settings->job_id, &list, err))
		return false;
	for (size_t i = 0; i < list.n; i++) {
		const size_t h = pool_find(loop->pool, list.items[i].backend, list.items[i].name);
		if (h == loop->pool->n)
			continue;
		loop->pool->hosts[h].n_timed += list.items[i].done;
		loop->pool->hosts[h].timed_us += list.items[i].done_us;
	}
	host_use_list_finish(&list);
	return true;
}

/* Without a terminal nothing else would tell why nothing is started. */
static void say_drained(const struct loop *loop, const char *name)
{
	progress_say(loop->settings->progress,
		"host %s was drained: nothing is started on it before \"tuner hosts resume %s\"",
		name, name);
}

void loop_say_drained(const struct loop *loop)
{
	for (size_t h = 0; h < loop->pool->n; h++)
		if (loop->pool->hosts[h].draining)
			say_drained(loop, loop->pool->hosts[h].name);
}

bool loop_load_hosts(struct loop *loop, struct tuner_error *err)
{
	return load_drained(loop, err) && load_times(loop, err);
}

/* Another machine's backend knows what that has. This one is not looked at again: its GPUs, which are
 * watched from the beginning of a run, do not become more. */
static bool look(const struct host *host, struct machine *ret, struct tuner_error *err)
{
	if (host->backend->ops->machine != NULL)
		return host->backend->ops->machine(host->backend, ret, err);
	tuner_assert(host->machine != NULL);
	*ret = *host->machine;
	return true;
}

static bool find_slots(struct loop *loop, size_t h, struct tuner_error *err)
{
	struct host *host = &loop->pool->hosts[h];
	struct machine *machine = malloc(sizeof(*machine));
	struct slot_list *list = malloc(sizeof(*list));
	struct tuner_error fault = { TUNER_OK, "" };
	bool ok = (machine != NULL && list != NULL) || tuner_fail_memory(err);

	ok = ok && look(host, machine, err);
	if (ok && !slots_of(host->entry, (unsigned)loop->file->budget.parallel, machine, list,
			  &fault)) {
		/* The other hosts continue without it. */
		list->n = 0;
		snprintf(list->note, sizeof(list->note), "%.250s", fault.message);
		ok = fault.code == TUNER_USAGE || tuner_fail(err, fault.code, "%s", fault.message);
	}
	if (ok && list->note[0] != '\0')
		progress_say(loop->settings->progress, "warning: %s: %s", host->name, list->note);
	ok = ok && pool_set_slots(loop->pool, h, list->items, list->n, err);
	free(machine);
	free(list);
	return ok;
}

/* "slots" holds whatever the budget is. */
bool loop_resize_hosts(struct loop *loop, struct tuner_error *err)
{
	for (size_t h = 0; h < loop->pool->n; h++) {
		const struct host *host = &loop->pool->hosts[h];
		const bool known = host->machine != NULL || host->backend->ops->machine != NULL;
		if (!host->up || !known || host->entry->slots > 0)
			continue;
		if (!find_slots(loop, h, err) || !loop_take_places(loop, h, err))
			return false;
	}
	return true;
}

static bool store_change(struct loop *loop, const char *name, const char *state,
	const char *message, struct tuner_error *err)
{
	if (!store_begin(loop->store, STORE_LAZY, err))
		return false;
	if (host_event_add(loop->store, loop->settings->job_id, name, state, message,
		    clock_wall_us(), err))
		return store_commit(loop->store, err);
	store_rollback(loop->store);
	return false;
}

bool loop_host_changed(
	struct loop *loop, size_t h, const struct backend_event *event, struct tuner_error *err)
{
	struct host *host = &loop->pool->hosts[h];
	const bool up = event->kind == BACKEND_HOST_UP;

	if (up && (!find_slots(loop, h, err) || !loop_take_places(loop, h, err)))
		return false;
	host->up = up;
	if (up)
		pool_trust(loop->pool, h);
	progress_say(loop->settings->progress, "host %s %s%s%s", host->name,
		up ? "answers" : "does not answer", event->message[0] ? ": " : "", event->message);
	return store_change(loop, host->name, up ? "up" : "down", event->message, err);
}

bool loop_trust_hosts(struct loop *loop, struct tuner_error *err)
{
	struct host_event_list list;
	bool ok = true;

	if (!host_events_select(loop->store, loop->settings->job_id, false, &list, err))
		return false;
	for (size_t i = 0; i < list.n && ok; i++) {
		const size_t h = pool_find_name(loop->pool, list.items[i].name);
		if (h < loop->pool->n && loop->pool->hosts[h].up &&
			strcmp(list.items[i].state, "down") == 0)
			ok = store_change(loop, list.items[i].name, "up", "", err);
	}
	host_event_list_finish(&list);
	return ok;
}

/* What an end says about its host: -1: nothing; 0: attempts can be launched there; 1: none can. */
static int says_of_host(const struct fate *fate)
{
	if (fate->outcome == OUTCOME_LAUNCH_FAILED || fate->outcome == OUTCOME_DISK_FULL)
		return 1;
	return fate->outcome == OUTCOME_INTERRUPTED || fate->outcome == OUTCOME_LOST ? -1 : 0;
}

static bool tell_failing(
	struct loop *loop, struct host *host, const struct fate *fate, struct tuner_error *err)
{
	char message[400];

	host->told_failing = true;
	snprintf(message, sizeof(message), "%u attempts in a row failed there, the last as %s: %s",
		host->failed_in_a_row, outcome_name(fate->outcome), fate->message);
	progress_say(loop->settings->progress,
		"host %s is avoided for a while, since there are others: %s", host->name, message);
	return store_change(loop, host->name, "down", message, err);
}

bool loop_judge_host(struct loop *loop, size_t h, struct fate *fate, struct tuner_error *err)
{
	struct host *host = h < loop->pool->n ? &loop->pool->hosts[h] : NULL;
	const int says = says_of_host(fate);

	if (host == NULL || says < 0)
		return true;
	fate->excused = says > 0 && pool_distrusts(loop->pool, h);
	pool_ended(loop->pool, h, says > 0);
	if (says > 0 && !host->told_failing && pool_distrusts(loop->pool, h))
		return tell_failing(loop, host, fate, err);
	if (says > 0 || !host->told_failing)
		return true;
	host->told_failing = false;
	progress_say(loop->settings->progress, "host %s can be used again", host->name);
	return store_change(loop, host->name, "up", "", err);
}

static void describe_late(const struct backend_event *event, struct text *ret)
{
	const struct exit_record *exit = &event->exit;

	if (event->message[0] != '\0')
		text_add(ret, event->message);
	else if (exit->code >= 0)
		text_print(ret, "ended with status %d", exit->code);
	else
		text_print(ret, "ended by signal %d", exit->signal);
}

bool loop_late(
	struct loop *loop, size_t h, const struct backend_event *event, struct tuner_error *err)
{
	struct backend *backend = loop->pool->hosts[h].backend;
	struct text how = TEXT_EMPTY;
	bool ok = false;

	describe_late(event, &how);
	if (text_failed(&how)) {
		tuner_fail_memory(err);
	} else if (store_begin(loop->store, STORE_DURABLE, err)) {
		ok = attempt_late(loop->store, event->attempt, how.bytes, event->exit.ended_us,
			     clock_wall_us(), err) &&
		     store_commit(loop->store, err);
		if (!ok)
			store_rollback(loop->store);
	}
	if (ok) {
		progress_say(loop->settings->progress,
			"host %s: a lost attempt has turned up (%s); it no longer counts",
			loop->pool->hosts[h].name, how.bytes);
		backend->ops->forget(backend, event->attempt);
	}
	text_finish(&how);
	return ok;
}

static void name_hosts(const struct pool *pool, struct text *ret)
{
	for (size_t h = 0; h < pool->n; h++)
		text_print(ret, "%s%s", h > 0 ? ", " : "", pool->hosts[h].name);
}

bool loop_drain_host(struct loop *loop, const char *name, bool drain, struct text *answer,
	struct tuner_error *err)
{
	const size_t h = pool_find_name(loop->pool, name);
	size_t running = 0;

	if (h == loop->pool->n) {
		struct text names = TEXT_EMPTY;
		name_hosts(loop->pool, &names);
		tuner_fail(err, TUNER_USAGE, "there is no host \"%.100s\"; the job's are: %.300s",
			name, names.bytes);
		text_finish(&names);
		return false;
	}
	for (size_t i = 0; i < loop->n_lives; i++)
		running += loop->lives[i]->place.host == h;
	if (!host_event_add(loop->store, loop->settings->job_id, name,
		    drain ? "draining" : "resumed", "", clock_wall_us(), err))
		return false;
	loop->pool->hosts[h].draining = drain;
	if (drain) {
		say_drained(loop, name);
		text_print(answer, "nothing more is started on %s; %zu trial%s still run%s there",
			name, running, running == 1 ? "" : "s", running == 1 ? "s" : "");
	} else {
		pool_trust(loop->pool, h);
		progress_say(loop->settings->progress, "host %s is in use again", name);
		text_print(answer, "%s is in use again", name);
	}
	return true;
}

/* ---- more hosts ---- */

/* Describes what can be used now, and what later. */
static void describe_added(
	const struct loop *loop, size_t first, const char *note, struct text *ret)
{
	const struct pool *pool = loop->pool;
	const int64_t parallel = loop->file->budget.parallel;
	const size_t slots = pool_slots(pool);
	size_t waiting = 0;

	text_add(ret, HOSTS_ADDED);
	for (size_t h = first; h < pool->n; h++)
		text_print(ret, "%s%s", h > first ? ", " : "", pool->hosts[h].name);
	text_print(ret, "; the job has %zu slot%s now", slots, slots == 1 ? "" : "s");
	for (size_t h = first; h < pool->n; h++)
		if (!pool->hosts[h].up)
			text_print(ret, "%s%s",
				waiting++ == 0 ? ", and as soon as they answer those of " : ", ",
				pool->hosts[h].name);
	if (parallel > 0)
		text_print(ret, "; at most %lld of all are used at a time (budget.parallel)",
			(long long)parallel);
	else
		text_add(ret, "; all of them are used");
	for (size_t h = first; h < pool->n; h++)
		if (pool->hosts[h].draining)
			text_print(ret, "; %s was drained: \"tuner hosts resume %s\" uses it again",
				pool->hosts[h].name, pool->hosts[h].name);
	if (note[0] != '\0')
		text_print(ret, "; %s", note);
}

/* A run continues without hosts that it cannot add. */
static bool refuse_hosts(const struct tuner_error *fault, struct tuner_error *err)
{
	return tuner_fail(err, fault->code == TUNER_FATAL ? TUNER_FATAL : TUNER_USAGE,
		"no hosts were added: %s", fault->message);
}

/* Takes over `all`, whose hosts from `from` on are new. */
static bool take_hosts(struct loop *loop, struct job_file *all, size_t from, struct text *answer,
	struct tuner_error *err)
{
	const size_t first = loop->pool->n;
	struct tuner_error fault = { TUNER_OK, "" };
	char note[300];

	if (!pool_extend(loop->pool, all, from, store_path(loop->store), note, &fault))
		return refuse_hosts(&fault, err);
	if (!loop_load_hosts(loop, &fault))
		goto fail;
	describe_added(loop, first, note, answer); /* before GPUs are closed to be checked */
	if (!loop_add_gpus(loop, first, &fault))
		goto fail;
	for (size_t h = first; h < loop->pool->n; h++)
		progress_say(
			loop->settings->progress, "host %s was added", loop->pool->hosts[h].name);
	return true;
fail:
	pool_retract(loop->pool, first);
	text_clear(answer);
	return refuse_hosts(&fault, err);
}

bool loop_add_hosts(
	struct loop *loop, const char *hosts, struct text *answer, struct tuner_error *err)
{
	struct job job = { 0 };
	struct job_hosts merged = { 0 };

	if (loop->settings->stop_only || loop->phase != SEARCHING) {
		text_add(answer, "this run starts nothing more; the next \"tuner run\" with the "
				 "edited file uses its hosts");
		return true;
	}
	bool ok = job_load(loop->store, loop->settings->job_id, &job, err) &&
		  job_hosts_merge(&job, hosts, &merged, err);
	if (ok && merged.all->n_hosts == merged.old->n_hosts) {
		text_add(answer, "it already has all of these hosts");
	} else if (ok) {
		struct job_file *all = merged.all; /* now owned by the pool */
		merged.all = NULL;
		ok = take_hosts(loop, all, merged.old->n_hosts, answer, err) &&
		     job_store_edited(loop->store, &job, merged.old, all, err);
	}
	job_hosts_finish(&merged);
	job_finish(&job);
	return ok;
}
