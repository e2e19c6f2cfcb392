/* The database file: opening, the lock, transactions, migrations.
 *
 * The database is the only source of truth, and one process writes it. Opening with STORE_WRITE
 * takes an exclusive lock on PATH.lock (a separate file, since closing any descriptor on the
 * database itself would drop SQLite's POSIX locks; for a symbolic link, beside its target) and
 * holds it until store_close. All other processes open with STORE_READ, or with STORE_REQUEST to
 * append rows to `request` (event.h), the only write by others. On a network file system the same
 * calls work differently: the lock is a lease, readers get a copy, requests are files (shared.h).
 *
 *     store_open -> [store_begin -> changes -> store_commit | store_rollback] ... -> store_close
 *
 * Every changing function of trials/ must be called between store_begin and store_commit; a failure
 * leaves the transaction open, and the caller rolls back. WAL, foreign keys on, STRICT tables,
 * application_id and user_version set. Not thread-safe: one thread, one store. */
#ifndef TRIALS_STORE_H
#define TRIALS_STORE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct store;

enum store_mode {
	STORE_READ, /* must exist; never changes its content */
	STORE_REQUEST, /* must exist; request_add only */
	STORE_WRITE, /* created with mode 0600 if missing; takes the lock; migrates an older file
			forward in one transaction, after writing PATH.v<old>.bak */
};

enum { STORE_SCHEMA_VERSION = 10, STORE_APPLICATION_ID = 0x74756e72 /* "tunr" */ };

/* Errors: TUNER_RETRY if STORE_WRITE finds the lock taken (the message names the holder's pid, on a
 * network file system also its host, and says what to do); TUNER_USAGE for a missing file, a file
 * that is not ours, a directory that cannot be written, STORE_WRITE/STORE_REQUEST on a newer schema
 * (such a file opens with STORE_READ), or STORE_READ/STORE_REQUEST on an older one (STORE_WRITE
 * migrates it). */
TUNER_MUST_CHECK
bool store_open(
	const char *path, enum store_mode mode, struct store **ret, struct tuner_error *err);

/* With STORE_READ a database that is not that of --db, but named by `by`, an option or a key, for
 * messages: where store_open proposes another --db, this one proposes another of these. */
TUNER_MUST_CHECK
bool store_open_other(
	const char *path, const char *by, struct store **ret, struct tuner_error *err);

/* Closes; with STORE_WRITE it checkpoints first, so that no -wal file stays behind, and releases the
 * lock. NULL is fine. An open transaction is rolled back. */
void store_close(struct store *store);

const char *store_path(const struct store *store); /* as given */
/* The same, absolute, with all links followed. */
const char *store_file(const struct store *store);
/* PATH.d, where attempt directories are: absolute, and beside the target if PATH is a symbolic
 * link. */
const char *store_directory(const struct store *store);

/* The same for a database that is not open, or does not exist yet. The caller frees *ret. */
TUNER_MUST_CHECK
bool store_directory_of(const char *path, char **ret, struct tuner_error *err);

/* True if the database is on a network file system, or used from one. */
bool store_is_shared(const struct store *store);

/* The time (microseconds, wall clock) of the state that we read, if we read a copy because another
 * process writes the database; 0: we read the database itself. */
int64_t store_copied_us(const struct store *store);

/* For long-lived readers: reopens the copy if there is a newer one, or switches to the database
 * itself when its writer has gone, or to the copy when a writer has come. Call it outside of
 * queries. Does nothing for a local database. */
TUNER_MUST_CHECK
bool store_follow(struct store *store, struct tuner_error *err);

/* Takes a database on a network file system away from a process that cannot be proven dead, on the
 * caller's word. If the process lives, it finds out before its next commit and ends. *ret_taken
 * false: no process had the database. TUNER_USAGE: that process lives on this machine. */
TUNER_MUST_CHECK
bool store_take_over(const char *path, bool *ret_taken, struct tuner_error *err);

/* The process that holds PATH.lock, or the lease: *ret_pid is 0 if there is none, -1 if its pid
 * cannot be read or belongs to another machine. */
TUNER_MUST_CHECK
bool store_holder(const char *path, int64_t *ret_pid, struct tuner_error *err);

/* While another process writes (a VACUUM, a database editor), calls that must wait for it wait up
 * to a minute instead of 5 s, except while `is_hurried` returns true. NULL: 5 s again. */
void store_be_patient(struct store *store, bool (*is_hurried)(void *context), void *context);

enum store_durability {
	STORE_DURABLE, /* fsync before store_commit returns: intents, outcomes, decisions */
	STORE_LAZY, /* written, survives a kill; a power cut may lose it: metric rows, progress. On
		       a network file system as durable as STORE_DURABLE: a journal without fsync
		       would not be safe */
};

TUNER_MUST_CHECK
bool store_begin(struct store *store, enum store_durability durability, struct tuner_error *err);
TUNER_MUST_CHECK
bool store_commit(struct store *store, struct tuner_error *err);
void store_rollback(struct store *store);

/* Checks that the open file, and its log PATH-wal, still have their names. If not, all later
 * commits would be lost with this process: then everything is written to PATH.rescued (or .rescued2
 * ...), and the error, TUNER_FATAL, says so. A removed lock file is created anew; TUNER_FATAL if
 * another process was faster. On a network file system also renews the lease, and checks that it is
 * still ours (TUNER_FATAL). Call outside of a transaction. */
TUNER_MUST_CHECK
bool store_check_place(struct store *store, struct tuner_error *err);

/* Keeps the WAL below 64 MiB whatever readers do: checkpoints passively past 4 MiB, and with
 * TRUNCATE past 32 MiB, which waits for the readers of an older state up to 80 ms, past 48 MiB up
 * to 2 s. Call between transactions.
 *
 * Only a reader that never ends its transaction can defeat every checkpoint. Past 64 MiB the call
 * then fails with TUNER_RETRY, once per further 4 MiB, and says so; nothing is lost, and the caller
 * continues after a warning.
 *
 * On a network file system there is no WAL; the call makes the copy for readers when it is due.
 * TUNER_RETRY then says that the copy could not be made, or takes long. */
TUNER_MUST_CHECK
bool store_checkpoint(struct store *store, struct tuner_error *err);

#endif
