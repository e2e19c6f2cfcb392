/* Records what trials have left on the disk while a job runs, and removes it according to `keep`.
 * The work to be done is in the database; the keeper's thread does the slow part, one task at a
 * time. */
#include "tuner/loop_inside.h"

#include "base/clock.h"
#include "tuner/keep.h"

#include <stdlib.h>
#include <string.h>

enum {
	REMOVALS_AT_ONCE = 100, /* decided in one transaction */
	DUE_AT_ONCE = 64, /* searched for one that can be handled */
	MEASURE_US = 10000000, /* how often running trials are measured, with keep.disk */
};

bool loop_keep_begin(struct loop *loop, struct tuner_error *err)
{
	struct keeping *keeping = &loop->keeping;

	keeping->look = keeping->due = true;
	return keeper_create(store_directory(loop->store), &keeping->keeper, err);
}

void loop_keep_tick(struct loop *loop)
{
	loop->keeping.due |= loop->keeping.awaited > 0;
}

void loop_keep_notice(struct loop *loop)
{
	struct keeping *keeping = &loop->keeping;

	keeping->look = keeping->due = true;
	/* The measurement may include what is now recorded: better to count too little for a moment
	 * than to remove too much. */
	keeping->live_bytes = 0;
	keeping->next_measure_us = 0;
	keeping->ends++;
	keeping->behind++;
}

/* Results still on another machine take no space here. */
bool loop_keep_holds(const struct loop *loop)
{
	const struct keeping *keeping = &loop->keeping;
	return keeping->full ||
	       (loop->file->keep.disk_bytes > 0 && keeping->behind - (int64_t)keeping->awaited >
							   (int64_t)pool_slots(loop->pool));
}

/* ---- results of the thread ---- */

static bool store_task(struct loop *loop, const struct keeper_task *task, struct tuner_error *err)
{
	if (!store_begin(loop->store, STORE_LAZY, err))
		return false;
	const bool ok = task->work == KEEPER_DELETE
				? manifest_removed(loop->store, task->attempt,
					  task->ok ? "" : task->err.message, err)
				: keep_record(loop->store, task->attempt, &task->found,
					  clock_wall_us(), err);
	if (!ok)
		store_rollback(loop->store);
	return ok && store_commit(loop->store, err);
}

static bool take_task(struct loop *loop, struct tuner_error *err)
{
	struct keeping *keeping = &loop->keeping;
	struct keeper_task task;
	bool ok = true;

	if (!keeper_take(keeping->keeper, &task))
		return true;
	keeping->due = keeping->look = true;
	if (task.work == KEEPER_MEASURE) {
		if (!task.ok)
			keeping->next_measure_us = clock_monotonic_us() + MEASURE_US;
		if (task.ok && task.attempt == keeping->ends) {
			keeping->live_bytes = task.bytes;
			keeping->next_measure_us = clock_monotonic_us() + MEASURE_US;
		}
	} else if (task.ok || task.work == KEEPER_DELETE) {
		keeping->behind -= task.work != KEEPER_DELETE && keeping->behind > 0;
		if (!task.ok)
			progress_say(loop->settings->progress, "warning: %s", task.err.message);
		ok = store_task(loop, &task, err);
	} else {
		*err = task.err; /* memory */
		ok = false;
	}
	keeper_task_finish(&task);
	return ok;
}

/* ---- tasks for the thread ---- */

/* Whether the trial's files will be kept: files to be removed at once need not be hashed. */
static bool is_to_stay(const struct loop *loop, int64_t number)
{
	const struct job_keep *keep = &loop->file->keep;
	const struct finished_trial *trial = search_list_trial(&loop->searches, number);

	if (keep->best == 0 || keep->last > 0 || trial == NULL ||
		search_list_done(&loop->searches) == 0)
		return true;
	if (trial->state == TRIAL_DONE && loop->file->objective.n_also > 0)
		return true; /* it may be on the Pareto front */
	if (trial->state != TRIAL_DONE)
		return outcome_is_infrastructure(trial->outcome);
	return search_list_better(&loop->searches, trial->objective) < keep->best;
}

static bool give(struct loop *loop, enum keeper_work work, int64_t attempt, const char *directories,
	struct tuner_error *err)
{
	const struct keeper_task task = {
		.work = work, .attempt = attempt, .directories = strdup(directories)
	};

	if (task.directories == NULL)
		return tuner_fail_memory(err);
	keeper_give(loop->keeping.keeper, &task);
	return true;
}

/* What can be set aside goes, whatever else cannot: of that the task's end tells. */
static bool give_removal(
	struct loop *loop, const struct manifest *manifest, struct tuner_error *err)
{
	struct keeper_task task = { .work = KEEPER_DELETE,
		.attempt = manifest->attempt,
		.directories = strdup(manifest->directory) };

	if (task.directories == NULL)
		return tuner_fail_memory(err);
	(void)!keep_set_aside(loop->store, manifest, &task.err);
	keeper_give(loop->keeping.keeper, &task);
	return true;
}

static bool give_measure(struct loop *loop, struct tuner_error *err)
{
	struct text lines = TEXT_EMPTY;
	const char *root = store_directory(loop->store);
	const size_t length = strlen(root);

	/* On a host with a directory of its own they are elsewhere, and are given by absolute
	 * path. */
	for (size_t i = 0; i < loop->n_lives; i++) {
		const char *path = loop->lives[i]->directory;
		const bool below = strncmp(path, root, length) == 0 && path[length] == '/';
		text_print(&lines, "%s\n", below ? path + length + 1 : path);
	}
	const bool ok = !text_failed(&lines) || tuner_fail_memory(err);
	const bool given = ok && give(loop, KEEPER_MEASURE, loop->keeping.ends, lines.bytes, err);
	text_finish(&lines);
	return given;
}

/* The first attempt whose files are all here; list->n if there is none. */
static size_t first_complete(struct loop *loop, const struct manifest_list *list)
{
	size_t first = list->n;

	for (size_t i = 0; i < list->n; i++)
		if (pool_is_fetching(loop->pool, list->items[i].attempt))
			loop->keeping.awaited++;
		else if (first == list->n)
			first = i;
	return first;
}

static bool give_due(
	struct loop *loop, enum manifest_state state, bool *ret_given, struct tuner_error *err)
{
	struct manifest_list list = { 0 };

	if (!manifest_due(loop->store, loop->settings->job_id, state, DUE_AT_ONCE, &list, err))
		return false;
	bool ok = true;
	const size_t i = first_complete(loop, &list);
	*ret_given = i < list.n;
	if (*ret_given && state == MANIFEST_REMOVING)
		ok = give_removal(loop, &list.items[i], err);
	else if (*ret_given)
		ok = give(loop,
			is_to_stay(loop, list.items[i].trial_number) ? KEEPER_HASH : KEEPER_SCAN,
			list.items[i].attempt, list.items[i].directory, err);
	manifest_list_finish(&list);
	return ok;
}

static bool give_task(struct loop *loop, struct tuner_error *err)
{
	struct keeping *keeping = &loop->keeping;
	bool given = false;

	if (!keeper_is_idle(keeping->keeper))
		return true;
	if (keeping->due) {
		keeping->awaited = 0;
		if (!give_due(loop, MANIFEST_REMOVING, &given, err) ||
			(!given && !give_due(loop, MANIFEST_PENDING, &given, err)))
			return false;
		keeping->due = given;
	}
	if (!given && loop->file->keep.disk_bytes > 0 && loop->phase == SEARCHING &&
		clock_monotonic_us() >= keeping->next_measure_us)
		return give_measure(loop, err);
	return true;
}

/* ---- the rule ---- */

/* In the open transaction. *ret_more: a batch was full. */
static bool decide(struct loop *loop, bool *ret_more, bool *ret_any, struct tuner_error *err)
{
	const struct job_keep *keep = &loop->file->keep;
	struct keeping *keeping = &loop->keeping;
	int64_t bytes = 0, checkpoint_bytes = 0, freed = 0;
	size_t n = 0, made = 0;

	if (!keep_remove_unkept(loop->store, loop->settings->job_id, keep, "keep.best",
		    REMOVALS_AT_ONCE, &n, err))
		return false;
	*ret_more = n == REMOVALS_AT_ONCE;
	*ret_any = n > 0;
	if (keep->disk_bytes == 0 || *ret_more)
		return true;
	if (!manifest_total(loop->store, loop->settings->job_id, &bytes, &checkpoint_bytes, err))
		return false;
	keeping->kept_bytes = bytes + checkpoint_bytes;
	const int64_t excess = keeping->kept_bytes + keeping->live_bytes - keep->disk_bytes;
	if (excess > 0 && !keep_make_room(loop->store, loop->settings->job_id, keep, excess,
				  REMOVALS_AT_ONCE, &made, &freed, err))
		return false;
	keeping->kept_bytes -= freed;
	*ret_more = made == REMOVALS_AT_ONCE;
	*ret_any |= made > 0;
	keeping->full = excess > freed && !*ret_more;
	return true;
}

static bool apply_rule(struct loop *loop, struct tuner_error *err)
{
	struct keeping *keeping = &loop->keeping;
	bool more = false, any = false;

	if (!keeping->look || (loop->file->keep.best == 0 && loop->file->keep.disk_bytes == 0))
		return true;
	if (!store_begin(loop->store, STORE_DURABLE, err))
		return false;
	if (!decide(loop, &more, &any, err)) {
		store_rollback(loop->store);
		return false;
	}
	if (any && !store_commit(loop->store, err))
		return false;
	if (!any)
		store_rollback(loop->store);
	keeping->look = more;
	keeping->due |= any;
	return true;
}

/* Held launches wait for running trials; if there are none, they would wait for ever. */
static void end_if_full(struct loop *loop)
{
	const struct keeping *keeping = &loop->keeping;
	char takes[BYTES_TEXT], allowed[BYTES_TEXT];

	if (!keeping->full || loop->n_lives > 0 || keeping->due || keeping->look ||
		loop->phase != SEARCHING || !keeper_is_idle(keeping->keeper) ||
		(loop->n_retries == 0 && !loop_may_propose(loop)))
		return;
	loop_drain(loop, EXIT_INFRASTRUCTURE, JOB_STOPPED,
		"the files that must be kept take %s, and keep.disk allows %s: raise it, or lower "
		"keep.best",
		bytes_text(keeping->kept_bytes, takes),
		bytes_text(loop->file->keep.disk_bytes, allowed));
}

static void say_if_full(struct loop *loop, bool before)
{
	char takes[BYTES_TEXT], allowed[BYTES_TEXT];

	if (loop->keeping.full && !before && loop->n_lives > 0)
		progress_say(loop->settings->progress,
			"warning: %s are on the disk, keep.disk allows %s, and nothing more may be "
			"removed: no launch until a running trial has ended",
			bytes_text(loop->keeping.kept_bytes + loop->keeping.live_bytes, takes),
			bytes_text(loop->file->keep.disk_bytes, allowed));
}

bool loop_keep_step(struct loop *loop, struct tuner_error *err)
{
	const bool was_full = loop->keeping.full;

	if (!take_task(loop, err) || !apply_rule(loop, err) || !give_task(loop, err))
		return false;
	say_if_full(loop, was_full);
	end_if_full(loop);
	return true;
}

/* ---- the end ---- */

static bool is_busy(const struct loop *loop)
{
	const struct keeping *keeping = &loop->keeping;
	return keeping->due || !keeper_is_idle(keeping->keeper) ||
	       (keeping->look && (loop->file->keep.best > 0 || loop->file->keep.disk_bytes > 0));
}

static bool is_told_to_leave(struct loop *loop)
{
	for (int signal; (signal = signals_next(&loop->signals)) != 0;)
		if (signal != SIGHUP)
			return true;
	return false;
}

bool loop_keep_finish(struct loop *loop, struct tuner_error *err)
{
	enum { SILENT_US = 2000000, LOOK_MS = 200 };
	struct keeping *keeping = &loop->keeping;
	const int64_t say_at_us = clock_monotonic_us() + SILENT_US;
	bool said = false;

	if (loop->settings->stop_only || loop->status == EXIT_INTERRUPTED ||
		loop->status == EXIT_TERMINATED)
		return true;
	loop_keep_tick(loop);
	while (loop_keep_step(loop, err)) {
		struct pollfd fds[] = { { .fd = loop->signals.fd, .events = POLLIN },
			{ .fd = keeper_descriptor(keeping->keeper), .events = POLLIN } };
		if (!is_busy(loop) || is_told_to_leave(loop))
			return true;
		if (!said && clock_monotonic_us() >= say_at_us) {
			said = true;
			progress_say(loop->settings->progress,
				"recording the files that trials have saved; Ctrl-C leaves the "
				"rest to the next run");
		}
		if (!keeper_is_idle(keeping->keeper))
			(void)poll(fds, 2, LOOK_MS);
	}
	return false;
}
