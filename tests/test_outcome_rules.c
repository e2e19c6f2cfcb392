/* tuner/outcome_rules.h: the table of the architecture page, and what a job file changes of it. */
#include "tuner/outcome_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { RETRIES = 2 };

static void defaults(struct outcome_rule rules[OUTCOMES])
{
	for (enum outcome o = OUTCOME_NONE; o < OUTCOMES; o++)
		rules[o] = outcome_default(o);
}

static struct consequence after(
	const struct outcome_rule *rules, enum outcome outcome, unsigned before, bool reported)
{
	struct ended_attempt ended = { .outcome = outcome, .reported = reported };
	ended.before.of[outcome] = before;
	return outcome_consequence(rules, RETRIES, &ended);
}

static void the_table_of_the_architecture_is_the_default(void **state)
{
	static const struct {
		enum outcome outcome;
		unsigned before;
		bool reported;
		enum trial_state trial;
	} cases[] = {
		{ OUTCOME_OK, 0, true, TRIAL_DONE },
		{ OUTCOME_EARLY_STOPPED, 0, true, TRIAL_STOPPED },
		{ OUTCOME_USER_STOPPED, 0, false, TRIAL_STOPPED },
		{ OUTCOME_TIMEOUT, 0, true, TRIAL_STOPPED },
		{ OUTCOME_TIMEOUT, 0, false, TRIAL_FAILED },
		{ OUTCOME_PREEMPTED, 1000, true, TRIAL_PROPOSED },
		{ OUTCOME_INTERRUPTED, 1000, false, TRIAL_PROPOSED },
		{ OUTCOME_LOST, 0, true, TRIAL_PROPOSED },
		{ OUTCOME_LOST, RETRIES - 1, false, TRIAL_PROPOSED },
		{ OUTCOME_LOST, RETRIES, true, TRIAL_FAILED },
		{ OUTCOME_LAUNCH_FAILED, 1, false, TRIAL_PROPOSED },
		{ OUTCOME_OOM_HOST, 1, true, TRIAL_PROPOSED },
		{ OUTCOME_DISK_FULL, 2, false, TRIAL_FAILED },
		{ OUTCOME_NAN, 0, true, TRIAL_FAILED },
		{ OUTCOME_DIVERGED, 0, true, TRIAL_FAILED },
		{ OUTCOME_OOM_GPU, 0, false, TRIAL_FAILED },
		{ OUTCOME_NO_METRIC, 0, false, TRIAL_FAILED },
		{ OUTCOME_CRASHED, 0, true, TRIAL_FAILED },
	};
	struct outcome_rule rules[OUTCOMES];

	defaults(rules);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct consequence got =
			after(rules, cases[i].outcome, cases[i].before, cases[i].reported);
		if (got.trial != cases[i].trial || got.end_job || got.counts_as != cases[i].outcome)
			fail_msg("case %zu, %s: %s", i, outcome_name(cases[i].outcome),
				trial_state_name(got.trial));
	}
}

static void failures_of_all_kinds_share_the_retries(void **state)
{
	struct outcome_rule rules[OUTCOMES];
	struct ended_attempt ended = { .outcome = OUTCOME_LOST };

	defaults(rules);
	ended.before.of[OUTCOME_DISK_FULL] = 1;
	ended.before.of[OUTCOME_PREEMPTED] = ended.before.of[OUTCOME_INTERRUPTED] = 50;
	assert_int_equal(outcome_consequence(rules, RETRIES, &ended).trial, TRIAL_PROPOSED);
	ended.before.of[OUTCOME_OOM_HOST] = 1;
	assert_int_equal(outcome_consequence(rules, RETRIES, &ended).trial, TRIAL_FAILED);
	/* One with retries of its own counts, and is counted, for itself. */
	rules[OUTCOME_OOM_HOST] = (struct outcome_rule){ true, THEN_RETRY, true, 5 };
	assert_int_equal(outcome_consequence(rules, RETRIES, &ended).trial, TRIAL_PROPOSED);
	assert_int_equal(after(rules, OUTCOME_OOM_HOST, 4, false).trial, TRIAL_PROPOSED);
	assert_int_equal(after(rules, OUTCOME_OOM_HOST, 5, false).trial, TRIAL_FAILED);
}

static void a_rule_turns_a_class_around(void **state)
{
	struct outcome_rule rules[OUTCOMES];

	defaults(rules);
	rules[OUTCOME_OOM_GPU] = (struct outcome_rule){ true, THEN_RETRY, false, 0 };
	rules[OUTCOME_OOM_HOST] = (struct outcome_rule){ true, THEN_FAIL, false, 0 };
	rules[OUTCOME_TIMEOUT] = (struct outcome_rule){ true, THEN_FAIL, false, 0 };
	rules[OUTCOME_NO_METRIC] = (struct outcome_rule){ true, THEN_END, false, 0 };
	rules[OUTCOME_DISK_FULL] = (struct outcome_rule){ true, THEN_END, false, 0 };

	assert_int_equal(after(rules, OUTCOME_OOM_GPU, 1, true).trial, TRIAL_PROPOSED);
	assert_int_equal(after(rules, OUTCOME_OOM_GPU, 2, true).trial, TRIAL_FAILED);
	assert_int_equal(after(rules, OUTCOME_OOM_GPU, 2, true).counts_as, OUTCOME_OOM_GPU);

	/* The model learns by the trial's outcome: it must not be one of the machine's. */
	const struct consequence blamed = after(rules, OUTCOME_OOM_HOST, 0, true);
	assert_int_equal(blamed.trial, TRIAL_FAILED);
	assert_false(outcome_is_infrastructure(blamed.counts_as));
	assert_int_equal(after(rules, OUTCOME_TIMEOUT, 0, true).trial, TRIAL_FAILED);

	/* An end keeps what the machine did for the next run. */
	assert_true(after(rules, OUTCOME_NO_METRIC, 0, false).end_job);
	assert_int_equal(after(rules, OUTCOME_NO_METRIC, 0, false).trial, TRIAL_FAILED);
	assert_true(after(rules, OUTCOME_DISK_FULL, 9, false).end_job);
	assert_int_equal(after(rules, OUTCOME_DISK_FULL, 9, false).trial, TRIAL_PROPOSED);
}

static void a_pattern_of_failures_may_ask_for_more(void **state)
{
	struct outcome_rule rules[OUTCOMES];
	struct ended_attempt ended = { .outcome = OUTCOME_CRASHED, .retry = true };

	defaults(rules);
	assert_int_equal(outcome_consequence(rules, RETRIES, &ended).trial, TRIAL_PROPOSED);
	ended.before.of[OUTCOME_CRASHED] = RETRIES;
	assert_int_equal(outcome_consequence(rules, RETRIES, &ended).trial, TRIAL_FAILED);
	ended.retry = false;
	ended.end = true;
	assert_true(outcome_consequence(rules, RETRIES, &ended).end_job);
	assert_int_equal(outcome_consequence(rules, RETRIES, &ended).trial, TRIAL_PROPOSED);
}

static void out_of_memory_on_a_shared_gpu_is_tried_alone_once(void **state)
{
	struct outcome_rule rules[OUTCOMES];
	struct ended_attempt ended = { .outcome = OUTCOME_OOM_GPU, .shared_gpu = true };

	defaults(rules);
	assert_int_equal(outcome_consequence(rules, 0, &ended).trial, TRIAL_PROPOSED);
	ended.before.of[OUTCOME_OOM_GPU] = 1;
	assert_int_equal(outcome_consequence(rules, RETRIES, &ended).trial, TRIAL_FAILED);
	/* It used up no retry. */
	ended.outcome = OUTCOME_LOST;
	assert_int_equal(outcome_consequence(rules, 1, &ended).trial, TRIAL_PROPOSED);
	ended.before.of[OUTCOME_LOST] = 1;
	assert_int_equal(outcome_consequence(rules, 1, &ended).trial, TRIAL_FAILED);
	/* Other failures beside a neighbour stay what they are, and rules that end the job go first. */
	ended = (struct ended_attempt){ .outcome = OUTCOME_CRASHED, .shared_gpu = true };
	assert_int_equal(outcome_consequence(rules, RETRIES, &ended).trial, TRIAL_FAILED);
	ended.outcome = OUTCOME_OOM_GPU;
	rules[OUTCOME_OOM_GPU] = (struct outcome_rule){ true, THEN_END, false, 0 };
	assert_true(outcome_consequence(rules, RETRIES, &ended).end_job);
}

static void the_wait_doubles_up_to_an_hour_and_has_chance_that_repeats(void **state)
{
	const int64_t second = 1000000, hour = 3600 * second;

	for (int64_t attempts = 1; attempts <= 20; attempts++) {
		const int64_t wait = outcome_backoff_us(10 * second, 7, 3, attempts);
		const double plain =
			attempts > 9 ? (double)hour : (double)(10 * second) * (1 << (attempts - 1));
		assert_true((double)wait >= 0.75 * plain - 1 && (double)wait <= 1.25 * plain + 1);
		assert_int_equal(wait, outcome_backoff_us(10 * second, 7, 3, attempts));
	}
	assert_int_not_equal(
		outcome_backoff_us(10 * second, 7, 3, 1), outcome_backoff_us(10 * second, 7, 4, 1));
	assert_int_not_equal(
		outcome_backoff_us(10 * second, 7, 3, 1), outcome_backoff_us(10 * second, 8, 3, 1));
	assert_int_equal(outcome_backoff_us(0, 7, 3, 5), 0);
	/* A longer one than an hour stays what it is. */
	assert_true(outcome_backoff_us(2 * hour, 7, 3, 9) <= 5 * hour / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_of_the_architecture_is_the_default),
		cmocka_unit_test(failures_of_all_kinds_share_the_retries),
		cmocka_unit_test(a_rule_turns_a_class_around),
		cmocka_unit_test(a_pattern_of_failures_may_ask_for_more),
		cmocka_unit_test(out_of_memory_on_a_shared_gpu_is_tried_alone_once),
		cmocka_unit_test(the_wait_doubles_up_to_an_hour_and_has_chance_that_repeats),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
