/* Versions of the space and of the objective (job.h). */
#include "trials/job.h"
#include "trials/sql.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- the space ---- */

static bool insert_parameter(struct store *store, int64_t version, size_t position,
	const struct parameter_row *parameter, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store,
		"INSERT INTO parameter (space_version, position, name, kind, distribution, labels) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
	query_bind_int(&query, version);
	query_bind_int(&query, (int64_t)position);
	query_bind_text(&query, parameter->name);
	query_bind_text(&query, parameter->kind);
	query_bind_text(&query, parameter->distribution);
	query_bind_text(&query, parameter->labels);
	return query_run(&query, err) || tuner_fail_in(err, "parameter %s: ", parameter->name);
}

bool job_add_space_version(struct store *store, int64_t id, const char *definition,
	const struct parameter_row *parameters, size_t n, int64_t now_us, int64_t *ret_version,
	struct tuner_error *err)
{
	struct query query;
	int64_t version = 0;

	store_assert_writing(store);
	query_open(&query, store,
		"INSERT INTO space_version (job, version, definition, created_us) "
		"SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3 FROM space_version WHERE job = "
		"?1");
	query_bind_int(&query, id);
	query_bind_text(&query, definition);
	query_bind_int(&query, now_us);
	if (!query_insert(&query, &version, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!insert_parameter(store, version, i, &parameters[i], err))
			return false;
	query_open(&query, store, "UPDATE job SET space_version = ?1 WHERE id = ?2");
	query_bind_int(&query, version);
	query_bind_int(&query, id);
	if (!query_run(&query, err))
		return false;
	*ret_version = version;
	return true;
}

void parameter_list_finish(struct parameter_list *list)
{
	free(list->items);
	free(list->memory);
	*list = (struct parameter_list){ 0 };
}

/* Reads the strings of all rows, concatenated in the order name, kind, distribution, labels; an
 * absent one is empty. */
static bool read_parameters(struct query *query, struct parameter_list *list, struct text *strings,
	struct tuner_error *err)
{
	size_t capacity = 0;
	bool found = false, ok = true;

	while (ok && (ok = query_row(query, &found, err)) && found) {
		ok = array_grow(
			(void **)&list->items, &list->n, &capacity, sizeof *list->items, err);
		for (unsigned i = 0; ok && i < 4; i++) {
			text_add(strings, query_text(query));
			text_add_char(strings, '\0');
		}
	}
	return ok;
}

static const char *next_string(const char **at)
{
	const char *const string = *at;

	*at += strlen(string) + 1;
	return string;
}

static void point_into(struct parameter_list *list)
{
	const char *at = list->memory;

	for (size_t i = 0; i < list->n; i++) {
		struct parameter_row *const row = &list->items[i];

		row->name = next_string(&at);
		row->kind = next_string(&at);
		row->distribution = next_string(&at);
		row->labels = next_string(&at);
		if (row->labels[0] == '\0')
			row->labels = NULL;
	}
}

static bool load_parameters(
	struct store *store, int64_t version, struct parameter_list *ret, struct tuner_error *err)
{
	struct parameter_list list = { 0 };
	struct text strings = TEXT_EMPTY;
	struct query query;

	query_open(&query, store,
		"SELECT name, kind, distribution, labels FROM parameter WHERE space_version = ?1 "
		"ORDER BY position");
	query_bind_int(&query, version);
	bool ok = read_parameters(&query, &list, &strings, err);

	query_close(&query);
	if (ok && list.n > 0) {
		list.memory = text_take(&strings);
		ok = list.memory || tuner_fail_memory(err);
	}
	text_finish(&strings);
	if (!ok) {
		parameter_list_finish(&list);
		return false;
	}
	point_into(&list);
	*ret = list;
	return true;
}

bool job_space_version(struct store *store, int64_t version, char **ret_definition,
	struct parameter_list *ret_parameters, struct tuner_error *err)
{
	struct query query;
	char *definition = NULL;
	bool found = false;

	query_open(&query, store, "SELECT definition FROM space_version WHERE id = ?1");
	query_bind_int(&query, version);
	bool ok = query_row(&query, &found, err);

	if (ok && !found)
		ok = tuner_fail(err, TUNER_FATAL, "there is no space version %" PRId64, version);
	if (ok && !query_text_copy(&query, &definition))
		ok = tuner_fail_memory(err);
	query_close(&query);
	if (!ok || !load_parameters(store, version, ret_parameters, err)) {
		free(definition);
		return false;
	}
	*ret_definition = definition;
	return true;
}

/* ---- the objective ---- */

bool job_objective(struct store *store, int64_t version, char **ret_metric, bool *ret_maximize,
	char **ret_definition, struct tuner_error *err)
{
	struct query query;
	char *metric = NULL, *definition = NULL;
	bool found = false;

	query_open(&query, store,
		"SELECT metric, definition, goal = 'maximize' FROM objective_version WHERE id = "
		"?1");
	query_bind_int(&query, version);
	bool ok = query_row(&query, &found, err);

	if (ok && !found)
		ok = tuner_fail(
			err, TUNER_FATAL, "there is no objective version %" PRId64, version);
	if (ok && (!query_text_copy(&query, &metric) || !query_text_copy(&query, &definition)))
		ok = tuner_fail_memory(err);
	if (ok) {
		*ret_maximize = query_int(&query) != 0;
		*ret_metric = metric;
		*ret_definition = definition;
	} else {
		free(metric);
		free(definition);
	}
	query_close(&query);
	return ok;
}
