/* The hosts of a job, each behind its backend, and the places at which its trials can run. */
#ifndef TUNER_POOL_H
#define TUNER_POOL_H

#include "scheduler/backend.h"
#include "tuner/jobfile.h"

/* One slot of one host, by their indices. */
struct place {
	size_t host, slot;
};

/* Nowhere in particular. */
#define NO_PLACE ((struct place){ HOSTS_MAX, SLOTS_MAX })

/* A GPU of a host, which several of its slots may name. A slot is free only if each of its GPUs takes one more. */
struct pool_gpu {
	struct gpu gpu;
	unsigned slots, running; /* that name it; of these busy */
	unsigned
		limit; /* trials that may be on it at a time; 1 at first where it is packed by measurement */
	bool closed; /* others use it: nothing is started on it */
	bool looked_at; /* to see whether they do */
	bool computed_on; /* by a process that is no trial, when we were last told who computes */
	bool listed; /* the driver has listed it since we look */
	bool gone; /* and no longer does: nothing is started on it (`closed`) */
	bool taken; /* another `tuner` has its lock */
	bool alone; /* what runs on it wants no neighbour */
	bool reserved; /* nothing more is started on it until such a one is */
	int lock; /* gpu_lock.h; GPU_LOCK_NONE, GPU_LOCK_NEEDLESS */
	int64_t left_us; /* monotonic: when a trial left it last */
};

enum {
	GPU_LOCK_NONE =
		-1, /* not held: nothing is started on it where the host's GPUs are locked */
	GPU_LOCK_NEEDLESS = -2, /* it cannot be locked */
};

struct host {
	char name[256]; /* as attempt rows and reports name it */
	const struct job_host *entry; /* of the job file */
	struct backend *backend; /* owned */
	struct slot *slots; /* owned */
	bool *busy; /* owned; by slot */
	size_t n_slots;
	struct pool_gpu *gpus; /* owned; those that its slots name */
	size_t n_gpus;
	bool locks; /* its GPUs are taken under a lock */
	bool up; /* it answers; one that does not keeps its slots, and what runs there */
	bool draining; /* what runs there ends there, and nothing is started any more */
	int64_t n_timed, timed_us; /* trials that gave an objective there, and what they took */
	unsigned failed_in_a_row; /* attempts, by its own fault */
	int64_t rest_until_us; /* monotonic; of one that is not trusted */
	bool told_failing;
};

/* A host keeps its index as long as the pool lives. */
struct pool {
	struct host hosts[HOSTS_MAX];
	size_t n;
	struct job_file *files[HOSTS_MAX]; /* of hosts that came later; owned */
	size_t n_files;
	char *frozen; /* owned; NULL: what hosts are sent is the working directory */
	bool bound; /* --orphans stop */
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

/* Adds the entries of `file` from `from` on to the hosts of a job that runs, as if they had been there from the
 * start: with what pool_freeze and pool_bind have done for the others. `file` is of the same job; the pool takes it
 * over and destroys it with itself, or at once after a failure, when the pool is as before. db and ret_note: as
 * pool_open's. */
TUNER_MUST_CHECK
bool pool_extend(struct pool *pool, struct job_file *file, size_t from, const char *db,
	char ret_note[300], struct tuner_error *err);

/* Undoes the last pool_extend, after which the pool had hosts from `first` on. Nothing runs there. */
void pool_retract(struct pool *pool, size_t first);

/* Frozen code (job_code.h) is sent in the place of the working directory. Before the loop begins. */
TUNER_MUST_CHECK
bool pool_freeze(struct pool *pool, const char *code, struct tuner_error *err);

/* Whether any host still sends what ended trials have left. */
bool pool_is_busy(const struct pool *pool);

/* Whether what this attempt has left is still on its way. */
bool pool_is_fetching(const struct pool *pool, int64_t attempt);

/* What a host still has. */
struct backend_left pool_left(const struct pool *pool, size_t host);

/* Closes the backends; what runs lives on. */
void pool_finish(struct pool *pool);

/* What is started on this machine from now on ends when this process dies (--orphans stop). */
void pool_bind(struct pool *pool);

/* Trials that may run at a time on the hosts at which any may be started, busy places included. */
size_t pool_slots(const struct pool *pool);

/* Whether a host in use has GPUs that others hold. */
bool pool_waits_for_gpu(const struct pool *pool);

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

/* Likewise, but on GPUs that nothing else runs on. */
bool pool_choose_alone(const struct pool *pool, struct place avoided, struct place *ret);

/* The trial that was put there gets no neighbour on its GPUs until it leaves. */
void pool_seclude(struct pool *pool, struct place place);

/* Nothing more is started on one GPU, that with the fewest trials on it, so that a trial that wants to be alone has
 * its turn; and no longer. */
void pool_reserve(struct pool *pool); /* the same one again, as long as it can be used */
void pool_unreserve(struct pool *pool);

/* The GPUs of a host's slot, one after the other; NULL behind the last. */
struct pool_gpu *pool_gpu(const struct pool *pool, struct place place, size_t i);

/* Trials on the GPU of the place that has the most of them; 0: it has no GPU. */
unsigned pool_together(const struct pool *pool, struct place place);

/* A trial at this host gave an objective, and took so long. */
void pool_timed(struct pool *pool, size_t host, int64_t took_us);

/* An attempt at this host has ended: it could not be launched there, or found the disk full (`failed`), or could.
 * A host at which two in a row have failed is not trusted: as long as another one can be used nothing is started there for
 * a while (10 s, then twice as long each time, up to 5 minutes), and then one trial, until one could be launched. */
void pool_ended(struct pool *pool, size_t host, bool failed);

/* Whether it is such a host, and there is another one. */
bool pool_distrusts(const struct pool *pool, size_t host);

/* It has been mended, or may have been. */
void pool_trust(struct pool *pool, size_t host);

/* As the backend's, over all hosts. */
size_t pool_descriptors(const struct pool *pool, struct pollfd *ret_fds, size_t size);
int pool_wait_ms(const struct pool *pool);
TUNER_MUST_CHECK
bool pool_next(const struct pool *pool, struct backend_event *ret, size_t *ret_host, bool *ret_got,
	struct tuner_error *err);

/* "2 slots: 1 core each"; with several hosts "local: 2 slots: 1 core each; gpu1: not reached yet". */
void pool_text(const struct pool *pool, struct text *ret);

#endif
