/* Inside of loop.h: the loop's state, and its parts in the files loop_*.c. Nothing else includes it. */
#ifndef TUNER_LOOP_INSIDE_H
#define TUNER_LOOP_INSIDE_H

#include "trials/event.h"
#include "tuner/gpu_watch.h"
#include "tuner/keeper.h"
#include "tuner/live.h"
#include "tuner/loop.h"
#include "tuner/launch.h"
#include "tuner/packing.h"
#include "tuner/search.h"
#include "tuner/signals.h"

#include <signal.h>

enum {
	STOP_GRACE_US = 5000000, /* a stopped trial's, before SIGKILL */
	KILL_SLACK_US = 5000000, /* beyond the supervisor's own grace: it may be stuck */
};

/*   SEARCHING ---> DRAINING ---> STOPPING
 *        '---------------------------^
 *
 * SEARCHING proposes; DRAINING proposes nothing more and waits for what runs; STOPPING has told what
 * runs to end. The loop ends when nothing runs and nothing is to be launched. */
enum phase { SEARCHING, DRAINING, STOPPING };

/* A trial that waits for its next attempt. */
struct retry {
	struct search *search;
	int64_t trial, number, arm_number, attempts, trial_started_us;
	int64_t due_us; /* monotonic */
	struct place last; /* not there again, if another is free */
	struct outcome_counts before;
	char branch[16];
	double *values; /* owned */
};

/* A trial that a caller asked for (`tuner ask`) and has not told of: it evaluates it elsewhere. */
struct asked_trial {
	int64_t number,
		until_us; /* wall clock: the end of its lease; 0: pending until it is told */
	double *values; /* owned */
};

/* A launch whose code and data are not known yet. */
struct unseen {
	int64_t attempt, trial, number, asked;
	int64_t launched_us; /* wall clock */
	bool code, data; /* what is still to be seen */
};

/* What is known of code, data and variables: loop_provenance.c. */
struct provenance_notes {
	int64_t code, data; /* states that the last attempt found; 0: none so far */
	int64_t seen_code, seen_data; /* states at the last look of this run; 0: none so far */
	int64_t environment; /* document */
	struct unseen *unseen; /* in the order of their launches */
	size_t n_unseen, capacity;
};

/* What trials have left on the disk (loop_keep.c). */
struct keeping {
	struct keeper *keeper;
	bool due; /* the database may hold something for the keeper */
	size_t awaited; /* attempts with results on another machine: due again in a moment */
	bool look; /* something has changed that `keep` may want to act upon */
	bool full; /* more than keep.disk, and nothing more may go: launches are held */
	int64_t kept_bytes, live_bytes; /* with keep.disk: of ended trials, of running ones */
	int64_t next_measure_us; /* monotonic */
	int64_t behind; /* attempts that ended in this run and are not recorded yet */
	int64_t ends; /* of attempts: a measurement counts only until the next */
};

/* What is known of GPUs: loop_gpus.c. */
struct gpu_notes {
	struct gpu_watch *watch; /* NULL: this machine's are not used */
	struct gpu_report *report; /* the last, room for it */
	struct packing *packing; /* by host, HOSTS_MAX of them */
	char locks[256]; /* directory; "": none */
	bool lock_trouble; /* the user has been told */
	char owner[128]; /* our name there */
};

struct loop {
	const struct loop_settings *settings;
	const struct job_file *file;
	struct store *store;
	struct pool *pool;
	struct search_list searches;
	struct metric_patterns *patterns;
	struct failure_rules *rules;
	struct live **lives; /* rising trial numbers */
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
	size_t interrupts;

	int64_t infrastructure_failures; /* in this sitting, and those before it that were killed */
	int64_t failed_in_a_row; /* launches, in the same, while there is no objective */
	bool probe_passed;
	bool gates_looked_at; /* whether trials report what they ask for */
	struct text log_tail;

	struct provenance_notes notes;
	struct gpu_notes gpus;
	int64_t reused; /* trials of this sitting whose result was taken over */
	bool reuse_ended; /* code or data changed */

	struct signals signals;
	int64_t run_id;
	int64_t began_wall_us;
	int64_t began_us, accounted_us, earlier_runtime_us; /* monotonic; runtime of earlier runs */
	double cost; /* of all attempts that have ended */
	int64_t next_tick_us;
};

/* ---- loop_lives.c: phases, and what runs ---- */

/* Proposes nothing more. The first reason stays. */
void loop_drain(struct loop *loop, enum exit_status status, enum job_state state,
	const char *format, ...) TUNER_PRINTF(4, 5);

/* One trial, or all of them, are to end; SIGKILL follows after grace_us. Why is committed first, by
 * loop_store_stops in an open transaction or by loop_send_stops, which then tells the processes: killed
 * in between, the next run does it. */
void loop_stop_live(struct live *live, enum outcome why, const char *reason, int64_t grace_us);
void loop_stop_lives(struct loop *loop, enum outcome why, const char *reason, int64_t grace_us);
TUNER_MUST_CHECK
bool loop_store_stops(struct loop *loop, struct tuner_error *err);
TUNER_MUST_CHECK
bool loop_send_stops(struct loop *loop, struct tuner_error *err);

/* Takes over `live`. */
TUNER_MUST_CHECK
bool loop_add_live(struct loop *loop, struct live *live, struct tuner_error *err);
void loop_take_place(struct loop *loop, const struct live *live); /* once more is no matter */
void loop_remove_live(struct loop *loop, const struct live *live); /* does not destroy it */
struct live *loop_find_live(struct loop *loop, int64_t attempt);

/* Takes over retry->values on success. */
TUNER_MUST_CHECK
bool loop_add_retry(struct loop *loop, const struct retry *retry, struct tuner_error *err);
/* Whether one's wait is over; and whether there is a place for such a one, too. */
bool loop_has_due_retry(const struct loop *loop);
bool loop_may_retry(const struct loop *loop);
/* The first for which there is one; false if there is none such. */
bool loop_take_retry(struct loop *loop, struct retry *ret);

/* Whether its trial has run out of GPU memory before: then it shares none. */
bool wants_to_be_alone(const struct retry *retry);
/* While such a one waits for an empty GPU, one is being emptied for it. */
void loop_make_room(struct loop *loop);

/* Takes over asked->values on success. */
TUNER_MUST_CHECK
bool loop_add_asked(struct loop *loop, const struct asked_trial *asked, struct tuner_error *err);
/* The backend that an attempt runs by. */
struct backend *loop_backend(const struct loop *loop, const struct live *live);
TUNER_MUST_CHECK
bool loop_signal(
	const struct loop *loop, const struct live *live, int signal, struct tuner_error *err);

/* ---- loop_budget.c ---- */

/* The ends of a search other than its number of trials. */
void loop_check_budget(struct loop *loop);
bool loop_may_propose(const struct loop *loop);
/* Whether something is to be launched, and whether there is a place for it, too. */
bool loop_wants_launch(const struct loop *loop);
bool loop_may_launch(const struct loop *loop);

/* Counts the time since the last call, in the open transaction. */
TUNER_MUST_CHECK
bool loop_account_runtime(struct loop *loop, struct tuner_error *err);

/* ---- loop_launch.c: planned, committed, done ---- */

struct plan {
	bool planned, retried;
	struct search *search;
	struct retry retry;
	struct proposal proposal;
	struct live *live;
	char *relative; /* attempt directory */
	struct donor *donor; /* whose result is taken instead of a launch; NULL: none */
	struct finished_trial reused; /* that result */
};

/* Chooses what to launch next: a waiting retry first, then the queue, then the strategy. Nothing is
 * planned if the space is exhausted. */
TUNER_MUST_CHECK
bool loop_plan(struct loop *loop, struct plan *plan, struct tuner_error *err);
void plan_finish(struct plan *plan);

/* A new trial and its decision, within the open transaction: their part of the intent. */
TUNER_MUST_CHECK
bool loop_store_trial(struct loop *loop, struct plan *plan, int64_t now_us, const struct job *job,
	struct tuner_error *err);

/* The intent: trial, decision and attempt rows, within the open transaction. */
TUNER_MUST_CHECK
bool loop_store_plan(struct loop *loop, struct plan *plan, int64_t now_us, const struct job *job,
	struct tuner_error *err);

/* After the commit: starts what was planned. A launch that fails is an end, not an error. */
TUNER_MUST_CHECK
bool loop_launch(struct loop *loop, struct live *live, struct tuner_error *err);

/* What another database has left in the attempt's place is put aside (launch_make_way). */
TUNER_MUST_CHECK
bool loop_make_way(struct loop *loop, const struct live *live, struct tuner_error *err);

/* A launch that failed before anything ran: its turn comes like that of any other end. */
void live_end_unlaunched(struct live *live, const struct tuner_error *why);

/* ["GPU-...", ...], as the attempt's row has it. False without memory. */
bool slot_gpus_json(const struct slot *slot, struct text *ret);

/* The part of the trial's curve that is in the database. */
TUNER_MUST_CHECK
bool loop_load_series(struct loop *loop, struct live *live, struct tuner_error *err);
/* *ret_ready false: the host is another machine that has not answered yet. *remote has what the site
 * points to. */
struct launch_site loop_site(const struct loop *loop, const struct live *live,
	struct backend_site *remote, bool *ret_ready);

/* ---- loop_end.c: what follows from the end of an attempt ---- */

/* In memory, before the next proposal is made. *ret_shown is for the display. */
TUNER_MUST_CHECK
bool loop_take_end(struct loop *loop, struct live *live, struct fate *ret_fate,
	struct finished_trial *ret_shown, struct tuner_error *err);

/* At the start: what an earlier sitting, if it was killed, had counted of failures. One that came to an end of its
 * own has left nothing: who starts the job again then has had the chance to mend what is broken. */
TUNER_MUST_CHECK
bool loop_load_counts(struct loop *loop, struct tuner_error *err);

/* Likewise: if a rule of the job's file had ended the job, it drains again. */
TUNER_MUST_CHECK
bool loop_recall_end(struct loop *loop, struct tuner_error *err);

/* What an attempt at its place costs in so long: its slot's share of the host's price. */
double loop_attempt_cost(const struct loop *loop, const struct live *live, int64_t us);

/* False for values as recovery has them of a configuration that the space, edited since, does not take. */
bool loop_fits(const struct loop *loop, const double *values);

/* Why such a trial is stopped where others are launched again. */
#define NOT_AGAIN "not launched again: it does not fit the edited space"

/* In the open transaction. */
TUNER_MUST_CHECK
bool loop_store_end(struct loop *loop, struct live *live, const struct fate *fate, int64_t now_us,
	int64_t *ret_event, struct tuner_error *err);

/* ---- loop_recover.c ---- */

/* Matches what the database holds as open with what lives. */
TUNER_MUST_CHECK
bool loop_recover(struct loop *loop, struct tuner_error *err);

/* A host has answered, and its slots are known: what runs there takes its own, also what an earlier run started. */
TUNER_MUST_CHECK
bool loop_take_places(struct loop *loop, size_t host, struct tuner_error *err);

/* Trials that were put back, in the open transaction: the history without them is read again, and they
 * are launched next. */
TUNER_MUST_CHECK
bool loop_take_back(struct loop *loop, const int64_t *numbers, size_t n, struct tuner_error *err);

/* ---- loop_hosts.c: hosts that come and go ---- */

/* The pool as earlier runs left it: what is drained, and how long trials took where. Again when it has more
 * hosts. */
TUNER_MUST_CHECK
bool loop_load_hosts(struct loop *loop, struct tuner_error *err);

/* One is up or down: an event, a word to the user, and slots to fill. */
TUNER_MUST_CHECK
bool loop_host_changed(
	struct loop *loop, size_t host, const struct backend_event *event, struct tuner_error *err);

/* Hosts of this machine answer without a word; what was said of them in an earlier run is over. */
TUNER_MUST_CHECK
bool loop_trust_hosts(struct loop *loop, struct tuner_error *err);

/* What an attempt's end says of its host (pool_ended): a word to the user, and an event as if it did not answer, once it
 * is not trusted, and once it is again. Sets fate->excused. */
TUNER_MUST_CHECK
bool loop_judge_host(struct loop *loop, size_t host, struct fate *fate, struct tuner_error *err);

/* An attempt that was lost, and launched again, has turned up: kept as an event, and no more. */
TUNER_MUST_CHECK
bool loop_late(
	struct loop *loop, size_t host, const struct backend_event *event, struct tuner_error *err);

/* In an open transaction. TUNER_USAGE if there is no such host. */
TUNER_MUST_CHECK
bool loop_drain_host(struct loop *loop, const char *name, bool drain, struct text *answer,
	struct tuner_error *err);

/* Hosts of an edited job file (the JSON array) that the job has not yet, in an open transaction: the run has them
 * from now on, and so does the stored file. TUNER_USAGE, and nothing has changed, if they cannot be had. */
TUNER_MUST_CHECK
bool loop_add_hosts(
	struct loop *loop, const char *hosts, struct text *answer, struct tuner_error *err);

/* ---- loop_gpus.c: GPUs that are shared, measured, locked and left alone ---- */

/* Before recovery: the watch, the locks, and what earlier trials needed. */
TUNER_MUST_CHECK
bool loop_begin_gpus(struct loop *loop, struct tuner_error *err);
/* The same for the hosts from `first` on, which came later. */
TUNER_MUST_CHECK
bool loop_add_gpus(struct loop *loop, size_t first, struct tuner_error *err);
void loop_end_gpus(struct loop *loop);

/* What the watch has seen meanwhile: samples of what runs, and GPUs that others use, or no longer do. */
void loop_hear_gpus(struct loop *loop);

/* Before launches: locks of empty GPUs are taken, so that they can be chosen; and after them those that are still
 * empty are released. */
void loop_claim_gpus(struct loop *loop);
void loop_release_gpus(struct loop *loop);

/* The places that trials share a GPU at, in the open transaction of a launch and in memory after it. */
TUNER_MUST_CHECK
bool loop_store_neighbours(struct loop *loop, struct live *live, struct tuner_error *err);
void loop_note_neighbours(struct loop *loop, struct live *live);

/* What is known of an attempt's GPUs, if that is new; in an open transaction. */
TUNER_MUST_CHECK
bool loop_store_gpus(struct loop *loop, struct live *live, struct tuner_error *err);

/* An attempt has ended: how many may share its GPUs may be another number now. */
void loop_learn_gpus(struct loop *loop, const struct live *live, const struct fate *fate);

/* ---- loop_provenance.c: what attempts were made of ---- */

/* In the transaction that begins the run. */
TUNER_MUST_CHECK
bool loop_begin_provenance(struct loop *loop, struct tuner_error *err);

/* With the intent of an attempt, in its transaction. */
TUNER_MUST_CHECK
bool loop_store_provenance(struct loop *loop, const struct live *live, struct tuner_error *err);

/* It is launched: what it finds is to be seen. */
TUNER_MUST_CHECK
bool loop_ask_witness(struct loop *loop, const struct live *live, struct tuner_error *err);

/* Stores what was seen meanwhile, and tells the user of changes. */
TUNER_MUST_CHECK
bool loop_hear_witness(struct loop *loop, struct tuner_error *err);

/* At the end: waits a little for what was asked. */
TUNER_MUST_CHECK
bool loop_end_provenance(struct loop *loop, struct tuner_error *err);

/* Stores a text; *ret 0 for an empty one. In an open transaction. */
TUNER_MUST_CHECK
bool loop_put_document(
	struct loop *loop, const struct text *content, int64_t *ret, struct tuner_error *err);

/* ---- loop_keep.c: artefacts and checkpoints ---- */

TUNER_MUST_CHECK
bool loop_keep_begin(struct loop *loop, struct tuner_error *err);

/* Now and then: what waited for results from another machine is looked at again. */
void loop_keep_tick(struct loop *loop);

/* An attempt has ended, or something else that the database knows of. */
void loop_keep_notice(struct loop *loop);

/* With keep.disk no launch is allowed now: nothing more may go, or trials end faster than what they save is
 * looked at. */
bool loop_keep_holds(const struct loop *loop);

/* Takes what the keeper has done, applies `keep`, gives it the next task. Never waits. Between transactions. */
TUNER_MUST_CHECK
bool loop_keep_step(struct loop *loop, struct tuner_error *err);

/* Waits until all of it is done; a signal, or a run that was told to end, leaves the rest to the next. */
TUNER_MUST_CHECK
bool loop_keep_finish(struct loop *loop, struct tuner_error *err);

/* ---- loop_reuse.c: results that are taken over instead of a launch ---- */

/* The limit to propose within, where an earlier search has it; -1: none. */
TUNER_MUST_CHECK
bool loop_proposal_limit(
	struct loop *loop, const struct search *search, int64_t *ret, struct tuner_error *err);

/* Sets plan->donor, if there is one for the proposal. */
void loop_find_donor(struct loop *loop, struct plan *plan);

/* Trial, attempt and result, within the open transaction. */
TUNER_MUST_CHECK
bool loop_store_reused(struct loop *loop, struct plan *plan, int64_t now_us, const struct job *job,
	struct tuner_error *err);

/* After the commit: to the history and the display. */
TUNER_MUST_CHECK
bool loop_take_reused(struct loop *loop, struct plan *plan, struct tuner_error *err);

/* What is found now: another than at the start ends the taking over. */
void loop_judge_reuse(struct loop *loop, bool code, const char *fingerprint);

/* ---- loop_requests.c: what other processes ask ---- */

TUNER_MUST_CHECK
bool loop_serve_requests(struct loop *loop, struct tuner_error *err);

#endif
