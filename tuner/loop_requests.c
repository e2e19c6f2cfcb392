#include "tuner/loop_inside.h"

#include "base/clock.h"
#include "base/json.h"
#include "tuner/enqueue.h"
#include "tuner/gc.h"
#include "tuner/job_open.h"
#include "tuner/reopen.h"
#include "tuner/version.h"

#include <stdlib.h>
#include <string.h>

enum { KEPT_MAX = 1000000000 };

static bool request_stop_trial(
	struct loop *loop, const cJSON *trial, struct text *answer, struct tuner_error *err)
{
	int64_t number = 0;
	if (!json_whole(trial, 1, JSON_WHOLE_MAX, &number))
		return tuner_fail(err, TUNER_USAGE, "which trial is to be stopped?");
	for (size_t i = 0; i < loop->n_lives; i++) {
		if (loop->lives[i]->number != number)
			continue;
		text_print(answer, "trial %lld is being stopped", (long long)number);
		loop_stop_live(loop->lives[i], OUTCOME_USER_STOPPED, STOPPED_BY_USER,
			loop->file->grace_us + KILL_SLACK_US);
		return true;
	}
	for (size_t i = 0; i < loop->n_retries; i++) {
		if (loop->retries[i].number != number)
			continue;
		text_print(answer, "trial %lld is stopped: it was to be launched again",
			(long long)number);
		return loop_stop_retry(loop, i, STOPPED_BY_USER, err);
	}
	return tuner_fail(err, TUNER_USAGE, "trial %lld is not running", (long long)number);
}

static bool request_stop(
	struct loop *loop, const cJSON *argument, struct text *answer, struct tuner_error *err)
{
	const cJSON *trial = cJSON_GetObjectItemCaseSensitive(argument, "trial");
	if (trial != NULL)
		return request_stop_trial(loop, trial, answer, err);
	loop_drain(loop, EXIT_DONE, JOB_STOPPED, STOPPED_BY_USER);
	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(argument, "wait"))) {
		text_print(answer, "no new trials; waiting for %zu running trial%s", loop->n_lives,
			loop->n_lives == 1 ? "" : "s");
		return true;
	}
	loop->end_state = JOB_STOPPED; /* it may have been about to end by itself */
	text_print(answer, "%zu running trial%s being stopped", loop->n_lives,
		loop->n_lives == 1 ? " is" : "s are");
	loop_stop_lives(loop, OUTCOME_INTERRUPTED, loop->reason, STOP_GRACE_US);
	return true;
}

static bool request_enqueue(
	struct loop *loop, const cJSON *argument, struct text *answer, struct tuner_error *err)
{
	const int64_t job_id = loop->settings->job_id;
	if (!enqueue_requested(loop->store, job_id, loop->file, argument, err))
		return false;
	if (loop->phase != SEARCHING) {
		text_print(answer, "it is queued, but this run proposes nothing more: %s",
			loop->reason);
		return true;
	}
	if (loop_may_propose(loop))
		return enqueue_turn(loop->store, job_id, answer, err);
	text_add(answer, "it is queued, but the budget is spent: raise budget.trials");
	return true;
}

static bool request_retry(
	struct loop *loop, const cJSON *argument, struct text *answer, struct tuner_error *err)
{
	struct reopen_wish wish;
	int64_t *numbers = NULL;
	size_t n = 0;
	if (!reopen_wish_read(argument, &wish, err) ||
		!reopen_trials(loop->store, loop->settings->job_id, loop->file, &wish,
			clock_wall_us(), &numbers, &n, err))
		return false;
	const bool ok = loop_take_back(loop, numbers, n, err);
	reopen_numbers_text(numbers, n, answer);
	text_add(answer, n == 1 ? " is" : " are");
	text_add(answer, loop->phase == SEARCHING ? " launched again as slots become free"
						  : " launched again by the next run");
	if (job_reason_is_bound(loop->reason))
		text_add(answer, ", once the job file allows it");
	free(numbers);
	return ok;
}

static bool request_drain(
	struct loop *loop, const cJSON *argument, struct text *answer, struct tuner_error *err)
{
	const cJSON *host = cJSON_GetObjectItemCaseSensitive(argument, "host");
	const cJSON *drain = cJSON_GetObjectItemCaseSensitive(argument, "drain");
	if (!cJSON_IsString(host) || !cJSON_IsBool(drain))
		return tuner_fail(err, TUNER_USAGE, "drain: which host?");
	return loop_drain_host(loop, host->valuestring, cJSON_IsTrue(drain), answer, err);
}

static bool request_add_hosts(
	struct loop *loop, const cJSON *argument, struct text *answer, struct tuner_error *err)
{
	const cJSON *hosts = cJSON_GetObjectItemCaseSensitive(argument, "hosts");
	char *json = cJSON_IsArray(hosts) ? json_print(hosts, 0) : NULL;
	const bool ok = json != NULL ? loop_add_hosts(loop, json, answer, err)
				     : tuner_fail(err, TUNER_USAGE, "which hosts are to be added?");
	free(json);
	return ok;
}

static bool request_budget(
	struct loop *loop, const cJSON *argument, struct text *answer, struct tuner_error *err)
{
	const cJSON *budget = cJSON_GetObjectItemCaseSensitive(argument, "budget");
	char *json = cJSON_IsObject(budget) ? json_print(budget, 0) : NULL;
	const bool ok = json != NULL ? loop_edit_budget(loop, json, answer, err)
				     : tuner_fail(err, TUNER_USAGE, "budget: which one?");
	free(json);
	return ok;
}

static bool request_gc(
	struct loop *loop, const cJSON *argument, struct text *answer, struct tuner_error *err)
{
	const cJSON *best = cJSON_GetObjectItemCaseSensitive(argument, "best");
	const cJSON *last = cJSON_GetObjectItemCaseSensitive(argument, "last");
	struct job_keep keep = { .last = 0 };
	int64_t n, bytes;
	char size[BYTES_TEXT];
	if (!json_whole(best, 1, KEPT_MAX, &keep.best) ||
		(last != NULL && !json_whole(last, 0, KEPT_MAX, &keep.last)))
		return tuner_fail(err, TUNER_USAGE, "how many of the best are to be kept?");
	if (!gc_decide(loop->store, loop->settings->job_id, &keep, &n, &bytes, err))
		return false;
	text_print(answer, "the files of %lld attempts are being removed, %s", (long long)n,
		bytes_text(bytes, size));
	loop->keeping.look = loop->keeping.due = true;
	return true;
}

/* A request to stop a run that has ended by itself must not stop the next one, which may also have begun
 * with a later budget. */
static bool is_stale(const struct loop *loop, const struct request *request)
{
	return (strcmp(request->verb, "stop") == 0 || strcmp(request->verb, "budget") == 0) &&
	       request->created_us < loop->began_wall_us;
}

/* Executes one request; a refusal is an answer too. Runs within an open transaction. */
static bool serve_request(struct loop *loop, const struct request *request, struct tuner_error *err)
{
	struct tuner_error refused = { TUNER_OK, "" };
	struct text answer = TEXT_EMPTY;
	cJSON *argument = cJSON_Parse(request->argument);
	bool done;

	if (is_stale(loop, request))
		done = tuner_fail(&refused, TUNER_USAGE, "the run had ended already");
	else if (strcmp(request->verb, "stop") == 0)
		done = request_stop(loop, argument, &answer, &refused);
	else if (strcmp(request->verb, "enqueue") == 0)
		done = request_enqueue(loop, argument, &answer, &refused);
	else if (strcmp(request->verb, "retry") == 0)
		done = request_retry(loop, argument, &answer, &refused);
	else if (strcmp(request->verb, "drain") == 0)
		done = request_drain(loop, argument, &answer, &refused);
	else if (strcmp(request->verb, "add-hosts") == 0)
		done = request_add_hosts(loop, argument, &answer, &refused);
	else if (strcmp(request->verb, "budget") == 0)
		done = request_budget(loop, argument, &answer, &refused);
	else if (strcmp(request->verb, "gc") == 0)
		done = request_gc(loop, argument, &answer, &refused);
	else
		done = tuner_fail(&refused, TUNER_USAGE, "this tuner (%s) does not know \"%s\"",
			TUNER_VERSION, request->verb);
	if (!done && refused.code == TUNER_USAGE)
		text_add(&answer, refused.message);
	cJSON_Delete(argument);
	bool ok = done || refused.code == TUNER_USAGE;
	if (!ok)
		*err = refused;
	ok = ok &&
	     loop_store_stops(loop, err) && /* so that the next run knows what the answer says */
	     request_answer(loop->store, request->id, !done, answer.bytes, clock_wall_us(), err);
	text_finish(&answer);
	return ok;
}

bool loop_serve_requests(struct loop *loop, struct tuner_error *err)
{
	for (;;) {
		struct request request;
		bool found;
		if (!request_next(loop->store, loop->settings->job_id, &request, &found, err))
			return false;
		if (!found)
			return true;
		bool ok = store_begin(loop->store, STORE_DURABLE, err);
		if (ok && !serve_request(loop, &request, err)) {
			store_rollback(loop->store);
			ok = false;
		}
		ok = ok && store_commit(loop->store, err);
		request_finish(&request);
		if (!ok)
			return false;
	}
}
