/* Requests of other processes to the one that runs the job (event.h). */
#include "trials/event.h"
#include "trials/inbox.h"
#include "trials/sql.h"

#include <inttypes.h>
#include <stdlib.h>

void request_finish(struct request *request)
{
	free(request->verb);
	free(request->argument);
	free(request->answer);
	*request = (struct request){ 0 };
}

/* One statement without BEGIN is a transaction of its own. */
bool request_add(struct store *store, int64_t job_id, const char *verb, const char *argument,
	int64_t now_us, int64_t *ret_id, struct tuner_error *err)
{
	struct query query;

	tuner_assert(store->mode != STORE_READ && !store->in_transaction);
	if (store->shared && store->lease == NULL)
		return inbox_add(store, job_id, verb, argument, now_us, ret_id, err);
	query_open(&query, store,
		"INSERT INTO request (job, verb, argument, created_us) VALUES (?1, ?2, ?3, ?4)");
	query_bind_int(&query, job_id);
	query_bind_text(&query, verb);
	query_bind_text(&query, argument ? argument : "{}");
	query_bind_int(&query, now_us);
	return query_insert(&query, ret_id, err);
}

#define SELECT_REQUEST "SELECT id, job, created_us, verb, argument, answer, refused FROM request "

static bool read_request(
	struct query *query, struct request *ret, bool *ret_found, struct tuner_error *err)
{
	struct request request = { 0 };
	bool ok = query_row(query, ret_found, err);

	if (ok && *ret_found) {
		request.id = query_int(query);
		request.job_id = query_int(query);
		request.created_us = query_int(query);
		ok = query_text_copy(query, &request.verb) &&
		     query_text_copy(query, &request.argument);
		if (ok && query_is_null(query))
			query->column++;
		else
			ok = ok && query_text_copy(query, &request.answer);
		if (!ok)
			tuner_fail_memory(err);
		request.refused = query_int(query) != 0;
	}
	query_close(query);
	if (ok && *ret_found)
		*ret = request;
	else
		request_finish(&request);
	return ok;
}

bool request_next(struct store *store, int64_t job_id, struct request *ret, bool *ret_found,
	struct tuner_error *err)
{
	struct query query;

	if (store->lease != NULL && !inbox_serve(store, err))
		return false;
	query_open(&query, store,
		SELECT_REQUEST "WHERE job = ?1 AND answered_us IS NULL ORDER BY id LIMIT 1");
	query_bind_int(&query, job_id);
	return read_request(&query, ret, ret_found, err);
}

bool request_answer(struct store *store, int64_t request_id, bool refused, const char *answer,
	int64_t now_us, struct tuner_error *err)
{
	struct query query;

	store_assert_writing(store);
	query_open(&query, store,
		"UPDATE request SET answered_us = ?1, refused = ?2, answer = ?3 "
		"WHERE id = ?4 AND answered_us IS NULL");
	query_bind_int(&query, now_us);
	query_bind_int(&query, refused);
	query_bind_text(&query, answer ? answer : "");
	query_bind_int(&query, request_id);
	if (!query_run(&query, err))
		return false;
	return sqlite3_changes(store->db) == 1 ||
	       tuner_fail(err, TUNER_FATAL,
		       "request %" PRId64 " does not exist, or has an answer already", request_id);
}

bool request_load(
	struct store *store, int64_t request_id, struct request *ret, struct tuner_error *err)
{
	struct query query;
	bool found = false;

	if (store->shared && store->lease == NULL)
		return inbox_load(store, request_id, ret, err);
	query_open(&query, store, SELECT_REQUEST "WHERE id = ?1");
	query_bind_int(&query, request_id);
	if (!read_request(&query, ret, &found, err))
		return false;
	return found || tuner_fail(err, TUNER_FATAL, "there is no request %" PRId64, request_id);
}
