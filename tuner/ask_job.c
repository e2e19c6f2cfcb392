#include "tuner/ask_job.h"

#include "base/number.h"
#include "tuner/job_argument.h"
#include "tuner/job_open.h"
#include "tuner/store_wait.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_lease(const struct invocation *call, struct ask_job *job, struct tuner_error *err)
{
	const char *text = invocation_option(call, "lease");
	int64_t *lease_us = &job->settings.lease_us;
	if (text == NULL || (number_to_duration_us(text, lease_us) && *lease_us > 0))
		return true;
	return tuner_fail(err, TUNER_USAGE, "--lease takes a time such as 30m, not \"%s\"", text);
}

static bool has_one_strategy(const struct job_file *file, struct tuner_error *err)
{
	return file->n_arms == 0 || tuner_fail(err, TUNER_USAGE,
					    "the job compares arms, which only \"tuner run\" can "
					    "do: ask with a file that has "
					    "one strategy");
}

static bool begin(struct ask_job *job, struct tuner_error *err)
{
	if (gethostname(job->host, sizeof(job->host) - 1) != 0)
		strcpy(job->host, "localhost");
	job->settings.file = job->file;
	job->settings.store = job->store;
	job->settings.host = job->host;
	return ask_tell_open(&job->settings, &job->ask_tell, err);
}

static bool read_file(const struct invocation *call, struct ask_job *job, struct tuner_error *err)
{
	return read_lease(call, job, err) &&
	       job_argument_read(call, COMMAND_IGNORED, &job->file, err) &&
	       has_one_strategy(job->file, err); /* before any of it is stored */
}

static bool take_file(const struct invocation *call, struct ask_job *job, struct tuner_error *err)
{
	struct job_opening opening;
	const bool accept_change = invocation_option(call, "accept-change") != NULL;
	if (!store_open_waiting(call->db, STORE_WAIT_MS, &job->store, err) ||
		!job_open(job->store, job->file, accept_change, invocation_option(call, "db"),
			&opening, err))
		return false;
	fputs(opening.warm_start.bytes, stderr);
	if (opening.changes.length > 0)
		fprintf(stderr, "the job file was edited:\n%s", opening.changes.bytes);
	job_opening_finish(&opening);
	job->settings.job_id = opening.job_id;
	return true;
}

static bool refuse_overrides(const struct invocation *call, struct tuner_error *err)
{
	static const char *const options[] = { "set", "seed", "name" };
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (invocation_option(call, options[i]) != NULL)
			return tuner_fail(err, TUNER_USAGE,
				"--%s changes a job file, and \"%s\" is not one", options[i],
				call->arguments[0]);
	return true;
}

static bool open_stored(const struct invocation *call, bool may_be_file, struct ask_job *ret,
	struct tuner_error *err)
{
	const char *name = call->arguments[0];
	struct job job = { 0 };
	if (!refuse_overrides(call, err) || !read_lease(call, ret, err))
		return false;
	if (access(call->db, F_OK) != 0)
		return tuner_fail(err, TUNER_USAGE,
			"there is no database \"%s\" with a job \"%s\": \"tuner ask FILE\" makes "
			"one, --db or TUNER_DB names another",
			call->db, name);
	const bool ok = store_open_waiting(call->db, STORE_WAIT_MS, &ret->store, err) &&
			(may_be_file ? command_job_or_file(ret->store, name, &job, err)
				     : command_job(ret->store, name, &job, err)) &&
			job_stored_file(&job, &ret->file, err) && has_one_strategy(ret->file, err);
	ret->settings.job_id = job.id;
	job_finish(&job);
	return ok && begin(ret, err);
}

bool ask_job_open_stored(
	const struct invocation *call, struct ask_job *ret, struct tuner_error *err)
{
	return open_stored(call, false, ret, err);
}

bool ask_job_open(const struct invocation *call, struct ask_job *ret, struct tuner_error *err)
{
	if (!job_argument_is_file(call->arguments[0]))
		return open_stored(call, true, ret, err);
	return read_file(call, ret, err) && take_file(call, ret, err) && begin(ret, err);
}

bool ask_job_open_in_memory(
	const struct invocation *call, struct ask_job *ret, struct tuner_error *err)
{
	if (!job_argument_is_file(call->arguments[0]))
		return tuner_fail(err, TUNER_USAGE,
			"there is no file \"%s\"; a stored job needs its database: --db",
			call->arguments[0]);
	return read_file(call, ret, err) &&
	       (ret->file->warm_start.n == 0 ||
		       tuner_fail(err, TUNER_USAGE,
			       "\"warm_start\" needs a database to take its trials into: --db "
			       "PATH")) &&
	       begin(ret, err);
}

void ask_job_close(struct ask_job *job)
{
	ask_tell_close(job->ask_tell);
	job_file_destroy(job->file);
	store_close(job->store);
	*job = (struct ask_job){ 0 };
}
