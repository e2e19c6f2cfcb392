/* A GPU's lock: one owner at a time, however many of its trials hold it. */
#include "scheduler/gpu_lock.h"

#include "base/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char directory[64], path[256];

static int set_up(void **state)
{
	strcpy(directory, "/tmp/tuner-lock-XXXXXX");
	if (mkdtemp(directory) == NULL)
		return 1;
	return !gpu_lock_path(directory, "GPU-a-1", path, sizeof(path));
}

static int tear_down(void **state)
{
	struct tuner_error err;
	return !directory_remove(directory, &err);
}

static int must_claim(const char *owner)
{
	char seen[GPU_OWNER_MAX];
	int fd;
	assert_int_equal(gpu_lock_claim(path, owner, &fd, seen), GPU_CLAIMED);
	assert_true(fd >= 0);
	return fd;
}

static void assert_taken(const char *owner, const char *by)
{
	char seen[GPU_OWNER_MAX];
	int fd;
	assert_int_equal(gpu_lock_claim(path, owner, &fd, seen), GPU_TAKEN);
	assert_int_equal(fd, -1);
	assert_string_equal(seen, by);
}

static void two_owners_never_share_and_one_may_come_twice(void **state)
{
	const int first = must_claim("a"), again = must_claim("a");
	assert_taken("b", "a");
	gpu_lock_release(first);
	assert_taken("b", "a");
	gpu_lock_release(again);
	gpu_lock_release(must_claim("b"));
	gpu_lock_release(must_claim("a"));
}

/* The supervisor's: shared, and nothing else. */
static void a_trial_keeps_it_for_its_owner(void **state)
{
	gpu_lock_release(must_claim("a"));
	const int trial = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(trial, LOCK_SH | LOCK_NB), 0);
	assert_taken("b", "a");
	gpu_lock_release(must_claim("a"));
	assert_taken("b", "a");
	close(trial);
	gpu_lock_release(must_claim("b"));
}

static void who_is_trying_keeps_others_out_for_the_moment(void **state)
{
	const int trying = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	assert_int_equal(flock(trying, LOCK_EX | LOCK_NB), 0);
	assert_taken("a", "");
	close(trying);
}

static void what_is_no_plain_file_is_not_locked(void **state)
{
	char seen[GPU_OWNER_MAX], other[300];
	int fd;
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(gpu_lock_claim(path, "a", &fd, seen), GPU_UNLOCKABLE);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(gpu_lock_claim(path, "a", &fd, seen), GPU_UNLOCKABLE);
	assert_int_equal(unlink(path), 0);
	snprintf(other, sizeof(other), "%s/precious", directory);
	close(open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(gpu_lock_claim(path, "a", &fd, seen), GPU_UNLOCKABLE);
	assert_false(gpu_lock_path(directory, "../x", path, sizeof(path)));
	assert_false(gpu_lock_path(directory, "", path, sizeof(path)));
}

static void the_directory_is_for_all_users(void **state)
{
	char made[128], got[128];
	struct stat status;
	const mode_t before = umask(077);
	snprintf(made, sizeof(made), "%s/locks", directory);
	setenv("TUNER_GPU_LOCKS", made, 1);
	assert_true(gpu_lock_directory(got, sizeof(got)));
	assert_string_equal(got, made);
	assert_int_equal(stat(made, &status), 0);
	assert_int_equal(status.st_mode & 07777, 01777);
	assert_true(gpu_lock_path(made, "GPU-b-1", path, sizeof(path)));
	gpu_lock_release(must_claim("a"));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0666);
	umask(before);
	setenv("TUNER_GPU_LOCKS", "/proc/nowhere", 1);
	assert_false(gpu_lock_directory(got, sizeof(got)));
	unsetenv("TUNER_GPU_LOCKS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			two_owners_never_share_and_one_may_come_twice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_trial_keeps_it_for_its_owner, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			who_is_trying_keeps_others_out_for_the_moment, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_no_plain_file_is_not_locked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_directory_is_for_all_users, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
