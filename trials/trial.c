/* Creating a trial, stopping one that does not run, reopening one (trial.h). */
#include "trials/trial.h"

#include "base/number.h"
#include "base/text.h"
#include "trials/decision.h"
#include "trials/event.h"
#include "trials/judgement.h"
#include "trials/sql.h"
#include "trials/state.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void trial_finish(struct trial *trial)
{
	free(trial->values);
	free(trial->parameters);
	free(trial->message);
	*trial = (struct trial){ 0 };
}

void trial_list_finish(struct trial_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		trial_finish(&list->items[i]);
	free(list->items);
	*list = (struct trial_list){ 0 };
}

/* ---- creating ---- */

/* Numbers have no gaps, so the highest is also the count. */
static bool next_numbers(struct store *store, const struct trial_new *trial, int64_t *ret_number,
	int64_t *ret_arm_number, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"SELECT number + 1 FROM trial WHERE job = ?1 ORDER BY number DESC LIMIT 1");
	query_bind_int(&query, trial->job_id);
	if (!query_scalar(&query, 1, ret_number, err))
		return false;
	query_open(&query, store,
		"SELECT arm_number + 1 FROM trial WHERE job = ?1 AND arm = ?2 AND repeat = ?3 "
		"ORDER BY arm_number DESC LIMIT 1");
	query_bind_int(&query, trial->job_id);
	query_bind_text(&query, trial->arm);
	query_bind_int(&query, trial->repeat);
	return query_scalar(&query, 1, ret_arm_number, err);
}

static bool load_cap(struct store *store, int64_t job_id, int64_t *ret_cap, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store, "SELECT trial_cap FROM job WHERE id = ?1");
	query_bind_int(&query, job_id);
	if (!query_scalar(&query, -1, ret_cap, err))
		return false;
	return *ret_cap >= 0 ||
	       tuner_fail(err, TUNER_FATAL, "there is no job with id %" PRId64, job_id);
}

/* Trials observed elsewhere do not count as the job's own. Called only if the arm has reached the
 * cap, because it scans the trials. */
static bool is_capped(struct store *store, const struct trial_new *trial, int64_t arm_number,
	int64_t cap, bool *ret, struct tuner_error *err)
{
	struct query query;
	int64_t added = 0;

	*ret = false;
	if (trial->uncapped || arm_number <= cap)
		return true;
	query_open(&query, store,
		"SELECT count(*) FROM trial WHERE job = ?1 AND arm = ?2 AND repeat = ?3 AND source "
		"= 'added'");
	query_bind_int(&query, trial->job_id);
	query_bind_text(&query, trial->arm);
	query_bind_int(&query, trial->repeat);
	if (!query_scalar(&query, 0, &added, err))
		return false;
	*ret = arm_number - added > cap;
	return true;
}

/* Where the configuration comes from; TUNER_FATAL if the entry cannot be taken. */
static bool load_source(
	struct store *store, const struct trial_new *trial, char ret[16], struct tuner_error *err)
{
	struct query query;
	bool found = false;

	if (trial->queued == 0) {
		strcpy(ret, trial->added ? "added" : "strategy");
		return true;
	}
	query_open(&query, store,
		"SELECT source FROM queue WHERE id = ?1 AND job = ?2 AND trial IS NULL");
	query_bind_int(&query, trial->queued);
	query_bind_int(&query, trial->job_id);
	bool ok = query_row(&query, &found, err);

	if (ok && found)
		query_text_into(&query, ret, 16);
	else if (ok)
		ok = tuner_fail(err, TUNER_FATAL,
			"queue entry %" PRId64 " was taken by another trial, or dropped",
			trial->queued);
	query_close(&query);
	return ok;
}

static bool insert_trial(struct store *store, const struct trial_new *trial, const char *source,
	int64_t number, int64_t arm_number, int64_t now_us, int64_t *ret_id,
	struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"INSERT INTO trial (job, number, arm, repeat, arm_number, space_version, "
		"objective_version, state, source, created_us, parameters) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'proposed', ?8, ?9, ?10)");
	query_bind_int(&query, trial->job_id);
	query_bind_int(&query, number);
	query_bind_text(&query, trial->arm);
	query_bind_int(&query, trial->repeat);
	query_bind_int(&query, arm_number);
	query_bind_int(&query, trial->space_version);
	query_bind_int(&query, trial->objective_version);
	query_bind_text(&query, source);
	query_bind_int(&query, now_us);
	query_bind_text(&query, trial->parameters);
	return query_insert(&query, ret_id, err);
}

static bool insert_value(struct store *store, int64_t trial, int64_t space_version, size_t position,
	double value, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"INSERT INTO trial_param (trial, parameter, value) "
		"SELECT ?1, id, ?2 FROM parameter WHERE space_version = ?3 AND position = ?4");
	query_bind_int(&query, trial);
	query_bind_double(&query, value);
	query_bind_int(&query, space_version);
	query_bind_int(&query, (int64_t)position);
	if (!query_run(&query, err))
		return false;
	return sqlite3_changes(store->db) == 1 ||
	       tuner_fail(err, TUNER_FATAL, "space version %" PRId64 " has no parameter %zu",
		       space_version, position);
}

static bool check_values(
	struct store *store, const struct trial_new *trial, struct tuner_error *err)
{
	struct query query;
	int64_t n = 0;

	for (size_t i = 0; i < trial->d; i++)
		if (isinf(trial->values[i]))
			return tuner_fail(err, TUNER_FATAL, "parameter %zu is not finite", i);
	query_open(&query, store, "SELECT count(*) FROM parameter WHERE space_version = ?1");
	query_bind_int(&query, trial->space_version);
	if (!query_scalar(&query, 0, &n, err))
		return false;
	return n == (int64_t)trial->d ||
	       tuner_fail(err, TUNER_FATAL,
		       "%zu values for the %" PRId64 " parameters of space version %" PRId64,
		       trial->d, n, trial->space_version);
}

static bool take_queue_entry(
	struct store *store, int64_t queued, int64_t trial, struct tuner_error *err)
{
	struct query query;

	if (queued == 0)
		return true;
	query_open(&query, store, "UPDATE queue SET trial = ?1 WHERE id = ?2");
	query_bind_int(&query, trial);
	query_bind_int(&query, queued);
	return query_run(&query, err);
}

/* All rows of a new trial. */
static bool insert_all(struct store *store, const struct trial_new *trial, const char *source,
	const struct decision *decision, int64_t number, int64_t arm_number, int64_t now_us,
	int64_t *ret_id, struct tuner_error *err)
{
	int64_t id = 0, event = 0;

	if (!insert_trial(store, trial, source, number, arm_number, now_us, &id, err))
		return false;
	for (size_t i = 0; i < trial->d; i++)
		if (!isnan(trial->values[i]) &&
			!insert_value(store, id, trial->space_version, i, trial->values[i], err))
			return false;
	*ret_id = id;
	return decision_insert(store, id, trial, decision, err) &&
	       take_queue_entry(store, trial->queued, id, err) &&
	       event_add(store, trial->job_id, id, 0, "proposed", NULL, now_us, &event, err);
}

bool trial_create(struct store *store, const struct trial_new *trial,
	const struct decision *decision, int64_t now_us, int64_t *ret_id, int64_t *ret_number,
	int64_t *ret_arm_number, bool *ret_capped, struct tuner_error *err)
{
	int64_t cap = 0, number = 0, arm_number = 0;
	char source[16];

	store_assert_writing(store);
	if (!load_cap(store, trial->job_id, &cap, err) ||
		!next_numbers(store, trial, &number, &arm_number, err))
		return false;
	if (!is_capped(store, trial, arm_number, cap, ret_capped, err))
		return false;
	if (*ret_capped)
		return true;
	if (!load_source(store, trial, source, err) || !check_values(store, trial, err) ||
		!insert_all(
			store, trial, source, decision, number, arm_number, now_us, ret_id, err))
		return tuner_fail_in(err, "trial %" PRId64 ": ", number);
	*ret_number = number;
	*ret_arm_number = arm_number;
	return true;
}

/* ---- stopping ---- */

static bool load_open(struct store *store, int64_t id, int64_t *ret_job, int64_t *ret_number,
	enum trial_state *ret_state, struct tuner_error *err)
{
	struct query query;
	bool found = false;

	query_open(&query, store, "SELECT job, number, state FROM trial WHERE id = ?1");
	query_bind_int(&query, id);
	bool ok = query_row(&query, &found, err);

	if (ok && !found)
		ok = tuner_fail(err, TUNER_FATAL, "there is no trial with id %" PRId64, id);
	if (ok) {
		*ret_job = query_int(&query);
		*ret_number = query_int(&query);
		ok = trial_state_from_name(query_text(&query), ret_state, err);
	}
	query_close(&query);
	return ok;
}

static bool check_no_attempt(
	struct store *store, int64_t id, int64_t number, struct tuner_error *err)
{
	struct query query;
	int64_t open = 0;

	query_open(&query, store,
		"SELECT number FROM attempt WHERE trial = ?1 AND state <> 'ended' LIMIT 1");
	query_bind_int(&query, id);
	if (!query_scalar(&query, 0, &open, err))
		return false;
	return open == 0 ||
	       tuner_fail(err, TUNER_FATAL,
		       "trial %" PRId64 " cannot be stopped: its attempt %" PRId64 " has not ended",
		       number, open);
}

bool trial_stop(struct store *store, int64_t trial_id, const char *message, int64_t now_us,
	struct tuner_error *err)
{
	struct query query;
	int64_t job = 0, number = 0, event = 0;
	enum trial_state state = TRIAL_PROPOSED;

	store_assert_writing(store);
	if (!load_open(store, trial_id, &job, &number, &state, err) ||
		!trial_check_move(number, state, TRIAL_STOPPED, err) ||
		!check_no_attempt(store, trial_id, number, err) ||
		!event_add(store, job, trial_id, 0, "ended",
			"{\"outcome\": \"\", \"state\": \"stopped\", \"objective\": null}", now_us,
			&event, err))
		return false;
	query_open(&query, store,
		"UPDATE trial SET state = 'stopped', message = ?1, ended_us = ?2, ended_event = "
		"?3, "
		"outcome = iif(outcome = 'over-limit', 'user-stopped', outcome) WHERE id = ?4");
	query_bind_text(&query, message ? message : "");
	query_bind_int(&query, now_us);
	query_bind_int(&query, event);
	query_bind_int(&query, trial_id);
	return query_run(&query, err);
}

/* ---- reopening ---- */

/* The end that is taken back, as the event stores it. */
static bool read_end(struct query *query, struct text *ret, struct tuner_error *err)
{
	text_add(ret, "{\"outcome\": ");
	text_add_json_string(ret, query_text(query));
	text_add(ret, ", \"state\": ");
	text_add_json_string(ret, query_text(query));
	text_add(ret, ", \"objective\": ");
	text_add_json_double(ret, query_double(query));
	text_print(ret, ", \"ended_event\": %" PRId64, query_int(query));
	text_print(ret, ", \"started_us\": %" PRId64, query_int_or(query, 0));
	text_print(ret, ", \"ended_us\": %" PRId64, query_int_or(query, 0));
	text_add(ret, query_is_null(query) ? "" : ", \"limits\": ");
	text_add(ret, query_text(query));
	text_add(ret, query_is_null(query) ? "" : ", \"also\": ");
	text_add(ret, query_text(query));
	text_add(ret, "}");
	return !text_failed(ret) || tuner_fail_memory(err);
}

static bool load_end(struct store *store, int64_t trial_id, struct text *ret, int64_t *ret_attempt,
	struct tuner_error *err)
{
	struct query query;
	bool found = false;

	query_open(&query, store,
		"SELECT coalesce(a.id, 0), t.outcome, t.state, t.objective, t.ended_event, "
		"t.started_us, t.ended_us, t.limits, t.also FROM trial t LEFT JOIN attempt a ON "
		"a.trial = "
		"t.id AND "
		"a.number = t.attempts "
		"WHERE t.id = ?1");
	query_bind_int(&query, trial_id);
	bool ok = query_row(&query, &found, err);
	if (ok && found) {
		*ret_attempt = query_int(&query);
		ok = read_end(&query, ret, err);
	}
	query_close(&query);
	return ok;
}

static bool write_reopened(struct store *store, int64_t trial_id, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"UPDATE trial SET state = 'proposed', objective = NULL, limits = NULL, also = "
		"NULL, started_us "
		"= NULL, ended_us = NULL, ended_event = NULL WHERE id = ?1");
	query_bind_int(&query, trial_id);
	return query_run(&query, err);
}

bool trial_reopen(struct store *store, int64_t trial_id, int64_t now_us, struct tuner_error *err)
{
	struct text end = TEXT_EMPTY;
	int64_t job = 0, number = 0, attempt = 0, event = 0;
	enum trial_state state = TRIAL_PROPOSED;

	store_assert_writing(store);
	if (!load_open(store, trial_id, &job, &number, &state, err))
		return false;
	if (state != TRIAL_FAILED && state != TRIAL_STOPPED)
		return tuner_fail(err, TUNER_USAGE,
			"trial %" PRId64 " is %s: only a failed or a stopped one can be run again",
			number, trial_state_name(state));
	const bool ok = load_end(store, trial_id, &end, &attempt, err) &&
			event_add(store, job, trial_id, attempt, "reopened", end.bytes, now_us,
				&event, err) &&
			write_reopened(store, trial_id, err);

	text_finish(&end);
	return ok;
}

/* The objective is read from JSON's text, since SQLite's own parsing of decimals may round. */
static bool read_reopening(struct query *query, struct reopening *ret, struct tuner_error *err)
{
	ret->trial_id = query_int(query);
	ret->attempts = query_int(query);
	ret->event = query_int(query);
	ret->ended_event = query_int_or(query, 0);
	if (!trial_state_from_name(query_text(query), &ret->state, err) ||
		!outcome_from_text(query_text(query), &ret->outcome, err))
		return tuner_fail_in(err, "event %" PRId64 ": ", ret->event);
	if (!number_to_double(query_text(query), &ret->objective))
		ret->objective = NAN;
	/* Events of earlier versions have no times. */
	ret->started_us = query_int_or(query, 0);
	ret->ended_us = query_int_or(query, 0);
	return judgement_read(query, &ret->judgement, err) ||
	       tuner_fail_in(err, "event %" PRId64 ": ", ret->event);
}

void reopening_undo(const struct reopening *reopening, struct trial *trial)
{
	trial->state = reopening->state;
	trial->outcome = reopening->outcome;
	trial->objective = reopening->objective;
	trial->judgement = reopening->judgement;
	trial->ended_event = reopening->ended_event;
	trial->started_us = reopening->started_us;
	trial->ended_us = reopening->ended_us;
}

bool trial_reopenings(struct store *store, int64_t job_id, struct reopening **ret, size_t *ret_n,
	struct tuner_error *err)
{
	struct reopening *items = NULL;
	size_t n = 0, capacity = 0;
	struct query query;
	bool found = false, ok = true;

	query_open(&query, store,
		"SELECT e.trial, coalesce(a.number, 0), e.id, json_extract(e.data, "
		"'$.ended_event'), "
		"json_extract(e.data, '$.state'), json_extract(e.data, '$.outcome'), "
		"e.data -> '$.objective', json_extract(e.data, '$.started_us'), "
		"json_extract(e.data, '$.ended_us'), e.data -> '$.limits', e.data -> '$.also' FROM "
		"event e LEFT JOIN "
		"attempt a ON a.id = "
		"e.attempt "
		"WHERE e.job = ?1 AND e.kind = 'reopened' ORDER BY e.id");
	query_bind_int(&query, job_id);
	while (ok && (ok = query_row(&query, &found, err)) && found)
		ok = array_grow((void **)&items, &n, &capacity, sizeof(*items), err) &&
		     read_reopening(&query, &items[n - 1], err);
	query_close(&query);
	if (!ok) {
		free(items);
		return false;
	}
	*ret = items;
	*ret_n = n;
	return true;
}
