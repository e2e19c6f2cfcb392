/* Making a database, and bringing an older one forward. Internal: its own header so that a test can
 * play a schema that does not exist yet.
 *
 * A schema change is: the new state in schema.sql, the way there as a new last row of schema_steps
 * (migrate.c), STORE_SCHEMA_VERSION + 1, and a test that a migrated file equals a fresh one. Steps of
 * released versions are never edited. */
#ifndef TRIALS_MIGRATE_H
#define TRIALS_MIGRATE_H

#include "base/error.h"

#include <sqlite3.h>
#include <stdint.h>

struct schema_step {
	int64_t version; /* that it makes out of the one before; 0 ends the list */
	const char *sql;
};

struct schema {
	int64_t version;
	const char *sql; /* makes an empty file one of this version */
	const struct schema_step *steps;
};

extern const struct schema schema_current;

/* Fills an empty database: all of it, or nothing. */
TUNER_MUST_CHECK
bool schema_create(
	sqlite3 *db, const char *path, const struct schema *schema, struct tuner_error *err);

/* Writes `path`.v<from>.bak (an older one of this name is replaced), then takes the steps behind version
 * `from`, in one transaction that checks the foreign keys before it commits: on failure the file is as
 * it was, the backup stays, and the message says which step failed. */
TUNER_MUST_CHECK
bool schema_migrate(sqlite3 *db, const char *path, int64_t from, const struct schema *schema,
	struct tuner_error *err);

#endif
