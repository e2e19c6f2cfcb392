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
	const struct job_host *entry; /* of the job file */
	struct backend *backend; /* owned */
	struct slot *slots; /* owned */
	bool *busy; /* owned; by slot */
	size_t n_slots;
	bool up; /* it answers; one that does not keeps its slots, and what runs there */
	bool draining; /* what runs there ends there, and nothing is started any more */
	int64_t n_timed, timed_us; /* trials that gave an objective there, and what they took */
};

struct pool {
	struct host hosts[HOSTS_MAX];
	size_t n;
};

/* A host without slots so far, which is not up. `name`: where the entry gives none. Takes over `backend`,
 * which is closed after a failure, too. TUNER_USAGE beyond HOSTS_MAX. */
TUNER_MUST_CHECK
bool pool_add(struct pool *pool, const struct job_host *entry, const char *name,
	struct backend *backend, struct tuner_error *err);

/* The host is up, and gives these. Slots that it had before and no longer has are forgotten; busy ones of the
 * others stay so. */
TUNER_MUST_CHECK
bool pool_set_slots(struct pool *pool, size_t host, const struct slot *slots, size_t n,
	struct tuner_error *err);

/* The hosts of a job file, with the supervisor of this program. `db`: the database's path, beside which
 * attempts have their directories. What is known at once gets its slots; the
 * others come up later. *ret_note (300 bytes) as slot_list's. To end what runs (`starts` false) nothing is
 * looked for, and no host gets slots. */
TUNER_MUST_CHECK
bool pool_open(struct pool *pool, const struct job_file *file, const char *db, bool starts,
	char ret_note[300], struct tuner_error *err);

/* Frozen code (job_code.h) is sent in the place of the working directory. Before the loop begins. */
TUNER_MUST_CHECK
bool pool_freeze(struct pool *pool, const char *code, struct tuner_error *err);

/* Whether any host still sends what ended trials have left. */
bool pool_is_busy(const struct pool *pool);

/* Whether what this attempt has left is still on its way. */
bool pool_is_fetching(const struct pool *pool, int64_t attempt);

/* Closes the backends; what runs lives on. */
void pool_finish(struct pool *pool);

/* What is started on this machine from now on ends when this process dies (--orphans stop). */
void pool_bind(struct pool *pool);

/* Slots of the hosts at which trials may be started, busy ones included. */
size_t pool_slots(const struct pool *pool);

/* Whether any host answers. */
bool pool_is_up(const struct pool *pool);

/* A trial occupies the place, and leaves it. One whose slot is no longer there needs neither. */
void pool_take(struct pool *pool, struct place place);
void pool_leave(struct pool *pool, struct place place);

/* The host of an attempt's row: a local one whatever this machine was called then. pool->n: it is not
 * among them. */
size_t pool_find(const struct pool *pool, const char *backend, const char *host);

/* By its name alone; pool->n likewise. */
size_t pool_find_name(const struct pool *pool, const char *host);

/* A free place: not on the host of `avoided`, or at least not at `avoided` itself, unless there is no other;
 * of the highest priority; on the host whose trials took the least time so far (one without a measured trial
 * first). False if all are busy. */
bool pool_choose(const struct pool *pool, struct place avoided, struct place *ret);

/* A trial at this host gave an objective, and took so long. */
void pool_timed(struct pool *pool, size_t host, int64_t took_us);

/* As the backend's, over all hosts. */
size_t pool_descriptors(const struct pool *pool, struct pollfd *ret_fds, size_t size);
int pool_wait_ms(const struct pool *pool);
TUNER_MUST_CHECK
bool pool_next(const struct pool *pool, struct backend_event *ret, size_t *ret_host, bool *ret_got,
	struct tuner_error *err);

/* "2 slots: 1 core each"; with several hosts "local: 2 slots: 1 core each; gpu1: not reached yet". */
void pool_text(const struct pool *pool, struct text *ret);

#endif
