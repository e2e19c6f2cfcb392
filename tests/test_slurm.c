/* The Slurm backend against a cluster of paper: its jobs, its lost replies and its clock are the test's. */
#include "scheduler/slurm.h"

#include "base/file.h"
#include "base/text.h"
#include "scheduler/attempt_files.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define KEY    "00112233445566778899aabbccddeeff"

enum { JOBS_MAX = 300, EVENTS_MAX = 300 };

/* What becomes of the next submits. */
enum accident { NONE, REPLY_LOST, REQUEST_LOST, DOWN, REFUSED, REFUSED_BUT_QUEUED };

struct cluster {
	struct slurm_transport transport;
	struct slurm_job jobs[JOBS_MAX];
	size_t n_jobs;
	enum accident submits;
	bool unreachable, hides; /* it answers nothing; its lists come without new jobs */
	struct slurm_request request;
	bool busy;
	int64_t now_us;
	bool unprepared; /* what is added has no launch file */
	size_t n_submits, n_lists, n_cancels;
	int64_t cancelled;
	bool killed;
	struct slurm_settings settings;
	struct backend *backend;
	char directory[64];
	struct backend_event events[EVENTS_MAX];
	size_t n_events;
	struct tuner_error err;
};

static struct cluster *cluster_of(struct slurm_transport *transport)
{
	return (struct cluster *)transport;
}

static bool paper_send(struct slurm_transport *transport, const struct slurm_request *request,
	struct tuner_error *err)
{
	struct cluster *cluster = cluster_of(transport);

	(void)err;
	assert_false(cluster->busy);
	cluster->request = *request;
	cluster->busy = true;
	return true;
}

static void queue(struct cluster *cluster, const char *name)
{
	struct slurm_job *job = &cluster->jobs[cluster->n_jobs++];

	*job = (struct slurm_job){ .id = (int64_t)cluster->n_jobs, .state = SLURM_PENDING };
	snprintf(job->name, sizeof(job->name), "%s", name);
}

static void answer_submit(struct cluster *cluster, struct slurm_reply *ret)
{
	const enum accident accident = cluster->submits;

	cluster->n_submits++;
	cluster->submits = NONE;
	if (accident == NONE || accident == REPLY_LOST || accident == REFUSED_BUT_QUEUED) {
		queue(cluster, cluster->request.name);
		ret->job = accident == REPLY_LOST ? 0 : (int64_t)cluster->n_jobs;
	}
	if (accident == REPLY_LOST || accident == REQUEST_LOST)
		ret->result = SLURM_UNCLEAR;
	if (accident == DOWN)
		ret->result = SLURM_UNREACHABLE;
	if (accident == REFUSED || accident == REFUSED_BUT_QUEUED) {
		ret->result = SLURM_REFUSED;
		snprintf(ret->message, sizeof(ret->message), "Invalid partition name specified");
	}
}

static bool paper_receive(struct slurm_transport *transport, struct slurm_reply *ret, bool *ret_got,
	struct tuner_error *err)
{
	struct cluster *cluster = cluster_of(transport);

	(void)err;
	*ret_got = cluster->busy;
	if (!cluster->busy)
		return true;
	cluster->busy = false;
	*ret = (struct slurm_reply){ .kind = cluster->request.kind };
	if (cluster->unreachable) {
		ret->result = SLURM_UNREACHABLE;
		snprintf(ret->message, sizeof(ret->message), "nobody there");
	} else if (ret->kind == SLURM_SUBMIT) {
		answer_submit(cluster, ret);
	} else if (ret->kind == SLURM_LIST) {
		cluster->n_lists++;
		ret->jobs = cluster->jobs;
		ret->n_jobs = cluster->hides ? 0 : cluster->n_jobs;
	} else {
		cluster->n_cancels++;
		cluster->cancelled = cluster->request.job;
		cluster->killed = cluster->request.kill;
		cluster->jobs[cluster->request.job - 1].state = SLURM_CANCELLED;
	}
	return true;
}

static size_t paper_descriptors(struct slurm_transport *transport, struct pollfd *fds, size_t size)
{
	(void)transport;
	(void)fds;
	(void)size;
	return 0;
}

static int paper_wait_ms(struct slurm_transport *transport)
{
	(void)transport;
	return 0;
}

static void paper_close(struct slurm_transport *transport)
{
	(void)transport;
}

static const struct slurm_transport_ops paper = { paper_send, paper_descriptors, paper_wait_ms,
	paper_receive, paper_close };

static int64_t paper_now_us(void *context)
{
	return ((struct cluster *)context)->now_us;
}

#define ASSERT_OK(call)                                                                            \
	do {                                                                                       \
		if (!(call))                                                                       \
			fail_msg("%s", cluster->err.message);                                      \
	} while (0)

/* ---- a fixture ---- */

static void open_backend(struct cluster *cluster, bool starts)
{
	char supervisor[96];
	const struct slurm_host host = { .transport = &cluster->transport,
		.settings = &cluster->settings,
		.supervisor = supervisor,
		.starts = starts,
		.now_us = paper_now_us,
		.context = cluster };

	snprintf(supervisor, sizeof(supervisor), "%s/supervisor", cluster->directory);
	ASSERT_OK(file_write_atomic(supervisor, "#!", 2, 0700, false, &cluster->err));
	char agent[96];
	snprintf(agent, sizeof(agent), "%s/tuner-agent", cluster->directory);
	ASSERT_OK(file_write_atomic(agent, "#!", 2, 0700, false, &cluster->err));
	ASSERT_OK(backend_slurm_open(&host, &cluster->backend, &cluster->err));
}

static int set_up(void **state)
{
	struct cluster *cluster = calloc(1, sizeof(*cluster));

	cluster->transport = (struct slurm_transport){ .ops = &paper, .poll_us = SECOND };
	cluster->now_us = 1000 * SECOND;
	cluster->settings.cores = 3;
	snprintf(cluster->directory, sizeof(cluster->directory), "/tmp/test-slurm-XXXXXX");
	assert_non_null(mkdtemp(cluster->directory));
	open_backend(cluster, true);
	*state = cluster;
	return 0;
}

static int tear_down(void **state)
{
	struct cluster *cluster = *state;
	struct tuner_error ignored;

	cluster->backend->ops->close(cluster->backend);
	assert_true(directory_remove(cluster->directory, &ignored));
	free(cluster);
	return 0;
}

static const char *place(const struct cluster *cluster, int64_t id)
{
	static char path[160];
	snprintf(path, sizeof(path), "%s/job/%04lld/1", cluster->directory, (long long)id);
	return path;
}

static const char *key(int64_t id)
{
	static char text[40];
	snprintf(text, sizeof(text), "%032llx", (long long)id);
	return text;
}

static void write_in(struct cluster *cluster, int64_t id, const char *name, const char *text)
{
	char *path = path_join(place(cluster, id), name);
	ASSERT_OK(file_write_atomic(path, text, strlen(text), 0600, false, &cluster->err));
	free(path);
}

static bool has_file(struct cluster *cluster, int64_t id, const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", place(cluster, id), name);
	return access(path, F_OK) == 0;
}

static void begin(struct cluster *cluster, int64_t id)
{
	write_in(cluster, id, ATTEMPT_STARTED, "{\"version\":1,\"started_us\":77}");
	write_in(cluster, id, ATTEMPT_HEARTBEAT, "");
}

static void finish(struct cluster *cluster, int64_t id, const char *kind, int code)
{
	char text[160];
	snprintf(text, sizeof(text),
		"{\"version\":1,\"kind\":\"%s\",\"code\":%d,\"signal\":-1,\"started_us\":77,"
		"\"ended_us\":78}",
		kind, code);
	write_in(cluster, id, ATTEMPT_EXIT, text);
}

/* It has last shown that it lives so long ago. */
static void silence(struct cluster *cluster, int64_t id, int seconds)
{
	char *path = path_join(place(cluster, id), ATTEMPT_HEARTBEAT);
	struct timespec times[2];

	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= seconds;
	times[1] = times[0];
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	free(path);
}

static void drain(struct cluster *cluster)
{
	for (int i = 0; i < 400; i++) {
		bool got;
		assert_true(cluster->n_events < EVENTS_MAX);
		ASSERT_OK(cluster->backend->ops->next(cluster->backend,
			&cluster->events[cluster->n_events], &got, &cluster->err));
		cluster->n_events += got;
		if (!got && !cluster->busy)
			return;
	}
	fail_msg("there is no end of events");
}

/* Time goes by, in steps that are shorter than anything that is waited for. */
static void pass(struct cluster *cluster, int seconds)
{
	drain(cluster);
	for (int i = 0; i < 4 * seconds; i++) {
		cluster->now_us += SECOND / 4;
		drain(cluster);
	}
}

static void add(struct cluster *cluster, int64_t id, bool adopts)
{
	const struct backend_ops *ops = cluster->backend->ops;

	ASSERT_OK(directory_make(place(cluster, id), 0700, &cluster->err));
	if (!cluster->unprepared)
		write_in(cluster, id, ATTEMPT_LAUNCH, "");
	ASSERT_OK((adopts ? ops->adopt : ops->start)(
		cluster->backend, id, place(cluster, id), key(id), &cluster->err));
}

static const struct backend_event *event_of(const struct cluster *cluster, int64_t id)
{
	const struct backend_event *last = NULL;
	for (size_t i = 0; i < cluster->n_events; i++)
		if (cluster->events[i].attempt == id)
			last = &cluster->events[i];
	return last;
}

static void assert_event(const struct cluster *cluster, int64_t id, enum backend_event_kind kind)
{
	const struct backend_event *event = event_of(cluster, id);
	assert_non_null(event);
	if (event->kind != kind)
		fail_msg("event %d instead of %d: %s", event->kind, kind, event->message);
}

static void send_signal(struct cluster *cluster, int64_t id, int signal)
{
	ASSERT_OK(cluster->backend->ops->signal(cluster->backend, id, signal, &cluster->err));
}

static bool is_asked_to_stop(struct cluster *cluster, int64_t id)
{
	char *path = path_join(place(cluster, id), ATTEMPT_STOP);
	const bool there = access(path, F_OK) == 0;
	free(path);
	return there;
}

/* One attempt whose job runs and has begun. */
static void run_one(struct cluster *cluster)
{
	add(cluster, 1, false);
	pass(cluster, 2);
	assert_int_equal(cluster->n_jobs, 1);
	cluster->jobs[0].state = SLURM_RUNNING;
	begin(cluster, 1);
	pass(cluster, 2);
	assert_event(cluster, 1, BACKEND_STARTED);
}

/* ---- from submit to end ---- */

static void a_job_is_submitted_once_and_ends_by_its_files(void **state)
{
	struct cluster *cluster = *state;

	run_one(cluster);
	assert_int_equal(cluster->events[0].kind, BACKEND_HOST_UP);
	assert_int_equal(event_of(cluster, 1)->started_us, 77);
	assert_non_null(strstr(cluster->jobs[0].name, "job.0001.1-"));
	finish(cluster, 1, "code", 0);
	pass(cluster, 1);
	assert_event(cluster, 1, BACKEND_ENDED); /* though Slurm still says RUNNING */
	assert_int_equal(event_of(cluster, 1)->exit.code, 0);
	assert_int_equal(cluster->n_submits, 1);
	assert_int_equal(cluster->n_cancels, 0);
}

static void one_list_tells_of_all_jobs(void **state)
{
	struct cluster *cluster = *state;

	for (int64_t id = 1; id <= 200; id++)
		add(cluster, id, false);
	pass(cluster, 5);
	assert_int_equal(cluster->n_submits, 200);
	const size_t before = cluster->n_lists;
	pass(cluster, 20);
	assert_true(cluster->n_lists - before <= 20);
	assert_int_equal(cluster->n_submits, 200);
}

static void what_has_run_already_is_not_submitted(void **state)
{
	struct cluster *cluster = *state;

	ASSERT_OK(directory_make(place(cluster, 1), 0700, &cluster->err));
	begin(cluster, 1);
	finish(cluster, 1, "code", 0);
	add(cluster, 1, false);
	pass(cluster, 3);
	assert_event(cluster, 1, BACKEND_ENDED);
	assert_int_equal(cluster->n_submits, 0);
}

static void a_submit_whose_reply_was_lost_is_looked_up(void **state)
{
	struct cluster *cluster = *state;

	cluster->submits = REPLY_LOST;
	add(cluster, 1, false);
	pass(cluster, 10);
	assert_int_equal(cluster->n_submits, 1);
	cluster->jobs[0].state = SLURM_RUNNING;
	begin(cluster, 1);
	finish(cluster, 1, "code", 0);
	pass(cluster, 3);
	assert_event(cluster, 1, BACKEND_ENDED);
}

static void a_submit_that_was_lost_is_repeated(void **state)
{
	struct cluster *cluster = *state;

	cluster->submits = REQUEST_LOST;
	add(cluster, 1, false);
	pass(cluster, 10);
	assert_int_equal(cluster->n_submits, 2);
	assert_int_equal(cluster->n_jobs, 1);
	cluster->submits = DOWN;
	add(cluster, 2, false);
	pass(cluster, 10);
	assert_int_equal(cluster->n_jobs, 2);
}

static void of_two_jobs_for_one_attempt_one_is_cancelled(void **state)
{
	struct cluster *cluster = *state;
	char name[256];

	run_one(cluster);
	snprintf(name, sizeof(name), "%s", cluster->jobs[0].name);
	queue(cluster, name);
	pass(cluster, 3);
	assert_int_equal(cluster->n_cancels, 1);
	assert_int_equal(cluster->cancelled, 2);
	finish(cluster, 1, "code", 0);
	pass(cluster, 1);
	assert_event(cluster, 1, BACKEND_ENDED);
}

/* Whichever was submitted first; and of those that wait, the first. */
static void of_two_jobs_for_one_attempt_the_one_that_runs_is_kept(void **state)
{
	struct cluster *cluster = *state;
	char name[256];

	cluster->submits = REPLY_LOST;
	cluster->hides = true;
	add(cluster, 1, false);
	pass(cluster, 1);
	assert_int_equal(cluster->n_jobs, 1);
	snprintf(name, sizeof(name), "%s", cluster->jobs[0].name);
	queue(cluster, name);
	queue(cluster, name);
	cluster->jobs[1].state = SLURM_RUNNING;
	cluster->hides = false;
	pass(cluster, 10);
	assert_int_equal(cluster->n_submits, 1);
	assert_int_equal(cluster->n_cancels, 2);
	assert_int_equal(cluster->jobs[0].state, SLURM_CANCELLED);
	assert_int_equal(cluster->jobs[1].state, SLURM_RUNNING);
	assert_int_equal(cluster->jobs[2].state, SLURM_CANCELLED);
	begin(cluster, 1);
	finish(cluster, 1, "code", 0);
	pass(cluster, 10);
	assert_event(cluster, 1, BACKEND_ENDED);
}

static void what_is_refused_fails_in_slurms_words(void **state)
{
	struct cluster *cluster = *state;

	cluster->submits = REFUSED;
	add(cluster, 1, false);
	pass(cluster, 3);
	assert_event(cluster, 1, BACKEND_FAILED);
	assert_string_equal(event_of(cluster, 1)->message, "Invalid partition name specified");
	assert_int_equal(cluster->n_cancels, 0);
	cluster->submits = REFUSED_BUT_QUEUED;
	add(cluster, 2, false);
	pass(cluster, 3);
	assert_event(cluster, 2, BACKEND_FAILED);
	assert_int_equal(cluster->n_cancels, 1);
	assert_int_equal(cluster->cancelled, 1);
	/* Killed before we could cancel it, we would leave a job that may begin one day, beside the next attempt. */
	assert_true(has_file(cluster, 2, ATTEMPT_STOP));
	assert_false(has_file(cluster, 1, ATTEMPT_STOP));
}

/* ---- adopting ---- */

static void an_adopted_job_is_found_by_its_name(void **state)
{
	struct cluster *cluster = *state;

	queue(cluster, "job.0001.1-00000000000000000000000000000001");
	add(cluster, 1, true);
	pass(cluster, 10);
	assert_int_equal(cluster->n_submits, 0);
	cluster->jobs[0].state = SLURM_RUNNING;
	begin(cluster, 1);
	pass(cluster, 2);
	assert_event(cluster, 1, BACKEND_STARTED);
}

static void an_adopted_intent_is_submitted_only_after_a_look(void **state)
{
	struct cluster *cluster = *state;

	add(cluster, 1, true);
	drain(cluster);
	cluster->now_us += SECOND;
	drain(cluster);
	assert_int_equal(cluster->n_submits, 0); /* an sbatch of before may still be on its way */
	assert_true(cluster->n_lists >= 1);
	pass(cluster, 5);
	assert_int_equal(cluster->n_submits, 1);
}

static void what_was_never_prepared_is_not_submitted(void **state)
{
	struct cluster *cluster = *state;

	cluster->unprepared = true;
	add(cluster, 1, true);
	pass(cluster, 10);
	assert_int_equal(cluster->n_submits, 0);
	assert_event(cluster, 1, BACKEND_FAILED);
}

/* ---- what may go wrong ---- */

static void a_job_that_slurm_forgot_is_judged_by_its_files(void **state)
{
	struct cluster *cluster = *state;

	for (int64_t id = 1; id <= 3; id++)
		add(cluster, id, false);
	pass(cluster, 2);
	begin(cluster, 1);
	begin(cluster, 2);
	pass(cluster, 1);
	cluster->hides = true;
	finish(cluster, 1, "code", 4);
	pass(cluster, 20);
	assert_event(cluster, 1, BACKEND_ENDED);
	assert_int_equal(event_of(cluster, 1)->exit.code, 4);
	assert_event(cluster, 2, BACKEND_STARTED); /* it still shows that it lives */
	assert_event(cluster, 3, BACKEND_FAILED);
	assert_true(has_file(cluster, 3, ATTEMPT_STOP)); /* should it turn up again */
	assert_false(has_file(cluster, 2, ATTEMPT_STOP));
	silence(cluster, 2, 60);
	pass(cluster, 1);
	assert_event(cluster, 2, BACKEND_LOST);
	assert_true(has_file(cluster, 2, ATTEMPT_STOP));
}

static void a_list_that_was_wrong_does_no_harm(void **state)
{
	struct cluster *cluster = *state;

	run_one(cluster);
	cluster->hides = true;
	pass(cluster, 5);
	cluster->hides = false;
	silence(cluster, 1, 60);
	pass(cluster, 20);
	assert_event(cluster, 1, BACKEND_STARTED);
	finish(cluster, 1, "code", 0);
	pass(cluster, 1);
	assert_event(cluster, 1, BACKEND_ENDED);
}

static void a_requeued_job_is_cancelled_and_lost(void **state)
{
	struct cluster *cluster = *state;

	run_one(cluster);
	cluster->jobs[0].state = SLURM_PENDING;
	cluster->jobs[0].restarts = 1;
	pass(cluster, 2);
	assert_int_equal(cluster->n_cancels, 1);
	assert_true(cluster->killed);
	pass(cluster, 20);
	assert_event(cluster, 1, BACKEND_STARTED); /* its node may only be out of reach */
	silence(cluster, 1, 60);
	pass(cluster, 1);
	assert_event(cluster, 1, BACKEND_LOST);
}

/* A copy of the database, whose job has the same directory on the shared file system. */
static void what_another_database_has_put_in_its_place_is_not_its_end(void **state)
{
	char word[] = "true", *const argv[] = { word, NULL }, *const none[] = { NULL };
	struct cluster *cluster = *state;
	struct tuner_error err;
	const struct launch others = { .key = "another's",
		.working_directory = "/tmp",
		.arguments = argv,
		.environment = none,
		.log_max_bytes = 1 << 20 };

	add(cluster, 1, false);
	pass(cluster, 2);
	assert_true(launch_write(place(cluster, 1), &others, &err));
	begin(cluster, 1);
	finish(cluster, 1, "code", 0);
	pass(cluster, 2);
	assert_event(cluster, 1, BACKEND_LOST);
	assert_non_null(strstr(event_of(cluster, 1)->message, "another database's"));
	assert_false(has_file(cluster, 1, ATTEMPT_STOP)); /* which would be the other's */
	assert_int_equal(cluster->n_cancels, 1);
}

static void a_job_that_was_requeued_before_it_began_is_lost(void **state)
{
	struct cluster *cluster = *state;

	add(cluster, 1, false);
	pass(cluster, 2);
	cluster->jobs[0].restarts = 1;
	pass(cluster, 15);
	assert_int_equal(cluster->n_cancels, 1);
	assert_event(cluster, 1, BACKEND_LOST);
}

static void what_a_lost_node_still_finishes_counts(void **state)
{
	struct cluster *cluster = *state;

	run_one(cluster);
	cluster->jobs[0].state = SLURM_NODE_FAIL;
	pass(cluster, 60);
	assert_event(cluster, 1, BACKEND_STARTED);
	finish(cluster, 1, "code", 0);
	pass(cluster, 1);
	assert_event(cluster, 1, BACKEND_ENDED);
	assert_int_equal(event_of(cluster, 1)->exit.kind, EXIT_CODE);
}

/* Without a file to take the server's time from (a full disk) the pulse is not known: it may run on. */
static void what_may_live_on_a_lost_node_is_waited_for(void **state)
{
	struct cluster *cluster = *state;

	run_one(cluster);
	char *clock = path_join(place(cluster, 1), ATTEMPT_CLOCK);
	assert_int_equal(mkdir(clock, 0700), 0);
	cluster->jobs[0].state = SLURM_NODE_FAIL;
	pass(cluster, 100);
	assert_event(cluster, 1, BACKEND_STARTED);
	assert_int_equal(rmdir(clock), 0);
	silence(cluster, 1, 60);
	pass(cluster, 1);
	assert_event(cluster, 1, BACKEND_LOST);
	free(clock);
}

static void a_running_job_without_a_pulse_is_given_up(void **state)
{
	struct cluster *cluster = *state;

	run_one(cluster);
	pass(cluster, 200);
	assert_int_equal(cluster->n_cancels, 0);
	silence(cluster, 1, 100);
	pass(cluster, 15);
	assert_int_equal(cluster->n_cancels, 0);
	silence(cluster, 1, 300);
	pass(cluster, 15);
	assert_int_equal(cluster->n_cancels, 1);
	pass(cluster, 15);
	assert_event(cluster, 1, BACKEND_LOST);
}

static void an_unreachable_controller_loses_nothing(void **state)
{
	struct cluster *cluster = *state;

	run_one(cluster);
	cluster->unreachable = true;
	pass(cluster, 60);
	const struct backend_event *last = &cluster->events[cluster->n_events - 1];
	assert_int_equal(last->kind, BACKEND_HOST_DOWN);
	assert_string_equal(last->message, "nobody there");
	assert_event(cluster, 1, BACKEND_STARTED);
	add(cluster, 2, false);
	pass(cluster, 15);
	assert_int_equal(cluster->n_submits, 1);
	/* Its files tell of it all the same. */
	finish(cluster, 1, "code", 0);
	pass(cluster, 1);
	assert_event(cluster, 1, BACKEND_ENDED);
	cluster->unreachable = false;
	pass(cluster, 15);
	assert_int_equal(cluster->events[cluster->n_events - 1].kind, BACKEND_HOST_UP);
	assert_int_equal(cluster->n_submits, 2);
}

static void a_host_that_never_answers_is_told_of_once(void **state)
{
	struct cluster *cluster = *state;

	cluster->unreachable = true;
	pass(cluster, 60);
	assert_int_equal(cluster->n_events, 1);
	assert_int_equal(cluster->events[0].kind, BACKEND_HOST_DOWN);
}

/* How Slurm ended a job, with a record of the supervisor (if it had the time) and without. */
static void assert_end(enum slurm_state state, const char *kind, int code,
	enum backend_event_kind event, enum exit_kind expected)
{
	void *fixture;
	set_up(&fixture);
	struct cluster *cluster = fixture;

	run_one(cluster);
	if (kind != NULL)
		finish(cluster, 1, kind, code);
	cluster->jobs[0].state = SLURM_COMPLETING;
	pass(cluster, 15);
	assert_event(cluster, 1, BACKEND_STARTED);
	cluster->jobs[0].state = state;
	pass(cluster, 15);
	assert_event(cluster, 1, event);
	if (event == BACKEND_ENDED)
		assert_int_equal(event_of(cluster, 1)->exit.kind, expected);
	if (event == BACKEND_ENDED && state == SLURM_OUT_OF_MEMORY)
		assert_true(event_of(cluster, 1)->exit.out_of_memory);
	tear_down(&fixture);
}

static void slurm_says_why_it_ended_a_job(void **state)
{
	(void)state;
	assert_end(SLURM_TIMEOUT, "stopped", -1, BACKEND_ENDED, EXIT_TIMEOUT);
	assert_end(SLURM_TIMEOUT, NULL, 0, BACKEND_ENDED, EXIT_TIMEOUT);
	assert_end(SLURM_PREEMPTED, "signal", -1, BACKEND_ENDED, EXIT_STOPPED);
	assert_end(SLURM_PREEMPTED, NULL, 0, BACKEND_ENDED, EXIT_STOPPED);
	assert_end(SLURM_CANCELLED, "stopped", -1, BACKEND_ENDED, EXIT_STOPPED);
	assert_end(SLURM_CANCELLED, NULL, 0, BACKEND_ENDED, EXIT_STOPPED);
	assert_end(SLURM_OUT_OF_MEMORY, "code", 1, BACKEND_ENDED, EXIT_CODE);
	assert_end(SLURM_OUT_OF_MEMORY, NULL, 0, BACKEND_ENDED, EXIT_SIGNAL);
	assert_end(SLURM_FAILED, "code", 1, BACKEND_ENDED, EXIT_CODE);
	assert_end(SLURM_FAILED, NULL, 0, BACKEND_LOST, EXIT_CODE);
	assert_end(SLURM_COMPLETED, NULL, 0, BACKEND_LOST, EXIT_CODE);
}

static void a_script_that_fails_is_quoted(void **state)
{
	struct cluster *cluster = *state;

	add(cluster, 1, false);
	pass(cluster, 2);
	write_in(cluster, 1, "slurm.log", "loading\nmodule: command not found\n");
	cluster->jobs[0].state = SLURM_FAILED;
	pass(cluster, 15);
	assert_event(cluster, 1, BACKEND_FAILED);
	assert_non_null(strstr(event_of(cluster, 1)->message, "failed before it began: module: "
							      "command not found"));
}

/* ---- ending ---- */

static void stopping_reaches_every_stage(void **state)
{
	struct cluster *cluster = *state;

	run_one(cluster);
	add(cluster, 2, false);
	pass(cluster, 2);
	add(cluster, 3, false); /* not submitted yet */
	for (int64_t id = 1; id <= 3; id++)
		send_signal(cluster, id, SIGTERM);
	pass(cluster, 3);
	assert_true(is_asked_to_stop(cluster, 1));
	assert_int_equal(cluster->n_cancels, 1);
	assert_int_equal(cluster->cancelled, 2);
	assert_int_equal(cluster->n_submits, 2);
	assert_event(cluster, 1, BACKEND_STARTED);
	assert_event(cluster, 2, BACKEND_FAILED);
	assert_event(cluster, 3, BACKEND_FAILED);
	finish(cluster, 1, "stopped", -1);
	pass(cluster, 1);
	assert_event(cluster, 1, BACKEND_ENDED);
}

static void sigkill_is_slurms(void **state)
{
	struct cluster *cluster = *state;

	run_one(cluster);
	send_signal(cluster, 1, SIGKILL);
	pass(cluster, 2);
	assert_int_equal(cluster->cancelled, 1);
	assert_true(cluster->killed);
	pass(cluster, 15);
	assert_event(cluster, 1, BACKEND_ENDED);
	assert_int_equal(event_of(cluster, 1)->exit.kind, EXIT_STOPPED);
}

static void who_only_ends_things_asks_nothing_without_need(void **state)
{
	struct cluster *cluster = *state;

	cluster->backend->ops->close(cluster->backend);
	open_backend(cluster, false);
	pass(cluster, 60);
	assert_int_equal(cluster->n_lists, 0);
	queue(cluster, "job.0001.1-00000000000000000000000000000001");
	add(cluster, 1, true);
	add(cluster, 2, true); /* never submitted */
	send_signal(cluster, 1, SIGTERM);
	send_signal(cluster, 2, SIGTERM);
	pass(cluster, 5);
	assert_int_equal(cluster->n_submits, 0);
	assert_int_equal(cluster->cancelled, 1);
	assert_event(cluster, 1, BACKEND_FAILED);
	assert_event(cluster, 2, BACKEND_FAILED);
}

/* ---- the script ---- */

static void the_script_fences_before_the_users_lines(void **state)
{
	char *lines[] = { (char *)"#!/bin/bash -l", (char *)"module load cuda",
		(char *)"#SBATCH --comment=x", NULL };
	const struct slurm_settings settings = { .script_lines = lines };
	const struct slurm_programs programs = { (char *)"/s/it's", (char *)"/s/a" };

	(void)state;
	char *script = slurm_script(&settings, &programs, "/d/1", "00ff", 5000000);
	assert_string_equal(script,
		"#!/bin/bash -l\n#SBATCH --comment=x\n"
		"[ \"${SLURM_RESTART_COUNT:-0}\" -gt 0 ] && exit 99\n"
		"module load cuda\n"
		"[ -n \"${CUDA_VISIBLE_DEVICES-}\" ] && "
		"('/s/a' --sample '/d/1' 00ff 5000000 </dev/null >/dev/null 2>&1 &)\n"
		"exec '/s/it'\\''s' '/d/1'\n");
	free(script);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH(a_job_is_submitted_once_and_ends_by_its_files),
		WITH(one_list_tells_of_all_jobs),
		WITH(what_has_run_already_is_not_submitted),
		WITH(a_submit_whose_reply_was_lost_is_looked_up),
		WITH(a_submit_that_was_lost_is_repeated),
		WITH(of_two_jobs_for_one_attempt_one_is_cancelled),
		WITH(of_two_jobs_for_one_attempt_the_one_that_runs_is_kept),
		WITH(what_is_refused_fails_in_slurms_words),
		WITH(an_adopted_job_is_found_by_its_name),
		WITH(an_adopted_intent_is_submitted_only_after_a_look),
		WITH(what_was_never_prepared_is_not_submitted),
		WITH(a_job_that_slurm_forgot_is_judged_by_its_files),
		WITH(a_list_that_was_wrong_does_no_harm),
		WITH(a_requeued_job_is_cancelled_and_lost),
		WITH(what_another_database_has_put_in_its_place_is_not_its_end),
		WITH(a_job_that_was_requeued_before_it_began_is_lost),
		WITH(what_a_lost_node_still_finishes_counts),
		WITH(what_may_live_on_a_lost_node_is_waited_for),
		WITH(a_running_job_without_a_pulse_is_given_up),
		WITH(an_unreachable_controller_loses_nothing),
		WITH(a_host_that_never_answers_is_told_of_once),
		cmocka_unit_test(slurm_says_why_it_ended_a_job),
		WITH(a_script_that_fails_is_quoted),
		WITH(stopping_reaches_every_stage),
		WITH(sigkill_is_slurms),
		WITH(who_only_ends_things_asks_nothing_without_need),
		cmocka_unit_test(the_script_fences_before_the_users_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
