/* Taking turns at a database: commands that write it only for an instant wait for one another, and
 * others wait for them. */
#ifndef TUNER_STORE_WAIT_H
#define TUNER_STORE_WAIT_H

#include "trials/store.h"

#include <stdint.h>

enum { STORE_WAIT_MS = 30000 };

/* The longest that an ask or tell takes in all but the largest jobs: for callers with another way
 * to continue, and for those that then give up. */
enum { STORE_GLANCE_MS = 300, STORE_INSTANT_MS = 1000 };

/* Opens for writing, retrying for at most wait_ms while another process holds the lock. After that
 * TUNER_RETRY names the holder: its pid and its command line. Other errors as store_open. */
TUNER_MUST_CHECK
bool store_open_waiting(
	const char *path, int64_t wait_ms, struct store **ret, struct tuner_error *err);

/* The pause before the next try, after a wait of waited_us; now_us makes it vary. */
int64_t store_wait_pause_us(int64_t waited_us, int64_t now_us);

/* The same for callers that wait only for an ask or tell: after wait_ms, store_open's error. */
TUNER_MUST_CHECK
bool store_open_soon(
	const char *path, int64_t wait_ms, struct store **ret, struct tuner_error *err);

/* The process that may be running this job: as store_holder, but 0 if the holder runs another job
 * of the database. */
TUNER_MUST_CHECK
bool store_job_holder(
	struct store *store, int64_t job_id, int64_t *ret_pid, struct tuner_error *err);

#endif
