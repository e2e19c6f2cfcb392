/* The segments in which output is stored (attempt_files.h): their names, and when one is full. Libc
 * only: the supervisor writes them, mirrors copy them, readers look for them. */
#ifndef SCHEDULER_SEGMENT_H
#define SCHEDULER_SEGMENT_H

#include "scheduler/attempt_files.h"

#include <stdbool.h>
#include <stdint.h>

/* Name of an older segment, from the offset of its first byte. */
void segment_name(int64_t start, char ret[SEGMENT_NAME_MAX]);

/* The inverse; false: not the name of an older segment. */
bool segment_start(const char *name, int64_t *ret);

/* Bytes of the newest segment in this directory; 0 if it does not exist. False with errno. */
bool segment_newest_size(int directory, int64_t *ret);

/* Bytes of a segment if two together may hold log_max_bytes; INT64_MAX without a limit (0). */
int64_t segment_max(int64_t log_max_bytes);

#endif
