/* Fingerprints: equal if and only if the files are. */
#include "scheduler/file_list.h"

#include "base/file.h"
#include "scheduler/code.h"
#include "scheduler/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64];
static struct tuner_error err;

/* A broken disk: after so many more calls nothing can be read; -1: it is sound. */
static int reads_left = -1;

ssize_t read(int fd, void *ret, size_t size)
{
	if (reads_left != 0) {
		reads_left -= reads_left > 0;
		return (ssize_t)syscall(SYS_read, fd, ret, size);
	}
	errno = EIO;
	return -1;
}

#define ASSERT_OK(call)                                                                            \
	do {                                                                                       \
		if (!(call))                                                                       \
			fail_msg("%s", err.message);                                               \
	} while (0)

static int set_up(void **state)
{
	strcpy(directory, "/tmp/tuner-test-XXXXXX");
	return mkdtemp(directory) == NULL;
}

static int tear_down(void **state)
{
	return !directory_remove(directory, &err);
}

static const char *inside(const char *name)
{
	static char path[256];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void put(const char *name, const char *content)
{
	char *parent = path_directory(inside(name));
	assert_true(directory_make(parent, 0700, &err));
	free(parent);
	ASSERT_OK(file_write_atomic(inside(name), content, strlen(content), 0600, false, &err));
}

/* Nothing is read twice that was summed too short a time ago to be trusted: these are older. */
static void make_old(const char *name, int64_t seconds)
{
	const struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };
	assert_int_equal(utimensat(AT_FDCWD, inside(name), times, AT_SYMLINK_NOFOLLOW), 0);
}

static struct file_list list_all(const struct file_list *earlier, const struct file_limits *limits)
{
	struct file_list list;
	ASSERT_OK(file_list_init(&list, directory, limits, &err));
	ASSERT_OK(file_list_walk(&list, "", &err));
	ASSERT_OK(file_list_sum(&list, earlier, limits, &err));
	return list;
}

static void fingerprint_of(char ret[SHA256_TEXT])
{
	struct file_list list = list_all(NULL, &code_limits);
	memcpy(ret, list.fingerprint, SHA256_TEXT);
	file_list_finish(&list);
}

static void any_difference_changes_the_fingerprint_and_the_way_back_restores_it(void **state)
{
	char first[SHA256_TEXT], now[SHA256_TEXT];

	put("a", "one");
	put("deep/er/b", "two");
	assert_int_equal(symlink("a", inside("link")), 0);
	fingerprint_of(first);
	put("a", "One");
	fingerprint_of(now);
	assert_string_not_equal(now, first);
	put("a", "one");
	fingerprint_of(now); /* another inode, another time: the same content */
	assert_string_equal(now, first);
	assert_int_equal(chmod(inside("a"), 0700), 0);
	fingerprint_of(now);
	assert_string_not_equal(now, first);
	assert_int_equal(chmod(inside("a"), 0644), 0);
	fingerprint_of(now); /* who may read it is nobody's code */
	assert_string_equal(now, first);
	put("new", "");
	fingerprint_of(now);
	assert_string_not_equal(now, first);
	assert_int_equal(unlink(inside("new")), 0);
	assert_int_equal(unlink(inside("link")), 0);
	assert_int_equal(symlink("deep", inside("link")), 0);
	fingerprint_of(now);
	assert_string_not_equal(now, first);
	assert_int_equal(unlink(inside("link")), 0);
	assert_int_equal(symlink("a", inside("link")), 0);
	put("deep/er/c", "two");
	assert_int_equal(unlink(inside("deep/er/b")), 0);
	fingerprint_of(now);
	assert_string_not_equal(now, first);
}

/* An earlier list is believed where it may be, and only there. */
static void an_edit_that_keeps_size_and_time_is_seen(void **state)
{
	put("a", "one");
	make_old("a", 1000000000);
	struct file_list first = list_all(NULL, &code_limits);
	put("a", "two");
	make_old("a", 1000000000);
	struct file_list second = list_all(&first, &code_limits);
	assert_string_not_equal(second.fingerprint, first.fingerprint);
	struct file_list third = list_all(&second, &code_limits);
	assert_string_equal(third.fingerprint, second.fingerprint);
	file_list_finish(&first);
	file_list_finish(&second);
	file_list_finish(&third);
}

static void what_is_too_large_counts_with_size_and_time(void **state)
{
	static const struct file_limits small = { 100, 4, 1000 };

	put("large", "12345");
	put("small", "1234");
	make_old("large", 1000000000);
	struct file_list first = list_all(NULL, &small);
	assert_int_equal(first.not_read, 1);
	assert_int_equal(first.bytes, 9);
	put("large", "54321");
	make_old("large", 1000000000);
	struct file_list second = list_all(NULL, &small);
	assert_string_equal(second.fingerprint, first.fingerprint);
	make_old("large", 1000000001);
	struct file_list third = list_all(&second, &small);
	assert_string_not_equal(third.fingerprint, first.fingerprint);
	file_list_finish(&first);
	file_list_finish(&second);
	file_list_finish(&third);
}

/* Which are read follows from the sizes alone, not from what an earlier list knows. */
static void what_cannot_be_read_to_its_end_counts_with_size_and_time(void **state)
{
	char *content = calloc(1, 200001);
	struct file_list sound, broken, again;

	memset(content, 'x', 200000);
	put("train.py", content);
	free(content);
	make_old("train.py", 1000000000);
	sound = list_all(NULL, &code_limits);
	reads_left = 1;
	broken = list_all(NULL, &code_limits);
	reads_left = -1;
	again = list_all(&broken, &code_limits);
	assert_true(sound.items[0].by_content);
	assert_int_equal(sound.not_read, 0);
	assert_false(broken.items[0].by_content);
	assert_int_equal(broken.not_read, 1);
	assert_string_equal(again.fingerprint, sound.fingerprint);
	file_list_finish(&sound);
	file_list_finish(&broken);
	file_list_finish(&again);
}

static void the_bound_on_all_bytes_gives_the_same_with_and_without_an_earlier_list(void **state)
{
	static const struct file_limits tight = { 100, 100, 7 };

	put("a", "12345");
	put("b", "12345");
	put("c", "12");
	make_old("a", 1000000000);
	make_old("b", 1000000000);
	struct file_list first = list_all(NULL, &tight);
	struct file_list second = list_all(&first, &tight);
	assert_int_equal(first.not_read, 1);
	assert_false(file_list_find(&first, "b")->by_content);
	assert_true(file_list_find(&first, "c")->by_content);
	assert_string_equal(second.fingerprint, first.fingerprint);
	file_list_finish(&first);
	file_list_finish(&second);
}

static void too_many_files_are_cut_and_said(void **state)
{
	static const struct file_limits three = { 3, 100, 100 };
	char name[16];

	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "%d", i);
		put(name, "");
	}
	struct file_list list = list_all(NULL, &three);
	assert_true(list.cut);
	assert_int_equal(list.n, 3);
	file_list_finish(&list);
}

static void pipes_missing_and_repeated_ones_do_not_count(void **state)
{
	struct file_list list;

	put("a", "one");
	assert_int_equal(mkfifo(inside("pipe"), 0600), 0);
	ASSERT_OK(file_list_init(&list, directory, &code_limits, &err));
	ASSERT_OK(file_list_add(&list, "pipe", 4, false, &err));
	ASSERT_OK(file_list_add(&list, "a", 1, false, &err));
	ASSERT_OK(file_list_add(&list, "gone", 4, false, &err));
	ASSERT_OK(file_list_add(&list, "a", 1, false, &err));
	ASSERT_OK(file_list_sum(&list, NULL, &code_limits, &err));
	assert_int_equal(list.n, 1);
	assert_null(file_list_find(&list, "pipe"));
	file_list_finish(&list);
}

/* ---- copies ---- */

static void a_copy_has_modes_times_links_and_the_same_fingerprint(void **state)
{
	char *words[] = { (char *)"sh", (char *)"run.sh", NULL };
	const char *root = inside("work");
	struct code code;
	struct stat status;
	char target[64] = "", copy[128];

	put("work/run.sh", "echo 1\n");
	put("work/lib/part.sh", "echo 2\n");
	put("work/secret", "3");
	make_old("work/run.sh", 1000000000);
	assert_int_equal(chmod(inside("work/lib/part.sh"), 0750), 0);
	assert_int_equal(symlink("../nowhere", inside("work/lib/link")), 0);
	snprintf(copy, sizeof(copy), "%s/copy", directory);
	root = inside("work");
	char *where = strdup(root);
	const struct code_place place = { .directory = where, .command = words };
	ASSERT_OK(code_read(&place, CODE_ALL, &code_limits, NULL, &code, &err));
	assert_int_equal(code.files.n, 4);
	ASSERT_OK(snapshot_copy(&code, copy, &err));
	assert_int_equal(stat(inside("copy/run.sh"), &status), 0);
	assert_int_equal(status.st_mtime, 1000000000);
	assert_int_equal(stat(inside("copy/lib/part.sh"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0750);
	assert_int_equal(readlink(inside("copy/lib/link"), target, sizeof(target) - 1), 10);
	assert_string_equal(target, "../nowhere");
	code_finish(&code);
	free(where);
}

static void what_was_edited_since_it_was_listed_is_not_copied_as_if_it_had_not(void **state)
{
	struct code code;

	put("work/run.sh", "echo 1\n");
	put("work/gone.sh", "echo 1\n");
	char *where = strdup(inside("work"));
	const struct code_place place = { .directory = where };
	ASSERT_OK(code_read(&place, CODE_ALL, &code_limits, NULL, &code, &err));
	put("work/run.sh", "echo 2\n");
	char *copy = strdup(inside("copy"));
	assert_false(snapshot_copy(&code, copy, &err));
	assert_int_equal(err.code, TUNER_RETRY);
	ASSERT_OK(directory_remove(copy, &err));
	assert_int_equal(unlink(inside("work/gone.sh")), 0);
	assert_false(snapshot_copy(&code, copy, &err));
	assert_int_equal(err.code, TUNER_RETRY);
	code_finish(&code);
	free(copy);
	free(where);
}

/* As a container has it that names no other. */
static void what_a_command_in_the_root_names_is_its_code(void **state)
{
	struct code code;

	put("work/run", "#!/bin/sh\n");
	char *program = strdup(inside("work/run"));
	char *const words[] = { (char *)"sh", program, NULL };
	const struct code_place place = { .directory = "/", .command = words };
	ASSERT_OK(code_read(&place, CODE_PROGRAMS, &code_limits, NULL, &code, &err));
	if (code.git)
		skip();
	assert_non_null(file_list_find(&code.files, program + 1));
	code_finish(&code);
	free(program);
}

/* A patch of short lines is twice as long as they are. */
static void a_patch_has_no_more_bytes_than_it_may(void **state)
{
	char command[256], lines[1001] = "";
	struct text patch = TEXT_EMPTY;
	struct code code;
	bool cut = false;

	memset(lines, '\n', 1000);
	put("work/run.py", lines);
	char *where = strdup(inside("work"));
	snprintf(command, sizeof(command), "git -C %s init -q 2>/dev/null", where);
	if (system(command) != 0)
		skip();
	const struct code_place place = { .directory = where };
	ASSERT_OK(code_read(&place, CODE_ALL, &code_limits, NULL, &code, &err));
	assert_true(code.git);
	ASSERT_OK(code_patch(&code, 1500, &patch, &cut, &err));
	assert_true(cut);
	assert_int_equal(patch.length, 0);
	ASSERT_OK(code_patch(&code, 3000, &patch, &cut, &err));
	assert_false(cut);
	assert_true(patch.length > 2000 && patch.length <= 3000);
	text_finish(&patch);
	code_finish(&code);
	free(where);
}

#define HERE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HERE(any_difference_changes_the_fingerprint_and_the_way_back_restores_it),
		HERE(an_edit_that_keeps_size_and_time_is_seen),
		HERE(what_is_too_large_counts_with_size_and_time),
		HERE(what_cannot_be_read_to_its_end_counts_with_size_and_time),
		HERE(the_bound_on_all_bytes_gives_the_same_with_and_without_an_earlier_list),
		HERE(too_many_files_are_cut_and_said),
		HERE(pipes_missing_and_repeated_ones_do_not_count),
		HERE(what_a_command_in_the_root_names_is_its_code),
		HERE(a_patch_has_no_more_bytes_than_it_may),
		HERE(a_copy_has_modes_times_links_and_the_same_fingerprint),
		HERE(what_was_edited_since_it_was_listed_is_not_copied_as_if_it_had_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
