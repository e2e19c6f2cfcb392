/* DATABASE.lock: names the writer of the database. Internal. When the lock is released the file
 * stays, empty: otherwise programs that look for the writer would find one file at one time and
 * another at the next. */
#ifndef TRIALS_LOCK_H
#define TRIALS_LOCK_H

#include "base/error.h"

#include <stdint.h>

/* Takes the lock on `path`.lock and writes our pid into it. TUNER_RETRY if another process has it:
 * the message names its pid. *ret_fd holds the lock; *ret_made: the file did not exist before. */
TUNER_MUST_CHECK
bool lock_take(const char *path, int *ret_fd, bool *ret_made, struct tuner_error *err);

/* Keeps the lock if a user has removed its file as that of a dead program: the file is created and
 * locked anew, and *fd is replaced. TUNER_FATAL if another process was faster, and is now the
 * writer. If no file can be created, that is not a failure: no other process can create one
 * either. */
TUNER_MUST_CHECK
bool lock_keep(const char *path, int *fd, struct tuner_error *err);

void lock_release(int fd);

/* Removes the file of a lock that we hold, because `path` turned out not to need one. A process
 * that has opened the file meanwhile does not take it for the lock (file_lock). */
void lock_unlink(const char *path, int fd);

/* The pid of the holder; 0 if nobody has the lock. -1: a process whose pid is not known yet. If the
 * lock's file may not be opened, the pid comes from /proc/locks. */
TUNER_MUST_CHECK
bool lock_holder(const char *path, int64_t *ret_pid, struct tuner_error *err);

#endif
