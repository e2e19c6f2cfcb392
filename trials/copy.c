#include "trials/copy.h"

#include "base/clock.h"
#include "trials/lease.h"
#include "trials/sql.h"
#include "trials/vacuum.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t EVERY_US = 30000000;
enum { SHARE = 20 }; /* at most one part in 20 of the time */

int64_t copy_time_us(const char *file)
{
	struct stat status;
	int64_t us = 0;
	char *name = NULL;

	if (asprintf(&name, "%s.copy", file) < 0)
		return 0;
	if (stat(name, &status) == 0 && S_ISREG(status.st_mode))
		us = status.st_mtim.tv_sec * INT64_C(1000000) + status.st_mtim.tv_nsec / 1000;
	free(name);
	return us;
}

static bool set_time(const char *name, int64_t us)
{
	const struct timespec time = { us / 1000000, us % 1000000 * 1000 },
			      times[2] = { time, time };

	return utimensat(AT_FDCWD, name, times, 0) == 0;
}

/* The old copy's file keeps a name. */
static bool put_in_place(const char *draft, const char *name, const char *old)
{
	unlink(old);
	return (link(name, old) == 0 || errno == ENOENT) && rename(draft, name) == 0;
}

static bool make(struct store *store, int64_t now_us, struct tuner_error *err)
{
	char *name = NULL, *draft = NULL, *old = NULL;
	bool ok = false;

	if (asprintf(&name, "%s.copy", store->file) < 0)
		name = NULL;
	if (asprintf(&draft, "%s.copy.part", store->file) < 0)
		draft = NULL;
	if (asprintf(&old, "%s.copy.old", store->file) < 0)
		old = NULL;
	if (name == NULL || draft == NULL || old == NULL) {
		tuner_fail_memory(err);
		goto out;
	}
	/* Nothing has changed since the last copy, so only its time is set. */
	if (store->copy.made_us > 0 && store->copy.changes == sqlite3_total_changes64(store->db)) {
		ok = set_time(name, now_us);
		if (ok)
			goto out;
	}
	ok = vacuum_into(store->db, store->path, draft, err);
	if (ok && (!set_time(draft, now_us) || !put_in_place(draft, name, old)))
		ok = tuner_fail_errno(err, errno, "%s", name);
	if (!ok)
		unlink(draft);
out:
	free(name);
	free(draft);
	free(old);
	return ok;
}

bool copy_refresh(struct store *store, bool now, struct tuner_error *err)
{
	struct copy *const copy = &store->copy;
	const int64_t begin_us = clock_monotonic_us(), wall_us = clock_wall_us();

	if (!now && begin_us < copy->next_us)
		return true;
	/* A process that has the lease only for an instant, again and again, need not copy each
	 * time. */
	if (copy->made_us == 0 && !now && copy_time_us(store->file) > wall_us - EVERY_US &&
		copy_time_us(store->file) <= wall_us) {
		lease_note_copy(store->lease, copy_time_us(store->file));
		copy->next_us = begin_us + EVERY_US - (wall_us - copy_time_us(store->file));
		return true;
	}
	const bool ok = make(store, wall_us, err);
	const int64_t took_us = clock_monotonic_us() - begin_us;
	const int64_t pause_us = SHARE * took_us > EVERY_US ? SHARE * took_us : EVERY_US;

	copy->next_us = clock_monotonic_us() + pause_us;
	if (!ok) {
		tuner_fail_in(err, "the copy for readers could not be made: ");
		err->code = TUNER_RETRY;
		return false;
	}
	copy->made_us = wall_us;
	copy->changes = sqlite3_total_changes64(store->db);
	lease_note_copy(store->lease, wall_us);
	if (pause_us <= EVERY_US || pause_us < 2 * copy->told_us)
		return true;
	copy->told_us = pause_us;
	return tuner_fail(err, TUNER_RETRY,
		"the copy for readers takes %.1f s here: it is made every %" PRId64
		" s, and what commands tell is up to so old",
		(double)took_us / 1e6, pause_us / 1000000);
}
