/* Slurm's programs as this transport calls them, played by scripts on PATH. */
#include "base/clock.h"
#include "base/file.h"
#include "scheduler/capture.h"
#include "scheduler/slurm_transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
	char directory[64], old_path[4096];
	struct slurm_settings settings;
	struct slurm_transport *transport;
	struct tuner_error err;
};

#define ASSERT_OK(call)                                                                            \
	do {                                                                                       \
		if (!(call))                                                                       \
			fail_msg("%s", place->err.message);                                        \
	} while (0)

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	char path[8192];

	snprintf(place->directory, sizeof(place->directory), "/tmp/test-slurm-cli-XXXXXX");
	assert_non_null(mkdtemp(place->directory));
	snprintf(place->old_path, sizeof(place->old_path), "%s", getenv("PATH"));
	snprintf(path, sizeof(path), "%s:%s", place->directory, place->old_path);
	setenv("PATH", path, 1);
	setenv("SLURM_JOB_ID", "4711", 1); /* tuner itself may run in a job */
	setenv("SECRET", "x", 1);
	place->settings = (struct slurm_settings){ .partition = "gpu",
		.gres = "gpu:1",
		.cores = 2,
		.time_limit_us = 90000000,
		.memory_bytes = INT64_C(3) << 20 };
	ASSERT_OK(slurm_cli_open(&place->settings, &place->transport, &place->err));
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;
	struct tuner_error ignored;

	place->transport->ops->close(place->transport);
	setenv("PATH", place->old_path, 1);
	unsetenv("SLURM_JOB_ID");
	assert_true(directory_remove(place->directory, &ignored));
	free(place);
	return 0;
}

/* `program` does what the script says; what it was called with is in the file "called". */
static void play(struct place *place, const char *program, const char *script)
{
	char text[2048], *path = path_join(place->directory, program);

	snprintf(text, sizeof(text),
		"#!/bin/sh\nprintf '%%s\\n' \"$@\" >%s/called\nenv >%s/environment\n%s\n",
		place->directory, place->directory, script);
	ASSERT_OK(file_write_atomic(path, text, strlen(text), 0700, false, &place->err));
	free(path);
}

static bool file_holds(struct place *place, const char *name, const char *line)
{
	struct text text = TEXT_EMPTY, expected = TEXT_EMPTY;
	char *path = path_join(place->directory, name);

	text_print(&expected, "\n%s\n", line);
	struct text all = TEXT_EMPTY;
	ASSERT_OK(file_read(path, 1 << 20, &text, &place->err));
	text_print(&all, "\n%s", text.bytes);
	const bool holds = strstr(all.bytes, expected.bytes) != NULL;
	text_finish(&text);
	text_finish(&all);
	text_finish(&expected);
	free(path);
	return holds;
}

static struct slurm_reply exchange(struct place *place, const struct slurm_request *request)
{
	const struct slurm_transport_ops *ops = place->transport->ops;
	struct slurm_reply reply;
	bool got = false;

	ASSERT_OK(ops->send(place->transport, request, &place->err));
	while (!got) {
		struct pollfd fds[8];
		const size_t n = ops->descriptors(place->transport, fds, 8);
		poll(fds, n, ops->wait_ms(place->transport));
		ASSERT_OK(ops->receive(place->transport, &reply, &got, &place->err));
	}
	assert_int_equal(reply.kind, request->kind);
	return reply;
}

static const struct slurm_request submit = { .kind = SLURM_SUBMIT,
	.name = "job.0001.1-k",
	.script = "#!/bin/sh\n",
	.script_path = "/d/1/job.sh",
	.directory = "/d/1",
	.log = "/d/1/slurm.log" };

static void a_job_is_submitted_with_the_hosts_options(void **state)
{
	struct place *place = *state;

	play(place, "sbatch", "echo '17;cluster'");
	const struct slurm_reply reply = exchange(place, &submit);
	assert_int_equal(reply.result, SLURM_OK);
	assert_int_equal(reply.job, 17);
	static const char *const expected[] = { "--parsable", "--no-requeue", "--export=ALL",
		"--job-name=job.0001.1-k", "--chdir=/d/1", "--output=/d/1/slurm.log",
		"--cpus-per-task=2", "--partition=gpu", "--gres=gpu:1", "--time=2", "--mem=3072K",
		"/d/1/job.sh" };
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		if (!file_holds(place, "called", expected[i]))
			fail_msg("sbatch was not given %s", expected[i]);
	assert_false(file_holds(place, "environment", "SLURM_JOB_ID=4711"));
	assert_false(file_holds(place, "environment", "SECRET=x"));
}

static void assert_failure(struct place *place, const struct slurm_request *request,
	const char *script, enum slurm_result expected, const char *message)
{
	play(place, request->kind == SLURM_SUBMIT ? "sbatch" : "squeue", script);
	const struct slurm_reply reply = exchange(place, request);
	if (reply.result != expected)
		fail_msg("%s: %d", script, reply.result);
	assert_string_equal(reply.message, message);
}

static void complaints_say_whether_something_has_happened(void **state)
{
	struct place *place = *state;
	const struct slurm_request list = { .kind = SLURM_LIST };

	assert_failure(place, &submit,
		"echo 'sbatch: error: invalid partition specified: x' >&2; echo 'sbatch: error: "
		"Batch job submission failed: Invalid partition name specified' >&2; exit 1",
		SLURM_REFUSED,
		"sbatch: error: Batch job submission failed: Invalid partition name specified");
	assert_failure(place, &submit,
		"echo 'sbatch: error: Batch job submission failed: Unable to contact slurm "
		"controller (connect failure)' >&2; exit 1",
		SLURM_UNREACHABLE,
		"sbatch: error: Batch job submission failed: Unable to contact slurm controller "
		"(connect failure)");
	assert_failure(place, &submit,
		"echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv "
		"operation' >&2; exit 1",
		SLURM_UNCLEAR,
		"sbatch: error: Batch job submission failed: Socket timed out on send/recv "
		"operation");
	assert_failure(place, &submit, "exit 3", SLURM_UNCLEAR, "exit status 3");
	assert_failure(place, &submit, "kill -KILL $$", SLURM_UNCLEAR, "ended by signal 9");
	assert_failure(place, &submit, "echo Welcome", SLURM_UNCLEAR,
		"sbatch: expected the number of a job, found \"Welcome\n\"");
	assert_failure(place, &list,
		"echo 'slurm_load_jobs error: Unable to contact slurm controller (connect "
		"failure)' >&2; exit 1",
		SLURM_UNREACHABLE,
		"slurm_load_jobs error: Unable to contact slurm controller (connect failure)");
}

static void a_list_is_read_by_its_columns(void **state)
{
	struct place *place = *state;
	const struct slurm_request list = { .kind = SLURM_LIST };

	play(place, "squeue",
		"line() { printf '%-20s%-20s%-12s%-60s%-60s%-255s\\n' \"$@\"; }\n"
		"line 4 RUNNING 0 None n1 job.0001.1-k\n"
		"line 5 PENDING 1 'launch failed requeued held' '' 'with blanks in it'\n"
		"line 6_2 RUNNING 0 None n1 'a task of an array'\n"
		"line 7 OUT_OF_MEMORY 0 OutOfMemory n2 x\n"
		"echo short");
	const struct slurm_reply reply = exchange(place, &list);
	assert_int_equal(reply.result, SLURM_OK);
	assert_int_equal(reply.n_jobs, 3);
	assert_int_equal(reply.jobs[0].id, 4);
	assert_int_equal(reply.jobs[0].state, SLURM_RUNNING);
	assert_string_equal(reply.jobs[0].name, "job.0001.1-k");
	assert_string_equal(reply.jobs[0].nodes, "n1");
	assert_int_equal(reply.jobs[1].restarts, 1);
	assert_string_equal(reply.jobs[1].reason, "launch failed requeued held");
	assert_string_equal(reply.jobs[1].name, "with blanks in it");
	assert_int_equal(reply.jobs[2].state, SLURM_OUT_OF_MEMORY);
	assert_true(file_holds(place, "called", "--me"));
	assert_true(file_holds(place, "called", "--states=all"));
}

static void cancelling_is_gentle_or_not(void **state)
{
	struct place *place = *state;
	struct slurm_request cancel = { .kind = SLURM_CANCEL, .job = 12 };

	play(place, "scancel", "");
	assert_int_equal(exchange(place, &cancel).result, SLURM_OK);
	assert_true(file_holds(place, "called", "12"));
	assert_false(file_holds(place, "called", "--signal=KILL"));
	cancel.kill = true;
	assert_int_equal(exchange(place, &cancel).result, SLURM_OK);
	assert_true(file_holds(place, "called", "--signal=KILL"));
	play(place, "scancel",
		"echo 'scancel: error: Kill job error on job id 12: Invalid job id specified' >&2; "
		"exit 1");
	assert_int_equal(exchange(place, &cancel).result, SLURM_REFUSED);
}

/* A tuner that was stopped, or slept, looks late: what had an answer in time has one. */
static void an_answer_that_came_in_time_is_not_late(void **state)
{
	char *const arguments[] = { (char *)"echo", (char *)"17", NULL };
	struct place *place = *state;
	struct capture capture;
	siginfo_t info;

	ASSERT_OK(capture_start(&capture, arguments, NULL, 60000000, &place->err));
	assert_int_equal(waitid(P_PID, (id_t)capture.pid, &info, WEXITED | WNOWAIT), 0);
	capture.until_us = clock_monotonic_us() - 1;
	assert_true(capture_next(&capture));
	assert_true(capture_succeeded(&capture));
	assert_string_equal(capture.out.bytes, "17\n");
	capture_finish(&capture, false);
}

static void await_end(struct capture *capture)
{
	for (int i = 0; i < 6000 && !capture_next(capture); i++)
		poll(NULL, 0, 5);
	assert_int_equal(capture->pid, 0);
}

/* However much a program says before it, the reason is told. */
static void of_long_complaints_the_end_is_kept(void **state)
{
	char *const arguments[] = { (char *)"sh", (char *)"-c",
		(char *)"head -c \"$0\" /dev/zero | tr '\\0' x >&2; printf '\\nthe reason\\n' >&2; "
			"exit 1",
		NULL, NULL };
	char *words[5], length[32], complaint[200];
	struct place *place = *state;

	memcpy(words, arguments, sizeof(words));
	words[3] = length;
	for (int k = 0; k < 3; k++) {
		struct capture capture;
		snprintf(length, sizeof(length), "%d", (k + 1) * CAPTURE_ERRORS_MAX);
		ASSERT_OK(capture_start(&capture, words, NULL, 60000000, &place->err));
		await_end(&capture);
		capture_complaint(&capture, complaint);
		assert_string_equal(complaint, "the reason");
		assert_true(capture.err.length <= CAPTURE_ERRORS_MAX);
		capture_finish(&capture, false);
	}
}

/* Once it is set, a program goes on and ends between our last look at its output and at it. */
static const char *let_go;

pid_t waitpid(pid_t pid, int *status, int options)
{
	siginfo_t info;

	if (let_go != NULL) {
		struct tuner_error err;
		assert_true(file_write_atomic(let_go, "", 0, 0600, false, &err));
		let_go = NULL;
		assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	}
	return wait4(pid, status, options, NULL);
}

/* The jobs of the rest would count as gone. */
static void output_that_is_too_long_is_none(void **state)
{
	enum { LAST = 40000 };
	char path[160], script[400];
	char *const arguments[] = { (char *)"sh", (char *)"-c", script, NULL };
	struct place *place = *state;
	struct capture capture;
	char complaint[200];

	snprintf(path, sizeof(path), "%s/go", place->directory);
	for (int late = 0; late < 2; late++) {
		snprintf(script, sizeof(script),
			"head -c %d /dev/zero; until [ -e %s ]; do sleep 0.02; done; "
			"head -c %d /dev/zero",
			CAPTURE_BYTES_MAX - LAST / 2, path, LAST);
		unlink(path);
		if (!late)
			assert_true(file_write_atomic(path, "", 0, 0600, false, &place->err));
		ASSERT_OK(capture_start(&capture, arguments, NULL, 60000000, &place->err));
		for (int i = 0; late && i < 6000 &&
				capture.out.length < (size_t)CAPTURE_BYTES_MAX - LAST / 2;
			i++) {
			assert_false(capture_next(&capture));
			poll(NULL, 0, 2);
		}
		let_go = late ? path : NULL;
		await_end(&capture);
		assert_false(capture_succeeded(&capture));
		capture_complaint(&capture, complaint);
		assert_string_equal(complaint, "it printed more than 64 MiB");
		capture_finish(&capture, false);
	}
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH(a_job_is_submitted_with_the_hosts_options),
		WITH(complaints_say_whether_something_has_happened),
		WITH(a_list_is_read_by_its_columns),
		WITH(cancelling_is_gentle_or_not),
		WITH(an_answer_that_came_in_time_is_not_late),
		WITH(of_long_complaints_the_end_is_kept),
		WITH(output_that_is_too_long_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
