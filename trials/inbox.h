/* DATABASE.requests: requests to the process that has a shared database, which nobody else can write. Internal.
 *
 *     ID.request    {"job", "verb", "argument", "created_us"}, put there whole by a rename; ID is the time in
 *                   microseconds, and becomes the id of the row
 *     ID.answer     {"refused", "answer"}: by who has taken the request in, when the answer is committed; then
 *                   ID.request is removed
 *
 * A request whose file is there has no committed answer that was told; its row may be there or not. So it is
 * taken in once and answered, whenever either side is killed. Who asked removes the answer, and who takes requests in
 * removes those that nobody came for. */
#ifndef TRIALS_INBOX_H
#define TRIALS_INBOX_H

#include "trials/event.h"

/* Puts a request in. */
TUNER_MUST_CHECK
bool inbox_add(struct store *store, int64_t job_id, const char *verb, const char *argument,
	int64_t now_us, int64_t *ret_id, struct tuner_error *err);

/* The answer to a request that was put in, if there is one: of *ret only id, answer and refused are set. */
TUNER_MUST_CHECK
bool inbox_load(
	struct store *store, int64_t request_id, struct request *ret, struct tuner_error *err);

/* Makes rows of the requests that are there, in transactions of its own, and answers of the rows' answers.
 * What cannot be understood is moved out of the way: ID.request.bad. */
TUNER_MUST_CHECK
bool inbox_serve(struct store *store, struct tuner_error *err);

#endif
