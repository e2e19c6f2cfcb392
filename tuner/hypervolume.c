#include "tuner/hypervolume.h"

#include "surrogate/pareto.h"
#include "tuner/report_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LARGEST = 1e75;

/* The results that count, in the order in which they ended, to be minimised. */
struct results {
	double *outcomes; /* n x m */
	const struct trial **trials;
	size_t *finished;
	size_t n, m;
};

/* Of all that are measured together; to be minimised. */
struct extent {
	double best[GOALS_MAX], reference[GOALS_MAX];
};

static void results_finish(struct results *results)
{
	free(results->outcomes);
	free(results->trials);
	free(results->finished);
}

static double *outcome_of(const struct results *results, size_t i)
{
	return &results->outcomes[i * results->m];
}

static bool counts(const double *outcome, size_t m)
{
	for (size_t k = 0; k < m; k++)
		if (!(fabs(outcome[k]) <= LARGEST))
			return false;
	return true;
}

static bool gather(const struct goals *goals, const struct trial_list *list, struct results *ret,
	struct tuner_error *err)
{
	*ret = (struct results){ .m = goals->n };
	ret->outcomes = calloc(list->n * goals->n + 1, sizeof(*ret->outcomes));
	ret->trials = calloc(list->n + 1, sizeof(*ret->trials));
	ret->finished = calloc(list->n + 1, sizeof(*ret->finished));
	if (ret->outcomes == NULL || ret->trials == NULL || ret->finished == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < list->n; i++) {
		double *outcome = outcome_of(ret, ret->n);
		goals_outcome(goals, &list->items[i], outcome);
		if (!counts(outcome, goals->n))
			continue;
		ret->trials[ret->n] = &list->items[i];
		ret->finished[ret->n++] = i + 1;
	}
	return true;
}

static void find_extent(const struct results *all, size_t n, size_t m, struct extent *ret)
{
	for (size_t k = 0; k < m; k++) {
		double best = INFINITY, worst = -INFINITY;
		for (size_t l = 0; l < n; l++)
			for (size_t i = 0; i < all[l].n; i++) {
				best = fmin(best, outcome_of(&all[l], i)[k]);
				worst = fmax(worst, outcome_of(&all[l], i)[k]);
			}
		ret->best[k] = best;
		ret->reference[k] = worst + (worst > best ? (worst - best) / 10 : 1);
	}
}

static double box_of(const struct extent *extent, size_t m)
{
	double box = 1;

	for (size_t k = 0; k < m; k++)
		box *= extent->reference[k] - extent->best[k];
	return box;
}

/* ---- what a result gains ----
 *
 * The box between it and the reference, without what the front covers of it: that is the hypervolume
 * of the front's outcomes made as bad as the result itself wherever they are better, most of which
 * surpass one another then (While, Bradstreet, Barone, "A Fast Way of Calculating Exact
 * Hypervolumes", IEEE Transactions on Evolutionary Computation 16(1), 2012). */

struct front_so_far {
	double *outcomes, *limited; /* n x m */
	bool *on;
	size_t n;
};

static void front_so_far_finish(struct front_so_far *front)
{
	free(front->outcomes);
	free(front->limited);
	free(front->on);
}

static bool front_so_far_create(
	struct front_so_far *ret, size_t most, size_t m, struct tuner_error *err)
{
	*ret = (struct front_so_far){ .outcomes = calloc(most * m + 1, sizeof(double)),
		.limited = calloc(most * m + 1, sizeof(double)),
		.on = calloc(most + 1, sizeof(bool)) };
	return (ret->outcomes != NULL && ret->limited != NULL && ret->on != NULL) ||
	       tuner_fail_memory(err);
}

/* Keeps those of n rows that are marked; returns their number. */
static size_t keep_rows(double *rows, size_t n, size_t m, const bool *marked)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (marked[i])
			memmove(&rows[kept++ * m], &rows[i * m], m * sizeof(*rows));
	return kept;
}

static bool find_gain(struct front_so_far *front, const double *outcome, const double *reference,
	size_t m, double *ret, struct tuner_error *err)
{
	double box = 1, covered = 0;

	for (size_t k = 0; k < m; k++)
		box *= reference[k] - outcome[k];
	for (size_t i = 0; i < front->n * m; i++)
		front->limited[i] = fmax(front->outcomes[i], outcome[i % m]);
	const size_t n = pareto_keep_front(front->limited, front->n, m);
	if (!pareto_hypervolume(front->limited, n, m, reference, &covered, err))
		return false;
	*ret = fmax(box - covered, 0); /* rounding */
	return true;
}

/* False if the front equals or surpasses it. */
static bool joins(const struct front_so_far *front, const double *outcome, size_t m)
{
	for (size_t i = 0; i < front->n; i++) {
		size_t k = 0;
		while (k < m && front->outcomes[i * m + k] <= outcome[k])
			k++;
		if (k == m)
			return false;
	}
	return true;
}

static void join(struct front_so_far *front, const double *outcome, size_t m)
{
	for (size_t i = 0; i < front->n; i++)
		front->on[i] = !pareto_surpasses(outcome, &front->outcomes[i * m], m);
	front->n = keep_rows(front->outcomes, front->n, m, front->on);
	memcpy(&front->outcomes[front->n++ * m], outcome, m * sizeof(*outcome));
}

static bool climb(const struct results *results, const double *reference,
	struct front_so_far *front, struct hypervolume *ret, struct tuner_error *err)
{
	double volume = 0, gain;

	for (size_t i = 0; i < results->n; i++) {
		const double *outcome = outcome_of(results, i);
		if (!joins(front, outcome, results->m))
			continue;
		if (!find_gain(front, outcome, reference, results->m, &gain, err))
			return false;
		join(front, outcome, results->m);
		if (volume + gain > volume)
			ret->steps[ret->n++] =
				(struct hypervolume_step){ (int64_t)results->finished[i],
					results->trials[i]->number, volume + gain };
		volume += gain;
	}
	return true;
}

/* ---- reading ---- */

static bool measure(const struct goals *goals, const struct results *results,
	const struct extent *extent, struct hypervolume *ret, struct tuner_error *err)
{
	struct front_so_far front = { 0 };

	ret->box = box_of(extent, goals->n);
	for (size_t k = 0; k < goals->n; k++)
		ret->reference[k] =
			goals->items[k].maximize ? -extent->reference[k] : extent->reference[k];
	ret->steps = calloc(results->n + 1, sizeof(*ret->steps));

	const bool ok = (ret->steps != NULL || tuner_fail_memory(err)) &&
			front_so_far_create(&front, results->n, results->m, err) &&
			climb(results, extent->reference, &front, ret, err);

	front_so_far_finish(&front);
	return ok;
}

bool hypervolume_measure_all(const struct goals *goals, const struct trial_list *const *lists,
	size_t n, struct hypervolume *ret, struct tuner_error *err)
{
	struct results *all = calloc(n + 1, sizeof(*all));
	struct extent extent;
	bool ok = all != NULL || tuner_fail_memory(err);

	for (size_t l = 0; l < n; l++)
		ret[l] = (struct hypervolume){ .results = lists[l]->n };
	for (size_t l = 0; ok && l < n; l++) {
		ok = gather(goals, lists[l], &all[l], err);
		ret[l].left_out = lists[l]->n - all[l].n;
	}
	if (ok)
		find_extent(all, n, goals->n, &extent);
	for (size_t l = 0; ok && l < n; l++)
		ok = measure(goals, &all[l], &extent, &ret[l], err);
	for (size_t l = 0; l < n; l++) {
		if (all != NULL)
			results_finish(&all[l]);
		if (!ok)
			hypervolume_finish(&ret[l]);
	}
	free(all);
	return ok;
}

bool hypervolume_measure(const struct goals *goals, const struct trial_list *list,
	struct hypervolume *ret, struct tuner_error *err)
{
	return hypervolume_measure_all(goals, &list, 1, ret, err);
}

bool hypervolume_read(const struct report *report, struct hypervolume *ret, struct tuner_error *err)
{
	const struct trial_filter done = { .job_id = report->job.id,
		.repeat = -1,
		.states = 1u << TRIAL_DONE,
		.order = TRIAL_BY_END,
		.without_values = true };
	struct trial_list list;

	*ret = (struct hypervolume){ 0 };
	if (!trial_select(report->store, &done, &list, err))
		return false;
	const bool ok = hypervolume_measure(&report->goals, &list, ret, err);
	trial_list_finish(&list);
	return ok;
}

void hypervolume_finish(struct hypervolume *volume)
{
	free(volume->steps);
	*volume = (struct hypervolume){ 0 };
}

/* ---- JSON ---- */

static bool add_steps(const struct hypervolume *volume, cJSON *array)
{
	bool ok = array != NULL;

	for (size_t i = 0; ok && i < volume->n; i++) {
		cJSON *item = cJSON_CreateObject();
		ok = json_append(array, item) &&
		     json_add_integer(item, "finished", volume->steps[i].finished) &&
		     json_add_integer(item, "trial", volume->steps[i].trial) &&
		     json_add_number(item, "volume", volume->steps[i].volume);
	}
	return ok;
}

cJSON *hypervolume_json(const struct report *report, const struct hypervolume *volume)
{
	if (volume->n == 0)
		return cJSON_CreateNull();

	cJSON *object = cJSON_CreateObject();
	cJSON *reference = object != NULL ? cJSON_AddArrayToObject(object, "reference") : NULL;
	bool ok = reference != NULL;

	for (size_t k = 0; ok && k < report->goals.n; k++)
		ok = json_append_number(reference, volume->reference[k]);
	ok = ok && json_add_integer(object, "left_out", (int64_t)volume->left_out) &&
	     add_steps(volume, cJSON_AddArrayToObject(object, "steps"));
	if (ok)
		return object;
	cJSON_Delete(object);
	return NULL;
}
