/* The segments that output lies in (attempt_files.h): their names, and when one is full. Libc only: the supervisor
 * writes them, mirrors copy them, readers look for them. */
#ifndef SCHEDULER_SEGMENT_H
#define SCHEDULER_SEGMENT_H

#include "scheduler/attempt_files.h"

#include <stdbool.h>
#include <stdint.h>

/* Of an older segment, by the offset of its first byte. */
void segment_name(int64_t start, char ret[SEGMENT_NAME_MAX]);

/* The way back; false: it is not the name of one. */
bool segment_start(const char *name, int64_t *ret);

/* Bytes of the newest segment, in this directory; 0 if it is not there. False with errno. */
bool segment_newest_size(int directory, int64_t *ret);

/* Bytes of a segment if two together may have so many; without a limit (0), INT64_MAX. */
int64_t segment_max(int64_t log_max_bytes);

#endif
