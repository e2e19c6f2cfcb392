#include "scheduler/elsewhere.h"

#include "base/file.h"
#include "scheduler/attempt.h"
#include "scheduler/attempt_files.h"
#include "scheduler/process.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "/home/me/tuner.db" of "/home/me/tuner.db.d/JOB/0007/1". False if that is not an attempt's
 * directory. */
static bool database_of(const char *directory, char ret[PATH_MAX])
{
	const int n = snprintf(ret, PATH_MAX, "%s", directory);

	if (n >= PATH_MAX)
		return false;
	for (int i = 0; i < 3; i++) {
		char *slash = strrchr(ret, '/');
		if (slash == NULL)
			return false;
		*slash = '\0';
	}
	const size_t length = strlen(ret);
	if (length <= 2 || strcmp(ret + length - 2, ".d") != 0)
		return false;
	ret[length - 2] = '\0';
	return true;
}

/* Whether the other database still exists. If not, it was moved without its directory, and what
 * runs is ours. */
static bool has_another_database(const char *there, const char *here)
{
	char its[PATH_MAX], ours[PATH_MAX];

	return database_of(there, its) && database_of(here, ours) && access(its, F_OK) == 0 &&
	       !file_is_same(its, ours);
}

static bool lives_there(const char *there, const char *directory, const char *key)
{
	struct attempt_status status;
	struct tuner_error ignored;
	enum launch_owner owner;

	return !file_is_same(there, directory) && has_another_database(there, directory) &&
	       launch_look(there, key, &owner, &ignored) && owner == LAUNCH_OWN &&
	       attempt_look(there, &status, &ignored) && status.life == ATTEMPT_LIVES;
}

bool attempt_lives_elsewhere(const char *directory, const char *key, char *ret_where, size_t size)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	bool found = false, other;

	while (proc != NULL && !found && (entry = readdir(proc)) != NULL) {
		char *end;
		const long pid = strtol(entry->d_name, &end, 10);
		if (*end != '\0' || pid <= 1 ||
			!process_has_variable(pid, ATTEMPT_KEY_VARIABLE, key, &other))
			continue;
		process_variable(pid, "TUNER_ATTEMPT_DIR", ret_where, size);
		found = lives_there(ret_where, directory, key);
	}
	if (proc != NULL)
		closedir(proc);
	return found;
}
