/* What follows from the end of an attempt: the table of the architecture page, section 5, with what the
 * job file changes of it ("outcomes"). */
#ifndef TUNER_OUTCOME_RULES_H
#define TUNER_OUTCOME_RULES_H

#include "trials/trial.h"

enum outcome_action {
	THEN_FAIL, /* the configuration's failure: the model learns it */
	THEN_RETRY, /* another attempt, of which the model never hears */
	THEN_END, /* of the job */
};

const char *outcome_action_name(enum outcome_action action); /* "fail" ... */

struct outcome_rule {
	bool given; /* by the job file */
	enum outcome_action then;
	bool own_retries; /* else it shares the job's */
	int64_t retries; /* its own; below 0: without a limit */
};

struct outcome_rule outcome_default(enum outcome outcome);

/* How often the earlier attempts of a trial ended in which way. */
struct outcome_counts {
	unsigned of[OUTCOMES];
};

struct ended_attempt {
	enum outcome outcome;
	struct outcome_counts before; /* this one not included */
	bool reported; /* the objective's metric, at least once */
	bool shared_gpu; /* with another trial, at some time */
	bool retry, end; /* asked for by a rule of "failures" */
};

struct consequence {
	enum trial_state trial;
	enum outcome
		counts_as; /* the trial's outcome: "crashed" where the configuration answers for
				 * what is the machine's by default; else the attempt's */
	bool end_job;
};

/* Out of GPU memory beside another trial says nothing of the configuration: it is launched again, alone on its GPU,
 * once, and no retry is counted for it. Only a rule that ends the job goes first.
 *
 * rules[OUTCOMES]; `retries` is what those without their own share. A pure function. */
struct consequence outcome_consequence(
	const struct outcome_rule *rules, int64_t retries, const struct ended_attempt *ended);

/* Caused by the machine, its people or its cluster: never reaches the model. */
bool outcome_is_infrastructure(enum outcome outcome);
enum outcome outcome_from_name(const char *name); /* OUTCOME_CRASHED for an unknown one */

/* From the end of a trial's n-th attempt to its next: backoff_us, doubled n - 1 times up to an hour,
 * times 0.75 to 1.25 by chance, so that what failed at once is not launched at once. A pure function. */
int64_t outcome_backoff_us(int64_t backoff_us, uint64_t seed, int64_t number, int64_t attempts);

#endif
