#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Every test has an empty directory, is in it, and leaves it to be removed by the room under test. */
struct fixture {
	char directory[64];
	int home; /* where we were */
	struct tuner_error err;
	struct text text;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	strcpy(f->directory, "/tmp/tuner-test-file-XXXXXX");
	f->home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->text = TEXT_EMPTY;
	umask(022);
	*state = f;
	return mkdtemp(f->directory) && f->home >= 0 ? chdir(f->directory) : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	const bool ok = fchdir(f->home) == 0 && directory_remove(f->directory, &f->err);

	close(f->home);
	text_finish(&f->text);
	free(f);
	return ok ? 0 : -1;
}

static void assert_ok(struct fixture *f, bool ok)
{
	if (!ok)
		fail_msg("%s", f->err.message);
}

static void assert_failed(struct fixture *f, bool ok, enum tuner_code code, const char *part)
{
	assert_false(ok);
	if (f->err.code != code || !strstr(f->err.message, part))
		fail_msg("code %d: %s", f->err.code, f->err.message);
}

static void put(const char *path, const char *content)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(content, file);
	assert_int_equal(fclose(file), 0);
}

static void assert_content(struct fixture *f, const char *path, const char *content)
{
	assert_ok(f, file_read(path, 1 << 20, &f->text, &f->err));
	assert_string_equal(f->text.bytes, content);
}

static mode_t mode_of(const char *path)
{
	struct stat status;

	assert_int_equal(lstat(path, &status), 0);
	return status.st_mode & 07777;
}

static bool exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

static size_t count_entries(const char *path)
{
	DIR *directory = opendir(path);
	size_t n = 0;

	assert_non_null(directory);
	while (readdir(directory))
		n++;
	closedir(directory);
	return n - 2;
}

/* --- reading --- */

static void a_file_is_read_whole_with_its_nul_bytes(void **state)
{
	struct fixture *f = *state;
	static char large[100000];

	assert_ok(f, file_write_atomic("a", "x\0y", 3, 0644, false, &f->err));
	assert_ok(f, file_read("a", 3, &f->text, &f->err));
	assert_int_equal(f->text.length, 3);
	assert_memory_equal(f->text.bytes, "x\0y", 4);

	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (char)(i * 31);
	assert_ok(f, file_write_atomic("a", large, sizeof(large), 0644, false, &f->err));
	assert_ok(f, file_read("a", sizeof(large), &f->text, &f->err));
	assert_int_equal(f->text.length, sizeof(large));
	assert_memory_equal(f->text.bytes, large, sizeof(large));
}

static void an_empty_file_empties_the_text(void **state)
{
	struct fixture *f = *state;

	put("empty", "");
	text_add(&f->text, "old");
	assert_ok(f, file_read("empty", 0, &f->text, &f->err));
	assert_string_equal(f->text.bytes, "");
}

static void a_file_beyond_the_bound_is_refused_with_both_sizes(void **state)
{
	struct fixture *f = *state;

	put("long", "12345678");
	assert_ok(f, file_read("long", 8, &f->text, &f->err));
	assert_failed(f, file_read("long", 7, &f->text, &f->err), TUNER_USAGE,
		"long has 8 bytes, and at most 7 are accepted");
	assert_int_equal(f->text.length, 0);
}

/* /proc says that its files have no bytes: the bound must hold while reading too. */
static void a_file_that_does_not_know_its_size_is_bounded_too(void **state)
{
	struct fixture *f = *state;

	assert_ok(f, file_read("/proc/self/status", 1 << 20, &f->text, &f->err));
	assert_true(f->text.length > 100);
	assert_failed(f, file_read("/proc/self/status", 100, &f->text, &f->err), TUNER_USAGE,
		"more than 100 bytes");
	assert_int_equal(f->text.length, 0);
}

static void what_cannot_be_read_is_named(void **state)
{
	struct fixture *f = *state;

	assert_failed(f, file_read("none/there", 9, &f->text, &f->err), TUNER_USAGE,
		"cannot read none/there: No such file");
	assert_failed(f, file_read(".", 9, &f->text, &f->err), TUNER_USAGE, "it is a directory");
	assert_failed(
		f, file_read("/dev/null", 9, &f->text, &f->err), TUNER_USAGE, "not a regular file");
}

static void a_pipe_without_a_writer_is_refused_at_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifo("pipe", 0600), 0);
	assert_failed(
		f, file_read("pipe", 9, &f->text, &f->err), TUNER_USAGE, "not a regular file");
}

/* Runs file_read("-") with the content in a pipe as standard input. */
static bool read_standard_input(struct fixture *f, const char *content, size_t max_bytes)
{
	const int saved = dup(STDIN_FILENO);
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], content, strlen(content)), (ssize_t)strlen(content));
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	const bool ok = file_read("-", max_bytes, &f->text, &f->err);
	if (saved >= 0) {
		dup2(saved, STDIN_FILENO);
		close(saved);
	}
	return ok;
}

static void a_dash_is_standard_input(void **state)
{
	struct fixture *f = *state;

	assert_ok(f, read_standard_input(f, "{\"a\": 1}", 8));
	assert_string_equal(f->text.bytes, "{\"a\": 1}");
	assert_failed(f, read_standard_input(f, "123456789", 8), TUNER_USAGE,
		"standard input has more than 8 bytes");
}

/* --- writing --- */

static void a_write_makes_the_file_and_nothing_else(void **state)
{
	struct fixture *f = *state;

	assert_ok(f, file_write_atomic("new", "one", 3, 0640, true, &f->err));
	assert_content(f, "new", "one");
	assert_int_equal(mode_of("new"), 0640);
	assert_int_equal(count_entries("."), 1);
}

static void the_umask_counts(void **state)
{
	struct fixture *f = *state;

	umask(077);
	assert_ok(f, file_write_atomic("private", "", 0, 0644, false, &f->err));
	assert_int_equal(mode_of("private"), 0600);
}

/* Who has the old file open goes on reading it: the bytes were not written over. */
static void a_write_replaces_the_file_and_leaves_open_ones_alone(void **state)
{
	struct fixture *f = *state;
	char old[4] = "";

	put("file", "old");
	const int fd = open("file", O_RDONLY | O_CLOEXEC);
	assert_ok(f, file_write_atomic("file", "newer", 5, 0600, true, &f->err));
	assert_int_equal(read(fd, old, 3), 3);
	close(fd);
	assert_string_equal(old, "old");
	assert_content(f, "file", "newer");
	assert_int_equal(mode_of("file"), 0600);
	assert_int_equal(count_entries("."), 1);
}

static void a_link_is_replaced_and_its_target_kept(void **state)
{
	struct fixture *f = *state;

	put("target", "kept");
	assert_int_equal(symlink("target", "link"), 0);
	assert_ok(f, file_write_atomic("link", "mine", 4, 0600, false, &f->err));
	assert_content(f, "target", "kept");
	assert_content(f, "link", "mine");
}

static void devices_and_directories_are_not_replaced(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifo("pipe", 0600), 0);
	assert_ok(f,
		file_write_atomic("a.db", "SQLite format 3\0and more", 24, 0600, false, &f->err));
	assert_failed(f, file_write_atomic("a.db", "x", 1, 0600, false, &f->err), TUNER_USAGE,
		"cannot write a.db: it is a database");
	assert_ok(
		f, file_write_atomic("a.md", "SQLite format 3 and more", 24, 0600, false, &f->err));
	assert_ok(f, file_write_atomic("a.md", "x", 1, 0600, false, &f->err));
	assert_failed(f, file_write_atomic("/dev/null", "x", 1, 0600, false, &f->err), TUNER_USAGE,
		"cannot write /dev/null: it is not a regular file");
	assert_failed(f, file_write_atomic("pipe", "x", 1, 0600, false, &f->err), TUNER_USAGE,
		"not a regular file");
	assert_failed(f, file_write_atomic(".", "x", 1, 0600, false, &f->err), TUNER_USAGE,
		"a directory");
	/* As /dev/stdout is where standard output goes into a file: the link would be lost. */
	const int output = open("output", O_WRONLY | O_CREAT, 0600);
	char target[64];
	snprintf(target, sizeof(target), "/proc/self/fd/%d", output);
	assert_int_equal(symlink(target, "stdout"), 0);
	assert_failed(f, file_write_atomic("stdout", "x", 1, 0600, false, &f->err), TUNER_USAGE,
		"cannot write stdout: it is not a regular file");
	assert_true(readlink("stdout", target, sizeof(target)) > 0);
	close(output);
}

static void a_failed_write_leaves_the_old_file_and_no_other(void **state)
{
	struct fixture *f = *state;

	assert_failed(f, file_write_atomic("none/file", "x", 1, 0600, false, &f->err), TUNER_USAGE,
		"cannot write none/file: No such file");

	put("file", "old");
	signal(SIGXFSZ, SIG_IGN);
	const pid_t child = fork(); /* the limit on file sizes stands in for a full disk */
	if (child == 0) {
		const struct rlimit four = { 4, 4 };
		setrlimit(RLIMIT_FSIZE, &four);
		const bool ok = file_write_atomic("file", "much longer", 11, 0600, true, &f->err);
		_exit(!ok && f->err.code == TUNER_FATAL ? 0 : 1);
	}
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_content(f, "file", "old");
	assert_int_equal(count_entries("."), 1);
}

/* Names that only look like it are somebody's. */
static void what_a_killed_write_left_is_removed_and_nothing_else(void **state)
{
	static const char *const kept[] = { ".tuner-.tmp", ".tuner-notes.tmp", "tuner-0a.tmp",
		".tuner-0a.tmp~", ".tuner-0a" };

	(void)state;
	put(".tuner-0123456789abcdef.tmp", "half");
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		put(kept[i], "mine");
	file_remove_temporaries(".");
	file_remove_temporaries("none");
	assert_int_equal(access(".tuner-0123456789abcdef.tmp", F_OK), -1);
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		assert_int_equal(access(kept[i], F_OK), 0);
}

static void the_longest_name_can_be_written(void **state)
{
	struct fixture *f = *state;
	char name[257];

	memset(name, 'n', 256);
	name[255] = '\0';
	assert_ok(f, file_write_atomic(name, "x", 1, 0600, false, &f->err));
	name[255] = 'n';
	name[256] = '\0';
	assert_failed(f, file_write_atomic(name, "x", 1, 0600, false, &f->err), TUNER_USAGE,
		"File name too long");
	assert_int_equal(count_entries("."), 1);
}

/* --- directories --- */

static void directories_are_made_with_their_parents(void **state)
{
	struct fixture *f = *state;

	assert_ok(f, directory_make("a/b//c/", 0700, &f->err));
	assert_int_equal(mode_of("a"), 0700);
	assert_int_equal(mode_of("a/b/c"), 0700);
	assert_ok(f, directory_make("a/b/c", 0700, &f->err));
	assert_ok(f, directory_make("a/b/c/../d", 0750, &f->err));
	assert_int_equal(mode_of("a/b/d"), 0750);
	assert_ok(f, directory_make("/", 0700, &f->err));
	assert_ok(f, directory_make(f->directory, 0700, &f->err));
	assert_ok(f, directory_make(".", 0700, &f->err));
}

static void a_file_in_the_way_of_a_directory_is_an_error(void **state)
{
	struct fixture *f = *state;

	put("file", "");
	assert_failed(f, directory_make("file", 0700, &f->err), TUNER_USAGE, "Not a directory");
	assert_failed(f, directory_make("file/below", 0700, &f->err), TUNER_USAGE, "file/below");
	assert_failed(f, directory_make("", 0700, &f->err), TUNER_USAGE, "No such file");
}

static void a_link_to_a_directory_is_a_directory_when_making(void **state)
{
	struct fixture *f = *state;

	assert_ok(f, directory_make("real", 0700, &f->err));
	assert_int_equal(symlink("real", "link"), 0);
	assert_ok(f, directory_make("link/below", 0700, &f->err));
	assert_true(exists("real/below"));
}

static void a_tree_is_removed_and_links_are_not_followed(void **state)
{
	struct fixture *f = *state;

	assert_ok(f, directory_make("kept/inside", 0700, &f->err));
	put("kept/inside/file", "kept");
	assert_ok(f, directory_make("doomed/a/b/c", 0700, &f->err));
	put("doomed/file", "");
	put("doomed/a/.hidden", "");
	put("doomed/a/b/c/read-only", "");
	assert_int_equal(chmod("doomed/a/b/c/read-only", 0400), 0);
	assert_int_equal(symlink("../kept", "doomed/to-directory"), 0);
	assert_int_equal(symlink("../../kept/inside/file", "doomed/a/to-file"), 0);
	assert_int_equal(symlink("nowhere", "doomed/a/b/dangling"), 0);
	assert_int_equal(mkfifo("doomed/pipe", 0600), 0);

	assert_ok(f, directory_remove("doomed", &f->err));
	assert_false(exists("doomed"));
	assert_content(f, "kept/inside/file", "kept");
}

/* "link/" means the target to almost every system call. */
static void a_link_as_the_path_is_removed_itself(void **state)
{
	struct fixture *f = *state;

	assert_ok(f, directory_make("kept", 0700, &f->err));
	put("kept/file", "kept");
	assert_int_equal(symlink("kept", "link"), 0);
	assert_ok(f, directory_remove("link", &f->err));
	assert_false(exists("link"));
	assert_int_equal(symlink("kept", "link"), 0);
	assert_ok(f, directory_remove("link//", &f->err));
	assert_false(exists("link"));
	assert_content(f, "kept/file", "kept");
}

static void removing_what_is_missing_is_fine(void **state)
{
	struct fixture *f = *state;

	assert_ok(f, directory_remove("none", &f->err));
	assert_ok(f, directory_remove("none/at/all/", &f->err));
}

static void removing_what_we_cannot_have_made_is_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const paths[] = { "", "/", "//", ".", "..", "./", "a/..", "a/." };

	assert_ok(f, directory_make("a", 0700, &f->err));
	put("file", "kept");
	assert_failed(f, directory_remove("file", &f->err), TUNER_USAGE, "Not a directory");
	assert_content(f, "file", "kept");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_failed(f, directory_remove(paths[i], &f->err), TUNER_USAGE, "cannot remove");
	assert_true(exists("a") && exists("file"));
}

static void make_nested(unsigned levels)
{
	const int home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (unsigned i = 0; i < levels; i++)
		assert_true(mkdir("d", 0700) == 0 && chdir("d") == 0);
	assert_int_equal(fchdir(home), 0);
	close(home);
}

/* The bound is on open descriptors. What is refused is still there, and can go from below. */
static void deep_trees_are_removed_up_to_a_bound(void **state)
{
	struct fixture *f = *state;

	make_nested(256);
	assert_ok(f, directory_remove("d", &f->err));
	assert_false(exists("d"));

	make_nested(257);
	assert_failed(f, directory_remove("d", &f->err), TUNER_USAGE, "cannot remove d");
	assert_ok(f, directory_remove("d/d", &f->err));
}

static void many_entries_are_removed(void **state)
{
	struct fixture *f = *state;

	assert_ok(f, directory_make("many", 0700, &f->err));
	for (unsigned i = 0; i < 3000; i++) {
		char name[32];
		snprintf(name, sizeof(name), "many/%u", i);
		const int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		close(fd);
	}
	assert_ok(f, directory_remove("many", &f->err));
	assert_false(exists("many"));
}

static void no_descriptor_is_left_open(void **state)
{
	struct fixture *f = *state;
	const size_t before = count_entries("/proc/self/fd");

	make_nested(300);
	assert_false(directory_remove("d", &f->err));
	assert_ok(f, directory_remove("d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/"
				      "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d",
			     &f->err));
	put("file", "");
	assert_ok(f, file_write_atomic("file", "x", 1, 0600, true, &f->err));
	assert_false(file_write_atomic("/dev/null", "x", 1, 0600, true, &f->err));
	assert_false(file_read(".", 9, &f->text, &f->err));
	assert_false(file_read("file", 0, &f->text, &f->err));
	assert_int_equal(count_entries("/proc/self/fd"), before);
}

/* --- paths --- */

static void assert_joined(const char *base, const char *path, const char *expected)
{
	char *joined = path_join(base, path);

	assert_string_equal(joined, expected);
	free(joined);
}

static void paths_are_joined(void **state)
{
	assert_joined("a", "b", "a/b");
	assert_joined("a/", "b", "a/b");
	assert_joined("/", "b", "/b");
	assert_joined("", "b", "b");
	assert_joined("a", "/b", "/b");
	assert_joined("a", "", "a");
	assert_joined("a", "../b", "a/../b");
}

static void a_tilde_is_the_home_directory(void **state)
{
	setenv("HOME", "/home/anna", 1);
	assert_joined("a", "~/b", "/home/anna/b");
	assert_joined("", "~//b/~/c", "/home/anna/b/~/c");
	assert_joined("a", "~/", "/home/anna");
	assert_joined("a", "~b", "a/~b");
	assert_joined("a", "x/~/b", "a/x/~/b");
	setenv("HOME", "", 1);
	assert_joined("a", "~/b", "a/~/b");
	unsetenv("HOME");
	assert_joined("a", "~/b", "a/~/b");
}

static void assert_parts(const char *path, const char *directory, const char *name)
{
	char *part = path_directory(path);

	assert_string_equal(part, directory);
	assert_string_equal(path_name(path), name);
	free(part);
}

static void paths_are_taken_apart(void **state)
{
	assert_parts("a/b/c.json", "a/b", "c.json");
	assert_parts("c.json", ".", "c.json");
	assert_parts("/c.json", "/", "c.json");
	assert_parts("//c", "/", "c");
	assert_parts("a//b", "a", "b");
	assert_parts("a/b/", "a", "b/");
	assert_parts("a/", ".", "a/");
	assert_parts("/", "/", "/");
	assert_parts("", ".", "");
}

static void assert_relative(const char *from, const char *to, const char *expected)
{
	char *path = path_relative(from, to);

	assert_string_equal(path, expected);
	free(path);
}

static void one_directory_is_named_from_another(void **state)
{
	struct fixture *f = *state;

	assert_ok(f, directory_make("report/figures", 0777, &f->err));
	assert_ok(f, directory_make("report-2", 0777, &f->err));
	assert_relative(".", "report/figures", "report/figures");
	assert_relative("report", "report/figures/", "figures");
	assert_relative("report", "report", ".");
	assert_relative("report/figures", ".", "../..");
	assert_relative("report/figures", "report-2", "../../report-2");
	assert_relative("report", "report-2", "../report-2");
	assert_relative("/", "/tmp", "tmp");
	assert_relative("/tmp", "/", "..");
	assert_null(path_relative(".", "nowhere"));
}

static void a_program_may_have_a_version_behind_its_name(void **state)
{
	static const char *const names[] = { "python", "node" };

	assert_true(path_is_program("python", names, 2));
	assert_true(path_is_program("/usr/bin/python3.11", names, 2));
	assert_true(path_is_program("bin/node", names, 2));
	assert_false(path_is_program("pythonw", names, 2));
	assert_false(path_is_program("python3.11-config", names, 2));
	assert_false(path_is_program("python/train", names, 2));
	assert_false(path_is_program("", names, 2));
}

/* --- locks --- */

static void a_lock_excludes_others_until_it_is_closed(void **state)
{
	struct fixture *f = *state;
	int first = -1, second = -1;

	assert_ok(f, file_lock("db.lock", &first, &f->err));
	assert_int_equal(mode_of("db.lock"), 0600);
	assert_int_equal(fcntl(first, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_failed(f, file_lock("db.lock", &second, &f->err), TUNER_RETRY,
		"db.lock is locked by another process");
	assert_int_equal(second, -1);
	close(first);
	assert_ok(f, file_lock("db.lock", &second, &f->err));
	close(second);
}

static void a_lock_excludes_other_processes_and_ends_with_them(void **state)
{
	struct fixture *f = *state;
	int ready[2], fd = -1, status;
	char byte;

	assert_int_equal(pipe(ready), 0);
	const pid_t child = fork();
	if (child == 0) {
		if (file_lock("lock", &fd, &f->err) && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	assert_failed(f, file_lock("lock", &fd, &f->err), TUNER_RETRY, "locked");
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_ok(f, file_lock("lock", &fd, &f->err));
	close(fd);
}

static void a_removed_lock_file_does_not_lock(void **state)
{
	struct fixture *f = *state;
	int old = -1, new = -1, third = -1;

	assert_ok(f, file_lock("lock", &old, &f->err));
	assert_int_equal(unlink("lock"), 0);
	assert_ok(f, file_lock("lock", &new, &f->err));
	close(old);
	assert_failed(f, file_lock("lock", &third, &f->err), TUNER_RETRY, "locked");
	close(new);
}

static void a_lock_keeps_what_the_file_says(void **state)
{
	struct fixture *f = *state;
	int fd = -1;

	put("lock", "pid 17");
	assert_ok(f, file_lock("lock", &fd, &f->err));
	assert_content(f, "lock", "pid 17");
	close(fd);
}

static void a_lock_in_a_missing_directory_is_the_users_to_fix(void **state)
{
	struct fixture *f = *state;
	int fd = -1;

	assert_failed(f, file_lock("none/lock", &fd, &f->err), TUNER_USAGE, "none/lock");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_read_whole_with_its_nul_bytes),
		TEST(an_empty_file_empties_the_text),
		TEST(a_file_beyond_the_bound_is_refused_with_both_sizes),
		TEST(a_file_that_does_not_know_its_size_is_bounded_too),
		TEST(what_cannot_be_read_is_named),
		TEST(a_pipe_without_a_writer_is_refused_at_once),
		TEST(a_dash_is_standard_input),
		TEST(a_write_makes_the_file_and_nothing_else),
		TEST(the_umask_counts),
		TEST(a_write_replaces_the_file_and_leaves_open_ones_alone),
		TEST(a_link_is_replaced_and_its_target_kept),
		TEST(devices_and_directories_are_not_replaced),
		TEST(a_failed_write_leaves_the_old_file_and_no_other),
		TEST(what_a_killed_write_left_is_removed_and_nothing_else),
		TEST(the_longest_name_can_be_written),
		TEST(directories_are_made_with_their_parents),
		TEST(a_file_in_the_way_of_a_directory_is_an_error),
		TEST(a_link_to_a_directory_is_a_directory_when_making),
		TEST(a_tree_is_removed_and_links_are_not_followed),
		TEST(a_link_as_the_path_is_removed_itself),
		TEST(removing_what_is_missing_is_fine),
		TEST(removing_what_we_cannot_have_made_is_refused),
		TEST(deep_trees_are_removed_up_to_a_bound),
		TEST(many_entries_are_removed),
		TEST(no_descriptor_is_left_open),
		cmocka_unit_test(paths_are_joined),
		cmocka_unit_test(a_tilde_is_the_home_directory),
		cmocka_unit_test(paths_are_taken_apart),
		TEST(one_directory_is_named_from_another),
		cmocka_unit_test(a_program_may_have_a_version_behind_its_name),
		TEST(a_lock_excludes_others_until_it_is_closed),
		TEST(a_lock_excludes_other_processes_and_ends_with_them),
		TEST(a_removed_lock_file_does_not_lock),
		TEST(a_lock_keeps_what_the_file_says),
		TEST(a_lock_in_a_missing_directory_is_the_users_to_fix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
