/* The code that a command is made of: which files, whether they changed, and how they differ from
 * what is committed.
 *
 * In a git work tree the code is all files that git tracks there, submodules included, plus, of the
 * files that git neither tracks nor ignores, those that look like programs (so that results left
 * behind by a trial are not mistaken for an edit) or, with CODE_ALL, all of them, as a snapshot
 * must hold. Elsewhere it is the files that the command names and the programs beside them in its
 * working directory (CODE_ALL: everything below it). The database with its companion files, the job
 * file, the file of secrets, and Python's compiled files are never part of it.
 *
 * Callable from any thread. */
#ifndef SCHEDULER_CODE_H
#define SCHEDULER_CODE_H

#include "scheduler/git.h"

struct code_place {
	const char *directory; /* absolute: where the command runs */
	char *const *command; /* argument vector, NULL-terminated; NULL: none */
	const char *database; /* absolute; NULL: none */
	const char *job_file; /* absolute; NULL or "": none */
	const char *secrets; /* absolute, without links; NULL: none. Nothing of it is ever copied */
};

enum code_scope { CODE_PROGRAMS, CODE_ALL };

struct code {
	struct file_list files; /* root: the work tree's top, or the directory */
	char *inside; /* the directory, counted from the root; "": the same */
	char *secrets; /* the file of secrets, counted from the root; NULL: none below it */
	bool git;
	char why[320]; /* git is not used; "" if it is */
	char commit
		[GIT_HASH]; /* "" without git, or before the first commit; filled by code_commit */
	size_t untracked; /* of the files */
};

/* Files that have not changed since `earlier` (NULL: none) are not read again. TUNER_FATAL if the
 * directory does not exist. */
TUNER_MUST_CHECK
bool code_read(const struct code_place *place, enum code_scope scope,
	const struct file_limits *limits, const struct code *earlier, struct code *ret,
	struct tuner_error *err);
void code_finish(struct code *code); /* zeroed: does nothing */

TUNER_MUST_CHECK
bool code_commit(struct code *code, struct tuner_error *err);

/* Appends the differences from the commit as a patch: tracked files as git reports them, untracked
 * ones as new files, and nothing of the file of secrets, even if it is tracked. At most bytes_max;
 * *ret_cut: there was more. Appends nothing without git. */
TUNER_MUST_CHECK
bool code_patch(const struct code *code, size_t bytes_max, struct text *ret, bool *ret_cut,
	struct tuner_error *err);

/* Appends members of a JSON object, without its braces: root, the directory in it, commit, counts,
 * and what was left out. */
void code_facts(const struct code *code, struct text *ret);

/* Whether the name is a program's, judged by its ending, such as .py or .sh. */
bool code_is_program(const char *path);

#endif
