/* DATABASE.lease: names the writer of a database that several machines can reach. Internal.
 *
 * On a network file system a lock may outlive its machine, or not exist at all. So the writer is
 * the process whose own file has the name DATABASE.lease, given by link(2), which is atomic on
 * every shared file system; the file says who the owner is. The lease is the owner's until it
 * removes the name, or until
 *
 *   - it is provably dead: this machine, and the process (pid and start time) is gone or the
 *     machine was restarted since; or
 *   - a person says so (lease_revoke, --take-over). Age alone proves nothing.
 *
 * An owner that has lost its lease finds out at lease_check, before each commit, and writes nothing
 * more. It renews the lease only through the descriptor of its own file, so it cannot touch
 * another's lease.
 *
 * Of several processes that take a dead owner's lease at once, one creates DATABASE.lease.after-KEY
 * (the dead owner's key), and only that process may replace DATABASE.lease, after checking that it
 * is still the dead owner's. */
#ifndef TRIALS_LEASE_H
#define TRIALS_LEASE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { LEASE_KEY_BYTES = 33 };

struct lease_owner {
	char key[LEASE_KEY_BYTES]; /* of this lease: 32 hexadecimal digits; "": it cannot be read */
	char host[65], machine[40], boot[40]; /* name, /etc/machine-id, boot id */
	int64_t pid_namespace, pid, pid_start;
	int64_t since_us, renewed_us; /* wall clock of the owner */
	int64_t copied_us; /* when the copy for readers was made under this lease; 0: not yet */
};

enum lease_life {
	LEASE_ALIVE, /* its process lives on this machine */
	LEASE_DEAD, /* provably */
	LEASE_UNKNOWN, /* of another machine (or container), or not readable */
};

/* Describes this process, without key and times. */
void lease_self(struct lease_owner *ret);

/* What `self` can know about the owner's life. booted_us: when this machine was started, wall
 * clock. */
enum lease_life lease_judge(
	const struct lease_owner *owner, const struct lease_owner *self, int64_t booted_us);

/* The same, with this process as `self`. */
enum lease_life lease_life(const struct lease_owner *owner);

/* The owner of the lease. A lease that cannot be parsed has the key "". */
TUNER_MUST_CHECK
bool lease_read(
	const char *database, bool *ret_there, struct lease_owner *ret, struct tuner_error *err);

struct lease;

/* Takes the lease. TUNER_RETRY if it has an owner that is not provably dead: the message names
 * host, pid and age, and says what to do. */
TUNER_MUST_CHECK
bool lease_take(const char *database, struct lease **ret, struct tuner_error *err);

/* Checks that the lease is still ours. TUNER_FATAL: it is not, and the message names its owner;
 * nothing more may be written. */
TUNER_MUST_CHECK
bool lease_check(struct lease *lease, struct tuner_error *err);

/* Writes the present time into the lease, if the last one is old enough. A failure does not mean
 * that the lease is lost: lease_check detects that. */
void lease_renew(struct lease *lease);

/* Records in the lease that the copy for readers exists, and the time of its state. */
void lease_note_copy(struct lease *lease, int64_t copied_us);

/* Removes the lease, if it is still ours, and frees. NULL is fine. */
void lease_release(struct lease *lease);

/* Takes the lease away from its owner, on a person's word that the owner is dead; if it is not, it
 * writes nothing more. *ret_revoked false: there was no lease. TUNER_USAGE if the owner lives on
 * this machine. */
TUNER_MUST_CHECK
bool lease_revoke(const char *database, bool *ret_revoked, struct tuner_error *err);

/* True if files there can be locked (fcntl): some cluster file systems are mounted without
 * locks. */
bool lease_has_locks(const struct lease *lease);

/* "process 4711 on node3, which took it 5 min ago and was last heard of 12 s ago". */
void lease_describe(const struct lease_owner *owner, char *ret, size_t size);

#endif
