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

/* A GPU of a host, which several of its slots may use. A slot is free only if each of its GPUs
 * accepts one more trial. */
struct pool_gpu {
	struct gpu gpu;
	unsigned slots, running; /* slots that use it; of these, busy ones */
	unsigned limit; /* trials that may run on it at a time; 1 at first if packed by
			  measurement */
	bool closed; /* other programs use it: nothing is started on it */
	bool looked_at; /* watched for other programs */
	bool computed_on; /* by a process that is not a trial, according to the last report on
			     processes */
	bool listed; /* the driver has listed it since we watch */
	bool gone; /* the driver no longer lists it: nothing is started on it (`closed`) */
	bool taken; /* another `tuner` holds its lock */
	bool alone; /* the trial on it must not get a neighbour */
	bool reserved; /* nothing is started on it until a trial that must be alone is */
	int lock; /* gpu_lock.h; GPU_LOCK_NONE, GPU_LOCK_NEEDLESS, GPU_LOCK_THERE */
	int64_t left_us; /* monotonic: when a trial last left it */
	char why[300]; /* as of the last look or claim: why it is closed or taken */
	const char *stored; /* the state in the database; NULL: none of this run yet */
};

enum {
	GPU_LOCK_NONE = -1, /* not held: nothing is started on it if the host's GPUs are locked */
	GPU_LOCK_NEEDLESS = -2, /* it cannot be locked */
	GPU_LOCK_THERE = -3, /* the backend holds it on another machine */
};

struct host {
	char name[256]; /* as in attempt rows and reports */
	const struct job_host *entry; /* of the job file */
	struct backend *backend; /* owned */
	struct machine *machine; /* owned; what this machine has, as it was looked at; NULL: not
				    looked at, or another machine, which its backend knows */
	struct slot *slots; /* owned */
	bool *busy; /* owned; by slot */
	size_t n_slots;
	struct pool_gpu *gpus; /* owned; those that its slots use */
	size_t n_gpus;
	bool watched; /* its GPUs are reported on: none is used before the first report */
	bool locks; /* its GPUs are used only under a lock */
	bool up; /* it answers; a host that does not keeps its slots and its running trials */
	bool draining; /* its trials run to their end, and nothing more is started */
	int64_t n_timed, timed_us; /* trials that gave an objective there, and their total time */
	unsigned failed_in_a_row; /* attempts that failed through the host's fault */
	int64_t rest_until_us; /* monotonic; for a host that is not trusted: nothing is started
				  before */
	bool told_failing;
};

/* A host keeps its index as long as the pool lives. */
struct pool {
	struct host hosts[HOSTS_MAX];
	size_t n;
	struct job_file *files[HOSTS_MAX]; /* of hosts added later; owned */
	size_t n_files;
	char *frozen; /* owned: frozen code to send to hosts; NULL: the working directory is sent */
	bool bound; /* --orphans stop */
};

/* Adds a host, without slots so far and not up. `name` is used if the entry gives none. Takes over
 * `backend`, which is closed also after a failure. TUNER_USAGE beyond HOSTS_MAX. */
TUNER_MUST_CHECK
bool pool_add(struct pool *pool, const struct job_host *entry, const char *name,
	struct backend *backend, struct tuner_error *err);

/* The host is up and has these slots. Slots that it no longer has, or that have other GPUs now, are
 * forgotten; busy slots among the others stay busy. */
TUNER_MUST_CHECK
bool pool_set_slots(struct pool *pool, size_t host, const struct slot *slots, size_t n,
	struct tuner_error *err);

/* The hosts of a job file, with the supervisor of this program. `db`: the database's path, beside
 * which attempts have their directories. Hosts whose slots are known at once get them; the others
 * come up later. *ret_note (300 bytes): as slot_list's. With `starts` false, to end what runs,
 * nothing is looked for and no host gets slots. */
TUNER_MUST_CHECK
bool pool_open(struct pool *pool, const struct job_file *file, const char *db, bool starts,
	char ret_note[300], struct tuner_error *err);

/* Adds the entries of `file` from `from` on to the hosts of a running job, as if they had been
 * there from the start: pool_freeze and pool_bind apply to them, too. `file` is of the same job;
 * the pool takes it over and destroys it with itself, or at once after a failure, which leaves the
 * pool unchanged. db and ret_note: as pool_open's. */
TUNER_MUST_CHECK
bool pool_extend(struct pool *pool, struct job_file *file, size_t from, const char *db,
	char ret_note[300], struct tuner_error *err);

/* Undoes the last pool_extend, which added the hosts from `first` on. Nothing may run there. */
void pool_retract(struct pool *pool, size_t first);

/* Has frozen code (job_code.h) sent instead of the working directory. Call before the loop
 * begins. */
TUNER_MUST_CHECK
bool pool_freeze(struct pool *pool, const char *code, struct tuner_error *err);

/* Whether results of ended trials are still being fetched from any host. */
bool pool_is_busy(const struct pool *pool);

/* Whether this attempt's results are still to be fetched. */
bool pool_is_fetching(const struct pool *pool, int64_t attempt);

/* What a host still holds. */
struct backend_left pool_left(const struct pool *pool, size_t host);

/* Closes the backends; running attempts continue. */
void pool_finish(struct pool *pool);

/* Attempts started on this machine from now on end when this process dies (--orphans stop). */
void pool_bind(struct pool *pool);

/* Trials that may run at a time on the hosts where any may be started, busy places included. */
size_t pool_slots(const struct pool *pool);

/* Whether a host in use has GPUs that others hold. */
bool pool_waits_for_gpu(const struct pool *pool);

/* Whether any host answers. */
bool pool_is_up(const struct pool *pool);

/* A trial occupies, or leaves, the place. A place whose slot no longer exists needs neither. */
void pool_take(struct pool *pool, struct place place);
void pool_leave(struct pool *pool, struct place place);

/* The index of the host in an attempt's row; a local one matches whatever this machine was called
 * then. pool->n: not found. */
size_t pool_find(const struct pool *pool, const char *backend, const char *host);

/* The same by name alone. */
size_t pool_find_name(const struct pool *pool, const char *host);

/* Chooses a free place: not on the host of `avoided`, or at least not `avoided` itself, unless
 * there is no other; then by highest priority; then on the host whose trials have taken the least
 * time so far (hosts without a measured trial first). False if all are busy. */
bool pool_choose(const struct pool *pool, struct place avoided, struct place *ret);

/* Likewise, but on GPUs on which nothing else runs. */
bool pool_choose_alone(const struct pool *pool, struct place avoided, struct place *ret);

/* Gives the trial at this place no neighbour on its GPUs until it leaves. */
void pool_seclude(struct pool *pool, struct place place);

/* Reserves one GPU, that with the fewest trials: nothing more is started on it, so that it becomes
 * empty for a trial that must be alone. The second ends this. */
void pool_reserve(struct pool *pool); /* keeps the same GPU, as long as it can be used */
void pool_unreserve(struct pool *pool);

/* The i-th GPU of a host's slot; NULL after the last. */
struct pool_gpu *pool_gpu(const struct pool *pool, struct place place, size_t i);

/* Lets go of the GPU's lock, if it is held, here or on the host. */
void pool_release_gpu(const struct host *host, struct pool_gpu *gpu);

/* The largest number of trials on any GPU of the place; 0: it has no GPU. */
unsigned pool_together(const struct pool *pool, struct place place);

/* Records that a trial on this host gave an objective and took this long. */
void pool_timed(struct pool *pool, size_t host, int64_t took_us);

/* Records an attempt's end on this host; `failed`: it could not be launched there, or found the
 * disk full. A host on which two in a row have failed is not trusted: as long as another host can
 * be used, nothing is started there for a while (10 s, then twice as long each time, up to 5
 * minutes), and then one trial at a time, until one could be launched. */
void pool_ended(struct pool *pool, size_t host, bool failed);

/* Whether the host is not trusted and another one can be used. */
bool pool_distrusts(const struct pool *pool, size_t host);

/* Trusts the host again: it has been repaired, or may have been. */
void pool_trust(struct pool *pool, size_t host);

/* As the backend's operations, over all hosts. */
size_t pool_descriptors(const struct pool *pool, struct pollfd *ret_fds, size_t size);
int pool_wait_ms(const struct pool *pool);
TUNER_MUST_CHECK
bool pool_next(const struct pool *pool, struct backend_event *ret, size_t *ret_host, bool *ret_got,
	struct tuner_error *err);

/* Appends "2 slots: 1 core each"; with several hosts "local: 2 slots: 1 core each; gpu1: not
 * reached yet". */
void pool_text(const struct pool *pool, struct text *ret);

#endif
