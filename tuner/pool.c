#include "tuner/pool.h"

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

bool pool_set_slots(
	struct pool *pool, size_t h, const struct slot *slots, size_t n, struct tuner_error *err)
{
	struct host *host = &pool->hosts[h];
	struct slot *copy = calloc(n + 1, sizeof(*copy));
	bool *busy = calloc(n + 1, sizeof(*busy));

	if (copy == NULL || busy == NULL) {
		free(copy);
		free(busy);
		return tuner_fail_memory(err);
	}
	if (n > 0)
		memcpy(copy, slots, n * sizeof(*copy));
	for (size_t s = 0; s < n && s < host->n_slots; s++)
		busy[s] = host->busy[s];
	free(host->slots);
	free(host->busy);
	host->slots = copy;
	host->busy = busy;
	host->n_slots = n;
	host->up = true;
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

void pool_finish(struct pool *pool)
{
	for (size_t h = 0; h < pool->n; h++) {
		pool->hosts[h].backend->ops->close(pool->hosts[h].backend);
		free(pool->hosts[h].slots);
		free(pool->hosts[h].busy);
	}
	pool->n = 0;
}

/* Whether trials may be started there. */
static bool is_open(const struct host *host)
{
	return host->up && !host->draining;
}

size_t pool_slots(const struct pool *pool)
{
	size_t n = 0;
	for (size_t h = 0; h < pool->n; h++)
		n += is_open(&pool->hosts[h]) ? pool->hosts[h].n_slots : 0;
	return n;
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
	if (place.host < pool->n && place.slot < pool->hosts[place.host].n_slots)
		pool->hosts[place.host].busy[place.slot] = busy;
}

void pool_take(struct pool *pool, struct place place)
{
	set_busy(pool, place, true);
}

void pool_leave(struct pool *pool, struct place place)
{
	set_busy(pool, place, false);
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
	return mean_time(a_host) < mean_time(b_host);
}

bool pool_choose(const struct pool *pool, struct place avoided, struct place *ret)
{
	bool found = false;
	for (size_t h = 0; h < pool->n; h++) {
		const struct host *host = &pool->hosts[h];
		for (size_t s = 0; s < host->n_slots && is_open(host); s++) {
			const struct place place = { h, s };
			if (host->busy[s] || (found && !is_better(pool, avoided, place, *ret)))
				continue;
			*ret = place;
			found = true;
		}
	}
	return found;
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
			slots_text(host->slots, host->n_slots, ret);
		if (host->draining)
			text_add(ret, " (draining)");
	}
}

void pool_bind(struct pool *pool)
{
	for (size_t i = 0; i < pool->n; i++)
		if (strcmp(pool->hosts[i].backend->ops->name, "local") == 0)
			backend_local_bind(pool->hosts[i].backend);
}
