/* A thread that scans, hashes and removes what trials have left, one task at a time: this takes as
 * long as the disk needs, and no slot must wait for it.
 *
 *     keeper_create -> [keeper_give -> keeper_descriptor is readable -> keeper_take] ... -> keeper_destroy
 *
 * The thread shares nothing but its task, receives no signals, and does not use the database: work
 * to be done is recorded there, so that the thread may be killed at any time. */
#ifndef TUNER_KEEPER_H
#define TUNER_KEEPER_H

#include "scheduler/artifacts.h"

struct keeper;

enum keeper_work {
	KEEPER_SCAN, /* artifacts_scan */
	KEEPER_HASH, /* the same with hashes */
	KEEPER_DELETE, /* artifacts_delete_set_aside */
	KEEPER_MEASURE, /* artifacts_measure, for each line of `directories` */
};

struct keeper_task {
	enum keeper_work work;
	int64_t attempt; /* for the caller */
	char *directories; /* relative to the root; for MEASURE several, one per line */
	/* ---- the result ---- */
	bool ok;
	struct tuner_error err; /* of DELETE before, too: why not all could be set aside */
	struct artifacts found; /* SCAN, HASH */
	int64_t bytes; /* MEASURE */
};

void keeper_task_finish(struct keeper_task *task); /* zeroed: does nothing */

/* `root` is DATABASE.d, and is copied. */
TUNER_MUST_CHECK
bool keeper_create(const char *root, struct keeper **ret, struct tuner_error *err);

/* Ends the thread, which stops reading at once. A thread that hangs in the file system is abandoned
 * after two seconds. NULL is fine. */
void keeper_destroy(struct keeper *keeper);

int keeper_descriptor(const struct keeper *keeper); /* readable when a task is done */
bool keeper_is_idle(const struct keeper *keeper); /* no task is given but not yet taken back */

/* Takes over task->directories. Only when idle. */
void keeper_give(struct keeper *keeper, const struct keeper_task *task);

/* Takes the task that is done, which the caller finishes; false if none is. */
bool keeper_take(struct keeper *keeper, struct keeper_task *ret);

#endif
