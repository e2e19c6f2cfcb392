#include "tuner/comparison.h"

#include "tuner/job_open.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#define LEVEL 0.95
#define POWER 0.8

enum { REPEATS_THAT_ANYBODY_RUNS = 10000 };

/* ---- reading ---- */

static void run_finish(struct run_curve *run)
{
	free(run->numbers);
	free(run->objectives);
	free(run->best);
	free(run->spent_s);
}

void comparison_finish(struct comparison *comparison)
{
	for (size_t a = 0; a < comparison->n_arms; a++) {
		for (size_t r = 0; r < comparison->arms[a].n_runs; r++)
			run_finish(&comparison->arms[a].runs[r]);
		free(comparison->arms[a].runs);
	}
	free(comparison->arms);
	free(comparison->repeats);
	free(comparison->metric);
	*comparison = (struct comparison){ 0 };
}

static bool is_better(const struct comparison *comparison, double a, double b)
{
	return !isnan(a) && (isnan(b) || (comparison->maximize ? a > b : a < b));
}

static bool allocate_run(struct run_curve *run, size_t n)
{
	run->numbers = calloc(n + 1, sizeof(*run->numbers));
	run->objectives = calloc(n + 1, sizeof(*run->objectives));
	run->best = calloc(n + 1, sizeof(*run->best));
	run->spent_s = calloc(n + 1, sizeof(*run->spent_s));
	return run->numbers && run->objectives && run->best && run->spent_s;
}

static void add_trial(
	const struct comparison *comparison, struct run_curve *run, const struct trial *trial)
{
	const size_t i = run->n++;
	const double before = i > 0 ? run->best[i - 1] : NAN;
	const double objective = trial->state == TRIAL_DONE ? trial->objective : NAN;

	run->numbers[i] = trial->number;
	run->objectives[i] = objective;
	run->best[i] = is_better(comparison, objective, before) ? objective : before;
	run->spent_s[i] = (i > 0 ? run->spent_s[i - 1] : 0) + (double)trial_took_us(trial) / 1e6;
}

/* The search's trials that have ended, in that order. */
static bool read_run(const struct comparison *comparison, const struct report *report,
	const char *arm, int64_t repeat, struct run_curve *ret, struct tuner_error *err)
{
	const struct trial_filter filter = {
		.job_id = report->job.id,
		.arm = arm,
		.repeat = repeat,
		.states = 1u << TRIAL_DONE | 1u << TRIAL_FAILED | 1u << TRIAL_STOPPED,
		.order = TRIAL_BY_END,
		.without_values = true,
	};
	struct trial_list list;

	*ret = (struct run_curve){ .repeat = repeat };
	if (!trial_select(report->store, &filter, &list, err))
		return false;
	const bool ok = allocate_run(ret, list.n) || tuner_fail_memory(err);
	for (size_t i = 0; ok && i < list.n; i++)
		add_trial(comparison, ret, &list.items[i]);
	trial_list_finish(&list);
	return ok;
}

static bool read_arm(const struct comparison *comparison, const struct report *report,
	const char *arm, int64_t repeats, struct compared_arm *ret, struct tuner_error *err)
{
	ret->runs = calloc((size_t)repeats, sizeof(*ret->runs));
	if (ret->runs == NULL)
		return tuner_fail_memory(err);
	for (int64_t r = 0; r < repeats; r++)
		if (!read_run(comparison, report, arm, r, &ret->runs[ret->n_runs++], err))
			return false;
	return true;
}

/* ---- what can be compared ---- */

static size_t shortest(const struct comparison *comparison, size_t repeat)
{
	size_t n = comparison->budget;

	for (size_t a = 0; a < comparison->n_arms; a++)
		if (comparison->arms[a].runs[repeat].n < n)
			n = comparison->arms[a].runs[repeat].n;
	return n;
}

static bool has_objective(const struct comparison *comparison, size_t repeat)
{
	for (size_t a = 0; a < comparison->n_arms; a++)
		if (isnan(comparison->arms[a].runs[repeat].best[comparison->length - 1]))
			return false;
	return true;
}

static size_t find_reach(const struct comparison *comparison)
{
	size_t reach = SIZE_MAX;

	for (size_t a = 0; a < comparison->n_arms; a++)
		for (size_t i = 0; i < comparison->n_repeats; i++) {
			const size_t n = comparison->arms[a].runs[comparison->repeats[i]].n;
			reach = n < reach ? n : reach;
		}
	return comparison->n_repeats > 0 ? reach : 0;
}

/* Finished repeats, if there are any; else the first trials of all that have begun. */
static bool choose_repeats(struct comparison *comparison, struct tuner_error *err)
{
	const size_t n = comparison->arms[0].n_runs;

	comparison->repeats = calloc(n + 1, sizeof(*comparison->repeats));
	if (comparison->repeats == NULL)
		return tuner_fail_memory(err);
	comparison->length = 0;
	for (size_t r = 0; r < n; r++) {
		const size_t its = shortest(comparison, r);
		if (its == comparison->budget)
			comparison->length = its;
		else if (comparison->length == 0 || (comparison->length < comparison->budget &&
							    its > 0 && its < comparison->length))
			comparison->length = its;
	}
	for (size_t r = 0; r < n; r++)
		if (comparison->length > 0 && shortest(comparison, r) >= comparison->length &&
			has_objective(comparison, r))
			comparison->repeats[comparison->n_repeats++] = r;
	comparison->left_out = n - comparison->n_repeats;
	comparison->reach = find_reach(comparison);
	return comparison->n_repeats > 0 ||
	       tuner_fail(err, TUNER_USAGE,
		       "there is nothing to compare yet: every arm needs a finished trial with an "
		       "objective in the same repeat");
}

static bool begin(
	const struct report *report, size_t n_arms, struct comparison *ret, struct tuner_error *err)
{
	*ret = (struct comparison){
		.metric = strdup(report->metric),
		.maximize = report->maximize,
		.arms = calloc(n_arms, sizeof(*ret->arms)),
		.budget = (size_t)report->job.trial_cap,
	};
	return (ret->metric != NULL && ret->arms != NULL) || tuner_fail_memory(err);
}

static bool read_arms(const struct report *report, const struct job_file *file,
	struct comparison *ret, struct tuner_error *err)
{
	for (size_t a = 0; a < file->n_arms; a++) {
		struct compared_arm *arm = &ret->arms[ret->n_arms++];
		snprintf(arm->name, sizeof(arm->name), "%s", file->arms[a].name);
		snprintf(arm->strategy, sizeof(arm->strategy), "%s",
			strategy_name(file->arms[a].strategy.name));
		if (!read_arm(ret, report, file->arms[a].name, file->repeats, arm, err))
			return false;
	}
	return true;
}

static void compare_after(struct comparison *comparison, size_t trials)
{
	if (trials > 0 && trials < comparison->budget)
		comparison->budget = trials;
}

bool comparison_of_job(
	const struct report *report, size_t trials, struct comparison *ret, struct tuner_error *err)
{
	struct job_file *file = NULL;

	*ret = (struct comparison){ 0 };
	if (!job_stored_file(&report->job, &file, err))
		return false;
	bool ok = file->n_arms > 0 ||
		  tuner_fail(err, TUNER_USAGE,
			  "job %s has no \"arms\": name a second job to compare it with",
			  report->job.name);
	ok = ok && begin(report, file->n_arms, ret, err) && read_arms(report, file, ret, err);
	if (ok) {
		ret->paired = true;
		compare_after(ret, trials);
		ok = choose_repeats(ret, err);
	}
	if (!ok)
		comparison_finish(ret);
	job_file_destroy(file);
	return ok;
}

/* ---- two jobs ---- */

static bool same_parameters(const struct report *a, const struct report *b)
{
	if (a->parameters.n != b->parameters.n)
		return false;
	for (size_t i = 0; i < a->parameters.n; i++)
		if (strcmp(a->parameters.items[i].name, b->parameters.items[i].name) != 0)
			return false;
	return true;
}

static bool check_alike(const struct report *a, const struct report *b, struct tuner_error *err)
{
	if (strcmp(a->metric, b->metric) != 0 || a->maximize != b->maximize)
		return tuner_fail(err, TUNER_USAGE,
			"job %s is to %s %s, and job %s to %s %s: that cannot be compared",
			a->job.name, a->maximize ? "maximize" : "minimize", a->metric, b->job.name,
			b->maximize ? "maximize" : "minimize", b->metric);
	if (!same_parameters(a, b))
		return tuner_fail(err, TUNER_USAGE,
			"jobs %s and %s vary other parameters: that cannot be compared",
			a->job.name, b->job.name);
	return true;
}

static bool add_job(const struct report *report, struct comparison *ret, struct tuner_error *err)
{
	struct compared_arm *arm = &ret->arms[ret->n_arms++];
	struct job_file *file = NULL;

	if (report->has_arms)
		return tuner_fail(err, TUNER_USAGE,
			"job %s compares arms of its own: \"tuner compare %s\"", report->job.name,
			report->job.name);
	if (!job_stored_file(&report->job, &file, err))
		return false;
	snprintf(arm->name, sizeof(arm->name), "%.100s", report->job.name);
	snprintf(arm->strategy, sizeof(arm->strategy), "%s", strategy_name(file->strategy.name));
	job_file_destroy(file);
	return read_arm(ret, report, "", 1, arm, err);
}

bool comparison_of_jobs(const struct report *a, const struct report *b, size_t trials,
	struct comparison *ret, struct tuner_error *err)
{
	*ret = (struct comparison){ 0 };
	if (!check_alike(a, b, err))
		return false;
	if (begin(a, 2, ret, err)) {
		if (b->job.trial_cap < a->job.trial_cap)
			ret->budget = (size_t)b->job.trial_cap;
		compare_after(ret, trials);
		if (add_job(a, ret, err) && add_job(b, ret, err) && choose_repeats(ret, err))
			return true;
	}
	comparison_finish(ret);
	return false;
}

/* ---- differences ---- */

static const struct run_curve *run_of(
	const struct comparison *comparison, const struct compared_arm *arm, size_t i)
{
	return &arm->runs[comparison->repeats[i]];
}

/* The worst objective of a repeat stands for "none yet". */
static double worst_of(const struct comparison *comparison, size_t i)
{
	double worst = NAN;

	for (size_t a = 0; a < comparison->n_arms; a++) {
		const struct run_curve *run = run_of(comparison, &comparison->arms[a], i);
		for (size_t t = 0; t < comparison->length; t++)
			if (!isnan(run->objectives[t]) &&
				(isnan(worst) || is_better(comparison, worst, run->objectives[t])))
				worst = run->objectives[t];
	}
	return worst;
}

static double best_at(
	const struct comparison *comparison, const struct compared_arm *arm, size_t i, size_t t)
{
	const double best = run_of(comparison, arm, i)->best[t];

	return isnan(best) ? worst_of(comparison, i) : best;
}

static double mean_best(
	const struct comparison *comparison, const struct compared_arm *arm, size_t i)
{
	double sum = 0;

	for (size_t t = 0; t < comparison->length; t++)
		sum += best_at(comparison, arm, i, t);
	return sum / (double)comparison->length;
}

/* Mean of the best so far from 0 to `until` slot-seconds; before the first end it is the worst. */
static double mean_over_time(
	const struct comparison *comparison, const struct compared_arm *arm, size_t i, double until)
{
	const struct run_curve *run = run_of(comparison, arm, i);
	double at = 0, best = worst_of(comparison, i), sum = 0;

	for (size_t t = 0; t < run->n && run->spent_s[t] < until; t++) {
		sum += best * (run->spent_s[t] - at);
		at = run->spent_s[t];
		best = isnan(run->best[t]) ? best : run->best[t];
	}
	return until > 0 ? (sum + best * (until - at)) / until : best;
}

/* So many slot-seconds were spent by all searches that are compared. */
static double common_seconds(const struct comparison *comparison, const struct compared_arm *a,
	const struct compared_arm *b)
{
	double least = INFINITY;

	for (size_t i = 0; i < comparison->n_repeats; i++) {
		const size_t last = comparison->length - 1;
		least = fmin(least, run_of(comparison, a, i)->spent_s[last]);
		least = fmin(least, run_of(comparison, b, i)->spent_s[last]);
	}
	return least;
}

static double deviation(const double *differences, size_t n)
{
	const double mean = paired_mean(differences, n);
	double squares = 0;

	for (size_t i = 0; i < n; i++)
		squares += (differences[i] - mean) * (differences[i] - mean);
	return n > 1 ? sqrt(squares / (double)(n - 1)) : NAN;
}

static bool estimate(const double *differences, size_t n, uint32_t number, struct estimate *ret,
	struct tuner_error *err)
{
	const struct random_key key = { .seed = n, .number = number };

	ret->mean = paired_mean(differences, n);
	ret->p_value = paired_p_value(differences, n, key);
	ret->deviation = deviation(differences, n);
	ret->detectable = ret->deviation * paired_detectable(n, 1 - LEVEL, POWER);
	return paired_interval(differences, n, LEVEL, key, &ret->interval, err);
}

enum measure { MEASURE_FINAL, MEASURE_AREA, MEASURE_TIME };

static double measure(const struct comparison *comparison, const struct compared_arm *arm, size_t i,
	enum measure what, double seconds)
{
	if (what == MEASURE_FINAL)
		return best_at(comparison, arm, i, comparison->length - 1);
	if (what == MEASURE_AREA)
		return mean_best(comparison, arm, i);
	return mean_over_time(comparison, arm, i, seconds);
}

static bool differ(const struct comparison *comparison, struct contrast *contrast,
	enum measure what, struct estimate *ret, struct tuner_error *err)
{
	const double sign = comparison->maximize ? 1 : -1;
	double *differences = calloc(comparison->n_repeats + 1, sizeof(*differences));

	if (differences == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < comparison->n_repeats; i++)
		differences[i] =
			sign *
			(measure(comparison, contrast->a, i, what, contrast->seconds) -
				measure(comparison, contrast->b, i, what, contrast->seconds));
	const bool ok = estimate(differences, comparison->n_repeats, (uint32_t)what + 1, ret, err);
	free(differences);
	return ok;
}

/* ---- speed ---- */

/* Minimised curves, row by row. */
static double *curves_of(
	const struct comparison *comparison, const struct compared_arm *arm, size_t length)
{
	const double sign = comparison->maximize ? -1 : 1;
	double *values = calloc(comparison->n_repeats * length + 1, sizeof(*values));

	for (size_t i = 0; values != NULL && i < comparison->n_repeats; i++)
		for (size_t t = 0; t < length; t++)
			values[i * length + t] = sign * best_at(comparison, arm, i, t);
	return values;
}

static double *trials_of(
	const struct comparison *comparison, const struct compared_arm *arm, size_t length)
{
	const double sign = comparison->maximize ? -1 : 1;
	double *values = calloc(comparison->n_repeats * length + 1, sizeof(*values));

	for (size_t i = 0; values != NULL && i < comparison->n_repeats; i++)
		for (size_t t = 0; t < length; t++)
			values[i * length + t] = sign * run_of(comparison, arm, i)->objectives[t];
	return values;
}

static bool measure_speed(
	const struct comparison *comparison, struct contrast *ret, struct tuner_error *err)
{
	const struct compared_arm *fast = ret->a_faster ? ret->a : ret->b;
	const struct compared_arm *slow = ret->a_faster ? ret->b : ret->a;
	const size_t n = comparison->n_repeats, reach = comparison->reach;
	const struct random_key key = { .seed = n, .number = 9 };
	double *quick = curves_of(comparison, fast, comparison->length);
	double *late = curves_of(comparison, slow, reach);
	double *trials = trials_of(comparison, slow, reach);
	bool ok = (quick != NULL && late != NULL && trials != NULL) || tuner_fail_memory(err);

	if (ok) {
		const struct curves a = { quick, n, comparison->length };
		const struct curves b = { late, n, reach };
		ret->speed_up = speed_up(&a, &b);
		ret->has_expected = strcmp(slow->strategy, "random") == 0;
		ok = speed_up_interval(&a, &b, LEVEL, key, &ret->speed_up_interval, err) &&
		     (!ret->has_expected || expected_speed_up(&a, trials, n, reach, LEVEL, key,
						    &ret->expected, &ret->expected_interval, err));
	}
	free(quick);
	free(late);
	free(trials);
	return ok;
}

bool comparison_contrast(const struct comparison *comparison, size_t a, size_t b,
	struct contrast *ret, struct tuner_error *err)
{
	const size_t n = comparison->n_repeats;

	*ret = (struct contrast){ .a = &comparison->arms[a], .b = &comparison->arms[b] };
	ret->seconds = common_seconds(comparison, ret->a, ret->b);
	for (size_t i = 0; i < n; i++) {
		ret->final_a += best_at(comparison, ret->a, i, comparison->length - 1) / (double)n;
		ret->final_b += best_at(comparison, ret->b, i, comparison->length - 1) / (double)n;
	}
	ret->a_faster = !is_better(comparison, ret->final_b, ret->final_a);
	return differ(comparison, ret, MEASURE_FINAL, &ret->final, err) &&
	       differ(comparison, ret, MEASURE_AREA, &ret->area, err) &&
	       differ(comparison, ret, MEASURE_TIME, &ret->time, err) &&
	       measure_speed(comparison, ret, err);
}

bool comparison_band(const struct comparison *comparison, size_t arm, size_t t, double *ret_mean,
	struct interval *ret, struct tuner_error *err)
{
	const size_t n = comparison->n_repeats;
	double *values = calloc(n + 1, sizeof(*values));

	if (values == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++)
		values[i] = best_at(comparison, &comparison->arms[arm], i, t);
	*ret_mean = paired_mean(values, n);
	const struct random_key key = { .seed = t + 1, .number = (uint32_t)arm + 20 };
	const bool ok = paired_interval(values, n, LEVEL, key, ret, err);
	free(values);
	return ok;
}

/* ---- in words ---- */

static void say_difference(
	const struct comparison *comparison, const struct contrast *contrast, struct text *ret)
{
	const struct estimate *final = &contrast->final;
	const struct compared_arm *better = final->mean >= 0 ? contrast->a : contrast->b;
	const struct compared_arm *worse = final->mean >= 0 ? contrast->b : contrast->a;

	if (final->mean == 0)
		text_print(ret, "After %zu trials %s and %s have found the same. ",
			comparison->length, better->name, worse->name);
	else
		text_print(ret, "After %zu trials %s has found %.4g better %s than %s on average. ",
			comparison->length, better->name, fabs(final->mean), comparison->metric,
			worse->name);
	if (comparison->n_repeats < 2)
		text_add(ret, "One repeat says nothing of chance: another may come out the other "
			      "way round. ");
	else if (final->interval.low <= 0 && 0 <= final->interval.high)
		text_print(ret,
			"That may be chance: the interval from %.4g to %.4g contains 0 (p = "
			"%.3g). ",
			final->interval.low, final->interval.high, final->p_value);
	else if (final->p_value > 1 - LEVEL)
		text_print(ret,
			"The interval from %.4g to %.4g leaves 0 out, but a test by signs does not "
			"bear that out (p = %.3g). ",
			final->interval.low, final->interval.high, final->p_value);
	else
		text_print(ret, "Chance alone would hardly give that (p = %.3g). ", final->p_value);
}

static void say_power(
	const struct comparison *comparison, const struct contrast *contrast, struct text *ret)
{
	const size_t n = comparison->n_repeats;
	const struct estimate *final = &contrast->final;

	if (n < 2)
		return;
	if (paired_least_p_value(n) > 0.05)
		text_print(ret,
			"%zu repeats cannot give a p-value below %.3g, however large the "
			"difference: "
			"6 are the fewest that can be called significant at 5 %%. ",
			n, paired_least_p_value(n));
	text_print(ret,
		"With the spread seen, %zu repeats find a difference of %.4g in 4 of 5 cases", n,
		final->detectable);
	const size_t needed = final->deviation > 0 && fabs(final->mean) < final->detectable
				      ? paired_repeats(fabs(final->mean) / final->deviation,
						1 - LEVEL, POWER, REPEATS_THAT_ANYBODY_RUNS)
				      : 0;
	if (needed > n)
		text_print(ret, "; for one like this it would take %zu", needed);
	text_add(ret, ". ");
}

static void say_times(double times, struct interval interval, struct text *ret)
{
	if (isinf(times))
		text_add(ret, "more than it had");
	else if (isinf(interval.high))
		text_print(ret, "%.2g × [%.2g, more than can be told]", times, interval.low);
	else
		text_print(ret, "%.2g × [%.2g, %.2g]", times, interval.low, interval.high);
}

static void say_speed(const struct contrast *contrast, struct text *ret)
{
	const char *fast = contrast->a_faster ? contrast->a->name : contrast->b->name;
	const char *slow = contrast->a_faster ? contrast->b->name : contrast->a->name;

	text_print(ret, "To come to where %s ends, %s needs ", fast, slow);
	if (isinf(contrast->speed_up)) {
		text_add(ret, "more trials than it had");
	} else {
		say_times(contrast->speed_up, contrast->speed_up_interval, ret);
		text_add(ret, " as many trials");
	}
	if (contrast->has_expected) {
		text_add(ret, "; by the expected best of all its random trials taken together, ");
		say_times(contrast->expected, contrast->expected_interval, ret);
	}
	text_add(ret, ". ");
}

void contrast_words(
	const struct comparison *comparison, const struct contrast *contrast, struct text *ret)
{
	say_difference(comparison, contrast, ret);
	say_power(comparison, contrast, ret);
	say_speed(contrast, ret);
	if (!comparison->paired)
		text_add(ret,
			"The two were separate jobs: initial points and machines may differ. ");
	if (comparison->length < comparison->budget)
		text_print(ret, "The comparison is not finished: %zu of %zu trials are compared. ",
			comparison->length, comparison->budget);
	if (comparison->left_out > 0)
		text_print(ret, "%zu repeat%s not that far yet. ", comparison->left_out,
			comparison->left_out == 1 ? " is" : "s are");
}
