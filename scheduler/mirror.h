/* The directory here of an attempt that runs elsewhere: the same files, written as they are heard of, so
 * that whoever reads an attempt's directory need not know where it runs. Only this process writes them.
 * No lock is held and none tells anything. */
#ifndef SCHEDULER_MIRROR_H
#define SCHEDULER_MIRROR_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Appends what begins at `offset`, in segments as the supervisor's (log_max_bytes as in struct launch).
 * What is there already is skipped; bytes that are missing before it, because the host has rotated them
 * away, are missing here as well, with their offsets. Killed at any point, output_end() tells where to
 * go on. An offset that no output can have is refused, and all is as it was. */
TUNER_MUST_CHECK
bool mirror_output(const char *directory, int64_t offset, const char *bytes, size_t n,
	int64_t log_max_bytes, struct tuner_error *err);

/* `started` or exit.json. One that no supervisor can have written, for its length, is refused. */
TUNER_MUST_CHECK
bool mirror_record(const char *directory, const char *name, const char *bytes, size_t n,
	struct tuner_error *err);

#endif
