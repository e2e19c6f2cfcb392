#include "trials/provenance.h"

#include "trials/sql.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = { [STATE_OF_CODE] = "code", [STATE_OF_DATA] = "data" };

/* ---- documents ---- */

bool document_put(struct store *store, const char *sha256, const char *bytes, size_t length,
	int64_t whole_bytes, int64_t *ret_id, struct tuner_error *err)
{
	struct query query;
	int64_t id = 0;

	store_assert_writing(store);
	query_open(&query, store, "SELECT id FROM document WHERE sha256 = ?1");
	query_bind_text(&query, sha256);
	if (!query_scalar(&query, 0, &id, err))
		return false;
	if (id == 0) {
		query_open(&query, store,
			"INSERT INTO document (sha256, bytes, content) VALUES (?1, ?2, ?3)");
		query_bind_text(&query, sha256);
		query_bind_int(&query, whole_bytes);
		query_bind_blob(&query, length > 0 ? bytes : "", length);
		if (!query_insert(&query, &id, err))
			return false;
	}
	*ret_id = id;
	return true;
}

bool document_load(struct store *store, int64_t id, char **ret, struct tuner_error *err)
{
	struct query query;
	bool found = false;

	query_open(&query, store, "SELECT content FROM document WHERE id = ?1");
	query_bind_int(&query, id);
	bool ok = query_row(&query, &found, err);
	if (ok && !found)
		ok = tuner_fail(err, TUNER_FATAL, "there is no document %" PRId64, id);
	if (ok) {
		const char *content = sqlite3_column_blob(query.handle, 0);
		*ret = content == NULL
			       ? strdup("")
			       : strndup(content, (size_t)sqlite3_column_bytes(query.handle, 0));
		ok = *ret != NULL || tuner_fail_memory(err);
	}
	query_close(&query);
	return ok;
}

/* NULL for document 0. */
static bool load_or_null(struct store *store, int64_t id, char **ret, struct tuner_error *err)
{
	*ret = NULL;
	return id == 0 || document_load(store, id, ret, err);
}

/* ---- states of code and data ---- */

bool state_put(struct store *store, int64_t job_id, const struct found_state *state, int64_t now_us,
	int64_t *ret_id, bool *ret_new, struct tuner_error *err)
{
	struct query query;
	int64_t id = 0;

	store_assert_writing(store);
	query_open(&query, store,
		"SELECT id FROM fingerprint WHERE job = ?1 AND kind = ?2 AND sha256 = ?3 AND "
		"source = ?4");
	query_bind_int(&query, job_id);
	query_bind_text(&query, kinds[state->of]);
	query_bind_text(&query, state->fingerprint);
	query_bind_text(&query, state->source);
	if (!query_scalar(&query, 0, &id, err))
		return false;
	*ret_new = id == 0;
	if (id == 0) {
		query_open(&query, store,
			"INSERT INTO fingerprint (job, kind, sha256, source, facts, patch, "
			"found_us) "
			"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
		query_bind_int(&query, job_id);
		query_bind_text(&query, kinds[state->of]);
		query_bind_text(&query, state->fingerprint);
		query_bind_text(&query, state->source);
		query_bind_text(&query, state->facts);
		query_bind_int_or_null(&query, state->patch, 0);
		query_bind_int(&query, now_us);
		if (!query_insert(&query, &id, err))
			return false;
	}
	*ret_id = id;
	return true;
}

/* A copy that lives as long as the list; NULL without memory. */
static const char *keep(struct state_list *list, const char *text)
{
	char **memory = reallocarray(list->memory, list->n_memory + 1, sizeof(*memory));
	char *copy = strdup(text);

	if (memory != NULL)
		list->memory = memory;
	if (memory == NULL || copy == NULL) {
		free(copy);
		return NULL;
	}
	return list->memory[list->n_memory++] = copy;
}

static bool read_state(struct query *query, enum state_of of, struct state_list *list,
	size_t *capacity, struct tuner_error *err)
{
	if (!array_grow((void **)&list->items, &list->n, capacity, sizeof *list->items, err))
		return false;
	struct found_state *state = &list->items[list->n - 1];
	state->of = of;
	state->number = (int64_t)list->n;
	state->id = query_int(query);
	state->fingerprint = keep(list, query_text(query));
	state->source = keep(list, query_text(query));
	state->facts = keep(list, query_text(query));
	state->patch = query_int_or(query, 0);
	state->found_us = query_int(query);
	return (state->fingerprint && state->source && state->facts) || tuner_fail_memory(err);
}

bool state_select(struct store *store, int64_t job_id, enum state_of of, struct state_list *ret,
	struct tuner_error *err)
{
	struct query query;
	struct state_list list = { 0 };
	size_t capacity = 0;
	bool found = false, ok = true;

	query_open(&query, store,
		"SELECT id, sha256, source, facts, patch, found_us FROM fingerprint "
		"WHERE job = ?1 AND kind = ?2 ORDER BY id");
	query_bind_int(&query, job_id);
	query_bind_text(&query, kinds[of]);
	while (ok && (ok = query_row(&query, &found, err)) && found)
		ok = read_state(&query, of, &list, &capacity, err);
	query_close(&query);
	if (ok)
		*ret = list;
	else
		state_list_finish(&list);
	return ok;
}

void state_list_finish(struct state_list *list)
{
	for (size_t i = 0; i < list->n_memory; i++)
		free(list->memory[i]);
	free(list->memory);
	free(list->items);
	*list = (struct state_list){ 0 };
}

/* One text per kind, because statements are kept by their text. */
static const char *text_of(enum state_of of, const char *code, const char *data)
{
	return of == STATE_OF_CODE ? code : data;
}

bool state_last(struct store *store, int64_t job_id, enum state_of of, int64_t *ret_state,
	struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		text_of(of,
			"SELECT p.code FROM fingerprint f JOIN provenance p ON p.code = f.id "
			"WHERE f.job = ?1 AND f.kind = 'code' ORDER BY p.attempt DESC LIMIT 1",
			"SELECT p.data FROM fingerprint f JOIN provenance p ON p.data = f.id "
			"WHERE f.job = ?1 AND f.kind = 'data' ORDER BY p.attempt DESC LIMIT 1"));
	query_bind_int(&query, job_id);
	return query_scalar(&query, 0, ret_state, err);
}

bool state_first(struct store *store, enum state_of of, int64_t state, int64_t *ret_trial,
	struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		text_of(of,
			"SELECT t.number FROM provenance p JOIN attempt a ON a.id = p.attempt "
			"JOIN trial t ON t.id = a.trial WHERE p.code = ?1 ORDER BY p.attempt LIMIT "
			"1",
			"SELECT t.number FROM provenance p JOIN attempt a ON a.id = p.attempt "
			"JOIN trial t ON t.id = a.trial WHERE p.data = ?1 ORDER BY p.attempt LIMIT "
			"1"));
	query_bind_int(&query, state);
	return query_scalar(&query, 0, ret_trial, err);
}

static bool is_among(const int64_t *states, size_t n, int64_t state)
{
	for (size_t i = 0; i < n; i++)
		if (states[i] == state)
			return true;
	return false;
}

bool state_of_trial(struct store *store, int64_t trial_id, int64_t ret[STATES_OF_TRIAL_MAX],
	size_t *ret_n, struct tuner_error *err)
{
	struct query query;
	bool found = false, ok = true;
	size_t n = 0;

	query_open(&query, store,
		"SELECT p.code FROM attempt a JOIN provenance p ON p.attempt = a.id "
		"WHERE a.trial = ?1 AND p.code IS NOT NULL ORDER BY a.number");
	query_bind_int(&query, trial_id);
	while (n < STATES_OF_TRIAL_MAX && (ok = query_row(&query, &found, err)) && found) {
		const int64_t state = query_int(&query);
		if (!is_among(ret, n, state))
			ret[n++] = state;
	}
	query_close(&query);
	*ret_n = n;
	return ok;
}

/* ---- attempts and runs ---- */

bool provenance_add(struct store *store, const struct provenance_new *row, struct tuner_error *err)
{
	struct query query;

	store_assert_writing(store);
	query_open(&query, store,
		"INSERT INTO provenance (attempt, run, seed, arguments, directory, environment, "
		"code, "
		"data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
	query_bind_int(&query, row->attempt);
	query_bind_int(&query, row->run);
	query_bind_int(&query, (int64_t)row->seed);
	query_bind_text(&query, row->arguments);
	query_bind_text(&query, row->directory);
	query_bind_int_or_null(&query, row->environment, 0);
	query_bind_int_or_null(&query, row->code, 0);
	query_bind_int_or_null(&query, row->data, 0);
	return query_run(&query, err);
}

bool provenance_found(struct store *store, int64_t attempt, enum state_of of, int64_t state,
	struct tuner_error *err)
{
	struct query query;

	store_assert_writing(store);
	query_open(&query, store,
		text_of(of, "UPDATE provenance SET code = ?1 WHERE attempt = ?2",
			"UPDATE provenance SET data = ?1 WHERE attempt = ?2"));
	query_bind_int(&query, state);
	query_bind_int(&query, attempt);
	return query_run(&query, err);
}

bool run_set_versions(struct store *store, int64_t run, int64_t document, struct tuner_error *err)
{
	struct query query;

	store_assert_writing(store);
	query_open(&query, store,
		"INSERT INTO run_versions (run, versions) VALUES (?1, ?2) "
		"ON CONFLICT (run) DO UPDATE SET versions = ?2");
	query_bind_int(&query, run);
	query_bind_int(&query, document);
	return query_run(&query, err);
}

bool provenance_load(
	struct store *store, int64_t attempt, struct provenance *ret, struct tuner_error *err)
{
	struct query query;
	int64_t environment = 0, versions = 0;
	bool found = false;

	*ret = (struct provenance){ 0 };
	query_open(&query, store,
		"SELECT p.run, p.seed, p.code, p.data, p.environment, v.versions, p.arguments, "
		"p.directory FROM provenance p LEFT JOIN run_versions v ON v.run = p.run "
		"WHERE p.attempt = ?1");
	query_bind_int(&query, attempt);
	bool ok = query_row(&query, &found, err);
	if (ok && found) {
		ret->attempt = attempt;
		ret->run = query_int(&query);
		ret->seed = (uint64_t)query_int(&query);
		ret->code = query_int_or(&query, 0);
		ret->data = query_int_or(&query, 0);
		environment = query_int_or(&query, 0);
		versions = query_int_or(&query, 0);
		ok = (query_text_copy(&query, &ret->arguments) &&
			     query_text_copy(&query, &ret->directory)) ||
		     tuner_fail_memory(err);
	}
	query_close(&query);
	ok = ok && load_or_null(store, environment, &ret->environment, err) &&
	     load_or_null(store, versions, &ret->versions, err);
	if (!ok)
		provenance_finish(ret);
	return ok;
}

void provenance_finish(struct provenance *provenance)
{
	free(provenance->arguments);
	free(provenance->directory);
	free(provenance->environment);
	free(provenance->versions);
	*provenance = (struct provenance){ 0 };
}

/* ---- where frozen code is ---- */

bool job_source_set(struct store *store, int64_t job_id, int64_t state, const char *directory,
	struct tuner_error *err)
{
	struct query query;

	store_assert_writing(store);
	query_open(&query, store,
		"INSERT INTO job_source (job, code, directory) VALUES (?1, ?2, ?3) "
		"ON CONFLICT (job) DO UPDATE SET code = ?2, directory = ?3");
	query_bind_int(&query, job_id);
	query_bind_int(&query, state);
	query_bind_text(&query, directory);
	return query_run(&query, err);
}

bool job_source(struct store *store, int64_t job_id, int64_t *ret_state, char **ret_directory,
	struct tuner_error *err)
{
	struct query query;
	bool found = false;

	*ret_state = 0;
	*ret_directory = NULL;
	query_open(&query, store, "SELECT code, directory FROM job_source WHERE job = ?1");
	query_bind_int(&query, job_id);
	bool ok = query_row(&query, &found, err);
	if (ok && found) {
		*ret_state = query_int(&query);
		ok = query_text_copy(&query, ret_directory) || tuner_fail_memory(err);
	}
	query_close(&query);
	return ok;
}
