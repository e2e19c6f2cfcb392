#include "tuner/outcome_rules.h"

#include "base/random.h"

#include <string.h>

const char *outcome_action_name(enum outcome_action action)
{
	static const char *const names[] = {
		[THEN_FAIL] = "fail", [THEN_RETRY] = "retry", [THEN_END] = "end"
	};

	return names[action];
}

bool outcome_is_infrastructure(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_LOST:
	case OUTCOME_LAUNCH_FAILED:
	case OUTCOME_OOM_HOST:
	case OUTCOME_DISK_FULL:
	case OUTCOME_PREEMPTED:
	case OUTCOME_INTERRUPTED:
		return true;
	default:
		return false;
	}
}

enum outcome outcome_from_name(const char *name)
{
	for (enum outcome o = OUTCOME_OK; o < OUTCOMES; o++)
		if (strcmp(outcome_name(o), name) == 0)
			return o;
	return OUTCOME_CRASHED;
}

/* Preemptions and interruptions are retried without limit: they may happen any number of times. */
struct outcome_rule outcome_default(enum outcome outcome)
{
	const bool always = outcome == OUTCOME_PREEMPTED || outcome == OUTCOME_INTERRUPTED;

	return (struct outcome_rule){
		.then = outcome_is_infrastructure(outcome) ? THEN_RETRY : THEN_FAIL,
		.own_retries = always,
		.retries = always ? -1 : 0,
	};
}

/* If no rule retries it, running out of GPU memory was retried only because the GPU was shared. */
static bool is_free_of_charge(const struct outcome_rule *rules, enum outcome outcome)
{
	return outcome == OUTCOME_OOM_GPU && rules[outcome].then != THEN_RETRY;
}

static bool tries_left(const struct outcome_rule *rules, const struct outcome_rule *rule,
	int64_t retries, const struct ended_attempt *ended)
{
	int64_t used = 0;

	if (rule->own_retries)
		return rule->retries < 0 || ended->before.of[ended->outcome] < rule->retries;
	for (enum outcome o = OUTCOME_OK; o < OUTCOMES; o++)
		used += rules[o].own_retries || is_free_of_charge(rules, o) ? 0
									    : ended->before.of[o];
	return used < retries;
}

static bool is_our_packing(const struct ended_attempt *ended)
{
	return ended->outcome == OUTCOME_OOM_GPU && ended->shared_gpu &&
	       ended->before.of[OUTCOME_OOM_GPU] == 0;
}

static void fail(
	const struct outcome_rule *rule, const struct ended_attempt *ended, struct consequence *ret)
{
	const bool infrastructure = outcome_is_infrastructure(ended->outcome);

	ret->trial = TRIAL_FAILED;
	if (ended->outcome == OUTCOME_TIMEOUT && ended->reported &&
		!(rule->given && rule->then == THEN_FAIL))
		ret->trial = TRIAL_STOPPED;
	else if (infrastructure && rule->then == THEN_FAIL)
		ret->counts_as = OUTCOME_CRASHED;
}

struct consequence outcome_consequence(
	const struct outcome_rule *rules, int64_t retries, const struct ended_attempt *ended)
{
	struct outcome_rule rule = rules[ended->outcome];
	struct consequence ret = { .trial = TRIAL_PROPOSED, .counts_as = ended->outcome };

	if (ended->retry)
		rule = (struct outcome_rule){ .given = true, .then = THEN_RETRY };
	if (ended->outcome == OUTCOME_OK) {
		ret.trial = TRIAL_DONE;
	} else if (ended->outcome == OUTCOME_EARLY_STOPPED ||
		   ended->outcome == OUTCOME_USER_STOPPED) {
		ret.trial = TRIAL_STOPPED;
	} else if (ended->end) {
		ret.end_job = true;
	} else if (rule.then != THEN_END && is_our_packing(ended)) {
		ret.trial = TRIAL_PROPOSED;
	} else if (rule.then == THEN_END) {
		ret.end_job = true;
		if (!outcome_is_infrastructure(ended->outcome))
			fail(&rule, ended, &ret);
	} else if (rule.then == THEN_FAIL || !tries_left(rules, &rule, retries, ended)) {
		fail(&rule, ended, &ret);
	}
	return ret;
}

int64_t outcome_backoff_us(int64_t backoff_us, uint64_t seed, int64_t number, int64_t attempts)
{
	static const int64_t HOUR_US = INT64_C(3600000000);
	const int64_t longest = backoff_us > HOUR_US ? backoff_us : HOUR_US;
	struct random random;
	int64_t wait_us = backoff_us;
	double chance = 0;

	random_init(&random, (struct random_key){ seed, 0, (uint32_t)number, RANDOM_BACKOFF });
	for (int64_t n = 1; n <= attempts; n++) {
		chance = random_uniform(&random);
		if (n > 1)
			wait_us = wait_us > longest / 2 ? longest : 2 * wait_us;
	}
	return (int64_t)((double)wait_us * (0.75 + 0.5 * chance));
}
