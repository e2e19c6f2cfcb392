/* A disk that loses its power, as a model in memory.
 *
 *     disk_record -> calls on files -> disk_stop -> disk_restore, any number of times -> disk_forget
 *
 * This file defines open, pwrite, fsync and their like for the whole test program, libraries included: they make the
 * system call and, for files directly below the recorded directory, note it. disk_restore then makes the files as a
 * disk might have them after a loss of power just before the n-th of these calls: what was synced is there; what was
 * not, a file's bytes as well as its name, is there in part or not at all, as `loss` says.
 *
 * What is assumed of a disk: a sync is a promise; a write changes nothing but what it writes; a name is changed whole
 * or not at all. A file's name is durable when its directory was synced, not before. Memory that is mapped is not
 * noted (SQLite's -shm, which it makes anew). One recording at a time, in one thread. */
#ifndef TESTS_TORN_DISK_H
#define TESTS_TORN_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What becomes of what was not synced. */
enum loss {
	LOSS_OF_ALL,
	LOSS_OF_NOTHING, /* as a kill */
	LOSS_IN_LAST_CALL, /* the last write is torn at a sector, all before it is there */
	LOSS_OF_CALLS, /* each is there or not: the disk did them in another order */
	LOSS_OF_SECTORS, /* the same, and of each write 512 bytes are there or not */
	LOSS_OF_PAGES, /* 4,096 bytes */
	LOSSES
};

const char *loss_name(enum loss loss);

/* Files that are there already are durable as they are. A sync that is ignored is the disk's lie: for the test of
 * the test. */
void disk_record(const char *directory, bool ignore_syncs);
void disk_stop(void);
void disk_forget(void);

size_t disk_calls(void); /* noted so far */
const char *disk_call_text(size_t i, char ret[160]); /* "write tuner.db-wal 4096+512" */

/* Makes the files in a directory that exists and is empty. The same seed loses the same. */
void disk_restore(size_t n, enum loss loss, uint64_t seed, const char *directory);

#endif
