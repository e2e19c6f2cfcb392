/* Internals of slurm.h: the backend's state and its parts, in the files slurm*.c. Nothing else
 * includes this file.
 *
 *     slurm.c -> slurm_exchange.c -> slurm_list.c -> slurm_attempt.c
 *            '-> slurm_look.c ------------------------^ */
#ifndef SCHEDULER_SLURM_INSIDE_H
#define SCHEDULER_SLURM_INSIDE_H

#include "scheduler/slurm.h"

#define SECOND INT64_C(1000000) /* in microseconds */

enum stage { LOOK_UP, TO_SUBMIT, SUBMITTING, KNOWN, OVER };

struct slurm_attempt {
	int64_t id;
	char *directory, *key, *name;
	enum stage stage;
	int64_t since_us; /* LOOK_UP: a list requested after this decides. KNOWN: when it was
			     submitted */
	int64_t job; /* 0: unknown */
	struct slurm_job seen; /* in the list being read */
	bool met;
	unsigned missing; /* consecutive lists without it */
	enum slurm_state state; /* as last told */
	int64_t running_us; /* since when it runs; 0: never seen running */
	enum slurm_state end; /* SLURM_UNKNOWN: unknown so far */
	bool vanished; /* Slurm no longer knows of it */
	int64_t end_us; /* when we learnt of the end */
	bool has_started, told_started;
	int64_t started_us; /* wall clock */
	bool has_exit;
	struct exit_record exit;
	int64_t exit_us; /* when we saw it */
	int signal; /* requested: 0, SIGTERM ..., SIGKILL */
	bool cancel, cancel_kill; /* to be sent */
	int64_t cancel_at_us; /* not before */
	bool given_up; /* we had Slurm end it, because it no longer shows signs of life */
	bool displaced; /* its directory now belongs to another database */
	int64_t silence_look_us;
	bool refused;
	unsigned pass; /* number of the last look at its files */
	char message[256]; /* why it was refused, or ended */
};

struct slurm {
	struct backend backend;
	struct slurm_host host;
	char *supervisor;
	char *root; /* of the last submit: the attempt's root ... */
	struct slurm_programs copies; /* ... and what was copied there */
	struct slurm_attempt **attempts;
	size_t n, capacity;
	int64_t *strays; /* jobs that belong to no attempt and must not run */
	size_t n_strays, strays_capacity;

	bool busy; /* a request is in progress */
	enum slurm_request_kind asked;
	struct slurm_attempt *subject; /* of SUBMIT and CANCEL; NULL: a stray's, or forgotten */
	int64_t asked_job; /* of CANCEL */
	char *script, *script_path, *log;
	int64_t asked_us, asked_wall_us; /* when */
	bool asked_whole;

	int64_t next_list_us, whole_us, list_wall_us, skew_us;
	bool up, told; /* as last told */
	unsigned failures; /* consecutive requests that did not get through */
	char trouble[256];

	unsigned pass;
	int64_t look_at_us, pass_cost_us;
};

/* ---- slurm_attempt.c: what is known of each attempt ---- */

int64_t slurm_now(const struct slurm *slurm); /* monotonic, or the test's clock */

/* NULL: unknown. */
struct slurm_attempt *slurm_find(const struct slurm *slurm, int64_t id);

/* Appends a new attempt. NULL without memory. */
struct slurm_attempt *slurm_keep(
	struct slurm *slurm, int64_t id, const char *directory, const char *key);
void slurm_drop(struct slurm *slurm, struct slurm_attempt *attempt);

/* Records how Slurm says that it ended; the first report stays. */
void slurm_settle(struct slurm *slurm, struct slurm_attempt *attempt, enum slurm_state end,
	const char *message);

/* Records that it cannot be submitted. */
void slurm_refuse(struct slurm *slurm, struct slurm_attempt *attempt, const char *message);

/* Has its job cancelled as soon as the job's number is known; kill: at once, without SIGTERM. */
void slurm_cancel(struct slurm *slurm, struct slurm_attempt *attempt, bool kill);

/* ---- slurm_list.c: what Slurm's list of jobs says ---- */

TUNER_MUST_CHECK
bool slurm_take_list(struct slurm *slurm, const struct slurm_reply *reply, struct tuner_error *err);

/* Adds a job that is to be cancelled because it must not run; drops it once that is done. */
TUNER_MUST_CHECK
bool slurm_add_stray(struct slurm *slurm, int64_t job, struct tuner_error *err);
void slurm_drop_stray(struct slurm *slurm, int64_t job);

/* ---- slurm_exchange.c: one request at a time, and its reply ---- */

/* Handles the reply, if there is one, and sends the next request that is due. */
TUNER_MUST_CHECK
bool slurm_exchange(struct slurm *slurm, struct tuner_error *err);

/* When the next request is due, if none is in progress; INT64_MAX: never. */
int64_t slurm_next_request_us(const struct slurm *slurm);

/* The event that the host answers, or no longer does; false: no change to report. */
bool slurm_host_event(struct slurm *slurm, struct backend_event *ret);

/* ---- slurm_look.c: what the attempts' files say ---- */

/* Looks at the files if that is due, up to the first event. */
TUNER_MUST_CHECK
bool slurm_look(
	struct slurm *slurm, struct backend_event *ret, bool *ret_got, struct tuner_error *err);
bool slurm_any_looked_at(const struct slurm *slurm);

#endif
