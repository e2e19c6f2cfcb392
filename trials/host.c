#include "trials/host.h"

#include "base/text.h"
#include "trials/event.h"
#include "trials/sql.h"

#include <stdlib.h>

bool host_event_add(struct store *store, int64_t job_id, const char *name, const char *state,
	const char *message, int64_t now_us, struct tuner_error *err)
{
	struct text data = TEXT_EMPTY;
	int64_t id;

	text_add(&data, "{\"host\": ");
	text_add_json_string(&data, name);
	text_add(&data, ", \"state\": ");
	text_add_json_string(&data, state);
	text_add(&data, ", \"message\": ");
	text_add_json_string(&data, message);
	text_add(&data, "}");
	const bool ok = text_failed(&data) ? tuner_fail_memory(err)
					   : event_add(store, job_id, 0, 0, "host", data.bytes,
						     now_us, &id, err);
	text_finish(&data);
	return ok;
}

static void host_event_finish(struct host_event *event)
{
	free(event->name);
	free(event->state);
	free(event->message);
}

void host_event_list_finish(struct host_event_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		host_event_finish(&list->items[i]);
	free(list->items);
	*list = (struct host_event_list){ 0 };
}

static bool add_event(struct query *query, struct host_event_list *list, struct tuner_error *err)
{
	struct host_event *items = realloc(list->items, (list->n + 1) * sizeof(*items));
	struct host_event event = { 0 };

	if (items == NULL)
		return tuner_fail_memory(err);
	list->items = items;
	if (!query_text_copy(query, &event.name) || !query_text_copy(query, &event.state) ||
		!query_text_copy(query, &event.message)) {
		host_event_finish(&event);
		return tuner_fail_memory(err);
	}
	event.time_us = query_int(query);
	list->items[list->n++] = event;
	return true;
}

bool host_events_select(struct store *store, int64_t job_id, bool use, struct host_event_list *ret,
	struct tuner_error *err)
{
	struct query query;
	bool found = true;

	*ret = (struct host_event_list){ 0 };
	/* For a group's other columns SQLite takes the row with the max(). */
	query_open(&query, store,
		"SELECT json_extract(data, '$.host') AS host, json_extract(data, '$.state'), "
		"json_extract(data, '$.message'), time_us, max(id) FROM event "
		"WHERE job = ?1 AND kind = 'host' "
		"AND (json_extract(data, '$.state') IN ('draining', 'resumed')) = ?2 "
		"GROUP BY host ORDER BY host");
	query_bind_int(&query, job_id);
	query_bind_int(&query, use);
	bool ok = true;
	while (ok && (ok = query_row(&query, &found, err)) && found)
		ok = add_event(&query, ret, err);
	query_close(&query);
	if (!ok)
		host_event_list_finish(ret);
	return ok;
}

void host_use_list_finish(struct host_use_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].backend);
		free(list->items[i].name);
	}
	free(list->items);
	*list = (struct host_use_list){ 0 };
}

static bool add_use(struct query *query, struct host_use_list *list, struct tuner_error *err)
{
	struct host_use *items = realloc(list->items, (list->n + 1) * sizeof(*items));
	struct host_use use = { 0 };

	if (items == NULL)
		return tuner_fail_memory(err);
	list->items = items;
	if (!query_text_copy(query, &use.backend) || !query_text_copy(query, &use.name)) {
		free(use.backend);
		return tuner_fail_memory(err);
	}
	use.attempts = query_int(query);
	use.open = query_int(query);
	use.done = query_int(query);
	use.done_us = query_int(query);
	use.failed = query_int(query);
	list->items[list->n++] = use;
	return true;
}

bool host_uses_select(
	struct store *store, int64_t job_id, struct host_use_list *ret, struct tuner_error *err)
{
	struct query query;
	bool found = true, ok = true;

	*ret = (struct host_use_list){ 0 };
	query_open(&query, store,
		"SELECT a.backend, a.host, count(*), sum(a.state <> 'ended'), "
		"coalesce(sum(a.outcome = 'ok'), 0), "
		"coalesce(sum(CASE a.outcome WHEN 'ok' THEN a.ended_us - a.started_us END), 0), "
		"coalesce(sum(a.outcome IN ('lost', 'launch-failed', 'oom-host', 'disk-full')), 0) "
		"FROM trial t CROSS JOIN attempt a ON a.trial = t.id WHERE t.job = ?1 "
		"GROUP BY a.backend, a.host ORDER BY a.backend, a.host");
	query_bind_int(&query, job_id);
	while (ok && (ok = query_row(&query, &found, err)) && found)
		ok = add_use(&query, ret, err);
	query_close(&query);
	if (!ok)
		host_use_list_finish(ret);
	return ok;
}
