#include "trials/store.h"

#include "base/clock.h"
#include "trials/lease.h"
#include "trials/location.h"
#include "trials/lock.h"
#include "trials/migrate.h"
#include "trials/open.h"
#include "trials/shared.h"
#include "trials/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MIB = 1 << 20,
	WAL_PASSIVE = 4 * MIB, /* checkpoint without waiting for readers */
	WAL_FORGOTTEN = 16 * MIB, /* a commit checkpoints: the caller does not call
				     store_checkpoint */
	WAL_TRUNCATE = 32 * MIB, /* wait for the present readers, so that the log starts anew */
	WAL_URGENT = 48 * MIB, /* wait longer for them: the limit is near */
	WAL_MAX = 64 * MIB,

	BUSY_MS = 5000, /* for another process's request or checkpoint */
	BUSY_PATIENT_MS = 60000, /* for whatever else writes the file while a job runs */
	BUSY_SHORT_MS = 1, /* between two tries, at first */
	BUSY_LONG_MS = 25,
	BUSY_SHORT_LOOKS = 20,
	BUSY_TRUNCATE_MS = 80, /* longer than most queries; trials wait meanwhile */
	BUSY_URGENT_MS = 2000, /* longer than any query of ours or of a dashboard */
};

/* ---- waiting for another process ---- */

/* SQLite asks whether to try again; looks is 0 the first time in a call. */
static int wait_for_writer(void *context, int looks)
{
	struct store *const store = context;
	const int64_t now_us = clock_monotonic_us();

	if (looks == 0)
		store->busy_since_us = now_us;
	const bool hurried = store->is_hurried == NULL || store->is_hurried(store->hurry_context);
	const int64_t most_ms = hurried ? BUSY_MS : BUSY_PATIENT_MS;

	if (now_us - store->busy_since_us >= most_ms * 1000)
		return 0;
	sqlite3_sleep(looks < BUSY_SHORT_LOOKS ? BUSY_SHORT_MS : BUSY_LONG_MS);
	return 1;
}

void store_be_patient(struct store *store, bool (*is_hurried)(void *context), void *context)
{
	store->is_hurried = is_hurried;
	store->hurry_context = context;
}

/* ---- opening ---- */

static void wal_starts_anew(struct store *store)
{
	store->wal_bytes = 0;
	store->wal_next = WAL_PASSIVE;
	store->wal_next_truncation = WAL_TRUNCATE;
}

/* Records the length of the WAL, which shrinks only by starting anew. */
static int after_commit(void *context, sqlite3 *db, const char *name, int pages)
{
	struct store *const store = context;
	const int64_t bytes = (int64_t)pages * 4096;

	if (bytes < store->wal_bytes)
		wal_starts_anew(store);
	store->wal_bytes = bytes;
	return SQLITE_OK;
}

/* We create the file, so that no other user can read it; SQLite gives its -wal and -shm the same
 * mode. */
static bool make_file(const char *path, struct tuner_error *err)
{
	const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno == EEXIST ||
	       tuner_fail(err, TUNER_USAGE, "%s: cannot be made: %s", path, strerror(errno));
}

static bool is_missing(const char *path)
{
	return access(path, F_OK) != 0 && errno == ENOENT;
}

/* SQLite's log, its shared memory and our lock belong to the name: a process that writes the file
 * by another name neither sees their content nor is kept out, and both damage the file. */
static bool check_only_name(const char *path, struct tuner_error *err)
{
	struct stat status;

	if (stat(path, &status) != 0 || status.st_nlink <= 1)
		return true;
	return tuner_fail(err, TUNER_USAGE,
		"%s has other names, too (hard links), by which it would be damaged: give it a "
		"file "
		"of its own, by sqlite3 %s \"VACUUM INTO 'own.db'\", and mv own.db %s",
		path, path, path);
}

/* A name that SQLite takes literally, not as ":memory:" or a URI, in which percent signs and the
 * like would have a meaning. */
static char *plain_name(const char *path)
{
	char *name = NULL;

	return asprintf(&name, "%s%s", path[0] == '/' ? "" : "./", path) < 0 ? NULL : name;
}

/* True if there are commits that have not reached the database yet: with immutable=1 SQLite would
 * ignore them. */
static bool has_wal(const struct store *store)
{
	struct stat status;
	char *wal = NULL;

	if (asprintf(&wal, "%s-wal", store->file) < 0)
		return true;
	const bool has = stat(wal, &status) == 0 && status.st_size > 0;

	free(wal);
	return has;
}

/* No -shm can be created here. */
static bool is_not_writable(int status)
{
	return (status & 0xff) == SQLITE_CANTOPEN || (status & 0xff) == SQLITE_READONLY;
}

/* For a file that was closed cleanly, in a directory where its -shm cannot be created: no process
 * can write it from here; only one elsewhere could change it. */
static bool open_immutable(struct store *store, const char *name, struct tuner_error *err)
{
	sqlite3_close(store->db);
	const int status = sql_open_immutable(name, &store->db);

	return status == SQLITE_OK || sql_fail(store->db, store->path, status, err);
}

/* Readers too open the file writable, so that the last one to close removes an empty -wal;
 * query_only prevents other writes. SQLite falls back to read-only by itself. */
static bool open_local(struct store *store, struct tuner_error *err)
{
	char *const name = plain_name(store->path);
	bool ok = false;

	if (!name)
		return tuner_fail_memory(err);
	int status = sqlite3_open_v2(name, &store->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);

	if (status == SQLITE_OK) {
		sqlite3_extended_result_codes(store->db, 1);
		sqlite3_busy_handler(store->db, wait_for_writer, store);
		status = sqlite3_exec(
			store->db, "SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL);
	}
	if (status == SQLITE_OK)
		ok = true;
	else if (is_not_writable(status) && store->mode == STORE_READ && !has_wal(store))
		ok = open_immutable(store, name, err);
	else
		sql_fail(store->db, store->path, status, err);
	free(name);
	return ok;
}

static bool open_file(struct store *store, struct tuner_error *err)
{
	if (!store->shared)
		return open_local(store, err);
	return store->mode == STORE_WRITE ? shared_open_writer(store, err)
					  : shared_open_reader(store, err);
}

static bool set_up(struct store *store, struct tuner_error *err)
{
	sqlite3 *const db = store->db;

	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* TRUSTED_SCHEMA stays on: without it SQLite 3.40 refuses json_valid in a CHECK, and we register
	 * no function that a foreign schema could misuse. */
	if (store->mode == STORE_READ || (store->shared && store->mode == STORE_REQUEST))
		return sql_execute(db, store->path, "PRAGMA query_only = ON", err);
	sqlite3_wal_hook(db, after_commit, store); /* replaces the automatic checkpoints */
	return sql_execute(db, store->path,
		"PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;"
		"PRAGMA cache_size = -8000; PRAGMA secure_delete = OFF",
		err);
}

struct identity {
	int64_t application, version, tables;
};

static bool identify(struct store *store, struct identity *ret, struct tuner_error *err)
{
	struct query query;

	query_open(&query, store, "PRAGMA application_id");
	if (!query_scalar(&query, 0, &ret->application, err))
		return false;
	query_open(&query, store, "PRAGMA user_version");
	if (!query_scalar(&query, 0, &ret->version, err))
		return false;
	query_open(&query, store, "SELECT count(*) FROM sqlite_schema");
	return query_scalar(&query, 0, &ret->tables, err);
}

/* A file without tables was left by a crash before they were created. */
static bool is_empty(const struct identity *identity)
{
	return identity->tables == 0 && identity->version == 0 &&
	       (identity->application == 0 || identity->application == STORE_APPLICATION_ID);
}

static bool check_identity(const struct store *store, const struct identity *identity,
	const struct schema *schema, struct tuner_error *err)
{
	const char *const path = store->path;

	if (is_empty(identity) && store->mode == STORE_WRITE)
		return true;
	if (is_empty(identity))
		return tuner_fail(err, TUNER_USAGE,
			"%s: this database is empty: \"tuner run FILE\" fills "
			"it" STORE_NAME_ANOTHER,
			path);
	if (identity->application != STORE_APPLICATION_ID || identity->version < 1)
		return tuner_fail(err, TUNER_USAGE,
			"%s: this is a database of another program, not of tuner; it was left "
			"alone" STORE_NAME_ANOTHER,
			path);
	if (identity->version > schema->version && store->mode != STORE_READ)
		return tuner_fail(err, TUNER_USAGE,
			"%s was written by a newer tuner (schema version %" PRId64
			", this one knows %" PRId64
			"): it can be read, but to change it use the newer program",
			path, identity->version, schema->version);
	if (identity->version < schema->version && store->mode != STORE_WRITE)
		return tuner_fail(err, TUNER_USAGE,
			"%s was written by an older tuner (schema version %lld, this one wants "
			"%lld): `tuner run JOB --db %s`, or `tuner ask-tell JOB --db %s "
			"</dev/null` of a job without a command, brings it forward, after a backup",
			path, (long long)identity->version, (long long)schema->version, path, path);
	return true;
}

static bool bring_up_to_date(
	struct store *store, const struct schema *schema, struct tuner_error *err)
{
	struct identity identity;

	if (!identify(store, &identity, err) || !check_identity(store, &identity, schema, err))
		return false;
	if (store->mode != STORE_WRITE)
		return true;
	if (store->shared ? !shared_enter(store, err)
			  : !sql_execute(store->db, store->path, "PRAGMA journal_mode = WAL", err))
		return false;
	if (is_empty(&identity))
		return schema_create(store->db, store->path, schema, err);
	return identity.version == schema->version ||
	       schema_migrate(store->db, store->path, identity.version, schema, err);
}

static bool make_names(struct store *store, const char *path, struct tuner_error *err)
{
	if (!location_resolve(path, &store->file, err))
		return false;
	store->path = strdup(path);
	if (!store->path || asprintf(&store->directory, "%s.d", store->file) < 0) {
		store->directory = NULL;
		return tuner_fail_memory(err);
	}
	return true;
}

/* Takes the right to write the database. */
static bool take(struct store *store, struct tuner_error *err)
{
	return store->shared ? lease_take(store->file, &store->lease, err)
			     : lock_take(store->file, &store->lock_fd, &store->made_lock, err);
}

/* A file that could not be opened may not be a database of ours, so nothing of ours is left beside
 * it. */
static void give_up(struct store *store)
{
	if (store->made_lock)
		lock_unlink(store->file, store->lock_fd);
	store_close(store);
}

bool store_open_schema(const char *path, enum store_mode mode, const struct schema *schema,
	struct store **ret, struct tuner_error *err)
{
	struct store *const store = calloc(1, sizeof *store);
	const char *network = NULL;
	bool ok = false;

	if (!store)
		return tuner_fail_memory(err);
	store->mode = mode;
	store->lock_fd = -1;
	wal_starts_anew(store);
	if (path[0] == '\0') {
		tuner_fail(err, TUNER_USAGE, "the database's name is empty");
		goto out;
	}
	if (!make_names(store, path, err) ||
		!location_check(path, mode == STORE_WRITE, &network, err) ||
		!shared_is(store->file, network, &store->shared, err))
		goto out;
	if (mode == STORE_WRITE && (!take(store, err) || !make_file(path, err)))
		goto out;
	if (mode != STORE_WRITE && is_missing(path)) {
		tuner_fail(err, TUNER_USAGE,
			"%s: there is no such database; \"tuner run FILE\" makes one, --db names "
			"another",
			path);
		goto out;
	}
	if (mode != STORE_READ && !check_only_name(path, err))
		goto out;
	if (!open_file(store, err) || !set_up(store, err) || !bring_up_to_date(store, schema, err))
		goto out;
	*ret = store;
	ok = true;
out:
	if (!ok)
		give_up(store);
	return ok;
}

bool store_open(const char *path, enum store_mode mode, struct store **ret, struct tuner_error *err)
{
	return store_open_schema(path, mode, &schema_current, ret, err);
}

bool store_open_other(const char *path, const char *by, struct store **ret, struct tuner_error *err)
{
	static const char advice[] = "; name another one with";

	if (path[0] != '\0' && is_missing(path))
		return tuner_fail(
			err, TUNER_USAGE, "%s: there is no such database%s %s", path, advice, by);
	if (store_open(path, STORE_READ, ret, err))
		return true;

	const struct tuner_error fault = *err;
	const char *found = strstr(fault.message, STORE_NAME_ANOTHER);

	return found != NULL && tuner_fail(err, fault.code, "%.*s%s %s",
					(int)(found - fault.message), fault.message, advice, by);
}

/* If copies were made, leaves the last state as a copy, for programs that were told to open it. */
static void leave_copy(struct store *store)
{
	struct tuner_error ignored;

	if (store->copy.next_us > 0 && lease_check(store->lease, &ignored) &&
		!copy_refresh(store, true, &ignored)) {
		/* Our own readers open the database itself from now on. */
	}
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (store->db) {
		store_rollback(store);
		if (store->lease)
			leave_copy(store);
		statements_finish(store);
		/* The last connection to close checkpoints and removes the -wal; a reader that
		 * remains should find it empty. */
		if (store->mode == STORE_WRITE && !store->shared) {
			sqlite3_busy_timeout(store->db, 0);
			sqlite3_wal_checkpoint_v2(
				store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
		}
		sqlite3_close(store->db);
	}
	lock_release(store->lock_fd);
	lease_release(store->lease); /* after the database is closed */
	free(store->path);
	free(store->file);
	free(store->directory);
	free(store);
}

const char *store_path(const struct store *store)
{
	return store->path;
}

const char *store_file(const struct store *store)
{
	return store->file;
}

const char *store_directory(const struct store *store)
{
	return store->directory;
}

bool store_directory_of(const char *path, char **ret, struct tuner_error *err)
{
	char *file = NULL;

	if (!location_resolve(path, &file, err))
		return false;
	const bool ok = asprintf(ret, "%s.d", file) >= 0 || tuner_fail_memory(err);

	free(file);
	return ok;
}

static bool find_holder(const char *file, int64_t *ret_pid, struct tuner_error *err)
{
	struct lease_owner owner;
	bool there = false;

	if (!lease_read(file, &there, &owner, err))
		return false;
	if (!there)
		return lock_holder(file, ret_pid, err);
	const enum lease_life life = lease_life(&owner);

	*ret_pid = life == LEASE_ALIVE ? owner.pid : life == LEASE_DEAD ? 0 : -1;
	return true;
}

bool store_holder(const char *path, int64_t *ret_pid, struct tuner_error *err)
{
	char *file = NULL;

	if (!location_resolve(path, &file, err))
		return false;
	const bool ok = find_holder(file, ret_pid, err);

	free(file);
	return ok;
}

bool store_take_over(const char *path, bool *ret_taken, struct tuner_error *err)
{
	char *file = NULL;

	if (!location_resolve(path, &file, err))
		return false;
	const bool ok = lease_revoke(file, ret_taken, err);

	free(file);
	return ok;
}

/* ---- transactions ---- */

/* PRAGMA synchronous works only between transactions. */
static bool set_durability(
	struct store *store, enum store_durability durability, struct tuner_error *err)
{
	if (store->durability == durability || store->shared)
		return true;
	if (!sql_execute(store->db, store->path,
		    durability == STORE_DURABLE ? "PRAGMA synchronous = FULL"
						: "PRAGMA synchronous = NORMAL",
		    err))
		return false;
	store->durability = durability;
	return true;
}

/* Checked before anything is written, since a large transaction spills pages before its commit. */
static bool is_ours(struct store *store, struct tuner_error *err)
{
	return store->lease == NULL || lease_check(store->lease, err);
}

bool store_begin(struct store *store, enum store_durability durability, struct tuner_error *err)
{
	struct query query;

	tuner_assert(store->mode == STORE_WRITE && !store->in_transaction);
	if (!set_durability(store, durability, err) || !is_ours(store, err))
		return false;
	query_open(&query, store, "BEGIN IMMEDIATE");
	if (!query_run(&query, err))
		return false;
	store->in_transaction = true;
	return true;
}

static void checkpoint_passively(struct store *store)
{
	/* After a failure the WAL stays longer, and a later call tries again. */
	sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	store->wal_next = store->wal_bytes + WAL_PASSIVE;
}

bool store_commit(struct store *store, struct tuner_error *err)
{
	struct query query;

	tuner_assert(store->in_transaction);
	if (!is_ours(store, err))
		return false;
	query_open(&query, store, "COMMIT");
	if (!query_run(&query, err))
		return false;
	store->in_transaction = false;
	if (store->wal_bytes > WAL_FORGOTTEN && store->wal_bytes > store->wal_next)
		checkpoint_passively(store);
	return true;
}

void store_rollback(struct store *store)
{
	if (!store->in_transaction)
		return;
	store->in_transaction = false;
	if (!sqlite3_get_autocommit(store->db)) /* after a full disk SQLite has rolled back by
						   itself */
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

/* Waits for the readers of an older state, while new ones read the database file itself, so readers
 * that overlap without end cannot prevent the WAL from starting anew. */
static bool checkpoint_truncating(struct store *store, struct tuner_error *err)
{
	int status;

	sqlite3_busy_timeout(
		store->db, store->wal_bytes > WAL_URGENT ? BUSY_URGENT_MS : BUSY_TRUNCATE_MS);
	status = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_busy_handler(store->db, wait_for_writer, store);
	if (status == SQLITE_OK) {
		wal_starts_anew(store);
		return true;
	}
	store->wal_next_truncation = store->wal_bytes + WAL_PASSIVE;
	if ((status & 0xff) != SQLITE_BUSY && (status & 0xff) != SQLITE_LOCKED)
		return sql_fail(store->db, store->path, status, err);
	if (store->wal_bytes <= WAL_MAX)
		return true;
	return tuner_fail(err, TUNER_RETRY,
		"%s-wal has grown to %" PRId64 " MiB, because some program keeps a read "
		"transaction on the database open: close it "
		"(`fuser %s` names it)",
		store->path, store->wal_bytes / MIB, store->path);
}

bool store_checkpoint(struct store *store, struct tuner_error *err)
{
	tuner_assert(store->mode == STORE_WRITE && !store->in_transaction);
	if (store->lease)
		return copy_refresh(store, false, err);
	if (store->wal_bytes > store->wal_next_truncation)
		return checkpoint_truncating(store, err);
	if (store->wal_bytes > store->wal_next)
		checkpoint_passively(store);
	return true;
}
