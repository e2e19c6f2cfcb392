/* Configurations that people queue: as typed, and as requests from one process to another. */
#ifndef TUNER_ENQUEUE_H
#define TUNER_ENQUEUE_H

#include "tuner/jobfile.h"

#include <cjson/cJSON.h>

/* Converts "x=0.3,y=adam" or a JSON object to a JSON object of the job's parameters; values are not
 * checked. Appended. */
TUNER_MUST_CHECK
bool configuration_typed(const struct job_file *file, const char *typed, struct text *ret_json,
	struct tuner_error *err);

/* Checks {"parameters": {...}} against the job file and queues it, in the open transaction. TUNER_USAGE if
 * it does not fit. */
TUNER_MUST_CHECK
bool enqueue_requested(struct store *store, int64_t job_id, const struct job_file *file,
	const cJSON *argument, struct tuner_error *err);

/* How many configurations are to be tried before the one queued last; and the same in words,
 * appended. */
TUNER_MUST_CHECK
bool enqueue_waiting(
	struct store *store, int64_t job_id, int64_t *ret_others, struct tuner_error *err);
TUNER_MUST_CHECK
bool enqueue_turn(struct store *store, int64_t job_id, struct text *ret, struct tuner_error *err);

/* TUNER_USAGE for a job that compares arms. */
TUNER_MUST_CHECK
bool enqueue_allowed(const struct job_file *file, struct tuner_error *err);

#endif
