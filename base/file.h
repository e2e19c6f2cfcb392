/* Whole files, atomically; directories; exclusive locks.
 *
 * Where a failure's code is not named, it is TUNER_USAGE for a path that the user can put right
 * (missing directory, no permission, read-only file system) and TUNER_FATAL for the rest (disk
 * full, I/O error, no memory). Messages name the path. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/error.h"
#include "base/text.h"

#include <stddef.h>
#include <sys/types.h>

/* Reads at most max_bytes of a regular file (or "-" for standard input, of any kind) into ret
 * (emptied first, and empty after a failure). A longer file is TUNER_USAGE with both sizes in the
 * message (a stream's is not known); a missing, unreadable or not regular file is TUNER_USAGE
 * too. */
TUNER_MUST_CHECK
bool file_read(const char *path, size_t max_bytes, struct text *ret, struct tuner_error *err);

/* Replaces the content of `path` so that a crash of the program leaves the old or the new content,
 * never a mixture: temporary file (".tuner-*.tmp") in the same directory, then rename. With
 * `durable` the same holds for a power cut, and on success the new content is on disk: fsync before
 * the rename, fsync of the directory after it; if only the last fails, the new content is in place
 * all the same.
 *
 * The file gets `mode` less the umask, even if the old one had another mode. A symbolic link is
 * replaced, not followed; an existing path that is not a regular file (/dev/null), or is an SQLite
 * database, is refused with TUNER_USAGE. */
TUNER_MUST_CHECK
bool file_write_atomic(const char *path, const void *bytes, size_t length, mode_t mode,
	bool durable, struct tuner_error *err);

/* Checks that file_write_atomic accepts the path: nothing exists yet, or it is a regular file that
 * is not a database, or a link to such a file. A link into /proc, like /dev/stdout, is refused
 * whatever it leads to: a user who may write to /dev would lose the link. TUNER_USAGE says what the
 * path is. */
TUNER_MUST_CHECK
bool file_check_replaceable(const char *path, struct tuner_error *err);

/* True if both paths exist and are the same file. */
bool file_is_same(const char *path, const char *other);

/* Removes the temporary files that file_write_atomic left in a directory when the program was
 * killed. Call it only where nobody writes: a file being written would be lost. What cannot be
 * removed stays. */
void file_remove_temporaries(const char *directory);

/* mkdir -p; existing directories, and links to such, are fine. New ones get `mode` less umask. */
TUNER_MUST_CHECK
bool directory_make(const char *path, mode_t mode, struct tuner_error *err);

/* rm -r of a directory that we made; symbolic links are removed, not followed, the path itself
 * included. Missing is fine. A file, "/", "." or ".." as the path, another file system mounted
 * inside and more than 256 levels are refused; everything else is removed all the same. A directory
 * of our own that is readable but not writable is removed too. */
TUNER_MUST_CHECK
bool directory_remove(const char *path, struct tuner_error *err);

/* The same for one entry of an open directory, `name` without a slash, so that no part of the path
 * can become a link in between. A file is removed too. */
TUNER_MUST_CHECK
bool directory_remove_at(int directory_fd, const char *name, struct tuner_error *err);

/* `base` + "/" + `path`, or `path` alone if it is absolute or base is empty. A leading "~/" becomes
 * $HOME, if that is set. Caller frees; NULL without memory. */
char *path_join(const char *base, const char *path);

/* The directory part of a path ("." if there is none, "/" for "/"); "a" for "a/b" as for "a/b/".
 * Caller frees; NULL without memory. */
char *path_directory(const char *path);

/* The relative path from one existing directory to another: "figures", "../figures", "." to itself;
 * for links in a file of the first. Caller frees; NULL if one does not exist, or without memory. */
char *path_relative(const char *from, const char *to);

/* The last component, including slashes behind it. Points into `path`. */
const char *path_name(const char *path);

/* True if the last component is one of the n names, with or without a version:
 * "/usr/bin/python3.11". */
bool path_is_program(const char *path, const char *const *names, size_t n);

/* Takes an exclusive lock on the file (made with mode 0600 if missing) with flock, without waiting.
 * On success *ret_fd is an open close-on-exec descriptor that holds it; closing it releases it. The
 * holder may remove the file before closing it: nobody takes the removed file for the lock.
 * TUNER_RETRY if another process holds the lock. */
TUNER_MUST_CHECK
bool file_lock(const char *path, int *ret_fd, struct tuner_error *err);

/* True if the path still names the open file. */
bool file_has_name(int fd, const char *path);

#endif
