#include "trials/rescore.h"

#include "base/number.h"
#include "base/text.h"
#include "trials/event.h"
#include "trials/job.h"
#include "trials/curve.h"
#include "trials/judgement.h"
#include "trials/sql.h"
#include "trials/state.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- versions ---- */

bool job_add_objective_version(struct store *store, int64_t job_id, const char *metric,
	const char *goal, const char *definition, int64_t now_us, int64_t *ret_version,
	struct tuner_error *err)
{
	struct query query;

	store_assert_writing(store);
	query_open(&query, store,
		"INSERT INTO objective_version (job, version, metric, goal, definition, "
		"created_us) "
		"SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3, ?4, ?5 FROM objective_version "
		"WHERE job = ?1");
	query_bind_int(&query, job_id);
	query_bind_text(&query, metric);
	query_bind_text(&query, goal);
	query_bind_text(&query, definition);
	query_bind_int(&query, now_us);
	if (!query_insert(&query, ret_version, err))
		return false;
	query_open(&query, store, "UPDATE job SET objective_version = ?1 WHERE id = ?2");
	query_bind_int(&query, *ret_version);
	query_bind_int(&query, job_id);
	return query_run(&query, err);
}

bool job_rescorings(
	struct store *store, int64_t job_id, int64_t **ret, size_t *ret_n, struct tuner_error *err)
{
	struct query query;
	size_t capacity = 0;
	bool found = true, ok = true;

	*ret = NULL;
	*ret_n = 0;
	query_open(&query, store,
		"SELECT id FROM event WHERE job = ?1 AND kind = 'rescored' AND trial IS NULL ORDER "
		"BY id");
	query_bind_int(&query, job_id);
	while (ok && (ok = query_row(&query, &found, err)) && found) {
		ok = array_grow((void **)ret, ret_n, &capacity, sizeof(**ret), err);
		if (ok)
			(*ret)[*ret_n - 1] = query_int(&query);
	}
	query_close(&query);
	if (ok)
		return true;
	free(*ret);
	*ret = NULL;
	*ret_n = 0;
	return false;
}

/* Each version but the first came with one event of the job. */
bool job_objective_at(struct store *store, int64_t job_id, const int64_t *rescorings, size_t n,
	int64_t event, char **ret_metric, char **ret_definition, struct tuner_error *err)
{
	struct query query;
	bool found = false;
	int64_t version = 1;

	while ((size_t)version <= n && rescorings[version - 1] <= event)
		version++;
	query_open(&query, store,
		"SELECT metric, definition FROM objective_version WHERE job = ?1 AND version = ?2");
	query_bind_int(&query, job_id);
	query_bind_int(&query, version);
	bool ok = query_row(&query, &found, err);

	if (ok && !found)
		ok = tuner_fail(err, TUNER_FATAL,
			"job %" PRId64 " has fewer objectives than events say", job_id);
	if (ok && !(query_text_copy(&query, ret_metric) && query_text_copy(&query, ret_definition)))
		ok = tuner_fail_memory(err);
	query_close(&query);
	return ok;
}

/* ---- one trial ---- */

static void add_score(const struct score *score, struct text *ret)
{
	text_print(ret, "\"state\": \"%s\", \"outcome\": \"%s\", \"objective\": ",
		trial_state_name(score->state), outcome_name(score->outcome));
	text_add_json_double(ret, score->objective);
	judgement_add(&score->judgement, ret);
}

static bool add_event(struct store *store, const struct trial *trial, int64_t version,
	const struct score *score, int64_t now_us, struct tuner_error *err)
{
	const struct score before = { trial->state, trial->outcome, trial->objective,
		trial->judgement };
	struct text data = TEXT_EMPTY;
	int64_t event;

	text_print(&data, "{\"objective_version\": %" PRId64 ", ", version);
	add_score(score, &data);
	text_add(&data, ", \"before\": {");
	add_score(&before, &data);
	text_add(&data, "}}");
	const bool ok = text_failed(&data) ? tuner_fail_memory(err)
					   : event_add(store, trial->job_id, trial->id, 0,
						     "rescored", data.bytes, now_us, &event, err);

	text_finish(&data);
	return ok;
}

bool trial_rescore(struct store *store, const struct trial *trial, int64_t version,
	const struct score *score, const char *message, int64_t now_us, struct tuner_error *err)
{
	struct judgement_columns judgement;
	struct query query;

	store_assert_writing(store);
	tuner_assert(trial->ended_event > 0);
	if (!add_event(store, trial, version, score, now_us, err) ||
		!judgement_columns_init(&score->judgement, &judgement, err))
		return false;
	/* A changed outcome takes the message of the last attempt, if that ended with it. */
	query_open(&query, store,
		"UPDATE trial SET state = ?1, outcome = ?2, objective = ?3, message = CASE WHEN ?4 "
		"IS NOT NULL THEN ?4 WHEN outcome IS ?2 THEN message ELSE coalesce((SELECT "
		"a.message FROM attempt a WHERE a.trial = trial.id AND a.number = trial.attempts "
		"AND a.outcome = ?2), '') END, limits = ?5, also = ?6 WHERE id = ?7");
	query_bind_text(&query, trial_state_name(score->state));
	query_bind_text(&query, outcome_name(score->outcome));
	query_bind_double(&query, score->objective);
	query_bind_text(&query, message);
	judgement_columns_bind(&query, &judgement);
	query_bind_int(&query, trial->id);

	const bool ok = query_run(&query, err);

	judgement_columns_finish(&judgement);
	return ok;
}

/* ---- the job ---- */

#define ROWS                                                                                       \
	"FROM attempt a JOIN metric m ON m.attempt = a.id WHERE a.trial = trial.id AND m.name = "  \
	"(SELECT n.id FROM metric_name n JOIN objective_version o ON o.metric = n.name WHERE "     \
	"o.id = ?1)"

static bool write_caches(
	struct store *store, int64_t job_id, int64_t version, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"UPDATE trial SET objective_version = ?1, metric_count = (SELECT count(*) " ROWS
		"), best_value = (SELECT CASE (SELECT goal FROM objective_version WHERE id = ?1) "
		"WHEN 'maximize' THEN max(m.value) ELSE min(m.value) END " ROWS
		" AND " ROW_IS_IN_CURVE(
			"trial") "), (last_step, last_value) = (SELECT m.step, m.value " ROWS
				 " ORDER BY a.number DESC, m.step DESC LIMIT 1) WHERE job = ?2");
	query_bind_int(&query, version);
	query_bind_int(&query, job_id);
	return query_run(&query, err);
}

bool job_rescored(struct store *store, int64_t job_id, int64_t version, int64_t now_us,
	struct tuner_error *err)
{
	char *metric = NULL, *definition = NULL;
	struct text data = TEXT_EMPTY;
	bool maximize;
	int64_t event;

	store_assert_writing(store);
	if (!write_caches(store, job_id, version, err) ||
		!job_objective(store, version, &metric, &maximize, &definition, err))
		return false;
	text_print(&data, "{\"objective_version\": %" PRId64 ", \"definition\": %s}", version,
		definition);
	const bool ok = text_failed(&data) ? tuner_fail_memory(err)
					   : event_add(store, job_id, 0, 0, "rescored", data.bytes,
						     now_us, &event, err);

	text_finish(&data);
	free(metric);
	free(definition);
	return ok;
}

bool job_last_rescored(struct store *store, int64_t job_id, int64_t *ret, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"SELECT max(id) FROM event WHERE job = ?1 AND kind = 'rescored' AND trial IS NULL");
	query_bind_int(&query, job_id);
	return query_scalar(&query, 0, ret, err);
}

/* ---- reading ---- */

/* Numbers are read from JSON's text, since SQLite's own parsing of decimals may round. */
static bool read_score(struct query *query, struct score *ret, struct tuner_error *err)
{
	if (!trial_state_from_name(query_text(query), &ret->state, err) ||
		!outcome_from_text(query_text(query), &ret->outcome, err))
		return false;
	if (!number_to_double(query_text(query), &ret->objective))
		ret->objective = NAN;
	return judgement_read(query, &ret->judgement, err);
}

static bool read_rescoring(struct query *query, struct rescoring *ret, struct tuner_error *err)
{
	ret->event = query_int(query);
	ret->trial_id = query_int(query);
	ret->version = query_int(query);
	return (read_score(query, &ret->now, err) && read_score(query, &ret->before, err)) ||
	       tuner_fail_in(err, "event %" PRId64 ": ", ret->event);
}

bool trial_rescorings(struct store *store, int64_t job_id, struct rescoring **ret, size_t *ret_n,
	struct tuner_error *err)
{
	struct rescoring *items = NULL;
	size_t n = 0, capacity = 0;
	struct query query;
	bool found = false, ok = true;

	query_open(&query, store,
		"SELECT id, trial, json_extract(data, '$.objective_version'), "
		"json_extract(data, '$.state'), json_extract(data, '$.outcome'), "
		"data -> '$.objective', data -> '$.limits', data -> '$.also', json_extract(data, "
		"'$.before.state'), "
		"json_extract(data, '$.before.outcome'), data -> '$.before.objective', "
		"data -> '$.before.limits', data -> '$.before.also' FROM event "
		"WHERE job = ?1 AND kind = 'rescored' AND trial IS NOT NULL ORDER BY id");
	query_bind_int(&query, job_id);
	while (ok && (ok = query_row(&query, &found, err)) && found)
		ok = array_grow((void **)&items, &n, &capacity, sizeof(*items), err) &&
		     read_rescoring(&query, &items[n - 1], err);
	query_close(&query);
	if (!ok) {
		free(items);
		return false;
	}
	*ret = items;
	*ret_n = n;
	return true;
}

void rescorings_undo(const struct rescoring *rescorings, size_t n, int64_t version,
	int64_t taken_back, struct trial *trial)
{
	for (size_t i = n; i-- > 0 && rescorings[i].version > version;) {
		const struct rescoring *r = &rescorings[i];
		if (r->trial_id != trial->id || r->event < trial->ended_event ||
			trial->ended_event == 0 || (taken_back > 0 && r->event > taken_back))
			continue;
		trial->state = r->before.state;
		trial->outcome = r->before.outcome;
		trial->objective = r->before.objective;
		trial->judgement = r->before.judgement;
	}
}
