/* What git knows about a directory, and a commit fetched from elsewhere.
 *
 * The program `git` is run, with no prompt, no pager and no lock on the index; variables GIT_* of our own
 * environment are not passed on. What a repository's own configuration would have run is switched off:
 * hooks, the file system monitor, external differs and text converters, filters. A repository of another
 * user is left to git's own rule (safe.directory), which refuses it. */
#ifndef SCHEDULER_GIT_H
#define SCHEDULER_GIT_H

#include "scheduler/file_list.h"

enum { GIT_HASH = 65 }; /* SHA-1 or SHA-256 in hexadecimal, and the end of the string */

/* The top of the work tree that holds `directory`; *ret_top NULL if there is none or no git, and ret_why
 * says so. The caller frees *ret_top. */
TUNER_MUST_CHECK
bool git_top(const char *directory, char **ret_top, char ret_why[320], struct tuner_error *err);

/* Adds the files below top/path that git tracks, and those that it neither tracks nor ignores (marked);
 * inside submodules and other repositories inside, too. *ret_listed false if git fails, and ret_why says how. */
TUNER_MUST_CHECK
bool git_list(const char *top, const char *path, struct file_list *list, bool *ret_listed,
	char ret_why[320], struct tuner_error *err);

/* The commit that is checked out; "" if there is none. */
TUNER_MUST_CHECK
bool git_head(const char *top, char ret_commit[GIT_HASH], struct tuner_error *err);

/* Appends what differs from `commit` ("": from nothing) in tracked files, as a patch of at most bytes_max;
 * *ret_cut: there was more. */
TUNER_MUST_CHECK
bool git_diff(const char *top, const char *commit, size_t bytes_max, struct text *ret,
	bool *ret_cut, struct tuner_error *err);

/* Makes `directory`, which must not exist, with the files of exactly this commit of the repository at
 * `url`; `commit` is a hash, or the unambiguous beginning of one. ret_commit is the whole. Without
 * submodules. TUNER_USAGE: git, the repository or the commit is not there, in the time; `directory` may
 * have been made then. */
TUNER_MUST_CHECK
bool git_fetch(const char *url, const char *commit, const char *directory, int64_t timeout_us,
	char ret_commit[GIT_HASH], struct tuner_error *err);

#endif
