/* A database that several machines can reach: on a network file system, or with a lease beside it. Internal.
 *
 *     who writes    has DATABASE.lease (lease.h), opens with exclusive locking and a rollback journal, and makes
 *                   DATABASE.copy (copy.h)
 *     who reads     opens the copy while somebody has the lease, else the database itself
 *     who asks      puts a file into DATABASE.requests (inbox.h)
 *
 * A WAL is not used: its index is memory that is shared by mmap, which no network file system keeps coherent. */
#ifndef TRIALS_SHARED_H
#define TRIALS_SHARED_H

#include "trials/sql.h"

/* Whether it is one. `network` as of location_check. */
TUNER_MUST_CHECK
bool shared_is(const char *file, const char *network, bool *ret, struct tuner_error *err);

/* Opens store->db with the lease in hand. */
TUNER_MUST_CHECK
bool shared_open_writer(struct store *store, struct tuner_error *err);

/* Brings it into this mode, from whichever it is in, and keeps all others out of it from now on. */
TUNER_MUST_CHECK
bool shared_enter(struct store *store, struct tuner_error *err);

/* Opens store->db: the copy or the database itself. */
TUNER_MUST_CHECK
bool shared_open_reader(struct store *store, struct tuner_error *err);

#endif
