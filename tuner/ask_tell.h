/* Asking for configurations and telling what became of them, for callers that evaluate them in their own
 * way: no command, no hosts, no loop.
 *
 *     ask_tell_open -> [ask_tell_ask | ask_tell_tell | ask_tell_add] ... -> ask_tell_close
 *
 * What is asked comes from the same history, proposer and queue as in `run`, so the same results at
 * one trial at a time give the same proposals, bit for bit. With a store every call is committed
 * before it returns, in the same tables; a trial that was asked for has an attempt of backend
 * ATTEMPT_CALLER, RUNNING until it is told. Without a store nothing is written anywhere.
 *
 * An error with TUNER_USAGE (a wrong question) leaves everything as it was; any other is the end: what is
 * committed stands, what is in memory may be ahead of it. */
#ifndef TUNER_ASK_TELL_H
#define TUNER_ASK_TELL_H

#include "tuner/jobfile.h"

#include "trials/trial.h"

struct ask_tell;

struct ask_tell_settings {
	const struct job_file *file; /* lives as long as the ask_tell, as the others do */
	struct store *store; /* STORE_WRITE, no transaction open; NULL: nothing is written */
	int64_t job_id;
	const char *host; /* this machine's name */
	int64_t lease_us; /* what is asked for now and not told of for so long is no longer pending, and
			     may be proposed again; 0: it stays pending */
};

/* Reads the history, once. Trials that were asked for earlier and not told stay pending. */
TUNER_MUST_CHECK
bool ask_tell_open(
	const struct ask_tell_settings *settings, struct ask_tell **ret, struct tuner_error *err);
void ask_tell_close(struct ask_tell *ask_tell); /* not the store */
const struct job_file *ask_tell_file(const struct ask_tell *ask_tell);

struct asked {
	int64_t number; /* of the trial in its job */
	const double *values; /* valid until the trial is told of */
};

/* One configuration, which knows of all that is pending. The budget's number of trials is no bound: the
 * caller counts. *ret_exhausted: a finite space has nothing left to try, and ret is not set. */
TUNER_MUST_CHECK
bool ask_tell_ask(
	struct ask_tell *ask_tell, struct asked *ret, bool *ret_exhausted, struct tuner_error *err);

enum told_kind {
	TOLD_VALUE, /* the objective; NaN is the failure "nan" */
	TOLD_FAILED, /* outcome */
	TOLD_STEP, /* value at a step: the trial goes on, and its lease begins anew */
};

struct told {
	enum told_kind kind;
	double value; /* user's unit and sign */
	int64_t step;
	enum outcome outcome;
};

struct told_answer {
	enum trial_state state; /* of the trial now */
	enum outcome outcome; /* OUTCOME_NONE: it goes on */
	double objective; /* NaN: none */
	bool best; /* it is the best of all so far */
	bool stop; /* TOLD_STEP: the job's early-stopping rule would end it */
	char reason[160]; /* of the rule, also if it goes on; "" without a rule */
};

/* What became of a trial; also after its lease. TUNER_USAGE for a trial that was never asked for, was told
 * already or is run by `tuner run`. */
TUNER_MUST_CHECK
bool ask_tell_tell(struct ask_tell *ask_tell, int64_t number, const struct told *told,
	struct told_answer *ret, struct tuner_error *err);

/* An observation made elsewhere: a JSON object with all parameters, inside the space, and what became of
 * it (no step). It becomes a trial of source "added". The same configuration may come again. */
TUNER_MUST_CHECK
bool ask_tell_add(struct ask_tell *ask_tell, const char *parameters, const struct told *told,
	int64_t *ret_number, struct told_answer *ret, struct tuner_error *err);

/* A reason of {"failed": ...}: an outcome that the configuration caused ("nan", "diverged", "crashed",
 * "oom-gpu", "no-metric", "timeout"), or an end before its time ("early-stopped", "user-stopped").
 * TUNER_USAGE explains the others. */
TUNER_MUST_CHECK
bool told_outcome(const char *reason, enum outcome *ret, struct tuner_error *err);

/* Executes and answers what other processes ask by rows of `request` while this one holds the database:
 * "enqueue"; "stop" is refused, since the caller decides. Nothing without a store. */
TUNER_MUST_CHECK
bool ask_tell_serve(struct ask_tell *ask_tell, struct tuner_error *err);

#endif
