#include "scheduler/slurm_inside.h"

#include "base/array.h"
#include "base/file.h"
#include "scheduler/attempt_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_LENGTH = 32 };

static int by_key(const void *a, const void *b)
{
	const struct slurm_attempt *const *left = a, *const *right = b;
	return strcmp((*left)->key, (*right)->key);
}

static int key_against(const void *key, const void *item)
{
	const struct slurm_attempt *const *attempt = item;
	return strcmp(key, (*attempt)->key);
}

static const char *key_of(const struct slurm_job *job)
{
	const size_t length = strlen(job->name);
	return length >= KEY_LENGTH ? job->name + length - KEY_LENGTH : job->name;
}

bool slurm_add_stray(struct slurm *slurm, int64_t job, struct tuner_error *err)
{
	for (size_t i = 0; i < slurm->n_strays; i++)
		if (slurm->strays[i] == job)
			return true;
	if (!array_reserve(&slurm->strays, slurm->n_strays, &slurm->strays_capacity,
		    sizeof(*slurm->strays)))
		return tuner_fail_memory(err);
	slurm->strays[slurm->n_strays++] = job;
	return true;
}

void slurm_drop_stray(struct slurm *slurm, int64_t job)
{
	for (size_t i = slurm->n_strays; i-- > 0;)
		if (slurm->strays[i] == job)
			slurm->strays[i] = slurm->strays[--slurm->n_strays];
}

/* Of two jobs for one attempt, prefers the one that runs, then the one that waits, then the older
 * one. */
static bool is_likelier(const struct slurm_job *a, const struct slurm_job *b)
{
	const bool a_final = slurm_state_is_final(a->state),
		   b_final = slurm_state_is_final(b->state);

	if (a_final != b_final)
		return b_final;
	if (!a_final && (a->state >= SLURM_RUNNING) != (b->state >= SLURM_RUNNING))
		return a->state >= SLURM_RUNNING;
	return a->id < b->id;
}

/* A job was submitted twice: its reply was lost, and it appeared in the list too late for us. */
static bool meet(struct slurm *slurm, struct slurm_attempt *attempt, const struct slurm_job *job,
	struct tuner_error *err)
{
	struct slurm_job other = *job;

	if (attempt->met && is_likelier(job, &attempt->seen)) {
		other = attempt->seen;
		attempt->seen = *job;
	} else if (!attempt->met) {
		attempt->seen = *job;
		attempt->met = true;
		return true;
	}
	return slurm_state_is_final(other.state) || slurm_add_stray(slurm, other.id, err);
}

/* Slurm is starting it again, or would: what ran was on a node that Slurm has given up. */
static bool was_requeued(const struct slurm_attempt *attempt, const struct slurm_job *job)
{
	return job->restarts > 0 || job->state == SLURM_REQUEUED ||
	       (job->state == SLURM_PENDING && attempt->has_started);
}

static void describe_end(const struct slurm_job *job, char ret[256])
{
	static const char *const words[SLURM_STATES] = {
		[SLURM_COMPLETED] = "ended",
		[SLURM_FAILED] = "failed",
		[SLURM_CANCELLED] = "was cancelled",
		[SLURM_TIMEOUT] = "reached its time limit",
		[SLURM_OUT_OF_MEMORY] = "ran out of memory",
		[SLURM_PREEMPTED] = "was preempted",
		[SLURM_NODE_FAIL] = "lost its node",
	};
	const char *word = words[job->state] != NULL ? words[job->state] : "was queued again";

	snprintf(ret, 256, "Slurm job %lld %s%s%s", (long long)job->id, word,
		job->nodes[0] != '\0' ? " on " : "", job->nodes);
}

static void take_job(struct slurm *slurm, struct slurm_attempt *attempt)
{
	const struct slurm_job *job = &attempt->seen;
	char message[256];

	attempt->stage = KNOWN;
	attempt->job = job->id;
	attempt->missing = 0;
	if (attempt->vanished) { /* the list without it was wrong */
		attempt->vanished = false;
		attempt->end = SLURM_UNKNOWN;
	}
	attempt->state = job->state;
	if (job->state == SLURM_RUNNING && attempt->running_us == 0)
		attempt->running_us = slurm_now(slurm);
	describe_end(job, message);
	if (was_requeued(attempt, job)) {
		if (!slurm_state_is_final(job->state) && attempt->end == SLURM_UNKNOWN)
			slurm_cancel(slurm, attempt, true);
		slurm_settle(slurm, attempt, SLURM_NODE_FAIL, message);
	} else if (slurm_state_is_final(job->state)) {
		slurm_settle(slurm, attempt, job->state, message);
	}
}

static void vanish(struct slurm *slurm, struct slurm_attempt *attempt)
{
	attempt->stage = KNOWN;
	attempt->vanished = true;
	slurm_settle(slurm, attempt, SLURM_FAILED, "Slurm no longer knows of the job");
}

static bool has_file(const char *directory, const char *name)
{
	char *path = path_join(directory, name);
	const bool there = path != NULL && access(path, F_OK) == 0;

	free(path);
	return there;
}

/* No job of it is queued: it is submitted (again) only if nothing has run either. */
static bool look_up_in_vain(
	struct slurm *slurm, struct slurm_attempt *attempt, struct tuner_error *err)
{
	struct attempt_status status;

	if (!attempt_look_afar(attempt->directory, &status, err))
		return false;
	if (status.life != ATTEMPT_NEVER_RAN)
		vanish(slurm, attempt);
	else if (!has_file(attempt->directory, ATTEMPT_LAUNCH))
		slurm_refuse(slurm, attempt, "it was never prepared for its launch");
	else
		attempt->stage = TO_SUBMIT;
	return true;
}

static bool take_absence(
	struct slurm *slurm, struct slurm_attempt *attempt, struct tuner_error *err)
{
	if (attempt->stage == LOOK_UP && slurm->asked_whole && slurm->asked_us >= attempt->since_us)
		return look_up_in_vain(slurm, attempt, err);
	if (attempt->stage == KNOWN && slurm->asked_us > attempt->since_us &&
		++attempt->missing >= 2)
		vanish(slurm, attempt);
	return true;
}

/* The controller's clock may be behind ours: a job's submission time shows by how much at least. */
static void learn_skew(struct slurm *slurm, const struct slurm_attempt *attempt)
{
	const int64_t skew_us = slurm->asked_wall_us - (attempt->seen.submitted_s + 1) * SECOND;

	if (attempt->seen.submitted_s > 0 && attempt->state == SLURM_UNKNOWN &&
		attempt->stage == KNOWN && slurm->asked_us - attempt->since_us < 5 * SECOND &&
		skew_us > slurm->skew_us)
		slurm->skew_us = skew_us;
}

bool slurm_take_list(struct slurm *slurm, const struct slurm_reply *reply, struct tuner_error *err)
{
	struct slurm_attempt **sorted = calloc(slurm->n + 1, sizeof(*sorted));
	size_t n = 0;
	bool ok = sorted != NULL || tuner_fail_memory(err);

	for (size_t i = 0; ok && i < slurm->n; i++) {
		slurm->attempts[i]->met = false;
		if (slurm->attempts[i]->stage != OVER)
			sorted[n++] = slurm->attempts[i];
	}
	if (ok)
		qsort(sorted, n, sizeof(*sorted), by_key);
	for (size_t i = 0; ok && i < reply->n_jobs; i++) {
		struct slurm_attempt **found =
			bsearch(key_of(&reply->jobs[i]), sorted, n, sizeof(*sorted), key_against);
		ok = found == NULL || meet(slurm, *found, &reply->jobs[i], err);
	}
	for (size_t i = 0; ok && i < n; i++) {
		if (sorted[i]->met) {
			learn_skew(slurm, sorted[i]);
			take_job(slurm, sorted[i]);
		} else {
			ok = take_absence(slurm, sorted[i], err);
		}
	}
	free(sorted);
	return ok;
}
