#include "scheduler/slurm_inside.h"

#include "base/clock.h"
#include "base/file.h"
#include "scheduler/attempt_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A list requested this soon after a failed submit may have been made before the submit arrived. */
static const int64_t LOOK_UP_US = 1 * SECOND;
/* Lists may say "unchanged", by clocks that differ, so now and then a full list is requested. */
static const int64_t WHOLE_US = 30 * SECOND;
static const int64_t SKEW_US = 2 * SECOND;
static const int64_t IDLE_US = 10 * SECOND;
static const int64_t RETRY_US = 2 * SECOND, RETRY_MAX_US = 10 * SECOND;

/* ---- whether the host answers ---- */

static void through(struct slurm *slurm)
{
	slurm->failures = 0;
	slurm->told = slurm->told && slurm->up;
	slurm->up = true;
	slurm->trouble[0] = '\0';
}

/* A single failure may be an accident, unless it is the first reply. */
static void not_through(struct slurm *slurm, const char *message)
{
	const int64_t wait_us = RETRY_US << (slurm->failures < 4 ? slurm->failures : 4);

	slurm->failures++;
	slurm->next_list_us = slurm_now(slurm) + (wait_us < RETRY_MAX_US ? wait_us : RETRY_MAX_US);
	snprintf(slurm->trouble, sizeof(slurm->trouble), "%.255s", message);
	if (slurm->up ? slurm->failures < 2 : slurm->told)
		return;
	slurm->told = false;
	slurm->up = false;
}

bool slurm_host_event(struct slurm *slurm, struct backend_event *ret)
{
	if (slurm->told || (!slurm->up && slurm->failures == 0))
		return false;
	slurm->told = true;
	*ret = (struct backend_event){ .kind = slurm->up ? BACKEND_HOST_UP : BACKEND_HOST_DOWN };
	snprintf(ret->message, sizeof(ret->message), "%s", slurm->trouble);
	return true;
}

/* ---- replies ---- */

static bool take_submit(
	struct slurm *slurm, const struct slurm_reply *reply, struct tuner_error *err)
{
	struct slurm_attempt *attempt = slurm->subject;

	if (reply->result == SLURM_OK || reply->result == SLURM_REFUSED)
		through(slurm);
	else
		not_through(slurm, reply->message);
	if (reply->result == SLURM_REFUSED && reply->job > 0 &&
		!slurm_add_stray(slurm, reply->job, err))
		return false;
	if (attempt == NULL) /* forgotten meanwhile: the job is not wanted */
		return reply->result != SLURM_OK || slurm_add_stray(slurm, reply->job, err);
	switch (reply->result) {
	case SLURM_OK:
		attempt->stage = KNOWN;
		attempt->job = reply->job;
		attempt->since_us = slurm_now(slurm);
		slurm->look_at_us = 0;
		break;
	case SLURM_REFUSED:
		attempt->job = reply->job;
		slurm_refuse(slurm, attempt, reply->message);
		break;
	case SLURM_UNREACHABLE:
		attempt->stage = TO_SUBMIT;
		break;
	case SLURM_UNCLEAR:
		attempt->stage = LOOK_UP;
		attempt->since_us = slurm_now(slurm) + LOOK_UP_US;
		break;
	}
	return true;
}

/* A job that Slurm refuses to cancel has ended or does not exist: the list will show. */
static void take_cancel(struct slurm *slurm, const struct slurm_reply *reply)
{
	struct slurm_attempt *attempt = slurm->subject;
	const bool done = reply->result == SLURM_OK || reply->result == SLURM_REFUSED;

	if (done)
		through(slurm);
	else
		not_through(slurm, reply->message);
	if (done)
		slurm_drop_stray(slurm, slurm->asked_job);
	if (attempt == NULL)
		return;
	attempt->cancel = !done;
	attempt->cancel_at_us = slurm_now(slurm) + RETRY_US;
}

static bool take_reply(
	struct slurm *slurm, const struct slurm_reply *reply, struct tuner_error *err)
{
	const int64_t now_us = slurm_now(slurm);

	slurm->busy = false;
	free(slurm->script);
	slurm->script = NULL;
	if (reply->kind == SLURM_SUBMIT)
		return take_submit(slurm, reply, err);
	if (reply->kind == SLURM_CANCEL) {
		take_cancel(slurm, reply);
		return true;
	}
	if (reply->result != SLURM_OK) {
		not_through(slurm, reply->message);
		return true;
	}
	/* Slow requests are not repeated often. */
	const int64_t took_us = now_us - slurm->asked_us;
	const int64_t poll_us = slurm->host.transport->poll_us;
	slurm->next_list_us = now_us + (5 * took_us > poll_us ? 5 * took_us : poll_us);
	slurm->list_wall_us = slurm->asked_wall_us;
	if (slurm->asked_whole)
		slurm->whole_us = slurm->asked_us;
	through(slurm);
	return reply->unchanged || slurm_take_list(slurm, reply, err);
}

/* ---- requests ---- */

static bool ask(struct slurm *slurm, const struct slurm_request *request,
	struct slurm_attempt *subject, struct tuner_error *err)
{
	struct tuner_error failed = { TUNER_OK, "" };

	slurm->asked = request->kind;
	slurm->subject = subject;
	slurm->asked_us = slurm_now(slurm);
	slurm->asked_wall_us = clock_wall_us();
	if (slurm->host.transport->ops->send(slurm->host.transport, request, &failed)) {
		slurm->busy = true;
		return true;
	}
	/* A missing program, or a passing lack of memory, counts as no answer. */
	if (failed.code != TUNER_USAGE && failed.code != TUNER_RETRY)
		return tuner_fail(err, failed.code, "%s", failed.message);
	not_through(slurm, failed.message);
	return true;
}

/* Beside the jobs' directories: ROOT of ROOT/JOB/0007/1. */
static char *root_of(const char *directory)
{
	char *trial = path_directory(directory), *job = trial ? path_directory(trial) : NULL;
	char *root = job ? path_directory(job) : NULL;

	free(trial);
	free(job);
	return root;
}

static bool copy_programs(
	struct slurm *slurm, const struct slurm_attempt *attempt, struct tuner_error *err)
{
	char *root = root_of(attempt->directory);
	struct slurm_programs copies;

	if (root == NULL)
		return tuner_fail_memory(err);
	if (slurm->root != NULL && strcmp(slurm->root, root) == 0) {
		free(root);
		return true;
	}
	if (!slurm_programs_copy(slurm->supervisor, root, &copies, err)) {
		free(root);
		return false;
	}
	free(slurm->root);
	slurm_programs_finish(&slurm->copies);
	slurm->root = root;
	slurm->copies = copies;
	return true;
}

static bool write_script(
	struct slurm *slurm, const struct slurm_attempt *attempt, struct tuner_error *err)
{
	free(slurm->script_path);
	free(slurm->log);
	slurm->script_path = slurm->log = NULL;
	if (!copy_programs(slurm, attempt, err))
		return false;
	slurm->script = slurm_script(slurm->host.settings, &slurm->copies, attempt->directory,
		attempt->key, slurm->host.gpu_look_us);
	slurm->script_path = path_join(attempt->directory, ATTEMPT_JOB_SCRIPT);
	slurm->log = path_join(attempt->directory, ATTEMPT_JOB_LOG);
	if (slurm->script == NULL || slurm->script_path == NULL || slurm->log == NULL)
		return tuner_fail_memory(err);
	return file_write_atomic(
		slurm->script_path, slurm->script, strlen(slurm->script), 0700, false, err);
}

static bool submit(struct slurm *slurm, struct slurm_attempt *attempt, struct tuner_error *err)
{
	struct tuner_error failed = { TUNER_OK, "" };

	if (!write_script(slurm, attempt, &failed)) {
		free(slurm->script);
		slurm->script = NULL;
		slurm_refuse(slurm, attempt, failed.message);
		return true;
	}
	attempt->stage = SUBMITTING;
	const struct slurm_request request = {
		.kind = SLURM_SUBMIT,
		.name = attempt->name,
		.script = slurm->script,
		.script_path = slurm->script_path,
		.directory = attempt->directory,
		.log = slurm->log,
	};
	if (!ask(slurm, &request, attempt, err))
		return false;
	if (!slurm->busy)
		attempt->stage = TO_SUBMIT;
	return true;
}

static bool looks_up(const struct slurm *slurm)
{
	for (size_t i = 0; i < slurm->n; i++)
		if (slurm->attempts[i]->stage == LOOK_UP)
			return true;
	return false;
}

static bool list(struct slurm *slurm, struct tuner_error *err)
{
	const int64_t now_us = slurm_now(slurm);

	slurm->asked_whole =
		slurm->whole_us == 0 || now_us - slurm->whole_us >= WHOLE_US || looks_up(slurm);
	const struct slurm_request request = { .kind = SLURM_LIST,
		.since_us =
			slurm->asked_whole ? 0 : slurm->list_wall_us - SKEW_US - slurm->skew_us };
	return ask(slurm, &request, NULL, err);
}

static bool send_cancel(struct slurm *slurm, int64_t job, bool kill, struct slurm_attempt *subject,
	struct tuner_error *err)
{
	const struct slurm_request request = { .kind = SLURM_CANCEL, .job = job, .kill = kill };

	slurm->asked_job = job;
	return ask(slurm, &request, subject, err);
}

static bool has_live(const struct slurm *slurm)
{
	for (size_t i = 0; i < slurm->n; i++)
		if (slurm->attempts[i]->stage != OVER)
			return true;
	return false;
}

/* When the next list is due; never if we only end jobs and have none to end. */
static int64_t list_due_us(const struct slurm *slurm)
{
	const bool live = has_live(slurm);

	if (!live && !slurm->host.starts)
		return INT64_MAX;
	if (!live && slurm->up && slurm->failures == 0)
		return slurm->next_list_us + IDLE_US;
	return slurm->next_list_us;
}

static bool may_submit(const struct slurm *slurm)
{
	return slurm->up && slurm->failures == 0;
}

/* The next request. A list that is due comes before submits, so that a long queue of submits does
 * not keep us from news. */
static bool ask_next(struct slurm *slurm, struct tuner_error *err)
{
	const int64_t now_us = slurm_now(slurm);

	for (size_t i = 0; i < slurm->n; i++) {
		struct slurm_attempt *attempt = slurm->attempts[i];
		if (attempt->cancel && attempt->job > 0 && now_us >= attempt->cancel_at_us)
			return send_cancel(slurm, attempt->job, attempt->cancel_kill, attempt, err);
	}
	if (now_us >= list_due_us(slurm))
		return list(slurm, err);
	if (slurm->n_strays > 0 && slurm->failures == 0)
		return send_cancel(slurm, slurm->strays[slurm->n_strays - 1], true, NULL, err);
	for (size_t i = 0; i < slurm->n && may_submit(slurm); i++) {
		struct slurm_attempt *attempt = slurm->attempts[i];
		if (attempt->stage == TO_SUBMIT && attempt->signal == 0 && !attempt->refused)
			return submit(slurm, attempt, err);
	}
	return true;
}

/* When the next request is due, if none is in progress. */
int64_t slurm_next_request_us(const struct slurm *slurm)
{
	int64_t next_us = list_due_us(slurm);

	if (slurm->n_strays > 0 && slurm->failures == 0)
		return 0;
	for (size_t i = 0; i < slurm->n; i++) {
		const struct slurm_attempt *attempt = slurm->attempts[i];
		if (attempt->cancel && attempt->job > 0 && attempt->cancel_at_us < next_us)
			next_us = attempt->cancel_at_us;
		if (attempt->stage == TO_SUBMIT && may_submit(slurm))
			return 0;
	}
	return next_us;
}

bool slurm_exchange(struct slurm *slurm, struct tuner_error *err)
{
	struct slurm_reply reply;
	bool got = false;

	if (slurm->busy &&
		!slurm->host.transport->ops->receive(slurm->host.transport, &reply, &got, err))
		return false;
	if (got && !take_reply(slurm, &reply, err))
		return false;
	return slurm->busy || ask_next(slurm, err);
}
