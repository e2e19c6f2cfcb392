/* tuner enqueue: a configuration that a person wants tried next. */
#include "tuner/command.h"

#include "base/clock.h"
#include "base/json.h"
#include "trials/event.h"
#include "tuner/confirmation.h"
#include "tuner/enqueue.h"
#include "tuner/job_open.h"
#include "tuner/request_send.h"
#include "tuner/store_wait.h"
#include "tuner/trial_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_WAIT_MS = 5000 };

/* Refuses an empty configuration, which the strategy would propose anyway: probably a shell
 * variable was empty. */
static bool check_something(
	const struct job_file *file, const double *values, struct tuner_error *err)
{
	for (size_t i = 0; i < file->space.d; i++)
		if (!isnan(values[i]))
			return true;
	return tuner_fail(err, TUNER_USAGE,
		"PARAMETERS names no parameter: expected NAME=VALUE,... or a JSON object");
}

/* Reads and checks what was typed; ret gets it in the space's order. */
static bool read_configuration(
	const struct job *job, const char *typed, struct text *ret, struct tuner_error *err)
{
	struct job_file *file = NULL;
	struct text json = TEXT_EMPTY;
	struct json_document *document = NULL;
	double values[SPACE_PARAMETERS_MAX];
	bool ok = false;

	if (!job_stored_file(job, &file, err) || !configuration_typed(file, typed, &json, err))
		goto out;
	/* Parsed once by our own reader, for its messages and limits. */
	ok = json_parse("PARAMETERS", json.bytes, json.length, &document, err) &&
	     enqueue_allowed(file, err) &&
	     configuration_parse(file, json.bytes, false, values, err) &&
	     check_something(file, values, err);
	if (ok)
		configuration_json(file, values, ret);
	if (text_failed(ret))
		ok = tuner_fail_memory(err);
out:
	json_destroy(document);
	text_finish(&json);
	job_file_destroy(file);
	return ok;
}

/* Refuses a confirmation: "tuner confirm" lists its configurations, and another one would take the
 * place of one of them. */
static bool check_proposes(const struct invocation *call, struct store *store,
	const struct job *job, struct tuner_error *err)
{
	struct text reference = TEXT_EMPTY;
	char *search = NULL;

	if (!confirmation_search_name(store, job, &search, err))
		return false;
	if (search == NULL)
		return true;
	job_reference(call, search, &reference);
	tuner_fail(err, TUNER_USAGE,
		"job %s only trains the best of job %s again: use \"tuner enqueue %s PARAMETERS\" "
		"instead",
		job->name, search, reference.bytes);
	text_finish(&reference);
	free(search);
	return false;
}

static void say_turn(const char *first, const char *later, const char *parameters, int64_t before)
{
	if (before == 0)
		printf("%s %s", first, parameters);
	else
		printf("%s %s, after %lld other%s in the queue", later, parameters,
			(long long)before, before == 1 ? "" : "s");
}

/* When it will be tried: not in a job that has had its trials. */
static bool say_when(const struct invocation *call, struct store *store, const struct job *job,
	const char *parameters, struct tuner_error *err)
{
	int64_t counts[TRIAL_STATES], created = 0, before;
	struct job_file *file = NULL;
	struct text self = TEXT_EMPTY;

	if (!trial_count_own(store, job->id, counts, err) ||
		!enqueue_waiting(store, job->id, &before, err) || !job_stored_file(job, &file, err))
		return false;
	for (int i = 0; i < TRIAL_STATES; i++)
		created += counts[i];
	job_reference(call, job->name, &self);
	if (file->command == NULL) {
		printf("job %s: ", job->name);
		say_turn("the next \"tuner ask\" gives", "\"tuner ask\" gives", parameters, before);
	} else if (job_reason_is_bound(job->reason)) {
		printf("job %s has ended (%s): \"tuner run %s\" ", job->name, job->reason,
			self.bytes);
		say_turn("begins with", "tries", parameters, before);
		printf(", once the job file allows it");
	} else if (created >= job->trial_cap && job->state != JOB_OPEN) {
		printf("job %s is complete after %lld trial%s: \"tuner run %s --trials %lld\" ",
			job->name, (long long)job->trial_cap, job->trial_cap == 1 ? "" : "s",
			self.bytes, (long long)(created + before) + 1);
		say_turn("begins with", "tries", parameters, before);
	} else {
		printf("job %s: the next \"tuner run\" ", job->name);
		say_turn("begins with", "tries", parameters, before);
	}
	putchar('\n');
	text_finish(&self);
	job_file_destroy(file);
	return true;
}

static bool enqueue_here(const struct invocation *call, struct store *store, const struct job *job,
	const char *parameters, struct tuner_error *err)
{
	int64_t id;
	if (!store_begin(store, STORE_DURABLE, err))
		return false;
	if (!queue_add(store, job->id, "", 0, "enqueue", parameters, clock_wall_us(), &id, err)) {
		store_rollback(store);
		return false;
	}
	return store_commit(store, err) && say_when(call, store, job, parameters, err);
}

/* Asks the process that runs the job, which checks again: its job file may be newer than ours. */
static bool ask(const struct invocation *call, const struct job *job, const char *parameters,
	struct tuner_error *err)
{
	struct text argument = TEXT_EMPTY, answer = TEXT_EMPTY;
	text_print(&argument, "{\"parameters\": %s}", parameters);
	const bool ok =
		request_tell(call, job->id, "enqueue", &argument, ANSWER_WAIT_MS, &answer, err);
	if (ok)
		printf("job %s: %s: %s\n", job->name, parameters, answer.bytes);
	text_finish(&argument);
	text_finish(&answer);
	return ok;
}

int cmd_enqueue(const struct invocation *call, struct tuner_error *err)
{
	struct store *store = NULL;
	struct job job = { 0 };
	struct text parameters = TEXT_EMPTY;
	bool ok = false;

	if (!command_open(call, STORE_READ, &store, err) ||
		!command_job(store, call->arguments[0], &job, err) ||
		!check_proposes(call, store, &job, err) ||
		!read_configuration(&job, call->arguments[1], &parameters, err))
		goto out;
	store_close(store);
	store = NULL;
	if (store_open_soon(call->db, STORE_GLANCE_MS, &store, err))
		ok = enqueue_here(call, store, &job, parameters.bytes, err);
	else if (err->code == TUNER_RETRY)
		ok = ask(call, &job, parameters.bytes, err);
out:
	text_finish(&parameters);
	job_finish(&job);
	store_close(store);
	return ok ? EXIT_DONE : -1;
}
