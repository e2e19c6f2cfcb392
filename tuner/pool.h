/* The hosts of a job, each behind its backend, and the places at which its trials can run. */
#ifndef TUNER_POOL_H
#define TUNER_POOL_H

#include "scheduler/backend.h"
#include "tuner/jobfile.h"

enum { HOSTS_MAX = 64 };

/* One slot of one host, by their indices. */
struct place {
	size_t host, slot;
};

/* Nowhere in particular. */
#define NO_PLACE ((struct place){ HOSTS_MAX, SLOTS_MAX })

struct host {
	char name[256]; /* as attempt rows and reports name it */
	struct backend *backend; /* owned */
	struct slot *slots; /* owned; none while nothing is to be started there */
	bool *busy; /* owned; by slot */
	size_t n_slots;
	bool draining; /* what runs there ends there, and nothing is started any more */
	int64_t n_timed, timed_us; /* trials that gave an objective there, and what they took */
};

struct pool {
	struct host hosts[HOSTS_MAX];
	size_t n;
};

/* Takes over `backend`, which is closed after a failure, too. TUNER_USAGE beyond HOSTS_MAX. */
TUNER_MUST_CHECK
bool pool_add(struct pool *pool, const char *name, struct backend *backend,
	const struct slot *slots, size_t n_slots, struct tuner_error *err);

/* This machine, with the supervisor of this program. */
TUNER_MUST_CHECK
bool pool_add_local(
	struct pool *pool, const struct slot *slots, size_t n_slots, struct tuner_error *err);

/* Closes the backends; what runs lives on. */
void pool_finish(struct pool *pool);

/* Slots of all hosts at which trials may be started, busy ones included. */
size_t pool_slots(const struct pool *pool);

/* A trial occupies the place, and leaves it. One whose slot is no longer there needs neither. */
void pool_take(struct pool *pool, struct place place);
void pool_leave(struct pool *pool, struct place place);

/* The host of an attempt's row: a local one whatever this machine was called then. pool->n: it is not
 * among them. */
size_t pool_find(const struct pool *pool, const char *backend, const char *host);

/* A free place: on the host whose trials took the least time so far (one without a measured trial first),
 * but not on the host of `avoided`, or at least not at `avoided` itself, unless there is no other. False if
 * all are busy. */
bool pool_choose(const struct pool *pool, struct place avoided, struct place *ret);

/* A trial at this host gave an objective, and took so long. */
void pool_timed(struct pool *pool, size_t host, int64_t took_us);

/* As the backend's, over all hosts. */
size_t pool_descriptors(const struct pool *pool, struct pollfd *ret_fds, size_t size);
int pool_wait_ms(const struct pool *pool);
TUNER_MUST_CHECK
bool pool_next(
	const struct pool *pool, struct backend_event *ret, bool *ret_got, struct tuner_error *err);

#endif
