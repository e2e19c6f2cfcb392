#include "trials/job.h"

#include "trials/sql.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_names[JOB_STATES] = {
	[JOB_OPEN] = "open",
	[JOB_DONE] = "done",
	[JOB_STOPPED] = "stopped",
	[JOB_FAILED] = "failed",
};

#define TO(state) (1u << (state))

static const unsigned moves[JOB_STATES] = {
	[JOB_OPEN] = TO(JOB_DONE) | TO(JOB_STOPPED) | TO(JOB_FAILED),
	[JOB_DONE] = TO(JOB_OPEN),
	[JOB_STOPPED] = TO(JOB_OPEN),
	[JOB_FAILED] = TO(JOB_OPEN),
};

const char *job_state_name(enum job_state state)
{
	tuner_assert(state < JOB_STATES);
	return state_names[state];
}

bool job_state_may_move(enum job_state from, enum job_state to)
{
	tuner_assert(from < JOB_STATES && to < JOB_STATES);
	return (moves[from] & TO(to)) != 0;
}

static bool state_from_name(const char *name, enum job_state *ret, struct tuner_error *err)
{
	for (size_t i = 0; i < JOB_STATES; i++)
		if (strcmp(name, state_names[i]) == 0) {
			*ret = (enum job_state)i;
			return true;
		}
	return tuner_fail(
		err, TUNER_FATAL, "a job's state is \"%s\", which this tuner does not know", name);
}

void job_finish(struct job *job)
{
	free(job->name);
	free(job->reason);
	free(job->file);
	free(job->path);
	free(job->directory);
	*job = (struct job){ 0 };
}

void job_list_finish(struct job_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		job_finish(&list->items[i]);
	free(list->items);
	*list = (struct job_list){ 0 };
}

/* ---- reading ---- */

#define SELECT_JOB                                                                                 \
	"SELECT id, name, state, reason, file, path, directory, seed, trial_cap, space_version, "  \
	"objective_version, created_us, ended_us, runtime_us FROM job "

static bool read_row(struct query *query, struct job *ret, struct tuner_error *err)
{
	ret->id = query_int(query);
	if (!query_text_copy(query, &ret->name))
		return tuner_fail_memory(err);
	if (!state_from_name(query_text(query), &ret->state, err))
		return false;
	if (!query_text_copy(query, &ret->reason) || !query_text_copy(query, &ret->file) ||
		!query_text_copy(query, &ret->path) || !query_text_copy(query, &ret->directory))
		return tuner_fail_memory(err);
	ret->seed = query_int(query);
	ret->trial_cap = query_int(query);
	ret->space_version = query_int(query);
	ret->objective_version = query_int(query);
	ret->created_us = query_int(query);
	ret->ended_us = query_int_or(query, 0);
	ret->runtime_us = query_int(query);
	return true;
}

/* Reads the first row of a query on SELECT_JOB, and closes the query. */
static bool read_one(struct query *query, struct job *ret, bool *ret_found, struct tuner_error *err)
{
	struct job job = { 0 };
	bool ok = query_row(query, ret_found, err);

	if (ok && *ret_found)
		ok = read_row(query, &job, err);
	query_close(query);
	if (ok && *ret_found)
		*ret = job;
	else
		job_finish(&job);
	return ok;
}

bool job_find(struct store *store, const char *name, struct job *ret, bool *ret_found,
	struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		name ? SELECT_JOB "WHERE name = ?1" : SELECT_JOB "ORDER BY id DESC LIMIT 1");
	if (name)
		query_bind_text(&query, name);
	return read_one(&query, ret, ret_found, err);
}

bool job_find_by_path(struct store *store, const char *path, struct job *ret, bool *ret_found,
	struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		SELECT_JOB "WHERE path = ?1 AND path <> '' ORDER BY id DESC LIMIT 1");
	query_bind_text(&query, path);
	return read_one(&query, ret, ret_found, err);
}

bool job_load(struct store *store, int64_t id, struct job *ret, struct tuner_error *err)
{
	struct query query;
	bool found = false;

	query_open(&query, store, SELECT_JOB "WHERE id = ?1");
	query_bind_int(&query, id);
	if (!read_one(&query, ret, &found, err))
		return false;
	return found || tuner_fail(err, TUNER_FATAL, "there is no job with id %" PRId64, id);
}

bool job_list(struct store *store, struct job_list *ret, struct tuner_error *err)
{
	struct job_list list = { 0 };
	size_t capacity = 0;
	struct query query;
	bool found = false, ok = true;

	query_open(&query, store, SELECT_JOB "ORDER BY id");
	while (ok && (ok = query_row(&query, &found, err)) && found)
		ok = array_grow(
			     (void **)&list.items, &list.n, &capacity, sizeof *list.items, err) &&
		     read_row(&query, &list.items[list.n - 1], err);
	query_close(&query);
	if (ok)
		*ret = list;
	else
		job_list_finish(&list);
	return ok;
}

/* ---- changing ---- */

static bool insert_job(struct store *store, const struct job *job, int64_t now_us, int64_t *ret_id,
	struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"INSERT INTO job (name, state, reason, file, path, directory, seed, trial_cap, "
		"created_us) VALUES (?1, 'open', '', ?2, ?3, ?4, ?5, ?6, ?7)");
	query_bind_text(&query, job->name);
	query_bind_text(&query, job->file ? job->file : "");
	query_bind_text(&query, job->path ? job->path : "");
	query_bind_text(&query, job->directory ? job->directory : "");
	query_bind_int(&query, job->seed);
	query_bind_int(&query, job->trial_cap);
	query_bind_int(&query, now_us);
	return query_insert(&query, ret_id, err);
}

static bool insert_objective(struct store *store, int64_t job, const char *metric, const char *goal,
	const char *definition, int64_t now_us, struct tuner_error *err)
{
	struct query query;
	int64_t id = 0;

	query_open(&query, store,
		"INSERT INTO objective_version (job, version, metric, goal, definition, "
		"created_us) "
		"VALUES (?1, 1, ?2, ?3, ?4, ?5)");
	query_bind_int(&query, job);
	query_bind_text(&query, metric);
	query_bind_text(&query, goal);
	query_bind_text(&query, definition);
	query_bind_int(&query, now_us);
	if (!query_insert(&query, &id, err))
		return false;
	query_open(&query, store, "UPDATE job SET objective_version = ?1 WHERE id = ?2");
	query_bind_int(&query, id);
	query_bind_int(&query, job);
	return query_run(&query, err);
}

bool job_create(struct store *store, const struct job *job, const char *space_definition,
	const struct parameter_row *parameters, size_t n, const char *metric, const char *goal,
	const char *objective_definition, int64_t now_us, int64_t *ret_id, struct tuner_error *err)
{
	struct query query;
	int64_t id = 0, version = 0;

	store_assert_writing(store);
	query_open(&query, store, "SELECT id FROM job WHERE name = ?1");
	query_bind_text(&query, job->name);
	if (!query_scalar(&query, 0, &id, err))
		return false;
	if (id > 0)
		return tuner_fail(err, TUNER_USAGE,
			"there is a job \"%s\" in %s already; give this one another name",
			job->name, store->path);
	if (!insert_job(store, job, now_us, &id, err) ||
		!job_add_space_version(
			store, id, space_definition, parameters, n, now_us, &version, err) ||
		!insert_objective(store, id, metric, goal, objective_definition, now_us, err))
		return tuner_fail_in(err, "job \"%s\": ", job->name);
	*ret_id = id;
	return true;
}

/* Runs an UPDATE of one job by id, which must change a row. */
static bool update_job(struct query *query, int64_t id, struct tuner_error *err)
{
	sqlite3 *const db = query->store->db;

	if (!query_run(query, err))
		return false;
	return sqlite3_changes(db) == 1 ||
	       tuner_fail(err, TUNER_FATAL, "there is no job with id %" PRId64, id);
}

bool job_set_file(struct store *store, int64_t id, const char *file, const char *path,
	const char *directory, int64_t trial_cap, struct tuner_error *err)
{
	struct query query;

	store_assert_writing(store);
	query_open(&query, store,
		"UPDATE job SET file = ?1, path = ?2, directory = ?3, trial_cap = ?4 WHERE id = "
		"?5");
	query_bind_text(&query, file);
	query_bind_text(&query, path);
	query_bind_text(&query, directory);
	query_bind_int(&query, trial_cap);
	query_bind_int(&query, id);
	return update_job(&query, id, err);
}

static bool load_state(
	struct store *store, int64_t id, enum job_state *ret, struct tuner_error *err)
{
	struct query query;
	bool found = false;

	query_open(&query, store, "SELECT state FROM job WHERE id = ?1");
	query_bind_int(&query, id);
	bool ok = query_row(&query, &found, err);

	if (ok && !found)
		ok = tuner_fail(err, TUNER_FATAL, "there is no job with id %" PRId64, id);
	ok = ok && state_from_name(query_text(&query), ret, err);
	query_close(&query);
	return ok;
}

bool job_set_state(struct store *store, int64_t id, enum job_state state, const char *reason,
	int64_t now_us, struct tuner_error *err)
{
	struct query query;
	enum job_state from = JOB_OPEN;

	store_assert_writing(store);
	if (!load_state(store, id, &from, err))
		return false;
	if (!job_state_may_move(from, state))
		return tuner_fail(err, TUNER_FATAL, "job %" PRId64 " cannot go from %s to %s", id,
			job_state_name(from), job_state_name(state));
	query_open(&query, store,
		"UPDATE job SET state = ?1, reason = ?2, ended_us = ?3 WHERE id = ?4");
	query_bind_text(&query, job_state_name(state));
	query_bind_text(&query, state == JOB_OPEN || !reason ? "" : reason);
	query_bind_int_or_null(&query, state == JOB_OPEN ? 0 : now_us, 0);
	query_bind_int(&query, id);
	return update_job(&query, id, err);
}

bool job_add_runtime(struct store *store, int64_t id, int64_t us, struct tuner_error *err)
{
	struct query query;

	store_assert_writing(store);
	query_open(&query, store, "UPDATE job SET runtime_us = runtime_us + ?1 WHERE id = ?2");
	query_bind_int(&query, us);
	query_bind_int(&query, id);
	return update_job(&query, id, err);
}

/* ---- sittings ---- */

bool run_begin(struct store *store, int64_t job_id, int64_t pid, const char *host,
	const char *program, int64_t now_us, int64_t *ret_id, struct tuner_error *err)
{
	struct query query;

	store_assert_writing(store);
	query_open(&query, store,
		"INSERT INTO run (job, pid, host, program, began_us) VALUES (?1, ?2, ?3, ?4, ?5)");
	query_bind_int(&query, job_id);
	query_bind_int(&query, pid);
	query_bind_text(&query, host);
	query_bind_text(&query, program);
	query_bind_int(&query, now_us);
	return query_insert(&query, ret_id, err);
}

bool run_end(struct store *store, int64_t run_id, const char *reason, int exit_status,
	int64_t now_us, struct tuner_error *err)
{
	struct query query;

	store_assert_writing(store);
	query_open(&query, store,
		"UPDATE run SET ended_us = ?1, reason = ?2, exit_status = ?3 WHERE id = ?4");
	query_bind_int(&query, now_us);
	query_bind_text(&query, reason ? reason : "");
	query_bind_int(&query, exit_status);
	query_bind_int(&query, run_id);
	if (!query_run(&query, err))
		return false;
	return sqlite3_changes(store->db) == 1 ||
	       tuner_fail(err, TUNER_FATAL, "there is no run with id %" PRId64, run_id);
}

bool run_job_of(struct store *store, int64_t pid, int64_t *ret_job_id, struct tuner_error *err)
{
	struct query query;

	/* Killed sittings have no end either, and pids are reused. */
	query_open(&query, store,
		"SELECT job FROM (SELECT job, ended_us FROM run WHERE pid = ?1 ORDER BY id DESC "
		"LIMIT 1) WHERE ended_us IS NULL");
	query_bind_int(&query, pid);
	return query_scalar(&query, 0, ret_job_id, err);
}
