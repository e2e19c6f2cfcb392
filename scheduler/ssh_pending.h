/* What is still to be done about attempts that have ended in the database: a file for each, so that the
 * next process does it. DIRECTORY/fetch-0007-1 holds the attempt's id and its key. */
#ifndef SCHEDULER_SSH_PENDING_H
#define SCHEDULER_SSH_PENDING_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum pending_kind {
	PENDING_FETCH, /* its results are still on the host */
	PENDING_FENCE, /* it may still live there, though it is lost */
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

/* All of them; no directory, none. What cannot be read is a failure: of a fence that is passed over, what it names
 * would live on beside the next attempt. The caller frees *ret. */
TUNER_MUST_CHECK
bool pending_list(
	const char *directory, struct pending **ret, size_t *ret_n, struct tuner_error *err);

/* Whether results of this trial are still to be fetched, from any host: directories side by side. Of what cannot be read it is taken for
 * granted: a checkpoint that is waited for in vain costs a minute, one that is passed over all that was trained. */
bool pending_fetch_of(const char *directories, const char *trial);

#endif
