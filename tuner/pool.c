#include "tuner/pool.h"

#include "base/clock.h"
#include "scheduler/gpu_lock.h"
#include "tuner/slots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool pool_add(struct pool *pool, const struct job_host *entry, const char *name,
	struct backend *backend, struct tuner_error *err)
{
	if (pool->n == HOSTS_MAX) {
		backend->ops->close(backend);
		return tuner_fail(err, TUNER_USAGE, "a job has at most %d hosts", HOSTS_MAX);
	}
	struct host *host = &pool->hosts[pool->n++];
	*host = (struct host){ .entry = entry, .backend = backend };
	snprintf(host->name, sizeof(host->name), "%s", entry->name[0] ? entry->name : name);
	return true;
}

/* ---- GPUs ---- */

static struct pool_gpu *find_gpu(const struct host *host, const char *uuid)
{
	for (size_t g = 0; g < host->n_gpus; g++)
		if (strcmp(host->gpus[g].gpu.uuid, uuid) == 0)
			return &host->gpus[g];
	return NULL;
}

/* If trials share GPUs and none is measured yet, the first runs alone. */
static unsigned first_limit(const struct host *host, unsigned slots)
{
	return host->entry->packs ? 1 : slots;
}

/* Collects the GPUs of the new slots, keeping what is known about those that the host had before.
 * There is room. */
static void gather_gpus(const struct host *host, struct host *next)
{
	for (size_t s = 0; s < next->n_slots; s++)
		for (size_t i = 0; i < next->slots[s].n_gpus; i++) {
			const struct gpu *gpu = &next->slots[s].gpus[i];
			struct pool_gpu *known = find_gpu(next, gpu->uuid);
			if (known == NULL) {
				const struct pool_gpu *before = find_gpu(host, gpu->uuid);
				known = &next->gpus[next->n_gpus++];
				*known = before != NULL ? *before
							: (struct pool_gpu){ .lock = GPU_LOCK_NONE,
								  .closed = next->watched };
				known->gpu = *gpu;
				known->slots = known->running = 0;
			}
			known->slots++;
			known->running += next->busy[s];
		}
	for (size_t g = 0; g < next->n_gpus; g++)
		if (next->gpus[g].limit == 0 || !next->entry->packs)
			next->gpus[g].limit = first_limit(next, next->gpus[g].slots);
}

/* The backend may hold a lock of which we have not heard yet. */
void pool_release_gpu(const struct host *host, struct pool_gpu *gpu)
{
	gpu_lock_release(gpu->lock);
	if (host->backend->ops->release_gpu != NULL)
		host->backend->ops->release_gpu(host->backend, gpu->gpu.uuid);
	if (gpu->lock != GPU_LOCK_NEEDLESS)
		gpu->lock = GPU_LOCK_NONE;
}

static void release_gone(const struct host *host, const struct host *next)
{
	for (size_t g = 0; g < host->n_gpus; g++)
		if (find_gpu(next, host->gpus[g].gpu.uuid) == NULL)
			pool_release_gpu(host, &host->gpus[g]);
}

static bool same_gpus(const struct slot *a, const struct slot *b)
{
	bool same = a->n_gpus == b->n_gpus;
	for (size_t i = 0; same && i < a->n_gpus; i++)
		same = strcmp(a->gpus[i].uuid, b->gpus[i].uuid) == 0;
	return same;
}

static size_t count_gpus(const struct slot *slots, size_t n)
{
	size_t count = 0;
	for (size_t s = 0; s < n; s++)
		count += slots[s].n_gpus;
	return count;
}

bool pool_set_slots(
	struct pool *pool, size_t h, const struct slot *slots, size_t n, struct tuner_error *err)
{
	struct host *host = &pool->hosts[h];
	struct host next = *host;

	next.slots = calloc(n + 1, sizeof(*next.slots));
	next.busy = calloc(n + 1, sizeof(*next.busy));
	next.gpus = calloc(count_gpus(slots, n) + 1, sizeof(*next.gpus));
	next.n_gpus = 0;
	next.n_slots = n;
	next.up = true;
	if (next.slots == NULL || next.busy == NULL || next.gpus == NULL) {
		free(next.slots);
		free(next.busy);
		free(next.gpus);
		return tuner_fail_memory(err);
	}
	if (n > 0)
		memcpy(next.slots, slots, n * sizeof(*slots));
	for (size_t s = 0; s < n && s < host->n_slots; s++)
		next.busy[s] = host->busy[s] && same_gpus(&host->slots[s], &slots[s]);
	gather_gpus(host, &next);
	release_gone(host, &next);
	free(host->slots);
	free(host->busy);
	free(host->gpus);
	*host = next;
	return true;
}

bool pool_is_busy(const struct pool *pool)
{
	for (size_t h = 0; h < pool->n; h++) {
		struct backend *backend = pool->hosts[h].backend;
		if (backend->ops->is_busy != NULL && backend->ops->is_busy(backend))
			return true;
	}
	return false;
}

bool pool_is_fetching(const struct pool *pool, int64_t attempt)
{
	for (size_t h = 0; h < pool->n; h++) {
		struct backend *backend = pool->hosts[h].backend;
		if (backend->ops->is_fetching != NULL &&
			backend->ops->is_fetching(backend, attempt))
			return true;
	}
	return false;
}

struct backend_left pool_left(const struct pool *pool, size_t h)
{
	struct backend *backend = pool->hosts[h].backend;
	return backend->ops->left != NULL ? backend->ops->left(backend)
					  : (struct backend_left){ 0, 0 };
}

/* Call before an entry's file is destroyed, since the backend may point to it. */
static void close_hosts(struct pool *pool, size_t first)
{
	for (size_t h = first; h < pool->n; h++) {
		struct host *host = &pool->hosts[h];
		host->backend->ops->close(host->backend);
		for (size_t g = 0; g < host->n_gpus; g++)
			gpu_lock_release(host->gpus[g].lock);
		free(host->slots);
		free(host->busy);
		free(host->machine);
		free(host->gpus);
	}
	pool->n = first;
}

void pool_retract(struct pool *pool, size_t first)
{
	tuner_assert(pool->n_files > 0 && first <= pool->n);
	close_hosts(pool, first);
	job_file_destroy(pool->files[--pool->n_files]);
}

void pool_finish(struct pool *pool)
{
	close_hosts(pool, 0);
	while (pool->n_files > 0)
		job_file_destroy(pool->files[--pool->n_files]);
	free(pool->frozen);
	pool->frozen = NULL;
}

/* ---- hosts at which nothing can be launched: they would be free all the time, and take one trial after another ---- */

enum { FAILED_MAX = 2, REST_DOUBLED_MAX = 5 };
static const int64_t REST_US = 10000000;

static int64_t rest_us(const struct host *host)
{
	const unsigned more = host->failed_in_a_row - FAILED_MAX;
	return REST_US << (more < REST_DOUBLED_MAX ? more : REST_DOUBLED_MAX);
}

bool pool_distrusts(const struct pool *pool, size_t h)
{
	bool others = false;
	for (size_t i = 0; i < pool->n && !others; i++) {
		const struct host *other = &pool->hosts[i];
		others = i != h && other->up && !other->draining && other->n_slots > 0 &&
			 other->failed_in_a_row < FAILED_MAX;
	}
	return others && h < pool->n && pool->hosts[h].failed_in_a_row >= FAILED_MAX;
}

void pool_ended(struct pool *pool, size_t h, bool failed)
{
	if (h >= pool->n)
		return;
	struct host *host = &pool->hosts[h];
	host->failed_in_a_row = failed ? host->failed_in_a_row + 1 : 0;
	if (host->failed_in_a_row >= FAILED_MAX)
		host->rest_until_us = clock_monotonic_us() + rest_us(host);
}

void pool_trust(struct pool *pool, size_t h)
{
	pool->hosts[h].failed_in_a_row = 0;
	pool->hosts[h].told_failing = false;
}

/* Whether trials may be started there. */
static bool is_open(const struct pool *pool, size_t h)
{
	const struct host *host = &pool->hosts[h];
	return host->up && !host->draining &&
	       (!pool_distrusts(pool, h) || clock_monotonic_us() >= host->rest_until_us);
}

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Trials that it can run at a time: if slots have one GPU each, by the GPUs' limits; if they have
 * several, no GPU is shared. */
static size_t host_slots(const struct host *host)
{
	size_t n = 0;
	if (host->n_slots == 0 || host->slots[0].n_gpus == 0)
		return host->n_slots;
	for (size_t g = 0; g < host->n_gpus; g++)
		n += host->gpus[g].closed || host->gpus[g].taken
			     ? 0
			     : smaller(host->gpus[g].limit, host->gpus[g].slots);
	return n / host->slots[0].n_gpus;
}

size_t pool_slots(const struct pool *pool)
{
	size_t n = 0;
	for (size_t h = 0; h < pool->n; h++)
		n += is_open(pool, h) ? host_slots(&pool->hosts[h]) : 0;
	return n;
}

struct pool_gpu *pool_gpu(const struct pool *pool, struct place place, size_t i)
{
	const struct host *host = place.host < pool->n ? &pool->hosts[place.host] : NULL;
	if (host == NULL || place.slot >= host->n_slots || i >= host->slots[place.slot].n_gpus)
		return NULL;
	return find_gpu(host, host->slots[place.slot].gpus[i].uuid);
}

unsigned pool_together(const struct pool *pool, struct place place)
{
	const struct pool_gpu *gpu;
	unsigned most = 0;
	for (size_t i = 0; (gpu = pool_gpu(pool, place, i)) != NULL; i++)
		most = gpu->running > most ? gpu->running : most;
	return most;
}

bool pool_waits_for_gpu(const struct pool *pool)
{
	for (size_t h = 0; h < pool->n; h++)
		for (size_t g = 0; g < pool->hosts[h].n_gpus && is_open(pool, h); g++)
			if (pool->hosts[h].gpus[g].closed || pool->hosts[h].gpus[g].taken)
				return true;
	return false;
}

bool pool_is_up(const struct pool *pool)
{
	for (size_t h = 0; h < pool->n; h++)
		if (pool->hosts[h].up)
			return true;
	return false;
}

size_t pool_find(const struct pool *pool, const char *backend, const char *host)
{
	const bool local = strcmp(backend, "local") == 0;
	size_t h = 0;
	while (h < pool->n && (strcmp(pool->hosts[h].backend->ops->name, backend) != 0 ||
				      (!local && strcmp(pool->hosts[h].name, host) != 0)))
		h++;
	return h;
}

size_t pool_find_name(const struct pool *pool, const char *name)
{
	size_t h = 0;
	while (h < pool->n && strcmp(pool->hosts[h].name, name) != 0)
		h++;
	return h;
}

static void set_busy(struct pool *pool, struct place place, bool busy)
{
	struct pool_gpu *gpu;
	if (place.host >= pool->n || place.slot >= pool->hosts[place.host].n_slots ||
		pool->hosts[place.host].busy[place.slot] == busy)
		return;
	pool->hosts[place.host].busy[place.slot] = busy;
	for (size_t i = 0; (gpu = pool_gpu(pool, place, i)) != NULL; i++) {
		gpu->running += busy ? 1 : -1u;
		gpu->alone = gpu->alone && gpu->running > 0;
		if (!busy)
			gpu->left_us = clock_monotonic_us();
	}
}

void pool_take(struct pool *pool, struct place place)
{
	set_busy(pool, place, true);
	if (pool_distrusts(
		    pool, place.host)) /* the next one only when it has ended, or has run for a
					  while */
		pool->hosts[place.host].rest_until_us =
			clock_monotonic_us() + rest_us(&pool->hosts[place.host]);
}

void pool_leave(struct pool *pool, struct place place)
{
	set_busy(pool, place, false);
}

void pool_seclude(struct pool *pool, struct place place)
{
	struct pool_gpu *gpu;
	for (size_t i = 0; (gpu = pool_gpu(pool, place, i)) != NULL; i++)
		gpu->alone = true;
}

/* The GPU with the fewest trials, among those on which trials may be started. */
static struct pool_gpu *emptiest(const struct pool *pool)
{
	struct pool_gpu *ret = NULL;
	for (size_t h = 0; h < pool->n; h++)
		for (size_t g = 0; g < pool->hosts[h].n_gpus && is_open(pool, h); g++) {
			struct pool_gpu *gpu = &pool->hosts[h].gpus[g];
			if (gpu->closed || gpu->taken)
				continue;
			if (gpu->reserved)
				return gpu;
			if (ret == NULL || gpu->running < ret->running)
				ret = gpu;
		}
	return ret;
}

void pool_reserve(struct pool *pool)
{
	struct pool_gpu *gpu = emptiest(pool);
	pool_unreserve(pool);
	if (gpu != NULL)
		gpu->reserved = true;
}

void pool_unreserve(struct pool *pool)
{
	for (size_t h = 0; h < pool->n; h++)
		for (size_t g = 0; g < pool->hosts[h].n_gpus; g++)
			pool->hosts[h].gpus[g].reserved = false;
}

/* Microseconds; 0 without a measured trial. */
static double mean_time(const struct host *host)
{
	return host->n_timed > 0 ? (double)host->timed_us / (double)host->n_timed : 0;
}

/* Whether a is the better choice than b, both being free. */
static bool is_better(const struct pool *pool, struct place avoided, struct place a, struct place b)
{
	const bool a_avoided = a.host == avoided.host, b_avoided = b.host == avoided.host;
	if (a_avoided != b_avoided)
		return b_avoided;
	if (a_avoided && (a.slot == avoided.slot) != (b.slot == avoided.slot))
		return b.slot == avoided.slot;
	const struct host *a_host = &pool->hosts[a.host], *b_host = &pool->hosts[b.host];
	if (a_host->entry->priority != b_host->entry->priority)
		return a_host->entry->priority > b_host->entry->priority;
	if (mean_time(a_host) != mean_time(b_host))
		return mean_time(a_host) < mean_time(b_host);
	/* The trials of a host spread over its GPUs. */
	return a.host == b.host && pool_together(pool, a) < pool_together(pool, b);
}

/* Whether each of its GPUs accepts one more trial; with `alone`, only if it is empty. */
static bool is_free(const struct pool *pool, struct place place, bool alone)
{
	const struct host *host = &pool->hosts[place.host];
	const struct pool_gpu *gpu;
	if (host->busy[place.slot])
		return false;
	for (size_t i = 0; (gpu = pool_gpu(pool, place, i)) != NULL; i++)
		if (gpu->closed || (host->locks && gpu->lock == GPU_LOCK_NONE) || gpu->alone ||
			gpu->running >= gpu->limit || (alone ? gpu->running > 0 : gpu->reserved))
			return false;
	return true;
}

static bool choose(const struct pool *pool, struct place avoided, bool alone, struct place *ret)
{
	bool found = false;
	for (size_t h = 0; h < pool->n; h++) {
		const struct host *host = &pool->hosts[h];
		for (size_t s = 0; s < host->n_slots && is_open(pool, h); s++) {
			const struct place place = { h, s };
			if (!is_free(pool, place, alone) ||
				(found && !is_better(pool, avoided, place, *ret)))
				continue;
			*ret = place;
			found = true;
		}
	}
	return found;
}

bool pool_choose(const struct pool *pool, struct place avoided, struct place *ret)
{
	return choose(pool, avoided, false, ret);
}

bool pool_choose_alone(const struct pool *pool, struct place avoided, struct place *ret)
{
	return choose(pool, avoided, true, ret);
}

void pool_timed(struct pool *pool, size_t host, int64_t took_us)
{
	if (host >= pool->n || took_us <= 0)
		return;
	pool->hosts[host].n_timed++;
	pool->hosts[host].timed_us += took_us;
}

size_t pool_descriptors(const struct pool *pool, struct pollfd *ret_fds, size_t size)
{
	size_t n = 0;
	for (size_t h = 0; h < pool->n; h++) {
		struct backend *backend = pool->hosts[h].backend;
		n += backend->ops->descriptors(backend, ret_fds + n, size - n);
	}
	return n;
}

int pool_wait_ms(const struct pool *pool)
{
	int wait_ms = -1;
	for (size_t h = 0; h < pool->n; h++) {
		struct backend *backend = pool->hosts[h].backend;
		const int its = backend->ops->wait_ms(backend);
		if (its >= 0 && (wait_ms < 0 || its < wait_ms))
			wait_ms = its;
	}
	return wait_ms;
}

bool pool_next(const struct pool *pool, struct backend_event *ret, size_t *ret_host, bool *ret_got,
	struct tuner_error *err)
{
	*ret_got = false;
	for (size_t h = 0; h < pool->n && !*ret_got; h++) {
		struct backend *backend = pool->hosts[h].backend;
		if (!backend->ops->next(backend, ret, ret_got, err))
			return false;
		*ret_host = h;
	}
	return true;
}

void pool_text(const struct pool *pool, struct text *ret)
{
	for (size_t h = 0; h < pool->n; h++) {
		const struct host *host = &pool->hosts[h];
		if (pool->n > 1)
			text_print(ret, "%s%s: ", h > 0 ? "; " : "", host->name);
		if (!host->up)
			text_add(ret, "not reached yet");
		else if (host->n_slots == 0)
			text_add(ret, "no slot");
		else
			slots_text(host->slots, host->n_slots, host->entry->packs, ret);
		if (host->draining)
			text_add(ret, " (draining)");
	}
}

void pool_bind(struct pool *pool)
{
	pool->bound = true;
	for (size_t i = 0; i < pool->n; i++)
		if (strcmp(pool->hosts[i].backend->ops->name, "local") == 0)
			backend_local_bind(pool->hosts[i].backend);
}
