/* DATABASE.lease: who writes a database that several machines can reach. Internal.
 *
 * On a network file system a lock may outlive its machine, or not exist at all. So the writer is who
 * has the name DATABASE.lease: it was given to a file of his by link(2), which is atomic on every file system
 * that is shared, and the file says who he is. It is his until he removes it, or until
 *
 *   - he is provably dead: this machine, and the process (pid and start time) is gone or the machine was
 *     started again since; or
 *   - a person says so (lease_revoke, --take-over). Age alone proves nothing.
 *
 * Whoever has lost it finds that out at lease_check, before each commit, and writes nothing more. He writes
 * (when he renews) through the descriptor of his own file only: he cannot touch another's lease.
 *
 * Of several who take a dead owner's lease at once, one makes DATABASE.lease.after-KEY (the dead one's key), and
 * only he may replace DATABASE.lease, after he has seen that it still is the dead one's. */
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
	LEASE_UNKNOWN, /* of another machine (or container), or not to be read */
};

/* This process, without key and times. */
void lease_self(struct lease_owner *ret);

/* What `self` can know about the owner. booted_us: when this machine was started, wall clock. */
enum lease_life lease_judge(
	const struct lease_owner *owner, const struct lease_owner *self, int64_t booted_us);

/* The same for who asks. */
enum lease_life lease_life(const struct lease_owner *owner);

/* Who has the lease. One that cannot be understood has the key "". */
TUNER_MUST_CHECK
bool lease_read(
	const char *database, bool *ret_there, struct lease_owner *ret, struct tuner_error *err);

struct lease;

/* Takes the lease. TUNER_RETRY if somebody has it who is not provably dead: the message names host, pid
 * and age, and how to go on. */
TUNER_MUST_CHECK
bool lease_take(const char *database, struct lease **ret, struct tuner_error *err);

/* That it is still ours. TUNER_FATAL: it is not, and the message says whose it is; nothing more may be written. */
TUNER_MUST_CHECK
bool lease_check(struct lease *lease, struct tuner_error *err);

/* Writes the present time into it, if the last one is old enough. A failure is no loss of the lease: lease_check tells
 * of that. */
void lease_renew(struct lease *lease);

/* Writes into it as of when the copy for readers is, that it is there. */
void lease_note_copy(struct lease *lease, int64_t copied_us);

/* Gives it back, if it is still ours, and frees. NULL is fine. */
void lease_release(struct lease *lease);

/* Takes the lease away from its owner, on a person's word that he is dead: he writes nothing more if he is not.
 * *ret_revoked false: there was none. TUNER_USAGE if the owner lives on this machine. */
TUNER_MUST_CHECK
bool lease_revoke(const char *database, bool *ret_revoked, struct tuner_error *err);

/* Whether files there can be locked (fcntl): some file systems of clusters are mounted without. */
bool lease_has_locks(const struct lease *lease);

/* "process 4711 on node3, which took it 5 min ago and was last heard of 12 s ago". */
void lease_describe(const struct lease_owner *owner, char *ret, size_t size);

#endif
