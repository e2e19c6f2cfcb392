/* DATABASE.lock: who writes the database. Internal. The file stays when the lock is released,
 * empty: programs that look who writes would else find now one file and now another. */
#ifndef TRIALS_LOCK_H
#define TRIALS_LOCK_H

#include "base/error.h"

#include <stdint.h>

/* Takes the lock on `path`.lock and writes our pid into it. TUNER_RETRY if another process has it: the
 * message names its pid. *ret_fd holds the lock; *ret_made: there was no such file before. */
TUNER_MUST_CHECK
bool lock_take(const char *path, int *ret_fd, bool *ret_made, struct tuner_error *err);

/* Who takes the file of a dead program for one, and removes it, has not given the lock to anybody: a
 * file that has lost its name is made and locked anew, and *fd is that one's. TUNER_FATAL if another process
 * was faster, and writes now. That none can be made is no failure: nobody else can make one either. */
TUNER_MUST_CHECK
bool lock_keep(const char *path, int *fd, struct tuner_error *err);

void lock_release(int fd);

/* Removes the file of the lock that is held: `path` turned out to be nothing that is to have one. Whoever
 * has opened it meanwhile does not take it for the lock (file_lock). */
void lock_unlink(const char *path, int fd);

/* The pid of the holder; 0 if nobody has the lock. -1: somebody whose pid is not known yet. Who may not open the lock's file
 * hears it from /proc/locks. */
TUNER_MUST_CHECK
bool lock_holder(const char *path, int64_t *ret_pid, struct tuner_error *err);

#endif
