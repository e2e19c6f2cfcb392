#include "tuner/loop_inside.h"

#include "base/clock.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

void plan_finish(struct plan *plan)
{
	if (plan->retried)
		free(plan->retry.values);
	else
		proposal_finish(&plan->proposal);
	live_destroy(plan->live);
	free(plan->relative);
	*plan = (struct plan){ 0 };
}

/* How many trials of one search may run at a time. */
static size_t search_slots(const struct loop *loop)
{
	const size_t n = pool_slots(loop->pool), parallel = (size_t)loop->file->budget.parallel;
	const size_t all = parallel > 0 && parallel < n ? parallel : n;
	return (all + loop->searches.n - 1) / loop->searches.n;
}

static bool propose(struct loop *loop, struct plan *plan, struct tuner_error *err)
{
	const struct search *search = plan->search;
	const size_t n_pending = loop->n_lives + loop->n_retries + loop->n_asked;
	const int64_t now_us = clock_wall_us();
	struct pending *pending = calloc(n_pending + 1, sizeof(*pending));
	struct queued queued = { 0 };
	bool found = false, ok = false;
	int64_t limit;
	size_t n = 0;

	if (pending == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < loop->n_lives; i++)
		if (loop->lives[i]->search == search)
			pending[n++] =
				(struct pending){ loop->lives[i]->number, loop->lives[i]->values };
	for (size_t i = 0; i < loop->n_retries; i++)
		if (loop->retries[i].search == search)
			pending[n++] = (struct pending){ loop->retries[i].number,
				loop->retries[i].values };
	for (size_t i = 0; i < loop->n_asked; i++)
		if (loop->asked[i].until_us == 0 || now_us < loop->asked[i].until_us)
			pending[n++] =
				(struct pending){ loop->asked[i].number, loop->asked[i].values };
	if (!queue_next(loop->store, loop->settings->job_id, search->arm, search->repeat, &queued,
		    &found, err) ||
		!loop_proposal_limit(loop, search, &limit, err))
		goto out;
	const struct queued *given = found ? &queued : NULL;
	const struct proposal_terms terms = { .parallel = search_slots(loop), .work_limit = limit };
	ok = limit < 0 ? proposal_make(&search->proposer, &search->history, pending, n, given,
				 search_slots(loop), &plan->proposal, err)
		       : proposal_make_under(&search->proposer, &search->history, pending, n, given,
				 &terms, &plan->proposal, err);
out:
	if (found)
		queued_finish(&queued);
	free(pending);
	return ok;
}

/* A waiting retry comes first, then the queue, then the strategy. */
bool loop_plan(struct loop *loop, struct plan *plan, struct tuner_error *err)
{
	struct live *live = calloc(1, sizeof(*live));
	if (live == NULL)
		return tuner_fail_memory(err);
	plan->live = live;
	live->values = calloc(loop->file->space.d + 1, sizeof(*live->values));
	if (live->values == NULL)
		return tuner_fail_memory(err);
	const double *values;
	struct place avoided = NO_PLACE;
	bool alone = false;
	plan->retried = loop_take_retry(loop, &plan->retry);
	if (plan->retried) {
		plan->search = plan->retry.search;
		live->trial = plan->retry.trial;
		live->arm_number = plan->retry.arm_number;
		live->number = plan->retry.number;
		live->attempt_number = plan->retry.attempts + 1;
		avoided = plan->retry.last;
		alone = wants_to_be_alone(&plan->retry);
		live->before = plan->retry.before;
		live->trial_started_us = plan->retry.trial_started_us;
		memcpy(live->branch, plan->retry.branch, sizeof(live->branch));
		values = plan->retry.values;
	} else {
		plan->search = search_next(&loop->searches);
		if (!propose(loop, plan, err))
			return false;
		if (plan->proposal.exhausted) {
			plan->search->exhausted = true;
			plan_finish(plan);
			return true;
		}
		live->attempt_number = 1;
		live->arm_number = plan->search->history.created + 1;
		snprintf(live->branch, sizeof(live->branch), "%s", plan->proposal.decision.branch);
		values = plan->proposal.values;
	}
	tuner_assert(alone ? pool_choose_alone(loop->pool, avoided, &live->place)
			   : pool_choose(loop->pool, avoided, &live->place));
	live->wants_gpu_alone = alone;
	live->search = plan->search;
	live->repeat = plan->search != NULL ? plan->search->repeat : 0;
	plan->planned = true;
	memcpy(live->values, values, loop->file->space.d * sizeof(*values));
	if (!plan->retried)
		loop_find_donor(loop, plan);
	return attempt_new_key(live->key, err);
}

bool slot_gpus_json(const struct slot *slot, struct text *ret)
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

/* Relative to the database's directory. Absolute if the host has a directory of its own, in which
 * other databases may have a job of this name; the job's creation time then distinguishes them. */
static char *attempt_place(const struct loop *loop, const struct live *live, const struct job *job)
{
	const struct job_host *entry = loop->pool->hosts[live->place.host].entry;
	struct text name = TEXT_EMPTY;

	if (entry->slurm == NULL || entry->slurm->directory == NULL)
		return attempt_relative_directory(
			loop->file->name, live->number, live->attempt_number);
	text_print(&name, "%s-%llx", loop->file->name, (unsigned long long)job->created_us);
	char *relative = attempt_relative_directory(name.bytes, live->number, live->attempt_number);
	char *path = relative ? path_join(entry->slurm->directory, relative) : NULL;
	free(relative);
	text_finish(&name);
	return path;
}

bool loop_store_trial(struct loop *loop, struct plan *plan, int64_t now_us, const struct job *job,
	struct tuner_error *err)
{
	struct live *live = plan->live;
	double values[SPACE_PARAMETERS_MAX];
	int64_t arm_number;
	bool capped = false;

	configuration_stored_values(loop->file, live->values, values);
	const struct trial_new trial = {
		.job_id = loop->settings->job_id,
		.arm = plan->search->arm,
		.repeat = plan->search->repeat,
		.space_version = job->space_version,
		.objective_version = job->objective_version,
		.values = values,
		.d = loop->file->space.d,
		.parameters = plan->proposal.parameters.bytes,
		.queued = plan->proposal.queued,
	};
	if (!trial_create(loop->store, &trial, &plan->proposal.decision, now_us, &live->trial,
		    &live->number, &arm_number, &capped, err))
		return false;
	tuner_assert(!capped && arm_number == live->arm_number);
	return true;
}

/* The intent: rows of trial, decision and attempt, in the open transaction. */
bool loop_store_plan(struct loop *loop, struct plan *plan, int64_t now_us, const struct job *job,
	struct tuner_error *err)
{
	struct live *live = plan->live;
	const struct host *host = &loop->pool->hosts[live->place.host];
	struct text gpus = TEXT_EMPTY;
	bool ok = false;

	if (!plan->retried && !loop_store_trial(loop, plan, now_us, job, err))
		goto out;
	plan->relative = attempt_place(loop, live, job);
	live->directory =
		plan->relative ? path_join(store_directory(loop->store), plan->relative) : NULL;
	if (live->directory == NULL || !slot_gpus_json(&host->slots[live->place.slot], &gpus)) {
		tuner_fail_memory(err);
		goto out;
	}
	const struct attempt_new attempt = {
		.trial_id = live->trial,
		.key = live->key,
		.backend = host->backend->ops->name,
		.host = host->name,
		.gpus = gpus.bytes,
		.directory = plan->relative,
		.slot = (int64_t)live->place.slot,
	};
	ok = attempt_create(loop->store, &attempt, now_us, &live->attempt, err) &&
	     loop_store_neighbours(loop, live, err) && loop_store_provenance(loop, live, err);
out:
	text_finish(&gpus);
	return ok;
}

struct launch_site loop_site(const struct loop *loop, const struct live *live,
	struct backend_site *remote, bool *ret_ready)
{
	static const struct slot gone = { .cores = 1 };
	const struct host *host = &loop->pool->hosts[live->place.host];
	const size_t slot = live->place.slot;
	const bool is_here = host->backend->ops->site == NULL;

	*ret_ready = is_here || host->backend->ops->site(host->backend, remote);
	return (struct launch_site){ loop->file, host->name,
		slot < host->n_slots ? &host->slots[slot] : &gone,
		loop->settings->working_directory, host->entry,
		!is_here && *ret_ready ? remote : NULL,
		loop_gpu_locks(loop, live, !is_here && *ret_ready ? remote : NULL),
		is_here      ? loop->gpus.owner
		: *ret_ready ? remote->gpu_owner
			     : NULL };
}

/* A launch that failed before anything ran is handled like any other end. */
void live_end_unlaunched(struct live *live, const struct tuner_error *why)
{
	live->ended = true;
	live->end = (struct backend_event){ .kind = BACKEND_FAILED, .attempt = live->attempt };
	snprintf(live->end.message, sizeof(live->end.message), "%.250s", why->message);
}

bool loop_load_series(struct loop *loop, struct live *live, struct tuner_error *err)
{
	if (live->attempt_number == 1 && live->stored_offset == 0)
		return true;
	if (!objective_curves_load(&live->curves, &loop->file->objective, loop->file->metric,
		    loop->store, live->trial, err))
		return false;
	objective_curves_renew(&live->curves, live->attempt_number);
	return true;
}

bool loop_make_way(struct loop *loop, const struct live *live, struct tuner_error *err)
{
	char *moved;
	if (!launch_make_way(live->directory, live->attempt_number, &moved, err))
		return false;
	if (moved != NULL)
		progress_say(loop->settings->progress,
			"warning: the directory of trial %lld belonged to another database; it was "
			"moved to %s",
			(long long)live->number, moved);
	free(moved);
	return true;
}

/* After the commit: starts what was planned. A launch that fails is an end, not an error. */
bool loop_launch(struct loop *loop, struct live *live, struct tuner_error *err)
{
	struct tuner_error failed = { TUNER_OK, "" };
	struct backend_site remote;
	bool ready;
	const struct launch_site site = loop_site(loop, live, &remote, &ready);
	struct backend *backend = loop_backend(loop, live);
	tuner_assert(ready); /* only a host that is up has places */
	live->launched_us = clock_monotonic_us();
	if (!loop_load_series(loop, live, err) ||
		!scraper_create(loop->patterns, 0, NULL, &live->scraper, err))
		return false;
	if (!loop_make_way(loop, live, &failed) || !launch_prepare(&site, live, &failed) ||
		!backend->ops->start(backend, live->attempt, live->directory, live->key, &failed))
		live_end_unlaunched(live, &failed);
	return loop_ask_witness(loop, live, err);
}
