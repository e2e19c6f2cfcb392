/* The attempt directory, with the real supervisor ($TUNER_SUPERVISE). */
#include "base/clock.h"
#include "base/file.h"
#include "scheduler/attempt.h"
#include "scheduler/attempt_files.h"
#include "scheduler/backend.h"
#include "scheduler/gpu_lock.h"
#include "scheduler/process.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <cmocka.h>

static const int64_t PATIENCE_US = 30000000;

/* A file system that is mounted without locks, as we see it. */
static bool no_locks;

int flock(int fd, int operation)
{
	if (!no_locks)
		return (int)syscall(SYS_flock, fd, operation);
	errno = ENOLCK;
	return -1;
}

static int64_t end_of(const char *directory)
{
	struct tuner_error err;
	int64_t end;

	if (!output_end(directory, &end, &err))
		fail_msg("%s", err.message);
	return end;
}

static int64_t silence_of(const char *directory)
{
	int64_t silence_us;

	assert_true(attempt_silence(directory, &silence_us));
	return silence_us;
}

/* A key of its own: what bears it is killed, whoever has started it. */
struct place {
	char base[64], directory[96], key[33];
	struct tuner_error err;
};

static struct place place_make(void)
{
	struct place place = { .base = "/tmp/tuner-attempt-XXXXXX" };
	assert_non_null(mkdtemp(place.base));
	snprintf(place.key, sizeof(place.key), "%016llx%016llx", (unsigned long long)getpid(),
		(unsigned long long)clock_monotonic_us());
	snprintf(place.directory, sizeof(place.directory), "%s/1", place.base);
	assert_int_equal(mkdir(place.directory, 0700), 0);
	return place;
}

static void place_remove(struct place *place)
{
	assert_true(directory_remove(place->base, &place->err));
}

#define ASSERT_OK(place, call)                                                                     \
	do {                                                                                       \
		if (!(call))                                                                       \
			fail_msg("%s", (place)->err.message);                                      \
	} while (0)

static const char *secrets; /* of the next launches; NULL: none */

/* A launch of `sh -c script`. */
static void write_launch_within(struct place *place, const char *script, int64_t timeout_us,
	int64_t log_max_bytes, int64_t memory_bytes)
{
	const char *arguments[] = { "sh", "-c", script, NULL };
	const char *environment[] = { "PATH=/usr/bin:/bin", "COLOR=blue", NULL };
	const struct launch launch = { .key = place->key,
		.arguments = (char *const *)arguments,
		.environment = (char *const *)environment,
		.working_directory = place->base,
		.timeout_us = timeout_us,
		.grace_us = 300000,
		.memory_bytes = memory_bytes,
		.secrets = secrets,
		.log_max_bytes = log_max_bytes };
	ASSERT_OK(place, launch_write(place->directory, &launch, &place->err));
}

static void write_launch(
	struct place *place, const char *script, int64_t timeout_us, int64_t log_max_bytes)
{
	write_launch_within(place, script, timeout_us, log_max_bytes, 0);
}

static struct attempt_status look(struct place *place)
{
	struct attempt_status status;
	ASSERT_OK(place, attempt_look(place->directory, &status, &place->err));
	return status;
}

static struct backend *open_backend(struct place *place)
{
	struct backend *backend = NULL;
	ASSERT_OK(place, backend_local_open(getenv("TUNER_SUPERVISE"), &backend, &place->err));
	return backend;
}

/* Its supervisor has this variable name a file in the base, by which time passes (suspended.c). How long a command takes
 * to begin, which is the machine's affair, is then no part of a time limit. */
static struct backend *open_backend_with_hours(struct place *place, const char *variable)
{
	struct backend *backend = NULL;
	char path[128], script[512];

	/* A supervisor is started without an environment. */
	snprintf(path, sizeof(path), "%s/supervise", place->base);
	snprintf(script, sizeof(script), "#!/bin/sh\n%s='%s/hours' exec '%s' \"$@\"\n", variable,
		place->base, getenv("SUPERVISE_SUSPENDED"));
	ASSERT_OK(place, file_write_atomic(path, script, strlen(script), 0700, false, &place->err));
	ASSERT_OK(place, backend_local_open(path, &backend, &place->err));
	return backend;
}

/* The next event of this kind; others before it are passed over. */
static struct backend_event await(
	struct place *place, struct backend *backend, enum backend_event_kind kind)
{
	const int64_t until_us = clock_monotonic_us() + PATIENCE_US;
	struct backend_event event;
	bool got = false;
	while (clock_monotonic_us() < until_us) {
		struct pollfd fds[8];
		const size_t n = backend->ops->descriptors(backend, fds, 8);
		ASSERT_OK(place, backend->ops->next(backend, &event, &got, &place->err));
		if (got && event.kind == kind)
			return event;
		if (!got)
			poll(fds, n, 10);
	}
	fail_msg("no event of kind %d", (int)kind);
	return event;
}

/* Runs what is launched to its end, and closes the backend. */
static struct exit_record run_launch_by(struct place *place, struct backend *backend)
{
	ASSERT_OK(
		place, backend->ops->start(backend, 7, place->directory, place->key, &place->err));
	const struct backend_event event = await(place, backend, BACKEND_ENDED);
	assert_int_equal(event.attempt, 7);
	backend->ops->close(backend);
	return event.exit;
}

static struct exit_record run_launch(struct place *place)
{
	return run_launch_by(place, open_backend(place));
}

static const int64_t HOUR_US = INT64_C(3600000000), HALF_AN_HOUR_US = INT64_C(1800000000);

static struct exit_record run(
	struct place *place, const char *script, int64_t timeout_us, int64_t log_max_bytes)
{
	write_launch(place, script, timeout_us, log_max_bytes);
	return run_launch(place);
}

static void read_all(struct place *place, char *ret, size_t size, int64_t *ret_first)
{
	int64_t offset = 0;
	size_t got = 0, length = 0;
	*ret_first = -1;
	do {
		ASSERT_OK(place, output_read(place->directory, offset, ret + length,
					 size - length - 1, &offset, &got, &place->err));
		if (*ret_first < 0)
			*ret_first = offset;
		offset += (int64_t)got;
		length += got;
	} while (got > 0);
	ret[length] = '\0';
}

static void an_empty_or_missing_directory_never_ran(void **state)
{
	struct place place = place_make();
	struct attempt_status status = look(&place);
	assert_int_equal(status.life, ATTEMPT_NEVER_RAN);
	ASSERT_OK(&place, attempt_look("/tmp/there/is/no/such", &status, &place.err));
	assert_int_equal(status.life, ATTEMPT_NEVER_RAN);
	place_remove(&place);
}

static void a_command_runs_with_its_environment_and_its_end_is_recorded(void **state)
{
	struct place place = place_make();
	char output[256], expected[256];
	int64_t first;
	const struct exit_record end = run(&place,
		"pwd; echo $COLOR $TUNER_ATTEMPT_KEY; echo err >&2; test -z \"$HOME\"; exit 3", 0,
		1 << 20);
	assert_int_equal(end.kind, EXIT_CODE);
	assert_int_equal(end.code, 3);
	assert_int_equal(end.signal, -1);
	assert_true(end.ended_us >= end.started_us);
	assert_true(end.max_rss_bytes > 0);
	read_all(&place, output, sizeof(output), &first);
	snprintf(expected, sizeof(expected), "%s\nblue %s\nerr\n", place.base, place.key);
	assert_string_equal(output, expected);
	assert_int_equal(end.output_bytes, strlen(expected));
	assert_int_equal(look(&place).life, ATTEMPT_FINISHED);
	place_remove(&place);
}

static void nothing_is_started_twice_in_a_directory(void **state)
{
	struct place place = place_make();
	char output[256];
	int64_t first;
	run(&place, "echo once", 0, 1 << 20);
	/* The second start collects what has run. */
	run(&place, "echo twice", 0, 1 << 20);
	read_all(&place, output, sizeof(output), &first);
	assert_string_equal(output, "once\n");
	/* And the supervisor itself, called again, steps back. */
	char command[512];
	snprintf(command, sizeof(command), "%s %s", getenv("TUNER_SUPERVISE"), place.directory);
	const int status = system(command);
	assert_int_equal(WEXITSTATUS(status), 76);
	place_remove(&place);
}

static void a_signal_that_kills_the_command_is_recorded(void **state)
{
	struct place place = place_make();
	const struct exit_record end = run(&place, "kill -SEGV $$", 0, 1 << 20);
	assert_int_equal(end.kind, EXIT_SIGNAL);
	assert_int_equal(end.signal, SIGSEGV);
	place_remove(&place);
}

static void the_time_limit_ends_a_command_that_ignores_sigterm(void **state)
{
	struct place place = place_make();
	write_launch(&place, "trap '' TERM; echo >hours; while :; do sleep 0.05; done",
		HALF_AN_HOUR_US, 1 << 20);
	const struct exit_record end =
		run_launch_by(&place, open_backend_with_hours(&place, "HOURS"));
	assert_int_equal(end.kind, EXIT_TIMEOUT);
	assert_int_equal(end.signal, SIGKILL);
	place_remove(&place);
}

static void a_command_that_is_told_to_stop_may_take_leave(void **state)
{
	struct place place = place_make();
	struct backend *backend = open_backend(&place);
	char output[256];
	int64_t first;
	write_launch(&place, "trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.02; done",
		0, 1 << 20);
	ASSERT_OK(&place, backend->ops->start(backend, 1, place.directory, place.key, &place.err));
	await(&place, backend, BACKEND_STARTED);
	for (*output = '\0'; strstr(output, "up") == NULL;)
		read_all(&place, output, sizeof(output), &first);
	ASSERT_OK(&place, backend->ops->signal(backend, 1, SIGTERM, &place.err));
	const struct backend_event end = await(&place, backend, BACKEND_ENDED);
	assert_int_equal(end.exit.kind, EXIT_STOPPED);
	assert_int_equal(end.exit.stop_signal, SIGTERM);
	assert_int_equal(end.exit.code, 5);
	read_all(&place, output, sizeof(output), &first);
	/* The shell also tells of the sleep that the signal ended. */
	assert_non_null(strstr(output, "bye\n"));
	backend->ops->close(backend);
	place_remove(&place);
}

static void a_missing_program_and_a_missing_directory_are_told(void **state)
{
	struct place place = place_make();
	const char *arguments[] = { "no-such-program", NULL },
		   *environment[] = { "PATH=/bin", NULL };
	struct launch launch = { .key = place.key,
		.arguments = (char *const *)arguments,
		.environment = (char *const *)environment,
		.working_directory = "/",
		.log_max_bytes = 1 << 20 };
	struct backend *backend = open_backend(&place);
	ASSERT_OK(&place, launch_write(place.directory, &launch, &place.err));
	ASSERT_OK(&place, backend->ops->start(backend, 1, place.directory, place.key, &place.err));
	struct backend_event end = await(&place, backend, BACKEND_ENDED);
	assert_int_equal(end.exit.kind, EXIT_NO_START);
	assert_non_null(strstr(end.exit.message, "no-such-program"));
	backend->ops->forget(backend, 1);

	snprintf(place.directory, sizeof(place.directory), "%s/2", place.base);
	assert_int_equal(mkdir(place.directory, 0700), 0);
	arguments[0] = "true";
	launch.working_directory = "/no/such/directory";
	ASSERT_OK(&place, launch_write(place.directory, &launch, &place.err));
	ASSERT_OK(&place, backend->ops->start(backend, 2, place.directory, place.key, &place.err));
	end = await(&place, backend, BACKEND_ENDED);
	assert_int_equal(end.exit.kind, EXIT_NO_START);
	assert_non_null(strstr(end.exit.message, "/no/such/directory"));
	backend->ops->close(backend);
	place_remove(&place);
}

/* Of a process's memory the first page is not there: EIO. */
static void a_command_does_not_run_without_secrets_that_cannot_be_read(void **state)
{
	struct place place = place_make();

	secrets = "/proc/self/mem";
	const struct exit_record end = run(&place, "echo ran", 0, 1 << 20);
	secrets = NULL;
	assert_int_equal(end.kind, EXIT_NO_START);
	assert_non_null(strstr(end.message, "\"env_file\" /proc/self/mem"));
	assert_int_equal(end_of(place.directory), 0);
	place_remove(&place);
}

static void a_host_that_lacks_the_secrets_says_that_it_needs_them(void **state)
{
	struct place place = place_make();

	secrets = "/no/such/secrets";
	const struct exit_record end = run(&place, "echo ran", 0, 1 << 20);
	secrets = NULL;
	assert_int_equal(end.kind, EXIT_NO_START);
	assert_string_equal(end.message,
		"\"env_file\" /no/such/secrets is not there: each host needs it, at this path");
	place_remove(&place);
}

/* What a crash of the machine leaves of a file that was being written, or an editor of another encoding. */
static void a_command_does_not_run_with_the_half_of_its_secrets(void **state)
{
	static const char bytes[] = "A=1\n\0B=2\n";
	struct place place = place_make();
	char path[300];

	snprintf(path, sizeof(path), "%s/secrets", place.base);
	ASSERT_OK(
		&place, file_write_atomic(path, bytes, sizeof(bytes) - 1, 0600, false, &place.err));
	secrets = path;
	const struct exit_record end = run(&place, "echo ran", 0, 1 << 20);
	secrets = NULL;
	assert_int_equal(end.kind, EXIT_NO_START);
	assert_non_null(strstr(end.message, "zero byte"));
	place_remove(&place);
}

/* ---- where an engine starts the supervisor ---- */

/* A launch of `sh -c script` whose supervisor shows that it lives, and inherits. */
static void write_engine_launch(struct place *place, const char *script)
{
	const char *arguments[] = { "sh", "-c", script, NULL };
	const char *environment[] = { "COLOR=blue", NULL };
	const struct launch launch = { .key = place->key,
		.arguments = (char *const *)arguments,
		.environment = (char *const *)environment,
		.working_directory = place->base,
		.grace_us = 300000,
		.log_max_bytes = 1 << 20,
		.inherits = true,
		.heartbeat_us = 100000 };
	ASSERT_OK(place, launch_write(place->directory, &launch, &place->err));
}

/* As a job script does. Waits for its end. */
static void supervise_by_shell(struct place *place, const char *before)
{
	char command[512];
	snprintf(command, sizeof(command), "%s %s %s", before, getenv("TUNER_SUPERVISE"),
		place->directory);
	assert_int_equal(system(command), 0);
}

/* The program itself, again: see main. */
static int signal_by_a_descriptor(int pid)
{
	struct process process;
	if (!process_look(pid, &process))
		return 1;
	return process_signal(process_open(pid, process.start), pid, process.start, SIGTERM) ? 0
											     : 1;
}

/* Where a container lets only one of the two calls through. */
static void a_descriptor_that_takes_no_signal_leaves_the_number(void **state)
{
	char command[512], self[256] = "";
	int status = 0;

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	const pid_t pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	snprintf(command, sizeof(command), "%s pidfd_send_signal:EPERM -- %s %d",
		getenv("WITHOUT_CALLS"), self, (int)pid);
	const int told = system(command);
	if (WEXITSTATUS(told) != 0)
		kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(told) == 77)
		skip(); /* not allowed here */
	assert_int_equal(WEXITSTATUS(told), 0);
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void a_command_inherits_what_its_launch_does_not_name(void **state)
{
	struct place place = place_make();
	char output[256], expected[256];
	int64_t first;
	write_engine_launch(&place, "echo $COLOR $GIVEN $TUNER_ATTEMPT_KEY");
	supervise_by_shell(&place, "env COLOR=red GIVEN=module TUNER_ATTEMPT_KEY=other");
	read_all(&place, output, sizeof(output), &first);
	snprintf(expected, sizeof(expected), "blue module %s\n", place.key);
	assert_string_equal(output, expected);
	place_remove(&place);
}

/* Swapped out, or stopped, for longer than it would wait for orphans. */
static void a_supervisor_that_was_held_up_keeps_the_status(void **state)
{
	struct place place = place_make();
	struct attempt_status status;

	if (system("strace -qq -o /dev/null true 2>/dev/null") != 0)
		skip(); /* not installed, or not allowed */
	write_engine_launch(&place, "exit 3");
	supervise_by_shell(
		&place, "strace -qq -o /dev/null -e inject=wait4:delay_exit=5200000:when=1");
	ASSERT_OK(&place, attempt_look(place.directory, &status, &place.err));
	assert_int_equal(status.life, ATTEMPT_FINISHED);
	assert_int_equal(status.exit.kind, EXIT_CODE);
	assert_int_equal(status.exit.code, 3);
	place_remove(&place);
}

static void a_supervisor_out_of_reach_shows_that_it_lives_and_can_be_asked_to_stop(void **state)
{
	struct place place = place_make();
	struct attempt_status status;
	struct backend *backend = open_backend(&place);
	assert_int_equal(silence_of(place.directory), -1);
	write_engine_launch(&place, "exec sleep 1000");
	ASSERT_OK(&place, backend->ops->start(backend, 1, place.directory, place.key, &place.err));
	await(&place, backend, BACKEND_STARTED);
	ASSERT_OK(&place, attempt_look_afar(place.directory, &status, &place.err));
	assert_int_equal(status.life, ATTEMPT_LIVES);
	ASSERT_OK(&place, attempt_ask_to_stop(place.directory, SIGTERM, &place.err));
	const struct backend_event end = await(&place, backend, BACKEND_ENDED);
	assert_int_equal(end.exit.kind, EXIT_STOPPED);
	assert_int_equal(end.exit.stop_signal, SIGTERM);
	int64_t silence_us = silence_of(place.directory);
	assert_true(silence_us >= 0 && silence_us < PATIENCE_US);
	/* Where the server's time cannot be had, neither can that. */
	char path[128];
	snprintf(path, sizeof(path), "%s/.clock", place.directory);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(attempt_silence(place.directory, &silence_us));
	ASSERT_OK(&place, attempt_look_afar(place.directory, &status, &place.err));
	assert_int_equal(status.life, ATTEMPT_FINISHED);
	backend->ops->close(backend);
	place_remove(&place);
}

/* Who looks after it has not slept, and may have given the trial to another host. */
static void a_lease_runs_out_while_the_machine_sleeps(void **state)
{
	struct place place = place_make();
	struct backend *backend = open_backend_with_hours(&place, "SUSPENDED");
	const char *arguments[] = { "sh", "-c", "echo up; exec sleep 1000", NULL };
	const char *environment[] = { "PATH=/usr/bin:/bin", NULL };
	const struct launch launch = { .key = place.key,
		.arguments = (char *const *)arguments,
		.environment = (char *const *)environment,
		.working_directory = place.base,
		.timeout_us = PATIENCE_US,
		.grace_us = 300000,
		.log_max_bytes = 1 << 20,
		.lease_us = HALF_AN_HOUR_US };
	char path[128];

	ASSERT_OK(&place, launch_write(place.directory, &launch, &place.err));
	ASSERT_OK(&place, backend->ops->start(backend, 1, place.directory, place.key, &place.err));
	/* The lease begins before the command may run, and after `started` is there. */
	const int64_t until_us = clock_monotonic_us() + PATIENCE_US;
	while (end_of(place.directory) == 0 && clock_monotonic_us() < until_us)
		poll(NULL, 0, 10);
	snprintf(path, sizeof(path), "%s/hours", place.base);
	ASSERT_OK(&place, file_write_atomic(path, "", 0, 0600, false, &place.err));
	const struct backend_event end = await(&place, backend, BACKEND_ENDED);
	assert_int_equal(end.exit.kind, EXIT_STOPPED);
	assert_non_null(strstr(end.exit.message, "no tuner has reached it"));
	backend->ops->close(backend);
	place_remove(&place);
}

static void what_was_stopped_while_it_waited_in_a_queue_does_not_begin(void **state)
{
	struct place place = place_make();
	char path[128];
	write_engine_launch(&place, "touch ran");
	ASSERT_OK(&place, attempt_ask_to_stop(place.directory, SIGTERM, &place.err));
	supervise_by_shell(&place, "");
	assert_int_equal(look(&place).life, ATTEMPT_FINISHED);
	assert_int_equal(look(&place).exit.kind, EXIT_STOPPED);
	snprintf(path, sizeof(path), "%s/ran", place.base);
	assert_int_not_equal(access(path, F_OK), 0);
	place_remove(&place);
}

static void a_cut_launch_file_starts_nothing(void **state)
{
	struct place place = place_make();
	char path[128];
	struct stat info;
	write_launch(&place, "touch ran", 0, 1 << 20);
	snprintf(path, sizeof(path), "%s/launch", place.directory);
	assert_int_equal(stat(path, &info), 0);
	for (off_t size = 0; size < info.st_size; size += 7) {
		char command[512];
		assert_int_equal(truncate(path, size), 0);
		snprintf(command, sizeof(command), "cd %s && rm -f exit.json* started lock && %s .",
			place.directory, getenv("TUNER_SUPERVISE"));
		assert_int_equal(system(command), 0);
		assert_int_equal(look(&place).exit.kind, EXIT_NO_START);
		write_launch(&place, "touch ran", 0, 1 << 20);
	}
	snprintf(path, sizeof(path), "%s/ran", place.base);
	assert_int_equal(access(path, F_OK), -1);
	place_remove(&place);
}

/* Half a megabyte through a log of 64 KiB: the newest half at least is there, nothing twice. */
static void output_is_capped_and_its_offsets_stay_true(void **state)
{
	struct place place = place_make();
	static char output[1 << 20];
	int64_t first;
	const struct exit_record end = run(&place,
		"i=0; while [ $i -lt 50000 ]; do echo $((100000000 + i)); i=$((i+1)); done", 0,
		65536);
	assert_int_equal(end.output_bytes, 500000);
	assert_int_equal(end.output_lost, 0);
	read_all(&place, output, sizeof(output), &first);
	const size_t length = strlen(output);
	assert_int_equal(first + (int64_t)length, 500000);
	assert_true(length >= 32768 && length <= 65536 + 10);
	/* Byte first is where it says: numbers have ten bytes a line. */
	assert_int_equal(first % 10 ? 0 : atoi(output), first % 10 ? 0 : 100000000 + first / 10);
	struct text tail = TEXT_EMPTY;
	ASSERT_OK(&place, output_tail(place.directory, 2, &tail, &place.err));
	assert_string_equal(tail.bytes, "100049998\n100049999\n");
	text_finish(&tail);
	place_remove(&place);
}

/* Whoever makes room so is not told that the disk was full. */
static void output_that_is_removed_while_it_grows_goes_on(void **state)
{
	struct place place = place_make();
	static char output[1 << 20];
	char script[512];
	int64_t first;
	snprintf(script, sizeof(script),
		"echo 123456789; rm %s/output.log; i=0; while [ $i -lt 50000 ]; do echo "
		"$((100000000 + i)); i=$((i+1)); done",
		place.directory);
	const struct exit_record end = run(&place, script, 0, 65536);
	assert_int_equal(end.output_bytes, 500010);
	assert_int_equal(end.output_lost, 0);
	read_all(&place, output, sizeof(output), &first);
	const size_t length = strlen(output);
	assert_int_equal(first + (int64_t)length, 500010);
	assert_true(length >= 32768 && length <= 65536 + 10);
	assert_int_equal(
		first % 10 ? 0 : atoi(output), first % 10 ? 0 : 100000000 + first / 10 - 1);
	place_remove(&place);
}

static void run_and_see_its_end(const char *script, unsigned lines, struct text *ret)
{
	struct place place = place_make();

	(void)run(&place, script, 0, 1 << 20);
	ASSERT_OK(&place, output_tail(place.directory, lines, ret, &place.err));
	place_remove(&place);
}

static void a_line_that_begins_before_the_window_is_shown_only_if_there_is_no_other(void **state)
{
	struct text tail = TEXT_EMPTY;

	run_and_see_its_end("printf '%070000d\\n' 7", 1, &tail);
	assert_true(tail.length > 60000 && strcmp(tail.bytes + tail.length - 3, "07\n") == 0);
	run_and_see_its_end("printf '%070000d\\n8\\n' 7", 2, &tail);
	assert_string_equal(tail.bytes, "8\n");
	text_finish(&tail);
}

static void a_reader_that_keeps_pace_sees_every_byte_of_a_rotating_log(void **state)
{
	struct place place = place_make();
	struct backend *backend = open_backend(&place);
	char bytes[4096];
	int64_t offset = 0, at = 0, sum = 0;
	size_t size;
	bool ended = false;
	write_launch(&place,
		"i=0; while [ $i -lt 20000 ]; do echo $((100000000 + i)); i=$((i+1)); done", 0,
		1 << 20);
	ASSERT_OK(&place, backend->ops->start(backend, 1, place.directory, place.key, &place.err));
	for (;;) {
		struct backend_event event;
		bool got;
		ASSERT_OK(&place, backend->ops->next(backend, &event, &got, &place.err));
		ended = ended || (got && event.kind == BACKEND_ENDED);
		ASSERT_OK(&place, backend->ops->read_output(backend, 1, offset, bytes,
					  sizeof(bytes), &at, &size, &place.err));
		assert_int_equal(at, offset);
		for (size_t i = 0; i < size; i++)
			sum += bytes[i] == '\n';
		offset = at + (int64_t)size;
		if (ended && size == 0)
			break;
	}
	assert_int_equal(offset, 200000);
	assert_int_equal(sum, 20000);
	backend->ops->close(backend);
	place_remove(&place);
}

static bool is_dead(int64_t pid)
{
	struct process process;
	return !process_look(pid, &process) || process.state == 'Z';
}

/* The command's child has left its process group and lost its parent: only the key finds it. */
static void after_the_supervisors_death_nothing_of_the_command_is_left(void **state)
{
	struct place place = place_make();
	struct backend *backend = open_backend(&place);
	char path[128], pid_text[32] = "";
	write_launch(
		&place, "setsid sh -c 'echo $$ >orphan; exec sleep 300' & sleep 300", 0, 1 << 20);
	ASSERT_OK(&place, backend->ops->start(backend, 1, place.directory, place.key, &place.err));
	await(&place, backend, BACKEND_STARTED);
	snprintf(path, sizeof(path), "%s/orphan", place.base);
	for (int i = 0; i < 3000 && pid_text[0] == '\0'; i++) {
		FILE *file = fopen(path, "r");
		if (file == NULL || fgets(pid_text, sizeof(pid_text), file) == NULL)
			poll(NULL, 0, 10);
		if (file != NULL)
			fclose(file);
	}
	const int64_t orphan = atoll(pid_text);
	const struct attempt_status status = look(&place);
	assert_int_equal(status.life, ATTEMPT_LIVES);
	assert_true(orphan > 1 && !is_dead(orphan) && !is_dead(status.command_pid));
	assert_int_equal(kill((pid_t)status.supervisor_pid, SIGKILL), 0);
	await(&place, backend, BACKEND_LOST);
	snprintf(path, sizeof(path), "%s/exit.json.new", place.directory);
	assert_int_equal(access(path, F_OK), -1); /* it was reserved */
	assert_true(is_dead(orphan));
	assert_true(is_dead(status.command_pid));
	assert_int_equal(look(&place).life, ATTEMPT_ORPHANED);
	backend->ops->close(backend);
	place_remove(&place);
}

static void without_locks_the_supervisors_process_tells(void **state)
{
	no_locks = true;
	after_the_supervisors_death_nothing_of_the_command_is_left(state);
	no_locks = false;
}

/* ---- two supervisors where there are no locks ---- */

/* The supervisor's exit status; `calls`: what it goes without (without_calls.c). */
static int supervise_without(const struct place *place, const char *calls)
{
	char command[512];
	snprintf(command, sizeof(command), "%s %s -- %s %s", getenv("WITHOUT_CALLS"), calls,
		getenv("TUNER_SUPERVISE"), place->directory);
	const int status = system(command);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* It has looked before there was a `started`, and comes to the launch after that. */
#define WITHOUT_LOCKS "flock:ENOLCK"
#define TOO_EARLY     WITHOUT_LOCKS " faccessat:ENOENT faccessat2:ENOENT"

static void remove_launch(const struct place *place)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/launch", place->directory);
	assert_int_equal(unlink(path), 0);
}

static pid_t begin_without_locks(struct place *place)
{
	const int64_t until_us = clock_monotonic_us() + PATIENCE_US;
	const pid_t pid = fork();
	if (pid == 0)
		_exit(supervise_without(place, WITHOUT_LOCKS));
	no_locks = true;
	while (look(place).life == ATTEMPT_NEVER_RAN && clock_monotonic_us() < until_us)
		poll(NULL, 0, 10);
	no_locks = false;
	return pid;
}

static void assert_one_ran(struct place *place)
{
	char output[256], path[128];
	int64_t first;

	assert_int_equal(look(place).life, ATTEMPT_FINISHED);
	assert_int_equal(look(place).exit.kind, EXIT_CODE);
	assert_int_equal(look(place).exit.code, 4);
	read_all(place, output, sizeof(output), &first);
	assert_string_equal(output, "done\n");
	snprintf(path, sizeof(path), "%s/started", place->directory);
	assert_int_equal(access(path, F_OK), 0);
}

static void without_locks_one_supervisor_runs_the_command_and_tells_its_end(void **state)
{
	struct place place = place_make();
	char path[128];

	if (supervise_without(&place, "flock:ENOLCK") == 77) {
		place_remove(&place);
		skip(); /* not allowed here */
	}
	place_remove(&place);
	place = place_make();
	write_launch(&place, "while [ ! -e go ]; do sleep 0.02; done; echo done; exit 4",
		PATIENCE_US, 1 << 20);
	const pid_t first = begin_without_locks(&place);
	assert_int_equal(supervise_without(&place, WITHOUT_LOCKS), 76);
	assert_int_equal(supervise_without(&place, TOO_EARLY), 76);
	/* And if it cannot even begin, nobody hears of that: the command runs. */
	remove_launch(&place);
	assert_int_equal(supervise_without(&place, TOO_EARLY), 76);
	no_locks = true;
	assert_int_equal(look(&place).life, ATTEMPT_LIVES);
	no_locks = false;
	snprintf(path, sizeof(path), "%s/go", place.base);
	assert_int_equal(close(open(path, O_WRONLY | O_CREAT, 0600)), 0);
	int status = 0;
	assert_int_equal(waitpid(first, &status, 0), first);
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_one_ran(&place);
	assert_int_equal(supervise_without(&place, TOO_EARLY), 76);
	assert_one_ran(&place);
	place_remove(&place);
}

/* A file system without hard links, too. */
static void without_locks_and_links_it_starts_all_the_same(void **state)
{
	struct place place = place_make();

	if (supervise_without(&place, "flock:ENOLCK") == 77) {
		place_remove(&place);
		skip();
	}
	place_remove(&place);
	place = place_make();
	write_launch(&place, "echo done; exit 4", 0, 1 << 20);
	assert_int_equal(supervise_without(&place, WITHOUT_LOCKS " linkat:EPERM"), 0);
	assert_one_ran(&place);
	assert_int_equal(supervise_without(&place, TOO_EARLY " linkat:EPERM"), 76);
	assert_one_ran(&place);
	place_remove(&place);
}

static void write_started(const struct place *place, const char *host, const char *boot)
{
	char path[128], line[512];
	const int n = snprintf(line, sizeof(line),
		"{\"version\":1,\"host\":\"%s\",\"boot_id\":\"%s\",\"supervisor_pid\":%d,"
		"\"supervisor_start\":1,\"session\":2,\"command_pid\":0,\"command_start\":0,"
		"\"started_us\":5,\"cgroup\":\"\"}\n",
		host, boot, (int)getppid());
	struct tuner_error err;
	snprintf(path, sizeof(path), "%s/lock", place->directory);
	assert_true(file_write_atomic(path, "", 0, 0600, false, &err));
	snprintf(path, sizeof(path), "%s/started", place->directory);
	assert_true(file_write_atomic(path, line, (size_t)n, 0600, false, &err));
}

/* Nobody can tell here whether it lives; a lock would. */
static void without_locks_what_another_machine_runs_is_not_lost(void **state)
{
	static const char other_boot[] = "00000000-0000-0000-0000-000000000000";
	struct place place = place_make();
	char host[80] = "", boot[BOOT_ID_MAX];

	assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
	write_started(&place, "another-host", other_boot);
	assert_int_equal(look(&place).life, ATTEMPT_ORPHANED); /* its lock is free */
	no_locks = true;
	const struct attempt_status status = look(&place);
	assert_int_equal(status.life, ATTEMPT_LIVES);
	assert_false(attempt_fence(place.directory, place.key, &status, &place.err));
	assert_int_equal(place.err.code, TUNER_RETRY);
	/* Nor of a container on this machine, whose numbers are its own. */
	process_boot_id(boot);
	write_started(&place, "a-container", boot);
	assert_int_equal(look(&place).life, ATTEMPT_LIVES);
	write_started(&place, host, boot); /* no longer there */
	assert_int_equal(look(&place).life, ATTEMPT_ORPHANED);
	write_started(&place, "", other_boot); /* by a version that did not tell the host */
	assert_int_equal(look(&place).life, ATTEMPT_ORPHANED);
	write_started(&place, host, other_boot); /* this one has been restarted */
	assert_int_equal(look(&place).life, ATTEMPT_ORPHANED);
	no_locks = false;
	place_remove(&place);
}

/* One that another process has started, and that was held up, would run it beside the next attempt. */
static void what_has_failed_to_start_never_starts(void **state)
{
	struct place place = place_make();
	struct backend *backend = NULL;
	bool begun = true;

	write_launch(&place, "touch ran", 0, 1 << 20);
	ASSERT_OK(&place, backend_local_open("/bin/false", &backend, &place.err));
	ASSERT_OK(&place, backend->ops->start(backend, 1, place.directory, place.key, &place.err));
	await(&place, backend, BACKEND_FAILED);
	backend->ops->close(backend);
	char command[512];
	snprintf(command, sizeof(command), "%s %s", getenv("TUNER_SUPERVISE"), place.directory);
	const int status = system(command);
	assert_int_equal(WEXITSTATUS(status), 76);
	ASSERT_OK(&place, attempt_forbid(place.directory, &begun, &place.err));
	assert_true(begun);
	ASSERT_OK(&place, attempt_forbid("/tmp/there/is/no/such", &begun, &place.err));
	assert_false(begun);
	place_remove(&place);
}

/* Its lock cannot be held, and `started` does not name it (yet). */
static void nothing_is_lost_while_its_supervisor_is_there(void **state)
{
	struct place place = place_make();
	struct backend *backend = NULL;
	struct backend_event event;
	char path[128], script[256];
	bool got = false;

	write_launch(&place, "true", 0, 1 << 20);
	snprintf(path, sizeof(path), "%s/supervise", place.base);
	snprintf(script, sizeof(script),
		"#!/bin/sh\nuntil [ -e '%s/go' ]; do /bin/sleep 0.02; done\n", place.base);
	ASSERT_OK(&place, file_write_atomic(path, script, strlen(script), 0700, false, &place.err));
	ASSERT_OK(&place, backend_local_open(path, &backend, &place.err));
	ASSERT_OK(&place, backend->ops->start(backend, 1, place.directory, place.key, &place.err));
	ASSERT_OK(&place, attempt_forbid(place.directory, &got, &place.err));
	assert_int_equal(look(&place).life, ATTEMPT_ORPHANED);
	for (int i = 0; i < 20; i++) {
		ASSERT_OK(&place, backend->ops->next(backend, &event, &got, &place.err));
		assert_false(got);
		poll(NULL, 0, 5);
	}
	snprintf(path, sizeof(path), "%s/go", place.base);
	ASSERT_OK(&place, file_write_atomic(path, "", 0, 0600, false, &place.err));
	await(&place, backend, BACKEND_LOST);
	backend->ops->close(backend);
	place_remove(&place);
}

static void an_attempt_of_an_earlier_boot_needs_no_fence(void **state)
{
	struct place place = place_make();
	struct attempt_status status = { .life = ATTEMPT_ORPHANED,
		.command_pid = getppid(),
		.boot_id = "00000000-0000-0000-0000-000000000000" };
	ASSERT_OK(&place, attempt_fence(place.directory, place.key, &status, &place.err));
	assert_false(is_dead(getppid()));
	place_remove(&place);
}

/* Another process has that pid by now: its start tells. */
static void a_fence_spares_a_process_that_only_has_the_number(void **state)
{
	struct place place = place_make();
	const pid_t pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	struct attempt_status status = {
		.life = ATTEMPT_ORPHANED, .command_pid = pid, .command_start = 12345
	};
	ASSERT_OK(&place, attempt_fence(place.directory, place.key, &status, &place.err));
	assert_false(is_dead(pid));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	place_remove(&place);
}

static void another_process_takes_over_what_runs(void **state)
{
	struct place place = place_make();
	struct backend *first = open_backend(&place), *second = open_backend(&place);
	write_launch(
		&place, "while [ ! -e go ]; do sleep 0.02; done; echo done; exit 4", 0, 1 << 20);
	ASSERT_OK(&place, first->ops->start(first, 1, place.directory, place.key, &place.err));
	await(&place, first, BACKEND_STARTED);
	first->ops->close(first);
	ASSERT_OK(&place, second->ops->adopt(second, 9, place.directory, place.key, &place.err));
	await(&place, second, BACKEND_STARTED);
	char path[128];
	snprintf(path, sizeof(path), "%s/go", place.base);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	const struct backend_event end = await(&place, second, BACKEND_ENDED);
	assert_int_equal(end.attempt, 9);
	assert_int_equal(end.exit.code, 4);
	second->ops->close(second);
	place_remove(&place);
}

static void who_takes_over_what_runs_may_end_it(void **state)
{
	struct place place = place_make();
	struct backend *first = open_backend(&place), *second = open_backend(&place);

	write_launch(&place, "exec sleep 1000", PATIENCE_US, 1 << 20);
	ASSERT_OK(&place, first->ops->start(first, 1, place.directory, place.key, &place.err));
	await(&place, first, BACKEND_STARTED);
	first->ops->close(first);
	ASSERT_OK(&place, second->ops->adopt(second, 9, place.directory, place.key, &place.err));
	await(&place, second, BACKEND_STARTED);
	ASSERT_OK(&place, second->ops->signal(second, 9, SIGTERM, &place.err));
	const struct backend_event end = await(&place, second, BACKEND_ENDED);
	assert_int_equal(end.exit.kind, EXIT_STOPPED);
	assert_int_equal(end.exit.stop_signal, SIGTERM);
	second->ops->close(second);
	place_remove(&place);
}

static void a_supervisor_that_was_stopped_hears_that_it_is_to_end(void **state)
{
	struct place place = place_make();
	struct backend *backend = open_backend(&place);
	struct attempt_status status;
	(void)state;

	write_launch(&place, "exec sleep 1000", PATIENCE_US, 1 << 20);
	ASSERT_OK(&place, backend->ops->start(backend, 1, place.directory, place.key, &place.err));
	await(&place, backend, BACKEND_STARTED);
	ASSERT_OK(&place, attempt_look(place.directory, &status, &place.err));
	assert_int_equal(kill((pid_t)status.supervisor_pid, SIGSTOP), 0);
	ASSERT_OK(&place, backend->ops->signal(backend, 1, SIGTERM, &place.err));
	const struct backend_event end = await(&place, backend, BACKEND_ENDED);
	assert_int_equal(end.exit.kind, EXIT_STOPPED);
	assert_int_equal(end.exit.stop_signal, SIGTERM);
	backend->ops->close(backend);
	place_remove(&place);
}

/* Its directory was removed, or it was never prepared: a key is not used again on that chance. */
static void without_its_launch_an_attempt_is_not_started_by_who_takes_it_over(void **state)
{
	struct place place = place_make();
	struct backend *backend = open_backend(&place);
	char left[160];
	snprintf(left, sizeof(left), "%s/.tuner-00.tmp", place.directory);
	close(open(left, O_CREAT | O_WRONLY, 0600));
	ASSERT_OK(&place, backend->ops->adopt(backend, 1, place.directory, place.key, &place.err));
	await(&place, backend, BACKEND_LOST);
	assert_int_equal(access(left, F_OK), -1);
	backend->ops->forget(backend, 1);
	ASSERT_OK(&place,
		backend->ops->adopt(backend, 2, "/tmp/there/is/no/such", place.key, &place.err));
	await(&place, backend, BACKEND_LOST);
	backend->ops->forget(backend, 2);
	write_launch(&place, "exit 0", 0, 1 << 20);
	ASSERT_OK(&place, backend->ops->adopt(backend, 3, place.directory, place.key, &place.err));
	await(&place, backend, BACKEND_ENDED);
	backend->ops->close(backend);
	place_remove(&place);
}

static void a_launch_tells_whose_it_is(void **state)
{
	struct place place = place_make();
	enum launch_owner owner;
	char path[128];
	ASSERT_OK(&place, launch_look(place.directory, place.key, &owner, &place.err));
	assert_int_equal(owner, LAUNCH_NOBODYS);
	write_launch(&place, "exit 0", 0, 1 << 20);
	ASSERT_OK(&place, launch_look(place.directory, place.key, &owner, &place.err));
	assert_int_equal(owner, LAUNCH_OWN);
	ASSERT_OK(&place, launch_look(place.directory, "another", &owner, &place.err));
	assert_int_equal(owner, LAUNCH_ANOTHERS);
	snprintf(path, sizeof(path), "%s/launch", place.directory);
	for (off_t size = 0; size < 16; size++) { /* up to the key's tag */
		assert_int_equal(truncate(path, size), 0);
		ASSERT_OK(&place, launch_look(place.directory, place.key, &owner, &place.err));
		assert_int_equal(owner, LAUNCH_NOBODYS);
		write_launch(&place, "exit 0", 0, 1 << 20);
	}
	place_remove(&place);
}

static void a_torn_record_counts_as_lost(void **state)
{
	struct place place = place_make();
	char command[256];
	snprintf(command, sizeof(command), "cd %s && printf '{\"vers' >started && : >exit.json",
		place.directory);
	assert_int_equal(system(command), 0);
	assert_int_equal(look(&place).life, ATTEMPT_ORPHANED);
	place_remove(&place);
}

static enum attempt_life life_with_exit(struct place *place, const char *record)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/exit.json", place->directory);
	ASSERT_OK(place, file_write_atomic(path, record, strlen(record), 0600, false, &place->err));
	return look(place).life;
}

/* Numbers that no supervisor writes are a damage; two readings of a clock that was set back between them are not. */
static void a_damaged_record_is_believed_in_nothing(void **state)
{
	struct place place = place_make();
	char path[128], *large = calloc(1, RECORD_BYTES_MAX + 64);
	snprintf(path, sizeof(path), "%s/started", place.directory);
	const char started[] = "{\"command_pid\": 12, \"session\": 1e300}";
	ASSERT_OK(
		&place, file_write_atomic(path, started, strlen(started), 0600, false, &place.err));
	assert_int_equal(look(&place).command_pid, 0);
	assert_int_equal(life_with_exit(&place, "{\"kind\": \"code\", \"code\": 4294967296}"),
		ATTEMPT_ORPHANED);
	assert_int_equal(life_with_exit(&place, "{\"kind\": \"code\", \"code\": 0, "
						"\"ended_us\": -5}"),
		ATTEMPT_ORPHANED);
	assert_non_null(large);
	snprintf(large, 64, "{\"kind\": \"code\", \"code\": 0}");
	memset(large + strlen(large), ' ', RECORD_BYTES_MAX);
	assert_int_equal(life_with_exit(&place, large), ATTEMPT_ORPHANED);
	free(large);
	assert_int_equal(life_with_exit(&place, "{\"kind\": \"code\", \"code\": 0, "
						"\"started_us\": 9, \"ended_us\": 5}"),
		ATTEMPT_FINISHED);
	assert_int_equal(look(&place).exit.ended_us, 9);
	place_remove(&place);
}

static void a_supervisor_that_cannot_be_run_is_refused_at_once(void **state)
{
	struct backend *backend = NULL;
	struct tuner_error err;
	assert_false(backend_local_open("/no/such/supervisor", &backend, &err));
	assert_int_equal(err.code, TUNER_USAGE);
}

/* What the supervisor looks at itself. Its grace is no leave to take the machine with it. */
static void a_memory_limit_is_kept_while_a_command_is_being_ended(void **state)
{
	struct place place = place_make();
	const char *arguments[] = { "sh", "-c",
		"trap 'cat /dev/zero | tail -c 100000000; exit' TERM; echo >hours; "
		"while :; do sleep 0.02; done",
		NULL };
	const char *environment[] = { "PATH=/usr/bin:/bin", NULL };
	const struct launch launch = { .key = place.key,
		.arguments = (char *const *)arguments,
		.environment = (char *const *)environment,
		.working_directory = place.base,
		.timeout_us = HALF_AN_HOUR_US,
		.grace_us = 60000000,
		.memory_bytes = 40 << 20,
		.log_max_bytes = 1 << 20 };

	ASSERT_OK(&place, launch_write(place.directory, &launch, &place.err));
	const struct exit_record end =
		run_launch_by(&place, open_backend_with_hours(&place, "HOURS"));
	assert_int_equal(end.kind, EXIT_TIMEOUT);
	assert_int_equal(end.signal, SIGKILL);
	assert_true(end.ended_us - end.started_us < HOUR_US + 40000000);
	place_remove(&place);
}

/* Many programs take a second SIGTERM for "at once, without saving". The time limit comes first, and the lease, too, runs out
 * before the grace does. */
static void a_command_is_asked_to_end_once(void **state)
{
	struct place place = place_make();
	const char *arguments[] = { "sh", "-c",
		"exec 2>/dev/null; trap 'echo term' TERM; echo >hours; while :; do sleep 0.02; "
		"done",
		NULL };
	const char *environment[] = { "PATH=/usr/bin:/bin", NULL };
	const struct launch launch = { .key = place.key,
		.arguments = (char *const *)arguments,
		.environment = (char *const *)environment,
		.working_directory = place.base,
		.timeout_us = HALF_AN_HOUR_US,
		.lease_us = HOUR_US + HALF_AN_HOUR_US,
		.grace_us = HOUR_US + 2500000,
		.log_max_bytes = 1 << 20 };
	const int64_t until_us = clock_monotonic_us() + PATIENCE_US;
	struct backend *backend = open_backend_with_hours(&place, "HOURS");
	char path[128], output[256];
	int64_t first;

	ASSERT_OK(&place, launch_write(place.directory, &launch, &place.err));
	ASSERT_OK(&place, backend->ops->start(backend, 1, place.directory, place.key, &place.err));
	/* What it says of the signal is stored once the grace has begun. */
	while (end_of(place.directory) == 0 && clock_monotonic_us() < until_us)
		poll(NULL, 0, 10);
	snprintf(path, sizeof(path), "%s/hours", place.base);
	ASSERT_OK(&place, file_write_atomic(path, "\n\n", 2, 0600, false, &place.err));
	const struct exit_record end = await(&place, backend, BACKEND_ENDED).exit;
	backend->ops->close(backend);
	assert_int_equal(end.kind, EXIT_TIMEOUT);
	assert_string_equal(end.message, "");
	read_all(&place, output, sizeof(output), &first);
	assert_string_equal(output, "term\n");
	place_remove(&place);
}

/* ---- locks of GPUs ---- */

static struct exit_record run_on_gpu(struct place *place, const char *lock, const char *script)
{
	const char *arguments[] = { "sh", "-c", script, NULL };
	const char *environment[] = { "PATH=/usr/bin:/bin", NULL };
	const char *locks[] = { lock, NULL };
	const struct launch launch = { .key = place->key,
		.arguments = (char *const *)arguments,
		.environment = (char *const *)environment,
		.working_directory = place->base,
		.gpu_locks = (char *const *)locks,
		.gpu_owner = "job@1",
		.grace_us = 300000,
		.log_max_bytes = 1 << 20 };

	ASSERT_OK(place, launch_write(place->directory, &launch, &place->err));
	return run_launch(place);
}

/* As after a cut connection, or when tuner was killed before it began. */
static void a_gpu_that_another_tuner_has_taken_meanwhile_is_not_used(void **state)
{
	struct place place = place_make();
	char lock[300], who[GPU_OWNER_MAX], output[256];
	int64_t first;
	int fd;

	snprintf(lock, sizeof(lock), "%s/GPU-a", place.base);
	assert_int_equal(gpu_lock_claim(lock, "other@1", &fd, who), GPU_CLAIMED);
	const struct exit_record end = run_on_gpu(&place, lock, "echo ran");
	assert_int_equal(end.kind, EXIT_STOPPED);
	assert_string_equal(
		end.message, "another tuner (job other) had taken its GPU before it began");
	read_all(&place, output, sizeof(output), &first);
	assert_string_equal(output, "");
	gpu_lock_release(fd);
	place_remove(&place);
}

/* Whoever had it before, and whether the tuner that launched us still has it, too. */
static void a_gpu_is_locked_in_its_owners_name_while_the_command_runs(void **state)
{
	static const char *const before[] = { NULL, "job@1", "other@1" };

	for (size_t i = 0; i < 3; i++) {
		struct place place = place_make();
		char lock[300], who[GPU_OWNER_MAX], script[700], output[256];
		int64_t first;
		int fd = -1;
		snprintf(lock, sizeof(lock), "%s/GPU-a", place.base);
		snprintf(script, sizeof(script),
			"cat '%s'; if flock -n -x '%s' true; then echo free; else echo held; fi",
			lock, lock);
		if (before[i] != NULL)
			assert_int_equal(gpu_lock_claim(lock, before[i], &fd, who), GPU_CLAIMED);
		if (i == 2)
			gpu_lock_release(fd);
		const struct exit_record end = run_on_gpu(&place, lock, script);
		assert_int_equal(end.kind, EXIT_CODE);
		read_all(&place, output, sizeof(output), &first);
		assert_string_equal(output, "job@1\nheld\n");
		if (i == 1)
			gpu_lock_release(fd);
		place_remove(&place);
	}
}

static void a_gpu_that_cannot_be_locked_is_used_all_the_same(void **state)
{
	struct place place = place_make();

	assert_int_equal(run_on_gpu(&place, "/no/such/place/GPU-a", "exit 3").code, 3);
	place_remove(&place);
}

/* ---- a cgroup for the memory limit, by a directory that stands for it ---- */

static char real_supervisor[4096];

struct groups {
	char root[128], own[256]; /* our own group, which is delegated */
	char attempt[320]; /* the attempt's, whose files the kernel would make */
};

static void write_in(const char *directory, const char *name, const char *text)
{
	char path[512];
	struct tuner_error err;
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_true(file_write_atomic(path, text, strlen(text), 0600, false, &err));
}

static void assert_has(const char *directory, const char *name, const char *expected)
{
	char path[512];
	struct text text = TEXT_EMPTY;
	struct tuner_error err;
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_true(file_read(path, 4096, &text, &err));
	assert_string_equal(text.bytes, expected);
	text_finish(&text);
}

/* False: this file system keeps no attributes, or this kernel has no cgroup v2, and nothing can be marked. */
static bool make_groups(struct place *place, struct groups *ret)
{
	static const char *const files[] = { "cgroup.procs", "memory.max", "memory.events",
		"cgroup.kill", "cgroup.events" };
	struct text membership = TEXT_EMPTY;
	struct tuner_error err;
	char leaf[320], wrapper[128], script[4500];

	snprintf(ret->root, sizeof(ret->root), "%s/cgroup", place->base);
	assert_true(file_read("/proc/self/cgroup", 8192, &membership, &err));
	const char *line = strstr(membership.bytes, "0::/");
	const int length = line != NULL ? (int)strcspn(line + 3, "\n") : 0;
	snprintf(ret->own, sizeof(ret->own), "%s%.*s", ret->root, length > 1 ? length : 0,
		line != NULL ? line + 3 : "");
	text_finish(&membership);
	if (line == NULL || strstr(ret->own, "/..") != NULL || strlen(ret->own) > 200)
		return false;
	assert_true(directory_make(ret->own, 0700, &err));
	if (setxattr(ret->own, "user.delegate", "1", 1, 0) != 0)
		return false;
	write_in(ret->own, "cgroup.controllers", "cpu memory\n");
	write_in(ret->own, "cgroup.procs", "");
	write_in(ret->own, "cgroup.subtree_control", "");
	snprintf(leaf, sizeof(leaf), "%s/tuner-programs", ret->own);
	assert_true(directory_make(leaf, 0700, &err));
	snprintf(ret->attempt, sizeof(ret->attempt), "%s/tuner-%s", ret->own, place->key);
	assert_true(directory_make(ret->attempt, 0700, &err));
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		write_in(ret->attempt, files[i], "");
	setenv("TUNER_CGROUP_ROOT", ret->root, 1);
	/* The supervisor is given no environment. */
	snprintf(real_supervisor, sizeof(real_supervisor), "%s", getenv("TUNER_SUPERVISE"));
	snprintf(wrapper, sizeof(wrapper), "%s/supervise", place->base);
	snprintf(script, sizeof(script), "#!/bin/sh\nTUNER_CGROUP_ROOT=%s exec '%s' \"$@\"\n",
		ret->root, real_supervisor);
	write_in(place->base, "supervise", script);
	assert_int_equal(chmod(wrapper, 0700), 0);
	setenv("TUNER_SUPERVISE", wrapper, 1);
	return true;
}

static void groups_end(struct place *place)
{
	unsetenv("TUNER_CGROUP_ROOT");
	if (real_supervisor[0] != '\0')
		setenv("TUNER_SUPERVISE", real_supervisor, 1);
	place_remove(place);
}

/* What the kernel would do to it, the command does itself. */
static struct exit_record run_in_group(
	struct place *place, const struct groups *groups, const char *events, const char *end)
{
	char script[1024];
	snprintf(script, sizeof(script), "printf '%s' >%s/memory.events; %s", events,
		groups->attempt, end);
	write_launch_within(place, script, 0, 1 << 20, INT64_C(64) << 30);
	return run_launch(place);
}

static void a_memory_limit_is_kept_by_a_cgroup_where_one_is_delegated(void **state)
{
	struct place place = place_make();
	struct groups groups;
	char pid[32];

	if (!make_groups(&place, &groups)) {
		groups_end(&place);
		skip();
	}
	const struct exit_record record =
		run_in_group(&place, &groups, "oom 1\\noom_kill 2\\n", "kill -KILL $$");
	const struct attempt_status status = look(&place);
	assert_int_equal(record.kind, EXIT_MEMORY);
	assert_non_null(strstr(record.message, "its cgroup, and \"memory\" allows 65536 MiB"));
	assert_string_equal(status.cgroup, groups.attempt);
	assert_has(groups.own, "cgroup.subtree_control", "+memory");
	assert_has(groups.attempt, "memory.max", "68719476736");
	snprintf(pid, sizeof(pid), "%lld", (long long)status.command_pid);
	assert_has(groups.attempt, "cgroup.procs", pid);
	assert_has(groups.attempt, "cgroup.kill", "1");
	groups_end(&place);
}

static void only_its_own_limit_is_the_attempts_fault(void **state)
{
	struct place place = place_make();
	struct groups groups;

	if (!make_groups(&place, &groups)) {
		groups_end(&place);
		skip();
	}
	const struct exit_record record =
		run_in_group(&place, &groups, "oom 0\\noom_kill 1\\n", "kill -KILL $$");
	assert_int_equal(record.kind, EXIT_SIGNAL);
	assert_true(record.out_of_memory);
	groups_end(&place);
}

static void who_ends_well_was_not_ended_by_the_limit(void **state)
{
	struct place place = place_make();
	struct groups groups;

	if (!make_groups(&place, &groups)) {
		groups_end(&place);
		skip();
	}
	const struct exit_record record =
		run_in_group(&place, &groups, "oom 1\\noom_kill 1\\n", "exit 0");
	assert_int_equal(record.kind, EXIT_CODE);
	assert_false(record.out_of_memory);
	groups_end(&place);
}

/* Where it says nothing, or is damaged, the key finds the group. */
static void a_fence_kills_the_cgroup_that_a_supervisor_has_left(void **state)
{
	struct place place = place_make();
	struct groups groups;

	if (!make_groups(&place, &groups)) {
		groups_end(&place);
		skip();
	}
	struct attempt_status status = { .life = ATTEMPT_ORPHANED };
	for (int i = 0; i < 2; i++) {
		write_in(groups.attempt, "cgroup.kill", "");
		snprintf(status.cgroup, sizeof(status.cgroup), "%s",
			i == 0 ? groups.attempt : groups.own);
		ASSERT_OK(&place, attempt_fence(place.directory, place.key, &status, &place.err));
		assert_has(groups.attempt, "cgroup.kill", "1");
	}
	write_in(groups.attempt, "cgroup.events", "populated 1\nfrozen 0\n");
	assert_false(attempt_fence(place.directory, place.key, &status, &place.err));
	assert_int_equal(place.err.code, TUNER_RETRY);
	assert_true(directory_remove(groups.attempt, &place.err));
	ASSERT_OK(&place, attempt_fence(place.directory, place.key, &status, &place.err));
	groups_end(&place);
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return signal_by_a_descriptor(atoi(argv[1]));
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_or_missing_directory_never_ran),
		cmocka_unit_test(a_command_runs_with_its_environment_and_its_end_is_recorded),
		cmocka_unit_test(nothing_is_started_twice_in_a_directory),
		cmocka_unit_test(a_signal_that_kills_the_command_is_recorded),
		cmocka_unit_test(the_time_limit_ends_a_command_that_ignores_sigterm),
		cmocka_unit_test(a_command_that_is_told_to_stop_may_take_leave),
		cmocka_unit_test(a_missing_program_and_a_missing_directory_are_told),
		cmocka_unit_test(a_command_does_not_run_without_secrets_that_cannot_be_read),
		cmocka_unit_test(a_host_that_lacks_the_secrets_says_that_it_needs_them),
		cmocka_unit_test(a_command_does_not_run_with_the_half_of_its_secrets),
		cmocka_unit_test(a_cut_launch_file_starts_nothing),
		cmocka_unit_test(output_is_capped_and_its_offsets_stay_true),
		cmocka_unit_test(
			a_line_that_begins_before_the_window_is_shown_only_if_there_is_no_other),
		cmocka_unit_test(output_that_is_removed_while_it_grows_goes_on),
		cmocka_unit_test(a_reader_that_keeps_pace_sees_every_byte_of_a_rotating_log),
		cmocka_unit_test(after_the_supervisors_death_nothing_of_the_command_is_left),
		cmocka_unit_test(without_locks_the_supervisors_process_tells),
		cmocka_unit_test(without_locks_one_supervisor_runs_the_command_and_tells_its_end),
		cmocka_unit_test(without_locks_and_links_it_starts_all_the_same),
		cmocka_unit_test(without_locks_what_another_machine_runs_is_not_lost),
		cmocka_unit_test(what_has_failed_to_start_never_starts),
		cmocka_unit_test(nothing_is_lost_while_its_supervisor_is_there),
		cmocka_unit_test(an_attempt_of_an_earlier_boot_needs_no_fence),
		cmocka_unit_test(a_fence_spares_a_process_that_only_has_the_number),
		cmocka_unit_test(a_descriptor_that_takes_no_signal_leaves_the_number),
		cmocka_unit_test(a_command_inherits_what_its_launch_does_not_name),
		cmocka_unit_test(a_supervisor_that_was_held_up_keeps_the_status),
		cmocka_unit_test(
			a_supervisor_out_of_reach_shows_that_it_lives_and_can_be_asked_to_stop),
		cmocka_unit_test(a_lease_runs_out_while_the_machine_sleeps),
		cmocka_unit_test(what_was_stopped_while_it_waited_in_a_queue_does_not_begin),
		cmocka_unit_test(another_process_takes_over_what_runs),
		cmocka_unit_test(who_takes_over_what_runs_may_end_it),
		cmocka_unit_test(a_supervisor_that_was_stopped_hears_that_it_is_to_end),
		cmocka_unit_test(without_its_launch_an_attempt_is_not_started_by_who_takes_it_over),
		cmocka_unit_test(a_launch_tells_whose_it_is),
		cmocka_unit_test(a_torn_record_counts_as_lost),
		cmocka_unit_test(a_damaged_record_is_believed_in_nothing),
		cmocka_unit_test(a_supervisor_that_cannot_be_run_is_refused_at_once),
		cmocka_unit_test(a_command_is_asked_to_end_once),
		cmocka_unit_test(a_gpu_that_another_tuner_has_taken_meanwhile_is_not_used),
		cmocka_unit_test(a_gpu_is_locked_in_its_owners_name_while_the_command_runs),
		cmocka_unit_test(a_gpu_that_cannot_be_locked_is_used_all_the_same),
		cmocka_unit_test(a_memory_limit_is_kept_while_a_command_is_being_ended),
		cmocka_unit_test(a_memory_limit_is_kept_by_a_cgroup_where_one_is_delegated),
		cmocka_unit_test(only_its_own_limit_is_the_attempts_fault),
		cmocka_unit_test(who_ends_well_was_not_ended_by_the_limit),
		cmocka_unit_test(a_fence_kills_the_cgroup_that_a_supervisor_has_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
