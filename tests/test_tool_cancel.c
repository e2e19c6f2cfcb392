/* A tool that is cancelled by another thread: before it starts, and while it is being started. */
#include "scheduler/tool.h"

#include "base/process.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static struct tool_running running;
static pthread_t canceller;
static bool cancels; /* during the start */
static pid_t started;
static bool lived_after_cancel;

static bool is_running(pid_t pid)
{
	struct process process;
	return process_look(pid, &process) && process.resident_pages > 0;
}

static void *cancel(void *context)
{
	(void)context;
	tool_cancel(&running);
	for (int i = 0; i < 1000 && is_running(started); i++)
		usleep(1000); /* the kernel may take a moment with a process that was killed */
	lived_after_cancel = is_running(started);
	return NULL;
}

/* The linker has the tool call this. */
int __wrap_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[]);
int __real_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[]);

int __wrap_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[])
{
	const int before = atomic_load(&running.group);
	const int failed =
		__real_posix_spawnp(pid, file, actions, attributes, arguments, environment);

	started = *pid;
	if (cancels) {
		assert_int_equal(pthread_create(&canceller, NULL, cancel, NULL), 0);
		while (atomic_load(&running.group) == before)
			usleep(100);
	}
	return failed;
}

/* What was said of the tool when it was first killed: once it says "stopped", the caller may exit. */
static int said_when_killed;
int __wrap_kill(pid_t pid, int signal);
int __real_kill(pid_t pid, int signal);

int __wrap_kill(pid_t pid, int signal)
{
	if (said_when_killed == 0)
		said_when_killed = atomic_load(&running.group);
	return __real_kill(pid, signal);
}

static struct tool_result run(void)
{
	const char *const arguments[] = { "sleep", "30", NULL };
	const struct tool tool = { .arguments = arguments,
		.running = &running,
		.timeout_us = 60000000,
		.bytes_max = 100 };
	struct tool_result result;
	struct tuner_error err;
	struct text output = TEXT_EMPTY;

	assert_true(tool_run(&tool, &output, &result, &err));
	text_finish(&output);
	return result;
}

static void what_was_cancelled_before_does_not_start(void **state)
{
	(void)state;
	running = (struct tool_running){ 0 };
	cancels = false;
	started = 0;
	tool_cancel(&running);
	assert_int_equal(run().end, TOOL_LATE);
	assert_int_equal(started, 0);
}

static void what_is_cancelled_while_it_is_being_started_is_gone_when_that_returns(void **state)
{
	(void)state;
	running = (struct tool_running){ 0 };
	tool_cancel(&running);
	const int cancelled = atomic_load(&running.group);
	running = (struct tool_running){ 0 };
	said_when_killed = 0;
	cancels = true;
	assert_int_equal(run().end, TOOL_LATE);
	assert_int_equal(pthread_join(canceller, NULL), 0);
	assert_false(lived_after_cancel);
	assert_int_equal(said_when_killed, cancelled);
	started = 0;
	cancels = false;
	assert_int_equal(run().end, TOOL_LATE); /* nor is anything later */
	assert_int_equal(started, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_cancelled_before_does_not_start),
		cmocka_unit_test(
			what_is_cancelled_while_it_is_being_started_is_gone_when_that_returns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
