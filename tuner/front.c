#include "tuner/front.h"

#include "surrogate/pareto.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

static_assert((int)GOALS_MAX <= (int)PARETO_OBJECTIVES_MAX, "a front has room for all objectives");

enum { NUMBERS_SHOWN = 10 };

/* Those of all trials. */
static double *outcomes_of(const struct goals *goals, const struct trial_list *list)
{
	double *outcomes = calloc(list->n * goals->n + 1, sizeof(*outcomes));

	for (size_t i = 0; outcomes != NULL && i < list->n; i++)
		goals_outcome(goals, &list->items[i], &outcomes[i * goals->n]);
	return outcomes;
}

/* Drops all trials but those marked. */
static void keep(struct trial_list *list, const bool *marked)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		if (marked[i])
			list->items[n++] = list->items[i];
		else
			trial_finish(&list->items[i]);
	list->n = n;
}

/* Of a job's objectives. */
static bool read_front(struct store *store, int64_t job_id, const struct goals *goals,
	struct front *ret, struct tuner_error *err)
{
	const struct trial_filter done = { .job_id = job_id,
		.repeat = -1,
		.states = 1u << TRIAL_DONE,
		.order = TRIAL_BY_OBJECTIVE,
		.without_values = true };

	*ret = (struct front){ 0 };
	if (!trial_select(store, &done, &ret->trials, err))
		return false;
	ret->among = ret->trials.n;

	double *outcomes = outcomes_of(goals, &ret->trials);
	bool *on = calloc(ret->trials.n + 1, sizeof(*on));
	const bool ok = outcomes != NULL && on != NULL;

	if (ok) {
		pareto_front(outcomes, ret->trials.n, goals->n, on);
		keep(&ret->trials, on);
	} else {
		front_finish(ret);
	}
	free(on);
	free(outcomes);
	return ok || tuner_fail_memory(err);
}

bool front_read(const struct report *report, struct front *ret, struct tuner_error *err)
{
	return read_front(report->store, report->job.id, &report->goals, ret, err);
}

static bool read_goals(
	struct store *store, int64_t job_id, struct goals *ret, struct tuner_error *err)
{
	struct job job = { 0 };
	char *metric = NULL, *definition = NULL;
	bool maximize = false;
	const bool ok =
		job_load(store, job_id, &job, err) &&
		job_objective(store, job.objective_version, &metric, &maximize, &definition, err) &&
		goals_read(metric, maximize, definition, ret, err);

	free(definition);
	free(metric);
	job_finish(&job);
	return ok;
}

bool front_ids(struct store *store, int64_t job_id, struct text *ret, struct tuner_error *err)
{
	struct goals goals = { 0 };
	struct front front = { 0 };
	const bool ok = read_goals(store, job_id, &goals, err) &&
			(goals.n == 1 || read_front(store, job_id, &goals, &front, err));

	text_add_char(ret, '[');
	for (size_t i = 0; i < front.trials.n; i++)
		text_print(ret, "%s%" PRId64, i > 0 ? "," : "", front.trials.items[i].id);
	text_add_char(ret, ']');
	front_finish(&front);
	goals_finish(&goals);
	return ok;
}

bool front_read_best(const struct report *report, struct front *ret, struct tuner_error *err)
{
	const struct trial_filter best = { .job_id = report->job.id,
		.repeat = -1,
		.states = 1u << TRIAL_DONE,
		.order = TRIAL_BY_OBJECTIVE,
		.limit = 1 };

	if (report->goals.n > 1)
		return front_read(report, ret, err);
	*ret = (struct front){ 0 };
	return trial_select(report->store, &best, &ret->trials, err);
}

void front_finish(struct front *front)
{
	trial_list_finish(&front->trials);
	*front = (struct front){ 0 };
}

const struct trial *front_trial(const struct front *front, int64_t number)
{
	for (size_t i = 0; i < front->trials.n; i++)
		if (front->trials.items[i].number == number)
			return &front->trials.items[i];
	return NULL;
}

bool front_holds(const struct report *report, int64_t number, bool *ret, struct tuner_error *err)
{
	struct front front;

	if (!front_read_best(report, &front, err))
		return false;
	*ret = front_trial(&front, number) != NULL;
	front_finish(&front);
	return true;
}

void front_numbers(const struct front *front, struct text *ret)
{
	for (size_t i = 0; i < front->trials.n && i < NUMBERS_SHOWN; i++)
		text_print(
			ret, "%s%lld", i > 0 ? ", " : "", (long long)front->trials.items[i].number);
	if (front->trials.n > NUMBERS_SHOWN)
		text_add(ret, " ...");
}
