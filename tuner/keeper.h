/* Looking through, hashing and removing what trials have left takes as long as the disk wants: a thread
 * does it, one task at a time, so that no slot waits for it.
 *
 *     keeper_create -> [keeper_give -> keeper_descriptor is readable -> keeper_take] ... -> keeper_destroy
 *
 * The thread shares nothing but its task, has no signals, and knows no database: what is to be done stands there,
 * so that it may be killed at any time. */
#ifndef TUNER_KEEPER_H
#define TUNER_KEEPER_H

#include "scheduler/artifacts.h"

struct keeper;

enum keeper_work {
	KEEPER_SCAN, /* artifacts_scan */
	KEEPER_HASH, /* the same with hashes */
	KEEPER_DELETE, /* artifacts_delete_set_aside */
	KEEPER_MEASURE, /* artifacts_measure, of each line of `directories` */
};

struct keeper_task {
	enum keeper_work work;
	int64_t attempt; /* for the caller */
	char *directories; /* relative to the root; of MEASURE several, a line each */
	/* ---- what came of it ---- */
	bool ok;
	struct tuner_error err; /* of DELETE before, too: why not all could be set aside */
	struct artifacts found; /* SCAN, HASH */
	int64_t bytes; /* MEASURE */
};

void keeper_task_finish(struct keeper_task *task); /* of a zeroed one nothing */

/* `root` is DATABASE.d and copied. */
TUNER_MUST_CHECK
bool keeper_create(const char *root, struct keeper **ret, struct tuner_error *err);

/* Ends the thread: what it reads it leaves at once. One that hangs in the file system is left behind
 * after two seconds. NULL is fine. */
void keeper_destroy(struct keeper *keeper);

int keeper_descriptor(const struct keeper *keeper); /* readable when a task is done */
bool keeper_is_idle(const struct keeper *keeper); /* nothing given that was not taken back */

/* Takes over task->directories. Idle only. */
void keeper_give(struct keeper *keeper, const struct keeper_task *task);

/* The task that is done, which the caller finishes; false if none is. */
bool keeper_take(struct keeper *keeper, struct keeper_task *ret);

#endif
