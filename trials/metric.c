/* Metric rows, and a trial's summary of its objective's rows (trial.h). */
#include "trials/trial.h"

#include "trials/curve.h"
#include "trials/sql.h"
#include "trials/state.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* The state of the attempt and its trial that metric_add reads and changes. */
struct tally {
	int64_t attempt, number, trial, trial_number, attempts;
	enum attempt_state state;
	int64_t log_offset;
	int64_t count; /* of the objective's rows in the trial */
	double best;
	int64_t objective_name; /* id; 0: no row is of that metric */
	bool best_overwritten;
};

static bool better(double a, double b, bool maximize)
{
	return !isnan(a) && (isnan(b) || (maximize ? a > b : a < b));
}

static bool load_tally(
	struct store *store, int64_t attempt_id, struct tally *ret, struct tuner_error *err)
{
	struct query query;
	bool found = false;

	*ret = (struct tally){ .attempt = attempt_id };
	query_open(&query, store,
		"SELECT a.number, t.id, t.number, t.attempts, a.log_offset, t.metric_count, "
		"t.best_value, a.state FROM attempt a CROSS JOIN trial t ON t.id = a.trial "
		"WHERE a.id = ?1");
	query_bind_int(&query, attempt_id);
	bool ok = query_row(&query, &found, err);

	if (ok && !found)
		ok = tuner_fail(
			err, TUNER_FATAL, "there is no attempt with id %" PRId64, attempt_id);
	if (ok) {
		ret->number = query_int(&query);
		ret->trial = query_int(&query);
		ret->trial_number = query_int(&query);
		ret->attempts = query_int(&query);
		ret->log_offset = query_int(&query);
		ret->count = query_int(&query);
		ret->best = query_double(&query);
		ok = attempt_state_from_name(query_text(&query), &ret->state, err);
	}
	query_close(&query);
	return ok;
}

static bool check_may_add(const struct tally *tally, int64_t log_offset, struct tuner_error *err)
{
	if (tally->state == ATTEMPT_ENDED)
		return tuner_fail(err, TUNER_FATAL,
			"trial %" PRId64 ": attempt %" PRId64
			" has ended and takes no more metrics",
			tally->trial_number, tally->number);
	if (log_offset < tally->log_offset)
		return tuner_fail(err, TUNER_FATAL,
			"trial %" PRId64 ": the log's offset would go back from %" PRId64
			" to %" PRId64,
			tally->trial_number, tally->log_offset, log_offset);
	return true;
}

static bool intern_name(
	struct store *store, const char *name, int64_t *ret_id, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store, "SELECT id FROM metric_name WHERE name = ?1");
	query_bind_text(&query, name);
	if (!query_scalar(&query, 0, ret_id, err))
		return false;
	if (*ret_id > 0)
		return true;
	query_open(&query, store, "INSERT INTO metric_name (name) VALUES (?1)");
	query_bind_text(&query, name);
	return query_insert(&query, ret_id, err);
}

/* *ret_added is false if the step exists already. */
static bool insert_row(struct store *store, int64_t attempt, int64_t name,
	const struct metric_row *row, bool *ret_added, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"INSERT INTO metric (attempt, name, step, value, time_us) "
		"VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (attempt, name, step) DO NOTHING");
	query_bind_int(&query, attempt);
	query_bind_int(&query, name);
	query_bind_int(&query, row->step);
	query_bind_double(&query, row->value);
	query_bind_int(&query, row->time_us);
	if (!query_run(&query, err))
		return false;
	*ret_added = sqlite3_changes(store->db) == 1;
	return true;
}

/* *ret_old is the row's previous value. */
static bool overwrite_row(struct store *store, int64_t attempt, int64_t name,
	const struct metric_row *row, double *ret_old, struct tuner_error *err)
{
	struct query query;
	bool found = false;

	query_open(&query, store,
		"SELECT value FROM metric WHERE attempt = ?1 AND name = ?2 AND step = ?3");
	query_bind_int(&query, attempt);
	query_bind_int(&query, name);
	query_bind_int(&query, row->step);
	const bool ok = query_row(&query, &found, err);

	if (ok && found)
		*ret_old = query_double(&query);
	query_close(&query);
	if (!ok)
		return false;
	query_open(&query, store,
		"UPDATE metric SET value = ?1, time_us = ?2 "
		"WHERE attempt = ?3 AND name = ?4 AND step = ?5");
	query_bind_double(&query, row->value);
	query_bind_int(&query, row->time_us);
	query_bind_int(&query, attempt);
	query_bind_int(&query, name);
	query_bind_int(&query, row->step);
	return query_run(&query, err);
}

static bool add_row(struct store *store, struct tally *tally, int64_t name,
	const struct metric_row *row, bool is_objective, bool maximize, struct tuner_error *err)
{
	double old = NAN;
	bool added = false;

	if (!insert_row(store, tally->attempt, name, row, &added, err) ||
		(!added && !overwrite_row(store, tally->attempt, name, row, &old, err)))
		return false;
	if (!is_objective)
		return true;
	tally->objective_name = name;
	tally->count += added;
	if (better(row->value, tally->best, maximize))
		tally->best = row->value;
	else if (!added && old == tally->best && row->value != old)
		tally->best_overwritten = true;
	return true;
}

static bool add_rows(struct store *store, struct tally *tally, const struct metric_row *rows,
	size_t n, const char *objective, bool maximize, struct tuner_error *err)
{
	const char *name = NULL;
	bool is_objective = false;
	int64_t id = 0;

	for (size_t i = 0; i < n; i++) {
		if (!name || strcmp(name, rows[i].name) != 0) {
			name = rows[i].name;
			is_objective = strcmp(name, objective) == 0;
			if (!intern_name(store, name, &id, err))
				return false;
		}
		if (!add_row(store, tally, id, &rows[i], is_objective, maximize, err))
			return false;
	}
	return true;
}

/* Rare: the row that was the best has changed its value. */
static bool find_best(
	struct store *store, struct tally *tally, bool maximize, struct tuner_error *err)
{
	struct query query;
	bool found = false;

	query_open(&query, store,
		"SELECT min(m.value), max(m.value) FROM attempt a "
		"CROSS JOIN metric m ON m.attempt = a.id WHERE a.trial = ?1 AND m.name = ?2");
	query_bind_int(&query, tally->trial);
	query_bind_int(&query, tally->objective_name);
	const bool ok = query_row(&query, &found, err);

	if (ok) {
		const double lowest = query_double(&query), highest = query_double(&query);

		tally->best = maximize ? highest : lowest;
	}
	query_close(&query);
	return ok;
}

static bool write_trial(struct store *store, const struct tally *tally, struct tuner_error *err)
{
	struct query query;

	query_open(
		&query, store, "UPDATE trial SET metric_count = ?1, best_value = ?2 WHERE id = ?3");
	query_bind_int(&query, tally->count);
	query_bind_double(&query, tally->best);
	query_bind_int(&query, tally->trial);
	return query_run(&query, err);
}

/* The same, and the last row: the one of the highest step in this attempt. */
static bool write_trial_with_last(
	struct store *store, const struct tally *tally, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"UPDATE trial SET metric_count = ?1, best_value = ?2, (last_step, last_value) = "
		"(SELECT step, value FROM metric WHERE attempt = ?4 AND name = ?5 "
		"ORDER BY step DESC LIMIT 1) WHERE id = ?3");
	query_bind_int(&query, tally->count);
	query_bind_double(&query, tally->best);
	query_bind_int(&query, tally->trial);
	query_bind_int(&query, tally->attempt);
	query_bind_int(&query, tally->objective_name);
	return query_run(&query, err);
}

static bool write_offset(struct store *store, int64_t attempt, int64_t log_offset,
	const char *scrape, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store, "UPDATE attempt SET log_offset = ?1, scrape = ?2 WHERE id = ?3");
	query_bind_int(&query, log_offset);
	query_bind_text(&query, scrape ? scrape : "{}");
	query_bind_int(&query, attempt);
	return query_run(&query, err);
}

bool metric_add(struct store *store, int64_t attempt_id, const struct metric_row *rows, size_t n,
	const char *objective, bool maximize, int64_t log_offset, const char *scrape,
	struct tuner_error *err)
{
	struct tally tally;

	store_assert_writing(store);
	if (!load_tally(store, attempt_id, &tally, err) ||
		!check_may_add(&tally, log_offset, err) ||
		!add_rows(store, &tally, rows, n, objective, maximize, err) ||
		!write_offset(store, attempt_id, log_offset, scrape, err))
		return false;
	if (tally.objective_name == 0)
		return true;
	if (tally.best_overwritten && !find_best(store, &tally, maximize, err))
		return false;
	if (tally.number == tally.attempts)
		return write_trial_with_last(store, &tally, err);
	return write_trial(store, &tally, err) && curve_settle_best(store, tally.trial, err);
}
