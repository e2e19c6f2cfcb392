/* A copy of a command's code that later edits do not affect. */
#ifndef SCHEDULER_SNAPSHOT_H
#define SCHEDULER_SNAPSHOT_H

#include "scheduler/code.h"

/* Makes `directory`, which must not exist, and copies the files of `code` (read with CODE_ALL) into
 * it, keeping modes, times and links. The copy must have the fingerprint of `code`; TUNER_RETRY if
 * not, because something was edited meanwhile. On success the copy is durable. After a failure
 * `directory` may exist in part. */
TUNER_MUST_CHECK
bool snapshot_copy(const struct code *code, const char *directory, struct tuner_error *err);

#endif
