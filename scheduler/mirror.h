/* The local directory of an attempt that runs elsewhere: the same files, written as their content
 * arrives, so that readers of an attempt's directory need not know where it runs. Only this process
 * writes them. No lock is held, and locks here mean nothing. */
#ifndef SCHEDULER_MIRROR_H
#define SCHEDULER_MIRROR_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Appends output that begins at `offset`, in segments like the supervisor's (log_max_bytes as in
 * struct launch). Bytes already stored are skipped; bytes that the host has rotated away are
 * missing here as well, and offsets are kept. After a kill at any point, output_end() gives the
 * offset to continue from. An impossible offset is refused, and nothing is changed. */
TUNER_MUST_CHECK
bool mirror_output(const char *directory, int64_t offset, const char *bytes, size_t n,
	int64_t log_max_bytes, struct tuner_error *err);

/* Writes `started` or exit.json. A record longer than any supervisor writes is refused. */
TUNER_MUST_CHECK
bool mirror_record(const char *directory, const char *name, const char *bytes, size_t n,
	struct tuner_error *err);

#endif
