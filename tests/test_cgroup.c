/* scheduler/cgroup.h: which group is taken and what is written to it, against a directory that stands for cgroup v2; and,
 * where this machine lets us make groups, what the kernel does with them. */
#include "scheduler/cgroup.h"

#include "base/file.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <cmocka.h>

#define KEY "0123456789abcdef0123456789abcdef"

static char root[64], group[128], why[CGROUP_WHY_MAX], found[CGROUP_PATH_MAX];
static struct tuner_error err;

static void write_in(const char *directory, const char *name, const char *text)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static const char *read_in(const char *directory, const char *name)
{
	static char text[256];
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	FILE *file = fopen(path, "r");
	text[0] = '\0';
	if (file != NULL) {
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
		fclose(file);
	}
	return text;
}

static void make_group(const char *path)
{
	assert_int_equal(mkdir(path, 0700), 0);
	write_in(path, "cgroup.controllers", "cpu memory pids\n");
	write_in(path, "cgroup.procs", "");
	write_in(path, "cgroup.subtree_control", "");
}

/* The kernel makes the files of a group; here we do, beforehand. */
static void make_child(const char *name, char ret[256])
{
	static const char *const files[] = { "cgroup.procs", "memory.max", "memory.swap.max",
		"memory.oom.group", "memory.events", "cgroup.kill", "cgroup.events" };
	snprintf(ret, 256, "%s/%s", group, name);
	assert_int_equal(mkdir(ret, 0700), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		write_in(ret, files[i], "");
}

/* False: the file system has no such attributes. */
static bool mark(const char *path, const char *value)
{
	return setxattr(path, "user.delegate", value, strlen(value), 0) == 0;
}

static int set_up(void **state)
{
	strcpy(root, "/tmp/tuner-cgroup-XXXXXX");
	if (mkdtemp(root) == NULL)
		return -1;
	snprintf(group, sizeof(group), "%s/run.scope", root);
	make_group(group);
	return 0;
}

static int tear_down(void **state)
{
	return directory_remove(root, &err) ? 0 : -1;
}

static bool find(const char *membership)
{
	why[0] = '\0';
	return cgroup_find(root, membership, found, why);
}

static void a_marked_group_is_found_from_itself_and_from_its_leaf(void **state)
{
	char leaf[256];
	make_child("tuner-programs", leaf);
	if (!mark(group, "1")) {
		print_message("no attributes of users on %s\n", root);
		skip();
	}
	assert_true(find("4:memory:/other\n0::/run.scope\n"));
	assert_string_equal(found, group);
	assert_true(find("0::/run.scope/tuner-programs\n"));
	assert_string_equal(found, group);
}

static pid_t begin_to_wait(void)
{
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(60); /* a test that fails leaves nothing */
		pause();
		_exit(0);
	}
	return pid;
}

static void assert_killed(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

/* Before Linux 5.14 there is no cgroup.kill. */
static void all_in_a_group_are_killed_with_and_without_a_file_for_it(void **state)
{
	char child[256], path[300], pids[80];
	const pid_t first = begin_to_wait(), second = begin_to_wait();

	make_child("tuner-key", child);
	snprintf(pids, sizeof(pids), "0\n%d\n%d\n", (int)first, (int)second);
	write_in(child, "cgroup.procs", pids);
	cgroup_kill(child);
	assert_string_equal(read_in(child, "cgroup.kill"), "1");
	assert_int_equal(waitpid(first, NULL, WNOHANG), 0);
	snprintf(path, sizeof(path), "%s/cgroup.kill", child);
	assert_int_equal(unlink(path), 0);
	cgroup_kill(child);
	assert_killed(first);
	assert_killed(second);
}

/* What is read at once ends within a number, whose beginning is that of a process which is none of the group's. */
static void nobody_else_is_killed_for_a_list_that_is_too_long(void **state)
{
	enum { AT_ONCE = 64 * 1024 - 1 };
	char child[256], path[300], pid[16], *list = malloc(AT_ONCE + 16);
	const pid_t other = begin_to_wait();

	make_child("tuner-key", child);
	snprintf(path, sizeof(path), "%s/cgroup.kill", child);
	assert_int_equal(unlink(path), 0);
	const int digits = snprintf(pid, sizeof(pid), "%d", (int)other);
	memset(list, '\n', AT_ONCE);
	strcpy(list + AT_ONCE - digits, pid);
	strcat(list, "999\n");
	write_in(child, "cgroup.procs", list);
	cgroup_kill(child);
	usleep(50000);
	const bool lives = waitpid(other, NULL, WNOHANG) == 0;
	kill(other, SIGKILL);
	if (lives)
		assert_killed(other);
	free(list);
	assert_true(lives);
}

static void any_other_group_is_left_alone(void **state)
{
	assert_false(find("0::/run.scope\n"));
	assert_non_null(strstr(why, "not delegated"));
	if (mark(group, "0")) {
		assert_false(find("0::/run.scope\n"));
		assert_non_null(strstr(why, "not delegated"));
		mark(group, "1");
		write_in(group, "cgroup.controllers", "cpu pids memory_recursiveprot\n");
		assert_false(find("0::/run.scope\n"));
		assert_non_null(strstr(why, "no memory controller"));
	}
}

static void where_there_is_no_cgroup_v2_it_says_so(void **state)
{
	static const char *const memberships[] = { "", "4:memory:/x\n", "0::/nowhere\n",
		"0::/../../other\n", "0::/\n" };
	char longest[3000] = "0::/";
	for (size_t i = 0; i < sizeof(memberships) / sizeof(*memberships); i++) {
		assert_false(find(memberships[i]));
		assert_non_null(strstr(why, "no cgroup v2"));
	}
	memset(longest + 4, 'x', sizeof(longest) - 5);
	longest[sizeof(longest) - 1] = '\0';
	assert_false(find(longest));
}

/* Each write replaces the one before: the last process is what is left to see. */
static void what_is_in_the_group_moves_to_its_leaf_before_memory_is_enabled(void **state)
{
	char leaf[256];
	make_child("tuner-programs", leaf);
	write_in(group, "cgroup.procs", "41\n42\n");
	assert_true(cgroup_prepare(group));
	assert_string_equal(read_in(leaf, "cgroup.procs"), "42");
	assert_string_equal(read_in(group, "cgroup.subtree_control"), "+memory");
}

static void a_group_that_is_prepared_is_not_touched(void **state)
{
	write_in(group, "cgroup.subtree_control", "cpu memory\n");
	assert_true(cgroup_prepare(group));
	assert_string_equal(read_in(group, "cgroup.subtree_control"), "cpu memory\n");
}

static void a_group_that_cannot_be_prepared_says_why(void **state)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", group);
	assert_int_equal(unlink(path), 0);
	assert_false(cgroup_prepare(group));
	assert_int_equal(errno, ENOENT);
	assert_false(cgroup_prepare("/nonexistent/group"));
}

static void an_attempts_group_has_its_limit_and_dies_as_a_whole(void **state)
{
	char path[256], name[CGROUP_PATH_MAX];
	make_child("tuner-" KEY, path);
	assert_true(cgroup_name(group, KEY, name));
	assert_string_equal(name, path);
	assert_true(cgroup_make(name, INT64_C(3) << 30));
	assert_true(cgroup_add(name, 77));
	assert_string_equal(read_in(path, "memory.max"), "3221225472");
	assert_string_equal(read_in(path, "memory.swap.max"), "0");
	assert_string_equal(read_in(path, "memory.oom.group"), "1");
	assert_string_equal(read_in(path, "cgroup.procs"), "77");
	cgroup_kill(name);
	assert_string_equal(read_in(path, "cgroup.kill"), "1");
}

static void a_group_without_a_limit_is_none(void **state)
{
	char name[CGROUP_PATH_MAX];
	assert_true(cgroup_name(group, KEY, name));
	assert_false(cgroup_make(name, 1 << 30)); /* no memory.max appears in it */
	assert_int_not_equal(access(name, F_OK), 0);
	assert_true(cgroup_remove(name));
}

static void only_its_own_limit_counts(void **state)
{
	char path[256];
	make_child("tuner-" KEY, path);
	write_in(path, "memory.events", "low 0\nhigh 0\nmax 9\noom 0\noom_kill 0\n");
	assert_false(cgroup_limit_hit(path));
	write_in(path, "memory.events", "low 0\nhigh 0\nmax 9\noom 0\noom_kill 2\n");
	assert_int_equal(cgroup_oom_kills(path), 2);
	assert_false(cgroup_limit_hit(path)); /* the machine's memory was full */
	write_in(path, "memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 2\n");
	assert_true(cgroup_limit_hit(path));
	assert_false(cgroup_limit_hit("/nonexistent"));
}

static void a_path_is_an_attempts_by_its_key(void **state)
{
	assert_true(cgroup_is_of("/sys/fs/cgroup/a/tuner-" KEY, KEY));
	assert_false(cgroup_is_of("/sys/fs/cgroup/a/tuner-" KEY "0", KEY));
	assert_false(cgroup_is_of("/sys/fs/cgroup/a", KEY));
	assert_false(cgroup_is_of("tuner-" KEY, KEY));
	assert_false(cgroup_is_of("/a/../tuner-" KEY, KEY));
	assert_false(cgroup_is_of("/a/tuner-", ""));
	assert_false(cgroup_is_of("", KEY));
}

/* ---- the kernel's ---- */

/* A group of ours in a real cgroup v2, with or without controllers; "" if none can be made here. */
static void make_real(char ret[CGROUP_PATH_MAX])
{
	char line[1024], at[512], type[64];
	FILE *mounts = fopen("/proc/mounts", "r");

	ret[0] = '\0';
	while (mounts != NULL && ret[0] == '\0' && fgets(line, sizeof(line), mounts) != NULL)
		if (sscanf(line, "%*s %511s %63s", at, type) == 2 && strcmp(type, "cgroup2") == 0)
			snprintf(ret, CGROUP_PATH_MAX, "%s/tuner-test-%d", at, (int)getpid());
	if (mounts != NULL)
		fclose(mounts);
	if (ret[0] != '\0' && mkdir(ret, 0755) != 0)
		ret[0] = '\0';
}

static void the_kernel_moves_kills_and_removes(void **state)
{
	char real[CGROUP_PATH_MAX];
	int status;

	make_real(real);
	if (real[0] == '\0') {
		print_message("no group of cgroup v2 can be made here\n");
		skip();
	}
	const pid_t child = fork();
	if (child == 0) {
		setsid();
		pause();
		_exit(0);
	}
	const bool moved = cgroup_add(real, child), lives = !cgroup_is_empty(real),
		   stays = !cgroup_remove(real);
	cgroup_kill(real);
	assert_int_equal(waitpid(child, &status, 0), child);
	const bool empty = cgroup_is_empty(real);
	assert_true(cgroup_remove(real));
	assert_true(moved && lives && stays && empty);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_not_equal(access(real, F_OK), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_marked_group_is_found_from_itself_and_from_its_leaf),
		TEST(any_other_group_is_left_alone),
		TEST(all_in_a_group_are_killed_with_and_without_a_file_for_it),
		TEST(nobody_else_is_killed_for_a_list_that_is_too_long),
		TEST(where_there_is_no_cgroup_v2_it_says_so),
		TEST(what_is_in_the_group_moves_to_its_leaf_before_memory_is_enabled),
		TEST(a_group_that_is_prepared_is_not_touched),
		TEST(a_group_that_cannot_be_prepared_says_why),
		TEST(an_attempts_group_has_its_limit_and_dies_as_a_whole),
		TEST(a_group_without_a_limit_is_none),
		TEST(only_its_own_limit_counts),
		TEST(a_path_is_an_attempts_by_its_key),
		cmocka_unit_test(the_kernel_moves_kills_and_removes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
