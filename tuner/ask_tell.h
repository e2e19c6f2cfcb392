/* Asks for configurations and tells their results, for callers that evaluate them themselves: no
 * command, no hosts, no loop.
 *
 *     ask_tell_open -> [ask_tell_ask | ask_tell_tell | ask_tell_add] ... -> ask_tell_close
 *
 * Configurations come from the same history, proposer and queue as in `run`, so with one trial at a
 * time the same results give the same proposals, bit for bit. With a store every call is committed
 * before it returns, in the same tables; a trial that was asked for has an attempt of backend
 * ATTEMPT_CALLER, RUNNING until its result is told. Without a store nothing is written anywhere.
 *
 * A TUNER_USAGE error (a wrong question) changes nothing. After any other error only close may be
 * called: what is committed stands, but the state in memory may be ahead of it. */
#ifndef TUNER_ASK_TELL_H
#define TUNER_ASK_TELL_H

#include "tuner/jobfile.h"
#include "tuner/objective.h"
#include "tuner/told_metrics.h"

#include "trials/trial.h"

struct ask_tell;

struct ask_tell_settings {
	const struct job_file *file; /* must outlive the ask_tell, like the other pointers */
	struct store *store; /* STORE_WRITE, no transaction open; NULL: nothing is written */
	int64_t job_id;
	const char *host; /* this machine's name */
	int64_t lease_us; /* a trial asked for now and not told for this long is no longer pending,
			     and its configuration may be proposed again; 0: it stays pending */
};

/* Reads the history once. Trials that were asked for earlier and not told stay pending. */
TUNER_MUST_CHECK
bool ask_tell_open(
	const struct ask_tell_settings *settings, struct ask_tell **ret, struct tuner_error *err);
void ask_tell_close(struct ask_tell *ask_tell); /* does not close the store */
const struct job_file *ask_tell_file(const struct ask_tell *ask_tell);

struct asked {
	int64_t number; /* of the trial in its job */
	const double *values; /* valid until the trial is told */
};

/* Proposes one configuration, taking all pending ones into account. The budget's number of trials
 * is not enforced: the caller counts. *ret_exhausted: a finite space has nothing left to try, and
 * ret is not set. */
TUNER_MUST_CHECK
bool ask_tell_ask(
	struct ask_tell *ask_tell, struct asked *ret, bool *ret_exhausted, struct tuner_error *err);

enum told_kind {
	TOLD_VALUE, /* the objective; NaN is the failure "nan" */
	TOLD_FAILED, /* outcome */
	TOLD_STEP, /* value at a step: the trial continues, and its lease starts again */
};

struct told {
	enum told_kind kind;
	double value; /* user's unit and sign */
	int64_t step;
	enum outcome outcome;
	struct told_metrics metrics; /* of a value: those that the job's limits need */
};

struct told_answer {
	enum trial_state state; /* the trial's state now */
	enum outcome outcome; /* OUTCOME_NONE: the trial continues */
	double objective; /* NaN: none */
	struct judgement judgement; /* of a value; n 0: the job has none */
	char broken[LIMITS_MESSAGE_BYTES]; /* which of them, of a trial over a limit; else "" */
	bool best; /* the trial is the best so far */
	bool stop; /* TOLD_STEP: the job's early-stopping rule would end the trial */
	char reason[160]; /* the rule's, also if the trial continues; "" without a rule */
};

/* Records a trial's result, also after its lease has ended. TUNER_USAGE for a trial that was never
 * asked for, was told already or is run by `tuner run`, and for metrics that do not fit the job's
 * limits. */
TUNER_MUST_CHECK
bool ask_tell_tell(struct ask_tell *ask_tell, int64_t number, const struct told *told,
	struct told_answer *ret, struct tuner_error *err);

/* Adds an observation made elsewhere: a JSON object with all parameters, inside the space, and its
 * result (not a step). It becomes a trial of source "added". A configuration may be added
 * repeatedly. */
TUNER_MUST_CHECK
bool ask_tell_add(struct ask_tell *ask_tell, const char *parameters, const struct told *told,
	int64_t *ret_number, struct told_answer *ret, struct tuner_error *err);

/* Parses the reason of {"failed": ...}: an outcome caused by the configuration ("nan", "diverged",
 * "crashed", "oom-gpu", "no-metric", "timeout"), or an early end ("early-stopped", "user-stopped").
 * TUNER_USAGE says why others are refused. */
TUNER_MUST_CHECK
bool told_outcome(const char *reason, enum outcome *ret, struct tuner_error *err);

/* Executes and answers requests that other processes have put into the table `request` while this
 * one holds the database: "enqueue"; "stop" is refused, since the caller decides. Does nothing
 * without a store. */
TUNER_MUST_CHECK
bool ask_tell_serve(struct ask_tell *ask_tell, struct tuner_error *err);

#endif
