/* Taking turns at a database: the commands that write it for an instant wait for one another, and others for
 * them. */
#ifndef TUNER_STORE_WAIT_H
#define TUNER_STORE_WAIT_H

#include "trials/store.h"

#include <stdint.h>

enum { STORE_WAIT_MS = 30000 };

/* What an ask or tell takes at most in all but the largest jobs: for who then goes another way, and for who then
 * gives up. */
enum { STORE_GLANCE_MS = 300, STORE_INSTANT_MS = 1000 };

/* Opens for writing, and while another process has the lock, tries again for at most wait_ms. Then
 * TUNER_RETRY names the holder: its pid and what it was started as. Other errors as store_open. */
TUNER_MUST_CHECK
bool store_open_waiting(
	const char *path, int64_t wait_ms, struct store **ret, struct tuner_error *err);

/* Until the next look at the lock, after so long a wait; now_us makes it another one each time. */
int64_t store_wait_pause_us(int64_t waited_us, int64_t now_us);

/* The same for who waits for an ask or tell only: after wait_ms, the error of store_open. */
TUNER_MUST_CHECK
bool store_open_soon(
	const char *path, int64_t wait_ms, struct store **ret, struct tuner_error *err);

/* Who may run this job: as store_holder, and 0 where the holder runs another job of the database. */
TUNER_MUST_CHECK
bool store_job_holder(
	struct store *store, int64_t job_id, int64_t *ret_pid, struct tuner_error *err);

#endif
