/* Internals of loop.h: the loop's state, and its parts in the files loop_*.c. Nothing else includes
 * this file. */
#ifndef TUNER_LOOP_INSIDE_H
#define TUNER_LOOP_INSIDE_H

#include "trials/event.h"
#include "scheduler/gpu_watch.h"
#include "tuner/keeper.h"
#include "tuner/live.h"
#include "tuner/loop.h"
#include "tuner/launch.h"
#include "tuner/packing.h"
#include "tuner/search.h"
#include "tuner/signals.h"

#include <signal.h>

enum {
	STOP_GRACE_US = 5000000, /* a stopped trial's time before SIGKILL */
	KILL_SLACK_US = 5000000, /* beyond the supervisor's own grace, as the supervisor may be
				    stuck */
};

/*   SEARCHING ---> DRAINING ---> STOPPING
 *        '---------------------------^
 *
 * SEARCHING proposes; DRAINING proposes nothing more and waits for running trials; STOPPING has
 * told them to end. The loop ends when nothing runs and nothing is to be launched. */
enum phase { SEARCHING, DRAINING, STOPPING };

/* A trial that waits for its next attempt. */
struct retry {
	struct search *search;
	int64_t trial, number, arm_number, attempts, trial_started_us;
	int64_t due_us; /* monotonic */
	struct place last; /* where its last attempt ran: avoided if another place is free */
	struct outcome_counts before;
	char branch[16];
	double *values; /* owned */
};

/* A trial that a caller asked for (`tuner ask`), evaluates elsewhere and has not told yet. */
struct asked_trial {
	int64_t number,
		until_us; /* wall clock: the end of its lease; 0: pending until it is told */
	double *values; /* owned */
};

/* A launch whose code and data are not yet known. */
struct unseen {
	int64_t attempt, trial, number, asked;
	int64_t launched_us; /* wall clock */
	bool code, data; /* which of them are still to be inspected */
};

/* What is known about code, data and variables: loop_provenance.c. */
struct provenance_notes {
	int64_t code, data; /* states found for the last attempt; 0: none so far */
	int64_t seen_code, seen_data; /* states at this run's last inspection; 0: none so far */
	int64_t environment; /* document */
	struct unseen *unseen; /* in order of launch */
	size_t n_unseen, capacity;
};

/* What trials have left on the disk (loop_keep.c). */
struct keeping {
	struct keeper *keeper;
	bool due; /* the database may hold something for the keeper */
	size_t awaited; /* attempts whose results are still on another machine: due again in a
			   moment */
	bool look; /* something has changed on which `keep` may have to act */
	bool full; /* keep.disk is exceeded and nothing more may be removed: launches are held
		      back */
	int64_t kept_bytes, live_bytes; /* with keep.disk: bytes of ended and of running trials */
	int64_t next_measure_us; /* monotonic */
	int64_t behind; /* attempts that ended in this run and whose files are not yet recorded */
	int64_t ends; /* ends of attempts: a measurement is valid only until the next */
};

/* What is known about GPUs: loop_gpus.c. */
struct gpu_notes {
	struct gpu_watch *watch; /* NULL: this machine's GPUs are not used */
	struct gpu_report *report; /* buffer for the last report */
	struct packing *packing; /* by host, HOSTS_MAX of them */
	char locks[256]; /* directory; "": none */
	bool lock_trouble[HOSTS_MAX]; /* the user has been told */
	char owner[128]; /* our name in the locks */
};

struct loop {
	const struct loop_settings *settings;
	const struct job_file *file;
	struct store *store;
	struct pool *pool;
	struct search_list searches;
	struct metric_patterns *patterns;
	struct failure_rules *rules;
	struct live **lives; /* by rising trial number */
	size_t n_lives, lives_capacity;
	struct retry *retries;
	size_t n_retries, retries_capacity;
	struct asked_trial *asked;
	size_t n_asked, asked_capacity;

	struct keeping keeping;

	enum phase phase;
	enum exit_status status;
	enum job_state end_state;
	char reason[512]; /* why the phase is no longer SEARCHING */
	size_t interrupts; /* of Ctrl-C */
	bool hurried; /* a signal to end has come */

	int64_t infrastructure_failures; /* in this run, and in killed runs directly before it */
	int64_t failed_in_a_row; /* launches, over the same runs, while there is no objective */
	bool probe_passed;
	bool gates_looked_at; /* whether trials report the gates' metrics has been checked */
	struct text log_tail;

	struct provenance_notes notes;
	struct gpu_notes gpus;
	int64_t reused; /* trials of this run whose result was reused */
	bool reuse_ended; /* code or data changed: no more results are reused */

	struct signals signals;
	int64_t run_id;
	int64_t began_wall_us;
	int64_t began_us, accounted_us, earlier_runtime_us; /* monotonic; runtime of earlier runs */
	double cost; /* of all attempts that have ended */
	int64_t next_tick_us;
};

/* ---- loop_lives.c: phases, and what runs ---- */

/* Makes the loop propose nothing more. The first reason stays. */
void loop_drain(struct loop *loop, enum exit_status status, enum job_state state,
	const char *format, ...) TUNER_PRINTF(4, 5);

/* Marks one trial, or all, to be ended, with SIGKILL after grace_us. The reason is committed first,
 * by loop_store_stops in an open transaction or by loop_send_stops, which then signals the
 * processes: if we are killed in between, the next run does so. */
void loop_stop_live(struct live *live, enum outcome why, const char *reason, int64_t grace_us);
void loop_stop_lives(struct loop *loop, enum outcome why, const char *reason, int64_t grace_us);
TUNER_MUST_CHECK
bool loop_store_stops(struct loop *loop, struct tuner_error *err);
TUNER_MUST_CHECK
bool loop_send_stops(struct loop *loop, struct tuner_error *err);

/* Takes over `live`. */
TUNER_MUST_CHECK
bool loop_add_live(struct loop *loop, struct live *live, struct tuner_error *err);
void loop_take_place(struct loop *loop, const struct live *live); /* may be repeated */
void loop_remove_live(struct loop *loop, const struct live *live); /* does not destroy it */
struct live *loop_find_live(struct loop *loop, int64_t attempt);

/* Takes over retry->values on success. */
TUNER_MUST_CHECK
bool loop_add_retry(struct loop *loop, const struct retry *retry, struct tuner_error *err);
/* Whether any retry's wait is over; the second: and whether there also is a place for it. */
bool loop_has_due_retry(const struct loop *loop);
bool loop_may_retry(const struct loop *loop);
/* Takes the first due retry that has a place; false if there is none. */
bool loop_take_retry(struct loop *loop, struct retry *ret);
/* Ends a trial that waits for its next attempt, in the open transaction and in memory. */
TUNER_MUST_CHECK
bool loop_stop_retry(struct loop *loop, size_t i, const char *reason, struct tuner_error *err);

/* Whether its trial has run out of GPU memory before, and so must not share a GPU. */
bool wants_to_be_alone(const struct retry *retry);
/* While such a retry waits for an empty GPU, keeps one GPU from being filled. */
void loop_make_room(struct loop *loop);

/* Takes over asked->values on success. */
TUNER_MUST_CHECK
bool loop_add_asked(struct loop *loop, const struct asked_trial *asked, struct tuner_error *err);
/* The backend through which an attempt runs. */
struct backend *loop_backend(const struct loop *loop, const struct live *live);
TUNER_MUST_CHECK
bool loop_signal(
	const struct loop *loop, const struct live *live, int signal, struct tuner_error *err);

/* ---- loop_budget.c ---- */

/* Checks the limits of a job other than its number of trials. */
void loop_check_budget(struct loop *loop);
bool loop_may_propose(const struct loop *loop);
/* Takes an edited budget (JSON), in the open transaction, and answers what it means now. */
TUNER_MUST_CHECK
bool loop_edit_budget(
	struct loop *loop, const char *budget, struct text *answer, struct tuner_error *err);
/* Whether budget.parallel allows another trial now. */
bool loop_has_room(const struct loop *loop);
/* Whether something is to be launched; the second: and whether there also is a place for it. */
bool loop_wants_launch(const struct loop *loop);
bool loop_may_launch(const struct loop *loop);

/* Adds the time since the last call to the job's runtime, in the open transaction. */
TUNER_MUST_CHECK
bool loop_account_runtime(struct loop *loop, struct tuner_error *err);

/* ---- loop_launch.c: plan, commit, launch ---- */

struct plan {
	bool planned, retried;
	struct search *search;
	struct retry retry;
	struct proposal proposal;
	struct live *live;
	char *relative; /* attempt directory */
	struct donor *donor; /* whose result is reused instead of a launch; NULL: none */
	struct finished_trial reused; /* that result */
};

/* Chooses what to launch next: a waiting retry first, then the queue, then the strategy. Plans
 * nothing if the space is exhausted. */
TUNER_MUST_CHECK
bool loop_plan(struct loop *loop, struct plan *plan, struct tuner_error *err);
void plan_finish(struct plan *plan);

/* Stores a new trial and its decision, their part of the intent, in the open transaction. */
TUNER_MUST_CHECK
bool loop_store_trial(struct loop *loop, struct plan *plan, int64_t now_us, const struct job *job,
	struct tuner_error *err);

/* Stores the intent, the rows of trial, decision and attempt, in the open transaction. */
TUNER_MUST_CHECK
bool loop_store_plan(struct loop *loop, struct plan *plan, int64_t now_us, const struct job *job,
	struct tuner_error *err);

/* After the commit: starts what was planned. A launch that fails is an end, not an error. */
TUNER_MUST_CHECK
bool loop_launch(struct loop *loop, struct live *live, struct tuner_error *err);

/* Moves away what another database has left in the attempt's place (launch_make_way). */
TUNER_MUST_CHECK
bool loop_make_way(struct loop *loop, const struct live *live, struct tuner_error *err);

/* Records a launch that failed before anything ran; it is then handled like any other end. */
void live_end_unlaunched(struct live *live, const struct tuner_error *why);

/* Appends ["GPU-...", ...], as in the attempt's row. False without memory. */
bool slot_gpus_json(const struct slot *slot, struct text *ret);

/* Loads the part of the trial's curve that is in the database. */
TUNER_MUST_CHECK
bool loop_load_series(struct loop *loop, struct live *live, struct tuner_error *err);
/* *ret_ready false: the host is another machine that has not answered yet. The site may point to
 * *remote. */
struct launch_site loop_site(const struct loop *loop, const struct live *live,
	struct backend_site *remote, bool *ret_ready);

/* ---- loop_end.c: what follows from the end of an attempt ---- */

/* Takes an end into memory, before the next proposal is made. *ret_shown is for the display. */
TUNER_MUST_CHECK
bool loop_take_end(struct loop *loop, struct live *live, struct fate *ret_fate,
	struct finished_trial *ret_shown, struct tuner_error *err);

/* Call at the start: loads the failures counted by the preceding run if it was killed. A run that
 * ended by itself leaves no counts: whoever starts the job again has had the chance to repair what
 * is broken. */
TUNER_MUST_CHECK
bool loop_load_counts(struct loop *loop, struct tuner_error *err);

/* Likewise: if a rule of the job file had ended the job, drains again. */
TUNER_MUST_CHECK
bool loop_recall_end(struct loop *loop, struct tuner_error *err);

/* The cost of an attempt at its place over `us`: its slot's share of the host's price. */
double loop_attempt_cost(const struct loop *loop, const struct live *live, int64_t us);

/* False for a configuration, as loaded by recovery, that the space, edited since, does not
 * accept. */
bool loop_fits(const struct loop *loop, const double *values);

/* The reason for which such a trial is stopped rather than launched again. */
#define NOT_AGAIN "not launched again: it does not fit the edited space"

/* In the open transaction. */
TUNER_MUST_CHECK
bool loop_store_end(struct loop *loop, struct live *live, const struct fate *fate, int64_t now_us,
	int64_t *ret_event, struct tuner_error *err);

/* ---- loop_recover.c ---- */

/* Reconciles the attempts that the database holds as open with what is still alive. */
TUNER_MUST_CHECK
bool loop_recover(struct loop *loop, struct tuner_error *err);

/* Call when a host has answered and its slots are known: attempts running there, including those of
 * an earlier run, occupy their slots. */
TUNER_MUST_CHECK
bool loop_take_places(struct loop *loop, size_t host, struct tuner_error *err);

/* Handles trials that were put back, in the open transaction: reloads the history without them, and
 * has them launched next. */
TUNER_MUST_CHECK
bool loop_take_back(struct loop *loop, const int64_t *numbers, size_t n, struct tuner_error *err);

/* ---- loop_hosts.c: hosts that come and go ---- */

/* Restores the pool as earlier runs left it: which hosts are drained, and how long trials took on
 * each. Call again when hosts are added. */
TUNER_MUST_CHECK
bool loop_load_hosts(struct loop *loop, struct tuner_error *err);
void loop_say_drained(const struct loop *loop); /* for people */

/* A host is up or down: stores an event, tells the user, and updates the slots. */
TUNER_MUST_CHECK
bool loop_host_changed(
	struct loop *loop, size_t host, const struct backend_event *event, struct tuner_error *err);

/* Hosts on this machine are up without an event: for those that an earlier run stored as down,
 * stores that they are up again. */
TUNER_MUST_CHECK
bool loop_trust_hosts(struct loop *loop, struct tuner_error *err);

/* Updates the trust in a host after an attempt's end (pool_ended). When the host is no longer
 * trusted, and when it is again, tells the user and stores an event as if it did not answer, or
 * did. Sets fate->excused. */
TUNER_MUST_CHECK
bool loop_judge_host(struct loop *loop, size_t host, struct fate *fate, struct tuner_error *err);

/* A lost attempt, launched again meanwhile, has turned up: only stores an event. */
TUNER_MUST_CHECK
bool loop_late(
	struct loop *loop, size_t host, const struct backend_event *event, struct tuner_error *err);

/* In an open transaction. TUNER_USAGE if there is no such host. */
TUNER_MUST_CHECK
bool loop_drain_host(struct loop *loop, const char *name, bool drain, struct text *answer,
	struct tuner_error *err);

/* Adds the hosts of an edited job file (the JSON array) that the job lacks to this run and to the
 * stored file, in an open transaction. TUNER_USAGE, with nothing changed, if they cannot be
 * added. */
TUNER_MUST_CHECK
bool loop_add_hosts(
	struct loop *loop, const char *hosts, struct text *answer, struct tuner_error *err);

/* The slots that follow from budget.parallel, anew. */
TUNER_MUST_CHECK
bool loop_resize_hosts(struct loop *loop, struct tuner_error *err);

/* ---- loop_gpus.c: GPUs that are shared, measured, locked and left alone ---- */

/* Call before recovery: sets up the watch, the locks, and what earlier trials needed. */
TUNER_MUST_CHECK
bool loop_begin_gpus(struct loop *loop, struct tuner_error *err);
/* The same for hosts from `first` on, which were added later. */
TUNER_MUST_CHECK
bool loop_add_gpus(struct loop *loop, size_t first, struct tuner_error *err);
void loop_end_gpus(struct loop *loop);

/* Takes in what the watch has seen: samples of running trials, and GPUs that others use or no
 * longer use. */
void loop_hear_gpus(struct loop *loop);

/* Call before launches: locks empty GPUs so that they can be chosen. The second, after launches,
 * releases those still empty. */
void loop_claim_gpus(struct loop *loop);
void loop_release_gpus(struct loop *loop);

/* The directory of the locks that the attempt's supervisor is to hold, on its host; NULL: none.
 * `remote`: where it runs; NULL: on this machine, or not known yet. */
const char *loop_gpu_locks(
	const struct loop *loop, const struct live *live, const struct backend_site *remote);

/* Records which trials share a GPU: in the open transaction of a launch, and in memory after it. */
TUNER_MUST_CHECK
bool loop_store_neighbours(struct loop *loop, struct live *live, struct tuner_error *err);
void loop_note_neighbours(struct loop *loop, struct live *live);

/* Stores what is known about an attempt's GPUs, if it has changed; in an open transaction. */
TUNER_MUST_CHECK
bool loop_store_gpus(struct loop *loop, struct live *live, struct tuner_error *err);

/* Stores which GPUs are left alone, taken or gone, where that has changed (`tuner hosts`). */
TUNER_MUST_CHECK
bool loop_store_gpu_states(struct loop *loop, struct tuner_error *err);

/* Takes what an ended attempt's own file says of its GPUs (gpu_totals.h), where nothing else has
 * sampled them. */
void loop_collect_gpus(struct live *live);

/* Learns from an attempt's end how many trials may share its GPUs. */
void loop_learn_gpus(struct loop *loop, const struct live *live, const struct fate *fate);

/* ---- loop_provenance.c: what attempts were made of ---- */

/* Call in the transaction that begins the run. */
TUNER_MUST_CHECK
bool loop_begin_provenance(struct loop *loop, struct tuner_error *err);

/* Call in the transaction of an attempt's intent. */
TUNER_MUST_CHECK
bool loop_store_provenance(struct loop *loop, const struct live *live, struct tuner_error *err);

/* The attempt is launched: has its code and data inspected. */
TUNER_MUST_CHECK
bool loop_ask_witness(struct loop *loop, const struct live *live, struct tuner_error *err);

/* Stores what the witness has seen, and tells the user about changes. */
TUNER_MUST_CHECK
bool loop_hear_witness(struct loop *loop, struct tuner_error *err);

/* Call at the end: waits a little for pending inspections. */
TUNER_MUST_CHECK
bool loop_end_provenance(struct loop *loop, struct tuner_error *err);

/* Stores a text; *ret 0 for an empty one. In an open transaction. */
TUNER_MUST_CHECK
bool loop_put_document(
	struct loop *loop, const struct text *content, int64_t *ret, struct tuner_error *err);

/* ---- loop_keep.c: artefacts and checkpoints ---- */

TUNER_MUST_CHECK
bool loop_keep_begin(struct loop *loop, struct tuner_error *err);

/* Call now and then: checks again what waits for results from another machine. */
void loop_keep_tick(struct loop *loop);

/* Call when an attempt has ended, or the database may hold other work for the keeper. */
void loop_keep_notice(struct loop *loop);

/* Whether keep.disk forbids launches now: nothing more may be removed, or trials end faster than
 * their files are recorded. */
bool loop_keep_holds(const struct loop *loop);

/* Takes the keeper's result, applies `keep`, and gives the keeper its next task. Never waits. Call
 * between transactions. */
TUNER_MUST_CHECK
bool loop_keep_step(struct loop *loop, struct tuner_error *err);

/* Waits until the keeper's work is done; after a signal, or if the run was told to end, the rest is
 * left to the next run. */
TUNER_MUST_CHECK
bool loop_keep_finish(struct loop *loop, struct tuner_error *err);

/* ---- loop_reuse.c: results that are reused instead of a launch ---- */

/* The work limit of the same proposal in an earlier search; -1: none. */
TUNER_MUST_CHECK
bool loop_proposal_limit(
	struct loop *loop, const struct search *search, int64_t *ret, struct tuner_error *err);

/* Sets plan->donor, if there is a donor for the proposal. */
void loop_find_donor(struct loop *loop, struct plan *plan);

/* Stores trial, attempt and result, in the open transaction. */
TUNER_MUST_CHECK
bool loop_store_reused(struct loop *loop, struct plan *plan, int64_t now_us, const struct job *job,
	struct tuner_error *err);

/* After the commit: adds the result to the history and the display. */
TUNER_MUST_CHECK
bool loop_take_reused(struct loop *loop, struct plan *plan, struct tuner_error *err);

/* Compares the fingerprint found now: one that differs from the start's ends the reuse. */
void loop_judge_reuse(struct loop *loop, bool code, const char *fingerprint);

/* ---- loop_requests.c: requests of other processes ---- */

TUNER_MUST_CHECK
bool loop_serve_requests(struct loop *loop, struct tuner_error *err);

#endif
