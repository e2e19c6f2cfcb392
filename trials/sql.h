/* How trials/ uses SQLite. Internal: outside trials/ only its tests include it.
 *
 * A query is one execution of a statement: values are bound in the order of its ?1, ?2, ..., columns
 * are read in the order of its select list.
 *
 *     struct query query;
 *     query_open(&query, store, "SELECT state, ended_us FROM trial WHERE id = ?1");
 *     query_bind_int(&query, id);
 *     if (!query_row(&query, &found, err)) ...
 *     if (found)
 *             state = query_int(&query), ...
 *     query_close(&query);
 *
 * Opening and binding never fail at the call: the first failure is kept, and query_row reports it.
 * Statements are compiled once and kept in the store by their text. Bound memory must live until
 * query_close. */
#ifndef TRIALS_SQL_H
#define TRIALS_SQL_H

#include "trials/copy.h"
#include "trials/store.h"

#include <sqlite3.h>
#include <stddef.h>
#include <sys/stat.h>

/* The end of messages about a file that is no database of ours (store_open_other). */
#define STORE_NAME_ANOTHER "; name another one with --db"

/* STATEMENT_SLOTS is a power of two. Beyond STATEMENTS_MAX a statement is compiled for one use. */
enum { STATEMENT_SLOTS = 256, STATEMENTS_MAX = 160 };

struct statement {
	sqlite3_stmt *handle;
	bool busy; /* in use by a query: a second query with the same text compiles its own */
};

struct store {
	sqlite3 *db;
	char *path, *file, *directory; /* as given; absolute, links followed; file + ".d" */
	enum store_mode mode;
	int lock_fd; /* -1: none */
	bool made_lock; /* the lock's file did not exist before */
	bool shared; /* on a network file system, or used from one: see shared.h */
	struct lease *lease; /* of a shared database that we write; NULL otherwise */
	struct copy copy; /* of a shared database, for readers */
	int64_t read_copy_us; /* time of the copy that we read; 0: we read the database itself */
	struct stat read_file; /* the file that we have open for reading */
	bool in_transaction;
	bool (*is_hurried)(void *context); /* NULL: always hurried */
	void *hurry_context;
	int64_t busy_since_us; /* since when another process has been writing */
	enum store_durability durability; /* the present setting of PRAGMA synchronous */
	int64_t wal_bytes; /* length of the WAL in use after our last commit */
	ino_t wal_inode; /* of the WAL's file; 0: not looked up yet */
	int64_t wal_next; /* beyond this length a passive checkpoint is tried */
	int64_t wal_next_truncation; /* beyond this length one that waits for the readers */
	struct statement statements[STATEMENT_SLOTS]; /* open addressing by the text's hash */
	size_t n_statements;
};

struct query {
	struct store *store;
	sqlite3_stmt *handle;
	struct statement *kept; /* NULL: finalized at the end */
	int bound, column;
	int status; /* the first failure, or SQLITE_OK */
};

void query_open(struct query *query, struct store *store, const char *text);
void query_bind_int(struct query *query, int64_t value);
void query_bind_int_or_null(struct query *query, int64_t value, int64_t null); /* `null` is bound as
										  NULL */
void query_bind_double(struct query *query, double value); /* NaN as NULL, -0.0 as 0.0 */
void query_bind_text(struct query *query, const char *value); /* NULL as NULL */
void query_bind_blob(struct query *query, const void *bytes, size_t length); /* NULL as NULL */

/* Steps to the next row. Columns are then read from the first on. */
TUNER_MUST_CHECK
bool query_row(struct query *query, bool *ret_found, struct tuner_error *err);

int64_t query_int(struct query *query);
int64_t query_int_or(struct query *query, int64_t null);
double query_double(struct query *query); /* NULL as NaN */
const char *query_text(struct query *query); /* until the next row; NULL as "" */
void query_text_into(struct query *query, char *ret, size_t size); /* cut if too long */
bool query_text_copy(struct query *query, char **ret); /* false: no memory */
bool query_is_null(const struct query *query); /* of the next column */

void query_close(struct query *query);

/* Runs a statement that gives no rows, and closes it. */
TUNER_MUST_CHECK
bool query_run(struct query *query, struct tuner_error *err);

/* Runs an insertion, and closes it; *ret_id is the rowid inserted. */
TUNER_MUST_CHECK
bool query_insert(struct query *query, int64_t *ret_id, struct tuner_error *err);

/* Runs a query for one integer, and closes it. *ret is `missing` for no row or NULL. */
TUNER_MUST_CHECK
bool query_scalar(struct query *query, int64_t missing, int64_t *ret, struct tuner_error *err);

/* Runs SQL text without bound values (several statements are allowed), not kept. */
TUNER_MUST_CHECK
bool sql_execute(sqlite3 *db, const char *path, const char *text, struct tuner_error *err);

/* Opens a file that no process changes meanwhile, without locks, read-only. `name` begins with "/"
 * or "./". Returns SQLite's status; *ret must be closed in any case. */
int sql_open_immutable(const char *name, sqlite3 **ret);

/* Turns SQLite's status into an error whose message names the file. Returns false. */
bool sql_fail(sqlite3 *db, const char *path, int status, struct tuner_error *err);

/* Finalizes every kept statement. */
void statements_finish(struct store *store);

/* Asserts that a transaction of ours is open; every changing function begins with this call. */
void store_assert_writing(const struct store *store);

/* Makes room for one more item in an array of `size`-byte items. The new item is zeroed. */
TUNER_MUST_CHECK
bool array_grow(void **items, size_t *n, size_t *capacity, size_t size, struct tuner_error *err);

#endif
