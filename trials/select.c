/* Finding trials (trial.h). */
#include "trials/trial.h"

#include "base/text.h"
#include "trials/judgement.h"
#include "trials/sql.h"
#include "trials/state.h"

#include <stdlib.h>
#include <string.h>

enum {
	FINAL = 1u << TRIAL_DONE | 1u << TRIAL_FAILED | 1u << TRIAL_STOPPED,
	ALL = (1u << TRIAL_STATES) - 1,
};

/* ---- rows ---- */

#define COLUMNS                                                                                    \
	"t.id, t.job, t.number, t.arm, t.repeat, t.arm_number, t.space_version, "                  \
	"t.objective_version, t.state, t.source, d.branch, t.parameters, t.objective, "            \
	"t.metric_count, t.last_step, t.last_value, t.best_value, t.attempts, t.outcome, "         \
	"t.message, t.created_us, t.started_us, t.ended_us, t.ended_event, t.limits, t.also"

static bool read_row(struct query *query, struct trial *ret, struct tuner_error *err)
{
	ret->id = query_int(query);
	ret->job_id = query_int(query);
	ret->number = query_int(query);
	query_text_into(query, ret->arm, sizeof ret->arm);
	ret->repeat = query_int(query);
	ret->arm_number = query_int(query);
	ret->space_version = query_int(query);
	ret->objective_version = query_int(query);
	if (!trial_state_from_name(query_text(query), &ret->state, err))
		return false;
	query_text_into(query, ret->source, sizeof ret->source);
	query_text_into(query, ret->branch, sizeof ret->branch);
	if (!query_text_copy(query, &ret->parameters))
		return tuner_fail_memory(err);
	ret->objective = query_double(query);
	ret->metric_count = query_int(query);
	ret->last_step = query_int_or(query, 0);
	ret->last_value = query_double(query);
	ret->best_value = query_double(query);
	ret->attempts = query_int(query);
	if (!outcome_from_text(query_text(query), &ret->outcome, err))
		return false;
	if (!query_text_copy(query, &ret->message))
		return tuner_fail_memory(err);
	ret->created_us = query_int(query);
	ret->started_us = query_int_or(query, 0);
	ret->ended_us = query_int_or(query, 0);
	ret->ended_event = query_int_or(query, 0);
	return judgement_read(query, &ret->judgement, err) ||
	       tuner_fail_in(err, "trial %lld: ", (long long)ret->number);
}

/* NaN for a parameter that the trial does not have. */
static bool read_values(struct store *store, struct trial *trial, struct tuner_error *err)
{
	size_t capacity = 0;
	struct query query;
	bool found = false, ok = true;

	query_open(&query, store,
		"SELECT v.value FROM parameter p LEFT JOIN trial_param v "
		"ON v.trial = ?1 AND v.parameter = p.id "
		"WHERE p.space_version = ?2 ORDER BY p.position");
	query_bind_int(&query, trial->id);
	query_bind_int(&query, trial->space_version);
	while (ok && (ok = query_row(&query, &found, err)) && found) {
		ok = array_grow(
			(void **)&trial->values, &trial->d, &capacity, sizeof *trial->values, err);
		if (ok)
			trial->values[trial->d - 1] = query_double(&query);
	}
	query_close(&query);
	return ok;
}

/* ---- the statement ---- */

static unsigned wanted_states(const struct trial_filter *filter)
{
	return filter->states == 0 ? (unsigned)ALL : filter->states & (unsigned)ALL;
}

/* An index that gives the order without sorting; the states are then not a reason to use another
 * index. */
static const char *index_for(const struct trial_filter *filter)
{
	const unsigned states = wanted_states(filter);

	if (filter->number > 0)
		return "INDEXED BY trial_number ";
	if (filter->order == TRIAL_BY_OBJECTIVE && states == 1u << TRIAL_DONE)
		return "INDEXED BY trial_best ";
	if (filter->up_to_event > 0 || (filter->order == TRIAL_BY_END && !(states & ~FINAL)))
		return "INDEXED BY trial_ended ";
	if ((states & FINAL) == 0) /* few open ones, among very many that have ended */
		return "INDEXED BY trial_state ";
	return "";
}

static void add_states(struct text *sql, unsigned states)
{
	const char *separator = "";

	if (states == ALL)
		return;
	if ((states & (states - 1)) == 0) { /* in the wording of the partial index trial_best */
		for (unsigned i = 0; i < TRIAL_STATES; i++)
			if (states & 1u << i)
				text_print(sql, " AND t.state = '%s'",
					trial_state_name((enum trial_state)i));
		return;
	}
	text_add(sql, " AND t.state IN (");
	for (unsigned i = 0; i < TRIAL_STATES; i++)
		if (states & 1u << i) {
			text_print(sql, "%s'%s'", separator, trial_state_name((enum trial_state)i));
			separator = ", ";
		}
	text_add_char(sql, ')');
}

static void add_conditions(struct text *sql, const struct trial_filter *filter)
{
	const unsigned states = wanted_states(filter);

	text_add(sql, " WHERE t.job = ?1");
	add_states(sql, states);
	if (filter->order == TRIAL_BY_END && !(states & ~FINAL))
		text_add(sql,
			" AND t.ended_event IS NOT NULL"); /* implied; makes SQLite use the index */
	if (filter->arm)
		text_add(sql, " AND t.arm = ?");
	if (filter->repeat >= 0)
		text_add(sql, " AND t.repeat = ?");
	if (filter->number > 0)
		text_add(sql, " AND t.number = ?");
	if (filter->up_to_event > 0)
		text_add(sql, " AND t.ended_event <= ?");
	if (filter->own)
		text_add(sql, " AND t.source <> 'added'");
}

/* `newest` reverses every direction; the rows are reversed again afterwards. */
static void add_order(struct text *sql, const struct trial_filter *filter, bool maximize)
{
	const unsigned states = wanted_states(filter);
	const char *const forth = filter->newest ? "DESC" : "ASC";
	const char *const back = filter->newest ? "ASC" : "DESC";

	text_add(sql, " ORDER BY ");
	if (filter->order == TRIAL_BY_END && states & ~FINAL)
		text_print(sql, "t.ended_event IS NULL %s, ", forth);
	if (filter->order == TRIAL_BY_END)
		text_print(sql, "t.ended_event %s, ", forth);
	if (filter->order == TRIAL_BY_OBJECTIVE && states != 1u << TRIAL_DONE)
		text_print(sql, "t.state <> 'done' %s, ", forth);
	if (filter->order == TRIAL_BY_OBJECTIVE)
		text_print(sql, "%s %s, ",
			states == 1u << TRIAL_DONE /* as in the index */
				? "t.objective"
				: "CASE t.state WHEN 'done' THEN t.objective END",
			maximize ? back : forth);
	text_print(sql, "t.number %s", forth);
	if (filter->limit > 0)
		text_add(sql, " LIMIT ?");
}

static void bind_filter(struct query *query, const struct trial_filter *filter)
{
	query_bind_int(query, filter->job_id);
	if (filter->arm)
		query_bind_text(query, filter->arm);
	if (filter->repeat >= 0)
		query_bind_int(query, filter->repeat);
	if (filter->number > 0)
		query_bind_int(query, filter->number);
	if (filter->up_to_event > 0)
		query_bind_int(query, filter->up_to_event);
	if (filter->limit > 0)
		query_bind_int(query, filter->limit);
}

static bool load_maximize(struct store *store, int64_t job_id, bool *ret, struct tuner_error *err)
{
	struct query query;
	int64_t maximize = 0;

	query_open(&query, store,
		"SELECT o.goal = 'maximize' FROM job j "
		"CROSS JOIN objective_version o ON o.id = j.objective_version WHERE j.id = ?1");
	query_bind_int(&query, job_id);
	if (!query_scalar(&query, 0, &maximize, err))
		return false;
	*ret = maximize != 0;
	return true;
}

static bool make_statement(struct store *store, const struct trial_filter *filter, struct text *ret,
	struct tuner_error *err)
{
	bool maximize = false;

	if (filter->order == TRIAL_BY_OBJECTIVE &&
		!load_maximize(store, filter->job_id, &maximize, err))
		return false;
	text_print(ret, "SELECT " COLUMNS " FROM trial t %sLEFT JOIN decision d ON d.id = t.id",
		index_for(filter));
	add_conditions(ret, filter);
	add_order(ret, filter, maximize);
	return !text_failed(ret) || tuner_fail_memory(err);
}

/* ---- the list ---- */

static void reverse(struct trial_list *list)
{
	for (size_t i = 0, j = list->n; i + 1 < j; i++) {
		const struct trial other = list->items[--j];

		list->items[j] = list->items[i];
		list->items[i] = other;
	}
}

static bool read_list(
	struct query *query, bool values, struct trial_list *list, struct tuner_error *err)
{
	size_t capacity = 0;
	bool found = false, ok = true;

	while (ok && (ok = query_row(query, &found, err)) && found)
		ok = array_grow((void **)&list->items, &list->n, &capacity, sizeof *list->items,
			     err) &&
		     read_row(query, &list->items[list->n - 1], err) &&
		     (!values || read_values(query->store, &list->items[list->n - 1], err));
	return ok;
}

static bool select_sorted(struct store *store, const struct trial_filter *filter,
	struct trial_list *ret, struct tuner_error *err)
{
	struct trial_list list = { 0 };
	struct text sql = TEXT_EMPTY;
	struct query query;
	bool ok = false;

	if (!make_statement(store, filter, &sql, err))
		goto out;
	query_open(&query, store, sql.bytes);
	bind_filter(&query, filter);
	ok = read_list(&query, !filter->without_values, &list, err);
	query_close(&query);
	if (!ok)
		goto out;
	if (filter->newest)
		reverse(&list);
	*ret = list;
	list = (struct trial_list){ 0 };
out:
	trial_list_finish(&list);
	text_finish(&sql);
	return ok;
}

/* Moves both lists into one, the trials of `first` before the others; both are empty afterwards. */
static bool join(struct trial_list *first, struct trial_list *then, struct trial_list *ret,
	struct tuner_error *err)
{
	struct trial *const items =
		reallocarray(first->items, first->n + then->n + 1, sizeof *items);

	if (!items)
		return tuner_fail_memory(err);
	if (then->n > 0)
		memcpy(items + first->n, then->items, then->n * sizeof *items);
	*ret = (struct trial_list){ items, first->n + then->n };
	free(then->items);
	*first = *then = (struct trial_list){ 0 };
	return true;
}

/* Trials in the states `before` precede those in other states, which are ordered by number: each
 * group has an index that gives its order, whereas all together would have to be sorted. */
static bool select_in_turn(struct store *store, const struct trial_filter *filter, unsigned before,
	struct trial_list *ret, struct tuner_error *err)
{
	struct trial_filter parts[2] = { *filter, *filter };
	struct trial_list lists[2] = { { 0 }, { 0 } };
	bool ok = true;

	parts[0].states = wanted_states(filter) & before;
	parts[1].states = wanted_states(filter) & ~before;
	parts[1].order = TRIAL_BY_NUMBER;
	for (int i = 0; ok && i < 2; i++) {
		const int at = filter->newest ? 1 - i : i; /* with a limit, the last group first */
		const size_t have = lists[1 - at].n;

		if (filter->limit > 0 && have >= (size_t)filter->limit)
			break;
		if (filter->limit > 0)
			parts[at].limit = filter->limit - (int64_t)have;
		ok = select_sorted(store, &parts[at], &lists[at], err);
	}
	ok = ok && join(&lists[0], &lists[1], ret, err);
	trial_list_finish(&lists[0]);
	trial_list_finish(&lists[1]);
	return ok;
}

bool trial_select(struct store *store, const struct trial_filter *filter, struct trial_list *ret,
	struct tuner_error *err)
{
	const unsigned states = wanted_states(filter);
	const unsigned before = filter->order == TRIAL_BY_END         ? (unsigned)FINAL
				: filter->order == TRIAL_BY_OBJECTIVE ? 1u << TRIAL_DONE
								      : 0;

	/* One trial, or the ended trials up to an event, are quick anyway. */
	if ((states & before) == 0 || (states & ~before) == 0 || filter->number > 0 ||
		filter->up_to_event > 0)
		return select_sorted(store, filter, ret, err);
	return select_in_turn(store, filter, before, ret, err);
}

bool trial_created(struct store *store, int64_t job_id, const char *arm, int64_t repeat,
	int64_t *ret, struct tuner_error *err)
{
	struct query query;

	/* Trials are numbered without gaps. */
	query_open(&query, store,
		"SELECT max(arm_number) FROM trial WHERE job = ?1 AND arm = ?2 AND repeat = ?3");
	query_bind_int(&query, job_id);
	query_bind_text(&query, arm);
	query_bind_int(&query, repeat);
	return query_scalar(&query, 0, ret, err);
}

static bool count_by_state(struct store *store, const char *sql, int64_t job_id,
	int64_t ret_counts[TRIAL_STATES], struct tuner_error *err)
{
	struct query query;
	bool found = false, ok = true;
	enum trial_state state;

	memset(ret_counts, 0, TRIAL_STATES * sizeof *ret_counts);
	query_open(&query, store, sql);
	query_bind_int(&query, job_id);
	while (ok && (ok = query_row(&query, &found, err)) && found) {
		ok = trial_state_from_name(query_text(&query), &state, err);
		if (ok)
			ret_counts[state] = query_int(&query);
	}
	query_close(&query);
	return ok;
}

bool trial_count(struct store *store, int64_t job_id, int64_t ret_counts[TRIAL_STATES],
	struct tuner_error *err)
{
	return count_by_state(store,
		"SELECT state, count(*) FROM trial WHERE job = ?1 GROUP BY state", job_id,
		ret_counts, err);
}

bool trial_count_own(struct store *store, int64_t job_id, int64_t ret_counts[TRIAL_STATES],
	struct tuner_error *err)
{
	return count_by_state(store,
		"SELECT state, count(*) FROM trial WHERE job = ?1 AND source <> 'added' GROUP BY "
		"state",
		job_id, ret_counts, err);
}

bool trial_count_search(struct store *store, int64_t job_id, const char *arm, int64_t repeat,
	int64_t *ret, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"SELECT count(*) FROM trial WHERE job = ?1 AND arm = ?2 AND repeat = ?3 AND source "
		"<> 'added'");
	query_bind_int(&query, job_id);
	query_bind_text(&query, arm);
	query_bind_int(&query, repeat);
	return query_scalar(&query, 0, ret, err);
}

bool trial_count_outcomes(struct store *store, int64_t job_id, int64_t ret_counts[OUTCOMES],
	int64_t *ret_last_failed, struct tuner_error *err)
{
	struct query query;
	bool found = false, ok = true;
	enum outcome outcome;
	int64_t last = 0;

	memset(ret_counts, 0, OUTCOMES * sizeof *ret_counts);
	*ret_last_failed = 0;
	/* With max(), SQLite takes the other columns from the row that has the maximum. */
	query_open(&query, store,
		"SELECT state = 'failed', outcome, count(*), max(ended_event), number "
		"FROM trial INDEXED BY trial_outcome "
		"WHERE job = ?1 AND state IN ('failed', 'stopped') AND source <> 'added' "
		"GROUP BY state, outcome");
	query_bind_int(&query, job_id);
	while (ok && (ok = query_row(&query, &found, err)) && found) {
		const bool failed = query_int(&query) != 0;

		ok = outcome_from_text(query_text(&query), &outcome, err);
		if (!ok)
			break;
		ret_counts[outcome] += query_int(&query);
		const int64_t event = query_int(&query);

		if (failed && event > last) {
			last = event;
			*ret_last_failed = query_int(&query);
		}
	}
	query_close(&query);
	return ok;
}
