/* DATABASE.copy: what others read of a database on a network file system while somebody writes it. Internal.
 *
 * The writer makes it, by VACUUM INTO under another name and a rename, when something has changed and the last
 * one is COPY_EVERY_US old; its time of modification says as of when it is. No copy is ever changed, so readers
 * need no locks. The one before keeps a name, DATABASE.copy.old, until the next is made: on some network file
 * systems a file that has lost its last name is gone for readers on other machines, too.
 *
 * It must not take the writer's time: after one that took long, the next is made after 20 times as long. */
#ifndef TRIALS_COPY_H
#define TRIALS_COPY_H

#include "trials/store.h"

struct copy {
	int64_t changes; /* sqlite3_total_changes64 when it was made */
	int64_t made_us; /* wall clock: as of when it is; 0: not by us */
	int64_t next_us; /* monotonic: not before then */
	int64_t told_us; /* the longest pause that was told of */
};

/* Makes the copy, or confirms it, if it is time to, or with `now` in any case. TUNER_RETRY: it could not be made, or it
 * is made more seldom now: the message is for the user, and nothing else has happened. */
TUNER_MUST_CHECK
bool copy_refresh(struct store *store, bool now, struct tuner_error *err);

/* As of when the copy of this database file is (wall clock); 0: there is none. */
int64_t copy_time_us(const char *file);

#endif
