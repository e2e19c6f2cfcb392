#include "trials/migrate.h"

#include "base/file.h"
#include "trials/sql.h"
#include "trials/vacuum.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char schema_sql[] =
#include "schema.inc" /* schema.sql as string literals, made by the build */
	;

/* Provenance of runs and attempts: code and data. */
static const char step_2[] =
#include "step_2.inc"
	;

/* Manifests of the files of ended attempts. */
static const char step_3[] =
#include "step_3.inc"
	;

/* Two indexes. */
static const char step_4[] =
#include "step_4.inc"
	;

/* Views of learning curves. */
static const char step_5[] =
#include "step_5.inc"
	;

/* Renames a column. */
static const char step_6[] =
#include "step_6.inc"
	;

/* Trials' best values. */
static const char step_7[] =
#include "step_7.inc"
	;

/* How trials kept limits. */
static const char step_8[] =
#include "step_8.inc"
	;

/* Further objectives. */
static const char step_9[] =
#include "step_9.inc"
	;

/* What related jobs have found. */
static const char step_10[] =
#include "step_10.inc"
	;

/* Forward only, in order. */
static const struct schema_step schema_steps[] = {
	{ 2, step_2 },
	{ 3, step_3 },
	{ 4, step_4 },
	{ 5, step_5 },
	{ 6, step_6 },
	{ 7, step_7 },
	{ 8, step_8 },
	{ 9, step_9 },
	{ 10, step_10 },
	{ 0, NULL },
};

const struct schema schema_current = { STORE_SCHEMA_VERSION, schema_sql, schema_steps };

static bool set_version(sqlite3 *db, const char *path, int64_t version, struct tuner_error *err)
{
	char text[64];

	snprintf(text, sizeof text, "PRAGMA user_version = %" PRId64, version);
	return sql_execute(db, path, text, err);
}

static void roll_back(sqlite3 *db)
{
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

bool schema_create(
	sqlite3 *db, const char *path, const struct schema *schema, struct tuner_error *err)
{
	char text[64];

	snprintf(text, sizeof text, "PRAGMA application_id = %d", STORE_APPLICATION_ID);
	if (sql_execute(db, path, "BEGIN IMMEDIATE", err) &&
		sql_execute(db, path, schema->sql, err) && sql_execute(db, path, text, err) &&
		set_version(db, path, schema->version, err) && sql_execute(db, path, "COMMIT", err))
		return true;
	roll_back(db);
	return tuner_fail_in(err, "making the tables: ");
}

/* ---- the backup ---- */

/* NULL without memory. */
static char *backup_name(const char *path, int64_t from, const char *end)
{
	char *name = NULL;

	return asprintf(&name, "%s.v%" PRId64 ".bak%s", path, from, end) < 0 ? NULL : name;
}

/* Writes a complete backup or none: under another name first. */
static bool write_backup(sqlite3 *db, const char *path, int64_t from, struct tuner_error *err)
{
	char *const final = backup_name(path, from, ""), *const draft =
								 backup_name(path, from, ".part");
	char *const directory = path_directory(path);
	bool ok = false;

	if (!directory || !final || !draft) {
		tuner_fail_memory(err);
		goto out;
	}
	if (!vacuum_into(db, path, draft, err))
		goto out;
	if (rename(draft, final) != 0) {
		tuner_fail_errno(err, errno, "%s: cannot be renamed", draft);
		goto out;
	}
	ok = vacuum_sync(directory, O_DIRECTORY, err);
out:
	if (!ok && draft)
		unlink(draft); /* a partial backup only takes up space */
	free(directory);
	free(final);
	free(draft);
	return ok;
}

/* ---- the steps ---- */

static bool check_foreign_keys(sqlite3 *db, const char *path, struct tuner_error *err)
{
	sqlite3_stmt *statement = NULL;
	bool ok = false;
	int status = sqlite3_prepare_v2(db, "PRAGMA foreign_key_check", -1, &statement, NULL);

	if (status == SQLITE_OK)
		status = sqlite3_step(statement);
	if (status == SQLITE_ROW)
		tuner_fail(err, TUNER_FATAL,
			"a row of %s refers to one that does not exist: go on from an older copy, "
			"or make it right by hand in a copy (sqlite3's PRAGMA foreign_key_check "
			"lists them)",
			(const char *)sqlite3_column_text(statement, 0));
	else if (status != SQLITE_DONE)
		sql_fail(db, path, status, err);
	else
		ok = true;
	sqlite3_finalize(statement);
	return ok;
}

static bool take_steps(sqlite3 *db, const char *path, int64_t from, const struct schema *schema,
	struct tuner_error *err)
{
	int64_t at = from;

	for (const struct schema_step *step = schema->steps; step->version > 0; step++) {
		if (step->version <= from)
			continue;
		tuner_assert(step->version == at + 1);
		if (!sql_execute(db, path, step->sql, err))
			return tuner_fail_in(err, "step to version %" PRId64 ": ", step->version);
		at = step->version;
	}
	tuner_assert(at == schema->version);
	return check_foreign_keys(db, path, err) && set_version(db, path, at, err);
}

bool schema_migrate(sqlite3 *db, const char *path, int64_t from, const struct schema *schema,
	struct tuner_error *err)
{
	bool ok = false;

	if (!write_backup(db, path, from, err))
		return tuner_fail_in(err, "backup before the migration: ");
	/* A step that rebuilds a table drops the old one, which must not delete the rows that refer
	 * to it. */
	if (!sql_execute(db, path, "PRAGMA foreign_keys = OFF", err))
		return false;
	ok = sql_execute(db, path, "BEGIN IMMEDIATE", err) &&
	     take_steps(db, path, from, schema, err) && sql_execute(db, path, "COMMIT", err);
	if (!ok) {
		roll_back(db);
		tuner_fail_in(err,
			"migration from version %" PRId64 " to %" PRId64
			" (the file is unchanged): ",
			from, schema->version);
	}
	sqlite3_exec(db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL);
	return ok;
}
