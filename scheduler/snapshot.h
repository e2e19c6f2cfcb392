/* A copy of a command's code that later edits do not reach. */
#ifndef SCHEDULER_SNAPSHOT_H
#define SCHEDULER_SNAPSHOT_H

#include "scheduler/code.h"

/* Makes `directory`, which must not exist, and copies the files of `code` (read with CODE_ALL) into it, with
 * their modes, their times and their links as they are. What is copied has the fingerprint of `code`: else
 * something was edited on the way, which is TUNER_RETRY. All of it is on the disk on success. After a
 * failure `directory` may be there in part. */
TUNER_MUST_CHECK
bool snapshot_copy(const struct code *code, const char *directory, struct tuner_error *err);

#endif
