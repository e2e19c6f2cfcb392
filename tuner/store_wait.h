/* Taking turns at a database: the commands that write it for an instant wait for one another. */
#ifndef TUNER_STORE_WAIT_H
#define TUNER_STORE_WAIT_H

#include "trials/store.h"

enum { STORE_WAIT_MS = 30000 };

/* Opens for writing, and while another process has the lock, tries again for at most wait_ms. Then
 * TUNER_RETRY names the holder: its pid and what it was started as. Other errors as store_open. */
TUNER_MUST_CHECK
bool store_open_waiting(
	const char *path, int64_t wait_ms, struct store **ret, struct tuner_error *err);

#endif
