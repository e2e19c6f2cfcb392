/* The append-only log of facts, and the requests of other processes. */
#ifndef TRIALS_EVENT_H
#define TRIALS_EVENT_H

#include "trials/store.h"

#include <stddef.h>

/* Appends a fact. Ids rise in commit order and are never reused. trial_id and attempt_id may be 0.
 * `data` is JSON; NULL is {}. */
TUNER_MUST_CHECK
bool event_add(struct store *store, int64_t job_id, int64_t trial_id, int64_t attempt_id,
	const char *kind, const char *data, int64_t now_us, int64_t *ret_id,
	struct tuner_error *err);

/* Id of the job's last event; 0 if there is none. */
TUNER_MUST_CHECK
bool event_last(struct store *store, int64_t job_id, int64_t *ret_id, struct tuner_error *err);

struct event {
	int64_t id, trial_number, time_us; /* trial_number 0: about the job */
	char *kind, *data;
};

struct event_list {
	struct event *items;
	size_t n;
};

/* Events of a job with id > after, oldest first, at most limit (0: all). */
TUNER_MUST_CHECK
bool event_select(struct store *store, int64_t job_id, int64_t after, int64_t limit,
	struct event_list *ret, struct tuner_error *err);
/* All events of a trial, oldest first. */
TUNER_MUST_CHECK
bool event_select_trial(
	struct store *store, int64_t trial_id, struct event_list *ret, struct tuner_error *err);
void event_list_finish(struct event_list *list);

/* The job's edits, oldest first. trial_number: the last trial proposed before the edit; 0: none. */
TUNER_MUST_CHECK
bool event_edits(
	struct store *store, int64_t job_id, struct event_list *ret, struct tuner_error *err);

/* The data of the job's first event of this kind that is not about a trial; *ret is NULL if there
 * is none. The caller frees it. Scans the events from the first on. */
TUNER_MUST_CHECK
bool event_of_job(
	struct store *store, int64_t job_id, const char *kind, char **ret, struct tuner_error *err);

/* A request: a verb with JSON arguments, appended by a command while another process runs the job,
 * executed and answered by that process within a tick. request_add is a transaction of its own and
 * works with STORE_REQUEST. On a network file system a request is a file, and request_load then
 * sets no verb. */
struct request {
	int64_t id, job_id, created_us;
	char *verb, *argument; /* "stop", "enqueue"; JSON */
	char *answer; /* NULL: not yet */
	bool refused;
};

void request_finish(struct request *request);

TUNER_MUST_CHECK
bool request_add(struct store *store, int64_t job_id, const char *verb, const char *argument,
	int64_t now_us, int64_t *ret_id, struct tuner_error *err);

/* The oldest unanswered request of the job. */
TUNER_MUST_CHECK
bool request_next(struct store *store, int64_t job_id, struct request *ret, bool *ret_found,
	struct tuner_error *err);
TUNER_MUST_CHECK
bool request_answer(struct store *store, int64_t request_id, bool refused, const char *answer,
	int64_t now_us, struct tuner_error *err);
TUNER_MUST_CHECK
bool request_load(
	struct store *store, int64_t request_id, struct request *ret, struct tuner_error *err);

#endif
