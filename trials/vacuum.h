/* Copies a database while it is open. Internal. */
#ifndef TRIALS_VACUUM_H
#define TRIALS_VACUUM_H

#include "base/error.h"

#include <sqlite3.h>

/* Writes the whole database (`path` is its name for messages) to the file `to`, with mode 0600,
 * replacing an old file, and syncs it to the disk. Call outside of a transaction. A failure may
 * leave a partial file. */
TUNER_MUST_CHECK
bool vacuum_into(sqlite3 *db, const char *path, const char *to, struct tuner_error *err);

/* Syncs a file, or with O_DIRECTORY a directory, to the disk. */
TUNER_MUST_CHECK
bool vacuum_sync(const char *path, int flags, struct tuner_error *err);

#endif
