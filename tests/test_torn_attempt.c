/* What an attempt directory says after a loss of power: never that nothing ran where something may have run, never
 * an end that was not. The supervisor's own records (supervise_record.c) are linked in. */
#include "base/file.h"
#include "scheduler/attempt.h"
#include "scheduler/supervise.h"
#include "torn_disk.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { SEEDS = 8 };

static const char OUTPUT[] = "loss=0.5\n";

struct life {
	char directory[64], place[64];
	int fd;
	size_t may_run,
		ended; /* calls before the command may run; before the supervisor has gone */
	struct outcome outcome;
};

/* The child that waits makes the directory durable, while its parent does the file. */
static int synced_directory = -1;

void child_sync(struct child *child)
{
	(void)child;
	assert_int_equal(fsync(synced_directory), 0);
}

static void write_output(struct life *life, struct log *log)
{
	*log = (struct log){ .directory = life->fd, .previous = -1 };
	log->fd = openat(life->fd, "output.log", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(log->fd, OUTPUT, strlen(OUTPUT)), (ssize_t)strlen(OUTPUT));
	log->size = log->written = (int64_t)strlen(OUTPUT);
}

/* In the order of scheduler/supervise.c. */
static void live(struct life *life)
{
	static char *const arguments[] = { (char *)"train", NULL }, *const environment[] = { NULL };
	const struct launch launch = { .key = "key",
		.arguments = arguments,
		.environment = environment,
		.working_directory = "/" };
	struct tuner_error err;
	struct child child = { .pid = 1 };
	struct log log;

	if (!launch_write(life->directory, &launch, &err))
		fail_msg("%s", err.message);
	life->fd = synced_directory = open(life->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int reserved = record_reserve(life->fd);

	assert_true(reserved >= 0);
	bool claimed = false;
	assert_true(record_started(life->fd, &child, 1000, "", true, &claimed) && claimed);
	life->may_run = disk_calls();
	write_output(life, &log);
	/* Of several sectors. */
	life->outcome = (struct outcome){ .kind = KIND_CODE,
		.code = 3,
		.signal = -1,
		.started_us = 1000,
		.ended_us = 2000,
		.max_rss_bytes = 4096 };
	memset(life->outcome.message, 1, sizeof life->outcome.message - 1);
	assert_true(record_exit(life->fd, reserved, &life->outcome, &log));
	record_sync(life->fd, reserved, &log);
	life->ended = disk_calls();
	close(log.fd);
	close(reserved);
	close(life->fd);
}

static void set_up(struct life *life, bool ignore_syncs)
{
	const char *const where = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	disk_forget(); /* of a test that failed */
	*life = (struct life){ .fd = -1 };
	snprintf(life->directory, sizeof life->directory, "%s/tuner-torn-XXXXXX", where);
	snprintf(life->place, sizeof life->place, "%s/tuner-after-XXXXXX", where);
	assert_non_null(mkdtemp(life->directory));
	assert_non_null(mkdtemp(life->place));
	disk_record(life->directory, ignore_syncs);
	live(life);
	disk_stop();
}

static void tear_down(struct life *life)
{
	struct tuner_error err;

	disk_forget();
	assert_true(directory_remove(life->directory, &err));
	assert_true(directory_remove(life->place, &err));
}

static bool has_all_output(const struct life *life)
{
	char path[100];
	struct stat status;

	snprintf(path, sizeof path, "%s/output.log", life->place);
	return stat(path, &status) == 0 && status.st_size == (off_t)strlen(OUTPUT);
}

/* NULL, or what is wrong with the directory as it may be found. */
static const char *check(struct life *life, size_t n, enum loss loss, uint64_t seed)
{
	struct attempt_status status;
	struct tuner_error err;

	assert_true(directory_remove(life->place, &err));
	assert_int_equal(mkdir(life->place, 0700), 0);
	disk_restore(n, loss, seed, life->place);
	if (!attempt_look(life->place, &status, &err))
		return "it cannot be read";
	if (n >= life->may_run && status.life == ATTEMPT_NEVER_RAN)
		return "nothing ran, it says";
	if (status.life == ATTEMPT_FINISHED &&
		(status.exit.code != 3 || status.exit.ended_us != 2000 ||
			status.exit.output_bytes != (int64_t)strlen(OUTPUT) ||
			memcmp(status.exit.message, life->outcome.message,
				strlen(life->outcome.message)) != 0))
		return "it tells of another end";
	if (n >= life->ended && (status.life != ATTEMPT_FINISHED || !has_all_output(life)))
		return "the end is lost";
	return NULL;
}

static bool check_all(struct life *life, bool tell)
{
	char text[160];

	for (size_t n = 0; n <= disk_calls(); n++)
		for (enum loss loss = 0; loss < LOSSES; loss++)
			for (uint64_t seed = 1; seed <= SEEDS; seed++) {
				const char *const why = check(life, n, loss, seed);

				if (why == NULL)
					continue;
				if (tell)
					print_error("after call %zu (%s), loss %s, seed %d: %s\n",
						n, n > 0 ? disk_call_text(n - 1, text) : "",
						loss_name(loss), (int)seed, why);
				return false;
			}
	return true;
}

static void a_loss_of_power_hides_no_start_and_makes_up_no_end(void **state)
{
	struct life life;

	(void)state;
	set_up(&life, false);
	assert_true(check_all(&life, true));
	tear_down(&life);
}

/* The test of the test. */
static void without_its_syncs_it_would(void **state)
{
	struct life life;

	(void)state;
	set_up(&life, true);
	assert_false(check_all(&life, false));
	tear_down(&life);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loss_of_power_hides_no_start_and_makes_up_no_end),
		cmocka_unit_test(without_its_syncs_it_would),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
