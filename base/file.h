/* Whole files, atomically; directories; exclusive locks. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/error.h"
#include "base/text.h"

#include <stddef.h>
#include <sys/types.h>

/* Reads at most max_bytes of a regular file (or "-" for standard input) into ret (emptied first).
 * A longer file is TUNER_USAGE and says both sizes; missing or unreadable is TUNER_USAGE too. */
TUNER_MUST_CHECK
bool file_read(const char *path, size_t max_bytes, struct text *ret, struct tuner_error *err);

/* Replaces `path` by the bytes so that a crash leaves the old or the new content, never a part:
 * temporary file in the same directory, fsync if `durable`, rename, fsync of the directory. */
TUNER_MUST_CHECK
bool file_write_atomic(const char *path, const void *bytes, size_t length, mode_t mode,
	bool durable, struct tuner_error *err);

/* mkdir -p; existing directories are fine. New ones get `mode`. */
TUNER_MUST_CHECK
bool directory_make(const char *path, mode_t mode, struct tuner_error *err);

/* rm -r of a directory that we made; symbolic links are removed, not followed. Missing is fine. */
TUNER_MUST_CHECK
bool directory_remove(const char *path, struct tuner_error *err);

/* `base` + "/" + `path`, or `path` alone if it is absolute or base is empty. A leading "~/" becomes
 * $HOME. Caller frees; NULL without memory. */
char *path_join(const char *base, const char *path);

/* The directory part of a path ("." if there is none). Caller frees; NULL without memory. */
char *path_directory(const char *path);

/* The last component. Points into `path`. */
const char *path_name(const char *path);

/* Takes an exclusive lock on the file (made with mode 0600 if missing) with flock, without waiting.
 * On success *ret_fd is an open close-on-exec descriptor that holds it; closing it releases it. If
 * somebody else holds it: TUNER_RETRY. */
TUNER_MUST_CHECK
bool file_lock(const char *path, int *ret_fd, struct tuner_error *err);

#endif
