/* DATABASE.copy: the copy that readers open while a process writes a database on a network file
 * system. Internal.
 *
 * The writer makes it, by VACUUM INTO under another name and a rename, when the database has
 * changed and the last copy is 30 s old (EVERY_US in copy.c). Its modification time is the time
 * whose state it shows. No copy is ever changed, so readers need no locks. The previous copy keeps
 * a name, DATABASE.copy.old, until the next is made: on some network file systems a file without a
 * name is also gone for readers on other machines.
 *
 * Copies must not take up the writer's time: after one that took long, the next follows after 20
 * times as long. */
#ifndef TRIALS_COPY_H
#define TRIALS_COPY_H

#include "trials/store.h"

struct copy {
	int64_t changes; /* sqlite3_total_changes64 when it was made */
	int64_t made_us; /* wall clock: time of its state; 0: not made by us */
	int64_t next_us; /* monotonic: not before then */
	int64_t told_us; /* the longest pause between copies reported so far */
};

/* Makes the copy, or sets its time if nothing has changed, when it is due, or with `now` in any
 * case. TUNER_RETRY: it could not be made, or copies become less frequent; the message is for the
 * user, and nothing else has failed. */
TUNER_MUST_CHECK
bool copy_refresh(struct store *store, bool now, struct tuner_error *err);

/* The time whose state the copy of this database file shows (wall clock); 0: there is no copy. */
int64_t copy_time_us(const char *file);

#endif
