/* tuner stop: asks the living `tuner run` to stop, or, without one, ends what survived it. */
#include "tuner/command.h"

#include "base/clock.h"
#include "trials/trial.h"
#include "tuner/job_open.h"
#include "tuner/loop.h"
#include "tuner/request_send.h"
#include "tuner/store_wait.h"
#include "tuner/trial_report.h"

#include <poll.h>
#include <string.h>

enum { ANSWER_WAIT_MS = 10000, TRIAL_MAX = 100000000 };

static bool write_argument(
	const struct invocation *call, struct text *argument, struct tuner_error *err)
{
	int64_t trial;
	if (!invocation_integer(call, "trial", 1, TRIAL_MAX, 0, &trial, err))
		return false;
	text_print(argument, "{\"wait\": %s",
		invocation_option(call, "wait") != NULL ? "true" : "false");
	if (trial > 0)
		text_print(argument, ", \"trial\": %lld", (long long)trial);
	text_add(argument, "}");
	return true;
}

/* Asks the `tuner run` that holds the database, which may be running another job. */
static bool ask(const struct invocation *call, const struct job *job, const char *argument,
	bool *ret_answered, struct tuner_error *err)
{
	struct text answer = TEXT_EMPTY;
	const bool ok = request_send(
		call, job->id, "stop", argument, ANSWER_WAIT_MS, ret_answered, &answer, err);
	if (ok && *ret_answered)
		printf("job %s: %s\n", job->name, answer.bytes);
	text_finish(&answer);
	return ok;
}

/* Counts attempts that may be alive, and those that a caller evaluates, which we leave alone. */
static bool count_open(struct store *store, const struct job *job, int64_t *ret_open,
	int64_t *ret_asked, struct tuner_error *err)
{
	struct attempt_list attempts;
	if (!attempt_select(store, job->id, 0, &attempts, err))
		return false;
	*ret_open = *ret_asked = 0;
	for (size_t i = 0; i < attempts.n; i++)
		++*(strcmp(attempts.items[i].backend, ATTEMPT_CALLER) != 0 ? ret_open : ret_asked);
	attempt_list_finish(&attempts);
	return true;
}

/* Whether the trial is to be launched again, and nothing of it can be alive. */
static bool waits(
	struct store *store, const struct trial *trial, bool *ret, struct tuner_error *err)
{
	struct attempt_list attempts;
	if (!attempt_select(store, trial->job_id, trial->id, &attempts, err))
		return false;
	*ret = trial->state == TRIAL_PROPOSED &&
	       (attempts.n == 0 || attempts.items[attempts.n - 1].state == ATTEMPT_ENDED);
	attempt_list_finish(&attempts);
	return true;
}

static bool store_stop(struct store *store, int64_t trial_id, struct tuner_error *err)
{
	if (!store_begin(store, STORE_DURABLE, err))
		return false;
	if (trial_stop(store, trial_id, STOPPED_BY_USER, clock_wall_us(), err))
		return store_commit(store, err);
	store_rollback(store);
	return false;
}

/* Ends the trial that --trial names if it waits for its next attempt. */
static bool stop_waiting(const struct invocation *call, struct store *store, const struct job *job,
	bool *ret_stopped, struct tuner_error *err)
{
	struct trial_filter one = { .job_id = job->id, .repeat = -1, .without_values = true };
	struct trial_list list;
	bool ok = true;

	*ret_stopped = false;
	if (invocation_option(call, "trial") == NULL)
		return true;
	if (!invocation_integer(call, "trial", 1, TRIAL_MAX, 0, &one.number, err) ||
		!trial_select(store, &one, &list, err))
		return false;
	if (list.n == 1)
		ok = waits(store, &list.items[0], ret_stopped, err) &&
		     (!*ret_stopped || store_stop(store, list.items[0].id, err));
	if (ok && *ret_stopped)
		printf("job %s: trial %lld is stopped: it was to be launched again\n", job->name,
			(long long)one.number);
	trial_list_finish(&list);
	return ok;
}

/* Ends the attempts that an earlier process left behind. */
static bool stop_survivors(
	struct store *store, const struct job *job, int64_t n, struct tuner_error *err)
{
	struct loop_result result = { .log_tail = TEXT_EMPTY };
	struct job_file *file = NULL;
	struct pool pool = { .n = 0 };
	char note[300];
	bool ok = false;

	if (!job_stored_file(job, &file, err) ||
		!pool_open(&pool, file, store_path(store), false, note, err))
		goto out;
	const struct loop_settings settings = {
		.file = file,
		.store = store,
		.job_id = job->id,
		.pool = &pool,
		.stop_only = true,
	};
	ok = loop_run(&settings, &result, err);
	if (ok)
		printf("job %s: %lld trial%s \"tuner run\" %s stopped\n", job->name, (long long)n,
			n == 1 ? " that outlived its" : "s that outlived their",
			n == 1 ? "was" : "were");
	for (size_t h = 0; ok && h < pool.n; h++)
		if (pool.hosts[h].backend->ops->remote && !pool.hosts[h].up)
			printf("host %s did not answer: anything still running there is ended when "
			       "it answers the next \"tuner run\"\n",
				pool.hosts[h].name);
out:
	text_finish(&result.log_tail);
	pool_finish(&pool);
	job_file_destroy(file);
	return ok;
}

/* ---- lost attempts of hosts that were away: their trials have long ended elsewhere ---- */

static size_t count_lost(const struct pool *pool)
{
	size_t n = 0;
	for (size_t h = 0; h < pool->n; h++)
		n += pool_left(pool, h).lost;
	return n;
}

/* Records that the attempt has turned up, as `tuner run` would. */
static bool take_late(struct store *store, struct host *host, const struct backend_event *event,
	struct tuner_error *err)
{
	if (!store_begin(store, STORE_DURABLE, err))
		return false;
	if (!attempt_late(store, event->attempt,
		    event->message[0] != '\0' ? event->message : "ended by \"tuner stop\"",
		    event->exit.ended_us, clock_wall_us(), err)) {
		store_rollback(store);
		return false;
	}
	if (!store_commit(store, err))
		return false;
	host->backend->ops->forget(host->backend, event->attempt);
	return true;
}

static bool end_lost(struct store *store, struct pool *pool, struct tuner_error *err)
{
	enum { DESCRIPTORS = 64, LOOK_MS = 200 };
	struct pollfd fds[DESCRIPTORS];
	struct backend_event event;
	size_t h;
	bool got;

	while (count_lost(pool) > 0 && pool_is_busy(pool)) {
		if (!pool_next(pool, &event, &h, &got, err) ||
			(got && event.kind == BACKEND_LATE &&
				!take_late(store, &pool->hosts[h], &event, err)))
			return false;
		if (!got)
			poll(fds, pool_descriptors(pool, fds, DESCRIPTORS), LOOK_MS);
	}
	return true;
}

static void say_lost(const struct job *job, const struct pool *pool, size_t before)
{
	const size_t after = count_lost(pool);

	if (before == 0)
		printf("job %s: nothing is running\n", job->name);
	if (before > after)
		printf("job %s: %zu lost attempt%s, whose results no longer count, %s ended\n",
			job->name, before - after, before - after == 1 ? "" : "s",
			before - after == 1 ? "is" : "are");
	for (size_t h = 0; h < pool->n; h++)
		if (pool_left(pool, h).lost > 0)
			printf("host %s did not answer: anything still running there is ended by "
			       "the next \"tuner stop\" or \"tuner run\" that it answers\n",
				pool->hosts[h].name);
}

static bool stop_lost(struct store *store, const struct job *job, struct tuner_error *err)
{
	struct job_file *file = NULL;
	struct pool pool = { .n = 0 };
	char note[300];
	bool ok = job_stored_file(job, &file, err), any = false;

	for (size_t h = 0; ok && h < file->n_hosts; h++)
		any |= file->hosts[h].ssh != NULL;
	if (ok && !any) {
		say_lost(job, &pool, 0);
	} else if (ok && (ok = pool_open(&pool, file, store_path(store), false, note, err))) {
		const size_t before = count_lost(&pool);
		ok = end_lost(store, &pool, err);
		if (ok)
			say_lost(job, &pool, before);
	}
	pool_finish(&pool);
	job_file_destroy(file);
	return ok;
}

static void say_asked(const struct invocation *call, const struct job *job, int64_t asked)
{
	struct text self = TEXT_EMPTY;
	job_reference(call, job->name, &self);
	if (asked > 0)
		printf("%lld of its trials %s asked for but not yet told: \"tuner tell %s TRIAL "
		       "--failed user-stopped\" gives one up\n",
			(long long)asked, asked == 1 ? "was" : "were", self.bytes);
	text_finish(&self);
}

static bool refuse_survivors(
	const struct invocation *call, const struct job *job, int64_t open, struct tuner_error *err)
{
	struct text self = TEXT_EMPTY;

	job_reference(call, job->name, &self);
	tuner_fail(err, TUNER_USAGE,
		"no \"tuner run\" is running job %s, but %lld of its trials live on: \"tuner stop "
		"%s\" ends them all, \"tuner run %s\" takes them over",
		job->name, (long long)open, self.bytes, self.bytes);
	text_finish(&self);
	return false;
}

/* No process runs anything in this database. */
static bool stop_here(const struct invocation *call, struct store *store, const struct job *job,
	struct tuner_error *err)
{
	int64_t open, asked;
	bool stopped;
	if (!count_open(store, job, &open, &asked, err) ||
		!stop_waiting(call, store, job, &stopped, err))
		return false;
	if (stopped)
		return true;
	if (open == 0) {
		if (!stop_lost(store, job, err))
			return false;
		say_asked(call, job, asked);
		return true;
	}
	if (invocation_option(call, "trial") != NULL || invocation_option(call, "wait") != NULL)
		return refuse_survivors(call, job, open, err);
	return stop_survivors(store, job, open, err);
}

/* The lock itself decides, not a check of its holder, which may change meanwhile. *ret_held:
 * another process holds it, and nothing was done. */
static bool stop_alone(const struct invocation *call, const struct job *job, bool *ret_held,
	struct tuner_error *err)
{
	struct store *store = NULL;
	bool ok = false;
	if (store_open_soon(call->db, STORE_GLANCE_MS, &store, err))
		ok = stop_here(call, store, job, err);
	*ret_held = store == NULL && err->code == TUNER_RETRY;
	store_close(store);
	return ok;
}

/* The request stays with the job: a run finds it at its next check. */
static bool fail_unanswered(
	const struct invocation *call, const struct job *job, struct tuner_error *err)
{
	struct tuner_error ignored;
	struct store *store = NULL;
	int64_t pid = -1;
	const bool known = store_open(call->db, STORE_READ, &store, &ignored) &&
			   store_job_holder(store, job->id, &pid, &ignored);
	store_close(store);
	if (known && pid > 0)
		return tuner_fail(err, TUNER_RETRY,
			"process %lld, which runs job %s, has not answered for %d s: if it was "
			"suspended, \"kill -CONT %lld\" resumes it, and it then ends the job",
			(long long)pid, job->name, ANSWER_WAIT_MS / 1000, (long long)pid);
	return tuner_fail(err, TUNER_RETRY,
		"the process that holds \"%s\" does not answer for job %s: it may be running "
		"another job of the same database",
		call->db, job->name);
}

static bool stop(const struct invocation *call, const struct job *job, const char *argument,
	struct tuner_error *err)
{
	bool held, answered;
	if (stop_alone(call, job, &held, err))
		return true;
	if (!held || !ask(call, job, argument, &answered, err))
		return false;
	/* An ask or tell that held the lock longer than a glance answers no requests, and has
	 * finished by now. */
	if (answered || stop_alone(call, job, &held, err))
		return true;
	return held && fail_unanswered(call, job, err);
}

int cmd_stop(const struct invocation *call, struct tuner_error *err)
{
	struct store *store = NULL;
	struct job job = { 0 };
	struct text argument = TEXT_EMPTY;
	bool ok = false;

	if (!write_argument(call, &argument, err) || !command_open(call, STORE_READ, &store, err) ||
		!command_job(store, call->n_arguments > 0 ? call->arguments[0] : NULL, &job, err))
		goto out;
	store_close(store);
	store = NULL;
	ok = stop(call, &job, argument.bytes, err);
out:
	text_finish(&argument);
	job_finish(&job);
	store_close(store);
	return ok ? EXIT_DONE : -1;
}
