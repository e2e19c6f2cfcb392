#include "scheduler/slurm.h"

#include "base/clock.h"
#include "base/file.h"
#include "scheduler/attempt_files.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND INT64_C(1000000)

/* A list that begins so soon after a submit that went wrong may have been made before it arrived. */
static const int64_t LOOK_UP_US = 1 * SECOND;
/* The same for what an earlier process may have been submitting when it died. */
static const int64_t ADOPT_US = 2 * SECOND;
/* How long we wait for Slurm to say why a command was ended. */
static const int64_t WORD_US = 30 * SECOND;
/* How long files may take to be seen here, after Slurm has said that a job is over. */
static const int64_t FILES_US = 10 * SECOND;
/* A job of a node that Slurm has given up may run on; after this silence it does not. */
static const int64_t SILENCE_LOST_US = 30 * SECOND;
/* One that Slurm holds for running, but that has been silent for so long, is ended. */
static const int64_t SILENCE_DEAD_US = 120 * SECOND;
static const int64_t SILENCE_LOOK_US = 10 * SECOND;
/* Lists may say "unchanged", by clocks that differ; now and then all is asked for. */
static const int64_t WHOLE_US = 30 * SECOND;
static const int64_t SKEW_US = 2 * SECOND;
static const int64_t IDLE_US = 10 * SECOND;
static const int64_t RETRY_US = 2 * SECOND, RETRY_MAX_US = 10 * SECOND;
/* Looking at files takes at most a hundredth of our time, on a slow file system too. */
static const int64_t LOOKS_MIN_US = 100000, LOOKS_MAX_US = 2 * SECOND, LOOKS_SHARE = 100;

enum {
	KEY_LENGTH = 32,
	LOG_BYTES_MAX = 1 << 20,
	/* So many of those that wait, the oldest first, may begin before the next list tells of it. */
	WAITING_LOOKS = 16,
};

enum stage { LOOK_UP, TO_SUBMIT, SUBMITTING, KNOWN, OVER };

struct slurm_attempt {
	int64_t id;
	char *directory, *key, *name;
	enum stage stage;
	int64_t since_us; /* LOOK_UP: a list begun later decides. KNOWN: when it was submitted */
	int64_t job; /* 0: not known */
	struct slurm_job seen; /* in the list that is being read */
	bool met;
	unsigned missing; /* lists in a row without it */
	enum slurm_state state; /* as last told */
	int64_t running_us; /* since when it runs; 0: never seen to */
	enum slurm_state end; /* SLURM_UNKNOWN: not known yet */
	bool vanished; /* Slurm no longer knows of it */
	int64_t end_us; /* when we came to know */
	bool has_started, told_started;
	int64_t started_us; /* wall clock */
	bool has_exit;
	struct exit_record exit;
	int64_t exit_us; /* when we saw it */
	int signal; /* asked for: 0, SIGTERM ..., SIGKILL */
	bool cancel, cancel_kill; /* to be sent */
	int64_t cancel_at_us; /* not before */
	bool given_up; /* we had Slurm end it, because it no longer lives */
	int64_t silence_look_us;
	bool refused;
	unsigned pass; /* of the last look at its files */
	char message[256]; /* why it was refused, or ended */
};

struct slurm {
	struct backend backend;
	struct slurm_host host;
	char *supervisor;
	char *root,
		*copy; /* of the last submit: where its attempt lies, and the supervisor's copy there */
	struct slurm_attempt **attempts;
	size_t n, capacity;
	int64_t *strays; /* jobs that must not run, and belong to no attempt */
	size_t n_strays, strays_capacity;

	bool busy; /* a request is under way */
	enum slurm_request_kind asked;
	struct slurm_attempt *subject; /* of SUBMIT and CANCEL; NULL: a stray's, or forgotten */
	int64_t asked_job; /* of CANCEL */
	char *script, *script_path, *log;
	int64_t asked_us, asked_wall_us; /* when */
	bool asked_whole;

	int64_t next_list_us, whole_us, list_wall_us, skew_us;
	bool up, told; /* as last told */
	unsigned failures; /* requests in a row that did not get through */
	char trouble[256];

	unsigned pass;
	int64_t look_at_us, pass_cost_us;
};

static struct slurm *slurm_of(struct backend *backend)
{
	return (struct slurm *)backend;
}

static int64_t now_of(const struct slurm *slurm)
{
	return slurm->host.now_us != NULL ? slurm->host.now_us(slurm->host.context)
					  : clock_monotonic_us();
}

static struct slurm_attempt *find(const struct slurm *slurm, int64_t id)
{
	for (size_t i = 0; i < slurm->n; i++)
		if (slurm->attempts[i]->id == id)
			return slurm->attempts[i];
	return NULL;
}

/* ---- an attempt's entry ---- */

static void attempt_destroy(struct slurm_attempt *attempt)
{
	if (attempt == NULL)
		return;
	free(attempt->directory);
	free(attempt->key);
	free(attempt->name);
	free(attempt);
}

/* "JOB.0007.1-KEY" from .../JOB/0007/1: for people, and for us. */
static char *job_name(const char *directory, const char *key)
{
	struct text name = TEXT_EMPTY;
	const char *parts = directory + strlen(directory);

	for (int slashes = 0; parts > directory; parts--)
		if (parts[-1] == '/' && ++slashes == 3)
			break;
	for (; *parts != '\0' && name.length < 150; parts++)
		text_add_char(&name, *parts == '/' ? '.' : *parts);
	text_print(&name, "-%s", key);
	return text_take(&name);
}

static struct slurm_attempt *attempt_new(int64_t id, const char *directory, const char *key)
{
	struct slurm_attempt *attempt = calloc(1, sizeof(*attempt));
	if (attempt == NULL)
		return NULL;
	attempt->id = id;
	attempt->directory = strdup(directory);
	attempt->key = strdup(key);
	attempt->name = job_name(directory, key);
	if (attempt->directory != NULL && attempt->key != NULL && attempt->name != NULL)
		return attempt;
	attempt_destroy(attempt);
	return NULL;
}

static bool keep(struct slurm *slurm, struct slurm_attempt *attempt)
{
	if (slurm->n == slurm->capacity) {
		const size_t capacity = slurm->capacity > 0 ? 2 * slurm->capacity : 16;
		struct slurm_attempt **attempts =
			reallocarray(slurm->attempts, capacity, sizeof(*attempts));
		if (attempts == NULL)
			return false;
		slurm->attempts = attempts;
		slurm->capacity = capacity;
	}
	slurm->attempts[slurm->n++] = attempt;
	return true;
}

/* Slurm's word on how it ended; the first one stays. */
static void settle(struct slurm *slurm, struct slurm_attempt *attempt, enum slurm_state end,
	const char *message)
{
	if (attempt->end != SLURM_UNKNOWN)
		return;
	attempt->end = end;
	attempt->end_us = now_of(slurm);
	attempt->pass = 0;
	snprintf(attempt->message, sizeof(attempt->message), "%.255s", message);
	slurm->look_at_us = 0;
}

static void refuse(struct slurm *slurm, struct slurm_attempt *attempt, const char *message)
{
	attempt->refused = true;
	attempt->pass = 0;
	snprintf(attempt->message, sizeof(attempt->message), "%.255s", message);
	slurm->look_at_us = 0;
}

static void cancel(struct slurm *slurm, struct slurm_attempt *attempt, bool kill)
{
	attempt->cancel = true;
	attempt->cancel_kill |= kill;
	attempt->cancel_at_us = now_of(slurm);
}

/* ---- whether the host answers ---- */

static void through(struct slurm *slurm)
{
	slurm->failures = 0;
	slurm->told = slurm->told && slurm->up;
	slurm->up = true;
	slurm->trouble[0] = '\0';
}

/* One failure may be an accident, unless it is the first thing that we hear. */
static void not_through(struct slurm *slurm, const char *message)
{
	const int64_t wait_us = RETRY_US << (slurm->failures < 4 ? slurm->failures : 4);

	slurm->failures++;
	slurm->next_list_us = now_of(slurm) + (wait_us < RETRY_MAX_US ? wait_us : RETRY_MAX_US);
	snprintf(slurm->trouble, sizeof(slurm->trouble), "%.255s", message);
	if (slurm->up ? slurm->failures < 2 : slurm->told)
		return;
	slurm->told = false;
	slurm->up = false;
}

static bool host_event(struct slurm *slurm, struct backend_event *ret)
{
	if (slurm->told || (!slurm->up && slurm->failures == 0))
		return false;
	slurm->told = true;
	*ret = (struct backend_event){ .kind = slurm->up ? BACKEND_HOST_UP : BACKEND_HOST_DOWN };
	snprintf(ret->message, sizeof(ret->message), "%s", slurm->trouble);
	return true;
}

/* ---- what the list says ---- */

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

static bool add_stray(struct slurm *slurm, int64_t job, struct tuner_error *err)
{
	for (size_t i = 0; i < slurm->n_strays; i++)
		if (slurm->strays[i] == job)
			return true;
	if (slurm->n_strays == slurm->strays_capacity) {
		const size_t capacity = slurm->strays_capacity > 0 ? 2 * slurm->strays_capacity : 8;
		int64_t *strays = reallocarray(slurm->strays, capacity, sizeof(*strays));
		if (strays == NULL)
			return tuner_fail_memory(err);
		slurm->strays = strays;
		slurm->strays_capacity = capacity;
	}
	slurm->strays[slurm->n_strays++] = job;
	return true;
}

/* Of two jobs for one attempt, that which runs; else that which waits; else the older one. */
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

/* A job was submitted twice: its reply was lost, and it came to the list too late for us. */
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
	return slurm_state_is_final(other.state) || add_stray(slurm, other.id, err);
}

/* Slurm starts it again, or would: whatever ran was on a node that it has given up. */
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
	if (attempt->vanished) { /* the list that had it not was wrong */
		attempt->vanished = false;
		attempt->end = SLURM_UNKNOWN;
	}
	attempt->state = job->state;
	if (job->state == SLURM_RUNNING && attempt->running_us == 0)
		attempt->running_us = now_of(slurm);
	describe_end(job, message);
	if (was_requeued(attempt, job)) {
		if (!slurm_state_is_final(job->state) && attempt->end == SLURM_UNKNOWN)
			cancel(slurm, attempt, true);
		settle(slurm, attempt, SLURM_NODE_FAIL, message);
	} else if (slurm_state_is_final(job->state)) {
		settle(slurm, attempt, job->state, message);
	}
}

static void vanish(struct slurm *slurm, struct slurm_attempt *attempt)
{
	attempt->stage = KNOWN;
	attempt->vanished = true;
	settle(slurm, attempt, SLURM_FAILED, "Slurm no longer knows of the job");
}

static bool has_file(const char *directory, const char *name)
{
	char *path = path_join(directory, name);
	const bool there = path != NULL && access(path, F_OK) == 0;

	free(path);
	return there;
}

/* Nothing of it is queued: only if nothing has run either it is submitted (again). */
static bool look_up_in_vain(
	struct slurm *slurm, struct slurm_attempt *attempt, struct tuner_error *err)
{
	struct attempt_status status;

	if (!attempt_look_afar(attempt->directory, &status, err))
		return false;
	if (status.life != ATTEMPT_NEVER_RAN)
		vanish(slurm, attempt);
	else if (!has_file(attempt->directory, ATTEMPT_LAUNCH))
		refuse(slurm, attempt, "it was never prepared for its launch");
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

/* The controller's clock may be behind ours: by how much at least, a job's time of submission tells. */
static void learn_skew(struct slurm *slurm, const struct slurm_attempt *attempt)
{
	const int64_t skew_us = slurm->asked_wall_us - (attempt->seen.submitted_s + 1) * SECOND;

	if (attempt->seen.submitted_s > 0 && attempt->state == SLURM_UNKNOWN &&
		attempt->stage == KNOWN && slurm->asked_us - attempt->since_us < 5 * SECOND &&
		skew_us > slurm->skew_us)
		slurm->skew_us = skew_us;
}

static bool take_list(struct slurm *slurm, const struct slurm_reply *reply, struct tuner_error *err)
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

/* ---- replies ---- */

static bool take_submit(
	struct slurm *slurm, const struct slurm_reply *reply, struct tuner_error *err)
{
	struct slurm_attempt *attempt = slurm->subject;

	if (reply->result == SLURM_OK || reply->result == SLURM_REFUSED)
		through(slurm);
	else
		not_through(slurm, reply->message);
	if (reply->result == SLURM_REFUSED && reply->job > 0 && !add_stray(slurm, reply->job, err))
		return false;
	if (attempt == NULL) /* forgotten meanwhile: nobody wants the job */
		return reply->result != SLURM_OK || add_stray(slurm, reply->job, err);
	switch (reply->result) {
	case SLURM_OK:
		attempt->stage = KNOWN;
		attempt->job = reply->job;
		attempt->since_us = now_of(slurm);
		slurm->look_at_us = 0;
		break;
	case SLURM_REFUSED:
		refuse(slurm, attempt, reply->message);
		break;
	case SLURM_UNREACHABLE:
		attempt->stage = TO_SUBMIT;
		break;
	case SLURM_UNCLEAR:
		attempt->stage = LOOK_UP;
		attempt->since_us = now_of(slurm) + LOOK_UP_US;
		break;
	}
	return true;
}

static void drop_stray(struct slurm *slurm, int64_t job)
{
	for (size_t i = slurm->n_strays; i-- > 0;)
		if (slurm->strays[i] == job)
			slurm->strays[i] = slurm->strays[--slurm->n_strays];
}

/* One that Slurm refuses to cancel has ended, or is not there: the list will tell. */
static void take_cancel(struct slurm *slurm, const struct slurm_reply *reply)
{
	struct slurm_attempt *attempt = slurm->subject;
	const bool done = reply->result == SLURM_OK || reply->result == SLURM_REFUSED;

	if (done)
		through(slurm);
	else
		not_through(slurm, reply->message);
	if (done)
		drop_stray(slurm, slurm->asked_job);
	if (attempt == NULL)
		return;
	attempt->cancel = !done;
	attempt->cancel_at_us = now_of(slurm) + RETRY_US;
}

static bool take_reply(
	struct slurm *slurm, const struct slurm_reply *reply, struct tuner_error *err)
{
	const int64_t now_us = now_of(slurm);

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
	/* What takes long is not asked for often. */
	const int64_t took_us = now_us - slurm->asked_us;
	const int64_t poll_us = slurm->host.transport->poll_us;
	slurm->next_list_us = now_us + (5 * took_us > poll_us ? 5 * took_us : poll_us);
	slurm->list_wall_us = slurm->asked_wall_us;
	if (slurm->asked_whole)
		slurm->whole_us = slurm->asked_us;
	through(slurm);
	return reply->unchanged || take_list(slurm, reply, err);
}

/* ---- requests ---- */

static bool ask(struct slurm *slurm, const struct slurm_request *request,
	struct slurm_attempt *subject, struct tuner_error *err)
{
	struct tuner_error failed = { TUNER_OK, "" };

	slurm->asked = request->kind;
	slurm->subject = subject;
	slurm->asked_us = now_of(slurm);
	slurm->asked_wall_us = clock_wall_us();
	if (slurm->host.transport->ops->send(slurm->host.transport, request, &failed)) {
		slurm->busy = true;
		return true;
	}
	/* There is no such program here, or no memory for once: as if nobody answered. */
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

static bool copy_supervisor(
	struct slurm *slurm, const struct slurm_attempt *attempt, struct tuner_error *err)
{
	char *root = root_of(attempt->directory), *copy = NULL;

	if (root == NULL)
		return tuner_fail_memory(err);
	if (slurm->root != NULL && strcmp(slurm->root, root) == 0) {
		free(root);
		return true;
	}
	if (!slurm_supervisor(slurm->supervisor, root, &copy, err)) {
		free(root);
		return false;
	}
	free(slurm->root);
	free(slurm->copy);
	slurm->root = root;
	slurm->copy = copy;
	return true;
}

static bool write_script(
	struct slurm *slurm, const struct slurm_attempt *attempt, struct tuner_error *err)
{
	free(slurm->script_path);
	free(slurm->log);
	slurm->script_path = slurm->log = NULL;
	if (!copy_supervisor(slurm, attempt, err))
		return false;
	slurm->script = slurm_script(slurm->host.settings, slurm->copy, attempt->directory);
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
		refuse(slurm, attempt, failed.message);
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
	const int64_t now_us = now_of(slurm);

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

/* When the next list is due; never for one who only ends things and has nothing to end. */
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

/* The next thing to ask for. Lists come before submits once they are due, so that a long queue of those
 * does not make us deaf. */
static bool ask_next(struct slurm *slurm, struct tuner_error *err)
{
	const int64_t now_us = now_of(slurm);

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

static bool exchange(struct slurm *slurm, struct tuner_error *err)
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

/* ---- what the files say ---- */

/* An end that needs no word from Slurm: by itself and well, or because we asked for it. */
static bool speaks_for_itself(const struct slurm_attempt *attempt)
{
	const struct exit_record *exit = &attempt->exit;

	return attempt->signal != 0 || exit->kind == EXIT_NO_START || exit->kind == EXIT_TIMEOUT ||
	       (exit->kind == EXIT_CODE && exit->code == 0);
}

/* What was ended from outside, and by whom: the record alone cannot tell. */
static void explain_exit(const struct slurm_attempt *attempt, struct exit_record *exit)
{
	if (speaks_for_itself(attempt))
		return;
	switch (attempt->end) {
	case SLURM_TIMEOUT:
		exit->kind = EXIT_TIMEOUT;
		break;
	case SLURM_OUT_OF_MEMORY:
		exit->out_of_memory = true;
		break;
	case SLURM_PREEMPTED:
	case SLURM_CANCELLED:
	case SLURM_NODE_FAIL:
		exit->kind = EXIT_STOPPED;
		exit->stop_signal = SIGTERM;
		break;
	default:
		break;
	}
}

static void ended_event(
	struct slurm_attempt *attempt, const struct exit_record *exit, struct backend_event *ret)
{
	attempt->stage = OVER;
	attempt->cancel = false;
	ret->kind = BACKEND_ENDED;
	ret->exit = *exit;
}

static void last_line(const char *directory, char ret[160])
{
	struct tuner_error ignored;
	struct text log = TEXT_EMPTY;
	char *path = path_join(directory, ATTEMPT_JOB_LOG);
	size_t end = 0;

	ret[0] = '\0';
	if (path != NULL && access(path, F_OK) == 0 &&
		file_read(path, LOG_BYTES_MAX, &log, &ignored))
		end = log.length;
	while (end > 0 && strchr(" \t\r\n", log.bytes[end - 1]) != NULL)
		end--;
	size_t start = end;
	while (start > 0 && log.bytes[start - 1] != '\n')
		start--;
	snprintf(ret, 160, "%.*s", (int)(end - start < 159 ? end - start : 159), log.bytes + start);
	free(path);
	text_finish(&log);
}

/* Nothing of the command has run. */
static void failed_event(struct slurm_attempt *attempt, struct backend_event *ret)
{
	char line[160] = "";

	attempt->stage = OVER;
	attempt->cancel = attempt->cancel && attempt->job > 0;
	ret->kind = BACKEND_FAILED;
	if (attempt->job > 0 && attempt->end == SLURM_FAILED && !attempt->vanished)
		last_line(attempt->directory, line);
	snprintf(ret->message, sizeof(ret->message), "%.140s%s%s%.90s",
		attempt->message[0] != '\0' ? attempt->message : "it was ended before it began",
		attempt->refused || attempt->end == SLURM_UNKNOWN ? "" : " before it began",
		line[0] != '\0' ? ": " : "", line);
}

static void lost_event(struct slurm_attempt *attempt, struct backend_event *ret)
{
	attempt->stage = OVER;
	attempt->cancel = false;
	ret->kind = BACKEND_LOST;
	snprintf(ret->message, sizeof(ret->message), "%.200s%s", attempt->message,
		attempt->given_up ? ": it had shown no sign of life for two minutes" : "");
}

/* It has ended, and left no record: Slurm, or its own end, took the supervisor too. */
static void gone_event(struct slurm_attempt *attempt, struct backend_event *ret)
{
	struct exit_record exit = { .kind = EXIT_STOPPED,
		.code = -1,
		.signal = SIGKILL,
		.stop_signal = SIGTERM,
		.started_us = attempt->started_us,
		.ended_us = clock_wall_us() };

	if (!attempt->has_started) {
		if (attempt->end == SLURM_NODE_FAIL)
			lost_event(attempt, ret);
		else
			failed_event(attempt, ret);
		return;
	}
	if (attempt->end == SLURM_TIMEOUT)
		exit.kind = EXIT_TIMEOUT;
	if (attempt->end == SLURM_OUT_OF_MEMORY) {
		exit.kind = EXIT_SIGNAL;
		exit.stop_signal = 0;
		exit.out_of_memory = true;
	}
	if (attempt->given_up || attempt->end == SLURM_NODE_FAIL || attempt->end == SLURM_FAILED ||
		attempt->end == SLURM_COMPLETED)
		lost_event(attempt, ret);
	else
		ended_event(attempt, &exit, ret);
}

/* Whether nothing more can come of it. A node that Slurm has given up may only be out of reach: as long as
 * the attempt shows that it lives it is waited for. */
static bool is_gone(const struct slurm_attempt *attempt, int64_t now_us)
{
	const int64_t waited_us = now_us - attempt->end_us;

	if (attempt->end == SLURM_UNKNOWN)
		return false;
	if (!attempt->has_started && attempt->running_us == 0 && attempt->end == SLURM_CANCELLED)
		return true;
	if (waited_us < FILES_US)
		return false;
	if (!attempt->has_started || (attempt->end != SLURM_NODE_FAIL && !attempt->vanished))
		return true;
	const int64_t silence_us = attempt_silence_us(attempt->directory);
	return (silence_us < 0 ? waited_us : silence_us) >= SILENCE_LOST_US;
}

/* Slurm's word is not enough: after a node's daemon has come back alone, jobs without a process were
 * still running to it. */
static void check_pulse(struct slurm *slurm, struct slurm_attempt *attempt, int64_t now_us)
{
	if (attempt->state != SLURM_RUNNING || !attempt->has_started || attempt->given_up) {
		attempt->silence_look_us = now_us + SILENCE_DEAD_US;
		return;
	}
	if (now_us < attempt->silence_look_us)
		return;
	attempt->silence_look_us = now_us + SILENCE_LOOK_US;
	if (attempt_silence_us(attempt->directory) < SILENCE_DEAD_US)
		return;
	attempt->given_up = true;
	cancel(slurm, attempt, true);
}

static bool take_files(
	struct slurm *slurm, struct slurm_attempt *attempt, int64_t now_us, struct tuner_error *err)
{
	struct attempt_status status;

	if (!attempt_look_afar(attempt->directory, &status, err))
		return false;
	attempt->has_started |= status.life != ATTEMPT_NEVER_RAN;
	if (status.started_us > 0 && attempt->started_us == 0 &&
		!(status.life == ATTEMPT_FINISHED && status.exit.kind == EXIT_NO_START))
		attempt->started_us = status.started_us;
	if (status.life != ATTEMPT_FINISHED || attempt->has_exit)
		return true;
	attempt->has_exit = true;
	attempt->exit = status.exit;
	attempt->exit_us = now_us;
	/* Slurm is asked at once, though not more often than twice a second. */
	if (!speaks_for_itself(attempt) && slurm->next_list_us > slurm->asked_us + SECOND / 2)
		slurm->next_list_us = slurm->asked_us + SECOND / 2;
	return true;
}

static bool judge(struct slurm *slurm, struct slurm_attempt *attempt, struct backend_event *ret,
	bool *ret_got, struct tuner_error *err)
{
	const int64_t now_us = now_of(slurm);

	*ret = (struct backend_event){ .attempt = attempt->id };
	*ret_got = true;
	if (attempt->refused || (attempt->stage == TO_SUBMIT && attempt->signal != 0)) {
		failed_event(attempt, ret);
		return true;
	}
	if (!take_files(slurm, attempt, now_us, err))
		return false;
	if (!attempt->told_started && attempt->started_us > 0) {
		attempt->told_started = true;
		attempt->pass = 0; /* there may be more */
		ret->kind = BACKEND_STARTED;
		ret->started_us = attempt->started_us;
	} else if (attempt->has_exit &&
		   (speaks_for_itself(attempt) || attempt->end != SLURM_UNKNOWN ||
			   now_us - attempt->exit_us >= WORD_US)) {
		explain_exit(attempt, &attempt->exit);
		ended_event(attempt, &attempt->exit, ret);
	} else if (!attempt->has_exit && is_gone(attempt, now_us)) {
		gone_event(attempt, ret);
	} else {
		*ret_got = false;
		check_pulse(slurm, attempt, now_us);
	}
	return true;
}

/* Whether its files may have changed. `waiting` counts those that wait in the queue. */
static bool is_looked_at(const struct slurm_attempt *attempt, size_t *waiting)
{
	if (attempt->stage == OVER)
		return false;
	if (attempt->refused || attempt->has_started || attempt->end != SLURM_UNKNOWN ||
		attempt->state >= SLURM_RUNNING || attempt->stage == LOOK_UP)
		return true;
	if (attempt->stage == TO_SUBMIT)
		return attempt->signal != 0;
	return attempt->stage == KNOWN && ++*waiting <= WAITING_LOOKS;
}

static bool any_looked_at(const struct slurm *slurm)
{
	size_t waiting = 0;

	for (size_t i = 0; i < slurm->n; i++)
		if (is_looked_at(slurm->attempts[i], &waiting))
			return true;
	return false;
}

static void end_pass(struct slurm *slurm)
{
	int64_t pause_us = LOOKS_SHARE * slurm->pass_cost_us;

	if (pause_us < LOOKS_MIN_US)
		pause_us = LOOKS_MIN_US;
	if (pause_us > LOOKS_MAX_US)
		pause_us = LOOKS_MAX_US;
	slurm->look_at_us = now_of(slurm) + pause_us;
	slurm->pass_cost_us = 0;
	slurm->pass++;
}

/* Goes on with the pass where the last event interrupted it. */
static bool look(
	struct slurm *slurm, struct backend_event *ret, bool *ret_got, struct tuner_error *err)
{
	const int64_t began_us = clock_monotonic_us();
	size_t waiting = 0;
	bool ok = true;

	if (now_of(slurm) < slurm->look_at_us)
		return true;
	for (size_t i = 0; ok && !*ret_got && i < slurm->n; i++) {
		struct slurm_attempt *attempt = slurm->attempts[i];
		if (!is_looked_at(attempt, &waiting) || attempt->pass == slurm->pass)
			continue;
		attempt->pass = slurm->pass;
		ok = judge(slurm, attempt, ret, ret_got, err);
	}
	slurm->pass_cost_us += clock_monotonic_us() - began_us;
	if (!*ret_got)
		end_pass(slurm);
	return ok;
}

/* ---- the operations ---- */

static bool add(struct slurm *slurm, int64_t id, const char *directory, const char *key,
	bool may_be_queued, struct tuner_error *err)
{
	struct attempt_status status;
	struct slurm_attempt *attempt;

	if (!attempt_look_afar(directory, &status, err))
		return false;
	attempt = attempt_new(id, directory, key);
	if (attempt == NULL || !keep(slurm, attempt)) {
		attempt_destroy(attempt);
		return tuner_fail_memory(err);
	}
	attempt->stage = may_be_queued || status.life != ATTEMPT_NEVER_RAN ? LOOK_UP : TO_SUBMIT;
	attempt->since_us = now_of(slurm) + (may_be_queued ? ADOPT_US : 0);
	attempt->has_started = status.life != ATTEMPT_NEVER_RAN;
	slurm->look_at_us = 0;
	return true;
}

static bool slurm_start(struct backend *backend, int64_t id, const char *directory, const char *key,
	struct tuner_error *err)
{
	return add(slurm_of(backend), id, directory, key, false, err);
}

static bool slurm_adopt(struct backend *backend, int64_t id, const char *directory, const char *key,
	struct tuner_error *err)
{
	return add(slurm_of(backend), id, directory, key, true, err);
}

/* What runs is asked by a file in its directory: Slurm's own SIGTERM would start Slurm's clock to SIGKILL,
 * whatever the job file's "grace" says, and the file is read while the controller is away. */
static bool slurm_signal(struct backend *backend, int64_t id, int signal, struct tuner_error *err)
{
	struct slurm *slurm = slurm_of(backend);
	struct slurm_attempt *attempt = find(slurm, id);

	if (attempt == NULL || attempt->stage == OVER)
		return true;
	if (attempt->signal != SIGKILL)
		attempt->signal = signal;
	slurm->look_at_us = 0;
	if (!attempt->has_started || signal == SIGKILL)
		cancel(slurm, attempt, signal == SIGKILL);
	return attempt_ask_to_stop(
		attempt->directory, signal == SIGKILL ? SUPERVISE_KILL : signal, err);
}

static bool slurm_read_output(struct backend *backend, int64_t id, int64_t offset, char *ret_bytes,
	size_t size, int64_t *ret_offset, size_t *ret_size, struct tuner_error *err)
{
	const struct slurm_attempt *attempt = find(slurm_of(backend), id);

	if (attempt == NULL)
		return tuner_fail(err, TUNER_FATAL, "attempt %lld is not known", (long long)id);
	if (!attempt->has_started) {
		*ret_offset = offset;
		*ret_size = 0;
		return true;
	}
	return output_read(attempt->directory, offset, ret_bytes, size, ret_offset, ret_size, err);
}

static size_t slurm_descriptors(struct backend *backend, struct pollfd *ret_fds, size_t size)
{
	struct slurm_transport *transport = slurm_of(backend)->host.transport;
	return transport->ops->descriptors(transport, ret_fds, size);
}

/* When there is something to be asked for, if nothing is under way. */
static int64_t next_request_us(const struct slurm *slurm)
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

static int slurm_wait_ms(struct backend *backend)
{
	const struct slurm *slurm = slurm_of(backend);
	int64_t next_us = slurm->busy ? INT64_MAX : next_request_us(slurm);
	int transport_ms = -1;

	if (any_looked_at(slurm) && slurm->look_at_us < next_us)
		next_us = slurm->look_at_us;
	if (slurm->busy)
		transport_ms = slurm->host.transport->ops->wait_ms(slurm->host.transport);
	if (next_us == INT64_MAX)
		return transport_ms;
	const int64_t left_us = next_us - now_of(slurm);
	const int own_ms = left_us <= 0            ? 0
			   : left_us > 60 * SECOND ? 60000
						   : (int)(left_us / 1000 + 1);
	return transport_ms >= 0 && transport_ms < own_ms ? transport_ms : own_ms;
}

/* GPUs are Slurm's to give out; what a trial is told of them follows from the job file. */
static bool slurm_machine(struct backend *backend, struct machine *ret, struct tuner_error *err)
{
	(void)err;
	*ret = (struct machine){ .cores = slurm_of(backend)->host.settings->cores };
	return true;
}

static bool slurm_next(
	struct backend *backend, struct backend_event *ret, bool *ret_got, struct tuner_error *err)
{
	struct slurm *slurm = slurm_of(backend);

	*ret_got = false;
	if (!exchange(slurm, err))
		return false;
	*ret_got = host_event(slurm, ret);
	return *ret_got || look(slurm, ret, ret_got, err);
}

static void slurm_forget(struct backend *backend, int64_t id)
{
	struct slurm *slurm = slurm_of(backend);
	struct slurm_attempt *attempt = find(slurm, id);
	size_t i = 0;

	if (attempt == NULL)
		return;
	while (slurm->attempts[i] != attempt)
		i++;
	if (slurm->subject == attempt)
		slurm->subject = NULL;
	struct tuner_error ignored;
	if (attempt->cancel && attempt->job > 0)
		(void)!add_stray(slurm, attempt->job, &ignored);
	slurm->n--;
	memmove(slurm->attempts + i, slurm->attempts + i + 1,
		(slurm->n - i) * sizeof(*slurm->attempts));
	attempt_destroy(attempt);
}

static void slurm_close(struct backend *backend)
{
	struct slurm *slurm = slurm_of(backend);

	for (size_t i = 0; i < slurm->n; i++)
		attempt_destroy(slurm->attempts[i]);
	slurm->host.transport->ops->close(slurm->host.transport);
	free(slurm->attempts);
	free(slurm->strays);
	free(slurm->script);
	free(slurm->script_path);
	free(slurm->log);
	free(slurm->copy);
	free(slurm->root);
	free(slurm->supervisor);
	free(slurm);
}

static const struct backend_ops slurm_ops = {
	.name = "slurm",
	.remote = true,
	.start = slurm_start,
	.adopt = slurm_adopt,
	.signal = slurm_signal,
	.read_output = slurm_read_output,
	.descriptors = slurm_descriptors,
	.wait_ms = slurm_wait_ms,
	.machine = slurm_machine,
	.next = slurm_next,
	.forget = slurm_forget,
	.close = slurm_close,
};

bool backend_slurm_open(
	const struct slurm_host *host, struct backend **ret, struct tuner_error *err)
{
	struct slurm *slurm = calloc(1, sizeof(*slurm));
	if (slurm == NULL) {
		host->transport->ops->close(host->transport);
		return tuner_fail_memory(err);
	}
	slurm->backend.ops = &slurm_ops;
	slurm->host = *host;
	slurm->pass = 1;
	slurm->supervisor = strdup(host->supervisor);
	if (slurm->supervisor == NULL) {
		slurm_close(&slurm->backend);
		return tuner_fail_memory(err);
	}
	*ret = &slurm->backend;
	return true;
}
