/* Learning curves (trial.h). */
#include "trials/trial.h"

#include "trials/curve.h"
#include "trials/sql.h"

#include <stdlib.h>
#include <string.h>

static void curve_finish(struct curve *curve)
{
	free(curve->name);
	free(curve->steps);
	free(curve->values);
	free(curve->time_us);
	*curve = (struct curve){ 0 };
}

void curve_list_finish(struct curve_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		curve_finish(&list->items[i]);
	free(list->items);
	*list = (struct curve_list){ 0 };
}

/* Grows the three arrays together. */
static bool add_point(struct curve *curve, size_t *capacity, int64_t step, double value,
	int64_t time_us, struct tuner_error *err)
{
	size_t n[3] = { curve->n, curve->n, curve->n };
	size_t capacities[3] = { *capacity, *capacity, *capacity };

	if (!array_grow((void **)&curve->steps, &n[0], &capacities[0], sizeof *curve->steps, err) ||
		!array_grow((void **)&curve->values, &n[1], &capacities[1], sizeof *curve->values,
			err) ||
		!array_grow((void **)&curve->time_us, &n[2], &capacities[2], sizeof *curve->time_us,
			err))
		return false;
	curve->steps[curve->n] = step;
	curve->values[curve->n] = value;
	curve->time_us[curve->n] = time_us;
	curve->n = n[0];
	*capacity = capacities[0];
	return true;
}

/* How far an attempt has reported the metric that is being read. */
struct reach {
	int64_t attempt, step; /* step: its last */
};

struct launches {
	struct reach *reaches;
	size_t n, capacity;
	int64_t *attempts; /* of the curve's points */
	size_t points;
};

static void launches_finish(struct launches *launches)
{
	free(launches->reaches);
	free(launches->attempts);
}

/* Steps must be passed in ascending order. */
static bool note_reach(
	struct launches *launches, int64_t attempt, int64_t step, struct tuner_error *err)
{
	size_t i = 0;

	while (i < launches->n && launches->reaches[i].attempt != attempt)
		i++;
	if (i == launches->n && !array_grow((void **)&launches->reaches, &launches->n,
					&launches->capacity, sizeof *launches->reaches, err))
		return false;
	launches->reaches[i] = (struct reach){ attempt, step };
	return true;
}

static bool note_attempt(struct launches *launches, const struct curve *curve, int64_t attempt,
	struct tuner_error *err)
{
	size_t n = curve->n - 1;

	if (!array_grow((void **)&launches->attempts, &n, &launches->points,
		    sizeof *launches->attempts, err))
		return false;
	launches->attempts[curve->n - 1] = attempt;
	return true;
}

static bool was_given_up(const struct launches *launches, int64_t attempt, int64_t step)
{
	for (size_t i = 0; i < launches->n; i++)
		if (launches->reaches[i].attempt > attempt && launches->reaches[i].step < step)
			return true;
	return false;
}

/* Completes a curve: removes the points that later attempts gave up. */
static void end_curve(struct curve *curve, struct launches *launches)
{
	size_t kept = 0;

	for (size_t i = 0; launches->n > 1 && i < curve->n; i++) {
		if (was_given_up(launches, launches->attempts[i], curve->steps[i]))
			continue;
		curve->steps[kept] = curve->steps[i];
		curve->values[kept] = curve->values[i];
		curve->time_us[kept++] = curve->time_us[i];
	}
	if (launches->n > 1)
		curve->n = kept;
	curve->newest = 0;
	for (size_t i = 0; i < launches->n; i++)
		if (launches->reaches[i].attempt > curve->newest)
			curve->newest = launches->reaches[i].attempt;
	launches->n = 0;
}

static bool begin_curve(
	struct curve_list *list, size_t *capacity, const char *name, struct tuner_error *err)
{
	if (!array_grow((void **)&list->items, &list->n, capacity, sizeof *list->items, err))
		return false;
	list->items[list->n - 1].name = strdup(name);
	return list->items[list->n - 1].name != NULL || tuner_fail_memory(err);
}

/* Rows are ordered by metric, step, attempt: of equal steps the last row is the latest
 * attempt's. */
static bool read_rows(struct query *query, struct curve_list *list, struct launches *launches,
	struct tuner_error *err)
{
	size_t capacity = 0, points = 0;
	int64_t metric = 0;
	bool found = false;

	for (;;) {
		if (!query_row(query, &found, err))
			return false;
		if (!found)
			break;
		const int64_t id = query_int(query);
		const char *const name = query_text(query);
		const int64_t step = query_int(query);
		const double value = query_double(query);
		const int64_t time_us = query_int(query), attempt = query_int(query);

		if (list->n == 0 || id != metric) {
			if (list->n > 0)
				end_curve(&list->items[list->n - 1], launches);
			if (!begin_curve(list, &capacity, name, err))
				return false;
			metric = id;
			points = 0;
		}
		struct curve *const curve = &list->items[list->n - 1];

		if (curve->n > 0 && curve->steps[curve->n - 1] == step)
			curve->n--;
		if (!add_point(curve, &points, step, value, time_us, err) ||
			!note_attempt(launches, curve, attempt, err) ||
			!note_reach(launches, attempt, step, err))
			return false;
	}
	if (list->n > 0)
		end_curve(&list->items[list->n - 1], launches);
	return true;
}

static bool read_curves(struct query *query, struct curve_list *list, struct tuner_error *err)
{
	struct launches launches = { 0 };
	const bool ok = read_rows(query, list, &launches, err);

	launches_finish(&launches);
	return ok;
}

#define SELECT_POINTS                                                                              \
	"SELECT m.name, n.name, m.step, m.value, m.time_us, a.number FROM attempt a "              \
	"CROSS JOIN metric m ON m.attempt = a.id CROSS JOIN metric_name n ON n.id = m.name "       \
	"WHERE a.trial = ?1 "
#define IN_ORDER "ORDER BY m.name, m.step, a.number"

bool curve_select(struct store *store, int64_t trial_id, const char *name, struct curve_list *ret,
	struct tuner_error *err)
{
	struct curve_list list = { 0 };
	struct query query;

	query_open(&query, store,
		name ? SELECT_POINTS
			"AND m.name = (SELECT id FROM metric_name WHERE name = ?2) " IN_ORDER
		     : SELECT_POINTS IN_ORDER);
	query_bind_int(&query, trial_id);
	if (name)
		query_bind_text(&query, name);
	const bool ok = read_curves(&query, &list, err);

	query_close(&query);
	if (ok)
		*ret = list;
	else
		curve_list_finish(&list);
	return ok;
}

bool curve_settle_best(struct store *store, int64_t trial_id, struct tuner_error *err)
{
	struct query query;

	store_assert_writing(store);
	query_open(&query, store,
		"UPDATE trial SET best_value = (SELECT CASE o.goal WHEN 'maximize' THEN "
		"max(m.value) ELSE min(m.value) END FROM objective_version o "
		"CROSS JOIN metric_name n ON n.name = o.metric "
		"CROSS JOIN attempt a ON a.trial = trial.id "
		"CROSS JOIN metric m ON m.attempt = a.id AND m.name = n.id "
		"WHERE o.id = trial.objective_version AND " ROW_IS_IN_CURVE(
			"trial") ") WHERE id = ?1");
	query_bind_int(&query, trial_id);
	return query_run(&query, err);
}
