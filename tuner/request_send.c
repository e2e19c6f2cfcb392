#include "tuner/request_send.h"

#include "base/clock.h"
#include "trials/event.h"

#include <time.h>

enum {
	LOOK_MS = 20,
	HOLDER_LOOKS = 10, /* after this many we check whether any process is left to answer */
};

static bool await_answer(struct store *store, int64_t request_id, int wait_ms, bool *ret_answered,
	struct text *ret_answer, struct tuner_error *err)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	const int64_t until_us = clock_monotonic_us() + wait_ms * INT64_C(1000);
	unsigned looks = 0;
	int64_t holder = -1;

	*ret_answered = false;
	while (!*ret_answered && holder != 0 && clock_monotonic_us() < until_us) {
		struct request request;
		nanosleep(&pause, NULL);
		/* Checked before the answer: a process that has released the database has answered
		 * by then, or never will. */
		if (++looks % HOLDER_LOOKS == 0 && !store_holder(store_path(store), &holder, err))
			return false;
		if (!request_load(store, request_id, &request, err))
			return false;
		*ret_answered = request.answer != NULL;
		if (*ret_answered)
			text_add(ret_answer, request.answer);
		const bool refused = request.refused;
		request_finish(&request);
		if (*ret_answered && refused)
			return tuner_fail(err, TUNER_USAGE, "%.500s", ret_answer->bytes);
	}
	return true;
}

bool request_send(const struct invocation *call, int64_t job_id, const char *verb,
	const char *argument, int wait_ms, bool *ret_answered, struct text *ret_answer,
	struct tuner_error *err)
{
	struct store *store = NULL;
	int64_t id;
	const bool ok = command_open(call, STORE_REQUEST, &store, err) &&
			request_add(store, job_id, verb, argument, clock_wall_us(), &id, err) &&
			await_answer(store, id, wait_ms, ret_answered, ret_answer, err);

	store_close(store);
	return ok;
}

bool request_tell(const struct invocation *call, int64_t job_id, const char *verb,
	const struct text *argument, int wait_ms, struct text *ret_answer, struct tuner_error *err)
{
	bool answered = false;

	if (text_failed(argument))
		return tuner_fail_memory(err);
	if (!request_send(call, job_id, verb, argument->bytes, wait_ms, &answered, ret_answer, err))
		return false;
	if (!answered)
		text_add(ret_answer, "the process that holds the database has not answered; the "
				     "next run of the job will do it");
	return true;
}
