/* Creates a database, and migrates an older one. Internal: a separate header so that a test can use
 * a schema that does not exist yet.
 *
 * To change the schema: put the new state into schema.sql, the migration as a new last row into
 * schema_steps (migrate.c), raise STORE_SCHEMA_VERSION by 1, and test that a migrated file equals a
 * fresh one. Steps of released versions are never edited. */
#ifndef TRIALS_MIGRATE_H
#define TRIALS_MIGRATE_H

#include "base/error.h"

#include <sqlite3.h>
#include <stdint.h>

struct schema_step {
	int64_t version; /* the version that this step leads to; 0 ends the list */
	const char *sql;
};

struct schema {
	int64_t version;
	const char *sql; /* creates this version in an empty file */
	const struct schema_step *steps;
};

extern const struct schema schema_current;

/* Creates the schema in an empty database, completely or not at all. */
TUNER_MUST_CHECK
bool schema_create(
	sqlite3 *db, const char *path, const struct schema *schema, struct tuner_error *err);

/* Writes `path`.v<from>.bak (an older one of this name is replaced), then applies the steps after
 * version `from`, in one transaction that checks the foreign keys before it commits: on failure the
 * file is as it was, the backup stays, and the message says which step failed. */
TUNER_MUST_CHECK
bool schema_migrate(sqlite3 *db, const char *path, int64_t from, const struct schema *schema,
	struct tuner_error *err);

#endif
