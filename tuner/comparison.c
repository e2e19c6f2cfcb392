#include "tuner/comparison_inside.h"

#include "tuner/hypervolume.h"
#include "tuner/job_open.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

/* ---- reading ---- */

static void run_finish(struct run_curve *run)
{
	free(run->numbers);
	free(run->objectives);
	free(run->best);
	free(run->spent_s);
	free(run->spent_money);
	free(run->attempts);
	free(run->unpriced);
	trial_list_finish(&run->results);
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
	free(comparison->worst);
	free(comparison->metric);
	free(comparison->differs);
	*comparison = (struct comparison){ 0 };
}

bool comparison_is_better(const struct comparison *comparison, double a, double b)
{
	return !isnan(a) && (isnan(b) || (comparison->maximize ? a > b : a < b));
}

static bool allocate_run(struct run_curve *run, size_t n)
{
	run->numbers = calloc(n + 1, sizeof(*run->numbers));
	run->objectives = calloc(n + 1, sizeof(*run->objectives));
	run->best = calloc(n + 1, sizeof(*run->best));
	run->spent_s = calloc(n + 1, sizeof(*run->spent_s));
	run->spent_money = calloc(n + 1, sizeof(*run->spent_money));
	run->attempts = calloc(n + 1, sizeof(*run->attempts));
	run->unpriced = calloc(n + 1, sizeof(*run->unpriced));
	return run->numbers && run->objectives && run->best && run->spent_s && run->spent_money &&
	       run->attempts && run->unpriced;
}

/* NaN: not usable in a mean. An infinite one would make every mean infinite, and the difference of
 * two searches that share such a point NaN. */
static double counted_objective(const struct trial *trial)
{
	return trial->state == TRIAL_DONE && isfinite(trial->objective) ? trial->objective : NAN;
}

static void add_trial(const struct comparison *comparison, struct run_curve *run,
	const struct trial *trial, const struct trial_spending *spending)
{
	const size_t i = run->n++;
	const double before = i > 0 ? run->best[i - 1] : NAN;
	const double objective = counted_objective(trial);

	run->numbers[i] = trial->number;
	run->objectives[i] = objective;
	run->best[i] = comparison_is_better(comparison, objective, before) ? objective : before;
	run->spent_s[i] = (i > 0 ? run->spent_s[i - 1] : 0) + (double)spending->busy_us / 1e6;
	run->spent_money[i] = (i > 0 ? run->spent_money[i - 1] : 0) + spending->cost;
	run->attempts[i] = (i > 0 ? run->attempts[i - 1] : 0) + spending->attempts;
	run->unpriced[i] = (i > 0 ? run->unpriced[i - 1] : 0) + spending->unpriced;
}

/* The trial's spending, searched from *at on. Both lists are in the order of the ends, but a trial
 * may have ended, or been put back, between the two reads. */
static struct trial_spending spending_of(
	const struct trial_spending *items, size_t n, size_t *at, int64_t trial_id)
{
	for (size_t i = *at; i < n; i++)
		if (items[i].trial_id == trial_id) {
			*at = i + 1;
			return items[i];
		}
	return (struct trial_spending){ 0 };
}

static bool add_trials(const struct comparison *comparison, const struct trial_list *list,
	const struct trial_spending *spendings, size_t n, struct run_curve *ret,
	struct tuner_error *err)
{
	size_t at = 0;

	if (!allocate_run(ret, list->n))
		return tuner_fail_memory(err);
	for (size_t i = 0; i < list->n; i++) {
		const struct trial_spending spending =
			spending_of(spendings, n, &at, list->items[i].id);
		add_trial(comparison, ret, &list->items[i], &spending);
	}
	return true;
}

/* Moves the results to the run. */
static bool keep_results(struct run_curve *run, struct trial_list *list, struct tuner_error *err)
{
	run->results.items = calloc(list->n + 1, sizeof(*run->results.items));
	if (run->results.items == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].state == TRIAL_DONE) {
			run->results.items[run->results.n++] = list->items[i];
			list->items[i] = (struct trial){ 0 };
		}
	return true;
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
		.own = true,
	};
	struct trial_spending *spendings = NULL;
	struct trial_list list = { 0 };
	size_t n;

	*ret = (struct run_curve){ .repeat = repeat };
	const bool ok =
		trial_select(report->store, &filter, &list, err) &&
		trial_spendings(report->store, report->job.id, arm, repeat, &spendings, &n, err) &&
		add_trials(comparison, &list, spendings, n, ret, err) &&
		(!comparison->by_volume || keep_results(ret, &list, err));
	trial_list_finish(&list);
	free(spendings);
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

/* ---- several objectives ---- */

/* Each result counts as what all so far cover. */
static void take_volumes(struct run_curve *run, const struct hypervolume *volume)
{
	double covered = NAN;
	size_t step = 0;

	for (size_t t = 0; t < run->n; t++) {
		if (step < volume->n && volume->steps[step].trial == run->numbers[t])
			covered = volume->steps[step++].volume / volume->box;
		if (!isnan(run->objectives[t]))
			run->objectives[t] = covered;
		run->best[t] = covered;
	}
	trial_list_finish(&run->results);
}

static size_t count_runs(const struct comparison *comparison)
{
	size_t n = 0;

	for (size_t a = 0; a < comparison->n_arms; a++)
		n += comparison->arms[a].n_runs;
	return n;
}

/* Once all runs are read. */
static bool measure_volumes(
	struct comparison *comparison, const struct goals *goals, struct tuner_error *err)
{
	const size_t n = count_runs(comparison);
	const struct trial_list **lists = calloc(n + 1, sizeof(*lists));
	struct hypervolume *volumes = calloc(n + 1, sizeof(*volumes));
	size_t l = 0;

	for (size_t a = 0; lists != NULL && a < comparison->n_arms; a++)
		for (size_t r = 0; r < comparison->arms[a].n_runs; r++)
			lists[l++] = &comparison->arms[a].runs[r].results;

	const bool ok = ((lists != NULL && volumes != NULL) || tuner_fail_memory(err)) &&
			hypervolume_measure_all(goals, lists, n, volumes, err);

	l = 0;
	for (size_t a = 0; ok && a < comparison->n_arms; a++)
		for (size_t r = 0; r < comparison->arms[a].n_runs; r++) {
			take_volumes(&comparison->arms[a].runs[r], &volumes[l]);
			hypervolume_finish(&volumes[l++]);
		}
	free(lists);
	free(volumes);
	return ok;
}

/* ---- what can be compared ---- */

const struct run_curve *comparison_run(
	const struct comparison *comparison, const struct compared_arm *arm, size_t i)
{
	return &arm->runs[comparison->repeats[i]];
}

size_t comparison_trials(const struct comparison *comparison, const struct run_curve *run)
{
	return comparison->limit > 0 && comparison->limit < run->n ? comparison->limit : run->n;
}

static size_t shortest(const struct comparison *comparison, size_t repeat)
{
	size_t n = comparison->budget;

	for (size_t a = 0; a < comparison->n_arms; a++)
		if (comparison->arms[a].runs[repeat].n < n)
			n = comparison->arms[a].runs[repeat].n;
	return n;
}

/* Whether any search has an objective: a search without one counts as the worst of the repeat.
 * Leaving the repeat out would favour it. */
static bool has_objective(const struct comparison *comparison, size_t repeat)
{
	for (size_t a = 0; a < comparison->n_arms; a++)
		if (!isnan(comparison->arms[a].runs[repeat].best[comparison->length - 1]))
			return true;
	return false;
}

static bool find_worst(struct comparison *comparison, struct tuner_error *err)
{
	comparison->worst = calloc(comparison->n_repeats + 1, sizeof(*comparison->worst));
	if (comparison->worst == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < comparison->n_repeats; i++) {
		double worst = NAN;
		for (size_t a = 0; a < comparison->n_arms; a++) {
			const struct run_curve *run =
				comparison_run(comparison, &comparison->arms[a], i);
			for (size_t t = 0; t < comparison_trials(comparison, run); t++)
				if (!isnan(run->objectives[t]) &&
					(isnan(worst) || comparison_is_better(comparison, worst,
								 run->objectives[t])))
					worst = run->objectives[t];
		}
		comparison->worst[i] = worst;
	}
	return true;
}

/* One price up to rounding: a trial's time is in whole microseconds, its cost a product. */
static bool is_of_price(const struct run_curve *run, size_t n, double price)
{
	for (size_t t = 0; t < n; t++)
		if (fabs(run->spent_money[t] - price * run->spent_s[t]) >
			1e-9 * price * run->spent_s[t])
			return false;
	return true;
}

static bool is_all_of_price(const struct comparison *comparison, double price)
{
	for (size_t a = 0; a < comparison->n_arms; a++)
		for (size_t i = 0; i < comparison->n_repeats; i++) {
			const struct run_curve *run =
				comparison_run(comparison, &comparison->arms[a], i);
			if (!is_of_price(run, comparison_trials(comparison, run), price))
				return false;
		}
	return true;
}

static void count_prices(struct comparison *comparison)
{
	double money = 0, seconds = 0;

	for (size_t a = 0; a < comparison->n_arms; a++)
		for (size_t i = 0; i < comparison->n_repeats; i++) {
			const struct run_curve *run =
				comparison_run(comparison, &comparison->arms[a], i);
			const size_t last = comparison_trials(comparison, run) - 1;
			money += run->spent_money[last];
			seconds += run->spent_s[last];
			comparison->attempts += run->attempts[last];
			comparison->unpriced += run->unpriced[last];
		}
	comparison->priced = money > 0;
	comparison->one_price = comparison->priced && is_all_of_price(comparison, money / seconds);
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
	for (size_t r = 0; r < n; r++) {
		if (comparison->length == 0 || shortest(comparison, r) < comparison->length)
			continue;
		if (has_objective(comparison, r))
			comparison->repeats[comparison->n_repeats++] = r;
		else
			comparison->empty++;
	}
	comparison->left_out = n - comparison->n_repeats;
	if (!find_worst(comparison, err))
		return false;
	count_prices(comparison);
	return comparison->n_repeats > 0 ||
	       tuner_fail(err, TUNER_USAGE,
		       "there is nothing to compare yet: every arm needs a finished trial in the "
		       "same repeat, and one of them an objective");
}

static bool begin(
	const struct report *report, size_t n_arms, struct comparison *ret, struct tuner_error *err)
{
	const bool by_volume = report->goals.n > 1;

	*ret = (struct comparison){
		.metric = strdup(by_volume ? "hypervolume" : report->metric),
		.maximize = by_volume || report->maximize,
		.by_volume = by_volume,
		.arms = calloc(n_arms, sizeof(*ret->arms)),
		.budget = (size_t)report->job.trial_cap,
		.ended = report->job.state == JOB_DONE,
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
	comparison->limit = trials;
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
	ok = ok && begin(report, file->n_arms, ret, err) && read_arms(report, file, ret, err) &&
	     (!ret->by_volume || measure_volumes(ret, &report->goals, err));
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
	if (a->job.id == b->job.id && !a->has_arms)
		return tuner_fail(err, TUNER_USAGE,
			"job %s cannot be compared with itself: name another one", a->job.name);
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

/* "parameters.lr, fixed.epochs and 2 more" */
static bool name_differences(
	const struct job_file *a, const struct job_file *b, char **ret, struct tuner_error *err)
{
	enum { NAMED = 5 };
	struct text lines = TEXT_EMPTY, names = TEXT_EMPTY;
	size_t n = 0;

	job_file_compare_only(a, b, CHANGE_SPACE | CHANGE_COMMAND, &lines);
	for (const char *line = lines.bytes; line != NULL && *line != '\0'; n++) {
		const char *colon = strstr(line, ": ");
		if (n < NAMED && colon != NULL) {
			text_add(&names, n > 0 ? ", " : "");
			text_add_bytes(&names, line, (size_t)(colon - line));
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	if (n > NAMED)
		text_print(&names, " and %zu more", n - NAMED);
	const bool ok = (!text_failed(&lines) && !text_failed(&names)) || tuner_fail_memory(err);
	if (ok && n > 0)
		*ret = text_take(&names);
	text_finish(&lines);
	text_finish(&names);
	return ok && (n == 0 || *ret != NULL || tuner_fail_memory(err));
}

/* The same metric may be reduced differently: its best value is not comparable with its last.
 * *ret_differs: struct comparison. */
static bool check_objectives(
	const struct report *a, const struct report *b, char **ret_differs, struct tuner_error *err)
{
	struct job_file *file_a = NULL, *file_b = NULL;
	char *by_a = NULL, *by_b = NULL;
	bool ok = job_stored_file(&a->job, &file_a, err) && job_stored_file(&b->job, &file_b, err);

	if (ok) {
		by_a = job_file_objective(file_a);
		by_b = job_file_objective(file_b);
		ok = (by_a != NULL && by_b != NULL) || tuner_fail_memory(err);
	}
	if (ok && strcmp(by_a, by_b) != 0)
		ok = tuner_fail(err, TUNER_USAGE,
			"job %s is scored by %s, and job %s by %s: score them alike first, \"tuner "
			"rescore %s --set objective=...\"",
			a->job.name, by_a, b->job.name, by_b, b->job.name);
	ok = ok && name_differences(file_a, file_b, ret_differs, err);
	free(by_a);
	free(by_b);
	job_file_destroy(file_a);
	job_file_destroy(file_b);
	return ok;
}

static bool add_job(const struct report *report, struct comparison *ret, struct tuner_error *err)
{
	struct compared_arm *arm = &ret->arms[ret->n_arms++];
	struct job_file *file = NULL;

	if (report->has_arms)
		return tuner_fail(err, TUNER_USAGE,
			"job %s compares arms of its own: \"tuner compare %s\"", report->job.name,
			report->reference);
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
	char *differs = NULL;

	*ret = (struct comparison){ 0 };
	if (!check_alike(a, b, err) || !check_objectives(a, b, &differs, err))
		return false;
	const bool begun = begin(a, 2, ret, err);
	ret->differs = differs;
	if (begun) {
		if (b->job.trial_cap < a->job.trial_cap)
			ret->budget = (size_t)b->job.trial_cap;
		ret->ended = ret->ended && b->job.state == JOB_DONE;
		compare_after(ret, trials);
		if (add_job(a, ret, err) && add_job(b, ret, err) &&
			(!ret->by_volume || measure_volumes(ret, &a->goals, err)) &&
			choose_repeats(ret, err))
			return true;
	}
	comparison_finish(ret);
	return false;
}

/* ---- differences ---- */

static double best_at(
	const struct comparison *comparison, const struct compared_arm *arm, size_t i, size_t t)
{
	const double best = comparison_run(comparison, arm, i)->best[t];

	return isnan(best) ? comparison->worst[i] : best;
}

static bool has_result(
	const struct comparison *comparison, const struct compared_arm *arm, size_t i)
{
	return !isnan(comparison_run(comparison, arm, i)->best[comparison->length - 1]);
}

double comparison_number(double value)
{
	return isinf(value) ? copysign(DBL_MAX, value) : value;
}

static double mean_best(
	const struct comparison *comparison, const struct compared_arm *arm, size_t i)
{
	double sum = 0;

	/* Divided before summing: two penalties of 1e308 have a mean, but their sum overflows. */
	for (size_t t = 0; t < comparison->length; t++)
		sum += best_at(comparison, arm, i, t) / (double)comparison->length;
	return comparison_number(sum);
}

double comparison_difference(double a, double b)
{
	return comparison_number(comparison_number(a) - comparison_number(b));
}

bool comparison_estimate(const double *differences, size_t n, enum comparison_draw draw,
	struct estimate *ret, struct tuner_error *err)
{
	const struct random_key key = { .seed = n, .number = draw };

	ret->mean = paired_mean(differences, n);
	ret->p_value = paired_p_value(differences, n, key);
	ret->deviation = paired_deviation(differences, n);
	ret->detectable =
		ret->deviation * paired_detectable(n, 1 - COMPARISON_LEVEL, COMPARISON_POWER);
	return paired_interval(differences, n, COMPARISON_LEVEL, key, &ret->interval, err);
}

static double measure(const struct comparison *comparison, const struct compared_arm *arm, size_t i,
	enum comparison_draw what)
{
	return what == DRAW_FINAL ? best_at(comparison, arm, i, comparison->length - 1)
				  : mean_best(comparison, arm, i);
}

static bool differ(const struct comparison *comparison, struct contrast *contrast,
	enum comparison_draw what, struct estimate *ret, struct tuner_error *err)
{
	const double sign = comparison->maximize ? 1 : -1;
	double *differences = calloc(comparison->n_repeats + 1, sizeof(*differences));

	if (differences == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < comparison->n_repeats; i++)
		differences[i] =
			sign * comparison_difference(measure(comparison, contrast->a, i, what),
				       measure(comparison, contrast->b, i, what));
	const bool ok = comparison_estimate(differences, comparison->n_repeats, what, ret, err);
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
			values[i * length + t] =
				sign * comparison_run(comparison, arm, i)->objectives[t];
	return values;
}

static bool has_number(const double *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isnan(values[i]))
			return true;
	return false;
}

/* The number of trials that all its repeats have. */
static size_t reach_of(const struct comparison *comparison, const struct compared_arm *arm)
{
	size_t reach = SIZE_MAX;

	for (size_t i = 0; i < comparison->n_repeats; i++) {
		const size_t n = comparison_run(comparison, arm, i)->n;
		reach = n < reach ? n : reach;
	}
	return reach;
}

static bool measure_speed(
	const struct comparison *comparison, struct contrast *ret, struct tuner_error *err)
{
	const struct compared_arm *fast = ret->a_faster ? ret->a : ret->b;
	const struct compared_arm *slow = ret->a_faster ? ret->b : ret->a;
	const size_t n = comparison->n_repeats, reach = reach_of(comparison, slow);
	const struct random_key key = { .seed = n, .number = DRAW_SPEED_UP };

	ret->speed_up = NAN;
	ret->speed_up_interval = (struct interval){ -INFINITY, INFINITY };
	if (ret->final.mean == 0)
		return true;
	double *quick = curves_of(comparison, fast, comparison->length);
	double *late = curves_of(comparison, slow, reach);
	double *trials = trials_of(comparison, slow, reach);
	bool ok = (quick != NULL && late != NULL && trials != NULL) || tuner_fail_memory(err);

	if (ok) {
		const struct curves a = { quick, n, comparison->length };
		const struct curves b = { late, n, reach };
		ret->speed_up = speed_up(&a, &b);
		/* A volume is not the best of independent values. */
		ret->has_expected = !comparison->by_volume &&
				    strcmp(slow->strategy, "random") == 0 &&
				    has_number(trials, n * reach);
		ok = speed_up_interval(
			     &a, &b, COMPARISON_LEVEL, key, &ret->speed_up_interval, err) &&
		     (!ret->has_expected ||
			     expected_speed_up(&a, trials, n, reach, COMPARISON_LEVEL, key,
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
	for (size_t i = 0; i < n; i++) {
		ret->final_a += best_at(comparison, ret->a, i, comparison->length - 1) / (double)n;
		ret->final_b += best_at(comparison, ret->b, i, comparison->length - 1) / (double)n;
		ret->none_a += !has_result(comparison, ret->a, i);
		ret->none_b += !has_result(comparison, ret->b, i);
	}
	ret->final_a = comparison_number(ret->final_a);
	ret->final_b = comparison_number(ret->final_b);
	if (!differ(comparison, ret, DRAW_FINAL, &ret->final, err))
		return false;
	ret->a_faster = ret->final.mean >= 0;
	return differ(comparison, ret, DRAW_AREA, &ret->area, err) &&
	       measure_speed(comparison, ret, err) &&
	       comparison_spend(comparison, OVER_TIME, ret, err) &&
	       comparison_spend(comparison, OVER_MONEY, ret, err);
}

bool comparison_band(const struct comparison *comparison, size_t arm, size_t t,
	struct curve_point *ret, struct tuner_error *err)
{
	const size_t n = comparison->n_repeats;
	const struct random_key key = { .seed = t + 1, .number = DRAW_BAND + (uint32_t)arm };
	double *values = calloc(n + 1, sizeof(*values));

	if (values == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++)
		values[i] = best_at(comparison, &comparison->arms[arm], i, t);
	ret->at = (double)t + 1;
	ret->mean = paired_mean(values, n);
	const bool ok = paired_interval(values, n, COMPARISON_LEVEL, key, &ret->interval, err);
	free(values);
	return ok;
}
