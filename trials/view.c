#include "trials/view.h"

#include "base/number.h"
#include "trials/sql.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void view_finish(struct view *view)
{
	for (size_t i = 0; view->memory != NULL && i < view->rows * view->columns; i++)
		free(view->memory[i]);
	for (size_t i = 0; view->names != NULL && i < view->columns; i++)
		free(view->names[i]);
	free(view->memory);
	free(view->names);
	free(view->cells);
	*view = (struct view){ 0 };
}

const struct view_cell *view_cell(const struct view *view, size_t row, size_t column)
{
	tuner_assert(row < view->rows && column < view->columns);
	return &view->cells[row * view->columns + column];
}

static bool read_names(sqlite3_stmt *statement, struct view *view)
{
	view->names = calloc(view->columns + 1, sizeof(*view->names));
	for (size_t i = 0; view->names != NULL && i < view->columns; i++)
		if ((view->names[i] = strdup(sqlite3_column_name(statement, (int)i))) == NULL)
			return false;
	return view->names != NULL;
}

/* Fills the cell; false without memory. */
static bool read_cell(sqlite3_stmt *statement, int column, struct view_cell *cell, char **memory)
{
	char number[NUMBER_TEXT];
	const char *text = "";
	const int type = sqlite3_column_type(statement, column);

	*cell = (struct view_cell){ .number = NAN };
	if (type == SQLITE_INTEGER) {
		snprintf(number, sizeof(number), "%lld",
			(long long)sqlite3_column_int64(statement, column));
		text = number;
	} else if (type == SQLITE_FLOAT) {
		text = number_from_double(sqlite3_column_double(statement, column), number);
	} else if (type != SQLITE_NULL) {
		text = (const char *)sqlite3_column_text(statement, column);
	}
	cell->is_number = type == SQLITE_INTEGER || type == SQLITE_FLOAT;
	if (cell->is_number)
		cell->number = sqlite3_column_double(statement, column);
	*memory = text != NULL ? strdup(text) : NULL;
	cell->text = *memory;
	return *memory != NULL;
}

static bool grow(struct view *view, size_t *capacity, struct tuner_error *err)
{
	const size_t needed = (view->rows + 1) * view->columns;

	if (needed <= *capacity)
		return true;
	if (needed > VIEW_CELLS_MAX)
		return tuner_fail(err, TUNER_FATAL, "a query for a report gives more than %d cells",
			(int)VIEW_CELLS_MAX);
	const size_t larger = needed > 2 * *capacity ? needed : 2 * *capacity;
	struct view_cell *cells = realloc(view->cells, larger * sizeof(*cells));
	if (cells != NULL)
		view->cells = cells;
	char **memory = realloc(view->memory, larger * sizeof(*memory));
	if (memory != NULL)
		view->memory = memory;
	if (cells == NULL || memory == NULL)
		return tuner_fail_memory(err);
	*capacity = larger;
	return true;
}

static bool read_row(
	sqlite3_stmt *statement, struct view *view, size_t *capacity, struct tuner_error *err)
{
	if (!grow(view, capacity, err))
		return false;
	const size_t first = view->rows * view->columns;
	memset(view->memory + first, 0, view->columns * sizeof(*view->memory));
	view->rows++;
	for (size_t i = 0; i < view->columns; i++)
		if (!read_cell(
			    statement, (int)i, &view->cells[first + i], &view->memory[first + i]))
			return tuner_fail_memory(err);
	return true;
}

bool view_read(struct store *store, const char *query, struct view *ret, struct tuner_error *err)
{
	sqlite3_stmt *statement = NULL;
	size_t capacity = 0;
	bool ok = false;
	int status;

	*ret = (struct view){ 0 };
	status = sqlite3_prepare_v2(store->db, query, -1, &statement, NULL);
	if (status != SQLITE_OK) {
		sql_fail(store->db, store->path, status, err);
		goto out;
	}
	ret->columns = statement != NULL ? (size_t)sqlite3_column_count(statement) : 0;
	if (statement == NULL || !sqlite3_stmt_readonly(statement) || ret->columns == 0 ||
		ret->columns > VIEW_COLUMNS_MAX) {
		ret->columns = 0;
		tuner_fail(err, TUNER_FATAL, "not a query that reads: %.100s", query);
		goto out;
	}
	if (!read_names(statement, ret)) {
		tuner_fail_memory(err);
		goto out;
	}
	while ((status = sqlite3_step(statement)) == SQLITE_ROW)
		if (!read_row(statement, ret, &capacity, err))
			goto out;
	ok = status == SQLITE_DONE || sql_fail(store->db, store->path, status, err);
out:
	sqlite3_finalize(statement);
	if (!ok)
		view_finish(ret);
	return ok;
}

bool view_number(struct store *store, const char *query, double *ret, struct tuner_error *err)
{
	struct view view;

	if (!view_read(store, query, &view, err))
		return false;
	*ret = view.rows > 0 ? view.cells[0].number : NAN;
	view_finish(&view);
	return true;
}

/* query_only forbids temporary tables, too. They are in memory: no directory needs to be writable. */
bool view_hold(struct store *store, const char *name, struct tuner_error *err)
{
	const bool reads = store->mode == STORE_READ;
	char text[200];

	snprintf(text, sizeof(text), "CREATE TEMP TABLE %s AS SELECT * FROM main.%s", name, name);
	const bool ok = sql_execute(store->db, store->path,
				reads ? "PRAGMA temp_store = MEMORY; PRAGMA query_only = OFF"
				      : "PRAGMA temp_store = MEMORY",
				err) &&
			sql_execute(store->db, store->path, text, err);

	if (!reads)
		return ok;
	struct tuner_error ignored = { TUNER_OK, "" };

	return sql_execute(store->db, store->path, "PRAGMA query_only = ON", ok ? err : &ignored) &&
	       ok;
}
