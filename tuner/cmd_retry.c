/* tuner retry: puts trials that ended badly back, to be run again. */
#include "tuner/command.h"

#include "base/clock.h"
#include "base/number.h"
#include "tuner/job_open.h"
#include "tuner/reopen.h"
#include "tuner/request_send.h"
#include "tuner/store_wait.h"
#include "tuner/trial_report.h"

#include <stdlib.h>

enum { ANSWER_WAIT_MS = 5000 };

static bool add_number(struct reopen_wish *wish, const char *typed, struct tuner_error *err)
{
	int64_t number;

	if (!number_to_int64(typed, &number) || number < 1)
		return tuner_fail(err, TUNER_USAGE,
			"--trial: expected a trial's number, found \"%.40s\"", typed);
	if (wish->n == REOPEN_NUMBERS_MAX)
		return tuner_fail(err, TUNER_USAGE,
			"--trial: at most %d at once: --class takes any number",
			REOPEN_NUMBERS_MAX);
	wish->numbers[wish->n++] = number;
	return true;
}

static bool read_wish(
	const struct invocation *call, struct reopen_wish *wish, struct tuner_error *err)
{
	const char *classes[OPTIONS_MAX], *numbers[OPTIONS_MAX];
	const size_t n_classes = invocation_options(call, "class", classes, OPTIONS_MAX);
	const size_t n_numbers = invocation_options(call, "trial", numbers, OPTIONS_MAX);

	for (size_t i = 0; i < n_classes; i++)
		if (!reopen_add_classes(wish, classes[i], err))
			return false;
	for (size_t i = 0; i < n_numbers; i++)
		if (!add_number(wish, numbers[i], err))
			return false;
	return n_classes + n_numbers > 0 ||
	       tuner_fail(err, TUNER_USAGE,
		       "which trials? --class lost,oom-gpu names them by how they ended, --trial N "
		       "by number");
}

/* No process runs anything in this database. */
static bool retry_here(const struct invocation *call, struct store *store, const struct job *job,
	const struct reopen_wish *wish, struct tuner_error *err)
{
	struct job_file *file = NULL;
	struct text text = TEXT_EMPTY, self = TEXT_EMPTY;
	int64_t *numbers = NULL;
	size_t n = 0;

	if (!job_stored_file(job, &file, err))
		return false;
	bool ok = store_begin(store, STORE_DURABLE, err);
	if (ok && !reopen_trials(store, job->id, file, wish, clock_wall_us(), &numbers, &n, err)) {
		store_rollback(store);
		ok = false;
	}
	ok = ok && store_commit(store, err);
	if (ok) {
		reopen_numbers_text(numbers, n, &text);
		job_reference(call, job->name, &self);
		if (job_reason_is_bound(job->reason))
			printf("job %s has ended (%s): \"tuner run %s\" launches %s again, once "
			       "the "
			       "job file allows it\n",
				job->name, job->reason, self.bytes, text.bytes);
		else
			printf("job %s: the next \"tuner run %s\" launches %s again\n", job->name,
				self.bytes, text.bytes);
	}
	text_finish(&self);
	text_finish(&text);
	free(numbers);
	job_file_destroy(file);
	return ok;
}

/* Asks the process that runs the job, since it has the history in memory. */
static bool ask(const struct invocation *call, const struct job *job,
	const struct reopen_wish *wish, struct tuner_error *err)
{
	struct text argument = TEXT_EMPTY, answer = TEXT_EMPTY;

	reopen_wish_write(wish, &argument);
	const bool ok =
		request_tell(call, job->id, "retry", &argument, ANSWER_WAIT_MS, &answer, err);
	if (ok)
		printf("job %s: %s\n", job->name, answer.bytes);
	text_finish(&argument);
	text_finish(&answer);
	return ok;
}

int cmd_retry(const struct invocation *call, struct tuner_error *err)
{
	struct reopen_wish wish = { 0 };
	struct store *store = NULL;
	struct job job = { 0 };
	bool ok = false;

	if (!read_wish(call, &wish, err) || !command_open(call, STORE_READ, &store, err) ||
		!command_job(store, call->n_arguments > 0 ? call->arguments[0] : NULL, &job, err))
		goto out;
	store_close(store);
	store = NULL;
	if (store_open_soon(call->db, STORE_GLANCE_MS, &store, err))
		ok = retry_here(call, store, &job, &wish, err);
	else if (err->code == TUNER_RETRY)
		ok = ask(call, &job, &wish, err);
out:
	job_finish(&job);
	store_close(store);
	return ok ? EXIT_DONE : -1;
}
