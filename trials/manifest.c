#include "trials/manifest.h"

#include "base/text.h"
#include "trials/event.h"
#include "trials/sql.h"
#include "trials/state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_names[MANIFEST_STATES] = { "pending", "recorded", "removing" };

static bool state_from_name(const char *name, enum manifest_state *ret, struct tuner_error *err)
{
	for (int i = 0; i < MANIFEST_STATES; i++)
		if (strcmp(state_names[i], name) == 0) {
			*ret = (enum manifest_state)i;
			return true;
		}
	return tuner_fail(err, TUNER_FATAL, "unknown state of a manifest: \"%.40s\"", name);
}

/* ---- beginning ---- */

bool manifest_open(struct store *store, int64_t attempt_id, struct tuner_error *err)
{
	struct query query;

	/* An attempt that a caller evaluates has no directory. */
	store_assert_writing(store);
	query_open(&query, store,
		"INSERT INTO manifest (attempt, job, state) SELECT a.id, t.job, 'pending' "
		"FROM attempt a JOIN trial t ON t.id = a.trial "
		"WHERE a.id = ?1 AND a.directory <> ''");
	query_bind_int(&query, attempt_id);
	return query_run(&query, err);
}

bool manifest_supersede(struct store *store, int64_t trial_id, struct tuner_error *err)
{
	struct query query;

	store_assert_writing(store);
	query_open(&query, store,
		"UPDATE manifest SET checkpoint_bytes = 0 WHERE checkpoint_bytes <> 0 AND attempt "
		"IN "
		"(SELECT id FROM attempt WHERE trial = ?1)");
	query_bind_int(&query, trial_id);
	return query_run(&query, err);
}

/* ---- reading ---- */

#define FROM_MANIFEST                                                                              \
	"FROM manifest m CROSS JOIN attempt a ON a.id = m.attempt "                                \
	"CROSS JOIN trial t ON t.id = a.trial "
#define SELECT_WITH(bytes, checkpoint_bytes)                                                       \
	"SELECT m.attempt, a.number, t.id, t.number, m.state, a.directory, m.files, " bytes        \
	", " checkpoint_bytes                                                                      \
	", m.removal, m.checkpoint_removal, a.number = t.attempts AND t.state "                    \
	"IN ('done', 'failed', 'stopped'), m.message " FROM_MANIFEST
#define SELECT_MANIFEST SELECT_WITH("m.bytes", "m.checkpoint_bytes")
#define IS_KEPT         "m.bytes + m.checkpoint_bytes > 0 " /* as in the index manifest_kept */

void manifest_list_finish(struct manifest_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].directory);
		free(list->items[i].message);
	}
	free(list->items);
	*list = (struct manifest_list){ 0 };
}

static bool read_row(struct query *query, struct manifest *ret, struct tuner_error *err)
{
	ret->attempt = query_int(query);
	ret->attempt_number = query_int(query);
	ret->trial = query_int(query);
	ret->trial_number = query_int(query);
	if (!state_from_name(query_text(query), &ret->state, err))
		return false;
	if (!query_text_copy(query, &ret->directory))
		return tuner_fail_memory(err);
	ret->files = query_int(query);
	ret->bytes = query_int(query);
	ret->checkpoint_bytes = query_int(query);
	ret->removal = query_int_or(query, 0);
	ret->checkpoint_removal = query_int_or(query, 0);
	ret->checkpoint_free = query_int(query) != 0;
	return query_text_copy(query, &ret->message) || tuner_fail_memory(err);
}

/* Closes the query. */
static bool read_list(struct query *query, struct manifest_list *ret, struct tuner_error *err)
{
	struct manifest_list list = { 0 };
	size_t capacity = 0;
	bool found = false, ok = true;

	while (ok && (ok = query_row(query, &found, err)) && found)
		ok = array_grow(
			     (void **)&list.items, &list.n, &capacity, sizeof *list.items, err) &&
		     read_row(query, &list.items[list.n - 1], err);
	query_close(query);
	if (ok)
		*ret = list;
	else
		manifest_list_finish(&list);
	return ok;
}

bool manifest_due(struct store *store, int64_t job_id, enum manifest_state state, int64_t limit,
	struct manifest_list *ret, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		SELECT_MANIFEST "WHERE m.job = ?1 AND m.state = ?2 AND m.state <> 'recorded' "
				"ORDER BY m.attempt LIMIT ?3");
	query_bind_int(&query, job_id);
	query_bind_text(&query, state_names[state]);
	query_bind_int(&query, limit);
	return read_list(&query, ret, err);
}

bool manifest_select(
	struct store *store, int64_t trial_id, struct manifest_list *ret, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		SELECT_MANIFEST "WHERE m.attempt IN (SELECT id FROM attempt WHERE trial = ?1) "
				"ORDER BY a.number");
	query_bind_int(&query, trial_id);
	return read_list(&query, ret, err);
}

bool manifest_kept(struct store *store, int64_t job_id, int64_t after, int64_t limit,
	struct manifest_list *ret, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		SELECT_MANIFEST
		"WHERE m.job = ?1 AND m.attempt > ?2 AND m.state = 'recorded' "
		"AND m.files > 0 AND m.removal IS NULL ORDER BY m.attempt LIMIT ?3");
	query_bind_int(&query, job_id);
	query_bind_int(&query, after);
	query_bind_int(&query, limit);
	return read_list(&query, ret, err);
}

void manifest_files_finish(struct manifest_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->items[i].path);
	free(files->items);
	*files = (struct manifest_files){ 0 };
}

static bool read_file(struct query *query, struct manifest_file *ret, struct tuner_error *err)
{
	if (!query_text_copy(query, &ret->path))
		return tuner_fail_memory(err);
	ret->bytes = query_int(query);
	query_text_into(query, ret->sha256, sizeof ret->sha256);
	return true;
}

bool manifest_files_select(struct store *store, int64_t attempt_id, struct manifest_files *ret,
	struct tuner_error *err)
{
	struct manifest_files list = { 0 };
	size_t capacity = 0;
	struct query query;
	bool found = false, ok = true;

	query_open(&query, store,
		"SELECT path, bytes, sha256 FROM artifact WHERE attempt = ?1 ORDER BY path");
	query_bind_int(&query, attempt_id);
	while (ok && (ok = query_row(&query, &found, err)) && found)
		ok = array_grow(
			     (void **)&list.items, &list.n, &capacity, sizeof *list.items, err) &&
		     read_file(&query, &list.items[list.n - 1], err);
	query_close(&query);
	if (ok)
		*ret = list;
	else
		manifest_files_finish(&list);
	return ok;
}

bool manifest_total(struct store *store, int64_t job_id, int64_t *ret_bytes,
	int64_t *ret_checkpoint_bytes, struct tuner_error *err)
{
	struct query query;
	bool found = false;

	query_open(&query, store,
		"SELECT coalesce(sum(m.bytes), 0), coalesce(sum(m.checkpoint_bytes), 0) "
		"FROM manifest m WHERE m.job = ?1 AND " IS_KEPT);
	query_bind_int(&query, job_id);
	const bool ok = query_row(&query, &found, err);
	if (ok && found) {
		*ret_bytes = query_int(&query);
		*ret_checkpoint_bytes = query_int(&query);
	}
	query_close(&query);
	return ok;
}

bool manifest_count_pending(
	struct store *store, int64_t job_id, int64_t *ret, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"SELECT count(*) FROM manifest WHERE job = ?1 AND state = 'pending' AND state <> "
		"'recorded'");
	query_bind_int(&query, job_id);
	return query_scalar(&query, 0, ret, err);
}

void attempt_places_finish(struct attempt_places *places)
{
	for (size_t i = 0; i < places->n; i++)
		free(places->items[i].directory);
	free(places->items);
	*places = (struct attempt_places){ 0 };
}

static bool read_place(struct query *query, struct attempt_place *ret, struct tuner_error *err)
{
	if (!query_text_copy(query, &ret->directory))
		return tuner_fail_memory(err);
	ret->ended = query_int(query) != 0;
	ret->trial_ended = query_int(query) != 0;
	return outcome_from_text(query_text(query), &ret->outcome, err);
}

bool attempt_places_select(
	struct store *store, int64_t job_id, struct attempt_places *ret, struct tuner_error *err)
{
	struct attempt_places list = { 0 };
	size_t capacity = 0;
	struct query query;
	bool found = false, ok = true;

	query_open(&query, store,
		"SELECT a.directory, a.state = 'ended', t.state IN ('done', 'failed', 'stopped'), "
		"a.outcome FROM trial t CROSS JOIN attempt a ON a.trial = t.id "
		"WHERE t.job = ?1 AND a.directory <> '' ORDER BY a.directory");
	query_bind_int(&query, job_id);
	while (ok && (ok = query_row(&query, &found, err)) && found)
		ok = array_grow(
			     (void **)&list.items, &list.n, &capacity, sizeof *list.items, err) &&
		     read_place(&query, &list.items[list.n - 1], err);
	query_close(&query);
	if (ok)
		*ret = list;
	else
		attempt_places_finish(&list);
	return ok;
}

/* ---- recording ---- */

static bool insert_file(struct store *store, int64_t attempt_id, const struct manifest_file *file,
	struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"INSERT INTO artifact (attempt, path, bytes, sha256) VALUES (?1, ?2, ?3, ?4)");
	query_bind_int(&query, attempt_id);
	query_bind_text(&query, file->path);
	query_bind_int(&query, file->bytes);
	query_bind_text(&query, file->sha256[0] != '\0' ? file->sha256 : NULL);
	return query_run(&query, err) || tuner_fail_in(err, "artefact %.100s: ", file->path);
}

bool manifest_record(struct store *store, int64_t attempt_id, const struct manifest_file *listed,
	size_t n, int64_t files, int64_t bytes, int64_t checkpoint_bytes, const char *message,
	int64_t now_us, struct tuner_error *err)
{
	struct query query;

	store_assert_writing(store);
	for (size_t i = 0; i < n; i++)
		if (!insert_file(store, attempt_id, &listed[i], err))
			return false;
	query_open(&query, store,
		"UPDATE manifest SET state = 'recorded', files = ?2, bytes = ?3, checkpoint_bytes "
		"= "
		"CASE WHEN (SELECT a.number = t.attempts FROM attempt a JOIN trial t ON t.id = "
		"a.trial WHERE a.id = ?1) THEN ?4 ELSE 0 END, message = ?5, recorded_us = ?6 "
		"WHERE attempt = ?1 AND state = 'pending'");
	query_bind_int(&query, attempt_id);
	query_bind_int(&query, files);
	query_bind_int(&query, bytes);
	query_bind_int(&query, checkpoint_bytes);
	query_bind_text(&query, message);
	query_bind_int(&query, now_us);
	return query_run(&query, err);
}

/* ---- removal ---- */

#define IS_ENDED "m.state = 'recorded' AND t.state IN ('done', 'failed', 'stopped') "
/* With several objectives every trial of the Pareto front (?6) is one of the best. */
#define BEST(order)                                                                                \
	"(SELECT id FROM (SELECT b.id FROM trial b WHERE b.job = ?1 AND b.state = 'done' AND "     \
	"b.source <> 'added' ORDER BY b.objective " order ", b.number LIMIT ?2) UNION SELECT "     \
	"value FROM json_each(?6)) "
#define LAST                                                                                       \
	"(SELECT l.id FROM trial l WHERE l.job = ?1 AND l.ended_event IS NOT NULL AND l.source "   \
	"<> 'added' "                                                                              \
	"ORDER BY l.ended_event DESC LIMIT ?3) "
#define IS_SPARED "(t.state = 'failed' AND t.outcome IN (SELECT value FROM json_each(?4))) "
/* Every class has the same six values, used or not. */
#define END "AND ?2 + ?3 + length(?4) + length(?6) > 0 ORDER BY t.ended_event, m.attempt LIMIT ?5"

#define CLASS(bytes, checkpoint_bytes, condition)                                                  \
	SELECT_WITH(bytes, checkpoint_bytes)                                                       \
	"WHERE m.job = ?1 AND " IS_KEPT "AND " IS_ENDED "AND " condition END

#define CLASSES(order)                                                                             \
	{                                                                                          \
		[REMOVAL_UNKEPT] = CLASS("m.bytes", "m.checkpoint_bytes",                          \
			"t.id NOT IN " BEST(order) "AND t.id NOT IN " LAST "AND NOT " IS_SPARED    \
						   "AND EXISTS (SELECT 1 FROM trial d WHERE "      \
						   "d.job = ?1 AND d.state = "                     \
						   "'done' AND d.source <> 'added') "),            \
		[REMOVAL_CHECKPOINTS] = CLASS("0", "m.checkpoint_bytes",                           \
			"m.checkpoint_bytes > 0 AND t.id NOT IN " BEST(                            \
				order) "AND NOT " IS_SPARED),                                      \
		[REMOVAL_ARTIFACTS] = CLASS("m.bytes", "0",                                        \
			"m.bytes > 0 AND t.id NOT IN " BEST(order) "AND NOT " IS_SPARED),          \
		[REMOVAL_SPARED] = CLASS("m.bytes", "m.checkpoint_bytes", IS_SPARED),              \
		[REMOVAL_EARLIER] = CLASS("m.bytes", "0",                                          \
			"m.bytes > 0 AND a.number < t.attempts AND t.id IN " BEST(order)),         \
		[REMOVAL_BEST_CHECKPOINTS] = CLASS("0", "m.checkpoint_bytes",                      \
			"m.checkpoint_bytes > 0 AND t.id IN " BEST(order)),                        \
	}

static bool is_maximized(struct store *store, int64_t job_id, bool *ret, struct tuner_error *err)
{
	struct query query;
	int64_t maximize = 0;

	query_open(&query, store,
		"SELECT o.goal = 'maximize' FROM job j JOIN objective_version o "
		"ON o.id = j.objective_version WHERE j.id = ?1");
	query_bind_int(&query, job_id);
	if (!query_scalar(&query, 0, &maximize, err))
		return false;
	*ret = maximize != 0;
	return true;
}

/* ["lost", "oom-host"] */
static void outcomes_json(unsigned outcomes, struct text *ret)
{
	const char *between = "";

	text_add(ret, "[");
	for (int o = 0; o < OUTCOMES; o++)
		if ((outcomes & 1u << o) != 0) {
			text_print(ret, "%s\"%s\"", between, outcome_name((enum outcome)o));
			between = ", ";
		}
	text_add(ret, "]");
}

bool removal_select(struct store *store, int64_t job_id, enum removal_class class,
	const struct keep_rule *rule, int64_t limit, struct manifest_list *ret,
	struct tuner_error *err)
{
	static const char *const least[] = CLASSES("ASC"), *const greatest[] = CLASSES("DESC");
	struct text spared = TEXT_EMPTY;
	struct query query;
	bool maximize;

	if (!is_maximized(store, job_id, &maximize, err))
		return false;
	outcomes_json(rule->spared, &spared);
	bool ok = !text_failed(&spared) || tuner_fail_memory(err);
	if (ok) {
		query_open(&query, store, maximize ? greatest[class] : least[class]);
		query_bind_int(&query, job_id);
		query_bind_int(&query, rule->best);
		query_bind_int(&query, rule->last);
		query_bind_text(&query, spared.bytes);
		query_bind_int(&query, limit);
		query_bind_text(&query, rule->front != NULL ? rule->front : "[]");
		ok = read_list(&query, ret, err);
	}
	text_finish(&spared);
	return ok;
}

static bool add_removal_event(struct store *store, int64_t job_id, const struct manifest *manifest,
	const char *why, int64_t now_us, int64_t *ret_event, struct tuner_error *err)
{
	struct text data = TEXT_EMPTY;

	text_print(&data,
		"{\"attempt\": %" PRId64 ", \"artifact_bytes\": %" PRId64
		", \"checkpoint_bytes\": %" PRId64 ", \"why\": ",
		manifest->attempt_number, manifest->bytes, manifest->checkpoint_bytes);
	text_add_json_string(&data, why);
	text_add_char(&data, '}');
	const bool ok = text_failed(&data)
				? tuner_fail_memory(err)
				: event_add(store, job_id, manifest->trial, manifest->attempt,
					  "removed", data.bytes, now_us, ret_event, err);
	text_finish(&data);
	return ok;
}

bool manifest_remove(struct store *store, int64_t job_id, const struct manifest *manifest,
	const char *why, int64_t now_us, struct tuner_error *err)
{
	struct query query;
	int64_t event;

	store_assert_writing(store);
	if (!add_removal_event(store, job_id, manifest, why, now_us, &event, err))
		return false;
	query_open(&query, store,
		"UPDATE manifest SET state = 'removing', removal = coalesce(?2, removal), "
		"bytes = CASE WHEN ?2 IS NULL THEN bytes ELSE 0 END, "
		"checkpoint_removal = coalesce(?3, checkpoint_removal), "
		"checkpoint_bytes = CASE WHEN ?3 IS NULL THEN checkpoint_bytes ELSE 0 END "
		"WHERE attempt = ?1");
	query_bind_int(&query, manifest->attempt);
	query_bind_int_or_null(&query, manifest->bytes > 0 ? event : 0, 0);
	query_bind_int_or_null(&query, manifest->checkpoint_bytes > 0 ? event : 0, 0);
	return query_run(&query, err);
}

bool manifest_removed(
	struct store *store, int64_t attempt_id, const char *message, struct tuner_error *err)
{
	struct query query;

	store_assert_writing(store);
	query_open(&query, store,
		"UPDATE manifest SET state = 'recorded', message = CASE ?2 WHEN '' THEN message "
		"ELSE "
		"?2 END WHERE attempt = ?1");
	query_bind_int(&query, attempt_id);
	query_bind_text(&query, message);
	return query_run(&query, err);
}
