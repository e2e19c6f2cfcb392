/* What attempts leave on the disk: listed, hashed, removed, and nothing else touched. */
#include "base/file.h"
#include "failing_readdir.h"
#include "scheduler/artifacts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define ATTEMPT "job/0007/1"

struct fixture {
	char root[64];
	struct tuner_error err;
};

#define ASSERT_OK(f, call)                                                                         \
	do {                                                                                       \
		if (!(call))                                                                       \
			fail_msg("%s", (f)->err.message);                                          \
	} while (0)

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->root, "/tmp/tuner-test-XXXXXX");
	*state = f;
	return mkdtemp(f->root) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	const bool removed = directory_remove(f->root, &f->err);

	free(f);
	return removed ? 0 : -1;
}

/* A path below the root: up to four at once. */
static const char *at(const struct fixture *f, const char *path)
{
	static char names[4][512];
	static unsigned next;
	char *name = names[next++ % 4];

	snprintf(name, sizeof(names[0]), "%s/%s", f->root, path);
	return name;
}

static void put_bytes(struct fixture *f, const char *path, const void *bytes, size_t length)
{
	char *directory = path_directory(at(f, path));

	ASSERT_OK(f, directory_make(directory, 0700, &f->err));
	ASSERT_OK(f, file_write_atomic(at(f, path), bytes, length, 0600, false, &f->err));
	free(directory);
}

static void put(struct fixture *f, const char *path, const char *content)
{
	put_bytes(f, path, content, strlen(content));
}

static bool is_there(const struct fixture *f, const char *path)
{
	struct stat status;
	return lstat(at(f, path), &status) == 0;
}

static struct artifacts scan(struct fixture *f, bool hash)
{
	struct artifacts found;
	ASSERT_OK(f, artifacts_scan(f->root, ATTEMPT, hash, NULL, &found, &f->err));
	return found;
}

/* ---- hashes ---- */

static void hash_is(struct fixture *f, const char *bytes, size_t length, const char *wanted)
{
	char sha256[SHA256_TEXT];
	int64_t size;

	put_bytes(f, ATTEMPT "/model/m", bytes, length);
	ASSERT_OK(f, artifact_hash(f->root, ATTEMPT, "model/m", sha256, &size, &f->err));
	assert_string_equal(sha256, wanted);
	assert_int_equal(size, length);
}

/* FIPS 180-4's own examples, as NIST publishes them, and more than one block that is read at once. */
static void hashes_are_those_of_the_standard(void **state)
{
	struct fixture *f = *state;
	char *million = malloc(1000000), *zeros = calloc(1, 3 << 20);

	hash_is(f, "", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	hash_is(f, "abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hash_is(f, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(million, 'a', 1000000);
	hash_is(f, million, 1000000,
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	hash_is(f, zeros, 3 << 20,
		"bbd05cf6097ac9b1f89ea29d2542c1b7b67ee46848393895f5a9e43fa1f621e5");
	free(zeros);
	free(million);
}

/* ---- listing ---- */

static void put_attempt(struct fixture *f)
{
	put(f, ATTEMPT "/launch", "l");
	put(f, ATTEMPT "/lock", "");
	put(f, ATTEMPT "/started", "{}");
	put(f, ATTEMPT "/exit.json", "{}");
	put(f, ATTEMPT "/lease", "");
	put(f, ATTEMPT "/output.log", "said");
	put(f, ATTEMPT "/output.00000000000000000000.log", "said before");
	put(f, ATTEMPT "/parameters.json", "{}");
	put(f, ATTEMPT "/input/config/hyperparameters.json", "{}");
	put(f, ATTEMPT "/.tuner-x.tmp", "cut");
	put(f, ATTEMPT "/output/data/log.txt", "12345");
	put(f, ATTEMPT "/model/weights", "abc");
	put(f, ATTEMPT "/model/input/launch", "a file of the user's");
	put(f, ATTEMPT "/checkpoint-500/optimizer", "1234567");
	put(f, "job/0007/checkpoint/last", "123456789");
}

static void all_but_our_own_files_is_listed_by_path(void **state)
{
	static const char *const paths[] = { "checkpoint-500/optimizer", "model/input/launch",
		"model/weights", "output/data/log.txt" };
	struct fixture *f = *state;

	put_attempt(f);
	struct artifacts found = scan(f, true);
	assert_int_equal(found.n, 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(found.items[i].path, paths[i]);
	assert_int_equal(found.files, 4);
	assert_int_equal(found.bytes, 7 + 20 + 3 + 5);
	assert_int_equal(found.checkpoint_bytes, 9);
	assert_string_equal(found.message, "");
	assert_string_equal(found.items[2].sha256,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	artifacts_finish(&found);
}

static void the_sums_are_as_sha256sum_writes_them(void **state)
{
	struct fixture *f = *state;
	struct text sums = TEXT_EMPTY;

	put(f, ATTEMPT "/model/weights", "abc");
	put(f, ATTEMPT "/model/a\nb\\c", "abc");
	struct artifacts found = scan(f, true);
	ASSERT_OK(f, file_read(at(f, ATTEMPT "/" ARTIFACTS_SUMS), 4096, &sums, &f->err));
	assert_string_equal(sums.bytes, "\\ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
					"f20015ad  model/a\\nb\\\\c\n"
					"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f2"
					"0015ad  model/weights\n");
	text_finish(&sums);
	artifacts_finish(&found);
	found = scan(f, true); /* they are no artefact themselves */
	assert_int_equal(found.n, 2);
	artifacts_finish(&found);
}

static void without_hashes_nothing_is_read_and_nothing_written(void **state)
{
	struct fixture *f = *state;

	put(f, ATTEMPT "/model/weights", "abc");
	struct artifacts found = scan(f, false);
	assert_int_equal(found.bytes, 3);
	assert_string_equal(found.items[0].sha256, "");
	assert_false(is_there(f, ATTEMPT "/" ARTIFACTS_SUMS));
	artifacts_finish(&found);
}

/* A terabyte of zeros would be read for ten minutes and more. */
static void a_file_of_holes_is_listed_without_a_hash(void **state)
{
	struct fixture *f = *state;

	put(f, ATTEMPT "/model/data.mdb", "page");
	put(f, ATTEMPT "/model/weights", "w");
	if (truncate(at(f, ATTEMPT "/model/data.mdb"), (off_t)1 << 40) != 0)
		skip();
	struct artifacts found = scan(f, true);
	assert_int_equal(found.n, 2);
	assert_string_equal(found.items[0].sha256, "");
	assert_int_equal(found.items[0].bytes, (int64_t)1 << 40);
	assert_string_not_equal(found.items[1].sha256, "");
	assert_non_null(strstr(found.message, "model/data.mdb is not hashed"));
	artifacts_finish(&found);
}

static void a_thousand_files_are_listed_the_model_among_them_and_all_counted(void **state)
{
	struct fixture *f = *state;
	char path[64];

	for (int i = 0; i < ARTIFACTS_LISTED_MAX + 20; i++) {
		snprintf(path, sizeof(path), ATTEMPT "/images/%04d.png", i);
		put(f, path, "12");
	}
	put(f, ATTEMPT "/model/weights", "abc");
	struct artifacts found = scan(f, false);
	assert_int_equal(found.n, ARTIFACTS_LISTED_MAX);
	assert_int_equal(found.files, ARTIFACTS_LISTED_MAX + 21);
	assert_int_equal(found.bytes, 2 * (ARTIFACTS_LISTED_MAX + 20) + 3);
	assert_string_equal(found.items[found.n - 1].path, "model/weights");
	assert_non_null(strstr(found.message, "21 more files"));
	artifacts_finish(&found);
}

static void links_are_neither_followed_nor_listed(void **state)
{
	struct fixture *f = *state;

	put(f, "precious/data", "do not touch");
	put(f, ATTEMPT "/model/weights", "abc");
	assert_int_equal(symlink("weights", at(f, ATTEMPT "/model/best")), 0);
	assert_int_equal(symlink(at(f, "precious"), at(f, ATTEMPT "/model/all")), 0);
	assert_int_equal(symlink(at(f, "precious"), at(f, ATTEMPT "/output")), 0);
	assert_int_equal(symlink(at(f, "precious"), at(f, "job/0007/checkpoint")), 0);
	struct artifacts found = scan(f, true);
	assert_int_equal(found.files, 1);
	assert_int_equal(found.bytes, 3);
	assert_int_equal(found.checkpoint_bytes, 0);
	artifacts_finish(&found);

	int64_t bytes;
	ASSERT_OK(f, artifact_size(f->root, ATTEMPT, "model/all/data", &bytes, &f->err));
	assert_int_equal(bytes, -1);
	ASSERT_OK(f, artifact_size(f->root, ATTEMPT, "model/best", &bytes, &f->err));
	assert_int_equal(bytes, -1);
	ASSERT_OK(f, artifact_size(f->root, ATTEMPT, "model/weights", &bytes, &f->err));
	assert_int_equal(bytes, 3);
	ASSERT_OK(f, artifact_size(f->root, ATTEMPT, "../../../precious/data", &bytes, &f->err) ||
			     f->err.code == TUNER_FATAL);
	assert_int_equal(bytes, -1);
}

static void a_directory_that_is_not_there_has_nothing(void **state)
{
	struct fixture *f = *state;
	struct artifacts found = scan(f, true);

	assert_int_equal(found.n + (size_t)found.files, 0);
	assert_int_equal(found.checkpoint_bytes, 0);
	artifacts_finish(&found);
}

static void a_scan_that_is_cancelled_says_so(void **state)
{
	struct fixture *f = *state;
	atomic_bool cancel = true;
	struct artifacts found;

	put(f, ATTEMPT "/model/weights", "abc");
	assert_false(artifacts_scan(f->root, ATTEMPT, true, &cancel, &found, &f->err));
	assert_int_equal(f->err.code, TUNER_RETRY);
}

static void what_runs_is_measured(void **state)
{
	struct fixture *f = *state;
	int64_t bytes, checkpoint_bytes;

	put_attempt(f);
	ASSERT_OK(f, artifacts_measure(f->root, ATTEMPT, &bytes, &checkpoint_bytes, &f->err));
	assert_int_equal(bytes, 7 + 20 + 3 + 5);
	assert_int_equal(checkpoint_bytes, 9);
}

/* ---- removing ---- */

static void remove_all(struct fixture *f, bool artifacts, bool checkpoint)
{
	ASSERT_OK(f, artifacts_set_aside(f->root, ATTEMPT, artifacts, checkpoint, &f->err));
	ASSERT_OK(f, artifacts_delete_set_aside(f->root, ATTEMPT, &f->err));
}

static void what_is_removed_is_gone_and_ours_stays(void **state)
{
	struct fixture *f = *state;

	put_attempt(f);
	struct artifacts found = scan(f, true);
	artifacts_finish(&found);
	remove_all(f, true, false);
	assert_false(is_there(f, ATTEMPT "/model"));
	assert_false(is_there(f, ATTEMPT "/output"));
	assert_false(is_there(f, ATTEMPT "/checkpoint-500"));
	assert_false(is_there(f, ATTEMPT "/" ARTIFACTS_SUMS));
	assert_false(is_there(f, "job/0007/.tuner-removed-1"));
	assert_true(is_there(f, ATTEMPT "/output.log"));
	assert_true(is_there(f, ATTEMPT "/output.00000000000000000000.log"));
	assert_true(is_there(f, ATTEMPT "/exit.json"));
	assert_true(is_there(f, ATTEMPT "/launch"));
	assert_true(is_there(f, ATTEMPT "/parameters.json"));
	assert_true(is_there(f, ATTEMPT "/input/config/hyperparameters.json"));
	assert_true(is_there(f, "job/0007/checkpoint/last"));
	remove_all(f, false, true);
	assert_false(is_there(f, "job/0007/checkpoint"));
	remove_all(f, true, true); /* again: nothing is there */
}

/* Killed between the renames and the deletion, or half-way through either. */
static void a_removal_that_was_cut_short_is_finished(void **state)
{
	struct fixture *f = *state;

	put_attempt(f);
	put(f, "job/0007/.tuner-removed-1/model.0/old", "x");
	put(f, "job/0007/.tuner-removed-1/checkpoint.0", "x");
	remove_all(f, true, true);
	assert_false(is_there(f, ATTEMPT "/model"));
	assert_false(is_there(f, "job/0007/checkpoint"));
	assert_false(is_there(f, "job/0007/.tuner-removed-1"));
}

/* What has been set aside meets no later attempt: it has its own directory. */
static void setting_aside_leaves_room_for_the_next_attempt(void **state)
{
	struct fixture *f = *state;

	put_attempt(f);
	ASSERT_OK(f, artifacts_set_aside(f->root, ATTEMPT, true, true, &f->err));
	put(f, "job/0007/checkpoint/last", "of the next");
	put(f, "job/0007/2/model/weights", "of the next");
	ASSERT_OK(f, artifacts_delete_set_aside(f->root, ATTEMPT, &f->err));
	assert_true(is_there(f, "job/0007/checkpoint/last"));
	assert_true(is_there(f, "job/0007/2/model/weights"));
}

static void what_is_set_aside_is_counted_until_it_is_deleted(void **state)
{
	struct fixture *f = *state;
	int64_t bytes = -1, checkpoint_bytes = -1;

	artifacts_count_set_aside(f->root, ATTEMPT, &bytes, &checkpoint_bytes);
	assert_int_equal(bytes + checkpoint_bytes, 0);
	put(f, ATTEMPT "/model/weights", "12345");
	put(f, ATTEMPT "/checkpoint.pt", "123");
	put(f, "job/0007/checkpoint/last", "12");
	ASSERT_OK(f, artifacts_set_aside(f->root, ATTEMPT, true, true, &f->err));
	artifacts_count_set_aside(f->root, ATTEMPT, &bytes, &checkpoint_bytes);
	assert_int_equal(bytes, 8);
	assert_int_equal(checkpoint_bytes, 2);
	ASSERT_OK(f, artifacts_delete_set_aside(f->root, ATTEMPT, &f->err));
	artifacts_count_set_aside(f->root, ATTEMPT, &bytes, &checkpoint_bytes);
	assert_int_equal(bytes + checkpoint_bytes, 0);
}

static void what_a_link_points_to_stays(void **state)
{
	struct fixture *f = *state;

	put(f, "precious/data", "do not touch");
	put(f, ATTEMPT "/model/weights", "abc");
	assert_int_equal(symlink(at(f, "precious"), at(f, ATTEMPT "/model/all")), 0);
	assert_int_equal(symlink(at(f, "precious"), at(f, ATTEMPT "/output")), 0);
	assert_int_equal(symlink(at(f, "precious"), at(f, "job/0007/checkpoint")), 0);
	remove_all(f, true, true);
	assert_false(is_there(f, ATTEMPT "/output"));
	assert_false(is_there(f, "job/0007/checkpoint"));
	assert_true(is_there(f, "precious/data"));
}

static void behind_a_linked_directory_nothing_is_removed(void **state)
{
	struct fixture *f = *state;

	put(f, "elsewhere/0007/1/model/weights", "abc");
	assert_int_equal(symlink("elsewhere", at(f, "job")), 0);
	assert_false(artifacts_set_aside(f->root, ATTEMPT, true, true, &f->err));
	assert_int_equal(f->err.code, TUNER_USAGE);
	assert_non_null(strstr(f->err.message, "links are not followed"));
	assert_false(artifacts_delete_set_aside(f->root, ATTEMPT, &f->err));
	assert_true(is_there(f, "elsewhere/0007/1/model/weights"));
	assert_false(artifacts_set_aside(f->root, "../0007/1", true, true, &f->err));
}

/* As a command leaves them that protects its weights from itself. */
static bool removes_protected_directories(struct fixture *f)
{
	put(f, ATTEMPT "/model/cache/weights", "w");
	put(f, "job/0007/checkpoint/c/k", "k");
	return chmod(at(f, ATTEMPT "/model/cache"), 0500) == 0 &&
	       chmod(at(f, ATTEMPT "/model"), 0555) == 0 &&
	       chmod(at(f, "job/0007/checkpoint/c"), 0500) == 0 &&
	       chmod(at(f, "job/0007/checkpoint"), 0500) == 0 &&
	       artifacts_set_aside(f->root, ATTEMPT, true, true, &f->err) &&
	       artifacts_delete_set_aside(f->root, ATTEMPT, &f->err) &&
	       !is_there(f, ATTEMPT "/model") && !is_there(f, "job/0007/checkpoint") &&
	       !is_there(f, "job/0007/" ARTIFACTS_SET_ASIDE "1");
}

/* Root may write everything: it becomes nobody. */
static void as_anybody(struct fixture *f, bool (*body)(struct fixture *f))
{
	int status = 0;
	const pid_t pid = fork();

	if (pid == 0) {
		const bool ok =
			(geteuid() != 0 || (setgid(65534) == 0 && setuid(65534) == 0)) && body(f);
		if (!ok)
			print_error("%s\n", f->err.message);
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void directories_that_may_not_be_written_are_removed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(chmod(f->root, 0777), 0);
	as_anybody(f, removes_protected_directories);
}

static bool removes_what_it_may(struct fixture *f)
{
	return !artifacts_set_aside(f->root, ATTEMPT, true, true, &f->err) &&
	       artifacts_delete_set_aside(f->root, ATTEMPT, &f->err) && is_there(f, ATTEMPT "/b") &&
	       !is_there(f, ATTEMPT "/a") && !is_there(f, ATTEMPT "/c") &&
	       !is_there(f, "job/0007/checkpoint");
}

/* As a container leaves them that ran as root. */
static void what_is_somebody_elses_keeps_nothing_else(void **state)
{
	static const char *const directories[] = { "", "job", "job/0007", ATTEMPT,
		"job/0007/checkpoint" };
	struct fixture *f = *state;

	if (geteuid() != 0)
		skip();
	put(f, ATTEMPT "/a", "a");
	put(f, ATTEMPT "/b/theirs", "b");
	put(f, ATTEMPT "/c", "c");
	put(f, "job/0007/checkpoint/k", "k");
	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++)
		assert_int_equal(chmod(at(f, directories[i]), 0777), 0);
	as_anybody(f, removes_what_it_may);
}

static void the_set_aside_directory_as_a_link_is_no_way_out(void **state)
{
	struct fixture *f = *state;

	put_attempt(f);
	put(f, "precious/data", "do not touch");
	assert_int_equal(symlink(at(f, "precious"), at(f, "job/0007/.tuner-removed-1")), 0);
	assert_false(artifacts_set_aside(f->root, ATTEMPT, true, true, &f->err));
	assert_true(is_there(f, ATTEMPT "/model/weights"));
	ASSERT_OK(f, artifacts_delete_set_aside(f->root, ATTEMPT, &f->err)); /* the link itself */
	assert_true(is_there(f, "precious/data"));
}

/* To be taken for its end would be files that are said to be gone, or that are not listed, without a word. */
static void a_directory_that_cannot_be_read_on_is_told_of(void **state)
{
	struct fixture *f = *state;
	struct artifacts found;

	put_attempt(f);
	for (unsigned n = 1; n <= 4; n++) {
		readdir_fails_at = n;
		found = scan(f, false);
		readdir_fails_at = 0;
		assert_non_null(strstr(found.message, strerror(EIO)));
		artifacts_finish(&found);
	}
	readdir_fails_at = 2;
	assert_false(artifacts_set_aside(f->root, ATTEMPT, true, false, &f->err));
	assert_non_null(strstr(f->err.message, strerror(EIO)));
	readdir_fails_at = 0;
	remove_all(f, true, false);
	assert_false(is_there(f, ATTEMPT "/model"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hashes_are_those_of_the_standard),
		TEST(all_but_our_own_files_is_listed_by_path),
		TEST(the_sums_are_as_sha256sum_writes_them),
		TEST(without_hashes_nothing_is_read_and_nothing_written),
		TEST(a_file_of_holes_is_listed_without_a_hash),
		TEST(a_thousand_files_are_listed_the_model_among_them_and_all_counted),
		TEST(links_are_neither_followed_nor_listed),
		TEST(a_directory_that_is_not_there_has_nothing),
		TEST(a_scan_that_is_cancelled_says_so),
		TEST(what_runs_is_measured),
		TEST(what_is_removed_is_gone_and_ours_stays),
		TEST(a_removal_that_was_cut_short_is_finished),
		TEST(setting_aside_leaves_room_for_the_next_attempt),
		TEST(what_is_set_aside_is_counted_until_it_is_deleted),
		TEST(what_a_link_points_to_stays),
		TEST(behind_a_linked_directory_nothing_is_removed),
		TEST(directories_that_may_not_be_written_are_removed),
		TEST(what_is_somebody_elses_keeps_nothing_else),
		TEST(the_set_aside_directory_as_a_link_is_no_way_out),
		TEST(a_directory_that_cannot_be_read_on_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
