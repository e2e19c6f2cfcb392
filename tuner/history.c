#include "tuner/history.h"

#include "base/array.h"
#include "trials/rescore.h"
#include "tuner/objective.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static_assert(
	(int)TRIAL_LIMITS_MAX <= (int)SUGGEST_LIMITS_MAX, "a request has room for all limits");
static_assert((int)TRIAL_ALSO_MAX <= (int)SUGGEST_OTHERS_MAX,
	"a request has room for all further objectives");

enum { CURVES_LEAST = 10 }; /* twice the default of min_trials */

bool objective_better(const struct job_file *file, double a, double b)
{
	if (isnan(a))
		return false;
	return isnan(b) || (file->maximize ? a > b : a < b);
}

static bool make_room(struct history *history, struct tuner_error *err)
{
	const size_t best = history->best ? (size_t)(history->best - history->items) : 0;
	const size_t best_own =
		history->best_own ? (size_t)(history->best_own - history->items) : 0;
	if (!array_reserve(
		    &history->items, history->n, &history->capacity, sizeof(*history->items)))
		return tuner_fail_memory(err);
	if (history->best != NULL)
		history->best = history->items + best;
	if (history->best_own != NULL)
		history->best_own = history->items + best_own;
	return true;
}

static size_t at_least(size_t n, size_t least)
{
	return n > least ? n : least;
}

/* Whether the stopping rule may keep this many curves with this many values. */
static bool may_keep(const struct history *history, size_t curves, size_t values)
{
	const struct stopping_settings *stopping = &history->file->stopping;
	const size_t asked = 2 * stopping->min_curves;

	if (stopping->rule == STOPPING_NONE)
		return curves == 0;
	return curves <= at_least(asked, HISTORY_CURVES) &&
	       (values <= HISTORY_VALUES || curves <= at_least(asked, CURVES_LEAST));
}

static void drop_curve(struct history *history)
{
	struct finished_trial *trial = &history->items[history->first_curve++];

	history->curve_values -= trial->series.n;
	series_finish(&trial->series);
	free(trial->sums);
	trial->sums = NULL;
}

/* Converts a curve for the rules: minimised, with running sums. */
static bool settle_curve(
	struct history *history, struct finished_trial *trial, struct tuner_error *err)
{
	struct series *series = &trial->series;

	if (series->n == 0)
		return true;
	trial->last_step = series->steps[series->n - 1];
	trial->sums = malloc(series->n * sizeof(*trial->sums));
	if (trial->sums == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; history->file->maximize && i < series->n; i++)
		series->values[i] = -series->values[i];
	trial->least = stopping_add_up(series->values, series->n, trial->sums);
	series_trim(series);
	return true;
}

static bool is_better(const struct history *history, const struct finished_trial *trial,
	const struct finished_trial *best)
{
	return best == NULL || objective_better(history->file, trial->objective, best->objective);
}

/* Of a trial that was judged by other objectives none is known. */
static void settle_others(const struct history *history, struct finished_trial *trial)
{
	const struct job_objective *objective = &history->file->objective;
	const bool known = trial->judgement.n_also == objective->n_also;

	for (size_t i = 0; i < objective->n_also; i++) {
		const double value = known ? trial->judgement.also[i] : NAN;
		trial->others[i] = objective->also[i].maximize ? -value : value;
	}
}

bool history_add(
	struct history *history, const struct finished_trial *trial, struct tuner_error *err)
{
	if (!make_room(history, err))
		return false;
	struct finished_trial *added = &history->items[history->n];
	*added = *trial;
	settle_others(history, added);
	if (!settle_curve(history, added, err))
		return false;
	history->n++;
	history->curve_values += added->series.n;
	while (!may_keep(history, history->n - history->first_curve, history->curve_values))
		drop_curve(history);
	history->added += added->added;
	if (added->state != TRIAL_DONE)
		return true;
	if (is_better(history, added, history->best))
		history->best = added;
	if (added->added)
		return true;
	history->done++;
	if (is_better(history, added, history->best_own))
		history->best_own = added;
	return true;
}

bool trial_present_values(const struct job_file *file, const struct trial *trial, double **ret,
	struct tuner_error *err)
{
	struct tuner_error misfit = { TUNER_OK, "" };
	double *values = calloc(file->space.d + 1, sizeof(*values));
	if (values == NULL)
		return tuner_fail_memory(err);
	if (!configuration_parse(file, trial->parameters, true, values, &misfit)) {
		free(values);
		values = NULL;
		if (misfit.code != TUNER_OK) {
			*err = misfit;
			return tuner_fail_in(err, "trial %lld: ", (long long)trial->number);
		}
	}
	*ret = values;
	return true;
}

int64_t trial_start_us(int64_t started_us, int64_t last_us, int64_t ended_us)
{
	const int64_t last = last_us > ended_us ? ended_us : last_us;

	return started_us == 0 || (last > 0 && last < started_us) ? last : started_us;
}

int64_t trial_duration_us(int64_t started_us, int64_t last_us, int64_t ended_us)
{
	const int64_t first = trial_start_us(started_us, last_us, ended_us);

	return first > 0 && first < ended_us ? ended_us - first : 0;
}

static bool load_curve(const struct job_file *file, struct store *store, int64_t trial_id,
	struct series *ret, struct tuner_error *err)
{
	struct objective_curves curves = { 0 };
	const bool ok = objective_curves_load(
		&curves, &file->objective, file->metric, store, trial_id, err);
	*ret = curves.whole;
	curves.whole = (struct series){ 0 };
	objective_curves_finish(&curves);
	return ok;
}

/* Takes the series over, also if it fails. */
static bool add_stored(struct history *history, const struct trial *trial, struct series *series,
	struct tuner_error *err)
{
	struct finished_trial finished = {
		.number = trial->number,
		.objective = trial->objective,
		.state = trial->state,
		.outcome = trial->outcome,
		.judgement = trial->judgement,
		.added = strcmp(trial->source, "added") == 0,
		.took_us = trial_duration_us(trial->started_us, 0, trial->ended_us),
		.series = *series,
	};
	*series = (struct series){ 0 };
	if (!trial_present_values(history->file, trial, &finished.values, err) ||
		!history_add(history, &finished, err)) {
		free(finished.values);
		series_finish(&finished.series);
		return false;
	}
	history->last_event = trial->ended_event;
	return true;
}

bool history_add_stored(struct history *history, struct store *store, const struct trial *trial,
	struct tuner_error *err)
{
	struct series series = { 0 };

	if (may_keep(history, 1, 0) && !load_curve(history->file, store, trial->id, &series, err))
		return false;
	return add_stored(history, trial, &series, err);
}

/* Loads from the last one back the curves that will be kept: older ones are not even read. */
static bool load_curves(const struct history *history, struct store *store,
	const struct trial_list *list, struct series *ret, struct tuner_error *err)
{
	size_t values = 0;

	for (size_t n = 1; n <= list->n && may_keep(history, n, values); n++) {
		struct series *series = &ret[list->n - n];

		if (!load_curve(history->file, store, list->items[list->n - n].id, series, err))
			return false;
		values += series->n;
	}
	return true;
}

static bool add_all(struct history *history, struct store *store, const struct trial_list *list,
	struct tuner_error *err)
{
	struct series *series = calloc(list->n + 1, sizeof(*series));

	if (series == NULL)
		return tuner_fail_memory(err);
	bool ok = load_curves(history, store, list, series, err);
	for (size_t i = 0; ok && i < list->n; i++)
		ok = add_stored(history, &list->items[i], &series[i], err);
	for (size_t i = 0; i < list->n; i++)
		series_finish(&series[i]);
	free(series);
	return ok;
}

/* A decision made without a trial that was put back has seen the event of that, and of other
 * results by another objective. */
static bool load_reopenings(
	struct history *history, struct store *store, int64_t job_id, struct tuner_error *err)
{
	struct reopening *reopenings;
	size_t n;

	if (!trial_reopenings(store, job_id, &reopenings, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (reopenings[i].event > history->last_event)
			history->last_event = reopenings[i].event;
	free(reopenings);
	int64_t rescored;
	if (!job_last_rescored(store, job_id, &rescored, err))
		return false;
	if (rescored > history->last_event)
		history->last_event = rescored;
	return true;
}

bool history_load(struct history *history, const struct job_file *file, struct store *store,
	int64_t job_id, const char *arm, int64_t repeat, struct tuner_error *err)
{
	*history = (struct history){ .file = file };
	const struct trial_filter filter = {
		.job_id = job_id,
		.arm = arm,
		.repeat = repeat,
		.states = 1u << TRIAL_DONE | 1u << TRIAL_FAILED | 1u << TRIAL_STOPPED,
		.order = TRIAL_BY_END,
		.without_values = true, /* they are read from the JSON, in the present space */
	};
	struct trial_list list;
	if (!trial_created(store, job_id, arm, repeat, &history->created, err) ||
		!trial_select(store, &filter, &list, err))
		return false;
	const bool ok =
		add_all(history, store, &list, err) && load_reopenings(history, store, job_id, err);
	trial_list_finish(&list);
	if (!ok)
		history_finish(history);
	return ok;
}

void history_finish(struct history *history)
{
	for (size_t i = 0; i < history->n; i++) {
		free(history->items[i].values);
		series_finish(&history->items[i].series);
		free(history->items[i].sums);
	}
	free(history->items);
	*history = (struct history){ 0 };
}

/* What the model learns from a finished trial: the table of outcomes in architecture.md, section
 * 5. */
static struct observation observe(
	const struct job_file *file, const struct finished_trial *trial, size_t n_limits)
{
	const double sign = file->maximize ? -1 : 1;
	struct observation o = {
		.values = trial->values, .objective = NAN, .duration = 1e-6 * (double)trial->took_us
	};
	if (n_limits > 0 && trial->judgement.n_limits == n_limits)
		o.excess = trial->judgement.excess;
	if (file->objective.n_also > 0)
		o.others = trial->others;
	if (trial->state == TRIAL_DONE) {
		o.kind = OBSERVATION_DONE;
		o.objective = sign * trial->objective;
	} else if (trial->state == TRIAL_FAILED && trial->outcome == OUTCOME_OVER_LIMIT) {
		o.kind = OBSERVATION_OVER_LIMIT;
		o.objective = sign * trial->judgement.objective;
	} else if (trial->state == TRIAL_FAILED && !outcome_is_infrastructure(trial->outcome)) {
		o.kind = OBSERVATION_FAILED;
	} else {
		o.kind = OBSERVATION_STOPPED;
		if (trial->outcome == OUTCOME_EARLY_STOPPED || trial->outcome == OUTCOME_TIMEOUT)
			o.objective = sign * trial->objective;
	}
	return o;
}

size_t history_limits(const struct history *history)
{
	size_t n = 0;

	for (size_t i = 0; i < history->n; i++)
		if (history->items[i].judgement.n_limits > n)
			n = history->items[i].judgement.n_limits;
	return n;
}

bool history_observations(const struct history *history, struct observation **ret, size_t *ret_n,
	struct tuner_error *err)
{
	struct observation *observations = calloc(history->n + 1, sizeof(*observations));
	if (observations == NULL)
		return tuner_fail_memory(err);
	const size_t n_limits = history_limits(history);
	size_t n = 0;
	for (size_t i = 0; i < history->n; i++)
		if (history->items[i].values != NULL)
			observations[n++] = observe(history->file, &history->items[i], n_limits);
	*ret = observations;
	*ret_n = n;
	return true;
}

/* The value at place k if they were sorted (Hoare's "Find", CACM 4, 1961): every proposal needs
 * only this one value of many. */
static int64_t select_int64(int64_t *items, size_t n, size_t k)
{
	const ptrdiff_t wanted = (ptrdiff_t)k;
	ptrdiff_t low = 0, high = (ptrdiff_t)n - 1;
	while (low < high) {
		const int64_t pivot = items[wanted];
		ptrdiff_t i = low, j = high;
		while (i <= j) {
			while (items[i] < pivot)
				i++;
			while (items[j] > pivot)
				j--;
			if (i > j)
				break;
			const int64_t other = items[i];
			items[i++] = items[j];
			items[j--] = other;
		}
		/* Items left of i are at most the pivot, items right of j at least. */
		if (j < wanted)
			low = i;
		if (wanted < i)
			high = j;
	}
	return items[wanted];
}

int64_t history_counted(const struct history *history)
{
	return history->created - history->added;
}

int64_t history_median_us(const struct history *history)
{
	int64_t *times = malloc((history->n + 1) * sizeof(*times));
	size_t n = 0;
	if (times == NULL)
		return 0;
	for (size_t i = 0; i < history->n; i++)
		if (history->items[i].state == TRIAL_DONE && !history->items[i].added)
			times[n++] = history->items[i].took_us;
	const int64_t median = n > 0 ? select_int64(times, n, n / 2) : 0;
	free(times);
	return median;
}
