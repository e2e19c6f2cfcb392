#include "trials/store.h"

#include "trials/lease.h"
#include "trials/lock.h"
#include "trials/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RESCUES_MAX = 9 };

/* Creates an empty file with an unused name, readable only by us. False with errno. */
static bool make_rescue(const char *path, char **ret)
{
	int fd = -1;

	errno = EEXIST;
	for (int i = 1; i <= RESCUES_MAX && fd < 0 && errno == EEXIST; i++) {
		char number[16] = "";

		if (i > 1)
			snprintf(number, sizeof number, "%d", i);
		free(*ret);
		if (asprintf(ret, "%s.rescued%s", path, number) < 0) {
			*ret = NULL;
			return false;
		}
		fd = open(*ret, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	}
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Copies a file that has lost its name, but not yet its content. */
static bool rescue(struct store *store, char **ret, struct tuner_error *err)
{
	struct query query;

	if (!make_rescue(store->file, ret))
		return tuner_fail_errno(err, errno, "no file beside it can be made");
	query_open(&query, store, "VACUUM INTO ?1");
	query_bind_text(&query, *ret);
	if (query_run(&query, err))
		return true;
	unlink(*ret);
	return false;
}

/* Commits since the last checkpoint are only in the log, which no other process may remove while we
 * have it open. A log that cannot be examined counts as in place. */
static bool is_wal_removed(struct store *store)
{
	char *wal = NULL;
	struct stat info;

	if (store->wal_bytes == 0 || asprintf(&wal, "%s-wal", store->file) < 0)
		return false;
	const bool found = stat(wal, &info) == 0, gone = !found && errno == ENOENT;

	free(wal);
	if (found && store->wal_inode == 0)
		store->wal_inode = info.st_ino;
	return gone || (found && info.st_ino != store->wal_inode);
}

static bool give_up_place(struct store *store, const char *what, struct tuner_error *err)
{
	struct tuner_error why;
	char *copy = NULL;

	if (rescue(store, &copy, &why))
		tuner_fail(err, TUNER_FATAL,
			"%s%s was removed or replaced while it was in use; all of it is in %s: "
			"give that file the name%s, and run again. What runs keeps running",
			store->path, what, copy, what[0] != '\0' ? " of the database" : "");
	else
		tuner_fail(err, TUNER_FATAL,
			"%s%s was removed or replaced while it was in use, and could not be "
			"written elsewhere: %.120s",
			store->path, what, why.message);
	free(copy);
	return false;
}

bool store_check_place(struct store *store, struct tuner_error *err)
{
	int moved = 0;

	tuner_assert(store->mode == STORE_WRITE && !store->in_transaction);
	if (store->lease) {
		lease_renew(store->lease);
		if (!lease_check(store->lease, err))
			return false;
	}
	if (sqlite3_file_control(store->db, NULL, SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
		moved)
		return give_up_place(store, "", err);
	if (is_wal_removed(store))
		return give_up_place(store, "-wal", err);
	return store->lock_fd < 0 || lock_keep(store->file, &store->lock_fd, err);
}
