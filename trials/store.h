/* The database file: opening, the lock, transactions, migrations.
 *
 * The database is the truth, and one process writes it. Opening with STORE_WRITE takes an exclusive
 * lock on PATH.lock (a file of its own: closing any descriptor on the database itself would drop
 * SQLite's POSIX locks; of a symbolic link, beside its target) and holds it until store_close.
 * Everybody else opens with STORE_READ, or with STORE_REQUEST to append rows to `request` (event.h), the only foreign write.
 * On a network file system all of that is otherwise, behind the same calls: the lock is a lease, readers get a copy, requests
 * are files (shared.h).
 *
 *     store_open -> [store_begin -> changes -> store_commit | store_rollback] ... -> store_close
 *
 * Every changing function of this room must be called between store_begin and store_commit; a
 * failure leaves the transaction open and the caller rolls back. WAL, foreign keys on, STRICT
 * tables, application_id and user_version set. Not thread-safe: one thread, one store. */
#ifndef TRIALS_STORE_H
#define TRIALS_STORE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct store;

enum store_mode {
	STORE_READ, /* must exist; never changes a byte that matters */
	STORE_REQUEST, /* must exist; request_add only */
	STORE_WRITE, /* made with mode 0600 if missing; takes the lock; migrates an older file
			  forward in one transaction, after writing PATH.v<old>.bak */
};

enum { STORE_SCHEMA_VERSION = 6, STORE_APPLICATION_ID = 0x74756e72 /* "tunr" */ };

/* Errors: TUNER_RETRY when STORE_WRITE finds the lock taken (the message names the pid of the holder, on a
 * network file system also its host, and how to go on); TUNER_USAGE for a missing file, a file that is not ours, a
 * directory that cannot be written, STORE_WRITE/STORE_REQUEST on a newer schema (such a file opens with STORE_READ), or
 * STORE_READ/STORE_REQUEST on an older one (STORE_WRITE brings it forward). */
TUNER_MUST_CHECK
bool store_open(
	const char *path, enum store_mode mode, struct store **ret, struct tuner_error *err);

/* Closes; with STORE_WRITE it checkpoints first, so that no -wal file stays behind, and releases the
 * lock. NULL is fine. An open transaction is rolled back. */
void store_close(struct store *store);

const char *store_path(const struct store *store); /* as given */
/* The same, absolute, where links lead. */
const char *store_file(const struct store *store);
/* PATH.d, where attempt directories live: absolute, and beside the target if PATH is a symbolic link. */
const char *store_directory(const struct store *store);

/* The same of a database that is not open, or not there yet. The caller frees it. */
TUNER_MUST_CHECK
bool store_directory_of(const char *path, char **ret, struct tuner_error *err);

/* Whether it is on a network file system, or used from one. */
bool store_is_shared(const struct store *store);

/* As of when the copy is that we read of a database that another process writes (microseconds, wall clock); 0: we read
 * the database itself. */
int64_t store_copied_us(const struct store *store);

/* For who reads and goes on to: opens the copy anew if there is a newer one, or the database itself when its writer has
 * gone, or the copy when one has come. Outside of a query. A local database needs none of that. */
TUNER_MUST_CHECK
bool store_follow(struct store *store, struct tuner_error *err);

/* Takes a database on a network file system away from a process that cannot be proven dead, on the word of who calls. If it
 * lives, it finds that out before its next commit and ends. *ret_taken false: nobody had it. TUNER_USAGE: that process
 * lives on this machine. */
TUNER_MUST_CHECK
bool store_take_over(const char *path, bool *ret_taken, struct tuner_error *err);

/* The process that holds PATH.lock, or the lease: *ret_pid is 0 if nobody does, -1 if its pid cannot be read or is of
 * another machine. */
TUNER_MUST_CHECK
bool store_holder(const char *path, int64_t *ret_pid, struct tuner_error *err);

/* While another process writes (a VACUUM, an editor of databases), each of our calls that must wait for it waits a minute
 * instead of 5 s, unless `is_hurried` says not to. NULL: 5 s again. */
void store_be_patient(struct store *store, bool (*is_hurried)(void *context), void *context);

enum store_durability {
	STORE_DURABLE, /* fsync before it returns: intents, outcomes, decisions */
	STORE_LAZY, /* written, survives a kill; a power cut may lose it: metric rows, progress. On a network file
		     * system as durable as the other: a journal that is not waited for would not be safe */
};

TUNER_MUST_CHECK
bool store_begin(struct store *store, enum store_durability durability, struct tuner_error *err);
TUNER_MUST_CHECK
bool store_commit(struct store *store, struct tuner_error *err);
void store_rollback(struct store *store);

/* Whether the open file is still the one that has the name. If not, whatever is committed would be gone with this
 * process: then everything is written to PATH.rescued (or .rescued2 ...), and the error, TUNER_FATAL, says so. So it is with the
 * log, PATH-wal. A lock
 * that somebody has removed is made anew, or, if another process was faster, TUNER_FATAL. On a network file system also whether the lease is still ours (TUNER_FATAL), and renews it. Outside of a transaction. */
TUNER_MUST_CHECK
bool store_check_place(struct store *store, struct tuner_error *err);

/* Keeps the WAL below 64 MiB whatever readers do: checkpoints passively past 4 MiB, with TRUNCATE
 * past 32 MiB, which waits for the readers of an older state: 80 ms, past 48 MiB up to 2 s. Call between transactions.
 *
 * One reader can defeat every checkpoint: the one that never ends its transaction. After 64 MiB this
 * fails with TUNER_RETRY, once per 4 MiB more, and says so; nothing is lost, and the caller goes on
 * after a warning.
 *
 * On a network file system there is no WAL; it makes the copy for readers when that is due. TUNER_RETRY then says that it could not
 * be made, or takes long. */
TUNER_MUST_CHECK
bool store_checkpoint(struct store *store, struct tuner_error *err);

#endif
