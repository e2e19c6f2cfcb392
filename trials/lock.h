/* DATABASE.lock: who writes the database. Internal. The file stays when the lock is released
 * (removing it would race with the next holder), empty. */
#ifndef TRIALS_LOCK_H
#define TRIALS_LOCK_H

#include "base/error.h"

#include <stdint.h>

/* Takes the lock on `path`.lock and writes our pid into it. TUNER_RETRY if another process has it: the
 * message names its pid. *ret_fd holds the lock. */
TUNER_MUST_CHECK
bool lock_take(const char *path, int *ret_fd, struct tuner_error *err);

/* Who takes the file of a dead program for one, and removes it, has not given the lock to anybody: a
 * file that has lost its name is made and locked anew, and *fd is that one's. TUNER_FATAL if another process
 * was faster, and writes now. That none can be made is no failure: nobody else can make one either. */
TUNER_MUST_CHECK
bool lock_keep(const char *path, int *fd, struct tuner_error *err);

void lock_release(int fd);

/* The pid of the holder; 0 if nobody has the lock. -1: somebody whose pid is not known yet. */
TUNER_MUST_CHECK
bool lock_holder(const char *path, int64_t *ret_pid, struct tuner_error *err);

#endif
