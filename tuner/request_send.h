/* A request to the process that runs a job, and its answer. */
#ifndef TUNER_REQUEST_SEND_H
#define TUNER_REQUEST_SEND_H

#include "base/text.h"
#include "tuner/command.h"

/* Stores the request and waits at most wait_ms for its answer. *ret_answered false: there was no
 * answer in time, or no process holds the database (any more); the request then stays for the job's
 * next run. A refusal is TUNER_USAGE with the answer as its message. */
TUNER_MUST_CHECK
bool request_send(const struct invocation *call, int64_t job_id, const char *verb,
	const char *argument, int wait_ms, bool *ret_answered, struct text *ret_answer,
	struct tuner_error *err);

/* The same for callers with nothing else to do without an answer: ret_answer then says that the
 * next run will act on it. */
TUNER_MUST_CHECK
bool request_tell(const struct invocation *call, int64_t job_id, const char *verb,
	const struct text *argument, int wait_ms, struct text *ret_answer, struct tuner_error *err);

#endif
