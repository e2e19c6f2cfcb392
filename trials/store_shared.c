#include "trials/shared.h"

#include "base/clock.h"
#include "base/file.h"
#include "trials/lease.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	WRITER_BUSY_MS = 5000, /* for a reader that began before us */
	READER_BUSY_MS = 1000, /* then another process has it, and we look again which */
	COPY_WAIT_MS =
		3000, /* for the first copy of a writer that has just begun; an ask or tell is over
			 by then */
	LOOK_MS = 20,
	TRIES = 4,
};

bool shared_is(const char *file, const char *network, bool *ret, struct tuner_error *err)
{
	struct lease_owner ignored;

	*ret = network != NULL;
	return *ret || lease_read(file, ret, &ignored, err);
}

/* ---- writing ---- */

bool shared_open_writer(struct store *store, struct tuner_error *err)
{
	const char *const vfs = lease_has_locks(store->lease) ? NULL : "unix-none";
	int status = sqlite3_open_v2(store->file, &store->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, vfs);

	/* The mode is set before the first read, so a file that is still in WAL mode is opened
	 * without shared memory. */
	if (status == SQLITE_OK) {
		sqlite3_extended_result_codes(store->db, 1);
		sqlite3_busy_timeout(store->db, WRITER_BUSY_MS);
		status = sqlite3_exec(store->db,
			"PRAGMA locking_mode = EXCLUSIVE; PRAGMA mmap_size = 0;"
			"SELECT 1 FROM sqlite_schema LIMIT 1",
			NULL, NULL, NULL);
	}
	if ((status & 0xff) == SQLITE_BUSY)
		return tuner_fail(err, TUNER_RETRY,
			"%s is locked, though nobody has its lease: another program has it open, "
			"or the "
			"file server still keeps a lock of a machine that died, for a minute or "
			"two",
			store->path);
	return status == SQLITE_OK || sql_fail(store->db, store->path, status, err);
}

bool shared_enter(struct store *store, struct tuner_error *err)
{
	char mode[16] = "";
	struct query query;
	bool found = false, ok;

	query_open(&query, store, "PRAGMA journal_mode = TRUNCATE");
	ok = query_row(&query, &found, err);
	if (ok && found)
		query_text_into(&query, mode, sizeof(mode));
	query_close(&query);
	if (ok && strcmp(mode, "truncate") != 0)
		ok = tuner_fail(err, TUNER_RETRY,
			"%s stays in journal mode \"%s\": another program has it open", store->path,
			mode);
	/* In exclusive mode the first transaction's lock is kept, so no reader can delay a
	 * commit. */
	return ok && sql_execute(store->db, store->path, "BEGIN EXCLUSIVE; COMMIT", err);
}

/* ---- reading ---- */

/* Makes the client ask the file server again: otherwise a new name may seem to be missing for half
 * a minute. */
static void look_anew(const char *file)
{
	char *const directory = path_directory(file);
	DIR *const open = directory != NULL ? opendir(directory) : NULL;

	if (open != NULL)
		closedir(open);
	free(directory);
}

static char *beside(const char *file, const char *end)
{
	char *name = NULL;

	return asprintf(&name, "%s%s", file, end) < 0 ? NULL : name;
}

static bool has_bytes(const char *file, const char *end)
{
	struct stat status;
	char *const name = beside(file, end);
	const bool has = name == NULL || (stat(name, &status) == 0 && status.st_size > 0);

	free(name);
	return has;
}

/* True if the file's header asks for a WAL, by its 19th byte. */
static bool wants_wal(const char *file)
{
	unsigned char header[20] = { 0 };
	const int fd = open(file, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd >= 0 ? read(fd, header, sizeof(header)) : 0;

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)sizeof(header) && header[18] == 2;
}

/* *ret: a writer has the database, so the copy is to be read. Waits for the copy of a writer that
 * has just begun. */
static bool is_held(const struct store *store, bool *ret, struct tuner_error *err)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	const int64_t until_us = clock_monotonic_us() + COPY_WAIT_MS * INT64_C(1000);
	struct lease_owner owner = { 0 };
	bool there = false;

	look_anew(store->file);
	for (;;) {
		if (!lease_read(store->file, &there, &owner, err))
			return false;
		*ret = there && lease_life(&owner) != LEASE_DEAD;
		if (!*ret || owner.copied_us > 0)
			return true;
		if (clock_monotonic_us() >= until_us)
			break;
		nanosleep(&pause, NULL);
	}
	if (copy_time_us(store->file) > 0)
		return true;
	char who[240];

	lease_describe(&owner, who, sizeof(who));
	return tuner_fail(err, TUNER_RETRY,
		"%s is in use by %s, who has not made a copy to read yet: try again in a moment",
		store->path, who);
}

/* With locks, so that a new writer waits until we have read. Writable, because the first reader
 * rolls back the journal of a writer that was killed. */
static bool open_locking(struct store *store, int *ret_status)
{
	*ret_status = sqlite3_open_v2(store->file, &store->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
	if (*ret_status == SQLITE_OK) {
		sqlite3_extended_result_codes(store->db, 1);
		sqlite3_busy_timeout(store->db, READER_BUSY_MS);
		*ret_status = sqlite3_exec(
			store->db, "SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL);
	}
	return *ret_status == SQLITE_OK;
}

static bool open_copy(struct store *store, int *ret_status)
{
	char *const name = beside(store->file, ".copy");

	*ret_status = SQLITE_NOMEM;
	store->read_copy_us = copy_time_us(store->file);
	if (name != NULL && stat(name, &store->read_file) != 0)
		*ret_status = SQLITE_CANTOPEN;
	else if (name != NULL)
		*ret_status = sql_open_immutable(name, &store->db);
	free(name);
	return *ret_status == SQLITE_OK;
}

/* A database without a writer. In WAL mode, it was closed cleanly after use on a local disk. */
static bool open_at_rest(struct store *store, int *ret_status)
{
	store->read_copy_us = 0;
	if (!wants_wal(store->file))
		return open_locking(store, ret_status);
	*ret_status = sql_open_immutable(store->file, &store->db);
	return *ret_status == SQLITE_OK;
}

bool shared_open_reader(struct store *store, struct tuner_error *err)
{
	int status = SQLITE_OK;
	bool held = false;

	for (int i = 0; i < TRIES; i++) {
		if (!is_held(store, &held, err))
			return false;
		if (!held && wants_wal(store->file) && has_bytes(store->file, "-wal"))
			return tuner_fail(err, TUNER_RETRY,
				"%s was last used on a local disk and not closed, or is in use on "
				"the file "
				"server itself: \"tuner run\" there, or here, puts it right",
				store->path);
		if (held ? open_copy(store, &status) : open_at_rest(store, &status))
			return true;
		sqlite3_close(store->db);
		store->db = NULL;
		if ((status & 0xff) != SQLITE_BUSY && !held)
			break;
	}
	/* Busy without a writer, all the time: this file system has no locks to wait for. */
	if (!held && (status & 0xff) == SQLITE_BUSY && !has_bytes(store->file, "-journal") &&
		(status = sql_open_immutable(store->file, &store->db)) == SQLITE_OK)
		return true;
	return sql_fail(store->db, store->path, status, err);
}

/* ---- following ---- */

static bool is_current(const struct store *store)
{
	struct lease_owner owner;
	struct tuner_error ignored;
	struct stat now;
	bool there = false;

	look_anew(store->file);
	if (!lease_read(store->file, &there, &owner, &ignored))
		return true; /* the next check may tell */
	const bool held = there && lease_life(&owner) != LEASE_DEAD;

	if (store->read_copy_us == 0)
		return !held;
	char *const name = beside(store->file, ".copy");
	const bool same = held && name != NULL && stat(name, &now) == 0 &&
			  now.st_ino == store->read_file.st_ino &&
			  now.st_dev == store->read_file.st_dev;

	free(name);
	return same;
}

bool store_follow(struct store *store, struct tuner_error *err)
{
	if (!store->shared || store->mode == STORE_WRITE)
		return true;
	if (is_current(store)) {
		if (store->read_copy_us > 0)
			store->read_copy_us = copy_time_us(store->file);
		return true;
	}
	statements_finish(store);
	sqlite3_close(store->db);
	store->db = NULL;
	return shared_open_reader(store, err) &&
	       sql_execute(store->db, store->path, "PRAGMA query_only = ON", err);
}

int64_t store_copied_us(const struct store *store)
{
	return store->read_copy_us;
}

bool store_is_shared(const struct store *store)
{
	return store->shared;
}
