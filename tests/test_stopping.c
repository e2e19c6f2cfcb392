/* surrogate/stopping.h: verdicts over learning curves. */
#include "surrogate/stopping.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { CURVES_MAX = 32, STEPS_MAX = 100 };

/* A trial beside others; every curve reports at the steps 1, 2, 3 ... */
struct fixture {
	struct stopping_settings settings;
	double steps[STEPS_MAX];
	double values[CURVES_MAX][STEPS_MAX];
	struct learning_curve others[CURVES_MAX];
	size_t n_others;
	double trial_values[STEPS_MAX];
	struct learning_curve trial;
};

static void set_up(struct fixture *f, enum stopping_rule rule)
{
	memset(f, 0, sizeof *f);
	f->settings.rule = rule;
	for (size_t i = 0; i < STEPS_MAX; i++)
		f->steps[i] = (double)(i + 1);
	f->trial = (struct learning_curve){ f->steps, f->trial_values, 0, false };
}

static void add_constant(struct fixture *f, double value, size_t n, bool finished)
{
	double *values = f->values[f->n_others];

	for (size_t i = 0; i < n; i++)
		values[i] = value;
	f->others[f->n_others++] = (struct learning_curve){ f->steps, values, n, finished };
}

/* Full curves of ten steps at the constant values 1, 2 ... n. */
static void add_levels(struct fixture *f, size_t n)
{
	for (size_t i = 1; i <= n; i++)
		add_constant(f, (double)i, 10, true);
}

static void report(struct fixture *f, double value)
{
	f->trial_values[f->trial.n++] = value;
}

static void report_times(struct fixture *f, double value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		report(f, value);
}

/* The same curves added up: the verdict is the same. */
static void assert_same_of_sums(const struct fixture *f, const struct stopping_verdict *wanted)
{
	static double sums[CURVES_MAX][STEPS_MAX];
	struct learning_curve others[CURVES_MAX];
	struct stopping_verdict verdict;
	struct tuner_error err;

	for (size_t i = 0; i < f->n_others; i++) {
		others[i] = f->others[i];
		others[i].best = stopping_add_up(others[i].values, others[i].n, sums[i]);
		others[i].sums = sums[i];
	}
	assert_true(stopping_judge(&f->settings, &f->trial, others, f->n_others, &verdict, &err));
	assert_int_equal(verdict.stop, wanted->stop);
	assert_string_equal(verdict.reason, wanted->reason);
}

static struct stopping_verdict judge(const struct fixture *f)
{
	struct stopping_verdict verdict;
	struct tuner_error err;

	if (!stopping_judge(&f->settings, &f->trial, f->others, f->n_others, &verdict, &err))
		fail_msg("%s", err.message);
	assert_true(strlen(verdict.reason) > 0 && strchr(verdict.reason, '\n') == NULL);
	assert_same_of_sums(f, &verdict);
	return verdict;
}

static bool stops(const struct fixture *f)
{
	return judge(f).stop;
}

static void assert_reason(const struct fixture *f, const char *words)
{
	const struct stopping_verdict verdict = judge(f);

	if (strstr(verdict.reason, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", verdict.reason, words);
}

/* ---- all rules ---- */

static const enum stopping_rule RULES[] = { STOPPING_MEDIAN, STOPPING_THRESHOLD, STOPPING_ASHA };

static void rules_have_their_names(void **state)
{
	assert_string_equal(stopping_rule_name(STOPPING_NONE), "none");
	assert_string_equal(stopping_rule_name(STOPPING_MEDIAN), "median");
	assert_string_equal(stopping_rule_name(STOPPING_THRESHOLD), "threshold");
	assert_string_equal(stopping_rule_name(STOPPING_ASHA), "asha");
}

static void a_value_that_is_no_number_or_infinitely_bad_stops_at_once(void **state)
{
	static const double bad[] = { NAN, INFINITY };
	struct fixture f;

	for (size_t k = 0; k < 3; k++)
		for (size_t i = 0; i < 2; i++) {
			set_up(&f, RULES[k]);
			f.settings.grace = 7; /* and the job file's reference says so */
			report(&f, bad[i]);
			assert_true(stops(&f));
			set_up(&f, RULES[k]);
			report(&f, bad[i]);
			report(&f, 1);
			assert_false(stops(&f)); /* it has recovered */
		}
}

static void a_value_that_nothing_can_be_better_than_never_stops(void **state)
{
	struct fixture f;

	for (size_t k = 0; k < 3; k++)
		for (int among_equals = 0; among_equals < 2; among_equals++) {
			set_up(&f, RULES[k]);
			f.settings.no_top = true;
			add_levels(&f, 6);
			for (int i = 0; i < 6 * among_equals; i++)
				add_constant(&f, -INFINITY, 10, true);
			for (size_t n = 1; n <= 10; n++) {
				report(&f, -INFINITY);
				assert_false(stops(&f));
			}
		}
}

static void without_a_rule_or_a_report_a_trial_goes_on(void **state)
{
	struct fixture f;

	set_up(&f, STOPPING_NONE);
	report(&f, NAN);
	assert_false(stops(&f));
	for (size_t k = 0; k < 3; k++) {
		set_up(&f, RULES[k]);
		add_levels(&f, 6);
		assert_false(stops(&f));
	}
}

static void settings_out_of_range_are_refused(void **state)
{
	static const struct stopping_settings bad[] = {
		{ .max_step = -1 },
		{ .max_step = NAN },
		{ .grace = -1 },
		{ .grace = INFINITY },
		{ .margin = -1 },
		{ .margin = NAN },
		{ .rule = STOPPING_THRESHOLD, .bound = NAN },
		{ .rule = STOPPING_THRESHOLD, .bound = INFINITY },
		{ .min_step = 0.5 },
		{ .min_step = NAN },
		{ .eta = 1.5 },
		{ .eta = NAN },
	};
	struct tuner_error err = { 0 };
	struct fixture f;
	struct stopping_verdict verdict;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(stopping_check(&bad[i], &err));
		assert_int_equal(err.code, TUNER_USAGE);
		set_up(&f, STOPPING_NONE);
		assert_false(stopping_judge(&bad[i], &f.trial, f.others, 0, &verdict, &err));
	}
	assert_true(stopping_check(&(struct stopping_settings){ 0 }, &err));
}

/* ---- threshold ---- */

static void set_up_threshold(struct fixture *f)
{
	set_up(f, STOPPING_THRESHOLD);
	f->settings.bound = 5;
}

static void threshold_stops_at_the_second_report_beyond_the_bound(void **state)
{
	struct fixture f;

	set_up_threshold(&f);
	report_times(&f, 6, 2); /* of which the first lies within the grace of one step */
	assert_false(stops(&f));
	report(&f, 6);
	assert_true(stops(&f));
	assert_reason(&f, "6 at step 3 is worse than the bound 5");
}

static void threshold_forgives_a_single_outlier(void **state)
{
	struct fixture f;

	set_up_threshold(&f);
	report_times(&f, 4, 4);
	report(&f, 6);
	assert_false(stops(&f));
	report(&f, 4);
	report(&f, 6);
	assert_false(stops(&f));
	f.settings.patience = 1;
	assert_true(stops(&f));
	assert_reason(&f, "1 report in a row");
}

static void the_bound_itself_and_the_margin_are_within(void **state)
{
	struct fixture f;

	set_up_threshold(&f);
	report_times(&f, 5, 4);
	assert_false(stops(&f));
	set_up_threshold(&f);
	f.settings.margin = 0.5;
	report_times(&f, 5.5, 4);
	assert_false(stops(&f));
	report_times(&f, 5.51, 2);
	assert_true(stops(&f));
}

static void the_grace_lasts_up_to_and_including_its_step(void **state)
{
	struct fixture f;

	set_up_threshold(&f);
	f.settings.grace = 7;
	f.settings.patience = 1;
	report_times(&f, 6, 7);
	assert_false(stops(&f));
	report(&f, 6);
	assert_true(stops(&f));
}

/* Of a metric that is maximised the caller turns signs; the reason turns them back. */
static void reasons_speak_of_the_users_values(void **state)
{
	struct fixture f;

	set_up(&f, STOPPING_THRESHOLD);
	f.settings.bound = -0.5;
	f.settings.negated = true;
	report_times(&f, -0.25, 3);
	assert_true(stops(&f));
	assert_reason(&f, "0.25 at step 3 is worse than the bound 0.5");
}

/* ---- median ---- */

/* The running averages of the levels 1 ... 9 have the median 5 at every step. */
static void median_stops_what_is_worse_than_the_median_twice(void **state)
{
	struct fixture f;

	set_up(&f, STOPPING_MEDIAN);
	add_levels(&f, 9);
	report_times(&f, 5.1, 2);
	assert_false(stops(&f));
	report(&f, 5.1);
	assert_true(stops(&f));
	assert_reason(&f, "5.1 at step 3 is worse than 5, the median of 9");
	assert_reason(&f, "2 reports in a row");
	f.settings.patience = 1;
	assert_true(stops(&f));
	assert_reason(&f, "1 report in a row");
	set_up(&f, STOPPING_MEDIAN);
	add_levels(&f, 9);
	report_times(&f, 5, 9);
	assert_false(stops(&f));
}

/* SageMaker's rule compares with averages up to the step, not with the values there: curves that
 * fall from 10 to 1 average 5.5 after ten steps. */
static void median_compares_with_running_averages(void **state)
{
	struct fixture f;

	set_up(&f, STOPPING_MEDIAN);
	f.settings.no_top = true;
	for (size_t k = 0; k < 5; k++) {
		add_constant(&f, 0, 10, true);
		for (size_t i = 0; i < 10; i++)
			f.values[k][i] = 10 - (double)i;
	}
	report_times(&f, 5.4, 10);
	assert_false(stops(&f)); /* at step 10; 6.5, 6, 5.5 are the averages from step 8 on */
	f.trial_values[9] = 5.6;
	assert_false(stops(&f)); /* at step 9 5.4 is better than 6 */
	f.settings.patience = 1;
	assert_true(stops(&f));
	assert_reason(&f, "1 report in a row");
}

static void median_waits_for_five_full_curves(void **state)
{
	struct fixture f;

	set_up(&f, STOPPING_MEDIAN);
	f.settings.no_top = true;
	add_levels(&f, 4);
	add_constant(&f, 1, 9, false); /* running, or stopped: no full curve */
	report_times(&f, 100, 5);
	assert_false(stops(&f));
	assert_reason(&f, "4 of 5 full curves");
	add_constant(&f, 1, 10, true);
	assert_true(stops(&f));
}

/* What did not reach the step has no say in it. */
static void median_leaves_out_curves_that_ended_before(void **state)
{
	struct fixture f;

	set_up(&f, STOPPING_MEDIAN);
	f.settings.no_top = true;
	add_levels(&f, 5); /* median 3 */
	for (size_t i = 0; i < 6; i++)
		add_constant(&f, 50, 3, false);
	report_times(&f, 4, 3);
	assert_false(stops(&f)); /* at step 3 the median of 11 is 50 */
	report_times(&f, 4, 2);
	assert_true(stops(&f));
}

static void median_grants_a_tenth_of_a_full_curve(void **state)
{
	struct fixture f;

	set_up(&f, STOPPING_MEDIAN);
	for (size_t i = 1; i <= 9; i++)
		add_constant(&f, (double)i, 60, true);
	report_times(&f, 9.5, 7);
	assert_false(stops(&f)); /* the first of two reports must lie behind step 6 */
	report(&f, 9.5);
	assert_true(stops(&f));
	f.settings.max_step = 100;
	assert_false(stops(&f));
	f.settings.grace = 3;
	assert_true(stops(&f));
}

/* With steep curves the value may be worse than the median of averages and still be third. */
static void median_spares_the_best_three_at_the_step(void **state)
{
	struct fixture f;

	set_up(&f, STOPPING_MEDIAN);
	for (size_t k = 0; k < 9; k++) {
		add_constant(&f, 0, 10, true);
		for (size_t i = 1; i < 10; i++)
			f.values[k][i] = k < 2 ? 0 : 8;
	}
	report_times(&f, 7.9, 10);
	assert_false(stops(&f));
	assert_reason(&f, "among the best 3");
	f.settings.top = 2;
	assert_true(stops(&f));
}

/* Its last reports are bad, but no other trial was ever as good as its first. */
static void the_incumbent_is_never_stopped(void **state)
{
	struct fixture f;

	set_up(&f, STOPPING_MEDIAN);
	add_levels(&f, 9);
	report(&f, 0.5);
	report_times(&f, 100, 6);
	assert_false(stops(&f));
	assert_reason(&f, "best value so far");
	f.trial_values[0] = 1.5;
	assert_true(stops(&f));
}

static void curves_with_nan_count_as_bad_ones(void **state)
{
	struct fixture f;

	set_up(&f, STOPPING_MEDIAN);
	f.settings.no_top = true;
	add_constant(&f, 1, 10, true);
	add_constant(&f, 2, 10, true);
	add_constant(&f, NAN, 10, true);
	add_constant(&f, INFINITY, 10, true);
	add_constant(&f, NAN, 10, true);
	report_times(&f, 1e9, 5);
	assert_false(stops(&f)); /* the median of 1 2 inf inf inf is infinite */
	add_constant(&f, 3, 10, true);
	add_constant(&f, 3, 10, true);
	assert_true(stops(&f));
}

static void a_curve_of_both_infinities_has_a_bad_average_not_none(void **state)
{
	struct fixture f;

	set_up(&f, STOPPING_MEDIAN);
	f.settings.no_top = true;
	add_levels(&f, 5);
	f.values[0][0] = -INFINITY;
	f.values[0][1] = INFINITY;
	report_times(&f, 4.5, 6); /* median of 2 3 4 5 inf is 4 */
	assert_true(stops(&f));
}

/* The verdict depends on the curves, not on when it is asked for: later reports change nothing of
 * what was decided at a step. */
static void a_verdict_looks_no_further_than_the_trials_own_steps(void **state)
{
	struct fixture early, late;

	set_up(&early, STOPPING_MEDIAN);
	set_up(&late, STOPPING_MEDIAN);
	early.settings.max_step = late.settings.max_step = 10;
	for (size_t i = 1; i <= 9; i++) {
		add_constant(&early, (double)i, 5, true);
		add_constant(&late, (double)i, 5, true);
		for (size_t step = 5; step < 10; step++)
			late.values[i - 1][step] = 1000 * (double)i;
		late.others[i - 1].n = 10;
	}
	for (double value = 0; value < 12; value += 0.25) {
		early.trial.n = late.trial.n = 0;
		report_times(&early, value, 5);
		report_times(&late, value, 5);
		assert_int_equal(stops(&early), stops(&late));
	}
}

/* ---- asha ---- */

/* Rungs at 1, 3, 9 of curves that end at 27; nothing is spared by rank. */
static void set_up_asha(struct fixture *f)
{
	set_up(f, STOPPING_ASHA);
	f->settings.max_step = 27;
	f->settings.min_step = 1;
	f->settings.no_top = true;
}

/* From rung 3 to 9 the best third goes on: of ten values, whose 1/3-quantile is the fourth. */
static void asha_lets_the_best_third_of_a_rung_go_on(void **state)
{
	struct fixture f;

	for (double value = 0.5; value < 10; value++) {
		set_up_asha(&f);
		for (size_t i = 1; i <= 9; i++)
			add_constant(&f, (double)i, 3, false);
		report_times(&f, value, 3);
		assert_int_equal(stops(&f), value > 3.5);
	}
}

static void asha_judges_at_rungs_by_the_value_there(void **state)
{
	struct fixture f;

	set_up_asha(&f);
	for (size_t i = 1; i <= 9; i++)
		add_constant(&f, (double)i, 9, false);
	report_times(&f, 2, 3);
	report_times(&f, 100, 5);
	assert_false(stops(&f)); /* steps 4 to 8 are still judged by rung 3 */
	assert_reason(&f, "2 at rung 3");
	report(&f, 100);
	assert_true(stops(&f));
	assert_reason(&f, "100 at rung 9");
}

/* Reports need not hit the rung: the first from there on counts. */
static void asha_takes_the_first_report_from_the_rung_on(void **state)
{
	static const double steps[] = { 2, 5 }, values[] = { 100, 2 };
	struct fixture f;

	set_up_asha(&f);
	for (size_t i = 1; i <= 9; i++)
		add_constant(&f, (double)i, 3, false);
	f.trial = (struct learning_curve){ steps, values, 2, false };
	assert_false(stops(&f));
	f.trial.n = 1;
	assert_true(stops(&f)); /* of rung 1 */
}

static void asha_waits_for_five_in_the_rung(void **state)
{
	struct fixture f;

	set_up_asha(&f);
	for (size_t i = 1; i <= 3; i++)
		add_constant(&f, (double)i, 3, false);
	add_constant(&f, 1, 2, false); /* has not reached rung 3 */
	report_times(&f, 100, 3);
	assert_false(stops(&f));
	assert_reason(&f, "4 of 5 trials");
	f.others[3].n = 3;
	assert_true(stops(&f));
}

static void asha_has_no_rung_at_the_end_and_none_below_the_first(void **state)
{
	struct fixture f;

	set_up_asha(&f);
	f.settings.min_step = 3;
	f.settings.max_step = 9;
	for (size_t i = 1; i <= 9; i++)
		add_constant(&f, (double)i, 9, true);
	report_times(&f, 100, 2);
	assert_false(stops(&f));
	assert_reason(&f, "below the first rung, step 3");
	report(&f, 2);
	report_times(&f, 100, 6);
	assert_false(stops(&f)); /* step 9 is the end: rung 3 decides */
	assert_reason(&f, "rung 3");
}

/* The last rung lies at 9 of 12 steps, so the best 9/12 go on. */
static void the_last_rung_keeps_what_its_distance_to_the_end_says(void **state)
{
	struct fixture f;

	for (double value = 0.5; value < 10; value++) {
		set_up_asha(&f);
		f.settings.max_step = 12;
		for (size_t i = 1; i <= 8; i++)
			add_constant(&f, (double)i, 9, false);
		report_times(&f, value, 9);
		assert_int_equal(stops(&f), value > 6.5);
	}
}

static void asha_spares_the_best_of_the_rung_and_the_incumbent(void **state)
{
	struct fixture f;

	set_up_asha(&f);
	for (size_t i = 1; i <= 5; i++)
		add_constant(&f, (double)i, 3, false);
	report_times(&f, 3.5, 3); /* fourth of six; two go on */
	assert_true(stops(&f));
	f.settings.no_top = false;
	assert_true(stops(&f)); /* the default is three */
	f.settings.top = 4;
	assert_false(stops(&f));
	f.settings.no_top = true;
	f.trial_values[0] = 0.5;
	assert_false(stops(&f));
	assert_reason(&f, "best value so far");
}

static void eta_sets_rungs_and_quantile(void **state)
{
	struct fixture f;

	for (double value = 0.5; value < 10; value++) {
		set_up_asha(&f);
		f.settings.eta = 2;
		for (size_t i = 1; i <= 9; i++)
			add_constant(&f, (double)i, 2, false);
		report_times(&f, value, 2);
		assert_int_equal(stops(&f), value > 5); /* the median of ten */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_have_their_names),
		cmocka_unit_test(a_value_that_is_no_number_or_infinitely_bad_stops_at_once),
		cmocka_unit_test(a_value_that_nothing_can_be_better_than_never_stops),
		cmocka_unit_test(without_a_rule_or_a_report_a_trial_goes_on),
		cmocka_unit_test(settings_out_of_range_are_refused),
		cmocka_unit_test(threshold_stops_at_the_second_report_beyond_the_bound),
		cmocka_unit_test(threshold_forgives_a_single_outlier),
		cmocka_unit_test(the_bound_itself_and_the_margin_are_within),
		cmocka_unit_test(the_grace_lasts_up_to_and_including_its_step),
		cmocka_unit_test(reasons_speak_of_the_users_values),
		cmocka_unit_test(median_stops_what_is_worse_than_the_median_twice),
		cmocka_unit_test(median_compares_with_running_averages),
		cmocka_unit_test(median_waits_for_five_full_curves),
		cmocka_unit_test(median_leaves_out_curves_that_ended_before),
		cmocka_unit_test(median_grants_a_tenth_of_a_full_curve),
		cmocka_unit_test(median_spares_the_best_three_at_the_step),
		cmocka_unit_test(the_incumbent_is_never_stopped),
		cmocka_unit_test(curves_with_nan_count_as_bad_ones),
		cmocka_unit_test(a_curve_of_both_infinities_has_a_bad_average_not_none),
		cmocka_unit_test(a_verdict_looks_no_further_than_the_trials_own_steps),
		cmocka_unit_test(asha_lets_the_best_third_of_a_rung_go_on),
		cmocka_unit_test(asha_judges_at_rungs_by_the_value_there),
		cmocka_unit_test(asha_takes_the_first_report_from_the_rung_on),
		cmocka_unit_test(asha_waits_for_five_in_the_rung),
		cmocka_unit_test(asha_has_no_rung_at_the_end_and_none_below_the_first),
		cmocka_unit_test(the_last_rung_keeps_what_its_distance_to_the_end_says),
		cmocka_unit_test(asha_spares_the_best_of_the_rung_and_the_incumbent),
		cmocka_unit_test(eta_sets_rungs_and_quantile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
