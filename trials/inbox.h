/* DATABASE.requests: requests to the process that owns a shared database, which no other process
 * can write. Internal.
 *
 *     ID.request    {"job", "verb", "argument", "created_us"}, put there whole by a rename; ID is
 *                   the time in microseconds, and becomes the id of the row
 *     ID.answer     {"refused", "answer"}: written by the process that took the request, when
 *                   the answer is committed; then ID.request is removed
 *
 * While ID.request exists, no committed answer has been published; the row may exist or not. So a
 * request is taken once and answered, whenever either side is killed. The asker removes the answer;
 * the process that takes requests removes answers that nobody has fetched. */
#ifndef TRIALS_INBOX_H
#define TRIALS_INBOX_H

#include "trials/event.h"

/* Writes the file of a request. */
TUNER_MUST_CHECK
bool inbox_add(struct store *store, int64_t job_id, const char *verb, const char *argument,
	int64_t now_us, int64_t *ret_id, struct tuner_error *err);

/* The answer to such a request, if there is one: only id, answer and refused of *ret are set. */
TUNER_MUST_CHECK
bool inbox_load(
	struct store *store, int64_t request_id, struct request *ret, struct tuner_error *err);

/* Inserts rows for the requests that are there, in transactions of its own, and writes answer files
 * from the rows' answers. A request that cannot be understood is renamed to ID.request.bad. */
TUNER_MUST_CHECK
bool inbox_serve(struct store *store, struct tuner_error *err);

#endif
