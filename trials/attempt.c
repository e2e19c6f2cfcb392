/* The life cycle of an attempt and of its trial (trial.h). */
#include "trials/trial.h"

#include "base/text.h"
#include "trials/curve.h"
#include "trials/event.h"
#include "trials/manifest.h"
#include "trials/judgement.h"
#include "trials/sql.h"
#include "trials/state.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

void attempt_finish(struct attempt *attempt)
{
	free(attempt->host);
	free(attempt->gpus);
	free(attempt->directory);
	free(attempt->message);
	free(attempt->scrape);
	*attempt = (struct attempt){ 0 };
}

void attempt_list_finish(struct attempt_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		attempt_finish(&list->items[i]);
	free(list->items);
	*list = (struct attempt_list){ 0 };
}

/* ---- the intent ---- */

/* A trial and its newest attempt. */
struct trial_status {
	int64_t id, job, number, attempts;
	enum trial_state state;
	bool has_attempt;
	enum attempt_state newest;
};

static bool read_trial_status(
	struct query *query, struct trial_status *ret, struct tuner_error *err)
{
	ret->job = query_int(query);
	ret->number = query_int(query);
	ret->attempts = query_int(query);
	if (!trial_state_from_name(query_text(query), &ret->state, err))
		return false;
	ret->has_attempt = !query_is_null(query);
	return !ret->has_attempt || attempt_state_from_name(query_text(query), &ret->newest, err);
}

static bool load_trial_status(
	struct store *store, int64_t id, struct trial_status *ret, struct tuner_error *err)
{
	struct query query;
	bool found = false;

	*ret = (struct trial_status){ .id = id };
	query_open(&query, store,
		"SELECT t.job, t.number, t.attempts, t.state, a.state FROM trial t "
		"LEFT JOIN attempt a ON a.trial = t.id AND a.number = t.attempts WHERE t.id = ?1");
	query_bind_int(&query, id);
	bool ok = query_row(&query, &found, err);

	if (ok)
		ok = found ? read_trial_status(&query, ret, err)
			   : tuner_fail(err, TUNER_FATAL, "there is no trial with id %" PRId64, id);
	query_close(&query);
	return ok;
}

/* Only the newest attempt can be neither ENDED nor LOST; otherwise it could not have been
 * created. */
static bool check_may_attempt(const struct trial_status *trial, struct tuner_error *err)
{
	const bool lost = trial->has_attempt && trial->newest == ATTEMPT_LOST;

	if (trial->has_attempt && trial->newest != ATTEMPT_ENDED && !lost)
		return tuner_fail(err, TUNER_FATAL,
			"trial %" PRId64 ": attempt %" PRId64 " is still %s", trial->number,
			trial->attempts, attempt_state_name(trial->newest));
	if (trial->state == TRIAL_PROPOSED)
		return true;
	if (trial->state == TRIAL_RUNNING && lost)
		return trial_check_move(trial->number, trial->state, TRIAL_PROPOSED, err);
	return tuner_fail(err, TUNER_FATAL, "trial %" PRId64 " is %s and cannot be launched",
		trial->number, trial_state_name(trial->state));
}

static bool count_attempt(
	struct store *store, const struct trial_status *trial, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"UPDATE trial SET state = 'proposed', attempts = attempts + 1 WHERE id = ?1");
	query_bind_int(&query, trial->id);
	return query_run(&query, err);
}

static bool insert_attempt(struct store *store, const struct attempt_new *attempt, int64_t number,
	int64_t now_us, int64_t *ret_id, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"INSERT INTO attempt (trial, number, state, key, backend, host, slot, gpus, "
		"directory, intended_us, lease_us, heard_us) "
		"VALUES (?1, ?2, 'intended', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
	query_bind_int(&query, attempt->trial_id);
	query_bind_int(&query, number);
	query_bind_text(&query, attempt->key);
	query_bind_text(&query, attempt->backend);
	query_bind_text(&query, attempt->host ? attempt->host : "");
	query_bind_int(&query, attempt->slot);
	query_bind_text(&query, attempt->gpus ? attempt->gpus : "[]");
	query_bind_text(&query, attempt->directory);
	query_bind_int(&query, now_us);
	query_bind_int_or_null(&query, attempt->lease_us, 0);
	query_bind_int_or_null(&query, attempt->lease_us > 0 ? now_us : 0, 0);
	return query_insert(&query, ret_id, err);
}

bool attempt_create(struct store *store, const struct attempt_new *attempt, int64_t now_us,
	int64_t *ret_id, struct tuner_error *err)
{
	struct trial_status trial;
	int64_t event = 0;

	store_assert_writing(store);
	if (!load_trial_status(store, attempt->trial_id, &trial, err) ||
		!check_may_attempt(&trial, err) ||
		!insert_attempt(store, attempt, trial.attempts + 1, now_us, ret_id, err))
		return false;
	if (trial.has_attempt && trial.newest == ATTEMPT_LOST &&
		!event_add(store, trial.job, trial.id, *ret_id, "retry",
			"{\"reason\": \"the attempt before is lost\"}", now_us, &event, err))
		return false;
	return manifest_supersede(store, trial.id, err) && count_attempt(store, &trial, err);
}

/* ---- moves ---- */

/* An attempt, and its trial. */
struct attempt_status {
	int64_t id, number, started_us; /* started_us 0: not yet */
	enum attempt_state state;
	int64_t trial, job, trial_number, attempts, trial_started_us;
	enum trial_state trial_state;
};

static bool superseded(const struct attempt_status *attempt)
{
	return attempt->number < attempt->attempts;
}

static bool read_attempt_status(
	struct query *query, struct attempt_status *ret, struct tuner_error *err)
{
	ret->number = query_int(query);
	ret->started_us = query_int_or(query, 0);
	ret->trial = query_int(query);
	ret->job = query_int(query);
	ret->trial_number = query_int(query);
	ret->attempts = query_int(query);
	ret->trial_started_us = query_int_or(query, 0);
	return attempt_state_from_name(query_text(query), &ret->state, err) &&
	       trial_state_from_name(query_text(query), &ret->trial_state, err);
}

static bool load_attempt_status(
	struct store *store, int64_t id, struct attempt_status *ret, struct tuner_error *err)
{
	struct query query;
	bool found = false;

	*ret = (struct attempt_status){ .id = id };
	query_open(&query, store,
		"SELECT a.number, a.started_us, t.id, t.job, t.number, t.attempts, t.started_us, "
		"a.state, t.state FROM attempt a CROSS JOIN trial t ON t.id = a.trial WHERE a.id = "
		"?1");
	query_bind_int(&query, id);
	bool ok = query_row(&query, &found, err);

	if (ok)
		ok = found ? read_attempt_status(&query, ret, err)
			   : tuner_fail(
				     err, TUNER_FATAL, "there is no attempt with id %" PRId64, id);
	query_close(&query);
	return ok;
}

static bool set_attempt_state(struct store *store, const struct attempt_status *attempt,
	enum attempt_state state, int64_t started_us, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"UPDATE attempt SET state = ?1, started_us = coalesce(started_us, ?2) WHERE id = "
		"?3");
	query_bind_text(&query, attempt_state_name(state));
	query_bind_int_or_null(&query, started_us, 0);
	query_bind_int(&query, attempt->id);
	return query_run(&query, err);
}

static bool set_trial_running(struct store *store, const struct attempt_status *attempt,
	int64_t now_us, struct tuner_error *err)
{
	struct query query;

	if (attempt->trial_state == TRIAL_RUNNING) /* its host is back */
		return true;
	if (!trial_check_move(attempt->trial_number, attempt->trial_state, TRIAL_RUNNING, err))
		return false;
	query_open(&query, store,
		"UPDATE trial SET state = 'running', started_us = coalesce(started_us, ?1) "
		"WHERE id = ?2");
	query_bind_int(&query, now_us);
	query_bind_int(&query, attempt->trial);
	return query_run(&query, err);
}

bool attempt_move(struct store *store, int64_t attempt_id, enum attempt_state state, int64_t now_us,
	struct tuner_error *err)
{
	struct attempt_status attempt;

	store_assert_writing(store);
	tuner_assert(state != ATTEMPT_ENDED); /* attempt_end does that */
	if (!load_attempt_status(store, attempt_id, &attempt, err) ||
		!attempt_check_move(
			attempt.trial_number, attempt.number, attempt.state, state, err))
		return false;
	if (superseded(&attempt))
		return tuner_fail(err, TUNER_FATAL,
			"trial %" PRId64 ": attempt %" PRId64
			" cannot go from %s to %s: attempt %" PRId64 " has taken its place",
			attempt.trial_number, attempt.number, attempt_state_name(attempt.state),
			attempt_state_name(state), attempt.attempts);
	const bool runs = state == ATTEMPT_RUNNING;

	return (!runs || set_trial_running(store, &attempt, now_us, err)) &&
	       set_attempt_state(store, &attempt, state, runs ? now_us : 0, err);
}

bool attempt_hear(struct store *store, int64_t attempt_id, int64_t now_us, struct tuner_error *err)
{
	struct query query;

	store_assert_writing(store);
	query_open(&query, store,
		"UPDATE attempt SET heard_us = ?1 WHERE id = ?2 AND lease_us IS NOT NULL");
	query_bind_int(&query, now_us);
	query_bind_int(&query, attempt_id);
	return query_run(&query, err);
}

/* ---- the intent to end it ---- */

bool attempt_stop(struct store *store, int64_t attempt_id, enum outcome outcome, const char *reason,
	int64_t now_us, struct tuner_error *err)
{
	struct attempt_status attempt;
	struct text data = TEXT_EMPTY;
	int64_t event = 0;

	store_assert_writing(store);
	tuner_assert(outcome != OUTCOME_NONE && outcome != OUTCOME_INTERRUPTED);
	if (!load_attempt_status(store, attempt_id, &attempt, err))
		return false;
	text_print(&data,
		"{\"attempt\": %" PRId64 ", \"outcome\": \"%s\", \"reason\": ", attempt.number,
		outcome_name(outcome));
	text_add_json_string(&data, reason);
	text_add_char(&data, '}');
	const bool ok = text_failed(&data)
				? tuner_fail_memory(err)
				: event_add(store, attempt.job, attempt.trial, attempt_id, "stop",
					  data.bytes, now_us, &event, err);

	text_finish(&data);
	return ok;
}

/* No event of a trial is older than the last event that its proposal took into account. */
bool attempt_stop_load(struct store *store, int64_t attempt_id, enum outcome *ret_outcome,
	char *ret_reason, size_t size, struct tuner_error *err)
{
	struct query query;
	bool found = false;

	*ret_outcome = OUTCOME_NONE;
	query_open(&query, store,
		"SELECT json_extract(e.data, '$.outcome'), json_extract(e.data, '$.reason') "
		"FROM attempt a CROSS JOIN event e WHERE a.id = ?1 AND e.attempt = a.id "
		"AND e.kind = 'stop' "
		"AND e.id > coalesce((SELECT seen FROM decision WHERE id = a.trial), 0) "
		"ORDER BY e.id DESC LIMIT 1");
	query_bind_int(&query, attempt_id);
	bool ok = query_row(&query, &found, err);

	if (ok && found) {
		ok = outcome_from_text(query_text(&query), ret_outcome, err);
		query_text_into(&query, ret_reason, size);
	}
	query_close(&query);
	return ok;
}

/* ---- the end ---- */

bool attempt_late(struct store *store, int64_t attempt_id, const char *how, int64_t ended_us,
	int64_t now_us, struct tuner_error *err)
{
	struct attempt_status attempt;
	struct text data = TEXT_EMPTY;
	int64_t event = 0;

	store_assert_writing(store);
	if (!load_attempt_status(store, attempt_id, &attempt, err))
		return false;
	text_print(&data, "{\"attempt\": %" PRId64 ", \"how\": ", attempt.number);
	text_add_json_string(&data, how);
	if (ended_us > 0)
		text_print(&data, ", \"ended_us\": %" PRId64, ended_us);
	text_add_char(&data, '}');
	const bool ok = text_failed(&data)
				? tuner_fail_memory(err)
				: event_add(store, attempt.job, attempt.trial, attempt_id, "late",
					  data.bytes, now_us, &event, err);

	text_finish(&data);
	return ok;
}

static bool is_final(enum trial_state state)
{
	return state == TRIAL_DONE || state == TRIAL_FAILED || state == TRIAL_STOPPED;
}

static enum outcome trial_outcome(const struct attempt_end *end)
{
	return end->counts_as == OUTCOME_NONE ? end->outcome : end->counts_as;
}

static double kept_objective(const struct attempt_end *end)
{
	return end->trial == TRIAL_DONE || end->trial == TRIAL_STOPPED ? end->objective : NAN;
}

/* A trial that was never seen running passes through RUNNING, unless it is stopped. */
static bool check_end(const struct attempt_status *attempt, const struct attempt_end *end,
	struct tuner_error *err)
{
	enum trial_state from = attempt->trial_state;

	if (!attempt_check_move(
		    attempt->trial_number, attempt->number, attempt->state, ATTEMPT_ENDED, err))
		return false;
	if (end->outcome == OUTCOME_NONE || end->outcome >= OUTCOMES)
		return tuner_fail(err, TUNER_FATAL, "trial %" PRId64 ": an end needs an outcome",
			attempt->trial_number);
	if (superseded(attempt))
		return true;
	if (end->trial == TRIAL_RUNNING)
		return tuner_fail(err, TUNER_FATAL,
			"trial %" PRId64 " cannot go on running: its attempt ends",
			attempt->trial_number);
	if (from == TRIAL_PROPOSED && end->trial != TRIAL_STOPPED)
		from = TRIAL_RUNNING;
	if (!trial_check_move(attempt->trial_number, from, end->trial, err))
		return false;
	return end->trial != TRIAL_DONE || !isnan(end->objective) ||
	       tuner_fail(err, TUNER_FATAL, "trial %" PRId64 " cannot be done without an objective",
		       attempt->trial_number);
}

static bool add_end_event(struct store *store, const struct attempt_status *attempt,
	const struct attempt_end *end, int64_t now_us, int64_t *ret_id, struct tuner_error *err)
{
	const bool late = superseded(attempt);
	struct text data = TEXT_EMPTY;

	text_print(&data, "{\"attempt\": %" PRId64 ", \"outcome\": ", attempt->number);
	text_add_json_string(&data, outcome_name(end->outcome));
	if (trial_outcome(end) != end->outcome)
		text_print(&data, ", \"counts_as\": \"%s\"", outcome_name(end->counts_as));
	text_print(&data, ", \"state\": \"%s\", \"objective\": ",
		trial_state_name(late ? attempt->trial_state : end->trial));
	text_add_json_double(&data, kept_objective(end));
	judgement_add(&end->judgement, &data);
	text_add(&data, end->excused ? ", \"excused\": true" : "");
	text_add(&data, end->ends_job ? ", \"ends_job\": true}" : "}");
	const bool ok = text_failed(&data)
				? tuner_fail_memory(err)
				: event_add(store, attempt->job, attempt->trial, attempt->id,
					  late                         ? "late"
					  : is_final(end->trial)       ? "ended"
					  : end->trial == TRIAL_PAUSED ? "paused"
								       : "retry",
					  data.bytes, now_us, ret_id, err);

	text_finish(&data);
	return ok;
}

static bool write_attempt_end(struct store *store, const struct attempt_status *attempt,
	const struct attempt_end *end, int64_t started_us, int64_t ended_us,
	struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"UPDATE attempt SET state = 'ended', outcome = ?1, message = ?2, exit_code = ?3, "
		"signal = ?4, started_us = ?5, ended_us = ?6, user_us = ?7, system_us = ?8, "
		"max_rss_bytes = ?9, gpu_memory_peak_bytes = ?10, cost = ?11 WHERE id = ?12");
	query_bind_text(&query, outcome_name(end->outcome));
	query_bind_text(&query, end->message ? end->message : "");
	query_bind_int_or_null(&query, end->exit_code, -1);
	query_bind_int_or_null(&query, end->signal, -1);
	query_bind_int_or_null(&query, started_us, 0);
	query_bind_int(&query, ended_us);
	query_bind_int(&query, end->user_us);
	query_bind_int(&query, end->system_us);
	query_bind_int(&query, end->max_rss_bytes);
	query_bind_int(&query, end->gpu_memory_peak_bytes);
	query_bind_double(&query, end->cost > 0 ? end->cost : NAN);
	query_bind_int(&query, attempt->id);
	return query_run(&query, err);
}

static bool write_trial_end(struct store *store, const struct attempt_status *attempt,
	const struct attempt_end *end, int64_t started_us, int64_t ended_us, int64_t event,
	struct tuner_error *err)
{
	const bool final = is_final(end->trial);
	struct judgement_columns judgement;
	struct query query;

	if (!judgement_columns_init(&end->judgement, &judgement, err))
		return false;
	/* Our clock may have set the start (attempt_move) later than the supervisor saw the end. */
	query_open(&query, store,
		"UPDATE trial SET state = ?1, outcome = ?2, message = ?3, objective = ?4, "
		"started_us = min(coalesce(started_us, ?5), coalesce(?5, started_us)), "
		"ended_us = ?6, ended_event = ?7, limits = ?8, also = ?9 WHERE id = ?10");
	query_bind_text(&query, trial_state_name(end->trial));
	query_bind_text(&query, outcome_name(trial_outcome(end)));
	query_bind_text(&query, end->trial_message ? end->trial_message
				: end->message     ? end->message
						   : "");
	query_bind_double(&query, kept_objective(end));
	query_bind_int_or_null(&query, started_us, 0);
	query_bind_int_or_null(&query, final ? ended_us : 0, 0);
	query_bind_int_or_null(&query, final ? event : 0, 0);
	judgement_columns_bind(&query, &judgement);
	query_bind_int(&query, attempt->trial);

	const bool ok = query_run(&query, err);

	judgement_columns_finish(&judgement);
	return ok;
}

bool attempt_end(struct store *store, int64_t attempt_id, const struct attempt_end *end,
	int64_t now_us, int64_t *ret_event, struct tuner_error *err)
{
	const int64_t ended_us = end->ended_us > 0 ? end->ended_us : now_us;
	struct attempt_status attempt;
	int64_t started_us = end->started_us;

	store_assert_writing(store);
	if (!load_attempt_status(store, attempt_id, &attempt, err) ||
		!check_end(&attempt, end, err))
		return false;
	if (started_us == 0)
		started_us = attempt.started_us;
	if (started_us > ended_us)
		started_us = ended_us; /* two clocks: nothing ends before it starts */
	return add_end_event(store, &attempt, end, now_us, ret_event, err) &&
	       write_attempt_end(store, &attempt, end, started_us, ended_us, err) &&
	       (superseded(&attempt) || write_trial_end(store, &attempt, end, started_us, ended_us,
						*ret_event, err)) &&
	       (attempt.number == 1 || curve_settle_best(store, attempt.trial, err)) &&
	       manifest_open(store, attempt_id, err);
}

bool attempt_cost(struct store *store, int64_t job_id, double *ret, struct tuner_error *err)
{
	struct query query;
	bool found = false;

	query_open(&query, store,
		"SELECT total(a.cost) FROM trial t CROSS JOIN attempt a ON a.trial = t.id "
		"WHERE t.job = ?1");
	query_bind_int(&query, job_id);
	const bool ok = query_row(&query, &found, err);

	*ret = ok && found ? query_double(&query) : 0;
	query_close(&query);
	return ok;
}

static void read_spending(struct query *query, struct trial_spending *ret)
{
	ret->trial_id = query_int(query);
	ret->busy_us = query_int(query);
	ret->cost = query_double(query);
	ret->attempts = query_int(query);
	ret->unpriced = query_int(query);
}

bool trial_spendings(struct store *store, int64_t job_id, const char *arm, int64_t repeat,
	struct trial_spending **ret, size_t *ret_n, struct tuner_error *err)
{
	struct trial_spending *items = NULL;
	size_t n = 0, capacity = 0;
	struct query query;
	bool found = false, ok = true;

	query_open(&query, store,
		"SELECT t.id, total(max(a.ended_us - a.started_us, 0)), total(a.cost), "
		"count(nullif(a.ended_us > a.started_us, 0)), "
		"total(a.ended_us > a.started_us AND a.cost IS NULL) "
		"FROM trial t LEFT JOIN attempt a ON a.trial = t.id "
		"WHERE t.job = ?1 AND t.arm = ?2 AND t.repeat = ?3 AND t.ended_event IS NOT NULL "
		"GROUP BY t.id ORDER BY t.ended_event");
	query_bind_int(&query, job_id);
	query_bind_text(&query, arm);
	query_bind_int(&query, repeat);
	while (ok && (ok = query_row(&query, &found, err)) && found) {
		ok = array_grow((void **)&items, &n, &capacity, sizeof *items, err);
		if (ok)
			read_spending(&query, &items[n - 1]);
	}
	query_close(&query);
	*ret = ok ? items : NULL;
	*ret_n = ok ? n : 0;
	if (!ok)
		free(items);
	return ok;
}

/* ---- reading ---- */

#define SELECT_ATTEMPT                                                                             \
	"SELECT a.id, a.trial, t.number, a.number, a.key, a.backend, a.host, a.slot, a.gpus, "     \
	"a.directory, a.state, a.outcome, a.message, a.exit_code, a.signal, a.intended_us, "       \
	"a.started_us, a.ended_us, a.user_us, a.system_us, a.max_rss_bytes, "                      \
	"a.gpu_memory_peak_bytes, a.cost, a.log_offset, a.scrape, a.lease_us, a.heard_us "         \
	"FROM attempt a "                                                                          \
	"CROSS JOIN trial t ON t.id = a.trial "

static bool read_row(struct query *query, struct attempt *ret, struct tuner_error *err)
{
	ret->id = query_int(query);
	ret->trial_id = query_int(query);
	ret->trial_number = query_int(query);
	ret->number = query_int(query);
	query_text_into(query, ret->key, sizeof ret->key);
	query_text_into(query, ret->backend, sizeof ret->backend);
	if (!query_text_copy(query, &ret->host))
		return tuner_fail_memory(err);
	ret->slot = query_int(query);
	if (!query_text_copy(query, &ret->gpus) || !query_text_copy(query, &ret->directory))
		return tuner_fail_memory(err);
	if (!attempt_state_from_name(query_text(query), &ret->state, err) ||
		!outcome_from_text(query_text(query), &ret->outcome, err))
		return false;
	if (!query_text_copy(query, &ret->message))
		return tuner_fail_memory(err);
	ret->exit_code = query_int_or(query, -1);
	ret->signal = query_int_or(query, -1);
	ret->intended_us = query_int(query);
	ret->started_us = query_int_or(query, 0);
	ret->ended_us = query_int_or(query, 0);
	ret->user_us = query_int(query);
	ret->system_us = query_int(query);
	ret->max_rss_bytes = query_int(query);
	ret->gpu_memory_peak_bytes = query_int(query);
	ret->cost = query_double(query);
	ret->log_offset = query_int(query);
	if (!query_text_copy(query, &ret->scrape))
		return tuner_fail_memory(err);
	ret->lease_us = query_int_or(query, 0);
	ret->heard_us = query_int_or(query, 0);
	return true;
}

bool attempt_select(struct store *store, int64_t job_id, int64_t trial_id, struct attempt_list *ret,
	struct tuner_error *err)
{
	struct attempt_list list = { 0 };
	size_t capacity = 0;
	struct query query;
	bool found = false, ok = true;

	query_open(&query, store,
		trial_id > 0 ? SELECT_ATTEMPT "WHERE t.job = ?1 AND a.trial = ?2 ORDER BY a.number"
			     : SELECT_ATTEMPT
			"WHERE t.job = ?1 AND a.state <> 'ended' ORDER BY a.id");
	query_bind_int(&query, job_id);
	if (trial_id > 0)
		query_bind_int(&query, trial_id);
	while (ok && (ok = query_row(&query, &found, err)) && found)
		ok = array_grow(
			     (void **)&list.items, &list.n, &capacity, sizeof *list.items, err) &&
		     read_row(&query, &list.items[list.n - 1], err);
	query_close(&query);
	if (ok)
		*ret = list;
	else
		attempt_list_finish(&list);
	return ok;
}
