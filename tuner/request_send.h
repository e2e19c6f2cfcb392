/* A request to the process that runs a job, and its answer. */
#ifndef TUNER_REQUEST_SEND_H
#define TUNER_REQUEST_SEND_H

#include "base/text.h"
#include "tuner/command.h"

/* Puts the request in and waits at most wait_ms for its answer. *ret_answered false: nobody answered
 * in time, or nobody holds the database (any more), and the request stays for the next run of the job. A refusal is TUNER_USAGE with the
 * answer as its message. */
TUNER_MUST_CHECK
bool request_send(const struct invocation *call, int64_t job_id, const char *verb,
	const char *argument, int wait_ms, bool *ret_answered, struct text *ret_answer,
	struct tuner_error *err);

/* The same where nothing else is to be done without an answer: ret_answer then says that the next run does it. */
TUNER_MUST_CHECK
bool request_tell(const struct invocation *call, int64_t job_id, const char *verb,
	const struct text *argument, int wait_ms, struct text *ret_answer, struct tuner_error *err);

#endif
