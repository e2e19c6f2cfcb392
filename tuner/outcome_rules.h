/* What follows from the end of an attempt: the table in architecture.md, section 5, with the job
 * file's changes ("outcomes"). */
#ifndef TUNER_OUTCOME_RULES_H
#define TUNER_OUTCOME_RULES_H

#include "trials/trial.h"

enum outcome_action {
	THEN_FAIL, /* the configuration's failure: the model learns from it */
	THEN_RETRY, /* another attempt; the model does not see this one */
	THEN_END, /* the job ends */
};

const char *outcome_action_name(enum outcome_action action); /* "fail" ... */

struct outcome_rule {
	bool given; /* by the job file */
	enum outcome_action then;
	bool own_retries; /* else it shares the job's */
	int64_t retries; /* its own limit; negative: unlimited */
};

struct outcome_rule outcome_default(enum outcome outcome);

/* How often earlier attempts of a trial ended with each outcome. */
struct outcome_counts {
	unsigned of[OUTCOMES];
};

struct ended_attempt {
	enum outcome outcome;
	struct outcome_counts before; /* without this one */
	bool reported; /* the objective's metric was reported at least once */
	bool shared_gpu; /* shared a GPU with another trial at some time */
	bool retry, end; /* asked for by a rule of "failures" */
};

struct consequence {
	enum trial_state trial;
	enum outcome
		counts_as; /* the trial's outcome: "crashed" if the rules blame the configuration
			      for a failure that is the machine's by default; else the attempt's */
	bool end_job;
};

/* Running out of GPU memory beside another trial says nothing about the configuration: the trial is
 * launched again once, alone on its GPU, without counting as a retry. Only a rule that ends the job
 * takes precedence.
 *
 * rules[OUTCOMES]; `retries` is shared by rules without their own limit. A pure function. */
struct consequence outcome_consequence(
	const struct outcome_rule *rules, int64_t retries, const struct ended_attempt *ended);

/* Whether it is caused by the machine, its users or its cluster, and so never reaches the model. */
bool outcome_is_infrastructure(enum outcome outcome);
enum outcome outcome_from_name(const char *name); /* OUTCOME_CRASHED for an unknown one */

/* The wait between a trial's n-th attempt and the next: backoff_us, doubled n - 1 times up to an
 * hour, times a random factor from 0.75 to 1.25, so that trials that failed together are not
 * launched together. A pure function. */
int64_t outcome_backoff_us(int64_t backoff_us, uint64_t seed, int64_t number, int64_t attempts);

#endif
