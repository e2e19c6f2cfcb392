#include "trials/event.h"

#include "trials/sql.h"

#include <stdlib.h>

bool event_add(struct store *store, int64_t job_id, int64_t trial_id, int64_t attempt_id,
	const char *kind, const char *data, int64_t now_us, int64_t *ret_id,
	struct tuner_error *err)
{
	struct query query;

	store_assert_writing(store);
	query_open(&query, store,
		"INSERT INTO event (job, trial, attempt, kind, data, time_us) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
	query_bind_int(&query, job_id);
	query_bind_int_or_null(&query, trial_id, 0);
	query_bind_int_or_null(&query, attempt_id, 0);
	query_bind_text(&query, kind);
	query_bind_text(&query, data ? data : "{}");
	query_bind_int(&query, now_us);
	return query_insert(&query, ret_id, err);
}

bool event_last(struct store *store, int64_t job_id, int64_t *ret_id, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store, "SELECT id FROM event WHERE job = ?1 ORDER BY id DESC LIMIT 1");
	query_bind_int(&query, job_id);
	return query_scalar(&query, 0, ret_id, err);
}

void event_list_finish(struct event_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].kind);
		free(list->items[i].data);
	}
	free(list->items);
	*list = (struct event_list){ 0 };
}

static bool read_event(struct query *query, struct event *ret, struct tuner_error *err)
{
	ret->id = query_int(query);
	ret->trial_number = query_int_or(query, 0);
	ret->time_us = query_int(query);
	return (query_text_copy(query, &ret->kind) && query_text_copy(query, &ret->data)) ||
	       tuner_fail_memory(err);
}

/* Reads all rows of the query, and closes it. */
static bool read_list(struct query *query, struct event_list *ret, struct tuner_error *err)
{
	struct event_list list = { 0 };
	size_t capacity = 0;
	bool found = false, ok = true;

	while (ok && (ok = query_row(query, &found, err)) && found)
		ok = array_grow(
			     (void **)&list.items, &list.n, &capacity, sizeof *list.items, err) &&
		     read_event(query, &list.items[list.n - 1], err);
	query_close(query);
	if (ok)
		*ret = list;
	else
		event_list_finish(&list);
	return ok;
}

bool event_of_job(
	struct store *store, int64_t job_id, const char *kind, char **ret, struct tuner_error *err)
{
	struct query query;
	bool found = false;

	*ret = NULL;
	query_open(&query, store,
		"SELECT data FROM event WHERE job = ?1 AND kind = ?2 AND trial IS NULL ORDER BY id "
		"LIMIT 1");
	query_bind_int(&query, job_id);
	query_bind_text(&query, kind);
	bool ok = query_row(&query, &found, err);
	if (ok && found && !query_text_copy(&query, ret))
		ok = tuner_fail_memory(err);
	query_close(&query);
	return ok;
}

#define SELECT_EVENTS                                                                              \
	"SELECT e.id, t.number, e.time_us, e.kind, e.data FROM event e "                           \
	"LEFT JOIN trial t ON t.id = e.trial "

bool event_select(struct store *store, int64_t job_id, int64_t after, int64_t limit,
	struct event_list *ret, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		SELECT_EVENTS "WHERE e.job = ?1 AND e.id > ?2 ORDER BY e.id LIMIT ?3");
	query_bind_int(&query, job_id);
	query_bind_int(&query, after);
	query_bind_int(&query, limit > 0 ? limit : -1);
	return read_list(&query, ret, err);
}

bool event_select_trial(
	struct store *store, int64_t trial_id, struct event_list *ret, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store, SELECT_EVENTS "WHERE e.trial = ?1 ORDER BY e.id");
	query_bind_int(&query, trial_id);
	return read_list(&query, ret, err);
}

bool event_edits(
	struct store *store, int64_t job_id, struct event_list *ret, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"SELECT e.id, (SELECT max(t.number) FROM event p JOIN trial t ON t.id = p.trial "
		"WHERE p.job = e.job AND p.kind = 'proposed' AND p.id < e.id), e.time_us, e.kind, "
		"e.data FROM event e WHERE e.job = ?1 AND e.kind = 'edited' ORDER BY e.id");
	query_bind_int(&query, job_id);
	return read_list(&query, ret, err);
}
