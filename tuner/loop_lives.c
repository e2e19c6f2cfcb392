#include "tuner/loop_inside.h"

#include "base/array.h"
#include "base/clock.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Proposes nothing more. The first reason stays. */
void loop_drain(
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

/* Marks one trial to be ended, with SIGKILL after grace_us. */
void loop_stop_live(struct live *live, enum outcome why, const char *reason, int64_t grace_us)
{
	if (live->ended)
		return;
	const int64_t kill_at_us = clock_monotonic_us() + grace_us;
	if (live->stopping != NULL && live->kill_at_us <= kill_at_us)
		return;
	if (live->stopping == NULL) {
		live->stopping = outcome_name(why);
		snprintf(live->stop_reason, sizeof(live->stop_reason), "%s", reason);
	}
	live->kill_at_us = kill_at_us;
	live->stop_due = true;
}

/* An interrupted attempt is launched again, whichever run finds its end. */
static bool is_to_be_stored(const struct live *live)
{
	return live->stopping != NULL && !live->stop_stored &&
	       strcmp(live->stopping, outcome_name(OUTCOME_INTERRUPTED)) != 0;
}

bool loop_store_stops(struct loop *loop, struct tuner_error *err)
{
	for (size_t i = 0; i < loop->n_lives; i++) {
		struct live *live = loop->lives[i];
		if (!is_to_be_stored(live))
			continue;
		if (!attempt_stop(loop->store, live->attempt, outcome_from_name(live->stopping),
			    live->stop_reason, clock_wall_us(), err))
			return false;
		live->stop_stored = true;
	}
	return true;
}

static bool commit_stops(struct loop *loop, struct tuner_error *err)
{
	bool any = false;
	for (size_t i = 0; i < loop->n_lives; i++)
		any |= is_to_be_stored(loop->lives[i]);
	if (!any)
		return true;
	if (!store_begin(loop->store, STORE_DURABLE, err))
		return false;
	if (loop_store_stops(loop, err))
		return store_commit(loop->store, err);
	store_rollback(loop->store);
	return false;
}

bool loop_send_stops(struct loop *loop, struct tuner_error *err)
{
	if (!commit_stops(loop, err))
		return false;
	for (size_t i = 0; i < loop->n_lives; i++) {
		struct live *live = loop->lives[i];
		if (live->stop_due && !live->ended && !loop_signal(loop, live, SIGTERM, err))
			return false;
		live->stop_due = false;
	}
	return true;
}

void loop_stop_lives(struct loop *loop, enum outcome why, const char *reason, int64_t grace_us)
{
	loop->phase = STOPPING;
	for (size_t i = 0; i < loop->n_lives; i++)
		loop_stop_live(loop->lives[i], why, reason, grace_us);
}

void loop_take_place(struct loop *loop, const struct live *live)
{
	pool_take(loop->pool, live->place);
	if (live->wants_gpu_alone)
		pool_seclude(loop->pool, live->place);
}

bool loop_add_live(struct loop *loop, struct live *live, struct tuner_error *err)
{
	if (!array_reserve(
		    &loop->lives, loop->n_lives, &loop->lives_capacity, sizeof(*loop->lives)))
		return tuner_fail_memory(err);
	size_t i = loop->n_lives++;
	for (; i > 0 && loop->lives[i - 1]->number > live->number; i--)
		loop->lives[i] = loop->lives[i - 1];
	loop->lives[i] = live;
	loop_take_place(loop, live);
	loop_note_neighbours(loop, live);
	return true;
}

void loop_remove_live(struct loop *loop, const struct live *live)
{
	size_t i = 0;
	while (i < loop->n_lives && loop->lives[i] != live)
		i++;
	tuner_assert(i < loop->n_lives);
	loop->n_lives--;
	pool_leave(loop->pool, live->place);
	memmove(loop->lives + i, loop->lives + i + 1, (loop->n_lives - i) * sizeof(*loop->lives));
}

struct backend *loop_backend(const struct loop *loop, const struct live *live)
{
	return loop->pool->hosts[live->place.host].backend;
}

bool loop_signal(
	const struct loop *loop, const struct live *live, int signal, struct tuner_error *err)
{
	struct backend *backend = loop_backend(loop, live);
	return backend->ops->signal(backend, live->attempt, signal, err);
}

struct live *loop_find_live(struct loop *loop, int64_t attempt)
{
	for (size_t i = 0; i < loop->n_lives; i++)
		if (loop->lives[i]->attempt == attempt)
			return loop->lives[i];
	return NULL;
}

bool loop_add_retry(struct loop *loop, const struct retry *retry, struct tuner_error *err)
{
	if (!array_reserve(&loop->retries, loop->n_retries, &loop->retries_capacity,
		    sizeof(*loop->retries)))
		return tuner_fail_memory(err);
	loop->retries[loop->n_retries++] = *retry;
	return true;
}

bool wants_to_be_alone(const struct retry *retry)
{
	return retry->before.of[OUTCOME_OOM_GPU] > 0;
}

static bool has_place(const struct loop *loop, const struct retry *retry)
{
	struct place place;
	return wants_to_be_alone(retry) ? pool_choose_alone(loop->pool, NO_PLACE, &place)
					: pool_choose(loop->pool, NO_PLACE, &place);
}

/* n_retries if all still wait, for their time or for a place. */
static size_t first_with_place(const struct loop *loop)
{
	const int64_t now_us = clock_monotonic_us();
	size_t i = 0;
	while (i < loop->n_retries &&
		(loop->retries[i].due_us > now_us || !has_place(loop, &loop->retries[i])))
		i++;
	return i;
}

void loop_make_room(struct loop *loop)
{
	const int64_t now_us = clock_monotonic_us();
	bool any = false;
	for (size_t i = 0; i < loop->n_retries; i++)
		any |= loop->retries[i].due_us <= now_us && wants_to_be_alone(&loop->retries[i]);
	if (any && loop->phase == SEARCHING)
		pool_reserve(loop->pool);
	else
		pool_unreserve(loop->pool);
}

bool loop_has_due_retry(const struct loop *loop)
{
	const int64_t now_us = clock_monotonic_us();
	size_t i = 0;
	while (i < loop->n_retries && loop->retries[i].due_us > now_us)
		i++;
	return i < loop->n_retries;
}

bool loop_may_retry(const struct loop *loop)
{
	return first_with_place(loop) < loop->n_retries;
}

bool loop_take_retry(struct loop *loop, struct retry *ret)
{
	const size_t i = first_with_place(loop);
	if (i == loop->n_retries)
		return false;
	*ret = loop->retries[i];
	loop->n_retries--;
	memmove(loop->retries + i, loop->retries + i + 1,
		(loop->n_retries - i) * sizeof(*loop->retries));
	return true;
}

bool loop_stop_retry(struct loop *loop, size_t i, const char *reason, struct tuner_error *err)
{
	const struct retry stopped = loop->retries[i];
	if (!trial_stop(loop->store, stopped.trial, reason, clock_wall_us(), err))
		return false;
	free(stopped.values);
	loop->n_retries--;
	memmove(loop->retries + i, loop->retries + i + 1,
		(loop->n_retries - i) * sizeof(*loop->retries));
	progress_say(loop->settings->progress, "trial %lld %s", (long long)stopped.number, reason);
	return search_list_reload(&loop->searches, loop->store, loop->settings->job_id, err);
}

bool loop_add_asked(struct loop *loop, const struct asked_trial *asked, struct tuner_error *err)
{
	if (!array_reserve(
		    &loop->asked, loop->n_asked, &loop->asked_capacity, sizeof(*loop->asked)))
		return tuner_fail_memory(err);
	loop->asked[loop->n_asked++] = *asked;
	return true;
}
