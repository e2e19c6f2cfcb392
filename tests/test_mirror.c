/* The directory here of an attempt that runs elsewhere. */
#include "base/file.h"
#include "scheduler/attempt.h"
#include "scheduler/attempt_files.h"
#include "scheduler/mirror.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

enum { LOG_MAX = 2 * SEGMENT_BYTES_MIN };

static char directory[64];
static struct tuner_error err;

static int set_up(void **state)
{
	snprintf(directory, sizeof(directory), "/tmp/tuner-test-XXXXXX");
	return mkdtemp(directory) == NULL;
}

static int tear_down(void **state)
{
	return !directory_remove(directory, &err);
}

static int64_t end(void)
{
	int64_t ret;

	if (!output_end(directory, &ret, &err))
		fail_msg("%s", err.message);
	return ret;
}

static void add(int64_t offset, const char *bytes, size_t n)
{
	if (!mirror_output(directory, offset, bytes, n, LOG_MAX, &err))
		fail_msg("%s", err.message);
}

/* The byte that belongs at an offset. */
static char byte_at(int64_t offset)
{
	return (char)('a' + offset * 7 % 26);
}

static void add_stretch(int64_t offset, size_t n)
{
	char *bytes = malloc(n + 1);
	assert_non_null(bytes);
	for (size_t i = 0; i < n; i++)
		bytes[i] = byte_at(offset + (int64_t)i);
	add(offset, bytes, n);
	free(bytes);
}

/* Reads from an offset to the end in small pieces; returns where what there is begins. */
static int64_t check_from(int64_t offset, int64_t end)
{
	char bytes[1000];
	int64_t first = -1, at;
	size_t n;

	for (;;) {
		assert_true(output_read(directory, offset, bytes, sizeof(bytes), &at, &n, &err));
		if (n == 0)
			break;
		if (first < 0)
			first = at;
		for (size_t i = 0; i < n; i++)
			assert_int_equal(bytes[i], byte_at(at + (int64_t)i));
		offset = at + (int64_t)n;
	}
	assert_int_equal(offset, end);
	return first;
}

static void what_comes_twice_is_there_once(void **state)
{
	add_stretch(0, 100);
	add_stretch(0, 100);
	add_stretch(50, 100);
	assert_int_equal(end(), 150);
	assert_int_equal(check_from(0, 150), 0);
	add_stretch(20, 30);
	assert_int_equal(end(), 150);
}

static void it_rotates_as_the_supervisor_does(void **state)
{
	for (int64_t at = 0; at < 10 * SEGMENT_BYTES_MIN; at += 1000)
		add_stretch(at, 1000);
	assert_int_equal(end(), 41000);
	/* The newest half at least is there, and no more than the limit. */
	const int64_t first = check_from(0, 41000);
	assert_in_range(41000 - first, SEGMENT_BYTES_MIN, LOG_MAX);
}

static void what_the_host_has_dropped_leaves_a_hole(void **state)
{
	add_stretch(0, 300);
	add_stretch(100000, 500);
	assert_int_equal(end(), 100500);
	assert_int_equal(check_from(0, 100500), 0); /* and goes on behind the hole */
	assert_int_equal(check_from(300, 100500), 100000);
	assert_int_equal(check_from(5000, 100500), 100000);
	add_stretch(100500, 3 * SEGMENT_BYTES_MIN);
	assert_int_equal(end(), 100500 + 3 * SEGMENT_BYTES_MIN);
	check_from(100000, 100500 + 3 * SEGMENT_BYTES_MIN);
	add_stretch(500000, 10);
	assert_int_equal(end(), 500010);
	check_from(0, 500010);
}

static void a_mirror_that_begins_late_does(void **state)
{
	add_stretch(7000, 10);
	assert_int_equal(end(), 7010);
	assert_int_equal(check_from(0, 7010), 7000);
}

/* No descriptor is left to list the segments by. Taken for the end, that of the newest alone would make a hole of what
 * is there, and more of what comes. */
static void where_it_ends_is_known_or_nothing_is_written(void **state)
{
	struct rlimit limit, few;

	for (int64_t at = 0; at < 10 * SEGMENT_BYTES_MIN; at += 1000)
		add_stretch(at, 1000);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	const int next = dup(0);
	close(next);
	few.rlim_cur = (rlim_t)next + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	int64_t ret;
	const bool known = output_end(directory, &ret, &err);
	const bool written = mirror_output(directory, 41000, "abc", 3, LOG_MAX, &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_false(known);
	assert_false(written);
	assert_non_null(strstr(err.message, "cannot find the end of the output"));
	/* The same where the newest cannot be looked at. */
	char newest[200], kept[200];
	snprintf(newest, sizeof(newest), "%s/" ATTEMPT_OUTPUT, directory);
	snprintf(kept, sizeof(kept), "%s/kept", directory);
	assert_int_equal(rename(newest, kept), 0);
	assert_int_equal(symlink(ATTEMPT_OUTPUT, newest), 0);
	assert_false(mirror_output(directory, 41000, "abc", 3, LOG_MAX, &err));
	assert_int_equal(rename(kept, newest), 0);
	assert_int_equal(end(), 41000);
	add_stretch(40000, 2000);
	assert_int_equal(end(), 42000);
	assert_in_range(42000 - check_from(0, 42000), SEGMENT_BYTES_MIN, LOG_MAX);
}

/* An agent is a program on a machine that is not ours: what it says is no offset just because it is a number. */
static void no_offset_of_an_agent_is_taken_on_trust(void **state)
{
	static const int64_t impossible[] = { INT64_MIN, INT64_MIN + 150, -1, INT64_MAX,
		INT64_MAX - 5 };

	add_stretch(0, 200);
	for (size_t i = 0; i < sizeof(impossible) / sizeof(*impossible); i++) {
		assert_false(mirror_output(directory, impossible[i], "abcdefgh", 8, LOG_MAX, &err));
		assert_int_equal(end(), 200);
	}
	assert_int_equal(check_from(0, 200), 0);
}

static void records_tell_of_the_attempt(void **state)
{
	static const char started[] = "{\"boot_id\":\"b\",\"started_us\":5}\n";
	static const char ended[] = "{\"kind\":\"code\",\"code\":0,\"ended_us\":9}\n";
	struct attempt_status status;

	assert_true(mirror_record(directory, ATTEMPT_STARTED, started, strlen(started), &err));
	assert_true(attempt_look(directory, &status, &err));
	assert_int_equal(status.started_us, 5);
	assert_true(mirror_record(directory, ATTEMPT_EXIT, ended, strlen(ended), &err));
	assert_true(attempt_look(directory, &status, &err));
	assert_int_equal(status.life, ATTEMPT_FINISHED);
	assert_int_equal(status.exit.ended_us, 9);
}

/* Where it lay, no later run could read the attempt. */
static void a_record_that_is_too_long_is_not_kept(void **state)
{
	static char bytes[(1 << 20) + 1];
	struct attempt_status status;

	memset(bytes, 'x', sizeof(bytes));
	assert_false(mirror_record(directory, ATTEMPT_EXIT, bytes, sizeof(bytes), &err));
	assert_false(mirror_record(directory, ATTEMPT_STARTED, bytes, RECORD_BYTES_MAX + 1, &err));
	assert_true(attempt_look(directory, &status, &err));
	assert_int_equal(status.life, ATTEMPT_NEVER_RAN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_comes_twice_is_there_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			it_rotates_as_the_supervisor_does, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_the_host_has_dropped_leaves_a_hole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_mirror_that_begins_late_does, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			where_it_ends_is_known_or_nothing_is_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			no_offset_of_an_agent_is_taken_on_trust, set_up, tear_down),
		cmocka_unit_test_setup_teardown(records_tell_of_the_attempt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_record_that_is_too_long_is_not_kept, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
