/* A copy of a database while it is open. Internal. */
#ifndef TRIALS_VACUUM_H
#define TRIALS_VACUUM_H

#include "base/error.h"

#include <sqlite3.h>

/* Writes all of the database (`path` is its name for messages) to the file `to`, with mode 0600, in the place
 * of what is there, and to the disk. Outside of a transaction. A failure leaves a part of it behind. */
TUNER_MUST_CHECK
bool vacuum_into(sqlite3 *db, const char *path, const char *to, struct tuner_error *err);

/* Waits until a file, or with O_DIRECTORY a directory, is on the disk. */
TUNER_MUST_CHECK
bool vacuum_sync(const char *path, int flags, struct tuner_error *err);

#endif
