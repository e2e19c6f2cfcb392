/* Configurations that people asked for (job.h). */
#include "trials/job.h"
#include "trials/sql.h"

#include <stdlib.h>

void queued_finish(struct queued *queued)
{
	free(queued->parameters);
	*queued = (struct queued){ 0 };
}

bool queue_add(struct store *store, int64_t job_id, const char *arm, int64_t repeat,
	const char *source, const char *parameters, int64_t now_us, int64_t *ret_id,
	struct tuner_error *err)
{
	struct query query;

	store_assert_writing(store);
	query_open(&query, store,
		"INSERT INTO queue (job, arm, repeat, source, parameters, created_us) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
	query_bind_int(&query, job_id);
	query_bind_text(&query, arm);
	query_bind_int(&query, repeat);
	query_bind_text(&query, source);
	query_bind_text(&query, parameters);
	query_bind_int(&query, now_us);
	return query_insert(&query, ret_id, err);
}

/* Reads the first entry of a query, and closes the query. */
static bool read_first(
	struct query *query, struct queued *ret, bool *ret_found, struct tuner_error *err)
{
	struct queued first = { 0 };
	bool ok = query_row(query, ret_found, err);

	if (ok && *ret_found) {
		first.id = query_int(query);
		query_text_into(query, first.source, sizeof first.source);
		ok = query_text_copy(query, &first.parameters) || tuner_fail_memory(err);
		if (ok)
			*ret = first;
	}
	query_close(query);
	return ok;
}

bool queue_next(struct store *store, int64_t job_id, const char *arm, int64_t repeat,
	struct queued *ret, bool *ret_found, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"SELECT id, source, parameters FROM queue WHERE job = ?1 AND arm = ?2 "
		"AND repeat = ?3 AND trial IS NULL ORDER BY id LIMIT 1");
	query_bind_int(&query, job_id);
	query_bind_text(&query, arm);
	query_bind_int(&query, repeat);
	return read_first(&query, ret, ret_found, err);
}

bool queue_taken(struct store *store, int64_t trial_id, struct queued *ret, bool *ret_found,
	struct tuner_error *err)
{
	struct query query;

	query_open(&query, store, "SELECT id, source, parameters FROM queue WHERE trial = ?1");
	query_bind_int(&query, trial_id);
	return read_first(&query, ret, ret_found, err);
}

void queue_list_finish(struct queue_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		queued_finish(&list->items[i].queued);
	free(list->items);
	*list = (struct queue_list){ 0 };
}

static bool read_entry(struct query *query, struct queue_entry *ret, struct tuner_error *err)
{
	ret->queued.id = query_int(query);
	query_text_into(query, ret->queued.source, sizeof ret->queued.source);
	if (!query_text_copy(query, &ret->queued.parameters))
		return tuner_fail_memory(err);
	ret->taken = query_int(query) != 0;
	query_text_into(query, ret->arm, sizeof ret->arm);
	ret->repeat = query_int(query);
	return true;
}

bool queue_select(
	struct store *store, int64_t job_id, struct queue_list *ret, struct tuner_error *err)
{
	struct queue_list list = { 0 };
	struct query query;
	size_t capacity = 0;
	bool found = false, ok;

	query_open(&query, store,
		"SELECT id, source, parameters, trial IS NOT NULL, arm, repeat FROM queue "
		"WHERE job = ?1 ORDER BY id");
	query_bind_int(&query, job_id);
	while ((ok = query_row(&query, &found, err)) && found)
		if (!(ok = array_grow(
			      (void **)&list.items, &list.n, &capacity, sizeof *list.items, err)) ||
			!(ok = read_entry(&query, &list.items[list.n - 1], err)))
			break;
	query_close(&query);
	if (ok)
		*ret = list;
	else
		queue_list_finish(&list);
	return ok;
}

bool queue_remove(struct store *store, int64_t id, struct tuner_error *err)
{
	struct query query;
	int64_t removed;

	store_assert_writing(store);
	query_open(&query, store, "DELETE FROM queue WHERE id = ?1 AND trial IS NULL RETURNING id");
	query_bind_int(&query, id);
	if (!query_scalar(&query, 0, &removed, err))
		return false;
	return removed == id ||
	       tuner_fail(err, TUNER_FATAL, "no queue entry %lld waits", (long long)id);
}
