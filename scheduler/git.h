/* What git knows about a directory, and a commit fetched from elsewhere.
 *
 * Runs the program `git`, with no prompt, no pager and no lock on the index; GIT_* variables of our
 * own environment are not passed on. Programs that a repository's own configuration would run are
 * switched off: hooks, the file system monitor, external diff and textconv programs, filters.
 * Repositories of other users are subject to git's own rule (safe.directory), which refuses
 * them. */
#ifndef SCHEDULER_GIT_H
#define SCHEDULER_GIT_H

#include "scheduler/file_list.h"

enum { GIT_HASH = 65 }; /* SHA-1 or SHA-256 in hexadecimal, and the end of the string */

/* The top of the work tree that holds `directory`; *ret_top is NULL if there is no work tree or no
 * git, and ret_why says which. The caller frees *ret_top. */
TUNER_MUST_CHECK
bool git_top(const char *directory, char **ret_top, char ret_why[320], struct tuner_error *err);

/* Adds the files below top/path that git tracks, and those that it neither tracks nor ignores
 * (marked), also inside submodules and nested repositories. *ret_listed is false if git fails, and
 * ret_why says how. */
TUNER_MUST_CHECK
bool git_list(const char *top, const char *path, struct file_list *list, bool *ret_listed,
	char ret_why[320], struct tuner_error *err);

/* The commit that is checked out; "" before the first commit. */
TUNER_MUST_CHECK
bool git_head(const char *top, char ret_commit[GIT_HASH], struct tuner_error *err);

/* Appends the differences of tracked files, without those of the file `without` (NULL: of all), from
 * `commit` ("": from nothing) as a patch of at most bytes_max; *ret_cut: there was more. */
TUNER_MUST_CHECK
bool git_diff(const char *top, const char *commit, const char *without, size_t bytes_max,
	struct text *ret, bool *ret_cut, struct tuner_error *err);

/* Makes `directory`, which must not exist, with the files of exactly this commit of the repository
 * at `url`; `commit` is a hash or an unambiguous prefix of one, and ret_commit the full hash.
 * Submodules are not fetched. TUNER_USAGE: git, the repository or the commit does not exist, or the
 * time is over; `directory` may have been made then. */
TUNER_MUST_CHECK
bool git_fetch(const char *url, const char *commit, const char *directory, int64_t timeout_us,
	char ret_commit[GIT_HASH], struct tuner_error *err);

#endif
