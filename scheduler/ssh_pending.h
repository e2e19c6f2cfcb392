/* Work left on attempts that have ended in the database: one file per attempt, so that the next
 * process does it. DIRECTORY/fetch-0007-1 holds the attempt's id and its key. */
#ifndef SCHEDULER_SSH_PENDING_H
#define SCHEDULER_SSH_PENDING_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum pending_kind {
	PENDING_FETCH, /* its results are still to be fetched from the host */
	PENDING_FENCE, /* it is lost, but may still be alive there */
	PENDING_KINDS
};

struct pending {
	enum pending_kind kind;
	char trial[32], number[32]; /* "0007", "1" */
	int64_t id;
	char key[64];
};

/* Durable before it returns. */
TUNER_MUST_CHECK
bool pending_add(const char *directory, const struct pending *pending, struct tuner_error *err);
void pending_remove(const char *directory, const struct pending *pending);

/* Lists all of them; none if the directory is missing. A file that cannot be read is a failure,
 * because the attempt of an ignored PENDING_FENCE would run on beside the next attempt. The caller
 * frees *ret. */
TUNER_MUST_CHECK
bool pending_list(
	const char *directory, struct pending **ret, size_t *ret_n, struct tuner_error *err);

/* Whether results of this trial are still to be fetched, from any host; `directories` holds one
 * directory per host. True also if something cannot be read: waiting for a checkpoint in vain costs
 * a minute, ignoring one costs all training so far. */
bool pending_fetch_of(const char *directories, const char *trial);

#endif
