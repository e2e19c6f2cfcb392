/* Trials, attempts, metrics: the data that everything else is about. Start reading here.
 *
 * A trial is one configuration and its objective, numbered from 1 in its job. An attempt is one
 * launch of its command. A trial's result has two aspects: how the process ended (attempt.outcome)
 * and whether there is an objective (trial.state). */
#ifndef TRIALS_TRIAL_H
#define TRIALS_TRIAL_H

#include "trials/job.h"

/*   PROPOSED ---> RUNNING ---> DONE      an objective
 *     ^  |         ^ | | |---> FAILED    the configuration's own failure: data for the model
 *     |  |         | | | '---> STOPPED   ended before its time; its curve counts as far as it goes
 *     |  '---------|-|-|-----> STOPPED   stopped before it ran
 *     |--- retry --|-' |
 *     |            |   v
 *     '----------- PAUSED ---> STOPPED   at a rung, by promotion (later)
 *
 * DONE is final; FAILED and STOPPED are ends too, from which only trial_reopen leads back to
 * PROPOSED, at a person's request. An attempt that ends before it was seen running moves its trial
 * through RUNNING in one step. */
enum trial_state {
	TRIAL_PROPOSED,
	TRIAL_RUNNING,
	TRIAL_DONE,
	TRIAL_FAILED,
	TRIAL_STOPPED,
	TRIAL_PAUSED,
	TRIAL_STATES
};

/*   INTENDED ---> STARTING ---> RUNNING ---> ENDED
 *                    |           | ^           ^
 *                    +--> LOST <-+ |           |
 *                          | '-----' host is back
 *                          '--- late result ---'
 *
 * INTENDED: committed, but perhaps not launched. It may also move straight to RUNNING (seen alive
 * before the launch was noted); INTENDED and STARTING may move to ENDED (the launch failed, or the
 * command ended before we looked).
 *
 * LOST is not ENDED: the command may still run on a host that we cannot reach, so a late result
 * counts until the next attempt has been opened. From then on the lost attempt is superseded: it
 * can only end, and its end changes only its own row. */
enum attempt_state {
	ATTEMPT_INTENDED,
	ATTEMPT_STARTING,
	ATTEMPT_RUNNING,
	ATTEMPT_LOST,
	ATTEMPT_ENDED,
	ATTEMPT_STATES
};

/* How the process ended. Stored by name. */
enum outcome {
	OUTCOME_NONE, /* not ended yet */
	OUTCOME_OK,
	OUTCOME_EARLY_STOPPED,
	OUTCOME_USER_STOPPED,
	OUTCOME_TIMEOUT,
	OUTCOME_PREEMPTED,
	OUTCOME_INTERRUPTED,
	OUTCOME_LOST,
	OUTCOME_LAUNCH_FAILED,
	OUTCOME_OOM_HOST,
	OUTCOME_DISK_FULL,
	OUTCOME_NAN,
	OUTCOME_DIVERGED,
	OUTCOME_OOM_GPU,
	OUTCOME_NO_METRIC,
	OUTCOME_CRASHED,
	OUTCOME_OVER_LIMIT, /* of a trial only: its attempt was OK, but it broke a limit */
	OUTCOMES
};

const char *trial_state_name(enum trial_state state); /* "proposed" ... */
const char *attempt_state_name(enum attempt_state state); /* "intended" ... */
const char *outcome_name(enum outcome outcome); /* "oom-gpu" ...; "" for NONE */
bool trial_state_may_move(enum trial_state from, enum trial_state to);
bool attempt_state_may_move(enum attempt_state from, enum attempt_state to);

enum { TRIAL_LIMITS_MAX = 8, TRIAL_ALSO_MAX = 3 };

/* What a trial that ran to its end is judged by beside its objective: how it kept the job's limits
 * ("objective.limits"), and the values of further objectives ("objective.also"). */
struct judgement {
	size_t n_limits; /* 0: the job has none, or it is not known how they were kept */
	double objective; /* what it would be without limits; user's unit and sign */
	double excess[TRIAL_LIMITS_MAX]; /* how far beyond each limit; at most 0: within; NaN: it
					    cannot be computed, which breaks the limit */
	size_t n_also; /* 0: the job has none, or they are not known */
	double also[TRIAL_ALSO_MAX]; /* user's unit and sign; NaN: it cannot be computed, and so the
					trial has failed as NAN */
};

/* Whether a limit is broken. */
bool judgement_is_over(const struct judgement *judgement);

/* Whether one of several objectives is not a number. */
bool judgement_lacks_objective(const struct judgement *judgement);

struct trial {
	int64_t id, job_id, number;
	char arm[64];
	int64_t repeat, arm_number;
	int64_t space_version, objective_version; /* ids */
	enum trial_state state;
	char source[16]; /* "first", "enqueue", "strategy", or "added": observed elsewhere */
	char branch[16]; /* of its decision: "design", "model" ...; "" without one */
	size_t d;
	double *values; /* in the order of its space version; exact bits; NaN: the trial has no such
			   parameter */
	char *parameters; /* the same as a JSON object, without fixed parameters */
	double objective; /* user's unit and sign. DONE: the result; STOPPED: value of the partial
			     curve; NaN: none */
	struct judgement judgement; /* DONE, and FAILED as OVER_LIMIT; else empty */
	int64_t metric_count; /* rows of the objective's metric, of all attempts */
	int64_t last_step; /* highest step of the newest attempt that has rows; 0 without rows */
	double last_value; /* value at last_step; NaN: none yet, or NaN was reported */
	double best_value; /* best value of its curve; while an attempt other than the first runs,
			      of all rows. NaN: no row has a number */
	int64_t attempts;
	enum outcome outcome; /* of its last ended attempt; "crashed" where the job's rules blame a
				 machine's outcome on the configuration (attempt_end.counts_as) */
	char *message; /* explanation for people; "" for none */
	int64_t created_us, started_us, ended_us; /* 0: not yet; started_us is the first
						     attempt's */
	int64_t ended_event; /* id of the event that ended it: the commit order; 0 while open */
};

struct trial_list {
	struct trial *items;
	size_t n;
};

/* Whether it ran to its end and has a value, be it over a limit or not. */
bool trial_is_measured(const struct trial *trial);

void trial_finish(struct trial *trial);
void trial_list_finish(struct trial_list *list);

/* The backend of an attempt that the tuner did not launch: a caller asked for the configuration,
 * evaluates it itself and reports the result. It is RUNNING from the request on, and has no
 * directory. */
#define ATTEMPT_CALLER "caller"

/* The backend of an attempt whose result is an earlier trial's (`tuner run --reuse`): it is created
 * ENDED, with the earlier trial's times, and has no directory. The event "reused" names the earlier
 * trial. */
#define ATTEMPT_REUSED "reused"

struct attempt {
	int64_t id, trial_id, trial_number, number; /* number from 1 within the trial */
	char key[40]; /* globally unique: fences this launch */
	char backend[16];
	char *host;
	int64_t slot;
	char *gpus; /* JSON array of UUIDs; "[]" without */
	char *directory; /* relative to store_directory, so that a moved database still works */
	enum attempt_state state;
	enum outcome outcome;
	char *message;
	int64_t exit_code, signal; /* -1: none */
	int64_t intended_us, started_us, ended_us;
	int64_t user_us, system_us, max_rss_bytes, gpu_memory_peak_bytes;
	double cost; /* NaN: not priced */
	int64_t log_offset; /* bytes of output scraped and committed */
	char *scrape; /* the scraper's counts at log_offset, JSON; "{}" at first */
	int64_t lease_us,
		heard_us; /* a caller's attempt is pending until heard_us + lease_us; 0, 0: until
			     the result is reported */
};

struct attempt_list {
	struct attempt *items;
	size_t n;
};

void attempt_finish(struct attempt *attempt);
void attempt_list_finish(struct attempt_list *list);

/* How a configuration was chosen: everything needed to recompute it (architecture, rule 3), and the
 * model's prediction. */
struct decision {
	int64_t id; /* the trial's id */
	int64_t objective_version; /* id of the version that the decision used; when written, its
				      trial's */
	const char *strategy, *branch, *reason;
	const char *settings; /* JSON: the strategy's settings; its prediction for judging gains:
				 "gain_mean", "gain_sd"; the probability of a value, if it was
				 modelled: "value_probability" */
	int64_t seen; /* id of the last event that the decision took into account; 0: none */
	const int64_t *pending; /* trial numbers taken as pending, in this order */
	size_t n_pending;
	int64_t start; /* decision whose hyperparameters the fit started from; 0: none */
	int64_t sequence, next_sequence;
	int64_t budget_trials, parallel;
	int64_t work_limit, work;
	bool without_model;
	const double *hyperparameters;
	size_t n_hyperparameters;
	double mean, sd, incumbent; /* user's unit and sign; NaN: no model */
	double acquisition; /* log expected improvement, a failure counting as no improvement; NaN:
			       no model */
	int64_t took_us;
	const char *libraries, *cpu, *program; /* interned in table `machine` */
};

struct trial_new {
	int64_t job_id;
	const char *arm;
	int64_t repeat;
	int64_t space_version, objective_version;
	const double *values; /* d values, in the order of the space version; NaN: the trial does
				 not have this parameter, and no row for it */
	size_t d;
	const char *parameters; /* JSON object */
	int64_t queued; /* id of the queue entry that the trial takes; 0: none */
	bool added; /* an observation made elsewhere (source "added") */
	bool uncapped; /* the caller enforces the budget: the cap does not apply */
};

/* Creates a trial in state PROPOSED with its decision (never NULL: a fully given configuration has
 * branch "user") in this transaction, takes the queue entry (the trial gets its source; "strategy"
 * without an entry), and adds the event "proposed". The cap (job.trial_cap per arm and repeat) is
 * exact, and does not count trials observed elsewhere: if it is reached and the trial is not
 * `uncapped`, *ret_capped is true and nothing is done. Otherwise id, number (in the job) and
 * arm_number are set. -0.0 becomes 0.0. TUNER_FATAL if a value is infinite, if the space version
 * does not have d parameters, or if another trial has the queue entry. */
TUNER_MUST_CHECK
bool trial_create(struct store *store, const struct trial_new *trial,
	const struct decision *decision, int64_t now_us, int64_t *ret_id, int64_t *ret_number,
	int64_t *ret_arm_number, bool *ret_capped, struct tuner_error *err);

struct attempt_new {
	int64_t trial_id;
	const char *key, *backend, *host, *gpus, *directory;
	int64_t slot;
	int64_t lease_us; /* of a caller's attempt, from now on; 0: none */
};

/* Records the intent: a row in state INTENDED. The trial must be PROPOSED, and all its attempts
 * ENDED or LOST; or it is RUNNING and its newest attempt LOST, which makes the trial PROPOSED again
 * (event "retry") and that attempt superseded. */
TUNER_MUST_CHECK
bool attempt_create(struct store *store, const struct attempt_new *attempt, int64_t now_us,
	int64_t *ret_id, struct tuner_error *err);

/* Makes a legal move to a state other than ENDED. RUNNING also moves the trial, and sets started_us
 * of both to now_us, unless already set. */
TUNER_MUST_CHECK
bool attempt_move(struct store *store, int64_t attempt_id, enum attempt_state state, int64_t now_us,
	struct tuner_error *err);

/* Records that a caller has reported on its attempt: its lease, if any, begins anew. */
TUNER_MUST_CHECK
bool attempt_hear(struct store *store, int64_t attempt_id, int64_t now_us, struct tuner_error *err);

/* Records, as the event "stop", that the attempt is to be ended and with which outcome (never
 * INTERRUPTED: any run relaunches such an attempt). Commit it before the process is signalled, so
 * that the next run knows it too. */
TUNER_MUST_CHECK
bool attempt_stop(struct store *store, int64_t attempt_id, enum outcome outcome, const char *reason,
	int64_t now_us, struct tuner_error *err);

/* The outcome and reason of the last attempt_stop; OUTCOME_NONE: there was none. The reason is cut
 * to `size`. */
TUNER_MUST_CHECK
bool attempt_stop_load(struct store *store, int64_t attempt_id, enum outcome *ret_outcome,
	char *ret_reason, size_t size, struct tuner_error *err);

struct attempt_end {
	enum outcome outcome;
	enum outcome counts_as; /* the trial's outcome, if it differs; NONE: the same */
	const char *message; /* "" if there is nothing to say */
	const char *trial_message; /* the trial's, if it differs; NULL: the same */
	int64_t exit_code, signal; /* -1: none */
	/* By the supervisor's clock. 0: unknown; then the end is now, and the start is what
	 * attempt_move set, or none: an attempt that never ran gives its trial no start. A start
	 * after the end, from two clocks, becomes the end. The trial's start is the earliest of its
	 * attempts'. */
	int64_t started_us, ended_us;
	int64_t user_us, system_us, max_rss_bytes;
	enum trial_state trial; /* DONE, FAILED, STOPPED, or PROPOSED for a retry */
	double objective; /* NaN: none. DONE needs one, STOPPED may have one; otherwise not kept */
	struct judgement judgement; /* of a DONE trial, and of one that counts as OVER_LIMIT; empty:
				      none */
	int64_t gpu_memory_peak_bytes;
	double cost; /* 0: not priced */
	bool ends_job; /* by a rule of the job file */
	bool excused; /* not counted among failures that end the job */
};

/* Ends the attempt (from any state but ENDED) and moves its trial, with the event "ended" (data:
 * the attempt's number, the outcome, what it counts as if that differs, the trial's state, the
 * objective, whether it ends the job, and whether it is excused). For a retry the event is "retry",
 * for a superseded attempt "late", and then the trial does not change. *ret_event is the event's
 * id. */
TUNER_MUST_CHECK
bool attempt_end(struct store *store, int64_t attempt_id, const struct attempt_end *end,
	int64_t now_us, int64_t *ret_event, struct tuner_error *err);

/* Total cost of the job's ended attempts; those without a price count as 0. */
TUNER_MUST_CHECK
bool attempt_cost(struct store *store, int64_t job_id, double *ret, struct tuner_error *err);

/* Time and cost of all ended attempts of a trial, including those that failed and were retried. */
struct trial_spending {
	int64_t trial_id;
	int64_t busy_us; /* slot time, from each attempt's start to its end */
	double cost; /* of the priced ones */
	int64_t attempts, unpriced; /* number of those that took time; of these, those without a
				       price */
};

/* The spending of each ended trial of an arm's repeat, in the order of their ends. The caller frees
 * *ret. */
TUNER_MUST_CHECK
bool trial_spendings(struct store *store, int64_t job_id, const char *arm, int64_t repeat,
	struct trial_spending **ret, size_t *ret_n, struct tuner_error *err);

/* Records how an attempt that had been ended as lost really ended: an event "late" of its trial
 * (data: the attempt's number, `how`, and the time of the end; ended_us 0: not known). Nothing else
 * changes. */
TUNER_MUST_CHECK
bool attempt_late(struct store *store, int64_t attempt_id, const char *how, int64_t ended_us,
	int64_t now_us, struct tuner_error *err);

/* Ends a trial that has no attempt to end (stopped while PROPOSED or PAUSED), with the event "ended".
 * Its outcome is that of its last attempt; over a limit, where the result was given up, USER_STOPPED. */
TUNER_MUST_CHECK
bool trial_stop(struct store *store, int64_t trial_id, const char *message, int64_t now_us,
	struct tuner_error *err);

/* Puts a FAILED or STOPPED trial back to PROPOSED: the next attempt continues as a retry does, with
 * the same parameters and seed. Its end is taken back, not forgotten: the event "reopened" (of the
 * last attempt) holds it (outcome, state, objective, ended_event), so that the history at an
 * earlier event can be reconstructed. The trial's time begins anew. TUNER_USAGE for a trial in
 * another state. */
TUNER_MUST_CHECK
bool trial_reopen(struct store *store, int64_t trial_id, int64_t now_us, struct tuner_error *err);

/* An end that was taken back: valid from event `ended_event` to `event`; the trial then had
 * `attempts` attempts. */
struct reopening {
	int64_t trial_id, attempts, event;
	int64_t ended_event;
	enum trial_state state;
	enum outcome outcome; /* NONE: the trial was stopped before it ran */
	double objective; /* NaN: none */
	struct judgement judgement;
	int64_t started_us, ended_us; /* 0: not known */
};

/* The reopenings of a job, in the order of their events; a trial may have several. The caller frees
 * *ret. */
TUNER_MUST_CHECK
bool trial_reopenings(struct store *store, int64_t job_id, struct reopening **ret, size_t *ret_n,
	struct tuner_error *err);

/* Restores the trial as it was until then, except the message. The times are restored too: by an
 * earlier objective the trial may have been done, and a decision may have used its duration. */
void reopening_undo(const struct reopening *reopening, struct trial *trial);

struct metric_row {
	const char *name;
	int64_t step;
	double value; /* NaN and infinities are values */
	int64_t time_us;
};

/* Adds rows (same name and step: the last value wins) and stores the scraper's offset and counts up
 * to which they were read. `objective` names the metric whose last and best value and count the
 * trial keeps; maximize says what best means. The attempt must not be ENDED, and the offset cannot
 * decrease. Rows of a superseded attempt are kept and counted, but do not become the trial's
 * last. */
TUNER_MUST_CHECK
bool metric_add(struct store *store, int64_t attempt_id, const struct metric_row *rows, size_t n,
	const char *objective, bool maximize, int64_t log_offset, const char *scrape,
	struct tuner_error *err);

/* ---- reading ---- */

enum trial_order { TRIAL_BY_NUMBER, TRIAL_BY_END, TRIAL_BY_OBJECTIVE };

struct trial_filter {
	int64_t job_id;
	const char *arm; /* NULL: all */
	int64_t repeat; /* -1: all */
	unsigned states; /* bits 1u << state; 0: all */
	int64_t number; /* 0: all */
	int64_t up_to_event; /* ended by an event <= this; 0: all */
	enum trial_order
		order; /* BY_END: in commit order, open trials last. BY_OBJECTIVE: DONE trials best
			  first by the job's goal, equal ones by number, others last */
	bool own; /* without trials observed elsewhere (source "added") */
	bool newest; /* with limit: the last ones instead of the first, still in order */
	int64_t limit; /* 0: all */
	bool without_values; /* values stay NULL and d 0: half the time, for callers that read
				`parameters` only */
};

TUNER_MUST_CHECK
bool trial_select(struct store *store, const struct trial_filter *filter, struct trial_list *ret,
	struct tuner_error *err);

/* Number of trials of an arm's repeat ever created. */
TUNER_MUST_CHECK
bool trial_created(struct store *store, int64_t job_id, const char *arm, int64_t repeat,
	int64_t *ret, struct tuner_error *err);

/* Number of trials in each state: all, or only the job's own, without those observed elsewhere
 * (source "added"). */
TUNER_MUST_CHECK
bool trial_count(struct store *store, int64_t job_id, int64_t ret_counts[TRIAL_STATES],
	struct tuner_error *err);
TUNER_MUST_CHECK
bool trial_count_own(struct store *store, int64_t job_id, int64_t ret_counts[TRIAL_STATES],
	struct tuner_error *err);

/* Number of the job's own trials of an arm's repeat. */
TUNER_MUST_CHECK
bool trial_count_search(struct store *store, int64_t job_id, const char *arm, int64_t repeat,
	int64_t *ret, struct tuner_error *err);

/* The job's own trials that failed or were stopped: their number by outcome, and the number of the
 * trial that failed last (0: none). */
TUNER_MUST_CHECK
bool trial_count_outcomes(struct store *store, int64_t job_id, int64_t ret_counts[OUTCOMES],
	int64_t *ret_last_failed, struct tuner_error *err);

/* Attempts of a trial (trial_id), or those of a job that are not ENDED (trial_id 0), by id. */
TUNER_MUST_CHECK
bool attempt_select(struct store *store, int64_t job_id, int64_t trial_id, struct attempt_list *ret,
	struct tuner_error *err);

struct curve {
	char *name; /* metric */
	size_t n;
	int64_t *steps; /* rising */
	double *values;
	int64_t *time_us;
	int64_t newest; /* the newest attempt that has reported the metric */
};

struct curve_list {
	struct curve *items;
	size_t n;
};

void curve_list_finish(struct curve_list *list);

/* The curves of a trial: at each step the value of the latest attempt. An attempt's points beyond
 * the last step of a later attempt that has reported the metric are left out: the later one began
 * anew, or farther back. name NULL: every metric. */
TUNER_MUST_CHECK
bool curve_select(struct store *store, int64_t trial_id, const char *name, struct curve_list *ret,
	struct tuner_error *err);

/* The decision of a trial. The caller frees *ret_memory, into which all its pointers point. */
TUNER_MUST_CHECK
bool decision_load(struct store *store, int64_t trial_id, struct decision *ret, char **ret_memory,
	struct tuner_error *err);

/* The newest decision of an arm that has hyperparameters; *ret_found false if none has. */
TUNER_MUST_CHECK
bool decision_latest(struct store *store, int64_t job_id, const char *arm, int64_t repeat,
	struct decision *ret, char **ret_memory, bool *ret_found, struct tuner_error *err);

/* Predictions for judging gains (suggest.h) by the last `size` decisions of an arm under its job's
 * present objective, oldest first. */
struct prognosis {
	double mean, sd, incumbent; /* user's unit and sign; NaN: no model */
	double over; /* probability of breaking a limit; 0 without limits */
};
TUNER_MUST_CHECK
bool decision_prognoses(struct store *store, int64_t job_id, const char *arm, int64_t repeat,
	struct prognosis *ret, size_t size, size_t *ret_n, struct tuner_error *err);

/* The quasi-random sequence position after the arm's newest decision (0 at first). */
TUNER_MUST_CHECK
bool decision_sequence(struct store *store, int64_t job_id, const char *arm, int64_t repeat,
	int64_t *ret_sequence, struct tuner_error *err);

#endif
