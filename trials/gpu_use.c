#include "trials/gpu_use.h"

#include "trials/sql.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum outcome outcome_named(const char *name)
{
	enum outcome outcome = OUTCOME_OK;
	while (outcome < OUTCOMES && strcmp(outcome_name(outcome), name) != 0)
		outcome++;
	return outcome < OUTCOMES ? outcome : OUTCOME_NONE;
}

bool gpu_use_put(
	struct store *store, int64_t attempt_id, const struct gpu_use *use, struct tuner_error *err)
{
	struct query query;

	store_assert_writing(store);
	query_open(&query, store,
		"INSERT INTO gpu_use (attempt, together, samples, utilisation_mean, "
		"utilisation_max, power_mean_w, temperature_max_c) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (attempt) DO UPDATE SET "
		"together = ?2, samples = ?3, utilisation_mean = ?4, utilisation_max = ?5, "
		"power_mean_w = ?6, temperature_max_c = ?7");
	query_bind_int(&query, attempt_id);
	query_bind_int(&query, use->together);
	query_bind_int(&query, use->samples);
	query_bind_double(&query, use->utilisation_mean);
	query_bind_double(&query, use->utilisation_max);
	query_bind_double(&query, use->power_mean_w);
	query_bind_double(&query, use->temperature_max_c);
	if (!query_run(&query, err))
		return false;
	query_open(&query, store, "UPDATE attempt SET gpu_memory_peak_bytes = ?1 WHERE id = ?2");
	query_bind_int(&query, use->memory_peak_bytes);
	query_bind_int(&query, attempt_id);
	return query_run(&query, err);
}

bool gpu_use_load(
	struct store *store, int64_t attempt_id, struct gpu_use *ret, struct tuner_error *err)
{
	struct query query;
	bool found = false;

	*ret = (struct gpu_use){ 0, 0, NAN, NAN, NAN, NAN, 0 };
	query_open(&query, store,
		"SELECT g.together, g.samples, g.utilisation_mean, g.utilisation_max, "
		"g.power_mean_w, g.temperature_max_c, a.gpu_memory_peak_bytes "
		"FROM gpu_use g JOIN attempt a ON a.id = g.attempt WHERE g.attempt = ?1");
	query_bind_int(&query, attempt_id);
	const bool ok = query_row(&query, &found, err);
	if (ok && found) {
		ret->together = query_int(&query);
		ret->samples = query_int(&query);
		ret->utilisation_mean = query_double(&query);
		ret->utilisation_max = query_double(&query);
		ret->power_mean_w = query_double(&query);
		ret->temperature_max_c = query_double(&query);
		ret->memory_peak_bytes = query_int(&query);
	}
	query_close(&query);
	return ok;
}

static bool add_ended(struct query *query, struct gpu_ended_list *list, struct tuner_error *err)
{
	if (!array_grow(
		    (void **)&list->items, &list->n, &list->capacity, sizeof(*list->items), err))
		return false;
	struct gpu_ended *ended = &list->items[list->n - 1];
	query_text_into(query, ended->host, sizeof(ended->host));
	ended->outcome = outcome_named(query_text(query));
	ended->together = query_int(query);
	ended->memory_peak_bytes = query_int(query);
	ended->took_us = query_int(query);
	return true;
}

bool gpu_ended_select(struct store *store, int64_t job_id, int64_t most, struct gpu_ended_list *ret,
	struct tuner_error *err)
{
	struct query query;
	bool found = true, ok = true;

	*ret = (struct gpu_ended_list){ 0 };
	query_open(&query, store,
		"SELECT host, outcome, together, peak, took_us FROM (SELECT a.id AS id, "
		"a.host AS host, a.outcome AS outcome, g.together AS together, "
		"a.gpu_memory_peak_bytes AS peak, coalesce(a.ended_us - a.started_us, 0) AS "
		"took_us "
		"FROM trial t CROSS JOIN attempt a ON a.trial = t.id "
		"CROSS JOIN gpu_use g ON g.attempt = a.id "
		"WHERE t.job = ?1 AND a.state = 'ended' ORDER BY a.id DESC LIMIT ?2) ORDER BY id");
	query_bind_int(&query, job_id);
	query_bind_int(&query, most);
	while (ok && (ok = query_row(&query, &found, err)) && found)
		ok = add_ended(&query, ret, err);
	query_close(&query);
	if (!ok)
		gpu_ended_list_finish(ret);
	return ok;
}

void gpu_ended_list_finish(struct gpu_ended_list *list)
{
	free(list->items);
	*list = (struct gpu_ended_list){ 0 };
}
