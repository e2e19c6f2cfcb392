#include "trials/sql.h"

#include "base/array.h"
#include "base/hash.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- errors ---- */

/* The errno for which SQLite could not use the WAL or the file; 0: unknown. */
static int errno_of(sqlite3 *db)
{
	sqlite3_file *wal = NULL;
	int error = 0;

	if (sqlite3_file_control(db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &wal) == SQLITE_OK &&
		wal && wal->pMethods)
		wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &error);
	if (error == 0)
		sqlite3_file_control(db, NULL, SQLITE_FCNTL_LAST_ERRNO, &error);
	return error != 0 ? error : sqlite3_system_errno(db);
}

static bool is_out_of_descriptors(int error)
{
	return error == EMFILE || error == ENFILE;
}

static bool fail_io(sqlite3 *db, const char *path, int status, struct tuner_error *err)
{
	const int error = db ? errno_of(db) : 0;

	if (error == EFBIG)
		return tuner_fail(err, TUNER_FATAL,
			"%s: a file may grow no further (%s): raise the limit of this process "
			"(ulimit -f), "
			"or that of the file system, and run again; what was committed is safe",
			path, strerror(error));
	/* The -shm file could not grow: SQLite does not say why. */
	if (status == SQLITE_IOERR_SHMSIZE || error == ENOSPC || error == EDQUOT)
		return sql_fail(db, path, SQLITE_FULL, err);
	return tuner_fail(err, TUNER_FATAL,
		"%s: its disk does not work (%s%s%s); what was committed is safe: repair it, and "
		"run again",
		path, db ? sqlite3_errmsg(db) : sqlite3_errstr(status), error != 0 ? ": " : "",
		error != 0 ? strerror(error) : "");
}

int sql_open_immutable(const char *name, sqlite3 **ret)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				   "-._~/";
	char *uri = malloc(strlen("file:?immutable=1") + 3 * strlen(name) + 1);

	*ret = NULL;
	if (!uri)
		return SQLITE_NOMEM;
	char *end = stpcpy(uri, "file:");

	for (const char *at = name; *at != '\0'; at++)
		end += strchr(safe, *at) ? sprintf(end, "%c", *at)
					 : sprintf(end, "%%%02x", (unsigned char)*at);
	strcpy(end, "?immutable=1");
	const int status = sqlite3_open_v2(
		uri, ret, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);

	free(uri);
	return status;
}

/* SQLite refuses a path that, made absolute and with "-journal" appended, is longer than its file
 * system layer allows. */
static size_t longest_path(void)
{
	return (size_t)sqlite3_vfs_find(NULL)->mxPathname - strlen("-journal");
}

static bool is_too_long(const char *path)
{
	char *const absolute = realpath(path, NULL);
	const bool is = absolute ? strlen(absolute) > longest_path() : errno == ENAMETOOLONG;

	free(absolute);
	return is;
}

bool sql_fail(sqlite3 *db, const char *path, int status, struct tuner_error *err)
{
	const char *const text = db ? sqlite3_errmsg(db) : sqlite3_errstr(status);

	switch (status & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return tuner_fail(err, TUNER_RETRY,
			"%s: another process is writing to it (%s): `fuser %s` names it; when it "
			"has "
			"ended, try again",
			path, text, path);
	case SQLITE_NOMEM:
		return tuner_fail_memory(err);
	case SQLITE_FULL:
		return tuner_fail(err, TUNER_FATAL,
			"%s: no space left on its disk; free some, and run again: what was "
			"committed is safe",
			path);
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		if (db && is_out_of_descriptors(sqlite3_system_errno(db)))
			return tuner_fail(err, TUNER_FATAL,
				"%s cannot be opened: this process may have no more files open; "
				"raise the limit (ulimit -n), and run again",
				path);
		if (access(path, R_OK) != 0)
			return tuner_fail(err, TUNER_USAGE, "%s: this file cannot be read (%s)",
				path, strerror(errno));
		if (is_too_long(path))
			return tuner_fail(err, TUNER_USAGE,
				"name another place with --db: SQLite takes paths of %zu bytes at "
				"most, "
				"longer is that of %s",
				longest_path(), path);
		return tuner_fail(err, TUNER_USAGE,
			"%s: %s: the file and its directory must be writable", path, text);
	case SQLITE_NOTADB:
		return tuner_fail(err, TUNER_USAGE,
			"%s: this is not a database of tuner" STORE_NAME_ANOTHER, path);
	case SQLITE_CORRUPT:
		return tuner_fail(err, TUNER_FATAL,
			"%s: the database is damaged (%s); copy it away before anything else", path,
			text);
	case SQLITE_IOERR:
		return fail_io(db, path, status, err);
	default:
		return tuner_fail(err, TUNER_FATAL, "%s: %s", path, text);
	}
}

bool sql_execute(sqlite3 *db, const char *path, const char *text, struct tuner_error *err)
{
	const int status = sqlite3_exec(db, text, NULL, NULL, NULL);

	return status == SQLITE_OK || sql_fail(db, path, status, err);
}

void store_assert_writing(const struct store *store)
{
	tuner_assert(store->mode == STORE_WRITE && store->in_transaction);
}

/* ---- kept statements ---- */

/* The slot of this text, or the free slot for it. */
static struct statement *statement_find(struct store *store, const char *text)
{
	for (size_t i = hash_string(text);; i++) {
		struct statement *const slot = &store->statements[i % STATEMENT_SLOTS];

		if (!slot->handle || strcmp(sqlite3_sql(slot->handle), text) == 0)
			return slot;
	}
}

void statements_finish(struct store *store)
{
	for (size_t i = 0; i < STATEMENT_SLOTS; i++)
		sqlite3_finalize(store->statements[i].handle);
	memset(store->statements, 0, sizeof store->statements);
	store->n_statements = 0;
}

/* ---- queries ---- */

void query_open(struct query *query, struct store *store, const char *text)
{
	struct statement *const slot = statement_find(store, text);

	*query = (struct query){ .store = store };
	if (slot->handle && !slot->busy) {
		query->kept = slot;
		query->handle = slot->handle;
		slot->busy = true;
		return;
	}
	const bool keep = !slot->handle && store->n_statements < STATEMENTS_MAX;

	query->status = sqlite3_prepare_v3(
		store->db, text, -1, keep ? SQLITE_PREPARE_PERSISTENT : 0, &query->handle, NULL);
	if (query->status == SQLITE_OK && keep) {
		*slot = (struct statement){ .handle = query->handle, .busy = true };
		store->n_statements++;
		query->kept = slot;
	}
}

static void note(struct query *query, int status)
{
	if (query->status == SQLITE_OK)
		query->status = status;
}

void query_bind_int(struct query *query, int64_t value)
{
	query->bound++;
	if (query->status == SQLITE_OK)
		note(query, sqlite3_bind_int64(query->handle, query->bound, value));
}

void query_bind_int_or_null(struct query *query, int64_t value, int64_t null)
{
	query->bound++; /* an unbound value is NULL */
	if (query->status == SQLITE_OK && value != null)
		note(query, sqlite3_bind_int64(query->handle, query->bound, value));
}

void query_bind_double(struct query *query, double value)
{
	query->bound++; /* SQLite binds a NaN as NULL */
	if (query->status == SQLITE_OK)
		note(query, sqlite3_bind_double(query->handle, query->bound, value + 0.0));
}

void query_bind_text(struct query *query, const char *value)
{
	query->bound++;
	if (query->status == SQLITE_OK && value)
		note(query, sqlite3_bind_text64(query->handle, query->bound, value, strlen(value),
				    SQLITE_STATIC, SQLITE_UTF8));
}

void query_bind_blob(struct query *query, const void *bytes, size_t length)
{
	query->bound++;
	if (query->status == SQLITE_OK && bytes)
		note(query, sqlite3_bind_blob64(
				    query->handle, query->bound, bytes, length, SQLITE_STATIC));
}

bool query_row(struct query *query, bool *ret_found, struct tuner_error *err)
{
	if (query->status == SQLITE_OK) {
		tuner_assert(query->bound == sqlite3_bind_parameter_count(query->handle));
		const int status = sqlite3_step(query->handle);

		if (status != SQLITE_ROW && status != SQLITE_DONE)
			note(query, status);
		*ret_found = status == SQLITE_ROW;
		query->column = 0;
	}
	if (query->status != SQLITE_OK)
		return sql_fail(query->store->db, query->store->path, query->status, err);
	return true;
}

int64_t query_int(struct query *query)
{
	return sqlite3_column_int64(query->handle, query->column++);
}

bool query_is_null(const struct query *query)
{
	return sqlite3_column_type(query->handle, query->column) == SQLITE_NULL;
}

int64_t query_int_or(struct query *query, int64_t null)
{
	if (!query_is_null(query))
		return query_int(query);
	query->column++;
	return null;
}

double query_double(struct query *query)
{
	const bool null = query_is_null(query);
	const double value = sqlite3_column_double(query->handle, query->column++);

	return null ? NAN : value;
}

const char *query_text(struct query *query)
{
	const char *const text = (const char *)sqlite3_column_text(query->handle, query->column++);

	return text ? text : "";
}

void query_text_into(struct query *query, char *ret, size_t size)
{
	const char *const text = query_text(query);
	const size_t length = strnlen(text, size - 1);

	memcpy(ret, text, length);
	ret[length] = '\0';
}

bool query_text_copy(struct query *query, char **ret)
{
	*ret = strdup(query_text(query));
	return *ret != NULL;
}

void query_close(struct query *query)
{
	if (query->kept) {
		sqlite3_reset(query->handle); /* returns the error that query_row reported */
		sqlite3_clear_bindings(query->handle);
		query->kept->busy = false;
	} else {
		sqlite3_finalize(query->handle);
	}
	*query = (struct query){ 0 };
}

bool query_run(struct query *query, struct tuner_error *err)
{
	bool found = false;
	const bool ok = query_row(query, &found, err);

	tuner_assert(!found);
	query_close(query);
	return ok;
}

bool query_insert(struct query *query, int64_t *ret_id, struct tuner_error *err)
{
	sqlite3 *const db = query->store->db;

	if (!query_run(query, err))
		return false;
	*ret_id = sqlite3_last_insert_rowid(db);
	return true;
}

bool query_scalar(struct query *query, int64_t missing, int64_t *ret, struct tuner_error *err)
{
	bool found = false;
	const bool ok = query_row(query, &found, err);

	if (ok)
		*ret = found ? query_int_or(query, missing) : missing;
	query_close(query);
	return ok;
}

bool array_grow(void **items, size_t *n, size_t *capacity, size_t size, struct tuner_error *err)
{
	if (!array_reserve(items, *n, capacity, size))
		return tuner_fail_memory(err);
	memset((char *)*items + *n * size, 0, size);
	(*n)++;
	return true;
}
