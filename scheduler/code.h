/* The code that a command is made of: which files they are, whether they changed, and how they differ from
 * what is committed.
 *
 * In a git work tree it is all that git tracks there, submodules included, and of what it neither tracks nor
 * ignores what looks like a program (so that results which a trial leaves behind are not taken for an edit), or
 * all of it (CODE_ALL: what a snapshot must hold). Elsewhere it is the files that the command names and the programs beside them in
 * its working directory (CODE_ALL: everything below it).
 * Never part of it are the database with all that lies beside it, the job file, and what Python compiles.
 *
 * Callable from any thread. */
#ifndef SCHEDULER_CODE_H
#define SCHEDULER_CODE_H

#include "scheduler/git.h"

struct code_place {
	const char *directory; /* where the command runs, absolute */
	char *const *command; /* its words, NULL-terminated; NULL: none */
	const char *database; /* absolute; NULL: none */
	const char *job_file; /* absolute; NULL or "": none */
};

enum code_scope { CODE_PROGRAMS, CODE_ALL };

struct code {
	struct file_list files; /* root: the work tree's top, or the directory */
	char *inside; /* the directory, counted from the root; "": the same */
	bool git;
	char why[320]; /* not git; "" if it is */
	char commit
		[GIT_HASH]; /* "" without git, or before the first commit; filled by code_commit */
	size_t untracked; /* of the files */
};

/* `earlier` (NULL: none) spares reading what has not changed. TUNER_FATAL if the directory is not there. */
TUNER_MUST_CHECK
bool code_read(const struct code_place *place, enum code_scope scope,
	const struct file_limits *limits, const struct code *earlier, struct code *ret,
	struct tuner_error *err);
void code_finish(struct code *code); /* of a zeroed one nothing */

TUNER_MUST_CHECK
bool code_commit(struct code *code, struct tuner_error *err);

/* Appends, as a patch against the commit, what differs from it: tracked files as git tells, untracked ones
 * as new. At most bytes_max; *ret_cut: there was more. Nothing without git. */
TUNER_MUST_CHECK
bool code_patch(const struct code *code, size_t bytes_max, struct text *ret, bool *ret_cut,
	struct tuner_error *err);

/* Appends members of a JSON object, without its braces: root, directory in it, commit, counts, and what was not
 * looked at. */
void code_facts(const struct code *code, struct text *ret);

/* Whether the name is a program's: by its ending, such as .py or .sh. */
bool code_is_program(const char *path);

#endif
