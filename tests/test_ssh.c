/* The ssh backend with the real agent and supervisor ($TUNER_SUPERVISE), behind an `ssh` of ours on PATH that
 * runs the remote command here, in a home directory of its own. What it does is told by files there. */
#include "base/clock.h"
#include "base/file.h"
#include "failing_readdir.h"
#include "scheduler/attempt_files.h"
#include "scheduler/ssh.h"
#include "scheduler/ssh_pending.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* Of this process alone: what carries a key may be killed by whoever fences an attempt of that key. */
static char key[40];

enum { TURNS_MAX = 6000 };
static const int64_t PATIENCE_US = 60000000;

/* The remote command is the last word. `pid` names the latest connection. */
#define FAKE_SSH                                                                                   \
	"#!/bin/sh\n"                                                                              \
	"for word; do :; done\n"                                                                   \
	"cd \"${0%/*}/home\" || exit 1\n"                                                          \
	"[ ! -e down ] || { echo 'ssh: connect to host h: Connection refused' >&2; exit 255; }\n"  \
	"echo x >>connections\n"                                                                   \
	"echo $$ >pid\n"                                                                           \
	"[ ! -e noise ] || echo 'Welcome to h!'\n"                                                 \
	"set --\n"                                                                                 \
	"[ ! -e unreadable ] || { read -r n path <unreadable; rm unreadable\n"                     \
	"set -- strace -D -qq -o /dev/null -P \"$path\" \\\n"                                      \
	"  -e inject=?open,openat:error=EIO:when=$n; }\n"                                          \
	"PATH=\"$PWD/bin:$PATH\" HOME=$PWD exec \"$@\" /bin/sh -c \"$word\"\n"

/* What has passed beyond what really has: the linker has everybody read this clock. */
static int64_t passed_us;
int64_t __real_clock_monotonic_us(void);
int64_t __wrap_clock_monotonic_us(void);

int64_t __wrap_clock_monotonic_us(void)
{
	return __real_clock_monotonic_us() + passed_us;
}

struct host {
	char base[64], home[96], mirror[96];
	struct backend *backend;
	struct backend_site site;
	const char *code; /* the working directory; NULL: not copied */
	const char *database, *secrets; /* NULL: elsewhere */
	int64_t gpu_look_us;
	int attempt; /* of each trial; 0: the first */
	int turns;
	struct tuner_error err;
};

#define ASSERT_OK(host, call)                                                                      \
	do {                                                                                       \
		if (!(call))                                                                       \
			fail_msg("%s", (host)->err.message);                                       \
	} while (0)

static char old_path[4096];

static int64_t end_of(const char *directory)
{
	struct tuner_error err;
	int64_t end;

	if (!output_end(directory, &end, &err))
		fail_msg("%s", err.message);
	return end;
}

static void write_script(struct host *host, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", host->base, name);
	ASSERT_OK(host, file_write_atomic(path, text, strlen(text), 0700, false, &host->err));
	assert_int_equal(chmod(path, 0700), 0);
}

static void put(struct host *host, const char *name, bool there)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", host->home, name);
	if (there)
		ASSERT_OK(host, file_write_atomic(path, "", 0, 0600, false, &host->err));
	else
		unlink(path);
}

static void open_host(struct host *host, bool starts, int64_t host_timeout_us)
{
	const struct ssh_settings settings = {
		.name = "h",
		.address = "h",
		.user = "",
		.directory = "it's work",
		.supervisor = getenv("TUNER_SUPERVISE"),
		.mirror = host->mirror,
		.database = host->database != NULL ? host->database : "",
		.secrets = host->secrets,
		.code = host->code,
		.host_timeout_us = host_timeout_us,
		.log_max_bytes = 1 << 20,
		.gpu_look_us = host->gpu_look_us,
		.starts = starts,
	};
	ASSERT_OK(host, backend_ssh_open(&settings, &host->backend, &host->err));
}

static int set_up(void **state)
{
	struct host *host = calloc(1, sizeof(*host));
	char path[8192];
	assert_non_null(host);
	snprintf(host->base, sizeof(host->base), "/tmp/tuner-test-XXXXXX");
	assert_non_null(mkdtemp(host->base));
	snprintf(host->home, sizeof(host->home), "%s/home", host->base);
	snprintf(host->mirror, sizeof(host->mirror), "%s/db.d/job", host->base);
	snprintf(path, sizeof(path), "%s/home/bin", host->base);
	assert_true(directory_make(path, 0700, &host->err));
	assert_true(directory_make(host->mirror, 0700, &host->err));
	write_script(host, "ssh", FAKE_SSH);
	snprintf(old_path, sizeof(old_path), "%s", getenv("PATH"));
	snprintf(path, sizeof(path), "%s:%s", host->base, old_path);
	setenv("PATH", path, 1);
	setenv("XDG_RUNTIME_DIR", host->base, 1);
	unsetenv("CUDA_VISIBLE_DEVICES"); /* a host knows nothing of ours */
	*state = host;
	return 0;
}

static void close_host(struct host *host)
{
	if (host->backend != NULL)
		host->backend->ops->close(host->backend);
	host->backend = NULL;
}

static int tear_down(void **state)
{
	struct host *host = *state;
	close_host(host);
	setenv("PATH", old_path, 1);
	assert_true(directory_remove(host->base, &host->err));
	free(host);
	return 0;
}

/* The next event of this kind; others before it are passed over. */
static struct backend_event await(struct host *host, enum backend_event_kind kind)
{
	struct backend *backend = host->backend;
	const int64_t until_us = clock_monotonic_us() + PATIENCE_US;
	struct backend_event event = { .kind = kind };
	bool got = false;
	while (clock_monotonic_us() < until_us) {
		struct pollfd fds[16];
		const size_t n = backend->ops->descriptors(backend, fds, 16);
		ASSERT_OK(host, backend->ops->next(backend, &event, &got, &host->err));
		if (got && event.kind == kind)
			return event;
		if (!got)
			poll(fds, n, 10);
	}
	fail_msg("no event of kind %d", (int)kind);
	return event;
}

/* The next event of this attempt (0: of the host), which must be of this kind. */
static struct backend_event await_first_of(
	struct host *host, int64_t attempt, enum backend_event_kind kind)
{
	struct backend_event event = { .kind = kind };
	const int64_t until_us = clock_monotonic_us() + PATIENCE_US;
	bool got = false;
	while (clock_monotonic_us() < until_us) {
		ASSERT_OK(host, host->backend->ops->next(host->backend, &event, &got, &host->err));
		if (got && event.attempt == attempt) {
			if (event.kind != kind)
				fail_msg("kind %d: %s", (int)event.kind, event.message);
			return event;
		}
		if (!got)
			poll(NULL, 0, 10);
	}
	fail_msg("no event of attempt %d", (int)attempt);
	return event;
}

/* The next event, which must be of the host. */
static struct backend_event await_host(struct host *host)
{
	struct backend_event event = { .kind = BACKEND_HOST_UP };
	bool got = false;
	while (!got) {
		if (host->turns++ > TURNS_MAX)
			fail_msg("what is waited for does not come");
		ASSERT_OK(host, host->backend->ops->next(host->backend, &event, &got, &host->err));
		if (!got)
			poll(NULL, 0, 10);
	}
	if (event.attempt != 0)
		fail_msg("kind %d of attempt %d: %s", (int)event.kind, (int)event.attempt,
			event.message);
	return event;
}

/* Lets time pass for the backend. */
static void turn_for(struct host *host, struct backend_event *ret, bool *ret_got)
{
	if (host->turns++ > TURNS_MAX)
		fail_msg("what is waited for does not come");
	ASSERT_OK(host, host->backend->ops->next(host->backend, ret, ret_got, &host->err));
	if (!*ret_got)
		poll(NULL, 0, 10);
}

static void turn(struct host *host)
{
	struct backend_event event;
	bool got = true;

	turn_for(host, &event, &got);
}

static char *directory_of(struct host *host, int number)
{
	static char path[256];
	snprintf(path, sizeof(path), "%s/%04d/%d", host->mirror, number,
		host->attempt > 0 ? host->attempt : 1);
	return path;
}

/* Prepares and starts `sh -c script` as trial `number`, which is its id, too. */
static void start(struct host *host, int number, const char *script, int64_t lease_us)
{
	const char *arguments[] = { "sh", "-c", script, NULL };
	const char *environment[] = { "PATH=/usr/bin:/bin", NULL };
	char model[300];
	const struct launch launch = { .key = key,
		.arguments = (char *const *)arguments,
		.environment = (char *const *)environment,
		.working_directory = host->home,
		.grace_us = 300000,
		.lease_us = lease_us,
		.log_max_bytes = 1 << 20 };
	snprintf(model, sizeof(model), "%s/model", directory_of(host, number));
	ASSERT_OK(host, directory_make(model, 0700, &host->err));
	ASSERT_OK(host, launch_write(directory_of(host, number), &launch, &host->err));
	ASSERT_OK(host, host->backend->ops->start(host->backend, number, directory_of(host, number),
				key, &host->err));
}

static void adopt(struct host *host, int number)
{
	ASSERT_OK(host, host->backend->ops->adopt(host->backend, number, directory_of(host, number),
				key, &host->err));
}

static void output_is(struct host *host, int number, const char *expected)
{
	char bytes[4096];
	int64_t offset;
	size_t n;
	assert_true(output_read(
		directory_of(host, number), 0, bytes, sizeof(bytes) - 1, &offset, &n, &host->err));
	bytes[n] = '\0';
	assert_string_equal(bytes, expected);
}

static size_t lines_of(struct host *host, const char *name)
{
	struct text text = TEXT_EMPTY;
	char path[256];
	size_t n = 0;
	snprintf(path, sizeof(path), "%s/%s", host->home, name);
	if (access(path, F_OK) == 0)
		ASSERT_OK(host, file_read(path, 1 << 20, &text, &host->err));
	for (size_t i = 0; i < text.length; i++)
		n += text.bytes[i] == '\n';
	text_finish(&text);
	return n;
}

/* The connection breaks; what runs there goes on. */
static void cut(struct host *host)
{
	struct text text = TEXT_EMPTY;
	char path[256];
	snprintf(path, sizeof(path), "%s/pid", host->home);
	ASSERT_OK(host, file_read(path, 100, &text, &host->err));
	assert_int_equal(kill(atoi(text.bytes), SIGKILL), 0);
	text_finish(&text);
}

/* ---- */

static void a_command_runs_there_and_is_mirrored_here(void **state)
{
	struct host *host = *state;
	struct machine machine;

	put(host, "noise", true);
	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	assert_true(host->backend->ops->machine(host->backend, &machine, &host->err));
	assert_in_range(machine.cores, 1, 100000);
	assert_true(host->backend->ops->site(host->backend, &host->site));
	assert_non_null(strstr(host->site.directory, "/home/it's work/job-"));
	start(host, 1, "echo one; echo two >&2; exit 3", 0);
	const struct backend_event started = await(host, BACKEND_STARTED);
	assert_int_equal(started.attempt, 1);
	assert_true(started.started_us > 0);
	const struct backend_event ended = await(host, BACKEND_ENDED);
	assert_int_equal(ended.exit.kind, EXIT_CODE);
	assert_int_equal(ended.exit.code, 3);
	output_is(host, 1, "one\ntwo\n");
	host->backend->ops->forget(host->backend, 1);
}

static void a_broken_connection_loses_nothing(void **state)
{
	struct host *host = *state;

	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	start(host, 1,
		"echo $$ >>starts; echo before; until [ -e go ]; do sleep 0.02; done; echo after",
		0);
	await(host, BACKEND_STARTED);
	while (lines_of(host, "starts") == 0)
		turn(host);
	put(host, "down", true);
	cut(host);
	const struct backend_event down = await(host, BACKEND_HOST_DOWN);
	assert_string_not_equal(down.message, "");
	put(host, "go", true);
	put(host, "down", false);
	await(host, BACKEND_HOST_UP);
	const struct backend_event ended = await(host, BACKEND_ENDED);
	assert_int_equal(ended.exit.code, 0);
	output_is(host, 1, "before\nafter\n");
	assert_int_equal(lines_of(host, "starts"), 1);
}

static void the_next_process_takes_over_where_this_one_stopped(void **state)
{
	struct host *host = *state;

	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	start(host, 1, "echo before; until [ -e go ]; do sleep 0.02; done; echo after", 0);
	await(host, BACKEND_STARTED);
	while (end_of(directory_of(host, 1)) == 0)
		turn(host);
	close_host(host);
	put(host, "go", true);
	open_host(host, true, PATIENCE_US);
	adopt(host, 1);
	await(host, BACKEND_ENDED);
	output_is(host, 1, "before\nafter\n");
	close_host(host);
	/* And where it has noted the end, but nobody has heard of it, the host is not needed. */
	put(host, "down", true);
	open_host(host, true, PATIENCE_US);
	adopt(host, 1);
	assert_int_equal(await(host, BACKEND_ENDED).exit.code, 0);
}

static void what_was_prepared_but_not_sent_is_started_once(void **state)
{
	struct host *host = *state;

	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	put(host, "down", true);
	cut(host);
	await(host, BACKEND_HOST_DOWN);
	start(host, 1, "echo x >>starts", 0);
	close_host(host);
	put(host, "down", false);
	open_host(host, true, PATIENCE_US);
	adopt(host, 1);
	await(host, BACKEND_ENDED);
	assert_int_equal(lines_of(host, "starts"), 1);
}

static void put_large_file(struct host *host, int number)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/large", directory_of(host, number));
	ASSERT_OK(host, file_write_atomic(path, "", 0, 0600, false, &host->err));
	assert_int_equal(truncate(path, LAUNCH_BYTES_MAX + 1), 0);
}

/* "Failed" says that nothing has run, and the trial would be launched again, beside this one. */
static void what_cannot_be_sent_again_may_run_all_the_same(void **state)
{
	struct host *host = *state;
	struct backend_event event;
	bool got;

	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	start(host, 1, "echo x >>starts; until [ -e go ]; do sleep 0.02; done", 0);
	ASSERT_OK(host, host->backend->ops->next(host->backend, &event, &got, &host->err));
	const int64_t until_us = clock_monotonic_us() + PATIENCE_US;
	while (lines_of(host, "starts") == 0 && clock_monotonic_us() < until_us)
		poll(NULL, 0, 10);
	close_host(host);
	put_large_file(host, 1);
	open_host(host, true, PATIENCE_US);
	adopt(host, 1);
	await_first_of(host, 1, BACKEND_STARTED);
	put(host, "go", true);
	await(host, BACKEND_ENDED);
	assert_int_equal(lines_of(host, "starts"), 1);
	/* Where no agent has ever heard of it, it has failed, and why is told. */
	ASSERT_OK(host, directory_make(directory_of(host, 2), 0700, &host->err));
	put_large_file(host, 2);
	start(host, 2, "echo x >>starts", 0);
	event = await_first_of(host, 2, BACKEND_FAILED);
	assert_non_null(strstr(event.message, "large"));
	start(host, 3, "echo x >>starts", 0);
	await(host, BACKEND_ENDED);
	assert_int_equal(lines_of(host, "starts"), 2);
}

/* The order to start it has arrived, and nobody has heard of that: the next process cannot send the checkpoints to what
 * runs with them. */
static void what_may_run_there_has_not_failed_for_its_checkpoints(void **state)
{
	struct host *host = *state;
	struct backend_event event;
	char path[300];
	bool got;

	write_script(host, "rsync", "#!/bin/sh\ncase \"$*\" in *checkpoint*) exit 1;; esac\n");
	host->code = host->base;
	host->attempt = 2;
	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	start(host, 1, "echo x >>starts; until [ -e go ]; do sleep 0.02; done", 0);
	ASSERT_OK(host, host->backend->ops->next(host->backend, &event, &got, &host->err));
	const int64_t until_us = clock_monotonic_us() + PATIENCE_US;
	while (lines_of(host, "starts") == 0 && clock_monotonic_us() < until_us)
		poll(NULL, 0, 10);
	close_host(host);
	snprintf(path, sizeof(path), "%s/0001/checkpoint", host->mirror);
	ASSERT_OK(host, directory_make(path, 0700, &host->err));
	snprintf(path, sizeof(path), "%s/0001/checkpoint/of-attempt-1", host->mirror);
	ASSERT_OK(host, file_write_atomic(path, "", 0, 0600, false, &host->err));
	open_host(host, true, PATIENCE_US);
	adopt(host, 1);
	/* Between its tries rsync pauses. */
	for (got = false; !got || event.attempt == 0;) {
		passed_us += got ? 0 : 200000;
		turn_for(host, &event, &got);
	}
	assert_int_equal(event.kind, BACKEND_STARTED);
	put(host, "go", true);
	await_first_of(host, 1, BACKEND_ENDED);
	/* What has surely not run there has failed for them. */
	snprintf(path, sizeof(path), "%s/0002/checkpoint/of-attempt-1", host->mirror);
	ASSERT_OK(host, directory_make(path, 0700, &host->err));
	start(host, 2, "echo x >>starts", 0);
	for (got = false; !got || event.attempt != 2;) {
		passed_us += got ? 0 : 200000;
		turn_for(host, &event, &got);
	}
	assert_int_equal(event.kind, BACKEND_FAILED);
	assert_non_null(strstr(event.message, "checkpoints cannot be sent"));
	passed_us = 0;
	assert_int_equal(lines_of(host, "starts"), 1);
}

static void fetches_that_cannot_be_read_are_taken_for_granted(void **state)
{
	struct host *host = *state;
	char path[300];

	snprintf(path, sizeof(path), "%s/unreadable", host->mirror);
	assert_false(pending_fetch_of(path, "0001"));
	assert_int_equal(symlink("unreadable", path), 0);
	assert_true(pending_fetch_of(path, "0001"));
}

/* As rsync: what is to be sent must be there. */
static void write_strict_rsync(struct host *host)
{
	write_script(host, "rsync",
		"#!/bin/sh\nwhile [ $# -gt 2 ]; do shift; done\n"
		"case $1 in h:*) ;; *) [ -e \"$1\" ] || exit 23;; esac\n");
}

/* Its directory stands here, and nobody can tell what is in it: started without it the command would begin anew. */
static void a_checkpoint_that_cannot_be_read_is_not_passed_over(void **state)
{
	struct host *host = *state;
	struct backend_event event;
	char path[300];

	write_strict_rsync(host);
	host->code = host->base;
	host->attempt = 2;
	snprintf(path, sizeof(path), "%s/0001", host->mirror);
	ASSERT_OK(host, directory_make(path, 0700, &host->err));
	snprintf(path, sizeof(path), "%s/0001/checkpoint", host->mirror);
	assert_int_equal(symlink("checkpoint", path), 0);
	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	start(host, 1, "echo x >>starts", 0);
	for (bool got = false; !got || event.attempt == 0;) {
		passed_us += got ? 0 : 200000;
		turn_for(host, &event, &got);
	}
	passed_us = 0;
	assert_int_equal(event.kind, BACKEND_FAILED);
	assert_non_null(strstr(event.message, "checkpoints cannot be sent"));
	assert_int_equal(lines_of(host, "starts"), 0);
}

static void what_is_to_be_fetched_is_not_forgotten_where_it_cannot_be_listed(void **state)
{
	static const struct pending left = {
		.kind = PENDING_FETCH, .trial = "0001", .number = "1", .id = 1, .key = "k"
	};
	struct host *host = *state;
	char hosts[256], path[300];

	snprintf(hosts, sizeof(hosts), "%s/.hosts", host->mirror);
	assert_false(pending_fetch_of(hosts, "0001")); /* none has been made yet */
	snprintf(path, sizeof(path), "%s/h", hosts);
	ASSERT_OK(host, pending_add(path, &left, &host->err));
	assert_true(pending_fetch_of(hosts, "0001"));
	assert_false(pending_fetch_of(hosts, "0002"));
	for (unsigned i = 1; i <= 8; i++) {
		readdir_fails_at = i;
		assert_true(pending_fetch_of(hosts, "0002"));
		assert_int_equal(readdir_fails_at, 0);
	}
	snprintf(path, sizeof(path), "%s/away", hosts);
	assert_int_equal(symlink("away", path), 0);
	assert_true(pending_fetch_of(hosts, "0002"));
}

/* What the attempt before it has left is on a host that stays away: after a minute it goes on without that. */
static void a_retry_does_not_fail_for_checkpoints_that_do_not_come(void **state)
{
	static const struct pending left = {
		.kind = PENDING_FETCH, .trial = "0001", .number = "1", .id = 9, .key = "k"
	};
	struct host *host = *state;
	struct backend_event event;
	char path[300];
	bool got = false;

	write_strict_rsync(host);
	host->code = host->base;
	host->attempt = 2;
	snprintf(path, sizeof(path), "%s/.hosts/other", host->mirror);
	ASSERT_OK(host, pending_add(path, &left, &host->err));
	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	start(host, 1, "echo x >>starts", 0);
	while (!got || event.attempt == 0) {
		passed_us += got ? 0 : 300000;
		turn_for(host, &event, &got);
	}
	passed_us = 0;
	if (event.kind != BACKEND_STARTED)
		fail_msg("kind %d: %s", (int)event.kind, event.message);
	await(host, BACKEND_ENDED);
	assert_int_equal(lines_of(host, "starts"), 1);
}

/* The command would find a part of what was prepared for it. */
static void what_cannot_be_listed_here_is_not_started_there(void **state)
{
	struct host *host = *state;

	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	for (int i = 0; i < 5; i++) {
		/* Behind ., .., launch, model and the end, when it is tidied. */
		readdir_fails_at = 6 + (unsigned)i;
		start(host, 1 + i, "echo x >>starts", 0);
		assert_int_equal(readdir_fails_at, 0);
		const struct backend_event event = await_first_of(host, 1 + i, BACKEND_FAILED);
		assert_non_null(strstr(event.message, strerror(EIO)));
	}
	assert_int_equal(lines_of(host, "starts"), 0);
}

/* The path of a file of attempt 1 there. */
static char *there(struct host *host, const char *name)
{
	static char path[400];

	assert_true(host->backend->ops->site(host->backend, &host->site));
	snprintf(path, sizeof(path), "%s/0001%s", host->site.directory, name);
	return path;
}

/* The order to start it may have reached another agent, too, over a connection that has broken meanwhile. */
static void what_has_failed_there_never_starts(void **state)
{
	struct host *host = *state;
	char command[2048];

	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	ASSERT_OK(host, directory_make(there(host, "/1/launch"), 0700, &host->err));
	/* Output that cannot be read is nothing to wait for, either: there is none. */
	ASSERT_OK(host, directory_make(there(host, "/1/output.log"), 0700, &host->err));
	start(host, 1, "echo x >>starts", 0);
	const struct backend_event event = await_first_of(host, 1, BACKEND_FAILED);
	assert_non_null(strstr(event.message, "launch"));
	/* What the other one would do now. */
	ASSERT_OK(host, directory_remove(there(host, "/1/launch"), &host->err));
	snprintf(command, sizeof(command), "cp '%s/launch' \"%s\" && %s \"%s\"",
		directory_of(host, 1), there(host, "/1"), getenv("TUNER_SUPERVISE"),
		there(host, "/1"));
	const int status = system(command);
	assert_int_equal(WEXITSTATUS(status), SUPERVISE_RAN);
	assert_int_equal(lines_of(host, "starts"), 0);
}

/* As long as its start cannot be forbidden it is not told that it has failed. */
static void what_might_still_start_there_has_not_failed(void **state)
{
	struct host *host = *state;
	struct backend_event event;
	bool got;

	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	/* A file where its directory would be: nothing can be made below it. */
	ASSERT_OK(host, file_write_atomic(there(host, ""), "", 0, 0600, false, &host->err));
	start(host, 1, "echo x >>starts", 0);
	start(host, 2, "echo x >>starts", 0);
	await_first_of(host, 2, BACKEND_STARTED);
	await_first_of(host, 2, BACKEND_ENDED);
	for (int i = 0; i < 30; i++) {
		ASSERT_OK(host, host->backend->ops->next(host->backend, &event, &got, &host->err));
		if (got && event.attempt == 1)
			fail_msg("kind %d: %s", (int)event.kind, event.message);
		poll(NULL, 0, 10);
	}
	assert_int_equal(unlink(there(host, "")), 0);
	await_first_of(host, 1, BACKEND_FAILED);
	assert_int_equal(access(there(host, "/1/started"), F_OK), 0);
	assert_int_equal(lines_of(host, "starts"), 1);
}

/* The other agent was faster after all. */
static void what_was_to_fail_there_and_runs_is_taken_over(void **state)
{
	struct host *host = *state;
	char place[400], aside[400], command[2048];

	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	snprintf(place, sizeof(place), "%s", there(host, ""));
	snprintf(aside, sizeof(aside), "%s", there(host, "-aside"));
	ASSERT_OK(host, file_write_atomic(place, "", 0, 0600, false, &host->err));
	start(host, 1, "echo x >>starts; echo done; exit 3", 0);
	turn(host);
	snprintf(command, sizeof(command),
		"mkdir -p \"%s/1\" && cp '%s/launch' \"%s/1\" && %s \"%s/1\"", aside,
		directory_of(host, 1), aside, getenv("TUNER_SUPERVISE"), aside);
	assert_int_equal(system(command), 0);
	assert_int_equal(renameat2(AT_FDCWD, place, AT_FDCWD, aside, RENAME_EXCHANGE), 0);
	await_first_of(host, 1, BACKEND_STARTED);
	assert_int_equal(await_first_of(host, 1, BACKEND_ENDED).exit.code, 3);
	output_is(host, 1, "done\n");
	assert_int_equal(lines_of(host, "starts"), 1);
}

/* The agent of the next connection cannot open this of attempt 1 when it does so for the n-th time. */
static void make_unreadable(struct host *host, const char *name, int n)
{
	char path[300], line[400];

	assert_true(host->backend->ops->site(host->backend, &host->site));
	snprintf(line, sizeof(line), "%d %s/0001/1/%s\n", n, host->site.directory, name);
	snprintf(path, sizeof(path), "%s/unreadable", host->home);
	ASSERT_OK(host, file_write_atomic(path, line, strlen(line), 0600, false, &host->err));
}

/* That a file of a living attempt cannot be read for once is no reason to tell that it has not run, or that nothing
 * of it is left. */
static void what_cannot_be_read_there_for_once_is_not_lost(void **state)
{
	struct host *host = *state;

	if (system("strace -qq -o /dev/null true 2>/dev/null") != 0)
		skip(); /* not installed, or not allowed */
	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	make_unreadable(host, "started", 2); /* the first is the look that finds it */
	cut(host);
	await(host, BACKEND_HOST_DOWN);
	await(host, BACKEND_HOST_UP);
	start(host, 1, "echo x >>starts; until [ -e go ]; do sleep 0.02; done", 0);
	await_first_of(host, 1, BACKEND_STARTED);
	for (int n = 1; n <= 2; n++) { /* looks before it is taken over */
		make_unreadable(host, "started", n);
		cut(host);
		while (await_host(host).kind != BACKEND_HOST_DOWN)
			;
		while (await_host(host).kind != BACKEND_HOST_UP)
			;
	}
	put(host, "go", true);
	await_first_of(host, 1, BACKEND_ENDED);
	assert_int_equal(lines_of(host, "starts"), 1);
}

/* As at home, where the run ends: which file it is, is told, and the others' ends come once it is put right. */
static void what_stays_unreadable_there_is_told_of(void **state)
{
	struct host *host = *state;
	struct text pid = TEXT_EMPTY;
	char script[600], path[256];

	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	snprintf(script, sizeof(script), "mkdir \"%s\"; echo $PPID >supervisor",
		there(host, "/1/exit.json"));
	start(host, 1, script, 0);
	start(host, 2, "until [ -e go ]; do sleep 0.02; done; echo end", 0);
	const struct backend_event down = await(host, BACKEND_HOST_DOWN);
	assert_non_null(strstr(down.message, "exit.json"));
	snprintf(path, sizeof(path), "%s/supervisor", host->home);
	while (access(path, F_OK) != 0 || !file_read(path, 100, &pid, &host->err) ||
		pid.length == 0 ||
		kill(atoi(pid.bytes), 0) == 0) /* it tries to write its record there */
		turn(host);
	text_finish(&pid);
	ASSERT_OK(host, directory_remove(there(host, "/1/exit.json"), &host->err));
	assert_int_equal(await(host, BACKEND_LOST).attempt, 1);
	put(host, "go", true);
	assert_int_equal(await(host, BACKEND_ENDED).attempt, 2);
}

static void to_stop_what_never_ran_starts_nothing(void **state)
{
	struct host *host = *state;

	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	put(host, "down", true);
	cut(host);
	await(host, BACKEND_HOST_DOWN);
	start(host, 1, "echo x >>starts", 0);
	close_host(host);
	put(host, "down", false);
	open_host(host, false, PATIENCE_US);
	adopt(host, 1);
	assert_int_equal(await(host, BACKEND_FAILED).attempt, 1);
	/* Nor does an order to start it that comes late. */
	close_host(host);
	open_host(host, true, PATIENCE_US);
	adopt(host, 1);
	assert_int_equal(await(host, BACKEND_LOST).attempt, 1);
	assert_int_equal(lines_of(host, "starts"), 0);
}

static void signals_reach_the_command(void **state)
{
	struct host *host = *state;

	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	start(host, 1, "trap 'echo caught; exit 0' TERM; echo ready; while :; do sleep 0.02; done",
		0);
	start(host, 2, "trap '' TERM; echo ready; while :; do sleep 0.02; done", 0);
	while (end_of(directory_of(host, 1)) == 0 || end_of(directory_of(host, 2)) == 0)
		turn(host);
	assert_true(host->backend->ops->signal(host->backend, 1, SIGTERM, &host->err));
	struct backend_event ended = await(host, BACKEND_ENDED);
	assert_int_equal(ended.attempt, 1);
	assert_int_equal(ended.exit.kind, EXIT_STOPPED);
	/* One that is meant for a host which does not answer is kept. */
	put(host, "down", true);
	cut(host);
	await(host, BACKEND_HOST_DOWN);
	assert_true(host->backend->ops->signal(host->backend, 2, SIGKILL, &host->err));
	put(host, "down", false);
	ended = await(host, BACKEND_ENDED);
	assert_int_equal(ended.attempt, 2);
	assert_int_equal(ended.exit.signal, SIGKILL);
}

/* Sent over a link that is dead, though nobody knows it yet. */
static void a_signal_that_a_broken_connection_has_lost_is_sent_again(void **state)
{
	struct host *host = *state;
	struct text pid = TEXT_EMPTY;
	char path[256];

	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	start(host, 1,
		"trap 'echo x >>caught; exit 0' TERM; echo ready; while :; do sleep 0.02; done", 0);
	while (end_of(directory_of(host, 1)) == 0)
		turn(host);
	snprintf(path, sizeof(path), "%s/pid", host->home);
	ASSERT_OK(host, file_read(path, 100, &pid, &host->err));
	assert_int_equal(kill(atoi(pid.bytes), SIGSTOP), 0);
	text_finish(&pid);
	assert_true(host->backend->ops->signal(host->backend, 1, SIGTERM, &host->err));
	turn(host);
	cut(host);
	assert_int_equal(await(host, BACKEND_ENDED).exit.stop_signal, SIGTERM);
	assert_int_equal(lines_of(host, "caught"), 1);
}

/* Attempt 1 runs on for ever on a host that does not answer any more. */
static void leave_running(struct host *host)
{
	open_host(host, true, 300000);
	await(host, BACKEND_HOST_UP);
	start(host, 1, "echo $$ >>starts; while :; do sleep 0.02; done", 0);
	await(host, BACKEND_STARTED);
	while (lines_of(host, "starts") == 0)
		turn(host);
	put(host, "down", true);
	cut(host);
}

static void a_host_that_stays_away_loses_its_attempts(void **state)
{
	struct host *host = *state;

	leave_running(host);
	const struct backend_event lost = await(host, BACKEND_LOST);
	assert_int_equal(lost.attempt, 1);
	assert_non_null(strstr(lost.message, "has not answered"));
	host->backend->ops->forget(host->backend, 1);
	/* Also for the next process, it is killed before anything is started there again. */
	close_host(host);
	open_host(host, true, PATIENCE_US);
	put(host, "down", false);
	const struct backend_event late = await(host, BACKEND_LATE);
	assert_int_equal(late.attempt, 1);
	assert_int_equal(late.exit.signal, SIGKILL);
	host->backend->ops->forget(host->backend, 1);
	await(host, BACKEND_HOST_UP);
	close_host(host);
	/* Once is enough. */
	open_host(host, true, PATIENCE_US);
	struct backend_event event;
	bool got = false;
	while (!got) {
		turn(host);
		assert_true(host->backend->ops->next(host->backend, &event, &got, &host->err));
	}
	assert_int_equal(event.kind, BACKEND_HOST_UP);
}

/* Its programs' own words go with what they mean for us. */
static void why_the_agent_does_not_start_is_told(void **state)
{
	static const struct {
		const char *name, *text; /* of a program of the host's that fails */
		const char *said, *why;
	} faults[] = {
		{ "bin/head", "#!/bin/sh\necho 'head: write error: No space left' >&2; exit 1\n",
			"tuner-agent cannot be copied there: ", "No space left" },
		{ "bin/chmod", "#!/bin/sh\n",
			"tuner-agent cannot be run there (is \"directory\" on a file system "
			"without "
			"exec?): ",
			"denied" },
		{ "it's work", "a file\n", "its directory cannot be made: ", "it's work" },
	};
	struct host *host = *state;

	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		char name[64], path[256];
		snprintf(name, sizeof(name), "home/%s", faults[i].name);
		snprintf(path, sizeof(path), "%s/%s", host->home, "it's work");
		ASSERT_OK(host, directory_remove(path, &host->err));
		write_script(host, name, faults[i].text);
		open_host(host, true, PATIENCE_US);
		const struct backend_event down = await(host, BACKEND_HOST_DOWN);
		if (strncmp(down.message, faults[i].said, strlen(faults[i].said)) != 0 ||
			strstr(down.message, faults[i].why) == NULL)
			fail_msg("%s: %s", name, down.message);
		close_host(host);
		snprintf(path, sizeof(path), "%s/%s", host->base, name);
		unlink(path);
	}
	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
}

/* That nothing of it lives is not to be told of one that cannot be looked up here: it is killed all the same. */
static void a_fence_needs_no_mirror(void **state)
{
	struct host *host = *state;
	struct text starts = TEXT_EMPTY;
	char path[300];

	leave_running(host);
	await(host, BACKEND_LOST);
	host->backend->ops->forget(host->backend, 1);
	close_host(host);
	snprintf(path, sizeof(path), "%s/exit.json", directory_of(host, 1));
	ASSERT_OK(host, directory_make(path, 0700, &host->err));
	put(host, "down", false);
	open_host(host, true, PATIENCE_US);
	snprintf(path, sizeof(path), "%s/starts", host->home);
	ASSERT_OK(host, file_read(path, 100, &starts, &host->err));
	while (kill(atoi(starts.bytes), 0) == 0)
		turn(host);
	text_finish(&starts);
}

/* A laptop that slept, a program that was stopped and goes on: it was not the host that was away. */
static void time_in_which_nobody_looked_counts_for_no_timeout(void **state)
{
	struct host *host = *state;
	struct backend_event event;
	bool got = false;

	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	start(host, 1, "until [ -e go ]; do sleep 0.02; done; echo end", 0);
	await(host, BACKEND_STARTED);
	cut(host);
	passed_us += 2 * PATIENCE_US;
	put(host, "go", true);
	while (!got || event.kind != BACKEND_ENDED) {
		if (host->turns++ > TURNS_MAX)
			fail_msg("what is waited for does not come");
		ASSERT_OK(host, host->backend->ops->next(host->backend, &event, &got, &host->err));
		if (got && event.kind == BACKEND_LOST)
			fail_msg("%s", event.message);
		if (!got)
			poll(NULL, 0, 10);
	}
	assert_int_equal(event.exit.code, 0);
	output_is(host, 1, "end\n");
}

static void a_loss_that_was_never_committed_is_none(void **state)
{
	struct host *host = *state;

	open_host(host, true, 300000);
	await(host, BACKEND_HOST_UP);
	start(host, 1, "until [ -e go ]; do sleep 0.02; done; echo end", 0);
	await(host, BACKEND_STARTED);
	put(host, "down", true);
	cut(host);
	await(host, BACKEND_LOST);
	close_host(
		host); /* killed before its commit: the database still has the attempt as running */
	put(host, "down", false);
	open_host(host, true, PATIENCE_US);
	adopt(host, 1);
	put(host, "go", true);
	const struct backend_event ended = await(host, BACKEND_ENDED);
	if (ended.exit.kind != EXIT_CODE)
		fail_msg("kind %d signal %d stop %d: %s", (int)ended.exit.kind, ended.exit.signal,
			ended.exit.stop_signal, ended.exit.message);
	output_is(host, 1, "end\n");
}

/* Passed over, the host would get trials while the lost attempt lives. */
static void a_fence_that_cannot_be_read_is_not_passed_over(void **state)
{
	static const struct pending fence = {
		.kind = PENDING_FENCE, .trial = "0001", .number = "1", .id = 1, .key = "k"
	};
	struct host *host = *state;
	struct pending *items = NULL;
	char path[256];
	size_t n = 9;

	snprintf(path, sizeof(path), "%s/.hosts/h", host->mirror);
	ASSERT_OK(host, pending_list(path, &items, &n, &host->err)); /* none has been made yet */
	assert_int_equal(n, 0);
	ASSERT_OK(host, pending_add(path, &fence, &host->err));
	ASSERT_OK(host, pending_list(path, &items, &n, &host->err));
	assert_int_equal(n, 1);
	assert_string_equal(items[0].key, "k");
	free(items);

	snprintf(path, sizeof(path), "%s/.hosts/h/fence-0001-1", host->mirror);
	ASSERT_OK(host, file_write_atomic(path, "what", 4, 0600, false, &host->err));
	open_host(host, true, PATIENCE_US);
	struct backend_event event;
	bool got = false, ok = true;
	for (int i = 0; i < 20 && ok; i++)
		ok = host->backend->ops->next(host->backend, &event, &got, &host->err);
	assert_false(ok);
	assert_non_null(strstr(host->err.message, "fence-0001-1"));
	close_host(host);

	assert_int_equal(unlink(path), 0);
	ASSERT_OK(host, directory_make(path, 0700, &host->err));
	*strrchr(path, '/') = '\0';
	assert_false(pending_list(path, &items, &n, &host->err));
	ASSERT_OK(host, directory_remove(path, &host->err));
	ASSERT_OK(host, file_write_atomic(path, "", 0, 0600, false, &host->err));
	assert_false(pending_list(path, &items, &n, &host->err));
}

static void a_lease_ends_what_nobody_asks_for(void **state)
{
	struct host *host = *state;
	char record[512];

	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	start(host, 1, "while :; do sleep 0.02; done", 1500000);
	await(host, BACKEND_STARTED);
	assert_true(host->backend->ops->site(host->backend, &host->site));
	snprintf(record, sizeof(record), "%s/0001/1/exit.json", host->site.directory);
	close_host(host);
	const int64_t until_us = clock_monotonic_us() + PATIENCE_US;
	while (access(record, F_OK) != 0 && clock_monotonic_us() < until_us)
		poll(NULL, 0, 20);
	open_host(host, true, PATIENCE_US);
	adopt(host, 1);
	const struct backend_event ended = await(host, BACKEND_ENDED);
	assert_int_equal(ended.exit.kind, EXIT_STOPPED);
	assert_non_null(strstr(ended.exit.message, "no tuner has reached it"));
}

/* How often a fake rsync was given this word. */
static size_t given_to_rsync(struct host *host, const char *word)
{
	struct text text = TEXT_EMPTY, line = TEXT_EMPTY;
	char path[256];
	size_t n = 0;

	snprintf(path, sizeof(path), "%s/rsync-words", host->base);
	if (access(path, F_OK) == 0)
		ASSERT_OK(host, file_read(path, 1 << 20, &text, &host->err));
	text_print(&line, "%s\n", word);
	for (const char *at = text.bytes; (at = strstr(at, line.bytes)) != NULL; at++)
		n += at == text.bytes || at[-1] == '\n';
	text_finish(&text);
	text_finish(&line);
	return n;
}

#define FAKE_RSYNC "#!/bin/sh\nprintf '%s\\n' \"$@\" >>\"${0%/*}/rsync-words\"\n"

static void a_database_stays_here_whatever_its_name_is(void **state)
{
	struct host *host = *state;
	char database[128];

	write_script(host, "rsync", FAKE_RSYNC);
	snprintf(database, sizeof(database), "%s/a[1]/what?\\ *.db", host->base);
	host->code = host->base;
	host->database = database;
	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	assert_int_equal(given_to_rsync(host, "--exclude=/a\\[1]/what\\?\\\\ \\*.db*"), 1);
}

static void send_code_beside_secrets(struct host *host, const char *name)
{
	char secrets[128];

	write_script(host, "rsync", FAKE_RSYNC);
	snprintf(secrets, sizeof(secrets), "%s/%s", host->base, name);
	host->code = host->base;
	host->secrets = secrets;
	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
}

static void secrets_stay_here(void **state)
{
	struct host *host = *state;

	send_code_beside_secrets(host, "a/.env");
	assert_int_equal(given_to_rsync(host, "--exclude=/a/.env"), 1);
}

/* rsync takes a backslash for an escape only where there is a pattern. */
static void secrets_stay_here_whatever_their_name_is(void **state)
{
	struct host *host = *state;

	send_code_beside_secrets(host, "a\\b/what?");
	assert_int_equal(given_to_rsync(host, "--exclude=/a\\\\b/what\\?"), 1);
}

static void secrets_stay_here_with_a_backslash_in_their_name(void **state)
{
	struct host *host = *state;

	send_code_beside_secrets(host, "a\\b");
	assert_int_equal(given_to_rsync(host, "--exclude=/a\\b"), 1);
}

static void results_that_cannot_be_looked_for_there_are_fetched(void **state)
{
	struct host *host = *state;
	char script[600];

	if (system("strace -qq -o /dev/null true 2>/dev/null") != 0)
		skip(); /* not installed, or not allowed */
	write_script(host, "rsync", FAKE_RSYNC);
	host->code = host->base;
	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	make_unreadable(host, "model", 1);
	cut(host);
	await(host, BACKEND_HOST_DOWN);
	await(host, BACKEND_HOST_UP);
	snprintf(script, sizeof(script), "echo weights >\"%s\"", there(host, "/1/model/m"));
	start(host, 1, script, 0);
	await(host, BACKEND_ENDED);
	while (host->backend->ops->is_busy(host->backend))
		turn(host);
	assert_int_equal(given_to_rsync(host, "--include=/1/model/***"), 1);
}

/* Each connection tells the end anew as long as it cannot be noted here. */
static void results_are_fetched_once_however_often_their_end_is_told(void **state)
{
	struct host *host = *state;
	char script[600], record[300];

	/* It takes longer than a connection lasts that ends with what it is told. */
	write_script(host, "rsync", "#!/bin/sh\nsleep 0.7\n" FAKE_RSYNC);
	host->code = host->base;
	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	snprintf(script, sizeof(script),
		"until [ -e go ]; do sleep 0.02; done; echo weights >\"%s\"",
		there(host, "/1/model/m"));
	start(host, 1, script, 0);
	await(host, BACKEND_STARTED);
	snprintf(record, sizeof(record), "%s/exit.json", directory_of(host, 1));
	ASSERT_OK(host, directory_make(record, 0700, &host->err));
	put(host, "go", true);
	while (lines_of(host, "connections") < 4) {
		passed_us += 100000;
		turn(host);
	}
	ASSERT_OK(host, directory_remove(record, &host->err));
	assert_int_equal(await(host, BACKEND_ENDED).exit.code, 0);
	while (host->backend->ops->is_busy(host->backend))
		turn(host);
	passed_us = 0;
	assert_int_equal(given_to_rsync(host, "--include=/1/model/***"), 1);
}

/* As while its package is renewed. */
static void results_wait_for_an_rsync_that_is_gone_from_here_and_the_host_does_not(void **state)
{
	struct host *host = *state;
	struct backend_event event;
	char script[600], path[8192];
	bool got, warned = false;

	write_script(host, "rsync", FAKE_RSYNC);
	host->code = host->base;
	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	snprintf(path, sizeof(path), "%s/rsync", host->base);
	assert_int_equal(unlink(path), 0);
	setenv("PATH", host->base, 1);
	snprintf(script, sizeof(script), "echo weights >\"%s\"", there(host, "/1/model/m"));
	start(host, 1, script, 0);
	await(host, BACKEND_ENDED);
	while (!warned) {
		passed_us += 200000;
		turn_for(host, &event, &got);
		assert_true(!got || event.kind != BACKEND_HOST_DOWN);
		warned = got && event.kind == BACKEND_WARNING;
	}
	assert_non_null(strstr(event.message, "trial 1 has left there cannot be fetched: "
					      "there is no rsync on this machine"));
	snprintf(path, sizeof(path), "%s:%s", host->base, old_path);
	setenv("PATH", path, 1);
	write_script(host, "rsync", FAKE_RSYNC);
	while (given_to_rsync(host, "--include=/1/model/***") == 0) {
		passed_us += 1000000;
		turn(host);
	}
	passed_us = 0;
}

static void gpus_are_those_of_the_host(void **state)
{
	struct host *host = *state;
	struct machine machine;

	write_script(host, "home/bin/nvidia-smi",
		"#!/bin/sh\necho '0, GPU-aaaa, NVIDIA H100 80GB, 81559'\n"
		"echo '1, GPU-bbbb, NVIDIA H100 80GB, 81559'\n");
	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	assert_true(host->backend->ops->machine(host->backend, &machine, &host->err));
	assert_int_equal(machine.n_gpus, 2);
	assert_int_equal(machine.gpus[1].index, 1);
	assert_string_equal(machine.gpus[1].uuid, "GPU-bbbb");
	assert_string_equal(machine.gpus[1].name, "NVIDIA H100 80GB");
	assert_true(machine.gpus[1].memory_bytes == INT64_C(81559) << 20);
}

static void an_unanswered_question_takes_no_gpu_away_that_the_host_has_had(void **state)
{
	struct host *host = *state;
	struct machine machine;

	write_script(host, "home/bin/nvidia-smi",
		"#!/bin/sh\ncd\n[ ! -e broken ] || exit 9\n"
		"echo '0, GPU-aaaa, NVIDIA H100 80GB, 81559'\n");
	for (int i = 0; i < 4; i++) {
		put(host, "broken", i == 0 || i == 2);
		if (i == 0)
			open_host(host, true, PATIENCE_US);
		else
			cut(host);
		if (i > 0)
			await(host, BACKEND_HOST_DOWN);
		await(host, BACKEND_HOST_UP);
		assert_true(host->backend->ops->machine(host->backend, &machine, &host->err));
		assert_int_equal(machine.n_gpus, i > 0);
		assert_true((machine.no_gpus[0] != '\0') == (i == 0));
		if (i > 0)
			assert_string_equal(machine.gpus[0].uuid, "GPU-aaaa");
	}
}

static const struct gpu_report *await_report(struct host *host)
{
	static struct gpu_report report;

	while (!host->backend->ops->gpus(host->backend, &report))
		turn(host);
	return &report;
}

/* The first slow answer to a question comes when the trial has ended and that was told. */
static void a_report_on_gpus_says_nothing_of_a_trial_that_ended_after_it_was_asked(void **state)
{
	static struct gpu_report earlier;
	struct host *host = *state;

	write_script(host, "home/bin/nvidia-smi",
		"#!/bin/sh\ncd\ncase $1 in\n"
		"--query-gpu=index*) echo '0, GPU-aaaa, NVIDIA H100 80GB, 81559' ;;\n"
		"--query-gpu=uuid*) echo 'GPU-aaaa, 7, 2000, 81559, 99.5, 41'\n"
		"  [ ! -e slow ] || { echo x >>asked; n=$(wc -l <asked)\n"
		"  until [ -e answer-$n ] || [ ! -e slow ]; do sleep 0.02; done; } ;;\n"
		"--query-compute-apps*) echo 'GPU-aaaa, 1, 300' ;;\n"
		"esac\n");
	host->gpu_look_us = 50000;
	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	const struct gpu_report *report = await_report(host);
	assert_true(report->ok && report->apps_known && report->asked_us > 0);
	assert_true(report->samples[0].utilisation == 7 && report->samples[0].power_w == 99.5);
	assert_int_equal(report->apps[0].pid, 1);
	start(host, 1, "until [ -e go ]; do sleep 0.02; done", 0);
	await(host, BACKEND_STARTED);
	put(host, "slow", true);
	while (lines_of(host, "asked") == 0)
		turn(host);
	put(host, "go", true);
	await(host, BACKEND_ENDED);
	(void)!host->backend->ops->gpus(host->backend, &earlier);
	put(host, "answer-1", true);
	report = await_report(host);
	assert_true(report->ok && report->asked_us < 0);
	put(host, "answer-2", true);
	report = await_report(host);
	assert_true(report->ok && report->asked_us > 0);
}

static enum gpu_claim claim(struct host *host, char who[GPU_OWNER_MAX])
{
	return host->backend->ops->claim_gpu(host->backend, "GPU-aaaa", who);
}

static enum gpu_claim await_claim(struct host *host, char who[GPU_OWNER_MAX])
{
	enum gpu_claim got;

	while ((got = claim(host, who)) == GPU_CLAIM_ASKED)
		turn(host);
	return got;
}

/* Whether somebody else may claim it now; he then lets go of it. */
static bool is_locked(struct host *host, const char *path)
{
	char owner[GPU_OWNER_MAX];
	int fd;
	const enum gpu_claim got = gpu_lock_claim(path, "other@1", &fd, owner);

	gpu_lock_release(fd);
	assert_true(got != GPU_UNLOCKABLE);
	return got == GPU_TAKEN;
}

static void use_locks(struct host *host, char path[300])
{
	snprintf(path, 300, "%s/locks", host->base);
	setenv("TUNER_GPU_LOCKS", path, 1);
	snprintf(path, 300, "%s/locks/GPU-aaaa", host->base);
}

static void a_gpu_is_claimed_there_and_claimed_anew_over_the_next_connection(void **state)
{
	struct host *host = *state;
	char path[300], who[GPU_OWNER_MAX];

	use_locks(host, path);
	open_host(host, true, PATIENCE_US);
	assert_int_equal(claim(host, who), GPU_CLAIM_ASKED); /* it does not answer yet */
	await(host, BACKEND_HOST_UP);
	assert_int_equal(claim(host, who), GPU_CLAIM_ASKED);
	assert_int_equal(await_claim(host, who), GPU_CLAIMED);
	assert_true(is_locked(host, path));
	put(host, "down", true);
	cut(host);
	await(host, BACKEND_HOST_DOWN);
	assert_int_equal(claim(host, who), GPU_CLAIM_ASKED);
	while (is_locked(host, path))
		turn(host);
	put(host, "down", false);
	await(host, BACKEND_HOST_UP);
	assert_int_equal(await_claim(host, who), GPU_CLAIMED);
	assert_true(is_locked(host, path));
	host->backend->ops->release_gpu(host->backend, "GPU-aaaa");
	assert_int_equal(claim(host, who), GPU_CLAIM_ASKED);
	while (is_locked(host, path))
		turn(host);
	unsetenv("TUNER_GPU_LOCKS");
}

static void a_gpu_that_another_has_is_asked_for_again(void **state)
{
	struct host *host = *state;
	char path[300], who[GPU_OWNER_MAX];
	int fd;

	use_locks(host, path);
	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	assert_int_equal(gpu_lock_claim(path, "other@1", &fd, who), GPU_CLAIMED);
	assert_int_equal(await_claim(host, who), GPU_TAKEN);
	assert_string_equal(who, "other@1");
	gpu_lock_release(fd);
	passed_us += 1000000;
	while (claim(host, who) == GPU_TAKEN)
		turn(host);
	assert_int_equal(claim(host, who), GPU_CLAIMED);
	passed_us = 0;
	unsetenv("TUNER_GPU_LOCKS");
}

static void gpus_that_cannot_be_locked_are_said_to_be(void **state)
{
	struct host *host = *state;
	char path[300], who[GPU_OWNER_MAX];

	use_locks(host, path);
	write_script(host, "locks", "a file in the directory's place");
	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	assert_int_equal(await_claim(host, who), GPU_UNLOCKABLE);
	assert_string_equal(who, "the directory cannot be made or written");
	assert_true(host->backend->ops->site(host->backend, &host->site));
	assert_null(host->site.gpu_locks);
	unsetenv("TUNER_GPU_LOCKS");
}

/* What the host's part of the greeting says when its `uname` or `cksum` is this. */
static void down_because(
	struct host *host, const char *program, const char *script, const char *why)
{
	char name[64];
	snprintf(name, sizeof(name), "home/bin/%s", program);
	write_script(host, name, script);
	open_host(host, true, PATIENCE_US);
	const struct backend_event down = await(host, BACKEND_HOST_DOWN);
	if (strstr(down.message, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", down.message, why);
}

static void another_cpu_is_refused(void **state)
{
	down_because(*state, "uname", "#!/bin/sh\necho riscv64\n", "its CPU is riscv64");
}

static void a_program_that_arrives_damaged_is_not_run(void **state)
{
	down_because(*state, "cksum", "#!/bin/sh\necho 1 2\n", "cannot be copied there");
}

static void what_is_no_agent_is_refused(void **state)
{
	struct host *host = *state;
	write_script(host, "ssh", "#!/bin/sh\necho tuner-greeting 1 $(uname -m)\nyes\n");
	open_host(host, true, PATIENCE_US);
	const struct backend_event down = await(host, BACKEND_HOST_DOWN);
	assert_non_null(strstr(down.message, "something else than tuner-agent"));
}

static void an_endless_banner_is_refused(void **state)
{
	struct host *host = *state;
	write_script(host, "ssh", "#!/bin/sh\nexec yes no\n");
	open_host(host, true, PATIENCE_US);
	const struct backend_event down = await(host, BACKEND_HOST_DOWN);
	assert_non_null(strstr(down.message, "something else than tuner-agent"));
}

static void why_a_host_is_down_is_told(void **state)
{
	struct host *host = *state;
	put(host, "down", true);
	open_host(host, true, PATIENCE_US);
	const struct backend_event down = await(host, BACKEND_HOST_DOWN);
	assert_string_equal(down.message, "ssh: connect to host h: Connection refused");
}

static void what_a_login_shell_says_is_told_if_nothing_else_is(void **state)
{
	struct host *host = *state;
	write_script(
		host, "ssh", "#!/bin/sh\necho This account is currently not available.\nexit 1\n");
	open_host(host, true, PATIENCE_US);
	const struct backend_event down = await(host, BACKEND_HOST_DOWN);
	assert_string_equal(
		down.message, "ssh ended with status 1: This account is currently not available.");
}

static void programs_are_copied_once(void **state)
{
	struct host *host = *state;
	char path[256];
	struct stat first, second;

	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	snprintf(path, sizeof(path), "%s/it's work/.tuner", host->home);
	assert_int_equal(stat(path, &first), 0);
	close_host(host);
	open_host(host, true, PATIENCE_US);
	await(host, BACKEND_HOST_UP);
	assert_int_equal(stat(path, &second), 0);
	assert_int_equal(first.st_mtim.tv_nsec, second.st_mtim.tv_nsec);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	snprintf(key, sizeof(key), "%032x", (unsigned)getpid());
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_command_runs_there_and_is_mirrored_here),
		TEST(a_broken_connection_loses_nothing),
		TEST(the_next_process_takes_over_where_this_one_stopped),
		TEST(what_was_prepared_but_not_sent_is_started_once),
		TEST(what_cannot_be_sent_again_may_run_all_the_same),
		TEST(what_cannot_be_read_there_for_once_is_not_lost),
		TEST(what_stays_unreadable_there_is_told_of),
		TEST(what_cannot_be_listed_here_is_not_started_there),
		TEST(a_retry_does_not_fail_for_checkpoints_that_do_not_come),
		TEST(fetches_that_cannot_be_read_are_taken_for_granted),
		TEST(a_checkpoint_that_cannot_be_read_is_not_passed_over),
		TEST(what_is_to_be_fetched_is_not_forgotten_where_it_cannot_be_listed),
		TEST(a_database_stays_here_whatever_its_name_is),
		TEST(secrets_stay_here),
		TEST(secrets_stay_here_whatever_their_name_is),
		TEST(secrets_stay_here_with_a_backslash_in_their_name),
		TEST(results_that_cannot_be_looked_for_there_are_fetched),
		TEST(results_are_fetched_once_however_often_their_end_is_told),
		TEST(results_wait_for_an_rsync_that_is_gone_from_here_and_the_host_does_not),
		TEST(to_stop_what_never_ran_starts_nothing),
		TEST(signals_reach_the_command),
		TEST(a_signal_that_a_broken_connection_has_lost_is_sent_again),
		TEST(a_host_that_stays_away_loses_its_attempts),
		TEST(why_the_agent_does_not_start_is_told),
		TEST(a_fence_needs_no_mirror),
		TEST(time_in_which_nobody_looked_counts_for_no_timeout),
		TEST(a_loss_that_was_never_committed_is_none),
		TEST(a_fence_that_cannot_be_read_is_not_passed_over),
		TEST(a_lease_ends_what_nobody_asks_for),
		TEST(gpus_are_those_of_the_host),
		TEST(an_unanswered_question_takes_no_gpu_away_that_the_host_has_had),
		TEST(a_report_on_gpus_says_nothing_of_a_trial_that_ended_after_it_was_asked),
		TEST(a_gpu_is_claimed_there_and_claimed_anew_over_the_next_connection),
		TEST(a_gpu_that_another_has_is_asked_for_again),
		TEST(gpus_that_cannot_be_locked_are_said_to_be),
		TEST(another_cpu_is_refused),
		TEST(a_program_that_arrives_damaged_is_not_run),
		TEST(what_may_run_there_has_not_failed_for_its_checkpoints),
		TEST(what_has_failed_there_never_starts),
		TEST(what_might_still_start_there_has_not_failed),
		TEST(what_was_to_fail_there_and_runs_is_taken_over),
		TEST(what_is_no_agent_is_refused),
		TEST(an_endless_banner_is_refused),
		TEST(why_a_host_is_down_is_told),
		TEST(what_a_login_shell_says_is_told_if_nothing_else_is),
		TEST(programs_are_copied_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
