#include "trials/gpu_use.h"

#include "base/text.h"
#include "trials/event.h"
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

/* ---- which GPUs there are ---- */

bool gpu_event_add(struct store *store, int64_t job_id, const char *host, const char *uuid,
	int index, const char *name, const char *state, const char *message, int64_t now_us,
	struct tuner_error *err)
{
	struct text data = TEXT_EMPTY;
	int64_t id;

	text_add(&data, "{\"host\": ");
	text_add_json_string(&data, host);
	text_add(&data, ", \"gpu\": ");
	text_add_json_string(&data, uuid);
	text_print(&data, ", \"index\": %d, \"name\": ", index);
	text_add_json_string(&data, name);
	text_add(&data, ", \"state\": ");
	text_add_json_string(&data, state);
	text_add(&data, ", \"message\": ");
	text_add_json_string(&data, message);
	text_add(&data, "}");
	const bool ok = text_failed(&data) ? tuner_fail_memory(err)
					   : event_add(store, job_id, 0, 0, "gpu", data.bytes,
						     now_us, &id, err);
	text_finish(&data);
	return ok;
}

static bool add_known(struct query *query, struct gpu_known_list *list, struct tuner_error *err)
{
	if (!array_grow(
		    (void **)&list->items, &list->n, &list->capacity, sizeof(*list->items), err))
		return false;

	struct gpu_known *gpu = &list->items[list->n - 1];

	*gpu = (struct gpu_known){ 0 };
	if (!query_text_copy(query, &gpu->host) || !query_text_copy(query, &gpu->uuid) ||
		!query_text_copy(query, &gpu->name))
		return tuner_fail_memory(err);
	gpu->index = query_int(query);
	if (!query_text_copy(query, &gpu->state) || !query_text_copy(query, &gpu->message))
		return tuner_fail_memory(err);
	gpu->since_us = query_int(query);
	gpu->attempts = query_int(query);
	if (!query_text_copy(query, &gpu->trials))
		return tuner_fail_memory(err);
	gpu->measured_trial = query_int(query);
	gpu->measured_gpus = query_int(query);
	gpu->utilisation_mean = query_double(query);
	gpu->memory_peak_bytes = query_int(query);
	return true;
}

bool gpu_known_select(
	struct store *store, int64_t job_id, struct gpu_known_list *ret, struct tuner_error *err)
{
	struct query query;
	bool found = true, ok = true;

	*ret = (struct gpu_known_list){ 0 };
	/* For a group's other columns SQLite takes the row with the max(). */
	query_open(&query, store,
		"WITH told AS MATERIALIZED (SELECT data ->> '$.host' AS host, data ->> '$.gpu' AS "
		"gpu, data, time_us, max(id) FROM event WHERE job = ?1 AND kind = 'gpu' GROUP BY "
		"1, 2), "
		"used AS MATERIALIZED (SELECT a.host AS host, g.value AS gpu, count(*) AS "
		"attempts, "
		"json_group_array(t.number) FILTER (WHERE a.state <> 'ended') AS trials, "
		"t.number AS number, json_array_length(a.gpus) AS gpus, u.utilisation_mean AS "
		"mean, "
		"a.gpu_memory_peak_bytes AS peak, max(CASE WHEN u.samples > 0 THEN a.id END) AS "
		"measured FROM trial t CROSS JOIN attempt a ON a.trial = t.id CROSS JOIN "
		"json_each(a.gpus) g LEFT JOIN gpu_use u ON u.attempt = a.id WHERE t.job = ?1 "
		"GROUP BY 1, 2) "
		"SELECT k.host, k.gpu, coalesce(d.data ->> '$.name', ''), coalesce(d.data ->> "
		"'$.index', -1) AS position, coalesce(d.data ->> '$.state', ''), coalesce(d.data "
		"->> "
		"'$.message', ''), coalesce(d.time_us, 0), coalesce(u.attempts, 0), "
		"coalesce(u.trials, '[]'), iif(u.measured, u.number, 0), iif(u.measured, u.gpus, "
		"0), "
		"iif(u.measured, u.mean, NULL), iif(u.measured, u.peak, 0) "
		"FROM (SELECT host, gpu FROM told UNION SELECT host, gpu FROM used) k "
		"LEFT JOIN told d ON d.host = k.host AND d.gpu = k.gpu "
		"LEFT JOIN used u ON u.host = k.host AND u.gpu = k.gpu "
		"ORDER BY k.host, position, k.gpu");
	query_bind_int(&query, job_id);
	while (ok && (ok = query_row(&query, &found, err)) && found)
		ok = add_known(&query, ret, err);
	query_close(&query);
	if (!ok)
		gpu_known_list_finish(ret);
	return ok;
}

void gpu_known_list_finish(struct gpu_known_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].host);
		free(list->items[i].uuid);
		free(list->items[i].name);
		free(list->items[i].state);
		free(list->items[i].message);
		free(list->items[i].trials);
	}
	free(list->items);
	*list = (struct gpu_known_list){ 0 };
}
