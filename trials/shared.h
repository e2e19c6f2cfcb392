/* Databases that several machines can reach: on a network file system, or with a lease beside the
 * file. Internal.
 *
 *     writer     has DATABASE.lease (lease.h), opens with exclusive locking and a rollback
 *                journal, and makes DATABASE.copy (copy.h)
 *     readers    open the copy while the lease has an owner, otherwise the database itself
 *     askers     put a file into DATABASE.requests (inbox.h)
 *
 * There is no WAL: its index is memory shared by mmap, which no network file system keeps
 * coherent. */
#ifndef TRIALS_SHARED_H
#define TRIALS_SHARED_H

#include "trials/sql.h"

/* Sets *ret to true if `file` is such a database. `network` is from location_check. */
TUNER_MUST_CHECK
bool shared_is(const char *file, const char *network, bool *ret, struct tuner_error *err);

/* Opens store->db for writing; store->lease must be held. */
TUNER_MUST_CHECK
bool shared_open_writer(struct store *store, struct tuner_error *err);

/* Switches the database to exclusive locking and a rollback journal, whatever its mode was, and
 * keeps all other processes out from now on. */
TUNER_MUST_CHECK
bool shared_enter(struct store *store, struct tuner_error *err);

/* Opens store->db for reading: the copy or the database itself. */
TUNER_MUST_CHECK
bool shared_open_reader(struct store *store, struct tuner_error *err);

#endif
