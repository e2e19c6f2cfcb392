#include "tuner/loop_inside.h"

#include "base/clock.h"
#include "base/sha256.h"
#include "scheduler/gpu_lock.h"
#include "scheduler/gpu_totals.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LEARNT_FROM = 10000, /* attempts of earlier runs */
	OTHERS_BYTES = 1 << 30, /* on a GPU without a trial: others use it */
};

static bool is_here(const struct host *host)
{
	return strcmp(host->backend->ops->name, "local") == 0;
}

/* "GPU 0"; of another machine "GPU 0 of gpu1". */
struct gpu_label {
	char text[300];
};

static struct gpu_label label_of(const struct host *host, const struct pool_gpu *gpu)
{
	struct gpu_label label;
	snprintf(label.text, sizeof(label.text), "GPU %d%s%s", gpu->gpu.index,
		is_here(host) ? "" : " of ", is_here(host) ? "" : host->name);
	return label;
}

/* ---- packing ---- */

static void set_limits(struct loop *loop, size_t h)
{
	struct host *host = &loop->pool->hosts[h];
	for (size_t g = 0; host->entry->packs && g < host->n_gpus; g++) {
		struct pool_gpu *gpu = &host->gpus[g];
		const unsigned before = gpu->limit;
		gpu->limit = packing_limit(&loop->gpus.packing[h], gpu->gpu.memory_bytes);
		if (gpu->limit != before)
			progress_say(loop->settings->progress,
				"GPU %d of %s: %u trial%s at a time from now on", gpu->gpu.index,
				host->name, gpu->limit, gpu->limit == 1 ? "" : "s");
	}
}

static bool load_packing(struct loop *loop, size_t first, struct tuner_error *err)
{
	struct gpu_ended_list list;
	if (!gpu_ended_select(loop->store, loop->settings->job_id, LEARNT_FROM, &list, err))
		return false;
	for (size_t i = 0; i < list.n; i++) {
		const size_t h = pool_find_name(loop->pool, list.items[i].host);
		if (h >= first && h < loop->pool->n)
			packing_add(&loop->gpus.packing[h], &list.items[i]);
	}
	gpu_ended_list_finish(&list);
	for (size_t h = first; h < loop->pool->n; h++)
		set_limits(loop, h);
	return true;
}

void loop_learn_gpus(struct loop *loop, const struct live *live, const struct fate *fate)
{
	const struct exit_record *exit = &live->end.exit;
	const struct gpu_ended ended = {
		.outcome = fate->outcome,
		.together = live->gpus.together,
		.memory_peak_bytes = live->gpus.memory_peak_bytes,
		.took_us = exit->ended_us - exit->started_us,
	};
	if (live->gpus.together == 0)
		return;
	packing_add(&loop->gpus.packing[live->place.host], &ended);
	set_limits(loop, live->place.host);
}

/* ---- neighbours ---- */

static const struct gpu_use nothing_measured = { 0, 0, NAN, NAN, NAN, NAN, 0 };

static bool shares_gpu(const struct loop *loop, const struct live *a, const struct live *b)
{
	const struct pool_gpu *x, *y;
	for (size_t i = 0; (x = pool_gpu(loop->pool, a->place, i)) != NULL; i++)
		for (size_t k = 0; (y = pool_gpu(loop->pool, b->place, k)) != NULL; k++)
			if (x == y)
				return true;
	return false;
}

/* Stores that an attempt shares a GPU before it can run out of memory because of that. */
bool loop_store_neighbours(struct loop *loop, struct live *live, struct tuner_error *err)
{
	if (pool_gpu(loop->pool, live->place, 0) == NULL)
		return true;
	const int64_t together = pool_together(loop->pool, live->place) + 1;
	live->gpus = nothing_measured;
	live->gpus.together = together;
	for (size_t i = 0; i < loop->n_lives; i++) {
		struct gpu_use other = loop->lives[i]->gpus;
		if (other.together >= together || other.together == 0 ||
			!shares_gpu(loop, live, loop->lives[i]))
			continue;
		other.together = together;
		if (!gpu_use_put(loop->store, loop->lives[i]->attempt, &other, err))
			return false;
	}
	return gpu_use_put(loop->store, live->attempt, &live->gpus, err);
}

void loop_note_neighbours(struct loop *loop, struct live *live)
{
	const int64_t together = pool_together(loop->pool, live->place);
	if (together == 0)
		return;
	for (size_t i = 0; i < loop->n_lives; i++) {
		struct live *other = loop->lives[i];
		if (other->gpus.together > 0 && other->gpus.together < together &&
			shares_gpu(loop, live, other))
			other->gpus.together = together;
	}
}

bool loop_store_gpus(struct loop *loop, struct live *live, struct tuner_error *err)
{
	if (!live->gpus_changed)
		return true;
	if (!gpu_use_put(loop->store, live->attempt, &live->gpus, err))
		return false;
	live->gpus_changed = false;
	return true;
}

/* ---- samples ---- */

static struct gpu_totals totals_of(const struct gpu_use *use)
{
	return (struct gpu_totals){ .samples = use->samples,
		.utilisation_mean = use->utilisation_mean,
		.utilisation_max = use->utilisation_max,
		.power_mean_w = use->power_mean_w,
		.temperature_max_c = use->temperature_max_c,
		.memory_peak_bytes = use->memory_peak_bytes };
}

static void set_totals(struct live *live, const struct gpu_totals *totals)
{
	live->gpus = (struct gpu_use){ .together = live->gpus.together,
		.samples = totals->samples,
		.utilisation_mean = totals->utilisation_mean,
		.utilisation_max = totals->utilisation_max,
		.power_mean_w = totals->power_mean_w,
		.temperature_max_c = totals->temperature_max_c,
		.memory_peak_bytes = totals->memory_peak_bytes };
	live->gpus_changed = true;
}

static void sample(const struct loop *loop, struct live *live)
{
	struct gpu_totals totals = totals_of(&live->gpus);
	const char *uuids[SLOT_GPUS_MAX];
	const struct pool_gpu *gpu;
	size_t n = 0;

	while (n < SLOT_GPUS_MAX && (gpu = pool_gpu(loop->pool, live->place, n)) != NULL)
		uuids[n++] = gpu->gpu.uuid;
	if (gpu_totals_add(
		    &totals, loop->gpus.report, uuids, n, live->key, live->gpus.together == 1))
		set_totals(live, &totals);
}

void loop_collect_gpus(struct live *live)
{
	struct gpu_totals totals;

	if (live->gpus.together > 0 || live->directory == NULL ||
		!gpu_totals_read(live->directory, &totals))
		return;
	live->gpus.together = 1; /* as far as the engine tells: it gives a GPU to one job */
	set_totals(live, &totals);
}

/* ---- other people's work ---- */

/* Why nothing is to be started on it; "" if there is no reason. A process with an attempt's key is
 * a trial, whoever's: for those the locks decide. A process that we cannot see may be a trial's, in
 * a container. */
static void who_uses(const struct gpu_report *report, struct pool_gpu *gpu, char ret[120])
{
	const struct gpu_sample *device = gpu_report_find(report, gpu->gpu.uuid);
	const bool empty = gpu->running == 0 && gpu->left_us < report->asked_us;

	ret[0] = '\0';
	gpu->computed_on = false;
	for (size_t i = 0; i < report->n_apps; i++) {
		const struct gpu_app *app = &report->apps[i];
		if (strcmp(app->uuid, gpu->gpu.uuid) != 0 || app->key[0] != '\0' ||
			(!app->seen && !empty))
			continue;
		gpu->computed_on = true;
		snprintf(ret, 120, "process %lld is computing on it", (long long)app->pid);
		return;
	}
	if (empty && device != NULL && device->memory_used_bytes > OTHERS_BYTES)
		snprintf(ret, 120, "%lld MiB of its memory are in use",
			(long long)(device->memory_used_bytes >> 20));
}

/* Closes a GPU that has fallen off the bus or was removed: trials started on it would fail again
 * and again. Slices are not listed by the driver. */
static bool judge_gone(struct loop *loop, const struct host *host, struct pool_gpu *gpu)
{
	const bool is_there = gpu_report_find(loop->gpus.report, gpu->gpu.uuid) != NULL;
	const bool was_gone = gpu->gone;

	gpu->listed |= is_there;
	gpu->gone = gpu->listed && !is_there;
	if (gpu->gone && !was_gone)
		progress_say(loop->settings->progress,
			"%s is gone: the driver no longer lists it, and nothing more is "
			"started on it",
			label_of(host, gpu).text);
	else if (was_gone && !gpu->gone)
		progress_say(loop->settings->progress, "%s is back", label_of(host, gpu).text);
	return gpu->gone != was_gone;
}

static void judge_gpu(struct loop *loop, const struct host *host, struct pool_gpu *gpu)
{
	char why[120] = "";
	const bool was_looked_at = gpu->looked_at;

	/* No answer changes nothing. */
	if (!loop->gpus.report->ok && was_looked_at)
		return;
	if (loop->gpus.report->ok && (judge_gone(loop, host, gpu) || gpu->gone)) {
		gpu->closed = gpu->gone;
		return;
	}
	if (gpu->computed_on && !loop->gpus.report->apps_known)
		return;
	if (!host->entry->uses_busy_gpus && loop->gpus.report->ok)
		who_uses(loop->gpus.report, gpu, why);
	gpu->looked_at = true;
	if (why[0] != '\0' && (!gpu->closed || !was_looked_at))
		progress_say(loop->settings->progress,
			"%s is not used until it is free: %s (\"busy_gpus\": \"use\" uses it "
			"anyway)",
			label_of(host, gpu).text, why);
	else if (why[0] == '\0' && gpu->closed && was_looked_at)
		progress_say(
			loop->settings->progress, "%s is free again", label_of(host, gpu).text);
	if (why[0] != '\0' && (!gpu->closed || !was_looked_at))
		snprintf(gpu->why, sizeof(gpu->why), "%s", why);
	gpu->closed = why[0] != '\0';
}

/* Takes a report that has not been taken yet. */
static bool take_report(struct loop *loop, const struct host *host)
{
	if (is_here(host))
		return loop->gpus.watch != NULL &&
		       gpu_watch_take(loop->gpus.watch, loop->gpus.report);
	return host->watched && host->backend->ops->gpus(host->backend, loop->gpus.report);
}

void loop_hear_gpus(struct loop *loop)
{
	for (size_t h = 0; h < loop->pool->n; h++) {
		struct host *host = &loop->pool->hosts[h];
		if (!take_report(loop, host))
			continue;
		for (size_t g = 0; g < host->n_gpus; g++)
			judge_gpu(loop, host, &host->gpus[g]);
		for (size_t i = 0; loop->gpus.report->ok && i < loop->n_lives; i++) {
			struct live *live = loop->lives[i];
			if (live->started && !live->ended && live->gpus.together > 0 &&
				live->place.host == h)
				sample(loop, live);
		}
	}
}

/* ---- locks ---- */

/* The same name for every run of this job of this database, and for no other job. */
static void name_owner(struct loop *loop)
{
	char *path = realpath(store_path(loop->store), NULL), digits[SHA256_TEXT], uid[32];
	const char *known = path != NULL ? path : store_path(loop->store);
	struct sha256 sum;

	snprintf(uid, sizeof(uid), "%lu", (unsigned long)getuid());
	sha256_begin(&sum);
	sha256_add(&sum, uid, strlen(uid) + 1);
	sha256_add(&sum, known, strlen(known) + 1);
	sha256_add(&sum, loop->file->name, strlen(loop->file->name) + 1);
	sha256_end(&sum, digits);
	snprintf(loop->gpus.owner, sizeof(loop->gpus.owner), "%.60s@%.32s", loop->file->name,
		digits);
	free(path);
}

/* who: the owner of a lock that is taken, or why it cannot be locked. */
static enum gpu_claim claim_here(const struct loop *loop, struct pool_gpu *gpu, char who[256])
{
	char path[512], owner[GPU_OWNER_MAX];
	int fd = GPU_LOCK_NONE;
	const enum gpu_claim got =
		gpu_lock_path(loop->gpus.locks, gpu->gpu.uuid, path, sizeof(path))
			? gpu_lock_claim(path, loop->gpus.owner, &fd, owner)
			: GPU_UNLOCKABLE;

	gpu->lock = fd;
	snprintf(who, 256, "%s", got == GPU_UNLOCKABLE ? strerror(errno) : owner);
	return got;
}

static enum gpu_claim claim_there(const struct host *host, struct pool_gpu *gpu, char who[256])
{
	const enum gpu_claim got = host->backend->ops->claim_gpu(host->backend, gpu->gpu.uuid, who);

	gpu->lock = got == GPU_CLAIMED ? GPU_LOCK_THERE : GPU_LOCK_NONE;
	return got;
}

static void claim(struct loop *loop, size_t h, struct pool_gpu *gpu)
{
	const struct host *host = &loop->pool->hosts[h];
	const bool here = is_here(host), was_taken = gpu->taken;
	char who[256];
	const enum gpu_claim got = here ? claim_here(loop, gpu, who) : claim_there(host, gpu, who);

	if (got == GPU_UNLOCKABLE)
		gpu->lock = GPU_LOCK_NEEDLESS;
	if (got != GPU_CLAIM_ASKED)
		gpu->taken = got == GPU_TAKEN;
	if (got == GPU_UNLOCKABLE && !loop->gpus.lock_trouble[h]) {
		loop->gpus.lock_trouble[h] = true;
		progress_say(loop->settings->progress,
			"warning: GPUs cannot be locked %s %s (%s): another tuner may use them as "
			"well",
			here ? "in" : "on", here ? loop->gpus.locks : host->name, who);
	}
	if (gpu->taken && !was_taken) {
		snprintf(gpu->why, sizeof(gpu->why), "by job %.*s of another tuner",
			(int)strcspn(who, "@"), who);
		progress_say(loop->settings->progress,
			"%s is in use by another tuner (job %.*s): waiting for it",
			label_of(host, gpu).text, (int)strcspn(who, "@"), who);
	}
}

/* A lock there may have been lost with the connection, and is claimed anew. */
static bool needs_claim(const struct pool_gpu *gpu)
{
	return gpu->lock == GPU_LOCK_NONE || gpu->lock == GPU_LOCK_THERE;
}

/* What is claimed for nothing is kept from others for as long as the answer takes to come. One that
 * comes when the GPU is no longer wanted is given back. */
void loop_claim_gpus(struct loop *loop)
{
	const bool wanted = loop_wants_launch(loop) && loop_has_room(loop);
	for (size_t h = 0; h < loop->pool->n; h++) {
		struct host *host = &loop->pool->hosts[h];
		for (size_t g = 0; host->locks && g < host->n_gpus; g++) {
			struct pool_gpu *gpu = &host->gpus[g];
			const bool used = gpu->running > 0 || (wanted && !host->draining);
			if (needs_claim(gpu) && !gpu->closed && used)
				claim(loop, h, gpu);
			else if (!used)
				pool_release_gpu(host, gpu);
		}
	}
}

void loop_release_gpus(struct loop *loop)
{
	for (size_t h = 0; h < loop->pool->n; h++) {
		struct host *host = &loop->pool->hosts[h];
		for (size_t g = 0; g < host->n_gpus; g++)
			if (host->gpus[g].running == 0 &&
				(host->gpus[g].lock >= 0 || host->gpus[g].lock == GPU_LOCK_THERE))
				pool_release_gpu(host, &host->gpus[g]);
	}
}

/* ---- what is told of them ---- */

/* NULL: not known yet. Until it was looked at it is closed all the same. */
static const char *state_of(const struct pool_gpu *gpu)
{
	if (gpu->gone)
		return "gone";
	if (gpu->looked_at && gpu->closed)
		return "busy";
	if (gpu->taken)
		return "taken";
	return gpu->looked_at ? "free" : NULL;
}

static bool store_state(struct loop *loop, const struct host *host, struct pool_gpu *gpu,
	const char *state, struct tuner_error *err)
{
	const bool has_why = strcmp(state, "busy") == 0 || strcmp(state, "taken") == 0;

	if (!store_begin(loop->store, STORE_LAZY, err))
		return false;
	if (!gpu_event_add(loop->store, loop->settings->job_id, host->name, gpu->gpu.uuid,
		    gpu->gpu.index, gpu->gpu.name, state, has_why ? gpu->why : "", clock_wall_us(),
		    err)) {
		store_rollback(loop->store);
		return false;
	}
	gpu->stored = state;
	return store_commit(loop->store, err);
}

bool loop_store_gpu_states(struct loop *loop, struct tuner_error *err)
{
	for (size_t h = 0; h < loop->pool->n; h++) {
		const struct host *host = &loop->pool->hosts[h];

		for (size_t g = 0; g < host->n_gpus; g++) {
			const char *state = state_of(&host->gpus[g]), *was = host->gpus[g].stored;

			if (state != NULL && (was == NULL || strcmp(state, was) != 0) &&
				!store_state(loop, host, &host->gpus[g], state, err))
				return false;
		}
	}
	return true;
}

const char *loop_gpu_locks(
	const struct loop *loop, const struct live *live, const struct backend_site *remote)
{
	const struct host *host = &loop->pool->hosts[live->place.host];

	if (!host->locks)
		return NULL;
	return is_here(host) ? loop->gpus.locks : remote != NULL ? remote->gpu_locks : NULL;
}

/* ---- beginning and end ---- */

/* There is one local host at most: if it is among the new ones, nothing was watched here before. */
static bool watch_here(struct loop *loop, struct host *host, struct tuner_error *err)
{
	char *nvml = NULL;

	tuner_assert(loop->gpus.watch == NULL);
	if (!gpu_lock_directory(loop->gpus.locks, sizeof(loop->gpus.locks)))
		loop->gpus.locks[0] = '\0';
	name_owner(loop);
	host->watched = true;
	host->locks = loop->gpus.locks[0] != '\0';
	for (size_t g = 0; g < host->n_gpus; g++)
		host->gpus[g].closed = true; /* until it has been checked */
	const bool ok = find_nvml(&nvml, err) &&
			gpu_watch_create(nvml, gpu_watch_period_us(), &loop->gpus.watch, err);
	free(nvml);
	return ok;
}

bool loop_add_gpus(struct loop *loop, size_t first, struct tuner_error *err)
{
	memset(loop->gpus.packing + first, 0, (HOSTS_MAX - first) * sizeof(*loop->gpus.packing));
	if (!load_packing(loop, first, err))
		return false;
	for (size_t h = first; h < loop->pool->n; h++) {
		struct host *host = &loop->pool->hosts[h];
		if (is_here(host) && host->n_gpus > 0 && !watch_here(loop, host, err))
			return false;
		/* Which GPUs it has is known once it answers. */
		if (host->backend->ops->gpus != NULL)
			host->watched = host->locks = true;
	}
	return true;
}

bool loop_begin_gpus(struct loop *loop, struct tuner_error *err)
{
	loop->gpus.packing = calloc(HOSTS_MAX, sizeof(*loop->gpus.packing));
	loop->gpus.report = calloc(1, sizeof(*loop->gpus.report));
	if (loop->gpus.packing == NULL || loop->gpus.report == NULL)
		return tuner_fail_memory(err);
	return loop_add_gpus(loop, 0, err);
}

void loop_end_gpus(struct loop *loop)
{
	gpu_watch_destroy(loop->gpus.watch);
	free(loop->gpus.packing);
	free(loop->gpus.report);
}
