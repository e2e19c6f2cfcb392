/* Who uses a GPU: a lock per UUID that all `tuner` processes of a machine see, whichever user runs
 * them.
 *
 *     gpu_lock_claim -> an attempt is launched, and its supervisor takes gpu_lock_share -> gpu_lock_release
 *
 * The lock is a file DIRECTORY/UUID with its owner's name in it. Becoming the owner takes an
 * exclusive flock for an instant, so nobody else may hold the lock; remaining the owner takes a
 * shared flock and one's own name in the file. So trials of one owner share a GPU, and two owners
 * never do. Supervisors hold the lock too, since they outlive `tuner`: after a kill -9 the GPU
 * stays taken for as long as a trial computes on it, and the next run of the same job, which has
 * the same name, finds itself the owner.
 *
 * The lock is advisory: any user can hold one for ever, or compute on a GPU without one. */
#ifndef SCHEDULER_GPU_LOCK_H
#define SCHEDULER_GPU_LOCK_H

#include "base/error.h"

#include <stddef.h>

enum { GPU_OWNER_MAX = 128 };

/* The directory for all users: TUNER_GPU_LOCKS, or /tmp/tuner-gpus. Made (mode 1777) if it is
 * missing. False, with no message: it cannot be made, and GPUs are not locked. */
bool gpu_lock_directory(char *ret, size_t size);

/* DIRECTORY/UUID. False: too long, or no UUID. */
bool gpu_lock_path(const char *directory, const char *uuid, char *ret, size_t size);

enum gpu_claim {
	GPU_CLAIMED, /* *ret_fd holds it until gpu_lock_release */
	GPU_TAKEN, /* by ret_owner; "" if the name cannot be read */
	GPU_UNLOCKABLE, /* the file cannot be made or locked: errno says why */
	GPU_CLAIM_ASKED, /* of a GPU on another machine: its answer is not here yet */
};

/* Does not wait. `owner` names a job of a database, one word of at most GPU_OWNER_MAX - 2 bytes. */
enum gpu_claim gpu_lock_claim(
	const char *path, const char *owner, int *ret_fd, char ret_owner[GPU_OWNER_MAX]);
void gpu_lock_release(int fd); /* does nothing if negative */

#endif
