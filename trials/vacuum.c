#include "trials/vacuum.h"

#include "trials/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* VACUUM INTO needs a missing or empty file: an empty one has the mode that we choose. */
static bool make_empty(const char *path, struct tuner_error *err)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return tuner_fail(err, TUNER_USAGE, "%s: %s", path, strerror(errno));
	close(fd);
	return true;
}

bool vacuum_into(sqlite3 *db, const char *path, const char *to, struct tuner_error *err)
{
	sqlite3_stmt *statement = NULL;

	if (!make_empty(to, err))
		return false;
	int status = sqlite3_prepare_v2(db, "VACUUM INTO ?1", -1, &statement, NULL);

	if (status == SQLITE_OK)
		status = sqlite3_bind_text(statement, 1, to, -1, SQLITE_STATIC);
	if (status == SQLITE_OK)
		status = sqlite3_step(statement);
	const bool ok = status == SQLITE_DONE || sql_fail(db, path, status, err);

	sqlite3_finalize(statement);
	return ok && vacuum_sync(to, 0, err);
}

bool vacuum_sync(const char *path, int flags, struct tuner_error *err)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	const bool ok = fd >= 0 && fsync(fd) == 0;

	if (!ok)
		tuner_fail_errno(err, errno, "%s: cannot be written to the disk", path);
	if (fd >= 0)
		close(fd);
	return ok;
}
